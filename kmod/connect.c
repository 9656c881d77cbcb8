// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets that are about to connect: the TCP ULP "fastsocket-rfd".
 *
 * A socket joins right before connect() and is the kernel's own again when
 * connect() returns: one function of its protocol is replaced in between.
 * Instead of one call of the kernel's connect there are as many as it takes
 * for one of the ports that port.c proposes to be accepted, each with the
 * socket's port range narrowed to that port, so that all of the kernel's rules
 * hold.
 */
#include "connect.h"

#include <linux/module.h>
#include <net/mptcp.h>
#include <net/tcp.h>

#include <uapi/linux/fastsocket.h>

#include "compat.h"
#include "fsk.h"
#include "host.h"
#include "netns.h"
#include "port.h"
#include "steer.h"

/* A port that looks free and isn't is one that somebody has bound, or that
 * another core was quicker to take.  More than a few in a row are no chance.
 */
#define FSK_CONNECT_CLASHES	8

/* IPv4, IPv6; filled once, from the kernel's */
static struct proto fsk_connect_prot[2];

/* The socket is as it was before it joined, but for the module's reference,
 * which is the caller's now.
 */
static void fsk_connect_detach(struct sock *sk)
{
	WRITE_ONCE(sk->sk_prot, fsk_host_get(sk->sk_family)->prot);
	WRITE_ONCE(inet_csk(sk)->icsk_ulp_ops, NULL);
}

/* Those that have a port are bound to it; those under repair are told all. */
static bool fsk_connect_may_choose(const struct sock *sk)
{
	return !inet_sk(sk)->inet_num && !tcp_sk(sk)->repair &&
	       !(sk->sk_userlocks & SOCK_BINDPORT_LOCK);
}

static int fsk_connect_from(struct sock *sk, struct sockaddr *uaddr, int len,
			    u16 hnum)
{
	const struct fsk_host *host = fsk_host_get(sk->sk_family);
	u32 range = fsk_compat_port_range(sk);
	int err;

	fsk_compat_set_port_range(sk, (u32)hnum << 16 | hnum);
	err = host->prot->connect(sk, uaddr, len);
	fsk_compat_set_port_range(sk, range);
	return err;
}

/* 0 or an errno that says more than that the port is not free. */
static int fsk_connect_try(struct fsk_port_pick *pick, struct sock *sk,
			   struct sockaddr *uaddr, int len)
{
	int hnum, err;

	while (pick->clashes < FSK_CONNECT_CLASHES) {
		hnum = fsk_port_next(pick);
		if (!hnum)
			break;
		fsk_steer_note(pick, hnum);
		err = fsk_connect_from(sk, uaddr, len, hnum);
		if (err != -EADDRNOTAVAIL)
			return err;
		pick->clashes++;
		/* A port that is in use is refused without changing the
		 * socket; what else could be unavailable is for the kernel.
		 */
		if (!fsk_connect_may_choose(sk))
			return err;
	}
	return -EADDRNOTAVAIL;
}

static void fsk_connect_chosen(struct fsk_port_pick *pick)
{
	fsk_port_end(pick);
	if (pick->own)
		fsk_stats_inc(pick->fn, CONNECT_OWN);
	else
		fsk_stats_inc(pick->fn, CONNECT_ANY);
}

static int __fsk_connect(struct sock *sk, struct sockaddr *uaddr, int len)
{
	const struct fsk_host *host = fsk_host_get(sk->sk_family);
	struct fsk_port_pick pick;
	int err = -EADDRNOTAVAIL;

	if (!fsk_connect_may_choose(sk))
		return host->prot->connect(sk, uaddr, len);
	if (fsk_port_begin(&pick, sk, uaddr, len))
		err = fsk_connect_try(&pick, sk, uaddr, len);
	fsk_stats_add(pick.fn, CONNECT_PROBE, pick.probes);
	if (pick.clashes)
		fsk_stats_add(pick.fn, CONNECT_CLASH, pick.clashes);
	if (!err)
		fsk_connect_chosen(&pick);
	if (err != -EADDRNOTAVAIL)
		return err;
	err = host->prot->connect(sk, uaddr, len);
	if (!err)
		fsk_stats_inc(pick.fn, CONNECT_KERNEL);
	return err;
}

/* lock_sock() is held in both: by connect(), listen(), or sendmsg() with
 * MSG_FASTOPEN.
 */
static int fsk_connect(struct sock *sk, struct sockaddr *uaddr, int len)
{
	int err;

	fsk_connect_detach(sk);
	err = __fsk_connect(sk, uaddr, len);
	/* See "What unload waits for" in DOC: locking. */
	module_put(THIS_MODULE);
	return err;
}

static int fsk_connect_hash(struct sock *sk)
{
	int err;

	fsk_connect_detach(sk);
	err = sk->sk_prot->hash(sk);
	module_put(THIS_MODULE);
	return err;
}

static void fsk_connect_prot_init(struct proto *prot, int family)
{
	const struct fsk_host *host = fsk_host_get(family);

	if (!host)
		return;
	*prot = *host->prot;
	prot->connect = fsk_connect;
	prot->hash = fsk_connect_hash;
}

/* The ULP */

/* Not fsk_host_is_plain(): a socket that was connected before may have been
 * turned to IPv4 for good.
 */
static int fsk_connect_check(const struct sock *sk)
{
	const struct fsk_host *host = fsk_host_get(sk->sk_family);

	if (sk->sk_state != TCP_CLOSE)
		return -EISCONN;
	if (sk->sk_kern_sock || !sk->sk_socket || sk_is_mptcp(sk) || !host ||
	    READ_ONCE(sk->sk_prot) != host->prot)
		return -EOPNOTSUPP;
	return 0;
}

/* lock_sock() is held. */
static int fsk_connect_sk_init(struct sock *sk)
{
	int err = fsk_connect_check(sk);

	if (err)
		return err;
	/* The kernel cleared it before it called us, for ULPs that change
	 * how data is sent.
	 */
	set_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
	WRITE_ONCE(sk->sk_prot, &fsk_connect_prot[sk->sk_family == AF_INET6]);
	return 0;
}

/* A socket that is closed without having connected.  The kernel drops the
 * module's reference next.
 */
static void fsk_connect_sk_release(struct sock *sk)
{
	WRITE_ONCE(sk->sk_prot, fsk_host_get(sk->sk_family)->prot);
}

/* Never called: a socket leaves before it listens.  Without it the kernel
 * would not let it listen.
 */
static void fsk_connect_sk_clone(const struct request_sock *req,
				 struct sock *newsk, const gfp_t priority)
{
	WARN_ON_ONCE(1);
}

static struct tcp_ulp_ops fsk_connect_ulp_ops __read_mostly = {
	.name		= FSK_ULP_RFD_NAME,
	.owner		= THIS_MODULE,
	.init		= fsk_connect_sk_init,
	.release	= fsk_connect_sk_release,
	.clone		= fsk_connect_sk_clone,
};

/**
 * fsk_connect_init() - let sockets join that connect
 *
 * Context: Process, at module load, when all else is ready.
 * Return: 0 or a negative errno.  A kernel whose sockets have no port range is
 *         no error: joining is refused.
 */
int fsk_connect_init(void)
{
	if (!fsk_compat_has_port_range())
		return 0;
	fsk_dest_init();
	fsk_connect_prot_init(&fsk_connect_prot[0], AF_INET);
	fsk_connect_prot_init(&fsk_connect_prot[1], AF_INET6);
	return tcp_register_ulp(&fsk_connect_ulp_ops);
}

/**
 * fsk_connect_exit() - no more
 *
 * Context: Process, at unload.  Waits for RCU readers and for calls that have
 *          dropped the last reference.
 */
void fsk_connect_exit(void)
{
	if (!fsk_compat_has_port_range())
		return;
	tcp_unregister_ulp(&fsk_connect_ulp_ops);
	synchronize_rcu_tasks();
	fsk_dest_exit();
}

MODULE_ALIAS_TCP_ULP("fastsocket-rfd");
