/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_POOL_H
#define FSK_POOL_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/spinlock.h>

struct dentry;
struct fsk_net;
struct fsk_pool_slot;
struct proto_ops;
struct socket;

/**
 * struct fsk_pool_ring - a queue of socket files; first in, first out
 * @slots: as many as the pool's size
 * @head: index of the first
 * @count: how many
 */
struct fsk_pool_ring {
	struct fsk_pool_slot *slots;
	unsigned int head;
	unsigned int count;
};

/**
 * struct fsk_pool - sockets of one core of one listener, to be used again
 * @lock: rank 10 of DOC: locking; protects what follows, down to @memcg
 * @size: of either ring, a power of two; 0 until the first is kept
 * @out: files in use, or closed since the pool looked
 * @rest: closed files, to be used again after a grace period
 * @asked: @gp has been asked for
 * @gp: the grace period that was asked for last
 * @memcg: serial number of the memory cgroup that paid for all of them
 * @mnt: sockfs, which is never unmounted; constant once there is one
 * @fops: operations of socket files; constant once there is one
 * @mode: f_mode of a new socket file; constant once there is one
 * @names: fsk_compat_xattr_names() of the newest
 * @fn: namespace state, constant
 * @cpu: constant
 * @node: in the list of all pools
 */
struct fsk_pool {
	spinlock_t lock;	/* rank 10 of DOC: locking */
	unsigned int size;
	struct fsk_pool_ring out;
	struct fsk_pool_ring rest;
	bool asked;
	unsigned long gp;
	u64 memcg;

	struct vfsmount *mnt;
	const struct file_operations *fops;
	fmode_t mode;
	ssize_t names;
	struct fsk_net *fn;
	int cpu;
	struct list_head node;
};

/**
 * struct fsk_pool_figures - what the pools of a core hold
 * @pools: listeners
 * @size: how many socket files there is room for
 * @out: files in use, or closed since the pool looked
 * @rest: closed
 */
struct fsk_pool_figures {
	u32 pools;
	u32 size;
	u32 out;
	u32 rest;
};

int fsk_pool_init(void);
void fsk_pool_exit(void);

void fsk_pool_create(struct fsk_pool *pool, struct fsk_net *fn, int cpu);
void fsk_pool_destroy(struct fsk_pool *pool);

struct file *fsk_pool_file(struct fsk_pool *pool, const struct proto_ops *ops,
			   const char *name, int flags);
void fsk_pool_drain(struct fsk_pool *pool);
void fsk_pool_figures(struct fsk_pool *pool, struct fsk_pool_figures *figures);

#endif
