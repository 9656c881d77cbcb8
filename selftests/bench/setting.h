/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's settings, for programs that have no library.
 */
#ifndef SETTING_H
#define SETTING_H

void setting(int attr, const void *value, int len);

#endif
