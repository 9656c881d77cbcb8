// SPDX-License-Identifier: MIT
/*
 * Decides whether a socket is primed before it connects, and primes it. The
 * module then chooses the source port by core, and has let the socket go when
 * connect() returns.
 *
 * In doubt, and after any error, the socket stays as it is. Priming costs two
 * system calls, one to read the address and one to prime, and none for a while
 * after the kernel refused it.
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

/* How long the library stops trying after the kernel said that it has no such
 * option: the first pause, and the longest. Each try of a privileged caller
 * makes the kernel start modprobe to look for the module.
 */
#define FSK_CONNECT_WAIT_MIN_S	1
#define FSK_CONNECT_WAIT_MAX_S	32

/* When to try again, in seconds of CLOCK_MONOTONIC, and the last pause, 0 when
 * the last try succeeded. Threads that race here try once too often at worst.
 */
static atomic_uint fsk_connect_next;
static atomic_uint fsk_connect_pause_s;

/* The vDSO reads this clock without a system call. */
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
	/* One more, as the current second may be almost over. */
	atomic_store_explicit(&fsk_connect_next, fsk_connect_now() + wait + 1,
			      memory_order_relaxed);
	atomic_store_explicit(&fsk_connect_pause_s, wait, memory_order_relaxed);
}

/* Will the next socket get this error, too, until an administrator acts? */
static bool fsk_connect_hopeless(int err)
{
	return err == ENOENT || err == EPERM || err == EACCES;
}

static const char *fsk_connect_reason(int err, char *text)
{
	switch (err) {
	case ENOENT:
		return "the kernel module is not loaded, or is an older one";
	case EBUSY:
		return "others may be using it, or io_uring is used";
	case EEXIST:
		return "it uses another ULP";
	case ENOPROTOOPT:
	case EOPNOTSUPP:
		return "not a plain TCP socket";
	case EALREADY:
	case EISCONN:
		return "it has begun to connect";
	default:
		return fsk_log_error(err, text);
	}
}

static void fsk_connect_set(int fd, const char *name)
{
	char text[FSK_ERROR_SIZE];

	/* On success it returns FSK_RFD_PRIMED, which is 1. */
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
		fsk_connect_reason(errno, text));
}

union fsk_connect_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* The port, host byte order, or -1 if this is no internet address. An address
 * that is too short counts as none: the kernel will refuse it.
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
 * fsk_connect_wanted() - may fsk_connect_prime() do something?
 *
 * Context: Any.
 * Return: whether it may. Otherwise there is no need to call it.
 */
bool fsk_connect_wanted(void)
{
	struct fsk_config *config = fsk_config_get();

	return config->connect && (config->log || !fsk_connect_pauses());
}

/**
 * fsk_connect_prime() - prime a socket that is about to connect, if wanted
 * @fd: a socket of any kind
 * @addr: address to which it will connect; it may be no valid pointer
 * @len: of @addr
 *
 * Context: Keeps errno.
 */
void fsk_connect_prime(int fd, const struct sockaddr *addr, socklen_t len)
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
