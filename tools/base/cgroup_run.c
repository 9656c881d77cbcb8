// SPDX-License-Identifier: MIT
/*
 * A control group for one program: this process moves into it, and the program
 * that it becomes is in it from its first instruction on. The group is
 * selected, so that listeners join.
 *
 * The program keeps this process's number, and nobody who started it waits for
 * somebody else. So a process of its own, the keeper, stays outside of the
 * group, and removes it when its last process has ended.
 */
#include "cgroup_run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/fastsocket.h>

#include "cgroup.h"
#include "error.h"
#include "nl.h"
#include "selected.h"

/* The group's name, made unique by mkdtemp(). */
#define FSK_CGROUP_RUN_NAME	"fastsocket-run.XXXXXX"
/* Its folder's length, and with a file in it. */
#define FSK_CGROUP_RUN_FOLDER \
	(sizeof(FSK_CGROUP_MOUNT "/" FSK_CGROUP_RUN_NAME) + PATH_MAX)
#define FSK_CGROUP_RUN_FILE \
	(FSK_CGROUP_RUN_FOLDER + sizeof("/cgroup.events"))

/* Why there is no such group; what is returned to the caller. */
static char fsk_cgroup_run_reason[FSK_CGROUP_RUN_FILE + 256];

static const char *fsk_cgroup_run_failed(const char *what, const char *path)
{
	snprintf(fsk_cgroup_run_reason, sizeof(fsk_cgroup_run_reason),
		 "%s %s: %s", what, path, strerror(errno));
	return fsk_cgroup_run_reason;
}

/* Select a group, or no more. What is wrong goes where errors go. */
static int fsk_cgroup_run_select(uint8_t cmd, const char *group)
{
	struct fsk_nl *nl = fsk_nl_open();
	int status;

	if (!nl)
		return FSK_EXIT_REFUSED;
	status = fsk_selected_change(nl, cmd, group);
	fsk_nl_close(nl);
	return status;
}

/* Has the group, whose cgroup.events that is, no process? */
static bool fsk_cgroup_run_empty(int events)
{
	char text[256];
	ssize_t len = pread(events, text, sizeof(text) - 1, 0);

	/* Somebody else may have removed the group. */
	if (len <= 0)
		return true;
	text[len] = '\0';
	return strstr(text, "populated 0");
}

/* The kernel wakes who polls cgroup.events, as it changes. */
static void fsk_cgroup_run_wait(int events)
{
	struct pollfd wait = { .fd = events, .events = POLLPRI };

	while (!fsk_cgroup_run_empty(events))
		poll(&wait, 1, -1);
}

/* The keeper's files, after the first three. */
enum {
	FSK_KEEPER_EVENTS = STDERR_FILENO + 1,
	FSK_KEEPER_BEGUN,
	FSK_KEEPER_FILES,
};

/* The keeper's life. Nothing of its starter's stays open, or a reader of its
 * output would wait for the keeper; but @begun, which ends when the program has
 * been started.
 */
static void fsk_cgroup_run_keep(const char *group, const char *folder,
				int events, int begun)
{
	char line[128];
	int null;

	/* Out of the way of what they become: the starter may have none of the
	 * first three.
	 */
	events = fcntl(events, F_DUPFD_CLOEXEC, FSK_KEEPER_FILES);
	begun = fcntl(begun, F_DUPFD_CLOEXEC, FSK_KEEPER_FILES);
	null = open("/dev/null", O_RDWR);
	if (events < 0 || begun < 0 || null < 0)
		_exit(1);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	events = dup2(events, FSK_KEEPER_EVENTS);
	begun = dup2(begun, FSK_KEEPER_BEGUN);
	close_range(FSK_KEEPER_FILES, ~0U, 0);
	/* Whoever ends all of a service or of a session means the program. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_NAME, "fastsocket-run");
	if (chdir("/"))
		_exit(1);
	while (read(begun, line, 1) < 0 && errno == EINTR)
		;
	fsk_cgroup_run_wait(events);
	fsk_error_keep(line, sizeof(line));
	fsk_cgroup_run_select(FSK_CMD_CGROUP_DEL, group);
	rmdir(folder);
	_exit(0);
}

/* Start the keeper, as nobody's child: the program may wait for all of its own.
 * The pipe's other end closes by itself when the program starts, or this
 * process ends.
 */
static int fsk_cgroup_run_start(const char *group, const char *folder,
				int events)
{
	int begun[2], status = 1;
	sighandler_t before;
	pid_t pid, ended;

	if (pipe2(begun, O_CLOEXEC))
		return -1;
	before = signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (!pid) {
		close(begun[1]);
		setsid();
		pid = fork();
		if (pid)
			_exit(pid < 0);
		fsk_cgroup_run_keep(group, folder, events, begun[0]);
	}
	close(begun[0]);
	do {
		ended = pid < 0 ? -1 : waitpid(pid, &status, 0);
	} while (ended < 0 && pid > 0 && errno == EINTR);
	signal(SIGCHLD, before);
	if (ended == pid && !status)
		return 0;
	close(begun[1]);
	if (ended == pid)
		errno = EAGAIN;
	return -1;
}

static int fsk_cgroup_run_move(const char *folder)
{
	char name[FSK_CGROUP_RUN_FILE];
	int fd, err;

	snprintf(name, sizeof(name), "%s/cgroup.procs", folder);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	err = write(fd, "0", 1) < 0 ? -1 : 0;
	close(fd);
	return err;
}

/* It is there, and empty. */
static const char *fsk_cgroup_run_use(const char *group, const char *folder)
{
	char name[FSK_CGROUP_RUN_FILE];
	int events, err;

	snprintf(name, sizeof(name), "%s/cgroup.events", folder);
	events = open(name, O_RDONLY | O_CLOEXEC);
	if (events < 0)
		return fsk_cgroup_run_failed("cannot read", name);
	fsk_error_keep(fsk_cgroup_run_reason, sizeof(fsk_cgroup_run_reason));
	if (fsk_cgroup_run_select(FSK_CMD_CGROUP_ADD, group)) {
		fsk_error_keep(NULL, 0);
		close(events);
		return fsk_cgroup_run_reason;
	}
	fsk_error_keep(NULL, 0);
	err = fsk_cgroup_run_start(group, folder, events);
	close(events);
	if (err) {
		fsk_cgroup_run_failed("cannot watch", folder);
		fsk_cgroup_run_select(FSK_CMD_CGROUP_DEL, group);
		return fsk_cgroup_run_reason;
	}
	/* If not, the keeper finds nobody there, and ends. */
	return fsk_cgroup_run_move(folder) ?
	       fsk_cgroup_run_failed("cannot move into", folder) : NULL;
}

/* The module knows groups by the names that they have in the first namespace,
 * whose number is constant in the kernel.
 */
static bool fsk_cgroup_run_sees_root(void)
{
	char name[64];
	ssize_t len = readlink("/proc/self/ns/cgroup", name, sizeof(name) - 1);

	name[len > 0 ? len : 0] = '\0';
	return !strcmp(name, "cgroup:[4026531835]");
}

/**
 * fsk_cgroup_run_enter() - move into a new control group that is selected
 *
 * The group lies below the one that this process is in, so that what limits
 * that one holds for the program, too.
 *
 * Return: why it can't be done, or %NULL.
 */
const char *fsk_cgroup_run_enter(void)
{
	char folder[FSK_CGROUP_RUN_FOLDER], path[PATH_MAX];
	const char *reason;
	int status;

	if (getpid() == 1)
		return "as process 1 it would have to wait for who watches "
		       "its control group: select that from outside, by "
		       "'cgroup add'";
	if (!fsk_cgroup_run_sees_root())
		return "it is in a cgroup namespace, where groups have other "
		       "names: select its group from outside, by 'cgroup add'";
	fsk_error_keep(fsk_cgroup_run_reason, sizeof(fsk_cgroup_run_reason));
	status = fsk_cgroup_path("self", path);
	fsk_error_keep(NULL, 0);
	if (status)
		return fsk_cgroup_run_reason;
	snprintf(folder, sizeof(folder), FSK_CGROUP_MOUNT "%s/"
		 FSK_CGROUP_RUN_NAME, strcmp(path, "/") ? path : "");
	/* For others, too, as all control groups are. */
	if (!mkdtemp(folder))
		return fsk_cgroup_run_failed("cannot make the control group",
					     folder);
	if (chmod(folder, 0755)) {
		reason = fsk_cgroup_run_failed("cannot change", folder);
		rmdir(folder);
		return reason;
	}
	reason = fsk_cgroup_run_use(folder + strlen(FSK_CGROUP_MOUNT), folder);
	if (reason)
		rmdir(folder);
	return reason;
}
