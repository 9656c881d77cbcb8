// SPDX-License-Identifier: GPL-2.0
/*
 * Accept and poll of an app listener: which queues a task looks at.
 *
 * A worker sees the app listener's queue and its own core's (worker.c), in turn
 * when both hold something, then those of cores that are orphaned or late.  A
 * task that has no core, for it has never waited, sees the app listener's and
 * then all.  Taking a connection out of a queue is the kernel's accept on the
 * socket that the queue belongs to.
 */
#include "listen/accept.h"

#include <linux/file.h>
#include <linux/sched/signal.h>
#include <net/tcp.h>

#include "compat.h"
#include "host.h"
#include "listen/group.h"
#include "listen/latency.h"
#include "listen/listen.h"
#include "listen/map.h"
#include "listen/ref.h"
#include "listen/rescue.h"
#include "listen/worker.h"

static bool fsk_accept_sees(const struct fsk_core *own,
			    const struct fsk_core *core)
{
	return core != own && (!own || READ_ONCE(core->flags));
}

/* When the oldest connection of a queue got its SYN-ACK, in microseconds; one
 * that came by a cookie counts as the oldest.
 */
static u64 fsk_accept_age(struct sock *sk)
{
	struct request_sock_queue *queue = &inet_csk(sk)->icsk_accept_queue;
	struct request_sock *req;
	u64 stamp = U64_MAX;

	spin_lock_bh(&queue->rskq_lock);
	req = queue->rskq_accept_head;
	if (req)
		stamp = tcp_rsk(req)->snt_synack;
	spin_unlock_bh(&queue->rskq_lock);
	return stamp;
}

/* Returns the core whose oldest connection is older; @a may be NULL, or empty
 * by now.
 */
static struct fsk_core *fsk_accept_older(struct fsk_core *a, struct fsk_core *b)
{
	struct sock *sk_a = a ? rcu_dereference(a->sk) : NULL;
	struct sock *sk_b = rcu_dereference(b->sk);

	if (!sk_b || fsk_queue_empty(sk_b))
		return a;
	if (!sk_a || fsk_queue_empty(sk_a))
		return b;
	return fsk_accept_age(sk_a) <= fsk_accept_age(sk_b) ? a : b;
}

/* Returns the core to take from that is not the task's own: the one with the
 * oldest connection of all that the task sees.  Expects rcu_read_lock().
 */
static struct fsk_core *fsk_accept_search(struct fsk_listener *l,
					  const struct fsk_core *own)
{
	struct fsk_core *core, *best = NULL;
	int cpu;

	if (own ? atomic_read(&l->orphans) : READ_ONCE(l->cores))
		fsk_listener_for_each_core(l, cpu, core)
			if (fsk_accept_sees(own, core))
				best = fsk_accept_older(best, core);
	return fsk_group_search(l, best, fsk_accept_older);
}

/* Whether some core may hold something for all: seldom so. */
static bool fsk_accept_may_help(const struct fsk_listener *l)
{
	return atomic_read(&l->orphans) || fsk_group_may_help(l);
}

/* ... or one of the listener's own, for a task that has none. */
static bool fsk_accept_may_search(const struct fsk_listener *l,
				  const struct fsk_core *own)
{
	return (!own && READ_ONCE(l->cores)) || fsk_accept_may_help(l);
}

static bool fsk_accept_ready(struct fsk_listener *l, struct sock *sk,
			     struct fsk_core *own)
{
	bool ready;

	if (!fsk_queue_empty(sk) || (own && !fsk_queue_empty(own->sock->sk)))
		return true;
	if (!fsk_accept_may_search(l, own))
		return false;
	rcu_read_lock();
	ready = fsk_accept_search(l, own);
	rcu_read_unlock();
	return ready;
}

/* Taking, without sleeping */

static int fsk_accept_take(const struct fsk_listener *l, struct socket *from,
			   struct socket *newsock,
			   const struct proto_accept_arg *arg)
{
	struct proto_accept_arg try = {
		.flags = arg->flags | O_NONBLOCK,
		.kern = arg->kern,
	};
	const struct fsk_host *host = fsk_host_get(from->sk->sk_family);
	int err = fsk_compat_accept(host->ops, from, newsock, &try);

	if (!err)
		fsk_latency_note(l->fn, newsock->sk);
	return err;
}

static int fsk_accept_app(struct fsk_listener *l, struct fsk_core *own,
			  struct socket *sock, struct socket *newsock,
			  const struct proto_accept_arg *arg)
{
	int err = fsk_accept_take(l, sock, newsock, arg);

	if (err)
		return err;
	atomic_long_inc(own ? &own->accept_app : &l->accept_app);
	fsk_stats_inc(l->fn, ACCEPT_APP);
	return 0;
}

static int fsk_accept_own(struct fsk_listener *l, struct fsk_core *own,
			  struct socket *newsock,
			  const struct proto_accept_arg *arg)
{
	int err = fsk_accept_take(l, own->sock, newsock, arg);

	if (err)
		return err;
	WRITE_ONCE(own->stamp, jiffies);
	atomic_long_inc(&own->accept_local);
	fsk_stats_inc(l->fn, ACCEPT_LOCAL);
	return 0;
}

/* Both the core and its socket may belong to a sibling that is being released:
 * hold them.
 */
static struct fsk_core *fsk_accept_search_get(struct fsk_listener *l,
					      const struct fsk_core *own,
					      struct sock **skp)
{
	struct fsk_core *core;
	struct sock *sk;

	rcu_read_lock();
	core = fsk_accept_search(l, own);
	sk = core ? rcu_dereference(core->sk) : NULL;
	if (sk && !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	if (sk && !kref_get_unless_zero(&core->listener->ref)) {
		sock_put(sk);
		sk = NULL;
	}
	rcu_read_unlock();
	*skp = sk;
	return sk ? core : NULL;
}

/* Returns -EBUSY when another task was faster. */
static int __fsk_accept_other(struct fsk_listener *l, struct fsk_core *own,
			      struct socket *newsock,
			      const struct proto_accept_arg *arg)
{
	struct socket from = { .flags = BIT(SOCK_SUPPORT_ZC) };
	struct fsk_core *core;
	int err;

	core = fsk_accept_search_get(l, own, &from.sk);
	if (!core)
		return -EAGAIN;
	err = fsk_accept_take(l, &from, newsock, arg);
	if (!err) {
		WRITE_ONCE(core->stamp, jiffies);
		atomic_long_inc(own ? &own->accept_other : &l->accept_other);
		atomic_long_inc(&core->rescued);
		fsk_stats_inc(l->fn, ACCEPT_OTHER);
		if (own || READ_ONCE(core->flags))
			fsk_stats_inc(l->fn, RESCUED);
	}
	sock_put(from.sk);
	fsk_listener_put(core->listener);
	/* Or closed between our look and our call: there is nothing to take. */
	return err == -EINVAL || err == -EAGAIN ? -EBUSY : err;
}

/* An accept() that finds nothing must be right: whoever waits for an edge does
 * not look again.
 */
static int fsk_accept_other(struct fsk_listener *l, struct fsk_core *own,
			    struct socket *newsock,
			    const struct proto_accept_arg *arg)
{
	unsigned int tries = nr_cpu_ids;
	int err;

	do
		err = __fsk_accept_other(l, own, newsock, arg);
	while (err == -EBUSY && --tries);
	return err == -EBUSY ? -EAGAIN : err;
}

/* Where all workers have enough of their own, or find enough in the app
 * listener's queue, somebody has to look at the queues of those that do not
 * come.
 */
static bool fsk_accept_turns_to_others(struct fsk_listener *l,
				       struct fsk_core *own)
{
	u8 *turns = own ? &own->turns : &l->turns;

	return unlikely(fsk_accept_may_help(l)) && !(++*turns & 7);
}

/* The two queues take turns where both hold something, so that neither starves
 * the other.
 */
static bool fsk_accept_begins_with_app(struct fsk_core *own, bool app,
				       bool local)
{
	if (app && local)
		own->turn = !own->turn;
	return app && (!local || own->turn);
}

/* Another task of this core may be faster in the queue that it begins with, so
 * what the other one holds is looked at, too.
 */
static int fsk_accept_once(struct fsk_listener *l, struct fsk_core *own,
			   struct socket *sock, struct socket *newsock,
			   const struct proto_accept_arg *arg)
{
	bool app = !fsk_queue_empty(sock->sk);
	bool local = own && !fsk_queue_empty(own->sock->sk);
	int err = -EAGAIN;
	bool first;

	if (fsk_accept_turns_to_others(l, own)) {
		err = fsk_accept_other(l, own, newsock, arg);
		if (err != -EAGAIN)
			return err;
	}
	first = fsk_accept_begins_with_app(own, app, local);
	if (first)
		err = fsk_accept_app(l, own, sock, newsock, arg);
	if (err == -EAGAIN && local)
		err = fsk_accept_own(l, own, newsock, arg);
	if (err == -EAGAIN && app && !first)
		err = fsk_accept_app(l, own, sock, newsock, arg);
	if (err == -EAGAIN && fsk_accept_may_search(l, own))
		err = fsk_accept_other(l, own, newsock, arg);
	return err;
}

/* Waiting */

static int fsk_accept_wait(struct fsk_listener *l, struct fsk_core *own,
			   struct socket *sock, long *timeo)
{
	struct wait_queue_head *wait;
	DEFINE_WAIT(entry);

	wait = own ? &own->sock->wq.wait : &sock->wq.wait;
	prepare_to_wait_exclusive(wait, &entry, TASK_INTERRUPTIBLE);
	if (inet_sk_state_load(sock->sk) == TCP_LISTEN &&
	    !fsk_accept_ready(l, sock->sk, own))
		*timeo = schedule_timeout(*timeo);
	finish_wait(wait, &entry);
	return inet_sk_state_load(sock->sk) == TCP_LISTEN ? 0 : -EINVAL;
}

/* io_uring tries without sleeping on a file that may sleep, and polls in
 * between without staying queued.
 */
static bool fsk_accept_comes_back(const struct socket *sock,
				  const struct proto_accept_arg *arg)
{
	return !(arg->flags & O_NONBLOCK) ||
	       !(sock->file && sock->file->f_flags & O_NONBLOCK);
}

/* A task that does not stay queued has a core from its first call on.  A kernel
 * user is told by the app listener's data_ready, and has none.
 */
static struct fsk_core *
fsk_accept_own_core(struct fsk_listener *l, const struct socket *sock,
		    const struct proto_accept_arg *arg)
{
	struct fsk_core *own;
	bool returns;

	if (unlikely(arg->kern))
		return NULL;
	returns = fsk_accept_comes_back(sock, arg);
	if (unlikely(fsk_worker_is_elsewhere(l)))
		return NULL;
	own = returns ? fsk_worker_claim(l) : fsk_worker_core(l);
	if (own) {
		fsk_worker_note(own, returns);
		fsk_map_note_worker(own);
	}
	return own;
}

/**
 * fsk_accept() - accept() of an app listener
 * @l: the listener
 * @sock: its socket
 * @newsock: the new socket, with the kernel's ops
 * @arg: flags
 *
 * Context: Process, sleeps unless O_NONBLOCK is set.
 * Return: 0 or the errno that the kernel's accept would give.
 */
int fsk_accept(struct fsk_listener *l, struct socket *sock,
	       struct socket *newsock, struct proto_accept_arg *arg)
{
	long timeo = sock_rcvtimeo(sock->sk, arg->flags & O_NONBLOCK);
	struct fsk_core *own;
	bool waited = false;
	int err;

	own = fsk_accept_own_core(l, sock, arg);
	for (;;) {
		err = fsk_accept_once(l, own, sock, newsock, arg);
		if (own && fsk_rescue_return(own) && err == -EAGAIN)
			continue;
		if (err != -EAGAIN || (!timeo && !waited))
			break;
		/* A signal comes before the end of the time, as TCP has it. */
		if (signal_pending(current)) {
			err = sock_intr_errno(timeo);
			break;
		}
		if (!timeo)
			break;
		err = fsk_accept_wait(l, own, sock, &timeo);
		if (err)
			break;
		waited = true;
	}
	/* Only io_uring asks, and says so with a negative value. */
	if (!err && arg->is_empty < 0)
		arg->is_empty = !fsk_accept_ready(l, sock->sk, own);
	return err;
}

/**
 * fsk_accept_pending() - as fsk_accept() would begin, without taking
 * @l: the listener
 * @sock: its socket
 *
 * Context: Process, sleeps when a core is made.
 * Return: whether there is something to take.
 */
bool fsk_accept_pending(struct fsk_listener *l, struct socket *sock)
{
	struct fsk_core *own = NULL;

	if (likely(!fsk_worker_is_elsewhere(l)))
		own = fsk_worker_claim(l);
	if (own) {
		fsk_worker_note(own, true);
		fsk_map_note_worker(own);
		fsk_rescue_return(own);
	}
	return fsk_accept_ready(l, sock->sk, own);
}

/* Older kernels call it poll_does_not_wait(). */
static bool fsk_poll_only_looks(const poll_table *wait)
{
	return !wait || !wait->_qproc;
}

/* A kernel thread that asks for a task which waits (aio) is no worker, and does
 * not know in whose queue that task is: it looks at all of them.
 */
static bool fsk_poll_is_task(void)
{
	return !(current->flags & PF_KTHREAD);
}

/* Who waits for a change of state only is no worker.  An epoll item may be told
 * later what to wait for, and stays where it is then.
 */
static bool fsk_poll_takes(const poll_table *wait)
{
	return fsk_poll_is_task() &&
	       (!fsk_host_polls_once(wait) ||
		poll_requested_events(wait) & (EPOLLIN | EPOLLRDNORM));
}

/* The calling task's own core, but where it was woken from another queue. */
static struct fsk_core *fsk_poll_look(struct fsk_listener *l)
{
	struct fsk_core *own = fsk_poll_is_task() ? fsk_worker_core(l) : NULL;

	/* No barrier: the task itself has queued itself, or not. */
	if (likely(own && waitqueue_active(&own->sock->wq.wait)))
		return own;
	return fsk_poll_is_task() && fsk_worker_looks_elsewhere(l) ? NULL : own;
}

/* Queues the caller, and returns its core. */
static struct fsk_core *fsk_poll_wait(struct fsk_listener *l, struct file *file,
				      struct socket *sock, poll_table *wait)
{
	struct fsk_core *own;

	own = fsk_poll_takes(wait) ? fsk_worker_claim(l) : NULL;
	sock_poll_wait(file, own ? own->sock : sock, wait);
	if (own) {
		fsk_worker_note(own, fsk_host_polls_once(wait));
		fsk_worker_note_queued(own);
		fsk_map_note_worker(own);
	}
	return own;
}

/**
 * fsk_poll() - poll() of an app listener
 * @l: the listener
 * @file: its file
 * @sock: its socket
 * @wait: where to queue the caller, if anywhere
 *
 * Context: Process; may sleep when a core is made.
 * Return: EPOLLIN | EPOLLRDNORM when accept() by this task would find one.
 */
__poll_t fsk_poll(struct fsk_listener *l, struct file *file,
		  struct socket *sock, poll_table *wait)
{
	struct fsk_core *own;

	if (fsk_poll_only_looks(wait))
		own = fsk_poll_look(l);
	else
		own = fsk_poll_wait(l, file, sock, wait);
	if (own)
		fsk_rescue_return(own);
	return fsk_accept_ready(l, sock->sk, own) ? EPOLLIN | EPOLLRDNORM : 0;
}
