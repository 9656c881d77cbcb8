/* SPDX-License-Identifier: MIT */
#ifndef FSK_RATE_H
#define FSK_RATE_H

#include <stdint.h>

#include "rows.h"
#include "stats.h"

#define FSK_RATE_TEXT	16	/* bytes for a rate as text */

/**
 * struct fsk_sample - what the module told at one moment
 * @ns: when, by CLOCK_MONOTONIC
 * @stats: counters of each core
 * @rows: listeners and their queues
 */
struct fsk_sample {
	uint64_t ns;
	struct fsk_stats_all stats;
	struct fsk_rows rows;
};

double fsk_rate(uint64_t old, uint64_t new, double seconds);
double fsk_rate_seconds(const struct fsk_sample *old,
			const struct fsk_sample *new);
const struct fsk_stats_core *fsk_rate_core(const struct fsk_stats_all *stats,
					   uint32_t cpu);
void fsk_rate_since(struct fsk_stats_all *stats,
		    const struct fsk_stats_all *now);
void fsk_rate_sleep(double seconds);
const char *fsk_rate_text(double rate, char *text);

#endif
