// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that are moved to the core that connected, at the edges: unload
 * while they are on the way, and what is left to the kernel.
 *
 * Two namespaces with a veth pair.  The test is in the one with primed
 * sockets and packets to be moved, and binds to CLIENT; the peer is in the
 * other one and sends from PEER, so that is where its packets come in.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counters.h"
#include "nets.h"
#include "queue.h"
#include "support.h"

#define PORT		8080
#define PEER		0
#define ELSEWHERE	1	/* between them: CPUs are emulated in turn */
#define CLIENT		2
#define CONNECTIONS	30

#define HITS	count(FSK_STAT_RFD_HIT)
#define MISSES	count(FSK_STAT_RFD_MISS)
#define STEERED	count(FSK_STAT_RFD_STEERED)
#define DROPS	count(FSK_STAT_RFD_DROP)

FIXTURE(steer) {
	struct trial trial;
	struct nets nets;
	int lfd;		/* the peer's */
};

FIXTURE_VARIANT(steer) {
	struct trial trial;
};

FIXTURE_VARIANT_ADD(steer, ipv4) {
	.trial = { AF_INET, false, false },
};

FIXTURE_VARIANT_ADD(steer, ipv6) {
	.trial = { AF_INET6, false, false },
};

static int listen_here(const struct trial *p, int port)
{
	int fd = sock_make(p);

	if (fd < 0 || sock_bind(p, fd, port) || listen(fd, 1024))
		return -errno;
	return fd;
}

static int set_up(FIXTURE_DATA(steer) *self)
{
	if (nets_make(&self->nets))
		return -1;
	self->lfd = IN_NET(self->nets.server, self->nets.client,
			   listen_here(&self->trial, PORT));
	return self->lfd < 0 ? -1 : rfd_config(FSK_RFD_STEER, false);
}

FIXTURE_SETUP(steer)
{
	self->trial = variant->trial;
	if (cpus_online() < 4)
		SKIP(return, "needs 4 CPUs");
	ASSERT_EQ(0, set_up(self));
}

FIXTURE_TEARDOWN(steer)
{
}

/* A connection of a primed socket to the peer. */
static int dial_port(const struct trial *p, int port)
{
	struct sockaddr_storage to;
	socklen_t len = nets_addr(p, &to, 2, port);

	return rfd_dial(&to, len);
}

static int dial(const struct trial *p)
{
	return dial_port(p, PORT);
}

#define ANSWERS	16	/* packets for each that the client sends */

/* Accepts, and answers for ever.  From a task: what it has sent by an
 * acknowledgment would come in on the client's core.
 */
static void answer_all(int lfd)
{
	struct pollfd pfds[2 + CONNECTIONS];
	int n = 1, i, j;
	char text[64];

	pin(PEER);
	pfds[0] = (struct pollfd){ lfd, POLLIN, 0 };
	while (poll(pfds, n, -1) > 0) {
		for (i = 1; i < n; i++) {
			if (!pfds[i].revents)
				continue;
			if (read(pfds[i].fd, text, 1) != 1)
				pfds[i].fd = -1;
			for (j = 0; j < ANSWERS && pfds[i].fd >= 0; j++)
				send(pfds[i].fd, text, sizeof(text),
				     MSG_NOSIGNAL | MSG_EOR);
		}
		if (pfds[0].revents) {
			pfds[n] = (struct pollfd){ accept(lfd, NULL, NULL),
						   POLLIN, 0 };
			setsockopt(pfds[n].fd, SOL_TCP, TCP_NODELAY,
				   &(int){ 1 }, sizeof(int));
			n += n <= CONNECTIONS;
		}
	}
}

static bool read_answers(int fd)
{
	char text[64 * ANSWERS];
	size_t got;
	ssize_t n;

	for (got = 0; got < sizeof(text); got += n) {
		n = read(fd, text, sizeof(text));
		if (n <= 0)
			return false;
	}
	return true;
}

static void ask_all(const struct trial *p)
{
	int fds[CONNECTIONS], i;

	pin(CLIENT);
	for (i = 0; i < CONNECTIONS; i++)
		fds[i] = dial(p);
	for (;;) {
		for (i = 0; i < CONNECTIONS; i++)
			if (write(fds[i], "x", 1) != 1)
				_exit(1);
		for (i = 0; i < CONNECTIONS; i++)
			if (!read_answers(fds[i]))
				_exit(2);
	}
}

static pid_t start(const struct trial *p, int lfd)
{
	pid_t pid = fork_child();

	if (!pid && lfd < 0)
		ask_all(p);
	else if (!pid)
		answer_all(lfd);
	return pid;
}

/* Only poisoned memory tells what is used after it was freed: run this with
 * FSK_VM_ARGS=slub_debug=FZPU, or on a debug kernel.
 */
TEST_F_TIMEOUT(steer, unload__under_load, 300)
{
	int rounds = fault_count(6, 60);
	pid_t peer, client;

	/* A hook of another's: without one the last of ours to go would have
	 * all cores interrupted, and so their queues emptied.
	 */
	if (sh("nft 'table inet t { chain c { "
	       "type filter hook prerouting priority 0; } ; }'"))
		SKIP(return, "nft does not work here");
	ASSERT_EQ(0, pin(ELSEWHERE));
	while (rounds--) {
		peer = start(&self->trial, self->lfd);
		client = start(&self->trial, -1);
		EXPECT_TRUE(until_ms(3 * PATIENCE_MS, STEERED > 1000));
		EXPECT_TRUE(until(!module_unload()));
		/* Its connections go on. */
		EXPECT_EQ(0, waitpid(client, NULL, WNOHANG));
		ASSERT_EQ(0, module_load());
		ASSERT_EQ(0, rfd_config(FSK_RFD_STEER, false));
		end(client);
		end(peer);
	}
}

/* It waits for each packet that holds it, and drops what has not been through
 * yet: none is left, or the command would not end, nor the namespace.
 */
TEST_F_TIMEOUT(steer, device__goes_under_load, 300)
{
	int rounds = fault_count(3, 30);
	pid_t peer, client;

	ASSERT_EQ(0, pin(ELSEWHERE));
	while (rounds--) {
		peer = start(&self->trial, self->lfd);
		client = start(&self->trial, -1);
		EXPECT_TRUE(until_ms(3 * PATIENCE_MS, STEERED > 1000));
		EXPECT_EQ(0, sh("ip link delete fska"));
		end(client);
		end(peer);
		close(self->lfd);
		close(self->nets.server);
		close(self->nets.client);
		ASSERT_EQ(0, set_up(self));
	}
}

/* A byte there and an answer from PEER, some times on each of some
 * primed sockets' connections.
 */
static bool talk(const struct trial *p, int lfd, int connections, int rounds)
{
	int client, server, i;
	bool ok = true;
	char byte;

	while (ok && connections--) {
		pin(CLIENT);
		client = dial(p);
		server = sock_accept(lfd);
		for (i = 0; ok && i < rounds; i++)
			ok = !pin(CLIENT) && write(client, "x", 1) == 1 &&
			     sock_wait(server, POLLIN, PATIENCE_MS) &&
			     read(server, &byte, 1) == 1 && !pin(PEER) &&
			     write(server, "x", 1) == 1 &&
			     sock_wait(client, POLLIN, PATIENCE_MS) &&
			     read(client, &byte, 1) == 1;
		close(client);
		close(server);
	}
	return ok;
}

#define TALK() talk(&self->trial, self->lfd, 10, 4)

TEST_F(steer, moved__all)
{
	EXPECT_TRUE(TALK());
	EXPECT_LE(10 * 4, STEERED);
	EXPECT_EQ(0, DROPS);
}

/* Packets of a VRF pass PRE_ROUTING twice. */
TEST_F(steer, moved__vrf)
{
	if (sh("ip link add red type vrf table 10 2>/dev/null"))
		SKIP(return, "this kernel has no VRF");
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_l3mdev_accept", "1"));
	ASSERT_EQ(0, sh("ip link set red up && ip link set fska master red && "
			"ip address replace fd09::1/64 dev fska nodad && "
			"for f in -4 -6; do ip $f rule add pref 2000 "
			"lookup 10; done"));
	EXPECT_TRUE(TALK());
	EXPECT_LE(10 * 4, STEERED);
	EXPECT_EQ(0, DROPS);
}

/* After a verdict a packet goes on in the task that gave it.  The next ones
 * come in on the same core, go to the same queue, and may interrupt the task.
 */
TEST_F_TIMEOUT(steer, moved__nfqueue, 300)
{
	pid_t queue, peer, client;
	uint64_t asked;

	queue = queue_start(PEER);
	ASSERT_LT(0, queue);
	if (sh("nft 'table inet t { chain c { "
	       "type filter hook prerouting priority mangle; tcp sport %d "
	       "numgen inc mod 2 0 counter queue num 1; } ; }'", PORT))
		SKIP(return, "nft does not work here");
	ASSERT_EQ(0, pin(ELSEWHERE));
	peer = start(&self->trial, self->lfd);
	client = start(&self->trial, -1);
	asked = STEERED + fault_count(500, 20000);
	EXPECT_TRUE(until_ms(6 * PATIENCE_MS, STEERED >= asked));
	EXPECT_EQ(0, waitpid(client, NULL, WNOHANG));
	EXPECT_EQ(0, DROPS);
	EXPECT_EQ(0, sh("nft list table inet t | grep -q "
			"'counter packets [1-9][0-9][0-9]'"));
	end(client);
	end(peer);
	end(queue);
}

static int bind_and_dial(const struct trial *p, int port)
{
	struct sockaddr_storage to;
	socklen_t len = nets_addr(p, &to, 2, PORT);
	int fd = sock_make(&(struct trial){ p->family, false, false });

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 0 }, sizeof(int));
	if (sock_bind(p, fd, port) || connect(fd, (void *)&to, len))
		return -errno;
	return fd;
}

#define BOUND	7	/* of 8 ports, so that any core's are among them */

/* A port that a plain program has bound: the kernel refuses it to a primed
 * socket, and the program's packets stay where they come in.
 */
TEST_F(steer, left__bound_port)
{
	uint64_t clashes = count(FSK_STAT_CONNECT_CLASH);
	int bound[BOUND], server[BOUND], lfd, i;
	uint64_t seen;

	lfd = IN_NET(self->nets.server, self->nets.client,
		     listen_here(&self->trial, PORT + 1));
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, sysctl_set("net/ipv4/ip_local_port_range", "40000 40007"));
	ASSERT_EQ(0, pin(CLIENT));
	for (i = 0; i < BOUND; i++) {
		bound[i] = bind_and_dial(&self->trial, 40000 + i);
		ASSERT_LE(0, bound[i]);
		server[i] = sock_accept(self->lfd);
		ASSERT_LE(0, server[i]);
	}
	/* Primed sockets know both of the peer's ports from here on. */
	ASSERT_LE(0, dial_port(&self->trial, PORT));
	ASSERT_LE(0, dial_port(&self->trial, PORT + 1));
	ASSERT_LT(clashes, count(FSK_STAT_CONNECT_CLASH));
	seen = HITS + MISSES;
	ASSERT_EQ(0, pin(PEER));
	for (i = 0; i < BOUND; i++) {
		ASSERT_EQ(1, write(server[i], "x", 1));
		EXPECT_TRUE(sock_wait(bound[i], POLLIN, PATIENCE_MS));
	}
	EXPECT_EQ(seen, HITS + MISSES);
	EXPECT_EQ(0, STEERED);
}

/* A chain that would not see what is moved: then nothing is. */
TEST_F(steer, chain__behind)
{
	if (sh("nft 'table inet t { chain c { "
	       "type filter hook prerouting priority 2147483647; "
	       "tcp sport %d counter; } ; }'", PORT))
		SKIP(return, "nft does not work here");
	EXPECT_TRUE(TALK());
	EXPECT_EQ(0, STEERED);
	EXPECT_EQ(0, sh("nft list table inet t | grep -q "
			"'counter packets [1-9][0-9]'"));
	ASSERT_EQ(0, sh("nft delete table inet t"));
	EXPECT_TRUE(TALK());
	EXPECT_LE(10 * 4, STEERED);
}

TEST_HARNESS_MAIN
