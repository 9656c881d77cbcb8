// SPDX-License-Identifier: MIT
/* Who sets LD_PRELOAD, and to what: lines of a service's environment, files. */
#include "preload.h"

#include <stdio.h>
#include <string.h>

#include "service.h"
#include "unit_files.h"

static bool fsk_preload_is(const char *word, void *data)
{
	return !strncmp(word, "LD_PRELOAD", 10) &&
	       (!word[10] || word[10] == '=');
}

/**
 * fsk_preload_among() - is LD_PRELOAD among variables?
 * @words: their names, some with a value; changed
 *
 * Return: whether it is.
 */
bool fsk_preload_among(char *words)
{
	return fsk_service_each(words, " ", fsk_preload_is, NULL);
}

/**
 * fsk_preload_in_file() - does a file set LD_PRELOAD?
 * @path: of the file, with lines NAME=VALUE
 *
 * Return: whether it does.
 */
bool fsk_preload_in_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[1024];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = fsk_preload_is(line + strspn(line, " \t"), NULL);
	if (file)
		fclose(file);
	return found;
}

/* The next word of a line, without its quotes; %NULL at the end. */
static char *fsk_preload_word(char **rest)
{
	char *from = *rest + strspn(*rest, " \t"), *word = from, *to = from;
	char quote = '\0';

	if (!*from)
		return NULL;
	for (; *from && (quote || !strchr(" \t", *from)); from++) {
		if (quote ? *from == quote : *from == '"' || *from == '\'')
			quote = quote ? '\0' : *from;
		else
			*to++ = *from;
	}
	*rest = from + !!*from;
	*to = '\0';
	return word;
}

/* The list of a line's last LD_PRELOAD, which counts; %NULL without one. */
static char *fsk_preload_list(char *line)
{
	char *word, *list = NULL;

	while ((word = fsk_preload_word(&line)))
		if (!strncmp(word, "LD_PRELOAD=", 11))
			list = word + 11;
	return list;
}

static bool fsk_preload_equal(const char *word, void *data)
{
	return !strcmp(word, data);
}

/**
 * fsk_preload_has() - does the LD_PRELOAD that counts name a library?
 * @line: variables, as a service's environment has them; changed
 * @library: path of the library
 *
 * Return: whether it does.
 */
bool fsk_preload_has(char *line, const char *library)
{
	char *list = fsk_preload_list(line);

	return list && fsk_service_each(list, " :", fsk_preload_equal,
					(void *)library);
}

/* Add a library to others, with a colon before it; not ours. */
static bool fsk_preload_add(const char *word, void *data)
{
	const char *name = strrchr(word, '/');
	char *others = data;
	size_t len = strlen(others);

	if (strcmp(name ? name + 1 : word, "libfsocket.so"))
		snprintf(others + len, FSK_PRELOAD_LIST - len, ":%s", word);
	return false;
}

/* The last line with LD_PRELOAD counts. */
static void fsk_preload_line(char *value, bool later, void *data)
{
	char *others = data, *list;

	if (!*value)
		*others = '\0';
	list = fsk_preload_list(value);
	if (!list)
		return;
	*others = '\0';
	fsk_service_each(list, " :", fsk_preload_add, others);
}

/**
 * fsk_preload_others() - libraries that a service preloads by its own files
 * @unit: the service
 * @others: %FSK_PRELOAD_LIST bytes, filled in; each has a colon before it
 */
void fsk_preload_others(const struct fsk_service *unit, char *others)
{
	*others = '\0';
	fsk_unit_files_each(unit, "Environment", fsk_preload_line, others);
}
