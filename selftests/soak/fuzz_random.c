// SPDX-License-Identifier: GPL-2.0
/*
 * Random numbers, the same for the same seed; and counting.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <time.h>

/* Random numbers */

uint64_t fuzz_random(struct fuzz *f)
{
	f->rng ^= f->rng << 13;
	f->rng ^= f->rng >> 7;
	f->rng ^= f->rng << 17;
	return f->rng * 0x2545f4914f6cdd1dull;
}

unsigned int fuzz_below(struct fuzz *f, unsigned int n)
{
	return (fuzz_random(f) >> 32) % n;
}

bool fuzz_chance(struct fuzz *f, unsigned int one_in)
{
	return !fuzz_below(f, one_in);
}

/* Mostly numbers around which a check may be off by one. */
unsigned int fuzz_number(struct fuzz *f, unsigned int max)
{
	switch (fuzz_below(f, 8)) {
	case 0:
		return max - 1;
	case 1:
		return max;
	case 2:
		return max + 1;
	case 3:
		return (1u << fuzz_below(f, 32)) - fuzz_below(f, 2);
	case 4:
		return fuzz_random(f);
	case 5:
		return fuzz_below(f, max ? max : 256);
	default:
		return fuzz_below(f, 4);
	}
}

/* Mixes a seed, so that two that differ in one bit give unlike numbers. */
uint64_t fuzz_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (x ^ x >> 31) | 1;
}

static uint64_t now_seed;

/* All tests of this program share one seed. */
__attribute__((constructor)) static void seed_take(void)
{
	now_seed = time(NULL);
}

uint64_t fuzz_setting(const char *name, uint64_t otherwise)
{
	const char *word = getenv(name);

	return word && *word ? strtoull(word, NULL, 0) : otherwise;
}

/* The seed of this run. */
uint64_t fuzz_seed(void)
{
	return fuzz_setting("FSK_SEED", now_seed);
}

/* Counts */

void fuzz_count(struct fuzz_count *count, bool ok)
{
	__atomic_fetch_add(ok ? &count->ok : &count->refused, 1,
			   __ATOMIC_RELAXED);
}

void fuzz_called(struct fuzz *f)
{
	__atomic_fetch_add(&f->shared->calls, 1, __ATOMIC_RELAXED);
}
