/* SPDX-License-Identifier: MIT */
#ifndef FSK_YAML_H
#define FSK_YAML_H

int fsk_yaml_word(const char *word);

#endif
