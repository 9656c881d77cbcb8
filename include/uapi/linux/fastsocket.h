/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR MIT) */
/*
 * User ABI of Fastsocket, made by include/netlink/generate from
 * include/netlink/fastsocket.yaml: do not edit.
 */

#ifndef _UAPI_LINUX_FASTSOCKET_H
#define _UAPI_LINUX_FASTSOCKET_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define FSK_GENL_NAME "fastsocket"
#define FSK_GENL_VERSION 1

/* Name to give to setsockopt(SOL_TCP, TCP_ULP). */
#define FSK_ULP_NAME "fastsocket"

/* The same, on a socket that connect() will be called on. */
#define FSK_ULP_RFD_NAME "fastsocket-rfd"

/*
 * What setsockopt() returns when it has primed a socket for connect(): the
 * socket has no ULP, neither before connect() nor after.
 */
#define FSK_RFD_PRIMED 1

/* Type byte of the ioctls on a joined listener. */
#define FSK_IOC_MAGIC 0xf5

/* Number of FSK_IOC_PIN. */
#define FSK_IOC_PIN_NR 1

/* Number of FSK_IOC_ACCEPT. */
#define FSK_IOC_ACCEPT_NR 2

/* Number of FSK_IOC_RELEASE. */
#define FSK_IOC_RELEASE_NR 3

/* Upper limit of rescue-ms. */
#define FSK_RESCUE_MS_MAX 60000

/* Upper limit of late-ms, whose lower one is 1. */
#define FSK_LATE_MS_MAX 10000

/* Upper limit of locals-max. */
#define FSK_LOCALS_MAX_MAX 2147483647

/* Shortest RSS key in bytes, what the hash of IPv6 and ports needs. */
#define FSK_RFD_KEY_MIN 40

/* Longest RSS key in bytes. */
#define FSK_RFD_KEY_MAX 256

/* Largest RSS indirection table, in entries. */
#define FSK_RFD_TABLE_MAX 4096

/* Bit of rfd hash, addresses and ports of TCP over IPv4 are hashed. */
#define FSK_RFD_HASH_TCP4 1

/* Bit of rfd hash, addresses and ports of TCP over IPv6 are hashed. */
#define FSK_RFD_HASH_TCP6 2

/* How many counts there are of times of different length. */
#define FSK_LATENCY_BUCKETS 22

/*
 * The first count is of times below so many microseconds, each other one of
 * times below twice as many as the one before, and the last of all others.
 */
#define FSK_LATENCY_FIRST_US 16

/*
 * On a joined listener: gives the number of the core in whose queue
 * the caller waits, or reserves the next core of its affinity mask
 * that no sibling claimed here. The caller binds itself to it.
 */
#define FSK_IOC_PIN _IOR(FSK_IOC_MAGIC, FSK_IOC_PIN_NR, __u32)

/**
 * struct fsk_accept - argument of FSK_IOC_ACCEPT
 * @addr: where the peer's address goes, or 0
 * @addrlen: where its length is and goes, an int
 * @flags: as accept4()'s
 * @pad: 0
 */
struct fsk_accept {
	__u64 addr;
	__u64 addrlen;
	__u32 flags;
	__u32 pad;
};

/*
 * On a joined listener: accept4(). Returns the descriptor. Besides
 * accept4()'s errors: ESTALE, call accept4() now, and this again
 * after it; EOPNOTSUPP, call accept4(), this won't do soon.
 */
#define FSK_IOC_ACCEPT \
	_IOW(FSK_IOC_MAGIC, FSK_IOC_ACCEPT_NR, struct fsk_accept)

/*
 * On a joined listener: 1 leaves new connections to the kernel, 0
 * takes them again. Returns what it was before.
 */
#define FSK_IOC_RELEASE \
	_IOW(FSK_IOC_MAGIC, FSK_IOC_RELEASE_NR, __u32)

/**
 * enum fsk_rfd_mode - How replies reach the core which connected
 * @FSK_RFD_OFF: not at all, the kernel chooses source ports
 * @FSK_RFD_MASK: source ports by core, replies as they come
 * @FSK_RFD_RSS: source ports whose replies the interface sends to the core
 * @FSK_RFD_STEER: source ports by core, replies are moved to it
 * @FSK_RFD_NTUPLE: source ports by core, rules in the interface sort replies
 */
enum fsk_rfd_mode {
	FSK_RFD_OFF = 0,
	FSK_RFD_MASK,
	FSK_RFD_RSS,
	FSK_RFD_STEER,
	FSK_RFD_NTUPLE,
};

/**
 * enum fsk_state - What the module does with a joined listener
 * @FSK_STATE_ACTIVE: connections go to the listener of the core they arrive
 *     on
 * @FSK_STATE_BYPASS: an option of the listener asks for the kernel's own path
 */
enum fsk_state {
	FSK_STATE_ACTIVE = 0,
	FSK_STATE_BYPASS,
};

/**
 * enum fsk_status_attr - attributes of status
 * @FSK_A_STATUS_VERSION: (string) version of the module
 * @FSK_A_STATUS_KERNEL: (string) release of the running kernel
 * @FSK_A_STATUS_LISTENERS: (u32) joined listeners in this namespace
 * @FSK_A_STATUS_LOCALS: (u32) local listeners in this namespace
 * @FSK_A_STATUS_FEATURE: (nest) one for each feature of the module
 */
enum fsk_status_attr {
	FSK_A_STATUS_VERSION = 1,
	FSK_A_STATUS_KERNEL,
	FSK_A_STATUS_LISTENERS,
	FSK_A_STATUS_LOCALS,
	FSK_A_STATUS_FEATURE,

	/* private: */
	__FSK_A_STATUS_MAX,
	FSK_A_STATUS_MAX = __FSK_A_STATUS_MAX - 1
};

/**
 * enum fsk_feature_attr - attributes of feature
 * @FSK_A_FEATURE_NAME: (string) name of the feature
 * @FSK_A_FEATURE_ENABLED: (u8) 1 when it is on
 * @FSK_A_FEATURE_REASON: (string) why it is on or off
 */
enum fsk_feature_attr {
	FSK_A_FEATURE_NAME = 1,
	FSK_A_FEATURE_ENABLED,
	FSK_A_FEATURE_REASON,

	/* private: */
	__FSK_A_FEATURE_MAX,
	FSK_A_FEATURE_MAX = __FSK_A_FEATURE_MAX - 1
};

/**
 * enum fsk_listen_attr - attributes of listen
 * @FSK_A_LISTEN_PAD: padding for 64-bit values
 * @FSK_A_LISTEN_ID: (u64) the same for all rows of one listener
 * @FSK_A_LISTEN_FAMILY: (u8) AF_INET or AF_INET6
 * @FSK_A_LISTEN_ADDR: (binary) local address, 4 or 16 bytes in network byte
 *     order
 * @FSK_A_LISTEN_PORT: (u16) local port, host byte order
 * @FSK_A_LISTEN_IFINDEX: (u32) device the listener is bound to, absent when
 *     none
 * @FSK_A_LISTEN_V6ONLY: (flag) an AF_INET6 listener which takes no IPv4
 * @FSK_A_LISTEN_REUSEPORT: (flag) SO_REUSEPORT is set
 * @FSK_A_LISTEN_UID: (u32) owner of the application's socket
 * @FSK_A_LISTEN_STATE: (u8) what the module does with this listener
 * @FSK_A_LISTEN_BYPASS_REASON: (string) the option which asks for the
 *     kernel's path
 * @FSK_A_LISTEN_CPU: (u32) core of a local listener, absent in the
 *     application's row
 * @FSK_A_LISTEN_CLAIMED: (flag) a worker waits here
 * @FSK_A_LISTEN_ORPHANED: (flag) the worker is gone or late, others may take
 * @FSK_A_LISTEN_QLEN: (u32) connections waiting for accept
 * @FSK_A_LISTEN_QMAX: (u32) limit of qlen
 * @FSK_A_LISTEN_SYNS: (u64) connection requests taken which arrived on this
 *     core
 * @FSK_A_LISTEN_ACCEPT_LOCAL: (u64) accepted by this core from its own queue
 * @FSK_A_LISTEN_ACCEPT_APP: (u64) accepted by this core from the
 *     application's socket
 * @FSK_A_LISTEN_ACCEPT_OTHER: (u64) accepted by this core from the queue of
 *     another
 * @FSK_A_LISTEN_DROPS: (u64) connection requests and connections dropped
 *     here, because a queue was full or no socket could be made; in a
 *     listener's own row requests only
 * @FSK_A_LISTEN_RESCUES: (u64) times the queue of this core was orphaned
 * @FSK_A_LISTEN_RESCUED: (u64) connections which others took from this queue
 * @FSK_A_LISTEN_LIMITED: (flag) a core has no local listener, the owner has
 *     as many as it may
 * @FSK_A_LISTEN_OWNER_LOCALS: (u32) local listeners which the owner has in
 *     all namespaces; told to CAP_NET_ADMIN in the initial user namespace
 *     only
 * @FSK_A_LISTEN_SYNS_FAR: (u64) connection requests taken which arrived on
 *     other cores
 * @FSK_A_LISTEN_TIMES_LATE: (u64) times the worker of this core was late
 * @FSK_A_LISTEN_LATE: (flag) the worker is late, others may take
 * @FSK_A_LISTEN_PID: (u32) the thread which asked here last, in the reader's
 *     pid namespace
 * @FSK_A_LISTEN_SERVES: (u32) how many CPUs' connections come to this core
 */
enum fsk_listen_attr {
	FSK_A_LISTEN_PAD = 1,
	FSK_A_LISTEN_ID,
	FSK_A_LISTEN_FAMILY,
	FSK_A_LISTEN_ADDR,
	FSK_A_LISTEN_PORT,
	FSK_A_LISTEN_IFINDEX,
	FSK_A_LISTEN_V6ONLY,
	FSK_A_LISTEN_REUSEPORT,
	FSK_A_LISTEN_UID,
	FSK_A_LISTEN_STATE,
	FSK_A_LISTEN_BYPASS_REASON,
	FSK_A_LISTEN_CPU,
	FSK_A_LISTEN_CLAIMED,
	FSK_A_LISTEN_ORPHANED,
	FSK_A_LISTEN_QLEN,
	FSK_A_LISTEN_QMAX,
	FSK_A_LISTEN_SYNS,
	FSK_A_LISTEN_ACCEPT_LOCAL,
	FSK_A_LISTEN_ACCEPT_APP,
	FSK_A_LISTEN_ACCEPT_OTHER,
	FSK_A_LISTEN_DROPS,
	FSK_A_LISTEN_RESCUES,
	FSK_A_LISTEN_RESCUED,
	FSK_A_LISTEN_LIMITED,
	FSK_A_LISTEN_OWNER_LOCALS,
	FSK_A_LISTEN_SYNS_FAR,
	FSK_A_LISTEN_TIMES_LATE,
	FSK_A_LISTEN_LATE,
	FSK_A_LISTEN_PID,
	FSK_A_LISTEN_SERVES,

	/* private: */
	__FSK_A_LISTEN_MAX,
	FSK_A_LISTEN_MAX = __FSK_A_LISTEN_MAX - 1
};

/**
 * enum fsk_stats_attr - attributes of stats
 * @FSK_A_STATS_CPU: (u32) the core which counted
 * @FSK_A_STATS_COUNTERS: (nest) its counters
 */
enum fsk_stats_attr {
	FSK_A_STATS_CPU = 1,
	FSK_A_STATS_COUNTERS,

	/* private: */
	__FSK_A_STATS_MAX,
	FSK_A_STATS_MAX = __FSK_A_STATS_MAX - 1
};

/**
 * enum fsk_counter_attr - attributes of counter
 * @FSK_A_COUNTER_PAD: padding for 64-bit values
 * @FSK_A_COUNTER_SYN_LOCAL: (u64) SYN given to the local listener of the core
 *     it arrived on
 * @FSK_A_COUNTER_SYN_UNCLAIMED: (u64) SYN left alone, no worker to take it
 * @FSK_A_COUNTER_SYN_ORPHANED: (u64) SYN left alone, worker of its core gone
 *     or late
 * @FSK_A_COUNTER_SYN_BYPASSED: (u64) SYN left alone, the listener asks for
 *     that
 * @FSK_A_COUNTER_SYN_TIMEWAIT: (u64) SYN that reuses a closing connection
 * @FSK_A_COUNTER_SYN_SK_LOOKUP: (u64) SYN left alone, BPF sk_lookup decides
 * @FSK_A_COUNTER_COOKIE_LOCAL: (u64) ACK of a SYN cookie given to a local
 *     listener
 * @FSK_A_COUNTER_ACCEPT_LOCAL: (u64) accepted from the queue of the same core
 * @FSK_A_COUNTER_ACCEPT_APP: (u64) accepted from the application's socket
 * @FSK_A_COUNTER_ACCEPT_OTHER: (u64) accepted from the queue of another core
 * @FSK_A_COUNTER_OVERFLOW: (u64) connection request or connection dropped, a
 *     queue was full
 * @FSK_A_COUNTER_CHILD_FAILED: (u64) connection dropped, no socket could be
 *     made
 * @FSK_A_COUNTER_WAKE_LOCAL: (u64) wake-ups of a worker by its local listener
 * @FSK_A_COUNTER_WAKE_APP: (u64) wake-ups by the application's socket
 * @FSK_A_COUNTER_RESCUE: (u64) queues which were orphaned
 * @FSK_A_COUNTER_RESCUED: (u64) connections taken from an orphaned queue
 * @FSK_A_COUNTER_LOCAL_CREATE: (u64) local listeners made
 * @FSK_A_COUNTER_LOCAL_NOMEM: (u64) local listeners not made, no memory
 * @FSK_A_COUNTER_CONNECT_OWN: (u64) connections opened from a port of their
 *     core
 * @FSK_A_COUNTER_CONNECT_ANY: (u64) connections opened from another port, its
 *     own used up
 * @FSK_A_COUNTER_CONNECT_KERNEL: (u64) connections of primed sockets from a
 *     port the kernel chose
 * @FSK_A_COUNTER_CONNECT_PROBE: (u64) source ports looked at
 * @FSK_A_COUNTER_CONNECT_CLASH: (u64) source ports which the kernel refused
 * @FSK_A_COUNTER_RFD_HIT: (u64) packets of such connections which came in on
 *     their core
 * @FSK_A_COUNTER_RFD_MISS: (u64) packets of such connections which came in on
 *     another core
 * @FSK_A_COUNTER_RFD_STEERED: (u64) packets taken over by their core
 * @FSK_A_COUNTER_RFD_DROP: (u64) packets dropped on the way to their core
 * @FSK_A_COUNTER_LOCAL_LIMIT: (u64) local listeners not made, the owner has
 *     as many as it may
 * @FSK_A_COUNTER_RFD_TURN: (u64) times a connection's packets went over to
 *     the core that serves it
 * @FSK_A_COUNTER_VFS_ACCEPT: (u64) connections accepted by FSK_IOC_ACCEPT
 * @FSK_A_COUNTER_VFS_REUSE: (u64) those with a socket file made of one that
 *     was closed before
 * @FSK_A_COUNTER_VFS_EARLY: (u64) those with a new one: none was closed long
 *     enough ago
 * @FSK_A_COUNTER_VFS_RENEW: (u64) calls sent to accept4(), which asks the
 *     security module
 * @FSK_A_COUNTER_VFS_REFUSE: (u64) calls sent to accept4(), the task is
 *     watched or not bound to a core
 * @FSK_A_COUNTER_VFS_BUSY: (u64) socket files not used again, open for long
 * @FSK_A_COUNTER_VFS_CHANGED: (u64) socket files not used again, their inode
 *     is not as it was
 * @FSK_A_COUNTER_VFS_FULL: (u64) socket files not used again, enough are kept
 * @FSK_A_COUNTER_VFS_MEMCG: (u64) socket files not used again, another memory
 *     cgroup paid for them
 * @FSK_A_COUNTER_VFS_RECLAIM: (u64) socket files given back, memory was short
 *     or the core went offline
 * @FSK_A_COUNTER_SYN_FAR: (u64) SYN given to the local listener of another
 *     core
 * @FSK_A_COUNTER_SYN_IDLE: (u64) SYN given to an idle worker, the one that is
 *     near was late
 * @FSK_A_COUNTER_SYN_SHARED: (u64) SYN given to a worker with fewer
 *     connections than the one near
 * @FSK_A_COUNTER_LATE: (u64) times a worker was late, and others could take
 *     from its queue
 */
enum fsk_counter_attr {
	FSK_A_COUNTER_PAD = 1,
	FSK_A_COUNTER_SYN_LOCAL,
	FSK_A_COUNTER_SYN_UNCLAIMED,
	FSK_A_COUNTER_SYN_ORPHANED,
	FSK_A_COUNTER_SYN_BYPASSED,
	FSK_A_COUNTER_SYN_TIMEWAIT,
	FSK_A_COUNTER_SYN_SK_LOOKUP,
	FSK_A_COUNTER_COOKIE_LOCAL,
	FSK_A_COUNTER_ACCEPT_LOCAL,
	FSK_A_COUNTER_ACCEPT_APP,
	FSK_A_COUNTER_ACCEPT_OTHER,
	FSK_A_COUNTER_OVERFLOW,
	FSK_A_COUNTER_CHILD_FAILED,
	FSK_A_COUNTER_WAKE_LOCAL,
	FSK_A_COUNTER_WAKE_APP,
	FSK_A_COUNTER_RESCUE,
	FSK_A_COUNTER_RESCUED,
	FSK_A_COUNTER_LOCAL_CREATE,
	FSK_A_COUNTER_LOCAL_NOMEM,
	FSK_A_COUNTER_CONNECT_OWN,
	FSK_A_COUNTER_CONNECT_ANY,
	FSK_A_COUNTER_CONNECT_KERNEL,
	FSK_A_COUNTER_CONNECT_PROBE,
	FSK_A_COUNTER_CONNECT_CLASH,
	FSK_A_COUNTER_RFD_HIT,
	FSK_A_COUNTER_RFD_MISS,
	FSK_A_COUNTER_RFD_STEERED,
	FSK_A_COUNTER_RFD_DROP,
	FSK_A_COUNTER_LOCAL_LIMIT,
	FSK_A_COUNTER_RFD_TURN,
	FSK_A_COUNTER_VFS_ACCEPT,
	FSK_A_COUNTER_VFS_REUSE,
	FSK_A_COUNTER_VFS_EARLY,
	FSK_A_COUNTER_VFS_RENEW,
	FSK_A_COUNTER_VFS_REFUSE,
	FSK_A_COUNTER_VFS_BUSY,
	FSK_A_COUNTER_VFS_CHANGED,
	FSK_A_COUNTER_VFS_FULL,
	FSK_A_COUNTER_VFS_MEMCG,
	FSK_A_COUNTER_VFS_RECLAIM,
	FSK_A_COUNTER_SYN_FAR,
	FSK_A_COUNTER_SYN_IDLE,
	FSK_A_COUNTER_SYN_SHARED,
	FSK_A_COUNTER_LATE,

	/* private: */
	__FSK_A_COUNTER_MAX,
	FSK_A_COUNTER_MAX = __FSK_A_COUNTER_MAX - 1
};

/**
 * enum fsk_stat - the counters, counted from 0
 * @FSK_STAT_SYN_LOCAL: SYN given to the local listener of the core it arrived
 *     on
 * @FSK_STAT_SYN_UNCLAIMED: SYN left alone, no worker to take it
 * @FSK_STAT_SYN_ORPHANED: SYN left alone, worker of its core gone or late
 * @FSK_STAT_SYN_BYPASSED: SYN left alone, the listener asks for that
 * @FSK_STAT_SYN_TIMEWAIT: SYN that reuses a closing connection
 * @FSK_STAT_SYN_SK_LOOKUP: SYN left alone, BPF sk_lookup decides
 * @FSK_STAT_COOKIE_LOCAL: ACK of a SYN cookie given to a local listener
 * @FSK_STAT_ACCEPT_LOCAL: accepted from the queue of the same core
 * @FSK_STAT_ACCEPT_APP: accepted from the application's socket
 * @FSK_STAT_ACCEPT_OTHER: accepted from the queue of another core
 * @FSK_STAT_OVERFLOW: connection request or connection dropped, a queue was
 *     full
 * @FSK_STAT_CHILD_FAILED: connection dropped, no socket could be made
 * @FSK_STAT_WAKE_LOCAL: wake-ups of a worker by its local listener
 * @FSK_STAT_WAKE_APP: wake-ups by the application's socket
 * @FSK_STAT_RESCUE: queues which were orphaned
 * @FSK_STAT_RESCUED: connections taken from an orphaned queue
 * @FSK_STAT_LOCAL_CREATE: local listeners made
 * @FSK_STAT_LOCAL_NOMEM: local listeners not made, no memory
 * @FSK_STAT_CONNECT_OWN: connections opened from a port of their core
 * @FSK_STAT_CONNECT_ANY: connections opened from another port, its own used
 *     up
 * @FSK_STAT_CONNECT_KERNEL: connections of primed sockets from a port the
 *     kernel chose
 * @FSK_STAT_CONNECT_PROBE: source ports looked at
 * @FSK_STAT_CONNECT_CLASH: source ports which the kernel refused
 * @FSK_STAT_RFD_HIT: packets of such connections which came in on their core
 * @FSK_STAT_RFD_MISS: packets of such connections which came in on another
 *     core
 * @FSK_STAT_RFD_STEERED: packets taken over by their core
 * @FSK_STAT_RFD_DROP: packets dropped on the way to their core
 * @FSK_STAT_LOCAL_LIMIT: local listeners not made, the owner has as many as
 *     it may
 * @FSK_STAT_RFD_TURN: times a connection's packets went over to the core that
 *     serves it
 * @FSK_STAT_VFS_ACCEPT: connections accepted by FSK_IOC_ACCEPT
 * @FSK_STAT_VFS_REUSE: those with a socket file made of one that was closed
 *     before
 * @FSK_STAT_VFS_EARLY: those with a new one: none was closed long enough ago
 * @FSK_STAT_VFS_RENEW: calls sent to accept4(), which asks the security
 *     module
 * @FSK_STAT_VFS_REFUSE: calls sent to accept4(), the task is watched or not
 *     bound to a core
 * @FSK_STAT_VFS_BUSY: socket files not used again, open for long
 * @FSK_STAT_VFS_CHANGED: socket files not used again, their inode is not as
 *     it was
 * @FSK_STAT_VFS_FULL: socket files not used again, enough are kept
 * @FSK_STAT_VFS_MEMCG: socket files not used again, another memory cgroup
 *     paid for them
 * @FSK_STAT_VFS_RECLAIM: socket files given back, memory was short or the
 *     core went offline
 * @FSK_STAT_SYN_FAR: SYN given to the local listener of another core
 * @FSK_STAT_SYN_IDLE: SYN given to an idle worker, the one that is near was
 *     late
 * @FSK_STAT_SYN_SHARED: SYN given to a worker with fewer connections than the
 *     one near
 * @FSK_STAT_LATE: times a worker was late, and others could take from its
 *     queue
 */
enum fsk_stat {
	FSK_STAT_SYN_LOCAL = 0,
	FSK_STAT_SYN_UNCLAIMED,
	FSK_STAT_SYN_ORPHANED,
	FSK_STAT_SYN_BYPASSED,
	FSK_STAT_SYN_TIMEWAIT,
	FSK_STAT_SYN_SK_LOOKUP,
	FSK_STAT_COOKIE_LOCAL,
	FSK_STAT_ACCEPT_LOCAL,
	FSK_STAT_ACCEPT_APP,
	FSK_STAT_ACCEPT_OTHER,
	FSK_STAT_OVERFLOW,
	FSK_STAT_CHILD_FAILED,
	FSK_STAT_WAKE_LOCAL,
	FSK_STAT_WAKE_APP,
	FSK_STAT_RESCUE,
	FSK_STAT_RESCUED,
	FSK_STAT_LOCAL_CREATE,
	FSK_STAT_LOCAL_NOMEM,
	FSK_STAT_CONNECT_OWN,
	FSK_STAT_CONNECT_ANY,
	FSK_STAT_CONNECT_KERNEL,
	FSK_STAT_CONNECT_PROBE,
	FSK_STAT_CONNECT_CLASH,
	FSK_STAT_RFD_HIT,
	FSK_STAT_RFD_MISS,
	FSK_STAT_RFD_STEERED,
	FSK_STAT_RFD_DROP,
	FSK_STAT_LOCAL_LIMIT,
	FSK_STAT_RFD_TURN,
	FSK_STAT_VFS_ACCEPT,
	FSK_STAT_VFS_REUSE,
	FSK_STAT_VFS_EARLY,
	FSK_STAT_VFS_RENEW,
	FSK_STAT_VFS_REFUSE,
	FSK_STAT_VFS_BUSY,
	FSK_STAT_VFS_CHANGED,
	FSK_STAT_VFS_FULL,
	FSK_STAT_VFS_MEMCG,
	FSK_STAT_VFS_RECLAIM,
	FSK_STAT_SYN_FAR,
	FSK_STAT_SYN_IDLE,
	FSK_STAT_SYN_SHARED,
	FSK_STAT_LATE,

	/* private: */
	__FSK_STAT_MAX
};

/* Attribute of a counter, and back. */
#define FSK_STAT_TO_ATTR(stat)	((stat) + FSK_A_COUNTER_SYN_LOCAL)
#define FSK_ATTR_TO_STAT(attr)	((attr) - FSK_A_COUNTER_SYN_LOCAL)

/**
 * enum fsk_config_attr - attributes of config
 * @FSK_A_CONFIG_RESCUE_MS: (u32) longest time for which a worker may take
 *     nothing from its queue before new connections go elsewhere, 0 means for
 *     ever
 * @FSK_A_CONFIG_RFD: (u8) mode of the interfaces which have none of their own
 * @FSK_A_CONFIG_RFD_COUNT: (u8) 1 to count packets by the core they come in
 *     on in all modes, not only in steer mode; costs each packet of the
 *     namespace
 * @FSK_A_CONFIG_ESTABLISHED: (u8) 1 to have established tables and the direct
 *     path
 * @FSK_A_CONFIG_ESTABLISHED_AFTER: (u32) segments which a connection receives
 *     before it is entered
 * @FSK_A_CONFIG_LOCALS_MAX: (u32) local listeners which one owner may have in
 *     all namespaces; needs CAP_NET_ADMIN in the initial user namespace
 * @FSK_A_CONFIG_VFS: (u8) 1 when FSK_IOC_ACCEPT accepts, 0 when it leaves all
 *     to accept4()
 * @FSK_A_CONFIG_LATE_MS: (u32) how long a connection waits for its worker
 *     before idle workers are woken to take it
 */
enum fsk_config_attr {
	FSK_A_CONFIG_RESCUE_MS = 1,
	FSK_A_CONFIG_RFD,
	FSK_A_CONFIG_RFD_COUNT,
	FSK_A_CONFIG_ESTABLISHED,
	FSK_A_CONFIG_ESTABLISHED_AFTER,
	FSK_A_CONFIG_LOCALS_MAX,
	FSK_A_CONFIG_VFS,
	FSK_A_CONFIG_LATE_MS,

	/* private: */
	__FSK_A_CONFIG_MAX,
	FSK_A_CONFIG_MAX = __FSK_A_CONFIG_MAX - 1
};

/**
 * enum fsk_rfd_attr - attributes of rfd
 * @FSK_A_RFD_IFINDEX: (u32) the interface
 * @FSK_A_RFD_MODE: (u8) its mode
 * @FSK_A_RFD_KEY: (binary) RSS key of the interface
 * @FSK_A_RFD_TABLE: (binary) array of u32, host byte order: the core which
 *     serves the queue of each entry of the indirection table; a power of two
 *     of entries
 * @FSK_A_RFD_HASH: (u32) what the interface hashes, FSK_RFD_HASH_TCP4 and
 *     _TCP6
 */
enum fsk_rfd_attr {
	FSK_A_RFD_IFINDEX = 1,
	FSK_A_RFD_MODE,
	FSK_A_RFD_KEY,
	FSK_A_RFD_TABLE,
	FSK_A_RFD_HASH,

	/* private: */
	__FSK_A_RFD_MAX,
	FSK_A_RFD_MAX = __FSK_A_RFD_MAX - 1
};

/**
 * enum fsk_dest_attr - attributes of dest
 * @FSK_A_DEST_PAD: padding for 64-bit values
 * @FSK_A_DEST_CPU: (u32) the core which connects
 * @FSK_A_DEST_FAMILY: (u8) AF_INET or AF_INET6
 * @FSK_A_DEST_ADDR: (binary) address connected to, 4 or 16 bytes in network
 *     byte order
 * @FSK_A_DEST_PORT: (u16) port connected to, host byte order
 * @FSK_A_DEST_SRC: (binary) source address of the last connection
 * @FSK_A_DEST_IFINDEX: (u32) interface of the last connection
 * @FSK_A_DEST_MODE: (u8) how ports of this core are told
 * @FSK_A_DEST_RANGE: (u32) source ports in the range
 * @FSK_A_DEST_SHARE: (u32) those which are this core's, absent while not
 *     counted
 * @FSK_A_DEST_OWN: (u64) connections from a port of this core
 * @FSK_A_DEST_ANY: (u64) connections from another port
 * @FSK_A_DEST_PROBES: (u64) source ports looked at
 * @FSK_A_DEST_CLASHES: (u64) source ports which the kernel refused
 * @FSK_A_DEST_USED_UP: (flag) no port of this core was free when last looked
 *     for
 */
enum fsk_dest_attr {
	FSK_A_DEST_PAD = 1,
	FSK_A_DEST_CPU,
	FSK_A_DEST_FAMILY,
	FSK_A_DEST_ADDR,
	FSK_A_DEST_PORT,
	FSK_A_DEST_SRC,
	FSK_A_DEST_IFINDEX,
	FSK_A_DEST_MODE,
	FSK_A_DEST_RANGE,
	FSK_A_DEST_SHARE,
	FSK_A_DEST_OWN,
	FSK_A_DEST_ANY,
	FSK_A_DEST_PROBES,
	FSK_A_DEST_CLASHES,
	FSK_A_DEST_USED_UP,

	/* private: */
	__FSK_A_DEST_MAX,
	FSK_A_DEST_MAX = __FSK_A_DEST_MAX - 1
};

/**
 * enum fsk_est_attr - attributes of est
 * @FSK_A_EST_PAD: padding for 64-bit values
 * @FSK_A_EST_CPU: (u32) the core
 * @FSK_A_EST_ENTRIES: (u32) connections in its table
 * @FSK_A_EST_BUCKETS: (u32) cache lines of its table, each has room for 7
 *     connections
 * @FSK_A_EST_MEMORY: (u64) bytes that the table takes
 * @FSK_A_EST_HITS: (u64) packets whose connection was found here
 * @FSK_A_EST_DIRECT: (u64) those given to TCP with their route
 * @FSK_A_EST_MISSES: (u64) packets to ports of our connections that were not
 *     found
 * @FSK_A_EST_FOREIGN: (u64) those whose connection had its last packet on
 *     another core
 * @FSK_A_EST_STALE: (u64) hits whose route had to be looked up
 * @FSK_A_EST_LEFT: (u64) packets which are the kernel's in any case
 * @FSK_A_EST_FULL: (u64) connections not entered because their bucket was
 *     full
 */
enum fsk_est_attr {
	FSK_A_EST_PAD = 1,
	FSK_A_EST_CPU,
	FSK_A_EST_ENTRIES,
	FSK_A_EST_BUCKETS,
	FSK_A_EST_MEMORY,
	FSK_A_EST_HITS,
	FSK_A_EST_DIRECT,
	FSK_A_EST_MISSES,
	FSK_A_EST_FOREIGN,
	FSK_A_EST_STALE,
	FSK_A_EST_LEFT,
	FSK_A_EST_FULL,

	/* private: */
	__FSK_A_EST_MAX,
	FSK_A_EST_MAX = __FSK_A_EST_MAX - 1
};

/**
 * enum fsk_conn_attr - attributes of conn
 * @FSK_A_CONN_CPU: (u32) the core which has it
 * @FSK_A_CONN_FAMILY: (u8) AF_INET or AF_INET6
 * @FSK_A_CONN_STATE: (u8) as in struct tcp_info
 * @FSK_A_CONN_LOCAL: (binary) local address, 4 or 16 bytes in network byte
 *     order
 * @FSK_A_CONN_LOCAL_PORT: (u16) local port, host byte order
 * @FSK_A_CONN_REMOTE: (binary) remote address
 * @FSK_A_CONN_REMOTE_PORT: (u16) remote port, host byte order
 */
enum fsk_conn_attr {
	FSK_A_CONN_CPU = 1,
	FSK_A_CONN_FAMILY,
	FSK_A_CONN_STATE,
	FSK_A_CONN_LOCAL,
	FSK_A_CONN_LOCAL_PORT,
	FSK_A_CONN_REMOTE,
	FSK_A_CONN_REMOTE_PORT,

	/* private: */
	__FSK_A_CONN_MAX,
	FSK_A_CONN_MAX = __FSK_A_CONN_MAX - 1
};

/**
 * enum fsk_vfs_attr - attributes of vfs
 * @FSK_A_VFS_CPU: (u32) the core
 * @FSK_A_VFS_POOLS: (u32) its listeners
 * @FSK_A_VFS_SIZE: (u32) socket files there is room for
 * @FSK_A_VFS_OUT: (u32) socket files in use, or closed and not looked at
 *     since
 * @FSK_A_VFS_REST: (u32) socket files that are closed
 */
enum fsk_vfs_attr {
	FSK_A_VFS_CPU = 1,
	FSK_A_VFS_POOLS,
	FSK_A_VFS_SIZE,
	FSK_A_VFS_OUT,
	FSK_A_VFS_REST,

	/* private: */
	__FSK_A_VFS_MAX,
	FSK_A_VFS_MAX = __FSK_A_VFS_MAX - 1
};

/**
 * enum fsk_cgroup_attr - attributes of cgroup
 * @FSK_A_CGROUP_PATH: (string) from the root of the hierarchy, as in
 *     /proc/PID/cgroup
 * @FSK_A_CGROUP_PAD: padding for 64-bit values
 * @FSK_A_CGROUP_JOINED: (u64) listeners which joined since it was selected
 * @FSK_A_CGROUP_REFUSED: (u64) listeners which could not join
 */
enum fsk_cgroup_attr {
	FSK_A_CGROUP_PATH = 1,
	FSK_A_CGROUP_PAD,
	FSK_A_CGROUP_JOINED,
	FSK_A_CGROUP_REFUSED,

	/* private: */
	__FSK_A_CGROUP_MAX,
	FSK_A_CGROUP_MAX = __FSK_A_CGROUP_MAX - 1
};

/**
 * enum fsk_latency_attr - attributes of latency
 * @FSK_A_LATENCY_CPU: (u32) the core that accepted
 * @FSK_A_LATENCY_WAIT: (binary) array of u64, host byte order: connections by
 *     how long they waited, complete, to be accepted; measured once a tick
 *     and where it was long, the others are counted alike
 * @FSK_A_LATENCY_SYN: (binary) the same from SYN-ACK to accept, without those
 *     whose SYN-ACK was sent again or carried a cookie
 */
enum fsk_latency_attr {
	FSK_A_LATENCY_CPU = 1,
	FSK_A_LATENCY_WAIT,
	FSK_A_LATENCY_SYN,

	/* private: */
	__FSK_A_LATENCY_MAX,
	FSK_A_LATENCY_MAX = __FSK_A_LATENCY_MAX - 1
};

/**
 * enum fsk_cmd - commands
 * @FSK_CMD_STATUS_GET: Version, features and totals.
 * @FSK_CMD_LISTEN_GET: One message per row, a consistent snapshot of the set
 *     of listeners: the application's own row first, then one per local
 *     listener.
 * @FSK_CMD_STATS_GET: One message per core.
 * @FSK_CMD_CONFIG_GET: The settings of this namespace.
 * @FSK_CMD_CONFIG_SET: Change the settings which are given. Needs
 *     CAP_NET_ADMIN in the user namespace which owns the network namespace.
 * @FSK_CMD_RFD_GET: One message per interface which has a mode of its own.
 * @FSK_CMD_RFD_SET: Set the mode of an interface, in rss mode with key, table
 *     and hash. What was set before is replaced. Needs CAP_NET_ADMIN in the
 *     user namespace which owns the network namespace.
 * @FSK_CMD_RFD_DEL: Forget the mode of an interface. Needs CAP_NET_ADMIN in
 *     the user namespace which owns the network namespace.
 * @FSK_CMD_DEST_GET: One message per core and destination lately connected
 *     to, also of connections that are closed. Needs CAP_NET_ADMIN in the
 *     user namespace that owns the network namespace.
 * @FSK_CMD_EST_GET: One message per core, none while established tables are
 *     off.
 * @FSK_CMD_CONN_GET: One message per connection in an established table.
 * @FSK_CMD_VFS_GET: One message per core whose listeners have socket files to
 *     use again.
 * @FSK_CMD_CGROUP_GET: One message per control group which is selected. Needs
 *     CAP_NET_ADMIN in the initial user namespace.
 * @FSK_CMD_CGROUP_ADD: Select a control group: what begins to listen in its
 *     tasks, and in those of groups below it, joins, in all network
 *     namespaces. It need not exist. Needs CAP_NET_ADMIN in the initial user
 *     namespace.
 * @FSK_CMD_CGROUP_DEL: Select it no more. What has joined stays joined. Needs
 *     CAP_NET_ADMIN in the initial user namespace.
 * @FSK_CMD_LATENCY_GET: One message per core.
 */
enum fsk_cmd {
	FSK_CMD_STATUS_GET = 1,
	FSK_CMD_LISTEN_GET,
	FSK_CMD_STATS_GET,
	FSK_CMD_CONFIG_GET,
	FSK_CMD_CONFIG_SET,
	FSK_CMD_RFD_GET,
	FSK_CMD_RFD_SET,
	FSK_CMD_RFD_DEL,
	FSK_CMD_DEST_GET,
	FSK_CMD_EST_GET,
	FSK_CMD_CONN_GET,
	FSK_CMD_VFS_GET,
	FSK_CMD_CGROUP_GET,
	FSK_CMD_CGROUP_ADD,
	FSK_CMD_CGROUP_DEL,
	FSK_CMD_LATENCY_GET,

	/* private: */
	__FSK_CMD_MAX,
	FSK_CMD_MAX = __FSK_CMD_MAX - 1
};

#endif /* _UAPI_LINUX_FASTSOCKET_H */
