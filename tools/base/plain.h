/* SPDX-License-Identifier: MIT */
#ifndef FSK_PLAIN_H
#define FSK_PLAIN_H

#include <stddef.h>

void fsk_plain(char *text, size_t length);

#endif
