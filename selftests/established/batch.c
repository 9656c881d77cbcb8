// SPDX-License-Identifier: GPL-2.0
/*
 * Order within a batch: a card's packets are taken through the hooks in lists,
 * and one that goes direct must not overtake one before it that does not.
 *
 * Two namespaces with a veth pair; what the client sends is held back by a
 * queueing discipline and comes in as a list.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "counters.h"
#include "nets.h"
#include "support.h"

#define PORT		8080
#define BURST		8	/* at once, within the first window */
#define ROUNDS		12
#define CONNECTIONS	20
#define MANY		1500	/* by then some bucket has been full */
#define READER_AFTER	8	/* FSK_READER_AFTER */

#define DIRECT	est_count(FSK_A_EST_DIRECT)
#define HELD	(est_count(FSK_A_EST_HITS) - est_count(FSK_A_EST_DIRECT))
#define LEFT	est_count(FSK_A_EST_LEFT)
#define STALE	est_count(FSK_A_EST_STALE)
#define FULL	est_count(FSK_A_EST_FULL)

FIXTURE(batch) {
	struct trial trial;
	struct nets nets;
	int lfd;
	long late;		/* segments out of order, before */
};

FIXTURE_VARIANT(batch) {
	struct trial trial;
};

FIXTURE_VARIANT_ADD(batch, ipv4) {
	.trial = { AF_INET, false, true },
};

FIXTURE_VARIANT_ADD(batch, ipv6) {
	.trial = { AF_INET6, false, true },
};

FIXTURE_SETUP(batch)
{
	self->trial = variant->trial;
	ASSERT_EQ(0, nets_make(&self->nets));
	/* With TSO veth would pass packets on by themselves. */
	if (sh("ethtool -K fska gro on && "
	       "nsenter --net=/proc/%d/fd/%d ethtool -K fskb tso off",
	       getpid(), self->nets.client))
		SKIP(return, "veth has no GRO here");
	if (sh("nsenter --net=/proc/%d/fd/%d tc qdisc add dev fskb root "
	       "netem slot 2ms", getpid(), self->nets.client))
		SKIP(return, "this kernel has no netem");
	ASSERT_EQ(0, pin(1));
	self->lfd = sock_make(&self->trial);
	ASSERT_EQ(0, sock_bind(&self->trial, self->lfd, PORT));
	ASSERT_EQ(0, listen(self->lfd, 64));
	ASSERT_EQ(0, join(self->lfd));
	ASSERT_EQ(0, est_config(true, 4));
	self->late = netstat("TCPOFOQueue");
	ASSERT_LE(0, self->late);
}

FIXTURE_TEARDOWN(batch)
{
}

static int dial(const struct trial *p)
{
	struct sockaddr_storage to;
	socklen_t len = nets_addr(p, &to, 1, PORT);
	int fd = plain_dial(&to, len);

	setsockopt(fd, SOL_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	return fd;
}

/* All of one burst, and an answer. */
static bool take(int server, int client)
{
	char text[BURST];
	int got;
	ssize_t n;

	for (got = 0; got < BURST; got += n) {
		if (!sock_wait(server, POLLIN, PATIENCE_MS))
			return false;
		n = read(server, text, sizeof(text));
		if (n <= 0)
			return false;
	}
	return write(server, "x", 1) == 1 &&
	       sock_wait(client, POLLIN, PATIENCE_MS) &&
	       read(client, text, 1) == 1;
}

static bool send_burst(int client)
{
	int i;

	for (i = 0; i < BURST; i++)
		if (send(client, "x", 1, MSG_EOR) != 1)
			return false;
	return true;
}

/* Some, one after the other. */
static bool bursts(int server, int client, int n)
{
	while (n && send_burst(client) && take(server, client))
		n--;
	return !n;
}

#define MEET(near, far) do {						\
	near = IN_NET(self->nets.server, self->nets.client,		\
		      dial(&self->trial));				\
	ASSERT_LE(0, near);						\
	far = sock_accept(self->lfd);					\
	ASSERT_LE(0, far);						\
} while (0)

#define IN_ORDER() EXPECT_EQ(self->late, netstat("TCPOFOQueue"))

/* In the middle of a batch, too. */
TEST_F_TIMEOUT(batch, order__entered, 300)
{
	int client, server, i;

	for (i = 0; i < CONNECTIONS; i++) {
		MEET(client, server);
		ASSERT_TRUE(bursts(server, client, ROUNDS));
		close(client);
		close(server);
	}
	IN_ORDER();
	EXPECT_LT(CONNECTIONS * BURST, DIRECT);
	/* Packets behind the one that entered their connection, in its batch.
	 * A slow machine splits bursts, so not each connection has some.
	 */
	EXPECT_LT(0, HELD);
}

/* It is entered again where it comes in, and forgotten where it came in. */
TEST_F_TIMEOUT(batch, order__core_changes, 300)
{
	int client, server, i;
	uint64_t direct;

	MEET(client, server);
	for (i = 0; i < ROUNDS; i++) {
		direct = DIRECT;
		ASSERT_EQ(0, pin(1 + i % 2));
		ASSERT_TRUE(bursts(server, client, ROUNDS));
		EXPECT_LT(direct, DIRECT);
	}
	IN_ORDER();
}

/* Tables that come and go, and with them all that was entered. */
TEST_F_TIMEOUT(batch, order__switched, 300)
{
	int client, server, i;

	MEET(client, server);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, est_config(i % 2, 4));
		ASSERT_TRUE(bursts(server, client, ROUNDS));
	}
	IN_ORDER();
	EXPECT_LT(0, DIRECT);
}

static int options_set(const struct trial *p, int fd, bool on)
{
	/* End of list; a destination option that is skipped. */
	static const char ip[4] = { 1, 1, 1, 0 };
	static const char ip6[8] = { 0, 0, 1, 4, 0, 0, 0, 0 };

	if (p->family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_OPTIONS, ip,
				  on ? sizeof(ip) : 0);
	return setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, ip6,
			  on ? sizeof(ip6) : 0);
}

/* Every other packet is the kernel's. */
TEST_F_TIMEOUT(batch, order__options, 300)
{
	int client, server, i, j;
	uint64_t held;

	MEET(client, server);
	ASSERT_TRUE(bursts(server, client, ROUNDS));
	EXPECT_LT(0, DIRECT);
	held = HELD;
	for (i = 0; i < ROUNDS; i++) {
		for (j = 0; j < BURST; j++) {
			ASSERT_EQ(0, options_set(&self->trial, client,
						 j % 2 == 0));
			ASSERT_EQ(1, send(client, "x", 1, MSG_EOR));
		}
		ASSERT_TRUE(take(server, client));
	}
	IN_ORDER();
	EXPECT_LT(held, HELD);
	/* A packet has the options that are set when it is sent, which the
	 * window may put off.
	 */
	if (self->trial.family == AF_INET)
		EXPECT_LT(0, LEFT);
}

/* The last packet of all takes the entry with it. */
TEST_F_TIMEOUT(batch, order__closes, 300)
{
	int client, server, i;
	char text[BURST];
	ssize_t n;

	for (i = 0; i < CONNECTIONS; i++) {
		MEET(client, server);
		ASSERT_TRUE(bursts(server, client, ROUNDS));
		ASSERT_TRUE(send_burst(client));
		ASSERT_EQ(0, shutdown(client, SHUT_WR));
		do {
			ASSERT_TRUE(sock_wait(server, POLLIN, PATIENCE_MS));
			n = read(server, text, sizeof(text));
		} while (n > 0);
		EXPECT_EQ(0, n);
		close(client);
		close(server);
	}
	IN_ORDER();
}

/* Its cached route is of no use after each change. */
TEST_F_TIMEOUT(batch, order__route_changes, 300)
{
	int client, server, i;

	MEET(client, server);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_TRUE(bursts(server, client, ROUNDS));
		/* IPv6 notices changes of the address's own branch only. */
		ASSERT_EQ(0, sh("ip route replace 10.77.%d.0/24 dev fska && "
				"ip -6 route %s local fd09::1/128 dev fska "
				"table local metric 5", i,
				i % 2 ? "del" : "add"));
	}
	IN_ORDER();
	EXPECT_LT(0, DIRECT);
	EXPECT_LT(0, STALE);
}

/* While it is off, all packets are the kernel's. */
TEST_F_TIMEOUT(batch, order__demux_switched, 300)
{
	int client, server, i;
	uint64_t direct;

	MEET(client, server);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, sysctl_set("net/ipv4/ip_early_demux",
					i % 2 ? "0" : "1"));
		direct = DIRECT;
		ASSERT_TRUE(bursts(server, client, ROUNDS));
		EXPECT_EQ(i % 2 == 0, DIRECT > direct);
	}
	IN_ORDER();
}

/* Some do not get in, others are moved to a larger table, or to a smaller one
 * when the rest has gone.
 */
TEST_F_TIMEOUT(batch, order__bucket_full, 600)
{
	const struct rlimit files = { 2 * MANY + 64, 2 * MANY + 64 };
	int client[MANY], server[MANY], n, i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	for (n = 0; n < MANY && !FULL; n++) {
		MEET(client[n], server[n]);
		ASSERT_TRUE(bursts(server[n], client[n], 1));
	}
	EXPECT_LT(0, FULL);
	for (i = 0; i < n; i++)
		ASSERT_TRUE(bursts(server[i], client[i], 1));
	for (i = 1; i < n; i++) {
		close(client[i]);
		close(server[i]);
	}
	ASSERT_TRUE(bursts(server[0], client[0], 10 * ROUNDS));
	IN_ORDER();
	EXPECT_LT(0, DIRECT);
}

/* Read on one core and then on another: packets are moved there. */
TEST_F_TIMEOUT(batch, order__turns, 300)
{
	int client, server, i, j;
	uint64_t turns;

	ASSERT_EQ(0, rfd_config(FSK_RFD_STEER, false));
	MEET(client, server);
	for (i = 0; i < ROUNDS; i++) {
		turns = count(FSK_STAT_RFD_TURN);
		for (j = 0; j < 3 * READER_AFTER; j++) {
			ASSERT_EQ(0, pin(1));
			ASSERT_TRUE(send_burst(client));
			ASSERT_EQ(0, pin(2 + i % 2));
			ASSERT_TRUE(take(server, client));
		}
		EXPECT_LT(turns, count(FSK_STAT_RFD_TURN));
	}
	IN_ORDER();
	EXPECT_LT(0, count(FSK_STAT_RFD_STEERED));
}

/* Reads and answers on one core and on another by turns, until the end. */
static void hop(int server)
{
	char text[256];
	ssize_t n = 1;
	int i, cpu;

	setsockopt(server, SOL_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	for (cpu = 2; n; cpu ^= 1) {
		pin(cpu);
		for (i = 0; n && i < 2 * READER_AFTER; i++) {
			send(server, "x", 1, MSG_DONTWAIT);
			n = recv(server, text, sizeof(text), MSG_DONTWAIT);
		}
	}
	_exit(0);
}

/* Moved while packets are on their way to the core before.  The poll of the
 * card moves, too: this client's packets are sent on whichever core made room
 * for them, and come in there.
 */
TEST_F_TIMEOUT(batch, order__turns_under_way, 300)
{
	int client, server, hopper, sent, i;
	uint64_t turns;
	char text[256];

	ASSERT_EQ(0, rfd_config(FSK_RFD_STEER, false));
	MEET(client, server);
	turns = count(FSK_STAT_RFD_TURN);
	hopper = fork_child();
	if (!hopper)
		hop(server);
	for (i = 0; i < 60 * ROUNDS; i++) {
		ASSERT_TRUE(send_burst(client));
		/* No queue may be full: what is sent again has no order. */
		do {
			while (recv(client, text, sizeof(text),
				    MSG_DONTWAIT) > 0)
				;
			ASSERT_EQ(0, ioctl(client, SIOCOUTQ, &sent));
		} while (sent > 4 * BURST);
	}
	ASSERT_EQ(0, shutdown(client, SHUT_WR));
	while (sock_wait(client, POLLIN, PATIENCE_MS) &&
	       recv(client, text, sizeof(text), 0) > 0)
		;
	EXPECT_EQ(0, reap(hopper));
	IN_ORDER();
	EXPECT_LT(turns, count(FSK_STAT_RFD_TURN));
}

TEST_HARNESS_MAIN
