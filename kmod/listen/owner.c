// SPDX-License-Identifier: GPL-2.0
/*
 * Owners: who has how many local listeners, and how many one owner may have.
 *
 * One descriptor makes as many listening sockets as there are cores, so a limit
 * on descriptors does not limit them.  The kernel charges their memory to the
 * control group of the worker that makes them; this limit is for machines
 * without control groups.
 *
 * An owner is a user of the machine.  In a user namespace, the user who made
 * the outermost one owns all that is in it: neither a namespace within it nor a
 * user of it has a limit of its own.
 */
#include "listen/owner.h"

#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>

#define FSK_OWNER_BITS	6

/* A local listener takes about 4 kB: of a machine's memory, one user has a 64th
 * at most, by default.  Hundreds of listeners on as many cores are less.
 */
#define FSK_OWNER_SHARE	64
#define FSK_OWNER_LEAST	1024
#define FSK_OWNER_MOST	65536

static unsigned int fsk_owner_limit __read_mostly;

/* Rank 9; protects the table and its members' user counts. */
static DEFINE_SPINLOCK(fsk_owner_lock);
static DEFINE_HASHTABLE(fsk_owners, FSK_OWNER_BITS);

/**
 * fsk_owner_init() - set the limit by the memory of this machine
 *
 * Context: Process, at module load.
 */
void fsk_owner_init(void)
{
	fsk_owner_limit = clamp_t(unsigned long,
				  totalram_pages() / FSK_OWNER_SHARE,
				  FSK_OWNER_LEAST, FSK_OWNER_MOST);
}

/* The user who opened the socket counts: anybody may have it by now. */
static kuid_t fsk_owner_uid(const struct file *file)
{
	const struct cred *cred = file ? file->f_cred : current_cred();
	const struct user_namespace *ns;
	kuid_t uid = cred->euid;

	for (ns = cred->user_ns; ns->parent; ns = ns->parent)
		uid = ns->owner;
	return uid;
}

static struct fsk_owner *fsk_owner_find(kuid_t uid)
{
	struct fsk_owner *owner;

	lockdep_assert_held(&fsk_owner_lock);
	hash_for_each_possible(fsk_owners, owner, node, __kuid_val(uid))
		if (uid_eq(owner->uid, uid))
			return owner;
	return NULL;
}

/**
 * fsk_owner_get() - the owner of a socket
 * @file: the socket's file, or %NULL for the calling task
 *
 * Context: Process, sleeps.
 * Return: the owner with a reference, or %NULL without memory.
 */
struct fsk_owner *fsk_owner_get(const struct file *file)
{
	struct fsk_owner *owner, *new;
	kuid_t uid = fsk_owner_uid(file);

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!new)
		return NULL;
	spin_lock(&fsk_owner_lock);
	owner = fsk_owner_find(uid);
	if (!owner) {
		owner = new;
		new = NULL;
		owner->uid = uid;
		hash_add(fsk_owners, &owner->node, __kuid_val(uid));
	}
	owner->users++;
	spin_unlock(&fsk_owner_lock);
	kfree(new);
	return owner;
}

/**
 * fsk_owner_put() - drop a reference
 * @owner: the owner
 *
 * Context: Process.
 */
void fsk_owner_put(struct fsk_owner *owner)
{
	bool last;

	spin_lock(&fsk_owner_lock);
	last = !--owner->users;
	if (last)
		hash_del(&owner->node);
	spin_unlock(&fsk_owner_lock);
	if (!last)
		return;
	WARN_ON_ONCE(atomic_read(&owner->locals));
	kfree(owner);
}

/**
 * fsk_owner_max() - how many local listeners may one owner have?
 *
 * Context: Any.
 * Return: the limit, the same for all namespaces.
 */
unsigned int fsk_owner_max(void)
{
	return READ_ONCE(fsk_owner_limit);
}

/**
 * fsk_owner_set_max() - set the limit
 * @max: at most FSK_LOCALS_MAX_MAX; what exists already stays
 *
 * Context: Any.
 */
void fsk_owner_set_max(unsigned int max)
{
	WRITE_ONCE(fsk_owner_limit, max);
}

/**
 * fsk_owner_has_room() - is it worth while to try?
 * @owner: the owner
 *
 * Context: Any.
 * Return: whether the owner has fewer local listeners than it may.
 */
bool fsk_owner_has_room(const struct fsk_owner *owner)
{
	return atomic_read(&owner->locals) < fsk_owner_max();
}

/**
 * fsk_owner_charge() - one local listener more
 * @owner: the owner
 * @file: the app listener's file; opened with CAP_SYS_RESOURCE on this machine,
 *	it has no limit
 *
 * Context: Process; may sleep in a security module.
 * Return: 0, or -EDQUOT when the owner has as many as it may.
 */
int fsk_owner_charge(struct fsk_owner *owner, const struct file *file)
{
	if (atomic_inc_return(&owner->locals) <= fsk_owner_max())
		return 0;
	if (file && file_ns_capable(file, &init_user_ns, CAP_SYS_RESOURCE))
		return 0;
	atomic_dec(&owner->locals);
	return -EDQUOT;
}

/**
 * fsk_owner_uncharge() - one less
 * @owner: the owner
 *
 * Context: Any.
 */
void fsk_owner_uncharge(struct fsk_owner *owner)
{
	atomic_dec(&owner->locals);
}
