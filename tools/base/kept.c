// SPDX-License-Identifier: MIT
/*
 * Keeps how the settings of an interface were, in a file for each device. The
 * file is there, whole, before the first setting changes, and as long as any
 * may be changed. It lies in /run, because the settings last as long as that:
 * a boot gives fresh ones. Where /run outlives a boot, the kernel's boot_id in
 * the file tells.
 *
 * The file is named for the device and its port, since an interface may get
 * another name.
 */
#include "kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "error.h"

#ifndef FSK_KEPT_TOP
#define FSK_KEPT_TOP	"/run/fastsocket"
#endif
#ifndef FSK_KEPT_NET
#define FSK_KEPT_NET	"/sys/class/net"
#endif
#define FSK_KEPT_DIR	FSK_KEPT_TOP "/tune"
#define FSK_KEPT_LOCK	FSK_KEPT_TOP "/tune.lock"
#define FSK_KEPT_FIRST	"fastsocket tune 1"	/* a later format has 2 */

/* Who the device is */

/* The first line of a file, without its end; empty if there is none. */
static void fsk_kept_read(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");

	*line = '\0';
	if (!file)
		return;
	if (!fgets(line, size, file))
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
	fclose(file);
}

static void fsk_kept_boot(char *boot, int size)
{
	fsk_kept_read("/proc/sys/kernel/random/boot_id", boot, size);
}

/* What the card calls a port, with a minus before it; empty if it has no name
 * for it. No dot is in it, and nothing that ends a file's name.
 */
static void fsk_kept_label(const char *name, char *label, int size)
{
	char path[PATH_MAX], *at;

	snprintf(path, sizeof(path), FSK_KEPT_NET "/%s/phys_port_name", name);
	fsk_kept_read(path, label + 1, size - 1);
	*label = label[1] ? '-' : '\0';
	for (at = label; (at = strpbrk(at, "./")); )
		*at = '_';
}

/* The device of an interface and its port; false if it belongs to none. The
 * ports of a switch in the card, such as those of virtual functions, share
 * device and number: their names tell them apart.
 */
static bool fsk_kept_device(const char *name, char *id, size_t size)
{
	char path[PATH_MAX], device[PATH_MAX], port[16], label[32];

	snprintf(path, sizeof(path), FSK_KEPT_NET "/%s/device", name);
	if (!realpath(path, device))
		return false;
	snprintf(path, sizeof(path), FSK_KEPT_NET "/%s/dev_port", name);
	fsk_kept_read(path, port, sizeof(port));
	fsk_kept_label(name, label, sizeof(label));
	snprintf(id, size, "%.100s.%s%s", strrchr(device, '/') + 1, port,
		 label);
	return true;
}

static uint64_t fsk_kept_inode(const char *name)
{
	char path[PATH_MAX];
	struct stat info;

	snprintf(path, sizeof(path), FSK_KEPT_NET "/%s/", name);
	return stat(path, &info) ? 0 : info.st_ino;
}

/* Is the interface here that the settings are of? @name gets what it is called
 * now. Without it, @name gets the interface that its port has now, or nothing.
 */
static bool fsk_kept_here(const struct fsk_kept *kept, char *name)
{
	DIR *folder = opendir(FSK_KEPT_NET);
	char id[sizeof(kept->id)];
	struct dirent *entry;
	bool same = false;

	*name = '\0';
	while (folder && !same && (entry = readdir(folder))) {
		if (*entry->d_name == '.' ||
		    !fsk_kept_device(entry->d_name, id, sizeof(id)))
			continue;
		same = fsk_kept_inode(entry->d_name) == kept->inode;
		if (same || !strcmp(id, kept->id))
			snprintf(name, IF_NAMESIZE, "%.15s", entry->d_name);
	}
	if (folder)
		closedir(folder);
	return same;
}

/**
 * fsk_kept_init() - begin to keep the settings of an interface
 * @kept: filled in, without settings; the caller gives it to fsk_kept_free()
 * @name: the interface
 *
 * Return: false if it belongs to no device.
 */
bool fsk_kept_init(struct fsk_kept *kept, const char *name)
{
	memset(kept, 0, sizeof(*kept));
	snprintf(kept->name, sizeof(kept->name), "%.15s", name);
	fsk_kept_boot(kept->boot, sizeof(kept->boot));
	kept->inode = fsk_kept_inode(name);
	return fsk_kept_device(name, kept->id, sizeof(kept->id));
}

/* Is there a device of this name, whichever driver it has? */
static bool fsk_kept_on_bus(const char *id)
{
	char pattern[PATH_MAX];
	glob_t found;
	bool any;

	snprintf(pattern, sizeof(pattern), "/sys/bus/*/devices/%.*s",
		 (int)(strrchr(id, '.') - id), id);
	any = !glob(pattern, GLOB_NOSORT, NULL, &found);
	globfree(&found);
	return any;
}

/**
 * fsk_kept_lost() - are the settings lost that were changed?
 * @kept: as it was loaded
 * @name: gets the name that the interface has now; empty if it is not here, but
 *	may be in another network namespace
 *
 * Return: why they are lost, or %NULL if they are still there.
 */
const char *fsk_kept_lost(const struct fsk_kept *kept, char *name)
{
	char boot[sizeof(kept->boot)];

	*name = '\0';
	fsk_kept_boot(boot, sizeof(boot));
	if (strcmp(boot, kept->boot))
		return "the machine was booted";
	if (fsk_kept_here(kept, name))
		return NULL;
	if (*name)
		return "its device got a driver anew";
	return fsk_kept_on_bus(kept->id) ? NULL : "its device was taken out";
}

/* Lines */

/**
 * fsk_kept_add() - keep a setting
 * @kept: where
 * @key: of the setting
 * @value: of the setting
 *
 * Return: false without memory.
 */
bool fsk_kept_add(struct fsk_kept *kept, const char *key, const char *value)
{
	struct fsk_kept_line *lines;

	lines = fsk_array_grow(kept->lines, kept->count, sizeof(*lines));
	if (!lines)
		return false;
	kept->lines = lines;
	lines += kept->count++;
	lines->key = strdup(key);
	lines->value = strdup(value);
	return lines->key && lines->value;
}

/**
 * fsk_kept_has() - is a setting kept?
 * @kept: where
 * @key: of the setting
 *
 * Return: whether it is.
 */
bool fsk_kept_has(const struct fsk_kept *kept, const char *key)
{
	for (size_t i = 0; i < kept->count; i++)
		if (!strcmp(kept->lines[i].key, key))
			return true;
	return false;
}

/**
 * fsk_kept_free() - free the settings, not the file
 * @kept: the settings
 */
void fsk_kept_free(struct fsk_kept *kept)
{
	for (size_t i = 0; i < kept->count; i++) {
		free(kept->lines[i].key);
		free(kept->lines[i].value);
	}
	free(kept->lines);
	kept->lines = NULL;
	kept->count = 0;
}

/* The file */

static void fsk_kept_path(const char *id, const char *end, char *path,
			  size_t size)
{
	snprintf(path, size, FSK_KEPT_DIR "/%s%s", id, end);
}

/* Only root may open the lock: it would wait for whoever holds it. */
static bool fsk_kept_lock_file(void)
{
	int fd = open(FSK_KEPT_LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	/* The lock goes with the process. */
	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
		return true;
	if (fd < 0 || errno != EWOULDBLOCK)
		return false;
	fsk_error("waiting for another 'fastsocket tune' to end");
	return !flock(fd, LOCK_EX);
}

/**
 * fsk_kept_lock() - let no other tool change interfaces until this one ends
 *
 * Return: exit status.
 */
int fsk_kept_lock(void)
{
	if ((!mkdir(FSK_KEPT_TOP, 0755) || errno == EEXIST) &&
	    (!mkdir(FSK_KEPT_DIR, 0755) || errno == EEXIST) &&
	    fsk_kept_lock_file())
		return 0;
	fsk_error("cannot keep settings in %s: %s", FSK_KEPT_DIR,
		  strerror(errno));
	return FSK_EXIT_REFUSED;
}

static bool fsk_kept_sync_dir(void)
{
	int fd = open(FSK_KEPT_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good;

	if (fd < 0)
		return false;
	good = !fsync(fd);
	close(fd);
	return good;
}

static bool fsk_kept_write(const struct fsk_kept *kept, const char *path)
{
	FILE *file = fopen(path, "we");
	bool good;

	if (!file)
		return false;
	fprintf(file, "%s\nboot\t%s\nname\t%s\ninode\t%llu\n",
		FSK_KEPT_FIRST, kept->boot, kept->name,
		(unsigned long long)kept->inode);
	for (size_t i = 0; i < kept->count; i++)
		fprintf(file, "%s\t%s\n", kept->lines[i].key,
			kept->lines[i].value);
	good = !fflush(file) && !ferror(file) && !fsync(fileno(file));
	fclose(file);
	return good;
}

/**
 * fsk_kept_save() - write the file
 * @kept: the settings
 *
 * When this returns, the file is there, whole, and stays when the tool is
 * killed.
 *
 * Return: exit status.
 */
int fsk_kept_save(const struct fsk_kept *kept)
{
	char path[PATH_MAX], new[PATH_MAX];

	fsk_kept_path(kept->id, "", path, sizeof(path));
	fsk_kept_path(kept->id, ".new", new, sizeof(new));
	if (fsk_kept_write(kept, new) && !rename(new, path) &&
	    fsk_kept_sync_dir())
		return 0;
	fsk_error("cannot keep settings in %s: %s", path, strerror(errno));
	return FSK_EXIT_REFUSED;
}

/**
 * fsk_kept_drop() - remove the file
 * @kept: the settings
 *
 * Return: exit status.
 */
int fsk_kept_drop(const struct fsk_kept *kept)
{
	char path[PATH_MAX];

	fsk_kept_path(kept->id, "", path, sizeof(path));
	if ((!unlink(path) || errno == ENOENT) && fsk_kept_sync_dir())
		return 0;
	fsk_error("cannot remove %s: %s", path, strerror(errno));
	return FSK_EXIT_REFUSED;
}

static bool fsk_kept_take(struct fsk_kept *kept, char *line)
{
	char *value = line;
	char *key = strsep(&value, "\t");

	if (!value)
		return false;
	if (!strcmp(key, "boot"))
		snprintf(kept->boot, sizeof(kept->boot), "%s", value);
	else if (!strcmp(key, "name"))
		snprintf(kept->name, sizeof(kept->name), "%s", value);
	else if (!strcmp(key, "inode"))
		kept->inode = strtoull(value, NULL, 10);
	else
		return fsk_kept_add(kept, key, value);
	return true;
}

static bool fsk_kept_parse(struct fsk_kept *kept, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	bool good;

	good = getline(&line, &room, file) > 0 &&
	       !strcmp(line, FSK_KEPT_FIRST "\n");
	while (good && getline(&line, &room, file) > 0) {
		good = strchr(line, '\n');
		line[strcspn(line, "\n")] = '\0';
		good = good && fsk_kept_take(kept, line);
	}
	free(line);
	return good;
}

/* Where a card has no names for ports, an interface that shares its device and
 * number may have the file.
 */
static int fsk_kept_check(struct fsk_kept *kept, const char *name,
			  uint64_t inode)
{
	char now[IF_NAMESIZE], boot[sizeof(kept->boot)];

	fsk_kept_boot(boot, sizeof(boot));
	if (!inode || kept->inode == inode || strcmp(boot, kept->boot) ||
	    !fsk_kept_here(kept, now))
		return 0;
	fsk_error("%s shares its device with %s, which is tuned: %s %s first",
		  name, now, "fastsocket tune --undo", now);
	fsk_kept_free(kept);
	return FSK_EXIT_REFUSED;
}

/**
 * fsk_kept_load() - read the file of a device
 * @kept: has the device; gets what is in the file, if there is one
 *
 * Return: exit status.
 */
int fsk_kept_load(struct fsk_kept *kept)
{
	char path[PATH_MAX], name[IF_NAMESIZE];
	uint64_t inode = kept->inode;
	FILE *file;
	bool good;

	fsk_kept_path(kept->id, "", path, sizeof(path));
	file = fopen(path, "re");
	if (!file && errno == ENOENT)
		return 0;
	if (!file) {
		fsk_error("cannot read %s: %s", path, strerror(errno));
		return FSK_EXIT_REFUSED;
	}
	memcpy(name, kept->name, sizeof(name));
	good = fsk_kept_parse(kept, file);
	fclose(file);
	if (good)
		return fsk_kept_check(kept, name, inode);
	fsk_error("%s is not as this version writes it: read it, %s", path,
		  "then remove it");
	fsk_kept_free(kept);
	return FSK_EXIT_REFUSED;
}

/* Files are named for devices, new ones that are not whole end in ".new". */
static bool fsk_kept_is_file(const char *name)
{
	size_t len = strlen(name);

	return *name != '.' && (len < 4 || strcmp(name + len - 4, ".new"));
}

/* The folder with the files; %NULL if nothing was ever kept, or after an error
 * message.
 */
static DIR *fsk_kept_open(int *status)
{
	DIR *folder = opendir(FSK_KEPT_DIR);

	*status = 0;
	if (folder || errno == ENOENT)
		return folder;
	fsk_error("cannot read %s: %s", FSK_KEPT_DIR, strerror(errno));
	*status = FSK_EXIT_REFUSED;
	return NULL;
}

/* Read a file of the folder into what was not read before. */
static int fsk_kept_load_entry(struct fsk_kept *kept, const char *entry)
{
	memset(kept, 0, sizeof(*kept));
	snprintf(kept->id, sizeof(kept->id), "%.159s", entry);
	return fsk_kept_load(kept);
}

/**
 * fsk_kept_find() - find the settings that were kept of an interface
 * @kept: filled in; the caller gives it to fsk_kept_free()
 * @name: what the interface was called then
 * @status: gets the exit status, of the first file that could not be read
 *
 * Return: false if there are none, or none that can be read.
 */
bool fsk_kept_find(struct fsk_kept *kept, const char *name, int *status)
{
	DIR *folder = fsk_kept_open(status);
	struct dirent *entry;
	bool found = false;
	int each;

	memset(kept, 0, sizeof(*kept));
	while (folder && !found && (entry = readdir(folder))) {
		if (!fsk_kept_is_file(entry->d_name))
			continue;
		fsk_kept_free(kept);
		each = fsk_kept_load_entry(kept, entry->d_name);
		found = !each && !strcmp(kept->name, name);
		*status = *status ? *status : each;
	}
	if (folder)
		closedir(folder);
	if (!found)
		fsk_kept_free(kept);
	return found;
}

/**
 * fsk_kept_names() - the interfaces whose settings are kept
 * @names: gets their names; of those that are not here, what they were called
 *
 * A file that can't be read keeps no other from being read.
 *
 * Return: exit status, of the first that could not.
 */
int fsk_kept_names(struct fsk_lower *names)
{
	char now[IF_NAMESIZE];
	struct dirent *entry;
	struct fsk_kept kept;
	int status, each;
	DIR *folder;

	memset(names, 0, sizeof(*names));
	folder = fsk_kept_open(&status);
	while (folder && (entry = readdir(folder))) {
		if (!fsk_kept_is_file(entry->d_name))
			continue;
		each = fsk_kept_load_entry(&kept, entry->d_name);
		status = status ? status : each;
		if (each)
			continue;
		fsk_kept_lost(&kept, now);
		fsk_lower_add(names, *now ? now : kept.name);
		fsk_kept_free(&kept);
	}
	if (folder)
		closedir(folder);
	return status;
}
