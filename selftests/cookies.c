// SPDX-License-Identifier: GPL-2.0
/*
 * Queues that overflow: SYN cookies, and accept queues that are full.
 */
#include "kselftest_harness.h"

#include <poll.h>
#include <unistd.h>

#include "counters.h"
#include "support.h"

#define CPU	1
#define N	5

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

/* A line of names is followed by a line of values. */
static long netstat(const char *name)
{
	static char names[8192], values[8192];
	char *n, *v, *save_n, *save_v;
	long found = -1;
	FILE *file = fopen("/proc/net/netstat", "r");

	while (file && found < 0 && fgets(names, sizeof(names), file) &&
	       fgets(values, sizeof(values), file)) {
		n = strtok_r(names, " \n", &save_n);
		v = strtok_r(values, " \n", &save_v);
		while (n && v && strcmp(n, name)) {
			n = strtok_r(NULL, " \n", &save_n);
			v = strtok_r(NULL, " \n", &save_v);
		}
		if (n && v)
			found = atol(v);
	}
	if (file)
		fclose(file);
	return found;
}

/* Every connection by a cookie, from the first on. */
TEST_F(cookies, syncookies__always)
{
	int i, fd, client, child;
	char byte;

	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_syncookies", "2"));
	fd = sock_listen(&self->place, 64);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(sock_claim(fd, CPU));
	for (i = 0; i < N; i++) {
		client = sock_dial(&self->place, sock_port(fd));
		ASSERT_LE(0, client);
		child = sock_accept(fd);
		ASSERT_LE(0, child);
		EXPECT_EQ(1, write(client, "x", 1));
		EXPECT_TRUE(sock_wait(child, POLLIN, PATIENCE_MS));
		EXPECT_EQ(1, read(child, &byte, 1));
		sock_reset(client);
		close(child);
	}
	EXPECT_EQ(N, netstat("SyncookiesSent"));
	EXPECT_EQ(N, netstat("SyncookiesRecv"));
	EXPECT_EQ(0, netstat("SyncookiesFailed"));
	EXPECT_EQ(self->place.join ? N : 0, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(self->place.join ? N : 0, count(FSK_STAT_COOKIE_LOCAL));
	EXPECT_EQ(self->place.join ? N : 0, count(FSK_STAT_ACCEPT_LOCAL));
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
