// SPDX-License-Identifier: GPL-2.0
/*
 * Socket options: a connection of a joined listener must be the same in all
 * that getsockopt() can read as one of a plain listener with the same options,
 * and so must the listener itself, and what the client sees.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <sys/time.h>
#include <unistd.h>

#include "counters.h"
#include "support.h"

#define CPU	1

/**
 * struct option - an option that is set on both listeners
 * @name: for messages
 * @level: of setsockopt()
 * @opt: of setsockopt()
 * @value: an int, unless @data
 * @data: anything else
 * @len: of @data
 */
struct option {
	const char *name;
	int level;
	int opt;
	int value;
	const void *data;
	socklen_t len;
};

static const struct timeval some_time = { .tv_sec = 3, .tv_usec = 500000 };
static const struct linger some_linger = { .l_onoff = 1, .l_linger = 7 };

#define INT(level, opt, value) { #opt, level, opt, value, NULL, 0 }
#define RAW(level, opt, data, len) { #opt, level, opt, 0, data, len }

/* Numbers for what older C libraries' headers lack. */
enum {
	PROTOCOL = 52, ULP = 31, TX_DELAY = 37, INQ = 36, RESERVE_MEM = 73, TXREHASH = 74,
	PREFER_BUSY_POLL = 69, MINHOPCOUNT = 73, V6_FREEBIND = 78,
};

static const struct option options[] = {
	/* Set anyway: as if nothing were. */
	INT(SOL_SOCKET, SO_REUSEADDR, 1),
	INT(SOL_SOCKET, SO_KEEPALIVE, 1),
	INT(SOL_SOCKET, SO_OOBINLINE, 1),
	INT(SOL_SOCKET, SO_BROADCAST, 1),
	INT(SOL_SOCKET, SO_DONTROUTE, 1),
	INT(SOL_SOCKET, SO_RCVBUF, 16384),
	INT(SOL_SOCKET, SO_RCVBUF, 300000),
	INT(SOL_SOCKET, SO_SNDBUF, 32768),
	INT(SOL_SOCKET, SO_RCVLOWAT, 7),
	RAW(SOL_SOCKET, SO_RCVTIMEO, &some_time, sizeof(some_time)),
	RAW(SOL_SOCKET, SO_SNDTIMEO, &some_time, sizeof(some_time)),
	RAW(SOL_SOCKET, SO_LINGER, &some_linger, sizeof(some_linger)),
	INT(SOL_SOCKET, SO_PRIORITY, 4),
	INT(SOL_SOCKET, SO_MARK, 77),
	INT(SOL_SOCKET, SO_BUSY_POLL, 50),
	INT(SOL_SOCKET, PREFER_BUSY_POLL, 1),
	INT(SOL_SOCKET, SO_TIMESTAMP, 1),
	INT(SOL_SOCKET, SO_TIMESTAMPNS, 1),
	INT(SOL_SOCKET, SO_RXQ_OVFL, 1),
	INT(SOL_SOCKET, SO_MAX_PACING_RATE, 1000000),
	INT(SOL_SOCKET, SO_INCOMING_CPU, 1),
	INT(SOL_SOCKET, SO_ZEROCOPY, 1),
	INT(SOL_SOCKET, RESERVE_MEM, 65536),
	INT(SOL_SOCKET, TXREHASH, 0),
	INT(SOL_TCP, TCP_NODELAY, 1),
	INT(SOL_TCP, TCP_MAXSEG, 700),
	INT(SOL_TCP, TCP_CORK, 1),
	INT(SOL_TCP, TCP_KEEPIDLE, 33),
	INT(SOL_TCP, TCP_KEEPINTVL, 11),
	INT(SOL_TCP, TCP_KEEPCNT, 3),
	INT(SOL_TCP, TCP_SYNCNT, 4),
	INT(SOL_TCP, TCP_LINGER2, 9),
	INT(SOL_TCP, TCP_WINDOW_CLAMP, 9000),
	INT(SOL_TCP, TCP_QUICKACK, 0),
	RAW(SOL_TCP, TCP_CONGESTION, "reno", 4),
	INT(SOL_TCP, TCP_USER_TIMEOUT, 5000),
	INT(SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1),
	INT(SOL_TCP, TCP_FASTOPEN, 5),
	INT(SOL_TCP, TCP_SAVE_SYN, 1),
	INT(SOL_TCP, TCP_NOTSENT_LOWAT, 4444),
	INT(SOL_TCP, INQ, 1),
	INT(SOL_TCP, TX_DELAY, 1000),
	INT(SOL_IP, IP_TOS, 0x10),
	INT(SOL_IP, IP_TTL, 33),
	INT(SOL_IP, IP_MINTTL, 3),
	INT(SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT),
	INT(SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE),
	INT(SOL_IP, IP_RECVERR, 1),
	INT(SOL_IP, IP_FREEBIND, 1),
	INT(SOL_IP, IP_TRANSPARENT, 1),
	INT(SOL_IP, IP_RECVTTL, 1),
	INT(SOL_IP, IP_RECVTOS, 1),
	INT(SOL_IP, IP_PKTINFO, 1),
	INT(SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1),
	INT(SOL_IPV6, IPV6_TCLASS, 0x20),
	INT(SOL_IPV6, IPV6_UNICAST_HOPS, 44),
	INT(SOL_IPV6, MINHOPCOUNT, 3),
	INT(SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT),
	INT(SOL_IPV6, IPV6_RECVERR, 1),
	INT(SOL_IPV6, IPV6_RECVPKTINFO, 1),
	INT(SOL_IPV6, IPV6_RECVHOPLIMIT, 1),
	INT(SOL_IPV6, IPV6_RECVTCLASS, 1),
	INT(SOL_IPV6, IPV6_FLOWINFO_SEND, 1),
	INT(SOL_IPV6, IPV6_AUTOFLOWLABEL, 0),
	INT(SOL_IPV6, IPV6_DONTFRAG, 1),
	INT(SOL_IPV6, IPV6_ADDR_PREFERENCES, IPV6_PREFER_SRC_PUBLIC),
	INT(SOL_IPV6, V6_FREEBIND, 1),
};

/* Reads that differ between any two connections: cookies, memory that is in
 * use just now, ports and clocks.  And the ULP, which join.c looks at.
 */
static bool differs_always(int level, int opt)
{
	if (level == SOL_SOCKET)
		return opt == SO_COOKIE || opt == SO_MEMINFO ||
		       opt == SO_PEERNAME || opt == SO_INCOMING_NAPI_ID;
	if (level == SOL_TCP)
		return opt == TCP_INFO || opt == TCP_TIMESTAMP ||
		       opt == TCP_SAVED_SYN || opt == TCP_ZEROCOPY_RECEIVE ||
		       opt == ULP;
	/* The port, on TCP sockets. */
	if (level == SOL_IP)
		return opt == PROTOCOL;
	return false;
}

static const int levels[] = { SOL_SOCKET, SOL_TCP, SOL_IP, SOL_IPV6 };
#define OPT_MAX 140

/* Return: whether all is equal; says what is not. */
static bool same_options(const char *what, const struct option *o, int plain,
			 int joined_fd)
{
	uint8_t a[512], b[512];
	socklen_t la, lb;
	int i, opt, ra, rb;
	bool same = true;

	for (i = 0; i < 4 * OPT_MAX; i++) {
		opt = i % OPT_MAX;
		if (differs_always(levels[i / OPT_MAX], opt))
			continue;
		memset(a, 0, sizeof(a));
		memset(b, 0, sizeof(b));
		la = lb = sizeof(a);
		ra = getsockopt(plain, levels[i / OPT_MAX], opt, a, &la);
		ra = ra ? -errno : (int)la;
		rb = getsockopt(joined_fd, levels[i / OPT_MAX], opt, b, &lb);
		rb = rb ? -errno : (int)lb;
		if (ra == rb && !memcmp(a, b, sizeof(a)))
			continue;
		same = false;
		printf("# %s=%d: %s: level %d option %d: plain %d:%08x, joined %d:%08x\n",
		       o->name, o->value, what, levels[i / OPT_MAX], opt,
		       ra, *(uint32_t *)a, rb, *(uint32_t *)b);
	}
	return same;
}

/* What the handshake agreed on. */
static bool same_info(const char *what, const struct option *o, int plain,
		      int joined_fd)
{
	struct tcp_info a = { 0 }, b = { 0 };
	socklen_t la = sizeof(a), lb = sizeof(b);

	if (getsockopt(plain, SOL_TCP, TCP_INFO, &a, &la) ||
	    getsockopt(joined_fd, SOL_TCP, TCP_INFO, &b, &lb))
		return false;
	if (a.tcpi_state == b.tcpi_state && a.tcpi_options == b.tcpi_options &&
	    a.tcpi_snd_wscale == b.tcpi_snd_wscale &&
	    a.tcpi_rcv_wscale == b.tcpi_rcv_wscale &&
	    a.tcpi_snd_mss == b.tcpi_snd_mss &&
	    a.tcpi_advmss == b.tcpi_advmss &&
	    a.tcpi_pmtu == b.tcpi_pmtu &&
	    a.tcpi_rcv_ssthresh == b.tcpi_rcv_ssthresh &&
	    a.tcpi_snd_cwnd == b.tcpi_snd_cwnd)
		return true;
	printf("# %s=%d: %s: options %x/%x wscale %u,%u/%u,%u mss %u/%u advmss %u/%u pmtu %u/%u ssthresh %u/%u\n",
	       o->name, o->value, what, a.tcpi_options, b.tcpi_options,
	       a.tcpi_snd_wscale, a.tcpi_rcv_wscale, b.tcpi_snd_wscale,
	       b.tcpi_rcv_wscale, a.tcpi_snd_mss, b.tcpi_snd_mss,
	       a.tcpi_advmss, b.tcpi_advmss, a.tcpi_pmtu, b.tcpi_pmtu,
	       a.tcpi_rcv_ssthresh, b.tcpi_rcv_ssthresh);
	return false;
}

static int option_set(int fd, const struct option *o)
{
	const void *data = o->data ? o->data : &o->value;
	socklen_t len = o->data ? o->len : sizeof(o->value);

	return setsockopt(fd, o->level, o->opt, data, len) ? -errno : 0;
}

FIXTURE(options) {
	struct place plain;
	struct place place;
};

PLACE_VARIANTS(options);

FIXTURE_SETUP(options)
{
	self->place = variant->place;
	self->plain = variant->place;
	self->plain.join = false;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(0));
}

FIXTURE_TEARDOWN(options)
{
}

/* When the option is set on the listener that joins. */
enum moment { BEFORE_JOIN, AFTER_JOIN, AFTER_CLAIM };

/* Return: a claimed listener with @o set, and in @err what setsockopt() said */
static int listen_with(const struct place *p, const struct option *o,
		       enum moment when, int *err)
{
	int fd = sock_make(p);

	if (fd < 0)
		return fd;
	if (when == BEFORE_JOIN)
		*err = option_set(fd, o);
	if (sock_bind(p, fd, 0) || (p->join && join(fd)))
		return -errno;
	if (when == AFTER_JOIN)
		*err = option_set(fd, o);
	if (listen(fd, 16) || !sock_claim(fd, CPU))
		return -EINVAL;
	if (when == AFTER_CLAIM)
		*err = option_set(fd, o);
	return fd;
}

static void compare(struct __test_metadata *_metadata,
		    FIXTURE_DATA(options) *self, const struct option *o,
		    enum moment when)
{
	int lfd[2], client[2], child[2], err[2], i;

	lfd[0] = listen_with(&self->plain, o, when, &err[0]);
	lfd[1] = listen_with(&self->place, o, when, &err[1]);
	for (i = 0; i < 2; i++) {
		ASSERT_LE(0, lfd[i]);
		client[i] = sock_dial(&self->place, sock_port(lfd[i]));
		ASSERT_LE(0, client[i]);
		child[i] = sock_accept(lfd[i]);
		ASSERT_LE(0, child[i]);
	}
	EXPECT_EQ(err[0], err[1]) {
		printf("# %s=%d\n", o->name, o->value);
	}
	EXPECT_TRUE(same_options("child", o, child[0], child[1]));
	EXPECT_TRUE(same_options("client", o, client[0], client[1]));
	EXPECT_TRUE(same_info("child", o, child[0], child[1]));
	EXPECT_TRUE(same_info("client", o, client[0], client[1]));
	for (i = 0; i < 2; i++) {
		sock_reset(client[i]);
		sock_reset(child[i]);
		close(lfd[i]);
	}
}

static void compare_all(struct __test_metadata *_metadata,
			FIXTURE_DATA(options) *self, enum moment when)
{
	const int n = sizeof(options) / sizeof(*options);
	int i;

	for (i = 0; i < n; i++)
		compare(_metadata, self, &options[i], when);
	EXPECT_EQ(n, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(n, count(FSK_STAT_SYN_LOCAL));
}

TEST_F(options, inherit__set_before_join)
{
	compare_all(_metadata, self, BEFORE_JOIN);
}

TEST_F(options, inherit__set_after_join)
{
	compare_all(_metadata, self, AFTER_JOIN);
}

TEST_F(options, inherit__set_after_claim)
{
	compare_all(_metadata, self, AFTER_CLAIM);
}

/* Of the listener itself only the ULP differs. */
TEST_F(options, listener__reads_the_same)
{
	static const struct option none = { .name = "nothing" };
	int plain = sock_listen(&self->plain, 16);
	int fd = sock_listen(&self->place, 16);

	ASSERT_LE(0, plain);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(joined(fd));
	EXPECT_TRUE(same_options("listener", &none, plain, fd));
	EXPECT_TRUE(same_info("listener", &none, plain, fd));
}

TEST_HARNESS_MAIN
