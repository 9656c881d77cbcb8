// SPDX-License-Identifier: MIT
/*
 * fastsocket show latency: how long connections waited to be accepted, on each
 * core that accepted. JSON has the module's counts; the table has fewer
 * columns, each four times as long as the one before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/fastsocket.h>

#include "base/array.h"
#include "base/error.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/show.h"
#include "fastsocket.h"

/**
 * struct fsk_lat_core - a core's counts
 * @cpu: its number
 * @wait: connections by how long they waited for accept()
 * @syn: ... by the time from their SYN-ACK to accept()
 */
struct fsk_lat_core {
	uint32_t cpu;
	uint64_t wait[FSK_LATENCY_BUCKETS];
	uint64_t syn[FSK_LATENCY_BUCKETS];
};

/**
 * struct fsk_lat_all - counts of all cores
 * @count: cores
 * @cores: in the order of their numbers
 */
struct fsk_lat_all {
	size_t count;
	struct fsk_lat_core *cores;
};

/* Columns of the table, by the first of the module's counts behind them. */
static const struct {
	int end;
	const char *name;
} fsk_lat_columns[] = {
	{ 3, "<64us" }, { 5, "<256us" }, { 7, "<1ms" }, { 9, "<4ms" },
	{ 11, "<16ms" }, { 13, "<66ms" }, { 15, "<262ms" }, { 17, "<1s" },
	{ FSK_LATENCY_BUCKETS, "longer" },
};

#define FSK_LAT_COLUMNS \
	((int)(sizeof(fsk_lat_columns) / sizeof(*fsk_lat_columns)))

/* An array of another size is of a module that counts otherwise. */
static int fsk_lat_counts(const struct nlattr *attr, uint64_t *counts)
{
	size_t size = FSK_LATENCY_BUCKETS * sizeof(*counts);

	if (!attr || mnl_attr_get_payload_len(attr) != size)
		return -1;
	memcpy(counts, mnl_attr_get_payload(attr), size);
	return 0;
}

static int fsk_lat_take(const struct nlmsghdr *msg, const struct nlattr **attrs,
			void *data)
{
	struct fsk_lat_all *lat = data;
	struct fsk_lat_core *core;

	if (!msg) {
		lat->count = 0;
		return 0;
	}
	core = fsk_array_grow(lat->cores, lat->count, sizeof(*core));
	if (!core) {
		fsk_no_memory();
		return FSK_EXIT_REFUSED;
	}
	lat->cores = core;
	core += lat->count;
	core->cpu = fsk_nl_uint(attrs[FSK_A_LATENCY_CPU]);
	if (!fsk_lat_counts(attrs[FSK_A_LATENCY_WAIT], core->wait) &&
	    !fsk_lat_counts(attrs[FSK_A_LATENCY_SYN], core->syn))
		lat->count++;
	return 0;
}

static int fsk_lat_read(struct fsk_nl *nl, void *data)
{
	return fsk_nl_dump(nl, FSK_CMD_LATENCY_GET, FSK_A_LATENCY_MAX,
			   fsk_lat_take, data);
}

static void fsk_lat_reset(void *data)
{
	struct fsk_lat_all *lat = data;

	free(lat->cores);
}

static void fsk_lat_row(struct fsk_table *table, const uint64_t *counts)
{
	int i = 0;

	for (int column = 0; column < FSK_LAT_COLUMNS; column++) {
		uint64_t sum = 0;

		for (; i < fsk_lat_columns[column].end; i++)
			sum += counts[i];
		fsk_table_put(table, "%llu", (unsigned long long)sum);
	}
}

/* The counts that are @offset behind a core's beginning, and their sums. */
static void fsk_lat_table(const struct fsk_lat_all *lat, size_t offset)
{
	struct fsk_table *table = fsk_table_create(1 + FSK_LAT_COLUMNS);
	uint64_t total[FSK_LATENCY_BUCKETS] = { 0 };

	fsk_table_put(table, "CPU");
	for (int column = 0; column < FSK_LAT_COLUMNS; column++)
		fsk_table_put(table, "%s", fsk_lat_columns[column].name);
	for (size_t k = 0; k < lat->count; k++) {
		const uint64_t *counts = (const uint64_t *)
			((const char *)&lat->cores[k] + offset);

		fsk_table_put(table, "%u", lat->cores[k].cpu);
		fsk_lat_row(table, counts);
		for (int i = 0; i < FSK_LATENCY_BUCKETS; i++)
			total[i] += counts[i];
	}
	fsk_table_put(table, "all");
	fsk_lat_row(table, total);
	fsk_table_print(table, "r");
}

static void fsk_lat_text(void *data)
{
	puts("Complete, until accepted:");
	fsk_lat_table(data, offsetof(struct fsk_lat_core, wait));
	puts("\nFrom SYN-ACK until accepted:");
	fsk_lat_table(data, offsetof(struct fsk_lat_core, syn));
}

static void fsk_lat_json_counts(const uint64_t *counts)
{
	for (int i = 0; i < FSK_LATENCY_BUCKETS; i++)
		fsk_json_uint(NULL, counts[i]);
	fsk_json_close(']');
}

static void fsk_lat_json(void *data)
{
	const struct fsk_lat_all *lat = data;

	fsk_json_open(NULL, '{');
	fsk_json_open("below-us", '[');
	for (int i = 0; i < FSK_LATENCY_BUCKETS - 1; i++)
		fsk_json_uint(NULL, (uint64_t)FSK_LATENCY_FIRST_US << i);
	fsk_json_close(']');
	fsk_json_open("cores", '[');
	for (size_t k = 0; k < lat->count; k++) {
		fsk_json_open(NULL, '{');
		fsk_json_uint("cpu", lat->cores[k].cpu);
		fsk_json_open("wait", '[');
		fsk_lat_json_counts(lat->cores[k].wait);
		fsk_json_open("syn", '[');
		fsk_lat_json_counts(lat->cores[k].syn);
		fsk_json_close('}');
	}
	fsk_json_close(']');
	fsk_json_close('}');
}

/**
 * fsk_cmd_show_latency() - fastsocket show latency
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_show_latency(int argc, char **argv)
{
	static const struct fsk_show show = {
		.read = fsk_lat_read,
		.text = fsk_lat_text,
		.json = fsk_lat_json,
		.reset = fsk_lat_reset,
	};
	struct fsk_lat_all lat = { 0 };

	argc = fsk_words(argc, argv, 0, 0, FSK_OPTIONS());
	return argc < 0 ? -1 - argc : fsk_show(&show, &lat);
}
