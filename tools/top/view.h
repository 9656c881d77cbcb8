/* SPDX-License-Identifier: MIT */
#ifndef FSK_VIEW_H
#define FSK_VIEW_H

#include "../base/error.h"
#include "board.h"
#include "canvas.h"

/* Keys that are no characters. */
enum fsk_view_keys {
	FSK_KEY_NONE = 0,
	FSK_KEY_UP = 256,
	FSK_KEY_DOWN,
	FSK_KEY_PAGE_UP,
	FSK_KEY_PAGE_DOWN,
	FSK_KEY_HOME,
	FSK_KEY_END,
	FSK_KEY_RESIZE,		/* the screen has another size */
	FSK_KEY_GONE,		/* there is no screen any more */
};

/* What the caller is to do after a key. */
enum fsk_view_action {
	FSK_VIEW_NOTHING,
	FSK_VIEW_DRAW,		/* draw again */
	FSK_VIEW_SAMPLE,	/* read again, and draw */
	FSK_VIEW_DELAY,		/* ask for another delay */
	FSK_VIEW_QUIT,
};

/* The tables. */
enum fsk_view_panels {
	FSK_VIEW_CORES,
	FSK_VIEW_LISTENERS,
	FSK_VIEW_PANELS
};

/**
 * struct fsk_view_panel - how a table is shown
 * @column: that sorts it, -1 for the names
 * @reverse: sorted the other way round
 * @scroll: lines that are above the screen
 * @page: lines that were on the screen
 * @first: the first on the screen, counted from 1
 * @last: the last on the screen
 * @count: of all
 */
struct fsk_view_panel {
	int column;
	bool reverse;
	size_t scroll;
	size_t page;
	size_t first;
	size_t last;
	size_t count;
};

/**
 * struct fsk_view - what of the board is shown, and how
 * @delay: seconds between samples
 * @cores: the table of cores is shown
 * @queues: a line for each queue, not for each listener
 * @busy: lines where nothing happens are left out
 * @help: the help is shown
 * @narrow: cores may stand side by side
 * @focus: the table to which keys belong
 * @panels: the tables
 * @clock: the time, for the first line
 * @message: for the bottom, for example why there is nothing to see
 */
struct fsk_view {
	double delay;
	bool cores;
	bool queues;
	bool busy;
	bool help;
	bool narrow;
	int focus;
	struct fsk_view_panel panels[FSK_VIEW_PANELS];
	char clock[32];
	char message[FSK_ERROR_LINE];
};

void fsk_view_init(struct fsk_view *view);
enum fsk_view_action fsk_view_key(struct fsk_view *view, int key);
void fsk_view_draw(struct fsk_view *view, struct fsk_board *board,
		   struct fsk_canvas *canvas);

#endif
