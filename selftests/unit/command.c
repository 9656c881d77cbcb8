// SPDX-License-Identifier: GPL-2.0
/* Commands of other programs, see tools/base/command.c. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "../../tools/base/command.h"

/* Run words of a shell. What it says on standard error is in @said. */
static int sh(const char *script, char **text, bool quiet, char *said,
	      size_t size)
{
	char *words[4] = { "sh", "-c", (char *)script, NULL };
	int status, saved = dup(STDERR_FILENO);
	FILE *errors = tmpfile();

	dup2(fileno(errors), STDERR_FILENO);
	status = fsk_command_run(words, text, quiet);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(errors);
	said[fread(said, 1, size - 1, errors)] = '\0';
	fclose(errors);
	return status;
}

TEST(run__text)
{
	char *text, said[64];

	EXPECT_EQ(0, sh("echo a; echo b; echo c >&2", &text, false, said,
			sizeof(said)));
	EXPECT_STREQ("a\nb\n", text);
	EXPECT_STREQ("c\n", said);
	free(text);
	EXPECT_EQ(0, sh("echo c >&2", &text, true, said, sizeof(said)));
	EXPECT_STREQ("", text);
	EXPECT_STREQ("", said);
	free(text);
	EXPECT_EQ(0, sh("echo c >&2", NULL, false, said, sizeof(said)));
	EXPECT_STREQ("c\n", said);
}

/* More than a pipe holds. */
TEST(run__long)
{
	char *text, said[64];

	EXPECT_EQ(0, sh("seq 100000", &text, false, said, sizeof(said)));
	EXPECT_EQ(588895, strlen(text));
	free(text);
}

TEST(run__fails)
{
	char *words[2] = { "/nonexistent", NULL };
	char *text, said[64];

	EXPECT_EQ(-1, sh("echo a; exit 3", &text, false, said, sizeof(said)));
	EXPECT_STREQ("a\n", text);
	free(text);
	EXPECT_EQ(-1, sh("kill $$", NULL, false, said, sizeof(said)));
	EXPECT_EQ(ENOENT, fsk_command_run(words, &text, false));
	EXPECT_EQ(NULL, text);
}

/* Whoever runs us may ignore it, and that survives exec(). */
TEST(run__ignored_child)
{
	char *text, said[64];

	signal(SIGCHLD, SIG_IGN);
	EXPECT_EQ(-1, sh("echo a; exit 3", &text, false, said, sizeof(said)));
	EXPECT_STREQ("a\n", text);
	free(text);
	EXPECT_EQ(-1, sh("exit 3", NULL, false, said, sizeof(said)));
	EXPECT_EQ(0, sh("sh -c 'exit 3'; test $? = 3", NULL, false, said,
			sizeof(said)));
	EXPECT_EQ(SIG_IGN, signal(SIGCHLD, SIG_DFL));
}

TEST_HARNESS_MAIN
