/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_SELECTED_H
#define FSK_SELECTED_H

#include <linux/types.h>

#define FSK_SELECTED_MAX	1024	/* each listen() searches a list */

/**
 * struct fsk_selected_figures - what one selected control group has come to
 * @joined: listeners that have joined because of it
 * @refused: those that could not
 */
struct fsk_selected_figures {
	u64 joined;
	u64 refused;
};

const char *fsk_selected_lacks(void);
int fsk_selected_add(const char *path);
int fsk_selected_del(const char *path);
const char *fsk_selected_walk_begin(unsigned int index,
				    struct fsk_selected_figures *figures);
void fsk_selected_walk_end(void);
void fsk_selected_init(void);
void fsk_selected_exit(void);

#endif
