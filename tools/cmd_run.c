// SPDX-License-Identifier: MIT
/* fastsocket run: start a program with the preload library, or in a selected
 * control group.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ports.h"
#include "base/cgroup_run.h"
#include "base/error.h"
#include "base/library.h"
#include "base/program.h"
#include "fastsocket.h"

/* --require was given. */
static bool fsk_run_required;

/* --cgroup was given: no library. */
static bool fsk_run_cgroup;

/* An option that the library has to carry out, or NULL. */
static const char *fsk_run_needs_library;

/* Put our library before those that are there. */
static int fsk_run_preload(const char *library)
{
	const char *others = getenv("LD_PRELOAD");
	char *value;

	/* The dynamic linker can't read them: nothing quotes them. */
	if (strpbrk(library, " :")) {
		fsk_error("run: a blank or a colon in '%s' cannot be preloaded",
			  library);
		return FSK_EXIT_REFUSED;
	}
	if (asprintf(&value, "%s%s%s", library, others && *others ? ":" : "",
		     others ? others : "") < 0 ||
	    setenv("LD_PRELOAD", value, 1)) {
		return fsk_no_memory();
	}
	free(value);
	return 0;
}

static int fsk_run_ports(const char *variable, const char *list)
{
	struct fsk_ports ports = { 0 };

	if (fsk_ports_parse(&ports, list))
		return fsk_usage("run: '%s' is no list such as 80,8000-8999",
				 list);
	setenv(variable, list, 1);
	return 0;
}

static const struct option fsk_run_names[] = {
	{ "accept", no_argument, NULL, 'a' },
	{ "cgroup", no_argument, NULL, 'g' },
	{ "connect-ports", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "no-connect", no_argument, NULL, 'n' },
	{ "pin", no_argument, NULL, 'p' },
	{ "ports", required_argument, NULL, 'P' },
	{ "require", no_argument, NULL, 'r' },
	{ "verbose", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 },
};

/* Takes the option of this letter. */
static int fsk_run_option(int letter, char **argv)
{
	for (const struct option *one = fsk_run_names; one->name; one++)
		if (one->val == letter && strchr("acnpPv", letter))
			fsk_run_needs_library = one->name;
	switch (letter) {
	case 'a':
		return setenv("FASTSOCKET_ACCEPT", "1", 1);
	case 'c':
		return fsk_run_ports("FASTSOCKET_CONNECT_PORTS", optarg);
	case 'g':
		fsk_run_cgroup = true;
		return 0;
	case 'n':
		return setenv("FASTSOCKET_CONNECT", "0", 1);
	case 'p':
		return setenv("FASTSOCKET_PIN", "1", 1);
	case 'P':
		return fsk_run_ports("FASTSOCKET_PORTS", optarg);
	case 'r':
		fsk_run_required = true;
		return 0;
	case 'v':
		return setenv("FASTSOCKET_LOG", "1", 1);
	case ':':
		return fsk_usage("run: option '%s' needs a value",
				 argv[optind - 1]);
	default:
		return fsk_option_unknown(argv[optind - 1], fsk_run_names);
	}
}

/* Returns -1 to go on, with the program at optind. */
static int fsk_run_options(int argc, char **argv)
{
	int letter;

	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, "+:h", fsk_run_names,
				     NULL)) >= 0) {
		if (letter == 'h') {
			fsk_help();
			return FSK_EXIT_DONE;
		}
		if (fsk_run_option(letter, argv))
			return FSK_EXIT_USAGE;
	}
	if (fsk_run_cgroup && fsk_run_needs_library)
		return fsk_usage("run: --%s needs the library, and --cgroup "
				 "is without it", fsk_run_needs_library);
	/* Unless the caller's environment has it. */
	if (!fsk_run_cgroup)
		setenv("FASTSOCKET_CONNECT", "1", 0);
	return -1;
}

/* Says in a line what keeps a program's listeners from joining, if anything
 * does. The program then runs as on the plain kernel, unless that is an error.
 */
static int fsk_run_refused(const char *program, const char *reason,
			   const char *instead)
{
	if (!reason)
		return 0;
	if (fsk_run_required) {
		fsk_error("run: '%s' is not started: %s%s", program, reason,
			  instead);
		return FSK_EXIT_REFUSED;
	}
	fsk_error("run: '%s' runs as without Fastsocket: %s%s", program, reason,
		  instead);
	return 0;
}

static int fsk_run_by_library(const char *program, const char *path)
{
	char found[PATH_MAX];
	const char *library = fsk_library_find(found);
	const char *reason = NULL, *instead = "";
	int status;

	if (!library) {
		fsk_error("run: no " FSK_LIBRARY_NAME " in " FSK_LIBDIR);
		return FSK_EXIT_REFUSED;
	}
	if (*path)
		reason = fsk_library_refusal(library);
	if (*path && !reason)
		reason = fsk_program_refusal(path);
	if (reason)
		instead = "; 'run --cgroup' does without the library";
	if (*path && !reason)
		reason = fsk_program_join_refusal();
	status = fsk_run_refused(program, reason, instead);
	return status ? status : fsk_run_preload(library);
}

static int fsk_run_by_cgroup(const char *program, const char *path)
{
	const char *reason = NULL;

	if (*path)
		reason = fsk_program_join_refusal();
	if (*path && !reason)
		reason = fsk_cgroup_run_enter();
	return fsk_run_refused(program, reason, "");
}

/**
 * fsk_cmd_run() - fastsocket run [OPTION...] -- PROGRAM [ARGUMENT...]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status, if the program can't be started.
 */
int fsk_cmd_run(int argc, char **argv)
{
	int status = fsk_run_options(argc, argv);
	char path[PATH_MAX];

	if (status >= 0)
		return status;
	if (optind == argc)
		return fsk_usage("run: which program?");
	argv += optind;
	/* execvp() tells why a program can't be found or started. */
	if (!fsk_program_find(*argv, path, sizeof(path)))
		*path = '\0';
	status = fsk_run_cgroup ? fsk_run_by_cgroup(*argv, path) :
		 fsk_run_by_library(*argv, path);
	if (status)
		return status;
	execvp(*argv, argv);
	status = errno;
	fsk_error("run: cannot start '%s': %s", *argv, strerror(status));
	return status == ENOENT ? FSK_EXIT_NO_COMMAND : FSK_EXIT_NO_EXEC;
}
