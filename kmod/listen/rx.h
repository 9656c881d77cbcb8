/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_RX_H
#define FSK_RX_H

#include <linux/netfilter.h>

unsigned int fsk_rx_ipv4(void *priv, struct sk_buff *skb,
			 const struct nf_hook_state *state);
unsigned int fsk_rx_ipv6(void *priv, struct sk_buff *skb,
			 const struct nf_hook_state *state);

extern const struct nf_hook_ops fsk_rx_hook_ops[2];

#endif
