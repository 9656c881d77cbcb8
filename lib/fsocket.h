/* SPDX-License-Identifier: MIT */
/* Declarations that the files of the library share. It exports none of them. */
#ifndef FSK_FSOCKET_H
#define FSK_FSOCKET_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "ports.h"

/**
 * struct fsk_config - the settings that the environment gives
 * @ports: listeners on these ports join, unless @all_ports is set
 * @connect_ports: sockets that connect to these ports are primed,
 *	unless @all_connect_ports is set
 * @all_ports: FASTSOCKET_PORTS has no list
 * @all_connect_ports: FASTSOCKET_CONNECT_PORTS has no list
 * @accept: accept by the module's ioctl
 * @connect: sockets are primed before they connect
 * @listen: listeners join
 * @log: explain decisions on standard error
 * @pin: bind each worker to a CPU
 *
 * The first call that needs it reads it; it is constant after that, but for
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

void __fsk_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* With FASTSOCKET_LOG; reasons are not even looked up without it. */
#define fsk_log(...) do {						\
	if (fsk_config_get()->log)					\
		__fsk_log(__VA_ARGS__);					\
} while (0)

/* Room for the longest: brackets, an IPv6 address, a colon, a port. */
#define FSK_NAME_SIZE	64

void fsk_name(const struct sockaddr *addr, char *name);

/* Room for a word and a number. */
#define FSK_ERROR_SIZE	24

const char *fsk_log_error(int err, char *text);

bool fsk_accept_try(int fd, struct sockaddr *addr, socklen_t *len, int flags,
		    int *ret);
void fsk_accept_forget(int fd);

bool fsk_connect_wanted(void);
void fsk_connect_prime(int fd, const struct sockaddr *addr, socklen_t len);

void fsk_join(int fd);
void fsk_activate(void);
bool fsk_join_check(int fd);

void *fsk_lookup(const char *name);
void fsk_lookup_done(void);

bool fsk_memory_copy(void *to, const void *from, size_t size);

void fsk_pin(int fd);
void fsk_pin_forget(int fd);
bool fsk_pin_wanted(void);
void fsk_pin_hide(size_t size, void *mask);
void fsk_pin_chosen(void);
void fsk_pin_init(void);
bool fsk_pin_is_self(pid_t pid);
bool fsk_pin_widen(void);
void fsk_pin_narrow(void);
void fsk_pin_forked(void);

/* Enough for 8192 CPUs, the kernel's largest configuration. */
#define FSK_MASK_BYTES	1024

#endif
