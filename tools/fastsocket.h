/* SPDX-License-Identifier: MIT */
/* The subcommands, and what the command line has for them. */
#ifndef FSK_TOOL_H
#define FSK_TOOL_H

#include <getopt.h>
#include <stdbool.h>

/* Values of options that have no letter. */
enum {
	FSK_OPTION_LONG = 256,
	FSK_OPTION_NETNS,
	FSK_OPTION_RATE,
	FSK_OPTION_PROFILE,
	FSK_OPTIONS_END
};

/* Options for fsk_words(): those that all subcommands have, and before them
 * those of one subcommand, if any. With a flag: getopt() sets it by the long
 * name, fsk_words() by the letter.
 */
#define FSK_OPTIONS(...)						\
	((const struct option[]) {					\
		__VA_ARGS__						\
		{ "help", no_argument, NULL, 'h' },			\
		{ "json", no_argument, NULL, 'j' },			\
		{ "netns", required_argument, NULL, FSK_OPTION_NETNS },	\
		{ "version", no_argument, NULL, 'V' },			\
		{ NULL, 0, NULL, 0 },					\
	})

/* For FSK_OPTIONS(): "--name" sets @flag, an int; so does @letter, if it is
 * no %FSK_OPTION_LONG.
 */
#define FSK_FLAG(name, letter, flag) \
	{ name, no_argument, &(flag), letter },

/* For FSK_OPTIONS(): "--name VALUE", also by @letter; fsk_option_value() then
 * has the value.
 */
#define FSK_VALUE(name, letter) \
	{ name, required_argument, NULL, letter },

/**
 * struct fsk_help - an option, for the help
 * @name: the option, with its value
 * @text: what it does, in one line of at most 55 columns
 */
struct fsk_help {
	const char *name;
	const char *text;
};

/**
 * struct fsk_command - a subcommand
 * @words: its one or two words
 * @run: takes the rest of the line; argv[0] is the last of the words
 * @args: what comes after the words, for the help
 * @text: what it does, for the help; lines of at most 55 columns
 * @options: ends with one that has no name; or %NULL
 * @more: prints the end of its help, or %NULL
 */
struct fsk_command {
	const char *words[2];
	int (*run)(int argc, char **argv);
	const char *args;
	const char *text;
	const struct fsk_help *options;
	void (*more)(void);
};

/* Ends with an empty one. */
extern const struct fsk_command fsk_commands[];

const struct fsk_command *fsk_command_find(int argc, char **argv);
int fsk_command_unknown(int argc, char **argv);
void fsk_help(void);
void fsk_help_row(const char *name, const char *text);

int fsk_netns_of(const char *pid);
int fsk_option_unknown(const char *word, const struct option *options);
int fsk_words(int argc, char **argv, int min, int max,
	      const struct option *options);
int fsk_words_check(int argc, char **argv, int min, int max);
const char *fsk_option_value(int letter);
bool fsk_seconds_read(const char *word, double *seconds);
int fsk_option_seconds(int letter, double *seconds);
int fsk_option_count(int letter, unsigned long *count);

/* For FSK_OPTIONS(): do it in each network namespace. */
extern int fsk_all_netns;

#define FSK_ALL_NETNS	FSK_FLAG("all-netns", FSK_OPTION_LONG, fsk_all_netns)

int fsk_cmd_adopt(int argc, char **argv);
int fsk_cmd_release(int argc, char **argv);
int fsk_cmd_check(int argc, char **argv);
int fsk_cmd_config_apply(int argc, char **argv);
int fsk_cmd_config_check(int argc, char **argv);
int fsk_cmd_config_show(int argc, char **argv);
int fsk_cmd_metrics(int argc, char **argv);
int fsk_cmd_disable(int argc, char **argv);
int fsk_cmd_enable(int argc, char **argv);
int fsk_cmd_enabled(int argc, char **argv);
int fsk_cmd_report(int argc, char **argv);
int fsk_cmd_rfd_auto(int argc, char **argv);
int fsk_cmd_rfd_del(int argc, char **argv);
int fsk_cmd_rfd_set(int argc, char **argv);
int fsk_cmd_rfd_watch(int argc, char **argv);
int fsk_cmd_run(int argc, char **argv);
int fsk_cmd_set(int argc, char **argv);
void fsk_set_help(void);
int fsk_cmd_show_est(int argc, char **argv);
int fsk_cmd_show_flows(int argc, char **argv);
int fsk_cmd_show_listen(int argc, char **argv);
int fsk_cmd_show_latency(int argc, char **argv);
int fsk_cmd_show_process(int argc, char **argv);
int fsk_cmd_show_rfd(int argc, char **argv);
int fsk_cmd_show_stats(int argc, char **argv);
int fsk_cmd_show_vfs(int argc, char **argv);
int fsk_cmd_show_cgroup(int argc, char **argv);
int fsk_cmd_cgroup_add(int argc, char **argv);
int fsk_cmd_cgroup_remove(int argc, char **argv);
int fsk_cmd_status(int argc, char **argv);
int fsk_status_all_netns(void);
int fsk_cmd_tune(int argc, char **argv);
int fsk_cmd_top(int argc, char **argv);
int fsk_cmd_version(int argc, char **argv);

#endif
