// SPDX-License-Identifier: MIT
/*
 * FASTSOCKET_ACCEPT: accept() and accept4() by the module's ioctl, which uses
 * the socket file of a closed connection again.
 *
 * Where the ioctl refers the caller to accept4(), and in any doubt, the C
 * library's function accepts.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/fastsocket.h>

#include "fsocket.h"

/* Programs open their listeners early, so that these have low numbers. Higher
 * descriptors are always left to the C library.
 */
#define FSK_ACCEPT_FDS	1024

/* A thread that the kernel refuses to serve asks again after 1 call, then after
 * 2, 4 and so on, up to this many.
 */
#define FSK_ACCEPT_SKIP	1024

enum {
	FSK_ACCEPT_UNKNOWN,
	FSK_ACCEPT_JOINED,
	FSK_ACCEPT_OTHER,
};

/* What each descriptor was when accept() last looked. listen() resets the
 * entry, but a program can close a descriptor and get its number again without
 * listen(), and then the entry is wrong. Nothing breaks: the kernel refuses the
 * ioctl on anything but a joined listener, and from a joined listener that is
 * taken for something else the C library accepts.
 */
static atomic_uchar fsk_accept_kinds[FSK_ACCEPT_FDS];

/**
 * struct fsk_accept_thread - how long a refused thread does not ask again
 * @skip: how many of the next calls go straight to the C library
 * @step: the last pause, in calls; 0 when the kernel served the last call
 */
static __thread struct fsk_accept_thread {
	unsigned int skip;
	unsigned int step;
} fsk_accept_self;

static void fsk_accept_set(int fd, unsigned char kind)
{
	atomic_store_explicit(&fsk_accept_kinds[fd], kind,
			      memory_order_relaxed);
}

static bool fsk_accept_listener(int fd)
{
	unsigned char kind;

	if (fd < 0 || fd >= FSK_ACCEPT_FDS)
		return false;
	kind = atomic_load_explicit(&fsk_accept_kinds[fd],
				    memory_order_relaxed);
	if (kind == FSK_ACCEPT_UNKNOWN) {
		kind = fsk_join_check(fd) ? FSK_ACCEPT_JOINED :
					    FSK_ACCEPT_OTHER;
		fsk_accept_set(fd, kind);
		if (kind == FSK_ACCEPT_JOINED)
			fsk_log("fd %d: accepts by the module", fd);
	}
	return kind == FSK_ACCEPT_JOINED;
}

static void fsk_accept_pause(struct fsk_accept_thread *self)
{
	self->step = self->step ? 2 * self->step : 1;
	if (self->step > FSK_ACCEPT_SKIP)
		self->step = FSK_ACCEPT_SKIP;
	self->skip = self->step;
}

/* Like accept(), this is a cancellation point: the ioctl runs with asynchronous
 * cancellation, as the C library's own calls do.
 */
static int fsk_accept_ioctl(int fd, struct fsk_accept *arg)
{
	int ret, type;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	ret = ioctl(fd, FSK_IOC_ACCEPT, arg);
	pthread_setcanceltype(type, NULL);
	return ret;
}

/* Must the caller make the stock call after this error of the ioctl? Not if
 * accept() can fail that way: it would fail again. Every other error is one
 * that accept() never gives. ESTALE means that accept4() must ask the security
 * module again, and a seccomp filter that does not know the ioctl may answer
 * anything.
 */
static bool fsk_accept_left(int fd, int err)
{
	switch (err) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
	case EFAULT:
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return false;
	case EINVAL:	/* accept()'s own, unless it listens no more */
		return !fsk_join_check(fd);
	case EOPNOTSUPP:
		fsk_accept_pause(&fsk_accept_self);
		return true;
	case ENOTTY:
		fsk_accept_set(fd, FSK_ACCEPT_OTHER);
		return true;
	default:
		return true;
	}
}

/**
 * fsk_accept_forget() - forget what a descriptor was
 * @fd: a descriptor that may have become a listener
 *
 * Context: Any.
 */
void fsk_accept_forget(int fd)
{
	if (fd >= 0 && fd < FSK_ACCEPT_FDS)
		fsk_accept_set(fd, FSK_ACCEPT_UNKNOWN);
}

/**
 * fsk_accept_try() - let the module accept, where it can and may
 * @fd: a descriptor of any kind
 * @addr: as accept4()'s
 * @len: as accept4()'s
 * @flags: as accept4()'s
 * @ret: result for accept4(); errno goes with it
 *
 * Context: A cancellation point.
 * Return: whether the module has answered, in @ret. If not, errno is as before
 *         and the caller makes the stock call.
 */
bool fsk_accept_try(int fd, struct sockaddr *addr, socklen_t *len, int flags,
		    int *ret)
{
	struct fsk_accept_thread *self = &fsk_accept_self;
	struct fsk_accept arg = {
		.addr = (uintptr_t)addr,
		.addrlen = (uintptr_t)len,
		.flags = flags,
	};
	int saved = errno;
	int err;

	if (!fsk_config_get()->accept || !fsk_accept_listener(fd))
		goto left;
	if (self->skip) {
		self->skip--;
		goto left;
	}
	*ret = fsk_accept_ioctl(fd, &arg);
	err = *ret < 0 ? errno : 0;
	if (err && fsk_accept_left(fd, err))
		goto left;
	self->step = 0;
	if (err)
		errno = err;
	return true;

left:
	errno = saved;
	return false;
}
