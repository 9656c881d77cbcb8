// SPDX-License-Identifier: MIT
/*
 * fastsocket top: what happens now, on each core and at each listener. It
 * samples; top/ works out rates, lays them out and shows them.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/read.h"
#include "fastsocket.h"
#include "top/board.h"
#include "top/canvas.h"
#include "top/screen.h"
#include "top/view.h"

#define FSK_TOP_FIRST	0.5	/* seconds to the first rates on a terminal */
#define FSK_TOP_WIDTH	256	/* columns of a file: all there are */

/**
 * struct fsk_top - a running top
 * @nl: socket, or %NULL while the module is away
 * @old: the sample before
 * @new: the last sample
 * @board: made of both
 * @view: how it is shown
 * @canvas: what was drawn
 */
struct fsk_top {
	struct fsk_nl *nl;
	struct fsk_sample old;
	struct fsk_sample new;
	struct fsk_board board;
	struct fsk_view view;
	struct fsk_canvas canvas;
};

static double fsk_top_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void fsk_top_clock(char *text, size_t size)
{
	time_t now = time(NULL);
	struct tm local;

	if (!localtime_r(&now, &local) ||
	    !strftime(text, size, "%H:%M:%S", &local))
		*text = '\0';
}

/* Without the module there is nothing to show, and no rates when it is back. */
static void fsk_top_away(struct fsk_top *top)
{
	fsk_nl_close(top->nl);
	top->nl = NULL;
	fsk_read_sample_reset(&top->old);
	fsk_read_sample_reset(&top->new);
	fsk_board_reset(&top->board);
}

static int fsk_top_read(struct fsk_top *top, struct fsk_sample *sample)
{
	if (!top->nl)
		top->nl = fsk_nl_open();
	return top->nl ? fsk_read_sample(top->nl, sample) : FSK_EXIT_REFUSED;
}

/* Read again. What goes wrong becomes the message at the bottom. */
static int fsk_top_sample(struct fsk_top *top)
{
	struct fsk_sample sample = { 0 };
	bool stale = top->nl;
	int status;

	*top->view.message = '\0';
	fsk_error_keep(top->view.message, sizeof(top->view.message));
	status = fsk_top_read(top, &sample);
	/* The module was away and has another number now, or it is away. */
	if (status && stale) {
		fsk_read_sample_reset(&sample);
		fsk_nl_close(top->nl);
		top->nl = NULL;
		status = fsk_top_read(top, &sample);
	}
	fsk_error_keep(NULL, 0);
	if (!status)
		*top->view.message = '\0';
	fsk_top_clock(top->view.clock, sizeof(top->view.clock));
	if (status) {
		fsk_read_sample_reset(&sample);
		fsk_top_away(top);
		return status;
	}
	fsk_read_sample_reset(&top->old);
	top->old = top->new;
	top->new = sample;
	fsk_board_reset(&top->board);
	return fsk_board_fill(&top->board, &top->old, &top->new) ? 0 :
	       fsk_no_memory();
}

static void fsk_top_reset(struct fsk_top *top)
{
	fsk_top_away(top);
	fsk_canvas_reset(&top->canvas);
}

static bool fsk_top_draw(struct fsk_top *top)
{
	int width, height;

	fsk_screen_size(&width, &height);
	if (!fsk_canvas_begin(&top->canvas, width, height))
		return false;
	fsk_view_draw(&top->view, &top->board, &top->canvas);
	fsk_screen_draw(&top->canvas);
	return true;
}

static void fsk_top_ask_delay(struct fsk_top *top)
{
	char answer[16] = "";
	double delay;

	fsk_screen_ask("seconds between samples:", answer, sizeof(answer));
	if (fsk_seconds_read(answer, &delay))
		top->view.delay = delay;
}

/* Wait for the next sample, and do what keys want meanwhile. Returns false when
 * the user has had enough.
 */
static bool fsk_top_wait(struct fsk_top *top, double delay)
{
	double begin = fsk_top_now(), left;
	enum fsk_view_action action;

	while ((left = begin + delay - fsk_top_now()) > 0) {
		action = fsk_view_key(&top->view,
				      fsk_screen_key(left * 1000 + 1));
		switch (action) {
		case FSK_VIEW_QUIT:
			return false;
		case FSK_VIEW_SAMPLE:
			return true;
		case FSK_VIEW_DELAY:
			fsk_top_ask_delay(top);
			delay = top->view.delay;
			fsk_top_draw(top);
			break;
		case FSK_VIEW_DRAW:
			fsk_top_draw(top);
			break;
		case FSK_VIEW_NOTHING:
			break;
		}
	}
	return true;
}

static int fsk_top_screen(struct fsk_top *top, unsigned long times)
{
	double delay = top->view.delay;
	int status = fsk_screen_open();

	if (status)
		return status;
	if (delay > FSK_TOP_FIRST)
		delay = FSK_TOP_FIRST;
	while (fsk_top_draw(top) && fsk_top_wait(top, delay) && times--) {
		fsk_top_sample(top);
		delay = top->view.delay;
	}
	fsk_screen_close();
	return 0;
}

/* As many lines as there is something to tell. */
static int fsk_top_print(struct fsk_top *top)
{
	const struct fsk_canvas *canvas = &top->canvas;
	int height = 8 + top->board.cores.count;

	if (*top->view.message) {
		printf("%s  %s\n\n", top->view.clock, top->view.message);
		return 0;
	}
	height += top->view.queues ? top->board.queues.count :
				     top->board.listeners.count;
	if (!fsk_canvas_begin(&top->canvas, FSK_TOP_WIDTH, height))
		return fsk_no_memory();
	fsk_view_draw(&top->view, &top->board, &top->canvas);
	for (int y = 0; y < height - 1; y++)
		printf("%.*s\n", fsk_canvas_length(canvas, y),
		       canvas->text + (size_t)y * canvas->width);
	return 0;
}

static int fsk_top_batch(struct fsk_top *top, unsigned long times)
{
	int status = 0;

	top->view.narrow = false;
	while (times-- && !status) {
		fsk_rate_sleep(top->view.delay);
		fsk_top_sample(top);
		status = fsk_top_print(top);
		/* A closed pipe or a full disk: main() says so. */
		if (fflush(stdout))
			break;
	}
	return status;
}

/**
 * fsk_cmd_top() - fastsocket top [-b] [-w] [-i] [-d SECONDS] [-n TIMES]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_top(int argc, char **argv)
{
	int batch = 0, queues = 0, busy = 0, status;
	const struct option *options =
		FSK_OPTIONS(FSK_FLAG("batch", 'b', batch)
			    FSK_FLAG("queues", 'w', queues)
			    FSK_FLAG("busy", 'i', busy)
			    FSK_VALUE("delay", 'd')
			    FSK_VALUE("times", 'n'));
	unsigned long times = ULONG_MAX;
	struct fsk_top top = { 0 };

	fsk_view_init(&top.view);
	argc = fsk_words(argc, argv, 0, 0, options);
	if (argc < 0)
		return -1 - argc;
	if (fsk_json)
		return fsk_usage("top: 'show stats --rate' prints JSON");
	status = fsk_option_seconds('d', &top.view.delay);
	if (!status)
		status = fsk_option_count('n', &times);
	if (status)
		return status;
	top.view.queues = queues;
	top.view.busy = busy;
	status = fsk_top_sample(&top);
	if (status && *top.view.message)
		fsk_error("%s", top.view.message);
	else if (!status)
		status = batch ? fsk_top_batch(&top, times) :
				 fsk_top_screen(&top, times);
	fsk_top_reset(&top);
	return status;
}
