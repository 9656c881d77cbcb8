// SPDX-License-Identifier: MIT
/*
 * Reading what the program has passed to a call. A bad pointer has to get the
 * kernel's EFAULT (or EBADF, or EINVAL, if that comes first), never a signal
 * from the library.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fsocket.h"

/* The smallest pages that there are; where they are larger we ask too often. */
#define FSK_MEMORY_PAGE	4096

/* What the kernel reads of a signal mask. */
#define FSK_MEMORY_WORD	8

/* The kernel copies the mask before it looks at what is to be done with it, and
 * it knows nothing by this number: EFAULT, or EINVAL and nothing has happened.
 * Nearly each seccomp filter lets this call through, as the C library needs it.
 */
static bool fsk_memory_reads(const char *at)
{
	return syscall(SYS_rt_sigprocmask, ~0, at, NULL, FSK_MEMORY_WORD) < 0 &&
	       errno == EINVAL;
}

/**
 * fsk_memory_copy() - copy what may be anywhere, or nowhere
 * @to: a variable of ours
 * @from: a pointer that the program gave
 * @size: at least 8, and no more than a page
 *
 * Another thread that unmaps it in between can still make us fail.
 *
 * Context: Keeps errno.  One system call, or two.
 * Return: whether it was there; if not, the kernel is to say so.
 */
bool fsk_memory_copy(void *to, const void *from, size_t size)
{
	const char *last = (const char *)from + size - FSK_MEMORY_WORD;
	int saved = errno;
	bool reads;

	reads = from && last >= (const char *)from && fsk_memory_reads(from) &&
		((uintptr_t)from / FSK_MEMORY_PAGE ==
		 ((uintptr_t)last + FSK_MEMORY_WORD - 1) / FSK_MEMORY_PAGE ||
		 fsk_memory_reads(last));
	errno = saved;
	if (reads)
		memcpy(to, from, size);
	return reads;
}
