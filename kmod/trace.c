// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints of trace.h, made here once.  What they record is read out of
 * the mechanisms' structures; nothing of the mechanisms is called.
 */
#include <linux/ip.h>
#include <linux/tcp.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "connect/port.h"
#include "listen/listen.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
