/* SPDX-License-Identifier: GPL-2.0 */
/* Control groups of the test's own, in a hierarchy that it mounts. */
#ifndef GROUPS_H
#define GROUPS_H

#include <sys/types.h>

#define GROUPS_ROOT	32	/* bytes of the mount's path */

int groups_mount(char *root);
void groups_unmount(const char *root);
int group_make(const char *root, const char *dir);
void group_remove(const char *root, const char *dir);
int group_write(const char *root, const char *dir, const char *file,
		const char *text);
int group_enter(const char *root, const char *dir);
int group_put(const char *root, const char *dir, pid_t pid);

#endif
