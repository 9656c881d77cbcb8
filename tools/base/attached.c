// SPDX-License-Identifier: MIT
/*
 * Finds the AppArmor profile that the kernel gives to a program: by the path or
 * the pattern that a loaded profile is attached to, or by its name. Where some
 * patterns match, the kernel has rules which one is closest; here it is told
 * that there are some. Profiles inside of profiles attach to no service.
 *
 * AppArmor's parser loads a pattern as a compiled table, and the kernel then
 * says "<unknown>": for a profile with a name of its own the pattern is in the
 * profile's file.
 */
#include "attached.h"

#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "apparmor.h"

#define FSK_ATTACHED_BRACES	6	/* of a pattern that are looked into */

/* The end of an alternative in braces: its comma, or the last brace. */
static const char *fsk_attached_end(const char *text)
{
	int depth = 0;

	for (; *text; text++) {
		if (!depth && (*text == ',' || *text == '}'))
			return text;
		depth += (*text == '{') - (*text == '}');
	}
	return NULL;
}

static bool fsk_attached_matches(const char *pattern, const char *path,
				 int braces);

/* Try each alternative of the braces at @open. */
static bool fsk_attached_each(const char *pattern, const char *open,
			      const char *path, int braces)
{
	const char *begin = open, *end = open, *last = open;
	char whole[PATH_MAX];

	while (last && *last != '}')
		last = fsk_attached_end(last + 1);
	while (last && end != last) {
		begin = end + 1;
		end = fsk_attached_end(begin);
		snprintf(whole, sizeof(whole), "%.*s%.*s%s",
			 (int)(open - pattern), pattern, (int)(end - begin),
			 begin, last + 1);
		if (fsk_attached_matches(whole, path, braces + 1))
			return true;
	}
	return false;
}

/* AppArmor's patterns are the shell's, with braces, and "**" for all that may
 * have slashes. A pattern with that lets all stars have some: better a match
 * too many. So it is with more braces than anybody writes.
 */
static bool fsk_attached_matches(const char *pattern, const char *path,
				 int braces)
{
	const char *open = strchr(pattern, '{');

	if (open && braces == FSK_ATTACHED_BRACES)
		return true;
	if (open)
		return fsk_attached_each(pattern, open, path, braces);
	return !fnmatch(pattern, path,
			strstr(pattern, "**") ? 0 : FNM_PATHNAME);
}

static bool fsk_attached_read(const char *folder, const char *file,
			      char *text, size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	return fsk_apparmor_line(path, text, size);
}

/* The next word: one in quotes may have blanks. */
static bool fsk_attached_word(char **text, char **word)
{
	char *at = *text + strspn(*text, " \t");
	bool quoted = *at == '"';

	at += quoted;
	*word = at;
	at += strcspn(at, quoted ? "\"\n" : " \t\n");
	*text = at + !!*at;
	*at = '\0';
	return **word;
}

/* Has a file a line "profile NAME PATTERN ..."? */
static bool fsk_attached_in(const char *path, const char *name, char *pattern,
			    size_t size)
{
	FILE *file = fopen(path, "re");
	char line[PATH_MAX], *rest, *word;
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		rest = line;
		found = fsk_attached_word(&rest, &word) &&
			!strcmp(word, "profile") &&
			fsk_attached_word(&rest, &word) &&
			!strcmp(word, name) &&
			fsk_attached_word(&rest, &word) &&
			(*word == '/' || *word == '@');
	}
	if (found)
		snprintf(pattern, size, "%s", word);
	if (file)
		fclose(file);
	return found;
}

/* Read a profile's pattern from its file, by custom or any other. A variable
 * may stand for anything: returns whether the pattern is known as it is. Those
 * of containers and snaps (docker-default, snap.*) have no pattern, or no file
 * here; no program gets them by its path.
 */
static bool fsk_attached_declared(const char *name, char *pattern, size_t size)
{
	char path[PATH_MAX], file[FSK_ATTACHED_NAME], *variable, *end;
	glob_t found = { 0 };
	bool done, doubt = false;

	fsk_apparmor_file(name, file, sizeof(file));
	snprintf(path, sizeof(path), FSK_APPARMOR_FOLDER "/%s", file);
	done = fsk_attached_in(path, name, pattern, size);
	if (!done)
		glob(FSK_APPARMOR_FOLDER "/*", 0, NULL, &found);
	for (size_t i = 0; !done && i < found.gl_pathc; i++)
		done = fsk_attached_in(found.gl_pathv[i], name, pattern, size);
	globfree(&found);
	if (!done)
		*pattern = '\0';
	while (done && (variable = strstr(pattern, "@{"))) {
		doubt = true;
		end = strchr(variable, '}');
		memset(variable, '*', 2);
		memmove(variable + 2, end ? end + 1 : "",
			end ? strlen(end) : 1);
	}
	return !doubt;
}

/* The kernel says "<unknown>" of a profile whose name is the pattern, too. */
static void fsk_attached_try(struct fsk_attached *attached, const char *folder)
{
	char name[FSK_ATTACHED_NAME], attach[PATH_MAX], mode[32];
	const char *pattern = attach;
	bool exact, same, doubt = false;

	if (!fsk_attached_read(folder, "name", name, sizeof(name)) ||
	    !fsk_attached_read(folder, "attach", attach, sizeof(attach)) ||
	    !fsk_attached_read(folder, "mode", mode, sizeof(mode)))
		return;
	if (!strcmp(attach, "<unknown>") && *name == '/')
		pattern = name;
	else if (!strcmp(attach, "<unknown>") && !*attached->wanted)
		doubt = !fsk_attached_declared(name, attach, sizeof(attach));
	exact = *attached->wanted ? !strcmp(name, attached->wanted) :
				    !strcmp(pattern, attached->path);
	if (!exact && (attached->exact || *attached->wanted ||
		       !fsk_attached_matches(pattern, attached->path, 0)))
		return;
	same = exact == attached->exact;
	attached->count = same ? attached->count + 1 : 1;
	attached->doubt = (same && attached->doubt) || doubt;
	attached->enforced = (same && attached->enforced) ||
			     (strcmp(mode, "complain") &&
			      strcmp(mode, "unconfined"));
	attached->exact = exact;
	snprintf(attached->name, sizeof(attached->name), "%s", name);
}

/**
 * fsk_attached_find() - find the AppArmor profile that a program gets
 * @attached: with path and wanted name; the rest is filled in
 */
void fsk_attached_find(struct fsk_attached *attached)
{
	glob_t found = { 0 };

	attached->count = 0;
	attached->exact = false;
	attached->doubt = false;
	attached->enforced = false;
	*attached->name = '\0';
	glob(FSK_APPARMOR_KERNEL "/policy/profiles/*", 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		fsk_attached_try(attached, found.gl_pathv[i]);
	globfree(&found);
}
