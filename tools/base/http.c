// SPDX-License-Identifier: MIT
/*
 * Just enough HTTP to be scraped: one GET or HEAD of /metrics on a connection
 * that systemd has accepted, then the end. Requests have no body. Only their
 * method, their path and the formats that the client accepts matter.
 */
#include "http.h"

#include <poll.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "error.h"

#define FSK_HTTP_REQUEST	8192	/* bytes that a request may have */
#define FSK_HTTP_LIMIT		10	/* seconds that it may take to come */
#define FSK_HTTP_OPEN		"application/openmetrics-text"

static const struct {
	int status;
	const char *text;
} fsk_http_words[] = {
	{ 200, "OK" }, { 400, "Bad Request" }, { 404, "Not Found" },
	{ 405, "Method Not Allowed" }, { 408, "Request Timeout" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
};

/* Does the client take OpenMetrics? One that does prefers it. */
static bool fsk_http_takes_open(const char *line)
{
	for (; (line = strstr(line, "\n")); ) {
		size_t length = strcspn(++line, "\r\n");

		if (!strncasecmp(line, "accept:", 7) &&
		    memmem(line, length, FSK_HTTP_OPEN,
			   strlen(FSK_HTTP_OPEN)))
			return true;
	}
	return false;
}

/**
 * fsk_http_parse() - understand a request
 * @text: the request, complete
 * @request: filled in
 *
 * Return: whether metrics are asked for.
 */
bool fsk_http_parse(const char *text, struct fsk_http_request *request)
{
	char method[8], path[64], version[16];

	memset(request, 0, sizeof(*request));
	request->status = 400;
	if (sscanf(text, "%7[A-Z] %63[^ \r\n] %15[^ \r\n]", method, path,
		   version) != 3 || strncmp(version, "HTTP/1.", 7))
		return false;
	request->head = !strcmp(method, "HEAD");
	path[strcspn(path, "?")] = '\0';
	if (strcmp(path, "/metrics"))
		request->status = 404;
	else if (!request->head && strcmp(method, "GET"))
		request->status = 405;
	else
		request->status = 200;
	request->open = fsk_http_takes_open(text);
	return request->status == 200;
}

static time_t fsk_http_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/**
 * fsk_http_read() - read a request
 * @fd: the connection
 * @request: filled in
 *
 * A client that sends nothing, or goes on without an end, is not waited for.
 *
 * Return: whether metrics are asked for.
 */
bool fsk_http_read(int fd, struct fsk_http_request *request)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };
	time_t end = fsk_http_now() + FSK_HTTP_LIMIT, left;
	char text[FSK_HTTP_REQUEST + 1] = "";
	size_t length = 0;
	ssize_t more;

	memset(request, 0, sizeof(*request));
	while (!strstr(text, "\r\n\r\n") && !strstr(text, "\n\n")) {
		left = end - fsk_http_now();
		request->status = length == FSK_HTTP_REQUEST ? 431 : 408;
		if (length == FSK_HTTP_REQUEST || left <= 0 ||
		    poll(&input, 1, left * 1000) <= 0)
			return false;
		more = read(fd, text + length, FSK_HTTP_REQUEST - length);
		if (more <= 0) {
			request->status = 400;
			return false;
		}
		length += more;
		text[length] = '\0';
	}
	return fsk_http_parse(text, request);
}

static void fsk_http_head(int status, const char *type, size_t size,
			  FILE *file)
{
	const char *words = "";

	for (size_t i = 0; i < sizeof(fsk_http_words) /
			       sizeof(*fsk_http_words); i++)
		if (fsk_http_words[i].status == status)
			words = fsk_http_words[i].text;
	fprintf(file, "HTTP/1.1 %d %s\r\n", status, words);
	fprintf(file, "Content-Type: %s; charset=utf-8\r\n", type);
	if (status == 405)
		fprintf(file, "Allow: GET, HEAD\r\n");
	fprintf(file, "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		size);
}

/**
 * fsk_http_refuse() - say that there are no metrics, and why
 * @request: its status is the reason
 * @file: the connection
 *
 * Return: exit status. A client's mistake is no failure of ours.
 */
int fsk_http_refuse(const struct fsk_http_request *request, FILE *file)
{
	static const char body[] = "there is /metrics, for GET and HEAD\n";

	fsk_http_head(request->status, "text/plain", strlen(body), file);
	if (!request->head)
		fputs(body, file);
	return FSK_EXIT_DONE;
}

/**
 * fsk_http_answer() - send metrics
 * @request: the request
 * @body: the metrics
 * @size: bytes
 * @file: the connection
 */
void fsk_http_answer(const struct fsk_http_request *request, const char *body,
		     size_t size, FILE *file)
{
	fsk_http_head(200, request->open ?
		      FSK_HTTP_OPEN "; version=1.0.0" :
		      "text/plain; version=0.0.4", size, file);
	if (!request->head)
		fwrite(body, 1, size, file);
}
