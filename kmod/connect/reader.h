/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_READER_H
#define FSK_READER_H

#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "netns.h"

#define FSK_READER_BITS		15	/* flows, 256 KiB */
#define FSK_READER_WAY_BITS	11	/* 24 KiB per core */
#define FSK_READER_AFTER	8	/* packets in a row from a new core */

/**
 * union fsk_reader_flow - the core that serves a connection
 * @tag: of the connection's hash, whose beginning has led here
 * @cpu: the core, plus 1; 0 while it is not known
 * @next: another one that it has been seen on since, plus 1
 * @count: how many times in a row
 * @word: all of it, read and written at once
 *
 * Written by senders without a lock: who comes at the same time may be lost.
 */
union fsk_reader_flow {
	struct {
		u16 tag;
		u16 cpu;
		u16 next;
		u16 count;
	};
	u64 word;
};

/**
 * struct fsk_reader_way - where a core gives the packets of some flows to
 * @cpu: the core that has had the last one, plus 1; 0 is this one
 * @tail: that core's fsk_steer_queue.queued when it was put there
 * @batch: fsk_compat_batch() when one was last left to this core
 *
 * Read and written by this core's hook alone, with BH off.
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

/**
 * fsk_reader_cpu() - where a connection is served
 * @reader: the namespace's
 * @hash: of the connection
 *
 * Context: Any.
 * Return: the core, or -1 if it is not known.
 */
static inline int fsk_reader_cpu(const struct fsk_reader *reader, u32 hash)
{
	union fsk_reader_flow flow;

	flow.word = READ_ONCE(reader->flow[hash >> (32 - FSK_READER_BITS)]
				      .word);
	return flow.tag == (u16)hash ? flow.cpu - 1 : -1;
}

/**
 * fsk_reader_way() - where this core gives packets of a connection to
 * @reader: the namespace's
 * @hash: of the connection
 *
 * Context: BH off.
 * Return: the way, which it shares with other connections.
 */
static inline struct fsk_reader_way *
fsk_reader_way(const struct fsk_reader *reader, u32 hash)
{
	return &this_cpu_ptr(reader->ways)
			->way[hash >> (32 - FSK_READER_WAY_BITS)];
}

#endif
