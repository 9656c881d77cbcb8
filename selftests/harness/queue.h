/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A task that gives the verdicts on packets that NFQUEUE holds.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <sys/types.h>

pid_t queue_start(int cpu);

#endif
