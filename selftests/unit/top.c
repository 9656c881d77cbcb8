// SPDX-License-Identifier: GPL-2.0
/* What `fastsocket top` shows of fixed samples, see tools/top. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "kselftest_harness.h"

#include "../../tools/top/board.h"
#include "../../tools/top/canvas.h"
#include "../../tools/top/view.h"

#define MAX_ROWS	2048

static struct fsk_stats_core cores[2][256];
static struct fsk_row rows[2][MAX_ROWS];
static struct fsk_sample samples[2];

/* Two samples, two seconds apart, of as many cores. */
static void begin(size_t count)
{
	memset(cores, 0, sizeof(cores));
	memset(rows, 0, sizeof(rows));
	for (int i = 0; i < 2; i++) {
		samples[i] = (struct fsk_sample) {
			.ns = 1000000000ULL * (2 * i + 1),
			.stats = { .count = count, .cores = cores[i] },
			.rows = { .rows = rows[i] },
		};
		memset(samples[i].stats.known, true, __FSK_STAT_MAX);
		for (size_t k = 0; k < count; k++)
			cores[i][k].cpu = k;
	}
}

static void set(struct fsk_row *row, int attr, uint64_t value)
{
	row->flag[attr] = true;
	row->value[attr] = value;
}

/* A row of the listener @id on port @id; without a core the program's own. */
static struct fsk_row *add(int sample, int id, int cpu)
{
	struct fsk_row *row = &rows[sample][samples[sample].rows.count++];

	set(row, FSK_A_LISTEN_ID, id);
	set(row, FSK_A_LISTEN_FAMILY, AF_INET);
	set(row, FSK_A_LISTEN_PORT, id);
	inet_pton(AF_INET, "10.0.0.1", row->addr);
	if (cpu < 0)
		return row;
	set(row, FSK_A_LISTEN_CPU, cpu);
	row->flag[FSK_A_LISTEN_CLAIMED] = true;
	return row;
}

static struct fsk_board *fill(void)
{
	static struct fsk_board board;

	fsk_board_reset(&board);
	return fsk_board_fill(&board, &samples[0], &samples[1]) ? &board : NULL;
}

TEST(top__rates_of_cores)
{
	struct fsk_board *board;
	struct fsk_board_line *core;

	begin(2);
	cores[0][1].n[FSK_STAT_ACCEPT_LOCAL] = 100;
	cores[1][1].n[FSK_STAT_ACCEPT_LOCAL] = 280;
	cores[1][1].n[FSK_STAT_ACCEPT_OTHER] = 20;
	cores[1][1].n[FSK_STAT_OVERFLOW] = 3;
	cores[1][1].n[FSK_STAT_CHILD_FAILED] = 1;
	board = fill();
	ASSERT_NE(NULL, board);
	ASSERT_EQ(2, board->cores.count);
	core = &board->cores.lines[1];
	EXPECT_EQ(100, core->value[FSK_BOARD_CONN]);
	EXPECT_EQ(90, core->value[FSK_BOARD_NEAR_SHARE]);
	EXPECT_EQ(10, core->value[FSK_BOARD_OTHER]);
	EXPECT_EQ(2, core->value[FSK_BOARD_DROPS]);
	EXPECT_EQ(100, board->total.value[FSK_BOARD_CONN]);
	EXPECT_EQ(90, board->total.value[FSK_BOARD_NEAR_SHARE]);
	/* Of nothing there is no share. */
	EXPECT_FALSE(board->cores.lines[0].there[FSK_BOARD_NEAR_SHARE]);
	EXPECT_TRUE(fsk_board_idle(&board->cores.lines[0]));
	EXPECT_FALSE(fsk_board_idle(core));
}

/* What an older module does not count is absent, and not 0. */
TEST(top__older_module)
{
	struct fsk_board_line *core, *total;
	struct fsk_board *board;

	begin(2);
	samples[1].stats.known[FSK_STAT_RFD_STEERED] = false;
	samples[1].stats.known[FSK_STAT_RFD_HIT] = false;
	samples[1].stats.known[FSK_STAT_CONNECT_ANY] = false;
	cores[1][0].n[FSK_STAT_RFD_MISS] = 6;
	cores[1][0].n[FSK_STAT_CONNECT_OWN] = 4;
	board = fill();
	ASSERT_NE(NULL, board);
	core = board->cores.lines;
	total = &board->total;
	EXPECT_FALSE(core->there[FSK_BOARD_MOVED]);
	EXPECT_FALSE(total->there[FSK_BOARD_MOVED]);
	EXPECT_FALSE(core->there[FSK_BOARD_HIT_SHARE]);
	EXPECT_TRUE(core->there[FSK_BOARD_PACKETS]);
	EXPECT_TRUE(core->there[FSK_BOARD_OPENED]);
	EXPECT_EQ(2, total->value[FSK_BOARD_OPENED]);
}

/* The module came back between the samples: it counts from 0 again. */
TEST(top__counts_from_0_again)
{
	struct fsk_board *board;

	begin(1);
	cores[0][0].n[FSK_STAT_ACCEPT_LOCAL] = 1000000;
	cores[1][0].n[FSK_STAT_ACCEPT_LOCAL] = 50;
	board = fill();
	ASSERT_NE(NULL, board);
	EXPECT_EQ(25, board->cores.lines[0].value[FSK_BOARD_CONN]);
}

/* Levels are there at once, rates are not. */
TEST(top__first_sample)
{
	struct fsk_board *board;

	begin(1);
	samples[0] = (struct fsk_sample) { 0 };
	cores[1][0].n[FSK_STAT_ACCEPT_LOCAL] = 50;
	add(1, 80, -1);
	set(add(1, 80, 0), FSK_A_LISTEN_QLEN, 7);
	board = fill();
	ASSERT_NE(NULL, board);
	EXPECT_EQ(0, board->cores.lines[0].value[FSK_BOARD_CONN]);
	EXPECT_EQ(7, board->cores.lines[0].value[FSK_BOARD_QUEUE]);
	EXPECT_EQ(7, board->listeners.lines[0].value[FSK_BOARD_QUEUE]);
	EXPECT_EQ(7, board->longest);
}

/* Rows of a listener add up, also where the list has changed meanwhile and
 * where a core has several queues of it.
 */
TEST(top__rows_of_listeners)
{
	struct fsk_board *board;
	struct fsk_board_line *line;
	struct fsk_row *row;

	begin(2);
	add(0, 70, -1);
	add(0, 80, -1);
	set(add(0, 80, 1), FSK_A_LISTEN_ACCEPT_LOCAL, 10);
	set(add(0, 80, 1), FSK_A_LISTEN_ACCEPT_LOCAL, 1000);
	row = add(1, 80, -1);
	set(row, FSK_A_LISTEN_QMAX, 511);
	set(row, FSK_A_LISTEN_QLEN, 1);
	row = add(1, 80, 1);
	set(row, FSK_A_LISTEN_ACCEPT_LOCAL, 30);
	set(row, FSK_A_LISTEN_QLEN, 2);
	set(row, FSK_A_LISTEN_QMAX, 511);
	row->flag[FSK_A_LISTEN_ORPHANED] = true;
	set(add(1, 80, 1), FSK_A_LISTEN_ACCEPT_LOCAL, 1040);
	add(1, 90, -1);
	row = add(1, 91, -1);
	set(row, FSK_A_LISTEN_STATE, FSK_STATE_BYPASS);
	snprintf(row->bypass, sizeof(row->bypass), "TCP_MD5SIG");
	board = fill();
	ASSERT_NE(NULL, board);
	ASSERT_EQ(3, board->listeners.count);
	ASSERT_EQ(5, board->queues.count);
	line = &board->listeners.lines[0];
	EXPECT_STREQ("10.0.0.1:80", line->name);
	EXPECT_EQ(30, line->value[FSK_BOARD_CONN]);
	EXPECT_EQ(3, line->value[FSK_BOARD_QUEUE]);
	EXPECT_EQ(100, line->value[FSK_BOARD_WAITS]);
	EXPECT_EQ(511, line->value[FSK_BOARD_LIMIT]);
	EXPECT_TRUE(line->bad);
	EXPECT_EQ(10, board->queues.lines[1].value[FSK_BOARD_CONN]);
	EXPECT_EQ(20, board->queues.lines[2].value[FSK_BOARD_CONN]);
	EXPECT_EQ(1, board->late);
	EXPECT_TRUE(board->cores.lines[1].bad);
	EXPECT_FALSE(board->listeners.lines[1].bad);
	EXPECT_STREQ("bypass: TCP_MD5SIG", board->listeners.lines[2].state);
}

TEST(top__sorts)
{
	struct fsk_board *board;

	begin(4);
	for (int i = 0; i < 4; i++)
		cores[1][i].n[FSK_STAT_ACCEPT_LOCAL] = 10 * (i ^ 2);
	board = fill();
	ASSERT_NE(NULL, board);
	fsk_board_sort(&board->cores, FSK_BOARD_CONN, false);
	EXPECT_EQ(1, board->cores.lines[0].cpu);
	EXPECT_EQ(2, board->cores.lines[3].cpu);
	fsk_board_sort(&board->cores, FSK_BOARD_CONN, true);
	EXPECT_EQ(2, board->cores.lines[0].cpu);
	/* Those that are equal are in the order of their numbers. */
	fsk_board_sort(&board->cores, FSK_BOARD_DROPS, false);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(i, board->cores.lines[i].cpu);
	fsk_board_sort(&board->cores, -1, true);
	EXPECT_EQ(3, board->cores.lines[0].cpu);
}

/* By address and port, not in the module's order. */
TEST(top__sorts_by_name)
{
	struct fsk_board *board;

	begin(1);
	add(1, 443, -1);
	add(1, 8080, -1);
	add(1, 80, -1);
	board = fill();
	ASSERT_NE(NULL, board);
	fsk_board_sort(&board->listeners, -1, false);
	EXPECT_STREQ("10.0.0.1:80", board->listeners.lines[0].name);
	EXPECT_STREQ("10.0.0.1:443", board->listeners.lines[1].name);
	EXPECT_STREQ("10.0.0.1:8080", board->listeners.lines[2].name);
}

/* Line @y of the canvas, without blanks at its end. */
static const char *line_of(const struct fsk_canvas *canvas, int y)
{
	static char line[512];

	snprintf(line, sizeof(line), "%.*s", fsk_canvas_length(canvas, y),
		 canvas->text + (size_t)y * canvas->width);
	return line;
}

static int line_with(const struct fsk_canvas *canvas, const char *text)
{
	for (int y = 0; y < canvas->height; y++)
		if (strstr(line_of(canvas, y), text))
			return y;
	return -1;
}

static struct fsk_canvas canvas;

static bool draw(struct fsk_view *view, int width, int height)
{
	struct fsk_board *board = fill();

	if (!board || !fsk_canvas_begin(&canvas, width, height))
		return false;
	fsk_view_draw(view, board, &canvas);
	return true;
}

TEST(top__draws_80_columns)
{
	struct fsk_view view;

	fsk_view_init(&view);
	snprintf(view.clock, sizeof(view.clock), "12:34:56");
	begin(2);
	cores[1][1].n[FSK_STAT_ACCEPT_LOCAL] = 198;
	cores[1][1].n[FSK_STAT_ACCEPT_APP] = 2;
	add(1, 80, -1);
	set(add(1, 80, 1), FSK_A_LISTEN_ACCEPT_LOCAL, 198);
	ASSERT_TRUE(draw(&view, 80, 12));
	EXPECT_STREQ("fastsocket top - 12:34:56, every 1 s, listeners 1, "
		     "cores 2", line_of(&canvas, 0));
	EXPECT_STREQ("accepted 100/s: near 99.0 %, app 1.0/s, other 0/s",
		     line_of(&canvas, 1));
	EXPECT_STREQ(" CPU  CONN/s NEAR%  NEAR/s  APP/s OTHER/s  QUEUE WAIT/ms"
		     "   SYN/s DROP/s RESC/s", line_of(&canvas, 4));
	EXPECT_STREQ("   1     100  99.0      99    1.0       0      0       0"
		     "       0      0      0", line_of(&canvas, 6));
	EXPECT_STREQ("10.0.0.1:80                99 100.0      -       -"
		     "      -      -      - active", line_of(&canvas, 9));
	EXPECT_STREQ("cores 1-2 of 2   listeners 1-1 of 1   h help   q quit",
		     line_of(&canvas, 11));
}

/* Nothing is written outside of a screen of any size: see the sanitizer. */
TEST(top__draws_any_size)
{
	struct fsk_view view;

	fsk_view_init(&view);
	begin(200);
	for (int i = 0; i < 500; i++) {
		add(1, 1000 + i, -1);
		set(add(1, 1000 + i, i % 200), FSK_A_LISTEN_QLEN, i % 7);
	}
	for (int width = 1; width < 260; width += 43)
		for (int height = 1; height < 90; height += 22) {
			view.help = false;
			EXPECT_TRUE(draw(&view, width, height));
			view.help = true;
			EXPECT_TRUE(draw(&view, width, height));
		}
}

/* 200 cores stand side by side; those below the screen are reached by keys. */
TEST(top__draws_200_cores)
{
	struct fsk_view view;

	fsk_view_init(&view);
	begin(200);
	add(1, 80, -1);
	ASSERT_TRUE(draw(&view, 200, 60));
	EXPECT_NE(-1, line_with(&canvas, "cores 1-200 of 200"));
	ASSERT_TRUE(draw(&view, 80, 24));
	EXPECT_NE(-1, line_with(&canvas, "cores 1-45 of 200"));
	EXPECT_NE(-1, line_with(&canvas, "10.0.0.1:80"));
	EXPECT_EQ(FSK_VIEW_DRAW, fsk_view_key(&view, '\t'));
	EXPECT_EQ(FSK_VIEW_DRAW, fsk_view_key(&view, FSK_KEY_PAGE_DOWN));
	ASSERT_TRUE(draw(&view, 80, 24));
	EXPECT_NE(-1, line_with(&canvas, "cores 46-90 of 200"));
	fsk_view_key(&view, FSK_KEY_END);
	ASSERT_TRUE(draw(&view, 80, 24));
	EXPECT_NE(-1, line_with(&canvas, "-200 of 200"));
	fsk_view_key(&view, FSK_KEY_HOME);
	fsk_view_key(&view, FSK_KEY_UP);
	ASSERT_TRUE(draw(&view, 80, 24));
	EXPECT_NE(-1, line_with(&canvas, "cores 1-45 of 200"));
	/* Without cores there is more room for listeners. */
	fsk_view_key(&view, '1');
	ASSERT_TRUE(draw(&view, 80, 24));
	EXPECT_EQ(-1, line_with(&canvas, "cores 1"));
}

TEST(top__scrolls_500_listeners)
{
	struct fsk_view view;

	fsk_view_init(&view);
	begin(4);
	for (int i = 0; i < 500; i++)
		add(1, 1000 + i, -1);
	ASSERT_TRUE(draw(&view, 80, 24));
	EXPECT_NE(-1, line_with(&canvas, "10.0.0.1:1000 "));
	EXPECT_NE(-1, line_with(&canvas, "listeners 1-12 of 500"));
	fsk_view_key(&view, FSK_KEY_DOWN);
	ASSERT_TRUE(draw(&view, 80, 24));
	EXPECT_EQ(-1, line_with(&canvas, "10.0.0.1:1000 "));
	fsk_view_key(&view, FSK_KEY_END);
	ASSERT_TRUE(draw(&view, 80, 24));
	EXPECT_NE(-1, line_with(&canvas, "10.0.0.1:1499 "));
	EXPECT_NE(-1, line_with(&canvas, "listeners 489-500 of 500"));
	/* They close; what is left is shown. */
	samples[1].rows.count = 3;
	ASSERT_TRUE(draw(&view, 80, 24));
	EXPECT_NE(-1, line_with(&canvas, "10.0.0.1:1000 "));
	EXPECT_NE(-1, line_with(&canvas, "listeners 1-3 of 3"));
}

TEST(top__without_listeners)
{
	struct fsk_view view;

	fsk_view_init(&view);
	begin(0);
	ASSERT_TRUE(draw(&view, 80, 24));
	EXPECT_NE(-1, line_with(&canvas, "no listeners"));
	snprintf(view.message, sizeof(view.message),
		 "the kernel module is not loaded");
	ASSERT_TRUE(draw(&view, 80, 24));
	EXPECT_EQ(23, line_with(&canvas, "the kernel module is not loaded"));
}

TEST(top__keys)
{
	struct fsk_view view;

	fsk_view_init(&view);
	EXPECT_EQ(FSK_VIEW_QUIT, fsk_view_key(&view, 'q'));
	EXPECT_EQ(FSK_VIEW_QUIT, fsk_view_key(&view, FSK_KEY_GONE));
	EXPECT_EQ(FSK_VIEW_DELAY, fsk_view_key(&view, 'd'));
	EXPECT_EQ(FSK_VIEW_SAMPLE, fsk_view_key(&view, ' '));
	EXPECT_EQ(FSK_VIEW_NOTHING, fsk_view_key(&view, 'x'));
	EXPECT_EQ(FSK_VIEW_NOTHING, fsk_view_key(&view, FSK_KEY_NONE));
	EXPECT_EQ(FSK_VIEW_DRAW, fsk_view_key(&view, FSK_KEY_RESIZE));
	fsk_view_key(&view, 'h');
	EXPECT_TRUE(view.help);
	EXPECT_EQ(FSK_VIEW_DRAW, fsk_view_key(&view, 'q'));
	EXPECT_FALSE(view.help);
	fsk_view_key(&view, 'L');
	EXPECT_EQ(FSK_BOARD_QUEUE, view.panels[FSK_VIEW_LISTENERS].column);
	fsk_view_key(&view, '>');
	EXPECT_EQ(FSK_BOARD_LIMIT, view.panels[FSK_VIEW_LISTENERS].column);
	for (int i = 0; i < 30; i++)
		fsk_view_key(&view, '<');
	EXPECT_EQ(-1, view.panels[FSK_VIEW_LISTENERS].column);
	fsk_view_key(&view, '\t');
	for (int i = 0; i < 30; i++)
		fsk_view_key(&view, '>');
	EXPECT_EQ(FSK_BOARD_MOVED, view.panels[FSK_VIEW_CORES].column);
	fsk_view_key(&view, '1');
	EXPECT_FALSE(view.cores);
	EXPECT_EQ(FSK_VIEW_LISTENERS, view.focus);
}

TEST(top__text_of_rates)
{
	static const struct {
		double rate;
		const char *text;
	} rates[] = {
		{ 0, "0" }, { 0.04, "0" }, { 0.5, "0.5" }, { 9.94, "9.9" },
		{ 9.96, "10" }, { 999999, "999999" }, { 999999.9, "1.0M" },
		{ 12345678, "12.3M" }, { 2e9, "2.0G" },
	};
	char text[FSK_RATE_TEXT];

	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++)
		EXPECT_STREQ(rates[i].text, fsk_rate_text(rates[i].rate, text));
}

TEST(top__counts_since)
{
	begin(2);
	cores[0][0].n[FSK_STAT_OVERFLOW] = 5;
	cores[1][0].n[FSK_STAT_OVERFLOW] = 12;
	cores[0][1].n[FSK_STAT_OVERFLOW] = 100;
	cores[1][1].n[FSK_STAT_OVERFLOW] = 3;
	fsk_rate_since(&samples[0].stats, &samples[1].stats);
	EXPECT_EQ(7, cores[0][0].n[FSK_STAT_OVERFLOW]);
	EXPECT_EQ(3, cores[0][1].n[FSK_STAT_OVERFLOW]);
	EXPECT_EQ(10, samples[0].stats.total[FSK_STAT_OVERFLOW]);
	EXPECT_EQ(0, samples[0].stats.total[FSK_STAT_RESCUE]);
}

TEST_HARNESS_MAIN
