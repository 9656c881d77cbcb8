/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_RESCUE_H
#define FSK_RESCUE_H

#include "listen/listen.h"
#include "trace.h"

void fsk_rescue_core_init(struct fsk_core *core);
void fsk_rescue_core_exit(struct fsk_core *core);
void fsk_rescue_listener_init(struct fsk_listener *l);
void fsk_rescue_listener_exit(struct fsk_listener *l);
void fsk_rescue_arm(struct fsk_core *core, const struct sock *sk);
void fsk_rescue_arm_app(struct fsk_listener *l);
void fsk_rescue_limits_changed(struct fsk_net *fn);
void fsk_rescue_help(struct fsk_core *core);
void fsk_rescue_orphan(struct fsk_core *core, enum fsk_orphaned_why why);
void fsk_rescue_note_missed(struct fsk_core *core);
bool __fsk_rescue_return(struct fsk_core *core);

/**
 * fsk_rescue_return() - a worker is back at its core
 * @core: the calling task's own core
 *
 * The one test that rescue costs on the accept path.
 *
 * Context: Process, in accept() or poll().
 * Return: true when others might take from the core and may not any more: then
 *         the caller has to look at its queue once more.
 */
static inline bool fsk_rescue_return(struct fsk_core *core)
{
	return unlikely(READ_ONCE(core->flags)) &&
	       __fsk_rescue_return(core);
}

#endif
