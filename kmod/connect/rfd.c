// SPDX-License-Identifier: GPL-2.0
/*
 * Receive flow delivery: which core does a packet of an active connection come
 * in on, as a function of the local port?
 *
 * User space tells what each network card does.  If it tells wrong, packets
 * come in on another core than hoped for, and nothing else is lost.
 */
#include "connect/rfd.h"

#include <linux/slab.h>
#include <linux/string.h>

#include "connect/toeplitz.h"
#include "netns.h"

/* The card hashes addresses and ports of the packet as it comes in: the remote
 * end comes first and our port last.
 */
#define FSK_RFD_INPUT_MAX	(2 * sizeof(struct in6_addr) + 4)

static unsigned int fsk_rfd_input(u8 *input, const struct fsk_rfd_flow *flow,
				  u16 hnum)
{
	unsigned int len = flow->ipv6 ? 16 : 4;
	u8 *p = input;

	memcpy(p, (u8 *)&flow->daddr + 16 - len, len);
	memcpy(p + len, (u8 *)&flow->saddr + 16 - len, len);
	p += 2 * len;
	memcpy(p, &flow->dport, 2);
	p[2] = hnum >> 8;
	p[3] = hnum & 0xff;
	return 2 * len + 4;
}

/**
 * fsk_rfd_flow_hash() - a flow's hash with a local port of 0
 * @rfd: of the interface
 * @flow: the flow
 *
 * The hash is linear: the hash with another port is this one XOR what the
 * port's bytes contribute.
 *
 * Context: Expects rcu_read_lock().
 * Return: the hash, to be given to fsk_rfd_cpu().
 * Source: Microsoft, "RSS hashing functions" (Toeplitz).
 */
u32 fsk_rfd_flow_hash(const struct fsk_rfd *rfd,
		      const struct fsk_rfd_flow *flow)
{
	u8 input[FSK_RFD_INPUT_MAX];

	return fsk_toeplitz(rfd->key, input, fsk_rfd_input(input, flow, 0));
}

static void fsk_rfd_fill(struct fsk_rfd *rfd, bool ipv6)
{
	struct fsk_rfd_flow flow = { .ipv6 = ipv6 };
	u8 input[FSK_RFD_INPUT_MAX];
	unsigned int i, len;

	for (i = 0; i < 256; i++) {
		len = fsk_rfd_input(input, &flow, i << 8);
		rfd->port[ipv6][0][i] = fsk_toeplitz(rfd->key, input, len);
		fsk_rfd_input(input, &flow, i);
		rfd->port[ipv6][1][i] = fsk_toeplitz(rfd->key, input, len);
	}
}

/**
 * fsk_rfd_create() - describe an interface
 * @want: ifindex, mode, hash, key and its length
 * @cpu: in rss mode the core of each entry of the indirection table
 * @cpus: how many, a power of two, or 0
 *
 * Context: Process.
 * Return: the description, to be given to fsk_rfd_set(), or %NULL without
 *         memory.
 */
struct fsk_rfd *fsk_rfd_create(const struct fsk_rfd *want, const u32 *cpu,
			       unsigned int cpus)
{
	struct fsk_rfd *rfd;

	rfd = kzalloc(struct_size(rfd, cpu, cpus), GFP_KERNEL_ACCOUNT);
	if (!rfd)
		return NULL;
	rfd->ifindex = want->ifindex;
	rfd->mode = want->mode;
	if (rfd->mode != FSK_RFD_RSS)
		return rfd;
	rfd->hash = want->hash;
	rfd->mask = cpus - 1;
	rfd->key_len = want->key_len;
	memcpy(rfd->key, want->key, want->key_len);
	memcpy(rfd->cpu, cpu, cpus * sizeof(*cpu));
	fsk_rfd_fill(rfd, false);
	fsk_rfd_fill(rfd, true);
	return rfd;
}

static struct hlist_head *fsk_rfd_chain(struct fsk_net *fn, int ifindex)
{
	return &fn->rfd[ifindex & (FSK_NET_RFD - 1)];
}

static struct fsk_rfd *fsk_rfd_of(struct fsk_net *fn, int ifindex)
{
	struct fsk_rfd *rfd;

	lockdep_assert_held(&fn->mutex);
	hlist_for_each_entry(rfd, fsk_rfd_chain(fn, ifindex), node)
		if (rfd->ifindex == ifindex)
			return rfd;
	return NULL;
}

static void fsk_rfd_changed(struct fsk_net *fn)
{
	/* Pairs with the acquire in fsk_port_rule(): who sees the new stamp
	 * sees what is described now.
	 */
	smp_store_release(&fn->rfd_stamp, fn->rfd_stamp + 1);
}

/**
 * fsk_rfd_set() - have an interface described
 * @fn: namespace state
 * @rfd: the description, which replaces the one before
 *
 * Readers find one or the other at any time.  The one before may be set again:
 * it is put into the chain that readers who still look at it are in.
 *
 * Context: Process, fsk_net.mutex held.
 * Return: the one before, or %NULL; the caller frees it after readers have
 *         left.
 */
struct fsk_rfd *fsk_rfd_set(struct fsk_net *fn, struct fsk_rfd *rfd)
{
	struct fsk_rfd *before = fsk_rfd_of(fn, rfd->ifindex);

	if (before)
		hlist_replace_rcu(&before->node, &rfd->node);
	else
		hlist_add_head_rcu(&rfd->node, fsk_rfd_chain(fn, rfd->ifindex));
	fsk_rfd_changed(fn);
	return before;
}

/**
 * fsk_rfd_del() - forget an interface
 * @fn: namespace state
 * @ifindex: the interface
 *
 * Context: Process, fsk_net.mutex held.
 * Return: whether it was described.
 */
bool fsk_rfd_del(struct fsk_net *fn, int ifindex)
{
	struct fsk_rfd *rfd = fsk_rfd_of(fn, ifindex);

	if (!rfd)
		return false;
	hlist_del_rcu(&rfd->node);
	fsk_rfd_changed(fn);
	kfree_rcu(rfd, rcu);
	return true;
}

/**
 * fsk_rfd_drain() - forget all interfaces
 * @fn: namespace state
 *
 * Context: Process, when the namespace goes and nobody connects in it.
 */
void fsk_rfd_drain(struct fsk_net *fn)
{
	struct hlist_node *next;
	struct fsk_rfd *rfd;
	int chain;

	for (chain = 0; chain < FSK_NET_RFD; chain++) {
		hlist_for_each_entry_safe(rfd, next, &fn->rfd[chain], node) {
			hlist_del_rcu(&rfd->node);
			kfree_rcu(rfd, rcu);
		}
	}
}

/**
 * fsk_rfd_get() - the description of an interface
 * @fn: namespace state
 * @ifindex: the interface
 *
 * Context: Expects rcu_read_lock().
 * Return: the description, valid until the read section ends, or %NULL.
 */
const struct fsk_rfd *fsk_rfd_get(const struct fsk_net *fn, int ifindex)
{
	const struct fsk_rfd *rfd;

	hlist_for_each_entry_rcu(rfd, &fn->rfd[ifindex & (FSK_NET_RFD - 1)],
				 node)
		if (rfd->ifindex == ifindex)
			return rfd;
	return NULL;
}

/**
 * fsk_rfd_mode() - the mode that holds for an interface
 * @fn: namespace state
 * @rfd: its description, or %NULL
 *
 * Context: Any.
 * Return: its own mode or the namespace's.
 */
u8 fsk_rfd_mode(const struct fsk_net *fn, const struct fsk_rfd *rfd)
{
	return rfd ? rfd->mode : READ_ONCE(fn->rfd_mode);
}

/**
 * fsk_rfd_hashes() - does the interface choose queues by TCP ports?
 * @rfd: its description, or %NULL
 * @ipv6: which IP version is asked about
 *
 * Context: Expects rcu_read_lock().
 * Return: whether fsk_rfd_cpu() may be asked.
 */
bool fsk_rfd_hashes(const struct fsk_rfd *rfd, bool ipv6)
{
	return rfd && rfd->mode == FSK_RFD_RSS &&
	       rfd->hash & (ipv6 ? FSK_RFD_HASH_TCP6 : FSK_RFD_HASH_TCP4);
}
