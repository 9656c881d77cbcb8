// SPDX-License-Identifier: GPL-2.0
/*
 * Cores, CPU sets and namespaces that go away with connections in them.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "clients.h"
#include "counters.h"
#include "groups.h"
#include "support.h"
#include "workers.h"

#define QUEUED	3
#define HOME	1	/* the CPU that goes away */
#define OTHER	2
#define CPUS	4
#define SET	"fsk-set"

FIXTURE(departed) {
	struct trial trial;
	struct crew crew;
	struct clients *clients;
	struct worker *home;
	struct worker *other;
	int fd;
	int port;
	int client[QUEUED];
};

TRIAL_VARIANTS(departed);

FIXTURE_SETUP(departed)
{
	if (cpus_online() < CPUS)
		SKIP(return, "needs %d CPUs", CPUS);
	self->trial = variant->trial;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, crew_make(&self->crew));
	self->clients = clients_make();
	ASSERT_NE(NULL, self->clients);
	self->fd = sock_listen(&self->trial, 4096);
	ASSERT_LE(0, self->fd);
	self->port = sock_port(self->fd);
	self->home = crew_add(&self->crew, self->fd, BY_EPOLL_LEVEL, HOME);
	self->other = crew_add(&self->crew, self->fd, BY_POLL, OTHER);
}

FIXTURE_TEARDOWN(departed)
{
	cpu_switch(HOME, true);
	if (self->clients)
		clients_end(self->clients);
	crew_end(&self->crew);
}

static bool queued(int port)
{
	struct core_row row;

	return row_get(port, HOME, &row) && row.qlen == QUEUED;
}

/* Connections in the queue of a worker that is stopped.  The time of the rescue
 * begins when all are queued.
 */
static void queue_some(struct __test_metadata *_metadata,
		       FIXTURE_DATA(departed) *self, unsigned int rescue_ms)
{
	uint64_t local = count(FSK_STAT_SYN_LOCAL);
	int i;

	ASSERT_EQ(0, rescue_set_ms(0));
	ASSERT_EQ(0, halt(self->home->pid));
	if (self->other->pid)	/* or it would help */
		ASSERT_EQ(0, halt(self->other->pid));
	ASSERT_EQ(0, pin(HOME));
	for (i = 0; i < QUEUED; i++) {
		self->client[i] = sock_dial(&self->trial, self->port);
		ASSERT_LE(0, self->client[i]);
	}
	unpin();
	EXPECT_EQ(local + QUEUED, count(FSK_STAT_SYN_LOCAL));
	/* connect() returns before the listener's side has the last ACK. */
	EXPECT_TRUE(until(queued(self->port)));
	ASSERT_EQ(0, rescue_set_ms(rescue_ms));
}

/* How many that worker answered. */
static int heard(FIXTURE_DATA(departed) *self, const struct worker *w)
{
	int i, n = 0;

	for (i = 0; i < QUEUED; i++)
		n += ask_hear(self->client[i]) == w->id;
	return n;
}

/* All CPUs' connections are answered. */
static bool serves_all(FIXTURE_DATA(departed) *self)
{
	int cpu;

	for (cpu = 0; cpu < CPUS; cpu++)
		if (pin(cpu) || ask(&self->trial, self->port) < 0)
			return false;
	unpin();
	return true;
}

/* CPUs */

/* The timer that would rescue them was on that CPU, too. */
TEST_F(departed, offline__others_take_queued)
{
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	queue_some(_metadata, self, 1000);
	ASSERT_EQ(0, cpu_switch(HOME, false));
	ASSERT_EQ(0, kill(self->other->pid, SIGCONT));
	EXPECT_EQ(QUEUED, heard(self, self->other));
	EXPECT_EQ(QUEUED, count(FSK_STAT_RESCUED));
	ASSERT_EQ(0, cpu_switch(HOME, true));
	ASSERT_EQ(0, kill(self->home->pid, SIGCONT));
	EXPECT_TRUE(serves_all(self));
	EXPECT_EQ(0, crew_failed(&self->crew));
}

/* The kernel unbinds the worker of a CPU that goes: it sees all queues. */
TEST_F(departed, offline__worker_takes_queued)
{
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	queue_some(_metadata, self, 0);
	ASSERT_EQ(0, cpu_switch(HOME, false));
	ASSERT_EQ(0, kill(self->home->pid, SIGCONT));
	EXPECT_EQ(QUEUED, heard(self, self->home));
	EXPECT_EQ(QUEUED, count_accepts());
	ASSERT_EQ(0, kill(self->other->pid, SIGCONT));
	ASSERT_EQ(0, rescue_set_ms(20));
	ASSERT_EQ(0, cpu_switch(HOME, true));
	EXPECT_TRUE(serves_all(self));
	EXPECT_EQ(0, crew_failed(&self->crew));
}

TEST_F_TIMEOUT(departed, offline__under_load, 3600)
{
	int i, rounds = fault_count(3, 20);
	struct client_counts sum;
	uint64_t made;

	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	clients_start(self->clients, &self->trial, self->port, CPUS);
	ASSERT_TRUE(until(clients_flow(self->clients, 20)));
	for (i = 0; i < 2 * rounds; i++) {
		ASSERT_EQ(0, cpu_switch(HOME, i & 1));
		/* The worker is bound by whoever runs it, not by itself. */
		pin_task(self->home->tid, i & 1 ? HOME : OTHER);
		made = clients_sum(self->clients).made;
		/* They pause for up to a second after each four. */
		EXPECT_TRUE(until_ms(5 * PATIENCE_MS,
				     clients_sum(self->clients).made >
				     made + 100));
	}
	self->clients->stop = true;
	EXPECT_TRUE(until(clients_done(self->clients)));
	sum = clients_sum(self->clients);
	EXPECT_EQ(sum.made, sum.answered);
	EXPECT_EQ(sum.made, count_accepts());
	EXPECT_LE(1, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(0, crew_failed(&self->crew));
}

/* CPU sets */

static void check_moved(struct __test_metadata *_metadata,
			FIXTURE_DATA(departed) *self)
{
	ASSERT_EQ(0, kill(self->home->pid, SIGCONT));
	EXPECT_EQ(QUEUED, heard(self, self->home));
	EXPECT_EQ(QUEUED, count_accepts());
	ASSERT_EQ(0, rescue_set_ms(20));
	EXPECT_TRUE(serves_all(self));
	EXPECT_EQ(QUEUED + CPUS, count_accepts());
	EXPECT_EQ(0, crew_failed(&self->crew));
}

/* Only the worker itself is there to take them. */
TEST_F(departed, affinity__moved_with_queue)
{
	ASSERT_EQ(0, worker_start(self->home));
	ASSERT_TRUE(until(claims(self->port) == 1));
	queue_some(_metadata, self, 20);
	ASSERT_EQ(0, pin_task(self->home->tid, OTHER));
	check_moved(_metadata, self);
}

TEST_F(departed, affinity__widened_with_queue)
{
	ASSERT_EQ(0, worker_start(self->home));
	ASSERT_TRUE(until(claims(self->port) == 1));
	queue_some(_metadata, self, 0);
	ASSERT_EQ(0, pin_task(self->home->tid, UNBOUND));
	check_moved(_metadata, self);
}

static int cpuset_make(const char *root, pid_t pid, const char *cpus)
{
	int err = group_write(root, ".", "cgroup.subtree_control", "+cpuset");
	int fd = err ? err : group_make(root, SET);

	if (fd < 0)
		return fd;
	close(fd);
	return group_write(root, SET, "cpuset.cpus", cpus) ?:
	       group_put(root, SET, pid);
}

static void cpuset_drop(const char *root, pid_t pid)
{
	group_put(root, ".", pid);
	group_remove(root, SET);
	groups_unmount(root);
}

/* A worker that is bound by its set of one CPU, which changes. */
static void check_cpuset(struct __test_metadata *_metadata,
			 FIXTURE_DATA(departed) *self, const char *cpus,
			 int rescue_ms)
{
	char home[] = { '0' + HOME, 0 };
	char root[GROUPS_ROOT];

	self->home->cpu = UNBOUND;
	/* An epoll item would stay in the queue that it was given. */
	self->home->method = BY_POLL;
	ASSERT_EQ(0, worker_start(self->home));
	ASSERT_TRUE(crew_waits(&(struct crew) { self->home, 1 }, self->port,
			       false));
	ASSERT_EQ(0, groups_mount(root));
	ASSERT_EQ(0, cpuset_make(root, self->home->pid, home));
	/* It waits where it was until it was woken once. */
	ASSERT_EQ(0, pin(HOME));
	ASSERT_TRUE(until(ask(&self->trial, self->port) >= 0 &&
			  count(FSK_STAT_SYN_LOCAL) > 0));
	queue_some(_metadata, self, rescue_ms);
	EXPECT_EQ(0, group_write(root, SET, "cpuset.cpus", cpus));
	ASSERT_EQ(0, kill(self->home->pid, SIGCONT));
	EXPECT_EQ(QUEUED, heard(self, self->home));
	ASSERT_EQ(0, rescue_set_ms(20));
	EXPECT_TRUE(serves_all(self));
	EXPECT_EQ(0, crew_failed(&self->crew));
	cpuset_drop(root, self->home->pid);
}

TEST_F(departed, cpuset__moved_with_queue)
{
	char other[] = { '0' + OTHER, 0 };

	check_cpuset(_metadata, self, other, 20);
}

TEST_F(departed, cpuset__widened_with_queue)
{
	check_cpuset(_metadata, self, "0-3", 0);
}

/* Namespaces */

/* A namespace with connections in all states, whose processes end. */
static int live(const struct trial *p, struct clients *clients)
{
	int i, seconds = 60, fd, half;

	if (net_enter() || rescue_set_ms(0))
		return 1;
	fd = sock_listen(p, 64);
	half = sock_listen(p, 64);
	if (fd < 0 || half < 0 ||
	    setsockopt(half, SOL_TCP, TCP_DEFER_ACCEPT, &seconds,
		       sizeof(seconds)))
		return 2;
	if (!sock_claim(fd, HOME) || !sock_claim(half, HOME))
		return 3;
	for (i = 0; i < QUEUED; i++)
		if (sock_dial(p, sock_port(fd)) < 0 ||
		    sock_dial(p, sock_port(half)) < 0)
			return 4;
	/* From now on the queue may be full at any moment. */
	clients_start(clients, p, sock_port(fd), 2);
	if (sock_accept(fd) < 0 || !until(clients_flow(clients, 8)))
		return 5;
	return count(FSK_STAT_SYN_LOCAL) < 2 * QUEUED ? 6 : 0;
}

TEST_F_TIMEOUT(departed, net__ends_with_queues, 3600)
{
	int i, rounds = fault_count(20, 100);
	struct clients *inner = clients_make();
	long before, sockets;
	struct client_counts sum;
	pid_t pid;

	before = slab_objects("net_namespace");
	sockets = slab_objects(self->trial.family == AF_INET ? "TCP" : "TCPv6");
	ASSERT_LE(0, before);
	ASSERT_LE(0, sockets);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
	clients_start(self->clients, &self->trial, self->port, CPUS);
	for (i = 0; i < rounds; i++) {
		pid = fork_child();
		if (!pid)
			_exit(live(&self->trial, inner));
		EXPECT_EQ(0, reap(pid));
	}
	self->clients->stop = true;
	EXPECT_TRUE(until(clients_done(self->clients)));
	sum = clients_sum(self->clients);
	EXPECT_EQ(sum.made, sum.answered);
	EXPECT_EQ(sum.made, count_accepts());
	clients_end(self->clients);
	crew_end(&self->crew);
	close(self->fd);
	/* One of each in each round would be a leak. */
	EXPECT_TRUE(until(slab_objects("net_namespace") < before + rounds));
	EXPECT_TRUE(until(slab_objects(self->trial.family == AF_INET ? "TCP" :
				       "TCPv6") < sockets + rounds));
}

TEST_HARNESS_MAIN
