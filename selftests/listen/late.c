// SPDX-License-Identifier: GPL-2.0
/*
 * One of four workers is stopped or busy for two seconds, under steady load:
 * nobody waits for it. On the plain kernel, with SO_REUSEPORT, its share of the
 * connections does.
 */
#include "kselftest_harness.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counters.h"
#include "clients.h"
#include "support.h"
#include "workers.h"

#define WORKERS		4
#define HOME		1	/* the CPU whose worker is late */
#define LATE_MS		2000
#define RESCUE_MS	20
#define LATE_FIRST_MS	5
#define WITHIN_MS	100	/* beyond that */
#define NAP_MS		25

enum lateness { STOPPED, TRACED, BUSY, READING, STARVED };

/**
 * struct watch - in memory shared with the test
 * @on: the worker is late now
 * @stall_ms: how long this machine kept anybody waiting meanwhile, at most
 */
struct watch {
	volatile bool on;
	volatile uint64_t stall_ms;
};

FIXTURE(late) {
	struct trial trial;
	struct clients *clients;
	struct watch *watch;
	struct crew crew;
	pid_t hog;
	pid_t watcher[WORKERS];
	int lfd[WORKERS];
	int port;
};

FIXTURE_VARIANT(late) {
	enum lateness lateness;
};

FIXTURE_VARIANT_ADD(late, stopped) { .lateness = STOPPED };
FIXTURE_VARIANT_ADD(late, traced) { .lateness = TRACED };
FIXTURE_VARIANT_ADD(late, busy) { .lateness = BUSY };
FIXTURE_VARIANT_ADD(late, reading) { .lateness = READING };
FIXTURE_VARIANT_ADD(late, starved) { .lateness = STARVED };

/* Real-time priorities keep these ahead of a busy worker. The watcher comes
 * before the clients, and the clients come before the hog.
 */
enum { HOG = 1, CLIENT, SOFTIRQ, WATCH };

/* A CPU's packets may wait for its ksoftirqd, on the plain kernel as well: the
 * hog must not starve that with the worker.
 */
static int softirqs_first(int cpu)
{
	DIR *proc = opendir("/proc");
	char name[32], want[32], path[300];
	struct dirent *entry;
	int err = -ENOENT;
	FILE *file;

	snprintf(want, sizeof(want), "ksoftirqd/%d\n", cpu);
	while (err && proc && (entry = readdir(proc))) {
		if (!isdigit(*entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (file && fgets(name, sizeof(name), file) &&
		    !strcmp(name, want))
			err = realtime(atoi(entry->d_name), SOFTIRQ);
		if (file)
			fclose(file);
	}
	closedir(proc);
	return err;
}

/* The watcher naps, and notes how much longer the machine took. On a slow
 * machine a watcher with shorter naps would be in the way.
 */
static pid_t watch_start(struct watch *watch, int cpu)
{
	pid_t pid = fork_child();
	uint64_t begin, took;

	if (pid)
		return pid;
	if (pin(cpu) || realtime(0, WATCH))
		_exit(1);
	for (;;) {
		begin = now_ms();
		usleep(NAP_MS * 1000);
		took = now_ms() - begin - NAP_MS;
		if (watch->on && took > watch->stall_ms)
			watch->stall_ms = took;
	}
}

FIXTURE_SETUP(late)
{
	int cpu;

	if (cpus_online() < WORKERS)
		SKIP(return, "needs %d CPUs", WORKERS);
	self->trial = (struct trial) { AF_INET, false, true };
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(RESCUE_MS));
	ASSERT_EQ(0, late_set_ms(LATE_FIRST_MS));
	ASSERT_EQ(0, sysctl_set("kernel/sched_rt_runtime_us", "-1"));
	ASSERT_EQ(0, crew_make(&self->crew));
	self->clients = clients_make();
	ASSERT_NE(NULL, self->clients);
	if (variant->lateness == STARVED)
		self->clients->priority = CLIENT;
	self->watch = mmap(NULL, sizeof(*self->watch), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->watch);
	ASSERT_EQ(0, softirqs_first(HOME));
	for (cpu = 0; cpu < WORKERS; cpu++)
		self->watcher[cpu] = watch_start(self->watch, cpu);
}

FIXTURE_TEARDOWN(late)
{
	int cpu;

	end(self->hog);
	clients_end(self->clients);
	crew_end(&self->crew);
	for (cpu = 0; cpu < WORKERS; cpu++)
		end(self->watcher[cpu]);
	sysctl_set("kernel/sched_rt_runtime_us", "950000");
}

/* One listener for all, or with SO_REUSEPORT one for each. */
static int serve(FIXTURE_DATA(late) *self, bool joins)
{
	struct trial trial = self->trial;
	int cpu, on = 1, fd = -1;

	trial.join = joins;
	self->crew.n = 0;
	for (cpu = 0; cpu < WORKERS; cpu++) {
		if (!joins || !cpu) {
			fd = sock_make(&trial);
			if (fd < 0 ||
			    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on,
				       sizeof(on)) ||
			    sock_bind(&trial, fd, joins ? 7001 : 7002) ||
			    listen(fd, 4096) || (joins && join(fd)))
				return -errno;
		}
		self->lfd[cpu] = fd;
		crew_add(&self->crew, fd, BY_EPOLL_LEVEL, cpu);
		if (pipe(self->crew.w[cpu].pipe))
			return -errno;
	}
	self->port = sock_port(fd);
	if (crew_start(&self->crew) ||
	    !crew_waits(&self->crew, self->port, joins))
		return -ETIMEDOUT;
	return 0;
}

static pid_t hog_start(int cpu)
{
	pid_t pid = fork_child();

	if (pid)
		return pid;
	if (pin(cpu) || realtime(0, HOG))
		_exit(1);
	for (;;)
		;
}

static int trace(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, 0) ||
	    ptrace(PTRACE_INTERRUPT, pid, 0, 0) ||
	    waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFSTOPPED(status) ? 0 : -ESRCH;
}

static int begin_late(FIXTURE_DATA(late) *self, enum lateness lateness)
{
	struct worker *w = &self->crew.w[HOME];

	switch (lateness) {
	case STOPPED:
		return halt(w->pid);
	case TRACED:
		return trace(w->pid);
	case BUSY:
		w->hold = HOLD_SPIN;
		return 0;
	case READING:
		w->hold = HOLD_READ;
		return 0;
	case STARVED:
		self->hog = hog_start(HOME);
		return self->hog < 0 ? -errno : 0;
	}
	return -EINVAL;
}

static int end_late(FIXTURE_DATA(late) *self, enum lateness lateness)
{
	struct worker *w = &self->crew.w[HOME];

	switch (lateness) {
	case STOPPED:
		return kill(w->pid, SIGCONT);
	case TRACED:
		return ptrace(PTRACE_DETACH, w->pid, 0, 0);
	case BUSY:
		w->hold = HOLD_NOT;
		return 0;
	case READING:
		w->hold = HOLD_NOT;
		return write(w->pipe[1], "x", 1) == 1 ? 0 : -errno;
	case STARVED:
		end(self->hog);
		self->hog = 0;
		return 0;
	}
	return -EINVAL;
}

/* The machine's own share: the worst delay of any connection on another core,
 * or of the watcher, which only sleeps.
 */
static uint64_t machine_ms(FIXTURE_DATA(late) *self)
{
	uint64_t ms, worst = self->watch->stall_ms;
	int cpu;

	for (cpu = 0; cpu < WORKERS; cpu++)
		for (ms = worst + 1; cpu != HOME && ms <= HIST_MS; ms++)
			if (self->clients->hist[cpu][ms])
				worst = ms;
	return worst;
}

/* How many connections of the late core took longer than they may; how many
 * there were. The machine's share counts twice, since both the one who serves
 * and the one who asks may have to wait for it.
 */
static uint64_t slow(FIXTURE_DATA(late) *self, uint64_t *total)
{
	uint64_t ms, sum = 0, limit = RESCUE_MS + WITHIN_MS;

	limit += 2 * machine_ms(self);
	for (*total = 0, ms = 0; ms <= HIST_MS; ms++) {
		*total += self->clients->hist[HOME][ms];
		if (ms > limit)
			sum += self->clients->hist[HOME][ms];
	}
	return sum;
}

static bool some_came(FIXTURE_DATA(late) *self)
{
	uint64_t total;

	slow(self, &total);
	return total;
}

static void pass_time(int ms)
{
	uint64_t end = now_ms() + ms;

	while (now_ms() < end)
		nap();
}

/* From outside the CPU in question, as nobody's neighbour */
static void check_late(struct __test_metadata *_metadata,
		       FIXTURE_DATA(late) *self, enum lateness lateness)
{
	uint64_t many, total;
	struct core_row row;
	struct client_counts sum;

	ASSERT_EQ(0, serve(self, true));
	clients_start(self->clients, &self->trial, self->port, WORKERS);
	ASSERT_TRUE(until(clients_flow(self->clients, 8)));
	self->watch->stall_ms = 0;
	self->clients->late_id = HOME;
	self->watch->on = true;
	self->clients->noting = true;
	ASSERT_EQ(0, begin_late(self, lateness));
	pass_time(LATE_MS);
	/* A slow machine may need longer. */
	EXPECT_TRUE(until(some_came(self)));
	self->clients->stop = true;
	/* All but one that it may have accepted, before the worker is back */
	EXPECT_TRUE(until(clients_sum(self->clients).left <= 1));
	EXPECT_LE(clients_sum(self->clients).made - 1, count_accepts());
	self->watch->on = false;
	ASSERT_TRUE(row_get(self->port, HOME, &row));
	EXPECT_EQ(0, row.qlen);
	ASSERT_EQ(0, end_late(self, lateness));
	EXPECT_TRUE(until(clients_done(self->clients)));
	sum = clients_sum(self->clients);
	EXPECT_EQ(sum.made, sum.answered);
	EXPECT_EQ(sum.made, count_accepts());
	EXPECT_LE(1, row.rescues + count(FSK_STAT_LATE));
	/* Others took what was queued, or got what came later. */
	EXPECT_LE(1, row.rescued + count(FSK_STAT_SYN_IDLE) +
		     count(FSK_STAT_SYN_ORPHANED));
	many = slow(self, &total);
	TH_LOG("%lu connections, %lu on the late core, "
	       "%lu of them rescued in %lu rescues, %lu too slow, "
	       "the machine's own share %lu ms",
	       sum.made, total, row.rescued, row.rescues, many,
	       machine_ms(self));
	EXPECT_LE(1, total);
	EXPECT_LE(many * 1000, total);
	clients_end(self->clients);
	EXPECT_EQ(0, crew_failed(&self->crew));
	crew_end(&self->crew);
}

static uint32_t queued(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return info.tcpi_unacked;
}

/* What is queued for the late one is all that is left, but one that it may have
 * accepted.
 */
static bool only_stuck(FIXTURE_DATA(late) *self)
{
	return clients_sum(self->clients).left <= queued(self->lfd[HOME]) + 1;
}

static void check_plain(struct __test_metadata *_metadata,
			FIXTURE_DATA(late) *self, enum lateness lateness)
{
	ASSERT_EQ(0, serve(self, false));
	clients_start(self->clients, &self->trial, self->port, WORKERS);
	ASSERT_TRUE(until(clients_flow(self->clients, 8)));
	ASSERT_EQ(0, begin_late(self, lateness));
	pass_time(LATE_MS / 4);
	self->clients->stop = true;
	EXPECT_TRUE(until(only_stuck(self)));
	TH_LOG("plain SO_REUSEPORT: %u connections stuck",
	       queued(self->lfd[HOME]));
	/* One that starves gets a twentieth of the time on newer kernels. */
	if (lateness != STARVED)
		EXPECT_LE(1, queued(self->lfd[HOME]));
	ASSERT_EQ(0, end_late(self, lateness));
	EXPECT_TRUE(until(clients_done(self->clients)));
	clients_end(self->clients);
	crew_end(&self->crew);
}

TEST_F_TIMEOUT(late, load__all_answered, 120)
{
	check_late(_metadata, self, variant->lateness);
	check_plain(_metadata, self, variant->lateness);
}

TEST_HARNESS_MAIN
