// SPDX-License-Identifier: MIT
/*
 * Writes rules into an interface, such as Intel's Flow Director has, that send
 * each packet to the queue of the core that its destination port tells.
 *
 * A rule can only compare bits. Packets to servers are to be left alone, so the
 * rules also compare the upper bits of the port. These cut the range of source
 * ports into blocks: the default range needs one, 32768 and up.
 */
#include "ntuple.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ethtool.h>

#include "irq.h"

#define FSK_NTUPLE_RULES	65536

/**
 * fsk_ntuple_blocks() - cut a range of ports that ends at 65535 into blocks
 * @low: its first port
 * @core_mask: the bits that tell the core; blocks are no smaller
 * @blocks: FSK_NTUPLE_BLOCKS of them, filled in
 *
 * Return: how many.
 */
unsigned int fsk_ntuple_blocks(unsigned int low, unsigned int core_mask,
			       struct fsk_block *blocks)
{
	unsigned int size, count = 0;

	low = (low + core_mask) & ~core_mask;
	for (; low && low < 65536; low += size) {
		size = low & -low;
		blocks[count].port = low;
		blocks[count++].mask = -size;
	}
	return count;
}

/* The locations of the rules that the interface has. %NULL, and errno, if it
 * can have none.
 */
static struct ethtool_rxnfc *fsk_ntuple_list(const char *name)
{
	struct ethtool_rxnfc count = { .cmd = ETHTOOL_GRXCLSRLCNT };
	struct ethtool_rxnfc *list;
	int err;

	err = fsk_nic_ioctl(name, &count);
	if (err) {
		errno = err;
		return NULL;
	}
	if (count.rule_cnt > FSK_NTUPLE_RULES)
		count.rule_cnt = FSK_NTUPLE_RULES;
	list = calloc(1, sizeof(*list) +
		      count.rule_cnt * sizeof(list->rule_locs[0]));
	if (!list)
		return NULL;
	list->cmd = ETHTOOL_GRXCLSRLALL;
	list->rule_cnt = count.rule_cnt;
	if (count.rule_cnt) {
		err = fsk_nic_ioctl(name, list);
		if (err) {
			free(list);
			errno = err;
			return NULL;
		}
	}
	/* A driver that chooses locations itself says so here. */
	list->fs.location = count.data & RX_CLS_LOC_SPECIAL ? RX_CLS_LOC_ANY :
							      0;
	if (!list->data)
		list->data = count.data & ~RX_CLS_LOC_SPECIAL;
	return list;
}

static bool fsk_ntuple_zero(const void *data, size_t size)
{
	const unsigned char *byte = data;

	while (size--)
		if (*byte++)
			return false;
	return true;
}

/**
 * fsk_ntuple_is_our_mask() - do our rules compare these bits of a port?
 * @mask: the bits, host byte order
 *
 * Return: whether there are upper bits, a gap, and lower bits.
 */
bool fsk_ntuple_is_our_mask(uint16_t mask)
{
	uint16_t lower = mask & ~(mask + 1), upper = mask & ~lower;

	/* Upper bits without a gap overflow to 0 when the lowest is added. */
	return lower && upper && !(uint16_t)(upper + (upper & -upper));
}

static bool fsk_ntuple_is_ours(struct ethtool_rx_flow_spec rule)
{
	uint16_t mask;

	if (rule.flow_type == TCP_V4_FLOW) {
		mask = ntohs(rule.m_u.tcp_ip4_spec.pdst);
		rule.m_u.tcp_ip4_spec.pdst = 0;
	} else if (rule.flow_type == TCP_V6_FLOW) {
		mask = ntohs(rule.m_u.tcp_ip6_spec.pdst);
		rule.m_u.tcp_ip6_spec.pdst = 0;
	} else {
		return false;
	}
	return fsk_ntuple_is_our_mask(mask) &&
	       fsk_ntuple_zero(&rule.m_u, sizeof(rule.m_u)) &&
	       fsk_ntuple_zero(&rule.m_ext, sizeof(rule.m_ext));
}

static int fsk_ntuple_delete(const char *name, uint32_t location)
{
	struct ethtool_rxnfc rule = {
		.cmd = ETHTOOL_SRXCLSRLDEL,
		.fs.location = location,
	};

	return fsk_nic_ioctl(name, &rule);
}

/* Is the rule at this location one of ours? */
static bool fsk_ntuple_ours_at(const char *name, uint32_t location)
{
	struct ethtool_rxnfc rule = {
		.cmd = ETHTOOL_GRXCLSRULE,
		.fs.location = location,
	};

	return !fsk_nic_ioctl(name, &rule) && fsk_ntuple_is_ours(rule.fs);
}

/**
 * fsk_ntuple_any() - does an interface have rules that we made?
 * @name: the interface
 *
 * Return: whether it does.
 */
bool fsk_ntuple_any(const char *name)
{
	struct ethtool_rxnfc *list = fsk_ntuple_list(name);
	bool any = false;

	for (uint32_t i = 0; list && i < list->rule_cnt && !any; i++)
		any = fsk_ntuple_ours_at(name, list->rule_locs[i]);
	free(list);
	return any;
}

/**
 * fsk_ntuple_remove() - remove all rules that we made
 * @name: the interface
 *
 * This knows our rules by their mask: nobody else compares just the upper bits
 * of a port and the bits that tell the core.
 *
 * Return: 0, or errno, positive. An interface without rules is no error.
 */
int fsk_ntuple_remove(const char *name)
{
	struct ethtool_rxnfc *list = fsk_ntuple_list(name);
	int err = 0;

	if (!list)
		return 0;
	for (uint32_t i = 0; i < list->rule_cnt && !err; i++)
		if (fsk_ntuple_ours_at(name, list->rule_locs[i]))
			err = fsk_ntuple_delete(name, list->rule_locs[i]);
	free(list);
	return err;
}

/* A free location, from the end of the table, where rules matter least. */
static bool fsk_ntuple_location(struct ethtool_rxnfc *list, uint32_t *next)
{
	if (list->fs.location == RX_CLS_LOC_ANY) {
		*next = RX_CLS_LOC_ANY;
		return true;
	}
	while ((*next)--) {
		bool taken = false;

		for (uint32_t i = 0; i < list->rule_cnt && !taken; i++)
			taken = list->rule_locs[i] == *next;
		if (!taken)
			return true;
	}
	return false;
}

static int fsk_ntuple_insert(const char *name, uint32_t flow, uint32_t location,
			     const struct fsk_block *block, uint32_t cpu,
			     uint32_t queue)
{
	uint16_t mask = htons(block->mask | fsk_nic_port_mask());
	uint16_t port = htons(block->port | cpu);
	struct ethtool_rxnfc rule = {
		.cmd = ETHTOOL_SRXCLSRLINS,
		.fs.flow_type = flow,
		.fs.location = location,
		.fs.ring_cookie = queue,
	};

	if (flow == TCP_V4_FLOW) {
		rule.fs.h_u.tcp_ip4_spec.pdst = port;
		rule.fs.m_u.tcp_ip4_spec.pdst = mask;
	} else {
		rule.fs.h_u.tcp_ip6_spec.pdst = port;
		rule.fs.m_u.tcp_ip6_spec.pdst = mask;
	}
	return fsk_nic_ioctl(name, &rule);
}

/* Cut the range of source ports. Returns how many blocks: none on a machine
 * with one core, and where the range is too high to have a port for each core.
 */
static unsigned int fsk_ntuple_cut(struct fsk_block *blocks)
{
	unsigned int low, high, mask = fsk_nic_port_mask();

	fsk_nic_port_range(&low, &high);
	return mask ? fsk_ntuple_blocks(low, mask, blocks) : 0;
}

/* Insert the rules for the core of a queue. Returns errno, positive, or 0. */
static int fsk_ntuple_core(const struct fsk_nic *nic,
			   struct ethtool_rxnfc *list, uint32_t *next,
			   uint32_t queue)
{
	static const uint32_t flows[] = { TCP_V4_FLOW, TCP_V6_FLOW };
	struct fsk_block blocks[FSK_NTUPLE_BLOCKS];
	unsigned int count = fsk_ntuple_cut(blocks);
	int err;

	for (unsigned int i = 0; i < 2 * count; i++) {
		if (!fsk_ntuple_location(list, next))
			return ENOSPC;
		err = fsk_ntuple_insert(nic->name, flows[i % 2], *next,
					&blocks[i / 2], nic->cpu[queue], queue);
		if (err)
			return err;
	}
	return 0;
}

/* Does an earlier queue have the same core? */
static bool fsk_ntuple_again(const struct fsk_nic *nic, uint32_t queue)
{
	for (uint32_t i = 0; i < queue; i++)
		if (nic->cpu[i] == nic->cpu[queue])
			return true;
	return false;
}

/**
 * fsk_ntuple_possible() - may the interface take rules?
 * @name: the interface
 *
 * Return: whether it has a location for them, and there are rules to make.
 */
bool fsk_ntuple_possible(const char *name)
{
	struct ethtool_rxnfc *list = fsk_ntuple_list(name);
	struct fsk_block blocks[FSK_NTUPLE_BLOCKS];
	bool possible = list && fsk_ntuple_cut(blocks);

	free(list);
	return possible;
}

/**
 * fsk_ntuple_add() - give the interface a rule for each core that has a queue
 * @nic: the interface; new rules replace those that we made before
 * @why: gets the reason if the interface refuses; then no rule is left
 * @size: of @why
 *
 * Return: 0, or errno, positive.
 */
int fsk_ntuple_add(const struct fsk_nic *nic, char *why, size_t size)
{
	struct fsk_block blocks[FSK_NTUPLE_BLOCKS];
	struct ethtool_rxnfc *list;
	uint32_t next;
	int err;

	fsk_ntuple_remove(nic->name);
	if (!fsk_ntuple_cut(blocks)) {
		snprintf(why, size, "no rule fits the range of source ports");
		return ERANGE;
	}
	list = fsk_ntuple_list(nic->name);
	if (!list) {
		err = errno;
		snprintf(why, size, "it takes no rules: %s", strerror(err));
		return err;
	}
	err = EOPNOTSUPP;
	next = list->data;
	for (uint32_t i = 0; i < nic->queues; i++) {
		if (nic->cpu[i] == FSK_NO_CPU || fsk_ntuple_again(nic, i))
			continue;
		err = fsk_ntuple_core(nic, list, &next, i);
		if (err)
			break;
	}
	free(list);
	if (!err)
		return 0;
	snprintf(why, size, "it refuses the rules: %s", strerror(err));
	fsk_ntuple_remove(nic->name);
	return err;
}
