// SPDX-License-Identifier: GPL-2.0
/*
 * Workers: which queue is the calling task's own.
 *
 * A task that is bound to one CPU has the queue of that CPU.  Any other has the
 * one that it was given when it first waited: that of a CPU of its mask which
 * the fewest others have, the nearest first.  A listener remembers the tasks
 * that have waited.  A task that accepts and has never waited has none: it sees
 * all queues (accept.c).
 */
#include "listen/worker.h"

#include <linux/cpumask.h>
#include <linux/hash.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "listen/claim.h"
#include "listen/core.h"
#include "listen/group.h"
#include "listen/listen.h"
#include "listen/owner.h"

/* So many tasks of a listener are remembered, for each CPU.  More are served as
 * on the plain kernel.
 */
#define FSK_WORKER_MAX		16
/* From so many on those that have ended are sought when one more comes. */
#define FSK_WORKER_PURGE	32

static unsigned int fsk_worker_max(void)
{
	return max(64U, FSK_WORKER_MAX * num_possible_cpus());
}

static struct hlist_head *fsk_worker_chain(struct fsk_listener *l,
					   const struct pid *pid)
{
	return &l->workers[hash_ptr(pid, FSK_LISTEN_WORKERS_BITS)];
}

/* The calling task's entry.  It goes only when the task has ended, or by the
 * task's own doing, so it may be used without a lock; but a thread that calls
 * exec() gets the entry of its leader, which has ended: __fsk_worker_note()
 * looks again.
 */
static struct fsk_worker *fsk_worker_find(struct fsk_listener *l)
{
	const struct pid *pid = task_pid(current);
	struct fsk_worker *worker;

	hlist_for_each_entry_rcu(worker, fsk_worker_chain(l, pid), node,
				 lockdep_is_held(&l->mutex))
		if (worker->pid == pid)
			return worker;
	return NULL;
}

static void fsk_worker_free_rcu(struct rcu_head *rcu)
{
	struct fsk_worker *worker = container_of(rcu, struct fsk_worker, rcu);

	put_pid(worker->pid);
	kfree(worker);
}

/* The worker asks at its core no more; another one may by now. */
static void fsk_worker_retract(struct fsk_worker *worker)
{
	unrcu_pointer(cmpxchg(&worker->core->worker, RCU_INITIALIZER(worker),
			      NULL));
}

static void fsk_worker_remove(struct fsk_listener *l, struct fsk_worker *worker)
{
	struct fsk_core *core = worker->core;

	lockdep_assert_held(&l->mutex);
	hash_del_rcu(&worker->node);
	l->nr_workers--;
	WRITE_ONCE(core->workers, core->workers - 1);
	/* Others name themselves there without a lock. */
	smp_mb();	/* pairs with that in __fsk_worker_note() */
	fsk_worker_retract(worker);
	call_rcu(&worker->rcu, fsk_worker_free_rcu);
}

/* Tasks that have ended. */
static void fsk_worker_purge(struct fsk_listener *l)
{
	struct fsk_worker *worker;
	struct hlist_node *next;
	bool gone;
	int chain;

	if (l->nr_workers < max_t(unsigned int, l->purge_at, FSK_WORKER_PURGE))
		return;
	hash_for_each_safe(l->workers, chain, next, worker, node) {
		rcu_read_lock();
		gone = !fsk_claim_is_alive(worker);
		rcu_read_unlock();
		if (gone)
			fsk_worker_remove(l, worker);
	}
	/* A full table is looked through each time, or it would stay full of
	 * tasks that have ended.
	 */
	l->purge_at = min(2 * l->nr_workers, fsk_worker_max());
}

/* An entry for the calling task, not yet in the table. */
static struct fsk_worker *fsk_worker_alloc(struct fsk_listener *l)
{
	struct fsk_worker *worker;

	fsk_worker_purge(l);
	if (l->nr_workers >= fsk_worker_max()) {
		WRITE_ONCE(l->full_at, jiffies);
		return NULL;
	}
	worker = kzalloc(sizeof(*worker), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!worker)
		return NULL;
	worker->pid = get_pid(task_pid(current));
	return worker;
}

static void fsk_worker_link(struct fsk_worker *worker, struct fsk_core *core)
{
	struct fsk_listener *l = core->listener;

	lockdep_assert_held(&l->mutex);
	worker->core = core;
	hlist_add_head_rcu(&worker->node, fsk_worker_chain(l, worker->pid));
	l->nr_workers++;
	WRITE_ONCE(core->workers, core->workers + 1);
}

/* Returns the calling task's entry with this core, made if need be, or NULL. */
static struct fsk_worker *fsk_worker_enter(struct fsk_core *core)
{
	struct fsk_listener *l = core->listener;
	struct fsk_worker *worker = fsk_worker_find(l);

	lockdep_assert_held(&l->mutex);
	if (worker && worker->core == core)
		return worker;
	if (worker)	/* It has been bound to another CPU since. */
		fsk_worker_remove(l, worker);
	worker = fsk_worker_alloc(l);
	if (worker)
		fsk_worker_link(worker, core);
	return worker;
}

/* One that stays queued has its claim by that, and must not end the claim of
 * one that does not. Expects rcu_read_lock().
 */
static bool fsk_worker_may_claim(const struct fsk_core *core,
				 const struct fsk_worker *worker)
{
	const struct fsk_worker *last = rcu_dereference(core->worker);

	return !last || last == worker || READ_ONCE(worker->returns) ||
	       !READ_ONCE(last->returns) || !fsk_claim_is_alive(last);
}

/* Expects rcu_read_lock(). */
static void __fsk_worker_note(struct fsk_core *core, struct fsk_worker *worker,
			      bool returns)
{
	if (returns)
		WRITE_ONCE(worker->returns, true);
	if (!fsk_worker_may_claim(core, worker))
		return;
	rcu_assign_pointer(core->worker, worker);
	/* Claimed, then it looks whether it is in the map; see map.c.  And
	 * whether it is in the table: who looked before a thread took its
	 * leader's number, in exec(), found that the task had ended.
	 */
	smp_mb();
	if (unlikely(hlist_unhashed_lockless(&worker->node)))
		fsk_worker_retract(worker);
}

/* The same without a lock, for a task that has an entry.  Expects
 * rcu_read_lock().
 */
static bool fsk_worker_note_again(struct fsk_core *core, bool returns)
{
	struct fsk_worker *worker = rcu_dereference(core->worker);

	if (likely(worker && worker->pid == task_pid(current) &&
		   (!returns || READ_ONCE(worker->returns))))
		return true;
	worker = fsk_worker_find(core->listener);
	if (!worker || worker->core != core)
		return false;
	__fsk_worker_note(core, worker, returns);
	return true;
}

/**
 * fsk_worker_note() - the calling task asks at its own core
 * @core: the core
 * @returns: it does not stay queued
 *
 * Without memory there is no claim between waits, which costs locality.
 *
 * Context: Process, sleeps the first time; in a call on the listener's file.
 */
void fsk_worker_note(struct fsk_core *core, bool returns)
{
	struct fsk_worker *worker;
	bool known;

	rcu_read_lock();
	known = fsk_worker_note_again(core, returns);
	rcu_read_unlock();
	if (known || fsk_listen_is_now(READ_ONCE(core->listener->full_at)))
		return;
	mutex_lock(&core->listener->mutex);
	worker = fsk_worker_enter(core);
	rcu_read_lock();
	if (worker)
		__fsk_worker_note(core, worker, returns);
	rcu_read_unlock();
	mutex_unlock(&core->listener->mutex);
}

/**
 * fsk_worker_note_queued() - the calling task waits in its own queue
 * @core: the core
 *
 * Context: Process, in a call on the listener's file.
 */
void fsk_worker_note_queued(const struct fsk_core *core)
{
	struct fsk_worker *worker;

	rcu_read_lock();
	worker = rcu_dereference(core->worker);
	if (unlikely(!worker || worker->pid != task_pid(current)))
		worker = fsk_worker_find(core->listener);
	if (worker && unlikely(!READ_ONCE(worker->queues)))
		WRITE_ONCE(worker->queues, true);
	rcu_read_unlock();
}

/* Several tasks may wait by an epoll set that one of them, or another, has
 * filled: whatever queue the item is in, any of them may be woken.  One that
 * looks for connections, and has never queued itself, waits so.  To have
 * accepted is no claim then, for it is not woken from its own queue.
 */

static unsigned int fsk_worker_looked_bit(void)
{
	return hash_ptr(task_pid(current), ilog2(BITS_PER_LONG));
}

/**
 * fsk_worker_looks_elsewhere() - a task looks in whose queue nobody waits now
 * @l: the listener
 *
 * Context: Process, in a call on the listener's file.
 * Return: whether it waits elsewhere: then it is to see all queues.
 */
bool fsk_worker_looks_elsewhere(struct fsk_listener *l)
{
	unsigned int bit = fsk_worker_looked_bit();
	struct fsk_worker *worker;

	rcu_read_lock();
	worker = fsk_worker_find(l);
	if (worker && READ_ONCE(worker->queues)) {
		rcu_read_unlock();
		return false;
	}
	if (!test_bit(bit, &l->looked))
		set_bit(bit, &l->looked);
	if (worker) {
		WRITE_ONCE(worker->returns, false);
		fsk_worker_retract(worker);
	}
	rcu_read_unlock();
	return true;
}

/**
 * fsk_worker_is_elsewhere() - does the calling task wait in another queue?
 * @l: the listener
 *
 * Two tasks may share a bit: then one of them takes from all queues, too.
 *
 * Context: Process, in a call on the listener's file.
 * Return: whether it is to take from all queues, and to claim none.
 */
bool fsk_worker_is_elsewhere(struct fsk_listener *l)
{
	const struct fsk_worker *worker;
	bool queues;

	if (likely(!READ_ONCE(l->looked)) ||
	    !test_bit(fsk_worker_looked_bit(), &l->looked))
		return false;
	rcu_read_lock();
	worker = fsk_worker_find(l);
	queues = worker && READ_ONCE(worker->queues);
	rcu_read_unlock();
	return !queues;
}

/* Where there is room */

/* Those that stay queued may have no entry. */
static unsigned int fsk_worker_count_core(const struct fsk_core *core)
{
	unsigned int count = READ_ONCE(core->workers);

	return count ? count : fsk_claim_reserved(core);
}

/* How many workers have the queue of this CPU, siblings' included. */
static unsigned int fsk_worker_count(struct fsk_listener *l, int cpu)
{
	struct fsk_core *core;
	unsigned int count;

	rcu_read_lock();
	core = rcu_dereference(l->core[cpu]);
	count = core ? fsk_worker_count_core(core) : 0;
	count += fsk_group_taken(l, cpu);
	rcu_read_unlock();
	return count;
}

static struct fsk_net_hint *fsk_worker_hint(struct fsk_net *fn)
{
	lockdep_assert_held(&fn->worker_mutex);
	return &fn->hints[hash_ptr(task_pid(current), FSK_NET_HINT_BITS)];
}

/* The CPU that the calling task got at another listener, or that it runs on. */
static int fsk_worker_first_choice(struct fsk_net *fn)
{
	const struct fsk_net_hint *hint = fsk_worker_hint(fn);

	if (hint->pid == task_pid(current) &&
	    cpumask_test_cpu(hint->cpu, current->cpus_ptr))
		return hint->cpu;
	return raw_smp_processor_id();
}

/* Returns the CPU of the task's mask with the fewest workers: of these its
 * first choice, then those of the same node.
 */
static int fsk_worker_choose(struct fsk_listener *l)
{
	int here = fsk_worker_first_choice(l->fn), node = cpu_to_node(here);
	unsigned int count, fewest = UINT_MAX;
	int cpu, best = here;

	for_each_cpu_wrap(cpu, current->cpus_ptr, here) {
		if (!cpu_online(cpu))
			continue;
		/* One on another node is worth half a worker less. */
		count = 2 * fsk_worker_count(l, cpu) +
			(cpu_to_node(cpu) != node);
		if (count >= fewest)
			continue;
		fewest = count;
		best = cpu;
	}
	return best;
}

/* Gives the calling task a queue.  A core that has to be made first may be
 * taken before it is: each round that fails has made one, so there are as many
 * as cores.
 */
static struct fsk_core *fsk_worker_place(struct fsk_listener *l,
					 struct fsk_worker *worker)
{
	struct fsk_core *core;
	int cpu;

	for (;;) {
		mutex_lock(&l->fn->worker_mutex);
		cpu = fsk_worker_choose(l);
		core = fsk_listener_core(l, cpu);
		if (core) {
			fsk_worker_link(worker, core);
			*fsk_worker_hint(l->fn) = (struct fsk_net_hint){
				.pid = task_pid(current), .cpu = cpu };
			rcu_read_lock();
			if (fsk_worker_may_claim(core, worker))
				rcu_assign_pointer(core->worker, worker);
			rcu_read_unlock();
		}
		mutex_unlock(&l->fn->worker_mutex);
		if (core || !fsk_core_make(l, cpu))
			return core;
	}
}

static struct fsk_core *fsk_worker_settle(struct fsk_listener *l)
{
	struct fsk_worker *worker = fsk_worker_find(l);
	struct fsk_core *core = NULL;

	if (worker)	/* Its CPU is no longer in its mask. */
		fsk_worker_remove(l, worker);
	worker = fsk_worker_alloc(l);
	if (worker)
		core = fsk_worker_place(l, worker);
	if (!core && worker)
		call_rcu(&worker->rcu, fsk_worker_free_rcu);
	return core;
}

/* Each wait of each worker may come here: not one after another. */
static bool fsk_worker_is_refused(struct fsk_listener *l)
{
	return fsk_listen_is_now(READ_ONCE(l->full_at)) ||
	       (READ_ONCE(l->limited) && !fsk_owner_has_room(l->owner));
}

/* The calling task's own core */

/* One that was bound to this CPU after it had queued itself elsewhere still
 * waits there, and only there: an epoll item does not move.
 */
static struct fsk_core *fsk_worker_bound_core(struct fsk_listener *l)
{
	const struct fsk_worker *worker;
	struct fsk_core *core;

	rcu_read_lock();
	core = rcu_dereference(l->core[raw_smp_processor_id()]);
	worker = core ? rcu_dereference(core->worker) : NULL;
	if (likely(worker && worker->pid == task_pid(current)))
		goto out;
	worker = READ_ONCE(l->nr_workers) ? fsk_worker_find(l) : NULL;
	if (!worker || worker->core == core || READ_ONCE(worker->returns))
		goto out;
	/* No barrier: it has queued itself, or not, before this call. */
	if (waitqueue_active(&worker->core->sock->wq.wait))
		core = worker->core;
out:
	rcu_read_unlock();
	return core;
}

static struct fsk_core *fsk_worker_wide_core(struct fsk_listener *l)
{
	struct fsk_core *core = NULL;
	struct fsk_worker *worker;

	if (!READ_ONCE(l->nr_workers))
		return NULL;
	rcu_read_lock();
	worker = fsk_worker_find(l);
	if (worker)
		core = worker->core;
	rcu_read_unlock();
	return core;
}

/**
 * fsk_worker_core() - the core whose queue is the calling task's own
 * @l: the listener
 *
 * Context: Process, in a call on the listener's file, which keeps the core.
 * Return: the core, or %NULL for a task without one.
 */
struct fsk_core *fsk_worker_core(struct fsk_listener *l)
{
	if (likely(current->nr_cpus_allowed == 1))
		return fsk_worker_bound_core(l);
	return fsk_worker_wide_core(l);
}

static struct fsk_core *fsk_worker_make_core(struct fsk_listener *l)
{
	struct fsk_core *core;

	if (fsk_worker_is_refused(l))
		return NULL;
	mutex_lock(&l->mutex);
	if (current->nr_cpus_allowed == 1)
		core = fsk_core_make(l, raw_smp_processor_id());
	else
		core = fsk_worker_settle(l);
	mutex_unlock(&l->mutex);
	return core;
}

/**
 * fsk_worker_claim() - as fsk_worker_core(), and get one if need be
 * @l: the listener
 *
 * Context: Process, sleeps; in a call on the listener's file.
 * Return: the core; %NULL without memory, and when the listener's owner has as
 *         many as it may: then the caller is served as on the plain kernel.
 */
struct fsk_core *fsk_worker_claim(struct fsk_listener *l)
{
	struct fsk_core *core = fsk_worker_core(l);

	if (likely(core && cpumask_test_cpu(core->cpu, current->cpus_ptr)))
		return core;
	return fsk_worker_make_core(l);
}

/**
 * fsk_worker_reserve() - choose a CPU for a task that cannot bind itself
 * @l: the listener that it waits on, or is about to
 *
 * That of its queue, if it has one already: an epoll item stays there.  Else
 * the CPU of the task's mask that the fewest siblings have.
 *
 * Context: Process, sleeps; in a call on the listener's file.
 * Return: the CPU, to which the caller should now be bound; -EDQUOT when the
 *         listener's owner has as many local listeners as it may; or -ENOMEM.
 */
int fsk_worker_reserve(struct fsk_listener *l)
{
	struct fsk_core *core = fsk_worker_claim(l);

	if (core && !cpu_online(core->cpu)) {
		mutex_lock(&l->mutex);
		core = fsk_worker_settle(l);
		mutex_unlock(&l->mutex);
	}
	if (core)
		return core->cpu;
	return READ_ONCE(l->limited) ? -EDQUOT : -ENOMEM;
}

/**
 * fsk_worker_free_all() - forget a listener's workers
 * @l: the listener, which nobody can find any more
 *
 * Context: Process, after an RCU grace period.
 */
void fsk_worker_free_all(struct fsk_listener *l)
{
	struct fsk_worker *worker;
	struct hlist_node *next;
	int chain;

	hash_for_each_safe(l->workers, chain, next, worker, node) {
		put_pid(worker->pid);
		kfree(worker);
	}
}
