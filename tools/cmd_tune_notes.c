// SPDX-License-Identifier: MIT
/*
 * fastsocket tune: what is not a setting of the card, but decides with it where
 * packets are handled: irqbalance(1), and the nodes where workers are bound.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/irqbalance.h"
#include "base/nl.h"
#include "base/read.h"
#include "cmd_tune.h"

/* irqbalance */

/* The kept line of this process of irqbalance: what it left alone before. */
static void fsk_tune_balance_key(const struct fsk_irqbalance *balance,
				 char *key, size_t size)
{
	snprintf(key, size, "irqbalance %d", balance->pid);
}

/* Keep which of our interrupts it left alone before we told it. */
static int fsk_tune_balance_keep(struct fsk_tune *tune,
				 const struct fsk_irqbalance *balance)
{
	char key[64], value[1024] = " ";
	unsigned int irq;
	size_t at = 1;
	int status;

	status = fsk_tune_keep(tune);
	fsk_tune_balance_key(balance, key, sizeof(key));
	if (status || fsk_kept_has(&tune->kept, key))
		return status;
	for (size_t i = 0; i < tune->irqs.count; i++) {
		irq = tune->irqs.irqs[i].number;
		if (fsk_irqbalance_has(balance, irq) && at < sizeof(value) - 12)
			at += sprintf(value + at, "%u ", irq);
	}
	if (!fsk_kept_add(&tune->kept, key, value))
		return fsk_no_memory();
	return fsk_kept_save(&tune->kept);
}

/* Tell it to leave these interrupts alone too, and see whether it does. */
static int fsk_tune_balance_tell(struct fsk_tune *tune,
				 struct fsk_irqbalance *balance)
{
	int err;

	for (size_t i = 0; i < tune->irqs.count; i++)
		if (!fsk_irqbalance_add(balance, tune->irqs.irqs[i].number))
			return ENOMEM;
	err = fsk_irqbalance_write(balance);
	if (!err)
		err = fsk_irqbalance_read(balance);
	for (size_t i = 0; i < tune->irqs.count && !err; i++)
		if (!fsk_irqbalance_has(balance, tune->irqs.irqs[i].number))
			err = EPROTO;
	return err;
}

/**
 * fsk_tune_balance() - keep irqbalance from the interrupts of the queues
 * @tune: the interface, with its interrupts
 */
void fsk_tune_balance(struct fsk_tune *tune)
{
	struct fsk_irqbalance balance;
	struct fsk_cpus irqs = { 0 };
	char list[256], key[64];
	bool all = true;
	int err;

	if (!tune->irqs.count || !fsk_irqbalance_find(&balance))
		return;
	err = fsk_irqbalance_read(&balance);
	for (size_t i = 0; i < tune->irqs.count; i++) {
		all &= fsk_irqbalance_has(&balance, tune->irqs.irqs[i].number);
		/* Numbers of interrupts make a list as those of CPUs do. */
		fsk_cpus_add(&irqs, tune->irqs.irqs[i].number);
	}
	fsk_cpus_list(&irqs, list, sizeof(list));
	if (!err && !all) {
		fsk_tune_balance_key(&balance, key, sizeof(key));
		fsk_tune_say(tune, key, "balances", "leaves alone");
		if (!tune->dry_run && !fsk_tune_balance_keep(tune, &balance))
			err = fsk_tune_balance_tell(tune, &balance);
	}
	if (err)
		fsk_tune_note(tune, "irqbalance can't be told: %s; %s %s",
			      strerror(err),
			      "start it with --banirq= for each of", list);
	else
		fsk_tune_note(tune, "irqbalance leaves interrupts %s alone, %s",
			      list, "until it is restarted: then tune again");
	fsk_irqbalance_free(&balance);
}

/**
 * fsk_tune_balance_undo() - let irqbalance have the interrupts again
 * @tune: the interface, with its interrupts and what was kept
 *
 * An irqbalance that was started since was told nothing.
 */
void fsk_tune_balance_undo(struct fsk_tune *tune)
{
	struct fsk_irqbalance balance;
	const char *was = NULL;
	bool told = false;
	char key[64], word[16];
	unsigned int irq;
	int err;

	if (!fsk_irqbalance_find(&balance))
		return;
	fsk_tune_balance_key(&balance, key, sizeof(key));
	for (size_t i = 0; i < tune->kept.count; i++)
		if (!strcmp(tune->kept.lines[i].key, key))
			was = tune->kept.lines[i].value;
	err = was ? fsk_irqbalance_read(&balance) : 0;
	for (size_t i = 0; was && !err && i < tune->irqs.count; i++) {
		irq = tune->irqs.irqs[i].number;
		snprintf(word, sizeof(word), " %u ", irq);
		if (!fsk_irqbalance_has(&balance, irq) || strstr(was, word))
			continue;
		fsk_irqbalance_remove(&balance, irq);
		told = true;
	}
	if (told) {
		fsk_tune_say(tune, key, "leaves alone", "balances");
		if (!tune->dry_run)
			err = fsk_irqbalance_write(&balance);
	}
	if (err)
		fsk_tune_failed(tune, key, err);
	fsk_irqbalance_free(&balance);
}

/* Nodes */

/* The CPUs on which workers of joined listeners wait; none without the module,
 * which this command does not need.
 */
static void fsk_tune_workers(struct fsk_cpus *workers)
{
	struct fsk_rows rows = { 0 };
	const struct fsk_row *row;
	struct fsk_nl *nl;

	memset(workers, 0, sizeof(*workers));
	if (access("/sys/module/fastsocket", F_OK))
		return;
	nl = fsk_nl_open();
	if (!nl)
		return;
	fsk_read_rows(nl, &rows);
	for (size_t i = 0; i < rows.count; i++) {
		row = &rows.rows[i];
		if (row->flag[FSK_A_LISTEN_CLAIMED])
			fsk_cpus_add(workers, row->value[FSK_A_LISTEN_CPU]);
	}
	fsk_rows_reset(&rows);
	fsk_nl_close(nl);
}

/**
 * fsk_tune_nodes() - say when the card and its workers are on different nodes
 * @tune: the interface
 */
void fsk_tune_nodes(struct fsk_tune *tune)
{
	struct fsk_cpus near = { 0 }, far = { 0 }, workers;
	unsigned int fars = 0, others = 0, working = 0;
	char near_list[128], far_list[128];

	if (tune->node == FSK_PLAN_NO_NODE)
		return;
	fsk_tune_workers(&workers);
	for (unsigned int i = 0; i < tune->cpu_count; i++) {
		const struct fsk_plan_cpu *cpu = &tune->cpus[i];
		bool works = fsk_cpus_has(&workers, cpu->number);

		working += works;
		if (cpu->node == tune->node) {
			fsk_cpus_add(&near, cpu->number);
			continue;
		}
		others++;
		if (works) {
			fsk_cpus_add(&far, cpu->number);
			fars++;
		}
	}
	fsk_cpus_list(&near, near_list, sizeof(near_list));
	if (fars)
		fsk_tune_note(tune, "workers on CPUs %s are %s %d: %s %s",
			      fsk_cpus_list(&far, far_list, sizeof(far_list)),
			      "far from the card, which is on node",
			      tune->node, "bind them to CPUs", near_list);
	else if (others && !working)
		fsk_tune_note(tune, "the card is on node %d: %s %s", tune->node,
			      "bind workers to CPUs", near_list);
}
