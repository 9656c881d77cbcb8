// SPDX-License-Identifier: MIT
/*
 * Tells from /sys and /lib/modules whether our module is loaded, and if not,
 * what stands against it: no file for this kernel, or a kernel that loads
 * signed modules only, as it does under Secure Boot.
 */
#include "boot.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define FSK_BOOT_SECURE "/sys/firmware/efi/efivars" \
	"/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* Reads the beginning of a file into @text, and ends it with 0. Returns its
 * length, or -1.
 */
static ssize_t fsk_boot_file(const char *root, const char *path, char *text,
			     size_t size)
{
	char whole[PATH_MAX];
	ssize_t len = -1;
	int fd;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	fd = open(whole, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, text, size - 1);
		close(fd);
	}
	text[len > 0 ? len : 0] = '\0';
	return len;
}

/* /sys/kernel/security/lockdown has the chosen word in brackets. Both of the
 * words that lock something down ask for signatures.
 */
static bool fsk_boot_signed_only(const char *root)
{
	char text[128];

	if (fsk_boot_file(root, "/sys/module/module/parameters/sig_enforce",
			  text, sizeof(text)) > 0 && *text == 'Y')
		return true;
	return fsk_boot_file(root, "/sys/kernel/security/lockdown", text,
			     sizeof(text)) > 0 && !strstr(text, "[none]");
}

/**
 * fsk_boot_module_file() - the file that modprobe would load
 * @root: as for fsk_boot_read()
 * @path: filled in
 * @size: of @path
 *
 * Return: whether depmod's list for this kernel has our module.
 */
bool fsk_boot_module_file(const char *root, char *path, size_t size)
{
	char list[PATH_MAX], line[4096];
	struct utsname name;
	bool found = false;
	FILE *file;

	if (uname(&name))
		return false;
	snprintf(list, sizeof(list), "%s/lib/modules/%s/modules.dep", root,
		 name.release);
	file = fopen(list, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, ":")] = '\0';
		found = strstr(line, "/fastsocket.ko");
	}
	if (file)
		fclose(file);
	if (found)
		snprintf(path, size, "%s/lib/modules/%s/%s", root,
			 name.release, line);
	return found;
}

/**
 * fsk_boot_read() - read what this kernel does with modules
 * @boot: filled in
 * @root: before all paths; empty, but for tests
 */
void fsk_boot_read(struct fsk_boot *boot, const char *root)
{
	struct utsname name;
	char text[PATH_MAX];

	memset(boot, 0, sizeof(*boot));
	if (!uname(&name))
		snprintf(boot->release, sizeof(boot->release), "%s",
			 name.release);
	boot->refcount = -1;
	if (fsk_boot_file(root, "/sys/module/fastsocket/refcnt", text,
			  sizeof(text)) > 0)
		boot->refcount = atol(text);
	boot->found = fsk_boot_module_file(root, text, sizeof(text));
	snprintf(text, sizeof(text), "%s/var/lib/dkms/fastsocket", root);
	boot->dkms = !access(text, F_OK);
	boot->signed_only = fsk_boot_signed_only(root);
	/* Four bytes of attributes, then one that is 1 or 0. */
	if (fsk_boot_file(root, FSK_BOOT_SECURE, text, sizeof(text)) >= 5)
		boot->secure_boot = text[4] == 1;
}

/**
 * fsk_boot_advice() - what to do when our module is not loaded
 * @boot: from fsk_boot_read()
 * @text: for the advice
 * @size: of @text
 *
 * Return: @text.
 */
const char *fsk_boot_advice(const struct fsk_boot *boot, char *text,
			    size_t size)
{
	if (!boot->found)
		snprintf(text, size, "no fastsocket.ko for kernel %s is "
				     "installed: install its headers%s",
			 boot->release, boot->dkms ?
			 " for DKMS; 'dkms status' shows what was built" :
			 ", and 'make install-module' in Fastsocket's sources");
	else if (boot->signed_only)
		snprintf(text, size, "this kernel%s loads signed modules "
				     "only: 'modprobe fastsocket' tells "
				     "whether ours is; else enrol DKMS' key, "
				     "'mokutil --import "
				     "/var/lib/dkms/mok.pub', and reboot",
			 boot->secure_boot ? " (Secure Boot)" : "");
	else
		snprintf(text, size, "run 'modprobe fastsocket'");
	return text;
}

/**
 * fsk_boot_reload() - how to replace the loaded module by the installed one
 *
 * The unit applies the configuration, too, which goes with the old module.
 *
 * Return: a command.
 */
const char *fsk_boot_reload(void)
{
	if (!access("/run/systemd/system", F_OK))
		return "systemctl restart fastsocket";
	return "modprobe -r fastsocket && modprobe fastsocket && fastsocket "
	       "config apply";
}
