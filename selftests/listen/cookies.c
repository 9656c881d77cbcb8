// SPDX-License-Identifier: GPL-2.0
/*
 * Queues that overflow: SYN cookies, and accept queues that are full.
 */
#include "kselftest_harness.h"

#include <poll.h>
#include <unistd.h>

#include "counters.h"
#include "spoof.h"
#include "support.h"

#define CPU	1
#define N	5
#define BACKLOG	8
#define FLOOD	200
/* Both queues are full when they hold one more than listen() was told. */
#define FULL	(BACKLOG + 1)

FIXTURE(cookies) {
	struct place place;
};

PLACE_VARIANTS(cookies);
PLACE_VARIANTS_PLAIN(cookies);

FIXTURE_SETUP(cookies)
{
	self->place = variant->place;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(0));
}

FIXTURE_TEARDOWN(cookies)
{
}

/* A client is served on @fd, with data. */
static bool served(const struct place *p, int fd)
{
	int client = sock_dial(p, sock_port(fd));
	int child = client < 0 ? -1 : sock_accept(fd);
	char byte = 0;
	bool ok;

	ok = child >= 0 && write(client, "x", 1) == 1 &&
	     sock_wait(child, POLLIN, PATIENCE_MS) &&
	     read(child, &byte, 1) == 1 && byte == 'x';
	if (client >= 0)
		sock_reset(client);
	if (child >= 0)
		close(child);
	return ok;
}

/* Every connection by a cookie, from the first on. */
TEST_F(cookies, syncookies__always)
{
	int i, fd;

	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_syncookies", "2"));
	fd = sock_listen(&self->place, 64);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(sock_claim(fd, CPU));
	for (i = 0; i < N; i++)
		EXPECT_TRUE(served(&self->place, fd));
	EXPECT_EQ(N, netstat("SyncookiesSent"));
	EXPECT_EQ(N, netstat("SyncookiesRecv"));
	EXPECT_EQ(0, netstat("SyncookiesFailed"));
	EXPECT_EQ(self->place.join ? N : 0, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(self->place.join ? N : 0, count(FSK_STAT_COOKIE_LOCAL));
	EXPECT_EQ(self->place.join ? N : 0, count(FSK_STAT_ACCEPT_LOCAL));
}

/* Half-open connections fill the queue of a core; who comes after them gets in
 * by a cookie.
 */
TEST_F(cookies, flood__fills_syn_queue)
{
	int joined = self->place.join;
	int i, fd, raw, port;

	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_syncookies", "1"));
	fd = sock_listen(&self->place, BACKLOG);
	ASSERT_LE(0, fd);
	port = sock_port(fd);
	raw = spoof_open(&self->place);
	ASSERT_LE(0, raw);
	ASSERT_TRUE(sock_claim(fd, CPU));
	ASSERT_EQ(0, spoof_send(raw, &self->place, port, FLOOD));
	EXPECT_TRUE(until(netstat("SyncookiesSent") >= FLOOD - FULL));
	EXPECT_EQ(FLOOD - FULL, netstat("SyncookiesSent"));
	EXPECT_EQ(FLOOD - FULL, netstat("TCPReqQFullDoCookies"));
	EXPECT_EQ(joined ? FLOOD : 0, count(FSK_STAT_SYN_LOCAL));
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, spoof_send(raw, &self->place, port, 10));
		EXPECT_TRUE(served(&self->place, fd));
	}
	EXPECT_EQ(FLOOD - FULL + 11 * N, netstat("SyncookiesSent"));
	EXPECT_EQ(N, netstat("SyncookiesRecv"));
	EXPECT_EQ(0, netstat("SyncookiesFailed"));
	EXPECT_EQ(0, netstat("ListenOverflows"));
	EXPECT_EQ(0, netstat("ListenDrops"));
	EXPECT_EQ(joined ? N : 0, count(FSK_STAT_COOKIE_LOCAL));
	EXPECT_EQ(joined ? N : 0, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(joined ? N : 0, count_accepts());
}

/* Nobody accepts while a flood goes on.  The same figures with and without
 * joining.
 */
TEST_F(cookies, flood__counts_alike)
{
	int i, fd, raw, port, late, client[FULL];

	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_syncookies", "1"));
	fd = sock_listen(&self->place, BACKLOG);
	ASSERT_LE(0, fd);
	port = sock_port(fd);
	raw = spoof_open(&self->place);
	ASSERT_LE(0, raw);
	ASSERT_TRUE(sock_claim(fd, CPU));
	ASSERT_EQ(0, spoof_send(raw, &self->place, port, FLOOD));
	for (i = 0; i < FULL; i++) {
		client[i] = sock_dial(&self->place, port);
		ASSERT_LE(0, client[i]);
	}
	EXPECT_EQ(FLOOD, netstat("SyncookiesSent"));
	EXPECT_EQ(FULL, netstat("SyncookiesRecv"));
	EXPECT_EQ(0, netstat("ListenOverflows"));
	EXPECT_EQ(0, netstat("ListenDrops"));
	/* Now there is room for neither. */
	ASSERT_EQ(0, spoof_send(raw, &self->place, port, FLOOD));
	EXPECT_TRUE(until(netstat("ListenOverflows") >= FLOOD));
	EXPECT_EQ(FLOOD, netstat("ListenOverflows"));
	EXPECT_EQ(FLOOD, netstat("ListenDrops"));
	EXPECT_EQ(FLOOD, netstat("SyncookiesSent"));
	/* A client that waits gets in when there is room. */
	late = sock_dial_nowait(&self->place, port);
	ASSERT_LE(0, late);
	EXPECT_TRUE(until(netstat("ListenOverflows") > FLOOD));
	for (i = 0; i < FULL + 1; i++)
		EXPECT_LE(0, sock_accept(fd));
	EXPECT_TRUE(sock_wait(late, POLLOUT, PATIENCE_MS));
	EXPECT_EQ(FULL + 1, netstat("SyncookiesRecv"));
	EXPECT_EQ(0, netstat("SyncookiesFailed"));
	EXPECT_EQ(self->place.join ? FULL + 1 : 0,
		  count(FSK_STAT_ACCEPT_LOCAL));
}

/* A full queue drops and counts as the plain kernel's, and all that waited
 * get in when there is room again.
 */
TEST_F(cookies, overflow__is_counted)
{
	int fd = sock_listen(&self->place, 2);
	int i, client[N];
	struct core_row row;

	ASSERT_LE(0, fd);
	/* A cookie's ACK that finds the queue full does not come again. */
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_syncookies", "0"));
	ASSERT_TRUE(sock_claim(fd, CPU));
	EXPECT_EQ(0, netstat("ListenOverflows"));
	for (i = 0; i < N; i++) {
		client[i] = sock_dial_nowait(&self->place, sock_port(fd));
		ASSERT_LE(0, client[i]);
	}
	EXPECT_TRUE(until(netstat("ListenOverflows") > 0));
	EXPECT_LE(netstat("ListenOverflows"), netstat("ListenDrops"));
	if (self->place.join) {
		ASSERT_TRUE(row_get(sock_port(fd), CPU, &row));
		EXPECT_EQ(3, row.qlen);
		EXPECT_EQ(2, row.backlog);
		EXPECT_LE(1, row.drops);
	}
	for (i = 0; i < N; i++)
		EXPECT_LE(0, sock_accept(fd));
	for (i = 0; i < N; i++)
		EXPECT_TRUE(sock_wait(client[i], POLLOUT, PATIENCE_MS));
	EXPECT_EQ(self->place.join ? N : 0, count(FSK_STAT_ACCEPT_LOCAL));
}

/* The last ACK of a handshake finds the queue full, which the SYN did not. */
TEST_F(cookies, overflow__at_last_ack)
{
	int fd = sock_listen(&self->place, 0);
	int defer = 30, client[2], i;

	ASSERT_LE(0, fd);
	/* Holds handshakes open until there is data. */
	ASSERT_EQ(0, setsockopt(fd, SOL_TCP, 9 /* TCP_DEFER_ACCEPT */, &defer,
				sizeof(defer)));
	ASSERT_TRUE(sock_claim(fd, CPU));
	for (i = 0; i < 2; i++) {
		client[i] = sock_dial(&self->place, sock_port(fd));
		ASSERT_LE(0, client[i]);
	}
	EXPECT_EQ(0, netstat("ListenOverflows"));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(1, write(client[i], "x", 1));
	EXPECT_TRUE(until(netstat("ListenOverflows") > 0));
	if (self->place.join)
		EXPECT_LE(1, count(FSK_STAT_OVERFLOW));
	for (i = 0; i < 2; i++)
		EXPECT_LE(0, sock_accept(fd));
	EXPECT_EQ(self->place.join ? 2 : 0, count(FSK_STAT_ACCEPT_LOCAL));
}

TEST_HARNESS_MAIN
