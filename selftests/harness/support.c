// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces, sockets, binding and waiting for the test programs.
 */
#include "support.h"

#include "counters.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/fastsocket.h>

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

void nap(void)
{
	usleep(2000);
}

#define NETSTAT	"/proc/net/netstat"

/* `selftests/run all` asks for the long versions. */
bool full_run(void)
{
	const char *word = getenv("FSK_TEST_FULL");

	return word && *word == '1';
}

/* Return: references on the module, or -1 when it isn't loaded. */
long module_refs(void)
{
	FILE *file = fopen("/sys/module/fastsocket/refcnt", "r");
	long refs = -1;

	if (file && fscanf(file, "%ld", &refs) != 1)
		refs = -1;
	if (file)
		fclose(file);
	return refs;
}

int module_unload(void)
{
	return syscall(SYS_delete_module, "fastsocket", O_NONBLOCK) ?
	       -errno : 0;
}

int module_load(void)
{
	const char *given = getenv("FSK_TEST_MODULE");
	const char *top = getenv("FSK_TEST_TOP");
	struct utsname name;
	char path[512];
	int fd, err;

	uname(&name);
	if (given)
		snprintf(path, sizeof(path), "%s", given);
	else
		snprintf(path, sizeof(path), "%s/build/kmod/%s/fastsocket.ko",
			 top ? top : ".", name.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return err;
}

/**
 * fault_count() - number of faults to make
 * @quick: in the short version
 * @full: in the long one
 *
 * Return: one of them, or what FSK_FAULTS says.
 */
int fault_count(int quick, int full)
{
	const char *word = getenv("FSK_FAULTS");

	return word ? atoi(word) : full_run() ? full : quick;
}

/**
 * file_write() - write a text to a file of the kernel's
 * @path: the file
 * @text: goes there by one call
 *
 * Return: 0 or a negative errno.
 */
int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int sysctl_set(const char *name, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	return file_write(path, value);
}

/**
 * net_enter() - a new network namespace with its loopback interface up
 *
 * Emulated CPUs stall, so no worker counts as late until the test sets when.
 *
 * Return: 0 or a negative errno.
 */
int net_enter(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd, err = 0;

	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &ifr))
		err = -errno;
	ifr.ifr_flags |= IFF_UP;
	if (!err && ioctl(fd, SIOCSIFFLAGS, &ifr))
		err = -errno;
	close(fd);
	/* This fails without the module, where no worker gets help. */
	late_set_ms(FSK_LATE_MS_MAX);
	return err;
}

/* The caller's namespace, to return to. */
int net_fd(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/**
 * net_switch() - enter a network namespace
 * @net: from net_fd(), called in that namespace
 *
 * Return: 0 or a negative errno.
 */
int net_switch(int net)
{
	return setns(net, CLONE_NEWNET) ? -errno : 0;
}

/**
 * slab_objects() - number of objects in use in a slab cache
 * @name: of the cache; it is told to give back what it keeps for reuse
 *
 * Return: objects, or -1 where this kernel does not tell.
 */
long slab_objects(const char *name)
{
	char path[128];
	long n = -1;
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return -1;
	close(fd);
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/objects", name);
	file = fopen(path, "r");
	if (file && fscanf(file, "%ld", &n) != 1)
		n = -1;
	if (file)
		fclose(file);
	return n;
}

/**
 * netstat() - a counter of this network namespace's TCP, as nstat(8) shows it
 * @name: without its prefix
 *
 * Return: the counter, or -1 where there is none of that name.
 */
long netstat(const char *name)
{
	static char names[8192], values[8192];
	char *n, *v, *save_n, *save_v;
	long found = -1;
	FILE *file = fopen(NETSTAT, "r");

	/* A line of names is followed by a line of values. */
	while (file && found < 0 && fgets(names, sizeof(names), file) &&
	       fgets(values, sizeof(values), file)) {
		n = strtok_r(names, "\n ", &save_n);
		v = strtok_r(values, "\n ", &save_v);
		while (n && v && strcmp(n, name)) {
			n = strtok_r(NULL, "\n ", &save_n);
			v = strtok_r(NULL, "\n ", &save_v);
		}
		if (n && v)
			found = atol(v);
	}
	if (file)
		fclose(file);
	return found;
}

int cpus_online(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

/**
 * pin_task() - bind a task
 * @tid: the task, 0 for the caller
 * @cpu: the one CPU that it may run on, or UNBOUND
 *
 * Return: 0 or a negative errno.
 */
int pin_task(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu == UNBOUND)
		memset(&set, 0xff, sizeof(set));
	else
		CPU_SET(cpu, &set);
	return sched_setaffinity(tid, sizeof(set), &set) ? -errno : 0;
}

int pin(int cpu)
{
	return pin_task(0, cpu);
}

/**
 * pin_mask() - bind the calling task to some CPUs
 * @mask: as bits, the lowest numbers
 *
 * Return: 0 or a negative errno.
 */
int pin_mask(unsigned long mask)
{
	cpu_set_t set;
	int cpu;

	CPU_ZERO(&set);
	for (cpu = 0; cpu < (int)(8 * sizeof(mask)); cpu++)
		if (mask & 1UL << cpu)
			CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

void unpin(void)
{
	pin_task(0, UNBOUND);
}

/**
 * cpu_switch() - take a CPU offline, or bring it back
 * @cpu: any but the first
 * @on: back
 *
 * Return: 0 or a negative errno.
 */
int cpu_switch(int cpu, bool on)
{
	char path[80];
	int fd, n;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online",
		 cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	n = write(fd, on ? "1" : "0", 1);
	close(fd);
	return n == 1 ? 0 : -errno;
}

/**
 * join() - set the ULP
 * @fd: any socket
 *
 * Return: 0 or a negative errno.
 */
int join(int fd)
{
	if (setsockopt(fd, SOL_TCP, TCP_ULP, "fastsocket", 10))
		return -errno;
	return 0;
}

bool joined(int fd)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	if (getsockopt(fd, SOL_TCP, TCP_ULP, name, &len))
		return false;
	return len && !strcmp(name, "fastsocket");
}

/**
 * prime() - have the source port chosen by the module
 * @fd: any socket
 *
 * Return: 0 or a negative errno.
 */
int prime(int fd)
{
	int primed = setsockopt(fd, SOL_TCP, TCP_ULP, FSK_ULP_RFD_NAME,
				strlen(FSK_ULP_RFD_NAME));

	return primed == FSK_RFD_PRIMED ? 0 : -errno;
}

/**
 * sock_addr() - an address
 * @ss: to be filled
 * @family: AF_INET or AF_INET6
 * @port: host byte order
 * @loopback: or the wildcard
 *
 * Return: its length.
 */
socklen_t sock_addr(struct sockaddr_storage *ss, int family, int port,
		    bool loopback)
{
	struct sockaddr_in6 *sin6 = (void *)ss;
	struct sockaddr_in *sin = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET) {
		sin->sin_port = htons(port);
		sin->sin_addr.s_addr = htonl(loopback ? INADDR_LOOPBACK :
						INADDR_ANY);
		return sizeof(*sin);
	}
	sin6->sin6_port = htons(port);
	sin6->sin6_addr = loopback ? in6addr_loopback : in6addr_any;
	return sizeof(*sin6);
}

int sock_port(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (void *)&ss, &len))
		return -errno;
	/* At the same place in both families. */
	return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

int sock_make(const struct trial *p)
{
	int fd = socket(p->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int off = !p->dual;
	int on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (p->family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	return fd;
}

int sock_bind(const struct trial *p, int fd, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = sock_addr(&ss, p->family, port, false);

	return bind(fd, (void *)&ss, len) ? -errno : 0;
}

/**
 * sock_listen() - a listener on a free port of the wildcard address
 * @p: where, and whether it joins
 * @backlog: for listen()
 *
 * Return: a descriptor or a negative errno.
 */
int sock_listen(const struct trial *p, int backlog)
{
	int fd = sock_make(p);
	int err;

	if (fd < 0)
		return fd;
	err = sock_bind(p, fd, 0);
	if (!err && listen(fd, backlog))
		err = -errno;
	if (!err && p->join)
		err = join(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int sock_connect(const struct trial *p, int port, int flags)
{
	int family = p->dual ? AF_INET : p->family;
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, err;

	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0)
		return -errno;
	len = sock_addr(&ss, family, port, true);
	if (!connect(fd, (void *)&ss, len) || errno == EINPROGRESS)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/**
 * sock_dial() - connect over the loopback interface
 * @p: where the listener is
 * @port: its port
 *
 * The packets arrive on the CPU that they are sent from.
 *
 * Return: a connected descriptor or a negative errno.
 */
int sock_dial(const struct trial *p, int port)
{
	return sock_connect(p, port, 0);
}

int sock_dial_nowait(const struct trial *p, int port)
{
	return sock_connect(p, port, SOCK_NONBLOCK);
}

/**
 * sock_dial_fast() - connect with data in the SYN, if there is a cookie
 * @p: where the listener is
 * @port: its port
 *
 * Return: a descriptor, on which "x" has been sent, or a negative errno.
 */
int sock_dial_fast(const struct trial *p, int port)
{
	int family = p->dual ? AF_INET : p->family;
	struct sockaddr_storage to;
	socklen_t len = sock_addr(&to, family, port, true);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&to, len) == 1)
		return fd < 0 ? -errno : fd;
	close(fd);
	return -errno;
}

static int dial(int fd, const struct sockaddr_storage *to, socklen_t len)
{
	int err;

	if (fd < 0 || !connect(fd, (void *)to, len))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/**
 * plain_dial() - connect
 * @to: where to
 * @len: of @to
 *
 * Return: a connected descriptor or a negative errno.
 */
int plain_dial(const struct sockaddr_storage *to, socklen_t len)
{
	int fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : dial(fd, to, len);
}

/* A primed socket, or a negative errno. */
int rfd_make(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = fd < 0 ? -errno : prime(fd);

	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

/**
 * rfd_dial() - connect by a primed socket
 * @to: where to
 * @len: of @to
 *
 * Return: a connected descriptor or a negative errno.
 */
int rfd_dial(const struct sockaddr_storage *to, socklen_t len)
{
	return dial(rfd_make(to->ss_family), to, len);
}

bool sock_refused(const struct trial *p, int port)
{
	int fd = sock_dial(p, port);

	if (fd >= 0)
		close(fd);
	return fd == -ECONNREFUSED;
}

bool sock_wait(int fd, short events, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, ms) == 1 && pfd.revents & events;
}

/**
 * sock_accept() - accept within a time limit
 * @fd: a listener
 *
 * Polls without waiting, which claims no core.  Nor does accept() when the
 * caller is not bound or the listener does not block.
 *
 * Return: a descriptor or a negative errno.
 */
int sock_accept(int fd)
{
	int child;

	if (!until(sock_wait(fd, POLLIN, 0)))
		return -ETIMEDOUT;
	child = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	return child < 0 ? -errno : child;
}

/**
 * sock_accept_fast() - FSK_IOC_ACCEPT
 * @fd: anything
 * @flags: SOCK_*
 * @addr: where the peer's address goes, or NULL
 * @len: its size, and length
 *
 * Return: a descriptor or a negative errno.
 */
int sock_accept_fast(int fd, int flags, void *addr, socklen_t *len)
{
	struct fsk_accept arg = {
		.addr = (uintptr_t)addr,
		.addrlen = (uintptr_t)len,
		.flags = flags,
	};
	int child = ioctl(fd, FSK_IOC_ACCEPT, &arg);

	return child < 0 ? -errno : child;
}

/**
 * sock_claim() - make the caller the worker of a core
 * @fd: a listener with an empty queue
 * @cpu: where the caller is bound from now on
 *
 * Waits a moment in vain.  Only on a joined listener is that a claim.
 *
 * Return: whether that went as expected.
 */
bool sock_claim(int fd, int cpu)
{
	return !pin(cpu) && !sock_wait(fd, POLLIN, 1);
}

/* Return: 0 or a negative errno. */
int sock_set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

/* Return: the option's value or a negative errno. */
int sock_get(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return getsockopt(fd, level, name, &value, &len) ? -errno : value;
}

/* Return: 0 or a negative errno. */
int sock_disconnect(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	return connect(fd, &none, sizeof(none)) ? -errno : 0;
}

/* Closes by a reset, which leaves no TIME_WAIT behind. */
void sock_reset(int fd)
{
	struct linger hard = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
}

/* Forks a child that ends with the test, also when the time limit kills it. */
pid_t fork_child(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	return 0;
}

/* Return: the exit status, or 128 and the signal. */
int reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

void end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	reap(pid);
}

/* Stop a child, and wait until it is: a task that is about to stop still ends
 * the call that it is in.
 */
int halt(pid_t pid)
{
	int status;

	if (kill(pid, SIGSTOP) || waitpid(pid, &status, WUNTRACED) != pid)
		return -errno;
	return WIFSTOPPED(status) ? 0 : -ESRCH;
}

/* Prints a file to stderr. */
void tell_file(const char *path)
{
	char buf[4096] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (read(fd, buf, sizeof(buf) - 1) > 0)
		fprintf(stderr, "# %s\n%s", path, buf);
	close(fd);
}

/* Prints to stderr where in the kernel a process's tasks are.  For root. */
void tell_tasks(int pid)
{
	char path[300];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		if (*d->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/syscall", pid,
			 d->d_name);
		tell_file(path);
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stack", pid,
			 d->d_name);
		tell_file(path);
	}
	if (dir)
		closedir(dir);
}
