// SPDX-License-Identifier: MIT
/*
 * fastsocket rfd set, auto, del: how an interface brings replies to their core.
 */
#include "cmd_rfd.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/irq.h"
#include "base/nearest.h"
#include "base/nl.h"
#include "base/ntuple.h"
#include "base/out.h"
#include "base/rfd.h"
#include "fastsocket.h"

#define FSK_RFD_CPUS	8192

/* How many of the cores that are online have a queue? */
static unsigned int fsk_rfd_served(const uint32_t *cores, unsigned int count,
				   const uint32_t *online, unsigned int cpus)
{
	unsigned int served = 0;

	for (unsigned int i = 0; i < cpus; i++)
		for (unsigned int k = 0; k < count; k++)
			if (cores[k] == online[i]) {
				served++;
				break;
			}
	return served;
}

#define FSK_RFD_WHY(choice, ...) \
	snprintf((choice)->why, sizeof((choice)->why), __VA_ARGS__)

static void fsk_rfd_choose_rss(const struct fsk_nic *nic, unsigned int cpus,
			       struct fsk_choice *choice)
{
	choice->mode = FSK_RFD_RSS;
	FSK_RFD_WHY(choice, "%u queues serve %u cores, chosen by %s%s",
		    nic->queues, cpus, "a Toeplitz hash of addresses and ports",
		    nic->hash == FSK_RFD_HASH_TCP4 ? " of IPv4" :
		    nic->hash == FSK_RFD_HASH_TCP6 ? " of IPv6" : "");
}

/* Make the rules right away: only that shows whether it takes them. */
static void fsk_rfd_choose_ntuple(const struct fsk_nic *nic, bool dry_run,
				  struct fsk_choice *choice)
{
	const char *no_rss = nic->no_rss;
	char refused[128] = "it takes no rules";

	if (dry_run ? fsk_ntuple_possible(nic->name) :
		      !fsk_ntuple_add(nic, refused, sizeof(refused))) {
		choice->mode = FSK_RFD_NTUPLE;
		FSK_RFD_WHY(choice, "no rss: %s; it takes rules", no_rss);
		return;
	}
	choice->mode = FSK_RFD_STEER;
	FSK_RFD_WHY(choice, "no rss: %s; no ntuple: %s", no_rss, refused);
}

/**
 * fsk_rfd_choose() - the best mode that works for an interface
 * @nic: the interface
 * @dry_run: write nothing into it
 * @choice: filled in
 *
 * For ntuple mode this also makes the rules, unless @dry_run is set.
 */
void fsk_rfd_choose(const struct fsk_nic *nic, bool dry_run,
		    struct fsk_choice *choice)
{
	uint32_t online[FSK_RFD_CPUS];
	unsigned int cpus = fsk_nic_online(online, FSK_RFD_CPUS);
	unsigned int rss = fsk_rfd_served(nic->table, nic->table_len, online,
					  cpus);
	unsigned int queues = fsk_rfd_served(nic->cpu, nic->queues, online,
					     cpus);

	choice->none = nic->inside || cpus < 2;
	choice->mode = FSK_RFD_STEER;
	if (nic->inside)
		FSK_RFD_WHY(choice, "nothing comes in from outside");
	else if (cpus < 2)
		FSK_RFD_WHY(choice, "one core is online");
	else if (nic->queues == 1)
		FSK_RFD_WHY(choice, "it has one queue");
	else if (!*nic->no_rss && rss == cpus)
		fsk_rfd_choose_rss(nic, cpus, choice);
	else if (queues == cpus)
		fsk_rfd_choose_ntuple(nic, dry_run, choice);
	else if (*nic->no_rss)
		FSK_RFD_WHY(choice, "no rss: %s", nic->no_rss);
	else
		FSK_RFD_WHY(choice, "%s %u of %u cores, %s",
			    "no rss: its queues serve", rss, cpus,
			    "spread their interrupts");
}

/* Does an interface in ntuple mode have its queues in this card? */
static bool fsk_rfd_rules_used(const struct fsk_rfd_table *table,
			       const char *card)
{
	char name[IF_NAMESIZE];

	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].mode == FSK_RFD_NTUPLE &&
		    fsk_nic_card(table->rows[i].ifindex, name) &&
		    !strcmp(name, card))
			return true;
	return false;
}

/* Remove the rules of a card, unless the module still has an interface on it in
 * ntuple mode. Returns exit status.
 */
static int fsk_rfd_rules_drop(struct fsk_nl *nl, const char *name,
			      const struct fsk_nic *nic)
{
	struct fsk_rfd_table table;
	int status, err = 0;

	if (!fsk_ntuple_any(nic->name))
		return 0;
	status = fsk_rfd_read(nl, &table);
	if (!status && !fsk_rfd_rules_used(&table, nic->name))
		err = fsk_ntuple_remove(nic->name);
	fsk_rfd_free(&table);
	if (!err)
		return status;
	fsk_error("%s: its rules stay: %s", name, strerror(err));
	return FSK_EXIT_REFUSED;
}

/* Let the module forget a mode, if it knows one. */
static int fsk_rfd_forget(struct fsk_nl *nl, uint32_t ifindex)
{
	struct fsk_rfd_table table;
	int status = fsk_rfd_read(nl, &table);
	bool known = !status && fsk_rfd_find(&table, ifindex);

	fsk_rfd_free(&table);
	return known ? fsk_rfd_send_del(nl, ifindex) : status;
}

/**
 * fsk_rfd_apply() - tell the module what was chosen
 * @nl: the socket
 * @name: the interface
 * @nic: the same, as fsk_nic_read() read it
 * @choice: its mode; fsk_rfd_choose() has made rules for ntuple mode
 *
 * Rules that nobody needs go when the module has agreed: until then it may send
 * by them.
 *
 * Return: exit status.
 */
int fsk_rfd_apply(struct fsk_nl *nl, const char *name,
		  const struct fsk_nic *nic, const struct fsk_choice *choice)
{
	bool ntuple = !choice->none && choice->mode == FSK_RFD_NTUPLE;
	uint32_t ifindex = if_nametoindex(name);
	int status;

	status = choice->none ? fsk_rfd_forget(nl, ifindex) :
		 fsk_rfd_send_mode(nl, ifindex, choice->mode, nic);
	if (!status)
		return ntuple ? 0 : fsk_rfd_rules_drop(nl, name, nic);
	/* They were made for a mode that it does not have. */
	if (ntuple)
		fsk_rfd_rules_drop(nl, name, nic);
	return status;
}

static void fsk_rfd_details_text(const struct fsk_nic *nic)
{
	printf("  key");
	for (unsigned int i = 0; i < nic->key_len; i++)
		printf("%c%02x", i ? ':' : ' ', nic->key[i]);
	printf("\n  table");
	for (unsigned int i = 0; i < nic->table_len; i++)
		printf(" %u", nic->table[i]);
	putchar('\n');
}

static void fsk_rfd_details_json(const struct fsk_nic *nic)
{
	fsk_json_hex("key", nic->key, nic->key_len);
	fsk_json_open("table", '[');
	for (unsigned int i = 0; i < nic->table_len; i++)
		fsk_json_uint(NULL, nic->table[i]);
	fsk_json_close(']');
	fsk_json_bool("tcp4", nic->hash & FSK_RFD_HASH_TCP4);
	fsk_json_bool("tcp6", nic->hash & FSK_RFD_HASH_TCP6);
}

/* Print the choice. */
static void fsk_rfd_report(const char *name, const struct fsk_nic *nic,
			   const struct fsk_choice *choice, bool dry_run)
{
	const char *mode = choice->none ? "none" :
			   fsk_rfd_mode_name(choice->mode);
	bool rss = !choice->none && choice->mode == FSK_RFD_RSS;

	if (!fsk_json) {
		printf("%s: %s%s%s\n", name, mode, *choice->why ? ": " : "",
		       choice->why);
		if (rss && dry_run)
			fsk_rfd_details_text(nic);
		return;
	}
	fsk_json_open(NULL, '{');
	fsk_json_str("interface", name);
	fsk_json_str("mode", mode);
	fsk_json_str("reason", choice->why);
	fsk_json_bool("dry-run", dry_run);
	if (rss)
		fsk_rfd_details_json(nic);
	fsk_json_close('}');
}

/* Set the best mode of an interface that was read, and print it. */
static int fsk_rfd_auto(struct fsk_nl *nl, const char *name,
			const struct fsk_nic *nic, bool dry_run)
{
	struct fsk_choice choice;
	int status = 0;

	fsk_rfd_choose(nic, dry_run, &choice);
	if (!dry_run)
		status = fsk_rfd_apply(nl, name, nic, &choice);
	if (!status)
		fsk_rfd_report(name, nic, &choice, dry_run);
	return status;
}

/**
 * fsk_rfd_auto_one() - the best mode for an interface
 * @nl: the socket, or %NULL with @dry_run
 * @name: the interface
 * @dry_run: only print it
 *
 * Return: exit status.
 */
int fsk_rfd_auto_one(struct fsk_nl *nl, const char *name, bool dry_run)
{
	static struct fsk_nic nic;
	int status = fsk_nic_read(name, &nic);

	return status ? status : fsk_rfd_auto(nl, name, &nic, dry_run);
}

/* Can the interface have this mode? For ntuple this makes the rules. */
static int fsk_rfd_check(const char *name, const struct fsk_nic *nic,
			 unsigned int mode, bool dry_run)
{
	char why[160] = "it takes no rules";

	if (mode == FSK_RFD_RSS && *nic->no_rss) {
		fsk_error("%s: no rss: %s", name, nic->no_rss);
		return FSK_EXIT_REFUSED;
	}
	if (mode != FSK_RFD_NTUPLE)
		return 0;
	if (dry_run ? fsk_ntuple_possible(nic->name) :
		      !fsk_ntuple_add(nic, why, sizeof(why)))
		return 0;
	fsk_error("%s: no ntuple: %s", name, why);
	return FSK_EXIT_REFUSED;
}

/**
 * fsk_rfd_set_one() - the mode of an interface
 * @nl: the socket, or %NULL with @dry_run
 * @name: the interface
 * @mode: enum fsk_rfd_mode
 * @dry_run: only print it
 *
 * Return: exit status.
 */
int fsk_rfd_set_one(struct fsk_nl *nl, const char *name, unsigned int mode,
		    bool dry_run)
{
	struct fsk_choice choice = { .mode = mode };
	static struct fsk_nic nic;
	int status = fsk_nic_read(name, &nic);

	if (!status)
		status = fsk_rfd_check(name, &nic, mode, dry_run);
	if (!status && !dry_run)
		status = fsk_rfd_apply(nl, name, &nic, &choice);
	else if (!status)
		fsk_rfd_report(name, &nic, &choice, true);
	return status;
}

/* A mode for an interface of the list, if it belongs to a device. It may have
 * gone since the list was made, which is no error.
 */
static int fsk_rfd_each(struct fsk_nl *nl, const struct if_nameindex *one,
			int mode, bool dry_run)
{
	static struct fsk_nic nic;
	char why[FSK_ERROR_LINE] = "";
	int status;

	fsk_error_keep(why, sizeof(why));
	status = fsk_nic_read(one->if_name, &nic);
	if (!status && nic.device)
		status = mode < 0 ?
			 fsk_rfd_auto(nl, one->if_name, &nic, dry_run) :
			 fsk_rfd_set_one(nl, one->if_name, mode, dry_run);
	fsk_error_keep(NULL, 0);
	if (status && if_nametoindex(one->if_name) != one->if_index)
		return 0;
	if (*why)
		fsk_error("%s", why);
	return status;
}

/**
 * fsk_rfd_all() - a mode for each interface of a device
 * @nl: the socket, or %NULL with @dry_run
 * @mode: enum fsk_rfd_mode, or -1 for the best one
 * @dry_run: only print it
 * @leave: is this one to be left alone? or %NULL
 * @data: for @leave
 *
 * An interface that can't have a mode keeps no other from its own.
 *
 * Return: exit status, of the first that failed.
 */
int fsk_rfd_all(struct fsk_nl *nl, int mode, bool dry_run,
		bool (*leave)(const char *name, void *data), void *data)
{
	struct if_nameindex *all = fsk_nic_all();
	int status = 0, each;

	if (!all)
		return FSK_EXIT_REFUSED;
	for (int i = 0; all[i].if_index; i++) {
		if (leave && leave(all[i].if_name, data))
			continue;
		each = fsk_rfd_each(nl, &all[i], mode, dry_run);
		status = status ? status : each;
	}
	if_freenameindex(all);
	return status;
}

/**
 * fsk_cmd_rfd_auto() - fastsocket rfd auto [-n] IFACE|--all
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_rfd_auto(int argc, char **argv)
{
	int all = 0, dry_run = 0;
	struct fsk_nl *nl = NULL;
	int status;

	argc = fsk_words(argc, argv, 0, INT_MAX,
			 FSK_OPTIONS(FSK_FLAG("all", FSK_OPTION_LONG, all)
				     FSK_FLAG("dry-run", 'n', dry_run)));
	if (argc >= 0)
		argc = fsk_words_check(argc, argv, !all, !all);
	if (argc < 0)
		return -1 - argc;
	if (!dry_run) {
		nl = fsk_nl_open();
		if (!nl)
			return FSK_EXIT_REFUSED;
	}
	if (fsk_json)
		fsk_json_open(NULL, '[');
	status = all ? fsk_rfd_all(nl, -1, dry_run, NULL, NULL) :
		       fsk_rfd_auto_one(nl, argv[1], dry_run);
	if (fsk_json)
		fsk_json_close(']');
	fsk_nl_close(nl);
	return status;
}

/* Complain about a word that is no mode. */
static int fsk_rfd_no_mode(const char *word)
{
	struct fsk_nearest nearest = { .word = word };

	for (int i = 0; fsk_rfd_modes[i]; i++)
		fsk_nearest_try(&nearest, fsk_rfd_modes[i]);
	return fsk_usage("rfd set: there is no mode '%s'%s", word,
			 fsk_nearest_hint(&nearest));
}

/**
 * fsk_cmd_rfd_set() - fastsocket rfd set [-n] IFACE MODE
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_rfd_set(int argc, char **argv)
{
	struct fsk_nl *nl = NULL;
	int dry_run = 0;
	int mode, status;

	argc = fsk_words(argc, argv, 2, 2,
			 FSK_OPTIONS(FSK_FLAG("dry-run", 'n', dry_run)));
	if (argc < 0)
		return -1 - argc;
	mode = fsk_rfd_mode_number(argv[2]);
	if (mode < 0)
		return fsk_rfd_no_mode(argv[2]);
	if (!dry_run) {
		nl = fsk_nl_open();
		if (!nl)
			return FSK_EXIT_REFUSED;
	}
	/* A list, as of `rfd auto`. */
	if (fsk_json && dry_run)
		fsk_json_open(NULL, '[');
	status = fsk_rfd_set_one(nl, argv[1], mode, dry_run);
	if (fsk_json && dry_run)
		fsk_json_close(']');
	fsk_nl_close(nl);
	return status;
}

/* A module that was loaded again knows no modes, and the card still has rules:
 * then they are what there is to delete.
 */
static int fsk_rfd_del_one(struct fsk_nl *nl, const char *name,
			   const struct fsk_nic *nic)
{
	uint32_t ifindex = if_nametoindex(name);
	struct fsk_rfd_table table;
	int status = fsk_rfd_read(nl, &table);
	bool stale = !fsk_rfd_find(&table, ifindex) &&
		     !fsk_rfd_rules_used(&table, nic->name) &&
		     fsk_ntuple_any(nic->name);

	fsk_rfd_free(&table);
	if (!status && !stale)
		status = fsk_rfd_send_del(nl, ifindex);
	return status ? status : fsk_rfd_rules_drop(nl, name, nic);
}

/**
 * fsk_cmd_rfd_del() - fastsocket rfd del IFACE
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_rfd_del(int argc, char **argv)
{
	static struct fsk_nic nic;
	struct fsk_nl *nl;
	int status;

	argc = fsk_words(argc, argv, 1, 1, FSK_OPTIONS());
	if (argc < 0)
		return -1 - argc;
	nl = fsk_nl_open();
	if (!nl)
		return FSK_EXIT_REFUSED;
	status = fsk_nic_read(argv[1], &nic);
	if (!status)
		status = fsk_rfd_del_one(nl, argv[1], &nic);
	fsk_nl_close(nl);
	return status;
}
