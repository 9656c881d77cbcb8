// SPDX-License-Identifier: GPL-2.0
#include "stall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support.h"

/**
 * stall_make() - make a page
 * @s: to be filled
 *
 * Return: 0 or a negative errno; -ENOSYS where the kernel has no userfaultfd.
 */
int stall_make(struct stall *s)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = {
		.range.len = STALL_SIZE,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	s->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (s->uffd < 0)
		return -errno;
	s->page = mmap(NULL, STALL_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area.range.start = (uintptr_t)s->page;
	if (s->page == MAP_FAILED || ioctl(s->uffd, UFFDIO_API, &api) ||
	    ioctl(s->uffd, UFFDIO_REGISTER, &area))
		return -errno;
	return 0;
}

/* Return: whether somebody waits at the page, at last. */
bool stall_waits(const struct stall *s)
{
	return sock_wait(s->uffd, POLLIN, PATIENCE_MS);
}

/**
 * stall_end() - let them go on
 * @s: the page, which is like any other from now on
 * @content: the text that they find there, or NULL for zeroes
 */
void stall_end(struct stall *s, const char *content)
{
	static char page[STALL_SIZE] __attribute__((aligned(STALL_SIZE)));
	struct uffdio_copy copy = {
		.dst = (uintptr_t)s->page,
		.src = (uintptr_t)page,
		.len = STALL_SIZE,
	};

	memset(page, 0, sizeof(page));
	snprintf(page, sizeof(page), "%s", content ? content : "");
	ioctl(s->uffd, UFFDIO_COPY, &copy);
	close(s->uffd);
}
