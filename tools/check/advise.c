// SPDX-License-Identifier: MIT
/*
 * Reads the configuration of nginx and HAProxy for what hands a connection to
 * another worker, and for the line that binds their workers. It knows these
 * words and no more: a file that it can't read, or a word that comes by another
 * way, means no advice.
 */
#include "advise.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/inside.h"
#include "facts.h"
#include "listeners.h"
#include "verdict.h"

#define FSK_ADVISE_DEPTH	8	/* files that include files */
#define FSK_ADVISE_SIZE		1048576	/* bytes of a file */

/* A file as a string that the caller frees, or %NULL. */
static char *fsk_advise_file(const char *root, const char *name)
{
	char *text = NULL;
	struct stat info;
	FILE *file;
	size_t len;
	int fd;

	fd = fsk_inside_open(root, name, O_RDONLY);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &info) || !S_ISREG(info.st_mode)) {
		close(fd);
		return NULL;
	}
	file = fdopen(fd, "r");
	if (file)
		text = malloc(FSK_ADVISE_SIZE);
	if (text) {
		len = fread(text, 1, FSK_ADVISE_SIZE - 1, file);
		text[len] = '\0';
	}
	if (file)
		fclose(file);
	else
		close(fd);
	return text;
}

/* For glob(), which hands them no data: names inside of a root folder. */

static const char *fsk_advise_root;

static int fsk_advise_stat_inside(const char *path, struct stat *info,
				  int flags)
{
	int fd = fsk_inside_open(fsk_advise_root, path, O_PATH | flags);
	int err;

	if (fd < 0)
		return -1;
	err = fstat(fd, info);
	close(fd);
	return err;
}

static int fsk_advise_stat(const char *path, struct stat *info)
{
	return fsk_advise_stat_inside(path, info, 0);
}

static int fsk_advise_lstat(const char *path, struct stat *info)
{
	return fsk_advise_stat_inside(path, info, O_NOFOLLOW);
}

static void *fsk_advise_opendir(const char *path)
{
	int fd = fsk_inside_open(fsk_advise_root, path,
				 O_RDONLY | O_DIRECTORY);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !folder)
		close(fd);
	return folder;
}

static struct dirent *fsk_advise_readdir(void *folder)
{
	return readdir(folder);
}

static void fsk_advise_closedir(void *folder)
{
	closedir(folder);
}

static int fsk_advise_glob(const char *root, const char *pattern, glob_t *found)
{
	*found = (glob_t) {
		.gl_opendir = fsk_advise_opendir,
		.gl_readdir = fsk_advise_readdir,
		.gl_closedir = fsk_advise_closedir,
		.gl_stat = fsk_advise_stat,
		.gl_lstat = fsk_advise_lstat,
	};
	fsk_advise_root = root;
	return glob(pattern, GLOB_ALTDIRFUNC, NULL, found);
}

/* What comes after an option in the command line; words end with 0, but nginx
 * writes its own into one word. %NULL when the option is not there, or there no
 * more than @skip times.
 */
static const char *fsk_advise_option(const struct fsk_facts *facts,
				     const char *option, int skip, char *value,
				     size_t size)
{
	char line[FSK_FACTS_LINE + 1], *rest = line, *word;
	bool next = false;

	memcpy(line, facts->line, facts->line_len);
	for (size_t i = 0; i < facts->line_len; i++)
		line[i] = line[i] ? line[i] : ' ';
	line[facts->line_len] = '\0';
	while ((word = strsep(&rest, " "))) {
		if (next && !skip--) {
			snprintf(value, size, "%s", word);
			return value;
		}
		next = !strcmp(word, option);
	}
	return NULL;
}

/* nginx */

/**
 * struct fsk_advise_nginx - what nginx's configuration has
 * @affinity: worker_cpu_affinity
 * @mutex: accept_mutex on
 */
struct fsk_advise_nginx {
	bool affinity;
	bool mutex;
};

static bool fsk_advise_nginx_file(struct fsk_advise_nginx *nginx,
				  const char *root, const char *name,
				  int depth);

/* Files that are included, by a pattern from the main file's folder. */
static void fsk_advise_nginx_include(struct fsk_advise_nginx *nginx,
				     const char *root, const char *name,
				     const char *pattern, int depth)
{
	char whole[PATH_MAX];
	glob_t found;

	snprintf(whole, sizeof(whole), "%.*s%s", *pattern == '/' ? 0 :
		 (int)(strrchr(name, '/') + 1 - name), name, pattern);
	if (depth == FSK_ADVISE_DEPTH || fsk_advise_glob(root, whole, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		fsk_advise_nginx_file(nginx, root, found.gl_pathv[i],
				      depth + 1);
	globfree(&found);
}

static void fsk_advise_nginx_words(struct fsk_advise_nginx *nginx,
				   const char *root, const char *name,
				   char *statement, int depth)
{
	char *rest = statement + strspn(statement, " \t\r\n");
	char *word = strsep(&rest, " \t\r\n");
	char *value = rest ? rest + strspn(rest, " \t\r\n") : NULL;

	if (!value)
		return;
	value[strcspn(value, " \t\r\n")] = '\0';
	if (!strcmp(word, "worker_cpu_affinity"))
		nginx->affinity = true;
	else if (!strcmp(word, "accept_mutex"))
		nginx->mutex = !strcmp(value, "on");
	else if (!strcmp(word, "include"))
		fsk_advise_nginx_include(nginx, root, name, value, depth);
}

static bool fsk_advise_nginx_file(struct fsk_advise_nginx *nginx,
				  const char *root, const char *name, int depth)
{
	char *text = fsk_advise_file(root, name), *rest = text, *statement, *at;

	/* Comments first: they may have the characters that end a statement. */
	for (at = text; at && (at = strchr(at, '#'));)
		while (*at && *at != '\n')
			*at++ = ' ';
	while ((statement = strsep(&rest, ";{}")))
		fsk_advise_nginx_words(nginx, root, name, statement, depth);
	free(text);
	return text;
}

static void fsk_advise_for_nginx(struct fsk_verdict *verdict,
				 const struct fsk_listening *listening,
				 const struct fsk_facts *facts,
				 const char *root)
{
	struct fsk_advise_nginx nginx = { 0 };
	char name[PATH_MAX] = "/etc/nginx/nginx.conf";

	fsk_advise_option(facts, "-c", 0, name, sizeof(name));
	if (!fsk_advise_nginx_file(&nginx, root, name, 0))
		return;
	if (listening->joined && !listening->queues && !*listening->bypass &&
	    !nginx.affinity && verdict->count)
		fsk_verdict_act(verdict, "in %.256s: 'worker_cpu_affinity "
					 "auto;', and restart it",
				name);
	if (nginx.mutex) {
		fsk_verdict_add(verdict, "", "nginx' workers take turns at "
					     "accepting (accept_mutex on)");
		fsk_verdict_act(verdict, "in %.256s: 'accept_mutex off;'",
				name);
	}
}

/* HAProxy */

/**
 * struct fsk_advise_haproxy - what HAProxy's configuration has
 * @map: cpu-map
 * @direct: tune.listener.multi-queue off
 * @binds: bind lines
 * @shards: ... that have a listener for each thread
 * @single: nbthread 1
 */
struct fsk_advise_haproxy {
	bool map;
	bool direct;
	unsigned int binds;
	unsigned int shards;
	bool single;
};

static void fsk_advise_haproxy_line(struct fsk_advise_haproxy *haproxy,
				    char *line)
{
	char *words[64] = { "" };
	size_t count = 0;
	char *word;

	line[strcspn(line, "#")] = '\0';
	while (count < 63 && (word = strsep(&line, " \t\r")))
		if (*word)
			words[count++] = word;
	if (!strcmp(words[0], "cpu-map"))
		haproxy->map = true;
	else if (!strcmp(words[0], "nbthread"))
		haproxy->single = count > 1 && !strcmp(words[1], "1");
	else if (!strcmp(words[0], "tune.listener.multi-queue"))
		haproxy->direct = count > 1 && !strcmp(words[1], "off");
	else if (!strcmp(words[0], "bind"))
		haproxy->binds++;
	if (strcmp(words[0], "bind"))
		return;
	for (size_t i = 1; i + 1 < count; i++)
		if (!strcmp(words[i], "shards") &&
		    !strcmp(words[i + 1], "by-thread"))
			haproxy->shards++;
}

static bool fsk_advise_haproxy_file(struct fsk_advise_haproxy *haproxy,
				    const char *root, const char *name)
{
	char *text = fsk_advise_file(root, name), *rest = text, *line;

	while ((line = strsep(&rest, "\n")))
		fsk_advise_haproxy_line(haproxy, line);
	free(text);
	return text;
}

static void fsk_advise_for_haproxy(struct fsk_verdict *verdict,
				   const struct fsk_listening *listening,
				   const struct fsk_facts *facts,
				   const char *root)
{
	struct fsk_advise_haproxy haproxy = { 0 };
	char name[PATH_MAX] = "/etc/haproxy/haproxy.cfg";
	bool read = false;
	int i = 0;

	while (fsk_advise_option(facts, "-f", i, name, sizeof(name))) {
		read |= fsk_advise_haproxy_file(&haproxy, root, name);
		i++;
	}
	if (!i)
		read = fsk_advise_haproxy_file(&haproxy, root, name);
	if (!read || haproxy.single)
		return;
	if (listening->joined && !listening->queues && !*listening->bypass &&
	    !haproxy.map && verdict->count)
		fsk_verdict_act(verdict, "in %.256s, section global: 'cpu-map "
					 "auto:1/1-N 0-M', with a CPU for "
					 "each thread, and restart it",
				name);
	if (!haproxy.direct && haproxy.shards < haproxy.binds) {
		fsk_verdict_add(verdict, "", "HAProxy hands accepted "
					     "connections to other threads "
					     "(tune.listener.multi-queue)");
		fsk_verdict_act(verdict, "in %.256s, section global: "
					 "'tune.listener.multi-queue off'",
				name);
	}
}

/**
 * fsk_advise() - say what a known program's configuration has to do with it
 * @verdict: of fsk_verdict_find(); reasons and better advice are added
 * @listening: the listener
 * @facts: its process
 * @root: of the process' files
 */
void fsk_advise(struct fsk_verdict *verdict,
		const struct fsk_listening *listening,
		const struct fsk_facts *facts, const char *root)
{
	if (!strcmp(facts->name, "nginx"))
		fsk_advise_for_nginx(verdict, listening, facts, root);
	else if (!strcmp(facts->name, "haproxy"))
		fsk_advise_for_haproxy(verdict, listening, facts, root);
}
