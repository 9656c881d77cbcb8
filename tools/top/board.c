// SPDX-License-Identifier: MIT
/*
 * Makes what `fastsocket top` shows of two samples: rates, shares and levels of
 * each core, listener and queue. Neither reads from the module nor knows of a
 * screen.
 */
#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"

#define FSK_BOARD_STAT(name)	(FSK_STAT_##name + 1)

const struct fsk_board_column fsk_board_columns[FSK_BOARD_COLUMNS] = {
	[FSK_BOARD_CONN] = {
		"CONN/s", "connections accepted", FSK_BOARD_RATE, 0, 7,
		{ FSK_BOARD_STAT(ACCEPT_LOCAL), FSK_BOARD_STAT(ACCEPT_APP),
		  FSK_BOARD_STAT(ACCEPT_OTHER) },
		{ FSK_A_LISTEN_ACCEPT_LOCAL, FSK_A_LISTEN_ACCEPT_APP,
		  FSK_A_LISTEN_ACCEPT_OTHER },
	},
	[FSK_BOARD_NEAR_SHARE] = {
		"NEAR%", "share of them from the queue of their core",
		FSK_BOARD_SHARE, 1, 5,
		{ FSK_BOARD_STAT(ACCEPT_LOCAL) },
		{ FSK_A_LISTEN_ACCEPT_LOCAL },
		FSK_BOARD_CONN,
	},
	[FSK_BOARD_NEAR] = {
		"NEAR/s", "accepted from the queue of the same core",
		FSK_BOARD_RATE, 7, 7,
		{ FSK_BOARD_STAT(ACCEPT_LOCAL) },
		{ FSK_A_LISTEN_ACCEPT_LOCAL },
	},
	[FSK_BOARD_APP] = {
		"APP/s", "accepted from the program's own socket",
		FSK_BOARD_RATE, 5, 6,
		{ FSK_BOARD_STAT(ACCEPT_APP) },
		{ FSK_A_LISTEN_ACCEPT_APP },
	},
	[FSK_BOARD_OTHER] = {
		"OTHER/s", "accepted from the queue of another core",
		FSK_BOARD_RATE, 4, 7,
		{ FSK_BOARD_STAT(ACCEPT_OTHER) },
		{ FSK_A_LISTEN_ACCEPT_OTHER },
	},
	[FSK_BOARD_QUEUE] = {
		"QUEUE", "connections that wait to be accepted now",
		FSK_BOARD_LEVEL, 2, 6, { 0 }, { FSK_A_LISTEN_QLEN },
	},
	[FSK_BOARD_LIMIT] = {
		"LIMIT", "how many may wait in a queue", FSK_BOARD_LEVEL,
		12, 6, { 0 }, { FSK_A_LISTEN_QMAX },
	},
	[FSK_BOARD_WAITS] = {
		"WAIT/ms", "about how long they wait: QUEUE by CONN/s",
		FSK_BOARD_WAIT, 8, 7, { 0 }, { FSK_A_LISTEN_QLEN },
		FSK_BOARD_CONN,
	},
	[FSK_BOARD_SYNS] = {
		"SYN/s", "connection requests", FSK_BOARD_RATE, 9, 7,
		{ FSK_BOARD_STAT(SYN_LOCAL), FSK_BOARD_STAT(SYN_UNCLAIMED),
		  FSK_BOARD_STAT(SYN_ORPHANED), FSK_BOARD_STAT(SYN_BYPASSED),
		  FSK_BOARD_STAT(SYN_SK_LOOKUP) },
		{ FSK_A_LISTEN_SYNS },
	},
	[FSK_BOARD_LEFT] = {
		"LEFT/s", "requests that went the kernel's own way",
		FSK_BOARD_RATE, 10, 6,
		{ FSK_BOARD_STAT(SYN_UNCLAIMED), FSK_BOARD_STAT(SYN_ORPHANED),
		  FSK_BOARD_STAT(SYN_BYPASSED),
		  FSK_BOARD_STAT(SYN_SK_LOOKUP) },
		{ 0 },
	},
	[FSK_BOARD_DROPS] = {
		"DROP/s", "requests and connections that were lost",
		FSK_BOARD_RATE, 3, 6,
		{ FSK_BOARD_STAT(OVERFLOW), FSK_BOARD_STAT(CHILD_FAILED) },
		{ FSK_A_LISTEN_DROPS },
	},
	[FSK_BOARD_RESCUES] = {
		"RESC/s", "times a queue's worker was late", FSK_BOARD_RATE,
		6, 6, { FSK_BOARD_STAT(RESCUE) }, { FSK_A_LISTEN_RESCUES },
	},
	[FSK_BOARD_TAKEN] = {
		"TAKEN/s", "connections that others took from it then",
		FSK_BOARD_RATE, 11, 7, { FSK_BOARD_STAT(RESCUED) },
		{ FSK_A_LISTEN_RESCUED },
	},
	[FSK_BOARD_WAKES] = {
		"WAKE/s", "wake-ups of workers", FSK_BOARD_RATE, 17, 7,
		{ FSK_BOARD_STAT(WAKE_LOCAL), FSK_BOARD_STAT(WAKE_APP) },
		{ 0 },
	},
	[FSK_BOARD_OPENED] = {
		"OPEN/s", "connections that primed sockets opened",
		FSK_BOARD_RATE, 13, 7,
		{ FSK_BOARD_STAT(CONNECT_OWN), FSK_BOARD_STAT(CONNECT_ANY),
		  FSK_BOARD_STAT(CONNECT_KERNEL) },
		{ 0 },
	},
	[FSK_BOARD_OWN_SHARE] = {
		"OWN%", "share of them from a port of their core",
		FSK_BOARD_SHARE, 14, 5, { FSK_BOARD_STAT(CONNECT_OWN) }, { 0 },
		FSK_BOARD_OPENED,
	},
	[FSK_BOARD_PACKETS] = {
		"PKT/s", "packets of opened connections, if counted",
		FSK_BOARD_RATE, 18, 7,
		{ FSK_BOARD_STAT(RFD_HIT), FSK_BOARD_STAT(RFD_MISS) }, { 0 },
	},
	[FSK_BOARD_HIT_SHARE] = {
		"HIT%", "share of them that came in on their core",
		FSK_BOARD_SHARE, 15, 5, { FSK_BOARD_STAT(RFD_HIT) }, { 0 },
		FSK_BOARD_PACKETS,
	},
	[FSK_BOARD_MOVED] = {
		"MOVED/s", "packets that were moved to their core",
		FSK_BOARD_RATE, 16, 7, { FSK_BOARD_STAT(RFD_STEERED) }, { 0 },
	},
};

/* Adds counters of a core to a line: those that the module has. */
static void fsk_board_add_stats(struct fsk_board_line *line,
				const struct fsk_stats_core *old,
				const struct fsk_stats_core *new,
				const bool *known, double seconds)
{
	static const struct fsk_stats_core none;

	old = old ? old : &none;
	for (int i = 0; i < FSK_BOARD_COLUMNS; i++) {
		const int *from = fsk_board_columns[i].stats;

		for (; *from; from++) {
			if (!known[*from - 1])
				continue;
			line->there[i] = true;
			line->value[i] += fsk_rate(old->n[*from - 1],
						   new->n[*from - 1], seconds);
		}
	}
}

/* Adds a row's counters and levels to a line. */
static void fsk_board_add_row(struct fsk_board_line *line,
			      const struct fsk_row *old,
			      const struct fsk_row *new, double seconds)
{
	static const struct fsk_row none;

	old = old ? old : &none;
	for (int i = 0; i < FSK_BOARD_COLUMNS; i++) {
		enum fsk_board_kind kind = fsk_board_columns[i].kind;
		const int *from = fsk_board_columns[i].attrs;

		for (; *from; from++) {
			/* A limit is that of each queue. */
			if (!new->flag[*from] ||
			    (i == FSK_BOARD_LIMIT && line->there[i]))
				continue;
			line->there[i] = true;
			line->value[i] +=
				kind == FSK_BOARD_LEVEL ||
				kind == FSK_BOARD_WAIT ?
				new->value[*from] :
				fsk_rate(old->value[*from], new->value[*from],
					 seconds);
		}
	}
}

/* Shares and waits, once all is added up. Of nothing there is no share. */
static void fsk_board_divide(struct fsk_board_line *line)
{
	for (int i = 0; i < FSK_BOARD_COLUMNS; i++) {
		const struct fsk_board_column *column = &fsk_board_columns[i];
		double by = line->value[column->of];

		if (column->kind == FSK_BOARD_SHARE) {
			line->there[i] = line->there[i] && by > 0;
			line->value[i] = by > 0 ? 100 * line->value[i] / by : 0;
		} else if (column->kind == FSK_BOARD_WAIT) {
			line->there[i] = line->there[i] && by > 0;
			line->value[i] = by > 0 ?
					 1000 * line->value[i] / by : 0;
		}
	}
}

static struct fsk_board_line *fsk_board_line(struct fsk_board_lines *lines)
{
	struct fsk_board_line *more;

	more = fsk_array_grow(lines->lines, lines->count, sizeof(*more));
	if (!more)
		return NULL;
	lines->lines = more;
	more += lines->count++;
	more->cpu = UINT32_MAX;
	return more;
}

/* Rows in an order in which each can be found. */
struct fsk_board_index {
	size_t count;
	const struct fsk_row **rows;
};

static int fsk_board_compare_key(const struct fsk_row *a,
				 const struct fsk_row *b)
{
	uint64_t x = a->value[FSK_A_LISTEN_ID];
	uint64_t y = b->value[FSK_A_LISTEN_ID];

	if (x != y)
		return x < y ? -1 : 1;
	if (fsk_row_is_app(a) != fsk_row_is_app(b))
		return fsk_row_is_app(a) ? -1 : 1;
	x = a->value[FSK_A_LISTEN_CPU];
	y = b->value[FSK_A_LISTEN_CPU];
	return (x > y) - (x < y);
}

static int fsk_board_compare_rows(const void *a, const void *b)
{
	const struct fsk_row *x = *(const struct fsk_row **)a;
	const struct fsk_row *y = *(const struct fsk_row **)b;
	int order = fsk_board_compare_key(x, y);

	/* As they came, where a core has several queues of a listener. */
	return order ? order : (x > y) - (x < y);
}

static bool fsk_board_index_make(struct fsk_board_index *index,
				 const struct fsk_rows *rows)
{
	index->count = rows->count;
	index->rows = calloc(rows->count + 1, sizeof(*index->rows));
	if (!index->rows)
		return false;
	for (size_t i = 0; i < rows->count; i++)
		index->rows[i] = &rows->rows[i];
	qsort(index->rows, index->count, sizeof(*index->rows),
	      fsk_board_compare_rows);
	return true;
}

/* The first index whose row is not before @row. */
static size_t fsk_board_index_find(const struct fsk_board_index *index,
				   const struct fsk_row *row)
{
	size_t low = 0, high = index->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (fsk_board_compare_key(index->rows[middle], row) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The row in the sample before: of several alike the one at the same index. */
static const struct fsk_row *fsk_board_before(const struct fsk_board_index *old,
					      const struct fsk_board_index *new,
					      const struct fsk_row *row)
{
	size_t first = fsk_board_index_find(new, row), at = first;

	while (new->rows[at] != row)
		at++;
	at = fsk_board_index_find(old, row) + (at - first);
	if (at >= old->count || fsk_board_compare_key(old->rows[at], row))
		return NULL;
	return old->rows[at];
}

static bool fsk_board_fill_cores(struct fsk_board *board,
				 const struct fsk_sample *old,
				 const struct fsk_sample *new)
{
	struct fsk_board_line *line;

	board->total.cpu = UINT32_MAX;
	for (size_t i = 0; i < new->stats.count; i++) {
		const struct fsk_stats_core *core = &new->stats.cores[i];
		const struct fsk_stats_core *before;

		line = fsk_board_line(&board->cores);
		if (!line)
			return false;
		line->cpu = core->cpu;
		line->there[FSK_BOARD_QUEUE] = true;
		line->there[FSK_BOARD_WAITS] = true;
		before = fsk_rate_core(&old->stats, core->cpu);
		fsk_board_add_stats(line, before, core, new->stats.known,
				    board->seconds);
		fsk_board_add_stats(&board->total, before, core,
				    new->stats.known, board->seconds);
	}
	return true;
}

static int fsk_board_compare_cpu(const void *a, const void *b)
{
	uint32_t cpu = *(const uint32_t *)a;
	const struct fsk_board_line *line = b;

	return (cpu > line->cpu) - (cpu < line->cpu);
}

/* What waits in a queue waits for its core. */
static void fsk_board_count_queue(struct fsk_board *board,
				  const struct fsk_row *row)
{
	uint32_t cpu = row->value[FSK_A_LISTEN_CPU];
	double length = row->value[FSK_A_LISTEN_QLEN];
	struct fsk_board_line *core = NULL;

	if (length > board->longest)
		board->longest = length;
	board->total.value[FSK_BOARD_QUEUE] += length;
	if (fsk_row_is_app(row))
		return;
	board->late += row->flag[FSK_A_LISTEN_ORPHANED];
	if (board->cores.count)
		core = bsearch(&cpu, board->cores.lines, board->cores.count,
			       sizeof(*core), fsk_board_compare_cpu);
	if (!core)
		return;
	core->value[FSK_BOARD_QUEUE] += length;
	core->value[FSK_BOARD_WAITS] += length;
	core->bad = core->bad || row->flag[FSK_A_LISTEN_ORPHANED];
}

static void fsk_board_state(struct fsk_board_line *line,
			    const struct fsk_row *row)
{
	snprintf(line->state, sizeof(line->state), *row->bypass ? "%s: %.32s" :
		 "%s", fsk_row_state(row), row->bypass);
}

/* A line for the row itself, with the name of its listener. */
static bool fsk_board_fill_queue(struct fsk_board *board,
				 const struct fsk_row *old,
				 const struct fsk_row *row)
{
	struct fsk_board_line *line = fsk_board_line(&board->queues);

	if (!line)
		return false;
	fsk_row_name(row, line->name);
	line->row = board->listeners.count;
	if (!fsk_row_is_app(row))
		line->cpu = row->value[FSK_A_LISTEN_CPU];
	fsk_board_state(line, row);
	line->bad = row->flag[FSK_A_LISTEN_ORPHANED];
	fsk_board_add_row(line, old, row, board->seconds);
	fsk_board_divide(line);
	return true;
}

/* A listener's line begins with the first row that has its number. */
static bool fsk_board_fill_row(struct fsk_board *board,
			       const struct fsk_row *old,
			       const struct fsk_row *row, bool first)
{
	struct fsk_board_lines *listeners = &board->listeners;
	struct fsk_board_line *line;

	line = first ? fsk_board_line(listeners) :
		       &listeners->lines[listeners->count - 1];
	if (!line || !fsk_board_fill_queue(board, old, row))
		return false;
	if (first) {
		fsk_row_name(row, line->name);
		line->row = listeners->count;
	}
	if (fsk_row_is_app(row)) {
		fsk_board_state(line, row);
		line->bad = strcmp(line->state, "active");
	} else if (row->flag[FSK_A_LISTEN_ORPHANED]) {
		snprintf(line->state, sizeof(line->state),
			 "a worker is late");
		line->bad = true;
	}
	fsk_board_add_row(line, old, row, board->seconds);
	fsk_board_count_queue(board, row);
	return true;
}

static bool fsk_board_fill_rows(struct fsk_board *board,
				const struct fsk_rows *old,
				const struct fsk_rows *new)
{
	struct fsk_board_index index[2] = { 0 };
	const struct fsk_row *row, *before;
	bool good, first;

	good = fsk_board_index_make(&index[0], old) &&
	       fsk_board_index_make(&index[1], new);
	for (size_t i = 0; i < new->count && good; i++) {
		row = &new->rows[i];
		first = !i || row[-1].value[FSK_A_LISTEN_ID] !=
			      row->value[FSK_A_LISTEN_ID];
		before = fsk_board_before(&index[0], &index[1], row);
		good = fsk_board_fill_row(board, before, row, first);
	}
	free(index[0].rows);
	free(index[1].rows);
	return good;
}

static void fsk_board_divide_all(struct fsk_board_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		fsk_board_divide(&lines->lines[i]);
}

/**
 * fsk_board_fill() - work out rates, shares and levels
 * @board: filled in; the caller gives it to fsk_board_reset()
 * @old: an earlier sample, or an empty one; then there are levels only
 * @new: the last sample
 *
 * Return: false without memory, then @board is incomplete.
 */
bool fsk_board_fill(struct fsk_board *board, const struct fsk_sample *old,
		    const struct fsk_sample *new)
{
	memset(board, 0, sizeof(*board));
	board->seconds = fsk_rate_seconds(old, new);
	if (!fsk_board_fill_cores(board, old, new) ||
	    !fsk_board_fill_rows(board, &old->rows, &new->rows))
		return false;
	board->total.value[FSK_BOARD_WAITS] =
		board->total.value[FSK_BOARD_QUEUE];
	board->total.there[FSK_BOARD_WAITS] = true;
	board->total.there[FSK_BOARD_QUEUE] = true;
	fsk_board_divide(&board->total);
	fsk_board_divide_all(&board->cores);
	fsk_board_divide_all(&board->listeners);
	return true;
}

/**
 * fsk_board_reset() - forget all lines
 * @board: the board
 */
void fsk_board_reset(struct fsk_board *board)
{
	free(board->cores.lines);
	free(board->listeners.lines);
	free(board->queues.lines);
	memset(board, 0, sizeof(*board));
}

/**
 * fsk_board_idle() - does nothing happen here?
 * @line: the line
 *
 * Return: whether all rates are 0 and nothing waits.
 */
bool fsk_board_idle(const struct fsk_board_line *line)
{
	for (int i = 0; i < FSK_BOARD_COLUMNS; i++)
		if (i != FSK_BOARD_LIMIT && line->there[i] &&
		    line->value[i] > 0)
			return false;
	return !line->bad;
}

/* For qsort_r(): the column, or -1 for the names. */
struct fsk_board_order {
	int column;
	bool reverse;
};

/* By address and port; sockets that share these, in the module's order. */
static int fsk_board_compare_names(const struct fsk_board_line *a,
				   const struct fsk_board_line *b)
{
	int names = strverscmp(a->name, b->name);

	if (names)
		return names;
	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	/* A queue without a core is the program's own: the first. */
	return (a->cpu + 1 > b->cpu + 1) - (a->cpu + 1 < b->cpu + 1);
}

static int fsk_board_compare(const void *a, const void *b, void *data)
{
	const struct fsk_board_order *order = data;
	const struct fsk_board_line *x = a, *y = b;
	int names = fsk_board_compare_names(x, y), values;
	double u, v;

	if (order->column < 0)
		return order->reverse ? -names : names;
	u = x->there[order->column] ? x->value[order->column] : -1;
	v = y->there[order->column] ? y->value[order->column] : -1;
	values = (u < v) - (u > v);
	if (order->reverse)
		values = -values;
	return values ? values : names;
}

/**
 * fsk_board_sort() - put lines into an order
 * @lines: the lines
 * @column: whose highest values come first; -1 for the names
 * @reverse: the other way round
 */
void fsk_board_sort(struct fsk_board_lines *lines, int column, bool reverse)
{
	struct fsk_board_order order = { column, reverse };

	if (lines->count)
		qsort_r(lines->lines, lines->count, sizeof(*lines->lines),
			fsk_board_compare, &order);
}
