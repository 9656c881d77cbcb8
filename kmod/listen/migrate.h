/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_MIGRATE_H
#define FSK_MIGRATE_H

#include <net/sock.h>

void fsk_migrate_close(struct sock *app);
void fsk_migrate_local(struct sock *sk, struct sock *app);

#endif
