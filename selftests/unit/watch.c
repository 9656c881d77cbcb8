// SPDX-License-Identifier: GPL-2.0
/* Rounds of `rfd watch`, see tools/cmd_rfd_watch.c, with other interfaces. */
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "kselftest_harness.h"

#include "../../tools/base/conf.h"
#include "no_module.h"
#include "rfd_rows.h"

static int test_conf_read(struct fsk_conf *conf, int count, char **files);
static void test_free(struct if_nameindex *all);
static int test_poll(struct pollfd *fds, nfds_t count, int timeout);
static int test_clock(clockid_t clock, struct timespec *now);

#define fsk_conf_read		test_conf_read
#define poll			test_poll
#define clock_gettime		test_clock
#define if_freenameindex	test_free
#include "../../tools/cmd_rfd_watch.c"

/* br0 belongs to no device. */
static struct if_nameindex interfaces[] = {
	{ 1, "br0" }, { 2, "eth0" }, { 3, "eth1" }, { 0, NULL }
};

static unsigned int applied;	/* times */
static unsigned int refused;	/* the interface that the module refuses */
static bool one_core;
static bool loaded;
static const char *text;	/* the configuration */

static int test_conf_read(struct fsk_conf *conf, int count, char **files)
{
	return fsk_conf_read_text(conf, text) || conf->errors ? 1 : 0;
}

/* "lan0" is another name of eth0. */
unsigned int if_nametoindex(const char *name)
{
	if (!strcmp(name, "lan0"))
		return interfaces[1].if_index;
	for (int i = 0; interfaces[i].if_index; i++)
		if (!strcmp(interfaces[i].if_name, name))
			return interfaces[i].if_index;
	return 0;
}

/* The time, and how often there is an event; 0: never. */
static int now_ms, every_ms;

/* An event comes before the time is over, or none. */
static int test_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	bool event = every_ms && every_ms < timeout;

	now_ms += event ? every_ms : timeout;
	for (nfds_t i = 0; i < count; i++)
		fds[i].revents = event && i == 1 ? POLLIN : 0;
	return event;
}

static int test_clock(clockid_t clock, struct timespec *now)
{
	now->tv_sec = now_ms / 1000;
	now->tv_nsec = now_ms % 1000 * 1000000;
	return 0;
}

static bool no_list;

struct if_nameindex *fsk_nic_all(void)
{
	return no_list ? NULL : interfaces;
}

/* As the C library's, it takes no NULL. */
static void test_free(struct if_nameindex *all)
{
	if (all != interfaces)
		abort();
}

struct fsk_nl *fsk_nl_open(void)
{
	return loaded ? (struct fsk_nl *)rows : NULL;
}

void fsk_nl_close(struct fsk_nl *nl)
{
}

uint32_t fsk_nl_group(const char *family, const char *group)
{
	abort();
}

int fsk_words(int argc, char **argv, int min, int max,
	      const struct option *options)
{
	abort();
}

static bool busy;	/* eth0 takes no rules at the moment */

int fsk_ntuple_add(const struct fsk_nic *nic, char *refuse, size_t size)
{
	snprintf(refuse, size, "%s", busy ? "busy" : "");
	return busy;
}

int fsk_nic_read(const char *name, struct fsk_nic *nic)
{
	memset(nic, 0, sizeof(*nic));
	snprintf(nic->name, sizeof(nic->name), "%s", name);
	nic->device = *name == 'e';
	return 0;
}

int fsk_nic_sysfs(void)
{
	abort();
}

void fsk_rfd_choose(const struct fsk_nic *nic, bool dry_run,
		    struct fsk_choice *choice)
{
	*choice = (struct fsk_choice) {
		.mode = FSK_RFD_STEER, .none = one_core,
	};
}

int fsk_rfd_apply(struct fsk_nl *nl, const char *name,
		  const struct fsk_nic *nic, const struct fsk_choice *choice)
{
	unsigned int ifindex = if_nametoindex(name);
	size_t i;

	applied++;
	if (ifindex == refused) {
		fsk_error("refused");
		return 2;
	}
	for (i = 0; i < row_count && rows[i].ifindex != ifindex; i++)
		;
	if (choice->none)
		return 0;
	rows[i].ifindex = ifindex;
	rows[i].mode = choice->mode;
	row_count += i == row_count;
	return 0;
}

static int mode_of(const char *name)
{
	for (size_t i = 0; i < row_count; i++)
		if (rows[i].ifindex == if_nametoindex(name))
			return rows[i].mode;
	return -1;
}

FIXTURE(watch) {
	struct fsk_watch watch;
	char said[4096];
};

FIXTURE_SETUP(watch)
{
	memset(self, 0, sizeof(*self));
	loaded = true;
	text = "";
}

FIXTURE_TEARDOWN(watch)
{
	for (size_t i = 0; i < self->watch.seen_count; i++)
		free(self->watch.seen[i]);
	free(self->watch.seen);
	free(self->watch.machine.interfaces);
	fsk_conf_free(&self->watch.conf);
}

/* A round; self->said is what it writes to standard error. */
static int go(FIXTURE_DATA(watch) *self)
{
	int status, saved = dup(STDERR_FILENO), out = dup(STDOUT_FILENO);
	FILE *errors = tmpfile(), *null = fopen("/dev/null", "w");
	size_t len;

	fflush(stdout);
	dup2(fileno(null), STDOUT_FILENO);
	dup2(fileno(errors), STDERR_FILENO);
	applied = 0;
	status = fsk_watch_round(&self->watch);
	fflush(NULL);
	dup2(saved, STDERR_FILENO);
	dup2(out, STDOUT_FILENO);
	close(saved);
	close(out);
	fclose(null);
	rewind(errors);
	len = fread(self->said, 1, sizeof(self->said) - 1, errors);
	self->said[len] = '\0';
	fclose(errors);
	return status;
}

TEST_F(watch, others_go_on)
{
	refused = 2;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(FSK_RFD_STEER, mode_of("eth1"));
	EXPECT_STREQ("fastsocket: eth0: refused\n", self->said);
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(1, applied);
	EXPECT_STREQ("", self->said);
	refused = 0;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(FSK_RFD_STEER, mode_of("eth0"));
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(0, applied);
	loaded = false;
	EXPECT_EQ(2, go(self));
}

/* An interface without a device gets a mode if the configuration names it. */
TEST_F(watch, named)
{
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(-1, mode_of("br0"));
	text = "interfaces: {all: off, br0: mask}\n";
	self->watch.reload = true;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(FSK_RFD_MASK, mode_of("br0"));
	EXPECT_EQ(FSK_RFD_OFF, mode_of("eth1"));
}

/* The configuration may have another of its names. */
TEST_F(watch, other_name)
{
	text = "interfaces: {all: off, lan0: mask}\n";
	self->watch.reload = true;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(FSK_RFD_MASK, mode_of("eth0"));
	EXPECT_EQ(FSK_RFD_OFF, mode_of("eth1"));
	text = "interfaces: {lan0: mask, eth0: off}\n";
	self->watch.reload = true;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(FSK_RFD_OFF, mode_of("eth0"));
}

/* What the files say holds when something is applied, and on SIGHUP. */
TEST_F(watch, reread)
{
	EXPECT_EQ(0, go(self));
	text = "interfaces: {eth0: mask}\n";
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(FSK_RFD_STEER, mode_of("eth0"));
	row_count = 0;	/* the module was loaded again */
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(FSK_RFD_MASK, mode_of("eth0"));
	text = "interfaces: {eth0: nonsense}\n";
	self->watch.reload = true;
	EXPECT_EQ(0, go(self));
	EXPECT_NE(NULL, strstr(self->said, "there is no mode 'nonsense'"));
	EXPECT_NE(NULL, strstr(self->said, "what the configuration said"));
	EXPECT_EQ(FSK_RFD_MASK, mode_of("eth0"));
	EXPECT_EQ(0, applied);
	text = "interfaces: {eth0: off}\n";
	self->watch.reload = true;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(FSK_RFD_OFF, mode_of("eth0"));
}

/* A mode of the configuration that is refused once is tried again. */
TEST_F(watch, refused_once)
{
	text = "interfaces: {eth0: ntuple, eth1: off}\n";
	self->watch.reload = true;
	busy = true;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(FSK_RFD_STEER, mode_of("eth0"));
	EXPECT_STREQ("fastsocket: eth0: no ntuple: busy\n", self->said);
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(0, applied);
	EXPECT_STREQ("", self->said);
	row_count = 0;	/* the module was loaded again */
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(FSK_RFD_STEER, mode_of("eth0"));
	EXPECT_STREQ("", self->said);
	busy = false;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(FSK_RFD_NTUPLE, mode_of("eth0"));
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(0, applied);
	row_count = 0;
	one_core = true;
	busy = true;
	self->watch.reload = true;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(0, applied);
	busy = false;
}

TEST_F(watch, hangup_goes_on)
{
	int fd = fsk_watch_signals();

	kill(getpid(), SIGHUP);
	EXPECT_TRUE(fsk_watch_goes_on(&self->watch, fd));
	EXPECT_TRUE(self->watch.reload);
	kill(getpid(), SIGTERM);
	EXPECT_FALSE(fsk_watch_goes_on(&self->watch, fd));
	close(fd);
}

/* No mode, again and again, is said once, until another core comes. */
TEST_F(watch, one_core)
{
	one_core = true;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(2, applied);
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(0, applied);
	one_core = false;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(FSK_RFD_STEER, mode_of("eth0"));
}

TEST_F(watch, no_list)
{
	EXPECT_EQ(0, go(self));
	no_list = true;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(2, self->watch.seen_count);
	no_list = false;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(0, applied);
}

/* It reads when events pause, and now and then when they don't. */
TEST_F(watch, events)
{
	struct pollfd fds[2] = { { .fd = -1 } };
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair));
	fds[1].fd = pair[0];
	EXPECT_TRUE(fsk_watch_wait(&self->watch, fds, 2));
	EXPECT_EQ(FSK_WATCH_MS, now_ms);
	now_ms = 0;
	every_ms = 300;
	EXPECT_TRUE(fsk_watch_wait(&self->watch, fds, 2));
	EXPECT_EQ(500, now_ms);
	now_ms = 0;
	every_ms = 50;
	alarm(5);
	EXPECT_TRUE(fsk_watch_wait(&self->watch, fds, 2));
	alarm(0);
	EXPECT_EQ(FSK_WATCH_MS, now_ms);
	close(pair[0]);
	close(pair[1]);
}

/* Interfaces come and go, as containers do; each would be kept. */
TEST_F(watch, gone)
{
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(2, self->watch.seen_count);
	interfaces[1].if_index = 4;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(2, self->watch.seen_count);
	interfaces[1].if_index = 0;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(0, self->watch.seen_count);
	interfaces[1].if_index = 2;
	EXPECT_EQ(0, go(self));
	EXPECT_EQ(2, applied);
}

TEST_HARNESS_MAIN
