// SPDX-License-Identifier: MIT
/* The versions of tool, module and library. */
#include "version.h"

const char fsk_version_tool[] = FSK_VERSION;
