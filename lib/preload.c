// SPDX-License-Identifier: MIT
/*
 * The interposed calls. listen() always: a listener joins after it. The calls
 * by which a worker begins to wait, and pthread_create(), only pass through,
 * unless binding to CPUs was asked for.
 *
 * Each makes the stock call and returns its result and errno.
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fsocket.h"

#define FSK_EXPORT __attribute__((visibility("default")))

/* The next definition of a function: the C library's, or another preloaded
 * library's. Looked up at the first call, which may come before any
 * constructor; threads that come at the same time find the same.
 */
static void *fsk_next(_Atomic(void *) *where, const char *name)
{
	void *next = atomic_load_explicit(where, memory_order_relaxed);

	if (!next) {
		next = dlsym(RTLD_NEXT, name);
		atomic_store_explicit(where, next, memory_order_relaxed);
	}
	return next;
}

/* Declares `next`, the next definition of @name. */
#define FSK_NEXT(name)							\
	static _Atomic(void *) fsk_next_##name;				\
	typeof(&name) next = fsk_next(&fsk_next_##name, #name)

/* Where there is no next definition: a program without it could not have
 * called us.
 */
#define FSK_NEXT_OR_FAIL(name)						\
	FSK_NEXT(name);							\
									\
	if (!next) {							\
		errno = ENOSYS;						\
		return -1;						\
	}

FSK_EXPORT int listen(int fd, int backlog)
{
	int ret;

	FSK_NEXT(listen);

	ret = next ? next(fd, backlog) :
		     (int)syscall(SYS_listen, fd, backlog);
	if (!ret) {
		fsk_pin_forget(fd);
		fsk_join(fd);
	}
	return ret;
}

FSK_EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	FSK_NEXT_OR_FAIL(accept);

	if (fsk_pin_wanted()) {
		fsk_pin_forget(fd);
		fsk_pin(fd);
	}
	return next(fd, addr, len);
}

FSK_EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *len,
		       int flags)
{
	FSK_NEXT_OR_FAIL(accept4);

	if (fsk_pin_wanted()) {
		fsk_pin_forget(fd);
		fsk_pin(fd);
	}
	return next(fd, addr, len, flags);
}

FSK_EXPORT int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	FSK_NEXT_OR_FAIL(epoll_ctl);

	if (op == EPOLL_CTL_ADD && fsk_pin_wanted())
		fsk_pin(fd);
	return next(epfd, op, fd, event);
}

static void fsk_pin_poll(const struct pollfd *fds, nfds_t count)
{
	for (nfds_t i = 0; i < count && fsk_pin_wanted(); i++)
		if (fds[i].events & (POLLIN | POLLRDNORM))
			fsk_pin(fds[i].fd);
}

FSK_EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	FSK_NEXT_OR_FAIL(poll);

	fsk_pin_poll(fds, count);
	return next(fds, count, timeout);
}

FSK_EXPORT int ppoll(struct pollfd *fds, nfds_t count,
		     const struct timespec *timeout, const sigset_t *sigmask)
{
	FSK_NEXT_OR_FAIL(ppoll);

	fsk_pin_poll(fds, count);
	return next(fds, count, timeout, sigmask);
}

/* What poll() and ppoll() are in programs built with _FORTIFY_SOURCE. */
FSK_EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout,
			  size_t size);
FSK_EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout,
			  size_t size)
{
	FSK_NEXT_OR_FAIL(__poll_chk);

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
	FSK_NEXT_OR_FAIL(__ppoll_chk);

	if (count <= size / sizeof(*fds))
		fsk_pin_poll(fds, count);
	return next(fds, count, timeout, sigmask, size);
}

/* Sets may be larger than FD_SETSIZE, which FD_ISSET() would not take. */
static void fsk_pin_select(int count, const fd_set *set)
{
	const unsigned long *bits = (const unsigned long *)set;
	const int word = 8 * sizeof(*bits);

	for (int fd = 0; set && fd < count && fsk_pin_wanted(); fd++)
		if (bits[fd / word] & 1UL << fd % word)
			fsk_pin(fd);
}

FSK_EXPORT int select(int count, fd_set *in, fd_set *out, fd_set *except,
		      struct timeval *timeout)
{
	FSK_NEXT_OR_FAIL(select);

	fsk_pin_select(count, in);
	return next(count, in, out, except, timeout);
}

FSK_EXPORT int pselect(int count, fd_set *in, fd_set *out, fd_set *except,
		       const struct timespec *timeout, const sigset_t *sigmask)
{
	FSK_NEXT_OR_FAIL(pselect);

	fsk_pin_select(count, in);
	return next(count, in, out, except, timeout, sigmask);
}

/**
 * struct fsk_start - how a thread begins whose maker was bound by us
 * @run: the function that the program gave
 * @arg: its argument
 * @mask: CPUs for the new thread
 */
struct fsk_start {
	void *(*run)(void *arg);
	void *arg;
	unsigned char mask[FSK_MASK_BYTES];
};

static void *fsk_start_thread(void *arg)
{
	struct fsk_start start = *(struct fsk_start *)arg;

	free(arg);
	fsk_pin_restore(start.mask);
	return start.run(start.arg);
}

/* Attributes of which the program has chosen the CPUs. Without a choice all
 * bits are set.
 */
static bool fsk_start_has_cpus(const pthread_attr_t *attr)
{
	unsigned char mask[FSK_MASK_BYTES] = { 0 };

	if (!attr)
		return false;
	if (pthread_attr_getaffinity_np(attr, sizeof(mask),
					(cpu_set_t *)mask))
		return true;
	for (size_t i = 0; i < sizeof(mask); i++)
		if (mask[i] != 0xff)
			return true;
	return false;
}

FSK_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			      void *(*run)(void *arg), void *arg)
{
	struct fsk_start *start;
	int err;

	FSK_NEXT(pthread_create);

	if (!next)
		return EAGAIN;
	if (fsk_pin_wanted() || !fsk_config_get()->pin ||
	    fsk_start_has_cpus(attr))
		return next(thread, attr, run, arg);
	start = malloc(sizeof(*start));
	if (!start || !fsk_pin_original(start->mask)) {
		free(start);
		return next(thread, attr, run, arg);
	}
	start->run = run;
	start->arg = arg;
	err = next(thread, attr, fsk_start_thread, start);
	if (err)
		free(start);
	return err;
}

__attribute__((constructor)) static void fsk_init(void)
{
	fsk_pin_init();
}
