/* SPDX-License-Identifier: MIT */
#ifndef FSK_CGROUP_H
#define FSK_CGROUP_H

#define FSK_CGROUP_MOUNT	"/sys/fs/cgroup"

int fsk_cgroup_path(const char *word, char *path);
int fsk_cgroup_each_process(const char *path,
			    int (*act)(const char *pid, void *data),
			    void *data);

#endif
