// SPDX-License-Identifier: GPL-2.0
/*
 * How long connections wait to be accepted: a histogram for each core that
 * accepts.  It belongs to the namespace's counters (stats.h).
 *
 * The kernel's own notes tell how long.  A socket notes the time of its last
 * segment: the ACK that completed the handshake, or data that came while it
 * waited.  For data, the tick in which it was made tells that it waited longer.
 * While it has sent nothing, its round trip is that of the handshake.
 */
#include "listen/latency.h"

#include <linux/bitops.h>
#include <linux/jiffies.h>

/* In ticks.  A longer wait is in the last bucket, too. */
#define FSK_LATENCY_MOST	(60 * HZ)

/* The bucket of a time in microseconds. */
static unsigned int fsk_latency_bucket(u32 us)
{
	return min_t(unsigned int, fls(us / FSK_LATENCY_FIRST_US),
		     FSK_LATENCY_BUCKETS - 1);
}

/* How long ago the handshake was complete, or 0 if the core that received it
 * has not yet noted when.  It was made @ticks ago, which tells a minimum.
 */
static u32 fsk_latency_wait_us(const struct sock *sk, u32 ticks)
{
	u64 ready = READ_ONCE(tcp_sk(sk)->tcp_mstamp);
	u32 us = ready ? tcp_stamp_us_delta(tcp_clock_us(), ready) : 0;

	if (ticks < FSK_LATENCY_LONG)
		return us;
	ticks = min_t(u32, ticks - 1, FSK_LATENCY_MOST);
	return max(us, jiffies_to_usecs(ticks));
}

/**
 * __fsk_latency_note() - as fsk_latency_note(), with a look at the clock
 * @fn: namespace state
 * @sk: the connection
 * @ticks: since it was made
 *
 * A task that is moved to another core meanwhile counts there.
 *
 * Context: Process.
 */
void __fsk_latency_note(struct fsk_net *fn, const struct sock *sk, u32 ticks)
{
	struct fsk_stats_latency __percpu *latency = &fn->stats->latency;
	u32 srtt_us = READ_ONCE(tcp_sk(sk)->srtt_us);
	u32 us = fsk_latency_wait_us(sk, ticks);
	u32 syn_us = us + (srtt_us >> 3);
	u32 count = 1;

	/* A long wait counts for this connection alone. */
	if (ticks < FSK_LATENCY_LONG) {
		this_cpu_write(latency->tick, tcp_jiffies32);
		count += this_cpu_xchg(latency->like, 0);
	}
	this_cpu_add(latency->wait[fsk_latency_bucket(us)], count);
	/* Not known where the SYN-ACK was sent again, or had a cookie. */
	if (srtt_us)
		this_cpu_add(latency->syn[fsk_latency_bucket(syn_us)], count);
}
