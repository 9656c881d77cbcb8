// SPDX-License-Identifier: GPL-2.0
/* Which CPU serves which queue; see tools/base/plan.c and cpus.c. */
#include "kselftest_harness.h"

#include "../../tools/base/plan.h"

#define MAX	16

FIXTURE(plan) {
	struct fsk_plan_cpu cpus[MAX];
	struct fsk_plan plan;
};

FIXTURE_SETUP(plan)
{
	for (unsigned int i = 0; i < MAX; i++) {
		self->cpus[i].number = i;
		self->cpus[i].node = FSK_PLAN_NO_NODE;
	}
}

FIXTURE_TEARDOWN(plan)
{
	fsk_plan_free(&self->plan);
}

/* The CPUs of a queue, as a list. */
static const char *share(const struct fsk_plan *plan,
			 const struct fsk_plan_cpu *cpus, unsigned int count,
			 unsigned int queue)
{
	static char text[128];
	struct fsk_cpus set;

	fsk_plan_share(plan, cpus, count, queue, &set);
	return fsk_cpus_list(&set, text, sizeof(text));
}

#define EXPECT_QUEUE(queue, number, list) do {				\
	EXPECT_EQ(number, self->plan.cpu[queue]);			\
	EXPECT_STREQ(list, share(&self->plan, self->cpus, count, queue)); \
} while (0)

TEST_F(plan, a_queue_for_each)
{
	unsigned int count = 4;

	ASSERT_TRUE(fsk_plan_make(&self->plan, self->cpus, count, 0, 4));
	EXPECT_EQ(4, self->plan.used);
	EXPECT_QUEUE(0, 0, "0");
	EXPECT_QUEUE(3, 3, "3");
}

TEST_F(plan, more_queues)
{
	unsigned int count = 3;

	ASSERT_TRUE(fsk_plan_make(&self->plan, self->cpus, count, 0, 8));
	EXPECT_EQ(3, self->plan.used);
	EXPECT_QUEUE(2, 2, "2");
	EXPECT_QUEUE(3, 0, "0");
	EXPECT_QUEUE(7, 1, "1");
}

TEST_F(plan, one_queue)
{
	unsigned int count = 8;

	ASSERT_TRUE(fsk_plan_make(&self->plan, self->cpus, count,
				  FSK_PLAN_NO_NODE, 1));
	EXPECT_EQ(1, self->plan.used);
	EXPECT_QUEUE(0, 0, "0-7");
}

TEST_F(plan, one_cpu)
{
	unsigned int count = 1;

	ASSERT_TRUE(fsk_plan_make(&self->plan, self->cpus, count, 0, 1));
	EXPECT_QUEUE(0, 0, "0");
}

/* All have as many CPUs as any other, but for one. */
TEST_F(plan, even_shares)
{
	unsigned int count = 8;

	ASSERT_TRUE(fsk_plan_make(&self->plan, self->cpus, count,
				  FSK_PLAN_NO_NODE, 3));
	EXPECT_QUEUE(0, 0, "0,3,6");
	EXPECT_QUEUE(1, 1, "1,4,7");
	EXPECT_QUEUE(2, 2, "2,5");
}

/* Numbers have gaps where CPUs are offline. */
TEST_F(plan, offline)
{
	unsigned int count = 3;

	self->cpus[1].number = 5;
	self->cpus[2].number = 7;
	ASSERT_TRUE(fsk_plan_make(&self->plan, self->cpus, count, 0, 2));
	EXPECT_QUEUE(0, 0, "0,7");
	EXPECT_QUEUE(1, 5, "5");
}

/* CPUs 0-3 and 8-11 are on node 0, of which 8-11 are second threads. */
static void two_nodes(struct fsk_plan_cpu *cpus)
{
	for (unsigned int i = 0; i < MAX; i++) {
		cpus[i].node = i / 4 % 2;
		cpus[i].sibling = i >= 8;
	}
}

TEST_F(plan, near_first)
{
	unsigned int count = MAX;

	two_nodes(self->cpus);
	ASSERT_TRUE(fsk_plan_make(&self->plan, self->cpus, count, 1, 4));
	EXPECT_QUEUE(0, 4, "0,4,8,12");
	EXPECT_QUEUE(3, 7, "3,7,11,15");
}

TEST_F(plan, threads_then_other_node)
{
	unsigned int count = MAX;

	two_nodes(self->cpus);
	ASSERT_TRUE(fsk_plan_make(&self->plan, self->cpus, count, 1, 10));
	/* All of node 1, then two cores of node 0, in the order of numbers. */
	EXPECT_QUEUE(0, 0, "0,2,8,10");
	EXPECT_QUEUE(1, 1, "1,3,9,11");
	EXPECT_QUEUE(2, 4, "4");
	EXPECT_QUEUE(6, 12, "12");
	EXPECT_QUEUE(9, 15, "15");
}

TEST_F(plan, unknown_node)
{
	unsigned int count = MAX;

	two_nodes(self->cpus);
	ASSERT_TRUE(fsk_plan_make(&self->plan, self->cpus, count,
				  FSK_PLAN_NO_NODE, 2));
	/* Both on node 0: CPUs of node 1 go where fewest are. */
	EXPECT_QUEUE(0, 0, "0,2,4,6,8,10,12,14");
	EXPECT_QUEUE(1, 1, "1,3,5,7,9,11,13,15");
}

/* Each CPU is in just one share, whatever the numbers. */
TEST_F(plan, complete)
{
	struct fsk_cpus set;

	two_nodes(self->cpus);
	for (unsigned int count = 1; count <= MAX; count++)
		for (unsigned int queues = 1; queues <= 20; queues++) {
			unsigned int found = 0;

			ASSERT_TRUE(fsk_plan_make(&self->plan, self->cpus,
						  count, 1, queues));
			for (unsigned int q = 0; q < self->plan.used; q++) {
				fsk_plan_share(&self->plan, self->cpus, count,
					       q, &set);
				EXPECT_TRUE(fsk_cpus_has(&set,
							 self->plan.cpu[q]));
				for (unsigned int i = 0; i < count; i++)
					found += fsk_cpus_has(&set, i);
			}
			EXPECT_EQ(count, found);
			fsk_plan_free(&self->plan);
		}
}

struct text {
	const char *list;
	const char *mask;
};

static const struct text texts[] = {
	{ "0", "1" },
	{ "0-3", "f" },
	{ "1,3", "a" },
	{ "31-32", "1,80000000" },
	{ "0,64", "1,00000000,00000001" },
	{ "none", "0" },
};

TEST(cpus__texts)
{
	struct fsk_cpus set, again;
	char text[FSK_CPUS_TEXT];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		ASSERT_TRUE(fsk_cpus_parse_mask(&set, texts[i].mask));
		EXPECT_STREQ(texts[i].list, fsk_cpus_list(&set, text,
							  sizeof(text)));
		EXPECT_STREQ(texts[i].mask, fsk_cpus_mask(&set, text,
							  sizeof(text)));
		if (!strcmp(texts[i].list, "none"))
			continue;
		ASSERT_TRUE(fsk_cpus_parse_list(&again, texts[i].list));
		EXPECT_EQ(0, memcmp(&set, &again, sizeof(set)));
	}
}

TEST(cpus__wrong)
{
	struct fsk_cpus set;

	EXPECT_FALSE(fsk_cpus_parse_mask(&set, ""));
	EXPECT_FALSE(fsk_cpus_parse_mask(&set, "g"));
	EXPECT_FALSE(fsk_cpus_parse_list(&set, "x"));
	EXPECT_FALSE(fsk_cpus_parse_list(&set, "1,"));
	EXPECT_FALSE(fsk_cpus_parse_list(&set, "1-"));
	EXPECT_TRUE(fsk_cpus_parse_list(&set, ""));
	EXPECT_TRUE(fsk_cpus_parse_list(&set, "0-1\n"));
	EXPECT_TRUE(fsk_cpus_parse_list(&set, "0-4294967295"));
	EXPECT_TRUE(fsk_cpus_has(&set, FSK_CPUS_MAX - 1));
}

TEST(cpus__no_room)
{
	struct fsk_cpus set = { 0 };
	char text[24];

	for (uint32_t i = 0; i < 100; i += 2)
		fsk_cpus_add(&set, i);
	EXPECT_STREQ("0,2,4,6,8...", fsk_cpus_list(&set, text, sizeof(text)));
	memset(&set, 0xff, sizeof(set));
	EXPECT_STREQ("0-8191", fsk_cpus_list(&set, text, sizeof(text)));
}

TEST_HARNESS_MAIN
