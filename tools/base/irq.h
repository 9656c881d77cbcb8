/* SPDX-License-Identifier: MIT */
#ifndef FSK_IRQ_H
#define FSK_IRQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpus.h"

/**
 * struct fsk_irq - an action of an interrupt
 * @number: of the interrupt
 * @queue: the receive queue that it serves, or -1
 * @send: the queue that it serves, if it only tells of packets sent, or -1
 * @named: it names the interface
 * @action: its name
 */
struct fsk_irq {
	unsigned int number;
	int queue;
	int send;
	bool named;
	char action[96];
};

/**
 * struct fsk_irqs - the interrupts of an interface
 * @count: of @irqs
 * @irqs: an entry for each action
 */
struct fsk_irqs {
	size_t count;
	struct fsk_irq *irqs;
};

int fsk_irq_queue(const char *action, const char *name);
int fsk_irq_send_queue(const char *action, const char *name);
uint32_t fsk_irq_single(const char *list);
uint32_t fsk_irq_single_bit(const char *mask);
void fsk_irq_read(struct fsk_irqs *irqs, const char *name, const char *bus);
void fsk_irq_free(struct fsk_irqs *irqs);
void fsk_irq_cores(const char *name, const char *bus, uint32_t *cpu,
		   unsigned int queues);

#endif
