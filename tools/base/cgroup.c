// SPDX-License-Identifier: MIT
/* Control groups, by path, process and service. */
#include "cgroup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "service.h"

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
 * fsk_cgroup_each_process() - do something with each process of a control group
 * @path: of the group, from the root of the hierarchy
 * @act: is given the process number, as a word; it returns an exit status
 * @data: for @act
 *
 * Return: the first status that is not 0.
 */
int fsk_cgroup_each_process(const char *path,
			    int (*act)(const char *pid, void *data), void *data)
{
	char name[PATH_MAX + 32], pid[32];
	int status = 0, one;
	FILE *file;

	snprintf(name, sizeof(name), FSK_CGROUP_MOUNT "%s/cgroup.procs", path);
	file = fopen(name, "re");
	if (!file) {
		fsk_error("%s: cannot be read", name);
		return FSK_EXIT_REFUSED;
	}
	while (fgets(pid, sizeof(pid), file)) {
		pid[strcspn(pid, "\n")] = '\0';
		/* One that is outside of our PID namespace. */
		if (!strcmp(pid, "0"))
			continue;
		one = act(pid, data);
		status = status ? status : one;
	}
	fclose(file);
	return status;
}
