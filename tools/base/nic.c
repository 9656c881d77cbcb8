// SPDX-License-Identifier: MIT
/*
 * Reads a network interface: queues, hash, key, indirection table.
 *
 * It uses ethtool's ioctls, which all kernels from 6.1 on answer completely.
 * ethtool's netlink messages have the key since 6.3 only.
 */
#include "nic.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "cpus.h"
#include "error.h"
#include "irq.h"

#define FSK_NIC_DEPTH	8	/* interfaces on top of each other, at most */
#define FSK_NIC_TUPLE	(RXH_IP_SRC | RXH_IP_DST | RXH_L4_B_0_1 | RXH_L4_B_2_3)

/* The byte after the hash function was reserved. Since 6.8 it tells whether the
 * interface mixes source and destination before it hashes them.
 */
#define FSK_NIC_XFRM(rxfh)	((&(rxfh)->hfunc)[1])
#define FSK_NIC_XFRM_NONE	0xff

bool fsk_nic_netns;

/**
 * fsk_nic_sysfs() - let /sys/class/net show the namespace of --netns
 *
 * It shows the one in which it was mounted, so this mounts it anew. The rest of
 * the machine does not see that.
 *
 * Return: 0, or the exit status after an error was printed, once. Then /sys has
 * interfaces of the same names that are others: neither read nor write them.
 */
int fsk_nic_sysfs(void)
{
	static bool done;
	static int status;

	if (done || !fsk_nic_netns)
		return status;
	done = true;
	if (unshare(CLONE_NEWNS) ||
	    mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL)) {
		fsk_error("cannot see /sys of the namespace: %s",
			  strerror(errno));
		status = FSK_EXIT_REFUSED;
	}
	return status;
}

/**
 * fsk_nic_name() - the name of an interface
 * @ifindex: the interface
 * @name: IF_NAMESIZE bytes, filled in
 *
 * Return: @name, with a name made of the number when the interface is gone.
 */
const char *fsk_nic_name(uint32_t ifindex, char *name)
{
	if (!if_indextoname(ifindex, name))
		snprintf(name, IF_NAMESIZE, "if%u", ifindex);
	return name;
}

/**
 * fsk_nic_all() - all interfaces of the namespace
 *
 * Return: the list, for if_freenameindex(), which takes no %NULL; or %NULL
 *         after an error was printed.
 */
struct if_nameindex *fsk_nic_all(void)
{
	struct if_nameindex *all = if_nameindex();

	if (!all)
		fsk_error("no list of interfaces: %s", strerror(errno));
	return all;
}

/**
 * fsk_nic_ioctl() - ask ethtool's interface in the kernel
 * @name: the interface
 * @request: begins with ETHTOOL_*
 *
 * Return: 0, or errno, positive.
 */
int fsk_nic_ioctl(const char *name, void *request)
{
	struct ifreq ifr = { .ifr_data = request };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, SIOCETHTOOL, &ifr))
		err = errno;
	close(fd);
	return err;
}

/* Replace a name by that of the interface below, if there is just one. */
static bool fsk_nic_below(char *name)
{
	char path[PATH_MAX], below[IF_NAMESIZE] = "";
	struct dirent *entry;
	int count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	folder = opendir(path);
	if (!folder)
		return false;
	while ((entry = readdir(folder))) {
		if (strncmp(entry->d_name, "lower_", 6))
			continue;
		snprintf(below, sizeof(below), "%.15s", entry->d_name + 6);
		count++;
	}
	closedir(folder);
	if (count != 1)
		return false;
	memcpy(name, below, sizeof(below));
	return true;
}

/**
 * fsk_nic_real() - the name by which /sys knows an interface
 * @name: its name, or an alternative one
 * @real: IF_NAMESIZE bytes, filled in
 *
 * Return: whether there is such an interface.
 */
bool fsk_nic_real(const char *name, char *real)
{
	uint32_t ifindex = if_nametoindex(name);

	return ifindex && if_indextoname(ifindex, real);
}

static void fsk_nic_descend(char *name)
{
	for (int i = 0; i < FSK_NIC_DEPTH && fsk_nic_below(name); i++)
		;
}

/**
 * fsk_nic_card() - the interface that has the queues of another one
 * @ifindex: the other one, which may lie on top of it
 * @name: IF_NAMESIZE bytes, filled in, as fsk_nic_read() has it
 *
 * Return: false if the other one is gone.
 */
bool fsk_nic_card(uint32_t ifindex, char *name)
{
	if (!if_indextoname(ifindex, name))
		return false;
	fsk_nic_descend(name);
	return true;
}

static void fsk_nic_driver(struct fsk_nic *nic)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { 0 };
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/%s/device", nic->name);
	nic->device = !access(path, F_OK);
	if (!fsk_nic_ioctl(nic->name, &info)) {
		snprintf(nic->bus, sizeof(nic->bus), "%.31s", info.bus_info);
		nic->inside = !strcmp(info.driver, "veth");
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", nic->name);
	if (fd >= 0 && !ioctl(fd, SIOCGIFFLAGS, &ifr) &&
	    ifr.ifr_flags & IFF_LOOPBACK)
		nic->inside = true;
	close(fd);
}

static void fsk_nic_queues(struct fsk_nic *nic)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_rxnfc rings = { .cmd = ETHTOOL_GRXRINGS };

	nic->queues = 1;
	if (!fsk_nic_ioctl(nic->name, &rings) && rings.data)
		nic->queues = rings.data;
	else if (!fsk_nic_ioctl(nic->name, &channels))
		nic->queues = channels.combined_count + channels.rx_count;
	if (!nic->queues)
		nic->queues = 1;
	if (nic->queues > FSK_NIC_QUEUES)
		nic->queues = FSK_NIC_QUEUES;
	fsk_irq_cores(nic->name, nic->bus, nic->cpu, nic->queues);
}

static bool fsk_nic_hashes(const char *name, uint32_t flow)
{
	struct ethtool_rxnfc fields = {
		.cmd = ETHTOOL_GRXFH,
		.flow_type = flow,
	};

	return !fsk_nic_ioctl(name, &fields) && fields.data == FSK_NIC_TUPLE;
}

/* The interface's key and table; %NULL, and errno, if it does not tell them.
 * The kernel writes the present sizes over those that it was asked for: when
 * they have changed in between, they are not those of this memory.
 */
static struct ethtool_rxfh *fsk_nic_rxfh(const char *name)
{
	struct ethtool_rxfh sizes = { .cmd = ETHTOOL_GRSSH }, *rxfh;
	int err;

	err = fsk_nic_ioctl(name, &sizes);
	if (err) {
		errno = err;
		return NULL;
	}
	rxfh = calloc(1, sizeof(*rxfh) + sizes.key_size +
		      sizes.indir_size * sizeof(rxfh->rss_config[0]));
	if (!rxfh)
		return NULL;
	rxfh->cmd = ETHTOOL_GRSSH;
	rxfh->key_size = sizes.key_size;
	rxfh->indir_size = sizes.indir_size;
	err = fsk_nic_ioctl(name, rxfh);
	if (rxfh->key_size != sizes.key_size ||
	    rxfh->indir_size != sizes.indir_size)
		err = EAGAIN;
	if (!err)
		return rxfh;
	free(rxfh);
	errno = err;
	return NULL;
}

#define FSK_NIC_NO_RSS(nic, ...) \
	snprintf((nic)->no_rss, sizeof((nic)->no_rss), __VA_ARGS__)

static void fsk_nic_table(struct fsk_nic *nic, const struct ethtool_rxfh *rxfh)
{
	uint32_t queue;

	nic->table_len = rxfh->indir_size;
	for (unsigned int i = 0; i < nic->table_len; i++) {
		queue = rxfh->rss_config[i];
		if (queue < nic->queues && nic->cpu[queue] != FSK_NO_CPU) {
			nic->table[i] = nic->cpu[queue];
			continue;
		}
		FSK_NIC_NO_RSS(nic, "queue %u is not served by one core",
			       queue);
		return;
	}
}

/* Fill in what rss mode needs, or say what is missing for it. */
static void fsk_nic_rss(struct fsk_nic *nic, const struct ethtool_rxfh *rxfh)
{
	uint32_t table = rxfh->indir_size;

	nic->hash = (fsk_nic_hashes(nic->name, TCP_V4_FLOW) ?
		     FSK_RFD_HASH_TCP4 : 0) |
		    (fsk_nic_hashes(nic->name, TCP_V6_FLOW) ?
		     FSK_RFD_HASH_TCP6 : 0);
	if (rxfh->hfunc != 1)	/* ETH_RSS_HASH_TOP of the kernel */
		FSK_NIC_NO_RSS(nic, "its hash function is not Toeplitz");
	else if (FSK_NIC_XFRM(rxfh) && FSK_NIC_XFRM(rxfh) != FSK_NIC_XFRM_NONE)
		FSK_NIC_NO_RSS(nic, "its hash is symmetric");
	else if (!nic->hash)
		FSK_NIC_NO_RSS(nic, "it does not hash the ports of TCP");
	else if (rxfh->key_size < FSK_RFD_KEY_MIN)
		FSK_NIC_NO_RSS(nic, "it tells no key of %u bytes or more",
			       FSK_RFD_KEY_MIN);
	else if (!table || table & (table - 1) || table > FSK_RFD_TABLE_MAX)
		FSK_NIC_NO_RSS(nic, "its table has %u entries, %s", table,
			       "not a power of two up to 4096");
	else
		fsk_nic_table(nic, rxfh);
	if (*nic->no_rss)
		return;
	nic->key_len = rxfh->key_size > FSK_RFD_KEY_MAX ? FSK_RFD_KEY_MAX :
							  rxfh->key_size;
	memcpy(nic->key, &rxfh->rss_config[table], nic->key_len);
}

/**
 * fsk_nic_read() - read an interface
 * @name: the interface
 * @nic: filled in
 *
 * If the interface lies on top of just one other, as a VLAN does, this reads
 * the other one.
 *
 * Return: 0, or the exit status after an error was printed.
 */
int fsk_nic_read(const char *name, struct fsk_nic *nic)
{
	struct ethtool_rxfh *rxfh;
	int status;

	memset(nic, 0, sizeof(*nic));
	if (!fsk_nic_real(name, nic->name)) {
		fsk_error("there is no interface '%s'", name);
		return FSK_EXIT_REFUSED;
	}
	status = fsk_nic_sysfs();
	if (status)
		return status;
	fsk_nic_descend(nic->name);
	fsk_nic_driver(nic);
	fsk_nic_queues(nic);
	rxfh = fsk_nic_rxfh(nic->name);
	if (rxfh)
		fsk_nic_rss(nic, rxfh);
	else
		FSK_NIC_NO_RSS(nic, "it tells no hash: %s", strerror(errno));
	free(rxfh);
	return 0;
}

/* Reads a file with a list of CPUs such as "0-3,8". Returns how many. */
static unsigned int fsk_nic_cpus(const char *path, uint32_t *cpu,
				 unsigned int room)
{
	unsigned int count = 0;
	struct fsk_cpus cpus;

	if (!fsk_cpus_read_list(&cpus, path))
		return 0;
	for (uint32_t i = 0; i < FSK_CPUS_MAX && count < room; i++)
		if (fsk_cpus_has(&cpus, i))
			cpu[count++] = i;
	return count;
}

/**
 * fsk_nic_online() - the cores that are online
 * @cpu: gets their numbers, in order
 * @room: of @cpu
 *
 * Return: how many.
 */
unsigned int fsk_nic_online(uint32_t *cpu, unsigned int room)
{
	return fsk_nic_cpus("/sys/devices/system/cpu/online", cpu, room);
}

/**
 * fsk_nic_port_mask() - the bits of a source port that hold its core
 *
 * Return: the mask, as the module computes it.
 */
unsigned int fsk_nic_port_mask(void)
{
	static unsigned int mask;
	uint32_t cpu[FSK_CPUS_MAX];
	unsigned int count, last;

	if (mask)
		return mask;
	count = fsk_nic_cpus("/sys/devices/system/cpu/present", cpu,
			     FSK_CPUS_MAX);
	last = count ? cpu[count - 1] : 0;
	while (mask < last)
		mask = 2 * mask + 1;
	return mask;
}

/**
 * fsk_nic_port_range() - the range from which the kernel chooses source ports
 * @low: gets the first
 * @high: gets the last
 */
void fsk_nic_port_range(unsigned int *low, unsigned int *high)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

	if (!file || fscanf(file, "%u %u", low, high) != 2) {
		*low = 32768;
		*high = 60999;
	}
	if (file)
		fclose(file);
}
