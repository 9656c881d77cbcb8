/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QEMU's plugin header includes glib.h for two type names that this plugin
 * never uses; this stands in for the development package.
 */
typedef struct GArray GArray;
typedef struct GByteArray GByteArray;
