// SPDX-License-Identifier: GPL-2.0
/*
 * Migration: the connections that a member of a SO_REUSEPORT group leaves
 * behind when it closes.
 *
 * Where net.ipv4.tcp_migrate_req or a BPF program of the group asks for it, the
 * kernel gives the queued and the half-open connections of a closed member to
 * the others.  It finds the others by the closed listener's group, so a local
 * listener enters the group of its app listener just before it closes, as a
 * member that is closed.  The kernel does the rest.
 */
#include "listen/migrate.h"

#include <linux/filter.h>
#include <net/sock_reuseport.h>

/* As reuseport_stop_listen_sock() decides it. */
static bool fsk_migrate_wanted(struct sock *app)
{
	struct sock_reuseport *reuse;
	struct bpf_prog *prog = NULL;
	bool wanted;

	rcu_read_lock();
	reuse = rcu_dereference(app->sk_reuseport_cb);
	if (reuse)
		prog = rcu_dereference(reuse->prog);
	wanted = READ_ONCE(sock_net(app)->ipv4.sysctl_tcp_migrate_req) ||
		 (prog && prog->expected_attach_type ==
			  BPF_SK_REUSEPORT_SELECT_OR_MIGRATE);
	rcu_read_unlock();
	return reuse && wanted;
}

/**
 * fsk_migrate_close() - an app listener is about to close
 * @app: the app listener, whose last descriptor is gone
 *
 * Takes it out of the kernel's table early, so that the kernel gives it nothing
 * that its local listeners leave behind.
 *
 * Context: Process, sleeps.  Takes lock_sock(@app).
 */
void fsk_migrate_close(struct sock *app)
{
	if (!fsk_migrate_wanted(app))
		return;
	lock_sock(app);
	if (app->sk_state == TCP_LISTEN)
		app->sk_prot->unhash(app);
	release_sock(app);
}

/**
 * fsk_migrate_local() - a local listener is about to close
 * @sk: the local listener, which listens
 * @app: its app listener, which does not any more
 *
 * Without memory its connections are reset, as on the plain kernel.
 *
 * Context: Process.  Expects fsk_listener.mutex.
 */
void fsk_migrate_local(struct sock *sk, struct sock *app)
{
	if (!fsk_migrate_wanted(app))
		return;
	/* One enters among those that listen, and for a moment may get a SYN
	 * of any CPU: it is able to take it.
	 */
	if (!reuseport_add_sock(sk, app, false))
		reuseport_stop_listen_sock(sk);
}
