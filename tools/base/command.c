// SPDX-License-Identifier: MIT
/* Runs other programs' commands, and waits for them. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* All of what a descriptor gives. NULL without memory. */
static char *fsk_command_slurp(int fd)
{
	size_t len = 0, room = 0;
	char *text = NULL, *more;
	ssize_t got;

	do {
		if (len + 4096 > room) {
			room += 65536;
			more = realloc(text, room);
			if (!more) {
				free(text);
				return NULL;
			}
			text = more;
		}
		got = read(fd, text + len, room - len - 1);
		len += got > 0 ? got : 0;
	} while (got > 0 || (got < 0 && errno == EINTR));
	text[len] = '\0';
	return text;
}

/* Returns errno, positive, or 0. */
static int fsk_command_spawn(char *const *words, int out, bool quiet,
			     pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int err;

	posix_spawn_file_actions_init(&actions);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (quiet)
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO,
						 "/dev/null", O_WRONLY, 0);
	err = posix_spawnp(pid, words[0], &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

/* Returns as fsk_command_run(). */
static int fsk_command_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return status ? -1 : 0;
}

/* Run it with the pipe for what it prints, or without one. */
static int fsk_command_pipe(char *const *words, int *pipes, char **text,
			    bool quiet)
{
	pid_t pid;
	int err;

	err = fsk_command_spawn(words, pipes[1], quiet, &pid);
	if (text)
		close(pipes[1]);
	if (!err && text)
		*text = fsk_command_slurp(pipes[0]);
	if (text)
		close(pipes[0]);
	if (!err)
		err = fsk_command_wait(pid);
	return err <= 0 && text && !*text ? ENOMEM : err;
}

/**
 * fsk_command_run() - run a command, and wait for it
 * @words: its name and its arguments, and %NULL at the end
 * @text: gets what it prints, to be freed, even if it fails; or %NULL, then it
 *	  prints where we do
 * @quiet: what it says on standard error goes nowhere
 *
 * Where our caller ignores %SIGCHLD, so would we, and the command; nobody could
 * tell then how a child has ended.
 *
 * Return: 0; -1 when it fails; errno, positive, when it can't be run.
 */
int fsk_command_run(char *const *words, char **text, bool quiet)
{
	struct sigaction saved, plain = { .sa_handler = SIG_DFL };
	int pipes[2] = { -1, -1 }, err;

	if (text)
		*text = NULL;
	if (text && pipe2(pipes, O_CLOEXEC))
		return errno;
	sigaction(SIGCHLD, &plain, &saved);
	err = fsk_command_pipe(words, pipes, text, quiet);
	sigaction(SIGCHLD, &saved, NULL);
	return err;
}
