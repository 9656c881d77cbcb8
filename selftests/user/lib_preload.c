// SPDX-License-Identifier: GPL-2.0
/*
 * What lib_preload.py can't do: listen() before main(), errno, thread
 * attributes, a kernel that answers as the test wants. Prints what is wrong;
 * the exit status says whether anything is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static int early = -1;
static int wrong;

#define CHECK(condition) do {						\
	if (!(condition)) {						\
		printf("line %d: %s\n", __LINE__, #condition);		\
		wrong = 1;						\
	}								\
} while (0)

static int listener(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	errno = 4242;
	CHECK(!listen(fd, 5));
	CHECK(errno == 4242);
	return fd;
}

/* Before all constructors of the library, if it has any. */
__attribute__((constructor(101))) static void listen_early(void)
{
	early = listener();
}

static int joined(int fd)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	CHECK(!getsockopt(fd, IPPROTO_TCP, 31, name, &len));
	return !strcmp(name, "fastsocket");
}

/* listen() as ever: results, errno, and the next one's too. */
static void check_listen(int expect)
{
	int pipes[2], fd;
	pid_t child;

	CHECK(joined(early) == expect);
	fd = listener();
	CHECK(joined(fd) == expect);
	CHECK(!listen(fd, 0) && joined(fd) == expect);
	CHECK(!listen(fd, 2147483647) && joined(fd) == expect);
	CHECK(listen(-1, 5) == -1 && errno == EBADF);
	CHECK(!pipe(pipes));
	CHECK(listen(pipes[0], 5) == -1 && errno == ENOTSOCK);
	child = vfork();
	if (!child) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		_exit(listen(fd, 5) || joined(fd) != expect);
	}
	CHECK(waitpid(child, &fd, 0) == child && fd == 0);
}

static void *count_cpus(void *arg)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	syscall(SYS_sched_getaffinity, 0, sizeof(set), &set);
	*(int *)arg = CPU_COUNT(&set) == 1 && CPU_ISSET(1, &set);
	return NULL;
}

/* A bound thread makes one whose CPUs the program has chosen. */
static void check_attr(void)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	int fd = listener();
	pthread_attr_t attr;
	pthread_t thread;
	int right = 0;
	cpu_set_t set;

	CHECK(!getsockname(fd, (struct sockaddr *)&addr, &len));
	CHECK(!connect(socket(AF_INET, SOCK_STREAM, 0),
		       (struct sockaddr *)&addr, len));
	CHECK(accept(fd, NULL, NULL) >= 0);
	/* It is not told itself, by either call. */
	CPU_ZERO(&set);
	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof(set), &set) > 0);
	CHECK(CPU_COUNT(&set) == 1);
	CHECK(!pthread_getaffinity_np(pthread_self(), sizeof(set), &set));
	CHECK(CPU_COUNT(&set) > 1);
	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	CHECK(CPU_COUNT(&set) > 1);
	CPU_ZERO(&set);
	CPU_SET(1, &set);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	CHECK(!pthread_create(&thread, &attr, count_cpus, &right));
	pthread_join(thread, NULL);
	CHECK(right);
}

/* The library's setsockopt() is this one: it counts attempts to prime before
 * connect(), and answers with an error if there is one, or with success, as
 * there may be no module.
 */
static int tries;
static int answer = -1;

int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	if (level != IPPROTO_TCP || option != 31 ||
	    len != strlen("fastsocket-rfd") ||
	    memcmp(value, "fastsocket-rfd", len))
		return syscall(SYS_setsockopt, fd, level, option, value, len);
	tries++;
	if (answer < 0)
		return syscall(SYS_setsockopt, fd, level, option, value, len);
	errno = answer ? answer : errno;
	return answer ? -1 : 1;	/* FSK_RFD_PRIMED */
}

/* A listener that takes more than ever come here. */
static struct sockaddr_in target(void)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	int fd = listener();

	CHECK(!listen(fd, 4096));
	CHECK(!getsockname(fd, (struct sockaddr *)&addr, &len));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return addr;
}

/* A connection to @addr; errno is kept. */
static int connected(struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	errno = 4242;
	CHECK(!connect(fd, (struct sockaddr *)addr, sizeof(*addr)));
	CHECK(errno == 4242);
	return fd;
}

/* Each address family, kind of socket and call: how often it tried. */
static void check_connect_calls(int each)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/none" };
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_in addr = target();
	struct sockaddr_in6 six = {
		.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
		.sin6_port = htons(1),
	};
	int fd = connected(&addr);

	CHECK(tries == each);
	CHECK(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1 &&
	      errno == EISCONN);
	CHECK(tries == 2 * each);
	tries = 0;
	CHECK(!connect(fd, &none, sizeof(none)) && !tries);
	CHECK(connect(fd, NULL, 0) == -1 && errno == EINVAL && !tries);
	CHECK(connect(fd, NULL, 16) == -1 && errno == EFAULT && !tries);
	CHECK(connect(fd, (struct sockaddr *)&addr, 8) == -1 && !tries);
	CHECK(connect(-1, (struct sockaddr *)&addr, sizeof(addr)) == -1 &&
	      errno == EBADF && tries == each);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	tries = 0;
	CHECK(connect(fd, (struct sockaddr *)&un, sizeof(un)) == -1 &&
	      errno == ENOENT && !tries);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK(connect(fd, (struct sockaddr *)&six, sizeof(six)) == -1 &&
	      errno == ECONNREFUSED && tries == each);
	tries = 0;
	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	CHECK(fd < 0 || !connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(!connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
	tries = 0;
}

/* Fast Open connects by the calls that send; otherwise these are left alone. */
static void check_connect_sends(int each)
{
	struct sockaddr_in addr = target();
	struct iovec vec = { .iov_base = "x", .iov_len = 1 };
	struct mmsghdr msgs[2] = { {
		.msg_hdr.msg_name = &addr,
		.msg_hdr.msg_namelen = sizeof(addr),
		.msg_hdr.msg_iov = &vec,
		.msg_hdr.msg_iovlen = 1,
	} };
	int flags = MSG_FASTOPEN | MSG_NOSIGNAL;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	msgs[1].msg_hdr = msgs[0].msg_hdr;
	tries = 0;
	CHECK(sendto(fd, "x", 1, flags, (struct sockaddr *)&addr,
		     sizeof(addr)) == 1 && tries == each);
	CHECK(sendto(fd, "x", 1, MSG_NOSIGNAL, NULL, 0) == 1);
	CHECK(send(fd, "x", 1, MSG_NOSIGNAL) == 1 && tries == each);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(sendmsg(fd, &msgs->msg_hdr, flags) == 1 && tries == 2 * each);
	CHECK(sendmsg(fd, &msgs->msg_hdr, 0) == 1 && tries == 2 * each);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(sendmmsg(fd, msgs, 1, flags) == 1 && tries == 3 * each);
	CHECK(sendmmsg(fd, msgs, 2, 0) == 2 && tries == 3 * each);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(sendto(fd, "x", 1, 0, (struct sockaddr *)&addr,
		     sizeof(addr)) == 1 && tries == 3 * each);
	tries = 0;
}

/* By the clock of the library's pauses. */
static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

/* How often it may be asked in that time: at once, after a second or two, and
 * each pause is twice as long as the last one.
 */
static int tries_within(time_t seconds)
{
	int most = 1;

	for (time_t pause = 1; seconds > pause; pause *= 2) {
		seconds -= pause + 1;
		most++;
	}
	return most;
}

/* Where the kernel does not know the option it is asked once in a while, and
 * again for each socket once it does.
 */
static void check_connect_pause(int err)
{
	struct sockaddr_in addr = target();
	time_t begin = now_s(), end;
	int refused;

	answer = err;
	tries = 0;
	for (int i = 0; i < 100; i++)
		close(connected(&addr));
	refused = tries;
	CHECK(refused >= 1 && refused <= tries_within(now_s() - begin));
	answer = 0;
	end = now_s() + 70;
	while (tries == refused && now_s() < end) {
		usleep(20000);
		close(connected(&addr));
	}
	for (int i = 0; i < 10; i++)
		close(connected(&addr));
	CHECK(tries == refused + 11);
}

/* What one socket is refused others are not. */
static void check_connect_errors(void)
{
	static const int errors[] = {
		EEXIST, EOPNOTSUPP, ENOPROTOOPT, EISCONN, EINVAL, ENOMEM,
	};
	struct sockaddr_in addr = target();

	tries = 0;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		answer = errors[i];
		close(connected(&addr));
	}
	CHECK(tries == sizeof(errors) / sizeof(*errors));
}

static void check_connect(int each)
{
	answer = 0;
	check_connect_calls(each);
	check_connect_sends(each);
	if (!each)
		return;
	check_connect_errors();
	check_connect_pause(ENOENT);
	check_connect_pause(EPERM);
}

/* Prints how often a socket was to be primed for ports 7001, 7002. */
static void check_connect_ports(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int counts[2];

	answer = 0;
	for (int i = 0; i < 2; i++) {
		tries = 0;
		addr.sin_port = htons(7001 + i);
		CHECK(connect(socket(AF_INET, SOCK_STREAM, 0),
			      (struct sockaddr *)&addr, sizeof(addr)) == -1);
		counts[i] = tries;
	}
	printf("%d %d\n", counts[0], counts[1]);
}

/* For strace: ten connections, by the true setsockopt(). */
static void connect_ten(void)
{
	struct sockaddr_in addr = target();

	for (int i = 0; i < 10; i++)
		close(connected(&addr));
}

/* Connects to a listener and accepts; the bytes sent must arrive. */
static int accept_one(int fd, int flags)
{
	struct sockaddr_in name, peer = { 0 }, mine = { 0 };
	socklen_t len = sizeof(name);
	int to = socket(AF_INET, SOCK_STREAM, 0), got;
	char byte = 'a';

	CHECK(!getsockname(fd, (struct sockaddr *)&name, &len));
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(!connect(to, (struct sockaddr *)&name, sizeof(name)));
	CHECK(!getsockname(to, (struct sockaddr *)&mine, &len));
	got = flags < 0 ? accept(fd, (struct sockaddr *)&peer, &len) :
			  accept4(fd, (struct sockaddr *)&peer, &len, flags);
	CHECK(got >= 0 && len == sizeof(peer));
	CHECK(peer.sin_port == mine.sin_port &&
	      peer.sin_addr.s_addr == mine.sin_addr.s_addr);
	CHECK(write(to, &byte, 1) == 1 && recv(got, &byte, 1, 0) == 1);
	if (flags >= 0)
		CHECK(!!(fcntl(got, F_GETFD) & FD_CLOEXEC) ==
		      !!(flags & SOCK_CLOEXEC));
	close(to);
	return close(got);
}

static void bind_to_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CHECK(!sched_setaffinity(0, sizeof(set), &set));
}

static volatile int cleaned;

static void clean(void *arg)
{
	(void)arg;
	cleaned = 1;
}

static volatile int waiting;

static void *wait_cancelled(void *arg)
{
	pthread_cleanup_push(clean, NULL);
	waiting = 1;
	accept(*(int *)arg, NULL, NULL);
	pthread_cleanup_pop(0);
	return NULL;
}

/* Results as without the library, and accept() is a cancellation point. */
static void check_accept(void)
{
	struct timespec moment = { 0, 50000000 };
	int fd, type, pipes[2];
	pthread_t thread;
	void *end;

	bind_to_cpu();
	fd = listener();
	for (int i = 0; i < 100; i++) {
		accept_one(fd, -1);
		accept_one(fd, i & 1 ? SOCK_CLOEXEC : 0);
	}
	CHECK(accept4(fd, NULL, NULL, 1) == -1 && errno == EINVAL);
	CHECK(accept(-1, NULL, NULL) == -1 && errno == EBADF);
	CHECK(!pipe(pipes));
	CHECK(accept(pipes[0], NULL, NULL) == -1 && errno == ENOTSOCK);
	CHECK(!fcntl(fd, F_SETFL, O_NONBLOCK));
	CHECK(accept(fd, NULL, NULL) == -1 && errno == EAGAIN);
	CHECK(accept(fd, NULL, NULL) == -1 && errno == EAGAIN);
	CHECK(!pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type));
	CHECK(type == PTHREAD_CANCEL_DEFERRED);
	CHECK(!fcntl(fd, F_SETFL, 0));
	CHECK(!pthread_create(&thread, NULL, wait_cancelled, &fd));
	while (!waiting)
		sched_yield();
	nanosleep(&moment, NULL);
	CHECK(!pthread_cancel(thread));
	CHECK(!pthread_join(thread, &end));
	CHECK(end == PTHREAD_CANCELED && cleaned);
}

/* Accepts until it may not any more, and tells when the last call that could
 * had begun, in milliseconds: it may have stood still since. The port is 7001.
 */
static void accept_until_denied(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), got;
	struct timespec now, last = { 0 };

	bind_to_cpu();
	name.sin_port = htons(7001);
	CHECK(!bind(fd, (struct sockaddr *)&name, sizeof(name)));
	CHECK(!listen(fd, 100));
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		got = accept(fd, NULL, NULL);
		if (got < 0)
			break;
		last = now;
		close(got);
	}
	CHECK(errno == EACCES);
	printf("%lld\n", last.tv_sec * 1000LL + last.tv_nsec / 1000000);
}

/* Pointers that no call may follow: none, a wild one, one into a page that
 * can't be read, and three to objects that reach into it.
 */
static void *bad_pointers[6];

static void bad_pages(void)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(1),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED && !munmap(page + 4096, 4096));
	memcpy(page + 4096 - 8, &in, 8);
	bad_pointers[0] = NULL;
	bad_pointers[1] = (void *)0xdeadbeef000;
	bad_pointers[2] = page + 4096;
	bad_pointers[3] = page + 4096 - 8;
	bad_pointers[4] = page + 4096 - 4;
	bad_pointers[5] = (void *)-8L;
}

static void told(const char *what, int i, int ret)
{
	int err = ret < 0 ? errno : 0;

	printf("%s(%d) = %d, %d\n", what, i, ret, err);
}

static void bad_sends(int fd, int i, void *at)
{
	struct msghdr msg = { .msg_name = at, .msg_namelen = 16 };
	struct mmsghdr msgs = { .msg_hdr = msg };

	told("connect", i, connect(fd, at, 16));
	told("connect long", i, connect(fd, at, 28));
	told("connect longer", i, connect(fd, at, 4096));
	told("connect negative", i, connect(fd, at, -1));
	told("connect short", i, connect(fd, at, 8));
	told("sendto", i, sendto(fd, "x", 1, MSG_FASTOPEN, at, 16));
	told("sendmsg", i, sendmsg(fd, at, MSG_FASTOPEN));
	told("sendmsg name", i, sendmsg(fd, &msg, MSG_FASTOPEN));
	told("sendmmsg", i, sendmmsg(fd, at, 1, MSG_FASTOPEN));
	told("sendmmsg name", i, sendmmsg(fd, &msgs, 1, MSG_FASTOPEN));
}

static void bad_waits(int i, void *at)
{
	volatile nfds_t too_many = -1;	/* or the compiler warns */
	struct pollfd nobody = { .fd = -1 };
	struct timespec at_once = { 0 };
	struct timeval none = { 0 };

	told("poll", i, poll(at, 2, 0));
	told("poll many", i, poll(at, 60000, 0));
	told("poll too many", i, poll(at, too_many, 0));
	told("ppoll", i, ppoll(at, 2, &at_once, NULL));
	told("ppoll mask", i, ppoll(&nobody, 1, &at_once, at));
	told("pselect mask", i, pselect(0, NULL, NULL, NULL, &at_once, at));
	told("select", i, select(1024, at, NULL, NULL, &none));
	told("select negative", i, select(-1, at, NULL, NULL, &none));
	told("pselect", i, pselect(1024, at, NULL, NULL, &at_once, NULL));
	told("select many", i, select(2147483647, at, NULL, NULL, &none));
}

/* Prints what each call says to a pointer that is none. */
static void bad(void)
{
	int pipes[2];

	CHECK(!pipe(pipes));
	bad_pages();
	for (int i = 0; i < 6; i++) {
		bad_sends(socket(AF_INET, SOCK_STREAM, 0), i, bad_pointers[i]);
		bad_sends(-1, i, bad_pointers[i]);
		bad_sends(pipes[0], i, bad_pointers[i]);
		bad_waits(i, bad_pointers[i]);
	}
}

/* Only what the program itself calls is let through. */
static void sandbox(void)
{
	static const int calls[] = {
		SYS_socket, SYS_bind, SYS_listen, SYS_connect, SYS_accept,
		SYS_sendto, SYS_poll, SYS_write, SYS_close, SYS_clone,
		SYS_wait4, SYS_set_robust_list, SYS_exit_group, SYS_gettid,
	};
	struct sock_filter filter[2 * sizeof(calls) / sizeof(*calls) + 2];
	struct sock_fprog prog = { .filter = filter };
	size_t i, n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		offsetof(struct seccomp_data, nr));
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		filter[n++] = (struct sock_filter)
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
		filter[n++] = (struct sock_filter)
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
		SECCOMP_RET_KILL_PROCESS);
	prog.len = n;
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
}

/* What vsftpd does: listens, and serves, behind a filter of its own. */
static void check_sandbox(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(7001),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = listener(), to, got, status = -1;
	struct pollfd waits;
	pid_t child;

	/* A thread that was bound before. */
	if (getenv("FASTSOCKET_PIN")) {
		waits = (struct pollfd){ .fd = fd, .events = POLLIN };
		CHECK(!poll(&waits, 1, 0));
	}
	sandbox();
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	CHECK(!listen(fd, 5));
	to = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!connect(to, (struct sockaddr *)&addr, sizeof(addr)));
	waits = (struct pollfd){ .fd = fd, .events = POLLIN };
	CHECK(poll(&waits, 1, 10000) == 1);
	got = accept(fd, NULL, NULL);
	CHECK(got >= 0 && sendto(got, "x", 1, MSG_NOSIGNAL, NULL, 0) == 1);
	child = fork();
	if (!child)
		_exit(0);
	CHECK(wait4(child, &status, 0, NULL) == child && !status);
	_exit(wrong);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "attr"))
		check_attr();
	else if (argc == 2 && !strcmp(argv[1], "bad"))
		bad();
	else if (argc == 2 && !strcmp(argv[1], "sandbox"))
		check_sandbox();
	else if (argc == 2 && !strcmp(argv[1], "accept"))
		check_accept();
	else if (argc == 2 && !strcmp(argv[1], "accept-until-denied"))
		accept_until_denied();
	else if (argc == 2 && !strcmp(argv[1], "connect"))
		check_connect(1);
	else if (argc == 2 && !strcmp(argv[1], "no-connect"))
		check_connect(0);
	else if (argc == 2 && !strcmp(argv[1], "connect-ports"))
		check_connect_ports();
	else if (argc == 2 && !strcmp(argv[1], "connect-ten"))
		connect_ten();
	else
		check_listen(argc == 2 && !strcmp(argv[1], "joins"));
	return wrong;
}
