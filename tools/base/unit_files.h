/* SPDX-License-Identifier: MIT */
#ifndef FSK_UNIT_FILES_H
#define FSK_UNIT_FILES_H

#include <stdbool.h>

struct fsk_service;

#define FSK_UNIT_FILES_OURS	"50-fastsocket.conf"

/* Takes what a line gives, without blanks around it, and may change it. A
 * @later one is in a drop-in that goes after ours.
 */
typedef void fsk_unit_files_take(char *value, bool later, void *data);

void fsk_unit_files_each(const struct fsk_service *unit, const char *name,
			 fsk_unit_files_take *take, void *data);

#endif
