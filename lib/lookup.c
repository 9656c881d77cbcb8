// SPDX-License-Identifier: MIT
/*
 * Finds functions of the C library at run time: the next definition of those
 * that the library interposes, and those that not every C library has. The
 * dynamic linker ends a program whose C library lacks a symbol that the library
 * was linked with.
 */
#include <dlfcn.h>
#include <stddef.h>

#include "fsocket.h"

/* glibc 2.34 gave these a second version. The first is in all of them, so that
 * a library that was built with a new glibc runs with an old one.
 */
#if defined(__GLIBC__) && defined(__x86_64__)
#define FSK_LOOKUP_FIRST "GLIBC_2.2.5"
#elif defined(__GLIBC__) && defined(__aarch64__)
#define FSK_LOOKUP_FIRST "GLIBC_2.17"
#endif
#ifdef FSK_LOOKUP_FIRST
__asm__(".symver dlerror, dlerror@" FSK_LOOKUP_FIRST);
__asm__(".symver dlopen, dlopen@" FSK_LOOKUP_FIRST);
__asm__(".symver dlsym, dlsym@" FSK_LOOKUP_FIRST);
#endif

/**
 * fsk_lookup() - the next definition of a function after the library's own
 * @name: of the function
 *
 * Before 2.34 glibc had its threads in a library apart. If not the program but
 * a plugin of it brought that, it is not among those that come next.
 *
 * Context: Not in a signal handler, nor in the child of a thread that forked:
 *          it may wait for the dynamic linker's lock.
 * Return: the C library's, or another preloaded library's, or %NULL.
 */
void *fsk_lookup(const char *name)
{
	void *next = dlsym(RTLD_NEXT, name);
	void *threads;

	if (next)
		return next;
	threads = dlopen("libpthread.so.0", RTLD_LAZY | RTLD_NOLOAD);
	return threads ? dlsym(threads, name) : NULL;
}

/**
 * fsk_lookup_done() - leave no error to a program that asks for its own
 *
 * musl keeps one until somebody asks.
 *
 * Context: As fsk_lookup().
 */
void fsk_lookup_done(void)
{
	dlerror();
}
