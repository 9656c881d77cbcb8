// SPDX-License-Identifier: GPL-2.0
/*
 * The bpf() system call, as far as tests need it.
 */
#include "bpf.h"

#include <errno.h>
#include <linux/btf.h>
#include <sys/syscall.h>
#include <unistd.h>

int bpf_call(int cmd, union bpf_attr *attr)
{
	int fd = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return fd < 0 ? -errno : fd;
}

/**
 * bpf_load() - load a program, which the kernel checks
 * @type: BPF_PROG_TYPE_*
 * @attach: what it will be attached as, enum bpf_attach_type
 * @code: instructions
 * @n: number of instructions
 *
 * Return: a descriptor or a negative errno.
 */
int bpf_load(int type, int attach, const struct bpf_insn *code, int n)
{
	union bpf_attr load = {
		.prog_type = type, .expected_attach_type = attach,
		.insns = (uintptr_t)code, .insn_cnt = n,
		.license = (uintptr_t)"GPL",
	};

	return bpf_call(BPF_PROG_LOAD, &load);
}

/**
 * bpf_verdict() - load a program that always answers the same
 * @type: BPF_PROG_TYPE_*
 * @attach: what it will be attached as, enum bpf_attach_type
 * @verdict: the answer
 *
 * Return: a descriptor or a negative errno.
 */
int bpf_verdict(int type, int attach, int verdict)
{
	const struct bpf_insn code[] = { I_MOV(0, verdict), I_EXIT };

	return bpf_load(type, attach, code, 2);
}

/**
 * bpf_attach() - attach a program until the result is closed
 * @prog: the program
 * @attach: enum bpf_attach_type
 * @target: what to, by descriptor or number
 * @flags: BPF_F_* for this kind of attachment
 *
 * Return: a descriptor or a negative errno.
 */
int bpf_attach(int prog, int attach, int target, int flags)
{
	union bpf_attr link = {
		.link_create = {
			.prog_fd = prog, .target_fd = target,
			.attach_type = attach, .flags = flags,
		},
	};

	return bpf_call(BPF_LINK_CREATE, &link);
}

/**
 * bpf_run() - run a program once, on a packet in memory
 * @prog: the program
 * @packet: from its Ethernet header on
 * @len: of @packet
 * @result: what the program returned
 *
 * Return: 0 or a negative errno.
 */
int bpf_run(int prog, const void *packet, int len, uint32_t *result)
{
	union bpf_attr attr = {
		.test = {
			.prog_fd = prog, .data_in = (uintptr_t)packet,
			.data_size_in = len, .repeat = 1,
		},
	};
	int err = bpf_call(BPF_PROG_TEST_RUN, &attr);

	*result = attr.test.retval;
	return err;
}

/**
 * bpf_map() - make a map of 64-bit values by number
 * @type: BPF_MAP_TYPE_ARRAY or one of sockets
 * @entries: room for this many
 *
 * Return: a descriptor or a negative errno.
 */
int bpf_map(int type, int entries)
{
	union bpf_attr map = {
		.map_type = type, .key_size = sizeof(uint32_t),
		.value_size = sizeof(uint64_t), .max_entries = entries,
	};

	return bpf_call(BPF_MAP_CREATE, &map);
}

/* Types 1 and 2: of a descriptor, and of a value. */
struct bpf_types {
	struct btf_header header;
	struct {
		struct btf_type type;
		uint32_t bits;
	} ints[2];
	char names[16];
};

static int bpf_types(void)
{
	static const struct bpf_types types = {
		.header = {
			.magic = BTF_MAGIC, .version = BTF_VERSION,
			.hdr_len = sizeof(types.header),
			.type_len = sizeof(types.ints),
			.str_off = sizeof(types.ints),
			.str_len = sizeof(types.names),
		},
		.ints = {
			{ { 1, BTF_KIND_INT << 24, { 4 } },
			  BTF_INT_SIGNED << 24 | 32 },
			{ { 5, BTF_KIND_INT << 24, { 8 } }, 64 },
		},
		.names = "\0int\0u64",
	};
	union bpf_attr load = {
		.btf = (uintptr_t)&types, .btf_size = sizeof(types),
	};

	return bpf_call(BPF_BTF_LOAD, &load);
}

/**
 * bpf_map_of_sockets() - make a map whose values are kept with sockets
 *
 * Its keys are descriptors.
 *
 * Return: a descriptor or a negative errno.
 */
int bpf_map_of_sockets(void)
{
	int types = bpf_types();
	union bpf_attr map = {
		.map_type = BPF_MAP_TYPE_SK_STORAGE,
		.map_flags = BPF_F_NO_PREALLOC,
		.key_size = sizeof(uint32_t), .value_size = sizeof(uint64_t),
		.btf_fd = types, .btf_key_type_id = 1, .btf_value_type_id = 2,
	};
	int fd;

	if (types < 0)
		return types;
	fd = bpf_call(BPF_MAP_CREATE, &map);
	close(types);
	return fd;
}

int bpf_map_set(int map, uint32_t key, uint64_t value)
{
	union bpf_attr put = {
		.map_fd = map, .key = (uintptr_t)&key,
		.value = (uintptr_t)&value,
	};

	return bpf_call(BPF_MAP_UPDATE_ELEM, &put);
}

/**
 * bpf_map_get() - what a program has counted
 * @map: the map
 * @key: which value
 *
 * Return: the value; UINT64_MAX where there is none, which no test expects.
 */
uint64_t bpf_map_get(int map, uint32_t key)
{
	uint64_t value = 0;
	union bpf_attr get = {
		.map_fd = map, .key = (uintptr_t)&key,
		.value = (uintptr_t)&value,
	};

	return bpf_call(BPF_MAP_LOOKUP_ELEM, &get) ? UINT64_MAX : value;
}
