/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_HOST_H
#define FSK_HOST_H

#include <linux/net.h>
#include <linux/poll.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>

/**
 * struct fsk_host - the kernel's own functions for one address family
 * @prot: what sk->sk_prot of a plain TCP socket points to
 * @ops: what sock->ops of a plain TCP socket points to
 * @af_ops: what icsk_af_ops of a plain TCP socket points to
 * @data_ready: what sk->sk_data_ready of a plain socket points to
 *
 * All constant after fsk_host_init().  @prot is %NULL for a family that this
 * kernel does not have.
 */
struct fsk_host {
	struct proto *prot;
	const struct proto_ops *ops;
	const struct inet_connection_sock_af_ops *af_ops;
	void (*data_ready)(struct sock *sk);
};

int fsk_host_init(void);
const struct fsk_host *fsk_host_get(int family);
bool fsk_host_is_plain(const struct sock *sk);
void fsk_host_keep_zerocopy(struct sock *sk);
bool fsk_host_polls_once(const poll_table *wait);

#endif
