/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stand-ins for tests of what would ask the module or a card, and here does
 * not.
 */
#ifndef NO_MODULE_H
#define NO_MODULE_H

#include <stdlib.h>

#include "../../tools/base/nl.h"

struct nlmsghdr *fsk_nl_message(struct fsk_nl *nl, uint8_t cmd)
{
	abort();
}

int fsk_nl_do(struct fsk_nl *nl, struct nlmsghdr *msg, int max,
	      fsk_nl_take *take, void *data)
{
	abort();
}

uint64_t fsk_nl_uint(const struct nlattr *attr)
{
	abort();
}

int fsk_nl_dump(struct fsk_nl *nl, uint8_t cmd, int max, fsk_nl_take *take,
		void *data)
{
	abort();
}

unsigned int fsk_nic_port_mask(void)
{
	abort();
}

#endif
