// SPDX-License-Identifier: GPL-2.0
/*
 * System calls on sockets that several threads share, so that each call may
 * meet any other.  No call waits for long: the sockets have time limits.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

#include <linux/fastsocket.h>

#include "support.h"

#define SLOTS	24
#define PORT	7000
#define PORTS	4

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

/* Shared by the threads of a process */
static int slot[SLOTS];
static int epoll = -1;
static int mail[2] = { -1, -1 };
static void *low;		/* memory that a 32-bit pointer can name */
static bool has_compat;	/* without it 32-bit calls fault */

static int any_fd(struct fuzz *f)
{
	return __atomic_load_n(&slot[fuzz_below(f, SLOTS)], __ATOMIC_RELAXED);
}

/* Puts a descriptor in the place of another and closes that, while other
 * threads may be in a call on it: that is the point.
 */
static int keep(struct fuzz *f, int fd)
{
	int old;

	if (fd < 0)
		return fd;
	old = __atomic_exchange_n(&slot[fuzz_below(f, SLOTS)], fd,
				  __ATOMIC_RELAXED);
	if (old >= 0)
		close(old);
	return 0;
}

static socklen_t any_address(struct fuzz *f, struct sockaddr_storage *ss,
			     bool loopback)
{
	int port = fuzz_chance(f, 16) ? 0 : PORT + fuzz_below(f, PORTS);
	struct sockaddr_in6 *sin6 = (void *)ss;
	socklen_t len;

	len = sock_addr(ss, fuzz_chance(f, 2) ? AF_INET : AF_INET6, port,
			loopback || fuzz_chance(f, 3));
	if (ss->ss_family == AF_INET6 && fuzz_chance(f, 4))
		inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6->sin6_addr);
	/* No host answers from this address. */
	if (ss->ss_family == AF_INET && loopback && fuzz_chance(f, 8))
		inet_pton(AF_INET, FUZZ_NOWHERE,
			  &((struct sockaddr_in *)ss)->sin_addr);
	if (fuzz_chance(f, 32))
		len = fuzz_below(f, sizeof(*ss));
	return len;
}

/* Making and giving up */

static int make(struct fuzz *f)
{
	int flags = SOCK_CLOEXEC | (fuzz_chance(f, 2) ? SOCK_NONBLOCK : 0);
	struct timeval limit = { .tv_usec = 1000 << fuzz_below(f, 4) };
	int protocol = fuzz_chance(f, 32) ? IPPROTO_MPTCP : 0;
	int on = 1, off = 0, fd;

	if (fuzz_chance(f, 64))
		return socket(AF_INET, SOCK_DGRAM | flags, 0);
	fd = socket(fuzz_chance(f, 2) ? AF_INET : AF_INET6,
		    SOCK_STREAM | flags, protocol);
	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (!fuzz_chance(f, 8))
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fuzz_chance(f, 2))
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (fuzz_chance(f, 4))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	return fd;
}

static int call_socket(struct fuzz *f)
{
	return keep(f, make(f));
}

static int call_close(struct fuzz *f)
{
	return close(__atomic_exchange_n(&slot[fuzz_below(f, SLOTS)], -1,
					 __ATOMIC_RELAXED));
}

static int call_dup(struct fuzz *f)
{
	if (fuzz_chance(f, 2))
		return keep(f, fcntl(any_fd(f), F_DUPFD_CLOEXEC, 0));
	return dup2(any_fd(f), any_fd(f));
}

/* Joining and priming */

/* The numbers are TCP_ESTABLISHED and so on; 0 where there is none. */
static int state_of(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len))
		return 0;
	return info.tcpi_state < FUZZ_STATES ? info.tcpi_state : 0;
}

static int set_ulp(struct fuzz *f, int fd, enum fuzz_ulp ulp)
{
	const char *name = ulp == FUZZ_ULP_RFD ? FSK_ULP_RFD_NAME :
						 FSK_ULP_NAME;
	int state = fuzz_chance(f, 3) ? state_of(fd) : 0;
	int err = setsockopt(fd, SOL_TCP, TCP_ULP, name, strlen(name));

	if (state)
		fuzz_count(&f->shared->ulp[ulp][state], err >= 0);
	return err;
}

static int call_join(struct fuzz *f)
{
	return set_ulp(f, any_fd(f), FUZZ_ULP_LISTEN);
}

static int call_prime(struct fuzz *f)
{
	return set_ulp(f, any_fd(f), FUZZ_ULP_RFD);
}

static int call_join_other(struct fuzz *f)
{
	static const char names[][32] = {
		"fastsocket-", "fastsocket-rfd-and-more", "", "smc",
		"Fastsocket", "fastsocket\0x",
	};
	const char *name = "tls";

	/* For a name that it does not know root starts modprobe, which takes
	 * as long as a thousand other calls.
	 */
	if (fuzz_chance(f, 256))
		name = names[fuzz_below(f, sizeof(names) / 32)];
	else if (fuzz_chance(f, 4))
		name = (void *)1;
	return setsockopt(any_fd(f), SOL_TCP, TCP_ULP, name,
			  fuzz_chance(f, 4) ? fuzz_number(f, 16) : 10);
}

static int call_ulp_name(struct fuzz *f)
{
	socklen_t len = fuzz_number(f, 16);
	char name[64];

	if (len > sizeof(name))
		len = sizeof(name);
	return getsockopt(any_fd(f), SOL_TCP, TCP_ULP,
			  fuzz_chance(f, 16) ? (void *)1 : name, &len);
}

/* Life of a socket */

static int call_bind(struct fuzz *f)
{
	struct sockaddr_storage ss;
	socklen_t len = any_address(f, &ss, false);

	return bind(any_fd(f), (void *)&ss, len);
}

static int backlog(struct fuzz *f)
{
	return fuzz_chance(f, 4) ? (int)fuzz_number(f, 4096) :
				   (int)fuzz_below(f, 32);
}

static int call_listen(struct fuzz *f)
{
	return listen(any_fd(f), backlog(f));
}

static int call_connect(struct fuzz *f)
{
	struct sockaddr_storage ss;
	socklen_t len = any_address(f, &ss, true);

	if (fuzz_chance(f, 4))
		ss.ss_family = AF_UNSPEC;
	return connect(any_fd(f), (void *)&ss, len);
}

static int call_accept(struct fuzz *f)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int flags = fuzz_chance(f, 2) ? SOCK_NONBLOCK | SOCK_CLOEXEC : 0;

	if (fuzz_chance(f, 16))
		return keep(f, accept4(any_fd(f), (void *)1, &len, flags));
	return keep(f, accept4(any_fd(f), (void *)&ss, &len, flags));
}

/* Any descriptor, but rather one that has something to read or accept. */
static int ready_fd(struct fuzz *f)
{
	int i, n = fuzz_below(f, SLOTS);
	struct pollfd one = { .events = POLLIN };

	for (i = 0; i < SLOTS; i++) {
		one.fd = __atomic_load_n(&slot[(n + i) % SLOTS],
					 __ATOMIC_RELAXED);
		if (poll(&one, 1, 0) > 0 && one.revents & POLLIN)
			return one.fd;
	}
	return any_fd(f);
}

/* Accepts by the ioctl, as the library does, or by accept4(). */
static int take(struct fuzz *f, int fd)
{
	struct fsk_accept arg = { .flags = SOCK_CLOEXEC };
	int got = fuzz_chance(f, 2) ? ioctl(fd, FSK_IOC_ACCEPT, &arg) : -1;

	return keep(f, got < 0 ? accept4(fd, NULL, NULL, SOCK_CLOEXEC) : got);
}

/* Polls, as servers do, and accepts from a listener that has something. */
static int call_serve_all(struct fuzz *f)
{
	struct pollfd fds[SLOTS];
	int i, err = -1;

	for (i = 0; i < SLOTS; i++)
		fds[i] = (struct pollfd) {
			__atomic_load_n(&slot[i], __ATOMIC_RELAXED), POLLIN
		};
	if (poll(fds, SLOTS, fuzz_chance(f, 4)) <= 0)
		return -1;
	for (i = 0; i < SLOTS; i++)
		if (fds[i].revents & POLLIN)
			err = take(f, fds[i].fd) && err;
	return err;
}

static int call_shutdown(struct fuzz *f)
{
	return shutdown(any_fd(f), fuzz_below(f, 4));
}

static int filter(struct fuzz *f, int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_RET | BPF_K, fuzz_chance(f, 4) ? 0 : 0xffff),
	};
	struct sock_fprog prog = { 1, code };
	int opt = fuzz_chance(f, 2) ? SO_ATTACH_FILTER :
				      SO_ATTACH_REUSEPORT_CBPF;

	return setsockopt(fd, SOL_SOCKET, opt, &prog, sizeof(prog));
}

/* Options that make the module leave a listener to the kernel. Newer kernels
 * let only root filter what TCP receives.
 */
static int special(struct fuzz *f, int fd)
{
	static const char key[16] = "a key";

	if (fuzz_chance(f, 2))
		return filter(f, fd);
	return setsockopt(fd, SOL_TCP, TCP_FASTOPEN_KEY, key, sizeof(key));
}

/* Makes a server, mostly in one go: single calls would make few. */
static int call_serve(struct fuzz *f)
{
	struct sockaddr_storage ss;
	int err = -1, fd = make(f);
	socklen_t len;

	len = sock_addr(&ss, fuzz_chance(f, 2) ? AF_INET : AF_INET6,
			PORT + fuzz_below(f, PORTS), false);
	if (fuzz_chance(f, 8))
		set_ulp(f, fd, FUZZ_ULP_LISTEN);
	if (fuzz_chance(f, 16))
		special(f, fd);
	if (!bind(fd, (void *)&ss, len) && !listen(fd, backlog(f)))
		err = set_ulp(f, fd, FUZZ_ULP_LISTEN);
	if (fuzz_chance(f, 2)) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };

		/* Long enough for connections to wake some of them. */
		poll(&pfd, 1, 1 << fuzz_below(f, 6));
	}
	keep(f, fd);
	return err;
}

static int call_dial(struct fuzz *f)
{
	struct sockaddr_storage ss;
	socklen_t len = any_address(f, &ss, true);
	int err, fd = make(f);

	if (fuzz_chance(f, 2))
		set_ulp(f, fd, FUZZ_ULP_RFD);
	err = connect(fd, (void *)&ss, len);
	if (fuzz_chance(f, 4))
		set_ulp(f, fd, fuzz_below(f, FUZZ_ULPS));
	keep(f, fd);
	return err;
}

/* Data */

static int call_send(struct fuzz *f)
{
	struct sockaddr_storage ss;
	socklen_t len = any_address(f, &ss, true);
	int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	char buf[512] = "";

	if (fuzz_chance(f, 3))
		return sendto(any_fd(f), buf, fuzz_below(f, sizeof(buf)),
			      flags | MSG_FASTOPEN, (void *)&ss, len);
	if (fuzz_chance(f, 4))
		flags |= MSG_ZEROCOPY;
	if (fuzz_chance(f, 8))
		flags |= MSG_OOB;
	return send(any_fd(f), buf, fuzz_below(f, sizeof(buf)), flags);
}

static int call_receive(struct fuzz *f)
{
	int flags = MSG_DONTWAIT;
	char buf[512];

	if (fuzz_chance(f, 8))
		flags |= MSG_PEEK;
	if (fuzz_chance(f, 8))
		flags |= MSG_ERRQUEUE;
	return recv(any_fd(f), buf, fuzz_below(f, sizeof(buf)), flags);
}

/* Waiting */

static int call_poll(struct fuzz *f)
{
	struct pollfd fds[4];
	int i, n = fuzz_chance(f, 2) ? 1 : 4;

	for (i = 0; i < n; i++)
		fds[i] = (struct pollfd) { any_fd(f), fuzz_random(f) & 0x7 };
	return poll(fds, n, fuzz_chance(f, 8)) > 0 ? 0 : -1;
}

static int call_epoll_ctl(struct fuzz *f)
{
	static const uint32_t flags[] = {
		0, EPOLLET, EPOLLEXCLUSIVE, EPOLLONESHOT, EPOLLWAKEUP,
	};
	struct epoll_event ev = {
		.events = EPOLLIN | flags[fuzz_below(f, 5)],
	};
	int op = fuzz_chance(f, 2) ? EPOLL_CTL_ADD : 1 + fuzz_below(f, 4);

	return epoll_ctl(epoll, op, any_fd(f), &ev);
}

static int call_epoll_wait(struct fuzz *f)
{
	struct epoll_event ev[8];

	return epoll_wait(epoll, ev, 8, 0) > 0 ? 0 : -1;
}

#ifdef HAVE_LIBURING
static void uring_take(struct fuzz *f, struct io_uring *ring)
{
	struct io_uring_cqe *cqe;

	while (!io_uring_peek_cqe(ring, &cqe)) {
		if (cqe->user_data == 1)
			keep(f, cqe->res);
		io_uring_cqe_seen(ring, cqe);
	}
}

static int call_uring(struct fuzz *f)
{
	struct io_uring *ring = f->ring;
	struct io_uring_sqe *sqe = ring ? io_uring_get_sqe(ring) : NULL;
	int fd = any_fd(f), n;

	if (!sqe)
		return -1;
	switch (fuzz_below(f, 5)) {
	case 0:
		io_uring_prep_accept(sqe, fd, NULL, NULL, 0);
		break;
	case 1:
		io_uring_prep_multishot_accept(sqe, fd, NULL, NULL, 0);
		break;
	case 2:
		io_uring_prep_poll_add(sqe, fd, POLLIN);
		break;
	case 3:
		io_uring_prep_cancel_fd(sqe, fd, IORING_ASYNC_CANCEL_ALL);
		break;
	default:
		io_uring_prep_shutdown(sqe, fd, fuzz_below(f, 3));
		break;
	}
	sqe->user_data = sqe->opcode == IORING_OP_ACCEPT;
	n = io_uring_submit(ring);
	uring_take(f, ring);
	return n > 0 ? 0 : -1;
}
#else
static int call_uring(struct fuzz *f)
{
	return -1;
}
#endif

/* ioctl */

/* Only x86 has 32-bit calls in 64-bit programs, and memory for them. */
#ifndef MAP_32BIT
#define MAP_32BIT	0
#endif

static long ioctl_compat(int fd, unsigned int cmd, void *arg)
{
	long err = -1;

#ifdef __x86_64__
	asm volatile("int $0x80" : "=a"(err)
		     : "a"(54), "b"(fd), "c"(cmd), "d"(arg)
		     : "memory", "r8", "r9", "r10", "r11");
#endif
	return err;
}

static int call_ioctl_pin(struct fuzz *f)
{
	void *arg = low;

	if (fuzz_chance(f, 8))
		arg = (void *)(uintptr_t)fuzz_number(f, 4096);
	if (has_compat && fuzz_chance(f, 3))
		return ioctl_compat(any_fd(f), FSK_IOC_PIN, arg);
	return ioctl(any_fd(f), FSK_IOC_PIN, arg);
}

static int call_ioctl_accept(struct fuzz *f)
{
	struct sockaddr_storage ss;
	socklen_t len = fuzz_chance(f, 8) ? fuzz_number(f, 256) : sizeof(ss);
	struct fsk_accept arg = {
		.addr = fuzz_chance(f, 16) ? 1 : (uintptr_t)&ss,
		.addrlen = fuzz_chance(f, 16) ? 1 : (uintptr_t)&len,
		.flags = fuzz_chance(f, 2) ? SOCK_NONBLOCK | SOCK_CLOEXEC : 0,
		.pad = fuzz_chance(f, 32),
	};
	int fd = ready_fd(f), err;

	if (fuzz_chance(f, 2))
		arg.addr = 0;
	if (fuzz_chance(f, 16))
		arg.flags = fuzz_random(f);
	if (has_compat && fuzz_chance(f, 16))
		return ioctl_compat(fd, FSK_IOC_ACCEPT, low);
	if (fuzz_chance(f, 32))
		return ioctl(fd, FSK_IOC_ACCEPT, (void *)1);
	err = ioctl(fd, FSK_IOC_ACCEPT, &arg);
	if (err < 0 && errno == ESTALE)
		err = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	return keep(f, err);
}

static int call_ioctl_other(struct fuzz *f)
{
	unsigned int cmds[] = {
		FIONREAD, TIOCOUTQ, FIOASYNC, SIOCATMARK, SIOCGPGRP,
		_IOC(fuzz_below(f, 4), FSK_IOC_MAGIC, fuzz_below(f, 256),
		     fuzz_below(f, 64)),
	};

	return ioctl(any_fd(f), cmds[fuzz_below(f, 6)],
		     fuzz_chance(f, 8) ? NULL : low);
}

/* Options */

static const int option[][2] = {
	{ SOL_SOCKET, SO_REUSEADDR }, { SOL_SOCKET, SO_REUSEPORT },
	{ SOL_SOCKET, SO_SNDBUF }, { SOL_SOCKET, SO_RCVBUF },
	{ SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_MARK },
	{ SOL_SOCKET, SO_PRIORITY }, { SOL_SOCKET, SO_INCOMING_CPU },
	{ SOL_SOCKET, SO_ZEROCOPY }, { SOL_SOCKET, SO_BINDTODEVICE },
	{ SOL_SOCKET, SO_DONTROUTE }, { SOL_SOCKET, SO_TXREHASH },
	{ SOL_SOCKET, SO_DETACH_FILTER }, { SOL_SOCKET, SO_BUSY_POLL },
	{ SOL_TCP, TCP_MAXSEG }, { SOL_TCP, TCP_DEFER_ACCEPT },
	{ SOL_TCP, TCP_FASTOPEN }, { SOL_TCP, TCP_FASTOPEN_CONNECT },
	{ SOL_TCP, TCP_FASTOPEN_KEY }, { SOL_TCP, TCP_SAVE_SYN },
	{ SOL_TCP, TCP_WINDOW_CLAMP }, { SOL_TCP, TCP_SYNCNT },
	{ SOL_TCP, TCP_NODELAY }, { SOL_TCP, TCP_CORK },
	{ SOL_TCP, TCP_REPAIR }, { SOL_TCP, TCP_REPAIR_QUEUE },
	{ SOL_TCP, TCP_TX_DELAY }, { SOL_TCP, TCP_USER_TIMEOUT },
	{ SOL_TCP, TCP_MD5SIG }, { SOL_TCP, TCP_LINGER2 },
	{ IPPROTO_IP, IP_TOS }, { IPPROTO_IP, IP_TTL },
	{ IPPROTO_IP, IP_MINTTL }, { IPPROTO_IP, IP_FREEBIND },
	{ IPPROTO_IP, IP_TRANSPARENT }, { IPPROTO_IP, IP_LOCAL_PORT_RANGE },
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT },
	{ IPPROTO_IP, IP_MTU_DISCOVER }, { IPPROTO_IP, IP_OPTIONS },
	{ IPPROTO_IPV6, IPV6_V6ONLY }, { IPPROTO_IPV6, IPV6_TCLASS },
	{ IPPROTO_IPV6, IPV6_ADDRFORM }, { IPPROTO_IPV6, IPV6_HOPOPTS },
	{ IPPROTO_IPV6, IPV6_UNICAST_HOPS },
};

#define OPTIONS		(sizeof(option) / sizeof(*option))

static int call_setsockopt(struct fuzz *f)
{
	const int *o = option[fuzz_below(f, OPTIONS)];
	unsigned int buf[64] = { fuzz_number(f, 256) };
	socklen_t len = sizeof(int);

	if (fuzz_chance(f, 8))
		len = fuzz_number(f, sizeof(buf)) % sizeof(buf);
	if (fuzz_chance(f, 8))
		buf[fuzz_below(f, 64)] = fuzz_random(f);
	return setsockopt(any_fd(f), o[0], o[1],
			  fuzz_chance(f, 32) ? (void *)1 : buf, len);
}

static int call_getsockopt(struct fuzz *f)
{
	const int *o = option[fuzz_below(f, OPTIONS)];
	socklen_t len = sizeof(int);
	char buf[256];

	if (fuzz_chance(f, 8))
		len = fuzz_below(f, sizeof(buf));
	return getsockopt(any_fd(f), o[0], o[1], buf, &len);
}

static int call_filter(struct fuzz *f)
{
	return filter(f, any_fd(f));
}

static int call_congestion(struct fuzz *f)
{
	static const char names[][8] = { "reno", "cubic", "dctcp", "bbr", "x" };
	const char *name = names[fuzz_below(f, fuzz_chance(f, 256) ? 5 : 2)];

	return setsockopt(any_fd(f), SOL_TCP, TCP_CONGESTION, name,
			  strlen(name));
}

/* Closing by a reset, and O_NONBLOCK */
static int call_manner(struct fuzz *f)
{
	struct linger hard = { .l_onoff = fuzz_below(f, 2) };
	int fd = any_fd(f);

	if (fuzz_chance(f, 2))
		return setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard,
				  sizeof(hard));
	return fcntl(fd, F_SETFL, fuzz_chance(f, 2) ? O_NONBLOCK : 0);
}

/* The caller: its CPUs, its namespace, its children */

static int call_affinity(struct fuzz *f)
{
	cpu_set_t set;
	int n;

	CPU_ZERO(&set);
	n = fuzz_chance(f, 4) ? fuzz_below(f, f->cpus + 1) : 1;
	while (n--)
		CPU_SET(fuzz_below(f, f->cpus), &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static int call_netns(struct fuzz *f)
{
	if (!f->nets)
		return -1;
	return setns(f->net[fuzz_below(f, f->nets)], CLONE_NEWNET);
}

/* Forks a child that shares all sockets for a moment. */
static int call_fork(struct fuzz *f)
{
	struct pollfd pfd = { .fd = any_fd(f), .events = POLLIN };
	int fd = any_fd(f), what = fuzz_below(f, 4);
	pid_t pid;

	if (!fuzz_chance(f, 16))
		return -1;
	pid = fork();
	if (pid)
		return pid < 0 || waitpid(pid, NULL, 0) != pid ? -1 : 0;
	alarm(1);
	if (what == 0)
		poll(&pfd, 1, 2);
	else if (what == 1)
		shutdown(fd, SHUT_RDWR);
	else if (what == 2)
		accept(fd, NULL, NULL);
	_exit(0);
}

/* Sends a descriptor to another process or to this one; some are still on the
 * way at the end.
 */
static int call_pass(struct fuzz *f)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = u.buf, .msg_controllen = sizeof(u.buf),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fd = any_fd(f);

	if (fuzz_chance(f, 2)) {
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
		return sendmsg(mail[0], &msg, MSG_DONTWAIT);
	}
	if (recvmsg(mail[1], &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return keep(f, fd);
}

/* All */

static const struct {
	const char *name;
	int (*call)(struct fuzz *f);
	int weight;
	bool root;	/* without root it never succeeds */
} calls[] = {
	{ "socket", call_socket, 4 },
	{ "close", call_close, 6 },
	{ "dup", call_dup, 2 },
	{ "join", call_join, 6 },
	{ "prime", call_prime, 6 },
	{ "join-other", call_join_other, 2 },
	{ "ulp-name", call_ulp_name, 3 },
	{ "bind", call_bind, 4 },
	{ "listen", call_listen, 6 },
	{ "connect", call_connect, 8 },
	{ "accept", call_accept, 12 },
	{ "shutdown", call_shutdown, 2 },
	{ "serve", call_serve, 10 },
	{ "serve-all", call_serve_all, 8 },
	{ "dial", call_dial, 16 },
	{ "send", call_send, 4 },
	{ "receive", call_receive, 4 },
	{ "poll", call_poll, 6 },
	{ "epoll-ctl", call_epoll_ctl, 4 },
	{ "epoll-wait", call_epoll_wait, 3 },
	{ "uring", call_uring, 4 },
	{ "ioctl-pin", call_ioctl_pin, 6 },
	{ "ioctl-accept", call_ioctl_accept, 4 },
	{ "ioctl-other", call_ioctl_other, 3 },
	{ "setsockopt", call_setsockopt, 12 },
	{ "getsockopt", call_getsockopt, 4 },
	{ "filter", call_filter, 1 },
	{ "congestion", call_congestion, 1 },
	{ "manner", call_manner, 4 },
	{ "affinity", call_affinity, 3 },
	{ "netns", call_netns, 1, true },
	{ "fork", call_fork, 1 },
	{ "pass", call_pass, 2 },
};

#define CALLS		((int)(sizeof(calls) / sizeof(*calls)))

static int weights;

int fuzz_socket_calls(void)
{
	return CALLS;
}

const char *fuzz_socket_call(int call)
{
	return calls[call].name;
}

bool fuzz_socket_root(int call)
{
	return calls[call].root;
}

/* Return: whether kernels whose sockets have no port range refuse this call. */
bool fuzz_socket_rfd(int call)
{
	return calls[call].call == call_prime;
}

/**
 * fuzz_socket_init() - what the threads of this process share
 */
void fuzz_socket_init(void)
{
	int i;

	for (i = 0; i < SLOTS; i++)
		slot[i] = -1;
	for (i = weights = 0; i < CALLS; i++)
		weights += calls[i].weight;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, mail);
	low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	has_compat = !access("/proc/sys/abi/vsyscall32", F_OK);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
}

/* Half of the threads have a ring: those can't prime. */
void fuzz_socket_start(struct fuzz *f)
{
#ifdef HAVE_LIBURING
	struct io_uring *ring = NULL;

	if (fuzz_chance(f, 2))
		ring = calloc(1, sizeof(*ring));
	if (ring && io_uring_queue_init(8, ring, 0)) {
		free(ring);
		ring = NULL;
	}
	f->ring = ring;
#endif
}

/* Half of the threads leave their ring to the end of the process. */
void fuzz_socket_end(struct fuzz *f)
{
#ifdef HAVE_LIBURING
	if (f->ring && fuzz_chance(f, 2))
		io_uring_queue_exit(f->ring);
#endif
}

/**
 * fuzz_socket() - one call
 * @f: the thread
 */
void fuzz_socket(struct fuzz *f)
{
	int i, at = fuzz_below(f, weights);

	for (i = 0; at >= calls[i].weight; i++)
		at -= calls[i].weight;
	f->shared->last[f->id] = i;
	fuzz_count(&f->shared->call[i], calls[i].call(f) >= 0);
	fuzz_called(f);
}
