/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_EST_H
#define FSK_EST_H

#include <linux/bitops.h>
#include <linux/in6.h>
#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "flow.h"
#include "netns.h"

#define FSK_EST_WAYS		7	/* connections in a cache line */
#define FSK_EST_ORDER_MIN	6	/* 64 buckets, 4 KiB */
#define FSK_EST_ORDER_MAX	18	/* 16 MiB, room for 800,000 */
#define FSK_EST_AFTER		4	/* segments, see fsk_net.est_after */
#define FSK_EST_FILL		3	/* of a bucket, when it grows */
#define FSK_EST_ORDER_MASK	63UL	/* a bucket's size has no such bits */

/**
 * struct fsk_est_bucket - connections whose hashes begin alike
 * @tags: a byte for each slot, 0 where it is empty; the last byte is unused.
 *	A connection's tag is the end of its hash, and never 0.
 * @sk: sockets, each with a reference that is the slot's
 *
 * Written under fsk_est_core.lock, read under RCU.
 */
struct fsk_est_bucket {
	u64 tags;
	struct sock *sk[FSK_EST_WAYS];
};

/**
 * struct fsk_est_counts - what packets met; written by their core alone
 * @kernel: connection found here, and given to the kernel's path
 * @misses: connection not found here
 * @foreign: ... whose last packet came in on another core
 * @stale: connection found, but no route that still holds
 * @left: packets that are the kernel's whatever the table says: NAT, VRF,
 *	fragments, options
 * @full: connections not entered because their bucket was full
 */
struct fsk_est_counts {
	u64 kernel;
	u64 misses;
	u64 foreign;
	u64 stale;
	u64 left;
	u64 full;
};

/**
 * struct fsk_est_core - one core's connections
 * @table: address of the buckets, which are aligned to their size, plus the
 *	base-2 logarithm of their number; 0 for none.  One word, so that a
 *	reader has both or neither.
 * @old: the table that is being left, in the same way, or 0
 * @moved: buckets of @old that have been emptied
 * @batch: fsk_compat_batch() when @held was last written; local to the core
 *	with BH off
 * @held: flows of which this core has left a packet to the kernel in @batch,
 *	a bit for each of 64 groups; likewise
 * @seed: of the hash, constant
 * @direct: packets given to TCP at once; written by this core alone
 * @finish: what comes after LOCAL_IN in IPv4 and in IPv6, %NULL until it is
 *	known; written by this core alone
 * @fn: namespace state, constant
 * @n: other counters
 * @lock: protects all that is written but @n; rank 8, taken with BH off
 * @moving: changes as a table is replaced and each of its buckets moved, for
 *	those who list
 * @entries: connections in both tables
 * @doomed: the table that is being given up
 * @hand: the bucket that is swept next
 * @cpu: constant
 * @kicked: @work has been asked to come at once
 * @est: constant
 * @work: sweeps, grows and shrinks
 */
struct fsk_est_core {
	unsigned long table;
	unsigned long old;
	u32 moved;
	u32 batch;
	u64 seed;
	u64 direct;
	fsk_net_finish_t finish[2];
	const struct fsk_net *fn;
	/* all that a direct packet touches is above */
	struct fsk_est_counts n ____cacheline_aligned_in_smp;
	u64 held;

	spinlock_t lock ____cacheline_aligned_in_smp;	/* rank 8 */
	seqcount_spinlock_t moving;
	unsigned long doomed;
	u32 entries;
	u32 hand;
	int cpu;
	bool kicked;
	struct fsk_est *est;
	struct delayed_work work;
};

/**
 * struct fsk_est - a namespace's connections
 * @core: by CPU
 * @fn: namespace state, constant
 * @hook_ops: one for each family
 * @last: nothing of PRE_ROUTING is behind the hooks, of either family; packets
 *	enter connections from then on
 *
 * Made when first switched on, freed with the namespace.
 */
struct fsk_est {
	struct fsk_est_core __percpu *core;
	struct fsk_net *fn;
	struct nf_hook_ops hook_ops[2];
	bool last;
};

/**
 * struct fsk_est_conn - a connection as told to user space
 * @ipv6: the family of what follows
 * @state: TCP_*
 * @saddr: local address; IPv4's in the last word
 * @daddr: remote address
 * @sport: local port, host byte order
 * @dport: remote port, host byte order
 */
struct fsk_est_conn {
	bool ipv6;
	u8 state;
	struct in6_addr saddr;
	struct in6_addr daddr;
	u16 sport;
	u16 dport;
};

int fsk_est_init(void);
void fsk_est_exit(void);
struct fsk_est *fsk_est_create(struct fsk_net *fn);
void fsk_est_drain(struct fsk_est *est);
void fsk_est_destroy(struct fsk_est *est);
void fsk_est_insert(struct fsk_est_core *core, struct sock *sk, u32 hash);
bool fsk_est_remove(struct fsk_est_core *core, struct sock *sk, u32 hash);
int fsk_est_list(struct fsk_est_core *core, u64 *pos,
		 struct fsk_est_conn conn[FSK_EST_WAYS]);

/**
 * fsk_est_takes() - may packets of this connection go direct?
 * @sk: a TCP socket
 *
 * Context: Any.
 * Return: whether data may come, as long as the peer has not closed.
 */
static inline bool fsk_est_takes(const struct sock *sk)
{
	return 1 << READ_ONCE(sk->sk_state) &
	       (TCPF_ESTABLISHED | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2);
}

/* Tables */

static inline struct fsk_est_bucket *fsk_est_buckets(unsigned long table)
{
	return (struct fsk_est_bucket *)(table & ~FSK_EST_ORDER_MASK);
}

static inline u32 fsk_est_order(unsigned long table)
{
	return table & FSK_EST_ORDER_MASK;
}

static inline u32 fsk_est_index(unsigned long table, u32 hash)
{
	return hash >> (32 - fsk_est_order(table));
}

static inline u8 fsk_est_tag(u32 hash)
{
	return (hash & 0xff) ?: 1;
}

/**
 * fsk_est_size() - buckets that a core's table has
 * @core: its state
 *
 * Context: Any.
 * Return: 0 while there is none.
 */
static inline u32 fsk_est_size(const struct fsk_est_core *core)
{
	unsigned long table = READ_ONCE(core->table);

	return table ? 1u << fsk_est_order(table) : 0;
}

/* The one bucket that a hash belongs to, in the old table until that bucket
 * has been moved; %NULL without a table.
 */
static inline struct fsk_est_bucket *
fsk_est_bucket(const struct fsk_est_core *core, u32 hash)
{
	unsigned long table = READ_ONCE(core->old);

	if (likely(!table) ||
	    fsk_est_index(table, hash) < READ_ONCE(core->moved))
		table = READ_ONCE(core->table);
	if (unlikely(!table))
		return NULL;
	return &fsk_est_buckets(table)[fsk_est_index(table, hash)];
}

/* The slots that may have a tag: the high bit of their bytes.  A slot behind
 * one that has it may be named wrongly, which the caller finds out.
 */
static inline u64 fsk_est_find_tag(u64 tags, u8 tag)
{
	u64 x = tags ^ 0x0101010101010101ull * tag;

	return (x - 0x0101010101010101ull) & ~x & 0x0080808080808080ull;
}

#define fsk_est_for_each_tagged(slot, found, tags, tag)		\
	for ((found) = fsk_est_find_tag(tags, tag);			\
	     (found) && ((slot) = __ffs64(found) >> 3, true);		\
	     (found) &= (found) - 1)

/**
 * fsk_est_get() - take a reference on what a slot had a moment ago
 * @slot: the slot
 * @sk: what was read from it
 *
 * The slot's own reference may be dropped at any time by who empties it, and
 * the socket may then be another one: its memory stays a TCP socket's until
 * the RCU read section ends.
 *
 * Context: Expects rcu_read_lock().
 * Return: whether the caller has a reference now.
 */
static inline bool fsk_est_get(struct sock **slot, struct sock *sk)
{
	if (unlikely(!refcount_inc_not_zero(&sk->sk_refcnt)))
		return false;
	/* Pairs with the release in sock_put() by who has emptied the slot:
	 * if this reference is another socket's, the slot has changed.
	 */
	smp_rmb();
	if (likely(READ_ONCE(*slot) == sk))
		return true;
	sock_gen_put(sk);
	return false;
}

#endif
