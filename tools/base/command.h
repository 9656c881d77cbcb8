/* SPDX-License-Identifier: MIT */
#ifndef FSK_COMMAND_H
#define FSK_COMMAND_H

#include <stdbool.h>

int fsk_command_run(char *const *words, char **text, bool quiet);

#endif
