// SPDX-License-Identifier: GPL-2.0
/*
 * References on app listeners, and the work queue on which work that holds one,
 * and the last put, go on.  What is done there belongs to listen.c.
 */
#include "listen/ref.h"

#include <linux/workqueue.h>

#include "listen/listen.h"

static struct workqueue_struct *fsk_ref_wq;

static void fsk_listener_free_ref(struct kref *ref)
{
	struct fsk_listener *l = container_of(ref, struct fsk_listener, ref);

	queue_rcu_work(fsk_ref_wq, &l->free_work);
}

/**
 * fsk_listener_put() - drop a reference
 * @l: the listener
 *
 * Context: Any; freeing is left to a work item.
 */
void fsk_listener_put(struct fsk_listener *l)
{
	kref_put(&l->ref, fsk_listener_free_ref);
}

/**
 * fsk_listener_update_later() - the same, from where one can't sleep
 * @l: the listener
 *
 * Context: Any.  Timers and the wait queue entry of @l end before release()
 *          drops its reference; a packet may have found @l before that and
 *          comes under RCU: the last reference may have gone by then.
 */
void fsk_listener_update_later(struct fsk_listener *l)
{
	if (kref_get_unless_zero(&l->ref) &&
	    !queue_work(fsk_ref_wq, &l->work))
		fsk_listener_put(l);
}

/**
 * fsk_listener_note_stop() - the socket ceases to listen, or is about to
 * @l: the listener
 *
 * It may listen again before fsk_listener_update() looks: what was queued
 * before that is not to be accepted after it.
 *
 * Context: Any.  Expects that the listener can't be released.
 */
void fsk_listener_note_stop(struct fsk_listener *l)
{
	/* A barrier, too: see __fsk_listener_update(). */
	xchg(&l->stopped, true);
}

/**
 * fsk_ref_init() - make the work queue
 *
 * Context: Process, at module load.
 * Return: 0 or -ENOMEM.
 */
int __init fsk_ref_init(void)
{
	fsk_ref_wq = alloc_workqueue("fastsocket", WQ_UNBOUND, 0);
	return fsk_ref_wq ? 0 : -ENOMEM;
}

/**
 * fsk_ref_exit() - wait until the last listener is freed
 *
 * Context: Process, at unload, when no app listener exists.
 */
void fsk_ref_exit(void)
{
	/* Work that update_later() queued may drop the last reference, which
	 * queues an RCU work, which frees takers by RCU.
	 */
	synchronize_rcu();	/* packets that call update_later() */
	flush_workqueue(fsk_ref_wq);
	rcu_barrier();
	destroy_workqueue(fsk_ref_wq);
	rcu_barrier();
}
