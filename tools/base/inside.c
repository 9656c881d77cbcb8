// SPDX-License-Identifier: MIT
/*
 * Opens files as a process in another root folder sees them. Who made them is
 * not trusted: what a name leads to never lies outside of that folder, and
 * nothing waits for a pipe's other end.
 */
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

/**
 * fsk_inside_open() - open a file below a root folder
 * @root: the folder, such as /proc/PID/root
 * @path: as it is called in there, from the root on
 * @flags: as open() has them
 *
 * The kernel follows links in @path as if @root were the root.
 *
 * Return: a descriptor that is closed on exec, or -1 with errno set.
 */
int fsk_inside_open(const char *root, const char *path, int flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT,
	};
	int folder, fd, err;

	/* From which folder another name begins is not known. */
	if (*path != '/') {
		errno = ENOENT;
		return -1;
	}
	/* With O_PATH the kernel takes no flags that say how to read. */
	if (!(flags & O_PATH))
		how.flags |= O_NONBLOCK | O_NOCTTY;
	folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -1;
	fd = syscall(SYS_openat2, folder, path, &how, sizeof(how));
	err = errno;
	close(folder);
	errno = err;
	return fd;
}
