// SPDX-License-Identifier: MIT
/*
 * The library's version, as an ELF note: `readelf -n` and `fastsocket version`
 * read it from the file, and from the memory map of a program that has it
 * loaded, without running anything of it.
 */
#include <elf.h>

#include "version.h"

static const struct {
	Elf64_Nhdr head;
	char name[(sizeof(FSK_NOTE_NAME) + 3) & ~3];
	char version[(sizeof(FSK_VERSION) + 3) & ~3];
} fsk_version_note
__attribute__((section(".note.fastsocket"), aligned(4), used)) = {
	.head = {
		.n_namesz = sizeof(FSK_NOTE_NAME),
		.n_descsz = sizeof(FSK_VERSION),
		.n_type = FSK_NOTE_VERSION,
	},
	.name = FSK_NOTE_NAME,
	.version = FSK_VERSION,
};
