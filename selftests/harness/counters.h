/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's counters and the kernel's, of the caller's network namespace.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/fastsocket.h>

/**
 * struct core_row - one core of one listener, or the listener itself
 * @port: host byte order
 * @cpu: or -1 for the listener itself
 * @claimed: a worker waits or will come back
 * @orphaned: offered to all workers
 * @late: other workers may take what is queued
 * @bypass: an option of the listener asks for the kernel's own path
 * @limited: a core was not made, as the owner has all the local listeners that
 *	it may
 * @owner_locals: number of these
 * @serves: of how many CPUs the connections come here
 * @qlen: connections queued
 * @backlog: room for these
 * @syns: SYNs taken
 * @accept_local: accepted from this core's queue by its own worker
 * @accept_app: accepted from the listener's queue
 * @accept_other: accepted from another core's queue
 * @drops: connections lost
 * @rescues: times orphaned
 * @rescued: connections that others took
 */
struct core_row {
	int port;
	int cpu;
	bool claimed;
	bool orphaned;
	bool late;
	bool bypass;
	bool limited;
	uint32_t owner_locals;
	uint32_t serves;
	uint32_t qlen;
	uint32_t backlog;
	uint64_t syns;
	uint64_t accept_local;
	uint64_t accept_app;
	uint64_t accept_other;
	uint64_t drops;
	uint64_t rescues;
	uint64_t rescued;
	uint64_t syns_far;
	uint64_t times_late;
};

#define ROWS_MAX	1024

int rows_get(struct core_row *rows, int max);
bool row_get(int port, int cpu, struct core_row *row);
int rows_hold(void);
int claims(int port);
bool mapped(int port, int workers);
unsigned int serves(int port, int cpu);

/**
 * struct group_row - a selected control group
 * @path: which
 * @found: it is selected
 * @joined: listeners that joined
 * @refused: listeners that could not
 */
struct group_row {
	const char *path;
	bool found;
	uint64_t joined;
	uint64_t refused;
};

int group_select(const char *path);
int group_deselect(const char *path);
int group_get(struct group_row *row);

uint64_t count(enum fsk_stat item);
uint64_t count_accepts(void);
int rescue_set_ms(unsigned int ms);
int late_set_ms(unsigned int ms);
int locals_max_set(unsigned int max);
unsigned int locals_max(void);
unsigned int config_get(int attr);
int vfs_set(bool on);

/**
 * struct vfs_figures - socket files that are kept to be used again
 * @pools: listeners' cores
 * @size: room
 * @out: in use, or closed and not looked at since
 * @rest: closed
 */
struct vfs_figures {
	uint64_t pools;
	uint64_t size;
	uint64_t out;
	uint64_t rest;
};

int vfs_get(struct vfs_figures *sum);

/**
 * struct rss - how a network card spreads packets, or how the test says it does
 * @key: RSS key
 * @key_len: of @key, in bytes
 * @table: cores
 * @entries: of @table
 * @hash: FSK_RFD_HASH_*
 */
struct rss {
	uint8_t key[FSK_RFD_KEY_MAX];
	unsigned int key_len;
	uint32_t table[FSK_RFD_TABLE_MAX];
	unsigned int entries;
	uint32_t hash;
};

int rfd_config(enum fsk_rfd_mode mode, bool counting);
int rfd_set(int ifindex, int mode, const struct rss *rss);
int rfd_del(int ifindex);
int rfd_entries(int ifindex);
int dests(void);
int hooks_on(void);
int listeners(void);

/**
 * struct est - established tables
 * @n: values by attribute, FSK_A_EST_*, of one core or the sum of all
 */
struct est {
	uint64_t n[FSK_A_EST_MAX + 1];
};

int est_config(bool on, unsigned int after);
int est_config_beside(enum fsk_rfd_mode mode, bool vfs);
int est_get(int cpu, struct est *est);
uint64_t est_count(int attr);
int est_list(int cpu);

#endif
