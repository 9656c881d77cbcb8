// SPDX-License-Identifier: MIT
/*
 * Reads memory to which the program has passed a pointer. If the pointer is bad
 * the program must get the kernel's EFAULT, or EBADF or EINVAL if those come
 * first, and never a signal from the library.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fsocket.h"

/* No machine has smaller pages; where they are larger this asks too often. */
#define FSK_MEMORY_PAGE	4096

/* Bytes that the kernel reads of a signal mask. */
#define FSK_MEMORY_WORD	8

/* The kernel copies the mask before it looks at the operation, and there is no
 * operation of this number. So it answers EFAULT, or EINVAL and does nothing.
 * Nearly every seccomp filter allows this call, as the C library needs it.
 */
static bool fsk_memory_reads(const char *at)
{
	return syscall(SYS_rt_sigprocmask, ~0, at, NULL, FSK_MEMORY_WORD) < 0 &&
	       errno == EINVAL;
}

/**
 * fsk_memory_copy() - copy from a pointer that may be bad
 * @to: a variable of ours
 * @from: the pointer, from the program
 * @size: at least 8, and no more than a page
 *
 * The program still gets a signal if another thread unmaps the memory between
 * the check and the copy.
 *
 * Context: Keeps errno.  One system call, or two.
 * Return: whether it could be read. If not, the kernel will tell the program.
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
