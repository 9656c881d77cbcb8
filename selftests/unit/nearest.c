// SPDX-License-Identifier: GPL-2.0
/* The name that a user meant, see tools/base/nearest.c. */
#include <string.h>

#include "kselftest_harness.h"

#include "../../tools/base/nearest.h"

static const char *meant(const char *word)
{
	static const char * const names[] = {
		"status", "set", "show", "established", "established-after",
		"rescue-ms", "rfd", "rfd-count", "vfs",
	};
	struct fsk_nearest nearest = { .word = word };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		fsk_nearest_try(&nearest, names[i]);
	return nearest.name ? nearest.name : "";
}

TEST(nearest__one_mistake)
{
	EXPECT_STREQ("status", meant("statxs"));
	EXPECT_STREQ("status", meant("statusx"));
	EXPECT_STREQ("status", meant("ststus"));
	EXPECT_STREQ("show", meant("shoow"));
	EXPECT_STREQ("vfs", meant("vsf"));
}

TEST(nearest__more_in_long_words)
{
	EXPECT_STREQ("established", meant("estabilshd"));
	EXPECT_STREQ("rescue-ms", meant("rescue_mss"));
	EXPECT_STREQ("", meant("shxx"));
}

TEST(nearest__beginning)
{
	EXPECT_STREQ("rescue-ms", meant("rescue"));
	EXPECT_STREQ("established", meant("est"));
	EXPECT_STREQ("rfd", meant("rf"));
	EXPECT_STREQ("", meant("x"));
}

TEST(nearest__none)
{
	char word[200];

	EXPECT_STREQ("", meant("nonsense"));
	EXPECT_STREQ("", meant(""));
	memset(word, 's', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	EXPECT_STREQ("", meant(word));
}

TEST(nearest__hint)
{
	struct fsk_nearest nearest = { .word = "sett" };

	EXPECT_STREQ("", fsk_nearest_hint(&nearest));
	fsk_nearest_try(&nearest, "set");
	EXPECT_STREQ(", did you mean 'set'?", fsk_nearest_hint(&nearest));
}

TEST_HARNESS_MAIN
