// SPDX-License-Identifier: GPL-2.0
/*
 * Each counter of "fastsocket show stats" moves for its reason and for no
 * other.  A row is something that happens, in a network namespace of its own,
 * and the counters that it moves: each of these has to, and no other may.  So
 * each counter is seen to move in its row, and to stay in all others.
 *
 * Counters whose reason takes a test of its own are in elsewhere[]: here they
 * have to stay in each row.  selftests/static looks whether both lists together
 * have every counter.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf.h"
#include "counters.h"
#include "nets.h"
#include "support.h"

#define CPU	1	/* whose core it is about */
#define OTHER	0
#define SPORT	20000

#define M(counter)	(1ULL << FSK_STAT_##counter)

/* What a connection moves that is accepted from its own core's queue, by a task
 * that was not asleep.
 */
#define LOCAL	(M(LOCAL_CREATE) | M(SYN_LOCAL) | M(ACCEPT_LOCAL))
#define OPENED	(M(CONNECT_OWN) | M(CONNECT_PROBE))

/* Returns from a row with what is wrong. */
#define NEED(cond) do {							\
	if (!(cond)) {							\
		fprintf(stderr, "# line %d: %s: %s\n", __LINE__, #cond,	\
			strerror(errno));				\
		return -1;						\
	}								\
} while (0)

/* Counters that move in other tests, and may not here. */
static const struct {
	int counter;
	const char *test;
} elsewhere[] = {
	{ FSK_STAT_CHILD_FAILED, "cookies:child__without_route" },
	{ FSK_STAT_LOCAL_LIMIT, "owner:tenant__limited" },
	/* Takes an allocation that fails, on a debug kernel. */
	{ FSK_STAT_LOCAL_NOMEM, "monitoring.sh no_memory" },
	{ FSK_STAT_CONNECT_CLASH, "connect:bound_ports__clash" },
	{ FSK_STAT_RFD_DROP, "rfd:steer__full_queue" },
	{ FSK_STAT_RFD_TURN, "reader:follows__reader" },
	{ FSK_STAT_VFS_REUSE, "vfs_rules:closed_elsewhere" },
	{ FSK_STAT_VFS_BUSY, "vfs_rules:many_open" },
	{ FSK_STAT_VFS_FULL, "vfs_rules:many_open" },
	{ FSK_STAT_VFS_CHANGED, "vfs:chown_chmod" },
	{ FSK_STAT_VFS_MEMCG, "vfs_rules:memcg" },
	{ FSK_STAT_VFS_RECLAIM, "vfs_rules:reclaim" },
	{ FSK_STAT_SYN_FAR, "placement:few__shared_out_evenly" },
	{ FSK_STAT_SYN_SHARED,
	  "placement:one_cpu__those_that_stay_are_shared" },
	{ FSK_STAT_SYN_IDLE, "placement:one_cpu__one_is_stopped" },
	{ FSK_STAT_LATE, "placement:one_cpu__one_is_stopped" },
};

/* Connections that end with their descriptors, which the row leaves open. */

static int plain_listen(const struct trial *p)
{
	const struct trial plain = { p->family, p->dual, false };

	return sock_listen(&plain, 16);
}

static int dial_on(const struct trial *p, int cpu, int lfd)
{
	return pin(cpu) ? -1 : sock_dial(p, sock_port(lfd));
}

/* By a task that is bound to no CPU. It has a core from now on, if the listener
 * has joined.
 */
static int accept_unbound(int lfd)
{
	unpin();
	return sock_accept(lfd);
}

/* Somebody else's connections, with everything switched on. */
static int row_bystander(const struct trial *p)
{
	int fd = plain_listen(p), client, child;
	char c = 0;

	NEED(sock_listen(p, 16) >= 0);
	NEED(!est_config(true, 1) && !vfs_set(true));
	NEED(!rfd_config(FSK_RFD_STEER, true));
	client = dial_on(p, CPU, fd);
	NEED(client >= 0);
	child = accept_unbound(fd);
	NEED(child >= 0 && write(child, &c, 1) == 1 &&
	     read(client, &c, 1) == 1 && write(client, &c, 1) == 1 &&
	     read(child, &c, 1) == 1);
	return 0;
}

static int row_local(const struct trial *p)
{
	int fd = sock_listen(p, 16);

	NEED(sock_claim(fd, CPU));
	NEED(dial_on(p, CPU, fd) >= 0);
	NEED(sock_accept(fd) >= 0);
	return 0;
}

static int wait_by_epoll(int fd, int cpu)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int epfd = epoll_create1(EPOLL_CLOEXEC);

	return pin(cpu) || epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) ? -1 : 0;
}

static int row_woken(const struct trial *p)
{
	int fd = sock_listen(p, 16);

	NEED(!wait_by_epoll(fd, CPU));
	NEED(dial_on(p, CPU, fd) >= 0);
	NEED(sock_accept(fd) >= 0);
	return 0;
}

static unsigned int served(int port)
{
	unsigned int sum = 0;
	int cpu;

	for (cpu = 0; cpu < cpus_online(); cpu++)
		sum += serves(port, cpu);
	return sum;
}

/* It waits on a core, alone and unbound: the listener keeps its connections. */
static int row_woken_by_app(const struct trial *p)
{
	int fd = sock_listen(p, 16);

	NEED(!wait_by_epoll(fd, UNBOUND));
	NEED(until(!served(sock_port(fd))));
	NEED(dial_on(p, OTHER, fd) >= 0);
	NEED(accept_unbound(fd) >= 0);
	return 0;
}

static int row_unclaimed(const struct trial *p)
{
	int fd = sock_listen(p, 16);

	NEED(dial_on(p, CPU, fd) >= 0);
	NEED(accept_unbound(fd) >= 0);
	return 0;
}

/* The second connection does not go where the first is stuck. */
static int row_late(const struct trial *p)
{
	int fd = sock_listen(p, 16);

	NEED(!rescue_set_ms(5));
	NEED(sock_claim(fd, CPU));
	NEED(dial_on(p, CPU, fd) >= 0);
	NEED(until(count(FSK_STAT_RESCUE) == 1));
	NEED(dial_on(p, CPU, fd) >= 0);
	NEED(!pin(OTHER));
	NEED(sock_accept(fd) >= 0);
	NEED(sock_accept(fd) >= 0);
	return 0;
}

static int row_bypass(const struct trial *p)
{
	struct sock_filter pass[] = { BPF_STMT(BPF_RET | BPF_K, 0xffff) };
	struct sock_fprog prog = { 1, pass };
	int fd = sock_listen(p, 16);

	NEED(!setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			 sizeof(prog)));
	NEED(dial_on(p, CPU, fd) >= 0);
	NEED(accept_unbound(fd) >= 0);
	return 0;
}

static int row_sk_lookup(const struct trial *p)
{
	int prog = bpf_verdict(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, SK_PASS);
	int fd = sock_listen(p, 16);

	NEED(bpf_attach(prog, BPF_SK_LOOKUP, net_open(), 0) >= 0);
	NEED(dial_on(p, CPU, fd) >= 0);
	NEED(accept_unbound(fd) >= 0);
	return 0;
}

/* From one port again and again; the server closes first. */
static int visit(const struct trial *p, int lfd)
{
	int family = p->dual ? AF_INET : p->family, on = 1, child;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage from, to;
	socklen_t len = sock_addr(&from, family, SPORT, true);
	char c;

	sock_addr(&to, family, sock_port(lfd), true);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	NEED(!bind(fd, (void *)&from, len));
	NEED(!connect(fd, (void *)&to, len));
	child = sock_accept(lfd);
	NEED(child >= 0);
	close(child);
	NEED(!read(fd, &c, 1));
	close(fd);
	return 0;
}

static int row_timewait(const struct trial *p)
{
	int fd = sock_listen(p, 16);
	uint64_t stamp;

	NEED(sock_claim(fd, CPU));
	NEED(!visit(p, fd));
	/* A timestamp is told from the last one by the millisecond. */
	stamp = now_ms();
	NEED(until(now_ms() > stamp + 2));
	NEED(!visit(p, fd));
	return 0;
}

static int row_cookie(const struct trial *p)
{
	NEED(!sysctl_set("net/ipv4/tcp_syncookies", "2"));
	return row_local(p);
}

/* A queue for one. */
static int row_overflow(const struct trial *p)
{
	int fd = sock_listen(p, 0), late;

	NEED(sock_claim(fd, CPU));
	NEED(dial_on(p, CPU, fd) >= 0);
	late = sock_dial_nowait(p, sock_port(fd));
	NEED(until(count(FSK_STAT_OVERFLOW)));
	close(late);
	NEED(sock_accept(fd) >= 0);
	return 0;
}

/* Returns the accepted end, with the other in @client. */
static int open_from(const struct trial *p, int cpu, int *client)
{
	int family = p->dual ? AF_INET : p->family, fd = plain_listen(p);
	struct sockaddr_storage to;
	socklen_t len = sock_addr(&to, family, sock_port(fd), true);

	*client = pin(cpu) ? -1 : rfd_dial(&to, len);
	return *client < 0 ? -1 : sock_accept(fd);
}

static int row_opened(const struct trial *p)
{
	int client;

	NEED(open_from(p, CPU, &client) >= 0);
	return 0;
}

static int row_opened_by_kernel(const struct trial *p)
{
	NEED(!rfd_config(FSK_RFD_OFF, false));
	return row_opened(p);
}

/* Of eight ports two are the core's, whose number is in the low bits. */
static int row_opened_from_any(const struct trial *p)
{
	int family = p->dual ? AF_INET : p->family, fd = plain_listen(p), i;
	struct sockaddr_storage to;
	socklen_t len = sock_addr(&to, family, sock_port(fd), true);

	NEED(!sysctl_set("net/ipv4/ip_local_port_range", "40000 40007"));
	NEED(!pin(CPU));
	for (i = 0; i < 3; i++)
		NEED(rfd_dial(&to, len) >= 0);
	return 0;
}

static int row_counted(const struct trial *p)
{
	NEED(!rfd_config(FSK_RFD_MASK, true));
	return row_opened(p);
}

/* Over loopback a packet comes in on the core that sends it. */
static int answer_from_afar(const struct trial *p, int mode)
{
	int client, child;
	char c = 0;

	NEED(!rfd_config(mode, true));
	child = open_from(p, CPU, &client);
	NEED(child >= 0 && !pin(OTHER));
	NEED(write(child, &c, 1) == 1 && read(client, &c, 1) == 1);
	return 0;
}

static int row_missed(const struct trial *p)
{
	return answer_from_afar(p, FSK_RFD_MASK);
}

static int row_steered(const struct trial *p)
{
	return answer_from_afar(p, FSK_RFD_STEER);
}

static int fast(int lfd)
{
	return sock_accept_fast(lfd, SOCK_CLOEXEC, NULL, NULL);
}

/* Right behind an accept4(), which lets the module accept for a second. */
static int accept_fast(const struct trial *p, int lfd)
{
	int i, fd = -ESTALE, port = sock_port(lfd);

	for (i = 0; i < 100 && fd == -ESTALE; i++) {
		NEED(sock_dial(p, port) >= 0 && sock_accept(lfd) >= 0);
		NEED(sock_dial(p, port) >= 0);
		fd = fast(lfd);
		if (fd == -ESTALE)
			NEED(sock_accept(lfd) >= 0);
	}
	return fd;
}

/* Without accept4(), behind it, when files have just been closed, and by a task
 * that is not bound.
 */
static int row_files(const struct trial *p)
{
	int fd = sock_listen(p, 16), child, i;

	NEED(!vfs_set(true) && sock_claim(fd, CPU));
	NEED(fast(fd) == -ESTALE);
	for (i = 0; i < 100 && !count(FSK_STAT_VFS_EARLY); i++) {
		child = accept_fast(p, fd);
		NEED(child >= 0);
		close(child);
	}
	unpin();
	NEED(fast(fd) == -EOPNOTSUPP);
	return 0;
}

/**
 * struct row - something that happens
 * @happen: makes it; 0, or what is wrong has been said
 * @moves: counters that have to move
 * @may: counters that may: a matter of time
 */
static const struct row {
	int (*happen)(const struct trial *p);
	uint64_t moves;
	uint64_t may;
} rows[] = {
	{ row_bystander, 0 },
	{ row_local, LOCAL },
	{ row_woken, LOCAL | M(WAKE_LOCAL) },
	{ row_woken_by_app, M(LOCAL_CREATE) | M(SYN_UNCLAIMED) |
	  M(ACCEPT_APP) | M(WAKE_APP) },
	{ row_unclaimed, M(SYN_UNCLAIMED) | M(ACCEPT_APP) },
	{ row_late, M(LOCAL_CREATE) | M(SYN_LOCAL) | M(RESCUE) |
	  M(SYN_ORPHANED) | M(ACCEPT_APP) | M(ACCEPT_OTHER) | M(RESCUED) },
	{ row_bypass, M(SYN_BYPASSED) | M(ACCEPT_APP) },
	{ row_sk_lookup, M(SYN_SK_LOOKUP) | M(ACCEPT_APP) },
	{ row_timewait, LOCAL | M(SYN_TIMEWAIT) },
	{ row_cookie, LOCAL | M(COOKIE_LOCAL) },
	{ row_overflow, LOCAL | M(OVERFLOW) },
	{ row_opened, OPENED },
	{ row_opened_by_kernel, M(CONNECT_KERNEL) },
	{ row_opened_from_any, OPENED | M(CONNECT_ANY) },
	{ row_counted, OPENED | M(RFD_HIT) },
	{ row_missed, OPENED | M(RFD_HIT) | M(RFD_MISS) },
	{ row_steered, OPENED | M(RFD_HIT) | M(RFD_MISS) | M(RFD_STEERED) },
	{ row_files, LOCAL | M(VFS_RENEW) | M(VFS_ACCEPT) | M(VFS_EARLY) |
	  M(VFS_REFUSE), M(VFS_REUSE) },
};

FIXTURE(stats) {};
TRIAL_VARIANTS(stats);

FIXTURE_SETUP(stats)
{
}

FIXTURE_TEARDOWN(stats)
{
}

/* Every counter that has moved, a bit each. */
static uint64_t moved(void)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < __FSK_STAT_MAX; i++)
		sum |= (uint64_t)!!count(i) << i;
	return sum;
}

/* A process and a namespace for each row: all that it opens goes with them. */
static bool holds(const struct row *row, const struct trial *p)
{
	pid_t pid = fork_child();

	if (pid)
		return !reap(pid);
	if (net_enter() || rescue_set_ms(0) || row->happen(p))
		_exit(1);
	/* The last packet may be on its way to its core. A task that sleeps in
	 * connect() is a worker that sleeps elsewhere.
	 */
	if (until((moved() & ~row->may & ~M(LATE)) == row->moves))
		_exit(0);
	fprintf(stderr, "# moved %llx, not %llx\n",
		(unsigned long long)moved(), (unsigned long long)row->moves);
	_exit(1);
}

TEST_F_TIMEOUT(stats, counter__moves_for_its_reason_only, 300)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_TRUE(holds(&rows[i], &variant->trial))
			TH_LOG("row %d", i);
}

TEST(every_counter__has_a_row)
{
	uint64_t some = 0, here = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		here |= rows[i].moves;
	for (i = 0; i < ARRAY_SIZE(elsewhere); i++)
		some |= 1ULL << elsewhere[i].counter;
	EXPECT_EQ((1ULL << __FSK_STAT_MAX) - 1, here | some);
	EXPECT_EQ(0, here & some);
}

TEST_HARNESS_MAIN
