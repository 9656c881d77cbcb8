// SPDX-License-Identifier: MIT
/*
 * fastsocket show flows: connections from a port that the kernel may have
 * chosen, and the core that the port stands for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "base/diag.h"
#include "base/nic.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/procs.h"
#include "base/rfd.h"
#include "fastsocket.h"

/**
 * struct fsk_path - by which interface a remote address is reached
 * @sock: asks
 * @known: @flow and @ifindex hold the last answer
 * @flow: whose address was asked for
 * @ifindex: the answer, 0 for none
 */
struct fsk_path {
	struct mnl_socket *sock;
	bool known;
	struct fsk_flow flow;
	uint32_t ifindex;
};

static int fsk_path_take(const struct nlmsghdr *msg, void *data)
{
	const struct nlattr *attr;

	if (msg->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, msg, sizeof(struct rtmsg))
		if (mnl_attr_get_type(attr) == RTA_OIF)
			*(uint32_t *)data = fsk_nl_uint(attr);
	return MNL_CB_STOP;
}

static uint32_t fsk_path_ask(struct fsk_path *path,
			     const struct fsk_flow *flow)
{
	size_t size = flow->family == AF_INET ? 4 : 16;
	char buffer[8192];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buffer);
	unsigned int seq = time(NULL);
	uint32_t ifindex = 0;
	struct rtmsg *route;
	ssize_t len;

	msg->nlmsg_type = RTM_GETROUTE;
	msg->nlmsg_flags = NLM_F_REQUEST;
	msg->nlmsg_seq = seq;
	route = mnl_nlmsg_put_extra_header(msg, sizeof(*route));
	route->rtm_family = flow->family;
	route->rtm_dst_len = 8 * size;
	route->rtm_src_len = 8 * size;
	mnl_attr_put(msg, RTA_DST, size, flow->remote);
	mnl_attr_put(msg, RTA_SRC, size, flow->local);
	if (mnl_socket_sendto(path->sock, msg, msg->nlmsg_len) < 0)
		return 0;
	len = mnl_socket_recvfrom(path->sock, buffer, sizeof(buffer));
	if (len > 0)
		mnl_cb_run(buffer, len, seq,
			   mnl_socket_get_portid(path->sock), fsk_path_take,
			   &ifindex);
	return ifindex;
}

/* Connections come in the order of their addresses: the last answer often
 * holds.
 */
static uint32_t fsk_path_find(struct fsk_path *path,
			      const struct fsk_flow *flow)
{
	if (flow->ifindex)
		return flow->ifindex;
	if (path->known && flow->family == path->flow.family &&
	    !memcmp(flow->remote, path->flow.remote, sizeof(flow->remote)) &&
	    !memcmp(flow->local, path->flow.local, sizeof(flow->local)))
		return path->ifindex;
	path->known = true;
	path->flow = *flow;
	path->ifindex = fsk_path_ask(path, flow);
	return path->ifindex;
}

static const char *fsk_flow_device(uint32_t ifindex, char *name)
{
	if (!ifindex)
		return "-";
	if (!if_indextoname(ifindex, name))
		snprintf(name, IF_NAMESIZE, "if%u", ifindex);
	return name;
}

static void fsk_flow_put_end(struct fsk_table *table, int family,
			     const uint8_t *addr, unsigned int port)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, addr, text, sizeof(text));
	fsk_table_put(table, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text,
		      port);
}

static void fsk_flow_text(struct fsk_table *table,
			  const struct fsk_flow *flow, uint32_t ifindex,
			  uint32_t core, const struct fsk_proc *proc)
{
	char name[IF_NAMESIZE];

	fsk_flow_put_end(table, flow->family, flow->local, flow->lport);
	fsk_flow_put_end(table, flow->family, flow->remote, flow->rport);
	fsk_table_put(table, "%s", fsk_flow_device(ifindex, name));
	fsk_table_put(table, core == FSK_RFD_NO_CORE ? "-" : "%u", core);
	fsk_table_put(table, "%u", flow->uid);
	if (proc)
		fsk_table_put(table, "%s/%d", proc->name, proc->pid);
	else
		fsk_table_put(table, "-");
}

static void fsk_flow_json(const struct fsk_flow *flow, uint32_t ifindex,
			  uint32_t core, const struct fsk_proc *proc)
{
	char text[INET6_ADDRSTRLEN] = "?", name[IF_NAMESIZE];

	fsk_json_open(NULL, '{');
	fsk_json_str("family", flow->family == AF_INET6 ? "ipv6" : "ipv4");
	inet_ntop(flow->family, flow->local, text, sizeof(text));
	fsk_json_str("local", text);
	fsk_json_uint("local-port", flow->lport);
	inet_ntop(flow->family, flow->remote, text, sizeof(text));
	fsk_json_str("remote", text);
	fsk_json_uint("remote-port", flow->rport);
	if (ifindex)
		fsk_json_str("interface", fsk_flow_device(ifindex, name));
	if (core != FSK_RFD_NO_CORE)
		fsk_json_uint("cpu", core);
	fsk_json_uint("uid", flow->uid);
	fsk_json_uint("inode", flow->inode);
	if (proc) {
		fsk_json_str("process", proc->name);
		fsk_json_uint("pid", proc->pid);
	}
	fsk_json_close('}');
}

static struct fsk_table *fsk_flow_heads(void)
{
	struct fsk_table *table = fsk_table_create(6);

	fsk_table_put(table, "LOCAL");
	fsk_table_put(table, "REMOTE");
	fsk_table_put(table, "INTERFACE");
	fsk_table_put(table, "CPU");
	fsk_table_put(table, "UID");
	fsk_table_put(table, "PROCESS");
	return table;
}

static void fsk_flow_print(const struct fsk_flows *flows,
			   const struct fsk_rfd_table *rfd,
			   const struct fsk_procs *procs, struct fsk_path *path)
{
	struct fsk_table *table = fsk_json ? NULL : fsk_flow_heads();
	const struct fsk_flow *flow;
	const struct fsk_proc *proc;
	unsigned int low, high;
	uint32_t ifindex, core;

	fsk_nic_port_range(&low, &high);
	if (fsk_json)
		fsk_json_open(NULL, '[');
	for (size_t i = 0; i < flows->count; i++) {
		flow = &flows->flows[i];
		if (flow->lport < low || flow->lport > high)
			continue;
		ifindex = fsk_path_find(path, flow);
		core = fsk_rfd_core(rfd, ifindex, flow);
		proc = fsk_procs_find(procs, flow->inode);
		if (fsk_json)
			fsk_flow_json(flow, ifindex, core, proc);
		else
			fsk_flow_text(table, flow, ifindex, core, proc);
	}
	if (fsk_json)
		fsk_json_close(']');
	else
		fsk_table_print(table, "lllrrl");
}

static int fsk_flow_show(const struct fsk_flows *flows,
			 const struct fsk_rfd_table *rfd)
{
	struct fsk_path path = { .sock = mnl_socket_open2(NETLINK_ROUTE,
							  SOCK_CLOEXEC) };
	struct fsk_procs procs;
	int status = 0;

	if (path.sock && !mnl_socket_bind(path.sock, 0, MNL_SOCKET_AUTOPID)) {
		fsk_procs_read(&procs);
		fsk_flow_print(flows, rfd, &procs, &path);
		fsk_procs_free(&procs);
	} else {
		fsk_error("no netlink socket: %s", strerror(errno));
		status = FSK_EXIT_REFUSED;
	}
	if (path.sock)
		mnl_socket_close(path.sock);
	return status;
}

/**
 * fsk_cmd_show_flows() - fastsocket show flows
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_show_flows(int argc, char **argv)
{
	struct fsk_rfd_table rfd;
	struct fsk_flows flows;
	struct fsk_nl *nl;
	int status;

	argc = fsk_words(argc, argv, 0, 0);
	if (argc < 0)
		return -1 - argc;
	nl = fsk_nl_open();
	if (!nl)
		return FSK_EXIT_REFUSED;
	status = fsk_rfd_read(nl, &rfd);
	fsk_nl_close(nl);
	if (!status)
		status = fsk_diag_read(&flows, 1 << TCP_ESTABLISHED);
	if (!status) {
		status = fsk_flow_show(&flows, &rfd);
		fsk_diag_free(&flows);
	}
	fsk_rfd_free(&rfd);
	return status;
}
