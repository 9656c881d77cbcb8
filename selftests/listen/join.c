// SPDX-License-Identifier: GPL-2.0
/*
 * How a listening socket joins, what it may do afterwards, and how it leaves.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "bpf.h"
#include "clients.h"
#include "counters.h"
#include "pairs.h"
#include "support.h"
#include "workers.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define CPU	1
#define ASKS	5

FIXTURE(join) {
	struct trial trial;
	struct crew crew;
};

TRIAL_VARIANTS(join);

FIXTURE_SETUP(join)
{
	self->trial = variant->trial;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(0));
	ASSERT_EQ(0, crew_make(&self->crew));
}

FIXTURE_TEARDOWN(join)
{
	crew_end(&self->crew);
}

/* A bound worker on @fd: do connections of its core reach it, and by the
 * core's own queue?
 */
static bool serves_locally(struct crew *c, const struct trial *p, int fd)
{
	uint64_t syns = count(FSK_STAT_SYN_LOCAL);
	uint64_t accepts = count(FSK_STAT_ACCEPT_LOCAL);
	uint64_t before = count_accepts();
	int i, port = sock_port(fd);
	struct worker *w;
	bool ok;

	c->n = 0;
	w = crew_add(c, fd, BY_EPOLL_LEVEL, CPU);
	ok = !crew_start(c) && crew_waits(c, port, true) && !pin(CPU);
	for (i = 0; i < ASKS && ok; i++)
		ok = ask(p, port) == w->id;
	ok = ok && count(FSK_STAT_SYN_LOCAL) == syns + ASKS &&
	     count(FSK_STAT_ACCEPT_LOCAL) == accepts + ASKS &&
	     count_accepts() == before + ASKS;
	crew_end(c);
	unpin();
	return ok;
}

TEST_F(join, ulp__join_closed)
{
	int fd = sock_make(&self->trial);

	ASSERT_LE(0, fd);
	EXPECT_FALSE(joined(fd));
	ASSERT_EQ(0, join(fd));
	EXPECT_TRUE(joined(fd));
	EXPECT_EQ(0, hooks_on());
	ASSERT_EQ(0, sock_bind(&self->trial, fd, 0));
	ASSERT_EQ(0, listen(fd, 16));
	EXPECT_EQ(1, hooks_on());
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
	EXPECT_EQ(0, close(fd));
}

TEST_F(join, ulp__join_listening)
{
	int fd = sock_listen(&self->trial, 16);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(joined(fd));
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
	EXPECT_EQ(0, close(fd));
}

TEST_F(join, ulp__join_twice)
{
	int fd = sock_listen(&self->trial, 16);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EEXIST, join(fd));
	EXPECT_TRUE(joined(fd));
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
}

TEST_F(join, ulp__join_connected)
{
	struct trial plain = self->trial;
	struct pair pair;
	int lfd;

	plain.join = false;
	lfd = sock_listen(&plain, 16);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, pair_plain(&plain, lfd, &pair));
	EXPECT_EQ(-EISCONN, join(pair.peer));
	EXPECT_EQ(-EISCONN, join(pair.fd));
	EXPECT_FALSE(joined(pair.peer));
	EXPECT_EQ(1, write(pair.peer, "x", 1));
	EXPECT_TRUE(sock_wait(pair.fd, POLLIN, PATIENCE_MS));
	EXPECT_EQ(0, hooks_on());
}

static int join_new(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);
	int err;

	if (fd < 0)
		return -errno;
	err = join(fd);
	close(fd);
	return err;
}

TEST_F(join, ulp__join_other_kinds)
{
	int family = self->trial.family;

	EXPECT_EQ(-ENOPROTOOPT, join_new(family, SOCK_DGRAM, 0));
	EXPECT_EQ(-EOPNOTSUPP, join_new(AF_UNIX, SOCK_STREAM, 0));
	EXPECT_EQ(-ENOPROTOOPT, join_new(family, SOCK_STREAM, IPPROTO_MPTCP));
	EXPECT_EQ(-EBADF, join(-1));
	EXPECT_EQ(0, hooks_on());
}

static int ulp_set(int fd, const char *name)
{
	return setsockopt(fd, SOL_TCP, TCP_ULP, name, strlen(name)) ?
	       -errno : 0;
}

/* There is room for one, and it is taken. */
TEST_F(join, ulp__no_other)
{
	const struct trial plain = { self->trial.family, self->trial.dual,
				     false };
	int one = sock_listen(&plain, 16);
	int fd = sock_listen(&self->trial, 16);
	int err;

	ASSERT_LE(0, one);
	ASSERT_LE(0, fd);
	err = ulp_set(one, "tls");
	EXPECT_EQ(-EEXIST, join(fd));
	if (err == -ENOENT)
		SKIP(return, "the kernel has no TLS");
	EXPECT_EQ(-ENOTCONN, err);
	EXPECT_EQ(-EEXIST, ulp_set(fd, "tls"));
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
}

/* Either, not both: see fastsocket(8).  Whichever came first goes on. */
TEST_F(join, ulp__or_sockmap)
{
	const struct trial plain = { self->trial.family, self->trial.dual,
				     false };
	int one = sock_listen(&plain, 16);
	int fd = sock_listen(&self->trial, 16);
	int map = bpf_map(BPF_MAP_TYPE_SOCKMAP, 2);
	struct pair pair;

	ASSERT_LE(0, one);
	ASSERT_LE(0, fd);
	if (map < 0)
		SKIP(return, "no SOCKMAP: %s", strerror(-map));
	EXPECT_EQ(-EINVAL, bpf_map_set(map, 0, fd));
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
	ASSERT_EQ(0, bpf_map_set(map, 1, one));
	EXPECT_EQ(-EOPNOTSUPP, join(one));
	EXPECT_FALSE(joined(one));
	ASSERT_EQ(0, pair_plain(&plain, one, &pair));
	EXPECT_EQ(0, bpf_map_set(map, 1, pair.fd));
	/* Out of the map it may. */
	EXPECT_EQ(0, join(one));
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, one));
}

/* A plain client of an MPTCP listener gives the server a TCP socket that the
 * kernel made for itself.  Disconnected it may listen, and join.
 */
TEST_F(join, ulp__join_left_by_mptcp)
{
	int family = self->trial.family, client, fd;
	int lfd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	if (lfd < 0)
		SKIP(return, "this kernel has no MPTCP");
	ASSERT_EQ(0, sock_bind(&self->trial, lfd, 0));
	ASSERT_EQ(0, listen(lfd, 16));
	client = sock_dial(&self->trial, sock_port(lfd));
	ASSERT_LE(0, client);
	fd = sock_accept(lfd);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EISCONN, join(fd));
	ASSERT_EQ(0, sock_disconnect(fd));
	/* It has been turned to IPv4 for good. */
	if (self->trial.dual) {
		EXPECT_EQ(-EOPNOTSUPP, join(fd));
		return;
	}
	ASSERT_EQ(0, sock_bind(&self->trial, fd, 0));
	ASSERT_EQ(0, listen(fd, 16));
	EXPECT_EQ(0, join(fd));
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
	close(client);
	close(lfd);
}

TEST_F(join, ulp__join_unknown_name)
{
	int fd = sock_make(&self->trial);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, setsockopt(fd, SOL_TCP, TCP_ULP, "fastsock", 8));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(-1, setsockopt(fd, SOL_TCP, TCP_ULP, "", 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_FALSE(joined(fd));
	EXPECT_EQ(0, join(fd));
}

TEST_F(join, ulp__join_unprivileged)
{
	int fd = sock_listen(&self->trial, 16);
	pid_t pid;

	/* The first one loads the module, which takes privilege. */
	ASSERT_LE(0, fd);
	pid = fork_child();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(2);
		fd = sock_listen(&self->trial, 16);
		_exit(fd < 0 || !joined(fd));
	}
	EXPECT_EQ(0, reap(pid));
}

/* Children */

/* A connection that a core's worker has accepted. */
static void pair_local(struct __test_metadata *_metadata,
		       const struct trial *p, int lfd, struct pair *pair)
{
	ASSERT_LE(0, lfd);
	ASSERT_TRUE(sock_claim(lfd, CPU));
	ASSERT_EQ(0, pair_plain(p, lfd, pair));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
}

TEST_F(join, child__is_plain)
{
	int lfd = sock_listen(&self->trial, 16);
	struct pair pair;
	char name[16];
	socklen_t len = sizeof(name);

	pair_local(_metadata, &self->trial, lfd, &pair);
	EXPECT_EQ(0, getsockopt(pair.fd, SOL_TCP, TCP_ULP, name, &len));
	EXPECT_EQ(0, len);
	EXPECT_EQ(-EISCONN, join(pair.fd));
	EXPECT_EQ(-1, listen(pair.fd, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, close(lfd));
	EXPECT_EQ(1, write(pair.peer, "x", 1));
	EXPECT_TRUE(sock_wait(pair.fd, POLLIN, PATIENCE_MS));
	EXPECT_EQ(1, write(pair.fd, "y", 1));
	EXPECT_TRUE(sock_wait(pair.peer, POLLIN, PATIENCE_MS));
}

TEST_F(join, child__takes_ktls)
{
	int lfd = sock_listen(&self->trial, 16);
	struct pair pair;

	pair_local(_metadata, &self->trial, lfd, &pair);
	if (ulp_set(pair.peer, "tls"))
		SKIP(return, "this kernel has no tls module");
	EXPECT_EQ(0, ulp_set(pair.fd, "tls"));
	EXPECT_EQ(1, write(pair.fd, "y", 1));
	EXPECT_TRUE(sock_wait(pair.peer, POLLIN, PATIENCE_MS));
}

/* listen(), shutdown(), close() */

static bool queue_is(int port, int cpu, uint32_t qlen, uint32_t backlog)
{
	struct core_row row;

	return row_get(port, cpu, &row) && row.qlen == qlen &&
	       row.backlog == backlog;
}

TEST_F(join, listen__backlog_zero)
{
	int fd = sock_listen(&self->trial, 0);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
	EXPECT_TRUE(queue_is(sock_port(fd), CPU, 0, 0));
}

TEST_F(join, listen__backlog_huge)
{
	int fd;

	ASSERT_EQ(0, sysctl_set("net/core/somaxconn", "5000"));
	fd = sock_listen(&self->trial, INT_MAX);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
	EXPECT_TRUE(queue_is(sock_port(fd), CPU, 0, 5000));
	EXPECT_TRUE(queue_is(sock_port(fd), -1, 0, 5000));
}

TEST_F(join, listen__again_changes_backlog)
{
	int fd = sock_listen(&self->trial, 16);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
	EXPECT_TRUE(queue_is(sock_port(fd), CPU, 0, 16));
	EXPECT_EQ(0, listen(fd, 7));
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
	EXPECT_TRUE(queue_is(sock_port(fd), CPU, 0, 7));
}

TEST_F(join, listen__after_shutdown)
{
	int fd = sock_listen(&self->trial, 16);
	int port = sock_port(fd);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
	EXPECT_EQ(0, shutdown(fd, SHUT_RDWR));
	EXPECT_TRUE(until(!listeners()));
	EXPECT_TRUE(sock_refused(&self->trial, port));
	EXPECT_EQ(-1, accept(fd, NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, listen(fd, 16));
	EXPECT_EQ(1, listeners());
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
}

TEST_F(join, shutdown__ends_accept)
{
	int fd = sock_listen(&self->trial, 16);
	struct worker *w;

	ASSERT_LE(0, fd);
	w = crew_add(&self->crew, fd, BY_ACCEPT, CPU);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, sock_port(fd), true));
	EXPECT_EQ(0, shutdown(fd, SHUT_RD));
	EXPECT_TRUE(until(w->failed));
	EXPECT_EQ(EINVAL, w->failed);
}

/* Like every listener's: connections that nobody took are reset. */
TEST_F(join, close__full_queue)
{
	int fd = sock_listen(&self->trial, 3);
	int i, port = sock_port(fd);
	int client[4];
	char byte;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(sock_claim(fd, CPU));
	for (i = 0; i < 4; i++) {
		client[i] = sock_dial(&self->trial, port);
		ASSERT_LE(0, client[i]);
	}
	/* connect() returns before the listener's side has the last ACK. */
	EXPECT_TRUE(until(queue_is(port, CPU, 4, 3)));
	EXPECT_EQ(4, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(0, close(fd));
	for (i = 0; i < 4; i++) {
		EXPECT_TRUE(sock_wait(client[i], POLLIN, PATIENCE_MS));
		EXPECT_EQ(-1, read(client[i], &byte, 1));
		EXPECT_EQ(ECONNRESET, errno);
	}
	EXPECT_TRUE(sock_refused(&self->trial, port));
	EXPECT_TRUE(until(!listeners()));
}

/* Descriptors */

TEST_F(join, descriptor__dup)
{
	int fd = sock_listen(&self->trial, 16);
	int copy = dup(fd);

	ASSERT_LE(0, copy);
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(1, listeners());
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, copy));
	EXPECT_EQ(0, close(copy));
	EXPECT_TRUE(until(!listeners()));
}

/* A child has it still when it is closed here. */
static void check_held(struct __test_metadata *_metadata,
		       FIXTURE_DATA(join) *self, int fd, pid_t child)
{
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(1, listeners());
	end(child);
	EXPECT_TRUE(until(!listeners()));
}

TEST_F(join, descriptor__fork)
{
	int fd = sock_listen(&self->trial, 16);
	pid_t pid;

	ASSERT_LE(0, fd);
	pid = fork_child();
	if (!pid) {
		while (!sock_wait(fd, POLLHUP, 1000))
			;
		_exit(0);
	}
	check_held(_metadata, self, fd, pid);
}

/* Another program, which knows nothing of us, has it. */
TEST_F(join, descriptor__exec)
{
	int fd = sock_listen(&self->trial, 16);
	int flags = fcntl(fd, F_GETFD);
	pid_t pid;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC));
	pid = fork_child();
	if (!pid) {
		execlp("sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	check_held(_metadata, self, fd, pid);
}

static int fd_send(int via, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { .iov_base = "f", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(via, &msg, 0) == 1 ? 0 : -errno;
}

static int fd_receive(int via)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(via, &msg, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&msg))
		return -errno;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

TEST_F(join, descriptor__scm_rights)
{
	int fd = sock_listen(&self->trial, 16);
	int pair[2], other;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, fd_send(pair[0], fd));
	EXPECT_EQ(0, close(fd));
	/* In flight it is still joined. */
	EXPECT_EQ(1, listeners());
	other = fd_receive(pair[1]);
	ASSERT_LE(0, other);
	EXPECT_TRUE(joined(other));
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, other));
}

/* Namespaces */

TEST_F(join, net__hooks_come_with_a_listener)
{
	int one, two;

	EXPECT_EQ(0, hooks_on());
	one = sock_make(&self->trial);
	ASSERT_LE(0, one);
	ASSERT_EQ(0, join(one));
	EXPECT_EQ(0, hooks_on());
	ASSERT_EQ(0, sock_bind(&self->trial, one, 0));
	ASSERT_EQ(0, listen(one, 16));
	EXPECT_EQ(1, hooks_on());
	two = sock_listen(&self->trial, 16);
	ASSERT_LE(0, two);
	EXPECT_EQ(2, listeners());
	EXPECT_EQ(0, close(one));
	EXPECT_EQ(1, listeners());
	EXPECT_EQ(0, close(two));
	EXPECT_EQ(0, listeners());
	ASSERT_EQ(0, net_enter());
	EXPECT_EQ(0, hooks_on());
}

static bool served_plainly(const struct trial *p)
{
	const struct trial plain = { p->family, p->dual, false };
	int fd = sock_listen(&plain, 16);
	struct pair pair;
	bool ok = !pair_plain(&plain, fd, &pair);

	if (ok)
		pair_close(&pair);
	close(fd);
	return ok;
}

/* Left to the kernel, and taken again */

#define HELD	3

static int release_set(int fd, uint32_t released)
{
	int before = ioctl(fd, FSK_IOC_RELEASE, &released);

	return before < 0 ? -errno : before;
}

/* What is queued stays the worker's, what comes then is the kernel's. */
TEST_F(join, release__loses_nothing)
{
	int i, fd = sock_listen(&self->trial, 64), client[HELD];
	struct core_row row;
	struct worker *w;

	ASSERT_LE(0, fd);
	w = crew_add(&self->crew, fd, BY_EPOLL_LEVEL, CPU);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, sock_port(fd), true));
	ASSERT_EQ(0, pin(CPU));
	w->hold = HOLD_NAP;
	for (i = 0; i < HELD; i++) {
		client[i] = sock_dial(&self->trial, sock_port(fd));
		ASSERT_LE(0, client[i]);
	}
	EXPECT_EQ(HELD, count(FSK_STAT_SYN_LOCAL));
	ASSERT_EQ(0, release_set(fd, 1));
	ASSERT_TRUE(row_get(sock_port(fd), -1, &row));
	EXPECT_TRUE(row.bypass);
	w->hold = HOLD_NOT;
	for (i = 0; i < HELD; i++)
		EXPECT_EQ(w->id, ask_hear(client[i]));
	EXPECT_EQ(HELD, count(FSK_STAT_ACCEPT_LOCAL));
	for (i = 0; i < ASKS; i++)
		EXPECT_EQ(w->id, ask(&self->trial, sock_port(fd)));
	EXPECT_EQ(HELD, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(ASKS, count(FSK_STAT_SYN_BYPASSED));
	EXPECT_EQ(ASKS, count(FSK_STAT_ACCEPT_APP));
	/* And back, for the worker that waits already. */
	ASSERT_EQ(1, release_set(fd, 0));
	for (i = 0; i < ASKS; i++)
		EXPECT_EQ(w->id, ask(&self->trial, sock_port(fd)));
	EXPECT_EQ(HELD + ASKS, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(HELD + ASKS, count(FSK_STAT_ACCEPT_LOCAL));
}

/* A handshake that began before ends as it began. */
TEST_F(join, release__half_open)
{
	int i, fd = sock_listen(&self->trial, 4096);
	struct clients *clients = clients_make();
	struct client_counts sum;

	ASSERT_LE(0, fd);
	ASSERT_NE(NULL, clients);
	for (i = 0; i < 2; i++)
		crew_add(&self->crew, fd, BY_EPOLL_LEVEL, i);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, sock_port(fd), true));
	clients_start(clients, &self->trial, sock_port(fd), 2);
	for (i = 0; i < 100; i++) {
		uint64_t more = clients_sum(clients).answered + 2;

		EXPECT_EQ(i % 2, release_set(fd, !(i % 2)));
		EXPECT_TRUE(until(clients_sum(clients).answered > more));
	}
	clients->stop = true;
	EXPECT_TRUE(until(clients_done(clients)));
	sum = clients_sum(clients);
	clients_end(clients);
	EXPECT_LT(200, sum.made);
	EXPECT_EQ(sum.made, sum.answered);
	EXPECT_EQ(0, sum.reset);
	EXPECT_EQ(0, sum.failed);
	EXPECT_LT(0, count(FSK_STAT_SYN_LOCAL));
	EXPECT_LT(0, count(FSK_STAT_SYN_BYPASSED));
	EXPECT_EQ(0, crew_failed(&self->crew));
}

TEST_F(join, release__errors)
{
	int fd = sock_make(&self->trial);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOTTY, release_set(fd, 1));
	ASSERT_EQ(0, join(fd));
	EXPECT_EQ(-EINVAL, release_set(fd, 1));
	ASSERT_EQ(0, sock_bind(&self->trial, fd, 0));
	ASSERT_EQ(0, listen(fd, 16));
	EXPECT_EQ(-EINVAL, release_set(fd, 2));
	EXPECT_EQ(-1, ioctl(fd, FSK_IOC_RELEASE, 1));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, release_set(fd, 1));
	EXPECT_EQ(1, release_set(fd, 1));
	EXPECT_EQ(1, release_set(fd, 0));
	EXPECT_EQ(0, release_set(fd, 0));
}

/* Unregistering them interrupts all CPUs, and drops what NFQUEUE holds
 * (filters.c): not as often as a user likes to join and close.
 */
TEST_F(join, net__hooks_stay)
{
	uint64_t moved = 0;
	int i, fd;

	for (i = 0; i < 50; i++) {
		fd = sock_listen(&self->trial, 16);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, close(fd));
		EXPECT_EQ(1, hooks_on());
		EXPECT_EQ(0, listeners());
	}
	/* Without a listener they do nothing. */
	EXPECT_TRUE(served_plainly(&self->trial));
	for (i = 0; i < __FSK_STAT_MAX; i++)
		moved += count(i);
	EXPECT_EQ(0, moved);
	EXPECT_FALSE(until_ms(5000, hooks_on() != 1));
	fd = sock_listen(&self->trial, 16);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, fd));
	/* The namespace goes with them. */
	EXPECT_EQ(0, close(fd));
	ASSERT_EQ(0, net_enter());
	EXPECT_EQ(0, hooks_on());
}

TEST_F(join, net__two_apart)
{
	int one = sock_listen(&self->trial, 16);
	int port = sock_port(one);
	struct core_row row;
	int two;

	ASSERT_LE(0, one);
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, one));
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(0));
	EXPECT_EQ(0, hooks_on());
	EXPECT_EQ(0, count(FSK_STAT_SYN_LOCAL));
	EXPECT_FALSE(row_get(port, -1, &row));
	EXPECT_TRUE(sock_refused(&self->trial, port));

	two = sock_make(&self->trial);
	ASSERT_EQ(0, sock_bind(&self->trial, two, port));
	ASSERT_EQ(0, listen(two, 16));
	ASSERT_EQ(0, join(two));
	EXPECT_TRUE(serves_locally(&self->crew, &self->trial, two));
	EXPECT_EQ(ASKS, count(FSK_STAT_SYN_LOCAL));
}

TEST_HARNESS_MAIN
