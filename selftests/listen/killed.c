// SPDX-License-Identifier: GPL-2.0
/*
 * Workers are killed at any moment, again and again, under load: nothing is
 * lost but what they had accepted themselves, and nothing stays behind.
 */
#include "kselftest_harness.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "counters.h"
#include "clients.h"
#include "support.h"
#include "workers.h"

#define WORKERS	4

FIXTURE(killed) {
	struct trial trial;
	struct crew crew;
	struct clients *clients;
	int lfd[WORKERS];
};

FIXTURE_VARIANT(killed) {
	struct trial trial;
	enum method method;
	bool reuseport;
};

FIXTURE_VARIANT_ADD(killed, epoll) {
	.trial = { AF_INET, false, true }, .method = BY_EPOLL_LEVEL
};

FIXTURE_VARIANT_ADD(killed, accept) {
	.trial = { AF_INET6, false, true }, .method = BY_ACCEPT
};

FIXTURE_VARIANT_ADD(killed, exclusive) {
	.trial = { AF_INET6, true, true }, .method = BY_EPOLL_EXCLUSIVE
};

/* The main process holds the listeners, as nginx does. */
FIXTURE_VARIANT_ADD(killed, reuseport) {
	.trial = { AF_INET, false, true }, .method = BY_EPOLL_LEVEL,
	.reuseport = true
};

static int listener(const struct trial *p)
{
	int on = 1, fd = sock_make(p);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ||
	    sock_bind(p, fd, 7001) || listen(fd, 4096) || join(fd))
		return -errno;
	return fd;
}

FIXTURE_SETUP(killed)
{
	int cpu;

	if (cpus_online() < WORKERS)
		SKIP(return, "needs %d CPUs", WORKERS);
	self->trial = variant->trial;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, crew_make(&self->crew));
	self->clients = clients_make();
	ASSERT_NE(NULL, self->clients);
	for (cpu = 0; cpu < WORKERS; cpu++) {
		if (!cpu || variant->reuseport)
			self->lfd[cpu] = listener(&self->trial);
		else
			self->lfd[cpu] = self->lfd[0];
		ASSERT_LE(0, self->lfd[cpu]);
		crew_add(&self->crew, self->lfd[cpu], variant->method, cpu);
	}
}

FIXTURE_TEARDOWN(killed)
{
	if (self->clients)
		clients_end(self->clients);
	crew_end(&self->crew);
}

/* Of these caches none is ever merged with another. */
static const char * const slabs[] = {
	"TCP", "TCPv6", "request_sock_TCP", "request_sock_TCPv6",
	"sock_inode_cache",
};

#define SLABS (sizeof(slabs) / sizeof(*slabs))

/* One object for each killed worker would be a leak. */
static bool slabs_back(const long *before, int kills)
{
	int i;

	for (i = 0; i < SLABS; i++)
		if (slab_objects(slabs[i]) >= before[i] + kills)
			return false;
	return true;
}

static void kill_one(struct __test_metadata *_metadata,
		     FIXTURE_DATA(killed) *self, unsigned int *seed)
{
	struct worker *w = &self->crew.w[rand_r(seed) % WORKERS];
	uint64_t before;
	pid_t pid;

	usleep(rand_r(seed) % 10000);
	pid = w->pid;
	ASSERT_EQ(0, kill(pid, SIGKILL));
	/* Every other one has its successor while it dies. */
	if (rand_r(seed) & 1) {
		ASSERT_EQ(0, worker_start(w));
		reap(pid);
	} else {
		reap(pid);
		before = clients_sum(self->clients).answered;
		ASSERT_TRUE(until(before <
				  clients_sum(self->clients).answered));
		ASSERT_EQ(0, worker_start(w));
	}
}

TEST_F_TIMEOUT(killed, worker__any_moment, 3600)
{
	int i, kills = fault_count(60, 200);
	unsigned int seed = getpid();
	long before[SLABS];
	struct client_counts sum;

	for (i = 0; i < SLABS; i++) {
		before[i] = slab_objects(slabs[i]);
		ASSERT_LE(0, before[i]);
	}
	TH_LOG("seed %u", seed);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, 7001, true));
	clients_start(self->clients, &self->trial, 7001, WORKERS);
	ASSERT_TRUE(until(clients_flow(self->clients, 20)));
	for (i = 0; i < kills; i++)
		kill_one(_metadata, self, &seed);
	self->clients->stop = true;
	EXPECT_TRUE(until(clients_done(self->clients)));
	sum = clients_sum(self->clients);
	TH_LOG("%d killed: %lu connections, %lu answered, "
	       "%lu accepted by the killed, %lu rescued",
	       kills, sum.made, sum.answered, sum.ended,
	       count(FSK_STAT_RESCUED));
	EXPECT_EQ(0, sum.reset);
	EXPECT_EQ(0, sum.failed);
	EXPECT_EQ(0, sum.left);
	/* A worker has one at a time. */
	EXPECT_LE(sum.ended, kills);
	EXPECT_EQ(sum.made, sum.answered + sum.ended);
	EXPECT_EQ(sum.made, count_accepts());
	EXPECT_LE(1, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(0, crew_failed(&self->crew));

	clients_end(self->clients);
	crew_end(&self->crew);
	for (i = 0; i < WORKERS; i++)
		close(self->lfd[i]);
	EXPECT_TRUE(until(!listeners()));
	EXPECT_TRUE(until(slabs_back(before, kills)));
}

TEST_HARNESS_MAIN
