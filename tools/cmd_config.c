// SPDX-License-Identifier: MIT
/* fastsocket config: checks the configuration, shows it, and applies it. */
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/error.h"
#include "base/nl.h"
#include "base/out.h"
#include "base/rfd.h"
#include "base/selected.h"
#include "base/yaml.h"
#include "cmd_enable.h"
#include "cmd_rfd.h"
#include "fastsocket.h"

#define FSK_CONFIG_COLUMN	32	/* where a value's origin stands */

/* Is there a later one that means the same interface, by another name? Then
 * that one holds.
 */
static const struct fsk_conf_interface *
fsk_config_later(const struct fsk_conf_section *section,
		 const struct fsk_conf_interface *interface)
{
	const struct fsk_conf_interface *last;

	last = fsk_conf_named(section, interface->name);
	return last == interface ? NULL : last;
}

/* One interface by two names is no mistake: a later file may replace what an
 * earlier one says. But it is worth a line, since nobody sees it.
 */
static void fsk_config_check_names(const struct fsk_conf *conf)
{
	const struct fsk_conf_interface *interface, *later;
	struct fsk_conf_section machine;

	fsk_conf_effective(conf, &conf->machine, NULL, &machine);
	for (size_t i = 0; i < machine.interface_count; i++) {
		interface = &machine.interfaces[i];
		later = fsk_config_later(&machine, interface);
		if (later)
			fsk_error_at(interface->mode.file, interface->mode.line,
				     interface->mode.column,
				     "%s is also named %s, and %s:%u holds",
				     interface->name, later->name,
				     later->mode.file, later->mode.line);
	}
	free(machine.interfaces);
}

/**
 * fsk_cmd_config_check() - fastsocket config check [FILE...]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_config_check(int argc, char **argv)
{
	struct fsk_conf conf = { 0 };
	int status;

	argc = fsk_words(argc, argv, 0, INT_MAX, FSK_OPTIONS());
	if (argc < 0)
		return -1 - argc;
	status = fsk_conf_read(&conf, argc, argv + 1);
	if (!status)
		fsk_config_check_names(&conf);
	fsk_conf_free(&conf);
	return status;
}

/* Behind a line of the configuration: where it is from. A file's name may have
 * any character, and must not end the comment.
 */
static void fsk_config_from(const struct fsk_conf_value *value)
{
	printf(" # ");
	for (const char *at = value->file; *at; at++)
		putchar((unsigned char)*at < ' ' ? '?' : *at);
	if (value->line)
		printf(":%u", value->line);
	putchar('\n');
}

static void fsk_config_line(int depth, const char *name,
			    const struct fsk_conf_value *value)
{
	int columns;

	if (!value->word)
		return;
	columns = printf("%*s", 2 * depth, "");
	columns += fsk_yaml_word(name);
	columns += printf(": ");
	columns += fsk_yaml_word(value->word);
	printf("%*s", columns < FSK_CONFIG_COLUMN ?
	       FSK_CONFIG_COLUMN - columns : 0, "");
	fsk_config_from(value);
}

/* Forget what does not hold, as there is a later one. */
static void fsk_config_last_names(struct fsk_conf_section *section)
{
	size_t count = section->interface_count, kept = 0;

	/* What is behind one when it is looked at has not been moved yet. */
	for (size_t i = 0; i < count; i++)
		if (!fsk_config_later(section, &section->interfaces[i]))
			section->interfaces[kept++] = section->interfaces[i];
	section->interface_count = kept;
}

static void fsk_config_set_text(const struct fsk_conf_section *section,
				int depth)
{
	const struct fsk_setting *setting;
	struct fsk_values values;

	if (fsk_conf_values(section, &values))
		printf("%*sset:\n", 2 * depth, "");
	for (setting = fsk_settings; setting->name; setting++)
		fsk_config_line(depth + 1, setting->name,
				&section->setting[setting->attr]);
	if (section->interface_count)
		printf("%*sinterfaces:\n", 2 * depth, "");
	for (size_t i = 0; i < section->interface_count; i++)
		fsk_config_line(depth + 1, section->interfaces[i].name,
				&section->interfaces[i].mode);
}

static void fsk_config_cgroups_text(const struct fsk_conf *conf)
{
	if (conf->cgroup_count)
		puts("cgroups:");
	for (size_t i = 0; i < conf->cgroup_count; i++)
		fsk_config_line(1, conf->cgroups[i].path,
				&conf->cgroups[i].selected);
}

static void fsk_config_named_text(const char *kind,
				  const struct fsk_conf_sections *sections)
{
	const struct fsk_conf_section *section = sections->sections;

	if (sections->count)
		printf("%s:\n", kind);
	for (size_t i = 0; i < sections->count; i++, section++) {
		printf("  ");
		fsk_yaml_word(section->name);
		puts(":");
		fsk_config_line(2, "profile", &section->profile);
		for (int k = 0; k < FSK_CONF_OPTIONS; k++)
			fsk_config_line(2, fsk_conf_options[k].name,
					&section->option[k]);
		fsk_config_set_text(section, 2);
	}
}

static void fsk_config_set_json(const struct fsk_conf_section *section)
{
	struct fsk_values values;

	fsk_conf_values(section, &values);
	fsk_json_open("set", '{');
	fsk_values_json(&values);
	fsk_json_close('}');
	fsk_json_open("interfaces", '[');
	for (size_t i = 0; i < section->interface_count; i++) {
		fsk_json_open(NULL, '{');
		fsk_json_str("interface", section->interfaces[i].name);
		fsk_json_str("mode", section->interfaces[i].mode.word);
		fsk_json_close('}');
	}
	fsk_json_close(']');
}

static void fsk_config_run_json(const struct fsk_conf_section *section)
{
	fsk_json_open("run", '{');
	for (int i = 0; i < FSK_CONF_OPTIONS; i++) {
		const char *word = section->option[i].word;

		if (word && fsk_conf_options[i].list)
			fsk_json_str(fsk_conf_options[i].name, word);
		else if (word)
			fsk_json_bool(fsk_conf_options[i].name,
				      !strcmp(word, "on"));
	}
	fsk_json_close('}');
}

static void fsk_config_named_json(const char *kind,
				  const struct fsk_conf_sections *sections,
				  bool profiles)
{
	const struct fsk_conf_section *section = sections->sections;

	fsk_json_open(kind, '[');
	for (size_t i = 0; i < sections->count; i++, section++) {
		fsk_json_open(NULL, '{');
		fsk_json_str("name", section->name);
		if (section->profile.word)
			fsk_json_str("profile", section->profile.word);
		fsk_config_run_json(section);
		if (profiles)
			fsk_config_set_json(section);
		fsk_json_close('}');
	}
	fsk_json_close(']');
}

static void fsk_config_cgroups_json(const struct fsk_conf *conf)
{
	const struct fsk_conf_cgroup *cgroup = conf->cgroups;

	fsk_json_open("cgroups", '[');
	for (size_t i = 0; i < conf->cgroup_count; i++, cgroup++) {
		fsk_json_open(NULL, '{');
		fsk_json_str("cgroup", cgroup->path);
		fsk_json_bool("selected", !strcmp(cgroup->selected.word, "on"));
		fsk_json_close('}');
	}
	fsk_json_close(']');
}

static void fsk_config_json(const struct fsk_conf *conf,
			    const struct fsk_conf_section *machine)
{
	fsk_json_open(NULL, '{');
	if (machine->profile.word)
		fsk_json_str("profile", machine->profile.word);
	fsk_config_set_json(machine);
	fsk_config_cgroups_json(conf);
	fsk_config_named_json("services", &conf->services, false);
	fsk_config_named_json("profiles", &conf->profiles, true);
	fsk_json_close('}');
}

static void fsk_config_text(const struct fsk_conf *conf,
			    const struct fsk_conf_section *machine)
{
	fsk_config_line(0, "profile", &machine->profile);
	fsk_config_set_text(machine, 0);
	fsk_config_cgroups_text(conf);
	fsk_config_named_text("services", &conf->services);
	fsk_config_named_text("profiles", &conf->profiles);
}

/**
 * fsk_cmd_config_show() - fastsocket config show [FILE...]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_config_show(int argc, char **argv)
{
	struct fsk_conf_section machine;
	struct fsk_conf conf = { 0 };
	int status;

	argc = fsk_words(argc, argv, 0, INT_MAX, FSK_OPTIONS());
	if (argc < 0)
		return -1 - argc;
	status = fsk_conf_read(&conf, argc, argv + 1);
	if (!status) {
		fsk_conf_effective(&conf, &conf.machine, NULL, &machine);
		fsk_config_last_names(&machine);
		if (fsk_json)
			fsk_config_json(&conf, &machine);
		else
			fsk_config_text(&conf, &machine);
		free(machine.interfaces);
	}
	fsk_conf_free(&conf);
	return status;
}

/* Is this interface named in the section? Then "all" doesn't mean it. */
static bool fsk_config_named(const char *name, void *data)
{
	return fsk_conf_named(data, name);
}

static int fsk_config_interface(struct fsk_nl *nl,
				struct fsk_conf_section *section,
				const struct fsk_conf_interface *interface)
{
	const char *name = interface->name;
	int mode = -1;

	if (strcmp(interface->mode.word, "auto"))
		mode = fsk_rfd_mode_number(interface->mode.word);
	if (!strcmp(name, "all"))
		return fsk_rfd_all(nl, mode, false, fsk_config_named, section);
	if (!if_nametoindex(name)) {
		if (!fsk_json)
			printf("%s: there is no such interface yet\n", name);
		return 0;
	}
	return mode < 0 ? fsk_rfd_auto_one(nl, name, false) :
			  fsk_rfd_set_one(nl, name, mode, false);
}

/* An interface that can't have its mode keeps no other from its own. */
static int fsk_config_machine(struct fsk_nl *nl,
			      struct fsk_conf_section *section)
{
	struct fsk_values values;
	int status = 0, each;

	if (fsk_conf_values(section, &values))
		status = fsk_values_send(nl, &values);
	if (status)
		return status;
	for (size_t i = 0; i < section->interface_count; i++) {
		if (fsk_config_later(section, &section->interfaces[i]))
			continue;
		each = fsk_config_interface(nl, section,
					    &section->interfaces[i]);
		status = status ? status : each;
	}
	return status;
}

/* What the tool says of a group doesn't name it. */
static int fsk_config_cgroup(struct fsk_nl *nl,
			     const struct fsk_conf_cgroup *cgroup)
{
	bool selected = !strcmp(cgroup->selected.word, "on");
	char why[FSK_ERROR_LINE] = "";
	int status;

	fsk_error_keep(why, sizeof(why));
	status = fsk_selected_set(nl, cgroup->path, selected);
	fsk_error_keep(NULL, 0);
	if (status)
		fsk_error("%s: %s", cgroup->path, why);
	return status;
}

/* Each for itself, as interfaces. */
static int fsk_config_cgroups(struct fsk_nl *nl, const struct fsk_conf *conf)
{
	int status = 0, each;

	for (size_t i = 0; i < conf->cgroup_count; i++) {
		each = fsk_config_cgroup(nl, &conf->cgroups[i]);
		status = status ? status : each;
	}
	return status;
}

/* The machine, and services unless @machine_only. In JSON one list has both. */
static int fsk_config_conf(const struct fsk_conf *conf, bool machine_only)
{
	struct fsk_conf_section machine;
	struct fsk_nl *nl;
	int status, groups = 0, last;

	fsk_conf_effective(conf, &conf->machine, NULL, &machine);
	if (fsk_json)
		fsk_json_open(NULL, '[');
	nl = fsk_nl_open();
	status = nl ? fsk_config_machine(nl, &machine) : FSK_EXIT_REFUSED;
	if (nl)
		groups = fsk_config_cgroups(nl, conf);
	status = status ? status : groups;
	fsk_nl_close(nl);
	last = machine_only ? 0 : fsk_enable_refresh(conf);
	if (fsk_json)
		fsk_json_close(']');
	free(machine.interfaces);
	return status ? status : last;
}

/**
 * fsk_cmd_config_apply() - fastsocket config apply [FILE...]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_config_apply(int argc, char **argv)
{
	struct fsk_conf conf = { 0 };
	int status;

	argc = fsk_words(argc, argv, 0, INT_MAX, FSK_OPTIONS());
	if (argc < 0)
		return -1 - argc;
	status = fsk_conf_read(&conf, argc, argv + 1);
	if (!status)
		status = fsk_config_conf(&conf, argc > 0);
	fsk_conf_free(&conf);
	return status;
}
