// SPDX-License-Identifier: GPL-2.0
/*
 * Where the kernel's own rules decide: options that act during the handshake,
 * which listener a packet is for, and what asks for the kernel's own path.
 */
#include "kselftest_harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <linux/xfrm.h>
#include <net/if.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf.h"
#include "counters.h"
#include "spoof.h"
#include "support.h"
#include "wire.h"
#include "workers.h"

#define CPU	1

FIXTURE(bypass) {
	struct trial trial;
	struct trial plain;
	int fd;
	int port;
};

TRIAL_VARIANTS(bypass);

FIXTURE_SETUP(bypass)
{
	self->trial = variant->trial;
	self->plain = variant->trial;
	self->plain.join = false;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(0));
	self->fd = sock_listen(&self->trial, 16);
	ASSERT_LE(0, self->fd);
	self->port = sock_port(self->fd);
	ASSERT_TRUE(sock_claim(self->fd, CPU));
}

FIXTURE_TEARDOWN(bypass)
{
}

/* One connection to the end; 0 or a negative errno. */
static int connect_once(const struct trial *p, int lfd)
{
	int client = sock_dial(p, sock_port(lfd));
	int child;

	if (client < 0)
		return client;
	child = sock_accept(lfd);
	sock_reset(client);
	if (child < 0)
		return child;
	close(child);
	return 0;
}

/* Options that act before accept(), set when the listener is claimed */

TEST_F(bypass, defer_accept__waits_for_data)
{
	int client, child;

	ASSERT_EQ(0, sock_set(self->fd, SOL_TCP, TCP_DEFER_ACCEPT, 10));
	client = sock_dial(&self->trial, self->port);
	ASSERT_LE(0, client);
	EXPECT_FALSE(sock_wait(self->fd, POLLIN, 200));
	ASSERT_EQ(1, write(client, "x", 1));
	child = sock_accept(self->fd);
	ASSERT_LE(0, child);
	EXPECT_TRUE(sock_wait(child, POLLIN, 0));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(1, count(FSK_STAT_SYN_LOCAL));
}

/* A SYN that has not come far enough is dropped, the next one taken. */
TEST_F(bypass, minttl__drops_syn)
{
	bool v4 = self->trial.dual || self->trial.family == AF_INET;
	int level = v4 ? SOL_IP : SOL_IPV6;
	int client;

	ASSERT_EQ(0, sock_set(self->fd, level, v4 ? IP_MINTTL :
			     73 /* IPV6_MINHOPCOUNT */, 65));
	client = sock_dial_nowait(&self->trial, self->port);
	ASSERT_LE(0, client);
	EXPECT_TRUE(until(netstat("TCPMinTTLDrop") > 0));
	EXPECT_FALSE(sock_wait(self->fd, POLLIN, 0));
	close(client);
	ASSERT_EQ(0, sock_set(self->fd, level, v4 ? IP_MINTTL :
			     73 /* IPV6_MINHOPCOUNT */, 64));
	EXPECT_EQ(0, connect_once(&self->trial, self->fd));
	EXPECT_LE(2, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
}

static bool half_open(void)
{
	return !system("cat /proc/net/tcp /proc/net/tcp6 | "
		       "awk '$4 == \"03\" { found = 1 } END { exit !found }'");
}

/* As often as the listener says, not as net.ipv4.tcp_synack_retries does. */
TEST_F(bypass, syncnt__counts_synacks)
{
	int plain = sock_listen(&self->plain, 16), raw, i;
	int fds[2] = { plain, self->fd };

	ASSERT_LE(0, plain);
	raw = spoof_open(&self->trial);
	ASSERT_LE(0, raw);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sock_set(fds[i], SOL_TCP, TCP_SYNCNT, 1));
		ASSERT_EQ(0, spoof_send(raw, &self->trial, sock_port(fds[i]),
					1));
	}
	EXPECT_EQ(1, count(FSK_STAT_SYN_LOCAL));
	/* Each sends one again and gives up, long before the sysctl's five. */
	EXPECT_TRUE(until(netstat("TCPSynRetrans") == 2));
	EXPECT_TRUE(until(!half_open()));
	EXPECT_EQ(2, netstat("TCPSynRetrans"));
}

/* The owner decides on routes: here, that there is none. */
TEST_F(bypass, fchown__reaches_routes)
{
	bool v4 = self->trial.dual || self->trial.family == AF_INET;
	int client;

	/* Before the table of local addresses, which comes first of all. */
	ASSERT_EQ(0, system(v4 ? "ip rule add pref 9 lookup local && "
			    "ip rule del pref 0 && "
			    "ip rule add pref 1 uidrange 4242-4242 prohibit" :
			    "ip -6 rule add pref 9 lookup local && "
			    "ip -6 rule del pref 0 && "
			    "ip -6 rule add pref 1 "
			    "uidrange 4242-4242 prohibit"));
	ASSERT_EQ(0, fchown(self->fd, 4242, -1));
	client = sock_dial_nowait(&self->trial, self->port);
	ASSERT_LE(0, client);
	EXPECT_TRUE(until(netstat("ListenDrops") > 0));
	EXPECT_FALSE(sock_wait(client, POLLOUT, 0));
	close(client);
	ASSERT_EQ(0, fchown(self->fd, 0, -1));
	EXPECT_EQ(0, connect_once(&self->trial, self->fd));
	EXPECT_LE(2, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
}

/* Connections take the client's mark, unless the listener has its own. */
TEST_F(bypass, mark__accepted)
{
	int plain = sock_listen(&self->plain, 16);
	int fds[2] = { plain, self->fd };
	int i, mark, client, child;
	struct sockaddr_storage to;
	socklen_t len;

	ASSERT_LE(0, plain);
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_fwmark_accept", "1"));
	for (i = 0; i < 4; i++) {
		mark = i & 2 ? 9 : 0;
		ASSERT_EQ(0, sock_set(fds[i & 1], SOL_SOCKET, SO_MARK, mark));
		len = sock_addr(&to, self->trial.dual ? AF_INET :
				self->trial.family, sock_port(fds[i & 1]),
				true);
		client = socket(to.ss_family, SOCK_STREAM, 0);
		ASSERT_EQ(0, sock_set(client, SOL_SOCKET, SO_MARK, 5));
		ASSERT_EQ(0, connect(client, (void *)&to, len));
		child = sock_accept(fds[i & 1]);
		ASSERT_LE(0, child);
		EXPECT_EQ(mark ? mark : 5,
			  sock_get(child, SOL_SOCKET, SO_MARK));
	}
	EXPECT_EQ(2, count(FSK_STAT_ACCEPT_LOCAL));
}

static bool data_in_syn(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return !getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len) &&
	       info.tcpi_options & TCPI_OPT_SYN_DATA;
}

TEST_F(bypass, fastopen__data_in_syn)
{
	int i, qlen = 5, client, child;
	char byte;

	/* By a client that asks, a server that is asked. */
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_fastopen", "3"));
	ASSERT_EQ(0, setsockopt(self->fd, SOL_TCP, TCP_FASTOPEN, &qlen,
				sizeof(qlen)));
	for (i = 0; i < 4; i++) {
		client = sock_dial_fast(&self->trial, self->port);
		ASSERT_LE(0, client);
		child = sock_accept(self->fd);
		ASSERT_LE(0, child);
		EXPECT_TRUE(sock_wait(child, POLLIN, PATIENCE_MS));
		EXPECT_EQ(1, read(child, &byte, 1));
		/* The first one only fetches the cookie. */
		EXPECT_EQ(i > 0, data_in_syn(client));
		close(child);
		close(client);
	}
	EXPECT_EQ(4, count(FSK_STAT_SYN_LOCAL) + count(FSK_STAT_SYN_TIMEWAIT));
	EXPECT_LE(2, count(FSK_STAT_ACCEPT_LOCAL));
}

/* Said of the listener alone: even the first SYN's data is taken. */
TEST_F(bypass, fastopen__without_cookie)
{
	int i, client, child;
	char byte;

	/* Clients need none, either. */
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_fastopen", "7"));
	ASSERT_EQ(0, sock_set(self->fd, SOL_TCP, TCP_FASTOPEN, 5));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sock_set(self->fd, SOL_TCP,
				      34 /* TCP_FASTOPEN_NO_COOKIE */, i));
		client = sock_dial_fast(&self->trial, self->port);
		ASSERT_LE(0, client);
		child = sock_accept(self->fd);
		ASSERT_LE(0, child);
		EXPECT_TRUE(sock_wait(child, POLLIN, PATIENCE_MS));
		EXPECT_EQ(1, read(child, &byte, 1));
		EXPECT_EQ(i, data_in_syn(client));
		EXPECT_EQ(i, netstat("TCPFastOpenPassive"));
	}
	EXPECT_EQ(2, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(2, count(FSK_STAT_ACCEPT_LOCAL));
}

TEST_F(bypass, save_syn__is_saved)
{
	int on = 1, client, child;
	socklen_t len;
	char syn[256];

	ASSERT_EQ(0, setsockopt(self->fd, SOL_TCP, TCP_SAVE_SYN, &on,
				sizeof(on)));
	client = sock_dial(&self->trial, self->port);
	ASSERT_LE(0, client);
	child = sock_accept(self->fd);
	ASSERT_LE(0, child);
	len = sizeof(syn);
	EXPECT_EQ(0, getsockopt(child, SOL_TCP, TCP_SAVED_SYN, syn, &len));
	EXPECT_LE(40, len);
	EXPECT_EQ(self->trial.family == AF_INET6 && !self->trial.dual ? 6 : 4,
		  syn[0] >> 4);
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
}

/* What asks for the kernel's own path */

static int filter_attach(int fd, uint32_t keep)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, keep) };
	struct sock_fprog prog = { .len = 1, .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog)) ? -errno : 0;
}

static bool bypassed(int port)
{
	struct core_row row;

	return row_get(port, -1, &row) && row.bypass;
}

TEST_F(bypass, filter__drops_syn)
{
	int client, child, unused = 0;

	EXPECT_FALSE(bypassed(self->port));
	ASSERT_EQ(0, filter_attach(self->fd, 0));
	EXPECT_TRUE(bypassed(self->port));
	client = sock_dial_nowait(&self->trial, self->port);
	ASSERT_LE(0, client);
	EXPECT_FALSE(sock_wait(client, POLLOUT, 200));
	EXPECT_LE(1, count(FSK_STAT_SYN_BYPASSED));
	EXPECT_EQ(0, count(FSK_STAT_SYN_LOCAL));
	/* Without it, the SYN that is sent again gets through. */
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_DETACH_FILTER,
				&unused, sizeof(unused)));
	EXPECT_FALSE(bypassed(self->port));
	EXPECT_TRUE(sock_wait(client, POLLOUT, PATIENCE_MS));
	child = sock_accept(self->fd);
	EXPECT_LE(0, child);
	EXPECT_EQ(1, count(FSK_STAT_SYN_LOCAL) + count(FSK_STAT_SYN_FAR) +
		     count(FSK_STAT_SYN_UNCLAIMED));
}

TEST_F(bypass, filter__lets_through)
{
	ASSERT_EQ(0, filter_attach(self->fd, -1));
	EXPECT_EQ(0, connect_once(&self->trial, self->fd));
	EXPECT_EQ(1, count(FSK_STAT_SYN_BYPASSED));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_APP));
	EXPECT_EQ(0, count(FSK_STAT_SYN_LOCAL));
}

/* A program of the new kind, which is attached by its descriptor. */
static int filter_attach_ebpf(int fd, int32_t keep)
{
	int prog = bpf_verdict(BPF_PROG_TYPE_SOCKET_FILTER, 0, keep);

	return prog < 0 ? prog : sock_set(fd, SOL_SOCKET, SO_ATTACH_BPF, prog);
}

TEST_F(bypass, filter__of_ebpf)
{
	int client;

	ASSERT_EQ(0, filter_attach_ebpf(self->fd, 0));
	EXPECT_TRUE(bypassed(self->port));
	client = sock_dial_nowait(&self->trial, self->port);
	ASSERT_LE(0, client);
	EXPECT_TRUE(until(count(FSK_STAT_SYN_BYPASSED) > 1));
	EXPECT_FALSE(sock_wait(client, POLLOUT, 0));
	/* Another program instead. */
	ASSERT_EQ(0, filter_attach_ebpf(self->fd, -1));
	EXPECT_TRUE(sock_wait(client, POLLOUT, PATIENCE_MS));
	EXPECT_LE(0, sock_accept(self->fd));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_APP));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_DETACH_FILTER, 0));
	EXPECT_FALSE(bypassed(self->port));
	ASSERT_TRUE(sock_claim(self->fd, CPU));
	EXPECT_EQ(0, connect_once(&self->trial, self->fd));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
}

/* A handshake that has begun when the option is set: its last ACK is judged
 * as on the plain kernel.  The listener waits for data, so the test can send
 * that ACK when it likes.
 */
static int half_connect(const struct trial *p, int fd)
{
	long dropped = netstat("TCPDeferAcceptDrop");
	int client;

	if (sock_set(fd, SOL_TCP, TCP_DEFER_ACCEPT, 30))
		return -errno;
	client = sock_dial(p, sock_port(fd));
	/* connect() returns before the listener's side has the last ACK. */
	if (client >= 0 && !until(netstat("TCPDeferAcceptDrop") > dropped))
		return -ETIMEDOUT;
	return client;
}

static void check_filter_meets_ack(struct __test_metadata *_metadata,
				   const struct trial *p, int fd)
{
	long dropped = netstat("TCPDeferAcceptDrop");
	int client = half_connect(p, fd);
	struct tcp_info info;
	socklen_t len = sizeof(info);

	ASSERT_LE(0, client);
	EXPECT_EQ(dropped + 1, netstat("TCPDeferAcceptDrop"));
	ASSERT_EQ(0, filter_attach(fd, 0));
	ASSERT_EQ(1, write(client, "x", 1));
	/* Sent again, so the first one has been dropped. */
	EXPECT_TRUE(until(!getsockopt(client, SOL_TCP, TCP_INFO, &info, &len) &&
			  info.tcpi_total_retrans > 0));
	EXPECT_FALSE(sock_wait(fd, POLLIN, 0));
	ASSERT_EQ(0, sock_set(fd, SOL_SOCKET, SO_DETACH_FILTER, 0));
	EXPECT_LE(0, sock_accept(fd));
}

typedef void check_meets_ack_t(struct __test_metadata *_metadata,
			       const struct trial *p, int fd);

/* On a plain listener, and on one that has joined. */
static void check_meets_ack(struct __test_metadata *_metadata,
			    FIXTURE_DATA(bypass) *self,
			    check_meets_ack_t *check)
{
	int plain = sock_listen(&self->plain, 16);

	ASSERT_LE(0, plain);
	check(_metadata, &self->plain, plain);
	check(_metadata, &self->trial, self->fd);
	EXPECT_EQ(1, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
}

TEST_F(bypass, filter__meets_last_ack)
{
	check_meets_ack(_metadata, self, check_filter_meets_ack);
}

/* The address of all clients, as the listener sees it. */
static void put_peer(const struct trial *p, void *addr)
{
	struct sockaddr_in6 *sin6 = addr;
	struct sockaddr_in *sin = addr;

	if (p->family == AF_INET) {
		sin->sin_family = AF_INET;
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_addr = in6addr_loopback;
		if (p->dual)
			inet_pton(AF_INET6, "::ffff:127.0.0.1",
				  &sin6->sin6_addr);
	}
}

static int md5_set(const struct trial *p, int fd, const char *key)
{
	struct tcp_md5sig sig = { .tcpm_keylen = strlen(key) };

	memcpy(sig.tcpm_key, key, strlen(key));
	put_peer(p, &sig.tcpm_addr);
	return setsockopt(fd, SOL_TCP, TCP_MD5SIG, &sig, sizeof(sig)) ?
	       -errno : 0;
}

static int dial_signed(const struct trial *p, int port, const char *key)
{
	struct trial how = *p;
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT,
		.sin6_port = htons(port),
	};
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd, err;

	if (how.dual)
		how.family = AF_INET;
	how.dual = false;
	fd = socket(how.family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	err = md5_set(&how, fd, key);
	if (err)
		return err;
	if (how.family == AF_INET)
		connect(fd, (void *)&sin, sizeof(sin));
	else
		connect(fd, (void *)&sin6, sizeof(sin6));
	return fd;
}

TEST_F(bypass, md5__checked)
{
	int right, wrong;

	ASSERT_EQ(0, md5_set(&self->trial, self->fd, "secret"));
	EXPECT_TRUE(bypassed(self->port));
	wrong = sock_dial_nowait(&self->trial, self->port);
	ASSERT_LE(0, wrong);
	right = dial_signed(&self->trial, self->port, "secret");
	ASSERT_LE(0, right);
	EXPECT_TRUE(sock_wait(right, POLLOUT, PATIENCE_MS));
	EXPECT_FALSE(sock_wait(wrong, POLLOUT, 100));
	EXPECT_LE(0, sock_accept(self->fd));
	EXPECT_LE(2, count(FSK_STAT_SYN_BYPASSED));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_APP));
	EXPECT_EQ(0, count(FSK_STAT_SYN_LOCAL));
}

static void check_md5_meets_ack(struct __test_metadata *_metadata,
				const struct trial *p, int fd)
{
	long missing = netstat("TCPMD5NotFound");
	int client = half_connect(p, fd);

	ASSERT_LE(0, client);
	ASSERT_EQ(0, md5_set(p, fd, "secret"));
	ASSERT_EQ(1, write(client, "x", 1));
	EXPECT_TRUE(until(netstat("TCPMD5NotFound") > missing));
	EXPECT_FALSE(sock_wait(fd, POLLIN, 0));
	ASSERT_EQ(0, md5_set(p, fd, ""));
	EXPECT_LE(0, sock_accept(fd));
}

TEST_F(bypass, md5__meets_last_ack)
{
	check_meets_ack(_metadata, self, check_md5_meets_ack);
}

/* Without the last key the listener is a core's again. */
TEST_F(bypass, md5__removed)
{
	ASSERT_EQ(0, md5_set(&self->trial, self->fd, "secret"));
	EXPECT_TRUE(bypassed(self->port));
	ASSERT_EQ(0, md5_set(&self->trial, self->fd, ""));
	EXPECT_FALSE(bypassed(self->port));
	EXPECT_EQ(0, connect_once(&self->trial, self->fd));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(0, count(FSK_STAT_SYN_BYPASSED));
}

/* struct tcp_ao_add, which older headers lack. */
struct ao_key {
	struct sockaddr_storage addr;
	char algorithm[64];
	int32_t ifindex;
	uint32_t flags;
	uint16_t reserved;
	uint8_t prefix;
	uint8_t sndid;
	uint8_t rcvid;
	uint8_t maclen;
	uint8_t keyflags;
	uint8_t keylen;
	uint8_t key[80];
} __attribute__((aligned(8)));

static int ao_set(const struct trial *p, int fd)
{
	struct ao_key key = {
		.algorithm = "hmac(sha1)", .sndid = 1, .rcvid = 1, .keylen = 6,
		.key = "secret",
		.prefix = p->family == AF_INET || p->dual ? 32 : 128,
	};

	put_peer(p, &key.addr);
	return setsockopt(fd, SOL_TCP, 38 /* TCP_AO_ADD_KEY */, &key,
			  sizeof(key)) ? -errno : 0;
}

TEST_F(bypass, ao__checked)
{
	int client = half_connect(&self->trial, self->fd);
	int err = ao_set(&self->trial, self->fd);

	if (err == -ENOPROTOOPT)
		SKIP(return, "this kernel has no TCP-AO");
	ASSERT_EQ(0, err);
	EXPECT_TRUE(bypassed(self->port));
	/* What has begun without a key may not end without one. */
	ASSERT_LE(0, client);
	EXPECT_EQ(1, count(FSK_STAT_SYN_LOCAL));
	ASSERT_EQ(1, write(client, "x", 1));
	EXPECT_TRUE(until(netstat("TCPAORequired") > 0));
	EXPECT_FALSE(sock_wait(self->fd, POLLIN, 0));
	client = sock_dial_nowait(&self->trial, self->port);
	ASSERT_LE(0, client);
	EXPECT_TRUE(until(count(FSK_STAT_SYN_BYPASSED) > 1));
	EXPECT_FALSE(sock_wait(client, POLLOUT, 0));
	EXPECT_EQ(1, count(FSK_STAT_SYN_LOCAL));
}

/* An algorithm that speaks in the SYN-ACK, and one that does not. */
TEST_F(bypass, congestion__needs_ecn)
{
	char name[16] = "";
	socklen_t len = sizeof(name);
	int client, child;

	if (setsockopt(self->fd, SOL_TCP, TCP_CONGESTION, "dctcp", 5))
		SKIP(return, "this kernel has no DCTCP");
	EXPECT_TRUE(bypassed(self->port));
	client = sock_dial(&self->trial, self->port);
	ASSERT_LE(0, client);
	child = sock_accept(self->fd);
	ASSERT_LE(0, child);
	EXPECT_EQ(0, getsockopt(child, SOL_TCP, TCP_CONGESTION, name, &len));
	/* The client has no ECN: it says "dctcp-reno". */
	EXPECT_EQ(0, strncmp("dctcp", name, 5));
	EXPECT_EQ(1, count(FSK_STAT_SYN_BYPASSED));
	ASSERT_EQ(0, setsockopt(self->fd, SOL_TCP, TCP_CONGESTION, "reno", 4));
	EXPECT_FALSE(bypassed(self->port));
	ASSERT_TRUE(sock_claim(self->fd, CPU));
	EXPECT_EQ(0, connect_once(&self->trial, self->fd));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
}

/* A local listener has the namespace's algorithm, which is not to speak for a
 * listener that has another one.
 */
TEST_F(bypass, congestion__default_needs_ecn)
{
	int fd;

	if (sysctl_set("net/ipv4/tcp_congestion_control", "dctcp"))
		SKIP(return, "this kernel has no DCTCP");
	fd = sock_listen(&self->trial, 16);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_TCP, TCP_CONGESTION, "reno", 4));
	ASSERT_TRUE(sock_claim(fd, CPU));
	EXPECT_EQ(0, connect_once(&self->trial, fd));
	EXPECT_EQ(1, count(FSK_STAT_SYN_BYPASSED));
	EXPECT_EQ(0, count(FSK_STAT_SYN_LOCAL));
}

/* Programs that see the SYN look there. */
TEST_F(bypass, storage__is_the_listeners)
{
	int map = bpf_map_of_sockets();

	if (map < 0)
		SKIP(return, "no BPF here: error %d", map);
	EXPECT_FALSE(bypassed(self->port));
	ASSERT_EQ(0, bpf_map_set(map, self->fd, 7));
	EXPECT_TRUE(bypassed(self->port));
	EXPECT_EQ(0, connect_once(&self->trial, self->fd));
	EXPECT_EQ(1, count(FSK_STAT_SYN_BYPASSED));
	EXPECT_EQ(0, count(FSK_STAT_SYN_LOCAL));
}

/* The socket's own policies of what has to come in encrypted. */
static int policy_set(const struct trial *p, int fd, int action)
{
	bool v4 = p->dual || p->family == AF_INET;
	struct xfrm_userpolicy_info info = {
		.sel.family = v4 ? AF_INET : AF_INET6, .dir = XFRM_POLICY_IN,
		.action = action,
		.lft = { XFRM_INF, XFRM_INF, XFRM_INF, XFRM_INF },
	};
	int opt = p->family == AF_INET ? 17 : 35;	/* IP*_XFRM_POLICY */
	int level = p->family == AF_INET ? SOL_IP : SOL_IPV6;

	return setsockopt(fd, level, opt, &info, sizeof(info)) ? -errno : 0;
}

TEST_F(bypass, ipsec__policy)
{
	int client;

	if (system("modprobe -q xfrm_user"))
		SKIP(return, "this kernel has no IPsec");
	ASSERT_EQ(0, policy_set(&self->trial, self->fd, XFRM_POLICY_BLOCK));
	EXPECT_TRUE(bypassed(self->port));
	client = sock_dial_nowait(&self->trial, self->port);
	ASSERT_LE(0, client);
	EXPECT_TRUE(until(count(FSK_STAT_SYN_BYPASSED) > 1));
	EXPECT_FALSE(sock_wait(client, POLLOUT, 0));
	ASSERT_EQ(0, policy_set(&self->trial, self->fd, XFRM_POLICY_ALLOW));
	EXPECT_TRUE(sock_wait(client, POLLOUT, PATIENCE_MS));
	EXPECT_LE(0, sock_accept(self->fd));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_APP));
	EXPECT_EQ(0, count(FSK_STAT_SYN_LOCAL));
}

/* Connections to another port, which TPROXY gives to the listener. */
TEST_F(bypass, tproxy__serves)
{
	bool v4 = self->trial.dual || self->trial.family == AF_INET;
	char rules[256];
	int client, child;

	ASSERT_EQ(0, sock_set(self->fd, self->trial.family == AF_INET ? SOL_IP :
			     SOL_IPV6, self->trial.family == AF_INET ? 19 : 75,
			     1));
	snprintf(rules, sizeof(rules),
		 "nft 'table inet fsk { chain in { "
		 "type filter hook prerouting priority mangle; "
		 "tcp dport 9999 tproxy %s to :%d accept; }; }' 2>/dev/null",
		 v4 ? "ip" : "ip6", self->port);
	if (system(rules))
		SKIP(return, "no nft, or this kernel has no TPROXY");
	client = sock_dial(&self->trial, 9999);
	ASSERT_LE(0, client);
	child = sock_accept(self->fd);
	ASSERT_LE(0, child);
	EXPECT_EQ(9999, sock_port(child));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_APP));
	/* To its own port it is as ever. */
	ASSERT_TRUE(sock_claim(self->fd, CPU));
	EXPECT_EQ(0, connect_once(&self->trial, self->fd));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
}

/* A program that says yes to all; what it chooses is the kernel's matter. */
static int sk_lookup_attach(void)
{
	int prog = bpf_verdict(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, SK_PASS);

	return prog < 0 ? prog : bpf_attach(prog, BPF_SK_LOOKUP, net_fd(), 0);
}

TEST_F(bypass, sk_lookup__decides)
{
	int link = sk_lookup_attach();

	ASSERT_LE(0, link);
	EXPECT_EQ(0, connect_once(&self->trial, self->fd));
	EXPECT_EQ(1, count(FSK_STAT_SYN_SK_LOOKUP));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_APP));
	EXPECT_EQ(0, close(link));
	EXPECT_TRUE(sock_claim(self->fd, CPU));
	EXPECT_EQ(0, connect_once(&self->trial, self->fd));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
}

/* Which listener */

static int listen_at(int family, const char *address, int port, int share,
		     bool join_it)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons(port) };
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons(port) };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	void *sa = family == AF_INET ? (void *)&sin : (void *)&sin6;
	int only = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &share, sizeof(share));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	inet_pton(family, address, family == AF_INET ?
		  (void *)&sin.sin_addr : (void *)&sin6.sin6_addr);
	if (bind(fd, sa, family == AF_INET ? sizeof(sin) : sizeof(sin6)) ||
	    listen(fd, 16))
		return -errno;
	return join_it && join(fd) ? -errno : fd;
}

static bool ready_soon(int fd)
{
	return sock_wait(fd, POLLIN, PATIENCE_MS);
}

FIXTURE(choice) {
	int port;
};

FIXTURE_VARIANT(choice) {
	struct trial trial;
	const char *any;
	const char *exact;
};

FIXTURE_VARIANT_ADD(choice, ipv4) {
	.trial = { AF_INET, false, true },
	.any = "0.0.0.0", .exact = "127.0.0.1",
};

FIXTURE_VARIANT_ADD(choice, ipv6) {
	.trial = { AF_INET6, false, true }, .any = "::", .exact = "::1",
};

FIXTURE_SETUP(choice)
{
	self->port = 7000;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(0));
}

FIXTURE_TEARDOWN(choice)
{
}

/* The exact address wins, whoever joined. */
static void check_exact(struct __test_metadata *_metadata, int port,
			const FIXTURE_VARIANT(choice) *v, bool join_any,
			bool join_exact)
{
	int family = v->trial.family;
	int any = listen_at(family, v->any, port, 1, join_any);
	int exact = listen_at(family, v->exact, port, 1, join_exact);

	ASSERT_LE(0, any);
	ASSERT_LE(0, exact);
	ASSERT_TRUE(sock_claim(any, CPU));
	ASSERT_TRUE(sock_claim(exact, CPU));
	ASSERT_LE(0, sock_dial(&v->trial, port));
	EXPECT_TRUE(ready_soon(exact));
	EXPECT_FALSE(sock_wait(any, POLLIN, 0));
	EXPECT_EQ(join_exact, count(FSK_STAT_SYN_LOCAL));
	EXPECT_LE(0, sock_accept(exact));
	EXPECT_EQ(join_exact, count(FSK_STAT_ACCEPT_LOCAL));
}

TEST_F(choice, exact__only_wildcard_joined)
{
	check_exact(_metadata, self->port, variant, true, false);
}

TEST_F(choice, exact__only_exact_joined)
{
	check_exact(_metadata, self->port, variant, false, true);
}

TEST_F(choice, exact__both_joined)
{
	check_exact(_metadata, self->port, variant, true, true);
}

TEST_F(choice, v6only__leaves_ipv4_alone)
{
	const struct trial four = { AF_INET, false, false };
	const struct trial six = { AF_INET6, false, true };
	int v6 = listen_at(AF_INET6, "::", self->port, 0, true);
	int v4 = listen_at(AF_INET, "0.0.0.0", self->port, 0, false);

	ASSERT_LE(0, v6);
	ASSERT_LE(0, v4);
	ASSERT_TRUE(sock_claim(v6, CPU));
	ASSERT_LE(0, sock_dial(&four, self->port));
	EXPECT_TRUE(ready_soon(v4));
	EXPECT_FALSE(sock_wait(v6, POLLIN, 0));
	EXPECT_EQ(0, count(FSK_STAT_SYN_LOCAL));
	ASSERT_LE(0, sock_dial(&six, self->port));
	EXPECT_TRUE(ready_soon(v6));
	EXPECT_EQ(1, count(FSK_STAT_SYN_LOCAL));
}

TEST_F(choice, device__bound_to_lo)
{
	int fd = listen_at(variant->trial.family, variant->any, self->port, 0,
			   true);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
	ASSERT_TRUE(sock_claim(fd, CPU));
	EXPECT_EQ(0, connect_once(&variant->trial, fd));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
}

/* Loopback packets do not come through the other device. */
TEST_F(choice, device__bound_elsewhere)
{
	int fd = listen_at(variant->trial.family, variant->any, self->port, 0,
			   true);
	int index;

	ASSERT_LE(0, fd);
	if (system("ip link add other type veth peer name end 2>/dev/null"))
		SKIP(return, "this kernel has no veth module");
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "other", 5));
	ASSERT_TRUE(sock_claim(fd, CPU));
	EXPECT_TRUE(sock_refused(&variant->trial, self->port));
	EXPECT_EQ(0, count(FSK_STAT_SYN_LOCAL));
	/* Bound after the claim: the next SYN knows. */
	index = if_nametoindex("lo");
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index,
				sizeof(index)));
	EXPECT_EQ(0, connect_once(&variant->trial, fd));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
}

static int dial_in(const char *device, int family, const char *address,
		   int port)
{
	struct sockaddr_storage to;
	socklen_t len = sock_addr(&to, family, port, true);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(family, address, family == AF_INET ?
		  (void *)&((struct sockaddr_in *)&to)->sin_addr :
		  (void *)&((struct sockaddr_in6 *)&to)->sin6_addr);
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
		       strlen(device)) ||
	    connect(fd, (void *)&to, len))
		return -errno;
	return fd;
}

/* Connections within a VRF: for a listener that is bound to it, or for any
 * where tcp_l3mdev_accept says so.
 */
static void check_vrf(struct __test_metadata *_metadata, int family,
		      const char *any, const char *local, int port,
		      bool join_it)
{
	int fd = listen_at(family, any, port, 0, join_it);
	char name[16] = "";
	socklen_t len = sizeof(name);
	int client, child;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(sock_claim(fd, CPU));
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_l3mdev_accept", "0"));
	EXPECT_EQ(-ECONNREFUSED, dial_in("red", family, local, port));
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_l3mdev_accept", "1"));
	client = dial_in("red", family, local, port);
	ASSERT_LE(0, client);
	child = sock_accept(fd);
	ASSERT_LE(0, child);
	EXPECT_EQ(0, getsockopt(child, SOL_SOCKET, SO_BINDTODEVICE, name,
				&len));
	EXPECT_STREQ("red", name);
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_l3mdev_accept", "0"));
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "red", 3));
	client = dial_in("red", family, local, port);
	ASSERT_LE(0, client);
	EXPECT_LE(0, sock_accept(fd));
	EXPECT_EQ(-ECONNREFUSED, sock_dial(&(struct trial) { family }, port));
	close(fd);
}

TEST_F(choice, device__vrf)
{
	const FIXTURE_VARIANT(choice) *v = variant;
	int i;

	if (system("ip link add red type vrf table 10 2>/dev/null"))
		SKIP(return, "this kernel has no VRF");
	ASSERT_EQ(0, system("ip link set red up && "
			    "ip address add 10.9.9.9/32 dev red && "
			    "ip address add fd09::9/128 dev red nodad"));
	for (i = 0; i < 2; i++)
		check_vrf(_metadata, v->trial.family, v->any,
			  v->trial.family == AF_INET ? "10.9.9.9" : "fd09::9",
			  self->port + i, i);
	EXPECT_EQ(2, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(2, count(FSK_STAT_ACCEPT_LOCAL));
}

/* A group's own program has chosen: it is obeyed. */
TEST_F(choice, reuseport__program_obeyed)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog prog = { .len = 1, .filter = code };
	int family = variant->trial.family, i;
	struct crew crew;
	int fd[2];

	ASSERT_EQ(0, crew_make(&crew));
	for (i = 0; i < 2; i++) {
		fd[i] = listen_at(family, variant->any, self->port, 1, true);
		ASSERT_LE(0, fd[i]);
		crew_add(&crew, fd[i], BY_EPOLL_LEVEL, i);
	}
	ASSERT_EQ(0, setsockopt(fd[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
				&prog, sizeof(prog)));
	ASSERT_EQ(0, crew_start(&crew));
	ASSERT_TRUE(crew_waits(&crew, self->port, true));
	for (i = 0; i < 4; i++) {
		pin(i & 1);
		EXPECT_EQ(0, ask(&variant->trial, self->port));
	}
	EXPECT_EQ(2, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(2, count(FSK_STAT_SYN_UNCLAIMED));
	crew_end(&crew);
}

/* A client comes back by the same port while the server remembers it. */
TEST_F(choice, time_wait__is_reused)
{
	int family = variant->trial.family, on = 1, i, client, child;
	int fd = listen_at(family, variant->any, self->port, 0, true);
	struct sockaddr_storage ss = { .ss_family = family }, peer;
	struct sockaddr_in *sin = (void *)&ss;
	socklen_t len = family == AF_INET ? sizeof(*sin) :
					    sizeof(struct sockaddr_in6);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(sock_claim(fd, CPU));
	for (i = 0; i < 2; i++) {
		client = socket(family, SOCK_STREAM, 0);
		setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		sin->sin_port = htons(7777);
		ASSERT_EQ(0, bind(client, (void *)&ss, len));
		inet_pton(family, variant->exact, family == AF_INET ?
			  (void *)&sin->sin_addr :
			  (void *)&((struct sockaddr_in6 *)&ss)->sin6_addr);
		sin->sin_port = htons(self->port);
		/* Not before the listener's side has acknowledged that the
		 * last one closed.
		 */
		ASSERT_TRUE(until(!connect(client, (void *)&ss, len) ||
				  errno != EADDRNOTAVAIL));
		ASSERT_EQ(0, getpeername(client, (void *)&peer, &len));
		child = sock_accept(fd);
		ASSERT_LE(0, child);
		/* The server first: TIME_WAIT is its. */
		close(child);
		EXPECT_TRUE(sock_wait(client, POLLIN, PATIENCE_MS));
		close(client);
		memset(&ss, 0, sizeof(ss));
		ss.ss_family = family;
	}
	/* In the same millisecond the first try is refused, and sent again. */
	EXPECT_EQ(1, count(FSK_STAT_SYN_TIMEWAIT));
	EXPECT_LE(1, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(2, count_accepts());
}

TEST_HARNESS_MAIN
