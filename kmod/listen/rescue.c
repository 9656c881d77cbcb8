// SPDX-License-Identifier: GPL-2.0
/*
 * Queues whose worker is gone or late.
 *
 * A timer ticks while a core's queue holds something.  When a connection has
 * waited for late-ms, the core is *late*: other workers may take what is
 * queued, an idle one is woken to do so, and place.c gives new connections to
 * idle ones.  It is late no more as soon as its worker keeps up, or sleeps with
 * nothing queued.
 *
 * A core is *orphaned* when no worker is left that could take, when its worker
 * sleeps while a connection waits, or when the worker has taken nothing for
 * rescue-ms: new connections go to the app listener, and what is queued is
 * offered to all workers, who are woken. The core comes back when its worker
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
#include "log.h"

/* All are woken, busy or not, when a core has been late for so many ticks. */
#define FSK_RESCUE_TICKS_ALL	4
#define FSK_RESCUE_BACKOFF_MIN	msecs_to_jiffies(20)
#define FSK_RESCUE_BACKOFF_MAX	(10 * HZ)
/* No work between two accepts should take longer: the log tells of it. */
#define FSK_RESCUE_LONG		(10 * HZ)
/* So long a busy worker stays late when nothing more comes. */
#define FSK_RESCUE_BUSY		(HZ / 4)

/* The shorter of both limits, in jiffies. */
static unsigned long fsk_rescue_tick(const struct fsk_listener *l)
{
	unsigned int rescue_ms = READ_ONCE(l->fn->rescue_ms);
	unsigned int late_ms = READ_ONCE(l->fn->late_ms);

	return msecs_to_jiffies(rescue_ms ? min(rescue_ms, late_ms) : late_ms);
}

/* A connection has waited since before @late_since. */
static bool fsk_rescue_late_passed(const struct fsk_core *core)
{
	unsigned int late_ms = READ_ONCE(core->listener->fn->late_ms);

	return time_after_eq(jiffies, core->late_since +
				      msecs_to_jiffies(late_ms));
}

/* Where a queue makes no progress, ever more seldom: nobody may have time. */
static unsigned long fsk_rescue_pause(const struct fsk_listener *l,
				      unsigned int ticks)
{
	unsigned long tick = fsk_rescue_tick(l);

	return min(tick << min(ticks / FSK_RESCUE_TICKS_ALL, 8U),
		   max_t(unsigned long, tick, HZ));
}

static bool fsk_rescue_limit_passed(const struct fsk_core *core)
{
	unsigned int limit = READ_ONCE(core->listener->fn->rescue_ms);

	return limit && time_after_eq(jiffies, READ_ONCE(core->stamp) +
					       msecs_to_jiffies(limit));
}

static bool fsk_rescue_app_gone(struct fsk_listener *l)
{
	const struct sock *app = rcu_dereference(l->sk);

	return app && inet_sk_state_load(app) != TCP_LISTEN;
}

/* Others may take from a core, for a reason that is a bit of fsk_core.flags */

static bool fsk_rescue_open(struct fsk_core *core, int why)
{
	struct fsk_listener *l = core->listener;

	if (test_and_set_bit(why, &core->flags))
		return false;
	atomic_inc(&l->orphans);
	/* Others see it, or are seen to wait by who wakes next. */
	smp_mb__after_atomic();
	fsk_group_note_orphan(l);
	return true;
}

static bool fsk_rescue_close(struct fsk_core *core, int why)
{
	/* A barrier, too: see fsk_wake_orphaned(). */
	if (!test_and_clear_bit(why, &core->flags))
		return false;
	atomic_dec(&core->listener->orphans);
	return true;
}

/**
 * fsk_rescue_help() - a core's worker can't take what is queued
 * @core: the core
 *
 * Context: Any.  Expects rcu_read_lock().  Takes wait queue locks.
 */
void fsk_rescue_help(struct fsk_core *core)
{
	if (fsk_rescue_open(core, FSK_CORE_LATE)) {
		atomic_long_inc(&core->times_late);
		fsk_stats_inc(core->listener->fn, LATE);
	}
	fsk_wake_idle(core);
}

/* The timer */

/* How many have been taken from the queue so far. */
static long fsk_rescue_taken(struct fsk_core *core)
{
	return atomic_long_read(&core->accept_local) +
	       atomic_long_read(&core->rescued);
}

/* Is something queued that was queued when this was asked last? */
static bool fsk_rescue_is_late(struct fsk_core *core, const struct sock *sk)
{
	long taken = fsk_rescue_taken(core);
	bool late = taken - READ_ONCE(core->mark) < 0;

	WRITE_ONCE(core->mark, taken + READ_ONCE(sk->sk_ack_backlog));
	return late;
}

/* From now on, what is queued waits. */
static void fsk_rescue_start(struct fsk_core *core, const struct sock *sk)
{
	WRITE_ONCE(core->looked, jiffies);
	WRITE_ONCE(core->mark, fsk_rescue_taken(core) +
			       READ_ONCE(sk->sk_ack_backlog));
	WRITE_ONCE(core->ticks, 0);
	mod_timer(&core->timer, jiffies + fsk_rescue_tick(core->listener));
}

/* Nobody takes from here: the worker is gone, or does not come though it was
 * woken, or has had its time.
 */
static enum fsk_orphaned_why fsk_rescue_is_orphan(const struct fsk_core *core)
{
	if (!fsk_claim_exists(core))
		return FSK_ORPHANED_GONE;
	if (fsk_rescue_late_passed(core) && fsk_claim_is_absent(core))
		return FSK_ORPHANED_ABSENT;
	if (fsk_rescue_limit_passed(core) && !fsk_claim_is_throttled(core))
		return FSK_ORPHANED_LIMIT;
	return FSK_ORPHANED_NOT;
}

static bool fsk_rescue_is_news(const struct fsk_core *core)
{
	return !test_bit(FSK_CORE_ORPHANED, &core->flags) ||
	       core->ticks % FSK_RESCUE_TICKS_ALL == 0;
}

/* The log */

/* Said once, until the core is orphaned again.  The timer and the hook on
 * several CPUs may say it at once; the log's limit bounds that.
 */
static void fsk_rescue_tell(struct fsk_core *core)
{
	const struct fsk_worker *worker = rcu_dereference(core->worker);
	unsigned long away = jiffies - READ_ONCE(core->orphaned_at);

	if (READ_ONCE(core->told))
		return;
	WRITE_ONCE(core->told, true);
	fsk_log_warn("port %u: process %d has taken nothing from its queue on CPU %d for %lu s, others get its connections\n",
		     core->listener->hnum, worker ? pid_nr(worker->pid) : 0,
		     core->cpu, away / HZ);
}

static bool fsk_rescue_is_long(const struct fsk_core *core)
{
	return test_bit(FSK_CORE_ORPHANED, &core->flags) &&
	       time_after(jiffies, READ_ONCE(core->orphaned_at) +
				   FSK_RESCUE_LONG);
}

/**
 * fsk_rescue_note_missed() - an orphaned core would get a connection
 * @core: the core
 *
 * Its worker, which may sleep and not know that it is missed, is woken for the
 * first of them that it could come back for.  If it has not come long after,
 * there is something wrong with it.
 *
 * Context: Softirq, or with BH off.  Expects rcu_read_lock().  Takes a wait
 *          queue lock.
 */
void fsk_rescue_note_missed(struct fsk_core *core)
{
	unsigned long missed = READ_ONCE(core->missed);

	if (READ_ONCE(core->told) ||
	    time_before(jiffies, READ_ONCE(core->back_at)))
		return;
	if (!missed) {
		WRITE_ONCE(core->missed, jiffies | 1);	/* never 0 */
		fsk_wake_worker(core);
	} else if (time_after(jiffies, missed + FSK_RESCUE_LONG)) {
		fsk_rescue_tell(core);
	}
}

/* Something was left for another tick. */
static void fsk_rescue_late(struct fsk_core *core, unsigned long since)
{
	enum fsk_orphaned_why why;

	if (!core->ticks)
		core->late_since = since;
	WRITE_ONCE(core->ticks, core->ticks + 1);
	why = fsk_rescue_is_orphan(core);
	if (why != FSK_ORPHANED_NOT) {
		if (fsk_rescue_is_news(core))
			fsk_rescue_orphan(core, why);
		if (fsk_rescue_is_long(core))
			fsk_rescue_tell(core);
	} else if (core->ticks % FSK_RESCUE_TICKS_ALL == 0) {
		fsk_wake_all(core->listener);
	} else if (fsk_rescue_late_passed(core) &&
		   !fsk_claim_is_throttled(core)) {
		fsk_rescue_help(core);
	}
}

/* Nothing is queued.  A core that has no worker any more is nobody's, so nobody
 * brings it back; without a claim it gets nothing.
 */
static void fsk_rescue_rest(struct fsk_core *core, const struct sock *sk)
{
	fsk_rescue_close(core, FSK_CORE_LATE);
	if (fsk_claim_exists(core) ||
	    !fsk_rescue_close(core, FSK_CORE_ORPHANED))
		return;
	trace_fsk_returned(core, FSK_RETURNED_EMPTY);
	if (sk && !fsk_queue_empty(sk))
		fsk_rescue_orphan(core, FSK_ORPHANED_GONE);
}

/* Others have taken all that was queued, and the worker, which would end this
 * by asking for more, has not been back: it is as late as before, for a while,
 * whether it computes or sleeps in its work.  A worker that never comes back
 * would else keep a timer for each listener.
 */
static bool fsk_rescue_stays_late(const struct fsk_core *core)
{
	return test_bit(FSK_CORE_LATE, &core->flags) &&
	       time_before(jiffies, READ_ONCE(core->stamp) + FSK_RESCUE_BUSY) &&
	       (fsk_claim_is_busy(core) || fsk_claim_is_away(core));
}

static void __fsk_rescue_core_timer(struct fsk_core *core)
{
	const struct sock *sk = rcu_dereference(core->sk);
	struct fsk_listener *l = core->listener;

	/* Somebody queued one and saw that this timer was pending. */
	smp_mb();
	if (!sk || fsk_queue_empty(sk)) {
		if (sk && fsk_rescue_stays_late(core))
			fsk_rescue_start(core, sk);
		else
			fsk_rescue_rest(core, sk);
		return;
	}
	/* Aborted from outside (ss -K): close what is queued with it. */
	if (fsk_rescue_app_gone(l)) {
		fsk_listener_update_later(l);
		return;
	}
	if (fsk_rescue_is_late(core, sk)) {
		fsk_rescue_late(core, READ_ONCE(core->looked));
	} else {
		WRITE_ONCE(core->ticks, 0);
		fsk_rescue_close(core, FSK_CORE_LATE);
	}
	WRITE_ONCE(core->looked, jiffies);
	mod_timer(&core->timer, jiffies + fsk_rescue_pause(l, core->ticks));
}

static void fsk_rescue_core_timer(struct timer_list *t)
{
	struct fsk_core *core = timer_container_of(core, t, timer);

	rcu_read_lock();
	__fsk_rescue_core_timer(core);
	rcu_read_unlock();
}

/* An event on the app listener wakes one core's worker.  If the queue has not
 * been empty since, that worker is late or can't cope: wake all who may take
 * it, which siblings may not.  On the plain kernel, each connection would have
 * woken another worker.
 */
static void fsk_rescue_app_timer(struct timer_list *t)
{
	struct fsk_listener *l = timer_container_of(l, t, app_timer);
	unsigned long due = READ_ONCE(l->app_stamp) + fsk_rescue_tick(l);
	const struct sock *app;

	rcu_read_lock();
	app = rcu_dereference(l->sk);
	smp_mb();	/* as in __fsk_rescue_core_timer() */
	if (app && !fsk_queue_empty(app)) {
		if (!time_before(jiffies, due)) {
			WRITE_ONCE(l->app_ticks, l->app_ticks + 1);
			fsk_wake_listener(l);
			/* Our own entry there begins anew for the last one. */
			due = jiffies +
			      fsk_rescue_pause(l, READ_ONCE(l->app_ticks));
		}
		mod_timer(&l->app_timer, due);
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
	WRITE_ONCE(core->back_at, jiffies);
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
static void fsk_rescue_watch(unsigned long *stamp, const struct sock *sk)
{
	if (READ_ONCE(sk->sk_ack_backlog) <= 1)
		WRITE_ONCE(*stamp, jiffies);
}

/* The timer makes a long pause, for what has been taken since: this one's wait
 * begins now.
 */
static bool fsk_rescue_is_anew(const struct sock *sk, unsigned int ticks)
{
	return unlikely(ticks >= FSK_RESCUE_TICKS_ALL) &&
	       READ_ONCE(sk->sk_ack_backlog) <= 1;
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
	fsk_rescue_watch(&core->stamp, sk);
	smp_mb();	/* pairs with that in __fsk_rescue_core_timer() */
	if (timer_pending(&core->timer) &&
	    !fsk_rescue_is_anew(sk, READ_ONCE(core->ticks)))
		return;
	fsk_rescue_start(core, sk);
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
	bool anew;

	if (!app)
		return;
	anew = fsk_rescue_is_anew(app, READ_ONCE(l->app_ticks));
	if (READ_ONCE(app->sk_ack_backlog) <= 1)
		WRITE_ONCE(l->app_ticks, 0);
	fsk_rescue_watch(&l->app_stamp, app);
	smp_mb();	/* pairs with that in fsk_rescue_app_timer() */
	if (anew || !timer_pending(&l->app_timer))
		mod_timer(&l->app_timer, jiffies + fsk_rescue_tick(l));
}

static void fsk_rescue_listener_changed(struct fsk_listener *l)
{
	unsigned long due = jiffies + fsk_rescue_tick(l);
	struct fsk_core *core;
	int cpu;

	rcu_read_lock();
	fsk_listener_for_each_core(l, cpu, core)
		if (timer_pending(&core->timer))
			timer_reduce(&core->timer, due);
	if (timer_pending(&l->app_timer))
		timer_reduce(&l->app_timer, due);
	rcu_read_unlock();
}

/**
 * fsk_rescue_limits_changed() - apply new limits to what waits already
 * @fn: the namespace whose limits are new
 *
 * Context: Process.  Expects fsk_net.mutex.
 */
void fsk_rescue_limits_changed(struct fsk_net *fn)
{
	struct fsk_listener *l;
	int chain;

	lockdep_assert_held(&fn->mutex);
	hash_for_each(fn->listeners, chain, l, node)
		fsk_rescue_listener_changed(l);
}

static void fsk_rescue_back_off(struct fsk_core *core)
{
	unsigned long now = jiffies;

	/* Another CPU has done so just now. */
	if (READ_ONCE(core->orphaned_at) == now)
		return;
	WRITE_ONCE(core->orphaned_at, now);
	if (time_before(now, core->back_at + HZ))
		core->backoff = min_t(unsigned long, core->backoff * 2,
				      FSK_RESCUE_BACKOFF_MAX);
	else
		core->backoff = 0;
	core->backoff = max(core->backoff, FSK_RESCUE_BACKOFF_MIN);
	WRITE_ONCE(core->missed, 0);
	WRITE_ONCE(core->told, false);
	WRITE_ONCE(core->back_at, now + core->backoff);
}

/* Expects rcu_read_lock(). */
static unsigned int fsk_rescue_queued(const struct fsk_core *core)
{
	const struct sock *sk = rcu_dereference(core->sk);

	return sk ? READ_ONCE(sk->sk_ack_backlog) : 0;
}

/**
 * fsk_rescue_orphan() - offer what is queued on a core to all workers
 * @core: the core
 * @why: why its own worker does not take it
 *
 * Context: Any.  Expects rcu_read_lock().  Takes wait queue locks.
 */
void fsk_rescue_orphan(struct fsk_core *core, enum fsk_orphaned_why why)
{
	if (!test_bit(FSK_CORE_ORPHANED, &core->flags))
		fsk_rescue_back_off(core);
	if (fsk_rescue_open(core, FSK_CORE_ORPHANED)) {
		atomic_long_inc(&core->rescues);
		fsk_stats_inc(core->listener->fn, RESCUE);
		if (trace_fsk_orphaned_enabled())
			trace_fsk_orphaned(core, fsk_rescue_queued(core), why);
	}
	fsk_wake_all(core->listener);
}

static bool fsk_rescue_has_queued(const struct fsk_core *core)
{
	bool pending;

	rcu_read_lock();
	pending = fsk_core_pending(core);
	rcu_read_unlock();
	return pending;
}

/**
 * __fsk_rescue_return() - bring a core back if it is time
 * @core: the calling task's own core
 *
 * A core comes back when its queue is empty; until then all workers look there.
 * A connection that was queued since this looked was offered to them too late:
 * the caller has to look at its queue when this has returned.
 *
 * Context: Process.
 * Return: whether the core is the caller's alone again.
 */
bool __fsk_rescue_return(struct fsk_core *core)
{
	bool back;

	if (fsk_rescue_has_queued(core))
		return false;
	back = fsk_rescue_close(core, FSK_CORE_LATE);
	if (!time_before(jiffies, READ_ONCE(core->back_at)) &&
	    fsk_rescue_close(core, FSK_CORE_ORPHANED)) {
		trace_fsk_returned(core, FSK_RETURNED_WORKER);
		back = true;
	}
	return back;
}
