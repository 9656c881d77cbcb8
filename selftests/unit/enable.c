// SPDX-License-Identifier: GPL-2.0
/*
 * Drop-ins of services, see tools/cmd_enable.c. A user's manager has them, as
 * its folder can be any; systemctl and AppArmor's parser are stand-ins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "kselftest_harness.h"

#include "no_module.h"
#include "text.h"

#include "../../tools/cmd_enable.c"

#define FOLDER	FSK_TEST_FOLDER
#define UNIT	FOLDER "/systemd/user/one.service.d/50-fastsocket.conf"
#define LOCAL	FOLDER "/apparmor.d/local/usr.bin.env"
#define PARSED	FOLDER "/parsed"
#define KERNEL	FSK_APPARMOR_KERNEL
#define LIBRARY	"/usr/lib/libfsocket.so"
#define OURS	LIBRARY " mr, # made by 'fastsocket enable'\n"
#define LOADED	"LoadState=loaded\nMainPID=0\n" \
	"ExecStart={ path=/usr/bin/env ; argv[]=/usr/bin/env ; status=0/0 }\n"

bool fsk_nic_netns;

int fsk_words(int argc, char **argv, int min, int max,
	      const struct option *options)
{
	abort();
}

int fsk_words_check(int argc, char **argv, int min, int max)
{
	abort();
}

const char *fsk_option_value(int letter)
{
	abort();
}

int fsk_selected_forget(const char *unit)
{
	return 0;
}

static unsigned long flags;	/* of all mounts */

int statvfs(const char *path, struct statvfs *mount)
{
	*mount = (struct statvfs) { .f_flag = flags };
	return 0;
}

/* Make a file, and the folders above it. */
static void put(const char *path, const char *text)
{
	char whole[PATH_MAX];
	FILE *file;

	snprintf(whole, sizeof(whole), "%s", path);
	file = fsk_enable_folders(whole) ? NULL : fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

FIXTURE(enable)
{
	struct fsk_conf conf;
	struct fsk_refresh refresh;
	char text[8192];
};

/* A service that the manager knows; nothing is configured. */
FIXTURE_SETUP(enable)
{
	ASSERT_EQ(0, system("rm -rf " FOLDER));
	put(FOLDER "/bin/systemctl", "#!/bin/sh\n[ $2 = daemon-reload ] || "
	    "cat " FOLDER "/show\n");
	ASSERT_EQ(0, chmod(FOLDER "/bin/systemctl", 0700));
	put(FOLDER "/bin/apparmor_parser", "#!/bin/sh\n"
	    "echo \"$@\" >>" PARSED "\n[ -e \"$2\" ]\n");
	ASSERT_EQ(0, chmod(FOLDER "/bin/apparmor_parser", 0700));
	setenv("PATH", FOLDER "/bin:/usr/bin:/bin", 1);
	setenv("XDG_CONFIG_HOME", FOLDER, 1);
	put(FOLDER "/show", LOADED);
	self->refresh.conf = &self->conf;
	self->refresh.enable.user = 1;
	self->refresh.enable.again = true;
	snprintf(self->refresh.enable.library, PATH_MAX, LIBRARY);
	snprintf(self->refresh.enable.tool, PATH_MAX, "/usr/bin/fastsocket");
}

FIXTURE_TEARDOWN(enable)
{
	EXPECT_EQ(0, system("rm -r " FOLDER));
}

static const char *get(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");

	*text = '\0';
	if (file) {
		text_of(file, text, size);
		fclose(file);
	}
	return text;
}

#define file(path)	get(path, self->text, sizeof(self->text))
#define again()		fsk_enabled_each(true, fsk_enable_again, &self->refresh)

/* At boot a profile may be loaded after us, and later a service needs it. */
TEST_F(enable, apparmor_later)
{
	put(UNIT, "# apparmor=usr.bin.env\n");
	put(LOCAL, "/a r,\n" OURS);
	EXPECT_EQ(0, again());
	EXPECT_TRUE(self->refresh.enable.changed);
	EXPECT_STREQ("/a r,\n" OURS, file(LOCAL));
	EXPECT_NE(NULL, strstr(file(UNIT), "\n# apparmor=usr.bin.env\n"));
	self->refresh.enable.changed = false;
	EXPECT_EQ(0, again());
	EXPECT_FALSE(self->refresh.enable.changed);
	/* The command line means what is so now. */
	self->refresh.enable.again = false;
	EXPECT_EQ(0, again());
	EXPECT_STREQ("/a r,\n", file(LOCAL));
	EXPECT_EQ(NULL, strstr(file(UNIT), "apparmor"));
}

/* systemd.exec(5): without a "-" what isn't there is the end of the service. */
TEST_F(enable, library_gone)
{
	put(UNIT, "");
	put(FOLDER "/show", LOADED "TemporaryFileSystem=/usr:ro\n"
	    "NoExecPaths=/\n");
	EXPECT_EQ(0, again());
	EXPECT_NE(NULL, strstr(file(UNIT), "\nBindReadOnlyPaths=-" LIBRARY
			       "\nExecPaths=-" LIBRARY "\n"));
}

/* A package that is removed, or a mask, is no failed boot. Who names such a
 * service is told.
 */
TEST_F(enable, absent)
{
	static const char * const states[] = { "not-found", "masked" };
	struct fsk_service unit;
	char show[64];

	for (int i = 0; i < 2; i++) {
		self->refresh.enable.again = true;
		put(UNIT, "# profile=web\n");
		snprintf(show, sizeof(show), "LoadState=%s\n", states[i]);
		put(FOLDER "/show", show);
		EXPECT_EQ(0, again());
		EXPECT_FALSE(self->refresh.enable.changed);
		EXPECT_STREQ("# profile=web\n", file(UNIT));
		self->refresh.enable.again = false;
		ASSERT_EQ(0, fsk_service_read(&unit, "one", true));
		EXPECT_EQ(2, fsk_enable_unit(&self->refresh.enable, &self->conf,
					     &unit));
		fsk_service_free(&unit);
	}
	put(FOLDER "/show", "LoadState=error\n");
	EXPECT_EQ(2, again());
}

/* Nor is a program that can't be seen at boot: its service stays enabled. */
TEST_F(enable, unseen)
{
	put(UNIT, "# profile=web\n# apparmor=opt.server\n");
	put(FOLDER "/show", "LoadState=loaded\nMainPID=0\nExecStart={ path="
	    FOLDER "/server ; argv[]=server ; status=0/0 }\n");
	EXPECT_EQ(0, again());
	EXPECT_FALSE(self->refresh.enable.changed);
	EXPECT_STREQ("# profile=web\n# apparmor=opt.server\n", file(UNIT));
	self->refresh.enable.again = false;
	EXPECT_EQ(2, again());
}

/* The loader maps nothing from there: the control group needs no library. */
TEST_F(enable, noexec)
{
	flags = ST_NOEXEC;
	put(UNIT, "# profile=web\n");
	EXPECT_EQ(0, again());
	EXPECT_STREQ("# profile=web\n", file(UNIT));
	flags = 0;
	EXPECT_EQ(0, again());
}

static void show(const char *folder, const char *file, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	put(path, text);
}

/* As the kernel shows a loaded profile. */
static void load(const char *name, const char *attach, const char *mode)
{
	char folder[PATH_MAX / 2];
	static int count;

	snprintf(folder, sizeof(folder), KERNEL "/policy/profiles/x.%d",
		 count++);
	show(folder, "name", name);
	show(folder, "attach", attach);
	show(folder, "mode", mode);
}

static void unload(void)
{
	if (system("rm -rf " KERNEL))
		abort();
}

/* The file whose profile needs a line; empty for none, "?" when refused. */
static const char *needs(const char *show)
{
	static struct fsk_dropin dropin;
	struct fsk_service unit;

	dropin.library = LIBRARY;
	put(FOLDER "/show", show);
	fsk_service_read(&unit, "one", true);
	fsk_sandbox_check(&dropin, &unit);
	fsk_service_free(&unit);
	return *dropin.why ? "?" : dropin.profile;
}

TEST_F(enable, attached)
{
	static const char * const match[] = {
		"/usr/bin/env\n", "/{,usr/}bin/en[vw]\n", "/**v\n",
		"/usr/b?n/{a,{b,e*}}\n", "/usr/bin/env{,.{a,b}}\n",
	};
	static const char * const other[] = {
		"/*v\n", "/{,usr/}sbin/env\n", "/usr/bin/env{a\n", "word\n",
		"/usr/bin/env/**\n", "/usr/bin/{a,b}\n",
	};

	EXPECT_STREQ("", needs(LOADED));
	ASSERT_EQ(0, symlink("/usr/bin/env", FOLDER "/link"));
	load("/usr/bin/env\n", "/usr/bin/env\n", "enforce\n");
	EXPECT_STREQ("usr.bin.env", needs("LoadState=loaded\nExecStart={ path="
					  FOLDER "/link ; argv[]=x ; }\n"));
	unload();
	for (size_t i = 0; i < ARRAY_SIZE(match); i++) {
		load("word\n", match[i], "enforce\n");
		EXPECT_STREQ("usr.bin.env", needs(LOADED))
			TH_LOG("%s", match[i]);
		unload();
		load(match[i], "<unknown>\n", "enforce\n");
		EXPECT_STREQ("usr.bin.env", needs(LOADED))
			TH_LOG("%s", match[i]);
		unload();
		snprintf(self->text, sizeof(self->text),
			 "#profile word /other {\nprofile \"word\" \t%.*s "
			 "flags=(attach_disconnected) {\n}\n",
			 (int)strcspn(match[i], "\n"), match[i]);
		put(FOLDER "/apparmor.d/file", self->text);
		load("word\n", "<unknown>\n", "enforce\n");
		EXPECT_STREQ("usr.bin.env", needs(LOADED))
			TH_LOG("%s", self->text);
		unload();
		load("word\n", match[i], "complain\n");
		EXPECT_STREQ("", needs(LOADED));
		unload();
	}
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		load("word\n", other[i], "enforce\n");
		EXPECT_STREQ("", needs(LOADED))
			TH_LOG("%s", other[i]);
		unload();
	}
}

/* Where the kernel does not say what a profile with a name is attached to, its
 * file does. What can't be told is refused; a container's profile, which has no
 * pattern, is no service's.
 */
TEST_F(enable, unknown)
{
	static const char * const refused[] = {
		"profile word @{path} {\n", "profile word @{bin}/env {\n",
		"profile word @{bin\n",
	};
	static const char * const other[] = {
		"profile words /usr/bin/env {\n", "profile word {\n",
		"profile word flags=(attach_disconnected) {\n",
		"profile word \"/usr/bin/e nv\" {\n",
		"  profile word @{bin}/@{name}/false flags=(complain) {\n",
	};

	load("word\n", "<unknown>\n", "enforce\n");
	EXPECT_STREQ("", needs(LOADED));
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		put(FOLDER "/apparmor.d/file", refused[i]);
		EXPECT_STREQ("?", needs(LOADED))
			TH_LOG("%s", refused[i]);
	}
	EXPECT_STREQ("", needs(LOADED "AppArmorProfile=other\n"));
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		put(FOLDER "/apparmor.d/file", other[i]);
		EXPECT_STREQ("", needs(LOADED))
			TH_LOG("%s", other[i]);
	}
	/* The file that has the name goes first. */
	put(FOLDER "/apparmor.d/word", "profile word /usr/bin/env {\n"
	    "include if exists <local/word>\n");
	EXPECT_STREQ("word", needs(LOADED));
	load("near\n", "/usr/bin/**\n", "enforce\n");
	EXPECT_STREQ("word", needs(LOADED));
}

/* A file may have the name of the profile, and a service may ask for one. */
TEST_F(enable, profile_name)
{
	load("word\n", "/usr/bin/*\n", "enforce\n");
	EXPECT_STREQ("usr.bin.env", needs(LOADED));
	EXPECT_STREQ("", needs(LOADED "AppArmorProfile=other\n"));
	put(FOLDER "/apparmor.d/word", "include if exists <local/word>\n");
	EXPECT_STREQ("word", needs(LOADED));
	load("/usr/bin/{env,false}\n", "<unknown>\n", "unconfined\n");
	EXPECT_STREQ("?", needs(LOADED));
	EXPECT_STREQ("word", needs(LOADED "AppArmorProfile=-word\n"));
	/* The path itself is closer than each pattern. */
	load("/usr/bin/env\n", "/usr/bin/env\n", "complain\n");
	EXPECT_STREQ("", needs(LOADED));
}

/* Who has unloaded a profile, or removed its file, finds it so. */
TEST_F(enable, reload)
{
	static const char reload[] = "-r " FOLDER "/apparmor.d/usr.bin.env\n";

	load("other\n", "/usr/bin/other\n", "enforce\n");
	put(FOLDER "/apparmor.d/usr.bin.env", "# profile other {\n"
	    "profile word /usr/bin/env { # ours\n/usr/bin/other r,\n}\n");
	put(LOCAL, OURS);
	EXPECT_EQ(0, fsk_apparmor_remove("usr.bin.env"));
	EXPECT_STREQ("", file(LOCAL));
	EXPECT_STREQ("", file(PARSED));
	load("word\n", "<unknown>\n", "complain\n");
	EXPECT_EQ(0, fsk_apparmor_add("usr.bin.env", LIBRARY));
	EXPECT_STREQ(reload, file(PARSED));
	unload();
	load("/usr/bin/env\n", "<unknown>\n", "enforce\n");
	unlink(PARSED);
	EXPECT_EQ(0, fsk_apparmor_remove("usr.bin.env"));
	EXPECT_STREQ(reload, file(PARSED));
	unlink(PARSED);
	unlink(FOLDER "/apparmor.d/usr.bin.env");
	EXPECT_EQ(0, fsk_apparmor_remove("usr.bin.env"));
	EXPECT_STREQ("", file(PARSED));
}

TEST_HARNESS_MAIN
