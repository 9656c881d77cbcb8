/* SPDX-License-Identifier: MIT */
#ifndef FSK_HTTP_H
#define FSK_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/**
 * struct fsk_http_request - a request, as far as it matters
 * @status: 200, or why it is refused
 * @head: only the head of the answer is wanted
 * @open: the client takes OpenMetrics
 */
struct fsk_http_request {
	int status;
	bool head;
	bool open;
};

bool fsk_http_parse(const char *text, struct fsk_http_request *request);
bool fsk_http_read(int fd, struct fsk_http_request *request);
int fsk_http_refuse(const struct fsk_http_request *request, FILE *file);
void fsk_http_answer(const struct fsk_http_request *request, const char *body,
		     size_t size, FILE *file);

#endif
