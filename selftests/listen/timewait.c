// SPDX-License-Identifier: GPL-2.0
/*
 * A client that comes again from a port that the server remembers, over a
 * device: there the kernel may have found the old connection before routing.
 */
#include "kselftest_harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include "counters.h"
#include "support.h"
#include "workers.h"

#define CPU	1
#define N	10
#define SPORT	7777

FIXTURE(timewait) {
	struct crew crew;
	int near;	/* the server's namespace */
	int far;
	int port;
};

FIXTURE_VARIANT(timewait) {
	int family;
	const char *early;
};

FIXTURE_VARIANT_ADD(timewait, ipv4) {
	.family = AF_INET, .early = "1",
};

FIXTURE_VARIANT_ADD(timewait, ipv6) {
	.family = AF_INET6, .early = "1",
};

FIXTURE_VARIANT_ADD(timewait, ipv4_late) {
	.family = AF_INET, .early = "0",
};

FIXTURE_VARIANT_ADD(timewait, ipv6_late) {
	.family = AF_INET6, .early = "0",
};

static int ends(int near, int far)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "ip link add near type veth peer name far netns"
		 " /proc/%d/fd/%d && ip addr add 10.9.0.1/24 dev near &&"
		 " ip addr add fd09::1/64 dev near nodad &&"
		 " ip link set near up", getpid(), far);
	if (net_switch(near) || system(text) || net_switch(far))
		return -1;
	if (system("ip addr add 10.9.0.2/24 dev far &&"
		   " ip addr add fd09::2/64 dev far nodad &&"
		   " ip link set far up"))
		return -1;
	return net_switch(near);
}

FIXTURE_SETUP(timewait)
{
	const struct trial trial = { variant->family, false, true };
	int fd;

	ASSERT_EQ(0, net_enter());
	self->far = net_fd();
	ASSERT_EQ(0, net_enter());
	self->near = net_fd();
	ASSERT_EQ(0, ends(self->near, self->far));
	ASSERT_EQ(0, rescue_set_ms(0));
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_early_demux", variant->early));
	ASSERT_EQ(0, crew_make(&self->crew));
	fd = sock_listen(&trial, 16);
	ASSERT_LE(0, fd);
	self->port = sock_port(fd);
	crew_add(&self->crew, fd, BY_EPOLL_LEVEL, CPU);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, self->port, true));
}

FIXTURE_TEARDOWN(timewait)
{
	crew_end(&self->crew);
}

static socklen_t address(struct sockaddr_storage *ss, int family,
			 const char *text, int port)
{
	struct sockaddr_in6 *sin6 = (void *)ss;
	struct sockaddr_in *sin = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	sin->sin_port = htons(port);
	inet_pton(family, text, family == AF_INET ? (void *)&sin->sin_addr :
						    (void *)&sin6->sin6_addr);
	return family == AF_INET ? sizeof(*sin) : sizeof(*sin6);
}

/* From the same port each time; the server closes first. */
static int visit(int family, int port)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, err = 0;
	bool v4 = family == AF_INET;
	struct sockaddr_storage ss;
	char answer[2];
	socklen_t len;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	len = address(&ss, family, v4 ? "10.9.0.2" : "fd09::2", SPORT);
	if (bind(fd, (void *)&ss, len))
		err = -errno;
	len = address(&ss, family, v4 ? "10.9.0.1" : "fd09::1", port);
	/* Not before the server has acknowledged that the last one closed. */
	if (!err && !until(!connect(fd, (void *)&ss, len) ||
			   errno != EADDRNOTAVAIL))
		err = -ETIMEDOUT;
	else if (!err && getpeername(fd, (void *)&ss, &len))
		err = -errno;
	while (!err && read(fd, answer, sizeof(answer)) > 0)
		;
	close(fd);
	return err;
}

TEST_F(timewait, reopened__over_a_device)
{
	uint64_t stamp;
	int i;

	ASSERT_EQ(0, net_switch(self->far));
	ASSERT_EQ(0, pin(CPU));
	for (i = 0; i < N; i++) {
		EXPECT_EQ(0, visit(variant->family, self->port));
		/* A timestamp is told from the last one by the millisecond. */
		stamp = now_ms();
		EXPECT_TRUE(until(now_ms() > stamp + 2));
	}
	ASSERT_EQ(0, net_switch(self->near));
	EXPECT_EQ(N, self->crew.w[0].accepted);
	EXPECT_EQ(N - 1, count(FSK_STAT_SYN_TIMEWAIT));
	/* One that waits for the neighbour's address is sent where that comes
	 * in, or by a timer.
	 */
	EXPECT_EQ(N, count(FSK_STAT_SYN_LOCAL) + count(FSK_STAT_SYN_FAR));
	EXPECT_EQ(N, count(FSK_STAT_ACCEPT_LOCAL));
}

TEST_HARNESS_MAIN
