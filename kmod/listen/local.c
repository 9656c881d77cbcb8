// SPDX-License-Identifier: GPL-2.0
/*
 * One local listener: an ordinary listening TCP socket in no kernel table.
 *
 * Its handshakes are the kernel's; two functions of it are ours.  The child of
 * a handshake is made from the app listener, so that it inherits every option
 * of the application's own socket, and the wake-up goes to the workers of this
 * core.  rx.c decides which packets get here, claim.c tells who waits.
 */
#include "listen/local.h"

#include <linux/cgroup.h>
#include <linux/net.h>
#include <linux/security.h>
#include <net/inet_connection_sock.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "compat.h"
#include "host.h"
#include "listen/listen.h"
#include "listen/migrate.h"
#include "listen/options.h"
#include "listen/owner.h"
#include "listen/wake.h"

/* While it starts to listen, a local listener takes no port and enters no
 * table.  By family: 0 is IPv4, 1 is IPv6.
 */
static struct proto fsk_local_prot[2] __ro_after_init;
static struct inet_connection_sock_af_ops fsk_local_af_ops[2] __ro_after_init;

/* A core's queue is woken from within the app listener's: rank 5. */
static struct lock_class_key fsk_local_wait_key;
/* Rank 4.  The class of the kernel's own sockets is that of some of users',
 * too: of those that MPTCP made and gave to accept() as plain TCP.
 */
static struct lock_class_key fsk_local_slock_key;
static struct lock_class_key fsk_local_lock_key;

static int fsk_local_get_port(struct sock *sk, unsigned short snum)
{
	return 0;
}

static int fsk_local_hash(struct sock *sk)
{
	fsk_compat_listen_hide(sk);
	return 0;
}

/* The app listener as parent would test its own accept queue for being full,
 * which says nothing about this one.
 */
static const struct sock *fsk_local_parent(const struct sock *sk)
{
	struct fsk_core *core = rcu_dereference_sk_user_data(sk);
	const struct sock *app;

	app = core ? rcu_dereference(core->listener->sk) : NULL;
	if (!app || inet_sk_state_load(app) != TCP_LISTEN)
		return NULL;
	if (sk_acceptq_is_full(sk)) {
		NET_INC_STATS(sock_net(sk), LINUX_MIB_LISTENOVERFLOWS);
		fsk_stats_inc(core->listener->fn, OVERFLOW);
		atomic_long_inc(&core->drops);
		return NULL;
	}
	return app;
}

static const struct sock *fsk_local_parent_or_drop(const struct sock *sk,
						   struct sk_buff *skb,
						   struct request_sock *req,
						   struct dst_entry *dst)
{
	const struct sock *app = fsk_local_parent(sk);

	if (unlikely(!app)) {
		dst_release(dst);
		tcp_listendrop(sk);
	} else if (unlikely(fsk_options_bypass(app)) &&
		   !fsk_options_admit((struct sock *)app, skb, req)) {
		dst_release(dst);
		sk_drops_skbadd((struct sock *)sk, skb);
		app = NULL;
	}
	return app;
}

/* The kernel made no child.  It has looked at the app listener's queue, too. */
static void fsk_local_note_lost(const struct sock *sk, const struct sock *app)
{
	struct fsk_core *core = rcu_dereference_sk_user_data(sk);

	if (!core)
		return;
	if (sk_acceptq_is_full(app))
		fsk_stats_inc(core->listener->fn, OVERFLOW);
	else
		fsk_stats_inc(core->listener->fn, CHILD_FAILED);
	atomic_long_inc(&core->drops);
}

FSK_COMPAT_SYN_RECV_SOCK(fsk_local_syn_recv_sock, fsk_local_parent_or_drop,
			 fsk_local_note_lost)

/* Called in softirq context with the child's spinlock held, or by a task that
 * processes its own transmission on the loopback interface.
 */
static void fsk_local_data_ready(struct sock *sk)
{
	struct fsk_core *core;

	rcu_read_lock();
	core = rcu_dereference_sk_user_data(sk);
	if (core)
		fsk_wake_core(core);
	rcu_read_unlock();
}

/**
 * fsk_local_init() - derive the functions of local listeners from the host's
 *
 * Context: Process, at module load, after fsk_host_init().
 */
void __init fsk_local_init(void)
{
	static const int family[] = { AF_INET, AF_INET6 };
	const struct fsk_host *host;
	int i;

	for (i = 0; i < ARRAY_SIZE(family); i++) {
		host = fsk_host_get(family[i]);
		if (!host)
			continue;
		fsk_local_prot[i] = *host->prot;
		fsk_local_prot[i].get_port = fsk_local_get_port;
		fsk_local_prot[i].hash = fsk_local_hash;
		fsk_local_af_ops[i] = *host->af_ops;
		fsk_local_af_ops[i].syn_recv_sock = fsk_local_syn_recv_sock;
	}
}

/* A control group's programs decide on SYN, SYN-ACK and last ACK by the group
 * of the listener that has them.  Of a new socket that is the group of the
 * worker that made it; a socket keeps its group for life.  Both references are
 * dropped with @sk.
 */
static void fsk_local_set_cgroup(struct sock *sk, struct sock *app)
{
#ifdef CONFIG_SOCK_CGROUP_DATA
	struct cgroup *to = sock_cgroup_ptr(&app->sk_cgrp_data);
	struct cgroup *from = sock_cgroup_ptr(&sk->sk_cgrp_data);

	cgroup_get(to);
	cgroup_bpf_get(to);
	sk->sk_cgrp_data = app->sk_cgrp_data;
	cgroup_bpf_put(from);
	cgroup_put(from);
#endif
}

/* A filter that looks at a SYN-ACK's socket (nftables' skuid, cgroup) should
 * see the same as on the plain kernel.
 */
static void fsk_local_impersonate(struct sock *sk, struct sock *app)
{
	fsk_local_set_cgroup(sk, app);
	security_sk_clone(app, sk);
	sk_set_socket(sk, app->sk_socket);
}

/* The kernel's log names the port of a listener that is flooded.  The kernel
 * warns of a closed socket with a port and without an entry in the table of
 * ports, so a local listener has one only while it listens.
 */
static void fsk_local_set_port(struct sock *sk, u16 hnum)
{
	WRITE_ONCE(inet_sk(sk)->inet_num, hnum);
	WRITE_ONCE(inet_sk(sk)->inet_sport, htons(hnum));
}

/* Closing has reset both addresses. */
static void fsk_local_set_address(struct sock *sk, const struct sock *app)
{
	sk->sk_ipv6only = app->sk_ipv6only;
	sk->sk_rcv_saddr = app->sk_rcv_saddr;
#if IS_ENABLED(CONFIG_IPV6)
	sk->sk_v6_rcv_saddr = app->sk_v6_rcv_saddr;
#endif
	inet_sk(sk)->inet_saddr = inet_sk(app)->inet_saddr;
}

/**
 * fsk_local_create() - make a core's local listener, not yet listening
 * @core: the core, not yet published; owns the sock until fsk_local_close(),
 *	and the &struct socket until fsk_local_destroy()
 * @app: the app listener
 *
 * Context: Process, in a call on the app listener's file.  Expects
 *          fsk_listener.mutex.
 * Return: 0, -EDQUOT when the owner has as many as it may, or the errno of
 *         making a socket.
 * Source: Fastsocket (ASPLOS 2016), local listen table.
 */
int fsk_local_create(struct fsk_core *core, struct sock *app)
{
	struct fsk_listener *l = core->listener;
	int v6 = app->sk_family == AF_INET6;
	struct socket *sock;
	struct sock *sk;
	int err;

	err = fsk_owner_charge(l->owner, l->sock->file);
	if (err)
		return err;
	err = sock_create_kern(sock_net(app), app->sk_family, SOCK_STREAM,
			       IPPROTO_TCP, &sock);
	if (err)
		goto err_uncharge;
	sk = sock->sk;
	lockdep_set_class(&sock->wq.wait.lock, &fsk_local_wait_key);
	sock_lock_init_class_and_name(sk, "slock-fastsocket",
				      &fsk_local_slock_key,
				      "sk_lock-fastsocket",
				      &fsk_local_lock_key);
	fsk_compat_sk_hold_net(sk);
	sock_set_flag(sk, SOCK_RCU_FREE);
	fsk_local_impersonate(sk, app);
	fsk_options_sync(sk, app);
	inet_csk(sk)->icsk_af_ops = &fsk_local_af_ops[v6];
	sk->sk_data_ready = fsk_local_data_ready;
	rcu_assign_sk_user_data(sk, core);
	core->sock = sock;
	atomic_inc(&l->fn->nr_locals);
	return 0;

err_uncharge:
	fsk_owner_uncharge(l->owner);
	return err;
}

/**
 * fsk_local_start() - let a local listener listen
 * @core: the core
 * @app: the app listener, which listens
 *
 * It takes no port: there is nothing to conflict with, and nothing that keeps
 * the port taken when the application has closed its own.
 *
 * Not by listen(): sockops programs hear of that, and have heard of the app
 * listener's.
 *
 * A half-open connection copies the protocol of its listener and outlives it,
 * and perhaps the module: nobody may find the local listener while it has
 * ours.  One that listened before is found by those who came before
 * fsk_local_stop(): the caller has waited for them.
 *
 * Context: Process.  Expects fsk_listener.mutex.
 * Return: 0 or the errno of listen().
 */
int fsk_local_start(struct fsk_core *core, const struct sock *app)
{
	struct sock *sk = core->sock->sk;
	struct proto *prot = sk->sk_prot;
	int err;

	if (sk->sk_state == TCP_LISTEN)
		return 0;
	lock_sock(sk);
	fsk_local_set_address(sk, app);
	WRITE_ONCE(sk->sk_prot, &fsk_local_prot[sk->sk_family == AF_INET6]);
	release_sock(sk);
	err = fsk_compat_listen_start(core->sock);
	lock_sock(sk);
	WRITE_ONCE(sk->sk_prot, prot);
	if (!err)
		fsk_local_set_port(sk, inet_sk(app)->inet_num);
	release_sock(sk);
	if (!err)
		rcu_assign_pointer(core->sk, sk);
	return err;
}

/**
 * fsk_local_stop() - stop listening, as shutdown() of a listener does
 * @core: the core
 * @app: the app listener, which does not listen any more
 *
 * Connections that are queued are reset, or go to another member of the
 * SO_REUSEPORT group where that is wanted.  Wakes who waits here.
 *
 * Context: Process.  Expects fsk_listener.mutex.
 */
void fsk_local_stop(struct fsk_core *core, struct sock *app)
{
	struct sock *sk = core->sock->sk;

	if (sk->sk_state != TCP_LISTEN)
		return;
	RCU_INIT_POINTER(core->sk, NULL);
	fsk_migrate_local(sk, app);
	fsk_local_set_port(sk, 0);
	kernel_sock_shutdown(core->sock, SHUT_RDWR);
}

/**
 * fsk_local_close() - close a core's local listener
 * @core: the core
 *
 * Request sockets may still refer to the sock; they find it closed and with
 * the kernel's own functions.  The &struct socket stays: whoever has found the
 * core may look at the wait queue in it.
 *
 * Context: Process.  Expects fsk_listener.mutex and that nobody can wait on
 *          the socket's queue any more.
 */
void fsk_local_close(struct fsk_core *core)
{
	struct sock *sk = core->sock->sk;
	const struct fsk_host *host = fsk_host_get(sk->sk_family);

	RCU_INIT_POINTER(core->sk, NULL);	/* where stop() did not */
	rcu_assign_sk_user_data(sk, NULL);
	WRITE_ONCE(sk->sk_data_ready, host->data_ready);
	WRITE_ONCE(inet_csk(sk)->icsk_af_ops, host->af_ops);
	core->sock->ops->release(core->sock);
	atomic_dec(&core->listener->fn->nr_locals);
	fsk_owner_uncharge(core->listener->owner);
}

/**
 * fsk_local_destroy() - give back what fsk_local_close() has left
 * @core: the core, which nobody can find any more
 *
 * Context: Process.
 */
void fsk_local_destroy(struct fsk_core *core)
{
	sock_release(core->sock);
}
