// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing is stuck: workers that die, stop, are late or move away.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "counters.h"
#include "support.h"
#include "workers.h"

#define QUEUED	3
#define HOME	1	/* the CPU whose worker fails */
#define OTHER	0

FIXTURE(rescue) {
	struct trial trial;
	struct crew crew;
	struct worker *home;
	struct worker *other;
	int fd;
	int port;
};

FIXTURE_VARIANT(rescue) {
	struct trial trial;
	enum method method;
};

FIXTURE_VARIANT_ADD(rescue, accept) {
	.trial = { AF_INET, false, true }, .method = BY_ACCEPT
};

FIXTURE_VARIANT_ADD(rescue, poll) {
	.trial = { AF_INET6, false, true }, .method = BY_POLL
};

FIXTURE_VARIANT_ADD(rescue, epoll) {
	.trial = { AF_INET, false, true }, .method = BY_EPOLL_LEVEL
};

FIXTURE_VARIANT_ADD(rescue, epoll_edge) {
	.trial = { AF_INET6, true, true }, .method = BY_EPOLL_EDGE
};

FIXTURE_VARIANT_ADD(rescue, epoll_exclusive) {
	.trial = { AF_INET, false, true }, .method = BY_EPOLL_EXCLUSIVE
};

FIXTURE_VARIANT_ADD(rescue, uring) {
	.trial = { AF_INET, false, true }, .method = BY_URING_MULTI
};

FIXTURE_SETUP(rescue)
{
	self->trial = variant->trial;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(50));
	ASSERT_EQ(0, crew_make(&self->crew));
	if (method_missing(variant->method))
		SKIP(return, "no io_uring here or no liburing at build time");
	self->fd = sock_listen(&self->trial, 64);
	ASSERT_LE(0, self->fd);
	self->port = sock_port(self->fd);
	self->home = crew_add(&self->crew, self->fd, variant->method, HOME);
	self->other = crew_add(&self->crew, self->fd, variant->method, OTHER);
}

FIXTURE_TEARDOWN(rescue)
{
	crew_end(&self->crew);
}

static int dial_from(const struct trial *p, int port, int cpu, int *fd, int n)
{
	int i;

	pin(cpu);
	for (i = 0; i < n; i++) {
		fd[i] = sock_dial(p, port);
		if (fd[i] < 0)
			return fd[i];
	}
	unpin();
	return 0;
}

/* Return: how many were answered by worker @id, or -ETIMEDOUT when one was
 * left without an end.
 */
static int hear_all(const int *fd, int n, int id)
{
	int i, who, right = 0;

	for (i = 0; i < n; i++) {
		who = ask_hear(fd[i]);
		if (who == -ETIMEDOUT)
			return who;
		right += who == id;
	}
	return right;
}

/* Others get the connections that a killed worker left behind. With io_uring, a
 * dying task still accepts the connection that woke it, on the plain kernel as
 * well, and that connection ends with the task.
 */
static void expect_inherited(struct __test_metadata *_metadata, const int *fd,
			     enum method method, int id)
{
	int right = hear_all(fd, QUEUED, id);

	EXPECT_LE(method == BY_URING_MULTI ? 0 : QUEUED, right);
	EXPECT_EQ(QUEUED, count_accepts());
}

static bool orphaned(int port, int cpu)
{
	struct core_row row;

	return row_get(port, cpu, &row) && row.orphaned;
}

/* A worker that is stopped is late for ever: the others take its
 * connections.  When it goes on, it has its core again.
 */
TEST_F(rescue, worker__stopped)
{
	int i, fd[QUEUED];

	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	ASSERT_EQ(0, halt(self->home->pid));
	ASSERT_EQ(0, dial_from(&self->trial, self->port, HOME, fd, QUEUED));
	EXPECT_EQ(QUEUED, hear_all(fd, QUEUED, self->other->id));
	EXPECT_LE(1, count(FSK_STAT_RESCUE) + count(FSK_STAT_LATE));
	EXPECT_LE(1, count(FSK_STAT_RESCUED));
	EXPECT_EQ(QUEUED, count_accepts());

	ASSERT_EQ(0, kill(self->home->pid, SIGCONT));
	pin(HOME);
	for (i = 0; i < 1000 && self->home->accepted < 5; i++)
		ASSERT_LE(0, ask(&self->trial, self->port));
	EXPECT_LE(5, self->home->accepted);
	EXPECT_EQ(QUEUED + i, count_accepts());
	EXPECT_EQ(0, crew_failed(&self->crew));
}

/* Killed with connections in its queue. */
TEST_F(rescue, worker__killed)
{
	int fd[QUEUED];

	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	ASSERT_EQ(0, halt(self->home->pid));
	/* Only its end may hand them over. */
	ASSERT_EQ(0, rescue_set_ms(2000));
	ASSERT_EQ(0, dial_from(&self->trial, self->port, HOME, fd, QUEUED));
	end(self->home->pid);
	self->home->pid = 0;
	expect_inherited(_metadata, fd, variant->method, self->other->id);
	EXPECT_LE(1, count(FSK_STAT_RESCUE) + count(FSK_STAT_LATE));

	/* From now on its core has no worker, and the other one stands in. */
	EXPECT_TRUE(until(claims(self->port) == 1));
	pin(HOME);
	EXPECT_EQ(self->other->id, ask(&self->trial, self->port));
	EXPECT_TRUE(until(ask(&self->trial, self->port) == self->other->id &&
			  count(FSK_STAT_SYN_FAR) > 0));
}

/* The last worker goes with connections in its queue; the next to come takes
 * them, wherever it is bound.
 */
static void check_last(struct __test_metadata *_metadata,
		       FIXTURE_DATA(rescue) *self, int cpu)
{
	struct worker *w = self->home;
	int fd[QUEUED];

	ASSERT_EQ(0, worker_start(w));
	ASSERT_TRUE(until(claims(self->port) == 1));
	ASSERT_EQ(0, halt(w->pid));
	ASSERT_EQ(0, dial_from(&self->trial, self->port, HOME, fd, QUEUED));
	end(w->pid);
	w->pid = 0;
	w->cpu = cpu;
	EXPECT_EQ(0, w->accepted);
	ASSERT_EQ(0, worker_start(w));
	expect_inherited(_metadata, fd, w->method, w->id);
}

TEST_F(rescue, last__next_on_same_core)
{
	check_last(_metadata, self, HOME);
}

TEST_F(rescue, last__next_on_other_core)
{
	check_last(_metadata, self, OTHER);
}

TEST_F(rescue, last__next_unbound)
{
	check_last(_metadata, self, UNBOUND);
}

/* A worker that is bound elsewhere while it runs, or not bound any more,
 * loses nothing.
 */
static void check_move(struct __test_metadata *_metadata,
		       FIXTURE_DATA(rescue) *self, int cpu)
{
	struct worker *w = self->home;
	int i;

	ASSERT_EQ(0, worker_start(w));
	ASSERT_TRUE(until(claims(self->port) == 1));
	ASSERT_EQ(0, pin_task(w->tid, cpu));
	for (i = 0; i < 6; i++) {
		pin(i & 1 ? HOME : OTHER);
		EXPECT_EQ(w->id, ask(&self->trial, self->port));
	}
	EXPECT_EQ(6, count_accepts());
	EXPECT_EQ(6, w->accepted);
	EXPECT_EQ(0, w->failed);
}

TEST_F(rescue, move__to_other_core)
{
	check_move(_metadata, self, OTHER);
}

TEST_F(rescue, move__unbound)
{
	check_move(_metadata, self, UNBOUND);
}

/* A core that was orphaned comes back to its late worker when there was
 * nobody to help, and what was queued is its own.
 */
TEST_F(rescue, late__alone)
{
	struct worker *w = self->home;
	int fd[QUEUED];

	ASSERT_EQ(0, worker_start(w));
	ASSERT_TRUE(until(claims(self->port) == 1));
	ASSERT_EQ(0, halt(w->pid));
	ASSERT_EQ(0, dial_from(&self->trial, self->port, HOME, fd, QUEUED));
	EXPECT_TRUE(until(orphaned(self->port, HOME)));
	/* From here on the machine may be late, the worker is not. */
	ASSERT_EQ(0, rescue_set_ms(0));
	ASSERT_EQ(0, kill(w->pid, SIGCONT));
	EXPECT_EQ(QUEUED, hear_all(fd, QUEUED, w->id));
	EXPECT_EQ(QUEUED, count_accepts());
	EXPECT_EQ(1, count(FSK_STAT_RESCUE));
}

/* Nobody waits for ever for one who does not come, whatever is set. */
TEST_F(rescue, off__helped_all_the_same)
{
	int fd[QUEUED];

	ASSERT_EQ(0, rescue_set_ms(0));
	ASSERT_EQ(0, late_set_ms(100));
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	ASSERT_EQ(0, halt(self->home->pid));
	ASSERT_EQ(0, dial_from(&self->trial, self->port, HOME, fd, QUEUED));
	EXPECT_EQ(QUEUED, hear_all(fd, QUEUED, self->other->id));
	/* The last ones may have gone to the app listener. */
	EXPECT_LE(1, count(FSK_STAT_RESCUED));
	EXPECT_EQ(QUEUED, count_accepts());
}

/* A lower limit holds for those that wait already. */
TEST_F(rescue, limit__lowered)
{
	int fd[QUEUED];

	if (variant->method < BY_EPOLL_LEVEL ||
	    variant->method >= BY_URING_SINGLE)
		SKIP(return, "takes one before it can be held");
	ASSERT_EQ(0, rescue_set_ms(FSK_RESCUE_MS_MAX));
	ASSERT_EQ(0, late_set_ms(FSK_LATE_MS_MAX));
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	self->home->hold = HOLD_SPIN;
	self->other->hold = HOLD_SPIN;
	ASSERT_EQ(0, dial_from(&self->trial, self->port, HOME, fd, QUEUED));
	ASSERT_EQ(0, rescue_set_ms(20));
	EXPECT_TRUE(until_ms(FSK_LATE_MS_MAX / 2, orphaned(self->port, HOME)));
	self->other->hold = HOLD_NOT;
	EXPECT_EQ(QUEUED, hear_all(fd, QUEUED, self->other->id));
	self->home->hold = HOLD_NOT;
}

/* Whether the idle worker answered one that was given to it at once. */
static bool idle_answers(FIXTURE_DATA(rescue) *self)
{
	int fd;
	bool heard;

	if (dial_from(&self->trial, self->port, HOME, &fd, 1))
		return false;
	heard = ask_hear(fd) == self->other->id;
	close(fd);
	return heard && count(FSK_STAT_SYN_IDLE) > 0;
}

/* Where an option chooses the listener, its own workers help each other. */
TEST_F(rescue, chosen__has_idle_workers)
{
	int cpu = HOME;

	if (variant->method != BY_EPOLL_LEVEL)
		SKIP(return, "once is enough");
	ASSERT_EQ(0, rescue_set_ms(0));
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_INCOMING_CPU, &cpu,
				sizeof(cpu)));
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	self->home->hold = HOLD_SPIN;
	EXPECT_TRUE(until(idle_answers(self)));
	self->home->hold = HOLD_NOT;
}

#define STALL_MS	6000	/* then the timer comes once in a second */
#define STALLS		4
#define SOON_MS		(200 * STALLS)	/* half of what a pause is */

static bool late(int port, int cpu)
{
	struct core_row row;

	return row_get(port, cpu, &row) && row.late;
}

/* Milliseconds in which another worker answers what comes just after all had no
 * time for long, or a negative errno.
 */
static int64_t stall(FIXTURE_DATA(rescue) *self)
{
	uint64_t begin, end = now_ms() + STALL_MS;
	int fd, err;

	self->home->hold = HOLD_SPIN;
	self->other->hold = HOLD_SPIN;
	err = dial_from(&self->trial, self->port, HOME, &fd, 1);
	while (!err && now_ms() < end)
		nap();
	self->home->hold = HOLD_NOT;
	self->other->hold = HOLD_NOT;
	if (err || ask_hear(fd) < 0)
		return err ? err : -ETIMEDOUT;
	usleep(20 * 1000);	/* it goes to wait */
	self->home->hold = HOLD_SPIN;
	begin = now_ms();
	err = dial_from(&self->trial, self->port, HOME, &fd, 1);
	if (!err && ask_hear(fd) != self->other->id)
		err = -ETIMEDOUT;
	end = now_ms();
	self->home->hold = HOLD_NOT;
	if (!err && !until(!late(self->port, HOME)))
		err = -ETIMEDOUT;
	return err ? err : (int64_t)(end - begin);
}

/* A long pause of the timer, for what nobody had time to take, is not for what
 * comes when that has been taken.
 */
TEST_F_TIMEOUT(rescue, stall__over_for_the_next, 120)
{
	int64_t took, sum = 0;
	int i;

	if (variant->method != BY_EPOLL_LEVEL)
		SKIP(return, "once is enough");
	ASSERT_EQ(0, rescue_set_ms(0));
	ASSERT_EQ(0, late_set_ms(5));
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	for (i = 0; i < STALLS; i++) {
		took = stall(self);
		ASSERT_LE(0, took);
		TH_LOG("%ld ms", (long)took);
		sum += took;
	}
	EXPECT_GE(SOON_MS, sum);
}

TEST_F(rescue, config__limits)
{
	EXPECT_EQ(0, late_set_ms(1));
	EXPECT_EQ(-ERANGE, late_set_ms(0));
	EXPECT_EQ(-ERANGE, late_set_ms(FSK_LATE_MS_MAX + 1));
	EXPECT_EQ(0, rescue_set_ms(FSK_RESCUE_MS_MAX));
	EXPECT_EQ(-ERANGE, rescue_set_ms(FSK_RESCUE_MS_MAX + 1));
}

/* What comes in where nobody is goes to a worker that stands in; when that one
 * is stopped, another comes.
 */
TEST_F(rescue, outside__stopped_worker)
{
	int fd[QUEUED], outside = 2;

	if (cpus_online() <= outside)
		SKIP(return, "needs a CPU without a worker");
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	ASSERT_EQ(0, halt(self->other->pid));
	ASSERT_EQ(0, dial_from(&self->trial, self->port, outside, fd, QUEUED));
	EXPECT_EQ(QUEUED, hear_all(fd, QUEUED, self->home->id));
	EXPECT_EQ(QUEUED, count_accepts());
	EXPECT_EQ(0, count(FSK_STAT_SYN_LOCAL));
}

#define LONG_MS	5000

/* Longest time of N connections from HOME, or a negative errno. */
static int64_t slowest_of(FIXTURE_DATA(rescue) *self, int n)
{
	int64_t took, slowest = 0;
	uint64_t begin;
	int fd, err;

	while (n--) {
		begin = now_ms();
		err = dial_from(&self->trial, self->port, HOME, &fd, 1);
		if (err || ask_hear(fd) != self->other->id)
			return err ? err : -ETIMEDOUT;
		close(fd);
		took = now_ms() - begin;
		slowest = took > slowest ? took : slowest;
	}
	return slowest;
}

/* A filter leaves all connections to the app listener.  Of the workers that
 * wait, one does not hear of them: the next is woken at once.
 */
TEST_F_TIMEOUT(rescue, outside__one_does_not_hear, 120)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, -1);
	struct sock_fprog filter = { 1, &all };
	int64_t slowest;

	if (variant->method != BY_EPOLL_LEVEL)
		SKIP(return, "once is enough");
	ASSERT_EQ(0, rescue_set_ms(LONG_MS));
	ASSERT_EQ(0, late_set_ms(LONG_MS));
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
				sizeof(filter)));
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	ASSERT_EQ(0, halt(self->home->pid));
	slowest = slowest_of(self, 8);
	EXPECT_LE(0, slowest);
	EXPECT_GT(LONG_MS / 2, slowest);
	EXPECT_EQ(8, count(FSK_STAT_SYN_BYPASSED));
}

/* Of those that wait, the nearest is stopped: it is no helper for one that is
 * late, and the next is woken at once.
 */
TEST_F_TIMEOUT(rescue, late__nearest_is_stopped, 120)
{
	enum { NEAREST = HOME + 1, TICK_MS = 4000 };
	struct worker *nearest;
	uint64_t begin;
	int fd;

	if (variant->method != BY_EPOLL_LEVEL)
		SKIP(return, "once is enough");
	if (cpus_online() <= NEAREST)
		SKIP(return, "needs a third CPU");
	ASSERT_EQ(0, rescue_set_ms(0));
	ASSERT_EQ(0, late_set_ms(TICK_MS));
	nearest = crew_add(&self->crew, self->fd, variant->method, NEAREST);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	ASSERT_EQ(0, halt(nearest->pid));
	self->home->hold = HOLD_SPIN;
	begin = now_ms();
	ASSERT_EQ(0, dial_from(&self->trial, self->port, HOME, &fd, 1));
	EXPECT_EQ(self->other->id, ask_hear(fd));
	EXPECT_GT(5 * TICK_MS / 2, now_ms() - begin);
	EXPECT_EQ(1, count(FSK_STAT_RESCUED));
	self->home->hold = HOLD_NOT;
}

/* A task that never waited has no queue of its own.  It takes what is left for
 * others now and then, though the app listener's queue is never empty.
 */
TEST_F(rescue, queueless__looks_at_others)
{
	enum { APP = 16 };
	int i, fd[QUEUED], app[APP];

	ASSERT_EQ(0, worker_start(self->home));
	ASSERT_TRUE(until(claims(self->port) == 1));
	ASSERT_EQ(0, halt(self->home->pid));
	ASSERT_EQ(0, dial_from(&self->trial, self->port, HOME, fd, QUEUED));
	ASSERT_TRUE(until(orphaned(self->port, HOME)));
	ASSERT_EQ(0, dial_from(&self->trial, self->port, HOME, app, APP));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	for (i = 0; i < APP; i++)
		ASSERT_LE(0, sock_accept(self->fd));
	EXPECT_LE(1, count(FSK_STAT_ACCEPT_OTHER));
	EXPECT_GT(APP, count(FSK_STAT_ACCEPT_APP));
}

TEST_HARNESS_MAIN
