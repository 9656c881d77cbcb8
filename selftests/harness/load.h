/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steady load: on each CPU clients that connect, wait for a byte, and reset.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "support.h"

#define LOADS_MAX	16
#define LOAD_HIST_MS	10000

/**
 * struct load - the clients of one CPU, or the sum of several
 * @made: connections
 * @answered: of these, with a byte
 * @ended: of these, closed without a byte: whoever accepted it is dead
 * @reset: of these, reset: nobody accepted it
 * @failed: of these, refused or another error
 * @left: of these, under way; only of a sum
 */
struct load {
	volatile uint64_t made;
	volatile uint64_t answered;
	volatile uint64_t ended;
	volatile uint64_t reset;
	volatile uint64_t failed;
	uint64_t left;
};

/**
 * struct loads - all of them; in memory shared with the test
 * @place: whom they ask
 * @port: there
 * @n: on how many CPUs
 * @priority: real-time priority of the clients, or 0
 * @pid: their processes
 * @stop: make no more
 * @noting: connections opened now are in @hist
 * @late_id: except those that this worker answered
 * @load: by CPU
 * @hist: by CPU, how many of those took how many milliseconds
 */
struct loads {
	struct place place;
	int port;
	int n;
	int priority;
	pid_t pid[LOADS_MAX];
	volatile bool stop;
	volatile bool noting;
	volatile int late_id;
	struct load load[LOADS_MAX];
	volatile uint32_t hist[LOADS_MAX][LOAD_HIST_MS + 1];
};

struct loads *loads_make(void);
void loads_start(struct loads *loads, const struct place *p, int port, int n);
void loads_end(struct loads *loads);
struct load loads_sum(const struct loads *loads);
bool loads_flow(const struct loads *loads, uint64_t more);
bool loads_done(const struct loads *loads);

int realtime(pid_t pid, int priority);

#endif
