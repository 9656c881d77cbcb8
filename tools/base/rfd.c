// SPDX-License-Identifier: MIT
/*
 * Receive flow delivery: reads what the module knows of interfaces, tells it
 * their modes, and finds the core for which a local port stands.
 */
#include "rfd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../../kmod/connect/toeplitz.h"
#include "array.h"
#include "error.h"
#include "nic.h"
#include "nl.h"

const char * const fsk_rfd_modes[] = {
	[FSK_RFD_OFF] = "off",
	[FSK_RFD_MASK] = "mask",
	[FSK_RFD_RSS] = "rss",
	[FSK_RFD_STEER] = "steer",
	[FSK_RFD_NTUPLE] = "ntuple",
	NULL
};

/**
 * fsk_rfd_mode_number() - find a mode by its name
 * @word: the name
 *
 * Return: enum fsk_rfd_mode, or -1.
 */
int fsk_rfd_mode_number(const char *word)
{
	for (int i = 0; fsk_rfd_modes[i]; i++)
		if (!strcmp(word, fsk_rfd_modes[i]))
			return i;
	return -1;
}

/**
 * fsk_rfd_mode_name() - the name of a mode
 * @mode: enum fsk_rfd_mode, or a mode of a later version
 *
 * Return: the name.
 */
const char *fsk_rfd_mode_name(unsigned int mode)
{
	return mode <= FSK_RFD_NTUPLE ? fsk_rfd_modes[mode] : "unknown";
}

static int fsk_rfd_take_config(const struct nlmsghdr *msg,
			       const struct nlattr **attrs, void *data)
{
	struct fsk_rfd_table *table = data;

	table->rest = fsk_nl_uint(attrs[FSK_A_CONFIG_RFD]);
	table->counts = fsk_nl_uint(attrs[FSK_A_CONFIG_RFD_COUNT]);
	return 0;
}

static void fsk_rfd_row_fill(struct fsk_rfd_row *row,
			     const struct nlattr **attrs)
{
	const struct nlattr *table = attrs[FSK_A_RFD_TABLE];
	const struct nlattr *key = attrs[FSK_A_RFD_KEY];
	size_t len;

	row->ifindex = fsk_nl_uint(attrs[FSK_A_RFD_IFINDEX]);
	row->mode = fsk_nl_uint(attrs[FSK_A_RFD_MODE]);
	row->hash = fsk_nl_uint(attrs[FSK_A_RFD_HASH]);
	len = key ? mnl_attr_get_payload_len(key) : 0;
	if (len && len <= sizeof(row->key)) {
		memcpy(row->key, mnl_attr_get_payload(key), len);
		row->key_len = len;
	}
	len = table ? mnl_attr_get_payload_len(table) : 0;
	if (len && len <= sizeof(row->table)) {
		memcpy(row->table, mnl_attr_get_payload(table), len);
		row->table_len = len / sizeof(*row->table);
	}
}

static int fsk_rfd_take(const struct nlmsghdr *msg,
			const struct nlattr **attrs, void *data)
{
	struct fsk_rfd_table *table = data;
	struct fsk_rfd_row *rows;

	if (!msg) {
		fsk_rfd_free(table);
		return 0;
	}
	rows = fsk_array_grow(table->rows, table->count, sizeof(*rows));
	if (!rows)
		return fsk_no_memory();
	table->rows = rows;
	fsk_rfd_row_fill(&rows[table->count++], attrs);
	return 0;
}

/**
 * fsk_rfd_read() - read what the module knows of interfaces
 * @nl: the socket
 * @table: filled in; the caller gives it to fsk_rfd_free()
 *
 * Return: exit status.
 */
int fsk_rfd_read(struct fsk_nl *nl, struct fsk_rfd_table *table)
{
	int status;

	memset(table, 0, sizeof(*table));
	status = fsk_nl_dump(nl, FSK_CMD_RFD_GET, FSK_A_RFD_MAX, fsk_rfd_take,
			     table);
	if (status)
		return status;
	return fsk_nl_do(nl, fsk_nl_message(nl, FSK_CMD_CONFIG_GET),
			 FSK_A_CONFIG_MAX, fsk_rfd_take_config, table);
}

/**
 * fsk_rfd_free() - free what fsk_rfd_read() read
 * @table: from fsk_rfd_read()
 */
void fsk_rfd_free(struct fsk_rfd_table *table)
{
	free(table->rows);
	table->rows = NULL;
	table->count = 0;
}

/**
 * fsk_rfd_find() - find an interface that has a mode of its own
 * @table: from fsk_rfd_read()
 * @ifindex: the interface
 *
 * Return: what the module knows of it, or %NULL.
 */
const struct fsk_rfd_row *fsk_rfd_find(const struct fsk_rfd_table *table,
				       uint32_t ifindex)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].ifindex == ifindex)
			return &table->rows[i];
	return NULL;
}

/**
 * fsk_rfd_send_mode() - tell the module the mode of an interface
 * @nl: the socket
 * @ifindex: the interface
 * @mode: enum fsk_rfd_mode
 * @nic: the same interface as fsk_nic_read() read it, for rss mode
 *
 * Return: exit status.
 */
int fsk_rfd_send_mode(struct fsk_nl *nl, uint32_t ifindex, unsigned int mode,
		      const struct fsk_nic *nic)
{
	struct nlmsghdr *msg = fsk_nl_message(nl, FSK_CMD_RFD_SET);

	mnl_attr_put_u32(msg, FSK_A_RFD_IFINDEX, ifindex);
	mnl_attr_put_u8(msg, FSK_A_RFD_MODE, mode);
	if (mode == FSK_RFD_RSS) {
		mnl_attr_put(msg, FSK_A_RFD_KEY, nic->key_len, nic->key);
		mnl_attr_put(msg, FSK_A_RFD_TABLE,
			     nic->table_len * sizeof(*nic->table), nic->table);
		mnl_attr_put_u32(msg, FSK_A_RFD_HASH, nic->hash);
	}
	return fsk_nl_do(nl, msg, 0, NULL, NULL);
}

/**
 * fsk_rfd_send_del() - let the module forget the mode of an interface
 * @nl: the socket
 * @ifindex: the interface
 *
 * Return: exit status.
 */
int fsk_rfd_send_del(struct fsk_nl *nl, uint32_t ifindex)
{
	struct nlmsghdr *msg = fsk_nl_message(nl, FSK_CMD_RFD_DEL);

	mnl_attr_put_u32(msg, FSK_A_RFD_IFINDEX, ifindex);
	return fsk_nl_do(nl, msg, 0, NULL, NULL);
}

/* The hash by which a packet of this connection comes in. */
static uint32_t fsk_rfd_hash(const struct fsk_rfd_row *row,
			     const struct fsk_flow *flow)
{
	size_t size = flow->family == AF_INET ? 4 : 16;
	uint8_t data[36];

	memcpy(data, flow->remote, size);
	memcpy(data + size, flow->local, size);
	data[2 * size] = flow->rport >> 8;
	data[2 * size + 1] = flow->rport;
	data[2 * size + 2] = flow->lport >> 8;
	data[2 * size + 3] = flow->lport;
	return fsk_toeplitz(row->key, data, 2 * size + 4);
}

/**
 * fsk_rfd_core() - the core for which a connection's local port stands
 * @table: from fsk_rfd_read()
 * @ifindex: the interface on which replies come in
 * @flow: the connection
 *
 * Return: the core, or FSK_RFD_NO_CORE.
 */
uint32_t fsk_rfd_core(const struct fsk_rfd_table *table, uint32_t ifindex,
		      const struct fsk_flow *flow)
{
	const struct fsk_rfd_row *row = fsk_rfd_find(table, ifindex);
	uint32_t hash = flow->family == AF_INET ? FSK_RFD_HASH_TCP4 :
						  FSK_RFD_HASH_TCP6;

	switch (row ? row->mode : table->rest) {
	case FSK_RFD_MASK:
	case FSK_RFD_STEER:
	case FSK_RFD_NTUPLE:
		return flow->lport & fsk_nic_port_mask();
	case FSK_RFD_RSS:
		if (!row || row->key_len < FSK_RFD_KEY_MIN || !row->table_len)
			return FSK_RFD_NO_CORE;
		/* For other packets than these the module uses the mask. */
		if (!(row->hash & hash))
			return flow->lport & fsk_nic_port_mask();
		return row->table[fsk_rfd_hash(row, flow) &
				  (row->table_len - 1)];
	default:
		return FSK_RFD_NO_CORE;
	}
}
