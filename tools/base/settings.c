// SPDX-License-Identifier: MIT
/* The module's settings: their names and values, and how it is told of them. */
#include "settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "nl.h"
#include "rfd.h"

const struct fsk_setting fsk_settings[] = {
	{ "late-ms", "N",
	  "after how many milliseconds idle workers are woken for\n"
	  "a late worker's connections; 1 to 10000",
	  FSK_SETTING_NUMBER, FSK_A_CONFIG_LATE_MS, 1, FSK_LATE_MS_MAX },
	{ "rescue-ms", "N",
	  "after how many milliseconds a worker that takes nothing\n"
	  "gets no more connections; 0 is never",
	  FSK_SETTING_NUMBER, FSK_A_CONFIG_RESCUE_MS, 0, FSK_RESCUE_MS_MAX },
	{ "locals-max", "N",
	  "how many local listeners one user may have",
	  FSK_SETTING_NUMBER, FSK_A_CONFIG_LOCALS_MAX, 0, FSK_LOCALS_MAX_MAX },
	{ "rfd", "MODE",
	  "off, mask or steer, for interfaces without own mode",
	  FSK_SETTING_MODE, FSK_A_CONFIG_RFD, 0, 0 },
	{ "rfd-count", "on|off",
	  "count packets by the core on which they come in",
	  FSK_SETTING_SWITCH, FSK_A_CONFIG_RFD_COUNT, 0, 1 },
	{ "established", "on|off",
	  "give packets of long connections to TCP directly",
	  FSK_SETTING_SWITCH, FSK_A_CONFIG_ESTABLISHED, 0, 1 },
	{ "established-after", "N",
	  "once the connection has received N segments",
	  FSK_SETTING_NUMBER, FSK_A_CONFIG_ESTABLISHED_AFTER, 0, UINT32_MAX },
	{ "vfs", "on|off",
	  "use socket files again, for programs that ask for it",
	  FSK_SETTING_SWITCH, FSK_A_CONFIG_VFS, 0, 1 },
	{ 0 }
};

static int fsk_setting_wrong(char *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int fsk_setting_wrong(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, FSK_SETTING_WHY, format, args);
	va_end(args);
	return -1;
}

/**
 * fsk_setting_switch() - read what switches something on or off
 * @word: on, off, yes, no, true, false, 1 or 0
 * @on: filled in
 *
 * Return: whether it is such a word.
 */
bool fsk_setting_switch(const char *word, bool *on)
{
	static const char * const words[] = {
		"off", "on", "no", "yes", "false", "true", "0", "1",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(word, words[i])) {
			*on = i % 2;
			return true;
		}
	return false;
}

static int fsk_setting_number(const struct fsk_setting *setting,
			      const char *word, uint32_t *number, char *why)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(word, &end, 10);
	if (*word < '0' || *word > '9' || *end)
		return fsk_setting_wrong(why,
					 "%s: '%s' is no number from %u to %u",
					 setting->name, word, setting->min,
					 setting->max);
	if (errno || value < setting->min || value > setting->max)
		return fsk_setting_wrong(why, "%s: %s is %s, %u to %u",
					 setting->name, word, "out of range",
					 setting->min, setting->max);
	*number = value;
	return 0;
}

static int fsk_setting_mode(const struct fsk_setting *setting,
			    const char *word, uint32_t *number, char *why)
{
	struct fsk_nearest nearest = { .word = word };
	int mode = fsk_rfd_mode_number(word);

	if (mode == FSK_RFD_RSS || mode == FSK_RFD_NTUPLE)
		return fsk_setting_wrong(why, "%s: %s is a mode of single %s",
					 setting->name, word,
					 "interfaces, see 'rfd set'");
	if (mode < 0) {
		for (int i = 0; fsk_rfd_modes[i]; i++)
			fsk_nearest_try(&nearest, fsk_rfd_modes[i]);
		return fsk_setting_wrong(why, "%s: there is no mode '%s'%s",
					 setting->name, word,
					 *fsk_nearest_hint(&nearest) ?
					 nearest.hint :
					 ", only off, mask and steer");
	}
	*number = mode;
	return 0;
}

/* Reads a value. Returns 0, or -1 with the reason in @why. */
static int fsk_setting_value(const struct fsk_setting *setting,
			     const char *word, uint32_t *number, char *why)
{
	bool on;

	if (setting->kind == FSK_SETTING_NUMBER)
		return fsk_setting_number(setting, word, number, why);
	if (setting->kind == FSK_SETTING_MODE)
		return fsk_setting_mode(setting, word, number, why);
	if (!fsk_setting_switch(word, &on))
		return fsk_setting_wrong(why, "%s: '%s' is neither on nor off",
					 setting->name, word);
	*number = on;
	return 0;
}

/**
 * fsk_setting_word() - a value as `set` takes it
 * @setting: whose
 * @number: the value
 * @word: filled in, for a number
 * @size: of @word
 *
 * Return: the word.
 */
const char *fsk_setting_word(const struct fsk_setting *setting, uint32_t number,
			     char *word, size_t size)
{
	if (setting->kind == FSK_SETTING_SWITCH)
		return number ? "on" : "off";
	if (setting->kind == FSK_SETTING_MODE)
		return fsk_rfd_mode_name(number);
	snprintf(word, size, "%u", number);
	return word;
}

/**
 * fsk_values_put() - note a value of a setting
 * @values: to be changed
 * @name: the setting
 * @word: the value
 * @why: %FSK_SETTING_WHY bytes for an error message, without end of line
 *
 * Return: FSK_A_CONFIG_* of the setting; or with the message
 *         %FSK_SETTING_UNKNOWN when the name is wrong, -1 when the value is.
 */
int fsk_values_put(struct fsk_values *values, const char *name,
		   const char *word, char *why)
{
	struct fsk_nearest nearest = { .word = name };
	const struct fsk_setting *setting;

	for (setting = fsk_settings; setting->name; setting++) {
		if (!strcmp(name, setting->name))
			break;
		fsk_nearest_try(&nearest, setting->name);
	}
	if (!setting->name) {
		fsk_setting_wrong(why, "there is no setting '%s'%s", name,
				  fsk_nearest_hint(&nearest));
		return FSK_SETTING_UNKNOWN;
	}
	if (values->given[setting->attr])
		return fsk_setting_wrong(why, "%s is given twice", name);
	values->given[setting->attr] = true;
	if (fsk_setting_value(setting, word, &values->number[setting->attr],
			      why))
		return -1;
	return setting->attr;
}

static int fsk_values_take(const struct nlmsghdr *msg,
			   const struct nlattr **attrs, void *data)
{
	struct fsk_values *values = data;

	for (int i = 1; i <= FSK_A_CONFIG_MAX; i++) {
		values->given[i] = attrs[i];
		values->number[i] = fsk_nl_uint(attrs[i]);
	}
	return 0;
}

/**
 * fsk_values_read() - ask the module
 * @nl: the socket
 * @values: filled in
 *
 * Return: exit status.
 */
int fsk_values_read(struct fsk_nl *nl, struct fsk_values *values)
{
	return fsk_nl_do(nl, fsk_nl_message(nl, FSK_CMD_CONFIG_GET),
			 FSK_A_CONFIG_MAX, fsk_values_take, values);
}

/**
 * fsk_values_send() - let the module have values, all of them or none
 * @nl: the socket
 * @values: what to set
 *
 * Return: exit status.
 */
int fsk_values_send(struct fsk_nl *nl, const struct fsk_values *values)
{
	struct nlmsghdr *msg = fsk_nl_message(nl, FSK_CMD_CONFIG_SET);
	const struct fsk_setting *setting;

	for (setting = fsk_settings; setting->name; setting++) {
		int attr = setting->attr;

		if (!values->given[attr])
			continue;
		if (setting->kind == FSK_SETTING_NUMBER)
			mnl_attr_put_u32(msg, attr, values->number[attr]);
		else
			mnl_attr_put_u8(msg, attr, values->number[attr]);
	}
	return fsk_nl_do(nl, msg, 0, NULL, NULL);
}
