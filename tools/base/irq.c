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
#include <unistd.h>

#include "array.h"

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
 * fsk_irq_send_queue() - the queue of an interrupt that only tells of packets
 *	sent
 * @action: the interrupt's name, "eth0-tx-3", "virtio0-output.3" and the like
 * @name: of the interface
 *
 * Return: the queue's number, or -1 if it belongs to none.
 */
int fsk_irq_send_queue(const char *action, const char *name)
{
	static const char * const sends[] = { "tx", "output", NULL };
	char text[128];

	if (fsk_irq_queue(action, name) >= 0)
		return -1;
	snprintf(text, sizeof(text), "%s", action);
	text[strcspn(text, "@")] = '\0';
	fsk_irq_cut(text, name);
	return fsk_irq_has_any(text, sends) ? fsk_irq_last_number(text) : -1;
}

/**
 * fsk_irq_single() - the CPU in a list of one
 * @list: as in /proc/irq/N/smp_affinity_list
 *
 * Return: the CPU, or %FSK_NO_CPU if there are none or several.
 */
uint32_t fsk_irq_single(const char *list)
{
	struct fsk_cpus cpus;

	return fsk_cpus_parse_list(&cpus, list) ? fsk_cpus_single(&cpus) :
						  FSK_NO_CPU;
}

/**
 * fsk_irq_single_bit() - the CPU in a mask of one
 * @mask: as in xps_cpus, hexadecimal in groups of 32 bits
 *
 * Return: the CPU, or %FSK_NO_CPU if there are none or several.
 */
uint32_t fsk_irq_single_bit(const char *mask)
{
	struct fsk_cpus cpus;

	return fsk_cpus_parse_mask(&cpus, mask) ? fsk_cpus_single(&cpus) :
						  FSK_NO_CPU;
}

/* The CPU to which an interrupt shall go, if the administrator names just one:
 * it may get there with the next interrupt only. Else the kernel's choice.
 */
static uint32_t fsk_irq_cpu(unsigned int irq)
{
	static const char * const files[] = {
		"smp_affinity_list", "effective_affinity_list",
	};
	uint32_t cpu = FSK_NO_CPU;
	char path[PATH_MAX], line[256];

	for (int i = 0; i < 2 && cpu == FSK_NO_CPU; i++) {
		snprintf(path, sizeof(path), "/proc/irq/%u/%s", irq, files[i]);
		if (fsk_irq_line(line, sizeof(line), path))
			cpu = fsk_irq_single(line);
	}
	return cpu;
}

/* Read the actions of one interrupt, which may serve several queues and be
 * shared with other devices. Returns false without memory.
 */
static bool fsk_irq_take(struct fsk_irqs *irqs, const char *number,
			 const char *name)
{
	char path[PATH_MAX], line[1024], *rest = line, *action, *cut;
	struct fsk_irq *irq;

	snprintf(path, sizeof(path), "/sys/kernel/irq/%s/actions", number);
	if (!fsk_irq_line(line, sizeof(line), path))
		return true;
	while ((action = strsep(&rest, ","))) {
		irq = fsk_array_grow(irqs->irqs, irqs->count, sizeof(*irq));
		if (!irq)
			return false;
		irqs->irqs = irq;
		irq += irqs->count++;
		irq->number = strtoul(number, NULL, 10);
		irq->queue = fsk_irq_queue(action, name);
		irq->send = fsk_irq_send_queue(action, name);
		snprintf(irq->action, sizeof(irq->action), "%s", action);
		cut = strdupa(action);
		irq->named = fsk_irq_cut(cut, name);
	}
	return true;
}

/* Read all interrupts of a folder that has an entry for each. */
static void fsk_irq_folder(struct fsk_irqs *irqs, const char *path,
			   const char *name)
{
	struct dirent *entry;
	bool good = true;
	DIR *folder;

	folder = opendir(path);
	if (!folder)
		return;
	while (good && (entry = readdir(folder)))
		if (isdigit(*entry->d_name))
			good = fsk_irq_take(irqs, entry->d_name, name);
	closedir(folder);
}

/* Keep only those whose action names the interface. */
static void fsk_irq_keep_named(struct fsk_irqs *irqs)
{
	size_t count = 0;

	for (size_t i = 0; i < irqs->count; i++)
		if (irqs->irqs[i].named)
			irqs->irqs[count++] = irqs->irqs[i];
	/* The array keeps the room that it had: it does not grow any more. */
	irqs->count = count;
}

static bool fsk_irq_any(const struct fsk_irqs *irqs, bool queue)
{
	for (size_t i = 0; i < irqs->count; i++)
		if (queue ? irqs->irqs[i].queue >= 0 : irqs->irqs[i].named)
			return true;
	return false;
}

/**
 * fsk_irq_read() - the interrupts of an interface
 * @irqs: filled in, an entry for each action; the caller gives it to
 *	fsk_irq_free()
 * @name: the interface
 * @bus: its device on the PCI bus, or an empty string
 *
 * Without a device of its own, as loopback, veth and VLANs are, it has none: to
 * read those of the machine for each of many such would take long.
 */
void fsk_irq_read(struct fsk_irqs *irqs, const char *name, const char *bus)
{
	char path[PATH_MAX];

	memset(irqs, 0, sizeof(*irqs));
	snprintf(path, sizeof(path), "/sys/class/net/%s/device", name);
	if (access(path, F_OK))
		return;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/msi_irqs", bus);
	if (*bus && !strchr(bus, '/'))
		fsk_irq_folder(irqs, path, name);
	/* A device with several interfaces has them all in one folder. */
	if (fsk_irq_any(irqs, false))
		fsk_irq_keep_named(irqs);
	if (fsk_irq_any(irqs, true))
		return;
	fsk_irq_free(irqs);
	fsk_irq_folder(irqs, "/sys/kernel/irq", name);
	fsk_irq_keep_named(irqs);
}

/**
 * fsk_irq_free() - free what fsk_irq_read() read
 * @irqs: the interrupts
 */
void fsk_irq_free(struct fsk_irqs *irqs)
{
	free(irqs->irqs);
	irqs->irqs = NULL;
	irqs->count = 0;
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
	const struct fsk_irq *irq;
	struct fsk_irqs irqs;

	for (unsigned int i = 0; i < queues; i++)
		cpu[i] = FSK_NO_CPU;
	fsk_irq_read(&irqs, name, bus);
	for (size_t i = 0; i < irqs.count; i++) {
		irq = &irqs.irqs[i];
		if (irq->queue >= 0 && (unsigned int)irq->queue < queues)
			cpu[irq->queue] = fsk_irq_cpu(irq->number);
	}
	fsk_irq_free(&irqs);
	for (unsigned int i = 0; i < queues; i++) {
		if (cpu[i] != FSK_NO_CPU)
			continue;
		snprintf(path, sizeof(path),
			 "/sys/class/net/%s/queues/tx-%u/xps_cpus", name, i);
		if (fsk_irq_line(line, sizeof(line), path))
			cpu[i] = fsk_irq_single_bit(line);
	}
}
