// SPDX-License-Identifier: MIT
/*
 * Prints words so that the configuration's reader has the same words again. It
 * leaves the lines around them to the caller.
 */
#include "yaml.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FSK_YAML_FIRST	"0123456789_/" \
			"abcdefghijklmnopqrstuvwxyz" \
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Fewer words than YAML allows: nobody has to know all its rules. */
static bool fsk_yaml_plain(const char *word)
{
	return strspn(word, FSK_YAML_FIRST) &&
	       !word[strspn(word, FSK_YAML_FIRST "@.,+-")];
}

/* The character that begins here; its bytes are UTF-8, as libyaml makes them.
 * This moves on to the next one.
 */
static unsigned int fsk_yaml_next(const char **word)
{
	unsigned int code = (unsigned char)*(*word)++;
	unsigned int mask = 0x40;

	if (code < 0x80)
		return code;
	for (; code & mask && (**word & 0xc0) == 0x80; mask <<= 5)
		code = code << 6 | (*(*word)++ & 0x3f);
	return code & (mask - 1);
}

/**
 * fsk_yaml_word() - print a word, in quotes where it needs some
 * @word: UTF-8
 *
 * Return: how many columns it takes.
 */
int fsk_yaml_word(const char *word)
{
	unsigned int code;
	int columns = 2;

	if (fsk_yaml_plain(word))
		return printf("%s", word);
	putchar('"');
	while (*word) {
		code = fsk_yaml_next(&word);
		if (code >= ' ' && code < 0x7f)
			columns += printf(code == '"' || code == '\\' ?
					  "\\%c" : "%c", code);
		else
			columns += printf("\\U%08x", code);
	}
	putchar('"');
	return columns;
}
