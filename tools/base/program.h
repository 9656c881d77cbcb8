/* SPDX-License-Identifier: MIT */
#ifndef FSK_PROGRAM_H
#define FSK_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

bool fsk_program_find(const char *name, char *path, size_t size);
const char *fsk_program_refusal(const char *path);
const char *fsk_program_join_refusal(void);

#endif
