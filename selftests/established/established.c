// SPDX-License-Identifier: GPL-2.0
/*
 * Established tables and the direct path.
 *
 * Two namespaces with a veth pair: the test is in the server's, fska, and goes
 * to the client's, fskb, to connect.  A packet comes in on the core that it is
 * sent from, which is the one that the test is bound to.
 */
#include "kselftest_harness.h"

#include <linux/tcp.h>
#include <linux/tls.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf.h"
#include "counters.h"
#include "nets.h"
#include "queue.h"
#include "support.h"
#include "workers.h"

#define PORT		8080
#define ROUNDS		8

FIXTURE(established) {
	struct trial trial;
	struct nets nets;
	int lfd;
};

TRIAL_VARIANTS(established);

static int listen_here(const struct trial *p, bool joins)
{
	int fd = sock_make(p);

	if (fd < 0 || sock_bind(p, fd, PORT) || listen(fd, 32768) ||
	    (joins && join(fd)))
		return -errno;
	return fd;
}

FIXTURE_SETUP(established)
{
	const struct rlimit limit = { 65536, 65536 };

	self->trial = variant->trial;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	ASSERT_EQ(0, nets_make(&self->nets));
	ASSERT_EQ(0, sysctl_set("net/core/somaxconn", "32768"));
	ASSERT_EQ(0, pin(1));
	self->lfd = listen_here(&self->trial, true);
	ASSERT_LE(0, self->lfd);
	ASSERT_EQ(0, est_config(true, 1));
}

FIXTURE_TEARDOWN(established)
{
	cpu_switch(1, true);	/* core__offline may not have come so far */
}

static int dial_addr(const struct trial *p, int host, int port, bool primed)
{
	int fd = socket(p->dual ? AF_INET : p->family,
			SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage to;
	socklen_t len = nets_addr(p, &to, host, port);

	if (primed && setsockopt(fd, SOL_TCP, TCP_ULP, FSK_ULP_RFD_NAME,
				 strlen(FSK_ULP_RFD_NAME)) != FSK_RFD_PRIMED)
		return -errno;
	return connect(fd, (void *)&to, len) ? -errno : fd;
}

/* From the client's namespace to a port of the server. */
static int dial(const struct nets *nets, const struct trial *p, int port)
{
	return IN_NET(nets->server, nets->client,
		      dial_addr(p, 1, port, false));
}

/* Both ends of a connection. */
struct pair {
	int client;
	int server;
};

static bool pair_make(const struct trial *p, const struct nets *nets, int lfd,
		      struct pair *pair)
{
	pair->client = dial(nets, p, PORT);
	if (pair->client < 0)
		return false;
	pair->server = sock_accept(lfd);
	return pair->server >= 0;
}

#define PAIR(pair)							\
	ASSERT_TRUE(pair_make(&self->trial, &self->nets, self->lfd, pair))

/* A byte there and one back, some times. */
static bool talk(const struct pair *pair, int rounds)
{
	char byte = 'x';

	while (rounds--) {
		if (write(pair->client, &byte, 1) != 1 ||
		    !sock_wait(pair->server, POLLIN, PATIENCE_MS) ||
		    read(pair->server, &byte, 1) != 1 ||
		    write(pair->server, &byte, 1) != 1 ||
		    !sock_wait(pair->client, POLLIN, PATIENCE_MS) ||
		    read(pair->client, &byte, 1) != 1)
			return false;
	}
	return true;
}

#define HITS	est_count(FSK_A_EST_HITS)
#define DIRECT	est_count(FSK_A_EST_DIRECT)
#define MISSES	est_count(FSK_A_EST_MISSES)
#define STALE	est_count(FSK_A_EST_STALE)
#define LEFT	est_count(FSK_A_EST_LEFT)
#define ENTRIES	est_count(FSK_A_EST_ENTRIES)

/* Every packet of a connection goes direct. */
#define GOES_DIRECT(pair) do {						\
	uint64_t __direct, __misses, __stale;				\
									\
	/* The first makes the table, which takes a moment. */		\
	ASSERT_TRUE(until(talk(pair, 1) && ENTRIES > 0));		\
	ASSERT_TRUE(talk(pair, 2));					\
	__direct = DIRECT, __misses = MISSES, __stale = STALE;		\
	ASSERT_TRUE(talk(pair, ROUNDS));				\
	/* Late events of the interfaces may change a route. */		\
	EXPECT_LE(__direct + ROUNDS, DIRECT + STALE - __stale);		\
	EXPECT_GE(1, STALE - __stale);					\
	EXPECT_EQ(__misses, MISSES);					\
} while (0)

/* No packet of a connection goes direct, nor is it in a table. */
#define STAYS_LEFT(pair) do {						\
	uint64_t __left = LEFT;						\
									\
	ASSERT_TRUE(talk(pair, ROUNDS));				\
	EXPECT_LE(__left + ROUNDS, LEFT);				\
	EXPECT_EQ(0, ENTRIES + HITS);					\
} while (0)

TEST_F(established, direct__every_packet)
{
	struct pair pair;
	struct est est;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	EXPECT_EQ(1, ENTRIES);
	EXPECT_EQ(1, est_list(1));
	EXPECT_EQ(0, est_list(0));
	ASSERT_EQ(1, est_get(1, &est));
	EXPECT_EQ(1, est.n[FSK_A_EST_ENTRIES]);
	EXPECT_EQ(64, est.n[FSK_A_EST_BUCKETS]);
	EXPECT_EQ(4096, est.n[FSK_A_EST_MEMORY]);
	EXPECT_EQ(0, LEFT + est.n[FSK_A_EST_FULL]);
}

/* Only those that live long enough. */
TEST_F(established, direct__after)
{
	struct pair pair;

	ASSERT_EQ(0, est_config(true, 1000));
	PAIR(&pair);
	ASSERT_TRUE(talk(&pair, ROUNDS));
	EXPECT_EQ(0, ENTRIES);
	EXPECT_LE(ROUNDS, MISSES);
	ASSERT_EQ(0, est_config(true, 4));
	GOES_DIRECT(&pair);
}

TEST_F(established, off__nothing)
{
	struct pair pair;
	struct est est;
	int i;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, est_config(false, 1));
		EXPECT_EQ(0, est_get(-1, &est));
		EXPECT_EQ(0, est_list(-1));
		ASSERT_TRUE(talk(&pair, 1));
		ASSERT_EQ(0, est_config(true, 1));
		EXPECT_EQ(0, ENTRIES);
		ASSERT_TRUE(talk(&pair, 1));
	}
	GOES_DIRECT(&pair);
}

/* Sockets of others cost and gain nothing. */
TEST_F(established, bystander__left_out)
{
	struct pair pair;

	ASSERT_EQ(0, close(self->lfd));
	self->lfd = listen_here(&self->trial, false);
	ASSERT_LE(0, self->lfd);
	PAIR(&pair);
	ASSERT_TRUE(talk(&pair, ROUNDS));
	EXPECT_EQ(0, HITS + MISSES + ENTRIES);
}

/* A connection that this side opened. */
TEST_F(established, direct__opened)
{
	struct pair pair;
	int lfd;

	ASSERT_EQ(0, setns(self->nets.client, CLONE_NEWNET));
	lfd = listen_here(&self->trial, false);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, setns(self->nets.server, CLONE_NEWNET));
	pair.server = dial_addr(&self->trial, 2, PORT, true);
	ASSERT_LE(0, pair.server);
	pair.client = sock_accept(lfd);
	ASSERT_LE(0, pair.client);
	GOES_DIRECT(&pair);
}

/* The client's timers may run on any core: none is to have a packet sent. */
static int no_timers(FIXTURE_DATA(established) *self)
{
	if (setns(self->nets.client, CLONE_NEWNET) ||
	    sh("ip route add 10.9.0.1 dev fskb quickack 1 rto_min 60s && "
	       "ip route add fd09::1 dev fskb quickack 1 rto_min 60s"))
		return -1;
	return setns(self->nets.server, CLONE_NEWNET);
}

TEST_F(established, core__foreign)
{
	struct pair pair;
	struct est est;

	ASSERT_EQ(0, no_timers(self));
	PAIR(&pair);
	GOES_DIRECT(&pair);
	ASSERT_EQ(0, pin(2));
	EXPECT_TRUE(until(talk(&pair, 1) && est_get(2, &est) == 1 &&
			  est.n[FSK_A_EST_DIRECT]));
	EXPECT_EQ(1, est.n[FSK_A_EST_FOREIGN]);
	/* It follows its packets; the first core's sweep finds that. */
	EXPECT_TRUE(until(!est_list(1)));
	EXPECT_EQ(1, est_list(2));
	GOES_DIRECT(&pair);
}

/* No packet comes in on a core that is off: the sweep finds who has ended. */
TEST_F(established, core__offline)
{
	struct pair pair;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	ASSERT_EQ(1, est_list(1));
	if (cpu_switch(1, false))
		SKIP(return, "cores of this machine stay online");
	EXPECT_TRUE(until(!est_list(1)));
	EXPECT_EQ(0, cpu_switch(1, true));
	ASSERT_EQ(0, pin(1));
	GOES_DIRECT(&pair);
}

/* How connections end */

TEST_F(established, end__peer_closes)
{
	struct pair pair;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	close(pair.client);
	EXPECT_TRUE(sock_wait(pair.server, POLLIN, PATIENCE_MS));
	EXPECT_EQ(0, ENTRIES);
	close(pair.server);
}

TEST_F(established, end__peer_resets)
{
	struct pair pair;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	sock_reset(pair.client);
	EXPECT_TRUE(sock_wait(pair.server, POLLHUP, PATIENCE_MS));
	EXPECT_EQ(0, ENTRIES);
}

/* TIME_WAIT is on this side, and its packets are the kernel's. */
TEST_F(established, end__closes_first)
{
	struct pair pair;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	ASSERT_EQ(0, shutdown(pair.server, SHUT_WR));
	ASSERT_TRUE(sock_wait(pair.client, POLLIN, PATIENCE_MS));
	/* Half closed: what still comes goes direct. */
	ASSERT_EQ(1, write(pair.client, "x", 1));
	ASSERT_TRUE(sock_wait(pair.server, POLLIN, PATIENCE_MS));
	EXPECT_EQ(1, ENTRIES);
	close(pair.server);
	close(pair.client);
	EXPECT_TRUE(until(!ENTRIES));
}

/* The ACK of our FIN ends the socket, and the peer's FIN would not find it any
 * more.  The sweep comes once in a second, so it finds four of ten in this
 * time; two may be late by the machine.
 */
TEST_F(established, end__closes_first_at_once)
{
	enum { TRIES = 10, SOON_MS = 400 };
	struct pair pair;
	int i, soon = 0;

	for (i = 0; i < TRIES; i++) {
		PAIR(&pair);
		GOES_DIRECT(&pair);
		close(pair.server);
		ASSERT_TRUE(sock_wait(pair.client, POLLIN, PATIENCE_MS));
		soon += until_ms(SOON_MS, !ENTRIES);
		close(pair.client);
		ASSERT_TRUE(until(!ENTRIES));
	}
	EXPECT_LE(TRIES - 2, soon);
}

/* No packet tells: the sweep finds it. */
TEST_F(established, end__resets)
{
	struct pair pair;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	sock_reset(pair.server);
	EXPECT_TRUE(until(!ENTRIES));
}

TEST_F(established, end__killed)
{
	struct pair pair;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	if (sh("ss -tnHK sport = :%d | grep -q %d", PORT, PORT))
		SKIP(return, "ss -K does not work here");
	EXPECT_TRUE(until(!ENTRIES));
	EXPECT_TRUE(until(!sh("! ss -tnH sport = :%d | grep -q .", PORT)));
}

/* The socket becomes a listener of its own, whose connections count as any. */
TEST_F(established, end__becomes_listener)
{
	struct pair pair;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	ASSERT_EQ(0, sock_disconnect(pair.server));
	ASSERT_EQ(0, close(self->lfd));
	ASSERT_EQ(0, listen(pair.server, 8));
	EXPECT_TRUE(until(!ENTRIES));
	EXPECT_EQ(0, est_list(-1));
}

/* A server's namespace with live connections: its end of the veth pair goes
 * when the last reference has gone.
 */
TEST_F(established, end__namespace)
{
	struct pair pair;
	struct nets nets;
	int fds[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(fds));
	pid = fork_child();
	if (!pid) {
		close(self->lfd);
		if (nets_make(&nets) || est_config(true, 1))
			_exit(1);
		self->lfd = listen_here(&self->trial, true);
		if (!pair_make(&self->trial, &nets, self->lfd, &pair) ||
		    !until(talk(&pair, 1) && ENTRIES && DIRECT) ||
		    sh("ip link add fskc type veth peer name fskd netns "
		       "/proc/%d/fd/%d", getpid(), self->nets.server))
			_exit(2);
		sock_reset(pair.server);
		_exit(write(fds[1], "x", 1) != 1);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_TRUE(until(!if_nametoindex("fskd")));
}

TEST_F(established, end__unload)
{
	struct pair pair[16];
	int i;

	for (i = 0; i < 16; i++) {
		PAIR(&pair[i]);
		GOES_DIRECT(&pair[i]);
	}
	EXPECT_LE(15, ENTRIES);
	close(self->lfd);
	ASSERT_TRUE(until(!module_unload()));
	for (i = 0; i < 16; i++)
		EXPECT_TRUE(talk(&pair[i], 2));
	ASSERT_EQ(0, module_load());
	for (i = 0; i < 16; i++)
		EXPECT_TRUE(talk(&pair[i], 2));
}

/* What else is done to a socket */

static int tls_keys(int fd, int direction)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info.version = TLS_1_2_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
	};

	return setsockopt(fd, 282 /* SOL_TLS */, direction, &info,
			  sizeof(info));
}

static int tls_start(int fd)
{
	if (setsockopt(fd, SOL_TCP, TCP_ULP, "tls", sizeof("tls")))
		return -errno;
	return tls_keys(fd, TLS_TX) || tls_keys(fd, TLS_RX) ? -errno : 0;
}

TEST_F(established, use__ktls)
{
	struct pair pair;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	if (tls_start(pair.client) == -ENOENT)
		SKIP(return, "this kernel has no TLS");
	ASSERT_EQ(0, tls_start(pair.server));
	GOES_DIRECT(&pair);
	close(pair.server);
	close(pair.client);
	EXPECT_TRUE(until(!ENTRIES));
}

TEST_F(established, use__sockmap)
{
	struct pair pair;
	int map;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	map = bpf_map(BPF_MAP_TYPE_SOCKMAP, 1);
	if (map < 0)
		SKIP(return, "this kernel has no sockmap");
	ASSERT_EQ(0, bpf_map_set(map, 0, pair.server));
	GOES_DIRECT(&pair);
	close(map);
	GOES_DIRECT(&pair);
	close(pair.client);
	EXPECT_TRUE(until(!ENTRIES));
}

/* Routes */

TEST_F(established, route__changes)
{
	struct pair pair;
	uint64_t stale;
	int i;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	for (i = 0; i < 8; i++) {
		stale = STALE;
		ASSERT_EQ(0, sh("ip route replace 10.77.%d.0/24 dev fska && "
				"ip route replace fd77:%d::/64 dev fska",
				i, i));
		ASSERT_TRUE(talk(&pair, 1));
		/* IPv6's notice changes of their own branch only. */
		if (self->trial.family == AF_INET || self->trial.dual)
			EXPECT_LE(stale + 1, STALE);
	}
	GOES_DIRECT(&pair);
}

/* What the client has sent comes once @command has been run. */
static void check_unblock(struct __test_metadata *_metadata,
			  const struct pair *pair, const char *command)
{
	EXPECT_FALSE(sock_wait(pair->server, POLLIN, 0));
	ASSERT_EQ(0, sh("%s", command));
	ASSERT_TRUE(sock_wait(pair->server, POLLIN, PATIENCE_MS));
	ASSERT_EQ(1, read(pair->server, &(char){ 0 }, 1));
	GOES_DIRECT(pair);
}

/* Nothing is delivered to an address that is gone. */
TEST_F(established, route__address_gone)
{
	struct pair pair;
	uint64_t stale;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	ASSERT_EQ(0, sh("ip address del 10.9.0.1/16 dev fska && "
			"ip address del fd09::1/64 dev fska"));
	stale = STALE;
	ASSERT_EQ(1, write(pair.client, "x", 1));
	EXPECT_TRUE(until(stale < STALE));
	check_unblock(_metadata, &pair,
		      "ip address add 10.9.0.1/16 dev fska && "
		      "ip address add fd09::1/64 dev fska nodad");
}

TEST_F(established, route__interface_down)
{
	struct pair pair;

	ASSERT_EQ(0, sysctl_set("net/ipv6/conf/fska/keep_addr_on_down", "1"));
	PAIR(&pair);
	GOES_DIRECT(&pair);
	ASSERT_EQ(0, sh("ip link set fska down"));
	ASSERT_EQ(1, write(pair.client, "x", 1));
	check_unblock(_metadata, &pair, "ip link set fska up");
}

/* The client moves behind another interface: the cached route is another's. */
TEST_F(established, route__other_interface)
{
	struct pair pair;
	uint64_t stale;

	ASSERT_EQ(0, sh("ip link add fske type veth peer name fskf netns "
			"/proc/%d/fd/%d && ip link set fske up && "
			"nsenter --net=/proc/%d/fd/%d "
			"ip link set fskf up", getpid(), self->nets.client,
			getpid(), self->nets.client));
	PAIR(&pair);
	GOES_DIRECT(&pair);
	stale = STALE;
	ASSERT_EQ(0, sh("mac=$(ip -br link show fske | awk '{print $3}') && "
			"nsenter --net=/proc/%d/fd/%d sh -c \""
			"ip neigh add 10.9.0.1 lladdr $mac dev fskf && "
			"ip neigh add fd09::1 lladdr $mac dev fskf && "
			"ip route replace 10.9.0.1/32 dev fskf && "
			"ip route replace fd09::1/128 dev fskf\"",
			getpid(), self->nets.client));
	ASSERT_TRUE(talk(&pair, 4));
	EXPECT_LT(stale, STALE);
	GOES_DIRECT(&pair);
}

/* Once the way back to the client is another one, its packets are refused. */
TEST_F(established, route__rp_filter)
{
	struct pair pair;
	long refused;

	if (self->trial.family == AF_INET6 && !self->trial.dual)
		SKIP(return, "IPv6 has no rp_filter");
	ASSERT_EQ(0, sysctl_set("net/ipv4/conf/all/rp_filter", "1"));
	ASSERT_EQ(0, sh("ip link add fske type dummy && ip link set fske up"));
	PAIR(&pair);
	GOES_DIRECT(&pair);
	refused = netstat("IPReversePathFilter");
	ASSERT_LE(0, refused);
	ASSERT_EQ(0, sh("ip route add 10.9.0.2/32 dev fske"));
	ASSERT_EQ(1, write(pair.client, "x", 1));
	EXPECT_TRUE(until(netstat("IPReversePathFilter") > refused));
	check_unblock(_metadata, &pair,
		      "ip route del 10.9.0.2/32 dev fske");
}

/* Rules decide as ever: here, that nothing from the client is let in. */
TEST_F(established, route__policy)
{
	struct pair pair;
	uint64_t stale;

	ASSERT_EQ(0, sh("for f in -4 -6; do "
			"ip $f rule add pref 5 lookup local && "
			"ip $f rule del pref 0 && "
			"ip $f rule add pref 10 fwmark 7 lookup 100 || exit 1; "
			"done"));
	PAIR(&pair);
	GOES_DIRECT(&pair);
	stale = STALE;
	ASSERT_EQ(0, sh("ip -4 rule add pref 1 from 10.9.0.2 blackhole && "
			"ip -6 rule add pref 1 from fd09::2 blackhole"));
	ASSERT_EQ(1, write(pair.client, "x", 1));
	EXPECT_TRUE(until(stale < STALE));
	check_unblock(_metadata, &pair,
		      "for f in -4 -6; do ip $f rule del pref 1; done");
}

/* Left to the kernel */

TEST_F(established, left__vrf)
{
	struct pair pair;

	if (sh("ip link add red type vrf table 10 2>/dev/null"))
		SKIP(return, "this kernel has no VRF");
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_l3mdev_accept", "1"));
	ASSERT_EQ(0, sh("ip link set red up && ip link set fska master red && "
			"ip address replace fd09::1/64 dev fska nodad"));
	PAIR(&pair);
	STAYS_LEFT(&pair);
}

TEST_F(established, left__nat)
{
	struct pair pair;

	if (sh("nft 'table inet t { chain c { "
	       "type nat hook prerouting priority -100; "
	       "tcp dport 99 redirect to :%d; } ; }'", PORT))
		SKIP(return, "nft does not work here");
	pair.client = dial(&self->nets, &self->trial, 99);
	ASSERT_LE(0, pair.client);
	pair.server = sock_accept(self->lfd);
	ASSERT_LE(0, pair.server);
	STAYS_LEFT(&pair);
	/* Connections that are not translated are. */
	PAIR(&pair);
	GOES_DIRECT(&pair);
}

/* INPUT chains see what goes direct. */
TEST_F(established, direct__input_chain)
{
	struct pair pair;
	uint64_t direct;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	if (sh("nft 'table inet t { chain c { "
	       "type filter hook input priority 0; "
	       "tcp dport %d drop; } ; }'", PORT))
		SKIP(return, "nft does not work here");
	direct = DIRECT;
	ASSERT_EQ(1, write(pair.client, "x", 1));
	EXPECT_TRUE(until(direct < DIRECT));
	EXPECT_FALSE(sock_wait(pair.server, POLLIN, 0));
	ASSERT_EQ(0, sh("nft delete table inet t"));
	ASSERT_TRUE(sock_wait(pair.server, POLLIN, PATIENCE_MS));
}

/* Workers that wait on @lfd, each bound to a CPU, and keep what they answer. */
static int keepers_start(struct crew *crew, int lfd, int workers)
{
	int cpu;

	if (crew_make(crew))
		return -ENOMEM;
	for (cpu = 0; cpu < workers; cpu++)
		crew_add(crew, lfd, BY_EPOLL_LEVEL, cpu)->keep = true;
	if (crew_start(crew) || !until(mapped(PORT, workers)))
		return -ETIMEDOUT;
	return 0;
}

/* Says a byte, and hears who answers. Return: the connection, or -errno. */
static int dial_answered(const struct nets *nets, const struct trial *p)
{
	int fd = dial(nets, p, PORT);
	char id;

	if (fd < 0)
		return fd;
	if (!sock_wait(fd, POLLIN, PATIENCE_MS) || read(fd, &id, 1) != 1 ||
	    write(fd, "x", 1) != 1)
		return -ETIMEDOUT;
	return fd;
}

/* A connection ends once, also where a chain at INPUT sees the packet that was
 * found in the table: connections that stay are shared out unless three of four
 * end, and here one of two does.
 */
TEST_F(established, direct__ends_counted_once)
{
	enum { WORKERS = 4, EACH = 48 };
	uint64_t direct;
	struct crew crew;
	int i, fd;

	if (cpus_online() < WORKERS)
		SKIP(return, "needs %d CPUs", WORKERS);
	if (sh("nft 'table inet t { chain c { "
	       "type filter hook input priority 0; } ; }'"))
		SKIP(return, "nft does not work here");
	ASSERT_EQ(0, keepers_start(&crew, self->lfd, WORKERS));
	direct = DIRECT;
	for (i = 0; i < EACH; i++) {
		ASSERT_LE(0, dial_answered(&self->nets, &self->trial));
		fd = dial_answered(&self->nets, &self->trial);
		ASSERT_LE(0, fd);
		close(fd);
	}
	EXPECT_LE(EACH / 2, DIRECT - direct);
	for (i = 0; i < WORKERS; i++)
		EXPECT_GE(2 * 2 * EACH / WORKERS, crew.w[i].accepted);
	crew_end(&crew);
}

/* A segment in two fragments arrives, and is not direct. */
TEST_F(established, left__fragments)
{
	struct pair pair;
	uint64_t left;

	if (self->trial.family == AF_INET6 && !self->trial.dual)
		SKIP(return, "TCP over IPv6 is not fragmented");
	PAIR(&pair);
	GOES_DIRECT(&pair);
	ASSERT_EQ(0, setsockopt(pair.client, IPPROTO_IP, IP_MTU_DISCOVER,
				&(int){ IP_PMTUDISC_DONT }, sizeof(int)));
	left = LEFT;
	ASSERT_EQ(0, sh("nsenter --net=/proc/%d/fd/%d python3 -c '"
			"import socket, struct\n"
			"s = socket.socket(2, 3, 255)\n"
			"h = struct.pack(\">BBHHHBBH4s4s\", 69, 0, 36, 77, "
			"0x2000, 64, 6, 0, bytes((10, 9, 0, 2)), "
			"bytes((10, 9, 0, 1)))\n"
			"s.sendto(h + bytes(16), (\"10.9.0.1\", 0))'",
			getpid(), self->nets.client));
	EXPECT_TRUE(until(left < LEFT));
	EXPECT_EQ(left + 1, LEFT);
	GOES_DIRECT(&pair);
}

/* What goes through to somebody else is looked for and passes. */
TEST_F(established, left__forwarded)
{
	bool ipv6 = self->trial.family == AF_INET6 && !self->trial.dual;
	uint64_t misses;
	struct pair pair;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	ASSERT_EQ(0, sysctl_set("net/ipv4/ip_forward", "1"));
	ASSERT_EQ(0, sysctl_set("net/ipv6/conf/all/forwarding", "1"));
	ASSERT_EQ(0, sh("ip link add fskx type dummy && "
			"ip link set fskx up && "
			"ip address add 10.77.0.1/24 dev fskx && "
			"ip address add fd77::1/64 dev fskx nodad && "
			"ip neigh add 10.77.0.2 lladdr 2:0:0:0:0:1 dev fskx && "
			"ip neigh add fd77::2 lladdr 2:0:0:0:0:1 dev fskx && "
			"nsenter --net=/proc/%d/fd/%d sh -c '"
			"ip route add 10.77.0.0/24 via 10.9.0.1 && "
			"ip route add fd77::/64 via fd09::1'",
			getpid(), self->nets.client));
	misses = MISSES;
	EXPECT_EQ(0, sh("nsenter --net=/proc/%d/fd/%d python3 -c '"
			"import socket, struct\n"
			"s = socket.socket(%s, 3, 6)\n"
			"s.sendto(struct.pack(\">HHIIHHHH\", 999, %d, 1, 1, "
			"0x5010, 1000, 0, 0), (\"%s\", 0))'",
			getpid(), self->nets.client, ipv6 ? "10" : "2", PORT,
			ipv6 ? "fd77::2" : "10.77.0.2"));
	EXPECT_TRUE(until(misses + 1 == MISSES));
	EXPECT_TRUE(until(!sh("nstat -asz %s | grep -q 'ForwDatagrams *1 '",
			      ipv6 ? "Ip6OutForwDatagrams" :
				     "IpForwDatagrams")));
	GOES_DIRECT(&pair);
}

/* Packets for a segment routing action come through LOCAL_IN, too, where an
 * administrator of any namespace has asked for it, once for the whole machine:
 * they are no listener's, and what comes after LOCAL_IN is not TCP.
 */
TEST_F(established, left__segment_routed)
{
	uint64_t looked;
	struct pair pair;

	if (self->trial.family == AF_INET || self->trial.dual)
		SKIP(return, "IPv4 has no segment routing");
	if (sysctl_set("net/netfilter/nf_hooks_lwtunnel", "1") ||
	    sh("ip -6 route add fd77::/64 encap seg6local action End dev fska"))
		SKIP(return, "this kernel has no segment routing");
	ASSERT_EQ(0, sh("nsenter --net=/proc/%d/fd/%d "
			"ip route add fd77::/64 via fd09::1",
			getpid(), self->nets.client));
	if (sh("nft 'table ip6 t { chain c { type filter hook input "
	       "priority 0; ip6 daddr fd77::/64 counter; } ; }'"))
		SKIP(return, "nft does not work here");
	looked = count(FSK_STAT_SYN_UNCLAIMED);
	EXPECT_EQ(0, sh("nsenter --net=/proc/%d/fd/%d python3 -c '"
			"import socket, struct\n"
			"s = socket.socket(10, 3, 6)\n"
			"s.sendto(struct.pack(\">HHIIHHHH\", 999, %d, 1, 0, "
			"0x5002, 1000, 0, 0), (\"fd77::2\", 0))'",
			getpid(), self->nets.client, PORT));
	EXPECT_TRUE(until(!sh("nft list table ip6 t | "
			      "grep -q 'counter packets [1-9]'")));
	ASSERT_EQ(0, sh("nft delete table ip6 t"));
	PAIR(&pair);
	GOES_DIRECT(&pair);
	/* That of the pair. */
	EXPECT_EQ(looked + 1, count(FSK_STAT_SYN_UNCLAIMED));
}

/* Where early demultiplexing is off, routing decides on each packet anew, and
 * sees that it has been marked since the route was cached.
 */
static void demux_off(struct __test_metadata *_metadata,
		      FIXTURE_DATA(established) *self, const char *name)
{
	struct pair pair;
	uint64_t left;

	ASSERT_EQ(0, sh("for f in -4 -6; do "
			"ip $f rule add pref 5 lookup local && "
			"ip $f rule del pref 0 && "
			"ip $f rule add pref 1 fwmark 7 blackhole || exit 1; "
			"done"));
	PAIR(&pair);
	GOES_DIRECT(&pair);
	ASSERT_EQ(0, sysctl_set(name, "0"));
	ASSERT_EQ(0, sh("nft 'table inet t { chain c { "
			"type filter hook prerouting priority -150; "
			"tcp dport %d meta mark set 7; } ; }'", PORT));
	left = LEFT;
	ASSERT_EQ(1, write(pair.client, "x", 1));
	EXPECT_TRUE(until(left < LEFT));
	EXPECT_FALSE(sock_wait(pair.server, POLLIN, 0));
	ASSERT_EQ(0, sh("nft delete table inet t"));
	ASSERT_TRUE(sock_wait(pair.server, POLLIN, PATIENCE_MS));
	ASSERT_EQ(1, read(pair.server, &(char){ 0 }, 1));
	ASSERT_EQ(0, sysctl_set(name, "1"));
	GOES_DIRECT(&pair);
}

TEST_F(established, demux__off_for_ip)
{
	demux_off(_metadata, self, "net/ipv4/ip_early_demux");
}

TEST_F(established, demux__off_for_tcp)
{
	demux_off(_metadata, self, "net/ipv4/tcp_early_demux");
}

/* What comes over loopback has a route, is not demultiplexed early, and so has
 * no socket yet when INPUT's chains ask for the socket's owner.
 */
TEST_F(established, left__loopback)
{
	struct pair pair;

	pair.client = sock_dial(&self->trial, PORT);
	ASSERT_LE(0, pair.client);
	pair.server = sock_accept(self->lfd);
	ASSERT_LE(0, pair.server);
	ASSERT_TRUE(talk(&pair, ROUNDS));
	if (sh("nft 'table inet t { chain c { "
	       "type filter hook input priority 0; "
	       "tcp dport %d meta skuid 0 drop; } ; }'", PORT))
		SKIP(return, "nft does not work here");
	STAYS_LEFT(&pair);
}

/* A chain that would not see what goes direct: then nothing does. */
TEST_F(established, chain__behind)
{
	struct pair pair;

	ASSERT_EQ(0, est_config(false, 1));
	if (sh("nft 'table inet t { chain c { "
	       "type filter hook prerouting priority 2147483647; "
	       "tcp dport %d drop; } ; }'", PORT))
		SKIP(return, "nft does not work here");
	EXPECT_EQ(-EBUSY, est_config(true, 1));
	EXPECT_EQ(0, est_list(-1));
	/* Nor does the rest of a request that is refused. */
	EXPECT_EQ(-EBUSY, est_config_beside(FSK_RFD_OFF, true));
	EXPECT_EQ(FSK_RFD_MASK, config_get(FSK_A_CONFIG_RFD));
	EXPECT_EQ(0, config_get(FSK_A_CONFIG_VFS));
	ASSERT_EQ(0, sh("nft delete table inet t"));
	ASSERT_EQ(0, est_config(true, 1));
	PAIR(&pair);
	GOES_DIRECT(&pair);
}

/* One that comes later sees all. */
TEST_F(established, chain__before)
{
	struct pair pair;

	PAIR(&pair);
	GOES_DIRECT(&pair);
	if (sh("nft 'table inet t { chain c { "
	       "type filter hook prerouting priority 2147483647; "
	       "tcp dport %d counter; } ; }'", PORT))
		SKIP(return, "nft does not work here");
	GOES_DIRECT(&pair);
	EXPECT_EQ(0, sh("nft list table inet t | grep -q "
			"'counter packets [1-9][0-9]'"));
}

/* After a verdict a packet goes on in the task that gave it, which may be
 * interrupted by the next one: of two packets one is queued.
 */
#define PAIRS	4
#define BYTES	4096

static void send_all(const struct pair *pairs)
{
	int i, j;

	for (i = 0; i < BYTES; i++)
		for (j = 0; j < PAIRS; j++)
			if (write(pairs[j].client, "x", 1) != 1)
				_exit(1);
	_exit(0);
}

TEST_F_TIMEOUT(established, left__nfqueue, 300)
{
	struct pair pairs[PAIRS];
	char text[BYTES];
	uint64_t left;
	pid_t queue, sender;
	int i, got = 0;
	ssize_t n;

	for (i = 0; i < PAIRS; i++) {
		PAIR(&pairs[i]);
		GOES_DIRECT(&pairs[i]);
		ASSERT_EQ(0, setsockopt(pairs[i].client, SOL_TCP, TCP_NODELAY,
					&(int){ 1 }, sizeof(int)));
	}
	queue = queue_start(1);
	ASSERT_LT(0, queue);
	if (sh("nft 'table inet t { chain c { "
	       "type filter hook prerouting priority mangle; "
	       "tcp dport %d numgen inc mod 2 0 queue num 1; } ; }'", PORT))
		SKIP(return, "nft does not work here");
	left = LEFT;
	sender = fork_child();
	if (!sender)
		send_all(pairs);
	for (i = 0; i < PAIRS; i++)
		for (got = 0; got < BYTES; got += n) {
			ASSERT_TRUE(sock_wait(pairs[i].server, POLLIN,
					      PATIENCE_MS));
			n = read(pairs[i].server, text, sizeof(text));
			ASSERT_LT(0, n);
		}
	EXPECT_EQ(0, reap(sender));
	EXPECT_LT(left, LEFT);
	end(queue);
}

/* Size */

#define MANY	400
#define MANY_FULL	20000

/* Grows with its load and shrinks again, and nothing is lost or listed twice
 * but the few whose bucket is full.
 */
TEST_F_TIMEOUT(established, size__follows_load, 600)
{
	int many = full_run() ? MANY_FULL : MANY, i;
	struct pair *pairs = calloc(many, sizeof(*pairs));
	struct est est;

	ASSERT_NE(NULL, pairs);
	for (i = 0; i < many; i++) {
		PAIR(&pairs[i]);
		ASSERT_TRUE(talk(&pairs[i], 1));
		/* While it grows nobody is told twice. */
		if (i % (many / 16) == 0)
			EXPECT_LE(0, est_list(1));
	}
	/* Those that came while it grew. */
	for (i = 0; i < many; i++)
		ASSERT_TRUE(talk(&pairs[i], 2));
	ASSERT_EQ(1, est_get(1, &est));
	EXPECT_LE(many - many / 50, est.n[FSK_A_EST_ENTRIES]);
	EXPECT_EQ(est.n[FSK_A_EST_ENTRIES], est_list(1));
	EXPECT_LE(many / 3, est.n[FSK_A_EST_BUCKETS]);
	/* At most 64 bytes for each one and a half. */
	EXPECT_GE(many * 44, est.n[FSK_A_EST_MEMORY]);
	for (i = 0; i < many; i++) {
		close(pairs[i].client);
		close(pairs[i].server);
	}
	EXPECT_TRUE(until(!ENTRIES));
	EXPECT_TRUE(until(est_get(1, &est) == 1 &&
			  est.n[FSK_A_EST_BUCKETS] == 64));
	free(pairs);
}

TEST_HARNESS_MAIN
