// SPDX-License-Identifier: MIT
/* The subcommands, and the help on them. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/nearest.h"
#include "fastsocket.h"

#define FSK_HELP_COLUMN	22	/* where the text of a row begins */

/* Ends the rows; the names in them are aligned by hand. */
#define FSK_ROWS(...) \
	((const struct fsk_help[]) { __VA_ARGS__, { .name = NULL } })

const struct fsk_command fsk_commands[] = {
	{
		.words = { "run" },
		.run = fsk_cmd_run,
		.args = "[OPTION...] -- PROGRAM [ARGUMENT...]",
		.text = "start a program; its TCP listeners join, and its\n"
			"sockets are primed before they connect",
		.options = FSK_ROWS(
			{ "--pin",
			  "bind each worker to a CPU, for programs that can't" },
			{ "--ports LIST",
			  "let only listeners on these ports join: "
			  "80,8000-8999" },
			{ "--no-connect",
			  "prime no socket before it connects" },
			{ "--connect-ports LIST",
			  "prime only sockets that connect to these ports" },
			{ "--accept",
			  "accept with socket files that are used again" },
			{ "--cgroup",
			  "without the library: for static and Go programs" },
			{ "--require",
			  "fail where it would run as without Fastsocket" },
			{ "--verbose",
			  "let the library explain what it does" }),
	},
	{
		.words = { "adopt" },
		.run = fsk_cmd_adopt,
		.args = "PID|UNIT [PORT...]",
		.text = "let listeners of a running program or service join",
	},
	{
		.words = { "release" },
		.run = fsk_cmd_release,
		.args = "PID|UNIT [PORT...]",
		.text = "leave their new connections to the kernel, as before",
	},
	{
		.words = { "check" },
		.run = fsk_cmd_check,
		.args = "[UNIT|PID]",
		.text = "is each listener fast, and if not, why?",
		.options = FSK_ROWS(
			{ "--all-netns", "in each network namespace" }),
	},
	{
		.words = { "show", "listen" },
		.run = fsk_cmd_show_listen,
		.args = "",
		.text = "the listeners that joined, and their cores",
		.options = FSK_ROWS(
			{ "--all-netns", "in each network namespace" }),
	},
	{
		.words = { "show", "stats" },
		.run = fsk_cmd_show_stats,
		.args = "[--rate SECONDS [-n TIMES]]",
		.text = "counters of each core",
		.options = FSK_ROWS(
			{ "--rate SECONDS",
			  "what is counted per second, again and again" },
			{ "-n, --times TIMES", "so many times, then end" }),
	},
	{
		.words = { "show", "latency" },
		.run = fsk_cmd_show_latency,
		.args = "",
		.text = "how long connections waited to be accepted",
	},
	{
		.words = { "show", "process" },
		.run = fsk_cmd_show_process,
		.args = "PID",
		.text = "settings, listeners, connections, memory of a process",
	},
	{
		.words = { "show", "rfd" },
		.run = fsk_cmd_show_rfd,
		.args = "[--all]",
		.text = "how replies reach their core; source ports in use",
		.options = FSK_ROWS(
			{ "--all", "all destinations, and not 16 at most" }),
	},
	{
		.words = { "show", "vfs" },
		.run = fsk_cmd_show_vfs,
		.args = "",
		.text = "socket files that are kept and used again",
	},
	{
		.words = { "show", "flows" },
		.run = fsk_cmd_show_flows,
		.args = "",
		.text = "connections, and the core of each local port",
	},
	{
		.words = { "show", "established" },
		.run = fsk_cmd_show_est,
		.args = "[--list]",
		.text = "each core's table of connections",
		.options = FSK_ROWS(
			{ "--list", "the connections in it" }),
	},
	{
		.words = { "show", "cgroup" },
		.run = fsk_cmd_show_cgroup,
		.args = "",
		.text = "control groups whose listeners join by themselves",
	},
	{
		.words = { "status" },
		.run = fsk_cmd_status,
		.args = "",
		.text = "the module and its features",
		.options = FSK_ROWS(
			{ "--all-netns", "who holds the module, and where" }),
	},
	{
		.words = { "version" },
		.run = fsk_cmd_version,
		.args = "",
		.text = "versions of tool, library and module",
	},
	{
		.words = { "top" },
		.run = fsk_cmd_top,
		.args = "[-b] [-d SECONDS] [-n TIMES] [-w] [-i]",
		.text = "what happens now on each core and at each listener",
		.options = FSK_ROWS(
			{ "-b, --batch", "print to a file, not to a terminal" },
			{ "-d, --delay SECONDS", "between samples; 1 at first" },
			{ "-n, --times TIMES", "so many samples, then end" },
			{ "-w, --queues", "a line for each queue of listeners" },
			{ "-i, --busy", "no lines where nothing happens" }),
	},
	{
		.words = { "metrics" },
		.run = fsk_cmd_metrics,
		.args = "[--text] [-o FILE | --http]",
		.text = "metrics for Prometheus, as OpenMetrics",
		.options = FSK_ROWS(
			{ "--text", "in the older text format" },
			{ "-o, --output FILE",
			  "so into a file, for node_exporter" },
			{ "--http", "answer an HTTP request on standard input" }),
	},
	{
		.words = { "set" },
		.run = fsk_cmd_set,
		.args = "NAME=VALUE...",
		.text = "change settings, all of these or none",
		.more = fsk_set_help,
	},
	{
		.words = { "enable" },
		.run = fsk_cmd_enable,
		.args = "UNIT... [--profile NAME | --cgroup] [--now] [--user]",
		.text = "let services load the library at their next start",
		.options = FSK_ROWS(
			{ "--profile NAME",
			  "with the options of this profile, see fastsocket.conf(5)" },
			{ "--cgroup",
			  "without the library: listeners join by themselves" },
			{ "--now", "restart those that run" },
			{ "--user", "services of the caller's own manager" }),
	},
	{
		.words = { "disable" },
		.run = fsk_cmd_disable,
		.args = "UNIT... [--now] [--user]",
		.text = "let them do without it at their next start",
		.options = FSK_ROWS(
			{ "--now", "restart those that run" },
			{ "--user", "services of the caller's own manager" }),
	},
	{
		.words = { "enabled" },
		.run = fsk_cmd_enabled,
		.args = "[--user]",
		.text = "the services that were enabled, and what they load",
		.options = FSK_ROWS(
			{ "--user", "services of the caller's own manager" }),
	},
	{
		.words = { "cgroup", "add" },
		.run = fsk_cmd_cgroup_add,
		.args = "PATH|PID|UNIT|self...",
		.text = "let all listeners of a control group join, without the\n"
			"library",
	},
	{
		.words = { "cgroup", "remove" },
		.run = fsk_cmd_cgroup_remove,
		.args = "PATH|PID|UNIT|self...",
		.text = "let no more of them join",
	},
	{
		.words = { "config", "check" },
		.run = fsk_cmd_config_check,
		.args = "[FILE...]",
		.text = "read the configuration, and say what is wrong in it",
	},
	{
		.words = { "config", "show" },
		.run = fsk_cmd_config_show,
		.args = "[FILE...]",
		.text = "what the configuration says, and where it says so",
	},
	{
		.words = { "config", "apply" },
		.run = fsk_cmd_config_apply,
		.args = "[FILE...]",
		.text = "let the module have the configuration's settings",
	},
	{
		.words = { "report" },
		.run = fsk_cmd_report,
		.args = "",
		.text = "what a bug report needs, without addresses",
	},
	{
		.words = { "rfd", "auto" },
		.run = fsk_cmd_rfd_auto,
		.args = "[-n] IFACE|--all",
		.text = "choose the best mode of an interface, and say why",
		.options = FSK_ROWS(
			{ "--all",
			  "each interface that belongs to a device" },
			{ "-n, --dry-run", "only show it" }),
	},
	{
		.words = { "rfd", "set" },
		.run = fsk_cmd_rfd_set,
		.args = "[-n] IFACE MODE",
		.text = "set the mode: off, mask, rss, steer or ntuple",
		.options = FSK_ROWS(
			{ "-n, --dry-run", "only show it" }),
	},
	{
		.words = { "rfd", "del" },
		.run = fsk_cmd_rfd_del,
		.args = "IFACE",
		.text = "give the interface the default mode again",
	},
	{
		.words = { "rfd", "watch" },
		.run = fsk_cmd_rfd_watch,
		.args = "[IFACE...]",
		.text = "as auto, again whenever an interface changes",
	},
	{
		.words = { "tune" },
		.run = fsk_cmd_tune,
		.args = "[-n] [--undo] IFACE|--all",
		.text = "set up a network card so that each core handles its\n"
			"share of packets, or put back what was there before",
		.options = FSK_ROWS(
			{ "--undo", "put back what was there before" },
			{ "--all",
			  "each interface that belongs to a device" },
			{ "-n, --dry-run", "only show it" }),
	},
	{ .run = NULL }
};

/* The subcommand, once it is known. */
static const struct fsk_command *fsk_command;

/**
 * fsk_command_find() - find the subcommand that the line begins with
 * @argc: of the line
 * @argv: of the line
 *
 * Errors of usage and the help are from now on those of this subcommand.
 *
 * Return: the subcommand, or %NULL.
 */
const struct fsk_command *fsk_command_find(int argc, char **argv)
{
	const struct fsk_command *command;

	for (command = fsk_commands; command->run; command++) {
		const char *const *words = command->words;

		if (strcmp(argv[0], words[0]) ||
		    (words[1] && (argc < 2 || strcmp(argv[1], words[1]))))
			continue;
		fsk_command = command;
		fsk_usage_command(words[0], words[1]);
		return command;
	}
	return NULL;
}

/* Put a text's lines from a column on; the first one begins where we are. */
static void fsk_help_lines(const char *text)
{
	size_t len;

	for (; *text; text += len) {
		len = strcspn(text, "\n");
		printf("%.*s\n", (int)len, text);
		if (text[len] && text[++len])
			printf("%*s", FSK_HELP_COLUMN, "");
	}
}

/**
 * fsk_help_row() - print a name, and beside it what it means
 * @name: the name
 * @text: lines
 */
void fsk_help_row(const char *name, const char *text)
{
	/* Behind a name that is too long the text begins on the next line. */
	if (printf("  %-*s ", FSK_HELP_COLUMN - 3, name) > FSK_HELP_COLUMN)
		printf("\n%*s", FSK_HELP_COLUMN, "");
	fsk_help_lines(text);
}

static void fsk_help_name(const struct fsk_command *command, char *name,
			  size_t size)
{
	snprintf(name, size, "%s%s%s%s%s", command->words[0],
		 command->words[1] ? " " : "",
		 command->words[1] ? command->words[1] : "",
		 *command->args ? " " : "", command->args);
}

static void fsk_help_general(void)
{
	puts("\nOptions of all commands, before COMMAND:");
	fsk_help_row("-j, --json", "print JSON");
	fsk_help_row("    --netns WHERE",
		     "in this network namespace: a name, a path or a PID");
	fsk_help_row("-h, --help", "this text, or that of a command");
	fsk_help_row("-V, --version", "version of this tool");
}

/* A row for each subcommand; with @first for those that begin with it. */
static void fsk_help_rows(const char *first)
{
	const struct fsk_command *command;
	char name[128];

	for (command = fsk_commands; command->run; command++) {
		if (first && strcmp(first, command->words[0]))
			continue;
		fsk_help_name(command, name, sizeof(name));
		fsk_help_row(name, command->text);
	}
}

static void fsk_help_group(const char *first)
{
	printf("Usage: fastsocket %s COMMAND\n\n", first);
	fsk_help_rows(first);
	fsk_help_general();
}

/**
 * fsk_command_unknown() - complain that the line begins with no subcommand
 * @argc: of the line
 * @argv: of the line
 *
 * Behind the first word of several subcommands, --help lists them.
 *
 * Return: exit status.
 */
int fsk_command_unknown(int argc, char **argv)
{
	struct fsk_nearest first = { .word = argv[0] };
	struct fsk_nearest second = { .word = argc > 1 ? argv[1] : "" };
	const struct fsk_command *command;
	bool known = false;

	for (command = fsk_commands; command->run; command++) {
		fsk_nearest_try(&first, command->words[0]);
		if (strcmp(argv[0], command->words[0]))
			continue;
		known = true;
		fsk_nearest_try(&second, command->words[1]);
	}
	if (known)
		fsk_usage_command(argv[0], NULL);
	if (known && argc > 1 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fsk_help_group(argv[0]);
		return 0;
	}
	if (known && argc > 1)
		return fsk_usage("%s: there is no '%s'%s", argv[0], argv[1],
				 fsk_nearest_hint(&second));
	if (known)
		return fsk_usage("%s: something is missing", argv[0]);
	return fsk_usage("there is no command '%s'%s", argv[0],
			 fsk_nearest_hint(&first));
}

static void fsk_help_all(void)
{
	puts("Usage: fastsocket [OPTION...] COMMAND\n");
	fsk_help_rows(NULL);
	fsk_help_general();
	puts("\n"
	     "'fastsocket COMMAND --help' lists its options.\n"
	     "Exit status: 0 done, 1 wrong usage, 2 refused by the kernel,\n"
	     "3 not fast (check).");
}

/**
 * fsk_help() - print the help, on the subcommand once it is known
 */
void fsk_help(void)
{
	const struct fsk_help *row;
	char name[128];

	if (!fsk_command) {
		fsk_help_all();
		return;
	}
	fsk_help_name(fsk_command, name, sizeof(name));
	printf("Usage: fastsocket %s\n\n%s\n", name, fsk_command->text);
	if (fsk_command->options)
		puts("");
	for (row = fsk_command->options; row && row->name; row++)
		fsk_help_row(row->name, row->text);
	if (fsk_command->more)
		fsk_command->more();
	fsk_help_general();
}
