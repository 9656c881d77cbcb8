// SPDX-License-Identifier: MIT
/* Changes which control groups the module has selected. */
#include "selected.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/fastsocket.h>

#include "array.h"
#include "error.h"

#define FSK_SELECTED_USER_INO	0xeffffffdu	/* PROC_USER_INIT_INO */

/**
 * struct fsk_selected_paths - paths of groups that belong to a service
 * @unit: its name, or that of a template, for all instances
 * @count: of @paths
 * @paths: each one to be freed
 */
struct fsk_selected_paths {
	const char *unit;
	size_t count;
	char **paths;
};

static struct nlmsghdr *fsk_selected_message(struct fsk_nl *nl, uint8_t cmd,
					     const char *path)
{
	struct nlmsghdr *msg = fsk_nl_message(nl, cmd);

	mnl_attr_put_strz(msg, FSK_A_CGROUP_PATH, path);
	return msg;
}

/**
 * fsk_selected_change() - select a control group, or no more
 * @nl: the socket
 * @cmd: %FSK_CMD_CGROUP_ADD or %FSK_CMD_CGROUP_DEL
 * @path: of the group, from the root of the hierarchy
 *
 * Return: exit status.
 */
int fsk_selected_change(struct fsk_nl *nl, uint8_t cmd, const char *path)
{
	return fsk_nl_do(nl, fsk_selected_message(nl, cmd, path), 0, NULL,
			 NULL);
}

/* Are we in a user namespace, where nobody may select groups? */
static bool fsk_selected_inside(void)
{
	struct stat user;

	return !stat("/proc/self/ns/user", &user) &&
	       user.st_ino != FSK_SELECTED_USER_INO;
}

/**
 * fsk_selected_set() - select a control group or not, whatever it is now
 * @nl: the socket
 * @path: of the group, from the root of the hierarchy
 * @selected: select it
 *
 * Where no group can be selected, @path is not: an older module has no such
 * command, and a user namespace no right to it.
 *
 * Return: exit status.
 */
int fsk_selected_set(struct fsk_nl *nl, const char *path, bool selected)
{
	int on[] = { EEXIST, 0 }, off[] = { ENOENT, EOPNOTSUPP, 0, 0 };
	uint8_t cmd = selected ? FSK_CMD_CGROUP_ADD : FSK_CMD_CGROUP_DEL;

	if (fsk_selected_inside())
		off[2] = EPERM;
	return fsk_nl_change(nl, fsk_selected_message(nl, cmd, path),
			     selected ? on : off);
}

static void fsk_selected_reset(struct fsk_selected_paths *all)
{
	while (all->count)
		free(all->paths[--all->count]);
	free(all->paths);
	all->paths = NULL;
}

/* Is the group at @path the service's? Of app@.service those are whose names
 * begin with "app@".
 */
static bool fsk_selected_is_of(const char *path, const char *unit)
{
	const char *name = strrchr(path, '/') + 1;
	const char *instance = strstr(unit, "@.");
	size_t begin, end;

	if (!instance)
		return !strcmp(name, unit);
	begin = instance + 1 - unit;
	end = strlen(instance + 1);
	return strlen(name) > begin + end && !strncmp(name, unit, begin) &&
	       !strcmp(name + strlen(name) - end, instance + 1);
}

static int fsk_selected_take(const struct nlmsghdr *msg,
			     const struct nlattr **attrs, void *data)
{
	struct fsk_selected_paths *all = data;
	const char *path;
	char **paths;

	if (!msg) {
		fsk_selected_reset(all);
		return 0;
	}
	if (!attrs[FSK_A_CGROUP_PATH])
		return 0;
	path = fsk_nl_str(attrs[FSK_A_CGROUP_PATH]);
	if (*path != '/' || !fsk_selected_is_of(path, all->unit))
		return 0;
	paths = fsk_array_grow(all->paths, all->count, sizeof(*paths));
	if (!paths)
		return fsk_no_memory();
	all->paths = paths;
	paths[all->count] = strdup(path);
	return paths[all->count++] ? 0 : fsk_no_memory();
}

/**
 * fsk_selected_forget() - select a service's control groups no more
 * @unit: name of the service, or of a template
 *
 * It need not run. Without the module there is nothing to do.
 *
 * Return: exit status.
 */
int fsk_selected_forget(const char *unit)
{
	struct fsk_selected_paths all = { .unit = unit };
	struct fsk_nl *nl;
	int status, one;
	bool away;

	nl = fsk_nl_try(&away);
	if (!nl)
		return away ? 0 : FSK_EXIT_REFUSED;
	status = fsk_nl_dump(nl, FSK_CMD_CGROUP_GET, FSK_A_CGROUP_MAX,
			     fsk_selected_take, &all);
	for (size_t i = 0; !status && i < all.count; i++) {
		one = fsk_selected_set(nl, all.paths[i], false);
		status = status ? status : one;
	}
	fsk_selected_reset(&all);
	fsk_nl_close(nl);
	return status;
}
