/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A module that answers what a test has put together, and nothing else: an
 * older one lacks attributes that the tool knows.
 */
#ifndef FAKE_MODULE_H
#define FAKE_MODULE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/genetlink.h>

#include "../../tools/base/nl.h"

static struct nlmsghdr *answers[8];
static size_t answer_count;
static int refuses;	/* errno of each change */
static char asked[256];	/* what changes something: commands and their words */

static struct nlmsghdr *message(uint8_t cmd)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(calloc(1, 4096));
	struct genlmsghdr *head;

	head = mnl_nlmsg_put_extra_header(msg, sizeof(*head));
	head->cmd = cmd;
	return msg;
}

/* A message of the answer to this command; the test puts its attributes in. */
static struct nlmsghdr *answer(uint8_t cmd)
{
	return answers[answer_count++] = message(cmd);
}

static void forget_answers(void)
{
	while (answer_count)
		free(answers[--answer_count]);
	*asked = '\0';
}

static uint8_t command(const struct nlmsghdr *msg)
{
	return ((struct genlmsghdr *)mnl_nlmsg_get_payload(msg))->cmd;
}

struct nlmsghdr *fsk_nl_message(struct fsk_nl *nl, uint8_t cmd)
{
	return message(cmd);
}

static void fill(const struct nlattr *attr, int max,
		 const struct nlattr **attrs)
{
	if (mnl_attr_get_type(attr) <= max)
		attrs[mnl_attr_get_type(attr)] = attr;
}

void fsk_nl_nested(const struct nlattr *nest, int max,
		   const struct nlattr **attrs)
{
	const struct nlattr *attr;

	memset(attrs, 0, (max + 1) * sizeof(*attrs));
	mnl_attr_for_each_nested(attr, nest)
		fill(attr, max, attrs);
}

static int give(uint8_t cmd, int max, fsk_nl_take *take, void *data)
{
	const struct nlattr *attrs[max + 1], *attr;
	int status = 0;

	for (size_t i = 0; i < answer_count && !status; i++) {
		if (command(answers[i]) != cmd)
			continue;
		memset(attrs, 0, sizeof(attrs));
		mnl_attr_for_each(attr, answers[i], sizeof(struct genlmsghdr))
			fill(attr, max, attrs);
		status = take(answers[i], attrs, data);
	}
	return status;
}

int fsk_nl_dump(struct fsk_nl *nl, uint8_t cmd, int max, fsk_nl_take *take,
		void *data)
{
	take(NULL, NULL, data);
	return give(cmd, max, take, data);
}

uint64_t fsk_nl_uint(const struct nlattr *attr)
{
	switch (attr ? mnl_attr_get_payload_len(attr) : 0) {
	case 1:
		return mnl_attr_get_u8(attr);
	case 4:
		return mnl_attr_get_u32(attr);
	case 8:
		return mnl_attr_get_u64(attr);
	}
	return 0;
}

const char *fsk_nl_str(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_str(attr) : "";
}

/* Of a change the first word is noted. */
int fsk_nl_do(struct fsk_nl *nl, struct nlmsghdr *msg, int max,
	      fsk_nl_take *take, void *data)
{
	size_t len = strlen(asked);
	const struct nlattr *attr;
	int status = 0;

	if (take)
		status = give(command(msg), max, take, data);
	mnl_attr_for_each(attr, msg, sizeof(struct genlmsghdr)) {
		snprintf(asked + len, sizeof(asked) - len, "%u %s\n",
			 command(msg), mnl_attr_get_str(attr));
		break;
	}
	free(msg);
	return refuses ? 2 : status;
}

int fsk_nl_change(struct fsk_nl *nl, struct nlmsghdr *msg, const int *fine)
{
	int status = fsk_nl_do(nl, msg, 0, NULL, NULL);

	while (*fine && *fine != refuses)
		fine++;
	return *fine ? 0 : status;
}

#endif
