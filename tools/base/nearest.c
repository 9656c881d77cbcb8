// SPDX-License-Identifier: MIT
/* Finds which of the known names a user meant by a word that is none. */
#include "nearest.h"

#include <stdio.h>
#include <string.h>

#define FSK_NEAREST_MAX	40	/* bytes; no name of ours is as long */

static unsigned int fsk_nearest_min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* One row of the table of distances: @row is for @letter of @word, the ones
 * before it are for the letters before.
 */
static void fsk_nearest_row(const char *word, size_t i, const char *name,
			    unsigned int (*row)[FSK_NEAREST_MAX + 1])
{
	unsigned int best;

	row[0][0] = i;
	for (size_t k = 1; k <= strlen(name); k++) {
		best = row[-1][k - 1] + (word[i - 1] != name[k - 1]);
		best = fsk_nearest_min(best, row[-1][k] + 1);
		best = fsk_nearest_min(best, row[0][k - 1] + 1);
		if (i > 1 && k > 1 && word[i - 1] == name[k - 2] &&
		    word[i - 2] == name[k - 1])
			best = fsk_nearest_min(best, row[-2][k - 2] + 1);
		row[0][k] = best;
	}
}

/* How many letters to change, put in, leave out or swap with the next.
 * Source: optimal string alignment, Damerau 1964.
 */
static unsigned int fsk_nearest_distance(const char *word, const char *name)
{
	unsigned int rows[FSK_NEAREST_MAX + 1][FSK_NEAREST_MAX + 1];
	size_t len = strlen(word);

	for (size_t k = 0; k <= strlen(name); k++)
		rows[0][k] = k;
	for (size_t i = 1; i <= len; i++)
		fsk_nearest_row(word, i, name, &rows[i]);
	return rows[len][strlen(name)];
}

/**
 * fsk_nearest_try() - is this name nearer than those before?
 * @nearest: the search
 * @name: the name, which must outlive the search
 *
 * One mistake is allowed, and another one for each 5 letters. The beginning of
 * a name is nearer than any name with a mistake.
 */
void fsk_nearest_try(struct fsk_nearest *nearest, const char *name)
{
	size_t len = strlen(nearest->word);
	unsigned int distance;

	if (!len || len > FSK_NEAREST_MAX || strlen(name) > FSK_NEAREST_MAX)
		return;
	distance = fsk_nearest_distance(nearest->word, name);
	if (len > 1 && !strncmp(name, nearest->word, len))
		distance = 0;
	if (distance > 1 + len / 5 ||
	    (nearest->name && distance >= nearest->distance))
		return;
	nearest->name = name;
	nearest->distance = distance;
}

/**
 * fsk_nearest_hint() - the end of an error message
 * @nearest: the search
 *
 * Return: a question with the nearest name, or an empty string.
 */
const char *fsk_nearest_hint(struct fsk_nearest *nearest)
{
	*nearest->hint = '\0';
	if (nearest->name)
		snprintf(nearest->hint, sizeof(nearest->hint),
			 ", did you mean '%s'?", nearest->name);
	return nearest->hint;
}
