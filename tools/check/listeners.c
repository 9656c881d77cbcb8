// SPDX-License-Identifier: MIT
/*
 * Brings together what sock_diag, /proc and the module tell of listeners: the
 * kernel's list has all of them, the module's those that joined. Both name them
 * by address and port, so members of a SO_REUSEPORT group count together.
 */
#include "listeners.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/diag.h"
#include "../base/error.h"
#include "../base/procs.h"
#include "../base/rows.h"

/* A process that has the socket: the first that is wanted. The service manager
 * has sockets of others, so it comes last.
 */
static pid_t fsk_listening_pid(const struct fsk_procs *procs, uint32_t inode,
			       bool (*wanted)(pid_t pid, void *data),
			       void *data)
{
	const struct fsk_proc *proc = fsk_procs_find(procs, inode);
	pid_t pid = 0;

	for (; proc && proc < procs->procs + procs->count; proc++) {
		if (proc->inode != inode)
			break;
		if (!wanted(proc->pid, data))
			continue;
		pid = proc->pid;
		if (pid != 1)
			return pid;
	}
	return pid;
}

static bool fsk_listening_same(const struct fsk_listening *listening,
			       const struct fsk_flow *flow)
{
	return listening->family == flow->family &&
	       listening->port == flow->lport &&
	       !memcmp(listening->addr, flow->local, sizeof(flow->local));
}

static int fsk_listenings_add(struct fsk_listenings *listenings,
			      const struct fsk_flow *flow, pid_t pid)
{
	struct fsk_listening *more;

	/* The list is ordered, so those of one address are neighbours. */
	for (size_t i = listenings->count; i > 0; i--) {
		more = &listenings->all[i - 1];
		if (!fsk_listening_same(more, flow))
			break;
		if (more->ifindex == flow->ifindex) {
			more->sockets++;
			return 0;
		}
	}
	more = fsk_array_grow(listenings->all, listenings->count,
			      sizeof(*more));
	if (!more)
		return fsk_no_memory();
	listenings->all = more;
	more += listenings->count++;
	memset(more, 0, sizeof(*more));
	more->family = flow->family;
	memcpy(more->addr, flow->local, sizeof(more->addr));
	more->port = flow->lport;
	more->ifindex = flow->ifindex;
	more->pid = pid;
	more->sockets = 1;
	return 0;
}

static struct fsk_listening *
fsk_listenings_find(struct fsk_listenings *listenings,
		    const struct fsk_row *row)
{
	struct fsk_listening *one = listenings->all;

	for (; one < listenings->all + listenings->count; one++)
		if (one->family == row->value[FSK_A_LISTEN_FAMILY] &&
		    one->port == row->value[FSK_A_LISTEN_PORT] &&
		    one->ifindex == row->value[FSK_A_LISTEN_IFINDEX] &&
		    !memcmp(one->addr, row->addr, sizeof(one->addr)))
			return one;
	return NULL;
}

/**
 * fsk_listenings_rows() - add what the module tells of them
 * @listenings: the listeners; those that it does not have are left out
 * @rows: from the module
 */
void fsk_listenings_rows(struct fsk_listenings *listenings,
			 const struct fsk_rows *rows)
{
	struct fsk_listening *one;
	const struct fsk_row *row;

	for (size_t i = 0; i < rows->count; i++) {
		row = &rows->rows[i];
		one = fsk_listenings_find(listenings, row);
		if (!one)
			continue;
		one->local += row->value[FSK_A_LISTEN_ACCEPT_LOCAL];
		one->accepted += row->value[FSK_A_LISTEN_ACCEPT_LOCAL] +
				 row->value[FSK_A_LISTEN_ACCEPT_APP] +
				 row->value[FSK_A_LISTEN_ACCEPT_OTHER];
		if (!fsk_row_is_app(row)) {
			one->queues += row->flag[FSK_A_LISTEN_CLAIMED];
			continue;
		}
		one->joined++;
		one->limited |= row->flag[FSK_A_LISTEN_LIMITED];
		if (*row->bypass)
			snprintf(one->bypass, sizeof(one->bypass), "%s",
				 row->bypass);
	}
}

/**
 * fsk_listenings_read() - read the listeners of this network namespace
 * @listenings: filled in; the caller gives them to fsk_listenings_free()
 * @rows: from the module
 * @procs: who has which socket
 * @wanted: is this a process whose listeners are wanted?
 * @data: for @wanted
 *
 * A socket that no process of those that the caller may see has is passed to
 * @wanted with process 0.
 *
 * Return: exit status.
 */
int fsk_listenings_read(struct fsk_listenings *listenings,
			const struct fsk_rows *rows,
			const struct fsk_procs *procs,
			bool (*wanted)(pid_t pid, void *data), void *data)
{
	struct fsk_flows flows;
	int status;
	pid_t pid;

	memset(listenings, 0, sizeof(*listenings));
	status = fsk_diag_read(&flows, 1 << TCP_LISTEN);
	for (size_t i = 0; !status && i < flows.count; i++) {
		pid = fsk_listening_pid(procs, flows.flows[i].inode, wanted,
					data);
		if (pid || wanted(0, data))
			status = fsk_listenings_add(listenings,
						    &flows.flows[i], pid);
	}
	fsk_listenings_rows(listenings, rows);
	fsk_diag_free(&flows);
	if (status)
		fsk_listenings_free(listenings);
	return status;
}

/**
 * fsk_listenings_free() - forget the listeners
 * @listenings: from fsk_listenings_read()
 */
void fsk_listenings_free(struct fsk_listenings *listenings)
{
	free(listenings->all);
	memset(listenings, 0, sizeof(*listenings));
}
