// SPDX-License-Identifier: GPL-2.0
/* Control groups that are selected, see tools/base/selected.c. */
#include <stdio.h>

#include "kselftest_harness.h"

#include <linux/fastsocket.h>

#include "../../tools/base/selected.h"
#include "fake_module.h"

struct fsk_nl *fsk_nl_try(bool *away)
{
	abort();
}

void fsk_nl_close(struct fsk_nl *nl)
{
}

int fsk_no_memory(void)
{
	abort();
}

/* The configuration says the same at each start. */
TEST(set__as_it_is)
{
	char want[64];

	mnl_attr_put_strz(answer(FSK_CMD_CGROUP_GET), FSK_A_CGROUP_PATH, "/a");
	mnl_attr_put_strz(answer(FSK_CMD_CGROUP_GET), FSK_A_CGROUP_PATH, "/b");
	EXPECT_EQ(0, fsk_selected_set(NULL, "/b", true));
	EXPECT_EQ(0, fsk_selected_set(NULL, "/c", false));
	EXPECT_EQ(0, fsk_selected_set(NULL, "/b/c", false));
	EXPECT_STREQ("", asked);
	EXPECT_EQ(0, fsk_selected_set(NULL, "/a", false));
	EXPECT_EQ(0, fsk_selected_set(NULL, "/c", true));
	snprintf(want, sizeof(want), "%u /a\n%u /c\n", FSK_CMD_CGROUP_DEL,
		 FSK_CMD_CGROUP_ADD);
	EXPECT_STREQ(want, asked);
	forget_answers();
}

TEST_HARNESS_MAIN
