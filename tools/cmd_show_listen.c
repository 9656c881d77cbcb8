// SPDX-License-Identifier: MIT
/* fastsocket show listen: lists the listeners that joined, and their cores. */
#include <arpa/inet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <linux/fastsocket.h>

#include "base/error.h"
#include "base/netns.h"
#include "base/nic.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/read.h"
#include "base/show.h"
#include "fastsocket.h"

static int fsk_listen_read(struct fsk_nl *nl, void *data)
{
	return fsk_read_rows(nl, data);
}

static void fsk_listen_reset(void *data)
{
	fsk_rows_reset(data);
}

/* Text */

static void fsk_row_put_state(const struct fsk_row *row,
			      struct fsk_table *table)
{
	const char *state = fsk_row_state(row);

	if (fsk_row_is_app(row) &&
	    row->value[FSK_A_LISTEN_STATE] == FSK_STATE_BYPASS)
		fsk_table_put(table, "%s: %s", state, row->bypass);
	else
		fsk_table_put(table, "%s", state);
}

static void fsk_row_put_number(const struct fsk_row *row, int attr,
			       struct fsk_table *table)
{
	if (row->flag[attr])
		fsk_table_put(table, "%llu",
			      (unsigned long long)row->value[attr]);
	else
		fsk_table_put(table, "-");
}

static void fsk_listen_text(void *data)
{
	static const struct {
		const char *head;
		int attr;
	} columns[] = {
		{ "QUEUE", FSK_A_LISTEN_QLEN },
		{ "LIMIT", FSK_A_LISTEN_QMAX },
		{ "SYNS", FSK_A_LISTEN_SYNS },
		{ "FAR", FSK_A_LISTEN_SYNS_FAR },
		{ "LOCAL", FSK_A_LISTEN_ACCEPT_LOCAL },
		{ "APP", FSK_A_LISTEN_ACCEPT_APP },
		{ "OTHER", FSK_A_LISTEN_ACCEPT_OTHER },
		{ "DROPS", FSK_A_LISTEN_DROPS },
		{ "RESCUED", FSK_A_LISTEN_RESCUED },
		{ "SERVES", FSK_A_LISTEN_SERVES },
		{ "PID", FSK_A_LISTEN_PID },
	};
	const size_t count = sizeof(columns) / sizeof(*columns);
	struct fsk_table *table = fsk_table_create(3 + count);
	const struct fsk_rows *rows = data;
	char name[FSK_ROW_NAME];

	fsk_table_put(table, "LISTENER");
	fsk_table_put(table, "CPU");
	for (size_t c = 0; c < count; c++)
		fsk_table_put(table, "%s", columns[c].head);
	fsk_table_put(table, "STATE");
	for (size_t i = 0; i < rows->count; i++) {
		const struct fsk_row *row = &rows->rows[i];

		fsk_table_put(table, "%s", fsk_row_name(row, name));
		if (fsk_row_is_app(row))
			fsk_table_put(table, "app");
		else
			fsk_row_put_number(row, FSK_A_LISTEN_CPU, table);
		for (size_t c = 0; c < count; c++)
			fsk_row_put_number(row, columns[c].attr, table);
		fsk_row_put_state(row, table);
	}
	fsk_table_print(table, "lrrrrrrrrrrrrl");
}

/* JSON */

static void fsk_row_json_number(const struct fsk_row *row, const char *key,
				int attr)
{
	if (row->flag[attr])
		fsk_json_uint(key, row->value[attr]);
}

static void fsk_row_json_counters(const struct fsk_row *row)
{
	fsk_row_json_number(row, "qlen", FSK_A_LISTEN_QLEN);
	fsk_row_json_number(row, "qmax", FSK_A_LISTEN_QMAX);
	fsk_row_json_number(row, "syns", FSK_A_LISTEN_SYNS);
	fsk_row_json_number(row, "syns-far", FSK_A_LISTEN_SYNS_FAR);
	fsk_row_json_number(row, "accept-local", FSK_A_LISTEN_ACCEPT_LOCAL);
	fsk_row_json_number(row, "accept-app", FSK_A_LISTEN_ACCEPT_APP);
	fsk_row_json_number(row, "accept-other", FSK_A_LISTEN_ACCEPT_OTHER);
	fsk_row_json_number(row, "drops", FSK_A_LISTEN_DROPS);
	fsk_row_json_number(row, "rescues", FSK_A_LISTEN_RESCUES);
	fsk_row_json_number(row, "rescued", FSK_A_LISTEN_RESCUED);
	fsk_row_json_number(row, "times-late", FSK_A_LISTEN_TIMES_LATE);
}

static void fsk_row_json_app(const struct fsk_row *row)
{
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];
	bool bypass = row->value[FSK_A_LISTEN_STATE] == FSK_STATE_BYPASS;

	fsk_row_json_number(row, "id", FSK_A_LISTEN_ID);
	fsk_json_str("family", row->value[FSK_A_LISTEN_FAMILY] == AF_INET6 ?
		     "ipv6" : "ipv4");
	fsk_json_str("addr", fsk_row_addr(row, text, sizeof(text)));
	fsk_row_json_number(row, "port", FSK_A_LISTEN_PORT);
	if (row->flag[FSK_A_LISTEN_IFINDEX])
		fsk_json_str("interface",
			     fsk_nic_name(row->value[FSK_A_LISTEN_IFINDEX],
					  name));
	fsk_json_bool("v6only", row->flag[FSK_A_LISTEN_V6ONLY]);
	fsk_json_bool("reuseport", row->flag[FSK_A_LISTEN_REUSEPORT]);
	fsk_row_json_number(row, "uid", FSK_A_LISTEN_UID);
	fsk_json_str("state", bypass ? "bypass" : "active");
	if (bypass)
		fsk_json_str("bypass-reason", row->bypass);
	fsk_json_bool("limited", row->flag[FSK_A_LISTEN_LIMITED]);
	fsk_row_json_number(row, "owner-locals", FSK_A_LISTEN_OWNER_LOCALS);
	fsk_row_json_counters(row);
}

static void fsk_row_json_core(const struct fsk_row *row)
{
	fsk_json_open(NULL, '{');
	fsk_row_json_number(row, "cpu", FSK_A_LISTEN_CPU);
	fsk_json_bool("claimed", row->flag[FSK_A_LISTEN_CLAIMED]);
	fsk_json_bool("orphaned", row->flag[FSK_A_LISTEN_ORPHANED]);
	fsk_json_bool("helped", row->flag[FSK_A_LISTEN_LATE]);
	fsk_row_json_number(row, "serves", FSK_A_LISTEN_SERVES);
	fsk_row_json_number(row, "pid", FSK_A_LISTEN_PID);
	fsk_row_json_counters(row);
	fsk_json_close('}');
}

/* Print a listener, and in it its cores: the rows that have the same number. A
 * listener that was closed while the table was read may lack its first row.
 */
static size_t fsk_listen_json_one(const struct fsk_rows *rows, size_t i,
				  const struct fsk_netns *ns)
{
	const struct fsk_row *app = &rows->rows[i];
	uint64_t id = app->value[FSK_A_LISTEN_ID];

	fsk_json_open(NULL, '{');
	if (ns)
		fsk_netns_json(ns);
	fsk_row_json_app(app);
	fsk_json_open("cores", '[');
	if (fsk_row_is_app(app))
		i++;
	for (; i < rows->count; i++) {
		if (rows->rows[i].value[FSK_A_LISTEN_ID] != id)
			break;
		fsk_row_json_core(&rows->rows[i]);
	}
	fsk_json_close(']');
	fsk_json_close('}');
	return i;
}

static void fsk_listen_json_list(const struct fsk_rows *rows,
				 const struct fsk_netns *ns)
{
	size_t i = 0;

	while (i < rows->count)
		i = fsk_listen_json_one(rows, i, ns);
}

static void fsk_listen_json(void *data)
{
	fsk_json_open(NULL, '[');
	fsk_listen_json_list(data, NULL);
	fsk_json_close(']');
}

/* All network namespaces: each that has some is shown. */
static int fsk_listen_netns(const struct fsk_netns *ns, void *data)
{
	const struct fsk_show *show = data;
	struct fsk_rows rows = { 0 };
	struct fsk_nl *nl = fsk_nl_open();
	int status = nl ? show->read(nl, &rows) : FSK_EXIT_REFUSED;

	fsk_nl_close(nl);
	if (!status && fsk_json) {
		fsk_listen_json_list(&rows, ns);
	} else if (!status && rows.count) {
		printf("%s (net:[%llu], process %d):\n", ns->name,
		       (unsigned long long)ns->inode, ns->pid);
		fsk_listen_text(&rows);
	}
	fsk_rows_reset(&rows);
	return status;
}

static int fsk_listen_all_netns(const struct fsk_show *show)
{
	struct fsk_nl *nl = fsk_nl_open();
	int status;

	if (!nl)
		return FSK_EXIT_REFUSED;
	fsk_nl_close(nl);
	if (fsk_json)
		fsk_json_open(NULL, '[');
	status = fsk_netns_each(fsk_listen_netns, (void *)show);
	if (fsk_json)
		fsk_json_close(']');
	return status;
}

/**
 * fsk_cmd_show_listen() - fastsocket show listen
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_show_listen(int argc, char **argv)
{
	static const struct fsk_show show = {
		.read = fsk_listen_read,
		.text = fsk_listen_text,
		.json = fsk_listen_json,
		.reset = fsk_listen_reset,
	};
	struct fsk_rows rows = { 0 };

	argc = fsk_words(argc, argv, 0, 0, FSK_OPTIONS(FSK_ALL_NETNS));
	if (argc < 0)
		return -1 - argc;
	return fsk_all_netns ? fsk_listen_all_netns(&show) :
			       fsk_show(&show, &rows);
}
