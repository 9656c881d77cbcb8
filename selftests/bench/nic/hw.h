/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the driver (card.c, ethtool.c) and the device (hw.c) of the test card
 * know of each other.
 *
 * All that the device does, it does on the CPU that has rung its bell, between
 * hw_begin() and hw_end(): QEMU's plugin (../plugin.c) takes what happens there
 * for a device's work, so that it counts no instructions, no reads, and what is
 * written is in no CPU's cache afterwards.
 */
#ifndef CARD_HW_H
#define CARD_HW_H

#include <linux/ethtool.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#define CARD_QUEUES	64	/* at most, of each device */
#define CARD_RING	256	/* descriptors, a power of 2 */
#define CARD_TABLE	512	/* entries of the indirection table */
#define CARD_KEY	40	/* bytes: 36 of addresses and ports, and 4 */
#define CARD_TUPLE	36
#define CARD_RULES	256
#define CARD_FILTERS	4096	/* of accelerated RFS, a power of 2 */

/**
 * struct card_tx_desc - a piece of a packet to be sent
 * @addr: its bytes; the device knows the kernel's addresses
 * @len: how many
 * @csum_start: first desc of a packet, where its checksum begins; 0: none asked
 * @csum_offset: and where it goes, from there
 * @last: the packet ends here
 * @done: written by the device, read by the driver
 */
struct card_tx_desc {
	void *addr;
	u16 len;
	u8 csum_start;
	u8 csum_offset;
	u8 last;
	u8 done;
};

/**
 * struct card_rx_desc - a buffer for a packet, then the packet
 * @addr: where the device writes
 * @hash: Toeplitz hash
 * @len: of the packet
 * @hash_type: enum pkt_hash_types
 * @done: written by the device, read by the driver
 */
struct card_rx_desc {
	void *addr;
	u32 hash;
	u16 len;
	u8 hash_type;
	u8 done;
};

/**
 * struct hw_queue - the device's side of a queue pair and its interrupt
 * @lock: protects all that is written while the queue is up; taken with
 *	interrupts off, nothing is taken under it but what wakes a CPU
 * @rx: descriptors, the driver's memory
 * @tx: likewise
 * @rx_posted: buffers that the driver has given
 * @rx_filled: those that hold packets, counted on for ever
 * @rx_seen: packets that the driver has taken, as it said last
 * @tx_sent: descriptors that have been sent
 * @tx_seen: those that the driver knows to be sent
 * @missed: packets without a buffer
 * @armed: an interrupt may be raised
 * @up: the driver's memory may be used
 * @irq: Linux's number of the interrupt
 * @cpu: where it goes, as user space has bound it
 * @csd: brings it to another CPU
 * @self: and to the one that the device runs on
 * @timer: of coalescing
 * @port: whose queue it is
 */
struct hw_queue {
	spinlock_t lock;	/* see @lock */
	struct card_rx_desc *rx;
	struct card_tx_desc *tx;
	u32 rx_posted, rx_filled, rx_seen;
	u32 tx_sent, tx_seen;
	u64 missed;
	bool armed, up;
	int irq;
	int cpu;
	call_single_data_t csd;
	struct irq_work self;
	struct hrtimer timer;
	struct hw_port *port;
} ____cacheline_aligned_in_smp;

/**
 * struct hw_rule - what "ethtool -N" asks for, made ready for the device
 * @fs: the rule as given
 * @value: addresses and ports as in a packet
 * @mask: which of their bits are compared
 * @tcp: of TCP, else of UDP
 * @v6: of IPv6
 */
struct hw_rule {
	struct ethtool_rx_flow_spec fs;
	u32 value[CARD_TUPLE / 4];
	u32 mask[CARD_TUPLE / 4];
	bool tcp, v6;
};

/**
 * struct hw_config - settings of a device, replaced as a whole
 * @rcu: frees it
 * @key: of the hash
 * @lut: what each byte of the input adds to the hash
 * @table: indirection table
 * @ports: protocols whose ports are hashed, by enum hw_proto
 * @rules: how many
 * @rule: in the order of their locations
 */
struct hw_config {
	struct rcu_head rcu;
	u8 key[CARD_KEY];
	u32 lut[CARD_TUPLE][256];
	u16 table[CARD_TABLE];
	bool ports[4];
	unsigned int rules;
	struct hw_rule rule[CARD_RULES];
};

enum hw_proto { HW_TCP4, HW_UDP4, HW_TCP6, HW_UDP6 };

/**
 * struct hw_filter - one connection's queue, by accelerated RFS
 * @tuple: addresses and ports of its packets
 * @flow: the kernel's number for it
 * @queue: where they go
 * @proto: enum hw_proto + 1; 0: free
 */
struct hw_filter {
	u32 tuple[CARD_TUPLE / 4];
	u32 flow;
	u16 queue;
	u8 proto;
};

/**
 * struct hw_port - one device of the pair
 * @peer: the other one
 * @config: RCU, written under RTNL
 * @filter: of accelerated RFS
 * @filter_lock: protects them; taken with interrupts off
 * @nfilters: how many there are
 * @rx_usecs: coalescing, as in "ethtool -C"
 * @rx_frames: likewise
 * @tx_usecs: likewise
 * @tx_frames: likewise
 * @queues: in use
 * @queue: all
 */
struct hw_port {
	struct hw_port *peer;
	struct hw_config __rcu *config;
	struct hw_filter *filter;
	spinlock_t filter_lock;	/* see @filter_lock */
	unsigned int nfilters;
	u32 rx_usecs, rx_frames, tx_usecs, tx_frames;
	unsigned int queues;
	struct hw_queue queue[CARD_QUEUES];
};

/**
 * struct hw_tuple - what a packet is told by
 * @data: source address, destination address, then both ports
 * @proto: enum hw_proto; -1: neither TCP nor UDP, or a fragment
 * @size: of the two addresses, 0: not IP
 */
struct hw_tuple {
	u32 data[CARD_TUPLE / 4];
	int proto;
	unsigned int size;
};

void hw_parse(const u8 *frame, unsigned int len, struct hw_tuple *t);
u32 hw_hash(const struct hw_config *c, const struct hw_tuple *t, u8 *type);
void hw_config_ready(struct hw_config *c);

int hw_port_init(struct hw_port *port, struct hw_port *peer);
void hw_port_exit(struct hw_port *port);
void hw_queue_start(struct hw_queue *q);
void hw_queue_stop(struct hw_queue *q);

u32 hw_send(struct hw_port *port, unsigned int queue, u32 from, u32 to);
void hw_post(struct hw_queue *q, u32 posted);
void hw_arm(struct hw_queue *q, u32 rx_seen, u32 tx_seen);
int hw_filter_set(struct hw_port *port, const struct hw_tuple *t, u16 queue,
		  u32 flow, bool (*expired)(void *arg, u16 queue, u32 flow,
					    u16 id), void *arg);

#endif
