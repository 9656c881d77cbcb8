// SPDX-License-Identifier: MIT
/*
 * fastsocket show established: each core's table of connections, and how many
 * packets found theirs; with --list the connections themselves. There may be a
 * million of them, so they are printed as they come.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
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

/* In the order of the columns. */
static const struct {
	int attr;
	const char *head;
	const char *key;
} fsk_est_columns[] = {
	{ FSK_A_EST_CPU, "CPU", "cpu" },
	{ FSK_A_EST_ENTRIES, "ENTRIES", "entries" },
	{ FSK_A_EST_BUCKETS, "BUCKETS", "buckets" },
	{ FSK_A_EST_MEMORY, "MEMORY", "memory" },
	{ FSK_A_EST_HITS, "HITS", "hits" },
	{ FSK_A_EST_DIRECT, "DIRECT", "direct" },
	{ FSK_A_EST_MISSES, "MISSES", "misses" },
	{ FSK_A_EST_FOREIGN, "FOREIGN", "foreign" },
	{ FSK_A_EST_STALE, "STALE", "stale" },
	{ FSK_A_EST_LEFT, "LEFT", "left" },
	{ FSK_A_EST_FULL, "FULL", "full" },
};

#define FSK_EST_COLUMNS	(sizeof(fsk_est_columns) / sizeof(*fsk_est_columns))

/**
 * struct fsk_est_rows - the cores
 * @count: of @rows
 * @rows: values, by column
 */
struct fsk_est_rows {
	size_t count;
	uint64_t (*rows)[FSK_EST_COLUMNS];
};

static void fsk_est_reset(void *data)
{
	struct fsk_est_rows *all = data;

	free(all->rows);
	memset(all, 0, sizeof(*all));
}

static int fsk_est_take(const struct nlmsghdr *msg, const struct nlattr **attrs,
			void *data)
{
	struct fsk_est_rows *all = data;
	uint64_t (*rows)[FSK_EST_COLUMNS];

	if (!msg) {
		fsk_est_reset(all);
		return 0;
	}
	rows = fsk_array_grow(all->rows, all->count, sizeof(*rows));
	if (!rows)
		return fsk_no_memory();
	all->rows = rows;
	for (size_t i = 0; i < FSK_EST_COLUMNS; i++)
		rows[all->count][i] =
			fsk_nl_uint(attrs[fsk_est_columns[i].attr]);
	all->count++;
	return 0;
}

static int fsk_est_read(struct fsk_nl *nl, void *data)
{
	return fsk_nl_dump(nl, FSK_CMD_EST_GET, FSK_A_EST_MAX, fsk_est_take,
			   data);
}

static void fsk_est_text(void *data)
{
	const struct fsk_est_rows *all = data;
	struct fsk_table *table;

	if (!all->count) {
		puts("off: 'fastsocket set established=on' switches it on");
		return;
	}
	table = fsk_table_create(FSK_EST_COLUMNS);
	for (size_t i = 0; i < FSK_EST_COLUMNS; i++)
		fsk_table_put(table, "%s", fsk_est_columns[i].head);
	for (size_t row = 0; row < all->count; row++)
		for (size_t i = 0; i < FSK_EST_COLUMNS; i++)
			fsk_table_put(table, "%llu", (unsigned long long)
				      all->rows[row][i]);
	fsk_table_print(table, "r");
}

static void fsk_est_json(void *data)
{
	const struct fsk_est_rows *all = data;

	fsk_json_open(NULL, '{');
	fsk_json_bool("on", all->count);
	fsk_json_open("cores", '[');
	for (size_t row = 0; row < all->count; row++) {
		fsk_json_open(NULL, '{');
		for (size_t i = 0; i < FSK_EST_COLUMNS; i++)
			fsk_json_uint(fsk_est_columns[i].key,
				      all->rows[row][i]);
		fsk_json_close('}');
	}
	fsk_json_close(']');
	fsk_json_close('}');
}

/* Connections */

static const char *fsk_conn_state(unsigned int state)
{
	switch (state) {
	case TCP_ESTABLISHED:
		return "ESTAB";
	case TCP_FIN_WAIT1:
		return "FIN-WAIT-1";
	case TCP_FIN_WAIT2:
		return "FIN-WAIT-2";
	default:
		return "CLOSING";
	}
}

static const char *fsk_conn_addr(char *text, int family,
				 const struct nlattr *addr)
{
	size_t size = family == AF_INET6 ? 16 : 4;

	if (!addr || mnl_attr_get_payload_len(addr) != size ||
	    !inet_ntop(family, mnl_attr_get_payload(addr), text,
		       INET6_ADDRSTRLEN))
		snprintf(text, INET6_ADDRSTRLEN, "?");
	return text;
}

static void fsk_conn_end(char *text, size_t size, int family,
			 const struct nlattr *addr, const struct nlattr *port)
{
	char host[INET6_ADDRSTRLEN];

	fsk_conn_addr(host, family, addr);
	snprintf(text, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
		 (unsigned int)fsk_nl_uint(port));
}

static void fsk_conn_text(const struct nlattr **attrs, int family)
{
	char local[64], remote[64];

	fsk_conn_end(local, sizeof(local), family, attrs[FSK_A_CONN_LOCAL],
		     attrs[FSK_A_CONN_LOCAL_PORT]);
	fsk_conn_end(remote, sizeof(remote), family, attrs[FSK_A_CONN_REMOTE],
		     attrs[FSK_A_CONN_REMOTE_PORT]);
	printf("%-10s  %-24s  %-24s  %3u\n",
	       fsk_conn_state(fsk_nl_uint(attrs[FSK_A_CONN_STATE])), local,
	       remote, (unsigned int)fsk_nl_uint(attrs[FSK_A_CONN_CPU]));
}

static void fsk_conn_json(const struct nlattr **attrs, int family)
{
	char host[INET6_ADDRSTRLEN];

	fsk_json_open(NULL, '{');
	fsk_json_str("state",
		     fsk_conn_state(fsk_nl_uint(attrs[FSK_A_CONN_STATE])));
	fsk_json_str("local",
		     fsk_conn_addr(host, family, attrs[FSK_A_CONN_LOCAL]));
	fsk_json_uint("local-port", fsk_nl_uint(attrs[FSK_A_CONN_LOCAL_PORT]));
	fsk_json_str("remote",
		     fsk_conn_addr(host, family, attrs[FSK_A_CONN_REMOTE]));
	fsk_json_uint("remote-port",
		      fsk_nl_uint(attrs[FSK_A_CONN_REMOTE_PORT]));
	fsk_json_uint("cpu", fsk_nl_uint(attrs[FSK_A_CONN_CPU]));
	fsk_json_close('}');
}

/* Prints at once, so that the dump must not begin again. It does not: the
 * kernel lists a connection that comes or goes meanwhile once or not at all.
 */
static int fsk_conn_take(const struct nlmsghdr *msg,
			 const struct nlattr **attrs, void *data)
{
	int family;

	if (!msg)
		return 0;
	family = fsk_nl_uint(attrs[FSK_A_CONN_FAMILY]);
	if (fsk_json)
		fsk_conn_json(attrs, family);
	else
		fsk_conn_text(attrs, family);
	return 0;
}

static int fsk_conn_read(struct fsk_nl *nl, void *data)
{
	int status;

	if (fsk_json)
		fsk_json_open(NULL, '[');
	else
		printf("%-10s  %-24s  %-24s  %3s\n", "STATE", "LOCAL", "PEER",
		       "CPU");
	status = fsk_nl_dump(nl, FSK_CMD_CONN_GET, FSK_A_CONN_MAX,
			     fsk_conn_take, data);
	if (fsk_json)
		fsk_json_close(']');
	return status;
}

/**
 * fsk_cmd_show_est() - fastsocket show established [--list]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_show_est(int argc, char **argv)
{
	static const struct fsk_show tables = {
		.read = fsk_est_read,
		.text = fsk_est_text,
		.json = fsk_est_json,
		.reset = fsk_est_reset,
	}, connections = {
		.read = fsk_conn_read,
	};
	struct fsk_est_rows all = { 0 };
	int list = 0;

	argc = fsk_words(argc, argv, 0, 0,
			 FSK_OPTIONS(FSK_FLAG("list", FSK_OPTION_LONG, list)));
	return argc < 0 ? -1 - argc :
	       fsk_show(list ? &connections : &tables, &all);
}
