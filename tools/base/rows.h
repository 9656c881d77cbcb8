/* SPDX-License-Identifier: MIT */
#ifndef FSK_ROWS_H
#define FSK_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/fastsocket.h>

#define FSK_ROW_NAME	80	/* bytes: "[address]%device:port" fits */

/**
 * struct fsk_row - what the module tells of a listener, or of one of its queues
 * @value: numbers, by attribute
 * @flag: whether the attribute was there
 * @addr: the local address, network byte order
 * @bypass: the option that makes the module leave the listener alone
 */
struct fsk_row {
	uint64_t value[FSK_A_LISTEN_MAX + 1];
	bool flag[FSK_A_LISTEN_MAX + 1];
	unsigned char addr[16];
	char bypass[64];
};

/**
 * struct fsk_rows - all rows
 * @count: of @rows
 * @rows: in the module's order: an application's row, then its queues'
 */
struct fsk_rows {
	size_t count;
	struct fsk_row *rows;
};

void fsk_rows_reset(struct fsk_rows *rows);
bool fsk_row_is_app(const struct fsk_row *row);
const char *fsk_row_addr(const struct fsk_row *row, char *text, size_t size);
const char *fsk_row_name(const struct fsk_row *row, char *name);
const char *fsk_row_state(const struct fsk_row *row);

#endif
