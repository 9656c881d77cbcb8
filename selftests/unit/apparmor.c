// SPDX-License-Identifier: GPL-2.0
/* The local part of an AppArmor profile, see tools/base/apparmor.c. Nothing is
 * loaded: the parser is a stand-in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "text.h"

#include "../../tools/base/apparmor.h"

#define FOLDER	FSK_APPARMOR_FOLDER
#define LOCAL	FOLDER "/local/profile"
#define OURS	"/lib/libfsocket.so mr, # made by 'fastsocket enable'\n"

FIXTURE(local)
{
	char text[4096];
};

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), FOLDER "/%s", name);
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

static void put(const char *text)
{
	write_file("local/profile", text);
}

static const char *get(char *text, size_t size)
{
	FILE *file = fopen(LOCAL, "r");

	*text = '\0';
	if (file) {
		text_of(file, text, size);
		fclose(file);
	}
	return text;
}

FIXTURE_SETUP(local)
{
	mkdir(FOLDER, 0700);
	mkdir(FOLDER "/local", 0700);
	ASSERT_EQ(0, symlink("/bin/true", FOLDER "/apparmor_parser"));
	setenv("PATH", FOLDER, 1);
}

FIXTURE_TEARDOWN(local)
{
	unlink(LOCAL);
	rmdir(LOCAL);
	rmdir(FOLDER "/local");
	unlink(FOLDER "/apparmor_parser");
	rmdir(FOLDER);
}

TEST_F(local, none)
{
	ASSERT_EQ(0, fsk_apparmor_add("profile", "/lib/libfsocket.so"));
	EXPECT_STREQ(OURS, get(self->text, sizeof(self->text)));
	ASSERT_EQ(0, fsk_apparmor_remove("profile"));
	EXPECT_STREQ("", get(self->text, sizeof(self->text)));
}

TEST_F(local, once)
{
	put("/a r,\n");
	ASSERT_EQ(0, fsk_apparmor_add("profile", "/old/libfsocket.so"));
	ASSERT_EQ(0, fsk_apparmor_add("profile", "/lib/libfsocket.so"));
	EXPECT_STREQ("/a r,\n" OURS, get(self->text, sizeof(self->text)));
}

/* An editor may leave the last line without an end. */
TEST_F(local, no_newline)
{
	put("/a r,\n/b r,");
	ASSERT_EQ(0, fsk_apparmor_add("profile", "/lib/libfsocket.so"));
	EXPECT_STREQ("/a r,\n/b r,\n" OURS,
		     get(self->text, sizeof(self->text)));
	ASSERT_EQ(0, fsk_apparmor_remove("profile"));
	EXPECT_STREQ("/a r,\n/b r,\n", get(self->text, sizeof(self->text)));
}

/* By the profile's name, or else by the program's. */
TEST_F(local, find)
{
	char file[64];

	EXPECT_FALSE(fsk_apparmor_find("word", "/a/b", file, sizeof(file)));
	write_file("a.b", "include <local/a.b>\n");
	EXPECT_TRUE(fsk_apparmor_find("word//x", "/a/b", file, sizeof(file)));
	EXPECT_STREQ("a.b", file);
	write_file("word", "include <local/word>\n");
	EXPECT_TRUE(fsk_apparmor_find("word//x", "/a/b", file, sizeof(file)));
	EXPECT_STREQ("word", file);
	unlink(FOLDER "/word");
	unlink(FOLDER "/a.b");
}

/* What can't be read is left alone; a loop of links, also for root. */
TEST_F(local, unreadable)
{
	ASSERT_EQ(0, symlink("profile", LOCAL));
	EXPECT_EQ(2, fsk_apparmor_add("profile", "/lib/libfsocket.so"));
	EXPECT_EQ(-1, access(LOCAL, F_OK));
	EXPECT_EQ(-1, access(LOCAL ".new", F_OK));
}

TEST_HARNESS_MAIN
