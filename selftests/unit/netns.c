// SPDX-License-Identifier: GPL-2.0
/* A walk through many network namespaces, see tools/base/netns.c. */
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "../../tools/base/netns.h"

#define MANY	20
#define ROOM	12	/* descriptors that one may have, and has some */

/* It belongs to nic.c, of which nothing else is needed. */
bool fsk_nic_netns;

FIXTURE(netns)
{
	pid_t pid[MANY];
};

/* Each process is in a namespace of its own, and says when it is. */
FIXTURE_SETUP(netns)
{
	int ready[2];
	char byte;

	if (geteuid())
		SKIP(return, "run as root");
	ASSERT_EQ(0, pipe(ready));
	for (int i = 0; i < MANY; i++) {
		self->pid[i] = fork();
		if (!self->pid[i]) {
			if (!unshare(CLONE_NEWNET) &&
			    write(ready[1], "", 1) == 1)
				pause();
			_exit(1);
		}
		EXPECT_EQ(1, read(ready[0], &byte, 1));
	}
	close(ready[0]);
	close(ready[1]);
}

FIXTURE_TEARDOWN(netns)
{
	for (int i = 0; i < MANY && self->pid[i] > 0; i++) {
		kill(self->pid[i], SIGKILL);
		waitpid(self->pid[i], NULL, 0);
	}
}

static int count(const struct fsk_netns *ns, void *data)
{
	++*(int *)data;
	return 0;
}

static int walk(rlim_t soft, rlim_t hard, int *seen)
{
	struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };

	*seen = 0;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return -1;
	return fsk_netns_each(count, seen);
}

TEST_F(netns, beyond_soft_limit)
{
	int seen;

	ASSERT_EQ(0, walk(ROOM, 1024, &seen));
	EXPECT_LE(MANY, seen);
}

/* Nobody is told of some as if they were all. */
TEST_F(netns, beyond_hard_limit)
{
	int seen;

	EXPECT_LT(0, walk(ROOM, ROOM, &seen));
	EXPECT_EQ(0, seen);
}

TEST_HARNESS_MAIN
