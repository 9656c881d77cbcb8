/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_VFS_H
#define FSK_VFS_H

#include <linux/spinlock.h>
#include <linux/types.h>

struct cred;
struct fsk_listener;
struct fsk_net;
struct socket;

/**
 * struct fsk_vfs_pass - who was let through accept4() last
 * @lock: rank 10 of DOC: locking; protects what follows
 * @cred: its credentials, with a reference; or %NULL
 * @stamp: jiffies when that was
 */
struct fsk_vfs_pass {
	spinlock_t lock;	/* rank 10 of DOC: locking */
	const struct cred *cred;
	unsigned long stamp;
};

void fsk_vfs_init(void);
const char *fsk_vfs_forbidden(void);

void fsk_vfs_create(struct fsk_vfs_pass *pass);
void fsk_vfs_destroy(struct fsk_vfs_pass *pass);

void fsk_vfs_pass(struct fsk_listener *l);
int fsk_vfs_accept(struct fsk_listener *l, struct socket *sock,
		   void __user *arg);

#endif
