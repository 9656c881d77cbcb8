// SPDX-License-Identifier: MIT
/* Finds the preload library. */
#include "library.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

/**
 * fsk_library_find() - find the preload library
 * @path: filled in, of PATH_MAX bytes
 *
 * It is beside this program, as in the build folder; or in the lib folder next
 * to the program's; or where `make install` put it.
 *
 * Return: @path, or %NULL when it is nowhere.
 */
const char *fsk_library_find(char *path)
{
	static const char * const patterns[] = {
		"%s/" FSK_LIBRARY_NAME,
		"%s/../lib/" FSK_LIBRARY_NAME,
		FSK_LIBDIR "/" FSK_LIBRARY_NAME,
	};
	char self[PATH_MAX] = "", file[PATH_MAX + 32];
	const char *folder;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		self[0] = '\0';
	folder = dirname(self);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		snprintf(file, sizeof(file), patterns[i], folder);
		if (realpath(file, path))
			return path;
	}
	return NULL;
}

/**
 * fsk_library_refusal() - why no program can load the library
 * @path: of the library
 *
 * Return: the reason, or %NULL when nothing is known to stand against it.
 */
const char *fsk_library_refusal(const char *path)
{
	struct statvfs folder;

	if (!statvfs(path, &folder) && folder.f_flag & ST_NOEXEC)
		return "the library is on a file system mounted noexec: "
		       "install it elsewhere";
	return NULL;
}
