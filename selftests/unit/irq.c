// SPDX-License-Identifier: GPL-2.0
/* Which queue an interrupt is of, and whose core; see tools/base/irq.c. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

static void *test_opendir(const char *path);
static int test_access(const char *path, int mode);

#define opendir test_opendir
#define access test_access
#include "../../tools/base/irq.c"
#undef opendir
#undef access

static int folders;	/* with interrupts, that were read */

static void *test_opendir(const char *path)
{
	folders++;
	return NULL;
}

/* Only eth0 has a device. */
static int test_access(const char *path, int mode)
{
	return strcmp(path, "/sys/class/net/eth0/device") ? -1 : 0;
}

struct name {
	const char *action;
	const char *name;
	int queue;
};

/* As drivers in the kernel name them. */
static const struct name names[] = {
	{ "virtio0-input.3", "eth0", 3 },
	{ "virtio0-input.12", "ens3", 12 },
	{ "virtio0-output.3", "eth0", -1 },
	{ "virtio0-config", "eth0", -1 },
	{ "eth0-TxRx-3", "eth0", 3 },		/* igb, ixgbe */
	{ "enp3s0f1-TxRx-15", "enp3s0f1", 15 },
	{ "eth0-rx-2", "eth0", 2 },
	{ "eth0-tx-2", "eth0", -1 },
	{ "eth0", "eth0", -1 },
	{ "i40e-eth0-TxRx-7", "eth0", 7 },
	{ "ice-ens1f0-TxRx-31", "ens1f0", 31 },
	{ "i40e-0000:3b:00.0:misc", "eth0", -1 },
	{ "mlx5_comp5@pci:0000:3b:00.0", "eth0", 5 },
	{ "mlx5_async0@pci:0000:3b:00.0", "eth0", -1 },
	{ "mlx5_pages_eq@pci:0000:3b:00.0", "eth0", -1 },
	{ "eth0-Tx-Rx-4", "eth0", 4 },		/* ena */
	{ "ena-mgmnt@pci:0000:00:05.0", "eth0", -1 },
	{ "eth0-rxtx-1", "eth0", 1 },		/* vmxnet3 */
	{ "eth0-event-9", "eth0", -1 },
	{ "eth0-q1-rx", "eth0", 1 },		/* xen-netfront */
	{ "eth0-q1-tx", "eth0", -1 },
	{ "eth0-fp-6", "eth0", 6 },		/* bnx2x */
	{ "eth0-q3", "eth0", 3 },		/* be2net */
	{ "eth0-3", "eth0", 3 },
	{ "eth10-rx", "eth10", -1 },
	{ "hns3-0000:7d:00.0-TxRx-3", "eth0", 3 },
	{ "acpi", "eth0", -1 },
	{ "nvme0q3", "eth0", -1 },
	{ "", "eth0", -1 },
};

TEST(irq__queue)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		EXPECT_EQ(names[i].queue, fsk_irq_queue(names[i].action,
							names[i].name))
			TH_LOG("name %zu", i);
}

/* Those that only tell of packets sent. */
static const struct name sends[] = {
	{ "virtio0-output.3", "eth0", 3 },
	{ "eth0-tx-2", "eth0", 2 },
	{ "eth0-q1-tx", "eth0", 1 },
	{ "virtio0-input.3", "eth0", -1 },
	{ "eth0-TxRx-3", "eth0", -1 },
	{ "eth0-Tx-Rx-4", "eth0", -1 },
	{ "mlx5_comp5@pci:0000:3b:00.0", "eth0", -1 },
	{ "virtio0-config", "eth0", -1 },
	{ "eth0", "eth0", -1 },
};

TEST(irq__send_queue)
{
	size_t i;

	for (i = 0; i < sizeof(sends) / sizeof(*sends); i++)
		EXPECT_EQ(sends[i].queue,
			  fsk_irq_send_queue(sends[i].action, sends[i].name))
			TH_LOG("name %zu", i);
}

TEST(irq__single)
{
	EXPECT_EQ(3, fsk_irq_single("3"));
	EXPECT_EQ(0, fsk_irq_single("0"));
	EXPECT_EQ(17, fsk_irq_single("17-17"));
	EXPECT_EQ(FSK_NO_CPU, fsk_irq_single("0-3"));
	EXPECT_EQ(FSK_NO_CPU, fsk_irq_single("0,2"));
	EXPECT_EQ(FSK_NO_CPU, fsk_irq_single(""));
	EXPECT_EQ(FSK_NO_CPU, fsk_irq_single("x"));
}

TEST(irq__single_bit)
{
	EXPECT_EQ(0, fsk_irq_single_bit("1"));
	EXPECT_EQ(7, fsk_irq_single_bit("80"));
	EXPECT_EQ(11, fsk_irq_single_bit("0800"));
	EXPECT_EQ(32, fsk_irq_single_bit("00000001,00000000"));
	EXPECT_EQ(63, fsk_irq_single_bit("80000000,00000000"));
	EXPECT_EQ(FSK_NO_CPU, fsk_irq_single_bit("00000000"));
	EXPECT_EQ(FSK_NO_CPU, fsk_irq_single_bit("3"));
	EXPECT_EQ(FSK_NO_CPU, fsk_irq_single_bit("1,00000001"));
	EXPECT_EQ(FSK_NO_CPU, fsk_irq_single_bit(""));
	EXPECT_EQ(FSK_NO_CPU, fsk_irq_single_bit("g"));
}

/* Many interfaces have no interrupts, and a machine may have many of these. */
TEST(irq__no_device)
{
	struct fsk_irqs irqs;
	uint32_t cpu;

	fsk_irq_cores("veth0", "", &cpu, 1);
	EXPECT_EQ(FSK_NO_CPU, cpu);
	EXPECT_EQ(0, folders);
	fsk_irq_read(&irqs, "eth0", "0000:00:05.0");
	EXPECT_EQ(2, folders);
	fsk_irq_free(&irqs);
}

TEST_HARNESS_MAIN
