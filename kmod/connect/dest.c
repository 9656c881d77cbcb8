// SPDX-License-Identifier: GPL-2.0
/*
 * Per-core tables of the destinations that a core connects to, and where in the
 * port range it is with each.  port.c chooses the ports.
 *
 * A table is a cache: a destination that is forgotten begins anew somewhere
 * else in the range, which costs some looks at ports that are in use.
 */
#include "connect/dest.h"

#include <linux/gcd.h>
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/topology.h>
#include <net/ipv6.h>

static DEFINE_PER_CPU(struct fsk_dest_table *, fsk_dest_tables);
static u32 fsk_dest_seed __read_mostly;

static struct fsk_dest_table *fsk_dest_table_create(int cpu)
{
	struct fsk_dest_table *table, *old;

	/* It serves all, so the first who connects is not charged for it. */
	table = kvzalloc_node(sizeof(*table), GFP_KERNEL | __GFP_NOWARN,
			      cpu_to_node(cpu));
	if (!table)
		return NULL;
	spin_lock_init(&table->lock);
	table->cpu = cpu;
	/* Full barrier: pairs with the address dependency of readers. */
	old = cmpxchg(per_cpu_ptr(&fsk_dest_tables, cpu), NULL, table);
	if (!old)
		return table;
	kvfree(table);
	return old;
}

/**
 * fsk_dest_table_get() - a core's table, made when first asked for
 * @cpu: the core
 *
 * Context: Process, may sleep.
 * Return: the table, which stays until unload, or %NULL without memory.
 */
struct fsk_dest_table *fsk_dest_table_get(int cpu)
{
	struct fsk_dest_table *table;

	table = READ_ONCE(*per_cpu_ptr(&fsk_dest_tables, cpu));
	return table ?: fsk_dest_table_create(cpu);
}

/**
 * fsk_dest_table_peek() - a core's table, if it has one
 * @cpu: the core
 *
 * Context: Any.
 * Return: the table, which stays until unload, or %NULL.
 */
struct fsk_dest_table *fsk_dest_table_peek(int cpu)
{
	return READ_ONCE(*per_cpu_ptr(&fsk_dest_tables, cpu));
}

/**
 * fsk_dest_set() - the slots where a destination may be
 * @table: the core's table
 * @key: which destination
 *
 * Context: Any.
 * Return: the first of FSK_DEST_WAYS slots.
 */
struct fsk_dest *fsk_dest_set(struct fsk_dest_table *table,
			      const struct fsk_dest_key *key)
{
	u32 hash = jhash2((const u32 *)&key->daddr, 4, fsk_dest_seed);

	hash = jhash_3words(hash, (__force u32)key->saddr.s6_addr32[3],
			    (__force u16)key->dport, (u32)key->net_cookie);
	return table->dest[hash & (FSK_DEST_SETS - 1)];
}

static bool fsk_dest_is(const struct fsk_dest_key *a,
			const struct fsk_dest_key *b)
{
	return a->net_cookie == b->net_cookie &&
	       ipv6_addr_equal(&a->daddr, &b->daddr) &&
	       ipv6_addr_equal(&a->saddr, &b->saddr) && a->oif == b->oif &&
	       a->low == b->low && a->high == b->high &&
	       a->dport == b->dport && a->ipv6 == b->ipv6;
}

/**
 * fsk_dest_find() - look a destination up
 * @table: the core's table, locked
 * @dest: fsk_dest_set() of @key
 * @key: which destination
 *
 * Context: Process.
 * Return: the destination, valid while the lock is held, or %NULL.
 */
struct fsk_dest *fsk_dest_find(struct fsk_dest_table *table,
			       struct fsk_dest *dest,
			       const struct fsk_dest_key *key)
{
	int i;

	lockdep_assert_held(&table->lock);
	for (i = 0; i < FSK_DEST_WAYS; i++)
		if (fsk_dest_is(&dest[i].key, key))
			return &dest[i];
	return NULL;
}

/**
 * fsk_dest_walk_resize() - begin a walk anew if it is over another number
 * @walk: the walk, whose table is locked
 * @size: over how many ports it is to go, not 0
 *
 * A walk begins at a secret port and has a secret step, so that nobody can tell
 * from outside which port comes next, as RFC 6056 asks.
 *
 * Context: Process.
 */
void fsk_dest_walk_resize(struct fsk_dest_walk *walk, u32 size)
{
	if (likely(walk->size == size))
		return;
	memset(walk, 0, sizeof(*walk));
	walk->size = size;
	walk->at = get_random_u32() % size;
	do {
		walk->step = 1 + get_random_u32() % size;
	} while (gcd(walk->step, size) != 1);
}

/**
 * fsk_dest_insert() - remember a destination
 * @table: the core's table, locked
 * @set: fsk_dest_set() of @key
 * @key: which, one that is not in the table
 * @route: the way there
 *
 * Context: Process.
 * Return: the destination, which replaces the one that was asked for least
 *         recently; valid while the lock is held.
 */
struct fsk_dest *fsk_dest_insert(struct fsk_dest_table *table,
				 struct fsk_dest *set,
				 const struct fsk_dest_key *key,
				 const struct fsk_dest_route *route)
{
	struct fsk_dest *dest = set;
	u32 now = jiffies;
	int i;

	lockdep_assert_held(&table->lock);
	for (i = 0; i < FSK_DEST_WAYS; i++) {
		if (!set[i].key.net_cookie) {
			dest = &set[i];
			break;
		}
		if (now - set[i].stamp > now - dest->stamp)
			dest = &set[i];
	}
	memset(dest, 0, sizeof(*dest));
	dest->key = *key;
	dest->route = *route;
	dest->stamp = now;
	return dest;
}

/**
 * fsk_dest_init() - before the first socket is primed
 *
 * Context: Process, at module load.
 */
void fsk_dest_init(void)
{
	fsk_dest_seed = get_random_u32();
}

/**
 * fsk_dest_exit() - free all tables
 *
 * Context: Process, at unload, when nobody connects any more.
 */
void fsk_dest_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kvfree(per_cpu(fsk_dest_tables, cpu));
}
