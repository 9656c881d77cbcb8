/* SPDX-License-Identifier: MIT */
#ifndef FSK_SHOW_H
#define FSK_SHOW_H

struct fsk_nl;

/**
 * struct fsk_show - what a command reads from the module and prints
 * @read: reads all of it; returns the exit status
 * @text: prints it as text, or %NULL when @read has printed
 * @json: prints it as JSON; likewise
 * @reset: frees what @read allocated, even if it failed, or %NULL
 */
struct fsk_show {
	int (*read)(struct fsk_nl *nl, void *data);
	void (*text)(void *data);
	void (*json)(void *data);
	void (*reset)(void *data);
};

int fsk_show(const struct fsk_show *show, void *data);

#endif
