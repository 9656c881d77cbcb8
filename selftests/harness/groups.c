// SPDX-License-Identifier: GPL-2.0
#include "groups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

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
 * group_enter() - the calling task goes to a control group
 * @root: the hierarchy
 * @dir: path below it
 *
 * Return: 0 or a negative errno.
 */
int group_enter(const char *root, const char *dir)
{
	char path[96];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s/cgroup.procs", root, dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, "0", 1) != 1)
		err = -errno;
	close(fd);
	return err;
}
