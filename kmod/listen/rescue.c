// SPDX-License-Identifier: GPL-2.0
/*
 * Queues whose worker is gone or late.
 *
 * A timer runs while a core's queue holds something.  When the queue has made
 * no progress for the namespace's limit, or has no taker left, the core is
 * orphaned: new connections go to the app listener, and what is queued is
 * offered to all workers, who are woken.  The core comes back when its worker
 * does; one that is orphaned again soon stays away for twice as long.
 *
 * wake.c and this file call each other: a wake-up that perhaps nobody follows
 * starts a timer here, and a timer that ends in vain wakes all.
 */
#include "listen/rescue.h"

#include <linux/jiffies.h>

#include "compat.h"
#include "listen/claim.h"
#include "listen/group.h"
#include "listen/ref.h"
#include "listen/wake.h"

#define FSK_RESCUE_BACKOFF_MAX	(10 * HZ)

static unsigned long fsk_rescue_limit(const struct fsk_listener *l)
{
	return msecs_to_jiffies(READ_ONCE(l->fn->rescue_ms));
}

static bool fsk_rescue_app_gone(struct fsk_listener *l)
{
	const struct sock *app = rcu_dereference(l->sk);

	return app && inet_sk_state_load(app) != TCP_LISTEN;
}

static void __fsk_rescue_core_timer(struct fsk_core *core)
{
	struct fsk_listener *l = core->listener;
	unsigned long limit = fsk_rescue_limit(l);
	unsigned long due = READ_ONCE(core->stamp) + limit;

	if (!fsk_core_pending(core) || !limit)
		return;
	/* Aborted from outside (ss -K): close what is queued with it. */
	if (fsk_rescue_app_gone(l)) {
		fsk_listener_update_later(l);
		return;
	}
	if (fsk_claim_holds(core) && time_before(jiffies, due))
		mod_timer(&core->timer, due);
	else
		fsk_rescue_orphan(core);
}

static void fsk_rescue_core_timer(struct timer_list *t)
{
	struct fsk_core *core = timer_container_of(core, t, timer);

	rcu_read_lock();
	__fsk_rescue_core_timer(core);
	rcu_read_unlock();
}

/* An event on the app listener wakes one core's worker.  If the queue has not
 * been empty since, that worker is late or can't cope: wake all.  On the plain
 * kernel, each connection would have woken another worker.
 */
static void fsk_rescue_app_timer(struct timer_list *t)
{
	struct fsk_listener *l = timer_container_of(l, t, app_timer);
	unsigned long due = READ_ONCE(l->app_stamp) + fsk_rescue_limit(l);
	const struct sock *app;

	rcu_read_lock();
	app = rcu_dereference(l->sk);
	if (app && !fsk_queue_empty(app)) {
		if (time_before(jiffies, due)) {
			mod_timer(&l->app_timer, due);
		} else {
			WRITE_ONCE(l->app_stamp, jiffies);
			fsk_wake_all(l);
		}
	}
	rcu_read_unlock();
}

/**
 * fsk_rescue_core_init() - set up a new core's timer
 * @core: the core
 *
 * Context: Any.
 */
void fsk_rescue_core_init(struct fsk_core *core)
{
	timer_setup(&core->timer, fsk_rescue_core_timer, TIMER_PINNED);
	core->back_at = jiffies;
}

/**
 * fsk_rescue_core_exit() - wait for a core's timer and never let it run again
 * @core: the core
 *
 * Context: Process.
 */
void fsk_rescue_core_exit(struct fsk_core *core)
{
	timer_shutdown_sync(&core->timer);
}

/**
 * fsk_rescue_listener_init() - set up a new listener's timer
 * @l: the listener
 *
 * Context: Any.
 */
void fsk_rescue_listener_init(struct fsk_listener *l)
{
	timer_setup(&l->app_timer, fsk_rescue_app_timer, 0);
}

/**
 * fsk_rescue_listener_exit() - as fsk_rescue_core_exit()
 * @l: the listener
 *
 * Context: Process.
 */
void fsk_rescue_listener_exit(struct fsk_listener *l)
{
	timer_shutdown_sync(&l->app_timer);
}

/* A connection that finds the queue empty begins to wait now.  Behind others on
 * a core, the wait counts from when a worker last took one.
 */
static void fsk_rescue_watch(struct timer_list *timer, unsigned long *stamp,
			     const struct sock *sk, unsigned long limit)
{
	if (!limit)
		return;
	if (READ_ONCE(sk->sk_ack_backlog) <= 1)
		WRITE_ONCE(*stamp, jiffies);
	if (!timer_pending(timer))
		mod_timer(timer, jiffies + limit);
}

/**
 * fsk_rescue_arm() - something was queued on a core
 * @core: the core
 * @sk: its local listener
 *
 * Context: Any.
 */
void fsk_rescue_arm(struct fsk_core *core, const struct sock *sk)
{
	fsk_rescue_watch(&core->timer, &core->stamp, sk,
			 fsk_rescue_limit(core->listener));
}

/**
 * fsk_rescue_arm_app() - something was queued on the app listener
 * @l: the listener, some of whose workers wait on cores
 *
 * Context: Any.  Expects rcu_read_lock().
 */
void fsk_rescue_arm_app(struct fsk_listener *l)
{
	const struct sock *app = rcu_dereference(l->sk);

	if (app)
		fsk_rescue_watch(&l->app_timer, &l->app_stamp, app,
				 fsk_rescue_limit(l));
}

static void fsk_rescue_listener_changed(struct fsk_listener *l)
{
	unsigned long limit = fsk_rescue_limit(l);
	const struct sock *app;
	struct fsk_core *core;
	int cpu;

	rcu_read_lock();
	fsk_listener_for_each_core(l, cpu, core)
		if (fsk_core_pending(core))
			mod_timer(&core->timer, jiffies + limit);
	app = rcu_dereference(l->sk);
	if (READ_ONCE(l->cores) && app && !fsk_queue_empty(app))
		mod_timer(&l->app_timer, jiffies + limit);
	rcu_read_unlock();
}

/**
 * fsk_rescue_limit_changed() - apply a new limit to what waits already
 * @fn: the namespace whose limit is new
 *
 * Context: Process.  Expects fsk_net.mutex.
 */
void fsk_rescue_limit_changed(struct fsk_net *fn)
{
	struct fsk_listener *l;
	int chain;

	lockdep_assert_held(&fn->mutex);
	/* A timer that finds no limit does not run again. */
	if (fn->rescue_ms)
		hash_for_each(fn->listeners, chain, l, node)
			fsk_rescue_listener_changed(l);
}

/**
 * fsk_rescue_orphan() - offer what is queued on a core to all workers
 * @core: the core
 *
 * Context: Any.  Expects rcu_read_lock().  Takes wait queue locks.
 */
void fsk_rescue_orphan(struct fsk_core *core)
{
	struct fsk_listener *l = core->listener;
	unsigned long now = jiffies;

	if (!test_and_set_bit(FSK_CORE_ORPHANED, &core->flags)) {
		if (time_before(now, core->back_at + HZ))
			core->backoff = min_t(unsigned long, core->backoff * 2,
					      FSK_RESCUE_BACKOFF_MAX);
		else
			core->backoff = 0;
		core->backoff = max(core->backoff, fsk_rescue_limit(l));
		WRITE_ONCE(core->back_at, now + core->backoff);
		atomic_inc(&l->orphans);
		fsk_group_note_orphan(l);
		atomic_long_inc(&core->rescues);
		fsk_stats_inc(l->fn, RESCUE);
	}
	fsk_wake_all(l);
}

/**
 * __fsk_rescue_return() - bring an orphaned core back if it is time
 * @core: the core that the calling task is bound to
 *
 * A core comes back when its queue is empty; until then all workers look there.
 * A connection that was queued since this looked was offered to them too late:
 * the caller has to look at its queue when this has returned.
 *
 * Context: Process.
 * Return: whether the core is the caller's again.
 */
bool __fsk_rescue_return(struct fsk_core *core)
{
	bool pending;

	rcu_read_lock();
	pending = fsk_core_pending(core);
	rcu_read_unlock();
	if (pending || time_before(jiffies, READ_ONCE(core->back_at)))
		return false;
	/* A barrier, too: see fsk_wake_orphaned(). */
	if (!test_and_clear_bit(FSK_CORE_ORPHANED, &core->flags))
		return false;
	atomic_dec(&core->listener->orphans);
	return true;
}
