// SPDX-License-Identifier: GPL-2.0
/* Names of modes, and the core that a port stands for; see tools/base/rfd.c. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "kselftest_harness.h"

#include "../../tools/base/error.h"
#include "../../tools/base/nic.h"
#include "../../tools/base/nl.h"
#include "../../tools/base/rfd.h"

/* What is not called here. */
unsigned int fsk_nic_port_mask(void)
{
	return 7;
}

int fsk_no_memory(void)
{
	return -1;
}

struct nlmsghdr *fsk_nl_message(struct fsk_nl *nl, uint8_t cmd)
{
	return NULL;
}

int fsk_nl_do(struct fsk_nl *nl, struct nlmsghdr *msg, int max,
	      fsk_nl_take *take, void *data)
{
	return 0;
}

int fsk_nl_dump(struct fsk_nl *nl, uint8_t cmd, int max, fsk_nl_take *take,
		void *data)
{
	return 0;
}

uint64_t fsk_nl_uint(const struct nlattr *attr)
{
	return 0;
}

TEST(rfd__modes)
{
	EXPECT_EQ(FSK_RFD_OFF, fsk_rfd_mode_number("off"));
	EXPECT_EQ(FSK_RFD_NTUPLE, fsk_rfd_mode_number("ntuple"));
	EXPECT_EQ(-1, fsk_rfd_mode_number(""));
	EXPECT_EQ(-1, fsk_rfd_mode_number("RSS"));
	for (int i = 0; i <= FSK_RFD_NTUPLE; i++)
		EXPECT_EQ(i, fsk_rfd_mode_number(fsk_rfd_mode_name(i)));
	EXPECT_STREQ("unknown", fsk_rfd_mode_name(99));
}

/* A published vector: this packet's hash is 0x51ccc178 by this key. */
TEST(rfd__core)
{
	static const uint8_t key[40] = {
		0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2,
		0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0,
		0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
		0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c,
		0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
	};
	static struct fsk_rfd_row row = {
		.ifindex = 5,
		.mode = FSK_RFD_RSS,
		.hash = FSK_RFD_HASH_TCP4,
		.key_len = 40,
		.table_len = 128,
		.table[0x78] = 6,
	};
	struct fsk_rfd_table table = {
		.rows = &row, .count = 1, .rest = FSK_RFD_MASK,
	};
	struct fsk_flow flow = {
		.family = AF_INET, .lport = 1766, .rport = 2794,
	};

	memcpy(row.key, key, sizeof(key));
	inet_pton(AF_INET, "66.9.149.187", flow.remote);
	inet_pton(AF_INET, "161.142.100.80", flow.local);
	EXPECT_EQ(6, fsk_rfd_core(&table, 5, &flow));
	/* Another interface; the default; none. */
	EXPECT_EQ(1766 & 7, fsk_rfd_core(&table, 4, &flow));
	table.rest = FSK_RFD_OFF;
	EXPECT_EQ(FSK_RFD_NO_CORE, fsk_rfd_core(&table, 4, &flow));
	row.mode = FSK_RFD_STEER;
	EXPECT_EQ(1766 & 7, fsk_rfd_core(&table, 5, &flow));
	/* IPv6, of which it does not hash the ports. */
	row.mode = FSK_RFD_RSS;
	flow.family = AF_INET6;
	EXPECT_EQ(1766 & 7, fsk_rfd_core(&table, 5, &flow));
}

TEST_HARNESS_MAIN
