/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_REF_H
#define FSK_REF_H

struct fsk_listener;

int fsk_ref_init(void);
void fsk_ref_exit(void);

void fsk_listener_put(struct fsk_listener *l);
void fsk_listener_update_later(struct fsk_listener *l);
void fsk_listener_note_stop(struct fsk_listener *l);

#endif
