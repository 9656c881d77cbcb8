// SPDX-License-Identifier: GPL-2.0
/*
 * Socket files that are used again.
 *
 * A pool holds a reference on the dentry of each socket file that it has made,
 * and nothing else: file, dentry and inode are sockfs's own, made by the
 * kernel's functions.  When the file is closed the inode stays, because of the
 * reference.  The pool sees that it holds the only one, waits for an RCU grace
 * period, as the kernel does before it frees a socket, and opens the dentry
 * anew for another connection: no allocation of inode and dentry, and nothing
 * freed when that is closed.
 *
 * Nothing ever points back here, so a pool may be dropped at any time: the
 * kernel frees a file that is in use then when it is closed.
 *
 * vfs.c decides who may accept in this way.
 */
#include "files/pool.h"

#include <linux/cgroup.h>
#include <linux/cpuhotplug.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "compat.h"
#include "netns.h"

/* A core that accepts 20,000 connections a second uses up 500 of them in a
 * grace period of 25 ms.
 */
#define FSK_POOL_MIN	64
#define FSK_POOL_MAX	1024

/* The pool looks at a file or two for each connection, and leaves a file to the
 * kernel after this many looks.  By then the core has accepted four to eight
 * times as many connections as it has open.
 */
#define FSK_POOL_LOOKS	8

/* Two to look at, one that proves unusable. */
#define FSK_POOL_VICTIMS	3

/**
 * struct fsk_pool_slot - a socket file
 * @dentry: its dentry, with a reference
 * @word: in fsk_pool.out, number of looks that found it open; in
 *	fsk_pool.rest, the grace period after which it may be used
 */
struct fsk_pool_slot {
	struct dentry *dentry;
	unsigned long word;
};

/**
 * struct fsk_pool_victims - dentries to put once the lock is dropped
 * @dentry: with a reference each
 * @count: number of these
 */
struct fsk_pool_victims {
	struct dentry *dentry[FSK_POOL_VICTIMS];
	unsigned int count;
};

static DEFINE_MUTEX(fsk_pool_mutex);	/* rank 4 of DOC: locking */
static LIST_HEAD(fsk_pool_list);	/* protected by fsk_pool_mutex */
static struct shrinker *fsk_pool_shrinker;
static int fsk_pool_cpuhp;

/* Rings */

static struct fsk_pool_slot *
fsk_pool_ring_at(const struct fsk_pool *pool, const struct fsk_pool_ring *ring,
		 unsigned int i)
{
	return &ring->slots[(ring->head + i) & (pool->size - 1)];
}

static void fsk_pool_ring_push(struct fsk_pool *pool,
			       struct fsk_pool_ring *ring,
			       struct dentry *dentry, unsigned long word)
{
	struct fsk_pool_slot *slot = fsk_pool_ring_at(pool, ring, ring->count);

	slot->dentry = dentry;
	slot->word = word;
	ring->count++;
}

static struct fsk_pool_slot fsk_pool_ring_pop(struct fsk_pool *pool,
					      struct fsk_pool_ring *ring)
{
	struct fsk_pool_slot slot = *fsk_pool_ring_at(pool, ring, 0);

	ring->head++;
	ring->count--;
	return slot;
}

static void fsk_pool_ring_move(const struct fsk_pool *pool,
			       struct fsk_pool_ring *ring,
			       struct fsk_pool_slot *slots)
{
	unsigned int i;

	for (i = 0; i < ring->count; i++)
		slots[i] = *fsk_pool_ring_at(pool, ring, i);
	ring->slots = slots;
	ring->head = 0;
}

/* Makes room for one more, but not without memory or beyond the limit.
 * Drops @pool->lock for a moment.
 */
static void __fsk_pool_grow(struct fsk_pool *pool)
	__must_hold(&pool->lock)
{
	unsigned int old = pool->size;
	unsigned int size = old ? 2 * old : FSK_POOL_MIN;
	struct fsk_pool_slot *slots, *spare;

	if (old == FSK_POOL_MAX || pool->out.count + pool->rest.count < old)
		return;
	spin_unlock(&pool->lock);
	slots = kvmalloc_array(2 * size, sizeof(*slots),
			       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	spin_lock(&pool->lock);
	spare = slots;
	if (slots && pool->size == old) {
		spare = pool->out.slots;
		fsk_pool_ring_move(pool, &pool->out, slots);
		fsk_pool_ring_move(pool, &pool->rest, slots + size);
		pool->size = size;
	}
	spin_unlock(&pool->lock);
	kvfree(spare);
	spin_lock(&pool->lock);
}

/* One file's state */

/* Whether the pool holds the only reference.  Nobody can take another: the
 * dentry is in no table, and no file leads to it any more.
 */
static bool fsk_pool_idle(const struct dentry *dentry)
{
	return d_count(dentry) == 1 &&
	       atomic_read(&d_inode(dentry)->i_count) == 1;
}

/* Whether a closed file is as the kernel made it.  A change of mode, owner or
 * times leaves the inode dirty for ever, as nobody writes it out.
 */
static bool fsk_pool_clean(struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	struct socket *sock = SOCKET_I(inode);

	if (!fsk_pool_idle(dentry) || sock->file || sock->sk || sock->ops ||
	    sock->wq.fasync_list)
		return false;
	/* Nobody can come to wait any more: no barrier. */
	if (waitqueue_active(&sock->wq.wait))
		return false;
#ifdef CONFIG_FSNOTIFY
	if (rcu_access_pointer(inode->i_fsnotify_marks) ||
	    inode->i_fsnotify_mask)
		return false;
#endif
	return !fsk_compat_inode_state(inode) && !inode->i_flctx;
}

/* Does what sock_alloc() and the functions under it do to a new socket. */
static void fsk_pool_reset(struct inode *inode)
{
	struct socket *sock = SOCKET_I(inode);

	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFSOCK | 0777;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	/* fcntl() changes it without leaving a mark. */
	inode->i_write_hint = WRITE_LIFE_NOT_SET;
	atomic64_set(&inode->i_sequence, 0);
	sock->state = SS_UNCONNECTED;
	sock->flags = 0;
	sock->wq.flags = 0;
}

static struct socket *fsk_pool_socket(struct socket *sock,
				      const struct proto_ops *ops)
{
	/* The kernel puts it when the socket is released, as for any. */
	__module_get(ops->owner);
	sock->type = SOCK_STREAM;
	sock->ops = ops;
	return sock;
}

/* Return: the memory cgroup that pays for the caller's allocations.  The kernel
 * gives no serial number twice, so no reference is needed.  Expects
 * fsk_pool.lock, under which no grace period ends.
 */
static u64 fsk_pool_memcg(void)
{
#ifdef CONFIG_MEMCG
	return task_css_check(current, memory_cgrp_id, true)->serial_nr;
#else
	return 0;
#endif
}

/* Giving back */

static void fsk_pool_put_ring(const struct fsk_pool *pool,
			      const struct fsk_pool_ring *ring)
{
	unsigned int i;

	for (i = 0; i < ring->count; i++)
		dput(fsk_pool_ring_at(pool, ring, i)->dentry);
}

/* Empties the pool into @old. */
static void __fsk_pool_detach(struct fsk_pool *pool, struct fsk_pool *old)
{
	lockdep_assert_held(&pool->lock);
	old->size = pool->size;
	old->out = pool->out;
	old->rest = pool->rest;
	pool->size = 0;
	pool->out = (struct fsk_pool_ring){};
	pool->rest = (struct fsk_pool_ring){};
}

/* Returns how many files it gave back. */
static unsigned int fsk_pool_put_all(const struct fsk_pool *old)
{
	fsk_pool_put_ring(old, &old->out);
	fsk_pool_put_ring(old, &old->rest);
	kvfree(old->out.slots);
	return old->out.count + old->rest.count;
}

static unsigned int fsk_pool_empty(struct fsk_pool *pool)
{
	struct fsk_pool old;

	spin_lock(&pool->lock);
	__fsk_pool_detach(pool, &old);
	spin_unlock(&pool->lock);
	return fsk_pool_put_all(&old);
}

/* Gives back all that other cgroups paid for: @pool is @memcg's from now on. */
static noinline void fsk_pool_change(struct fsk_pool *pool, u64 memcg)
{
	struct fsk_pool old;

	spin_lock(&pool->lock);
	__fsk_pool_detach(pool, &old);
	pool->memcg = memcg;
	spin_unlock(&pool->lock);
	fsk_stats_add(pool->fn, VFS_MEMCG, fsk_pool_put_all(&old));
}

static void fsk_pool_put_victims(const struct fsk_pool_victims *victims)
{
	unsigned int i;

	for (i = 0; i < victims->count; i++)
		dput(victims->dentry[i]);
}

/* Taking */

/* Looks at the @n files that were handed out first. */
static void __fsk_pool_look(struct fsk_pool *pool, unsigned int n,
			    struct fsk_pool_victims *victims)
{
	struct fsk_pool_slot slot;

	lockdep_assert_held(&pool->lock);
	for (; n && pool->out.count; n--) {
		slot = fsk_pool_ring_pop(pool, &pool->out);
		if (fsk_pool_idle(slot.dentry)) {
			fsk_pool_ring_push(pool, &pool->rest, slot.dentry,
					   get_state_synchronize_rcu());
		} else if (++slot.word < FSK_POOL_LOOKS) {
			fsk_pool_ring_push(pool, &pool->out, slot.dentry,
					   slot.word);
		} else {
			victims->dentry[victims->count++] = slot.dentry;
			fsk_stats_inc(pool->fn, VFS_BUSY);
		}
	}
}

/* Asks for a grace period: if nobody else waits for one, none may end for long.
 */
static void __fsk_pool_ask(struct fsk_pool *pool)
{
	if (pool->asked && !poll_state_synchronize_rcu(pool->gp))
		return;
	pool->gp = start_poll_synchronize_rcu();
	pool->asked = true;
}

/* Takes the file that has been closed for longest.  A reader that found the
 * socket before it was closed may be inside its wait queue until a grace period
 * has passed; that also orders the writes of the task that closed it before our
 * reads.
 */
static struct dentry *__fsk_pool_take(struct fsk_pool *pool,
				      struct fsk_pool_victims *victims)
{
	struct dentry *dentry;

	lockdep_assert_held(&pool->lock);
	if (!pool->rest.count)
		return NULL;
	if (!poll_state_synchronize_rcu(fsk_pool_ring_at(pool, &pool->rest,
							 0)->word)) {
		__fsk_pool_ask(pool);
		fsk_stats_inc(pool->fn, VFS_EARLY);
		return NULL;
	}
	dentry = fsk_pool_ring_pop(pool, &pool->rest).dentry;
	if (fsk_pool_clean(dentry))
		return dentry;
	victims->dentry[victims->count++] = dentry;
	fsk_stats_inc(pool->fn, VFS_CHANGED);
	return NULL;
}

/* @memcg is set to the cgroup that pays for a file made now. */
static struct dentry *fsk_pool_take(struct fsk_pool *pool, u64 *memcg)
{
	struct fsk_pool_victims victims;
	struct dentry *dentry = NULL;
	bool mine;

	victims.count = 0;
	spin_lock(&pool->lock);
	*memcg = fsk_pool_memcg();
	mine = pool->memcg == *memcg;
	if (likely(mine)) {
		dentry = __fsk_pool_take(pool, &victims);
		__fsk_pool_look(pool, dentry ? 1 : 2, &victims);
	}
	spin_unlock(&pool->lock);
	fsk_pool_put_victims(&victims);
	if (unlikely(!mine))
		fsk_pool_change(pool, *memcg);
	return dentry;
}

/* Whether to keep a file: there is room, @memcg still pays for the pool, and
 * vfs is on.  A task that switches it off empties the pool afterwards.
 */
static bool __fsk_pool_keeps(const struct fsk_pool *pool, u64 memcg)
{
	lockdep_assert_held(&pool->lock);
	return pool->out.count + pool->rest.count < pool->size &&
	       pool->memcg == memcg && READ_ONCE(pool->fn->vfs);
}

/* Gives the reference to the pool, or puts it.  @memcg is the cgroup that paid.
 */
static void fsk_pool_keep(struct fsk_pool *pool, struct dentry *dentry,
			  u64 memcg)
{
	bool kept;

	spin_lock(&pool->lock);
	__fsk_pool_grow(pool);
	kept = __fsk_pool_keeps(pool, memcg);
	if (kept)
		fsk_pool_ring_push(pool, &pool->out, dentry, 0);
	spin_unlock(&pool->lock);
	if (kept)
		return;
	fsk_stats_inc(pool->fn, VFS_FULL);
	dput(dentry);
}

/* As sock_alloc_file() does it.  The inodes of sockfs refuse open(), or
 * /proc/self/fd could open them.  Nobody but us can reach this one, so for the
 * time of the call it has operations that allow it.
 */
static struct file *fsk_pool_open(struct fsk_pool *pool, struct dentry *dentry,
				  int flags)
{
	struct path path = { .mnt = pool->mnt, .dentry = dentry };
	struct inode *inode = d_inode(dentry);
	const struct file_operations *fops = inode->i_fop;
	struct file *file;

	inode->i_fop = pool->fops;
	file = dentry_open(&path, O_RDWR | (flags & O_NONBLOCK),
			   current_cred());
	inode->i_fop = fops;
	if (IS_ERR(file))
		return file;
	file->f_mode = pool->mode;
	file->private_data = SOCKET_I(inode);
	SOCKET_I(inode)->file = file;
	return file;
}

/* As fsk_pool_clean(), but must not be called with a spinlock held.  A new file
 * has those that its security module and sockfs give it.
 */
static bool fsk_pool_has_xattrs(struct fsk_pool *pool, struct dentry *dentry)
{
	if (likely(fsk_compat_xattr_names(dentry) == pool->names))
		return false;
	fsk_stats_inc(pool->fn, VFS_CHANGED);
	return true;
}

static struct file *fsk_pool_again(struct fsk_pool *pool,
				   const struct proto_ops *ops, int flags,
				   u64 *memcg)
{
	struct dentry *dentry = fsk_pool_take(pool, memcg);
	struct inode *inode;
	struct file *file;

	if (!dentry)
		return NULL;
	if (fsk_pool_has_xattrs(pool, dentry))
		goto put;
	inode = d_inode(dentry);
	fsk_pool_reset(inode);
	file = fsk_pool_open(pool, dentry, flags);
	if (IS_ERR(file))
		goto put;
	fsk_pool_socket(SOCKET_I(inode), ops);
	fsk_pool_keep(pool, dentry, *memcg);
	fsk_stats_inc(pool->fn, VFS_REUSE);
	return file;
put:
	dput(dentry);
	return NULL;
}

static struct file *fsk_pool_new(struct fsk_pool *pool,
				 const struct proto_ops *ops, const char *name,
				 int flags, u64 memcg)
{
	struct socket *sock = sock_alloc();
	struct file *file;

	if (!sock)
		return ERR_PTR(-ENFILE);
	file = sock_alloc_file(fsk_pool_socket(sock, ops), flags, name);
	if (IS_ERR(file))
		return file;
	pool->mnt = file->f_path.mnt;
	pool->fops = file->f_op;
	pool->mode = file->f_mode;
	pool->names = fsk_compat_xattr_names(file->f_path.dentry);
	fsk_pool_keep(pool, dget(file->f_path.dentry), memcg);
	return file;
}

/**
 * fsk_pool_file() - a socket file for a connection
 * @pool: the pool
 * @ops: the kernel's, for the new socket
 * @name: the listener's protocol's
 * @flags: O_NONBLOCK or 0
 *
 * Context: Process, sleeps; in a task bound to the pool's core, but preempted
 *          by others that are.
 * Return: the file of a socket without a sock, as accept() makes it; or an
 *         ERR_PTR() that accept() would give.
 */
struct file *fsk_pool_file(struct fsk_pool *pool, const struct proto_ops *ops,
			   const char *name, int flags)
{
	struct file *file;
	u64 memcg;

	file = fsk_pool_again(pool, ops, flags, &memcg);
	return file ? file : fsk_pool_new(pool, ops, name, flags, memcg);
}

/* All pools */

/**
 * fsk_pool_create() - make an empty pool
 * @pool: zeroed memory
 * @fn: namespace state
 * @cpu: the core
 *
 * Context: Process.  Expects fsk_listener.mutex.
 */
void fsk_pool_create(struct fsk_pool *pool, struct fsk_net *fn, int cpu)
{
	spin_lock_init(&pool->lock);
	pool->fn = fn;
	pool->cpu = cpu;
	mutex_lock(&fsk_pool_mutex);
	list_add(&pool->node, &fsk_pool_list);
	mutex_unlock(&fsk_pool_mutex);
}

/**
 * fsk_pool_destroy() - give back all that it holds
 * @pool: the pool; nobody takes from it any more
 *
 * Context: Process, sleeps.
 */
void fsk_pool_destroy(struct fsk_pool *pool)
{
	mutex_lock(&fsk_pool_mutex);
	list_del(&pool->node);
	mutex_unlock(&fsk_pool_mutex);
	fsk_pool_empty(pool);
}

/**
 * fsk_pool_drain() - empty a pool that stays in use
 * @pool: the pool
 *
 * Context: Process, sleeps.
 */
void fsk_pool_drain(struct fsk_pool *pool)
{
	fsk_pool_empty(pool);
}

/**
 * fsk_pool_figures() - count what a pool holds
 * @pool: the pool
 * @figures: sums to which it adds
 *
 * Context: Process.
 */
void fsk_pool_figures(struct fsk_pool *pool, struct fsk_pool_figures *figures)
{
	spin_lock(&pool->lock);
	figures->pools++;
	figures->size += pool->size;
	figures->out += pool->out.count;
	figures->rest += pool->rest.count;
	spin_unlock(&pool->lock);
}

static unsigned long fsk_pool_count(struct shrinker *shrinker,
				    struct shrink_control *sc)
{
	struct fsk_pool *pool;
	unsigned long n = 0;

	if (!mutex_trylock(&fsk_pool_mutex))
		return 0;
	list_for_each_entry(pool, &fsk_pool_list, node)
		n += READ_ONCE(pool->out.count) + READ_ONCE(pool->rest.count);
	mutex_unlock(&fsk_pool_mutex);
	return n ? n : SHRINK_EMPTY;
}

/* Empties whole pools: they fill again where they are needed.  The next call
 * begins with another one.
 */
static unsigned long fsk_pool_scan(struct shrinker *shrinker,
				   struct shrink_control *sc)
{
	struct fsk_pool *pool;
	unsigned long n = 0;
	unsigned int count;

	/* Freeing inodes must not recurse into a file system. */
	if (!(sc->gfp_mask & __GFP_FS) || !mutex_trylock(&fsk_pool_mutex))
		return SHRINK_STOP;
	list_for_each_entry(pool, &fsk_pool_list, node) {
		count = fsk_pool_empty(pool);
		fsk_stats_add(pool->fn, VFS_RECLAIM, count);
		n += count;
		if (n >= sc->nr_to_scan) {
			list_rotate_to_front(&pool->node, &fsk_pool_list);
			list_rotate_left(&fsk_pool_list);
			break;
		}
	}
	mutex_unlock(&fsk_pool_mutex);
	return n ? n : SHRINK_STOP;
}

/* No worker is bound to this core any more. */
static int fsk_pool_cpu_dead(unsigned int cpu)
{
	struct fsk_pool *pool;

	mutex_lock(&fsk_pool_mutex);
	list_for_each_entry(pool, &fsk_pool_list, node)
		if (pool->cpu == cpu)
			fsk_stats_add(pool->fn, VFS_RECLAIM,
				      fsk_pool_empty(pool));
	mutex_unlock(&fsk_pool_mutex);
	return 0;
}

/**
 * fsk_pool_init() - register for memory shortage and for cores that go
 *
 * Context: Process, at module load.
 * Return: 0 or a negative errno.
 */
int fsk_pool_init(void)
{
	fsk_pool_shrinker = fsk_compat_shrinker_create(fsk_pool_count,
						       fsk_pool_scan);
	if (!fsk_pool_shrinker)
		return -ENOMEM;
	fsk_pool_cpuhp = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN,
						   "net/fastsocket:dead", NULL,
						   fsk_pool_cpu_dead);
	if (fsk_pool_cpuhp >= 0)
		return 0;
	fsk_compat_shrinker_destroy(fsk_pool_shrinker);
	return fsk_pool_cpuhp;
}

/**
 * fsk_pool_exit() - unregister both
 *
 * Context: Process, at unload, after the last listener was freed.
 */
void fsk_pool_exit(void)
{
	cpuhp_remove_state_nocalls(fsk_pool_cpuhp);
	fsk_compat_shrinker_destroy(fsk_pool_shrinker);
}
