/* SPDX-License-Identifier: MIT */
#ifndef FSK_SCREEN_H
#define FSK_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct fsk_canvas;

int fsk_screen_open(void);
void fsk_screen_close(void);
void fsk_screen_size(int *width, int *height);
void fsk_screen_draw(const struct fsk_canvas *canvas);
int fsk_screen_key(int timeout_ms);
void fsk_screen_ask(const char *question, char *answer, size_t size);

#endif
