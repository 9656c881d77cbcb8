// SPDX-License-Identifier: GPL-2.0
/*
 * The map of a group: which core takes the connections of which CPU.
 *
 * A CPU where a worker is takes its own. The others are shared out evenly among
 * the cores that have workers, by distance: the sibling of the same core first,
 * then those of the same package, of the same node, and the rest. The map is
 * made by a work item whenever a worker comes to a core that is not in it, and
 * when a packet finds that a core of the map has no worker any more.
 *
 * One worker that may run anywhere has nothing to share: its connections are
 * left to the app listener, as on the plain kernel.
 */
#include "listen/map.h"

#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "listen/claim.h"
#include "listen/ref.h"

/* For a packet's sake the map is made again so often at most, and ever more
 * seldom while that changes nothing.
 */
#define FSK_MAP_PAUSE		(HZ / 10)
#define FSK_MAP_PAUSE_MAX	HZ

/* How far a core may be from a CPU that it takes connections of. */
enum fsk_map_reach {
	FSK_MAP_SIBLING,
	FSK_MAP_PACKAGE,
	FSK_MAP_NODE,
	FSK_MAP_ALL,
	FSK_MAP_REACHES,
};

/**
 * struct fsk_map_plan - a map in the making
 * @homes: cores with a worker
 * @nr_homes: how many
 * @wide: the only worker may run on several CPUs
 * @quota: how many CPUs each may have
 * @cpus: by CPU number, how many it has
 * @map: the map
 */
struct fsk_map_plan {
	cpumask_var_t homes;
	unsigned int nr_homes;
	bool wide;
	unsigned int quota;
	u16 *cpus;
	u16 *map;
};

static bool fsk_map_reaches(int home, int cpu, enum fsk_map_reach reach)
{
	switch (reach) {
	case FSK_MAP_SIBLING:
		return cpumask_test_cpu(home, topology_sibling_cpumask(cpu));
	case FSK_MAP_PACKAGE:
		return cpumask_test_cpu(home, topology_core_cpumask(cpu));
	case FSK_MAP_NODE:
		return cpu_to_node(home) == cpu_to_node(cpu);
	default:
		return true;
	}
}

/* Notes that the core's workers are in the map, and returns whether there are
 * any.
 */
static bool fsk_map_add_core(struct fsk_map_plan *plan, struct fsk_core *core)
{
	bool exists, wide;

	/* A worker claims the core and then looks whether it is mapped; here it
	 * is the other way round.
	 */
	WRITE_ONCE(core->mapped, false);
	smp_mb();	/* pairs with those of sock_poll_wait(), worker.c */
	exists = fsk_claim_exists(core);
	wide = exists && READ_ONCE(core->workers) <= 1 &&
	       fsk_claim_is_wide(core);
	WRITE_ONCE(core->wide, wide);
	if (exists)
		WRITE_ONCE(core->mapped, true);
	if (wide)
		plan->wide = true;
	return exists;
}

static void fsk_map_find_homes(struct fsk_map_plan *plan,
			       struct fsk_group *group)
{
	struct fsk_core *core;
	unsigned int workers = 0;
	bool here;
	int cpu;

	rcu_read_lock();
	for_each_possible_cpu(cpu) {
		here = false;
		hlist_for_each_entry_rcu(core, &group->cores[cpu], group_node) {
			if (!fsk_map_add_core(plan, core))
				continue;
			here = true;
			workers++;
		}
		if (!here)
			continue;
		cpumask_set_cpu(cpu, plan->homes);
		plan->nr_homes++;
	}
	rcu_read_unlock();
	plan->wide = plan->wide && workers == 1;
}

/* Returns the home in reach that has the fewest CPUs, or -1 when all have their
 * share.  Those behind the CPU come first, so that equals take turns.
 */
static int fsk_map_choose(const struct fsk_map_plan *plan, int cpu,
			  enum fsk_map_reach reach)
{
	unsigned int fewest = plan->quota;
	int home, best = -1;

	for_each_cpu_wrap(home, plan->homes, cpu) {
		if (plan->cpus[home] >= fewest ||
		    !fsk_map_reaches(home, cpu, reach))
			continue;
		fewest = plan->cpus[home];
		best = home;
	}
	return best;
}

static void fsk_map_give(struct fsk_map_plan *plan, int cpu, int home)
{
	plan->map[cpu] = home;
	plan->cpus[home]++;
}

static void fsk_map_share(struct fsk_map_plan *plan,
			  const struct cpumask *cpus)
{
	enum fsk_map_reach reach;
	int cpu, home;

	for (reach = 0; reach < FSK_MAP_REACHES; reach++) {
		for_each_cpu(cpu, cpus) {
			if (plan->map[cpu] != FSK_MAP_APP)
				continue;
			home = fsk_map_choose(plan, cpu, reach);
			if (home >= 0)
				fsk_map_give(plan, cpu, home);
			cond_resched();
		}
	}
}

/* CPUs that are off have no share of those that are on. */
static void fsk_map_share_all(struct fsk_map_plan *plan)
{
	int cpu;

	for_each_cpu(cpu, plan->homes)
		fsk_map_give(plan, cpu, cpu);
	plan->quota = DIV_ROUND_UP(num_online_cpus(), plan->nr_homes);
	fsk_map_share(plan, cpu_online_mask);
	plan->quota = UINT_MAX;
	fsk_map_share(plan, cpu_possible_mask);
}

/* Without a worker each CPU has its own core, as when the first one comes. */
static void fsk_map_plan(struct fsk_map_plan *plan, struct fsk_group *group)
{
	int cpu;

	fsk_map_find_homes(plan, group);
	for_each_possible_cpu(cpu)
		plan->map[cpu] = plan->nr_homes ? FSK_MAP_APP : cpu;
	if (plan->nr_homes && !plan->wide)
		fsk_map_share_all(plan);
}

/* Returns whether anything is new.  A packet sees either value of an entry. */
static bool fsk_map_apply(const struct fsk_map_plan *plan,
			  struct fsk_group *group)
{
	bool changed = false;
	int cpu;

	for_each_possible_cpu(cpu) {
		if (group->map[cpu] == plan->map[cpu])
			continue;
		WRITE_ONCE(group->map[cpu], plan->map[cpu]);
		changed = true;
	}
	return changed;
}

static void fsk_map_remake(struct fsk_map_plan *plan, struct fsk_group *group)
{
	bool changed;

	fsk_map_plan(plan, group);
	changed = fsk_map_apply(plan, group);
	WRITE_ONCE(group->built, jiffies);
	WRITE_ONCE(group->pause,
		   changed ? FSK_MAP_PAUSE :
			     min_t(unsigned long, 2 * group->pause,
				   FSK_MAP_PAUSE_MAX));
}

/**
 * fsk_map_init() - begin with each CPU's own core
 * @group: a new group
 *
 * Context: Any.
 */
void fsk_map_init(struct fsk_group *group)
{
	int cpu;

	for_each_possible_cpu(cpu)
		group->map[cpu] = cpu;
	group->built = jiffies;
	group->pause = FSK_MAP_PAUSE;
}

/**
 * fsk_map_build() - make the map of a listener's group again
 * @l: the listener
 *
 * Without memory it stays as it is, until somebody asks again.
 *
 * Context: Process, sleeps.  Expects fsk_listener.mutex, and that @l is listed;
 *          takes fsk_net.mutex.
 */
void fsk_map_build(struct fsk_listener *l)
{
	struct fsk_map_plan plan = {};
	struct fsk_group *group;

	if (!zalloc_cpumask_var(&plan.homes, GFP_KERNEL | __GFP_NOWARN))
		return;
	plan.cpus = kcalloc(2 * nr_cpu_ids, sizeof(*plan.cpus),
			    GFP_KERNEL | __GFP_NOWARN);
	if (!plan.cpus)
		goto out;
	plan.map = plan.cpus + nr_cpu_ids;
	mutex_lock(&l->fn->mutex);
	group = rcu_dereference_protected(l->group,
					  lockdep_is_held(&l->fn->mutex));
	if (group)
		fsk_map_remake(&plan, group);
	mutex_unlock(&l->fn->mutex);
	kfree(plan.cpus);
out:
	free_cpumask_var(plan.homes);
}

/**
 * fsk_map_serves() - how many CPUs' connections come to a core
 * @core: the core; those that share its CPU share these
 *
 * Context: Expects rcu_read_lock().
 * Return: how many.
 */
unsigned int fsk_map_serves(const struct fsk_core *core)
{
	const struct fsk_group *group = rcu_dereference(core->listener->group);
	unsigned int serves = 0;
	int cpu;

	if (!group || !fsk_claim_exists(core))
		return 0;
	for_each_possible_cpu(cpu)
		serves += READ_ONCE(group->map[cpu]) == core->cpu;
	return serves;
}

/**
 * __fsk_map_note_worker() - as fsk_map_note_worker(), where the map is old
 * @core: the core
 *
 * Context: Process, in a call on the listener's file.
 */
void __fsk_map_note_worker(const struct fsk_core *core)
{
	bool wanted;

	rcu_read_lock();
	wanted = rcu_access_pointer(core->listener->group) &&
		 fsk_claim_exists(core);
	rcu_read_unlock();
	if (wanted)
		fsk_listener_update_later(core->listener);
}

/**
 * fsk_map_note_stale() - a packet found no worker where the map said
 * @l: a listener of the group
 * @group: the group
 *
 * Context: Softirq.  Expects rcu_read_lock().
 */
void fsk_map_note_stale(struct fsk_listener *l, const struct fsk_group *group)
{
	if (time_after(jiffies, READ_ONCE(group->built) +
				READ_ONCE(group->pause)))
		fsk_listener_update_later(l);
}
