/* SPDX-License-Identifier: MIT */
#ifndef FSK_CMD_RFD_H
#define FSK_CMD_RFD_H

#include <stdbool.h>

#include "base/nic.h"

struct fsk_nl;

/**
 * struct fsk_choice - a mode for an interface
 * @none: it needs no mode of its own
 * @mode: enum fsk_rfd_mode
 * @why: the reason, or empty
 */
struct fsk_choice {
	bool none;
	unsigned int mode;
	char why[384];
};

void fsk_rfd_choose(const struct fsk_nic *nic, bool dry_run,
		    struct fsk_choice *choice);
int fsk_rfd_apply(struct fsk_nl *nl, const char *name,
		  const struct fsk_nic *nic, const struct fsk_choice *choice);

int fsk_rfd_all(struct fsk_nl *nl, int mode, bool dry_run,
		bool (*leave)(const char *name, void *data), void *data);
int fsk_rfd_auto_one(struct fsk_nl *nl, const char *name, bool dry_run);
int fsk_rfd_set_one(struct fsk_nl *nl, const char *name, unsigned int mode,
		    bool dry_run);

#endif
