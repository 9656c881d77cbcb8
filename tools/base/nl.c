// SPDX-License-Identifier: MIT
/*
 * Makes requests to the module over generic netlink.
 *
 * This file prints all errors, in the kernel's own words where it has some.
 * Callers only pass the exit status on.
 */
#include "nl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/fastsocket.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "boot.h"
#include "error.h"

#define FSK_NL_BUFFER	65536	/* bytes; parts of a dump have up to 32 KiB */
#define FSK_NL_TRIES	20	/* at a dump that the table's changes spoil */

/**
 * struct fsk_nl - a netlink socket
 * @sock: libmnl's
 * @family: number of the module's family
 * @seq: of the last request
 * @buffer: requests and replies
 */
struct fsk_nl {
	struct mnl_socket *sock;
	uint16_t family;
	unsigned int seq;
	char buffer[FSK_NL_BUFFER];
};

/**
 * struct fsk_nl_reply - what came in reply to a request so far
 * @take: called for each message
 * @data: for @take
 * @max: highest attribute of interest
 * @interrupted: the kernel says that the dump may be inconsistent
 * @done: the reply is complete
 * @status: exit status
 * @err: errno of the kernel, positive, 0 for none
 * @words: the kernel's message for it, or empty
 */
struct fsk_nl_reply {
	fsk_nl_take *take;
	void *data;
	int max;
	bool interrupted;
	bool done;
	int status;
	int err;
	char words[256];
};

static void fsk_nl_fill(const struct nlattr *attr, int max,
			const struct nlattr **attrs)
{
	int type = mnl_attr_get_type(attr);

	/* A newer module may send attributes that this tool does not know. */
	if (type <= max)
		attrs[type] = attr;
}

/**
 * fsk_nl_nested() - the attributes in another one
 * @nest: the outer attribute
 * @max: highest inner attribute of interest
 * @attrs: max + 1 pointers, %NULL for what is absent
 */
void fsk_nl_nested(const struct nlattr *nest, int max,
		   const struct nlattr **attrs)
{
	const struct nlattr *attr;

	memset(attrs, 0, (max + 1) * sizeof(*attrs));
	mnl_attr_for_each_nested(attr, nest)
		fsk_nl_fill(attr, max, attrs);
}

uint64_t fsk_nl_uint(const struct nlattr *attr)
{
	if (!attr)
		return 0;
	switch (mnl_attr_get_payload_len(attr)) {
	case sizeof(uint8_t):
		return mnl_attr_get_u8(attr);
	case sizeof(uint16_t):
		return mnl_attr_get_u16(attr);
	case sizeof(uint32_t):
		return mnl_attr_get_u32(attr);
	case sizeof(uint64_t):
		return mnl_attr_get_u64(attr);
	}
	return 0;
}

const char *fsk_nl_str(const struct nlattr *attr)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return "";
	return mnl_attr_get_str(attr);
}

/* Keep the message of an extended ACK. It comes after the header, or after the
 * request if the kernel repeats that.
 */
static void fsk_nl_words(const struct nlmsghdr *msg, size_t offset,
			 struct fsk_nl_reply *reply)
{
	const struct nlattr *attr;

	if (!(msg->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    mnl_nlmsg_get_payload_len(msg) < offset)
		return;
	mnl_attr_for_each(attr, msg, offset)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(reply->words, sizeof(reply->words), "%s",
				 fsk_nl_str(attr));
}

static void fsk_nl_take_error(const struct nlmsghdr *msg,
			      struct fsk_nl_reply *reply)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(msg);
	size_t offset = sizeof(*error);

	if (!(msg->nlmsg_flags & NLM_F_CAPPED))
		offset += error->msg.nlmsg_len - sizeof(error->msg);
	reply->done = true;
	reply->err = -error->error;
	fsk_nl_words(msg, MNL_ALIGN(offset), reply);
}

static void fsk_nl_take_done(const struct nlmsghdr *msg,
			     struct fsk_nl_reply *reply)
{
	const int *error = mnl_nlmsg_get_payload(msg);

	reply->done = true;
	if (mnl_nlmsg_get_payload_len(msg) < sizeof(*error) || *error >= 0)
		return;
	reply->err = -*error;
	fsk_nl_words(msg, sizeof(*error), reply);
}

static void fsk_nl_take_message(const struct nlmsghdr *msg,
				struct fsk_nl_reply *reply)
{
	const struct nlattr *attrs[reply->max + 1];
	const struct nlattr *attr;

	memset(attrs, 0, sizeof(attrs));
	if (reply->status || !reply->take)
		return;
	mnl_attr_for_each(attr, msg, sizeof(struct genlmsghdr))
		fsk_nl_fill(attr, reply->max, attrs);
	reply->status = reply->take(msg, attrs, reply->data);
}

static void fsk_nl_take_buffer(struct fsk_nl *nl, int len,
			       struct fsk_nl_reply *reply)
{
	const struct nlmsghdr *msg = (const struct nlmsghdr *)nl->buffer;

	for (; mnl_nlmsg_ok(msg, len); msg = mnl_nlmsg_next(msg, &len)) {
		if (msg->nlmsg_seq != nl->seq)
			continue;
		if (msg->nlmsg_flags & NLM_F_DUMP_INTR)
			reply->interrupted = true;
		if (msg->nlmsg_type == NLMSG_ERROR)
			fsk_nl_take_error(msg, reply);
		else if (msg->nlmsg_type == NLMSG_DONE)
			fsk_nl_take_done(msg, reply);
		else if (msg->nlmsg_type >= NLMSG_MIN_TYPE)
			fsk_nl_take_message(msg, reply);
	}
}

/* Send a request, and take all replies. Returns errno, positive, or 0. */
static int fsk_nl_exchange(struct fsk_nl *nl, struct nlmsghdr *msg,
			   struct fsk_nl_reply *reply)
{
	ssize_t len;

	msg->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, msg, msg->nlmsg_len) < 0)
		return errno;
	while (!reply->done) {
		len = mnl_socket_recvfrom(nl->sock, nl->buffer,
					  sizeof(nl->buffer));
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno;
		fsk_nl_take_buffer(nl, len, reply);
	}
	return reply->err;
}

static int fsk_nl_explain(int err, const struct fsk_nl_reply *reply)
{
	if (!err)
		return reply->status;
	if (*reply->words)
		fsk_error("the kernel refuses: %s", reply->words);
	else if (err == EPERM)
		fsk_error("not permitted: this needs CAP_NET_ADMIN");
	else if (err == EOPNOTSUPP)
		fsk_error("the loaded module does not know this command");
	else
		fsk_error("the kernel refuses: %s", strerror(err));
	return FSK_EXIT_REFUSED;
}

/**
 * fsk_nl_message() - begin a request
 * @nl: the socket; the message is in its buffer
 * @cmd: FSK_CMD_*
 *
 * Return: the message. The caller may put attributes to it.
 */
struct nlmsghdr *fsk_nl_message(struct fsk_nl *nl, uint8_t cmd)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(nl->buffer);
	struct genlmsghdr *genl;

	msg->nlmsg_type = nl->family;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	genl = mnl_nlmsg_put_extra_header(msg, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = FSK_GENL_VERSION;
	return msg;
}

/**
 * fsk_nl_do() - make a request
 * @nl: the socket
 * @msg: from fsk_nl_message()
 * @max: highest attribute of interest in the reply
 * @take: takes the reply, or %NULL
 * @data: for @take
 *
 * Return: exit status.
 */
int fsk_nl_do(struct fsk_nl *nl, struct nlmsghdr *msg, int max,
	      fsk_nl_take *take, void *data)
{
	struct fsk_nl_reply reply = {
		.take = take,
		.data = data,
		.max = max,
	};

	return fsk_nl_explain(fsk_nl_exchange(nl, msg, &reply), &reply);
}

/**
 * fsk_nl_change() - make a request that may find nothing left to do
 * @nl: the socket
 * @msg: from fsk_nl_message()
 * @fine: errnos, positive, that mean so; then a 0
 *
 * Return: exit status.
 */
int fsk_nl_change(struct fsk_nl *nl, struct nlmsghdr *msg, const int *fine)
{
	struct fsk_nl_reply reply = { 0 };
	int err = fsk_nl_exchange(nl, msg, &reply);

	while (*fine && *fine != err)
		fine++;
	return *fine ? 0 : fsk_nl_explain(err, &reply);
}

/**
 * fsk_nl_dump() - read a whole table
 * @nl: the socket
 * @cmd: FSK_CMD_*
 * @max: highest attribute of interest
 * @take: takes each row
 * @data: for @take
 *
 * Return: exit status.
 */
int fsk_nl_dump(struct fsk_nl *nl, uint8_t cmd, int max, fsk_nl_take *take,
		void *data)
{
	struct fsk_nl_reply reply;
	struct nlmsghdr *msg;
	int err, tries;

	for (tries = 0; tries < FSK_NL_TRIES; tries++) {
		reply = (struct fsk_nl_reply) {
			.take = take,
			.data = data,
			.max = max,
		};
		take(NULL, NULL, data);
		msg = fsk_nl_message(nl, cmd);
		msg->nlmsg_flags |= NLM_F_DUMP;
		err = fsk_nl_exchange(nl, msg, &reply);
		if (err || !reply.interrupted)
			return fsk_nl_explain(err, &reply);
	}
	fsk_error("the table changes too fast to be read");
	return FSK_EXIT_REFUSED;
}

/**
 * struct fsk_nl_family - a netlink family, and one of its multicast groups
 * @number: the family's number
 * @name: the group's name, or %NULL
 * @group: the group's number
 */
struct fsk_nl_family {
	uint16_t number;
	const char *name;
	uint32_t group;
};

static int fsk_nl_take_family(const struct nlmsghdr *msg,
			      const struct nlattr **attrs, void *data)
{
	const struct nlattr *group, *of[CTRL_ATTR_MCAST_GRP_MAX + 1];
	struct fsk_nl_family *family = data;

	family->number = fsk_nl_uint(attrs[CTRL_ATTR_FAMILY_ID]);
	if (!family->name || !attrs[CTRL_ATTR_MCAST_GROUPS])
		return 0;
	mnl_attr_for_each_nested(group, attrs[CTRL_ATTR_MCAST_GROUPS]) {
		fsk_nl_nested(group, CTRL_ATTR_MCAST_GRP_MAX, of);
		if (!strcmp(fsk_nl_str(of[CTRL_ATTR_MCAST_GRP_NAME]),
			    family->name))
			family->group =
				fsk_nl_uint(of[CTRL_ATTR_MCAST_GRP_ID]);
	}
	return 0;
}

/* Look a family up by its name. Returns errno, positive, or 0. */
static int fsk_nl_resolve(struct fsk_nl *nl, const char *name,
			  struct fsk_nl_family *family)
{
	struct fsk_nl_reply reply = {
		.take = fsk_nl_take_family,
		.data = family,
		.max = CTRL_ATTR_MCAST_GROUPS,
	};
	struct nlmsghdr *msg;

	nl->family = GENL_ID_CTRL;
	msg = fsk_nl_message(nl, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(msg, CTRL_ATTR_FAMILY_NAME, name);
	return fsk_nl_exchange(nl, msg, &reply);
}

/* Opens a socket, without a family yet. %NULL after an error message. */
static struct fsk_nl *fsk_nl_socket(void)
{
	struct fsk_nl *nl = calloc(1, sizeof(*nl));
	int on = 1;

	if (!nl) {
		fsk_no_memory();
		return NULL;
	}
	nl->seq = time(NULL);
	nl->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID)) {
		fsk_error("no netlink socket: %s", strerror(errno));
		fsk_nl_close(nl);
		return NULL;
	}
	/* Older kernels lack some of these; then errors have no words. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &on,
			      sizeof(on));
	return nl;
}

/**
 * fsk_nl_group() - the number of a multicast group
 * @name: its family
 * @group: its name
 *
 * Return: the number, or 0 when there is none.
 */
uint32_t fsk_nl_group(const char *name, const char *group)
{
	struct fsk_nl_family family = { .name = group };
	struct fsk_nl *nl = fsk_nl_socket();

	if (nl)
		fsk_nl_resolve(nl, name, &family);
	fsk_nl_close(nl);
	return family.group;
}

static void fsk_nl_no_module(void)
{
	struct fsk_boot boot;
	char advice[256];

	fsk_boot_read(&boot, "");
	fsk_error("the kernel module is not loaded: %s",
		  fsk_boot_advice(&boot, advice, sizeof(advice)));
}

/**
 * fsk_nl_try() - open a socket for requests to the module, if it is there
 * @away: set if the module is not loaded, of which there is no message
 *
 * Return: the socket; %NULL without the module, or after an error message.
 */
struct fsk_nl *fsk_nl_try(bool *away)
{
	struct fsk_nl_family family = { 0 };
	struct fsk_nl *nl = fsk_nl_socket();
	int err;

	*away = false;
	if (!nl)
		return NULL;
	err = fsk_nl_resolve(nl, FSK_GENL_NAME, &family);
	nl->family = family.number;
	if (!err)
		return nl;
	*away = err == ENOENT;
	if (!*away)
		fsk_error("generic netlink does not answer: %s",
			  strerror(err));
	fsk_nl_close(nl);
	return NULL;
}

/**
 * fsk_nl_open() - open a socket for requests to the module
 *
 * Return: the socket, or %NULL after an error message.
 */
struct fsk_nl *fsk_nl_open(void)
{
	struct fsk_nl *nl;
	bool away;

	nl = fsk_nl_try(&away);
	if (away)
		fsk_nl_no_module();
	return nl;
}

/**
 * fsk_nl_close() - close a socket
 * @nl: the socket, or %NULL
 */
void fsk_nl_close(struct fsk_nl *nl)
{
	if (!nl)
		return;
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl);
}
