// SPDX-License-Identifier: MIT
/* Makes a text harmless that others have written, and that a terminal gets. */
#include "plain.h"

/**
 * fsk_plain() - take out of a text what a terminal would obey
 * @text: as any user may have written it, for instance a process' name
 * @length: of @text; it may have several words that end with 0
 */
void fsk_plain(char *text, size_t length)
{
	unsigned char c, next;

	for (size_t i = 0; i < length; i++) {
		c = text[i];
		next = i + 1 < length ? text[i + 1] : 0;
		/* In UTF-8 some have two bytes. */
		if (c == 0xc2 && next >= 0x80 && next < 0xa0)
			text[i + 1] = '?';
		else if (!c || (c >= ' ' && c != 0x7f))
			continue;
		text[i] = '?';
	}
}
