// SPDX-License-Identifier: GPL-2.0
/*
 * One of the module's settings in the caller's network namespace, by netlink.
 */
#define _GNU_SOURCE
#include "setting.h"

#include <err.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/fastsocket.h>

/* One request with one attribute.  Returns the answer's length. */
static int ask(int fd, int family, int cmd, int attr, const void *value,
	       int len, void *answer, int size)
{
	struct {
		struct nlmsghdr nlh;
		struct genlmsghdr genl;
		struct nlattr attr;
		char value[32];
	} rq = {
		.nlh = {
			.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN) +
				     NLMSG_ALIGN(NLA_HDRLEN + len),
			.nlmsg_type = family,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.genl = { .cmd = cmd, .version = 1 },
		.attr = { .nla_len = NLA_HDRLEN + len, .nla_type = attr },
	};

	memcpy(rq.value, value, len);
	if (send(fd, &rq, rq.nlh.nlmsg_len, 0) < 0)
		err(1, "netlink");
	return recv(fd, answer, size, 0);
}

static uint16_t family_id(int fd)
{
	static char buf[8192] __attribute__((aligned(8)));
	struct nlattr *a = (void *)(buf + NLMSG_LENGTH(GENL_HDRLEN));
	int left;

	left = ask(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
		   FSK_GENL_NAME, sizeof(FSK_GENL_NAME), buf, sizeof(buf));
	for (left -= NLMSG_LENGTH(GENL_HDRLEN); left > 0;
	     left -= NLA_ALIGN(a->nla_len),
	     a = (void *)((char *)a + NLA_ALIGN(a->nla_len)))
		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(uint16_t *)((char *)a + NLA_HDRLEN);
	errx(1, "the module is not loaded");
}

/**
 * setting() - change a setting, or end the program
 * @attr: FSK_A_CONFIG_*
 * @value: the new one
 * @len: its size
 */
void setting(int attr, const void *value, int len)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr e;
		char more[256];
	} answer;
	int fd, family;

	/* The second answer to the first request stays behind in its socket. */
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0)
		err(1, "netlink");
	family = family_id(fd);
	close(fd);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (ask(fd, family, FSK_CMD_CONFIG_SET, attr, value, len, &answer,
		sizeof(answer)) < 0 || answer.e.error)
		errx(1, "attribute %d: error %d", attr, answer.e.error);
	close(fd);
}
