/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_MAP_H
#define FSK_MAP_H

#include <linux/sched.h>
#include <linux/smp.h>

#include "listen/listen.h"

void fsk_map_init(struct fsk_group *group);
void fsk_map_build(struct fsk_listener *l);
unsigned int fsk_map_serves(const struct fsk_core *core);
void __fsk_map_note_worker(const struct fsk_core *core);
void fsk_map_note_stale(struct fsk_listener *l, const struct fsk_group *group);

/**
 * fsk_map_note_worker() - a worker has come to its core, or has been bound
 * @core: the core, in whose queue it waits by now, or which it is noted at
 *
 * Context: Process, in a call on the listener's file.
 */
static inline void fsk_map_note_worker(const struct fsk_core *core)
{
	if (unlikely(!READ_ONCE(core->mapped) ||
		     (READ_ONCE(core->wide) && current->nr_cpus_allowed == 1)))
		__fsk_map_note_worker(core);
}

/**
 * fsk_map_home() - the core that this CPU's connections go to
 * @group: who shares them, or %NULL
 *
 * Context: Softirq, or with BH off.  Expects rcu_read_lock().
 * Return: its number, or %FSK_MAP_APP.
 */
static inline unsigned int fsk_map_home(const struct fsk_group *group)
{
	int cpu = smp_processor_id();

	return likely(group) ? READ_ONCE(group->map[cpu]) : cpu;
}

#endif
