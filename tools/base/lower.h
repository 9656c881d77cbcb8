/* SPDX-License-Identifier: MIT */
#ifndef FSK_LOWER_H
#define FSK_LOWER_H

#include <net/if.h>
#include <stddef.h>

/**
 * struct fsk_lower - names of interfaces
 * @count: of @names
 * @names: the names; who gets them frees it
 */
struct fsk_lower {
	size_t count;
	char (*names)[IF_NAMESIZE];
};

void fsk_lower_add(struct fsk_lower *names, const char *name);
void fsk_lower_devices(const char *name, struct fsk_lower *found);

#endif
