/* SPDX-License-Identifier: MIT */
#ifndef FSK_UNIT_H
#define FSK_UNIT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct fsk_unit - a unit of systemd
 * @name: with its ending; empty when there is none
 * @cgroup: its control group
 * @active: it runs
 * @enabled: a drop-in or its own file mentions our tool or library
 * @selected: ... by its control group, without the library
 * @reload: its files were changed, and systemd has not read them
 * @changed: when the newest of its files was written, seconds since 1970, or 0
 * @main: its main process, or 0
 * @start: when that was started, seconds since 1970; 0 if it isn't known
 */
struct fsk_unit {
	char name[256];
	char cgroup[PATH_MAX];
	bool active;
	bool enabled;
	bool selected;
	bool reload;
	int64_t changed;
	pid_t main;
	int64_t start;
};

int fsk_unit_read(struct fsk_unit *unit, const char *name);
bool fsk_unit_of(struct fsk_unit *unit, pid_t pid);
bool fsk_unit_has(const struct fsk_unit *unit, pid_t pid);
void fsk_unit_parse(struct fsk_unit *unit, char *text);

#endif
