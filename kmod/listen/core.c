// SPDX-License-Identifier: GPL-2.0
/*
 * Cores of a listener: made when a worker first waits there, freed with the
 * listener.  worker.c says whose they are, claim.c whether anybody takes.
 */
#include "listen/core.h"

#include <linux/slab.h>

#include "listen/group.h"
#include "listen/listen.h"
#include "listen/local.h"
#include "listen/owner.h"
#include "listen/place.h"
#include "listen/rescue.h"
#include "log.h"

/* Set before the first listener joins. */
const struct fsk_core_files *fsk_core_files __ro_after_init;

/* Said once of each listener, until it gets a queue. */
static void fsk_core_note_limit(struct fsk_listener *l, int cpu)
{
	fsk_stats_inc(l->fn, LOCAL_LIMIT);
	if (l->limited)
		return;
	WRITE_ONCE(l->limited, true);
	fsk_log_warn("port %u has no queue on CPU %d: user %u has as many as locals-max allows, %u\n",
		     l->hnum, cpu, from_kuid(&init_user_ns, l->owner->uid),
		     fsk_owner_max());
}

static void fsk_core_note_failure(struct fsk_listener *l, int cpu, int err)
{
	if (err == -EDQUOT) {
		fsk_core_note_limit(l, cpu);
		return;
	}
	fsk_stats_inc(l->fn, LOCAL_NOMEM);
	fsk_log_warn("port %u has no queue on CPU %d: no memory, error %d\n",
		     l->hnum, cpu, err);
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
	core->open_max = FSK_PLACE_OPEN;
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
	fsk_core_note_failure(l, cpu, err);
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
	fsk_local_destroy(core);
	kfree(core);
}

/**
 * fsk_core_make() - the core of a CPU, made if need be
 * @l: the listener
 * @cpu: the CPU
 *
 * Context: Process, sleeps; in a call on the listener's file.  Expects
 *          fsk_listener.mutex.
 * Return: the core; %NULL without memory, and when the listener's owner has as
 *         many as it may.
 */
struct fsk_core *fsk_core_make(struct fsk_listener *l, int cpu)
{
	struct fsk_core *core = fsk_listener_core(l, cpu);

	return core ? core : fsk_core_create(l, cpu);
}
