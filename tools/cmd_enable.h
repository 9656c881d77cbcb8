/* SPDX-License-Identifier: MIT */
#ifndef FSK_CMD_ENABLE_H
#define FSK_CMD_ENABLE_H

struct fsk_conf;

int fsk_enable_refresh(const struct fsk_conf *conf);

#endif
