/* SPDX-License-Identifier: MIT */
#ifndef FSK_PLAN_H
#define FSK_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "cpus.h"

#define FSK_PLAN_NO_NODE	(-1)

/**
 * struct fsk_plan_cpu - a CPU that is online
 * @number: of the CPU
 * @node: its NUMA node, or %FSK_PLAN_NO_NODE
 * @sibling: another thread of its core has a lower number
 */
struct fsk_plan_cpu {
	uint32_t number;
	int node;
	bool sibling;
};

/**
 * struct fsk_plan - which CPU serves which queue
 * @queues: of the interface
 * @used: queues to which its table sends packets: the first ones
 * @cpu: for each queue, the CPU of its interrupt
 * @share: for each CPU, by its place among those given, the queue by which it
 *	sends and from which it gets packets
 */
struct fsk_plan {
	unsigned int queues;
	unsigned int used;
	uint32_t *cpu;
	unsigned int *share;
};

bool fsk_plan_make(struct fsk_plan *plan, const struct fsk_plan_cpu *cpus,
		   unsigned int count, int node, unsigned int queues);
void fsk_plan_share(const struct fsk_plan *plan,
		    const struct fsk_plan_cpu *cpus, unsigned int count,
		    unsigned int queue, struct fsk_cpus *share);
void fsk_plan_free(struct fsk_plan *plan);
unsigned int fsk_plan_read(struct fsk_plan_cpu **cpus);

#endif
