// SPDX-License-Identifier: MIT
/* Finds the process that holds a socket in /proc, where the caller may look. */
#include "procs.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "plain.h"
#include "process.h"

/* Without memory a name is missing, as it is without permission. */
static void fsk_procs_add(struct fsk_procs *procs, const struct fsk_proc *proc)
{
	struct fsk_proc *more;

	more = fsk_array_grow(procs->procs, procs->count, sizeof(*more));
	if (!more)
		return;
	procs->procs = more;
	more[procs->count++] = *proc;
}

static void fsk_procs_name(struct fsk_proc *proc, int folder)
{
	int fd = openat(folder, "../comm", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, proc->name, sizeof(proc->name) - 1);

	if (fd >= 0)
		close(fd);
	proc->name[len > 0 ? len : 0] = '\0';
	proc->name[strcspn(proc->name, "\n")] = '\0';
	fsk_plain(proc->name, strlen(proc->name));
}

static void fsk_procs_take(struct fsk_procs *procs, pid_t pid)
{
	struct fsk_proc proc = { .pid = pid };
	char path[32], link[64];
	struct dirent *entry;
	ssize_t len;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	if (!folder)
		return;
	fsk_procs_name(&proc, dirfd(folder));
	while ((entry = readdir(folder))) {
		len = readlinkat(dirfd(folder), entry->d_name, link,
				 sizeof(link) - 1);
		link[len > 0 ? len : 0] = '\0';
		if (sscanf(link, "socket:[%u]", &proc.inode) == 1)
			fsk_procs_add(procs, &proc);
	}
	closedir(folder);
}

static int fsk_procs_compare(const void *a, const void *b)
{
	const struct fsk_proc *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static void fsk_procs_sort(struct fsk_procs *procs)
{
	if (procs->count)
		qsort(procs->procs, procs->count, sizeof(*procs->procs),
		      fsk_procs_compare);
}

/**
 * fsk_procs_read_one() - find out which sockets a process holds
 * @procs: filled in; the caller gives it to fsk_procs_free()
 * @pid: the process; nothing is found if the caller may not look into it
 */
void fsk_procs_read_one(struct fsk_procs *procs, pid_t pid)
{
	memset(procs, 0, sizeof(*procs));
	fsk_procs_take(procs, pid);
	fsk_procs_sort(procs);
}

/**
 * fsk_procs_read() - find out who holds which socket
 * @procs: filled in; the caller gives it to fsk_procs_free()
 *
 * Processes into which the caller may not look are missing.
 */
void fsk_procs_read(struct fsk_procs *procs)
{
	struct dirent *entry;
	DIR *folder;

	memset(procs, 0, sizeof(*procs));
	folder = opendir("/proc");
	if (!folder)
		return;
	while ((entry = readdir(folder)))
		if (isdigit((unsigned char)entry->d_name[0]))
			fsk_procs_take(procs, atoi(entry->d_name));
	closedir(folder);
	fsk_procs_sort(procs);
}

/**
 * fsk_procs_find() - who holds a socket
 * @procs: from fsk_procs_read()
 * @inode: of the socket
 *
 * Return: the process, with the lowest number if there are several; %NULL if
 *         none is known.
 */
const struct fsk_proc *fsk_procs_find(const struct fsk_procs *procs,
				      uint32_t inode)
{
	size_t low = 0, high = procs->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (procs->procs[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == procs->count || procs->procs[low].inode != inode)
		return NULL;
	return &procs->procs[low];
}

/**
 * fsk_procs_free() - free what fsk_procs_read() found
 * @procs: from fsk_procs_read()
 */
void fsk_procs_free(struct fsk_procs *procs)
{
	free(procs->procs);
	memset(procs, 0, sizeof(*procs));
}
