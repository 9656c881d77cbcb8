/* SPDX-License-Identifier: GPL-2.0 */
/* What a file has, as a text. */
#ifndef TEXT_H
#define TEXT_H

#include <stdio.h>

/* All from the file's beginning, as far as there is room. */
static void text_of(FILE *file, char *text, size_t size)
{
	rewind(file);
	text[fread(text, 1, size - 1, file)] = '\0';
}

#endif
