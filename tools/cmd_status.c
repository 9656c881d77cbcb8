// SPDX-License-Identifier: MIT
/* fastsocket status: the module and its features. */
#include <stdio.h>
#include <string.h>

#include <linux/fastsocket.h>
#include <linux/genetlink.h>

#include "base/boot.h"
#include "base/library.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/rfd.h"
#include "base/settings.h"
#include "base/show.h"
#include "base/version.h"
#include "fastsocket.h"

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

static void fsk_status_put_version(struct fsk_table *table,
				   const struct nlattr **attrs)
{
	const char *version = fsk_nl_str(attrs[FSK_A_STATUS_VERSION]);

	fsk_table_put(table, "module");
	if (strcmp(version, fsk_version_tool))
		fsk_table_put(table, "%s (the tool is %s: 'fastsocket "
				     "version')",
			      version, fsk_version_tool);
	else
		fsk_table_put(table, "%s", version);
}

/* One that the module does not have is absent, and not 0. */
static void fsk_status_put_settings(struct fsk_table *table,
				    const struct fsk_values *values)
{
	const struct fsk_setting *setting;
	char word[16];

	for (setting = fsk_settings; setting->name; setting++) {
		int attr = setting->attr;

		fsk_table_put(table, "%s", setting->name);
		fsk_table_put(table, "%s", values->given[attr] ?
			      fsk_setting_word(setting, values->number[attr],
					       word, sizeof(word)) : "-");
	}
}

/* How the kernel would take another module. */
static void fsk_status_put_boot(struct fsk_table *table,
				const struct fsk_boot *boot)
{
	fsk_table_put(table, "in use");
	fsk_table_put(table, "%ld (rmmod waits for 0: 'status --all-netns')",
		      boot->refcount);
	fsk_table_put(table, "module signatures");
	fsk_table_put(table, "%s%s", boot->signed_only ?
		      "enforced" : "not enforced",
		      boot->secure_boot ? ", Secure Boot" : "");
}

/* What an upgrade has left to be taken; nothing if all is as installed. */
static void fsk_status_put_pending(struct fsk_table *table,
				   const struct nlattr **attrs)
{
	const char *loaded = fsk_nl_str(attrs[FSK_A_STATUS_VERSION]);
	unsigned int old = fsk_library_count_replaced();
	char installed[FSK_VERSION_SIZE];

	fsk_version_installed(installed);
	if (*installed && strcmp(installed, loaded)) {
		fsk_table_put(table, "module pending");
		fsk_table_put(table, "%s, taken at the next boot, or once no "
				     "joined listener is open: '%s'",
			      installed, fsk_boot_reload());
	}
	if (old) {
		fsk_table_put(table, "library pending");
		fsk_table_put(table, "%u process%s an older one until its "
				     "service restarts: 'fastsocket enabled'",
			      old, old == 1 ? " has" : "es have");
	}
}

static void fsk_status_text(const struct nlmsghdr *msg,
			    const struct nlattr **attrs,
			    const struct fsk_values *values)
{
	struct fsk_table *table = fsk_table_create(2);
	struct fsk_boot boot;

	fsk_boot_read(&boot, "");
	fsk_status_put_version(table, attrs);
	fsk_status_put_pending(table, attrs);
	fsk_status_put(table, "kernel", attrs, FSK_A_STATUS_KERNEL);
	fsk_status_put_boot(table, &boot);
	fsk_status_put(table, "listeners", attrs, FSK_A_STATUS_LISTENERS);
	fsk_status_put(table, "local listeners", attrs, FSK_A_STATUS_LOCALS);
	fsk_status_put_settings(table, values);
	fsk_status_features(msg, table);
	fsk_table_print(table, "l");
}

static void fsk_status_json(const struct nlmsghdr *msg,
			    const struct nlattr **attrs,
			    const struct fsk_values *values)
{
	char installed[FSK_VERSION_SIZE];
	struct fsk_boot boot;

	fsk_boot_read(&boot, "");
	fsk_version_installed(installed);
	fsk_json_open(NULL, '{');
	fsk_json_str("version", fsk_nl_str(attrs[FSK_A_STATUS_VERSION]));
	fsk_json_str("tool-version", fsk_version_tool);
	if (*installed)
		fsk_json_str("module-installed", installed);
	fsk_json_uint("library-replaced", fsk_library_count_replaced());
	fsk_json_str("kernel", fsk_nl_str(attrs[FSK_A_STATUS_KERNEL]));
	if (boot.refcount >= 0)
		fsk_json_uint("refcount", boot.refcount);
	fsk_json_bool("signed-only", boot.signed_only);
	fsk_json_bool("secure-boot", boot.secure_boot);
	fsk_json_uint("listeners", fsk_nl_uint(attrs[FSK_A_STATUS_LISTENERS]));
	fsk_json_uint("locals", fsk_nl_uint(attrs[FSK_A_STATUS_LOCALS]));
	fsk_values_json(values);
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
	int status = fsk_values_read(nl, data);

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
	struct fsk_values values = { 0 };

	argc = fsk_words(argc, argv, 0, 0, FSK_OPTIONS(FSK_ALL_NETNS));
	if (argc < 0)
		return -1 - argc;
	return fsk_all_netns ? fsk_status_all_netns() :
			       fsk_show(&show, &values);
}
