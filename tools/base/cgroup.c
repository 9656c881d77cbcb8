// SPDX-License-Identifier: MIT
/* Control groups, by path, process and service. */
#include "cgroup.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "service.h"

#define FSK_CGROUP_PATH	(2 * PATH_MAX)	/* bytes, with names below */

/* The process's group in the second hierarchy. What systemd starts before and
 * after a service is in a group of its own in there, where the service has
 * groups of its own.
 */
static int fsk_cgroup_of_process(const char *pid, char *path)
{
	static const char control[] = "/.control";
	char name[64], line[PATH_MAX];
	size_t len;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%.32s/cgroup", pid);
	*path = '\0';
	file = fopen(name, "re");
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::/", 4))
			snprintf(path, PATH_MAX, "%s", line + 3);
	}
	if (file)
		fclose(file);
	len = strlen(path);
	if (len >= sizeof(control) &&
	    !strcmp(path + len + 1 - sizeof(control), control))
		path[len + 1 - sizeof(control)] = '\0';
	if (*path)
		return 0;
	fsk_error(file ? "process %s is in no control group of version 2" :
		  "there is no process %s", pid);
	return FSK_EXIT_REFUSED;
}

static int fsk_cgroup_of_unit(const char *word, char *path)
{
	struct fsk_service unit;
	int status = fsk_service_read(&unit, word, false);

	if (!status)
		fsk_service_get(&unit, "ControlGroup", path, PATH_MAX);
	fsk_service_free(&unit);
	if (status || *path)
		return status;
	fsk_error("%s does not run, so it has no control group: %s", word,
		  "'fastsocket enable --cgroup' is for each start of it");
	return FSK_EXIT_REFUSED;
}

/**
 * fsk_cgroup_path() - the control group that a word stands for
 * @word: a path, with or without where the hierarchy is mounted; a process; the
 *	  word self; or a service that runs
 * @path: filled in, PATH_MAX bytes
 *
 * Return: exit status; then an error has been printed.
 */
int fsk_cgroup_path(const char *word, char *path)
{
	size_t mount = strlen(FSK_CGROUP_MOUNT), len;

	*path = '\0';
	if (!strcmp(word, "self") || !word[strspn(word, "0123456789")])
		return fsk_cgroup_of_process(word, path);
	if (*word != '/')
		return fsk_cgroup_of_unit(word, path);
	if (!strncmp(word, FSK_CGROUP_MOUNT "/", mount + 1) ||
	    !strcmp(word, FSK_CGROUP_MOUNT))
		word += mount;
	snprintf(path, PATH_MAX, "%s", *word ? word : "/");
	len = strlen(path);
	if (len > 1 && path[len - 1] == '/')
		path[len - 1] = '\0';
	return 0;
}

/**
 * struct fsk_cgroup_walk - what is done with each process
 * @act: is given the process number, as a word; it returns an exit status
 * @data: for @act
 */
struct fsk_cgroup_walk {
	int (*act)(const char *pid, void *data);
	void *data;
};

static int fsk_cgroup_processes(char *folder,
				const struct fsk_cgroup_walk *walk)
{
	size_t len = strlen(folder);
	int status = 0, one;
	char pid[32];
	FILE *file;

	snprintf(folder + len, FSK_CGROUP_PATH - len, "/cgroup.procs");
	file = fopen(folder, "re");
	if (!file) {
		fsk_error("%s: cannot be read", folder);
		status = FSK_EXIT_REFUSED;
	}
	folder[len] = '\0';
	/* Of a threaded group reading fails: the group above has all of it. */
	while (file && fgets(pid, sizeof(pid), file)) {
		pid[strcspn(pid, "\n")] = '\0';
		/* One that is outside of our PID namespace. */
		if (!strcmp(pid, "0"))
			continue;
		one = walk->act(pid, walk->data);
		status = status ? status : one;
	}
	if (file)
		fclose(file);
	return status;
}

/* The group in @folder, which has room for the names below it, and those. */
static int fsk_cgroup_walk(char *folder, const struct fsk_cgroup_walk *walk)
{
	int status = fsk_cgroup_processes(folder, walk), one;
	size_t len = strlen(folder);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || *entry->d_name == '.')
			continue;
		snprintf(folder + len, FSK_CGROUP_PATH - len, "/%s",
			 entry->d_name);
		/* It may have gone meanwhile, and its processes with it. */
		one = access(folder, F_OK) ? 0 : fsk_cgroup_walk(folder, walk);
		status = status ? status : one;
	}
	folder[len] = '\0';
	if (dir)
		closedir(dir);
	return status;
}

/**
 * fsk_cgroup_each_process() - do something with each process of a control group
 * @path: of the group, from the root of the hierarchy
 * @act: is given the process number, as a word; it returns an exit status
 * @data: for @act
 *
 * Groups below it, which a service may have been delegated, belong to it.
 *
 * Return: the first status that is not 0.
 */
int fsk_cgroup_each_process(const char *path,
			    int (*act)(const char *pid, void *data), void *data)
{
	const struct fsk_cgroup_walk walk = { .act = act, .data = data };
	char folder[FSK_CGROUP_PATH];

	snprintf(folder, sizeof(folder), FSK_CGROUP_MOUNT "%s", path);
	return fsk_cgroup_walk(folder, &walk);
}
