// SPDX-License-Identifier: MIT
/* fastsocket tune: what it says, as text and as JSON. */
#include "cmd_tune.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/out.h"

#define FSK_TUNE_TEXT	512	/* bytes of a value as it is shown */

/**
 * fsk_tune_begin() - begin to tell of an interface
 * @tune: the interface
 */
void fsk_tune_begin(const struct fsk_tune *tune)
{
	if (!fsk_json)
		return;
	fsk_json_open(NULL, '{');
	fsk_json_str("interface", tune->nic.name);
	fsk_json_bool("dry-run", tune->dry_run);
	fsk_json_open("changes", '[');
}

static void fsk_tune_label(const char *key, char *text, size_t size)
{
	const char *action = strrchr(key, ' ');

	if (!strcmp(key, "channels"))
		snprintf(text, size, "queues");
	else if (!strcmp(key, "table"))
		snprintf(text, size, "indirection table");
	else if (!strncmp(key, "irq ", 4))
		snprintf(text, size, "interrupt %.*s (%s)",
			 (int)strcspn(key + 4, " "), key + 4, action + 1);
	else
		snprintf(text, size, "%s", key);
}

/* "combined 8 rx 0 tx 0": only those that are not 0. */
static void fsk_tune_show_channels(const char *value, char *text, size_t size)
{
	unsigned int combined, rx, tx;
	size_t at = 0;

	if (sscanf(value, "combined %u rx %u tx %u", &combined, &rx, &tx) != 3)
		return;
	if (combined)
		at = snprintf(text, size, "%u", combined);
	if (rx || tx)
		snprintf(text + at, size - at, "%s%u to receive, %u to send",
			 at ? ", " : "", rx, tx);
}

/* A table as long as it is: which queues are in it, and whether in turn. */
static void fsk_tune_show_table(const char *value, char *text, size_t size)
{
	struct fsk_cpus queues = { 0 };
	unsigned long entry, count = 0, most = 0;
	bool turn = true;
	char list[64];
	char *at;

	for (at = (char *)value; *at; at += *at == ' ') {
		entry = strtoul(at, &at, 10);
		most = entry > most ? entry : most;
		fsk_cpus_add(&queues, entry);
	}
	for (at = (char *)value; *at; at += *at == ' ')
		turn &= strtoul(at, &at, 10) == count++ % (most + 1);
	snprintf(text, size, "%s%s", fsk_cpus_list(&queues, list, sizeof(list)),
		 turn ? "" : " unevenly");
}

static void fsk_tune_show(const char *key, const char *value, char *text,
			  size_t size)
{
	struct fsk_cpus cpus;
	char list[96];

	snprintf(text, size, "%s", value);
	if (!strcmp(key, "channels"))
		fsk_tune_show_channels(value, text, size);
	else if (!strcmp(key, "table"))
		fsk_tune_show_table(value, text, size);
	else if (strstr(key, "_cpus") || !strncmp(key, "irq ", 4))
		if (fsk_cpus_parse_mask(&cpus, value))
			snprintf(text, size, "%s",
				 fsk_cpus_list(&cpus, list, sizeof(list)));
}

/**
 * fsk_tune_say() - tell of a change before it is made
 * @tune: the interface
 * @key: of the setting
 * @from: its value, or %NULL if it is not there yet
 * @to: its new value
 */
void fsk_tune_say(struct fsk_tune *tune, const char *key, const char *from,
		  const char *to)
{
	char label[192], old[FSK_TUNE_TEXT] = "-", new[FSK_TUNE_TEXT];

	tune->changes++;
	if (fsk_json) {
		fsk_json_open(NULL, '{');
		fsk_json_str("setting", key);
		if (from)
			fsk_json_str("from", from);
		fsk_json_str("to", to);
		fsk_json_close('}');
		return;
	}
	fsk_tune_label(key, label, sizeof(label));
	if (from)
		fsk_tune_show(key, from, old, sizeof(old));
	fsk_tune_show(key, to, new, sizeof(new));
	printf("%s: %s: %s -> %s\n", tune->nic.name, label, old, new);
}

/**
 * fsk_tune_failed() - tell that a setting could not be changed
 * @tune: the interface
 * @key: of the setting
 * @err: errno, positive; 0 if it is another than what was written
 */
void fsk_tune_failed(struct fsk_tune *tune, const char *key, int err)
{
	char label[192];

	tune->failures++;
	fsk_tune_label(key, label, sizeof(label));
	fsk_error("%s: %s: %s", tune->nic.name, label, !err ?
		  "the kernel took another value" : err == ENOENT ?
		  "it is gone" : strerror(err));
}

/**
 * fsk_tune_note() - say something after the changes
 * @tune: the interface
 * @format: as for printf(), without the end of the line
 */
void fsk_tune_note(struct fsk_tune *tune, const char *format, ...)
{
	char **notes;
	va_list args;

	notes = fsk_array_grow(tune->notes, tune->note_count, sizeof(*notes));
	if (!notes)
		return;
	tune->notes = notes;
	va_start(args, format);
	if (vasprintf(&notes[tune->note_count], format, args) >= 0)
		tune->note_count++;
	va_end(args);
}

/**
 * fsk_tune_end() - tell the notes, and free them
 * @tune: the interface
 */
void fsk_tune_end(struct fsk_tune *tune)
{
	if (fsk_json) {
		fsk_json_close(']');
		fsk_json_open("notes", '[');
	}
	for (size_t i = 0; i < tune->note_count; i++) {
		if (fsk_json)
			fsk_json_str(NULL, tune->notes[i]);
		else
			printf("%s: %s\n", tune->nic.name, tune->notes[i]);
		free(tune->notes[i]);
	}
	free(tune->notes);
	tune->notes = NULL;
	tune->note_count = 0;
	if (!fsk_json)
		return;
	fsk_json_close(']');
	fsk_json_close('}');
}
