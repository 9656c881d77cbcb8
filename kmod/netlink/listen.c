// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink operation that lists app listeners and their cores.  It takes
 * references on all of them when it starts and locks nothing between messages.
 */
#include <linux/mm.h>
#include <net/genetlink.h>
#include <net/ipv6.h>
#include <net/netlink.h>
#include <net/sock.h>

#include <uapi/linux/fastsocket.h>

#include "compat.h"
#include "listen/claim.h"
#include "listen/core.h"
#include "listen/listen.h"
#include "listen/map.h"
#include "listen/options.h"
#include "listen/owner.h"
#include "listen/ref.h"
#include "netlink/message.h"
#include "netlink/netlink.h"
#include "netns.h"

/**
 * struct fsk_netlink_dump - where a dump of listeners is, in
 *	netlink_callback.args, zeroed
 * @chain: of fsk_net.listeners
 * @next: fsk_listener.listing of the first one there that has not been told
 * @row: next row of @next's: 0 for the app listener's, else CPU number + 1
 *
 * A dump holds nothing between two messages: a reader who does not go on keeps
 * no listener, nor what its owner has closed, in memory.
 */
struct fsk_netlink_dump {
	unsigned long chain;
	u64 next;
	unsigned long row;
};

static struct fsk_netlink_dump *fsk_netlink_dump_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct fsk_netlink_dump) > sizeof(cb->args));
	return (struct fsk_netlink_dump *)cb->args;
}

static int fsk_netlink_put_u64(struct sk_buff *msg, int attr, u64 value)
{
	return nla_put_u64_64bit(msg, attr, value, FSK_A_LISTEN_PAD);
}

static int fsk_netlink_put_addr(struct sk_buff *msg, const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		return nla_put_in6_addr(msg, FSK_A_LISTEN_ADDR,
					&sk->sk_v6_rcv_saddr);
#endif
	return nla_put_in_addr(msg, FSK_A_LISTEN_ADDR, sk->sk_rcv_saddr);
}

/* Both kinds of rows begin with the listener. */
static int fsk_netlink_put_key(struct sk_buff *msg,
			       const struct fsk_listener *l,
			       const struct sock *app)
{
	int ifindex = READ_ONCE(app->sk_bound_dev_if);

	if (fsk_netlink_put_u64(msg, FSK_A_LISTEN_ID, l->id) ||
	    nla_put_u8(msg, FSK_A_LISTEN_FAMILY, app->sk_family) ||
	    fsk_netlink_put_addr(msg, app) ||
	    nla_put_u16(msg, FSK_A_LISTEN_PORT, l->hnum))
		return -EMSGSIZE;
	if (ifindex && nla_put_u32(msg, FSK_A_LISTEN_IFINDEX, ifindex))
		return -EMSGSIZE;
	if (app->sk_family == AF_INET6 && ipv6_only_sock(app) &&
	    nla_put_flag(msg, FSK_A_LISTEN_V6ONLY))
		return -EMSGSIZE;
	if (app->sk_reuseport && nla_put_flag(msg, FSK_A_LISTEN_REUSEPORT))
		return -EMSGSIZE;
	return 0;
}

static int fsk_netlink_put_queue(struct sk_buff *msg, const struct sock *sk,
				 const atomic_long_t *drops)
{
	if (nla_put_u32(msg, FSK_A_LISTEN_QLEN,
			READ_ONCE(sk->sk_ack_backlog)) ||
	    nla_put_u32(msg, FSK_A_LISTEN_QMAX,
			READ_ONCE(sk->sk_max_ack_backlog)) ||
	    fsk_netlink_put_u64(msg, FSK_A_LISTEN_DROPS,
				atomic_long_read(drops)))
		return -EMSGSIZE;
	return 0;
}

static int fsk_netlink_put_app(struct sk_buff *msg,
			       struct netlink_callback *cb,
			       const struct fsk_listener *l,
			       const struct sock *app)
{
	struct user_namespace *ns = sk_user_ns(NETLINK_CB(cb->skb).sk);
	const char *bypass = READ_ONCE(l->released) ?
		"released" : fsk_options_bypass(app);

	if (nla_put_u32(msg, FSK_A_LISTEN_UID,
			from_kuid_munged(ns, READ_ONCE(app->sk_uid))) ||
	    nla_put_u8(msg, FSK_A_LISTEN_STATE,
		       bypass ? FSK_STATE_BYPASS : FSK_STATE_ACTIVE) ||
	    fsk_netlink_put_u64(msg, FSK_A_LISTEN_ACCEPT_APP,
				atomic_long_read(&l->accept_app)) ||
	    fsk_netlink_put_u64(msg, FSK_A_LISTEN_ACCEPT_OTHER,
				atomic_long_read(&l->accept_other)))
		return -EMSGSIZE;
	if (bypass &&
	    nla_put_string(msg, FSK_A_LISTEN_BYPASS_REASON, bypass))
		return -EMSGSIZE;
	/* A user's number on the whole machine is none of a container's
	 * business.
	 */
	if (netlink_capable(cb->skb, CAP_NET_ADMIN) &&
	    nla_put_u32(msg, FSK_A_LISTEN_OWNER_LOCALS,
			atomic_read(&l->owner->locals)))
		return -EMSGSIZE;
	if (READ_ONCE(l->limited) &&
	    nla_put_flag(msg, FSK_A_LISTEN_LIMITED))
		return -EMSGSIZE;
	return fsk_netlink_put_queue(msg, app, &l->drops);
}

/* A reader is not told of a worker that it could not see by other means. */
static int fsk_netlink_put_worker(struct sk_buff *msg,
				  const struct fsk_core *core)
{
	const struct fsk_worker *worker = rcu_dereference(core->worker);
	pid_t pid = worker ? pid_vnr(worker->pid) : 0;

	return pid ? nla_put_u32(msg, FSK_A_LISTEN_PID, pid) : 0;
}

static int fsk_netlink_put_core(struct sk_buff *msg, struct fsk_core *core,
				const struct sock *sk)
{
	if (nla_put_u32(msg, FSK_A_LISTEN_CPU, core->cpu) ||
	    fsk_netlink_put_u64(msg, FSK_A_LISTEN_SYNS,
				READ_ONCE(core->syns)) ||
	    fsk_netlink_put_u64(msg, FSK_A_LISTEN_ACCEPT_LOCAL,
				atomic_long_read(&core->accept_local)) ||
	    fsk_netlink_put_u64(msg, FSK_A_LISTEN_ACCEPT_APP,
				atomic_long_read(&core->accept_app)) ||
	    fsk_netlink_put_u64(msg, FSK_A_LISTEN_ACCEPT_OTHER,
				atomic_long_read(&core->accept_other)) ||
	    fsk_netlink_put_u64(msg, FSK_A_LISTEN_RESCUES,
				atomic_long_read(&core->rescues)) ||
	    fsk_netlink_put_u64(msg, FSK_A_LISTEN_RESCUED,
				atomic_long_read(&core->rescued)))
		return -EMSGSIZE;
	if (fsk_netlink_put_u64(msg, FSK_A_LISTEN_SYNS_FAR,
				atomic_long_read(&core->syns_far)) ||
	    fsk_netlink_put_u64(msg, FSK_A_LISTEN_TIMES_LATE,
				atomic_long_read(&core->times_late)))
		return -EMSGSIZE;
	if (nla_put_u32(msg, FSK_A_LISTEN_SERVES, fsk_map_serves(core)))
		return -EMSGSIZE;
	if (test_bit(FSK_CORE_LATE, &core->flags) &&
	    nla_put_flag(msg, FSK_A_LISTEN_LATE))
		return -EMSGSIZE;
	if (fsk_netlink_put_worker(msg, core))
		return -EMSGSIZE;
	if (fsk_claim_holds(core) &&
	    nla_put_flag(msg, FSK_A_LISTEN_CLAIMED))
		return -EMSGSIZE;
	if (test_bit(FSK_CORE_ORPHANED, &core->flags) &&
	    nla_put_flag(msg, FSK_A_LISTEN_ORPHANED))
		return -EMSGSIZE;
	return fsk_netlink_put_queue(msg, sk, &core->drops);
}

/* Puts one row; none for a listener that has gone, nor for a core that was not
 * made.
 */
static int fsk_netlink_listen_row(struct sk_buff *msg,
				  struct netlink_callback *cb,
				  struct fsk_listener *l, unsigned long row)
{
	const struct sock *app = rcu_dereference(l->sk);
	const struct sock *sk = NULL;
	struct fsk_core *core = NULL;
	void *hdr;
	int err;

	if (row) {
		core = fsk_listener_core(l, row - 1);
		sk = core ? rcu_dereference(core->sk) : NULL;
	}
	if (!app || (row && !sk))
		return 0;
	hdr = fsk_message_row(msg, cb, FSK_CMD_LISTEN_GET);
	if (!hdr)
		return -EMSGSIZE;
	err = fsk_netlink_put_key(msg, l, app);
	if (!err)
		err = row ? fsk_netlink_put_core(msg, core, sk) :
			    fsk_netlink_put_app(msg, cb, l, app);
	if (err) {
		genlmsg_cancel(msg, hdr);
		return err;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

/* Puts rows of one listener until the message is full.  Expects
 * rcu_read_lock().
 */
static int fsk_netlink_listen_rows(struct sk_buff *msg,
				   struct netlink_callback *cb,
				   struct fsk_netlink_dump *dump,
				   struct fsk_listener *l)
{
	int err;

	if (l->listing != dump->next)
		dump->row = 0;
	dump->next = l->listing;
	/* No core was made: spare the search. */
	for (; dump->row <= (READ_ONCE(l->cores) ? nr_cpu_ids : 0);
	     dump->row++) {
		err = fsk_netlink_listen_row(msg, cb, l, dump->row);
		if (err)
			return err;
	}
	dump->next++;
	dump->row = 0;
	return 0;
}

/* One that is put in meanwhile is not told, or in a chain to come. */
static int fsk_netlink_listen_chain(struct sk_buff *msg,
				    struct netlink_callback *cb,
				    struct fsk_netlink_dump *dump,
				    const struct fsk_net *fn)
{
	struct fsk_listener *l;
	int err = 0;

	rcu_read_lock();
	hlist_for_each_entry_rcu(l, &fn->listeners[dump->chain], node) {
		if (l->listing < dump->next)
			continue;
		err = fsk_netlink_listen_rows(msg, cb, dump, l);
		if (err)
			break;
	}
	rcu_read_unlock();
	return err;
}

int fsk_netlink_listen_dump(struct sk_buff *msg,
			    struct netlink_callback *cb)
{
	const struct fsk_net *fn = fsk_net_of(sock_net(cb->skb->sk));
	struct fsk_netlink_dump *dump = fsk_netlink_dump_of(cb);
	int err = 0;

	while (dump->chain < HASH_SIZE(fn->listeners)) {
		err = fsk_netlink_listen_chain(msg, cb, dump, fn);
		if (err)
			break;
		*dump = (struct fsk_netlink_dump){ .chain = dump->chain + 1 };
		cond_resched();
	}
	return msg->len ? msg->len : err;
}
