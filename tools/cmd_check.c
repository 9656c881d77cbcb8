// SPDX-License-Identifier: MIT
/* fastsocket check: is each listener fast, and if not, why and what to do? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/boot.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/process.h"
#include "base/procs.h"
#include "base/read.h"
#include "base/version.h"
#include "check/advise.h"
#include "check/facts.h"
#include "check/listeners.h"
#include "check/unit.h"
#include "check/verdict.h"
#include "fastsocket.h"

/**
 * struct fsk_check - what is looked at, and what was found
 * @unit: its listeners only, if it has a name
 * @pid: listeners of this process and its children only, or 0
 * @procs: who has which socket
 * @rows: what the module lists in this network namespace
 * @loaded: the module is loaded
 * @advice: what to do when it is not
 * @ns: the namespace, with --all-netns
 * @facts: of the last process
 * @found: listeners that were looked at
 * @slow: those that are not fast
 */
struct fsk_check {
	struct fsk_unit unit;
	pid_t pid;
	struct fsk_procs procs;
	struct fsk_rows rows;
	bool loaded;
	char advice[256];
	const struct fsk_netns *ns;
	struct fsk_facts facts;
	unsigned int found;
	unsigned int slow;
};

/* The parent, or 0. */
static pid_t fsk_check_parent(pid_t pid)
{
	char path[32], text[512] = "", *at;
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (file && !fgets(text, sizeof(text), file))
		*text = '\0';
	if (file)
		fclose(file);
	at = strrchr(text, ')');
	if (at && sscanf(at, ") %*c %d", &parent) != 1)
		parent = 0;
	return parent;
}

/* Without a unit or a process all are wanted: fsk_check_meant() chooses. */
static bool fsk_check_wanted(pid_t pid, void *data)
{
	const struct fsk_check *check = data;

	if (*check->unit.name)
		return pid && fsk_unit_has(&check->unit, pid);
	if (!check->pid)
		return true;
	while (pid > 0 && pid != check->pid)
		pid = fsk_check_parent(pid);
	return pid == check->pid;
}

/* Is this listener meant to be fast? A unit or a process was named, or it has
 * joined, or the library was to be loaded.
 */
static bool fsk_check_meant(const struct fsk_check *check,
			    const struct fsk_listening *listening)
{
	return *check->unit.name || check->pid || listening->joined ||
	       check->facts.asked || check->facts.loaded;
}

/* Text */

static void fsk_check_text(const struct fsk_check *check,
			   const struct fsk_listening *listening,
			   const struct fsk_verdict *verdict)
{
	struct fsk_row row = { .value = {
		[FSK_A_LISTEN_FAMILY] = listening->family,
		[FSK_A_LISTEN_PORT] = listening->port,
		[FSK_A_LISTEN_IFINDEX] = listening->ifindex,
	} };
	char name[FSK_ROW_NAME];

	memcpy(row.addr, listening->addr, sizeof(row.addr));
	if (check->ns)
		printf("%s: ", check->ns->name);
	printf("%s", fsk_row_name(&row, name));
	if (listening->pid)
		printf(" of %s/%d", check->facts.name, listening->pid);
	printf(": %s\n", verdict->count ? "NOT FAST" : "fast");
	if (!verdict->count)
		printf("  %u queues, %llu of %llu connections from their "
		       "worker's own\n",
		       listening->queues,
		       (unsigned long long)listening->local,
		       (unsigned long long)listening->accepted);
	for (size_t i = 0; i < verdict->count; i++) {
		printf("  why: %s\n", verdict->reasons[i].what);
		if (*verdict->reasons[i].act)
			printf("  do:  %s\n", verdict->reasons[i].act);
	}
}

/* JSON */

static void fsk_check_json(const struct fsk_check *check,
			   const struct fsk_listening *listening,
			   const struct fsk_verdict *verdict)
{
	fsk_json_open(NULL, '{');
	if (check->ns)
		fsk_netns_json(check->ns);
	fsk_json_str("family", listening->family == AF_INET6 ?
		     "ipv6" : "ipv4");
	fsk_json_addr("addr", listening->family, listening->addr);
	fsk_json_uint("port", listening->port);
	if (listening->pid) {
		fsk_json_str("process", check->facts.name);
		fsk_json_uint("pid", listening->pid);
	}
	fsk_json_bool("fast", !verdict->count);
	fsk_json_uint("sockets", listening->sockets);
	fsk_json_uint("sockets-joined", listening->joined);
	fsk_json_uint("queues", listening->queues);
	fsk_json_uint("accept-local", listening->local);
	fsk_json_uint("accepted", listening->accepted);
	fsk_json_open("reasons", '[');
	for (size_t i = 0; i < verdict->count; i++) {
		fsk_json_open(NULL, '{');
		fsk_json_str("what", verdict->reasons[i].what);
		fsk_json_str("do", verdict->reasons[i].act);
		fsk_json_close('}');
	}
	fsk_json_close(']');
	fsk_json_close('}');
}

static void fsk_check_judge(struct fsk_check *check,
			    const struct fsk_listening *listening,
			    struct fsk_verdict *verdict)
{
	struct fsk_unit unit = check->unit;
	char root[32];

	if (!check->loaded) {
		fsk_verdict_add(verdict, check->advice,
				"the kernel module is not loaded");
		return;
	}
	if (!*unit.name && listening->pid &&
	    listening->joined < listening->sockets)
		fsk_unit_of(&unit, listening->pid);
	if (unit.main)
		unit.start = fsk_facts_start(unit.main);
	fsk_verdict_find(verdict, listening, &check->facts, &unit);
	snprintf(root, sizeof(root), "/proc/%d/root", listening->pid);
	fsk_advise(verdict, listening, &check->facts, root);
}

static void fsk_check_one(struct fsk_check *check,
			  const struct fsk_listening *listening)
{
	struct fsk_verdict verdict = { 0 };

	if (listening->pid && listening->pid != check->facts.pid)
		fsk_facts_read(&check->facts, listening->pid);
	else if (!listening->pid)
		memset(&check->facts, 0, sizeof(check->facts));
	if (!fsk_check_meant(check, listening))
		return;
	fsk_check_judge(check, listening, &verdict);
	check->found++;
	check->slow += verdict.count > 0;
	if (fsk_json)
		fsk_check_json(check, listening, &verdict);
	else
		fsk_check_text(check, listening, &verdict);
}

/* All listeners of the present network namespace. */
static int fsk_check_netns(const struct fsk_netns *ns, void *data)
{
	struct fsk_check *check = data;
	struct fsk_listenings listenings;
	struct fsk_nl *nl = NULL;
	int status = 0;

	check->ns = ns;
	if (check->loaded) {
		nl = fsk_nl_open();
		status = nl ? fsk_read_rows(nl, &check->rows) :
			      FSK_EXIT_REFUSED;
		fsk_nl_close(nl);
	}
	if (!status)
		status = fsk_listenings_read(&listenings, &check->rows,
					     &check->procs, fsk_check_wanted,
					     check);
	if (!status) {
		for (size_t i = 0; i < listenings.count; i++)
			fsk_check_one(check, &listenings.all[i]);
		fsk_listenings_free(&listenings);
	}
	fsk_rows_reset(&check->rows);
	return status;
}

/* Nothing to look at is not fast either. */
static void fsk_check_none(const struct fsk_check *check)
{
	if (*check->unit.name && !check->unit.active)
		fsk_error("check: %s does not run", check->unit.name);
	else if (*check->unit.name || check->pid)
		fsk_error("check: it has no TCP listener in this network "
			  "namespace%s",
			  fsk_all_netns ? "" : ": try --all-netns");
	else if (!check->loaded)
		fsk_error("check: the kernel module is not loaded: %s",
			  check->advice);
	else
		fsk_error("check: no listener has joined, and no program was "
			  "started to");
}

/* Counters that another version lacks may have misled us. */
static void fsk_check_version(void)
{
	char loaded[FSK_VERSION_SIZE];

	fsk_version_loaded(loaded);
	if (*loaded && strcmp(loaded, fsk_version_tool))
		printf("The loaded module is of another version, %s: "
		       "'fastsocket version' says more.\n", loaded);
}

static int fsk_check_all(struct fsk_check *check)
{
	struct fsk_boot boot;
	int status;

	fsk_boot_read(&boot, "");
	check->loaded = boot.refcount >= 0;
	fsk_boot_advice(&boot, check->advice, sizeof(check->advice));
	fsk_procs_read(&check->procs);
	if (fsk_json)
		fsk_json_open(NULL, '[');
	status = fsk_all_netns ? fsk_netns_each(fsk_check_netns, check) :
				 fsk_check_netns(NULL, check);
	if (fsk_json)
		fsk_json_close(']');
	fsk_procs_free(&check->procs);
	if (status)
		return status;
	if (!fsk_json)
		fsk_check_version();
	if (!check->found)
		fsk_check_none(check);
	return check->slow || !check->found ? FSK_EXIT_NOT_FAST : 0;
}

/**
 * fsk_cmd_check() - fastsocket check [UNIT|PID]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_check(int argc, char **argv)
{
	static struct fsk_check check;
	struct stat folder;
	char path[64];
	int status;

	argc = fsk_words(argc, argv, 0, 1, FSK_OPTIONS(FSK_ALL_NETNS));
	if (argc < 0)
		return -1 - argc;
	if (argc && !argv[1][strspn(argv[1], "0123456789")]) {
		check.pid = fsk_process_pid(argv[1]);
		if (!check.pid)
			return fsk_usage("'%s' is no process number", argv[1]);
		snprintf(path, sizeof(path), "/proc/%d", check.pid);
		if (stat(path, &folder)) {
			fsk_error("check: there is no process %s", argv[1]);
			return FSK_EXIT_REFUSED;
		}
	} else if (argc) {
		status = fsk_unit_read(&check.unit, argv[1]);
		if (status)
			return status;
	}
	return fsk_check_all(&check);
}
