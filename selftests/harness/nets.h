/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A server's and a client's network namespace with a veth pair between them,
 * for tests that loopback can't serve.
 */
#ifndef NETS_H
#define NETS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "support.h"

/**
 * struct nets - two namespaces
 * @server: has fska with 10.9.0.1/16 and fd09::1/64; the caller is in it
 * @client: has fskb with 10.9.0.2/16 and fd09::2/64
 */
struct nets {
	int server;
	int client;
};

int sh(const char *format, ...) __attribute__((format(printf, 1, 2)));
int net_open(void);
int nets_make(struct nets *nets);
socklen_t nets_addr(const struct trial *p, struct sockaddr_storage *ss,
		    int host, int port);

/* Evaluates one expression in the other namespace. */
#define IN_NET(here, there, expr) ({					\
	int __err = setns(there, CLONE_NEWNET);				\
	__typeof__(expr) __value = __err ? -1 : (expr);			\
									\
	setns(here, CLONE_NEWNET) ? -1 : __value;			\
})

#endif
