// SPDX-License-Identifier: GPL-2.0
/*
 * Full queues, no memory, no descriptors, floods: each case once on the plain
 * kernel and once with a listener that has joined, in network namespaces of
 * their own.  The same connections are served, and the kernel's counters move
 * alike.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "counters.h"
#include "spoof.h"
#include "support.h"
#include "workers.h"

#define CPU	1
#define CLIENTS	5
#define FLOOD	50
/* Of 64 KiB each: each core has a megabyte that nobody counts. */
#define EATERS	40

static const char * const names[] = {
	"ListenOverflows", "ListenDrops", "SyncookiesSent", "SyncookiesRecv",
	"SyncookiesFailed", "TCPReqQFullDrop", "TCPReqQFullDoCookies",
	"TCPDeferAcceptDrop", "TCPFastOpenPassive", "TCPFastOpenPassiveFail",
	"TCPFastOpenCookieReqd", "EmbryonicRsts",
};

#define NAMES	(sizeof(names) / sizeof(*names))

/**
 * struct result - of one run; in memory shared with its process
 * @line: where it failed, or 0
 * @served: connections that ended well
 * @local: of these, accepted from a core's queue
 * @netstat: counters, by @names
 */
struct result {
	int line;
	long served;
	long local;
	long netstat[NAMES];
};

/**
 * struct setting - what a case is run with
 * @syncookies: net.ipv4.tcp_syncookies
 * @abort: net.ipv4.tcp_abort_on_overflow
 * @max_syn_backlog: net.ipv4.tcp_max_syn_backlog
 * @floods: counters depend on the number of queues or on time: only who is
 *	served is compared
 * @tcp_mem: descriptor of the sysctl, which is the first namespace's
 */
struct setting {
	int syncookies;
	int abort;
	int max_syn_backlog;
	bool floods;
	int tcp_mem;
};

typedef int (*run_fn)(const struct trial *p, const struct setting *set,
		      struct result *r);

#define NEED(cond) do { if (!(cond)) return __LINE__; } while (0)

static int sysctl_set_int(const char *name, int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	return sysctl_set(name, text);
}

static void run_once(const struct trial *p, run_fn run,
		     const struct setting *set, struct result *r)
{
	int i;

	if (net_enter() || rescue_set_ms(0) ||
	    sysctl_set_int("net/ipv4/tcp_syncookies", set->syncookies) ||
	    sysctl_set_int("net/ipv4/tcp_abort_on_overflow", set->abort) ||
	    sysctl_set_int("net/ipv4/tcp_max_syn_backlog",
			   set->max_syn_backlog ? set->max_syn_backlog : 1024))
		r->line = __LINE__;
	else
		r->line = run(p, set, r);
	r->local = count(FSK_STAT_ACCEPT_LOCAL);
	for (i = 0; i < NAMES; i++)
		r->netstat[i] = netstat(names[i]);
	_exit(0);
}

FIXTURE(pressure) {
	struct trial trial;
	struct result *plain;
	struct result *joined;
};

TRIAL_VARIANTS(pressure);

FIXTURE_SETUP(pressure)
{
	self->trial = variant->trial;
	self->plain = mmap(NULL, 2 * sizeof(*self->plain),
			   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			   -1, 0);
	ASSERT_NE(MAP_FAILED, self->plain);
	self->joined = self->plain + 1;
}

FIXTURE_TEARDOWN(pressure)
{
}

/* Runs a case both ways and compares. */
static void both(struct __test_metadata *_metadata,
		 FIXTURE_DATA(pressure) *self, run_fn run, struct setting set)
{
	struct trial p = self->trial;
	struct result *r;
	pid_t pid;
	int i;

	memset(self->plain, 0, 2 * sizeof(*self->plain));
	for (i = 0; i < 2; i++) {
		p.join = i;
		r = i ? self->joined : self->plain;
		pid = fork_child();
		if (!pid)
			run_once(&p, run, &set, r);
		EXPECT_EQ(0, reap(pid));
		EXPECT_EQ(0, r->line) {
			TH_LOG("%s failed in that line", i ? "joined" :
			       "plain");
		}
	}
	EXPECT_EQ(self->plain->served, self->joined->served);
	EXPECT_EQ(0, self->plain->local);
	EXPECT_EQ(self->joined->served, self->joined->local);
	for (i = 0; i < NAMES && !set.floods; i++)
		EXPECT_EQ(self->plain->netstat[i], self->joined->netstat[i]) {
			TH_LOG("%s", names[i]);
		}
}

static long moved(const struct result *r, const char *name)
{
	int i;

	for (i = 0; i < NAMES; i++)
		if (!strcmp(names[i], name))
			return r->netstat[i];
	return -1;
}

/* A byte goes through. */
static bool talk(int client, int child)
{
	char byte = 0;

	return client >= 0 && child >= 0 && write(client, "x", 1) == 1 &&
	       sock_wait(child, POLLIN, PATIENCE_MS) &&
	       read(child, &byte, 1) == 1 && byte == 'x';
}

/* A listener of which this task is the worker. */
static int listen_claimed(const struct trial *p, int backlog)
{
	int fd = sock_listen(p, backlog);

	return fd < 0 || sock_claim(fd, CPU) ? fd : -EINVAL;
}

/* Nobody accepts: the queue holds one more than listen() was told, and SYNs are
 * dropped from then on.
 */
static int accept_queue(const struct trial *p, const struct setting *set,
			struct result *r)
{
	int fd = listen_claimed(p, CLIENTS - 1), raw = spoof_open(p), i;
	int client[CLIENTS];

	NEED(fd >= 0 && raw >= 0);
	for (i = 0; i < CLIENTS; i++) {
		client[i] = sock_dial(p, sock_port(fd));
		NEED(client[i] >= 0);
	}
	NEED(!spoof_send(raw, p, sock_port(fd), FLOOD));
	NEED(until(netstat("ListenOverflows") >= FLOOD));
	for (i = 0; i < CLIENTS; i++)
		r->served += talk(client[i], sock_accept(fd));
	NEED(r->served == CLIENTS);
	/* There is room again. */
	i = sock_dial(p, sock_port(fd));
	r->served += talk(i, sock_accept(fd));
	return 0;
}

TEST_F(pressure, accept_queue__full)
{
	int cookies;

	for (cookies = 0; cookies < 3; cookies++) {
		both(_metadata, self, accept_queue,
		     (struct setting) { .syncookies = cookies,
					.abort = cookies == 1 });
		EXPECT_EQ(CLIENTS + 1, self->joined->served);
		EXPECT_EQ(FLOOD, moved(self->plain, "ListenDrops"));
	}
}

/* The last ACK finds the queue full, which the SYN did not: dropped, or, with
 * tcp_abort_on_overflow, answered by a reset.
 */
static int last_ack(const struct trial *p, const struct setting *set,
		    struct result *r)
{
	int fd = listen_claimed(p, 1), defer = 30, late, client[2], i;

	NEED(fd >= 0);
	/* Holds the handshake open until there is data. */
	NEED(!setsockopt(fd, SOL_TCP, 9 /* TCP_DEFER_ACCEPT */, &defer,
			 sizeof(defer)));
	late = sock_dial(p, sock_port(fd));
	NEED(late >= 0 && until(netstat("TCPDeferAcceptDrop") == 1));
	defer = 0;
	NEED(!setsockopt(fd, SOL_TCP, 9 /* TCP_DEFER_ACCEPT */, &defer,
			 sizeof(defer)));
	for (i = 0; i < 2; i++) {
		client[i] = sock_dial(p, sock_port(fd));
		NEED(client[i] >= 0);
	}
	NEED(write(late, "x", 1) == 1);
	NEED(until(netstat("ListenOverflows") > 0));
	if (set->abort)
		NEED(sock_wait(late, POLLERR | POLLHUP, PATIENCE_MS));
	for (i = 0; i < 2; i++)
		r->served += talk(client[i], sock_accept(fd));
	if (!set->abort)
		r->served += talk(late, sock_accept(fd));
	return 0;
}

TEST_F(pressure, accept_queue__full_at_last_ack)
{
	both(_metadata, self, last_ack, (struct setting) { .abort = 1 });
	EXPECT_EQ(2, self->joined->served);
	EXPECT_EQ(1, moved(self->plain, "ListenOverflows"));
	EXPECT_EQ(1, moved(self->plain, "EmbryonicRsts"));
	/* What the late one sends again is counted again. */
	both(_metadata, self, last_ack, (struct setting) { .floods = true });
	EXPECT_EQ(3, self->joined->served);
	EXPECT_EQ(0, moved(self->joined, "EmbryonicRsts"));
}

/* Half-open connections up to the listener's limit, or the system's. */
static int syn_queue(const struct trial *p, const struct setting *set,
		     struct result *r)
{
	int fd = listen_claimed(p, set->max_syn_backlog ? 64 : 8);
	int raw = spoof_open(p), client;

	NEED(fd >= 0 && raw >= 0);
	NEED(!spoof_send(raw, p, sock_port(fd), FLOOD));
	NEED(until(netstat(set->syncookies ? "SyncookiesSent" :
			   "ListenDrops") >= FLOOD - 13));
	if (!set->syncookies)
		return 0;
	client = sock_dial(p, sock_port(fd));
	r->served = talk(client, sock_accept(fd));
	return 0;
}

TEST_F(pressure, syn_queue__full)
{
	both(_metadata, self, syn_queue, (struct setting) { 0 });
	EXPECT_EQ(FLOOD - 9, moved(self->plain, "TCPReqQFullDrop"));
	both(_metadata, self, syn_queue, (struct setting) { .syncookies = 1 });
	EXPECT_EQ(FLOOD - 9 + 1, moved(self->plain, "SyncookiesSent"));
	EXPECT_EQ(1, moved(self->plain, "SyncookiesRecv"));
	EXPECT_EQ(1, self->joined->served);
	both(_metadata, self, syn_queue, (struct setting) { .syncookies = 2 });
	EXPECT_EQ(FLOOD + 1, moved(self->plain, "SyncookiesSent"));
	EXPECT_EQ(1, self->joined->served);
	/* The last quarter is for clients that are known. */
	both(_metadata, self, syn_queue,
	     (struct setting) { .max_syn_backlog = 16 });
	EXPECT_EQ(FLOOD - 13, moved(self->plain, "ListenDrops"));
	EXPECT_EQ(0, moved(self->plain, "TCPReqQFullDrop"));
}

static int defer_accept(const struct trial *p, const struct setting *set,
			struct result *r)
{
	int fd = listen_claimed(p, 16), defer = 30, client[CLIENTS], i;

	NEED(fd >= 0);
	NEED(!setsockopt(fd, SOL_TCP, 9 /* TCP_DEFER_ACCEPT */, &defer,
			 sizeof(defer)));
	for (i = 0; i < CLIENTS; i++) {
		client[i] = sock_dial(p, sock_port(fd));
		NEED(client[i] >= 0);
	}
	NEED(until(netstat("TCPDeferAcceptDrop") == CLIENTS));
	NEED(!sock_wait(fd, POLLIN, 0));
	for (i = 0; i < CLIENTS; i++) {
		NEED(write(client[i], "x", 1) == 1);
		r->served += talk(client[i], sock_accept(fd));
	}
	return 0;
}

TEST_F(pressure, defer_accept__counts)
{
	both(_metadata, self, defer_accept,
	     (struct setting) { .syncookies = 1 });
	EXPECT_EQ(CLIENTS, self->joined->served);
	EXPECT_EQ(CLIENTS, moved(self->plain, "TCPDeferAcceptDrop"));
}

/* A cookie is asked for, used, and refused when the key is another. */
static int fastopen(const struct trial *p, const struct setting *set,
		    struct result *r)
{
	int fd = listen_claimed(p, 16), qlen = 5, client, child, i;

	NEED(fd >= 0);
	NEED(!sysctl_set("net/ipv4/tcp_fastopen", "3"));
	NEED(!setsockopt(fd, SOL_TCP, 23 /* TCP_FASTOPEN */, &qlen,
			 sizeof(qlen)));
	for (i = 0; i < 4; i++) {
		if (i == 3)
			NEED(!sysctl_set("net/ipv4/tcp_fastopen_key",
					 "1-2-3-4"));
		client = sock_dial_fast(p, sock_port(fd));
		child = sock_accept(fd);
		NEED(client >= 0 && child >= 0);
		r->served += talk(client, child);
		sock_reset(client);
		close(child);
	}
	return 0;
}

TEST_F(pressure, fastopen__counts)
{
	both(_metadata, self, fastopen, (struct setting) { .syncookies = 1 });
	EXPECT_EQ(4, self->joined->served);
	EXPECT_EQ(1, moved(self->plain, "TCPFastOpenCookieReqd"));
	EXPECT_EQ(2, moved(self->plain, "TCPFastOpenPassive"));
	EXPECT_EQ(1, moved(self->plain, "TCPFastOpenPassiveFail"));
}

/* The connection stays, and stays readable, until there is a descriptor. */
static int no_descriptor(const struct trial *p, const struct setting *set,
			 struct result *r)
{
	int fd = listen_claimed(p, 16), client, child, i;
	struct rlimit limit, none;

	NEED(fd >= 0 && !getrlimit(RLIMIT_NOFILE, &limit));
	client = sock_dial(p, sock_port(fd));
	NEED(client >= 0);
	none = limit;
	none.rlim_cur = dup(fd);
	close(none.rlim_cur);
	NEED(!setrlimit(RLIMIT_NOFILE, &none));
	NEED(until(sock_wait(fd, POLLIN, 0)));
	for (i = 0; i < 4; i++) {
		NEED(accept(fd, NULL, NULL) < 0 && errno == EMFILE);
		NEED(sock_wait(fd, POLLIN, 0));
		NEED(!fcntl(fd, F_SETFL, i & 1 ? 0 : O_NONBLOCK));
	}
	NEED(!setrlimit(RLIMIT_NOFILE, &limit));
	child = sock_accept(fd);
	r->served = talk(client, child);
	return 0;
}

TEST_F(pressure, descriptors__run_out)
{
	both(_metadata, self, no_descriptor,
	     (struct setting) { .syncookies = 1 });
	EXPECT_EQ(1, self->joined->served);
}

static int tcp_mem_set(int fd, const char *pages)
{
	return pwrite(fd, pages, strlen(pages), 0) < 0 ? -errno : 0;
}

/* TCP has all the memory that it may have, in data that nobody reads. */
static int no_memory(const struct trial *p, const struct setting *set,
		     struct result *r)
{
	int fd = listen_claimed(p, EATERS), client[EATERS], child, i, err;
	static char block[65536];

	NEED(fd >= 0);
	NEED(!tcp_mem_set(set->tcp_mem, "1 1 1"));
	for (i = 0, err = 0; i < EATERS && !err; i++) {
		client[i] = sock_dial(p, sock_port(fd));
		if (client[i] < 0 ||
		    send(client[i], "x", 1, 0) != 1 ||
		    send(client[i], block, sizeof(block), MSG_DONTWAIT) < 0)
			err = errno == EAGAIN ? 0 : __LINE__;
	}
	for (i = 0; i < EATERS && !err; i++) {
		child = sock_accept(fd);
		if (child < 0 || !sock_wait(child, POLLIN, PATIENCE_MS))
			err = __LINE__;
		r->served += !err && read(child, block, 1) == 1;
		close(child);
	}
	NEED(!tcp_mem_set(set->tcp_mem, "100000 200000 300000"));
	NEED(!err);
	NEED(netstat("TCPMemoryPressures") > 0);
	for (i = 0; i < EATERS; i++)
		sock_reset(client[i]);
	/* The pressure ends with the next that asks for memory. */
	client[0] = sock_dial(p, sock_port(fd));
	r->served += talk(client[0], sock_accept(fd));
	NEED(until(netstat("TCPMemoryPressuresChrono") > 0));
	return 0;
}

TEST_F(pressure, memory__runs_out)
{
	char before[64] = "";
	int fd = open("/proc/sys/net/ipv4/tcp_mem", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		SKIP(return, "tcp_mem can't be set from here");
	ASSERT_LT(0, read(fd, before, sizeof(before) - 1));
	both(_metadata, self, no_memory,
	     (struct setting) { .syncookies = 1, .tcp_mem = fd,
				.floods = true });
	EXPECT_EQ(0, tcp_mem_set(fd, before));
	EXPECT_EQ(EATERS + 1, self->joined->served);
}

/* Real clients among forged SYNs, on all cores. */
static int flood(const struct trial *p, const struct setting *set,
		 struct result *r)
{
	int fd = sock_listen(p, 64), raw = spoof_open(p), i, n, failed = 0;
	int each = 100, cpus = cpus_online();
	struct crew crew;

	NEED(fd >= 0 && raw >= 0 && !crew_make(&crew));
	for (i = 0; i < cpus && i < WORKERS_MAX; i++)
		crew_add(&crew, fd, BY_EPOLL_LEVEL, i);
	NEED(!crew_start(&crew));
	NEED(crew_waits(&crew, sock_port(fd), p->join));
	n = (full_run() ? 50000 : 2000) / each;
	for (i = 0; i < n && !failed; i++) {
		if (pin(i % cpus) || spoof_send(raw, p, sock_port(fd), each))
			failed = __LINE__;
		if (ask(p, sock_port(fd)) >= 0)
			r->served++;
	}
	crew_end(&crew);
	NEED(!failed);
	NEED(r->served == n);
	return 0;
}

TEST_F_TIMEOUT(pressure, flood__clients_are_served, 900)
{
	both(_metadata, self, flood,
	     (struct setting) { .syncookies = 1, .floods = true });
	TH_LOG("%ld and %ld clients served; cookies sent %ld and %ld",
	       self->plain->served, self->joined->served,
	       moved(self->plain, "SyncookiesSent"),
	       moved(self->joined, "SyncookiesSent"));
	EXPECT_LT(0, moved(self->plain, "SyncookiesRecv"));
	EXPECT_LT(0, moved(self->joined, "SyncookiesRecv"));
	EXPECT_EQ(0, moved(self->joined, "SyncookiesFailed"));
	EXPECT_EQ(0, moved(self->joined, "ListenDrops"));
}

TEST_HARNESS_MAIN
