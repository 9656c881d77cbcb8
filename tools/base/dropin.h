/* SPDX-License-Identifier: MIT */
#ifndef FSK_DROPIN_H
#define FSK_DROPIN_H

#include <stdbool.h>
#include <stddef.h>

struct fsk_conf_section;
struct fsk_service;

/**
 * struct fsk_dropin - what a service gets, so that it loads the library
 * @library: path of the library
 * @cgroup: of the tool, if the service does without the library: its control
 *	    group is selected while it runs; or %NULL
 * @given: the profile, if the command line names one and not the configuration
 * @need: system calls that the library makes, each with a blank behind it
 * @extra: lines that its sandbox needs
 * @why: why it can't work, or empty
 * @profile: path of an AppArmor profile that needs a line, or empty
 */
struct fsk_dropin {
	const char *library;
	const char *cgroup;
	const char *given;
	char need[160];
	char extra[8192];
	char why[512];
	char profile[512];
};

bool fsk_dropin_note(const char *path, const char *name, char *value,
		     size_t size);
char *fsk_dropin_text(const struct fsk_dropin *dropin,
		      const struct fsk_service *unit,
		      const struct fsk_conf_section *section);

#endif
