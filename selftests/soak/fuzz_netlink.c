// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink requests that are nearly right.  A table made from the specification
 * says what is right; the fuzzer spoils each request in some ways or in none.
 * The kernel's answer tells which attribute it did not like.
 */
#include "fuzz.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/fastsocket.h>

#include "fuzz_requests.h"

#define OPS		((int)(sizeof(fuzz_ops) / sizeof(*fuzz_ops)))
#define SOCKETS		6
#define BATCH		16
#define REMEMBERED	512
#define REQUEST_MAX	40000
#define ATTRS_MAX	12

/* A request that was sent, and where its attributes are. */
struct sent {
	uint32_t seq;
	int op;
	int attrs;
	int attr[ATTRS_MAX];
	unsigned int at[ATTRS_MAX];
};

struct fuzz_netlink {
	int fd[SOCKETS];
	uint32_t seq;
	struct sent sent[REMEMBERED];
	unsigned int len;
	char buf[4 * REQUEST_MAX];
	char answer[65536];
};

int fuzz_netlink_ops(const struct fuzz_op **ops)
{
	*ops = fuzz_ops;
	return OPS;
}

/* Sockets */

static int nl_open(struct fuzz *f)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	int on = 1, size = 4096 << fuzz_below(f, 8);

	bind(fd, (void *)&any, sizeof(any));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	on = fuzz_below(f, 2);
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	if (fuzz_chance(f, 2))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

/* Opens a socket in another namespace, if this thread may. */
static int nl_open_anywhere(struct fuzz *f)
{
	if (f->nets && fuzz_chance(f, 2))
		setns(f->net[fuzz_below(f, f->nets)], CLONE_NEWNET);
	return nl_open(f);
}

void fuzz_netlink_start(struct fuzz *f)
{
	int i;

	f->nl = calloc(1, sizeof(*f->nl));
	for (i = 0; i < SOCKETS; i++)
		f->nl->fd[i] = nl_open_anywhere(f);
}

/* Requests */

static void *put(struct fuzz_netlink *nl, unsigned int len)
{
	void *at = nl->buf + nl->len;

	memset(at, 0, NLMSG_ALIGN(len));
	nl->len += NLMSG_ALIGN(len);
	return at;
}

static void fill(struct fuzz *f, uint8_t *to, unsigned int len)
{
	unsigned int i;

	/* Zeros are often right. */
	if (fuzz_chance(f, 2))
		return;
	for (i = 0; i + 8 <= len; i += 8) {
		uint64_t word = fuzz_random(f);

		memcpy(to + i, &word, 8);
	}
}

static struct nlattr *put_attr(struct fuzz *f, int type, unsigned int len)
{
	struct nlattr *nla = put(f->nl, NLA_HDRLEN + len);

	nla->nla_type = type;
	nla->nla_len = NLA_HDRLEN + len;
	return nla;
}

static unsigned int binary_len(struct fuzz *f, unsigned int max)
{
	/* Keys and tables have a size that is a multiple, or a power of two. */
	switch (fuzz_below(f, 4)) {
	case 0:
		return fuzz_number(f, max ? max : 20000) % 20000;
	case 1:
		return 40 + fuzz_below(f, 3);
	default:
		return 1 << fuzz_below(f, 13);
	}
}

/* Few, so that they are selected, found and deselected. */
static void put_path(struct fuzz *f, int id)
{
	static const char *const paths[] = {
		FUZZ_GROUPS, "", "no-slash", "/a/", "/a//b",
	};
	const char *path = paths[fuzz_below(f, sizeof(paths) / sizeof(*paths))];
	struct nlattr *nla;

	if (f->spare_root && !strcmp(path, "/"))
		path = "/fsk-fuzz";
	nla = put_attr(f, id, strlen(path) + 1);
	memcpy((char *)nla + NLA_HDRLEN, path, strlen(path) + 1);
}

static void put_known(struct fuzz *f, const struct fuzz_attr *attr)
{
	unsigned int number = fuzz_number(f, attr->max);
	unsigned int len = attr->size;
	struct nlattr *nla;

	if (!strcmp(attr->name, "path") && !fuzz_chance(f, 8)) {
		put_path(f, attr->id);
		return;
	}
	if (!len || fuzz_chance(f, 8))
		len = binary_len(f, attr->max);
	nla = put_attr(f, attr->id, len);
	if (attr->size)
		memcpy((char *)nla + NLA_HDRLEN, &number,
		       len < sizeof(number) ? len : sizeof(number));
	else
		fill(f, (uint8_t *)nla + NLA_HDRLEN, len);
	if (fuzz_chance(f, 64))
		nla->nla_type |= NLA_F_NESTED;
	if (fuzz_chance(f, 64))
		nla->nla_type |= NLA_F_NET_BYTEORDER;
}

static void put_unknown(struct fuzz *f, int depth)
{
	unsigned int begin = f->nl->len;
	struct nlattr *nla;
	int i;

	nla = put_attr(f, fuzz_below(f, 24), depth ? 0 : fuzz_below(f, 40));
	for (i = fuzz_below(f, 4); depth && i; i--)
		put_unknown(f, depth - 1);
	if (depth) {
		nla->nla_len = f->nl->len - begin;
		nla->nla_type |= NLA_F_NESTED;
	}
}

static void remember(struct sent *sent, int attr, unsigned int at)
{
	if (sent->attrs == ATTRS_MAX)
		return;
	sent->attr[sent->attrs] = attr;
	sent->at[sent->attrs++] = at;
}

static void put_attrs(struct fuzz *f, struct sent *sent, unsigned int begin)
{
	const struct fuzz_op *op = &fuzz_ops[sent->op];
	unsigned int leave_out = fuzz_chance(f, 2) ? 4 : 64;
	struct nlattr *nla;
	int i, only = -1;

	if (op->attrs && fuzz_chance(f, 3))
		only = fuzz_below(f, op->attrs);
	for (i = 0; i < op->attrs; i++) {
		if (only < 0 ? fuzz_chance(f, leave_out) : i != only)
			continue;
		remember(sent, i, f->nl->len - begin);
		nla = (void *)(f->nl->buf + f->nl->len);
		put_known(f, &op->attr[i]);
		if (fuzz_chance(f, 128))
			nla->nla_len = fuzz_random(f);
		if (fuzz_chance(f, 32))
			i--;	/* once more */
	}
	if (fuzz_chance(f, op->attrs ? 16 : 8))
		put_unknown(f, fuzz_below(f, 8) ? 0 : fuzz_below(f, 12));
}

static int pick_flags(struct fuzz *f, bool dump)
{
	static const int flags[] = {
		NLM_F_DUMP, NLM_F_ROOT, NLM_F_MATCH, NLM_F_ATOMIC, NLM_F_ECHO,
		NLM_F_CREATE, 0, 0xffff,
	};

	if (fuzz_chance(f, 16))
		return NLM_F_REQUEST | NLM_F_ACK |
		       flags[fuzz_below(f, sizeof(flags) / sizeof(*flags))];
	return NLM_F_REQUEST | NLM_F_ACK | (dump ? NLM_F_DUMP : 0);
}

static void put_request(struct fuzz *f)
{
	struct fuzz_netlink *nl = f->nl;
	uint32_t seq = ++nl->seq;
	struct sent *sent = &nl->sent[seq % REMEMBERED];
	unsigned int begin = nl->len;
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;

	*sent = (struct sent) { .seq = seq, .op = fuzz_below(f, OPS) };
	nlh = put(nl, NLMSG_HDRLEN);
	genl = put(nl, GENL_HDRLEN);
	nlh->nlmsg_type = f->family;
	nlh->nlmsg_seq = seq;
	nlh->nlmsg_flags = pick_flags(f, fuzz_ops[sent->op].dump);
	genl->cmd = fuzz_ops[sent->op].cmd;
	genl->version = 1;
	put_attrs(f, sent, begin);
	nlh->nlmsg_len = nl->len - begin;
	if (fuzz_chance(f, 64)) {
		genl->cmd = fuzz_random(f);
		genl->version = fuzz_random(f);
		genl->reserved = fuzz_random(f) & 1;
		sent->seq = 0;
	}
	if (fuzz_chance(f, 128))
		nlh->nlmsg_len = fuzz_below(f, nlh->nlmsg_len + 20);
}

/* Answers */

static int blamed(const struct nlmsghdr *nlh, const struct nlmsgerr *err,
		  const struct sent *sent)
{
	const struct nlattr *nla = (const void *)(err + 1);
	const char *end = (const char *)nlh + nlh->nlmsg_len;
	unsigned int at;
	int i;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return -1;
	while ((const char *)(nla + 1) <= end && nla->nla_len >= NLA_HDRLEN) {
		if (nla->nla_type == NLMSGERR_ATTR_OFFS) {
			at = *(const uint32_t *)(nla + 1);
			for (i = 0; i < sent->attrs; i++)
				if (sent->at[i] == at)
					return sent->attr[i];
		}
		nla = (const void *)((const char *)nla +
				     NLA_ALIGN(nla->nla_len));
	}
	return -1;
}

static void judge(struct fuzz *f, const struct nlmsghdr *nlh, int error,
		  bool done)
{
	struct sent *sent = &f->nl->sent[nlh->nlmsg_seq % REMEMBERED];
	struct fuzz_shared *shared = f->shared;
	int i, attr;

	if (!nlh->nlmsg_seq || sent->seq != nlh->nlmsg_seq)
		return;
	fuzz_count(&shared->op[sent->op], !error);
	if (error && !done) {
		attr = blamed(nlh, NLMSG_DATA(nlh), sent);
		if (attr >= 0)
			fuzz_count(&shared->attr[sent->op][attr], false);
	} else if (!error) {
		for (i = 0; i < sent->attrs; i++)
			fuzz_count(&shared->attr[sent->op][sent->attr[i]],
				   true);
	}
	sent->seq = 0;
}

static void read_answers(struct fuzz *f, const char *buf, int len)
{
	const struct nlmsghdr *nlh = (const void *)buf;
	const struct nlmsgerr *err;

	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		err = NLMSG_DATA(nlh);
		if (nlh->nlmsg_type == NLMSG_ERROR)
			judge(f, nlh, err->error, false);
		else if (nlh->nlmsg_type == NLMSG_DONE)
			judge(f, nlh, err->error, true);
	}
}

static void receive(struct fuzz *f, int fd)
{
	int n, rounds = fuzz_chance(f, 8) ? fuzz_below(f, 3) : 100;

	while (rounds-- > 0) {
		n = recv(fd, f->nl->answer, sizeof(f->nl->answer),
			 MSG_DONTWAIT);
		if (n <= 0)
			break;
		read_answers(f, f->nl->answer, n);
	}
}

/**
 * fuzz_netlink() - some requests in one message
 * @f: the thread
 */
void fuzz_netlink(struct fuzz *f)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int i, which = fuzz_below(f, SOCKETS), n = 1 + fuzz_below(f, BATCH);
	struct fuzz_netlink *nl = f->nl;

	nl->len = 0;
	for (i = 0; i < n && nl->len < REQUEST_MAX; i++) {
		put_request(f);
		fuzz_called(f);
	}
	sendto(nl->fd[which], nl->buf, nl->len, MSG_DONTWAIT, (void *)&kernel,
	       sizeof(kernel));
	if (!fuzz_chance(f, 8))
		receive(f, nl->fd[which]);
	if (fuzz_chance(f, 16)) {
		close(nl->fd[which]);
		nl->fd[which] = nl_open_anywhere(f);
	}
}

static int read_family(const char *buf, int len)
{
	const struct nlmsghdr *nlh = (const void *)buf;
	const struct nlattr *nla;
	const char *end;

	if (!NLMSG_OK(nlh, len) || nlh->nlmsg_type == NLMSG_ERROR)
		return -ENOENT;
	end = buf + nlh->nlmsg_len;
	nla = (const void *)((char *)NLMSG_DATA(nlh) + GENL_HDRLEN);
	for (; (const char *)(nla + 1) <= end && nla->nla_len >= NLA_HDRLEN;
	     nla = (const void *)((char *)nla + NLA_ALIGN(nla->nla_len)))
		if (nla->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(const uint16_t *)(nla + 1);
	return -ENOENT;
}

/* Return: the family's number or a negative errno. */
int fuzz_netlink_family(void)
{
	struct {
		struct nlmsghdr nlh;
		struct genlmsghdr genl;
		struct nlattr nla;
		char name[12];
	} rq = {
		.nlh.nlmsg_len = sizeof(rq),
		.nlh.nlmsg_type = GENL_ID_CTRL,
		.nlh.nlmsg_flags = NLM_F_REQUEST,
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.nla.nla_len = NLA_HDRLEN + sizeof(FSK_GENL_NAME),
		.nla.nla_type = CTRL_ATTR_FAMILY_NAME,
		.name = FSK_GENL_NAME,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	char buf[4096];
	int n = -1;

	if (send(fd, &rq, sizeof(rq), 0) == sizeof(rq))
		n = recv(fd, buf, sizeof(buf), 0);
	close(fd);
	return read_family(buf, n);
}
