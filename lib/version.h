/* SPDX-License-Identifier: MIT */
/* Where the library has its version: an ELF note of this name and type. */
#ifndef FSK_VERSION_H
#define FSK_VERSION_H

#define FSK_NOTE_NAME		"Fastsocket"
#define FSK_NOTE_VERSION	1

#endif
