// SPDX-License-Identifier: GPL-2.0
/*
 * A program that listens and does no more, for tests of what loads the library
 * and what does not: plain_listen PORT READY.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (argc < 3)
		return 1;
	addr.sin_port = htons(atoi(argv[1]));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 9))
		return 1;
	if (open(argv[2], O_CREAT | O_WRONLY, 0600) < 0)
		return 1;
	pause();
	return 0;
}
