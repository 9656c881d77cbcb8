// SPDX-License-Identifier: GPL-2.0
/* Words for settings, see tools/base/settings.c. */
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"

#include "../../tools/base/rfd.h"
#include "../../tools/base/settings.h"
#include "no_module.h"

int fsk_no_memory(void)
{
	abort();
}

void fsk_error(const char *format, ...)
{
}

static char why[FSK_SETTING_WHY];

/* The number that a word stands for, or -1. */
static long long put(const char *name, const char *word)
{
	struct fsk_values values = { 0 };
	int count = 0;

	if (fsk_values_put(&values, name, word, why) < 0)
		return -1;
	for (int i = 1; i <= FSK_A_CONFIG_MAX; i++)
		count += values.given[i];
	if (count != 1)
		return -2;
	for (int i = 1; i <= FSK_A_CONFIG_MAX; i++)
		if (values.given[i])
			return values.number[i];
	return -3;
}

TEST(settings__switch)
{
	static const char * const on[] = { "on", "yes", "true", "1" };
	static const char * const off[] = { "off", "no", "false", "0" };
	static const char * const names[] = {
		"vfs", "rfd-count", "established",
	};

	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 4; k++) {
			EXPECT_EQ(1, put(names[i], on[k]));
			EXPECT_EQ(0, put(names[i], off[k]));
		}
	EXPECT_EQ(-1, put("vfs", "On"));
	EXPECT_STREQ("vfs: 'On' is neither on nor off", why);
	EXPECT_EQ(-1, put("vfs", ""));
	EXPECT_EQ(-1, put("vfs", "2"));
}

TEST(settings__number)
{
	EXPECT_EQ(0, put("rescue-ms", "0"));
	EXPECT_EQ(60000, put("rescue-ms", "60000"));
	EXPECT_EQ(-1, put("rescue-ms", "60001"));
	EXPECT_STREQ("rescue-ms: 60001 is out of range, 0 to 60000", why);
	EXPECT_EQ(-1, put("rescue-ms", "99999999999999999999"));
	EXPECT_NE(NULL, strstr(why, "0 to 60000"));
	EXPECT_EQ(-1, put("rescue-ms", "-1"));
	EXPECT_STREQ("rescue-ms: '-1' is no number from 0 to 60000", why);
	EXPECT_EQ(-1, put("rescue-ms", "5x"));
	EXPECT_EQ(-1, put("rescue-ms", ""));
	EXPECT_EQ(-1, put("rescue-ms", " 5"));
	EXPECT_EQ(1, put("late-ms", "1"));
	EXPECT_EQ(10000, put("late-ms", "10000"));
	EXPECT_EQ(-1, put("late-ms", "0"));
	EXPECT_STREQ("late-ms: 0 is out of range, 1 to 10000", why);
	EXPECT_EQ(-1, put("late-ms", "x"));
	EXPECT_STREQ("late-ms: 'x' is no number from 1 to 10000", why);
	EXPECT_EQ(UINT32_MAX, put("established-after", "4294967295"));
	EXPECT_EQ(-1, put("established-after", "4294967296"));
	EXPECT_EQ(INT32_MAX, put("locals-max", "2147483647"));
	EXPECT_EQ(-1, put("locals-max", "2147483648"));
}

TEST(settings__mode)
{
	EXPECT_EQ(FSK_RFD_STEER, put("rfd", "steer"));
	EXPECT_EQ(FSK_RFD_OFF, put("rfd", "off"));
	EXPECT_EQ(-1, put("rfd", "rss"));
	EXPECT_NE(NULL, strstr(why, "single interfaces"));
	EXPECT_EQ(-1, put("rfd", "maskk"));
	EXPECT_NE(NULL, strstr(why, "did you mean 'mask'?"));
	EXPECT_EQ(-1, put("rfd", "nonsense"));
	EXPECT_NE(NULL, strstr(why, "only off, mask and steer"));
}

TEST(settings__name)
{
	EXPECT_EQ(-1, put("rescue", "5"));
	EXPECT_STREQ("there is no setting 'rescue', did you mean 'rescue-ms'?",
		     why);
	EXPECT_EQ(-1, put("nonsense", "5"));
	EXPECT_STREQ("there is no setting 'nonsense'", why);
}

TEST(settings__twice)
{
	struct fsk_values values = { 0 };

	EXPECT_EQ(FSK_A_CONFIG_VFS, fsk_values_put(&values, "vfs", "on", why));
	EXPECT_EQ(-1, fsk_values_put(&values, "vfs", "on", why));
	EXPECT_STREQ("vfs is given twice", why);
}

/* What `status` prints can be set. */
TEST(settings__words_come_back)
{
	const struct fsk_setting *setting;
	char word[16];

	for (setting = fsk_settings; setting->name; setting++)
		for (uint32_t i = setting->min; i < 2; i++)
			EXPECT_EQ(i, put(setting->name,
					 fsk_setting_word(setting, i, word,
							  sizeof(word))));
}

TEST_HARNESS_MAIN
