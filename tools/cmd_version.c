// SPDX-License-Identifier: MIT
/* fastsocket version: of the tool, the library and the module. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/boot.h"
#include "base/elf.h"
#include "base/library.h"
#include "base/out.h"
#include "base/version.h"
#include "fastsocket.h"

/**
 * struct fsk_version - all that have a version; empty when it can't be told
 * @library: of the library that `run` preloads
 * @loaded: of the module that is loaded
 * @installed: of the module that modprobe would load
 * @path: where the library is
 */
struct fsk_version {
	char library[FSK_VERSION_SIZE];
	char loaded[FSK_VERSION_SIZE];
	char installed[FSK_VERSION_SIZE];
	char path[PATH_MAX];
};

static void fsk_version_read(struct fsk_version *version)
{
	memset(version, 0, sizeof(*version));
	if (!fsk_library_find(version->path))
		*version->path = '\0';
	else if (fsk_elf_library_version(version->path, version->library,
					 sizeof(version->library)))
		*version->library = '\0';
	fsk_version_loaded(version->loaded);
	fsk_version_installed(version->installed);
}

/* Is this one there, and not as the tool is? */
static bool fsk_version_differs(const char *version)
{
	return *version && strcmp(version, fsk_version_tool);
}

/* What is to be done, in a line; or nothing. */
static void fsk_version_say(const struct fsk_version *version)
{
	struct fsk_boot boot;
	char advice[256];

	if (!*version->loaded) {
		fsk_boot_read(&boot, "");
		printf("The module is not loaded: %s.\n",
		       fsk_boot_advice(&boot, advice, sizeof(advice)));
	} else if (*version->installed &&
		   strcmp(version->loaded, version->installed)) {
		printf("The installed module is taken at the next boot, or "
		       "once no joined listener is open: '%s'.\n",
		       fsk_boot_reload());
	} else if (fsk_version_differs(version->loaded)) {
		printf("Tool and module differ: settings and counters that "
		       "the module lacks are absent.\n");
	}
	if (fsk_version_differs(version->library))
		printf("Tool and library differ: install both from one "
		       "package.\n");
}

static void fsk_version_text(const struct fsk_version *version)
{
	const struct {
		const char *what;
		const char *is;
		const char *else_is;
	} rows[] = {
		{ "tool", fsk_version_tool, "" },
		{ "library", version->library, *version->path ?
		  "0.1.0 or not ours" : "not installed" },
		{ "module loaded", version->loaded, "none" },
		{ "module installed", version->installed, "unknown" },
	};
	struct fsk_table *table = fsk_table_create(2);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		fsk_table_put(table, "%s", rows[i].what);
		fsk_table_put(table, "%s", *rows[i].is ? rows[i].is :
			      rows[i].else_is);
	}
	fsk_table_print(table, "l");
	fsk_version_say(version);
}

static void fsk_version_json_one(const char *key, const char *value)
{
	if (*value)
		fsk_json_str(key, value);
}

static void fsk_version_json(const struct fsk_version *version)
{
	fsk_json_open(NULL, '{');
	fsk_json_str("tool-version", fsk_version_tool);
	fsk_version_json_one("library-version", version->library);
	fsk_version_json_one("library-path", version->path);
	fsk_version_json_one("module-version", version->loaded);
	fsk_version_json_one("module-installed", version->installed);
	fsk_json_close('}');
}

/**
 * fsk_cmd_version() - fastsocket version
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_version(int argc, char **argv)
{
	struct fsk_version version;

	argc = fsk_words(argc, argv, 0, 0, FSK_OPTIONS());
	if (argc < 0)
		return -1 - argc;
	fsk_version_read(&version);
	if (fsk_json)
		fsk_version_json(&version);
	else
		fsk_version_text(&version);
	return 0;
}
