// SPDX-License-Identifier: GPL-2.0
/*
 * Placement: workers that are fewer than the CPUs, bound to several, or to
 * none; clients that all come in on one CPU; workers that take one at a time.
 * Each worker gets its share, near where that costs nobody anything.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "counters.h"
#include "groups.h"
#include "support.h"
#include "workers.h"

#define CPUS		4
#define EACH		40	/* connections from each CPU */
#define STAY		64	/* connections that stay open */
#define WORK_MS		100	/* long against a stall of an emulated CPU */
#define CROWD		64	/* connections at once */
#define LATE_MS		5

FIXTURE(placement) {
	struct trial trial;
	struct crew crew;
	int stay[STAY];
	int lfd[CPUS];
	int port;
};

TRIAL_VARIANTS(placement);

FIXTURE_SETUP(placement)
{
	int i;

	if (cpus_online() < CPUS)
		SKIP(return, "needs %d CPUs", CPUS);
	self->trial = variant->trial;
	for (i = 0; i < STAY; i++)
		self->stay[i] = -1;
	ASSERT_EQ(0, net_enter());
	/* Who is slow here is the machine. */
	ASSERT_EQ(0, rescue_set_ms(FSK_RESCUE_MS_MAX));
	ASSERT_EQ(0, crew_make(&self->crew));
	self->lfd[0] = sock_listen(&self->trial, 512);
	ASSERT_LE(0, self->lfd[0]);
	self->port = sock_port(self->lfd[0]);
}

FIXTURE_TEARDOWN(placement)
{
	int i;

	crew_end(&self->crew);
	for (i = 0; i < STAY; i++)
		if (self->stay[i] >= 0)
			close(self->stay[i]);
	unpin();
}

/* Workers */

static struct worker *add(FIXTURE_DATA(placement) *self, int cpu)
{
	return crew_add(&self->crew, self->lfd[0], BY_EPOLL_LEVEL, cpu);
}

static uint64_t taken(const FIXTURE_DATA(placement) *self, int id)
{
	return self->crew.w[id].accepted;
}

static void forget(FIXTURE_DATA(placement) *self)
{
	int i;

	for (i = 0; i < self->crew.n; i++)
		self->crew.w[i].accepted = 0;
}

/* One connection from a CPU, which is left to the app listener until the map
 * knows the workers. Return: whether it was not.
 */
static bool placed(FIXTURE_DATA(placement) *self, int cpu)
{
	uint64_t before = count(FSK_STAT_SYN_UNCLAIMED);

	return !pin(cpu) && ask(&self->trial, self->port) >= 0 &&
	       count(FSK_STAT_SYN_UNCLAIMED) == before;
}

static int settle(FIXTURE_DATA(placement) *self)
{
	int cpu;

	for (cpu = 0; cpu < CPUS; cpu++)
		if (!until(placed(self, cpu)))
			return -ETIMEDOUT;
	forget(self);
	return 0;
}

/* As many connections from each CPU. Return: how many were answered. */
static int ask_all(FIXTURE_DATA(placement) *self)
{
	int i, cpu, n = 0;

	for (i = 0; i < EACH; i++)
		for (cpu = 0; cpu < CPUS; cpu++)
			n += !pin(cpu) && ask(&self->trial, self->port) >= 0;
	return n;
}

/* Zeroes if there is none. */
static struct core_row row_of(FIXTURE_DATA(placement) *self, int cpu)
{
	struct core_row row = { 0 };

	row_get(self->port, cpu, &row);
	return row;
}

/* Fewer workers than CPUs */

TEST_F(placement, few__shared_out_evenly)
{
	uint64_t app;
	int i;

	add(self, 0);
	add(self, 2);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(until(mapped(self->port, 2)));
	ASSERT_EQ(0, settle(self));
	app = count(FSK_STAT_ACCEPT_APP);

	EXPECT_EQ(CPUS * EACH, ask_all(self));
	EXPECT_EQ(app, count(FSK_STAT_ACCEPT_APP));
	EXPECT_LE(2 * EACH, count(FSK_STAT_SYN_FAR));
	EXPECT_EQ(count(FSK_STAT_SYN_FAR), row_of(self, 0).syns_far +
					   row_of(self, 2).syns_far);
	/* A tenth from an even share, which is what two CPUs bring. */
	for (i = 0; i < 2; i++) {
		EXPECT_LE(2 * EACH * 9 / 10, taken(self, i));
		EXPECT_GE(2 * EACH * 11 / 10, taken(self, i));
	}
	EXPECT_EQ(0, crew_failed(&self->crew));
}

/* A worker that ends leaves its CPUs to the others. */
TEST_F(placement, few__one_leaves)
{
	uint64_t app;

	add(self, 0);
	add(self, 2);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(until(mapped(self->port, 2)));
	ASSERT_EQ(0, settle(self));
	end(self->crew.w[1].pid);
	self->crew.w[1].pid = 0;
	ASSERT_EQ(0, settle(self));
	app = count(FSK_STAT_ACCEPT_APP);

	EXPECT_EQ(CPUS * EACH, ask_all(self));
	EXPECT_EQ(app, count(FSK_STAT_ACCEPT_APP));
	EXPECT_EQ(CPUS * EACH, taken(self, 0));
}

/* ... and one that comes has its own CPU to itself. */
TEST_F(placement, few__one_comes)
{
	uint64_t local;
	int i;

	add(self, 0);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(until(claims(self->port) == 1));
	ASSERT_EQ(0, settle(self));
	ASSERT_EQ(0, worker_start(add(self, 3)));
	ASSERT_TRUE(until(claims(self->port) == 2));
	ASSERT_EQ(0, pin(3));
	ASSERT_TRUE(until(ask(&self->trial, self->port) == 1));

	local = count(FSK_STAT_SYN_LOCAL);
	for (i = 0; i < EACH; i++)
		EXPECT_EQ(1, ask(&self->trial, self->port));
	EXPECT_EQ(local + EACH, count(FSK_STAT_SYN_LOCAL));
}

/* Workers that are bound to no CPU, or to several */

TEST_F(placement, unbound__each_has_a_queue)
{
	uint64_t app;
	int i;

	for (i = 0; i < CPUS; i++)
		add(self, UNBOUND);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(until(mapped(self->port, CPUS)));
	ASSERT_EQ(0, settle(self));
	app = count(FSK_STAT_ACCEPT_APP);

	EXPECT_EQ(CPUS * EACH, ask_all(self));
	EXPECT_EQ(app, count(FSK_STAT_ACCEPT_APP));
	for (i = 0; i < CPUS; i++) {
		EXPECT_LE(EACH / 2, taken(self, i));
		EXPECT_GE(EACH * 2, taken(self, i));
	}
}

TEST_F(placement, unbound__threads)
{
	uint64_t app;
	int i;

	for (i = 0; i < CPUS; i++)
		add(self, UNBOUND);
	ASSERT_EQ(0, crew_start_threads(&self->crew));
	ASSERT_TRUE(until(mapped(self->port, CPUS)));
	ASSERT_EQ(0, settle(self));
	app = count(FSK_STAT_ACCEPT_APP);

	EXPECT_EQ(CPUS * EACH, ask_all(self));
	EXPECT_EQ(app, count(FSK_STAT_ACCEPT_APP));
	for (i = 0; i < CPUS; i++)
		EXPECT_LE(EACH / 2, taken(self, i));
}

/* More workers than CPUs: nobody is without a queue, none is crowded. */
TEST_F(placement, unbound__more_than_cpus)
{
	int i;

	for (i = 0; i < 2 * CPUS + 1; i++)
		crew_add(&self->crew, self->lfd[0], BY_ACCEPT, UNBOUND);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(until(mapped(self->port, CPUS)));
	ASSERT_EQ(0, settle(self));
	EXPECT_EQ(CPUS * EACH, ask_all(self));
	EXPECT_EQ(0, count(FSK_STAT_OVERFLOW));
}

/* The CPU whose queue has a worker; -1 if there is none, or more than one. */
static int only_claim(int port)
{
	struct core_row row;
	int i, cpu = -1;

	for (i = 0; i < CPUS; i++)
		if (row_get(port, i, &row) && row.claimed)
			cpu = cpu < 0 ? i : CPUS;
	return cpu < CPUS ? cpu : -1;
}

/* A server for two ports: a worker has the same CPU at each, wherever it ran
 * when it began to wait.
 */
TEST_F(placement, unbound__same_cpu_at_each_port)
{
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1(EPOLL_CLOEXEC), i;

	self->lfd[1] = sock_listen(&self->trial, 512);
	ASSERT_LE(0, self->lfd[1]);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pin(1 + 2 * i));
		unpin();
		ASSERT_EQ(0, epoll_ctl(set, EPOLL_CTL_ADD, self->lfd[i],
				       &event));
	}
	EXPECT_EQ(1, only_claim(self->port));
	EXPECT_EQ(1, only_claim(sock_port(self->lfd[1])));
}

/* One that may run anywhere has nothing to share: as on the plain kernel. */
TEST_F(placement, unbound__alone_is_plain)
{
	add(self, UNBOUND);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(until(claims(self->port) == 1));
	ASSERT_TRUE(until(!placed(self, 0)));
	forget(self);

	EXPECT_EQ(CPUS * EACH, ask_all(self));
	EXPECT_EQ(CPUS * EACH, taken(self, 0));
	EXPECT_EQ(0, count(FSK_STAT_SYN_FAR));
}

TEST_F(placement, sets__stay_in_their_set)
{
	struct core_row row;
	int i;

	for (i = 0; i < CPUS; i++)
		add(self, UNBOUND)->mask = i < 2 ? 3 : 12;
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(until(mapped(self->port, CPUS)));
	ASSERT_EQ(0, settle(self));

	EXPECT_EQ(CPUS * EACH, ask_all(self));
	for (i = 0; i < CPUS; i++) {
		ASSERT_TRUE(row_get(self->port, i, &row));
		EXPECT_LE(EACH * 9 / 10, row.accept_local);
	}
	EXPECT_LE(2 * EACH * 9 / 10, taken(self, 0) + taken(self, 1));
	EXPECT_LE(2 * EACH * 9 / 10, taken(self, 2) + taken(self, 3));
}

/* All clients on one CPU */

/* Connections that nobody closes. Return: how many were answered. */
static int stay(FIXTURE_DATA(placement) *self)
{
	char id;
	int i, n = 0;

	for (i = 0; i < STAY; i++) {
		self->stay[i] = sock_dial(&self->trial, self->port);
		n += self->stay[i] >= 0 &&
		     sock_wait(self->stay[i], POLLIN, PATIENCE_MS) &&
		     read(self->stay[i], &id, 1) == 1;
	}
	return n;
}

static int bound(FIXTURE_DATA(placement) *self, bool keep)
{
	int cpu;

	for (cpu = 0; cpu < CPUS; cpu++)
		add(self, cpu)->keep = keep;
	return crew_start(&self->crew);
}

TEST_F(placement, one_cpu__those_that_stay_are_shared)
{
	int i;

	ASSERT_EQ(0, bound(self, true));
	ASSERT_TRUE(until(mapped(self->port, CPUS)));
	ASSERT_EQ(0, pin(1));
	EXPECT_EQ(STAY, stay(self));
	EXPECT_LT(STAY / 4, count(FSK_STAT_SYN_SHARED));
	/* Nobody has twice an even share, nor less than half of one. */
	for (i = 0; i < CPUS; i++) {
		EXPECT_GE(2 * STAY / CPUS, taken(self, i));
		EXPECT_LE(STAY / CPUS / 2, taken(self, i));
	}
}

/* SO_REUSEPORT, as PgBouncer uses it. */
TEST_F(placement, one_cpu__a_group_shares_those_that_stay)
{
	struct worker *w;
	int i, on = 1, fd;

	close(self->lfd[0]);
	for (i = 0; i < CPUS; i++) {
		fd = sock_make(&self->trial);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on,
					sizeof(on)));
		ASSERT_EQ(0, sock_bind(&self->trial, fd, self->port));
		ASSERT_EQ(0, listen(fd, 512));
		ASSERT_EQ(0, join(fd));
		self->lfd[i] = fd;
		w = crew_add(&self->crew, fd, BY_EPOLL_LEVEL, i);
		w->keep = true;
	}
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(until(mapped(self->port, CPUS)));
	ASSERT_EQ(0, pin(0));
	EXPECT_EQ(STAY, stay(self));
	for (i = 0; i < CPUS; i++) {
		EXPECT_GE(2 * STAY / CPUS, taken(self, i));
		EXPECT_LE(STAY / CPUS / 2, taken(self, i));
	}
}

TEST_F(placement, one_cpu__those_that_come_and_go_are_near)
{
	int i, near = 0;

	ASSERT_EQ(0, bound(self, false));
	ASSERT_TRUE(until(mapped(self->port, CPUS)));
	ASSERT_EQ(0, pin(1));
	for (i = 0; i < 5 * EACH; i++)
		near += ask(&self->trial, self->port) == 1;
	EXPECT_LE(5 * EACH * 9 / 10, near);
	EXPECT_GE(5 * EACH / 10, count(FSK_STAT_SYN_SHARED));
}

/* So much work for each connection that one worker can't cope, however slowly
 * this machine connects.
 */
static int hard_work_ms(const struct trial *p)
{
	int i, fd = sock_listen(p, STAY);
	uint64_t begin = now_ms();

	for (i = 0; i < 16; i++)
		close(sock_dial_nowait(p, sock_port(fd)));
	close(fd);
	return WORK_MS + 4 * (now_ms() - begin) / 16;
}

/* The one that is near can't cope: the others help. */
TEST_F(placement, one_cpu__nobody_idles_while_one_is_late)
{
	int i, cpu, fd[CROWD], work_ms = hard_work_ms(&self->trial);

	ASSERT_EQ(0, late_set_ms(LATE_MS));
	for (cpu = 0; cpu < CPUS; cpu++)
		add(self, cpu)->work_ms = work_ms;
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(until(mapped(self->port, CPUS)));
	ASSERT_EQ(0, pin(0));
	for (i = 0; i < CROWD; i++) {
		fd[i] = sock_dial_nowait(&self->trial, self->port);
		ASSERT_LE(0, fd[i]);
	}
	for (i = 0; i < CROWD; i++)
		EXPECT_LE(0, ask_hear(fd[i]));
	/* Each has half of an even share, at least. */
	for (cpu = 0; cpu < CPUS; cpu++)
		EXPECT_LE(CROWD / CPUS / 2, taken(self, cpu));
}

/* Whether others may take what is queued for a CPU's worker. */
/* ... which is what they are told for, if nobody was near when they came. */
TEST_F(placement, one_cpu__one_is_stopped)
{
	int i, fd[CPUS];

	ASSERT_EQ(0, late_set_ms(LATE_MS));
	ASSERT_EQ(0, bound(self, false));
	ASSERT_TRUE(until(mapped(self->port, CPUS)));
	self->crew.w[1].hold = HOLD_SPIN;
	ASSERT_EQ(0, pin(1));
	for (i = 0; i < CPUS; i++) {
		fd[i] = sock_dial_nowait(&self->trial, self->port);
		ASSERT_LE(0, fd[i]);
	}
	for (i = 0; i < CPUS; i++)
		EXPECT_LE(0, ask_hear(fd[i]));
	EXPECT_LT(0, count(FSK_STAT_LATE));
	EXPECT_LT(0, row_of(self, 1).times_late);
	/* While it is late, new ones go to somebody else at once. */
	EXPECT_TRUE(until(ask(&self->trial, self->port) >= 0 &&
			  count(FSK_STAT_SYN_IDLE) > 0));
	EXPECT_EQ(0, taken(self, 1));
	/* When no more come, its timer ends, whatever the worker does. */
	EXPECT_TRUE(until(!row_of(self, 1).late));
	self->crew.w[1].hold = HOLD_NOT;
}

#define ASLEEP	20	/* connections while a worker sleeps in its work */

/* A worker that waits in accept(), and then for a slow client. */
TEST_F(placement, one_cpu__one_sleeps_in_its_work)
{
	struct worker *w;
	int i, cpu;

	ASSERT_EQ(0, late_set_ms(LATE_MS));
	for (cpu = 0; cpu < CPUS; cpu++)
		crew_add(&self->crew, self->lfd[0], BY_ACCEPT, cpu);
	w = &self->crew.w[1];
	ASSERT_EQ(0, pipe(w->pipe));
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(until(mapped(self->port, CPUS)));
	ASSERT_EQ(0, pin(1));
	w->hold = HOLD_READ;
	/* It takes one that it was waiting for, and no more. */
	for (i = 0; i < ASLEEP; i++) {
		EXPECT_LE(0, ask(&self->trial, self->port));
		usleep(30 * 1000);
	}
	EXPECT_GE(1, taken(self, 1));
	/* Late once in a quarter of a second; else the others get them. */
	EXPECT_LT(0, row_of(self, 1).times_late);
	EXPECT_GE(ASLEEP / 2, row_of(self, 1).times_late);
	EXPECT_LE(ASLEEP / 4, count(FSK_STAT_SYN_IDLE));
	w->hold = HOLD_NOT;
	EXPECT_EQ(1, write(w->pipe[1], "x", 1));
}

static int queued(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	return getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len) ?
		       -errno : (int)info.tcpi_unacked;
}

/* What programs that start workers by the queue's length look at. */
TEST_F(placement, queue__is_in_tcp_info)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int i;

	ASSERT_EQ(0, bound(self, false));
	ASSERT_TRUE(until(mapped(self->port, CPUS)));
	for (i = 0; i < CPUS; i++)
		self->crew.w[i].hold = HOLD_SPIN;
	for (i = 0; i < CPUS; i++) {
		ASSERT_EQ(0, pin(i));
		self->stay[i] = sock_dial(&self->trial, self->port);
		ASSERT_LE(0, self->stay[i]);
	}
	/* connect() returns before the listener's side has the last ACK. */
	EXPECT_TRUE(until(queued(self->lfd[0]) == CPUS));
	ASSERT_EQ(0, getsockopt(self->lfd[0], SOL_TCP, TCP_INFO, &info, &len));
	EXPECT_EQ(CPUS, info.tcpi_unacked);
	EXPECT_EQ(512, info.tcpi_sacked);
	/* Asked for less, it is told less. */
	len = offsetof(struct tcp_info, tcpi_unacked);
	memset(&info, 0, sizeof(info));
	ASSERT_EQ(0, getsockopt(self->lfd[0], SOL_TCP, TCP_INFO, &info, &len));
	EXPECT_EQ(0, info.tcpi_unacked);
	for (i = 0; i < CPUS; i++)
		self->crew.w[i].hold = HOLD_NOT;
	EXPECT_TRUE(until(crew_accepted(&self->crew) == CPUS));
}

/* Workers that take one at a time, under a lock */

static void add_serial(struct crew *crew, int lfd)
{
	pthread_mutex_t *lock = worker_lock();
	int cpu;

	for (cpu = 0; cpu < CPUS; cpu++)
		crew_add(crew, lfd, BY_EPOLL_LEVEL, cpu)->lock = lock;
}

/* Longest time of connections from all CPUs, or a negative errno. */
static int64_t slowest(const struct trial *p, int port)
{
	int64_t took, longest = 0;
	uint64_t begin;
	int i;

	for (i = 0; i < EACH; i++) {
		pin(i % CPUS);
		begin = now_ms();
		if (ask(p, port) < 0)
			return -ETIMEDOUT;
		took = now_ms() - begin;
		longest = took > longest ? took : longest;
	}
	return longest;
}

/* The same where nothing is ours. */
static int64_t slowest_plain(const FIXTURE_DATA(placement) *self)
{
	struct trial trial = self->trial;
	int64_t longest = -ETIMEDOUT;
	struct crew crew;
	int fd;

	trial.join = false;
	fd = sock_listen(&trial, 512);
	if (fd < 0 || crew_make(&crew))
		return -errno;
	add_serial(&crew, fd);
	if (!crew_start(&crew) && ask(&trial, sock_port(fd)) >= 0)
		longest = slowest(&trial, sock_port(fd));
	crew_end(&crew);
	close(fd);
	return longest;
}

#define LIMIT_MS	10000	/* until a rescue by it */
#define STALL_MS	(LIMIT_MS / 2)	/* of an emulated CPU */

static void serial(struct __test_metadata *_metadata,
		   FIXTURE_DATA(placement) *self, unsigned int rescue_ms)
{
	int64_t plain = slowest_plain(self), joined;

	ASSERT_LE(0, plain);
	ASSERT_EQ(0, rescue_set_ms(rescue_ms));
	ASSERT_EQ(0, late_set_ms(LATE_MS));
	add_serial(&self->crew, self->lfd[0]);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(until(mapped(self->port, CPUS)));
	joined = slowest(&self->trial, self->port);
	ASSERT_LE(0, joined);
	EXPECT_GE(2 * plain + STALL_MS, joined)
		TH_LOG("plain %lld ms", (long long)plain);
	EXPECT_LT(0, count(FSK_STAT_RESCUE));
}

TEST_F_TIMEOUT(placement, serial__nobody_waits_for_the_lock, 300)
{
	serial(_metadata, self, LIMIT_MS);
}

TEST_F_TIMEOUT(placement, serial__not_even_without_a_limit, 300)
{
	serial(_metadata, self, 0);
}

/* Workers whose control group may use a part of one CPU */

#define QUOTA_GROUP	"fsk-quota"
#define QUOTA_WORK_MS	4	/* for each connection, so that it is used up */

static int quota_set(const char *root, int percent)
{
	char text[32];

	snprintf(text, sizeof(text), "%d 100000", percent * 1000);
	return group_write(root, QUOTA_GROUP, "cpu.max", text);
}

/* How often the group has been stopped until its next period. */
static long quota_throttled(const char *root)
{
	char path[96], line[64];
	long n = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/" QUOTA_GROUP "/cpu.stat", root);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "nr_throttled %ld", &n) == 1)
			break;
	if (file)
		fclose(file);
	return n;
}

static int quota_start(FIXTURE_DATA(placement) *self, const char *root)
{
	int cpu, err;

	for (cpu = 0; cpu < CPUS; cpu++)
		add(self, cpu)->work_ms = QUOTA_WORK_MS;
	err = crew_start(&self->crew);
	for (cpu = 0; !err && cpu < CPUS; cpu++)
		err = group_put(root, QUOTA_GROUP, self->crew.w[cpu].pid);
	return err;
}

/* One connection from each CPU at once, time after time. Return: how many were
 * answered.
 */
static int ask_at_once(FIXTURE_DATA(placement) *self)
{
	int fd[CPUS], i, cpu, n = 0;

	for (i = 0; i < EACH; i++) {
		for (cpu = 0; cpu < CPUS; cpu++) {
			pin(cpu);
			fd[cpu] = sock_dial(&self->trial, self->port);
		}
		for (cpu = 0; cpu < CPUS; cpu++)
			n += ask_hear(fd[cpu]) >= 0;
	}
	return n;
}

/* In a timer that runs in a thread nobody knows who would run else. */
static bool timers_are_tasks(void)
{
	struct utsname host;

	return !uname(&host) && strstr(host.version, "PREEMPT_RT");
}

/* Return: connections that stayed near, or -1 if one was not answered. */
static int64_t quota_ask(FIXTURE_DATA(placement) *self, const char *root,
			 int percent)
{
	uint64_t near = count(FSK_STAT_ACCEPT_LOCAL);

	if (quota_set(root, percent) || ask_at_once(self) != CPUS * EACH)
		return -1;
	return count(FSK_STAT_ACCEPT_LOCAL) - near;
}

/* All of a group stand still at once: none could take for another. */
TEST_F_TIMEOUT(placement, quota__leaves_connections_near, 300)
{
	static const int percent[] = { 20, 40, 80 };
	char root[GROUPS_ROOT];
	size_t i;

	if (timers_are_tasks())
		SKIP(return, "a throttled worker is not known on PREEMPT_RT");
	ASSERT_EQ(0, rescue_set_ms(20));	/* as by default */
	ASSERT_EQ(0, groups_mount(root));
	group_write(root, ".", "cgroup.subtree_control", "+cpu");
	EXPECT_LE(0, group_make(root, QUOTA_GROUP));
	if (quota_set(root, 100)) {
		group_remove(root, QUOTA_GROUP);
		groups_unmount(root);
		SKIP(return, "no quotas for control groups here");
	}
	EXPECT_EQ(0, quota_start(self, root));
	EXPECT_TRUE(until(mapped(self->port, CPUS)));
	EXPECT_EQ(0, settle(self));
	for (i = 0; i < ARRAY_SIZE(percent); i++)
		EXPECT_LE(CPUS * EACH * 9 / 10,
			  quota_ask(self, root, percent[i]))
			TH_LOG("at %d %%", percent[i]);
	EXPECT_LT(20, quota_throttled(root));
	/* A CPU that a client uses as well may seem to be kept from nobody. */
	EXPECT_LE(12 * count(FSK_STAT_RESCUE), quota_throttled(root));
	crew_end(&self->crew);
	group_remove(root, QUOTA_GROUP);
	groups_unmount(root);
}

TEST_HARNESS_MAIN
