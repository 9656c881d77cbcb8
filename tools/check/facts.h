/* SPDX-License-Identifier: MIT */
#ifndef FSK_FACTS_H
#define FSK_FACTS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/elf.h"

#define FSK_FACTS_LINE	4096	/* bytes of a command line that are looked at */

/**
 * struct fsk_facts - what /proc tells of a process that listens
 * @pid: its number
 * @name: its name, as in /proc/PID/comm
 * @line: its command line; words end with 0
 * @line_len: bytes of @line
 * @readable: the caller may look into it
 * @elf_known: @elf could be read
 * @elf: how its program is linked
 * @asked: LD_PRELOAD of its environment names our library
 * @asked_path: the file that it names
 * @there: that file is there in the process' own root folder
 * @noexec: ... on a file system that is mounted noexec
 * @loaded: the library is mapped
 * @replaced: ... from a file that is not there any more
 * @raised: it was started with raised rights, the loader ignored LD_PRELOAD
 * @seccomp: a filter looks at its system calls
 * @profile: the AppArmor profile that is enforced on it, or empty
 * @profile_file: name of the file with a local part that it is in, or empty
 * @ports: FASTSOCKET_PORTS of its environment, or empty
 * @tasks: its threads
 * @bound: those that may run on one CPU only
 * @start: when it was started, seconds since 1970
 */
struct fsk_facts {
	pid_t pid;
	char name[16];
	char line[FSK_FACTS_LINE];
	size_t line_len;
	bool readable;
	bool elf_known;
	struct fsk_elf elf;
	bool asked;
	char asked_path[PATH_MAX];
	bool there;
	bool noexec;
	bool loaded;
	bool replaced;
	bool raised;
	bool seccomp;
	char profile[128];
	char profile_file[256];
	char ports[1024];
	unsigned int tasks;
	unsigned int bound;
	int64_t start;
};

int64_t fsk_facts_start(pid_t pid);
void fsk_facts_read(struct fsk_facts *facts, pid_t pid);

#endif
