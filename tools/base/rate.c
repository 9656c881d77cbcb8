// SPDX-License-Identifier: MIT
/* Rates per second, from two samples of what the module counts. */
#include "rate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What was counted meanwhile; a count that is lower began again from 0. */
static uint64_t fsk_rate_count(uint64_t old, uint64_t new)
{
	return new < old ? new : new - old;
}

/**
 * fsk_rate() - how often something was counted per second
 * @old: the count before
 * @new: the count now
 * @seconds: between the two
 *
 * Return: the rate, 0 when no time has passed.
 */
double fsk_rate(uint64_t old, uint64_t new, double seconds)
{
	if (seconds <= 0)
		return 0;
	return fsk_rate_count(old, new) / seconds;
}

/**
 * fsk_rate_seconds() - the time between two samples
 * @old: the earlier one
 * @new: the later one
 *
 * Return: seconds, 0 if there is no earlier one.
 */
double fsk_rate_seconds(const struct fsk_sample *old,
			const struct fsk_sample *new)
{
	return old->ns && new->ns > old->ns ? (new->ns - old->ns) / 1e9 : 0;
}

static int fsk_rate_compare(const void *a, const void *b)
{
	uint32_t cpu = *(const uint32_t *)a;
	const struct fsk_stats_core *core = b;

	return (cpu > core->cpu) - (cpu < core->cpu);
}

/**
 * fsk_rate_core() - find the counters of a core
 * @stats: in the order of cores
 * @cpu: the core
 *
 * Return: the counters, or %NULL.
 */
const struct fsk_stats_core *fsk_rate_core(const struct fsk_stats_all *stats,
					   uint32_t cpu)
{
	if (!stats->count)
		return NULL;
	return bsearch(&cpu, stats->cores, stats->count, sizeof(*stats->cores),
		       fsk_rate_compare);
}

/**
 * fsk_rate_since() - what was counted between two samples
 * @stats: the earlier counts; they become the differences
 * @now: the later ones
 */
void fsk_rate_since(struct fsk_stats_all *stats,
		    const struct fsk_stats_all *now)
{
	memset(stats->total, 0, sizeof(stats->total));
	for (size_t i = 0; i < stats->count; i++) {
		struct fsk_stats_core *core = &stats->cores[i];
		const struct fsk_stats_core *new;

		new = fsk_rate_core(now, core->cpu);
		for (int n = 0; n < __FSK_STAT_MAX; n++) {
			core->n[n] = new ? fsk_rate_count(core->n[n],
							  new->n[n]) : 0;
			stats->total[n] += core->n[n];
		}
	}
}

/**
 * fsk_rate_sleep() - wait between two samples
 * @seconds: how long
 */
void fsk_rate_sleep(double seconds)
{
	struct timespec time = { .tv_sec = seconds };

	time.tv_nsec = (seconds - time.tv_sec) * 1e9;
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &time))
		;
}

/**
 * fsk_rate_text() - a rate in at most 7 columns
 * @rate: not negative
 * @text: filled in, %FSK_RATE_TEXT bytes
 *
 * Return: @text, for example "0", "0.5", "12", "345678" or "1.2M".
 */
const char *fsk_rate_text(double rate, char *text)
{
	if (rate < 0.05)
		snprintf(text, FSK_RATE_TEXT, "0");
	else if (rate < 9.95)
		snprintf(text, FSK_RATE_TEXT, "%.1f", rate);
	else if (rate < 999999.5)
		snprintf(text, FSK_RATE_TEXT, "%.0f", rate);
	else if (rate < 999.95e6)
		snprintf(text, FSK_RATE_TEXT, "%.1fM", rate / 1e6);
	else
		snprintf(text, FSK_RATE_TEXT, "%.1fG", rate / 1e9);
	return text;
}
