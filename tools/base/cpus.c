// SPDX-License-Identifier: MIT
/*
 * Sets of CPUs, and the two ways in which the kernel writes them: lists such as
 * "0-3,8", and masks such as "00000001,0000000f".
 */
#include "cpus.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * fsk_cpus_add() - add a CPU to a set
 * @cpus: the set
 * @cpu: a CPU; one that no kernel can have is left out
 */
void fsk_cpus_add(struct fsk_cpus *cpus, uint32_t cpu)
{
	if (cpu < FSK_CPUS_MAX)
		cpus->word[cpu / 32] |= 1u << cpu % 32;
}

/**
 * fsk_cpus_has() - is a CPU in a set?
 * @cpus: the set
 * @cpu: the CPU
 *
 * Return: whether it is.
 */
bool fsk_cpus_has(const struct fsk_cpus *cpus, uint32_t cpu)
{
	return cpu < FSK_CPUS_MAX && cpus->word[cpu / 32] & 1u << cpu % 32;
}

/**
 * fsk_cpus_parse_list() - read a list
 * @cpus: filled in
 * @list: "0-3,8", maybe with an end of line; it may be empty
 *
 * Return: whether it is a list.
 */
bool fsk_cpus_parse_list(struct fsk_cpus *cpus, const char *list)
{
	unsigned long first, last;
	char *at = (char *)list;

	memset(cpus, 0, sizeof(*cpus));
	while (isdigit(*at)) {
		first = strtoul(at, &at, 10);
		last = first;
		if (*at == '-' && isdigit(at[1]))
			last = strtoul(at + 1, &at, 10);
		for (; first <= last && first < FSK_CPUS_MAX; first++)
			fsk_cpus_add(cpus, first);
		if (*at == ',' && isdigit(at[1]))
			at++;
	}
	return !*at || *at == '\n';
}

/**
 * fsk_cpus_parse_mask() - read a mask
 * @cpus: filled in
 * @mask: "00000001,0000000f", maybe with an end of line
 *
 * Return: whether it is a mask.
 */
bool fsk_cpus_parse_mask(struct fsk_cpus *cpus, const char *mask)
{
	size_t at = strcspn(mask, "\n");
	uint32_t cpu = 0;
	int digit;

	memset(cpus, 0, sizeof(*cpus));
	if (!at)
		return false;
	while (at--) {
		if (mask[at] == ',')
			continue;
		if (!isxdigit(mask[at]))
			return false;
		digit = isdigit(mask[at]) ? mask[at] - '0' :
					    tolower(mask[at]) - 'a' + 10;
		for (int i = 0; i < 4; i++, cpu++)
			if (digit & 1 << i)
				fsk_cpus_add(cpus, cpu);
	}
	return true;
}

/**
 * fsk_cpus_read_list() - read a list from a file
 * @cpus: filled in
 * @path: the file
 *
 * Return: whether there is one.
 */
bool fsk_cpus_read_list(struct fsk_cpus *cpus, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[4096];
	bool good;

	if (!file)
		return false;
	good = fgets(line, sizeof(line), file) &&
	       fsk_cpus_parse_list(cpus, line);
	fclose(file);
	return good;
}

/**
 * fsk_cpus_single() - the CPU in a set of one
 * @cpus: the set
 *
 * Return: the CPU, or %FSK_NO_CPU if there are none or several.
 */
uint32_t fsk_cpus_single(const struct fsk_cpus *cpus)
{
	uint32_t found = FSK_NO_CPU;

	for (uint32_t cpu = 0; cpu < FSK_CPUS_MAX; cpu++) {
		if (!fsk_cpus_has(cpus, cpu))
			continue;
		if (found != FSK_NO_CPU)
			return FSK_NO_CPU;
		found = cpu;
	}
	return found;
}

/**
 * fsk_cpus_list() - write a set as a list
 * @cpus: the set
 * @text: gets the list, or "none"; one that is too long ends in "..."
 * @size: of @text, 16 bytes or more
 *
 * Return: @text.
 */
char *fsk_cpus_list(const struct fsk_cpus *cpus, char *text, size_t size)
{
	size_t at = 0;

	snprintf(text, size, "none");
	for (uint32_t cpu = 0, last; cpu < FSK_CPUS_MAX; cpu++) {
		if (!fsk_cpus_has(cpus, cpu))
			continue;
		for (last = cpu; fsk_cpus_has(cpus, last + 1); last++)
			;
		/* Room for two numbers of four digits, and for the dots. */
		if (at + 16 > size) {
			snprintf(text + at, size - at, "...");
			break;
		}
		at += snprintf(text + at, size - at, last > cpu ? "%s%u-%u" :
			       "%s%u", at ? "," : "", cpu, last);
		cpu = last;
	}
	return text;
}

/**
 * fsk_cpus_mask() - write a set as a mask
 * @cpus: the set
 * @text: gets the mask, without zeroes in front
 * @size: of @text; %FSK_CPUS_TEXT is always enough
 *
 * Return: @text.
 */
char *fsk_cpus_mask(const struct fsk_cpus *cpus, char *text, size_t size)
{
	unsigned int words = FSK_CPUS_MAX / 32;
	size_t at;

	while (words > 1 && !cpus->word[words - 1])
		words--;
	at = snprintf(text, size, "%x", cpus->word[--words]);
	while (words-- && at < size)
		at += snprintf(text + at, size - at, ",%08x",
			       cpus->word[words]);
	return text;
}
