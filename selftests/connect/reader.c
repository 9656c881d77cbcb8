// SPDX-License-Identifier: GPL-2.0
/*
 * Connections that are served on another core than their packets come in on:
 * with established tables and steering these follow who reads.
 *
 * On loopback a packet comes in on the core that it is sent from.  The client
 * sends from CLIENT and is not primed, so nothing of its own is moved.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counters.h"
#include "support.h"

#define PORT		8080
#define CLIENT		1
#define AFTER		8	/* FSK_READER_AFTER */

FIXTURE(reader) {
	struct trial trial;
	int lfd;
	int client;
	int server;
};

TRIAL_VARIANTS(reader);

#define TURNS	count(FSK_STAT_RFD_TURN)
#define STEERED	count(FSK_STAT_RFD_STEERED)

static int dial_and_accept(const struct trial *p, int lfd, int *client)
{
	*client = sock_dial(p, PORT);
	return *client < 0 ? *client : sock_accept(lfd);
}

FIXTURE_SETUP(reader)
{
	self->trial = variant->trial;
	if (cpus_online() < 4)
		SKIP(return, "needs 4 CPUs");
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, pin(CLIENT));
	self->lfd = sock_make(&self->trial);
	ASSERT_EQ(0, sock_bind(&self->trial, self->lfd, PORT));
	ASSERT_EQ(0, listen(self->lfd, 64));
	ASSERT_EQ(0, join(self->lfd));
	ASSERT_EQ(0, est_config(true, 1));
	ASSERT_EQ(0, rfd_config(FSK_RFD_STEER, false));
	self->server = dial_and_accept(&self->trial, self->lfd, &self->client);
	ASSERT_LE(0, self->server);
}

FIXTURE_TEARDOWN(reader)
{
}

static int came_in(int fd)
{
	socklen_t len = sizeof(int);
	int cpu = -1;

	getsockopt(fd, SOL_SOCKET, SO_INCOMING_CPU, &cpu, &len);
	return cpu;
}

/* A byte to the server, which is on a core, and one back.  Where the first
 * came in, or -1.
 */
static int talk(int client, int server, int cpu)
{
	char byte = 'x';
	int in;

	if (pin(CLIENT) || write(client, &byte, 1) != 1 ||
	    !sock_wait(server, POLLIN, PATIENCE_MS))
		return -1;
	in = came_in(server);
	if (pin(cpu) || read(server, &byte, 1) != 1 ||
	    write(server, &byte, 1) != 1 || pin(CLIENT) ||
	    !sock_wait(client, POLLIN, PATIENCE_MS) ||
	    read(client, &byte, 1) != 1)
		return -1;
	return in;
}

/* Some rounds; where the last one came in. */
static int rounds(int client, int server, int cpu, int times)
{
	int in = -1;

	while (times--) {
		in = talk(client, server, cpu);
		if (in < 0)
			break;
	}
	return in;
}

#define ROUNDS(cpu, times) rounds(self->client, self->server, cpu, times)

/* One round that comes in late, behind what was on the way, is enough. */
#define FOLLOWS(cpu) EXPECT_TRUE(until(ROUNDS(cpu, AFTER) == (cpu)))

TEST_F(reader, follows__reader)
{
	uint64_t steered;

	EXPECT_EQ(CLIENT, ROUNDS(2, 2));
	EXPECT_EQ(0, TURNS + STEERED);
	FOLLOWS(2);
	/* Each core that an acknowledgment came in on counts its own. */
	EXPECT_LE(1, TURNS);
	steered = STEERED;
	EXPECT_EQ(2, ROUNDS(2, AFTER));
	EXPECT_LE(steered + AFTER, STEERED);
	FOLLOWS(3);
	EXPECT_LE(2, TURNS);
	FOLLOWS(CLIENT);
	EXPECT_LE(3, TURNS);
}

/* A short visit elsewhere, or two readers in turn, move nothing. */
TEST_F(reader, follows__not_at_once)
{
	int i;

	FOLLOWS(2);
	EXPECT_EQ(2, ROUNDS(3, AFTER / 2));
	EXPECT_EQ(2, ROUNDS(2, 1));
	EXPECT_EQ(2, ROUNDS(3, AFTER / 2));
	for (i = 0; i < AFTER; i++) {
		EXPECT_EQ(2, ROUNDS(0, 1));
		EXPECT_EQ(2, ROUNDS(3, 1));
	}
}

TEST_F(reader, follows__opened)
{
	const struct trial any = { self->trial.family, self->trial.dual,
				   false };
	struct sockaddr_storage to;
	socklen_t len = sock_addr(&to, any.dual ? AF_INET : any.family, 8081,
				  true);
	int lfd = sock_make(&any);

	ASSERT_EQ(0, sock_bind(&any, lfd, 8081));
	ASSERT_EQ(0, listen(lfd, 8));
	ASSERT_EQ(0, pin(2));
	self->server = rfd_dial(&to, len);
	ASSERT_LE(0, self->server);
	self->client = sock_accept(lfd);
	ASSERT_LE(0, self->client);
	/* The core that connected has it first. */
	EXPECT_EQ(2, ROUNDS(2, AFTER));
	FOLLOWS(3);
	EXPECT_EQ(3, ROUNDS(3, AFTER));
}

TEST_F(reader, off__stays)
{
	const struct trial plain = { self->trial.family, self->trial.dual,
				     false };
	uint64_t turns;

	FOLLOWS(2);
	ASSERT_EQ(0, est_config(false, 1));
	EXPECT_EQ(CLIENT, ROUNDS(2, AFTER * 2));
	ASSERT_EQ(0, est_config(true, 1));
	FOLLOWS(2);
	ASSERT_EQ(0, rfd_config(FSK_RFD_MASK, false));
	EXPECT_EQ(CLIENT, ROUNDS(2, AFTER * 2));
	ASSERT_EQ(0, rfd_config(FSK_RFD_STEER, false));
	FOLLOWS(2);
	/* Others are left alone. */
	turns = TURNS;
	ASSERT_EQ(0, close(self->lfd));
	self->lfd = sock_make(&plain);
	ASSERT_EQ(0, sock_bind(&plain, self->lfd, PORT));
	ASSERT_EQ(0, listen(self->lfd, 8));
	self->server = dial_and_accept(&plain, self->lfd, &self->client);
	ASSERT_LE(0, self->server);
	EXPECT_EQ(CLIENT, ROUNDS(2, AFTER * 2));
	EXPECT_EQ(turns, TURNS);
}

/* Fills what the connection has room for, and empties it. */
static bool flood(int client, int server, int cpu)
{
	static char block[65536];
	ssize_t n;

	pin(CLIENT);
	while (send(client, block, sizeof(block), MSG_DONTWAIT) > 0)
		;
	pin(cpu);
	while ((n = recv(server, block, sizeof(block), MSG_DONTWAIT)) > 0)
		;
	return n < 0 && errno == EAGAIN;
}

/* Who only reads is followed, too: he opens the window. */
TEST_F(reader, stream__reads_only)
{
	ASSERT_TRUE(until(flood(self->client, self->server, 2) && TURNS));
	EXPECT_TRUE(until(flood(self->client, self->server, 2) && STEERED));
}

/* Reads all there is, on one core after the other, and answers. */
static size_t read_around(int fd, size_t stretch)
{
	static char block[65536];
	size_t got = 0;
	ssize_t n;

	do {
		pin(got / stretch & 1 ? 2 : 3);
		n = read(fd, block, sizeof(block));
		got += n > 0 ? n : 0;
	} while (n > 0 && write(fd, "x", 1) == 1);
	return got;
}

static bool stream(int client, int server, size_t want, size_t stretch)
{
	static char block[65536];
	size_t sent;
	pid_t pid;

	setsockopt(server, SOL_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	pid = fork_child();
	if (!pid) {
		close(client);
		_exit(read_around(server, stretch) != want);
	}
	for (sent = 0; sent < want; sent += sizeof(block)) {
		if (write(client, block, sizeof(block)) != sizeof(block))
			return false;
		while (recv(client, block, sizeof(block), MSG_DONTWAIT) > 0)
			;
	}
	shutdown(client, SHUT_WR);
	return !reap(pid);
}

/* A client that was primed, and what it is accepted as. */
static int meet(const struct trial *p, int lfd, int *client, int *server)
{
	struct sockaddr_storage to;
	socklen_t len = sock_addr(&to, p->dual ? AF_INET : p->family, PORT,
				  true);

	close(*client);
	close(*server);
	pin(CLIENT);
	*client = rfd_dial(&to, len);
	*server = *client < 0 ? *client : sock_accept(lfd);
	return *server < 0 ? *server : 0;
}

static unsigned int late_packets(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return info.tcpi_rcv_ooopack;
}

/* No segment comes out of order, however often the reader moves.  The client
 * was primed, too, so that whatever it sends is sent from its core, but when a
 * timer has it sent.
 */
TEST_F_TIMEOUT(reader, stream__keeps_order, 600)
{
	size_t want = full_run() ? 512 << 20 : 64 << 20;
	long timeouts, late;
	int tries = 5;

	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_early_retrans", "0"));
	do {
		timeouts = netstat("TCPTimeouts");
		late = netstat("TCPOFOQueue");
		ASSERT_EQ(0, meet(&self->trial, self->lfd, &self->client,
				  &self->server));
		ASSERT_TRUE(stream(self->client, self->server, want, 1 << 20));
	} while (netstat("TCPTimeouts") > timeouts && tries--);
	EXPECT_LT(8, TURNS);
	EXPECT_LT(0, STEERED);
	if (netstat("TCPTimeouts") > timeouts)
		SKIP(return, "the machine was too slow, TCP sent again");
	EXPECT_EQ(late, netstat("TCPOFOQueue")) {
		TH_LOG("server's side %u, client's side %u",
		       late_packets(self->server), late_packets(self->client));
		tell_file("/proc/thread-self/net/netstat");
		tell_file("/proc/thread-self/net/softnet_stat");
	}
}

/* Packets for a core that has gone are handled where they come in. */
TEST_F(reader, core__offline)
{
	FOLLOWS(3);
	if (cpu_switch(3, false))
		SKIP(return, "cores of this machine stay online");
	EXPECT_EQ(CLIENT, ROUNDS(0, AFTER / 2));
	ASSERT_EQ(0, cpu_switch(3, true));
	FOLLOWS(3);
}

TEST_F(reader, end__unload)
{
	FOLLOWS(2);
	close(self->lfd);
	ASSERT_TRUE(until(!module_unload()));
	EXPECT_EQ(CLIENT, ROUNDS(2, AFTER * 2));
	ASSERT_EQ(0, module_load());
	EXPECT_EQ(CLIENT, ROUNDS(2, AFTER * 2));
}

TEST_HARNESS_MAIN
