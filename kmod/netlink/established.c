// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink operations of established tables: settings, tables, connections.
 */
#include <linux/sched.h>
#include <net/genetlink.h>
#include <net/netlink.h>

#include <uapi/linux/fastsocket.h>

#include "connect/steer.h"
#include "established/direct.h"
#include "established/est.h"
#include "netlink/message.h"
#include "netlink/netlink.h"
#include "netns.h"

/* Settings */

int fsk_netlink_est_config_put(struct sk_buff *msg, const struct fsk_net *fn)
{
	if (nla_put_u8(msg, FSK_A_CONFIG_ESTABLISHED,
		       READ_ONCE(fn->est_on)) ||
	    nla_put_u32(msg, FSK_A_CONFIG_ESTABLISHED_AFTER,
			READ_ONCE(fn->est_after)))
		return -EMSGSIZE;
	return 0;
}

/* Switches on tables and, where packets are steered, following the reader. */
static int fsk_netlink_est_switch(struct fsk_net *fn, bool on)
{
	bool was = fn->est_on;
	int err = fsk_direct_switch(fn, on);

	if (err)
		return err;
	err = fsk_steer_update(fn);
	if (err && !was)
		fsk_direct_switch(fn, false);
	return err;
}

/* Takes back what fsk_netlink_est_config() has done; switching off can't fail,
 * and what was on a moment ago may stay off without memory.  Expects
 * fsk_net.mutex.
 */
void fsk_netlink_est_restore(struct fsk_net *fn, bool on, u32 after)
{
	fsk_netlink_est_switch(fn, on);
	WRITE_ONCE(fn->est_after, after);
}

/* Expects fsk_net.mutex. */
int fsk_netlink_est_config(struct fsk_net *fn, struct genl_info *info)
{
	struct nlattr *after = info->attrs[FSK_A_CONFIG_ESTABLISHED_AFTER];
	struct nlattr *on = info->attrs[FSK_A_CONFIG_ESTABLISHED];
	int err;

	err = on ? fsk_netlink_est_switch(fn, nla_get_u8(on)) : 0;
	if (err == -EBUSY) {
		NL_SET_ERR_MSG_ATTR(info->extack, on,
				    "a netfilter chain at the last priority of prerouting would not see the packets");
		return err;
	}
	if (err) {
		NL_SET_ERR_MSG_ATTR(info->extack, on,
				    "no memory for the tables and hooks");
		return err;
	}
	if (after)
		WRITE_ONCE(fn->est_after, nla_get_u32(after));
	return 0;
}

/* Tables */

static int fsk_netlink_est_put_u64(struct sk_buff *msg, int attr, const u64 *n)
{
	return nla_put_u64_64bit(msg, attr, READ_ONCE(*n), FSK_A_EST_PAD);
}

static int fsk_netlink_est_put(struct sk_buff *msg,
			       const struct fsk_est_core *core)
{
	const struct fsk_est_counts *n = &core->n;
	u64 direct = READ_ONCE(core->direct);
	u64 hits = direct + READ_ONCE(n->kernel);
	u32 buckets = fsk_est_size(core);

	if (nla_put_u32(msg, FSK_A_EST_CPU, core->cpu) ||
	    nla_put_u32(msg, FSK_A_EST_ENTRIES, READ_ONCE(core->entries)) ||
	    nla_put_u32(msg, FSK_A_EST_BUCKETS, buckets) ||
	    nla_put_u64_64bit(msg, FSK_A_EST_MEMORY,
			      (u64)buckets * sizeof(struct fsk_est_bucket),
			      FSK_A_EST_PAD) ||
	    fsk_netlink_est_put_u64(msg, FSK_A_EST_HITS, &hits) ||
	    fsk_netlink_est_put_u64(msg, FSK_A_EST_DIRECT, &direct) ||
	    fsk_netlink_est_put_u64(msg, FSK_A_EST_MISSES, &n->misses) ||
	    fsk_netlink_est_put_u64(msg, FSK_A_EST_FOREIGN, &n->foreign) ||
	    fsk_netlink_est_put_u64(msg, FSK_A_EST_STALE, &n->stale) ||
	    fsk_netlink_est_put_u64(msg, FSK_A_EST_LEFT, &n->left) ||
	    fsk_netlink_est_put_u64(msg, FSK_A_EST_FULL, &n->full))
		return -EMSGSIZE;
	return 0;
}

static int fsk_netlink_est_row(struct sk_buff *msg,
			       struct netlink_callback *cb,
			       const struct fsk_est_core *core)
{
	void *hdr;

	hdr = fsk_message_row(msg, cb, FSK_CMD_EST_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (fsk_netlink_est_put(msg, core)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

/* The namespace's tables, or NULL while they are off. */
static struct fsk_est *fsk_netlink_est(const struct sk_buff *msg)
{
	struct fsk_est *est;

	/* Pairs with the release in fsk_direct_switch(). */
	est = smp_load_acquire(&fsk_net_of(sock_net(msg->sk))->est);
	return est && READ_ONCE(est->fn->est_on) ? est : NULL;
}

/* args[0] is the next CPU. */
int fsk_netlink_est_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct fsk_est *est = fsk_netlink_est(msg);
	int cpu;

	for (cpu = cb->args[0]; est && cpu < nr_cpu_ids; cpu++) {
		if (!cpu_possible(cpu))
			continue;
		if (fsk_netlink_est_row(msg, cb, per_cpu_ptr(est->core, cpu)))
			break;
	}
	cb->args[0] = cpu;
	return msg->len;
}

/* Connections */

static int fsk_netlink_conn_addr(struct sk_buff *msg, int attr, bool ipv6,
				 const struct in6_addr *addr)
{
	return ipv6 ? nla_put_in6_addr(msg, attr, addr) :
		      nla_put_in_addr(msg, attr, addr->s6_addr32[3]);
}

static int fsk_netlink_conn_row(struct sk_buff *msg,
				struct netlink_callback *cb,
				const struct fsk_est_conn *conn, int cpu)
{
	void *hdr;

	hdr = fsk_message_row(msg, cb, FSK_CMD_CONN_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(msg, FSK_A_CONN_CPU, cpu) ||
	    nla_put_u8(msg, FSK_A_CONN_FAMILY,
		       conn->ipv6 ? AF_INET6 : AF_INET) ||
	    nla_put_u8(msg, FSK_A_CONN_STATE, conn->state) ||
	    fsk_netlink_conn_addr(msg, FSK_A_CONN_LOCAL, conn->ipv6,
				  &conn->saddr) ||
	    nla_put_u16(msg, FSK_A_CONN_LOCAL_PORT, conn->sport) ||
	    fsk_netlink_conn_addr(msg, FSK_A_CONN_REMOTE, conn->ipv6,
				  &conn->daddr) ||
	    nla_put_u16(msg, FSK_A_CONN_REMOTE_PORT, conn->dport)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

/* Puts a bucket's connections into the message, all or none. */
static int fsk_netlink_conn_rows(struct sk_buff *msg,
				 struct netlink_callback *cb,
				 struct fsk_est_core *core, u64 *pos)
{
	struct fsk_est_conn conn[FSK_EST_WAYS];
	unsigned char *mark = skb_tail_pointer(msg);
	u64 next = *pos;
	int i, nr;

	nr = fsk_est_list(core, &next, conn);
	for (i = 0; i < nr; i++) {
		if (fsk_netlink_conn_row(msg, cb, &conn[i], core->cpu)) {
			nlmsg_trim(msg, mark);
			return -EMSGSIZE;
		}
	}
	*pos = next;
	return 0;
}

/* args[0] is the next CPU, args[1] the next hash.  Takes no lock, and passes
 * over empty buckets quickly.
 */
int fsk_netlink_conn_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct fsk_est *est = fsk_netlink_est(msg);
	u64 pos = cb->args[1];
	int cpu;

	for (cpu = cb->args[0]; est && cpu < nr_cpu_ids; cpu++, pos = 0) {
		if (!cpu_possible(cpu))
			continue;
		while (!(pos >> 32)) {
			if (fsk_netlink_conn_rows(msg, cb,
						  per_cpu_ptr(est->core, cpu),
						  &pos))
				goto out;
			cond_resched();
		}
	}
out:
	cb->args[0] = cpu;
	cb->args[1] = pos;
	return msg->len;
}
