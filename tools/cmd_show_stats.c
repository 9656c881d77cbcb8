// SPDX-License-Identifier: MIT
/* fastsocket show stats: counters of each core. */
#include <stdio.h>

#include <linux/fastsocket.h>

#include "base/out.h"
#include "base/read.h"
#include "base/show.h"
#include "fastsocket.h"
#include "names.h"

#define FSK_STATS_BLOCK	8	/* cores side by side in 80 columns or so */

static int fsk_stats_read(struct fsk_nl *nl, void *data)
{
	return fsk_read_stats(nl, data);
}

static void fsk_stats_reset(void *data)
{
	fsk_read_stats_reset(data);
}

/* Counters are rows; as many cores as fit beside each other are columns. */
static void fsk_stats_block(const struct fsk_stats_all *stats, size_t first)
{
	size_t end = first + FSK_STATS_BLOCK;
	struct fsk_table *table;

	if (end > stats->count)
		end = stats->count;
	table = fsk_table_create(2 + end - first);
	fsk_table_put(table, "COUNTER");
	fsk_table_put(table, "TOTAL");
	for (size_t i = first; i < end; i++)
		fsk_table_put(table, "CPU%u", stats->cores[i].cpu);
	for (int n = 0; n < __FSK_STAT_MAX; n++) {
		fsk_table_put(table, "%s", fsk_stat_names[n].name);
		fsk_table_put(table, "%llu",
			      (unsigned long long)stats->total[n]);
		for (size_t i = first; i < end; i++)
			fsk_table_put(table, "%llu", (unsigned long long)
				      stats->cores[i].n[n]);
	}
	fsk_table_print(table, "lr");
}

static void fsk_stats_text(void *data)
{
	const struct fsk_stats_all *stats = data;

	for (size_t i = 0; i < stats->count; i += FSK_STATS_BLOCK) {
		if (i)
			putchar('\n');
		fsk_stats_block(stats, i);
	}
}

static void fsk_stats_json_counters(const uint64_t *n)
{
	for (int i = 0; i < __FSK_STAT_MAX; i++)
		fsk_json_uint(fsk_stat_names[i].name, n[i]);
}

static void fsk_stats_json(void *data)
{
	const struct fsk_stats_all *stats = data;

	fsk_json_open(NULL, '{');
	fsk_json_open("total", '{');
	fsk_stats_json_counters(stats->total);
	fsk_json_close('}');
	fsk_json_open("cores", '[');
	for (size_t i = 0; i < stats->count; i++) {
		fsk_json_open(NULL, '{');
		fsk_json_uint("cpu", stats->cores[i].cpu);
		fsk_stats_json_counters(stats->cores[i].n);
		fsk_json_close('}');
	}
	fsk_json_close(']');
	fsk_json_close('}');
}

/**
 * fsk_cmd_show_stats() - fastsocket show stats
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_show_stats(int argc, char **argv)
{
	static const struct fsk_show show = {
		.read = fsk_stats_read,
		.text = fsk_stats_text,
		.json = fsk_stats_json,
		.reset = fsk_stats_reset,
	};
	struct fsk_stats_all stats = { 0 };

	argc = fsk_words(argc, argv, 0, 0, FSK_OPTIONS());
	return argc < 0 ? -1 - argc : fsk_show(&show, &stats);
}
