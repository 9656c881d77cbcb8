// SPDX-License-Identifier: GPL-2.0
/* Metrics of fixed figures, and the HTTP around them, see tools/base. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "../../tools/base/http.h"
#include "../../tools/base/metrics.h"

static struct fsk_stats_core cores[2] = { { .cpu = 0 }, { .cpu = 7 } };
static struct fsk_row rows[6];
static struct fsk_metrics_feature feature = { "rescue", true };
static struct fsk_metrics_table table = { 7, 12, 4096 };
static struct fsk_metrics metrics = {
	.loaded = true,
	.tool = "0.2.0",
	.module = "0.2\"0",
	.listeners = 3,
	.feature_count = 1,
	.features = &feature,
	.table_count = 1,
	.tables = &table,
	.sample = {
		.stats = { .count = 2, .cores = cores },
		.rows = { .rows = rows },
	},
};

static void set(struct fsk_row *row, int attr, uint64_t value)
{
	row->flag[attr] = true;
	row->value[attr] = value;
}

static struct fsk_row *add(int id, int port, int cpu)
{
	struct fsk_row *row = &rows[metrics.sample.rows.count++];

	memset(row, 0, sizeof(*row));
	set(row, FSK_A_LISTEN_ID, id);
	set(row, FSK_A_LISTEN_FAMILY, AF_INET6);
	inet_pton(AF_INET6, "2001:db8::1", row->addr);
	set(row, FSK_A_LISTEN_PORT, port);
	set(row, FSK_A_LISTEN_QMAX, 511);
	if (cpu >= 0)
		set(row, FSK_A_LISTEN_CPU, cpu);
	return row;
}

/* Two sockets at port 80, with a queue each, and one at port 81. */
static void fill(void)
{
	struct fsk_row *row;

	metrics.sample.rows.count = 0;
	memset(metrics.sample.stats.known, true, __FSK_STAT_MAX);
	cores[1].n[FSK_STAT_ACCEPT_LOCAL] = 1234567890123;
	add(1, 80, -1);
	row = add(1, 80, 0);
	set(row, FSK_A_LISTEN_QLEN, 3);
	set(row, FSK_A_LISTEN_ACCEPT_LOCAL, 10);
	add(2, 81, -1);
	set(&rows[2], FSK_A_LISTEN_STATE, FSK_STATE_BYPASS);
	add(3, 80, -1);
	row = add(3, 80, 7);
	set(row, FSK_A_LISTEN_QLEN, 5);
	set(row, FSK_A_LISTEN_ACCEPT_LOCAL, 20);
	row->flag[FSK_A_LISTEN_ORPHANED] = true;
}

static char *text;

/* What is written down. */
static const char *print(enum fsk_metrics_format format)
{
	size_t size;
	FILE *file;

	free(text);
	text = NULL;
	file = open_memstream(&text, &size);
	if (!file || !fsk_metrics_print(&metrics, format, file))
		abort();
	fclose(file);
	return text;
}

#define HAS(line) EXPECT_NE(NULL, strstr(text, "\n" line "\n"))
#define LACKS(line) EXPECT_EQ(NULL, strstr(text, line))

TEST(metrics__counters)
{
	fill();
	print(FSK_METRICS_OPEN);
	HAS("# TYPE fastsocket_accept_local counter");
	HAS("# HELP fastsocket_accept_local accepted from the queue of the "
	    "same core");
	HAS("fastsocket_accept_local_total{cpu=\"0\"} 0");
	HAS("fastsocket_accept_local_total{cpu=\"7\"} 1234567890123");
	print(FSK_METRICS_TEXT);
	HAS("# TYPE fastsocket_accept_local_total counter");
	HAS("fastsocket_accept_local_total{cpu=\"7\"} 1234567890123");
}

/* What an older module does not count is absent, and not 0. */
TEST(metrics__older_module)
{
	fill();
	metrics.sample.stats.known[FSK_STAT_RFD_HIT] = false;
	print(FSK_METRICS_OPEN);
	HAS("fastsocket_rfd_miss_total{cpu=\"7\"} 0");
	LACKS("fastsocket_rfd_hit");
}

/* Sockets that share an address are one: series must not come twice. */
TEST(metrics__listeners)
{
	fill();
	print(FSK_METRICS_OPEN);
#define OF(port) "{listener=\"[2001:db8::1]:" #port "\"} "
	HAS("fastsocket_listener_sockets" OF(80) "2");
	HAS("fastsocket_listener_queues" OF(80) "2");
	HAS("fastsocket_listener_late_queues" OF(80) "1");
	HAS("fastsocket_listener_queue_length" OF(80) "8");
	HAS("fastsocket_listener_queue_longest" OF(80) "5");
	HAS("fastsocket_listener_queue_limit" OF(80) "511");
	HAS("fastsocket_listener_accept_local_total" OF(80) "30");
	HAS("fastsocket_listener_sockets" OF(81) "1");
	HAS("fastsocket_listener_bypassed_sockets" OF(81) "1");
	/* It has no queue, so that nothing can be counted there. */
	LACKS("fastsocket_listener_accept_local_total" OF(81));
}

TEST(metrics__units_and_end)
{
	fill();
	print(FSK_METRICS_OPEN);
	HAS("# UNIT fastsocket_established_memory_bytes bytes");
	HAS("fastsocket_established_memory_bytes{cpu=\"7\"} 4096");
	HAS("fastsocket_feature_enabled{feature=\"rescue\"} 1");
	EXPECT_STREQ("\n# EOF\n", text + strlen(text) - 7);
	print(FSK_METRICS_TEXT);
	LACKS("# UNIT");
	LACKS("# EOF");
	EXPECT_NE(NULL, strstr(text, "module=\"0.2\\\"0\"} 1\n"));
}

TEST(metrics__without_module)
{
	metrics.loaded = false;
	print(FSK_METRICS_OPEN);
	metrics.loaded = true;
	HAS("fastsocket_loaded 0");
	LACKS("fastsocket_accept");
	EXPECT_STREQ("\n# EOF\n", text + strlen(text) - 7);
}

TEST(http__requests)
{
	static const struct {
		const char *text;
		int status;
		bool head;
		bool open;
	} requests[] = {
		{ "GET /metrics HTTP/1.1\r\n\r\n", 200, false, false },
		{ "GET /metrics?x=1 HTTP/1.0\r\n\r\n", 200, false, false },
		{ "HEAD /metrics HTTP/1.1\r\n\r\n", 200, true, false },
		{ "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: "
		  "application/openmetrics-text;version=1.0.0,text/plain\r\n\r\n",
		  200, false, true },
		{ "GET /metrics HTTP/1.1\r\nX: application/openmetrics-text"
		  "\r\n\r\n", 200, false, false },
		{ "POST /metrics HTTP/1.1\r\n\r\n", 405, false, false },
		{ "GET / HTTP/1.1\r\n\r\n", 404, false, false },
		{ "GET /metricsx HTTP/1.1\r\n\r\n", 404, false, false },
		{ "GET /metrics\r\n\r\n", 400, false, false },
		{ "GET /metrics HTTP/2\r\n\r\n", 400, false, false },
		{ "\r\n\r\n", 400, false, false },
		{ "\x16\x03\x01", 400, false, false },
	};
	struct fsk_http_request request;

	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		EXPECT_EQ(requests[i].status == 200,
			  fsk_http_parse(requests[i].text, &request));
		EXPECT_EQ(requests[i].status, request.status);
		EXPECT_EQ(requests[i].head, request.head);
		EXPECT_EQ(requests[i].open, request.open);
	}
}

/* What @size bytes of a request and then the end of it are answered with. */
static int read_request(const char *request, size_t size)
{
	struct fsk_http_request result;
	int ends[2];

	if (pipe(ends) || write(ends[1], request, size) != (ssize_t)size)
		return -1;
	close(ends[1]);
	fsk_http_read(ends[0], &result);
	close(ends[0]);
	return result.status;
}

TEST(http__reads)
{
	static const char good[] = "GET /metrics HTTP/1.1\r\nA: b\r\n\r\n";
	static char endless[9000];

	EXPECT_EQ(200, read_request(good, strlen(good)));
	EXPECT_EQ(400, read_request(good, 10));
	EXPECT_EQ(400, read_request("", 0));
	memset(endless, 'a', sizeof(endless));
	EXPECT_EQ(431, read_request(endless, sizeof(endless)));
}

TEST(http__answers)
{
	struct fsk_http_request request = { .status = 200, .open = true };
	char answer[512] = "";
	FILE *file = fmemopen(answer, sizeof(answer), "w");

	ASSERT_NE(NULL, file);
	fsk_http_answer(&request, "abc\n", 4, file);
	fclose(file);
	EXPECT_STREQ("HTTP/1.1 200 OK\r\n"
		     "Content-Type: application/openmetrics-text; version=1.0.0"
		     "; charset=utf-8\r\n"
		     "Content-Length: 4\r\nConnection: close\r\n\r\nabc\n",
		     answer);
}

TEST_HARNESS_MAIN
