// SPDX-License-Identifier: MIT
/*
 * The settings, from the environment.
 *
 * Nothing here takes a lock, because programs may call listen() in a signal
 * handler, and between fork() and exec().
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fsocket.h"

static struct fsk_config fsk_config;
static atomic_bool fsk_config_ready;

static bool fsk_config_on(const char *name)
{
	const char *value = secure_getenv(name);

	return value && *value && strcmp(value, "0");
}

/* Returns true without a list: all ports are meant. A list that can't be read
 * leaves no port, as nobody knows what its author meant.
 */
static bool fsk_config_ports(const char *name, struct fsk_ports *ports)
{
	const char *list = secure_getenv(name);

	if (!list || !*list)
		return true;
	if (fsk_ports_parse(ports, list))
		for (size_t i = 0; i < 65536 / FSK_PORTS_WORD; i++)
			ports->bits[i] = 0;
	return false;
}

static void fsk_config_read(struct fsk_config *config)
{
	config->listen = true;
	config->log = fsk_config_on("FASTSOCKET_LOG");
	config->pin = fsk_config_on("FASTSOCKET_PIN");
	config->accept = fsk_config_on("FASTSOCKET_ACCEPT");
	config->connect = fsk_config_on("FASTSOCKET_CONNECT");
	config->all_ports = fsk_config_ports("FASTSOCKET_PORTS",
					     &config->ports);
	config->all_connect_ports =
		fsk_config_ports("FASTSOCKET_CONNECT_PORTS",
				 &config->connect_ports);
}

/**
 * fsk_config_get() - the settings, read from the environment once
 *
 * Threads that make the first call together all read the environment, and write
 * the same values. It must not change until then. It may change later: programs
 * that set their process title even overwrite it. A call that comes before the
 * C library has an environment finds all switched off, and the next one asks
 * again.
 *
 * Context: Any.
 * Return: the configuration.
 */
struct fsk_config *fsk_config_get(void)
{
	if (!atomic_load_explicit(&fsk_config_ready, memory_order_acquire) &&
	    environ) {
		fsk_config_read(&fsk_config);
		atomic_store_explicit(&fsk_config_ready, true,
				      memory_order_release);
	}
	return &fsk_config;
}

/**
 * fsk_config_leave() - make no more system calls but the program's own
 *
 * This holds for the calling process and those that it forks.
 *
 * Context: Any.
 */
void fsk_config_leave(void)
{
	struct fsk_config *config = fsk_config_get();

	config->accept = false;
	config->connect = false;
	config->listen = false;
	config->log = false;
	config->pin = false;
}
