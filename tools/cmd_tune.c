// SPDX-License-Identifier: MIT
/*
 * fastsocket tune: set an interface up so that each core handles its share of
 * packets: queues, interrupts, indirection table, XPS, RPS. Before the first
 * change all of that is kept, for cmd_tune_undo.c.
 */
#include "cmd_tune.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>

#include "base/error.h"
#include "base/lower.h"
#include "base/out.h"
#include "base/card.h"
#include "fastsocket.h"

/* Changes */

/**
 * fsk_tune_keep() - keep all settings, unless they are kept
 * @tune: the interface
 *
 * Return: exit status; the file is there when it is 0.
 */
int fsk_tune_keep(struct fsk_tune *tune)
{
	struct fsk_card_keys keys;
	bool good = true;
	char *value;

	if (tune->broken)
		return FSK_EXIT_REFUSED;
	if (tune->kept.count)
		return 0;
	tune->broken = true;
	if (!fsk_card_keys_read(&keys, &tune->nic))
		return fsk_no_memory();
	for (size_t i = 0; i < keys.count && good; i++) {
		value = fsk_card_read(&tune->nic, keys.keys[i]);
		good = !value || fsk_kept_add(&tune->kept, keys.keys[i],
					      value);
		free(value);
	}
	fsk_card_keys_free(&keys);
	if (!good)
		return fsk_no_memory();
	tune->broken = fsk_kept_save(&tune->kept);
	return tune->broken ? FSK_EXIT_REFUSED : 0;
}

/* Write, and see whether it is there. */
static int fsk_tune_write(struct fsk_tune *tune, const char *key,
			  const char *to)
{
	char *now;
	int err;

	err = fsk_card_write(&tune->nic, key, to);
	if (err) {
		fsk_tune_failed(tune, key, err);
		return err;
	}
	now = fsk_card_read(&tune->nic, key);
	if (!now || !fsk_card_equal(key, now, to)) {
		fsk_tune_failed(tune, key, now ? 0 : errno);
		err = EIO;
	}
	free(now);
	return err;
}

/**
 * fsk_tune_change() - give a setting a value, if it has another one
 * @tune: the interface
 * @key: of the setting; nothing happens if the interface has none
 * @to: the value
 *
 * Return: false if that failed; what is wrong was said then.
 */
bool fsk_tune_change(struct fsk_tune *tune, const char *key, const char *to)
{
	bool good = !tune->broken;
	char *from;

	from = good ? fsk_card_read(&tune->nic, key) : NULL;
	if (from && !fsk_card_equal(key, from, to)) {
		fsk_tune_say(tune, key, from, to);
		if (!tune->dry_run)
			good = !fsk_tune_keep(tune) &&
			       !fsk_tune_write(tune, key, to);
	}
	free(from);
	return good;
}

/* As fsk_tune_change(), for a file of a queue that a dry run may not have. */
static bool fsk_tune_queue(struct fsk_tune *tune, const char *direction,
			   unsigned int queue, const char *file,
			   const struct fsk_cpus *cpus)
{
	char key[FSK_CARD_KEY], to[FSK_CPUS_TEXT];

	snprintf(key, sizeof(key), "%s-%u/%s", direction, queue, file);
	return fsk_tune_change(tune, key, fsk_cpus_mask(cpus, to, sizeof(to)));
}

/* Steps */

/* As many queues as there are CPUs, if it can have so many. It keeps more: the
 * table leaves them out, and what was set for them stays. Sets how many it has
 * then to receive and to send; returns whether that has changed.
 */
static bool fsk_tune_channels(struct fsk_tune *tune, unsigned int *receive,
			      unsigned int *send)
{
	struct ethtool_channels has = { .cmd = ETHTOOL_GCHANNELS };
	unsigned int combined, rx, tx;
	bool changed = false;
	char to[96];

	if (fsk_nic_ioctl(tune->nic.name, &has))
		return false;
	combined = has.combined_count;
	rx = has.rx_count;
	tx = has.tx_count;
	if (combined) {
		if (combined < tune->cpu_count)
			combined = tune->cpu_count;
		if (combined > has.max_combined)
			combined = has.max_combined;
	} else {
		if (rx < tune->cpu_count && rx < has.max_rx)
			rx = tune->cpu_count < has.max_rx ? tune->cpu_count :
							    has.max_rx;
		if (tx < tune->cpu_count && tx < has.max_tx)
			tx = tune->cpu_count < has.max_tx ? tune->cpu_count :
							    has.max_tx;
	}
	snprintf(to, sizeof(to), "combined %u rx %u tx %u", combined, rx, tx);
	if (combined != has.combined_count || rx != has.rx_count ||
	    tx != has.tx_count)
		changed = fsk_tune_change(tune, "channels", to);
	if (!changed) {
		combined = has.combined_count;
		rx = has.rx_count;
		tx = has.tx_count;
	}
	*receive = combined + rx;
	*send = combined + tx;
	return changed;
}

/* Spread packets evenly over the first queues. With @again even if they are: a
 * card may have to be told when it has got other queues.
 */
static void fsk_tune_table(struct fsk_tune *tune, unsigned int used,
			   bool again)
{
	char *from = fsk_card_read(&tune->nic, "table");
	size_t entries = 1;
	char *to, *at;

	if (!from)
		return;
	for (at = from; *at; at++)
		entries += *at == ' ';
	to = malloc(entries * strlen("4294967295 ") + 1);
	at = to;
	for (size_t i = 0; to && i < entries; i++)
		at += sprintf(at, "%s%zu", i ? " " : "", i % used);
	if (to && fsk_tune_change(tune, "table", to) && again &&
	    !tune->dry_run && !strcmp(from, to))
		fsk_tune_write(tune, "table", to);
	free(from);
	free(to);
}

/* Has an action before this one the same interrupt? */
static bool fsk_tune_irq_again(const struct fsk_irqs *irqs, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (irqs->irqs[i].number == irqs->irqs[at].number)
			return true;
	return false;
}

/* Keep those interrupts that serve a queue. */
static void fsk_tune_read_irqs(struct fsk_tune *tune)
{
	struct fsk_irqs *irqs = &tune->irqs;
	size_t count = 0;

	fsk_irq_read(irqs, tune->nic.name, tune->nic.bus);
	for (size_t i = 0; i < irqs->count; i++)
		if (irqs->irqs[i].queue >= 0 || irqs->irqs[i].send >= 0)
			irqs->irqs[count++] = irqs->irqs[i];
	irqs->count = count;
}

static void fsk_tune_irqs(struct fsk_tune *tune, const struct fsk_plan *receive,
			  const struct fsk_plan *send)
{
	char key[FSK_CARD_KEY], to[FSK_CPUS_TEXT];
	const struct fsk_plan *plan;
	const struct fsk_irq *irq;
	struct fsk_cpus cpu;
	int queue;

	for (size_t i = 0; i < tune->irqs.count; i++) {
		irq = &tune->irqs.irqs[i];
		plan = irq->queue >= 0 ? receive : send;
		queue = irq->queue >= 0 ? irq->queue : irq->send;
		/* A driver may have interrupts of queues that are not used. */
		if ((unsigned int)queue >= plan->queues ||
		    fsk_tune_irq_again(&tune->irqs, i))
			continue;
		memset(&cpu, 0, sizeof(cpu));
		fsk_cpus_add(&cpu, plan->cpu[queue]);
		snprintf(key, sizeof(key), "irq %u %s", irq->number,
			 irq->action);
		fsk_tune_change(tune, key,
				fsk_cpus_mask(&cpu, to, sizeof(to)));
	}
}

/* RPS where CPUs share a queue; elsewhere it would move packets off the core
 * that the card has chosen.
 */
static void fsk_tune_rps(struct fsk_tune *tune, const struct fsk_plan *plan)
{
	bool few = plan->queues < tune->cpu_count;
	struct fsk_cpus share;

	for (unsigned int i = 0; i < plan->queues; i++) {
		memset(&share, 0, sizeof(share));
		if (few)
			fsk_plan_share(plan, tune->cpus, tune->cpu_count, i,
				       &share);
		fsk_tune_queue(tune, "rx", i, "rps_cpus", &share);
	}
}

static void fsk_tune_xps(struct fsk_tune *tune, const struct fsk_plan *plan)
{
	static const struct fsk_cpus none;
	struct fsk_cpus share;

	for (unsigned int i = 0; i < plan->queues; i++) {
		fsk_plan_share(plan, tune->cpus, tune->cpu_count, i, &share);
		fsk_tune_queue(tune, "tx", i, "xps_cpus", &share);
		/* The kernel looks at this one first. */
		fsk_tune_queue(tune, "tx", i, "xps_rxqs", &none);
	}
}

/* All steps, in this order: a new number of queues makes drivers set the rest
 * as they like.
 */
static int fsk_tune_steps(struct fsk_tune *tune)
{
	unsigned int queues = tune->nic.queues, sends = tune->nic.queues;
	struct fsk_plan receive, send;
	bool changed;

	changed = fsk_tune_channels(tune, &queues, &sends);
	if (!queues || !sends)
		return 0;
	if (!fsk_plan_make(&receive, tune->cpus, tune->cpu_count, tune->node,
			   queues))
		return fsk_no_memory();
	if (!fsk_plan_make(&send, tune->cpus, tune->cpu_count, tune->node,
			   sends)) {
		fsk_plan_free(&receive);
		return fsk_no_memory();
	}
	fsk_tune_read_irqs(tune);
	fsk_tune_balance(tune);
	fsk_tune_table(tune, receive.used, changed);
	fsk_tune_irqs(tune, &receive, &send);
	fsk_tune_xps(tune, &send);
	fsk_tune_rps(tune, &receive);
	if (changed && tune->dry_run)
		fsk_tune_note(tune, "queues that come new are set, too");
	fsk_plan_free(&receive);
	fsk_plan_free(&send);
	return 0;
}

/* An interface */

static int fsk_tune_card_node(const char *name)
{
	static const char * const files[] = {
		"device/numa_node", "device/../numa_node",
	};
	int node = FSK_PLAN_NO_NODE;
	char path[PATH_MAX];
	FILE *file;

	for (int i = 0; i < 2 && node == FSK_PLAN_NO_NODE; i++) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name,
			 files[i]);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "%d", &node) != 1 || node < 0)
			node = FSK_PLAN_NO_NODE;
		fclose(file);
	}
	return node;
}

/* Settings that were kept and are lost since have nothing to tell us. */
static int fsk_tune_forget(struct fsk_tune *tune)
{
	char now[IF_NAMESIZE];
	const char *lost;

	if (!tune->kept.count)
		return 0;
	lost = fsk_kept_lost(&tune->kept, now);
	if (!lost)
		return 0;
	fsk_tune_note(tune, "what an earlier tune had set is lost: %s since",
		      lost);
	fsk_kept_free(&tune->kept);
	fsk_kept_init(&tune->kept, tune->nic.name);
	return tune->dry_run ? 0 : fsk_kept_drop(&tune->kept);
}

static void fsk_tune_sum(struct fsk_tune *tune)
{
	if (!tune->irqs.count)
		fsk_tune_note(tune, "no queue has an interrupt of its own%s",
			      ": some cards have them only while up");
	fsk_tune_nodes(tune);
	if (!tune->changes)
		fsk_tune_note(tune, "nothing to change");
	else if (tune->dry_run)
		fsk_tune_note(tune, "%u to change, not done", tune->changes);
	else
		fsk_tune_note(tune, "%u changed; to undo that: %s %s",
			      tune->changes, "fastsocket tune --undo",
			      tune->nic.name);
}

static int fsk_tune_one(struct fsk_tune *tune, const char *name)
{
	int status = fsk_nic_read(name, &tune->nic);

	if (status)
		return status;
	tune->node = fsk_tune_card_node(name);
	fsk_kept_init(&tune->kept, name);
	status = fsk_kept_load(&tune->kept);
	if (status)
		return status;
	fsk_tune_begin(tune);
	status = fsk_tune_forget(tune);
	if (!status)
		status = fsk_tune_steps(tune);
	if (!status)
		fsk_tune_sum(tune);
	fsk_tune_end(tune);
	fsk_kept_free(&tune->kept);
	fsk_irq_free(&tune->irqs);
	return tune->broken || tune->failures ? FSK_EXIT_REFUSED : status;
}

/* Of several the first error is told at the end. */
static int fsk_tune_devices(struct fsk_tune *tune,
			    const struct fsk_lower *devices, bool undo)
{
	int status = 0, first = 0;

	for (size_t i = 0; i < devices->count; i++) {
		tune->changes = 0;
		tune->failures = 0;
		tune->broken = false;
		status = undo ? fsk_tune_undo(tune, devices->names[i]) :
				fsk_tune_one(tune, devices->names[i]);
		first = first ? first : status;
	}
	return first;
}

static int fsk_tune_named(struct fsk_tune *tune, const char *name, bool undo)
{
	struct fsk_lower devices;
	char real[IF_NAMESIZE];
	int status;

	if (fsk_nic_real(name, real))
		name = real;
	fsk_lower_devices(name, &devices);
	if (devices.count) {
		status = fsk_tune_devices(tune, &devices, undo);
		free(devices.names);
		return status;
	}
	if (undo)
		return fsk_tune_undo(tune, name);
	if (!if_nametoindex(name))
		fsk_error("there is no interface '%s'", name);
	else
		fsk_error("%s: nothing to tune: neither it nor %s", name,
			  "an interface beneath it belongs to a device");
	return FSK_EXIT_REFUSED;
}

/* Returns exit status, and the devices of all interfaces. */
static int fsk_tune_find_all(struct fsk_lower *devices)
{
	struct if_nameindex *all = fsk_nic_all();
	struct fsk_lower below;

	if (!all)
		return FSK_EXIT_REFUSED;
	for (int i = 0; all[i].if_index; i++) {
		fsk_lower_devices(all[i].if_name, &below);
		for (size_t k = 0; k < below.count; k++)
			fsk_lower_add(devices, below.names[k]);
		free(below.names);
	}
	if_freenameindex(all);
	return 0;
}

static int fsk_tune_all(struct fsk_tune *tune, bool undo)
{
	struct fsk_lower devices = { 0 };
	int status, first;

	first = undo ? fsk_kept_names(&devices) : fsk_tune_find_all(&devices);
	status = fsk_tune_devices(tune, &devices, undo);
	free(devices.names);
	return first ? first : status;
}

/**
 * fsk_cmd_tune() - fastsocket tune [-n] [--undo] IFACE|--all
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_tune(int argc, char **argv)
{
	int all = 0, dry_run = 0, undo = 0;
	static struct fsk_tune tune;
	int status;

	argc = fsk_words(argc, argv, 0, INT_MAX,
			 FSK_OPTIONS(FSK_FLAG("all", FSK_OPTION_LONG, all)
				     FSK_FLAG("dry-run", 'n', dry_run)
				     FSK_FLAG("undo", FSK_OPTION_LONG, undo)));
	if (argc >= 0)
		argc = fsk_words_check(argc, argv, !all, !all);
	if (argc < 0)
		return -1 - argc;
	tune.dry_run = dry_run;
	status = fsk_nic_sysfs();
	if (status)
		return status;
	tune.cpu_count = fsk_plan_read(&tune.cpus);
	if (!tune.cpu_count) {
		fsk_error("cannot read which CPUs are online");
		return FSK_EXIT_REFUSED;
	}
	if (!dry_run)
		status = fsk_kept_lock();
	if (!status) {
		if (fsk_json)
			fsk_json_open(NULL, '[');
		status = all ? fsk_tune_all(&tune, undo) :
			       fsk_tune_named(&tune, argv[1], undo);
		if (fsk_json)
			fsk_json_close(']');
	}
	free(tune.cpus);
	return status;
}
