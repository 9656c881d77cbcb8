/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_LATENCY_H
#define FSK_LATENCY_H

#include <net/tcp.h>

#include "netns.h"

/* In ticks.  A wait that may have been this long is always measured. */
#define FSK_LATENCY_LONG	2

void __fsk_latency_note(struct fsk_net *fn, const struct sock *sk, u32 ticks);

/**
 * fsk_latency_note() - a connection has been accepted
 * @fn: namespace state
 * @sk: the connection, unchanged since
 *
 * Reading the clock costs more than all else here.  So this reads it for one
 * connection in a tick and core, and for those that waited long, and later
 * counts the others of the tick like that one.
 *
 * Until the connection sends data, the kernel has the tick in which it was made
 * as that of the last data sent.
 *
 * Context: Process.
 */
static inline void fsk_latency_note(struct fsk_net *fn, const struct sock *sk)
{
	u32 now = tcp_jiffies32;
	u32 ticks = now - READ_ONCE(tcp_sk(sk)->lsndtime);

	if (ticks < FSK_LATENCY_LONG &&
	    this_cpu_read(fn->stats->latency.tick) == now)
		this_cpu_inc(fn->stats->latency.like);
	else
		__fsk_latency_note(fn, sk, ticks);
}

#endif
