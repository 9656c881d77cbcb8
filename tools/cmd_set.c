// SPDX-License-Identifier: MIT
/* fastsocket set: changes settings of the network namespace or the machine. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/nl.h"
#include "base/settings.h"
#include "fastsocket.h"

/* Takes NAME=VALUE; the word is cut at its equals sign. */
static int fsk_set_word(struct fsk_values *values, char *word)
{
	char *value = strchr(word, '='), why[FSK_SETTING_WHY];

	if (!value || value == word)
		return fsk_usage("set: '%s' is not of the form NAME=VALUE",
				 word);
	*value++ = '\0';
	return fsk_values_put(values, word, value, why) < 0 ?
	       fsk_usage("set: %s", why) : 0;
}

/**
 * fsk_cmd_set() - fastsocket set NAME=VALUE...
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_set(int argc, char **argv)
{
	struct fsk_values values = { 0 };
	struct fsk_nl *nl;
	int status;

	argc = fsk_words(argc, argv, 1, INT_MAX, FSK_OPTIONS());
	if (argc < 0)
		return -1 - argc;
	for (int i = 1; i <= argc; i++) {
		status = fsk_set_word(&values, argv[i]);
		if (status)
			return status;
	}
	nl = fsk_nl_open();
	if (!nl)
		return FSK_EXIT_REFUSED;
	status = fsk_values_send(nl, &values);
	fsk_nl_close(nl);
	return status;
}

/**
 * fsk_set_help() - list the settings
 */
void fsk_set_help(void)
{
	const struct fsk_setting *setting;
	char name[64];

	puts("\nSettings:");
	for (setting = fsk_settings; setting->name; setting++) {
		snprintf(name, sizeof(name), "%s=%s", setting->name,
			 setting->values);
		fsk_help_row(name, setting->text);
	}
}
