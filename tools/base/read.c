// SPDX-License-Identifier: MIT
/* Reads listeners and counters from the module, for all who show them. */
#include "read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "array.h"
#include "error.h"
#include "nl.h"

static void fsk_read_row(struct fsk_row *row, const struct nlattr **attrs)
{
	const struct nlattr *addr = attrs[FSK_A_LISTEN_ADDR];

	for (int i = 1; i <= FSK_A_LISTEN_MAX; i++) {
		row->flag[i] = attrs[i];
		if (i != FSK_A_LISTEN_ADDR)
			row->value[i] = fsk_nl_uint(attrs[i]);
	}
	if (addr && mnl_attr_get_payload_len(addr) <= sizeof(row->addr))
		memcpy(row->addr, mnl_attr_get_payload(addr),
		       mnl_attr_get_payload_len(addr));
	snprintf(row->bypass, sizeof(row->bypass), "%s",
		 fsk_nl_str(attrs[FSK_A_LISTEN_BYPASS_REASON]));
}

static int fsk_read_rows_take(const struct nlmsghdr *msg,
			      const struct nlattr **attrs, void *data)
{
	struct fsk_rows *all = data;
	struct fsk_row *rows;

	if (!msg) {
		fsk_rows_reset(all);
		return 0;
	}
	rows = fsk_array_grow(all->rows, all->count, sizeof(*rows));
	if (!rows)
		return fsk_no_memory();
	all->rows = rows;
	fsk_read_row(&rows[all->count++], attrs);
	return 0;
}

/**
 * fsk_read_rows() - read the listeners that joined
 * @nl: the socket
 * @rows: filled in; the caller gives them to fsk_rows_reset()
 *
 * Return: exit status.
 */
int fsk_read_rows(struct fsk_nl *nl, struct fsk_rows *rows)
{
	return fsk_nl_dump(nl, FSK_CMD_LISTEN_GET, FSK_A_LISTEN_MAX,
			   fsk_read_rows_take, rows);
}

static int fsk_read_stats_take(const struct nlmsghdr *msg,
			       const struct nlattr **attrs, void *data)
{
	const struct nlattr *counters[FSK_A_COUNTER_MAX + 1];
	struct fsk_stats_all *stats = data;
	struct fsk_stats_core *core;

	if (!msg) {
		fsk_read_stats_reset(stats);
		return 0;
	}
	if (!attrs[FSK_A_STATS_CPU] || !attrs[FSK_A_STATS_COUNTERS])
		return 0;
	core = fsk_array_grow(stats->cores, stats->count, sizeof(*core));
	if (!core)
		return fsk_no_memory();
	stats->cores = core;
	core += stats->count++;
	core->cpu = fsk_nl_uint(attrs[FSK_A_STATS_CPU]);
	fsk_nl_nested(attrs[FSK_A_STATS_COUNTERS], FSK_A_COUNTER_MAX,
		      counters);
	for (int i = 0; i < __FSK_STAT_MAX; i++) {
		stats->known[i] |= !!counters[FSK_STAT_TO_ATTR(i)];
		core->n[i] = fsk_nl_uint(counters[FSK_STAT_TO_ATTR(i)]);
		stats->total[i] += core->n[i];
	}
	return 0;
}

/**
 * fsk_read_stats() - read the counters of each core
 * @nl: the socket
 * @stats: filled in; the caller gives them to fsk_read_stats_reset()
 *
 * Return: exit status.
 */
int fsk_read_stats(struct fsk_nl *nl, struct fsk_stats_all *stats)
{
	return fsk_nl_dump(nl, FSK_CMD_STATS_GET, FSK_A_STATS_MAX,
			   fsk_read_stats_take, stats);
}

/**
 * fsk_read_stats_reset() - forget all counters
 * @stats: the counters
 */
void fsk_read_stats_reset(struct fsk_stats_all *stats)
{
	free(stats->cores);
	memset(stats, 0, sizeof(*stats));
}

/**
 * fsk_read_sample() - read listeners and counters, and when
 * @nl: the socket
 * @sample: filled in, also in part when reading fails; the caller gives it to
 *	fsk_read_sample_reset()
 *
 * Return: exit status.
 */
int fsk_read_sample(struct fsk_nl *nl, struct fsk_sample *sample)
{
	struct timespec now;
	int status;

	memset(sample, 0, sizeof(*sample));
	status = fsk_read_rows(nl, &sample->rows);
	if (!status)
		status = fsk_read_stats(nl, &sample->stats);
	clock_gettime(CLOCK_MONOTONIC, &now);
	sample->ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	return status;
}

/**
 * fsk_read_sample_reset() - forget a sample
 * @sample: the sample
 */
void fsk_read_sample_reset(struct fsk_sample *sample)
{
	fsk_rows_reset(&sample->rows);
	fsk_read_stats_reset(&sample->stats);
	sample->ns = 0;
}
