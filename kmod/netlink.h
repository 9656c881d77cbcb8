/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_NETLINK_H
#define FSK_NETLINK_H

int fsk_netlink_init(void);
void fsk_netlink_exit(void);

#endif
