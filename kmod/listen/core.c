// SPDX-License-Identifier: GPL-2.0
/*
 * Cores of a listener: made when a bound worker first waits there, freed with
 * the listener.  Who takes from them is told by claim.c.
 */
#include "listen/core.h"

#include <linux/cpumask.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "listen/claim.h"
#include "listen/group.h"
#include "listen/listen.h"
#include "listen/local.h"
#include "listen/owner.h"
#include "listen/rescue.h"

/* Set before the first listener joins. */
const struct fsk_core_files *fsk_core_files __ro_after_init;

static void fsk_core_note_failure(struct fsk_listener *l, int err)
{
	if (err == -EDQUOT) {
		WRITE_ONCE(l->limited, true);
		fsk_stats_inc(l->fn, LOCAL_LIMIT);
	} else {
		fsk_stats_inc(l->fn, LOCAL_NOMEM);
	}
}

static struct fsk_core *fsk_core_create(struct fsk_listener *l, int cpu)
{
	struct fsk_core *core;
	int err = -ENOMEM;
	struct sock *app;

	app = rcu_dereference_protected(l->sk, lockdep_is_held(&l->mutex));
	if (l->dead || !l->listed)
		return NULL;
	core = kzalloc_node(sizeof(*core) + fsk_core_files->size,
			    GFP_KERNEL_ACCOUNT | __GFP_NOWARN,
			    cpu_to_node(cpu));
	if (!core)
		goto err;
	core->listener = l;
	core->cpu = cpu;
	fsk_rescue_core_init(core);
	err = fsk_local_create(core, app);
	if (err)
		goto err_free;
	err = fsk_local_start(core, app);
	if (err)
		goto err_destroy;
	WRITE_ONCE(l->limited, false);
	fsk_core_files->create(core);
	WRITE_ONCE(l->cores, l->cores + 1);
	rcu_assign_pointer(l->core[cpu], core);
	fsk_group_insert(core);
	fsk_stats_inc(l->fn, LOCAL_CREATE);
	return core;

err_destroy:
	fsk_local_close(core);
	fsk_local_destroy(core);
err_free:
	kfree(core);
err:
	fsk_core_note_failure(l, err);
	return NULL;
}

/**
 * fsk_core_close() - close a core whose listener is released
 * @core: the core
 *
 * Timer and pool come to the namespace's state of their own accord, so they end
 * here: the namespace may go as soon as the app listener is closed, while the
 * core stays for a grace period and for whoever has a reference.
 *
 * Context: Process, sleeps.  Expects fsk_listener.mutex, and that nobody is in
 *          a call on the listener's file.
 */
void fsk_core_close(struct fsk_core *core)
{
	fsk_local_close(core);
	fsk_rescue_core_exit(core);
	fsk_core_files->destroy(core);
}

/**
 * fsk_core_free() - free a core that is closed
 * @core: the core, or %NULL
 *
 * Context: Process, after an RCU grace period.
 */
void fsk_core_free(struct fsk_core *core)
{
	if (!core)
		return;
	fsk_claim_drop(core);
	fsk_local_destroy(core);
	kfree(core);
}

/**
 * fsk_core_current() - the core that the calling task is bound to
 * @l: the listener
 *
 * Context: Process, in a call on the listener's file, which keeps the core.
 * Return: the core, or %NULL for a task that may run on several CPUs, and
 *         where no core was made.
 */
struct fsk_core *fsk_core_current(struct fsk_listener *l)
{
	if (current->nr_cpus_allowed != 1)
		return NULL;
	return rcu_dereference_raw(l->core[raw_smp_processor_id()]);
}

static struct fsk_core *fsk_core_get_or_create(struct fsk_listener *l, int cpu)
{
	struct fsk_core *core;

	/* Each wait of each worker comes here: not one after another. */
	if (READ_ONCE(l->limited) && !fsk_owner_has_room(l->owner))
		return NULL;
	mutex_lock(&l->mutex);
	core = rcu_dereference_protected(l->core[cpu],
					 lockdep_is_held(&l->mutex));
	if (!core)
		core = fsk_core_create(l, cpu);
	mutex_unlock(&l->mutex);
	return core;
}

/**
 * fsk_core_claim() - as fsk_core_current(), and make the core if need be
 * @l: the listener
 *
 * Context: Process, sleeps; in a call on the listener's file.
 * Return: the core; %NULL for a task that may run on several CPUs, without
 *         memory, and when the listener's owner has as many as it may: then the
 *         caller is served as on the plain kernel.
 */
struct fsk_core *fsk_core_claim(struct fsk_listener *l)
{
	struct fsk_core *core;

	if (current->nr_cpus_allowed != 1)
		return NULL;
	core = fsk_core_current(l);
	if (likely(core))
		return core;
	return fsk_core_get_or_create(l, raw_smp_processor_id());
}

/* Serialises reservations, so that nobody chooses between somebody else's
 * choice and its claim.  It is one for the machine, so nothing is allocated
 * under it, and no other lock is taken: see fsk_core_reserve().
 */
static DEFINE_MUTEX(fsk_core_reserve_mutex);

/* Neither a worker of this listener nor one of a sibling in its group. */
static bool fsk_core_free_place(struct fsk_listener *l, int cpu)
{
	struct fsk_core *core;
	bool taken;

	rcu_read_lock();
	core = rcu_dereference(l->core[cpu]);
	taken = (core && fsk_claim_reserved(core)) || fsk_group_taken(l, cpu);
	rcu_read_unlock();
	return !taken;
}

static int fsk_core_choose(struct fsk_listener *l)
{
	int cpu, first = -1;

	for_each_cpu_and(cpu, current->cpus_ptr, cpu_online_mask) {
		if (fsk_core_free_place(l, cpu))
			return cpu;
		if (first < 0)
			first = cpu;
	}
	return first < 0 ? raw_smp_processor_id() : first;
}

/**
 * fsk_core_reserve() - choose a CPU for a task that cannot bind itself
 * @l: the listener that it is about to wait on
 *
 * The next CPU of the task's mask that no sibling has; when all are taken, the
 * first of them again.
 *
 * Context: Process, sleeps; in a call on the listener's file.
 * Return: the CPU, to which the caller should now be bound; -EDQUOT when the
 *         listener's owner has as many local listeners as it may; or -ENOMEM.
 */
int fsk_core_reserve(struct fsk_listener *l)
{
	struct fsk_taker *taker = fsk_claim_taker_create();
	struct fsk_core *core;
	int cpu;

	/* A core that has to be made first may be taken before it is: each
	 * round that fails has made one, so there are as many as cores.
	 */
	for (;;) {
		mutex_lock(&fsk_core_reserve_mutex);
		cpu = fsk_core_choose(l);
		/* Stays: the caller has the listener's file. */
		core = rcu_dereference_raw(l->core[cpu]);
		if (core)
			fsk_claim_taker_set(core, taker);
		mutex_unlock(&fsk_core_reserve_mutex);
		if (core)
			return cpu;
		if (!fsk_core_get_or_create(l, cpu))
			break;
	}
	fsk_claim_taker_put(taker);
	return READ_ONCE(l->limited) ? -EDQUOT : -ENOMEM;
}
