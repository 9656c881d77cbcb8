/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_GROUP_H
#define FSK_GROUP_H

#include <linux/types.h>
#include <net/sock.h>

struct fsk_core;
struct fsk_group;
struct fsk_listener;

struct fsk_group *fsk_group_create(void);
void fsk_group_destroy(struct fsk_group *group);
bool fsk_group_join(struct fsk_listener *l, struct sock *sk,
		    struct fsk_group *made);
void fsk_group_leave(struct fsk_listener *l);
void fsk_group_insert(struct fsk_core *core);
bool fsk_group_has_program(const struct sock *sk);
bool fsk_group_shares(const struct fsk_listener *l);
unsigned int fsk_group_taken(struct fsk_listener *l, int cpu);
bool fsk_group_may_help(const struct fsk_listener *l);
bool fsk_group_helps(const struct fsk_core *core);
void fsk_group_note_orphan(struct fsk_listener *l);
typedef struct fsk_core *(*fsk_group_older_t)(struct fsk_core *a,
					      struct fsk_core *b);
struct fsk_core *fsk_group_search(struct fsk_listener *l, struct fsk_core *best,
				  fsk_group_older_t older);
struct fsk_core *fsk_group_pick(struct fsk_listener *l, const struct sock *sk,
				unsigned int home);

#endif
