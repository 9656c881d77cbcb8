// SPDX-License-Identifier: MIT
/*
 * Lines of a service's files, all but those of our own drop-in: what the
 * manager shows has ours merged in. Specifiers stay as they are.
 */
#include "unit_files.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "service.h"

#define FSK_UNIT_FILES_LINE	16384	/* bytes, with what goes on with it */

/* Read a line, and those that go on with it. False at the end. */
static bool fsk_unit_files_line(FILE *file, char *line)
{
	size_t len = 0;
	char *begin;

	*line = '\0';
	while (len + 1 < FSK_UNIT_FILES_LINE &&
	       fgets(line + len, FSK_UNIT_FILES_LINE - len, file)) {
		begin = line + len + strspn(line + len, " \t");
		if (*begin == '#' || *begin == ';') {
			line[len] = '\0';
			continue;
		}
		len += strcspn(line + len, "\n");
		line[len] = '\0';
		if (!len || line[len - 1] != '\\')
			return true;
		line[len - 1] = ' ';
	}
	return len;
}

static char *fsk_unit_files_strip(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

static void fsk_unit_files_read(const char *path, bool later, const char *name,
				fsk_unit_files_take *take, void *data)
{
	FILE *file = fopen(path, "re");
	char line[FSK_UNIT_FILES_LINE], *value;

	while (file && fsk_unit_files_line(file, line)) {
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = '\0';
		if (!strcmp(fsk_unit_files_strip(line), name))
			take(fsk_unit_files_strip(value), later, data);
	}
	if (file)
		fclose(file);
}

/**
 * fsk_unit_files_each() - take each line of a name
 * @unit: the service
 * @name: what the line sets
 * @take: gets what it is set to
 * @data: for @take
 *
 * The order is the manager's: the unit, then the drop-ins by their names.
 */
void fsk_unit_files_each(const struct fsk_service *unit, const char *name,
			 fsk_unit_files_take *take, void *data)
{
	char paths[FSK_UNIT_FILES_LINE], *rest, *path;
	int order;

	fsk_service_get(unit, "FragmentPath", paths, sizeof(paths));
	fsk_unit_files_read(paths, false, name, take, data);
	fsk_service_get(unit, "DropInPaths", paths, sizeof(paths));
	for (path = strtok_r(paths, " ", &rest); path;
	     path = strtok_r(NULL, " ", &rest)) {
		const char *end = strrchr(path, '/');

		order = strcmp(end ? end + 1 : path, FSK_UNIT_FILES_OURS);
		if (order)
			fsk_unit_files_read(path, order > 0, name, take, data);
	}
}
