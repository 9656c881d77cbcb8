// SPDX-License-Identifier: MIT
/*
 * Decides whether a listener joins, and lets it join.
 *
 * In doubt, and after any error, the listener stays as it is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/fastsocket.h>

#include "fsocket.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif
#ifndef TCP_ULP_NAME_MAX
#define TCP_ULP_NAME_MAX 16
#endif

union fsk_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage any;
};

static int fsk_join_option(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -1 : value;
}

/* Multipath TCP, which has a protocol number of its own, does not join. */
static bool fsk_join_is_tcp(int fd)
{
	int family = fsk_join_option(fd, SO_DOMAIN);

	return (family == AF_INET || family == AF_INET6) &&
	       fsk_join_option(fd, SO_TYPE) == SOCK_STREAM &&
	       fsk_join_option(fd, SO_PROTOCOL) == IPPROTO_TCP;
}

static unsigned int fsk_join_port(const union fsk_addr *addr)
{
	return ntohs(addr->sa.sa_family == AF_INET6 ? addr->in6.sin6_port :
						      addr->in.sin_port);
}

static const char *fsk_join_reason(int err, char *text)
{
	switch (err) {
	case ENOENT:
		return "the kernel module is not loaded";
	case EEXIST:
		return "it has joined before, or uses another ULP";
	case EOPNOTSUPP:
		return "not a plain TCP socket, or in a SOCKMAP";
	default:
		return fsk_log_error(err, text);
	}
}

/**
 * fsk_join() - let a listener join, if it may
 * @fd: a socket of any kind, on which listen() succeeded
 *
 * Context: Keeps errno.
 */
void fsk_join(int fd)
{
	union fsk_addr addr = { 0 };
	socklen_t len = sizeof(addr);
	char text[FSK_ERROR_SIZE];
	char name[FSK_NAME_SIZE];
	int saved = errno;

	if (!fsk_config_get()->listen)
		return;
	if (!fsk_join_is_tcp(fd)) {
		fsk_log("fd %d: left alone: not a TCP socket", fd);
		goto out;
	}
	if (getsockname(fd, &addr.sa, &len)) {
		fsk_log("fd %d: left alone: it has no address", fd);
		goto out;
	}
	fsk_name(&addr.sa, name);
	if (!fsk_config_get()->all_ports &&
	    !fsk_ports_has(&fsk_config_get()->ports, fsk_join_port(&addr)))
		fsk_log("%s: left alone: port is not in FASTSOCKET_PORTS",
			name);
	else if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, FSK_ULP_NAME,
			    strlen(FSK_ULP_NAME)))
		fsk_log("%s: left alone: %s", name,
			fsk_join_reason(errno, text));
	else
		fsk_log("%s: joined", name);
out:
	errno = saved;
}

/**
 * fsk_join_check() - is this a listener that has joined?
 * @fd: a descriptor of any kind
 *
 * Context: Changes errno.
 * Return: whether it is. It may have joined by this library, by the program
 *         itself, or in another process.
 */
bool fsk_join_check(int fd)
{
	char name[TCP_ULP_NAME_MAX] = "";
	socklen_t len = sizeof(name);
	int listens = 0;

	if (getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &len) ||
	    strncmp(name, FSK_ULP_NAME, sizeof(name)))
		return false;
	len = sizeof(listens);
	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) &&
	       listens;
}
