/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_ACCEPT_H
#define FSK_ACCEPT_H

#include <linux/net.h>
#include <linux/poll.h>

struct fsk_listener;
struct proto_accept_arg;

int fsk_accept(struct fsk_listener *l, struct socket *sock,
	       struct socket *newsock, struct proto_accept_arg *arg);
bool fsk_accept_pending(struct fsk_listener *l, struct socket *sock);
__poll_t fsk_poll(struct fsk_listener *l, struct file *file,
		  struct socket *sock, poll_table *wait);

#endif
