/* SPDX-License-Identifier: MIT */
#ifndef FSK_SELECTED_H
#define FSK_SELECTED_H

#include <stdbool.h>
#include <stdint.h>

#include "nl.h"

int fsk_selected_change(struct fsk_nl *nl, uint8_t cmd, const char *path);
int fsk_selected_set(struct fsk_nl *nl, const char *path, bool selected);
int fsk_selected_forget(const char *unit);

#endif
