/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_WORKER_H
#define FSK_WORKER_H

#include <linux/types.h>

struct fsk_core;
struct fsk_listener;

struct fsk_core *fsk_worker_core(struct fsk_listener *l);
struct fsk_core *fsk_worker_claim(struct fsk_listener *l);
int fsk_worker_reserve(struct fsk_listener *l);
void fsk_worker_note(struct fsk_core *core, bool returns);
void fsk_worker_note_queued(const struct fsk_core *core);
bool fsk_worker_looks_elsewhere(struct fsk_listener *l);
bool fsk_worker_is_elsewhere(struct fsk_listener *l);
void fsk_worker_free_all(struct fsk_listener *l);

#endif
