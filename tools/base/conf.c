// SPDX-License-Identifier: MIT
/*
 * The configuration: what is said of the machine, of services and of profiles,
 * and what of it holds for whom. conf_read.c reads it.
 */
#include "conf.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

const struct fsk_conf_name fsk_conf_options[FSK_CONF_OPTIONS] = {
	[FSK_CONF_ACCEPT] = { "accept", "FASTSOCKET_ACCEPT", false },
	[FSK_CONF_CONNECT] = { "connect", "FASTSOCKET_CONNECT", false },
	[FSK_CONF_CONNECT_PORTS] = {
		"connect-ports", "FASTSOCKET_CONNECT_PORTS", true },
	[FSK_CONF_PIN] = { "pin", "FASTSOCKET_PIN", false },
	[FSK_CONF_PORTS] = { "ports", "FASTSOCKET_PORTS", true },
	[FSK_CONF_VERBOSE] = { "verbose", "FASTSOCKET_LOG", false },
};

/**
 * fsk_conf_section() - find a section, or begin it
 * @sections: of a kind
 * @name: its name
 *
 * Return: the section, or %NULL without memory.
 */
struct fsk_conf_section *
fsk_conf_section(struct fsk_conf_sections *sections, const char *name)
{
	struct fsk_conf_section *found = sections->sections;
	size_t i;

	for (i = 0; i < sections->count; i++)
		if (!strcmp(found[i].name, name))
			return &found[i];
	found = fsk_array_grow(found, i, sizeof(*found));
	if (!found)
		return NULL;
	sections->sections = found;
	sections->count++;
	found[i].name = name;
	return &found[i];
}

/**
 * fsk_conf_interface() - find an interface in a section, or begin it
 * @section: the section
 * @name: of the interface
 *
 * What is said now is said last: the interface becomes the last one, as another
 * one may be the same by another name.
 *
 * Return: the interface, or %NULL without memory.
 */
struct fsk_conf_interface *
fsk_conf_interface(struct fsk_conf_section *section, const char *name)
{
	struct fsk_conf_interface *found = section->interfaces;
	size_t count = section->interface_count, i = 0;

	while (i < count && strcmp(found[i].name, name))
		i++;
	if (i < count) {
		memmove(&found[i], &found[i + 1],
			(count - i - 1) * sizeof(*found));
		i = count - 1;
	} else {
		found = fsk_array_grow(found, count, sizeof(*found));
		if (!found)
			return NULL;
		section->interfaces = found;
		section->interface_count++;
	}
	found[i] = (struct fsk_conf_interface) { .name = name };
	return &found[i];
}

/**
 * fsk_conf_cgroup() - find a control group, or begin it
 * @conf: the configuration
 * @path: of the group
 *
 * Return: the group, or %NULL without memory.
 */
struct fsk_conf_cgroup *
fsk_conf_cgroup(struct fsk_conf *conf, const char *path)
{
	struct fsk_conf_cgroup *found = conf->cgroups;
	size_t i;

	for (i = 0; i < conf->cgroup_count; i++)
		if (!strcmp(found[i].path, path))
			return &found[i];
	found = fsk_array_grow(found, i, sizeof(*found));
	if (!found)
		return NULL;
	conf->cgroups = found;
	conf->cgroup_count++;
	found[i].path = path;
	return &found[i];
}

/**
 * fsk_conf_named() - what a section says of an interface
 * @section: the section
 * @name: one of the interface's names; it may be named by another one
 *
 * Return: what was said last of it, or %NULL if only "all" means it.
 */
const struct fsk_conf_interface *
fsk_conf_named(const struct fsk_conf_section *section, const char *name)
{
	unsigned int ifindex = if_nametoindex(name);
	const struct fsk_conf_interface *found;

	for (size_t i = section->interface_count; i--; ) {
		found = &section->interfaces[i];
		if (!strcmp(found->name, name))
			return found;
		if (ifindex && strcmp(found->name, "all") &&
		    if_nametoindex(found->name) == ifindex)
			return found;
	}
	return NULL;
}

/**
 * fsk_conf_find() - find a section
 * @sections: of a kind
 * @name: its name, or %NULL
 *
 * Return: the section, or %NULL.
 */
const struct fsk_conf_section *
fsk_conf_find(const struct fsk_conf_sections *sections, const char *name)
{
	for (size_t i = 0; name && i < sections->count; i++)
		if (!strcmp(sections->sections[i].name, name))
			return &sections->sections[i];
	return NULL;
}

/* Put what @from says over what @section has. */
static void fsk_conf_lay(struct fsk_conf_section *section,
			 const struct fsk_conf_section *from)
{
	struct fsk_conf_interface *interface;

	for (int i = 0; i < FSK_CONF_OPTIONS; i++)
		if (from->option[i].word)
			section->option[i] = from->option[i];
	for (int i = 0; i <= FSK_A_CONFIG_MAX; i++)
		if (from->setting[i].word)
			section->setting[i] = from->setting[i];
	for (size_t i = 0; i < from->interface_count; i++) {
		interface = fsk_conf_interface(section,
					       from->interfaces[i].name);
		if (interface)
			interface->mode = from->interfaces[i].mode;
	}
}

/**
 * fsk_conf_effective() - what holds for the machine or a service
 * @conf: the configuration
 * @own: its section, or %NULL
 * @profile: a profile in place of the one that the section names, or %NULL
 * @section: filled in; it shares its words with @conf, and the caller frees its
 *	     interfaces
 */
void fsk_conf_effective(const struct fsk_conf *conf,
			const struct fsk_conf_section *own,
			const char *profile, struct fsk_conf_section *section)
{
	const struct fsk_conf_section *from;

	*section = (struct fsk_conf_section) { 0 };
	section->option[FSK_CONF_CONNECT] = (struct fsk_conf_value) {
		.word = "on", .file = FSK_CONF_OURS,
	};
	if (own) {
		section->name = own->name;
		section->profile = own->profile;
	}
	if (profile)
		section->profile = (struct fsk_conf_value) { .word = profile };
	from = fsk_conf_find(&conf->profiles, section->profile.word);
	if (from)
		fsk_conf_lay(section, from);
	if (own)
		fsk_conf_lay(section, own);
}

/**
 * fsk_conf_values() - the settings of a section, as the module takes them
 * @section: the section
 * @values: filled in
 *
 * Return: how many there are.
 */
int fsk_conf_values(const struct fsk_conf_section *section,
		    struct fsk_values *values)
{
	const struct fsk_setting *setting;
	char why[FSK_SETTING_WHY];
	int count = 0;

	*values = (struct fsk_values) { 0 };
	for (setting = fsk_settings; setting->name; setting++) {
		const char *word = section->setting[setting->attr].word;

		/* It was read before, so that it is right. */
		if (word && fsk_values_put(values, setting->name, word,
					   why) >= 0)
			count++;
	}
	return count;
}
