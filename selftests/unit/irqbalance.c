// SPDX-License-Identifier: GPL-2.0
/* Who is taken for irqbalance, see tools/base/irqbalance.c. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "../../tools/base/irqbalance.h"

#define NOBODY	65534

/* This program has the name itself. */
static void __attribute__((constructor)) other_name(void)
{
	prctl(PR_SET_NAME, "unit");
}

FIXTURE(irqbalance)
{
	pid_t pid;
	int ready[2];
};

FIXTURE_SETUP(irqbalance)
{
	self->pid = 0;
	if (geteuid())
		SKIP(return, "run as root");
	ASSERT_EQ(0, pipe(self->ready));
}

FIXTURE_TEARDOWN(irqbalance)
{
	if (self->pid <= 0)
		return;
	kill(self->pid, SIGKILL);
	waitpid(self->pid, NULL, 0);
}

/* A process of that name, whose socket answers whoever asks. */
static void serve(int ready)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), one, len;
	char request[64];

	len = snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1,
		       "irqbalance%d.sock", getpid());
	len += offsetof(struct sockaddr_un, sun_path) + 1;
	prctl(PR_SET_NAME, "irqbalance");
	if (bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 1) ||
	    write(ready, "", 1) != 1)
		_exit(1);
	for (;;) {
		one = accept(fd, NULL, NULL);
		if (read(one, request, sizeof(request)) <= 0 ||
		    write(one, "SLEEP 10 IRQ 7 LOAD 0", 21) != 21)
			_exit(1);
		close(one);
	}
}

static bool start(int *ready, pid_t *pid, uid_t user)
{
	char byte;

	*pid = fork();
	if (!*pid) {
		if (setresuid(user, user, user))
			_exit(1);
		serve(ready[1]);
	}
	return *pid > 0 && read(ready[0], &byte, 1) == 1;
}

/* What the one of this number leaves alone, wherever a real one may be. */
static int ask(pid_t pid, bool *has)
{
	struct fsk_irqbalance balance = { .pid = pid };
	int err, len;

	balance.addr.sun_family = AF_UNIX;
	len = snprintf(balance.addr.sun_path + 1, 64, "irqbalance%d.sock",
		       pid);
	balance.addr_len = offsetof(struct sockaddr_un, sun_path) + 1 + len;
	err = fsk_irqbalance_read(&balance);
	*has = fsk_irqbalance_has(&balance, 7);
	fsk_irqbalance_free(&balance);
	return err;
}

TEST_F(irqbalance, roots)
{
	struct fsk_irqbalance balance;
	bool has;

	ASSERT_TRUE(start(self->ready, &self->pid, 0));
	EXPECT_TRUE(fsk_irqbalance_find(&balance));
	EXPECT_EQ(0, ask(self->pid, &has));
	EXPECT_TRUE(has);
}

/* Any user may call a program so. */
TEST_F(irqbalance, of_another_user)
{
	struct fsk_irqbalance balance;

	ASSERT_TRUE(start(self->ready, &self->pid, NOBODY));
	fsk_irqbalance_find(&balance);
	EXPECT_NE(self->pid, balance.pid);
}

/* Any user may take the name of its socket. */
TEST_F(irqbalance, socket_of_another_user)
{
	bool has;

	ASSERT_TRUE(start(self->ready, &self->pid, NOBODY));
	EXPECT_EQ(EPERM, ask(self->pid, &has));
	EXPECT_FALSE(has);
}

TEST_HARNESS_MAIN
