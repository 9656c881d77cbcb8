/* SPDX-License-Identifier: MIT */
#ifndef FSK_OUT_H
#define FSK_OUT_H

#include <stdbool.h>
#include <stdint.h>

struct fsk_table;

struct fsk_table *fsk_table_create(int columns);
void fsk_table_put(struct fsk_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void fsk_table_print(struct fsk_table *table, const char *align);

void fsk_json_open(const char *key, char bracket);
void fsk_json_close(char bracket);
void fsk_json_str(const char *key, const char *value);
void fsk_json_uint(const char *key, uint64_t value);
void fsk_json_bool(const char *key, bool value);

#endif
