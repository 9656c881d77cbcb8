/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cache model of the simulator: a private cache for each CPU over 64-byte
 * lines, kept coherent by MESI.  It knows nothing of QEMU, so that its rules
 * are tested in user space (coherence_test.c).
 */
#ifndef FSK_BENCH_COHERENCE_H
#define FSK_BENCH_COHERENCE_H

#include <stdbool.h>
#include <stdint.h>

#define COHERENCE_MAX_CPUS	48	/* holders are a bit mask below OWNER */

/**
 * enum coherence_event - what an access cost
 * @COHERENCE_LD_DIRTY: load of a line that another CPU has modified
 * @COHERENCE_LD_CLEAN: load of a line that only others hold, unmodified
 * @COHERENCE_ST_DIRTY: store to a line that another CPU has modified
 * @COHERENCE_ST_CLEAN: store to a line that only others hold, unmodified
 * @COHERENCE_UPGRADE: store to a line held here and shared with others
 * @COHERENCE_COLD: nobody holds the line, memory answers
 * @COHERENCE_EVENTS: number of events
 * @COHERENCE_HIT: this CPU's cache answers, nobody else hears of it
 *
 * All but the last three are remote transfers: another CPU's cache takes part.
 */
enum coherence_event {
	COHERENCE_LD_DIRTY,
	COHERENCE_LD_CLEAN,
	COHERENCE_ST_DIRTY,
	COHERENCE_ST_CLEAN,
	COHERENCE_UPGRADE,
	COHERENCE_COLD,
	COHERENCE_EVENTS,
	COHERENCE_HIT = COHERENCE_EVENTS,
};

/**
 * struct coherence - the caches of one machine
 * @lines: per line, bits 0..47 the CPUs that hold it, bits 56.. one more than
 *         the CPU that has it modified, 0 if none has
 * @nlines: number of lines
 * @tags: finite caches, per CPU and set, line + 1 in each way; else %NULL
 * @hand: finite caches, per CPU and set, the next way to evict
 * @sets: finite caches, sets per CPU; 0: infinite caches
 */
struct coherence {
	uint64_t *lines;
	uint64_t nlines;
	uint32_t (*tags)[16];
	uint8_t *hand;
	unsigned int sets;
};

int coherence_init(struct coherence *c, unsigned int cpus, uint64_t bytes,
		   unsigned int cache_kib);
enum coherence_event coherence_access(struct coherence *c, unsigned int cpu,
				      uint64_t line, bool store);
void coherence_device_write(struct coherence *c, uint64_t line);

#endif
