// SPDX-License-Identifier: GPL-2.0
/*
 * Placement: when a connection goes farther than to the nearest worker.
 *
 * It does when the nearest worker is late (rescue.c) and another one is idle:
 * then to that one. And it does when the nearest worker has more than its share
 * of connections that stay. Those pile up where they came in, and queues say
 * nothing about them: so each CPU counts, by port, the SYNs and the FINs or
 * RSTs that it has seen. Where connections end about as fast as they begin,
 * near is right, however many there are.
 *
 * Nothing is written that other CPUs write, and nothing of theirs read, but
 * when the CPU has seen so many connections begin and not end that somebody
 * should look.
 */
#include "listen/place.h"

#include <linux/cpumask.h>
#include <linux/jiffies.h>

#include "listen/claim.h"
#include "listen/group.h"
#include "netns.h"

/* Connections in a window.  Then half of what was counted is forgotten. */
#define FSK_PLACE_WINDOW	1024
/* So many are lent at least. */
#define FSK_PLACE_LEND		4
/* So often a group counts in a jiffy at most: it reads a line of each core. */
#define FSK_PLACE_COUNTS	8

static struct fsk_group *fsk_place_group(const struct fsk_core *core)
{
	struct fsk_listener *l = core->listener;

	return fsk_group_shares(l) ? rcu_dereference(l->group) : NULL;
}

/* Idle workers */

/* Looks at the CPUs of one node, or at all with NUMA_NO_NODE. */
static struct fsk_core *fsk_place_idle_of(struct fsk_group *group,
					  const struct fsk_core *near, int node)
{
	struct fsk_core *core;
	int cpu;

	for_each_cpu_wrap(cpu, cpu_possible_mask, near->cpu) {
		if (node != NUMA_NO_NODE && cpu_to_node(cpu) != node)
			continue;
		hlist_for_each_entry_rcu(core, &group->cores[cpu], group_node)
			if (core != near && fsk_claim_is_idle(core) &&
			    fsk_group_helps(core))
				return core;
	}
	return NULL;
}

static struct fsk_core *fsk_place_idle_shared(struct fsk_group *group,
					      const struct fsk_core *near)
{
	struct fsk_core *core;

	core = fsk_place_idle_of(group, near, cpu_to_node(near->cpu));
	if (!core && nr_node_ids > 1)
		core = fsk_place_idle_of(group, near, NUMA_NO_NODE);
	return core;
}

/* Where a program or an option chooses the member, its own workers are left. */
static struct fsk_core *fsk_place_idle_own(const struct fsk_core *near)
{
	struct fsk_listener *l = near->listener;
	struct fsk_core *core;
	int cpu;

	for_each_cpu_wrap(cpu, cpu_possible_mask, near->cpu) {
		core = rcu_dereference(l->core[cpu]);
		if (core && core != near && fsk_claim_is_idle(core))
			return core;
	}
	return NULL;
}

/**
 * fsk_place_idle() - another worker that waits with nothing to do
 * @near: whose connections are too many for its worker
 *
 * When nobody is found, nobody is looked for again during this jiffy: where all
 * are busy, each connection would look at all.
 *
 * Context: Any.  Expects rcu_read_lock().
 * Return: the nearest such core, or %NULL.
 */
struct fsk_core *fsk_place_idle(struct fsk_core *near)
{
	struct fsk_listener *l = near->listener;
	struct fsk_group *group = rcu_dereference(l->group);
	unsigned long *sought;
	struct fsk_core *core;
	bool shares;

	if (!group)
		return NULL;
	shares = fsk_group_shares(l);
	sought = shares ? &group->sought : &l->sought;
	if (fsk_listen_is_now(READ_ONCE(*sought)))
		return NULL;
	core = shares ? fsk_place_idle_shared(group, near) :
			fsk_place_idle_own(near);
	if (!core)
		WRITE_ONCE(*sought, jiffies);
	return core;
}

/* Shares */

/**
 * struct fsk_place_census - what a group's workers have, since a window began
 * @workers: cores with a worker
 * @given: connections of all
 * @ended: how many of all have ended
 * @least: who has the fewest
 * @fewest: how many
 */
struct fsk_place_census {
	unsigned int workers;
	long given;
	long ended;
	struct fsk_core *least;
	long fewest;
};

static void fsk_place_count_core(struct fsk_place_census *census,
				 struct fsk_core *core)
{
	long given = fsk_core_given(core) - core->held + core->promised;

	census->given += given;
	census->workers++;
	/* One whose worker is late, orphaned or has left gets no more. */
	if (READ_ONCE(core->flags) || !fsk_group_helps(core))
		return;
	if (census->least && census->fewest <= given)
		return;
	census->least = core;
	census->fewest = given;
}

/* Starts at the nearest, so that it is the first among equals. */
static void fsk_place_count(struct fsk_place_census *census,
			    struct fsk_group *group,
			    const struct fsk_core *near)
{
	struct fsk_listener *l = near->listener;
	struct fsk_core *core;
	int cpu;

	for_each_cpu_wrap(cpu, cpu_possible_mask, near->cpu)
		hlist_for_each_entry_rcu(core, &group->cores[cpu], group_node)
			if (fsk_claim_exists(core))
				fsk_place_count_core(census, core);
	census->ended = (s32)(fsk_stats_ended(l->fn->stats, l->hnum) -
			      group->ended);
}

/* Forgets half of what was counted. */
static void fsk_place_forget(struct fsk_group *group,
			     const struct fsk_place_census *census)
{
	struct fsk_core *core;
	int cpu;

	for_each_possible_cpu(cpu) {
		hlist_for_each_entry_rcu(core, &group->cores[cpu], group_node) {
			core->held += (fsk_core_given(core) - core->held) / 2;
			core->promised = 0;
		}
	}
	group->ended += census->ended / 2;
}

/* Most that begin have ended. */
static bool fsk_place_come_and_go(const struct fsk_place_census *census)
{
	return 4 * census->ended >= 3 * census->given;
}

static long fsk_place_even(const struct fsk_place_census *census)
{
	return census->given / max(census->workers, 1U);
}

/* More than a quarter above an even share, and not by one or two. */
static bool fsk_place_is_over(const struct fsk_place_census *census,
			      long given)
{
	long even = fsk_place_even(census);

	return given > even + even / 4 + 2;
}

/* Whoever has the least gets as many as it lacks, and some at least, before
 * anybody counts again: in a flood each SYN would count.
 */
static struct fsk_core *fsk_place_lend(struct fsk_core *near,
				       const struct fsk_place_census *census)
{
	long lacks = fsk_place_even(census) - census->fewest;

	near->lend_cpu = census->least->cpu;
	near->lend_id = census->least->listener->id;
	near->lend = clamp_t(long, lacks, FSK_PLACE_LEND, INT_MAX) - 1;
	census->least->promised += near->lend;
	return census->least;
}

/* Found by name, for it may have closed. */
static struct fsk_core *fsk_place_lent(struct fsk_group *group,
				       struct fsk_core *near)
{
	struct fsk_core *core;

	if (!near->lend)
		return NULL;
	near->lend--;
	hlist_for_each_entry_rcu(core, &group->cores[near->lend_cpu],
				 group_node) {
		if (core->listener->id != near->lend_id ||
		    READ_ONCE(core->flags) || !fsk_group_helps(core))
			continue;
		if (core->promised > 0)
			core->promised--;
		return core;
	}
	near->lend = 0;
	return NULL;
}

/* Near is good enough until as many more have begun. */
static void fsk_place_pass(const struct fsk_core *near)
{
	const struct fsk_listener *l = near->listener;

	this_cpu_write(l->fn->stats->port[fsk_stats_chain(l->hnum)].open, 0);
}

/* This CPU has looked, and need not again before so many more have begun. */
static void fsk_place_settle(struct fsk_core *near, long given)
{
	fsk_place_pass(near);
	WRITE_ONCE(near->open_max,
		   (s32)clamp_t(long, given / 4, FSK_PLACE_OPEN, INT_MAX / 2));
}

static struct fsk_core *__fsk_place_share(struct fsk_group *group,
					  struct fsk_core *near)
{
	struct fsk_place_census census = {};
	struct fsk_core *core = near;
	long given;

	fsk_place_count(&census, group, near);
	given = fsk_core_given(near) - near->held;
	if (!fsk_place_come_and_go(&census) &&
	    fsk_place_is_over(&census, given) && census.least)
		core = fsk_place_lend(near, &census);
	else
		fsk_place_settle(near, given);
	if (census.given >= FSK_PLACE_WINDOW)
		fsk_place_forget(group, &census);
	return core;
}

static bool fsk_place_may_count(struct fsk_group *group)
{
	if (!fsk_listen_is_now(group->counted)) {
		group->counted = jiffies;
		group->counts = 0;
	}
	return group->counts++ < FSK_PLACE_COUNTS;
}

/* Another CPU may be counting. */
static struct fsk_core *fsk_place_share(struct fsk_core *near)
{
	struct fsk_group *group = fsk_place_group(near);
	struct fsk_core *core;

	if (!group || !spin_trylock(&group->lock)) {
		fsk_place_pass(near);
		return near;
	}
	core = fsk_place_lent(group, near);
	if (!core && fsk_place_may_count(group))
		core = __fsk_place_share(group, near);
	spin_unlock(&group->lock);
	if (core)
		return core;
	fsk_place_pass(near);
	return near;
}

/**
 * __fsk_place() - as fsk_place(), where there is something to look at
 * @near: the core that the map says
 * @open: connections open by this CPU's count
 * @why: set when another core is chosen
 *
 * Context: Softirq, or with BH off.  Expects rcu_read_lock().
 * Return: the core.
 */
struct fsk_core *__fsk_place(struct fsk_core *near, s32 open,
			     enum fsk_given_why *why)
{
	struct fsk_net *fn = near->listener->fn;
	struct fsk_core *core = NULL;

	if (test_bit(FSK_CORE_LATE, &near->flags))
		core = fsk_place_idle(near);
	if (core) {
		fsk_stats_inc(fn, SYN_IDLE);
		*why = FSK_GIVEN_IDLE;
		return core;
	}
	if (open <= READ_ONCE(near->open_max))
		return near;
	core = fsk_place_share(near);
	if (core != near) {
		fsk_stats_inc(fn, SYN_SHARED);
		*why = FSK_GIVEN_SHARED;
	}
	return core;
}
