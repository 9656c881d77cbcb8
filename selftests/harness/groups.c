// SPDX-License-Identifier: GPL-2.0
#include "groups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

/**
 * groups_mount() - have a hierarchy at a place of one's own
 * @root: GROUPS_ROOT bytes, filled in with the place
 *
 * Return: 0 or a negative errno.
 */
int groups_mount(char *root)
{
	snprintf(root, GROUPS_ROOT, "/tmp/fsk-cgroup-XXXXXX");
	if (!mkdtemp(root) || mount("cgroup2", root, "cgroup2", 0, NULL))
		return -errno;
	return 0;
}

/**
 * groups_unmount() - leave it, for the root group
 * @root: as groups_mount() filled it in
 */
void groups_unmount(const char *root)
{
	umount2(root, MNT_DETACH);
	rmdir(root);
}

/**
 * group_make() - make a control group, if it is not there
 * @root: the hierarchy
 * @dir: path below it
 *
 * Return: a descriptor of it or a negative errno.
 */
int group_make(const char *root, const char *dir)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, dir);
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/**
 * group_remove() - remove it
 * @root: the hierarchy
 * @dir: path below it
 *
 * It may stay while sockets of it are being freed: the next test takes it as it
 * is.
 */
void group_remove(const char *root, const char *dir)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", root, dir);
	rmdir(path);
}

/**
 * group_write() - set what a file of a control group has
 * @root: the hierarchy
 * @dir: path below it
 * @file: name of the file
 * @text: for it
 *
 * Return: 0 or a negative errno.
 */
int group_write(const char *root, const char *dir, const char *file,
		const char *text)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s/%s", root, dir, file);
	return file_write(path, text);
}

/**
 * group_enter() - the calling task goes to a control group
 * @root: the hierarchy
 * @dir: path below it
 *
 * Return: 0 or a negative errno.
 */
int group_enter(const char *root, const char *dir)
{
	return group_put(root, dir, 0);
}

/**
 * group_put() - put a process into a control group
 * @root: the hierarchy
 * @dir: path below it
 * @pid: the process; 0 for the caller
 *
 * Return: 0 or a negative errno.
 */
int group_put(const char *root, const char *dir, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return group_write(root, dir, "cgroup.procs", text);
}
