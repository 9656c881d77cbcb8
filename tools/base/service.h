/* SPDX-License-Identifier: MIT */
#ifndef FSK_SERVICE_H
#define FSK_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#define FSK_SERVICE_NAME	256	/* bytes of a unit's name, at most */

/**
 * struct fsk_service - a service of systemd
 * @name: with its ending
 * @user: of the caller's own manager, not the system's
 * @text: lines NAME=VALUE, as the manager shows them
 */
struct fsk_service {
	char name[FSK_SERVICE_NAME];
	bool user;
	char *text;
};

/* Takes a word of a list; returns true to end. */
typedef bool fsk_service_take(const char *word, void *data);

bool fsk_service_template(const char *name);
int fsk_service_pattern(const char *word);
int fsk_service_systemctl(bool user, char **text, ...)
	__attribute__((sentinel));
int fsk_service_read(struct fsk_service *unit, const char *word, bool user);
void fsk_service_free(struct fsk_service *unit);
const char *fsk_service_next(const struct fsk_service *unit,
			     const char *property,
			     const char *after, char *value, size_t size);
const char *fsk_service_get(const struct fsk_service *unit,
			    const char *property,
			    char *value, size_t size);
bool fsk_service_is(const struct fsk_service *unit, const char *property,
		    const char *value);
bool fsk_service_each(char *list, const char *between, fsk_service_take *take,
		      void *data);
int fsk_service_folder(bool user, char *path, size_t size);

#endif
