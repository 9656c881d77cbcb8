// SPDX-License-Identifier: MIT
/*
 * fastsocket status --all-netns: who holds the module, on the whole machine. A
 * listener that has joined holds it, and so does a connection that the kernel
 * accepted for itself, as nfsd does.
 */
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include <linux/fastsocket.h>

#include "base/boot.h"
#include "base/diag.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/procs.h"
#include "base/read.h"
#include "fastsocket.h"

#define FSK_HOLDERS	8	/* processes that are named in a namespace */

/**
 * struct fsk_held - all that was found so far
 * @procs: who has which socket
 * @table: a row for each namespace; %NULL for JSON
 * @listeners: that have joined, in all of them
 * @count: namespaces that have some
 */
struct fsk_held {
	struct fsk_procs procs;
	struct fsk_table *table;
	unsigned long listeners;
	unsigned int count;
};

/**
 * struct fsk_holders - the processes of a namespace whose listeners joined
 * @count: of @procs
 * @procs: each with its name and number
 * @more: there are more than there is room for
 */
struct fsk_holders {
	size_t count;
	const struct fsk_proc *procs[FSK_HOLDERS];
	bool more;
};

static void fsk_holders_add(struct fsk_holders *holders,
			    const struct fsk_proc *proc)
{
	for (size_t i = 0; i < holders->count; i++)
		if (holders->procs[i]->pid == proc->pid)
			return;
	if (holders->count < FSK_HOLDERS)
		holders->procs[holders->count++] = proc;
	else
		holders->more = true;
}

/* Is this one of the module's listeners? */
static bool fsk_holders_joined(const struct fsk_rows *rows,
			       const struct fsk_flow *flow)
{
	const struct fsk_row *row;

	for (size_t i = 0; i < rows->count; i++) {
		row = &rows->rows[i];
		if (fsk_row_is_app(row) &&
		    row->value[FSK_A_LISTEN_PORT] == flow->lport &&
		    row->value[FSK_A_LISTEN_FAMILY] == flow->family &&
		    !memcmp(row->addr, flow->local, sizeof(row->addr)))
			return true;
	}
	return false;
}

static int fsk_holders_find(struct fsk_holders *holders,
			    const struct fsk_held *held,
			    const struct fsk_rows *rows)
{
	const struct fsk_proc *proc;
	struct fsk_flows flows;
	int status;

	memset(holders, 0, sizeof(*holders));
	status = fsk_diag_read(&flows, 1 << TCP_LISTEN);
	for (size_t i = 0; !status && i < flows.count; i++) {
		if (!fsk_holders_joined(rows, &flows.flows[i]))
			continue;
		proc = fsk_procs_find(&held->procs, flows.flows[i].inode);
		if (proc)
			fsk_holders_add(holders, proc);
	}
	fsk_diag_free(&flows);
	return status;
}

static void fsk_held_text(struct fsk_held *held, const struct fsk_netns *ns,
			  unsigned long listeners,
			  const struct fsk_holders *holders)
{
	char text[FSK_HOLDERS * 32] = "-";
	size_t at = 0;

	for (size_t i = 0; i < holders->count; i++)
		at += snprintf(text + at, sizeof(text) - at, "%s%s/%d",
			       i ? " " : "", holders->procs[i]->name,
			       holders->procs[i]->pid);
	fsk_table_put(held->table, "%s", ns->name);
	fsk_table_put(held->table, "%llu", (unsigned long long)ns->inode);
	fsk_table_put(held->table, "%lu", listeners);
	fsk_table_put(held->table, "%s%s", text, holders->more ? " ..." : "");
}

static void fsk_held_json(const struct fsk_netns *ns, unsigned long listeners,
			  const struct fsk_holders *holders)
{
	fsk_json_open(NULL, '{');
	fsk_netns_json(ns);
	fsk_json_uint("listeners", listeners);
	fsk_json_open("processes", '[');
	for (size_t i = 0; i < holders->count; i++) {
		fsk_json_open(NULL, '{');
		fsk_json_str("process", holders->procs[i]->name);
		fsk_json_uint("pid", holders->procs[i]->pid);
		fsk_json_close('}');
	}
	fsk_json_close(']');
	fsk_json_close('}');
}

static int fsk_held_netns(const struct fsk_netns *ns, void *data)
{
	struct fsk_held *held = data;
	struct fsk_holders holders;
	struct fsk_rows rows = { 0 };
	unsigned long listeners = 0;
	struct fsk_nl *nl = fsk_nl_open();
	int status = nl ? fsk_read_rows(nl, &rows) : FSK_EXIT_REFUSED;

	fsk_nl_close(nl);
	for (size_t i = 0; i < rows.count; i++)
		listeners += fsk_row_is_app(&rows.rows[i]);
	if (!status && listeners)
		status = fsk_holders_find(&holders, held, &rows);
	if (!status && listeners) {
		held->listeners += listeners;
		held->count++;
		if (held->table)
			fsk_held_text(held, ns, listeners, &holders);
		else
			fsk_held_json(ns, listeners, &holders);
	}
	fsk_rows_reset(&rows);
	return status;
}

/* Why does rmmod say that it is in use? */
static void fsk_held_why(const struct fsk_held *held)
{
	struct fsk_boot boot;
	long others;

	fsk_boot_read(&boot, "");
	others = boot.refcount - (long)held->listeners;
	if (boot.refcount > 0)
		printf("In use: %lu joined listeners in %u network namespaces",
		       held->listeners, held->count);
	else
		printf("Not in use: 'modprobe -r fastsocket' removes it");
	if (boot.refcount > 0 && others > 0)
		printf(", and %ld others: connections that the kernel "
		       "accepted for itself, or listeners whose namespace has "
		       "neither a name nor a process",
		       others);
	puts(".");
}

/**
 * fsk_status_all_netns() - fastsocket status --all-netns
 *
 * Return: exit status.
 */
int fsk_status_all_netns(void)
{
	struct fsk_nl *nl = fsk_nl_open();
	struct fsk_held held = { 0 };
	int status;

	if (!nl)
		return FSK_EXIT_REFUSED;
	fsk_nl_close(nl);
	fsk_procs_read(&held.procs);
	if (fsk_json) {
		fsk_json_open(NULL, '[');
	} else {
		held.table = fsk_table_create(4);
		fsk_table_put(held.table, "NETNS");
		fsk_table_put(held.table, "INODE");
		fsk_table_put(held.table, "LISTENERS");
		fsk_table_put(held.table, "PROCESSES");
	}
	status = fsk_netns_each(fsk_held_netns, &held);
	if (fsk_json)
		fsk_json_close(']');
	else
		fsk_table_print(held.table, "lrrl");
	if (!status && !fsk_json)
		fsk_held_why(&held);
	fsk_procs_free(&held.procs);
	return status;
}
