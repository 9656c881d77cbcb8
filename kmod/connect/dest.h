/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_DEST_H
#define FSK_DEST_H

#include <linux/in6.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/* Destinations that a core remembers: sets by hash, ways in each. */
#define FSK_DEST_SETS	128	/* a power of two */
#define FSK_DEST_WAYS	4

/**
 * struct fsk_dest_key - what a source port has to be unique for
 * @net_cookie: the namespace, never used again for another
 * @daddr: address that the application gave, an IPv4 address in the last four
 *	bytes
 * @saddr: address that the socket is bound to, likewise; zero if none
 * @oif: device that the socket is bound to, or 0
 * @low: first port of the range
 * @high: last port of the range
 * @dport: remote port
 * @ipv6: whether the packets are IPv6
 */
struct fsk_dest_key {
	u64 net_cookie;
	struct in6_addr daddr;
	struct in6_addr saddr;
	int oif;
	u16 low;
	u16 high;
	__be16 dport;
	bool ipv6;
};

/**
 * struct fsk_dest_route - the way to a destination, as last seen
 * @daddr: address that is connected to
 * @saddr: source address
 * @ifindex: interface
 *
 * A hint: the kernel checks the port that comes of it against the route that
 * the connection really takes.
 */
struct fsk_dest_route {
	struct in6_addr daddr;
	struct in6_addr saddr;
	int ifindex;
};

/**
 * struct fsk_dest_walk - a walk over ports of the range, each once a round
 * @size: how many ports; the caller knows which
 * @at: number of the port that comes next
 * @step: from one number to the next, modulo @size; the two have no common
 *	divisor
 * @idle: steps since a port was found
 * @used_up: a whole round found none
 * @skipped: connections since then, roughly
 */
struct fsk_dest_walk {
	u32 size;
	u32 at;
	u32 step;
	u32 idle;
	bool used_up;
	u8 skipped;
};

/**
 * struct fsk_dest - a destination to which this core connects
 * @key: which; @key.net_cookie is 0 while the slot is free
 * @route: the way there
 * @own: walk over the ports of this core
 * @any: walk over all ports
 * @stamp: jiffies when it was last asked for
 * @rfd_stamp: fsk_net.rfd_stamp for which @hash was worked out
 * @rfd_ifindex: interface for which @hash was worked out
 * @hash: of the flow without its local port, in rss mode
 * @trust: connections in a row that got their first candidate
 * @nr_own: connections from a port of this core
 * @nr_any: connections from another port
 * @nr_probes: ports looked at
 * @nr_clashes: ports that the kernel refused
 *
 * Protected by the table's lock.
 */
struct fsk_dest {
	struct fsk_dest_key key;
	struct fsk_dest_route route;
	struct fsk_dest_walk own;
	struct fsk_dest_walk any;
	u32 stamp;
	u32 rfd_stamp;
	int rfd_ifindex;
	u32 hash;
	u32 trust;
	u64 nr_own;
	u64 nr_any;
	u64 nr_probes;
	u64 nr_clashes;
};

/**
 * struct fsk_dest_table - the destinations of one core
 * @lock: protects all; tasks that run on this core take it, so only a task that
 *	is moved to another core meanwhile, or a dump, ever waits for it
 * @cpu: the core, constant
 * @dest: slots, by hash
 */
struct fsk_dest_table {
	spinlock_t lock;	/* rank 6 of DOC: locking */
	int cpu;
	struct fsk_dest dest[FSK_DEST_SETS][FSK_DEST_WAYS];
};

struct fsk_dest_table *fsk_dest_table_get(int cpu);
struct fsk_dest_table *fsk_dest_table_peek(int cpu);
struct fsk_dest *fsk_dest_set(struct fsk_dest_table *table,
			      const struct fsk_dest_key *key);
struct fsk_dest *fsk_dest_find(struct fsk_dest_table *table,
			       struct fsk_dest *dest,
			       const struct fsk_dest_key *key);
struct fsk_dest *fsk_dest_insert(struct fsk_dest_table *table,
				 struct fsk_dest *set,
				 const struct fsk_dest_key *key,
				 const struct fsk_dest_route *route);
void fsk_dest_walk_resize(struct fsk_dest_walk *walk, u32 size);
void fsk_dest_init(void);
void fsk_dest_exit(void);

static inline u32 fsk_dest_range(const struct fsk_dest_key *key)
{
	return key->high - key->low + 1;
}

#endif
