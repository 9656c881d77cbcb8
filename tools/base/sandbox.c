// SPDX-License-Identifier: MIT
/*
 * The sandbox of a service: what it needs so that the service loads the
 * library, and what stands against it. Nothing here changes anything.
 *
 * Harmless, and so not looked at: RestrictAddressFamilies=, as the library has
 * no sockets; MemoryDenyWriteExecute=, as it has no page that is both;
 * NoNewPrivileges=, DynamicUser= and ProtectSystem=, as it is only read;
 * AmbientCapabilities=, by which the loader takes no program for privileged.
 */
#include "sandbox.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "apparmor.h"
#include "attached.h"
#include "conf.h"
#include "dropin.h"
#include "elf.h"
#include "library.h"
#include "preload.h"
#include "service.h"
#include "unit_files.h"

#define FSK_SANDBOX_VALUE	16384	/* bytes of a property: system calls */

static void fsk_sandbox_refuse(struct fsk_dropin *dropin, const char *format,
			       ...) __attribute__((format(printf, 2, 3)));

/* The first reason is kept. */
static void fsk_sandbox_refuse(struct fsk_dropin *dropin, const char *format,
			       ...)
{
	va_list args;

	if (*dropin->why)
		return;
	va_start(args, format);
	vsnprintf(dropin->why, sizeof(dropin->why), format, args);
	va_end(args);
}

static void fsk_sandbox_line(struct fsk_dropin *dropin, const char *name,
			     const char *value)
{
	size_t len = strlen(dropin->extra);

	snprintf(dropin->extra + len, sizeof(dropin->extra) - len, "%s=%s\n",
		 name, value);
}

/* Once the library is gone, the line must not stop the service: it starts
 * without what a "-" precedes.
 */
static void fsk_sandbox_library(struct fsk_dropin *dropin, const char *name)
{
	char value[PATH_MAX];

	snprintf(value, sizeof(value), "-%.4094s", dropin->library);
	fsk_sandbox_line(dropin, name, value);
}

/* Is @path in the folder? Folders of lists may begin with "-" or "+", and end
 * with options.
 */
static size_t fsk_sandbox_inside(const char *path, const char *folder)
{
	size_t len;

	folder += strspn(folder, "-+");
	len = strcspn(folder, ":");
	while (len > 1 && folder[len - 1] == '/')
		len--;
	if (len == 1 && *folder == '/')
		return 1;
	return !strncmp(path, folder, len) &&
	       (path[len] == '/' || !path[len]) ? len : 0;
}

/**
 * struct fsk_sandbox_depth - how deep a list of folders has a path
 * @path: the path
 * @depth: bytes of the deepest folder, or 0
 */
struct fsk_sandbox_depth {
	const char *path;
	size_t depth;
};

static bool fsk_sandbox_deepest(const char *word, void *data)
{
	struct fsk_sandbox_depth *depth = data;
	size_t len = fsk_sandbox_inside(depth->path, word);

	if (len > depth->depth)
		depth->depth = len;
	return false;
}

/* How deep a property has the library. */
static size_t fsk_sandbox_depth(const struct fsk_dropin *dropin,
				const struct fsk_service *unit,
				const char *property)
{
	struct fsk_sandbox_depth depth = { .path = dropin->library };
	char value[FSK_SANDBOX_VALUE];

	fsk_service_get(unit, property, value, sizeof(value));
	fsk_service_each(value, " ", fsk_sandbox_deepest, &depth);
	return depth.depth;
}

/* Can the service see the library, and may it map it? */
static void fsk_sandbox_check_folders(struct fsk_dropin *dropin,
				      const struct fsk_service *unit)
{
	const char *library = dropin->library;
	char root[PATH_MAX];

	if (!fsk_service_is(unit, "RootImage", ""))
		fsk_sandbox_refuse(dropin,
				   "its files are an image, RootImage=: %s",
				   "put the library and LD_PRELOAD in there");
	fsk_service_get(unit, "RootDirectory", root, sizeof(root));
	if ((*root && strcmp(root, "/")) ||
	    fsk_sandbox_depth(dropin, unit, "TemporaryFileSystem"))
		fsk_sandbox_library(dropin, "BindReadOnlyPaths");
	if (fsk_sandbox_depth(dropin, unit, "InaccessiblePaths"))
		fsk_sandbox_refuse(dropin, "InaccessiblePaths= hides %s",
				   library);
	/* Not only where ExecPaths= is less deep: that may be our own. */
	if (fsk_sandbox_depth(dropin, unit, "NoExecPaths"))
		fsk_sandbox_library(dropin, "ExecPaths");
	if ((fsk_service_is(unit, "ProtectHome", "yes") ||
	     fsk_service_is(unit, "ProtectHome", "tmpfs")) &&
	    (fsk_sandbox_inside(library, "/home") ||
	     fsk_sandbox_inside(library, "/root") ||
	     fsk_sandbox_inside(library, "/run/user")))
		fsk_sandbox_refuse(dropin, "ProtectHome= hides %s", library);
	if (fsk_service_is(unit, "PrivateTmp", "yes") &&
	    (fsk_sandbox_inside(library, "/tmp") ||
	     fsk_sandbox_inside(library, "/var/tmp")))
		fsk_sandbox_refuse(dropin, "PrivateTmp= hides %s", library);
}

/* Does the service run as another user than root? Then files need bits. */
static bool fsk_sandbox_other_user(const struct fsk_service *unit)
{
	return unit->user || fsk_service_is(unit, "DynamicUser", "yes") ||
	       !(fsk_service_is(unit, "User", "") ||
		 fsk_service_is(unit, "User", "root") ||
		 fsk_service_is(unit, "User", "0"));
}

/* The library must be there for all users, as are the folders above it. */
static void fsk_sandbox_check_user(struct fsk_dropin *dropin,
				   const struct fsk_service *unit)
{
	char path[PATH_MAX], *end;
	struct stat file;

	if (!fsk_sandbox_other_user(unit) || unit->user)
		return;
	snprintf(path, sizeof(path), "%s", dropin->library);
	if (!stat(path, &file) && !(file.st_mode & 0004))
		fsk_sandbox_refuse(dropin, "its user may not read %s", path);
	while ((end = strrchr(path, '/')) && end > path) {
		*end = '\0';
		if (!stat(path, &file) && !(file.st_mode & 0001))
			fsk_sandbox_refuse(dropin, "its user may not enter %s",
					   path);
	}
}

/**
 * struct fsk_sandbox_filter - what the service's own files say of system calls
 * @any: there is a filter
 * @deny: it began as a list of calls that may not pass
 * @later: it began in a drop-in that goes after ours
 * @erased: such a drop-in takes away what is before it
 */
struct fsk_sandbox_filter {
	bool any;
	bool deny;
	bool later;
	bool erased;
};

static void fsk_sandbox_filter(char *value, bool later, void *data)
{
	struct fsk_sandbox_filter *filter = data;

	if (!*value) {
		filter->any = false;
		filter->erased |= later;
	} else if (!filter->any) {
		filter->any = true;
		filter->deny = *value == '~';
		filter->later = later;
	}
}

/* Let all our system calls pass where a filter is: the manager can't say which
 * of them pass only by our own line. One line does it for each kind of list:
 * systemd adds to those that may, and takes out of those that may not. With no
 * list before it, it would be a list of its own, and the end of the service.
 */
static void fsk_sandbox_check_calls(struct fsk_dropin *dropin,
				    const struct fsk_service *unit)
{
	struct fsk_sandbox_filter filter = { 0 };
	char need[sizeof(dropin->need)];

	fsk_unit_files_each(unit, "SystemCallFilter", fsk_sandbox_filter,
			    &filter);
	if (!filter.any || filter.erased || (filter.later && filter.deny))
		return;
	snprintf(need, sizeof(need), "%s", dropin->need);
	need[strlen(need) - 1] = '\0';
	fsk_sandbox_line(dropin, "SystemCallFilter", need);
}

/* Who changes the environment after us? */
static void fsk_sandbox_check_environment(struct fsk_dropin *dropin,
					  const struct fsk_service *unit)
{
	char value[FSK_SANDBOX_VALUE];
	const char *after = NULL;

	fsk_service_get(unit, "UnsetEnvironment", value, sizeof(value));
	if (fsk_preload_among(value))
		fsk_sandbox_refuse(dropin, "UnsetEnvironment= takes it away");
	while ((after = fsk_service_next(unit, "EnvironmentFiles", after, value,
					 sizeof(value)))) {
		value[strcspn(value, " ")] = '\0';
		if (fsk_preload_in_file(value))
			fsk_sandbox_refuse(dropin,
					   "%s sets LD_PRELOAD and goes before "
					   "a drop-in: add %s there", value,
					   dropin->library);
	}
}

/* The loader ignores LD_PRELOAD where the file gives rights to its user. */
static void fsk_sandbox_check_rights(struct fsk_dropin *dropin,
				     const struct fsk_service *unit,
				     const char *path)
{
	bool other = fsk_sandbox_other_user(unit);
	struct stat file;

	if (stat(path, &file)) {
		fsk_sandbox_refuse(dropin, "there is no program %s", path);
		return;
	}
	if ((file.st_mode & S_ISUID && (other || file.st_uid)) ||
	    (file.st_mode & S_ISGID && (other || file.st_gid)))
		fsk_sandbox_refuse(dropin,
				   "%s is set-user-ID or set-group-ID, and %s",
				   path, "the loader ignores LD_PRELOAD");
	if (other && getxattr(path, "security.capability", NULL, 0) > 0)
		fsk_sandbox_refuse(dropin,
				   "%s has file capabilities, and %s: %s", path,
				   "the loader ignores LD_PRELOAD",
				   "give them by AmbientCapabilities= instead");
}

/* Does the kernel enforce an AppArmor profile on this program? A profile that
 * has a local part gets a line there. Its file has the profile's name, or that
 * of the program. The kernel knows the program without links.
 */
static void fsk_sandbox_check_apparmor(struct fsk_dropin *dropin,
				       const struct fsk_service *unit,
				       const char *root, const char *path)
{
	char name[FSK_ATTACHED_NAME], real[PATH_MAX];
	struct fsk_attached attached = { .path = path };

	if (!*root && realpath(path, real))
		attached.path = real;
	fsk_service_get(unit, "AppArmorProfile", name, sizeof(name));
	attached.wanted = name + strspn(name, "-");
	fsk_attached_find(&attached);
	if (!attached.enforced)
		return;
	if (attached.count > 1)
		fsk_sandbox_refuse(dropin,
				   "%u AppArmor profiles match %s, %s: %s",
				   attached.count, attached.path,
				   "one is enforced",
				   "name one by AppArmorProfile=");
	if (attached.doubt)
		fsk_sandbox_refuse(dropin,
				   "the AppArmor profile '%s' %s %s: %s",
				   attached.name, "may be attached to",
				   attached.path,
				   "name one by AppArmorProfile=");
	fsk_apparmor_find(attached.name, attached.path, dropin->profile,
			  sizeof(dropin->profile));
}

/* Why does the loader not load the library? NULL when it does. A file that is
 * not ELF is a script, and its interpreter an ordinary program.
 */
static const char *fsk_sandbox_no_loader(const char *path)
{
	struct fsk_elf elf;

	if (fsk_elf_read(path, &elf))
		return NULL;
	if (!*elf.interp)
		return "it is statically linked, and loads no library";
	if (elf.bits != 8 * (int)sizeof(void *))
		return "it is a 32-bit program, and the library has 64";
	return NULL;
}

static void fsk_sandbox_check_program(struct fsk_dropin *dropin,
				      const struct fsk_service *unit,
				      const char *root, const char *path)
{
	char file[2 * PATH_MAX];
	const char *why;

	snprintf(file, sizeof(file), "%s%s", root, path);
	fsk_sandbox_check_rights(dropin, unit, file);
	why = fsk_sandbox_no_loader(file);
	if (why)
		fsk_sandbox_refuse(dropin, "%s: %s", path, why);
	fsk_sandbox_check_apparmor(dropin, unit, root, path);
}

/* Where systemd finds a program without a slash; without one it stays so. */
static void fsk_sandbox_search(const char *root, const char *name, char *path)
{
	static const char * const folders[] = {
		"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin",
		"/sbin", "/bin",
	};
	char file[2 * PATH_MAX];

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, PATH_MAX, "%s/%.255s", folders[i], name);
		snprintf(file, sizeof(file), "%s%s", root, path);
		if (!access(file, X_OK))
			return;
	}
	snprintf(path, PATH_MAX, "%.255s", name);
}

static void fsk_sandbox_check_programs(struct fsk_dropin *dropin,
				       const struct fsk_service *unit)
{
	char value[FSK_SANDBOX_VALUE], root[PATH_MAX], path[PATH_MAX];
	static const char begin[] = "{ path=";
	const char *after = NULL;
	char *name = value + strlen(begin), *end;

	fsk_service_get(unit, "RootDirectory", root, sizeof(root));
	if (!strcmp(root, "/"))
		*root = '\0';
	while ((after = fsk_service_next(unit, "ExecStart", after, value,
					 sizeof(value)))) {
		/* A path may have blanks and semicolons. */
		end = strstr(value, " ; argv[]=");
		if (strncmp(value, begin, strlen(begin)) || !end)
			continue;
		*end = '\0';
		if (strchr(name, '/'))
			snprintf(path, sizeof(path), "%.4095s", name);
		else
			fsk_sandbox_search(root, name, path);
		fsk_sandbox_check_program(dropin, unit, root, path);
	}
}

/* Root's tool selects the control group, outside of the service's sandbox. */
static void fsk_sandbox_check_cgroup(struct fsk_dropin *dropin,
				     const struct fsk_service *unit)
{
	if (unit->user)
		fsk_sandbox_refuse(dropin,
				   "only root selects control groups");
	if (strpbrk(dropin->cgroup, " \"\\%$"))
		fsk_sandbox_refuse(dropin, "the path %s cannot be in a unit",
				   dropin->cgroup);
}

/**
 * fsk_sandbox_needs() - which system calls will the library make?
 * @dropin: its needs are filled in
 * @section: the options of the service
 */
void fsk_sandbox_needs(struct fsk_dropin *dropin,
		       const struct fsk_conf_section *section)
{
	bool on[FSK_CONF_OPTIONS];

	for (int i = 0; i < FSK_CONF_OPTIONS; i++)
		on[i] = section->option[i].word &&
			!strcmp(section->option[i].word, "on");
	snprintf(dropin->need, sizeof(dropin->need), "%s%s%s%s",
		 "getsockname getsockopt setsockopt ",
		 on[FSK_CONF_CONNECT] || on[FSK_CONF_PIN] ? "rt_sigprocmask " :
		 "", on[FSK_CONF_ACCEPT] || on[FSK_CONF_PIN] ? "ioctl " : "",
		 on[FSK_CONF_PIN] ? "sched_getaffinity sched_setaffinity " :
		 "");
}

/**
 * fsk_sandbox_check() - what does a service need, and what stands against it?
 * @dropin: with library and needs; the rest is filled in
 * @unit: the service
 */
void fsk_sandbox_check(struct fsk_dropin *dropin,
		       const struct fsk_service *unit)
{
	const char *why;

	*dropin->extra = '\0';
	*dropin->why = '\0';
	*dropin->profile = '\0';
	if (fsk_service_is(unit, "LoadState", "masked"))
		fsk_sandbox_refuse(dropin, "it is masked");
	else if (!fsk_service_is(unit, "LoadState", "loaded"))
		fsk_sandbox_refuse(dropin, "there is no such service");
	if (fsk_service_is(unit, "Transient", "yes"))
		fsk_sandbox_refuse(dropin,
				   "it is transient: give '%s' -E %s%s",
				   "systemd-run", "LD_PRELOAD=",
				   dropin->library);
	if (dropin->cgroup) {
		fsk_sandbox_check_cgroup(dropin, unit);
		return;
	}
	if (strpbrk(dropin->library, " :\"\\%$"))
		fsk_sandbox_refuse(dropin, "the path %s cannot be preloaded",
				   dropin->library);
	why = fsk_library_refusal(dropin->library);
	if (why)
		fsk_sandbox_refuse(dropin, "%s", why);
	if (*dropin->why)
		return;
	fsk_sandbox_check_programs(dropin, unit);
	fsk_sandbox_check_user(dropin, unit);
	fsk_sandbox_check_folders(dropin, unit);
	fsk_sandbox_check_environment(dropin, unit);
	fsk_sandbox_check_calls(dropin, unit);
}

/* Is the system call in the list? Words may end with what an error returns. */
static bool fsk_sandbox_listed(const char *list, const char *call)
{
	size_t len = strlen(call);

	for (; *list; list += strcspn(list, " "), list += strspn(list, " "))
		if (!strncmp(list, call, len) && strchr(" :", list[len]))
			return true;
	return false;
}

/* A call of the library that the filter stops; %NULL when there is none. */
static const char *fsk_sandbox_stopped(char *need, const char *filter)
{
	bool deny = *filter == '~';
	char *rest, *call;

	if (!*filter)
		return NULL;
	for (call = strtok_r(need, " ", &rest); call;
	     call = strtok_r(NULL, " ", &rest))
		if (fsk_sandbox_listed(filter + deny, call) == deny)
			return call;
	return NULL;
}

/**
 * fsk_sandbox_verify() - does the manager make of it what was meant?
 * @dropin: with library and needs; the reason is filled in
 * @unit: the service, read after the manager has read the drop-in
 *
 * Another drop-in may go after ours.
 */
void fsk_sandbox_verify(struct fsk_dropin *dropin,
			const struct fsk_service *unit)
{
	char value[FSK_SANDBOX_VALUE], need[sizeof(dropin->need)];
	const char *call;

	*dropin->why = '\0';
	if (dropin->cgroup)
		return;
	fsk_service_get(unit, "Environment", value, sizeof(value));
	if (!fsk_preload_has(value, dropin->library))
		fsk_sandbox_refuse(dropin, "sets LD_PRELOAD without %s: %s",
				   dropin->library, "add it there");
	fsk_service_get(unit, "SystemCallFilter", value, sizeof(value));
	snprintf(need, sizeof(need), "%s", dropin->need);
	call = fsk_sandbox_stopped(need, value);
	if (call)
		fsk_sandbox_refuse(dropin, "has SystemCallFilter= without %s%s",
				   call, ": let it pass there");
}
