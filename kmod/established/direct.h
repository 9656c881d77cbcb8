/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_DIRECT_H
#define FSK_DIRECT_H

#include <linux/types.h>

struct fsk_net;

void fsk_direct_init(void);
int fsk_direct_switch(struct fsk_net *fn, bool on);

#endif
