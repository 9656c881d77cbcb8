// SPDX-License-Identifier: GPL-2.0
/*
 * Why a listener is not fast, see tools/check/verdict.c and advise.c; what
 * systemctl prints, see unit.c.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "../../tools/check/advise.h"
#include "../../tools/check/facts.h"
#include "../../tools/check/listeners.h"
#include "../../tools/check/unit.h"
#include "../../tools/check/verdict.h"

FIXTURE(verdict)
{
	struct fsk_verdict verdict;
	struct fsk_listening listening;
	struct fsk_facts facts;
	struct fsk_unit unit;
	char root[64];
};

#define set(array, text) snprintf(array, sizeof(array), "%s", text)

/* A listener that has joined and is served by its workers. */
FIXTURE_SETUP(verdict)
{
	memset(self, 0, sizeof(*self));
	self->listening.port = 80;
	self->listening.pid = 42;
	self->listening.sockets = 1;
	self->listening.joined = 1;
	self->listening.queues = 4;
	self->listening.local = 1000;
	self->listening.accepted = 1001;
	self->facts.pid = 42;
	self->facts.readable = true;
	self->facts.loaded = true;
	self->facts.asked = true;
	self->facts.there = true;
	self->facts.elf_known = true;
	self->facts.elf.bits = 8 * sizeof(void *);
	set(self->facts.elf.interp, "/lib64/ld-linux-x86-64.so.2");
	set(self->facts.asked_path, "/usr/lib/libfsocket.so");
	snprintf(self->root, sizeof(self->root), "/tmp/fsk-verdict.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->root));
}

FIXTURE_TEARDOWN(verdict)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", self->root);
	EXPECT_EQ(0, system(command));
}

/* Expect one reason with these words, and this to do. */
#define expect(what_words, act_words) do {				\
	fsk_verdict_find(&self->verdict, &self->listening,		\
			 &self->facts, &self->unit);			\
	expect_last(what_words, act_words);				\
} while (0)

#define expect_last(what_words, act_words) do {				\
	ASSERT_EQ(1, self->verdict.count);				\
	EXPECT_NE(NULL, strstr(self->verdict.reasons[0].what,		\
			       what_words))				\
		TH_LOG("%s", self->verdict.reasons[0].what);		\
	EXPECT_NE(NULL, strstr(self->verdict.reasons[0].act,		\
			       act_words))				\
		TH_LOG("%s", self->verdict.reasons[0].act);		\
} while (0)

TEST_F(verdict, fast)
{
	fsk_verdict_find(&self->verdict, &self->listening, &self->facts,
			 &self->unit);
	EXPECT_EQ(0, self->verdict.count);
}

TEST_F(verdict, joined)
{
	self->listening.queues = 0;
	expect("no worker that waits", "--pin");
	set(self->listening.bypass, "TCP-AO key");
	expect("leave it alone: TCP-AO key", "fastsocket-options(7)");
	*self->listening.bypass = '\0';
	self->listening.queues = 4;
	self->listening.limited = true;
	expect("as many as it may", "locals-max=N");
	self->listening.limited = false;
	self->listening.local = 499;
	expect("only 499 of 1001", "show stats");
	self->listening.accepted = 99;
	self->listening.local = 0;
	fsk_verdict_find(&self->verdict, &self->listening, &self->facts,
			 &self->unit);
	EXPECT_EQ(0, self->verdict.count);
	self->listening.sockets = 3;
	expect("only 1 of its 3 sockets", "adopt 42 80");
	self->listening.sockets = 1;
	self->facts.replaced = true;
	expect("replaced since", "restart the program");
	set(self->unit.name, "a.service");
	expect("replaced since", "systemctl restart a.service");
}

TEST_F(verdict, not_joined)
{
	self->listening.joined = 0;
	expect("older than the loaded module", "adopt 42 80");
	self->facts.seccomp = true;
	expect("seccomp filter", "adopt 42 80");
	set(self->facts.ports, "443,8000-8999");
	expect("FASTSOCKET_PORTS=443,8000-8999 leaves port 80 out", "");
	set(self->facts.ports, "80");
	expect("seccomp filter", "adopt");
	self->facts.readable = false;
	expect("can't be looked into", "as root");
}

TEST_F(verdict, refused)
{
	self->listening.joined = 0;
	self->facts.loaded = false;
	expect("the loader did not take /usr/lib/libfsocket.so", "standard");
	set(self->facts.profile, "nginx");
	expect("profile 'nginx'", "see that this profile has '/usr/lib/"
	       "libfsocket.so mr,', load it again by 'apparmor_parser -r', ");
	set(self->facts.profile_file, "usr.sbin.nginx");
	expect("profile 'nginx'", "'apparmor_parser -r /etc/apparmor.d/"
	       "usr.sbin.nginx'");
	set(self->facts.profile, "/usr/sbin/nginx");
	expect("profile '/usr/sbin/nginx'", "/etc/apparmor.d/local/"
	       "usr.sbin.nginx has '/usr/lib/libfsocket.so mr,'");
	set(self->facts.profile, "/usr/sbin/nginx//worker");
	expect("profile '/usr/sbin/nginx//worker'", "'apparmor_parser -r "
	       "/etc/apparmor.d/usr.sbin.nginx' and restart the program");
	set(self->unit.name, "a.service");
	expect("profile", "' and 'systemctl restart a.service'");
	self->facts.noexec = true;
	expect("mounted noexec", "another file system");
	self->facts.there = false;
	expect("root folder", "adopt 42");
	self->facts.raised = true;
	expect("raised rights", "AmbientCapabilities=");
	self->facts.elf.bits = 32;
	expect("32-bit program", "adopt 42");
	*self->facts.elf.interp = '\0';
	expect("statically linked: ", "adopt 42");
	self->facts.elf.go = true;
	expect("statically linked (Go)", "adopt 42");
}

TEST_F(verdict, not_asked)
{
	self->listening.joined = 0;
	self->facts.loaded = false;
	self->facts.asked = false;
	expect("started without", "fastsocket run");
	set(self->unit.name, "a.service");
	expect("started without", "enable --now a.service");
	self->unit.enabled = true;
	self->unit.changed = 1001;
	self->facts.start = 1000;
	expect("not restarted since", "systemctl restart a.service");
	/* A worker of a service that goes on since before. */
	self->unit.start = 1000;
	self->facts.start = 1002;
	expect("not restarted since", "systemctl restart a.service");
	self->unit.start = 1001;
	expect("cleans the environment", "enable --cgroup --now a.service");
	self->unit.selected = true;
	expect("enabled by its control group", "adopt 42");
	self->unit.reload = true;
	expect("not restarted since", "systemctl daemon-reload && ");
}

/* Make a file below the root, and the folders above it. */
static void put(const char *root, const char *path, const char *text)
{
	char whole[256], *end;
	FILE *file;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (end = whole + strlen(root) + 1; (end = strchr(end, '/')); end++) {
		*end = '\0';
		mkdir(whole, 0700);
		*end = '/';
	}
	file = fopen(whole, "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

#define advise() do {							\
	fsk_verdict_find(&self->verdict, &self->listening,		\
			 &self->facts, &self->unit);			\
	fsk_advise(&self->verdict, &self->listening, &self->facts,	\
		   self->root);						\
} while (0)

TEST_F(verdict, nginx)
{
	static const char title[] = "nginx: master process nginx -c /a/n.conf";

	set(self->facts.name, "nginx");
	self->listening.queues = 0;
	put(self->root, "/etc/nginx/nginx.conf",
	    "user www;\nevents {\n\tworker_connections 768;\n"
	    "\t# accept_mutex on;\n}\n");
	advise();
	expect_last("no worker", "'worker_cpu_affinity auto;'");
	put(self->root, "/etc/nginx/on/x.conf", "worker_cpu_affinity auto;");
	put(self->root, "/etc/nginx/nginx.conf", "include on/*.conf;\n");
	advise();
	expect_last("no worker", "--pin");
	self->listening.queues = 4;
	advise();
	EXPECT_EQ(0, self->verdict.count);
	put(self->root, "/etc/nginx/nginx.conf",
	    "events {\n\taccept_mutex\n\t\ton; }\ninclude on/*.conf;\n");
	advise();
	expect_last("accept_mutex on",
		    "/etc/nginx/nginx.conf: 'accept_mutex off;'");
	put(self->root, "/a/n.conf", "worker_cpu_affinity auto;");
	memcpy(self->facts.line, title, sizeof(title));
	self->facts.line_len = sizeof(title);
	advise();
	EXPECT_EQ(0, self->verdict.count);
	/* A file that includes itself. */
	put(self->root, "/a/n.conf", "include *.conf; accept_mutex on;");
	advise();
	EXPECT_EQ(1, self->verdict.count);
}

/* Links lead where the process would get to, and a pipe keeps nobody. */
TEST_F(verdict, other_root)
{
	char path[128], host[128];

	set(self->facts.name, "nginx");
	self->listening.queues = 0;
	snprintf(path, sizeof(path), "%s/etc/nginx/nginx.conf", self->root);
	snprintf(host, sizeof(host), "%s/host.conf", self->root);
	put(self->root, "/etc/nginx/none", "");
	put(self->root, "/host.conf", "events {}");
	ASSERT_EQ(0, symlink(host, path));
	advise();
	expect_last("no worker", "--pin");
	unlink(path);
	ASSERT_EQ(0, symlink("/host.conf", path));
	advise();
	expect_last("no worker", "'worker_cpu_affinity auto;'");
	put(self->root, "/real/x.conf", "worker_cpu_affinity auto;");
	put(self->root, "/host.conf", "include /on/*.conf;");
	snprintf(host, sizeof(host), "%s/on", self->root);
	ASSERT_EQ(0, symlink("/real", host));
	advise();
	expect_last("no worker", "--pin");
	put(self->root, "/host.conf", "include /real/x.conf;");
	advise();
	expect_last("no worker", "--pin");
	unlink(path);
	ASSERT_EQ(0, mkfifo(path, 0600));
	alarm(10);
	advise();
	alarm(0);
	expect_last("no worker", "--pin");
}

TEST_F(verdict, haproxy)
{
	static const char line[] = "haproxy\0-f\0/a.cfg\0-f\0/b.cfg";

	set(self->facts.name, "haproxy");
	/* Its own file can't be read. */
	advise();
	EXPECT_EQ(0, self->verdict.count);
	put(self->root, "/etc/haproxy/haproxy.cfg",
	    "global\n\tnbthread 4 # cpu-map\nfrontend a\n\tbind :80\n");
	advise();
	expect_last("other threads", "'tune.listener.multi-queue off'");
	put(self->root, "/etc/haproxy/haproxy.cfg",
	    "global\n nbthread 1\nfrontend a\n bind :80\n");
	advise();
	EXPECT_EQ(0, self->verdict.count);
	put(self->root, "/a.cfg", "global\n\ttune.listener.multi-queue\toff\n");
	put(self->root, "/b.cfg", "frontend a\n bind :80\n");
	memcpy(self->facts.line, line, sizeof(line));
	self->facts.line_len = sizeof(line);
	advise();
	EXPECT_EQ(0, self->verdict.count);
	self->listening.queues = 0;
	advise();
	expect_last("no worker", "'cpu-map auto:");
	put(self->root, "/a.cfg", "global\n cpu-map auto:1/1-4 0-3\n");
	put(self->root, "/b.cfg", "frontend a\n bind :80 shards by-thread\n");
	self->listening.queues = 4;
	advise();
	EXPECT_EQ(0, self->verdict.count);
	put(self->root, "/b.cfg",
	    "frontend a\n bind :80 shards by-thread\n bind :81\n");
	advise();
	expect_last("other threads", "section global");
}

TEST_F(verdict, unit)
{
	char text[1024], path[128];

	put(self->root, "/fastsocket.conf", "");
	snprintf(path, sizeof(path), "%s/fastsocket.conf", self->root);
	snprintf(text, sizeof(text), "Id=a.service\nActiveState=active\n"
		 "ControlGroup=/system.slice/a.service\n"
		 "NeedDaemonReload=yes\nDropInPaths=/x/other.conf %s\n"
		 "Environment=A=b\n", path);
	fsk_unit_parse(&self->unit, text);
	EXPECT_STREQ("a.service", self->unit.name);
	EXPECT_STREQ("/system.slice/a.service", self->unit.cgroup);
	EXPECT_TRUE(self->unit.active);
	EXPECT_TRUE(self->unit.reload);
	EXPECT_TRUE(self->unit.enabled);
	EXPECT_GT(self->unit.changed, 1000000000);
	/* A generator's: its time says when the manager has read its files. */
	set(text, "Id=c.service\nFragmentPath=/dev/null\n");
	fsk_unit_parse(&self->unit, text);
	EXPECT_EQ(0, self->unit.changed);
	set(text, "Id=b.service\nActiveState=failed\nNeedDaemonReload=no\n"
	       "DropInPaths=\nEnvironment=LD_PRELOAD=/usr/lib/libfsocket.so\n");
	fsk_unit_parse(&self->unit, text);
	EXPECT_FALSE(self->unit.active);
	EXPECT_TRUE(self->unit.enabled);
	EXPECT_EQ(0, self->unit.changed);
	set(text, "Id=c.service\nExecStart={ path=/usr/sbin/c ; }\n");
	fsk_unit_parse(&self->unit, text);
	EXPECT_FALSE(self->unit.enabled);
	EXPECT_FALSE(self->unit.selected);
	snprintf(text, sizeof(text), "Id=d.service\nMainPID=42\n"
		 "FragmentPath=%s\nExecStartPre={ path=/usr/bin/fastsocket ; "
		 "argv[]=/usr/bin/fastsocket cgroup add self ; }\n", path);
	fsk_unit_parse(&self->unit, text);
	EXPECT_EQ(42, self->unit.main);
	EXPECT_TRUE(self->unit.selected);
	EXPECT_GT(self->unit.changed, 1000000000);
	set(text, "ExecStart={ path=/usr/bin/fastsocket ; "
	    "argv[]=/usr/bin/fastsocket run --cgroup -- e ; }\n");
	fsk_unit_parse(&self->unit, text);
	EXPECT_TRUE(self->unit.enabled);
	EXPECT_TRUE(self->unit.selected);
}

/* A program that is started after a file was written is not older than it. */
TEST_F(verdict, start)
{
	time_t now;
	pid_t pid;

	for (int i = 0; i < 20; i++) {
		usleep(i * 10000);
		now = time(NULL);
		pid = fork();
		if (!pid) {
			pause();
			_exit(0);
		}
		self->facts.start = fsk_facts_start(pid);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		EXPECT_GE(self->facts.start, now);
		EXPECT_LE(self->facts.start, time(NULL) + 1);
	}
}

TEST_HARNESS_MAIN
