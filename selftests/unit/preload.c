// SPDX-License-Identifier: GPL-2.0
/* Who sets LD_PRELOAD, see tools/base/preload.c. The lines of a service's files
 * are given here.
 */
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "../../tools/base/preload.h"
#include "../../tools/base/service.h"
#include "../../tools/base/unit_files.h"

static const char * const *lines;

void fsk_unit_files_each(const struct fsk_service *unit, const char *name,
			 fsk_unit_files_take *take, void *data)
{
	char line[256];

	for (int i = 0; lines[i]; i++) {
		snprintf(line, sizeof(line), "%s", lines[i]);
		take(line, false, data);
	}
}

static const char *others(const char * const *given)
{
	static char text[FSK_PRELOAD_LIST];

	lines = given;
	fsk_preload_others(NULL, text);
	return text;
}

#define OTHERS(...) others((const char * const[]) { __VA_ARGS__, NULL })

TEST(preload__others)
{
	EXPECT_STREQ("", OTHERS("A=b", "LD_PRELOAD_X=c"));
	EXPECT_STREQ(":a.so", OTHERS("LD_PRELOAD=a.so"));
	EXPECT_STREQ(":a.so:b.so", OTHERS("A=b \"LD_PRELOAD=a.so b.so\" C=d"));
	EXPECT_STREQ(":a.so:b.so", OTHERS("LD_PRELOAD='a.so::b.so'"));
	EXPECT_STREQ(":/x/a.so",
		     OTHERS("LD_PRELOAD=/y/libfsocket.so:/x/a.so"));
}

/* In a line, as among lines, the last one counts. */
TEST(preload__last)
{
	EXPECT_STREQ(":b.so", OTHERS("LD_PRELOAD=a.so LD_PRELOAD=b.so"));
	EXPECT_STREQ(":b.so", OTHERS("LD_PRELOAD=a.so", "LD_PRELOAD=b.so"));
	EXPECT_STREQ(":a.so", OTHERS("LD_PRELOAD=a.so", "C=d"));
	EXPECT_STREQ("", OTHERS("LD_PRELOAD=a.so", "LD_PRELOAD="));
	/* An empty line takes back those before it, an empty word nothing. */
	EXPECT_STREQ("", OTHERS("LD_PRELOAD=a.so", ""));
	EXPECT_STREQ(":a.so", OTHERS("LD_PRELOAD=a.so", "\"\""));
}

static bool has(const char *line)
{
	char text[256];

	snprintf(text, sizeof(text), "%s", line);
	return fsk_preload_has(text, "/l/libfsocket.so");
}

TEST(preload__has)
{
	EXPECT_TRUE(has("LD_PRELOAD=/l/libfsocket.so"));
	EXPECT_TRUE(has("A=b \"LD_PRELOAD=a.so /l/libfsocket.so\""));
	EXPECT_FALSE(has(""));
	EXPECT_FALSE(has("LD_PRELOAD=/m/libfsocket.so"));
	EXPECT_FALSE(has("LD_PRELOAD=/l/libfsocket.so LD_PRELOAD=a.so"));
	EXPECT_FALSE(has("A=LD_PRELOAD=/l/libfsocket.so"));
}

static bool among(const char *words)
{
	char text[256];

	snprintf(text, sizeof(text), "%s", words);
	return fsk_preload_among(text);
}

TEST(preload__among)
{
	EXPECT_TRUE(among("A LD_PRELOAD"));
	EXPECT_TRUE(among("LD_PRELOAD=a.so B"));
	EXPECT_FALSE(among("LD_PRELOADS A"));
	EXPECT_FALSE(among(""));
}

TEST_HARNESS_MAIN
