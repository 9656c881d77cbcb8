/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two machines in one: a network namespace for each end of the test card.
 */
#ifndef ENDS_H
#define ENDS_H

#include <stdbool.h>

/**
 * enum ends_rfs - how the kernel is to bring packets to who reads them
 * @ENDS_PLAIN: not at all
 * @ENDS_RFS: receive flow steering, and RPS where a queue serves several CPUs
 * @ENDS_ARFS: the same by the card
 */
enum ends_rfs { ENDS_PLAIN, ENDS_RFS, ENDS_ARFS };

enum ends_end { ENDS_NEAR, ENDS_FAR };

/**
 * struct ends - what is wanted
 * @near: CPUs of the machine under test, the first ones
 * @far: CPUs of the others, behind them
 * @queues: of the card there; here it has one for each CPU
 * @rfs: of the machine under test
 */
struct ends {
	int near, far, queues;
	enum ends_rfs rfs;
};

#define ENDS_NEAR4	"10.99.0.1"
#define ENDS_FAR4	"10.99.0.2"
#define ENDS_NEAR6	"fd99::1"
#define ENDS_FAR6	"fd99::2"

void ends_make(const struct ends *ends);
void ends_enter(enum ends_end end);

#endif
