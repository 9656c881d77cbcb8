// SPDX-License-Identifier: GPL-2.0
/*
 * Unloading: refused while a listener has joined, clean otherwise, under load.
 * Primed sockets don't hold it.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "counters.h"
#include "support.h"
#include "workers.h"

#define OPEN_CONNECTIONS 1000

FIXTURE(module) {
	struct trial trial;
	struct crew crew;
	pid_t flood[2];
	int client[OPEN_CONNECTIONS];
	int child[OPEN_CONNECTIONS];
};

TRIAL_VARIANTS(module);

FIXTURE_SETUP(module)
{
	struct rlimit limit = { 8192, 8192 };
	int err = module_load();

	ASSERT_TRUE(!err || err == -EEXIST);
	self->trial = variant->trial;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	ASSERT_EQ(0, crew_make(&self->crew));
}

/* The next test wants the module loaded. */
FIXTURE_TEARDOWN(module)
{
	end(self->flood[0]);
	end(self->flood[1]);
	crew_end(&self->crew);
	module_load();
}

/* Connects for ever, whether anybody is there or not. */
static pid_t flood_start(const struct trial *p, int port, int cpu)
{
	pid_t pid = fork_child();
	int fd;

	if (pid)
		return pid;
	/* Not the listener: the test closes the last descriptor of it. */
	close_range(3, ~0U, 0);
	pin(cpu);
	for (;;) {
		fd = sock_dial(p, port);
		if (fd >= 0)
			sock_reset(fd);
	}
}

static int listen_on(const struct trial *p, int port)
{
	int fd = sock_make(p);

	if (fd < 0 || sock_bind(p, fd, port) || listen(fd, 256) || join(fd))
		return -errno;
	return fd;
}

static int listen_plain(const struct trial *p)
{
	const struct trial plain = { p->family, p->dual, false };
	int fd = sock_make(&plain);

	if (fd >= 0 && (sock_bind(&plain, fd, 0) || listen(fd, 4096)))
		return -errno;
	return fd;
}

TEST_F(module, unload__refused_while_joined)
{
	int fd = sock_make(&self->trial);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, join(fd));
	EXPECT_EQ(-EAGAIN, module_unload());
	ASSERT_EQ(0, sock_bind(&self->trial, fd, 0));
	ASSERT_EQ(0, listen(fd, 16));
	EXPECT_EQ(-EAGAIN, module_unload());
	ASSERT_TRUE(sock_claim(fd, 1));
	ASSERT_LE(0, sock_dial(&self->trial, sock_port(fd)));
	EXPECT_EQ(-EAGAIN, module_unload());
	EXPECT_EQ(1, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(0, close(fd));
	EXPECT_TRUE(until(!module_unload()));
	EXPECT_EQ(-ENOENT, hooks_on());
	/* Without the module, and without the right to load it. */
	EXPECT_EQ(-ENOENT, module_unload());
}

TEST_F(module, unload__children_live_on)
{
	int fd = sock_listen(&self->trial, 16);
	int client, child;
	char byte;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(sock_claim(fd, 1));
	client = sock_dial(&self->trial, sock_port(fd));
	ASSERT_LE(0, client);
	child = sock_accept(fd);
	ASSERT_LE(0, child);
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(0, close(fd));
	ASSERT_TRUE(until(!module_unload()));
	EXPECT_EQ(1, write(client, "x", 1));
	EXPECT_EQ(1, read(child, &byte, 1));
	EXPECT_EQ(0, close(child));
	EXPECT_EQ(0, read(client, &byte, 1));
}

TEST_F(module, join__without_module)
{
	struct trial plain = self->trial;
	pid_t pid;
	int fd;

	plain.join = false;
	ASSERT_TRUE(until(!module_unload()));
	fd = sock_listen(&plain, 16);
	ASSERT_LE(0, fd);
	/* Without privilege, nothing loads it. */
	pid = fork_child();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(255);
		_exit(-join(fd));
	}
	EXPECT_EQ(ENOENT, reap(pid));
	EXPECT_LE(0, sock_dial(&self->trial, sock_port(fd)));
	EXPECT_LE(0, sock_accept(fd));
}

static int connections_open(FIXTURE_DATA(module) *self, int fd, int port)
{
	int i;

	for (i = 0; i < OPEN_CONNECTIONS; i++) {
		self->client[i] = sock_dial(&self->trial, port);
		if (self->client[i] < 0)
			return self->client[i];
		self->child[i] = sock_accept(fd);
		if (self->child[i] < 0)
			return self->child[i];
	}
	return 0;
}

/* How many still carry data; none is open afterwards. */
static int connections_close(FIXTURE_DATA(module) *self)
{
	int i, alive = 0;
	char byte;

	for (i = 0; i < OPEN_CONNECTIONS; i++) {
		alive += write(self->client[i], "x", 1) == 1 &&
			 sock_wait(self->child[i], POLLIN, PATIENCE_MS) &&
			 read(self->child[i], &byte, 1) == 1;
		sock_reset(self->client[i]);
		sock_reset(self->child[i]);
	}
	return alive;
}

/* One round: a server with many open connections and load is told to go. */
static void check_round(struct __test_metadata *_metadata,
			FIXTURE_DATA(module) *self, int port, bool first)
{
	int i, fd = listen_on(&self->trial, port);
	struct crew *c = &self->crew;

	ASSERT_LE(0, fd);
	if (first)
		ASSERT_EQ(0, connections_open(self, fd, port));
	/* Only now: they would fill the queue. */
	for (i = 0; i < 2 && !self->flood[i]; i++)
		self->flood[i] = flood_start(&self->trial, port, i);
	c->n = 0;
	for (i = 0; i < 2; i++)
		crew_add(c, fd, BY_EPOLL_LEVEL, i);
	ASSERT_EQ(0, crew_start(c));
	EXPECT_TRUE(until(crew_accepted(c) > 0));
	EXPECT_EQ(-EAGAIN, module_unload());
	EXPECT_TRUE(until(count(FSK_STAT_SYN_LOCAL) > 0));
	crew_end(c);
	EXPECT_EQ(0, close(fd));
	EXPECT_TRUE(until(!module_unload()));
	ASSERT_EQ(0, module_load());
	for (i = 0; i < c->n; i++)
		c->w[i].accepted = 0;
}

/* The connections of the first round are open in all of them. */
TEST_F_TIMEOUT(module, unload__under_load, 600)
{
	int i, port = 7000, rounds = full_run() ? 50 : 3;

	for (i = 0; i < rounds; i++)
		check_round(_metadata, self, port, !i);
	EXPECT_EQ(OPEN_CONNECTIONS, connections_close(self));
}

/* They are plain sockets afterwards, which may be primed again. */
TEST_F(module, unload__leaves_sockets_plain)
{
	struct sockaddr_storage to;
	int fd[OPEN_CONNECTIONS / 10], i, lfd = listen_plain(&self->trial);
	socklen_t len = sock_addr(&to, self->trial.family, sock_port(lfd),
				  true);

	ASSERT_LE(0, lfd);
	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = socket(self->trial.family, SOCK_STREAM, 0);
		ASSERT_LE(0, fd[i]);
		if (prime(fd[i]) == -ENOENT)
			SKIP(return, "sockets have no port range here");
		ASSERT_EQ(-EALREADY, prime(fd[i]));
	}
	EXPECT_EQ(0, module_unload());
	EXPECT_EQ(-ENOENT, module_unload());
	EXPECT_EQ(0, connect(fd[0], (void *)&to, len));
	EXPECT_EQ(0, listen(fd[1], 1));
	ASSERT_EQ(0, module_load());
	EXPECT_EQ(-EISCONN, prime(fd[0]));
	for (i = 2; i < ARRAY_SIZE(fd); i++) {
		EXPECT_EQ(0, prime(fd[i]));
		EXPECT_EQ(0, connect(fd[i], (void *)&to, len));
	}
	EXPECT_EQ(i - 2, count(FSK_STAT_CONNECT_OWN) +
			 count(FSK_STAT_CONNECT_ANY));
}

/* Primes sockets for ever, whether the module is there or not, and connects
 * half of them; the others it closes.
 */
static pid_t rfd_flood_start(const struct trial *p, int port, int cpu)
{
	pid_t pid = fork_child();
	struct sockaddr_storage to;
	socklen_t len;
	int fd, i;

	if (pid)
		return pid;
	pin(cpu);
	len = sock_addr(&to, p->family, port, true);
	for (i = 0; ; i++) {
		fd = socket(p->family, SOCK_STREAM, 0);
		prime(fd);
		if (i % 2)
			connect(fd, (void *)&to, len);
		sock_reset(fd);
	}
}

TEST_F_TIMEOUT(module, unload__while_connecting, 600)
{
	int i, lfd = listen_plain(&self->trial), rounds = full_run() ? 50 : 5;
	bool used = true;

	ASSERT_LE(0, lfd);
	if (prime(socket(self->trial.family, SOCK_STREAM, 0)) == -ENOENT)
		SKIP(return, "this kernel's sockets have no port range");
	for (i = 0; i < 2; i++)
		self->flood[i] = rfd_flood_start(&self->trial, sock_port(lfd),
						 i);
	for (i = 0; i < rounds; i++) {
		used &= until(count(FSK_STAT_CONNECT_OWN) +
			      count(FSK_STAT_CONNECT_ANY) > 20);
		EXPECT_EQ(0, module_unload());
		ASSERT_EQ(0, module_load());
	}
	EXPECT_TRUE(used);
}

TEST_HARNESS_MAIN
