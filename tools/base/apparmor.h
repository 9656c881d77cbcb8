/* SPDX-License-Identifier: MIT */
#ifndef FSK_APPARMOR_H
#define FSK_APPARMOR_H

#include <stdbool.h>
#include <stddef.h>

/* A test has folders of its own. */
#ifndef FSK_APPARMOR_FOLDER
#define FSK_APPARMOR_FOLDER	"/etc/apparmor.d"
#endif
#ifndef FSK_APPARMOR_KERNEL
#define FSK_APPARMOR_KERNEL	"/sys/kernel/security/apparmor"
#endif

void fsk_apparmor_file(const char *profile, char *file, size_t size);
bool fsk_apparmor_possible(const char *profile);
bool fsk_apparmor_find(const char *profile, const char *program, char *file,
		       size_t size);
bool fsk_apparmor_line(const char *path, char *text, size_t size);
int fsk_apparmor_add(const char *profile, const char *library);
int fsk_apparmor_remove(const char *profile);

#endif
