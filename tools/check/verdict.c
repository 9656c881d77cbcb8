// SPDX-License-Identifier: MIT
/*
 * Judges a listener: is it fast, and if not, why and what is to be done. It
 * looks nothing up: what the kernel, /proc and systemd tell is in structures.
 */
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../../lib/ports.h"
#include "facts.h"
#include "listeners.h"
#include "unit.h"

/* Connections that were accepted before their shares say something. */
#define FSK_VERDICT_ENOUGH	100

/**
 * fsk_verdict_add() - add a reason; more than there is room for are left out
 * @verdict: to add it to
 * @act: what to do, empty for nothing or fsk_verdict_act()
 * @what: what is so, as for printf()
 */
void fsk_verdict_add(struct fsk_verdict *verdict, const char *act,
		     const char *what, ...)
{
	struct fsk_reason *reason;
	va_list args;

	if (verdict->count == FSK_VERDICT_MAX)
		return;
	reason = &verdict->reasons[verdict->count++];
	va_start(args, what);
	vsnprintf(reason->what, sizeof(reason->what), what, args);
	va_end(args);
	snprintf(reason->act, sizeof(reason->act), "%s", act);
}

/**
 * fsk_verdict_act() - say what to do about the last reason
 * @verdict: has a reason
 * @act: as for printf()
 */
void fsk_verdict_act(struct fsk_verdict *verdict, const char *act, ...)
{
	struct fsk_reason *reason = &verdict->reasons[verdict->count - 1];
	va_list args;

	va_start(args, act);
	vsnprintf(reason->act, sizeof(reason->act), act, args);
	va_end(args);
}

/* A file that isn't known is not named. */
static void fsk_verdict_apparmor(struct fsk_verdict *verdict,
				 const struct fsk_facts *facts,
				 const struct fsk_unit *unit)
{
	const char *file = facts->profile_file, *name = unit->name;
	const char *restart = *name ? "'systemctl restart " :
				      "restart the program";
	const char *end = *name ? "'" : "";

	fsk_verdict_add(verdict, "", "the AppArmor profile '%s' keeps the "
				     "loader from the library",
			facts->profile);
	if (*file)
		fsk_verdict_act(verdict, "see that /etc/apparmor.d/local/%s "
					 "has '%s mr,', then 'apparmor_parser "
					 "-r /etc/apparmor.d/%s' and %s%s%s",
				file, facts->asked_path, file, restart, name,
				end);
	else
		fsk_verdict_act(verdict, "see that this profile has '%s mr,', "
					 "load it again by 'apparmor_parser "
					 "-r', and %s%s%s",
				facts->asked_path, restart, name, end);
}

/* The library was to be loaded, and is not: who refused it? */
static void fsk_verdict_refused(struct fsk_verdict *verdict,
				const struct fsk_facts *facts,
				const struct fsk_unit *unit)
{
	const char *path = facts->asked_path;

	if (facts->elf_known && !*facts->elf.interp) {
		fsk_verdict_add(verdict, "", "the program is statically "
					     "linked%s: it loads no library",
				facts->elf.go ? " (Go)" : "");
		fsk_verdict_act(verdict, "fastsocket adopt %d", facts->pid);
	} else if (facts->elf_known && facts->elf.bits != 8 * sizeof(void *)) {
		fsk_verdict_add(verdict, "", "it is a %d-bit program, the "
					     "library is not",
				facts->elf.bits);
		fsk_verdict_act(verdict, "fastsocket adopt %d", facts->pid);
	} else if (facts->raised) {
		fsk_verdict_add(verdict, "give the rights by "
					 "AmbientCapabilities= of the unit, "
					 "not by the file",
				"it was started with raised rights "
				"(set-user-ID, file capabilities or an "
				"AppArmor transition): the loader ignored the "
				"library");
	} else if (!facts->there) {
		fsk_verdict_add(verdict, "", "there is no %s in the program's "
					     "root folder",
				path);
		fsk_verdict_act(verdict, "install the library there, or "
					 "'fastsocket adopt %d'",
				facts->pid);
	} else if (facts->noexec) {
		fsk_verdict_add(verdict, "install the library on another file "
					 "system",
				"%s is on a file system that is mounted noexec",
				path);
	} else if (*facts->profile) {
		fsk_verdict_apparmor(verdict, facts, unit);
	} else {
		fsk_verdict_add(verdict, "look for the loader's message on "
					 "the program's standard error",
				"the loader did not take %s", path);
	}
}

/* Its service is enabled, and the program has nothing of it. A worker may be
 * younger than its service, whose environment it has.
 */
static void fsk_verdict_not_told(struct fsk_verdict *verdict,
				 const struct fsk_facts *facts,
				 const struct fsk_unit *unit)
{
	const char *name = unit->name;

	if (unit->reload ||
	    unit->changed > (unit->start ? unit->start : facts->start)) {
		fsk_verdict_add(verdict, "", "%s was not restarted since it "
					     "was enabled or changed",
				name);
		fsk_verdict_act(verdict, "%ssystemctl restart %s",
				unit->reload ? "systemctl daemon-reload && " :
				"", name);
	} else if (unit->selected) {
		fsk_verdict_add(verdict, "", "%s is enabled by its control "
					     "group, and that was not selected "
					     "when it began to listen",
				name);
		fsk_verdict_act(verdict, "systemctl restart %s, or 'fastsocket "
					 "adopt %d'; 'journalctl -u %s' has "
					 "what kept it from being selected",
				name, facts->pid, name);
	} else {
		fsk_verdict_add(verdict, "", "%s is enabled, but LD_PRELOAD "
					     "did not come to the program: its "
					     "start cleans the environment, as "
					     "sudo, su or env -i do",
				name);
		fsk_verdict_act(verdict, "start it without those; or "
					 "'fastsocket enable --cgroup --now "
					 "%s', or without a restart "
					 "'fastsocket adopt %d'",
				name, facts->pid);
	}
}

/* Nothing asked the program to load the library. */
static void fsk_verdict_not_asked(struct fsk_verdict *verdict,
				  const struct fsk_facts *facts,
				  const struct fsk_unit *unit)
{
	if (unit->enabled) {
		fsk_verdict_not_told(verdict, facts, unit);
		return;
	}
	fsk_verdict_add(verdict, "", "the program was started without "
				     "Fastsocket");
	if (*unit->name)
		fsk_verdict_act(verdict, "fastsocket enable --now %s; or "
					 "without a restart 'fastsocket adopt "
					 "%d'",
				unit->name, facts->pid);
	else
		fsk_verdict_act(verdict, "start it by 'fastsocket run -- "
					 "...'; or without a restart "
					 "'fastsocket adopt %d'",
				facts->pid);
}

/* The library is loaded: why did the listener not join? */
static void fsk_verdict_not_joined(struct fsk_verdict *verdict,
				   const struct fsk_listening *listening,
				   const struct fsk_facts *facts)
{
	struct fsk_ports ports = { 0 };

	if (*facts->ports && (fsk_ports_parse(&ports, facts->ports) ||
			      !fsk_ports_has(&ports, listening->port))) {
		fsk_verdict_add(verdict, "leave it so, if it is meant; else "
					 "change the list and restart the "
					 "program",
				"FASTSOCKET_PORTS=%.64s leaves port %u out",
				facts->ports, listening->port);
		return;
	}
	if (facts->seccomp)
		fsk_verdict_add(verdict, "", "the library is loaded; a "
					     "seccomp filter of the program "
					     "may forbid setsockopt(TCP_ULP), "
					     "by which it joins");
	else
		fsk_verdict_add(verdict, "", "the library is loaded; the "
					     "listener is older than the "
					     "loaded module, or the kernel "
					     "refused it");
	fsk_verdict_act(verdict, "fastsocket adopt %d %u", facts->pid,
			listening->port);
}

static void fsk_verdict_plain(struct fsk_verdict *verdict,
			      const struct fsk_listening *listening,
			      const struct fsk_facts *facts,
			      const struct fsk_unit *unit)
{
	if (listening->joined) {
		fsk_verdict_add(verdict, "", "only %u of its %u sockets have "
					     "joined",
				listening->joined, listening->sockets);
		fsk_verdict_act(verdict, "fastsocket adopt %d %u", facts->pid,
				listening->port);
	} else if (!facts->readable) {
		fsk_verdict_add(verdict, "run 'fastsocket check' as root",
				"it has not joined, and its process can't be "
				"looked into");
	} else if (facts->loaded) {
		fsk_verdict_not_joined(verdict, listening, facts);
	} else if (facts->asked) {
		fsk_verdict_refused(verdict, facts, unit);
	} else {
		fsk_verdict_not_asked(verdict, facts, unit);
	}
}

/* It has joined: do its workers have queues, and do these serve? */
static void fsk_verdict_joined(struct fsk_verdict *verdict,
			       const struct fsk_listening *listening)
{
	if (*listening->bypass)
		fsk_verdict_add(verdict, "leave that option out; "
					 "fastsocket-options(7) has the reason",
				"an option makes the module leave it alone: %s",
				listening->bypass);
	else if (!listening->queues)
		fsk_verdict_add(verdict, "bind each worker to a CPU by the "
					 "program's own options, or start it "
					 "by 'fastsocket run --pin'; who "
					 "waited before the listener joined "
					 "needs a restart",
				"no worker that waits for its connections "
				"could be given a queue, %llu connections "
				"came from the common one",
				(unsigned long long)listening->accepted);
	if (listening->limited)
		fsk_verdict_add(verdict, "fastsocket set locals-max=N, with a "
					 "larger N than 'fastsocket status' "
					 "shows",
				"some workers have no queue: its user has as "
				"many as it may");
	if (listening->accepted >= FSK_VERDICT_ENOUGH &&
	    listening->local < listening->accepted / 2)
		fsk_verdict_add(verdict, "see which CPUs receive packets "
					 "('fastsocket show stats') and which "
					 "have a worker ('fastsocket show "
					 "listen')",
				"only %llu of %llu connections were accepted "
				"from their worker's own queue",
				(unsigned long long)listening->local,
				(unsigned long long)listening->accepted);
}

/**
 * fsk_verdict_find() - why is this listener not fast?
 * @verdict: filled in
 * @listening: the listener
 * @facts: its process
 * @unit: the service of that, with an empty name if there is none
 *
 * Expects that the module is loaded.
 */
void fsk_verdict_find(struct fsk_verdict *verdict,
		      const struct fsk_listening *listening,
		      const struct fsk_facts *facts,
		      const struct fsk_unit *unit)
{
	verdict->count = 0;
	if (listening->joined < listening->sockets)
		fsk_verdict_plain(verdict, listening, facts, unit);
	if (listening->joined)
		fsk_verdict_joined(verdict, listening);
	if (facts->replaced) {
		fsk_verdict_add(verdict, "", "the program runs a library that "
					     "was replaced since");
		fsk_verdict_act(verdict, *unit->name ? "systemctl restart %s" :
				"restart the program%s", unit->name);
	}
}
