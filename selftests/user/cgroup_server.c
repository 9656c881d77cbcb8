// SPDX-License-Identifier: GPL-2.0
/*
 * A server that knows nothing of Fastsocket: cgroup_server PORT CPUS. A process
 * on each CPU accepts, writes a byte and closes.
 */
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(int fd, int cpu)
{
	cpu_set_t set;
	int client;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		exit(1);
	for (;;) {
		client = accept(fd, NULL, NULL);
		if (client < 0 || write(client, "x", 1) != 1)
			exit(1);
		close(client);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), cpu;

	if (argc != 3)
		return 2;
	addr.sin6_port = htons(atoi(argv[1]));
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(fd, 64)) {
		perror("cgroup_server");
		return 1;
	}
	for (cpu = 1; cpu < atoi(argv[2]); cpu++)
		if (!fork())
			serve(fd, cpu);
	serve(fd, 0);
}
