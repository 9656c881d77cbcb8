// SPDX-License-Identifier: GPL-2.0
/*
 * Accept and poll of an app listener: which queues a task looks at.
 *
 * A task bound to a core sees the app listener's queue and its core's, in
 * turn when both hold something, then those of orphaned cores.  Any other task
 * sees the app listener's and then all.  Taking a connection out of a queue is
 * the kernel's accept on the socket that the queue belongs to.
 */
#include "accept.h"

#include <linux/file.h>
#include <linux/sched/signal.h>
#include <net/tcp.h>

#include "compat.h"
#include "host.h"
#include "listen.h"
#include "rescue.h"

static bool fsk_accept_sees(const struct fsk_core *own,
			    const struct fsk_core *core)
{
	return core != own &&
	       (!own || test_bit(FSK_CORE_ORPHANED, &core->flags));
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

/* The queue of another core to take from, oldest connection first. */
static struct fsk_core *fsk_accept_find(struct fsk_listener *l,
					const struct fsk_core *own)
{
	struct fsk_core *core, *best = NULL;
	u64 age, oldest = U64_MAX;
	int cpu;

	if (own ? !atomic_read(&l->orphans) : !READ_ONCE(l->cores))
		return NULL;
	rcu_read_lock();
	fsk_listener_for_each_core(l, cpu, core) {
		if (!fsk_accept_sees(own, core) || !fsk_core_pending(core))
			continue;
		age = fsk_accept_age(rcu_dereference(core->sk));
		if (!best || age < oldest) {
			best = core;
			oldest = age;
		}
	}
	rcu_read_unlock();
	return best;
}

static bool fsk_accept_ready(struct fsk_listener *l, struct sock *sk,
			     struct fsk_core *own)
{
	bool ready = !fsk_queue_empty(sk);

	if (!ready && own) {
		rcu_read_lock();
		ready = fsk_core_pending(own);
		rcu_read_unlock();
	}
	return ready || fsk_accept_find(l, own);
}

/* Taking, without sleeping */

static int fsk_accept_take(struct socket *from, struct socket *newsock,
			   const struct proto_accept_arg *arg)
{
	struct proto_accept_arg try = {
		.flags = arg->flags | O_NONBLOCK,
		.kern = arg->kern,
	};
	const struct fsk_host *host = fsk_host_get(from->sk->sk_family);

	return fsk_compat_accept(host->ops, from, newsock, &try);
}

static int fsk_accept_app(struct fsk_listener *l, struct fsk_core *own,
			  struct socket *sock, struct socket *newsock,
			  const struct proto_accept_arg *arg)
{
	int err = fsk_accept_take(sock, newsock, arg);

	if (err)
		return err;
	if (timer_pending(&l->app_timer))
		WRITE_ONCE(l->app_stamp, jiffies);
	atomic_long_inc(own ? &own->accept_app : &l->accept_app);
	fsk_stats_inc(l->fn, ACCEPT_APP);
	return 0;
}

static int fsk_accept_own(struct fsk_listener *l, struct fsk_core *own,
			  struct socket *newsock,
			  const struct proto_accept_arg *arg)
{
	int err = fsk_accept_take(own->sock, newsock, arg);

	if (err)
		return err;
	WRITE_ONCE(own->stamp, jiffies);
	atomic_long_inc(&own->accept_local);
	fsk_stats_inc(l->fn, ACCEPT_LOCAL);
	return 0;
}

static int fsk_accept_other(struct fsk_listener *l, struct fsk_core *own,
			    struct socket *newsock,
			    const struct proto_accept_arg *arg)
{
	struct fsk_core *core = fsk_accept_find(l, own);
	int err;

	if (!core)
		return -EAGAIN;
	err = fsk_accept_take(core->sock, newsock, arg);
	if (err)
		return err;
	WRITE_ONCE(core->stamp, jiffies);
	atomic_long_inc(own ? &own->accept_other : &l->accept_other);
	atomic_long_inc(&core->rescued);
	fsk_stats_inc(l->fn, ACCEPT_OTHER);
	if (test_bit(FSK_CORE_ORPHANED, &core->flags))
		fsk_stats_inc(l->fn, RESCUED);
	return 0;
}

/* Neither queue may starve the other: where both hold something they take
 * turns.
 */
static int fsk_accept_once(struct fsk_listener *l, struct fsk_core *own,
			   struct socket *sock, struct socket *newsock,
			   const struct proto_accept_arg *arg)
{
	bool app = !fsk_queue_empty(sock->sk);
	bool local = own && !fsk_queue_empty(own->sock->sk);
	int err = -EAGAIN;

	if (app && local) {
		own->turn = !own->turn;
		app = own->turn;
	}
	if (app)
		err = fsk_accept_app(l, own, sock, newsock, arg);
	if (err == -EAGAIN && local)
		err = fsk_accept_own(l, own, newsock, arg);
	if (err == -EAGAIN)
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
	int err;

	if (fsk_accept_comes_back(sock, arg)) {
		own = fsk_core_claim(l);
		if (own)
			fsk_core_set_taker(own);
	} else {
		own = fsk_core_current(l);
	}
	for (;;) {
		err = fsk_accept_once(l, own, sock, newsock, arg);
		if (own)
			fsk_rescue_return(own);
		if (err != -EAGAIN || !timeo)
			break;
		if (signal_pending(current)) {
			err = sock_intr_errno(timeo);
			break;
		}
		err = fsk_accept_wait(l, own, sock, &timeo);
		if (err)
			break;
	}
	if (!err)
		arg->is_empty = !fsk_accept_ready(l, sock->sk, own);
	return err;
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

	if (poll_does_not_wait(wait)) {
		own = fsk_core_current(l);
	} else {
		own = fsk_core_claim(l);
		sock_poll_wait(file, own ? own->sock : sock, wait);
		if (own && fsk_host_polls_once(wait))
			fsk_core_set_taker(own);
	}
	if (own)
		fsk_rescue_return(own);
	return fsk_accept_ready(l, sock->sk, own) ? EPOLLIN | EPOLLRDNORM : 0;
}
