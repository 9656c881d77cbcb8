// SPDX-License-Identifier: GPL-2.0
/* What the kernel does with modules, see tools/base/boot.c. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "../../tools/base/boot.h"

FIXTURE(root)
{
	char root[64];
	struct fsk_boot boot;
	char text[512];
};

/* Make a file, and the folders above it. */
static void put(const char *root, const char *path, const char *text,
		size_t len)
{
	char whole[PATH_MAX], *end;
	int fd;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (end = whole + strlen(root) + 1; (end = strchr(end, '/')); end++) {
		*end = '\0';
		mkdir(whole, 0700);
		*end = '/';
	}
	fd = open(whole, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		abort();
	close(fd);
}

static void puts_in(const char *root, const char *path, const char *text)
{
	put(root, path, text, strlen(text));
}

FIXTURE_SETUP(root)
{
	snprintf(self->root, sizeof(self->root), "/tmp/fsk-boot.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->root));
}

FIXTURE_TEARDOWN(root)
{
	snprintf(self->text, sizeof(self->text), "rm -r %s", self->root);
	EXPECT_EQ(0, system(self->text));
}

static const char *advice(struct fsk_boot *boot, const char *root, char *text,
			  size_t size)
{
	fsk_boot_read(boot, root);
	return fsk_boot_advice(boot, text, size);
}

static void install(const char *root)
{
	struct utsname name;
	char path[PATH_MAX];

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep",
		 name.release);
	puts_in(root, path, "kernel/net/other.ko: fastsocket.ko\n"
		"updates/dkms/fastsocket.ko.xz:\n");
}

TEST_F(root, nothing_installed)
{
	const char *text = advice(&self->boot, self->root, self->text,
				  sizeof(self->text));

	EXPECT_EQ(-1, self->boot.refcount);
	EXPECT_FALSE(self->boot.found);
	EXPECT_NE(NULL, strstr(text, "no fastsocket.ko for kernel "));
	EXPECT_NE(NULL, strstr(text, self->boot.release));
	EXPECT_NE(NULL, strstr(text, "headers, and 'make install-module'"));
	EXPECT_EQ(NULL, strstr(text, "dkms"));
}

TEST_F(root, nothing_built)
{
	const char *text;

	puts_in(self->root, "/var/lib/dkms/fastsocket/x", "");
	text = advice(&self->boot, self->root, self->text, sizeof(self->text));
	EXPECT_NE(NULL, strstr(text, "headers for DKMS; 'dkms status' shows"));
	EXPECT_EQ(NULL, strstr(text, "make"));
}

TEST_F(root, installed)
{
	char path[PATH_MAX];

	install(self->root);
	EXPECT_STREQ("run 'modprobe fastsocket'",
		     advice(&self->boot, self->root, self->text,
			    sizeof(self->text)));
	EXPECT_TRUE(fsk_boot_module_file(self->root, path, sizeof(path)));
	EXPECT_NE(NULL, strstr(path, "/updates/dkms/fastsocket.ko.xz"));
}

TEST_F(root, loaded)
{
	puts_in(self->root, "/sys/module/fastsocket/refcnt", "12\n");
	fsk_boot_read(&self->boot, self->root);
	EXPECT_EQ(12, self->boot.refcount);
}

TEST_F(root, signatures)
{
	static const char * const locked[] = {
		"none [integrity] confidentiality\n",
		"none integrity [confidentiality]\n",
	};

	install(self->root);
	puts_in(self->root, "/sys/module/module/parameters/sig_enforce", "N\n");
	puts_in(self->root, "/sys/kernel/security/lockdown",
		"[none] integrity confidentiality\n");
	fsk_boot_read(&self->boot, self->root);
	EXPECT_FALSE(self->boot.signed_only);
	for (int i = 0; i < 2; i++) {
		puts_in(self->root, "/sys/kernel/security/lockdown", locked[i]);
		fsk_boot_read(&self->boot, self->root);
		EXPECT_TRUE(self->boot.signed_only);
	}
	puts_in(self->root, "/sys/kernel/security/lockdown",
		"[none] integrity confidentiality\n");
	puts_in(self->root, "/sys/module/module/parameters/sig_enforce", "Y\n");
	EXPECT_NE(NULL, strstr(advice(&self->boot, self->root, self->text,
				      sizeof(self->text)),
			       "signed modules only"));
	EXPECT_EQ(NULL, strstr(self->text, "Secure Boot"));
}

TEST_F(root, secure_boot)
{
	static const char variable[] = { 6, 0, 0, 0, 1 };
	const char *path = "/sys/firmware/efi/efivars/"
			   "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

	install(self->root);
	put(self->root, path, variable, sizeof(variable) - 1);
	fsk_boot_read(&self->boot, self->root);
	EXPECT_FALSE(self->boot.secure_boot);
	put(self->root, path, variable, sizeof(variable));
	puts_in(self->root, "/sys/kernel/security/lockdown",
		"none [integrity] confidentiality\n");
	EXPECT_NE(NULL, strstr(advice(&self->boot, self->root, self->text,
				      sizeof(self->text)),
			       "(Secure Boot) loads signed modules only"));
}

TEST_HARNESS_MAIN
