// SPDX-License-Identifier: GPL-2.0
/*
 * Workers of every kind that servers use.
 */
#include "workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

#include "counters.h"

static uint64_t worked_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void work(const struct worker *w)
{
	uint64_t end = worked_ms() + w->work_ms;

	while (w->work_ms && worked_ms() < end)
		;
}

static void serve(struct worker *w, int fd)
{
	uint8_t id = w->id;

	/* Count first: the test looks once it has the answer. */
	w->accepted++;
	work(w);
	if (write(fd, &id, 1) == 1)
		w->answered++;
	else if (errno != EPIPE && errno != ECONNRESET)
		w->failed = errno;
	if (!w->keep)
		close(fd);
}

static void hold(struct worker *w)
{
	char byte;

	while (w->hold == HOLD_NAP)
		nap();
	while (w->hold == HOLD_SPIN)
		;
	while (w->hold == HOLD_READ)
		if (read(w->pipe[0], &byte, 1) != 1)
			w->failed = errno;
}

static bool transient(int err)
{
	return err == EAGAIN || err == ECONNABORTED || err == EINTR;
}

/* Return: whether there was a connection. */
static bool take(struct worker *w)
{
	int fd;

	hold(w);
	fd = accept4(w->lfd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		serve(w, fd);
	else if (!transient(errno))
		w->failed = errno;
	return fd >= 0;
}

static void wait_accept(struct worker *w)
{
	w->wakeups++;
	if (!take(w))
		w->idle++;
}

static void wait_poll(struct worker *w)
{
	struct pollfd pfd = { .fd = w->lfd, .events = POLLIN };

	if (poll(&pfd, 1, -1) < 0)
		w->failed = errno;
	w->wakeups++;
	if (!take(w))
		w->idle++;
}

static void wait_select(struct worker *w)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(w->lfd, &set);
	if (select(w->lfd + 1, &set, NULL, NULL, NULL) < 0)
		w->failed = errno;
	w->wakeups++;
	if (!take(w))
		w->idle++;
}

/* epoll */

static uint32_t epoll_flags(enum method method)
{
	switch (method) {
	case BY_EPOLL_EDGE:
		return EPOLLIN | EPOLLET;
	case BY_EPOLL_EXCLUSIVE:
		return EPOLLIN | EPOLLEXCLUSIVE;
	case BY_EPOLL_ONESHOT:
		return EPOLLIN | EPOLLONESHOT;
	default:
		return EPOLLIN;
	}
}

/* Whoever had it may have been killed. */
static void lock_take(pthread_mutex_t *lock)
{
	if (pthread_mutex_lock(lock) == EOWNERDEAD)
		pthread_mutex_consistent(lock);
}

/* Waits, and takes one.  Returns whether there was one. */
static bool epoll_turn(struct worker *w, int ep)
{
	struct epoll_event ev;
	bool any = false;

	if (w->lock)
		lock_take(w->lock);
	if (epoll_wait(ep, &ev, 1, -1) == 1) {
		w->wakeups++;
		any = take(w);
		if (!any)
			w->idle++;
	}
	if (w->lock)
		pthread_mutex_unlock(w->lock);
	return any;
}

static void loop_epoll(struct worker *w)
{
	struct epoll_event ev = { .events = epoll_flags(w->method) };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	bool any;

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, w->lfd, &ev)) {
		w->failed = errno;
		return;
	}
	while (!w->failed) {
		w->ready = true;
		any = epoll_turn(w, ep);
		/* The kernel tells an edge once: take all. */
		while (any && w->method == BY_EPOLL_EDGE)
			any = take(w);
		ev.events = epoll_flags(w->method);
		if (w->method == BY_EPOLL_ONESHOT &&
		    epoll_ctl(ep, EPOLL_CTL_MOD, w->lfd, &ev))
			w->failed = errno;
	}
}

/* io_uring */

#ifdef HAVE_LIBURING
static void uring_submit(struct worker *w, struct io_uring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (w->method == BY_URING_MULTI)
		io_uring_prep_multishot_accept(sqe, w->lfd, NULL, NULL, 0);
	else
		io_uring_prep_accept(sqe, w->lfd, NULL, NULL, 0);
	io_uring_submit(ring);
}

static void loop_uring(struct worker *w)
{
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	int err, res;
	bool more;

	err = io_uring_queue_init(8, &ring, 0);
	if (err) {
		w->failed = -err;
		return;
	}
	uring_submit(w, &ring);
	while (!w->failed) {
		w->ready = true;
		if (io_uring_wait_cqe(&ring, &cqe))
			continue;
		w->wakeups++;
		res = cqe->res;
		more = cqe->flags & IORING_CQE_F_MORE;
		io_uring_cqe_seen(&ring, cqe);
		if (res >= 0)
			serve(w, res);
		else if (transient(-res))
			w->idle++;
		else
			w->failed = -res;
		if (!more)
			uring_submit(w, &ring);
	}
}

/**
 * uring_send_zerocopy() - send a byte by io_uring's zero-copy send
 * @fd: a connected socket
 *
 * Return: 1, or a negative errno; -ENOSYS where there is no io_uring.
 */
int uring_send_zerocopy(int fd)
{
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	int res;

	if (io_uring_queue_init(2, &ring, 0))
		return -ENOSYS;
	io_uring_prep_send_zc(io_uring_get_sqe(&ring), fd, "x", 1, 0, 0);
	io_uring_submit(&ring);
	res = io_uring_wait_cqe(&ring, &cqe);
	if (!res)
		res = cqe->res;
	io_uring_queue_exit(&ring);
	return res;
}

bool method_missing(enum method method)
{
	struct io_uring ring;

	if (method != BY_URING_SINGLE && method != BY_URING_MULTI)
		return false;
	if (io_uring_queue_init(2, &ring, 0))
		return true;
	io_uring_queue_exit(&ring);
	return false;
}
#else
static void loop_uring(struct worker *w)
{
	w->failed = ENOSYS;
}

int uring_send_zerocopy(int fd)
{
	return -ENOSYS;
}

bool method_missing(enum method method)
{
	return method == BY_URING_SINGLE || method == BY_URING_MULTI;
}
#endif

/* Life */

static void loop(struct worker *w)
{
	void (*wait)(struct worker *w) = wait_accept;

	if (w->method == BY_POLL)
		wait = wait_poll;
	else if (w->method == BY_SELECT)
		wait = wait_select;
	while (!w->failed) {
		w->ready = true;
		wait(w);
	}
}

static void *run(void *arg)
{
	struct worker *w = arg;

	w->tid = syscall(SYS_gettid);
	if (w->mask)
		w->failed = -pin_mask(w->mask);
	else if (w->cpu == UNBOUND)
		unpin();
	else
		w->failed = -pin(w->cpu);
	if (w->method >= BY_URING_SINGLE)
		loop_uring(w);
	else if (w->method >= BY_EPOLL_LEVEL)
		loop_epoll(w);
	else
		loop(w);
	return NULL;
}

static void set_up_listener(const struct worker *w)
{
	struct timeval tv = { .tv_usec = 100000 };
	int flags = fcntl(w->lfd, F_GETFL);

	if (w->method == BY_ACCEPT_TIMEO)
		setsockopt(w->lfd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (w->method >= BY_POLL && w->method <= BY_EPOLL_ONESHOT)
		fcntl(w->lfd, F_SETFL, flags | O_NONBLOCK);
}

/**
 * worker_lock() - a lock for workers that are processes
 *
 * Return: the lock, or NULL.
 */
pthread_mutex_t *worker_lock(void)
{
	pthread_mutex_t *lock = mmap(NULL, sizeof(*lock),
				     PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;

	if (lock == MAP_FAILED)
		return NULL;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(lock, &attr);
	return lock;
}

int crew_make(struct crew *c)
{
	memset(c, 0, sizeof(*c));
	c->w = mmap(NULL, WORKERS_MAX * sizeof(*c->w), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return c->w == MAP_FAILED ? -errno : 0;
}

struct worker *crew_add(struct crew *c, int lfd, enum method method, int cpu)
{
	struct worker *w = &c->w[c->n];

	w->id = c->n++;
	w->lfd = lfd;
	w->method = method;
	w->cpu = cpu;
	set_up_listener(w);
	return w;
}

/**
 * worker_start() - fork a worker, for the first time or again
 * @w: the worker
 *
 * Return: 0 or a negative errno.
 */
int worker_start(struct worker *w)
{
	pid_t pid;

	w->ready = false;
	pid = fork_child();
	if (!pid) {
		run(w);
		_exit(1);
	}
	if (pid < 0)
		return -errno;
	/* Only the parent writes it: the child would write 0. */
	w->pid = pid;
	return 0;
}

int crew_start(struct crew *c)
{
	int i, err = 0;

	for (i = 0; i < c->n && !err; i++)
		err = worker_start(&c->w[i]);
	return err;
}

int crew_start_threads(struct crew *c)
{
	pthread_t thread;
	int i;

	c->server = fork_child();
	if (c->server)
		return c->server < 0 ? -errno : 0;
	for (i = 0; i < c->n; i++)
		if (pthread_create(&thread, NULL, run, &c->w[i]))
			_exit(1);
	for (;;)
		pause();
}

void crew_end(struct crew *c)
{
	int i;

	end(c->server);
	c->server = 0;
	for (i = 0; i < c->n; i++) {
		end(c->w[i].pid);
		c->w[i].pid = 0;
	}
}

static bool crew_ready(const struct crew *c)
{
	int i;

	for (i = 0; i < c->n; i++)
		if (!c->w[i].ready)
			return false;
	return true;
}

/**
 * crew_waits() - wait until all workers wait
 * @c: the workers
 * @port: where they listen
 * @claimed: they are bound, each to its own core: wait until all are claimed
 *	and in the map
 *
 * Return: whether that happened.
 */
bool crew_waits(const struct crew *c, int port, bool claimed)
{
	if (!until(crew_ready(c)))
		return false;
	return !claimed || until(mapped(port, c->n));
}

uint64_t crew_accepted(const struct crew *c)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < c->n; i++)
		sum += c->w[i].accepted;
	return sum;
}

int crew_failed(const struct crew *c)
{
	int i;

	for (i = 0; i < c->n; i++)
		if (c->w[i].failed)
			return c->w[i].failed;
	return 0;
}

/**
 * ask_hear() - read a worker's answer and close
 * @fd: a connected descriptor
 *
 * By a reset: a SYN that meets the TIME_WAIT of an earlier connection is
 * counted apart.
 *
 * Return: the worker's id or a negative errno.
 */
int ask_hear(int fd)
{
	uint8_t id;
	int err;

	if (!sock_wait(fd, POLLIN, PATIENCE_MS))
		err = -ETIMEDOUT;
	else if (read(fd, &id, 1) == 1)
		err = id;
	else
		err = errno ? -errno : -EPIPE;
	sock_reset(fd);
	return err;
}

/**
 * ask() - connect and find out who accepted
 * @p: where
 * @port: the port
 *
 * Return: the worker's id or a negative errno.
 */
int ask(const struct trial *p, int port)
{
	int fd = sock_dial(p, port);

	return fd < 0 ? fd : ask_hear(fd);
}
