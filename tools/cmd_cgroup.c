// SPDX-License-Identifier: MIT
/*
 * fastsocket cgroup add, cgroup remove, show cgroup: control groups whose
 * listeners join by themselves, without the library.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/fastsocket.h>

#include "base/array.h"
#include "base/cgroup.h"
#include "base/error.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/selected.h"
#include "base/show.h"
#include "fastsocket.h"

/* Each for itself; returns the status of the first that fails. */
static int fsk_cgroup_each(uint8_t cmd, int argc, char **argv)
{
	struct fsk_nl *nl = fsk_nl_open();
	char path[PATH_MAX];
	int status = 0, one;

	if (!nl)
		return FSK_EXIT_REFUSED;
	for (int i = 1; i <= argc; i++) {
		one = fsk_cgroup_path(argv[i], path);
		if (!one)
			one = fsk_selected_change(nl, cmd, path);
		status = status ? status : one;
	}
	fsk_nl_close(nl);
	return status;
}

/**
 * fsk_cmd_cgroup_add() - fastsocket cgroup add PATH|PID|UNIT|self...
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_cgroup_add(int argc, char **argv)
{
	argc = fsk_words(argc, argv, 1, INT_MAX, FSK_OPTIONS());
	return argc < 0 ? -1 - argc :
	       fsk_cgroup_each(FSK_CMD_CGROUP_ADD, argc, argv);
}

/**
 * fsk_cmd_cgroup_remove() - fastsocket cgroup remove PATH|PID|UNIT|self...
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_cgroup_remove(int argc, char **argv)
{
	argc = fsk_words(argc, argv, 1, INT_MAX, FSK_OPTIONS());
	return argc < 0 ? -1 - argc :
	       fsk_cgroup_each(FSK_CMD_CGROUP_DEL, argc, argv);
}

/**
 * struct fsk_cgroups - those that are selected
 * @count: of @rows
 * @rows: in the order in which they were selected
 */
struct fsk_cgroups {
	size_t count;
	struct fsk_cgroup_row {
		char *path;
		uint64_t joined;
		uint64_t refused;
	} *rows;
};

static void fsk_cgroup_reset(void *data)
{
	struct fsk_cgroups *all = data;

	while (all->count)
		free(all->rows[--all->count].path);
	free(all->rows);
	all->rows = NULL;
}

static int fsk_cgroup_take(const struct nlmsghdr *msg,
			   const struct nlattr **attrs, void *data)
{
	struct fsk_cgroups *all = data;
	struct fsk_cgroup_row *row;

	if (!msg) {
		fsk_cgroup_reset(all);
		return 0;
	}
	if (!attrs[FSK_A_CGROUP_PATH])
		return 0;
	row = fsk_array_grow(all->rows, all->count, sizeof(*row));
	if (!row)
		return fsk_no_memory();
	all->rows = row;
	row += all->count;
	row->path = strdup(fsk_nl_str(attrs[FSK_A_CGROUP_PATH]));
	if (!row->path)
		return fsk_no_memory();
	row->joined = fsk_nl_uint(attrs[FSK_A_CGROUP_JOINED]);
	row->refused = fsk_nl_uint(attrs[FSK_A_CGROUP_REFUSED]);
	all->count++;
	return 0;
}

static int fsk_cgroup_read(struct fsk_nl *nl, void *data)
{
	return fsk_nl_dump(nl, FSK_CMD_CGROUP_GET, FSK_A_CGROUP_MAX,
			   fsk_cgroup_take, data);
}

static void fsk_cgroup_text(void *data)
{
	struct fsk_table *table = fsk_table_create(3);
	const struct fsk_cgroups *all = data;

	fsk_table_put(table, "CGROUP");
	fsk_table_put(table, "JOINED");
	fsk_table_put(table, "REFUSED");
	for (size_t i = 0; i < all->count; i++) {
		const struct fsk_cgroup_row *row = &all->rows[i];

		fsk_table_put(table, "%s", row->path);
		fsk_table_put(table, "%llu", (unsigned long long)row->joined);
		fsk_table_put(table, "%llu", (unsigned long long)row->refused);
	}
	fsk_table_print(table, "lrr");
}

static void fsk_cgroup_json(void *data)
{
	const struct fsk_cgroups *all = data;

	fsk_json_open(NULL, '[');
	for (size_t i = 0; i < all->count; i++) {
		fsk_json_open(NULL, '{');
		fsk_json_str("cgroup", all->rows[i].path);
		fsk_json_uint("listeners-joined", all->rows[i].joined);
		fsk_json_uint("listeners-refused", all->rows[i].refused);
		fsk_json_close('}');
	}
	fsk_json_close(']');
}

/**
 * fsk_cmd_show_cgroup() - fastsocket show cgroup
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_show_cgroup(int argc, char **argv)
{
	static const struct fsk_show show = {
		.read = fsk_cgroup_read,
		.text = fsk_cgroup_text,
		.json = fsk_cgroup_json,
		.reset = fsk_cgroup_reset,
	};
	struct fsk_cgroups all = { 0 };

	argc = fsk_words(argc, argv, 0, 0, FSK_OPTIONS());
	return argc < 0 ? -1 - argc : fsk_show(&show, &all);
}
