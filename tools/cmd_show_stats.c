// SPDX-License-Identifier: MIT
/*
 * fastsocket show stats: counters of each core. One that the loaded module does
 * not have is absent: 0 would say that it never happened.
 */
#include <limits.h>
#include <stdio.h>

#include <linux/fastsocket.h>

#include "base/error.h"
#include "base/nl.h"
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

/* A count, or with @seconds a rate. */
static void fsk_stats_put(struct fsk_table *table, uint64_t n, double seconds)
{
	char text[FSK_RATE_TEXT];

	if (seconds)
		fsk_table_put(table, "%s", fsk_rate_text(n / seconds, text));
	else
		fsk_table_put(table, "%llu", (unsigned long long)n);
}

/* Counters are rows; as many cores as fit beside each other are columns. Of
 * rates those are left out that are 0 everywhere.
 */
static void fsk_stats_block(const struct fsk_stats_all *stats, size_t first,
			    double seconds)
{
	size_t end = first + FSK_STATS_BLOCK;
	struct fsk_table *table;

	if (end > stats->count)
		end = stats->count;
	table = fsk_table_create(2 + end - first);
	fsk_table_put(table, seconds ? "PER SECOND" : "COUNTER");
	fsk_table_put(table, "TOTAL");
	for (size_t i = first; i < end; i++)
		fsk_table_put(table, "CPU%u", stats->cores[i].cpu);
	for (int n = 0; n < __FSK_STAT_MAX; n++) {
		if (!stats->known[n] || (seconds && !stats->total[n]))
			continue;
		fsk_table_put(table, "%s", fsk_stat_names[n].name);
		fsk_stats_put(table, stats->total[n], seconds);
		for (size_t i = first; i < end; i++)
			fsk_stats_put(table, stats->cores[i].n[n], seconds);
	}
	fsk_table_print(table, "lr");
}

static void fsk_stats_blocks(const struct fsk_stats_all *stats, double seconds)
{
	for (size_t i = 0; i < stats->count; i += FSK_STATS_BLOCK) {
		if (i)
			putchar('\n');
		fsk_stats_block(stats, i, seconds);
	}
}

static void fsk_stats_text(void *data)
{
	fsk_stats_blocks(data, 0);
}

static void fsk_stats_json_counters(const struct fsk_stats_all *stats,
				    const uint64_t *n)
{
	for (int i = 0; i < __FSK_STAT_MAX; i++)
		if (stats->known[i])
			fsk_json_uint(fsk_stat_names[i].name, n[i]);
}

static void fsk_stats_json(void *data)
{
	const struct fsk_stats_all *stats = data;

	fsk_json_open(NULL, '{');
	fsk_json_open("total", '{');
	fsk_stats_json_counters(stats, stats->total);
	fsk_json_close('}');
	fsk_json_open("cores", '[');
	for (size_t i = 0; i < stats->count; i++) {
		fsk_json_open(NULL, '{');
		fsk_json_uint("cpu", stats->cores[i].cpu);
		fsk_stats_json_counters(stats, stats->cores[i].n);
		fsk_json_close('}');
	}
	fsk_json_close(']');
	fsk_json_close('}');
}

/* Rates */

static void fsk_stats_json_rates(const struct fsk_stats_all *stats,
				 const uint64_t *n, double seconds)
{
	for (int i = 0; i < __FSK_STAT_MAX; i++)
		if (stats->known[i])
			fsk_json_double(fsk_stat_names[i].name,
					n[i] / seconds);
}

static void fsk_stats_json_all_rates(const struct fsk_stats_all *stats,
				     double seconds)
{
	fsk_json_open(NULL, '{');
	fsk_json_double("seconds", seconds);
	fsk_json_open("total", '{');
	fsk_stats_json_rates(stats, stats->total, seconds);
	fsk_json_close('}');
	fsk_json_open("cores", '[');
	for (size_t i = 0; i < stats->count; i++) {
		fsk_json_open(NULL, '{');
		fsk_json_uint("cpu", stats->cores[i].cpu);
		fsk_stats_json_rates(stats, stats->cores[i].n, seconds);
		fsk_json_close('}');
	}
	fsk_json_close(']');
	fsk_json_close('}');
}

/* Wait, read again, and print what came meanwhile. */
static int fsk_stats_rate_once(struct fsk_nl *nl, struct fsk_sample *last,
			       double seconds)
{
	struct fsk_sample now;
	int status;

	fsk_rate_sleep(seconds);
	status = fsk_read_sample(nl, &now);
	if (status) {
		fsk_read_sample_reset(&now);
		return status;
	}
	seconds = fsk_rate_seconds(last, &now);
	fsk_rate_since(&last->stats, &now.stats);
	if (fsk_json)
		fsk_stats_json_all_rates(&last->stats, seconds);
	else
		fsk_stats_blocks(&last->stats, seconds);
	fsk_read_sample_reset(last);
	*last = now;
	return 0;
}

/* Print rates again and again. A closed pipe or a full disk ends it; main()
 * says so.
 */
static int fsk_stats_rate(double seconds, unsigned long times)
{
	struct fsk_nl *nl = fsk_nl_open();
	struct fsk_sample last = { 0 };
	int status;

	if (!nl)
		return FSK_EXIT_REFUSED;
	status = fsk_read_sample(nl, &last);
	while (!status && times--) {
		status = fsk_stats_rate_once(nl, &last, seconds);
		if (!fsk_json && times)
			putchar('\n');
		if (fflush(stdout))
			break;
	}
	fsk_read_sample_reset(&last);
	fsk_nl_close(nl);
	return status;
}

/**
 * fsk_cmd_show_stats() - fastsocket show stats [--rate SECONDS [-n TIMES]]
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
	const struct option *options =
		FSK_OPTIONS(FSK_VALUE("rate", FSK_OPTION_RATE)
			    FSK_VALUE("times", 'n'));
	unsigned long times = ULONG_MAX;
	struct fsk_stats_all stats = { 0 };
	double seconds = 0;
	int status;

	argc = fsk_words(argc, argv, 0, 0, options);
	if (argc < 0)
		return -1 - argc;
	status = fsk_option_seconds(FSK_OPTION_RATE, &seconds);
	if (!status)
		status = fsk_option_count('n', &times);
	if (status)
		return status;
	if (!seconds && fsk_option_value('n'))
		return fsk_usage("stats: -n goes with --rate");
	return seconds ? fsk_stats_rate(seconds, times) :
			 fsk_show(&show, &stats);
}
