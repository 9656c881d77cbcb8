/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_RX_H
#define FSK_RX_H

void fsk_rx_init(void);

#endif
