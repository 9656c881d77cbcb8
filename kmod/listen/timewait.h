/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_TIMEWAIT_H
#define FSK_TIMEWAIT_H

#include <linux/skbuff.h>
#include <net/sock.h>

bool fsk_timewait_may_reopen(struct sk_buff *skb, const struct sock *sk,
			     int family);
void fsk_timewait_end(struct sock *sk);

#endif
