/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_RFD_H
#define FSK_RFD_H

#include <linux/cpumask.h>
#include <linux/in6.h>
#include <linux/log2.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include <uapi/linux/fastsocket.h>

struct fsk_net;
struct netlink_ext_ack;

/**
 * struct fsk_rfd - how replies that come in by one interface find their core
 * @node: in fsk_net.rfd, RCU, written under fsk_net.mutex
 * @rcu: frees
 * @ifindex: the interface
 * @mode: enum fsk_rfd_mode
 * @hash: FSK_RFD_HASH_*
 * @mask: entries of @cpu, less one
 * @port: what each byte of the local port adds to the hash, by IP version,
 *	index of the byte and its value
 * @key_len: bytes of @key
 * @key: RSS key
 * @cpu: the core that serves the queue of each entry of the indirection table
 *
 * All constant once it is in the table; a change replaces it.
 */
struct fsk_rfd {
	struct hlist_node node;
	struct rcu_head rcu;
	int ifindex;
	u8 mode;
	u32 hash;
	u32 mask;
	u32 port[2][2][256];
	unsigned int key_len;
	u8 key[FSK_RFD_KEY_MAX];
	u32 cpu[];
};

/**
 * struct fsk_rfd_flow - all of a flow but its local port
 * @daddr: remote address, an IPv4 address in the last four bytes
 * @saddr: local address, likewise
 * @dport: remote port
 * @ipv6: whether the packets are IPv6
 */
struct fsk_rfd_flow {
	struct in6_addr daddr;
	struct in6_addr saddr;
	__be16 dport;
	bool ipv6;
};

struct fsk_rfd *fsk_rfd_create(const struct fsk_rfd *want, const u32 *cpu,
			       unsigned int cpus);
struct fsk_rfd *fsk_rfd_set(struct fsk_net *fn, struct fsk_rfd *rfd);
bool fsk_rfd_del(struct fsk_net *fn, int ifindex);
void fsk_rfd_drain(struct fsk_net *fn);
const struct fsk_rfd *fsk_rfd_get(const struct fsk_net *fn, int ifindex);
u8 fsk_rfd_mode(const struct fsk_net *fn, const struct fsk_rfd *rfd);
bool fsk_rfd_hashes(const struct fsk_rfd *rfd, bool ipv6);
u32 fsk_rfd_flow_hash(const struct fsk_rfd *rfd,
		      const struct fsk_rfd_flow *flow);

/**
 * fsk_rfd_mask() - the bits of a source port that tell its core
 *
 * Context: Any.
 * Return: a mask with a value for each CPU that the machine has, and for up to
 *         as many again that it has not: nobody prefers those.
 * Source: Fastsocket (ASPLOS 2016), receive flow deliver.
 */
static inline u32 fsk_rfd_mask(void)
{
	return roundup_pow_of_two(cpumask_last(cpu_present_mask) + 1) - 1;
}

/**
 * fsk_rfd_by_nic() - does the network card bring replies to their core?
 * @mode: enum fsk_rfd_mode
 *
 * Context: Any.
 * Return: whether it is one of the modes in which it does.
 */
static inline bool fsk_rfd_by_nic(u8 mode)
{
	return mode == FSK_RFD_RSS || mode == FSK_RFD_NTUPLE;
}

/**
 * fsk_rfd_cpu() - the core that a packet of an active connection comes in on
 * @rfd: of the interface, one that fsk_rfd_hashes()
 * @hash: fsk_rfd_flow_hash()
 * @ipv6: whether the packets are IPv6
 * @hnum: local port, host byte order
 *
 * Context: Expects rcu_read_lock().
 * Return: a CPU number, not necessarily of an online CPU.
 */
static inline u32 fsk_rfd_cpu(const struct fsk_rfd *rfd, u32 hash, bool ipv6,
			      u16 hnum)
{
	hash ^= rfd->port[ipv6][0][hnum >> 8] ^ rfd->port[ipv6][1][hnum & 0xff];
	return rfd->cpu[hash & rfd->mask];
}

#endif
