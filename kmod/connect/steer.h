/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_STEER_H
#define FSK_STEER_H

#include <linux/jhash.h>
#include <linux/netfilter.h>
#include <linux/types.h>

#include "connect/port.h"
#include "netns.h"

#define FSK_STEER_FILTER_BITS	12

/**
 * struct fsk_steer - the cores of a namespace's active connections
 * @fn: namespace state, constant
 * @seed: of the filter's hash, constant
 * @hook_ops: one for each family
 * @filter: bit map of remote ends, by hash, that primed sockets connected to
 * @owner: by local port, the core that connected from it last, plus 1;
 *	there are no machines of 65,535 cores
 *
 * Made when first needed, freed with the namespace.  Written by connecting
 * tasks without a lock, only where something changes.  A packet that reads an
 * old value, or that of a connection from the same port to elsewhere, goes to
 * another core, and may overtake some that went before.
 */
struct fsk_steer {
	struct fsk_net *fn;
	u32 seed;
	struct nf_hook_ops hook_ops[2];
	unsigned long filter[BITS_TO_LONGS(1 << FSK_STEER_FILTER_BITS)];
	u16 owner[FSK_NET_PORTS];
};

bool __fsk_steer_offer(struct fsk_steer *steer,
		       const struct fsk_port_pick *pick, u16 hnum);
void __fsk_steer_withdraw(struct fsk_steer *steer,
			  const struct fsk_port_pick *pick, u16 hnum);
void __fsk_steer_note(struct fsk_steer *steer,
		      const struct fsk_port_pick *pick, u16 hnum);
int fsk_steer_update(struct fsk_net *fn);
int fsk_steer_init(void);
void fsk_steer_exit(void);

/**
 * fsk_steer_forbidden() - can packets not be moved on this kernel?
 *
 * On PREEMPT_RT an interrupt to a core that idles runs in its idle task, which
 * may not raise a softirq.  The kernel's own steering has threads for this.
 *
 * Context: Any.
 * Return: whether the modes that move packets are refused.
 */
static inline bool fsk_steer_forbidden(void)
{
	return IS_ENABLED(CONFIG_PREEMPT_RT);
}

/* Whether the network card sends the replies to another core. */
static inline bool fsk_steer_is_foreign(const struct fsk_port_pick *pick)
{
	return pick->by_nic && !pick->own;
}

/* Whether anybody asks for packets of this core's connections. */
static inline bool fsk_steer_wants(const struct fsk_steer *steer,
				   const struct fsk_port_pick *pick)
{
	return steer && (READ_ONCE(pick->fn->steering) ||
			 fsk_steer_is_foreign(pick));
}

/**
 * fsk_steer_offer() - a connection is about to be opened from a port
 * @pick: the search that found it
 * @hnum: the port, host byte order
 *
 * The first replies may come before the kernel says that the port was free.  A
 * port that another core has noted stays that core's until then.
 *
 * Context: Process.
 */
static inline void fsk_steer_offer(struct fsk_port_pick *pick, u16 hnum)
{
	struct fsk_steer *steer = READ_ONCE(pick->fn->steer);

	pick->offered = fsk_steer_wants(steer, pick) &&
			__fsk_steer_offer(steer, pick, hnum);
}

/**
 * fsk_steer_withdraw() - the kernel has refused the port
 * @pick: the search that found it
 * @hnum: the port, host byte order
 *
 * Context: Process.
 */
static inline void fsk_steer_withdraw(struct fsk_port_pick *pick, u16 hnum)
{
	if (pick->offered)
		__fsk_steer_withdraw(READ_ONCE(pick->fn->steer), pick, hnum);
}

/**
 * fsk_steer_note() - a connection has been opened from a port
 * @pick: the search that found it, or that left it to the kernel
 * @hnum: the port, host byte order
 *
 * Context: Process.
 */
static inline void fsk_steer_note(const struct fsk_port_pick *pick, u16 hnum)
{
	struct fsk_steer *steer = READ_ONCE(pick->fn->steer);

	if (fsk_steer_wants(steer, pick))
		__fsk_steer_note(steer, pick, hnum);
}

#endif
