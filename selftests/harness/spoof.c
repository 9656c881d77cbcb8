// SPDX-License-Identifier: GPL-2.0
/*
 * A sender of SYNs with source addresses of its own choice, in a network
 * namespace that has nothing but its loopback interface.
 *
 * A listener keeps a half-open connection only if its SYN-ACK gets a route, and
 * nobody may answer that, not even by a reset.  Both hold for a network behind
 * the loopback interface: a packet to it comes back with the route that it was
 * sent by, which does not lead to this machine, and the kernel drops it.
 */
#include "spoof.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL 36
#endif

#define NET4		0x0a4d0000	/* 10.77.0.0/16 */
#define NET6		"fd77:5::"	/* /64 */

struct packet4 {
	struct iphdr ip;
	struct tcphdr tcp;
};

struct packet6 {
	struct ip6_hdr ip;
	struct tcphdr tcp;
};

static uint32_t sum(uint32_t start, const void *data, size_t len)
{
	const uint16_t *word = data;

	for (; len > 1; len -= 2)
		start += *word++;
	return start;
}

static uint16_t fold(uint32_t n)
{
	n = (n >> 16) + (n & 0xffff);
	return ~((n >> 16) + n);
}

/* The pseudo header has the same sum in any order: addresses, length, 6. */
static void seal(struct tcphdr *tcp, const void *addresses, size_t len)
{
	uint32_t n = htons(sizeof(*tcp)) + htons(IPPROTO_TCP);

	tcp->check = fold(sum(sum(n, addresses, len), tcp, sizeof(*tcp)));
}

static struct tcphdr syn(int port, int i)
{
	return (struct tcphdr) {
		.source = htons(1024 + i % 60000),
		.dest = htons(port),
		.seq = htonl(i * 64007u),
		.doff = sizeof(struct tcphdr) / 4,
		.syn = 1,
		.window = htons(8192),
	};
}

static int send4(int fd, int port, int i)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct packet4 p = {
		.ip = {
			.version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_TCP,
			.saddr = htonl(NET4 + 1 + i % 65000),
			.daddr = to.sin_addr.s_addr,
		},
		.tcp = syn(port, i),
	};

	seal(&p.tcp, &p.ip.saddr, 8);
	return sendto(fd, &p, sizeof(p), 0, (void *)&to, sizeof(to)) < 0 ?
	       -errno : 0;
}

static int send6(int fd, int port, int i)
{
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	struct packet6 p = {
		.ip = {
			.ip6_flow = htonl(6u << 28),
			.ip6_plen = htons(sizeof(struct tcphdr)),
			.ip6_nxt = IPPROTO_TCP,
			.ip6_hlim = 64,
			.ip6_dst = to.sin6_addr,
		},
		.tcp = syn(port, i),
	};

	inet_pton(AF_INET6, NET6, &p.ip.ip6_src);
	p.ip.ip6_src.s6_addr32[3] = htonl(1 + i);
	seal(&p.tcp, &p.ip.ip6_src, 32);
	return sendto(fd, &p, sizeof(p), 0, (void *)&to, sizeof(to)) < 0 ?
	       -errno : 0;
}

static bool over_ipv4(const struct trial *p)
{
	return p->dual || p->family == AF_INET;
}

static int route4(int fd)
{
	struct rtentry rt = { .rt_flags = RTF_UP, .rt_dev = "lo" };
	struct sockaddr_in *dst = (void *)&rt.rt_dst;
	struct sockaddr_in *mask = (void *)&rt.rt_genmask;

	dst->sin_family = AF_INET;
	mask->sin_family = AF_INET;
	dst->sin_addr.s_addr = htonl(NET4);
	mask->sin_addr.s_addr = htonl(0xffff0000);
	return ioctl(fd, SIOCADDRT, &rt) ? -errno : 0;
}

static int route6(int fd)
{
	struct in6_rtmsg rt = {
		.rtmsg_dst_len = 64,
		.rtmsg_metric = 1,
		.rtmsg_flags = RTF_UP,
		.rtmsg_ifindex = if_nametoindex("lo"),
	};

	inet_pton(AF_INET6, NET6, &rt.rtmsg_dst);
	return ioctl(fd, SIOCADDRT, &rt) ? -errno : 0;
}

/**
 * spoof_open() - a raw socket, and the route for what answers its packets
 * @p: where the listener is
 *
 * Return: a descriptor or a negative errno.
 */
int spoof_open(const struct trial *p)
{
	bool v4 = over_ipv4(p);
	int fd, err, on = 1;

	fd = socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
		    IPPROTO_RAW);
	if (fd < 0)
		return -errno;
	err = v4 ? route4(fd) : route6(fd);
	if (!err && !v4 && setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on,
				      sizeof(on)))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/**
 * spoof_send() - send SYNs, each from an address that was not used before
 * @fd: from spoof_open()
 * @p: where the listener is
 * @port: its port
 * @n: number of SYNs
 *
 * The SYNs arrive on the CPU that sends them, in order and before whatever it
 * sends later.  Some may arrive after the function has returned.
 *
 * Return: 0 or a negative errno.
 */
int spoof_send(int fd, const struct trial *p, int port, int n)
{
	static int i;
	int err = 0;

	for (; n > 0 && !err; n--, i++)
		err = over_ipv4(p) ? send4(fd, port, i) : send6(fd, port, i);
	return err;
}
