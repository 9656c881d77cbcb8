/* SPDX-License-Identifier: MIT */
#ifndef FSK_CANVAS_H
#define FSK_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

/* How a character looks. */
enum fsk_canvas_style {
	FSK_CANVAS_PLAIN,
	FSK_CANVAS_BOLD,
	FSK_CANVAS_DIM,
	FSK_CANVAS_HEAD,	/* the head of a table */
	FSK_CANVAS_SORT,	/* the head of the column that sorts it */
	FSK_CANVAS_BAD,		/* wants to be looked at */
};

/**
 * struct fsk_canvas - a screen's characters, before they go anywhere
 * @width: columns
 * @height: lines
 * @text: @height lines of @width characters, printable ASCII
 * @style: the same of enum fsk_canvas_style
 */
struct fsk_canvas {
	int width;
	int height;
	char *text;
	unsigned char *style;
};

bool fsk_canvas_begin(struct fsk_canvas *canvas, int width, int height);
void fsk_canvas_reset(struct fsk_canvas *canvas);
int fsk_canvas_put(struct fsk_canvas *canvas, int y, int x,
		   enum fsk_canvas_style style, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void fsk_canvas_fill(struct fsk_canvas *canvas, int y, int x, int width,
		     enum fsk_canvas_style style);
int fsk_canvas_length(const struct fsk_canvas *canvas, int y);

#endif
