// SPDX-License-Identifier: MIT
/*
 * FASTSOCKET_ACCEPT: accept() and accept4() by the module's ioctl, which gives
 * them a socket file of a connection that was closed before.
 *
 * Whatever the ioctl leaves to accept4(), and any doubt, is left to the C
 * library's function.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/fastsocket.h>

#include "fsocket.h"

/* Listeners are opened early. One with a higher number is left alone. */
#define FSK_ACCEPT_FDS	1024

/* Where the kernel doesn't serve a thread it is asked again after 1, 2, 4 and
 * so on up to this many calls.
 */
#define FSK_ACCEPT_SKIP	1024

enum {
	FSK_ACCEPT_UNKNOWN,
	FSK_ACCEPT_JOINED,
	FSK_ACCEPT_OTHER,
};

/* What the descriptors are. When one is closed and given anew without
 * listen(), what is here may be wrong: the kernel then refuses what is no
 * joined listener, or it is left alone.
 */
static atomic_uchar fsk_accept_kinds[FSK_ACCEPT_FDS];

/**
 * struct fsk_accept_thread - what a thread knows of itself
 * @skip: calls to come that don't ask
 * @step: how many were skipped last, 0 when it was served
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

/* A cancellation point, as accept() is: the thread may be cancelled in it, by
 * the means of the C library's own calls.
 */
static int fsk_accept_ioctl(int fd, struct fsk_accept *arg)
{
	int ret, type;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	ret = ioctl(fd, FSK_IOC_ACCEPT, arg);
	pthread_setcanceltype(type, NULL);
	return ret;
}

/* Whether the stock call is to be made. What accept() may answer it would
 * answer again; all else is no answer to accept(): ESTALE, the security module
 * is to be asked, or what a filter says that doesn't know this ioctl.
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
	case EINVAL:	/* or of what is no listener any more */
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
 * fsk_accept_forget() - this descriptor is not what it was
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
 * fsk_accept_try() - accept4() by the module, if it may be
 * @fd: a descriptor of any kind
 * @addr: as accept4()'s
 * @len: as accept4()'s
 * @flags: as accept4()'s
 * @ret: what accept4() is to return, with errno
 *
 * Context: A cancellation point.
 * Return: whether @ret is valid; if not, the stock call is to be made.
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
