/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_READER_H
#define FSK_READER_H

#include <linux/bits.h>
#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "netns.h"

#define FSK_READER_BITS		15	/* flows, 256 KiB */
#define FSK_READER_WAY_BITS	11	/* 24 KiB per core */
#define FSK_READER_AFTER	8	/* packets in a row from a new core */
#define FSK_READER_IN_BITS	13	/* 8191 cores; others aren't known */

/**
 * union fsk_reader_flow - the core that serves a connection
 * @tag: of the connection's hash, whose beginning has led here
 * @cpu: the core, plus 1; 0 while it is not known
 * @next: another one that it has been seen on since, plus 1
 * @count: how many times in a row
 * @in: the core that its packets come in on, plus 1; 0 while it is not known
 * @word: all of it, read and written at once
 *
 * Written without a lock by senders, and by who receives where packets begin to
 * come in on another core: who comes at the same time may be lost.
 */
union fsk_reader_flow {
	struct {
		u16 tag;
		u16 cpu;
		u16 next;
		u16 count : 3;
		u16 in : 13;
	};
	u64 word;
};

/**
 * struct fsk_reader_way - where a core gives the packets of some flows to
 * @cpu: the core that has had the last one, plus 1; 0 is this one
 * @tail: that core's fsk_steer_queue.queued when it was put there
 * @batch: fsk_compat_batch() when one was last left to this core
 *
 * Written by this core's hook alone, with BH off.  Another core's reads it when
 * the packets of a connection begin to come in there.
 */
struct fsk_reader_way {
	u32 cpu;
	u32 tail;
	u32 batch;
};

/**
 * struct fsk_reader_ways - one core's
 * @way: by the beginning of a connection's hash
 */
struct fsk_reader_ways {
	struct fsk_reader_way way[1 << FSK_READER_WAY_BITS];
};

/**
 * struct fsk_reader - which cores serve the connections of a namespace
 * @seed: of the hash, constant
 * @ways: by core that packets come in on
 * @hook_ops: one for each family
 * @flow: by the beginning of a connection's hash
 *
 * Made when first needed, freed with the namespace.
 */
struct fsk_reader {
	u64 seed;
	struct fsk_reader_ways __percpu *ways;
	struct nf_hook_ops hook_ops[2];
	union fsk_reader_flow flow[1 << FSK_READER_BITS];
};

int fsk_reader_update(struct fsk_net *fn, bool steer);
void fsk_reader_net_exit(struct fsk_net *fn);
u32 fsk_reader_hash(const struct fsk_reader *reader, const struct sk_buff *skb,
		    bool ipv6);
void fsk_reader_comes_in(struct fsk_reader *reader, u32 hash,
			 union fsk_reader_flow flow, int cpu);

/**
 * fsk_reader_in() - as &union fsk_reader_flow has a core
 * @cpu: the core that packets come in on
 *
 * Context: Any.
 * Return: its number plus 1, or 0 if there is no room for that.
 */
static inline u16 fsk_reader_in(int cpu)
{
	return (cpu + 1) & GENMASK(FSK_READER_IN_BITS - 1, 0);
}

/**
 * fsk_reader_find() - what is known of a connection
 * @reader: the namespace's
 * @hash: of the connection
 *
 * Context: Any.
 * Return: the core that serves it and the one where it comes in, or zeroes.
 */
static inline union fsk_reader_flow
fsk_reader_find(const struct fsk_reader *reader, u32 hash)
{
	union fsk_reader_flow flow;

	flow.word = READ_ONCE(reader->flow[hash >> (32 - FSK_READER_BITS)]
				      .word);
	if (flow.tag != (u16)hash)
		flow.word = 0;
	return flow;
}

/**
 * fsk_reader_way() - where a core gives packets of a connection to
 * @reader: the namespace's
 * @hash: of the connection
 * @cpu: the core that they come in on
 *
 * Context: BH off.
 * Return: the way, which it shares with other connections.
 */
static inline struct fsk_reader_way *
fsk_reader_way(const struct fsk_reader *reader, u32 hash, int cpu)
{
	return &per_cpu_ptr(reader->ways, cpu)
			->way[hash >> (32 - FSK_READER_WAY_BITS)];
}

#endif
