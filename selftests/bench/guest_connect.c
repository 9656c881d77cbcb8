// SPDX-License-Identifier: GPL-2.0
/*
 * connect: opens connections to one destination until no source port is left,
 * and marks windows for the simulator (plugin.c) on the way, at the fill levels
 * that it is told.  A window is connect() alone, of sockets made before.
 *
 * Nobody accepts: the connections stay in the listener's queue, which has room
 * for all of them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
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

#define CPU		1
#define PORT		8080	/* the listener's, out of the range */
#define BACKLOG		65535
#define WINDOW		100	/* connections */
#define TCP_ULP		31	/* linux/tcp.h clashes with netinet/in.h */

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

static bool primed, whole;
static bool taken[65536];
static int low, high, nr_taken;

/* The module's counters */

static uint64_t counters[__FSK_STAT_MAX];

static void *attr_data(const struct nlattr *a)
{
	return (char *)a + NLA_HDRLEN;
}

/* The next attribute of @left bytes at @a, %NULL at the end. */
static struct nlattr *attr_next(struct nlattr *a, int *left)
{
	int len = NLA_ALIGN(a->nla_len);

	*left -= len;
	return *left >= NLA_HDRLEN ? (void *)((char *)a + len) : NULL;
}

static void counters_add(struct nlattr *nest)
{
	struct nlattr *a = attr_data(nest);
	int left = nest->nla_len - NLA_HDRLEN;
	unsigned int stat;
	uint64_t n;

	for (; a && left >= NLA_HDRLEN; a = attr_next(a, &left)) {
		stat = FSK_ATTR_TO_STAT(a->nla_type & NLA_TYPE_MASK);
		if (stat >= __FSK_STAT_MAX)
			continue;
		memcpy(&n, attr_data(a), sizeof(n));
		counters[stat] += n;
	}
}

/* The family's number, from the answer of the controller; else counters. */
static int message_read(struct nlmsghdr *nlh)
{
	struct nlattr *a = (void *)((char *)NLMSG_DATA(nlh) + GENL_HDRLEN);
	int left = nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
	bool control = nlh->nlmsg_type == GENL_ID_CTRL;

	for (; a && left >= NLA_HDRLEN; a = attr_next(a, &left)) {
		int type = a->nla_type & NLA_TYPE_MASK;

		if (control && type == CTRL_ATTR_FAMILY_ID)
			return *(uint16_t *)attr_data(a);
		if (!control && type == FSK_A_STATS_COUNTERS)
			counters_add(a);
	}
	return 0;
}

/* Sends a request with at most one attribute, reads all of the answer. */
static int ask(int type, int cmd, int flags, int attr, const char *text)
{
	struct {
		struct nlmsghdr nlh;
		struct genlmsghdr genl;
		struct nlattr attr;
		char text[32];
	} rq = {
		.nlh = { NLMSG_HDRLEN + GENL_HDRLEN, type,
			 NLM_F_REQUEST | NLM_F_ACK | flags, 1, 0 },
		.genl = { cmd, 1, 0 },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC), left, id = 0;
	static char buf[65536] __attribute__((aligned(8)));
	struct nlmsghdr *nlh;

	if (text) {
		rq.attr.nla_type = attr;
		rq.attr.nla_len = NLA_HDRLEN + strlen(text) + 1;
		memcpy(rq.text, text, strlen(text) + 1);
		rq.nlh.nlmsg_len += NLA_ALIGN(rq.attr.nla_len);
	}
	if (fd < 0 || send(fd, &rq, rq.nlh.nlmsg_len, 0) < 0)
		err(1, "netlink");
	for (;;) {
		left = recv(fd, buf, sizeof(buf), 0);
		if (left <= 0)
			err(1, "netlink");
		for (nlh = (void *)buf; NLMSG_OK(nlh, (unsigned int)left);
		     nlh = NLMSG_NEXT(nlh, left)) {
			if (nlh->nlmsg_type == NLMSG_DONE ||
			    nlh->nlmsg_type == NLMSG_ERROR) {
				close(fd);
				return id;
			}
			id = message_read(nlh) ?: id;
		}
	}
}

static void counters_read(void)
{
	static int id;

	memset(counters, 0, sizeof(counters));
	if (!primed)
		return;
	if (!id)
		id = ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0,
			 CTRL_ATTR_FAMILY_NAME, FSK_GENL_NAME);
	if (!id)
		errx(1, "the module is not loaded");
	ask(id, FSK_CMD_STATS_GET, NLM_F_DUMP, 0, NULL);
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
	struct rlimit files = { 65536, 65536 };
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	cpu_set_t set;
	FILE *f;

	close(s);
	CPU_ZERO(&set);
	CPU_SET(CPU, &set);
	if (setrlimit(RLIMIT_NOFILE, &files) || unshare(CLONE_NEWNET) ||
	    sched_setaffinity(0, sizeof(set), &set))
		err(1, "set up");
	s = socket(AF_INET, SOCK_DGRAM, 0);
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &lo))
		err(1, "loopback");
	close(s);
	sysctl_set("/proc/sys/net/core/somaxconn", "65535");
	sysctl_set("/proc/sys/net/ipv4/tcp_max_syn_backlog", "65535");
	f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
	if (!f || fscanf(f, "%d %d", &low, &high) != 2)
		err(1, "port range");
	fclose(f);
}

static struct sockaddr_in address(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	to.sin_port = htons(PORT);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return to;
}

static void listen_here(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct sockaddr_in in = address();

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(s, (void *)&in, sizeof(in)) || listen(s, BACKLOG))
		err(1, "listener");
}

/* Connections */

static int make(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	if (s < 0)
		err(1, "socket");
	if (primed && setsockopt(s, IPPROTO_TCP, TCP_ULP, FSK_ULP_RFD_NAME,
				 strlen(FSK_ULP_RFD_NAME)) != FSK_RFD_PRIMED)
		err(1, "the socket was not primed");
	return s;
}

/* Notes the port of a connection; two can't have the same. */
static void note(int s)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	int port;

	if (getsockname(s, (void *)&in, &len))
		err(1, "getsockname");
	port = ntohs(in.sin_port);
	if (port < low || port > high || taken[port])
		errx(1, "port %d is out of range or taken", port);
	taken[port] = true;
	nr_taken++;
}

static bool dial(int s)
{
	struct sockaddr_in to = address();

	if (!connect(s, (void *)&to, sizeof(to)))
		return true;
	if (errno != EADDRNOTAVAIL)
		err(1, "connect");
	return false;
}

/* Any free port, of the first parity as long as there is one: see fill(). */
static int pick_port(void)
{
	int range = high - low + 1, first = (range + 1) / 2, port;
	int parity = nr_taken >= first;

	do {
		port = low + random() % range;
	} while (taken[port] || ((port - low) & 1) != parity);
	return port;
}

/*
 * The plain kernel hands out the ports of the range's first parity, then the
 * others, after a look at each of the first.  From there on, between windows,
 * each socket is given a range of one port, and the kernel's connect() looks at
 * that one: several times as fast in an emulator.  Not if the whole is wanted.
 */
static void fill(int want)
{
	uint32_t range;
	int s, port;

	while (nr_taken < want) {
		s = make();
		if (!primed && !whole && nr_taken >= (high - low + 2) / 2) {
			port = pick_port();
			range = (uint32_t)port << 16 | port;
			if (setsockopt(s, IPPROTO_IP, IP_LOCAL_PORT_RANGE,
				       &range, sizeof(range)))
				err(1, "IP_LOCAL_PORT_RANGE");
		}
		if (!dial(s))
			errx(1, "no port at %d of %d", nr_taken, want);
		note(s);
	}
}

static void counters_print(void)
{
	printf("probes=%lu own=%lu any=%lu kernel=%lu clashes=%lu\n",
	       counters[FSK_STAT_CONNECT_PROBE],
	       counters[FSK_STAT_CONNECT_OWN], counters[FSK_STAT_CONNECT_ANY],
	       counters[FSK_STAT_CONNECT_KERNEL],
	       counters[FSK_STAT_CONNECT_CLASH]);
}

/* The counters are printed as they are before and after. */
static void window(int level)
{
	int fd[WINDOW], i;

	fill((high - low + 1) * level / 100 - WINDOW / 2);
	for (i = 0; i < WINDOW; i++)
		fd[i] = make();
	counters_read();
	printf("LEVEL fill=%d used=%d connects=%d cpu=%d\nBEFORE ", level,
	       nr_taken, WINDOW, CPU);
	counters_print();
	fflush(stdout);
	asm volatile("xchg %%r15,%%r15" ::: "memory");
	for (i = 0; i < WINDOW; i++)
		if (!dial(fd[i]))
			errx(1, "no port at %d %%", level);
	asm volatile("xchg %%r14,%%r14" ::: "memory");
	for (i = 0; i < WINDOW; i++)
		note(fd[i]);
	counters_read();
	printf("AFTER ");
	counters_print();
}

/* connect plain|whole|primed LEVEL... */
int main(int argc, char **argv)
{
	int i, s;

	primed = argc > 1 && !strcmp(argv[1], "primed");
	whole = argc > 1 && !strcmp(argv[1], "whole");
	set_up();
	listen_here();
	for (i = 2; i < argc; i++)
		window(atoi(argv[i]));
	if (!primed)
		fill(high - low + 1);
	while (s = make(), dial(s))
		note(s);
	counters_read();
	printf("TOTAL range=%d used=%d ", high - low + 1, nr_taken);
	counters_print();
	return 0;
}
