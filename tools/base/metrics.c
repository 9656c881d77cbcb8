// SPDX-License-Identifier: MIT
/*
 * Writes metrics down, as OpenMetrics 1.0 and in the older text format, which
 * node_exporter reads. They differ in the names of counters' families, in units
 * and in the end.
 */
#include "metrics.h"

#include <stdlib.h>
#include <string.h>

#include "../names.h"

#define FSK_METRICS_NAME	80	/* bytes for the name of a family */

/**
 * struct fsk_metrics_out - metrics that are being written
 * @file: where to
 * @format: enum fsk_metrics_format
 * @name: of the family, without the ending of counters
 * @counter: it is one of counters
 */
struct fsk_metrics_out {
	FILE *file;
	enum fsk_metrics_format format;
	char name[FSK_METRICS_NAME];
	bool counter;
};

/* Begin a family. Its name ends with the unit, if there is one. */
static void fsk_metrics_family(struct fsk_metrics_out *out, bool counter,
			       const char *unit, const char *help,
			       const char *name, const char *more)
{
	const char *end;
	char *at;

	snprintf(out->name, sizeof(out->name), "fastsocket_%s%s", name, more);
	for (at = out->name; *at; at++)
		*at = *at == '-' ? '_' : *at;
	out->counter = counter;
	end = counter && out->format == FSK_METRICS_TEXT ? "_total" : "";
	fprintf(out->file, "# TYPE %s%s %s\n", out->name, end,
		counter ? "counter" : "gauge");
	if (unit && out->format == FSK_METRICS_OPEN)
		fprintf(out->file, "# UNIT %s %s\n", out->name, unit);
	fprintf(out->file, "# HELP %s%s %s\n", out->name, end, help);
}

static void fsk_metrics_gauge(struct fsk_metrics_out *out, const char *help,
			      const char *name)
{
	fsk_metrics_family(out, false, NULL, help, name, "");
}

/* The value of a label: a device may have any name. */
static void fsk_metrics_text(struct fsk_metrics_out *out, const char *text)
{
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			fprintf(out->file, "\\%c", *text);
		else
			putc(*text >= ' ' && *text <= '~' ? *text : '?',
			     out->file);
}

static void fsk_metrics_label(struct fsk_metrics_out *out, const char *label,
			      const char *text, uint64_t value)
{
	fprintf(out->file, "%s%s{%s=\"", out->name,
		out->counter ? "_total" : "", label);
	fsk_metrics_text(out, text);
	fprintf(out->file, "\"} %llu\n", (unsigned long long)value);
}

static void fsk_metrics_cpu(struct fsk_metrics_out *out, uint32_t cpu,
			    uint64_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", cpu);
	fsk_metrics_label(out, "cpu", text, value);
}

static void fsk_metrics_value(struct fsk_metrics_out *out, uint64_t value)
{
	fprintf(out->file, "%s %llu\n", out->name, (unsigned long long)value);
}

static void fsk_metrics_module(struct fsk_metrics_out *out,
			       const struct fsk_metrics *metrics)
{
	fsk_metrics_gauge(out, "listeners that joined", "listeners");
	fsk_metrics_value(out, metrics->listeners);
	fsk_metrics_gauge(out, "queues of listeners on cores",
			  "local_listeners");
	fsk_metrics_value(out, metrics->locals);
	fsk_metrics_gauge(out, "queues that one owner may have",
			  "local_listeners_limit");
	fsk_metrics_value(out, metrics->locals_max);
	fsk_metrics_gauge(out, "1 if the feature is on", "feature_enabled");
	for (size_t i = 0; i < metrics->feature_count; i++)
		fsk_metrics_label(out, "feature", metrics->features[i].name,
				  metrics->features[i].enabled);
}

static void fsk_metrics_counters(struct fsk_metrics_out *out,
				 const struct fsk_stats_all *stats)
{
	for (int n = 0; n < __FSK_STAT_MAX; n++) {
		if (!stats->known[n])
			continue;
		fsk_metrics_family(out, true, NULL, fsk_stat_names[n].help,
				   fsk_stat_names[n].name, "");
		for (size_t i = 0; i < stats->count; i++)
			fsk_metrics_cpu(out, stats->cores[i].cpu,
					stats->cores[i].n[n]);
	}
}

static void fsk_metrics_tables(struct fsk_metrics_out *out,
			       const struct fsk_metrics *metrics)
{
	if (!metrics->table_count)
		return;
	fsk_metrics_gauge(out, "connections in the core's table",
			  "established_entries");
	for (size_t i = 0; i < metrics->table_count; i++)
		fsk_metrics_cpu(out, metrics->tables[i].cpu,
				metrics->tables[i].entries);
	fsk_metrics_family(out, false, "bytes",
			   "memory of the core's table of connections",
			   "established_memory", "_bytes");
	for (size_t i = 0; i < metrics->table_count; i++)
		fsk_metrics_cpu(out, metrics->tables[i].cpu,
				metrics->tables[i].memory);
}

/* What is told of all sockets that listen at one address and port: one time
 * series for each core and listener would be too many.
 */
enum {
	FSK_METRICS_SOCKETS,
	FSK_METRICS_QUEUES,
	FSK_METRICS_LATE,
	FSK_METRICS_BYPASSED,
	FSK_METRICS_LIMITED,
	FSK_METRICS_WAITING,
	FSK_METRICS_LONGEST,
	FSK_METRICS_LIMIT,
	FSK_METRICS_LEVELS
};

static const struct {
	const char *name;
	const char *help;
} fsk_metrics_levels[FSK_METRICS_LEVELS] = {
	[FSK_METRICS_SOCKETS] = {
		"sockets", "joined listeners here",
	},
	[FSK_METRICS_QUEUES] = {
		"queues", "their queues on cores",
	},
	[FSK_METRICS_LATE] = {
		"late_queues", "queues whose worker is gone or late",
	},
	[FSK_METRICS_BYPASSED] = {
		"bypassed_sockets", "sockets that the module leaves alone",
	},
	[FSK_METRICS_LIMITED] = {
		"limited_sockets",
		"sockets that lack a queue, the owner has as many as it may",
	},
	[FSK_METRICS_WAITING] = {
		"queue_length", "connections that wait to be accepted",
	},
	[FSK_METRICS_LONGEST] = {
		"queue_longest", "connections that wait in the longest queue",
	},
	[FSK_METRICS_LIMIT] = {
		"queue_limit", "connections that may wait in a queue",
	},
};

#define FSK_METRICS_COUNTERS \
	(sizeof(fsk_listen_counters) / sizeof(*fsk_listen_counters))

/**
 * struct fsk_metrics_listener - sockets that listen at one address and port
 * @name: address, device and port
 * @level: by FSK_METRICS_*
 * @counter: as fsk_listen_counters[]
 * @there: which counters the module has
 */
struct fsk_metrics_listener {
	char name[FSK_ROW_NAME];
	uint64_t level[FSK_METRICS_LEVELS];
	uint64_t counter[FSK_METRICS_COUNTERS];
	bool there[FSK_METRICS_COUNTERS];
};

static void fsk_metrics_add_row(struct fsk_metrics_listener *listener,
				const struct fsk_row *row)
{
	uint64_t length = row->value[FSK_A_LISTEN_QLEN];
	uint64_t limit = row->value[FSK_A_LISTEN_QMAX];
	uint64_t *level = listener->level;

	level[FSK_METRICS_WAITING] += length;
	if (length > level[FSK_METRICS_LONGEST])
		level[FSK_METRICS_LONGEST] = length;
	if (limit > level[FSK_METRICS_LIMIT])
		level[FSK_METRICS_LIMIT] = limit;
	if (fsk_row_is_app(row)) {
		level[FSK_METRICS_SOCKETS]++;
		level[FSK_METRICS_BYPASSED] +=
			row->value[FSK_A_LISTEN_STATE] == FSK_STATE_BYPASS;
		level[FSK_METRICS_LIMITED] += row->flag[FSK_A_LISTEN_LIMITED];
	} else {
		level[FSK_METRICS_QUEUES]++;
		level[FSK_METRICS_LATE] += row->flag[FSK_A_LISTEN_ORPHANED];
	}
	for (size_t i = 0; i < FSK_METRICS_COUNTERS; i++) {
		int attr = fsk_listen_counters[i].attr;

		listener->there[i] = listener->there[i] || row->flag[attr];
		listener->counter[i] += row->value[attr];
	}
}

static int fsk_metrics_compare(const void *a, const void *b)
{
	const struct fsk_metrics_listener *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Adds up those that have the same name. Returns how many are left. */
static size_t fsk_metrics_merge(struct fsk_metrics_listener *all, size_t count)
{
	size_t kept = 0;

	qsort(all, count, sizeof(*all), fsk_metrics_compare);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(all[i].name, all[kept].name)) {
			all[++kept] = all[i];
			continue;
		}
		for (int k = 0; k < FSK_METRICS_LEVELS; k++) {
			uint64_t *to = &all[kept].level[k];

			if (k < FSK_METRICS_LONGEST)
				*to += all[i].level[k];
			else if (*to < all[i].level[k])
				*to = all[i].level[k];
		}
		for (size_t k = 0; k < FSK_METRICS_COUNTERS; k++) {
			all[kept].counter[k] += all[i].counter[k];
			all[kept].there[k] |= all[i].there[k];
		}
	}
	return count ? kept + 1 : 0;
}

/* A listener for each first row, with the rows that follow. */
static size_t fsk_metrics_collect(struct fsk_metrics_listener *all,
				  const struct fsk_rows *rows)
{
	const struct fsk_row *row;
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++) {
		row = &rows->rows[i];
		if (!i || row[-1].value[FSK_A_LISTEN_ID] !=
			  row->value[FSK_A_LISTEN_ID])
			fsk_row_name(row, all[count++].name);
		fsk_metrics_add_row(&all[count - 1], row);
	}
	return fsk_metrics_merge(all, count);
}

static bool fsk_metrics_listeners(struct fsk_metrics_out *out,
				  const struct fsk_rows *rows)
{
	struct fsk_metrics_listener *all;
	size_t count;

	all = calloc(rows->count + 1, sizeof(*all));
	if (!all)
		return false;
	count = fsk_metrics_collect(all, rows);
	for (int k = 0; k < FSK_METRICS_LEVELS; k++) {
		fsk_metrics_family(out, false, NULL,
				   fsk_metrics_levels[k].help, "listener_",
				   fsk_metrics_levels[k].name);
		for (size_t i = 0; i < count; i++)
			fsk_metrics_label(out, "listener", all[i].name,
					  all[i].level[k]);
	}
	for (size_t k = 0; k < FSK_METRICS_COUNTERS; k++) {
		fsk_metrics_family(out, true, NULL,
				   fsk_listen_counters[k].help, "listener_",
				   fsk_listen_counters[k].name);
		for (size_t i = 0; i < count; i++)
			if (all[i].there[k])
				fsk_metrics_label(out, "listener", all[i].name,
						  all[i].counter[k]);
	}
	free(all);
	return true;
}

/**
 * fsk_metrics_print() - write metrics down
 * @metrics: the metrics
 * @format: how
 * @file: where to
 *
 * Return: false without memory, then not all is written. Other errors are the
 *	file's.
 */
bool fsk_metrics_print(const struct fsk_metrics *metrics,
		       enum fsk_metrics_format format, FILE *file)
{
	struct fsk_metrics_out out = { .file = file, .format = format };

	fsk_metrics_gauge(&out, "versions of the tool and the module",
			  "build_info");
	fprintf(file, "%s{tool=\"", out.name);
	fsk_metrics_text(&out, metrics->tool);
	fputs("\",module=\"", file);
	fsk_metrics_text(&out, metrics->module);
	fputs("\"} 1\n", file);
	fsk_metrics_gauge(&out, "1 if the module is loaded", "loaded");
	fsk_metrics_value(&out, metrics->loaded);
	if (metrics->loaded) {
		fsk_metrics_module(&out, metrics);
		fsk_metrics_counters(&out, &metrics->sample.stats);
		fsk_metrics_tables(&out, metrics);
		if (!fsk_metrics_listeners(&out, &metrics->sample.rows))
			return false;
	}
	if (format == FSK_METRICS_OPEN)
		fputs("# EOF\n", file);
	return true;
}
