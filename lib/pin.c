// SPDX-License-Identifier: MIT
/*
 * FASTSOCKET_PIN: binds each thread that begins to wait on a joined listener
 * to a CPU that no sibling has. The kernel chooses and reserves; see
 * FSK_IOC_PIN.
 *
 * A new thread and a new process would inherit the one CPU of the thread that
 * made them. They are given back the CPUs that it had before.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/fastsocket.h>

#include "fsocket.h"

#define FSK_PIN_FDS	65536
#define FSK_PIN_WORD	(8 * sizeof(unsigned long))

/* Descriptors that turned out not to be joined listeners. A descriptor that is
 * closed and given anew without listen(), by dup() or from another process, may
 * wrongly be here: then accept(), which does not look here, notices.
 */
static atomic_ulong fsk_pin_others[FSK_PIN_FDS / FSK_PIN_WORD];

/**
 * struct fsk_pin_thread - what a thread knows of itself
 * @done: it has waited on a joined listener before
 * @pinned: and was bound by us
 * @mask: the CPUs that it had before
 */
static __thread struct fsk_pin_thread {
	bool done;
	bool pinned;
	unsigned char mask[FSK_MASK_BYTES];
} fsk_pin_self;

static bool fsk_pin_other(int fd)
{
	return fd < 0 ||
	       (fd < FSK_PIN_FDS && fsk_pin_others[fd / FSK_PIN_WORD] &
		1UL << fd % FSK_PIN_WORD);
}

static void fsk_pin_remember(int fd)
{
	if (fd >= 0 && fd < FSK_PIN_FDS)
		atomic_fetch_or(&fsk_pin_others[fd / FSK_PIN_WORD],
				1UL << fd % FSK_PIN_WORD);
}

/**
 * fsk_pin_forget() - this descriptor is not what it was
 * @fd: a descriptor that may have become a listener
 *
 * Context: Any.
 */
void fsk_pin_forget(int fd)
{
	if (fd >= 0 && fd < FSK_PIN_FDS)
		atomic_fetch_and(&fsk_pin_others[fd / FSK_PIN_WORD],
				 ~(1UL << fd % FSK_PIN_WORD));
}

/* Bind to the CPU that the kernel chooses among those that we may use. */
static void fsk_pin_bind(int fd, struct fsk_pin_thread *self)
{
	unsigned char mask[FSK_MASK_BYTES] = { 0 };
	__u32 cpu;

	if (ioctl(fd, FSK_IOC_PIN, &cpu)) {
		fsk_log("fd %d: not bound: %s", fd, errno == EDQUOT ?
			"its owner has as many local listeners as it may" :
			strerror(errno));
		return;
	}
	if (cpu >= 8 * sizeof(mask))
		return;
	CPU_SET_S(cpu, sizeof(mask), (cpu_set_t *)mask);
	if (sched_setaffinity(0, sizeof(mask), (cpu_set_t *)mask)) {
		fsk_log("fd %d: not bound to CPU %u: %s", fd, cpu,
			strerror(errno));
		return;
	}
	self->pinned = true;
	fsk_log("fd %d: bound to CPU %u", fd, cpu);
}

/**
 * fsk_pin_wanted() - does the calling thread still have to be looked at?
 *
 * Context: Any.
 * Return: whether fsk_pin() may do something.
 */
bool fsk_pin_wanted(void)
{
	return fsk_config_get()->pin && !fsk_pin_self.done;
}

static void fsk_pin_thread(int fd)
{
	struct fsk_pin_thread *self = &fsk_pin_self;

	self->done = true;
	memset(self->mask, 0, sizeof(self->mask));
	if (sched_getaffinity(0, sizeof(self->mask), (cpu_set_t *)self->mask))
		return;
	if (CPU_COUNT_S(sizeof(self->mask), (cpu_set_t *)self->mask) == 1)
		fsk_log("fd %d: already bound to one CPU", fd);
	else
		fsk_pin_bind(fd, self);
}

/**
 * fsk_pin() - the calling thread is about to wait
 * @fd: on this, among others
 *
 * Context: Keeps errno. Expects fsk_pin_wanted().
 */
void fsk_pin(int fd)
{
	int saved = errno;

	if (fsk_pin_other(fd))
		return;
	if (fsk_join_check(fd))
		fsk_pin_thread(fd);
	else
		fsk_pin_remember(fd);
	errno = saved;
}

/**
 * fsk_pin_original() - what a new thread's CPUs should be
 * @mask: FSK_MASK_BYTES, is filled in
 *
 * Context: Any.
 * Return: whether the calling thread was bound by us; if not, there is nothing
 *         to do.
 */
bool fsk_pin_original(void *mask)
{
	if (fsk_pin_self.pinned)
		memcpy(mask, fsk_pin_self.mask, FSK_MASK_BYTES);
	return fsk_pin_self.pinned;
}

/**
 * fsk_pin_restore() - give the calling thread these CPUs
 * @mask: from fsk_pin_original()
 *
 * Context: Keeps errno.
 */
void fsk_pin_restore(const void *mask)
{
	int saved = errno;

	sched_setaffinity(0, FSK_MASK_BYTES, mask);
	errno = saved;
}

static void fsk_pin_fork_child(void)
{
	if (fsk_pin_self.pinned && fsk_config_get()->pin)
		fsk_pin_restore(fsk_pin_self.mask);
	fsk_pin_self.pinned = false;
	fsk_pin_self.done = false;
}

/**
 * fsk_pin_init() - be ready for fork(), if binding was asked for
 *
 * Context: Once, when the library is loaded.
 */
void fsk_pin_init(void)
{
	if (fsk_config_get()->pin)
		pthread_atfork(NULL, NULL, fsk_pin_fork_child);
}
