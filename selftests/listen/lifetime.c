// SPDX-License-Identifier: GPL-2.0
/*
 * What goes while somebody still comes to it: one pair of events a test, see
 * docs/lifetimes.md.
 *
 * Where memory that is freed is overwritten at once, a fault of this kind is a
 * crash as well:
 *
 *	FSK_VM_ARGS=slub_debug=FZPU selftests/run -k 6.12 lifetime
 */
#include "kselftest_harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/membarrier.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "counters.h"
#include "stall.h"
#include "support.h"

#define PORT	7100
#define CPU	1
#define N	20

/**
 * struct rtnl - the kernel's lock of network configuration, held
 * @stall: where the addresses would be written, under the lock
 * @sock: whose addresses are listed
 * @thread: lists them
 */
struct rtnl {
	struct stall stall;
	int sock;
	pthread_t thread;
};

static void *rtnl_list(void *arg)
{
	struct rtnl *rtnl = arg;
	struct ifconf conf = {
		.ifc_len = STALL_SIZE, .ifc_buf = rtnl->stall.page,
	};

	ioctl(rtnl->sock, SIOCGIFCONF, &conf);
	return NULL;
}

/* Return: 0 when the lock is held, until rtnl_release(); or what failed. */
static int rtnl_hold(struct rtnl *rtnl)
{
	int err = stall_make(&rtnl->stall);

	if (err)
		return err;
	rtnl->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (rtnl->sock < 0)
		return -errno;
	if (pthread_create(&rtnl->thread, NULL, rtnl_list, rtnl))
		return -EAGAIN;
	return stall_waits(&rtnl->stall) ? 0 : -ETIMEDOUT;
}

static void rtnl_release(struct rtnl *rtnl)
{
	stall_end(&rtnl->stall, NULL);
	pthread_join(rtnl->thread, NULL);
	close(rtnl->sock);
}

/* All readers of RCU have left. */
static int wait_readers(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) ?
	       -errno : 0;
}

/* close() against SYNs */

/* Where a listener is. */
struct spot {
	int family;
	uint32_t v4;
	bool group;
};

static socklen_t spot_addr(const struct spot *spot, struct sockaddr_storage *ss)
{
	socklen_t len = sock_addr(ss, spot->family, PORT, true);

	if (spot->family == AF_INET)
		((struct sockaddr_in *)ss)->sin_addr.s_addr = htonl(spot->v4);
	return len;
}

/* A listener that has joined, or a negative errno. */
static int spot_listen(const struct spot *spot)
{
	struct sockaddr_storage ss;
	socklen_t len = spot_addr(spot, &ss);
	int on = 1, fd, err;

	fd = socket(spot->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (spot->group)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (spot->family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	err = bind(fd, (void *)&ss, len) || listen(fd, 64) ? -errno : join(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Before the kernel takes a listener with an IPv4 multicast group out of its
 * table, close() waits for the lock of network configuration.  An IPv6 socket
 * may have one, too; IPv6's own groups have locks of their own since 6.17.
 */
static int spot_slow_close(int fd)
{
	struct group_req req = { .gr_interface = if_nametoindex("lo") };
	struct sockaddr_in *sin = (struct sockaddr_in *)&req.gr_group;

	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(0xef000001);
	return setsockopt(fd, SOL_IP, MCAST_JOIN_GROUP, &req, sizeof(req)) ?
	       -errno : 0;
}

static int spot_dial(const struct spot *spot)
{
	struct sockaddr_storage ss;
	socklen_t len = spot_addr(spot, &ss);

	return plain_dial(&ss, len);
}

FIXTURE(close) {
	struct rtnl rtnl;
	int stays;
	int goes;
};

FIXTURE_VARIANT(close) {
	struct spot stays;
	struct spot goes;
};

FIXTURE_VARIANT_ADD(close, addresses) {
	.stays = { AF_INET, INADDR_LOOPBACK },
	.goes = { AF_INET, INADDR_LOOPBACK + 1 },
};

FIXTURE_VARIANT_ADD(close, families) {
	.stays = { AF_INET, INADDR_LOOPBACK },
	.goes = { AF_INET6 },
};

FIXTURE_VARIANT_ADD(close, group) {
	.stays = { AF_INET, INADDR_LOOPBACK, true },
	.goes = { AF_INET, INADDR_LOOPBACK, true },
};

FIXTURE_VARIANT_ADD(close, group_ipv6) {
	.stays = { AF_INET6, 0, true },
	.goes = { AF_INET6, 0, true },
};

FIXTURE_SETUP(close)
{
	int err;

	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(0));	/* the one that stays keeps its core */
	self->stays = spot_listen(&variant->stays);
	ASSERT_LE(0, self->stays);
	self->goes = spot_listen(&variant->goes);
	ASSERT_LE(0, self->goes);
	ASSERT_EQ(0, spot_slow_close(self->goes));
	ASSERT_TRUE(sock_claim(self->stays, CPU));
	ASSERT_EQ(2, listeners());
	err = rtnl_hold(&self->rtnl);
	if (err == -ENOSYS)
		SKIP(return, "this kernel has no userfaultfd");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(close)
{
	close(self->stays);
}

static void *close_fd(void *arg)
{
	close(*(int *)arg);
	return NULL;
}

/* Packets find a listener as long as the kernel has it in its table, which is
 * until close() has nearly ended.  The module has let go of it by then, so it
 * is a plain one: its packets are not counted at all.
 */
TEST_F(close, while__syns_come)
{
	uint64_t unclaimed;
	pthread_t closer;
	int i, fd;

	ASSERT_EQ(0, pthread_create(&closer, NULL, close_fd, &self->goes));
	EXPECT_TRUE(until(listeners() == 1));
	unclaimed = count(FSK_STAT_SYN_UNCLAIMED);
	for (i = 0; i < N; i++) {
		EXPECT_EQ(0, wait_readers());
		fd = spot_dial(&variant->goes);
		EXPECT_LE(0, fd);
		close(fd);
	}
	EXPECT_EQ(unclaimed, count(FSK_STAT_SYN_UNCLAIMED));
	rtnl_release(&self->rtnl);
	pthread_join(closer, NULL);
	EXPECT_EQ(1, listeners());
}

/* Dumps, also one that is not read */

FIXTURE(dump) { int fd; };

FIXTURE_SETUP(dump)
{
	const struct trial p = { AF_INET, false, true };

	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, vfs_set(true));
	self->fd = sock_listen(&p, 8);
	ASSERT_LE(0, self->fd);
	ASSERT_TRUE(sock_claim(self->fd, CPU));
}

FIXTURE_TEARDOWN(dump)
{
}

/* The namespace may go when the last socket is closed: what is left of a
 * listener then must not come to it.  A reader who does not go on keeps
 * nothing.
 */
TEST_F(dump, close__leaves_no_pool)
{
	struct vfs_figures sum;
	int dump = rows_hold();

	ASSERT_LE(0, dump);
	ASSERT_EQ(0, vfs_get(&sum));
	EXPECT_EQ(1, sum.pools);
	close(self->fd);
	ASSERT_EQ(0, vfs_get(&sum));
	EXPECT_EQ(0, sum.pools);
	close(dump);
}

#define MANY	700	/* of one port, and so of one chain; several messages */

TEST_F(dump, many__each_once)
{
	const struct trial p = { AF_INET, false, true };
	static struct core_row rows[ROWS_MAX];
	int i, fd[MANY];

	close(self->fd);
	for (i = 0; i < MANY; i++) {
		fd[i] = sock_make(&p);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(0, setsockopt(fd[i], SOL_SOCKET, SO_REUSEPORT,
					&(int){ 1 }, sizeof(int)));
		ASSERT_EQ(0, sock_bind(&p, fd[i], PORT));
		ASSERT_EQ(0, listen(fd[i], 8));
		ASSERT_EQ(0, join(fd[i]));
	}
	EXPECT_EQ(MANY, listeners());
	EXPECT_EQ(MANY, rows_get(rows, ROWS_MAX));
	for (i = 0; i < MANY; i += 2)
		close(fd[i]);
	EXPECT_EQ(MANY / 2, rows_get(rows, ROWS_MAX));
}

/* A listener that ceases to listen, otherwise than by shutdown() and close() */

FIXTURE(stop) {
	struct trial trial;
	int fd;
	int client;	/* queued, where its worker would take it */
};

FIXTURE_VARIANT(stop) { struct trial trial; };

FIXTURE_VARIANT_ADD(stop, ipv4) { .trial = { AF_INET, false, true } };
FIXTURE_VARIANT_ADD(stop, ipv6) { .trial = { AF_INET6, false, true } };
FIXTURE_VARIANT_ADD(stop, dual) { .trial = { AF_INET6, true, true } };
TRIAL_VARIANTS_PLAIN(stop);

FIXTURE_SETUP(stop)
{
	int flags;

	self->trial = variant->trial;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(0));
	self->fd = sock_make(&self->trial);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sock_bind(&self->trial, self->fd, PORT));
	ASSERT_EQ(0, listen(self->fd, 8));
	if (self->trial.join)
		ASSERT_EQ(0, join(self->fd));
	flags = fcntl(self->fd, F_GETFL);
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, flags | O_NONBLOCK));
	ASSERT_TRUE(sock_claim(self->fd, CPU));
	self->client = sock_dial(&self->trial, PORT);
	ASSERT_LE(0, self->client);
	ASSERT_EQ(self->trial.join, count(FSK_STAT_SYN_LOCAL));
}

FIXTURE_TEARDOWN(stop)
{
	close(self->client);
	close(self->fd);
}

/* As ss -K does it. */
static int destroy(const struct trial *p, int port)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 req;
	} rq = {
		.nlh = {
			.nlmsg_len = sizeof(rq),
			.nlmsg_type = SOCK_DESTROY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.req = {
			.sdiag_family = p->family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = -1,
			.id = {
				.idiag_sport = htons(port),
				.idiag_cookie = {
					INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE,
				},
			},
		},
	};
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char more[sizeof(rq)];
	} reply = { };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
			NETLINK_SOCK_DIAG);
	int err = 0;

	if (send(fd, &rq, sizeof(rq), 0) < 0 ||
	    recv(fd, &reply, sizeof(reply), 0) < 0)
		err = -errno;
	close(fd);
	return err ? err : reply.err.error;
}

static bool reset(int fd)
{
	char c;

	return sock_wait(fd, POLLIN, PATIENCE_MS) && recv(fd, &c, 1, 0) < 0 &&
	       errno == ECONNRESET;
}

/* Nobody who came before listen() is there after it, and who comes then is. */
static void expect_fresh(struct __test_metadata *_metadata,
			 const struct trial *p, int fd)
{
	int client, child;

	EXPECT_EQ(-1, accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	EXPECT_EQ(EAGAIN, errno);
	client = sock_dial(p, PORT);
	EXPECT_LE(0, client);
	child = sock_accept(fd);
	EXPECT_LE(0, child);
	close(child);
	close(client);
}

TEST_F(stop, destroy__by_admin)
{
	ASSERT_EQ(0, destroy(&self->trial, PORT));
	EXPECT_TRUE(reset(self->client));
	EXPECT_TRUE(until(!listeners()));
	EXPECT_TRUE(sock_refused(&self->trial, PORT));
	ASSERT_EQ(0, listen(self->fd, 8));
	EXPECT_EQ(self->trial.join, listeners());
	expect_fresh(_metadata, &self->trial, self->fd);
}

/* Before anybody has looked. */
TEST_F(stop, destroy__by_admin_and_listen)
{
	ASSERT_EQ(0, destroy(&self->trial, PORT));
	ASSERT_EQ(0, listen(self->fd, 8));
	expect_fresh(_metadata, &self->trial, self->fd);
	EXPECT_TRUE(reset(self->client));
	EXPECT_EQ(self->trial.join, listeners());
}

TEST_F(stop, connect__to_nowhere)
{
	ASSERT_EQ(0, sock_disconnect(self->fd));
	EXPECT_EQ(0, listeners());
	EXPECT_TRUE(reset(self->client));
	EXPECT_TRUE(sock_refused(&self->trial, PORT));
	ASSERT_EQ(0, listen(self->fd, 8));
	EXPECT_EQ(self->trial.join, listeners());
	expect_fresh(_metadata, &self->trial, self->fd);
}

TEST_F(stop, connect__to_nowhere_and_listen)
{
	ASSERT_EQ(0, sock_disconnect(self->fd));
	ASSERT_EQ(0, listen(self->fd, 8));
	expect_fresh(_metadata, &self->trial, self->fd);
	EXPECT_TRUE(reset(self->client));
}

/* It becomes a connection: data wakes all who have waited since it listened,
 * wherever they do.
 */
TEST_F(stop, connect__elsewhere)
{
	struct epoll_event ev = { .events = EPOLLIN };
	const struct trial p = { self->trial.family, self->trial.dual };
	struct sockaddr_storage to;
	int i, lfd, peer, ep[2];
	socklen_t len;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pin(i));
		ep[i] = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_EQ(0, epoll_ctl(ep[i], EPOLL_CTL_ADD, self->fd, &ev));
	}
	lfd = sock_listen(&p, 8);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, sock_disconnect(self->fd));
	len = sock_addr(&to, p.family, sock_port(lfd), true);
	ASSERT_EQ(-1, connect(self->fd, (void *)&to, len));
	ASSERT_EQ(EINPROGRESS, errno);
	peer = sock_accept(lfd);
	ASSERT_LE(0, peer);
	for (i = 0; i < 2; i++)
		while (epoll_wait(ep[i], &ev, 1, 100) == 1)
			;
	ASSERT_EQ(1, write(peer, "x", 1));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(1, epoll_wait(ep[i], &ev, 1, PATIENCE_MS));
	close(peer);
	close(lfd);
}

/* Sockets that the kernel takes over */

#define NFSD	"/proc/fs/nfsd"

FIXTURE(kernel) {
	long refs;
	int fd;
};

FIXTURE_VARIANT(kernel) { struct trial trial; };

FIXTURE_VARIANT_ADD(kernel, ipv4) { .trial = { AF_INET, false, true } };
FIXTURE_VARIANT_ADD(kernel, ipv6) { .trial = { AF_INET6, false, true } };
FIXTURE_VARIANT_ADD(kernel, plain) { .trial = { AF_INET, false, false } };

FIXTURE_SETUP(kernel)
{
	char text[16];

	if (system("modprobe nfsd 2>/dev/null"))
		SKIP(return, "this kernel has no NFS server");
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mount("nfsd", NFSD, "nfsd", 0, NULL));
	ASSERT_EQ(0, file_write(NFSD "/versions", "-2 -3 +4\n"));
	self->refs = module_refs();
	self->fd = sock_listen(&variant->trial, 8);
	ASSERT_LE(0, self->fd);
	snprintf(text, sizeof(text), "%d\n", self->fd);
	ASSERT_LE(0, file_write(NFSD "/portlist", text));
	ASSERT_EQ(0, file_write(NFSD "/threads", "1"));
}

FIXTURE_TEARDOWN(kernel)
{
	file_write(NFSD "/threads", "0");
}

/* The kernel's connections have our operations.  They outlive the listener
 * here, and hold the module.
 */
TEST_F(kernel, accept__connections)
{
	int port = sock_port(self->fd);
	bool join = variant->trial.join;
	int client[N], i;

	for (i = 0; i < N; i++) {
		client[i] = sock_dial(&variant->trial, port);
		EXPECT_LE(0, client[i]);
	}
	if (join)
		EXPECT_TRUE(until(count(FSK_STAT_ACCEPT_APP) == N));
	EXPECT_EQ(self->refs + (join ? 1 + N : 0), module_refs());
	for (i = 0; i < N / 2; i++)
		close(client[i]);
	EXPECT_TRUE(until(module_refs() ==
			  self->refs + (join ? 1 + N / 2 : 0)));
	EXPECT_EQ(0, file_write(NFSD "/threads", "0"));
	for (i = N / 2; i < N; i++)
		close(client[i]);
	close(self->fd);
	EXPECT_TRUE(until(module_refs() == self->refs));
	EXPECT_EQ(0, listeners());
}

/* Whether nfsd answers: version 4's procedure that does nothing. */
static bool nfs_answers(int fd)
{
	const uint32_t call[] = {
		htonl(0x80000000 | 40), htonl(1), 0, htonl(2), htonl(100003),
		htonl(4), 0, 0, 0, 0, 0,
	};
	char reply[64];

	return write(fd, call, sizeof(call)) == sizeof(call) &&
	       sock_wait(fd, POLLIN, PATIENCE_MS) &&
	       read(fd, reply, sizeof(reply)) > 8;
}

/* A process takes from the listener, too, and ends with a connection in its
 * core's queue: the kernel's server hears of it.
 */
TEST_F(kernel, accept__after_a_worker_has_died)
{
	pid_t worker = fork_child();
	int client;

	if (!worker) {
		if (!sock_claim(self->fd, CPU))
			_exit(1);
		for (;;)
			pause();
	}
	if (variant->trial.join)
		ASSERT_TRUE(until(claims(sock_port(self->fd)) == 1));
	ASSERT_EQ(0, halt(worker));
	ASSERT_EQ(0, pin(CPU));
	client = sock_dial(&variant->trial, sock_port(self->fd));
	ASSERT_LE(0, client);
	end(worker);
	EXPECT_TRUE(nfs_answers(client));
	EXPECT_EQ(variant->trial.join, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(variant->trial.join, count(FSK_STAT_RESCUED));
	close(client);
	EXPECT_EQ(0, file_write(NFSD "/threads", "0"));
	close(self->fd);
	EXPECT_TRUE(until(module_refs() == self->refs));
}

/* A socket that becomes an IPv4 one */

FIXTURE(addrform) {
	long refs;
	int server;
	int fd;
	int epfd;
};

FIXTURE_VARIANT(addrform) { struct trial trial; };

FIXTURE_VARIANT_ADD(addrform, joined) { .trial = { AF_INET6, true, true } };
FIXTURE_VARIANT_ADD(addrform, plain) { .trial = { AF_INET6, true, false } };

FIXTURE_SETUP(addrform)
{
	const struct trial server = { AF_INET, false, false };
	struct epoll_event ev = { .events = EPOLLIN };
	struct trial unbound = variant->trial;
	struct sockaddr_storage ss;
	int family = AF_INET;
	socklen_t len;

	ASSERT_EQ(0, net_enter());
	self->refs = module_refs();
	self->server = sock_listen(&server, 8);
	ASSERT_LE(0, self->server);
	self->fd = sock_listen(&unbound, 8);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, pin(CPU));
	self->epfd = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_EQ(0, epoll_ctl(self->epfd, EPOLL_CTL_ADD, self->fd, &ev));
	EXPECT_EQ(variant->trial.join, claims(sock_port(self->fd)));
	ASSERT_EQ(0, sock_disconnect(self->fd));
	len = sock_addr(&ss, AF_INET6, sock_port(self->server), true);
	inet_pton(AF_INET6, "::ffff:127.0.0.1",
		  &((struct sockaddr_in6 *)&ss)->sin6_addr);
	ASSERT_EQ(0, connect(self->fd, (void *)&ss, len));
	ASSERT_EQ(0, setsockopt(self->fd, SOL_IPV6, IPV6_ADDRFORM, &family,
				sizeof(family)));
	ASSERT_EQ(0, getsockname(self->fd, (void *)&ss, &len));
	ASSERT_EQ(AF_INET, ss.ss_family);
}

FIXTURE_TEARDOWN(addrform)
{
	close(self->server);
}

/* Nothing is left of it. */
static void expect_gone(struct __test_metadata *_metadata, int fd, long refs)
{
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, listeners());
	EXPECT_TRUE(until(module_refs() == refs));
}

TEST_F(addrform, close__connected)
{
	expect_gone(_metadata, self->fd, self->refs);
}

/* It listens again, as an IPv4 socket, and its worker waits as before. */
TEST_F(addrform, listen__again)
{
	const struct trial p = { AF_INET, false, false };
	struct epoll_event ev;
	int client, child;

	ASSERT_EQ(0, sock_disconnect(self->fd));
	ASSERT_EQ(0, sock_bind(&p, self->fd, PORT));
	ASSERT_EQ(0, listen(self->fd, 8));
	client = sock_dial(&p, PORT);
	EXPECT_LE(0, client);
	EXPECT_EQ(1, epoll_wait(self->epfd, &ev, 1, PATIENCE_MS));
	child = accept4(self->fd, NULL, NULL, SOCK_CLOEXEC);
	EXPECT_LE(0, child);
	close(child);
	close(client);
	expect_gone(_metadata, self->fd, self->refs);
}

TEST_HARNESS_MAIN
