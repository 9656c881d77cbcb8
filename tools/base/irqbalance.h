/* SPDX-License-Identifier: MIT */
#ifndef FSK_IRQBALANCE_H
#define FSK_IRQBALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/**
 * struct fsk_irqbalance - a running irqbalance(1)
 * @pid: its process
 * @addr: its socket
 * @addr_len: bytes of @addr, 0 if it has none
 * @count: of @banned
 * @banned: interrupts that it leaves alone
 */
struct fsk_irqbalance {
	pid_t pid;
	struct sockaddr_un addr;
	socklen_t addr_len;
	size_t count;
	unsigned int *banned;
};

bool fsk_irqbalance_find(struct fsk_irqbalance *balance);
int fsk_irqbalance_read(struct fsk_irqbalance *balance);
bool fsk_irqbalance_has(const struct fsk_irqbalance *balance,
			unsigned int irq);
bool fsk_irqbalance_add(struct fsk_irqbalance *balance, unsigned int irq);
void fsk_irqbalance_remove(struct fsk_irqbalance *balance, unsigned int irq);
int fsk_irqbalance_write(struct fsk_irqbalance *balance);
void fsk_irqbalance_free(struct fsk_irqbalance *balance);

#endif
