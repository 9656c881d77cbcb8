// SPDX-License-Identifier: MIT
/*
 * fastsocket report: what a bug report needs, as text to be read before it is
 * sent. It has no addresses, no environment and no command lines.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/irq.h"
#include "base/nic.h"
#include "base/out.h"
#include "base/version.h"
#include "fastsocket.h"

#define FSK_REPORT_READ	3	/* syslog(2): read all, and leave it there */
#define FSK_REPORT_SIZE	10	/* syslog(2): how much there may be */

static void fsk_report_head(const char *text)
{
	printf("\n== %s\n", text);
	fflush(stdout);
}

/* Print the lines of a file that begin with @begin. */
static void fsk_report_file(const char *name, const char *path,
			    const char *begin)
{
	FILE *file = fopen(path, "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, begin, strlen(begin)))
			printf("%-12s %s\n", name, line + strlen(begin));
	}
	if (file)
		fclose(file);
}

static void fsk_report_machine(void)
{
	struct utsname host;

	printf("%-12s %s\n", "tool", fsk_version_tool);
	if (!uname(&host))
		printf("%-12s %s %s %s\n", "kernel", host.release, host.machine,
		       host.version);
	fsk_report_file("system", "/etc/os-release", "PRETTY_NAME=");
	fsk_report_file("CPUs online", "/sys/devices/system/cpu/online", "");
	fsk_report_file("taint", "/proc/sys/kernel/tainted", "");
	fsk_report_file("lockdown", "/sys/kernel/security/lockdown", "");
	fsk_report_file("module", "/sys/module/fastsocket/version", "");
	fsk_report_file("users", "/sys/module/fastsocket/refcnt", "");
	fsk_report_file("ports", "/proc/sys/net/ipv4/ip_local_port_range", "");
	fsk_report_file("early demux", "/proc/sys/net/ipv4/ip_early_demux",
			"");
}

static void fsk_report_nic(const char *name, const struct fsk_nic *nic)
{
	printf("%s: %u queues, on CPUs", name, nic->queues);
	for (unsigned int i = 0; i < nic->queues; i++)
		if (nic->cpu[i] == FSK_NO_CPU)
			printf(" -");
		else
			printf(" %u", nic->cpu[i]);
	printf("; table of %u, key of %u bytes, %s\n", nic->table_len,
	       nic->key_len, *nic->no_rss ? nic->no_rss : "rss is possible");
}

static void fsk_report_nics(void)
{
	struct if_nameindex *all = fsk_nic_all();
	static struct fsk_nic nic;

	if (!all)
		return;
	for (int i = 0; all[i].if_index; i++)
		if (!fsk_nic_read(all[i].if_name, &nic) && nic.device)
			fsk_report_nic(all[i].if_name, &nic);
	if_freenameindex(all);
}

/* Run a subcommand, if this tool has it. What it complains about belongs to
 * the report, too.
 */
static void fsk_report_command(const char *first, const char *second, bool json)
{
	char *words[3] = { (char *)first, (char *)second, NULL };
	const struct fsk_command *command;
	char text[64];
	int status;

	command = fsk_command_find(second ? 2 : 1, words);
	if (!command)
		return;
	snprintf(text, sizeof(text), "%s%s%s", first, second ? " " : "",
		 second ? second : "");
	fsk_report_head(text);
	fsk_json = json;
	status = command->run(1, words + (command->words[1] ? 1 : 0));
	fsk_json = false;
	if (status)
		printf("status %d\n", status);
}

/* The module's lines of the kernel's log. */
static void fsk_report_log(void)
{
	int size = klogctl(FSK_REPORT_SIZE, NULL, 0), len;
	char *text = size > 0 ? malloc(size + 1) : NULL, *line, *rest;

	len = text ? klogctl(FSK_REPORT_READ, text, size) : -1;
	if (len < 0) {
		puts("not to be read: as root it is");
		free(text);
		return;
	}
	text[len] = '\0';
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (strstr(line, "fastsocket"))
			puts(line);
	free(text);
}

/**
 * fsk_cmd_report() - fastsocket report
 * @argc: as main()
 * @argv: as main()
 *
 * Return: exit status.
 */
int fsk_cmd_report(int argc, char **argv)
{
	argc = fsk_words(argc, argv, 0, 0, FSK_OPTIONS());
	if (argc < 0)
		return -1 - argc;
	fflush(stdout);
	dup2(STDOUT_FILENO, STDERR_FILENO);
	fsk_json_hide = true;
	fsk_report_head("machine");
	fsk_report_machine();
	fsk_report_head("network cards");
	fsk_report_nics();
	fsk_report_command("version", NULL, false);
	fsk_report_command("config", "show", false);
	fsk_report_command("enabled", NULL, false);
	fsk_report_command("check", NULL, false);
	fsk_report_command("status", NULL, true);
	fsk_report_command("show", "stats", true);
	fsk_report_command("show", "listen", true);
	fsk_report_command("show", "rfd", true);
	fsk_report_head("the kernel's log");
	fsk_report_log();
	return 0;
}
