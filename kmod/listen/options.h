/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_OPTIONS_H
#define FSK_OPTIONS_H

#include <net/request_sock.h>
#include <net/sock.h>

const char *fsk_options_bypass(const struct sock *app);
bool fsk_options_admit(struct sock *app, struct sk_buff *skb,
		       struct request_sock *req);
void fsk_options_sync(struct sock *sk, const struct sock *app);

#endif
