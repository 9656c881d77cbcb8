/* SPDX-License-Identifier: MIT */
#ifndef FSK_ATTACHED_H
#define FSK_ATTACHED_H

#include <stdbool.h>

#define FSK_ATTACHED_NAME	512	/* bytes of a profile's name, at most */

/**
 * struct fsk_attached - the AppArmor profile that a program gets
 * @path: the program
 * @wanted: name of the profile that its service asks for, or empty
 * @name: of the profile that was found last
 * @count: profiles that match
 * @exact: it has the path itself, or is the wanted one: no other counts
 * @doubt: it can't be told whether one that counts matches
 * @enforced: one that counts is enforced
 */
struct fsk_attached {
	const char *path;
	const char *wanted;
	char name[FSK_ATTACHED_NAME];
	unsigned int count;
	bool exact;
	bool doubt;
	bool enforced;
};

void fsk_attached_find(struct fsk_attached *attached);

#endif
