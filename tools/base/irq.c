// SPDX-License-Identifier: MIT
/*
 * Finds the core that serves each receive queue of an interface. That is where
 * the queue's interrupt goes, which is known by its name; without such an
 * interrupt it is the core that sends by the queue of the same number (XPS).
 */
#include "irq.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first line of a file, without its end. */
static bool fsk_irq_line(char *line, size_t size, const char *path)
{
	FILE *file = fopen(path, "re");
	bool good = false;

	if (!file)
		return false;
	if (fgets(line, size, file)) {
		line[strcspn(line, "\n")] = '\0';
		good = true;
	}
	fclose(file);
	return good;
}

static bool fsk_irq_has_any(const char *text, const char * const *words)
{
	for (; *words; words++)
		if (strstr(text, *words))
			return true;
	return false;
}

/* Cut the interface's name out where it stands as a word of its own. */
static bool fsk_irq_cut(char *text, const char *name)
{
	size_t len = strlen(name);
	char *at = text;

	while (len && (at = strstr(at, name))) {
		if ((at == text || !isalnum(at[-1])) && !isalnum(at[len])) {
			memmove(at, at + len, strlen(at + len) + 1);
			return true;
		}
		at++;
	}
	return false;
}

static int fsk_irq_last_number(const char *text)
{
	size_t at = strlen(text);

	while (at && !isdigit(text[at - 1]))
		at--;
	while (at && isdigit(text[at - 1]))
		at--;
	return isdigit(text[at]) ? (int)strtoul(text + at, NULL, 10) : -1;
}

/**
 * fsk_irq_queue() - the receive queue to which an interrupt belongs
 * @action: the interrupt's name, "eth0-TxRx-3", "virtio0-input.3",
 *	"mlx5_comp3@pci:0000:3b:00.0" and the like
 * @name: of the interface
 *
 * Return: the queue's number, or -1 if it belongs to none.
 */
int fsk_irq_queue(const char *action, const char *name)
{
	static const char * const receives[] = {
		"rx", "input", "comp", "-fp-", NULL
	};
	const char *rest;
	char text[128];
	bool named;

	snprintf(text, sizeof(text), "%s", action);
	text[strcspn(text, "@")] = '\0';
	named = fsk_irq_cut(text, name);
	for (char *c = text; *c; c++)
		*c = tolower(*c);
	/* Without such a word: the name, then a number, or "q" and a number. */
	rest = text + 1 + (text[0] && text[1] == 'q');
	if (!fsk_irq_has_any(text, receives) &&
	    (!named || text[0] != '-' || rest[strspn(rest, "0123456789")]))
		return -1;
	return fsk_irq_last_number(text);
}

/**
 * fsk_irq_single() - the CPU in a list of one
 * @list: as in /proc/irq/N/smp_affinity_list
 *
 * Return: the CPU, or %FSK_NO_CPU if there are none or several.
 */
uint32_t fsk_irq_single(const char *list)
{
	unsigned long cpu;
	char *end;

	if (!isdigit(*list))
		return FSK_NO_CPU;
	cpu = strtoul(list, &end, 10);
	if (*end == '-' && strtoul(end + 1, NULL, 10) == cpu)
		return cpu;
	return *end || cpu >= FSK_NO_CPU ? FSK_NO_CPU : cpu;
}

/**
 * fsk_irq_single_bit() - the CPU in a mask of one
 * @mask: as in xps_cpus, hexadecimal in groups of 32 bits
 *
 * Return: the CPU, or %FSK_NO_CPU if there are none or several.
 */
uint32_t fsk_irq_single_bit(const char *mask)
{
	uint32_t bit = 0, found = FSK_NO_CPU;
	size_t at = strlen(mask);
	int digit;

	while (at--) {
		if (mask[at] == ',')
			continue;
		if (!isxdigit(mask[at]))
			return FSK_NO_CPU;
		digit = isdigit(mask[at]) ? mask[at] - '0' :
					    tolower(mask[at]) - 'a' + 10;
		for (int i = 0; i < 4; i++, bit++) {
			if (!(digit & 1 << i))
				continue;
			if (found != FSK_NO_CPU)
				return FSK_NO_CPU;
			found = bit;
		}
	}
	return found;
}

/* The CPU to which an interrupt shall go, if the administrator names just one:
 * it may get there with the next interrupt only. Else the kernel's choice.
 */
static uint32_t fsk_irq_cpu(const char *irq)
{
	static const char * const files[] = {
		"smp_affinity_list", "effective_affinity_list",
	};
	uint32_t cpu = FSK_NO_CPU;
	char path[PATH_MAX], line[256];

	for (int i = 0; i < 2 && cpu == FSK_NO_CPU; i++) {
		snprintf(path, sizeof(path), "/proc/irq/%s/%s", irq, files[i]);
		if (fsk_irq_line(line, sizeof(line), path))
			cpu = fsk_irq_single(line);
	}
	return cpu;
}

/* Enter the core of one interrupt, which may serve several queues and be shared
 * with other devices. With @named only actions count that name the interface.
 * Returns whether any action names it.
 */
static bool fsk_irq_take(const char *irq, const char *name, bool named,
			 uint32_t *cpu, unsigned int queues)
{
	char path[PATH_MAX], line[1024], *rest = line, *action, *cut;
	bool found = false;
	int queue;

	snprintf(path, sizeof(path), "/sys/kernel/irq/%s/actions", irq);
	if (!fsk_irq_line(line, sizeof(line), path))
		return false;
	while ((action = strsep(&rest, ","))) {
		cut = strdupa(action);
		if (fsk_irq_cut(cut, name))
			found = true;
		else if (named)
			continue;
		queue = fsk_irq_queue(action, name);
		if (queue >= 0 && (unsigned int)queue < queues)
			cpu[queue] = fsk_irq_cpu(irq);
	}
	return found;
}

/* Enter all interrupts of a folder that has an entry for each. */
static bool fsk_irq_folder(const char *path, const char *name, bool named,
			   uint32_t *cpu, unsigned int queues)
{
	struct dirent *entry;
	bool found = false;
	DIR *folder;

	folder = opendir(path);
	if (!folder)
		return false;
	while ((entry = readdir(folder)))
		if (isdigit(*entry->d_name) &&
		    fsk_irq_take(entry->d_name, name, named, cpu, queues))
			found = true;
	closedir(folder);
	return found;
}

static void fsk_irq_forget(uint32_t *cpu, unsigned int queues)
{
	for (unsigned int i = 0; i < queues; i++)
		cpu[i] = FSK_NO_CPU;
}

static bool fsk_irq_some(const uint32_t *cpu, unsigned int queues)
{
	for (unsigned int i = 0; i < queues; i++)
		if (cpu[i] != FSK_NO_CPU)
			return true;
	return false;
}

/**
 * fsk_irq_cores() - the core of each receive queue
 * @name: the interface
 * @bus: its device on the PCI bus, or an empty string
 * @cpu: filled in; %FSK_NO_CPU for queues that have no core of their own
 * @queues: of @cpu
 */
void fsk_irq_cores(const char *name, const char *bus, uint32_t *cpu,
		   unsigned int queues)
{
	char path[PATH_MAX], line[4096];

	fsk_irq_forget(cpu, queues);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/msi_irqs", bus);
	/* A device with several interfaces has them all in one folder. */
	if (*bus && !strchr(bus, '/') &&
	    fsk_irq_folder(path, name, false, cpu, queues)) {
		fsk_irq_forget(cpu, queues);
		fsk_irq_folder(path, name, true, cpu, queues);
	}
	if (!fsk_irq_some(cpu, queues))
		fsk_irq_folder("/sys/kernel/irq", name, true, cpu, queues);
	for (unsigned int i = 0; i < queues; i++) {
		if (cpu[i] != FSK_NO_CPU)
			continue;
		snprintf(path, sizeof(path),
			 "/sys/class/net/%s/queues/tx-%u/xps_cpus", name, i);
		if (fsk_irq_line(line, sizeof(line), path))
			cpu[i] = fsk_irq_single_bit(line);
	}
}
