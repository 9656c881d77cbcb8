// SPDX-License-Identifier: MIT
/*
 * Reads what /proc tells of a process that listens: whether it has our library,
 * whether it was asked to load it, and what may have stood against that.
 */
#include "facts.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "../base/apparmor.h"
#include "../base/inside.h"
#include "../base/library.h"

#define FSK_FACTS_SECOND_NS	1000000000LL

/* Reads a file of the process, and ends it with 0. Returns its length or -1. */
static ssize_t fsk_facts_file(pid_t pid, const char *name, char *text,
			      size_t size)
{
	ssize_t len = 0, more = -1;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (size_t)len < size - 1) {
		more = read(fd, text + len, size - 1 - len);
		if (more <= 0)
			break;
		len += more;
	}
	if (fd >= 0)
		close(fd);
	text[len] = '\0';
	return fd < 0 || (more < 0 && !len) ? -1 : len;
}

/* The value of a variable in @text of @len bytes, where strings end with 0. */
static const char *fsk_facts_variable(const char *text, size_t len,
				      const char *name)
{
	const char *end = text + len;
	size_t length = strlen(name);

	for (; text < end; text += strlen(text) + 1)
		if (!strncmp(text, name, length) && text[length] == '=')
			return text + length + 1;
	return NULL;
}

/* Is the library that the environment names to be seen by the process? */
static void fsk_facts_library(struct fsk_facts *facts)
{
	struct statvfs folder;
	char root[32];
	int fd;

	snprintf(root, sizeof(root), "/proc/%d/root", facts->pid);
	fd = fsk_inside_open(root, facts->asked_path, O_PATH);
	if (fd < 0)
		return;
	if (!fstatvfs(fd, &folder)) {
		facts->there = true;
		facts->noexec = folder.f_flag & ST_NOEXEC;
	}
	close(fd);
}

static void fsk_facts_environ(struct fsk_facts *facts)
{
	static char text[262144];
	const char *value, *word;
	ssize_t len;
	size_t size;

	len = fsk_facts_file(facts->pid, "environ", text, sizeof(text));
	facts->readable = len >= 0;
	if (len <= 0)
		return;
	value = fsk_facts_variable(text, len, "FASTSOCKET_PORTS");
	snprintf(facts->ports, sizeof(facts->ports), "%s", value ? value : "");
	value = fsk_facts_variable(text, len, "LD_PRELOAD");
	for (word = value; word && *word; word += size) {
		word += strspn(word, ": ");
		size = strcspn(word, ": ");
		if (!memmem(word, size, FSK_LIBRARY_NAME,
			    strlen(FSK_LIBRARY_NAME)))
			continue;
		facts->asked = true;
		snprintf(facts->asked_path, sizeof(facts->asked_path), "%.*s",
			 (int)size, word);
		fsk_facts_library(facts);
	}
}

static void fsk_facts_maps(struct fsk_facts *facts)
{
	enum fsk_library library = fsk_library_of(facts->pid);

	facts->replaced = library == FSK_LIBRARY_REPLACED;
	facts->loaded = facts->replaced || library == FSK_LIBRARY_LOADED;
}

/* The auxiliary vector, as long words. */
static void fsk_facts_raised(struct fsk_facts *facts)
{
	unsigned long words[128] = { 0 };
	ssize_t len;

	len = fsk_facts_file(facts->pid, "auxv", (char *)words, sizeof(words));
	for (ssize_t i = 0; i + 1 < len / (ssize_t)sizeof(*words); i += 2)
		if (words[i] == AT_SECURE)
			facts->raised = words[i + 1];
}

/* "profile (enforce)", or "unconfined"; another module's label has no mode. */
static void fsk_facts_profile(struct fsk_facts *facts)
{
	char text[256], path[64], program[PATH_MAX], *mode;
	ssize_t len;

	if (fsk_facts_file(facts->pid, "attr/apparmor/current", text,
			   sizeof(text)) < 0 &&
	    fsk_facts_file(facts->pid, "attr/current", text, sizeof(text)) < 0)
		return;
	mode = strstr(text, " (enforce)");
	if (!mode)
		return;
	snprintf(facts->profile, sizeof(facts->profile), "%.*s",
		 (int)(mode - text), text);
	snprintf(path, sizeof(path), "/proc/%d/exe", facts->pid);
	len = readlink(path, program, sizeof(program) - 1);
	program[len > 0 ? len : 0] = '\0';
	if (!fsk_apparmor_find(facts->profile, program, facts->profile_file,
			       sizeof(facts->profile_file)))
		*facts->profile_file = '\0';
}

static void fsk_facts_tasks(struct fsk_facts *facts)
{
	struct dirent *entry;
	char path[64];
	cpu_set_t cpus;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", facts->pid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		if (*entry->d_name == '.')
			continue;
		facts->tasks++;
		if (!sched_getaffinity(atoi(entry->d_name), sizeof(cpus),
				       &cpus) && CPU_COUNT(&cpus) == 1)
			facts->bound++;
	}
	if (folder)
		closedir(folder);
}

/* When the machine was started, since 1970. btime of /proc/stat is cut to whole
 * seconds: by that a service would seem to be older than the drop-in that it
 * was restarted for at once.
 */
static int64_t fsk_facts_boot_ns(void)
{
	struct timespec now, up;

	clock_gettime(CLOCK_BOOTTIME, &up);
	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec - up.tv_sec) * FSK_FACTS_SECOND_NS + now.tv_nsec -
	       up.tv_nsec;
}

/**
 * fsk_facts_start() - when was a process started?
 * @pid: its number
 *
 * Field 22 of stat, counted from behind the name, which may have blanks.
 *
 * Return: seconds since 1970, or 0 when it is not known.
 */
int64_t fsk_facts_start(pid_t pid)
{
	char text[1024], *at;
	int64_t up_ns;

	if (fsk_facts_file(pid, "stat", text, sizeof(text)) < 0)
		return 0;
	at = strrchr(text, ')');
	for (int i = 0; at && i < 20; i++)
		at = strchr(at + 1, ' ');
	if (!at)
		return 0;
	/* The end of the tick in which it was started. */
	up_ns = (strtoll(at, NULL, 10) + 1) *
		(FSK_FACTS_SECOND_NS / sysconf(_SC_CLK_TCK));
	return (fsk_facts_boot_ns() + up_ns) / FSK_FACTS_SECOND_NS;
}

/**
 * fsk_facts_read() - read what /proc tells of a process
 * @facts: filled in; what the caller may not see is missing
 * @pid: the process
 */
void fsk_facts_read(struct fsk_facts *facts, pid_t pid)
{
	char path[64], text[1024], *seccomp = NULL;
	ssize_t len;

	memset(facts, 0, sizeof(*facts));
	facts->pid = pid;
	fsk_facts_file(pid, "comm", facts->name, sizeof(facts->name));
	facts->name[strcspn(facts->name, "\n")] = '\0';
	len = fsk_facts_file(pid, "cmdline", facts->line, sizeof(facts->line));
	facts->line_len = len > 0 ? len : 0;
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	facts->elf_known = !fsk_elf_read(path, &facts->elf);
	fsk_facts_environ(facts);
	fsk_facts_maps(facts);
	fsk_facts_raised(facts);
	if (fsk_facts_file(pid, "status", text, sizeof(text)) >= 0)
		seccomp = strstr(text, "\nSeccomp:");
	facts->seccomp = seccomp && atoi(seccomp + strlen("\nSeccomp:")) == 2;
	fsk_facts_profile(facts);
	fsk_facts_tasks(facts);
	facts->start = fsk_facts_start(pid);
}
