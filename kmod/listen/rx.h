/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_RX_H
#define FSK_RX_H

#include <linux/netfilter.h>

extern const struct nf_hook_ops fsk_rx_hook_ops[2];

#endif
