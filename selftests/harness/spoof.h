/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SYNs from addresses that don't answer: any number of half-open connections.
 */
#ifndef SPOOF_H
#define SPOOF_H

#include "support.h"

int spoof_open(const struct trial *p);
int spoof_send(int fd, const struct trial *p, int port, int n);

#endif
