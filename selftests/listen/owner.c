// SPDX-License-Identifier: GPL-2.0
/*
 * How many local listeners one user of the machine may have, in and outside of
 * containers.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "counters.h"
#include "support.h"

#define TENANT	65534
#define MAX	2
#define CPUS	3	/* one more than allowed */

FIXTURE(owner) {
	struct trial trial;
	unsigned int before;
};

TRIAL_VARIANTS(owner);

FIXTURE_SETUP(owner)
{
	self->trial = variant->trial;
	ASSERT_EQ(0, net_enter());
	self->before = locals_max();
	ASSERT_LE(1024, self->before);
	ASSERT_LE(CPUS, cpus_online());
	ASSERT_EQ(0, locals_max_set(MAX));
}

FIXTURE_TEARDOWN(owner)
{
	EXPECT_EQ(0, locals_max_set(self->before));
}

/* Wait on it on each CPU. Return: a listener or a negative errno. */
static int listener(const struct trial *p)
{
	int cpu, fd = sock_listen(p, 16);

	for (cpu = 0; fd >= 0 && cpu < CPUS; cpu++)
		if (!sock_claim(fd, cpu))
			return -EIO;
	return fd;
}

static bool served(const struct trial *p, int fd)
{
	int client = sock_dial(p, sock_port(fd));
	int child = client < 0 ? -1 : sock_accept(fd);

	if (client >= 0)
		sock_reset(client);
	if (child >= 0)
		close(child);
	return child >= 0;
}

/* Who is root here is told how many an owner has, nobody else is. */
static bool told = true;

static bool row_says(int fd, bool limited, uint32_t locals)
{
	struct core_row row;

	return row_get(sock_port(fd), -1, &row) && row.limited == limited &&
	       row.owner_locals == (told ? locals : 0);
}

static int become(int id)
{
	told = false;
	return setgroups(0, NULL) || setgid(id) || setuid(id) ||
	       /* Its parent writes its user map. */
	       prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

/* What a child found: the number of the line that is wrong, or 0. */
#define CHECK(cond) do {						\
	if (!(cond))							\
		return __LINE__ % 255 + 1;				\
} while (0)

/* Whoever is root here has no limit. */
TEST_F(owner, root__has_no_limit)
{
	int fd = listener(&self->trial);

	ASSERT_LE(0, fd);
	EXPECT_EQ(CPUS, count(FSK_STAT_LOCAL_CREATE));
	EXPECT_EQ(0, count(FSK_STAT_LOCAL_LIMIT));
	EXPECT_TRUE(row_says(fd, false, CPUS));
}

/* Over the limit a core is served as on the plain kernel, and as soon as there
 * is room it has its local listener.
 */
static int tenant_alone(const struct trial *p)
{
	int fd, other;
	uint32_t cpu;

	CHECK(!become(TENANT));
	fd = listener(p);
	CHECK(fd >= 0);
	CHECK(count(FSK_STAT_LOCAL_CREATE) == MAX);
	CHECK(count(FSK_STAT_LOCAL_LIMIT) == 1);
	CHECK(count(FSK_STAT_LOCAL_NOMEM) == 0);
	CHECK(row_says(fd, true, MAX));
	/* Bound to the last of the CPUs */
	CHECK(served(p, fd));
	CHECK(count(FSK_STAT_ACCEPT_APP) == 1);
	CHECK(count(FSK_STAT_SYN_LOCAL) == 0);
	CHECK(ioctl(fd, FSK_IOC_PIN, &cpu) && errno == EDQUOT);

	other = listener(p);
	CHECK(other >= 0);
	CHECK(row_says(other, true, MAX));
	CHECK(count(FSK_STAT_LOCAL_CREATE) == MAX);
	CHECK(served(p, other));
	CHECK(!close(fd));
	CHECK(sock_claim(other, CPUS - 1));
	CHECK(count(FSK_STAT_LOCAL_CREATE) == MAX + 1);
	CHECK(row_says(other, false, 1));
	CHECK(served(p, other));
	CHECK(count(FSK_STAT_SYN_LOCAL) == 1);
	return 0;
}

#define TENANT_TEST(name, function)					\
TEST_F(owner, name)							\
{									\
	pid_t pid = fork_child();					\
									\
	if (!pid)							\
		_exit(function(&self->trial));				\
	EXPECT_EQ(0, reap(pid)) TH_LOG("line, modulo 255, plus 1");	\
}

TENANT_TEST(tenant__limited, tenant_alone)

/* Others' listeners are others' business. */
static int two_tenants(const struct trial *p)
{
	pid_t pid = fork_child();
	int fd;

	if (!pid)
		_exit(become(TENANT) || listener(p) < 0 ? 1 : 0);
	CHECK(reap(pid) == 0);
	CHECK(!become(TENANT - 1));
	fd = listener(p);
	CHECK(fd >= 0);
	CHECK(row_says(fd, true, MAX));
	CHECK(count(FSK_STAT_LOCAL_CREATE) == 2 * MAX);
	return 0;
}

TENANT_TEST(tenant__each_its_own, two_tenants)

/* The opener of a listener pays for it, not its user */
static int opened_by_root(const struct trial *p)
{
	int cpu, fd = sock_listen(p, 16);

	CHECK(fd >= 0);
	CHECK(!become(TENANT));
	for (cpu = 0; cpu < CPUS; cpu++)
		CHECK(sock_claim(fd, cpu));
	CHECK(count(FSK_STAT_LOCAL_CREATE) == CPUS);
	CHECK(row_says(fd, false, CPUS));
	return 0;
}

TENANT_TEST(tenant__serves_for_root, opened_by_root)

/* Containers */

/* @who: a process number, or "self" */
static int map_write(const char *who, const char *name, const char *map)
{
	char path[64];
	int fd, n;

	snprintf(path, sizeof(path), "/proc/%s/%s", who, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	n = write(fd, map, strlen(map));
	close(fd);
	return n == strlen(map) ? 0 : -errno;
}

static int container(void)
{
	return unshare(CLONE_NEWUSER) || net_enter() ? -errno : 0;
}

/* One may make another container in it only if the user who does is one there.
 */
static int container_mapped(int id)
{
	char map[32];

	snprintf(map, sizeof(map), "0 %d 1", id);
	return container() ?: map_write("self", "uid_map", map) ?:
	       map_write("self", "setgroups", "deny") ?:
	       map_write("self", "gid_map", map);
}

/* The container's root may set what is its own, and not this. */
static int cannot_lift(const struct trial *p)
{
	CHECK(!become(TENANT));
	CHECK(!container());
	CHECK(rescue_set_ms(33) == 0);
	CHECK(locals_max_set(1000000) == -EPERM);
	CHECK(locals_max() == MAX);
	return 0;
}

TENANT_TEST(container__cannot_lift_limit, cannot_lift)

/* What moves packets to CPUs of others is not the container's, all else is. */
static int cannot_steer(const struct trial *p)
{
	static const struct rss rss = {
		.key_len = FSK_RFD_KEY_MIN,
		.entries = 1,
		.hash = FSK_RFD_HASH_TCP4,
	};

	CHECK(!become(TENANT));
	CHECK(!container());
	CHECK(rfd_config(FSK_RFD_STEER, false) == -EPERM);
	CHECK(rfd_config(FSK_RFD_MASK, true) == 0);
	CHECK(rfd_config(FSK_RFD_OFF, false) == 0);
	CHECK(rfd_set(1, FSK_RFD_STEER, NULL) == -EPERM);
	CHECK(rfd_set(1, FSK_RFD_NTUPLE, NULL) == -EPERM);
	CHECK(rfd_set(1, FSK_RFD_RSS, &rss) == -EPERM);
	CHECK(rfd_entries(1) == -ENOENT);
	CHECK(rfd_set(1, FSK_RFD_MASK, NULL) == 0);
	CHECK(est_config(true, 4) == 0 && est_config(false, 4) == 0);
	CHECK(vfs_set(true) == 0 && vfs_set(false) == 0);
	return 0;
}

TENANT_TEST(container__cannot_steer, cannot_steer)

/* One user, two namespaces, one in the other */
static int nested(const struct trial *p)
{
	int fd;

	CHECK(!become(TENANT));
	CHECK(!container_mapped(TENANT));
	fd = listener(p);
	CHECK(fd >= 0);
	CHECK(count(FSK_STAT_LOCAL_CREATE) == MAX);
	CHECK(count(FSK_STAT_LOCAL_LIMIT) == 1);
	CHECK(row_says(fd, true, MAX));
	CHECK(served(p, fd));

	CHECK(!container());
	fd = listener(p);
	CHECK(fd >= 0);
	CHECK(count(FSK_STAT_LOCAL_CREATE) == 0);
	CHECK(count(FSK_STAT_LOCAL_LIMIT) >= 1);
	CHECK(row_says(fd, true, MAX));
	CHECK(served(p, fd));
	CHECK(count(FSK_STAT_ACCEPT_APP) == 1);
	return 0;
}

TENANT_TEST(container__nested, nested)

/* With many users of its own, as those of container runtimes */
static int other_users(const struct trial *p, int parent)
{
	int fd, id;
	pid_t pid;
	char byte;

	CHECK(!become(TENANT));
	CHECK(!container());
	CHECK(write(parent, "u", 1) == 1 && read(parent, &byte, 1) == 1);
	for (id = 1; id <= 2; id++) {
		/* One that is root no more can't be another. */
		pid = fork_child();
		if (!pid) {
			fd = setgid(id) || setuid(id) ? -1 : listener(p);
			_exit(fd < 0 || !row_says(fd, true, MAX));
		}
		CHECK(reap(pid) == 0);
		CHECK(count(FSK_STAT_LOCAL_CREATE) == id * MAX);
	}
	fd = listener(p);
	CHECK(fd >= 0 && row_says(fd, true, MAX));
	CHECK(count(FSK_STAT_LOCAL_CREATE) == 3 * MAX);
	pid = fork_child();
	if (!pid) {
		/* As yet another, while the first holds all there is */
		fd = setgid(3) || setuid(3) ? -1 : listener(p);
		_exit(fd < 0 || !row_says(fd, true, MAX) ||
		      count(FSK_STAT_LOCAL_CREATE) != 3 * MAX);
	}
	return reap(pid);
}

TEST_F(owner, container__with_many_users)
{
	int pair[2];
	char who[16], byte;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork_child();
	if (!pid)
		_exit(other_users(&self->trial, pair[1]));
	ASSERT_EQ(1, read(pair[0], &byte, 1));
	snprintf(who, sizeof(who), "%d", pid);
	ASSERT_EQ(0, map_write(who, "uid_map", "0 65534 1\n1 100000 10"));
	ASSERT_EQ(0, map_write(who, "gid_map", "0 65534 1\n1 100000 10"));
	ASSERT_EQ(1, write(pair[0], "g", 1));
	EXPECT_EQ(0, reap(pid));
}

TEST_F(owner, config__limits)
{
	EXPECT_EQ(0, locals_max_set(FSK_LOCALS_MAX_MAX));
	EXPECT_EQ(-ERANGE, locals_max_set(FSK_LOCALS_MAX_MAX + 1u));
	EXPECT_EQ(0, locals_max_set(0));
	EXPECT_EQ(0, locals_max());
}

TEST_HARNESS_MAIN
