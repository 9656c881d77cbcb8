// SPDX-License-Identifier: GPL-2.0
/*
 * Clients that connect all the time, without ever waiting for one of them.
 */
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BURST	4
#define PAUSE_MS	250	/* of work that are made up for at most */
#define FLIGHT	512

/**
 * struct flight - a connection that is under way
 * @begin: when it was opened
 * @noted: to be in the histogram
 */
struct flight {
	uint64_t begin;
	bool noted;
};

int realtime(pid_t pid, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	return sched_setscheduler(pid, SCHED_FIFO, &param) ? -errno : 0;
}

/* Return: memory shared with children, or NULL. */
struct loads *loads_make(void)
{
	struct loads *loads = mmap(NULL, sizeof(*loads), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return loads == MAP_FAILED ? NULL : loads;
}

static void load_note(struct loads *loads, int cpu, const struct flight *f,
		      int id)
{
	uint64_t took = now_ms() - f->begin;

	if (f->noted && id != loads->late_id)
		loads->hist[cpu][took < LOAD_HIST_MS ? took : LOAD_HIST_MS]++;
}

/* Return: who answered, or -1. */
static int load_hear(struct load *l, int fd)
{
	uint8_t id = 0;
	int n = read(fd, &id, 1);

	if (n == 1)
		l->answered++;
	else if (!n)
		l->ended++;
	else if (errno == ECONNRESET)
		l->reset++;
	else
		l->failed++;
	sock_reset(fd);
	return n == 1 ? id : -1;
}

static int load_burst(struct loads *loads, struct load *l, struct pollfd *pfd,
		      struct flight *f, int n)
{
	int i, fd;

	for (i = 0; i < BURST && n < FLIGHT; i++) {
		f[n] = (struct flight) { now_ms(), loads->noting };
		l->made++;
		fd = sock_dial_nowait(&loads->place, loads->port);
		if (fd < 0)
			l->failed++;
		else
			pfd[n++] = (struct pollfd) { fd, POLLIN };
	}
	return n;
}

/* Leave the better part of the CPU to those who serve, however slow it is, but
 * hear what has been answered.
 */
static void load_pause(uint64_t worked_ms)
{
	usleep(5000 + 4000 * (worked_ms < PAUSE_MS ? worked_ms : PAUSE_MS));
}

static void load_run(struct loads *loads, int cpu)
{
	static struct pollfd pfd[FLIGHT];
	static struct flight f[FLIGHT];
	struct load *l = &loads->load[cpu];
	uint64_t begin;
	int i, n = 0;

	if (pin(cpu) || (loads->priority && realtime(0, loads->priority)))
		_exit(1);
	for (;;) {
		begin = now_ms();
		if (!loads->stop)
			n = load_burst(loads, l, pfd, f, n);
		load_pause(now_ms() - begin);
		poll(pfd, n, 0);
		for (i = n - 1; i >= 0; i--) {
			if (!pfd[i].revents)
				continue;
			load_note(loads, cpu, &f[i],
				  load_hear(l, pfd[i].fd));
			pfd[i] = pfd[--n];
			f[i] = f[n];
		}
	}
}

/**
 * loads_start() - begin, with all counters at zero
 * @loads: the clients
 * @p: where the listener is
 * @port: its port
 * @n: on how many CPUs
 */
void loads_start(struct loads *loads, const struct place *p, int port, int n)
{
	int cpu, priority = loads->priority;

	memset(loads, 0, sizeof(*loads));
	loads->priority = priority;
	loads->place = *p;
	loads->port = port;
	loads->n = n;
	loads->late_id = -1;
	for (cpu = 0; cpu < n; cpu++) {
		loads->pid[cpu] = fork_child();
		if (!loads->pid[cpu]) {
			/* Not the listener: the test may close it. */
			close_range(3, ~0U, 0);
			load_run(loads, cpu);
		}
	}
}

void loads_end(struct loads *loads)
{
	int cpu;

	for (cpu = 0; cpu < loads->n; cpu++)
		end(loads->pid[cpu]);
	loads->n = 0;
}

struct load loads_sum(const struct loads *loads)
{
	struct load sum = { 0 };
	const struct load *l;
	int cpu;

	for (cpu = 0; cpu < loads->n; cpu++) {
		l = &loads->load[cpu];
		sum.made += l->made;
		sum.answered += l->answered;
		sum.ended += l->ended;
		sum.reset += l->reset;
		sum.failed += l->failed;
	}
	sum.left = sum.made - sum.answered - sum.ended - sum.reset -
		   sum.failed;
	return sum;
}

/* Each CPU has made so many connections. */
bool loads_flow(const struct loads *loads, uint64_t more)
{
	int cpu;

	for (cpu = 0; cpu < loads->n; cpu++)
		if (loads->load[cpu].made < more)
			return false;
	return true;
}

/* All connections have come to an end, whichever. */
bool loads_done(const struct loads *loads)
{
	return loads->stop && !loads_sum(loads).left;
}
