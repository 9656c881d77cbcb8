/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_VFS_H
#define FSK_VFS_H

struct fsk_net;
struct fsk_pool_figures;

void fsk_vfs_init(void);
const char *fsk_vfs_forbidden(void);
void fsk_vfs_figures(struct fsk_net *fn, int cpu,
		     struct fsk_pool_figures *figures);
void __fsk_vfs_drain(struct fsk_net *fn);

#endif
