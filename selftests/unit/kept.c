// SPDX-License-Identifier: GPL-2.0
/* Whose settings are kept, see tools/base/kept.c. Interfaces and devices are
 * folders of our own, with inodes of their own.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "../../tools/base/kept.h"
#include "../../tools/base/lower.h"

#define DEVICE	"0000:01:00.0"

/* kept_names() alone needs it. */
void fsk_lower_add(struct fsk_lower *names, const char *name)
{
}

FIXTURE(kept)
{
};

static void file(const char *folder, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

/* An interface of the device; @label is what the card calls its port. */
static void interface(const char *name, const char *label)
{
	char path[512], device[600];

	snprintf(path, sizeof(path), FSK_KEPT_NET "/%s", name);
	snprintf(device, sizeof(device), "%s/device", path);
	if (mkdir(path, 0700) ||
	    symlink(FSK_KEPT_TOP "/" DEVICE, device))
		abort();
	file(path, "dev_port", "0\n");
	if (label)
		file(path, "phys_port_name", label);
}

static void renamed(const char *from, const char *to)
{
	char old[512], new[512];

	snprintf(old, sizeof(old), FSK_KEPT_NET "/%s", from);
	snprintf(new, sizeof(new), FSK_KEPT_NET "/%s", to);
	if (rename(old, new))
		abort();
}

/* Keep one setting of an interface, which says whose it is. */
static int keep(const char *name)
{
	struct fsk_kept kept;
	int status;

	if (!fsk_kept_init(&kept, name) || !fsk_kept_add(&kept, "is", name))
		return -1;
	status = fsk_kept_save(&kept);
	fsk_kept_free(&kept);
	return status;
}

/* Whose settings are kept for an interface? Empty for nobody's. */
static int whose(const char *name, char text[64])
{
	struct fsk_kept kept;
	int status;

	*text = '\0';
	if (!fsk_kept_init(&kept, name))
		return -1;
	status = fsk_kept_load(&kept);
	if (kept.count)
		snprintf(text, 64, "%s", kept.lines[0].value);
	fsk_kept_free(&kept);
	return status;
}

/* What has become of the settings that are kept for an interface? */
static const char *lost(const char *name, char *now)
{
	struct fsk_kept kept;
	const char *why;

	if (!fsk_kept_init(&kept, name) || fsk_kept_load(&kept))
		return "not loaded";
	why = fsk_kept_lost(&kept, now);
	fsk_kept_free(&kept);
	return why;
}

FIXTURE_SETUP(kept)
{
	ASSERT_EQ(0, system("rm -rf " FSK_KEPT_TOP " " FSK_KEPT_NET));
	ASSERT_EQ(0, system("mkdir -p " FSK_KEPT_TOP "/tune " FSK_KEPT_NET));
	ASSERT_EQ(0, mkdir(FSK_KEPT_TOP "/" DEVICE, 0700));
}

FIXTURE_TEARDOWN(kept)
{
	ASSERT_EQ(0, system("rm -rf " FSK_KEPT_TOP " " FSK_KEPT_NET));
}

/* Virtual functions behind a switch in the card: one device, one number. */
TEST_F(kept, ports_of_a_switch)
{
	char text[64];

	interface("up", "p0\n");
	interface("vf0", "pf0vf0\n");
	interface("vf1", "pf0vf1\n");
	EXPECT_EQ(0, keep("vf0"));
	EXPECT_EQ(0, whose("vf1", text));
	EXPECT_STREQ("", text);
	EXPECT_EQ(0, whose("up", text));
	EXPECT_STREQ("", text);
	EXPECT_EQ(0, keep("vf1"));
	EXPECT_EQ(0, whose("vf0", text));
	EXPECT_STREQ("vf0", text);
	EXPECT_EQ(0, whose("vf1", text));
	EXPECT_STREQ("vf1", text);
}

TEST_F(kept, renamed)
{
	char text[64], now[IF_NAMESIZE];

	interface("vf0", "pf0vf0\n");
	interface("vf1", "pf0vf1\n");
	ASSERT_EQ(0, keep("vf0"));
	renamed("vf0", "old");
	renamed("vf1", "vf0");
	EXPECT_EQ(0, whose("old", text));
	EXPECT_STREQ("vf0", text);
	EXPECT_EQ(NULL, lost("old", now));
	EXPECT_STREQ("old", now);
	EXPECT_EQ(0, whose("vf0", text));
	EXPECT_STREQ("", text);
}

/* A port's name is no path, and ends not as that of a file in the making. */
TEST_F(kept, odd_name)
{
	char text[64];

	interface("odd", "../.new\n");
	EXPECT_EQ(0, keep("odd"));
	EXPECT_EQ(0, whose("odd", text));
	EXPECT_STREQ("odd", text);
	EXPECT_EQ(0, access(FSK_KEPT_TOP "/tune/" DEVICE ".0-____new", F_OK));
}

/* Ports without names: whoever comes second takes nothing for its own. */
TEST_F(kept, same_port)
{
	char text[64], now[IF_NAMESIZE];

	interface("first", NULL);
	interface("second", NULL);
	ASSERT_EQ(0, keep("first"));
	EXPECT_NE(0, whose("second", text));
	EXPECT_STREQ("", text);
	EXPECT_EQ(0, whose("first", text));
	EXPECT_STREQ("first", text);
	EXPECT_EQ(NULL, lost("first", now));
	EXPECT_STREQ("first", now);
}

/* The old interface goes, another one has its device. */
TEST_F(kept, driver_anew)
{
	char now[IF_NAMESIZE];

	interface("eth0", NULL);
	ASSERT_EQ(0, keep("eth0"));
	interface("new", NULL);
	ASSERT_EQ(0, system("rm -r " FSK_KEPT_NET "/eth0"));
	renamed("new", "eth0");
	EXPECT_STREQ("its device got a driver anew", lost("eth0", now));
	EXPECT_STREQ("eth0", now);
}

/* What any user may open, any user may lock for good. */
TEST_F(kept, lock_is_roots)
{
	int fd = open(FSK_KEPT_TOP "/tune", O_RDONLY | O_DIRECTORY);
	struct stat lock;
	int status = -1;
	pid_t pid;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, flock(fd, LOCK_EX));
	pid = fork();
	if (!pid) {
		alarm(5);
		_exit(fsk_kept_lock());
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, stat(FSK_KEPT_TOP "/tune.lock", &lock));
	EXPECT_EQ(0600, lock.st_mode & 0777);
}

TEST_HARNESS_MAIN
