// SPDX-License-Identifier: GPL-2.0
/*
 * MESI over private caches.  Infinite caches (the default) show sharing alone;
 * finite ones (16 ways, first in first out) add what a real capacity forgets.
 * One thread runs all the CPUs, so there is no locking.
 */
#include <stddef.h>
#include <sys/mman.h>

#include "coherence.h"

#define WAYS	16
#define OWNER	56
#define HOLDERS	((1ull << COHERENCE_MAX_CPUS) - 1)

static void *zeroed(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Finite caches: take a way for @line, evicting the oldest if none is free. */
static void fill(struct coherence *c, unsigned int cpu, uint64_t line)
{
	size_t set = (size_t)cpu * c->sets + line % c->sets;
	unsigned int way, empty = WAYS;
	uint32_t *tag = c->tags[set];
	uint64_t *victim;

	for (way = 0; way < WAYS && tag[way] != line + 1; way++)
		if (empty == WAYS &&
		    (!tag[way] || !(c->lines[tag[way] - 1] >> cpu & 1)))
			empty = way;
	if (way < WAYS)
		return;
	way = empty < WAYS ? empty : c->hand[set]++ % WAYS;
	if (empty == WAYS) {
		victim = &c->lines[tag[way] - 1];
		if (*victim >> OWNER == cpu + 1)
			*victim &= HOLDERS;
		*victim &= ~(1ull << cpu);
	}
	tag[way] = line + 1;
}

/**
 * coherence_init() - make empty caches
 * @c: to be filled in
 * @cpus: number of CPUs, at most COHERENCE_MAX_CPUS
 * @bytes: size of the simulated memory
 * @cache_kib: size of each CPU's cache, 0 for infinite ones
 *
 * Return: 0, or -1 without memory or with too many CPUs.
 */
int coherence_init(struct coherence *c, unsigned int cpus, uint64_t bytes,
		   unsigned int cache_kib)
{
	*c = (struct coherence){ .nlines = bytes / 64 };
	if (cpus > COHERENCE_MAX_CPUS)
		return -1;
	c->lines = zeroed(c->nlines * sizeof(*c->lines));
	if (!c->lines)
		return -1;
	c->sets = cache_kib * 1024 / 64 / WAYS;
	if (!c->sets)
		return 0;
	c->tags = zeroed((size_t)cpus * c->sets * sizeof(*c->tags));
	c->hand = zeroed((size_t)cpus * c->sets);
	return c->tags && c->hand ? 0 : -1;
}

/**
 * coherence_access() - one load or store
 * @c: the caches
 * @cpu: who accesses
 * @line: number of the line, below @c->nlines
 * @store: a store, or a locked operation
 *
 * Return: what it cost.
 */
enum coherence_event coherence_access(struct coherence *c, unsigned int cpu,
				      uint64_t line, bool store)
{
	uint64_t state = c->lines[line], me = 1ull << cpu;
	uint64_t holders = state & HOLDERS;
	enum coherence_event e;

	if (store) {
		c->lines[line] = me | (uint64_t)(cpu + 1) << OWNER;
		if (holders == me)
			return COHERENCE_HIT;
		if (holders & me)
			e = COHERENCE_UPGRADE;
		else if (state >> OWNER)
			e = COHERENCE_ST_DIRTY;
		else
			e = holders ? COHERENCE_ST_CLEAN : COHERENCE_COLD;
	} else {
		if (holders & me)
			return COHERENCE_HIT;
		/* A modified line becomes clean, and shared. */
		c->lines[line] = holders | me;
		if (state >> OWNER)
			e = COHERENCE_LD_DIRTY;
		else
			e = holders ? COHERENCE_LD_CLEAN : COHERENCE_COLD;
	}
	if (c->sets && e != COHERENCE_UPGRADE)
		fill(c, cpu, line);
	return e;
}

/**
 * coherence_device_write() - a device stores to memory
 * @c: the caches
 * @line: number of the line, below @c->nlines
 *
 * Whoever had the line has it no more; memory answers the next access.  What a
 * device reads stays where it is.
 */
void coherence_device_write(struct coherence *c, uint64_t line)
{
	c->lines[line] = 0;
}
