// SPDX-License-Identifier: MIT
/*
 * Decides which CPU serves which queue of an interface: as many queues as there
 * are CPUs serve one each. Where there are fewer queues, CPUs on the card's own
 * node come first, and the first thread of each core; each of the other CPUs
 * then shares a queue. This only plans; card.c does it.
 */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FSK_PLAN_NODES	1024	/* NUMA nodes, at most */

/* The smaller, the better a CPU serves a queue. */
static unsigned int fsk_plan_rank(const struct fsk_plan_cpu *cpu, int node)
{
	return (node != FSK_PLAN_NO_NODE && cpu->node != node ? 2 : 0) +
	       cpu->sibling;
}

/* Choose CPUs for fewer queues than there are CPUs, in the order of numbers. */
static void fsk_plan_choose(struct fsk_plan *plan,
			    const struct fsk_plan_cpu *cpus,
			    unsigned int count, int node)
{
	unsigned int left = plan->queues, queue = 0, rank;

	for (unsigned int i = 0; i < count; i++)
		plan->share[i] = plan->queues;
	for (rank = 0; rank < 4; rank++)
		for (unsigned int i = 0; i < count && left; i++)
			if (fsk_plan_rank(&cpus[i], node) == rank) {
				plan->share[i] = 0;
				left--;
			}
	for (unsigned int i = 0; i < count; i++)
		if (plan->share[i] != plan->queues) {
			plan->cpu[queue] = cpus[i].number;
			plan->share[i] = queue++;
		}
}

/* The queue with the fewest CPUs, if there is one on the CPU's own node. */
static unsigned int fsk_plan_fewest(const struct fsk_plan *plan,
				    const int *nodes,
				    const unsigned int *shares, int node)
{
	unsigned int best[2] = { plan->queues, plan->queues };
	unsigned int *at;

	for (unsigned int i = 0; i < plan->queues; i++) {
		at = &best[nodes[i] != node];
		if (*at == plan->queues || shares[i] < shares[*at])
			*at = i;
	}
	return best[best[0] == plan->queues];
}

/* Let CPUs without a queue of their own share one. */
static bool fsk_plan_spread(struct fsk_plan *plan,
			    const struct fsk_plan_cpu *cpus,
			    unsigned int count)
{
	unsigned int *shares = calloc(plan->queues, sizeof(*shares));
	int *nodes = calloc(plan->queues, sizeof(*nodes));
	unsigned int queue;

	for (unsigned int i = 0; shares && nodes && i < count; i++)
		if (plan->share[i] < plan->queues) {
			nodes[plan->share[i]] = cpus[i].node;
			shares[plan->share[i]] = 1;
		}
	for (unsigned int i = 0; shares && nodes && i < count; i++) {
		if (plan->share[i] < plan->queues)
			continue;
		queue = fsk_plan_fewest(plan, nodes, shares, cpus[i].node);
		plan->share[i] = queue;
		shares[queue]++;
	}
	free(shares);
	free(nodes);
	return shares && nodes;
}

/**
 * fsk_plan_make() - make a plan
 * @plan: filled in; the caller gives it to fsk_plan_free()
 * @cpus: CPUs that are online, by number
 * @count: of @cpus, one at least
 * @node: the card's node, or %FSK_PLAN_NO_NODE
 * @queues: of the interface, one at least
 *
 * Return: false without memory.
 */
bool fsk_plan_make(struct fsk_plan *plan, const struct fsk_plan_cpu *cpus,
		   unsigned int count, int node, unsigned int queues)
{
	plan->queues = queues;
	plan->used = queues < count ? queues : count;
	plan->cpu = calloc(queues, sizeof(*plan->cpu));
	plan->share = calloc(count, sizeof(*plan->share));
	if (!plan->cpu || !plan->share)
		goto err_free;
	if (queues < count) {
		fsk_plan_choose(plan, cpus, count, node);
		if (!fsk_plan_spread(plan, cpus, count))
			goto err_free;
		return true;
	}
	for (unsigned int i = 0; i < queues; i++)
		plan->cpu[i] = cpus[i % count].number;
	for (unsigned int i = 0; i < count; i++)
		plan->share[i] = i;
	return true;

err_free:
	fsk_plan_free(plan);
	return false;
}

/**
 * fsk_plan_share() - the CPUs that share a queue
 * @plan: from fsk_plan_make()
 * @cpus: as for fsk_plan_make()
 * @count: of @cpus
 * @queue: the queue
 * @share: filled in
 *
 * A queue to which the table sends nothing has the CPU of its interrupt.
 */
void fsk_plan_share(const struct fsk_plan *plan,
		    const struct fsk_plan_cpu *cpus, unsigned int count,
		    unsigned int queue, struct fsk_cpus *share)
{
	memset(share, 0, sizeof(*share));
	if (queue >= plan->used)
		fsk_cpus_add(share, plan->cpu[queue]);
	for (unsigned int i = 0; i < count; i++)
		if (plan->share[i] == queue)
			fsk_cpus_add(share, cpus[i].number);
}

/**
 * fsk_plan_free() - free what fsk_plan_make() made
 * @plan: the plan
 */
void fsk_plan_free(struct fsk_plan *plan)
{
	free(plan->cpu);
	free(plan->share);
	plan->cpu = NULL;
	plan->share = NULL;
}

static bool fsk_plan_sibling(uint32_t cpu)
{
	struct fsk_cpus threads;
	char path[128];

	snprintf(path, sizeof(path), "%s/cpu%u/topology/%s",
		 "/sys/devices/system/cpu", cpu, "thread_siblings_list");
	if (!fsk_cpus_read_list(&threads, path))
		return false;
	for (uint32_t i = 0; i < cpu; i++)
		if (fsk_cpus_has(&threads, i))
			return true;
	return false;
}

static void fsk_plan_nodes(struct fsk_plan_cpu *cpus, unsigned int count)
{
	struct fsk_cpus all, node;
	char path[128];

	if (!fsk_cpus_read_list(&all, "/sys/devices/system/node/online"))
		return;
	for (int i = 0; i < FSK_PLAN_NODES; i++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/node/node%d/cpulist", i);
		if (!fsk_cpus_has(&all, i) || !fsk_cpus_read_list(&node, path))
			continue;
		for (unsigned int k = 0; k < count; k++)
			if (fsk_cpus_has(&node, cpus[k].number))
				cpus[k].node = i;
	}
}

/**
 * fsk_plan_read() - the CPUs of this machine that are online
 * @cpus: gets them; the caller frees it
 *
 * Return: how many, 0 if they can't be read.
 */
unsigned int fsk_plan_read(struct fsk_plan_cpu **cpus)
{
	unsigned int count = 0;
	struct fsk_cpus online;

	*cpus = NULL;
	if (!fsk_cpus_read_list(&online, "/sys/devices/system/cpu/online"))
		return 0;
	*cpus = calloc(FSK_CPUS_MAX, sizeof(**cpus));
	if (!*cpus)
		return 0;
	for (uint32_t i = 0; i < FSK_CPUS_MAX; i++) {
		if (!fsk_cpus_has(&online, i))
			continue;
		(*cpus)[count].number = i;
		(*cpus)[count].node = FSK_PLAN_NO_NODE;
		(*cpus)[count++].sibling = fsk_plan_sibling(i);
	}
	fsk_plan_nodes(*cpus, count);
	return count;
}
