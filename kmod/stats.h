/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_STATS_H
#define FSK_STATS_H

#include <linux/bits.h>
#include <linux/hash.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include <uapi/linux/fastsocket.h>

/* Chains that listening ports are counted in. */
#define FSK_STATS_PORT_BITS	6
#define FSK_STATS_PORTS		BIT(FSK_STATS_PORT_BITS)

/**
 * struct fsk_stats_port - the connections to some ports, on one core
 * @open: how many have begun beyond those that have ended, since place.c looked
 * @ended: how many have ended: their peer has said so
 */
struct fsk_stats_port {
	s32 open;
	u32 ended;
};

/**
 * struct fsk_stats_latency - how long connections waited, on one core
 * @tick: the tick, as tcp_jiffies32, in which a wait was last measured
 * @like: connections accepted since, which wait to be counted as the next
 * @wait: connections that waited to be accepted for less than
 *	FSK_LATENCY_FIRST_US microseconds, twice that, and so on; in the last
 *	one for longer
 * @syn: likewise, from SYN-ACK to accept()
 */
struct fsk_stats_latency {
	u32 tick;
	u32 like;
	u64 wait[FSK_LATENCY_BUCKETS];
	u64 syn[FSK_LATENCY_BUCKETS];
};

/**
 * struct fsk_stats - one core's counters of one namespace
 * @n: by enum fsk_stat; each local to its core
 * @port: by fsk_stats_chain(); written with BH off but by fsk_net_note_end()
 * @latency: local to its core, written by tasks that accept
 */
struct fsk_stats {
	u64 n[__FSK_STAT_MAX];
	struct fsk_stats_port port[FSK_STATS_PORTS];
	struct fsk_stats_latency latency;
};

/**
 * fsk_stats_chain() - where a port's connections are counted
 * @hnum: the port, host byte order
 *
 * Return: an index of fsk_stats.port, which other ports may share.
 */
static inline unsigned int fsk_stats_chain(u16 hnum)
{
	return hash_32(hnum, FSK_STATS_PORT_BITS);
}

/**
 * fsk_stats_ended() - how many connections of a port have ended, on all cores
 * @stats: counters of a namespace
 * @hnum: the port, host byte order
 *
 * Context: Any.
 * Return: a number that only differs from earlier ones by what has ended since.
 */
static inline u32 fsk_stats_ended(const struct fsk_stats __percpu *stats,
				  u16 hnum)
{
	unsigned int chain = fsk_stats_chain(hnum);
	u32 ended = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		ended += READ_ONCE(per_cpu_ptr(stats, cpu)->port[chain].ended);
	return ended;
}

/* One instruction on every 64-bit machine, safe against interrupts. */
#define fsk_stats_inc(fn, item) \
	this_cpu_inc((fn)->stats->n[FSK_STAT_##item])
#define fsk_stats_add(fn, item, count) \
	this_cpu_add((fn)->stats->n[FSK_STAT_##item], count)

#endif
