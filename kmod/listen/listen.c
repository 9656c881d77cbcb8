// SPDX-License-Identifier: GPL-2.0
/*
 * App listeners: made when a socket joins, in their namespace's table while
 * they listen, gone with the socket.
 */
#include "listen/listen.h"

#include <linux/bitmap.h>
#include <linux/slab.h>

#include "listen/core.h"
#include "listen/group.h"
#include "listen/hooks.h"
#include "listen/local.h"
#include "listen/map.h"
#include "listen/migrate.h"
#include "listen/owner.h"
#include "listen/ref.h"
#include "listen/rescue.h"
#include "listen/wake.h"
#include "listen/worker.h"

#define FSK_LISTEN_RESCUE_MS	20	/* a worker's time slice or two */
#define FSK_LISTEN_LATE_MS	5	/* what no worker that is awake needs */

static atomic_t fsk_listen_id = ATOMIC_INIT(0);

static void fsk_listener_free_work(struct work_struct *work)
{
	struct fsk_listener *l;
	int cpu;

	l = container_of(to_rcu_work(work), struct fsk_listener, free_work);
	for_each_possible_cpu(cpu)
		fsk_core_free(rcu_dereference_protected(l->core[cpu], true));
	fsk_worker_free_all(l);
	fsk_owner_put(l->owner);
	kvfree(l);
}

/* Listing */

static bool fsk_listener_port_used(struct fsk_net *fn, u16 hnum)
{
	struct fsk_listener *l;

	hash_for_each_possible(fn->listeners, l, node, hnum)
		if (l->hnum == hnum)
			return true;
	return false;
}

static int fsk_listener_list(struct fsk_listener *l, struct sock *sk)
{
	struct fsk_group *made = fsk_group_create();
	struct fsk_net *fn = l->fn;
	bool used = false;
	int err;

	mutex_lock(&fn->mutex);
	err = fsk_hooks_register(fn);
	if (!err) {
		l->hnum = inet_sk(sk)->inet_num;
		used = fsk_group_join(l, sk, made);
		l->listing = --fn->listings;
		hash_add_rcu(fn->listeners, &l->node, l->hnum);
		set_bit(l->hnum, fn->ports);
		WRITE_ONCE(fn->nr_listeners, fn->nr_listeners + 1);
		WRITE_ONCE(l->listed, true);
	}
	mutex_unlock(&fn->mutex);
	if (!used)
		fsk_group_destroy(made);
	return err;
}

static void fsk_listener_unlist(struct fsk_listener *l)
{
	struct fsk_net *fn = l->fn;

	mutex_lock(&fn->mutex);
	WRITE_ONCE(l->listed, false);
	hash_del_rcu(&l->node);
	fsk_group_leave(l);
	if (!fsk_listener_port_used(fn, l->hnum))
		clear_bit(l->hnum, fn->ports);
	WRITE_ONCE(fn->nr_listeners, fn->nr_listeners - 1);
	mutex_unlock(&fn->mutex);
}

static void fsk_listener_start_cores(struct fsk_listener *l,
				     const struct sock *app)
{
	struct fsk_core *core;
	int cpu;

	fsk_listener_for_each_core(l, cpu, core) {
		/* A core that fails to start stays closed: packets go the
		 * kernel's way, as they do without a core.
		 */
		if (!fsk_local_start(core, app))
			fsk_group_insert(core);
	}
}

static void fsk_listener_stop_cores(struct fsk_listener *l)
{
	struct fsk_core *core;
	int cpu;

	fsk_listener_for_each_core(l, cpu, core) {
		fsk_local_stop(core, l->sock->sk);
		fsk_core_files->stop(core);
	}
}

static void fsk_listener_stop(struct fsk_listener *l)
{
	fsk_listener_unlist(l);
	fsk_listener_stop_cores(l);
	l->unlisted = true;
	l->gp = get_state_synchronize_rcu();
}

/* Readers that are still among its former siblings, or look at a core that
 * had stopped, would go on among the new ones or find it half started.
 */
static int fsk_listener_start(struct fsk_listener *l, struct sock *sk)
{
	int err;

	if (l->unlisted)
		cond_synchronize_rcu(l->gp);
	err = fsk_listener_list(l, sk);
	if (err)
		return err;
	fsk_listener_start_cores(l, sk);
	/* Workers that have waited since it last listened do not come again. */
	if (l->cores)
		fsk_map_build(l);
	return 0;
}

static int fsk_listener_follow(struct fsk_listener *l)
{
	bool stopped = xchg(&l->stopped, false);
	struct sock *sk;
	bool listening;

	lockdep_assert_held(&l->mutex);
	sk = rcu_dereference_protected(l->sk, lockdep_is_held(&l->mutex));
	/* Cores were made for the family that it had when it joined. */
	listening = sk && inet_sk_state_load(sk) == TCP_LISTEN &&
		    READ_ONCE(sk->sk_family) == l->family;
	if (l->listed && (stopped || !listening ||
			  l->hnum != inet_sk(sk)->inet_num))
		fsk_listener_stop(l);
	return listening && !l->listed ? fsk_listener_start(l, sk) : 0;
}

static int __fsk_listener_update(struct fsk_listener *l)
{
	int err;

	do {
		err = fsk_listener_follow(l);
		/* Listed, then looked; fsk_wake_cores() notes, then looks
		 * whether that is ours to see to.
		 */
		smp_mb();
	} while (l->listed && READ_ONCE(l->stopped));
	return err;
}

/**
 * fsk_listener_update() - follow a socket that began or ceased to listen
 * @l: the listener
 *
 * Looks at the socket as it is now, so it doesn't matter in which order
 * concurrent listen() and shutdown() get here.
 *
 * Context: Process, sleeps.  Not under lock_sock().
 */
void fsk_listener_update(struct fsk_listener *l)
{
	mutex_lock(&l->mutex);
	__fsk_listener_update(l);
	mutex_unlock(&l->mutex);
}

static void fsk_listener_update_work(struct work_struct *work)
{
	struct fsk_listener *l = container_of(work, struct fsk_listener, work);

	mutex_lock(&l->mutex);
	__fsk_listener_update(l);
	/* While it is listed, its socket holds the namespace. */
	if (l->listed)
		fsk_map_build(l);
	mutex_unlock(&l->mutex);
	fsk_listener_put(l);
}

/**
 * fsk_listener_queued() - connections in the workers' queues
 * @l: the listener
 *
 * Context: Any.
 * Return: how many wait to be accepted, beside those in the app listener's.
 */
unsigned int fsk_listener_queued(struct fsk_listener *l)
{
	unsigned int queued = 0;
	struct fsk_core *core;
	struct sock *sk;
	int cpu;

	rcu_read_lock();
	fsk_listener_for_each_core(l, cpu, core) {
		sk = rcu_dereference(core->sk);
		queued += sk ? READ_ONCE(sk->sk_ack_backlog) : 0;
	}
	rcu_read_unlock();
	return queued;
}

/* Making and releasing */

/**
 * fsk_listener_create() - make the state of a socket that joins
 * @sk: a TCP socket, closed or listening
 *
 * Context: Process.  Expects lock_sock(@sk).
 * Return: the listener, with the reference that fsk_listener_release() drops,
 *         listed if @sk listens; or an ERR_PTR().
 */
struct fsk_listener *fsk_listener_create(struct sock *sk)
{
	struct fsk_listener *l;
	int err;

	l = kvzalloc(struct_size(l, core, nr_cpu_ids),
		     GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!l)
		return ERR_PTR(-ENOMEM);
	l->owner = fsk_owner_get(sk->sk_socket->file);
	if (!l->owner) {
		kvfree(l);
		return ERR_PTR(-ENOMEM);
	}
	RCU_INIT_POINTER(l->sk, sk);
	l->sock = sk->sk_socket;
	l->family = sk->sk_family;
	l->fn = fsk_net_of(sock_net(sk));
	l->id = atomic_inc_return(&fsk_listen_id);
	mutex_init(&l->mutex);
	hash_init(l->workers);
	kref_init(&l->ref);
	INIT_WORK(&l->work, fsk_listener_update_work);
	INIT_RCU_WORK(&l->free_work, fsk_listener_free_work);
	fsk_rescue_listener_init(l);
	init_waitqueue_func_entry(&l->app_wait, fsk_wake_from_app);

	mutex_lock(&l->mutex);
	err = __fsk_listener_update(l);
	mutex_unlock(&l->mutex);
	if (err) {
		fsk_rescue_listener_exit(l);
		fsk_listener_put(l);
		return ERR_PTR(err);
	}
	add_wait_queue_exclusive(&l->sock->wq.wait, &l->app_wait);
	return l;
}

/**
 * fsk_listener_release() - the last descriptor is closed
 * @l: the listener, which a packet can't look up any more; the caller's
 *	reference is dropped
 *
 * Context: Process, sleeps.  Nobody can be in accept() or poll() or have it in
 *          an epoll set any more.  See "How a listener goes" in DOC: locking.
 */
void fsk_listener_release(struct fsk_listener *l)
{
	struct fsk_core *core;
	int cpu;

	remove_wait_queue(&l->sock->wq.wait, &l->app_wait);
	fsk_migrate_close(l->sock->sk);
	mutex_lock(&l->mutex);
	if (l->listed)
		fsk_listener_unlist(l);
	l->dead = true;
	/* Until they are closed, they need it to make connections from. */
	fsk_listener_stop_cores(l);
	RCU_INIT_POINTER(l->sk, NULL);
	fsk_listener_for_each_core(l, cpu, core)
		fsk_core_close(core);
	mutex_unlock(&l->mutex);
	fsk_rescue_listener_exit(l);
	fsk_listener_put(l);
}

/* Namespaces and module */

static void fsk_listen_net_init(struct fsk_net *fn)
{
	fn->rescue_ms = FSK_LISTEN_RESCUE_MS;
	fn->late_ms = FSK_LISTEN_LATE_MS;
	hash_init(fn->listeners);
}

/* Listeners hold their namespace, so the tables are empty by now; packets have
 * left the hooks, see fsk_hooks_net_pre_exit().
 */
static void fsk_listen_net_exit(struct fsk_net *fn)
{
	WARN_ON_ONCE(fn->nr_listeners || fn->hooked);
}

static const struct fsk_net_part fsk_listen_net_part = {
	.init	= fsk_listen_net_init,
	.pre_exit = fsk_hooks_net_pre_exit,
	.exit	= fsk_listen_net_exit,
};

/**
 * fsk_listen_init() - give each namespace a table of listeners
 *
 * Context: Process, at module load, before fsk_net_init().
 */
void __init fsk_listen_init(void)
{
	fsk_net_register(&fsk_listen_net_part);
}
