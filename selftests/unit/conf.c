// SPDX-License-Identifier: GPL-2.0
/* The configuration, see tools/base/conf_read.c and conf.c. */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "../../tools/base/conf.h"
#include "no_module.h"

/* "lan0" is another name of eth0. */
unsigned int if_nametoindex(const char *name)
{
	return !strcmp(name, "eth0") || !strcmp(name, "lan0") ? 7 :
	       !strcmp(name, "eth1") ? 8 : 0;
}

FIXTURE(conf) {
	struct fsk_conf conf;
	char file[32];
	char said[4096];
	int count;
};

FIXTURE_SETUP(conf)
{
	memset(self, 0, sizeof(*self));
	snprintf(self->file, sizeof(self->file), "/tmp/fsk-conf-XXXXXX");
	close(mkstemp(self->file));
}

FIXTURE_TEARDOWN(conf)
{
	fsk_conf_free(&self->conf);
	unlink(self->file);
}

/* Reads a file of these bytes. What it complains about is in self->said, with
 * "F" for the file's name.
 */
static int read_bytes(FIXTURE_DATA(conf) *self, const char *text, size_t len)
{
	int fd, status, saved = dup(STDERR_FILENO);
	FILE *errors = tmpfile(), *file;
	char *name, *files = self->file;

	file = fopen(self->file, "w");
	fwrite(text, 1, len, file);
	fclose(file);
	fd = fileno(errors);
	dup2(fd, STDERR_FILENO);
	status = fsk_conf_read(&self->conf, 1, &files);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(errors);
	len = fread(self->said, 1, sizeof(self->said) - 1, errors);
	self->said[len] = '\0';
	fclose(errors);
	len = strlen(self->file);
	while ((name = strstr(self->said, self->file))) {
		*name = 'F';
		memmove(name + 1, name + len, strlen(name + len) + 1);
	}
	return status;
}

static int read_text(FIXTURE_DATA(conf) *self, const char *text)
{
	return read_bytes(self, text, strlen(text));
}

TEST_F(conf, empty)
{
	EXPECT_EQ(0, read_text(self, ""));
	EXPECT_EQ(0, read_text(self, "# nothing\n"));
	EXPECT_EQ(0, read_text(self, "set:\n# vfs: on\nservices:\n"));
	EXPECT_STREQ("", self->said);
	EXPECT_EQ(3, self->conf.profiles.count);
	EXPECT_EQ(0, self->conf.services.count);
}

TEST_F(conf, values_and_where)
{
	const struct fsk_conf_value *setting = self->conf.machine.setting;
	const struct fsk_conf_section *nginx;
	struct fsk_values values;

	EXPECT_EQ(0, read_text(self, "set:\n"
			       "  rescue-ms: 50\n"
			       "  vfs: yes\n"
			       "interfaces:\n"
			       "  eth0: rss\n"
			       "services:\n"
			       "  nginx.service:\n"
			       "    pin: 1\n"
			       "    ports: 80,443\n"));
	EXPECT_STREQ("", self->said);
	EXPECT_EQ(2, fsk_conf_values(&self->conf.machine, &values));
	EXPECT_EQ(50, values.number[FSK_A_CONFIG_RESCUE_MS]);
	EXPECT_EQ(1, values.number[FSK_A_CONFIG_VFS]);
	EXPECT_EQ(2, setting[FSK_A_CONFIG_RESCUE_MS].line);
	EXPECT_EQ(14, setting[FSK_A_CONFIG_RESCUE_MS].column);
	ASSERT_EQ(1, self->conf.machine.interface_count);
	EXPECT_STREQ("rss", self->conf.machine.interfaces[0].mode.word);
	nginx = fsk_conf_find(&self->conf.services, "nginx.service");
	ASSERT_NE(NULL, nginx);
	EXPECT_STREQ("on", nginx->option[FSK_CONF_PIN].word);
	EXPECT_STREQ("80,443", nginx->option[FSK_CONF_PORTS].word);
	EXPECT_EQ(NULL, nginx->option[FSK_CONF_CONNECT].word);
}

/* All mistakes are told, each with its place. */
TEST_F(conf, mistakes)
{
	EXPECT_EQ(1, read_text(self, "profle: web\n"
			       "set:\n"
			       "  rescue-ms: 60001\n"
			       "  resce-ms: 5\n"
			       "  vfs: maybe\n"
			       "  vfs: on\n"
			       "interfaces:\n"
			       "  eth0: rs\n"
			       "  a/b: off\n"
			       "services:\n"
			       "  nginx: {}\n"
			       "  a.service:\n"
			       "    profile: wbe\n"
			       "    pin: [1]\n"
			       "    ports: x\n"
			       "    set: 5\n"
			       "profiles: 7\n"));
	EXPECT_STREQ("F:1:1: the configuration has no 'profle', "
		     "did you mean 'profile'?\n"
		     "F:3:14: rescue-ms: 60001 is out of range, 0 to 60000\n"
		     "F:4:3: there is no setting 'resce-ms', did you mean 'rescue-ms'?\n"
		     "F:5:8: vfs: 'maybe' is neither on nor off\n"
		     "F:6:3: 'vfs' is given twice\n"
		     "F:8:9: eth0: there is no mode 'rs', did you mean 'rss'?\n"
		     "F:9:3: 'a/b' is no interface's name\n"
		     "F:11:3: 'nginx' is no service, such as nginx.service\n"
		     "F:14:10: pin: one value is wanted\n"
		     "F:15:12: ports: 'x' is no list such as 80,8000-8999\n"
		     "F:16:5: a service has no 'set'\n"
		     "F:17:11: profiles: lines 'NAME: VALUE' are wanted\n"
		     "F:13:14: there is no profile 'wbe', did you mean 'web'?\n",
		     self->said);
	EXPECT_EQ(13, self->conf.errors);
}

TEST_F(conf, cgroups)
{
	EXPECT_EQ(0, read_text(self, "cgroups:\n"
			       "  /machine.slice: yes\n"
			       "  /: on\n"
			       "  /sys/fs/cgroups: off\n"));
	EXPECT_EQ(0, read_text(self, "cgroups: {/machine.slice: off}\n"));
	ASSERT_EQ(3, self->conf.cgroup_count);
	EXPECT_STREQ("/machine.slice", self->conf.cgroups[0].path);
	EXPECT_STREQ("off", self->conf.cgroups[0].selected.word);
	EXPECT_STREQ("on", self->conf.cgroups[1].selected.word);
	EXPECT_EQ(1, read_text(self, "cgroups:\n"
			       "  machine.slice: on\n"
			       "  /a/: on\n"
			       "  /a//b: on\n"
			       "  /sys/fs/cgroup/a: on\n"
			       "  /sys/fs/cgroup: on\n"
			       "  /b: maybe\n"
			       "profiles: {a: {cgroups: {/: on}}}\n"));
	EXPECT_STREQ("F:2:3: 'machine.slice' is no control group, "
		     "such as /machine.slice\n"
		     "F:3:3: '/a/' is no control group, such as /machine.slice\n"
		     "F:4:3: '/a//b' is no control group, such as /machine.slice\n"
		     "F:5:3: '/sys/fs/cgroup/a' is no control group, such as /machine.slice\n"
		     "F:6:3: '/sys/fs/cgroup' is no control group, such as /machine.slice\n"
		     "F:7:7: /b: 'maybe' is neither on nor off\n"
		     "F:8:16: a profile has no 'cgroups'\n", self->said);
}

TEST_F(conf, no_yaml)
{
	EXPECT_EQ(1, read_text(self, "set:\n  vfs: [on\nx: 1\n"));
	EXPECT_NE(NULL, strstr(self->said, "F:3:2: did not find"));
	EXPECT_EQ(1, read_text(self, "set:\n\tvfs: on\n"));
	EXPECT_NE(NULL, strstr(self->said, "F:2:1: found character"));
	EXPECT_EQ(1, read_text(self, "set:\n  vfs: \xff\n"));
	EXPECT_NE(NULL, strstr(self->said, "F:2:8: invalid"));
	EXPECT_EQ(1, read_text(self, "- set\n"));
	EXPECT_NE(NULL, strstr(self->said, "F:1:1: the configuration: lines"));
	EXPECT_EQ(1, read_text(self, "set: {}\n---\nset: {vfs: on}\n"));
	EXPECT_NE(NULL, strstr(self->said, "F:3:1: one document"));
	EXPECT_EQ(1, read_text(self, "set: &a\n  vfs: *a\n"));
	EXPECT_EQ(1, read_text(self, "set: *b\n"));
	EXPECT_EQ(1, read_bytes(self, "set: {vfs: \"o\\0n\"}\n", 19));
	EXPECT_NE(NULL, strstr(self->said, "zero byte"));
}

/* YAML has words for characters that a terminal obeys. */
TEST_F(conf, no_terminal)
{
	EXPECT_EQ(1, read_text(self, "\"\\e[2J\\x9b\": {}\n"
			       "profile: \"a\\n\\xe9\"\n"));
	/* Three question marks would be a trigraph. */
	EXPECT_STREQ("F:1:1: the configuration has no '?[2J\?\?'\n"
		     "F:2:10: there is no profile 'a?\303\251'\n", self->said);
}

/* A later file replaces values; a section of the same name goes on. */
TEST_F(conf, files_in_order)
{
	const struct fsk_conf_section *nginx;

	EXPECT_EQ(0, read_text(self, "set: {rescue-ms: 1, vfs: on}\n"
			       "services: {a.service: {pin: on}}\n"));
	EXPECT_EQ(0, read_text(self, "set: {rescue-ms: 2}\n"
			       "services: {a.service: {ports: 80}}\n"));
	EXPECT_STREQ("2", self->conf.machine.setting
		     [FSK_A_CONFIG_RESCUE_MS].word);
	EXPECT_STREQ("on", self->conf.machine.setting[FSK_A_CONFIG_VFS].word);
	EXPECT_EQ(1, self->conf.services.count);
	nginx = fsk_conf_find(&self->conf.services, "a.service");
	ASSERT_NE(NULL, nginx);
	EXPECT_STREQ("on", nginx->option[FSK_CONF_PIN].word);
	EXPECT_STREQ("80", nginx->option[FSK_CONF_PORTS].word);
}

static const char *mode_of(const struct fsk_conf_section *section,
			   const char *name)
{
	const struct fsk_conf_interface *named = fsk_conf_named(section, name);

	return named ? named->mode.word : "none";
}

/* Of two names of an interface the one that is given last holds. */
TEST_F(conf, other_name)
{
	const struct fsk_conf_section *machine = &self->conf.machine;
	struct fsk_conf_section section;

	EXPECT_EQ(0, read_text(self, "interfaces:\n"
			       "  lan0: mask\n"
			       "  all: auto\n"
			       "  eth0: rss\n"));
	EXPECT_STREQ("rss", mode_of(machine, "eth0"));
	EXPECT_STREQ("rss", mode_of(machine, "lan0"));
	EXPECT_STREQ("none", mode_of(machine, "eth1"));
	EXPECT_STREQ("none", mode_of(machine, "eth2"));
	/* Another file has the first name again. */
	EXPECT_EQ(0, read_text(self, "interfaces: {lan0: off}\n"));
	EXPECT_STREQ("off", mode_of(machine, "eth0"));
	EXPECT_EQ(3, machine->interface_count);
	/* What the machine says goes before its profile. */
	EXPECT_EQ(0, read_text(self, "profile: a\n"
			       "profiles:\n"
			       "  a:\n"
			       "    interfaces: {lan0: steer, eth0: mask}\n"));
	fsk_conf_effective(&self->conf, machine, NULL, &section);
	EXPECT_STREQ("off", mode_of(&section, "eth0"));
	free(section.interfaces);
}

/* Own words, then the profile's, then the default. */
TEST_F(conf, effective)
{
	struct fsk_conf_section section;

	EXPECT_EQ(0, read_text(self, "profile: api\n"
			       "set: {vfs: off}\n"
			       "interfaces: {eth1: off}\n"
			       "services:\n"
			       "  a.service: {profile: api, pin: off}\n"
			       "profiles:\n"
			       "  api:\n"
			       "    pin: on\n"
			       "    connect: off\n"
			       "    set: {vfs: on, rescue-ms: 7}\n"
			       "    interfaces: {all: auto, eth1: mask}\n"
			       "  web: {verbose: on}\n"));
	fsk_conf_effective(&self->conf, &self->conf.machine, NULL, &section);
	EXPECT_STREQ("off", section.setting[FSK_A_CONFIG_VFS].word);
	EXPECT_STREQ("7", section.setting[FSK_A_CONFIG_RESCUE_MS].word);
	ASSERT_EQ(2, section.interface_count);
	EXPECT_STREQ("auto", section.interfaces[0].mode.word);
	EXPECT_STREQ("off", section.interfaces[1].mode.word);
	free(section.interfaces);
	fsk_conf_effective(&self->conf,
			   fsk_conf_find(&self->conf.services, "a.service"),
			   NULL, &section);
	EXPECT_STREQ("off", section.option[FSK_CONF_PIN].word);
	EXPECT_STREQ("off", section.option[FSK_CONF_CONNECT].word);
	free(section.interfaces);
	/* Another profile; "web" is ours, and one of its values is changed. */
	fsk_conf_effective(&self->conf, NULL, "web", &section);
	EXPECT_STREQ("off", section.option[FSK_CONF_CONNECT].word);
	EXPECT_STREQ("on", section.option[FSK_CONF_VERBOSE].word);
	fsk_conf_effective(&self->conf, NULL, NULL, &section);
	EXPECT_STREQ("on", section.option[FSK_CONF_CONNECT].word);
}

TEST_F(conf, no_file)
{
	char *files = "/nonexistent/fastsocket.conf";

	EXPECT_EQ(2, fsk_conf_read(&self->conf, 1, &files));
	files = "/";
	EXPECT_EQ(2, fsk_conf_read(&self->conf, 1, &files));
	EXPECT_EQ(0, self->conf.errors);
	EXPECT_EQ(0, fsk_conf_read(&self->conf, 0, NULL));
}

/* Half of the configuration is not the configuration. */
TEST_F(conf, no_folder)
{
	rmdir(FSK_CONFDIR "/conf.d");
	rmdir(FSK_CONFDIR);
	EXPECT_EQ(0, fsk_conf_read(&self->conf, 0, NULL));
	ASSERT_EQ(0, mkdir(FSK_CONFDIR, 0755));
	EXPECT_EQ(0, fsk_conf_read(&self->conf, 0, NULL));
	ASSERT_EQ(0, symlink("conf.d", FSK_CONFDIR "/conf.d"));
	EXPECT_EQ(2, fsk_conf_read(&self->conf, 0, NULL));
	unlink(FSK_CONFDIR "/conf.d");
	ASSERT_EQ(0, mkdir(FSK_CONFDIR "/conf.d", 0755));
	EXPECT_EQ(0, fsk_conf_read(&self->conf, 0, NULL));
	rmdir(FSK_CONFDIR "/conf.d");
	rmdir(FSK_CONFDIR);
}

TEST_HARNESS_MAIN
