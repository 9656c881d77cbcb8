/* SPDX-License-Identifier: MIT */
#ifndef FSK_KEPT_H
#define FSK_KEPT_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lower.h"

/**
 * struct fsk_kept_line - a setting as it was
 * @key: of the setting
 * @value: of the setting
 */
struct fsk_kept_line {
	char *key;
	char *value;
};

/**
 * struct fsk_kept - the settings of an interface as they were
 * @id: its device and port, by number and by name: the name of the file
 * @name: of the interface, when they were kept
 * @boot: identifies the run of the kernel
 * @inode: of the interface's folder in sysfs, which no other one has in a run
 * @count: of @lines
 * @lines: the settings, in the order in which to write them back
 */
struct fsk_kept {
	char id[160];
	char name[IF_NAMESIZE];
	char boot[40];
	uint64_t inode;
	size_t count;
	struct fsk_kept_line *lines;
};

int fsk_kept_lock(void);
bool fsk_kept_init(struct fsk_kept *kept, const char *name);
int fsk_kept_load(struct fsk_kept *kept);
int fsk_kept_save(const struct fsk_kept *kept);
int fsk_kept_drop(const struct fsk_kept *kept);
bool fsk_kept_add(struct fsk_kept *kept, const char *key, const char *value);
bool fsk_kept_has(const struct fsk_kept *kept, const char *key);
const char *fsk_kept_lost(const struct fsk_kept *kept, char *name);
void fsk_kept_free(struct fsk_kept *kept);
bool fsk_kept_find(struct fsk_kept *kept, const char *name, int *status);
int fsk_kept_names(struct fsk_lower *names);

#endif
