/* SPDX-License-Identifier: MIT */
#ifndef FSK_DIAG_H
#define FSK_DIAG_H

#include <stddef.h>

#include "rfd.h"

/**
 * struct fsk_flows - connections, ordered by where they go
 * @count: of @flows
 * @flows: by remote address and port, then local address and port
 */
struct fsk_flows {
	size_t count;
	struct fsk_flow *flows;
};

int fsk_diag_read(struct fsk_flows *flows, uint32_t states);
void fsk_diag_free(struct fsk_flows *flows);
int fsk_diag_order(const struct fsk_flow *a, const struct fsk_flow *b);

#endif
