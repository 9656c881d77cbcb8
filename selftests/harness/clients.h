/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steady load: on each CPU clients that connect, wait for a byte, and reset.
 */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "support.h"

#define CLIENTS_MAX	16
#define HIST_MS	10000

/**
 * struct client_counts - the clients of one CPU, or the sum of several
 * @made: connections
 * @answered: of these, with a byte
 * @ended: of these, closed without a byte: whoever accepted it is dead
 * @reset: of these, reset: nobody accepted it
 * @failed: of these, refused or another error
 * @left: of these, under way; only of a sum
 */
struct client_counts {
	volatile uint64_t made;
	volatile uint64_t answered;
	volatile uint64_t ended;
	volatile uint64_t reset;
	volatile uint64_t failed;
	uint64_t left;
};

/**
 * struct clients - all of them; in memory shared with the test
 * @trial: whom they ask
 * @port: there
 * @n: on how many CPUs
 * @priority: real-time priority of the clients, or 0
 * @pid: their processes
 * @stop: make no more
 * @noting: connections opened now are in @hist
 * @late_id: except those that this worker answered
 * @counts: by CPU
 * @hist: by CPU, how many of those took how many milliseconds
 */
struct clients {
	struct trial trial;
	int port;
	int n;
	int priority;
	pid_t pid[CLIENTS_MAX];
	volatile bool stop;
	volatile bool noting;
	volatile int late_id;
	struct client_counts counts[CLIENTS_MAX];
	volatile uint32_t hist[CLIENTS_MAX][HIST_MS + 1];
};

struct clients *clients_make(void);
void clients_start(struct clients *clients, const struct trial *p, int port,
		   int n);
void clients_end(struct clients *clients);
struct client_counts clients_sum(const struct clients *clients);
bool clients_flow(const struct clients *clients, uint64_t more);
bool clients_done(const struct clients *clients);

int realtime(pid_t pid, int priority);

#endif
