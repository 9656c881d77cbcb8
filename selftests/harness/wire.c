// SPDX-License-Identifier: GPL-2.0
/*
 * The SYN-ACKs of a listener, as packet sockets on the loopback interface see
 * them leave.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf.h"

#define RCVMARK		75	/* SO_RCVMARK, which older headers lack */
#define SNAP		40	/* bytes kept of a packet of priority 0 */

static int hear(void)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			htons(ETH_P_ALL));

	return fd < 0 ? -errno : fd;
}

/* A packet socket does not tell the priority.  But a filter sees it, and tells
 * it by the number of bytes that it keeps.
 */
static int keep_by_priority(int fd)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 0, .src_reg = 1,
		  .off = offsetof(struct __sk_buff, priority) },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .imm = SNAP },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int prog = bpf_load(BPF_PROG_TYPE_SOCKET_FILTER, 0, code, 3);
	int err = 0;

	if (prog < 0)
		return prog;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)))
		err = -errno;
	close(prog);
	return err;
}

/**
 * wire_open() - hear the packets of this network namespace's interfaces
 * @w: to be filled
 *
 * Return: 0 or a negative errno.
 */
int wire_open(struct wire *w)
{
	int on = 1;

	w->packets = hear();
	w->priorities = hear();
	if (w->packets < 0 || w->priorities < 0)
		return -EPERM;
	if (setsockopt(w->packets, SOL_SOCKET, RCVMARK, &on, sizeof(on)))
		return -errno;
	return keep_by_priority(w->priorities);
}

/* Forgets all packets heard so far. */
void wire_drain(struct wire *w)
{
	char byte;

	while (recv(w->packets, &byte, 1, 0) >= 0)
		;
	while (recv(w->priorities, &byte, 1, 0) >= 0)
		;
}

static uint32_t mark_of(struct msghdr *msg)
{
	struct cmsghdr *c;
	uint32_t mark = 0;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_MARK)
			memcpy(&mark, CMSG_DATA(c), sizeof(mark));
	return mark;
}

/* Priorities of all packets heard.  The two sockets may have heard packets of
 * two cores in different order, so the beginning of a packet finds its
 * priority.
 */
struct priorities {
	uint8_t begin[64][SNAP];
	uint32_t value[64];
	int n;
};

static void read_priorities(struct wire *w, struct priorities *p)
{
	uint8_t data[256];
	int kept;

	p->n = 0;
	while (p->n < 64 &&
	       (kept = recv(w->priorities, data, sizeof(data), 0)) >= 0) {
		if (kept < SNAP)
			continue;
		memcpy(p->begin[p->n], data, SNAP);
		p->value[p->n++] = kept - SNAP;
	}
}

static uint32_t priority_of(const struct priorities *p, const uint8_t *packet)
{
	int i;

	for (i = 0; i < p->n; i++)
		if (!memcmp(p->begin[i], packet, SNAP))
			return p->value[i];
	return -1;
}

/* The next packet that is sent: its length, or -1 for none. */
static int next_packet(struct wire *w, uint8_t *data, size_t size,
		       uint32_t *mark)
{
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct sockaddr_ll from;
	struct msghdr msg;
	char control[128];
	int len;

	do {
		msg = (struct msghdr) {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_name = &from, .msg_namelen = sizeof(from),
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		len = recvmsg(w->packets, &msg, 0);
	} while (len >= 0 && (len < SNAP ||
			      from.sll_pkttype != PACKET_OUTGOING));
	*mark = mark_of(&msg);
	return len;
}

/* Return: what follows the IPv6 headers that a listener can be told to add;
 * NULL if that is not TCP.
 */
static const struct tcphdr *tcp_of(const uint8_t *packet)
{
	const struct iphdr *v4 = (const void *)packet;
	const struct ip6_hdr *v6 = (const void *)packet;
	int next = v6->ip6_nxt, at = sizeof(*v6);

	if (v4->version == 4) {
		next = v4->protocol;
		at = v4->ihl * 4;
	} else if (next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS) {
		next = packet[at];
		at += 8 + packet[at + 1] * 8;
	}
	return next == IPPROTO_TCP && at < 128 ? (void *)(packet + at) : NULL;
}

static void copy_options(uint8_t *to, const struct tcphdr *th)
{
	const uint8_t *from = (const uint8_t *)(th + 1);
	int len = th->doff * 4 - sizeof(*th), i;

	memcpy(to, from, len);
	for (i = 0; i < len && to[i]; i += to[i] == 1 || !to[i + 1] ? 1 :
						       to[i + 1])
		if (to[i] == TCPOPT_TIMESTAMP)
			memset(&to[i + 2], 0, 8);
}

/**
 * wire_synack() - the SYN-ACKs that a listener has sent since wire_drain()
 * @w: from wire_open()
 * @port: the listener's
 * @s: to be filled; the last one's, should there be several
 *
 * Return: 0, or -ENOENT if there was none.
 */
int wire_synack(struct wire *w, int port, struct synack *s)
{
	uint32_t mark, label = 0, syn_label = 0;
	struct priorities priorities;
	union {
		struct iphdr v4;
		struct ip6_hdr v6;
		uint8_t bytes[256];
	} ip;
	const struct tcphdr *th;
	bool v4;

	memset(s, 0, sizeof(*s));
	read_priorities(w, &priorities);
	while (next_packet(w, ip.bytes, sizeof(ip), &mark) >= 0) {
		v4 = ip.v4.version == 4;
		th = tcp_of(ip.bytes);
		if (!th)
			continue;
		if (!v4)
			label = ntohl(ip.v6.ip6_flow) & 0xfffff;
		if (th->syn && !th->ack && th->dest == htons(port))
			syn_label = label;
		if (!th->syn || !th->ack || th->source != htons(port))
			continue;
		s->count++;
		s->tos = v4 ? ip.v4.tos : ntohl(ip.v6.ip6_flow) >> 20;
		s->ttl = v4 ? ip.v4.ttl : ip.v6.ip6_hlim;
		s->extra = (uint8_t *)th - ip.bytes;
		s->df = v4 && ip.v4.frag_off & htons(IP_DF);
		s->label = !label ? 0 : label == syn_label ? 2 : 1;
		s->window = ntohs(th->window);
		copy_options(s->options, th);
		s->mark = mark;
		s->priority = priority_of(&priorities, ip.bytes);
	}
	return s->count ? 0 : -ENOENT;
}
