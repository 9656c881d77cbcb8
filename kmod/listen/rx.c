// SPDX-License-Identifier: GPL-2.0
/*
 * The packet hooks: who gets this packet.
 *
 * They sit at the very end of LOCAL_IN, where routing, defragmentation, NAT
 * and all filters have been, and nothing but TCP follows.  For a SYN to a port
 * with an app listener they make the lookup that TCP is about to make (it then
 * need not), so the kernel's own rules decide which socket is meant: scores,
 * devices and VRFs, SO_REUSEPORT, TIME_WAIT and half-open connections.
 *
 * Not at PRE_ROUTING, although less work would have been done by then: there a
 * packet that is to be forwarded would be dropped for having a socket, and the
 * lookup would come before routing knows the device.
 */
#include "listen/rx.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/tcp.h>
#include <net/tcp.h>

#include "compat.h"
#include "listen/claim.h"
#include "listen/group.h"
#include "listen/listen.h"
#include "listen/map.h"
#include "listen/options.h"
#include "listen/place.h"
#include "listen/rescue.h"
#include "listen/timewait.h"
#include "listen/ulp.h"
#include "trace.h"

#define FSK_RX_FLAGS	(TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST | \
			 TCP_FLAG_FIN)

/* An ACK that may carry a cookie.  Once the last cookie has grown too old,
 * ACKs are no longer looked at.
 */
static noinline bool fsk_rx_wants_ack(struct fsk_net *fn,
				      const struct tcphdr *th, __be32 flags)
{
	u32 stamp = READ_ONCE(fn->synq_stamp);

	if (!time_before32((u32)jiffies, stamp + TCP_SYNCOOKIE_VALID)) {
		/* Not a stamp that another CPU has set meanwhile. */
		cmpxchg(&fn->synq_stamp, stamp, 0);
		return false;
	}
	return flags == TCP_FLAG_ACK && fsk_net_has_port(fn, ntohs(th->dest));
}

/* All that a bystander's packet pays; inlined into both hooks for that.  A TCP
 * header that is not linear goes the kernel's way.
 */
static __always_inline bool fsk_rx_wants(struct fsk_net *fn,
					 const struct sk_buff *skb)
{
	const struct tcphdr *th = (const void *)skb_transport_header(skb);
	__be32 flags;

	if (unlikely((const unsigned char *)(th + 1) > skb_tail_pointer(skb)))
		return false;
	flags = tcp_flag_word(th) & FSK_RX_FLAGS;
	if (flags == TCP_FLAG_SYN)
		return fsk_net_has_port(fn, ntohs(th->dest));
	if (unlikely(flags & (TCP_FLAG_FIN | TCP_FLAG_RST)))
		fsk_net_note_end(fn, ntohs(th->dest));
	return unlikely(READ_ONCE(fn->synq_stamp)) &&
	       fsk_rx_wants_ack(fn, th, flags);
}

/* Programs attached to sk_lookup may have state: TCP runs them, once. */
static bool fsk_rx_has_sk_lookup(const struct net *net)
{
#ifdef CONFIG_BPF_SYSCALL
	return rcu_access_pointer(net->bpf.run_array[NETNS_BPF_SK_LOOKUP]);
#else
	return false;
#endif
}

/* Cookies */

/* This SYN is answered with a cookie.  The app listener hears of it as if it
 * had sent the cookie itself, and with it all of its SO_REUSEPORT group: the
 * ACK may come on any core and for any member, and who asks the app listener
 * (TCP, a BPF program) gets the plain kernel's answer.
 */
static void fsk_rx_note_cookie(struct fsk_net *fn, const struct sock *app)
{
	u32 stamp = READ_ONCE(fn->synq_stamp);
	u32 now = jiffies;

	tcp_synq_overflow(app);
	/* Once a second is enough.  Never 0, so it may be a jiffy ahead. */
	if (!stamp || !time_between32(now, stamp - 1, stamp + HZ))
		WRITE_ONCE(fn->synq_stamp, now | 1);
}

/* Whether TCP is about to drop a SYN for this listener. */
static bool fsk_rx_drops(struct fsk_net *fn, const struct sock *sk)
{
	return sk_acceptq_is_full(sk) ||
	       (inet_csk_reqsk_queue_is_full(sk) &&
		!READ_ONCE(fn->net->ipv4.sysctl_tcp_syncookies));
}

/* This local listener is short of room, or cookies are wanted in any case. */
static noinline void fsk_rx_note_limits(struct fsk_net *fn,
					struct fsk_core *core,
					const struct sock *sk,
					const struct sock *app)
{
	if (fsk_rx_drops(fn, sk)) {
		fsk_stats_inc(fn, OVERFLOW);
		atomic_long_inc(&core->drops);
	} else if (READ_ONCE(fn->net->ipv4.sysctl_tcp_syncookies) == 2 ||
		   inet_csk_reqsk_queue_is_full(sk)) {
		fsk_rx_note_cookie(fn, app);
	}
}

/* A listener that has sent a cookie lately believes one.  It need not be this
 * core's local listener: the SYN may have come on another core.
 */
static struct sock *fsk_rx_take_cookie(struct fsk_net *fn, struct sock *sk,
				       const struct sock *app)
{
	if (tcp_synq_no_recent_overflow(app))
		return NULL;
	tcp_synq_overflow(sk);
	fsk_stats_inc(fn, COOKIE_LOCAL);
	return sk;
}

static struct fsk_core *fsk_rx_home(const struct fsk_listener *l,
				    unsigned int home)
{
	return home < nr_cpu_ids ? rcu_dereference(l->core[home]) : NULL;
}

/* Nobody takes from the core that the map says, and perhaps never will again.
 */
static noinline void fsk_rx_note_stale(struct fsk_listener *l,
				       struct fsk_group *group,
				       unsigned int home)
{
	const struct fsk_core *core = fsk_rx_home(l, home);

	if (group && home < nr_cpu_ids && !(core && fsk_claim_exists(core)))
		fsk_map_note_stale(l, group);
}

/* The listener's core that the map says for this CPU, or where nobody takes
 * from that a sibling's.
 */
static struct fsk_core *fsk_rx_pick(struct fsk_listener *l,
				    const struct sock *app)
{
	struct fsk_group *group = rcu_dereference(l->group);
	unsigned int home = fsk_map_home(group);
	struct fsk_core *core = fsk_rx_home(l, home);

	if (core && fsk_claim_holds(core))
		return core;
	core = fsk_group_pick(l, app, home);
	if (unlikely(!core))
		fsk_rx_note_stale(l, group, home);
	return core;
}

/* SYNs that are left to the app listener */

static void fsk_rx_note_app(struct fsk_net *fn, struct fsk_listener *l,
			    const struct sock *app)
{
	if (likely(!fsk_rx_drops(fn, app)))
		return;
	fsk_stats_inc(fn, OVERFLOW);
	atomic_long_inc(&l->drops);
}

static void fsk_rx_note_bypassed(struct fsk_net *fn, struct fsk_listener *l,
				 const struct sock *app)
{
	fsk_stats_inc(fn, SYN_BYPASSED);
	fsk_rx_note_app(fn, l, app);
}

static void fsk_rx_note_unclaimed(struct fsk_net *fn, struct fsk_listener *l,
				  const struct sock *app)
{
	unsigned int home = fsk_map_home(rcu_dereference(l->group));
	struct fsk_core *core = fsk_rx_home(l, home);

	if (core && test_bit(FSK_CORE_ORPHANED, &core->flags)) {
		fsk_stats_inc(fn, SYN_ORPHANED);
		fsk_rescue_note_missed(core);
	} else {
		fsk_stats_inc(fn, SYN_UNCLAIMED);
	}
	fsk_rx_note_app(fn, l, app);
}

/* @why is what place.c says of it. */
static void fsk_rx_count(struct fsk_net *fn, struct fsk_core *core,
			 enum fsk_given_why why)
{
	if (likely(core->cpu == smp_processor_id())) {
		core->syns++;
		fsk_stats_inc(fn, SYN_LOCAL);
	} else {
		atomic_long_inc(&core->syns_far);
		fsk_stats_inc(fn, SYN_FAR);
	}
	trace_fsk_given(core, why);
}

/* What a packet for a listener is. */
enum fsk_rx_what {
	FSK_RX_ACK,		/* perhaps of a cookie */
	FSK_RX_SYN,
	FSK_RX_REOPENS,		/* a SYN, for a connection in TIME_WAIT */
};

/* Whether TCP would treat this SYN otherwise if it came to @app.  A local
 * listener has the congestion control of the namespace for good.  And TCP keeps
 * no limit of the SYN queue where it has ended the connection in TIME_WAIT
 * itself.
 */
static bool fsk_rx_differs(const struct sock *sk, enum fsk_rx_what what)
{
	return unlikely(tcp_ca_needs_ecn(sk)) ||
	       (unlikely(what == FSK_RX_REOPENS) &&
		inet_csk_reqsk_queue_is_full(sk));
}

/* The local listener that stands for this app listener here, or NULL. */
static struct sock *fsk_rx_exchange(struct fsk_net *fn, struct sock *app,
				    enum fsk_rx_what what)
{
	enum fsk_given_why why = FSK_GIVEN_NEAR;
	struct fsk_listener *l = fsk_listener_of(app);
	bool syn = what != FSK_RX_ACK;
	struct fsk_core *core;
	struct sock *sk;

	if (!l)
		return NULL;
	/* A cookie that was sent before is only known where it was sent. */
	if (unlikely(fsk_options_bypass(app) ||
		     (syn && READ_ONCE(l->released)))) {
		if (syn)
			fsk_rx_note_bypassed(fn, l, app);
		return NULL;
	}
	core = fsk_rx_pick(l, app);
	if (!core) {
		if (syn)
			fsk_rx_note_unclaimed(fn, l, app);
		return NULL;
	}
	if (syn)
		core = fsk_place(core, fsk_net_note_begin(fn, l->hnum), &why);
	app = rcu_dereference(core->listener->sk);
	sk = rcu_dereference(core->sk);
	if (!app || !sk || inet_sk_state_load(sk) != TCP_LISTEN)
		return NULL;
	if (!syn)
		return fsk_rx_take_cookie(fn, sk, app);
	if (fsk_rx_differs(sk, what)) {
		fsk_rx_note_bypassed(fn, l, app);
		return NULL;
	}
	/* Others may do so at once, and write the same. */
	fsk_options_sync(sk, app);
	if (unlikely(inet_csk_reqsk_queue_is_full(sk) ||
		     sk_acceptq_is_full(sk) ||
		     READ_ONCE(fn->net->ipv4.sysctl_tcp_syncookies) == 2))
		fsk_rx_note_limits(fn, core, sk, app);
	fsk_rx_count(fn, core, why);
	return sk;
}

static void fsk_rx_give(struct sk_buff *skb, struct sock *sk,
			void (*destructor)(struct sk_buff *skb))
{
	skb->sk = sk;
	skb->destructor = destructor;
}

static bool fsk_rx_give_listener(struct fsk_net *fn, struct sk_buff *skb,
				 struct sock *sk, enum fsk_rx_what what)
{
	sk = fsk_ulp_joined(sk) ? fsk_rx_exchange(fn, sk, what) : NULL;
	if (!sk)
		return false;
	fsk_rx_give(skb, sk, sock_pfree);
	return true;
}

/* A program of the group's has chosen this listener, and TCP is not to ask it
 * again: it may count.  TCP takes a listener that comes with a reference as it
 * is.
 */
static bool fsk_rx_keep_choice(struct sk_buff *skb, struct sock *sk)
{
	if (!fsk_group_has_program(sk) ||
	    !refcount_inc_not_zero(&sk->sk_refcnt))
		return false;
	fsk_rx_give(skb, sk, sock_edemux);
	return true;
}

static struct sock *fsk_rx_lookup_listener(struct fsk_net *fn,
					   struct sk_buff *skb, int family)
{
	const struct tcphdr *th = tcp_hdr(skb);

	if (family == NFPROTO_IPV4)
		return fsk_compat_listener4(fn->net, skb, ip_hdr(skb), th);
#if IS_ENABLED(CONFIG_IPV6)
	return fsk_compat_listener6(fn->net, skb, ipv6_hdr(skb), th);
#else
	return NULL;
#endif
}

/* Whether a SYN for a connection in TIME_WAIT, which @tw is and which the
 * caller has a reference on, was given to a listener.
 */
static bool fsk_rx_reopen(struct fsk_net *fn, struct sk_buff *skb,
			  struct sock *tw, int family)
{
	struct sock *sk;

	fsk_stats_inc(fn, SYN_TIMEWAIT);
	/* TCP answers such a SYN without a cookie, even where it always sends
	 * one, and without keeping a last quarter of the SYN queue free, as it
	 * does where it sends none: it has chosen the sequence number.
	 */
	if (READ_ONCE(fn->net->ipv4.sysctl_tcp_syncookies) != 1 ||
	    !fsk_timewait_may_reopen(skb, tw, family))
		return false;
	sk = fsk_rx_lookup_listener(fn, skb, family);
	if (!sk || (!fsk_rx_give_listener(fn, skb, sk, FSK_RX_REOPENS) &&
		    !fsk_rx_keep_choice(skb, sk)))
		return false;
	fsk_timewait_end(tw);
	return true;
}

/* @sk is what TCP would find.  A reference that came with it goes with the
 * packet, as early demultiplexing does it.
 */
static void fsk_rx_assign(struct fsk_net *fn, struct sk_buff *skb,
			  struct sock *sk, bool refcounted, int family)
{
	bool syn = tcp_hdr(skb)->syn;

	if (!refcounted) {
		if (!fsk_rx_give_listener(fn, skb, sk,
					  syn ? FSK_RX_SYN : FSK_RX_ACK))
			fsk_rx_keep_choice(skb, sk);
		return;
	}
	if (syn && READ_ONCE(sk->sk_state) == TCP_TIME_WAIT &&
	    fsk_rx_reopen(fn, skb, sk, family))
		return;
	fsk_rx_give(skb, sk, sock_edemux);
}

static bool fsk_rx_is_kernels(struct fsk_net *fn, const struct sk_buff *skb)
{
	if (skb->pkt_type != PACKET_HOST)
		return true;
	if (unlikely(fsk_rx_has_sk_lookup(fn->net))) {
		fsk_stats_inc(fn, SYN_SK_LOOKUP);
		return true;
	}
	return false;
}

/* This packet has a socket, which early demultiplexing has found as our lookup
 * would, and with a reference.  It matters here if it is in TIME_WAIT.
 */
static noinline void fsk_rx_take_early(struct fsk_net *fn, struct sk_buff *skb,
				       int family)
{
	int offset = skb_transport_offset(skb);
	struct sock *sk = skb->sk;

	if (skb->destructor != sock_edemux || !tcp_hdr(skb)->syn ||
	    READ_ONCE(sk->sk_state) != TCP_TIME_WAIT ||
	    fsk_rx_is_kernels(fn, skb))
		return;
	local_bh_disable();
	__skb_pull(skb, offset);
	fsk_rx_give(skb, NULL, NULL);
	fsk_rx_assign(fn, skb, sk, true, family);
	__skb_push(skb, offset);
	local_bh_enable();
}

static bool fsk_rx_leave_alone(struct fsk_net *fn, struct sk_buff *skb,
			       int family)
{
	if (unlikely(skb->sk || skb->destructor)) {
		fsk_rx_take_early(fn, skb, family);
		return true;
	}
	return fsk_rx_is_kernels(fn, skb);
}

/* Selectors of SO_REUSEPORT groups expect to see the packet from TCP on.
 *
 * A packet that NFQUEUE has let pass comes in the task that said so, which may
 * be interrupted and move to another core.
 */
static noinline void fsk_rx_steal4(struct fsk_net *fn, struct sk_buff *skb)
{
	const struct tcphdr *th = tcp_hdr(skb);
	const struct iphdr *iph = ip_hdr(skb);
	int offset = skb_transport_offset(skb);
	bool refcounted;
	struct sock *sk;

	if (fsk_rx_leave_alone(fn, skb, NFPROTO_IPV4))
		return;
	local_bh_disable();
	__skb_pull(skb, offset);
	sk = fsk_compat_lookup4(fn->net, skb, iph, th, &refcounted);
	if (sk)
		fsk_rx_assign(fn, skb, sk, refcounted, NFPROTO_IPV4);
	__skb_push(skb, offset);
	local_bh_enable();
}

static unsigned int fsk_rx_ipv4(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	if (ip_hdr(skb)->protocol == IPPROTO_TCP && fsk_rx_wants(priv, skb) &&
	    likely(fsk_net_delivers(skb, false))) {
		fsk_net_note_finish(false, state->okfn);
		fsk_rx_steal4(priv, skb);
	}
	return NF_ACCEPT;
}

#if IS_ENABLED(CONFIG_IPV6)
static noinline void fsk_rx_steal6(struct fsk_net *fn, struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	const struct tcphdr *th = tcp_hdr(skb);
	int offset = skb_transport_offset(skb);
	bool refcounted;
	struct sock *sk;

	if (fsk_rx_leave_alone(fn, skb, NFPROTO_IPV6))
		return;
	local_bh_disable();
	__skb_pull(skb, offset);
	sk = fsk_compat_lookup6(fn->net, skb, ip6h, th, &refcounted);
	if (sk)
		fsk_rx_assign(fn, skb, sk, refcounted, NFPROTO_IPV6);
	__skb_push(skb, offset);
	local_bh_enable();
}

/* A packet with extension headers goes the kernel's way. */
static unsigned int fsk_rx_ipv6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	if (ipv6_hdr(skb)->nexthdr == IPPROTO_TCP && fsk_rx_wants(priv, skb) &&
	    likely(fsk_net_delivers(skb, true))) {
		fsk_net_note_finish(true, state->okfn);
		fsk_rx_steal6(priv, skb);
	}
	return NF_ACCEPT;
}
#else
static unsigned int fsk_rx_ipv6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}
#endif

/* To be registered with a &struct fsk_net as priv, by which direct.c knows
 * them.
 *
 * Last of all, but for conntrack's confirmation, which has the same priority.
 */
static const struct nf_hook_ops fsk_rx_hook_ops[2] = {
	{
		.hook		= fsk_rx_ipv4,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= NF_IP_PRI_LAST,
	}, {
		.hook		= fsk_rx_ipv6,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= NF_IP6_PRI_LAST,
	},
};

/* hooks.c registers them when a listener comes. */
static void fsk_rx_net_init(struct fsk_net *fn)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(fn->hook_ops); i++) {
		fn->hook_ops[i] = fsk_rx_hook_ops[i];
		fn->hook_ops[i].priv = fn;
	}
}

static const struct fsk_net_part fsk_rx_net_part = {
	.init	= fsk_rx_net_init,
};

/**
 * fsk_rx_init() - be ready for packets
 *
 * Context: Process, at module load, before fsk_net_init().
 */
void __init fsk_rx_init(void)
{
	fsk_net_register(&fsk_rx_net_part);
}
