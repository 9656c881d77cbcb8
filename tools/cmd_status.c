// SPDX-License-Identifier: MIT
/* fastsocket status: the module and its features. */
#include <stdio.h>

#include <linux/fastsocket.h>
#include <linux/genetlink.h>

#include "base/nl.h"
#include "base/out.h"
#include "base/rfd.h"
#include "base/show.h"
#include "fastsocket.h"

/**
 * struct fsk_status - the settings
 * @rescue_ms: see FSK_A_CONFIG_*, as the others
 * @rfd: mode of interfaces that have none of their own
 * @rfd_count: the module counts packets in all modes
 * @est: established tables are on
 * @est_after: segments that a connection receives before it is entered
 * @locals_max: how many local listeners one owner may have
 * @vfs: the module accepts for programs that ask it to
 */
struct fsk_status {
	uint64_t rescue_ms;
	unsigned int rfd;
	bool rfd_count;
	bool est;
	uint64_t est_after;
	uint64_t locals_max;
	bool vfs;
};

static int fsk_status_take_config(const struct nlmsghdr *msg,
				  const struct nlattr **attrs, void *data)
{
	struct fsk_status *config = data;

	config->rescue_ms = fsk_nl_uint(attrs[FSK_A_CONFIG_RESCUE_MS]);
	config->rfd = fsk_nl_uint(attrs[FSK_A_CONFIG_RFD]);
	config->rfd_count = fsk_nl_uint(attrs[FSK_A_CONFIG_RFD_COUNT]);
	config->est = fsk_nl_uint(attrs[FSK_A_CONFIG_ESTABLISHED]);
	config->est_after = fsk_nl_uint(attrs[FSK_A_CONFIG_ESTABLISHED_AFTER]);
	config->locals_max = fsk_nl_uint(attrs[FSK_A_CONFIG_LOCALS_MAX]);
	config->vfs = fsk_nl_uint(attrs[FSK_A_CONFIG_VFS]);
	return 0;
}

static void fsk_status_put(struct fsk_table *table, const char *name,
			   const struct nlattr **attrs, int attr)
{
	fsk_table_put(table, "%s", name);
	if (attr == FSK_A_STATUS_VERSION || attr == FSK_A_STATUS_KERNEL)
		fsk_table_put(table, "%s", fsk_nl_str(attrs[attr]));
	else
		fsk_table_put(table, "%llu", (unsigned long long)
			      fsk_nl_uint(attrs[attr]));
}

static void fsk_status_feature_text(const struct nlattr **attrs,
				    struct fsk_table *table)
{
	fsk_table_put(table, "%s", fsk_nl_str(attrs[FSK_A_FEATURE_NAME]));
	fsk_table_put(table, "%s (%s)",
		      fsk_nl_uint(attrs[FSK_A_FEATURE_ENABLED]) ?
		      "on" : "off",
		      fsk_nl_str(attrs[FSK_A_FEATURE_REASON]));
}

static void fsk_status_feature_json(const struct nlattr **attrs)
{
	fsk_json_open(NULL, '{');
	fsk_json_str("name", fsk_nl_str(attrs[FSK_A_FEATURE_NAME]));
	fsk_json_bool("enabled", fsk_nl_uint(attrs[FSK_A_FEATURE_ENABLED]));
	fsk_json_str("reason", fsk_nl_str(attrs[FSK_A_FEATURE_REASON]));
	fsk_json_close('}');
}

/* Prints into the table, or without one as JSON. */
static void fsk_status_features(const struct nlmsghdr *msg,
				struct fsk_table *table)
{
	const struct nlattr *attrs[FSK_A_FEATURE_MAX + 1];
	const struct nlattr *attr;

	mnl_attr_for_each(attr, msg, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != FSK_A_STATUS_FEATURE)
			continue;
		fsk_nl_nested(attr, FSK_A_FEATURE_MAX, attrs);
		if (table)
			fsk_status_feature_text(attrs, table);
		else
			fsk_status_feature_json(attrs);
	}
}

static void fsk_status_text(const struct nlmsghdr *msg,
			    const struct nlattr **attrs,
			    const struct fsk_status *config)
{
	struct fsk_table *table = fsk_table_create(2);

	fsk_status_put(table, "module", attrs, FSK_A_STATUS_VERSION);
	fsk_status_put(table, "kernel", attrs, FSK_A_STATUS_KERNEL);
	fsk_status_put(table, "listeners", attrs, FSK_A_STATUS_LISTENERS);
	fsk_status_put(table, "local listeners", attrs, FSK_A_STATUS_LOCALS);
	fsk_table_put(table, "rescue-ms");
	fsk_table_put(table, "%llu", (unsigned long long)config->rescue_ms);
	fsk_table_put(table, "rfd");
	fsk_table_put(table, "%s", fsk_rfd_mode_name(config->rfd));
	fsk_table_put(table, "rfd-count");
	fsk_table_put(table, "%d", config->rfd_count);
	fsk_table_put(table, "established-after");
	fsk_table_put(table, "%llu", (unsigned long long)config->est_after);
	fsk_table_put(table, "locals-max");
	fsk_table_put(table, "%llu", (unsigned long long)config->locals_max);
	fsk_table_put(table, "vfs");
	fsk_table_put(table, "%s", config->vfs ? "on" : "off");
	fsk_status_features(msg, table);
	fsk_table_print(table, "l");
}

static void fsk_status_json(const struct nlmsghdr *msg,
			    const struct nlattr **attrs,
			    const struct fsk_status *config)
{
	fsk_json_open(NULL, '{');
	fsk_json_str("version", fsk_nl_str(attrs[FSK_A_STATUS_VERSION]));
	fsk_json_str("kernel", fsk_nl_str(attrs[FSK_A_STATUS_KERNEL]));
	fsk_json_uint("listeners", fsk_nl_uint(attrs[FSK_A_STATUS_LISTENERS]));
	fsk_json_uint("locals", fsk_nl_uint(attrs[FSK_A_STATUS_LOCALS]));
	fsk_json_uint("rescue-ms", config->rescue_ms);
	fsk_json_str("rfd", fsk_rfd_mode_name(config->rfd));
	fsk_json_bool("rfd-count", config->rfd_count);
	fsk_json_bool("established", config->est);
	fsk_json_uint("established-after", config->est_after);
	fsk_json_uint("locals-max", config->locals_max);
	fsk_json_bool("vfs", config->vfs);
	fsk_json_open("features", '[');
	fsk_status_features(msg, NULL);
	fsk_json_close(']');
	fsk_json_close('}');
}

static int fsk_status_take(const struct nlmsghdr *msg,
			   const struct nlattr **attrs, void *data)
{
	if (fsk_json)
		fsk_status_json(msg, attrs, data);
	else
		fsk_status_text(msg, attrs, data);
	return 0;
}

static int fsk_status_read(struct fsk_nl *nl, void *data)
{
	int status = fsk_nl_do(nl, fsk_nl_message(nl, FSK_CMD_CONFIG_GET),
			       FSK_A_CONFIG_MAX, fsk_status_take_config, data);

	if (status)
		return status;
	return fsk_nl_do(nl, fsk_nl_message(nl, FSK_CMD_STATUS_GET),
			 FSK_A_STATUS_MAX, fsk_status_take, data);
}

/**
 * fsk_cmd_status() - fastsocket status
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_status(int argc, char **argv)
{
	static const struct fsk_show show = { .read = fsk_status_read };
	struct fsk_status config = { 0 };

	argc = fsk_words(argc, argv, 0, 0, FSK_OPTIONS());
	return argc < 0 ? -1 - argc : fsk_show(&show, &config);
}
