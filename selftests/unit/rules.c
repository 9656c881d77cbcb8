// SPDX-License-Identifier: GPL-2.0
/*
 * `rfd set`, `auto` and `del`, see tools/cmd_rfd.c: whom they leave out, and
 * when the rules of a card go. eth0 is a card, on which eth0.5 lies.
 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "no_module.h"
#include "rfd_rows.h"

static int test_send_mode(struct fsk_nl *nl, uint32_t ifindex,
			  unsigned int mode, const struct fsk_nic *nic);
static int test_send_del(struct fsk_nl *nl, uint32_t ifindex);
static void test_free(struct if_nameindex *all);

#define fsk_rfd_send_mode	test_send_mode
#define fsk_rfd_send_del	test_send_del
#define if_freenameindex	test_free
#include "../../tools/cmd_rfd.c"

static struct if_nameindex interfaces[] = {
	{ 1, "eth0" }, { 2, "eth0.5" }, { 3, "eth1" }, { 0, NULL }
};

static const char *gone;	/* it is in the list only */
static bool rules;		/* eth0 has rules */
static bool refused;		/* by the module */

static void test_free(struct if_nameindex *all)
{
}

struct if_nameindex *fsk_nic_all(void)
{
	return interfaces;
}

unsigned int if_nametoindex(const char *name)
{
	for (int i = 0; interfaces[i].if_index; i++)
		if (!strcmp(interfaces[i].if_name, name) &&
		    (!gone || strcmp(gone, name)))
			return interfaces[i].if_index;
	return 0;
}

int fsk_nic_read(const char *name, struct fsk_nic *nic)
{
	memset(nic, 0, sizeof(*nic));
	if (!if_nametoindex(name)) {
		fsk_error("there is no interface '%s'", name);
		return FSK_EXIT_REFUSED;
	}
	snprintf(nic->name, sizeof(nic->name), "%.4s", name);
	nic->device = true;
	nic->queues = 1;
	return 0;
}

unsigned int fsk_nic_online(uint32_t *cpu, unsigned int room)
{
	cpu[0] = 0;
	cpu[1] = 1;
	return 2;
}

int fsk_ntuple_add(const struct fsk_nic *nic, char *why, size_t size)
{
	rules = true;
	return 0;
}

int fsk_ntuple_remove(const char *name)
{
	if (!strcmp(name, "eth0"))
		rules = false;
	return 0;
}

bool fsk_ntuple_any(const char *name)
{
	return rules && !strcmp(name, "eth0");
}

bool fsk_nic_card(uint32_t ifindex, char *name)
{
	if (ifindex > 3)
		return false;
	memcpy(name, ifindex == 3 ? "eth1" : "eth0", 5);
	return true;
}

bool fsk_ntuple_possible(const char *name)
{
	return true;
}

struct fsk_nl *fsk_nl_open(void)
{
	return (struct fsk_nl *)rows;
}

void fsk_nl_close(struct fsk_nl *nl)
{
}

int fsk_words(int argc, char **argv, int min, int max,
	      const struct option *options)
{
	return argc - 1;
}

int fsk_words_check(int argc, char **argv, int min, int max)
{
	abort();
}

static int test_send_mode(struct fsk_nl *nl, uint32_t ifindex,
			  unsigned int mode, const struct fsk_nic *nic)
{
	size_t i;

	if (refused)
		return FSK_EXIT_REFUSED;
	for (i = 0; i < row_count && rows[i].ifindex != ifindex; i++)
		;
	rows[i].ifindex = ifindex;
	rows[i].mode = mode;
	row_count += i == row_count;
	return 0;
}

static int test_send_del(struct fsk_nl *nl, uint32_t ifindex)
{
	for (size_t i = 0; !refused && i < row_count; i++)
		if (rows[i].ifindex == ifindex) {
			rows[i] = rows[--row_count];
			return 0;
		}
	return FSK_EXIT_REFUSED;
}

static int set(const char *name, unsigned int mode)
{
	return fsk_rfd_set_one(fsk_nl_open(), name, mode, false);
}

TEST(all__gone)
{
	gone = "eth0.5";
	EXPECT_EQ(0, fsk_rfd_all(NULL, FSK_RFD_MASK, false, NULL, NULL));
	EXPECT_EQ(2, row_count);
	EXPECT_EQ(0, fsk_rfd_all(NULL, -1, false, NULL, NULL));
	gone = NULL;
	refused = true;
	EXPECT_EQ(2, fsk_rfd_all(NULL, -1, false, NULL, NULL));
}

static int del(const char *name)
{
	char *words[3] = { "del", (char *)name, NULL };

	return fsk_cmd_rfd_del(2, words);
}

/* The rules are those of the card, and of all that lies on it. */
TEST(rules__shared)
{
	EXPECT_EQ(0, set("eth0", FSK_RFD_NTUPLE));
	EXPECT_EQ(0, set("eth0.5", FSK_RFD_NTUPLE));
	EXPECT_EQ(0, set("eth1", FSK_RFD_NTUPLE));
	EXPECT_EQ(0, set("eth0.5", FSK_RFD_STEER));
	EXPECT_TRUE(rules);
	EXPECT_EQ(0, set("eth0.5", FSK_RFD_NTUPLE));
	EXPECT_EQ(0, del("eth0"));
	EXPECT_TRUE(rules);
	EXPECT_EQ(0, fsk_rfd_auto_one(fsk_nl_open(), "eth0.5", false));
	EXPECT_FALSE(rules);
}

/* An interface whose mode stays needs its rules. */
TEST(rules__refused)
{
	EXPECT_EQ(0, set("eth0", FSK_RFD_NTUPLE));
	refused = true;
	EXPECT_EQ(2, set("eth0", FSK_RFD_STEER));
	EXPECT_TRUE(rules);
	EXPECT_EQ(2, set("eth0", FSK_RFD_NTUPLE));
	EXPECT_TRUE(rules);
	EXPECT_EQ(2, del("eth0"));
	EXPECT_TRUE(rules);
	refused = false;
	EXPECT_EQ(0, set("eth0", FSK_RFD_STEER));
	EXPECT_FALSE(rules);
	refused = true;
	EXPECT_EQ(2, set("eth0.5", FSK_RFD_NTUPLE));
	EXPECT_FALSE(rules);
}

/* A module that was loaded again has forgotten what the rules are for. */
TEST(rules__forgotten)
{
	EXPECT_EQ(0, set("eth0", FSK_RFD_NTUPLE));
	row_count = 0;
	EXPECT_EQ(0, del("eth0"));
	EXPECT_FALSE(rules);
	EXPECT_EQ(2, del("eth0"));
	/* Another one needs them. */
	EXPECT_EQ(0, set("eth0", FSK_RFD_NTUPLE));
	EXPECT_EQ(2, del("eth0.5"));
	EXPECT_TRUE(rules);
}

TEST_HARNESS_MAIN
