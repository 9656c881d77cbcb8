// SPDX-License-Identifier: GPL-2.0
/* The rules of the cache model, one case each.  Prints KTAP. */
#include <stdio.h>

#include "coherence.h"

#define MEM	(1024u * 1024)

static struct coherence c;
static int failed;

static void expect(const char *what, enum coherence_event got,
		   enum coherence_event want)
{
	if (got == want)
		return;
	printf("# %s: event %d, expected %d\n", what, got, want);
	failed = 1;
}

static enum coherence_event ld(int cpu, int line)
{
	return coherence_access(&c, cpu, line, false);
}

static enum coherence_event st(int cpu, int line)
{
	return coherence_access(&c, cpu, line, true);
}

static void one_cpu_is_never_remote(void)
{
	expect("first load", ld(0, 1), COHERENCE_COLD);
	expect("store after own load", st(0, 1), COHERENCE_HIT);
	expect("load after own store", ld(0, 1), COHERENCE_HIT);
	expect("first store", st(0, 2), COHERENCE_COLD);
}

static void loads_share(void)
{
	ld(0, 1);
	expect("second reader", ld(1, 1), COHERENCE_LD_CLEAN);
	expect("third reader", ld(2, 1), COHERENCE_LD_CLEAN);
	expect("first again", ld(0, 1), COHERENCE_HIT);
}

static void store_takes_it_away(void)
{
	ld(0, 1);
	ld(1, 1);
	expect("sharer stores", st(0, 1), COHERENCE_UPGRADE);
	expect("stores again", st(0, 1), COHERENCE_HIT);
	expect("the other lost it", ld(1, 1), COHERENCE_LD_DIRTY);
	expect("the owner kept it, shared", st(0, 1), COHERENCE_UPGRADE);
	expect("ping", st(1, 1), COHERENCE_ST_DIRTY);
	expect("pong", st(0, 1), COHERENCE_ST_DIRTY);
}

static void store_to_clean(void)
{
	ld(0, 1);
	expect("store", st(1, 1), COHERENCE_ST_CLEAN);
	expect("load after it", ld(0, 1), COHERENCE_LD_DIRTY);
	expect("third store", st(2, 1), COHERENCE_ST_CLEAN);
}

static void lines_are_apart(void)
{
	st(0, 1);
	expect("neighbour", st(1, 2), COHERENCE_COLD);
	expect("untouched", st(0, 1), COHERENCE_HIT);
}

static void last_cpu(void)
{
	st(COHERENCE_MAX_CPUS - 1, 1);
	expect("load", ld(0, 1), COHERENCE_LD_DIRTY);
	expect("upgrade", st(COHERENCE_MAX_CPUS - 1, 1), COHERENCE_UPGRADE);
}

static void finite_evicts_oldest(void)
{
	int i;

	/* 1 KiB: one set of 16 ways */
	coherence_init(&c, COHERENCE_MAX_CPUS, MEM, 1);
	st(0, 0);
	for (i = 1; i < 16; i++)
		ld(0, i);
	expect("still there", ld(0, 0), COHERENCE_HIT);
	ld(0, 16);
	expect("written back, no owner", ld(1, 0), COHERENCE_COLD);
	expect("gone", ld(0, 0), COHERENCE_LD_CLEAN);
	expect("the youngest stays", ld(0, 16), COHERENCE_HIT);
}

static void device_takes_it_from_all(void)
{
	st(0, 1);
	coherence_device_write(&c, 1);
	expect("load of the former owner", ld(0, 1), COHERENCE_COLD);
	expect("load of another", ld(1, 1), COHERENCE_LD_CLEAN);
	coherence_device_write(&c, 1);
	expect("store", st(1, 1), COHERENCE_COLD);
	expect("and again", st(1, 1), COHERENCE_HIT);
}

static void too_many_cpus(void)
{
	if (!coherence_init(&c, COHERENCE_MAX_CPUS + 1, MEM, 0))
		failed = 1;
}

#define CASE(f) { #f, f }
static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	CASE(one_cpu_is_never_remote), CASE(loads_share),
	CASE(store_takes_it_away), CASE(store_to_clean),
	CASE(lines_are_apart), CASE(last_cpu),
	CASE(finite_evicts_oldest), CASE(device_takes_it_from_all),
	CASE(too_many_cpus),
};

int main(void)
{
	int n = sizeof(cases) / sizeof(*cases), bad = 0, i;

	printf("KTAP version 1\n1..%d\n", n);
	for (i = 0; i < n; i++) {
		failed = coherence_init(&c, COHERENCE_MAX_CPUS, MEM, 0);
		cases[i].run();
		bad |= failed;
		printf("%sok %d coherence__%s\n", failed ? "not " : "", i + 1,
		       cases[i].name);
	}
	return bad;
}
