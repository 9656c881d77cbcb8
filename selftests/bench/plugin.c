// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU 10.0 (API 4): counts, for guest kernel code, instructions,
 * locked operations and simulated coherence events.  It deals in addresses
 * only; simlib.py gives them names afterwards, from the symbols of that very
 * boot, so a module's functions are right wherever it was loaded.
 *
 * One TCG thread runs all the CPUs (-icount), so there is no locking.
 *
 * Which CPU runs: with one TCG thread QEMU 10.0 passes callbacks the index of
 * the CPU that *translated* the block (gen_cpu_index() in
 * accel/tcg/plugin-gen.c takes it for a constant), so it is told by the CPU
 * state pointer, which generated code keeps in rbp (TCG_AREG0): build with
 * -ffixed-rbp.  The same flaw rules out QEMU's per-CPU inline operations.
 *
 * The guest program marks its windows with instructions that do nothing and
 * that no compiler emits:
 *   xchg %r15,%r15 (4d 87 ff)  zero the counters and count from here on
 *   xchg %r14,%r14 (4d 87 f6)  append a report, stop counting
 * The caches stay as they are between windows.
 *   xchg %r13,%r13 (4d 87 ed)  this CPU is another machine's: it counts for
 *                              nothing, and has a cache as any
 * In the kernel, with interrupts off, they enclose what a device does, which is
 * no work of the CPU; what it writes is in no cache afterwards:
 *   xchg %r13,%r13 (4d 87 ed)  begins
 *   xchg %r12,%r12 (4d 87 e4)  ends
 *
 * Arguments: out=FILE mem=MIB (0: count no accesses, which is faster)
 * cache=KIB (0: infinite)
 * from=PC to=PC: count what happens between the entries of two functions only,
 * and instead of coherence events the lines that are touched each time, as
 * "cold"; only=FILE: code that can be there, as pairs of addresses, so that all
 * other code runs at full speed
 *
 * Report, one record a line, addresses in hexadecimal:
 *   window N
 *   cpu I KERNEL-INSTRUCTIONS USER-INSTRUCTIONS
 *   path TIMES INSTRUCTIONS LINES          (with from=)
 *   tb PC INSTRUCTIONS EXECUTIONS CALL     (CALL 1: the block ends with one)
 *   op PC ACCESSES LOCKED EVENT...        (order of enum coherence_event)
 *   hot LINE DATA-ADDRESS PC CALL-SITE CALL-SITE-BEFORE TRANSFERS
 *   lost N                                (transfers with no room in "hot")
 *   end
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu-plugin.h"

#include "coherence.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 4;

#define KERNEL_BASE	0xffff800000000000ull
#define NTB		(1024u * 1024)	/* blocks; a kernel run has 60,000 */
#define NOP		(1024u * 1024)	/* instructions that access memory */
#define NHOT		(4096u * 1024)
#define PROBES		256		/* before a table counts as full */
#define NTOUCHED	(16u * 1024)	/* lines touched on one way */
#define NONLY		256

/**
 * struct tb - a block as translated
 * @pc: its address
 * @insns: instructions in it; -icount makes shorter twins of a block
 * @user: user code
 * @call: it ends with a call
 * @execs: executions in the window
 */
struct tb {
	uint64_t pc;
	uint32_t insns;
	bool user, call;
	uint64_t execs;
};

/**
 * struct op - a kernel instruction that accesses memory
 * @pc: its address
 * @locked: it has a lock prefix, or is an xchg with memory
 * @accesses: in the window, loads and stores apart
 * @locks: executions as a locked operation
 * @ev: by enum coherence_event
 */
struct op {
	uint64_t pc;
	bool locked;
	uint64_t accesses, locks;
	uint64_t ev[COHERENCE_EVENTS];
};

/**
 * struct hot - transfers of one line by one instruction
 * @line: number of the line
 * @va: an address in it, as the kernel used it
 * @pc: the instruction
 * @call: the last two calls that this CPU made before, newest first; they
 *        tell the caller where @pc belongs to a function that calls nothing,
 *        or one thing (_raw_spin_lock, _raw_spin_lock_bh)
 * @n: transfers
 */
struct hot {
	uint64_t line, va, pc, call[2], n;
};

static struct tb *tbs;
static struct op *ops;
static struct hot *hots;
static uint64_t lost;

static struct coherence caches;
static const char *out = "cohsim.out";
static unsigned int cpus, window;
static bool on, count_accesses;

/* With from= and to=: where the way begins and ends, and whether this is it. */
static struct {
	uint64_t from, to;
	bool on;
	uint64_t times, insns, lines;
	struct {
		uint64_t line, time;
	} touched[NTOUCHED];
} path;
static uint64_t only[NONLY][2];
static unsigned int nonly;

/* Generated code's own rbp: valid at the entry of block_run() alone. */
register char *env asm("rbp");
static char *envs[COHERENCE_MAX_CPUS], *current_env;
static unsigned int cpu, nenvs;
static struct {
	uint64_t insns[2];		/* kernel, user */
	uint64_t call[2];		/* call sites, newest first */
	bool device;			/* does a device's work now */
	bool elsewhere;			/* is another machine's */
} per_cpu[COHERENCE_MAX_CPUS];

static void die(const char *why)
{
	fprintf(stderr, "cohsim: %s\n", why);
	exit(1);
}

static uint64_t hash(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t h = a * 0x9e3779b97f4a7c15ull ^ b * 0xc2b2ae3d27d4eb4full ^
		     c * 0x165667b19e3779f9ull;

	return h ^ h >> 29;
}

static struct tb *tb_get(uint64_t pc, uint32_t insns)
{
	uint64_t h = hash(pc, insns, 0);
	struct tb *t;
	int i;

	for (i = 0; i < PROBES; i++) {
		t = &tbs[(h + i) % NTB];
		if (!t->insns) {
			t->pc = pc;
			t->insns = insns;
		}
		if (t->pc == pc && t->insns == insns)
			return t;
	}
	die("too many blocks");
	return NULL;
}

static struct op *op_get(uint64_t pc)
{
	uint64_t h = hash(pc, 0, 0);
	struct op *o;
	int i;

	for (i = 0; i < PROBES; i++) {
		o = &ops[(h + i) % NOP];
		if (!o->pc)
			o->pc = pc;
		if (o->pc == pc)
			return o;
	}
	die("too many instructions");
	return NULL;
}

static void hot_add(uint64_t line, uint64_t va, uint64_t pc,
		    const uint64_t *call)
{
	uint64_t h = hash(line, pc, call[0] ^ call[1] << 32);
	struct hot *p;
	int i;

	for (i = 0; i < PROBES; i++) {
		p = &hots[(h + i) % NHOT];
		if (!p->n)
			*p = (struct hot){ line, va, pc,
					   { call[0], call[1] }, 0 };
		if (p->line == line && p->pc == pc && p->call[0] == call[0] &&
		    p->call[1] == call[1]) {
			p->n++;
			return;
		}
	}
	lost++;
}

/* Whether this is the first access to a line since the way began. */
static bool path_touch(uint64_t line)
{
	uint64_t h = hash(line, 0, 0);
	int i;

	for (i = 0; i < PROBES; i++) {
		size_t k = (h + i) % NTOUCHED;

		if (path.touched[k].time == path.times &&
		    path.touched[k].line == line)
			return false;
		if (path.touched[k].time == path.times)
			continue;
		path.touched[k].time = path.times;
		path.touched[k].line = line;
		path.lines++;
		return true;
	}
	die("too many lines on the way");
	return false;
}

static bool path_block(const struct tb *t)
{
	if (t->pc == path.from) {
		path.on = true;
		path.times++;
	} else if (t->pc == path.to) {
		path.on = false;
	}
	if (path.on)
		path.insns += t->insns;
	return path.on;
}

static void block_run(unsigned int wrong_cpu, void *data)
{
	struct tb *t = data;

	if (env != current_env) {
		current_env = env;
		for (cpu = 0; cpu < nenvs && envs[cpu] != env; cpu++)
			;
		if (cpu == nenvs) {
			if (nenvs == cpus)
				die("more CPU states than CPUs");
			envs[nenvs++] = env;
		}
	}
	if (!on || (path.from && !path_block(t)))
		return;
	if (per_cpu[cpu].device || per_cpu[cpu].elsewhere)
		return;
	if (t->call) {
		per_cpu[cpu].call[1] = per_cpu[cpu].call[0];
		per_cpu[cpu].call[0] = t->pc;
	}
	t->execs++;
	per_cpu[cpu].insns[t->user] += t->insns;
}

static void access_run(unsigned int wrong_cpu, qemu_plugin_meminfo_t info,
		       uint64_t va, void *data)
{
	struct qemu_plugin_hwaddr *hw;
	enum coherence_event e;
	struct op *op = data;
	uint64_t line;
	bool store;

	if (!on || (path.from && !path.on))
		return;
	hw = qemu_plugin_get_hwaddr(info, va);
	if (!hw || qemu_plugin_hwaddr_is_io(hw))
		return;
	line = qemu_plugin_hwaddr_phys_addr(hw) / 64;
	if (!path.from && line >= caches.nlines)
		return;
	store = qemu_plugin_mem_is_store(info);
	if (per_cpu[cpu].device) {
		if (store && !path.from)
			coherence_device_write(&caches, line);
		return;
	}
	if (per_cpu[cpu].elsewhere) {
		if (!path.from)
			coherence_access(&caches, cpu, line,
					 store || op->locked);
		return;
	}
	op->accesses++;
	if (op->locked && !store)
		op->locks++;
	if (path.from) {
		op->ev[COHERENCE_COLD] += path_touch(line);
		return;
	}
	/* The load of a locked operation takes the line for itself already. */
	e = coherence_access(&caches, cpu, line, store || op->locked);
	if (e == COHERENCE_HIT)
		return;
	op->ev[e]++;
	if (e != COHERENCE_COLD)
		hot_add(line, va, op->pc, per_cpu[cpu].call);
}

static void window_start(unsigned int wrong_cpu, void *data)
{
	size_t i;

	for (i = 0; i < NTB; i++)
		tbs[i].execs = 0;
	for (i = 0; i < NOP; i++) {
		ops[i].accesses = 0;
		ops[i].locks = 0;
		memset(ops[i].ev, 0, sizeof(ops[i].ev));
	}
	memset(hots, 0, NHOT * sizeof(*hots));
	lost = 0;
	path.on = false;
	path.insns = 0;
	path.lines = 0;
	path.times = 0;
	memset(path.touched, 0, sizeof(path.touched));
	for (i = 0; i < cpus; i++)
		memset(per_cpu[i].insns, 0, sizeof(per_cpu[i].insns));
	on = true;
}

static void window_report(FILE *f)
{
	size_t i;
	int e;

	fprintf(f, "window %u\n", window);
	for (i = 0; i < cpus; i++)
		fprintf(f, "cpu %zu %lu %lu\n", i, per_cpu[i].insns[0],
			per_cpu[i].insns[1]);
	if (path.from)
		fprintf(f, "path %lu %lu %lu\n", path.times, path.insns,
			path.lines);
	for (i = 0; i < NTB; i++)
		if (tbs[i].execs && !tbs[i].user)
			fprintf(f, "tb %lx %u %lu %d\n", tbs[i].pc,
				tbs[i].insns, tbs[i].execs, tbs[i].call);
	for (i = 0; i < NOP; i++) {
		if (!ops[i].accesses)
			continue;
		fprintf(f, "op %lx %lu %lu", ops[i].pc, ops[i].accesses,
			ops[i].locks);
		for (e = 0; e < COHERENCE_EVENTS; e++)
			fprintf(f, " %lu", ops[i].ev[e]);
		fprintf(f, "\n");
	}
	for (i = 0; i < NHOT; i++)
		if (hots[i].n)
			fprintf(f, "hot %lx %lx %lx %lx %lx %lu\n",
				hots[i].line, hots[i].va, hots[i].pc,
				hots[i].call[0], hots[i].call[1], hots[i].n);
	fprintf(f, "lost %lu\nend\n", lost);
}

static void window_stop(unsigned int wrong_cpu, void *data)
{
	FILE *f;

	if (!on)
		return;
	on = false;
	f = fopen(out, window++ ? "a" : "w");
	if (!f)
		die("cannot write the report");
	window_report(f);
	if (fclose(f))
		die("cannot write the report");
}

/* Whether @b is a locked operation, and whether it is a call. */
static void decode(const uint8_t *b, size_t len, bool *locked, bool *call)
{
	size_t i = 0;

	*locked = false;
	while (i < len && (b[i] == 0xf0 || b[i] == 0x66 || b[i] == 0xf2 ||
			   b[i] == 0xf3 || b[i] == 0x65 || b[i] == 0x64 ||
			   b[i] == 0x2e || b[i] == 0x3e ||
			   (b[i] & 0xf0) == 0x40))
		*locked |= b[i++] == 0xf0;
	*call = i < len && b[i] == 0xe8;
	if (i + 1 >= len)
		return;
	*call |= b[i] == 0xff && (b[i + 1] & 0x38) == 0x10;
	/* xchg with memory locks without a prefix */
	*locked |= (b[i] == 0x86 || b[i] == 0x87) && b[i + 1] < 0xc0;
}

static void device_begin(unsigned int wrong_cpu, void *data)
{
	per_cpu[cpu].device = true;
}

static void device_end(unsigned int wrong_cpu, void *data)
{
	per_cpu[cpu].device = false;
}

static void cpu_elsewhere(unsigned int wrong_cpu, void *data)
{
	per_cpu[cpu].elsewhere = true;
}

static void mark(struct qemu_plugin_insn *insn, bool user)
{
	static const struct {
		uint8_t byte;
		bool user;
		qemu_plugin_vcpu_udata_cb_t call;
	} marks[] = {
		{ 0xff, true, window_start },
		{ 0xf6, true, window_stop },
		{ 0xed, true, cpu_elsewhere },
		{ 0xed, false, device_begin },
		{ 0xe4, false, device_end },
	};
	uint8_t b[3];
	size_t i;

	if (qemu_plugin_insn_data(insn, b, sizeof(b)) != sizeof(b) ||
	    b[0] != 0x4d || b[1] != 0x87)
		return;
	for (i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		if (b[2] != marks[i].byte || user != marks[i].user)
			continue;
		qemu_plugin_register_vcpu_insn_exec_cb(insn, marks[i].call,
						       QEMU_PLUGIN_CB_NO_REGS,
						       NULL);
	}
}

/* Whether code at @pc is to be counted. */
static bool wanted(uint64_t pc)
{
	unsigned int i;

	for (i = 0; i < nonly; i++)
		if (pc >= only[i][0] && pc < only[i][1])
			return true;
	return !nonly;
}

static void only_read(const char *name)
{
	FILE *f = fopen(name, "r");

	if (!f)
		die("cannot read the addresses");
	while (nonly < NONLY && fscanf(f, "%lx %lx", &only[nonly][0],
				       &only[nonly][1]) == 2)
		nonly++;
	if (!feof(f))
		die("too many addresses");
	fclose(f);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *qtb)
{
	size_t n = qemu_plugin_tb_n_insns(qtb), len, i;
	uint64_t pc = qemu_plugin_tb_vaddr(qtb);
	bool user = pc < KERNEL_BASE, locked;
	struct qemu_plugin_insn *insn;
	struct op *op;
	struct tb *t;
	uint8_t b[16];

	/* User blocks share a counter for each length. */
	t = tb_get(user ? 0 : pc, n);
	t->user = user;
	if (!user && !wanted(pc))
		return;
	qemu_plugin_register_vcpu_tb_exec_cb(qtb, block_run,
					     QEMU_PLUGIN_CB_NO_REGS, t);
	for (i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(qtb, i);
		mark(insn, user);
		if (user)
			continue;
		if (!count_accesses)
			continue;
		len = qemu_plugin_insn_data(insn, b, sizeof(b));
		decode(b, len, &locked, &t->call);
		op = op_get(qemu_plugin_insn_vaddr(insn));
		op->locked = locked;
		qemu_plugin_register_vcpu_mem_cb(insn, access_run,
						 QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_RW, op);
	}
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
					   const qemu_info_t *info, int argc,
					   char **argv)
{
	unsigned int mib = 1024, kib = 0;
	char *value;
	int i;

	for (i = 0; i < argc; i++) {
		value = strchr(argv[i], '=');
		if (!value++)
			return -1;
		if (!strncmp(argv[i], "out=", 4))
			out = value;
		else if (!strncmp(argv[i], "mem=", 4))
			mib = atoi(value);
		else if (!strncmp(argv[i], "cache=", 6))
			kib = atoi(value);
		else if (!strncmp(argv[i], "from=", 5))
			path.from = strtoull(value, NULL, 16);
		else if (!strncmp(argv[i], "to=", 3))
			path.to = strtoull(value, NULL, 16);
		else if (!strncmp(argv[i], "only=", 5))
			only_read(value);
		else
			return -1;
	}
	cpus = info->system.max_vcpus;
	tbs = calloc(NTB, sizeof(*tbs));
	ops = calloc(NOP, sizeof(*ops));
	hots = calloc(NHOT, sizeof(*hots));
	count_accesses = mib;
	if (!tbs || !ops || !hots)
		return -1;
	if (mib && !path.from &&
	    coherence_init(&caches, cpus, (uint64_t)mib << 20, kib))
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
