// SPDX-License-Identifier: MIT
/* Finds the preload library, on disk and in processes. */
#include "library.h"

#include <ctype.h>
#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/**
 * fsk_library_of() - which of our libraries a process has loaded
 * @pid: the process
 *
 * A loader that fails over the code may leave what it has mapped before.
 *
 * Return: which.
 */
enum fsk_library fsk_library_of(pid_t pid)
{
	enum fsk_library found = FSK_LIBRARY_NONE;
	char path[64], line[PATH_MAX + 128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "re");
	if (!file)
		return FSK_LIBRARY_UNTOLD;
	while (fgets(line, sizeof(line), file)) {
		if (!strstr(line, "/" FSK_LIBRARY_NAME) ||
		    !strstr(line, " r-xp "))
			continue;
		found = strstr(line, " (deleted)") ? FSK_LIBRARY_REPLACED :
						     FSK_LIBRARY_LOADED;
	}
	fclose(file);
	return found;
}

/**
 * fsk_library_count_replaced() - how many processes have an old library
 *
 * Return: their number, of those that the caller may look into.
 */
unsigned int fsk_library_count_replaced(void)
{
	DIR *folder = opendir("/proc");
	unsigned int count = 0;
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    fsk_library_of(atoi(entry->d_name)) ==
		    FSK_LIBRARY_REPLACED)
			count++;
	if (folder)
		closedir(folder);
	return count;
}
