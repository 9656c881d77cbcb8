// SPDX-License-Identifier: MIT
/* The versions of the tool and of the module, loaded and on disk. */
#include "version.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "elf.h"

const char fsk_version_tool[] = FSK_VERSION;

/**
 * fsk_version_loaded() - the version of the module that is loaded
 * @version: filled in; empty when none is loaded
 */
void fsk_version_loaded(char *version)
{
	FILE *file = fopen("/sys/module/fastsocket/version", "re");

	if (!file || !fgets(version, FSK_VERSION_SIZE, file))
		*version = '\0';
	version[strcspn(version, "\n")] = '\0';
	if (file)
		fclose(file);
}

/* Of a compressed module, as Debian 13 has them, kmod knows. */
static void fsk_version_ask(char *version)
{
	FILE *output = popen("PATH=$PATH:/usr/sbin:/sbin; exec modinfo "
			     "-F version fastsocket 2>/dev/null", "re");

	if (!output || !fgets(version, FSK_VERSION_SIZE, output))
		*version = '\0';
	version[strcspn(version, "\n")] = '\0';
	if (output)
		pclose(output);
}

/**
 * fsk_version_installed() - the version that modprobe would load
 * @version: filled in; empty when none is installed
 */
void fsk_version_installed(char *version)
{
	char path[PATH_MAX];

	*version = '\0';
	if (fsk_boot_module_file("", path, sizeof(path)) &&
	    fsk_elf_module_version(path, version, FSK_VERSION_SIZE))
		fsk_version_ask(version);
}
