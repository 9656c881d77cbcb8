/* SPDX-License-Identifier: MIT */
/* What the files of the library share. Nothing of it is exported. */
#ifndef FSK_FSOCKET_H
#define FSK_FSOCKET_H

#include <stdbool.h>
#include <sys/socket.h>

#include "ports.h"

/**
 * struct fsk_config - what the environment asks for
 * @ports: ports whose listeners may join, if @all_ports is not set
 * @connect_ports: ports to which joined sockets may connect, if
 *	@all_connect_ports is not set
 * @all_ports: no list was given
 * @all_connect_ports: no list was given
 * @accept: accept by the module's ioctl
 * @connect: sockets that connect may join
 * @listen: listeners may join
 * @log: explain decisions on standard error
 * @pin: bind each worker to a CPU
 *
 * Read once, by the first call that needs it; constant after that, but for
 * fsk_config_leave().
 */
struct fsk_config {
	struct fsk_ports ports;
	struct fsk_ports connect_ports;
	atomic_bool all_ports;
	atomic_bool all_connect_ports;
	atomic_bool accept;
	atomic_bool connect;
	atomic_bool listen;
	atomic_bool log;
	atomic_bool pin;
};

struct fsk_config *fsk_config_get(void);
void fsk_config_leave(void);

void fsk_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Room for the longest: brackets, an IPv6 address, a colon, a port. */
#define FSK_NAME_SIZE	64

void fsk_name(const struct sockaddr *addr, char *name);

bool fsk_accept_try(int fd, struct sockaddr *addr, socklen_t *len, int flags,
		    int *ret);
void fsk_accept_forget(int fd);

bool fsk_connect_wanted(void);
void fsk_connect_join(int fd, const struct sockaddr *addr, socklen_t len);

void fsk_join(int fd);
void fsk_activate(void);
bool fsk_join_check(int fd);

bool fsk_memory_copy(void *to, const void *from, size_t size);

void fsk_pin(int fd);
void fsk_pin_forget(int fd);
bool fsk_pin_wanted(void);
void fsk_pin_init(void);
bool fsk_pin_original(void *mask);
void fsk_pin_restore(const void *mask);

/* Enough for 8192 CPUs, the kernel's largest configuration. */
#define FSK_MASK_BYTES	1024

#endif
