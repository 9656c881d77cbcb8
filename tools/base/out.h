/* SPDX-License-Identifier: MIT */
#ifndef FSK_OUT_H
#define FSK_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fsk_table;

struct fsk_table *fsk_table_create(int columns);
void fsk_table_put(struct fsk_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void fsk_table_put_addr(struct fsk_table *table, int family, const void *addr,
			unsigned int port);
void fsk_table_print(struct fsk_table *table, const char *align);

/* -j was given. Constant once the command line is read. */
extern bool fsk_json;
/* Addresses are left out, as for strangers' eyes. */
extern bool fsk_json_hide;

void fsk_json_open(const char *key, char bracket);
void fsk_json_close(char bracket);
void fsk_json_str(const char *key, const char *value);
void fsk_json_addr(const char *key, int family, const void *addr);
void fsk_json_uint(const char *key, uint64_t value);
void fsk_json_double(const char *key, double value);
void fsk_json_hex(const char *key, const unsigned char *bytes, size_t len);
void fsk_json_bool(const char *key, bool value);

#endif
