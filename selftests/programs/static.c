// SPDX-License-Identifier: GPL-2.0
/*
 * A server that no preload library reaches: linked statically, as Go programs
 * are.  A thread per CPU, bound to it, waits for connections in epoll.
 *
 *   static PORT [join]    "join": by its own socket option
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
			     "Connection: close\r\n\r\nok\n";
static int listener;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void serve(int fd)
{
	char request[4096];
	struct timeval limit = { .tv_sec = 5 };
	size_t have = 0;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	while ((n = read(fd, request + have, sizeof(request) - 1 - have)) > 0) {
		have += n;
		request[have] = 0;
		if (!strstr(request, "\r\n\r\n"))
			continue;
		if (write(fd, answer, sizeof(answer) - 1) < 0)
			perror("write");
		break;
	}
	close(fd);
}

static void bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static void *worker(void *cpu)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	int fd, ep = epoll_create1(0);

	bind_to((intptr_t)cpu);
	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, listener, &event))
		die("epoll");
	for (;;) {
		epoll_wait(ep, &event, 1, -1);
		fd = accept4(listener, NULL, NULL, 0);
		if (fd >= 0)
			serve(fd);
	}
	return NULL;
}

static void listen_on(int port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int one = 1;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (listener < 0)
		die("socket");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (void *)&addr, sizeof(addr)) ||
	    listen(listener, 511))
		die("listen");
}

int main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread;

	if (argc < 2)
		return 2;
	listen_on(atoi(argv[1]));
	if (argc > 2 && setsockopt(listener, IPPROTO_TCP, TCP_ULP,
				   "fastsocket", sizeof("fastsocket") - 1))
		die("TCP_ULP");
	for (intptr_t cpu = 1; cpu < cpus; cpu++)
		if (pthread_create(&thread, NULL, worker, (void *)cpu))
			die("pthread_create");
	worker((void *)0);
	return 0;
}
