// SPDX-License-Identifier: GPL-2.0
/* Control groups that are selected, see tools/base/selected.c. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kselftest_harness.h"

#include <linux/fastsocket.h>

#include "fake_module.h"

static int test_stat(const char *path, struct stat *user);

#define stat(path, user) test_stat(path, user)
#include "../../tools/base/selected.c"

static bool inside;	/* a user namespace */

static int test_stat(const char *path, struct stat *user)
{
	user->st_ino = inside ? 4026532000 : 0xeffffffd;
	return 0;
}

struct fsk_nl *fsk_nl_try(bool *away)
{
	*away = false;
	return (struct fsk_nl *)asked;
}

void fsk_nl_close(struct fsk_nl *nl)
{
}

int fsk_no_memory(void)
{
	abort();
}

static int set(const char *path, bool selected, int err)
{
	refuses = err;
	return fsk_selected_set(NULL, path, selected);
}

/* The configuration says the same at each start. What others select and remove
 * meanwhile does not matter.
 */
TEST(set__as_it_is)
{
	char want[64];

	EXPECT_EQ(0, set("/a", false, 0));
	EXPECT_EQ(0, set("/c", true, 0));
	snprintf(want, sizeof(want), "%u /a\n%u /c\n", FSK_CMD_CGROUP_DEL,
		 FSK_CMD_CGROUP_ADD);
	EXPECT_STREQ(want, asked);
	EXPECT_EQ(0, set("/b", true, EEXIST));
	EXPECT_EQ(0, set("/c", false, ENOENT));
	EXPECT_EQ(2, set("/d", true, ENOSPC));
	forget_answers();
}

/* What can't be selected is off. */
TEST(set__off_where_none_can)
{
	EXPECT_EQ(0, set("/a", false, EOPNOTSUPP));
	EXPECT_EQ(2, set("/a", true, EOPNOTSUPP));
	EXPECT_EQ(2, set("/a", false, EPERM));
	inside = true;
	EXPECT_EQ(0, set("/a", false, EPERM));
	EXPECT_EQ(2, set("/a", true, EPERM));
	inside = false;
	forget_answers();
}

/* Somebody else may remove a group after the list was read. */
TEST(forget__gone)
{
	char want[64];

	mnl_attr_put_strz(answer(FSK_CMD_CGROUP_GET), FSK_A_CGROUP_PATH,
			  "/x/app@1.service");
	mnl_attr_put_strz(answer(FSK_CMD_CGROUP_GET), FSK_A_CGROUP_PATH,
			  "/x/app.service");
	refuses = ENOENT;
	EXPECT_EQ(0, fsk_selected_forget("app@.service"));
	snprintf(want, sizeof(want), "%u /x/app@1.service\n",
		 FSK_CMD_CGROUP_DEL);
	EXPECT_STREQ(want, asked);
	forget_answers();
}

TEST_HARNESS_MAIN
