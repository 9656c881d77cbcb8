// SPDX-License-Identifier: GPL-2.0
/*
 * The hash of network interfaces, see kmod/connect/toeplitz.h. Key, addresses
 * and hashes are those that Microsoft publishes to verify it, "Verifying the
 * RSS hash calculation".
 */
#include <arpa/inet.h>
#include <string.h>

#include "kselftest_harness.h"

#include "../../kmod/connect/toeplitz.h"

static const u8 key[40] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2,
	0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0,
	0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
	0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c,
	0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

struct vector {
	const char *src;
	unsigned int sport;
	const char *dst;
	unsigned int dport;
	u32 addresses;
	u32 ports;
};

static const struct vector ipv4[] = {
	{ "66.9.149.187", 2794, "161.142.100.80", 1766,
	  0x323e8fc2, 0x51ccc178 },
	{ "199.92.111.2", 14230, "65.69.140.83", 4739,
	  0xd718262a, 0xc626b0ea },
	{ "24.19.198.95", 12898, "12.22.207.184", 38024,
	  0xd2d0a5de, 0x5c2b394a },
	{ "38.27.205.30", 48228, "209.142.163.6", 2217,
	  0x82989176, 0xafc7327f },
	{ "153.39.163.191", 44251, "202.188.127.2", 1303,
	  0x5d1809c5, 0x10e828a2 },
};

static const struct vector ipv6[] = {
	{ "3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766,
	  0x2cc18cd5, 0x40207d3d },
	{ "3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739,
	  0x0f0c461c, 0xdde51bbf },
	{ "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251,
	  "fe80::200:f8ff:fe21:67cf", 38024,
	  0x4b61e985, 0x02d1feef },
};

static u32 hash(int family, const struct vector *vector, bool ports)
{
	unsigned int size = family == AF_INET ? 4 : 16;
	u8 data[36];

	inet_pton(family, vector->src, data);
	inet_pton(family, vector->dst, data + size);
	data[2 * size] = vector->sport >> 8;
	data[2 * size + 1] = vector->sport;
	data[2 * size + 2] = vector->dport >> 8;
	data[2 * size + 3] = vector->dport;
	return fsk_toeplitz(key, data, 2 * size + (ports ? 4 : 0));
}

static bool same(int family, const struct vector *vectors, size_t count)
{
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		if (hash(family, &vectors[i], false) == vectors[i].addresses &&
		    hash(family, &vectors[i], true) == vectors[i].ports)
			continue;
		printf("# %s\n", vectors[i].src);
		good = false;
	}
	return good;
}

TEST(toeplitz__ipv4)
{
	EXPECT_TRUE(same(AF_INET, ipv4, sizeof(ipv4) / sizeof(*ipv4)));
}

TEST(toeplitz__ipv6)
{
	EXPECT_TRUE(same(AF_INET6, ipv6, sizeof(ipv6) / sizeof(*ipv6)));
}

TEST(toeplitz__nothing)
{
	u8 zero[36] = { 0 };

	EXPECT_EQ(0, fsk_toeplitz(key, zero, sizeof(zero)));
	EXPECT_EQ(0, fsk_toeplitz(key, zero, 0));
}

/* No byte behind the key is read: the sanitizer would say so. */
TEST(toeplitz__shortest_key)
{
	u8 *exact = malloc(40), data[36];

	ASSERT_TRUE(exact);
	memcpy(exact, key, 40);
	memset(data, 0xff, sizeof(data));
	EXPECT_NE(0, fsk_toeplitz(exact, data, sizeof(data)));
	free(exact);
}

TEST_HARNESS_MAIN
