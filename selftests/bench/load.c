// SPDX-License-Identifier: GPL-2.0
/*
 * load: clients and servers, one of each pinned to every CPU, talking over
 * loopback.  One run is one arrangement of the listening sockets under one
 * scenario; it first warms up, then executes the marker instructions that tell
 * the simulator (plugin.c) where its window starts and ends.
 *
 * With -S it is the servers alone, until standard input ends; with -D ADDRESS
 * the clients alone, of such servers.  With -T SECONDS a window lasts so long,
 * and the clock is read: what a connection took, as a histogram.
 *
 * With -q it is two machines: servers on the first CPUs, which nic0 leads to,
 * clients and the proxy's backend on the CPUs behind them, which nic1 does.
 *
 * Clients are always blocking and always processes, with one connection at a
 * time each, so that only the server differs between runs.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <cpuid.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <linux/fastsocket.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ends.h"
#include "setting.h"

#define MAX_CPUS	64
#define MAX_FDS		65536
#define EVENTS		64	/* taken from epoll at a time, as nginx does */
#define SIZE		64	/* bytes of a request, and of a response */
#define BACKLOG		4096
#define AT_ONCE		50	/* long: connections with a request under way */
#define PIPELINE	16	/* long: requests of one, at most */
#define BACKEND		80	/* the proxy's backend's port, from the first */
#define BYSTANDER	81	/* port of the accelerated listener beside us */
#define TCP_ULP		31	/* of linux/tcp.h; netinet/tcp.h clashes */
#define BUCKETS		640	/* of a histogram, 16 for each doubling of ns */
#define EXIT_REFUSED	4	/* the kernel has no such arrangement */
#define MAX_SYSCTLS	8

enum scenario { PASSIVE, KEEPALIVE, PROXY, CONNECT, IDLE, ACCEPT, LONG };
static const char *const scenarios[] = {
	"passive", "keepalive", "proxy", "connect", "idle", "accept", "long",
	NULL
};

enum arrangement {
	SHARED, REUSEPORT, BPF, INCOMING, PORTS, FSK, FSK_REUSEPORT, FSK_VFS,
	FSK_PORTS
};

static const char *const arrangements[] = {
	"shared", "reuseport", "bpf", "incoming-cpu", "ports",
	"fastsocket", "fastsocket-reuseport", "fastsocket-vfs",
	"fastsocket-ports", NULL
};

static const char *const steerings[] = { "none", "rfs", "arfs", NULL };

enum waiting { BLOCK, EPOLL, EXCLUSIVE };
static const char *const waitings[] = { "block", "epoll", "exclusive", NULL };

static struct {
	enum scenario scenario;
	enum arrangement arrangement;
	enum waiting wait;
	int cpus, conns, warm, requests, idle, port, seconds, pipeline;
	bool threads, v6, client_closes, bystander, isolate, serve, established;
	const char *dial;
	struct ends ends;	/* no queues: all over loopback */
	const char *rfd;	/* mode of nic0 */
	char *sysctls[MAX_SYSCTLS];	/* "net/ipv4/NAME=VALUE" */
} opt = {
	.wait = BLOCK, .cpus = 1, .conns = 100, .warm = 20, .requests = 1,
	.port = 4000, .pipeline = 1,
};

/* Shared by all processes, each part on lines of its own. */
static struct shared {
	alignas(64) atomic_int arrived;
	alignas(64) atomic_int generation;
	struct {
		long accepted, empty;
		atomic_int goal;	/* accept: what it is to reach */
		atomic_int done;	/* accept: has reached it */
	} __attribute__((aligned(64))) worker[MAX_CPUS];
	struct {
		long connections;
		long ns;
		long took[BUCKETS];
	} __attribute__((aligned(64))) client[MAX_CPUS];
} *shared;

/**
 * struct conn - what an event loop knows about a descriptor
 * @generation: changes with each use, so that an event for a descriptor that
 *              was closed in the same batch is told from its successor's
 * @peer: proxy, the other half
 * @left: requests to be answered
 * @connecting: proxy, towards the backend, not there yet
 */
struct conn {
	uint32_t generation;
	int peer;
	int left;
	bool connecting;
};

static struct conn conns[MAX_FDS];

static void bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "pin to CPU %d", cpu);
}

/* All the clients wait for each other. */
static void barrier(void)
{
	int g = shared->generation;

	if (atomic_fetch_add(&shared->arrived, 1) + 1 == opt.cpus) {
		shared->arrived = 0;
		shared->generation++;
		syscall(SYS_futex, &shared->generation, FUTEX_WAKE, MAX_CPUS,
			NULL, NULL, 0);
		return;
	}
	while (shared->generation == g)
		syscall(SYS_futex, &shared->generation, FUTEX_WAIT, g, NULL,
			NULL, 0);
}

static socklen_t address(struct sockaddr_storage *ss, int port, bool loopback)
{
	struct sockaddr_in6 *a6 = (void *)ss;
	struct sockaddr_in *a4 = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (opt.v6) {
		a6->sin6_family = AF_INET6;
		a6->sin6_port = htons(port);
		a6->sin6_addr = loopback ? in6addr_loopback : in6addr_any;
		return sizeof(*a6);
	}
	a4->sin_family = AF_INET;
	a4->sin_port = htons(port);
	a4->sin_addr.s_addr = htonl(loopback ? INADDR_LOOPBACK : INADDR_ANY);
	return sizeof(*a4);
}

static int tcp_socket(int flags)
{
	int s = socket(opt.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | flags, 0);

	if (s < 0)
		err(1, "socket");
	return s;
}

static int join(int s)
{
	return setsockopt(s, IPPROTO_TCP, TCP_ULP, "fastsocket",
			  strlen("fastsocket") + 1);
}

/* Connections of "accept" wait until all are there, however long it takes. */
static void set_module(void)
{
	const uint32_t never = 0;
	const uint8_t on = 1;

	if (opt.arrangement < FSK)
		return;
	if (opt.arrangement == FSK_VFS)
		setting(FSK_A_CONFIG_VFS, &on, sizeof(on));
	if (opt.scenario == ACCEPT)
		setting(FSK_A_CONFIG_RESCUE_MS, &never, sizeof(never));
}

static bool port_each(enum arrangement a)
{
	return a == PORTS || a == FSK_PORTS;
}

static void refused(const char *what)
{
	printf("REFUSED %s: %s\n", what, strerror(errno));
	exit(EXIT_REFUSED);
}

static int listener(int port, bool reuse, int flags)
{
	int s = tcp_socket(flags), on = 1;
	struct sockaddr_storage ss;
	socklen_t len = address(&ss, port, false);

	if (reuse && setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
		err(1, "SO_REUSEPORT");
	if (bind(s, (void *)&ss, len) || listen(s, BACKLOG))
		err(1, "listen on %d", port);
	return s;
}

static void select_by_cpu(int s)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, SKF_AD_OFF + SKF_AD_CPU },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};
	struct sock_fprog prog = { 2, code };

	if (setsockopt(s, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
		       sizeof(prog)))
		refused("SO_ATTACH_REUSEPORT_CBPF");
}

/* Each worker's listening socket, as a server sets them up in its parent. */
static void arrange(enum arrangement a, int port, int flags, int *fd)
{
	bool one = a == SHARED || a == FSK || a == FSK_VFS;
	int i;

	for (i = 0; i < opt.cpus; i++) {
		if (one && i) {
			fd[i] = fd[0];
			continue;
		}
		fd[i] = listener(port + (port_each(a) ? i : 0),
				 !one && !port_each(a), flags);
		if (a == INCOMING && setsockopt(fd[i], SOL_SOCKET,
						SO_INCOMING_CPU, &i, sizeof(i)))
			refused("SO_INCOMING_CPU");
		/* Where the preload library joins: right after listen(). */
		if (a >= FSK && join(fd[i]))
			refused("TCP_ULP");
	}
	if (a == BPF)
		select_by_cpu(fd[0]);
}

static bool under_fastsocket(void)
{
	return opt.arrangement >= FSK;
}

/* Who is on the other end, if not on this one. */
static const char *other_end(int port)
{
	if (opt.dial || !opt.ends.queues)
		return opt.dial;
	if (port >= opt.port + BACKEND)
		return opt.v6 ? ENDS_FAR6 : ENDS_FAR4;
	return opt.v6 ? ENDS_NEAR6 : ENDS_NEAR4;
}

/* Where the preload library primes: right before connect(). */
static int dial(int port, int flags, bool primed)
{
	struct sockaddr_storage ss;
	socklen_t len = address(&ss, port, true);
	void *where = &((struct sockaddr_in *)&ss)->sin_addr;
	const char *to = other_end(port);
	int s = tcp_socket(flags);

	if (opt.v6)
		where = &((struct sockaddr_in6 *)&ss)->sin6_addr;
	if (to && inet_pton(ss.ss_family, to, where) != 1)
		errx(2, "not an address: %s", to);
	if (primed && setsockopt(s, IPPROTO_TCP, TCP_ULP, "fastsocket-rfd",
				 strlen("fastsocket-rfd")) != 1)
		refused("TCP_ULP of an active socket");
	if (connect(s, (void *)&ss, len) && errno != EINPROGRESS)
		err(1, "connect");
	return s;
}

static void must(const char *what, ssize_t got, ssize_t want)
{
	if (got < 0)
		err(1, "%s", what);
	if (got != want)
		errx(1, "%s: %zd bytes, not %zd", what, got, want);
}

/* Where the preload library does it: the ioctl first, the stock call when the
 * kernel asks for that.
 */
static int take(int l, int flags)
{
	struct fsk_accept arg = { .flags = flags };
	int c;

	if (opt.arrangement != FSK_VFS)
		return accept4(l, NULL, NULL, flags);
	c = ioctl(l, FSK_IOC_ACCEPT, &arg);
	if (c >= 0 || errno != ESTALE)
		return c;
	return accept4(l, NULL, NULL, flags);
}

static void futex(atomic_int *word, int op, int value)
{
	syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

/* Accepts and closes as many connections as its client has made ready. */
static void serve_accept(int l, int me)
{
	atomic_int *goal = &shared->worker[me].goal;
	atomic_int *done = &shared->worker[me].done;
	int c;

	for (;;) {
		while (*done == *goal)
			futex(goal, FUTEX_WAIT, *done);
		while (*done != *goal) {
			c = take(l, 0);
			if (c < 0)
				err(1, "accept");
			close(c);
			shared->worker[me].accepted++;
			++*done;
		}
		futex(done, FUTEX_WAKE, 1);
	}
}

/* A server that gives each connection all its attention. */
static void serve_blocking(int l, int me, bool proxy)
{
	char b[SIZE];
	int c, s, i;

	for (;;) {
		c = take(l, 0);
		if (c < 0)
			err(1, "accept");
		if (me >= 0)
			shared->worker[me].accepted++;
		s = -1;
		if (proxy)
			s = dial(opt.port + BACKEND, 0, under_fastsocket());
		for (i = 0; i < opt.requests; i++) {
			must("request", read(c, b, SIZE), SIZE);
			if (proxy) {
				must("forward", write(s, b, SIZE), SIZE);
				must("answer", read(s, b, SIZE), SIZE);
			}
			must("response", write(c, b, SIZE), SIZE);
		}
		if (opt.client_closes)
			must("end of client", read(c, b, SIZE), 0);
		else if (proxy)
			must("end of backend", read(s, b, SIZE), 0);
		if (proxy)
			close(s);
		close(c);
	}
}

static void watch(int ep, int op, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events };

	e.data.u64 = (uint64_t)conns[fd].generation << 32 | fd;
	if (epoll_ctl(ep, op, fd, &e))
		err(1, "epoll_ctl");
}

static void conn_open(int ep, int fd, int peer, uint32_t events)
{
	struct conn *c = &conns[fd];

	c->generation++;
	c->peer = peer;
	c->left = opt.requests;
	c->connecting = events & EPOLLOUT;
	watch(ep, EPOLL_CTL_ADD, fd, events | EPOLLIN | EPOLLRDHUP | EPOLLET);
}

static void conn_close(int fd)
{
	int peer = conns[fd].peer;

	conns[fd].generation++;
	close(fd);
	if (peer < 0)
		return;
	conns[peer].generation++;
	close(peer);
}

static void accept_one(int ep, int l, int me, bool proxy)
{
	int c = take(l, SOCK_NONBLOCK | SOCK_CLOEXEC), s = -1;

	if (c < 0) {
		if (errno != EAGAIN)
			err(1, "accept4");
		shared->worker[me].empty++;
		return;
	}
	shared->worker[me].accepted++;
	if (proxy) {
		s = dial(opt.port + BACKEND, SOCK_NONBLOCK | SOCK_CLOEXEC,
			 under_fastsocket());
		conn_open(ep, s, c, EPOLLOUT);
	}
	conn_open(ep, c, s, 0);
}

/* Copy what has come; -1 at the end of the stream. */
static int copy(int from, int to)
{
	char b[SIZE];
	ssize_t n = read(from, b, SIZE);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -1;
	must("copy", write(to, b, n), n);
	return n;
}

/* As Redis: read all requests that have come at once, and answer them at once.
 */
static void answer_all(int fd)
{
	char b[PIPELINE * SIZE];
	ssize_t n;

	while ((n = read(fd, b, sizeof(b))) > 0)
		must("answers", write(fd, b, n), n);
	if (!n || errno != EAGAIN)
		conn_close(fd);
}

static void conn_event(int fd, uint32_t events)
{
	struct conn *c = &conns[fd];
	int n;

	if (opt.scenario == LONG) {
		answer_all(fd);
		return;
	}
	if (c->peer < 0) {
		n = copy(fd, fd);
		if (n < 0 || (n > 0 && !--c->left && !opt.client_closes))
			conn_close(fd);
		return;
	}
	if (c->connecting && events & EPOLLOUT) {
		/* The request may have come, and been left, before. */
		c->connecting = false;
		if (copy(c->peer, fd) < 0) {
			conn_close(fd);
			return;
		}
	}
	if (c->connecting || conns[c->peer].connecting)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) {
		while ((n = copy(fd, c->peer)) > 0)
			;
		if (n < 0)
			conn_close(fd);
	}
}

static void serve_epoll(int l, int me, bool proxy)
{
	struct epoll_event ev[EVENTS];
	int ep = epoll_create1(EPOLL_CLOEXEC), n, i, fd;

	if (ep < 0)
		err(1, "epoll_create1");
	watch(ep, EPOLL_CTL_ADD, l,
	      EPOLLIN | (opt.wait == EXCLUSIVE ? EPOLLEXCLUSIVE : 0));
	for (;;) {
		n = epoll_wait(ep, ev, EVENTS, -1);
		if (n < 0 && errno != EINTR)
			err(1, "epoll_wait");
		for (i = 0; i < n; i++) {
			fd = (uint32_t)ev[i].data.u64;
			if (fd == l)
				accept_one(ep, l, me, proxy);
			else if (conns[fd].generation ==
				 ev[i].data.u64 >> 32)
				conn_event(fd, ev[i].events);
		}
	}
}

struct worker {
	pthread_t thread;
	int cpu, fd;
};

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	bool proxy = opt.scenario == PROXY;

	bind_to(w->cpu);
	if (opt.scenario == ACCEPT)
		serve_accept(w->fd, w->cpu);
	if (opt.wait == BLOCK)
		serve_blocking(w->fd, w->cpu, proxy);
	else
		serve_epoll(w->fd, w->cpu, proxy);
	return NULL;
}

/* A child that is not to outlive us. */
static pid_t spawn(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	return pid;
}

static void close_others(const int *fd, int mine)
{
	int i, last = -1;

	for (i = 0; i < opt.cpus; i++) {
		if (fd[i] != mine && fd[i] != last)
			close(fd[i]);
		last = fd[i];
	}
}

static int start_threads(const int *fd, pid_t *pids)
{
	static struct worker workers[MAX_CPUS];
	int i;

	pids[0] = spawn();
	if (pids[0])
		return 1;
	for (i = 0; i < opt.cpus; i++) {
		workers[i].cpu = i;
		workers[i].fd = fd[i];
		if (pthread_create(&workers[i].thread, NULL, worker_run,
				   &workers[i]))
			errx(1, "no thread");
	}
	pthread_join(workers[0].thread, NULL);
	exit(1);
}

static int start_processes(const int *fd, pid_t *pids)
{
	int i;

	for (i = 0; i < opt.cpus; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		close_others(fd, fd[i]);
		worker_run(&(struct worker){ .cpu = i, .fd = fd[i] });
		exit(1);
	}
	return i;
}

/* CPU @i of the clients' and the backend's machine, which is perhaps ours. */
static void pin_far(int i)
{
	if (!opt.ends.queues) {
		bind_to(i);
		return;
	}
	bind_to(opt.ends.near + i % opt.ends.far);
	/* What runs here is not the subject: see plugin.c. */
	asm volatile("xchg %r13, %r13");
}

/* The proxy's backend: the arrangement that costs least on a stock kernel; on a
 * machine of its own, one listener for each worker by hash.
 */
static int start_backend(pid_t *pids)
{
	bool far = opt.ends.queues;
	int fd[MAX_CPUS], i;

	if (far)
		ends_enter(ENDS_FAR);
	arrange(far ? REUSEPORT : BPF, opt.port + BACKEND, 0, fd);
	for (i = 0; i < opt.cpus; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		pin_far(i);
		close_others(fd, fd[i]);
		serve_blocking(fd[i], -1, false);
	}
	close_others(fd, -1);
	if (far)
		ends_enter(ENDS_NEAR);
	return i;
}

/* Somebody else's accelerated listener in this namespace, claimed and idle. */
static int start_bystander(pid_t *pids)
{
	int l = listener(opt.port + BYSTANDER, false, 0), i;

	if (join(l))
		refused("TCP_ULP");
	for (i = 0; i < opt.cpus; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		bind_to(i);
		accept(l, NULL, NULL);
		exit(1);
	}
	close(l);
	return i;
}

static long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000l + t.tv_nsec;
}

/* Buckets grow by a sixteenth of their power of two: 4 to 6 % wide. */
static int bucket(unsigned long ns)
{
	int bits = ns < 16 ? 0 : 59 - __builtin_clzl(ns);
	int n = bits * 16 + (ns >> bits);

	return n < BUCKETS ? n : BUCKETS - 1;
}

static void client_one(int port)
{
	char b[SIZE] = "x";
	int s, i;

	/* Clients are others' machines, unless they are the subject. */
	s = dial(port, 0, opt.scenario == CONNECT && under_fastsocket());
	for (i = 0; i < opt.requests; i++) {
		must("request", write(s, b, SIZE), SIZE);
		must("response", read(s, b, SIZE), SIZE);
	}
	if (!opt.client_closes)
		must("end of server", read(s, b, SIZE), 0);
	close(s);
}

static void client_run(int port, int n)
{
	while (n--)
		client_one(port);
}

static void client_timed(int me, int port, int seconds, bool counts)
{
	long begin = now_ns(), t = begin, next;
	long end = begin + seconds * 1000000000l;

	while (t < end) {
		client_one(port);
		next = now_ns();
		if (counts) {
			shared->client[me].connections++;
			shared->client[me].took[bucket(next - t)]++;
		}
		t = next;
	}
	if (counts)
		shared->client[me].ns = t - begin;
}

/* The warm-up too: caches fill, queues grow. */
static void client_windows(int me, int port)
{
	if (opt.seconds) {
		client_timed(me, port, 1 + opt.seconds / 5, false);
		barrier();
		client_timed(me, port, opt.seconds, true);
		return;
	}
	/* Counts are thrown away, but caches fill. */
	if (!me)
		asm volatile("xchg %r15, %r15");
	client_run(port, opt.warm);
	barrier();
	if (!me)
		asm volatile("xchg %r15, %r15");
	client_run(port, opt.conns);
}

/* The window holds accept() and close(), and what close() makes the client's
 * end do.  Connections are made before it; when clients close first they have
 * reset them, so that close() sends nothing.
 */
static void client_ready(int me, int port, int n)
{
	const struct linger reset = { .l_onoff = 1 };
	atomic_int *done = &shared->worker[me].done;
	int s, i;

	for (i = 0; i < n; i++) {
		s = dial(port, 0, false);
		if (!opt.client_closes)
			continue;
		setsockopt(s, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(s);
	}
	barrier();
	if (!me)
		asm volatile("xchg %r15, %r15");
	shared->worker[me].goal += n;
	futex(&shared->worker[me].goal, FUTEX_WAKE, 1);
	while ((i = *done) != shared->worker[me].goal)
		futex(done, FUTEX_WAIT, i);
	barrier();
}

/* A round: a request, or a pipeline, on each of some connections. */
static void round_of(const int *s, int n)
{
	char b[PIPELINE * SIZE] = "x";
	int size = opt.pipeline * SIZE, i, got;
	ssize_t part;

	for (i = 0; i < n; i++)
		must("requests", write(s[i], b, size), size);
	for (i = 0; i < n; i++)
		for (got = 0; got < size; got += part) {
			part = read(s[i], b, size - got);
			if (part <= 0)
				errx(1, "the server has gone");
		}
}

/* @requests of each client, over all its connections in turn. */
static void client_rounds(const int *s, int requests)
{
	int at = 0, n;

	for (requests /= opt.pipeline; requests > 0; requests -= n) {
		n = opt.requests - at < AT_ONCE ? opt.requests - at : AT_ONCE;
		n = requests < n ? requests : n;
		round_of(s + at, n);
		at = (at + n) % opt.requests;
	}
}

static void client_long(int me, int port)
{
	static int s[MAX_FDS];
	int i;

	for (i = 0; i < opt.requests; i++)
		s[i] = dial(port, 0, false);
	barrier();
	if (!me)
		asm volatile("xchg %r15, %r15");
	client_rounds(s, opt.warm);
	barrier();
	if (!me)
		asm volatile("xchg %r15, %r15");
	client_rounds(s, opt.conns);
	barrier();
}

static void client(int me)
{
	int port = opt.port + (port_each(opt.arrangement) ? me : 0), i;

	pin_far(me);
	for (i = 0; i < opt.idle; i++)
		dial(port, 0, false);
	barrier();
	if (opt.scenario == ACCEPT) {
		client_ready(me, port, opt.warm);
		client_ready(me, port, opt.conns);
	} else if (opt.scenario == LONG) {
		client_long(me, port);
	} else {
		client_windows(me, port);
		barrier();
	}
	if (!me)
		asm volatile("xchg %r14, %r14");
	exit(0);
}

static void report_times(void)
{
	long sum[BUCKETS] = { 0 }, n = 0, ns = 0;
	int i, j;

	for (i = 0; i < opt.cpus; i++) {
		n += shared->client[i].connections;
		ns += shared->client[i].ns;
		for (j = 0; j < BUCKETS; j++)
			sum[j] += shared->client[i].took[j];
	}
	printf("TIMES connections=%ld ns=%ld", n, ns / opt.cpus);
	for (j = 0; j < BUCKETS; j++)
		if (sum[j])
			printf(" %d:%ld", j, sum[j]);
	printf("\n");
}

static void report(bool ok)
{
	long min = -1, max = 0, empty = 0, total = 0, n;
	int i;

	for (i = 0; i < opt.cpus; i++) {
		n = shared->worker[i].accepted;
		min = min < 0 || n < min ? n : min;
		max = n > max ? n : max;
		empty += shared->worker[i].empty;
		total += n;
	}
	if (opt.seconds && !opt.serve)
		report_times();
	printf("WINDOW %s connections=%d accepted_min=%ld accepted_max=%ld ",
	       ok ? "ok" : "failed", opt.cpus * opt.conns, min, max);
	printf("accepted_none=%ld accepted_total=%ld\n", empty, total);
}

static void set_sysctl(const char *name, const char *value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	f = fopen(path, "w");
	if (!f || fprintf(f, "%s", value) < 0 || fclose(f))
		err(1, "%s", name);
}

/*
 * A network namespace for each run: it takes its TIME_WAIT sockets, metrics and
 * hooks along when it goes, so that runs don't depend on their order.
 */
static void isolate(void)
{
	char *value;
	int i;

	if (unshare(CLONE_NEWNET))
		err(1, "a network namespace");
	/* By default a small guest stops making TIME_WAIT sockets half-way. */
	set_sysctl("net/ipv4/tcp_max_tw_buckets", "262144");
	for (i = 0; i < MAX_SYSCTLS && opt.sysctls[i]; i++) {
		value = strchr(opt.sysctls[i], '=');
		if (!value)
			errx(2, "-Y wants a name=value");
		*value = '\0';
		set_sysctl(opt.sysctls[i], value + 1);
	}
}

/* The tool of this tree, in the server's namespace. */
static void tool(const char *what, const char *a, const char *b, const char *c)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execlp("fastsocket", "fastsocket", what, a, b, c, NULL);
		err(1, "fastsocket");
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status) {
		printf("REFUSED fastsocket %s %s: status %d\n", what, a,
		       WEXITSTATUS(status));
		exit(EXIT_REFUSED);
	}
}

static void make_ends(void)
{
	ends_make(&opt.ends);
	if (opt.rfd)
		tool("rfd", "set", "nic0", opt.rfd);
	if (opt.established)
		tool("set", "established=on", NULL, NULL);
}

static void lo_up(void)
{
	struct ifreq r = {
		.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING,
	};
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s >= 0)
		ioctl(s, SIOCSIFFLAGS, &r);
	close(s);
}

/* What runs the CPU, in the words of the CPU; nothing for a plain machine. */
static void print_hypervisor(void)
{
	unsigned int a, b, c, d;
	char name[13] = "";

	if (__get_cpuid(1, &a, &b, &c, &d) && c >> 31) {
		__cpuid(0x40000000, a, b, c, d);
		memcpy(name, &b, 4);
		memcpy(name + 4, &c, 4);
		memcpy(name + 8, &d, 4);
		printf("hypervisor %s\n", name);
	}
	exit(0);
}

static int word_index(const char *const *words, const char *s)
{
	int i;

	for (i = 0; words[i]; i++)
		if (!strcmp(words[i], s))
			return i;
	errx(2, "unknown word: %s", s);
}

/* The options that are a number, and those that are a switch. */
static int *const numbers[128] = {
	['n'] = &opt.cpus, ['c'] = &opt.conns, ['w'] = &opt.warm,
	['i'] = &opt.idle, ['p'] = &opt.port, ['T'] = &opt.seconds,
	['q'] = &opt.ends.queues, ['m'] = &opt.ends.far,
	['P'] = &opt.pipeline,
};

static bool *const switches[128] = {
	['t'] = &opt.threads, ['6'] = &opt.v6, ['C'] = &opt.client_closes,
	['B'] = &opt.bystander, ['N'] = &opt.isolate, ['S'] = &opt.serve,
	['E'] = &opt.established,
};

static void add_sysctl(char *setting)
{
	int i = 0;

	while (i < MAX_SYSCTLS && opt.sysctls[i])
		i++;
	if (i == MAX_SYSCTLS)
		errx(2, "too many settings");
	opt.sysctls[i] = setting;
}

/* Return: whether it is an option with a meaning of its own. */
static bool parse_word(int c)
{
	if (c == 'a')
		opt.arrangement = word_index(arrangements, optarg);
	else if (c == 's')
		opt.scenario = word_index(scenarios, optarg);
	else if (c == 'e')
		opt.wait = word_index(waitings, optarg);
	else if (c == 'R')
		opt.ends.rfs = word_index(steerings, optarg);
	else if (c == 'D')
		opt.dial = optarg;
	else if (c == 'F')
		opt.rfd = optarg;
	else if (c == 'Y')
		add_sysctl(optarg);
	else if (c == 'H')
		print_hypervisor();
	else
		return false;
	return true;
}

static void parse(int argc, char **argv)
{
	static const char known[] =
		"a:s:e:n:c:w:r:i:p:P:T:D:q:m:R:F:Y:Et6CBNSH";
	int c, requests = 0;

	while ((c = getopt(argc, argv, known)) != -1) {
		if (numbers[c])
			*numbers[c] = atoi(optarg);
		else if (switches[c])
			*switches[c] = true;
		else if (c == 'r')
			requests = atoi(optarg);
		else if (!parse_word(c))
			errx(2, "see the source for the options");
	}
	if (opt.cpus < 1 || opt.cpus > MAX_CPUS)
		errx(2, "1 to %d CPUs", MAX_CPUS);
	opt.ends.near = opt.cpus;
	if (opt.ends.queues && opt.ends.far < 1)
		opt.ends.far = opt.cpus;
	if (opt.ends.queues &&
	    (opt.scenario == CONNECT || opt.scenario == ACCEPT ||
	     opt.ends.queues > opt.cpus))
		errx(2, "not with that many queues, or not in that scenario");
	if (opt.scenario == LONG) {
		opt.requests = requests ? requests : 1;
		if (opt.wait == BLOCK || opt.requests > MAX_FDS / 2 ||
		    opt.pipeline < 1 || opt.pipeline > PIPELINE)
			errx(2, "long: an event loop, pipelines up to %d",
			     PIPELINE);
	}
	if (opt.scenario == KEEPALIVE)
		opt.requests = requests ? requests : 16;
	if (opt.scenario == CONNECT) {
		opt.requests = 0;
		opt.client_closes = true;
	}
	if (opt.scenario == IDLE && !opt.idle)
		opt.idle = 500;
	if (opt.idle && opt.wait == BLOCK)
		errx(2, "idle connections need an event loop");
}

/* Returns how many processes. */
static int start_servers(pid_t *pids)
{
	int fd[MAX_CPUS], n = 0;

	arrange(opt.arrangement, opt.port,
		opt.wait == BLOCK ? 0 : SOCK_NONBLOCK, fd);
	if (opt.bystander)
		n += start_bystander(pids + n);
	if (opt.scenario == PROXY)
		n += start_backend(pids + n);
	n += (opt.threads ? start_threads : start_processes)(fd, pids + n);
	close_others(fd, -1);
	return n;
}

static bool run_clients(void)
{
	pid_t clients[MAX_CPUS];
	bool ok = true;
	int i, status;

	if (opt.ends.queues)
		ends_enter(ENDS_FAR);
	for (i = 0; i < opt.cpus; i++) {
		clients[i] = spawn();
		if (!clients[i])
			client(i);
	}
	for (i = 0; i < opt.cpus; i++)
		if (waitpid(clients[i], &status, 0) < 0 || status)
			ok = false;
	return ok;
}

static void wait_for_end(void)
{
	char b[SIZE];

	printf("READY\n");
	while (read(STDIN_FILENO, b, sizeof(b)) > 0)
		;
}

int main(int argc, char **argv)
{
	struct rlimit files = { MAX_FDS, MAX_FDS };
	pid_t pids[3 * MAX_CPUS];
	bool ok = true;
	int n = 0, i;

	parse(argc, argv);
	setlinebuf(stdout);
	setrlimit(RLIMIT_NOFILE, &files);
	if (opt.ends.queues)
		make_ends();
	else if (opt.isolate)
		isolate();
	lo_up();
	set_module();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	if (!opt.dial)
		n = start_servers(pids);
	if (opt.serve)
		wait_for_end();
	else
		ok = run_clients();
	for (i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < n; i++)
		waitpid(pids[i], NULL, 0);
	report(ok);
	return !ok;
}
