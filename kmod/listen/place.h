/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_PLACE_H
#define FSK_PLACE_H

#include "listen/listen.h"
#include "trace.h"

/* Connections that a CPU may have open before anybody asks who has how many:
 * what a client or two hold.
 */
#define FSK_PLACE_OPEN	8

struct fsk_core *fsk_place_idle(struct fsk_core *near);
struct fsk_core *__fsk_place(struct fsk_core *near, s32 open,
			     enum fsk_given_why *why);

/**
 * fsk_place() - which core gets a new connection
 * @near: the one that the map says, with a worker
 * @open: connections of its port that this CPU has seen begin, beyond those it
 *	has seen end
 * @why: set when another core than @near is chosen
 *
 * Context: Softirq, or with BH off.  Expects rcu_read_lock().
 * Return: @near, unless its worker is late and another one idle, or it has more
 *         than its share of connections that stay.
 */
static inline struct fsk_core *fsk_place(struct fsk_core *near, s32 open,
					 enum fsk_given_why *why)
{
	if (likely(!READ_ONCE(near->flags) &&
		   open <= READ_ONCE(near->open_max)))
		return near;
	return __fsk_place(near, open, why);
}

#endif
