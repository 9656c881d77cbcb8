// SPDX-License-Identifier: GPL-2.0
/*
 * A program for the C libraries that people have, see libcs.sh: it listens, by
 * IPv4 and IPv6, waits in a thread, and forks. Prints what is wrong.
 *
 *   libcs [joins]       "joins": the listeners must have joined
 *   libcs PLUGIN.so     threads are the plugin's, the program has none
 *
 * Built with -DPLUGIN it is that plugin.
 */
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

static void die(const char *what)
{
	printf("%s\n", what);
	exit(1);
}

#if defined(PLUGIN) || !defined(THREADLESS)

static void *wait_for_clients(void *listener)
{
	struct pollfd poll_fd = { .fd = *(int *)listener, .events = POLLIN };

	if (poll(&poll_fd, 1, 10))
		die("somebody connects");
	return listener;
}

int run_thread(int listener);
int run_thread(int listener)
{
	pthread_t thread;
	void *result;

	return pthread_create(&thread, NULL, wait_for_clients, &listener) ||
	       pthread_join(thread, &result) || result != &listener;
}

#else

static int run_thread(int listener)
{
	return 0;
}

#endif
#ifndef PLUGIN

/* What the library looked for in vain is none of the program's errors. glibc
 * has none either, but an old one has dlerror() apart.
 */
static void expect_no_error(void)
{
#ifndef __GLIBC__
	if (dlerror())
		die("an error of the dynamic linker is pending");
#endif
}

static int listen_on(int family, int joins)
{
	int fd = socket(family, SOCK_STREAM, 0);
	char ulp[16] = "";
	socklen_t len = sizeof(ulp);

	if (fd < 0 || listen(fd, 5))
		die("can't listen");
	if (getsockopt(fd, IPPROTO_TCP, TCP_ULP, ulp, &len))
		die("no TCP_ULP");
	if (joins && strcmp(ulp, "fastsocket"))
		die("a listener did not join");
	return fd;
}

static void run_plugin(const char *file, int listener)
{
	void *plugin = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	int (*run)(int fd);

	if (!plugin)
		die(dlerror());
	run = (int (*)(int))dlsym(plugin, "run_thread");
	if (!run || run(listener))
		die("the plugin has no thread");
}

int main(int argc, char **argv)
{
	int joins = argc > 1 && !strcmp(argv[1], "joins");
	int listener = listen_on(AF_INET, joins);
	int status = 1;
	pid_t child;

	expect_no_error();
	listen_on(AF_INET6, joins);
	if (argc > 1 && !joins)
		run_plugin(argv[1], listener);
	else if (run_thread(listener))
		die("no thread");
	child = fork();
	if (!child)
		_exit(run_thread(listener));
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		die("the child fails");
	return 0;
}

#endif
