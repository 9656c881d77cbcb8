/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_NETNS_H
#define FSK_NETNS_H

#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <linux/workqueue.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "stats.h"

struct fsk_est;
struct fsk_reader;
struct fsk_steer;

#define FSK_NET_BITS		8	/* 256 chains, by port */
#define FSK_NET_HINT_BITS	5
#define FSK_NET_PORTS		65536
#define FSK_NET_RFD		16	/* chains of interfaces, by number */
#define FSK_NET_PARTS		4

/**
 * struct fsk_net_hint - the core that a task got at a listener
 * @pid: the task; only compared
 * @cpu: the core
 *
 * A task that waits at several listeners should have the same at each.
 */
struct fsk_net_hint {
	const struct pid *pid;
	int cpu;
};

/**
 * struct fsk_net - what the module knows of one network namespace
 * @ports: bit map of the ports that have an app listener; written under
 *	@mutex, read by the hooks without a lock; made with the first listener
 * @synq_stamp: jiffies when a local listener last sent a SYN cookie whose ACK
 *	may still come, or 0; set by the hooks, once a second at most, and
 *	cleared by them
 * @rescue_ms: for how long a worker may take nothing, 0 for ever; written under
 *	@mutex
 * @late_ms: how long a connection waits before other workers are woken; written
 *	under @mutex
 * @vfs: FSK_IOC_ACCEPT accepts; written under @mutex
 * @stats: counters, local to their core
 * @rfd_mode: enum fsk_rfd_mode of interfaces without one of their own; written
 *	under @mutex
 * @rfd_count: count packets of active connections in all modes; written under
 *	@mutex
 * @rfd_overflow: a port was taken whose replies the network card brings to
 *	another core, so packets are moved all the same; written under @mutex
 * @steering: the hooks of @steer are registered; written under @mutex
 * @rfd_stamp: changes when @rfd does, never 0 but by wrapping
 * @steer: made when first asked for, under @mutex; stays
 * @reading: the hooks of @reader are registered; written under @mutex
 * @reader: made when first needed, under @mutex; stays
 * @steer_work: has @rfd_overflow noticed
 * @est_on: established tables are on; written under @mutex
 * @est_after: segments that a connection has received when it is entered in
 *	@est's tables; written under @mutex
 * @est: made when first asked for, under @mutex; stays
 * @est_priv: what @est's hooks at PRE_ROUTING, behind @steer's, are registered
 *	with; set before they are, stays
 * @connected: bit map of the local ports that primed sockets have connected
 *	from while @est_on; made under @mutex when that is first asked for;
 *	stays
 * @rfd: interfaces that have been described, RCU, written under @mutex
 * @net: the namespace, constant
 * @settings_mutex: rank 2 of DOC: locking; who changes settings, one at a time
 * @mutex: rank 3 of DOC: locking; protects what follows
 * @listeners: app listeners that are listening, by port
 * @nr_listeners: how many
 * @listings: counts down with each that is put in, so that a chain ascends by
 *	fsk_listener.listing
 * @worker_mutex: choices of workers' cores, over the listeners of a group;
 *	protects @hints
 * @hints: the cores that were chosen last
 * @nr_locals: local listeners of this namespace, listening or not
 * @hook_ops: the hooks, one for each family
 * @hooked: whether they are registered: from the first listener on
 *
 * The first line is all that a packet of a bystander touches.
 */
struct fsk_net {
	unsigned long *ports;
	u32 synq_stamp;
	unsigned int rescue_ms;
	unsigned int late_ms;
	bool vfs;
	struct fsk_stats __percpu *stats;

	/* read when connecting */
	u8 rfd_mode;
	bool rfd_count;
	bool rfd_overflow;
	bool steering;
	bool reading;
	u32 rfd_stamp;
	struct fsk_steer *steer;
	struct fsk_reader *reader;
	bool est_on;
	u32 est_after;
	struct fsk_est *est;
	void *est_priv;
	unsigned long *connected;
	struct hlist_head rfd[FSK_NET_RFD];

	/* cold from here on */
	struct net *net ____cacheline_aligned_in_smp;
	struct work_struct steer_work;
	struct mutex settings_mutex;	/* rank 2 of DOC: locking */
	struct mutex mutex;	/* rank 3 */
	DECLARE_HASHTABLE(listeners, FSK_NET_BITS);
	unsigned int nr_listeners;
	u64 listings;
	struct mutex worker_mutex;	/* rank 4 */
	struct fsk_net_hint hints[1 << FSK_NET_HINT_BITS];
	atomic_t nr_locals;
	struct nf_hook_ops hook_ops[2];
	bool hooked;
};

typedef int (*fsk_net_finish_t)(struct net *net, struct sock *sk,
				struct sk_buff *skb);

/**
 * struct fsk_net_part - what a feature does when namespaces come and go
 * @init: a namespace comes; all of its &struct fsk_net that is nobody's part is
 *	ready, the rest zeroed
 * @pre_exit: a namespace goes, or the module: what packets can find is taken
 *	away.  An RCU grace period passes before any @exit.  Or %NULL.
 * @exit: a namespace goes, or the module; parts that were registered later have
 *	gone already.  Listeners and connections have gone before, if the
 *	namespace goes.
 * @device_gone: an interface of a namespace goes, whose number will be used
 *	again; RTNL and fsk_net.mutex are held.  Or %NULL.
 */
struct fsk_net_part {
	void (*init)(struct fsk_net *fn);
	void (*pre_exit)(struct fsk_net *fn);
	void (*exit)(struct fsk_net *fn);
	void (*device_gone)(struct fsk_net *fn, const struct net_device *dev);
};

extern unsigned int fsk_net_id;
extern fsk_net_finish_t fsk_net_finish[2];

void fsk_net_register(const struct fsk_net_part *part);
int fsk_net_init(void);
void fsk_net_exit(void);
int fsk_net_make_ports(struct fsk_net *fn);
int fsk_net_make_connected(struct fsk_net *fn);

/**
 * fsk_net_of() - this module's state of a namespace
 * @net: a live namespace
 *
 * Context: Any.
 * Return: the state, which lives as long as @net.
 */
static inline struct fsk_net *fsk_net_of(const struct net *net)
{
	return net_generic(net, fsk_net_id);
}

/**
 * fsk_net_delivers() - does a packet's route lead to this machine's sockets?
 * @skb: a packet with a route
 * @ipv6: of this family
 *
 * Not all that comes through LOCAL_IN does: with
 * net.netfilter.nf_hooks_lwtunnel packets for a segment routing action come
 * there, and are forwarded after it.
 *
 * Context: Expects rcu_read_lock().
 * Return: whether it does.
 */
static __always_inline bool fsk_net_delivers(const struct sk_buff *skb,
					     bool ipv6)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (ipv6)
		return READ_ONCE(skb_dst(skb)->input) == ip6_input;
#endif
	return READ_ONCE(skb_dst(skb)->input) == ip_local_deliver;
}

/**
 * fsk_net_note_finish() - remember what comes after LOCAL_IN
 * @ipv6: of this family
 * @okfn: is this function of the kernel's, which a hook there is told with a
 *	packet that fsk_net_delivers()
 *
 * Context: Softirq.
 */
static inline void fsk_net_note_finish(bool ipv6, fsk_net_finish_t okfn)
{
	if (unlikely(READ_ONCE(fsk_net_finish[ipv6]) != okfn))
		WRITE_ONCE(fsk_net_finish[ipv6], okfn);
}

/**
 * fsk_net_has_port() - is there an app listener on this port?
 * @fn: namespace state
 * @hnum: port, host byte order
 *
 * Context: Softirq, by the hooks, which are registered after the map is made.
 * Return: whether a lookup is worth while.  A stale answer costs a lookup or
 *         sends a packet the kernel's way.
 */
static inline bool fsk_net_has_port(const struct fsk_net *fn, u16 hnum)
{
	return test_bit(hnum, fn->ports);
}

/**
 * fsk_net_note_begin() - a connection to an app listener begins on this CPU
 * @fn: namespace state
 * @hnum: the listener's port, host byte order
 *
 * Context: Softirq, or with BH off.
 * Return: how many are open by this CPU's count.
 */
static inline s32 fsk_net_note_begin(struct fsk_net *fn, u16 hnum)
{
	return this_cpu_inc_return(fn->stats->port[fsk_stats_chain(hnum)].open);
}

/**
 * fsk_net_note_end() - a packet with FIN or RST came for a local port
 * @fn: namespace state
 * @hnum: the port, host byte order
 *
 * Context: Softirq; or a task, behind NFQUEUE, with BH on.  It may move to
 *          another CPU in between: the count is off by one then, until place.c
 *          looks.
 */
static inline void fsk_net_note_end(struct fsk_net *fn, u16 hnum)
{
	struct fsk_stats_port __percpu *port;

	if (!fsk_net_has_port(fn, hnum))
		return;
	port = &fn->stats->port[fsk_stats_chain(hnum)];
	/* Some of those that end were never given to a core. */
	if (this_cpu_read(port->open) > 0)
		this_cpu_dec(port->open);
	this_cpu_inc(port->ended);
}

/**
 * fsk_net_is_ours() - can this be a port of our connections?
 * @fn: namespace state, both of whose maps of ports have been made
 * @hnum: local port, host byte order
 *
 * Context: Any.
 * Return: whether its connections are entered in tables and followed, because
 *         a joined listener has the port or a primed socket connected from it.
 */
static inline bool fsk_net_is_ours(const struct fsk_net *fn, u16 hnum)
{
	return fsk_net_has_port(fn, hnum) || test_bit(hnum, fn->connected);
}

/**
 * fsk_net_note_connected() - a primed socket has connected
 * @fn: namespace state
 * @hnum: its local port, host byte order
 *
 * Context: Process.
 */
static inline void fsk_net_note_connected(struct fsk_net *fn, u16 hnum)
{
	/* Pairs with the release in fsk_net_make_connected(). */
	unsigned long *connected = READ_ONCE(fn->connected);

	/* A line that all cores read is written only where it changes. */
	if (connected && READ_ONCE(fn->est_on) && !test_bit(hnum, connected))
		set_bit(hnum, connected);
}

#endif
