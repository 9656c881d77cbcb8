// SPDX-License-Identifier: MIT
/*
 * fastsocket tune --undo: put back what was there before, to the byte, and then
 * forget it. When it is killed in between, it can be called again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/card.h"
#include "cmd_tune.h"

static bool fsk_tune_is_setting(const char *key)
{
	return strncmp(key, "irqbalance ", strlen("irqbalance "));
}

/* Is the setting as it was? Then this returns true. Else it gives the value,
 * which the caller frees, or %NULL and errno.
 */
static bool fsk_tune_is_back(struct fsk_tune *tune,
			     const struct fsk_kept_line *line, char **now)
{
	*now = fsk_card_read(&tune->nic, line->key);
	if (!*now || strcmp(*now, line->value))
		return false;
	free(*now);
	return true;
}

static void fsk_tune_restore(struct fsk_tune *tune)
{
	const struct fsk_kept_line *line;
	char *now;
	int err;

	for (size_t i = 0; i < tune->kept.count; i++) {
		line = &tune->kept.lines[i];
		if (!fsk_tune_is_setting(line->key) ||
		    fsk_tune_is_back(tune, line, &now))
			continue;
		fsk_tune_say(tune, line->key, now, line->value);
		free(now);
		/* What fails is told when all is compared. */
		err = tune->dry_run ? 0 :
		      fsk_card_write(&tune->nic, line->key, line->value);
		if (err && err != ENOENT)
			fsk_tune_failed(tune, line->key, err);
	}
}

/* Compare once more: a setting may change others. */
static void fsk_tune_compare(struct fsk_tune *tune)
{
	const struct fsk_kept_line *line;
	char *now;

	for (size_t i = 0; i < tune->kept.count; i++) {
		line = &tune->kept.lines[i];
		if (!fsk_tune_is_setting(line->key) ||
		    fsk_tune_is_back(tune, line, &now))
			continue;
		fsk_tune_failed(tune, line->key, now ? 0 : errno);
		free(now);
	}
}

/* Put all back, and forget it. */
static int fsk_tune_back(struct fsk_tune *tune, const char *name)
{
	int status;

	/* Before the queues go, and their interrupts with them. */
	fsk_irq_read(&tune->irqs, name, tune->nic.bus);
	fsk_tune_begin(tune);
	fsk_tune_restore(tune);
	if (!tune->dry_run && !tune->failures)
		fsk_tune_compare(tune);
	fsk_tune_balance_undo(tune);
	status = tune->failures ? FSK_EXIT_REFUSED :
		 tune->dry_run ? 0 : fsk_kept_drop(&tune->kept);
	fsk_tune_note(tune, tune->dry_run ? "%u to change, not done" :
		      tune->failures ? "%u changed, but not all is as it was" :
		      "%u changed: all is as it was", tune->changes);
	fsk_tune_end(tune);
	fsk_irq_free(&tune->irqs);
	return status;
}

/* Nothing to put back, and why. */
static int fsk_tune_no_need(struct fsk_tune *tune, const char *lost)
{
	int status = 0;

	fsk_tune_begin(tune);
	if (lost)
		fsk_tune_note(tune, "nothing to undo: %s since, and %s", lost,
			      "what tune had set is lost");
	else
		fsk_tune_note(tune, "nothing to undo: it is not tuned");
	if (lost && !tune->dry_run)
		status = fsk_kept_drop(&tune->kept);
	fsk_tune_end(tune);
	return status;
}

/* An interface that is not here by this name, or has another device now. */
static int fsk_tune_undo_other(struct fsk_tune *tune, const char *name)
{
	char now[IF_NAMESIZE];
	const char *lost;
	int status;

	snprintf(tune->nic.name, sizeof(tune->nic.name), "%.15s", name);
	if (!fsk_kept_find(&tune->kept, name, &status)) {
		/* What can't be read may be this one's. */
		if (status)
			return status;
		if (if_nametoindex(name))
			return fsk_tune_no_need(tune, NULL);
		fsk_error("there is no interface '%s'", name);
		return FSK_EXIT_REFUSED;
	}
	lost = fsk_kept_lost(&tune->kept, now);
	if (lost)
		return fsk_tune_no_need(tune, lost);
	if (*now)
		fsk_error("what was tuned as %s is called %s now: %s %s",
			  name, now, "fastsocket tune --undo", now);
	else
		fsk_error("%s is not here: its device has no driver, or %s",
			  name, "is in another network namespace (--netns)");
	return FSK_EXIT_REFUSED;
}

/**
 * fsk_tune_undo() - put back what was there before an interface was tuned
 * @tune: says whether this is a dry run
 * @name: the interface
 *
 * Return: exit status.
 */
int fsk_tune_undo(struct fsk_tune *tune, const char *name)
{
	char now[IF_NAMESIZE];
	const char *lost;
	int status;

	if (fsk_kept_init(&tune->kept, name)) {
		status = fsk_kept_load(&tune->kept);
		if (status)
			return status;
	}
	if (!tune->kept.count) {
		status = fsk_tune_undo_other(tune, name);
		fsk_kept_free(&tune->kept);
		return status;
	}
	status = fsk_nic_read(name, &tune->nic);
	lost = fsk_kept_lost(&tune->kept, now);
	if (!status)
		status = lost ? fsk_tune_no_need(tune, lost) :
				fsk_tune_back(tune, name);
	fsk_kept_free(&tune->kept);
	return status;
}
