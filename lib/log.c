// SPDX-License-Identifier: MIT
/*
 * FASTSOCKET_LOG: explains the library's decisions on standard error.
 *
 * The program that never writes there must not notice. So nothing here is a
 * cancellation point, as send() and write() of the C library are, and a line
 * that can't be written is lost without a signal.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fsocket.h"

/* A set of signals as the kernel has it: one bit for each. */
#define FSK_LOG_SIGNAL(number)	(1UL << ((number) - 1))

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
 * fsk_log_error() - an error as text
 * @err: an errno
 * @text: %FSK_ERROR_SIZE bytes, for those that have no words here
 *
 * Not by strerror(), which translates: for that it may wait for a lock and
 * allocate memory.
 *
 * Context: Any.
 * Return: the text.
 */
const char *fsk_log_error(int err, char *text)
{
	switch (err) {
	case EACCES:
	case EPERM:
		return "not permitted";
	case EINVAL:
		return "the kernel takes it for invalid";
	case ENOBUFS:
	case ENOMEM:
		return "no memory";
	default:
		snprintf(text, FSK_ERROR_SIZE, "error %d", err);
		return text;
	}
}

/* Writing to a pipe that nobody reads, or to a file that may not grow, sends
 * the thread a signal, which is taken back here unless the program had one
 * pending. A terminal that is another job's stops a writer who does not block
 * SIGTTOU.
 */
static void fsk_log_write(const char *line, size_t size)
{
	unsigned long fails = FSK_LOG_SIGNAL(SIGPIPE) | FSK_LOG_SIGNAL(SIGXFSZ);
	unsigned long stops = fails | FSK_LOG_SIGNAL(SIGTTOU);
	unsigned long blocked = 0, pending = 0;
	struct timespec at_once = { 0 };

	if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, &stops, &blocked,
		    sizeof(stops)))
		return;
	if (blocked & fails)
		syscall(SYS_rt_sigpending, &pending, sizeof(pending));
	fails &= ~pending;
	if (syscall(SYS_write, STDERR_FILENO, line, size) < 0 &&
	    (errno == EPIPE || errno == EFBIG))
		syscall(SYS_rt_sigtimedwait, &fails, NULL, &at_once,
			sizeof(fails));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL,
		sizeof(blocked));
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
	/* Descriptor 2 may be a socket, on which write() would send SIGPIPE. */
	if (syscall(SYS_sendto, STDERR_FILENO, line, len, MSG_NOSIGNAL, NULL,
		    0) < 0 && errno == ENOTSOCK)
		fsk_log_write(line, len);
	errno = saved;
}
