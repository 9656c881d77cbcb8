// SPDX-License-Identifier: MIT
/*
 * FASTSOCKET_PIN: binds each thread that accepts, or is about to, from a
 * joined listener to a CPU that no sibling has. The module chooses the CPU and
 * reserves it, or tells that of the queue where the thread waits already; see
 * FSK_IOC_PIN.
 *
 * A new thread or process would inherit the one CPU of the thread that made it.
 * So its maker has the CPUs back that it had before, while it makes a thread; a
 * process gets them when it begins. A program that asks for the CPUs of a bound
 * thread, to count them, is told of these, too.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/fastsocket.h>

#include "fsocket.h"

#define FSK_PIN_FDS	65536
#define FSK_PIN_WORD	(8 * sizeof(unsigned long))

/* Descriptors that turned out not to be joined listeners. An entry is wrong
 * when the program closes the descriptor and a joined listener gets its number
 * without listen(), by dup() or from another process. accept() mends that: it
 * removes the entry before it looks.
 */
static atomic_ulong fsk_pin_others[FSK_PIN_FDS / FSK_PIN_WORD];

/**
 * struct fsk_pin_thread - whether a thread is bound
 * @done: it has waited on a joined listener before
 * @pinned: the library bound it then
 * @cpu: ... to this CPU
 * @tid: ... when it had this number
 * @mask: the CPUs that it had before
 */
static __thread struct fsk_pin_thread {
	bool done;
	bool pinned;
	__u32 cpu;
	pid_t tid;
	unsigned char mask[FSK_MASK_BYTES];
} fsk_pin_self;

static bool fsk_pin_is_only(__u32 cpu, size_t size, const void *mask)
{
	return CPU_COUNT_S(size, (const cpu_set_t *)mask) == 1 &&
	       CPU_ISSET_S(cpu, size, (const cpu_set_t *)mask);
}

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
 * fsk_pin_forget() - forget what a descriptor was
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

/* Bind to the CPU that the module chooses from the thread's affinity mask. */
static void fsk_pin_bind(int fd, struct fsk_pin_thread *self)
{
	unsigned char mask[FSK_MASK_BYTES] = { 0 };
	char text[FSK_ERROR_SIZE];
	__u32 cpu;

	if (ioctl(fd, FSK_IOC_PIN, &cpu)) {
		self->done = errno != ENOMEM;
		fsk_log("fd %d: not bound: %s", fd, errno == EDQUOT ?
			"its owner has as many local listeners as it may" :
			fsk_log_error(errno, text));
		return;
	}
	if (cpu >= 8 * sizeof(mask))
		return;
	CPU_SET_S(cpu, sizeof(mask), (cpu_set_t *)mask);
	if (sched_setaffinity(0, sizeof(mask), (cpu_set_t *)mask)) {
		fsk_log("fd %d: not bound to CPU %u: %s", fd, cpu,
			fsk_log_error(errno, text));
		return;
	}
	self->pinned = true;
	self->cpu = cpu;
	self->tid = syscall(SYS_gettid);
	fsk_log("fd %d: bound to CPU %u", fd, cpu);
}

/**
 * fsk_pin_wanted() - may fsk_pin() still bind the calling thread?
 *
 * Context: Any.
 * Return: whether it may. Otherwise there is no need to call it.
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
 * fsk_pin() - bind the calling thread, which is about to wait
 * @fd: a descriptor on which it will wait, of any kind
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

/* Not by sched_setaffinity(): that would be the program's choice. */
static bool fsk_pin_set(const void *mask)
{
	return !syscall(SYS_sched_setaffinity, 0, FSK_MASK_BYTES, mask);
}

/* Whether the thread is still where the library has bound it: anybody may have
 * bound it anew.
 */
static bool fsk_pin_holds(const struct fsk_pin_thread *self)
{
	unsigned char mask[FSK_MASK_BYTES] = { 0 };

	return self->pinned &&
	       syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask) > 0 &&
	       fsk_pin_is_only(self->cpu, sizeof(mask), mask);
}

/**
 * fsk_pin_widen() - let a bound thread have its CPUs back for a moment
 *
 * A thread that it makes meanwhile inherits these, unless the program has
 * chosen others for that thread.
 *
 * Context: Keeps errno.
 * Return: whether it has them. Then fsk_pin_narrow() must follow.
 */
bool fsk_pin_widen(void)
{
	const struct fsk_pin_thread *self = &fsk_pin_self;
	int saved = errno;
	bool wide;

	wide = fsk_config_get()->pin && fsk_pin_holds(self) &&
	       fsk_pin_set(self->mask);
	errno = saved;
	return wide;
}

/**
 * fsk_pin_narrow() - bind the calling thread again
 *
 * If that fails, because the CPU is gone, the thread keeps its CPUs. So it does
 * if a signal handler has chosen some meanwhile.
 *
 * Context: Keeps errno.
 */
void fsk_pin_narrow(void)
{
	unsigned char mask[FSK_MASK_BYTES] = { 0 };
	int saved = errno;

	if (!fsk_pin_self.pinned)
		return;
	CPU_SET_S(fsk_pin_self.cpu, sizeof(mask), (cpu_set_t *)mask);
	fsk_pin_set(mask);
	errno = saved;
}

/**
 * fsk_pin_is_self() - does a number mean the calling thread, which is bound?
 * @pid: 0, or a thread's number
 *
 * It makes no system call, as the program may be in a sandbox by now.
 *
 * Context: Any.
 * Return: whether it does. Somebody else may have bound the thread anew since.
 */
bool fsk_pin_is_self(pid_t pid)
{
	const struct fsk_pin_thread *self = &fsk_pin_self;

	return self->pinned && (!pid || pid == self->tid);
}

/**
 * fsk_pin_chosen() - the program has chosen the CPUs of the calling thread
 *
 * A child by vfork() has its parent's variables, but no CPUs in common with it.
 * It is left out, unless no system call may be made to know it.
 *
 * Context: Any.
 */
void fsk_pin_chosen(void)
{
	struct fsk_pin_thread *self = &fsk_pin_self;

	if (self->pinned && (!fsk_config_get()->pin ||
			     self->tid == (pid_t)syscall(SYS_gettid)))
		self->pinned = false;
}

/**
 * fsk_pin_hide() - tell of the CPUs that the calling thread had before
 * @size: bytes of @mask
 * @mask: its CPUs as the C library tells them; replaced if they are the one CPU
 *	to which the library bound it
 *
 * Context: Any.
 */
void fsk_pin_hide(size_t size, void *mask)
{
	const struct fsk_pin_thread *self = &fsk_pin_self;

	if (self->pinned && fsk_pin_is_only(self->cpu, size, mask))
		memcpy(mask, self->mask,
		       size < FSK_MASK_BYTES ? size : FSK_MASK_BYTES);
}

/**
 * fsk_pin_forked() - give a new process the CPUs that its maker had before
 *
 * It keeps them, and is bound when it waits itself.
 *
 * Context: Any, even a signal handler.
 */
void fsk_pin_forked(void)
{
	fsk_pin_widen();
	fsk_pin_self.pinned = false;
	fsk_pin_self.done = false;
}

/**
 * fsk_pin_init() - prepare for fork(), with FASTSOCKET_PIN
 *
 * A program that is linked with glibc has pthread_atfork() in itself, and that
 * calls what is looked up here; musl exports it.
 *
 * Context: Once, when the library is loaded.
 */
void fsk_pin_init(void)
{
	int (*glibc)(void (*prepare)(void), void (*parent)(void),
		     void (*child)(void), void *library);
	int (*musl)(void (*prepare)(void), void (*parent)(void),
		    void (*child)(void));

	if (!fsk_config_get()->pin)
		return;
	glibc = fsk_lookup("__register_atfork");
	if (glibc) {
		/* The linker keeps the library loaded: no library is named. */
		glibc(NULL, NULL, fsk_pin_forked, NULL);
		return;
	}
	musl = fsk_lookup("pthread_atfork");
	if (musl)
		musl(NULL, NULL, fsk_pin_forked);
}
