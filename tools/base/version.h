/* SPDX-License-Identifier: MIT */
#ifndef FSK_TOOL_VERSION_H
#define FSK_TOOL_VERSION_H

/* Of this tool; include/version says how it is made up. */
extern const char fsk_version_tool[];

#endif
