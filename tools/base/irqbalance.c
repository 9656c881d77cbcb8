// SPDX-License-Identifier: MIT
/*
 * Talks to irqbalance(1) by its socket: which interrupts does it leave alone?
 * It takes a whole new list of them, and forgets that when it ends.
 */
#include "irqbalance.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "array.h"

/* It reads requests into 500 bytes, and later versions a list into 256. */
#define FSK_IRQBALANCE_LIST	255
#define FSK_IRQBALANCE_WAIT	5	/* seconds for an answer */

/* Any user may call a program so, and have it answer without an end. */
static bool fsk_irqbalance_trusted(uid_t uid)
{
	return !uid || uid == geteuid();
}

static bool fsk_irqbalance_is(const char *pid)
{
	char path[PATH_MAX], name[32] = "";
	struct stat owner;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s", pid);
	if (stat(path, &owner) || !fsk_irqbalance_trusted(owner.st_uid))
		return false;
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		*name = '\0';
	fclose(file);
	return !strcmp(name, "irqbalance\n");
}

/* Its socket is in /run, or abstract where it could not make that folder. */
static void fsk_irqbalance_addr(struct fsk_irqbalance *balance)
{
	struct sockaddr_un *addr = &balance->addr;
	char path[sizeof(addr->sun_path)];
	int len;

	addr->sun_family = AF_UNIX;
	snprintf(path, sizeof(path), "/run/irqbalance/irqbalance%d.sock",
		 balance->pid);
	if (!access(path, F_OK)) {
		memcpy(addr->sun_path, path, sizeof(path));
		balance->addr_len = sizeof(*addr);
		return;
	}
	len = snprintf(addr->sun_path + 1, sizeof(addr->sun_path) - 1,
		       "irqbalance%d.sock", balance->pid);
	balance->addr_len = offsetof(struct sockaddr_un, sun_path) + 1 + len;
}

/**
 * fsk_irqbalance_find() - does irqbalance run?
 * @balance: filled in; the caller gives it to fsk_irqbalance_free()
 *
 * Return: whether it does.
 */
bool fsk_irqbalance_find(struct fsk_irqbalance *balance)
{
	struct dirent *entry;
	DIR *folder;

	memset(balance, 0, sizeof(*balance));
	folder = opendir("/proc");
	while (folder && !balance->pid && (entry = readdir(folder)))
		if (isdigit(*entry->d_name) && fsk_irqbalance_is(entry->d_name))
			balance->pid = atoi(entry->d_name);
	if (folder)
		closedir(folder);
	if (balance->pid)
		fsk_irqbalance_addr(balance);
	return balance->pid;
}

/* It wants to see who asks. */
static bool fsk_irqbalance_send(int fd, const char *request)
{
	struct ucred cred = {
		.pid = getpid(),
		.uid = getuid(),
		.gid = getgid(),
	};
	struct iovec iov = {
		.iov_base = (void *)request,
		.iov_len = strlen(request),
	};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(cred))];
	} control = {
		.header.cmsg_len = CMSG_LEN(sizeof(cred)),
		.header.cmsg_level = SOL_SOCKET,
		.header.cmsg_type = SCM_CREDENTIALS,
	};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.room),
	};

	memcpy(CMSG_DATA(&control.header), &cred, sizeof(cred));
	return sendmsg(fd, &msg, MSG_NOSIGNAL) == (ssize_t)iov.iov_len;
}

/* Its name may be taken by another's socket. Returns errno, positive, or 0. */
static int fsk_irqbalance_connect(const struct fsk_irqbalance *balance, int fd)
{
	struct timeval limit = { .tv_sec = FSK_IRQBALANCE_WAIT };
	const struct sockaddr *addr = (const void *)&balance->addr;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, addr, balance->addr_len) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return errno;
	return fsk_irqbalance_trusted(peer.uid) ? 0 : EPERM;
}

/* Ask, and read what it answers, if anything, until it closes the connection.
 * Returns errno, positive, or 0 with the answer, which the caller frees.
 */
static int fsk_irqbalance_ask(const struct fsk_irqbalance *balance,
			      const char *request, char **answer)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *file = NULL;
	size_t room = 0;
	int err;

	*answer = NULL;
	if (fd < 0)
		return errno;
	err = fsk_irqbalance_connect(balance, fd);
	if (!err && fsk_irqbalance_send(fd, request))
		file = fdopen(fd, "r");
	if (!file) {
		err = err ? err : errno;
		close(fd);
		return err;
	}
	errno = 0;
	if (getdelim(answer, &room, '\0', file) < 0) {
		err = errno;
		/* There may be a buffer, with nothing in it. */
		free(*answer);
		*answer = NULL;
	}
	fclose(file);
	return err;
}

/**
 * fsk_irqbalance_read() - read which interrupts it leaves alone
 * @balance: from fsk_irqbalance_find()
 *
 * Return: 0, or errno, positive.
 */
int fsk_irqbalance_read(struct fsk_irqbalance *balance)
{
	char *answer, *at;
	int err;

	free(balance->banned);
	balance->banned = NULL;
	balance->count = 0;
	err = fsk_irqbalance_ask(balance, "setup", &answer);
	if (!err && (!answer || strncmp(answer, "SLEEP ", 6)))
		err = EPROTO;
	at = answer;
	while (!err && (at = strstr(at, "IRQ "))) {
		at += strlen("IRQ ");
		if (!fsk_irqbalance_add(balance, strtoul(at, &at, 10)))
			err = ENOMEM;
	}
	free(answer);
	return err;
}

/**
 * fsk_irqbalance_has() - does it leave an interrupt alone?
 * @balance: from fsk_irqbalance_read()
 * @irq: the interrupt
 *
 * Return: whether it does.
 */
bool fsk_irqbalance_has(const struct fsk_irqbalance *balance, unsigned int irq)
{
	for (size_t i = 0; i < balance->count; i++)
		if (balance->banned[i] == irq)
			return true;
	return false;
}

/**
 * fsk_irqbalance_add() - add an interrupt to those that it leaves alone
 * @balance: from fsk_irqbalance_read()
 * @irq: the interrupt
 *
 * Return: false without memory.
 */
bool fsk_irqbalance_add(struct fsk_irqbalance *balance, unsigned int irq)
{
	unsigned int *banned;

	if (fsk_irqbalance_has(balance, irq))
		return true;
	banned = fsk_array_grow(balance->banned, balance->count,
				sizeof(*banned));
	if (!banned)
		return false;
	balance->banned = banned;
	banned[balance->count++] = irq;
	return true;
}

/**
 * fsk_irqbalance_remove() - take an interrupt out again
 * @balance: from fsk_irqbalance_read()
 * @irq: the interrupt
 */
void fsk_irqbalance_remove(struct fsk_irqbalance *balance, unsigned int irq)
{
	for (size_t i = 0; i < balance->count; i++)
		if (balance->banned[i] == irq) {
			/* Only ever fewer from here on, until it is read. */
			memmove(&balance->banned[i], &balance->banned[i + 1],
				(--balance->count - i) *
				sizeof(*balance->banned));
			return;
		}
}

/**
 * fsk_irqbalance_write() - tell it the list
 * @balance: with the list
 *
 * Return: 0, or errno, positive: %E2BIG when its socket takes no list as long.
 */
int fsk_irqbalance_write(struct fsk_irqbalance *balance)
{
	char list[FSK_IRQBALANCE_LIST] = "NONE", request[sizeof(list) + 32];
	char *answer;
	size_t at = 0;
	int err;

	for (size_t i = 0; i < balance->count; i++) {
		at += snprintf(list + at, sizeof(list) - at, "%u ",
			       balance->banned[i]);
		if (at >= sizeof(list))
			return E2BIG;
	}
	snprintf(request, sizeof(request), "settings ban irqs %s", list);
	err = fsk_irqbalance_ask(balance, request, &answer);
	free(answer);
	return err;
}

/**
 * fsk_irqbalance_free() - free what was read
 * @balance: from fsk_irqbalance_find()
 */
void fsk_irqbalance_free(struct fsk_irqbalance *balance)
{
	free(balance->banned);
	balance->banned = NULL;
	balance->count = 0;
}
