/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_HOOKS_H
#define FSK_HOOKS_H

struct fsk_net;

void fsk_hooks_net_pre_exit(struct fsk_net *fn);
int fsk_hooks_register(struct fsk_net *fn);

#endif
