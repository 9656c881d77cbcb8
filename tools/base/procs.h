/* SPDX-License-Identifier: MIT */
#ifndef FSK_PROCS_H
#define FSK_PROCS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct fsk_proc - a process that holds a socket
 * @inode: of the socket
 * @pid: process number
 * @name: its name, as in /proc/PID/comm
 */
struct fsk_proc {
	uint32_t inode;
	pid_t pid;
	char name[16];
};

/**
 * struct fsk_procs - the processes that hold sockets
 * @count: of @procs
 * @procs: by inode, then process number
 */
struct fsk_procs {
	size_t count;
	struct fsk_proc *procs;
};

void fsk_procs_read(struct fsk_procs *procs);
void fsk_procs_read_one(struct fsk_procs *procs, pid_t pid);
const struct fsk_proc *fsk_procs_find(const struct fsk_procs *procs,
				      uint32_t inode);
void fsk_procs_free(struct fsk_procs *procs);

#endif
