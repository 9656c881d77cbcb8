// SPDX-License-Identifier: MIT
/*
 * Which core serves which receive queue of an interface: that of the queue's
 * interrupt, which is known by its name, else the one that sends by the queue
 * of the same number (XPS).
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

/* Take the interface's name out, where it stands as a word of its own. */
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
 * fsk_irq_queue() - the receive queue that an interrupt is of
 * @action: the interrupt's name, "eth0-TxRx-3", "virtio0-input.3",
 *	"mlx5_comp3@pci:0000:3b:00.0" and the like
 * @name: of the interface
 *
 * Return: the queue's number, or -1 when it is none.
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
	/* Else the name, and a number or "q" and a number. */
	rest = text + 1 + (text[0] && text[1] == 'q');
	if (!fsk_irq_has_any(text, receives) &&
	    (!named || text[0] != '-' || rest[strspn(rest, "0123456789")]))
		return -1;
	return fsk_irq_last_number(text);
}

/**
 * fsk_irq_single() - the CPU of a list that has just one
 * @list: as in /proc/irq/N/smp_affinity_list
 *
 * Return: the CPU, or FSK_NO_CPU.
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
 * fsk_irq_single_bit() - the CPU of a mask that has just one
 * @mask: as in xps_cpus, hexadecimal in groups of 32 bits
 *
 * Return: the CPU, or FSK_NO_CPU.
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

/* Where it shall go, if that is one CPU: it may get there by its next interrupt
 * only. Else where the kernel has put it.
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

/* Take over one interrupt, which may serve several queues or be shared with
 * others. Returns whether its name is of this interface alone.
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

/* All interrupts of a folder that has an entry for each. */
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
 * @cpu: filled in, with FSK_NO_CPU for those that have no core of their own
 * @queues: of @cpu
 */
void fsk_irq_cores(const char *name, const char *bus, uint32_t *cpu,
		   unsigned int queues)
{
	char path[PATH_MAX], line[4096];

	fsk_irq_forget(cpu, queues);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/msi_irqs", bus);
	/* Where the device has several interfaces, those of the right name. */
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
