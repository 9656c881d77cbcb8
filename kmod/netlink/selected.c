// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink operations of selected control groups.  They concern the whole
 * machine, so they are for its administrator.
 */
#include <net/genetlink.h>
#include <net/netlink.h>

#include <uapi/linux/fastsocket.h>

#include "listen/selected.h"
#include "netlink/message.h"
#include "netlink/netlink.h"

const struct nla_policy fsk_netlink_cgroup_policy[FSK_A_CGROUP_PATH + 1] = {
	[FSK_A_CGROUP_PATH] = { .type = NLA_NUL_STRING, .len = PATH_MAX - 1 },
};

static bool fsk_netlink_cgroup_path_ok(const char *path)
{
	size_t len = strlen(path);

	return path[0] == '/' && !strstr(path, "//") &&
	       (len == 1 || path[len - 1] != '/');
}

static const char *fsk_netlink_cgroup_path(struct genl_info *info)
{
	const char *path;

	if (GENL_REQ_ATTR_CHECK(info, FSK_A_CGROUP_PATH)) {
		GENL_SET_ERR_MSG(info, "give the path of a control group");
		return NULL;
	}
	path = nla_data(info->attrs[FSK_A_CGROUP_PATH]);
	if (fsk_netlink_cgroup_path_ok(path))
		return path;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[FSK_A_CGROUP_PATH],
			    "give a path as in /proc/PID/cgroup, like /system.slice/a.service");
	return NULL;
}

int fsk_netlink_cgroup_add(struct sk_buff *skb, struct genl_info *info)
{
	const char *path = fsk_netlink_cgroup_path(info);
	int err;

	if (!path)
		return -EINVAL;
	err = fsk_selected_add(path);
	switch (err) {
	case -EEXIST:
		return fsk_message_refuse(info, FSK_A_CGROUP_PATH, err,
					  "it is selected already");
	case -ENOSPC:
		return fsk_message_refuse(info, FSK_A_CGROUP_PATH, err,
			"1024 are selected: select one above them instead");
	case -EOPNOTSUPP:
		return fsk_message_refuse(info, FSK_A_CGROUP_PATH, err,
			fsk_selected_lacks() ?:
			"this kernel has not got the tracepoint inet_sock_set_state");
	}
	return err;
}

int fsk_netlink_cgroup_del(struct sk_buff *skb, struct genl_info *info)
{
	const char *path = fsk_netlink_cgroup_path(info);

	if (!path)
		return -EINVAL;
	if (!fsk_selected_del(path))
		return 0;
	return fsk_message_refuse(info, FSK_A_CGROUP_PATH, -ENOENT,
				  "it is not selected");
}

/* One row, in fsk_selected_walk_begin()'s lock.  Past the last is 1. */
static int fsk_netlink_cgroup_row(struct sk_buff *msg,
				  struct netlink_callback *cb,
				  const char *path,
				  const struct fsk_selected_figures *figures)
{
	void *hdr;

	if (!path)
		return 1;
	hdr = fsk_message_row(msg, cb, FSK_CMD_CGROUP_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_string(msg, FSK_A_CGROUP_PATH, path) ||
	    nla_put_u64_64bit(msg, FSK_A_CGROUP_JOINED, figures->joined,
			      FSK_A_CGROUP_PAD) ||
	    nla_put_u64_64bit(msg, FSK_A_CGROUP_REFUSED, figures->refused,
			      FSK_A_CGROUP_PAD)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

/* A row has to fit into a message, however small the reader's buffer was. */
int fsk_netlink_cgroup_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = 2 * PATH_MAX;
	return 0;
}

/* args[0] is the index of the next one. */
int fsk_netlink_cgroup_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct fsk_selected_figures figures;
	const char *path;
	int err;

	do {
		path = fsk_selected_walk_begin(cb->args[0], &figures);
		err = fsk_netlink_cgroup_row(msg, cb, path, &figures);
		fsk_selected_walk_end();
		if (!err)
			cb->args[0]++;
	} while (!err);
	return msg->len || err > 0 ? msg->len : err;
}
