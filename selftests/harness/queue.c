// SPDX-License-Identifier: GPL-2.0
/*
 * A task that gives the verdicts on packets that NFQUEUE holds.
 */
#include "queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

static struct nlmsghdr *queue_header(char *buf, int type, int queue)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(queue);
	return nlh;
}

static int queue_bind(struct mnl_socket *nl, int queue)
{
	struct nfqnl_msg_config_cmd cmd = { .command = NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params params = {
		.copy_mode = NFQNL_COPY_META,
	};
	struct nlmsghdr *nlh;
	char buf[1024];

	nlh = queue_header(buf, NFQNL_MSG_CONFIG, queue);
	nlh->nlmsg_flags |= NLM_F_ACK;
	mnl_attr_put(nlh, NFQA_CFG_CMD, sizeof(cmd), &cmd);
	mnl_attr_put(nlh, NFQA_CFG_PARAMS, sizeof(params), &params);
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0 ||
	    mnl_socket_recvfrom(nl, buf, sizeof(buf)) < 0)
		return -errno;
	return ((struct nlmsgerr *)mnl_nlmsg_get_payload((void *)buf))->error;
}

static int queue_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct nfqnl_msg_verdict_hdr verdict = {
		.verdict = htonl(ntohs(nfg->res_id) ? NF_ACCEPT : NF_DROP),
	};
	const struct nlattr *attr;
	struct nlmsghdr *answer;
	char buf[256];

	mnl_attr_for_each(attr, nlh, sizeof(*nfg))
		if (mnl_attr_get_type(attr) == NFQA_PACKET_HDR)
			memcpy(&verdict.id, mnl_attr_get_payload(attr),
			       sizeof(verdict.id));
	answer = queue_header(buf, NFQNL_MSG_VERDICT, ntohs(nfg->res_id));
	mnl_attr_put(answer, NFQA_VERDICT_HDR, sizeof(verdict), &verdict);
	mnl_socket_sendto(data, answer, answer->nlmsg_len);
	return MNL_CB_OK;
}

static void queue_run(struct mnl_socket *nl)
{
	char buf[65536];
	int n;

	for (;;) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (n > 0)
			mnl_cb_run(buf, n, 0, 0, queue_cb, nl);
	}
}

/**
 * queue_start() - give verdicts on packets of this network namespace
 * @cpu: where, and so where the packets go on
 *
 * Queue 0 is for packets to be dropped, queue 1 for those to be let pass.
 *
 * Return: the task, for end(), or a negative errno.
 */
pid_t queue_start(int cpu)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_NETFILTER);
	pid_t pid;
	int i, err;

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	for (i = 0; i < 2; i++) {
		err = queue_bind(nl, i);
		if (err)
			return err < 0 ? err : -err;
	}
	pid = fork_child();
	if (!pid) {
		pin(cpu);
		queue_run(nl);
	}
	mnl_socket_close(nl);
	return pid;
}
