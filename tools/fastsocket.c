// SPDX-License-Identifier: MIT
/* Reads the command line: options, and the subcommand. */
#include "fastsocket.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/nic.h"
#include "base/out.h"
#include "base/version.h"

int fsk_all_netns;

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

/**
 * fsk_netns_of() - use the network namespace of a process
 * @pid: its number; without such a process nothing is done
 *
 * The option --netns comes first, if it was given. A caller who shares the
 * namespace needs no rights for this.
 *
 * Return: exit status.
 */
int fsk_netns_of(const char *pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	if (fsk_nic_netns || stat(path, &other) ||
	    (!stat("/proc/self/ns/net", &own) && own.st_ino == other.st_ino &&
	     own.st_dev == other.st_dev))
		return 0;
	return fsk_enter_netns(pid);
}

/**
 * fsk_option_unknown() - complain about a long option
 * @word: as it was given, maybe with a value
 * @options: those that there are
 *
 * Return: exit status.
 */
int fsk_option_unknown(const char *word, const struct option *options)
{
	char name[64], *equals;
	struct fsk_nearest nearest = { .word = name };

	snprintf(name, sizeof(name), "%s", word + strspn(word, "-"));
	equals = strchr(name, '=');
	if (equals)
		*equals = '\0';
	for (; options->name; options++)
		fsk_nearest_try(&nearest, options->name);
	return nearest.name ?
	       fsk_usage("there is no option '%s', did you mean '--%s'?", word,
			 nearest.name) :
	       fsk_usage("there is no option '%s'", word);
}

/* Complain about the last option, by getopt()'s answer ':' or '?'. At a letter
 * that nobody knows, optind may still be at its word.
 */
static int fsk_option_bad(char **argv, int answer, const char *letters,
			  const struct option *options)
{
	if (answer == ':')
		return fsk_usage("option '%s' needs a value",
				 argv[optind - 1]);
	if (optopt > ' ' && optopt < FSK_OPTION_LONG &&
	    !strchr(letters, optopt))
		return fsk_usage("there is no option '-%c'", optopt);
	return fsk_option_unknown(argv[optind - 1], options);
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

/* Values of options that have one, by letter. */
static const char *fsk_option_values[FSK_OPTIONS_END];

/* Keep the value of an option that has one. */
static bool fsk_option_take(int letter, const struct option *options)
{
	for (; options->name; options++)
		if (options->val == letter && options->has_arg &&
		    !options->flag) {
			fsk_option_values[letter] = optarg;
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
			end += sprintf(end, "%c%s", options[i].val,
				       options[i].has_arg ? ":" : "");
	*end = '\0';
	optind = 0;
	opterr = 0;
	while ((answer = getopt_long(argc, argv, letters, options, NULL)) >= 0)
		switch (answer) {
		case 'h':
			fsk_help();
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
			if (answer && !fsk_option_flag(answer, options) &&
			    !fsk_option_take(answer, options))
				return fsk_option_bad(argv, answer, letters,
						      options);
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
 * fsk_option_value() - the value of an option
 * @letter: of %FSK_VALUE()
 *
 * Return: the value, or %NULL when the option was not given.
 */
const char *fsk_option_value(int letter)
{
	return fsk_option_values[letter];
}

/**
 * fsk_seconds_read() - read a time
 * @word: seconds, 0.1 to 3600, maybe with decimals
 * @seconds: filled in, if it is such a time
 *
 * Return: whether it is.
 */
bool fsk_seconds_read(const char *word, double *seconds)
{
	double value;
	char *end;

	value = strtod(word, &end);
	if (end == word || *end || !(value >= 0.1 && value <= 3600))
		return false;
	*seconds = value;
	return true;
}

/**
 * fsk_option_seconds() - the value of an option that is a time
 * @letter: of %FSK_VALUE()
 * @seconds: filled in, if the option was given
 *
 * Return: exit status.
 */
int fsk_option_seconds(int letter, double *seconds)
{
	const char *word = fsk_option_values[letter];

	if (!word || fsk_seconds_read(word, seconds))
		return 0;
	return fsk_usage("'%s' is no number of seconds from 0.1 to 3600", word);
}

/**
 * fsk_option_count() - the value of an option that is a number of times
 * @letter: of %FSK_VALUE()
 * @count: filled in, if the option was given
 *
 * Return: exit status.
 */
int fsk_option_count(int letter, unsigned long *count)
{
	const char *word = fsk_option_values[letter];
	unsigned long value;
	char *end;

	if (!word)
		return 0;
	errno = 0;
	value = strtoul(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || errno || !value)
		return fsk_usage("'%s' is no number from 1 on", word);
	*count = value;
	return 0;
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
	char letters[32] = ":";
	int status = fsk_options(argc, argv, letters, options);

	if (status >= 0)
		return -1 - status;
	argc -= optind;
	for (int i = 0; i < argc; i++)
		argv[i + 1] = argv[optind + i];
	return fsk_words_check(argc, argv, min, max);
}

static int fsk_run_command(int argc, char **argv)
{
	const struct fsk_command *command = fsk_command_find(argc, argv);
	int skip;

	if (!command)
		return fsk_command_unknown(argc, argv);
	skip = command->words[1] ? 1 : 0;
	return command->run(argc - skip, argv + skip);
}

int main(int argc, char **argv)
{
	char letters[32] = "+:";
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
