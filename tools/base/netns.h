/* SPDX-License-Identifier: MIT */
#ifndef FSK_NETNS_H
#define FSK_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct fsk_netns - a network namespace
 * @inode: its number, by which *lsns*(8) and *readlink*(1) name it
 * @fd: open on it
 * @pid: a process in it, the one with the lowest number; 0 when none is
 * @name: as `ip netns` has it, or that process' name
 */
struct fsk_netns {
	uint64_t inode;
	int fd;
	pid_t pid;
	char name[64];
};

/**
 * struct fsk_netns_all - the machine's network namespaces
 * @count: of @all
 * @all: by the time they were found: named ones first
 * @left_out: there are more than this process may open
 */
struct fsk_netns_all {
	size_t count;
	struct fsk_netns *all;
	bool left_out;
};

/* Returns an exit status; anything but 0 ends the walk. */
typedef int fsk_netns_take(const struct fsk_netns *ns, void *data);

void fsk_netns_json(const struct fsk_netns *ns);
int fsk_netns_each(fsk_netns_take *take, void *data);

#endif
