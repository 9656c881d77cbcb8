// SPDX-License-Identifier: GPL-2.0
/*
 * The primed sockets: those that are about to connect by our connect().
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

#define FSK_PRIMED_BITS		10	/* 1024 chains, 64 KiB */

/* One core allocates and uses the sockets of a slab, which is 32 KiB.  They
 * share a chain, so the chain's cache line stays on that core.
 */
#define FSK_PRIMED_SHIFT	15

/**
 * struct fsk_primed - a primed socket
 * @node: in its chain, protected by the chain's lock
 * @sk: without a reference: the socket is made plain before it is destroyed
 *
 * Each has a cache line of its own: the kernel's small objects would share
 * theirs with other cores'.
 */
struct fsk_primed {
	struct hlist_node node;
	struct sock *sk;
} ____cacheline_aligned_in_smp;

/**
 * struct fsk_primed_chain - the primed sockets of some slabs
 * @lock: rank 6 of DOC: locking
 * @head: protected by @lock
 */
struct fsk_primed_chain {
	spinlock_t lock;	/* rank 6 of DOC: locking */
	struct hlist_head head;
} ____cacheline_aligned_in_smp;

static struct fsk_primed_chain fsk_primed_chains[1 << FSK_PRIMED_BITS];
static struct kmem_cache *fsk_primed_cache;

static struct fsk_primed_chain *fsk_primed_chain(const struct sock *sk)
{
	unsigned long slab = (unsigned long)sk >> FSK_PRIMED_SHIFT;

	return &fsk_primed_chains[hash_long(slab, FSK_PRIMED_BITS)];
}

/**
 * fsk_primed_init() - before the first socket is primed
 *
 * Context: Process, at module load.
 * Return: 0 or -ENOMEM.
 */
int fsk_primed_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(fsk_primed_chains); i++)
		spin_lock_init(&fsk_primed_chains[i].lock);
	fsk_primed_cache = KMEM_CACHE(fsk_primed, 0);
	return fsk_primed_cache ? 0 : -ENOMEM;
}

/**
 * fsk_primed_exit() - after the last socket was made plain
 *
 * Context: Process, at unload.
 */
void fsk_primed_exit(void)
{
	kmem_cache_destroy(fsk_primed_cache);
}

/**
 * fsk_primed_add() - note a socket that is primed
 * @sk: the socket; fsk_primed_del() takes it out before it is destroyed
 *
 * Context: Process, sleeps.  Expects lock_sock(@sk).
 * Return: 0 or -ENOMEM.
 */
int fsk_primed_add(struct sock *sk)
{
	struct fsk_primed_chain *chain = fsk_primed_chain(sk);
	struct fsk_primed *primed;

	/* Nobody is charged for it: it is small beside the socket, for which
	 * its owner is.
	 */
	primed = kmem_cache_alloc(fsk_primed_cache, GFP_KERNEL | __GFP_NOWARN);
	if (!primed)
		return -ENOMEM;
	primed->sk = sk;
	spin_lock_bh(&chain->lock);
	hlist_add_head(&primed->node, &chain->head);
	spin_unlock_bh(&chain->lock);
	return 0;
}

/**
 * fsk_primed_del() - forget a socket that is made plain
 * @sk: the socket
 *
 * Context: Any.  Expects that the caller owns @sk.
 */
void fsk_primed_del(struct sock *sk)
{
	struct fsk_primed_chain *chain = fsk_primed_chain(sk);
	struct fsk_primed *primed;

	spin_lock_bh(&chain->lock);
	hlist_for_each_entry(primed, &chain->head, node) {
		if (primed->sk == sk) {
			hlist_del(&primed->node);
			break;
		}
	}
	spin_unlock_bh(&chain->lock);
	if (!WARN_ON_ONCE(!primed))
		kmem_cache_free(fsk_primed_cache, primed);
}

static struct sock *fsk_primed_get(struct fsk_primed_chain *chain)
{
	struct fsk_primed *primed;
	struct sock *sk = NULL;

	spin_lock_bh(&chain->lock);
	if (!hlist_empty(&chain->head)) {
		primed = hlist_entry(chain->head.first, struct fsk_primed,
				     node);
		sk = primed->sk;
		sock_hold(sk);
	}
	spin_unlock_bh(&chain->lock);
	return sk;
}

/**
 * fsk_primed_get_any() - some primed socket
 *
 * Context: Process, at unload, when no more are primed.
 * Return: the socket, with a reference that the caller drops, or %NULL when
 *         none is left.
 */
struct sock *fsk_primed_get_any(void)
{
	struct sock *sk = NULL;
	int i;

	for (i = 0; i < ARRAY_SIZE(fsk_primed_chains) && !sk; i++)
		sk = fsk_primed_get(&fsk_primed_chains[i]);
	return sk;
}
