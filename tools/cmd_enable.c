// SPDX-License-Identifier: MIT
/*
 * fastsocket enable, disable, enabled: services that load the library at their
 * next start, by a drop-in of ours.
 */
#include "cmd_enable.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/apparmor.h"
#include "base/conf.h"
#include "base/dropin.h"
#include "base/error.h"
#include "base/library.h"
#include "base/nearest.h"
#include "base/nic.h"
#include "base/out.h"
#include "base/sandbox.h"
#include "base/selected.h"
#include "base/service.h"
#include "base/unit_files.h"
#include "fastsocket.h"

/**
 * struct fsk_enable - what the command line says
 * @user: services of the caller's own manager
 * @now: restart those that run
 * @cgroup: without the library, by their control groups
 * @profile: or %NULL
 * @given: the profile to remember, which may have no file just now; or %NULL
 * @again: not by the command line, only what the configuration has changed
 * @changed: the manager has to read its files again
 * @library: path of the library
 * @tool: path of this program
 */
struct fsk_enable {
	int user;
	int now;
	int cgroup;
	const char *profile;
	const char *given;
	bool again;
	bool changed;
	char library[PATH_MAX];
	char tool[PATH_MAX];
};

/* The path of a service's drop-in, or of its folder with an empty @file. */
static int fsk_enable_path(const char *name, bool user, const char *file,
			   char *path)
{
	char folder[PATH_MAX / 2];
	int status = fsk_service_folder(user, folder, sizeof(folder));

	snprintf(path, PATH_MAX, "%s/%s.d%s%s", folder, name,
		 *file ? "/" : "", file);
	return status;
}

/* Make the folders above a file. */
static int fsk_enable_folders(char *path)
{
	char *end = path;

	while ((end = strchr(end + 1, '/'))) {
		*end = '\0';
		if (mkdir(path, 0755) && errno != EEXIST) {
			fsk_error("%s: %s", path, strerror(errno));
			*end = '/';
			return FSK_EXIT_REFUSED;
		}
		*end = '/';
	}
	return 0;
}

/* Replaces the file at once: a reader sees the old one or the new one. With
 * --user root may be in another's home: a link there leads nowhere.
 */
static int fsk_enable_write(char *path, const char *text)
{
	char new[PATH_MAX + 8];
	FILE *file;
	int status = fsk_enable_folders(path);
	bool done = false;

	if (status)
		return status;
	snprintf(new, sizeof(new), "%s.new", path);
	unlink(new);
	file = fopen(new, "wxe");
	if (file) {
		done = fputs(text, file) >= 0;
		done = !fclose(file) && done;
	}
	if (!done || rename(new, path)) {
		fsk_error("%s: %s", path, strerror(errno));
		unlink(new);
		return FSK_EXIT_REFUSED;
	}
	return 0;
}

/* Is this what the file has? */
static bool fsk_enable_same(const char *path, const char *text)
{
	FILE *file = fopen(path, "re");
	bool same = file;
	int byte;

	while (same && (byte = getc(file)) != EOF)
		same = byte == (unsigned char)*text && *text++;
	if (file)
		fclose(file);
	return same && !*text;
}

/* The configuration's section of a service; of an instance without one of its
 * own that of the template.
 */
static const struct fsk_conf_section *
fsk_enable_section(const struct fsk_conf *conf, const char *name)
{
	const struct fsk_conf_section *own;
	const char *at = strchr(name, '@'), *end = strrchr(name, '.');
	char template[FSK_SERVICE_NAME];

	own = fsk_conf_find(&conf->services, name);
	if (own || !at || !end)
		return own;
	snprintf(template, sizeof(template), "%.*s@%s", (int)(at - name), name,
		 end);
	return fsk_conf_find(&conf->services, template);
}

/* Says what has become of a service, and, of one that runs, since when. */
static void fsk_enable_say(const char *name, const char *result,
			   const struct fsk_dropin *dropin, bool later)
{
	const char *line = dropin ? dropin->extra : "";
	size_t len;

	if (fsk_json) {
		fsk_json_open(NULL, '{');
		fsk_json_str("unit", name);
		fsk_json_str("result", result);
		fsk_json_open("lines", '[');
	} else {
		printf("%s: %s%s", name, result,
		       later ? " from its next start on" : "");
	}
	for (; *line; line += len + 1) {
		char text[512];

		len = strcspn(line, "\n");
		snprintf(text, sizeof(text), "%.*s", (int)len, line);
		if (fsk_json)
			fsk_json_str(NULL, text);
		else
			printf("%s%s", line == dropin->extra ? ", with " : " ",
			       text);
	}
	if (fsk_json) {
		fsk_json_close(']');
		fsk_json_close('}');
	} else {
		putchar('\n');
	}
}

/* Undo what the drop-in of before needed and @dropin doesn't: without the notes
 * that it has, nobody would.
 */
static int fsk_enable_undo(const char *path, const char *unit,
			   const struct fsk_dropin *dropin)
{
	char profile[512], cgroup[8];
	int status = 0, one = 0;

	fsk_dropin_note(path, "apparmor", profile, sizeof(profile));
	fsk_dropin_note(path, "cgroup", cgroup, sizeof(cgroup));
	/* Its own line would do it at the next stop, and goes. */
	if (*cgroup && !dropin->cgroup)
		status = fsk_selected_forget(unit);
	if (*profile && strcmp(profile, dropin->profile))
		one = fsk_apparmor_remove(profile);
	return status ? status : one;
}

/* Writes the drop-in, if it is not there like this. AppArmor's line is first:
 * when that fails, the next time is not taken for one without a change.
 */
static int fsk_enable_put(struct fsk_enable *enable, struct fsk_service *unit,
			  const struct fsk_dropin *dropin,
			  const struct fsk_conf_section *section, bool *same)
{
	char *text = fsk_dropin_text(dropin, unit, section);
	char path[PATH_MAX];
	int status;

	if (!text)
		return fsk_no_memory();
	status = fsk_enable_path(unit->name, unit->user, FSK_UNIT_FILES_OURS,
				 path);
	*same = !status && fsk_enable_same(path, text);
	/* A profile that is noted still may have no file any more. */
	if (!status && *dropin->profile && !(*same && enable->again) &&
	    fsk_apparmor_possible(dropin->profile))
		status = fsk_apparmor_add(dropin->profile, dropin->library);
	if (!status && !*same)
		status = fsk_enable_undo(path, unit->name, dropin);
	if (!status && !*same) {
		status = fsk_enable_write(path, text);
		enable->changed = true;
	}
	free(text);
	return status;
}

/* A service that can't load the library may still join by its control group. */
static const char *fsk_enable_hint(const struct fsk_enable *enable,
				   const struct fsk_service *unit)
{
	struct fsk_dropin other = {
		.library = enable->library,
		.cgroup = enable->tool,
	};

	if (enable->cgroup)
		return "";
	fsk_sandbox_check(&other, unit);
	return *other.why ? "" : "; 'enable --cgroup' does without the library";
}

/* Does it run as it was, until somebody restarts it? */
static bool fsk_enable_later(const struct fsk_enable *enable,
			     const struct fsk_service *unit)
{
	return !enable->now && !fsk_service_template(unit->name) &&
	       !fsk_service_is(unit, "MainPID", "0");
}

/* What the service is to get, before its sandbox is looked at. */
static struct fsk_dropin fsk_enable_want(const struct fsk_enable *enable,
					 const struct fsk_conf *conf,
					 const struct fsk_service *unit,
					 struct fsk_conf_section *section)
{
	struct fsk_dropin dropin = {
		.library = enable->library,
		.cgroup = enable->cgroup ? enable->tool : NULL,
		.given = enable->given,
	};

	fsk_conf_effective(conf, fsk_enable_section(conf, unit->name),
			   enable->profile, section);
	free(section->interfaces);
	fsk_sandbox_needs(&dropin, section);
	return dropin;
}

/* Without the command line nobody has asked to take AppArmor's line back: a
 * profile that is not enforced now may be loaded later, or again.
 */
static void fsk_enable_keep(const struct fsk_enable *enable,
			    const struct fsk_service *unit,
			    struct fsk_dropin *dropin)
{
	char path[PATH_MAX];

	if (!enable->again || dropin->cgroup || *dropin->profile ||
	    fsk_enable_path(unit->name, unit->user, FSK_UNIT_FILES_OURS, path))
		return;
	fsk_dropin_note(path, "apparmor", dropin->profile,
			sizeof(dropin->profile));
}

/* At boot not all can be looked at that the command line has seen: /home, what
 * only other users may enter, what the network brings later. So the drop-in
 * stays, and it is no failed boot.
 */
static int fsk_enable_refuse(const struct fsk_enable *enable,
			     const struct fsk_service *unit, const char *why)
{
	char kept[640];

	if (!enable->again) {
		fsk_error("%s: refused: %s%s", unit->name, why,
			  fsk_enable_hint(enable, unit));
		return FSK_EXIT_REFUSED;
	}
	snprintf(kept, sizeof(kept), "%s: its drop-in stays as it is", why);
	fsk_enable_say(unit->name, kept, NULL, false);
	return 0;
}

static int fsk_enable_unit(struct fsk_enable *enable,
			   const struct fsk_conf *conf,
			   struct fsk_service *unit)
{
	struct fsk_conf_section section;
	struct fsk_dropin dropin;
	bool same = false;
	int status;

	dropin = fsk_enable_want(enable, conf, unit, &section);
	fsk_sandbox_check(&dropin, unit);
	if (!*dropin.why && *dropin.profile &&
	    !fsk_apparmor_possible(dropin.profile))
		snprintf(dropin.why, sizeof(dropin.why),
			 "its AppArmor profile has no local part: %s '%s mr'",
			 "give it one that allows", dropin.library);
	if (*dropin.why)
		return fsk_enable_refuse(enable, unit, dropin.why);
	fsk_enable_keep(enable, unit, &dropin);
	status = fsk_enable_put(enable, unit, &dropin, &section, &same);
	if (!status && !(same && enable->again))
		fsk_enable_say(unit->name, enable->again ?
			       "has another drop-in at its next start" :
			       same ? "is enabled" : "enabled", &dropin,
			       !enable->again && !same &&
			       fsk_enable_later(enable, unit));
	return status;
}

/* Let the manager read its files, and restart what runs. */
static int fsk_enable_end(struct fsk_enable *enable, int argc, char **argv)
{
	char names[FSK_SERVICE_NAME + 8];
	struct fsk_service unit;
	int status = 0;

	if (enable->changed)
		status = fsk_service_systemctl(enable->user, NULL,
					       "daemon-reload", NULL);
	for (int i = 1; i <= argc && enable->now && !status; i++) {
		if (!argv[i])
			continue;
		if (fsk_service_read(&unit, argv[i], enable->user)) {
			fsk_service_free(&unit);
			continue;
		}
		snprintf(names, sizeof(names), "%s", unit.name);
		if (fsk_service_template(names))
			snprintf(strstr(names, "@."), 16, "@*.service");
		fsk_service_free(&unit);
		status = fsk_service_systemctl(enable->user, NULL,
					       "try-restart",
					       "--", names, NULL);
	}
	return status;
}

/* A drop-in that goes after ours may undo it. */
static int fsk_enable_verify(const struct fsk_enable *enable,
			     const struct fsk_conf *conf, const char *word)
{
	struct fsk_conf_section section;
	struct fsk_service unit;
	struct fsk_dropin dropin;
	int status = fsk_service_read(&unit, word, enable->user);

	if (!status) {
		dropin = fsk_enable_want(enable, conf, &unit, &section);
		fsk_sandbox_verify(&dropin, &unit);
		if (*dropin.why) {
			fsk_error("%s: a drop-in after ours %s", unit.name,
				  dropin.why);
			status = FSK_EXIT_REFUSED;
		}
	}
	fsk_service_free(&unit);
	return status;
}

/* Those that were refused have no word any more. */
static int fsk_enable_verify_each(const struct fsk_enable *enable,
				  const struct fsk_conf *conf, int argc,
				  char **argv)
{
	int status = 0, one;

	for (int i = 1; i <= argc; i++) {
		one = argv[i] ? fsk_enable_verify(enable, conf, argv[i]) : 0;
		status = status ? status : one;
	}
	return status;
}

/* Without that unit nobody loads the module at the next boot. */
static void fsk_enable_advise(const struct fsk_enable *enable)
{
	struct stat file;

	if (enable->user || !stat("/sys/module/fastsocket", &file) ||
	    fsk_json)
		return;
	printf("the module is not loaded: '%s' loads it now and at boot\n",
	       "systemctl enable --now fastsocket");
}

static int fsk_enable_options(int argc, char **argv, struct fsk_enable *enable)
{
	int user = 0, now = 0, cgroup = 0;

	argc = fsk_words(argc, argv, 0, INT_MAX,
			 FSK_OPTIONS(FSK_FLAG("now", FSK_OPTION_LONG, now)
				     FSK_VALUE("profile", FSK_OPTION_PROFILE)
				     FSK_FLAG("cgroup", FSK_OPTION_LONG,
					      cgroup)
				     FSK_FLAG("user", FSK_OPTION_LONG, user)));
	enable->user = user;
	enable->cgroup = cgroup;
	enable->now = now;
	enable->profile = fsk_option_value(FSK_OPTION_PROFILE);
	enable->given = enable->profile;
	return argc;
}

static int fsk_enable_profile(const struct fsk_conf *conf, const char *profile)
{
	struct fsk_nearest nearest = { .word = profile };

	if (!profile || fsk_conf_find(&conf->profiles, profile))
		return 0;
	for (size_t i = 0; i < conf->profiles.count; i++)
		fsk_nearest_try(&nearest, conf->profiles.sections[i].name);
	return fsk_usage("there is no profile '%s'%s", profile,
			 fsk_nearest_hint(&nearest));
}

/* Each service for itself; the words of those that are refused are dropped. */
static int fsk_enable_each(struct fsk_enable *enable,
			   const struct fsk_conf *conf, int argc, char **argv)
{
	int status = 0, one;

	for (int i = 1; i <= argc; i++) {
		struct fsk_service unit;

		one = fsk_service_read(&unit, argv[i], enable->user);
		if (!one)
			one = fsk_enable_unit(enable, conf, &unit);
		fsk_service_free(&unit);
		if (one)
			argv[i] = NULL;
		status = status ? status : one;
	}
	return status;
}

static void fsk_enable_find_tool(struct fsk_enable *enable)
{
	ssize_t len = readlink("/proc/self/exe", enable->tool,
			       sizeof(enable->tool) - 1);

	enable->tool[len > 0 ? len : 0] = '\0';
}

/**
 * fsk_cmd_enable() - fastsocket enable UNIT... [--profile P] [--now] [--user]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_enable(int argc, char **argv)
{
	struct fsk_enable enable = { 0 };
	struct fsk_conf conf = { 0 };
	int status, last;

	argc = fsk_enable_options(argc, argv, &enable);
	if (argc >= 0)
		argc = fsk_words_check(argc, argv, 1, INT_MAX);
	if (argc < 0)
		return -1 - argc;
	if (enable.cgroup && enable.profile)
		return fsk_usage("a profile is the library's: %s",
				 "leave out --profile or --cgroup");
	fsk_enable_find_tool(&enable);
	if (!enable.cgroup && !fsk_library_find(enable.library)) {
		fsk_error("no " FSK_LIBRARY_NAME " in " FSK_LIBDIR);
		return FSK_EXIT_REFUSED;
	}
	status = fsk_conf_read(&conf, 0, NULL);
	if (!status)
		status = fsk_enable_profile(&conf, enable.profile);
	if (!status) {
		if (fsk_json)
			fsk_json_open(NULL, '[');
		status = fsk_enable_each(&enable, &conf, argc, argv);
		if (fsk_json)
			fsk_json_close(']');
		last = fsk_enable_end(&enable, argc, argv);
		if (!last)
			last = fsk_enable_verify_each(&enable, &conf, argc,
						      argv);
		status = status ? status : last;
		if (!status)
			fsk_enable_advise(&enable);
	}
	fsk_conf_free(&conf);
	return status;
}

static int fsk_disable_unit(struct fsk_enable *enable,
			    const struct fsk_service *unit)
{
	static const struct fsk_dropin nothing;
	char path[PATH_MAX];
	int status, last;

	status = fsk_enable_path(unit->name, unit->user, FSK_UNIT_FILES_OURS,
				 path);
	if (status)
		return status;
	last = fsk_enable_undo(path, unit->name, &nothing);
	if (unlink(path)) {
		fsk_error("%s: %s", unit->name, errno == ENOENT ?
			  "it is not enabled" : strerror(errno));
		return FSK_EXIT_REFUSED;
	}
	*strrchr(path, '/') = '\0';
	/* Others may have files there. */
	rmdir(path);
	enable->changed = true;
	fsk_enable_say(unit->name, "disabled", NULL,
		       fsk_enable_later(enable, unit));
	return last;
}

/**
 * fsk_cmd_disable() - fastsocket disable UNIT... [--now] [--user]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_disable(int argc, char **argv)
{
	struct fsk_enable enable = { 0 };
	int status = 0, one;

	argc = fsk_enable_options(argc, argv, &enable);
	if (argc >= 0)
		argc = fsk_words_check(argc, argv, 1, INT_MAX);
	if (argc < 0)
		return -1 - argc;
	if (fsk_json)
		fsk_json_open(NULL, '[');
	for (int i = 1; i <= argc; i++) {
		struct fsk_service unit;

		one = fsk_service_read(&unit, argv[i], enable.user);
		if (!one)
			one = fsk_disable_unit(&enable, &unit);
		fsk_service_free(&unit);
		if (one)
			argv[i] = NULL;
		status = status ? status : one;
	}
	if (fsk_json)
		fsk_json_close(']');
	one = fsk_enable_end(&enable, argc, argv);
	return status ? status : one;
}

/* Takes a service that has our drop-in. */
typedef int fsk_enabled_take(const char *name, const char *path, bool user,
			     void *data);

/* Returns the status of the first that fails. */
static int fsk_enabled_each(bool user, fsk_enabled_take *take, void *data)
{
	const char *name, *end;
	char pattern[PATH_MAX], service[FSK_SERVICE_NAME];
	glob_t found = { 0 };
	int status, one;

	status = fsk_enable_path("*.service", user, FSK_UNIT_FILES_OURS,
				 pattern);
	if (status)
		return status;
	glob(pattern, 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		end = strrchr(found.gl_pathv[i], '/') - 2;
		name = end;
		while (name[-1] != '/')
			name--;
		snprintf(service, sizeof(service), "%.*s", (int)(end - name),
			 name);
		one = take(service, found.gl_pathv[i], user, data);
		status = status ? status : one;
	}
	globfree(&found);
	return status;
}

/* Has the service's main process loaded the library? */
static const char *fsk_enabled_state(const char *name, bool user)
{
	static const char * const states[] = {
		[FSK_LIBRARY_UNTOLD] = "not told",
		[FSK_LIBRARY_NONE] = "restart pending",
		[FSK_LIBRARY_LOADED] = "loaded",
		/* An upgrade has replaced the file of this one. */
		[FSK_LIBRARY_REPLACED] = "restart pending",
	};
	const char *state = "not running";
	struct fsk_service unit;
	char pid[16];

	if (fsk_service_template(name))
		return "template";
	if (!fsk_service_read(&unit, name, user) &&
	    !fsk_service_is(&unit, "MainPID", "0")) {
		fsk_service_get(&unit, "MainPID", pid, sizeof(pid));
		state = states[fsk_library_of(atoi(pid))];
	}
	fsk_service_free(&unit);
	return state;
}

static int fsk_enabled_row(const char *name, const char *path, bool user,
			   void *data)
{
	struct fsk_table *table = data;
	char profile[256];
	const char *state;

	fsk_dropin_note(path, "cgroup", profile, sizeof(profile));
	state = *profile ? "not needed" : fsk_enabled_state(name, user);
	fsk_dropin_note(path, "profile", profile, sizeof(profile));
	if (fsk_json) {
		fsk_json_open(NULL, '{');
		fsk_json_str("unit", name);
		fsk_json_bool("user", user);
		if (*profile)
			fsk_json_str("profile", profile);
		fsk_json_str("state", state);
		fsk_json_close('}');
		return 0;
	}
	fsk_table_put(table, "%s", name);
	fsk_table_put(table, "%s", *profile ? profile : "-");
	fsk_table_put(table, "%s", state);
	return 0;
}

/**
 * fsk_cmd_enabled() - fastsocket enabled [--user]
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_enabled(int argc, char **argv)
{
	struct fsk_table *table = NULL;
	int user = 0, status;

	argc = fsk_words(argc, argv, 0, 0,
			 FSK_OPTIONS(FSK_FLAG("user", FSK_OPTION_LONG, user)));
	if (argc < 0)
		return -1 - argc;
	if (fsk_json) {
		fsk_json_open(NULL, '[');
	} else {
		table = fsk_table_create(3);
		fsk_table_put(table, "UNIT");
		fsk_table_put(table, "PROFILE");
		fsk_table_put(table, "LIBRARY");
	}
	status = fsk_enabled_each(user, fsk_enabled_row, table);
	if (fsk_json)
		fsk_json_close(']');
	else
		fsk_table_print(table, "lll");
	return status;
}

/**
 * struct fsk_refresh - services whose drop-ins are made again
 * @enable: as if the command line had named them
 * @conf: what the configuration says now
 */
struct fsk_refresh {
	struct fsk_enable enable;
	const struct fsk_conf *conf;
};

/* A service may go, or be masked, and come again. Its drop-in does no harm
 * meanwhile, and is no reason for the whole refresh to fail.
 */
static const char *fsk_enable_absent(const struct fsk_service *unit)
{
	if (fsk_service_is(unit, "LoadState", "not-found"))
		return "there is no such service: its drop-in stays as it is";
	if (fsk_service_is(unit, "LoadState", "masked"))
		return "it is masked: its drop-in stays as it is";
	return NULL;
}

static int fsk_enable_again(const char *name, const char *path, bool user,
			    void *data)
{
	struct fsk_refresh *refresh = data;
	struct fsk_service unit;
	const char *absent;
	char profile[256];
	int status;

	fsk_dropin_note(path, "cgroup", profile, sizeof(profile));
	refresh->enable.cgroup = *profile;
	fsk_dropin_note(path, "given", profile, sizeof(profile));
	refresh->enable.profile = NULL;
	refresh->enable.given = *profile ? profile : NULL;
	/* A profile that is gone since is no reason to leave all as it was. It
	 * is remembered: its file may come again.
	 */
	if (fsk_conf_find(&refresh->conf->profiles, profile))
		refresh->enable.profile = profile;
	status = fsk_service_read(&unit, name, user);
	absent = status ? NULL : fsk_enable_absent(&unit);
	if (absent)
		fsk_enable_say(unit.name, absent, NULL, false);
	else if (!status)
		status = fsk_enable_unit(&refresh->enable, refresh->conf,
					 &unit);
	fsk_service_free(&unit);
	return status;
}

/**
 * fsk_enable_refresh() - make the drop-ins of the system's services again
 * @conf: what the configuration says now
 *
 * This says nothing of those that stay as the configuration has them.
 *
 * Return: exit status.
 */
int fsk_enable_refresh(const struct fsk_conf *conf)
{
	struct fsk_refresh refresh = { .enable.again = true, .conf = conf };
	int status, last;

	fsk_enable_find_tool(&refresh.enable);
	/* Only where systemd runs there is somebody to read them. */
	if (access("/run/systemd/system", F_OK) || fsk_nic_netns ||
	    !fsk_library_find(refresh.enable.library))
		return 0;
	status = fsk_enabled_each(false, fsk_enable_again, &refresh);
	last = fsk_enable_end(&refresh.enable, 0, NULL);
	return status ? status : last;
}
