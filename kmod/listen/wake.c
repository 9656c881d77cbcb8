// SPDX-License-Identifier: GPL-2.0
/*
 * Who is woken for a connection.
 *
 * A worker bound to a core waits in that core's queue, all others wait in the
 * app listener's own.  A connection on a core wakes a worker of that core.  A
 * connection on the app listener wakes a worker that waits there or, because
 * the module waits there as well, a core's.
 *
 * rescue.c and this file call each other; rescue.c says why.
 */
#include "listen/wake.h"

#include <linux/jiffies.h>
#include <linux/poll.h>

#include "host.h"
#include "listen/claim.h"
#include "listen/group.h"
#include "listen/listen.h"
#include "listen/place.h"
#include "listen/ref.h"
#include "listen/rescue.h"

#define FSK_WAKE_EVENTS	(EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND)

static bool fsk_wake_queue(struct fsk_core *core)
{
	struct wait_queue_head *wait = &core->sock->wq.wait;

	/* The barrier pairs with that in sock_poll_wait() or in
	 * prepare_to_wait_exclusive(): the waiter queues itself and then looks
	 * for connections, we queued a connection and now look for waiters.
	 */
	if (!wq_has_sleeper(wait))
		return false;
	wake_up_interruptible_sync_poll(wait, FSK_WAKE_EVENTS);
	return true;
}

/* Whether only the task that asked here last can hear: several may have this
 * queue, or share an epoll set.
 */
static bool fsk_wake_has_one(const struct fsk_core *core)
{
	return READ_ONCE(core->workers) <= 1 &&
	       !READ_ONCE(core->listener->looked);
}

/* Wakes a worker that seems to be idle, and returns whether it heard.  One that
 * is stopped, or sleeps in its work, stays asleep; one that waits does not,
 * before the call returns.  Of several, one will have heard.
 */
static bool fsk_wake_reaches(struct fsk_core *core)
{
	return fsk_wake_queue(core) &&
	       !(fsk_wake_has_one(core) && fsk_claim_is_asleep(core));
}

static void fsk_wake_app(struct sock *app)
{
	void (*data_ready)(struct sock *sk) = READ_ONCE(app->sk_data_ready);

	data_ready(app);
}

/* The app listener's queue has none of the siblings' workers. */
static void fsk_wake_sibling(struct fsk_core *core)
{
	struct fsk_core *idle = fsk_place_idle(core);

	if (idle && idle->listener != core->listener)
		fsk_wake_queue(idle);
}

/* Offers a connection to all that came on a core just as it was orphaned, and
 * returns whether it did.  If the core's worker comes back meanwhile, only that
 * worker looks there.
 */
static bool fsk_wake_orphaned(struct fsk_core *core, struct sock *app)
{
	if (likely(!test_bit(FSK_CORE_ORPHANED, &core->flags)))
		return false;
	fsk_wake_app(app);
	fsk_wake_sibling(core);
	/* We queued a connection and look at the flag, __fsk_rescue_return()
	 * clears the flag and looks at the queue.
	 */
	smp_mb();
	return test_bit(FSK_CORE_ORPHANED, &core->flags);
}

/**
 * fsk_wake_core() - a connection was queued on a core
 * @core: the core
 *
 * The core's worker, while it is alive and busy, looks here before it sleeps
 * for connections, so it needs no waking.  One that is bound is waited for, as
 * what it takes is near; where one that is not bound sleeps elsewhere, another
 * may take at once.  Without a worker the connection is offered to all.
 *
 * Context: Softirq or process.  Expects rcu_read_lock().  Takes wait queue
 *          locks.
 */
void fsk_wake_core(struct fsk_core *core)
{
	struct sock *app = rcu_dereference(core->listener->sk);
	struct sock *sk = rcu_dereference(core->sk);

	if (unlikely(!app || !sk))
		return;
	fsk_rescue_arm(core, sk);
	if (unlikely(fsk_wake_orphaned(core, app)))
		return;
	if (fsk_wake_queue(core))
		fsk_stats_inc(core->listener->fn, WAKE_LOCAL);
	else if (!fsk_claim_holds(core))
		fsk_rescue_orphan(core, FSK_ORPHANED_GONE);
	else if (fsk_claim_is_wide(core) && fsk_claim_is_asleep(core))
		fsk_rescue_help(core);
	if (unlikely(sock_flag(app, SOCK_FASYNC)))
		sk_wake_async(app, SOCK_WAKE_WAITD, POLL_IN);
}

/* Somebody waits in the app listener's own queue, where our entry is, too.  No
 * lock: who is missed is found by the next tick.
 */
static bool fsk_wake_app_has_others(const struct sock *app)
{
	const struct socket_wq *wq = rcu_dereference(app->sk_wq);
	const struct list_head *head = wq ? &wq->wait.head : NULL;

	return head && READ_ONCE(head->next) != READ_ONCE(head->prev);
}

/* Workers that have no core. */
static void fsk_wake_coreless(const struct fsk_listener *l)
{
	struct sock *app = rcu_dereference(l->sk);

	if (app && fsk_wake_app_has_others(app))
		fsk_wake_app(app);
}

/* A user in the kernel, such as sunrpc, waits in no queue: it has replaced
 * sk_data_ready, and is told by that alone.
 */
static bool fsk_wake_has_kernel(const struct sock *app)
{
	const struct fsk_host *host = fsk_host_get(READ_ONCE(app->sk_family));

	return host && READ_ONCE(app->sk_data_ready) != host->data_ready;
}

/**
 * fsk_wake_idle() - wake a worker that has nothing to do
 * @core: a core from which others may take
 *
 * Context: Softirq or process.  Expects rcu_read_lock().  Takes wait queue
 *          locks.
 */
void fsk_wake_idle(struct fsk_core *core)
{
	struct fsk_core *idle;

	/* Of several workers on one core another may have time. */
	fsk_wake_queue(core);
	idle = fsk_place_idle(core);
	if (!idle || !fsk_wake_reaches(idle))
		fsk_wake_coreless(core->listener);
}

/**
 * fsk_wake_worker() - wake a core's own worker
 * @core: the core, which is orphaned
 *
 * Context: Softirq or process.  Expects rcu_read_lock().  Takes a wait queue
 *          lock.
 */
void fsk_wake_worker(struct fsk_core *core)
{
	fsk_wake_queue(core);
}

/**
 * fsk_wake_listener() - wake a listener's own workers, bound or not
 * @l: the listener
 *
 * Context: Softirq or process.  Expects rcu_read_lock().  Takes wait queue
 *          locks.
 */
void fsk_wake_listener(struct fsk_listener *l)
{
	struct sock *app = rcu_dereference(l->sk);
	struct socket_wq *wq;
	struct fsk_core *core;
	int cpu;

	if (!app)
		return;
	fsk_listener_for_each_core(l, cpu, core)
		__wake_up(&core->sock->wq.wait, TASK_INTERRUPTIBLE, 0,
			  poll_to_key(FSK_WAKE_EVENTS));
	wq = rcu_dereference(app->sk_wq);
	if (wq)
		__wake_up(&wq->wait, TASK_INTERRUPTIBLE, 0,
			  poll_to_key(FSK_WAKE_EVENTS));
	if (unlikely(fsk_wake_has_kernel(app)))
		fsk_wake_app(app);
}

#define FSK_WAKE_MEMBERS	512	/* of a group, each jiffy */

/* What one CPU counts another may overwrite: it is a bound, not a number. */
static bool fsk_wake_may_members(struct fsk_group *group)
{
	unsigned int woken = 0;

	if (fsk_listen_is_now(READ_ONCE(group->woken_at)))
		woken = READ_ONCE(group->woken);
	else
		WRITE_ONCE(group->woken_at, jiffies);
	WRITE_ONCE(group->woken, woken + READ_ONCE(group->members));
	return woken < FSK_WAKE_MEMBERS;
}

/**
 * fsk_wake_all() - wake every worker of a listener, bound or not
 * @l: the listener; the workers of its SO_REUSEPORT siblings are woken, too, if
 *	they may take its connections
 *
 * Whoever is woken takes from all queues that others may take from.  So where
 * many members' workers are late at once, the siblings are woken for the first
 * ones in a jiffy; the rescue's timer comes again for who was late after that.
 *
 * Context: Softirq or process.  Expects rcu_read_lock().  Takes wait queue
 *          locks.
 */
void fsk_wake_all(struct fsk_listener *l)
{
	struct fsk_group *group = rcu_dereference(l->group);
	struct fsk_listener *member;

	if (!group || !fsk_group_shares(l) || !fsk_wake_may_members(group)) {
		fsk_wake_listener(l);
		return;
	}
	hlist_for_each_entry_rcu(member, &group->listeners, group_node)
		if (member == l || fsk_group_shares(member))
			fsk_wake_listener(member);
}

/* Whom to wake, in this order. */
enum fsk_wake_whom {
	FSK_WAKE_IDLE,
	FSK_WAKE_BUSY,
	FSK_WAKE_ORPHANED,
};

static bool fsk_wake_suits(const struct fsk_core *core, enum fsk_wake_whom whom)
{
	switch (whom) {
	case FSK_WAKE_IDLE:
		return fsk_claim_is_idle(core);
	case FSK_WAKE_BUSY:
		return !test_bit(FSK_CORE_ORPHANED, &core->flags);
	default:
		return test_bit(FSK_CORE_ORPHANED, &core->flags);
	}
}

/* An orphaned core's worker is not known to come, whatever it does. */
static bool fsk_wake_tries(struct fsk_core *core, enum fsk_wake_whom whom)
{
	return fsk_wake_suits(core, whom) &&
	       (whom == FSK_WAKE_ORPHANED ? fsk_wake_queue(core) :
					    fsk_wake_reaches(core));
}

/* Returns whether somebody heard: the first in turn. */
static bool fsk_wake_from(struct fsk_listener *l, int first,
			  enum fsk_wake_whom whom)
{
	struct fsk_core *core;
	int cpu;

	for_each_cpu_wrap(cpu, cpu_possible_mask, first) {
		core = rcu_dereference(l->core[cpu]);
		if (core && fsk_wake_tries(core, whom))
			return true;
	}
	return false;
}

/* Where all are busy, each connection would look at all. */
static bool fsk_wake_an_idle(struct fsk_listener *l)
{
	if (fsk_listen_is_now(READ_ONCE(l->sought)))
		return false;
	if (fsk_wake_from(l, l->app_turn, FSK_WAKE_IDLE))
		return true;
	WRITE_ONCE(l->sought, jiffies);
	return false;
}

/* Wakes a worker of a core and returns whether that is enough.  One that may
 * come back is woken so that it does: it could be asleep, with only this core's
 * connections to wait for.
 */
static bool fsk_wake_own(struct fsk_core *core)
{
	bool orphaned = test_bit(FSK_CORE_ORPHANED, &core->flags);

	if (orphaned ? time_before(jiffies, READ_ONCE(core->back_at)) :
		       !fsk_claim_is_idle(core))
		return false;
	return fsk_wake_reaches(core) && !orphaned;
}

/* None is idle.  Those of orphaned cores come last: their connections are the
 * ones that come here.  But one of them may be back, and asleep.
 */
static bool fsk_wake_another(struct fsk_listener *l)
{
	bool woken = fsk_wake_from(l, l->app_turn, FSK_WAKE_BUSY);

	if (atomic_read(&l->orphans) &&
	    fsk_wake_from(l, l->app_turn, FSK_WAKE_ORPHANED))
		woken = true;
	return woken;
}

/* Whether a worker was woken, and whether it is one that had nothing to do. */
enum fsk_wake_done {
	FSK_WAKE_NOBODY,
	FSK_WAKE_SOMEBODY,
	FSK_WAKE_ENOUGH,
};

/* Wakes a worker of this core if it is idle, or else of the next core in turn
 * where one is: one is enough, as for a shared listener with exclusive waiters.
 * Where one is busy, as there, the next who waits is woken, too.
 */
static enum fsk_wake_done fsk_wake_one(struct fsk_listener *l)
{
	int cpu = raw_smp_processor_id();
	struct fsk_core *own = rcu_dereference(l->core[cpu]);

	if (own && fsk_wake_own(own))
		return FSK_WAKE_ENOUGH;
	/* Under the lock of the app listener's wait queue */
	l->app_turn = cpumask_next(l->app_turn, cpu_possible_mask);
	if (l->app_turn >= nr_cpu_ids)
		l->app_turn = cpumask_first(cpu_possible_mask);
	if (fsk_wake_an_idle(l))
		return FSK_WAKE_ENOUGH;
	return fsk_wake_another(l) ? FSK_WAKE_SOMEBODY : FSK_WAKE_NOBODY;
}

/* A change of state wakes everybody.  Somebody may have aborted the socket
 * (ss -K), which we hear of only here; its owner holds it now.
 */
static void fsk_wake_cores(struct fsk_listener *l, void *key)
{
	const struct sock *app = rcu_dereference(l->sk);
	struct fsk_core *core;
	int cpu;

	if (app && inet_sk_state_load(app) != TCP_LISTEN) {
		fsk_listener_note_stop(l);
		if (READ_ONCE(l->listed))
			fsk_listener_update_later(l);
	}
	fsk_listener_for_each_core(l, cpu, core)
		__wake_up(&core->sock->wq.wait, TASK_INTERRUPTIBLE, 0, key);
}

/* Whether one worker is enough.  What comes for a socket that has become a
 * connection itself is for all, as for any connection: epoll sets that have it
 * from its time as a listener still wait on cores.  Expects rcu_read_lock().
 */
static bool fsk_wake_is_for_one(const struct fsk_listener *l, void *key)
{
	const struct sock *app = rcu_dereference(l->sk);

	return key_to_poll(key) & EPOLLIN && app &&
	       inet_sk_state_load(app) == TCP_LISTEN;
}

/**
 * fsk_wake_from_app() - the app listener's wait queue is being woken
 * @entry: fsk_listener.app_wait
 * @mode: task states to wake
 * @sync: hint that the waker will sleep soon
 * @key: poll events, or none at a change of state
 *
 * Context: Any, with the app listener's wait queue lock; takes those of cores.
 * Return: 1 if an idle worker was woken, which is then the one exclusive waiter
 *         that this wake-up was for; else 0.
 */
int fsk_wake_from_app(wait_queue_entry_t *entry, unsigned int mode, int sync,
		      void *key)
{
	enum fsk_wake_done done = FSK_WAKE_NOBODY;
	struct fsk_listener *l;

	l = container_of(entry, struct fsk_listener, app_wait);
	if (key_to_poll(key) & EPOLLIN && !READ_ONCE(l->cores))
		return 0;
	rcu_read_lock();
	if (!fsk_wake_is_for_one(l, key)) {
		fsk_wake_cores(l, key);
	} else {
		fsk_rescue_arm_app(l);
		done = fsk_wake_one(l);
		if (done != FSK_WAKE_NOBODY)
			fsk_stats_inc(l->fn, WAKE_APP);
	}
	rcu_read_unlock();
	return done == FSK_WAKE_ENOUGH;
}
