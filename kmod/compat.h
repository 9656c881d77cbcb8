/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that depends on the kernel's version.  The code is written to the newest
 * interface; older kernels are lent it here.  kmod/Kbuild probes for what
 * FSK_HAVE_* says, because stable releases backport and a version number does
 * not tell.
 */
#ifndef FSK_COMPAT_H
#define FSK_COMPAT_H

#include <linux/fs.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <linux/workqueue.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>
#ifdef FSK_HAVE_NET_HOTDATA
#include <net/hotdata.h>
#endif

#include "host.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "fastsocket needs Linux 6.1 or newer"
#endif

/* 92ef0fd55ac8 ("net: change proto and proto_ops accept type"), 6.10.
 * Delete with 6.9.
 */
#ifdef FSK_HAVE_ACCEPT_ARG
static inline int fsk_compat_accept(const struct proto_ops *ops,
				    struct socket *sock,
				    struct socket *newsock,
				    struct proto_accept_arg *arg)
{
	return ops->accept(sock, newsock, arg);
}

#define FSK_COMPAT_ACCEPT_OP(name, impl)				\
static int name(struct socket *sock, struct socket *newsock,		\
		struct proto_accept_arg *arg)				\
{									\
	return impl(sock, newsock, arg);				\
}
#else
struct proto_accept_arg {
	int flags;
	int err;
	int is_empty;
	bool kern;
};

static inline int fsk_compat_accept(const struct proto_ops *ops,
				    struct socket *sock,
				    struct socket *newsock,
				    struct proto_accept_arg *arg)
{
	return ops->accept(sock, newsock, arg->flags, arg->kern);
}

#define FSK_COMPAT_ACCEPT_OP(name, impl)				\
static int name(struct socket *sock, struct socket *newsock,		\
		int flags, bool kern)					\
{									\
	struct proto_accept_arg arg = { .flags = flags, .kern = kern };	\
									\
	return impl(sock, newsock, &arg);				\
}
#endif

/* The last parameter of syn_recv_sock(), which came with 7.0 and, in stable
 * releases, with 6.12.117 and 6.1.192.  @parent chooses the socket that the
 * child is made from, or releases @dst and says NULL.  @lost hears when there
 * is no child, unless the connection has one already: then the kernel has
 * cleared @own_req.  Delete when all have it.
 */
#define FSK_COMPAT_SYN_RECV(sk) \
	(fsk_host_get((sk)->sk_family)->af_ops->syn_recv_sock)

#ifdef FSK_HAVE_SYN_RECV_OPT_CHILD
#define FSK_COMPAT_SYN_RECV_SOCK(name, parent, lost)			\
static struct sock *							\
name(const struct sock *sk, struct sk_buff *skb,			\
     struct request_sock *req, struct dst_entry *dst,			\
     struct request_sock *req_unhash, bool *own_req,			\
     void (*child_init)(struct sock *newsk, const struct sock *sk))	\
{									\
	const struct sock *app = parent(sk, skb, req, dst);		\
	struct sock *child;						\
									\
	if (!app)							\
		return NULL;						\
	*own_req = true;						\
	child = FSK_COMPAT_SYN_RECV(sk)(app, skb, req, dst, req_unhash,	\
					own_req, child_init);		\
	if (unlikely(!child) && *own_req)				\
		lost(sk, app);						\
	return child;							\
}
#else
#define FSK_COMPAT_SYN_RECV_SOCK(name, parent, lost)			\
static struct sock *							\
name(const struct sock *sk, struct sk_buff *skb,			\
     struct request_sock *req, struct dst_entry *dst,			\
     struct request_sock *req_unhash, bool *own_req)			\
{									\
	const struct sock *app = parent(sk, skb, req, dst);		\
	struct sock *child;						\
									\
	if (!app)							\
		return NULL;						\
	*own_req = true;						\
	child = FSK_COMPAT_SYN_RECV(sk)(app, skb, req, dst, req_unhash,	\
					own_req);			\
	if (unlikely(!child) && *own_req)				\
		lost(sk, app);						\
	return child;							\
}
#endif

/* Starts to listen without a word to sockops programs, which hear of listen().
 *
 * Kernels of 7.2 don't export inet_csk_listen_start(), only listen()'s own
 * function.  That tells programs of a full socket, so @sk must not look like
 * one when it gets there: the last that it calls before is proto->hash(), which
 * calls fsk_compat_listen_hide().  Nobody else looks at the state meanwhile:
 * @sk is in no table.  Fast Open may be switched on for all listeners, which
 * the application can have undone for its own.  Delete the first half with the
 * kernels that export it.
 */
#ifdef FSK_HAVE_CSK_LISTEN_START
static inline void fsk_compat_listen_hide(struct sock *sk)
{
}

static inline int fsk_compat_listen_start(struct socket *sock)
{
	int err;

	lock_sock(sock->sk);
	err = inet_csk_listen_start(sock->sk);
	release_sock(sock->sk);
	return err;
}
#else
static inline void fsk_compat_listen_hide(struct sock *sk)
{
	WRITE_ONCE(sk->sk_state, TCP_TIME_WAIT);
}

static inline int fsk_compat_listen_start(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct fastopen_queue *fastopen =
		&inet_csk(sk)->icsk_accept_queue.fastopenq;
	int max_qlen = READ_ONCE(fastopen->max_qlen);
	int err;

	err = sock->ops->listen(sock, READ_ONCE(sk->sk_max_ack_backlog));
	if (err)
		return err;
	WRITE_ONCE(fastopen->max_qlen, max_qlen);
	/* As inet_sk_state_store(), which has traced it. */
	smp_store_release(&sk->sk_state, TCP_LISTEN);
	return 0;
}
#endif

/* A kernel socket that holds its namespace as a user's does, because what
 * refers to it may be the last to leave.
 *
 * sk_net_refcnt_upgrade() came with 6.15 and was backported.  Before it, from
 * 6.2 on, there is one thing to undo: kernels that track references (a debug
 * option) have a kernel socket among those without one.  Delete with 6.14.
 */
static inline void fsk_compat_sk_hold_net(struct sock *sk)
{
#ifdef FSK_HAVE_SK_NET_REFCNT_UPGRADE
	sk_net_refcnt_upgrade(sk);
#else
	struct net *net = sock_net(sk);

#ifdef FSK_HAVE_NETNS_TRACKER_FREE
	__netns_tracker_free(net, &sk->ns_tracker, false);
#endif
	sk->sk_net_refcnt = 1;
	get_net_track(net, &sk->ns_tracker, GFP_KERNEL);
	sock_inuse_add(net, 1);
#endif
}

/* 41cb0855b477 ("treewide, timers: Rename from_timer() to
 * timer_container_of()"), 6.16.  Delete with 6.15.
 */
#ifndef timer_container_of
#define timer_container_of(var, timer, field) from_timer(var, timer, field)
#endif

/* Until 6.18, where the counter may have several parts, another name.  Delete
 * with 6.17.
 */
#ifndef FSK_HAVE_SK_DROPS_READ
#define sk_drops_skbadd(sk, skb) sk_drops_add(sk, skb)
#endif

/* What proto->connect() takes since 6.19.  Delete with 6.18. */
#ifndef FSK_HAVE_SOCKADDR_UNSIZED
#define sockaddr_unsized sockaddr
#endif

/* TCP-AO, 6.7.  Delete with 6.6. */
static inline bool fsk_compat_has_ao(const struct tcp_sock *tp)
{
#if defined(CONFIG_TCP_AO) && defined(FSK_HAVE_TCP_AO)
	return rcu_access_pointer(tp->ao_info);
#else
	return false;
#endif
}

/* Has the peer of a half-open connection to sign?  TCP-AO, 6.7.  Delete with
 * 6.6.
 */
static inline bool fsk_compat_ao_required(const struct sock *sk,
					  struct request_sock *req)
{
#if defined(CONFIG_TCP_AO) && defined(FSK_HAVE_TCP_AO)
	const struct tcp_ao_info *ao = rcu_dereference(tcp_sk(sk)->ao_info);

	if (ao && (ao->ao_required ||
		   tcp_rsk(req)->af_specific->ao_lookup(sk, req, -1, -1))) {
		NET_INC_STATS(sock_net(sk), LINUX_MIB_TCPAOREQUIRED);
		return true;
	}
#endif
	return false;
}

/* dfa2f0483360 ("tcp: get rid of sysctl_tcp_adv_win_scale"), 6.6.
 * Delete with 6.5.
 */
static inline void fsk_compat_sync_tcp(struct tcp_sock *to,
				       const struct tcp_sock *from)
{
#ifdef FSK_HAVE_TCP_SCALING_RATIO
	if (to->scaling_ratio != READ_ONCE(from->scaling_ratio))
		WRITE_ONCE(to->scaling_ratio, from->scaling_ratio);
#endif
}

/* Writes nothing that has not changed: see fsk_options_sync(). */
#define fsk_compat_copy(to, from, member) do {				\
	typeof(to) _to = (to);						\
	typeof(from) _from = (from);					\
	bool _new;							\
									\
	/* setsockopt() may write it meanwhile; some of these are bits. */ \
	_new = data_race(_to->member != _from->member);			\
	if (_new)							\
		_to->member = _from->member;				\
} while (0)

/* TCP_RTO_MAX_MS came with 54a378f43425 ("tcp: add the ability to control max
 * RTO"), 6.15.  Delete with 6.14.
 */
static inline void
fsk_compat_sync_rto_max(struct inet_connection_sock *to,
			const struct inet_connection_sock *from)
{
#ifdef FSK_HAVE_RTO_MAX
	fsk_compat_copy(to, from, icsk_rto_max);
#endif
}

/* c274af224269 ("inet: introduce inet->inet_flags"), 6.6; the IPv6 bits moved
 * there in 6.7.  Delete with 6.6.
 */
static inline void fsk_compat_sync_inet(struct sock *sk,
					const struct sock *app)
{
	struct inet_sock *to = inet_sk(sk);
	const struct inet_sock *from = inet_sk(app);
#if IS_ENABLED(CONFIG_IPV6)
	struct ipv6_pinfo *np = inet6_sk(sk);
	const struct ipv6_pinfo *anp = inet6_sk(app);
#endif

#ifdef FSK_HAVE_INET_FLAGS
	if (READ_ONCE(to->inet_flags) != READ_ONCE(from->inet_flags))
		WRITE_ONCE(to->inet_flags, READ_ONCE(from->inet_flags));
#else
	fsk_compat_copy(to, from, transparent);
	fsk_compat_copy(to, from, freebind);
	fsk_compat_copy(to, from, nodefrag);
	fsk_compat_copy(to, from, recverr);
#endif
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family != AF_INET6)
		return;
	fsk_compat_copy(np, anp, rxopt.all);
	fsk_compat_copy(np, anp, tclass);
	fsk_compat_copy(np, anp, hop_limit);
	fsk_compat_copy(np, anp, min_hopcount);
	fsk_compat_copy(np, anp, pmtudisc);
	fsk_compat_copy(np, anp, srcprefs);
	fsk_compat_copy(np, anp, frag_size);
#ifdef FSK_HAVE_IPV6_PINFO_BITS
	fsk_compat_copy(np, anp, repflow);
	fsk_compat_copy(np, anp, sndflow);
	fsk_compat_copy(np, anp, dontfrag);
	fsk_compat_copy(np, anp, autoflowlabel);
	fsk_compat_copy(np, anp, autoflowlabel_set);
#endif
#endif
}

/* The lookup that TCP itself makes.  The hashinfo argument went with 6.18.
 * Delete with 6.17.
 */
static inline struct sock *
fsk_compat_lookup4(struct net *net, struct sk_buff *skb,
		   const struct iphdr *iph, const struct tcphdr *th,
		   bool *refcounted)
{
	return __inet_lookup(net,
#ifdef FSK_HAVE_LOOKUP_HASHINFO
			     net->ipv4.tcp_death_row.hashinfo,
#endif
			     skb, __tcp_hdrlen(th), iph->saddr, th->source,
			     iph->daddr, th->dest, inet_iif(skb),
			     inet_sdif(skb), refcounted);
}

static inline struct sock *
fsk_compat_listener4(struct net *net, struct sk_buff *skb,
		     const struct iphdr *iph, const struct tcphdr *th)
{
	return __inet_lookup_listener(net,
#ifdef FSK_HAVE_LOOKUP_HASHINFO
				      net->ipv4.tcp_death_row.hashinfo,
#endif
				      skb, __tcp_hdrlen(th), iph->saddr,
				      th->source, iph->daddr, ntohs(th->dest),
				      inet_iif(skb), inet_sdif(skb));
}

static inline struct sock *
fsk_compat_established4(struct net *net, __be32 daddr, __be16 dport,
			__be32 saddr, u16 hnum, int dif, int sdif)
{
	return __inet_lookup_established(net,
#ifdef FSK_HAVE_LOOKUP_HASHINFO
					 net->ipv4.tcp_death_row.hashinfo,
#endif
					 daddr, dport, saddr, hnum, dif, sdif);
}

#if IS_ENABLED(CONFIG_IPV6)
static inline struct sock *
fsk_compat_established6(struct net *net, const struct in6_addr *daddr,
			__be16 dport, const struct in6_addr *saddr, u16 hnum,
			int dif, int sdif)
{
	return __inet6_lookup_established(net,
#ifdef FSK_HAVE_LOOKUP_HASHINFO
					  net->ipv4.tcp_death_row.hashinfo,
#endif
					  daddr, dport, saddr, hnum, dif,
					  sdif);
}

static inline struct sock *
fsk_compat_listener6(struct net *net, struct sk_buff *skb,
		     const struct ipv6hdr *ip6h, const struct tcphdr *th)
{
	return inet6_lookup_listener(net,
#ifdef FSK_HAVE_LOOKUP_HASHINFO
				     net->ipv4.tcp_death_row.hashinfo,
#endif
				     skb, __tcp_hdrlen(th), &ip6h->saddr,
				     th->source, &ip6h->daddr,
				     ntohs(th->dest), inet6_iif(skb),
				     inet6_sdif(skb));
}

static inline struct sock *
fsk_compat_lookup6(struct net *net, struct sk_buff *skb,
		   const struct ipv6hdr *ip6h, const struct tcphdr *th,
		   bool *refcounted)
{
	return __inet6_lookup(net,
#ifdef FSK_HAVE_LOOKUP_HASHINFO
			      net->ipv4.tcp_death_row.hashinfo,
#endif
			      skb, __tcp_hdrlen(th), &ip6h->saddr, th->source,
			      &ip6h->daddr, ntohs(th->dest), inet6_iif(skb),
			      inet6_sdif(skb), refcounted);
}
#endif

/* 91d0b78c5177 ("inet: Add IP_LOCAL_PORT_RANGE socket option"), 6.3, also in
 * 6.1 stable releases; one word since 6.8.  The last port is in the upper half.
 * Delete with 6.7.
 */
#if defined(FSK_HAVE_PORT_RANGE_WORD)
static inline bool fsk_compat_has_port_range(void)
{
	return true;
}

/* setsockopt() writes it without a lock. */
static inline u32 fsk_compat_swap_port_range(struct sock *sk, u32 range)
{
	return xchg(&inet_sk(sk)->local_port_range, range);
}

static inline void fsk_compat_put_back_port_range(struct sock *sk, u32 range,
						  u32 old)
{
	cmpxchg(&inet_sk(sk)->local_port_range, range, old);
}
#elif defined(FSK_HAVE_PORT_RANGE)
static inline bool fsk_compat_has_port_range(void)
{
	return true;
}

/* lock_sock() is held here and by setsockopt(). */
static inline u32 fsk_compat_swap_port_range(struct sock *sk, u32 range)
{
	u32 old = (u32)inet_sk(sk)->local_port_range.hi << 16 |
		  inet_sk(sk)->local_port_range.lo;

	inet_sk(sk)->local_port_range.hi = range >> 16;
	inet_sk(sk)->local_port_range.lo = range;
	return old;
}

static inline void fsk_compat_put_back_port_range(struct sock *sk, u32 range,
						  u32 old)
{
	fsk_compat_swap_port_range(sk, old);
}
#else
static inline bool fsk_compat_has_port_range(void)
{
	return false;
}

static inline u32 fsk_compat_swap_port_range(struct sock *sk, u32 range)
{
	return 0;
}

static inline void fsk_compat_put_back_port_range(struct sock *sk, u32 range,
						  u32 old)
{
}
#endif

/* A device that is none, for what needs one to be polled.  alloc_netdev_dummy()
 * came with 6.10.  Delete with 6.9.
 */
static inline struct net_device *fsk_compat_netdev_dummy(void)
{
#ifdef FSK_HAVE_NETDEV_DUMMY
	return alloc_netdev_dummy(0);
#else
	struct net_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (dev)
		init_dummy_netdev(dev);
	return dev;
#endif
}

static inline void fsk_compat_netdev_dummy_free(struct net_device *dev)
{
#ifdef FSK_HAVE_NETDEV_DUMMY
	free_netdev(dev);
#else
	kfree(dev);
#endif
}

/* Moved to net_hotdata in 6.9.  Delete with 6.8. */
static inline unsigned int fsk_compat_max_backlog(void)
{
#ifdef FSK_HAVE_NET_HOTDATA
	return READ_ONCE(net_hotdata.max_backlog);
#else
	return READ_ONCE(netdev_max_backlog);
#endif
}

/* Tells apart the batches of packets that this core takes from a device: the
 * kernel counts all packets of one before the first is shown to a protocol.
 * Two packets that come with the same number may be of one batch; with
 * different numbers they are not, and the first batch is through.  That it is
 * not only holds where a packet has another one received in the middle of its
 * batch (a tc action that redirects to another device's ingress), which is not
 * worth a look at each packet.  BH is off.
 */
static inline u32 fsk_compat_batch(void)
{
	return __this_cpu_read(softnet_data.processed);
}

/* c42d50aefd17 ("mm: shrinker: add infrastructure for dynamically allocating
 * shrinker"), 6.7.  Delete with 6.6.
 */
static inline struct shrinker *
fsk_compat_shrinker_create(unsigned long (*count)(struct shrinker *shrinker,
						  struct shrink_control *sc),
			   unsigned long (*scan)(struct shrinker *shrinker,
						 struct shrink_control *sc))
{
	struct shrinker *shrinker;

#ifdef FSK_HAVE_SHRINKER_ALLOC
	shrinker = shrinker_alloc(0, "fastsocket");
	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker_register(shrinker);
#else
	shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);
	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
	if (register_shrinker(shrinker, "fastsocket")) {
		kfree(shrinker);
		return NULL;
	}
#endif
	return shrinker;
}

static inline void fsk_compat_shrinker_destroy(struct shrinker *shrinker)
{
#ifdef FSK_HAVE_SHRINKER_ALLOC
	shrinker_free(shrinker);
#else
	unregister_shrinker(shrinker);
	kfree(shrinker);
#endif
}

/* How long the names of a socket's extended attributes are.  Sockets of 7.2
 * have the user's, within limits that came with them; where there are no limits
 * nobody can give a socket any.  Delete with 7.1.
 */
static inline ssize_t fsk_compat_xattr_names(struct dentry *dentry)
{
#ifdef FSK_HAVE_SOCK_XATTR
	return d_inode(dentry)->i_op->listxattr(dentry, NULL, 0);
#else
	return 0;
#endif
}

/* Work queues say since 6.18 whether they are of one core; newer kernels warn
 * of one that does not.  Delete with 6.17.
 */
#ifndef FSK_HAVE_WQ_PERCPU
#define WQ_PERCPU 0
#endif

/* inode->i_state has been a structure since 6.19.  Delete with 6.18. */
static inline unsigned int fsk_compat_inode_state(const struct inode *inode)
{
#ifdef FSK_HAVE_INODE_STATE
	return inode_state_read_once((struct inode *)inode);
#else
	return READ_ONCE(inode->i_state);
#endif
}

/* The kernel prefers it to getsockopt, which is what we have our own of. */
#ifdef FSK_HAVE_GETSOCKOPT_ITER
#define fsk_compat_clear_getsockopt_iter(ops) \
	((ops)->getsockopt_iter = NULL)
#else
#define fsk_compat_clear_getsockopt_iter(ops)	((void)(ops))
#endif

#endif
