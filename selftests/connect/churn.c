// SPDX-License-Identifier: GPL-2.0
/*
 * Connections come and go on all cores, to many destinations, while ports run
 * out and the interface goes down; and at the end every port is free again.
 *
 * FSK_CHURN is how many there are in each test: some thousands by default,
 * a hundred times as many in the long version.
 */
#include "kselftest_harness.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "counters.h"
#include "support.h"

#define DESTS	16
#define PORTS	64	/* fewer than what workers hold of each destination */
#define HELD	400	/* open at once, per worker */
#define FREE_MS	70000	/* net.ipv4.tcp_fin_timeout, and some */

FIXTURE(churn) {
	struct sockaddr_storage to[DESTS];
	socklen_t len;
	int lfd;
	pthread_t server;
};

FIXTURE_VARIANT(churn) {
	int family;
	bool reset;
	bool flap;
};

FIXTURE_VARIANT_ADD(churn, ipv4) {
	.family = AF_INET, .reset = true,
};

FIXTURE_VARIANT_ADD(churn, ipv4_time_wait) {
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(churn, ipv4_interface_down) {
	.family = AF_INET, .reset = true, .flap = true,
};

FIXTURE_VARIANT_ADD(churn, ipv6) {
	.family = AF_INET6, .reset = true,
};

FIXTURE_VARIANT_ADD(churn, ipv6_time_wait) {
	.family = AF_INET6,
};

static long connects(void)
{
	const char *word = getenv("FSK_CHURN");

	return word ? atol(word) : full_run() ? 400000 : 4000;
}

/* Accepts and lets go when the client does. */
static void *serve(void *arg)
{
	static struct pollfd fds[20000];
	int i, n = 1, fd;
	char byte;

	fds[0] = (struct pollfd) { *(int *)arg, POLLIN };
	while (poll(fds, n, -1) > 0) {
		for (i = n - 1; i > 0; i--) {
			if (!fds[i].revents || read(fds[i].fd, &byte, 1) > 0)
				continue;
			close(fds[i].fd);
			fds[i] = fds[--n];
		}
		if (fds[0].revents & ~POLLIN)
			break;
		if (!(fds[0].revents & POLLIN) || n == 20000)
			continue;
		fd = accept4(fds[0].fd, NULL, NULL, SOCK_NONBLOCK);
		if (fd >= 0)
			fds[n++] = (struct pollfd) { fd, POLLIN };
	}
	return NULL;
}

FIXTURE_SETUP(churn)
{
	const struct trial any = { AF_INET6, true, false };
	struct rlimit files = { 30000, 30000 };
	int i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, sysctl_set("net/core/somaxconn", "16384"));
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_max_syn_backlog", "16384"));
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_tw_reuse", "1"));
	ASSERT_EQ(0, sysctl_set("net/ipv4/ip_local_port_range",
				"40000 40063"));	/* PORTS */
	for (i = 0; i < DESTS; i++) {
		self->len = sock_addr(&self->to[i], variant->family, 8080,
				      true);
		if (variant->family == AF_INET)
			((struct sockaddr_in *)&self->to[i])->sin_addr.s_addr =
				htonl(INADDR_LOOPBACK + i);
	}
	self->lfd = sock_make(&any);
	ASSERT_EQ(0, sock_bind(&any, self->lfd, 8080));
	ASSERT_EQ(0, listen(self->lfd, 16384));
	ASSERT_EQ(0, pthread_create(&self->server, NULL, serve, &self->lfd));
}

FIXTURE_TEARDOWN(churn)
{
}

struct worker {
	pthread_t thread;
	const struct sockaddr_storage *to;
	socklen_t len;
	bool reset;
	int cpu;
	long want;
	long made;
	long none;
	long failed;
};

static void let_go(struct worker *w, int *fd)
{
	if (*fd < 0)
		return;
	if (w->reset)
		sock_reset(*fd);
	else
		close(*fd);
	*fd = -1;
}

static void *churn(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = w->cpu;
	int held[HELD], i, fd;

	for (i = 0; i < HELD; i++)
		held[i] = -1;
	if (pin(w->cpu))
		return NULL;
	while (w->made + w->none + w->failed < w->want) {
		i = rand_r(&seed) % HELD;
		let_go(w, &held[i]);
		fd = rfd_dial(&w->to[rand_r(&seed) % DESTS], w->len);
		if (fd >= 0) {
			held[i] = fd;
			w->made++;
		} else if (fd == -EADDRNOTAVAIL) {
			w->none++;
		} else {
			w->failed++;
		}
	}
	for (i = 0; i < HELD; i++)
		let_go(w, &held[i]);
	return NULL;
}

/* The loopback interface, down and up again. */
static atomic_bool flapping;
static atomic_int flaps;

static void *flap(void *arg)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	while (flapping) {
		ioctl(fd, SIOCGIFFLAGS, &ifr);
		ifr.ifr_flags &= ~IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &ifr);
		usleep(10000);
		flaps++;
		ifr.ifr_flags |= IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &ifr);
		usleep(300000);
	}
	close(fd);
	return NULL;
}

/* What is in TIME_WAIT may be used again after a second; when a slow server
 * lets go late, the client's end is not there yet.
 */
static int dial_when_free(const struct sockaddr_storage *to, socklen_t len)
{
	int fd;

	until_ms(FREE_MS, (fd = rfd_dial(to, len)) != -EADDRNOTAVAIL);
	return fd;
}

TEST_F_TIMEOUT(churn, ports__all_free_again, 3000)
{
	long made = 0, none = 0, failed = 0;
	/* There is one IPv6 loopback address. */
	int dests = variant->family == AF_INET ? DESTS : 1;
	int n = cpus_online(), i, port, fd;
	struct worker *w = calloc(n, sizeof(*w));
	pthread_t flapper;

	ASSERT_NE(NULL, w);
	flapping = variant->flap;
	if (variant->flap)
		ASSERT_EQ(0, pthread_create(&flapper, NULL, flap, NULL));
	for (i = 0; i < n; i++) {
		w[i] = (struct worker) {
			.to = self->to, .len = self->len, .cpu = i,
			.reset = variant->reset, .want = connects() / n,
		};
		ASSERT_EQ(0, pthread_create(&w[i].thread, NULL, churn, &w[i]));
	}
	for (i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		made += w[i].made;
		none += w[i].none;
		failed += w[i].failed;
	}
	if (variant->flap) {
		flapping = false;
		pthread_join(flapper, NULL);
		EXPECT_LT(0, flaps);
	}
	TH_LOG("%ld made, %ld without a port, %ld failed", made, none, failed);
	EXPECT_LT(0, made);
	if (!variant->flap) {
		EXPECT_EQ(0, failed);
		EXPECT_EQ(made, count(FSK_STAT_CONNECT_OWN) +
			  count(FSK_STAT_CONNECT_ANY) +
			  count(FSK_STAT_CONNECT_KERNEL));
	}

	for (i = 0; i < dests; i++) {
		for (port = 0; port < PORTS; port++) {
			fd = dial_when_free(&self->to[i], self->len);
			if (fd < 0)
				break;
		}
		EXPECT_EQ(PORTS, port) {
			TH_LOG("destination %d: %s", i, strerror(-fd));
		}
		EXPECT_EQ(-EADDRNOTAVAIL, rfd_dial(&self->to[i], self->len));
	}
}

TEST_HARNESS_MAIN
