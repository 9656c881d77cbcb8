// SPDX-License-Identifier: MIT
/* Asks systemd about a unit, by systemctl: what runs in it, and how. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/command.h"
#include "../base/error.h"
#include "../base/service.h"

/* How paths begin that generators write to; a test has a folder of its own. */
#ifndef FSK_UNIT_GENERATED
#define FSK_UNIT_GENERATED	"/run/systemd/generator"
#endif

/* What generators write is new at each daemon-reload, changed or not. */
static void fsk_unit_file(struct fsk_unit *unit, const char *path)
{
	struct stat file;

	if (strncmp(path, FSK_UNIT_GENERATED, strlen(FSK_UNIT_GENERATED)) &&
	    !stat(path, &file) && file.st_mtime > unit->changed)
		unit->changed = file.st_mtime;
}

/* Drop-ins are separated by blanks. */
static void fsk_unit_drop_ins(struct fsk_unit *unit, char *paths)
{
	char *path;

	while ((path = strsep(&paths, " "))) {
		unit->enabled |= !!strstr(path, "fastsocket");
		fsk_unit_file(unit, path);
	}
}

/* Drop-ins of ours select the group before the start; `run --cgroup` can. */
static void fsk_unit_exec(struct fsk_unit *unit, const char *name,
			  const char *value)
{
	if (!strcmp(name, "ExecStartPre")) {
		unit->selected |= !!strstr(value, "fastsocket cgroup add");
	} else if (strstr(value, "fastsocket")) {
		unit->enabled = true;
		unit->selected |= !!strstr(value, " --cgroup ");
	}
}

static void fsk_unit_property(struct fsk_unit *unit, const char *name,
			      char *value)
{
	if (!strcmp(name, "Id"))
		snprintf(unit->name, sizeof(unit->name), "%s", value);
	else if (!strcmp(name, "ControlGroup"))
		snprintf(unit->cgroup, sizeof(unit->cgroup), "%s", value);
	else if (!strcmp(name, "ActiveState"))
		unit->active = !strcmp(value, "active") ||
			       !strcmp(value, "reloading");
	else if (!strcmp(name, "NeedDaemonReload"))
		unit->reload = !strcmp(value, "yes");
	else if (!strcmp(name, "MainPID"))
		unit->main = atoi(value);
	else if (!strcmp(name, "FragmentPath"))
		fsk_unit_file(unit, value);
	else if (!strcmp(name, "DropInPaths"))
		fsk_unit_drop_ins(unit, value);
	else if (!strcmp(name, "Environment"))
		unit->enabled |= !!strstr(value, "libfsocket");
	else if (!strncmp(name, "ExecStart", strlen("ExecStart")))
		fsk_unit_exec(unit, name, value);
}

/**
 * fsk_unit_parse() - read what systemctl prints of a unit
 * @unit: filled in
 * @text: lines of NAME=VALUE; changed
 */
void fsk_unit_parse(struct fsk_unit *unit, char *text)
{
	char *line, *value;

	memset(unit, 0, sizeof(*unit));
	while ((line = strsep(&text, "\n"))) {
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = '\0';
		fsk_unit_property(unit, line, value);
	}
}

/* What a command prints; %NULL when that is nothing, or it fails. */
static char *fsk_unit_output(char *const *argv)
{
	char *text;

	if (fsk_command_run(argv, &text, true) || !*text) {
		free(text);
		return NULL;
	}
	return text;
}

/**
 * fsk_unit_read() - ask systemd about a unit
 * @unit: filled in
 * @name: its name, ".service" may be left out
 *
 * Return: exit status, after an error message.
 */
int fsk_unit_read(struct fsk_unit *unit, const char *name)
{
	char *argv[12] = {
		"systemctl", "show", "--property",
		"Id,LoadState,ActiveState,ControlGroup,NeedDaemonReload",
		"--property", "FragmentPath,DropInPaths,MainPID,Environment",
		"--property", "ExecStart,ExecStartPre",
		"--", (char *)name, NULL,
	};
	char *text;
	bool found;

	if (fsk_service_pattern(name))
		return FSK_EXIT_USAGE;
	text = fsk_unit_output(argv);
	found = text && strstr(text, "LoadState=loaded");
	if (text)
		fsk_unit_parse(unit, text);
	free(text);
	if (!text) {
		fsk_error("check: systemctl does not answer: give a process "
			  "number instead of '%s'",
			  name);
		return FSK_EXIT_REFUSED;
	}
	if (!found) {
		fsk_error("check: there is no unit '%s': 'systemctl "
			  "list-units' has their names",
			  name);
		return FSK_EXIT_USAGE;
	}
	return 0;
}

/* The process' control group; the one of version 2, or systemd's own. */
static bool fsk_unit_cgroup(pid_t pid, char *cgroup, size_t size)
{
	char path[64], line[PATH_MAX + 64], *at;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		at = strchr(line, '/');
		if (!at || (strncmp(line, "0::", 3) &&
			    !strstr(line, ":name=systemd:")))
			continue;
		snprintf(cgroup, size, "%s", at);
		found = true;
	}
	if (file)
		fclose(file);
	return found;
}

/**
 * fsk_unit_has() - does a process belong to a unit?
 * @unit: the unit
 * @pid: the process
 *
 * Return: whether its control group is the unit's, or one below it.
 */
bool fsk_unit_has(const struct fsk_unit *unit, pid_t pid)
{
	size_t len = strlen(unit->cgroup);
	char cgroup[PATH_MAX];

	return len > 1 && fsk_unit_cgroup(pid, cgroup, sizeof(cgroup)) &&
	       !strncmp(cgroup, unit->cgroup, len) &&
	       (!cgroup[len] || cgroup[len] == '/');
}

/**
 * fsk_unit_of() - find the service that a process belongs to
 * @unit: filled in, if there is one and systemd answers
 * @pid: the process
 *
 * Return: whether there is one.
 */
bool fsk_unit_of(struct fsk_unit *unit, pid_t pid)
{
	char cgroup[PATH_MAX], *name;

	memset(unit, 0, sizeof(*unit));
	if (!fsk_unit_cgroup(pid, cgroup, sizeof(cgroup)))
		return false;
	name = strrchr(cgroup, '/');
	if (!name || !strstr(name, ".service") ||
	    access("/run/systemd/system", F_OK))
		return false;
	return !fsk_unit_read(unit, name + 1);
}
