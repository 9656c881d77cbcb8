/* SPDX-License-Identifier: MIT */
#ifndef FSK_PRELOAD_H
#define FSK_PRELOAD_H

#include <stdbool.h>

struct fsk_service;

#define FSK_PRELOAD_LIST	16384	/* bytes of a service's libraries */

bool fsk_preload_among(char *words);
bool fsk_preload_in_file(const char *path);
bool fsk_preload_has(char *line, const char *library);
void fsk_preload_others(const struct fsk_service *unit, char *others);

#endif
