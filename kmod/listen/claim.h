/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_CLAIM_H
#define FSK_CLAIM_H

#include <linux/types.h>

struct fsk_core;
struct fsk_worker;

bool fsk_claim_exists(const struct fsk_core *core);
bool fsk_claim_holds(const struct fsk_core *core);
bool fsk_claim_is_away(const struct fsk_core *core);
bool fsk_claim_reserved(const struct fsk_core *core);
bool fsk_claim_is_absent(const struct fsk_core *core);
bool fsk_claim_is_alive(const struct fsk_worker *worker);
bool fsk_claim_is_asleep(const struct fsk_core *core);
bool fsk_claim_is_busy(const struct fsk_core *core);
bool fsk_claim_is_wide(const struct fsk_core *core);
bool fsk_claim_is_idle(const struct fsk_core *core);
bool fsk_claim_is_throttled(const struct fsk_core *core);

#endif
