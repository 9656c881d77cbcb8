// SPDX-License-Identifier: GPL-2.0
/*
 * The host kernel's own functions, learnt from live sockets.
 *
 * The kernel does not export half of what a TCP socket points to, and exports
 * less with each release.  But every plain socket carries the pointers.  So the
 * module makes two throw-away sockets when it loads: they tell the pointers,
 * and by these it tells a plain socket from one that somebody has taken over.
 */
#include "host.h"

#include <linux/in.h>
#include <linux/poll.h>
#include <net/net_namespace.h>

static struct fsk_host fsk_host_v4 __ro_after_init;
static struct fsk_host fsk_host_v6 __ro_after_init;
static poll_queue_proc fsk_host_pollwait __ro_after_init;

static int __init fsk_host_learn(struct fsk_host *host, int family)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, family, SOCK_STREAM, IPPROTO_TCP,
			       &sock);
	if (err)
		return err;
	host->prot = sock->sk->sk_prot;
	host->ops = sock->ops;
	host->af_ops = inet_csk(sock->sk)->icsk_af_ops;
	host->data_ready = sock->sk->sk_data_ready;
	sock_release(sock);
	return 0;
}

/**
 * fsk_host_init() - learn the kernel's pointers
 *
 * Context: Process, at module load.
 * Return: 0, or the error of making an IPv4 socket.  A kernel without IPv6 is
 *         no error: there are no such sockets then.
 */
int __init fsk_host_init(void)
{
	struct poll_wqueues table;
	int err;

	poll_initwait(&table);
	fsk_host_pollwait = table.pt._qproc;
	poll_freewait(&table);

	err = fsk_host_learn(&fsk_host_v4, AF_INET);
	if (err)
		return err;
	fsk_host_learn(&fsk_host_v6, AF_INET6);
	return 0;
}

/**
 * fsk_host_get() - the kernel's functions for a family
 * @family: AF_INET or AF_INET6
 *
 * Context: Any.
 * Return: the functions, or %NULL for another family or one that the kernel
 *         lacks.
 */
const struct fsk_host *fsk_host_get(int family)
{
	const struct fsk_host *host = NULL;

	if (family == AF_INET)
		host = &fsk_host_v4;
	else if (family == AF_INET6)
		host = &fsk_host_v6;
	return host && host->prot ? host : NULL;
}

/**
 * fsk_host_is_plain() - is this a TCP socket as the kernel makes them?
 * @sk: a TCP socket with a &struct socket
 *
 * Sockmap, MPTCP, SMC and kernel users of TCP replace one of these pointers.
 *
 * Context: Expects lock_sock(@sk).
 * Return: true when nobody has replaced a function of this socket.
 */
bool fsk_host_is_plain(const struct sock *sk)
{
	const struct fsk_host *host = fsk_host_get(sk->sk_family);

	return host && READ_ONCE(sk->sk_prot) == host->prot &&
	       READ_ONCE(sk->sk_socket->ops) == host->ops &&
	       inet_csk(sk)->icsk_af_ops == host->af_ops &&
	       READ_ONCE(sk->sk_data_ready) == host->data_ready;
}

/**
 * fsk_host_keep_zerocopy() - undo what the kernel did before a ULP's init
 * @sk: a TCP socket that has no ULP yet
 *
 * The kernel takes SOCK_SUPPORT_ZC away for ULPs that change how data is sent,
 * and does not give it back when the ULP refuses.  A socket that sends and
 * receives by the kernel's own functions had it: sockmap, which takes it away
 * for good, replaces those functions.
 *
 * Context: Expects lock_sock(@sk).
 */
void fsk_host_keep_zerocopy(struct sock *sk)
{
	const struct fsk_host *host = fsk_host_get(sk->sk_family);

	if (sk->sk_socket && host &&
	    sk->sk_prot->sendmsg == host->prot->sendmsg &&
	    sk->sk_prot->recvmsg == host->prot->recvmsg)
		set_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
}

/**
 * fsk_host_polls_once() - does this poll leave the queue when it returns?
 * @wait: what ->poll() was given, with a queueing function
 *
 * poll() and select() wait anew at each call; an epoll item stays queued until
 * it is removed.
 *
 * Context: Any.
 * Return: true for poll() and select().
 */
bool fsk_host_polls_once(const poll_table *wait)
{
	return wait->_qproc == fsk_host_pollwait;
}
