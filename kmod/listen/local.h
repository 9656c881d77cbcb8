/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_LOCAL_H
#define FSK_LOCAL_H

#include <net/sock.h>

struct fsk_core;

void fsk_local_init(void);
int fsk_local_create(struct fsk_core *core, struct sock *app);
int fsk_local_start(struct fsk_core *core, const struct sock *app);
void fsk_local_stop(struct fsk_core *core, struct sock *app);
void fsk_local_close(struct fsk_core *core);
void fsk_local_destroy(struct fsk_core *core);

#endif
