/* SPDX-License-Identifier: MIT */
#ifndef FSK_ADVISE_H
#define FSK_ADVISE_H

struct fsk_facts;
struct fsk_listening;
struct fsk_verdict;

void fsk_advise(struct fsk_verdict *verdict,
		const struct fsk_listening *listening,
		const struct fsk_facts *facts, const char *root);

#endif
