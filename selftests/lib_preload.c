// SPDX-License-Identifier: GPL-2.0
/*
 * What lib_preload.py can't do: listen() before main(), errno, thread
 * attributes. Prints what is wrong; the exit status says whether anything is.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int early = -1;
static int wrong;

#define CHECK(condition) do {						\
	if (!(condition)) {						\
		printf("line %d: %s\n", __LINE__, #condition);		\
		wrong = 1;						\
	}								\
} while (0)

static int listener(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	errno = 4242;
	CHECK(!listen(fd, 5));
	CHECK(errno == 4242);
	return fd;
}

/* Before all constructors of the library, if it has any. */
__attribute__((constructor(101))) static void listen_early(void)
{
	early = listener();
}

static int joined(int fd)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	CHECK(!getsockopt(fd, IPPROTO_TCP, 31, name, &len));
	return !strcmp(name, "fastsocket");
}

/* listen() as ever: results, errno, and the next one's too. */
static void check_listen(int expect)
{
	int pipes[2], fd;
	pid_t child;

	CHECK(joined(early) == expect);
	fd = listener();
	CHECK(joined(fd) == expect);
	CHECK(!listen(fd, 0) && joined(fd) == expect);
	CHECK(!listen(fd, 2147483647) && joined(fd) == expect);
	CHECK(listen(-1, 5) == -1 && errno == EBADF);
	CHECK(!pipe(pipes));
	CHECK(listen(pipes[0], 5) == -1 && errno == ENOTSOCK);
	child = vfork();
	if (!child) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		_exit(listen(fd, 5) || joined(fd) != expect);
	}
	CHECK(waitpid(child, &fd, 0) == child && fd == 0);
}

static void *count_cpus(void *arg)
{
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	*(int *)arg = CPU_COUNT(&set) == 1 && CPU_ISSET(1, &set);
	return NULL;
}

/* A bound thread makes one whose CPUs the program has chosen. */
static void check_attr(void)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	int fd = listener();
	pthread_attr_t attr;
	pthread_t thread;
	int right = 0;
	cpu_set_t set;

	CHECK(!getsockname(fd, (struct sockaddr *)&addr, &len));
	CHECK(!connect(socket(AF_INET, SOCK_STREAM, 0),
		       (struct sockaddr *)&addr, len));
	CHECK(accept(fd, NULL, NULL) >= 0);
	sched_getaffinity(0, sizeof(set), &set);
	CHECK(CPU_COUNT(&set) == 1);
	CPU_ZERO(&set);
	CPU_SET(1, &set);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	CHECK(!pthread_create(&thread, &attr, count_cpus, &right));
	pthread_join(thread, NULL);
	CHECK(right);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "attr"))
		check_attr();
	else
		check_listen(argc == 2 && !strcmp(argv[1], "joins"));
	return wrong;
}
