// SPDX-License-Identifier: MIT
/*
 * fastsocket adopt, release: listeners of a running program join, or are left
 * to the kernel again. The tool borrows its descriptors; it stops and changes
 * nothing of the program.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/fastsocket.h>

#include "../lib/ports.h"
#include "base/cgroup.h"
#include "base/error.h"
#include "base/out.h"
#include "base/process.h"
#include "fastsocket.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/**
 * struct fsk_adopt - which listeners to look at, and what to do with them
 * @pidfd: the process
 * @ports: only listeners on these, if @some_ports is set
 * @some_ports: the command line has ports
 * @table: a row for each listener; %NULL for JSON
 * @act: does it to a descriptor, and says what has become of it
 * @found: listeners that were found
 * @refused: how many of them the kernel refused
 */
struct fsk_adopt {
	int pidfd;
	struct fsk_ports ports;
	bool some_ports;
	struct fsk_table *table;
	const char *(*act)(struct fsk_adopt *adopt, int fd);
	int found;
	int refused;
};

static int fsk_adopt_option(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -1 : value;
}

/* The port, host byte order, or 0 if this is no listener to adopt. */
static unsigned int fsk_adopt_port(struct fsk_adopt *adopt, int fd)
{
	struct sockaddr_in6 addr;	/* IPv4 has the port there, too */
	socklen_t len = sizeof(addr);
	int family = fsk_adopt_option(fd, SO_DOMAIN);
	unsigned int port;

	if ((family != AF_INET && family != AF_INET6) ||
	    fsk_adopt_option(fd, SO_PROTOCOL) != IPPROTO_TCP ||
	    fsk_adopt_option(fd, SO_ACCEPTCONN) != 1 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len))
		return 0;
	port = ntohs(addr.sin6_port);
	if (adopt->some_ports && !fsk_ports_has(&adopt->ports, port))
		return 0;
	return port;
}

static bool fsk_adopt_joined(int fd)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	return !getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &len) &&
	       !strncmp(name, FSK_ULP_NAME, sizeof(name));
}

static const char *fsk_adopt_join(struct fsk_adopt *adopt, int fd)
{
	uint32_t released = 0;

	if (fsk_adopt_joined(fd))
		return ioctl(fd, FSK_IOC_RELEASE, &released) > 0 ?
		       "joined again" : "had joined";
	if (!setsockopt(fd, IPPROTO_TCP, TCP_ULP, FSK_ULP_NAME,
			strlen(FSK_ULP_NAME)))
		return "joined";
	adopt->refused++;
	if (errno == ENOENT)
		return "refused: the kernel module is not loaded";
	if (errno == EEXIST)
		return "refused: it uses another ULP";
	return "refused: not a plain TCP socket, or no memory";
}

static const char *fsk_adopt_release(struct fsk_adopt *adopt, int fd)
{
	uint32_t released = 1;

	if (!fsk_adopt_joined(fd))
		return "had not joined";
	switch (ioctl(fd, FSK_IOC_RELEASE, &released)) {
	case 0:
		return "released";
	case 1:
		return "had been released";
	}
	adopt->refused++;
	return "refused: the module that is loaded is too old";
}

static void fsk_adopt_report(struct fsk_adopt *adopt, int number,
			     unsigned int port, const char *result)
{
	adopt->found++;
	if (adopt->table) {
		fsk_table_put(adopt->table, "fd %d", number);
		fsk_table_put(adopt->table, "port %u", port);
		fsk_table_put(adopt->table, "%s", result);
		return;
	}
	fsk_json_open(NULL, '{');
	fsk_json_uint("fd", number);
	fsk_json_uint("port", port);
	fsk_json_str("result", result);
	fsk_json_close('}');
}

static int fsk_adopt_fd(struct fsk_adopt *adopt, int number)
{
	int fd = syscall(SYS_pidfd_getfd, adopt->pidfd, number, 0);
	unsigned int port;

	/* The program may have closed it meanwhile. */
	if (fd < 0)
		return errno == EBADF ? 0 : -1;
	port = fsk_adopt_port(adopt, fd);
	if (port)
		fsk_adopt_report(adopt, number, port,
				 adopt->act(adopt, fd));
	close(fd);
	return 0;
}

static int fsk_adopt_all(struct fsk_adopt *adopt, const char *pid)
{
	struct dirent *entry;
	char path[64];
	DIR *folder;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	folder = opendir(path);
	if (!folder)
		return -1;
	while (!err) {
		entry = readdir(folder);
		if (!entry)
			break;
		if (*entry->d_name != '.')
			err = fsk_adopt_fd(adopt, atoi(entry->d_name));
	}
	closedir(folder);
	return err;
}

/* Returns 0 or an errno, which is ESRCH when the process has ended. */
static int fsk_adopt_open(struct fsk_adopt *adopt, const char *pid)
{
	int err = 0;

	adopt->pidfd = syscall(SYS_pidfd_open, atoi(pid), 0);
	if (adopt->pidfd < 0)
		return errno;
	if (fsk_adopt_all(adopt, pid))
		err = errno == ENOENT ? ESRCH : errno;
	close(adopt->pidfd);
	return err;
}

/* Returns exit status. */
static int fsk_adopt_status(const char *pid, int err)
{
	if (!err)
		return FSK_EXIT_DONE;
	fsk_error("process %s: %s", pid, strerror(err));
	return FSK_EXIT_REFUSED;
}

/* A service's processes come and go: one that has ended has no listener. */
static int fsk_adopt_member(const char *pid, void *data)
{
	int err = fsk_adopt_open(data, pid);

	return fsk_adopt_status(pid, err == ESRCH ? 0 : err);
}

/* A process, or all of a service. */
static int fsk_adopt_word(struct fsk_adopt *adopt, const char *word)
{
	char path[PATH_MAX];
	int status;

	if (!word[strspn(word, "0123456789")])
		return fsk_adopt_status(word, fsk_adopt_open(adopt, word));
	status = fsk_cgroup_path(word, path);
	return status ? status :
	       fsk_cgroup_each_process(path, fsk_adopt_member, adopt);
}

static int fsk_adopt_run(struct fsk_adopt *adopt, const char *word)
{
	int status;

	if (fsk_json)
		fsk_json_open(NULL, '[');
	else
		adopt->table = fsk_table_create(3);
	status = fsk_adopt_word(adopt, word);
	if (fsk_json)
		fsk_json_close(']');
	else
		fsk_table_print(adopt->table, "l");
	if (!status && !adopt->found)
		fsk_error("%s has no such TCP listener", word);
	return status || !adopt->found || adopt->refused ?
	       FSK_EXIT_REFUSED : FSK_EXIT_DONE;
}

static int fsk_adopt_command(int argc, char **argv, struct fsk_adopt *adopt)
{
	argc = fsk_words(argc, argv, 1, 65536, FSK_OPTIONS());
	if (argc < 0)
		return -1 - argc;
	if (!argv[1][strspn(argv[1], "0123456789")] &&
	    !fsk_process_pid(argv[1]))
		return fsk_usage("'%s' is no process number", argv[1]);
	for (int i = 2; i <= argc; i++) {
		if (fsk_ports_parse(&adopt->ports, argv[i]))
			return fsk_usage("'%s' is no port", argv[i]);
		adopt->some_ports = true;
	}
	return fsk_adopt_run(adopt, argv[1]);
}

/**
 * fsk_cmd_adopt() - fastsocket adopt PID|UNIT [PORT...]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_adopt(int argc, char **argv)
{
	static struct fsk_adopt adopt = { .act = fsk_adopt_join };

	return fsk_adopt_command(argc, argv, &adopt);
}

/**
 * fsk_cmd_release() - fastsocket release PID|UNIT [PORT...]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_release(int argc, char **argv)
{
	static struct fsk_adopt adopt = { .act = fsk_adopt_release };

	return fsk_adopt_command(argc, argv, &adopt);
}
