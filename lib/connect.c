// SPDX-License-Identifier: MIT
/*
 * Whether a socket that is about to connect joins, and its joining: the kernel
 * then chooses the source port by core, and lets the socket go.
 *
 * Any doubt and any error leave it as it is. There are two system calls, one to
 * read the address and one to join, and none while there is nobody to hear it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/fastsocket.h>

#include "fsocket.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

/* How long nothing is tried after the kernel knew no such option: at first,
 * and after some times. A privileged caller makes the kernel look for the
 * module each time, by a program that it starts.
 */
#define FSK_CONNECT_WAIT_MIN_S	1
#define FSK_CONNECT_WAIT_MAX_S	32

/* When to try again, in seconds of CLOCK_MONOTONIC, and how long the last pause
 * was; 0 when all is well. Threads that race over them try twice at worst.
 */
static atomic_uint fsk_connect_next;
static atomic_uint fsk_connect_pause_s;

/* No system call: the kernel's page for it is read. */
static unsigned int fsk_connect_now(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

static bool fsk_connect_pauses(void)
{
	return atomic_load_explicit(&fsk_connect_pause_s,
				    memory_order_relaxed) &&
	       (int)(fsk_connect_now() -
		     atomic_load_explicit(&fsk_connect_next,
					  memory_order_relaxed)) < 0;
}

static void fsk_connect_pause(void)
{
	unsigned int wait = 2 * atomic_load_explicit(&fsk_connect_pause_s,
						     memory_order_relaxed);

	if (wait < FSK_CONNECT_WAIT_MIN_S)
		wait = FSK_CONNECT_WAIT_MIN_S;
	if (wait > FSK_CONNECT_WAIT_MAX_S)
		wait = FSK_CONNECT_WAIT_MAX_S;
	/* The clock ticks in whole seconds: one more, or it may be none. */
	atomic_store_explicit(&fsk_connect_next, fsk_connect_now() + wait + 1,
			      memory_order_relaxed);
	atomic_store_explicit(&fsk_connect_pause_s, wait, memory_order_relaxed);
}

/* What will be the same for the next socket, until an administrator acts. */
static bool fsk_connect_hopeless(int err)
{
	return err == ENOENT || err == EPERM || err == EACCES;
}

static const char *fsk_connect_reason(int err)
{
	switch (err) {
	case ENOENT:
		return "the kernel module is not loaded, or is an older one";
	case EEXIST:
		return "it uses another ULP";
	case ENOPROTOOPT:
	case EOPNOTSUPP:
		return "not a plain TCP socket";
	case EALREADY:
	case EISCONN:
		return "it has begun to connect";
	default:
		return strerror(err);
	}
}

static void fsk_connect_set(int fd, const char *name)
{
	/* 1 when it has joined: FSK_RFD_JOINED. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, FSK_ULP_RFD_NAME,
		       strlen(FSK_ULP_RFD_NAME)) >= 0) {
		atomic_store_explicit(&fsk_connect_pause_s, 0,
				      memory_order_relaxed);
		fsk_log("fd %d to %s: source port by core", fd, name);
		return;
	}
	if (fsk_connect_hopeless(errno))
		fsk_connect_pause();
	fsk_log("fd %d to %s: left alone: %s", fd, name,
		fsk_connect_reason(errno));
}

union fsk_connect_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* The port, host byte order, or -1 for what is no internet address. The kernel
 * complains about those that are too short.
 */
static int fsk_connect_port(const struct sockaddr *addr, socklen_t len,
			    union fsk_connect_addr *copy)
{
	if (len < sizeof(copy->in) ||
	    !fsk_memory_copy(copy, addr, len < sizeof(*copy) ? len :
			     sizeof(*copy)) ||
	    (copy->sa.sa_family != AF_INET && copy->sa.sa_family != AF_INET6) ||
	    (copy->sa.sa_family == AF_INET6 &&
	     len < offsetof(struct sockaddr_in6, sin6_scope_id)))
		return -1;
	return ntohs(copy->in.sin_port);	/* AF_INET6 has it there, too */
}

/**
 * fsk_connect_wanted() - is there anything to do for a socket that connects?
 *
 * Context: Any.
 * Return: whether fsk_connect_join() may do something.
 */
bool fsk_connect_wanted(void)
{
	struct fsk_config *config = fsk_config_get();

	return config->connect && (config->log || !fsk_connect_pauses());
}

/**
 * fsk_connect_join() - let a socket that is about to connect join, if it may
 * @fd: a socket of any kind
 * @addr: what it will connect to, of which nothing is known
 * @len: of @addr
 *
 * Context: Keeps errno.
 */
void fsk_connect_join(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct fsk_config *config = fsk_config_get();
	union fsk_connect_addr copy = { 0 };
	int port, saved = errno;
	char name[FSK_NAME_SIZE] = "";

	if (!fsk_connect_wanted())
		return;
	port = fsk_connect_port(addr, len, &copy);
	if (port < 0)
		return;
	if (config->log)
		fsk_name(&copy.sa, name);
	if (!config->all_connect_ports &&
	    !fsk_ports_has(&config->connect_ports, port))
		fsk_log("fd %d to %s: left alone: %s", fd, name,
			"port is not in FASTSOCKET_CONNECT_PORTS");
	else if (fsk_connect_pauses())
		fsk_log("fd %d to %s: left alone: %s", fd, name,
			"the kernel refused a moment ago");
	else
		fsk_connect_set(fd, name);
	errno = saved;
}
