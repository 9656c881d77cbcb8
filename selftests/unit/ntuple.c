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

/* The interface: its rules, how it is, and what it saw. */
static struct {
	struct ethtool_rx_flow_spec rule[LOCATIONS];
	bool used[LOCATIONS];
	bool special;
	bool size_with_list;
	bool one_mask;
	int full;
	int refuse_after;
	int refuse_times;
	int keep_after;
	unsigned int writes;
	unsigned int fewest;
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

/* Has it a rule for these packets? */
static bool duplicate(const struct ethtool_rx_flow_spec *rule)
{
	for (int i = 0; i < LOCATIONS; i++)
		if (nic.used[i] && nic.rule[i].flow_type == rule->flow_type &&
		    !memcmp(&nic.rule[i].h_u, &rule->h_u, sizeof(rule->h_u)) &&
		    !memcmp(&nic.rule[i].m_u, &rule->m_u, sizeof(rule->m_u)))
			return true;
	return false;
}

/* Has it a rule that compares other bits of the port? */
static bool other_mask(const struct ethtool_rx_flow_spec *rule)
{
	for (int i = 0; i < LOCATIONS; i++)
		if (nic.used[i] && nic.rule[i].m_u.tcp_ip4_spec.pdst &&
		    nic.rule[i].flow_type == rule->flow_type &&
		    memcmp(&nic.rule[i].m_u, &rule->m_u, sizeof(rule->m_u)))
			return true;
	return false;
}

static int nic_delete(uint32_t location)
{
	if (nic.keep_after >= 0 && !nic.keep_after--)
		return EBUSY;
	if (location >= LOCATIONS || !nic.used[location])
		return ENOENT;
	nic.used[location] = false;
	nic.writes++;
	if (rules() < nic.fewest)
		nic.fewest = rules();
	return 0;
}

static int nic_insert(struct ethtool_rxnfc *request)
{
	uint32_t location = request->fs.location;

	if (nic.refuse_after > 0)
		nic.refuse_after--;
	else if (!nic.refuse_after && nic.refuse_times && nic.refuse_times--)
		return EINVAL;
	if (nic.one_mask && other_mask(&request->fs))
		return EINVAL;
	if (duplicate(&request->fs))
		return EEXIST;
	if (nic.special && location != RX_CLS_LOC_ANY)
		return EINVAL;
	if (nic.special)
		for (location = 0;
		     location < LOCATIONS && nic.used[location]; location++)
			;
	if (location >= LOCATIONS)
		return nic.full;
	request->fs.location = location;
	nic.rule[location] = request->fs;
	nic.writes++;
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
		request->data = (nic.size_with_list ? 0 : LOCATIONS) |
				(nic.special ? RX_CLS_LOC_SPECIAL : 0);
		return 0;
	case ETHTOOL_GRXCLSRLALL:
		request->data = nic.size_with_list ? LOCATIONS : 0;
		for (int i = 0; i < LOCATIONS; i++)
			if (nic.used[i])
				request->rule_locs[count++] = i;
		return 0;
	case ETHTOOL_GRXCLSRULE:
		request->fs = nic.rule[request->fs.location];
		return 0;
	case ETHTOOL_SRXCLSRLDEL:
		return nic_delete(request->fs.location);
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
	nic.full = ENOSPC;
	nic.refuse_after = -1;
	nic.keep_after = -1;
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

/* mlx5, nfp and otx2 tell the size of the table with the list of its rules. */
TEST_F(ntuple, add__size_with_list)
{
	nic.size_with_list = true;
	nic.used[LOCATIONS - 2] = false;
	ASSERT_EQ(0, fsk_ntuple_add(&self->read, self->why,
				    sizeof(self->why)));
	EXPECT_EQ(8, rules());
	EXPECT_TRUE(sorted(self->read.cpu, 32768));
}

TEST_F(ntuple, add__driver_chooses_locations)
{
	nic.special = true;
	ASSERT_EQ(0, fsk_ntuple_add(&self->read, self->why,
				    sizeof(self->why)));
	EXPECT_TRUE(sorted(self->read.cpu, 32768));
}

/* Rules for the cores that the interface has now, with what was written. */
static int add(FIXTURE_DATA(ntuple) *self)
{
	nic.writes = 0;
	nic.fewest = rules();
	return fsk_ntuple_add(&self->read, self->why, sizeof(self->why));
}

/* Another core for each queue. */
static void turn(FIXTURE_DATA(ntuple) *self)
{
	static const uint32_t cpu[] = { 0, 2, 1, 3, 0, FSK_NO_CPU };

	memcpy(self->read.cpu, cpu, sizeof(cpu));
}

TEST_F(ntuple, add__again_writes_nothing)
{
	ASSERT_EQ(0, add(self));
	EXPECT_EQ(8, nic.writes);
	ASSERT_EQ(0, add(self));
	EXPECT_EQ(0, nic.writes);
	EXPECT_EQ(9, rules());
}

/* What is missing comes, and what is right stays. */
TEST_F(ntuple, add__one_missing)
{
	ASSERT_EQ(0, add(self));
	nic.used[LOCATIONS - 1] = false;
	ASSERT_EQ(0, add(self));
	EXPECT_EQ(1, nic.writes);
	EXPECT_TRUE(sorted(self->read.cpu, 32768));
}

/* The card refuses two rules for the same packets, so one is away at a time. */
TEST_F(ntuple, add__other_queues)
{
	ASSERT_EQ(0, add(self));
	turn(self);
	ASSERT_EQ(0, add(self));
	EXPECT_EQ(9, rules());
	EXPECT_EQ(8, nic.fewest);
	EXPECT_TRUE(sorted(self->read.cpu, 32768));
}

/* The old rules go when the new ones are there. */
TEST_F(ntuple, add__other_range)
{
	ASSERT_EQ(0, add(self));
	nic.low = 49152;
	ASSERT_EQ(0, add(self));
	EXPECT_EQ(9, rules());
	EXPECT_EQ(9, nic.fewest);
	EXPECT_TRUE(sorted(self->read.cpu, 49152));
}

TEST_F(ntuple, add__driver_chooses_others)
{
	nic.special = true;
	ASSERT_EQ(0, add(self));
	turn(self);
	ASSERT_EQ(0, add(self));
	EXPECT_EQ(8, nic.fewest);
	EXPECT_TRUE(sorted(self->read.cpu, 32768));
	nic.low = 49152;
	ASSERT_EQ(0, add(self));
	EXPECT_EQ(9, nic.fewest);
	EXPECT_TRUE(sorted(self->read.cpu, 49152));
}

/* Without room for both, each new rule waits for an old one to go. */
TEST_F(ntuple, add__no_room_beside)
{
	for (int special = 0; special < 2; special++) {
		nic.special = special;
		nic.full = special ? ENOMEM : ENOSPC;	/* bnxt's */
		nic.low = 32768;
		ASSERT_EQ(0, fsk_ntuple_remove("eth0"));
		for (int i = 0; i < LOCATIONS - 9; i++)
			nic.used[i] = true;
		ASSERT_EQ(0, add(self));
		nic.low = 49152;
		ASSERT_EQ(0, add(self));
		EXPECT_EQ(LOCATIONS, rules());
		EXPECT_EQ(LOCATIONS - 1, nic.fewest);
		EXPECT_TRUE(sorted(self->read.cpu, 49152));
	}
}

/* Rules of another range have another mask, so all old ones go at once. */
TEST_F(ntuple, add__one_mask)
{
	for (int full = 0; full < 2; full++) {
		ASSERT_EQ(0, fsk_ntuple_remove("eth0"));
		for (int i = 0; i < LOCATIONS; i++)
			nic.used[i] = full && i < LOCATIONS - 8;
		memset(nic.rule, 0, sizeof(nic.rule));
		nic.one_mask = true;
		nic.low = 32768;
		ASSERT_EQ(0, add(self));
		nic.low = 49152;
		ASSERT_EQ(0, add(self));
		EXPECT_EQ(full ? LOCATIONS : 8, rules());
		EXPECT_TRUE(sorted(self->read.cpu, 49152));
	}
}

/* Refuse the fourth rule, this often. */
static void refuse(int times)
{
	nic.refuse_after = 3;
	nic.refuse_times = times;
}

/* Whatever fails, the rules of before are there. */
TEST_F(ntuple, add__refused_leaves_before)
{
	uint32_t before[6];

	refuse(1);
	EXPECT_EQ(EINVAL, add(self));
	EXPECT_STREQ("it refuses the rules: Invalid argument", self->why);
	EXPECT_EQ(1, rules());
	ASSERT_EQ(0, add(self));
	memcpy(before, self->read.cpu, sizeof(before));
	nic.low = 49152;
	refuse(3);
	EXPECT_EQ(EINVAL, add(self));
	EXPECT_EQ(9, rules());
	EXPECT_TRUE(sorted(before, 32768));
	nic.low = 32768;
	turn(self);
	refuse(2);
	EXPECT_EQ(EINVAL, add(self));
	EXPECT_EQ(9, rules());
	EXPECT_TRUE(sorted(before, 32768));
}

/* An old rule that can't be deleted is an error, and no reason to end with
 * none.
 */
TEST_F(ntuple, add__old_stays)
{
	ASSERT_EQ(0, add(self));
	nic.low = 49152;
	nic.keep_after = 2;
	EXPECT_EQ(EBUSY, add(self));
	EXPECT_EQ(9, rules());
	EXPECT_TRUE(sorted(self->read.cpu, 32768));
}

/* A new rule that can't be deleted is none of before. */
TEST_F(ntuple, add__new_stays)
{
	refuse(1);
	nic.keep_after = 0;
	EXPECT_EQ(EINVAL, add(self));
	EXPECT_EQ(2, rules());
	EXPECT_STREQ("it refuses the rules: Invalid argument, and to have "
		     "those of before again", self->why);
}

TEST_F(ntuple, add__no_core)
{
	ASSERT_EQ(0, add(self));
	self->read.queues = 0;
	EXPECT_EQ(EOPNOTSUPP, add(self));
	EXPECT_EQ(9, rules());
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
