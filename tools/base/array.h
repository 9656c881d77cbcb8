/* SPDX-License-Identifier: MIT */
#ifndef FSK_ARRAY_H
#define FSK_ARRAY_H

#include <stddef.h>

void *fsk_array_grow(void *items, size_t count, size_t size);

#endif
