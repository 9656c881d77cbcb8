// SPDX-License-Identifier: GPL-2.0
/*
 * The sockets that have joined to connect and have not done so yet.
 *
 * Unload must find them, and the kernel keeps no list that would name them.  A
 * reference on the module for each socket would make unload wait instead, but
 * all cores would share its counter.
 */
#include "connect/primed.h"

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <net/sock.h>

#define FSK_JOINED_BITS		10	/* 1024 chains, 64 KiB */

/* One core allocates and uses the sockets of a slab, which is 32 KiB.  They
 * share a chain, so the chain's cache line stays on that core.
 */
#define FSK_JOINED_SHIFT	15

/**
 * struct fsk_joined - a socket that has joined
 * @node: in its chain, protected by the chain's lock
 * @sk: without a reference: the socket leaves before it is destroyed
 *
 * Each has a cache line of its own: the kernel's small objects would share
 * theirs with other cores'.
 */
struct fsk_joined {
	struct hlist_node node;
	struct sock *sk;
} ____cacheline_aligned_in_smp;

/**
 * struct fsk_joined_chain - the joined sockets of some slabs
 * @lock: rank 6 of DOC: locking
 * @head: protected by @lock
 */
struct fsk_joined_chain {
	spinlock_t lock;	/* rank 6 of DOC: locking */
	struct hlist_head head;
} ____cacheline_aligned_in_smp;

static struct fsk_joined_chain fsk_joined_chains[1 << FSK_JOINED_BITS];
static struct kmem_cache *fsk_joined_cache;

static struct fsk_joined_chain *fsk_joined_chain(const struct sock *sk)
{
	unsigned long slab = (unsigned long)sk >> FSK_JOINED_SHIFT;

	return &fsk_joined_chains[hash_long(slab, FSK_JOINED_BITS)];
}

/**
 * fsk_joined_init() - before the first socket joins
 *
 * Context: Process, at module load.
 * Return: 0 or -ENOMEM.
 */
int fsk_joined_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(fsk_joined_chains); i++)
		spin_lock_init(&fsk_joined_chains[i].lock);
	fsk_joined_cache = KMEM_CACHE(fsk_joined, 0);
	return fsk_joined_cache ? 0 : -ENOMEM;
}

/**
 * fsk_joined_exit() - after the last socket has left
 *
 * Context: Process, at unload.
 */
void fsk_joined_exit(void)
{
	kmem_cache_destroy(fsk_joined_cache);
}

/**
 * fsk_joined_add() - a socket joins
 * @sk: the socket; leaves by fsk_joined_del() before it is destroyed
 *
 * Context: Process, sleeps.  Expects lock_sock(@sk).
 * Return: 0 or -ENOMEM.
 */
int fsk_joined_add(struct sock *sk)
{
	struct fsk_joined_chain *chain = fsk_joined_chain(sk);
	struct fsk_joined *joined;

	/* Nobody is charged for it: it is small beside the socket, for which
	 * its owner is.
	 */
	joined = kmem_cache_alloc(fsk_joined_cache, GFP_KERNEL | __GFP_NOWARN);
	if (!joined)
		return -ENOMEM;
	joined->sk = sk;
	spin_lock_bh(&chain->lock);
	hlist_add_head(&joined->node, &chain->head);
	spin_unlock_bh(&chain->lock);
	return 0;
}

/**
 * fsk_joined_del() - a socket leaves
 * @sk: the socket
 *
 * Context: Any.  Expects that the caller owns @sk.
 */
void fsk_joined_del(struct sock *sk)
{
	struct fsk_joined_chain *chain = fsk_joined_chain(sk);
	struct fsk_joined *joined;

	spin_lock_bh(&chain->lock);
	hlist_for_each_entry(joined, &chain->head, node) {
		if (joined->sk == sk) {
			hlist_del(&joined->node);
			break;
		}
	}
	spin_unlock_bh(&chain->lock);
	if (!WARN_ON_ONCE(!joined))
		kmem_cache_free(fsk_joined_cache, joined);
}

static struct sock *fsk_joined_get(struct fsk_joined_chain *chain)
{
	struct fsk_joined *joined;
	struct sock *sk = NULL;

	spin_lock_bh(&chain->lock);
	if (!hlist_empty(&chain->head)) {
		joined = hlist_entry(chain->head.first, struct fsk_joined,
				     node);
		sk = joined->sk;
		sock_hold(sk);
	}
	spin_unlock_bh(&chain->lock);
	return sk;
}

/**
 * fsk_joined_get_any() - some socket that has joined
 *
 * Context: Process, at unload, when no more join.
 * Return: the socket, with a reference that the caller drops, or %NULL when
 *         none is left.
 */
struct sock *fsk_joined_get_any(void)
{
	struct sock *sk = NULL;
	int i;

	for (i = 0; i < ARRAY_SIZE(fsk_joined_chains) && !sk; i++)
		sk = fsk_joined_get(&fsk_joined_chains[i]);
	return sk;
}
