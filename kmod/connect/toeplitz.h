/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The hash by which network interfaces spread packets over their queues. The
 * module and the tool share this file, so it holds nothing else.
 */
#ifndef FSK_TOEPLITZ_H
#define FSK_TOEPLITZ_H

#include <linux/types.h>

#ifndef __KERNEL__
typedef __u8 u8;
typedef __u32 u32;
#endif

/**
 * fsk_toeplitz() - the Toeplitz hash
 * @key: at least @len + 4 bytes
 * @data: what is hashed, network byte order: source address, destination
 *        address, source port, destination port of the received packet
 * @len: of @data in bytes
 *
 * Each bit of @data that is set contributes, by XOR, the 32 bits of the key
 * that begin at the same offset.
 *
 * Context: Any.
 * Return: the hash, whose lowest bits choose from the indirection table.
 * Source: Microsoft, "RSS hashing functions".
 */
static inline u32 fsk_toeplitz(const u8 *key, const u8 *data, unsigned int len)
{
	u32 window = (u32)key[0] << 24 | key[1] << 16 | key[2] << 8 | key[3];
	u32 hash = 0;
	unsigned int i, bit;

	for (i = 0; i < len; i++) {
		for (bit = 0; bit < 8; bit++) {
			if (data[i] << bit & 0x80)
				hash ^= window;
			window = window << 1 | (key[i + 4] >> (7 - bit) & 1);
		}
	}
	return hash;
}

#endif
