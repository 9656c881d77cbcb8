// SPDX-License-Identifier: MIT
/*
 * Error messages: each is one line on standard error. They may repeat words of
 * a file or of the command line, in which nothing may speak to a terminal.
 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"

static void fsk_error_put(const char *format, va_list args)
	__attribute__((format(printf, 1, 0)));

static void fsk_error_put(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		return;
	fsk_plain(text, strlen(text));
	fputs(text, stderr);
	free(text);
}

static void fsk_error_part(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void fsk_error_part(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fsk_error_put(format, args);
	va_end(args);
}

/**
 * fsk_error_at() - say what is wrong in a file, in a line
 * @file: the file
 * @line: from 1 on
 * @column: from 1 on
 * @format: as for printf(), without the end of the line
 *
 * The line begins as compilers have it, so that editors go there.
 */
void fsk_error_at(const char *file, unsigned int line, unsigned int column,
		  const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fsk_error_part("%s:%u:%u: ", file, line, column);
	va_start(args, format);
	fsk_error_put(format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* The subcommand, with a blank behind each word. */
static char fsk_usage_words[64] = "";

/* Where messages go instead of standard error. */
static char *fsk_error_line;
static size_t fsk_error_size;

static void fsk_complain(const char *format, va_list args, const char *end)
{
	if (fsk_error_line) {
		vsnprintf(fsk_error_line, fsk_error_size, format, args);
		fsk_plain(fsk_error_line, strlen(fsk_error_line));
		return;
	}
	fflush(stdout);
	fputs("fastsocket: ", stderr);
	fsk_error_put(format, args);
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
 * fsk_usage_command() - errors of usage are from now on those of a subcommand
 * @first: its first word
 * @second: its second word, or %NULL
 */
void fsk_usage_command(const char *first, const char *second)
{
	snprintf(fsk_usage_words, sizeof(fsk_usage_words), "%s %s%s", first,
		 second ? second : "", second ? " " : "");
}

/**
 * fsk_usage() - say what is wrong with the command line, in a line
 * @format: as for printf(), without the end of the line
 *
 * Return: the exit status for it.
 */
int fsk_usage(const char *format, ...)
{
	char end[96];
	va_list args;

	va_start(args, format);
	snprintf(end, sizeof(end), " (fastsocket %s--help shows how)\n",
		 fsk_usage_words);
	fsk_complain(format, args, end);
	va_end(args);
	return FSK_EXIT_USAGE;
}

/**
 * fsk_no_memory() - say that memory ran out
 *
 * Return: the exit status for it.
 */
int fsk_no_memory(void)
{
	fsk_error("no memory");
	return FSK_EXIT_REFUSED;
}

/**
 * fsk_error_keep() - keep messages instead of printing them
 * @line: where the last one is kept, or %NULL to print them again
 * @size: of @line
 *
 * For commands that go on where others end.
 */
void fsk_error_keep(char *line, size_t size)
{
	fsk_error_line = line;
	fsk_error_size = size;
}
