// SPDX-License-Identifier: GPL-2.0
/*
 * A member of a SO_REUSEPORT group closes: where net.ipv4.tcp_migrate_req says
 * so, others get what it leaves behind.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "counters.h"
#include "support.h"

#define PORT	7000
#define CPU	1
/* So many that the kernel's hash leaves a plain heir all of them in one of
 * 65,536 runs.
 */
#define N	16

FIXTURE(migrate) {
	struct trial trial;
	int leaver;	/* the only one that has a worker */
	int heir;
	int client[N];
};

FIXTURE_VARIANT(migrate) {
	struct trial trial;
	bool plain_heir;
};

FIXTURE_VARIANT_ADD(migrate, ipv4) {
	.trial = { AF_INET, false, true },
};

FIXTURE_VARIANT_ADD(migrate, ipv6) {
	.trial = { AF_INET6, false, true },
};

FIXTURE_VARIANT_ADD(migrate, dual) {
	.trial = { AF_INET6, true, true },
};

/* It has not joined: the kernel gives it its share of the connections. */
FIXTURE_VARIANT_ADD(migrate, plain_heir) {
	.trial = { AF_INET, false, true }, .plain_heir = true,
};

static int member(const struct trial *p, bool joins)
{
	int on = 1, fd = sock_make(p);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ||
	    sock_bind(p, fd, PORT) || listen(fd, 64) || (joins && join(fd)))
		return -errno;
	return fd;
}

FIXTURE_SETUP(migrate)
{
	self->trial = variant->trial;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(0));
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_migrate_req", "1"));
	/* Without cookies, for the sake of one test */
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_fastopen", "519"));
	self->leaver = member(&self->trial, true);
	ASSERT_LE(0, self->leaver);
	self->heir = member(&self->trial, !variant->plain_heir);
	ASSERT_LE(0, self->heir);
	ASSERT_TRUE(sock_claim(self->leaver, CPU));
}

FIXTURE_TEARDOWN(migrate)
{
}

static int dial(FIXTURE_DATA(migrate) *self)
{
	int i;

	for (i = 0; i < N; i++) {
		self->client[i] = sock_dial(&self->trial, PORT);
		if (self->client[i] < 0)
			return self->client[i];
	}
	return 0;
}

/* In the queue of the leaver's core; fewer where the kernel chose the heir. */
static int queued(FIXTURE_DATA(migrate) *self)
{
	struct core_row row;

	return row_get(PORT, CPU, &row) ? row.qlen : 0;
}

/* In the heir's own queue, as the kernel counts it. */
static int queued_plain(FIXTURE_DATA(migrate) *self)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	return getsockopt(self->heir, SOL_TCP, TCP_INFO, &info, &len) ?
		       -errno : (int)info.tcpi_unacked;
}

/* connect() returns before the listener's side has the last ACK. */
static int queued_of_all(FIXTURE_DATA(migrate) *self)
{
	return until(queued(self) + queued_plain(self) == N) ?
		       queued(self) : -ETIMEDOUT;
}

/* In all queues, of a heir that has not joined, too. */
static int queued_anywhere(FIXTURE_DATA(migrate) *self, bool plain_heir)
{
	static struct core_row rows[ROWS_MAX];
	int i, n = rows_get(rows, ROWS_MAX);
	int sum = plain_heir ? queued_plain(self) : 0;

	for (i = 0; i < n; i++)
		if (rows[i].port == PORT)
			sum += rows[i].qlen;
	return sum;
}

/* How many the heir gets, with data both ways. It claims no core. */
static int inherited(FIXTURE_DATA(migrate) *self)
{
	int i, fd, n = 0;
	char byte;

	unpin();
	for (i = 0; i < N; i++) {
		fd = sock_accept(self->heir);
		if (fd < 0)
			break;
		n += sock_wait(fd, POLLIN, PATIENCE_MS) &&
		     read(fd, &byte, 1) == 1 && byte == 'x' &&
		     write(fd, "y", 1) == 1;
		close(fd);
	}
	return n;
}

/* How many clients heard from the heir. */
static int answered(FIXTURE_DATA(migrate) *self)
{
	int i, n = 0;
	char byte;

	for (i = 0; i < N; i++)
		n += sock_wait(self->client[i], POLLIN, PATIENCE_MS) &&
		     read(self->client[i], &byte, 1) == 1 && byte == 'y';
	return n;
}

static int say(FIXTURE_DATA(migrate) *self)
{
	int i, n = 0;

	for (i = 0; i < N; i++)
		n += write(self->client[i], "x", 1) == 1;
	return n;
}

/* The heir answers all of them.  The kernel counts @moved. */
static void check_inherited(struct __test_metadata *_metadata,
			    FIXTURE_DATA(migrate) *self, int moved)
{
	EXPECT_EQ(N, inherited(self));
	EXPECT_EQ(N, answered(self));
	EXPECT_EQ(moved, netstat("TCPMigrateReqSuccess"));
	EXPECT_EQ(0, netstat("TCPMigrateReqFailure"));
}

TEST_F(migrate, close__queued)
{
	int n;

	ASSERT_EQ(0, dial(self));
	n = queued_of_all(self);
	EXPECT_LE(variant->plain_heir ? 1 : N, n);
	EXPECT_EQ(N, say(self));
	EXPECT_EQ(0, close(self->leaver));
	check_inherited(_metadata, self, n);
}

/* Half-open on the server's side: it waits for data. */
TEST_F(migrate, close__half_open)
{
	int n;

	ASSERT_EQ(0, sock_set(self->leaver, SOL_TCP, TCP_DEFER_ACCEPT, 60));
	ASSERT_EQ(0, sock_set(self->heir, SOL_TCP, TCP_DEFER_ACCEPT, 60));
	ASSERT_EQ(0, dial(self));
	n = count(FSK_STAT_SYN_LOCAL);
	EXPECT_LE(variant->plain_heir ? 1 : N, n);
	EXPECT_EQ(0, queued(self));
	EXPECT_EQ(0, close(self->leaver));
	EXPECT_EQ(N, say(self));
	check_inherited(_metadata, self, n);
}

/* The leaver listens again, in the same group, and closes again. */
TEST_F(migrate, shutdown__and_again)
{
	int n;

	ASSERT_EQ(0, dial(self));
	n = queued_of_all(self);
	EXPECT_EQ(N, say(self));
	EXPECT_EQ(0, shutdown(self->leaver, SHUT_RDWR));
	check_inherited(_metadata, self, n);

	ASSERT_EQ(0, listen(self->leaver, 64));
	ASSERT_TRUE(sock_claim(self->leaver, CPU));
	ASSERT_TRUE(until(serves(PORT, CPU)));
	ASSERT_EQ(0, dial(self));
	/* The heir has a queue by now, too. */
	EXPECT_TRUE(until(queued_anywhere(self, variant->plain_heir) == N));
	EXPECT_LE(1, queued(self));
	n += queued(self);
	EXPECT_EQ(N, say(self));
	EXPECT_EQ(0, close(self->leaver));
	check_inherited(_metadata, self, n);
}

static int dial_fast(FIXTURE_DATA(migrate) *self)
{
	const struct trial *p = &self->trial;
	struct sockaddr_storage ss;
	int family = p->dual ? AF_INET : p->family;
	socklen_t len = sock_addr(&ss, family, PORT, true);
	int i;

	for (i = 0; i < N; i++) {
		self->client[i] = socket(family, SOCK_STREAM, 0);
		if (sendto(self->client[i], "x", 1, MSG_FASTOPEN, (void *)&ss,
			   len) != 1)
			return -errno;
	}
	return 0;
}

/* Children that have a request still: data came with the SYN. */
TEST_F(migrate, close__fastopen)
{
	int n;

	ASSERT_EQ(0, sock_set(self->leaver, SOL_TCP, TCP_FASTOPEN, N + 1));
	ASSERT_EQ(0, sock_set(self->heir, SOL_TCP, TCP_FASTOPEN, N + 1));
	ASSERT_EQ(0, dial_fast(self));
	n = queued_of_all(self);
	EXPECT_LE(variant->plain_heir ? 1 : N, n);
	EXPECT_EQ(N, netstat("TCPFastOpenPassive"));
	EXPECT_EQ(0, close(self->leaver));
	check_inherited(_metadata, self, n);
}

/* Nobody is left: reset, as ever. */
TEST_F(migrate, close__last_member)
{
	char byte;
	int i;

	EXPECT_EQ(0, close(self->heir));
	ASSERT_EQ(0, dial(self));
	EXPECT_TRUE(until(queued(self) == N));
	EXPECT_EQ(0, close(self->leaver));
	for (i = 0; i < N; i++) {
		EXPECT_TRUE(sock_wait(self->client[i], POLLIN, PATIENCE_MS));
		EXPECT_EQ(-1, read(self->client[i], &byte, 1));
		EXPECT_EQ(ECONNRESET, errno);
	}
	EXPECT_EQ(0, netstat("TCPMigrateReqSuccess"));
	EXPECT_EQ(N, netstat("TCPMigrateReqFailure"));
	EXPECT_TRUE(sock_refused(&self->trial, PORT));
}

/* How many clients have heard anything, an end most likely. */
static int ended(FIXTURE_DATA(migrate) *self)
{
	int i, n = 0;

	for (i = 0; i < N; i++)
		n += sock_wait(self->client[i], POLLIN, 0);
	return n;
}

/* The default of the kernel: queued connections are reset. */
TEST_F(migrate, off__resets)
{
	int i, n, resets = 0;
	char byte;

	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_migrate_req", "0"));
	ASSERT_EQ(0, dial(self));
	n = queued_of_all(self);
	EXPECT_EQ(0, close(self->leaver));
	EXPECT_TRUE(until(ended(self) >= n));
	for (i = 0; i < N; i++)
		resets += sock_wait(self->client[i], POLLIN, 100) &&
			  read(self->client[i], &byte, 1) == -1 &&
			  errno == ECONNRESET;
	EXPECT_LE(variant->plain_heir ? 1 : N, n);
	EXPECT_EQ(n, resets);
	EXPECT_EQ(0, netstat("TCPMigrateReqSuccess"));
}

TEST_HARNESS_MAIN
