/* SPDX-License-Identifier: MIT */
#ifndef FSK_BOARD_H
#define FSK_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/rate.h"

/* What a column shows. */
enum fsk_board_kind {
	FSK_BOARD_RATE,		/* per second */
	FSK_BOARD_SHARE,	/* per cent, of the rates of a column */
	FSK_BOARD_LEVEL,	/* as it is now */
	FSK_BOARD_WAIT,		/* milliseconds, a level by a rate */
};

/* Columns, from left to right. */
enum fsk_board_columns {
	FSK_BOARD_CONN,
	FSK_BOARD_NEAR_SHARE,
	FSK_BOARD_NEAR,
	FSK_BOARD_APP,
	FSK_BOARD_OTHER,
	FSK_BOARD_QUEUE,
	FSK_BOARD_LIMIT,
	FSK_BOARD_WAITS,
	FSK_BOARD_SYNS,
	FSK_BOARD_LEFT,
	FSK_BOARD_DROPS,
	FSK_BOARD_RESCUES,
	FSK_BOARD_TAKEN,
	FSK_BOARD_WAKES,
	FSK_BOARD_OPENED,
	FSK_BOARD_OWN_SHARE,
	FSK_BOARD_PACKETS,
	FSK_BOARD_HIT_SHARE,
	FSK_BOARD_MOVED,
	FSK_BOARD_COLUMNS
};

#define FSK_BOARD_SOURCES	5	/* counters that a column adds up */

/**
 * struct fsk_board_column - a column, and where its figures come from
 * @head: its head
 * @help: what it shows
 * @kind: enum fsk_board_kind
 * @rank: the lower, the longer it stays when the screen is narrow
 * @width: columns of the screen
 * @stats: FSK_STAT_* of a core plus 1, ends with 0
 * @attrs: FSK_A_LISTEN_* of a listener, ends with 0
 * @of: of a share, the column that is the whole; of a wait, the rate's column
 */
struct fsk_board_column {
	const char *head;
	const char *help;
	enum fsk_board_kind kind;
	int rank;
	int width;
	int stats[FSK_BOARD_SOURCES + 1];
	int attrs[FSK_BOARD_SOURCES + 1];
	int of;
};

extern const struct fsk_board_column fsk_board_columns[FSK_BOARD_COLUMNS];

/**
 * struct fsk_board_line - a core, a listener or a queue
 * @name: of a listener
 * @cpu: of a core or a queue, else UINT32_MAX
 * @row: which listener it is, in the module's order
 * @state: in a word or two
 * @bad: it wants to be looked at: bypassed, limited, or its worker is late
 * @there: which values are known
 * @value: by column
 */
struct fsk_board_line {
	char name[FSK_ROW_NAME];
	uint32_t cpu;
	size_t row;
	char state[48];
	bool bad;
	bool there[FSK_BOARD_COLUMNS];
	double value[FSK_BOARD_COLUMNS];
};

/**
 * struct fsk_board_lines - lines of one kind
 * @count: of @lines
 * @lines: the lines
 */
struct fsk_board_lines {
	size_t count;
	struct fsk_board_line *lines;
};

/**
 * struct fsk_board - all that may be shown
 * @seconds: between the samples, 0 as long as there is one only
 * @cores: by number
 * @listeners: in the module's order
 * @queues: of all listeners, in the module's order
 * @total: of all cores
 * @longest: length of the longest queue
 * @late: queues whose worker is late
 */
struct fsk_board {
	double seconds;
	struct fsk_board_lines cores;
	struct fsk_board_lines listeners;
	struct fsk_board_lines queues;
	struct fsk_board_line total;
	double longest;
	unsigned int late;
};

bool fsk_board_fill(struct fsk_board *board, const struct fsk_sample *old,
		    const struct fsk_sample *new);
void fsk_board_reset(struct fsk_board *board);
bool fsk_board_idle(const struct fsk_board_line *line);
void fsk_board_sort(struct fsk_board_lines *lines, int column, bool reverse);

#endif
