// SPDX-License-Identifier: GPL-2.0
/*
 * Rules in the interface, see tools/base/ntuple.c. A network interface of our
 * own answers the tool's files.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <linux/ethtool.h>

#include "kselftest_harness.h"

#include "../../tools/base/irq.h"
#include "../../tools/base/ntuple.h"

#define LOCATIONS 64

/* The interface: its rules, and how it is. */
static struct {
	struct ethtool_rx_flow_spec rule[LOCATIONS];
	bool used[LOCATIONS];
	bool special;
	int refuse_after;
	unsigned int low;
	unsigned int mask;
} nic;

unsigned int fsk_nic_port_mask(void)
{
	return nic.mask;
}

void fsk_nic_port_range(unsigned int *low, unsigned int *high)
{
	*low = nic.low;
	*high = 60999;
}

static unsigned int rules(void)
{
	unsigned int count = 0;

	for (int i = 0; i < LOCATIONS; i++)
		count += nic.used[i];
	return count;
}

static int nic_insert(struct ethtool_rxnfc *request)
{
	uint32_t location = request->fs.location;

	if (nic.refuse_after >= 0 && !nic.refuse_after--)
		return EINVAL;
	if (nic.special && location == RX_CLS_LOC_ANY)
		for (location = 0;
		     location < LOCATIONS && nic.used[location]; location++)
			;
	if (location >= LOCATIONS)
		return ENOSPC;
	nic.rule[location] = request->fs;
	nic.rule[location].location = location;
	nic.used[location] = true;
	return 0;
}

int fsk_nic_ioctl(const char *name, void *data)
{
	struct ethtool_rxnfc *request = data;
	int count = 0;

	if (strcmp(name, "eth0"))
		return EOPNOTSUPP;
	switch (request->cmd) {
	case ETHTOOL_GRXCLSRLCNT:
		request->rule_cnt = rules();
		request->data = LOCATIONS |
				(nic.special ? RX_CLS_LOC_SPECIAL : 0);
		return 0;
	case ETHTOOL_GRXCLSRLALL:
		for (int i = 0; i < LOCATIONS; i++)
			if (nic.used[i])
				request->rule_locs[count++] = i;
		return 0;
	case ETHTOOL_GRXCLSRULE:
		request->fs = nic.rule[request->fs.location];
		return 0;
	case ETHTOOL_SRXCLSRLDEL:
		nic.used[request->fs.location] = false;
		return 0;
	case ETHTOOL_SRXCLSRLINS:
		return nic_insert(request);
	}
	return EOPNOTSUPP;
}

FIXTURE(ntuple)
{
	struct fsk_nic read;
	char why[128];
};

/* Four cores, the queues of which are in another order; a rule of others. */
FIXTURE_SETUP(ntuple)
{
	static const uint32_t cpu[] = { 2, 0, 3, 1, 2, FSK_NO_CPU };

	memset(&nic, 0, sizeof(nic));
	nic.refuse_after = -1;
	nic.low = 32768;
	nic.mask = 3;
	nic.used[LOCATIONS - 2] = true;
	nic.rule[LOCATIONS - 2].flow_type = TCP_V4_FLOW;
	nic.rule[LOCATIONS - 2].h_u.tcp_ip4_spec.pdst = htons(80);
	nic.rule[LOCATIONS - 2].m_u.tcp_ip4_spec.pdst = 0xffff;
	memset(&self->read, 0, sizeof(self->read));
	snprintf(self->read.name, sizeof(self->read.name), "eth0");
	self->read.queues = 6;
	memcpy(self->read.cpu, cpu, sizeof(cpu));
}

FIXTURE_TEARDOWN(ntuple)
{
}

/* The queue that packets to this port go to, or -1. */
static int queue_of(uint32_t flow, uint16_t port)
{
	uint16_t value, mask;

	for (int i = 0; i < LOCATIONS; i++) {
		if (!nic.used[i] || nic.rule[i].flow_type != flow)
			continue;
		value = ntohs(flow == TCP_V4_FLOW ?
			      nic.rule[i].h_u.tcp_ip4_spec.pdst :
			      nic.rule[i].h_u.tcp_ip6_spec.pdst);
		mask = ntohs(flow == TCP_V4_FLOW ?
			     nic.rule[i].m_u.tcp_ip4_spec.pdst :
			     nic.rule[i].m_u.tcp_ip6_spec.pdst);
		if ((port & mask) == (value & mask))
			return nic.rule[i].ring_cookie;
	}
	return -1;
}

/* Each source port comes to its core, whatever is below stays. */
static bool sorted(const uint32_t *cpu, unsigned int from)
{
	int four, six;

	for (unsigned int port = 81; port < 65536; port++) {
		four = queue_of(TCP_V4_FLOW, port);
		six = queue_of(TCP_V6_FLOW, port);
		if (four != six ||
		    (port < from ? four >= 0 :
		     four < 0 || cpu[four] != (port & nic.mask))) {
			printf("# port %u: %d %d\n", port, four, six);
			return false;
		}
	}
	return true;
}

TEST_F(ntuple, add__each_port_to_its_core)
{
	ASSERT_EQ(0, fsk_ntuple_add(&self->read, self->why,
				    sizeof(self->why)));
	EXPECT_EQ(9, rules());
	EXPECT_TRUE(sorted(self->read.cpu, 32768));
}

TEST_F(ntuple, add__low_range)
{
	nic.low = 20000;
	ASSERT_EQ(0, fsk_ntuple_add(&self->read, self->why,
				    sizeof(self->why)));
	EXPECT_TRUE(sorted(self->read.cpu, 20000));
}

TEST_F(ntuple, add__driver_chooses_locations)
{
	nic.special = true;
	ASSERT_EQ(0, fsk_ntuple_add(&self->read, self->why,
				    sizeof(self->why)));
	EXPECT_TRUE(sorted(self->read.cpu, 32768));
}

TEST_F(ntuple, add__again_replaces)
{
	ASSERT_EQ(0, fsk_ntuple_add(&self->read, self->why,
				    sizeof(self->why)));
	ASSERT_EQ(0, fsk_ntuple_add(&self->read, self->why,
				    sizeof(self->why)));
	EXPECT_EQ(9, rules());
}

TEST_F(ntuple, add__refused_leaves_none)
{
	nic.refuse_after = 3;
	EXPECT_EQ(EINVAL, fsk_ntuple_add(&self->read, self->why,
					 sizeof(self->why)));
	EXPECT_STREQ("it refuses the rules: Invalid argument", self->why);
	EXPECT_EQ(1, rules());
}

TEST_F(ntuple, add__no_room)
{
	for (int i = 0; i < LOCATIONS - 3; i++)
		nic.used[i] = true;
	EXPECT_EQ(ENOSPC, fsk_ntuple_add(&self->read, self->why,
					 sizeof(self->why)));
	EXPECT_EQ(LOCATIONS - 2, rules());
}

TEST_F(ntuple, add__no_rules_at_all)
{
	snprintf(self->read.name, sizeof(self->read.name), "lo");
	EXPECT_EQ(EOPNOTSUPP, fsk_ntuple_add(&self->read, self->why,
					     sizeof(self->why)));
	EXPECT_EQ(0, fsk_ntuple_remove("lo"));
	EXPECT_FALSE(fsk_ntuple_possible("lo"));
	EXPECT_TRUE(fsk_ntuple_possible("eth0"));
}

/* No rules are none that work. */
TEST_F(ntuple, add__no_block)
{
	nic.low = 65534;
	EXPECT_EQ(ERANGE, fsk_ntuple_add(&self->read, self->why,
					 sizeof(self->why)));
	EXPECT_STREQ("no rule fits the range of source ports", self->why);
	EXPECT_FALSE(fsk_ntuple_possible("eth0"));
	nic.low = 32768;
	nic.mask = 0;
	errno = 0;
	EXPECT_EQ(ERANGE, fsk_ntuple_add(&self->read, self->why,
					 sizeof(self->why)));
	EXPECT_EQ(1, rules());
}

TEST_F(ntuple, remove__only_ours)
{
	ASSERT_EQ(0, fsk_ntuple_add(&self->read, self->why,
				    sizeof(self->why)));
	/* Fewer cores than when they were made. */
	nic.mask = 1;
	EXPECT_EQ(0, fsk_ntuple_remove("eth0"));
	EXPECT_EQ(1, rules());
	EXPECT_TRUE(nic.used[LOCATIONS - 2]);
}

TEST(ntuple__masks)
{
	EXPECT_TRUE(fsk_ntuple_is_our_mask(0x8007));
	EXPECT_TRUE(fsk_ntuple_is_our_mask(0xe001));
	EXPECT_FALSE(fsk_ntuple_is_our_mask(0xffff));
	EXPECT_FALSE(fsk_ntuple_is_our_mask(0));
	EXPECT_FALSE(fsk_ntuple_is_our_mask(0x0007));
	EXPECT_FALSE(fsk_ntuple_is_our_mask(0x8000));
	EXPECT_FALSE(fsk_ntuple_is_our_mask(0xa007));
	EXPECT_FALSE(fsk_ntuple_is_our_mask(0x4007));
}

TEST_HARNESS_MAIN
