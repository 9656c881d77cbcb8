// SPDX-License-Identifier: GPL-2.0
/*
 * Socket options: a connection of a joined listener must be the same in all
 * that getsockopt() can read as one of a plain listener with the same options,
 * and so must the listener itself, the SYN-ACK, and what the client sees.
 *
 * And each option must show at all, on the plain listener, where its row of
 * option_table.h says; or comparing would prove nothing.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "counters.h"
#include "option_table.h"
#include "support.h"
#include "wire.h"

#define CPU	1

/* Numbers for what older C libraries' headers lack. */
enum { PROTOCOL = 52, ULP = 31, PKTOPTIONS = 6, FLOWLABEL = 32 };

/* Reads that differ between any two connections: cookies, memory that is in
 * use just now, ports and clocks.  And the ULP, which join.c looks at.
 */
static bool differs_always(int level, int opt)
{
	if (level == SOL_SOCKET)
		return opt == SO_COOKIE || opt == SO_MEMINFO ||
		       opt == SO_PEERNAME || opt == SO_INCOMING_NAPI_ID;
	if (level == SOL_TCP)
		return opt == TCP_INFO || opt == TCP_TIMESTAMP ||
		       opt == TCP_SAVED_SYN || opt == TCP_ZEROCOPY_RECEIVE ||
		       opt == ULP;
	/* The port, on TCP sockets. */
	if (level == SOL_IP)
		return opt == PROTOCOL;
	return false;
}

static const int levels[] = { SOL_SOCKET, SOL_TCP, SOL_IP, SOL_IPV6 };
#define OPT_MAX 84
#define READINGS (4 * OPT_MAX)

/**
 * struct reading - what getsockopt() said
 * @ret: length, or a negative errno
 * @word: the first word
 * @hash: of all
 */
struct reading {
	int ret;
	uint32_t word;
	uint64_t hash;
};

/**
 * struct view - all that can be seen of a connection and its listener
 * @err: what setsockopt() said
 * @child: options of the accepted socket
 * @client: options of the other end
 * @listener: options of the listener
 * @info: what the handshake agreed on, child and client
 * @synack: what went over the wire
 */
struct view {
	int err;
	struct reading child[READINGS];
	struct reading client[READINGS];
	struct reading listener[READINGS];
	struct tcp_info info[2];
	struct synack synack;
};

static void read_all(struct reading *r, int fd)
{
	uint8_t data[512];
	socklen_t len;
	int i, j, level;

	for (i = 0; i < READINGS; i++) {
		level = levels[i / OPT_MAX];
		memset(&r[i], 0, sizeof(r[i]));
		if (differs_always(level, i % OPT_MAX))
			continue;
		memset(data, 0, sizeof(data));
		len = sizeof(data);
		r[i].ret = getsockopt(fd, level, i % OPT_MAX, data, &len) ?
			   -errno : (int)len;
		memcpy(&r[i].word, data, sizeof(r[i].word));
		/* What the SYN carried: a flow label of its own, for one. */
		if (r[i].ret < 0 || (level == SOL_IPV6 &&
				     (i % OPT_MAX == PKTOPTIONS ||
				      i % OPT_MAX == FLOWLABEL)))
			continue;
		for (j = 0; j < len && j < sizeof(data); j++)
			r[i].hash = (r[i].hash ^ data[j]) * 0x100000001b3;
	}
}

/* Return: whether all is equal; says what is not. */
static bool same_readings(const char *what, const struct option *o,
			  const struct reading *plain,
			  const struct reading *joined_r)
{
	bool same = true;
	int i;

	for (i = 0; i < READINGS; i++) {
		if (!memcmp(&plain[i], &joined_r[i], sizeof(*plain)))
			continue;
		same = false;
		printf("# %s=%d: %s: level %d option %d: "
		       "plain %d:%08x, joined %d:%08x\n",
		       o->name, o->value, what, levels[i / OPT_MAX],
		       i % OPT_MAX, plain[i].ret, plain[i].word,
		       joined_r[i].ret, joined_r[i].word);
	}
	return same;
}

static bool same_info(const char *what, const struct option *o,
		      const struct tcp_info *a, const struct tcp_info *b)
{
	if (a->tcpi_state == b->tcpi_state &&
	    a->tcpi_options == b->tcpi_options &&
	    a->tcpi_snd_wscale == b->tcpi_snd_wscale &&
	    a->tcpi_rcv_wscale == b->tcpi_rcv_wscale &&
	    a->tcpi_snd_mss == b->tcpi_snd_mss &&
	    a->tcpi_advmss == b->tcpi_advmss &&
	    a->tcpi_pmtu == b->tcpi_pmtu &&
	    a->tcpi_rcv_ssthresh == b->tcpi_rcv_ssthresh &&
	    a->tcpi_snd_cwnd == b->tcpi_snd_cwnd)
		return true;
	printf("# %s=%d: %s: options %x/%x wscale %u,%u/%u,%u mss %u/%u "
	       "advmss %u/%u pmtu %u/%u ssthresh %u/%u\n",
	       o->name, o->value, what, a->tcpi_options, b->tcpi_options,
	       a->tcpi_snd_wscale, a->tcpi_rcv_wscale, b->tcpi_snd_wscale,
	       b->tcpi_rcv_wscale, a->tcpi_snd_mss, b->tcpi_snd_mss,
	       a->tcpi_advmss, b->tcpi_advmss, a->tcpi_pmtu, b->tcpi_pmtu,
	       a->tcpi_rcv_ssthresh, b->tcpi_rcv_ssthresh);
	return false;
}

static bool same_synack(const struct option *o, const struct synack *a,
			const struct synack *b)
{
	if (!memcmp(a, b, sizeof(*a)))
		return true;
	printf("# %s=%d: SYN-ACK: plain " SYNACK_FORMAT ", joined "
	       SYNACK_FORMAT "\n",
	       o->name, o->value, SYNACK_ARGS(a), SYNACK_ARGS(b));
	return false;
}

static bool same(const struct option *o, const struct view *a,
		 const struct view *b)
{
	/* All of them: each says what it found. */
	return (a->err == b->err) &
	       same_readings("child", o, a->child, b->child) &
	       same_readings("client", o, a->client, b->client) &
	       same_readings("listener", o, a->listener, b->listener) &
	       same_info("child", o, &a->info[0], &b->info[0]) &
	       same_info("client", o, &a->info[1], &b->info[1]) &
	       same_synack(o, &a->synack, &b->synack);
}

/* When the option is set on the listener that joins. */
enum moment { BEFORE_JOIN, AFTER_JOIN, AFTER_CLAIM };

/* Linux 6.1 lacks some; one needs a memory controller. */
static bool maybe_unknown(int err)
{
	struct utsname name;

	return err == -EOPNOTSUPP ||
	       (err == -ENOPROTOOPT && !uname(&name) &&
		!strncmp(name.release, "6.1.", 4));
}

/* Whether the option did to the plain listener what the table says. */
static bool shows(const struct trial *p, const struct option *o,
		  enum moment when, const struct view *v,
		  const struct view *base)
{
	bool synack = memcmp(&v->synack, &base->synack, sizeof(v->synack));
	bool child = memcmp(v->child, base->child, sizeof(v->child));
	bool listener = memcmp(v->listener, base->listener,
			       sizeof(v->listener));

	if (o->level == SOL_IPV6 && p->family == AF_INET)
		return v->err == -ENOPROTOOPT;
	if (o->seen == REFUSED || maybe_unknown(v->err))
		return v->err;
	if (v->err)
		return false;
	if (o->seen == LATE && when != AFTER_CLAIM)
		return true;
	if (o->seen == NOWHERE)
		return !synack && !child && !listener;
	if (o->seen == ITSELF)
		return !synack && !child && listener;
	/* Taken, but for the other family's packets or defaults. */
	if (o->level == SOL_IP && p->family == AF_INET6)
		return true;
	if (o->seen == SYNACK && o->level == SOL_IPV6 && p->dual)
		return true;
	return o->seen == SYNACK ? synack : child;
}

static int option_set(int fd, const struct option *o)
{
	const void *data = o->data ? o->data : &o->value;
	socklen_t len = o->data ? o->len : sizeof(o->value);

	if (!o->opt)
		return 0;
	return setsockopt(fd, o->level, o->opt, data, len) ? -errno : 0;
}

static const struct option nothing = { .name = "nothing" };

FIXTURE(options) {
	struct trial plain;
	struct trial trial;
	struct wire wire;
	struct view *base;
	struct view *view[2];
	int bypassed;
};

TRIAL_VARIANTS(options);

FIXTURE_SETUP(options)
{
	self->trial = variant->trial;
	self->plain = variant->trial;
	self->plain.join = false;
	self->base = calloc(3, sizeof(*self->base));
	ASSERT_NE(NULL, self->base);
	self->view[0] = self->base + 1;
	self->view[1] = self->base + 2;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(0));
	/* Or flow labels could not be reflected. */
	ASSERT_EQ(0, sysctl_set("net/ipv6/flowlabel_consistency", "0"));
	ASSERT_EQ(0, wire_open(&self->wire));
}

FIXTURE_TEARDOWN(options)
{
}

/* Return: a claimed listener with @o set, and in @err what setsockopt() said */
static int listen_with(const struct trial *p, const struct option *o,
		       enum moment when, int *err)
{
	int fd = sock_make(p);

	if (fd < 0)
		return fd;
	if (when == BEFORE_JOIN)
		*err = option_set(fd, o);
	if (sock_bind(p, fd, 0) || (p->join && join(fd)))
		return -errno;
	if (when == AFTER_JOIN)
		*err = option_set(fd, o);
	if (listen(fd, 16) || !sock_claim(fd, CPU))
		return -EINVAL;
	if (when == AFTER_CLAIM)
		*err = option_set(fd, o);
	return fd;
}

/* Return: 0 or a negative errno */
static int observe(struct wire *wire, const struct trial *p,
		   const struct option *o, enum moment when, struct view *v)
{
	socklen_t len = sizeof(v->info[0]);
	int lfd, client, child, err;

	memset(v, 0, sizeof(*v));
	lfd = listen_with(p, o, when, &v->err);
	if (lfd < 0)
		return lfd;
	wire_drain(wire);
	client = sock_dial(p, sock_port(lfd));
	if (client < 0)
		return client;
	child = sock_accept(lfd);
	if (child < 0)
		return child;
	read_all(v->child, child);
	read_all(v->client, client);
	read_all(v->listener, lfd);
	getsockopt(child, SOL_TCP, TCP_INFO, &v->info[0], &len);
	getsockopt(client, SOL_TCP, TCP_INFO, &v->info[1], &len);
	err = wire_synack(wire, sock_port(lfd), &v->synack);
	sock_reset(client);
	sock_reset(child);
	close(lfd);
	return err;
}

static void compare(struct __test_metadata *_metadata,
		    FIXTURE_DATA(options) *self, const struct option *o,
		    enum moment when)
{
	struct view **v = self->view;

	ASSERT_EQ(0, observe(&self->wire, &self->plain, o, when, v[0])) {
		TH_LOG("%s=%d, plain", o->name, o->value);
	}
	ASSERT_EQ(0, observe(&self->wire, &self->trial, o, when, v[1])) {
		TH_LOG("%s=%d, joined", o->name, o->value);
	}
	EXPECT_TRUE(same(o, v[0], v[1])) {
		TH_LOG("%s=%d: plain %d, joined %d", o->name, o->value,
		       v[0]->err, v[1]->err);
	}
	EXPECT_TRUE(shows(&self->plain, o, when, v[0], self->base)) {
		TH_LOG("%s=%d: error %d, and not seen at %d", o->name,
		       o->value, v[0]->err, o->seen);
	}
	self->bypassed += o->handling == BYPASS && !v[1]->err;
}

/* All rows at the moment that matters most, and the rest in the long run. */
static bool wanted(const struct option *o, enum moment when)
{
	if (o->seen == ELSEWHERE)
		return false;
	if (when == AFTER_CLAIM || full_run())
		return true;
	return o->seen != REFUSED &&
	       (when == BEFORE_JOIN || o->handling != CHILD);
}

static void compare_all(struct __test_metadata *_metadata,
			FIXTURE_DATA(options) *self, enum moment when)
{
	int i, n = 0;

	ASSERT_EQ(0, observe(&self->wire, &self->plain, &nothing, when,
			     self->base));
	for (i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (!wanted(&options[i], when))
			continue;
		compare(_metadata, self, &options[i], when);
		n++;
	}
	EXPECT_LT(0, self->bypassed);
	EXPECT_EQ(self->bypassed, count(FSK_STAT_SYN_BYPASSED));
	EXPECT_EQ(self->bypassed, count(FSK_STAT_ACCEPT_APP));
	EXPECT_EQ(n - self->bypassed, count(FSK_STAT_ACCEPT_LOCAL));
	EXPECT_EQ(n - self->bypassed, count(FSK_STAT_SYN_LOCAL));
}

TEST_F_TIMEOUT(options, inherit__set_before_join, 900)
{
	compare_all(_metadata, self, BEFORE_JOIN);
}

TEST_F_TIMEOUT(options, inherit__set_after_join, 900)
{
	compare_all(_metadata, self, AFTER_JOIN);
}

TEST_F_TIMEOUT(options, inherit__set_after_claim, 900)
{
	compare_all(_metadata, self, AFTER_CLAIM);
}

TEST_HARNESS_MAIN
