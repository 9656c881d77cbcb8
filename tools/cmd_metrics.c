// SPDX-License-Identifier: MIT
/*
 * fastsocket metrics: metrics for Prometheus, printed, in a file for
 * node_exporter, or in answer to one HTTP request.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fastsocket.h>
#include <linux/genetlink.h>

#include "base/array.h"
#include "base/error.h"
#include "base/http.h"
#include "base/metrics.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/read.h"
#include "base/version.h"
#include "fastsocket.h"

static int fsk_metrics_take_feature(struct fsk_metrics *metrics,
				    const struct nlattr *nest)
{
	const struct nlattr *attrs[FSK_A_FEATURE_MAX + 1];
	struct fsk_metrics_feature *more;

	more = fsk_array_grow(metrics->features, metrics->feature_count,
			      sizeof(*more));
	if (!more)
		return fsk_no_memory();
	metrics->features = more;
	more += metrics->feature_count++;
	fsk_nl_nested(nest, FSK_A_FEATURE_MAX, attrs);
	snprintf(more->name, sizeof(more->name), "%s",
		 fsk_nl_str(attrs[FSK_A_FEATURE_NAME]));
	more->enabled = fsk_nl_uint(attrs[FSK_A_FEATURE_ENABLED]);
	return 0;
}

static int fsk_metrics_take_status(const struct nlmsghdr *msg,
				   const struct nlattr **attrs, void *data)
{
	struct fsk_metrics *metrics = data;
	const struct nlattr *attr;
	int status = 0;

	snprintf(metrics->module, sizeof(metrics->module), "%s",
		 fsk_nl_str(attrs[FSK_A_STATUS_VERSION]));
	metrics->listeners = fsk_nl_uint(attrs[FSK_A_STATUS_LISTENERS]);
	metrics->locals = fsk_nl_uint(attrs[FSK_A_STATUS_LOCALS]);
	mnl_attr_for_each(attr, msg, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == FSK_A_STATUS_FEATURE && !status)
			status = fsk_metrics_take_feature(metrics, attr);
	return status;
}

static int fsk_metrics_take_config(const struct nlmsghdr *msg,
				   const struct nlattr **attrs, void *data)
{
	struct fsk_metrics *metrics = data;

	metrics->locals_max = fsk_nl_uint(attrs[FSK_A_CONFIG_LOCALS_MAX]);
	return 0;
}

static int fsk_metrics_take_table(const struct nlmsghdr *msg,
				  const struct nlattr **attrs, void *data)
{
	struct fsk_metrics *metrics = data;
	struct fsk_metrics_table *more;

	if (!msg) {
		metrics->table_count = 0;
		return 0;
	}
	more = fsk_array_grow(metrics->tables, metrics->table_count,
			      sizeof(*more));
	if (!more)
		return fsk_no_memory();
	metrics->tables = more;
	more += metrics->table_count++;
	more->cpu = fsk_nl_uint(attrs[FSK_A_EST_CPU]);
	more->entries = fsk_nl_uint(attrs[FSK_A_EST_ENTRIES]);
	more->memory = fsk_nl_uint(attrs[FSK_A_EST_MEMORY]);
	return 0;
}

static int fsk_metrics_read_all(struct fsk_nl *nl, struct fsk_metrics *metrics)
{
	int status;

	status = fsk_nl_do(nl, fsk_nl_message(nl, FSK_CMD_STATUS_GET),
			   FSK_A_STATUS_MAX, fsk_metrics_take_status, metrics);
	if (!status)
		status = fsk_nl_do(nl, fsk_nl_message(nl, FSK_CMD_CONFIG_GET),
				   FSK_A_CONFIG_MAX, fsk_metrics_take_config,
				   metrics);
	if (!status)
		status = fsk_nl_dump(nl, FSK_CMD_EST_GET, FSK_A_EST_MAX,
				     fsk_metrics_take_table, metrics);
	return status ? status : fsk_read_sample(nl, &metrics->sample);
}

/* A machine without the module has metrics, too: they say that it lacks it. */
static int fsk_metrics_read(struct fsk_metrics *metrics)
{
	struct fsk_nl *nl;
	int status = 0;
	bool away;

	snprintf(metrics->tool, sizeof(metrics->tool), "%s", fsk_version_tool);
	nl = fsk_nl_try(&away);
	if (!nl)
		return away ? 0 : FSK_EXIT_REFUSED;
	metrics->loaded = true;
	status = fsk_metrics_read_all(nl, metrics);
	fsk_nl_close(nl);
	return status;
}

static void fsk_metrics_reset(struct fsk_metrics *metrics)
{
	free(metrics->features);
	free(metrics->tables);
	fsk_read_sample_reset(&metrics->sample);
}

/* Reads and writes down. */
static int fsk_metrics_write(enum fsk_metrics_format format, FILE *file)
{
	struct fsk_metrics metrics = { 0 };
	int status = fsk_metrics_read(&metrics);

	if (!status && !fsk_metrics_print(&metrics, format, file))
		status = fsk_no_memory();
	fsk_metrics_reset(&metrics);
	return status;
}

static int fsk_metrics_cannot(const char *path)
{
	fsk_error("metrics: cannot write '%s': %s", path, strerror(errno));
	return FSK_EXIT_REFUSED;
}

/* A name that is taken by what a file must not replace: as root, /dev/null. */
static bool fsk_metrics_taken(const char *path)
{
	struct stat file;

	return !lstat(path, &file) && !S_ISREG(file.st_mode);
}

/* Writes under a name that node_exporter does not read, and renames: a reader
 * sees the old file or the new one, and no part.
 */
static int fsk_metrics_file(const char *path)
{
	char folder[PATH_MAX], name[PATH_MAX];
	int status, fd;
	FILE *file;

	if (fsk_metrics_taken(path)) {
		fsk_error("metrics: cannot write '%s': it is no regular file",
			  path);
		return FSK_EXIT_REFUSED;
	}
	snprintf(folder, sizeof(folder), "%s", path);
	if (snprintf(name, sizeof(name), "%s/.fastsocket-XXXXXX",
		     dirname(folder)) >= (int)sizeof(name)) {
		errno = ENAMETOOLONG;
		return fsk_metrics_cannot(path);
	}
	fd = mkstemp(name);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		return fsk_metrics_cannot(path);
	status = fsk_metrics_write(FSK_METRICS_TEXT, file);
	if (fchmod(fd, 0644) || ferror(file))
		status = status ? status : fsk_metrics_cannot(path);
	if (fclose(file) && !status)
		status = fsk_metrics_cannot(path);
	if (!status && rename(name, path))
		status = fsk_metrics_cannot(path);
	if (status)
		unlink(name);
	return status;
}

/* Answers the request on standard input. */
static int fsk_metrics_http(void)
{
	struct fsk_http_request request;
	char *body = NULL;
	size_t size = 0;
	FILE *file;
	int status;

	if (!fsk_http_read(STDIN_FILENO, &request))
		return fsk_http_refuse(&request, stdout);
	file = open_memstream(&body, &size);
	if (!file)
		return fsk_no_memory();
	status = fsk_metrics_write(request.open ? FSK_METRICS_OPEN :
				   FSK_METRICS_TEXT, file);
	if (fclose(file) && !status)
		status = fsk_no_memory();
	if (status) {
		request.status = 500;
		fsk_http_refuse(&request, stdout);
	} else {
		fsk_http_answer(&request, body, size, stdout);
	}
	free(body);
	return status;
}

/**
 * fsk_cmd_metrics() - fastsocket metrics [--text] [--output FILE] [--http]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_metrics(int argc, char **argv)
{
	int text = 0, http = 0;
	const struct option *options =
		FSK_OPTIONS(FSK_FLAG("text", FSK_OPTION_LONG, text)
			    FSK_FLAG("http", FSK_OPTION_LONG, http)
			    FSK_VALUE("output", 'o'));
	const char *path;

	argc = fsk_words(argc, argv, 0, 0, options);
	if (argc < 0)
		return -1 - argc;
	if (fsk_json)
		return fsk_usage("metrics: not in JSON; show stats is");
	path = fsk_option_value('o');
	if (http && (path || text))
		return fsk_usage("metrics: --http goes with no other option");
	if (http)
		return fsk_metrics_http();
	if (path)
		return fsk_metrics_file(path);
	return fsk_metrics_write(text ? FSK_METRICS_TEXT : FSK_METRICS_OPEN,
				 stdout);
}
