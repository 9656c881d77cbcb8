// SPDX-License-Identifier: GPL-2.0
/*
 * What stands between a client and a listener: filters, address translation,
 * programs, bridges.  Each is tried on a plain listener and on one that has
 * joined: the same connections have to be accepted, refused and lost, and the
 * filters have to count the same.
 */
#include "kselftest_harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <unistd.h>

#include "bpf.h"
#include "counters.h"
#include "queue.h"
#include "support.h"
#include "workers.h"

#define CPU	1
#define N	8	/* connections, from ports SPORT and up */
#define SPORT	20000
#define PORT	8080
#define OTHER	81	/* where nobody listens */

/* Which of them the rules are about. */
#define DROPPED		"20000-20002"
#define REJECTED	"20003-20004"

/**
 * struct outcome - what became of the connections
 * @accepted: they have an answer
 * @refused: ... or a reset
 * @lost: ... or nothing
 * @syns: packets that the rules counted: of @DROPPED, and of @REJECTED
 */
struct outcome {
	int accepted;
	int refused;
	int lost;
	int syns[2];
};

FIXTURE(filters) {
	struct trial trial;
	struct crew crew;
	int net;	/* the server's, which is ours */
	int far;	/* the client's */
	pid_t queue;
	uint64_t local;
	uint64_t accepted;
};

FIXTURE_VARIANT(filters) {
	int family;
};

FIXTURE_VARIANT_ADD(filters, ipv4) {
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(filters, ipv6) {
	.family = AF_INET6,
};

FIXTURE_SETUP(filters)
{
	self->trial.family = variant->family;
	ASSERT_EQ(0, crew_make(&self->crew));
	self->net = -1;
	self->far = -1;
}

FIXTURE_TEARDOWN(filters)
{
	end(self->queue);
	crew_end(&self->crew);
}

/* Commands */

static int command(const char *text)
{
	int status = system(text);

	if (status)
		fprintf(stderr, "# failed: %s\n", text);
	return status;
}

/* Of the client's namespace, by a name that "ip" can use. */
static void far_path(const FIXTURE_DATA(filters) *self, char *buf, int len)
{
	snprintf(buf, len, "/proc/%d/fd/%d", getpid(), self->far);
}

/* ends() - interfaces "near" and "far" come from a command with %s for the
 * client's namespace; each then gets an address.
 */
static int ends(FIXTURE_DATA(filters) *self, const char *format)
{
	char text[1024], path[64];

	self->net = net_fd();
	if (net_enter())
		return -1;
	self->far = net_fd();
	if (net_switch(self->net))
		return -1;
	far_path(self, path, sizeof(path));
	snprintf(text, sizeof(text), format, path, path);
	if (command(text) ||
	    command("ip addr add 10.9.0.1/24 dev near;"
		    "ip addr add fd09::1/64 dev near nodad;"
		    "ip link set near up"))
		return -1;
	if (net_switch(self->far) ||
	    command("ip addr add 10.9.0.2/24 dev far;"
		    "ip addr add fd09::2/64 dev far nodad;"
		    "ip link set far up"))
		return -1;
	return net_switch(self->net);
}

static int topology_lo(FIXTURE_DATA(filters) *self)
{
	self->net = net_fd();
	self->far = self->net;
	return 0;
}

static int topology_veth(FIXTURE_DATA(filters) *self)
{
	return ends(self, "ip link add near type veth peer name far netns %s");
}

static int topology_bridge(FIXTURE_DATA(filters) *self)
{
	return ends(self, "ip link add near type bridge;"
		    "ip link add port type veth peer name far netns %s;"
		    "ip link set port master near; ip link set port up");
}

static int topology_macvlan(FIXTURE_DATA(filters) *self)
{
	return ends(self, "ip link add lower type dummy;"
		    "ip link set lower up;"
		    "ip link add near link lower type macvlan mode bridge;"
		    "ip link add far link lower netns %s type macvlan mode"
		    " bridge");
}

/* Packets come in on one device and are taken as another's. */
static int topology_redirect(FIXTURE_DATA(filters) *self)
{
	return topology_veth(self) ||
	       command("ip link add other type dummy; ip link set other up;"
		       "tc qdisc add dev near ingress;"
		       "for p in ip ipv6; do"
		       " tc filter add dev near ingress protocol $p flower"
		       " ip_proto tcp action mirred ingress redirect dev other"
		       " || exit 1; done") ? -1 : 0;
}

/* Programs */

/* Source ports from SPORT on, three of them, are dropped. */
static int xdp_attach(int family)
{
	int at = 14 + (family == AF_INET ? 20 : 40);
	struct bpf_insn code[] = {
		{ BPF_LDX | BPF_MEM | BPF_W, 2, 1, 0 },
		{ BPF_LDX | BPF_MEM | BPF_W, 3, 1, 4 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, 4, 2 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, at + 2 },
		{ BPF_JMP | BPF_JGT | BPF_X, 4, 3, 6 },
		{ BPF_LDX | BPF_MEM | BPF_H, 5, 2, at },
		{ BPF_ALU | BPF_END | BPF_TO_BE, 5, 0, 0, 16 },
		{ BPF_JMP | BPF_JLT | BPF_K, 5, 0, 3, SPORT },
		{ BPF_JMP | BPF_JGT | BPF_K, 5, 0, 2, SPORT + 2 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_DROP },
		{ BPF_JMP | BPF_EXIT },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS },
		{ BPF_JMP | BPF_EXIT },
	};
	int prog = bpf_load(BPF_PROG_TYPE_XDP, BPF_XDP, code,
			    ARRAY_SIZE(code));

	return bpf_attach(prog, BPF_XDP, if_nametoindex("near"),
			  XDP_FLAGS_SKB_MODE);
}

/* The same three have no listener. */
static int sk_lookup_attach(void)
{
	struct bpf_insn code[] = {
		{ BPF_LDX | BPF_MEM | BPF_H, 2, 1,
		  offsetof(struct bpf_sk_lookup, remote_port) },
		{ BPF_ALU | BPF_END | BPF_TO_BE, 2, 0, 0, 16 },
		{ BPF_JMP | BPF_JLT | BPF_K, 2, 0, 3, SPORT },
		{ BPF_JMP | BPF_JGT | BPF_K, 2, 0, 2, SPORT + 2 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, SK_DROP },
		{ BPF_JMP | BPF_EXIT },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, SK_PASS },
		{ BPF_JMP | BPF_EXIT },
	};
	int prog = bpf_load(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, code,
			    ARRAY_SIZE(code));

	return bpf_attach(prog, BPF_SK_LOOKUP, net_fd(), 0);
}

/* All that comes for OTHER is the socket's, if it can be had. */
static int sk_lookup_steer(int lfd)
{
	int map = bpf_map(BPF_MAP_TYPE_SOCKMAP, 1);
	struct bpf_insn code[] = {
		{ BPF_ALU64 | BPF_MOV | BPF_X, 6, 1 },
		{ BPF_LDX | BPF_MEM | BPF_W, 2, 1,
		  offsetof(struct bpf_sk_lookup, local_port) },
		{ BPF_JMP | BPF_JNE | BPF_K, 2, 0, 16, OTHER },
		{ BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, 2, 10 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4 },
		{ BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map },
		{ 0 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 9, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, 7, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, 1, 6 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, 2, 7 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_sk_assign },
		{ BPF_ALU64 | BPF_MOV | BPF_X, 1, 7 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_sk_release },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, SK_PASS },
		{ BPF_JMP | BPF_EXIT },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, SK_PASS },
		{ BPF_JMP | BPF_EXIT },
	};
	int prog, err = bpf_map_set(map, 0, lfd);

	if (err)
		return err;
	prog = bpf_load(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, code,
			ARRAY_SIZE(code));
	return bpf_attach(prog, BPF_SK_LOOKUP, net_fd(), 0);
}

/* Clients */

static int dial_from(const FIXTURE_DATA(filters) *self, int i, int port)
{
	bool lo = self->far == self->net;
	struct sockaddr_storage to, from;
	int once = 1, family = self->trial.family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = sock_addr(&from, family, SPORT + i, false);

	sock_addr(&to, family, port, lo);
	if (!lo && family == AF_INET)
		inet_pton(family, "10.9.0.1",
			  &((struct sockaddr_in *)&to)->sin_addr);
	else if (!lo)
		inet_pton(family, "fd09::1",
			  &((struct sockaddr_in6 *)&to)->sin6_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &once, sizeof(once));
	/* Few SYNs, then it is lost. */
	setsockopt(fd, SOL_TCP, TCP_SYNCNT, &once, sizeof(once));
	if (bind(fd, (void *)&from, len) ||
	    (connect(fd, (void *)&to, len) && errno != EINPROGRESS))
		return -errno;
	return fd;
}

/* An answer of the worker says that it was accepted, too. */
static void await(int fd, struct outcome *o)
{
	uint8_t byte;

	if (!sock_wait(fd, POLLIN | POLLHUP | POLLERR, 3 * PATIENCE_MS)) {
		close(fd);
		return;
	}
	if (read(fd, &byte, 1) == 1)
		o->accepted++;
	else if (errno == ECONNREFUSED || errno == ECONNRESET)
		o->refused++;
	else if (errno == ETIMEDOUT)
		o->lost++;
	sock_reset(fd);
}

static void dial_all(const FIXTURE_DATA(filters) *self, int port,
		     struct outcome *o)
{
	int i, fd[N];

	net_switch(self->far);
	pin(CPU);
	for (i = 0; i < N; i++)
		fd[i] = dial_from(self, i, port);
	for (i = 0; i < N; i++)
		if (fd[i] >= 0)
			await(fd[i], o);
	net_switch(self->net);
	unpin();
}

/* Where the client's first packet would wait for the neighbour's address,
 * others could overtake it.
 */
static bool know_each_other(const FIXTURE_DATA(filters) *self)
{
	struct outcome o = { 0 };

	net_switch(self->far);
	await(dial_from(self, N, OTHER), &o);
	net_switch(self->net);
	return o.refused;
}

/* A counter of the rules, by name. */
static int counted(const char *name)
{
	char line[256], want[64];
	FILE *out = popen("nft list counters", "r");
	int n = -1;

	snprintf(want, sizeof(want), "counter %s {", name);
	while (out && fgets(line, sizeof(line), out)) {
		if (!strstr(line, want))
			continue;
		if (!fgets(line, sizeof(line), out) ||
		    sscanf(line, " packets %d", &n) != 1)
			n = -2;
	}
	if (out)
		pclose(out);
	return n;
}

/**
 * struct barrier - what is in the way
 * @topology: makes the namespaces and devices
 * @rules: for nft, in table inet t; counters "dropped" and "rejected" exist
 * @attach: a program, given the listener
 * @queue: tasks give verdicts
 * @port: what clients dial
 * @want: what has to happen
 * @kernel: all connections go the kernel's own way
 */
struct barrier {
	int (*topology)(FIXTURE_DATA(filters) *self);
	const char *rules;
	int (*attach)(FIXTURE_DATA(filters) *self, int lfd);
	bool queue;
	int port;
	struct outcome want;
	bool kernel;
};

static int rules_load(const char *rules)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "nft 'add table inet t; add counter inet t dropped;"
		 " add counter inet t rejected; %s'", rules);
	return command(text);
}

/* In a namespace of its own. */
static void pass(struct __test_metadata *_metadata,
		 FIXTURE_DATA(filters) *self, const struct barrier *b,
		 bool joins, struct outcome *o)
{
	int fd, link = -1;

	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, b->topology(self));
	ASSERT_EQ(0, rescue_set_ms(0));
	ASSERT_TRUE(know_each_other(self));
	fd = sock_make(&self->trial);
	ASSERT_EQ(0, sock_bind(&self->trial, fd, PORT));
	ASSERT_EQ(0, listen(fd, 64));
	if (joins)
		ASSERT_EQ(0, join(fd));
	if (b->rules)
		ASSERT_EQ(0, rules_load(b->rules));
	if (b->queue) {
		self->queue = queue_start(CPU);
		ASSERT_LT(0, self->queue);
	}
	if (b->attach) {
		link = b->attach(self, fd);
		ASSERT_LE(0, link);
	}
	self->crew.n = 0;
	crew_add(&self->crew, fd, BY_EPOLL_LEVEL, CPU);
	ASSERT_EQ(0, crew_start(&self->crew));
	ASSERT_TRUE(crew_waits(&self->crew, PORT, joins));
	dial_all(self, b->port, o);
	if (b->rules) {
		o->syns[0] = counted("dropped");
		o->syns[1] = counted("rejected");
	}
	self->local = count(FSK_STAT_SYN_LOCAL);
	self->accepted = count(FSK_STAT_ACCEPT_LOCAL);
	if (link >= 0 && joins && b->kernel)
		EXPECT_LE(b->want.accepted, count(FSK_STAT_SYN_SK_LOOKUP));
	crew_end(&self->crew);
	end(self->queue);
	self->queue = 0;
	close(link);
	close(fd);
}

static void check(struct __test_metadata *_metadata,
		  FIXTURE_DATA(filters) *self, const struct barrier *b)
{
	struct outcome plain = { 0 }, joined = { 0 };

	pass(_metadata, self, b, false, &plain);
	EXPECT_EQ(0, self->local);
	pass(_metadata, self, b, true, &joined);
	EXPECT_EQ(b->want.accepted, plain.accepted);
	EXPECT_EQ(b->want.refused, plain.refused);
	EXPECT_EQ(b->want.lost, plain.lost);
	EXPECT_EQ(plain.accepted, joined.accepted);
	EXPECT_EQ(plain.refused, joined.refused);
	EXPECT_EQ(plain.lost, joined.lost);
	EXPECT_EQ(plain.syns[0], joined.syns[0]);
	EXPECT_EQ(plain.syns[1], joined.syns[1]);
	/* How often a SYN is sent again is the kernel's matter. */
	if (b->rules)
		EXPECT_EQ(b->want.lost > 0, joined.syns[0] > 0);
	/* A SYN that is sent again is given again. */
	if (b->kernel) {
		EXPECT_EQ(0, self->local);
	} else {
		EXPECT_LE(b->want.accepted, self->local);
		EXPECT_EQ(b->want.accepted, self->accepted);
	}
}

#define DROP	"tcp dport 8080 tcp sport " DROPPED \
		" counter name dropped drop;"
#define REJECT	"tcp dport 8080 tcp sport " REJECTED \
		" counter name rejected reject with tcp reset;"

#define RULE(chain, rule) " add rule inet t " chain " " rule

TEST_F(filters, input__dropped_and_rejected)
{
	const struct barrier b = {
		.topology = topology_lo, .port = PORT,
		.rules = "add chain inet t in "
			 "{ type filter hook input priority 0; };"
			 RULE("in", DROP) RULE("in", REJECT),
		.want = { .accepted = 3, .refused = 2, .lost = 3 },
	};

	check(_metadata, self, &b);
}

TEST_F(filters, raw__dropped_and_untracked)
{
	const struct barrier b = {
		.topology = topology_veth, .port = PORT,
		.rules = "add chain inet t raw "
			 "{ type filter hook prerouting priority -300; };"
			 RULE("raw", DROP)
			 RULE("raw", "tcp dport 8080 notrack;")
			 " add chain inet t in "
			 "{ type filter hook input priority 0; };"
			 RULE("in", REJECT)
			 RULE("in", "tcp dport 8080 ct state != untracked "
			      "drop;"),
		.want = { .accepted = 3, .refused = 2, .lost = 3 },
	};

	check(_metadata, self, &b);
}

TEST_F(filters, conntrack__new_dropped)
{
	const struct barrier b = {
		.topology = topology_veth, .port = PORT,
		.rules = "add chain inet t in "
			 "{ type filter hook input priority 0; };"
			 RULE("in", "ct state established accept;")
			 RULE("in", "ct state new " DROP)
			 RULE("in", "ct state new " REJECT),
		.want = { .accepted = 3, .refused = 2, .lost = 3 },
	};

	check(_metadata, self, &b);
}

TEST_F(filters, dnat__to_the_listener)
{
	struct barrier b = {
		.topology = topology_veth, .port = OTHER,
		.rules = "add chain inet t nat "
			 "{ type nat hook prerouting priority -100; };"
			 RULE("nat", "meta nfproto ipv4 tcp dport 81"
			      " dnat ip to 10.9.0.1:8080;")
			 RULE("nat", "meta nfproto ipv6 tcp dport 81"
			      " dnat ip6 to [fd09::1]:8080;")
			 " add chain inet t in "
			 "{ type filter hook input priority 0; };"
			 RULE("in", DROP) RULE("in", REJECT),
		.want = { .accepted = 3, .refused = 2, .lost = 3 },
	};

	check(_metadata, self, &b);
}

TEST_F(filters, redirect__to_the_listener)
{
	const struct barrier b = {
		.topology = topology_lo, .port = OTHER,
		.rules = "add chain inet t nat "
			 "{ type nat hook output priority -100; };"
			 RULE("nat", "tcp dport 81 redirect to :8080;"),
		.want = { .accepted = N },
	};

	check(_metadata, self, &b);
}

#define QUEUES \
	RULE("q", "tcp dport 8080 tcp sport " DROPPED \
	     " counter name dropped queue num 0;") \
	RULE("q", "tcp dport 8080 queue num 1;")

TEST_F(filters, queue__verdict_before_input)
{
	const struct barrier b = {
		.topology = topology_lo, .port = PORT, .queue = true,
		.rules = "add chain inet t q "
			 "{ type filter hook input priority 0; };" QUEUES,
		.want = { .accepted = 5, .lost = 3 },
	};

	check(_metadata, self, &b);
}

TEST_F(filters, queue__verdict_before_routing)
{
	const struct barrier b = {
		.topology = topology_veth, .port = PORT, .queue = true,
		.rules = "add chain inet t q "
			 "{ type filter hook prerouting priority 0; };" QUEUES,
		.want = { .accepted = 5, .lost = 3 },
	};

	check(_metadata, self, &b);
}

/* After us: the packet waits with the listener that we gave it. */
TEST_F(filters, queue__verdict_at_last)
{
	const struct barrier b = {
		.topology = topology_lo, .port = PORT, .queue = true,
		.rules = "add chain inet t q "
			 "{ type filter hook input priority 2147483647; };"
			 QUEUES,
		.want = { .accepted = 5, .lost = 3 },
	};

	check(_metadata, self, &b);
}

/* Returns how many packets wait for a verdict. */
static int queued(void)
{
	FILE *f = fopen("/proc/net/netfilter/nfnetlink_queue", "re");
	int n, sum = 0;

	while (f && fscanf(f, "%*d %*d %d%*[^\n]", &n) == 1)
		sum += n;
	if (f)
		fclose(f);
	return sum;
}

static int datagrams(int family, int port)
{
	struct sockaddr_storage to;
	socklen_t len = sock_addr(&to, family, port, true);
	int i, fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (i = 0; i < N; i++)
		if (sendto(fd, "q", 1, 0, (void *)&to, len) != 1)
			break;
	close(fd);
	return i;
}

/* Nobody's joining and closing, however often and long, takes from others what
 * waits for a verdict.  The kernel drops that when a hook is unregistered.
 */
TEST_F(filters, queue__keeps_what_it_holds)
{
	struct sockaddr_storage at;
	socklen_t len = sock_addr(&at, self->trial.family, PORT, true);
	const struct trial joins = { self->trial.family, false, true };
	int i, fd, got = 0;
	char byte;

	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rules_load("add chain inet t q "
				"{ type filter hook input priority 0; };"
				RULE("q", "udp dport 8080 queue num 1;")));
	fd = socket(self->trial.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, bind(fd, (void *)&at, len));
	self->queue = queue_start(CPU);
	ASSERT_LT(0, self->queue);
	ASSERT_EQ(0, halt(self->queue));
	ASSERT_EQ(N, datagrams(self->trial.family, PORT));
	ASSERT_TRUE(until(queued() == N));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, close(sock_listen(&joins, 16)));
	/* They went some seconds behind the last listener once. */
	EXPECT_FALSE(until_ms(5000, hooks_on() != 1));
	EXPECT_EQ(N, queued());
	ASSERT_EQ(0, kill(self->queue, SIGCONT));
	while (got < N && sock_wait(fd, POLLIN, PATIENCE_MS) &&
	       read(fd, &byte, 1) == 1)
		got++;
	EXPECT_EQ(N, got);
	close(fd);
}

static int attach_lookup(FIXTURE_DATA(filters) *self, int lfd)
{
	return sk_lookup_attach();
}

TEST_F(filters, sk_lookup__dropped)
{
	const struct barrier b = {
		.topology = topology_lo, .port = PORT,
		.attach = attach_lookup, .kernel = true,
		.want = { .accepted = 5, .refused = 3 },
	};

	check(_metadata, self, &b);
}

/* A program gets sockets from a map, which takes none with a ULP; and one that
 * is in it already may not join.  So what it steers is served as ever.
 */
TEST_F(filters, sk_lookup__steered)
{
	int fd, link;

	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, topology_lo(self));
	self->trial.join = true;
	fd = sock_listen(&self->trial, 16);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, sk_lookup_steer(fd));
	EXPECT_EQ(0, close(fd));
	self->trial.join = false;
	fd = sock_listen(&self->trial, 16);
	ASSERT_LE(0, fd);
	link = sk_lookup_steer(fd);
	ASSERT_LE(0, link);
	EXPECT_EQ(-EOPNOTSUPP, join(fd));
	crew_add(&self->crew, fd, BY_EPOLL_LEVEL, CPU);
	ASSERT_EQ(0, crew_start(&self->crew));
	EXPECT_EQ(0, ask(&self->trial, OTHER));
}

static int attach_xdp(FIXTURE_DATA(filters) *self, int lfd)
{
	return xdp_attach(self->trial.family);
}

TEST_F(filters, xdp__dropped)
{
	const struct barrier b = {
		.topology = topology_veth, .port = PORT, .attach = attach_xdp,
		.want = { .accepted = 5, .lost = 3 },
	};

	check(_metadata, self, &b);
}

TEST_F(filters, tc__redirected)
{
	const struct barrier b = {
		.topology = topology_redirect, .port = PORT,
		.want = { .accepted = N },
	};

	check(_metadata, self, &b);
}

TEST_F(filters, bridge__passed)
{
	const struct barrier b = {
		.topology = topology_bridge, .port = PORT,
		.want = { .accepted = N },
	};

	check(_metadata, self, &b);
}

TEST_F(filters, macvlan__passed)
{
	const struct barrier b = {
		.topology = topology_macvlan, .port = PORT,
		.want = { .accepted = N },
	};

	check(_metadata, self, &b);
}

TEST_HARNESS_MAIN
