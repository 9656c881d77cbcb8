// SPDX-License-Identifier: MIT
/*
 * AppArmor profiles that are enforced: a line in the local part of a profile
 * lets its program load the library.
 */
#include "apparmor.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "error.h"

#define FSK_APPARMOR_MARK	"# made by 'fastsocket enable'"

/**
 * fsk_apparmor_file() - the file that a profile is in, by custom
 * @profile: its name: a path, a word, or one with a child's name behind "//"
 * @file: filled in with the file's name
 * @size: of @file
 */
void fsk_apparmor_file(const char *profile, char *file, size_t size)
{
	const char *child = strstr(profile, "//");
	char *slash;

	profile += *profile == '/';
	snprintf(file, size, "%.*s",
		 child ? (int)(child - profile) : (int)strlen(profile),
		 profile);
	while ((slash = strchr(file, '/')))
		*slash = '.';
}

/**
 * fsk_apparmor_possible() - has a profile a local part?
 * @profile: name of its file
 *
 * Return: whether its file is there and includes the local one.
 */
bool fsk_apparmor_possible(const char *profile)
{
	char path[PATH_MAX], line[1024], want[PATH_MAX];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), FSK_APPARMOR_FOLDER "/%s", profile);
	snprintf(want, sizeof(want), "<local/%s>", profile);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, "include") && strstr(line, want);
	if (file)
		fclose(file);
	return found;
}

/**
 * fsk_apparmor_find() - find the file that a profile is in
 * @profile: its name
 * @program: path of its program
 * @file: filled in with the file's name
 * @size: of @file
 *
 * Return: whether it has a local part; without one the name is a guess.
 */
bool fsk_apparmor_find(const char *profile, const char *program, char *file,
		       size_t size)
{
	fsk_apparmor_file(profile, file, size);
	if (fsk_apparmor_possible(file))
		return true;
	fsk_apparmor_file(program, file, size);
	return fsk_apparmor_possible(file);
}

/* Does the file declare this profile? Its name is a word of such a line, if not
 * what the file is called by.
 */
static bool fsk_apparmor_declares(const char *path, const char *name)
{
	char line[1024], file[PATH_MAX], *word, *rest;
	FILE *stream = fopen(path, "re");
	bool found = false;

	fsk_apparmor_file(name, file, sizeof(file));
	if (!strcmp(strrchr(path, '/') + 1, file))
		found = stream;
	while (stream && !found && fgets(line, sizeof(line), stream)) {
		rest = line + strspn(line, " \t");
		if (*rest == '#' ||
		    (!strchr(rest, '{') && strncmp(rest, "profile", 7)))
			continue;
		while (!found && (word = strsep(&rest, " \t\"\n")))
			found = !strcmp(word, name);
	}
	if (stream)
		fclose(stream);
	return found;
}

/**
 * fsk_apparmor_line() - read the first line of a file
 * @path: of the file, such as the kernel has for each profile
 * @text: gets the line, without its end
 * @size: of @text
 *
 * Return: whether there is one.
 */
bool fsk_apparmor_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	bool done = file && fgets(text, size, file);

	if (file)
		fclose(file);
	if (done)
		text[strcspn(text, "\n")] = '\0';
	return done;
}

/* Has the kernel a profile of this file? */
static bool fsk_apparmor_loaded(const char *path)
{
	char name[PATH_MAX];
	glob_t found = { 0 };
	bool loaded = false;

	glob(FSK_APPARMOR_KERNEL "/policy/profiles/*/name", 0, NULL, &found);
	for (size_t i = 0; !loaded && i < found.gl_pathc; i++)
		loaded = fsk_apparmor_line(found.gl_pathv[i], name,
					   sizeof(name)) &&
			 fsk_apparmor_declares(path, name);
	globfree(&found);
	return loaded;
}

/* A profile that isn't loaded, or was unloaded by an administrator, takes the
 * line when it is; one without a file can't be loaded.
 */
static int fsk_apparmor_reload(const char *profile)
{
	char path[PATH_MAX];
	char *words[4] = { "apparmor_parser", "-r", path, NULL };

	snprintf(path, sizeof(path), FSK_APPARMOR_FOLDER "/%s", profile);
	if (!fsk_apparmor_loaded(path) || !fsk_command_run(words, NULL, false))
		return 0;
	fsk_error("'apparmor_parser -r %s' fails", path);
	return FSK_EXIT_REFUSED;
}

/* Copy the local part without our lines, and end its last line, which may be
 * an administrator's. A part of a longer line is no line. Returns false, with
 * errno, when it can't be read.
 */
static bool fsk_apparmor_copy(const char *path, FILE *file)
{
	FILE *old = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	bool done;

	if (!old)
		return errno == ENOENT;
	while (getline(&text, &size, old) >= 0) {
		text[strcspn(text, "\n")] = '\0';
		if (!strstr(text, FSK_APPARMOR_MARK))
			fprintf(file, "%s\n", text);
	}
	free(text);
	done = !ferror(old);
	fclose(old);
	return done;
}

/* Replaces the local part by one without our lines, and with @line, if any. */
static int fsk_apparmor_rewrite(const char *profile, const char *line)
{
	char path[PATH_MAX], new[PATH_MAX + 8];
	bool done = false;
	FILE *file;

	snprintf(path, sizeof(path), FSK_APPARMOR_FOLDER "/local/%s", profile);
	snprintf(new, sizeof(new), "%s.new", path);
	file = fopen(new, "we");
	if (file) {
		done = fsk_apparmor_copy(path, file) &&
		       (!line || fputs(line, file) >= 0) && !ferror(file);
		done = !fclose(file) && done;
	}
	if (!done || rename(new, path)) {
		fsk_error("%s: %s", path, strerror(errno));
		unlink(new);
		return FSK_EXIT_REFUSED;
	}
	return fsk_apparmor_reload(profile);
}

/**
 * fsk_apparmor_add() - let a profile's program load the library
 * @profile: name of its file, which has a local part
 * @library: path of the library
 *
 * Return: exit status.
 */
int fsk_apparmor_add(const char *profile, const char *library)
{
	char line[PATH_MAX + 64];

	mkdir(FSK_APPARMOR_FOLDER "/local", 0755);
	snprintf(line, sizeof(line), "%s mr, " FSK_APPARMOR_MARK "\n", library);
	return fsk_apparmor_rewrite(profile, line);
}

/**
 * fsk_apparmor_remove() - take that back
 * @profile: name of its file
 *
 * Return: exit status.
 */
int fsk_apparmor_remove(const char *profile)
{
	return fsk_apparmor_rewrite(profile, NULL);
}
