// SPDX-License-Identifier: GPL-2.0
/*
 * Random requests and system calls by many processes and threads, as root, as
 * root of a user namespace, and as nobody.
 *
 *   FSK_FUZZ=N    how many calls in all (default 60,000; in the long version
 *		   900,000, in which each call must succeed somewhere)
 *   FSK_SEED=N    what the random numbers begin with; without it, the clock
 *
 * The same seed makes the same calls in each thread; how they meet is left to
 * the machine.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <linux/fastsocket.h>

#include "counters.h"
#include "fuzz.h"
#include "spoof.h"
#include "support.h"

#define THREADS		3	/* of each process */
#define LIFE		3000	/* calls of each thread */
#define STUCK_MS	240000
#define TELL_MS		10000
#define LEFT_MS		180000
#define SURE		300000	/* calls that reach everything */
#define NOBODY		65534

/* States of TCP, as tcp_info has them. */
enum {
	ESTABLISHED = 1, SYN_SENT = 2, CLOSED = 7, CLOSE_WAIT = 8, LISTENS = 10
};

FIXTURE(fuzz) {
	struct fuzz_shared *shared;
	uint64_t seed;
	int family;
	int net[FUZZ_NETS];
	int nets;
	int cpus;
	bool has_rfd;
	unsigned int locals_max;
	pid_t witness;
	pid_t holder;
};

FIXTURE_VARIANT(fuzz) {
	int number;
	bool user_ns;
	bool nobody;
};

FIXTURE_VARIANT_ADD(fuzz, root) {
	.number = 0,
};

FIXTURE_VARIANT_ADD(fuzz, user_namespace) {
	.number = 1, .user_ns = true,
};

FIXTURE_VARIANT_ADD(fuzz, nobody) {
	.number = 2, .nobody = true,
};

static int become_nobody(void)
{
	return setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY) ?
	       -errno : 0;
}

static int net_make(void)
{
	int err = net_enter();

	if (err)
		return err;
	sysctl_set("net/ipv4/tcp_fastopen", "3");
	sysctl_set("net/ipv4/ip_local_port_range", "40000 40999");
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static bool rfd_is_there(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int err = setsockopt(fd, SOL_TCP, TCP_ULP, FSK_ULP_RFD_NAME,
			     strlen(FSK_ULP_RFD_NAME));

	close(fd);
	return err >= 0;
}

/* The witness: tells which task is stuck, and where */

struct crowd {
	pid_t pid[FUZZ_THREADS];
	int n;
	uint64_t lives;
};

/* The witness runs as root, since fuzzers may not look at others' stacks. */
static pid_t witness_start(FIXTURE_DATA(fuzz) *self)
{
	pid_t pid = fork_child();
	int i;

	if (pid)
		return pid;
	while (!self->shared->stuck[0])
		usleep(100000);
	for (i = 0; i < FUZZ_THREADS && self->shared->stuck[i] > 0; i++)
		tell_tasks(self->shared->stuck[i]);
	_exit(0);
}

static void tell_stuck(FIXTURE_DATA(fuzz) *self, const struct crowd *c)
{
	int i, n = 1;

	for (i = 0; i < c->n * THREADS; i++)
		fprintf(stderr, "# thread %d was last seen in %s\n", i,
			fuzz_socket_call(self->shared->last[i]));
	for (i = 1; i < c->n; i++)
		if (c->pid[i] > 0)
			self->shared->stuck[n++] = c->pid[i];
	self->shared->stuck[0] = c->pid[0] > 0 ? c->pid[0] : 1;
	reap(self->witness);
	self->witness = 0;
}

/* Keeps hooks in a namespace that nobody fuzzes.  When the machine's first hook
 * comes or its last goes, the kernel changes its own code, which takes an
 * emulator longer than all else.  In the last third of the calls it may.
 */
static void hooks_hold(FIXTURE_DATA(fuzz) *self, int mode)
{
	const struct trial trial = { AF_INET6, true, true };

	if (net_enter() || rfd_config(mode, true) ||
	    sock_listen(&trial, 16) < 0)
		_exit(1);
	while (self->shared->calls < self->shared->want / 3 * 2)
		usleep(100000);
	_exit(0);
}

FIXTURE_SETUP(fuzz)
{
	const struct trial ipv4 = { AF_INET };
	struct rlimit files = { 8192, 8192 };
	int i;

	self->seed = fuzz_seed();
	self->shared = mmap(NULL, sizeof(*self->shared),
			    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	self->shared->want = fuzz_setting("FSK_FUZZ", full_run() ?
						  900000 : 60000) / 3;
	self->cpus = cpus_online();
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	self->family = fuzz_netlink_family();
	ASSERT_LT(0, self->family);
	self->locals_max = locals_max();
	ASSERT_LT(0, self->locals_max);
	self->witness = witness_start(self);
	if (variant->user_ns) {
		ASSERT_EQ(0, become_nobody());
		ASSERT_EQ(0, unshare(CLONE_NEWUSER));
	}
	self->holder = fork_child();
	if (!self->holder)
		hooks_hold(self, variant->user_ns ? FSK_RFD_MASK :
						    FSK_RFD_STEER);
	for (i = 0; i < FUZZ_NETS; i++) {
		self->net[i] = net_make();
		ASSERT_LE(0, self->net[i]);
		ASSERT_EQ(0, vfs_set(true));
		ASSERT_LE(0, spoof_open(&ipv4));
	}
	self->nets = variant->nobody ? 0 : FUZZ_NETS;
	if (variant->nobody)
		ASSERT_EQ(0, become_nobody());
	self->has_rfd = rfd_is_there();
	fprintf(stderr, "# seed %llu, %llu calls\n",
		(unsigned long long)self->seed,
		(unsigned long long)self->shared->want);
}

/* A fuzzer that is nobody may not end what root began. */
FIXTURE_TEARDOWN(fuzz)
{
	static const char *const groups[] = { FUZZ_GROUPS };
	int i;

	if (!variant->user_ns && !variant->nobody) {
		locals_max_set(self->locals_max);
		for (i = 0; i < ARRAY_SIZE(groups); i++)
			group_deselect(groups[i]);
	}
	EXPECT_EQ(self->locals_max, locals_max());
	self->shared->stuck[0] = -1;
}

/* One process */

static int running;	/* threads of it */

static void *thread(void *arg)
{
	struct fuzz *f = arg;
	int i;

	fuzz_netlink_start(f);
	fuzz_socket_start(f);
	for (i = 0; i < LIFE && f->shared->calls < f->shared->want; i++) {
		if (fuzz_chance(f, 12))
			fuzz_netlink(f);
		else
			fuzz_socket(f);
	}
	fuzz_socket_end(f);
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void interrupted(int sig)
{
}

/* Interrupts the threads: some calls have no time limit, and any call may meet
 * a signal.
 */
static void interrupt(const pthread_t *id)
{
	int i;

	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE)) {
		usleep(100000);
		for (i = 0; i < THREADS; i++)
			pthread_kill(id[i], SIGUSR1);
	}
}

/* The life of a process, which ends with all that it has open. */
static void life(FIXTURE_DATA(fuzz) *self, int index, uint64_t seed)
{
	struct fuzz f[THREADS] = { 0 };
	pthread_t id[THREADS];
	int i, own;

	if (self->nets && fuzz_mix(seed) >> 8 & 1) {
		own = net_make();
		if (own >= 0)
			self->net[0] = own;
	}
	fuzz_socket_init();
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = interrupted },
		  NULL);
	running = THREADS;
	for (i = 0; i < THREADS; i++) {
		f[i] = (struct fuzz) {
			.shared = self->shared, .rng = fuzz_mix(seed + i),
			.id = (index * THREADS + i) % FUZZ_THREADS,
			.family = self->family, .net = self->net,
			.nets = self->nets, .cpus = self->cpus,
		};
		if (pthread_create(&id[i], NULL, thread, &f[i]))
			_exit(2);
	}
	interrupt(id);
	for (i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	_exit(0);
}

static pid_t life_start(FIXTURE_DATA(fuzz) *self, int index, uint64_t n)
{
	uint64_t seed = fuzz_mix(self->seed ^ fuzz_mix(n + 1));
	pid_t pid = fork_child();

	if (!pid)
		life(self, index, seed);
	return pid;
}

/* All processes */

/* Return: 0, or the status of the first process that failed. */
static int crowd_tend(FIXTURE_DATA(fuzz) *self, struct crowd *c, int first)
{
	bool more = self->shared->calls < self->shared->want;
	int i, status;

	for (i = 0; i < c->n; i++) {
		if (c->pid[i] > 0) {
			if (waitpid(c->pid[i], &status, WNOHANG) != c->pid[i])
				continue;
			c->pid[i] = 0;
			if (status)
				return status;
		}
		if (more)
			c->pid[i] = life_start(self, i, first + c->lives++);
	}
	return 0;
}

static int crowd_left(const struct crowd *c)
{
	int i, n = 0;

	for (i = 0; i < c->n; i++)
		n += c->pid[i] > 0;
	return n;
}

static int crowd_run(FIXTURE_DATA(fuzz) *self, struct crowd *c, int first)
{
	uint64_t seen = 0, since = now_ms(), told = since;
	int i, err;

	do {
		err = crowd_tend(self, c, first);
		if (now_ms() - told > TELL_MS) {
			told = now_ms();
			fprintf(stderr, "# %llu calls so far\n",
				(unsigned long long)seen);
		}
		if (self->shared->calls != seen) {
			seen = self->shared->calls;
			since = now_ms();
		} else if (now_ms() - since > STUCK_MS) {
			tell_stuck(self, c);
			err = -ETIMEDOUT;
		}
		usleep(20000);
	} while (!err && crowd_left(c));
	for (i = 0; err && i < c->n; i++)
		end(c->pid[i]);
	return err;
}

static void tell(const char *what, const struct fuzz_count *count)
{
	fprintf(stderr, "#   %-24s %10llu done %10llu refused\n", what,
		(unsigned long long)count->ok,
		(unsigned long long)count->refused);
}

/* Verdicts: was each kind of call seen to be done, and seen to be refused? */

/* A short run may miss what is rare. */
static bool sure(const FIXTURE_DATA(fuzz) *self)
{
	return self->shared->want >= SURE;
}

/* Root of a user namespace may set neither what holds for all namespaces nor
 * modes that move packets to other CPUs.
 */
static bool for_all(const struct fuzz_op *op, const struct fuzz_attr *attr)
{
	if (op->cmd == FSK_CMD_RFD_SET)
		return attr->id == FSK_A_RFD_KEY ||
		       attr->id == FSK_A_RFD_TABLE ||
		       attr->id == FSK_A_RFD_HASH;
	return op->cmd == FSK_CMD_CONFIG_SET &&
	       attr->id == FSK_A_CONFIG_LOCALS_MAX;
}

/* Requests that change something, and the one that shows where others connect.
 */
static bool for_administrators(const struct fuzz_op *op)
{
	return op->attrs || op->cmd == FSK_CMD_DEST_GET;
}

/* Selected control groups are the machine's, and only root may see them. */
static bool for_machine(const struct fuzz_op *op)
{
	return op->cmd == FSK_CMD_CGROUP_GET || op->cmd == FSK_CMD_CGROUP_ADD ||
	       op->cmd == FSK_CMD_CGROUP_DEL;
}

static void check_request(struct __test_metadata *_metadata,
			  FIXTURE_DATA(fuzz) *self,
			  const FIXTURE_VARIANT(fuzz) *variant,
			  const struct fuzz_op *op, int i)
{
	char name[64];
	int k;

	tell(op->name, &self->shared->op[i]);
	EXPECT_LT(0, self->shared->op[i].refused);
	if ((for_administrators(op) && variant->nobody) ||
	    (for_machine(op) && (variant->user_ns || variant->nobody))) {
		EXPECT_EQ(0, self->shared->op[i].ok);
		return;
	}
	if (!op->attrs || sure(self))
		EXPECT_LT(0, self->shared->op[i].ok);
	for (k = 0; k < op->attrs; k++) {
		snprintf(name, sizeof(name), "  %s", op->attr[k].name);
		tell(name, &self->shared->attr[i][k]);
		if (!sure(self))
			continue;
		/* A request that swallows the attribute counts as done. */
		if (!variant->user_ns || !for_all(op, &op->attr[k]))
			EXPECT_LT(0, self->shared->attr[i][k].ok);
		EXPECT_LT(0, self->shared->attr[i][k].refused);
	}
}

static void check_call(struct __test_metadata *_metadata,
		       FIXTURE_DATA(fuzz) *self, int i)
{
	tell(fuzz_socket_call(i), &self->shared->call[i]);
	if (fuzz_socket_rfd(i) && !self->has_rfd) {
		EXPECT_EQ(0, self->shared->call[i].ok);
		return;
	}
	if (sure(self) && (self->nets || !fuzz_socket_root(i)))
		EXPECT_LT(0, self->shared->call[i].ok);
}

static void check_join(struct __test_metadata *_metadata,
		       FIXTURE_DATA(fuzz) *self)
{
	const struct fuzz_count *ulp = self->shared->ulp[FUZZ_ULP_LISTEN];
	const struct fuzz_count *rfd = self->shared->ulp[FUZZ_ULP_RFD];
	int i;

	for (i = 0; i < FUZZ_STATES; i++) {
		if (ulp[i].ok + ulp[i].refused + rfd[i].ok + rfd[i].refused)
			fprintf(stderr, "# in TCP state %d:\n", i);
		if (ulp[i].ok + ulp[i].refused)
			tell(FSK_ULP_NAME, &ulp[i]);
		if (rfd[i].ok + rfd[i].refused)
			tell(FSK_ULP_RFD_NAME, &rfd[i]);
	}
	if (!sure(self))
		return;
	/* Other threads may change the state before the socket joins, so some
	 * calls succeed in states in which none should.
	 */
	EXPECT_LT(0, ulp[CLOSED].ok);
	EXPECT_LT(0, ulp[LISTENS].ok);
	EXPECT_LT(0, ulp[ESTABLISHED].refused);
	EXPECT_LT(0, ulp[SYN_SENT].refused);
	EXPECT_LT(0, ulp[CLOSE_WAIT].refused);
	EXPECT_EQ(self->has_rfd, rfd[CLOSED].ok > 0);
	EXPECT_LT(0, rfd[LISTENS].refused);
	EXPECT_LT(0, rfd[ESTABLISHED].refused);
}

/* How far the calls got, by the counters of the namespaces that lasted. */
static void check_depth(struct __test_metadata *_metadata,
			FIXTURE_DATA(fuzz) *self, const int *items, int n)
{
	uint64_t sum;
	int i, k;

	for (i = 0; i < n; i++) {
		sum = 0;
		for (k = 0; k < self->nets; k++) {
			setns(self->net[k], CLONE_NEWNET);
			sum += count(items[i]);
		}
		if (!self->nets)
			sum = count(items[i]);
		fprintf(stderr, "# counter %d: %llu\n", items[i],
			(unsigned long long)sum);
		EXPECT_LT(0, sum) {
			TH_LOG("counter %d is 0", items[i]);
		}
	}
}

/* A connection that is not complete keeps its listener until the kernel gives
 * it up, which may take minutes: half-open ones, and those of TCP Fast Open
 * whose SYN-ACK was not acknowledged.
 */
static void end_connections(FIXTURE_DATA(fuzz) *self)
{
	int i;

	for (i = 0; i < self->nets; i++) {
		setns(self->net[i], CLONE_NEWNET);
		if (system("ss -atK >/dev/null"))
			fprintf(stderr, "# ss can't end connections\n");
	}
}

/* What is left: open listeners, and references that keep the module. */
static int remains(FIXTURE_DATA(fuzz) *self, bool say)
{
	int i, n = listeners();

	for (i = 0; i < self->nets; i++) {
		setns(self->net[i], CLONE_NEWNET);
		n += listeners();
		if (say) {
			tell_file("/proc/thread-self/net/tcp");
			tell_file("/proc/thread-self/net/tcp6");
		}
	}
	if (say)
		fprintf(stderr, "# left: listeners %d, references %ld\n", n,
			module_refs());
	return n || module_refs();
}

TEST_F_TIMEOUT(fuzz, calls__all_survived, 36000)
{
	static const int listens[] = {
		FSK_STAT_SYN_LOCAL, FSK_STAT_SYN_UNCLAIMED,
		FSK_STAT_ACCEPT_LOCAL, FSK_STAT_ACCEPT_APP,
		FSK_STAT_LOCAL_CREATE, FSK_STAT_WAKE_LOCAL,
	};
	static const int bypass[] = {
		FSK_STAT_SYN_BYPASSED, FSK_STAT_VFS_ACCEPT,
	};
	static const int connects[] = {
		FSK_STAT_CONNECT_OWN, FSK_STAT_CONNECT_PROBE,
	};
	struct crowd crowd = { .n = self->cpus };
	const struct fuzz_op *ops;
	int i, n = fuzz_netlink_ops(&ops);

	if (crowd.n > FUZZ_THREADS / THREADS)
		crowd.n = FUZZ_THREADS / THREADS;
	ASSERT_EQ(0, crowd_run(self, &crowd, variant->number << 24));
	EXPECT_EQ(0, reap(self->holder));
	fprintf(stderr, "# %llu calls, %llu lives of %d threads\n",
		(unsigned long long)self->shared->calls,
		(unsigned long long)crowd.lives, THREADS);
	for (i = 0; i < n; i++)
		check_request(_metadata, self, variant, &ops[i], i);
	for (i = 0; i < fuzz_socket_calls(); i++)
		check_call(_metadata, self, i);
	check_join(_metadata, self);
	check_depth(_metadata, self, listens, ARRAY_SIZE(listens));
	if (sure(self))
		check_depth(_metadata, self, bypass, ARRAY_SIZE(bypass));
	if (self->has_rfd)
		check_depth(_metadata, self, connects, ARRAY_SIZE(connects));
	end_connections(self);
	if (until(!remains(self, false)))
		return;
	remains(self, true);
	/* Nothing could end the others: they take their time. */
	EXPECT_TRUE(until_ms(LEFT_MS, !remains(self, false)));
}

TEST_HARNESS_MAIN
