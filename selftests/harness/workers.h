/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Servers: tasks that wait on a listener in one of many ways, answer each
 * connection with who they are, and close it.
 */
#ifndef WORKERS_H
#define WORKERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "support.h"

enum method {
	BY_ACCEPT,
	BY_ACCEPT_TIMEO,
	BY_POLL,
	BY_SELECT,
	BY_EPOLL_LEVEL,
	BY_EPOLL_EDGE,
	BY_EPOLL_EXCLUSIVE,
	BY_EPOLL_ONESHOT,
	BY_URING_SINGLE,
	BY_URING_MULTI,
};

/* How a worker spends the time between waking up and accepting. */
enum hold {
	HOLD_NOT,
	HOLD_NAP,
	HOLD_SPIN,
	HOLD_READ,	/* from a pipe to which nobody writes */
};

#define WORKERS_MAX	16

/**
 * struct worker - one task; in memory shared with the test
 * @pid: its process; 0 for a thread
 * @tid: the task, once it runs
 * @id: what it answers with
 * @cpu: where it is bound, or UNBOUND
 * @mask: CPUs that it may run on, as bits, in place of @cpu; or 0
 * @lfd: the listener that it waits on
 * @method: how
 * @ready: about to wait for the first time
 * @failed: errno of what went wrong
 * @accepted: connections
 * @answered: ... that it answered
 * @wakeups: returns from waiting
 * @idle: ... with nothing to accept
 * @hold: accept no more until cleared; not seen while it reads
 * @pipe: what it reads from, if that is what holds it
 * @work_ms: how long it computes for each connection, by its own clock
 * @keep: it does not close what it has answered
 * @lock: it waits and accepts while it has this, which others want, or NULL
 */
struct worker {
	pid_t pid;
	pid_t tid;
	int id;
	int cpu;
	unsigned long mask;
	int lfd;
	enum method method;
	volatile bool ready;
	volatile int failed;
	volatile uint64_t accepted;
	volatile uint64_t answered;
	volatile uint64_t wakeups;
	volatile uint64_t idle;
	volatile enum hold hold;
	int pipe[2];
	unsigned int work_ms;
	bool keep;
	pthread_mutex_t *lock;
};

/**
 * struct crew - the workers of a test
 * @w: the workers
 * @n: how many
 * @server: the process of threads, or 0
 */
struct crew {
	struct worker *w;
	int n;
	pid_t server;
};

int crew_make(struct crew *c);
void crew_end(struct crew *c);

struct worker *crew_add(struct crew *c, int lfd, enum method method, int cpu);
int crew_start(struct crew *c);
int crew_start_threads(struct crew *c);
int worker_start(struct worker *w);
bool crew_waits(const struct crew *c, int port, bool claimed);
uint64_t crew_accepted(const struct crew *c);
int crew_failed(const struct crew *c);
bool method_missing(enum method method);
int uring_send_zerocopy(int fd);
pthread_mutex_t *worker_lock(void);

int ask(const struct trial *p, int port);
int ask_hear(int fd);

#endif
