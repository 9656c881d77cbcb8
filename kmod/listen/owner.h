/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_OWNER_H
#define FSK_OWNER_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/uidgid.h>

/**
 * struct fsk_owner - a user of this machine, and its local listeners
 * @uid: the user, constant
 * @users: app listeners that it has; protected by fsk_owner_lock
 * @locals: local listeners that it has, in all namespaces
 * @node: in fsk_owners; protected by fsk_owner_lock
 */
struct fsk_owner {
	kuid_t uid;
	unsigned int users;
	atomic_t locals;
	struct hlist_node node;
};

void fsk_owner_init(void);
struct fsk_owner *fsk_owner_get(const struct file *file);
void fsk_owner_put(struct fsk_owner *owner);

unsigned int fsk_owner_max(void);
void fsk_owner_set_max(unsigned int max);
bool fsk_owner_has_room(const struct fsk_owner *owner);
int fsk_owner_charge(struct fsk_owner *owner, const struct file *file);
void fsk_owner_uncharge(struct fsk_owner *owner);

#endif
