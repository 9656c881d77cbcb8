// SPDX-License-Identifier: MIT
/*
 * fastsocket show rfd: lists interfaces and their modes, then destinations and
 * how many of each core's source ports are in use there, then totals.
 */
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/fastsocket.h>

#include "base/array.h"
#include "base/diag.h"
#include "base/error.h"
#include "base/nic.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/rfd.h"
#include "base/show.h"
#include "fastsocket.h"
#include "names.h"

#define FSK_DEST_TOP	16	/* destinations, without --all */

/* States in which a connection holds a source port. Listeners have none, and
 * SYN-RECV is a connection that the other end opens.
 */
#define FSK_DEST_STATES	(0xfff & ~(1 << TCP_LISTEN | 1 << TCP_CLOSE | \
				   1 << TCP_SYN_RECV))

/**
 * struct fsk_dest_row - a destination of one core
 * @value: numbers, by attribute
 * @flag: whether the attribute was there
 * @addr: the address, network byte order
 * @src: source address of the last connection
 * @used: how many ports of this core are in use, from @src
 * @weight: connections of all cores to the destination
 */
struct fsk_dest_row {
	uint64_t value[FSK_A_DEST_MAX + 1];
	bool flag[FSK_A_DEST_MAX + 1];
	uint8_t addr[16];
	uint8_t src[16];
	uint64_t used;
	uint64_t weight;
};

/**
 * struct fsk_dests - all that is printed
 * @count: of @dests
 * @dests: a row for each destination and core
 * @table: interfaces
 * @total: counters of all cores
 * @every: print all destinations as text, not only the first
 */
struct fsk_dests {
	size_t count;
	struct fsk_dest_row *dests;
	struct fsk_rfd_table table;
	uint64_t total[__FSK_STAT_MAX];
	int every;
};

static void fsk_dest_addr(uint8_t *addr, const struct nlattr *attr)
{
	if (attr && mnl_attr_get_payload_len(attr) <= 16)
		memcpy(addr, mnl_attr_get_payload(attr),
		       mnl_attr_get_payload_len(attr));
}

static int fsk_dest_take(const struct nlmsghdr *msg,
			 const struct nlattr **attrs, void *data)
{
	struct fsk_dests *all = data;
	struct fsk_dest_row *dest;

	if (!msg) {
		free(all->dests);
		all->dests = NULL;
		all->count = 0;
		return 0;
	}
	dest = fsk_array_grow(all->dests, all->count, sizeof(*dest));
	if (!dest)
		return fsk_no_memory();
	all->dests = dest;
	dest += all->count++;
	for (int i = 1; i <= FSK_A_DEST_MAX; i++) {
		dest->flag[i] = attrs[i];
		if (i != FSK_A_DEST_ADDR && i != FSK_A_DEST_SRC)
			dest->value[i] = fsk_nl_uint(attrs[i]);
	}
	fsk_dest_addr(dest->addr, attrs[FSK_A_DEST_ADDR]);
	fsk_dest_addr(dest->src, attrs[FSK_A_DEST_SRC]);
	return 0;
}

static int fsk_dest_take_stats(const struct nlmsghdr *msg,
			       const struct nlattr **attrs, void *data)
{
	const struct nlattr *counters[FSK_A_COUNTER_MAX + 1];
	struct fsk_dests *all = data;

	if (!msg) {
		memset(all->total, 0, sizeof(all->total));
		return 0;
	}
	if (!attrs[FSK_A_STATS_COUNTERS])
		return 0;
	fsk_nl_nested(attrs[FSK_A_STATS_COUNTERS], FSK_A_COUNTER_MAX,
		      counters);
	for (int i = 0; i < __FSK_STAT_MAX; i++)
		all->total[i] += fsk_nl_uint(counters[FSK_STAT_TO_ATTR(i)]);
	return 0;
}

/* Ports in use */

/* The first connection in order that does not come before this one. */
static size_t fsk_dest_search(const struct fsk_flows *flows,
			      const struct fsk_flow *flow)
{
	size_t low = 0, high = flows->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (fsk_diag_order(&flows->flows[middle], flow) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void fsk_dest_count(struct fsk_dest_row *dest,
			   const struct fsk_rfd_table *table,
			   const struct fsk_flows *flows)
{
	struct fsk_flow flow = {
		.family = dest->value[FSK_A_DEST_FAMILY],
		.rport = dest->value[FSK_A_DEST_PORT],
	};
	struct fsk_flow last;
	unsigned int low, high;
	size_t i;

	memcpy(flow.remote, dest->addr, sizeof(flow.remote));
	memcpy(flow.local, dest->src, sizeof(flow.local));
	fsk_nic_port_range(&low, &high);
	flow.lport = low;
	last = flow;
	last.lport = high;
	for (i = fsk_dest_search(flows, &flow); i < flows->count &&
	     fsk_diag_order(&flows->flows[i], &last) <= 0; i++)
		if (fsk_rfd_core(table, dest->value[FSK_A_DEST_IFINDEX],
				 &flows->flows[i]) ==
		    dest->value[FSK_A_DEST_CPU])
			dest->used++;
}

/* Order */

static bool fsk_dest_same(const struct fsk_dest_row *a,
			  const struct fsk_dest_row *b)
{
	return a->value[FSK_A_DEST_FAMILY] == b->value[FSK_A_DEST_FAMILY] &&
	       a->value[FSK_A_DEST_PORT] == b->value[FSK_A_DEST_PORT] &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static int fsk_dest_by_addr(const void *left, const void *right)
{
	const struct fsk_dest_row *a = left, *b = right;
	int order;

	order = (int)a->value[FSK_A_DEST_FAMILY] -
		(int)b->value[FSK_A_DEST_FAMILY];
	if (!order)
		order = memcmp(a->addr, b->addr, sizeof(a->addr));
	if (!order)
		order = (int)a->value[FSK_A_DEST_PORT] -
			(int)b->value[FSK_A_DEST_PORT];
	return order ? order : (int)a->value[FSK_A_DEST_CPU] -
			       (int)b->value[FSK_A_DEST_CPU];
}

/* Destinations with most connections come first, their rows together. */
static int fsk_dest_by_weight(const void *left, const void *right)
{
	const struct fsk_dest_row *a = left, *b = right;

	if (a->weight != b->weight)
		return a->weight < b->weight ? 1 : -1;
	return fsk_dest_by_addr(left, right);
}

static void fsk_dest_sort(struct fsk_dests *all)
{
	size_t i, k, end;
	uint64_t weight;

	if (!all->count)
		return;
	qsort(all->dests, all->count, sizeof(*all->dests), fsk_dest_by_addr);
	for (i = 0; i < all->count; i = end) {
		weight = 0;
		for (end = i; end < all->count &&
		     fsk_dest_same(&all->dests[i], &all->dests[end]); end++)
			weight += all->dests[end].value[FSK_A_DEST_OWN] +
				  all->dests[end].value[FSK_A_DEST_ANY];
		for (k = i; k < end; k++)
			all->dests[k].weight = weight;
	}
	qsort(all->dests, all->count, sizeof(*all->dests), fsk_dest_by_weight);
}

/* Text */

static unsigned int fsk_dest_cores(const struct fsk_rfd_row *row)
{
	unsigned int cores = 0, i, k;

	for (i = 0; i < row->table_len; i++) {
		for (k = 0; k < i && row->table[k] != row->table[i]; k++)
			;
		cores += k == i;
	}
	return cores;
}

static void fsk_dest_text_interfaces(const struct fsk_rfd_table *rfd)
{
	struct fsk_table *table = fsk_table_create(5);
	const struct fsk_rfd_row *row;
	char name[IF_NAMESIZE];

	fsk_table_put(table, "INTERFACE");
	fsk_table_put(table, "MODE");
	fsk_table_put(table, "KEY");
	fsk_table_put(table, "TABLE");
	fsk_table_put(table, "CORES");
	for (size_t i = 0; i < rfd->count; i++) {
		row = &rfd->rows[i];
		fsk_table_put(table, "%s", fsk_nic_name(row->ifindex, name));
		fsk_table_put(table, "%s", fsk_rfd_mode_name(row->mode));
		fsk_table_put(table, row->key_len ? "known" : "-");
		if (row->table_len) {
			fsk_table_put(table, "%u", row->table_len);
			fsk_table_put(table, "%u", fsk_dest_cores(row));
		} else {
			fsk_table_put(table, "-");
			fsk_table_put(table, "-");
		}
	}
	fsk_table_put(table, "others");
	fsk_table_put(table, "%s", fsk_rfd_mode_name(rfd->rest));
	for (int i = 0; i < 3; i++)
		fsk_table_put(table, "-");
	fsk_table_print(table, "lllrr");
}

static uint64_t fsk_dest_free(const struct fsk_dest_row *dest)
{
	uint64_t share = dest->value[FSK_A_DEST_SHARE];

	return share > dest->used ? share - dest->used : 0;
}

static void fsk_dest_put_share(const struct fsk_dest_row *dest,
			       struct fsk_table *table)
{
	bool known = dest->flag[FSK_A_DEST_SHARE];

	fsk_table_put(table, known ? "%llu" : "-", (unsigned long long)
		      dest->value[FSK_A_DEST_SHARE]);
	fsk_table_put(table, "%llu", (unsigned long long)dest->used);
	fsk_table_put(table, known ? "%llu" : "-",
		      (unsigned long long)fsk_dest_free(dest));
}

static void fsk_dest_put_row(const struct fsk_dest_row *dest,
			     struct fsk_table *table)
{
	unsigned long long own = dest->value[FSK_A_DEST_OWN];
	unsigned long long any = dest->value[FSK_A_DEST_ANY];

	fsk_table_put_addr(table, dest->value[FSK_A_DEST_FAMILY], dest->addr,
			   dest->value[FSK_A_DEST_PORT]);
	fsk_table_put(table, "%u", (unsigned int)dest->value[FSK_A_DEST_CPU]);
	fsk_table_put(table, "%s",
		      fsk_rfd_mode_name(dest->value[FSK_A_DEST_MODE]));
	fsk_dest_put_share(dest, table);
	fsk_table_put(table, "%llu", own);
	fsk_table_put(table, "%llu", any);
	if (own + any)
		fsk_table_put(table, "%.2f",
			      (double)dest->value[FSK_A_DEST_PROBES] /
			      (own + any));
	else
		fsk_table_put(table, "-");
	fsk_table_put(table, "%llu", (unsigned long long)
		      dest->value[FSK_A_DEST_CLASHES]);
	fsk_table_put(table, dest->flag[FSK_A_DEST_USED_UP] ? "used up" : "");
}

static void fsk_dest_text_rows(const struct fsk_dests *all)
{
	static const char * const heads[] = {
		"DESTINATION", "CPU", "MODE", "SHARE", "USED", "FREE", "OWN",
		"ANY", "PROBES", "CLASHES", "",
	};
	const size_t columns = sizeof(heads) / sizeof(*heads);
	struct fsk_table *table = fsk_table_create(columns);
	unsigned int shown = 0, hidden = 0;

	for (size_t i = 0; i < columns; i++)
		fsk_table_put(table, "%s", heads[i]);
	for (size_t i = 0; i < all->count; i++) {
		if (i && fsk_dest_same(&all->dests[i - 1], &all->dests[i]))
			;
		else if (all->every || shown < FSK_DEST_TOP)
			shown++;
		else
			hidden++;
		if (!hidden)
			fsk_dest_put_row(&all->dests[i], table);
	}
	fsk_table_print(table, "lrlrrrrrrrl");
	if (hidden)
		printf("and %u more, with --all\n", hidden);
}

/* Counters of which the totals are shown, under the names of `show stats`. */
static const int fsk_dest_totals[] = {
	FSK_STAT_CONNECT_OWN,
	FSK_STAT_CONNECT_ANY,
	FSK_STAT_CONNECT_KERNEL,
	FSK_STAT_CONNECT_PROBE,
	FSK_STAT_CONNECT_CLASH,
	FSK_STAT_RFD_HIT,
	FSK_STAT_RFD_MISS,
	FSK_STAT_RFD_STEERED,
	FSK_STAT_RFD_DROP,
};

#define FSK_DEST_TOTALS	(sizeof(fsk_dest_totals) / sizeof(*fsk_dest_totals))

static void fsk_dest_text_totals(const struct fsk_dests *all)
{
	for (size_t i = 0; i < FSK_DEST_TOTALS; i++)
		printf("%s%s %llu", i ? ", " : "",
		       fsk_stat_names[fsk_dest_totals[i]].name,
		       (unsigned long long)all->total[fsk_dest_totals[i]]);
	putchar('\n');
	if (!all->table.counts)
		puts("packets are counted in steer mode, or with rfd-count=on");
}

static void fsk_dest_text(void *data)
{
	const struct fsk_dests *all = data;

	fsk_dest_text_interfaces(&all->table);
	putchar('\n');
	fsk_dest_text_rows(all);
	putchar('\n');
	fsk_dest_text_totals(all);
}

/* JSON */

static void fsk_dest_json_interface(const struct fsk_rfd_row *row)
{
	char name[IF_NAMESIZE];

	fsk_json_open(NULL, '{');
	fsk_json_str("interface", fsk_nic_name(row->ifindex, name));
	fsk_json_uint("ifindex", row->ifindex);
	fsk_json_str("mode", fsk_rfd_mode_name(row->mode));
	if (row->table_len) {
		fsk_json_hex("key", row->key, row->key_len);
		fsk_json_open("table", '[');
		for (unsigned int i = 0; i < row->table_len; i++)
			fsk_json_uint(NULL, row->table[i]);
		fsk_json_close(']');
		fsk_json_bool("tcp4", row->hash & FSK_RFD_HASH_TCP4);
		fsk_json_bool("tcp6", row->hash & FSK_RFD_HASH_TCP6);
	}
	fsk_json_close('}');
}

static void fsk_dest_json_row(const struct fsk_dest_row *dest)
{
	int family = dest->value[FSK_A_DEST_FAMILY];
	char name[IF_NAMESIZE];

	fsk_json_open(NULL, '{');
	fsk_json_addr("addr", family, dest->addr);
	fsk_json_uint("port", dest->value[FSK_A_DEST_PORT]);
	if (dest->flag[FSK_A_DEST_SRC])
		fsk_json_addr("src", family, dest->src);
	fsk_json_uint("cpu", dest->value[FSK_A_DEST_CPU]);
	if (dest->value[FSK_A_DEST_IFINDEX])
		fsk_json_str("interface",
			     fsk_nic_name(dest->value[FSK_A_DEST_IFINDEX],
					  name));
	fsk_json_str("mode", fsk_rfd_mode_name(dest->value[FSK_A_DEST_MODE]));
	fsk_json_uint("range", dest->value[FSK_A_DEST_RANGE]);
	fsk_json_uint("used", dest->used);
	if (dest->flag[FSK_A_DEST_SHARE]) {
		fsk_json_uint("share", dest->value[FSK_A_DEST_SHARE]);
		fsk_json_uint("free", fsk_dest_free(dest));
	}
	fsk_json_uint("own", dest->value[FSK_A_DEST_OWN]);
	fsk_json_uint("any", dest->value[FSK_A_DEST_ANY]);
	fsk_json_uint("probes", dest->value[FSK_A_DEST_PROBES]);
	fsk_json_uint("clashes", dest->value[FSK_A_DEST_CLASHES]);
	fsk_json_bool("used-up", dest->flag[FSK_A_DEST_USED_UP]);
	fsk_json_close('}');
}

static void fsk_dest_json(void *data)
{
	const struct fsk_dests *all = data;

	fsk_json_open(NULL, '{');
	fsk_json_str("rfd", fsk_rfd_mode_name(all->table.rest));
	fsk_json_bool("rfd-count", all->table.counts);
	fsk_json_open("interfaces", '[');
	for (size_t i = 0; i < all->table.count; i++)
		fsk_dest_json_interface(&all->table.rows[i]);
	fsk_json_close(']');
	fsk_json_open("destinations", '[');
	for (size_t i = 0; i < all->count; i++)
		fsk_dest_json_row(&all->dests[i]);
	fsk_json_close(']');
	fsk_json_open("total", '{');
	for (size_t i = 0; i < FSK_DEST_TOTALS; i++)
		fsk_json_uint(fsk_stat_names[fsk_dest_totals[i]].name,
			      all->total[fsk_dest_totals[i]]);
	fsk_json_close('}');
	fsk_json_close('}');
}

static int fsk_dest_read(struct fsk_nl *nl, void *data)
{
	struct fsk_dests *all = data;
	struct fsk_flows flows;
	int status;

	status = fsk_rfd_read(nl, &all->table);
	if (!status)
		status = fsk_nl_dump(nl, FSK_CMD_DEST_GET, FSK_A_DEST_MAX,
				     fsk_dest_take, all);
	if (!status)
		status = fsk_nl_dump(nl, FSK_CMD_STATS_GET, FSK_A_STATS_MAX,
				     fsk_dest_take_stats, all);
	if (status || !all->count)
		return status;
	status = fsk_diag_read(&flows, FSK_DEST_STATES);
	if (status)
		return status;
	for (size_t i = 0; i < all->count; i++)
		fsk_dest_count(&all->dests[i], &all->table, &flows);
	fsk_diag_free(&flows);
	fsk_dest_sort(all);
	return 0;
}

static void fsk_dest_reset(void *data)
{
	struct fsk_dests *all = data;

	free(all->dests);
	fsk_rfd_free(&all->table);
}

/**
 * fsk_cmd_show_rfd() - fastsocket show rfd [--all]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_show_rfd(int argc, char **argv)
{
	static const struct fsk_show show = {
		.read = fsk_dest_read,
		.text = fsk_dest_text,
		.json = fsk_dest_json,
		.reset = fsk_dest_reset,
	};
	struct fsk_dests all = { 0 };

	argc = fsk_words(argc, argv, 0, 0,
			 FSK_OPTIONS(FSK_FLAG("all", FSK_OPTION_LONG,
					      all.every)));
	return argc < 0 ? -1 - argc : fsk_show(&show, &all);
}
