/* SPDX-License-Identifier: MIT */
#ifndef FSK_CPUS_H
#define FSK_CPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FSK_NO_CPU	UINT32_MAX
#define FSK_CPUS_MAX	8192	/* as many as the kernel can have on x86 */
#define FSK_CPUS_TEXT	(FSK_CPUS_MAX / 32 * 9 + 1)	/* bytes of a mask */

/**
 * struct fsk_cpus - a set of CPUs
 * @word: a bit for each, the lowest CPU first
 */
struct fsk_cpus {
	uint32_t word[FSK_CPUS_MAX / 32];
};

void fsk_cpus_add(struct fsk_cpus *cpus, uint32_t cpu);
bool fsk_cpus_has(const struct fsk_cpus *cpus, uint32_t cpu);
bool fsk_cpus_parse_list(struct fsk_cpus *cpus, const char *list);
bool fsk_cpus_parse_mask(struct fsk_cpus *cpus, const char *mask);
bool fsk_cpus_read_list(struct fsk_cpus *cpus, const char *path);
uint32_t fsk_cpus_single(const struct fsk_cpus *cpus);
char *fsk_cpus_list(const struct fsk_cpus *cpus, char *text, size_t size);
char *fsk_cpus_mask(const struct fsk_cpus *cpus, char *text, size_t size);

#endif
