/* SPDX-License-Identifier: MIT */
/* What the files of the library share. Nothing of it is exported. */
#ifndef FSK_FSOCKET_H
#define FSK_FSOCKET_H

#include <stdbool.h>

#include "ports.h"

/**
 * struct fsk_config - what the environment asks for
 * @ports: ports that may join, if @all_ports is not set
 * @all_ports: no list was given
 * @log: explain decisions on standard error
 * @pin: bind each worker to a CPU
 *
 * Read once, by the first call that needs it; constant after that.
 */
struct fsk_config {
	struct fsk_ports ports;
	atomic_bool all_ports;
	atomic_bool log;
	atomic_bool pin;
};

struct fsk_config *fsk_config_get(void);

void fsk_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

void fsk_join(int fd);

void fsk_pin(int fd);
void fsk_pin_forget(int fd);
bool fsk_pin_wanted(void);
void fsk_pin_init(void);
bool fsk_pin_original(void *mask);
void fsk_pin_restore(const void *mask);

/* Enough for 8192 CPUs, the kernel's largest configuration. */
#define FSK_MASK_BYTES	1024

#endif
