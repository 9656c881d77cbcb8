/* SPDX-License-Identifier: MIT */
#ifndef FSK_NIC_H
#define FSK_NIC_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/fastsocket.h>

#define FSK_NIC_QUEUES	4096

/**
 * struct fsk_nic - how an interface spreads packets that come in
 * @name: the interface that has the queues: this one or the one below it
 * @bus: its device on the PCI bus, or empty
 * @inside: packets come from this machine only, as on loopback and veth
 * @device: it belongs to a device, real or a virtual machine's
 * @queues: receive queues
 * @cpu: core of each queue, or %FSK_NO_CPU
 * @key: key of its hash
 * @key_len: bytes of @key
 * @table: core of each entry of the indirection table
 * @table_len: entries of @table
 * @hash: FSK_RFD_HASH_*
 * @no_rss: why it can't have rss mode, or empty
 */
struct fsk_nic {
	char name[IF_NAMESIZE];
	char bus[32];
	bool inside;
	bool device;
	unsigned int queues;
	uint32_t cpu[FSK_NIC_QUEUES];
	uint8_t key[FSK_RFD_KEY_MAX];
	unsigned int key_len;
	uint32_t table[FSK_RFD_TABLE_MAX];
	unsigned int table_len;
	uint32_t hash;
	char no_rss[160];
};

/* --netns was given: this is not the caller's namespace. Constant once the
 * command line is read.
 */
extern bool fsk_nic_netns;

int fsk_nic_sysfs(void);
const char *fsk_nic_name(uint32_t ifindex, char *name);
struct if_nameindex *fsk_nic_all(void);
bool fsk_nic_real(const char *name, char *real);
bool fsk_nic_card(uint32_t ifindex, char *name);
int fsk_nic_ioctl(const char *name, void *request);
int fsk_nic_read(const char *name, struct fsk_nic *nic);
unsigned int fsk_nic_port_mask(void);
void fsk_nic_port_range(unsigned int *low, unsigned int *high);
unsigned int fsk_nic_online(uint32_t *cpu, unsigned int room);

#endif
