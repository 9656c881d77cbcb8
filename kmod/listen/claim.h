/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_CLAIM_H
#define FSK_CLAIM_H

#include <linux/types.h>

struct fsk_core;
struct fsk_taker;

bool fsk_claim_holds(struct fsk_core *core);
bool fsk_claim_reserved(struct fsk_core *core);
void fsk_claim_set_taker(struct fsk_core *core);
struct fsk_taker *fsk_claim_taker_create(void);
void fsk_claim_taker_put(struct fsk_taker *taker);
void fsk_claim_taker_set(struct fsk_core *core, struct fsk_taker *taker);
void fsk_claim_drop(struct fsk_core *core);

#endif
