/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A handshake's packets, as the loopback interface sees them.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>

/**
 * struct wire - two sockets that hear all packets
 * @packets: their bytes and marks
 * @priorities: their priorities
 */
struct wire {
	int packets;
	int priorities;
};

/**
 * struct synack - those parts of a SYN-ACK that two handshakes may share
 * @tos: or traffic class
 * @ttl: or hop limit
 * @df: may not be fragmented
 * @extra: where TCP's header begins
 * @label: flow label: 0 none, 1 one of its own, 2 the SYN's
 * @window: as sent
 * @options: TCP's, without the values of time stamps
 * @mark: of the packet
 * @priority: of the packet
 * @count: how many went out
 */
struct synack {
	uint8_t tos;
	uint8_t ttl;
	uint8_t df;
	uint8_t extra;
	uint8_t label;
	uint16_t window;
	uint8_t options[40];
	uint32_t mark;
	uint32_t priority;
	int count;
};

#define SYNACK_FORMAT \
	"tos %02x ttl %u df %u label %u window %u mss %u mark %u priority %u, %d times"
#define SYNACK_ARGS(s)							\
	(s)->tos, (s)->ttl, (s)->df, (s)->label, (s)->window,		\
	(s)->options[2] << 8 | (s)->options[3], (s)->mark,		\
	(s)->priority, (s)->count

int wire_open(struct wire *w);
void wire_drain(struct wire *w);
int wire_synack(struct wire *w, int port, struct synack *s);

#endif
