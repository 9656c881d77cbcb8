// SPDX-License-Identifier: GPL-2.0
/*
 * Reading an interface, see tools/base/nic.c. A kernel of our own answers the
 * tool's calls.
 */
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "kselftest_harness.h"

static int test_ioctl(int fd, unsigned long request, struct ifreq *ifr);

#define ioctl test_ioctl
#include "../../tools/base/nic.c"
#undef ioctl

/* The key and the table as they are when asked for sizes, and after that. */
static uint32_t keys[2], tables[2];
static int asked;

static int test_rxfh(struct ethtool_rxfh *rxfh)
{
	uint32_t key = keys[asked], table = tables[asked];
	uint32_t has_key = rxfh->key_size, has_table = rxfh->indir_size;

	asked++;
	rxfh->key_size = key;
	rxfh->indir_size = table;
	rxfh->hfunc = 1;
	/* As ethtool_get_rxfh(): only what is asked for is compared. */
	if ((has_table && has_table != table) || (has_key && has_key != key)) {
		errno = EINVAL;
		return -1;
	}
	memset(rxfh->rss_config, 0, has_table * 4 + has_key);
	return 0;
}

static int test_ioctl(int fd, unsigned long request, struct ifreq *ifr)
{
	struct ethtool_rxfh *rxfh = (void *)ifr->ifr_data;

	if (request == SIOCETHTOOL && rxfh->cmd == ETHTOOL_GRSSH)
		return test_rxfh(rxfh);
	errno = EOPNOTSUPP;
	return -1;
}

void fsk_irq_cores(const char *name, const char *bus, uint32_t *cpu,
		   unsigned int queues)
{
}

/* One interface, which has another name besides. */
unsigned int if_nametoindex(const char *name)
{
	return strcmp(name, "fsk-eth") && strcmp(name, "fsk-other") ? 0 : 7;
}

char *if_indextoname(unsigned int ifindex, char name[IF_NAMESIZE])
{
	return ifindex == 7 ? memcpy(name, "fsk-eth", 8) : NULL;
}

static int size_change(uint32_t key, uint32_t table, uint32_t key_after,
		       uint32_t table_after)
{
	struct ethtool_rxfh *rxfh;

	asked = 0;
	keys[0] = key;
	keys[1] = key_after;
	tables[0] = table;
	tables[1] = table_after;
	errno = 0;
	rxfh = fsk_nic_rxfh("eth0");
	free(rxfh);
	return rxfh ? 0 : errno;
}

TEST(nic__sizes)
{
	EXPECT_EQ(0, size_change(40, 128, 40, 128));
	EXPECT_EQ(0, size_change(0, 0, 0, 0));
	/* It tells neither before it is up, then what nobody has room for. */
	EXPECT_EQ(EAGAIN, size_change(0, 0, 40, 128));
	EXPECT_EQ(EAGAIN, size_change(40, 0, 40, 128));
	EXPECT_EQ(EAGAIN, size_change(0, 128, 52, 128));
	EXPECT_EQ(EAGAIN, size_change(40, 128, 40, 256));
}

/* /sys knows an interface by one of its names only. */
TEST(nic__other_name)
{
	static struct fsk_nic nic;

	ASSERT_EQ(0, fsk_nic_read("fsk-other", &nic));
	EXPECT_STREQ("fsk-eth", nic.name);
	EXPECT_EQ(FSK_EXIT_REFUSED, fsk_nic_read("fsk-none", &nic));
}

TEST_HARNESS_MAIN
