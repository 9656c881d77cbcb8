/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_ULP_H
#define FSK_ULP_H

#include <net/sock.h>

int fsk_ulp_init(void);
void fsk_ulp_exit(void);
bool fsk_ulp_joined(const struct sock *sk);

#endif
