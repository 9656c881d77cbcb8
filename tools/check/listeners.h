/* SPDX-License-Identifier: MIT */
#ifndef FSK_LISTENERS_H
#define FSK_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fsk_procs;
struct fsk_rows;

/**
 * struct fsk_listening - the listeners of one address and port
 * @family: AF_INET or AF_INET6
 * @addr: network byte order
 * @port: host byte order
 * @ifindex: device that they are bound to, or 0
 * @pid: a process that has one of them, or 0
 * @sockets: how many there are; several with SO_REUSEPORT
 * @joined: those that have joined
 * @queues: queues of workers that have one now
 * @limited: a queue was not made, the owner has as many as it may
 * @local: connections accepted by a worker from its own queue
 * @accepted: all accepted connections
 * @bypass: the option that makes the module leave one alone, or empty
 */
struct fsk_listening {
	uint8_t family;
	uint8_t addr[16];
	uint16_t port;
	uint32_t ifindex;
	pid_t pid;
	unsigned int sockets;
	unsigned int joined;
	unsigned int queues;
	bool limited;
	uint64_t local;
	uint64_t accepted;
	char bypass[64];
};

/**
 * struct fsk_listenings - all listeners of a network namespace
 * @count: of @all
 * @all: by address and port
 */
struct fsk_listenings {
	size_t count;
	struct fsk_listening *all;
};

int fsk_listenings_read(struct fsk_listenings *listenings,
			const struct fsk_rows *rows,
			const struct fsk_procs *procs,
			bool (*wanted)(pid_t pid, void *data), void *data);
void fsk_listenings_free(struct fsk_listenings *listenings);
void fsk_listenings_rows(struct fsk_listenings *listenings,
			 const struct fsk_rows *rows);

#endif
