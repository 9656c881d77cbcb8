/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_DIRECT_H
#define FSK_DIRECT_H

#include <net/sock.h>
#include <net/tcp_states.h>

struct fsk_est;

typedef int (*fsk_direct_okfn_t)(struct net *net, struct sock *sk,
			       struct sk_buff *skb);

extern fsk_direct_okfn_t fsk_direct_finish[2];

void fsk_direct_hooks(struct fsk_est *est);

/**
 * fsk_direct_note_finish() - what comes after LOCAL_IN
 * @ipv6: of this family
 * @okfn: is this function of the kernel's, which a hook there is told
 *
 * Context: Softirq.
 */
static inline void fsk_direct_note_finish(bool ipv6, fsk_direct_okfn_t okfn)
{
	if (unlikely(READ_ONCE(fsk_direct_finish[ipv6]) != okfn))
		WRITE_ONCE(fsk_direct_finish[ipv6], okfn);
}

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
