// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once.  Servers, clients and proxies run in several namespaces,
 * the "worlds", and faults of every kind hit them at random.  Now and then a
 * world heals: it undoes its faults, and then its server must answer each
 * connection.  In the end nothing may be left in memory.
 *
 *   FSK_STORM=SECONDS    how long (default 20, in the long version 60)
 *   FSK_SEED=N           what the random numbers begin with
 */
#include "kselftest_harness.h"

#include "storm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "counters.h"
#include "nets.h"
#include "spoof.h"

#define WORLDS		3
#define STAYS		WORLDS	/* one more, with nothing that joins */
#define SLOW_MS		180000	/* for an answer, on a busy emulator */
#define STUCK_MS	600000	/* for one fault and its undoing */
#define SLABS		6
#define LONG		3000	/* seconds in which each fault comes about */

static void add(uint64_t *count)
{
	__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

/* Clients and proxies */

static void limit(int fd, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

/* Return: the byte with which a worker answered, or a negative errno. */
static int ask_within(const struct trial *p, int port, int ms, bool rfd)
{
	int family = p->dual ? AF_INET : p->family, err;
	struct sockaddr_storage ss;
	socklen_t len = sock_addr(&ss, family, port, true);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t id;

	if (fd < 0)
		return -errno;
	limit(fd, ms);
	if (rfd)
		setsockopt(fd, SOL_TCP, TCP_ULP, FSK_ULP_RFD_NAME,
			   strlen(FSK_ULP_RFD_NAME));
	err = connect(fd, (void *)&ss, len) ? -errno : 0;
	if (!err) {
		err = read(fd, &id, 1);
		err = err == 1 ? id : err < 0 ? -errno : -EPIPE;
	}
	sock_reset(fd);
	return err;
}

static void client(struct world *w, int number)
{
	struct world_shared *shared = w->shared;
	int i, err, port;

	w->rng.rng = fuzz_mix(w->rng.rng + number);
	close_range(3, ~0U, 0);
	for (i = 0;; i++) {
		if (shared->hold) {
			__atomic_fetch_add(&shared->held, 1, __ATOMIC_RELAXED);
			while (shared->hold)
				nap();
			__atomic_fetch_sub(&shared->held, 1, __ATOMIC_RELAXED);
		}
		if (i % 32 == 0)
			pin(roll(w, w->rng.cpus));
		/* Nobody answers at the side. */
		if (!roll(w, 4)) {
			ask_within(&w->trial, SIDE_PORT, 1 << roll(w, 8),
				   roll(w, 2));
			add(&shared->beside);
			continue;
		}
		port = PORT + !roll(w, 3);
		err = ask_within(&w->trial, port, 3000, roll(w, 2));
		add(&shared->asked);
		if (err >= 0)
			add(port == PORT ? &shared->answered :
					   &shared->proxied);
		else if (err == -ECONNREFUSED || err == -ECONNRESET)
			add(&shared->refused);
		else
			add(&shared->other);
	}
}

/* Accepts as the library does: by the ioctl, else by accept4(). */
static int accept_any(int lfd, uint64_t *fast)
{
	int fd = sock_accept_fast(lfd, SOCK_CLOEXEC, NULL, NULL);

	if (fd < 0)
		return accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
	add(fast);
	return fd;
}

/* It may have joined in listen(), by a control group that was fuzzed. */
static bool joins(int lfd)
{
	int err = join(lfd);

	return !err || err == -EEXIST;
}

/* Asks the server once for each connection that the proxy gets. */
static void proxy(struct world *w)
{
	int lfd, fd, id;
	uint8_t byte;

	close_range(3, ~0U, 0);
	lfd = sock_make(&w->trial);
	pin(w->number % w->rng.cpus);
	if (sock_bind(&w->trial, lfd, PORT + 1) || listen(lfd, BACKLOG) ||
	    !joins(lfd))
		_exit(1);
	for (;;) {
		fd = accept_any(lfd, &w->shared->fast);
		if (fd < 0)
			continue;
		id = ask_within(&w->trial, PORT, 3000, true);
		byte = id;
		if (id >= 0 && write(fd, &byte, 1) < 0)
			errno = 0;
		sock_reset(fd);
	}
}

static int talk_dial(struct world *w)
{
	int family = w->trial.dual ? AF_INET : w->trial.family;
	struct sockaddr_storage to;
	socklen_t len = sock_addr(&to, family, PORT + 2, true);

	return roll(w, 2) ? sock_dial(&w->trial, PORT + 2) :
			    rfd_dial(&to, len);
}

/* Plays both ends of a connection for a while, if the faults allow it. */
static void talk(struct world *w, int lfd)
{
	struct timeval limit = { .tv_sec = 1 };
	int client = talk_dial(w);
	int server = client < 0 ? -1 : sock_accept(lfd);
	int rounds = roll(w, 64);
	char byte = 0;

	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	while (rounds-- && send(client, &byte, 1, MSG_NOSIGNAL) == 1 &&
	       read(server, &byte, 1) == 1 &&
	       send(server, &byte, 1, MSG_NOSIGNAL) == 1 &&
	       read(client, &byte, 1) == 1)
		add(&w->shared->talked);
	if (server >= 0)
		close(server);
	if (client >= 0)
		sock_reset(client);
}

static void talker(struct world *w)
{
	int lfd;

	close_range(3, ~0U, 0);
	lfd = sock_make(&w->trial);
	if (sock_bind(&w->trial, lfd, PORT + 2) || listen(lfd, BACKLOG) ||
	    (w->trial.join && !joins(lfd)))
		_exit(1);
	for (;;) {
		pin(roll(w, w->rng.cpus));
		talk(w, lfd);
		usleep(1000 << roll(w, 6));
	}
}

/* Servers */

/* All workers share the listener, so it blocks for all of them or for none. */
static enum method any_method(struct world *w, bool blocks)
{
	static const enum method blocking[] = {
		BY_ACCEPT, BY_ACCEPT_TIMEO, BY_URING_SINGLE, BY_URING_MULTI,
	};
	enum method method = blocking[roll(w, ARRAY_SIZE(blocking))];

	if (!blocks)
		return BY_POLL + roll(w, BY_EPOLL_ONESHOT - BY_POLL + 1);
	return method_missing(method) ? BY_ACCEPT : method;
}

/* A worker that is bound to @cpu, to it and another one, or to none. */
static void add_worker(struct world *w, enum method how, int cpu)
{
	struct worker *one = crew_add(&w->crew, w->lfd, how, cpu);

	if (cpu != UNBOUND && !roll(w, 3)) {
		one->cpu = UNBOUND;
		if (roll(w, 3))
			one->mask = 1UL << cpu | 1UL << roll(w, w->rng.cpus);
	}
}

/* @serial: all wait at one lock, and accept in turn. */
static void workers_start(struct world *w, bool serial)
{
	struct crew *c = &w->crew;
	bool blocks = !serial && !roll(w, 4);
	enum method method;
	int i;

	c->n = 0;
	fcntl(w->lfd, F_SETFL, 0);
	memset(c->w, 0, WORKERS_MAX * sizeof(*c->w));
	for (i = 0; i < w->rng.cpus + 1 && i < WORKERS_MAX; i++) {
		method = serial ? BY_EPOLL_LEVEL : any_method(w, blocks);
		add_worker(w, method, i < w->rng.cpus ? i : UNBOUND);
		c->w[i].lock = serial ? w->lock : NULL;
	}
	crew_start(c);
}

/* Starts dead workers again, and lets stopped ones go on. */
void workers_mend(struct world *w)
{
	struct worker *one;
	int i;

	for (i = 0; i < w->crew.n; i++) {
		one = &w->crew.w[i];
		kill(one->pid, SIGCONT);
		if (waitpid(one->pid, NULL, WNOHANG) != one->pid)
			continue;
		one->failed = 0;
		worker_start(one);
	}
}

static int server_start(struct world *w)
{
	int i, err = 0;

	/* The fuzzer takes other ports, but the world's last listener may still
	 * be there for a moment after its close.
	 */
	for (i = 0; i < 100; i++) {
		w->lfd = sock_make(&w->trial);
		if (!sock_bind(&w->trial, w->lfd, PORT) &&
		    !listen(w->lfd, BACKLOG) &&
		    (!w->trial.join || joins(w->lfd)))
			break;
		err = errno;
		close(w->lfd);
		w->lfd = -1;
		usleep(50000);
	}
	if (w->lfd < 0) {
		fprintf(stderr, "# world %d: no server: %s\n", w->number,
			strerror(err));
		return -err;
	}
	workers_start(w, false);
	w->flooded = false;
	return 0;
}

int server_again(struct world *w)
{
	crew_end(&w->crew);
	close(w->lfd);
	return server_start(w);
}

/* Faults: each function returns 0 if the fault came about */

static struct worker *any_worker(struct world *w)
{
	return &w->crew.w[roll(w, w->crew.n)];
}

static int run(char *const argv[])
{
	pid_t pid = fork_child();
	int null;

	if (pid)
		return reap(pid);
	null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	close_range(3, ~0U, 0);
	execvp(argv[0], argv);
	_exit(127);
}

static int fault_kill(struct world *w)
{
	struct worker *one = any_worker(w);

	end(one->pid);
	one->failed = 0;
	return worker_start(one);
}

static int fault_kill_all(struct world *w)
{
	crew_end(&w->crew);
	usleep(1000 << roll(w, 8));
	workers_start(w, false);
	return 0;
}

static int fault_serial(struct world *w)
{
	crew_end(&w->crew);
	workers_start(w, true);
	return w->lock ? 0 : -1;
}

static int fault_stop(struct world *w)
{
	struct worker *one = any_worker(w);

	kill(one->pid, SIGSTOP);
	usleep(1000 << roll(w, 10));
	return kill(one->pid, SIGCONT);
}

/* A reload: new workers start while the old ones still work. */
static int fault_reload(struct world *w)
{
	struct crew old = w->crew;

	if (crew_make(&w->crew))
		return -1;
	workers_start(w, false);
	crew_waits(&w->crew, PORT, false);
	crew_end(&old);
	munmap(old.w, WORKERS_MAX * sizeof(*old.w));
	return 0;
}

static int fault_backlog(struct world *w)
{
	int err = listen(w->lfd, roll(w, 4));

	usleep(1000 << roll(w, 8));
	return listen(w->lfd, BACKLOG) || err;
}

static int fault_option(struct world *w)
{
	static const struct { int level, name, on, off; } options[] = {
		{ SOL_SOCKET, SO_RCVBUF, 4096, 131072 },
		{ SOL_SOCKET, SO_PRIORITY, 6, 0 },
		{ SOL_SOCKET, SO_MARK, 7, 0 },
		{ SOL_TCP, TCP_DEFER_ACCEPT, 1, 0 },
		{ SOL_TCP, TCP_MAXSEG, 500, 1400 },
		{ SOL_TCP, TCP_SAVE_SYN, 1, 0 },
		{ IPPROTO_IP, IP_TOS, 8, 0 },
		{ IPPROTO_IP, IP_MINTTL, 255, 0 },
	};
	int i = roll(w, ARRAY_SIZE(options));
	int err = setsockopt(w->lfd, options[i].level, options[i].name,
			     &options[i].on, sizeof(int));

	usleep(1000 << roll(w, 8));
	setsockopt(w->lfd, options[i].level, options[i].name, &options[i].off,
		   sizeof(int));
	return err;
}

static int fault_socket_filter(struct world *w)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_RET | BPF_K, roll(w, 2) ? 0 : 0xffff),
	};
	struct sock_fprog prog = { 1, code };
	int err = setsockopt(w->lfd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			     sizeof(prog));

	usleep(1000 << roll(w, 8));
	return setsockopt(w->lfd, SOL_SOCKET, SO_DETACH_FILTER, &code,
			  sizeof(int)) || err;
}

static const char *const sysctls[][3] = {
	{ "net/ipv4/tcp_syncookies", "0", "1" },
	{ "net/ipv4/tcp_syncookies", "2", "1" },
	{ "net/ipv4/tcp_abort_on_overflow", "1", "0" },
	{ "net/ipv4/tcp_migrate_req", "1", "0" },
	{ "net/ipv4/tcp_max_syn_backlog", "4", "1024" },
	{ "net/ipv4/tcp_tw_reuse", "1", "2" },
	{ "net/ipv4/ip_local_port_range", "40000 40031", "32768 60999" },
	{ "net/core/somaxconn", "2", "4096" },
};

static int fault_sysctl(struct world *w)
{
	int i = roll(w, ARRAY_SIZE(sysctls));

	return sysctl_set(sysctls[i][0], sysctls[i][1]);
}

static int fault_flood(struct world *w)
{
	if (w->spoof < 0)
		w->spoof = spoof_open(&w->trial);
	pin(roll(w, w->rng.cpus));
	w->flooded = true;
	return spoof_send(w->spoof, &w->trial, PORT, 50 + roll(w, 500));
}

/* Binds a worker to another CPU, or to several; healing leaves it there. */
static int fault_move(struct world *w)
{
	struct worker *one = any_worker(w);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(roll(w, w->rng.cpus), &set);
	if (!roll(w, 4))
		CPU_SET(roll(w, w->rng.cpus), &set);
	return sched_setaffinity(one->pid, sizeof(set), &set);
}

int put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int n = write(fd, text, strlen(text));

	close(fd);
	return n < 0 ? -errno : 0;
}

/* 6.12's cpuset_attach_task() prints a WARNING, module or not, when a task that
 * is bound to an offline CPU moves to the top cpuset.  The lock keeps the two
 * apart.  It ends with its process, which may be killed at any time.
 */
int hotplug_lock(int how)
{
	int fd = open("/tmp/storm-hotplug", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	flock(fd, how);
	return fd;
}

static int fault_cpuset(struct world *w)
{
	char path[128], text[32];
	int lock, err;

	put_file("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset");
	snprintf(path, sizeof(path), "/sys/fs/cgroup/storm%d", w->number);
	mkdir(path, 0755);
	strcat(path, "/cpuset.cpus");
	snprintf(text, sizeof(text), "%d", roll(w, w->rng.cpus));
	err = put_file(path, text);
	*strrchr(path, '/') = 0;
	strcat(path, "/cgroup.procs");
	snprintf(text, sizeof(text), "%d", any_worker(w)->pid);
	err = err ?: put_file(path, text);
	usleep(1000 << roll(w, 8));
	lock = hotplug_lock(LOCK_SH);
	put_file("/sys/fs/cgroup/cgroup.procs", text);
	close(lock);
	*strrchr(path, '/') = 0;
	rmdir(path);
	return err;
}

static int fault_nft(struct world *w)
{
	static const char *const rules[] = {
		"tcp dport 7100 drop",
		"tcp dport 7100 reject with tcp reset",
		"tcp dport 7100 tcp flags syn numgen random mod 2 0 drop",
		"ct state invalid drop",
		"tcp dport 7100 ct state new limit rate 5/second accept; "
		"add rule inet storm in tcp dport 7100 drop",
	};
	char text[512];
	char *argv[3] = { "nft", text, NULL };

	snprintf(text, sizeof(text),
		 "add table inet storm; "
		 "add chain inet storm in { type filter hook input priority 0;"
		 " }; add rule inet storm in %s",
		 rules[roll(w, ARRAY_SIZE(rules))]);
	w->nft = true;
	return run(argv);
}

static int fault_nft_off(struct world *w)
{
	char *argv[3] = { "nft", "flush ruleset", NULL };

	if (!w->nft)
		return -1;
	w->nft = false;
	return run(argv);
}

static int fault_dump(struct world *w)
{
	static struct core_row rows[ROWS_MAX];

	return rows_get(rows, ROWS_MAX) < 0 || est_list(-1) < 0 ||
	       count(FSK_STAT_SYN_LOCAL) == ~0;
}

static int fault_rescue_ms(struct world *w)
{
	return rescue_set_ms(roll(w, 4) * 5);
}

static int fault_rfd(struct world *w)
{
	static const int modes[] = {
		FSK_RFD_OFF, FSK_RFD_MASK, FSK_RFD_STEER,
	};

	return rfd_config(modes[roll(w, 3)], roll(w, 2));
}

static int fault_rss(struct world *w)
{
	static struct rss rss;
	int i;

	rss.key_len = 40;
	rss.entries = 1 << roll(w, 8);
	rss.hash = FSK_RFD_HASH_TCP4 | FSK_RFD_HASH_TCP6;
	for (i = 0; i < 40; i++)
		rss.key[i] = fuzz_random(&w->rng);
	for (i = 0; i < rss.entries; i++)
		rss.table[i] = roll(w, w->rng.cpus);
	return roll(w, 3) ? rfd_set(1, FSK_RFD_RSS, &rss) : rfd_del(1);
}

static int link_set(bool up)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = ioctl(fd, SIOCGIFFLAGS, &ifr);

	ifr.ifr_flags = up ? ifr.ifr_flags | IFF_UP : ifr.ifr_flags & ~IFF_UP;
	err = err ?: ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return err;
}

/* Adds up hits before tables go: new tables count from 0.
 * Return: whether there were any.
 */
static bool hits_note(struct world *w)
{
	uint64_t hits = est_count(FSK_A_EST_HITS);

	if (hits == UINT64_MAX)
		return false;
	w->shared->hits += hits;
	return true;
}

static int fault_established(struct world *w)
{
	return hits_note(w) ? est_config(false, 0) :
			      est_config(true, roll(w, 3));
}

static int fault_vfs(struct world *w)
{
	return vfs_set(roll(w, 4));
}

static int fault_link(struct world *w)
{
	int err = link_set(false);

	usleep(1000 << roll(w, 8));
	/* The interface took the sender's routes with it. */
	close(w->spoof);
	w->spoof = -1;
	return link_set(true) || err;
}

/* Fuzzes in this namespace only. */
/* Time is over, which is no failure. */
static void fuzzed_enough(int signal)
{
	_exit(0);
}

static int fault_fuzz(struct world *w)
{
	static struct fuzz_shared counts;
	pid_t pid = fork_child();
	int i;

	if (pid)
		return reap(pid);
	close_range(3, ~0U, 0);
	w->rng.shared = &counts;
	w->rng.family = fuzz_netlink_family();
	/* All listeners would join, plain worlds' too, and hold the module. */
	w->rng.spare_root = true;
	signal(SIGALRM, fuzzed_enough);
	alarm(20);
	fuzz_netlink_start(&w->rng);
	fuzz_socket_init();
	fuzz_socket_start(&w->rng);
	for (i = 0; i < 300; i++) {
		if (roll(w, 8))
			fuzz_socket(&w->rng);
		else
			fuzz_netlink(&w->rng);
	}
	_exit(0);
}

static const struct {
	const char *name;
	int (*strike)(struct world *w);
} faults[] = {
	{ "worker killed", fault_kill },
	{ "workers all killed", fault_kill_all },
	{ "workers accept in turn", fault_serial },
	{ "worker stopped", fault_stop },
	{ "server reloaded", fault_reload },
	{ "listener closed", server_again },
	{ "listener shut down", pair_shutdown },
	{ "listener disconnected", pair_disconnect },
	{ "listener destroyed", pair_destroy },
	{ "connections destroyed", pair_destroy_connections },
	{ "IPv6 made IPv4", pair_addrform },
	{ "closed by two", pair_fork },
	{ "adopted", pair_adopt },
	{ "queue inherited", pair_migrate },
	{ "control group ended", pair_cgroup },
	{ "NFQUEUE", pair_nfqueue },
	{ "device gone", pair_device },
	{ "backlog changed", fault_backlog },
	{ "option changed", fault_option },
	{ "socket filter", fault_socket_filter },
	{ "sysctl changed", fault_sysctl },
	{ "SYN flood", fault_flood },
	{ "worker moved", fault_move },
	{ "cpuset changed", fault_cpuset },
	{ "nft rules on", fault_nft },
	{ "nft rules off", fault_nft_off },
	{ "tables read", fault_dump },
	{ "rescue-ms changed", fault_rescue_ms },
	{ "rfd changed", fault_rfd },
	{ "rss changed", fault_rss },
	{ "tables switched", fault_established },
	{ "vfs switched", fault_vfs },
	{ "link down and up", fault_link },
	{ "fuzzed", fault_fuzz },
};

#define KINDS		((int)ARRAY_SIZE(faults))

/* Healing */

/* Undoes the faults; workers that were made again are bound as at first. */
static void heal(struct world *w)
{
	int i;

	fault_nft_off(w);
	link_set(true);
	for (i = 0; i < ARRAY_SIZE(sysctls); i++)
		sysctl_set(sysctls[i][0], sysctls[i][2]);
	rescue_set_ms(20);
	rfd_config(FSK_RFD_MASK, false);
	rfd_del(1);
	/* Half-open connections of a flood take a minute to go. */
	if (w->flooded || roll(w, 2))
		server_again(w);
	else
		workers_mend(w);
}

static bool clients_held(struct world *w)
{
	return __atomic_load_n(&w->shared->held, __ATOMIC_RELAXED) == CLIENTS;
}

/* Has the kernel put into its log what each CPU does, all timers, who holds
 * which locks, and where all tasks are.
 */
static void tell_machine(void)
{
	put_file("/proc/sysrq-trigger", "l");
	put_file("/proc/sysrq-trigger", "q");
	put_file("/proc/sysrq-trigger", "d");
	put_file("/proc/sysrq-trigger", "t");
}

/* Tells which workers should have answered, and which queues hold what. */
static void tell_server(const struct world *w)
{
	static struct core_row rows[ROWS_MAX];
	int i, n = rows_get(rows, ROWS_MAX);

	for (i = 0; i < n; i++)
		fprintf(stderr, "# port %d CPU %d%s%s qlen %u of %u drops %llu"
			" accepted %llu %llu %llu\n", rows[i].port,
			rows[i].cpu, rows[i].claimed ? " claimed" : "",
			rows[i].orphaned ? " orphaned" : "", rows[i].qlen,
			rows[i].backlog, (unsigned long long)rows[i].drops,
			(unsigned long long)rows[i].accept_local,
			(unsigned long long)rows[i].accept_app,
			(unsigned long long)rows[i].accept_other);
	for (i = 0; i < w->crew.n; i++) {
		fprintf(stderr, "# worker %d, process %d, CPU %d, method %d:"
			" accepted %llu, error %d\n", i, w->crew.w[i].pid,
			w->crew.w[i].cpu, w->crew.w[i].method,
			(unsigned long long)w->crew.w[i].accepted,
			w->crew.w[i].failed);
		tell_tasks(w->crew.w[i].pid);
	}
}

/* Makes one connection from each CPU that is online now. */
static int probe(struct world *w)
{
	int cpu, id;

	for (cpu = 0; cpu < w->rng.cpus; cpu++) {
		pin(cpu);
		/* A fuzzed io_uring may still interrupt this task. */
		do {
			id = ask_within(&w->trial, PORT, SLOW_MS, false);
		} while (id == -EINTR);
		if (id < 0) {
			fprintf(stderr, "# world %d, CPU %d: %s\n", w->number,
				cpu, strerror(-id));
			tell_server(w);
			tell_machine();
			return id;
		}
		w->shared->ticks++;
	}
	unpin();
	return 0;
}

static int settle(struct world *w)
{
	int err;

	w->shared->hold = true;
	heal(w);
	if (!until(clients_held(w)))
		fprintf(stderr, "# world %d: clients are late\n", w->number);
	err = probe(w);
	w->shared->hold = false;
	if (!err)
		w->shared->healed++;
	return err;
}

static int world_populate(struct world *w)
{
	int i;

	if (server_start(w))
		return -1;
	w->proxy = w->trial.join ? fork_child() : -1;
	if (!w->proxy)
		proxy(w);
	w->talker = fork_child();
	if (!w->talker)
		talker(w);
	for (i = 0; i < CLIENTS; i++) {
		w->client[i] = fork_child();
		if (!w->client[i])
			client(w, i);
	}
	return 0;
}

/**
 * card_set() - let packets over loopback come in as if from a card
 * @name: the card
 *
 * Return: 0 or what a command said.
 */
int card_set(const char *name)
{
	sh("tc filter del dev lo egress pref 1 2>/dev/null");
	return sh("tc filter add dev lo egress pref 1 matchall "
		  "action mirred ingress redirect dev %s", name);
}

/* Packets over loopback have a route, and go through no established table:
 * here they lose it.
 */
static int lose_routes(void)
{
	return sysctl_set("net/ipv4/conf/all/route_localnet", "1") ||
	       sysctl_set("net/ipv4/conf/all/accept_local", "1") ||
	       sh("tc qdisc add dev lo clsact") || card_set("lo");
}

static void world_make(struct world *w)
{
	int err;

	w->lock = worker_lock();
	err = net_enter();
	err = err ?: lose_routes();
	err = err ?: est_config(true, 1);
	err = err ?: vfs_set(true);
	err = err ?: crew_make(&w->crew);
	if (!err && !world_populate(w))
		return;
	fprintf(stderr, "# world %d is not made: %d\n", w->number, err);
	_exit(2);
}

/* Of two, the one that has come about here less often: on a slow machine few
 * come about, and each should.
 */
static int any_kind(struct world *w)
{
	int one = roll(w, KINDS), two = roll(w, KINDS);

	return w->shared->faults[two] < w->shared->faults[one] ? two : one;
}

/* All tasks of the world are children of this one and end with it. */
static void world_run(struct world *w)
{
	int kind, err = 0;

	world_make(w);
	w->spoof = -1;
	while (!w->shared->end && !err) {
		w->shared->ticks++;
		usleep(1000 << roll(w, 8));
		if (!roll(w, 12)) {
			err = settle(w);
			continue;
		}
		kind = any_kind(w);
		if (!faults[kind].strike(w))
			w->shared->faults[kind]++;
		workers_mend(w);
	}
	if (!err)
		err = settle(w);
	hits_note(w);
	crew_end(&w->crew);
	end(w->proxy);
	end(w->talker);
	for (kind = 0; kind < CLIENTS; kind++)
		end(w->client[kind]);
	_exit(err ? 3 : 0);
}

/* Adds to @sum what a counter has moved, though the module may have gone and
 * come back meanwhile.
 */
static void note(uint64_t *sum, uint64_t *last, uint64_t now)
{
	if (now == UINT64_MAX)
		return;
	*sum += now < *last ? now : now - *last;
	*last = now;
}

/* A world of plain listeners and primed sockets.  They do not hold the module,
 * which goes and comes back under their load.
 */
static void stay_run(struct world *w)
{
	uint64_t hits = 0, steered = 0;

	if (net_enter() || lose_routes() || crew_make(&w->crew) ||
	    world_populate(w))
		_exit(2);
	for (;;) {
		if (!rfd_config(FSK_RFD_STEER, true))
			est_config(true, 1);
		workers_mend(w);
		usleep(100000);
		note(&w->shared->hits, &hits, est_count(FSK_A_EST_HITS));
		note(&w->shared->steered, &steered,
		     count(FSK_STAT_RFD_STEERED));
	}
}

/* Faults of the whole machine */

enum machine {
	CPU_SWITCHED, WORLD_ENDED, MEMORY_SHORT, UNLOAD_TRIED, MODULE_GONE,
	MACHINES
};

static const char *const machine_names[] = {
	"CPU off and on", "namespace ended", "memory short", "rmmod refused",
	"rmmod under load",
};

static const char *const slab_names[SLABS] = {
	"TCP", "TCPv6", "request_sock_TCP", "request_sock_TCPv6",
	"tw_sock_TCP", "net_namespace",
};

FIXTURE(storm) {
	struct world_shared *shared;
	struct world world[WORLDS + 1];
	pid_t pid[WORLDS + 1];
	uint64_t machine[MACHINES];
	uint64_t begun;
	uint64_t half;
	long slabs[SLABS];
	struct fuzz rng;
	int anchor;
	char tcp_mem[64];
};

/* Reads the objects in use; -1 where other objects share the cache. */
static void slabs_read(long *slabs)
{
	char line[512], name[64];
	FILE *file;
	long n;
	int i;

	for (i = 0; i < SLABS; i++) {
		slabs[i] = -1;
		snprintf(line, sizeof(line), "/sys/kernel/slab/%s/shrink",
			 slab_names[i]);
		put_file(line, "1");
	}
	file = fopen("/proc/slabinfo", "r");
	while (file && fgets(line, sizeof(line), file))
		for (i = 0; i < SLABS; i++)
			if (sscanf(line, "%63s %ld", name, &n) == 2 &&
			    !strcmp(name, slab_names[i]))
				slabs[i] = n;
	if (file)
		fclose(file);
}

static bool slabs_back(FIXTURE_DATA(storm) *self)
{
	long now[SLABS];
	int i;

	slabs_read(now);
	for (i = 0; i < SLABS; i++)
		if (now[i] > self->slabs[i])
			return false;
	return true;
}

static void slabs_tell(FIXTURE_DATA(storm) *self)
{
	long now[SLABS];
	int i;

	slabs_read(now);
	for (i = 0; i < SLABS; i++)
		fprintf(stderr, "# slab %s: %ld at first, %ld in the end\n",
			slab_names[i], self->slabs[i], now[i]);
}

/* Makes and ends a namespace: 6.12 frees one only when the next one goes. */
static void net_spend(void)
{
	pid_t pid = fork_child();

	if (!pid)
		_exit(net_enter() != 0);
	reap(pid);
	usleep(500000);
}

/* Waits, as the kernel ends namespaces one by one in the background. */
static bool slabs_await(FIXTURE_DATA(storm) *self)
{
	uint64_t last = now_ms() + SLOW_MS;

	while (!slabs_back(self) && now_ms() < last)
		net_spend();
	slabs_tell(self);
	return slabs_back(self);
}

/* Scans twice: a scan leaves out young objects to which nothing points. */
static int leaks(bool forget)
{
	const char *path = "/sys/kernel/debug/kmemleak";
	char buf[4096];
	int fd, n;

	if (access(path, F_OK))
		return 0;
	put_file(path, "scan");
	if (!forget) {
		sleep(6);
		put_file(path, "scan");
	} else {
		put_file(path, "clear");
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n > 0) {
		buf[n] = 0;
		fprintf(stderr, "%s\n", buf);
	}
	return n > 0;
}

static void world_start(FIXTURE_DATA(storm) *self, int i)
{
	static const struct trial trials[WORLDS + 1] = {
		{ AF_INET, false, true }, { AF_INET6, false, true },
		{ AF_INET6, true, true }, { AF_INET, false, false },
	};
	struct world *w = &self->world[i];

	w->shared = &self->shared[i];
	w->shared->end = false;
	w->shared->hold = false;
	w->shared->held = 0;
	w->trial = trials[i];
	w->number = i;
	w->rng = self->rng;
	w->rng.rng = fuzz_mix(fuzz_random(&self->rng));
	self->begun++;
	self->pid[i] = fork_child();
	if (self->pid[i])
		return;
	/* The world that stays would keep the module loaded. */
	close(self->anchor);
	if (i == STAYS)
		stay_run(w);
	world_run(w);
}

static void world_end(FIXTURE_DATA(storm) *self, int i)
{
	kill(self->pid[i], SIGKILL);
	reap(self->pid[i]);
	self->pid[i] = 0;
}

/* This listener keeps the module loaded. */
/* The fuzzer may just have selected all control groups. */
static int anchor(void)
{
	const struct trial trial = { AF_INET6, true, false };
	int fd = sock_listen(&trial, 1);

	return fd >= 0 && joins(fd) ? fd : -1;
}

FIXTURE_SETUP(storm)
{
	struct rlimit files = { 8192, 8192 };
	int i, fd;

	self->shared = mmap(NULL, (WORLDS + 1) * sizeof(*self->shared),
			    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	self->rng.rng = fuzz_mix(fuzz_seed());
	self->rng.cpus = cpus_online();
	fd = open("/proc/sys/net/ipv4/tcp_mem", O_RDONLY | O_CLOEXEC);
	ASSERT_LT(0, read(fd, self->tcp_mem, sizeof(self->tcp_mem) - 1));
	close(fd);
	leaks(true);
	net_spend();
	slabs_read(self->slabs);
	self->anchor = anchor();
	ASSERT_LE(0, self->anchor);
	fprintf(stderr, "# seed %llu\n", (unsigned long long)fuzz_seed());
	for (i = 0; i <= STAYS; i++)
		world_start(self, i);
}

FIXTURE_TEARDOWN(storm)
{
}

static int strike_cpu(FIXTURE_DATA(storm) *self)
{
	int cpu = 1 + fuzz_below(&self->rng, self->rng.cpus - 1);
	int lock = hotplug_lock(LOCK_EX);
	int err = cpu_switch(cpu, false);

	usleep(1000 << fuzz_below(&self->rng, 10));
	err = cpu_switch(cpu, true) ?: err;
	close(lock);
	return err;
}

/* Kills a world in the middle of whatever goes on there. */
static int strike_world(FIXTURE_DATA(storm) *self)
{
	int i = fuzz_below(&self->rng, WORLDS);

	world_end(self, i);
	world_start(self, i);
	return 0;
}

static int strike_memory(FIXTURE_DATA(storm) *self)
{
	size_t size = 64 << 20;
	char *mem;

	sysctl_set("net/ipv4/tcp_mem", "0 1 2");
	sysctl_set("vm/drop_caches", "2");	/* not the programs */
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	usleep(1000 << fuzz_below(&self->rng, 9));
	munmap(mem, size);
	return sysctl_set("net/ipv4/tcp_mem", self->tcp_mem);
}

static int strike_unload(FIXTURE_DATA(storm) *self)
{
	return module_unload() == -EAGAIN ? 0 : -1;
}

/* With packets on their way, and while namespaces end. */
static int strike_module(FIXTURE_DATA(storm) *self)
{
	int i, err;

	for (i = 0; i < WORLDS; i++)
		world_end(self, i);
	close(self->anchor);
	/* A fuzzed half-open connection may hold it for longer.  The end of
	 * the test finds whatever holds it for ever.
	 */
	err = until_ms(SLOW_MS, !module_unload()) ? module_load() : 1;
	self->anchor = anchor();
	for (i = 0; i < WORLDS; i++)
		world_start(self, i);
	/* New worlds take a while before they get anywhere. */
	self->shared[STAYS].ticks++;
	return self->anchor < 0 ? -1 : err;
}

/* One in @n times: worlds should get somewhere before they end.  But once, if
 * half of the time has passed without it.
 */
static bool seldom(FIXTURE_DATA(storm) *self, enum machine kind, int n)
{
	if (!self->machine[kind] && now_ms() > self->half) {
		self->half += SLOW_MS;	/* not at once again, if in vain */
		return true;
	}
	return fuzz_chance(&self->rng, n);
}

static int strike(FIXTURE_DATA(storm) *self, enum machine kind)
{
	switch (kind) {
	case CPU_SWITCHED:
		return strike_cpu(self);
	case WORLD_ENDED:
		return seldom(self, kind, 4) ? strike_world(self) : 1;
	case MEMORY_SHORT:
		return strike_memory(self);
	case MODULE_GONE:
		return seldom(self, kind, 12) ? strike_module(self) : 1;
	default:
		return strike_unload(self);
	}
}

/* Return: 0; the status of a world that ended by itself, which is a failure;
 * or -ETIMEDOUT when all worlds stand still.
 */
static int worlds_watch(FIXTURE_DATA(storm) *self, uint64_t *seen,
			uint64_t *since)
{
	uint64_t ticks = 0;
	int i, status;

	for (i = 0; i <= STAYS; i++) {
		ticks += self->shared[i].ticks;
		if (waitpid(self->pid[i], &status, WNOHANG) == self->pid[i]) {
			self->pid[i] = 0;
			return status ?: 1;
		}
	}
	if (ticks != *seen) {
		*seen = ticks;
		*since = now_ms();
	}
	if (now_ms() - *since < STUCK_MS)
		return 0;
	for (i = 0; i <= STAYS; i++)
		tell_tasks(self->pid[i]);
	tell_machine();
	return -ETIMEDOUT;
}

/* Return: how many kinds of faults have not come about. */
static int tell(FIXTURE_DATA(storm) *self)
{
	struct world_shared sum = { 0 };
	int i, k, missing = 0;

	for (i = 0; i <= STAYS; i++) {
		sum.asked += self->shared[i].asked;
		sum.answered += self->shared[i].answered;
		sum.proxied += self->shared[i].proxied;
		sum.fast += self->shared[i].fast;
		sum.talked += self->shared[i].talked;
		sum.hits += self->shared[i].hits;
		sum.steered += self->shared[i].steered;
		sum.beside += self->shared[i].beside;
		sum.refused += self->shared[i].refused;
		sum.other += self->shared[i].other;
		sum.healed += self->shared[i].healed;
		for (k = 0; k < KINDS; k++)
			sum.faults[k] += self->shared[i].faults[k];
	}
	fprintf(stderr, "# connections %llu: answered %llu, through the proxy"
		" %llu, refused %llu, others %llu; healed %llu times\n",
		(unsigned long long)sum.asked,
		(unsigned long long)sum.answered,
		(unsigned long long)sum.proxied,
		(unsigned long long)sum.refused,
		(unsigned long long)sum.other,
		(unsigned long long)sum.healed);
	fprintf(stderr, "# accepted by the ioctl %llu, bytes talked %llu,"
		" packets found in established tables %llu, steered where no"
		" listener joined %llu, connections beside %llu\n",
		(unsigned long long)sum.fast, (unsigned long long)sum.talked,
		(unsigned long long)sum.hits, (unsigned long long)sum.steered,
		(unsigned long long)sum.beside);
	for (k = 0; k < KINDS; k++) {
		fprintf(stderr, "#   %-22s %8llu\n", faults[k].name,
			(unsigned long long)sum.faults[k]);
		missing += !sum.faults[k];
	}
	for (k = 0; k < MACHINES; k++) {
		fprintf(stderr, "#   %-22s %8llu\n", machine_names[k],
			(unsigned long long)self->machine[k]);
		missing += !self->machine[k];
	}
	return missing;
}

/* Has each world heal for the last time, which takes all CPUs: none is off. */
static int worlds_end(FIXTURE_DATA(storm) *self)
{
	int i, status = 0;

	for (i = 1; i < self->rng.cpus; i++)
		cpu_switch(i, true);
	for (i = 0; i < WORLDS; i++)
		self->shared[i].end = true;
	for (i = 0; i < WORLDS; i++)
		if (self->pid[i] > 0)
			status = reap(self->pid[i]) ?: status;
	world_end(self, STAYS);
	return status;
}

TEST_F_TIMEOUT(storm, all__at_once, 40000)
{
	uint64_t seconds = fuzz_setting("FSK_STORM", full_run() ? 60 : 20);
	uint64_t last = now_ms() + seconds * 1000, told = now_ms();
	uint64_t seen = 0, since = now_ms(), healed = 0, fast = 0, hits = 0;
	int i, missing, err = 0;
	enum machine kind;

	self->half = now_ms() + seconds * 500;
	while (!err && now_ms() < last) {
		usleep(1000 << fuzz_below(&self->rng, 10));
		kind = fuzz_below(&self->rng, MACHINES);
		err = strike(self, kind);
		self->machine[kind] += !err;
		/* A CPU that can't go now may go later. */
		if (kind != UNLOAD_TRIED && (kind != MODULE_GONE || err > 0))
			err = 0;
		err = err ?: worlds_watch(self, &seen, &since);
		if (now_ms() - told > 60000) {
			told = now_ms();
			tell(self);
		}
	}
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, worlds_end(self));
	missing = tell(self);
	if (seconds >= LONG)
		EXPECT_EQ(0, missing);
	for (i = 0; i < WORLDS; i++) {
		healed += self->shared[i].healed;
		fast += self->shared[i].fast;
		hits += self->shared[i].hits;
	}
	EXPECT_LE(WORLDS, healed);
	EXPECT_LT(0, fast);
	EXPECT_LT(0, hits);
	EXPECT_LT(0, self->shared[STAYS].hits);
	EXPECT_LT(0, self->shared[STAYS].steered);
	EXPECT_EQ(0, close(self->anchor));
	EXPECT_TRUE(until(!module_refs()));
	EXPECT_TRUE(slabs_await(self));
	EXPECT_EQ(0, leaks(false));
	EXPECT_TRUE(until(!module_unload()));
	EXPECT_EQ(0, module_load());
}

TEST_HARNESS_MAIN
