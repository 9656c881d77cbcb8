/* SPDX-License-Identifier: MIT */
#ifndef FSK_ELF_H
#define FSK_ELF_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct fsk_elf - what an executable file says of itself
 * @bits: 32 or 64
 * @interp: the program that loads it and its libraries; empty when it is
 *	statically linked
 * @go: made by the Go compiler
 */
struct fsk_elf {
	int bits;
	char interp[128];
	bool go;
};

int fsk_elf_read(const char *path, struct fsk_elf *elf);
int fsk_elf_library_version(const char *path, char *version, size_t size);
int fsk_elf_module_version(const char *path, char *version, size_t size);

#endif
