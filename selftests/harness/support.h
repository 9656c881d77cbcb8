/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every test program needs: a network namespace of its own, sockets,
 * binding to CPUs, and waiting for a condition.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifndef SOL_TCP
#define SOL_TCP 6
#endif
#ifndef TCP_ULP
#define TCP_ULP 31
#endif

#define UNBOUND	(-1)		/* in place of a CPU */

/* Emulated CPUs stall for seconds when the host is busy. */
#define PATIENCE_MS	20000

/* So the harness's 30 seconds would end tests that only wait for each other. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	300

/**
 * struct trial - which sockets a test tries
 * @family: of the listener
 * @dual: an IPv6 listener that is reached over IPv4
 * @join: whether it joins Fastsocket
 */
struct trial {
	int family;
	bool dual;
	bool join;
};

/* The variants that most fixtures have. */
#define TRIAL_VARIANTS(fixture)						\
	FIXTURE_VARIANT(fixture) { struct trial trial; };		\
	FIXTURE_VARIANT_ADD(fixture, ipv4) {				\
		.trial = { AF_INET, false, true } };			\
	FIXTURE_VARIANT_ADD(fixture, ipv6) {				\
		.trial = { AF_INET6, false, true } };			\
	FIXTURE_VARIANT_ADD(fixture, dual) {				\
		.trial = { AF_INET6, true, true } }

/* ... and the same without joining. */
#define TRIAL_VARIANTS_PLAIN(fixture)					\
	FIXTURE_VARIANT_ADD(fixture, ipv4_plain) {			\
		.trial = { AF_INET, false, false } };			\
	FIXTURE_VARIANT_ADD(fixture, ipv6_plain) {			\
		.trial = { AF_INET6, false, false } }

/**
 * until_ms() - wait for a condition, but not for ever
 * @limit: how long, in milliseconds
 * @cond: evaluated every few milliseconds
 *
 * Return: whether it came true.
 */
#define until_ms(limit, cond) ({					\
	uint64_t __end = now_ms() + (limit);				\
	bool __ok;							\
	while (!(__ok = (cond)) && now_ms() < __end)			\
		nap();							\
	__ok || (cond);							\
})
#define until(cond)	until_ms(PATIENCE_MS, cond)

uint64_t now_ms(void);
void nap(void);
bool full_run(void);
int fault_count(int quick, int full);
long module_refs(void);
int module_load(void);
int module_unload(void);

int net_enter(void);
int net_fd(void);
int net_switch(int net);
int file_write(const char *path, const char *text);
int sysctl_set(const char *name, const char *value);
long netstat(const char *name);
long slab_objects(const char *name);

int cpus_online(void);
int pin_task(pid_t tid, int cpu);
int pin(int cpu);
int pin_mask(unsigned long mask);
void unpin(void);
int cpu_switch(int cpu, bool on);

int join(int fd);
bool joined(int fd);
int prime(int fd);

socklen_t sock_addr(struct sockaddr_storage *ss, int family, int port,
		    bool loopback);
int sock_port(int fd);
int sock_make(const struct trial *p);
int sock_bind(const struct trial *p, int fd, int port);
int sock_listen(const struct trial *p, int backlog);
int sock_dial(const struct trial *p, int port);
int sock_dial_nowait(const struct trial *p, int port);
int sock_dial_fast(const struct trial *p, int port);
int plain_dial(const struct sockaddr_storage *to, socklen_t len);
int rfd_make(int family);
int rfd_dial(const struct sockaddr_storage *to, socklen_t len);
int sock_accept(int fd);
int sock_accept_fast(int fd, int flags, void *addr, socklen_t *len);
bool sock_claim(int fd, int cpu);
int sock_set(int fd, int level, int name, int value);
int sock_get(int fd, int level, int name);
int sock_disconnect(int fd);
void sock_reset(int fd);
bool sock_wait(int fd, short events, int ms);
bool sock_refused(const struct trial *p, int port);

pid_t fork_child(void);
int reap(pid_t pid);
void end(pid_t pid);
int halt(pid_t pid);
void tell_file(const char *path);
void tell_tasks(int pid);

#endif
