// SPDX-License-Identifier: GPL-2.0
/*
 * FSK_IOC_ACCEPT: accept4() by an ioctl on the listener, with a socket file
 * from the core's pool.
 *
 * accept4() asks the security module and we cannot.  So the ioctl serves only
 * credentials that accept4() has let through on this core's part of the
 * listener within the last second.  Filters and records of system calls name
 * accept4(), so a task that is watched must make that call.
 *
 * Under a security module that labels inodes (SELinux, Smack) nothing is
 * served: accept4() labels the new socket's.
 */
#include "files/vfs.h"

#include <linux/audit.h>
#include <linux/cred.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/net.h>
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/uaccess.h>
#include <net/sock.h>

#include <uapi/linux/fastsocket.h>

#include "compat.h"
#include "files/pool.h"
#include "host.h"
#include "listen/accept.h"
#include "listen/worker.h"
#include "listen/listen.h"

#define FSK_VFS_PASS	HZ	/* what the manual promises */

static const char *fsk_vfs_why_not __ro_after_init;

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

/**
 * struct fsk_vfs - what is kept with each core of a listener
 * @pool: its socket files
 * @pass: who may use them
 */
struct fsk_vfs {
	struct fsk_pool pool;
	struct fsk_vfs_pass pass;
};

static struct fsk_vfs *fsk_vfs_of(struct fsk_core *core)
{
	return (struct fsk_vfs *)core->files;
}

static void fsk_vfs_create(struct fsk_core *core)
{
	struct fsk_vfs *vfs = fsk_vfs_of(core);

	fsk_pool_create(&vfs->pool, core->listener->fn, core->cpu);
	spin_lock_init(&vfs->pass.lock);
}

static void fsk_vfs_stop(struct fsk_core *core)
{
	fsk_pool_drain(&fsk_vfs_of(core)->pool);
}

/* Expects fsk_net.mutex, and that @l is in the table: it is alive, and its
 * cores with it.
 */
static void fsk_vfs_stop_all(struct fsk_listener *l)
{
	struct fsk_core *core;
	int cpu;

	for_each_possible_cpu(cpu) {
		core = rcu_dereference_protected(l->core[cpu], true);
		if (core)
			fsk_vfs_stop(core);
	}
}

static void fsk_vfs_destroy(struct fsk_core *core)
{
	struct fsk_vfs *vfs = fsk_vfs_of(core);

	fsk_pool_destroy(&vfs->pool);
	put_cred(vfs->pass.cred);
}

/* Who may */

/**
 * fsk_vfs_forbidden() - why FSK_IOC_ACCEPT is not to be had on this machine
 *
 * Context: Any.
 * Return: the reason, or %NULL when it is to be had.
 */
const char *fsk_vfs_forbidden(void)
{
	return fsk_vfs_why_not;
}

/* A core's files are for tasks that are bound to it. */
static struct fsk_core *fsk_vfs_own_core(struct fsk_listener *l)
{
	return current->nr_cpus_allowed == 1 ? fsk_worker_claim(l) : NULL;
}

/* accept4() let the caller through: the security module was asked just now. */
static void fsk_vfs_pass(struct fsk_listener *l)
{
	struct fsk_core *own = fsk_vfs_own_core(l);
	const struct cred *old = NULL;
	struct fsk_vfs_pass *pass;

	if (!own)
		return;
	pass = &fsk_vfs_of(own)->pass;
	spin_lock(&pass->lock);
	if (pass->cred != current_cred()) {
		old = pass->cred;
		pass->cred = get_current_cred();
	}
	pass->stamp = jiffies;
	spin_unlock(&pass->lock);
	put_cred(old);
}

static bool fsk_vfs_passed(struct fsk_vfs_pass *pass)
{
	bool passed;

	spin_lock(&pass->lock);
	passed = pass->cred == current_cred() &&
		 time_is_after_jiffies(pass->stamp + FSK_VFS_PASS);
	spin_unlock(&pass->lock);
	return passed;
}

/* seccomp filters, audit rules and debuggers see numbers of system calls. */
static bool fsk_vfs_watched(void)
{
#ifdef CONFIG_SECCOMP
	if (current->seccomp.mode)
		return true;
#endif
	return READ_ONCE(current->ptrace) || !audit_dummy_context();
}

static int fsk_vfs_may(struct fsk_listener *l, struct fsk_core *own)
{
	/* Pools of listeners that are not listed would not be found again. */
	if (!READ_ONCE(l->fn->vfs) || fsk_vfs_why_not || !READ_ONCE(l->listed))
		return -EOPNOTSUPP;
	if (!own || fsk_vfs_watched()) {
		fsk_stats_inc(l->fn, VFS_REFUSE);
		return -EOPNOTSUPP;
	}
	if (!fsk_vfs_passed(&fsk_vfs_of(own)->pass)) {
		fsk_stats_inc(l->fn, VFS_RENEW);
		return -ESTALE;
	}
	return 0;
}

/* accept4() */

/* As accept4() does it, with its errors.  Audit would have recorded the
 * address; a task that it looks at does not come here.
 */
static int fsk_vfs_put_addr(struct socket *sock, const struct fsk_accept *arg)
{
	void __user *addr = u64_to_user_ptr(arg->addr);
	int __user *addrlen = u64_to_user_ptr(arg->addrlen);
	struct sockaddr_storage ss;
	int size, len;

	len = sock->ops->getname(sock, (struct sockaddr *)&ss, 2);
	if (len < 0)
		return -ECONNABORTED;
	if (get_user(size, addrlen))
		return -EFAULT;
	if (size < 0)
		return -EINVAL;
	if (copy_to_user(addr, &ss, min(size, len)))
		return -EFAULT;
	return put_user(len, addrlen);
}

/* As in the kernel, a connection whose peer cannot be told is closed again. */
static struct file *fsk_vfs_take(struct fsk_listener *l, struct fsk_core *own,
				 struct socket *sock,
				 const struct fsk_accept *arg)
{
	const struct fsk_host *host = fsk_host_get(sock->sk->sk_family);
	struct proto_accept_arg how = { .flags = sock->file->f_flags };
	struct socket *newsock;
	struct file *file;
	int err;

	file = fsk_pool_file(&fsk_vfs_of(own)->pool, host->ops,
			     sock->sk->sk_prot_creator->name,
			     arg->flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	if (IS_ERR(file))
		return file;
	newsock = file->private_data;
	err = fsk_accept(l, sock, newsock, &how);
	if (!err && arg->addr)
		err = fsk_vfs_put_addr(newsock, arg);
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	return file;
}

static int fsk_vfs_accept_fd(struct fsk_listener *l, struct fsk_core *own,
			     struct socket *sock, const struct fsk_accept *arg)
{
	int fd = get_unused_fd_flags(arg->flags & SOCK_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	/* accept4() makes a file first and finds no connection then. */
	if (sock->file->f_flags & O_NONBLOCK && !fsk_accept_pending(l, sock))
		file = ERR_PTR(-EAGAIN);
	else
		file = fsk_vfs_take(l, own, sock, arg);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	fsk_stats_inc(l->fn, VFS_ACCEPT);
	return fd;
}

/* FSK_IOC_ACCEPT, with a &struct fsk_accept.  Returns a descriptor; -EOPNOTSUPP
 * or -ESTALE when the caller should use accept4(), see the ABI; or an errno of
 * accept4().
 */
static int fsk_vfs_accept(struct fsk_listener *l, struct socket *sock,
			  void __user *uarg)
{
	struct fsk_core *own = fsk_vfs_own_core(l);
	struct fsk_accept arg;
	int err;

	BUILD_BUG_ON(SOCK_CLOEXEC != O_CLOEXEC);
	err = fsk_vfs_may(l, own);
	if (err)
		return err;
	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (arg.flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK) || arg.pad)
		return -EINVAL;
	return fsk_vfs_accept_fd(l, own, sock, &arg);
}

static const struct fsk_core_files fsk_vfs_core_files = {
	.size		= sizeof(struct fsk_vfs),
	.create		= fsk_vfs_create,
	.stop		= fsk_vfs_stop,
	.destroy	= fsk_vfs_destroy,
	.passed		= fsk_vfs_pass,
	.accept		= fsk_vfs_accept,
};

/* All of a namespace.  One that has ceased to listen has empty pools. */

/**
 * fsk_vfs_figures() - what the pools of a core hold
 * @fn: namespace state
 * @cpu: the core
 * @figures: zeroed, is filled in
 *
 * Looks at the listeners of this namespace and takes no lock of others: any
 * user may ask.
 *
 * Context: Process, sleeps.
 */
void fsk_vfs_figures(struct fsk_net *fn, int cpu,
		     struct fsk_pool_figures *figures)
{
	struct fsk_listener *l;
	struct fsk_core *core;
	int chain;

	mutex_lock(&fn->mutex);
	rcu_read_lock();
	hash_for_each_rcu(fn->listeners, chain, l, node) {
		core = fsk_listener_core(l, cpu);
		if (core)
			fsk_pool_figures(&fsk_vfs_of(core)->pool, figures);
	}
	rcu_read_unlock();
	mutex_unlock(&fn->mutex);
}

/**
 * __fsk_vfs_drain() - empty all pools, which nobody fills any more
 * @fn: namespace state
 *
 * Context: Process, sleeps, fsk_net.mutex held.
 */
void __fsk_vfs_drain(struct fsk_net *fn)
{
	struct fsk_listener *l;
	int chain;

	lockdep_assert_held(&fn->mutex);
	hash_for_each(fn->listeners, chain, l, node)
		fsk_vfs_stop_all(l);
}

/**
 * fsk_vfs_init() - be there for listeners; find out what security modules say
 *
 * Each that labels inodes knows its own label's name; which are active is
 * decided when the kernel boots.
 *
 * Context: Process, at module load, before a listener can join.
 */
void __init fsk_vfs_init(void)
{
	if (security_ismaclabel("selinux"))
		fsk_vfs_why_not = "SELinux labels sockets in accept4()";
	else if (security_ismaclabel("SMACK64"))
		fsk_vfs_why_not = "Smack labels sockets in accept4()";
	fsk_core_files = &fsk_vfs_core_files;
}
