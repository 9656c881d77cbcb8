// SPDX-License-Identifier: GPL-2.0
/*
 * Two machines in one: nic0 in a network namespace that is the machine under
 * test, nic1 in another that is all others.  Interrupts, XPS and receive flow
 * steering are set as the kernel's Documentation/networking/scaling.rst says.
 */
#define _GNU_SOURCE
#include "ends.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#define FLOWS	32768	/* that receive flow steering remembers */

static int space[2];	/* file descriptors of both namespaces */

static void put(const char *value, const char *format, ...)
{
	char path[256];
	va_list args;
	FILE *f;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	f = fopen(path, "w");
	if (!f || fputs(value, f) < 0 || fclose(f))
		err(1, "%s", path);
}

static void put_number(int value, const char *path)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	put(text, "%s", path);
}

/* Give a device to a namespace. */
static void move(int netlink, const char *name, int to)
{
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg info;
		struct nlattr attr;
		int fd;
	} rq = {
		.nlh = {
			.nlmsg_len = sizeof(rq),
			.nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.info = { .ifi_index = if_nametoindex(name) },
		.attr = { NLA_HDRLEN + sizeof(int), IFLA_NET_NS_FD },
		.fd = to,
	};
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr e;
		char more[256];
	} answer;

	if (!rq.info.ifi_index)
		errx(1, "there is no %s: is the card's module loaded?", name);
	if (send(netlink, &rq, sizeof(rq), 0) < 0 ||
	    recv(netlink, &answer, sizeof(answer), 0) < 0)
		err(1, "netlink");
	if (answer.e.error)
		errx(1, "%s to its namespace: error %d", name, answer.e.error);
}

static void link_up(const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_UP | IFF_RUNNING };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &r))
		err(1, "%s up", name);
	close(s);
}

static void address(const char *name, const char *addr4, const char *addr6)
{
	struct in6_ifreq r6 = { .ifr6_prefixlen = 64 };
	struct ifreq r = { 0 };
	struct sockaddr_in *a = (void *)&r.ifr_addr;
	int s4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int s6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	a->sin_family = AF_INET;
	inet_pton(AF_INET, addr4, &a->sin_addr);
	inet_pton(AF_INET6, addr6, &r6.ifr6_addr);
	r6.ifr6_ifindex = if_nametoindex(name);
	if (ioctl(s4, SIOCSIFADDR, &r) || ioctl(s6, SIOCSIFADDR, &r6))
		err(1, "addresses of %s", name);
	close(s4);
	close(s6);
}

/* What the card is to do beside: hashes in packets, rules. */
static void flags(const char *name, uint32_t want)
{
	struct ethtool_value value = { ETHTOOL_SFLAGS, want };
	struct ifreq r = { .ifr_data = (void *)&value };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(s, SIOCETHTOOL, &r))
		err(1, "features of %s", name);
	close(s);
}

/* A namespace's end, with nothing in it that goes by the clock. */
static void settle(const char *name, const char *addr4, const char *addr6)
{
	put("262144", "/proc/sys/net/ipv4/tcp_max_tw_buckets");
	put("0", "/proc/sys/net/ipv6/conf/%s/accept_dad", name);
	put("0", "/proc/sys/net/ipv6/conf/%s/router_solicitations", name);
	put("36000000", "/proc/sys/net/ipv4/neigh/%s/base_reachable_time_ms",
	    name);
	put("36000000", "/proc/sys/net/ipv6/neigh/%s/base_reachable_time_ms",
	    name);
	address(name, addr4, addr6);
	link_up("lo");
	link_up(name);
}

/* Where a queue's interrupts go. */
static void bind_interrupt(const char *name, int queue, int cpu)
{
	char file[300], want[32];
	struct dirent *e;
	DIR *d = opendir("/proc/irq");

	snprintf(want, sizeof(want), "%s-rx-%d", name, queue);
	while (d && (e = readdir(d))) {
		snprintf(file, sizeof(file), "/proc/irq/%s/%s", e->d_name,
			 want);
		if (access(file, F_OK))
			continue;
		snprintf(file, sizeof(file), "/proc/irq/%s/smp_affinity_list",
			 e->d_name);
		put_number(cpu, file);
		closedir(d);
		return;
	}
	errx(1, "no interrupt %s", want);
}

/* CPUs of a range as sysfs has masks. */
static const char *mask(int first, int end)
{
	static char text[64];
	uint64_t bits = (end < 64 ? 1ull << end : 0) - (1ull << first);

	if (bits >> 32)
		snprintf(text, sizeof(text), "%x,%08x",
			 (unsigned int)(bits >> 32), (unsigned int)bits);
	else
		snprintf(text, sizeof(text), "%x", (unsigned int)bits);
	return text;
}

/* Each queue serves a range of CPUs: its interrupt goes to the first, all send
 * by it.
 */
static void spread_queues(const char *name, int count, int cpus, int first)
{
	int i, from, to;

	for (i = 0; i < count; i++) {
		from = first + (i * cpus + count - 1) / count;
		to = first + ((i + 1) * cpus + count - 1) / count;
		bind_interrupt(name, i, from);
		put(mask(from, to), "/sys/class/net/%s/queues/tx-%d/xps_cpus",
		    name, i);
	}
}

static void steering(const struct ends *ends)
{
	char flows[16];
	int i, from, to;

	if (ends->rfs == ENDS_PLAIN)
		return;
	snprintf(flows, sizeof(flows), "%d", FLOWS / ends->queues);
	for (i = 0; i < ends->queues; i++) {
		from = (i * ends->near + ends->queues - 1) / ends->queues;
		to = ((i + 1) * ends->near + ends->queues - 1) / ends->queues;
		put(flows, "/sys/class/net/nic0/queues/rx-%d/rps_flow_cnt", i);
		if (to > from + 1)
			put(mask(from, to),
			    "/sys/class/net/nic0/queues/rx-%d/rps_cpus", i);
	}
}

static void see_devices(void)
{
	if (mount("sysfs", "/sys", "sysfs", 0, NULL))
		err(1, "/sys of the namespace");
}

/**
 * ends_enter() - go to one end
 * @end: which
 */
void ends_enter(enum ends_end end)
{
	if (setns(space[end], CLONE_NEWNET))
		err(1, "the network namespace");
}

static void new_space(int end)
{
	if (unshare(CLONE_NEWNET))
		err(1, "a network namespace");
	space[end] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (space[end] < 0)
		err(1, "/proc/self/ns/net");
}

/**
 * ends_make() - make both, and enter the near one
 * @ends: what is wanted
 *
 * Ends the program when something is not as it should be.
 */
void ends_make(const struct ends *ends)
{
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
			     NETLINK_ROUTE);
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	put_number(ends->rfs == ENDS_PLAIN ? 0 : FLOWS,
		   "/proc/sys/net/core/rps_sock_flow_entries");
	/* /sys shows the devices of the namespace that mounts it. */
	if (unshare(CLONE_NEWNS) ||
	    mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err(1, "a mount namespace");
	new_space(ENDS_NEAR);
	new_space(ENDS_FAR);
	if (setns(home, CLONE_NEWNET))
		err(1, "back to the first namespace");
	move(netlink, "nic0", space[ENDS_NEAR]);
	move(netlink, "nic1", space[ENDS_FAR]);
	close(netlink);
	close(home);

	/* Without hashes the far end leaves the kernel's one table of flows
	 * to the near one.
	 */
	ends_enter(ENDS_FAR);
	see_devices();
	settle("nic1", ENDS_FAR4, ENDS_FAR6);
	flags("nic1", 0);
	spread_queues("nic1", ends->far, ends->far, ends->near);

	ends_enter(ENDS_NEAR);
	see_devices();
	settle("nic0", ENDS_NEAR4, ENDS_NEAR6);
	flags("nic0", ETH_FLAG_RXHASH |
	      (ends->rfs == ENDS_RFS ? 0 : ETH_FLAG_NTUPLE));
	spread_queues("nic0", ends->queues, ends->near, 0);
	steering(ends);
}
