/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small BPF programs, written by hand, and the maps that they count in.
 */
#ifndef HARNESS_BPF_H
#define HARNESS_BPF_H

#include <linux/bpf.h>
#include <stdint.h>

/* Registers by number; @off and @imm as the instruction has them. */
#define I_MOV(dst, imm)		{ BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm }
#define I_COPY(dst, src)	{ BPF_ALU64 | BPF_MOV | BPF_X, dst, src }
#define I_ADD(dst, imm)		{ BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm }
#define I_AND(dst, imm)		{ BPF_ALU64 | BPF_AND | BPF_K, dst, 0, 0, imm }
#define I_LOAD_W(dst, src, off)	{ BPF_LDX | BPF_MEM | BPF_W, dst, src, off }
#define I_STORE_W(dst, off, src) { BPF_STX | BPF_MEM | BPF_W, dst, src, off }
#define I_STORE_IMM_W(dst, off, imm) \
	{ BPF_ST | BPF_MEM | BPF_W, dst, 0, off, imm }
#define I_FETCH_ADD(dst, off, src) \
	{ BPF_STX | BPF_ATOMIC | BPF_DW, dst, src, off, BPF_ADD | BPF_FETCH }
#define I_MAP(dst, fd) \
	{ BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd }, { 0 }
#define I_CALL(func)		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##func }
#define I_IF_ABOVE(dst, src, off) \
	{ BPF_JMP | BPF_JGT | BPF_X, dst, src, off }
#define I_IF_ZERO(dst, off)	{ BPF_JMP | BPF_JEQ | BPF_K, dst, 0, off, 0 }
#define I_EXIT			{ BPF_JMP | BPF_EXIT }

/* Counts in @map, under the number that is at -4 on the stack, and leaves the
 * count so far in register 1.  Where the map has no such number, the @skip
 * instructions behind this are left out.
 */
#define I_COUNT(map, skip) \
	I_COPY(2, 10), I_ADD(2, -4), I_MAP(1, map), I_CALL(map_lookup_elem), \
	I_IF_ZERO(0, 2 + (skip)), I_MOV(1, 1), I_FETCH_ADD(0, 0, 1)

int bpf_call(int cmd, union bpf_attr *attr);
int bpf_load(int type, int attach, const struct bpf_insn *code, int n);
int bpf_verdict(int type, int attach, int verdict);
int bpf_attach(int prog, int attach, int target, int flags);
int bpf_run(int prog, const void *packet, int len, uint32_t *result);
int bpf_map(int type, int entries);
int bpf_map_of_sockets(void);
int bpf_map_set(int map, uint32_t key, uint64_t value);
uint64_t bpf_map_get(int map, uint32_t key);

#endif
