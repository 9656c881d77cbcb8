/* SPDX-License-Identifier: MIT */
#ifndef FSK_CONF_H
#define FSK_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "settings.h"

#define FSK_CONF_OURS	"built in"	/* in place of a file's name */

/** enum fsk_conf_option - what `run` knows; the order of fsk_conf_options[] */
enum fsk_conf_option {
	FSK_CONF_ACCEPT,
	FSK_CONF_CONNECT,
	FSK_CONF_CONNECT_PORTS,
	FSK_CONF_PIN,
	FSK_CONF_PORTS,
	FSK_CONF_VERBOSE,
	FSK_CONF_OPTIONS,
};

/**
 * struct fsk_conf_name - an option of `run`
 * @name: in the configuration
 * @variable: in the environment of the library
 * @list: its value is a list of ports, and else on or off
 */
struct fsk_conf_name {
	const char *name;
	const char *variable;
	bool list;
};

extern const struct fsk_conf_name fsk_conf_options[FSK_CONF_OPTIONS];

/**
 * struct fsk_conf_value - a value, and where it was given
 * @word: the value, or %NULL when it was not given
 * @file: the file
 * @line: from 1 on
 * @column: from 1 on
 */
struct fsk_conf_value {
	const char *word;
	const char *file;
	unsigned int line;
	unsigned int column;
};

/**
 * struct fsk_conf_interface - an interface, and its mode
 * @name: of the interface, or "all" for each that belongs to a device
 * @mode: "auto", or a mode
 */
struct fsk_conf_interface {
	const char *name;
	struct fsk_conf_value mode;
};

/**
 * struct fsk_conf_cgroup - a control group
 * @path: from the root of the hierarchy
 * @selected: "on" or "off"
 */
struct fsk_conf_cgroup {
	const char *path;
	struct fsk_conf_value selected;
};

/**
 * struct fsk_conf_section - what is said of the machine, a service, a profile
 * @name: of the service or profile
 * @profile: what holds where this section says nothing; not in a profile
 * @option: of `run`; not of the machine
 * @setting: of `set`, by FSK_A_CONFIG_*; not of a service
 * @interfaces: of `rfd`, in the order in which they were last given; not of a
 *		service
 * @interface_count: of @interfaces
 */
struct fsk_conf_section {
	const char *name;
	struct fsk_conf_value profile;
	struct fsk_conf_value option[FSK_CONF_OPTIONS];
	struct fsk_conf_value setting[FSK_A_CONFIG_MAX + 1];
	struct fsk_conf_interface *interfaces;
	size_t interface_count;
};

/**
 * struct fsk_conf_sections - sections of a kind
 * @count: of @sections
 * @sections: in the order in which they were first met
 */
struct fsk_conf_sections {
	size_t count;
	struct fsk_conf_section *sections;
};

/**
 * struct fsk_conf - the configuration
 * @machine: what holds for the machine, or the network namespace
 * @services: what holds for services
 * @profiles: ours, and those of the files
 * @cgroup_count: of @cgroups
 * @cgroups: of `cgroup add`
 * @errors: how many were reported
 * @document_count: of @documents
 * @documents: what was read; all words are in there
 */
struct fsk_conf {
	struct fsk_conf_section machine;
	struct fsk_conf_sections services;
	struct fsk_conf_sections profiles;
	size_t cgroup_count;
	struct fsk_conf_cgroup *cgroups;
	unsigned int errors;
	size_t document_count;
	struct fsk_conf_document *documents;
};

int fsk_conf_read(struct fsk_conf *conf, int count, char **files);
int fsk_conf_read_text(struct fsk_conf *conf, const char *text);
void fsk_conf_free(struct fsk_conf *conf);

struct fsk_conf_section *
fsk_conf_section(struct fsk_conf_sections *sections, const char *name);
struct fsk_conf_interface *
fsk_conf_interface(struct fsk_conf_section *section, const char *name);
struct fsk_conf_cgroup *
fsk_conf_cgroup(struct fsk_conf *conf, const char *path);
const struct fsk_conf_interface *
fsk_conf_named(const struct fsk_conf_section *section, const char *name);
const struct fsk_conf_section *
fsk_conf_find(const struct fsk_conf_sections *sections, const char *name);
void fsk_conf_effective(const struct fsk_conf *conf,
			const struct fsk_conf_section *own,
			const char *profile, struct fsk_conf_section *section);
int fsk_conf_values(const struct fsk_conf_section *section,
		    struct fsk_values *values);

#endif
