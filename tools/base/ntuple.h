/* SPDX-License-Identifier: MIT */
#ifndef FSK_NTUPLE_H
#define FSK_NTUPLE_H

#include <stddef.h>
#include <stdint.h>

#include "nic.h"

/**
 * struct fsk_block - ports that have their upper bits in common
 * @port: the first one
 * @mask: the upper bits
 */
struct fsk_block {
	uint16_t port;
	uint16_t mask;
};

#define FSK_NTUPLE_BLOCKS	16

unsigned int fsk_ntuple_blocks(unsigned int low, unsigned int core_mask,
			       struct fsk_block *blocks);
bool fsk_ntuple_is_our_mask(uint16_t mask);
bool fsk_ntuple_any(const char *name);
bool fsk_ntuple_possible(const char *name);
int fsk_ntuple_add(const struct fsk_nic *nic, char *why, size_t size);
int fsk_ntuple_remove(const char *name);

#endif
