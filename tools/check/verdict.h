/* SPDX-License-Identifier: MIT */
#ifndef FSK_VERDICT_H
#define FSK_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

struct fsk_facts;
struct fsk_listening;
struct fsk_unit;

#define FSK_VERDICT_MAX		8	/* reasons that are told of one */
#define FSK_VERDICT_TEXT	512	/* bytes of each text */

/**
 * struct fsk_verdict - why a listener is not fast; no reason: it is
 * @count: of @reasons
 * @reasons: what is so, and what to do about it
 */
struct fsk_verdict {
	size_t count;
	struct fsk_reason {
		char what[FSK_VERDICT_TEXT];
		char act[FSK_VERDICT_TEXT];
	} reasons[FSK_VERDICT_MAX];
};

void fsk_verdict_add(struct fsk_verdict *verdict, const char *act,
		     const char *what, ...)
	__attribute__((format(printf, 3, 4)));
void fsk_verdict_act(struct fsk_verdict *verdict, const char *act, ...)
	__attribute__((format(printf, 2, 3)));
void fsk_verdict_find(struct fsk_verdict *verdict,
		      const struct fsk_listening *listening,
		      const struct fsk_facts *facts,
		      const struct fsk_unit *unit);

#endif
