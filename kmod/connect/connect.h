/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_CONNECT_H
#define FSK_CONNECT_H

int fsk_connect_init(void);
void fsk_connect_exit(void);

#endif
