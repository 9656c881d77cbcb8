/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: what the module decides about single packets and queues, for
 * perf, bpftrace and tracefs.  fastsocket(8) lists them; their fields are for
 * people and scripts to read, and are no ABI.
 *
 * Switched off, each is a jump that the kernel has patched to a nop.  Fields
 * are read behind it, so callers pass what they have at hand.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM fastsocket

#if !defined(FSK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define FSK_TRACE_H

#include <linux/skbuff.h>
#include <linux/tracepoint.h>

struct fsk_core;
struct fsk_port_pick;

#ifndef FSK_TRACE_WHY
#define FSK_TRACE_WHY

/**
 * enum fsk_given_why - why a connection was given to a queue
 * @FSK_GIVEN_NEAR: it is the queue of the CPU that the SYN came in on
 * @FSK_GIVEN_FAR: that CPU has no worker, and this is the nearest one's queue
 * @FSK_GIVEN_IDLE: the nearest worker is late, and this one has nothing to do
 * @FSK_GIVEN_SHARED: the nearest worker has more than its share of connections
 *	that stay
 */
enum fsk_given_why {
	FSK_GIVEN_NEAR,
	FSK_GIVEN_FAR,
	FSK_GIVEN_IDLE,
	FSK_GIVEN_SHARED,
};

/**
 * enum fsk_orphaned_why - why a queue was given up
 * @FSK_ORPHANED_NOT: it was not
 * @FSK_ORPHANED_GONE: it has no worker any more
 * @FSK_ORPHANED_ABSENT: its worker was woken, and sleeps elsewhere or is
 *	stopped
 * @FSK_ORPHANED_LIMIT: its worker has taken nothing for rescue-ms
 */
enum fsk_orphaned_why {
	FSK_ORPHANED_NOT,
	FSK_ORPHANED_GONE,
	FSK_ORPHANED_ABSENT,
	FSK_ORPHANED_LIMIT,
};

/**
 * enum fsk_returned_why - why a queue is orphaned no more
 * @FSK_RETURNED_WORKER: its worker, the calling task, is back
 * @FSK_RETURNED_EMPTY: it has neither a worker nor a connection
 */
enum fsk_returned_why {
	FSK_RETURNED_WORKER,
	FSK_RETURNED_EMPTY,
};

#endif

TRACE_DEFINE_ENUM(FSK_GIVEN_NEAR);
TRACE_DEFINE_ENUM(FSK_GIVEN_FAR);
TRACE_DEFINE_ENUM(FSK_GIVEN_IDLE);
TRACE_DEFINE_ENUM(FSK_GIVEN_SHARED);
TRACE_DEFINE_ENUM(FSK_ORPHANED_GONE);
TRACE_DEFINE_ENUM(FSK_ORPHANED_ABSENT);
TRACE_DEFINE_ENUM(FSK_ORPHANED_LIMIT);
TRACE_DEFINE_ENUM(FSK_RETURNED_WORKER);
TRACE_DEFINE_ENUM(FSK_RETURNED_EMPTY);

#define fsk_trace_family(family)					\
	__print_symbolic(family, { 2, "ipv4" }, { 10, "ipv6" })

TRACE_EVENT(fsk_given,

	TP_PROTO(const struct fsk_core *core, unsigned int why),

	TP_ARGS(core, why),

	TP_STRUCT__entry(
		__field(u16, port)
		__field(u16, family)
		__field(int, cpu)
		__field(int, queue)
		__field(unsigned int, why)
		__field(u32, netns)
	),

	TP_fast_assign(
		__entry->port = core->listener->hnum;
		__entry->family = core->listener->family;
		__entry->cpu = raw_smp_processor_id();
		__entry->queue = core->cpu;
		/* The nearest worker's queue may be another CPU's. */
		if (why == FSK_GIVEN_NEAR && __entry->queue != __entry->cpu)
			why = FSK_GIVEN_FAR;
		__entry->why = why;
		__entry->netns = core->listener->fn->net->ns.inum;
	),

	TP_printk("port=%u family=%s cpu=%d queue=%d why=%s netns=%u",
		  __entry->port, fsk_trace_family(__entry->family),
		  __entry->cpu, __entry->queue,
		  __print_symbolic(__entry->why,
				   { FSK_GIVEN_NEAR, "near" },
				   { FSK_GIVEN_FAR, "far" },
				   { FSK_GIVEN_IDLE, "idle" },
				   { FSK_GIVEN_SHARED, "shared" }),
		  __entry->netns)
);

TRACE_EVENT(fsk_orphaned,

	TP_PROTO(const struct fsk_core *core, unsigned int queued,
		 unsigned int why),

	TP_ARGS(core, queued, why),

	TP_STRUCT__entry(
		__field(u16, port)
		__field(u16, family)
		__field(int, queue)
		__field(unsigned int, queued)
		__field(unsigned int, why)
		__field(u32, netns)
	),

	TP_fast_assign(
		__entry->port = core->listener->hnum;
		__entry->family = core->listener->family;
		__entry->queue = core->cpu;
		__entry->queued = queued;
		__entry->why = why;
		__entry->netns = core->listener->fn->net->ns.inum;
	),

	TP_printk("port=%u family=%s queue=%d queued=%u why=%s netns=%u",
		  __entry->port, fsk_trace_family(__entry->family),
		  __entry->queue, __entry->queued,
		  __print_symbolic(__entry->why,
				   { FSK_ORPHANED_GONE, "gone" },
				   { FSK_ORPHANED_ABSENT, "absent" },
				   { FSK_ORPHANED_LIMIT, "limit" }),
		  __entry->netns)
);

TRACE_EVENT(fsk_returned,

	TP_PROTO(const struct fsk_core *core, unsigned int why),

	TP_ARGS(core, why),

	TP_STRUCT__entry(
		__field(u16, port)
		__field(u16, family)
		__field(int, queue)
		__field(unsigned int, away_ms)
		__field(unsigned int, why)
		__field(u32, netns)
	),

	TP_fast_assign(
		__entry->port = core->listener->hnum;
		__entry->family = core->listener->family;
		__entry->queue = core->cpu;
		__entry->away_ms =
			jiffies_to_msecs(jiffies -
					 READ_ONCE(core->orphaned_at));
		__entry->why = why;
		__entry->netns = core->listener->fn->net->ns.inum;
	),

	TP_printk("port=%u family=%s queue=%d away_ms=%u why=%s netns=%u",
		  __entry->port, fsk_trace_family(__entry->family),
		  __entry->queue, __entry->away_ms,
		  __print_symbolic(__entry->why,
				   { FSK_RETURNED_WORKER, "worker" },
				   { FSK_RETURNED_EMPTY, "empty" }),
		  __entry->netns)
);

TRACE_EVENT_CONDITION(fsk_steered,

	TP_PROTO(const struct sk_buff *skb, int family, int to),

	TP_ARGS(skb, family, to),

	TP_CONDITION(to != raw_smp_processor_id()),

	TP_STRUCT__entry(
		__field(u16, port)
		__field(u16, remote_port)
		__field(u16, family)
		__field(int, ifindex)
		__field(int, cpu)
		__field(int, to)
		__field(u32, netns)
	),

	TP_fast_assign(
		const struct tcphdr *th = tcp_hdr(skb);

		__entry->port = ntohs(th->dest);
		__entry->remote_port = ntohs(th->source);
		__entry->family = family;
		__entry->ifindex = skb->dev->ifindex;
		__entry->cpu = raw_smp_processor_id();
		__entry->to = to;
		__entry->netns = dev_net(skb->dev)->ns.inum;
	),

	TP_printk("port=%u remote_port=%u family=%s ifindex=%d cpu=%d to=%d netns=%u",
		  __entry->port, __entry->remote_port,
		  fsk_trace_family(__entry->family), __entry->ifindex,
		  __entry->cpu, __entry->to, __entry->netns)
);

TRACE_EVENT(fsk_port_refused,

	TP_PROTO(const struct fsk_port_pick *pick, u16 hnum),

	TP_ARGS(pick, hnum),

	TP_STRUCT__entry(
		__field(u16, port)
		__field(u16, remote_port)
		__field(u16, family)
		__field(int, cpu)
		__field(unsigned int, refusals)
		__field(u32, netns)
		__array(u8, remote, sizeof(struct in6_addr))
	),

	TP_fast_assign(
		const struct fsk_dest_key *key = &pick->key;
		struct in6_addr remote = key->daddr;

		if (!key->ipv6)
			ipv6_addr_set_v4mapped(key->daddr.s6_addr32[3],
					       &remote);
		__entry->port = hnum;
		__entry->remote_port = ntohs(key->dport);
		__entry->family = key->ipv6 ? AF_INET6 : AF_INET;
		__entry->cpu = pick->table->cpu;
		__entry->refusals = pick->clashes;
		__entry->netns = sock_net(pick->sk)->ns.inum;
		memcpy(__entry->remote, &remote, sizeof(remote));
	),

	TP_printk("port=%u remote=%pI6c remote_port=%u family=%s cpu=%d refusals=%u netns=%u",
		  __entry->port, __entry->remote, __entry->remote_port,
		  fsk_trace_family(__entry->family), __entry->cpu,
		  __entry->refusals, __entry->netns)
);

#endif

/* The kernel reads this file again; Kbuild has it look into this folder. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
