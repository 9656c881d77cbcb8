/* SPDX-License-Identifier: MIT */
#ifndef FSK_NEAREST_H
#define FSK_NEAREST_H

/**
 * struct fsk_nearest - the search for the name that a user meant
 * @word: what the user wrote; the caller sets it, and zeroes the rest
 * @name: the nearest name so far, or %NULL when none is near
 * @distance: of @name
 * @hint: room for fsk_nearest_hint()
 */
struct fsk_nearest {
	const char *word;
	const char *name;
	unsigned int distance;
	char hint[64];
};

void fsk_nearest_try(struct fsk_nearest *nearest, const char *name);
const char *fsk_nearest_hint(struct fsk_nearest *nearest);

#endif
