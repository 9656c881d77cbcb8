// SPDX-License-Identifier: MIT
/*
 * What the environment asks for, and the log.
 *
 * Nothing here takes a lock: listen() may be called in a signal handler and
 * between fork() and exec().
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fsocket.h"

static struct fsk_config fsk_config;
static atomic_bool fsk_config_ready;

static bool fsk_config_on(const char *name)
{
	const char *value = secure_getenv(name);

	return value && *value && strcmp(value, "0");
}

static void fsk_config_read(struct fsk_config *config)
{
	const char *ports = secure_getenv("FASTSOCKET_PORTS");

	config->log = fsk_config_on("FASTSOCKET_LOG");
	config->pin = fsk_config_on("FASTSOCKET_PIN");
	config->all_ports = !ports || !*ports;
	if (config->all_ports || !fsk_ports_parse(&config->ports, ports))
		return;
	/* What was meant is not known: leave all alone. */
	for (size_t i = 0; i < 65536 / FSK_PORTS_WORD; i++)
		config->ports.bits[i] = 0;
}

/**
 * fsk_config_get() - what the environment asked for when it was first read
 *
 * Threads that come at the same time all read it, and write the same: the
 * environment is not expected to change before the first call.  Later it may,
 * and may be overwritten by programs that set their process title.
 *
 * Context: Any.
 * Return: the configuration.
 */
struct fsk_config *fsk_config_get(void)
{
	if (!atomic_load_explicit(&fsk_config_ready, memory_order_acquire)) {
		fsk_config_read(&fsk_config);
		atomic_store_explicit(&fsk_config_ready, true,
				      memory_order_release);
	}
	return &fsk_config;
}

/**
 * fsk_log() - explain a decision on standard error, if asked to
 * @format: as for printf(), without the end of the line
 *
 * One call, so that lines of several processes do not mix.
 *
 * Context: Keeps errno.
 */
void fsk_log(const char *format, ...)
{
	int len, more, saved = errno;
	char line[256];
	va_list args;

	if (!fsk_config_get()->log)
		return;
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
	/* Descriptor 2 may be a socket, even one that was never connected,
	 * where write() would end the program by a signal.
	 */
	if (send(STDERR_FILENO, line, len, MSG_NOSIGNAL) < 0 &&
	    errno == ENOTSOCK)
		more = write(STDERR_FILENO, line, len);
	(void)more;
	errno = saved;
}
