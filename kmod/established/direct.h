/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_DIRECT_H
#define FSK_DIRECT_H

#include <net/sock.h>
#include <net/tcp_states.h>

struct fsk_est;

void fsk_direct_hooks(struct fsk_est *est);
bool fsk_direct_is_last(const struct net *net);

/**
 * fsk_direct_states() - may packets of this connection go direct?
 * @sk: a TCP socket
 *
 * Context: Any.
 * Return: whether data may come, as long as the peer has not closed.
 */
static inline bool fsk_direct_states(const struct sock *sk)
{
	return 1 << READ_ONCE(sk->sk_state) &
	       (TCPF_ESTABLISHED | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2);
}

#endif
