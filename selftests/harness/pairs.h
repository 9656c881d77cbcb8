/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections that were accepted in one way or the other.
 */
#ifndef PAIRS_H
#define PAIRS_H

#include "support.h"

/* More than any core keeps, and enough for a grace period to pass. */
#define ROUNDS_MAX	20000

/**
 * struct pair - a connection
 * @fd: accepted
 * @peer: dialled
 */
struct pair {
	int fd;
	int peer;
};

int pairs_listen(const struct trial *p);
int renew(int lfd);
void pair_close(struct pair *pair);
int pair_plain(const struct trial *p, int lfd, struct pair *pair);
int pair_fast(const struct trial *p, int lfd, int flags, struct pair *pair);
int pair_again(const struct trial *p, int lfd, int flags, struct pair *pair);

#endif
