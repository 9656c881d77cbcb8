// SPDX-License-Identifier: GPL-2.0
/*
 * Options of an app listener that act before the child exists.  The kernel
 * reads them from the listener that a packet was given to, so a local listener
 * either has the same, or the packet goes to the app listener.  All other
 * options the child takes from the app listener itself.
 *
 * fastsocket-options(7) says of each option which it is.
 */
#include "listen/options.h"

#include <net/ipv6.h>
#include <net/tcp.h>
#include <net/xfrm.h>

#include "compat.h"

/* The kernel keeps the list of keys when the last key goes, so look into it. */
static bool fsk_options_has_md5(const struct sock *app)
{
#ifdef CONFIG_TCP_MD5SIG
	const struct tcp_md5sig_info *md5;

	md5 = rcu_dereference(tcp_sk(app)->md5sig_info);
	return md5 && !hlist_empty(&md5->head);
#else
	return false;
#endif
}

/* Options of TCP itself; see fsk_options_bypass(). */
static const char *fsk_options_bypass_tcp(const struct sock *app)
{
	const struct tcp_sock *tp = tcp_sk(app);

	if (fsk_options_has_md5(app))
		return "TCP_MD5SIG key";
	if (fsk_compat_has_ao(tp))
		return "TCP-AO key";
#ifdef CONFIG_BPF
	if (READ_ONCE(tp->bpf_sock_ops_cb_flags))
		return "sockops program";
#endif
	if (rcu_access_pointer(inet_csk(app)->icsk_accept_queue.fastopenq.ctx))
		return "TCP_FASTOPEN_KEY";
	if (tcp_ca_needs_ecn(app))
		return "congestion control that needs ECN";
	return NULL;
}

/**
 * fsk_options_bypass() - does this app listener need the kernel's own path now?
 * @app: the app listener
 *
 * A few options act before the child exists and own memory, so a local
 * listener can't just have a copy.  They are rare on busy listeners.  The
 * caller asks for each SYN, so the next SYN knows however such an option came
 * or went.
 *
 * Context: Expects rcu_read_lock().
 * Return: what stands against a local listener, or %NULL.
 */
const char *fsk_options_bypass(const struct sock *app)
{
	if (rcu_access_pointer(app->sk_filter))
		return "socket filter";
#ifdef CONFIG_BPF_SYSCALL
	if (rcu_access_pointer(app->sk_bpf_storage))
		return "BPF socket storage";
#endif
#ifdef CONFIG_XFRM
	if (rcu_access_pointer(app->sk_policy[0]) ||
	    rcu_access_pointer(app->sk_policy[1]))
		return "IPsec policy";
#endif
#if IS_ENABLED(CONFIG_IPV6)
	if (app->sk_family == AF_INET6 &&
	    rcu_access_pointer(inet6_sk(app)->opt))
		return "IPv6 extension headers";
#endif
	return fsk_options_bypass_tcp(app);
}

/**
 * fsk_options_admit() - would the app listener take a handshake's last ACK?
 * @app: the app listener, which fsk_options_bypass() has found something in
 * @skb: the ACK, or a SYN with data
 * @req: the half-open connection
 *
 * The kernel has asked the local listener about the ACK, which never has such
 * an option; the app listener got one after the SYN.  So this asks the app
 * listener the same.  A peer that has to sign would have signed its SYN, too.
 *
 * Context: Softirq or process.  Expects rcu_read_lock().
 * Return: false when the packet is to be dropped.
 */
bool fsk_options_admit(struct sock *app, struct sk_buff *skb,
		       struct request_sock *req)
{
#ifdef CONFIG_TCP_MD5SIG
	if (fsk_options_has_md5(app) &&
	    tcp_rsk(req)->af_specific->req_md5_lookup(app, req_to_sk(req))) {
		NET_INC_STATS(sock_net(app), LINUX_MIB_TCPMD5NOTFOUND);
		return false;
	}
#endif
	if (fsk_compat_ao_required(app, req))
		return false;
	if (!xfrm_policy_check(app, XFRM_POLICY_IN, skb,
			       req->rsk_ops->family))
		return false;
	/* TCP has noted the packet's length already: keep all of it. */
	return !sk_filter_trim_cap(app, skb, skb->len);
}

static void fsk_options_sync_tcp(struct sock *sk, const struct sock *app)
{
	const struct inet_connection_sock *from = inet_csk(app);
	struct inet_connection_sock *to = inet_csk(sk);

	fsk_compat_copy(to, from, icsk_syn_retries);
	fsk_compat_sync_rto_max(to, from);
	fsk_compat_copy(to, from, icsk_accept_queue.rskq_defer_accept);
	fsk_compat_copy(to, from, icsk_accept_queue.fastopenq.max_qlen);
	fsk_compat_copy(tcp_sk(sk), tcp_sk(app), rx_opt.user_mss);
	fsk_compat_copy(tcp_sk(sk), tcp_sk(app), window_clamp);
	fsk_compat_copy(tcp_sk(sk), tcp_sk(app), tcp_tx_delay);
	fsk_compat_copy(tcp_sk(sk), tcp_sk(app), save_syn);
	fsk_compat_copy(tcp_sk(sk), tcp_sk(app), fastopen_no_cookie);
	fsk_compat_sync_tcp(tcp_sk(sk), tcp_sk(app));
}

/**
 * fsk_options_sync() - give a local listener the app listener's options
 * @sk: the local listener
 * @app: the app listener
 *
 * These are the options that act before the child exists; the child takes all
 * others from @app itself.  The hook calls this for each SYN, and it writes
 * only what has changed.  So the next SYN sees a change, whether setsockopt()
 * by any process that has the socket, a second listen() or a BPF program made
 * it.
 *
 * Several may do so at once.  Some options are bit-fields, and share a byte:
 * who writes one of them last writes the others as they were when it looked,
 * and then finds and writes what it has undone.  The kernel writes none of
 * these bytes of a socket that listens.
 *
 * Context: Softirq; or process, before @sk listens.
 */
void fsk_options_sync(struct sock *sk, const struct sock *app)
{
	const unsigned char locks = SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK;

	fsk_compat_copy(sk, app, sk_max_ack_backlog);
	fsk_compat_copy(sk, app, sk_bound_dev_if);
	fsk_compat_copy(sk, app, sk_mark);
	fsk_compat_copy(sk, app, sk_priority);
	fsk_compat_copy(sk, app, sk_rcvbuf);
	fsk_compat_copy(sk, app, sk_sndbuf);
	fsk_compat_copy(sk, app, sk_txrehash);
	if (!uid_eq(sk->sk_uid, app->sk_uid))	/* fchown() changes it. */
		sk->sk_uid = app->sk_uid;
	fsk_compat_copy(inet_sk(sk), inet_sk(app), tos);
	fsk_compat_copy(inet_sk(sk), inet_sk(app), uc_ttl);
	fsk_compat_copy(inet_sk(sk), inet_sk(app), min_ttl);
	fsk_compat_copy(inet_sk(sk), inet_sk(app), pmtudisc);
	if ((sk->sk_userlocks ^ app->sk_userlocks) & locks)
		sk->sk_userlocks = (sk->sk_userlocks & ~locks) |
				   (app->sk_userlocks & locks);
	/* Atomic: the kernel may be setting SOCK_DEAD in the same word. */
	if (sock_flag(sk, SOCK_LOCALROUTE) != sock_flag(app, SOCK_LOCALROUTE))
		assign_bit(SOCK_LOCALROUTE, &sk->sk_flags,
			   sock_flag(app, SOCK_LOCALROUTE));
	fsk_compat_sync_inet(sk, app);
	fsk_options_sync_tcp(sk, app);
}
