// SPDX-License-Identifier: MIT
/*
 * fastsocket show process: the settings, listeners, connections and memory of
 * one process.
 */
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/diag.h"
#include "base/error.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/process.h"
#include "base/procs.h"
#include "base/read.h"
#include "base/show.h"
#include "fastsocket.h"
#include "names.h"

#define FSK_OF_COUNTERS \
	(sizeof(fsk_listen_counters) / sizeof(*fsk_listen_counters))

/**
 * struct fsk_of_listener - a listener of the process
 * @flow: the socket
 * @rows: rows of the module for its address and port; 0 if it did not join
 * @queues: those of cores
 * @late: queues whose worker is late
 * @waiting: connections that wait to be accepted
 * @state: of the program's own socket, by the module
 * @bypass: the option that makes the module leave it alone
 * @counter: as fsk_listen_counters[]
 */
struct fsk_of_listener {
	const struct fsk_flow *flow;
	unsigned int rows;
	unsigned int queues;
	unsigned int late;
	uint64_t waiting;
	const char *state;
	const char *bypass;
	uint64_t counter[FSK_OF_COUNTERS];
};

/**
 * struct fsk_of - what is shown of a process
 * @pid: the process
 * @process: what /proc tells of it
 * @procs: its sockets
 * @flows: all TCP sockets of its namespace
 * @rows: of the module
 * @count: of @listeners
 * @listeners: of the process
 * @accepted: connections to a port that the process listens at
 * @opened: other connections
 * @memory: bytes that the sockets' queues hold
 */
struct fsk_of {
	pid_t pid;
	struct fsk_process process;
	struct fsk_procs procs;
	struct fsk_flows flows;
	struct fsk_rows rows;
	size_t count;
	struct fsk_of_listener *listeners;
	unsigned int accepted;
	unsigned int opened;
	uint64_t memory;
};

static bool fsk_of_same(const struct fsk_flow *flow, const struct fsk_row *row)
{
	return flow->family == row->value[FSK_A_LISTEN_FAMILY] &&
	       flow->lport == row->value[FSK_A_LISTEN_PORT] &&
	       flow->ifindex == row->value[FSK_A_LISTEN_IFINDEX] &&
	       !memcmp(flow->local, row->addr, sizeof(row->addr));
}

static void fsk_of_add_row(struct fsk_of_listener *listener,
			   const struct fsk_row *row)
{
	listener->rows++;
	listener->waiting += row->value[FSK_A_LISTEN_QLEN];
	if (fsk_row_is_app(row)) {
		listener->state = fsk_row_state(row);
		listener->bypass = row->bypass;
	} else {
		listener->queues++;
		listener->late += row->flag[FSK_A_LISTEN_ORPHANED];
	}
	for (size_t i = 0; i < FSK_OF_COUNTERS; i++)
		listener->counter[i] += row->value[fsk_listen_counters[i].attr];
}

static int fsk_of_add_listener(struct fsk_of *of, const struct fsk_flow *flow)
{
	struct fsk_of_listener *more;

	more = fsk_array_grow(of->listeners, of->count, sizeof(*more));
	if (!more)
		return fsk_no_memory();
	of->listeners = more;
	more += of->count++;
	more->flow = flow;
	more->state = "not joined";
	more->bypass = "";
	for (size_t i = 0; i < of->rows.count; i++)
		if (fsk_of_same(flow, &of->rows.rows[i]))
			fsk_of_add_row(more, &of->rows.rows[i]);
	return 0;
}

/* A connection to one of its ports was accepted, as far as can be told. */
static void fsk_of_add_connection(struct fsk_of *of,
				  const struct fsk_flow *flow)
{
	for (size_t i = 0; i < of->count; i++)
		if (of->listeners[i].flow->lport == flow->lport) {
			of->accepted++;
			return;
		}
	of->opened++;
}

static bool fsk_of_owns(const struct fsk_of *of, const struct fsk_flow *flow)
{
	return flow->inode && fsk_procs_find(&of->procs, flow->inode);
}

static int fsk_of_read(struct fsk_nl *nl, void *data)
{
	struct fsk_of *of = data;
	int status;

	status = fsk_process_read(of->pid, &of->process);
	if (!status)
		status = fsk_read_rows(nl, &of->rows);
	if (!status)
		status = fsk_diag_read(&of->flows, UINT32_MAX);
	if (status)
		return status;
	fsk_procs_read_one(&of->procs, of->pid);
	for (size_t i = 0; i < of->flows.count && !status; i++) {
		const struct fsk_flow *flow = &of->flows.flows[i];

		if (!fsk_of_owns(of, flow))
			continue;
		of->memory += flow->memory;
		if (flow->state == TCP_LISTEN)
			status = fsk_of_add_listener(of, flow);
	}
	for (size_t i = 0; i < of->flows.count; i++)
		if (fsk_of_owns(of, &of->flows.flows[i]) &&
		    of->flows.flows[i].state != TCP_LISTEN)
			fsk_of_add_connection(of, &of->flows.flows[i]);
	return status;
}

static void fsk_of_facts(const struct fsk_of *of)
{
	const struct fsk_process *process = &of->process;
	struct fsk_table *table = fsk_table_create(2);
	const char *setting = NULL;

	fsk_table_put(table, "process");
	fsk_table_put(table, "%d (%s)", of->pid, process->name);
	fsk_table_put(table, "library");
	fsk_table_put(table, "%s", process->preload ? "loaded" : "not loaded");
	while ((setting = fsk_process_setting(process, setting))) {
		fsk_table_put(table, "setting");
		fsk_table_put(table, "%s", setting);
	}
	fsk_table_put(table, "threads");
	fsk_table_put(table, "%u, of these bound to one CPU %u",
		      process->threads, process->bound);
	fsk_table_put(table, "connections");
	fsk_table_put(table, "%u accepted, %u opened", of->accepted,
		      of->opened);
	fsk_table_put(table, "memory");
	fsk_table_put(table, "%llu KiB, in the queues of sockets %llu bytes",
		      (unsigned long long)process->resident_kib,
		      (unsigned long long)of->memory);
	fsk_table_print(table, "l");
}

static void fsk_of_put_listener(struct fsk_table *table,
				const struct fsk_of_listener *listener)
{
	fsk_table_put_addr(table, listener->flow->family,
			   listener->flow->local, listener->flow->lport);
	fsk_table_put(table, "%u", listener->queues);
	fsk_table_put(table, "%u", listener->late);
	fsk_table_put(table, "%llu", (unsigned long long)listener->waiting);
	for (size_t k = 0; k < FSK_OF_COUNTERS; k++)
		fsk_table_put(table, "%llu",
			      (unsigned long long)listener->counter[k]);
	fsk_table_put(table, "%s%s%s", listener->state,
		      *listener->bypass ? ": " : "", listener->bypass);
}

static void fsk_of_text(void *data)
{
	static const char * const heads[] = {
		"LISTENER", "QUEUES", "LATE", "WAITING", "STATE",
	};
	char align[FSK_OF_COUNTERS + 6];
	const struct fsk_of *of = data;
	struct fsk_table *table;

	fsk_of_facts(of);
	if (!of->count)
		return;
	putchar('\n');
	table = fsk_table_create(5 + FSK_OF_COUNTERS);
	for (int i = 0; i < 4; i++)
		fsk_table_put(table, "%s", heads[i]);
	for (size_t k = 0; k < FSK_OF_COUNTERS; k++)
		fsk_table_put(table, "%s", fsk_listen_counters[k].name);
	fsk_table_put(table, "%s", heads[4]);
	for (size_t i = 0; i < of->count; i++)
		fsk_of_put_listener(table, &of->listeners[i]);
	memset(align, 'r', sizeof(align));
	align[0] = 'l';
	align[4 + FSK_OF_COUNTERS] = 'l';
	align[5 + FSK_OF_COUNTERS] = '\0';
	fsk_table_print(table, align);
}

static void fsk_of_json_listener(const struct fsk_of_listener *listener)
{
	const struct fsk_flow *flow = listener->flow;

	fsk_json_open(NULL, '{');
	fsk_json_addr("addr", flow->family, flow->local);
	fsk_json_uint("port", flow->lport);
	fsk_json_uint("inode", flow->inode);
	fsk_json_bool("joined", listener->rows);
	fsk_json_str("state", listener->state);
	if (*listener->bypass)
		fsk_json_str("bypass-reason", listener->bypass);
	fsk_json_uint("queues", listener->queues);
	fsk_json_uint("late", listener->late);
	fsk_json_uint("waiting", listener->waiting);
	for (size_t k = 0; k < FSK_OF_COUNTERS; k++)
		fsk_json_uint(fsk_listen_counters[k].name,
			      listener->counter[k]);
	fsk_json_close('}');
}

static void fsk_of_json(void *data)
{
	const struct fsk_of *of = data;
	const char *setting = NULL;

	fsk_json_open(NULL, '{');
	fsk_json_uint("pid", of->pid);
	fsk_json_str("name", of->process.name);
	fsk_json_bool("library", of->process.preload);
	fsk_json_open("settings", '[');
	while ((setting = fsk_process_setting(&of->process, setting)))
		fsk_json_str(NULL, setting);
	fsk_json_close(']');
	fsk_json_uint("threads", of->process.threads);
	fsk_json_uint("bound", of->process.bound);
	fsk_json_uint("accepted", of->accepted);
	fsk_json_uint("opened", of->opened);
	fsk_json_uint("resident-kib", of->process.resident_kib);
	fsk_json_uint("socket-bytes", of->memory);
	fsk_json_open("listening", '[');
	for (size_t i = 0; i < of->count; i++)
		fsk_of_json_listener(&of->listeners[i]);
	fsk_json_close(']');
	fsk_json_close('}');
}

static void fsk_of_reset(void *data)
{
	struct fsk_of *of = data;

	fsk_process_reset(&of->process);
	fsk_procs_free(&of->procs);
	fsk_diag_free(&of->flows);
	fsk_rows_reset(&of->rows);
	free(of->listeners);
}

/**
 * fsk_cmd_show_process() - fastsocket show process PID
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_show_process(int argc, char **argv)
{
	static const struct fsk_show show = {
		.read = fsk_of_read,
		.text = fsk_of_text,
		.json = fsk_of_json,
		.reset = fsk_of_reset,
	};
	struct fsk_of of = { 0 };
	int status;

	argc = fsk_words(argc, argv, 1, 1, FSK_OPTIONS());
	if (argc < 0)
		return -1 - argc;
	of.pid = fsk_process_pid(argv[1]);
	if (!of.pid)
		return fsk_usage("process: '%s' is no process number", argv[1]);
	/* The namespace is its own, unless another one is named. */
	status = fsk_netns_of(argv[1]);
	return status ? status : fsk_show(&show, &of);
}
