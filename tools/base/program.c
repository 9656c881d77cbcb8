// SPDX-License-Identifier: MIT
/*
 * Tells of a program that is about to start what stands against its listeners
 * joining: a file that takes no preload library, or the kernel.
 */
#include "program.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/fastsocket.h>

#include "boot.h"
#include "elf.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

/* How deep scripts may be scripts' interpreters: as in the kernel. */
#define FSK_PROGRAM_DEPTH	5

static bool fsk_program_is(const char *path)
{
	struct stat file;

	return !stat(path, &file) && S_ISREG(file.st_mode) &&
	       !access(path, X_OK);
}

/**
 * fsk_program_find() - find a program as execvp() does
 * @name: its name, or a path
 * @path: filled in
 * @size: of @path
 *
 * Return: whether there is one.
 */
bool fsk_program_find(const char *name, char *path, size_t size)
{
	const char *folders = getenv("PATH"), *end;

	if (strchr(name, '/')) {
		snprintf(path, size, "%s", name);
		return fsk_program_is(path);
	}
	if (!folders)
		folders = "/bin:/usr/bin";
	for (;; folders = end + 1) {
		end = strchrnul(folders, ':');
		snprintf(path, size, "%.*s%s%s", (int)(end - folders), folders,
			 end == folders ? "" : "/", name);
		if (fsk_program_is(path))
			return true;
		if (!*end)
			return false;
	}
}

/* The interpreter that a script names. */
static bool fsk_program_interpreter(const char *script, char *path, size_t size)
{
	char line[256] = "", *word;
	FILE *file = fopen(script, "re");

	if (file && !fgets(line, sizeof(line), file))
		*line = '\0';
	if (file)
		fclose(file);
	if (strncmp(line, "#!", 2))
		return false;
	word = line + 2 + strspn(line + 2, " \t");
	word[strcspn(word, " \t\r\n")] = '\0';
	snprintf(path, size, "%s", word);
	return *word;
}

/* Does the program start with rights that its caller does not have? The loader
 * then ignores LD_PRELOAD. Who is root gains none by file capabilities.
 */
static const char *fsk_program_raised(const char *path)
{
	struct stat file;

	if (stat(path, &file))
		return NULL;
	if ((file.st_mode & S_ISUID && file.st_uid != geteuid()) ||
	    (file.st_mode & S_ISGID && file.st_gid != getegid()))
		return "it is set-user-ID or set-group-ID, and the loader "
		       "ignores LD_PRELOAD";
	if (geteuid() && getxattr(path, "security.capability", NULL, 0) > 0)
		return "it has file capabilities, and the loader ignores "
		       "LD_PRELOAD: give them to the service by "
		       "AmbientCapabilities= instead";
	return NULL;
}

/**
 * fsk_program_refusal() - why a program would not load the library
 * @path: its file; for a script its interpreter counts
 *
 * Return: the reason, or %NULL when nothing is known to stand against it.
 */
const char *fsk_program_refusal(const char *path)
{
	char file[PATH_MAX], next[PATH_MAX];
	struct fsk_elf elf;

	snprintf(file, sizeof(file), "%s", path);
	for (int i = 0; i < FSK_PROGRAM_DEPTH; i++) {
		if (!fsk_elf_read(file, &elf)) {
			if (!*elf.interp)
				return elf.go ? "it is a statically linked Go "
						"program" :
						"it is statically linked";
			if (elf.bits != 8 * (int)sizeof(void *))
				return "it is a 32-bit program, and the "
				       "library has 64";
			return fsk_program_raised(file);
		}
		if (errno != ENOEXEC ||
		    !fsk_program_interpreter(file, next, sizeof(next)))
			return NULL;
		memcpy(file, next, sizeof(file));
	}
	return NULL;
}

/**
 * fsk_program_join_refusal() - why a listener of this process would not join
 *
 * It lets a socket join as the library would, and closes it.
 *
 * Return: the reason, or %NULL when it joins.
 */
const char *fsk_program_join_refusal(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static char text[512];
	struct fsk_boot boot;
	char advice[256];
	int err;

	if (fd < 0)
		return NULL;
	err = setsockopt(fd, IPPROTO_TCP, TCP_ULP, FSK_ULP_NAME,
			 strlen(FSK_ULP_NAME)) ? errno : 0;
	close(fd);
	if (!err)
		return NULL;
	if (err == ENOENT) {
		fsk_boot_read(&boot, "");
		snprintf(text, sizeof(text), "the kernel module is not "
					     "loaded: %s",
			 fsk_boot_advice(&boot, advice, sizeof(advice)));
	} else {
		snprintf(text, sizeof(text), "the kernel lets no listener "
					     "join: %s",
			 strerror(err));
	}
	return text;
}
