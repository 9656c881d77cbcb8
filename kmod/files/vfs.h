/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_VFS_H
#define FSK_VFS_H

void fsk_vfs_init(void);
const char *fsk_vfs_forbidden(void);

#endif
