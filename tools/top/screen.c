// SPDX-License-Identifier: MIT
/* The terminal: puts a canvas on it and reads keys, by ncurses. */
#include "screen.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>

#include "../base/error.h"
#include "canvas.h"
#include "view.h"

#define FSK_SCREEN_RED	1	/* number of a pair of colours */

static SCREEN *fsk_screen;

/**
 * fsk_screen_open() - take the terminal over
 *
 * The terminal is given back by fsk_screen_close(); on SIGINT and SIGTERM
 * ncurses gives it back.
 *
 * Return: exit status.
 */
int fsk_screen_open(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fsk_error("top: this is no terminal; -b prints to a file");
		return FSK_EXIT_REFUSED;
	}
	fsk_screen = newterm(NULL, stdout, stdin);
	if (!fsk_screen) {
		fsk_error("top: nothing is known of this terminal (TERM); %s",
			  "-b prints without one");
		return FSK_EXIT_REFUSED;
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	curs_set(0);
	if (has_colors() && start_color() == OK) {
		use_default_colors();
		init_pair(FSK_SCREEN_RED, COLOR_RED, -1);
	}
	return 0;
}

/**
 * fsk_screen_close() - give the terminal back
 */
void fsk_screen_close(void)
{
	if (!fsk_screen)
		return;
	endwin();
	delscreen(fsk_screen);
	fsk_screen = NULL;
}

/**
 * fsk_screen_size() - how large the terminal is now
 * @width: columns
 * @height: lines
 */
void fsk_screen_size(int *width, int *height)
{
	getmaxyx(stdscr, *height, *width);
}

static attr_t fsk_screen_attr(int style)
{
	switch (style) {
	case FSK_CANVAS_BOLD:
		return A_BOLD;
	case FSK_CANVAS_DIM:
		return A_DIM;
	case FSK_CANVAS_HEAD:
		return A_REVERSE;
	case FSK_CANVAS_SORT:
		return A_REVERSE | A_BOLD | A_UNDERLINE;
	case FSK_CANVAS_BAD:
		return A_BOLD | COLOR_PAIR(FSK_SCREEN_RED);
	default:
		return A_NORMAL;
	}
}

/**
 * fsk_screen_draw() - put a canvas on the terminal
 * @canvas: of the terminal's size
 */
void fsk_screen_draw(const struct fsk_canvas *canvas)
{
	erase();
	for (int y = 0; y < canvas->height; y++)
		for (int x = 0; x < canvas->width; x++) {
			size_t at = (size_t)y * canvas->width + x;

			mvaddch(y, x, (unsigned char)canvas->text[at] |
				fsk_screen_attr(canvas->style[at]));
		}
	refresh();
}

static int fsk_screen_translate(int key)
{
	switch (key) {
	case ERR:
		return FSK_KEY_NONE;
	case KEY_UP:
		return FSK_KEY_UP;
	case KEY_DOWN:
		return FSK_KEY_DOWN;
	case KEY_PPAGE:
		return FSK_KEY_PAGE_UP;
	case KEY_NPAGE:
		return FSK_KEY_PAGE_DOWN;
	case KEY_HOME:
		return FSK_KEY_HOME;
	case KEY_END:
		return FSK_KEY_END;
	case KEY_RESIZE:
		return FSK_KEY_RESIZE;
	case KEY_ENTER:
		return '\n';
	default:
		return key < 256 ? key : FSK_KEY_NONE;
	}
}

/**
 * fsk_screen_key() - wait for a key
 * @timeout_ms: for so long at most
 *
 * Return: a character, one of enum fsk_view_keys, or FSK_KEY_NONE.
 */
int fsk_screen_key(int timeout_ms)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	int key;

	timeout(0);
	key = getch();
	if (key != ERR)
		return fsk_screen_translate(key);
	if (poll(&input, 1, timeout_ms) == 1 &&
	    (input.revents & (POLLHUP | POLLERR | POLLNVAL)))
		return FSK_KEY_GONE;
	return fsk_screen_translate(getch());
}

/**
 * fsk_screen_ask() - ask for a line of text, in the last line of the terminal
 * @question: what is asked
 * @answer: filled in, empty if none is given
 * @size: of @answer
 */
void fsk_screen_ask(const char *question, char *answer, size_t size)
{
	int width, height;

	fsk_screen_size(&width, &height);
	timeout(-1);
	move(height - 1, 0);
	clrtoeol();
	attron(A_BOLD);
	addstr(question);
	attroff(A_BOLD);
	addch(' ');
	echo();
	curs_set(1);
	if (getnstr(answer, size - 1) == ERR)
		*answer = '\0';
	curs_set(0);
	noecho();
}
