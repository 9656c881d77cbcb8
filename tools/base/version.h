/* SPDX-License-Identifier: MIT */
#ifndef FSK_TOOL_VERSION_H
#define FSK_TOOL_VERSION_H

#include <stddef.h>

#define FSK_VERSION_SIZE	64

/* Of this tool; include/version says how it is made up. */
extern const char fsk_version_tool[];

/* Fill in @version, of FSK_VERSION_SIZE bytes; empty when it can't be told. */
void fsk_version_loaded(char *version);
void fsk_version_installed(char *version);

#endif
