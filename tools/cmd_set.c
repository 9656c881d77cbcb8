// SPDX-License-Identifier: MIT
/* fastsocket set: settings of this network namespace. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <linux/fastsocket.h>

#include "fastsocket.h"
#include "nl.h"

static const char fsk_set_rescue_ms[] = "rescue-ms=";

/* The range is the kernel's business; what doesn't fit is not a number. */
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

/**
 * fsk_cmd_set() - fastsocket set NAME=VALUE
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_set(int argc, char **argv)
{
	const size_t prefix = strlen(fsk_set_rescue_ms);
	struct nlmsghdr *msg;
	struct fsk_nl *nl;
	uint32_t number = 0;
	int status;

	argc = fsk_words(argc, argv, 1, 1);
	if (argc < 0)
		return -1 - argc;
	if (strncmp(argv[1], fsk_set_rescue_ms, prefix))
		return fsk_usage("set: there is no '%s', only rescue-ms=N",
				 argv[1]);
	status = fsk_set_number(argv[1] + prefix, &number);
	if (status)
		return status;
	nl = fsk_nl_open();
	if (!nl)
		return FSK_EXIT_REFUSED;
	msg = fsk_nl_message(nl, FSK_CMD_CONFIG_SET);
	mnl_attr_put_u32(msg, FSK_A_CONFIG_RESCUE_MS, number);
	status = fsk_nl_do(nl, msg, 0, NULL, NULL);
	fsk_nl_close(nl);
	return status;
}
