// SPDX-License-Identifier: MIT
/*
 * FASTSOCKET_LOG: explains the library's decisions on standard error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fsocket.h"

/**
 * fsk_name() - an address and port as text
 * @addr: an IPv4 or IPv6 address
 * @name: %FSK_NAME_SIZE bytes, filled in
 *
 * Context: Any.
 */
void fsk_name(const struct sockaddr *addr, char *name)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	bool ipv6 = addr->sa_family == AF_INET6;
	char host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(addr->sa_family, ipv6 ? (const void *)&in6->sin6_addr :
		  (const void *)&in->sin_addr, host, sizeof(host));
	snprintf(name, FSK_NAME_SIZE, ipv6 ? "[%s]:%u" : "%s:%u", host,
		 ntohs(ipv6 ? in6->sin6_port : in->sin_port));
}

/**
 * __fsk_log() - explain a decision on standard error
 * @format: as for printf(), without the end of the line
 *
 * Each line is written by one call, so that lines of several processes do not
 * mix.
 *
 * Context: Keeps errno.
 */
void __fsk_log(const char *format, ...)
{
	int len, more, saved = errno;
	char line[256];
	va_list args;

	len = snprintf(line, sizeof(line), "fastsocket[%d/%ld]: ", getpid(),
		       syscall(SYS_gettid));
	va_start(args, format);
	more = vsnprintf(line + len, sizeof(line) - len, format, args);
	va_end(args);
	if (more > 0)
		len += more;
	if (len > (int)sizeof(line) - 1)
		len = sizeof(line) - 1;
	line[len++] = '\n';
	/* Descriptor 2 may be a socket. If it was never connected, or the peer
	 * is gone, write() would end the program by SIGPIPE.
	 */
	if (send(STDERR_FILENO, line, len, MSG_NOSIGNAL) < 0 &&
	    errno == ENOTSOCK)
		more = write(STDERR_FILENO, line, len);
	(void)more;
	errno = saved;
}
