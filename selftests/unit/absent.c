// SPDX-License-Identifier: GPL-2.0
/*
 * What an older module lacks is absent, and not 0: see tools/cmd_status.c and
 * cmd_show_stats.c.
 */
#include <stdio.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "fake_module.h"
#include "text.h"

#include "../../tools/base/version.h"
#define fsk_version_tool "1"
#include "../../tools/cmd_show_stats.c"
#include "../../tools/cmd_status.c"

int fsk_all_netns;

unsigned int fsk_nic_port_mask(void)
{
	abort();
}

void fsk_version_installed(char *version)
{
	*version = '\0';
}

unsigned int fsk_library_count_replaced(void)
{
	return 0;
}

const char *fsk_boot_reload(void)
{
	abort();
}

void fsk_boot_read(struct fsk_boot *boot, const char *root)
{
	memset(boot, 0, sizeof(*boot));
}

int fsk_status_all_netns(void)
{
	abort();
}

struct fsk_nl *fsk_nl_open(void)
{
	abort();
}

void fsk_nl_close(struct fsk_nl *nl)
{
}

int fsk_words(int argc, char **argv, int min, int max,
	      const struct option *options)
{
	abort();
}

const char *fsk_option_value(int option)
{
	abort();
}

int fsk_option_seconds(int option, double *seconds)
{
	abort();
}

int fsk_option_count(int option, unsigned long *count)
{
	abort();
}

int fsk_show(const struct fsk_show *show, void *data)
{
	abort();
}

FIXTURE(absent) {
	struct fsk_stats_all stats;
	FILE *file;
	int saved;
	char out[16384];
};

/* An old module: it has two settings, and the first of all counters. */
FIXTURE_SETUP(absent)
{
	struct nlmsghdr *msg = answer(FSK_CMD_STATS_GET);
	struct nlattr *nest;

	mnl_attr_put_u32(msg, FSK_A_STATS_CPU, 0);
	nest = mnl_attr_nest_start(msg, FSK_A_STATS_COUNTERS);
	mnl_attr_put_u64(msg, FSK_STAT_TO_ATTR(0), 8);
	mnl_attr_nest_end(msg, nest);
	msg = answer(FSK_CMD_CONFIG_GET);
	mnl_attr_put_u32(msg, FSK_A_CONFIG_RESCUE_MS, 0);
	mnl_attr_put_u8(msg, FSK_A_CONFIG_VFS, 0);
	msg = answer(FSK_CMD_STATUS_GET);
	mnl_attr_put_strz(msg, FSK_A_STATUS_VERSION, "0");
	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, fsk_read_stats(NULL, &self->stats));
	fflush(stdout);
	self->file = tmpfile();
	self->saved = dup(STDOUT_FILENO);
	dup2(fileno(self->file), STDOUT_FILENO);
}

FIXTURE_TEARDOWN(absent)
{
	fsk_read_stats_reset(&self->stats);
	forget_answers();
	fclose(self->file);
	close(self->saved);
}

/* What was printed; nothing more is taken. */
static void printed(FIXTURE_DATA(absent) *self)
{
	fflush(stdout);
	dup2(self->saved, STDOUT_FILENO);
	text_of(self->file, self->out, sizeof(self->out));
}

TEST_F(absent, status__text)
{
	struct fsk_values values = { 0 };

	EXPECT_EQ(0, fsk_status_read(NULL, &values));
	printed(self);
	EXPECT_NE(NULL, strstr(self->out, "\nrescue-ms          0\n"));
	EXPECT_NE(NULL, strstr(self->out, "\nvfs                off\n"));
	EXPECT_NE(NULL, strstr(self->out, "\nlocals-max         -\n"));
	EXPECT_NE(NULL, strstr(self->out, "\nestablished        -\n"));
}

TEST_F(absent, status__json)
{
	struct fsk_values values = { 0 };

	fsk_json = true;
	EXPECT_EQ(0, fsk_status_read(NULL, &values));
	printed(self);
	EXPECT_NE(NULL, strstr(self->out, "\"rescue-ms\""));
	EXPECT_NE(NULL, strstr(self->out, "\"vfs\""));
	EXPECT_EQ(NULL, strstr(self->out, "locals-max"));
	EXPECT_EQ(NULL, strstr(self->out, "established"));
}

TEST_F(absent, stats__text)
{
	fsk_stats_text(&self->stats);
	printed(self);
	EXPECT_NE(NULL, strstr(self->out, fsk_stat_names[0].name));
	EXPECT_EQ(NULL, strstr(self->out,
			       fsk_stat_names[__FSK_STAT_MAX - 1].name));
}

TEST_F(absent, stats__json)
{
	fsk_stats_json(&self->stats);
	printed(self);
	EXPECT_NE(NULL, strstr(self->out, fsk_stat_names[0].name));
	EXPECT_EQ(NULL, strstr(self->out,
			       fsk_stat_names[__FSK_STAT_MAX - 1].name));
}

TEST_F(absent, stats__rates)
{
	fsk_stats_json_all_rates(&self->stats, 2);
	printed(self);
	EXPECT_NE(NULL, strstr(self->out, fsk_stat_names[0].name));
	EXPECT_EQ(NULL, strstr(self->out,
			       fsk_stat_names[__FSK_STAT_MAX - 1].name));
}

TEST_HARNESS_MAIN
