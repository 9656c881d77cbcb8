// SPDX-License-Identifier: MIT
/* fastsocket show vfs: how many socket files are kept and used again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/fastsocket.h>

#include "base/array.h"
#include "base/error.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/show.h"
#include "fastsocket.h"
#include "names.h"

/* The columns of a core, in this order. */
enum {
	FSK_VFS_LISTENERS,
	FSK_VFS_ROOM,
	FSK_VFS_OUT,
	FSK_VFS_REST,
	FSK_VFS_PLAIN,
	FSK_VFS_COUNTED,
	FSK_VFS_COLUMNS = FSK_VFS_COUNTED + 10,
};

/* Heads of the columns. In JSON counters have the names of `show stats`. */
static const char * const fsk_vfs_names[FSK_VFS_COLUMNS] = {
	"listeners", "room", "out", "rest", "plain", "fast", "again", "early",
	"busy", "changed", "full", "memcg", "reclaim", "renew", "refuse",
};

static const int fsk_vfs_counters[] = {
	FSK_STAT_VFS_ACCEPT, FSK_STAT_VFS_REUSE, FSK_STAT_VFS_EARLY,
	FSK_STAT_VFS_BUSY, FSK_STAT_VFS_CHANGED, FSK_STAT_VFS_FULL,
	FSK_STAT_VFS_MEMCG, FSK_STAT_VFS_RECLAIM, FSK_STAT_VFS_RENEW,
	FSK_STAT_VFS_REFUSE,
};

/**
 * struct fsk_vfs_all - figures of all cores
 * @count: cores
 * @cores: each with its columns
 */
struct fsk_vfs_all {
	size_t count;
	struct fsk_vfs_core {
		uint32_t cpu;
		uint64_t n[FSK_VFS_COLUMNS];
	} *cores;
};

/* The core's row, made when it is not there; %NULL after an error message. */
static struct fsk_vfs_core *fsk_vfs_core(struct fsk_vfs_all *vfs, uint32_t cpu)
{
	struct fsk_vfs_core *core;

	for (size_t i = 0; i < vfs->count; i++)
		if (vfs->cores[i].cpu == cpu)
			return &vfs->cores[i];
	core = fsk_array_grow(vfs->cores, vfs->count, sizeof(*core));
	if (!core) {
		fsk_no_memory();
		return NULL;
	}
	vfs->cores = core;
	core += vfs->count++;
	core->cpu = cpu;
	return core;
}

static int fsk_vfs_take_stats(const struct nlmsghdr *msg,
			      const struct nlattr **attrs, void *data)
{
	const struct nlattr *counters[FSK_A_COUNTER_MAX + 1];
	struct fsk_vfs_all *vfs = data;
	struct fsk_vfs_core *core;
	uint64_t n[__FSK_STAT_MAX];

	if (!msg) {
		vfs->count = 0;
		return 0;
	}
	if (!attrs[FSK_A_STATS_CPU] || !attrs[FSK_A_STATS_COUNTERS])
		return 0;
	core = fsk_vfs_core(vfs, fsk_nl_uint(attrs[FSK_A_STATS_CPU]));
	if (!core)
		return FSK_EXIT_REFUSED;
	fsk_nl_nested(attrs[FSK_A_STATS_COUNTERS], FSK_A_COUNTER_MAX,
		      counters);
	for (int i = 0; i < __FSK_STAT_MAX; i++)
		n[i] = fsk_nl_uint(counters[FSK_STAT_TO_ATTR(i)]);
	for (int i = FSK_VFS_COUNTED; i < FSK_VFS_COLUMNS; i++)
		core->n[i] = n[fsk_vfs_counters[i - FSK_VFS_COUNTED]];
	/* Accepted, but not by the ioctl. */
	core->n[FSK_VFS_PLAIN] = n[FSK_STAT_ACCEPT_LOCAL] +
				 n[FSK_STAT_ACCEPT_APP] +
				 n[FSK_STAT_ACCEPT_OTHER];
	if (core->n[FSK_VFS_PLAIN] < core->n[FSK_VFS_COUNTED])
		core->n[FSK_VFS_PLAIN] = core->n[FSK_VFS_COUNTED];
	core->n[FSK_VFS_PLAIN] -= core->n[FSK_VFS_COUNTED];
	return 0;
}

static int fsk_vfs_take_pools(const struct nlmsghdr *msg,
			      const struct nlattr **attrs, void *data)
{
	struct fsk_vfs_core *core;

	if (!msg || !attrs[FSK_A_VFS_CPU])
		return 0;
	core = fsk_vfs_core(data, fsk_nl_uint(attrs[FSK_A_VFS_CPU]));
	if (!core)
		return FSK_EXIT_REFUSED;
	core->n[FSK_VFS_LISTENERS] = fsk_nl_uint(attrs[FSK_A_VFS_POOLS]);
	core->n[FSK_VFS_ROOM] = fsk_nl_uint(attrs[FSK_A_VFS_SIZE]);
	core->n[FSK_VFS_OUT] = fsk_nl_uint(attrs[FSK_A_VFS_OUT]);
	core->n[FSK_VFS_REST] = fsk_nl_uint(attrs[FSK_A_VFS_REST]);
	return 0;
}

static int fsk_vfs_read(struct fsk_nl *nl, void *data)
{
	int status = fsk_nl_dump(nl, FSK_CMD_STATS_GET, FSK_A_STATS_MAX,
				 fsk_vfs_take_stats, data);

	return status ? status : fsk_nl_dump(nl, FSK_CMD_VFS_GET,
					     FSK_A_VFS_MAX,
					     fsk_vfs_take_pools, data);
}

static void fsk_vfs_reset(void *data)
{
	struct fsk_vfs_all *vfs = data;

	free(vfs->cores);
}

static void fsk_vfs_text(void *data)
{
	struct fsk_table *table = fsk_table_create(1 + FSK_VFS_COLUMNS);
	const struct fsk_vfs_all *vfs = data;

	fsk_table_put(table, "CPU");
	for (int i = 0; i < FSK_VFS_COLUMNS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%s", fsk_vfs_names[i]);
		for (char *c = name; *c; c++)
			*c -= 'a' - 'A';
		fsk_table_put(table, "%s", name);
	}
	for (size_t k = 0; k < vfs->count; k++) {
		fsk_table_put(table, "%u", vfs->cores[k].cpu);
		for (int i = 0; i < FSK_VFS_COLUMNS; i++)
			fsk_table_put(table, "%llu", (unsigned long long)
				      vfs->cores[k].n[i]);
	}
	fsk_table_print(table, "r");
}

static const char *fsk_vfs_key(int column)
{
	if (column < FSK_VFS_COUNTED)
		return fsk_vfs_names[column];
	return fsk_stat_names[fsk_vfs_counters[column - FSK_VFS_COUNTED]].name;
}

static void fsk_vfs_json(void *data)
{
	const struct fsk_vfs_all *vfs = data;

	fsk_json_open(NULL, '[');
	for (size_t k = 0; k < vfs->count; k++) {
		fsk_json_open(NULL, '{');
		fsk_json_uint("cpu", vfs->cores[k].cpu);
		for (int i = 0; i < FSK_VFS_COLUMNS; i++)
			fsk_json_uint(fsk_vfs_key(i), vfs->cores[k].n[i]);
		fsk_json_close('}');
	}
	fsk_json_close(']');
}

/**
 * fsk_cmd_show_vfs() - fastsocket show vfs
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_show_vfs(int argc, char **argv)
{
	static const struct fsk_show show = {
		.read = fsk_vfs_read,
		.text = fsk_vfs_text,
		.json = fsk_vfs_json,
		.reset = fsk_vfs_reset,
	};
	struct fsk_vfs_all vfs = { 0 };

	argc = fsk_words(argc, argv, 0, 0, FSK_OPTIONS());
	return argc < 0 ? -1 - argc : fsk_show(&show, &vfs);
}
