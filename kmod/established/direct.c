// SPDX-License-Identifier: GPL-2.0
/*
 * The direct path: packets of long-lived connections go from the end of
 * PRE_ROUTING to LOCAL_IN or TCP with their socket and the route that it has
 * cached, past early demultiplexing, the established lookup and the route
 * lookup.
 *
 * The hook gives a packet that finds its connection in this core's table
 * (est.c) the socket exactly as the kernel's early demultiplexing would, and
 * the route under the same conditions.  So policy routing, rp_filter and NAT
 * mean what they mean there.  ip_rcv_finish() would then only call the route's
 * input function, and that would only call the hooks at LOCAL_IN.  The hook
 * calls the input function itself; and where rx.c, which wants SYNs only, is
 * alone at LOCAL_IN, it calls at once what comes after those hooks.
 *
 * A packet that misses, on a port of our connections, looks in the kernel's
 * table, which TCP then need not do again, and enters the connection if that
 * promises to be worth while.
 */
#include "established/direct.h"

#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/tcp.h>
#include <net/dst.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/tcp.h>
#include <net/transp_v6.h>
#include <net/xfrm.h>

#include "compat.h"
#include "established/est.h"

#define FSK_DIRECT_LAST	(TCP_FLAG_FIN | TCP_FLAG_RST)

/* Order
 *
 * The kernel takes packets through the hooks in batches: one that is accepted
 * goes on when all of its batch have been here, and one that goes direct would
 * overtake it.  So whatever of a connection this core leaves to the kernel, for
 * any reason, holds the connection's later packets back on the kernel's way,
 * until the next batch.  Entering a connection, losing or moving its entry, and
 * a route that is found to be good again need no care of their own then.
 */

/* One of 64 groups.  By the ports: the hash would be one more value for the
 * fast path to keep.
 */
static __always_inline u64 fsk_direct_flow(const struct tcphdr *th)
{
	return BIT_ULL(ntohs(th->source ^ th->dest) & 63);
}

/* A packet of these flows has been left to the kernel. */
static void fsk_direct_hold(struct fsk_est_core *core, u64 flows)
{
	u32 batch = fsk_compat_batch();

	if (core->batch != batch) {
		core->batch = batch;
		core->held = 0;
	}
	core->held |= flows;
}

/* Whether one may be on its way that came in before this one. */
static __always_inline bool
fsk_direct_is_behind(const struct fsk_est_core *core, const struct tcphdr *th)
{
	return unlikely(core->batch == fsk_compat_batch()) &&
	       core->held & fsk_direct_flow(th);
}

/* Holds all flows back, for a packet whose flow is not known. */
static noinline unsigned int fsk_direct_leave_all(struct fsk_est_core *core,
						  bool counted)
{
	fsk_direct_hold(core, U64_MAX);
	if (counted)
		core->n.left++;
	return NF_ACCEPT;
}

/* NFQUEUE lets packets go on in a task with bottom halves on.  There is no
 * batch then, and the task may move to another core at any moment.
 */
static noinline unsigned int fsk_direct_in_task(void *priv)
{
	struct fsk_est_core __percpu *core =
		(struct fsk_est_core __percpu *)(uintptr_t)priv;

	this_cpu_inc(core->n.left);
	return NF_ACCEPT;
}

static __always_inline bool fsk_direct_is_task(void)
{
	return unlikely(!softirq_count());
}

/* The direct path stands in for early demultiplexing, so it is off with it. */
static __always_inline bool fsk_direct_is_off(const struct net *net)
{
	return unlikely(!READ_ONCE(net->ipv4.sysctl_ip_early_demux) ||
			!READ_ONCE(net->ipv4.sysctl_tcp_early_demux));
}

/* Routes */

/* Of IPv4: nothing has changed since, and the device is there. */
static __always_inline bool fsk_direct_holds4(const struct dst_entry *dst,
					      const struct net *net)
{
	const struct rtable *rt = (const struct rtable *)dst;

	return READ_ONCE(dst->obsolete) == DST_OBSOLETE_FORCE_CHK &&
	       rt->rt_genid == rt_genid_ipv4(net);
}

/* Of IPv6: it was made from an entry of the table, which is as it was when the
 * socket noted the cookie, and neither expires.
 */
static __always_inline bool fsk_direct_holds6(const struct dst_entry *dst,
					      u32 cookie)
{
	const struct rt6_info *rt = (const struct rt6_info *)dst;
	const struct fib6_info *from;
	u32 now;

	if (READ_ONCE(dst->obsolete) != DST_OBSOLETE_FORCE_CHK || rt->sernum ||
	    rt->rt6i_flags & RTF_EXPIRES)
		return false;
	from = rcu_dereference(rt->from);
	return from && fib6_get_cookie_safe(from, &now) && now == cookie &&
	       !(from->fib6_flags & RTF_EXPIRES);
}

/* As dst_check(), whose answer can be seen from here for most routes. */
static __always_inline struct dst_entry *
fsk_direct_dst_check(const struct net *net, struct dst_entry *dst,
		     const struct sock *sk, int family)
{
	bool ipv6 = family == NFPROTO_IPV6;
	u32 cookie = ipv6 ? sk->sk_rx_dst_cookie : 0;

	if (likely(ipv6 ? fsk_direct_holds6(dst, cookie) :
			  fsk_direct_holds4(dst, net)))
		return dst;
	return dst_check(dst, cookie);
}

/* As early demultiplexing does it. */
static __always_inline bool
fsk_direct_route(const struct net *net, struct sk_buff *skb,
		 const struct sock *sk, int family)
{
	struct dst_entry *dst = rcu_dereference(sk->sk_rx_dst);

	if (dst)
		dst = fsk_direct_dst_check(net, dst, sk, family);
	if (!dst || sk->sk_rx_dst_ifindex != skb->skb_iif)
		return false;
	skb_dst_set_noref(skb, dst);
	return true;
}

/* Whether nothing is left of ip_rcv_finish() but to call the route: IPv4's
 * accounts for realms, and notes interfaces that are without IPsec policy.
 */
static __always_inline bool
fsk_direct_is_all(struct net *net, const struct sk_buff *skb, int family)
{
	if (family == NFPROTO_IPV6)
		return true;
#ifdef CONFIG_IP_ROUTE_CLASSID
	if (unlikely(skb_dst(skb)->tclassid))
		return false;
#endif
#ifdef CONFIG_XFRM
	return __xfrm_check_nopolicy(net, (struct sk_buff *)skb,
				     XFRM_POLICY_IN);
#else
	return true;
#endif
}

/* Whether nobody at LOCAL_IN wants to see a packet that is no SYN: listeners'
 * hooks do not, and no other hook there has the namespace's state as its priv.
 */
static __always_inline bool
fsk_direct_is_alone(const struct fsk_est_core *core, const struct net *net,
		    bool ipv6)
{
	const struct nf_hook_entries *e;

	if (ipv6)
		e = rcu_dereference(net->nf.hooks_ipv6[NF_INET_LOCAL_IN]);
	else
		e = rcu_dereference(net->nf.hooks_ipv4[NF_INET_LOCAL_IN]);
	return !e || (e->num_hook_entries == 1 &&
		      e->hooks[0].priv == core->fn);
}

static __always_inline void
fsk_direct_deliver(struct fsk_est_core *core, const struct net *net,
		   struct sk_buff *skb, const struct tcphdr *th, bool ipv6)
{
	fsk_net_finish_t finish = core->finish[ipv6];

	core->direct++;
	if (likely(finish && fsk_net_delivers(skb, ipv6) &&
		   fsk_direct_is_alone(core, net, ipv6))) {
		/* The hook at LOCAL_IN does not see it. */
		if (unlikely(tcp_flag_word(th) & FSK_DIRECT_LAST))
			fsk_net_note_end(core->est->fn, ntohs(th->dest));
		finish((struct net *)net, NULL, skb);
		return;
	}
	core->finish[ipv6] = READ_ONCE(fsk_net_finish[ipv6]);
	dst_input(skb);
}

/* Hits */

/* @sk comes with a reference, which the packet takes over. */
static __always_inline unsigned int
fsk_direct_hit(struct fsk_est_core *core, struct sk_buff *skb, struct sock *sk,
	       const struct tcphdr *th, const struct nf_hook_state *state,
	       int family)
{
	skb->sk = sk;
	skb->destructor = sock_edemux;
	if (unlikely(!fsk_direct_route(state->net, skb, sk, family))) {
		core->n.stale++;
		goto kernel;
	}
	if (unlikely(!fsk_direct_is_all(state->net, skb, family) ||
		     fsk_direct_is_behind(core, th)))
		goto kernel;
	fsk_direct_deliver(core, state->net, skb, th, family == NFPROTO_IPV6);
	return NF_STOLEN;

kernel:
	fsk_direct_hold(core, fsk_direct_flow(th));
	core->n.kernel++;
	return NF_ACCEPT;
}

/* The slot's entry is of no more use: no packet will find it, or it is no
 * longer what it was entered as.
 */
static noinline void fsk_direct_forget(struct fsk_est_core *core,
				       struct sock *sk, u32 hash)
{
	if (fsk_est_remove(core, sk, hash))
		sock_put(sk);	/* the slot's */
}

/* As inet_match() has it for what came through no VRF. */
static __always_inline bool fsk_direct_is_bound(const struct sock *sk,
						const struct sk_buff *skb)
{
	int bound = READ_ONCE(sk->sk_bound_dev_if);

	return !bound || bound == skb->skb_iif;
}

/* Closed by us before the peer: the ACK of our FIN ends the socket, which loses
 * its port then, so that the peer's FIN does not find it here.
 */
static bool fsk_direct_is_closed(const struct sock *sk,
				 const struct tcphdr *th)
{
	return READ_ONCE(sk->sk_state) != TCP_ESTABLISHED &&
	       sock_flag(sk, SOCK_DEAD) &&
	       ntohl(th->ack_seq) == READ_ONCE(tcp_sk(sk)->write_seq);
}

/* Whether a socket that matches a packet can take it; it is forgotten if not,
 * and if no packet after this one will find it.
 */
static __always_inline bool fsk_direct_take(struct fsk_est_core *core,
					    struct sock **slot,
					    struct sock *sk, u32 hash,
					    const struct tcphdr *th)
{
	if (unlikely(!fsk_est_get(slot, sk)))
		return false;
	if (unlikely(!fsk_est_takes(sk))) {
		fsk_direct_forget(core, sk, hash);
		sock_gen_put(sk);
		return false;
	}
	if (unlikely(tcp_flag_word(th) & FSK_DIRECT_LAST ||
		     fsk_direct_is_closed(sk, th)))
		fsk_direct_forget(core, sk, hash);
	return true;
}

/* Misses */

static bool fsk_direct_may_learn(struct fsk_est_core *core,
				 const struct tcphdr *th)
{
	if (!fsk_net_is_ours(core->est->fn, ntohs(th->dest)))
		return false;
	/* While a table is moved, an entry may be missed and then found. */
	fsk_direct_hold(core, fsk_direct_flow(th));
	return !(tcp_flag_word(th) & (FSK_DIRECT_LAST | TCP_FLAG_SYN));
}

/* What the kernel's table says is what early demultiplexing would have found
 * and done.
 */
static void fsk_direct_learn(struct fsk_est *est, struct fsk_est_core *core,
			     struct sk_buff *skb, struct sock *sk, u32 hash,
			     int family)
{
	skb->sk = sk;
	skb->destructor = sock_edemux;
	if (!sk_fullsock(sk))
		return;
	fsk_direct_route(est->fn->net, skb, sk, family);
	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return;
	/* TCP notes the core when it has the packet. */
	if (READ_ONCE(sk->sk_incoming_cpu) != core->cpu) {
		core->n.foreign++;
		return;
	}
	if (READ_ONCE(est->last) &&
	    READ_ONCE(tcp_sk(sk)->segs_in) >= READ_ONCE(est->fn->est_after))
		fsk_est_insert(core, sk, hash);
}

/* Leaves packets of a VRF, a bridge, IPsec or NAT to the kernel, and those that
 * have a route, over loopback, which the kernel does not demultiplex early.
 */

static bool fsk_direct_is_translated(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	enum ip_conntrack_info info;
	const struct nf_conn *ct = nf_ct_get(skb, &info);

	return ct && READ_ONCE(ct->status) & IPS_NAT_MASK;
#else
	return false;
#endif
}

static __always_inline bool
fsk_direct_leave(struct fsk_est_core *core, const struct sk_buff *skb,
		 const struct nf_hook_state *state)
{
	if (skb->sk || skb->pkt_type != PACKET_HOST)
		return true;
	if (likely(!skb_dst(skb) && !netif_is_l3_slave(state->in) &&
		   !netif_is_l3_master(state->in) &&
		   !netif_has_l3_rx_handler(state->in) &&
		   !skb_has_extensions((struct sk_buff *)skb) &&
		   !fsk_direct_is_translated(skb)))
		return false;
	core->n.left++;
	return true;
}

static __always_inline bool fsk_direct_is_linear(const struct sk_buff *skb,
						 const struct tcphdr *th)
{
	return (const unsigned char *)(th + 1) <= skb_tail_pointer(skb) &&
	       th->doff >= sizeof(*th) / 4;
}

/* Some cards leave the header out of the linear part.  As early demultiplexing
 * does; headers may lie elsewhere afterwards.
 */
static noinline bool fsk_direct_pull(struct sk_buff *skb)
{
	return pskb_may_pull(skb, skb_transport_offset(skb) +
				  sizeof(struct tcphdr)) &&
	       tcp_hdr(skb)->doff >= sizeof(struct tcphdr) / 4;
}

/* IPv4 */

static noinline void fsk_direct_miss4(struct fsk_est_core *core,
				      struct sk_buff *skb,
				      const struct tcphdr *th, u32 hash)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct fsk_est *est = core->est;
	struct sock *sk;

	if (!fsk_direct_may_learn(core, th))
		return;
	core->n.misses++;
	sk = fsk_compat_established4(est->fn->net, iph->saddr, th->source,
				     iph->daddr, ntohs(th->dest), skb->skb_iif,
				     inet_sdif(skb));
	if (sk)
		fsk_direct_learn(est, core, skb, sk, hash, NFPROTO_IPV4);
}

static __always_inline bool
fsk_direct_match4(const struct sock *sk, const struct net *net,
		  __addrpair cookie, __portpair ports)
{
	return sk->sk_addrpair == cookie && sk->sk_portpair == ports &&
	       net_eq(sock_net(sk), net);
}

static __always_inline struct sock *
fsk_direct_find4(struct fsk_est_core *core, struct net *net,
		 const struct sk_buff *skb, const struct tcphdr *th,
		 __portpair ports, u32 hash)
{
	INET_ADDR_COOKIE(cookie, ip_hdr(skb)->saddr, ip_hdr(skb)->daddr);
	struct fsk_est_bucket *b;
	struct sock *sk;
	u64 found;
	int i;

	b = fsk_est_bucket(core, hash);
	if (unlikely(!b))
		return NULL;
	fsk_est_for_each_tagged(i, found, READ_ONCE(b->tags),
				fsk_est_tag(hash)) {
		sk = READ_ONCE(b->sk[i]);
		if (sk && fsk_direct_match4(sk, net, cookie, ports) &&
		    fsk_direct_is_bound(sk, skb) &&
		    fsk_direct_take(core, &b->sk[i], sk, hash, th))
			return sk;
	}
	return NULL;
}

static unsigned int fsk_direct_ipv4(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct fsk_est_core *core;
	const struct tcphdr *th;
	struct sock *sk;
	__portpair ports;
	u32 hash;

	if (iph->protocol != IPPROTO_TCP)
		return NF_ACCEPT;
	if (fsk_direct_is_task())
		return fsk_direct_in_task(priv);
	core = this_cpu_ptr((struct fsk_est_core __percpu *)(uintptr_t)priv);
	/* LOOPBACK4_IPV6 is what IPv6 sockets have for an IPv4 address. */
	if (unlikely(iph->ihl != 5 || ip_is_fragment(iph) ||
		     iph->daddr == LOOPBACK4_IPV6) ||
	    fsk_direct_is_off(state->net))
		return fsk_direct_leave_all(core, true);
	th = (const void *)skb_transport_header(skb);
	if (unlikely(!fsk_direct_is_linear(skb, th))) {
		if (!fsk_direct_pull(skb))
			return fsk_direct_leave_all(core, false);
		iph = ip_hdr(skb);
		th = tcp_hdr(skb);
	}
	ports = INET_COMBINED_PORTS(th->source, ntohs(th->dest));
	hash = fsk_flow_hash4(core->seed, iph->saddr, iph->daddr, ports);
	if (unlikely(fsk_direct_leave(core, skb, state))) {
		fsk_direct_hold(core, fsk_direct_flow(th));
		return NF_ACCEPT;
	}
	sk = fsk_direct_find4(core, state->net, skb, th, ports, hash);
	if (likely(sk))
		return fsk_direct_hit(core, skb, sk, th, state, NFPROTO_IPV4);
	fsk_direct_miss4(core, skb, th, hash);
	return NF_ACCEPT;
}

/* IPv6 */

#if IS_ENABLED(CONFIG_IPV6)
static noinline void fsk_direct_miss6(struct fsk_est_core *core,
				      struct sk_buff *skb,
				      const struct tcphdr *th, u32 hash)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct fsk_est *est = core->est;
	struct sock *sk;

	if (!fsk_direct_may_learn(core, th))
		return;
	core->n.misses++;
	sk = fsk_compat_established6(est->fn->net, &ip6h->saddr, th->source,
				     &ip6h->daddr, ntohs(th->dest),
				     inet6_iif(skb), inet6_sdif(skb));
	if (sk)
		fsk_direct_learn(est, core, skb, sk, hash, NFPROTO_IPV6);
}

static __always_inline bool
fsk_direct_match6(const struct sock *sk, const struct net *net,
		  const struct ipv6hdr *ip6h, __portpair ports)
{
	return sk->sk_portpair == ports && net_eq(sock_net(sk), net) &&
	       sk->sk_family == AF_INET6 &&
	       ipv6_addr_equal(&sk->sk_v6_daddr, &ip6h->saddr) &&
	       ipv6_addr_equal(&sk->sk_v6_rcv_saddr, &ip6h->daddr);
}

static __always_inline struct sock *
fsk_direct_find6(struct fsk_est_core *core, struct net *net,
		 const struct sk_buff *skb, const struct tcphdr *th,
		 __portpair ports, u32 hash)
{
	struct fsk_est_bucket *b = fsk_est_bucket(core, hash);
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct sock *sk;
	u64 found;
	int i;

	if (unlikely(!b))
		return NULL;
	fsk_est_for_each_tagged(i, found, READ_ONCE(b->tags),
				fsk_est_tag(hash)) {
		sk = READ_ONCE(b->sk[i]);
		if (sk && fsk_direct_match6(sk, net, ip6h, ports) &&
		    fsk_direct_is_bound(sk, skb) &&
		    fsk_direct_take(core, &b->sk[i], sk, hash, th))
			return sk;
	}
	return NULL;
}

/* A packet with extension headers goes the kernel's way. */
static unsigned int fsk_direct_other6(struct fsk_est_core *core, u8 nexthdr)
{
	if (nexthdr == IPPROTO_UDP || nexthdr == IPPROTO_ICMPV6 ||
	    !ipv6_ext_hdr(nexthdr))
		return NF_ACCEPT;
	return fsk_direct_leave_all(core, nexthdr == NEXTHDR_FRAGMENT);
}

static unsigned int fsk_direct_ipv6(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct fsk_est_core *core;
	const struct tcphdr *th;
	struct sock *sk;
	__portpair ports;
	u32 hash;

	if (fsk_direct_is_task())
		return fsk_direct_in_task(priv);
	core = this_cpu_ptr((struct fsk_est_core __percpu *)(uintptr_t)priv);
	if (ip6h->nexthdr != IPPROTO_TCP)
		return fsk_direct_other6(core, ip6h->nexthdr);
	if (fsk_direct_is_off(state->net))
		return fsk_direct_leave_all(core, true);
	th = (const void *)skb_transport_header(skb);
	if (unlikely(!fsk_direct_is_linear(skb, th))) {
		if (!fsk_direct_pull(skb))
			return fsk_direct_leave_all(core, false);
		ip6h = ipv6_hdr(skb);
		th = tcp_hdr(skb);
	}
	ports = INET_COMBINED_PORTS(th->source, ntohs(th->dest));
	hash = fsk_flow_hash6(core->seed, &ip6h->saddr, &ip6h->daddr, ports);
	if (unlikely(fsk_direct_leave(core, skb, state))) {
		fsk_direct_hold(core, fsk_direct_flow(th));
		return NF_ACCEPT;
	}
	sk = fsk_direct_find6(core, state->net, skb, th, ports, hash);
	if (likely(sk))
		return fsk_direct_hit(core, skb, sk, th, state, NFPROTO_IPV6);
	fsk_direct_miss6(core, skb, th, hash);
	return NF_ACCEPT;
}
#else
static unsigned int fsk_direct_ipv6(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}
#endif

/* Behind steer.c's: a packet that it holds back must not be overtaken.  Chains
 * of the same priority that were there before are behind this one, those that
 * come later are before it.
 */
static const struct nf_hook_ops fsk_direct_hook_ops[2] = {
	{
		.hook		= fsk_direct_ipv4,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= NF_IP_PRI_LAST,
	}, {
		.hook		= fsk_direct_ipv6,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= NF_IP6_PRI_LAST,
	},
};

static bool fsk_direct_ends(const struct nf_hook_entries *e, nf_hookfn *hook)
{
	return e && e->hooks[e->num_hook_entries - 1].hook == hook;
}

/* Whether all chains of PRE_ROUTING see what goes direct: nobody is behind the
 * hooks, of either family.  The answer holds for as long as they are
 * registered.
 */
static bool fsk_direct_is_last(const struct net *net)
{
	bool last;

	rcu_read_lock();
	last = fsk_direct_ends(rcu_dereference(net->nf.hooks_ipv4
					       [NF_INET_PRE_ROUTING]),
			       fsk_direct_ipv4) &&
	       fsk_direct_ends(rcu_dereference(net->nf.hooks_ipv6
					       [NF_INET_PRE_ROUTING]),
			       fsk_direct_ipv6);
	rcu_read_unlock();
	return last;
}

/* Switching */

static struct fsk_est *fsk_direct_create(struct fsk_net *fn)
{
	struct fsk_est *est = fsk_est_create(fn);
	int i;

	if (!est)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(est->hook_ops); i++) {
		est->hook_ops[i] = fsk_direct_hook_ops[i];
		est->hook_ops[i].priv = (void *)(uintptr_t __force)est->core;
	}
	WRITE_ONCE(fn->est_priv, est->hook_ops[0].priv);
	return est;
}

/* The hooks are not registered any more. */
static void fsk_direct_end(struct fsk_est *est)
{
	WRITE_ONCE(est->fn->est_on, false);
	WRITE_ONCE(est->last, false);
	synchronize_rcu();	/* hooks that still run */
	fsk_est_drain(est);
	bitmap_zero(est->fn->connected, FSK_NET_PORTS);
}

static void fsk_direct_unhook(struct fsk_est *est)
{
	WRITE_ONCE(est->fn->est_on, false);
	nf_unregister_net_hooks(est->fn->net, est->hook_ops,
				ARRAY_SIZE(est->hook_ops));
}

static void fsk_direct_stop(struct fsk_est *est)
{
	fsk_direct_unhook(est);
	fsk_direct_end(est);
}

/**
 * fsk_direct_switch() - have established tables or not
 * @fn: namespace state
 * @on: whether to
 *
 * Context: Process, fsk_net.mutex held.
 * Return: 0 or a negative errno: -EBUSY if somebody is to see packets of
 *         PRE_ROUTING behind our hooks, and would not see what goes direct.
 */
int fsk_direct_switch(struct fsk_net *fn, bool on)
{
	struct fsk_est *est = fn->est;
	int err;

	lockdep_assert_held(&fn->mutex);
	if (on == fn->est_on)
		return 0;
	if (!on) {
		fsk_direct_stop(est);
		return 0;
	}
	err = fsk_net_make_ports(fn);
	if (!err)
		err = fsk_net_make_connected(fn);
	if (err)
		return err;
	if (!est) {
		est = fsk_direct_create(fn);
		if (!est)
			return -ENOMEM;
		/* Pairs with READ_ONCE() of who shows the tables. */
		smp_store_release(&fn->est, est);
	}
	/* Before the hooks: the work that a first packet asks for goes on only
	 * while this is set.
	 */
	WRITE_ONCE(fn->est_on, true);
	err = nf_register_net_hooks(fn->net, est->hook_ops,
				    ARRAY_SIZE(est->hook_ops));
	if (err) {
		fsk_direct_end(est);
		return err;
	}
	if (!fsk_direct_is_last(fn->net)) {
		fsk_direct_stop(est);
		return -EBUSY;
	}
	/* Until now none has gone direct that a chain behind was to see. */
	WRITE_ONCE(est->last, true);
	return 0;
}

/* Namespaces and module */

static void fsk_direct_net_init(struct fsk_net *fn)
{
	fn->est_after = FSK_EST_AFTER;
}

/* As steer.c's. */
static void fsk_direct_net_pre_exit(struct fsk_net *fn)
{
	mutex_lock(&fn->mutex);
	if (fn->est_on)
		fsk_direct_unhook(fn->est);
	mutex_unlock(&fn->mutex);
}

static void fsk_direct_net_exit(struct fsk_net *fn)
{
	if (fn->est)
		fsk_est_destroy(fn->est);
}

static const struct fsk_net_part fsk_direct_net_part = {
	.init	= fsk_direct_net_init,
	.pre_exit = fsk_direct_net_pre_exit,
	.exit	= fsk_direct_net_exit,
};

/**
 * fsk_direct_init() - be ready to be switched on
 *
 * Context: Process, at module load, before fsk_net_init().
 */
void __init fsk_direct_init(void)
{
	fsk_net_register(&fsk_direct_net_part);
}
