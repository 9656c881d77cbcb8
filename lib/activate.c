// SPDX-License-Identifier: MIT
/*
 * A service manager may open listeners and pass them on, as sd_listen_fds(3)
 * describes it. The program never calls listen() on them, so they join here.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fsocket.h"

#define FSK_ACTIVATE_FIRST	3

/* Not by strtol(), of which a new compiler takes a version that only a new C
 * library has.
 */
static long fsk_activate_number(const char *name)
{
	const char *word = secure_getenv(name);
	long value = 0;

	if (!word || !*word)
		return -1;
	for (; *word >= '0' && *word <= '9' && value <= INT_MAX; word++)
		value = 10 * value + (*word - '0');
	return *word || value > INT_MAX ? -1 : value;
}

/* Return: whether the descriptor is open. */
static bool fsk_activate_one(int fd)
{
	socklen_t len = sizeof(int);
	int listens = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len))
		return errno != EBADF;
	if (listens)
		fsk_join(fd);
	return true;
}

/**
 * fsk_activate() - let the listeners join that a service manager passed on
 *
 * Context: At start.  Keeps errno.
 */
void fsk_activate(void)
{
	long i, count = fsk_activate_number("LISTEN_FDS");
	int saved = errno;

	if (count > 0 && fsk_activate_number("LISTEN_PID") == getpid())
		for (i = 0; i < count && i < INT_MAX - FSK_ACTIVATE_FIRST; i++)
			if (!fsk_activate_one(FSK_ACTIVATE_FIRST + i))
				break;
	errno = saved;
}
