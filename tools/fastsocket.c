// SPDX-License-Identifier: MIT
/* The command line: options, and which subcommand is meant. */
#include "fastsocket.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool fsk_json;
bool fsk_netns;

static const char fsk_help[] =
"Usage: fastsocket [OPTION...] COMMAND\n"
"\n"
"  run [--pin] [--ports LIST] [--no-connect] [--connect-ports LIST]\n"
"      [--accept] [--verbose] -- PROGRAM [ARGUMENT...]\n"
"                      start a program whose TCP listeners join, and the\n"
"                      connections that it opens\n"
"  adopt PID [PORT...] let listeners of a running program join\n"
"  show listen         the listeners that joined, and their cores\n"
"  show stats          counters of each core\n"
"  show rfd [--all]    how replies reach their core; source ports in use\n"
"  show vfs            socket files that are kept and used again\n"
"  show flows          connections, and the core each port stands for\n"
"  show established [--list]\n"
"                      each core's table of connections; with --list what is in\n"
"                      it\n"
"  status              the module and its features\n"
"  set rescue-ms=N     after how many milliseconds others may take what waits\n"
"                      for a late worker; 0 is never\n"
"  set rfd=MODE        off, mask or steer, for interfaces without own mode\n"
"  set rfd-count=0|1   count packets by the core they come in on\n"
"  set established=on|off\n"
"                      give packets of long connections to TCP directly\n"
"  set established-after=N\n"
"                      once the connection has received N segments\n"
"  set locals-max=N    how many local listeners one user may have\n"
"  set vfs=on|off      accept by the module, where a program asks for it\n"
"  rfd auto [-n] IFACE|--all\n"
"                      choose the best mode of an interface, and say why\n"
"  rfd set [-n] IFACE MODE\n"
"                      off, mask, rss, steer or ntuple; -n only shows it\n"
"  rfd del IFACE       back to the default mode\n"
"  rfd watch [IFACE...] as auto, again whenever an interface changes\n"
"\n"
"  -j, --json          print JSON\n"
"      --netns WHERE   in this network namespace: a name, a path or a PID\n"
"  -h, --help          this text\n"
"  -V, --version       version of this tool\n"
"\n"
"Exit status: 0 done, 1 wrong usage, 2 refused by the kernel.\n";

/**
 * struct fsk_command - a subcommand
 * @words: its one or two words
 * @run: takes what follows, in argv[0] the last of the words
 */
struct fsk_command {
	const char *words[2];
	int (*run)(int argc, char **argv);
};

static const struct fsk_command fsk_commands[] = {
	{ { "adopt" }, fsk_cmd_adopt },
	{ { "rfd", "auto" }, fsk_cmd_rfd_auto },
	{ { "rfd", "del" }, fsk_cmd_rfd_del },
	{ { "rfd", "set" }, fsk_cmd_rfd_set },
	{ { "rfd", "watch" }, fsk_cmd_rfd_watch },
	{ { "run" }, fsk_cmd_run },
	{ { "set" }, fsk_cmd_set },
	{ { "show", "established" }, fsk_cmd_show_est },
	{ { "show", "flows" }, fsk_cmd_show_flows },
	{ { "show", "listen" }, fsk_cmd_show_listen },
	{ { "show", "rfd" }, fsk_cmd_show_rfd },
	{ { "show", "stats" }, fsk_cmd_show_stats },
	{ { "show", "vfs" }, fsk_cmd_show_vfs },
	{ { "status" }, fsk_cmd_status },
};

static void fsk_complain(const char *format, va_list args, const char *end)
{
	fflush(stdout);
	fputs("fastsocket: ", stderr);
	vfprintf(stderr, format, args);
	fputs(end, stderr);
}

/**
 * fsk_error() - say on standard error what is wrong, in a line
 * @format: as for printf(), without the end of the line
 */
void fsk_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fsk_complain(format, args, "\n");
	va_end(args);
}

/**
 * fsk_usage() - the same, for what the caller should have written otherwise
 * @format: as for printf()
 *
 * Return: the exit status for it.
 */
int fsk_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fsk_complain(format, args, " (fastsocket --help shows how)\n");
	va_end(args);
	return FSK_EXIT_USAGE;
}

/* A name as `ip netns` gives it, a path, or a process. */
static int fsk_enter_netns(const char *where)
{
	bool pid = *where && !where[strspn(where, "0123456789")];
	char path[256];
	int err, fd;

	snprintf(path, sizeof(path), strchr(where, '/') ? "%s" :
		 pid ? "/proc/%s/ns/net" : "/run/netns/%s", where);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err = errno;
		fsk_error("no network namespace '%s': %s", where,
			  strerror(err));
		return err == ENOENT ? FSK_EXIT_USAGE : FSK_EXIT_REFUSED;
	}
	err = setns(fd, CLONE_NEWNET);
	if (err)
		fsk_error("cannot enter network namespace '%s': %s", where,
			  strerror(errno));
	close(fd);
	fsk_netns = true;
	return err ? FSK_EXIT_REFUSED : 0;
}

static int fsk_bad_option(char **argv, int letter)
{
	if (letter == ':')
		return fsk_usage("option '%s' needs a value",
				 argv[optind - 1]);
	if (optopt)
		return fsk_usage("there is no option '-%c'", optopt);
	return fsk_usage("there is no option '%s'", argv[optind - 1]);
}

/* Options that stand anywhere but after `run`. Returns -1 to go on. */
static int fsk_options(int argc, char **argv, const char *letters)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "netns", required_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int letter, err;

	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, letters, options, NULL)) >= 0)
		switch (letter) {
		case 'h':
			fputs(fsk_help, stdout);
			return FSK_EXIT_DONE;
		case 'V':
			puts("fastsocket " FSK_VERSION);
			return FSK_EXIT_DONE;
		case 'j':
			fsk_json = true;
			break;
		case 'n':
			err = fsk_enter_netns(optarg);
			if (err)
				return err;
			break;
		default:
			return fsk_bad_option(argv, letter);
		}
	return -1;
}

/**
 * fsk_flag() - look for an option that one subcommand has
 * @argc: as main(), is reduced
 * @argv: as main(), the option is taken out
 * @name: "--name"
 * @letter: "-n", or %NULL
 *
 * Return: whether it is there.
 */
bool fsk_flag(int *argc, char **argv, const char *name, const char *letter)
{
	bool found = false;
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		if (!strcmp(argv[i], name) ||
		    (letter && !strcmp(argv[i], letter)))
			found = true;
		else
			argv[kept++] = argv[i];
	}
	*argc = kept;
	argv[kept] = NULL;
	return found;
}

/**
 * fsk_words() - read what follows a subcommand: options and words
 * @argc: from the subcommand on
 * @argv: the words are moved to argv[1] and on
 * @min: of words, at least
 * @max: of words, at most
 *
 * Return: their number, or -1 - STATUS when the program is to end with STATUS.
 */
int fsk_words(int argc, char **argv, int min, int max)
{
	int i, status = fsk_options(argc, argv, ":hjV");

	if (status >= 0)
		return -1 - status;
	argc -= optind;
	if (argc < min)
		return -1 - fsk_usage("%s: something is missing", argv[0]);
	if (argc > max)
		return -1 - fsk_usage("%s: what is '%s'?", argv[0],
				      argv[optind + max]);
	for (i = 0; i < argc; i++)
		argv[i + 1] = argv[optind + i];
	return argc;
}

static bool fsk_matches(const struct fsk_command *command, int argc,
			char **argv)
{
	return !strcmp(argv[0], command->words[0]) &&
	       (!command->words[1] ||
		(argc > 1 && !strcmp(argv[1], command->words[1])));
}

static int fsk_run_command(int argc, char **argv)
{
	const size_t count = sizeof(fsk_commands) / sizeof(*fsk_commands);
	const struct fsk_command *command;
	bool second = false;

	for (size_t i = 0; i < count; i++) {
		command = &fsk_commands[i];
		if (fsk_matches(command, argc, argv)) {
			int skip = command->words[1] ? 1 : 0;

			return command->run(argc - skip, argv + skip);
		}
		second = second || (command->words[1] &&
				    !strcmp(argv[0], command->words[0]));
	}
	if (second && argc > 1)
		return fsk_usage("%s: what is '%s'?", argv[0], argv[1]);
	if (second)
		return fsk_usage("%s: something is missing", argv[0]);
	return fsk_usage("what is '%s'?", argv[0]);
}

int main(int argc, char **argv)
{
	int status = fsk_options(argc, argv, "+:hjV");

	if (status < 0)
		status = optind < argc ?
			 fsk_run_command(argc - optind, argv + optind) :
			 fsk_usage("no command");
	/* A full disk or a closed pipe must not look like success. */
	if (fflush(stdout) || ferror(stdout)) {
		fsk_error("cannot write: %s", strerror(errno));
		status = status ? status : FSK_EXIT_REFUSED;
	}
	return status;
}
