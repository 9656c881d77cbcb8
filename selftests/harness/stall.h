/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A page that holds up whoever touches it, the kernel too: a call that reads
 * or writes there stays where it is until the test goes on.
 */
#ifndef STALL_H
#define STALL_H

#include <stdbool.h>

#define STALL_SIZE	4096

/**
 * struct stall - such a page
 * @page: where it is
 * @uffd: tells of who waits, and ends that
 */
struct stall {
	void *page;
	int uffd;
};

int stall_make(struct stall *s);
bool stall_waits(const struct stall *s);
void stall_end(struct stall *s, const char *content);

#endif
