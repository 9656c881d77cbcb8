// SPDX-License-Identifier: MIT
/*
 * Lays the board out on a canvas: which tables, columns and lines fit, in which
 * order; and what a key changes of it. Knows no terminal.
 */
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FSK_VIEW_CPU	4	/* columns of the screen for a core's number */
#define FSK_VIEW_CELL	25	/* columns for a core with what matters most */
#define FSK_VIEW_GAP	2	/* columns between cores side by side */
#define FSK_VIEW_NAME	21	/* columns for "255.255.255.255:65535" */
#define FSK_VIEW_STATE	16	/* columns for a state, twice if wide */

/**
 * fsk_view_init() - how it is shown at first
 * @view: filled in
 */
void fsk_view_init(struct fsk_view *view)
{
	memset(view, 0, sizeof(*view));
	view->delay = 1;
	view->cores = true;
	view->narrow = true;
	view->focus = FSK_VIEW_LISTENERS;
	view->panels[FSK_VIEW_CORES].column = -1;
	view->panels[FSK_VIEW_LISTENERS].column = FSK_BOARD_CONN;
}

static bool fsk_view_has(int panel, int column)
{
	const struct fsk_board_column *of = &fsk_board_columns[column];

	if (panel == FSK_VIEW_LISTENERS)
		return of->attrs[0];
	return of->stats[0] || column == FSK_BOARD_QUEUE ||
	       column == FSK_BOARD_WAITS;
}

/* The next column that the table has, or its names at either end. */
static void fsk_view_sort_by(struct fsk_view *view, int step)
{
	struct fsk_view_panel *panel = &view->panels[view->focus];
	int column = panel->column;

	do
		column += step;
	while (column >= 0 && column < FSK_BOARD_COLUMNS &&
	       !fsk_view_has(view->focus, column));
	if (column >= -1 && column < FSK_BOARD_COLUMNS)
		panel->column = column;
}

static void fsk_view_scroll(struct fsk_view_panel *panel, int key)
{
	size_t page = panel->page ? panel->page : 1;

	switch (key) {
	case FSK_KEY_UP:
		panel->scroll -= !!panel->scroll;
		break;
	case FSK_KEY_DOWN:
		panel->scroll++;
		break;
	case FSK_KEY_PAGE_UP:
		panel->scroll -= panel->scroll < page ? panel->scroll : page;
		break;
	case FSK_KEY_PAGE_DOWN:
		panel->scroll += page;
		break;
	case FSK_KEY_HOME:
		panel->scroll = 0;
		break;
	case FSK_KEY_END:
		panel->scroll = panel->count;
		break;
	}
}

/* Keys that sort. Returns whether it was one. */
static bool fsk_view_key_sort(struct fsk_view *view, int key)
{
	static const struct {
		int key;
		int column;
	} keys[] = {
		{ 'N', -1 }, { 'C', FSK_BOARD_CONN },
		{ 'P', FSK_BOARD_NEAR_SHARE }, { 'L', FSK_BOARD_QUEUE },
		{ 'O', FSK_BOARD_OTHER }, { 'D', FSK_BOARD_DROPS },
	};
	struct fsk_view_panel *panel = &view->panels[view->focus];

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].key == key) {
			panel->column = keys[i].column;
			return true;
		}
	switch (key) {
	case '<':
		fsk_view_sort_by(view, -1);
		return true;
	case '>':
		fsk_view_sort_by(view, 1);
		return true;
	case 'R':
		panel->reverse = !panel->reverse;
		return true;
	}
	return false;
}

/* Keys that show and hide. Returns whether it was one. */
static bool fsk_view_key_show(struct fsk_view *view, int key)
{
	switch (key) {
	case '1':
		view->cores = !view->cores;
		view->focus = view->cores ? view->focus : FSK_VIEW_LISTENERS;
		return true;
	case 'w':
		view->queues = !view->queues;
		return true;
	case 'i':
		view->busy = !view->busy;
		return true;
	case '\t':
		view->focus = view->cores ? !view->focus : FSK_VIEW_LISTENERS;
		return true;
	case 'h':
	case '?':
		view->help = true;
		return true;
	}
	return false;
}

/**
 * fsk_view_key() - do what a key means
 * @view: the view
 * @key: a character or one of enum fsk_view_keys
 *
 * Return: what the caller is to do.
 */
enum fsk_view_action fsk_view_key(struct fsk_view *view, int key)
{
	if (key == FSK_KEY_NONE)
		return FSK_VIEW_NOTHING;
	if (key == FSK_KEY_GONE)
		return FSK_VIEW_QUIT;
	if (key == FSK_KEY_RESIZE)
		return FSK_VIEW_DRAW;
	if (view->help) {
		view->help = false;
		return FSK_VIEW_DRAW;
	}
	if (key >= FSK_KEY_UP) {
		fsk_view_scroll(&view->panels[view->focus], key);
		return FSK_VIEW_DRAW;
	}
	if (fsk_view_key_sort(view, key) || fsk_view_key_show(view, key))
		return FSK_VIEW_DRAW;
	switch (key) {
	case 'q':
		return FSK_VIEW_QUIT;
	case 'd':
	case 's':
		return FSK_VIEW_DELAY;
	case ' ':
	case '\n':
	case '\r':
		return FSK_VIEW_SAMPLE;
	}
	return FSK_VIEW_NOTHING;
}

static const char *fsk_view_value(const struct fsk_board_line *line,
				  int column, char *text)
{
	double value = line->value[column];

	if (!line->there[column])
		return "-";
	switch (fsk_board_columns[column].kind) {
	case FSK_BOARD_SHARE:
		/* 99.96 % is not all. */
		if (value < 100 && value > 99.9)
			value = 99.9;
		snprintf(text, FSK_RATE_TEXT, "%.1f", value);
		return text;
	case FSK_BOARD_LEVEL:
		snprintf(text, FSK_RATE_TEXT, "%.0f", value);
		return text;
	default:
		return fsk_rate_text(value, text);
	}
}

/* A figure of the total with words around it. */
static int fsk_view_total(struct fsk_canvas *canvas, int y, int x,
			  const struct fsk_board *board, const char *before,
			  int column, const char *after)
{
	char text[FSK_RATE_TEXT];

	x = fsk_canvas_put(canvas, y, x, FSK_CANVAS_PLAIN, "%s", before);
	x = fsk_canvas_put(canvas, y, x, column == FSK_BOARD_DROPS &&
			   board->total.value[column] > 0 ? FSK_CANVAS_BAD :
			   FSK_CANVAS_BOLD, "%s",
			   fsk_view_value(&board->total, column, text));
	return fsk_canvas_put(canvas, y, x, FSK_CANVAS_PLAIN, "%s", after);
}

static int fsk_view_count(struct fsk_canvas *canvas, int y, int x,
			  const char *before, unsigned int count, bool bad)
{
	x = fsk_canvas_put(canvas, y, x, FSK_CANVAS_PLAIN, "%s", before);
	return fsk_canvas_put(canvas, y, x, bad && count ? FSK_CANVAS_BAD :
			      FSK_CANVAS_BOLD, "%u", count);
}

/* Returns the first free line. */
static int fsk_view_summary(const struct fsk_view *view,
			    const struct fsk_board *board,
			    struct fsk_canvas *canvas)
{
	int x, y = 0;

	x = fsk_canvas_put(canvas, y, 0, FSK_CANVAS_PLAIN,
			   "fastsocket top - %s, every %.3g s", view->clock,
			   view->delay);
	x = fsk_view_count(canvas, y, x, ", listeners ",
			   board->listeners.count, false);
	fsk_view_count(canvas, y++, x, ", cores ", board->cores.count, false);
	x = fsk_view_total(canvas, y, 0, board, "accepted ", FSK_BOARD_CONN,
			   "/s:");
	x = fsk_view_total(canvas, y, x, board, " near ", FSK_BOARD_NEAR_SHARE,
			   " %,");
	x = fsk_view_total(canvas, y, x, board, " app ", FSK_BOARD_APP, "/s,");
	fsk_view_total(canvas, y++, x, board, " other ", FSK_BOARD_OTHER,
		       "/s");
	x = fsk_view_total(canvas, y, 0, board, "waiting ", FSK_BOARD_QUEUE,
			   ",");
	x = fsk_view_count(canvas, y, x, " longest queue ", board->longest,
			   false);
	x = fsk_view_count(canvas, y, x, ", queues late ", board->late, true);
	x = fsk_view_total(canvas, y, x, board, ", rescues ",
			   FSK_BOARD_RESCUES, "/s");
	fsk_view_total(canvas, y++, x, board, ", lost ", FSK_BOARD_DROPS,
		       "/s");
	x = fsk_view_total(canvas, y, 0, board, "requests ", FSK_BOARD_SYNS,
			   "/s:");
	x = fsk_view_total(canvas, y, x, board, " left to the kernel ",
			   FSK_BOARD_LEFT, "/s");
	fsk_view_total(canvas, y++, x, board, "; opened ", FSK_BOARD_OPENED,
		       "/s");
	return y;
}

/* Columns of one table that fit. */
struct fsk_view_fit {
	int name;
	int state;
	bool column[FSK_BOARD_COLUMNS];
};

static void fsk_view_fit(struct fsk_view_fit *fit, int panel, int width)
{
	int left = width - fit->name - (fit->state ? fit->state + 1 : 0);

	memset(fit->column, 0, sizeof(fit->column));
	for (int rank = 0; rank < FSK_BOARD_COLUMNS; rank++)
		for (int i = 0; i < FSK_BOARD_COLUMNS; i++) {
			const struct fsk_board_column *of =
				&fsk_board_columns[i];

			if (of->rank != rank || !fsk_view_has(panel, i) ||
			    of->width + 1 > left)
				continue;
			fit->column[i] = true;
			left -= of->width + 1;
		}
}

static void fsk_view_heads(const struct fsk_view *view, int panel,
			   const struct fsk_view_fit *fit,
			   struct fsk_canvas *canvas, int y, int x, int width)
{
	int sort = view->panels[panel].column, end;
	const char *name = "CPU";

	if (panel == FSK_VIEW_LISTENERS)
		name = view->queues ? "QUEUE OF" : "LISTENER";
	fsk_canvas_fill(canvas, y, x, width, FSK_CANVAS_HEAD);
	end = x + fit->name;
	if (panel == FSK_VIEW_CORES)
		x = end - (int)strlen(name);
	fsk_canvas_put(canvas, y, x, sort < 0 ? FSK_CANVAS_SORT :
		       FSK_CANVAS_HEAD, "%s", name);
	x = end;
	for (int i = 0; i < FSK_BOARD_COLUMNS; i++) {
		const struct fsk_board_column *of = &fsk_board_columns[i];

		if (!fit->column[i])
			continue;
		x += of->width + 1;
		fsk_canvas_put(canvas, y, x - (int)strlen(of->head),
			       sort == i ? FSK_CANVAS_SORT : FSK_CANVAS_HEAD,
			       "%s", of->head);
	}
	if (fit->state)
		fsk_canvas_put(canvas, y, x + 1, FSK_CANVAS_HEAD, "STATE");
}

static void fsk_view_line(const struct fsk_board_line *line, int panel,
			  const struct fsk_view_fit *fit,
			  struct fsk_canvas *canvas, int y, int x)
{
	enum fsk_canvas_style style = line->bad ? FSK_CANVAS_BAD :
				      FSK_CANVAS_PLAIN;
	char text[FSK_RATE_TEXT], name[FSK_ROW_NAME + 16];

	if (panel == FSK_VIEW_CORES)
		snprintf(name, sizeof(name), "%*u", fit->name, line->cpu);
	else if (line->cpu != UINT32_MAX)
		snprintf(name, sizeof(name), "%s cpu %u", line->name,
			 line->cpu);
	else
		snprintf(name, sizeof(name), "%s", line->name);
	fsk_canvas_put(canvas, y, x, style, "%.*s", fit->name, name);
	/* A "+" says that the name is longer. */
	if ((int)strlen(name) > fit->name)
		fsk_canvas_put(canvas, y, x + fit->name - 1, style, "+");
	x += fit->name;
	for (int i = 0; i < FSK_BOARD_COLUMNS; i++) {
		if (!fit->column[i])
			continue;
		fsk_canvas_put(canvas, y, x, style, " %*s",
			       fsk_board_columns[i].width,
			       fsk_view_value(line, i, text));
		x += fsk_board_columns[i].width + 1;
	}
	if (fit->state)
		fsk_canvas_put(canvas, y, x + 1, style, "%.*s", fit->state,
			       line->state);
}

/* Lines of a table that are not left out, in its order. */
static size_t fsk_view_lines(const struct fsk_view *view,
			     struct fsk_view_panel *panel,
			     struct fsk_board_lines *lines,
			     const struct fsk_board_line **shown)
{
	panel->count = 0;
	fsk_board_sort(lines, panel->column, panel->reverse);
	for (size_t i = 0; i < lines->count; i++)
		if (!view->busy || !fsk_board_idle(&lines->lines[i]))
			shown[panel->count++] = &lines->lines[i];
	return panel->count;
}

/* Columns for the names: as the longest wants, but not all of the screen. */
static int fsk_view_names(const struct fsk_board_line **shown, size_t count,
			  bool queues, int width)
{
	int name = FSK_VIEW_NAME, most = width / 3;

	most = most < FSK_VIEW_NAME ? FSK_VIEW_NAME : most;
	for (size_t i = 0; i < count; i++) {
		int length = strlen(shown[i]->name) + (queues ? 9 : 0);

		name = length > name ? length : name;
	}
	return name < most ? name : most;
}

static int fsk_view_states(const struct fsk_board_line **shown, size_t count,
			   int width)
{
	int most = width < 120 ? FSK_VIEW_STATE : 2 * FSK_VIEW_STATE;
	int state = strlen("active");

	for (size_t i = 0; i < count; i++) {
		int length = strlen(shown[i]->state);

		state = length > state ? length : state;
	}
	return state < most ? state : most;
}

/* How many cores stand side by side, so that all fit if they can. */
static int fsk_view_across(const struct fsk_view *view, size_t count,
			   size_t height, int width)
{
	int most = (width + FSK_VIEW_GAP) / (FSK_VIEW_CELL + FSK_VIEW_GAP);
	size_t across = height ? (count + height - 1) / height : 1;

	if (!view->narrow || !across || most < 1)
		return 1;
	return across < (size_t)most ? (int)across : most;
}

/* Draw a table into lines @y to @y + @height - 1, the first with its heads. */
static void fsk_view_table(struct fsk_view *view, int which,
			   const struct fsk_board_line **shown, int across,
			   struct fsk_canvas *canvas, int y, size_t height)
{
	int width = (canvas->width - (across - 1) * FSK_VIEW_GAP) / across;
	struct fsk_view_panel *panel = &view->panels[which];
	size_t all = (panel->count + across - 1) / across;
	struct fsk_view_fit fit = { .name = FSK_VIEW_CPU };
	size_t page = height - 1, at;

	if (which == FSK_VIEW_LISTENERS) {
		fit.name = fsk_view_names(shown, panel->count, view->queues,
					  canvas->width);
		fit.state = fsk_view_states(shown, panel->count,
					    canvas->width);
	}
	fsk_view_fit(&fit, which, width);
	if (panel->scroll + page > all)
		panel->scroll = all > page ? all - page : 0;
	panel->page = page;
	panel->first = panel->scroll * across + 1;
	panel->last = panel->first - 1;
	for (int i = 0; i < across; i++) {
		int x = i * (width + FSK_VIEW_GAP);

		fsk_view_heads(view, which, &fit, canvas, y, x, width);
		for (size_t k = 0; k < page; k++) {
			at = panel->scroll * across + i * page + k;
			if (at >= panel->count)
				break;
			panel->last = at + 1;
			fsk_view_line(shown[at], which, &fit, canvas,
				      y + 1 + k, x);
		}
	}
}

static void fsk_view_range(struct fsk_canvas *canvas, int y, int *x,
			   const struct fsk_view *view, int which,
			   const char *what)
{
	const struct fsk_view_panel *panel = &view->panels[which];

	if (panel->count)
		*x = fsk_canvas_put(canvas, y, *x, view->focus == which ?
				    FSK_CANVAS_BOLD : FSK_CANVAS_DIM,
				    "%s %zu-%zu of %zu", what, panel->first,
				    panel->last, panel->count);
	else
		*x = fsk_canvas_put(canvas, y, *x, FSK_CANVAS_DIM, "no %s",
				    what);
	*x = fsk_canvas_put(canvas, y, *x, FSK_CANVAS_DIM, "   ");
}

static void fsk_view_bottom(const struct fsk_view *view,
			    struct fsk_canvas *canvas)
{
	int y = canvas->height - 1, x = 0;

	if (*view->message) {
		fsk_canvas_put(canvas, y, 0, FSK_CANVAS_BAD, "%s",
			       view->message);
		return;
	}
	if (view->cores)
		fsk_view_range(canvas, y, &x, view, FSK_VIEW_CORES, "cores");
	fsk_view_range(canvas, y, &x, view, FSK_VIEW_LISTENERS,
		       view->queues ? "queues" : "listeners");
	fsk_canvas_put(canvas, y, x, FSK_CANVAS_DIM, "h help   q quit");
}

/* Share the lines below @y: cores get what they need, but no more than half
 * where listeners need the rest. Returns lines for cores, with their heads.
 */
static size_t fsk_view_share(size_t room, size_t cores, size_t listeners)
{
	size_t half = room / 2;

	if (cores + 1 + 1 + listeners + 1 <= room)
		return cores + 1;
	if (listeners + 2 < room - half)
		half = room - (listeners + 2);
	return cores + 1 < half ? cores + 1 : half;
}

static void fsk_view_tables(struct fsk_view *view, struct fsk_board *board,
			    struct fsk_canvas *canvas, int y)
{
	struct fsk_board_lines *lines = view->queues ? &board->queues :
							 &board->listeners;
	size_t room = canvas->height > y + 1 ? canvas->height - y - 1 : 0;
	const struct fsk_board_line **shown[FSK_VIEW_PANELS];
	size_t cores, listeners, height;
	int across;

	shown[0] = calloc(board->cores.count + lines->count + 1,
			  sizeof(**shown));
	if (!shown[0])
		return;
	shown[1] = shown[0] + board->cores.count;
	cores = fsk_view_lines(view, &view->panels[0], &board->cores,
			       shown[0]);
	listeners = fsk_view_lines(view, &view->panels[1], lines, shown[1]);
	if (view->cores && room > 4) {
		height = fsk_view_share(room, cores, listeners);
		across = fsk_view_across(view, cores, height - 1,
					 canvas->width);
		cores = (cores + across - 1) / across;
		height = height < cores + 1 ? height : cores + 1;
		fsk_view_table(view, FSK_VIEW_CORES, shown[0], across, canvas,
			       y, height);
		y += height + 1;
		room -= height + 1;
	}
	if (room > 1)
		fsk_view_table(view, FSK_VIEW_LISTENERS, shown[1], 1, canvas,
			       y, room);
	free(shown[0]);
}

static int fsk_view_help_columns(struct fsk_canvas *canvas, int y)
{
	int half = canvas->width / 2, lines = (FSK_BOARD_COLUMNS + 1) / 2;
	bool two = canvas->width >= 120;

	for (int i = 0; i < FSK_BOARD_COLUMNS; i++)
		fsk_canvas_put(canvas, two ? y + i % lines : y + i,
			       two && i >= lines ? half : 0, FSK_CANVAS_PLAIN,
			       "  %-8s %s", fsk_board_columns[i].head,
			       fsk_board_columns[i].help);
	return y + (two ? lines : FSK_BOARD_COLUMNS);
}

/* On a low screen the columns, of which the manual tells too, are cut. */
static void fsk_view_help(struct fsk_canvas *canvas)
{
	static const char * const lines[] = {
		"q quit   d, s delay   space read now   h, ? this help",
		"1 cores on or off   w queues or listeners   i idle lines",
		"Tab other table   up, down, PgUp, PgDn, Home, End scroll it",
		"sort: N name C CONN P NEAR L QUEUE O OTHER D DROP < > R reverse",
	};
	int y = 0;

	fsk_canvas_put(canvas, y++, 0, FSK_CANVAS_BOLD,
		       "fastsocket top: any key goes back");
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		fsk_canvas_put(canvas, y++, 0, FSK_CANVAS_PLAIN, "%s",
			       lines[i]);
	fsk_view_help_columns(canvas, y);
}

/**
 * fsk_view_draw() - draw the board
 * @view: how; it keeps what keys need of the last picture
 * @board: what; its lines are sorted
 * @canvas: an empty canvas
 */
void fsk_view_draw(struct fsk_view *view, struct fsk_board *board,
		   struct fsk_canvas *canvas)
{
	int y;

	if (view->help) {
		fsk_view_help(canvas);
		return;
	}
	y = fsk_view_summary(view, board, canvas);
	fsk_view_tables(view, board, canvas, y);
	fsk_view_bottom(view, canvas);
}
