/* SPDX-License-Identifier: MIT */
#ifndef FSK_READ_H
#define FSK_READ_H

#include "rate.h"
#include "rows.h"
#include "stats.h"

struct fsk_nl;

int fsk_read_rows(struct fsk_nl *nl, struct fsk_rows *rows);
int fsk_read_stats(struct fsk_nl *nl, struct fsk_stats_all *stats);
void fsk_read_stats_reset(struct fsk_stats_all *stats);
int fsk_read_sample(struct fsk_nl *nl, struct fsk_sample *sample);
void fsk_read_sample_reset(struct fsk_sample *sample);

#endif
