// SPDX-License-Identifier: GPL-2.0
/*
 * Which core serves a connection: the one from which a task sends its packets.
 * A task that reads sends, too: answers, or at least acknowledgments that open
 * the window.  So this file watches what is sent and touches no socket.
 *
 * A connection has moved when a number of packets in a row were sent from one
 * other core; steer.c then gives that core what comes in.  Packets of a
 * connection that is not known here stay where they come in: it has not sent
 * enough, or another one has its slot.
 */
#include "connect/reader.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/preempt.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/inet_hashtables.h>
#include <net/tcp_states.h>

#include "flow.h"

/* Packets that are sent */

/* @count stays below. */
static_assert(FSK_READER_AFTER <= 1 << (16 - FSK_READER_IN_BITS));

static union fsk_reader_flow
fsk_reader_next(union fsk_reader_flow flow, u16 tag, u16 cpu)
{
	if (flow.tag != tag)
		return (union fsk_reader_flow){
			.tag = tag, .next = cpu, .count = 1 };
	if (flow.cpu == cpu) {
		flow.count = 0;
	} else if (!flow.count || flow.next != cpu) {
		flow.next = cpu;
		flow.count = 1;
	} else if (flow.count + 1 < FSK_READER_AFTER) {
		flow.count++;
	} else {
		flow.cpu = cpu;
		flow.count = 0;
	}
	return flow;
}

/* Other cores read this line, so it is written only where something changes. */
static void fsk_reader_note(struct fsk_reader *reader, const struct sock *sk)
{
	u32 hash = fsk_flow_hash(reader->seed, sk);
	union fsk_reader_flow *slot, old, new;

	slot = &reader->flow[hash >> (32 - FSK_READER_BITS)];
	old.word = READ_ONCE(slot->word);
	new = fsk_reader_next(old, hash, raw_smp_processor_id() + 1);
	if (new.word != old.word)
		WRITE_ONCE(slot->word, new.word);
}

/* Whether a task sends, and not a packet that came in or a timer. */
static bool fsk_reader_is_task(void)
{
	return in_task() && !in_softirq();
}

static unsigned int fsk_reader_out(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	struct fsk_net *fn = priv;
	const struct sock *sk = skb->sk;

	if (fsk_reader_is_task() && sk && sk_fullsock(sk) &&
	    sk->sk_protocol == IPPROTO_TCP &&
	    1 << READ_ONCE(sk->sk_state) &
	    (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT) &&
	    fsk_net_is_ours(fn, sk->sk_num))
		fsk_reader_note(fn->reader, sk);
	return NF_ACCEPT;
}

static const struct nf_hook_ops fsk_reader_hook_ops[2] = {
	{
		.hook		= fsk_reader_out,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_LOCAL_OUT,
		.priority	= NF_IP_PRI_LAST,
	}, {
		.hook		= fsk_reader_out,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_LOCAL_OUT,
		.priority	= NF_IP6_PRI_LAST,
	},
};

/* Packets that come in */

/**
 * fsk_reader_hash() - the connection of a packet that comes in
 * @reader: the namespace's
 * @skb: a TCP packet with a linear header
 * @ipv6: of this family
 *
 * Context: Any.
 * Return: its hash, as fsk_flow_hash() has the socket's.
 */
u32 fsk_reader_hash(const struct fsk_reader *reader, const struct sk_buff *skb,
		    bool ipv6)
{
	const struct tcphdr *th = (const void *)skb_transport_header(skb);
	__portpair ports = INET_COMBINED_PORTS(th->source, ntohs(th->dest));

	if (ipv6)
		return fsk_flow_hash6(reader->seed, &ipv6_hdr(skb)->saddr,
				      &ipv6_hdr(skb)->daddr, ports);
	return fsk_flow_hash4(reader->seed, ip_hdr(skb)->saddr,
			      ip_hdr(skb)->daddr, ports);
}

/**
 * fsk_reader_comes_in() - a connection's packets come in on another core
 * @reader: the namespace's
 * @hash: of the connection
 * @flow: what fsk_reader_find() knew of it
 * @cpu: the core
 *
 * Context: BH off.
 */
void fsk_reader_comes_in(struct fsk_reader *reader, u32 hash,
			 union fsk_reader_flow flow, int cpu)
{
	union fsk_reader_flow *slot;
	u64 known = flow.word;

	slot = &reader->flow[hash >> (32 - FSK_READER_BITS)];
	flow.in = fsk_reader_in(cpu);
	/* A sender who is overwritten all the same will say so again. */
	if (READ_ONCE(slot->word) == known)
		WRITE_ONCE(slot->word, flow.word);
}

/* Namespaces */

static struct fsk_reader *fsk_reader_create(struct fsk_net *fn)
{
	struct fsk_reader *reader;
	int i;

	reader = kvzalloc(sizeof(*reader), GFP_KERNEL_ACCOUNT);
	if (!reader)
		return NULL;
	reader->ways = alloc_percpu_gfp(struct fsk_reader_ways,
					GFP_KERNEL_ACCOUNT);
	if (!reader->ways) {
		kvfree(reader);
		return NULL;
	}
	reader->seed = get_random_u64();
	for (i = 0; i < ARRAY_SIZE(reader->hook_ops); i++) {
		reader->hook_ops[i] = fsk_reader_hook_ops[i];
		reader->hook_ops[i].priv = fn;
	}
	return reader;
}

static int fsk_reader_start(struct fsk_net *fn)
{
	int err;

	if (!fn->reader)
		fn->reader = fsk_reader_create(fn);
	if (!fn->reader)
		return -ENOMEM;
	err = nf_register_net_hooks(fn->net, fn->reader->hook_ops,
				    ARRAY_SIZE(fn->reader->hook_ops));
	if (err)
		return err;
	/* Pairs with the acquire of who reads it. */
	smp_store_release(&fn->reading, true);
	return 0;
}

static void fsk_reader_stop(struct fsk_net *fn)
{
	WRITE_ONCE(fn->reading, false);
	nf_unregister_net_hooks(fn->net, fn->reader->hook_ops,
				ARRAY_SIZE(fn->reader->hook_ops));
}

/**
 * fsk_reader_update() - follow connections where the settings ask for it
 * @fn: namespace state
 * @steer: an interface may be in steer mode
 *
 * Context: Process, fsk_net.mutex held.
 * Return: 0 or a negative errno.
 */
int fsk_reader_update(struct fsk_net *fn, bool steer)
{
	bool wanted = steer && fn->est_on;

	lockdep_assert_held(&fn->mutex);
	if (wanted && !fn->reading)
		return fsk_reader_start(fn);
	if (!wanted && fn->reading)
		fsk_reader_stop(fn);
	return 0;
}

/**
 * fsk_reader_net_exit() - a namespace goes, or the module
 * @fn: namespace state; hooks have been unregistered, ours and steer.c's, and
 *	those that ran have ended
 *
 * Context: Process.
 */
void fsk_reader_net_exit(struct fsk_net *fn)
{
	if (!fn->reader)
		return;
	free_percpu(fn->reader->ways);
	kvfree(fn->reader);
	fn->reader = NULL;
}
