// SPDX-License-Identifier: GPL-2.0
/*
 * Messages: begins replies and the rows of dumps, and refuses requests.
 */
#include "netlink/message.h"

#include <net/genetlink.h>

/* Set before the first request can come. */
const struct genl_family *fsk_message_family __ro_after_init;

/**
 * fsk_message_reply() - begin the reply to a request that is no dump
 * @info: the request
 * @hdr: set to the header, for genlmsg_end() and genlmsg_cancel()
 *
 * Context: Process.
 * Return: the message, or %NULL without memory.
 */
struct sk_buff *fsk_message_reply(struct genl_info *info, void **hdr)
{
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put_reply(msg, info, fsk_message_family, 0,
				 info->genlhdr->cmd);
	if (*hdr)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/**
 * fsk_message_row() - begin a row of a dump
 * @msg: the dump's message
 * @cb: the dump
 * @cmd: FSK_CMD_*
 *
 * Context: Process.
 * Return: the header, for genlmsg_end() or genlmsg_cancel(), or %NULL if @msg
 *         is full.
 */
void *fsk_message_row(struct sk_buff *msg, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(msg, NETLINK_CB(cb->skb).portid,
			   cb->nlh->nlmsg_seq, fsk_message_family,
			   NLM_F_MULTI, cmd);
}

/**
 * fsk_message_refuse() - say which attribute of a request is at fault, and why
 * @info: the request
 * @attr: number of the attribute; a request may lack it
 * @err: negative errno
 * @why: says what to do; is not copied
 *
 * Context: Process.
 * Return: @err.
 */
int fsk_message_refuse(struct genl_info *info, int attr, int err,
		       const char *why)
{
	if (info->attrs[attr])
		NL_SET_BAD_ATTR(info->extack, info->attrs[attr]);
	info->extack->_msg = why;
	return err;
}
