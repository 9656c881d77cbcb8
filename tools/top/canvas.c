// SPDX-License-Identifier: MIT
/* Characters of a screen, so that what is drawn can be tested and printed. */
#include "canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FSK_CANVAS_LINE	512	/* bytes that one call may write */

/**
 * fsk_canvas_begin() - begin with an empty canvas
 * @canvas: zeroes, or one that was drawn on
 * @width: columns
 * @height: lines
 *
 * Return: false without memory, then it has neither lines nor columns.
 */
bool fsk_canvas_begin(struct fsk_canvas *canvas, int width, int height)
{
	size_t size = (size_t)width * height;

	fsk_canvas_reset(canvas);
	canvas->text = malloc(size + 1);
	canvas->style = calloc(1, size + 1);
	if (!canvas->text || !canvas->style) {
		fsk_canvas_reset(canvas);
		return false;
	}
	canvas->width = width;
	canvas->height = height;
	memset(canvas->text, ' ', size);
	return true;
}

/**
 * fsk_canvas_reset() - free a canvas
 * @canvas: the canvas
 */
void fsk_canvas_reset(struct fsk_canvas *canvas)
{
	free(canvas->text);
	free(canvas->style);
	memset(canvas, 0, sizeof(*canvas));
}

/**
 * fsk_canvas_put() - write text; what is outside of the canvas is lost
 * @canvas: the canvas
 * @y: line
 * @x: column
 * @style: how it looks
 * @format: as for printf()
 *
 * Return: the column behind the text.
 */
int fsk_canvas_put(struct fsk_canvas *canvas, int y, int x,
		   enum fsk_canvas_style style, const char *format, ...)
{
	char text[FSK_CANVAS_LINE] = "";
	va_list args;
	size_t at;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (const char *c = text; *c; c++, x++) {
		if (y < 0 || y >= canvas->height || x < 0 ||
		    x >= canvas->width)
			continue;
		at = (size_t)y * canvas->width + x;
		/* A device's name may have any bytes. */
		canvas->text[at] = *c >= ' ' && *c <= '~' ? *c : '?';
		canvas->style[at] = style;
	}
	return x;
}

/**
 * fsk_canvas_fill() - change how a part of a line looks
 * @canvas: the canvas
 * @y: line
 * @x: column
 * @width: columns, as far as there are any
 * @style: how it looks
 */
void fsk_canvas_fill(struct fsk_canvas *canvas, int y, int x, int width,
		     enum fsk_canvas_style style)
{
	if (y < 0 || y >= canvas->height || x < 0)
		return;
	for (; width > 0 && x < canvas->width; width--, x++)
		canvas->style[(size_t)y * canvas->width + x] = style;
}

/**
 * fsk_canvas_length() - how long a line is without blanks at its end
 * @canvas: the canvas
 * @y: line
 *
 * Return: columns.
 */
int fsk_canvas_length(const struct fsk_canvas *canvas, int y)
{
	const char *line = canvas->text + (size_t)y * canvas->width;
	int length = canvas->width;

	while (length && line[length - 1] == ' ')
		length--;
	return length;
}
