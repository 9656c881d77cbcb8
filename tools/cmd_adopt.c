// SPDX-License-Identifier: MIT
/*
 * fastsocket adopt: listeners of a running program join. The tool borrows its
 * descriptors; it stops and changes nothing of the program.
 */
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/fastsocket.h>

#include "../lib/ports.h"
#include "base/error.h"
#include "base/out.h"
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
 * struct fsk_adopt - which listeners to adopt, and how many were
 * @pidfd: the process
 * @ports: adopt only listeners on these, if @some_ports is set
 * @some_ports: the command line has ports
 * @table: a row for each listener; %NULL for JSON
 * @found: listeners that were found
 * @refused: how many of them the kernel refused
 */
struct fsk_adopt {
	int pidfd;
	struct fsk_ports ports;
	bool some_ports;
	struct fsk_table *table;
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
	if (fsk_adopt_joined(fd))
		return "had joined";
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
				 fsk_adopt_join(adopt, fd));
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

static int fsk_adopt_process(struct fsk_adopt *adopt, const char *pid)
{
	int err = 0;

	if (fsk_json)
		fsk_json_open(NULL, '[');
	else
		adopt->table = fsk_table_create(3);
	adopt->pidfd = syscall(SYS_pidfd_open, atoi(pid), 0);
	if (adopt->pidfd < 0 || fsk_adopt_all(adopt, pid))
		err = errno;
	if (fsk_json)
		fsk_json_close(']');
	else
		fsk_table_print(adopt->table, "l");
	if (!err && !adopt->found)
		fsk_error("adopt: no such TCP listener in process %s", pid);
	if (err)
		fsk_error("adopt: process %s: %s", pid, strerror(err));
	close(adopt->pidfd);
	return err || !adopt->found || adopt->refused ?
	       FSK_EXIT_REFUSED : FSK_EXIT_DONE;
}

/**
 * fsk_cmd_adopt() - fastsocket adopt PID [PORT...]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_adopt(int argc, char **argv)
{
	static struct fsk_adopt adopt;

	argc = fsk_words(argc, argv, 1, 65536, FSK_OPTIONS());
	if (argc < 0)
		return -1 - argc;
	if (argv[1][strspn(argv[1], "0123456789")] || atoi(argv[1]) <= 0)
		return fsk_usage("adopt: '%s' is no process number", argv[1]);
	for (int i = 2; i <= argc; i++) {
		if (fsk_ports_parse(&adopt.ports, argv[i]))
			return fsk_usage("adopt: '%s' is no port", argv[i]);
		adopt.some_ports = true;
	}
	return fsk_adopt_process(&adopt, argv[1]);
}
