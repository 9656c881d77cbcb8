/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_JOINED_H
#define FSK_JOINED_H

struct sock;

int fsk_joined_init(void);
void fsk_joined_exit(void);
int fsk_joined_add(struct sock *sk);
void fsk_joined_del(struct sock *sk);
struct sock *fsk_joined_get_any(void);

#endif
