// SPDX-License-Identifier: GPL-2.0
/*
 * Connections that were accepted in one way or the other.
 */
#include "pairs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "counters.h"

/**
 * pairs_listen() - on CPU 0 of a namespace where FSK_IOC_ACCEPT accepts
 * @p: where
 *
 * Return: a listener that does not block, or a negative errno.
 */
int pairs_listen(const struct trial *p)
{
	int lfd, err;

	err = net_enter();
	err = err ?: vfs_set(true);
	err = err ?: pin(0);
	if (err)
		return err;
	lfd = sock_listen(p, 128);
	if (lfd < 0 || !fcntl(lfd, F_SETFL, O_NONBLOCK))
		return lfd;
	return -errno;
}

/**
 * renew() - get the pass that accept4() gives, without a connection
 * @lfd: a listener that does not block and has none waiting
 *
 * Return: 0 or -EBUSY.
 */
int renew(int lfd)
{
	return accept4(lfd, NULL, NULL, 0) < 0 && errno == EAGAIN ? 0 : -EBUSY;
}

void pair_close(struct pair *pair)
{
	close(pair->fd);
	sock_reset(pair->peer);
}

int pair_plain(const struct trial *p, int lfd, struct pair *pair)
{
	pair->peer = sock_dial(p, sock_port(lfd));
	if (pair->peer < 0)
		return pair->peer;
	pair->fd = sock_accept(lfd);
	return pair->fd < 0 ? pair->fd : 0;
}

/**
 * pair_fast() - a connection that FSK_IOC_ACCEPT accepted
 * @p: where the listener is
 * @lfd: the listener
 * @flags: SOCK_*
 * @pair: to be filled
 *
 * Tries again when the pass ran out: emulated CPUs may stall for that long.
 *
 * Return: 0 or a negative errno.
 */
int pair_fast(const struct trial *p, int lfd, int flags,
	      struct pair *pair)
{
	for (int i = 0; i < 1000; i++) {
		if (renew(lfd))
			return -EBUSY;
		pair->peer = sock_dial(p, sock_port(lfd));
		if (pair->peer < 0)
			return pair->peer;
		if (!until(sock_wait(lfd, POLLIN, 0)))
			return -ETIMEDOUT;
		pair->fd = sock_accept_fast(lfd, flags, NULL, NULL);
		if (pair->fd != -ESTALE)
			return pair->fd < 0 ? pair->fd : 0;
		pair->fd = sock_accept(lfd);
		pair_close(pair);
	}
	return -ESTALE;
}

/**
 * pair_again() - the same, with a socket that was used before
 * @p: where the listener is
 * @lfd: the listener
 * @flags: SOCK_*
 * @pair: to be filled
 *
 * Waits, because a file may be used again only after a grace period.
 *
 * Return: 0 or a negative errno.
 */
int pair_again(const struct trial *p, int lfd, int flags,
	       struct pair *pair)
{
	uint64_t before = count(FSK_STAT_VFS_REUSE);
	int err;

	for (int i = 0; i < ROUNDS_MAX; i++) {
		err = pair_fast(p, lfd, flags, pair);
		if (err)
			return err;
		if (count(FSK_STAT_VFS_REUSE) > before)
			return 0;
		pair_close(pair);
		nap();
	}
	return -ETIMEDOUT;
}
