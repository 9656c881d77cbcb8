// SPDX-License-Identifier: GPL-2.0
/*
 * What ethtool asks of the test card: queues, hash, key, indirection table,
 * rules, coalescing.  Settings are copied, changed and replaced as a whole.
 */
#include "card.h"

#include <linux/ethtool.h>
#include <linux/mm.h>
#include <linux/rtnetlink.h>

static void card_get_drvinfo(struct net_device *dev,
			     struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "fskcard", sizeof(info->driver));
}

static struct hw_config *card_config(struct net_device *dev)
{
	return rtnl_dereference(card_of(dev)->hw.config);
}

static struct hw_config *card_config_copy(struct net_device *dev)
{
	struct hw_config *c = kvmalloc(sizeof(*c), GFP_KERNEL);

	if (c)
		memcpy(c, card_config(dev), sizeof(*c));
	return c;
}

static void card_config_set(struct net_device *dev, struct hw_config *c)
{
	struct hw_config *old = card_config(dev);

	rcu_assign_pointer(card_of(dev)->hw.config, c);
	kvfree_rcu(old, rcu);
}

/* -l, -L */

static void card_get_channels(struct net_device *dev,
			      struct ethtool_channels *c)
{
	c->max_combined = dev->num_rx_queues;
	c->combined_count = card_of(dev)->hw.queues;
}

static int card_table_default(struct net_device *dev)
{
	struct hw_config *c = card_config_copy(dev);
	unsigned int i, queues = card_of(dev)->hw.queues;

	if (!c)
		return -ENOMEM;
	for (i = 0; i < CARD_TABLE; i++)
		c->table[i] = ethtool_rxfh_indir_default(i, queues);
	card_config_set(dev, c);
	return 0;
}

static int card_set_channels(struct net_device *dev, struct ethtool_channels *c)
{
	struct card *card = card_of(dev);
	bool up = netif_running(dev);
	int err;

	if (!c->combined_count || c->combined_count > dev->num_rx_queues)
		return -EINVAL;
	if (up)
		card_stop(dev);
	card->hw.queues = c->combined_count;
	err = netif_set_real_num_queues(dev, c->combined_count,
					c->combined_count);
	if (!err && !netif_is_rxfh_configured(dev))
		err = card_table_default(dev);
	if (up && !err)
		err = card_open(dev);
	return err;
}

/* -x, -X */

static u32 card_key_size(struct net_device *dev)
{
	return CARD_KEY;
}

static u32 card_table_size(struct net_device *dev)
{
	return CARD_TABLE;
}

static int card_read_rxfh(struct net_device *dev, u32 *table, u8 *key, u8 *func)
{
	const struct hw_config *c = card_config(dev);
	unsigned int i;

	for (i = 0; table && i < CARD_TABLE; i++)
		table[i] = c->table[i];
	if (key)
		memcpy(key, c->key, CARD_KEY);
	if (func)
		*func = ETH_RSS_HASH_TOP;
	return 0;
}

static int card_write_rxfh(struct net_device *dev, const u32 *table,
			   const u8 *key, u8 func)
{
	struct hw_config *c;
	unsigned int i;

	if (func != ETH_RSS_HASH_NO_CHANGE && func != ETH_RSS_HASH_TOP)
		return -EOPNOTSUPP;
	c = card_config_copy(dev);
	if (!c)
		return -ENOMEM;
	for (i = 0; table && i < CARD_TABLE; i++)
		c->table[i] = table[i];
	if (key)
		memcpy(c->key, key, CARD_KEY);
	hw_config_ready(c);
	card_config_set(dev, c);
	return 0;
}

#ifdef CARD_HAVE_RXFH_PARAM
static int card_get_rxfh(struct net_device *dev, struct ethtool_rxfh_param *p)
{
	return card_read_rxfh(dev, p->indir, p->key, &p->hfunc);
}

static int card_set_rxfh(struct net_device *dev, struct ethtool_rxfh_param *p,
			 struct netlink_ext_ack *extack)
{
	return card_write_rxfh(dev, p->indir, p->key, p->hfunc);
}
#else
static int card_get_rxfh(struct net_device *dev, u32 *table, u8 *key, u8 *func)
{
	return card_read_rxfh(dev, table, key, func);
}

static int card_set_rxfh(struct net_device *dev, const u32 *table,
			 const u8 *key, const u8 func)
{
	return card_write_rxfh(dev, table, key, func);
}
#endif

/* -n, -N: what is hashed */

#define CARD_ADDRESSES	(RXH_IP_SRC | RXH_IP_DST)
#define CARD_PORTS	(RXH_L4_B_0_1 | RXH_L4_B_2_3)

static int card_proto(u32 flow)
{
	switch (flow) {
	case TCP_V4_FLOW: return HW_TCP4;
	case TCP_V6_FLOW: return HW_TCP6;
	case UDP_V4_FLOW: return HW_UDP4;
	case UDP_V6_FLOW: return HW_UDP6;
	default: return -1;
	}
}

static u32 card_hashed(struct net_device *dev, u32 flow)
{
	int proto = card_proto(flow);

	return CARD_ADDRESSES | (proto >= 0 && card_config(dev)->ports[proto] ?
				 CARD_PORTS : 0);
}

static int card_set_hashed(struct net_device *dev, u32 flow, u32 fields)
{
	struct hw_config *c;
	int proto = card_proto(flow);

	if (proto < 0 || (fields != CARD_ADDRESSES &&
			  fields != (CARD_ADDRESSES | CARD_PORTS)))
		return -EOPNOTSUPP;
	c = card_config_copy(dev);
	if (!c)
		return -ENOMEM;
	c->ports[proto] = fields & CARD_PORTS;
	card_config_set(dev, c);
	return 0;
}

#ifdef CARD_HAVE_RXFH_FIELDS
static int card_get_fields(struct net_device *dev,
			   struct ethtool_rxfh_fields *f)
{
	f->data = card_hashed(dev, f->flow_type);
	return 0;
}

static int card_set_fields(struct net_device *dev,
			   const struct ethtool_rxfh_fields *f,
			   struct netlink_ext_ack *extack)
{
	return card_set_hashed(dev, f->flow_type, f->data);
}
#endif

/* -n, -N: rules */

/* Both protocols begin alike: addresses, source port, destination port. */
static int card_rule_ready(const struct ethtool_rx_flow_spec *fs,
			   struct hw_rule *r)
{
	int proto = card_proto(fs->flow_type);
	unsigned int size = 8;

	if (proto < 0)
		return -EOPNOTSUPP;
	memset(r, 0, sizeof(*r));
	r->fs = *fs;
	r->v6 = proto >= HW_TCP6;
	r->tcp = proto == HW_TCP4 || proto == HW_TCP6;
	if (r->v6)
		size = 32;
	if (r->v6 ? fs->m_u.tcp_ip6_spec.tclass : fs->m_u.tcp_ip4_spec.tos)
		return -EOPNOTSUPP;
	memcpy(r->value, &fs->h_u, size + 4);
	memcpy(r->mask, &fs->m_u, size + 4);
	return 0;
}

static struct hw_rule *card_rule_at(struct hw_config *c, u32 location)
{
	unsigned int i;

	for (i = 0; i < c->rules && c->rule[i].fs.location < location; i++)
		;
	return &c->rule[i];
}

static bool card_rule_is_at(const struct hw_config *c, const struct hw_rule *r,
			    u32 location)
{
	return r < c->rule + c->rules && r->fs.location == location;
}

static void card_rule_remove(struct hw_config *c, struct hw_rule *r)
{
	memmove(r, r + 1, (c->rule + c->rules - r - 1) * sizeof(*r));
	c->rules--;
}

static int card_rule_insert(struct net_device *dev,
			    const struct ethtool_rx_flow_spec *fs)
{
	struct hw_rule rule, *r;
	struct hw_config *c;
	int err;

	if (!(dev->features & NETIF_F_NTUPLE))
		return -EOPNOTSUPP;
	if (fs->location >= CARD_RULES ||
	    (fs->ring_cookie != RX_CLS_FLOW_DISC &&
	     fs->ring_cookie >= card_of(dev)->hw.queues))
		return -EINVAL;
	err = card_rule_ready(fs, &rule);
	if (err)
		return err;
	c = card_config_copy(dev);
	if (!c)
		return -ENOMEM;
	r = card_rule_at(c, fs->location);
	if (card_rule_is_at(c, r, fs->location))
		card_rule_remove(c, r);
	memmove(r + 1, r, (c->rule + c->rules - r) * sizeof(*r));
	*r = rule;
	c->rules++;
	card_config_set(dev, c);
	return 0;
}

static int card_rule_delete(struct net_device *dev, u32 location)
{
	struct hw_config *c = card_config_copy(dev);
	struct hw_rule *r;

	if (!c)
		return -ENOMEM;
	r = card_rule_at(c, location);
	if (!card_rule_is_at(c, r, location)) {
		kvfree(c);
		return -ENOENT;
	}
	card_rule_remove(c, r);
	card_config_set(dev, c);
	return 0;
}

static int card_rule_list(struct net_device *dev, struct ethtool_rxnfc *info,
			  u32 *locations)
{
	const struct hw_config *c = card_config(dev);
	unsigned int i;

	if (info->rule_cnt < c->rules)
		return -EMSGSIZE;
	for (i = 0; i < c->rules; i++)
		locations[i] = c->rule[i].fs.location;
	info->rule_cnt = c->rules;
	info->data = CARD_RULES;
	return 0;
}

static int card_get_rxnfc(struct net_device *dev, struct ethtool_rxnfc *info,
			  u32 *locations)
{
	struct hw_config *c = card_config(dev);
	struct hw_rule *r;

	switch (info->cmd) {
	case ETHTOOL_GRXRINGS:
		info->data = card_of(dev)->hw.queues;
		return 0;
	case ETHTOOL_GRXFH:
		info->data = card_hashed(dev, info->flow_type);
		return 0;
	case ETHTOOL_GRXCLSRLCNT:
		info->rule_cnt = c->rules;
		info->data = CARD_RULES;
		return 0;
	case ETHTOOL_GRXCLSRULE:
		r = card_rule_at(c, info->fs.location);
		if (!card_rule_is_at(c, r, info->fs.location))
			return -ENOENT;
		info->fs = r->fs;
		return 0;
	case ETHTOOL_GRXCLSRLALL:
		return card_rule_list(dev, info, locations);
	default:
		return -EOPNOTSUPP;
	}
}

static int card_set_rxnfc(struct net_device *dev, struct ethtool_rxnfc *info)
{
	switch (info->cmd) {
	case ETHTOOL_SRXFH:
		return card_set_hashed(dev, info->flow_type, info->data);
	case ETHTOOL_SRXCLSRLINS:
		return card_rule_insert(dev, &info->fs);
	case ETHTOOL_SRXCLSRLDEL:
		return card_rule_delete(dev, info->fs.location);
	default:
		return -EOPNOTSUPP;
	}
}

/* -c, -C */

static int card_get_coalesce(struct net_device *dev, struct ethtool_coalesce *c,
			     struct kernel_ethtool_coalesce *kernel,
			     struct netlink_ext_ack *extack)
{
	const struct hw_port *hw = &card_of(dev)->hw;

	c->rx_coalesce_usecs = hw->rx_usecs;
	c->rx_max_coalesced_frames = hw->rx_frames;
	c->tx_coalesce_usecs = hw->tx_usecs;
	c->tx_max_coalesced_frames = hw->tx_frames;
	return 0;
}

static int card_set_coalesce(struct net_device *dev, struct ethtool_coalesce *c,
			     struct kernel_ethtool_coalesce *kernel,
			     struct netlink_ext_ack *extack)
{
	struct hw_port *hw = &card_of(dev)->hw;

	if (c->rx_max_coalesced_frames > CARD_RING / 4 ||
	    c->tx_max_coalesced_frames > CARD_RING / 4) {
		NL_SET_ERR_MSG(extack, "at most a quarter of the ring");
		return -EINVAL;
	}
	WRITE_ONCE(hw->rx_usecs, c->rx_coalesce_usecs);
	WRITE_ONCE(hw->rx_frames, c->rx_max_coalesced_frames);
	WRITE_ONCE(hw->tx_usecs, c->tx_coalesce_usecs);
	WRITE_ONCE(hw->tx_frames, c->tx_max_coalesced_frames);
	return 0;
}

const struct ethtool_ops card_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_USECS |
				     ETHTOOL_COALESCE_MAX_FRAMES,
	.get_drvinfo = card_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_channels = card_get_channels,
	.set_channels = card_set_channels,
	.get_rxfh_key_size = card_key_size,
	.get_rxfh_indir_size = card_table_size,
	.get_rxfh = card_get_rxfh,
	.set_rxfh = card_set_rxfh,
#ifdef CARD_HAVE_RXFH_FIELDS
	.get_rxfh_fields = card_get_fields,
	.set_rxfh_fields = card_set_fields,
#endif
	.get_rxnfc = card_get_rxnfc,
	.set_rxnfc = card_set_rxnfc,
	.get_coalesce = card_get_coalesce,
	.set_coalesce = card_set_coalesce,
};
