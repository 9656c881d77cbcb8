// SPDX-License-Identifier: MIT
/*
 * The drop-in that lets a service load the library, or join by its control
 * group: its text, and the notes in it. What a sandbox needs is sandbox.c's.
 */
#include "dropin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "preload.h"
#include "service.h"

/**
 * fsk_dropin_note() - what a drop-in of ours says in a comment
 * @path: of the drop-in
 * @name: of the note: "profile" or "apparmor"
 * @value: filled in, empty when there is no such note
 * @size: of @value
 *
 * Return: whether there is a drop-in.
 */
bool fsk_dropin_note(const char *path, const char *name, char *value,
		     size_t size)
{
	FILE *file = fopen(path, "re");
	size_t len = strlen(name);
	char line[1024];

	*value = '\0';
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "# ", 2) && !strncmp(line + 2, name, len) &&
		    line[2 + len] == '=')
			snprintf(value, size, "%s", line + 3 + len);
	}
	fclose(file);
	return true;
}

/* Both are in the service's control group.  Without the module the service
 * starts all the same.
 */
static void fsk_dropin_text_cgroup(const struct fsk_dropin *dropin, FILE *file)
{
	fprintf(file, "[Service]\nExecStartPre=-+%s cgroup add self\n",
		dropin->cgroup);
	fprintf(file, "ExecStopPost=-+%s cgroup remove self\n",
		dropin->cgroup);
}

/**
 * fsk_dropin_text() - the drop-in
 * @dropin: checked, nothing stands against it
 * @unit: the service
 * @section: the options of the service
 *
 * Return: the text, to be freed; %NULL without memory.
 */
char *fsk_dropin_text(const struct fsk_dropin *dropin,
		      const struct fsk_service *unit,
		      const struct fsk_conf_section *section)
{
	const char *profile = section->profile.word;
	char others[FSK_PRELOAD_LIST], *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	fsk_preload_others(unit, others);
	fprintf(file, "# Made by 'fastsocket enable'; '%s%s %s' removes it.\n",
		"fastsocket disable", unit->user ? " --user" : "", unit->name);
	fprintf(file, "# profile=%s\n", profile ? profile : "");
	if (dropin->given)
		fprintf(file, "# given=%s\n", dropin->given);
	if (dropin->cgroup)
		fputs("# cgroup=on\n", file);
	if (*dropin->profile)
		fprintf(file, "# apparmor=%s\n", dropin->profile);
	if (!unit->user)
		fputs("[Unit]\nAfter=fastsocket.service\n\n", file);
	if (dropin->cgroup) {
		fsk_dropin_text_cgroup(dropin, file);
		return fclose(file) ? NULL : text;
	}
	fprintf(file, "[Service]\nEnvironment=LD_PRELOAD=%s%s\n",
		dropin->library, others);
	for (int i = 0; i < FSK_CONF_OPTIONS; i++) {
		const struct fsk_conf_name *name = &fsk_conf_options[i];
		const char *word = section->option[i].word;

		if (word)
			fprintf(file, "Environment=%s=%s\n", name->variable,
				name->list ? word :
				strcmp(word, "on") ? "0" : "1");
	}
	fputs(dropin->extra, file);
	if (fclose(file))
		return NULL;
	return text;
}
