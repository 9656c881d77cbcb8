// SPDX-License-Identifier: GPL-2.0
/*
 * Choosing the source port of an active connection: a free one whose replies
 * come in on the core that connects.
 *
 * This file only proposes.  It takes none of the kernel's locks and assumes the
 * route that the last connection took; the kernel's connect() decides.
 */
#include "connect/port.h"

#include <linux/in.h>
#include <linux/in6.h>
#include <net/ip6_route.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/tcp.h>

#include "connect/rfd.h"

/* A search holds the lock for this many offsets, some microseconds. */
#define FSK_PORT_STEPS		2048

/* One connection looks at this many ports of its core and then takes any port;
 * the next connection goes on from there.  Finding out that all of a core's
 * ports are taken needs thousands of looks: many connections share them, none
 * pays for all.  With one port in ten free, 97 % of connections find one.
 */
#define FSK_PORT_LOOKS_OWN	32

/* After a whole round without a free port of this core, one connection in four
 * looks at one more of them: ports that become free are found, and looks stay
 * few.
 */
#define FSK_PORT_RETRY_OWN	4

/* After a whole round without any free port, a connection looks at this many
 * and then leaves the choice to the kernel, which looks at all.
 */
#define FSK_PORT_RETRY_ANY	8

/* After this many connects in a row got their first candidate, skip our own
 * check and let the kernel's connect() check: both read lines that other cores
 * wrote.  One refusal turns the check on again.
 */
#define FSK_PORT_TRUST		16

/* The destination */

static void fsk_port_set_addr4(struct in6_addr *addr, __be32 ipv4)
{
	ipv6_addr_set(addr, 0, 0, 0, ipv4);
}

static bool fsk_port_key4(struct fsk_dest_key *key, const struct sock *sk,
			  __be32 daddr, __be16 dport)
{
	const struct ip_options_rcu *opt;

	/* A source route leads to another host first. */
	opt = rcu_dereference_protected(inet_sk(sk)->inet_opt,
					lockdep_sock_is_held(sk));
	if (opt && opt->opt.srr)
		return false;
	fsk_port_set_addr4(&key->daddr, daddr);
	fsk_port_set_addr4(&key->saddr, inet_sk(sk)->inet_saddr);
	key->dport = dport;
	return true;
}

#if IS_ENABLED(CONFIG_IPV6)
static bool fsk_port_key6(struct fsk_dest_key *key, const struct sock *sk,
			  const struct sockaddr_in6 *in6, int len)
{
	const struct in6_addr *daddr = &in6->sin6_addr;
	int type = ipv6_addr_type(daddr);

	if (type & IPV6_ADDR_MAPPED)
		return fsk_port_key4(key, sk, daddr->s6_addr32[3],
				     in6->sin6_port);
	/* The kernel takes the any address for a loopback address of either
	 * family, and a routing header leads to another host first.
	 */
	if (type == IPV6_ADDR_ANY || rcu_access_pointer(inet6_sk(sk)->opt))
		return false;
	if (type & IPV6_ADDR_LINKLOCAL && !key->oif) {
		if (len < sizeof(*in6))
			return false;
		key->oif = in6->sin6_scope_id;
	}
	key->ipv6 = true;
	key->daddr = *daddr;
	key->saddr = sk->sk_v6_rcv_saddr;
	key->dport = in6->sin6_port;
	return true;
}
#endif

/* The kernel judges an address that is unusual in any way. */
static bool fsk_port_key(struct fsk_dest_key *key, const struct sock *sk,
			 const struct sockaddr_unsized *uaddr, int len)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)uaddr;
	int low, high;

	if (len < (int)sizeof(*in) || uaddr->sa_family != sk->sk_family)
		return false;
	memset(key, 0, sizeof(*key));
	inet_sk_get_local_port_range(sk, &low, &high);
	if (low < 1 || low > high || high > U16_MAX)
		return false;
	key->net_cookie = sock_net(sk)->net_cookie;
	key->oif = sk->sk_bound_dev_if;
	key->low = low;
	key->high = high;
#if IS_ENABLED(CONFIG_IPV6)
	if (uaddr->sa_family == AF_INET6)
		return len >= SIN6_LEN_RFC2133 &&
		       fsk_port_key6(key, sk, (const void *)uaddr, len);
#endif
	return fsk_port_key4(key, sk, in->sin_addr.s_addr, in->sin_port);
}

/* The route */

/* A route does not hold its device: without RCU that may go meanwhile. */
static int fsk_port_ifindex(const struct dst_entry *dst)
{
	int ifindex;

	rcu_read_lock();
	ifindex = READ_ONCE(dst->dev)->ifindex;
	rcu_read_unlock();
	return ifindex;
}

static bool fsk_port_route4(struct fsk_port_pick *pick)
{
	const struct fsk_dest_key *key = &pick->key;
	struct flowi4 fl4;
	struct rtable *rt;

	rt = ip_route_connect(&fl4, key->daddr.s6_addr32[3],
			      key->saddr.s6_addr32[3], key->oif, IPPROTO_TCP,
			      0, key->dport, (struct sock *)pick->sk);
	if (IS_ERR(rt))
		return false;
	fsk_port_set_addr4(&pick->route.daddr, fl4.daddr);
	fsk_port_set_addr4(&pick->route.saddr, fl4.saddr);
	pick->route.ifindex = fsk_port_ifindex(&rt->dst);
	ip_rt_put(rt);
	return true;
}

#if IS_ENABLED(CONFIG_IPV6)
static bool fsk_port_route6(struct fsk_port_pick *pick)
{
	const struct fsk_dest_key *key = &pick->key;
	const struct sock *sk = pick->sk;
	struct flowi6 fl6 = {
		.flowi6_proto	= IPPROTO_TCP,
		.flowi6_oif	= key->oif,
		.flowi6_mark	= READ_ONCE(sk->sk_mark),
		.flowi6_uid	= sk->sk_uid,
		.daddr		= key->daddr,
		.saddr		= key->saddr,
		.fl6_dport	= key->dport,
	};
	struct dst_entry *dst;

	security_sk_classify_flow((struct sock *)sk,
				  flowi6_to_flowi_common(&fl6));
	dst = ip6_dst_lookup_flow(sock_net(sk), sk, &fl6, NULL);
	if (IS_ERR(dst))
		return false;
	pick->route.daddr = fl6.daddr;
	pick->route.saddr = fl6.saddr;
	pick->route.ifindex = fsk_port_ifindex(dst);
	dst_release(dst);
	return true;
}
#else
static bool fsk_port_route6(struct fsk_port_pick *pick)
{
	return false;
}
#endif

/* Remember the way that a connection has taken. */
static void fsk_port_learn(struct fsk_dest_route *route, const struct sock *sk,
			   bool ipv6)
{
	const struct dst_entry *dst = __sk_dst_get((struct sock *)sk);

#if IS_ENABLED(CONFIG_IPV6)
	if (ipv6) {
		route->daddr = sk->sk_v6_daddr;
		route->saddr = sk->sk_v6_rcv_saddr;
	}
#endif
	if (!ipv6) {
		fsk_port_set_addr4(&route->daddr, inet_sk(sk)->inet_daddr);
		fsk_port_set_addr4(&route->saddr, inet_sk(sk)->inet_saddr);
	}
	if (dst)
		route->ifindex = fsk_port_ifindex(dst);
}

/**
 * fsk_port_begin() - find out where a socket is about to connect to
 * @pick: filled
 * @sk: a TCP socket without a port
 * @uaddr: address to connect to, not checked yet
 * @len: of @uaddr
 *
 * The route is looked up for the first connection of a core to a destination
 * only.
 *
 * Context: Process, expects lock_sock(@sk).
 * Return: whether to ask fsk_port_next(); if not, the kernel is to choose.
 */
bool fsk_port_begin(struct fsk_port_pick *pick, const struct sock *sk,
		    const struct sockaddr_unsized *uaddr, int len)
{
	struct fsk_dest *dest;

	*pick = (struct fsk_port_pick) {
		.fn = fsk_net_of(sock_net(sk)),
		.sk = sk,
	};
	if (!fsk_port_key(&pick->key, sk, uaddr, len))
		return false;
	pick->table = fsk_dest_table_get(raw_smp_processor_id());
	if (!pick->table)
		return false;
	pick->set = fsk_dest_set(pick->table, &pick->key);
	spin_lock(&pick->table->lock);
	dest = fsk_dest_find(pick->table, pick->set, &pick->key);
	if (dest) {
		pick->route = dest->route;
		dest->stamp = jiffies;
	}
	spin_unlock(&pick->table->lock);
	if (dest)
		return true;
	return pick->key.ipv6 ? fsk_port_route6(pick) : fsk_port_route4(pick);
}

/* Candidates */

/**
 * struct fsk_port_rule - which ports are a core's
 * @rfd: if not %NULL, the interface's table says
 * @stamp: fsk_net.rfd_stamp, which @rfd is at least as new as
 * @hash: the flow's, for the table; fsk_port_rule() leaves it to its callers
 * @mask: if there is no table, these bits of the port are the core's number
 * @cpu: the core
 * @ipv6: IP version of the flow
 */
struct fsk_port_rule {
	const struct fsk_rfd *rfd;
	u32 stamp;
	u32 hash;
	u32 mask;
	u32 cpu;
	bool ipv6;
};

static bool fsk_port_is_own(const struct fsk_port_rule *rule, u16 hnum)
{
	if (rule->rfd)
		return fsk_rfd_cpu(rule->rfd, rule->hash, rule->ipv6, hnum) ==
		       rule->cpu;
	return (hnum & rule->mask) == rule->cpu;
}

static u32 fsk_port_flow_hash(const struct fsk_rfd *rfd,
			      const struct fsk_dest *dest)
{
	const struct fsk_rfd_flow flow = {
		.daddr	= dest->route.daddr,
		.saddr	= dest->route.saddr,
		.dport	= dest->key.dport,
		.ipv6	= dest->key.ipv6,
	};

	return fsk_rfd_flow_hash(rfd, &flow);
}

/* Expects rcu_read_lock() for as long as the caller uses the rule.  Returns the
 * destination's mode, or FSK_RFD_MASK where that mode can't be had.
 */
static u8 fsk_port_rule(struct fsk_net *fn, const struct fsk_dest *dest,
			int cpu, struct fsk_port_rule *rule)
{
	const struct fsk_rfd *rfd;
	u8 mode;

	/* Before the description: pairs with the release in
	 * fsk_rfd_changed(), so that no hash of an older one gets this stamp.
	 */
	rule->stamp = smp_load_acquire(&fn->rfd_stamp);
	rfd = fsk_rfd_get(fn, dest->route.ifindex);
	mode = fsk_rfd_mode(fn, rfd);
	rule->rfd = fsk_rfd_hashes(rfd, dest->key.ipv6) ? rfd : NULL;
	rule->mask = fsk_rfd_mask();
	rule->cpu = cpu;
	rule->ipv6 = dest->key.ipv6;
	return mode == FSK_RFD_RSS && !rule->rfd ? FSK_RFD_MASK : mode;
}

/* Keep the hash until the interface's description changes: making it costs as
 * much as a hundred steps.
 */
static void fsk_port_rehash(struct fsk_dest *dest, struct fsk_port_rule *rule)
{
	if (rule->rfd && (dest->rfd_stamp != rule->stamp ||
			  dest->rfd_ifindex != dest->route.ifindex)) {
		dest->hash = fsk_port_flow_hash(rule->rfd, dest);
		dest->rfd_stamp = rule->stamp;
		dest->rfd_ifindex = dest->route.ifindex;
	}
	rule->hash = dest->hash;
}

/**
 * struct fsk_port_row - the ports that a walk goes over
 * @first: the first of them
 * @stride: from one to the next
 * @rule: if not %NULL, the walk passes over ports that are not the core's
 */
struct fsk_port_row {
	u32 first;
	u32 stride;
	const struct fsk_port_rule *rule;
};

/* Returns the next port of a walk, 0 when a round is over, or -EAGAIN when the
 * caller should let go of the lock and call again.
 */
static int fsk_port_step(struct fsk_dest_walk *walk,
			 const struct fsk_port_row *row)
{
	int i, hnum;

	for (i = 0; i < FSK_PORT_STEPS; i++) {
		if (walk->idle++ >= walk->size) {
			walk->idle = 0;
			walk->used_up = true;
			return 0;
		}
		hnum = row->first + walk->at * row->stride;
		walk->at += walk->step;
		if (walk->at >= walk->size)
			walk->at -= walk->size;
		if (!row->rule || fsk_port_is_own(row->rule, hnum))
			return hnum;
	}
	return -EAGAIN;
}

static int fsk_port_step_all(struct fsk_dest *dest, struct fsk_dest_walk *walk,
			     const struct fsk_port_rule *rule)
{
	const struct fsk_port_row row = {
		.first	= dest->key.low,
		.stride	= 1,
		.rule	= rule,
	};

	fsk_dest_walk_resize(walk, fsk_dest_range(&dest->key));
	return fsk_port_step(walk, &row);
}

/* Bits of the port tell the core, so the walk goes from one of the core's ports
 * right to the next.
 */
static int fsk_port_step_masked(struct fsk_dest *dest,
				struct fsk_dest_walk *walk,
				const struct fsk_port_rule *rule)
{
	u32 low = dest->key.low;
	struct fsk_port_row row = {
		.first	= low + ((rule->cpu - low) & rule->mask),
		.stride	= rule->mask + 1,
	};

	if (row.first > dest->key.high) {
		walk->used_up = true;
		return 0;
	}
	fsk_dest_walk_resize(walk,
			     (dest->key.high - row.first) / row.stride + 1);
	return fsk_port_step(walk, &row);
}

static int fsk_port_step_own(struct fsk_port_pick *pick, struct fsk_dest *dest,
			     const struct fsk_port_rule *rule)
{
	struct fsk_dest_walk *walk = &dest->own;
	int hnum;

	if (pick->own_over)
		return 0;
	if (walk->used_up) {
		pick->own_over = true;
		if (walk->skipped++ % FSK_PORT_RETRY_OWN)
			return 0;
	} else if (pick->own_looks++ >= FSK_PORT_LOOKS_OWN) {
		pick->own_over = true;
		return 0;
	}
	hnum = rule->rfd ? fsk_port_step_all(dest, walk, rule) :
			   fsk_port_step_masked(dest, walk, rule);
	if (!hnum)
		pick->own_over = true;
	return hnum;
}

static int fsk_port_step_any(struct fsk_port_pick *pick, struct fsk_dest *dest)
{
	if (dest->any.used_up && pick->any_looks++ >= FSK_PORT_RETRY_ANY)
		return 0;
	return fsk_port_step_all(dest, &dest->any, NULL);
}

static int __fsk_port_candidate(struct fsk_port_pick *pick)
{
	struct fsk_port_rule rule;
	struct fsk_dest *dest;
	int hnum;
	u8 mode;

	dest = fsk_dest_find(pick->table, pick->set, &pick->key);
	if (!dest)
		dest = fsk_dest_insert(pick->table, pick->set, &pick->key,
				       &pick->route);
	mode = fsk_port_rule(pick->fn, dest, pick->table->cpu, &rule);
	if (mode == FSK_RFD_OFF)
		return 0;
	fsk_port_rehash(dest, &rule);
	if (pick->clashes)
		dest->trust = 0;
	pick->trust = dest->trust >= FSK_PORT_TRUST;
	pick->by_nic = fsk_rfd_by_nic(mode);
	pick->own = true;
	hnum = fsk_port_step_own(pick, dest, &rule);
	if (hnum)
		return hnum;
	pick->own = false;
	return fsk_port_step_any(pick, dest);
}

static int fsk_port_candidate(struct fsk_port_pick *pick)
{
	int hnum;

	do {
		spin_lock(&pick->table->lock);
		rcu_read_lock();
		hnum = __fsk_port_candidate(pick);
		rcu_read_unlock();
		spin_unlock(&pick->table->lock);
		cond_resched();
	} while (hnum == -EAGAIN);
	return hnum;
}

/* Looks */

/* Guess whether the kernel would let a new connection replace this one, which
 * is in TIME_WAIT.  A wrong guess costs a refusal or a port.
 */
static bool fsk_port_may_reuse(const struct net *net, const struct sock *sk,
			       bool ipv6)
{
	const struct inet_timewait_sock *tw = inet_twsk(sk);
	u32 stamp = READ_ONCE(tcp_twsk(sk)->tw_ts_recent_stamp);
	int reuse = READ_ONCE(net->ipv4.sysctl_tcp_tw_reuse);

	if (!reuse || !stamp || READ_ONCE(tw->tw_substate) == TCP_FIN_WAIT2 ||
	    !time_after32(ktime_get_seconds(), stamp))
		return false;
	if (reuse != 2 || tw->tw_bound_dev_if == LOOPBACK_IFINDEX)
		return true;
#if IS_ENABLED(CONFIG_IPV6)
	if (ipv6)
		return ipv6_addr_loopback(&tw->tw_v6_daddr) ||
		       ipv6_addr_loopback(&tw->tw_v6_rcv_saddr);
#endif
	return ipv4_is_loopback(tw->tw_daddr) ||
	       ipv4_is_loopback(tw->tw_rcv_saddr);
}

static struct sock *fsk_port_lookup(const struct fsk_port_pick *pick, u16 hnum)
{
	struct net *net = sock_net(pick->sk);
	const struct fsk_dest_key *key = &pick->key;
	const struct fsk_dest_route *route = &pick->route;
	int sdif = l3mdev_master_ifindex_by_index(net, key->oif);

#if IS_ENABLED(CONFIG_IPV6)
	if (key->ipv6)
		return fsk_compat_established6(net, &route->daddr, key->dport,
					       &route->saddr, hnum, key->oif,
					       sdif);
#endif
	return fsk_compat_established4(net, route->daddr.s6_addr32[3],
				       key->dport, route->saddr.s6_addr32[3],
				       hnum, key->oif, sdif);
}

static bool fsk_port_is_free(const struct fsk_port_pick *pick, u16 hnum)
{
	struct net *net = sock_net(pick->sk);
	struct sock *sk;
	bool is_free;

	if (inet_is_local_reserved_port(net, hnum))
		return false;
	if (pick->trust)
		return true;
	rcu_read_lock();
	sk = fsk_port_lookup(pick, hnum);
	rcu_read_unlock();
	if (!sk)
		return true;
	is_free = sk->sk_state == TCP_TIME_WAIT &&
		  fsk_port_may_reuse(net, sk, pick->key.ipv6);
	sock_gen_put(sk);
	return is_free;
}

/**
 * fsk_port_next() - the next port to try
 * @pick: the search
 *
 * Context: Process, expects lock_sock(@pick->sk).
 * Return: a port, host byte order, or 0 if none was found: the kernel is to
 *         choose, or to say that there is none.
 */
int fsk_port_next(struct fsk_port_pick *pick)
{
	int hnum;

	/* Walks begin anew where the destination was pushed out meanwhile. */
	while (pick->probes <= 2 * fsk_dest_range(&pick->key)) {
		hnum = fsk_port_candidate(pick);
		if (!hnum)
			break;
		pick->probes++;
		if (fsk_port_is_free(pick, hnum))
			return hnum;
	}
	return 0;
}

/**
 * fsk_port_end() - account for a connection
 * @pick: the search, whose last port the kernel took
 *
 * Context: Process, expects lock_sock(@pick->sk).
 */
void fsk_port_end(struct fsk_port_pick *pick)
{
	struct fsk_dest_walk *walk;
	struct fsk_dest *dest;

	fsk_port_learn(&pick->route, pick->sk, pick->key.ipv6);
	spin_lock(&pick->table->lock);
	dest = fsk_dest_find(pick->table, pick->set, &pick->key);
	if (dest) {
		dest->route = pick->route;
		dest->nr_probes += pick->probes;
		dest->nr_clashes += pick->clashes;
		dest->nr_own += pick->own;
		dest->nr_any += !pick->own;
		if (pick->probes > 1)
			dest->trust = 0;
		else if (dest->trust < FSK_PORT_TRUST)
			dest->trust++;
		walk = pick->own ? &dest->own : &dest->any;
		walk->idle = 0;
		walk->used_up = false;
	}
	spin_unlock(&pick->table->lock);
}

/**
 * fsk_port_share() - how many ports to a destination are a core's
 * @fn: namespace state
 * @dest: the destination, a copy
 * @cpu: the core
 * @mode: filled with the mode that holds
 *
 * Context: Process; looks at each port of the range.
 * Return: the number.
 */
u32 fsk_port_share(struct fsk_net *fn, const struct fsk_dest *dest, int cpu,
		   u8 *mode)
{
	struct fsk_port_rule rule;
	u32 share = 0;
	int hnum;

	rcu_read_lock();
	*mode = fsk_port_rule(fn, dest, cpu, &rule);
	if (rule.rfd)
		rule.hash = fsk_port_flow_hash(rule.rfd, dest);
	for (hnum = dest->key.low; hnum <= dest->key.high; hnum++)
		share += fsk_port_is_own(&rule, hnum);
	rcu_read_unlock();
	return share;
}
