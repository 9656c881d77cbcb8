/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The storm's parts.  storm.c makes the worlds, and strikes servers and the
 * machine with faults.  storm_pairs.c ends one object while others come to it:
 * the pairs of docs/lifetimes.md.
 */
#ifndef STORM_H
#define STORM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "fuzz.h"
#include "support.h"
#include "workers.h"

#define CLIENTS		3
#define PORT		7100	/* the server; then the proxy, the talkers */
#define SIDE_PORT	7103	/* listeners that come and go */
#define BACKLOG		128
#define FAULTS		60	/* more than there are */

/**
 * struct world_shared - what a world and the others tell each other
 * @end: the world is to heal and end
 * @hold: clients are to make no connection
 * @held: clients that make none
 * @asked: connections tried
 * @answered: ... with an answer
 * @refused: ... by a reset
 * @other: ... that failed otherwise
 * @beside: ... with a listener at SIDE_PORT
 * @proxied: answers that came through a proxy
 * @fast: connections that the proxy accepted by the ioctl
 * @talked: bytes over the connections of talk()
 * @hits: packets found in established tables
 * @steered: packets that were moved to their core
 * @healed: times that each connection was answered after healing
 * @faults: faults that came about, by kind
 * @ticks: counts on while the world is alive
 */
struct world_shared {
	volatile bool end;
	volatile bool hold;
	int held;
	uint64_t asked;
	uint64_t answered;
	uint64_t refused;
	uint64_t other;
	uint64_t beside;
	uint64_t proxied;
	uint64_t fast;
	uint64_t talked;
	uint64_t hits;
	uint64_t steered;
	uint64_t healed;
	uint64_t faults[FAULTS];
	volatile uint64_t ticks;
};

/* A world: one process, which owns a namespace and all that runs there. */
struct world {
	struct world_shared *shared;
	struct trial trial;
	struct fuzz rng;
	struct crew crew;
	pid_t client[CLIENTS];
	pid_t proxy;
	pid_t talker;
	pthread_mutex_t *lock;
	int number;
	int lfd;
	int spoof;
	bool flooded;
	bool nft;
};

static inline unsigned int roll(struct world *w, unsigned int n)
{
	return fuzz_below(&w->rng, n);
}

/* At most 2^@bits ms. */
static inline void roll_nap(struct world *w, unsigned int bits)
{
	usleep(1000 << roll(w, bits));
}

int put_file(const char *path, const char *text);
int hotplug_lock(int how);
int server_again(struct world *w);
void workers_mend(struct world *w);
int card_set(const char *name);

/* Faults, which return 0 when they came about. */
int pair_shutdown(struct world *w);
int pair_disconnect(struct world *w);
int pair_destroy(struct world *w);
int pair_destroy_connections(struct world *w);
int pair_addrform(struct world *w);
int pair_fork(struct world *w);
int pair_adopt(struct world *w);
int pair_migrate(struct world *w);
int pair_cgroup(struct world *w);
int pair_nfqueue(struct world *w);
int pair_device(struct world *w);

#endif
