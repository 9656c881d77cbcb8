// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink operations of receive flow delivery: interfaces and destinations.
 */
#include <linux/netdevice.h>
#include <net/genetlink.h>
#include <net/ipv6.h>
#include <net/netlink.h>

#include <uapi/linux/fastsocket.h>

#include "connect/dest.h"
#include "connect/port.h"
#include "connect/rfd.h"
#include "connect/steer.h"
#include "netlink/message.h"
#include "netlink/netlink.h"
#include "netns.h"

const struct nla_policy fsk_netlink_rfd_policy[FSK_A_RFD_MAX + 1] = {
	[FSK_A_RFD_IFINDEX] = NLA_POLICY_MIN(NLA_S32, 1),
	[FSK_A_RFD_MODE] = NLA_POLICY_MAX(NLA_U8, FSK_RFD_NTUPLE),
	[FSK_A_RFD_KEY] = { .type = NLA_BINARY, .len = FSK_RFD_KEY_MAX },
	[FSK_A_RFD_TABLE] = { .type = NLA_BINARY,
			      .len = FSK_RFD_TABLE_MAX * sizeof(u32) },
	[FSK_A_RFD_HASH] = NLA_POLICY_MASK(NLA_U32, FSK_RFD_HASH_TCP4 |
						    FSK_RFD_HASH_TCP6),
};

const struct nla_policy fsk_netlink_rfd_del_policy[FSK_A_RFD_IFINDEX + 1] = {
	[FSK_A_RFD_IFINDEX] = NLA_POLICY_MIN(NLA_S32, 1),
};

/* Interfaces */

/* Attributes that rss mode needs. */
static int fsk_netlink_rfd_rss(struct genl_info *info, struct fsk_rfd *want,
			       unsigned int *cpus)
{
	struct nlattr *table = info->attrs[FSK_A_RFD_TABLE];
	struct nlattr *key = info->attrs[FSK_A_RFD_KEY];
	const u32 *cpu;
	unsigned int i;

	if (GENL_REQ_ATTR_CHECK(info, FSK_A_RFD_KEY) ||
	    GENL_REQ_ATTR_CHECK(info, FSK_A_RFD_TABLE) ||
	    GENL_REQ_ATTR_CHECK(info, FSK_A_RFD_HASH)) {
		GENL_SET_ERR_MSG(info, "rss mode: give key, table and hash");
		return -EINVAL;
	}
	if (nla_len(key) < FSK_RFD_KEY_MIN)
		return fsk_message_refuse(info, FSK_A_RFD_KEY, -EINVAL,
					  "give a key of 40 bytes or more");
	*cpus = nla_len(table) / sizeof(u32);
	if (nla_len(table) % sizeof(u32) || !is_power_of_2(*cpus))
		return fsk_message_refuse(info, FSK_A_RFD_TABLE, -EINVAL,
			"give a table of a power of two of 32-bit entries");
	cpu = nla_data(table);
	for (i = 0; i < *cpus; i++) {
		if (cpu[i] < nr_cpu_ids && cpu_possible(cpu[i]))
			continue;
		return fsk_message_refuse(info, FSK_A_RFD_TABLE, -EINVAL,
			"the table has a core that does not exist");
	}
	want->hash = nla_get_u32(info->attrs[FSK_A_RFD_HASH]);
	if (!want->hash)
		return fsk_message_refuse(info, FSK_A_RFD_HASH, -EINVAL,
			"the interface hashes no ports: use another mode");
	want->key_len = nla_len(key);
	nla_memcpy(want->key, key, sizeof(want->key));
	return 0;
}

static struct fsk_rfd *fsk_netlink_rfd_parse(struct genl_info *info)
{
	struct nlattr *table = info->attrs[FSK_A_RFD_TABLE];
	struct fsk_rfd *want, *rfd;
	unsigned int cpus = 0;
	int err = 0;

	if (GENL_REQ_ATTR_CHECK(info, FSK_A_RFD_IFINDEX) ||
	    GENL_REQ_ATTR_CHECK(info, FSK_A_RFD_MODE)) {
		GENL_SET_ERR_MSG(info, "give ifindex and mode");
		return ERR_PTR(-EINVAL);
	}
	/* Too large for the stack. */
	want = kzalloc(sizeof(*want), GFP_KERNEL);
	if (!want)
		return ERR_PTR(-ENOMEM);
	want->ifindex = nla_get_s32(info->attrs[FSK_A_RFD_IFINDEX]);
	want->mode = nla_get_u8(info->attrs[FSK_A_RFD_MODE]);
	if (want->mode == FSK_RFD_RSS)
		err = fsk_netlink_rfd_rss(info, want, &cpus);
	rfd = err ? ERR_PTR(err) :
		    fsk_rfd_create(want, cpus ? nla_data(table) : NULL, cpus);
	kfree(want);
	return rfd ?: ERR_PTR(-ENOMEM);
}

/* A device that is found with the mutex held tells us when it goes. */
static int __fsk_netlink_rfd_set(struct fsk_net *fn, struct genl_info *info,
				 struct fsk_rfd *rfd)
{
	struct net_device *dev;
	struct fsk_rfd *before;
	int err;

	dev = dev_get_by_index(fn->net, rfd->ifindex);
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[FSK_A_RFD_IFINDEX],
				    "there is no such interface");
		kfree(rfd);
		return -ENODEV;
	}
	dev_put(dev);
	before = fsk_rfd_set(fn, rfd);
	err = fsk_steer_update(fn);
	if (!err) {
		if (before)
			kfree_rcu(before, rcu);
		return 0;
	}
	GENL_SET_ERR_MSG(info, "steering did not start");
	fsk_rfd_del(fn, rfd->ifindex);
	if (before)
		fsk_rfd_set(fn, before);
	return err;
}

/* Where ports are chosen for a card, packets that it brings to another core are
 * moved, too.  See fsk_netlink_config_check().
 */
static bool fsk_netlink_rfd_moves(u8 mode)
{
	return mode != FSK_RFD_OFF && mode != FSK_RFD_MASK;
}

/* Whether the kernel and the caller's rights allow a mode, which @attr has. */
int fsk_netlink_rfd_check(struct sk_buff *skb, struct genl_info *info, int attr)
{
	u8 mode = nla_get_u8(info->attrs[attr]);

	if (mode == FSK_RFD_STEER && fsk_steer_forbidden())
		return fsk_message_refuse(info, attr, -EOPNOTSUPP,
			"a real-time kernel moves no packets: use mask, or rss or ntuple with a card that has them");
	if (fsk_netlink_rfd_moves(mode) && !netlink_capable(skb, CAP_NET_ADMIN))
		return fsk_message_refuse(info, attr, -EPERM,
			"moving packets to other CPUs is not for containers: set it from outside");
	return 0;
}

int fsk_netlink_rfd_set(struct sk_buff *skb, struct genl_info *info)
{
	struct fsk_net *fn = fsk_net_of(genl_info_net(info));
	struct fsk_rfd *rfd;
	int err;

	rfd = fsk_netlink_rfd_parse(info);
	if (IS_ERR(rfd))
		return PTR_ERR(rfd);
	err = fsk_netlink_rfd_check(skb, info, FSK_A_RFD_MODE);
	if (err) {
		kfree(rfd);
		return err;
	}
	mutex_lock(&fn->settings_mutex);
	mutex_lock(&fn->mutex);
	err = __fsk_netlink_rfd_set(fn, info, rfd);
	mutex_unlock(&fn->mutex);
	mutex_unlock(&fn->settings_mutex);
	return err;
}

int fsk_netlink_rfd_del(struct sk_buff *skb, struct genl_info *info)
{
	struct fsk_net *fn = fsk_net_of(genl_info_net(info));
	bool found;

	if (GENL_REQ_ATTR_CHECK(info, FSK_A_RFD_IFINDEX)) {
		GENL_SET_ERR_MSG(info, "give ifindex");
		return -EINVAL;
	}
	mutex_lock(&fn->settings_mutex);
	mutex_lock(&fn->mutex);
	found = fsk_rfd_del(fn, nla_get_s32(info->attrs[FSK_A_RFD_IFINDEX]));
	fsk_steer_update(fn);	/* can only stop it */
	mutex_unlock(&fn->mutex);
	mutex_unlock(&fn->settings_mutex);
	if (found)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[FSK_A_RFD_IFINDEX],
			    "this interface has no mode of its own");
	return -ENOENT;
}

static int fsk_netlink_rfd_put(struct sk_buff *msg, const struct fsk_rfd *rfd)
{
	if (nla_put_s32(msg, FSK_A_RFD_IFINDEX, rfd->ifindex) ||
	    nla_put_u8(msg, FSK_A_RFD_MODE, rfd->mode))
		return -EMSGSIZE;
	if (rfd->mode != FSK_RFD_RSS)
		return 0;
	if (nla_put(msg, FSK_A_RFD_KEY, rfd->key_len, rfd->key) ||
	    nla_put(msg, FSK_A_RFD_TABLE, (rfd->mask + 1) * sizeof(u32),
		    rfd->cpu) ||
	    nla_put_u32(msg, FSK_A_RFD_HASH, rfd->hash))
		return -EMSGSIZE;
	return 0;
}

static int fsk_netlink_rfd_row(struct sk_buff *msg,
			       struct netlink_callback *cb,
			       const struct fsk_rfd *rfd)
{
	void *hdr;

	hdr = fsk_message_row(msg, cb, FSK_CMD_RFD_GET);
	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	if (fsk_netlink_rfd_put(msg, rfd)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

/* Asks for room for the largest row, however small the reader's buffer: a row
 * that fits in no message would end the list.
 */
int fsk_netlink_rfd_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = nlmsg_total_size(GENL_HDRLEN) +
			     nla_total_size(sizeof(s32)) +
			     nla_total_size(sizeof(u8)) +
			     nla_total_size(FSK_RFD_KEY_MAX) +
			     nla_total_size(FSK_RFD_TABLE_MAX * sizeof(u32)) +
			     nla_total_size(sizeof(u32));
	return 0;
}

/* args[0] counts the interfaces that earlier messages held. */
int fsk_netlink_rfd_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct fsk_net *fn = fsk_net_of(sock_net(msg->sk));
	const struct fsk_rfd *rfd;
	int chain, err = 0;
	long nr = 0;

	mutex_lock(&fn->mutex);
	cb->seq = fn->rfd_stamp;
	for (chain = 0; chain < FSK_NET_RFD; chain++) {
		hlist_for_each_entry(rfd, &fn->rfd[chain], node) {
			if (nr++ < cb->args[0])
				continue;
			err = fsk_netlink_rfd_row(msg, cb, rfd);
			if (err)
				goto out;
			cb->args[0] = nr;
		}
	}
out:
	mutex_unlock(&fn->mutex);
	return msg->len ? msg->len : err;
}

/* Destinations */

static int fsk_netlink_dest_addr(struct sk_buff *msg, int attr, bool ipv6,
				 const struct in6_addr *addr)
{
	return ipv6 ? nla_put_in6_addr(msg, attr, addr) :
		      nla_put_in_addr(msg, attr, addr->s6_addr32[3]);
}

static int fsk_netlink_dest_put(struct sk_buff *msg, struct fsk_net *fn,
				const struct fsk_dest *dest, int cpu)
{
	u32 share;
	u8 mode;

	share = fsk_port_share(fn, dest, cpu, &mode);
	if (nla_put_u32(msg, FSK_A_DEST_CPU, cpu) ||
	    nla_put_u8(msg, FSK_A_DEST_FAMILY,
		       dest->key.ipv6 ? AF_INET6 : AF_INET) ||
	    fsk_netlink_dest_addr(msg, FSK_A_DEST_ADDR, dest->key.ipv6,
				  &dest->route.daddr) ||
	    nla_put_u16(msg, FSK_A_DEST_PORT, ntohs(dest->key.dport)) ||
	    fsk_netlink_dest_addr(msg, FSK_A_DEST_SRC, dest->key.ipv6,
				  &dest->route.saddr) ||
	    nla_put_u32(msg, FSK_A_DEST_IFINDEX, dest->route.ifindex) ||
	    nla_put_u8(msg, FSK_A_DEST_MODE, mode) ||
	    nla_put_u32(msg, FSK_A_DEST_RANGE, fsk_dest_range(&dest->key)) ||
	    nla_put_u32(msg, FSK_A_DEST_SHARE, share))
		return -EMSGSIZE;
	if (nla_put_u64_64bit(msg, FSK_A_DEST_OWN, dest->nr_own,
			      FSK_A_DEST_PAD) ||
	    nla_put_u64_64bit(msg, FSK_A_DEST_ANY, dest->nr_any,
			      FSK_A_DEST_PAD) ||
	    nla_put_u64_64bit(msg, FSK_A_DEST_PROBES, dest->nr_probes,
			      FSK_A_DEST_PAD) ||
	    nla_put_u64_64bit(msg, FSK_A_DEST_CLASHES, dest->nr_clashes,
			      FSK_A_DEST_PAD))
		return -EMSGSIZE;
	if (dest->own.used_up && nla_put_flag(msg, FSK_A_DEST_USED_UP))
		return -EMSGSIZE;
	return 0;
}

static int fsk_netlink_dest_row(struct sk_buff *msg,
				struct netlink_callback *cb,
				const struct fsk_dest *dest, int cpu)
{
	struct fsk_net *fn = fsk_net_of(sock_net(msg->sk));
	void *hdr;

	hdr = fsk_message_row(msg, cb, FSK_CMD_DEST_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (fsk_netlink_dest_put(msg, fn, dest, cpu)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

/* Copies a destination of this namespace.  Return: whether there is one. */
static bool fsk_netlink_dest_copy(struct fsk_dest_table *table, long i,
				  u64 net_cookie, struct fsk_dest *copy)
{
	spin_lock(&table->lock);
	*copy = table->dest[i / FSK_DEST_WAYS][i % FSK_DEST_WAYS];
	spin_unlock(&table->lock);
	return copy->key.net_cookie == net_cookie;
}

/* args[0] is the next CPU, args[1] the next slot in its table. */
int fsk_netlink_dest_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	u64 net_cookie = sock_net(msg->sk)->net_cookie;
	struct fsk_dest_table *table;
	struct fsk_dest copy;

	for (; cb->args[0] < nr_cpu_ids; cb->args[0]++, cb->args[1] = 0) {
		table = cpu_possible(cb->args[0]) ?
			fsk_dest_table_peek(cb->args[0]) : NULL;
		if (!table)
			continue;
		for (; cb->args[1] < FSK_DEST_SETS * FSK_DEST_WAYS;
		     cb->args[1]++) {
			if (!fsk_netlink_dest_copy(table, cb->args[1],
						   net_cookie, &copy))
				continue;
			if (fsk_netlink_dest_row(msg, cb, &copy, table->cpu))
				return msg->len;
			cond_resched();
		}
	}
	return msg->len;
}
