/* SPDX-License-Identifier: MIT */
#ifndef FSK_METRICS_H
#define FSK_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rate.h"

/**
 * struct fsk_metrics_feature - a feature of the module
 * @name: its name
 * @enabled: it is on
 */
struct fsk_metrics_feature {
	char name[32];
	bool enabled;
};

/**
 * struct fsk_metrics_table - a core's table of connections
 * @cpu: the core
 * @entries: connections in it
 * @memory: bytes
 */
struct fsk_metrics_table {
	uint32_t cpu;
	uint64_t entries;
	uint64_t memory;
};

/**
 * struct fsk_metrics - all that becomes metrics
 * @loaded: the module is loaded; else there is nothing but the tool's version
 * @tool: version of the tool
 * @module: version of the module
 * @listeners: listeners that joined
 * @locals: their queues
 * @locals_max: how many of these an owner may have
 * @feature_count: of @features
 * @features: of the module
 * @table_count: of @tables
 * @tables: of established connections, if they are on
 * @sample: counters and listeners
 */
struct fsk_metrics {
	bool loaded;
	char tool[64];
	char module[64];
	uint64_t listeners;
	uint64_t locals;
	uint64_t locals_max;
	size_t feature_count;
	struct fsk_metrics_feature *features;
	size_t table_count;
	struct fsk_metrics_table *tables;
	struct fsk_sample sample;
};

/* The two ways to write metrics down. */
enum fsk_metrics_format {
	FSK_METRICS_OPEN,	/* OpenMetrics 1.0 */
	FSK_METRICS_TEXT,	/* Prometheus' text format, 0.0.4 */
};

bool fsk_metrics_print(const struct fsk_metrics *metrics,
		       enum fsk_metrics_format format, FILE *file);

#endif
