/* SPDX-License-Identifier: MIT */
#ifndef FSK_PROCESS_H
#define FSK_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct fsk_process - what /proc tells of a process
 * @name: as in /proc/PID/comm, but plain
 * @threads: how many it has
 * @bound: threads that may run on one CPU only
 * @resident_kib: memory
 * @preload: the library is mapped
 * @environment: what the process was started with, words that end with 0
 * @length: of @environment
 */
struct fsk_process {
	char name[32];
	unsigned int threads;
	unsigned int bound;
	uint64_t resident_kib;
	bool preload;
	char *environment;
	size_t length;
};

pid_t fsk_process_pid(const char *word);
int fsk_process_read(pid_t pid, struct fsk_process *process);
void fsk_process_reset(struct fsk_process *process);
const char *fsk_process_setting(const struct fsk_process *process,
				const char *last);
bool fsk_process_bound(const char *status);
uint64_t fsk_process_number(const char *status, const char *key);

#endif
