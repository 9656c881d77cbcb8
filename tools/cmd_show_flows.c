// SPDX-License-Identifier: MIT
/*
 * fastsocket show flows: connections from a port that the kernel may have
 * chosen, and the core for which the port stands.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "base/diag.h"
#include "base/error.h"
#include "base/nic.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/procs.h"
#include "base/rfd.h"
#include "base/show.h"
#include "fastsocket.h"

/**
 * struct fsk_path - finds the interface that leads to an address
 * @sock: netlink socket to ask by
 * @known: @flow and @ifindex hold the last answer
 * @flow: the last connection asked for
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

/* Connections come in the order of their addresses, so that the last answer
 * often holds for the next.
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

static void fsk_flow_text(struct fsk_table *table,
			  const struct fsk_flow *flow, uint32_t ifindex,
			  uint32_t core, const struct fsk_proc *proc)
{
	char name[IF_NAMESIZE];

	fsk_table_put_addr(table, flow->family, flow->local, flow->lport);
	fsk_table_put_addr(table, flow->family, flow->remote, flow->rport);
	fsk_table_put(table, "%s", ifindex ? fsk_nic_name(ifindex, name) : "-");
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
	char name[IF_NAMESIZE];

	fsk_json_open(NULL, '{');
	fsk_json_str("family", flow->family == AF_INET6 ? "ipv6" : "ipv4");
	fsk_json_addr("local", flow->family, flow->local);
	fsk_json_uint("local-port", flow->lport);
	fsk_json_addr("remote", flow->family, flow->remote);
	fsk_json_uint("remote-port", flow->rport);
	if (ifindex)
		fsk_json_str("interface", fsk_nic_name(ifindex, name));
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

/**
 * struct fsk_flow_list - the connections and what else is printed of them
 * @rfd: modes of interfaces
 * @flows: connections
 * @procs: processes that hold sockets
 * @path: finds the interface of a connection
 */
struct fsk_flow_list {
	struct fsk_rfd_table rfd;
	struct fsk_flows flows;
	struct fsk_procs procs;
	struct fsk_path path;
};

static int fsk_flow_read(struct fsk_nl *nl, void *data)
{
	struct fsk_flow_list *list = data;
	int status;

	status = fsk_rfd_read(nl, &list->rfd);
	if (!status)
		status = fsk_diag_read(&list->flows, 1 << TCP_ESTABLISHED);
	if (status)
		return status;
	list->path.sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!list->path.sock ||
	    mnl_socket_bind(list->path.sock, 0, MNL_SOCKET_AUTOPID)) {
		fsk_error("no netlink socket: %s", strerror(errno));
		return FSK_EXIT_REFUSED;
	}
	fsk_procs_read(&list->procs);
	return 0;
}

/* Prints into the table, or without one as JSON. */
static void fsk_flow_print(struct fsk_flow_list *list, struct fsk_table *table)
{
	const struct fsk_flow *flow;
	const struct fsk_proc *proc;
	unsigned int low, high;
	uint32_t ifindex, core;

	fsk_nic_port_range(&low, &high);
	for (size_t i = 0; i < list->flows.count; i++) {
		flow = &list->flows.flows[i];
		if (flow->lport < low || flow->lport > high)
			continue;
		ifindex = fsk_path_find(&list->path, flow);
		core = fsk_rfd_core(&list->rfd, ifindex, flow);
		proc = fsk_procs_find(&list->procs, flow->inode);
		if (table)
			fsk_flow_text(table, flow, ifindex, core, proc);
		else
			fsk_flow_json(flow, ifindex, core, proc);
	}
}

static void fsk_flows_text(void *data)
{
	struct fsk_table *table = fsk_flow_heads();

	fsk_flow_print(data, table);
	fsk_table_print(table, "lllrrl");
}

static void fsk_flows_json(void *data)
{
	fsk_json_open(NULL, '[');
	fsk_flow_print(data, NULL);
	fsk_json_close(']');
}

static void fsk_flows_reset(void *data)
{
	struct fsk_flow_list *list = data;

	if (list->path.sock)
		mnl_socket_close(list->path.sock);
	fsk_procs_free(&list->procs);
	fsk_diag_free(&list->flows);
	fsk_rfd_free(&list->rfd);
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
	static const struct fsk_show show = {
		.read = fsk_flow_read,
		.text = fsk_flows_text,
		.json = fsk_flows_json,
		.reset = fsk_flows_reset,
	};
	struct fsk_flow_list list = { 0 };

	argc = fsk_words(argc, argv, 0, 0, FSK_OPTIONS());
	return argc < 0 ? -1 - argc : fsk_show(&show, &list);
}
