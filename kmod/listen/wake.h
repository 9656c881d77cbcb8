/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_WAKE_H
#define FSK_WAKE_H

#include <linux/wait.h>

struct fsk_core;
struct fsk_listener;

void fsk_wake_core(struct fsk_core *core);
void fsk_wake_idle(struct fsk_core *core);
void fsk_wake_worker(struct fsk_core *core);
void fsk_wake_listener(struct fsk_listener *l);
void fsk_wake_all(struct fsk_listener *l);
int fsk_wake_from_app(wait_queue_entry_t *entry, unsigned int mode, int sync,
		      void *key);

#endif
