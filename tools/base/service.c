// SPDX-License-Identifier: MIT
/*
 * Services of systemd: asks the manager by systemctl, which speaks with each
 * version of it, and with the manager of a user.
 */
#include "service.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "error.h"

#define FSK_SERVICE_WORDS	20

/* What a service is asked for; the values are read by sandbox.c. */
static char * const fsk_service_properties[] = {
	"Id,LoadState,ActiveState,MainPID,Transient,FragmentPath,ExecStart",
	"User,DynamicUser,NoNewPrivileges,RootDirectory,RootImage",
	"SystemCallFilter,Environment,EnvironmentFiles,UnsetEnvironment",
	"InaccessiblePaths,TemporaryFileSystem,NoExecPaths,ExecPaths",
	"ProtectHome,PrivateTmp,AppArmorProfile,ControlGroup,DropInPaths",
};

/**
 * fsk_service_template() - is this the name of a template, without an instance?
 * @name: the name
 *
 * Return: whether it is.
 */
bool fsk_service_template(const char *name)
{
	return strstr(name, "@.");
}

static int fsk_service_run(char **words, char **text)
{
	int err = fsk_command_run(words, text, false);

	if (err == ENOMEM)
		return fsk_no_memory();
	if (err > 0)
		fsk_error("systemctl cannot be started: %s", strerror(err));
	/* If it fails it has said why. */
	return err ? FSK_EXIT_REFUSED : 0;
}

/**
 * fsk_service_systemctl() - run systemctl
 * @user: for the manager of the caller
 * @text: gets what it prints, to be freed; or %NULL
 *
 * More arguments are words, and %NULL at the end.
 *
 * Return: exit status.
 */
int fsk_service_systemctl(bool user, char **text, ...)
{
	char *words[FSK_SERVICE_WORDS] = { "systemctl", "--no-pager" };
	int count = 2;
	va_list args;

	if (user)
		words[count++] = "--user";
	va_start(args, text);
	while (count < FSK_SERVICE_WORDS - 1) {
		words[count] = va_arg(args, char *);
		if (!words[count++])
			break;
	}
	va_end(args);
	return fsk_service_run(words, text);
}

/**
 * fsk_service_pattern() - refuse a pattern where a unit's name is wanted
 * @word: as it was given
 *
 * The manager would answer with all that match, in one text.
 *
 * Return: exit status.
 */
int fsk_service_pattern(const char *word)
{
	if (!strpbrk(word, "*?["))
		return 0;
	return fsk_usage("'%s' is a pattern: name each unit", word);
}

/* The manager knows no template, only instances: one that nobody has. */
static void fsk_service_instance(const struct fsk_service *unit, char *name)
{
	const char *end = strstr(unit->name, "@.");

	if (end)
		snprintf(name, FSK_SERVICE_NAME, "%.*s@fastsocket%s",
			 (int)(end - unit->name), unit->name, end + 1);
	else
		snprintf(name, FSK_SERVICE_NAME, "%s", unit->name);
}

/**
 * fsk_service_read() - ask the manager for a service
 * @unit: filled in; to be freed even when this fails
 * @word: its name; ".service" may be left out
 * @user: it is one of the caller's own manager
 *
 * Return: exit status.
 */
int fsk_service_read(struct fsk_service *unit, const char *word, bool user)
{
	const char *end = strrchr(word, '.');
	char name[FSK_SERVICE_NAME];
	int len;

	*unit = (struct fsk_service) { .user = user };
	if (fsk_service_pattern(word))
		return FSK_EXIT_USAGE;
	if (end && (!strcmp(end, ".socket") || !strcmp(end, ".target") ||
		    !strcmp(end, ".timer") || !strcmp(end, ".slice")))
		return fsk_usage("'%s' is no service: name the service itself",
				 word);
	len = snprintf(unit->name, sizeof(unit->name), "%s%s", word,
		       end && !strcmp(end, ".service") ? "" : ".service");
	if (len >= (int)sizeof(unit->name) - 16 || strchr(word, '/') || !*word)
		return fsk_usage("'%s' is no service's name", word);
	fsk_service_instance(unit, name);
	return fsk_service_systemctl(user, &unit->text, "show",
				     "-p", fsk_service_properties[0],
				     "-p", fsk_service_properties[1],
				     "-p", fsk_service_properties[2],
				     "-p", fsk_service_properties[3],
				     "-p", fsk_service_properties[4],
				     "--", name, NULL);
}

/**
 * fsk_service_free() - free what fsk_service_read() has made
 * @unit: the service
 */
void fsk_service_free(struct fsk_service *unit)
{
	free(unit->text);
	unit->text = NULL;
}

/**
 * fsk_service_next() - a property that may be there several times
 * @unit: the service
 * @property: its name
 * @after: %NULL for the first one, then what this has returned
 * @value: filled in, cut when it is too long
 * @size: of @value
 *
 * Return: a place to go on from, or %NULL when there is no more.
 */
const char *fsk_service_next(const struct fsk_service *unit,
			     const char *property,
			     const char *after, char *value, size_t size)
{
	const char *line = after ? after : unit->text;
	size_t len = strlen(property), end;

	for (; line && *line; line += end + !!line[end]) {
		end = strcspn(line, "\n");
		if (strncmp(line, property, len) || line[len] != '=')
			continue;
		snprintf(value, size, "%.*s", (int)(end - len - 1),
			 line + len + 1);
		return line + end + !!line[end];
	}
	return NULL;
}

/**
 * fsk_service_get() - a property
 * @unit: the service
 * @property: its name
 * @value: filled in, empty when there is none
 * @size: of @value
 *
 * Return: @value.
 */
const char *fsk_service_get(const struct fsk_service *unit,
			    const char *property,
			    char *value, size_t size)
{
	*value = '\0';
	fsk_service_next(unit, property, NULL, value, size);
	return value;
}

/**
 * fsk_service_is() - has a property this value?
 * @unit: the service
 * @property: its name
 * @value: the value
 *
 * Return: whether it has.
 */
bool fsk_service_is(const struct fsk_service *unit, const char *property,
		    const char *value)
{
	char found[64];

	return !strcmp(fsk_service_get(unit, property, found, sizeof(found)),
		       value);
}

/**
 * fsk_service_each() - take each word of a list
 * @list: the words; changed
 * @between: bytes that are between them
 * @take: gets a word
 * @data: for @take
 *
 * Return: whether @take has ended it.
 */
bool fsk_service_each(char *list, const char *between, fsk_service_take *take,
		      void *data)
{
	char *rest, *word;

	for (word = strtok_r(list, between, &rest); word;
	     word = strtok_r(NULL, between, &rest))
		if (take(word, data))
			return true;
	return false;
}

/**
 * fsk_service_folder() - where an administrator's drop-ins are
 * @user: of the caller's own manager
 * @path: filled in
 * @size: of @path
 *
 * Return: exit status.
 */
int fsk_service_folder(bool user, char *path, size_t size)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (!user)
		snprintf(path, size, "/etc/systemd/system");
	else if (config && *config)
		snprintf(path, size, "%s/systemd/user", config);
	else if (home && *home)
		snprintf(path, size, "%s/.config/systemd/user", home);
	else
		return fsk_usage("HOME is not set");
	return 0;
}
