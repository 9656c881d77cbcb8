// SPDX-License-Identifier: GPL-2.0
/*
 * SO_REUSEPORT groups: what the owner of a group has asked for is obeyed, and
 * what a group as a whole knows its members know.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "bpf.h"
#include "counters.h"
#include "support.h"
#include "workers.h"

#define MEMBERS	2
#define N	40
/* Long for what is not to happen, however slow the machine. */
#define ENOUGH_MS	300

FIXTURE(group) {
	struct trial trial;
	struct crew crew;
	int fd[MEMBERS];
	int port;
	int map;
	uint64_t runs;
};

TRIAL_VARIANTS(group);
TRIAL_VARIANTS_PLAIN(group);

/* Of the group that listens on @port already, or of a new one. */
static int member(const struct trial *p, int port)
{
	int fd = sock_make(p);

	if (fd < 0 || sock_set(fd, SOL_SOCKET, SO_REUSEPORT, 1) ||
	    sock_bind(p, fd, port) || listen(fd, 64) || (p->join && join(fd)))
		return -errno;
	return fd;
}

FIXTURE_SETUP(group)
{
	int i;

	self->trial = variant->trial;
	self->map = -1;
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, rescue_set_ms(0));
	ASSERT_EQ(0, crew_make(&self->crew));
	for (i = 0; i < MEMBERS; i++) {
		self->fd[i] = member(&self->trial, self->port);
		ASSERT_LE(0, self->fd[i]);
		self->port = sock_port(self->fd[i]);
	}
}

FIXTURE_TEARDOWN(group)
{
	crew_end(&self->crew);
}

/* Member i's worker is bound to cpu[i]. */
static int work(FIXTURE_DATA(group) *self, const int *cpu)
{
	int i, err;

	for (i = 0; i < MEMBERS; i++)
		crew_add(&self->crew, self->fd[i], BY_EPOLL_LEVEL, cpu[i]);
	err = crew_start(&self->crew);
	if (err)
		return err;
	return crew_waits(&self->crew, self->port, self->trial.join) ?
	       0 : -ETIMEDOUT;
}

/* Clients on a CPU, and how many each member's worker answered.  All are
 * connected before the first one closes: a reset that comes late is looked up
 * as a SYN is, and a program of the group runs for it.
 */
static int ask_all(FIXTURE_DATA(group) *self, int cpu, int *answers)
{
	int i, who, fd[N];

	memset(answers, 0, MEMBERS * sizeof(*answers));
	pin(cpu);
	for (i = 0; i < N; i++) {
		fd[i] = sock_dial(&self->trial, self->port);
		if (fd[i] < 0)
			return fd[i];
	}
	for (i = 0; i < N; i++)
		if (!sock_wait(fd[i], POLLIN, PATIENCE_MS))
			return -ETIMEDOUT;
	if (self->map >= 0)
		self->runs = bpf_map_get(self->map, 0);
	for (i = 0; i < N; i++) {
		who = ask_hear(fd[i]);
		if (who < 0)
			return who;
		answers[who]++;
	}
	unpin();
	return 0;
}

/* A program that counts how often it runs, and chooses in turn. */
static int choose_in_turn(FIXTURE_DATA(group) *self)
{
	int map = bpf_map(BPF_MAP_TYPE_ARRAY, 1);
	const struct bpf_insn code[] = {
		I_STORE_IMM_W(10, -4, 0),
		I_COUNT(map, 2),
		I_COPY(0, 1),
		I_AND(0, MEMBERS - 1),
		I_EXIT,
	};
	int prog = bpf_load(BPF_PROG_TYPE_SOCKET_FILTER, 0, code,
			    ARRAY_SIZE(code));

	self->map = map;
	return prog < 0 ? prog : sock_set(self->fd[0], SOL_SOCKET,
					 SO_ATTACH_REUSEPORT_EBPF, prog);
}

/* One that counts how often it runs, and refuses all. */
static int refuse(FIXTURE_DATA(group) *self)
{
	int map = bpf_map(BPF_MAP_TYPE_ARRAY, 1);
	const struct bpf_insn code[] = {
		I_STORE_IMM_W(10, -4, 0),
		I_COUNT(map, 0),
		I_MOV(0, SK_DROP),
		I_EXIT,
	};
	int prog = bpf_load(BPF_PROG_TYPE_SK_REUSEPORT,
			    BPF_SK_REUSEPORT_SELECT, code, ARRAY_SIZE(code));

	self->map = map;
	return prog < 0 ? prog : sock_set(self->fd[0], SOL_SOCKET,
					 SO_ATTACH_REUSEPORT_EBPF, prog);
}

static int choose_always(int fd, int which)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, which) };
	struct sock_fprog prog = { .len = 1, .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
			  sizeof(prog)) ? -errno : 0;
}

/* Programs */

static void check_turns(struct __test_metadata *_metadata,
			FIXTURE_DATA(group) *self, const int *cpu,
			int far)
{
	int answers[MEMBERS];

	ASSERT_EQ(0, choose_in_turn(self));
	ASSERT_EQ(0, work(self, cpu));
	ASSERT_EQ(0, ask_all(self, 0, answers));
	EXPECT_EQ(N, self->runs);
	EXPECT_EQ(N / 2, answers[0]);
	EXPECT_EQ(N / 2, answers[1]);
	if (!self->trial.join)
		return;
	EXPECT_EQ(far, count(FSK_STAT_SYN_FAR));
	EXPECT_EQ(N - far, count(FSK_STAT_SYN_LOCAL) +
			   count(FSK_STAT_SYN_UNCLAIMED));
}

/* No core takes a SYN: the kernel's order is kept all the same. */
TEST_F(group, program__runs_once_without_takers)
{
	check_turns(_metadata, self, (const int[]) { 1, 1 }, N);
}

TEST_F(group, program__runs_once_with_a_taker)
{
	check_turns(_metadata, self, (const int[]) { 0, 1 }, 0);
}

/* With cookies there are two packets to choose for. */
TEST_F(group, program__runs_once_for_cookie)
{
	int answers[MEMBERS];

	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_syncookies", "2"));
	ASSERT_EQ(0, choose_in_turn(self));
	ASSERT_EQ(0, work(self, (const int[]) { 0, 1 }));
	ASSERT_EQ(0, ask_all(self, 0, answers));
	EXPECT_EQ(2 * N, self->runs);
	/* Each time the second is for the ACK. */
	EXPECT_EQ(0, answers[0]);
	EXPECT_EQ(N, answers[1]);
	EXPECT_EQ(N, netstat("SyncookiesRecv"));
	/* The plain kernel counts a client's last packet, too, when it comes
	 * after the connection has gone.
	 */
	if (self->trial.join)
		EXPECT_EQ(0, netstat("SyncookiesFailed"));
}

/* The kernel's lookup says then that there is no listener, and a packet can't
 * carry that answer: TCP asks again.
 */
TEST_F(group, program__refuses_after_two_runs)
{
	ASSERT_EQ(0, refuse(self));
	ASSERT_EQ(0, work(self, (const int[]) { 0, 1 }));
	pin(0);
	EXPECT_EQ(-ECONNREFUSED, sock_dial(&self->trial, self->port));
	EXPECT_EQ(self->trial.join ? 2 : 1, bpf_map_get(self->map, 0));
}

static bool late(int port, int cpu)
{
	struct core_row row;

	return row_get(port, cpu, &row) && row.rescues;
}

/* Its worker is stopped: what was queued for this member waits for it. */
static void check_kept(struct __test_metadata *_metadata,
		       FIXTURE_DATA(group) *self)
{
	struct worker *w = &self->crew.w[0];
	int i, fd[2];

	ASSERT_EQ(0, rescue_set_ms(20));
	ASSERT_EQ(0, halt(w->pid));
	pin(0);
	for (i = 0; i < 2; i++) {
		/* The second one comes when it is known to be late. */
		if (i && self->trial.join)
			EXPECT_TRUE(until(late(self->port, 0)));
		fd[i] = sock_dial(&self->trial, self->port);
		ASSERT_LE(0, fd[i]);
	}
	EXPECT_FALSE(sock_wait(fd[0], POLLIN, ENOUGH_MS));
	EXPECT_FALSE(sock_wait(fd[1], POLLIN, 0));
	ASSERT_EQ(0, kill(w->pid, SIGCONT));
	EXPECT_EQ(0, ask_hear(fd[0]));
	EXPECT_EQ(0, ask_hear(fd[1]));
	EXPECT_EQ(0, self->crew.w[1].accepted);
	EXPECT_EQ(0, count(FSK_STAT_ACCEPT_OTHER));
	EXPECT_EQ(0, count(FSK_STAT_RESCUED));
}

TEST_F(group, program__keeps_from_rescue)
{
	ASSERT_EQ(0, choose_always(self->fd[0], 0));
	ASSERT_EQ(0, work(self, (const int[]) { 0, 1 }));
	check_kept(_metadata, self);
}

/* SO_INCOMING_CPU */

TEST_F(group, incoming_cpu__keeps_from_rescue)
{
	ASSERT_EQ(0, sock_set(self->fd[0], SOL_SOCKET, SO_INCOMING_CPU, 0));
	ASSERT_EQ(0, sock_set(self->fd[1], SOL_SOCKET, SO_INCOMING_CPU, 1));
	ASSERT_EQ(0, work(self, (const int[]) { 0, 1 }));
	check_kept(_metadata, self);
}

/* The workers are bound crosswise: it is the members that were chosen. */
TEST_F(group, incoming_cpu__is_obeyed)
{
	int answers[MEMBERS];

	ASSERT_EQ(0, sock_set(self->fd[0], SOL_SOCKET, SO_INCOMING_CPU, 0));
	ASSERT_EQ(0, sock_set(self->fd[1], SOL_SOCKET, SO_INCOMING_CPU, 1));
	ASSERT_EQ(0, work(self, (const int[]) { 1, 0 }));
	ASSERT_EQ(0, ask_all(self, 0, answers));
	EXPECT_EQ(N, answers[0]);
	ASSERT_EQ(0, ask_all(self, 1, answers));
	EXPECT_EQ(N, answers[1]);
	EXPECT_EQ(self->trial.join ? 2 * N : 0, count(FSK_STAT_SYN_UNCLAIMED));
}

/* Nobody has chosen: what helps is done. */
TEST_F(group, hash__late_worker_is_helped)
{
	struct worker *w;
	int i, fd[N], right = 0;

	if (!self->trial.join)
		SKIP(return, "the plain kernel does not help");
	ASSERT_EQ(0, work(self, (const int[]) { 0, 1 }));
	w = &self->crew.w[0];
	ASSERT_EQ(0, rescue_set_ms(20));
	ASSERT_EQ(0, halt(w->pid));
	pin(0);
	for (i = 0; i < N; i++) {
		fd[i] = sock_dial(&self->trial, self->port);
		ASSERT_LE(0, fd[i]);
	}
	/* Some were queued on the listener itself after it was late; they wait
	 * as on the plain kernel.
	 */
	EXPECT_TRUE(until(count(FSK_STAT_RESCUED) > 0));
	ASSERT_EQ(0, kill(w->pid, SIGCONT));
	for (i = 0; i < N; i++)
		right += ask_hear(fd[i]) >= 0;
	EXPECT_EQ(N, right);
	EXPECT_LE(1, self->crew.w[1].accepted);
}

/* A member with a filter of its own. */
TEST_F(group, filter__of_chosen_member)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog prog = { .len = 1, .filter = code };
	int i, client[N], lost = 0;

	ASSERT_EQ(0, setsockopt(self->fd[0], SOL_SOCKET, SO_ATTACH_FILTER,
				&prog, sizeof(prog)));
	ASSERT_EQ(0, work(self, (const int[]) { 1, 0 }));
	pin(0);
	/* All by chance for one member: once in 2^40. */
	for (i = 0; i < N; i++) {
		client[i] = sock_dial_nowait(&self->trial, self->port);
		ASSERT_LE(0, client[i]);
	}
	EXPECT_TRUE(until(self->crew.w[1].accepted > 0));
	if (self->trial.join)
		EXPECT_TRUE(until(count(FSK_STAT_SYN_BYPASSED) > 0));
	sock_wait(client[0], POLLOUT, ENOUGH_MS);
	for (i = 0; i < N; i++)
		lost += !sock_wait(client[i], POLLOUT, 0);
	EXPECT_LE(1, lost);
	EXPECT_EQ(0, self->crew.w[0].accepted);
}

/* Cookies */

/* The member that a cookie's ACK is for may not have sent it. */
TEST_F(group, cookies__all_believed)
{
	int answers[MEMBERS];

	ASSERT_EQ(0, sysctl_set("net/ipv4/tcp_syncookies", "2"));
	ASSERT_EQ(0, work(self, (const int[]) { 0, 1 }));
	ASSERT_EQ(0, ask_all(self, 0, answers));
	EXPECT_EQ(N, netstat("SyncookiesSent"));
	EXPECT_EQ(N, netstat("SyncookiesRecv"));
	EXPECT_EQ(0, netstat("SyncookiesFailed"));
	if (!self->trial.join)
		return;
	EXPECT_EQ(N, answers[0]);
	/* Connections that stay are shared out; cookies come back near. */
	EXPECT_EQ(N, count(FSK_STAT_SYN_LOCAL) + count(FSK_STAT_SYN_FAR));
	EXPECT_EQ(N, count(FSK_STAT_COOKIE_LOCAL));
}

TEST_HARNESS_MAIN
