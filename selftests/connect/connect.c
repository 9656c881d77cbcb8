// SPDX-License-Identifier: GPL-2.0
/*
 * Primed sockets: what connect() makes of them, which port they get, and what
 * they leave to others.
 */
#include "kselftest_harness.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "counters.h"
#include "stall.h"
#include "support.h"
#include "workers.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

#define CPU		1
#define N		8
#define LOW		40000
#define PORTS		1000

FIXTURE(connect) {
	struct trial trial;
	struct sockaddr_storage to;
	socklen_t len;
	int lfd;
};

/* Here the trial is the client's: dual is an IPv6 socket that connects to an
 * IPv4 address.
 */
TRIAL_VARIANTS(connect);

FIXTURE_SETUP(connect)
{
	const struct trial any = { AF_INET6, true, false };
	struct rlimit files = { 16384, 16384 };
	struct sockaddr_in6 *in6;

	self->trial = variant->trial;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ASSERT_EQ(0, net_enter());
	/* The backlog is never to be full: nobody accepts. */
	ASSERT_EQ(0, sysctl_set("net/core/somaxconn", "8192"));
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_max_syn_backlog", "8192"));
	self->lfd = sock_make(&any);
	ASSERT_LE(0, self->lfd);
	/* Out of the range of source ports. */
	ASSERT_EQ(0, sock_bind(&any, self->lfd, 8080));
	ASSERT_EQ(0, listen(self->lfd, 8192));
	self->len = sock_addr(&self->to, self->trial.family, 8080, true);
	if (self->trial.dual) {
		in6 = (void *)&self->to;
		ASSERT_EQ(1, inet_pton(AF_INET6, "::ffff:127.0.0.1",
				       &in6->sin6_addr));
	}
	ASSERT_EQ(0, pin(CPU));
}

FIXTURE_TEARDOWN(connect)
{
}

/* Still primed: a socket that isn't may be primed again. */
static bool is_primed(int fd)
{
	return prime(fd) == -EALREADY;
}

static bool has_ulp(int fd)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	return !getsockopt(fd, SOL_TCP, TCP_ULP, name, &len) && len && *name;
}

/* The bits of a port that tell its core, in mask mode. */
static int port_cpu(int port)
{
	unsigned int bits = 1;

	while (bits < sysconf(_SC_NPROCESSORS_CONF))
		bits <<= 1;
	return port & (bits - 1);
}

static uint64_t chosen(void)
{
	return count(FSK_STAT_CONNECT_OWN) + count(FSK_STAT_CONNECT_ANY);
}

static int port_range_set(int low, int high)
{
	char range[32];

	snprintf(range, sizeof(range), "%d %d", low, high);
	return sysctl_set("net/ipv4/ip_local_port_range", range);
}

/* After connect() nothing tells that the socket was primed. */
TEST_F(connect, priming__ends_with_connect)
{
	uint32_t range = 1;
	socklen_t len = sizeof(range);
	int fd = rfd_make(self->trial.family);

	ASSERT_LE(0, fd);
	EXPECT_FALSE(has_ulp(fd));
	EXPECT_TRUE(is_primed(fd));
	ASSERT_EQ(0, connect(fd, (void *)&self->to, self->len));
	EXPECT_FALSE(is_primed(fd));
	if (!getsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, &len))
		EXPECT_EQ(0, range);
	EXPECT_EQ(-EISCONN, prime(fd));
	EXPECT_EQ(1, count(FSK_STAT_CONNECT_OWN));
	EXPECT_EQ(1, write(fd, "x", 1));
}

TEST_F(connect, port__is_of_the_core)
{
	int cpu, i, fd;

	for (cpu = 0; cpu < cpus_online(); cpu++) {
		ASSERT_EQ(0, pin(cpu));
		for (i = 0; i < N; i++) {
			fd = rfd_dial(&self->to, self->len);
			ASSERT_LE(0, fd);
			EXPECT_EQ(cpu, port_cpu(sock_port(fd)));
		}
	}
	EXPECT_EQ(N * cpus_online(), count(FSK_STAT_CONNECT_OWN));
	EXPECT_EQ(N * cpus_online(), count(FSK_STAT_CONNECT_PROBE));
	EXPECT_EQ(0, count(FSK_STAT_CONNECT_CLASH));
}

/* A ULP that comes after is welcome: what TLS offload needs. */
TEST_F(connect, ulp__may_follow)
{
	int fd = rfd_dial(&self->to, self->len);

	ASSERT_LE(0, fd);
	if (setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3) && errno == ENOENT)
		SKIP(return, "this kernel has no TLS");
	EXPECT_TRUE(has_ulp(fd));
}

TEST_F(connect, priming__is_refused)
{
	int udp = socket(self->trial.family, SOCK_DGRAM, 0);
	int plain = plain_dial(&self->to, self->len);
	int mptcp = socket(self->trial.family, SOCK_STREAM, 262 /* MPTCP */);
	int unix_fd = socket(AF_UNIX, SOCK_STREAM, 0);

	EXPECT_EQ(-ENOPROTOOPT, prime(udp));
	EXPECT_EQ(-EOPNOTSUPP, prime(unix_fd));
	EXPECT_EQ(-EISCONN, prime(plain));
	EXPECT_EQ(-ENOTCONN, prime(self->lfd));
	if (mptcp >= 0)
		EXPECT_EQ(-ENOPROTOOPT, prime(mptcp));
}

/* A refusal costs the socket nothing: the kernel takes zero-copy sending away
 * before it asks us.
 */
TEST_F(connect, refusal__keeps_zerocopy)
{
	int fd = plain_dial(&self->to, self->len);
	int primed = rfd_dial(&self->to, self->len);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, primed);
	if (uring_send_zerocopy(fd) == -ENOSYS)
		SKIP(return, "no io_uring here or no liburing at build time");
	EXPECT_EQ(1, uring_send_zerocopy(fd));
	EXPECT_EQ(-EISCONN, prime(fd));
	EXPECT_EQ(1, uring_send_zerocopy(fd));
	EXPECT_EQ(-EISCONN, join(fd));
	EXPECT_EQ(1, uring_send_zerocopy(fd));
	EXPECT_EQ(1, uring_send_zerocopy(primed));
	/* Files of a ring may be in calls that hold them not. */
	EXPECT_EQ(-EBUSY, rfd_make(self->trial.family));
}

/* Primed sockets that do something else than connect. */
TEST_F(connect, primed__may_listen)
{
	const struct trial p = { self->trial.family, self->trial.dual, false };
	int fd = rfd_make(self->trial.family);
	int client, child;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sock_bind(&p, fd, 0));
	ASSERT_EQ(0, listen(fd, 8));
	EXPECT_FALSE(is_primed(fd));
	client = sock_dial(&p, sock_port(fd));
	ASSERT_LE(0, client);
	child = sock_accept(fd);
	ASSERT_LE(0, child);
	EXPECT_EQ(0, join(fd));
}

TEST_F(connect, primed__may_close)
{
	int i, fd;

	for (i = 0; i < 100; i++) {
		fd = rfd_make(self->trial.family);
		ASSERT_LE(0, fd);
		EXPECT_TRUE(is_primed(fd));
		close(fd);
	}
}

/* Another ULP finds the kernel's own functions: TLS copies them. */
TEST_F(connect, primed__other_ulp)
{
	int fd = rfd_make(self->trial.family);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(is_primed(fd));
	EXPECT_EQ(-1, setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3));
	EXPECT_TRUE(errno == ENOTCONN || errno == ENOENT) TH_LOG("%m");
	/* It is primed no more. */
	EXPECT_EQ(0, prime(fd));
	EXPECT_EQ(0, connect(fd, (void *)&self->to, self->len));
	EXPECT_EQ(1, count(FSK_STAT_CONNECT_OWN));
}

/* Its answer is a plain socket's, which it is then. */
TEST_F(connect, primed__addrform)
{
	int fd = rfd_make(self->trial.family), family = AF_INET;

	if (self->trial.family != AF_INET6)
		SKIP(return, "IPv6's own option");
	ASSERT_LE(0, fd);
	EXPECT_TRUE(is_primed(fd));
	EXPECT_EQ(-1, setsockopt(fd, SOL_IPV6, IPV6_ADDRFORM, &family,
				 sizeof(family)));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(0, prime(fd));
	EXPECT_EQ(0, connect(fd, (void *)&self->to, self->len));
	EXPECT_EQ(1, count(FSK_STAT_CONNECT_OWN));
}

/* Whoever else has it may be on the way to give it another ULP. */
TEST_F(connect, priming__by_its_only_owner)
{
	int fd = socket(self->trial.family, SOCK_STREAM, 0), other = dup(fd);

	ASSERT_LE(0, other);
	EXPECT_EQ(-EBUSY, prime(fd));
	EXPECT_EQ(-EBUSY, prime(other));
	ASSERT_EQ(0, close(other));
	EXPECT_EQ(0, prime(fd));
	EXPECT_EQ(0, connect(fd, (void *)&self->to, self->len));
	EXPECT_EQ(1, count(FSK_STAT_CONNECT_OWN));
}

struct priming {
	int fd;
	struct stall stall;
	int err;
};

static void *prime_from_stall(void *arg)
{
	struct priming *p = arg;
	int len = strlen(FSK_ULP_RFD_NAME);

	p->err = setsockopt(p->fd, SOL_TCP, TCP_ULP, p->stall.page, len) < 0 ?
		 -errno : 0;
	return NULL;
}

/* A thread closes the descriptor of a call that is under way: the one
 * reference that is left could be that of another call beside it.
 */
TEST_F(connect, priming__closed_meanwhile)
{
	struct priming p = { socket(self->trial.family, SOCK_STREAM, 0) };
	pthread_t thread;
	int err;

	ASSERT_LE(0, p.fd);
	err = stall_make(&p.stall);
	if (err == -ENOSYS)
		SKIP(return, "this kernel has no userfaultfd");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, pthread_create(&thread, NULL, prime_from_stall, &p));
	ASSERT_TRUE(stall_waits(&p.stall));
	ASSERT_EQ(0, close(p.fd));
	stall_end(&p.stall, FSK_ULP_RFD_NAME);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-EBUSY, p.err);
}

TEST_F(connect, error__leaves_a_plain_socket)
{
	struct sockaddr_storage nowhere;
	socklen_t len = sock_addr(&nowhere, self->trial.family, 9, true);
	int fd = rfd_make(self->trial.family);

	if (self->trial.dual)
		memcpy(&((struct sockaddr_in6 *)&nowhere)->sin6_addr,
		       &((struct sockaddr_in6 *)&self->to)->sin6_addr, 16);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, connect(fd, (void *)&nowhere, len));
	EXPECT_EQ(ECONNREFUSED, errno);
	/* ... which may be primed again, and connect. */
	EXPECT_EQ(0, prime(fd));
	EXPECT_EQ(0, connect(fd, (void *)&self->to, self->len));
	EXPECT_EQ(2, count(FSK_STAT_CONNECT_OWN));
}

TEST_F(connect, error__is_the_kernels)
{
	struct sockaddr_storage far = self->to;
	struct sockaddr_in6 *in6 = (void *)&far;
	struct sockaddr_in *in = (void *)&far;
	int fd = rfd_make(self->trial.family);

	ASSERT_LE(0, fd);
	if (self->trial.family == AF_INET)
		inet_pton(AF_INET, "192.0.2.1", &in->sin_addr);
	else
		inet_pton(AF_INET6, self->trial.dual ? "::ffff:192.0.2.1" :
			  "2001:db8::1", &in6->sin6_addr);
	EXPECT_EQ(-1, connect(fd, (void *)&far, self->len));
	EXPECT_EQ(ENETUNREACH, errno);
	EXPECT_EQ(-1, connect(fd, (void *)&far, 4));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, connect(fd, (void *)&self->to, self->len));
	EXPECT_EQ(0, chosen());
	EXPECT_FALSE(is_primed(fd));
}

TEST_F(connect, nonblocking__works)
{
	int fd = socket(self->trial.family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int err = -1;
	socklen_t len = sizeof(err);

	ASSERT_EQ(0, prime(fd));
	if (connect(fd, (void *)&self->to, self->len))
		EXPECT_EQ(EINPROGRESS, errno);
	EXPECT_FALSE(is_primed(fd));
	EXPECT_TRUE(sock_wait(fd, POLLOUT, PATIENCE_MS));
	EXPECT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len));
	EXPECT_EQ(0, err);
	EXPECT_EQ(CPU, port_cpu(sock_port(fd)));
	EXPECT_EQ(1, count(FSK_STAT_CONNECT_OWN));
}

TEST_F(connect, disconnect__may_follow)
{
	int fd = rfd_dial(&self->to, self->len);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, sock_disconnect(fd));
	EXPECT_EQ(0, prime(fd));
	EXPECT_EQ(0, sock_disconnect(fd));
	EXPECT_TRUE(is_primed(fd));
	EXPECT_EQ(0, connect(fd, (void *)&self->to, self->len));
	EXPECT_FALSE(is_primed(fd));
	EXPECT_EQ(CPU, port_cpu(sock_port(fd)));
	EXPECT_EQ(2, count(FSK_STAT_CONNECT_OWN));
}

TEST_F(connect, fastopen__sendto)
{
	int fd = rfd_make(self->trial.family);

	ASSERT_LE(0, fd);
	ASSERT_EQ(1, sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&self->to,
			    self->len));
	EXPECT_FALSE(is_primed(fd));
	EXPECT_EQ(CPU, port_cpu(sock_port(fd)));
	EXPECT_EQ(1, count(FSK_STAT_CONNECT_OWN));
}

TEST_F(connect, fastopen__connect)
{
	int fd = rfd_make(self->trial.family);
	int on = 1;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_TCP, 30 /* TCP_FASTOPEN_CONNECT */,
				&on, sizeof(on)));
	ASSERT_EQ(0, connect(fd, (void *)&self->to, self->len));
	EXPECT_EQ(1, write(fd, "x", 1));
	EXPECT_FALSE(is_primed(fd));
	EXPECT_EQ(CPU, port_cpu(sock_port(fd)));
}

/* A port that the application asked for. */
TEST_F(connect, bound_port__is_kept)
{
	const struct trial p = { self->trial.family, self->trial.dual, false };
	int fd = rfd_make(self->trial.family);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sock_bind(&p, fd, 7777));
	ASSERT_EQ(0, connect(fd, (void *)&self->to, self->len));
	EXPECT_EQ(7777, sock_port(fd));
	EXPECT_FALSE(is_primed(fd));
	EXPECT_EQ(0, chosen());
	EXPECT_EQ(0, count(FSK_STAT_CONNECT_PROBE));
}

TEST_F(connect, bound_address__is_kept)
{
	struct sockaddr_storage from = { 0 }, name;
	socklen_t len = sizeof(name);
	int fd = rfd_make(self->trial.family);
	int on = 1;

	ASSERT_LE(0, fd);
	from.ss_family = self->trial.family;
	if (self->trial.family == AF_INET)
		inet_pton(AF_INET, "127.0.0.77",
			  &((struct sockaddr_in *)&from)->sin_addr);
	else
		inet_pton(AF_INET6, self->trial.dual ? "::ffff:127.0.0.77" :
			  "::1", &((struct sockaddr_in6 *)&from)->sin6_addr);
	ASSERT_EQ(0, setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
				sizeof(on)));
	ASSERT_EQ(0, bind(fd, (void *)&from, self->len));
	ASSERT_EQ(0, connect(fd, (void *)&self->to, self->len));
	ASSERT_EQ(0, getsockname(fd, (void *)&name, &len));
	EXPECT_EQ(CPU, port_cpu(sock_port(fd)));
	((struct sockaddr_in *)&name)->sin_port = 0;
	EXPECT_EQ(0, memcmp(&from, &name, self->len));
	EXPECT_EQ(1, count(FSK_STAT_CONNECT_OWN));
}

TEST_F(connect, socket_range__is_kept)
{
	uint32_t want = (LOW + 99) << 16 | LOW, range = 0;
	socklen_t len = sizeof(range);
	int i, fd;

	for (i = 0; i < 100; i++) {
		fd = rfd_make(self->trial.family);
		ASSERT_LE(0, fd);
		if (setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &want,
			       sizeof(want)))
			SKIP(return, "this kernel has no IP_LOCAL_PORT_RANGE");
		ASSERT_EQ(0, connect(fd, (void *)&self->to, self->len));
		EXPECT_LE(LOW, sock_port(fd));
		EXPECT_GT(LOW + 100, sock_port(fd));
		EXPECT_EQ(0, getsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE,
					&range, &len));
		EXPECT_EQ(want, range);
	}
	EXPECT_EQ(100, chosen());
}

/**
 * struct ranger - a thread that sets the port range of a socket
 * @start: both wait for each other here, and again when both are done
 * @fd: the socket, -1 at the end
 * @spins: how long it waits first
 */
struct ranger {
	pthread_barrier_t start;
	int fd;
	int spins;
};

static const uint32_t range_set = (LOW + PORTS - 1) << 16 | LOW;

static void *range_setter(void *arg)
{
	struct ranger *r = arg;
	volatile int i;

	pin(CPU - 1);
	for (;;) {
		pthread_barrier_wait(&r->start);
		if (r->fd < 0)
			return NULL;
		for (i = 0; i < r->spins; i++)
			;
		setsockopt(r->fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range_set,
			   sizeof(range_set));
		pthread_barrier_wait(&r->start);
	}
}

static uint32_t range_of(int fd)
{
	uint32_t range = 0;
	socklen_t len = sizeof(range);

	return getsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, &len) ?
	       0 : range;
}

/* What another thread sets while connect() runs is not undone by its end. */
TEST_F_TIMEOUT(connect, socket_range__set_meanwhile, 900)
{
	struct ranger r = { .fd = rfd_make(self->trial.family) };
	pthread_t thread;
	int i, kept = 0;

	if (setsockopt(r.fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range_set,
		       sizeof(range_set)))
		SKIP(return, "this kernel has no IP_LOCAL_PORT_RANGE");
	close(r.fd);
	ASSERT_EQ(0, pthread_barrier_init(&r.start, NULL, 2));
	ASSERT_EQ(0, pthread_create(&thread, NULL, range_setter, &r));
	for (i = 0; i < 4000; i++) {
		r.fd = rfd_make(self->trial.family);
		ASSERT_LE(0, r.fd);
		r.spins = random() % 30000;
		pthread_barrier_wait(&r.start);
		connect(r.fd, (void *)&self->to, self->len);
		pthread_barrier_wait(&r.start);
		kept += range_of(r.fd) == range_set;
		sock_reset(r.fd);
	}
	r.fd = -1;
	pthread_barrier_wait(&r.start);
	pthread_join(thread, NULL);
	EXPECT_EQ(4000, kept);
	EXPECT_LT(0, count(FSK_STAT_CONNECT_OWN));
}

/* Whom a program has been connected to is not for everybody. */
TEST_F(connect, destinations__are_for_administrators)
{
	int fd = rfd_dial(&self->to, self->len);
	pid_t pid;

	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_LT(0, dests());
	pid = fork_child();
	if (!pid) {
		if (setuid(65534))
			_exit(1);
		_exit(dests() == -EPERM ? 0 : 2);
	}
	EXPECT_EQ(0, reap(pid));
	pid = fork_child();
	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			_exit(1);
		/* The network namespace isn't the new one's. */
		if (dests() != -EPERM)
			_exit(2);
		if (net_enter())
			_exit(3);
		_exit(dests() == 0 ? 0 : 4);
	}
	EXPECT_EQ(0, reap(pid));
}

TEST_F(connect, reserved_ports__stay_free)
{
	int i, fd, port;

	ASSERT_EQ(0, port_range_set(LOW, LOW + 99));
	ASSERT_EQ(0, sysctl_set("net/ipv4/ip_local_reserved_ports",
				"40010-40089"));
	for (i = 0; i < 20; i++) {
		fd = rfd_dial(&self->to, self->len);
		ASSERT_LE(0, fd);
		port = sock_port(fd);
		EXPECT_TRUE(port < LOW + 10 || port >= LOW + 90);
	}
	EXPECT_EQ(20, chosen());
	EXPECT_EQ(-EADDRNOTAVAIL, rfd_dial(&self->to, self->len));
}

/* All ports of the range are used, one look for each, and then no more; a port
 * that becomes free is found.
 */
TEST_F(connect, range__is_used_up)
{
	static int fds[PORTS];
	uint64_t probes;
	int i, extra;

	ASSERT_EQ(0, port_range_set(LOW, LOW + PORTS - 1));
	for (i = 0; i < PORTS; i++) {
		fds[i] = rfd_dial(&self->to, self->len);
		ASSERT_LE(0, fds[i]);
		if (i == PORTS * 9 / 10 - 1)
			EXPECT_GE(2 * i, count(FSK_STAT_CONNECT_PROBE));
		if (i == PORTS * 97 / 100 - 1)
			probes = count(FSK_STAT_CONNECT_PROBE);
		if (i == PORTS * 99 / 100 - 1)
			EXPECT_GE(12 * PORTS * 2 / 100,
				  count(FSK_STAT_CONNECT_PROBE) - probes);
	}
	EXPECT_LE(PORTS / (sysconf(_SC_NPROCESSORS_CONF) + 1),
		  count(FSK_STAT_CONNECT_OWN));
	EXPECT_LT(0, count(FSK_STAT_CONNECT_ANY));
	/* The last few may be the kernel's finds: it looks where we, having
	 * looked a moment before, did not look again.
	 */
	EXPECT_EQ(PORTS, chosen() + count(FSK_STAT_CONNECT_KERNEL));
	EXPECT_LE(PORTS * 99 / 100, chosen());
	EXPECT_EQ(-EADDRNOTAVAIL, rfd_dial(&self->to, self->len));
	EXPECT_EQ(-EADDRNOTAVAIL, plain_dial(&self->to, self->len));
	sock_reset(fds[PORTS / 2]);
	extra = rfd_dial(&self->to, self->len);
	EXPECT_LE(0, extra);
}

/* That the ports of a core are all taken is found out bit by bit. */
TEST_F(connect, own_ports__end_gently)
{
	uint64_t before, most = 0, looks;
	int i;

	ASSERT_EQ(0, port_range_set(LOW, LOW + PORTS - 1));
	for (i = 0; i < PORTS * 9 / 10; i++) {
		before = count(FSK_STAT_CONNECT_PROBE);
		ASSERT_LE(0, rfd_dial(&self->to, self->len));
		looks = count(FSK_STAT_CONNECT_PROBE) - before;
		if (looks > most)
			most = looks;
	}
	EXPECT_LT(0, count(FSK_STAT_CONNECT_ANY));
	EXPECT_GE(64, most);
}

/* What we use is as good as used by the kernel itself: the same number for a
 * plain process, to the same and to other destinations.
 */
TEST_F(connect, plain__shares_the_range)
{
	struct sockaddr_storage other = self->to;
	struct sockaddr_in *in = (void *)&other;
	const struct trial any = { AF_INET6, true, false };
	int i, lfd = sock_make(&any);

	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, sock_bind(&any, lfd, 8081));
	ASSERT_EQ(0, listen(lfd, 8192));
	in->sin_port = htons(8081);
	ASSERT_EQ(0, port_range_set(LOW, LOW + PORTS - 1));
	for (i = 0; i < PORTS / 2; i++) {
		ASSERT_LE(0, rfd_dial(&self->to, self->len));
		ASSERT_LE(0, plain_dial(&self->to, self->len));
		ASSERT_LE(0, plain_dial(&other, self->len));
		ASSERT_LE(0, rfd_dial(&other, self->len));
	}
	EXPECT_EQ(-EADDRNOTAVAIL, plain_dial(&self->to, self->len));
	EXPECT_EQ(-EADDRNOTAVAIL, rfd_dial(&other, self->len));
	EXPECT_LE(PORTS * 98 / 100, chosen());
}

/* Ports that somebody has bound are refused by the kernel; others are found. */
TEST_F(connect, bound_ports__clash)
{
	const struct trial any = { AF_INET6, true, false };
	int i, fd;

	ASSERT_EQ(0, port_range_set(LOW, LOW + 199));
	for (i = 0; i < 100; i++) {
		fd = sock_make(&any);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, sock_bind(&any, fd, LOW + 2 * i));
	}
	for (i = 0; i < 100; i++) {
		fd = rfd_dial(&self->to, self->len);
		ASSERT_LE(0, fd);
		EXPECT_EQ(1, sock_port(fd) & 1);
	}
	EXPECT_LT(0, count(FSK_STAT_CONNECT_CLASH));
	EXPECT_EQ(-EADDRNOTAVAIL, rfd_dial(&self->to, self->len));
}

/* A connection in TIME_WAIT may be followed by a new one where the kernel
 * allows it.
 */
TEST_F(connect, time_wait__as_the_kernel)
{
	int i, fd, child;

	ASSERT_EQ(0, port_range_set(LOW, LOW + 9));
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_tw_reuse", "0"));
	for (i = 0; i < 10; i++) {
		fd = rfd_dial(&self->to, self->len);
		ASSERT_LE(0, fd);
		child = sock_accept(self->lfd);
		ASSERT_LE(0, child);
		shutdown(fd, SHUT_RDWR);
		sock_wait(child, POLLIN, PATIENCE_MS);
		close(child);
		close(fd);
	}
	EXPECT_EQ(-EADDRNOTAVAIL, rfd_dial(&self->to, self->len));
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_tw_reuse", "1"));
	sleep(2);
	for (i = 0; i < 10; i++) {
		fd = rfd_dial(&self->to, self->len);
		EXPECT_LE(0, fd);
	}
	EXPECT_EQ(20, chosen() + count(FSK_STAT_CONNECT_KERNEL));
	EXPECT_LE(18, chosen());
}

TEST_F(connect, mode_off__leaves_it_to_the_kernel)
{
	ASSERT_EQ(0, rfd_config(FSK_RFD_OFF, false));
	EXPECT_LE(0, rfd_dial(&self->to, self->len));
	EXPECT_EQ(0, chosen());
	EXPECT_EQ(1, count(FSK_STAT_CONNECT_KERNEL));
	EXPECT_EQ(0, count(FSK_STAT_CONNECT_PROBE));
}

/* Threads on all CPUs, one destination, all ports. */
struct dialer {
	pthread_t thread;
	const struct sockaddr_storage *to;
	socklen_t len;
	int cpu;
	int want;
	int got;
	int own;
};

static void *dial_many(void *arg)
{
	struct dialer *d = arg;
	int fd;

	if (pin(d->cpu))
		return NULL;
	while (d->got < d->want) {
		fd = rfd_dial(d->to, d->len);
		if (fd < 0)
			break;
		d->got++;
		d->own += port_cpu(sock_port(fd)) == d->cpu;
	}
	return NULL;
}

TEST_F(connect, threads__share_the_range)
{
	int n = cpus_online(), want = PORTS / n, cpu, got = 0;
	struct dialer *d = calloc(n, sizeof(*d));

	ASSERT_NE(NULL, d);
	ASSERT_EQ(0, port_range_set(LOW, LOW + PORTS - 1));
	for (cpu = 0; cpu < n; cpu++) {
		d[cpu] = (struct dialer) {
			.to = &self->to, .len = self->len,
			.cpu = cpu, .want = want,
		};
		ASSERT_EQ(0, pthread_create(&d[cpu].thread, NULL, dial_many,
					    &d[cpu]));
	}
	for (cpu = 0; cpu < n; cpu++) {
		pthread_join(d[cpu].thread, NULL);
		EXPECT_EQ(want, d[cpu].got);
		/* A port that another core has taken is one less. */
		EXPECT_LE(want - want / 10, d[cpu].own);
		got += d[cpu].got;
	}
	EXPECT_EQ(got, chosen() + count(FSK_STAT_CONNECT_KERNEL));
}

TEST_HARNESS_MAIN
