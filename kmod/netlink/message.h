/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_MESSAGE_H
#define FSK_MESSAGE_H

#include <net/genetlink.h>

extern const struct genl_family *fsk_message_family;

struct sk_buff *fsk_message_reply(struct genl_info *info, void **hdr);
void *fsk_message_row(struct sk_buff *msg, struct netlink_callback *cb, u8 cmd);
int fsk_message_refuse(struct genl_info *info, int attr, int err,
		       const char *why);

#endif
