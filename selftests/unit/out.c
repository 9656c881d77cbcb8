// SPDX-License-Identifier: GPL-2.0
/* Tables and JSON, see tools/base/out.c. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "text.h"

#include "../../tools/base/out.h"

/* What @print writes to standard output. */
static void capture(void (*print)(void), char *text, size_t size)
{
	FILE *file = tmpfile();
	int saved;

	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	print();
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	text_of(file, text, size);
	fclose(file);
}

static void print_table(void)
{
	struct fsk_table *table = fsk_table_create(3);

	fsk_table_put(table, "NAME");
	fsk_table_put(table, "N");
	fsk_table_put(table, "LAST");
	fsk_table_put(table, "%s", "a");
	fsk_table_put(table, "%d", 1234);
	fsk_table_put(table, "x");
	fsk_table_print(table, "lrl");
}

TEST(table__columns_line_up)
{
	char text[256];

	capture(print_table, text, sizeof(text));
	EXPECT_STREQ("NAME     N  LAST\n"
		     "a     1234  x\n", text);
}

static void print_no_rows(void)
{
	fsk_table_print(fsk_table_create(3), "l");
}

TEST(table__empty)
{
	char text[256];

	capture(print_no_rows, text, sizeof(text));
	EXPECT_STREQ("", text);
}

static void print_json(void)
{
	fsk_json_open(NULL, '{');
	fsk_json_str("a\"\\\n", "\x01\xe4");
	fsk_json_open("list", '[');
	fsk_json_uint(NULL, 18446744073709551615ULL);
	fsk_json_bool(NULL, true);
	fsk_json_open(NULL, '{');
	fsk_json_close('}');
	fsk_json_close(']');
	fsk_json_open("none", '[');
	fsk_json_close(']');
	fsk_json_close('}');
}

TEST(json__nested_and_quoted)
{
	char text[256];

	capture(print_json, text, sizeof(text));
	EXPECT_STREQ("{\n"
		     "  \"a\\\"\\\\\\u000a\": \"\\u0001\\u00e4\",\n"
		     "  \"list\": [\n"
		     "    18446744073709551615,\n"
		     "    true,\n"
		     "    {}\n"
		     "  ],\n"
		     "  \"none\": []\n"
		     "}\n", text);
}

static void print_empty(void)
{
	fsk_json_open(NULL, '[');
	fsk_json_close(']');
}

TEST(json__empty)
{
	char text[256];

	capture(print_empty, text, sizeof(text));
	EXPECT_STREQ("[]\n", text);
}

static void print_twice(void)
{
	print_empty();
	fsk_json_open(NULL, '{');
	fsk_json_bool("a", true);
	fsk_json_close('}');
	print_empty();
}

/* Each is a value of its own: nothing stands between them. */
TEST(json__documents)
{
	char text[256];

	capture(print_twice, text, sizeof(text));
	EXPECT_STREQ("[]\n{\n  \"a\": true\n}\n[]\n", text);
}

TEST_HARNESS_MAIN
