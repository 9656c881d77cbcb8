// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family: policies and operations.  It shows state that others keep
 * and stores settings that others read; it decides nothing.
 *
 * Everything concerns the caller's network namespace.  Each mechanism has a
 * file of its own; this one has status, counters and settings.
 */
#include "netlink/netlink.h"

#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/utsname.h>
#include <net/genetlink.h>
#include <net/ipv6.h>
#include <net/netlink.h>
#include <net/sock.h>

#include <uapi/linux/fastsocket.h>

#include "compat.h"
#include "connect/rfd.h"
#include "connect/steer.h"
#include "established/est.h"
#include "files/pool.h"
#include "files/vfs.h"
#include "host.h"
#include "listen/claim.h"
#include "listen/listen.h"
#include "listen/options.h"
#include "listen/owner.h"
#include "listen/rescue.h"
#include "listen/ref.h"
#include "netlink/message.h"
#include "netns.h"
#include "stats.h"
#include "version.h"

/* Status */

static int fsk_netlink_put_feature(struct sk_buff *msg, const char *name,
				   bool enabled, const char *reason)
{
	struct nlattr *nest = nla_nest_start(msg, FSK_A_STATUS_FEATURE);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_string(msg, FSK_A_FEATURE_NAME, name) ||
	    nla_put_u8(msg, FSK_A_FEATURE_ENABLED, enabled) ||
	    nla_put_string(msg, FSK_A_FEATURE_REASON, reason))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static const char *fsk_netlink_vfs_reason(bool vfs)
{
	if (fsk_vfs_forbidden())
		return fsk_vfs_forbidden();
	return vfs ? "vfs is on" : "vfs is off";
}

static int fsk_netlink_put_features(struct sk_buff *msg, struct fsk_net *fn)
{
	bool hooked = READ_ONCE(fn->hooked);
	bool rescue = READ_ONCE(fn->rescue_ms);
	bool ipv6 = fsk_host_get(AF_INET6);
	bool ports = fsk_compat_has_port_range();
	bool steering = READ_ONCE(fn->steering);
	bool est = READ_ONCE(fn->est_on);
	bool vfs = READ_ONCE(fn->vfs);

	if (fsk_netlink_put_feature(msg, "listen", true,
				    "for listeners that join") ||
	    fsk_netlink_put_feature(msg, "connect", ports, ports ?
				    "for sockets that connect" :
				    "this kernel has no port ranges") ||
	    fsk_netlink_put_feature(msg, "steer", steering, steering ?
				    "rfd or rfd-count ask for it" :
				    "no interface is in steer mode") ||
	    fsk_netlink_put_feature(msg, "ipv6", ipv6, ipv6 ?
				    "the kernel has IPv6" :
				    "the kernel has no IPv6") ||
	    fsk_netlink_put_feature(msg, "vfs", vfs && !fsk_vfs_forbidden(),
				    fsk_netlink_vfs_reason(vfs)) ||
	    fsk_netlink_put_feature(msg, "rescue", rescue, rescue ?
				    "rescue-ms is set" : "rescue-ms is 0") ||
	    fsk_netlink_put_feature(msg, "established", est, est ?
				    "established is on" :
				    "established is off") ||
	    fsk_netlink_put_feature(msg, "hooks", hooked, hooked ?
				    "a listener has joined here" :
				    "no listener has joined here"))
		return -EMSGSIZE;
	return 0;
}

static int fsk_netlink_status_get(struct sk_buff *skb, struct genl_info *info)
{
	struct fsk_net *fn = fsk_net_of(genl_info_net(info));
	struct sk_buff *msg;
	void *hdr;

	msg = fsk_message_reply(info, &hdr);
	if (!msg)
		return -ENOMEM;
	if (nla_put_string(msg, FSK_A_STATUS_VERSION, FSK_VERSION) ||
	    nla_put_string(msg, FSK_A_STATUS_KERNEL,
			   init_utsname()->release) ||
	    nla_put_u32(msg, FSK_A_STATUS_LISTENERS,
			READ_ONCE(fn->nr_listeners)) ||
	    nla_put_u32(msg, FSK_A_STATUS_LOCALS,
			atomic_read(&fn->nr_locals)) ||
	    fsk_netlink_put_features(msg, fn)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

/* Counters */

static bool fsk_netlink_stats_any(const struct fsk_stats *stats)
{
	int i;

	for (i = 0; i < __FSK_STAT_MAX; i++)
		if (READ_ONCE(stats->n[i]))
			return true;
	return false;
}

static int fsk_netlink_put_stats(struct sk_buff *msg, int cpu,
				 const struct fsk_stats *stats)
{
	struct nlattr *nest;
	int i;

	if (nla_put_u32(msg, FSK_A_STATS_CPU, cpu))
		return -EMSGSIZE;
	nest = nla_nest_start(msg, FSK_A_STATS_COUNTERS);
	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < __FSK_STAT_MAX; i++)
		if (nla_put_u64_64bit(msg, FSK_STAT_TO_ATTR(i),
				      READ_ONCE(stats->n[i]),
				      FSK_A_COUNTER_PAD))
			return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/* Puts what a core has counted into its row. */
typedef int fsk_netlink_put_cpu_t(struct sk_buff *msg, int cpu,
				  const struct fsk_stats *stats);

static int fsk_netlink_cpu(struct sk_buff *msg, struct netlink_callback *cb,
			   u8 cmd, fsk_netlink_put_cpu_t *put, int cpu,
			   const struct fsk_stats *stats)
{
	void *hdr;

	hdr = fsk_message_row(msg, cb, cmd);
	if (!hdr)
		return -EMSGSIZE;
	if (put(msg, cpu, stats)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

/* A row for each core.  args[0] is the next one. */
static int fsk_netlink_cpus(struct sk_buff *msg, struct netlink_callback *cb,
			    u8 cmd, fsk_netlink_put_cpu_t *put)
{
	struct fsk_net *fn = fsk_net_of(sock_net(msg->sk));
	const struct fsk_stats *stats;
	int err = 0;
	int cpu;

	for (cpu = cb->args[0]; cpu < nr_cpu_ids; cpu++) {
		if (!cpu_possible(cpu))
			continue;
		stats = per_cpu_ptr(fn->stats, cpu);
		if (!cpu_online(cpu) && !fsk_netlink_stats_any(stats))
			continue;
		err = fsk_netlink_cpu(msg, cb, cmd, put, cpu, stats);
		if (err)
			break;
	}
	cb->args[0] = cpu;
	return msg->len ? msg->len : err;
}

static int fsk_netlink_stats_dump(struct sk_buff *msg,
				  struct netlink_callback *cb)
{
	return fsk_netlink_cpus(msg, cb, FSK_CMD_STATS_GET,
				fsk_netlink_put_stats);
}

/* Latency */

/* The core may count meanwhile. */
static int fsk_netlink_put_latency(struct sk_buff *msg, int cpu,
				   const struct fsk_stats *stats)
{
	const struct fsk_stats_latency *latency = &stats->latency;

	if (nla_put_u32(msg, FSK_A_LATENCY_CPU, cpu) ||
	    nla_put(msg, FSK_A_LATENCY_WAIT, sizeof(latency->wait),
		    latency->wait) ||
	    nla_put(msg, FSK_A_LATENCY_SYN, sizeof(latency->syn),
		    latency->syn))
		return -EMSGSIZE;
	return 0;
}

static int fsk_netlink_latency_dump(struct sk_buff *msg,
				    struct netlink_callback *cb)
{
	return fsk_netlink_cpus(msg, cb, FSK_CMD_LATENCY_GET,
				fsk_netlink_put_latency);
}

/* Settings */

static int fsk_netlink_config_get(struct sk_buff *skb, struct genl_info *info)
{
	struct fsk_net *fn = fsk_net_of(genl_info_net(info));
	struct sk_buff *msg;
	void *hdr;

	msg = fsk_message_reply(info, &hdr);
	if (!msg)
		return -ENOMEM;
	if (nla_put_u32(msg, FSK_A_CONFIG_RESCUE_MS,
			READ_ONCE(fn->rescue_ms)) ||
	    nla_put_u32(msg, FSK_A_CONFIG_LATE_MS, READ_ONCE(fn->late_ms)) ||
	    nla_put_u8(msg, FSK_A_CONFIG_RFD, READ_ONCE(fn->rfd_mode)) ||
	    nla_put_u8(msg, FSK_A_CONFIG_RFD_COUNT,
		       READ_ONCE(fn->rfd_count)) ||
	    fsk_netlink_est_config_put(msg, fn) ||
	    nla_put_u32(msg, FSK_A_CONFIG_LOCALS_MAX, fsk_owner_max()) ||
	    nla_put_u8(msg, FSK_A_CONFIG_VFS, READ_ONCE(fn->vfs))) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

static int fsk_netlink_config_rfd(struct fsk_net *fn, struct genl_info *info)
{
	struct nlattr *count = info->attrs[FSK_A_CONFIG_RFD_COUNT];
	struct nlattr *mode = info->attrs[FSK_A_CONFIG_RFD];
	bool old_count = fn->rfd_count;
	u8 old_mode = fn->rfd_mode;
	int err;

	WRITE_ONCE(fn->rfd_mode, mode ? nla_get_u8(mode) : old_mode);
	WRITE_ONCE(fn->rfd_count, count ? nla_get_u8(count) : old_count);
	err = fsk_steer_update(fn);
	if (!err)
		return 0;
	WRITE_ONCE(fn->rfd_mode, old_mode);
	WRITE_ONCE(fn->rfd_count, old_count);
	GENL_SET_ERR_MSG(info, "the hooks could not be registered");
	return err;
}

static bool fsk_netlink_config_any(const struct genl_info *info)
{
	int i;

	for (i = 1; i <= FSK_A_CONFIG_MAX; i++)
		if (info->attrs[i])
			return true;
	return false;
}

/* The administrator of a namespace may be any user, in a user namespace of its
 * own.  Each setting that it may change, and why that harms nobody outside:
 *
 * rescue-ms, late-ms: when timers of this namespace's own listeners run out;
 *	there is one for each queue that is not empty or was not a quarter
 *	of a second ago, at most once a millisecond.
 * rfd=off, mask: which source ports this namespace's sockets prefer.
 * rfd-count: counts this namespace's packets, in its own hooks.
 * established, established-after: tables for this namespace's connections,
 *	whose size follows their number, and its own hooks.  Toggling it makes
 *	the kernel patch its text, as nftables in such a namespace does.
 * vfs: pools of this namespace's listeners; charged to the memory cgroup that
 *	fills them, bounded by locals-max, and given up to reclaim.
 *
 * And what it may not:
 *
 * rfd=steer (and rfd set of steer, rss and ntuple, which move packets as well):
 *	packets are moved to whatever CPU a port names, also one that the
 *	caller's tasks are kept off, by queues that all namespaces share.  The
 *	kernel wants as much for rps_cpus.
 * locals-max: holds for the machine.
 */
static int fsk_netlink_config_check(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *locals_max = info->attrs[FSK_A_CONFIG_LOCALS_MAX];
	struct nlattr *mode = info->attrs[FSK_A_CONFIG_RFD];
	struct nlattr *vfs = info->attrs[FSK_A_CONFIG_VFS];

	if (!fsk_netlink_config_any(info)) {
		GENL_SET_ERR_MSG(info, "give a setting");
		return -EINVAL;
	}
	if (locals_max && !netlink_capable(skb, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG_ATTR(info->extack, locals_max,
				    "set this limit outside the container");
		return -EPERM;
	}
	if (vfs && nla_get_u8(vfs) && fsk_vfs_forbidden()) {
		NL_SET_ERR_MSG_ATTR(info->extack, vfs,
				    "this kernel's security module labels sockets in accept4(): leave vfs off");
		return -EOPNOTSUPP;
	}
	if (mode && fsk_rfd_by_nic(nla_get_u8(mode))) {
		NL_SET_ERR_MSG_ATTR(info->extack, mode,
				    "this mode is set for each interface");
		return -EINVAL;
	}
	if (mode && nla_get_u8(mode) == FSK_RFD_STEER)
		return fsk_netlink_rfd_check(skb, info, FSK_A_CONFIG_RFD);
	return 0;
}

/* What needs memory, or may be refused for what else the namespace has: all of
 * it is done, or nothing.
 */
static int fsk_netlink_config_hooks(struct fsk_net *fn, struct genl_info *info)
{
	bool est_on = fn->est_on;
	u32 est_after = fn->est_after;
	int err;

	err = fsk_netlink_est_config(fn, info);
	if (err)
		return err;
	err = fsk_netlink_config_rfd(fn, info);
	if (err)
		fsk_netlink_est_restore(fn, est_on, est_after);
	return err;
}

static void fsk_netlink_config_vfs(struct fsk_net *fn, struct genl_info *info)
{
	struct nlattr *vfs = info->attrs[FSK_A_CONFIG_VFS];

	if (!vfs)
		return;
	WRITE_ONCE(fn->vfs, nla_get_u8(vfs));
	if (!fn->vfs)
		__fsk_vfs_drain(fn);
}

static void fsk_netlink_config_limits(struct fsk_net *fn,
				      struct genl_info *info)
{
	struct nlattr *rescue_ms = info->attrs[FSK_A_CONFIG_RESCUE_MS];
	struct nlattr *late_ms = info->attrs[FSK_A_CONFIG_LATE_MS];

	if (rescue_ms)
		WRITE_ONCE(fn->rescue_ms, nla_get_u32(rescue_ms));
	if (late_ms)
		WRITE_ONCE(fn->late_ms, nla_get_u32(late_ms));
	if (rescue_ms || late_ms)
		fsk_rescue_limits_changed(fn);
}

static int fsk_netlink_config_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *locals_max = info->attrs[FSK_A_CONFIG_LOCALS_MAX];
	struct fsk_net *fn = fsk_net_of(genl_info_net(info));
	int err;

	err = fsk_netlink_config_check(skb, info);
	if (err)
		return err;
	mutex_lock(&fn->settings_mutex);
	mutex_lock(&fn->mutex);
	err = fsk_netlink_config_hooks(fn, info);
	if (!err) {
		fsk_netlink_config_vfs(fn, info);
		fsk_netlink_config_limits(fn, info);
	}
	mutex_unlock(&fn->mutex);
	mutex_unlock(&fn->settings_mutex);
	if (!err && locals_max)
		fsk_owner_set_max(nla_get_u32(locals_max));
	return err;
}

/* The family */

/* Not const: up to 6.6 the policy has a pointer to non-const. */
static struct netlink_range_validation
fsk_netlink_rescue_range __ro_after_init = {
	.max = FSK_RESCUE_MS_MAX,
};

static struct netlink_range_validation
fsk_netlink_late_range __ro_after_init = {
	.min = 1,
	.max = FSK_LATE_MS_MAX,
};

static struct netlink_range_validation
fsk_netlink_locals_range __ro_after_init = {
	.max = FSK_LOCALS_MAX_MAX,
};

static const struct nla_policy fsk_netlink_config_policy[] = {
	[FSK_A_CONFIG_RESCUE_MS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &fsk_netlink_rescue_range),
	[FSK_A_CONFIG_RFD] = NLA_POLICY_MAX(NLA_U8, FSK_RFD_NTUPLE),
	[FSK_A_CONFIG_RFD_COUNT] = NLA_POLICY_MAX(NLA_U8, 1),
	[FSK_A_CONFIG_ESTABLISHED] = NLA_POLICY_MAX(NLA_U8, 1),
	[FSK_A_CONFIG_ESTABLISHED_AFTER] = { .type = NLA_U32 },
	[FSK_A_CONFIG_LOCALS_MAX] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &fsk_netlink_locals_range),
	[FSK_A_CONFIG_VFS] = NLA_POLICY_MAX(NLA_U8, 1),
	[FSK_A_CONFIG_LATE_MS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &fsk_netlink_late_range),
};

/* A request without a policy takes no attributes: the kernel refuses all, so
 * that a filter of a later version is not silently ignored.
 */
static const struct genl_ops fsk_netlink_ops[] = {
	{
		.cmd	 = FSK_CMD_STATUS_GET,
		.doit	 = fsk_netlink_status_get,
	}, {
		.cmd	 = FSK_CMD_LISTEN_GET,
		.dumpit	 = fsk_netlink_listen_dump,
	}, {
		.cmd	 = FSK_CMD_STATS_GET,
		.dumpit	 = fsk_netlink_stats_dump,
	}, {
		.cmd	 = FSK_CMD_CONFIG_GET,
		.doit	 = fsk_netlink_config_get,
	}, {
		.cmd	 = FSK_CMD_CONFIG_SET,
		.doit	 = fsk_netlink_config_set,
		.flags	 = GENL_UNS_ADMIN_PERM,
		.policy	 = fsk_netlink_config_policy,
		.maxattr = ARRAY_SIZE(fsk_netlink_config_policy) - 1,
	}, {
		.cmd	 = FSK_CMD_RFD_GET,
		.start	 = fsk_netlink_rfd_start,
		.dumpit	 = fsk_netlink_rfd_dump,
	}, {
		.cmd	 = FSK_CMD_RFD_SET,
		.doit	 = fsk_netlink_rfd_set,
		.flags	 = GENL_UNS_ADMIN_PERM,
		.policy	 = fsk_netlink_rfd_policy,
		.maxattr = FSK_A_RFD_MAX,
	}, {
		.cmd	 = FSK_CMD_RFD_DEL,
		.doit	 = fsk_netlink_rfd_del,
		.flags	 = GENL_UNS_ADMIN_PERM,
		.policy	 = fsk_netlink_rfd_del_policy,
		.maxattr = FSK_A_RFD_IFINDEX,
	}, {
		/* Tells of connections that are closed, too. */
		.cmd	 = FSK_CMD_DEST_GET,
		.dumpit	 = fsk_netlink_dest_dump,
		.flags	 = GENL_UNS_ADMIN_PERM,
	}, {
		.cmd	 = FSK_CMD_EST_GET,
		.dumpit	 = fsk_netlink_est_dump,
	}, {
		.cmd	 = FSK_CMD_CONN_GET,
		.dumpit	 = fsk_netlink_conn_dump,
	}, {
		.cmd	 = FSK_CMD_VFS_GET,
		.dumpit	 = fsk_netlink_vfs_dump,
	}, {
		.cmd	 = FSK_CMD_CGROUP_GET,
		.start	 = fsk_netlink_cgroup_start,
		.dumpit	 = fsk_netlink_cgroup_dump,
		.flags	 = GENL_ADMIN_PERM,
	}, {
		.cmd	 = FSK_CMD_CGROUP_ADD,
		.doit	 = fsk_netlink_cgroup_add,
		.flags	 = GENL_ADMIN_PERM,
		.policy	 = fsk_netlink_cgroup_policy,
		.maxattr = FSK_A_CGROUP_PATH,
	}, {
		.cmd	 = FSK_CMD_CGROUP_DEL,
		.doit	 = fsk_netlink_cgroup_del,
		.flags	 = GENL_ADMIN_PERM,
		.policy	 = fsk_netlink_cgroup_policy,
		.maxattr = FSK_A_CGROUP_PATH,
	}, {
		.cmd	 = FSK_CMD_LATENCY_GET,
		.dumpit	 = fsk_netlink_latency_dump,
	},
};

static struct genl_family fsk_netlink_family __ro_after_init = {
	.name		= FSK_GENL_NAME,
	.version	= FSK_GENL_VERSION,
	.module		= THIS_MODULE,
	.netnsok	= true,
	.parallel_ops	= true,
	.ops		= fsk_netlink_ops,
	.n_ops		= ARRAY_SIZE(fsk_netlink_ops),
};

/**
 * fsk_netlink_init() - register the family
 *
 * Context: Process, at module load, after the namespaces' state exists.
 * Return: 0 or a negative errno.
 */
int __init fsk_netlink_init(void)
{
	fsk_message_family = &fsk_netlink_family;
	return genl_register_family(&fsk_netlink_family);
}

/**
 * fsk_netlink_exit() - unregister it
 *
 * Context: Process, at unload.  Dumps hold the module, so none is under way.
 */
void fsk_netlink_exit(void)
{
	genl_unregister_family(&fsk_netlink_family);
}
