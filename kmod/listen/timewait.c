// SPDX-License-Identifier: GPL-2.0
/*
 * A SYN for a connection that is still in TIME_WAIT here.
 *
 * A client that has used all its ports to this server comes again from one that
 * the server remembers; clients behind a proxy with few addresses do so all the
 * time.  TCP would end the old connection and look for a listener by itself,
 * after the hooks, and find the app listener.  So this file decides the clear
 * case and leaves all others to TCP.
 */
#include "listen/timewait.h"

#include <linux/netfilter.h>
#include <net/inet_timewait_sock.h>
#include <net/tcp.h>

/* The SYN's timestamp is newer than all that the old connection has seen. */
static bool fsk_timewait_is_newer(const struct sk_buff *skb,
				  const struct sock *sk)
{
	const struct tcp_timewait_sock *tw = tcp_twsk(sk);
	struct tcp_options_received opt = { };

	if (!READ_ONCE(tw->tw_ts_recent_stamp))
		return false;
	tcp_parse_options(twsk_net(inet_twsk(sk)), skb, &opt, 0, NULL);
	return opt.saw_tstamp &&
	       (s32)(READ_ONCE(tw->tw_ts_recent) - opt.rcv_tsval) < 0;
}

static bool fsk_timewait_has_policies(const struct net *net)
{
#ifdef CONFIG_XFRM
	return READ_ONCE(net->xfrm.policy_count[XFRM_POLICY_IN]);
#else
	return false;
#endif
}

/**
 * fsk_timewait_may_reopen() - may this SYN end a connection in TIME_WAIT?
 * @skb: the SYN, data at the TCP header
 * @sk: what the lookup found, in state TCP_TIME_WAIT
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Of the cases that RFC 6191 allows, this takes one: both connections have
 * timestamps.  PAWS then tells the old one's segments whatever their sequence
 * numbers, so the new one may begin with any.  TCP decides where the checksum
 * is wrong or the namespace has IPsec policies.
 *
 * Context: Softirq.
 * Return: whether fsk_timewait_end() may be called.
 * Source: RFC 6191 section 2; what TCP answers to such a SYN.
 */
bool fsk_timewait_may_reopen(struct sk_buff *skb, const struct sock *sk,
			     int family)
{
	const struct tcphdr *th = tcp_hdr(skb);
	int hdrlen = skb_network_header_len(skb);
	__sum16 bad;

	if (READ_ONCE(inet_twsk(sk)->tw_substate) != TCP_TIME_WAIT ||
	    fsk_timewait_has_policies(twsk_net(inet_twsk(sk))))
		return false;
	if (__tcp_hdrlen(th) < sizeof(*th) ||
	    skb_headlen(skb) < __tcp_hdrlen(th))
		return false;
	if (!fsk_timewait_is_newer(skb, sk))
		return false;
	__skb_push(skb, hdrlen);
	bad = nf_checksum(skb, NF_INET_LOCAL_IN, hdrlen, IPPROTO_TCP, family);
	__skb_pull(skb, hdrlen);
	return !bad;
}

/**
 * fsk_timewait_end() - forget a connection in TIME_WAIT
 * @sk: the connection; the caller's reference is dropped
 *
 * Context: Softirq.
 */
void fsk_timewait_end(struct sock *sk)
{
	inet_twsk_deschedule_put(inet_twsk(sk));
}
