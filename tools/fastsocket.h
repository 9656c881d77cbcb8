/* SPDX-License-Identifier: MIT */
/* What the files of the tool share. */
#ifndef FSK_TOOL_H
#define FSK_TOOL_H

#include <stdbool.h>

/* Exit statuses; `run` ends with its command's, or as env(1) does. */
enum {
	FSK_EXIT_DONE,
	FSK_EXIT_USAGE,
	FSK_EXIT_REFUSED,
	FSK_EXIT_NO_EXEC = 126,
	FSK_EXIT_NO_COMMAND = 127,
};

/* -j was given. Constant once the command line is read. */
extern bool fsk_json;

/* --netns was given: this is not the caller's namespace. Likewise. */
extern bool fsk_netns;

void fsk_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
int fsk_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool fsk_flag(int *argc, char **argv, const char *name, const char *letter);
int fsk_words(int argc, char **argv, int min, int max);

int fsk_cmd_adopt(int argc, char **argv);
int fsk_cmd_rfd_auto(int argc, char **argv);
int fsk_cmd_rfd_del(int argc, char **argv);
int fsk_cmd_rfd_set(int argc, char **argv);
int fsk_cmd_rfd_watch(int argc, char **argv);
int fsk_cmd_run(int argc, char **argv);
int fsk_cmd_set(int argc, char **argv);
int fsk_cmd_show_est(int argc, char **argv);
int fsk_cmd_show_flows(int argc, char **argv);
int fsk_cmd_show_listen(int argc, char **argv);
int fsk_cmd_show_rfd(int argc, char **argv);
int fsk_cmd_show_stats(int argc, char **argv);
int fsk_cmd_show_vfs(int argc, char **argv);
int fsk_cmd_status(int argc, char **argv);

#endif
