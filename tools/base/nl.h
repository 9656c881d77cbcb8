/* SPDX-License-Identifier: MIT */
#ifndef FSK_NL_H
#define FSK_NL_H

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

struct fsk_nl;

/*
 * Takes a message of a reply: its attributes by number, and @msg, which has all
 * of them where there may be several of a kind. Without @msg a dump begins, or
 * begins again: then it forgets all that it has taken. Unless it returns 0, its
 * result becomes the exit status.
 */
typedef int fsk_nl_take(const struct nlmsghdr *msg,
			const struct nlattr **attrs, void *data);

struct fsk_nl *fsk_nl_open(void);
struct fsk_nl *fsk_nl_try(bool *away);
void fsk_nl_close(struct fsk_nl *nl);
uint32_t fsk_nl_group(const char *name, const char *group);

struct nlmsghdr *fsk_nl_message(struct fsk_nl *nl, uint8_t cmd);
int fsk_nl_do(struct fsk_nl *nl, struct nlmsghdr *msg, int max,
	      fsk_nl_take *take, void *data);
int fsk_nl_change(struct fsk_nl *nl, struct nlmsghdr *msg, const int *fine);
int fsk_nl_dump(struct fsk_nl *nl, uint8_t cmd, int max, fsk_nl_take *take,
		void *data);
void fsk_nl_nested(const struct nlattr *nest, int max,
		   const struct nlattr **attrs);

/* An attribute's value, or 0 when it is absent or of another size. */
uint64_t fsk_nl_uint(const struct nlattr *attr);
const char *fsk_nl_str(const struct nlattr *attr);

#endif
