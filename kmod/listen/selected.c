// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners of *selected* control groups join by themselves.  That reaches what
 * a preload library does not: static programs, Go, file capabilities, other C
 * libraries.
 *
 * A tracepoint tells that a socket begins to listen, in the task that calls
 * listen() and under the socket's lock.  To join takes that lock and sleeps, so
 * the probe leaves it to a task work item, which the task does before listen()
 * returns to it.  When the caller can begin to wait, its listener has joined.
 *
 * A control group is selected by its path, not by what has the path now: a
 * service manager makes a new group at each start of a service.
 */
#include "listen/selected.h"

#include <linux/cgroup.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sockptr.h>
#include <linux/task_work.h>
#include <linux/tcp.h>
#include <linux/tracepoint.h>
#include <net/inet_sock.h>
#include <net/tcp_states.h>

#include <uapi/linux/fastsocket.h>

#include "listen/ulp.h"

/**
 * struct fsk_selected - a selected control group, and those below it
 * @node: in fsk_selected_list
 * @joined: listeners that have joined
 * @refused: listeners that the module has refused
 * @rcu: frees it
 * @path: from the root of the hierarchy, begins with a slash; constant
 */
struct fsk_selected {
	struct list_head node;
	atomic_long_t joined;
	atomic_long_t refused;
	struct rcu_head rcu;
	char path[];
};

/**
 * struct fsk_selected_work - a listener that may have to join
 * @head: for the task that called listen()
 * @file: of the listener, a reference
 *
 * Whoever has one holds the module.
 */
struct fsk_selected_work {
	struct callback_head head;
	struct file *file;
};

/* What this needs of the kernel.  Kernel.org's exports task_work_add() to no
 * module, Debian's does.  The probe has to allocate, and may not with
 * preemption switched off on PREEMPT_RT.
 */
#if !defined(CONFIG_CGROUPS)
#define FSK_SELECTED_LACKS	"this kernel has no control groups"
#elif !defined(CONFIG_TRACEPOINTS)
#define FSK_SELECTED_LACKS	"this kernel has no tracepoints"
#elif !defined(FSK_HAVE_TASK_WORK_ADD)
#define FSK_SELECTED_LACKS	"this kernel does not export task_work_add()"
#elif defined(CONFIG_PREEMPT_RT)
#define FSK_SELECTED_LACKS	"this kernel is one for real time"
#else
#define FSK_SELECTED_LACKS	NULL
#define FSK_SELECTED_WORKS
#endif

/* Rank 11 of DOC: locking.  Whoever calls listen() reads the list under RCU: a
 * task that its control group's quota stops must not keep all others waiting.
 */
static DEFINE_MUTEX(fsk_selected_mutex);
static LIST_HEAD(fsk_selected_list);
static unsigned int fsk_selected_nr;
/* Set once, at the end of loading: until then a reference does not keep the
 * module.
 */
static bool fsk_selected_ready __read_mostly;

#ifdef FSK_SELECTED_WORKS
/* The kernel's tracepoint; looked for once, under fsk_selected_mutex. */
static struct tracepoint *fsk_selected_tracepoint;

/* Is that the control group @c, or one below it? */
static bool fsk_selected_has(const struct fsk_selected *c, const char *path)
{
	size_t len = strlen(c->path);

	/* The root's path is a slash, and all begin with that. */
	if (len == 1)
		return true;
	return !strncmp(c->path, path, len) &&
	       (path[len] == '\0' || path[len] == '/');
}

static bool fsk_selected_any(const char *path)
{
	const struct fsk_selected *c;
	bool found = false;

	rcu_read_lock();
	list_for_each_entry_rcu(c, &fsk_selected_list, node) {
		found = fsk_selected_has(c, path);
		if (found)
			break;
	}
	rcu_read_unlock();
	return found;
}

static void fsk_selected_count(const char *path, bool joined)
{
	struct fsk_selected *c;

	rcu_read_lock();
	list_for_each_entry_rcu(c, &fsk_selected_list, node)
		if (fsk_selected_has(c, path))
			atomic_long_inc(joined ? &c->joined : &c->refused);
	rcu_read_unlock();
}

/* By the socket's own operation, as setsockopt() of a process would. */
static int fsk_selected_join_socket(struct socket *sock)
{
	char name[] = FSK_ULP_NAME;

	return READ_ONCE(sock->ops)->setsockopt(sock, SOL_TCP, TCP_ULP,
						KERNEL_SOCKPTR(name),
						sizeof(name) - 1);
}

/* A listener that the library was faster to join, or that stopped listening,
 * counts neither as joined nor as refused.
 */
static void fsk_selected_join(struct socket *sock, const char *path)
{
	struct sock *sk = sock->sk;
	bool joined;
	int err;

	if (inet_sk_state_load(sk) != TCP_LISTEN || !fsk_selected_any(path))
		return;
	err = fsk_selected_join_socket(sock);
	rcu_read_lock();
	joined = fsk_ulp_joined(sk);
	rcu_read_unlock();
	if (!err || !joined)
		fsk_selected_count(path, !err);
}

static void fsk_selected_join_file(struct file *file)
{
	struct socket *sock = sock_from_file(file);
	char *path;
	int len;

	path = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!sock || !path)
		goto out;
	rcu_read_lock();
	len = cgroup_path(task_dfl_cgroup(current), path, PATH_MAX);
	rcu_read_unlock();
	if (len > 0 && len < PATH_MAX)
		fsk_selected_join(sock, path);
out:
	kfree(path);
}

/* Unload waits for tasks that are between the last put and the return: see
 * fsk_ulp_exit().
 */
static void fsk_selected_run(struct callback_head *head)
{
	struct fsk_selected_work *work =
		container_of(head, struct fsk_selected_work, head);

	if (!(current->flags & PF_EXITING))
		fsk_selected_join_file(work->file);
	fput(work->file);
	kfree(work);
	module_put(THIS_MODULE);
}

/* The caller of listen() holds the file.  Without memory, or while the module
 * goes, the socket listens as on the plain kernel.
 */
static noinline void fsk_selected_put_off(struct file *file)
{
	struct fsk_selected_work *work;

	if (!try_module_get(THIS_MODULE))
		return;
	work = kmalloc(sizeof(*work), GFP_ATOMIC | __GFP_NOWARN);
	if (!work)
		goto put;
	init_task_work(&work->head, fsk_selected_run);
	work->file = get_file(file);
	if (!task_work_add(current, &work->head, TWA_RESUME))
		return;
	fput(file);
	kfree(work);
put:
	module_put(THIS_MODULE);
}

/* Runs for each socket of the machine that changes its state.  It leaves alone
 * sockets of the kernel, such as our local listeners.
 */
static void fsk_selected_probe(void *unused, const struct sock *sk,
			       const int oldstate, const int newstate)
{
	if (likely(newstate != TCP_LISTEN))
		return;
	if (!READ_ONCE(fsk_selected_ready) ||
	    sk->sk_protocol != IPPROTO_TCP || sk->sk_kern_sock ||
	    current->flags & (PF_KTHREAD | PF_IO_WORKER))
		return;
	if (sk->sk_socket && sk->sk_socket->file)
		fsk_selected_put_off(sk->sk_socket->file);
}

static void fsk_selected_try_tracepoint(struct tracepoint *tracepoint,
					void *unused)
{
	if (!strcmp(tracepoint->name, "inet_sock_set_state"))
		fsk_selected_tracepoint = tracepoint;
}

/* The machine pays for the probe only while a control group is selected. */
static int fsk_selected_watch(void)
{
	if (!fsk_selected_tracepoint)
		for_each_kernel_tracepoint(fsk_selected_try_tracepoint, NULL);
	if (!fsk_selected_tracepoint)
		return -EOPNOTSUPP;
	return tracepoint_probe_register(fsk_selected_tracepoint,
					 fsk_selected_probe, NULL);
}

static void fsk_selected_unwatch(void)
{
	tracepoint_probe_unregister(fsk_selected_tracepoint, fsk_selected_probe,
				    NULL);
}
#else
static int fsk_selected_watch(void)
{
	return -EOPNOTSUPP;
}

static void fsk_selected_unwatch(void)
{
}
#endif

static struct fsk_selected *fsk_selected_find(const char *path)
{
	struct fsk_selected *c;

	list_for_each_entry(c, &fsk_selected_list, node)
		if (!strcmp(c->path, path))
			return c;
	return NULL;
}

static int __fsk_selected_add(struct fsk_selected *new)
{
	int err = 0;

	if (fsk_selected_find(new->path))
		return -EEXIST;
	if (fsk_selected_nr == FSK_SELECTED_MAX)
		return -ENOSPC;
	if (!fsk_selected_nr)
		err = fsk_selected_watch();
	if (err)
		return err;
	list_add_tail_rcu(&new->node, &fsk_selected_list);
	fsk_selected_nr++;
	return 0;
}

/**
 * fsk_selected_lacks() - why no control group can be selected on this kernel
 *
 * Context: Any.
 * Return: the reason, or %NULL when it does.
 */
const char *fsk_selected_lacks(void)
{
	return FSK_SELECTED_LACKS;
}

/**
 * fsk_selected_add() - select a control group
 * @path: of it, from the root of the hierarchy; it need not exist.  Begins with
 *	a slash and ends with none, but for the root itself
 *
 * From now on sockets join that begin to listen in tasks of this group or one
 * below it, in all network namespaces.
 *
 * Context: Process.  Takes fsk_selected_mutex.
 * Return: 0, -EEXIST if it is selected, -ENOSPC if too many are, -EOPNOTSUPP if
 *         this kernel has not got what it takes, or -ENOMEM.
 */
int fsk_selected_add(const char *path)
{
	size_t size = strlen(path) + 1;
	struct fsk_selected *new;
	int err;

	new = kzalloc(struct_size(new, path, size), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	memcpy(new->path, path, size);
	mutex_lock(&fsk_selected_mutex);
	err = __fsk_selected_add(new);
	mutex_unlock(&fsk_selected_mutex);
	if (err)
		kfree(new);
	return err;
}

static void __fsk_selected_del(struct fsk_selected *c)
{
	list_del_rcu(&c->node);
	if (!--fsk_selected_nr)
		fsk_selected_unwatch();
	kfree_rcu(c, rcu);
}

/**
 * fsk_selected_del() - select a control group no more
 * @path: as it was given to fsk_selected_add()
 *
 * What has joined stays joined.
 *
 * Context: Process.  Takes fsk_selected_mutex.
 * Return: 0, or -ENOENT if it is not selected.
 */
int fsk_selected_del(const char *path)
{
	struct fsk_selected *c;

	mutex_lock(&fsk_selected_mutex);
	c = fsk_selected_find(path);
	if (c)
		__fsk_selected_del(c);
	mutex_unlock(&fsk_selected_mutex);
	return c ? 0 : -ENOENT;
}

/**
 * fsk_selected_walk_begin() - look at one that is selected
 * @index: its number, in the order in which they were selected
 * @figures: filled in, if there is one
 *
 * Context: Process.  Takes fsk_selected_mutex, until fsk_selected_walk_end(),
 *          which is called in any case.
 * Return: its path, or %NULL behind the last.
 */
const char *fsk_selected_walk_begin(unsigned int index,
				    struct fsk_selected_figures *figures)
{
	const struct fsk_selected *c;

	mutex_lock(&fsk_selected_mutex);
	list_for_each_entry(c, &fsk_selected_list, node) {
		if (index--)
			continue;
		figures->joined = atomic_long_read(&c->joined);
		figures->refused = atomic_long_read(&c->refused);
		return c->path;
	}
	return NULL;
}

/**
 * fsk_selected_walk_end() - see fsk_selected_walk_begin()
 *
 * Context: Process.
 */
void fsk_selected_walk_end(void)
{
	mutex_unlock(&fsk_selected_mutex);
}

/**
 * fsk_selected_init() - from now on listeners join
 *
 * Context: Process, at module load, when nothing can fail any more.
 */
void fsk_selected_init(void)
{
	WRITE_ONCE(fsk_selected_ready, true);
}

/**
 * fsk_selected_exit() - select none any more
 *
 * No task work item is left, since each holds the module; a probe may be under
 * way, and gets no hold of the module.
 *
 * Context: Process, at unload, when no request can come any more and before
 *          fsk_ulp_exit().
 */
void fsk_selected_exit(void)
{
	struct fsk_selected *c, *next;

	mutex_lock(&fsk_selected_mutex);
	list_for_each_entry_safe(c, next, &fsk_selected_list, node)
		__fsk_selected_del(c);
	mutex_unlock(&fsk_selected_mutex);
	tracepoint_synchronize_unregister();
}
