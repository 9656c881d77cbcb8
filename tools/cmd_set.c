// SPDX-License-Identifier: MIT
/* fastsocket set: changes a setting of the network namespace or the machine. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <linux/fastsocket.h>

#include "base/error.h"
#include "base/nl.h"
#include "base/rfd.h"
#include "fastsocket.h"

/* For messages. */
#define FSK_SET_NAMES	"rescue-ms=N, rfd=MODE, rfd-count=0|1, " \
			"established=on|off, established-after=N, " \
			"locals-max=N and vfs=on|off"

/* The kernel checks the range. What does not fit 32 bits is no number. */
static int fsk_set_number(const char *word, uint32_t *number)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || errno || value > UINT32_MAX)
		return fsk_usage("set: '%s' is no number", word);
	*number = value;
	return 0;
}

static int fsk_set_flag(const char *word, uint32_t *number)
{
	if (strcmp(word, "0") && strcmp(word, "1"))
		return fsk_usage("set: '%s' is neither 0 nor 1", word);
	*number = *word - '0';
	return 0;
}

static int fsk_set_switch(const char *word, uint32_t *number)
{
	if (strcmp(word, "on") && strcmp(word, "off"))
		return fsk_usage("set: '%s' is neither on nor off", word);
	*number = !strcmp(word, "on");
	return 0;
}

static int fsk_set_mode(const char *word, uint32_t *number)
{
	int mode = fsk_rfd_mode_number(word);

	if (mode < 0)
		return fsk_usage("set: there is no mode '%s'", word);
	if (mode == FSK_RFD_RSS || mode == FSK_RFD_NTUPLE)
		return fsk_usage("set: %s is a mode of single interfaces: %s",
				 word, "'fastsocket rfd set IFACE MODE'");
	*number = mode;
	return 0;
}

/**
 * struct fsk_setting - a setting
 * @name: with the equals sign
 * @read: reads the value; returns the exit status
 * @attr: FSK_A_CONFIG_*
 * @byte: the attribute is a byte, and else 32 bits
 */
struct fsk_setting {
	const char *name;
	int (*read)(const char *word, uint32_t *number);
	int attr;
	bool byte;
};

static const struct fsk_setting fsk_settings[] = {
	{ "established=", fsk_set_switch, FSK_A_CONFIG_ESTABLISHED, true },
	{ "established-after=", fsk_set_number,
	  FSK_A_CONFIG_ESTABLISHED_AFTER, false },
	{ "rescue-ms=", fsk_set_number, FSK_A_CONFIG_RESCUE_MS, false },
	{ "rfd=", fsk_set_mode, FSK_A_CONFIG_RFD, true },
	{ "rfd-count=", fsk_set_flag, FSK_A_CONFIG_RFD_COUNT, true },
	{ "locals-max=", fsk_set_number, FSK_A_CONFIG_LOCALS_MAX, false },
	{ "vfs=", fsk_set_switch, FSK_A_CONFIG_VFS, true },
};

static const struct fsk_setting *fsk_set_find(const char *word)
{
	const size_t count = sizeof(fsk_settings) / sizeof(*fsk_settings);

	for (size_t i = 0; i < count; i++)
		if (!strncmp(word, fsk_settings[i].name,
			     strlen(fsk_settings[i].name)))
			return &fsk_settings[i];
	return NULL;
}

/**
 * fsk_cmd_set() - fastsocket set NAME=VALUE
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_set(int argc, char **argv)
{
	const struct fsk_setting *setting;
	struct nlmsghdr *msg;
	struct fsk_nl *nl;
	uint32_t number = 0;
	int status;

	argc = fsk_words(argc, argv, 1, 1, FSK_OPTIONS());
	if (argc < 0)
		return -1 - argc;
	setting = fsk_set_find(argv[1]);
	if (!setting)
		return fsk_usage("set: there is no '%s', only %s", argv[1],
				 FSK_SET_NAMES);
	status = setting->read(argv[1] + strlen(setting->name), &number);
	if (status)
		return status;
	nl = fsk_nl_open();
	if (!nl)
		return FSK_EXIT_REFUSED;
	msg = fsk_nl_message(nl, FSK_CMD_CONFIG_SET);
	if (setting->byte)
		mnl_attr_put_u8(msg, setting->attr, number);
	else
		mnl_attr_put_u32(msg, setting->attr, number);
	status = fsk_nl_do(nl, msg, 0, NULL, NULL);
	fsk_nl_close(nl);
	return status;
}
