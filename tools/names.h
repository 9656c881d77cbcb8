/* SPDX-License-Identifier: MIT */
/*
 * Names of the counters, made by include/netlink/generate from
 * include/netlink/fastsocket.yaml: do not edit.
 */

#ifndef _FSK_NAMES_H
#define _FSK_NAMES_H

#include <linux/fastsocket.h>

static const struct {
	const char *name;
	const char *help;
} fsk_stat_names[__FSK_STAT_MAX] = {
	[FSK_STAT_SYN_LOCAL] = {
		"syn-local",
		"SYN given to the local listener of the core it arrived on",
	},
	[FSK_STAT_SYN_UNCLAIMED] = {
		"syn-unclaimed",
		"SYN left alone, no worker to take it",
	},
	[FSK_STAT_SYN_ORPHANED] = {
		"syn-orphaned",
		"SYN left alone, worker of its core gone or late",
	},
	[FSK_STAT_SYN_BYPASSED] = {
		"syn-bypassed",
		"SYN left alone, the listener asks for that",
	},
	[FSK_STAT_SYN_TIMEWAIT] = {
		"syn-timewait",
		"SYN that reuses a closing connection",
	},
	[FSK_STAT_SYN_SK_LOOKUP] = {
		"syn-sk-lookup",
		"SYN left alone, BPF sk_lookup decides",
	},
	[FSK_STAT_COOKIE_LOCAL] = {
		"cookie-local",
		"ACK of a SYN cookie given to a local listener",
	},
	[FSK_STAT_ACCEPT_LOCAL] = {
		"accept-local",
		"accepted from the queue of the same core",
	},
	[FSK_STAT_ACCEPT_APP] = {
		"accept-app",
		"accepted from the application's socket",
	},
	[FSK_STAT_ACCEPT_OTHER] = {
		"accept-other",
		"accepted from the queue of another core",
	},
	[FSK_STAT_OVERFLOW] = {
		"overflow",
		"connection request or connection dropped, a queue was full",
	},
	[FSK_STAT_CHILD_FAILED] = {
		"child-failed",
		"connection dropped, no socket could be made",
	},
	[FSK_STAT_WAKE_LOCAL] = {
		"wake-local",
		"wake-ups of a worker by its local listener",
	},
	[FSK_STAT_WAKE_APP] = {
		"wake-app",
		"wake-ups by the application's socket",
	},
	[FSK_STAT_RESCUE] = {
		"rescue",
		"queues which were orphaned",
	},
	[FSK_STAT_RESCUED] = {
		"rescued",
		"connections taken from an orphaned queue",
	},
	[FSK_STAT_LOCAL_CREATE] = {
		"local-create",
		"local listeners made",
	},
	[FSK_STAT_LOCAL_NOMEM] = {
		"local-nomem",
		"local listeners not made, no memory",
	},
	[FSK_STAT_CONNECT_OWN] = {
		"connect-own",
		"connections opened from a port of their core",
	},
	[FSK_STAT_CONNECT_ANY] = {
		"connect-any",
		"connections opened from another port, its own used up",
	},
	[FSK_STAT_CONNECT_KERNEL] = {
		"connect-kernel",
		"connections of primed sockets from a port the kernel chose",
	},
	[FSK_STAT_CONNECT_PROBE] = {
		"connect-probe",
		"source ports looked at",
	},
	[FSK_STAT_CONNECT_CLASH] = {
		"connect-clash",
		"source ports which the kernel refused",
	},
	[FSK_STAT_RFD_HIT] = {
		"rfd-hit",
		"packets of such connections which came in on their core",
	},
	[FSK_STAT_RFD_MISS] = {
		"rfd-miss",
		"packets of such connections which came in on another core",
	},
	[FSK_STAT_RFD_STEERED] = {
		"rfd-steered",
		"packets taken over by their core",
	},
	[FSK_STAT_RFD_DROP] = {
		"rfd-drop",
		"packets dropped on the way to their core",
	},
	[FSK_STAT_LOCAL_LIMIT] = {
		"local-limit",
		"local listeners not made, the owner has as many as it may",
	},
	[FSK_STAT_RFD_TURN] = {
		"rfd-turn",
		"times a connection's packets went over to the core that serves it",
	},
	[FSK_STAT_VFS_ACCEPT] = {
		"vfs-accept",
		"connections accepted by FSK_IOC_ACCEPT",
	},
	[FSK_STAT_VFS_REUSE] = {
		"vfs-reuse",
		"those with a socket file made of one that was closed before",
	},
	[FSK_STAT_VFS_EARLY] = {
		"vfs-early",
		"those with a new one: none was closed long enough ago",
	},
	[FSK_STAT_VFS_RENEW] = {
		"vfs-renew",
		"calls sent to accept4(), which asks the security module",
	},
	[FSK_STAT_VFS_REFUSE] = {
		"vfs-refuse",
		"calls sent to accept4(), the task is watched or not bound to a core",
	},
	[FSK_STAT_VFS_BUSY] = {
		"vfs-busy",
		"socket files not used again, open for long",
	},
	[FSK_STAT_VFS_CHANGED] = {
		"vfs-changed",
		"socket files not used again, their inode is not as it was",
	},
	[FSK_STAT_VFS_FULL] = {
		"vfs-full",
		"socket files not used again, enough are kept",
	},
	[FSK_STAT_VFS_MEMCG] = {
		"vfs-memcg",
		"socket files not used again, another memory cgroup paid for them",
	},
	[FSK_STAT_VFS_RECLAIM] = {
		"vfs-reclaim",
		"socket files given back, memory was short or the core went offline",
	},
	[FSK_STAT_SYN_FAR] = {
		"syn-far",
		"SYN given to the local listener of another core",
	},
	[FSK_STAT_SYN_IDLE] = {
		"syn-idle",
		"SYN given to an idle worker, the one that is near was late",
	},
	[FSK_STAT_SYN_SHARED] = {
		"syn-shared",
		"SYN given to a worker with fewer connections than the one near",
	},
	[FSK_STAT_LATE] = {
		"late",
		"times a worker was late, and others could take from its queue",
	},
};

static const struct {
	int attr;
	const char *name;
	const char *help;
} fsk_listen_counters[] = {
	{ FSK_A_LISTEN_SYNS,
	  "syns",
	  "connection requests taken which arrived on this core" },
	{ FSK_A_LISTEN_ACCEPT_LOCAL,
	  "accept-local",
	  "accepted by this core from its own queue" },
	{ FSK_A_LISTEN_ACCEPT_APP,
	  "accept-app",
	  "accepted by this core from the application's socket" },
	{ FSK_A_LISTEN_ACCEPT_OTHER,
	  "accept-other",
	  "accepted by this core from the queue of another" },
	{ FSK_A_LISTEN_DROPS,
	  "drops",
	  "connection requests and connections dropped here" },
	{ FSK_A_LISTEN_RESCUES,
	  "rescues",
	  "times the queue of this core was orphaned" },
	{ FSK_A_LISTEN_RESCUED,
	  "rescued",
	  "connections which others took from this queue" },
	{ FSK_A_LISTEN_SYNS_FAR,
	  "syns-far",
	  "connection requests taken which arrived on other cores" },
	{ FSK_A_LISTEN_TIMES_LATE,
	  "times-late",
	  "times the worker of this core was late" },
};

#endif /* _FSK_NAMES_H */
