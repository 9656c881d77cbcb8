// SPDX-License-Identifier: MIT
/* The listeners that joined, as the module lists them: names and states. */
#include "rows.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/**
 * fsk_rows_reset() - forget all rows
 * @rows: the rows
 */
void fsk_rows_reset(struct fsk_rows *rows)
{
	free(rows->rows);
	memset(rows, 0, sizeof(*rows));
}

/**
 * fsk_row_is_app() - is this the first row of its listener?
 * @row: the row
 *
 * Return: whether it tells of the application's own socket.
 */
bool fsk_row_is_app(const struct fsk_row *row)
{
	return !row->flag[FSK_A_LISTEN_CPU];
}

/**
 * fsk_row_addr() - the local address
 * @row: the row
 * @text: filled in
 * @size: of @text, INET6_ADDRSTRLEN
 *
 * Return: the address as text.
 */
const char *fsk_row_addr(const struct fsk_row *row, char *text, size_t size)
{
	if (!inet_ntop(row->value[FSK_A_LISTEN_FAMILY], row->addr, text, size))
		return "?";
	return text;
}

/**
 * fsk_row_name() - the local address, device and port
 * @row: the row
 * @name: filled in, %FSK_ROW_NAME bytes
 *
 * Return: @name, for example "0.0.0.0:80" or "[::1]%lo:80".
 */
const char *fsk_row_name(const struct fsk_row *row, char *name)
{
	bool ipv6 = row->value[FSK_A_LISTEN_FAMILY] == AF_INET6;
	unsigned int ifindex = row->value[FSK_A_LISTEN_IFINDEX];
	char text[INET6_ADDRSTRLEN], device[IF_NAMESIZE] = "";

	/* A device that is gone is told by its number. */
	if (ifindex && !if_indextoname(ifindex, device))
		snprintf(device, sizeof(device), "if%u", ifindex);
	snprintf(name, FSK_ROW_NAME, "%s%s%s%s%s:%u", ipv6 ? "[" : "",
		 fsk_row_addr(row, text, sizeof(text)), ipv6 ? "]" : "",
		 ifindex ? "%" : "", device,
		 (unsigned int)row->value[FSK_A_LISTEN_PORT]);
	return name;
}

/**
 * fsk_row_state() - what the module does with a listener, or a queue's worker
 * @row: the row
 *
 * Return: a word or two.
 */
const char *fsk_row_state(const struct fsk_row *row)
{
	if (!fsk_row_is_app(row))
		return row->flag[FSK_A_LISTEN_ORPHANED] ? "orphaned" :
		       row->flag[FSK_A_LISTEN_LATE] ? "late" :
		       row->flag[FSK_A_LISTEN_CLAIMED] ? "claimed" :
		       "unclaimed";
	if (row->value[FSK_A_LISTEN_STATE] == FSK_STATE_BYPASS)
		return "bypass";
	return row->flag[FSK_A_LISTEN_LIMITED] ? "active, limited" : "active";
}
