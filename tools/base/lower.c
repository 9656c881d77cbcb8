// SPDX-License-Identifier: MIT
/*
 * Finds the interfaces that belong to a device, real or a virtual machine's:
 * an interface itself, or those beneath a bond, a VLAN, a bridge, a team.
 */
#include "lower.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "array.h"

#define FSK_LOWER_DEPTH	8	/* interfaces on top of each other, at most */

/**
 * fsk_lower_add() - add a name, unless it is there
 * @names: where; it stays as it is without memory
 * @name: the name
 */
void fsk_lower_add(struct fsk_lower *names, const char *name)
{
	char (*grown)[IF_NAMESIZE];

	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->names[i], name))
			return;
	grown = fsk_array_grow(names->names, names->count, sizeof(*grown));
	if (!grown)
		return;
	names->names = grown;
	snprintf(grown[names->count++], sizeof(*grown), "%.15s", name);
}

static void fsk_lower_walk(struct fsk_lower *found, const char *name,
			   int depth)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/sys/class/net/%s/device", name);
	if (!access(path, F_OK)) {
		fsk_lower_add(found, name);
		return;
	}
	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	folder = depth ? opendir(path) : NULL;
	if (!folder)
		return;
	while ((entry = readdir(folder)))
		if (!strncmp(entry->d_name, "lower_", 6))
			fsk_lower_walk(found, entry->d_name + 6, depth - 1);
	closedir(folder);
}

/**
 * fsk_lower_devices() - the interfaces with a device at or beneath one
 * @name: the interface
 * @found: gets their names
 */
void fsk_lower_devices(const char *name, struct fsk_lower *found)
{
	memset(found, 0, sizeof(*found));
	fsk_lower_walk(found, name, FSK_LOWER_DEPTH);
}
