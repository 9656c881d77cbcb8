/* SPDX-License-Identifier: MIT */
#ifndef FSK_CMD_TUNE_H
#define FSK_CMD_TUNE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/irq.h"
#include "base/kept.h"
#include "base/nic.h"
#include "base/plan.h"

/**
 * struct fsk_tune - an interface that is tuned
 * @nic: the interface
 * @dry_run: change nothing
 * @node: of the card, or %FSK_PLAN_NO_NODE
 * @cpus: CPUs that are online
 * @cpu_count: of @cpus
 * @kept: its settings as they were, if there are lines
 * @broken: they can't be kept, so that nothing may change
 * @irqs: interrupts of its queues
 * @changes: settings changed, or to be changed
 * @failures: settings that could not be changed
 * @notes: what to say after the changes
 * @note_count: of @notes
 */
struct fsk_tune {
	struct fsk_nic nic;
	bool dry_run;
	int node;
	struct fsk_plan_cpu *cpus;
	unsigned int cpu_count;
	struct fsk_kept kept;
	bool broken;
	struct fsk_irqs irqs;
	unsigned int changes;
	unsigned int failures;
	char **notes;
	size_t note_count;
};

/* cmd_tune_report.c */
void fsk_tune_begin(const struct fsk_tune *tune);
void fsk_tune_say(struct fsk_tune *tune, const char *key, const char *from,
		  const char *to);
void fsk_tune_note(struct fsk_tune *tune, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void fsk_tune_failed(struct fsk_tune *tune, const char *key, int err);
void fsk_tune_end(struct fsk_tune *tune);

/* cmd_tune_notes.c */
void fsk_tune_balance(struct fsk_tune *tune);
void fsk_tune_balance_undo(struct fsk_tune *tune);
void fsk_tune_nodes(struct fsk_tune *tune);

/* cmd_tune.c */
int fsk_tune_keep(struct fsk_tune *tune);
bool fsk_tune_change(struct fsk_tune *tune, const char *key, const char *to);

/* cmd_tune_undo.c */
int fsk_tune_undo(struct fsk_tune *tune, const char *name);

#endif
