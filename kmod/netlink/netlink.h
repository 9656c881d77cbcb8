/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_NETLINK_H
#define FSK_NETLINK_H

#include <net/genetlink.h>

struct fsk_net;

extern const struct nla_policy fsk_netlink_rfd_policy[];
extern const struct nla_policy fsk_netlink_cgroup_policy[];
extern const struct nla_policy fsk_netlink_rfd_del_policy[];

int fsk_netlink_listen_dump(struct sk_buff *msg, struct netlink_callback *cb);

int fsk_netlink_vfs_dump(struct sk_buff *msg, struct netlink_callback *cb);

int fsk_netlink_cgroup_add(struct sk_buff *skb, struct genl_info *info);
int fsk_netlink_cgroup_del(struct sk_buff *skb, struct genl_info *info);
int fsk_netlink_cgroup_start(struct netlink_callback *cb);
int fsk_netlink_cgroup_dump(struct sk_buff *msg, struct netlink_callback *cb);

int fsk_netlink_rfd_check(struct sk_buff *skb, struct genl_info *info,
			  int attr);
int fsk_netlink_rfd_set(struct sk_buff *skb, struct genl_info *info);
int fsk_netlink_rfd_del(struct sk_buff *skb, struct genl_info *info);
int fsk_netlink_rfd_start(struct netlink_callback *cb);
int fsk_netlink_rfd_dump(struct sk_buff *msg, struct netlink_callback *cb);
int fsk_netlink_dest_dump(struct sk_buff *msg, struct netlink_callback *cb);

int fsk_netlink_est_config_put(struct sk_buff *msg, const struct fsk_net *fn);
int fsk_netlink_est_config(struct fsk_net *fn, struct genl_info *info);
void fsk_netlink_est_restore(struct fsk_net *fn, bool on, u32 after);
int fsk_netlink_est_dump(struct sk_buff *msg, struct netlink_callback *cb);
int fsk_netlink_conn_dump(struct sk_buff *msg, struct netlink_callback *cb);

int fsk_netlink_init(void);
void fsk_netlink_exit(void);

#endif
