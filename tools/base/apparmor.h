/* SPDX-License-Identifier: MIT */
#ifndef FSK_APPARMOR_H
#define FSK_APPARMOR_H

#include <stdbool.h>

bool fsk_apparmor_possible(const char *profile);
int fsk_apparmor_add(const char *profile, const char *library);
int fsk_apparmor_remove(const char *profile);

#endif
