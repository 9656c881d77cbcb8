/* SPDX-License-Identifier: MIT */
#ifndef FSK_TOOL_STATS_H
#define FSK_TOOL_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/fastsocket.h>

/**
 * struct fsk_stats_all - counters of all cores
 * @count: cores
 * @cores: each with its counters, in the order of their numbers
 * @total: their sums
 * @known: the module has this counter; an older one lacks some
 */
struct fsk_stats_all {
	size_t count;
	struct fsk_stats_core {
		uint32_t cpu;
		uint64_t n[__FSK_STAT_MAX];
	} *cores;
	uint64_t total[__FSK_STAT_MAX];
	bool known[__FSK_STAT_MAX];
};

#endif
