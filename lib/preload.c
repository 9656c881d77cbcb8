// SPDX-License-Identifier: MIT
/*
 * The interposed calls. Each makes the stock call and returns its result and
 * errno. What it does besides:
 *
 * listen(): the listener joins afterwards.
 * connect(), and the calls that may connect by TCP Fast Open: with
 * FASTSOCKET_CONNECT the socket is primed before.
 * accept(), accept4(): with FASTSOCKET_ACCEPT the module may accept instead.
 * The calls by which a worker begins to wait or makes another, and those that
 * tell or set a thread's CPUs: with FASTSOCKET_PIN the library binds threads to
 * CPUs.
 * prctl(): with PR_SET_SECCOMP the library leaves all sockets alone afterwards.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "fsocket.h"

#define FSK_EXPORT __attribute__((visibility("default")))

enum fsk_call {
	FSK_ACCEPT,
	FSK_ACCEPT4,
	FSK_CONNECT,
	FSK_FORK,
	FSK_LISTEN,
	FSK_POLL,
	FSK_POLL_CHK,
	FSK_PPOLL,
	FSK_PPOLL_CHK,
	FSK_PRCTL,
	FSK_PSELECT,
	FSK_PTHREAD_CREATE,
	FSK_SCHED_GETAFFINITY,
	FSK_SCHED_SETAFFINITY,
	FSK_SELECT,
	FSK_SENDMMSG,
	FSK_SENDMSG,
	FSK_SENDTO,
	FSK_THRD_CREATE,
	FSK_THREAD_GETAFFINITY,
	FSK_THREAD_SETAFFINITY,
	FSK_CALLS
};

static const char * const fsk_names[FSK_CALLS] = {
	[FSK_ACCEPT] = "accept",
	[FSK_ACCEPT4] = "accept4",
	[FSK_CONNECT] = "connect",
	[FSK_FORK] = "_Fork",
	[FSK_LISTEN] = "listen",
	[FSK_POLL] = "poll",
	[FSK_POLL_CHK] = "__poll_chk",
	[FSK_PPOLL] = "ppoll",
	[FSK_PPOLL_CHK] = "__ppoll_chk",
	[FSK_PRCTL] = "prctl",
	[FSK_PSELECT] = "pselect",
	[FSK_PTHREAD_CREATE] = "pthread_create",
	[FSK_SCHED_GETAFFINITY] = "sched_getaffinity",
	[FSK_SCHED_SETAFFINITY] = "sched_setaffinity",
	[FSK_SELECT] = "select",
	[FSK_SENDMMSG] = "sendmmsg",
	[FSK_SENDMSG] = "sendmsg",
	[FSK_SENDTO] = "sendto",
	[FSK_THRD_CREATE] = "thrd_create",
	[FSK_THREAD_GETAFFINITY] = "pthread_getaffinity_np",
	[FSK_THREAD_SETAFFINITY] = "pthread_setaffinity_np",
};

/* The next definition of a function: the C library's, or another preloaded
 * library's. The first call looks it up, maybe before any constructor has run.
 * Threads that make the first call together all find the same.
 */
static void *fsk_next(enum fsk_call call)
{
	static atomic_uintptr_t found[FSK_CALLS];
	void *next;

	next = (void *)atomic_load_explicit(&found[call],
					    memory_order_relaxed);
	if (!next) {
		next = fsk_lookup(fsk_names[call]);
		atomic_store_explicit(&found[call], (uintptr_t)next,
				      memory_order_relaxed);
	}
	return next;
}

/* There is no next definition. That hardly happens: a program whose C library
 * lacks the function could not be linked with it.
 */
static int fsk_absent(void)
{
	errno = EOPNOTSUPP;
	return -1;
}

FSK_EXPORT int listen(int fd, int backlog)
{
	typeof(listen) *next = fsk_next(FSK_LISTEN);
	int ret;

	ret = next ? next(fd, backlog) :
		     (int)syscall(SYS_listen, fd, backlog);
	if (!ret) {
		fsk_pin_forget(fd);
		fsk_accept_forget(fd);
		fsk_join(fd);
	}
	return ret;
}

FSK_EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	typeof(connect) *next = fsk_next(FSK_CONNECT);

	fsk_connect_prime(fd, addr, len);
	return next ? next(fd, addr, len) :
		      (int)syscall(SYS_connect, fd, addr, len);
}

FSK_EXPORT ssize_t sendto(int fd, const void *data, size_t size, int flags,
			  const struct sockaddr *addr, socklen_t len)
{
	typeof(sendto) *next = fsk_next(FSK_SENDTO);

	if (!next)
		return fsk_absent();
	if (flags & MSG_FASTOPEN)
		fsk_connect_prime(fd, addr, len);
	return next(fd, data, size, flags, addr, len);
}

static void fsk_connect_msg(int fd, const struct msghdr *msg)
{
	struct msghdr copy;

	if (fsk_connect_wanted() &&
	    fsk_memory_copy(&copy, msg, sizeof(copy)))
		fsk_connect_prime(fd, copy.msg_name, copy.msg_namelen);
}

FSK_EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	typeof(sendmsg) *next = fsk_next(FSK_SENDMSG);

	if (!next)
		return fsk_absent();
	if (flags & MSG_FASTOPEN)
		fsk_connect_msg(fd, msg);
	return next(fd, msg, flags);
}

FSK_EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int count,
			int flags)
{
	typeof(sendmmsg) *next = fsk_next(FSK_SENDMMSG);

	if (!next)
		return fsk_absent();
	/* The first message connects the socket; the others find it so. */
	if (flags & MSG_FASTOPEN && count)
		fsk_connect_msg(fd, &msgs->msg_hdr);
	return next(fd, msgs, count, flags);
}

/* What accept() and accept4() do before the stock call. Returns whether it is
 * not needed any more: then @ret is the result.
 */
static bool fsk_accept_first(int fd, struct sockaddr *addr, socklen_t *len,
			     int flags, int *ret)
{
	if (fsk_pin_wanted()) {
		fsk_pin_forget(fd);
		fsk_pin(fd);
	}
	return fsk_accept_try(fd, addr, len, flags, ret);
}

FSK_EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	typeof(accept) *next = fsk_next(FSK_ACCEPT);
	int ret;

	if (!next)
		return fsk_absent();
	if (fsk_accept_first(fd, addr, len, 0, &ret))
		return ret;
	return next(fd, addr, len);
}

FSK_EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *len,
		       int flags)
{
	typeof(accept4) *next = fsk_next(FSK_ACCEPT4);
	int ret;

	if (!next)
		return fsk_absent();
	if (fsk_accept_first(fd, addr, len, flags, &ret))
		return ret;
	return next(fd, addr, len, flags);
}

/* If a program asks for more descriptors than there can be, the kernel answers
 * EINVAL or takes fewer. This does not look at the rest.
 */
#define FSK_POLL_MAX	65536

/* Who polls will accept. Who adds a listener to an epoll set may do so for
 * others, and is bound when it accepts: epoll_ctl() is not interposed.
 */
static void fsk_pin_poll(const struct pollfd *fds, nfds_t count)
{
	struct pollfd copy[64];
	nfds_t i, n;

	for (; count && count <= FSK_POLL_MAX && fsk_pin_wanted();
	     fds += n, count -= n) {
		n = count < 64 ? count : 64;
		if (!fsk_memory_copy(copy, fds, n * sizeof(*copy)))
			return;
		for (i = 0; i < n && fsk_pin_wanted(); i++)
			if (copy[i].events & (POLLIN | POLLRDNORM))
				fsk_pin(copy[i].fd);
	}
}

FSK_EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	typeof(poll) *next = fsk_next(FSK_POLL);

	if (!next)
		return fsk_absent();
	fsk_pin_poll(fds, count);
	return next(fds, count, timeout);
}

FSK_EXPORT int ppoll(struct pollfd *fds, nfds_t count,
		     const struct timespec *timeout, const sigset_t *sigmask)
{
	typeof(ppoll) *next = fsk_next(FSK_PPOLL);

	if (!next)
		return fsk_absent();
	fsk_pin_poll(fds, count);
	return next(fds, count, timeout, sigmask);
}

/* Programs built with _FORTIFY_SOURCE call these for poll() and ppoll(). */
FSK_EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout,
			  size_t size);
FSK_EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout,
			  size_t size)
{
	typeof(__poll_chk) *next = fsk_next(FSK_POLL_CHK);

	if (!next)
		return fsk_absent();
	if (count <= size / sizeof(*fds))
		fsk_pin_poll(fds, count);
	return next(fds, count, timeout, size);
}

FSK_EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count,
			   const struct timespec *timeout,
			   const sigset_t *sigmask, size_t size);
FSK_EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count,
			   const struct timespec *timeout,
			   const sigset_t *sigmask, size_t size)
{
	typeof(__ppoll_chk) *next = fsk_next(FSK_PPOLL_CHK);

	if (!next)
		return fsk_absent();
	if (count <= size / sizeof(*fds))
		fsk_pin_poll(fds, count);
	return next(fds, count, timeout, sigmask, size);
}

/* A process that puts itself into a sandbox leaves all sockets alone from then
 * on: its filter may end it for a call that the program did not make. (Filters
 * that a library loads by syscall(), as libseccomp does, go unnoticed.)
 */
FSK_EXPORT int prctl(int option, ...)
{
	typeof(prctl) *next = fsk_next(FSK_PRCTL);
	unsigned long args[4];
	va_list list;
	int ret;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		args[i] = va_arg(list, unsigned long);
	va_end(list);
	ret = next ? next(option, args[0], args[1], args[2], args[3]) :
		     (int)syscall(SYS_prctl, option, args[0], args[1], args[2],
				  args[3]);
	if (option == PR_SET_SECCOMP && !ret)
		fsk_config_leave();
	return ret;
}

/* Not by FD_ISSET(), which stops at FD_SETSIZE: sets may be larger. */
static void fsk_pin_select(int count, const fd_set *set)
{
	const unsigned long *bits = (const unsigned long *)set;
	const int width = 8 * sizeof(*bits);
	unsigned long copy[64];
	int fd, i, n;

	/* The kernel, too, looks at no more bits than there are descriptors. */
	if (count > FSK_POLL_MAX)
		count = FSK_POLL_MAX;
	for (fd = 0; fd < count && fsk_pin_wanted(); fd += n) {
		n = count - fd < 64 * width ? count - fd : 64 * width;
		if (!fsk_memory_copy(copy, bits + fd / width,
				     (n + width - 1) / width * sizeof(*bits)))
			return;
		for (i = 0; i < n && fsk_pin_wanted(); i++)
			if (copy[i / width] & 1UL << i % width)
				fsk_pin(fd + i);
	}
}

FSK_EXPORT int select(int count, fd_set *in, fd_set *out, fd_set *except,
		      struct timeval *timeout)
{
	typeof(select) *next = fsk_next(FSK_SELECT);

	if (!next)
		return fsk_absent();
	fsk_pin_select(count, in);
	return next(count, in, out, except, timeout);
}

FSK_EXPORT int pselect(int count, fd_set *in, fd_set *out, fd_set *except,
		       const struct timespec *timeout, const sigset_t *sigmask)
{
	typeof(pselect) *next = fsk_next(FSK_PSELECT);

	if (!next)
		return fsk_absent();
	fsk_pin_select(count, in);
	return next(count, in, out, except, timeout, sigmask);
}

FSK_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			      void *(*run)(void *arg), void *arg)
{
	typeof(pthread_create) *next = fsk_next(FSK_PTHREAD_CREATE);
	bool wide;
	int err;

	if (!next)
		return EAGAIN;	/* pthread functions return positive errors */
	wide = fsk_pin_widen();
	err = next(thread, attr, run, arg);
	if (wide)
		fsk_pin_narrow();
	return err;
}

/* The C library's does not call pthread_create() by its name. */
FSK_EXPORT int thrd_create(thrd_t *thread, thrd_start_t run, void *arg)
{
	typeof(thrd_create) *next = fsk_next(FSK_THRD_CREATE);
	bool wide;
	int err;

	if (!next)
		return thrd_error;
	wide = fsk_pin_widen();
	err = next(thread, run, arg);
	if (wide)
		fsk_pin_narrow();
	return err;
}

/* _Fork(), which headers of an old C library do not declare. Unlike fork() it
 * calls no handlers of pthread_atfork().
 */
FSK_EXPORT pid_t fsk_fork(void)
	__asm__("_Fork");
FSK_EXPORT pid_t fsk_fork(void)
{
	typeof(fork) *next = fsk_next(FSK_FORK);
	pid_t child;

	if (!next)
		return fsk_absent();
	child = next();
	if (!child)
		fsk_pin_forked();
	return child;
}

FSK_EXPORT int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *mask)
{
	typeof(sched_getaffinity) *next = fsk_next(FSK_SCHED_GETAFFINITY);
	int ret;

	if (!next)
		return fsk_absent();
	ret = next(pid, size, mask);
	if (!ret && fsk_pin_is_self(pid))
		fsk_pin_hide(size, mask);
	return ret;
}

FSK_EXPORT int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *mask)
{
	typeof(sched_setaffinity) *next = fsk_next(FSK_SCHED_SETAFFINITY);
	int ret;

	if (!next)
		return fsk_absent();
	ret = next(pid, size, mask);
	if (!ret && fsk_pin_is_self(pid))
		fsk_pin_chosen();
	return ret;
}

FSK_EXPORT int pthread_getaffinity_np(pthread_t thread, size_t size,
				      cpu_set_t *mask)
{
	typeof(pthread_getaffinity_np) *next = fsk_next(FSK_THREAD_GETAFFINITY);
	int err;

	if (!next)
		return EOPNOTSUPP;	/* positive, as of all pthread_*() */
	err = next(thread, size, mask);
	if (!err && pthread_equal(thread, pthread_self()))
		fsk_pin_hide(size, mask);
	return err;
}

FSK_EXPORT int pthread_setaffinity_np(pthread_t thread, size_t size,
				      const cpu_set_t *mask)
{
	typeof(pthread_setaffinity_np) *next = fsk_next(FSK_THREAD_SETAFFINITY);
	int err;

	if (!next)
		return EOPNOTSUPP;
	err = next(thread, size, mask);
	if (!err && pthread_equal(thread, pthread_self()))
		fsk_pin_chosen();
	return err;
}

/* Look all names up now: later, in a signal handler or in the child of a thread
 * that forked, dlsym() could wait for the dynamic linker's lock. A call that
 * comes before this constructor looks its own name up.
 */
__attribute__((constructor)) static void fsk_init(void)
{
	for (int call = 0; call < FSK_CALLS; call++)
		fsk_next(call);
	fsk_pin_init();
	fsk_lookup_done();
	fsk_activate();
}
