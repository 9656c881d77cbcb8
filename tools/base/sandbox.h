/* SPDX-License-Identifier: MIT */
#ifndef FSK_SANDBOX_H
#define FSK_SANDBOX_H

struct fsk_conf_section;
struct fsk_dropin;
struct fsk_service;

void fsk_sandbox_needs(struct fsk_dropin *dropin,
		       const struct fsk_conf_section *section);
void fsk_sandbox_check(struct fsk_dropin *dropin,
		       const struct fsk_service *unit);
void fsk_sandbox_verify(struct fsk_dropin *dropin,
			const struct fsk_service *unit);

#endif
