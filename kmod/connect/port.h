/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_PORT_H
#define FSK_PORT_H

#include <net/sock.h>

#include "compat.h"
#include "connect/dest.h"
#include "netns.h"

/**
 * struct fsk_port_pick - the search for one source port
 * @fn: namespace state
 * @sk: the socket that connects
 * @table: of the core that connects
 * @set: slots in @table where the destination may be
 * @key: the destination
 * @route: the way there, as far as known
 * @own: whether the last port that was found is one of this core
 * @by_nic: whether the network card sends replies to other ports elsewhere
 * @offered: the last port has been noted, and was nobody's before
 * @trust: leave the check of the next port to the kernel
 * @own_over: look at no more of this core's ports
 * @own_looks: ports of this core looked at
 * @any_looks: ports looked at after a round that found none
 * @probes: ports looked at
 * @clashes: ports that the kernel refused
 */
struct fsk_port_pick {
	struct fsk_net *fn;
	const struct sock *sk;
	struct fsk_dest_table *table;
	struct fsk_dest *set;
	struct fsk_dest_key key;
	struct fsk_dest_route route;
	bool own;
	bool by_nic;
	bool offered;
	bool trust;
	bool own_over;
	unsigned int own_looks;
	unsigned int any_looks;
	unsigned int probes;
	unsigned int clashes;
};

bool fsk_port_begin(struct fsk_port_pick *pick, const struct sock *sk,
		    const struct sockaddr_unsized *uaddr, int len);
int fsk_port_next(struct fsk_port_pick *pick);
void fsk_port_end(struct fsk_port_pick *pick);
u32 fsk_port_share(struct fsk_net *fn, const struct fsk_dest *dest, int cpu,
		   u8 *mode);

#endif
