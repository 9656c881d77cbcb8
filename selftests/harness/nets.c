// SPDX-License-Identifier: GPL-2.0
/*
 * Two network namespaces and what is done in them by commands.
 */
#include "nets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/**
 * sh() - run a command
 * @format: its text, and what goes into it
 *
 * Return: what system() says.
 */
int sh(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return system(text);
}

int net_open(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* Without duplicate address detection, which would change routes later. */
static int net_enter_settled(void)
{
	int err = net_enter();

	return err ? err : sysctl_set("net/ipv6/conf/default/accept_dad", "0");
}

/* Return: whether the kernel has noticed the link and has the routes. */
static bool is_up(int net, const char *link)
{
	return !sh("nsenter --net=/proc/%d/fd/%d ip link show %s |"
		   "grep -q 'state UP'", getpid(), net, link);
}

/**
 * nets_make() - make both namespaces and enter the server's
 * @nets: filled
 *
 * Return: 0, or not 0 if a command failed.
 */
int nets_make(struct nets *nets)
{
	const char *node = "/proc";
	int err;

	if (net_enter_settled())
		return -1;
	nets->client = net_open();
	if (net_enter_settled())
		return -1;
	nets->server = net_open();
	err = sh("ip link add fska type veth peer name fskb netns "
		  "%s/%d/fd/%d && "
		  "ip address add 10.9.0.1/16 dev fska && "
		  "ip address add fd09::1/64 dev fska nodad && "
		  "ip link set fska up && "
		  "nsenter --net=%s/%d/fd/%d sh -c '"
		  "ip address add 10.9.0.2/16 dev fskb && "
		  "ip address add fd09::2/64 dev fskb nodad && "
		  "ip link set fskb up'",
		  node, getpid(), nets->client, node, getpid(), nets->client);
	if (err)
		return err;
	return until(is_up(nets->server, "fska") &&
		     is_up(nets->client, "fskb")) ? 0 : -1;
}

/**
 * nets_addr() - an address in the network between them
 * @p: of this family; IPv4 if dual
 * @ss: filled
 * @host: 1 for the server, 2 for the client
 * @port: host byte order
 *
 * Return: its length.
 */
socklen_t nets_addr(const struct place *p, struct sockaddr_storage *ss,
		    int host, int port)
{
	int family = p->dual ? AF_INET : p->family;
	socklen_t len = sock_addr(ss, family, port, false);
	struct sockaddr_in6 *in6 = (void *)ss;
	struct sockaddr_in *in = (void *)ss;

	if (family == AF_INET) {
		in->sin_addr.s_addr = htonl(0x0a090000 + host);
	} else {
		inet_pton(AF_INET6, "fd09::", &in6->sin6_addr);
		in6->sin6_addr.s6_addr[15] = host;
	}
	return len;
}
