// SPDX-License-Identifier: GPL-2.0
/*
 * Workers take the connections of their own core, however they wait; and
 * accept() is the accept() that programs know.
 */
#include "kselftest_harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "counters.h"
#include "support.h"
#include "workers.h"

#define ROUNDS	4

struct site {
	struct trial trial;
	struct crew crew;
	int cpus;
};

static int site_set_up(struct site *site, const struct trial *trial)
{
	site->trial = *trial;
	site->cpus = cpus_online();
	if (site->cpus > WORKERS_MAX)
		site->cpus = WORKERS_MAX;
	return net_enter() ?: rescue_set_ms(0) ?: crew_make(&site->crew);
}

/* What also holds on the plain kernel. */
FIXTURE(accept) {
	struct site site;
};

TRIAL_VARIANTS(accept);
TRIAL_VARIANTS_PLAIN(accept);

FIXTURE_SETUP(accept)
{
	ASSERT_LE(2, cpus_online());
	ASSERT_EQ(0, site_set_up(&self->site, &variant->trial));
}

FIXTURE_TEARDOWN(accept)
{
	crew_end(&self->site.crew);
}

/* What only joined listeners do. */
FIXTURE(joined) {
	struct site site;
};

TRIAL_VARIANTS(joined);

FIXTURE_SETUP(joined)
{
	ASSERT_LE(2, cpus_online());
	ASSERT_EQ(0, site_set_up(&self->site, &variant->trial));
}

FIXTURE_TEARDOWN(joined)
{
	crew_end(&self->site.crew);
}

/* One worker for each CPU on one listener. */
static int crew_of_all(struct crew *c, int fd, enum method method, int cpus)
{
	int cpu;

	for (cpu = 0; cpu < cpus; cpu++)
		crew_add(c, fd, method, cpu);
	return 0;
}

/* Each CPU connects; return how many were answered by the worker with the
 * CPU's number, or a negative errno of the first that was not answered.
 */
static int ask_from_all(const struct trial *p, int port, int cpus)
{
	int round, cpu, who, right = 0;

	for (round = 0; round < ROUNDS; round++) {
		for (cpu = 0; cpu < cpus; cpu++) {
			pin(cpu);
			who = ask(p, port);
			if (who < 0)
				return who;
			right += who == cpu;
		}
	}
	unpin();
	return right;
}

/* The counters after @n connections, all of them accepted where they came in;
 * a listener that did not join is counted nowhere.
 */
static void expect_local(struct __test_metadata *_metadata, bool joined, int n)
{
	EXPECT_EQ(joined ? n : 0, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(joined ? n : 0, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(0, count(FSK_STAT_SYN_UNCLAIMED));
	EXPECT_EQ(0, count(FSK_STAT_ACCEPT_APP));
	EXPECT_EQ(0, count(FSK_STAT_ACCEPT_OTHER));
	EXPECT_EQ(0, count(FSK_STAT_RESCUE));
}

static void check_method(struct __test_metadata *_metadata,
			 struct site *self, enum method method,
			 bool threads)
{
	struct crew *c = &self->crew;
	bool joined = self->trial.join;
	int fd, n, right;

	if (method_missing(method))
		SKIP(return, "no io_uring here or no liburing at build time");
	fd = sock_listen(&self->trial, 128);
	ASSERT_LE(0, fd);
	crew_of_all(c, fd, method, self->cpus);
	ASSERT_EQ(0, threads ? crew_start_threads(c) : crew_start(c));
	ASSERT_TRUE(crew_waits(c, sock_port(fd), joined));
	n = self->cpus * ROUNDS;
	right = ask_from_all(&self->trial, sock_port(fd), self->cpus);
	EXPECT_LE(0, right);
	if (joined)
		EXPECT_EQ(n, right);
	EXPECT_EQ(n, crew_accepted(c));
	EXPECT_EQ(0, crew_failed(c));
	expect_local(_metadata, joined, n);
}

#define METHOD_TEST(name, method)					\
	TEST_F(accept, name##__processes) {				\
		check_method(_metadata, &self->site, method, false);	\
	}

METHOD_TEST(accept, BY_ACCEPT)
METHOD_TEST(accept_timeo, BY_ACCEPT_TIMEO)
METHOD_TEST(poll, BY_POLL)
METHOD_TEST(select, BY_SELECT)
METHOD_TEST(epoll_level, BY_EPOLL_LEVEL)
METHOD_TEST(epoll_edge, BY_EPOLL_EDGE)
METHOD_TEST(epoll_exclusive, BY_EPOLL_EXCLUSIVE)
METHOD_TEST(epoll_oneshot, BY_EPOLL_ONESHOT)
METHOD_TEST(uring_single, BY_URING_SINGLE)
METHOD_TEST(uring_multishot, BY_URING_MULTI)

TEST_F(accept, accept__threads)
{
	check_method(_metadata, &self->site, BY_ACCEPT, true);
}

TEST_F(accept, poll__threads)
{
	check_method(_metadata, &self->site, BY_POLL, true);
}

TEST_F(accept, epoll__threads)
{
	check_method(_metadata, &self->site, BY_EPOLL_LEVEL, true);
}

TEST_F(accept, uring__threads)
{
	check_method(_metadata, &self->site, BY_URING_MULTI, true);
}

/* Arrangements */

TEST_F(accept, reuseport__all_local)
{
	struct crew *c = &self->site.crew;
	int fd, cpu, on = 1, port = 0;

	for (cpu = 0; cpu < self->site.cpus; cpu++) {
		fd = sock_make(&self->site.trial);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on,
					sizeof(on)));
		ASSERT_EQ(0, sock_bind(&self->site.trial, fd, port));
		ASSERT_EQ(0, listen(fd, 128));
		if (self->site.trial.join)
			ASSERT_EQ(0, join(fd));
		port = sock_port(fd);
		crew_add(c, fd, BY_EPOLL_LEVEL, cpu);
	}
	ASSERT_EQ(0, crew_start(c));
	ASSERT_TRUE(crew_waits(c, port, self->site.trial.join));
	cpu = ask_from_all(&self->site.trial, port, self->site.cpus);
	EXPECT_LE(0, cpu);
	if (self->site.trial.join)
		EXPECT_EQ(self->site.cpus * ROUNDS, cpu);
	expect_local(_metadata, self->site.trial.join,
		     self->site.cpus * ROUNDS);
}

#define LISTENERS 3

/* One process with several listeners in one epoll set. */
static void serve_many(const int *lfd, int cpu)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int i, fd, ep = epoll_create1(0);
	uint8_t id;

	if (pin(cpu))
		_exit(1);
	for (i = 0; i < LISTENERS; i++) {
		ev.data.u32 = i;
		if (epoll_ctl(ep, EPOLL_CTL_ADD, lfd[i], &ev))
			_exit(1);
	}
	for (;;) {
		if (epoll_wait(ep, &ev, 1, -1) != 1)
			_exit(1);
		id = ev.data.u32;
		fd = accept4(lfd[id], NULL, NULL, SOCK_NONBLOCK);
		if (fd < 0 || write(fd, &id, 1) != 1)
			_exit(1);
		close(fd);
	}
}

TEST_F(accept, listeners__several_per_process)
{
	int i, cpu = 1, lfd[LISTENERS];
	pid_t pid;

	for (i = 0; i < LISTENERS; i++) {
		lfd[i] = sock_listen(&self->site.trial, 16);
		ASSERT_LE(0, lfd[i]);
	}
	pid = fork_child();
	if (!pid)
		serve_many(lfd, cpu);
	if (self->site.trial.join)
		for (i = 0; i < LISTENERS; i++)
			EXPECT_TRUE(until(claims(sock_port(lfd[i])) == 1));
	pin(cpu);
	for (i = 0; i < LISTENERS * ROUNDS; i++)
		EXPECT_EQ(i % LISTENERS,
			  ask(&self->site.trial,
			      sock_port(lfd[i % LISTENERS])));
	unpin();
	end(pid);
	expect_local(_metadata, self->site.trial.join, LISTENERS * ROUNDS);
}

TEST_F(joined, mixed__bound_and_unbound)
{
	int i, port, fd = sock_listen(&self->site.trial, 128);
	struct worker *bound, *other;

	ASSERT_LE(0, fd);
	port = sock_port(fd);
	bound = crew_add(&self->site.crew, fd, BY_EPOLL_LEVEL, 1);
	other = crew_add(&self->site.crew, fd, BY_EPOLL_LEVEL, UNBOUND);
	ASSERT_EQ(0, worker_start(bound));
	ASSERT_TRUE(until(claims(port) == 1));
	/* It takes a queue that nobody has. */
	ASSERT_EQ(0, worker_start(other));
	ASSERT_TRUE(until(claims(port) == 2));
	pin(1);
	for (i = 0; i < ROUNDS; i++)
		EXPECT_EQ(bound->id, ask(&self->site.trial, port));
	EXPECT_EQ(ROUNDS, count(FSK_STAT_ACCEPT_LOCAL));
	/* The other one has a queue, too; see placement.c. */
	pin(0);
	for (i = 0; i < ROUNDS; i++)
		EXPECT_LE(0, ask(&self->site.trial, port));
	EXPECT_EQ(2 * ROUNDS, count_accepts());
}

/* Wake-ups */

static void ask_many(const struct trial *p, int port, int cpu, int n)
{
	if (pin(cpu))
		_exit(1);
	while (n--)
		if (ask(p, port) < 0)
			_exit(1);
	_exit(0);
}

static void check_wakeups(struct __test_metadata *_metadata,
			  struct site *self, enum method method)
{
	int i, each = full_run() ? 500 : 50, fd, n;
	uint64_t wakeups = 0, idle = 0;
	struct crew *c = &self->crew;
	pid_t pid[WORKERS_MAX];

	fd = sock_listen(&self->trial, 1024);
	ASSERT_LE(0, fd);
	crew_of_all(c, fd, method, self->cpus);
	ASSERT_EQ(0, crew_start(c));
	ASSERT_TRUE(crew_waits(c, sock_port(fd), true));
	for (i = 0; i < self->cpus; i++) {
		pid[i] = fork_child();
		if (!pid[i])
			ask_many(&self->trial, sock_port(fd), i, each);
	}
	for (i = 0; i < self->cpus; i++)
		EXPECT_EQ(0, reap(pid[i]));
	n = each * self->cpus;
	for (i = 0; i < c->n; i++) {
		wakeups += c->w[i].wakeups;
		idle += c->w[i].idle;
	}
	EXPECT_EQ(n, crew_accepted(c));
	expect_local(_metadata, true, n);
	EXPECT_LE(idle * 20, n);
	EXPECT_LE(wakeups * 20, n * 21);
}

/* Tasks that wait by one epoll set, which another one has filled.  Which of
 * them is woken has nothing to do with the queue that the item is in.
 */
static void serve_set(int ep, int fd, int cpu)
{
	struct epoll_event event;
	uint8_t id = cpu;
	int child;

	if (pin(cpu))
		_exit(1);
	for (;;) {
		if (epoll_wait(ep, &event, 1, -1) != 1)
			_exit(2);
		child = accept(fd, NULL, NULL);
		if (child < 0 && errno == EAGAIN)
			continue;
		if (child < 0 || write(child, &id, 1) != 1)
			_exit(3);
		close(child);
	}
}

#define LONG_MS	5000

/* No connection waits in the queue of whoever takes it, nor in the item's, for
 * somebody to be late.
 */
static void check_shared_set(struct __test_metadata *_metadata,
			     struct site *site, int fd)
{
	struct epoll_event event = { EPOLLIN | EPOLLET };
	uint64_t begin, took, slowest = 0;
	int i, cpu, ep = epoll_create1(0);
	pid_t pid[WORKERS_MAX];

	ASSERT_EQ(0, rescue_set_ms(LONG_MS));
	ASSERT_EQ(0, late_set_ms(LONG_MS));
	ASSERT_EQ(0, pin(0));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	for (cpu = 0; cpu < site->cpus; cpu++) {
		pid[cpu] = fork_child();
		if (!pid[cpu])
			serve_set(ep, fd, cpu);
	}
	for (i = 0; i < site->cpus * ROUNDS; i++) {
		pin(i % site->cpus);
		begin = now_ms();
		ASSERT_LE(0, ask(&site->trial, sock_port(fd)));
		took = now_ms() - begin;
		slowest = took > slowest ? took : slowest;
	}
	EXPECT_GT(LONG_MS, slowest);
	EXPECT_EQ(site->cpus * ROUNDS, count_accepts());
	EXPECT_EQ(0, count(FSK_STAT_LATE));
	for (cpu = 0; cpu < site->cpus; cpu++)
		end(pid[cpu]);
}

/* The listener blocks: each would have a queue of its own once it accepts. */
TEST_F_TIMEOUT(joined, set__shared_by_all, 300)
{
	int fd = sock_listen(&self->site.trial, 128);

	ASSERT_LE(0, fd);
	check_shared_set(_metadata, &self->site, fd);
}

/* It does not, and each has a queue of its own for its socket files. */
TEST_F_TIMEOUT(joined, set__shared_nonblocking, 300)
{
	int fd = sock_listen(&self->site.trial, 128);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, vfs_set(true));
	check_shared_set(_metadata, &self->site, fd);
}

TEST_F(joined, wakeups__poll)
{
	check_wakeups(_metadata, &self->site, BY_POLL);
}

TEST_F(joined, wakeups__epoll)
{
	check_wakeups(_metadata, &self->site, BY_EPOLL_LEVEL);
}

/* How often a task has gone to sleep. */
static long slept_of(pid_t pid)
{
	char path[64], line[128];
	FILE *file;
	long n = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
			break;
	if (file)
		fclose(file);
	return n;
}

static long crew_slept(const struct crew *c)
{
	long n = 0;
	int i;

	for (i = 0; i < c->n; i++)
		n += slept_of(c->w[i].pid);
	return n;
}

/* A filter leaves all connections to the app listener.  Each wakes one worker,
 * not one on each core, though the one who has waited longest there is not the
 * one who asked last.
 */
TEST_F(joined, wakeups__two_on_each_core)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, -1);
	struct sock_fprog filter = { 1, &all };
	struct site *site = &self->site;
	struct crew *c = &site->crew;
	int i, n = 20 * site->cpus, fd = sock_listen(&site->trial, 128);
	long slept;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
				sizeof(filter)));
	crew_of_all(c, fd, BY_ACCEPT, site->cpus);
	for (i = 0; i < site->cpus; i++)
		crew_add(c, fd, BY_ACCEPT, i);
	ASSERT_EQ(0, crew_start(c));
	ASSERT_TRUE(crew_waits(c, sock_port(fd), false));
	slept = crew_slept(c);
	for (i = 0; i < n; i++)
		ASSERT_LE(0, ask(&site->trial, sock_port(fd)));
	slept = crew_slept(c) - slept;
	EXPECT_EQ(n, count(FSK_STAT_SYN_BYPASSED));
	TH_LOG("%d connections woke %ld workers", n, slept);
	EXPECT_GE(n + n / 4, slept);
}

/* The call itself */

static int listen_claimed(const struct trial *p)
{
	int fd = sock_listen(p, 16);

	return fd < 0 || sock_claim(fd, 1) ? fd : -EBUSY;
}

TEST_F(accept, accept__address_and_flags)
{
	struct sockaddr_in6 peer, name;
	socklen_t len = sizeof(peer);
	int fd, client, child;

	fd = listen_claimed(&self->site.trial);
	ASSERT_LE(0, fd);
	client = sock_dial(&self->site.trial, sock_port(fd));
	ASSERT_LE(0, client);
	child = accept4(fd, (void *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ASSERT_LE(0, child);
	EXPECT_EQ(self->site.trial.family == AF_INET ?
		  sizeof(struct sockaddr_in) : sizeof(peer), len);
	EXPECT_EQ(self->site.trial.family, peer.sin6_family);
	EXPECT_EQ(sock_port(client), ntohs(peer.sin6_port));
	if (self->site.trial.dual)
		EXPECT_TRUE(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
	len = sizeof(name);
	EXPECT_EQ(0, getsockname(child, (void *)&name, &len));
	EXPECT_EQ(sock_port(fd), ntohs(name.sin6_port));
	EXPECT_EQ(O_NONBLOCK, fcntl(child, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(FD_CLOEXEC, fcntl(child, F_GETFD));
	EXPECT_EQ(self->site.trial.join, count(FSK_STAT_ACCEPT_LOCAL));
}

TEST_F(accept, accept__bad_arguments)
{
	int fd = listen_claimed(&self->site.trial);
	socklen_t len = -1;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, accept4(fd, NULL, NULL, 0x40000000));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_LE(0, sock_dial(&self->site.trial, sock_port(fd)));
	/* The connection is taken and lost, as the plain kernel does it. */
	EXPECT_EQ(-1, accept4(fd, (void *)&len, &len, 0));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, accept4(fd, NULL, NULL, 0));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(self->site.trial.join, count(FSK_STAT_ACCEPT_LOCAL));
}

/* Without a free descriptor accept() fails, and the connection waits. */
TEST_F(accept, accept__no_descriptor)
{
	int lfd = listen_claimed(&self->site.trial);
	struct rlimit limit, none;
	int client, child;

	ASSERT_LE(0, lfd);
	client = sock_dial(&self->site.trial, sock_port(lfd));
	ASSERT_LE(0, client);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	child = accept(lfd, NULL, NULL);
	EXPECT_EQ(-1, child);
	EXPECT_EQ(EMFILE, errno);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(0, count_accepts());
	child = sock_accept(lfd);
	EXPECT_LE(0, child);
	expect_local(_metadata, self->site.trial.join, 1);
	EXPECT_EQ(1, write(client, "x", 1));
	EXPECT_TRUE(sock_wait(child, POLLIN, PATIENCE_MS));
}

TEST_F(accept, accept__times_out)
{
	struct timeval tv = { .tv_usec = 60000 };
	int fd = listen_claimed(&self->site.trial);
	uint64_t begin = now_ms();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	EXPECT_EQ(-1, accept(fd, NULL, NULL));
	EXPECT_EQ(EAGAIN, errno);
	/* The kernel counts ticks, of which an emulator makes up several at
	 * once when it was late: not by the clock, but not at once either.
	 */
	EXPECT_LE(20, now_ms() - begin);
	/* It held its core meanwhile. */
	EXPECT_EQ(self->site.trial.join, claims(sock_port(fd)));
}

TEST_F(accept, poll__events)
{
	struct pollfd pfd = { .events = POLLIN | POLLOUT | POLLRDNORM };
	int client;

	pfd.fd = listen_claimed(&self->site.trial);
	ASSERT_LE(0, pfd.fd);
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	client = sock_dial(&self->site.trial, sock_port(pfd.fd));
	ASSERT_LE(0, client);
	EXPECT_EQ(1, poll(&pfd, 1, -1));
	EXPECT_EQ(POLLIN | POLLRDNORM, pfd.revents);
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_LE(0, accept(pfd.fd, NULL, NULL));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	EXPECT_EQ(self->site.trial.join, count(FSK_STAT_ACCEPT_LOCAL));
}

/* Signals */

static volatile int *signals;	/* shared with the child */

static void note_signal(int sig)
{
	++*signals;
}

/* A page of zeroes that a child shares. */
static int signals_make(void)
{
	signals = mmap(NULL, sizeof(*signals), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return signals == MAP_FAILED ? -errno : 0;
}

/* Exits with the errno of accept(), or 0 when it got a connection. */
static void accept_one(int fd, int sa_flags)
{
	struct sigaction sa = { .sa_handler = note_signal,
				.sa_flags = sa_flags };

	if (pin(1) || sigaction(SIGUSR1, &sa, NULL))
		_exit(255);
	_exit(accept(fd, NULL, NULL) < 0 ? errno : 0);
}

/* No counter tells whether a task sleeps; the function it sleeps in does. */
static bool sleeps(pid_t pid)
{
	char path[64], where[128] = "";
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	ok = fgets(where, sizeof(where), file) && strstr(where, "accept");
	fclose(file);
	return ok;
}

TEST_F(accept, accept__interrupted)
{
	int fd = sock_listen(&self->site.trial, 16);
	pid_t pid;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, signals_make());
	pid = fork_child();
	if (!pid)
		accept_one(fd, 0);
	EXPECT_TRUE(until(sleeps(pid)));
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, reap(pid));
	EXPECT_EQ(1, *signals);
	EXPECT_EQ(self->site.trial.join, count(FSK_STAT_LOCAL_CREATE));
}

TEST_F(accept, accept__restarted)
{
	int fd = sock_listen(&self->site.trial, 16);
	pid_t pid;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, signals_make());
	pid = fork_child();
	if (!pid)
		accept_one(fd, SA_RESTART);
	EXPECT_TRUE(until(sleeps(pid)));
	kill(pid, SIGUSR1);
	/* It sleeps still, until it has had it. */
	EXPECT_TRUE(until(*signals == 1 && sleeps(pid)));
	pin(1);
	EXPECT_LE(0, sock_dial(&self->site.trial, sock_port(fd)));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(self->site.trial.join, count(FSK_STAT_ACCEPT_LOCAL));
}

TEST_HARNESS_MAIN
