/* SPDX-License-Identifier: MIT */
#ifndef FSK_LIBRARY_H
#define FSK_LIBRARY_H

#include <sys/types.h>

#define FSK_LIBRARY_NAME	"libfsocket.so"

/**
 * enum fsk_library - which library a process has loaded
 * @FSK_LIBRARY_UNTOLD: the caller may not look, or the process is gone
 * @FSK_LIBRARY_NONE: none of ours
 * @FSK_LIBRARY_LOADED: the file that is there
 * @FSK_LIBRARY_REPLACED: a file that is there no more: an upgrade's old one
 */
enum fsk_library {
	FSK_LIBRARY_UNTOLD,
	FSK_LIBRARY_NONE,
	FSK_LIBRARY_LOADED,
	FSK_LIBRARY_REPLACED,
};

enum fsk_library fsk_library_of(pid_t pid);
unsigned int fsk_library_count_replaced(void);
const char *fsk_library_find(char *path);
const char *fsk_library_refusal(const char *path);

#endif
