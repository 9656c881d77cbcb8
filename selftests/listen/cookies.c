// SPDX-License-Identifier: GPL-2.0
/*
 * Queues that overflow: SYN cookies, and accept queues that are full.
 */
#include "kselftest_harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bpf.h"
#include "counters.h"
#include "spoof.h"
#include "support.h"

#define CPU	1
#define N	5
#define BACKLOG	8
#define FLOOD	200
#define SPORT	7777
/* Both queues are full when they hold one more than listen() was told. */
#define FULL	(BACKLOG + 1)

FIXTURE(cookies) {
	struct trial trial;
};

TRIAL_VARIANTS(cookies);
TRIAL_VARIANTS_PLAIN(cookies);

FIXTURE_SETUP(cookies)
{
	self->trial = variant->trial;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(0));
}

FIXTURE_TEARDOWN(cookies)
{
}

/* What the listener's row says, or that of one of its cores; 0 without. */
static uint64_t drops(int port, int cpu)
{
	struct core_row row;

	return row_get(port, cpu, &row) ? row.drops : 0;
}

static uint32_t queued(int port, int cpu)
{
	struct core_row row;

	return row_get(port, cpu, &row) ? row.qlen : 0;
}

/* A client is served on @fd, with data. */
static bool served(const struct trial *p, int fd)
{
	int client = sock_dial(p, sock_port(fd));
	int child = client < 0 ? -1 : sock_accept(fd);
	char byte = 0;
	bool ok;

	ok = child >= 0 && write(client, "x", 1) == 1 &&
	     sock_wait(child, POLLIN, PATIENCE_MS) &&
	     read(child, &byte, 1) == 1 && byte == 'x';
	if (client >= 0)
		sock_reset(client);
	if (child >= 0)
		close(child);
	return ok;
}

/**
 * struct flood - a listener that gets forged SYNs
 * @fd: the listener, whose core is claimed
 * @port: its port
 * @raw: what sends more of them
 */
struct flood {
	int fd;
	int port;
	int raw;
};

/* Before the first of them; @cookies is for tcp_syncookies. */
static int flood_prepare(const struct trial *p, const char *cookies,
			 struct flood *flood)
{
	int err = sysctl_set("net/ipv4/tcp_syncookies", cookies);

	if (err)
		return err;
	flood->fd = sock_listen(p, BACKLOG);
	if (flood->fd < 0)
		return flood->fd;
	flood->port = sock_port(flood->fd);
	flood->raw = spoof_open(p);
	if (flood->raw < 0)
		return flood->raw;
	return sock_claim(flood->fd, CPU) ? 0 : -EBUSY;
}

/* FLOOD forged SYNs for a new listener. */
static int flood_begin(const struct trial *p, const char *cookies,
		       struct flood *flood)
{
	int err = flood_prepare(p, cookies, flood);

	return err ? err : spoof_send(flood->raw, p, flood->port, FLOOD);
}

/* Every connection by a cookie, from the first on. */
TEST_F(cookies, syncookies__always)
{
	int i, fd;

	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_syncookies", "2"));
	fd = sock_listen(&self->trial, 64);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(sock_claim(fd, CPU));
	for (i = 0; i < N; i++)
		EXPECT_TRUE(served(&self->trial, fd));
	EXPECT_EQ(N, netstat("SyncookiesSent"));
	EXPECT_EQ(N, netstat("SyncookiesRecv"));
	EXPECT_EQ(0, netstat("SyncookiesFailed"));
	EXPECT_EQ(self->trial.join ? N : 0, count(FSK_STAT_SYN_LOCAL));
	EXPECT_EQ(self->trial.join ? N : 0, count(FSK_STAT_COOKIE_LOCAL));
	EXPECT_EQ(self->trial.join ? N : 0, count(FSK_STAT_ACCEPT_LOCAL));
}

/* Half-open connections fill the queue of a core; who comes after them gets in
 * by a cookie.
 */
TEST_F(cookies, flood__fills_syn_queue)
{
	int joined = self->trial.join;
	struct flood flood;
	int i;

	ASSERT_EQ(0, flood_begin(&self->trial, "1", &flood));
	EXPECT_TRUE(until(netstat("SyncookiesSent") >= FLOOD - FULL));
	EXPECT_EQ(FLOOD - FULL, netstat("SyncookiesSent"));
	EXPECT_EQ(FLOOD - FULL, netstat("TCPReqQFullDoCookies"));
	EXPECT_EQ(joined ? FLOOD : 0, count(FSK_STAT_SYN_LOCAL));
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, spoof_send(flood.raw, &self->trial, flood.port,
					10));
		EXPECT_TRUE(served(&self->trial, flood.fd));
	}
	EXPECT_EQ(FLOOD - FULL + 11 * N, netstat("SyncookiesSent"));
	EXPECT_EQ(N, netstat("SyncookiesRecv"));
	EXPECT_EQ(0, netstat("SyncookiesFailed"));
	EXPECT_EQ(0, netstat("ListenOverflows"));
	EXPECT_EQ(0, netstat("ListenDrops"));
	EXPECT_EQ(0, drops(flood.port, joined ? CPU : -1));
	EXPECT_EQ(0, count(FSK_STAT_OVERFLOW));
	EXPECT_EQ(joined ? N : 0, count(FSK_STAT_COOKIE_LOCAL));
	EXPECT_EQ(joined ? N : 0, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(joined ? N : 0, count_accepts());
}

/* From the same port each time. */
static int dial_again(const struct trial *p, int port)
{
	int family = p->dual ? AF_INET : p->family, on = 1, fd, err;
	struct sockaddr_storage from, to;
	socklen_t len = sock_addr(&to, family, port, true);

	sock_addr(&from, family, SPORT, true);
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) &&
	    !bind(fd, (void *)&from, len) && !connect(fd, (void *)&to, len))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* A client that comes again while the server remembers its last connection gets
 * in without a cookie, however many are half-open: TCP has chosen its sequence
 * number.
 */
TEST_F(cookies, flood__not_for_time_wait)
{
	struct flood flood;
	uint64_t stamp;
	int client, child;
	char byte;

	ASSERT_EQ(0, flood_prepare(&self->trial, "1", &flood));
	client = dial_again(&self->trial, flood.port);
	ASSERT_LE(0, client);
	child = sock_accept(flood.fd);
	ASSERT_LE(0, child);
	close(child);
	ASSERT_EQ(0, read(client, &byte, 1));
	close(client);
	ASSERT_EQ(0, spoof_send(flood.raw, &self->trial, flood.port, FLOOD));
	EXPECT_TRUE(until(netstat("SyncookiesSent") >= FLOOD - FULL));
	/* A timestamp is told from the last one by the millisecond. */
	stamp = now_ms();
	EXPECT_TRUE(until(now_ms() > stamp + 2));
	EXPECT_LE(0, dial_again(&self->trial, flood.port));
	EXPECT_LE(0, sock_accept(flood.fd));
	/* Plain Linux 6.1 forgets the number on the way, and sends one. */
	EXPECT_GE(FLOOD - FULL + !self->trial.join,
		  netstat("SyncookiesSent"));
	EXPECT_EQ(self->trial.join ? 1 : 0, count(FSK_STAT_SYN_BYPASSED));
}

/* A packet's headers, of either family. */
struct headers {
	uint8_t data[14 + 40 + 20];
	int ip_len;
	int addr_len;	/* both addresses, which end the IP header */
};

static void headers_make(struct headers *h, bool v4, int port)
{
	const uint8_t mac[14] = { [12] = v4 ? 0x08 : 0x86, v4 ? 0 : 0xdd };
	uint8_t *ip = h->data + 14;

	memset(h, 0, sizeof(*h));
	memcpy(h->data, mac, sizeof(mac));
	h->ip_len = v4 ? 20 : 40;
	h->addr_len = v4 ? 8 : 32;
	ip[0] = v4 ? 0x45 : 0x60;
	ip[v4 ? 9 : 6] = IPPROTO_TCP;
	if (v4) {
		memcpy(ip + 12, (uint8_t []) { 127, 0, 0, 1 }, 4);
		memcpy(ip + 16, (uint8_t []) { 127, 0, 0, 1 }, 4);
	} else {
		ip[23] = 1;
		ip[39] = 1;
	}
	*(struct tcphdr *)(ip + h->ip_len) = (struct tcphdr) {
		.source = htons(7777), .dest = htons(port), .doff = 5,
	};
}

/* The cookie for a SYN with these headers. */
static int program_make(const struct headers *h)
{
	bool v4 = h->ip_len == 20;
	const struct bpf_insn code[] = {
		I_LOAD_W(7, 1, offsetof(struct __sk_buff, data)),
		I_LOAD_W(8, 1, offsetof(struct __sk_buff, data_end)),
		I_MOV(0, 0),
		I_COPY(1, 7),
		I_ADD(1, 14 + h->ip_len + 20),
		I_IF_ABOVE(1, 8, 6),
		I_COPY(1, 7),
		I_ADD(1, 14),
		I_COPY(2, 1),
		I_ADD(2, h->ip_len),
		I_MOV(3, 20),
		{ BPF_JMP | BPF_CALL, 0, 0, 0,
		  v4 ? BPF_FUNC_tcp_raw_gen_syncookie_ipv4 :
		       BPF_FUNC_tcp_raw_gen_syncookie_ipv6 },
		I_EXIT,
	};

	return bpf_load(BPF_PROG_TYPE_SCHED_CLS, 0, code, ARRAY_SIZE(code));
}

#define NO_LISTENER	1

/* Whether an ACK with these headers has a cookie that its listener, which is
 * looked up as TCP does it, would believe.
 */
static int program_check(const struct headers *h)
{
	const int from = 14 + h->ip_len - h->addr_len;
	const int len = h->addr_len + 4;
	struct bpf_insn code[64] = {
		I_COPY(6, 1),
		I_LOAD_W(7, 1, offsetof(struct __sk_buff, data)),
		I_LOAD_W(8, 1, offsetof(struct __sk_buff, data_end)),
		I_MOV(0, NO_LISTENER),
		I_COPY(1, 7),
		I_ADD(1, 14 + h->ip_len + 20),
		I_IF_ABOVE(1, 8, len / 2 + 22),
	};
	const struct bpf_insn rest[] = {
		I_COPY(1, 6),
		I_COPY(2, 10),
		I_ADD(2, -len),
		I_MOV(3, len),
		I_MOV(4, BPF_F_CURRENT_NETNS),
		I_MOV(5, 0),
		I_CALL(skc_lookup_tcp),
		I_COPY(8, 0),
		I_MOV(0, NO_LISTENER),
		I_IF_ZERO(8, 12),
		I_COPY(1, 8),
		I_COPY(2, 7),
		I_ADD(2, 14),
		I_MOV(3, h->ip_len),
		I_COPY(4, 2),
		I_ADD(4, h->ip_len),
		I_MOV(5, 20),
		I_CALL(tcp_check_syncookie),
		I_COPY(9, 0),
		I_COPY(1, 8),
		I_CALL(sk_release),
		I_COPY(0, 9),
		I_EXIT,
	};
	int i, n = 7;

	for (i = 0; i < len; i += 4) {
		code[n++] = (struct bpf_insn)I_LOAD_W(1, 7, from + i);
		code[n++] = (struct bpf_insn)I_STORE_W(10, i - len, 1);
	}
	memcpy(code + n, rest, sizeof(rest));
	return bpf_load(BPF_PROG_TYPE_SCHED_CLS, 0, code,
			n + ARRAY_SIZE(rest));
}

/* A program asks the kernel what the listener would say to a cookie: the same
 * as on the plain kernel, since some listener of the port has sent some.
 */
TEST_F(cookies, syncookies__checked_by_program)
{
	const struct trial *p = &self->trial;
	int fd = sock_listen(p, 64);
	struct headers h;
	struct tcphdr *tcp;
	uint32_t cookie, result;

	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_syncookies", "2"));
	ASSERT_LE(0, fd);
	ASSERT_TRUE(sock_claim(fd, CPU));
	headers_make(&h, p->dual || p->family == AF_INET, sock_port(fd));
	tcp = (void *)(h.data + 14 + h.ip_len);
	tcp->syn = 1;
	ASSERT_EQ(0, bpf_run(program_make(&h), h.data, 34 + h.ip_len,
			     &cookie));
	tcp->syn = 0;
	tcp->ack = 1;
	tcp->seq = htonl(1);
	tcp->ack_seq = htonl(cookie + 1);
	/* Nobody has sent any.  The kernel's stamp of that is 0 then, which
	 * counts as recent from five to seven minutes after boot, when jiffies
	 * wrap.
	 */
	ASSERT_EQ(0, bpf_run(program_check(&h), h.data, 34 + h.ip_len,
			     &result));
	EXPECT_TRUE(result == (uint32_t)-ENOENT || !result);
	EXPECT_TRUE(served(p, fd));
	EXPECT_EQ(p->join, count(FSK_STAT_COOKIE_LOCAL));
	ASSERT_EQ(0, bpf_run(program_check(&h), h.data, 34 + h.ip_len,
			     &result));
	EXPECT_EQ(0, (int)result);
}

/* The kernel's log since @kmsg was opened: does a line name this port? */
static bool log_names(int kmsg, int port)
{
	char line[1024], number[16], alone[24];
	ssize_t n;

	snprintf(number, sizeof(number), ":%d. ", port);
	snprintf(alone, sizeof(alone), "port %d. ", port);	/* 6.1 */
	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[n > 0 ? n : 0] = '\0';
		if (strstr(line, "Possible SYN flooding on port") &&
		    (strstr(line, number) || strstr(line, alone)))
			return true;
	}
	return false;
}

/* By default a few such lines a second, of all namespaces together. */
static int log_all(void)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int first = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	int err = -ENOENT;

	if (!setns(first, CLONE_NEWNET))
		err = sysctl_set("net/core/message_cost", "0");
	if (setns(here, CLONE_NEWNET))
		err = -errno;
	close(first);
	close(here);
	return err;
}

/* Who reads the log wants to know which service is flooded. */
TEST_F(cookies, flood__log_names_port)
{
	struct flood flood;
	int kmsg;

	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, kmsg);
	ASSERT_LE(0, lseek(kmsg, 0, SEEK_END));
	ASSERT_EQ(0, log_all());
	ASSERT_EQ(0, flood_begin(&self->trial, "1", &flood));
	EXPECT_TRUE(until(log_names(kmsg, flood.port)));
	EXPECT_EQ(self->trial.join ? FLOOD : 0, count(FSK_STAT_SYN_LOCAL));
}

/* Nobody accepts while a flood goes on.  The same figures with and without
 * joining.
 */
TEST_F(cookies, flood__counts_alike)
{
	int i, late, client[FULL];
	struct flood flood;

	ASSERT_EQ(0, flood_begin(&self->trial, "1", &flood));
	for (i = 0; i < FULL; i++) {
		client[i] = sock_dial(&self->trial, flood.port);
		ASSERT_LE(0, client[i]);
	}
	EXPECT_EQ(FLOOD, netstat("SyncookiesSent"));
	EXPECT_EQ(FULL, netstat("SyncookiesRecv"));
	EXPECT_EQ(0, netstat("ListenOverflows"));
	EXPECT_EQ(0, netstat("ListenDrops"));
	/* Now there is room for neither. */
	ASSERT_EQ(0, spoof_send(flood.raw, &self->trial, flood.port, FLOOD));
	EXPECT_TRUE(until(netstat("ListenOverflows") >= FLOOD));
	EXPECT_EQ(FLOOD, netstat("ListenOverflows"));
	EXPECT_EQ(FLOOD, netstat("ListenDrops"));
	EXPECT_EQ(self->trial.join ? FLOOD : 0, drops(flood.port, CPU));
	EXPECT_EQ(self->trial.join ? FLOOD : 0, count(FSK_STAT_OVERFLOW));
	EXPECT_EQ(FLOOD, netstat("SyncookiesSent"));
	/* A client that waits gets in when there is room. */
	late = sock_dial_nowait(&self->trial, flood.port);
	ASSERT_LE(0, late);
	EXPECT_TRUE(until(netstat("ListenOverflows") > FLOOD));
	for (i = 0; i < FULL + 1; i++)
		EXPECT_LE(0, sock_accept(flood.fd));
	EXPECT_TRUE(sock_wait(late, POLLOUT, PATIENCE_MS));
	EXPECT_EQ(FULL + 1, netstat("SyncookiesRecv"));
	EXPECT_EQ(0, netstat("SyncookiesFailed"));
	EXPECT_EQ(self->trial.join ? FULL + 1 : 0,
		  count(FSK_STAT_ACCEPT_LOCAL));
}

/* A full queue drops and counts as the plain kernel's, and all that waited
 * get in when there is room again.
 */
TEST_F(cookies, overflow__is_counted)
{
	int fd = sock_listen(&self->trial, 2);
	int i, client[N];
	struct core_row row;

	ASSERT_LE(0, fd);
	/* A cookie's ACK that finds the queue full does not come again. */
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_syncookies", "0"));
	ASSERT_TRUE(sock_claim(fd, CPU));
	EXPECT_EQ(0, netstat("ListenOverflows"));
	for (i = 0; i < N; i++) {
		client[i] = sock_dial_nowait(&self->trial, sock_port(fd));
		ASSERT_LE(0, client[i]);
	}
	EXPECT_TRUE(until(netstat("ListenOverflows") > 0));
	EXPECT_LE(netstat("ListenOverflows"), netstat("ListenDrops"));
	if (self->trial.join) {
		ASSERT_TRUE(row_get(sock_port(fd), CPU, &row));
		EXPECT_EQ(3, row.qlen);
		EXPECT_EQ(2, row.backlog);
		/* Clients come again each second. */
		EXPECT_TRUE(until(drops(sock_port(fd), CPU) ==
				  netstat("ListenDrops") &&
				  count(FSK_STAT_OVERFLOW) ==
				  netstat("ListenOverflows")));
		EXPECT_EQ(0, drops(sock_port(fd), -1));
		EXPECT_EQ(0, count(FSK_STAT_CHILD_FAILED));
	}
	for (i = 0; i < N; i++)
		EXPECT_LE(0, sock_accept(fd));
	for (i = 0; i < N; i++)
		EXPECT_TRUE(sock_wait(client[i], POLLOUT, PATIENCE_MS));
	EXPECT_EQ(self->trial.join ? N : 0, count(FSK_STAT_ACCEPT_LOCAL));
}

/* The last ACK of a handshake finds the queue full, which the SYN did not. */
TEST_F(cookies, overflow__at_last_ack)
{
	int fd = sock_listen(&self->trial, 0);
	int defer = 30, client[2], i;

	ASSERT_LE(0, fd);
	/* Holds handshakes open until there is data. */
	ASSERT_EQ(0, setsockopt(fd, SOL_TCP, 9 /* TCP_DEFER_ACCEPT */, &defer,
				sizeof(defer)));
	ASSERT_TRUE(sock_claim(fd, CPU));
	for (i = 0; i < 2; i++) {
		client[i] = sock_dial(&self->trial, sock_port(fd));
		ASSERT_LE(0, client[i]);
	}
	EXPECT_EQ(0, netstat("ListenOverflows"));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(1, write(client[i], "x", 1));
	EXPECT_TRUE(until(netstat("ListenOverflows") > 0));
	if (self->trial.join) {
		EXPECT_LE(1, count(FSK_STAT_OVERFLOW));
		EXPECT_LE(1, drops(sock_port(fd), CPU));
	}
	for (i = 0; i < 2; i++)
		EXPECT_LE(0, sock_accept(fd));
	EXPECT_EQ(self->trial.join ? 2 : 0, count(FSK_STAT_ACCEPT_LOCAL));
}

/* No worker is bound: the listener's own queue is full. */
TEST_F(cookies, overflow__of_listener_itself)
{
	int fd = sock_listen(&self->trial, 2);
	int i, client[N], port;

	ASSERT_LE(0, fd);
	port = sock_port(fd);
	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_syncookies", "0"));
	for (i = 0; i < N; i++) {
		client[i] = sock_dial_nowait(&self->trial, port);
		ASSERT_LE(0, client[i]);
	}
	EXPECT_TRUE(until(netstat("ListenOverflows") > 0));
	if (self->trial.join) {
		EXPECT_TRUE(until(drops(port, -1) == netstat("ListenDrops")));
		EXPECT_LE(1, count(FSK_STAT_OVERFLOW));
	}
	EXPECT_EQ(0, count(FSK_STAT_SYN_LOCAL));
}

/* The kernel asks the listener itself when it makes a connection's socket:
 * while its own queue is full, those for cores' queues wait, too, and none is
 * lost when somebody takes.
 */
TEST_F(cookies, overflow__of_listener_holds_cores_back)
{
	int fd = sock_listen(&self->trial, 2), client[4], i, port;
	uint32_t released = 1;

	ASSERT_LE(0, fd);
	if (!self->trial.join)
		SKIP(return, "a plain listener has no cores");
	port = sock_port(fd);
	ASSERT_TRUE(sock_claim(fd, CPU));
	ASSERT_EQ(0, ioctl(fd, FSK_IOC_RELEASE, &released));
	for (i = 0; i < 3; i++) {
		client[i] = sock_dial(&self->trial, port);
		ASSERT_LE(0, client[i]);
	}
	released = 0;
	ASSERT_EQ(1, ioctl(fd, FSK_IOC_RELEASE, &released));
	/* connect() returns before the listener's side has the last ACK. */
	ASSERT_TRUE(until(queued(port, -1) == 3));
	client[3] = sock_dial(&self->trial, port);
	ASSERT_LE(0, client[3]);
	EXPECT_EQ(1, count(FSK_STAT_SYN_LOCAL));
	EXPECT_TRUE(until(count(FSK_STAT_OVERFLOW) > 0));
	EXPECT_LE(1, drops(port, CPU));
	EXPECT_EQ(0, drops(port, -1));
	for (i = 0; i < 4; i++)
		EXPECT_LE(0, sock_accept(fd));
	EXPECT_EQ(1, count(FSK_STAT_ACCEPT_LOCAL));
}

/* No cookies: SYNs that find the queue of half-open connections full. */
TEST_F(cookies, overflow__of_half_open)
{
	struct flood flood;

	ASSERT_EQ(0, flood_begin(&self->trial, "0", &flood));
	EXPECT_TRUE(until(netstat("TCPReqQFullDrop") >= FLOOD - FULL));
	EXPECT_EQ(FLOOD - FULL, netstat("ListenDrops"));
	EXPECT_EQ(0, netstat("ListenOverflows"));
	if (!self->trial.join)
		return;
	EXPECT_EQ(FLOOD - FULL, drops(flood.port, CPU));
	EXPECT_EQ(FLOOD - FULL, count(FSK_STAT_OVERFLOW));
	EXPECT_EQ(0, count(FSK_STAT_COOKIE_LOCAL));
}

static int defer(int fd)
{
	int seconds = 30;

	return setsockopt(fd, SOL_TCP, TCP_DEFER_ACCEPT, &seconds,
			  sizeof(seconds));
}

/* ACKs that the listener asked to ignore are no loss. */
TEST_F(cookies, deferred__drops_nothing)
{
	int fd = sock_listen(&self->trial, 64);
	int i, client[N];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, defer(fd));
	ASSERT_TRUE(sock_claim(fd, CPU));
	for (i = 0; i < N; i++) {
		client[i] = sock_dial(&self->trial, sock_port(fd));
		ASSERT_LE(0, client[i]);
	}
	EXPECT_TRUE(until(netstat("TCPDeferAcceptDrop") >= N));
	for (i = 0; i < N; i++)
		EXPECT_EQ(1, write(client[i], "x", 1));
	for (i = 0; i < N; i++)
		EXPECT_LE(0, sock_accept(fd));
	EXPECT_EQ(0, netstat("ListenDrops"));
	EXPECT_EQ(0, drops(sock_port(fd), CPU));
	EXPECT_EQ(0, drops(sock_port(fd), -1));
	EXPECT_EQ(0, count(FSK_STAT_OVERFLOW));
	EXPECT_EQ(0, count(FSK_STAT_CHILD_FAILED));
	EXPECT_EQ(self->trial.join ? N : 0, count(FSK_STAT_ACCEPT_LOCAL));
}

/* From one address of this host to another, by number 1 and 2. */
static int dial_between(bool v4, int port)
{
	struct sockaddr_storage from, to;
	int family = v4 ? AF_INET : AF_INET6;
	socklen_t len = sock_addr(&to, family, port, true);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sock_addr(&from, family, 0, true);
	if (v4) {
		((struct sockaddr_in *)&from)->sin_addr.s_addr =
			htonl(INADDR_LOOPBACK + 1);
	} else {
		inet_pton(AF_INET6, "fd09::2",
			  &((struct sockaddr_in6 *)&from)->sin6_addr);
		inet_pton(AF_INET6, "fd09::1",
			  &((struct sockaddr_in6 *)&to)->sin6_addr);
	}
	if (bind(fd, (void *)&from, len) || connect(fd, (void *)&to, len))
		return -errno;
	return fd;
}

static const char *const way_back[] = {
	"ip -6 addr add fd09::1/128 dev lo nodad && "
	"ip -6 addr add fd09::2/128 dev lo nodad && "
	"ip -6 rule add pref 100 lookup local && ip -6 rule del pref 0",
	"ip rule add pref 100 lookup local && ip rule del pref 0",
};

static const char *const no_way_back[] = {
	"ip -6 rule add pref 50 from fd09::1 to fd09::2 prohibit",
	"ip rule add pref 50 from 127.0.0.1 to 127.0.0.2 prohibit",
};

/* The last ACK finds no way back to the client. */
TEST_F(cookies, child__without_route)
{
	bool v4 = self->trial.dual || self->trial.family == AF_INET;
	int fd = sock_listen(&self->trial, 64), client;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, defer(fd));
	ASSERT_TRUE(sock_claim(fd, CPU));
	ASSERT_EQ(0, system(way_back[v4]));
	client = dial_between(v4, sock_port(fd));
	ASSERT_LE(0, client);
	EXPECT_TRUE(until(netstat("TCPDeferAcceptDrop") >= 1));
	ASSERT_EQ(0, system(no_way_back[v4]));
	EXPECT_EQ(1, write(client, "x", 1));
	EXPECT_TRUE(until(netstat("ListenDrops") > 0));
	EXPECT_FALSE(sock_wait(fd, POLLIN, 0));
	EXPECT_EQ(0, netstat("ListenOverflows"));
	if (!self->trial.join)
		return;
	EXPECT_LE(1, count(FSK_STAT_CHILD_FAILED));
	EXPECT_LE(1, drops(sock_port(fd), CPU));
	EXPECT_EQ(0, count(FSK_STAT_OVERFLOW));
}

TEST_HARNESS_MAIN
