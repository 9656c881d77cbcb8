// SPDX-License-Identifier: MIT
/*
 * Reads programs, our library and our module by libelf: how a program is
 * linked, and what versions the other two have.
 */
#include "elf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gelf.h>
#include <libelf.h>

#include "../../lib/version.h"

/* Takes what it wants from an open file. Returns 0 or -1, as fsk_elf_with(). */
typedef int fsk_elf_take(Elf *file, void *data);

static int fsk_elf_with(const char *path, fsk_elf_take *take, void *data)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int status = -1;
	Elf *file;

	if (fd < 0)
		return -1;
	elf_version(EV_CURRENT);
	file = elf_begin(fd, ELF_C_READ, NULL);
	if (file && elf_kind(file) == ELF_K_ELF)
		status = take(file, data);
	else
		errno = ENOEXEC;
	elf_end(file);
	close(fd);
	return status;
}

/* The section of this name, or %NULL. */
static Elf_Scn *fsk_elf_section(Elf *file, const char *name)
{
	Elf_Scn *section = NULL;
	const char *found;
	GElf_Shdr head;
	size_t names;

	if (elf_getshdrstrndx(file, &names))
		return NULL;
	while ((section = elf_nextscn(file, section))) {
		if (!gelf_getshdr(section, &head))
			continue;
		found = elf_strptr(file, names, head.sh_name);
		if (found && !strcmp(found, name))
			return section;
	}
	return NULL;
}

static int fsk_elf_take_program(Elf *file, void *data)
{
	struct fsk_elf *elf = data;
	size_t count, size;
	GElf_Phdr head;
	char *image;

	elf->bits = gelf_getclass(file) == ELFCLASS32 ? 32 : 64;
	elf->go = fsk_elf_section(file, ".go.buildinfo") ||
		  fsk_elf_section(file, ".note.go.buildid");
	image = elf_rawfile(file, &size);
	if (!image || elf_getphdrnum(file, &count))
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(file, i, &head) || head.p_type != PT_INTERP)
			continue;
		if (head.p_offset >= size ||
		    head.p_filesz > size - head.p_offset)
			return -1;
		snprintf(elf->interp, sizeof(elf->interp), "%.*s",
			 (int)head.p_filesz, image + head.p_offset);
	}
	return 0;
}

/**
 * fsk_elf_read() - read how a program is linked
 * @path: its file
 * @elf: filled in
 *
 * Return: 0, or -1 with errno; ENOEXEC for a script.
 */
int fsk_elf_read(const char *path, struct fsk_elf *elf)
{
	memset(elf, 0, sizeof(*elf));
	return fsk_elf_with(path, fsk_elf_take_program, elf);
}

/**
 * struct fsk_elf_text - where a version goes
 * @text: ends with 0
 * @size: of @text
 */
struct fsk_elf_text {
	char *text;
	size_t size;
};

static int fsk_elf_take_note(Elf *file, void *data)
{
	Elf_Scn *section = fsk_elf_section(file, ".note.fastsocket");
	Elf_Data *bytes = section ? elf_getdata(section, NULL) : NULL;
	struct fsk_elf_text *version = data;
	size_t name, desc, next;
	GElf_Nhdr note;

	for (size_t at = 0; bytes; at = next) {
		next = gelf_getnote(bytes, at, &note, &name, &desc);
		if (!next)
			break;
		if (note.n_type != FSK_NOTE_VERSION)
			continue;
		snprintf(version->text, version->size, "%.*s",
			 (int)note.n_descsz, (char *)bytes->d_buf + desc);
		return 0;
	}
	return -1;
}

/**
 * fsk_elf_library_version() - the version of our library
 * @path: its file
 * @version: filled in
 * @size: of @version
 *
 * Return: 0, or -1 when it is none of ours, or older than versions are.
 */
int fsk_elf_library_version(const char *path, char *version, size_t size)
{
	struct fsk_elf_text text = { version, size };

	return fsk_elf_with(path, fsk_elf_take_note, &text);
}

/* .modinfo has strings such as "version=0.2.0", each ends with 0. */
static int fsk_elf_take_modinfo(Elf *file, void *data)
{
	Elf_Scn *section = fsk_elf_section(file, ".modinfo");
	Elf_Data *bytes = section ? elf_getdata(section, NULL) : NULL;
	static const char key[] = "version=";
	struct fsk_elf_text *version = data;
	const char *line, *end;

	if (!bytes)
		return -1;
	line = bytes->d_buf;
	end = line + bytes->d_size;
	for (; line < end; line += strnlen(line, end - line) + 1)
		if ((size_t)(end - line) > sizeof(key) &&
		    !strncmp(line, key, sizeof(key) - 1)) {
			line += sizeof(key) - 1;
			snprintf(version->text, version->size, "%.*s",
				 (int)strnlen(line, end - line), line);
			return 0;
		}
	return -1;
}

/**
 * fsk_elf_module_version() - the version of a kernel module
 * @path: its file, which is not compressed
 * @version: filled in
 * @size: of @version
 *
 * Return: 0, or -1 when it can't be told.
 */
int fsk_elf_module_version(const char *path, char *version, size_t size)
{
	struct fsk_elf_text text = { version, size };

	return fsk_elf_with(path, fsk_elf_take_modinfo, &text);
}
