// SPDX-License-Identifier: MIT
/* Reads what /proc tells of one process: threads, memory, settings. */
#include "process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "plain.h"

#define FSK_PROCESS_LIBRARY	"/libfsocket.so"
#define FSK_PROCESS_SETTING	"FASTSOCKET_"

/**
 * fsk_process_pid() - the number of a process
 * @word: the number
 *
 * Return: the number, or 0 if the word is none.
 */
pid_t fsk_process_pid(const char *word)
{
	unsigned long pid;
	char *end;

	errno = 0;
	pid = strtoul(word, &end, 10);
	return *word < '1' || *word > '9' || *end || errno ||
	       pid > INT32_MAX ? 0 : pid;
}

/* A whole file, with a 0 behind it, for free(). %NULL with errno set. */
static char *fsk_process_file(const char *path, size_t *length)
{
	size_t room = 4096, have = 0;
	char *text = malloc(room);
	ssize_t more = -1;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (text && fd >= 0) {
		more = read(fd, text + have, room - have - 1);
		if (more <= 0)
			break;
		have += more;
		if (have == room - 1) {
			char *larger = realloc(text, room *= 2);

			if (!larger)
				break;
			text = larger;
		}
	}
	if (fd >= 0)
		close(fd);
	if (!text || more) {
		free(text);
		return NULL;
	}
	text[have] = '\0';
	*length = have;
	return text;
}

/**
 * fsk_process_number() - a number of /proc/PID/status
 * @status: the file
 * @key: "VmRSS:" and the like
 *
 * Return: the number, 0 without it.
 */
uint64_t fsk_process_number(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	if (!at || (at != status && at[-1] != '\n'))
		return 0;
	return strtoull(at + strlen(key), NULL, 10);
}

/**
 * fsk_process_bound() - may this thread run on one CPU only?
 * @status: its /proc/PID/task/TID/status
 *
 * Return: whether the list of CPUs is one number.
 */
bool fsk_process_bound(const char *status)
{
	const char *at = strstr(status, "\nCpus_allowed_list:");

	if (!at)
		return false;
	at = strchr(at + 1, ':') + 1;
	at += strspn(at, " \t");
	return isdigit((unsigned char)*at) &&
	       at[strspn(at, "0123456789")] == '\n';
}

static void fsk_process_threads(pid_t pid, struct fsk_process *process)
{
	char path[64 + 256], *status;
	struct dirent *entry;
	size_t length;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	folder = opendir(path);
	if (!folder)
		return;
	while ((entry = readdir(folder))) {
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/status", pid,
			 entry->d_name);
		status = fsk_process_file(path, &length);
		/* A thread may end meanwhile. */
		if (!status)
			continue;
		process->threads++;
		process->bound += fsk_process_bound(status);
		free(status);
	}
	closedir(folder);
}

static bool fsk_process_maps(pid_t pid, struct fsk_process *process)
{
	char path[64], *maps;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fsk_process_file(path, &length);
	if (!maps)
		return false;
	process->preload = strstr(maps, FSK_PROCESS_LIBRARY);
	free(maps);
	return true;
}

/**
 * fsk_process_read() - read what there is of a process
 * @pid: the process
 * @process: filled in; the caller gives it to fsk_process_reset()
 *
 * Return: exit status.
 */
int fsk_process_read(pid_t pid, struct fsk_process *process)
{
	char path[64], *status;
	size_t length;

	memset(process, 0, sizeof(*process));
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fsk_process_file(path, &length);
	if (!status) {
		fsk_error("there is no process %d", pid);
		return FSK_EXIT_REFUSED;
	}
	sscanf(status, "Name: %31[^\n]", process->name);
	fsk_plain(process->name, sizeof(process->name));
	process->resident_kib = fsk_process_number(status, "VmRSS:");
	free(status);
	fsk_process_threads(pid, process);
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	process->environment = fsk_process_file(path, &process->length);
	if (process->environment && fsk_process_maps(pid, process)) {
		fsk_plain(process->environment, process->length);
		return 0;
	}
	fsk_error("cannot look into process %d: %s", pid, strerror(errno));
	return FSK_EXIT_REFUSED;
}

/**
 * fsk_process_reset() - forget a process
 * @process: the process
 */
void fsk_process_reset(struct fsk_process *process)
{
	free(process->environment);
	memset(process, 0, sizeof(*process));
}

/**
 * fsk_process_setting() - go through the settings of the library
 * @process: from fsk_process_read()
 * @last: what the last call returned, %NULL at first
 *
 * The library reads them once, when the process starts. Some programs write
 * their title over them, so that they can't be read any more.
 *
 * Return: a setting, "FASTSOCKET_NAME=VALUE", or %NULL after the last one.
 */
const char *fsk_process_setting(const struct fsk_process *process,
				const char *last)
{
	const char *end = process->environment + process->length;
	const char *at = last ? last + strlen(last) + 1 : process->environment;

	for (; at < end; at += strlen(at) + 1)
		if (!strncmp(at, FSK_PROCESS_SETTING,
			     strlen(FSK_PROCESS_SETTING)) && strchr(at, '='))
			return at;
	return NULL;
}
