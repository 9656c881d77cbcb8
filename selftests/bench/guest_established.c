// SPDX-License-Identifier: GPL-2.0
/*
 * established: has many connections and sends a packet to some of them, each a
 * bare acknowledgment, in windows for the simulator (plugin.c).
 *
 * There is no other end: the sockets are put into the middle of a connection by
 * TCP_REPAIR, and the packets are made here and sent from a packet socket on
 * the loopback interface, so they come in without a route, as from a card.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/fastsocket.h>

#include "setting.h"

#define PORT		8080
#define WINDOW		1000	/* packets */
#define SEQ		1000
#define PER_HOST	50000	/* connections of one remote address */

static bool ipv6;
static int nr_made, packet;

static void switch_on(uint32_t after)
{
	const uint8_t on = 1;

	setting(FSK_A_CONFIG_ESTABLISHED, &on, sizeof(on));
	setting(FSK_A_CONFIG_ESTABLISHED_AFTER, &after, sizeof(after));
}

/* The guest */

static void sysctl_set(const char *path, const char *value)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(value, f) < 0 || fclose(f))
		err(1, "%s", path);
}

static void set_up(void)
{
	struct ifreq lo = {
		.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING,
	};
	struct rlimit files = { 1 << 21, 1 << 21 };
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_ifindex = 1 };	/* only sends */
	int s;

	sysctl_set("/proc/sys/fs/nr_open", "2097152");
	sysctl_set("/proc/sys/fs/file-max", "4000000");
	if (setrlimit(RLIMIT_NOFILE, &files) || unshare(CLONE_NEWNET))
		err(1, "set up");
	s = socket(AF_INET, SOCK_DGRAM, 0);
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &lo))
		err(1, "loopback");
	close(s);
	if (system("ip address add 10.0.0.1/32 dev lo") ||
	    system("ip address add fd00::1/128 dev lo") ||
	    system("ip route add 10.1.0.0/16 dev lo") ||
	    system("ip -6 route add fd01::/64 dev lo"))
		errx(1, "routes");
	packet = socket(AF_PACKET, SOCK_RAW, 0);
	if (packet < 0 || bind(packet, (void *)&ll, sizeof(ll)))
		err(1, "packet socket");
}

/* Ends: this host's, and the other end of connection @i. */

static socklen_t local_end(struct sockaddr_in6 *to)
{
	struct sockaddr_in *in = (void *)to;

	memset(to, 0, sizeof(*to));
	to->sin6_port = htons(PORT);
	if (ipv6) {
		to->sin6_family = AF_INET6;
		inet_pton(AF_INET6, "fd00::1", &to->sin6_addr);
		return sizeof(*to);
	}
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(0x0a000001);
	return sizeof(*in);
}

static socklen_t remote_end(struct sockaddr_in6 *to, int i)
{
	struct sockaddr_in *in = (void *)to;
	int host = 2 + i / PER_HOST;

	memset(to, 0, sizeof(*to));
	to->sin6_port = htons(10000 + i % PER_HOST);
	if (ipv6) {
		to->sin6_family = AF_INET6;
		inet_pton(AF_INET6, "fd01::", &to->sin6_addr);
		to->sin6_addr.s6_addr[15] = host;
		return sizeof(*to);
	}
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(0x0a010000 + host);
	return sizeof(*in);
}

/* Connections */

static void listen_here(bool joins)
{
	int s = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0), on = 1;
	struct sockaddr_in6 in;
	socklen_t len = local_end(&in);

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(s, (void *)&in, len) || listen(s, 8))
		err(1, "listener");
	if (joins && setsockopt(s, IPPROTO_TCP, TCP_ULP, FSK_ULP_NAME,
				strlen(FSK_ULP_NAME)))
		err(1, "the listener has not joined");
}

static void set_option(int s, int name, int value)
{
	if (setsockopt(s, IPPROTO_TCP, name, &value, sizeof(value)))
		err(1, "TCP option %d", name);
}

static void make(void)
{
	int s = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in6 in;
	socklen_t len;

	if (s < 0)
		err(1, "socket");
	set_option(s, TCP_REPAIR, 1);
	len = local_end(&in);
	if (bind(s, (void *)&in, len))
		err(1, "bind");
	set_option(s, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
	set_option(s, TCP_QUEUE_SEQ, SEQ);
	set_option(s, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE);
	set_option(s, TCP_QUEUE_SEQ, SEQ);
	len = remote_end(&in, nr_made);
	if (connect(s, (void *)&in, len))
		err(1, "connect");
	set_option(s, TCP_REPAIR, -1);	/* off, without a probe */
	nr_made++;
}

/* Packets */

static uint32_t sum(const void *data, int bytes, uint32_t start)
{
	const uint16_t *word = data;

	for (; bytes > 1; bytes -= 2)
		start += *word++;
	return start;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

/* @eth ends where a word does. */
struct packet {
	uint16_t pad;
	struct ether_header eth;
	union {
		struct {
			struct iphdr ip;
			struct tcphdr th;
		} v4;
		struct {
			struct ip6_hdr ip;
			struct tcphdr th;
		} v6;
	};
};

static void fill_tcp(struct tcphdr *th, int i, uint32_t pseudo)
{
	struct sockaddr_in6 remote;

	remote_end(&remote, i);
	*th = (struct tcphdr){
		.source = remote.sin6_port, .dest = htons(PORT),
		.seq = htonl(SEQ), .ack_seq = htonl(SEQ), .doff = 5, .ack = 1,
		.window = htons(1000),
	};
	th->check = fold(sum(th, sizeof(*th), pseudo + htons(sizeof(*th)) +
			     htons(IPPROTO_TCP)));
}

static int fill4(struct packet *p, int i)
{
	struct sockaddr_in6 local, remote;
	struct iphdr *ip = &p->v4.ip;

	local_end(&local);
	remote_end(&remote, i);
	*ip = (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
		.tot_len = htons(sizeof(p->v4)),
		.saddr = ((struct sockaddr_in *)&remote)->sin_addr.s_addr,
		.daddr = ((struct sockaddr_in *)&local)->sin_addr.s_addr,
	};
	ip->check = fold(sum(ip, sizeof(*ip), 0));
	fill_tcp(&p->v4.th, i, sum(&ip->saddr, 8, 0));
	return sizeof(p->v4);
}

static int fill6(struct packet *p, int i)
{
	struct sockaddr_in6 local, remote;
	struct ip6_hdr *ip = &p->v6.ip;

	local_end(&local);
	remote_end(&remote, i);
	memset(ip, 0, sizeof(*ip));
	ip->ip6_vfc = 6 << 4;
	ip->ip6_plen = htons(sizeof(p->v6.th));
	ip->ip6_nxt = IPPROTO_TCP;
	ip->ip6_hlim = 64;
	ip->ip6_src = remote.sin6_addr;
	ip->ip6_dst = local.sin6_addr;
	fill_tcp(&p->v6.th, i, sum(&ip->ip6_src, 32, 0));
	return sizeof(p->v6);
}

/* What has been seen of LOCAL_IN is told by a SYN. */
static void knock(void)
{
	struct sockaddr_in6 in;
	socklen_t len = local_end(&in);
	int s = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);

	if (s < 0 || connect(s, (void *)&in, len))
		err(1, "connect");
	close(s);
}

static void hit(int i)
{
	struct packet p = { .eth.ether_type = htons(ipv6 ? ETH_P_IPV6 :
							   ETH_P_IP) };
	int len = ipv6 ? fill6(&p, i) : fill4(&p, i);

	if (send(packet, &p.eth, sizeof(p.eth) + len, 0) < 0)
		err(1, "send");
}

static void window(int level)
{
	int i, round, first = nr_made;

	while (nr_made < level)
		make();
	/* Routes get cached, connections entered, and again what came while
	 * the table grew.
	 */
	for (round = 0; round < 4; round++) {
		for (i = round < 3 ? first : 0; i < level; i++)
			hit(i);
		usleep(300000);
	}
	printf("LEVEL connections=%d packets=%d\n", level, WINDOW);
	fflush(stdout);
	srandom(level);
	asm volatile("xchg %%r15,%%r15" ::: "memory");
	for (i = 0; i < WINDOW; i++)
		hit(random() % level);
	asm volatile("xchg %%r14,%%r14" ::: "memory");
}

static void slabs(void)
{
	char line[256];
	FILE *f = fopen("/proc/slabinfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "TCP", 3) || !strncmp(line, "sock_", 5) ||
		    !strncmp(line, "dentry", 6) || !strncmp(line, "file", 4))
			printf("SLAB %s", line);
}

/* established plain|joined|direct|missed 4|6 CONNECTIONS... */
int main(int argc, char **argv)
{
	int i;

	ipv6 = argc > 2 && *argv[2] == '6';
	set_up();
	if (argc > 1 && strcmp(argv[1], "plain"))
		listen_here(true);
	if (argc > 1 && !strcmp(argv[1], "direct"))
		switch_on(0);
	if (argc > 1 && !strcmp(argv[1], "missed"))
		switch_on(-1);
	if (argc > 1 && strcmp(argv[1], "plain"))
		knock();
	for (i = 3; i < argc; i++)
		window(atoi(argv[i]));
	slabs();
	return 0;
}
