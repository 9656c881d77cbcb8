// SPDX-License-Identifier: MIT
/*
 * fastsocket rfd watch: as `rfd auto`, again whenever an interface changes.
 *
 * The kernel tells of changes of links, and of most that ethtool makes. It does
 * not tell of interrupts that move; older kernels do not tell of `ethtool -X`
 * either. So this reads everything again now and then, which costs some ioctls.
 * It tells the module of changes only. The configuration is read again before
 * that, and on SIGHUP.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>

#include "base/array.h"
#include "base/conf.h"
#include "base/error.h"
#include "base/nl.h"
#include "base/ntuple.h"
#include "base/out.h"
#include "base/rfd.h"
#include "cmd_rfd.h"
#include "fastsocket.h"

#define FSK_WATCH_MS	5000	/* between readings, at most */
#define FSK_WATCH_CALM_MS	200	/* without an event before reading */
#define FSK_WATCH_DRAIN	64	/* messages, before the time is looked at */

/**
 * struct fsk_seen - an interface as it was when the module was told last
 * @ifindex: the interface
 * @there: it is there in this round
 * @nic: how it was
 * @mode: what the configuration had for it, as fsk_watch_mode() says it
 * @none: it got no mode
 * @failed: why the module was not told, or not what the configuration has, or
 *	    empty
 */
struct fsk_seen {
	uint32_t ifindex;
	bool there;
	struct fsk_nic nic;
	int mode;
	bool none;
	char failed[FSK_ERROR_LINE];
};

/**
 * struct fsk_watch - the interfaces, and how they were last
 * @conf: without names, the configuration
 * @machine: the modes of it
 * @fresh: it was read in this round
 * @reload: read it in the next round, come what may
 * @names: interfaces, or none for all that belong to a device or are configured
 * @count: of @names
 * @seen: each interface
 * @seen_count: of @seen
 * @nic: buffer for reading
 */
struct fsk_watch {
	struct fsk_conf conf;
	struct fsk_conf_section machine;
	bool fresh;
	bool reload;
	char **names;
	int count;
	struct fsk_seen **seen;
	size_t seen_count;
	struct fsk_nic nic;
};

/* Returns exit status; after an error all is as it was read before. */
static int fsk_watch_conf(struct fsk_watch *watch)
{
	struct fsk_conf conf = { 0 };
	int status;

	watch->fresh = true;
	status = watch->count ? 0 : fsk_conf_read(&conf, 0, NULL);
	if (status) {
		fsk_conf_free(&conf);
		return status;
	}
	free(watch->machine.interfaces);
	fsk_conf_free(&watch->conf);
	watch->conf = conf;
	fsk_conf_effective(&watch->conf, &watch->conf.machine, NULL,
			   &watch->machine);
	return 0;
}

static void fsk_watch_conf_again(struct fsk_watch *watch)
{
	if (!watch->fresh && fsk_watch_conf(watch))
		fsk_error("what the configuration said before holds on");
}

static struct fsk_seen *fsk_watch_seen(struct fsk_watch *watch,
				       uint32_t ifindex)
{
	struct fsk_seen **seen;

	for (size_t i = 0; i < watch->seen_count; i++)
		if (watch->seen[i]->ifindex == ifindex)
			return watch->seen[i];
	seen = fsk_array_grow(watch->seen, watch->seen_count, sizeof(*seen));
	if (!seen)
		return NULL;
	watch->seen = seen;
	seen[watch->seen_count] = calloc(1, sizeof(**seen));
	if (!seen[watch->seen_count])
		return NULL;
	seen[watch->seen_count]->ifindex = ifindex;
	return seen[watch->seen_count++];
}

/* Forget those that were not there in this round. */
static void fsk_watch_forget(struct fsk_watch *watch)
{
	size_t count = 0;

	for (size_t i = 0; i < watch->seen_count; i++) {
		if (watch->seen[i]->there) {
			watch->seen[i]->there = false;
			watch->seen[count++] = watch->seen[i];
		} else {
			free(watch->seen[i]);
		}
	}
	watch->seen_count = count;
}

/* The mode that the configuration has for an interface, or -1 to choose one. */
static int fsk_watch_mode(const struct fsk_watch *watch, const char *name)
{
	const struct fsk_conf_section *machine = &watch->machine;
	const struct fsk_conf_interface *interface = machine->interfaces;
	const struct fsk_conf_interface *named;
	int mode = -1;

	named = fsk_conf_named(machine, name);
	if (named)
		return fsk_rfd_mode_number(named->mode.word);
	for (size_t i = 0; i < machine->interface_count; i++, interface++)
		if (!strcmp(interface->name, "all"))
			mode = fsk_rfd_mode_number(interface->mode.word);
	return mode;
}

/* What the configuration says, if the interface can have that. Rules may be
 * refused once and taken later: @refused says why, or is empty.
 */
static void fsk_watch_choose(const struct fsk_watch *watch, const char *name,
			     struct fsk_choice *choice, char *refused)
{
	int mode = fsk_watch_mode(watch, name);
	const struct fsk_nic *nic = &watch->nic;
	char why[160] = "";

	*refused = '\0';
	if (mode >= 0 && (mode != FSK_RFD_RSS || !*nic->no_rss) &&
	    (mode != FSK_RFD_NTUPLE ||
	     !fsk_ntuple_add(nic, why, sizeof(why)))) {
		*choice = (struct fsk_choice) {
			.mode = mode,
			.why = "the configuration says so",
		};
		return;
	}
	fsk_rfd_choose(nic, false, choice);
	if (*why && (choice->none || choice->mode != FSK_RFD_NTUPLE))
		snprintf(refused, FSK_ERROR_LINE, "no ntuple: %s", why);
}

/* Would an interface that got no mode get none again? A core that comes online
 * changes that, and nothing in the interface.
 */
static bool fsk_watch_none(const struct fsk_watch *watch, const char *name,
			   const struct fsk_seen *seen)
{
	char refused[FSK_ERROR_LINE];
	struct fsk_choice choice;

	if (!seen->none)
		return false;
	fsk_watch_choose(watch, name, &choice, refused);
	return choice.none;
}

/* Does the module have this already, in place of what was refused before? */
static bool fsk_watch_same(const struct fsk_seen *seen,
			   const struct fsk_rfd_row *row,
			   const struct fsk_choice *choice, const char *refused)
{
	if (!*refused || strcmp(refused, seen->failed))
		return false;
	return row ? !choice->none && row->mode == choice->mode :
		     choice->none && seen->none;
}

/* Tell the module. What fails is tried in each round, and said once: so is a
 * mode of the configuration, in place of which the interface has another one.
 */
static void fsk_watch_apply(struct fsk_watch *watch, struct fsk_nl *nl,
			    const struct fsk_rfd_row *row, const char *name,
			    struct fsk_seen *seen, bool changed)
{
	char why[sizeof(seen->failed)] = "", refused[sizeof(seen->failed)];
	struct fsk_choice choice;
	int status;

	fsk_watch_choose(watch, name, &choice, refused);
	if (!changed && fsk_watch_same(seen, row, &choice, refused))
		return;
	fsk_error_keep(why, sizeof(why));
	status = fsk_rfd_apply(nl, name, &watch->nic, &choice);
	fsk_error_keep(NULL, 0);
	seen->nic = watch->nic;
	seen->mode = fsk_watch_mode(watch, name);
	seen->none = choice.none;
	if (!status)
		memcpy(why, refused, sizeof(why));
	if (*why && strcmp(seen->failed, why))
		fsk_error("%s: %s", name, why);
	memcpy(seen->failed, why, sizeof(why));
	if (status)
		return;
	printf("%s: %s: %s\n", name, choice.none ? "none" :
	       fsk_rfd_mode_name(choice.mode), choice.why);
	fflush(stdout);
}

/* Read an interface, and tell the module if it has changed. */
static void fsk_watch_one(struct fsk_watch *watch, struct fsk_nl *nl,
			  const struct fsk_rfd_table *table, const char *name)
{
	uint32_t ifindex = if_nametoindex(name);
	const struct fsk_rfd_row *row;
	struct fsk_seen *seen;
	bool changed;

	/* An interface may be gone, and come back later. */
	if (!ifindex || fsk_nic_read(name, &watch->nic) ||
	    (!watch->count && !watch->nic.device &&
	     !fsk_conf_named(&watch->machine, name)))
		return;
	seen = fsk_watch_seen(watch, ifindex);
	if (!seen) {
		fsk_no_memory();
		return;
	}
	seen->there = true;
	changed = memcmp(&seen->nic, &watch->nic, sizeof(seen->nic)) ||
		  seen->mode != fsk_watch_mode(watch, name);
	row = fsk_rfd_find(table, ifindex);
	if (!changed && !*seen->failed &&
	    (row || fsk_watch_none(watch, name, seen)))
		return;
	/* What only failed before says nothing of the files. */
	if (changed || !*seen->failed)
		fsk_watch_conf_again(watch);
	fsk_watch_apply(watch, nl, row, name, seen, changed);
}

/* An interface that can't have its mode keeps no other from its own. Returns
 * whether all were looked at.
 */
static bool fsk_watch_each(struct fsk_watch *watch, struct fsk_nl *nl,
			   const struct fsk_rfd_table *table)
{
	struct if_nameindex *all;

	for (int i = 0; i < watch->count; i++)
		fsk_watch_one(watch, nl, table, watch->names[i]);
	if (watch->count)
		return true;
	all = fsk_nic_all();
	if (!all)
		return false;
	for (int i = 0; all[i].if_index; i++)
		fsk_watch_one(watch, nl, table, all[i].if_name);
	if_freenameindex(all);
	return true;
}

/* Opens a new socket each time: a module that was loaded again has another
 * family number, and has forgotten all modes. Only a module that is gone ends
 * the command.
 */
static int fsk_watch_round(struct fsk_watch *watch)
{
	struct fsk_rfd_table table;
	struct fsk_nl *nl;

	nl = fsk_nl_open();
	if (!nl)
		return FSK_EXIT_REFUSED;
	watch->fresh = false;
	if (watch->reload)
		fsk_watch_conf_again(watch);
	watch->reload = false;
	if (!fsk_rfd_read(nl, &table) && fsk_watch_each(watch, nl, &table))
		fsk_watch_forget(watch);
	fsk_rfd_free(&table);
	fsk_nl_close(nl);
	return 0;
}

/* A socket on which the kernel tells of links, or -1. */
static int fsk_watch_links(void)
{
	struct mnl_socket *sock;

	sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!sock || mnl_socket_bind(sock, RTMGRP_LINK, MNL_SOCKET_AUTOPID))
		return -1;
	return mnl_socket_get_fd(sock);
}

/* A socket on which it tells of ethtool's changes; -1 if it can't. */
static int fsk_watch_ethtool(void)
{
	uint32_t group = fsk_nl_group(ETHTOOL_GENL_NAME,
				      ETHTOOL_MCGRP_MONITOR_NAME);
	struct mnl_socket *sock;

	if (!group)
		return -1;
	sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_setsockopt(sock, NETLINK_ADD_MEMBERSHIP, &group,
				  sizeof(group)))
		return -1;
	return mnl_socket_get_fd(sock);
}

static int fsk_watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Throw the events away: everything is read anyway. */
static void fsk_watch_drain(int fd)
{
	char buffer[8192];

	errno = 0;
	for (int i = 0; i < FSK_WATCH_DRAIN; i++) {
		if (recv(fd, buffer, sizeof(buffer), 0) <= 0 &&
		    errno != ENOBUFS)
			break;
		errno = 0;
	}
}

static int64_t fsk_watch_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Take the signals. Returns false when it is time to end. */
static bool fsk_watch_goes_on(struct fsk_watch *watch, int fd)
{
	struct signalfd_siginfo signal;
	bool on = true;

	while (read(fd, &signal, sizeof(signal)) == sizeof(signal)) {
		if (signal.ssi_signo == SIGHUP)
			watch->reload = true;
		else
			on = false;
	}
	return on;
}

/* Events may come without a pause: they put the reading off for so long only.
 * Returns false when it is time to end.
 */
static bool fsk_watch_wait(struct fsk_watch *watch, struct pollfd *fds,
			   int count)
{
	int64_t end = fsk_watch_now_ms() + FSK_WATCH_MS, left;
	int timeout = FSK_WATCH_MS;
	int ready;

	for (;;) {
		ready = poll(fds, count, timeout);
		if (fds[0].revents)
			return fsk_watch_goes_on(watch, fds[0].fd);
		if (ready <= 0)
			return true;
		for (int i = 1; i < count; i++)
			if (fds[i].revents)
				fsk_watch_drain(fds[i].fd);
		left = end - fsk_watch_now_ms();
		if (left <= 0)
			return true;
		timeout = left < FSK_WATCH_CALM_MS ? left : FSK_WATCH_CALM_MS;
	}
}

/**
 * fsk_cmd_rfd_watch() - fastsocket rfd watch [IFACE...]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_rfd_watch(int argc, char **argv)
{
	static struct fsk_watch watch;
	struct pollfd fds[3];
	int status;

	argc = fsk_words(argc, argv, 0, 4096, FSK_OPTIONS());
	if (argc < 0)
		return -1 - argc;
	status = fsk_nic_sysfs();
	if (status)
		return status;
	for (int i = 1; i <= argc; i++)
		if (!if_nametoindex(argv[i])) {
			fsk_error("there is no interface '%s'", argv[i]);
			return FSK_EXIT_REFUSED;
		}
	watch.names = argv + 1;
	watch.count = argc;
	status = fsk_watch_conf(&watch);
	if (status)
		return status;
	/* Open these before reading, so that no event is missed. */
	fds[0].fd = fsk_watch_signals();
	fds[1].fd = fsk_watch_links();
	fds[2].fd = fsk_watch_ethtool();
	for (int i = 0; i < 3; i++)
		fds[i].events = POLLIN;
	do {
		status = fsk_watch_round(&watch);
	} while (!status && fsk_watch_wait(&watch, fds, 3));
	return status;
}
