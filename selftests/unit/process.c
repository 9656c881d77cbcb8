// SPDX-License-Identifier: GPL-2.0
/* What is read of a process, see tools/base/process.c. */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "../../tools/base/plain.h"
#include "../../tools/base/process.h"

static const char status[] =
"Name:\tnginx\nVmRSS:\t   12345 kB\nVmRSSx:\t1 kB\n"
"Cpus_allowed:\t8\nCpus_allowed_list:\t3\nMems_allowed_list:\t0-1\n";

TEST(process__pid)
{
	EXPECT_EQ(1, fsk_process_pid("1"));
	EXPECT_EQ(INT32_MAX, fsk_process_pid("2147483647"));
	EXPECT_EQ(0, fsk_process_pid("2147483648"));
	EXPECT_EQ(0, fsk_process_pid("4294967297"));
	EXPECT_EQ(0, fsk_process_pid("18446744073709551617"));
	EXPECT_EQ(0, fsk_process_pid("0"));
	EXPECT_EQ(0, fsk_process_pid("01"));
	EXPECT_EQ(0, fsk_process_pid("-1"));
	EXPECT_EQ(0, fsk_process_pid("1x"));
	EXPECT_EQ(0, fsk_process_pid(""));
}

/* Any user may name a process so that root's terminal does what it says. */
TEST(process__plain)
{
	char text[] = "a\033[2Jb\nc\177\0\302\233d\303\251\302\240\302";
	static const char plain[] = "a?[2Jb?c?\0??d\303\251\302\240\302";

	fsk_plain(text, sizeof(text));
	EXPECT_EQ(0, memcmp(plain, text, sizeof(text)));
}

TEST(process__plain_name)
{
	struct fsk_process process;

	ASSERT_EQ(0, prctl(PR_SET_NAME, "a\033c"));
	ASSERT_EQ(0, fsk_process_read(getpid(), &process));
	EXPECT_STREQ("a?c", process.name);
	fsk_process_reset(&process);
}

TEST(process__status)
{
	EXPECT_EQ(12345, fsk_process_number(status, "VmRSS:"));
	EXPECT_EQ(0, fsk_process_number(status, "RSS:"));
	EXPECT_EQ(0, fsk_process_number(status, "VmSwap:"));
	EXPECT_TRUE(fsk_process_bound(status));
	EXPECT_FALSE(fsk_process_bound("A:\nCpus_allowed_list:\t0-3\n"));
	EXPECT_FALSE(fsk_process_bound("A:\nCpus_allowed_list:\t0,2\n"));
	EXPECT_FALSE(fsk_process_bound("A:\nCpus_allowed_list:\t"));
	EXPECT_FALSE(fsk_process_bound("A:\n"));
}

TEST(process__settings)
{
	char words[] = "A=1\0FASTSOCKET_PIN=1\0XFASTSOCKET_A=2\0"
			      "FASTSOCKET_nothing\0FASTSOCKET_PORTS=80";
	struct fsk_process process = {
		.environment = words, .length = sizeof(words),
	};
	const char *setting;

	setting = fsk_process_setting(&process, NULL);
	ASSERT_NE(NULL, setting);
	EXPECT_STREQ("FASTSOCKET_PIN=1", setting);
	setting = fsk_process_setting(&process, setting);
	ASSERT_NE(NULL, setting);
	EXPECT_STREQ("FASTSOCKET_PORTS=80", setting);
	EXPECT_EQ(NULL, fsk_process_setting(&process, setting));
	process.length = 0;
	EXPECT_EQ(NULL, fsk_process_setting(&process, NULL));
}

TEST(process__itself)
{
	struct fsk_process process;

	ASSERT_EQ(0, fsk_process_read(getpid(), &process));
	EXPECT_STREQ("process", process.name);
	EXPECT_EQ(1, process.threads);
	EXPECT_LT(100, process.resident_kib);
	EXPECT_FALSE(process.preload);
	fsk_process_reset(&process);
	EXPECT_NE(0, fsk_process_read(0x7ffffff0, &process));
}

TEST_HARNESS_MAIN
