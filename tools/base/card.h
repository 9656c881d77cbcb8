/* SPDX-License-Identifier: MIT */
#ifndef FSK_CARD_H
#define FSK_CARD_H

#include <stdbool.h>
#include <stddef.h>

struct fsk_nic;

#define FSK_CARD_KEY	160	/* bytes, at most */

/**
 * struct fsk_card_keys - what settings an interface has
 * @count: of @keys
 * @keys: their keys, for fsk_card_read() and fsk_card_write()
 */
struct fsk_card_keys {
	size_t count;
	char (*keys)[FSK_CARD_KEY];
};

bool fsk_card_keys_read(struct fsk_card_keys *settings,
			const struct fsk_nic *nic);
void fsk_card_keys_free(struct fsk_card_keys *settings);
char *fsk_card_read(const struct fsk_nic *nic, const char *key);
int fsk_card_write(const struct fsk_nic *nic, const char *key,
		   const char *value);
bool fsk_card_equal(const char *key, const char *value, const char *other);

#endif
