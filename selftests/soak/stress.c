// SPDX-License-Identifier: GPL-2.0
/*
 * Many listeners, listeners and cores that come and go under load.
 */
#include "kselftest_harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ipv6.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "counters.h"
#include "support.h"
#include "workers.h"

FIXTURE(stress) {
	struct trial trial;
	struct crew crew;
	pid_t load[3];
};

TRIAL_VARIANTS(stress);

FIXTURE_SETUP(stress)
{
	struct rlimit limit = { 100000, 100000 };

	self->trial = variant->trial;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	ASSERT_EQ(0, crew_make(&self->crew));
}

FIXTURE_TEARDOWN(stress)
{
	int i;

	for (i = 0; i < 3; i++)
		end(self->load[i]);
	crew_end(&self->crew);
}

/* Connects for ever; reads the tables in between. */
static pid_t load_start(const struct trial *p, int port, int cpu)
{
	static struct core_row rows[ROWS_MAX];
	pid_t pid = fork_child();
	int fd, i;

	if (pid)
		return pid;
	close_range(3, ~0U, 0);
	if (cpu != UNBOUND)
		pin(cpu);
	for (i = 0;; i++) {
		fd = sock_dial(p, port);
		if (fd >= 0)
			sock_reset(fd);
		if (i % 16 == 0)
			rows_get(rows, ROWS_MAX);
	}
}

static int listen_on(const struct trial *p, int port)
{
	int fd = sock_make(p);

	if (fd < 0 || sock_bind(p, fd, port) || listen(fd, 64) || join(fd))
		return -errno;
	return fd;
}

TEST_F_TIMEOUT(stress, listeners__closed_under_load, 600)
{
	int i, n, fd, port = 7000, rounds = full_run() ? 200 : 20;
	struct crew *c = &self->crew;

	for (i = 0; i < 3; i++)
		self->load[i] = load_start(&self->trial, port, i % 2);
	for (n = 0; n < rounds; n++) {
		fd = listen_on(&self->trial, port);
		ASSERT_LE(0, fd);
		c->n = 0;
		for (i = 0; i < 2; i++)
			crew_add(c, fd, n & 1 ? BY_EPOLL_LEVEL : BY_ACCEPT, i);
		ASSERT_EQ(0, crew_start(c));
		EXPECT_TRUE(until(crew_accepted(c) > 0));
		/* Every other time the listener goes with its workers alive */
		if (n & 2)
			EXPECT_EQ(0, shutdown(fd, SHUT_RDWR));
		crew_end(c);
		EXPECT_EQ(0, close(fd));
		for (i = 0; i < c->n; i++) {
			c->w[i].accepted = 0;
			c->w[i].failed = 0;
		}
	}
	EXPECT_TRUE(until(!listeners()));
	EXPECT_LE(1, count(FSK_STAT_SYN_LOCAL));
	EXPECT_LE(rounds, count_accepts());
}

/* Address number @nth of the loopback interface. */
static int address(const struct trial *p, struct sockaddr_storage *ss, int nth,
		   int port)
{
	struct sockaddr_in6 *sin6 = (void *)ss;
	struct sockaddr_in *sin = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = p->family;
	if (p->family == AF_INET) {
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK + nth);
		sin->sin_port = htons(port);
		return sizeof(*sin);
	}
	inet_pton(AF_INET6, p->dual ? "::ffff:127.0.0.1" : "fd77:6::1",
		  &sin6->sin6_addr);
	sin6->sin6_addr.s6_addr[15] += nth;
	sin6->sin6_port = htons(port);
	return sizeof(*sin6);
}

static bool address_free(const struct sockaddr_storage *ss, int len)
{
	int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = !bind(fd, (void *)ss, len);

	close(fd);
	return ok;
}

/* IPv6 has but one loopback address.  A new one is usable after a moment. */
static bool address_add(const struct trial *p, int nth)
{
	struct in6_ifreq ifr = { .ifr6_prefixlen = 128, .ifr6_ifindex = 1 };
	struct sockaddr_storage ss;
	int len = address(p, &ss, nth, 0);
	int fd, err;

	if (p->dual || p->family == AF_INET)
		return true;
	ifr.ifr6_addr = ((struct sockaddr_in6 *)&ss)->sin6_addr;
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	err = ioctl(fd, SIOCSIFADDR, &ifr);
	close(fd);
	return !err && until(address_free(&ss, len));
}

static int listen_at(const struct trial *p, int nth, int port)
{
	struct sockaddr_storage ss;
	int len = address(p, &ss, nth, port);
	int fd = sock_make(p);

	if (fd < 0 || bind(fd, (void *)&ss, len) || listen(fd, 1) || join(fd))
		return -errno;
	return fd;
}

static bool serves_at(const struct trial *p, int fd, int nth, int port)
{
	struct sockaddr_storage ss;
	int len = address(p, &ss, nth, port);
	int client = socket(p->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int child = -1;

	if (!connect(client, (void *)&ss, len))
		child = sock_accept(fd);
	sock_reset(client);
	if (child >= 0)
		close(child);
	return child >= 0;
}

/* As many joined listeners as there are ports, on several addresses.  Some have
 * a core.
 */
TEST_F_TIMEOUT(stress, listeners__many, 600)
{
	int n = full_run() ? 65536 : 2000, per_address = n / 4, every = 100;
	const struct trial *p = &self->trial;
	int i, opened = 0, served = 0;
	int *fd = calloc(n, sizeof(*fd));

	ASSERT_NE(NULL, fd);
	for (i = 0; i < 4; i++)
		ASSERT_TRUE(address_add(p, i));
	for (i = 0; i < n; i++) {
		fd[i] = listen_at(p, i / per_address, 1024 + i % per_address);
		if (fd[i] < 0)
			break;
		opened++;
	}
	ASSERT_EQ(n, opened);
	for (i = 0; i < n; i += every) {
		EXPECT_TRUE(sock_claim(fd[i], 1));
		served += serves_at(p, fd[i], i / per_address,
				    1024 + i % per_address);
	}
	EXPECT_EQ((n + every - 1) / every, served);
	EXPECT_EQ(served, count(FSK_STAT_LOCAL_CREATE));
	EXPECT_EQ(served, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(served, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(1, hooks_on());
	/* Other listeners have the same ports. */
	for (i = 0; i < per_address; i++)
		close(fd[i]);
	EXPECT_TRUE(sock_claim(fd[i], 1));
	EXPECT_TRUE(serves_at(p, fd[i], 1, 1024));
	EXPECT_EQ(served + 1, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(1, hooks_on());
	for (; i < n; i++)
		close(fd[i]);
	EXPECT_TRUE(until(!listeners()));
	free(fd);
}

/* The kernel unbinds a worker whose core goes; nobody may wait for ever. */
TEST_F_TIMEOUT(stress, cpu__offline_and_back, 600)
{
	int i, n, cpu, fd, cpus = cpus_online(), rounds = full_run() ? 10 : 2;
	struct crew *c = &self->crew;

	fd = sock_listen(&self->trial, 128);
	ASSERT_LE(0, fd);
	for (i = 0; i < cpus && i < WORKERS_MAX; i++)
		crew_add(c, fd, BY_EPOLL_LEVEL, i);
	ASSERT_EQ(0, crew_start(c));
	ASSERT_TRUE(crew_waits(c, sock_port(fd), true));
	self->load[0] = load_start(&self->trial, sock_port(fd), UNBOUND);
	for (n = 0; n < rounds; n++) {
		cpu = 1 + n % (cpus - 1);
		ASSERT_EQ(0, cpu_switch(cpu, false));
		for (i = 0; i < 20; i++)
			EXPECT_LE(0, ask(&self->trial, sock_port(fd)));
		ASSERT_EQ(0, cpu_switch(cpu, true));
		for (i = 0; i < 20; i++) {
			pin(i % cpus);
			EXPECT_LE(0, ask(&self->trial, sock_port(fd)));
		}
		unpin();
	}
	EXPECT_EQ(0, crew_failed(c));
	EXPECT_LE(1, count(FSK_STAT_ACCEPT_LOCAL));
}

/* The namespace goes with all that is in it. */
TEST_F_TIMEOUT(stress, net__ends_under_load, 600)
{
	int n, rounds = full_run() ? 50 : 5, fd;
	pid_t pid;

	for (n = 0; n < rounds; n++) {
		pid = fork_child();
		if (!pid) {
			if (net_enter())
				_exit(1);
			fd = sock_listen(&self->trial, 16);
			if (fd < 0 || !sock_claim(fd, 1))
				_exit(2);
			load_start(&self->trial, sock_port(fd), 1);
			if (sock_accept(fd) < 0 ||
			    !count(FSK_STAT_SYN_LOCAL))
				_exit(3);
			_exit(0);
		}
		EXPECT_EQ(0, reap(pid));
	}
	EXPECT_EQ(0, count(FSK_STAT_SYN_LOCAL));
}

TEST_HARNESS_MAIN
