/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_LISTEN_H
#define FSK_LISTEN_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/rculist.h>
#include <linux/smp.h>
#include <linux/timer.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/request_sock.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>

#include "netns.h"

struct fsk_listener;
struct fsk_owner;

#define FSK_LISTEN_WORKERS_BITS	6

/**
 * struct fsk_group - listeners that share their connections
 * @members: how many: those of one SO_REUSEPORT group that have joined, or the
 *	one listener that is in none; protected by fsk_net.mutex
 * @orphans: a hint that others may take from some core, so that none is looked
 *	for where none is; see fsk_group_search()
 * @map: by CPU number, the core to which connections go that arrive there, or
 *	%FSK_MAP_APP; written under fsk_net.mutex, see map.c
 * @built: jiffies when @map was last made
 * @pause: in jiffies, for how long it is not made again for a packet's sake
 * @lock: what place.c has counted, taken with BH off
 * @counted: jiffies when it did last; @lock
 * @counts: how often it has since @counted changed; @lock
 * @sought: jiffies when it found nobody idle
 * @woken_at: jiffies when all members' workers were woken last
 * @woken: members whose workers were woken in that jiffy
 * @ended: of the port's connections, how many had ended when a window began
 * @rcu: frees, after readers have left
 * @listeners: the members; RCU, written under fsk_net.mutex
 * @cores: by CPU number, the members' cores there; RCU, written under
 *	fsk_net.mutex
 */
struct fsk_group {
	unsigned int members;
	u16 *map;
	unsigned long built;
	unsigned long pause;
	struct rcu_head rcu;

	bool orphans ____cacheline_aligned_in_smp;
	spinlock_t lock;	/* rank 5 of DOC: locking */
	unsigned long counted;
	unsigned int counts;
	unsigned long sought;
	unsigned long woken_at;
	unsigned int woken;
	u32 ended;

	struct hlist_head listeners ____cacheline_aligned_in_smp;
	struct hlist_head cores[];
};

#define FSK_MAP_APP	U16_MAX		/* left to the app listener */

/**
 * struct fsk_worker - a task that takes from a listener's queues
 * @pid: the task, referenced
 * @core: the queue that is its own; constant
 * @returns: it does not stay queued while it works (accept, poll, select,
 *	io_uring), so its claim lasts while it lives
 * @queues: it has queued itself at its core; only ever set
 * @node: in fsk_listener.workers; RCU, written under fsk_listener.mutex
 * @rcu: frees, after readers on the packet side have left
 */
struct fsk_worker {
	struct pid *pid;
	struct fsk_core *core;
	bool returns;
	bool queues;
	struct hlist_node node;
	struct rcu_head rcu;
};

/* fsk_core.flags.  While any is set, others may take from the queue. */
enum {
	FSK_CORE_ORPHANED,	/* new connections go to the app listener */
	FSK_CORE_LATE,		/* ... go to an idle worker, if there is one */
};

/**
 * struct fsk_core - one core's part of one app listener
 * @sk: the local listener while it listens, else %NULL; RCU, written under
 *	fsk_listener.mutex
 * @sock: its &struct socket, whose wait queue is where bound workers wait;
 *	constant, and there as long as the core; its sock goes earlier
 * @listener: constant
 * @cpu: constant
 * @flags: bits FSK_CORE_*, atomic
 * @worker: who asked here last; RCU, in the listener's table; replaced without
 *	a lock, and two who do at once may leave either
 * @stamp: jiffies of the last progress; written by whoever makes it
 * @turn: whose turn it is when both queues have something; only a hint
 * @mapped: the map of the group has been made since a worker came here
 * @wide: ... and that worker might run on several CPUs then
 * @open_max: connections of one port that a CPU may open here, beyond those
 *	that it saw end, before place.c looks at the shares of all
 * @syns: SYNs taken that arrived on @cpu; written by the hook there
 * @accept_local: connections that its own workers took from this queue
 * @accept_app: ... from the app listener's queue
 * @accept_other: ... from another core's queue
 * @drops: SYNs and connections dropped here: a queue was full, or no socket
 *	could be made
 * @rescued: connections that others took from this queue
 * @rescues: times orphaned
 * @syns_far: SYNs taken that arrived on other CPUs
 * @times_late: times late
 * @workers: how many have this queue for their own; fsk_listener.mutex
 * @mark: how many had been taken from the queue when all that was in it one
 *	tick of @timer ago will have been
 * @ticks: how many of them in a row found it late
 * @late_since: jiffies since when one waits, at least, while @ticks is not 0
 * @looked: jiffies when the timer looked last, or was armed
 * @turns: accepted connections, so that others' queues have a turn now and then
 * @held: connections given here when place.c began to count; fsk_group.lock
 * @promised: connections that other cores will lend it; fsk_group.lock
 * @lend: how many of its next connections another core gets; fsk_group.lock
 * @lend_cpu: that core's
 * @lend_id: ... and its listener's
 * @timer: rescue; runs while something is queued
 * @back_at: jiffies before which an orphaned core does not come back
 * @backoff: in jiffies, doubled when orphaned again soon
 * @orphaned_at: jiffies when it was orphaned last
 * @missed: jiffies when a connection first came that its worker would have got
 *	back by then, or 0; written by the hook on any CPU, and the timer
 * @told: the log has a line on that
 * @group_node: in fsk_group.cores[@cpu]; written under fsk_net.mutex, RCU
 * @files: the socket files' part, see &struct fsk_core_files
 */
struct fsk_core {
	struct sock __rcu *sk;
	struct socket *sock;
	struct fsk_listener *listener;
	int cpu;
	unsigned long flags;
	struct fsk_worker __rcu *worker;
	unsigned long stamp;
	bool turn;
	u8 turns;
	bool mapped;
	bool wide;
	s32 open_max;
	u64 syns;
	atomic_long_t accept_local;

	/* cold from here on */
	atomic_long_t accept_app;
	atomic_long_t accept_other;
	atomic_long_t drops;
	atomic_long_t rescued;
	atomic_long_t rescues;
	atomic_long_t syns_far;
	atomic_long_t times_late;
	unsigned int workers;
	long mark;
	unsigned int ticks;
	unsigned long late_since;
	unsigned long looked;
	long held;
	int promised;
	int lend;
	int lend_cpu;
	u32 lend_id;
	struct timer_list timer;
	unsigned long back_at;
	unsigned long backoff;
	unsigned long orphaned_at;
	unsigned long missed;
	bool told;
	struct hlist_node group_node;

	u64 files[];
};

/**
 * struct fsk_core_files - what the mechanism of socket files does for listeners
 * @size: bytes that it keeps with each core, in fsk_core.files
 * @create: a core is made: its bytes are zeroed
 * @stop: its listener ceases to listen: keep nothing for it
 * @destroy: a core closes, when its listener is released
 * @passed: accept4() has let the calling task through, on this listener
 * @accept: FSK_IOC_ACCEPT
 *
 * All are called by tasks and may sleep.
 */
struct fsk_core_files {
	size_t size;
	void (*create)(struct fsk_core *core);
	void (*stop)(struct fsk_core *core);
	void (*destroy)(struct fsk_core *core);
	void (*passed)(struct fsk_listener *l);
	int (*accept)(struct fsk_listener *l, struct socket *sock,
		      void __user *arg);
};

extern const struct fsk_core_files *fsk_core_files;

/**
 * struct fsk_listener - one app listener
 * @sk: its socket; RCU, %NULL once it is released
 * @fn: its namespace's state, constant
 * @group: those that it shares connections with, or %NULL without memory; RCU,
 *	written under fsk_net.mutex
 * @orphans: from how many cores others may take
 * @cores: how many exist, so that none is searched for where none is
 * @released: new connections are the kernel's; written by FSK_IOC_RELEASE, two
 *	who do at once may leave either
 * @looked: tasks that look for connections and wait in no queue of their own,
 *	by a hash of the task
 * @sock: its &struct socket; valid until release() returns
 * @family: AF_INET or AF_INET6, constant: IPV6_ADDRFORM changes the socket's
 * @mutex: rank 2 of DOC: locking; protects what follows
 * @listed: in the namespace's table: it is listening; read without @mutex by
 *	whoever sees it stop
 * @stopped: the socket has ceased to listen since @listed was looked at last,
 *	and may listen again; set without a lock, cleared under @mutex
 * @dead: released; no core is made any more
 * @unlisted: has been listed before, until the RCU grace period @gp began
 * @gp: who found it or its cores before has left once that has passed
 * @hnum: the port that it is listed under, host byte order
 * @limited: the owner has as many local listeners as it may, so a core was not
 *	made; written under @mutex
 * @owner: who its local listeners are charged to, constant, referenced
 * @id: names it to user space, constant
 * @ref: references, see DOC: locking
 * @listing: which of the namespace's this was, see fsk_net.listings; written
 *	before it is listed
 * @node: in fsk_net.listeners; written under fsk_net.mutex, RCU
 * @group_node: in fsk_group.listeners; written under fsk_net.mutex, RCU
 * @app_wait: our entry in the app listener's wait queue; hands its events on
 *	to workers that wait on a core
 * @app_timer: watches the app listener's queue when workers wait on cores
 * @app_stamp: jiffies when it began to be not empty, or all were last woken
 * @workers: the tasks with a queue of their own, by &struct pid; RCU, written
 *	under @mutex
 * @nr_workers: how many
 * @purge_at: at how many those are sought that have ended; @mutex
 * @full_at: jiffies when there were as many as may be
 * @app_ticks: ticks of @app_timer for which the queue was not empty
 * @sought: jiffies when nobody idle was found to be woken
 * @app_turn: CPU whose workers were woken last where it is all the same;
 *	protected by the lock of the app listener's wait queue
 * @turns: accepted connections of tasks without a core, so that cores' queues
 *	have a turn now and then; a hint
 * @accept_app: connections that tasks not bound to a core took from the app
 *	listener's queue
 * @accept_other: ... from a core's queue
 * @drops: SYNs that found a queue of the app listener full
 * @work: brings the state in line after an abort that we only see later
 * @free_work: frees, after an RCU grace period
 * @core: by CPU number; RCU, written under @mutex
 */
struct fsk_listener {
	struct sock __rcu *sk;
	struct fsk_net *fn;
	struct fsk_group __rcu *group;
	atomic_t orphans;
	unsigned int cores;
	bool released;
	unsigned long looked;

	/* cold from here on */
	struct socket *sock;
	int family;
	struct mutex mutex;	/* rank 2 of DOC: locking */
	bool listed;
	bool stopped;
	bool dead;
	bool unlisted;
	bool limited;
	u16 hnum;
	unsigned long gp;
	struct fsk_owner *owner;
	u32 id;
	u64 listing;
	struct kref ref;
	struct hlist_node node;
	struct hlist_node group_node;
	wait_queue_entry_t app_wait;
	struct timer_list app_timer;
	unsigned long app_stamp;
	unsigned int app_turn;
	u8 turns;
	DECLARE_HASHTABLE(workers, FSK_LISTEN_WORKERS_BITS);
	unsigned int nr_workers;
	unsigned int purge_at;
	unsigned long full_at;
	unsigned int app_ticks;
	unsigned long sought;
	atomic_long_t accept_app;
	atomic_long_t accept_other;
	atomic_long_t drops;
	struct work_struct work;
	struct rcu_work free_work;
	struct fsk_core __rcu *core[];
};

void fsk_listen_init(void);

struct fsk_listener *fsk_listener_create(struct sock *sk);
void fsk_listener_release(struct fsk_listener *l);
void fsk_listener_update(struct fsk_listener *l);
unsigned int fsk_listener_queued(struct fsk_listener *l);

/**
 * fsk_listener_of() - the app listener that a socket is
 * @sk: any TCP socket whose icsk_ulp_ops are ours
 *
 * Context: Expects rcu_read_lock() or a reference on the socket's file.
 * Return: the listener, or %NULL when it is just leaving.
 */
static inline struct fsk_listener *fsk_listener_of(const struct sock *sk)
{
	return rcu_dereference_raw(inet_csk(sk)->icsk_ulp_data);
}

/**
 * fsk_listen_is_now() - was this noted in the very jiffy that it is?
 * @stamp: jiffies when something was looked for in vain
 *
 * Context: Any.
 * Return: whether it need not be looked for again yet.
 */
static inline bool fsk_listen_is_now(unsigned long stamp)
{
	return !(stamp ^ jiffies);
}

/**
 * fsk_queue_empty() - has a listening socket nothing to accept?
 * @sk: a TCP socket
 *
 * Context: Any; no lock. The same test that poll() makes.
 * Return: whether the accept queue is empty.
 */
static inline bool fsk_queue_empty(const struct sock *sk)
{
	return reqsk_queue_empty(&inet_csk(sk)->icsk_accept_queue);
}

/**
 * fsk_core_pending() - does this core's queue hold a connection?
 * @core: the core
 *
 * Context: Expects rcu_read_lock().
 * Return: whether somebody should accept.
 */
static inline bool fsk_core_pending(const struct fsk_core *core)
{
	const struct sock *sk = rcu_dereference(core->sk);

	return sk && !fsk_queue_empty(sk);
}

/**
 * fsk_listener_core() - a listener's core of one CPU
 * @l: the listener
 * @cpu: the CPU
 *
 * Context: Expects rcu_read_lock() or fsk_listener.mutex.
 * Return: the core, or %NULL where none was made.
 */
static inline struct fsk_core *fsk_listener_core(const struct fsk_listener *l,
						 int cpu)
{
	return rcu_dereference_check(l->core[cpu], lockdep_is_held(&l->mutex));
}

/**
 * fsk_core_given() - how many connections a core's workers were given, and took
 * @core: the core
 *
 * Context: Any.
 * Return: how many; a reset or an answer that is lost counts, too.
 */
static inline long fsk_core_given(const struct fsk_core *core)
{
	return (long)READ_ONCE(core->syns) +
	       atomic_long_read(&core->syns_far) +
	       atomic_long_read(&core->accept_app) +
	       atomic_long_read(&core->accept_other) -
	       atomic_long_read(&core->rescued);
}

/* All cores of a listener that exist; see fsk_listener_core(). No break. */
#define fsk_listener_for_each_core(l, cpu, c)				\
	for_each_possible_cpu(cpu)					\
		for ((c) = fsk_listener_core(l, cpu); c; (c) = NULL)

#endif
