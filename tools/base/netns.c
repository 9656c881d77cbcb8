// SPDX-License-Identifier: MIT
/*
 * Walks through the machine's network namespaces: those that have a name of
 * `ip netns`, and those that a process is in. One that only a socket keeps is
 * not found.
 */
#include "netns.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "error.h"
#include "nic.h"
#include "out.h"
#include "plain.h"
#include "process.h"

static struct fsk_netns *fsk_netns_find(struct fsk_netns_all *all,
					uint64_t inode)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->all[i].inode == inode)
			return &all->all[i];
	return NULL;
}

/* Note the namespace of a file; returns it, or %NULL if it can't be opened. */
static struct fsk_netns *fsk_netns_add(struct fsk_netns_all *all,
				       const char *path)
{
	struct fsk_netns *ns;
	struct stat file;
	int fd;

	if (stat(path, &file))
		return NULL;
	ns = fsk_netns_find(all, file.st_ino);
	if (ns)
		return ns;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	all->left_out |= fd < 0 && errno == EMFILE;
	if (fd < 0)
		return NULL;
	ns = fsk_array_grow(all->all, all->count, sizeof(*ns));
	if (!ns) {
		close(fd);
		return NULL;
	}
	all->all = ns;
	ns += all->count++;
	*ns = (struct fsk_netns) { .inode = file.st_ino, .fd = fd };
	return ns;
}

static void fsk_netns_named(struct fsk_netns_all *all)
{
	DIR *folder = opendir("/run/netns");
	struct dirent *entry;
	struct fsk_netns *ns;
	char path[PATH_MAX];

	while (folder && (entry = readdir(folder))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "/run/netns/%s", entry->d_name);
		ns = fsk_netns_add(all, path);
		if (ns && !*ns->name)
			snprintf(ns->name, sizeof(ns->name), "%.*s",
				 (int)sizeof(ns->name) - 1, entry->d_name);
	}
	if (folder)
		closedir(folder);
}

static void fsk_netns_comm(pid_t pid, char *name, size_t size)
{
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(name, size, file))
		*name = '\0';
	name[strcspn(name, "\n")] = '\0';
	fsk_plain(name, strlen(name));
	if (file)
		fclose(file);
}

static void fsk_netns_processes(struct fsk_netns_all *all)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	struct fsk_netns *ns;
	char path[PATH_MAX];
	pid_t pid;

	while (folder && (entry = readdir(folder))) {
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/ns/net", entry->d_name);
		ns = fsk_netns_add(all, path);
		pid = atoi(entry->d_name);
		if (!ns || (ns->pid && ns->pid < pid))
			continue;
		ns->pid = pid;
	}
	if (folder)
		closedir(folder);
}

/* One descriptor for each namespace: a shell's usual limit is 1,024. */
static void fsk_netns_room(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Find all of them; what is said then is said of all. */
static int fsk_netns_find_all(struct fsk_netns_all *all)
{
	fsk_netns_room();
	fsk_netns_named(all);
	fsk_netns_processes(all);
	if (!all->left_out)
		return 0;
	fsk_error("too many network namespaces for this limit of open files: "
		  "raise it, 'ulimit -Hn'");
	return FSK_EXIT_REFUSED;
}

static int fsk_netns_enter(int fd, const char *name)
{
	if (!setns(fd, CLONE_NEWNET))
		return 0;
	fsk_error("cannot enter network namespace '%s': %s", name,
		  errno == EPERM ? "--all-netns is for root" :
		  strerror(errno));
	return FSK_EXIT_REFUSED;
}

/**
 * fsk_netns_json() - say in JSON which namespace this is
 * @ns: the namespace
 */
void fsk_netns_json(const struct fsk_netns *ns)
{
	fsk_json_str("netns", ns->name);
	fsk_json_uint("netns-inode", ns->inode);
	if (ns->pid)
		fsk_json_uint("netns-pid", ns->pid);
}

/**
 * fsk_netns_each() - do something in each network namespace
 * @take: called in each
 * @data: for @take
 *
 * The caller is in its own again afterwards.
 *
 * Return: exit status, after an error message.
 */
int fsk_netns_each(fsk_netns_take *take, void *data)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct fsk_netns_all all = { 0 };
	int status = own < 0 ? FSK_EXIT_REFUSED : 0;

	if (status)
		fsk_error("no /proc/self/ns/net: %s", strerror(errno));
	else
		status = fsk_netns_find_all(&all);
	fsk_nic_netns = true;
	for (size_t i = 0; i < all.count; i++)
		if (!*all.all[i].name)
			fsk_netns_comm(all.all[i].pid, all.all[i].name,
				       sizeof(all.all[i].name));
	for (size_t i = 0; i < all.count && !status; i++) {
		status = fsk_netns_enter(all.all[i].fd, all.all[i].name);
		if (!status)
			status = take(&all.all[i], data);
	}
	for (size_t i = 0; i < all.count; i++)
		close(all.all[i].fd);
	free(all.all);
	if (own >= 0 && setns(own, CLONE_NEWNET) && !status)
		status = FSK_EXIT_REFUSED;
	if (own >= 0)
		close(own);
	return status;
}
