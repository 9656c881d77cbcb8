// SPDX-License-Identifier: GPL-2.0
/* `config check`, `config show` and `config apply`, see tools/cmd_config.c. */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"

#include "no_module.h"
#include "text.h"

#include "../../tools/cmd_config.c"

/* "lan0" is another name of eth0. */
unsigned int if_nametoindex(const char *name)
{
	return !strcmp(name, "eth0") || !strcmp(name, "lan0") ? 7 :
	       !strcmp(name, "eth1") ? 8 : 0;
}

static char done[512];	/* what was applied */

static int note(const char *name, int mode)
{
	size_t len = strlen(done);

	snprintf(done + len, sizeof(done) - len, "%s=%s ", name,
		 mode < 0 ? "auto" : fsk_rfd_mode_name(mode));
	return 0;
}

int fsk_rfd_set_one(struct fsk_nl *nl, const char *name, unsigned int mode,
		    bool dry_run)
{
	return note(name, mode);
}

int fsk_rfd_auto_one(struct fsk_nl *nl, const char *name, bool dry_run)
{
	return note(name, -1);
}

/* eth0 and eth1 are there. */
int fsk_rfd_all(struct fsk_nl *nl, int mode, bool dry_run,
		bool (*leave)(const char *name, void *data), void *data)
{
	return (leave("eth0", data) ? 0 : note("eth0", mode)) ||
	       (leave("eth1", data) ? 0 : note("eth1", mode));
}

/* "/full" can't be selected. */
int fsk_selected_set(struct fsk_nl *nl, const char *path, bool selected)
{
	if (!strcmp(path, "/full")) {
		fsk_error("1024 are selected");
		return FSK_EXIT_REFUSED;
	}
	return note(path, selected ? FSK_RFD_STEER : FSK_RFD_OFF);
}

int fsk_enable_refresh(const struct fsk_conf *conf)
{
	return 0;
}

struct fsk_nl *fsk_nl_open(void)
{
	return (struct fsk_nl *)done;
}

void fsk_nl_close(struct fsk_nl *nl)
{
}

int fsk_words(int argc, char **argv, int min, int max,
	      const struct option *options)
{
	return argc - 1;
}

#define TEXT_MAX 4096

FIXTURE(config) {
	char file[32];
	char said[TEXT_MAX];
	char shown[TEXT_MAX];
};

FIXTURE_SETUP(config)
{
	memset(self, 0, sizeof(*self));
	snprintf(self->file, sizeof(self->file), "/tmp/fsk-config-XXXXXX");
	close(mkstemp(self->file));
}

FIXTURE_TEARDOWN(config)
{
	unlink(self->file);
}

/* Take what was written to a file instead of @fd, which is @saved again. */
static void take(FILE *file, int fd, int saved, char *text)
{
	dup2(saved, fd);
	close(saved);
	text_of(file, text, TEXT_MAX);
	fclose(file);
}

/* Give a command this configuration. What it writes to standard output is in
 * self->shown, and to standard error in self->said, with "F" for the file's
 * name.
 */
static int run(FIXTURE_DATA(config) *self, int (*command)(int, char **),
	       const char *text)
{
	char *words[3] = { "config", self->file, NULL }, *name;
	FILE *errors = tmpfile(), *output = tmpfile(), *file;
	int status, saved[2] = { dup(STDOUT_FILENO), dup(STDERR_FILENO) };
	size_t len = strlen(self->file);

	file = fopen(self->file, "w");
	fputs(text, file);
	fclose(file);
	fflush(stdout);
	dup2(fileno(output), STDOUT_FILENO);
	dup2(fileno(errors), STDERR_FILENO);
	*done = '\0';
	status = command(2, words);
	fflush(NULL);
	take(output, STDOUT_FILENO, saved[0], self->shown);
	take(errors, STDERR_FILENO, saved[1], self->said);
	while ((name = strstr(self->said, self->file))) {
		*name = 'F';
		memmove(name + 1, name + len, strlen(name + len) + 1);
	}
	return status;
}

/* Of two names of an interface the last one holds. */
TEST_F(config, apply__other_name)
{
	EXPECT_EQ(0, run(self, fsk_cmd_config_apply,
			 "interfaces: {lan0: mask, eth0: off, all: auto}\n"));
	EXPECT_STREQ("eth0=off eth1=auto ", done);
	EXPECT_EQ(0, run(self, fsk_cmd_config_apply,
			 "interfaces: {eth0: off, lan0: auto}\n"));
	EXPECT_STREQ("lan0=auto ", done);
}

/* One that can't be selected keeps no other from it. */
TEST_F(config, apply__cgroups)
{
	EXPECT_EQ(2, run(self, fsk_cmd_config_apply,
			 "interfaces: {eth1: mask}\n"
			 "cgroups: {/full: on, /a: on, /b: off}\n"));
	EXPECT_STREQ("eth1=mask /a=steer /b=off ", done);
	EXPECT_STREQ("fastsocket: /full: 1024 are selected\n", self->said);
}

TEST_F(config, check__other_name)
{
	EXPECT_EQ(0, run(self, fsk_cmd_config_check,
			 "interfaces:\n"
			 "  lan0: mask\n"
			 "  eth0: off\n"
			 "  eth1: off\n"
			 "  eth2: off\n"
			 "  all: auto\n"));
	EXPECT_STREQ("F:2:9: lan0 is also named eth0, and F:3 holds\n",
		     self->said);
}

/* What holds, as `apply` has it. */
TEST_F(config, show__other_name)
{
	static const char text[] = "interfaces: {lan0: mask, eth1: steer, "
				   "eth0: off, all: auto, eth2: mask}\n";

	EXPECT_EQ(0, run(self, fsk_cmd_config_show, text));
	EXPECT_EQ(NULL, strstr(self->shown, "lan0"));
	EXPECT_NE(NULL, strstr(self->shown, "  eth0: off "));
	EXPECT_NE(NULL, strstr(self->shown, "  eth1: steer "));
	EXPECT_NE(NULL, strstr(self->shown, "  all: auto "));
	EXPECT_NE(NULL, strstr(self->shown, "  eth2: mask "));
	fsk_json = true;
	EXPECT_EQ(0, run(self, fsk_cmd_config_show, text));
	EXPECT_EQ(NULL, strstr(self->shown, "lan0"));
	EXPECT_NE(NULL, strstr(self->shown, "eth0"));
	EXPECT_NE(NULL, strstr(self->shown, "eth2"));
}

TEST_HARNESS_MAIN
