// SPDX-License-Identifier: GPL-2.0
/*
 * Claims: who takes from a core's queue.
 *
 * A core is claimed while a task that may run on no other CPU waits in its
 * queue (epoll items stay there), or while the task that last waited there and
 * does not stay queued (accept, poll, select, io_uring), its taker, is alive
 * and still bound.  Both end by themselves when the task ends or is unbound.
 */
#include "listen/claim.h"

#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "listen/listen.h"

/* Whether the taker still has a claim: alive, or alive and bound. */
static bool fsk_claim_taker_alive(struct fsk_core *core, bool bound)
{
	struct fsk_taker *taker = rcu_dereference(core->taker);
	struct task_struct *task;

	if (!taker)
		return false;
	task = pid_task(taker->pid, PIDTYPE_PID);
	if (!task || READ_ONCE(task->flags) & PF_EXITING)
		return false;
	return !bound || (READ_ONCE(task->nr_cpus_allowed) == 1 &&
			  task_cpu(task) == core->cpu);
}

/**
 * fsk_claim_holds() - will somebody take what is queued here?
 * @core: the core
 *
 * Context: Expects rcu_read_lock().
 * Return: true while a bound worker waits here or will come back.
 */
bool fsk_claim_holds(struct fsk_core *core)
{
	if (unlikely(test_bit(FSK_CORE_ORPHANED, &core->flags)))
		return false;
	/* No barrier: a waiter that is missed or seen too long only decides
	 * which queue a connection takes, and rescue.c looks again.
	 */
	return waitqueue_active(&core->sock->wq.wait) ||
	       fsk_claim_taker_alive(core, true);
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
bool fsk_claim_reserved(struct fsk_core *core)
{
	/* No barrier: advice only. */
	return waitqueue_active(&core->sock->wq.wait) ||
	       fsk_claim_taker_alive(core, false);
}

static void fsk_claim_taker_free_rcu(struct rcu_head *rcu)
{
	struct fsk_taker *taker = container_of(rcu, struct fsk_taker, rcu);

	put_pid(taker->pid);
	kfree(taker);
}

/**
 * fsk_claim_taker_put() - give a taker back
 * @taker: one that is no core's, or %NULL; freed after an RCU grace period
 *
 * Context: Any.
 */
void fsk_claim_taker_put(struct fsk_taker *taker)
{
	if (taker)
		call_rcu(&taker->rcu, fsk_claim_taker_free_rcu);
}

/**
 * fsk_claim_taker_create() - name the calling task
 *
 * Context: Process, sleeps.
 * Return: a taker, to be given to fsk_claim_taker_set(), or %NULL without
 *         memory: there is no claim between waits then, which costs locality.
 */
struct fsk_taker *fsk_claim_taker_create(void)
{
	struct fsk_taker *taker;

	taker = kmalloc(sizeof(*taker), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (taker)
		taker->pid = get_pid(task_pid(current));
	return taker;
}

/**
 * fsk_claim_taker_set() - make a taker that of a core
 * @core: the core
 * @taker: the calling task's, which is the core's from now on; or %NULL
 *
 * Context: Process.
 */
void fsk_claim_taker_set(struct fsk_core *core, struct fsk_taker *taker)
{
	if (!taker)
		return;
	fsk_claim_taker_put(unrcu_pointer(xchg(&core->taker,
					       RCU_INITIALIZER(taker))));
	WRITE_ONCE(core->taker_pid, task_pid(current));
}

/**
 * fsk_claim_set_taker() - the calling task takes from this core
 * @core: the core
 *
 * Context: Process.
 */
void fsk_claim_set_taker(struct fsk_core *core)
{
	if (likely(READ_ONCE(core->taker_pid) == task_pid(current)))
		return;
	fsk_claim_taker_set(core, fsk_claim_taker_create());
}

/**
 * fsk_claim_drop() - forget a core's taker
 * @core: a core that nobody can find any more
 *
 * Context: Any.
 */
void fsk_claim_drop(struct fsk_core *core)
{
	fsk_claim_taker_put(rcu_dereference_protected(core->taker, true));
}
