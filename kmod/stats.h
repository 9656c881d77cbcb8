/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_STATS_H
#define FSK_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

#include <uapi/linux/fastsocket.h>

/**
 * struct fsk_stats - one core's counters of one namespace
 * @n: by enum fsk_stat; each local to its core
 */
struct fsk_stats {
	u64 n[__FSK_STAT_MAX];
};

/* One instruction on every 64-bit machine, safe against interrupts. */
#define fsk_stats_inc(fn, item) \
	this_cpu_inc((fn)->stats->n[FSK_STAT_##item])
#define fsk_stats_add(fn, item, count) \
	this_cpu_add((fn)->stats->n[FSK_STAT_##item], count)

#endif
