// SPDX-License-Identifier: GPL-2.0
/*
 * Receive flow delivery: ports by an interface's hash, and packets that are
 * moved to their core.
 *
 * The loopback interface stands for a network card here.  Its packets come in
 * on the core that they are sent from, which the tests choose.
 */
#include "kselftest_harness.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counters.h"
#include "support.h"

#define LO		1
#define N		64
#define CLIENT		1
#define SERVER		2

FIXTURE(rfd) {
	struct trial trial;
	struct rss rss;
	int lfd;
};

FIXTURE_VARIANT(rfd) {
	struct trial trial;
};

FIXTURE_VARIANT_ADD(rfd, ipv4) {
	.trial = { AF_INET, false, false },
};

FIXTURE_VARIANT_ADD(rfd, ipv6) {
	.trial = { AF_INET6, false, false },
};

FIXTURE_SETUP(rfd)
{
	const struct trial any = { AF_INET6, true, false };
	int i;

	self->trial = variant->trial;
	ASSERT_EQ(0, net_enter());
	self->lfd = sock_make(&any);
	ASSERT_EQ(0, sock_bind(&any, self->lfd, 8080));
	ASSERT_EQ(0, listen(self->lfd, 1024));
	/* The same each time: by one key of some hundred a core has no port at
	 * all of the few that a test leaves.
	 */
	srandom(1);
	self->rss.key_len = 40;
	for (i = 0; i < 40; i++)
		self->rss.key[i] = random();
	self->rss.entries = 128;
	for (i = 0; i < 128; i++)
		self->rss.table[i] = random() % cpus_online();
	self->rss.hash = FSK_RFD_HASH_TCP4 | FSK_RFD_HASH_TCP6;
}

FIXTURE_TEARDOWN(rfd)
{
}

/* To the fixture's listener, by a primed socket. */
static int dial(const struct trial *p)
{
	struct sockaddr_storage to;
	socklen_t len = sock_addr(&to, p->family, 8080, true);

	return rfd_dial(&to, len);
}

/* Straight from the definition: bit i of the input selects bits i to i + 31 of
 * the key.
 */
static uint32_t toeplitz(const uint8_t *key, const uint8_t *in, int len)
{
	uint32_t hash = 0;
	int bit, k;

	for (bit = 0; bit < 8 * len; bit++) {
		if (!(in[bit / 8] >> (7 - bit % 8) & 1))
			continue;
		for (k = 0; k < 32; k++)
			if (key[(bit + k) / 8] >> (7 - (bit + k) % 8) & 1)
				hash ^= 1U << (31 - k);
	}
	return hash;
}

/* Where the table says that the replies of a connection come in. */
static int rss_cpu_of(const struct rss *rss, int family, const char *remote,
		      const char *local, int port)
{
	int size = family == AF_INET ? 4 : 16, len = 2 * size;
	uint8_t in[36];
	uint32_t hash;

	inet_pton(family, remote, in);
	inet_pton(family, local, in + size);
	in[len++] = 8080 >> 8;
	in[len++] = 8080 & 0xff;
	in[len++] = port >> 8;
	in[len++] = port & 0xff;
	hash = toeplitz(rss->key, in, len);
	return rss->table[hash & (rss->entries - 1)];
}

static int rss_cpu(const struct rss *rss, int family, int port)
{
	const char *lo = family == AF_INET ? "127.0.0.1" : "::1";

	return rss_cpu_of(rss, family, lo, lo, port);
}

/* How many of N connections of each core come in where they should. */
static int rss_hits(const struct rss *rss, const struct trial *p)
{
	int cpu, i, fd, hits = 0;

	for (cpu = 0; cpu < cpus_online(); cpu++) {
		if (pin(cpu))
			return -1;
		for (i = 0; i < N; i++) {
			fd = dial(p);
			if (fd < 0)
				return fd;
			hits += rss_cpu(rss, p->family, sock_port(fd)) == cpu;
		}
	}
	return hits;
}

TEST_F(rfd, rss__port_by_hash)
{
	ASSERT_EQ(0, rfd_set(LO, FSK_RFD_RSS, &self->rss));
	EXPECT_EQ(N * cpus_online(), rss_hits(&self->rss, &self->trial));
	EXPECT_EQ(N * cpus_online(), count(FSK_STAT_CONNECT_OWN));
	/* One look for each: ports of other cores are not looked at. */
	EXPECT_EQ(N * cpus_online(), count(FSK_STAT_CONNECT_PROBE));
}

/* One that is larger than what netlink makes of itself. */
TEST_F(rfd, rss__largest_table_is_shown)
{
	struct rss *rss = &self->rss;
	int lo = if_nametoindex("lo");

	EXPECT_EQ(-ENOENT, rfd_entries(lo));
	ASSERT_EQ(0, rfd_set(lo, FSK_RFD_RSS, rss));
	EXPECT_EQ(128, rfd_entries(lo));
	rss->key_len = FSK_RFD_KEY_MAX;
	rss->entries = FSK_RFD_TABLE_MAX;
	ASSERT_EQ(0, rfd_set(lo, FSK_RFD_RSS, rss));
	EXPECT_EQ(FSK_RFD_TABLE_MAX, rfd_entries(lo));
	/* Nor does it hide another. */
	ASSERT_EQ(0, system("ip link add fsk-d type dummy"));
	ASSERT_EQ(0, rfd_set(if_nametoindex("fsk-d"), FSK_RFD_RSS, rss));
	EXPECT_EQ(FSK_RFD_TABLE_MAX, rfd_entries(if_nametoindex("fsk-d")));
	EXPECT_EQ(FSK_RFD_TABLE_MAX, rfd_entries(lo));
}

/* A new table holds from the next connection on. */
TEST_F(rfd, rss__table_changes)
{
	int i;

	ASSERT_EQ(0, rfd_set(LO, FSK_RFD_RSS, &self->rss));
	EXPECT_EQ(N * cpus_online(), rss_hits(&self->rss, &self->trial));
	for (i = 0; i < 40; i++)
		self->rss.key[i] ^= random();
	EXPECT_GT(N * cpus_online(), rss_hits(&self->rss, &self->trial));
	ASSERT_EQ(0, rfd_set(LO, FSK_RFD_RSS, &self->rss));
	EXPECT_EQ(N * cpus_online(), rss_hits(&self->rss, &self->trial));
	ASSERT_EQ(0, rfd_del(LO));
	EXPECT_GT(N * cpus_online(), rss_hits(&self->rss, &self->trial));
}

/* A core without a queue takes any port, and says so. */
TEST_F(rfd, rss__core_without_queue)
{
	int i, fd;

	for (i = 0; i < self->rss.entries; i++)
		self->rss.table[i] = SERVER;
	ASSERT_EQ(0, rfd_set(LO, FSK_RFD_RSS, &self->rss));
	ASSERT_EQ(0, pin(CLIENT));
	for (i = 0; i < N; i++) {
		fd = dial(&self->trial);
		ASSERT_LE(0, fd);
	}
	EXPECT_EQ(N, count(FSK_STAT_CONNECT_ANY));
	EXPECT_EQ(0, count(FSK_STAT_CONNECT_OWN));
}

/* A child that accepts and answers from another core: a reply for each byte. */
static pid_t serve(int lfd, int cpu, int connections)
{
	pid_t pid = fork_child();
	struct pollfd fds[N];
	int i, n = 0;
	char byte;

	if (pid)
		return pid;
	if (pin(cpu))
		_exit(1);
	for (i = 0; i < connections; i++)
		fds[i] = (struct pollfd) { sock_accept(lfd), POLLIN };
	while (n < connections && poll(fds, connections, -1) > 0) {
		for (i = 0; i < connections; i++) {
			if (!fds[i].revents)
				continue;
			if (read(fds[i].fd, &byte, 1) == 1) {
				if (write(fds[i].fd, &byte, 1) != 1)
					_exit(2);
				continue;
			}
			close(fds[i].fd);
			fds[i].fd = -1;
			n++;
		}
	}
	_exit(0);
}

/* The client's side of N connections with a few replies each. */
static int converse(const struct trial *p, int rounds)
{
	int fds[N], i, j;
	char byte;

	for (i = 0; i < N; i++) {
		fds[i] = dial(p);
		if (fds[i] < 0)
			return fds[i];
	}
	for (j = 0; j < rounds; j++) {
		for (i = 0; i < N; i++)
			if (write(fds[i], "x", 1) != 1)
				return -errno;
		for (i = 0; i < N; i++)
			if (read(fds[i], &byte, 1) != 1)
				return -EPIPE;
	}
	for (i = 0; i < N; i++)
		close(fds[i]);
	return 0;
}

/* Whether packets are steered by now; takes a connection to find out. */
static bool steers(const struct trial *p, int lfd)
{
	uint64_t before = count(FSK_STAT_RFD_HIT) + count(FSK_STAT_RFD_MISS);
	pid_t server = serve(lfd, SERVER, 1);

	close(dial(p));
	return !reap(server) &&
	       count(FSK_STAT_RFD_HIT) + count(FSK_STAT_RFD_MISS) > before;
}

/* Ports beyond a core's share are steered: from the first of them on, and not
 * any more when the interface is no longer in rss mode.
 */
TEST_F(rfd, rss__steers_other_ports)
{
	uint64_t misses;
	pid_t server;
	int i;

	for (i = 0; i < self->rss.entries; i++)
		self->rss.table[i] = SERVER;
	ASSERT_EQ(0, rfd_set(LO, FSK_RFD_RSS, &self->rss));
	server = serve(self->lfd, SERVER, N);
	ASSERT_EQ(0, pin(SERVER));
	ASSERT_EQ(0, converse(&self->trial, 2));
	EXPECT_EQ(0, reap(server));
	EXPECT_EQ(N, count(FSK_STAT_CONNECT_OWN));
	EXPECT_EQ(0, count(FSK_STAT_RFD_HIT) + count(FSK_STAT_RFD_MISS));

	ASSERT_EQ(0, pin(CLIENT));
	server = serve(self->lfd, SERVER, 1);
	sock_reset(dial(&self->trial));
	EXPECT_EQ(0, reap(server));
	ASSERT_TRUE(until(steers(&self->trial, self->lfd)));
	server = serve(self->lfd, SERVER, N);
	ASSERT_EQ(0, converse(&self->trial, 8));
	EXPECT_EQ(0, reap(server));
	EXPECT_LE(N, count(FSK_STAT_RFD_MISS));
	EXPECT_TRUE(until(count(FSK_STAT_RFD_STEERED) ==
			  count(FSK_STAT_RFD_MISS)));

	ASSERT_EQ(0, rfd_del(LO));
	misses = count(FSK_STAT_RFD_MISS);
	server = serve(self->lfd, SERVER, N);
	ASSERT_EQ(0, converse(&self->trial, 2));
	EXPECT_EQ(0, reap(server));
	EXPECT_EQ(misses, count(FSK_STAT_RFD_MISS));
}

/* The kernel chooses where each of a core's own ports is somebody's: the card
 * sends the replies to other cores.
 */
TEST_F(rfd, rss__steers_kernels_ports)
{
	const struct trial any = { AF_INET6, true, false };
	int port, fd, own = 0;

	ASSERT_EQ(0, sysctl_set("net/ipv4/ip_local_port_range",
				"40000 40255"));
	for (port = 40000; port < 40256; port++) {
		if (rss_cpu(&self->rss, self->trial.family, port) != CLIENT)
			continue;
		fd = sock_make(&any);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, sock_bind(&any, fd, port));
		own++;
	}
	ASSERT_LE(16, own);
	ASSERT_EQ(0, rfd_set(LO, FSK_RFD_RSS, &self->rss));
	ASSERT_EQ(0, pin(CLIENT));
	ASSERT_LE(0, dial(&self->trial));
	EXPECT_EQ(1, count(FSK_STAT_CONNECT_KERNEL));
	fd = sock_accept(self->lfd);
	ASSERT_LE(0, fd);
	/* No other connection: the walk has come round by the next one. */
	ASSERT_EQ(0, pin(SERVER));
	EXPECT_TRUE(until(write(fd, "x", 1) == 1 &&
			  count(FSK_STAT_RFD_MISS) > 0));
}

TEST_F(rfd, ntuple__steers_other_ports)
{
	int i, fd;

	ASSERT_EQ(0, sysctl_set("net/ipv4/ip_local_port_range",
				"40000 40031"));
	ASSERT_EQ(0, rfd_set(LO, FSK_RFD_NTUPLE, NULL));
	ASSERT_EQ(0, pin(CLIENT));
	for (i = 0; i < 4; i++) {
		fd = dial(&self->trial);
		ASSERT_LE(0, fd);
		sock_reset(sock_accept(self->lfd));
	}
	EXPECT_EQ(4, count(FSK_STAT_CONNECT_OWN));
	EXPECT_FALSE(steers(&self->trial, self->lfd));
	while (!count(FSK_STAT_CONNECT_ANY)) {
		fd = dial(&self->trial);
		ASSERT_LE(0, fd);
		ASSERT_LE(0, sock_accept(self->lfd));
	}
	ASSERT_TRUE(until(steers(&self->trial, self->lfd)));
	EXPECT_LT(0, count(FSK_STAT_RFD_STEERED));
}

/* A namespace behind two interfaces, fska and fskb, where the listener is: the
 * server has ...:a::2 and ...:b::2, we have ::1 in each.
 */
static int two_interfaces(void)
{
	static const char script[] =
		"ip netns add fsk-$$ && "
		"for i in a b; do "
		"ip link add name fsk$i type veth "
		"peer name fsk$i netns fsk-$$ && "
		"ip address add fd00:$i::1/64 dev fsk$i nodad && "
		"ip link set fsk$i up && "
		"ip -n fsk-$$ address add fd00:$i::2/64 dev fsk$i nodad && "
		"ip -n fsk-$$ link set fsk$i up || exit 1; done; "
		"ip -n fsk-$$ route add default via fd00:a::1; "
		"ip netns exec fsk-$$ python3 -c '"
		"import os, signal, socket\n"
		"s = socket.create_server((\"::\", 8080), family=10)\n"
		"os.fork() and os._exit(0)\n"
		"signal.alarm(120)\n"
		"k = []\n"
		"while True: k.append(s.accept())' >/dev/null 2>&1 && "
		"ip netns delete fsk-$$";

	return system(script);
}

static int dial_by(const char *remote, const char *device, bool primed)
{
	struct sockaddr_in6 to = { AF_INET6, htons(8080) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET6, remote, &to.sin6_addr);
	if (device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
				 strlen(device)))
		return -errno;
	if (primed && prime(fd))
		return -errno;
	return connect(fd, (void *)&to, sizeof(to)) ? -errno : fd;
}

static int dial_to(const char *remote, const char *device)
{
	return dial_by(remote, device, true);
}

/* Each has its own table: the route decides. */
TEST_F(rfd, rss__two_interfaces)
{
	struct rss other = self->rss;
	int i, fd;

	ASSERT_EQ(0, two_interfaces());
	for (i = 0; i < 40; i++)
		other.key[i] = random();
	ASSERT_EQ(0, rfd_set(if_nametoindex("fska"), FSK_RFD_RSS, &self->rss));
	ASSERT_EQ(0, rfd_set(if_nametoindex("fskb"), FSK_RFD_RSS, &other));
	ASSERT_EQ(0, pin(CLIENT));
	for (i = 0; i < N; i++) {
		fd = dial_to("fd00:a::2", NULL);
		ASSERT_LE(0, fd);
		EXPECT_EQ(CLIENT, rss_cpu_of(&self->rss, AF_INET6, "fd00:a::2",
					     "fd00:a::1", sock_port(fd)));
		fd = dial_to("fd00:b::2", NULL);
		ASSERT_LE(0, fd);
		EXPECT_EQ(CLIENT, rss_cpu_of(&other, AF_INET6, "fd00:b::2",
					     "fd00:b::1", sock_port(fd)));
	}
	EXPECT_EQ(2 * N, count(FSK_STAT_CONNECT_OWN));
	/* An interface that goes takes its mode along. */
	ASSERT_EQ(0, system("ip link delete fskb"));
	EXPECT_EQ(-ENOENT, rfd_del(if_nametoindex("fska") + 1));
	EXPECT_EQ(0, rfd_del(if_nametoindex("fska")));
}

/* In a VRF, by its device: ports that are in use there are seen. */
TEST_F(rfd, rss__vrf)
{
	int i, fd;

	ASSERT_EQ(0, two_interfaces());
	if (system("ip link add red type vrf table 10 2>/dev/null"))
		SKIP(return, "this kernel has no VRF");
	ASSERT_EQ(0, system("ip link set red up && "
			    "ip link set fska master red && "
			    "ip address replace fd00:a::1/64 dev fska nodad"));
	/* One that is not there yet looks like a port that is refused. */
	ASSERT_TRUE(until((fd = dial_by("fd00:a::2", "red", false)) >= 0));
	ASSERT_EQ(0, sysctl_set("net/ipv4/ip_local_port_range",
				"40000 40031"));
	ASSERT_EQ(0, rfd_set(if_nametoindex("fska"), FSK_RFD_RSS, &self->rss));
	ASSERT_EQ(0, pin(CLIENT));
	EXPECT_EQ(-ENETUNREACH, dial_to("fd00:a::2", NULL));
	for (i = 0; i < 32; i++) {
		fd = dial_to("fd00:a::2", "red");
		ASSERT_LE(0, fd);
	}
	EXPECT_EQ(-EADDRNOTAVAIL, dial_to("fd00:a::2", "red"));
	EXPECT_LT(0, count(FSK_STAT_CONNECT_OWN));
	EXPECT_EQ(0, count(FSK_STAT_CONNECT_CLASH));
}

/* A family that the card does not hash by ports gets ports by mask. */
TEST_F(rfd, rss__other_family)
{
	int fd;

	self->rss.hash = self->trial.family == AF_INET ? FSK_RFD_HASH_TCP6 :
							 FSK_RFD_HASH_TCP4;
	ASSERT_EQ(0, rfd_set(LO, FSK_RFD_RSS, &self->rss));
	ASSERT_EQ(0, pin(CLIENT));
	fd = dial(&self->trial);
	ASSERT_LE(0, fd);
	EXPECT_EQ(CLIENT, sock_port(fd) % cpus_online());
}

TEST_F(rfd, set__refuses)
{
	struct rss rss = self->rss;

	EXPECT_EQ(-ENODEV, rfd_set(4242, FSK_RFD_MASK, NULL));
	EXPECT_EQ(-ERANGE, rfd_set(0, FSK_RFD_MASK, NULL));
	EXPECT_EQ(-ERANGE, rfd_set(LO, FSK_RFD_NTUPLE + 1, NULL));
	EXPECT_EQ(-EINVAL, rfd_set(LO, FSK_RFD_RSS, NULL));
	rss.key_len = 39;
	EXPECT_EQ(-EINVAL, rfd_set(LO, FSK_RFD_RSS, &rss));
	rss.key_len = 40;
	rss.entries = 100;
	EXPECT_EQ(-EINVAL, rfd_set(LO, FSK_RFD_RSS, &rss));
	rss.entries = 0;
	EXPECT_EQ(-EINVAL, rfd_set(LO, FSK_RFD_RSS, &rss));
	rss.entries = 128;
	rss.table[77] = 1 << 20;
	EXPECT_EQ(-EINVAL, rfd_set(LO, FSK_RFD_RSS, &rss));
	rss.table[77] = 0;
	rss.hash = 0;
	EXPECT_EQ(-EINVAL, rfd_set(LO, FSK_RFD_RSS, &rss));
	rss.hash = 4;
	EXPECT_EQ(-EINVAL, rfd_set(LO, FSK_RFD_RSS, &rss));
	EXPECT_EQ(-ENOENT, rfd_del(LO));
	EXPECT_EQ(-EINVAL, rfd_config(FSK_RFD_RSS, false));
	EXPECT_EQ(-EINVAL, rfd_config(FSK_RFD_NTUPLE, false));
	EXPECT_EQ(-ERANGE, rfd_config(FSK_RFD_NTUPLE + 1, false));
}

/* Replies come from another core and are handled on the one that connected. */
TEST_F(rfd, steer__moves_replies)
{
	pid_t server;

	ASSERT_EQ(0, rfd_config(FSK_RFD_STEER, false));
	server = serve(self->lfd, SERVER, N);
	ASSERT_EQ(0, pin(CLIENT));
	ASSERT_EQ(0, converse(&self->trial, 8));
	EXPECT_EQ(0, reap(server));
	/* Each answer, at least, was sent from the server's core. */
	EXPECT_LE(N, count(FSK_STAT_RFD_MISS));
	EXPECT_TRUE(until(count(FSK_STAT_RFD_STEERED) ==
			  count(FSK_STAT_RFD_MISS)));
	EXPECT_EQ(0, count(FSK_STAT_RFD_DROP));
	EXPECT_LT(0, count(FSK_STAT_RFD_HIT));
}

/* Counting alone moves nothing. */
TEST_F(rfd, count__moves_nothing)
{
	pid_t server;

	ASSERT_EQ(0, rfd_config(FSK_RFD_MASK, true));
	server = serve(self->lfd, SERVER, N);
	ASSERT_EQ(0, pin(CLIENT));
	ASSERT_EQ(0, converse(&self->trial, 8));
	EXPECT_EQ(0, reap(server));
	EXPECT_LE(N, count(FSK_STAT_RFD_MISS));
	EXPECT_EQ(0, count(FSK_STAT_RFD_STEERED));
	ASSERT_EQ(0, rfd_config(FSK_RFD_MASK, false));
}

static int cpu_online(int cpu, bool online)
{
	char path[64];
	FILE *file;
	int err;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online",
		 cpu);
	file = fopen(path, "w");
	if (!file)
		return -errno;
	err = fprintf(file, "%d", online) < 0;
	return fclose(file) || err ? -EIO : 0;
}

/* Packets of a core that has gone are handled where they come in, and moved
 * again when it is back.
 */
TEST_F(rfd, steer__core_offline)
{
	int fds[N], i, cpu = cpus_online() - 1;
	uint64_t steered;
	pid_t server;
	char byte;

	ASSERT_EQ(0, rfd_config(FSK_RFD_STEER, false));
	server = serve(self->lfd, SERVER, N);
	ASSERT_EQ(0, pin(cpu));
	for (i = 0; i < N; i++) {
		fds[i] = dial(&self->trial);
		ASSERT_LE(0, fds[i]);
	}
	/* The kernel lets us run elsewhere from here on. */
	if (cpu_online(cpu, false))
		SKIP(return, "cores of this machine stay online");
	for (i = 0; i < N; i++) {
		EXPECT_EQ(1, write(fds[i], "x", 1));
		EXPECT_EQ(1, read(fds[i], &byte, 1));
	}
	EXPECT_EQ(0, cpu_online(cpu, true));
	steered = count(FSK_STAT_RFD_STEERED);
	ASSERT_EQ(0, pin(CLIENT));
	for (i = 0; i < N; i++) {
		EXPECT_EQ(1, write(fds[i], "x", 1));
		EXPECT_EQ(1, read(fds[i], &byte, 1));
		close(fds[i]);
	}
	EXPECT_EQ(0, reap(server));
	EXPECT_LT(steered, count(FSK_STAT_RFD_STEERED));
	EXPECT_EQ(0, count(FSK_STAT_RFD_DROP));
}

/* The kernel's own steering has had its turn before. */
TEST_F(rfd, steer__with_rps)
{
	pid_t server;

	ASSERT_EQ(0, rfd_config(FSK_RFD_STEER, false));
	/* A mount of its own shows the interfaces of this namespace. */
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mount("sysfs", "/sys", "sysfs", 0, NULL));
	if (system("echo f >/sys/class/net/lo/queues/rx-0/rps_cpus"))
		SKIP(return, "this kernel has no RPS");
	server = serve(self->lfd, SERVER, N);
	ASSERT_EQ(0, pin(CLIENT));
	ASSERT_EQ(0, converse(&self->trial, 8));
	EXPECT_EQ(0, reap(server));
	EXPECT_LT(0, count(FSK_STAT_RFD_STEERED));
	EXPECT_TRUE(until(count(FSK_STAT_RFD_STEERED) ==
			  count(FSK_STAT_RFD_MISS)));
	EXPECT_EQ(0, count(FSK_STAT_RFD_DROP));
}

/* Packets of plain sockets stay where they are, also on a port that a primed
 * one had.
 */
TEST_F(rfd, steer__leaves_others_alone)
{
	int i, fd, child;
	uint64_t hits;
	char byte;

	ASSERT_EQ(0, sysctl_set("net/ipv4/ip_local_port_range",
				"40000 40015"));
	ASSERT_EQ(0, rfd_config(FSK_RFD_STEER, false));
	ASSERT_EQ(0, pin(CLIENT));
	for (i = 0; i < 16; i++) {
		fd = dial(&self->trial);
		ASSERT_LE(0, fd);
		sock_reset(fd);
	}
	hits = count(FSK_STAT_RFD_HIT);
	EXPECT_LT(0, hits);
	{
		const struct trial any = { AF_INET6, true, false };
		int lfd = sock_make(&any);

		ASSERT_EQ(0, sock_bind(&any, lfd, 8081));
		ASSERT_EQ(0, listen(lfd, 16));
		fd = sock_dial(&self->trial, 8081);
		ASSERT_LE(0, fd);
		child = sock_accept(lfd);
	}
	ASSERT_LE(0, child);
	ASSERT_EQ(0, pin(SERVER));
	ASSERT_EQ(1, write(child, "x", 1));
	ASSERT_EQ(1, read(fd, &byte, 1));
	EXPECT_EQ(hits, count(FSK_STAT_RFD_HIT));
	EXPECT_EQ(0, count(FSK_STAT_RFD_MISS));
	EXPECT_EQ(0, count(FSK_STAT_RFD_STEERED));
}

/* Nothing is sent again over loopback for a minute, when a core stands still:
 * a timer runs on any core, and what it has sent overtakes what waits on
 * another.
 */
static int no_timers(void)
{
	return sysctl_set("net/ipv4/tcp_early_retrans", "0") ?:
	       system("ip route change local 127.0.0.1 dev lo table local"
		      " proto kernel scope host src 127.0.0.1 rto_min 60s &&"
		      " ip -6 route del local ::1 dev lo table local &&"
		      " ip -6 route add local ::1 dev lo table local"
		      " proto kernel rto_min 60s");
}

/* A stream whose packets come in on one core and are handled on another.
 * Return: how many segments came out of order, or a negative errno.
 */
static long stream_once(FIXTURE_DATA(rfd) *self, size_t want)
{
	static char block[65536];
	uint64_t before = netstat("TCPOFOQueue");
	int child, fd;
	size_t got = 0;
	ssize_t n;
	pid_t pid;

	pin(CLIENT);
	fd = dial(&self->trial);
	child = sock_accept(self->lfd);
	if (fd < 0 || child < 0)
		return -ECONNREFUSED;
	pid = fork_child();
	if (!pid) {
		pin(SERVER);
		close(fd);
		for (size_t sent = 0; sent < want; sent += n) {
			n = write(child, block, sizeof(block));
			if (n <= 0)
				_exit(1);
		}
		_exit(0);
	}
	close(child);
	while ((n = read(fd, block, sizeof(block))) > 0)
		got += n;
	close(fd);
	if (reap(pid) || got != want)
		return -EPIPE;
	return netstat("TCPOFOQueue") - before;
}

/* In order: a stream arrives as it was sent.  Sometimes an acknowledgment lets
 * its core send, while what the server has sent before waits on the server's:
 * such segments come in on two cores at once, and have no order on the plain
 * kernel either.  So one stream of several has none that is out of order.
 */
TEST_F(rfd, steer__keeps_order)
{
	long wrong = -1;
	int i;

	ASSERT_EQ(0, no_timers());
	ASSERT_EQ(0, rfd_config(FSK_RFD_STEER, false));
	for (i = 0; i < 4 && wrong; i++) {
		wrong = stream_once(self, 8 << 20);
		ASSERT_LE(0, wrong);
		EXPECT_LT(0, count(FSK_STAT_RFD_STEERED));
	}
	EXPECT_EQ(0, wrong);
}

/* The kernel's limit, which namespaces share. */
static int set_backlog(int packets)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "nsenter --net=/proc/1/ns/net sysctl -qw net.core.netdev_max_backlog=%d",
		 packets);
	return system(command);
}

/* What doesn't fit into a queue is dropped and counted, and sent again. */
TEST_F(rfd, steer__full_queue)
{
	int fds[N], i;
	pid_t server;
	char byte;

	ASSERT_EQ(0, rfd_config(FSK_RFD_STEER, false));
	server = serve(self->lfd, SERVER, N);
	ASSERT_EQ(0, pin(CLIENT));
	for (i = 0; i < N; i++) {
		fds[i] = dial(&self->trial);
		ASSERT_LE(0, fds[i]);
	}
	EXPECT_EQ(0, count(FSK_STAT_RFD_DROP));
	EXPECT_EQ(0, set_backlog(0));
	for (i = 0; i < N; i++)
		EXPECT_EQ(1, write(fds[i], "x", 1));
	EXPECT_TRUE(until(count(FSK_STAT_RFD_DROP) > 0));
	EXPECT_EQ(0, set_backlog(1000));
	for (i = 0; i < N; i++) {
		EXPECT_EQ(1, read(fds[i], &byte, 1));
		close(fds[i]);
	}
	EXPECT_EQ(0, reap(server));
	/* Packets of this core queue behind others, and may be dropped, too. */
	EXPECT_TRUE(until(count(FSK_STAT_RFD_STEERED) +
			  count(FSK_STAT_RFD_DROP) >=
			  count(FSK_STAT_RFD_MISS)));
}

/* A namespace goes with packets in queues and hooks registered. */
TEST_F(rfd, steer__namespace_goes)
{
	int i, status;
	pid_t pid;

	for (i = 0; i < 10; i++) {
		pid = fork_child();
		if (!pid) {
			const struct trial any = { AF_INET6, true, false };

			if (net_enter() || rfd_config(FSK_RFD_STEER, true))
				_exit(1);
			self->lfd = sock_make(&any);
			if (sock_bind(&any, self->lfd, 8080) ||
			    listen(self->lfd, 1024) ||
			    serve(self->lfd, SERVER, N) < 0 || pin(CLIENT))
				_exit(2);
			_exit(converse(&self->trial, 2) ? 3 : 0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
}

TEST_HARNESS_MAIN
