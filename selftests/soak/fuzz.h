/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fuzzer's parts: fuzz_netlink.c makes requests, fuzz_socket.c system calls
 * on sockets, fuzz.c the processes and threads that run them.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct fuzz_attr - an attribute that a request may have
 * @id: its number
 * @name: as in the specification
 * @size: of a number, 0 for binary data
 * @max: largest number or length that is taken, 0 when the specification has
 *	none
 */
struct fuzz_attr {
	int id;
	const char *name;
	int size;
	unsigned int max;
};

/**
 * struct fuzz_op - a request of the netlink family
 * @cmd: its number
 * @name: as in the specification
 * @dump: the kernel answers with a list
 * @attr: attributes that it may have
 * @attrs: number of these
 */
struct fuzz_op {
	int cmd;
	const char *name;
	int dump;
	const struct fuzz_attr *attr;
	int attrs;
};

#define FUZZ_OPS	32	/* room for more requests than there are */
#define FUZZ_ATTRS	16
#define FUZZ_CALLS	40
#define FUZZ_STATES	16
#define FUZZ_THREADS	128
#define FUZZ_NETS	3
#define FUZZ_GROUPS	"/", "/fsk-fuzz", "/fsk-fuzz/b"	/* control groups */
#define FUZZ_NOWHERE	"10.77.1.1"	/* where spoof_open() routes to */

/* What setsockopt(TCP_ULP) is to make of a socket. */
enum fuzz_ulp { FUZZ_ULP_LISTEN, FUZZ_ULP_RFD, FUZZ_ULPS };

struct fuzz_count {
	uint64_t ok;
	uint64_t refused;
};

/**
 * struct fuzz_shared - what all processes of a run count together
 * @calls: calls made so far
 * @want: calls after which to stop
 * @op: answers, by request
 * @attr: answers, by request and attribute
 * @call: results, by kind of system call
 * @ulp: joining and priming, by the state that the socket was in
 * @last: what each thread is about to call, by kind
 * @stuck: processes that the witness looks at in the end
 */
struct fuzz_shared {
	uint64_t calls;
	uint64_t want;
	struct fuzz_count op[FUZZ_OPS];
	struct fuzz_count attr[FUZZ_OPS][FUZZ_ATTRS];
	struct fuzz_count call[FUZZ_CALLS];
	struct fuzz_count ulp[FUZZ_ULPS][FUZZ_STATES];
	volatile int last[FUZZ_THREADS];
	volatile int stuck[FUZZ_THREADS];
};

/**
 * struct fuzz - one thread
 * @shared: counts
 * @rng: state of its random numbers
 * @id: index in @shared->last
 * @family: number of the netlink family
 * @net: descriptors of network namespaces
 * @nets: number of these; 0 for a thread that may not change its own
 * @cpus: number of CPUs online
 * @nl: state of fuzz_netlink.c
 * @ring: state of fuzz_socket.c
 */
struct fuzz {
	struct fuzz_shared *shared;
	uint64_t rng;
	int id;
	int family;
	const int *net;
	int nets;
	int cpus;
	struct fuzz_netlink *nl;
	bool spare_root;	/* do not select all control groups */
	void *ring;
};

uint64_t fuzz_mix(uint64_t x);
uint64_t fuzz_setting(const char *name, uint64_t otherwise);
uint64_t fuzz_seed(void);
uint64_t fuzz_random(struct fuzz *f);
unsigned int fuzz_below(struct fuzz *f, unsigned int n);
bool fuzz_chance(struct fuzz *f, unsigned int one_in);
unsigned int fuzz_number(struct fuzz *f, unsigned int max);
void fuzz_count(struct fuzz_count *count, bool ok);
void fuzz_called(struct fuzz *f);

int fuzz_netlink_ops(const struct fuzz_op **ops);
int fuzz_netlink_family(void);
void fuzz_netlink_start(struct fuzz *f);
void fuzz_netlink(struct fuzz *f);

int fuzz_socket_calls(void);
const char *fuzz_socket_call(int call);
bool fuzz_socket_root(int call);
bool fuzz_socket_rfd(int call);
void fuzz_socket_init(void);
void fuzz_socket_start(struct fuzz *f);
void fuzz_socket_end(struct fuzz *f);
void fuzz_socket(struct fuzz *f);

#endif
