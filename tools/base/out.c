// SPDX-License-Identifier: MIT
/* Prints tables whose columns line up, and JSON. */
#include "out.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fsk_json;
bool fsk_json_hide;

/**
 * struct fsk_table - a table that is being filled, cell by cell
 * @columns: of each row
 * @count: cells that are filled
 * @room: cells for which there is memory
 * @cells: row by row
 */
struct fsk_table {
	int columns;
	size_t count;
	size_t room;
	char **cells;
};

static void *fsk_out_memory(void *memory)
{
	if (memory)
		return memory;
	fputs("fastsocket: no memory\n", stderr);
	exit(2);
}

/**
 * fsk_table_create() - begin a table
 * @columns: of each row
 *
 * Return: the table, which fsk_table_print() frees.
 */
struct fsk_table *fsk_table_create(int columns)
{
	struct fsk_table *table = fsk_out_memory(calloc(1, sizeof(*table)));

	table->columns = columns;
	return table;
}

/**
 * fsk_table_put() - fill the next cell
 * @table: the table
 * @format: as for printf()
 */
void fsk_table_put(struct fsk_table *table, const char *format, ...)
{
	va_list args;
	char *cell;

	if (table->count == table->room) {
		table->room = 2 * table->room + 64;
		table->cells = realloc(table->cells,
				       table->room * sizeof(*table->cells));
		fsk_out_memory(table->cells);
	}
	va_start(args, format);
	if (vasprintf(&cell, format, args) < 0)
		cell = fsk_out_memory(NULL);
	va_end(args);
	table->cells[table->count++] = cell;
}

static const char *fsk_out_addr(int family, const void *addr, char *text)
{
	return inet_ntop(family, addr, text, INET6_ADDRSTRLEN) ? text : "?";
}

/**
 * fsk_table_put_addr() - fill the next cell with an address and port
 * @table: the table
 * @family: AF_INET or AF_INET6
 * @addr: network byte order
 * @port: host byte order
 */
void fsk_table_put_addr(struct fsk_table *table, int family, const void *addr,
			unsigned int port)
{
	char text[INET6_ADDRSTRLEN];

	fsk_table_put(table, family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		      fsk_out_addr(family, addr, text), port);
}

static int fsk_table_width(const struct fsk_table *table, int column)
{
	int len, width = 0;

	for (size_t i = column; i < table->count; i += table->columns) {
		len = strlen(table->cells[i]);
		width = len > width ? len : width;
	}
	return width;
}

/**
 * fsk_table_print() - print a table and free it
 * @table: the table
 * @align: 'l' or 'r' for each column; the last character is for all others
 */
void fsk_table_print(struct fsk_table *table, const char *align)
{
	int widths[table->columns];
	int column, width;

	for (column = 0; column < table->columns; column++) {
		width = fsk_table_width(table, column);
		widths[column] = *align == 'l' ? -width : width;
		align += !!align[1];
	}
	for (size_t i = 0; i < table->count; i++) {
		column = i % table->columns;
		width = widths[column];
		if (column == table->columns - 1 && width < 0)
			width = 0;
		printf("%*s%s", width, table->cells[i],
		       column == table->columns - 1 ? "\n" : "  ");
		free(table->cells[i]);
	}
	free(table->cells);
	free(table);
}

/* JSON. Its state is how deep the output is, and whether a comma is due. */
static int fsk_json_depth;
static bool fsk_json_comma;

/* A device may have any name: bytes beyond ASCII may be no valid UTF-8. */
static void fsk_json_text(const char *text)
{
	unsigned char c;

	putchar('"');
	for (; *text; text++) {
		c = *text;
		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void fsk_json_key(const char *key)
{
	if (fsk_json_comma)
		putchar(',');
	if (fsk_json_depth)
		printf("\n%*s", 2 * fsk_json_depth, "");
	if (key) {
		fsk_json_text(key);
		printf(": ");
	}
	fsk_json_comma = true;
}

/**
 * fsk_json_open() - begin an object or an array
 * @key: its name in an object, %NULL in an array and at the top
 * @bracket: '{' or '['
 */
void fsk_json_open(const char *key, char bracket)
{
	fsk_json_key(key);
	putchar(bracket);
	fsk_json_depth++;
	fsk_json_comma = false;
}

/**
 * fsk_json_close() - end an object or an array
 * @bracket: '}' or ']'
 */
void fsk_json_close(char bracket)
{
	fsk_json_depth--;
	if (fsk_json_comma)
		printf("\n%*s", 2 * fsk_json_depth, "");
	putchar(bracket);
	/* At the top the next one is a document of its own. */
	fsk_json_comma = fsk_json_depth > 0;
	if (!fsk_json_depth)
		putchar('\n');
}

/**
 * fsk_json_str() - a string
 * @key: its name, or %NULL in an array
 * @value: the string
 */
void fsk_json_str(const char *key, const char *value)
{
	fsk_json_key(key);
	fsk_json_text(value);
}

/**
 * fsk_json_addr() - an address, as a string
 * @key: its name, or %NULL in an array
 * @family: AF_INET or AF_INET6
 * @addr: network byte order
 */
void fsk_json_addr(const char *key, int family, const void *addr)
{
	char text[INET6_ADDRSTRLEN];

	fsk_json_str(key, fsk_json_hide ? "hidden" :
		     fsk_out_addr(family, addr, text));
}

/**
 * fsk_json_uint() - a number
 * @key: its name, or %NULL in an array
 * @value: the number
 */
void fsk_json_uint(const char *key, uint64_t value)
{
	fsk_json_key(key);
	printf("%llu", (unsigned long long)value);
}

/**
 * fsk_json_double() - a number with decimals
 * @key: its name, or %NULL in an array
 * @value: the value, finite
 */
void fsk_json_double(const char *key, double value)
{
	fsk_json_key(key);
	printf("%.3f", value);
}

/**
 * fsk_json_bool() - true or false
 * @key: its name, or %NULL in an array
 * @value: the value
 */
void fsk_json_bool(const char *key, bool value)
{
	fsk_json_key(key);
	fputs(value ? "true" : "false", stdout);
}

/**
 * fsk_json_hex() - bytes, as a string of hexadecimal digits
 * @key: its name, or %NULL in an array
 * @bytes: the bytes
 * @len: how many
 */
void fsk_json_hex(const char *key, const unsigned char *bytes, size_t len)
{
	fsk_json_key(key);
	putchar('"');
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	putchar('"');
}
