// SPDX-License-Identifier: GPL-2.0
/*
 * FSK_IOC_ACCEPT: who is served, what it returns, and what becomes of the
 * sockets that are kept.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counters.h"
#include "pairs.h"
#include "support.h"

FIXTURE(vfs_rules) {
	struct trial trial;
	int lfd;
	int port;
};

TRIAL_VARIANTS(vfs_rules);

FIXTURE_SETUP(vfs_rules)
{
	self->trial = variant->trial;
	self->lfd = pairs_listen(&self->trial);
	ASSERT_LE(0, self->lfd);
	self->port = sock_port(self->lfd);
}

FIXTURE_TEARDOWN(vfs_rules)
{
	close(self->lfd);
}

static int fast(int fd)
{
	return sock_accept_fast(fd, SOCK_CLOEXEC, NULL, NULL);
}

/* EAGAIN: would have been served.  A pass lasts for a second. */
static int served(int lfd)
{
	int err = -ESTALE;

	for (int i = 0; i < 100 && err == -ESTALE; i++) {
		if (renew(lfd))
			return -EBUSY;
		err = fast(lfd);
	}
	return err;
}

/* Who is served */

TEST_F(vfs_rules, passes)
{
	uint64_t renewed = count(FSK_STAT_VFS_RENEW);

	EXPECT_EQ(-ESTALE, fast(self->lfd));
	EXPECT_EQ(renewed + 1, count(FSK_STAT_VFS_RENEW));
	EXPECT_EQ(-EAGAIN, served(self->lfd));
	/* Once is not for ever. */
	EXPECT_TRUE(until(fast(self->lfd) == -ESTALE));
	EXPECT_EQ(-ESTALE, fast(self->lfd));
	EXPECT_EQ(-EAGAIN, served(self->lfd));
}

/* Another process's pass is no pass, nor is one of former credentials. */
TEST_F(vfs_rules, passes_of_others)
{
	pid_t pid;

	ASSERT_EQ(-EAGAIN, served(self->lfd));
	pid = fork_child();
	if (!pid)
		_exit(fast(self->lfd) == -ESTALE ? 0 : 1);
	EXPECT_EQ(0, reap(pid));
	pid = fork_child();
	if (!pid) {
		if (served(self->lfd) != -EAGAIN)
			_exit(1);
		if (setuid(1234))
			_exit(2);
		_exit(fast(self->lfd) == -ESTALE ? 0 : 3);
	}
	EXPECT_EQ(0, reap(pid));
}

static void *thread_fast(void *arg)
{
	int *lfd = arg;

	pin(0);
	*lfd = fast(*lfd);
	return NULL;
}

/* Threads share theirs. */
TEST_F(vfs_rules, passes_of_threads)
{
	pthread_t thread;
	int err = -ESTALE;

	for (int i = 0; i < 100 && err == -ESTALE; i++) {
		ASSERT_EQ(0, renew(self->lfd));
		err = self->lfd;
		ASSERT_EQ(0, pthread_create(&thread, NULL, thread_fast, &err));
		ASSERT_EQ(0, pthread_join(thread, NULL));
	}
	EXPECT_EQ(-EAGAIN, err);
}

TEST_F(vfs_rules, not_bound)
{
	uint64_t refused = count(FSK_STAT_VFS_REFUSE);

	ASSERT_EQ(-EAGAIN, served(self->lfd));
	unpin();
	EXPECT_EQ(-EOPNOTSUPP, fast(self->lfd));
	EXPECT_EQ(refused + 1, count(FSK_STAT_VFS_REFUSE));
}

TEST_F(vfs_rules, off)
{
	struct vfs_figures sum;
	struct pair pair;

	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
	ASSERT_EQ(0, vfs_get(&sum));
	EXPECT_LT(0, sum.out + sum.rest);
	EXPECT_LE(sum.out + sum.rest, sum.size);
	ASSERT_EQ(0, vfs_set(false));
	ASSERT_EQ(0, vfs_get(&sum));
	EXPECT_EQ(0, sum.out + sum.rest + sum.size);
	EXPECT_EQ(-EOPNOTSUPP, fast(self->lfd));
	ASSERT_EQ(0, renew(self->lfd));
	EXPECT_EQ(-EOPNOTSUPP, fast(self->lfd));
	/* What is open lives on. */
	EXPECT_EQ(1, write(pair.fd, "x", 1));
	EXPECT_TRUE(until(sock_wait(pair.peer, POLLIN, 0)));
	pair_close(&pair);
	ASSERT_EQ(0, vfs_set(true));
	EXPECT_EQ(-EAGAIN, served(self->lfd));
}

/* A listener that listens no more keeps nothing. */
TEST_F(vfs_rules, off_with_shutdown)
{
	struct vfs_figures sum;
	struct pair pair;

	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
	ASSERT_EQ(0, vfs_get(&sum));
	EXPECT_LT(0, sum.out + sum.rest);
	ASSERT_EQ(0, shutdown(self->lfd, SHUT_RDWR));
	ASSERT_EQ(0, vfs_get(&sum));
	EXPECT_EQ(0, sum.pools);
	ASSERT_EQ(0, listen(self->lfd, 16));
	ASSERT_EQ(0, vfs_get(&sum));
	EXPECT_LT(0, sum.pools);
	EXPECT_EQ(0, sum.out + sum.rest + sum.size);
	EXPECT_EQ(1, write(pair.fd, "x", 1));
	EXPECT_TRUE(until(sock_wait(pair.peer, POLLIN, 0)));
	pair_close(&pair);
}

TEST_F(vfs_rules, others_descriptors)
{
	struct trial plain = self->trial;
	int fd, hose[2];

	plain.join = false;
	fd = sock_listen(&plain, 1);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOTTY, fast(fd));
	close(fd);
	ASSERT_EQ(0, pipe(hose));
	EXPECT_EQ(-ENOTTY, fast(hose[0]));
	EXPECT_EQ(-EBADF, fast(-1));
	ASSERT_EQ(0, shutdown(self->lfd, SHUT_RDWR));
	EXPECT_EQ(-EOPNOTSUPP, fast(self->lfd));
}

static int forbid_accept(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_accept4, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_accept, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(*code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) ? -errno : 0;
}

/* A filter names accept4() and doesn't know of us. */
TEST_F(vfs_rules, seccomp)
{
	int peer, fd;
	pid_t pid;

	pid = fork_child();
	if (!pid) {
		if (served(self->lfd) != -EAGAIN)
			_exit(1);
		if (forbid_accept())
			_exit(2);
		peer = sock_dial(&self->trial, self->port);
		if (peer < 0 || !until(sock_wait(self->lfd, POLLIN, 0)))
			_exit(3);
		fd = fast(self->lfd);
		if (fd != -EOPNOTSUPP)
			_exit(4);
		_exit(accept4(self->lfd, NULL, NULL, 0) < 0 &&
		      errno == EPERM ? 0 : 5);
	}
	EXPECT_EQ(0, reap(pid));
}

/* A debugger, which may be a sandbox, sees what it expects to see. */
TEST_F(vfs_rules, ptrace)
{
	pid_t pid = fork_child();

	if (!pid) {
		if (served(self->lfd) != -EAGAIN)
			_exit(1);
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(2);
		_exit(fast(self->lfd) == -EOPNOTSUPP ? 0 : 3);
	}
	EXPECT_EQ(0, reap(pid));
}

/* What it returns */

TEST_F(vfs_rules, address)
{
	struct sockaddr_storage plain = { 0 }, mine = { 0 };
	socklen_t plain_len = sizeof(plain), len;
	int fd, peer;

	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, renew(self->lfd));
		peer = sock_dial(&self->trial, self->port);
		ASSERT_LE(0, peer);
		ASSERT_TRUE(until(sock_wait(self->lfd, POLLIN, 0)));
		len = sizeof(mine);
		fd = sock_accept_fast(self->lfd, 0, &mine, &len);
		if (fd != -ESTALE)
			break;
		close(sock_accept(self->lfd));
		close(peer);
	}
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getpeername(fd, (void *)&plain, &plain_len));
	EXPECT_EQ(plain_len, len);
	EXPECT_EQ(0, memcmp(&plain, &mine, plain_len));
	close(fd);
	close(peer);
}

/* As accept4() has them, and as there a connection is lost. */
TEST_F(vfs_rules, bad_address)
{
	struct { int addr, len, size, err; } const cases[] = {
		{ 1, 0, 16, EFAULT },	/* no length */
		{ 1, 1, -1, EINVAL },
		{ 0, 1, 16, EFAULT },	/* address where nothing is */
	};
	char addr[128];
	socklen_t len;
	int peer, err, fd;

	for (int i = 0; i < 3; i++) {
		void *where = (void *)8;
		socklen_t *size = NULL;

		if (cases[i].addr)
			where = addr;
		if (cases[i].len)
			size = &len;
		peer = sock_dial(&self->trial, self->port);
		ASSERT_LE(0, peer);
		ASSERT_TRUE(until(sock_wait(self->lfd, POLLIN, 0)));
		len = cases[i].size;
		fd = accept4(self->lfd, where, size, 0);
		EXPECT_EQ(-1, fd);
		EXPECT_EQ(cases[i].err, errno);
		close(peer);
		err = -ESTALE;
		for (int n = 0; n < 100 && err == -ESTALE; n++) {
			ASSERT_EQ(0, renew(self->lfd));
			peer = sock_dial(&self->trial, self->port);
			ASSERT_LE(0, peer);
			ASSERT_TRUE(until(sock_wait(self->lfd, POLLIN, 0)));
			len = cases[i].size;
			err = sock_accept_fast(self->lfd, 0, where, size);
			if (err == -ESTALE)
				close(sock_accept(self->lfd));
			else
				EXPECT_FALSE(sock_wait(self->lfd, POLLIN, 0));
			close(peer);
		}
		EXPECT_EQ(-cases[i].err, err);
	}
}

TEST_F(vfs_rules, bad_flags)
{
	struct fsk_accept arg = { .pad = 1 };

	ASSERT_EQ(0, renew(self->lfd));
	EXPECT_EQ(-EINVAL, sock_accept_fast(self->lfd, 1, NULL, NULL));
	ASSERT_EQ(0, renew(self->lfd));
	EXPECT_EQ(-1, ioctl(self->lfd, FSK_IOC_ACCEPT, &arg));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->lfd, FSK_IOC_ACCEPT, NULL));
	EXPECT_EQ(EFAULT, errno);
}

/* Limits of the process and of the machine come before EAGAIN and take
 * nothing.
 */
TEST_F(vfs_rules, limits)
{
	struct rlimit few, many;
	int err, peer, fd;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &many));
	peer = sock_dial(&self->trial, self->port);
	ASSERT_LE(0, peer);
	ASSERT_TRUE(until(sock_wait(self->lfd, POLLIN, 0)));
	few = many;
	few.rlim_cur = 3;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	/* accept4() that fails was let through all the same, but did not ask
	 * the security module: it made no file.
	 */
	EXPECT_EQ(-1, accept4(self->lfd, NULL, NULL, 0));
	EXPECT_EQ(EMFILE, errno);
	EXPECT_EQ(-ESTALE, fast(self->lfd));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &many));
	fd = sock_accept(self->lfd);
	ASSERT_LE(0, fd);
	close(fd);
	close(peer);
	err = -ESTALE;
	for (int i = 0; i < 100 && err == -ESTALE; i++) {
		ASSERT_EQ(0, renew(self->lfd));
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
		err = fast(self->lfd);
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &many));
	}
	EXPECT_EQ(-EMFILE, err);
}

static long files_open(void)
{
	long n = -1;
	FILE *f = fopen("/proc/sys/fs/file-nr", "r");

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* The kernel counts per CPU, and looks closer above the limit only: by so many
 * it may be wrong.
 */
static int files_hold(void)
{
	int i, n = 64 * cpus_online() + 100;

	for (i = 0; i < n; i++)
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			return -errno;
	return 0;
}

/* Files are counted as everybody's, and the limit holds. */
TEST_F(vfs_rules, file_max)
{
	struct pair pair[2];
	char before[32] = "";
	int err = -1, peer;
	pid_t pid;
	FILE *f;

	f = fopen("/proc/sys/fs/file-max", "r");
	ASSERT_NE(NULL, f);
	ASSERT_NE(NULL, fgets(before, sizeof(before), f));
	fclose(f);
	ASSERT_EQ(0, files_hold());
	ASSERT_LT(0, files_open());
	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair[0]));
	pid = fork_child();
	if (!pid) {
		/* root may go above */
		if (setgid(1234) || setuid(1234) ||
		    pair_again(&self->trial, self->lfd, 0, &pair[1]) ||
		    kill(getpid(), SIGSTOP))
			_exit(1);
		/* sock_dial() would need a file, too */
		for (int i = 0; i < 100; i++) {
			errno = 0;
			if (accept4(self->lfd, NULL, NULL, 0) >= 0 ||
			    errno != ENFILE)
				_exit(2);
			err = fast(self->lfd);
			if (err == -ENFILE)
				_exit(0);
			if (err != -ESTALE)
				_exit(3);
		}
		_exit(err == -ESTALE ? 0 : 4);
	}
	ASSERT_TRUE(until(waitpid(pid, NULL, WUNTRACED | WNOHANG) == pid));
	peer = sock_dial(&self->trial, self->port);
	ASSERT_LE(0, peer);
	EXPECT_EQ(0, sysctl_set("fs/file-max", "10"));
	kill(pid, SIGCONT);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(0, sysctl_set("fs/file-max", before));
	close(peer);
	pair_close(&pair[0]);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	alarms++;
}

/* A signal interrupts waiting, unless it is to be restarted. */
TEST_F(vfs_rules, signals)
{
	struct sigaction act = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } }, never = { 0 };
	int err = -ESTALE, peer, i;
	pid_t pid;

	sigaction(SIGALRM, &act, NULL);
	for (i = 0; i < 100 && err == -ESTALE; i++) {
		ASSERT_EQ(0, renew(self->lfd));
		ASSERT_EQ(0, fcntl(self->lfd, F_SETFL, 0));
		setitimer(ITIMER_REAL, &often, NULL);
		err = fast(self->lfd);
		setitimer(ITIMER_REAL, &never, NULL);
		ASSERT_EQ(0, fcntl(self->lfd, F_SETFL, O_NONBLOCK));
	}
	EXPECT_EQ(-EINTR, err);

	act.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &act, NULL);
	alarms = 0;
	ASSERT_EQ(0, renew(self->lfd));
	ASSERT_EQ(0, fcntl(self->lfd, F_SETFL, 0));
	pid = fork_child();
	if (!pid) {
		for (i = 0; i < 30; i++)
			nap();
		peer = sock_dial(&self->trial, self->port);
		pause();
		_exit(peer < 0);
	}
	often.it_interval.tv_usec = 3000;
	often.it_value.tv_usec = 3000;
	setitimer(ITIMER_REAL, &often, NULL);
	err = fast(self->lfd);
	setitimer(ITIMER_REAL, &never, NULL);
	/* ESTALE when a restart came after the second. */
	EXPECT_TRUE(err >= 0 || err == -ESTALE);
	EXPECT_LT(0, alarms);
	end(pid);
}

/* SO_RCVTIMEO ends waiting as in accept4(), and signals then do. */
TEST_F(vfs_rules, timeout)
{
	struct timeval tv = { 0, 50000 };
	int err = -ESTALE;

	ASSERT_EQ(0, setsockopt(self->lfd, SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	for (int i = 0; i < 100 && err == -ESTALE; i++) {
		ASSERT_EQ(0, renew(self->lfd));
		ASSERT_EQ(0, fcntl(self->lfd, F_SETFL, 0));
		err = fast(self->lfd);
		ASSERT_EQ(0, fcntl(self->lfd, F_SETFL, O_NONBLOCK));
	}
	EXPECT_EQ(-EAGAIN, err);
}

/* The pool of kept sockets */

/* Long-lived connections leave; the pool stays within its limit, and goes with
 * the listener, of which nothing is left.
 */
TEST_F(vfs_rules, many_open)
{
	enum { MANY = 1100 };
	struct rlimit limit = { 2 * MANY + 100, 2 * MANY + 100 };
	struct pair *pair = calloc(MANY, sizeof(*pair));
	struct vfs_figures sum;
	int i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, pair_fast(&self->trial, self->lfd, 0, &pair[i]));
	ASSERT_EQ(0, vfs_get(&sum));
	EXPECT_LE(sum.out + sum.rest, 1024);
	EXPECT_LT(0, count(FSK_STAT_VFS_BUSY));
	EXPECT_LT(0, count(FSK_STAT_VFS_FULL));
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(1, write(pair[i].peer, "m", 1));
		ASSERT_EQ(1, read(pair[i].fd, &limit, 1));
		pair_close(&pair[i]);
	}
	close(self->lfd);
	ASSERT_TRUE(until(!vfs_get(&sum) && !sum.pools));
	EXPECT_EQ(0, sum.size + sum.out + sum.rest);
	self->lfd = -1;
	free(pair);
}

static void *thread_close(void *arg)
{
	int *via = arg, fd;

	pin(1);
	while (read(via[0], &fd, sizeof(fd)) == sizeof(fd))
		close(fd);
	return NULL;
}

/* Closed on another CPU, while this one accepts. */
TEST_F_TIMEOUT(vfs_rules, closed_elsewhere, 600)
{
	int rounds = full_run() ? 20000 : 200;
	struct pair pair;
	pthread_t thread;
	int i, via[2];
	char byte;

	if (cpus_online() < 2)
		SKIP(return, "one CPU only");
	ASSERT_EQ(0, pipe(via));
	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_close, via));
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, pair_fast(&self->trial, self->lfd, 0, &pair));
		byte = i;
		ASSERT_EQ(1, write(pair.peer, &byte, 1));
		byte = ~i;
		ASSERT_EQ(1, read(pair.fd, &byte, 1));
		ASSERT_EQ((char)i, byte);
		ASSERT_EQ(sizeof(int), write(via[1], &pair.fd, sizeof(int)));
		sock_reset(pair.peer);
	}
	close(via[1]);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	close(via[0]);
	EXPECT_LT(0, count(FSK_STAT_VFS_REUSE));
}

static int caches_drop(void)
{
	return sysctl_set("vm/drop_caches", "2");
}

TEST_F(vfs_rules, reclaim)
{
	struct vfs_figures sum;
	struct pair pair;

	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
	ASSERT_EQ(0, vfs_get(&sum));
	ASSERT_LT(0, sum.out + sum.rest);
	EXPECT_TRUE(until(!caches_drop() && !vfs_get(&sum) &&
			  !(sum.out + sum.rest)));
	EXPECT_LT(0, count(FSK_STAT_VFS_RECLAIM));
	ASSERT_EQ(1, write(pair.peer, "r", 1));
	ASSERT_EQ(1, read(pair.fd, &sum, 1));
	pair_close(&pair);
	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
	pair_close(&pair);
}

TEST_F(vfs_rules, hotplug)
{
	int cpu = cpus_online() - 1;
	struct vfs_figures sum;
	struct pair pair;

	if (!cpu)
		SKIP(return, "one CPU only");
	ASSERT_EQ(0, pin(cpu));
	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
	unpin();
	ASSERT_EQ(0, cpu_switch(cpu, false));
	EXPECT_EQ(0, vfs_get(&sum));
	EXPECT_EQ(0, sum.out + sum.rest);
	ASSERT_EQ(0, cpu_switch(cpu, true));
	ASSERT_EQ(1, write(pair.peer, "h", 1));
	ASSERT_EQ(1, read(pair.fd, &sum, 1));
	pair_close(&pair);
	ASSERT_EQ(0, pin(cpu));
	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
	pair_close(&pair);
}

/* A process of another memory cgroup pays for its own. */
TEST_F(vfs_rules, memcg)
{
	char path[128], *root, *group;
	uint64_t before;
	struct pair pair;
	int fd, err;
	pid_t pid;

	root = strdup("/tmp/vfs-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(root));
	ASSERT_EQ(0, mount("none", root, "cgroup2", 0, NULL));
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", root);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "+memory", 7) != 7) {
		umount(root);
		SKIP(return, "no memory controller in cgroup2");
	}
	close(fd);
	ASSERT_LT(0, asprintf(&group, "%s/vfs", root));
	ASSERT_EQ(0, mkdir(group, 0755));
	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
	before = count(FSK_STAT_VFS_MEMCG);
	pid = fork_child();
	if (!pid) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", group);
		fd = open(path, O_WRONLY);
		if (fd < 0 || write(fd, "0", 1) != 1)
			_exit(1);
		/* 6.1 forgets the binding where the group has a cpuset, too. */
		if (pin(0))
			_exit(1);
		/* None of the parent's: the first is new. */
		before = count(FSK_STAT_VFS_REUSE);
		err = pair_fast(&self->trial, self->lfd, 0, &pair);
		if (err)
			_exit(-err);
		if (count(FSK_STAT_VFS_REUSE) != before)
			_exit(2);
		_exit(pair_again(&self->trial, self->lfd, 0, &pair) ? 3 : 0);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_LT(before, count(FSK_STAT_VFS_MEMCG));
	pair_close(&pair);
	EXPECT_TRUE(until(!rmdir(group)));
	EXPECT_EQ(0, umount(root));
	rmdir(root);
	free(group);
	free(root);
}

/* Bytes of all slab objects that are in use. */
static long slab_bytes(void)
{
	long used, size, sum = 0;
	char line[512];
	FILE *f = fopen("/proc/slabinfo", "r");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %ld %*d %ld", &used, &size) == 2)
			sum += used * size;
	fclose(f);
	return sum;
}

/* What was given up before has been freed: the kernel waits for that when an
 * interface goes.
 */
static bool all_freed(void)
{
	return !system("ip link add fsk-freed type dummy && "
		       "ip link del fsk-freed");
}

/* In one process, so that its end ends all.  A destination has 28,000 ports. */
static int hold_many(int lfd, bool by_ioctl, int n, long *bytes)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	long before;
	int i, fd;

	to.sin_port = htons(sock_port(lfd));
	if (!all_freed())
		return -EIO;
	before = slab_bytes();
	for (i = 0; i < n; i++) {
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i / 20000);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0 || connect(fd, (void *)&to, sizeof(to)) ||
		    !until(sock_wait(lfd, POLLIN, 0)))
			return -errno;
		fd = by_ioctl ? fast(lfd) : -ESTALE;
		if (fd == -ESTALE)
			fd = accept4(lfd, NULL, NULL, 0);
		if (fd < 0)
			return -errno;
	}
	*bytes = (slab_bytes() - before) / n;
	return 0;
}

/* Nothing is kept for a connection but what the kernel made for it. */
TEST_F_TIMEOUT(vfs_rules, memory, 3600)
{
	int n = full_run() ? 100000 : 3000;
	struct rlimit limit = { 2 * n + 100, 2 * n + 100 };
	long *bytes;
	uint64_t by_ioctl = count(FSK_STAT_VFS_ACCEPT);

	if (variant->trial.family != AF_INET)
		SKIP(return, "the same for all families");
	bytes = mmap(NULL, 2 * sizeof(*bytes), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, bytes);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	/* The first finds caches that are half empty: it doesn't count. */
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork_child();

		if (!pid)
			_exit(hold_many(self->lfd, i % 2, n, &bytes[i % 2]) ?
			      1 : 0);
		ASSERT_EQ(0, reap(pid));
	}
	EXPECT_LT(by_ioctl + n / 2, count(FSK_STAT_VFS_ACCEPT));
	TH_LOG("%d idle connections, both ends: %ld bytes, %ld by accept4()",
	       n, bytes[1], bytes[0]);
	EXPECT_LT(3000, bytes[0]);
	EXPECT_LE(bytes[1], bytes[0] + bytes[0] / 20);
}

TEST_HARNESS_MAIN
