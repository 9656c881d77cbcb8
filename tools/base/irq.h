/* SPDX-License-Identifier: MIT */
#ifndef FSK_IRQ_H
#define FSK_IRQ_H

#include <stdint.h>

#define FSK_NO_CPU	UINT32_MAX

int fsk_irq_queue(const char *action, const char *name);
uint32_t fsk_irq_single(const char *list);
uint32_t fsk_irq_single_bit(const char *mask);
void fsk_irq_cores(const char *name, const char *bus, uint32_t *cpu,
		   unsigned int queues);

#endif
