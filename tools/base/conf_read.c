// SPDX-License-Identifier: MIT
/*
 * Reads the configuration, and complains with file, line and column.
 *
 * The files are YAML. libyaml makes a document of each; its nodes know where
 * they stand, so that a name or a value that we don't know is reported as
 * exactly as a bracket that is missing. What later files say replaces what
 * earlier ones did, value by value.
 */
#include "conf.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <yaml.h>

#include "../../lib/ports.h"
#include "array.h"
#include "cgroup.h"
#include "error.h"
#include "nearest.h"
#include "rfd.h"

#define FSK_CONF_MAIN	FSK_CONFDIR "/fastsocket.conf"
#define FSK_CONF_MORE	FSK_CONFDIR "/conf.d"

/* The profiles that are always there. They are read like a file, so that an
 * administrator may copy one, or change a value of it.
 */
static const char fsk_conf_ours[] =
"profiles:\n"
"  web:\n"
"    connect: off\n"
"  proxy:\n"
"    connect: on\n"
"    interfaces:\n"
"      all: auto\n"
"  long-lived:\n"
"    connect: on\n"
"    set:\n"
"      established: on\n"
"    interfaces:\n"
"      all: auto\n";

/**
 * struct fsk_conf_document - a file that was read
 * @file: its name
 * @yaml: what is in it
 */
struct fsk_conf_document {
	char *file;
	yaml_document_t yaml;
};

/**
 * struct fsk_conf_reader - a file that is being read
 * @conf: the configuration
 * @file: its name
 * @yaml: what is in it
 * @section: of which the present node tells
 * @where: the section's kind, for messages
 */
struct fsk_conf_reader {
	struct fsk_conf *conf;
	const char *file;
	yaml_document_t *yaml;
	struct fsk_conf_section *section;
	const char *where;
};

/* Takes a pair of a mapping. */
typedef void fsk_conf_take(struct fsk_conf_reader *reader, const char *name,
			   yaml_node_t *key, yaml_node_t *value);

/**
 * struct fsk_conf_key - a name that a mapping may have
 * @name: the name
 * @take: takes the value
 */
struct fsk_conf_key {
	const char *name;
	fsk_conf_take *take;
};

static void fsk_conf_complain(struct fsk_conf *conf, const char *file,
			      const yaml_mark_t *mark, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void fsk_conf_complain(struct fsk_conf *conf, const char *file,
			      const yaml_mark_t *mark, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fsk_error_at(file, mark->line + 1, mark->column + 1, "%s", text);
	conf->errors++;
}

#define fsk_conf_wrong(reader, node, ...)				\
	fsk_conf_complain((reader)->conf, (reader)->file,		\
			  &(node)->start_mark, __VA_ARGS__)

/* The word of a node, or NULL after an error message. */
static const char *fsk_conf_word(struct fsk_conf_reader *reader,
				 const yaml_node_t *node, const char *name)
{
	const char *word = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE)
		fsk_conf_wrong(reader, node, "%s: one value is wanted", name);
	else if (strlen(word) != node->data.scalar.length)
		fsk_conf_wrong(reader, node, "%s: a zero byte", name);
	else
		return word;
	return NULL;
}

/* "on" or "off", or NULL after an error message. */
static const char *fsk_conf_switch(struct fsk_conf_reader *reader,
				   const yaml_node_t *node, const char *name)
{
	const char *word = fsk_conf_word(reader, node, name);
	bool on;

	if (!word)
		return NULL;
	if (fsk_setting_switch(word, &on))
		return on ? "on" : "off";
	fsk_conf_wrong(reader, node, "%s: '%s' is neither on nor off", name,
		       word);
	return NULL;
}

static struct fsk_conf_value
fsk_conf_value_at(const struct fsk_conf_reader *reader, const char *word,
		  const yaml_node_t *node)
{
	return (struct fsk_conf_value) {
		.word = word,
		.file = reader->file,
		.line = node->start_mark.line + 1,
		.column = node->start_mark.column + 1,
	};
}

/* Was this key there before, in the same mapping? */
static bool fsk_conf_repeated(const struct fsk_conf_reader *reader,
			      const yaml_node_t *map, yaml_node_pair_t *pair)
{
	yaml_node_t *key = yaml_document_get_node(reader->yaml, pair->key);
	yaml_node_pair_t *other;
	yaml_node_t *node;

	for (other = map->data.mapping.pairs.start; other < pair; other++) {
		node = yaml_document_get_node(reader->yaml, other->key);
		if (node->type == YAML_SCALAR_NODE &&
		    !strcmp((char *)node->data.scalar.value,
			    (char *)key->data.scalar.value))
			return true;
	}
	return false;
}

/* Hands each pair of a mapping to @take. A mapping without pairs may be left
 * out altogether, as when all lines are comments.
 */
static void fsk_conf_pairs(struct fsk_conf_reader *reader, const char *name,
			   yaml_node_t *map, fsk_conf_take *take)
{
	yaml_node_t *key, *value;
	yaml_node_pair_t *pair;
	const char *word;

	if (map->type == YAML_SCALAR_NODE && !map->data.scalar.length)
		return;
	if (map->type != YAML_MAPPING_NODE) {
		fsk_conf_wrong(reader, map, "%s: lines 'NAME: VALUE' %s",
			       name, "are wanted");
		return;
	}
	for (pair = map->data.mapping.pairs.start;
	     pair < map->data.mapping.pairs.top; pair++) {
		key = yaml_document_get_node(reader->yaml, pair->key);
		value = yaml_document_get_node(reader->yaml, pair->value);
		word = fsk_conf_word(reader, key, name);
		if (!word)
			continue;
		if (fsk_conf_repeated(reader, map, pair))
			fsk_conf_wrong(reader, key, "'%s' is given twice",
				       word);
		else
			take(reader, word, key, value);
	}
}

/* Finds the name in a table that ends with an empty one. */
static void fsk_conf_dispatch(struct fsk_conf_reader *reader,
			      const struct fsk_conf_key *keys, const char *name,
			      yaml_node_t *key, yaml_node_t *value)
{
	struct fsk_nearest nearest = { .word = name };

	for (; keys->name; keys++) {
		if (!strcmp(keys->name, name)) {
			keys->take(reader, name, key, value);
			return;
		}
		fsk_nearest_try(&nearest, keys->name);
	}
	fsk_conf_wrong(reader, key, "%s has no '%s'%s", reader->where, name,
		       fsk_nearest_hint(&nearest));
}

static void fsk_conf_take_setting(struct fsk_conf_reader *reader,
				  const char *name, yaml_node_t *key,
				  yaml_node_t *value)
{
	const char *word = fsk_conf_word(reader, value, name);
	struct fsk_values values = { 0 };
	char why[FSK_SETTING_WHY];
	int i;

	if (!word)
		return;
	i = fsk_values_put(&values, name, word, why);
	if (i < 0)
		fsk_conf_wrong(reader, i == FSK_SETTING_UNKNOWN ? key : value,
			       "%s", why);
	else
		reader->section->setting[i] =
			fsk_conf_value_at(reader, word, value);
}

static void fsk_conf_take_set(struct fsk_conf_reader *reader, const char *name,
			      yaml_node_t *key, yaml_node_t *value)
{
	fsk_conf_pairs(reader, name, value, fsk_conf_take_setting);
}

static void fsk_conf_take_interface(struct fsk_conf_reader *reader,
				    const char *name, yaml_node_t *key,
				    yaml_node_t *value)
{
	const char *word = fsk_conf_word(reader, value, name);
	struct fsk_nearest nearest = { .word = word };
	struct fsk_conf_interface *interface;

	if (!word)
		return;
	if (strlen(name) >= IF_NAMESIZE || !*name || strchr(name, '/')) {
		fsk_conf_wrong(reader, key, "'%s' is no interface's name",
			       name);
		return;
	}
	if (strcmp(word, "auto") && fsk_rfd_mode_number(word) < 0) {
		fsk_nearest_try(&nearest, "auto");
		for (int i = 0; fsk_rfd_modes[i]; i++)
			fsk_nearest_try(&nearest, fsk_rfd_modes[i]);
		fsk_conf_wrong(reader, value, "%s: there is no mode '%s'%s",
			       name, word, fsk_nearest_hint(&nearest));
		return;
	}
	interface = fsk_conf_interface(reader->section, name);
	if (interface)
		interface->mode = fsk_conf_value_at(reader, word, value);
}

static void fsk_conf_take_interfaces(struct fsk_conf_reader *reader,
				     const char *name, yaml_node_t *key,
				     yaml_node_t *value)
{
	fsk_conf_pairs(reader, name, value, fsk_conf_take_interface);
}

/* One name for each group, so that a later file has the same one: without a
 * slash at its end, and without where the hierarchy is mounted.
 */
static bool fsk_conf_is_cgroup(const char *path)
{
	size_t len = strlen(path), mount = strlen(FSK_CGROUP_MOUNT);

	return *path == '/' && len < PATH_MAX && !strstr(path, "//") &&
	       (len == 1 || path[len - 1] != '/') &&
	       (strncmp(path, FSK_CGROUP_MOUNT, mount) ||
		(path[mount] && path[mount] != '/'));
}

static void fsk_conf_take_cgroup(struct fsk_conf_reader *reader,
				 const char *name, yaml_node_t *key,
				 yaml_node_t *value)
{
	const char *word = fsk_conf_switch(reader, value, name);
	struct fsk_conf_cgroup *cgroup;

	if (!word)
		return;
	if (!fsk_conf_is_cgroup(name)) {
		fsk_conf_wrong(reader, key, "'%s' is no control group, %s",
			       name, "such as /machine.slice");
		return;
	}
	cgroup = fsk_conf_cgroup(reader->conf, name);
	if (cgroup)
		cgroup->selected = fsk_conf_value_at(reader, word, value);
}

static void fsk_conf_take_cgroups(struct fsk_conf_reader *reader,
				  const char *name, yaml_node_t *key,
				  yaml_node_t *value)
{
	fsk_conf_pairs(reader, name, value, fsk_conf_take_cgroup);
}

static void fsk_conf_take_profile(struct fsk_conf_reader *reader,
				  const char *name, yaml_node_t *key,
				  yaml_node_t *value)
{
	const char *word = fsk_conf_word(reader, value, name);

	if (word)
		reader->section->profile =
			fsk_conf_value_at(reader, word, value);
}

static void fsk_conf_take_option(struct fsk_conf_reader *reader,
				 const char *name, yaml_node_t *key,
				 yaml_node_t *value)
{
	struct fsk_ports ports = { 0 };
	const char *word;
	int i = 0;

	while (strcmp(fsk_conf_options[i].name, name))
		i++;
	word = fsk_conf_options[i].list ? fsk_conf_word(reader, value, name) :
					  fsk_conf_switch(reader, value, name);
	if (!word)
		return;
	if (fsk_conf_options[i].list && fsk_ports_parse(&ports, word)) {
		fsk_conf_wrong(reader, value, "%s: '%s' is no list %s", name,
			       word, "such as 80,8000-8999");
		return;
	}
	reader->section->option[i] = fsk_conf_value_at(reader, word, value);
}

#define FSK_CONF_KEYS_OF_RUN						\
	{ "accept", fsk_conf_take_option },				\
	{ "connect", fsk_conf_take_option },				\
	{ "connect-ports", fsk_conf_take_option },			\
	{ "pin", fsk_conf_take_option },				\
	{ "ports", fsk_conf_take_option },				\
	{ "verbose", fsk_conf_take_option }

static void fsk_conf_take_of_service(struct fsk_conf_reader *reader,
				     const char *name, yaml_node_t *key,
				     yaml_node_t *value)
{
	static const struct fsk_conf_key keys[] = {
		FSK_CONF_KEYS_OF_RUN,
		{ "profile", fsk_conf_take_profile },
		{ NULL, NULL }
	};

	reader->where = "a service";
	fsk_conf_dispatch(reader, keys, name, key, value);
}

static void fsk_conf_take_of_profile(struct fsk_conf_reader *reader,
				     const char *name, yaml_node_t *key,
				     yaml_node_t *value)
{
	static const struct fsk_conf_key keys[] = {
		FSK_CONF_KEYS_OF_RUN,
		{ "interfaces", fsk_conf_take_interfaces },
		{ "set", fsk_conf_take_set },
		{ NULL, NULL }
	};

	reader->where = "a profile";
	fsk_conf_dispatch(reader, keys, name, key, value);
}

static void fsk_conf_take_service(struct fsk_conf_reader *reader,
				  const char *name, yaml_node_t *key,
				  yaml_node_t *value)
{
	const char *end = strrchr(name, '.');

	if (!end || strcmp(end, ".service")) {
		fsk_conf_wrong(reader, key, "'%s' is no service, %s", name,
			       "such as nginx.service");
		return;
	}
	reader->section = fsk_conf_section(&reader->conf->services, name);
	if (reader->section)
		fsk_conf_pairs(reader, name, value, fsk_conf_take_of_service);
}

static void fsk_conf_take_own_profile(struct fsk_conf_reader *reader,
				      const char *name, yaml_node_t *key,
				      yaml_node_t *value)
{
	reader->section = fsk_conf_section(&reader->conf->profiles, name);
	if (reader->section)
		fsk_conf_pairs(reader, name, value, fsk_conf_take_of_profile);
}

static void fsk_conf_take_services(struct fsk_conf_reader *reader,
				   const char *name, yaml_node_t *key,
				   yaml_node_t *value)
{
	fsk_conf_pairs(reader, name, value, fsk_conf_take_service);
}

static void fsk_conf_take_profiles(struct fsk_conf_reader *reader,
				   const char *name, yaml_node_t *key,
				   yaml_node_t *value)
{
	fsk_conf_pairs(reader, name, value, fsk_conf_take_own_profile);
}

static void fsk_conf_take_top(struct fsk_conf_reader *reader, const char *name,
			      yaml_node_t *key, yaml_node_t *value)
{
	static const struct fsk_conf_key keys[] = {
		{ "cgroups", fsk_conf_take_cgroups },
		{ "interfaces", fsk_conf_take_interfaces },
		{ "profile", fsk_conf_take_profile },
		{ "profiles", fsk_conf_take_profiles },
		{ "services", fsk_conf_take_services },
		{ "set", fsk_conf_take_set },
		{ NULL, NULL }
	};

	reader->where = "the configuration";
	reader->section = &reader->conf->machine;
	fsk_conf_dispatch(reader, keys, name, key, value);
}

/* Where the byte at this offset of a file stands. libyaml doesn't say where a
 * byte is that is no UTF-8.
 */
static yaml_mark_t fsk_conf_mark(FILE *stream, size_t offset)
{
	yaml_mark_t mark = { 0 };
	int byte;

	rewind(stream);
	while (offset-- && (byte = getc(stream)) != EOF) {
		mark.column++;
		if (byte != '\n')
			continue;
		mark.column = 0;
		mark.line++;
	}
	return mark;
}

static void fsk_conf_syntax(struct fsk_conf *conf, const char *file,
			    const yaml_parser_t *parser, FILE *stream)
{
	yaml_mark_t mark = parser->problem_mark;

	if (parser->error == YAML_READER_ERROR && stream)
		mark = fsk_conf_mark(stream, parser->problem_offset);
	fsk_conf_complain(conf, file, &mark, "%s%s%s",
			  parser->problem ? parser->problem : "no memory",
			  parser->context ? ", " : "",
			  parser->context ? parser->context : "");
}

/* A file may have one document; nobody means the second one to be left out. */
static void fsk_conf_end(struct fsk_conf *conf, const char *file,
			 yaml_parser_t *parser, FILE *stream)
{
	yaml_document_t more;
	yaml_node_t *root;

	if (!yaml_parser_load(parser, &more)) {
		fsk_conf_syntax(conf, file, parser, stream);
		return;
	}
	root = yaml_document_get_root_node(&more);
	if (root)
		fsk_conf_complain(conf, file, &root->start_mark,
				  "one document is enough: leave '---' out");
	yaml_document_delete(&more);
}

/* Reads what the parser has been given, under this name; from @stream, if that
 * is a file.
 */
static int fsk_conf_parse(struct fsk_conf *conf, const char *file,
			  yaml_parser_t *parser, FILE *stream)
{
	struct fsk_conf_reader reader = { .conf = conf };
	struct fsk_conf_document *document;
	yaml_node_t *root;

	document = fsk_array_grow(conf->documents, conf->document_count,
				  sizeof(*document));
	if (!document)
		return fsk_no_memory();
	conf->documents = document;
	document += conf->document_count;
	document->file = strdup(file);
	if (!document->file)
		return fsk_no_memory();
	if (!yaml_parser_load(parser, &document->yaml)) {
		fsk_conf_syntax(conf, file, parser, stream);
		free(document->file);
		return 0;
	}
	conf->document_count++;
	reader.file = document->file;
	reader.yaml = &document->yaml;
	root = yaml_document_get_root_node(&document->yaml);
	if (!root)
		return 0;
	fsk_conf_pairs(&reader, "the configuration", root, fsk_conf_take_top);
	fsk_conf_end(conf, reader.file, parser, stream);
	return 0;
}

/**
 * fsk_conf_read_text() - read a configuration that is no file
 * @conf: filled in; zeroed before the first call
 * @text: the configuration
 *
 * Return: exit status; what is wrong in the text only counts in @conf->errors.
 */
int fsk_conf_read_text(struct fsk_conf *conf, const char *text)
{
	yaml_parser_t parser;
	int status;

	if (!yaml_parser_initialize(&parser))
		return fsk_no_memory();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text,
				     strlen(text));
	status = fsk_conf_parse(conf, FSK_CONF_OURS, &parser, NULL);
	yaml_parser_delete(&parser);
	return status;
}

static int fsk_conf_read_file(struct fsk_conf *conf, const char *path,
			      bool optional)
{
	FILE *file = fopen(path, "re");
	yaml_parser_t parser;
	struct stat info;
	int status;

	if (!file) {
		if (optional && errno == ENOENT)
			return 0;
		fsk_error("%s: %s", path, strerror(errno));
		return FSK_EXIT_REFUSED;
	}
	if (!fstat(fileno(file), &info) && S_ISDIR(info.st_mode)) {
		fsk_error("%s is a folder, no file", path);
		fclose(file);
		return FSK_EXIT_REFUSED;
	}
	if (!yaml_parser_initialize(&parser)) {
		fclose(file);
		return fsk_no_memory();
	}
	yaml_parser_set_input_file(&parser, file);
	status = fsk_conf_parse(conf, path, &parser, file);
	yaml_parser_delete(&parser);
	fclose(file);
	return status;
}

static int fsk_conf_is_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && *entry->d_name != '.' &&
	       !strcmp(entry->d_name + len - 5, ".conf");
}

/* The files of the machine, those of the folder in the order of their names. */
static int fsk_conf_read_machine(struct fsk_conf *conf)
{
	struct dirent **list = NULL;
	int status, count;
	char path[512];

	status = fsk_conf_read_file(conf, FSK_CONF_MAIN, true);
	if (status)
		return status;
	count = scandir(FSK_CONF_MORE, &list, fsk_conf_is_file, alphasort);
	if (count < 0 && errno != ENOENT) {
		fsk_error("%s: %s", FSK_CONF_MORE, strerror(errno));
		return FSK_EXIT_REFUSED;
	}
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), FSK_CONF_MORE "/%s",
			 list[i]->d_name);
		if (!status)
			status = fsk_conf_read_file(conf, path, false);
		free(list[i]);
	}
	free(list);
	return status;
}

/* A profile that is named must be there. */
static void fsk_conf_check_profile(struct fsk_conf *conf,
				   const struct fsk_conf_section *section)
{
	const struct fsk_conf_value *value = &section->profile;
	struct fsk_nearest nearest = { .word = value->word };

	if (!value->word || fsk_conf_find(&conf->profiles, value->word))
		return;
	for (size_t i = 0; i < conf->profiles.count; i++)
		fsk_nearest_try(&nearest, conf->profiles.sections[i].name);
	fsk_error_at(value->file, value->line, value->column,
		     "there is no profile '%s'%s", value->word,
		     fsk_nearest_hint(&nearest));
	conf->errors++;
}

/**
 * fsk_conf_read() - read the configuration
 * @conf: filled in; zeroed before
 * @count: of @files; with 0 those of the machine are read
 * @files: in this order
 *
 * Every error is reported, not only the first one.
 *
 * Return: exit status.
 */
int fsk_conf_read(struct fsk_conf *conf, int count, char **files)
{
	int status = fsk_conf_read_text(conf, fsk_conf_ours);

	for (int i = 0; i < count && !status; i++)
		status = fsk_conf_read_file(conf, files[i], false);
	if (!count && !status)
		status = fsk_conf_read_machine(conf);
	if (status)
		return status;
	fsk_conf_check_profile(conf, &conf->machine);
	for (size_t i = 0; i < conf->services.count; i++)
		fsk_conf_check_profile(conf, &conf->services.sections[i]);
	return conf->errors ? FSK_EXIT_USAGE : 0;
}

static void fsk_conf_free_sections(struct fsk_conf_sections *sections)
{
	for (size_t i = 0; i < sections->count; i++)
		free(sections->sections[i].interfaces);
	free(sections->sections);
}

/**
 * fsk_conf_free() - free what fsk_conf_read() has made
 * @conf: the configuration
 */
void fsk_conf_free(struct fsk_conf *conf)
{
	for (size_t i = 0; i < conf->document_count; i++) {
		yaml_document_delete(&conf->documents[i].yaml);
		free(conf->documents[i].file);
	}
	free(conf->documents);
	free(conf->machine.interfaces);
	free(conf->cgroups);
	fsk_conf_free_sections(&conf->services);
	fsk_conf_free_sections(&conf->profiles);
}
