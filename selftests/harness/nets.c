// SPDX-License-Identifier: GPL-2.0
/*
 * Two network namespaces and what is done in them by commands.
 */
#include "nets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
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

/* In the caller's namespace. */
static bool is_running(const char *link)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GLINK };
	struct ifreq req = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool running;

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", link);
	running = !ioctl(fd, SIOCGIFFLAGS, &req) &&
		  (req.ifr_flags & IFF_RUNNING);
	/* The kernel sets the flag before it adds the routes, both under the
	 * lock that this takes.
	 */
	req.ifr_data = (void *)&value;
	running = running && !ioctl(fd, SIOCETHTOOL, &req);
	close(fd);
	return running;
}

/* In the caller's namespace, by one process: the tests do so hundreds of times,
 * and on an emulated machine a process takes a tenth of a second.
 */
static int link_set_up(const char *link, int host)
{
	return sh("ip -batch - <<END\n"
		  "address add 10.9.0.%d/16 dev %s\n"
		  "address add fd09::%d/64 dev %s nodad\n"
		  "link set %s up\n"
		  "END", host, link, host, link, link);
}

/**
 * nets_make() - make both namespaces and enter the server's
 * @nets: filled
 *
 * Return: 0, or not 0 if a command failed.
 */
int nets_make(struct nets *nets)
{
	if (net_enter_settled())
		return -1;
	nets->client = net_open();
	if (net_enter_settled())
		return -1;
	nets->server = net_open();
	if (sh("ip link add fska type veth peer name fskb netns /proc/%d/fd/%d",
	       getpid(), nets->client) ||
	    link_set_up("fska", 1) ||
	    IN_NET(nets->server, nets->client, link_set_up("fskb", 2)))
		return -1;
	return until(is_running("fska") &&
		     IN_NET(nets->server, nets->client, is_running("fskb"))) ?
		       0 : -1;
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
socklen_t nets_addr(const struct trial *p, struct sockaddr_storage *ss,
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
