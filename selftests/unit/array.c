// SPDX-License-Identifier: GPL-2.0
/* Arrays that grow, see tools/base/array.c. */
#include <stdint.h>
#include <stdlib.h>

#include "kselftest_harness.h"

#include "../../tools/base/array.h"

/* As many as grow it some times, each with a value of its own. */
static uint64_t *fill(uint64_t *items, size_t count)
{
	uint64_t *more;

	for (size_t i = 0; i < count; i++) {
		more = fsk_array_grow(items, i, sizeof(*items));
		if (!more || more[i]) {
			free(more ? more : items);
			return NULL;
		}
		items = more;
		items[i] = i + 1;
	}
	return items;
}

TEST(array__keeps_items)
{
	uint64_t *items = fill(NULL, 1000);

	ASSERT_NE(NULL, items);
	for (size_t i = 0; i < 1000; i++)
		EXPECT_EQ(i + 1, items[i]);
	free(items);
}

/* A dump that begins again: the old items are there, and must not be seen. */
TEST(array__begins_again)
{
	uint64_t *items = fill(NULL, 1000);

	ASSERT_NE(NULL, items);
	items = fill(items, 500);
	ASSERT_NE(NULL, items);
	EXPECT_EQ(500, items[499]);
	free(items);
}

/* Let it answer, not end the test. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* The items stay when there is no memory for more. */
TEST(array__without_memory)
{
	uint64_t *items = fill(NULL, 16);

	ASSERT_NE(NULL, items);
	EXPECT_EQ(NULL, fsk_array_grow(items, 16, SIZE_MAX / 2));
	EXPECT_EQ(16, items[15]);
	free(items);
}

TEST_HARNESS_MAIN
