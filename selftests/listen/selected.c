// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners of selected control groups join by themselves, others do not.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <linux/fastsocket.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "counters.h"
#include "groups.h"
#include "support.h"
#include "workers.h"

#define GROUP	"fsk-selected"
#define INNER	GROUP "/inner"
#define OTHER	GROUP "2"	/* whose name begins alike */
#define CPUS	4
#define EACH	10
#define ROUNDS	100

FIXTURE(selected) {
	struct trial trial;	/* without the library */
	char root[GROUPS_ROOT];
	struct crew crew;
};

TRIAL_VARIANTS(selected);

static const char *const groups[] = { GROUP, INNER, OTHER };

FIXTURE_SETUP(selected)
{
	int i, fd, err;

	self->trial = variant->trial;
	self->trial.join = false;
	ASSERT_EQ(0, net_enter());
	/* An emulated worker may take longer than the default. */
	ASSERT_EQ(0, rescue_set_ms(FSK_RESCUE_MS_MAX));
	ASSERT_EQ(0, groups_mount(self->root));
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		fd = group_make(self->root, groups[i]);
		ASSERT_LE(0, fd);
		close(fd);
	}
	ASSERT_EQ(0, crew_make(&self->crew));
	/* A test that took too long has left it. */
	group_deselect("/" GROUP);
	err = group_select("/" GROUP);
	if (err == -EOPNOTSUPP)
		SKIP(return, "modules may not call task_work_add() here");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(selected)
{
	int i;

	crew_end(&self->crew);
	group_deselect("/" GROUP);
	group_enter(self->root, ".");
	for (i = ARRAY_SIZE(groups) - 1; i >= 0; i--)
		group_remove(self->root, groups[i]);
	groups_unmount(self->root);
	unpin();
}

/* Listens in a control group. Return: 1 if it joined, 0 if not, or an errno. */
static int joins_in(FIXTURE_DATA(selected) *self, const char *dir)
{
	int err = group_enter(self->root, dir);
	int fd = err ? -1 : sock_listen(&self->trial, 16);
	bool yes = fd >= 0 && joined(fd);

	if (fd < 0)
		return err ? err : -errno;
	close(fd);
	return yes;
}

TEST_F(selected, group__those_in_and_below_it)
{
	struct group_row row = { .path = "/" GROUP };

	EXPECT_EQ(0, joins_in(self, "."));
	EXPECT_EQ(1, joins_in(self, GROUP));
	EXPECT_EQ(1, joins_in(self, INNER));
	EXPECT_EQ(0, joins_in(self, OTHER));
	EXPECT_EQ(0, group_get(&row));
	EXPECT_TRUE(row.found);
	EXPECT_EQ(2, row.joined);
	EXPECT_EQ(0, row.refused);

	ASSERT_EQ(0, group_deselect("/" GROUP));
	EXPECT_EQ(0, joins_in(self, GROUP));
	EXPECT_EQ(0, group_get(&row));
	EXPECT_FALSE(row.found);
	/* Of the same path, made again, as a service manager does. */
	ASSERT_EQ(0, group_enter(self->root, "."));
	ASSERT_EQ(0, group_select("/" INNER));
	group_remove(self->root, INNER);
	ASSERT_LE(0, group_make(self->root, INNER));
	EXPECT_EQ(1, joins_in(self, INNER));
	EXPECT_EQ(0, joins_in(self, GROUP));
	EXPECT_EQ(0, group_deselect("/" INNER));
}

TEST_F(selected, group__all_of_the_machine)
{
	ASSERT_EQ(0, group_select("/"));
	EXPECT_EQ(1, joins_in(self, "."));
	EXPECT_EQ(1, joins_in(self, OTHER));
	EXPECT_EQ(0, group_deselect("/"));
	EXPECT_EQ(0, joins_in(self, OTHER));
}

/* Each worker waits after it joined, and so has its queue from the first. */
TEST_F(selected, workers__are_served_near)
{
	int i, cpu, fd;

	ASSERT_EQ(0, group_enter(self->root, GROUP));
	fd = sock_listen(&self->trial, 64);
	ASSERT_LE(0, fd);
	for (cpu = 0; cpu < CPUS; cpu++)
		crew_add(&self->crew, fd, BY_EPOLL_LEVEL, cpu);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(until(mapped(sock_port(fd), CPUS)));
	for (i = 0; i < EACH; i++)
		for (cpu = 0; cpu < CPUS; cpu++) {
			ASSERT_EQ(0, pin(cpu));
			EXPECT_EQ(cpu, ask(&self->trial, sock_port(fd)));
		}
	EXPECT_EQ(CPUS * EACH, count(FSK_STAT_ACCEPT_LOCAL));
}

/* The library was there first, or another ULP; a socket that stopped. */
TEST_F(selected, listener__not_ours_to_join)
{
	struct group_row row = { .path = "/" GROUP };
	int fd;

	ASSERT_EQ(0, group_enter(self->root, GROUP));
	fd = sock_make(&self->trial);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sock_bind(&self->trial, fd, 0));
	ASSERT_EQ(0, join(fd));
	EXPECT_EQ(0, listen(fd, 16));
	EXPECT_TRUE(joined(fd));
	/* A second listen() changes the backlog, and no state. */
	EXPECT_EQ(0, listen(fd, 32));
	EXPECT_EQ(0, group_get(&row));
	EXPECT_EQ(0, row.joined);
	EXPECT_EQ(0, row.refused);
	/* One that listens again joins again. */
	fd = sock_listen(&self->trial, 16);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, shutdown(fd, SHUT_RD));
	EXPECT_EQ(0, listen(fd, 16));
	EXPECT_TRUE(joined(fd));
	EXPECT_EQ(0, group_get(&row));
	EXPECT_EQ(1, row.joined);
}

TEST_F(selected, request__errors)
{
	struct group_row row = { .path = "/" OTHER };
	pid_t pid;

	EXPECT_EQ(-EINVAL, group_select(NULL));
	EXPECT_EQ(-EINVAL, group_select(""));
	EXPECT_EQ(-EINVAL, group_select("no/slash"));
	EXPECT_EQ(-EINVAL, group_select("/a/"));
	EXPECT_EQ(-EINVAL, group_select("//"));
	EXPECT_EQ(-EINVAL, group_deselect("/a//b"));
	EXPECT_EQ(-EEXIST, group_select("/" GROUP));
	EXPECT_EQ(-ENOENT, group_deselect("/" OTHER));
	/* It holds for the machine, so it is not for a container's root. */
	pid = fork_child();
	if (!pid)
		_exit(unshare(CLONE_NEWUSER) ||
		      group_select("/" OTHER) != -EPERM ||
		      group_deselect("/" GROUP) != -EPERM ||
		      group_get(&row) != -EPERM || row.found);
	EXPECT_EQ(0, reap(pid));
}

static int rows_left(void)
{
	struct core_row row;

	return rows_get(&row, 1);
}

/* What is put off, raced against what ends it. */

/* Exits as soon as it listens: the join that was put off, or the exit. */
TEST_F(selected, race__exit)
{
	pid_t pid;
	int i;

	ASSERT_EQ(0, group_enter(self->root, GROUP));
	for (i = 0; i < ROUNDS; i++) {
		pid = fork_child();
		if (!pid) {
			pid_t self_pid = getpid();

			if (!fork()) {
				kill(self_pid, SIGKILL);
				_exit(0);
			}
			_exit(sock_listen(&self->trial, 16) < 0);
		}
		reap(pid);
	}
	EXPECT_TRUE(until(!rows_left()));
}

struct closer {
	volatile int fd;
	volatile bool end;
};

static void *close_always(void *arg)
{
	struct closer *closer = arg;
	int fd;

	while (!closer->end) {
		fd = closer->fd;
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* Another thread closes the descriptor while listen() is under way. */
TEST_F(selected, race__close)
{
	struct closer closer = { .fd = -1 };
	pthread_t thread;
	int i, fd;

	ASSERT_EQ(0, group_enter(self->root, GROUP));
	ASSERT_EQ(0, pthread_create(&thread, NULL, close_always, &closer));
	for (i = 0; i < ROUNDS; i++) {
		fd = sock_make(&self->trial);
		if (fd < 0)
			continue;
		sock_bind(&self->trial, fd, 0);
		closer.fd = fd;
		listen(fd, 16);
		closer.fd = -1;
		close(fd);
	}
	closer.end = true;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(until(!rows_left()));
}

static pid_t listener_start(FIXTURE_DATA(selected) *self)
{
	pid_t pid = fork_child();
	int fd;

	if (pid)
		return pid;
	for (;;) {
		fd = sock_listen(&self->trial, 16);
		if (fd >= 0)
			close(fd);
	}
}

/* The probe comes and goes while others listen. */
TEST_F(selected, race__deselect)
{
	pid_t pid[2];
	int i;

	ASSERT_EQ(0, group_enter(self->root, GROUP));
	pid[0] = listener_start(self);
	pid[1] = listener_start(self);
	for (i = 0; i < ROUNDS / 5; i++) {
		EXPECT_EQ(0, group_deselect("/" GROUP));
		EXPECT_EQ(0, group_select("/" GROUP));
	}
	end(pid[0]);
	end(pid[1]);
	EXPECT_EQ(1, joins_in(self, GROUP));
}

/* The module goes while others listen: what is put off holds it. */
TEST_F(selected, race__unload)
{
	pid_t pid[2];
	uint64_t last = now_ms() + 3 * PATIENCE_MS;
	int gone = 0;

	ASSERT_EQ(0, group_enter(self->root, GROUP));
	pid[0] = listener_start(self);
	pid[1] = listener_start(self);
	while (gone < 3 && now_ms() < last) {
		if (module_unload()) {
			nap();	/* or nobody else gets on */
			continue;
		}
		gone++;
		ASSERT_EQ(0, module_load());
		ASSERT_EQ(0, group_select("/" GROUP));
	}
	end(pid[0]);
	end(pid[1]);
	ASSERT_TRUE(until(!module_unload()));
	EXPECT_EQ(0, joins_in(self, GROUP));
	ASSERT_EQ(0, module_load());
	ASSERT_EQ(0, group_select("/" GROUP));
	EXPECT_EQ(1, joins_in(self, GROUP));
	EXPECT_EQ(3, gone);
}

TEST_HARNESS_MAIN
