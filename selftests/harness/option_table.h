/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every socket option that a TCP socket can be asked for, what the module does
 * about it, and where that shows.  options.c sets each;
 * `selftests/harness/optiontable` makes the manual's table from it, and finds
 * options that are missing here.
 *
 * A row is in one line, which optiontable reads:
 *
 *	ROW(level, name, number, handling, seen, "test", "note", values)
 *
 * Numbers are given because headers of older C libraries lack some names.
 */
#ifndef OPTION_TABLE_H
#define OPTION_TABLE_H

#include <netinet/in.h>
#include <linux/filter.h>
#include <linux/in6.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "support.h"

/**
 * enum handling - what the module does about an option
 * @COPIED: acts during the handshake: local listeners get it before the next
 *	SYN
 * @CHILD: acts on connections, which inherit it from the app listener
 * @LISTENER: acts on the app listener itself: lookup, bind(), accept()
 * @BYPASS: while it is set the app listener gets the SYNs, as on the plain
 *	kernel
 * @NONE: without effect on listeners, refused, or read-only
 */
enum handling { COPIED, CHILD, LISTENER, BYPASS, NONE };

/**
 * enum seen - where it shows that the option was set, at least
 * @SYNACK: the SYN-ACK is another one
 * @ACCEPTED: the accepted socket reads something else
 * @LATE: ... if it was set after listen(), which takes it back
 * @ITSELF: only the listener does
 * @NOWHERE: it is taken, and that is all
 * @REFUSED: it can't be set
 * @ELSEWHERE: options.c does not set it: another test does
 */
enum seen { SYNACK, ACCEPTED, LATE, ITSELF, NOWHERE, REFUSED, ELSEWHERE };

/**
 * struct option - an option that is set on both listeners
 * @name: for messages
 * @level: of setsockopt()
 * @opt: of setsockopt()
 * @handling: see there
 * @seen: see there
 * @value: an int, unless @data
 * @data: anything else
 * @len: of @data
 */
struct option {
	const char *name;
	int level;
	int opt;
	enum handling handling;
	enum seen seen;
	int value;
	const void *data;
	socklen_t len;
};

static const struct timeval some_time = { .tv_sec = 3, .tv_usec = 500000 };
static const struct linger some_linger = { .l_onoff = 1, .l_linger = 7 };
static const int some_txtime[2] = { 1 /* CLOCK_MONOTONIC */, 0 };
static const char some_key[16] = "sixteen bytes..";
/* Two NOPs and the end; the same behind a length, for IPv6: six of padding. */
static const char some_ip_options[4] = { 1, 1, 1, 0 };
static const char some_padding[8] = { 0, 0, 1, 4 };
static const struct in6_flowlabel_req reflect = {
	.flr_action = IPV6_FL_A_GET, .flr_flags = IPV6_FL_F_REFLECT,
};

static const struct in6_pktinfo some_pktinfo = { .ipi6_ifindex = 1 };
static struct sock_filter keep_all[] = { BPF_STMT(BPF_RET | BPF_K, -1U) };
static const struct sock_fprog some_filter = { .len = 1, .filter = keep_all };

#define INT(n)		n, NULL, 0
#define RAW(data)	0, &data, sizeof(data)
#define TEXT(text)	0, text, sizeof(text) - 1
#define ROW(level, name, opt, handling, seen, test, note, ...) \
	{ #name, SOL_##level, opt, handling, seen, __VA_ARGS__ },

static const struct option options[] = {
ROW(SOCKET, SO_DEBUG, 1, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_REUSEADDR, 2, LISTENER, ACCEPTED, "options", "read by bind(2)", INT(0))
ROW(SOCKET, SO_TYPE, 3, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_ERROR, 4, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_DONTROUTE, 5, COPIED, ACCEPTED, "options", "route of the SYN-ACK", INT(1))
ROW(SOCKET, SO_BROADCAST, 6, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_SNDBUF, 7, CHILD, ACCEPTED, "options", "", INT(32768))
ROW(SOCKET, SO_RCVBUF, 8, COPIED, SYNACK, "options", "window", INT(16384))
ROW(SOCKET, SO_RCVBUF, 8, COPIED, ACCEPTED, "options", "", INT(300000))
ROW(SOCKET, SO_KEEPALIVE, 9, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_OOBINLINE, 10, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_NO_CHECK, 11, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_PRIORITY, 12, COPIED, SYNACK, "options", "", INT(4))
ROW(SOCKET, SO_LINGER, 13, CHILD, ACCEPTED, "options", "", RAW(some_linger))
ROW(SOCKET, SO_BSDCOMPAT, 14, NONE, NOWHERE, "options", "", INT(1))
ROW(SOCKET, SO_REUSEPORT, 15, LISTENER, ACCEPTED, "options", "read by bind(2) and by the lookup", INT(1))
ROW(SOCKET, SO_PASSCRED, 16, NONE, ITSELF, "options", "Unix sockets", INT(1))
ROW(SOCKET, SO_PEERCRED, 17, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_RCVLOWAT, 18, CHILD, ACCEPTED, "options", "", INT(7))
ROW(SOCKET, SO_SNDLOWAT, 19, NONE, REFUSED, "options", "read-only", INT(7))
ROW(SOCKET, SO_RCVTIMEO, 20, LISTENER, ACCEPTED, "accept", "how long accept(2) waits; connections inherit it", RAW(some_time))
ROW(SOCKET, SO_SNDTIMEO, 21, CHILD, ACCEPTED, "options", "", RAW(some_time))
ROW(SOCKET, SO_SECURITY_AUTHENTICATION, 22, NONE, REFUSED, "options", "", INT(1))
ROW(SOCKET, SO_SECURITY_ENCRYPTION_TRANSPORT, 23, NONE, REFUSED, "options", "", INT(1))
ROW(SOCKET, SO_SECURITY_ENCRYPTION_NETWORK, 24, NONE, REFUSED, "options", "", INT(1))
ROW(SOCKET, SO_BINDTODEVICE, 25, COPIED, ACCEPTED, "bypass:device__bound_elsewhere", "read by the lookup, too", TEXT("lo"))
ROW(SOCKET, SO_ATTACH_FILTER, 26, BYPASS, ACCEPTED, "bypass:filter__drops_syn", "", RAW(some_filter))
ROW(SOCKET, SO_DETACH_FILTER, 27, BYPASS, ELSEWHERE, "bypass:filter__drops_syn", "ends the bypass", INT(0))
ROW(SOCKET, SO_PEERNAME, 28, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_TIMESTAMP, 29, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_ACCEPTCONN, 30, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_PEERSEC, 31, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_SNDBUFFORCE, 32, CHILD, ACCEPTED, "options", "", INT(1000000))
ROW(SOCKET, SO_RCVBUFFORCE, 33, COPIED, SYNACK, "options", "window", INT(8192))
ROW(SOCKET, SO_PASSSEC, 34, NONE, ITSELF, "options", "Unix sockets", INT(1))
ROW(SOCKET, SO_TIMESTAMPNS, 35, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_MARK, 36, COPIED, SYNACK, "options", "with *tcp_fwmark_accept*: bypass:mark__accepted", INT(77))
ROW(SOCKET, SO_TIMESTAMPING, 37, CHILD, ACCEPTED, "options", "", INT(24))
ROW(SOCKET, SO_PROTOCOL, 38, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_DOMAIN, 39, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_RXQ_OVFL, 40, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_WIFI_STATUS, 41, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_PEEK_OFF, 42, CHILD, ACCEPTED, "options", "", INT(5))
ROW(SOCKET, SO_NOFCS, 43, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_LOCK_FILTER, 44, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_SELECT_ERR_QUEUE, 45, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_BUSY_POLL, 46, CHILD, ACCEPTED, "options", "", INT(50))
ROW(SOCKET, SO_MAX_PACING_RATE, 47, CHILD, ACCEPTED, "options", "", INT(1000000))
ROW(SOCKET, SO_BPF_EXTENSIONS, 48, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_INCOMING_CPU, 49, LISTENER, ITSELF, "options", "read by the lookup", INT(2))
ROW(SOCKET, SO_ATTACH_BPF, 50, BYPASS, ELSEWHERE, "bypass:filter__of_ebpf", "", INT(0))
ROW(SOCKET, SO_ATTACH_REUSEPORT_CBPF, 51, LISTENER, ELSEWHERE, "bypass:reuseport__program_obeyed", "obeyed by the lookup", INT(0))
ROW(SOCKET, SO_ATTACH_REUSEPORT_EBPF, 52, LISTENER, ELSEWHERE, "bypass:reuseport__program_obeyed", "obeyed by the lookup", INT(0))
ROW(SOCKET, SO_CNX_ADVICE, 53, NONE, NOWHERE, "options", "", INT(1))
ROW(SOCKET, SO_MEMINFO, 55, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_INCOMING_NAPI_ID, 56, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_COOKIE, 57, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_PEERGROUPS, 59, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_ZEROCOPY, 60, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_TXTIME, 61, CHILD, ACCEPTED, "options", "", RAW(some_txtime))
ROW(SOCKET, SO_BINDTOIFINDEX, 62, COPIED, ACCEPTED, "bypass:device__bound_elsewhere", "read by the lookup, too", INT(1))
ROW(SOCKET, SO_TIMESTAMP_NEW, 63, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_TIMESTAMPNS_NEW, 64, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_TIMESTAMPING_NEW, 65, CHILD, ACCEPTED, "options", "", INT(24))
ROW(SOCKET, SO_RCVTIMEO_NEW, 66, LISTENER, ACCEPTED, "options", "as SO_RCVTIMEO", RAW(some_time))
ROW(SOCKET, SO_SNDTIMEO_NEW, 67, CHILD, ACCEPTED, "options", "", RAW(some_time))
ROW(SOCKET, SO_DETACH_REUSEPORT_BPF, 68, LISTENER, REFUSED, "options", "where no program is attached", INT(1))
ROW(SOCKET, SO_PREFER_BUSY_POLL, 69, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_BUSY_POLL_BUDGET, 70, CHILD, NOWHERE, "options", "", INT(16))
ROW(SOCKET, SO_NETNS_COOKIE, 71, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_BUF_LOCK, 72, COPIED, ACCEPTED, "options", "window", INT(3))
ROW(SOCKET, SO_RESERVE_MEM, 73, NONE, ITSELF, "options", "needs a memory controller", INT(65536))
ROW(SOCKET, SO_TXREHASH, 74, COPIED, ACCEPTED, "options", "", INT(0))
ROW(SOCKET, SO_RCVMARK, 75, CHILD, ACCEPTED, "options", "", INT(1))
ROW(SOCKET, SO_PASSPIDFD, 76, NONE, ITSELF, "options", "Unix sockets", INT(1))
ROW(SOCKET, SO_PEERPIDFD, 77, NONE, REFUSED, "options", "read-only", INT(1))
ROW(SOCKET, SO_DEVMEM_LINEAR, 78, NONE, REFUSED, "options", "", INT(1))
ROW(SOCKET, SO_DEVMEM_DMABUF, 79, NONE, REFUSED, "options", "", INT(1))
ROW(SOCKET, SO_DEVMEM_DONTNEED, 80, NONE, REFUSED, "options", "", INT(1))

ROW(TCP, TCP_NODELAY, 1, CHILD, ACCEPTED, "options", "", INT(1))
ROW(TCP, TCP_MAXSEG, 2, COPIED, SYNACK, "options", "MSS of the SYN-ACK", INT(700))
ROW(TCP, TCP_CORK, 3, CHILD, ACCEPTED, "options", "", INT(1))
ROW(TCP, TCP_KEEPIDLE, 4, CHILD, ACCEPTED, "options", "", INT(33))
ROW(TCP, TCP_KEEPINTVL, 5, CHILD, ACCEPTED, "options", "", INT(11))
ROW(TCP, TCP_KEEPCNT, 6, CHILD, ACCEPTED, "options", "", INT(3))
ROW(TCP, TCP_SYNCNT, 7, COPIED, ACCEPTED, "bypass:syncnt__counts_synacks", "how often a SYN-ACK is sent again", INT(4))
ROW(TCP, TCP_LINGER2, 8, CHILD, ACCEPTED, "options", "", INT(9))
ROW(TCP, TCP_DEFER_ACCEPT, 9, COPIED, ELSEWHERE, "bypass:defer_accept__waits_for_data", "", INT(0))
ROW(TCP, TCP_WINDOW_CLAMP, 10, COPIED, SYNACK, "options", "window", INT(9000))
ROW(TCP, TCP_INFO, 11, NONE, REFUSED, "options", "read-only", INT(1))
ROW(TCP, TCP_QUICKACK, 12, CHILD, LATE, "options", "", INT(0))
ROW(TCP, TCP_CONGESTION, 13, CHILD, ACCEPTED, "bypass:congestion__needs_ecn", "an algorithm that needs ECN: bypass", TEXT("reno"))
ROW(TCP, TCP_MD5SIG, 14, BYPASS, ELSEWHERE, "bypass:md5__checked", "until the last key is removed", INT(0))
ROW(TCP, TCP_THIN_LINEAR_TIMEOUTS, 16, CHILD, ACCEPTED, "options", "", INT(1))
ROW(TCP, TCP_THIN_DUPACK, 17, NONE, NOWHERE, "options", "", INT(1))
ROW(TCP, TCP_USER_TIMEOUT, 18, CHILD, ACCEPTED, "options", "", INT(5000))
ROW(TCP, TCP_REPAIR, 19, NONE, REFUSED, "options", "", INT(7))
ROW(TCP, TCP_REPAIR_QUEUE, 20, NONE, REFUSED, "options", "", INT(1))
ROW(TCP, TCP_QUEUE_SEQ, 21, NONE, REFUSED, "options", "", INT(1))
ROW(TCP, TCP_REPAIR_OPTIONS, 22, NONE, REFUSED, "options", "", INT(1))
ROW(TCP, TCP_FASTOPEN, 23, COPIED, ITSELF, "bypass:fastopen__data_in_syn", "the queue is each core's own", INT(5))
ROW(TCP, TCP_TIMESTAMP, 24, NONE, REFUSED, "options", "", INT(1))
ROW(TCP, TCP_NOTSENT_LOWAT, 25, CHILD, ACCEPTED, "options", "", INT(4444))
ROW(TCP, TCP_CC_INFO, 26, NONE, REFUSED, "options", "read-only", INT(1))
ROW(TCP, TCP_SAVE_SYN, 27, COPIED, ACCEPTED, "bypass:save_syn__is_saved", "", INT(1))
ROW(TCP, TCP_SAVE_SYN, 27, COPIED, ACCEPTED, "bypass:save_syn__is_saved", "", INT(2))
ROW(TCP, TCP_SAVED_SYN, 28, NONE, REFUSED, "options", "read-only", INT(1))
ROW(TCP, TCP_REPAIR_WINDOW, 29, NONE, REFUSED, "options", "", INT(1))
ROW(TCP, TCP_FASTOPEN_CONNECT, 30, NONE, ELSEWHERE, "connect", "for sockets that connect", INT(1))
ROW(TCP, TCP_ULP, 31, LISTENER, ELSEWHERE, "join", "how a listener joins", INT(0))
ROW(TCP, TCP_MD5SIG_EXT, 32, BYPASS, ELSEWHERE, "bypass:md5__checked", "as TCP_MD5SIG", INT(0))
ROW(TCP, TCP_FASTOPEN_KEY, 33, BYPASS, ITSELF, "options", "", RAW(some_key))
ROW(TCP, TCP_FASTOPEN_NO_COOKIE, 34, COPIED, ACCEPTED, "bypass:fastopen__without_cookie", "", INT(1))
ROW(TCP, TCP_ZEROCOPY_RECEIVE, 35, NONE, REFUSED, "options", "read-only", INT(1))
ROW(TCP, TCP_INQ, 36, CHILD, ACCEPTED, "options", "", INT(1))
ROW(TCP, TCP_TX_DELAY, 37, COPIED, ACCEPTED, "options", "", INT(1000))
ROW(TCP, TCP_AO_ADD_KEY, 38, BYPASS, ELSEWHERE, "bypass:ao__checked", "until the last key is removed", INT(0))
ROW(TCP, TCP_AO_DEL_KEY, 39, BYPASS, ELSEWHERE, "bypass:ao__checked", "", INT(0))
ROW(TCP, TCP_AO_INFO, 40, BYPASS, ELSEWHERE, "bypass:ao__checked", "", INT(0))
ROW(TCP, TCP_AO_GET_KEYS, 41, NONE, REFUSED, "options", "read-only", INT(1))
ROW(TCP, TCP_AO_REPAIR, 42, NONE, REFUSED, "options", "", INT(1))
ROW(TCP, TCP_IS_MPTCP, 43, NONE, REFUSED, "options", "read-only", INT(1))

ROW(IP, IP_TOS, 1, COPIED, SYNACK, "options", "", INT(0x10))
ROW(IP, IP_TTL, 2, COPIED, SYNACK, "options", "", INT(33))
ROW(IP, IP_HDRINCL, 3, NONE, REFUSED, "options", "raw sockets", INT(1))
ROW(IP, IP_OPTIONS, 4, NONE, ITSELF, "options", "connections have those of the SYN", RAW(some_ip_options))
ROW(IP, IP_ROUTER_ALERT, 5, NONE, REFUSED, "options", "raw sockets", INT(1))
ROW(IP, IP_RECVOPTS, 6, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IP, IP_RETOPTS, 7, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IP, IP_PKTINFO, 8, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IP, IP_PKTOPTIONS, 9, NONE, REFUSED, "options", "", INT(1))
ROW(IP, IP_MTU_DISCOVER, 10, COPIED, ACCEPTED, "options", "", INT(0))
ROW(IP, IP_MTU_DISCOVER, 10, COPIED, ACCEPTED, "options", "", INT(3))
ROW(IP, IP_RECVERR, 11, COPIED, ACCEPTED, "options", "", INT(1))
ROW(IP, IP_RECVTTL, 12, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IP, IP_RECVTOS, 13, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IP, IP_MTU, 14, NONE, REFUSED, "options", "read-only", INT(1))
ROW(IP, IP_FREEBIND, 15, COPIED, ACCEPTED, "options", "", INT(1))
ROW(IP, IP_IPSEC_POLICY, 16, BYPASS, ELSEWHERE, "bypass:ipsec__policy", "as IP_XFRM_POLICY", INT(0))
ROW(IP, IP_XFRM_POLICY, 17, BYPASS, ELSEWHERE, "bypass:ipsec__policy", "", INT(0))
ROW(IP, IP_PASSSEC, 18, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IP, IP_TRANSPARENT, 19, COPIED, ACCEPTED, "bypass:tproxy__serves", "connections that TPROXY redirects go to the app listener", INT(1))
ROW(IP, IP_RECVORIGDSTADDR, 20, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IP, IP_MINTTL, 21, COPIED, ACCEPTED, "bypass:minttl__drops_syn", "", INT(3))
ROW(IP, IP_NODEFRAG, 22, NONE, REFUSED, "options", "raw sockets", INT(1))
ROW(IP, IP_CHECKSUM, 23, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IP, IP_BIND_ADDRESS_NO_PORT, 24, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IP, IP_RECVFRAGSIZE, 25, NONE, REFUSED, "options", "", INT(1))
ROW(IP, IP_RECVERR_RFC4884, 26, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IP, IP_MULTICAST_IF, 32, NONE, REFUSED, "options", "", INT(1))
ROW(IP, IP_MULTICAST_TTL, 33, NONE, REFUSED, "options", "", INT(7))
ROW(IP, IP_MULTICAST_LOOP, 34, CHILD, ACCEPTED, "options", "", INT(0))
ROW(IP, IP_ADD_MEMBERSHIP, 35, NONE, REFUSED, "options", "", INT(1))
ROW(IP, IP_DROP_MEMBERSHIP, 36, NONE, REFUSED, "options", "", INT(1))
ROW(IP, IP_UNBLOCK_SOURCE, 37, NONE, REFUSED, "options", "", INT(1))
ROW(IP, IP_BLOCK_SOURCE, 38, NONE, REFUSED, "options", "", INT(1))
ROW(IP, IP_ADD_SOURCE_MEMBERSHIP, 39, NONE, REFUSED, "options", "", INT(1))
ROW(IP, IP_DROP_SOURCE_MEMBERSHIP, 40, NONE, REFUSED, "options", "", INT(1))
ROW(IP, IP_MSFILTER, 41, NONE, REFUSED, "options", "", INT(1))
ROW(IP, MCAST_JOIN_GROUP, 42, NONE, REFUSED, "options", "", INT(1))
ROW(IP, MCAST_BLOCK_SOURCE, 43, NONE, REFUSED, "options", "", INT(1))
ROW(IP, MCAST_UNBLOCK_SOURCE, 44, NONE, REFUSED, "options", "", INT(1))
ROW(IP, MCAST_LEAVE_GROUP, 45, NONE, REFUSED, "options", "", INT(1))
ROW(IP, MCAST_JOIN_SOURCE_GROUP, 46, NONE, REFUSED, "options", "", INT(1))
ROW(IP, MCAST_LEAVE_SOURCE_GROUP, 47, NONE, REFUSED, "options", "", INT(1))
ROW(IP, MCAST_MSFILTER, 48, NONE, REFUSED, "options", "", INT(1))
ROW(IP, IP_MULTICAST_ALL, 49, CHILD, ACCEPTED, "options", "", INT(0))
ROW(IP, IP_UNICAST_IF, 50, CHILD, ACCEPTED, "options", "", INT(1 << 24))
ROW(IP, IP_LOCAL_PORT_RANGE, 51, CHILD, ACCEPTED, "options", "", INT(50000 << 16 | 40000))
ROW(IP, IP_PROTOCOL, 52, NONE, REFUSED, "options", "read-only", INT(1))

ROW(IPV6, IPV6_ADDRFORM, 1, NONE, REFUSED, "options", "", INT(2))
ROW(IPV6, IPV6_2292PKTINFO, 2, COPIED, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_2292HOPOPTS, 3, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_2292DSTOPTS, 4, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_2292RTHDR, 5, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_2292PKTOPTIONS, 6, BYPASS, NOWHERE, "options", "", INT(0))
ROW(IPV6, IPV6_CHECKSUM, 7, NONE, REFUSED, "options", "raw sockets", INT(1))
ROW(IPV6, IPV6_2292HOPLIMIT, 8, COPIED, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_NEXTHOP, 9, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, IPV6_AUTHHDR, 10, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, IPV6_FLOWINFO, 11, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_UNICAST_HOPS, 16, COPIED, SYNACK, "options", "", INT(44))
ROW(IPV6, IPV6_MULTICAST_IF, 17, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, IPV6_MULTICAST_HOPS, 18, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, IPV6_MULTICAST_LOOP, 19, CHILD, ACCEPTED, "options", "", INT(0))
ROW(IPV6, IPV6_ADD_MEMBERSHIP, 20, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, IPV6_DROP_MEMBERSHIP, 21, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, IPV6_ROUTER_ALERT, 22, NONE, REFUSED, "options", "raw sockets", INT(1))
ROW(IPV6, IPV6_MTU_DISCOVER, 23, COPIED, ACCEPTED, "options", "", INT(0))
ROW(IPV6, IPV6_MTU, 24, COPIED, NOWHERE, "options", "", INT(1400))
ROW(IPV6, IPV6_RECVERR, 25, COPIED, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_V6ONLY, 26, LISTENER, ELSEWHERE, "bypass:v6only__leaves_ipv4_alone", "before bind(2) only", INT(1))
ROW(IPV6, IPV6_JOIN_ANYCAST, 27, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, IPV6_LEAVE_ANYCAST, 28, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, IPV6_MULTICAST_ALL, 29, CHILD, ACCEPTED, "options", "", INT(0))
ROW(IPV6, IPV6_ROUTER_ALERT_ISOLATE, 30, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_RECVERR_RFC4884, 31, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_FLOWLABEL_MGR, 32, COPIED, SYNACK, "options", "reflection of the SYN's flow label", RAW(reflect))
ROW(IPV6, IPV6_FLOWINFO_SEND, 33, COPIED, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_IPSEC_POLICY, 34, BYPASS, ELSEWHERE, "bypass:ipsec__policy", "as IP_XFRM_POLICY", INT(0))
ROW(IPV6, IPV6_XFRM_POLICY, 35, BYPASS, ELSEWHERE, "bypass:ipsec__policy", "", INT(0))
ROW(IPV6, IPV6_HDRINCL, 36, NONE, REFUSED, "options", "raw sockets", INT(1))
ROW(IPV6, MCAST_JOIN_GROUP, 42, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, MCAST_BLOCK_SOURCE, 43, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, MCAST_UNBLOCK_SOURCE, 44, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, MCAST_LEAVE_GROUP, 45, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, MCAST_JOIN_SOURCE_GROUP, 46, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, MCAST_LEAVE_SOURCE_GROUP, 47, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, MCAST_MSFILTER, 48, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, IPV6_RECVPKTINFO, 49, COPIED, ACCEPTED, "options", "the SYN is kept to read it from", INT(1))
ROW(IPV6, IPV6_PKTINFO, 50, CHILD, NOWHERE, "options", "", RAW(some_pktinfo))
ROW(IPV6, IPV6_RECVHOPLIMIT, 51, COPIED, ACCEPTED, "options", "the SYN is kept to read it from", INT(1))
ROW(IPV6, IPV6_HOPLIMIT, 52, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, IPV6_RECVHOPOPTS, 53, COPIED, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_HOPOPTS, 54, BYPASS, SYNACK, "options", "", RAW(some_padding))
ROW(IPV6, IPV6_RTHDRDSTOPTS, 55, BYPASS, REFUSED, "options", "as IPV6_HOPOPTS; alone it breaks the plain kernel's SYN-ACK", INT(0))
ROW(IPV6, IPV6_RECVRTHDR, 56, COPIED, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_RTHDR, 57, BYPASS, REFUSED, "options", "as IPV6_HOPOPTS", INT(0))
ROW(IPV6, IPV6_RECVDSTOPTS, 58, COPIED, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_DSTOPTS, 59, BYPASS, SYNACK, "options", "", RAW(some_padding))
ROW(IPV6, IPV6_RECVPATHMTU, 60, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_PATHMTU, 61, NONE, REFUSED, "options", "read-only", INT(1))
ROW(IPV6, IPV6_DONTFRAG, 62, COPIED, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_USE_MIN_MTU, 63, NONE, REFUSED, "options", "", INT(1))
ROW(IPV6, IPV6_RECVTCLASS, 66, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_TCLASS, 67, COPIED, SYNACK, "options", "", INT(0x20))
ROW(IPV6, IPV6_AUTOFLOWLABEL, 70, COPIED, SYNACK, "options", "", INT(0))
ROW(IPV6, IPV6_ADDR_PREFERENCES, 72, COPIED, ACCEPTED, "options", "", INT(2))
ROW(IPV6, IPV6_MINHOPCOUNT, 73, COPIED, ACCEPTED, "bypass:minttl__drops_syn", "", INT(3))
ROW(IPV6, IPV6_RECVORIGDSTADDR, 74, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_TRANSPARENT, 75, COPIED, ACCEPTED, "bypass:tproxy__serves", "as IP_TRANSPARENT", INT(1))
ROW(IPV6, IPV6_UNICAST_IF, 76, CHILD, ACCEPTED, "options", "", INT(1 << 24))
ROW(IPV6, IPV6_RECVFRAGSIZE, 77, CHILD, ACCEPTED, "options", "", INT(1))
ROW(IPV6, IPV6_FREEBIND, 78, COPIED, ACCEPTED, "options", "", INT(1))
};

#endif
