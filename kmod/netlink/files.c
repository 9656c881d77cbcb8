// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink operation that shows pools of socket files.
 */
#include <net/genetlink.h>
#include <net/netlink.h>
#include <net/sock.h>

#include <uapi/linux/fastsocket.h>

#include "files/pool.h"
#include "files/vfs.h"
#include "netlink/message.h"
#include "netlink/netlink.h"
#include "netns.h"

static int fsk_netlink_vfs_cpu(struct sk_buff *msg,
			       struct netlink_callback *cb, int cpu)
{
	struct fsk_pool_figures figures = { 0 };
	void *hdr;

	fsk_vfs_figures(fsk_net_of(sock_net(msg->sk)), cpu, &figures);
	if (!figures.pools)
		return 0;
	hdr = fsk_message_row(msg, cb, FSK_CMD_VFS_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(msg, FSK_A_VFS_CPU, cpu) ||
	    nla_put_u32(msg, FSK_A_VFS_POOLS, figures.pools) ||
	    nla_put_u32(msg, FSK_A_VFS_SIZE, figures.size) ||
	    nla_put_u32(msg, FSK_A_VFS_OUT, figures.out) ||
	    nla_put_u32(msg, FSK_A_VFS_REST, figures.rest)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

/* args[0] is the next CPU. */
int fsk_netlink_vfs_dump(struct sk_buff *msg,
			 struct netlink_callback *cb)
{
	int err = 0;
	int cpu;

	for (cpu = cb->args[0]; cpu < nr_cpu_ids; cpu++) {
		err = fsk_netlink_vfs_cpu(msg, cb, cpu);
		if (err)
			break;
	}
	cb->args[0] = cpu;
	return msg->len ? msg->len : err;
}
