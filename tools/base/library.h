/* SPDX-License-Identifier: MIT */
#ifndef FSK_LIBRARY_H
#define FSK_LIBRARY_H

#define FSK_LIBRARY_NAME	"libfsocket.so"

const char *fsk_library_find(char *path);
const char *fsk_library_refusal(const char *path);

#endif
