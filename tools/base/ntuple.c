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

#include "array.h"
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
	/* Even of no rules: some drivers tell the table's size only here. */
	err = fsk_nic_ioctl(name, list);
	if (err) {
		free(list);
		errno = err;
		return NULL;
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

/* Is the rule at this location one of ours? Then @spec, if any, gets it. */
static bool fsk_ntuple_ours_at(const char *name, uint32_t location,
			       struct ethtool_rx_flow_spec *spec)
{
	struct ethtool_rxnfc rule = {
		.cmd = ETHTOOL_GRXCLSRULE,
		.fs.location = location,
	};

	if (fsk_nic_ioctl(name, &rule) || !fsk_ntuple_is_ours(rule.fs))
		return false;
	if (spec)
		*spec = rule.fs;
	return true;
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
		any = fsk_ntuple_ours_at(name, list->rule_locs[i], NULL);
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
		if (fsk_ntuple_ours_at(name, list->rule_locs[i], NULL))
			err = fsk_ntuple_delete(name, list->rule_locs[i]);
	free(list);
	return err;
}

/**
 * struct fsk_ntuple_rule - a rule of ours
 * @spec: what it compares, and where it is
 * @before: the interface had it before
 * @now: the interface has it
 * @wanted: a core needs it
 */
struct fsk_ntuple_rule {
	struct ethtool_rx_flow_spec spec;
	bool before;
	bool now;
	bool wanted;
};

/**
 * struct fsk_ntuple_change - from the rules of before to those that are wanted
 * @name: the interface
 * @list: the locations that had rules before, ours and others'
 * @next: locations from here on are taken, or were looked at
 * @count: of @rules
 * @rules: those of before, then new ones
 */
struct fsk_ntuple_change {
	const char *name;
	struct ethtool_rxnfc *list;
	uint32_t next;
	size_t count;
	struct fsk_ntuple_rule *rules;
};

static struct fsk_ntuple_rule *
fsk_ntuple_append(struct fsk_ntuple_change *change)
{
	struct fsk_ntuple_rule *rules;

	rules = fsk_array_grow(change->rules, change->count, sizeof(*rules));
	if (!rules)
		return NULL;
	change->rules = rules;
	return &rules[change->count++];
}

/* Read the rules of before. Returns errno, positive, or 0. */
static int fsk_ntuple_begin(struct fsk_ntuple_change *change)
{
	struct ethtool_rx_flow_spec spec;
	struct fsk_ntuple_rule *rule;

	change->list = fsk_ntuple_list(change->name);
	if (!change->list)
		return errno;
	change->next = change->list->data;
	for (uint32_t i = 0; i < change->list->rule_cnt; i++) {
		if (!fsk_ntuple_ours_at(change->name,
					change->list->rule_locs[i], &spec))
			continue;
		rule = fsk_ntuple_append(change);
		if (!rule)
			return ENOMEM;
		rule->spec = spec;
		rule->spec.location = change->list->rule_locs[i];
		rule->before = true;
		rule->now = true;
	}
	return 0;
}

static void fsk_ntuple_end(struct fsk_ntuple_change *change)
{
	free(change->rules);
	free(change->list);
}

static uint16_t fsk_ntuple_port(uint32_t flow,
				const union ethtool_flow_union *fields)
{
	return ntohs(flow == TCP_V4_FLOW ? fields->tcp_ip4_spec.pdst :
					   fields->tcp_ip6_spec.pdst);
}

/* Do two rules of ours take the same packets? */
static bool fsk_ntuple_same(const struct ethtool_rx_flow_spec *a,
			    const struct ethtool_rx_flow_spec *b)
{
	uint16_t mask = fsk_ntuple_port(a->flow_type, &a->m_u);

	return a->flow_type == b->flow_type &&
	       mask == fsk_ntuple_port(b->flow_type, &b->m_u) &&
	       !(mask & (fsk_ntuple_port(a->flow_type, &a->h_u) ^
			 fsk_ntuple_port(b->flow_type, &b->h_u)));
}

/* Want a rule, which may be there. Returns errno, positive, or 0. */
static int fsk_ntuple_want(struct fsk_ntuple_change *change,
			   const struct ethtool_rx_flow_spec *spec)
{
	struct fsk_ntuple_rule *rule = change->rules;

	for (size_t i = 0; i < change->count; i++, rule++)
		if (!rule->wanted && fsk_ntuple_same(&rule->spec, spec) &&
		    rule->spec.ring_cookie == spec->ring_cookie) {
			rule->wanted = true;
			return 0;
		}
	rule = fsk_ntuple_append(change);
	if (!rule)
		return ENOMEM;
	rule->spec = *spec;
	rule->wanted = true;
	return 0;
}

/* Is one of our rules at this location now? */
static bool fsk_ntuple_used(const struct fsk_ntuple_change *change,
			    uint32_t location)
{
	for (size_t i = 0; i < change->count; i++)
		if (change->rules[i].now &&
		    change->rules[i].spec.location == location)
			return true;
	return false;
}

/* A free location, from the end of the table, where rules matter least; or one
 * that a rule of before has left.
 */
static bool fsk_ntuple_location(struct fsk_ntuple_change *change,
				uint32_t *location)
{
	const struct ethtool_rxnfc *list = change->list;

	while (change->next) {
		bool taken = false;

		*location = --change->next;
		for (uint32_t i = 0; i < list->rule_cnt && !taken; i++)
			taken = list->rule_locs[i] == *location;
		if (!taken)
			return true;
	}
	for (size_t i = 0; i < change->count; i++) {
		*location = change->rules[i].spec.location;
		if (change->rules[i].before &&
		    !fsk_ntuple_used(change, *location))
			return true;
	}
	return false;
}

/* Returns errno, positive, or 0. */
static int fsk_ntuple_insert(const struct fsk_ntuple_change *change,
			     struct fsk_ntuple_rule *rule, uint32_t location)
{
	struct ethtool_rxnfc request = {
		.cmd = ETHTOOL_SRXCLSRLINS,
		.fs = rule->spec,
	};
	int err;

	if (change->list->fs.location == RX_CLS_LOC_ANY)
		location = RX_CLS_LOC_ANY;
	request.fs.location = location;
	err = fsk_nic_ioctl(change->name, &request);
	if (err)
		return err;
	/* The driver tells what it has chosen. */
	rule->spec.location = request.fs.location;
	rule->now = true;
	return 0;
}

/* Returns errno, positive, or 0. */
static int fsk_ntuple_drop(const struct fsk_ntuple_change *change,
			   struct fsk_ntuple_rule *rule)
{
	int err = fsk_ntuple_delete(change->name, rule->spec.location);

	rule->now = err;
	return err;
}

/* A rule that nobody wants, and that takes the same packets as @like, or any
 * packets if that is %NULL.
 */
static struct fsk_ntuple_rule *
fsk_ntuple_stale(const struct fsk_ntuple_change *change,
		 const struct fsk_ntuple_rule *like)
{
	struct fsk_ntuple_rule *rule = change->rules;

	for (size_t i = 0; i < change->count; i++, rule++)
		if (rule->now && !rule->wanted &&
		    (!like || fsk_ntuple_same(&rule->spec, &like->spec)))
			return rule;
	return NULL;
}

/* Insert a rule beside those that are there. Returns errno, positive, or 0. */
static int fsk_ntuple_beside(struct fsk_ntuple_change *change,
			     struct fsk_ntuple_rule *rule)
{
	bool any = change->list->fs.location == RX_CLS_LOC_ANY;
	uint32_t location = RX_CLS_LOC_ANY;

	if (!any && !fsk_ntuple_location(change, &location))
		return ENOSPC;
	return fsk_ntuple_insert(change, rule, location);
}

/* Delete what nobody wants. Returns errno, positive, or 0. */
static int fsk_ntuple_sweep(const struct fsk_ntuple_change *change)
{
	struct fsk_ntuple_rule *rule;
	int err = 0;

	while (!err && (rule = fsk_ntuple_stale(change, NULL)))
		err = fsk_ntuple_drop(change, rule);
	return err;
}

/* Insert a rule beside those of before. Of two that take the same packets the
 * old one goes first, because drivers refuse the second as a duplicate.
 *
 * What drivers say where an old rule is in the way differs: bnxt says ENOMEM
 * when it is full, and cards whose rules must all have the same mask say
 * EINVAL. So whatever it is, an old rule goes, and then all of them. Until the
 * new ones are there, the ports of those that went have none.
 */
static int fsk_ntuple_place(struct fsk_ntuple_change *change,
			    struct fsk_ntuple_rule *rule)
{
	struct fsk_ntuple_rule *stale = fsk_ntuple_stale(change, rule);
	int err = stale ? EEXIST : fsk_ntuple_beside(change, rule), gone;

	if (err && !stale)
		stale = fsk_ntuple_stale(change, NULL);
	if (!err || !stale)
		return err;
	gone = fsk_ntuple_drop(change, stale);
	if (gone)
		return gone;
	err = fsk_ntuple_insert(change, rule, stale->spec.location);
	if (!err || !fsk_ntuple_stale(change, NULL))
		return err;
	gone = fsk_ntuple_sweep(change);
	return gone ? gone :
	       fsk_ntuple_insert(change, rule, stale->spec.location);
}

/* Insert what is missing, then delete what nobody wants. Returns errno,
 * positive, or 0.
 */
static int fsk_ntuple_make(struct fsk_ntuple_change *change)
{
	struct fsk_ntuple_rule *rule = change->rules;
	int err = 0;

	for (size_t i = 0; i < change->count && !err; i++, rule++)
		if (rule->wanted && !rule->now)
			err = fsk_ntuple_place(change, rule);
	return err ? err : fsk_ntuple_sweep(change);
}

/* Go back to the rules of before. Returns whether all are there, and no others.
 */
static bool fsk_ntuple_undo(struct fsk_ntuple_change *change)
{
	struct fsk_ntuple_rule *rule = change->rules;
	bool all = true;

	for (size_t i = 0; i < change->count; i++)
		if (rule[i].now && !rule[i].before &&
		    fsk_ntuple_drop(change, &rule[i]))
			all = false;
	for (size_t i = 0; i < change->count; i++, rule++)
		if (rule->before && !rule->now &&
		    fsk_ntuple_insert(change, rule, rule->spec.location))
			all = false;
	return all;
}

static struct ethtool_rx_flow_spec
fsk_ntuple_spec(uint32_t flow, const struct fsk_block *block, uint32_t cpu,
		uint32_t queue)
{
	uint16_t mask = htons(block->mask | fsk_nic_port_mask());
	uint16_t port = htons(block->port | cpu);
	struct ethtool_rx_flow_spec spec = {
		.flow_type = flow,
		.ring_cookie = queue,
	};

	if (flow == TCP_V4_FLOW) {
		spec.h_u.tcp_ip4_spec.pdst = port;
		spec.m_u.tcp_ip4_spec.pdst = mask;
	} else {
		spec.h_u.tcp_ip6_spec.pdst = port;
		spec.m_u.tcp_ip6_spec.pdst = mask;
	}
	return spec;
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

/* Want the rules for the core of a queue. Returns errno, positive, or 0. */
static int fsk_ntuple_core(struct fsk_ntuple_change *change, uint32_t cpu,
			   uint32_t queue)
{
	static const uint32_t flows[] = { TCP_V4_FLOW, TCP_V6_FLOW };
	struct fsk_block blocks[FSK_NTUPLE_BLOCKS];
	unsigned int count = fsk_ntuple_cut(blocks);
	struct ethtool_rx_flow_spec spec;
	int err = 0;

	for (unsigned int i = 0; i < 2 * count && !err; i++) {
		spec = fsk_ntuple_spec(flows[i % 2], &blocks[i / 2], cpu,
				       queue);
		err = fsk_ntuple_want(change, &spec);
	}
	return err;
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

/* Want the rules for all cores. Returns errno, positive, or 0. */
static int fsk_ntuple_cores(struct fsk_ntuple_change *change,
			    const struct fsk_nic *nic)
{
	int err = EOPNOTSUPP;

	for (uint32_t i = 0; i < nic->queues; i++) {
		if (nic->cpu[i] == FSK_NO_CPU || fsk_ntuple_again(nic, i))
			continue;
		err = fsk_ntuple_core(change, nic->cpu[i], i);
		if (err)
			break;
	}
	return err;
}

/**
 * fsk_ntuple_add() - give the interface a rule for each core that has a queue
 * @nic: the interface; rules that we made before stay where they are right,
 *	 and else go when the new ones are there
 * @why: gets the reason if the interface refuses; then its rules are those of
 *	 before
 * @size: of @why
 *
 * Return: 0, or errno, positive.
 */
int fsk_ntuple_add(const struct fsk_nic *nic, char *why, size_t size)
{
	struct fsk_ntuple_change change = { .name = nic->name };
	struct fsk_block blocks[FSK_NTUPLE_BLOCKS];
	bool all = true;
	int err;

	if (!fsk_ntuple_cut(blocks)) {
		snprintf(why, size, "no rule fits the range of source ports");
		return ERANGE;
	}
	err = fsk_ntuple_begin(&change);
	if (err) {
		snprintf(why, size, "it takes no rules: %s", strerror(err));
		fsk_ntuple_end(&change);
		return err;
	}
	err = fsk_ntuple_cores(&change, nic);
	if (!err) {
		err = fsk_ntuple_make(&change);
		all = !err || fsk_ntuple_undo(&change);
	}
	fsk_ntuple_end(&change);
	if (err)
		snprintf(why, size, "it refuses the rules: %s%s", strerror(err),
			 all ? "" : ", and to have those of before again");
	return err;
}
