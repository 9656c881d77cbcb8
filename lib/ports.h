/* SPDX-License-Identifier: MIT */
#ifndef FSK_PORTS_H
#define FSK_PORTS_H

#include <stdatomic.h>
#include <stdbool.h>

#define FSK_PORTS_WORD	(8 * sizeof(unsigned long))

/**
 * struct fsk_ports - a set of TCP ports
 * @bits: one for each port. Threads may parse the same list at once: they set
 *	the same bits
 */
struct fsk_ports {
	atomic_ulong bits[65536 / FSK_PORTS_WORD];
};

int fsk_ports_parse(struct fsk_ports *ports, const char *list);
bool fsk_ports_has(struct fsk_ports *ports, unsigned int port);

#endif
