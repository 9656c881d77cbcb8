/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_CORE_H
#define FSK_CORE_H

struct fsk_core;
struct fsk_listener;

struct fsk_core *fsk_core_make(struct fsk_listener *l, int cpu);
void fsk_core_close(struct fsk_core *core);
void fsk_core_free(struct fsk_core *core);

#endif
