// SPDX-License-Identifier: MIT
/* Reads the command line: options, and the subcommand. */
#include "fastsocket.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/nic.h"
#include "base/out.h"
#include "base/version.h"

static const char fsk_help[] =
"Usage: fastsocket [OPTION...] COMMAND\n"
"\n"
"  run [--pin] [--ports LIST] [--no-connect] [--connect-ports LIST]\n"
"      [--accept] [--verbose] -- PROGRAM [ARGUMENT...]\n"
"                      start a program; its TCP listeners join, and its\n"
"                      sockets before they connect\n"
"  adopt PID [PORT...] let listeners of a running program join\n"
"  show listen         the listeners that joined, and their cores\n"
"  show stats          counters of each core\n"
"  show rfd [--all]    how replies reach their core; source ports in use\n"
"  show vfs            socket files that are kept and used again\n"
"  show flows          connections, and the core of each local port\n"
"  show established [--list]\n"
"                      each core's table of connections; with --list the\n"
"                      connections in it\n"
"  status              the module and its features\n"
"  set rescue-ms=N     after how many milliseconds other workers may take a\n"
"                      late worker's connections; 0 is never\n"
"  set rfd=MODE        off, mask or steer, for interfaces without own mode\n"
"  set rfd-count=0|1   count packets by the core on which they come in\n"
"  set established=on|off\n"
"                      give packets of long connections to TCP directly\n"
"  set established-after=N\n"
"                      once the connection has received N segments\n"
"  set locals-max=N    how many local listeners one user may have\n"
"  set vfs=on|off      let the module accept for programs that ask it to\n"
"  rfd auto [-n] IFACE|--all\n"
"                      choose the best mode of an interface, and say why\n"
"  rfd set [-n] IFACE MODE\n"
"                      off, mask, rss, steer or ntuple; -n only shows it\n"
"  rfd del IFACE       give the interface the default mode again\n"
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
 * @run: takes the rest of the line; argv[0] is the last of the words
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

/* @where is a name as `ip netns` gives it, a path, or a process. */
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
	fsk_nic_netns = true;
	return err ? FSK_EXIT_REFUSED : 0;
}

/* Complain about the last option, by getopt()'s answer ':' or '?'. At a letter
 * that nobody knows, optind may still be at its word.
 */
static int fsk_option_bad(char **argv, int answer, const char *letters)
{
	if (answer == ':')
		return fsk_usage("option '%s' needs a value",
				 argv[optind - 1]);
	if (optopt > ' ' && optopt < FSK_OPTION_LONG &&
	    !strchr(letters, optopt))
		return fsk_usage("there is no option '-%c'", optopt);
	return fsk_usage("there is no option '%s'", argv[optind - 1]);
}

/* Set the flag of an option that was given by its letter. */
static bool fsk_option_flag(int letter, const struct option *options)
{
	for (; options->name; options++)
		if (options->flag && options->val == letter) {
			*options->flag = letter;
			return true;
		}
	return false;
}

/* Reads options, which may stand anywhere but after `run`. @letters begins as
 * getopt() wants it; this adds the letters of @options. Returns -1 to go on.
 */
static int fsk_options(int argc, char **argv, char *letters,
		       const struct option *options)
{
	char *end = letters + strlen(letters);
	int answer, status;

	for (int i = 0; options[i].name; i++)
		if (options[i].val < FSK_OPTION_LONG)
			*end++ = options[i].val;
	*end = '\0';
	optind = 0;
	opterr = 0;
	while ((answer = getopt_long(argc, argv, letters, options, NULL)) >= 0)
		switch (answer) {
		case 'h':
			fputs(fsk_help, stdout);
			return FSK_EXIT_DONE;
		case 'V':
			printf("fastsocket %s\n", fsk_version_tool);
			return FSK_EXIT_DONE;
		case 'j':
			fsk_json = true;
			break;
		case FSK_OPTION_NETNS:
			status = fsk_enter_netns(optarg);
			if (status)
				return status;
			break;
		default:
			if (answer && !fsk_option_flag(answer, options))
				return fsk_option_bad(argv, answer, letters);
		}
	return -1;
}

/**
 * fsk_words_check() - are these as many words as a subcommand takes?
 * @argc: words, from argv[1] on
 * @argv: in argv[0] the last word of the subcommand
 * @min: of words, at least
 * @max: of words, at most
 *
 * Return: @argc, or -1 - STATUS when the program is to end with STATUS.
 */
int fsk_words_check(int argc, char **argv, int min, int max)
{
	if (argc < min)
		return -1 - fsk_usage("%s: something is missing", argv[0]);
	if (argc > max)
		return -1 - fsk_usage("%s: what is '%s'?", argv[0],
				      argv[1 + max]);
	return argc;
}

/**
 * fsk_words() - read what follows a subcommand: options and words
 * @argc: from the subcommand on
 * @argv: the words are moved to argv[1] and on
 * @min: of words, at least
 * @max: of words, at most
 * @options: from %FSK_OPTIONS()
 *
 * Return: as fsk_words_check().
 */
int fsk_words(int argc, char **argv, int min, int max,
	      const struct option *options)
{
	char letters[16] = ":";
	int status = fsk_options(argc, argv, letters, options);

	if (status >= 0)
		return -1 - status;
	argc -= optind;
	for (int i = 0; i < argc; i++)
		argv[i + 1] = argv[optind + i];
	return fsk_words_check(argc, argv, min, max);
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
	char letters[16] = "+:";
	int status = fsk_options(argc, argv, letters, FSK_OPTIONS());

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
