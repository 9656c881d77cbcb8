// SPDX-License-Identifier: MIT
/* Reads the TCP connections of this namespace from the kernel's sock_diag. */
#include "diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "array.h"
#include "error.h"

static const uint8_t fsk_diag_mapped[12] = {
	[10] = 0xff, [11] = 0xff,
};

static void fsk_diag_fill(struct fsk_flow *flow, const struct inet_diag_msg *d)
{
	const uint8_t *local = (const uint8_t *)d->id.idiag_src;
	const uint8_t *remote = (const uint8_t *)d->id.idiag_dst;
	size_t size = d->idiag_family == AF_INET ? 4 : 16;

	flow->family = d->idiag_family;
	/* An IPv6 socket may have a connection over IPv4. */
	if (size == 16 && !memcmp(remote, fsk_diag_mapped, 12)) {
		flow->family = AF_INET;
		local += 12;
		remote += 12;
		size = 4;
	}
	memcpy(flow->local, local, size);
	memcpy(flow->remote, remote, size);
	flow->lport = ntohs(d->id.idiag_sport);
	flow->rport = ntohs(d->id.idiag_dport);
	flow->state = d->idiag_state;
	flow->uid = d->idiag_uid;
	flow->inode = d->idiag_inode;
	flow->ifindex = d->id.idiag_if;
}

/* What is received and not read, sent and not acknowledged, and the rest. */
static uint32_t fsk_diag_memory(const struct nlmsghdr *msg)
{
	const struct nlattr *attr;
	const uint32_t *of;

	mnl_attr_for_each(attr, msg, sizeof(struct inet_diag_msg)) {
		if (mnl_attr_get_type(attr) != INET_DIAG_SKMEMINFO ||
		    mnl_attr_get_payload_len(attr) <=
		    SK_MEMINFO_OPTMEM * sizeof(*of))
			continue;
		of = mnl_attr_get_payload(attr);
		return of[SK_MEMINFO_RMEM_ALLOC] + of[SK_MEMINFO_WMEM_QUEUED] +
		       of[SK_MEMINFO_FWD_ALLOC] + of[SK_MEMINFO_OPTMEM];
	}
	return 0;
}

static int fsk_diag_take(const struct nlmsghdr *msg, void *data)
{
	struct fsk_flows *flows = data;
	struct fsk_flow *more;

	if (mnl_nlmsg_get_payload_len(msg) < sizeof(struct inet_diag_msg))
		return MNL_CB_OK;
	more = fsk_array_grow(flows->flows, flows->count, sizeof(*more));
	if (!more)
		return MNL_CB_ERROR;
	flows->flows = more;
	more += flows->count++;
	fsk_diag_fill(more, mnl_nlmsg_get_payload(msg));
	more->memory = fsk_diag_memory(msg);
	return MNL_CB_OK;
}

static int fsk_diag_family(struct mnl_socket *sock, int family,
			   uint32_t states, struct fsk_flows *flows)
{
	struct inet_diag_req_v2 *request;
	unsigned int seq = time(NULL);
	char buffer[32768];
	struct nlmsghdr *msg;
	ssize_t len;
	int more;

	msg = mnl_nlmsg_put_header(buffer);
	msg->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	msg->nlmsg_seq = seq;
	request = mnl_nlmsg_put_extra_header(msg, sizeof(*request));
	request->sdiag_family = family;
	request->sdiag_protocol = IPPROTO_TCP;
	request->idiag_states = states;
	request->idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1);
	if (mnl_socket_sendto(sock, msg, msg->nlmsg_len) < 0)
		return -1;
	do {
		len = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
		if (len < 0)
			return -1;
		more = mnl_cb_run(buffer, len, seq,
				  mnl_socket_get_portid(sock), fsk_diag_take,
				  flows);
	} while (more > 0);
	return more;
}

/**
 * fsk_diag_order() - compare two connections, for sorting
 * @a: one
 * @b: the other
 *
 * Return: as memcmp(), by the remote end, then by the local end.
 */
int fsk_diag_order(const struct fsk_flow *a, const struct fsk_flow *b)
{
	int order = (int)a->family - b->family;

	if (!order)
		order = memcmp(a->remote, b->remote, sizeof(a->remote));
	if (!order)
		order = (int)a->rport - b->rport;
	if (!order)
		order = memcmp(a->local, b->local, sizeof(a->local));
	return order ? order : (int)a->lport - b->lport;
}

static int fsk_diag_compare(const void *a, const void *b)
{
	return fsk_diag_order(a, b);
}

/**
 * fsk_diag_read() - read all connections
 * @flows: filled in; the caller gives them to fsk_diag_free()
 * @states: bits 1 << TCP_*
 *
 * Return: exit status.
 */
int fsk_diag_read(struct fsk_flows *flows, uint32_t states)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct mnl_socket *sock;
	int err = 0;

	memset(flows, 0, sizeof(*flows));
	sock = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID))
		err = errno;
	/* A kernel without IPv6 refuses, and has no such connections. */
	for (int i = 0; i < 2 && !err; i++)
		if (fsk_diag_family(sock, families[i], states, flows) < 0 &&
		    (families[i] == AF_INET || errno != ENOENT))
			err = errno;
	if (sock)
		mnl_socket_close(sock);
	if (err) {
		fsk_error("no list of connections: %s", strerror(err));
		fsk_diag_free(flows);
		return FSK_EXIT_REFUSED;
	}
	if (flows->count)
		qsort(flows->flows, flows->count, sizeof(*flows->flows),
		      fsk_diag_compare);
	return 0;
}

/**
 * fsk_diag_free() - free the connections
 * @flows: from fsk_diag_read()
 */
void fsk_diag_free(struct fsk_flows *flows)
{
	free(flows->flows);
	memset(flows, 0, sizeof(*flows));
}
