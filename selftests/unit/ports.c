// SPDX-License-Identifier: GPL-2.0
/* Lists of ports, see lib/ports.c. */
#include "kselftest_harness.h"

#include "../../lib/ports.h"

FIXTURE(ports)
{
	struct fsk_ports ports;
};

FIXTURE_SETUP(ports)
{
	for (size_t i = 0; i < 65536 / FSK_PORTS_WORD; i++)
		self->ports.bits[i] = 0;
}

FIXTURE_TEARDOWN(ports)
{
}

static int count(struct fsk_ports *ports)
{
	unsigned int port;
	int n = 0;

	for (port = 0; port < 70000; port++)
		n += fsk_ports_has(ports, port);
	return n;
}

TEST_F(ports, parse__single)
{
	ASSERT_EQ(0, fsk_ports_parse(&self->ports, "80"));
	EXPECT_TRUE(fsk_ports_has(&self->ports, 80));
	EXPECT_EQ(1, count(&self->ports));
}

TEST_F(ports, parse__list_and_ranges)
{
	ASSERT_EQ(0, fsk_ports_parse(&self->ports, "80,443,8000-8999"));
	EXPECT_TRUE(fsk_ports_has(&self->ports, 443));
	EXPECT_TRUE(fsk_ports_has(&self->ports, 8000));
	EXPECT_TRUE(fsk_ports_has(&self->ports, 8999));
	EXPECT_FALSE(fsk_ports_has(&self->ports, 9000));
	EXPECT_EQ(1002, count(&self->ports));
}

TEST_F(ports, parse__overlap)
{
	ASSERT_EQ(0, fsk_ports_parse(&self->ports, "1-10,5-15,7,7-7"));
	EXPECT_EQ(15, count(&self->ports));
}

TEST_F(ports, parse__limits)
{
	ASSERT_EQ(0, fsk_ports_parse(&self->ports, "1-65535"));
	EXPECT_EQ(65535, count(&self->ports));
	EXPECT_FALSE(fsk_ports_has(&self->ports, 0));
	EXPECT_FALSE(fsk_ports_has(&self->ports, 65536));
}

TEST_F(ports, parse__leading_zeros)
{
	ASSERT_EQ(0, fsk_ports_parse(&self->ports, "00080"));
	EXPECT_TRUE(fsk_ports_has(&self->ports, 80));
}

TEST_F(ports, parse__refused)
{
	static const char * const lists[] = {
		"", ",", "80,", ",80", "80,,81", "-", "-80", "80-", "90-80",
		"0", "0-10", "65536", "80-65536", "4294967376", "80 ", " 80",
		"80;81", "http", "8o", "80-90-100", "+80", "0x50", "80\n",
	};

	size_t n;

	for (n = 0; n < sizeof(lists) / sizeof(*lists); n++)
		EXPECT_EQ(-1, fsk_ports_parse(&self->ports, lists[n]))
			TH_LOG("list %zu", n);
}

TEST_HARNESS_MAIN
