// SPDX-License-Identifier: GPL-2.0
/*
 * The module's generic netlink family, as far as tests need it, and the
 * kernel's own counters.  It shares no code with the tool's client on purpose,
 * so that one checks the other.
 */
#include "counters.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#define BUF_SIZE	65536

struct request {
	char buf[BUF_SIZE];
	struct nlmsghdr *nlh;
};

static void request_make(struct request *rq, int type, int cmd, int flags)
{
	static unsigned int seq;
	struct genlmsghdr *genl;

	rq->nlh = mnl_nlmsg_put_header(rq->buf);
	rq->nlh->nlmsg_type = type;
	rq->nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	rq->nlh->nlmsg_seq = ++seq;
	genl = mnl_nlmsg_put_extra_header(rq->nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = 1;
}

/* One socket for each request: a socket stays in the namespace it was made
 * in, and tests change theirs.
 */
static int request_send(struct request *rq, mnl_cb_t cb, void *data)
{
	unsigned int seq = rq->nlh->nlmsg_seq;
	struct mnl_socket *nl;
	int n = -1;

	nl = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl)
		return -errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, rq->nlh, rq->nlh->nlmsg_len) < 0)
		goto out;
	do {
		n = mnl_socket_recvfrom(nl, rq->buf, sizeof(rq->buf));
		if (n > 0)
			n = mnl_cb_run(rq->buf, n, seq,
				       mnl_socket_get_portid(nl), cb, data);
	} while (n > MNL_CB_STOP);
out:
	n = n < 0 ? -errno : 0;
	mnl_socket_close(nl);
	return n;
}

static int family_id_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			*(int *)data = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

/* Asks for the family each time: the module comes and goes in some tests. */
static int family_id(void)
{
	struct request rq;
	int id = -ENOENT;
	int err;

	request_make(&rq, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	mnl_attr_put_strz(rq.nlh, CTRL_ATTR_FAMILY_NAME, FSK_GENL_NAME);
	err = request_send(&rq, family_id_cb, &id);
	return err ? err : id;
}

/* A request to the module, to which attributes may be added. */
static int request_begin(struct request *rq, int cmd, int flags)
{
	int id = family_id();

	if (id < 0)
		return id;
	request_make(rq, id, cmd, flags);
	return 0;
}

static int ask_module(int cmd, int flags, mnl_cb_t cb, void *data)
{
	struct request rq;
	int err = request_begin(&rq, cmd, flags);

	return err ? err : request_send(&rq, cb, data);
}

/* Rows */

struct row_list {
	struct core_row *rows;
	int n;
	int max;
};

static void row_set_u64(struct core_row *row, const struct nlattr *attr)
{
	uint64_t value = mnl_attr_get_u64(attr);

	switch (mnl_attr_get_type(attr)) {
	case FSK_A_LISTEN_SYNS:
		row->syns = value;
		break;
	case FSK_A_LISTEN_ACCEPT_LOCAL:
		row->accept_local = value;
		break;
	case FSK_A_LISTEN_ACCEPT_APP:
		row->accept_app = value;
		break;
	case FSK_A_LISTEN_ACCEPT_OTHER:
		row->accept_other = value;
		break;
	case FSK_A_LISTEN_DROPS:
		row->drops = value;
		break;
	case FSK_A_LISTEN_RESCUES:
		row->rescues = value;
		break;
	case FSK_A_LISTEN_SYNS_FAR:
		row->syns_far = value;
		break;
	case FSK_A_LISTEN_TIMES_LATE:
		row->times_late = value;
		break;
	case FSK_A_LISTEN_RESCUED:
		row->rescued = value;
		break;
	}
}

static void row_set(struct core_row *row, const struct nlattr *attr)
{
	switch (mnl_attr_get_type(attr)) {
	case FSK_A_LISTEN_PORT:
		row->port = mnl_attr_get_u16(attr);
		break;
	case FSK_A_LISTEN_SERVES:
		row->serves = mnl_attr_get_u32(attr);
		break;
	case FSK_A_LISTEN_CPU:
		row->cpu = mnl_attr_get_u32(attr);
		break;
	case FSK_A_LISTEN_STATE:
		row->bypass = mnl_attr_get_u8(attr) == FSK_STATE_BYPASS;
		break;
	case FSK_A_LISTEN_CLAIMED:
		row->claimed = true;
		break;
	case FSK_A_LISTEN_ORPHANED:
		row->orphaned = true;
		break;
	case FSK_A_LISTEN_LATE:
		row->late = true;
		break;
	case FSK_A_LISTEN_LIMITED:
		row->limited = true;
		break;
	case FSK_A_LISTEN_OWNER_LOCALS:
		row->owner_locals = mnl_attr_get_u32(attr);
		break;
	case FSK_A_LISTEN_QLEN:
		row->qlen = mnl_attr_get_u32(attr);
		break;
	case FSK_A_LISTEN_QMAX:
		row->backlog = mnl_attr_get_u32(attr);
		break;
	default:
		if (mnl_attr_get_payload_len(attr) == sizeof(uint64_t))
			row_set_u64(row, attr);
	}
}

static int row_cb(const struct nlmsghdr *nlh, void *data)
{
	struct row_list *list = data;
	struct core_row *row = &list->rows[list->n];
	const struct nlattr *attr;

	if (list->n == list->max)
		return MNL_CB_OK;
	memset(row, 0, sizeof(*row));
	row->cpu = -1;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		row_set(row, attr);
	list->n++;
	return MNL_CB_OK;
}

/**
 * rows_get() - all listeners and their cores
 * @rows: to be filled
 * @max: room in @rows
 *
 * Return: number of rows, or a negative errno.
 */
int rows_get(struct core_row *rows, int max)
{
	struct row_list list = { .rows = rows, .max = max };
	int err = ask_module(FSK_CMD_LISTEN_GET, NLM_F_DUMP, row_cb, &list);

	return err ? err : list.n;
}

/**
 * rows_hold() - ask for all rows and don't read them
 *
 * Return: a descriptor, of a dump that has begun and does not go on until it is
 *	closed; or a negative errno.
 */
int rows_hold(void)
{
	struct request rq;
	int fd, err = request_begin(&rq, FSK_CMD_LISTEN_GET, NLM_F_DUMP);

	if (err)
		return err;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0 || send(fd, rq.nlh, rq.nlh->nlmsg_len, 0) > 0)
		return fd < 0 ? -errno : fd;
	err = -errno;
	close(fd);
	return err;
}

/**
 * row_get() - the row of one core of one listener
 * @port: the listener's
 * @cpu: or -1 for the listener's own row
 * @row: to be filled
 *
 * Return: whether there is one.
 */
bool row_get(int port, int cpu, struct core_row *row)
{
	static struct core_row rows[ROWS_MAX];
	int i, n = rows_get(rows, ROWS_MAX);

	for (i = 0; i < n; i++) {
		if (rows[i].port == port && rows[i].cpu == cpu) {
			*row = rows[i];
			return true;
		}
	}
	return false;
}

/* Return: of how many CPUs the connections come to this core. */
unsigned int serves(int port, int cpu)
{
	struct core_row row;

	return row_get(port, cpu, &row) ? row.serves : 0;
}

/* Return: how many cores of the listeners on this port have a worker. */
int claims(int port)
{
	static struct core_row rows[ROWS_MAX];
	int i, n = rows_get(rows, ROWS_MAX), sum = 0;

	for (i = 0; i < n; i++)
		sum += rows[i].port == port && rows[i].claimed;
	return sum;
}

/**
 * mapped() - is the map made, as it is a moment after a worker has come?
 * @port: of the listeners
 * @workers: how many of their cores have a worker
 *
 * Return: whether connections come to each of these cores, from all CPUs.
 */
bool mapped(int port, int workers)
{
	static struct core_row rows[ROWS_MAX];
	int i, n = rows_get(rows, ROWS_MAX), homes = 0;
	unsigned int cpus = sysconf(_SC_NPROCESSORS_CONF), sum = 0;
	cpu_set_t seen;

	CPU_ZERO(&seen);
	for (i = 0; i < n; i++) {
		if (rows[i].port != port || !rows[i].claimed || !rows[i].serves)
			continue;
		homes++;
		/* Members of a group share those of a CPU. */
		if (!CPU_ISSET(rows[i].cpu, &seen))
			sum += rows[i].serves;
		CPU_SET(rows[i].cpu, &seen);
	}
	return homes == workers && sum >= cpus;
}

/* Counters */

static int stats_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr, *one;
	uint64_t *sum = data;
	int stat;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != FSK_A_STATS_COUNTERS)
			continue;
		mnl_attr_for_each_nested(one, attr) {
			stat = FSK_ATTR_TO_STAT(mnl_attr_get_type(one));
			if (stat >= 0 && stat < __FSK_STAT_MAX)
				sum[stat] += mnl_attr_get_u64(one);
		}
	}
	return MNL_CB_OK;
}

/**
 * count() - a counter of this namespace, all cores together
 * @item: which
 *
 * Return: the value; UINT64_MAX when the module does not answer, which no test
 *         expects.
 */
uint64_t count(enum fsk_stat item)
{
	uint64_t sum[__FSK_STAT_MAX] = { 0 };

	if (ask_module(FSK_CMD_STATS_GET, NLM_F_DUMP, stats_cb, sum))
		return UINT64_MAX;
	return sum[item];
}

/* Return: connections accepted, from whatever queue. */
uint64_t count_accepts(void)
{
	return count(FSK_STAT_ACCEPT_LOCAL) + count(FSK_STAT_ACCEPT_APP) +
	       count(FSK_STAT_ACCEPT_OTHER);
}

static int config_set(int attr, uint32_t value)
{
	struct request rq;
	int err = request_begin(&rq, FSK_CMD_CONFIG_SET, NLM_F_ACK);

	if (err)
		return err;
	mnl_attr_put_u32(rq.nlh, attr, value);
	return request_send(&rq, NULL, NULL);
}

static int group_ask(int cmd, const char *path)
{
	struct request rq;
	int err = request_begin(&rq, cmd, NLM_F_ACK);

	if (err)
		return err;
	if (path)
		mnl_attr_put_strz(rq.nlh, FSK_A_CGROUP_PATH, path);
	return request_send(&rq, NULL, NULL);
}

/**
 * group_select() - listeners of a control group join by themselves
 * @path: from the root of the hierarchy; %NULL is an error of the caller
 *
 * Return: 0 or a negative errno.
 */
int group_select(const char *path)
{
	return group_ask(FSK_CMD_CGROUP_ADD, path);
}

/**
 * group_deselect() - no more
 * @path: as it was given to group_select()
 *
 * Return: 0 or a negative errno.
 */
int group_deselect(const char *path)
{
	return group_ask(FSK_CMD_CGROUP_DEL, path);
}

static int group_cb(const struct nlmsghdr *nlh, void *data)
{
	struct group_row *row = data;
	uint64_t joined = 0, refused = 0;
	const struct nlattr *attr;
	bool found = false;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case FSK_A_CGROUP_PATH:
			found = !strcmp(mnl_attr_get_str(attr), row->path);
			break;
		case FSK_A_CGROUP_JOINED:
			joined = mnl_attr_get_u64(attr);
			break;
		case FSK_A_CGROUP_REFUSED:
			refused = mnl_attr_get_u64(attr);
			break;
		}
	}
	if (found) {
		row->found = true;
		row->joined = joined;
		row->refused = refused;
	}
	return MNL_CB_OK;
}

/**
 * group_get() - what a selected control group has come to
 * @row: its path is given, the rest filled in
 *
 * Return: 0 or a negative errno.
 */
int group_get(struct group_row *row)
{
	row->found = false;
	row->joined = 0;
	row->refused = 0;
	return ask_module(FSK_CMD_CGROUP_GET, NLM_F_DUMP, group_cb, row);
}

/**
 * rescue_set_ms() - how long a queue may wait for its worker
 * @ms: 0 for ever
 *
 * Return: 0 or a negative errno.
 */
int rescue_set_ms(unsigned int ms)
{
	return config_set(FSK_A_CONFIG_RESCUE_MS, ms);
}

/**
 * late_set_ms() - how long a connection waits before others are woken for it
 * @ms: at least 1
 *
 * Return: 0 or a negative errno.
 */
int late_set_ms(unsigned int ms)
{
	return config_set(FSK_A_CONFIG_LATE_MS, ms);
}

/**
 * locals_max_set() - how many local listeners one owner may have
 * @max: of this machine, in all namespaces
 *
 * Return: 0 or a negative errno.
 */
int locals_max_set(unsigned int max)
{
	return config_set(FSK_A_CONFIG_LOCALS_MAX, max);
}

struct config_one {
	int attr;
	unsigned int value;
};

static int config_cb(const struct nlmsghdr *nlh, void *data)
{
	struct config_one *one = data;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == one->attr)
			one->value = mnl_attr_get_payload_len(attr) == 1 ?
				     mnl_attr_get_u8(attr) :
				     mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

/**
 * config_get() - a setting as it is now
 * @attr: FSK_A_CONFIG_*
 *
 * Return: its value; 0, too, when the module doesn't answer.
 */
unsigned int config_get(int attr)
{
	struct config_one one = { attr };

	ask_module(FSK_CMD_CONFIG_GET, NLM_F_ACK, config_cb, &one);
	return one.value;
}

unsigned int locals_max(void)
{
	return config_get(FSK_A_CONFIG_LOCALS_MAX);
}

/* Socket files */

/**
 * vfs_set() - let FSK_IOC_ACCEPT accept, or leave all to accept4()
 * @on: let it
 *
 * Return: 0 or a negative errno.
 */
int vfs_set(bool on)
{
	struct request rq;
	int err = request_begin(&rq, FSK_CMD_CONFIG_SET, NLM_F_ACK);

	if (err)
		return err;
	mnl_attr_put_u8(rq.nlh, FSK_A_CONFIG_VFS, on);
	return request_send(&rq, NULL, NULL);
}

static int vfs_cb(const struct nlmsghdr *nlh, void *data)
{
	struct vfs_figures *sum = data;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case FSK_A_VFS_POOLS:
			sum->pools += mnl_attr_get_u32(attr);
			break;
		case FSK_A_VFS_SIZE:
			sum->size += mnl_attr_get_u32(attr);
			break;
		case FSK_A_VFS_OUT:
			sum->out += mnl_attr_get_u32(attr);
			break;
		case FSK_A_VFS_REST:
			sum->rest += mnl_attr_get_u32(attr);
			break;
		}
	}
	return MNL_CB_OK;
}

/**
 * vfs_get() - the pools of this namespace, all cores together
 * @sum: to be filled
 *
 * Return: 0 or a negative errno.
 */
int vfs_get(struct vfs_figures *sum)
{
	memset(sum, 0, sizeof(*sum));
	return ask_module(FSK_CMD_VFS_GET, NLM_F_DUMP, vfs_cb, sum);
}

/* Receive flow delivery */

/**
 * rfd_config() - the settings of this namespace
 * @mode: for interfaces without a mode of their own
 * @counting: count packets in all modes
 *
 * Return: 0 or a negative errno.
 */
int rfd_config(enum fsk_rfd_mode mode, bool counting)
{
	struct request rq;
	int err = request_begin(&rq, FSK_CMD_CONFIG_SET, NLM_F_ACK);

	if (err)
		return err;
	mnl_attr_put_u8(rq.nlh, FSK_A_CONFIG_RFD, mode);
	mnl_attr_put_u8(rq.nlh, FSK_A_CONFIG_RFD_COUNT, counting);
	return request_send(&rq, NULL, NULL);
}

/**
 * rfd_set() - the mode of one interface
 * @ifindex: the interface
 * @mode: enum fsk_rfd_mode, or an invalid number
 * @rss: or NULL
 *
 * Return: 0 or a negative errno.
 */
int rfd_set(int ifindex, int mode, const struct rss *rss)
{
	struct request rq;
	int err = request_begin(&rq, FSK_CMD_RFD_SET, NLM_F_ACK);

	if (err)
		return err;
	mnl_attr_put_u32(rq.nlh, FSK_A_RFD_IFINDEX, ifindex);
	mnl_attr_put_u8(rq.nlh, FSK_A_RFD_MODE, mode);
	if (rss) {
		mnl_attr_put(rq.nlh, FSK_A_RFD_KEY, rss->key_len, rss->key);
		mnl_attr_put(rq.nlh, FSK_A_RFD_TABLE,
			     rss->entries * sizeof(*rss->table), rss->table);
		mnl_attr_put_u32(rq.nlh, FSK_A_RFD_HASH, rss->hash);
	}
	return request_send(&rq, NULL, NULL);
}

int rfd_del(int ifindex)
{
	struct request rq;
	int err = request_begin(&rq, FSK_CMD_RFD_DEL, NLM_F_ACK);

	if (err)
		return err;
	mnl_attr_put_u32(rq.nlh, FSK_A_RFD_IFINDEX, ifindex);
	return request_send(&rq, NULL, NULL);
}

/**
 * struct rfd_seen - a row that is looked for
 * @ifindex: the interface
 * @entries: of its table, or a negative errno
 */
struct rfd_seen {
	int ifindex;
	int entries;
};

static int rfd_cb(const struct nlmsghdr *nlh, void *data)
{
	struct rfd_seen *seen = data;
	const struct nlattr *attr;
	int ifindex = 0, entries = 0;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == FSK_A_RFD_IFINDEX)
			ifindex = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == FSK_A_RFD_TABLE)
			entries = mnl_attr_get_payload_len(attr) /
				  sizeof(uint32_t);
	}
	if (ifindex == seen->ifindex)
		seen->entries = entries;
	return MNL_CB_OK;
}

/**
 * rfd_entries() - the size of an interface's table, as netlink shows it
 * @ifindex: the interface
 *
 * Return: number of entries, 0 without a table, or a negative errno.
 */
int rfd_entries(int ifindex)
{
	struct rfd_seen seen = { ifindex, -ENOENT };
	int err = ask_module(FSK_CMD_RFD_GET, NLM_F_DUMP, rfd_cb, &seen);

	return err ? err : seen.entries;
}

static int dest_cb(const struct nlmsghdr *nlh, void *data)
{
	++*(int *)data;
	return MNL_CB_OK;
}

/**
 * dests() - the number of destinations that netlink shows
 *
 * Return: rows, or a negative errno.
 */
int dests(void)
{
	int n = 0;
	int err = ask_module(FSK_CMD_DEST_GET, NLM_F_DUMP, dest_cb, &n);

	return err ? err : n;
}

/* Status */

static void feature_read(const struct nlattr *nest, int *enabled)
{
	const char *name = "";
	const struct nlattr *attr;
	int on = 0;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) == FSK_A_FEATURE_NAME)
			name = mnl_attr_get_str(attr);
		else if (mnl_attr_get_type(attr) == FSK_A_FEATURE_ENABLED)
			on = mnl_attr_get_u8(attr);
	}
	if (!strcmp(name, "hooks"))
		*enabled = on;
}

static int hooks_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == FSK_A_STATUS_FEATURE)
			feature_read(attr, data);
	return MNL_CB_OK;
}

/**
 * hooks_on() - are the packet hooks registered in this namespace?
 *
 * Return: 1, 0, or a negative errno.
 */
int hooks_on(void)
{
	int on = -ENOENT;
	int err = ask_module(FSK_CMD_STATUS_GET, NLM_F_ACK, hooks_cb, &on);

	return err ? err : on;
}

static int listeners_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	int *n = data;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == FSK_A_STATUS_LISTENERS)
			*n = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

/**
 * listeners() - how many of this namespace have joined and listen?
 *
 * Return: that, or a negative errno.
 */
int listeners(void)
{
	int n = -ENOENT;
	int err = ask_module(FSK_CMD_STATUS_GET, NLM_F_ACK, listeners_cb, &n);

	return err ? err : n;
}

/* Established tables */

/**
 * est_config() - switch established tables on or off
 * @on: on
 * @after: segments before a connection is entered
 *
 * Return: 0 or a negative errno.
 */
int est_config(bool on, unsigned int after)
{
	struct request rq;
	int err = request_begin(&rq, FSK_CMD_CONFIG_SET, NLM_F_ACK);

	if (err)
		return err;
	mnl_attr_put_u8(rq.nlh, FSK_A_CONFIG_ESTABLISHED, on);
	mnl_attr_put_u32(rq.nlh, FSK_A_CONFIG_ESTABLISHED_AFTER, after);
	return request_send(&rq, NULL, NULL);
}

/**
 * est_config_beside() - the same, and other settings by the same request
 * @mode: of interfaces without a mode of their own
 * @vfs: whether socket files are used again
 *
 * Return: 0 or a negative errno.
 */
int est_config_beside(enum fsk_rfd_mode mode, bool vfs)
{
	struct request rq;
	int err = request_begin(&rq, FSK_CMD_CONFIG_SET, NLM_F_ACK);

	if (err)
		return err;
	mnl_attr_put_u8(rq.nlh, FSK_A_CONFIG_VFS, vfs);
	mnl_attr_put_u8(rq.nlh, FSK_A_CONFIG_RFD, mode);
	mnl_attr_put_u8(rq.nlh, FSK_A_CONFIG_ESTABLISHED, true);
	return request_send(&rq, NULL, NULL);
}

static uint64_t attr_value(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) == sizeof(uint64_t) ?
	       mnl_attr_get_u64(attr) : mnl_attr_get_u32(attr);
}

struct est_sum {
	int cpu;
	int cores;
	struct est *est;
};

static int est_cb(const struct nlmsghdr *nlh, void *data)
{
	struct est_sum *sum = data;
	const struct nlattr *attr;
	struct est one = {};
	int i;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) <= FSK_A_EST_MAX)
			one.n[mnl_attr_get_type(attr)] = attr_value(attr);
	if (sum->cpu >= 0 && sum->cpu != one.n[FSK_A_EST_CPU])
		return MNL_CB_OK;
	sum->cores++;
	for (i = 0; i <= FSK_A_EST_MAX; i++)
		sum->est->n[i] += one.n[i];
	return MNL_CB_OK;
}

/**
 * est_get() - the tables
 * @cpu: the core, or -1 for the sum
 * @est: to be filled
 *
 * Return: number of cores with a table, 0 when tables are off, or a negative
 *	errno.
 */
int est_get(int cpu, struct est *est)
{
	struct est_sum sum = { .cpu = cpu, .est = est };
	int err;

	memset(est, 0, sizeof(*est));
	err = ask_module(FSK_CMD_EST_GET, NLM_F_DUMP, est_cb, &sum);
	return err ? err : sum.cores;
}

/* Return: a value, all cores together; UINT64_MAX when tables are off. */
uint64_t est_count(int attr)
{
	struct est est;

	return est_get(-1, &est) > 0 ? est.n[attr] : UINT64_MAX;
}

/* Of the CPU that is listed, by remote port. */
struct est_seen {
	int want;
	int cpu;
	int count;
	bool twice;
	bool port[65536];
};

static int est_list_cb(const struct nlmsghdr *nlh, void *data)
{
	int cpu = -1, local = 0, remote = 0;
	struct est_seen *seen = data;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == FSK_A_CONN_CPU)
			cpu = mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == FSK_A_CONN_LOCAL_PORT)
			local = mnl_attr_get_u16(attr);
		if (mnl_attr_get_type(attr) == FSK_A_CONN_REMOTE_PORT)
			remote = mnl_attr_get_u16(attr);
	}
	if (cpu != seen->cpu)
		memset(seen->port, 0, sizeof(seen->port));
	seen->cpu = cpu;
	/* Tests have one client and one server. */
	seen->twice |= seen->port[local ^ remote];
	seen->port[local ^ remote] = true;
	seen->count += seen->want < 0 || seen->want == cpu;
	return MNL_CB_OK;
}

/**
 * est_list() - the number of connections that netlink lists
 * @cpu: those of this core, or -1 for all
 *
 * Return: the number or a negative errno, -EEXIST if one is listed twice.
 */
int est_list(int cpu)
{
	static struct est_seen seen;
	int err;

	seen = (struct est_seen){ .want = cpu, .cpu = -1 };
	err = ask_module(FSK_CMD_CONN_GET, NLM_F_DUMP, est_list_cb, &seen);
	if (!err && seen.twice)
		err = -EEXIST;
	return err ? err : seen.count;
}
