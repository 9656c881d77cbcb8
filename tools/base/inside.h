/* SPDX-License-Identifier: MIT */
#ifndef FSK_INSIDE_H
#define FSK_INSIDE_H

int fsk_inside_open(const char *root, const char *path, int flags);

#endif
