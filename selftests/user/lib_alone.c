// SPDX-License-Identifier: GPL-2.0
/*
 * The preload library where this program answers for the module: its
 * getsockopt(), setsockopt() and ioctl() are the library's, too. By them each
 * listener has joined, and each thread that waits is bound to the first of its
 * CPUs. Prints what is wrong; the exit status says whether anything is.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>
#include <unistd.h>

#define TCP_ULP	31

static int wrong;
static int cpus;	/* of this process */

#define CHECK(condition) do {						\
	if (!(condition)) {						\
		printf("line %d: %s\n", __LINE__, #condition);		\
		wrong = 1;						\
	}								\
} while (0)

/* By the kernel's own answer, which the library can't change. */
static int true_cpus(cpu_set_t *set)
{
	CPU_ZERO(set);
	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof(*set), set) > 0);
	return CPU_COUNT(set);
}

static int count_cpus(void)
{
	cpu_set_t set;

	return true_cpus(&set);
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	if (level != IPPROTO_TCP || option != TCP_ULP)
		return syscall(SYS_getsockopt, fd, level, option, value, len);
	memcpy(value, "fastsocket", sizeof("fastsocket"));
	return 0;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	if (level != IPPROTO_TCP || option != TCP_ULP)
		return syscall(SYS_setsockopt, fd, level, option, value, len);
	return 0;
}

/* FSK_IOC_PIN is all that the library asks here. */
int ioctl(int fd, unsigned long request, ...)
{
	cpu_set_t set;
	va_list list;
	uint32_t *cpu;

	(void)fd;
	va_start(list, request);
	cpu = va_arg(list, uint32_t *);
	va_end(list);
	true_cpus(&set);
	for (*cpu = 0; !CPU_ISSET(*cpu, &set); (*cpu)++)
		;
	return 0;
}

static int listener(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fd >= 0 && !listen(fd, 5));
	return fd;
}

static void be_bound(void)
{
	struct pollfd waits = { .fd = listener(), .events = POLLIN };

	CHECK(!poll(&waits, 1, 0));
	CHECK(count_cpus() == 1);
}

static void *count_in_thread(void *arg)
{
	*(int *)arg = count_cpus();
	return NULL;
}

static int count_in_thrd(void *arg)
{
	*(int *)arg = count_cpus();
	return 0;
}

static int thread_cpus(const pthread_attr_t *attr)
{
	pthread_t thread;
	int count = 0;

	CHECK(!pthread_create(&thread, attr, count_in_thread, &count));
	CHECK(!pthread_join(thread, NULL));
	return count;
}

/* A bound thread makes others, and stays bound itself. */
static void check_threads(void)
{
	pthread_attr_t attr;
	int count = 0;
	thrd_t thread;

	be_bound();
	errno = 4242;
	CHECK(thread_cpus(NULL) == cpus);
	CHECK(!pthread_attr_init(&attr));
	CHECK(thread_cpus(&attr) == cpus);
	CHECK(thrd_create(&thread, count_in_thrd, &count) == thrd_success);
	CHECK(thrd_join(thread, NULL) == thrd_success && count == cpus);
	CHECK(count_cpus() == 1 && errno == 4242);
#ifndef __GLIBC__
	CHECK(!dlerror());	/* glibc's forgets older errors */
#endif
}

/* The CPUs that the program has chosen for all its threads. */
static void check_default_attr(void)
{
#ifdef __GLIBC__
	pthread_attr_t attr;
	cpu_set_t set;

	true_cpus(&set);
	for (int cpu = 0; CPU_COUNT(&set) > 1; cpu++)
		CPU_CLR(cpu, &set);
	CHECK(!pthread_attr_init(&attr));
	CHECK(!pthread_attr_setaffinity_np(&attr, sizeof(set), &set));
	CHECK(!pthread_setattr_default_np(&attr));
	be_bound();
	CHECK(thread_cpus(NULL) == 1);
#endif
}

static void check_child(pid_t child)
{
	int status = -1;

	if (!child)
		_exit(count_cpus() != cpus);
	CHECK(child > 0 && waitpid(child, &status, 0) == child && !status);
	CHECK(count_cpus() == 1);
}

/* Older headers do not declare it. */
pid_t only_fork(void)
	__asm__("_Fork");

static void check_forks(void)
{
	be_bound();
	check_child(fork());
	check_child(only_fork());
}

/* What a child by vfork() does to itself, it does not do to its parent. */
static void check_vfork(void)
{
	int status = -1;
	cpu_set_t all;
	pid_t child;

	true_cpus(&all);
	be_bound();
	child = vfork();
	if (!child)
		_exit(sched_setaffinity(0, sizeof(all), &all) ? 1 : 0);
	CHECK(waitpid(child, &status, 0) == child && !status);
	CHECK(count_cpus() == 1 && thread_cpus(NULL) == cpus);
}

/* A bound thread is told of all its CPUs, until it chooses some. */
static void check_told(void)
{
	pid_t self = syscall(SYS_gettid);
	cpu_set_t set;

	be_bound();
	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	CHECK(CPU_COUNT(&set) == cpus);
	CHECK(!sched_getaffinity(self, sizeof(set), &set));
	CHECK(CPU_COUNT(&set) == cpus);
	true_cpus(&set);
	CHECK(!sched_setaffinity(self, sizeof(set), &set));
	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	CHECK(CPU_COUNT(&set) == 1 && thread_cpus(NULL) == 1);
}

/* A filter of its own ends the program for a call that it does not make. */
static void check_sandbox(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = 4, .filter = filter };
	pid_t self = syscall(SYS_gettid);
	cpu_set_t set;

	be_bound();
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
	CHECK(!sched_getaffinity(self, sizeof(set), &set));
	CHECK(!sched_setaffinity(0, sizeof(set), &set));
	CHECK(!sched_setaffinity(self, sizeof(set), &set));
}

static void be_stderr(int fd)
{
	CHECK(fd >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
}

static int pending(int sig)
{
	sigset_t set;

	CHECK(!sigpending(&set));
	return sigismember(&set, sig);
}

static void block(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK(!sigprocmask(how, &set, NULL));
}

/* Nobody reads the log any more. What the program has pending stays so. */
static void check_log_pipe(void)
{
	int pipes[2];

	CHECK(!pipe(pipes) && !close(pipes[0]));
	be_stderr(pipes[1]);
	listener();
	block(SIG_BLOCK, SIGPIPE);
	listener();
	CHECK(!pending(SIGPIPE));
	block(SIG_UNBLOCK, SIGPIPE);
	listener();
	block(SIG_BLOCK, SIGPIPE);
	raise(SIGPIPE);
	listener();
	CHECK(pending(SIGPIPE));
}

/* The log's file may not grow. */
static void check_log_size(void)
{
	struct rlimit none = { 0 };

	be_stderr(fileno(tmpfile()));
	CHECK(!setrlimit(RLIMIT_FSIZE, &none));
	listener();
}

/* The log's terminal is another job's, and stops who writes. */
static void write_behind(const char *name)
{
	struct termios how;
	int fd;

	CHECK(setsid() > 0);
	fd = open(name, O_RDWR);
	CHECK(fd >= 0 && !tcgetattr(fd, &how));
	how.c_lflag |= TOSTOP;
	CHECK(!tcsetattr(fd, TCSANOW, &how));
	be_stderr(fd);
	if (!fork()) {
		CHECK(!setpgid(0, 0));
		listener();
		_exit(wrong);
	}
	CHECK(waitpid(-1, &fd, WUNTRACED) > 0 && !fd);
	_exit(wrong);
}

static void check_log_terminal(void)
{
	int status = -1, fd = posix_openpt(O_RDWR | O_NOCTTY);
	pid_t child;

	CHECK(fd >= 0 && !grantpt(fd) && !unlockpt(fd));
	child = fork();
	if (!child)
		write_behind(ptsname(fd));
	CHECK(waitpid(child, &status, 0) == child && !status);
}

static volatile int listened;

static void *listen_cancelled(void *arg)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	pthread_cancel(pthread_self());
	listened = !listen(fd, 5);
	pthread_testcancel();
	return arg;
}

/* listen() is no cancellation point. */
static void check_log_cancel(void)
{
	pthread_t thread;
	void *end;

	be_stderr(open("/dev/null", O_WRONLY));
	CHECK(!pthread_create(&thread, NULL, listen_cancelled, NULL));
	CHECK(!pthread_join(thread, &end));
	CHECK(end == PTHREAD_CANCELED && listened);
}

static const struct {
	const char *name;
	void (*run)(void);
} checks[] = {
	{ "threads", check_threads },
	{ "default-attr", check_default_attr },
	{ "forks", check_forks },
	{ "vfork", check_vfork },
	{ "told", check_told },
	{ "sandbox", check_sandbox },
	{ "log-pipe", check_log_pipe },
	{ "log-size", check_log_size },
	{ "log-terminal", check_log_terminal },
	{ "log-cancel", check_log_cancel },
};

int main(int argc, char **argv)
{
	CHECK(!errno && argc == 2);
	cpus = count_cpus();
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if (!strcmp(argv[1], checks[i].name))
			checks[i].run();
	return wrong;
}
