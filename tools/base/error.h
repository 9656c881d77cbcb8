/* SPDX-License-Identifier: MIT */
/* How the tool ends, and what it says on standard error before. */
#ifndef FSK_ERROR_H
#define FSK_ERROR_H

#include <stddef.h>

/* Exit statuses; NOT_FAST is of `check`. `run` ends with its command's, or as
 * env(1) does.
 */
enum {
	FSK_EXIT_DONE,
	FSK_EXIT_USAGE,
	FSK_EXIT_REFUSED,
	FSK_EXIT_NOT_FAST,
	FSK_EXIT_NO_EXEC = 126,
	FSK_EXIT_NO_COMMAND = 127,
};

/* Bytes of a message that is kept: the longest has the kernel's words, or says
 * what to do about a module that can't be loaded.
 */
#define FSK_ERROR_LINE	512

void fsk_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void fsk_error_at(const char *file, unsigned int line, unsigned int column,
		  const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void fsk_usage_command(const char *first, const char *second);
int fsk_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
int fsk_no_memory(void);
void fsk_error_keep(char *line, size_t size);

#endif
