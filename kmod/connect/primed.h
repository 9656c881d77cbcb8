/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_PRIMED_H
#define FSK_PRIMED_H

struct sock;

int fsk_primed_init(void);
void fsk_primed_exit(void);
int fsk_primed_add(struct sock *sk);
void fsk_primed_del(struct sock *sk);
struct sock *fsk_primed_get_any(void);

#endif
