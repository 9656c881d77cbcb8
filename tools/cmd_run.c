// SPDX-License-Identifier: MIT
/* fastsocket run: start a program with the preload library. */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ports.h"
#include "base/error.h"
#include "fastsocket.h"

#define FSK_RUN_LIBRARY	"libfsocket.so"

/* Looks for the library beside this program, as in the build folder; then in
 * the lib folder next to the program's; then where `make install` put it. Fills
 * in @path, of PATH_MAX bytes.
 */
static const char *fsk_run_library(char *path)
{
	static const char * const patterns[] = {
		"%s/" FSK_RUN_LIBRARY,
		"%s/../lib/" FSK_RUN_LIBRARY,
		FSK_LIBDIR "/" FSK_RUN_LIBRARY,
	};
	char self[PATH_MAX] = "", file[PATH_MAX + 32];
	const char *folder;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		self[0] = '\0';
	folder = dirname(self);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		snprintf(file, sizeof(file), patterns[i], folder);
		if (realpath(file, path))
			return path;
	}
	return NULL;
}

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
	{ "connect-ports", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "no-connect", no_argument, NULL, 'n' },
	{ "pin", no_argument, NULL, 'p' },
	{ "ports", required_argument, NULL, 'P' },
	{ "verbose", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 },
};

/* Takes the option of this letter. */
static int fsk_run_option(int letter, char **argv)
{
	switch (letter) {
	case 'a':
		return setenv("FASTSOCKET_ACCEPT", "1", 1);
	case 'c':
		return fsk_run_ports("FASTSOCKET_CONNECT_PORTS", optarg);
	case 'n':
		return setenv("FASTSOCKET_CONNECT", "0", 1);
	case 'p':
		return setenv("FASTSOCKET_PIN", "1", 1);
	case 'P':
		return fsk_run_ports("FASTSOCKET_PORTS", optarg);
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
	/* Unless the caller's environment has it. */
	setenv("FASTSOCKET_CONNECT", "1", 0);
	while ((letter = getopt_long(argc, argv, "+:h", fsk_run_names,
				     NULL)) >= 0) {
		if (letter == 'h') {
			fsk_help();
			return FSK_EXIT_DONE;
		}
		if (fsk_run_option(letter, argv))
			return FSK_EXIT_USAGE;
	}
	return -1;
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
	const char *library;
	char path[PATH_MAX];

	if (status >= 0)
		return status;
	if (optind == argc)
		return fsk_usage("run: which program?");
	library = fsk_run_library(path);
	if (!library) {
		fsk_error("run: no " FSK_RUN_LIBRARY " in " FSK_LIBDIR);
		return FSK_EXIT_REFUSED;
	}
	status = fsk_run_preload(library);
	if (status)
		return status;
	argv += optind;
	execvp(*argv, argv);
	status = errno;
	fsk_error("run: cannot start '%s': %s", *argv, strerror(status));
	return status == ENOENT ? FSK_EXIT_NO_COMMAND : FSK_EXIT_NO_EXEC;
}
