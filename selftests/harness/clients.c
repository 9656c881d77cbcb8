// SPDX-License-Identifier: GPL-2.0
/*
 * Clients that connect all the time, without ever waiting for one of them.
 */
#include "clients.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST	4
#define PAUSE_MS	250	/* of work that a pause makes up for */
#define FLIGHT	512

/**
 * struct flight - a connection that is under way
 * @begin: when it was opened, in milliseconds of CLOCK_REALTIME
 * @noted: the histogram will have it
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
struct clients *clients_make(void)
{
	struct clients *clients = mmap(NULL, sizeof(*clients),
				       PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return clients == MAP_FAILED ? NULL : clients;
}

static uint64_t clients_ms(const struct timespec *ts)
{
	return ts->tv_sec * 1000ull + ts->tv_nsec / 1000000;
}

static uint64_t clients_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return clients_ms(&ts);
}

static int clients_ask_stamps(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
}

/* When the answer came in, as the kernel has noted it: a client that pauses, or
 * shares its CPU with a busy worker, reads it later.  The first packets after
 * the option was asked for may have no note.
 */
static uint64_t clients_came_ms(struct msghdr *msg)
{
	struct cmsghdr *c;
	struct timespec ts;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		return clients_ms(&ts);
	}
	return clients_now_ms();
}

static void clients_note(struct clients *clients, int cpu,
			 const struct flight *f, uint64_t came)
{
	uint64_t took = came > f->begin ? came - f->begin : 0;

	clients->hist[cpu][took < HIST_MS ? took : HIST_MS]++;
}

/* Return: the id of the worker that answered, or -1. */
static int clients_hear(struct client_counts *l, int fd, uint64_t *came)
{
	char control[CMSG_SPACE(sizeof(struct timespec))];
	uint8_t id = 0;
	struct iovec data = { &id, 1 };
	struct msghdr msg = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int n = recvmsg(fd, &msg, 0);

	*came = clients_now_ms();
	if (n == 1) {
		*came = clients_came_ms(&msg);
		l->answered++;
	} else if (!n) {
		l->ended++;
	} else if (errno == ECONNRESET) {
		l->reset++;
	} else {
		l->failed++;
	}
	sock_reset(fd);
	return n == 1 ? id : -1;
}

static int clients_burst(struct clients *clients, struct client_counts *l,
			 struct pollfd *pfd, struct flight *f, int n)
{
	int i, fd;

	for (i = 0; i < BURST && n < FLIGHT; i++) {
		f[n] = (struct flight) { clients_now_ms(), clients->noting };
		l->made++;
		fd = sock_dial_nowait(&clients->trial, clients->port);
		if (fd < 0) {
			l->failed++;
			continue;
		}
		clients_ask_stamps(fd);
		pfd[n++] = (struct pollfd) { fd, POLLIN };
	}
	return n;
}

/* The clients leave the better part of the CPU to the workers, however slow it
 * is, but pause no longer than PAUSE_MS of work is worth, so that they hear the
 * answers.
 */
static void clients_pause(uint64_t worked_ms)
{
	usleep(5000 + 4000 * (worked_ms < PAUSE_MS ? worked_ms : PAUSE_MS));
}

static void clients_run(struct clients *clients, int cpu)
{
	static struct pollfd pfd[FLIGHT];
	static struct flight f[FLIGHT];
	struct client_counts *l = &clients->counts[cpu];
	/* While it is there, each packet is stamped as it comes in. */
	int stamps = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t begin, came;
	int i, id, n = 0;

	if (clients_ask_stamps(stamps) || pin(cpu) ||
	    (clients->priority && realtime(0, clients->priority)))
		_exit(1);
	for (;;) {
		begin = now_ms();
		if (!clients->stop)
			n = clients_burst(clients, l, pfd, f, n);
		clients_pause(now_ms() - begin);
		poll(pfd, n, 0);
		for (i = n - 1; i >= 0; i--) {
			if (!pfd[i].revents)
				continue;
			id = clients_hear(l, pfd[i].fd, &came);
			if (f[i].noted && id != clients->late_id)
				clients_note(clients, cpu, &f[i], came);
			pfd[i] = pfd[--n];
			f[i] = f[n];
		}
	}
}

/**
 * clients_start() - begin, with all counters at zero
 * @clients: the clients
 * @p: where the listener is
 * @port: its port
 * @n: on how many CPUs
 */
void clients_start(struct clients *clients, const struct trial *p, int port,
		   int n)
{
	int cpu, priority = clients->priority;

	memset(clients, 0, sizeof(*clients));
	clients->priority = priority;
	clients->trial = *p;
	clients->port = port;
	clients->n = n;
	clients->late_id = -1;
	for (cpu = 0; cpu < n; cpu++) {
		clients->pid[cpu] = fork_child();
		if (!clients->pid[cpu]) {
			/* Not the listener: the test may close it. */
			close_range(3, ~0U, 0);
			clients_run(clients, cpu);
		}
	}
}

void clients_end(struct clients *clients)
{
	int cpu;

	for (cpu = 0; cpu < clients->n; cpu++)
		end(clients->pid[cpu]);
	clients->n = 0;
}

struct client_counts clients_sum(const struct clients *clients)
{
	struct client_counts sum = { 0 };
	const struct client_counts *l;
	int cpu;

	for (cpu = 0; cpu < clients->n; cpu++) {
		l = &clients->counts[cpu];
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

/* Return: whether each CPU has made this many connections. */
bool clients_flow(const struct clients *clients, uint64_t more)
{
	int cpu;

	for (cpu = 0; cpu < clients->n; cpu++)
		if (clients->counts[cpu].made < more)
			return false;
	return true;
}

/* Return: whether all connections have ended, in whatever way. */
bool clients_done(const struct clients *clients)
{
	return clients->stop && !clients_sum(clients).left;
}
