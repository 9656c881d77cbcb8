// SPDX-License-Identifier: GPL-2.0
/*
 * Claims: who takes from a core's queue.
 *
 * A core is claimed while a worker waits in its queue (epoll items stay there),
 * or while a worker that asked there last and does not stay queued (accept,
 * poll, select, io_uring) is alive and may run on the core.  Both end by
 * themselves when the task ends or is bound elsewhere.
 */
#include "listen/claim.h"

#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "listen/listen.h"

/* The worker's task while it lives.  Expects rcu_read_lock(). */
static struct task_struct *fsk_claim_task(const struct fsk_worker *worker)
{
	struct task_struct *task = pid_task(worker->pid, PIDTYPE_PID);

	return task && !(READ_ONCE(task->flags) & PF_EXITING) ? task : NULL;
}

/* The task of the worker that asked here last, while it lives. */
static struct task_struct *fsk_claim_core_task(const struct fsk_core *core)
{
	const struct fsk_worker *worker = rcu_dereference(core->worker);

	return worker ? fsk_claim_task(worker) : NULL;
}

/* Whether a worker that does not stay queued will come back, and may run on the
 * core.
 */
static bool fsk_claim_returns(const struct fsk_core *core)
{
	const struct fsk_worker *worker = rcu_dereference(core->worker);
	struct task_struct *task;

	if (!worker || !READ_ONCE(worker->returns))
		return false;
	task = fsk_claim_task(worker);
	/* The mask may change meanwhile: advice only. */
	return task && cpumask_test_cpu(core->cpu, &task->cpus_mask);
}

/**
 * fsk_claim_exists() - has this core a worker, if perhaps a late one?
 * @core: the core
 *
 * Context: Expects rcu_read_lock().
 * Return: true while a worker waits here or will come back.
 */
bool fsk_claim_exists(const struct fsk_core *core)
{
	/* No barrier: a waiter that is missed or seen too long only decides
	 * which queue a connection takes, and rescue.c looks again.
	 */
	return waitqueue_active(&core->sock->wq.wait) ||
	       fsk_claim_returns(core);
}

/**
 * fsk_claim_holds() - will somebody take what is queued here?
 * @core: the core
 *
 * Context: Expects rcu_read_lock().
 * Return: as fsk_claim_exists(), but false for a core that is orphaned.
 */
bool fsk_claim_holds(const struct fsk_core *core)
{
	return likely(!test_bit(FSK_CORE_ORPHANED, &core->flags)) &&
	       fsk_claim_exists(core);
}

/**
 * fsk_claim_is_away() - will this core's worker come back, and is it not here?
 * @core: the core
 *
 * Context: Expects rcu_read_lock().
 * Return: whether it computes or sleeps in its work.
 */
bool fsk_claim_is_away(const struct fsk_core *core)
{
	/* No barrier: advice only. */
	return !waitqueue_active(&core->sock->wq.wait) &&
	       fsk_claim_returns(core);
}

/**
 * fsk_claim_reserved() - does anybody have this core, or has it reserved?
 * @core: the core
 *
 * A task that has reserved a core and is not bound to it yet has it, too.
 *
 * Context: Expects rcu_read_lock().
 * Return: whether another task should look elsewhere.
 */
bool fsk_claim_reserved(const struct fsk_core *core)
{
	/* No barrier: advice only. */
	return waitqueue_active(&core->sock->wq.wait) ||
	       fsk_claim_core_task(core);
}

/* Whether it runs, or waits for a CPU: one that another CPU has just woken does
 * so, too.
 */
static bool fsk_claim_runs(const struct task_struct *task)
{
	unsigned int state = READ_ONCE(task->__state);

	return state == TASK_RUNNING || state == TASK_WAKING;
}

/**
 * fsk_claim_is_asleep() - does this core's worker sleep, wherever?
 * @core: the core
 *
 * A worker that was woken for a connection and sleeps while that is queued will
 * not take it now: it sleeps in its work or at a lock, or it is stopped.
 *
 * Context: Expects rcu_read_lock().
 * Return: false for one that runs or waits for a CPU, and when it is not known
 *         who the worker is.
 */
bool fsk_claim_is_asleep(const struct fsk_core *core)
{
	struct task_struct *task = fsk_claim_core_task(core);

	return task && !fsk_claim_runs(task);
}

/**
 * fsk_claim_is_busy() - does this core's worker run, or wait for a CPU?
 * @core: the core
 *
 * Context: Expects rcu_read_lock().
 * Return: false, too, when it is not known who the worker is.
 */
bool fsk_claim_is_busy(const struct fsk_core *core)
{
	struct task_struct *task = fsk_claim_core_task(core);

	return task && fsk_claim_runs(task);
}

/**
 * fsk_claim_is_absent() - has the worker not come though it was woken?
 * @core: a core that was woken for a connection which is still queued
 *
 * It sleeps at a lock that serialises accept(), or in its work, or it is
 * stopped.  One that waits for a disk will soon be back.
 *
 * Context: Expects rcu_read_lock().
 * Return: false, too, for one that does not stay queued: it has not been woken.
 */
bool fsk_claim_is_absent(const struct fsk_core *core)
{
	const struct fsk_worker *worker = rcu_dereference(core->worker);
	struct task_struct *task = worker ? fsk_claim_task(worker) : NULL;

	return task && !READ_ONCE(worker->returns) &&
	       READ_ONCE(task->__state) &
	       (TASK_INTERRUPTIBLE | __TASK_STOPPED | __TASK_TRACED);
}

/**
 * fsk_claim_is_alive() - does a worker's task live?
 * @worker: the worker
 *
 * Context: Expects rcu_read_lock().
 * Return: whether it has not begun to exit.
 */
bool fsk_claim_is_alive(const struct fsk_worker *worker)
{
	return fsk_claim_task(worker);
}

/**
 * fsk_claim_is_wide() - may this core's worker run elsewhere, too?
 * @core: the core
 *
 * Context: Expects rcu_read_lock().
 * Return: false, too, when it is not known who the worker is.
 */
bool fsk_claim_is_wide(const struct fsk_core *core)
{
	struct task_struct *task = fsk_claim_core_task(core);

	return task && READ_ONCE(task->nr_cpus_allowed) != 1;
}

/* Whether it waits for something that may be a connection.  One that is stopped
 * or traced does not, nor one that waits for a disk; one that is frozen with
 * its control group looks as if it did.
 */
static bool fsk_claim_waits(const struct fsk_core *core)
{
	struct task_struct *task = fsk_claim_core_task(core);

	return task && READ_ONCE(task->__state) & TASK_INTERRUPTIBLE;
}

/**
 * fsk_claim_is_idle() - does this core's worker wait, with nothing to take?
 * @core: the core
 *
 * One that stays queued looks the same while it sleeps in its work.
 *
 * Context: Expects rcu_read_lock().
 * Return: whether it could take a connection at once.
 */
bool fsk_claim_is_idle(const struct fsk_core *core)
{
	if (READ_ONCE(core->flags) || fsk_core_pending(core))
		return false;
	/* No barrier: who is missed is found by the next tick. */
	return waitqueue_active(&core->sock->wq.wait) && fsk_claim_waits(core);
}

/**
 * fsk_claim_is_throttled() - is the worker kept from this CPU, which is idle?
 * @core: a core whose worker has not come
 *
 * Its control group has used up its quota, and the others' of the group are as
 * little able to come. In a timer that runs in a thread (PREEMPT_RT) the answer
 * is no.
 *
 * Context: Softirq.  Expects rcu_read_lock().
 * Return: whether it wants to run and is not let.
 */
bool fsk_claim_is_throttled(const struct fsk_core *core)
{
	struct task_struct *task = fsk_claim_core_task(core);

	return task && is_idle_task(current) && task_is_running(task) &&
	       task_cpu(task) == smp_processor_id();
}
