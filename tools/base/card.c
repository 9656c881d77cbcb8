// SPDX-License-Identifier: MIT
/*
 * The settings of an interface that decide which CPU handles its packets, each
 * with a key and its value as text. What is read can be written back as it is.
 *
 *	channels		how many queues: "combined 8 rx 0 tx 0"
 *	table			queue of each entry of the indirection table
 *	irq NUMBER ACTION	CPUs of an interrupt, a mask
 *	rx-N/..., tx-N/...	a file of a queue in sysfs
 */
#include "card.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/ethtool.h>

#include "array.h"
#include "irq.h"
#include "nic.h"

/* Files of a queue; also those that are lost when the queue goes. */
static const char * const fsk_card_files[] = {
	"rps_cpus", "rps_flow_cnt", "xps_cpus", "xps_rxqs", NULL
};

/* Files */

/* Returns the text without its last end of line, or %NULL and errno. */
static char *fsk_card_load(const char *path)
{
	size_t room = 0;
	char *text = NULL;
	FILE *file;
	ssize_t len;
	int err;

	file = fopen(path, "re");
	if (!file)
		return NULL;
	errno = ENODATA;
	len = getdelim(&text, &room, '\0', file);
	err = errno;
	fclose(file);
	if (len <= 0 || !*text) {
		free(text);
		errno = err;
		return NULL;
	}
	if (text[len - 1] == '\n')
		text[len - 1] = '\0';
	return text;
}

/* In one write(), as such files want it. Returns errno, positive, or 0. */
static int fsk_card_store(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

static void fsk_card_queue_path(const struct fsk_nic *nic, const char *key,
				char *path, size_t size)
{
	snprintf(path, size, "/sys/class/net/%s/queues/%s", nic->name, key);
}

/* Interrupts */

static bool fsk_card_has_action(unsigned int number, const char *action)
{
	char path[PATH_MAX], *actions, *rest, *word;
	bool found = false;

	snprintf(path, sizeof(path), "/sys/kernel/irq/%u/actions", number);
	actions = fsk_card_load(path);
	rest = actions;
	while (rest && !found && (word = strsep(&rest, ",")))
		found = !strcmp(word, action);
	free(actions);
	return found;
}

/* A driver may give its interrupts back, and get others: then the name tells.
 * Returns false, and errno, if there is none of it.
 */
static bool fsk_card_irq_path(const struct fsk_nic *nic, const char *key,
			      char *path, size_t size)
{
	struct fsk_irqs irqs;
	unsigned int number;
	char *action;
	bool found;

	number = strtoul(key + strlen("irq "), &action, 10);
	action += *action == ' ';
	found = fsk_card_has_action(number, action);
	if (!found) {
		fsk_irq_read(&irqs, nic->name, nic->bus);
		for (size_t i = 0; i < irqs.count && !found; i++) {
			number = irqs.irqs[i].number;
			found = !strcmp(irqs.irqs[i].action, action);
		}
		fsk_irq_free(&irqs);
	}
	snprintf(path, size, "/proc/irq/%u/smp_affinity", number);
	errno = ENOENT;
	return found;
}

static bool fsk_card_is_irq(const char *key)
{
	return !strncmp(key, "irq ", 4);
}

/* Channels and table */

static char *fsk_card_read_channels(const struct fsk_nic *nic)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	char *text;
	int err;

	err = fsk_nic_ioctl(nic->name, &channels);
	if (err) {
		errno = err;
		return NULL;
	}
	if (asprintf(&text, "combined %u rx %u tx %u", channels.combined_count,
		     channels.rx_count, channels.tx_count) < 0)
		return NULL;
	return text;
}

static struct ethtool_rxfh_indir *fsk_card_table(const char *name)
{
	struct ethtool_rxfh_indir size = { .cmd = ETHTOOL_GRXFHINDIR }, *table;
	int err;

	err = fsk_nic_ioctl(name, &size);
	if (!err && !size.size)
		err = EOPNOTSUPP;
	if (err) {
		errno = err;
		return NULL;
	}
	table = calloc(1, sizeof(*table) +
		       size.size * sizeof(table->ring_index[0]));
	if (!table)
		return NULL;
	table->cmd = ETHTOOL_GRXFHINDIR;
	table->size = size.size;
	err = fsk_nic_ioctl(name, table);
	if (!err)
		return table;
	free(table);
	errno = err;
	return NULL;
}

static char *fsk_card_read_table(const struct fsk_nic *nic)
{
	struct ethtool_rxfh_indir *table = fsk_card_table(nic->name);
	char *text, *at;

	if (!table)
		return NULL;
	text = malloc(table->size * strlen("4294967295 ") + 1);
	at = text;
	for (uint32_t i = 0; text && i < table->size; i++)
		at += sprintf(at, "%s%u", i ? " " : "", table->ring_index[i]);
	free(table);
	return text;
}

/* The table that the kernel makes of itself. A new one follows when the number
 * of queues changes, so that it is better than the same table set by hand.
 */
static int fsk_card_reset_table(const struct fsk_nic *nic)
{
	struct ethtool_rxfh_indir reset = { .cmd = ETHTOOL_SRXFHINDIR };

	return fsk_nic_ioctl(nic->name, &reset);
}

static bool fsk_card_table_is(const struct fsk_nic *nic, const char *value)
{
	char *text = fsk_card_read_table(nic);
	bool same = text && !strcmp(text, value);

	free(text);
	return same;
}

static int fsk_card_write_table(const struct fsk_nic *nic,
				const char *value)
{
	struct ethtool_rxfh_indir *table;
	char *at = (char *)value;
	uint32_t count = 0;
	int err;

	if (!fsk_card_reset_table(nic) && fsk_card_table_is(nic, value))
		return 0;
	table = fsk_card_table(nic->name);
	if (!table)
		return errno;
	table->cmd = ETHTOOL_SRXFHINDIR;
	while (isdigit(*at) && count < table->size) {
		table->ring_index[count++] = strtoul(at, &at, 10);
		at += *at == ' ';
	}
	err = *at || count != table->size ? EINVAL :
	      fsk_nic_ioctl(nic->name, table);
	free(table);
	return err;
}

/* The kernel takes no queues away that the table uses. */
static int fsk_card_write_channels(const struct fsk_nic *nic,
				   const char *value)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	int err;

	err = fsk_nic_ioctl(nic->name, &channels);
	if (err)
		return err;
	if (sscanf(value, "combined %u rx %u tx %u", &channels.combined_count,
		   &channels.rx_count, &channels.tx_count) != 3)
		return EINVAL;
	channels.cmd = ETHTOOL_SCHANNELS;
	err = fsk_nic_ioctl(nic->name, &channels);
	if (err && !fsk_card_reset_table(nic))
		err = fsk_nic_ioctl(nic->name, &channels);
	return err;
}

/* Any setting */

/**
 * fsk_card_read() - read a setting
 * @nic: the interface
 * @key: of the setting
 *
 * Return: its value, which the caller frees, or %NULL and errno if the
 *         interface has none.
 */
char *fsk_card_read(const struct fsk_nic *nic, const char *key)
{
	char path[PATH_MAX];

	if (!strcmp(key, "channels"))
		return fsk_card_read_channels(nic);
	if (!strcmp(key, "table"))
		return fsk_card_read_table(nic);
	if (!fsk_card_is_irq(key))
		fsk_card_queue_path(nic, key, path, sizeof(path));
	else if (!fsk_card_irq_path(nic, key, path, sizeof(path)))
		return NULL;
	return fsk_card_load(path);
}

/**
 * fsk_card_write() - write a setting
 * @nic: the interface
 * @key: of the setting
 * @value: as fsk_card_read() gives it
 *
 * Return: 0, or errno, positive.
 */
int fsk_card_write(const struct fsk_nic *nic, const char *key,
		   const char *value)
{
	char path[PATH_MAX];

	if (!strcmp(key, "channels"))
		return fsk_card_write_channels(nic, value);
	if (!strcmp(key, "table"))
		return fsk_card_write_table(nic, value);
	if (!fsk_card_is_irq(key))
		fsk_card_queue_path(nic, key, path, sizeof(path));
	else if (!fsk_card_irq_path(nic, key, path, sizeof(path)))
		return errno;
	return fsk_card_store(path, value);
}

/**
 * fsk_card_equal() - do two values say the same?
 * @key: of the setting
 * @value: a value
 * @other: another one; of a mask it may have fewer zeroes in front
 *
 * Return: whether they do.
 */
bool fsk_card_equal(const char *key, const char *value, const char *other)
{
	struct fsk_cpus cpus, others;

	if (!strcmp(value, other))
		return true;
	if (!strcmp(key, "channels") || !strcmp(key, "table"))
		return false;
	return fsk_cpus_parse_mask(&cpus, value) &&
	       fsk_cpus_parse_mask(&others, other) &&
	       !memcmp(&cpus, &others, sizeof(cpus));
}

/* Add a key, if the interface has the setting. False without memory. */
static bool fsk_card_keys_add(struct fsk_card_keys *settings,
			      const struct fsk_nic *nic, const char *key)
{
	char *value = fsk_card_read(nic, key);
	char (*keys)[FSK_CARD_KEY];

	if (!value)
		return true;
	free(value);
	keys = fsk_array_grow(settings->keys, settings->count, sizeof(*keys));
	if (!keys)
		return false;
	settings->keys = keys;
	snprintf(keys[settings->count++], sizeof(*keys), "%s", key);
	return true;
}

static bool fsk_card_keys_add_irqs(struct fsk_card_keys *settings,
				   const struct fsk_nic *nic)
{
	char key[FSK_CARD_KEY];
	struct fsk_irqs irqs;
	bool good = true;

	fsk_irq_read(&irqs, nic->name, nic->bus);
	for (size_t i = 0; i < irqs.count && good; i++) {
		snprintf(key, sizeof(key), "irq %u %s", irqs.irqs[i].number,
			 irqs.irqs[i].action);
		good = fsk_card_keys_add(settings, nic, key);
	}
	fsk_irq_free(&irqs);
	return good;
}

static bool fsk_card_keys_add_queues(struct fsk_card_keys *settings,
				     const struct fsk_nic *nic)
{
	char path[PATH_MAX], key[FSK_CARD_KEY];
	struct dirent *entry;
	bool good = true;
	DIR *folder;

	fsk_card_queue_path(nic, "", path, sizeof(path));
	folder = opendir(path);
	while (folder && good && (entry = readdir(folder))) {
		if (*entry->d_name == '.')
			continue;
		for (int i = 0; fsk_card_files[i] && good; i++) {
			snprintf(key, sizeof(key), "%.32s/%s", entry->d_name,
				 fsk_card_files[i]);
			good = fsk_card_keys_add(settings, nic, key);
		}
	}
	if (folder)
		closedir(folder);
	return good;
}

/**
 * fsk_card_keys_read() - what settings there are
 * @settings: filled in, in the order in which to write them; the caller gives
 *	it to fsk_card_keys_free()
 * @nic: the interface
 *
 * Return: false without memory.
 */
bool fsk_card_keys_read(struct fsk_card_keys *settings,
			const struct fsk_nic *nic)
{
	memset(settings, 0, sizeof(*settings));
	if (fsk_card_keys_add(settings, nic, "channels") &&
	    fsk_card_keys_add(settings, nic, "table") &&
	    fsk_card_keys_add_irqs(settings, nic) &&
	    fsk_card_keys_add_queues(settings, nic))
		return true;
	fsk_card_keys_free(settings);
	return false;
}

/**
 * fsk_card_keys_free() - free what fsk_card_keys_read() read
 * @settings: the settings
 */
void fsk_card_keys_free(struct fsk_card_keys *settings)
{
	free(settings->keys);
	settings->keys = NULL;
	settings->count = 0;
}
