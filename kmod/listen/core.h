/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_CORE_H
#define FSK_CORE_H

struct fsk_core;
struct fsk_listener;

struct fsk_core *fsk_core_current(struct fsk_listener *l);
struct fsk_core *fsk_core_claim(struct fsk_listener *l);
int fsk_core_reserve(struct fsk_listener *l);
void fsk_core_close(struct fsk_core *core);
void fsk_core_free(struct fsk_core *core);

#endif
