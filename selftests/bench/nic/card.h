/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the test card's driver share.
 */
#ifndef CARD_H
#define CARD_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "hw.h"

struct page_pool;

/**
 * struct card_queue - the driver's side of a queue pair
 * @napi: polls both directions
 * @card: whose it is
 * @hw: the device's side
 * @rx: receive descriptors, shared with the device
 * @page: the buffer of each
 * @pool: where they come from and return to
 * @rx_next: packets taken, counted on for ever
 * @rx_posted: buffers given, likewise
 * @rx_packets: for the statistics
 * @rx_bytes: likewise
 * @tx: transmit descriptors, shared with the device
 * @skb: the packet whose last piece a descriptor is
 * @tx_next: descriptors filled, counted on for ever; under the transmit lock
 * @tx_rung: those that the device knows of; under the transmit lock
 * @tx_packets: for the statistics
 * @tx_bytes: likewise
 * @tx_dropped: likewise
 * @tx_clean: descriptors found to be sent; NAPI
 */
struct card_queue {
	struct napi_struct napi;
	struct card *card;
	struct hw_queue *hw;
	struct card_rx_desc *rx;
	struct page **page;
	struct page_pool *pool;
	u32 rx_next, rx_posted;
	u64 rx_packets, rx_bytes;
	/* written by those who send from here on */
	struct card_tx_desc *tx ____cacheline_aligned_in_smp;
	struct sk_buff **skb;
	u32 tx_next, tx_rung;
	u64 tx_packets, tx_bytes, tx_dropped;
	/* and by the poll */
	u32 tx_clean ____cacheline_aligned_in_smp;
} ____cacheline_aligned_in_smp;

/**
 * struct card - a network device
 * @dev: it
 * @hw: the device behind it
 * @queue: its queues
 */
struct card {
	struct net_device *dev;
	struct hw_port hw;
	struct card_queue queue[CARD_QUEUES];
};

extern const struct ethtool_ops card_ethtool_ops;

/**
 * card_of() - the driver's data of a network device
 * @dev: the device, one of ours
 *
 * Context: Any.
 * Return: the data.
 */
static inline struct card *card_of(const struct net_device *dev)
{
	return *(struct card **)netdev_priv(dev);
}

int card_open(struct net_device *dev);
int card_stop(struct net_device *dev);
int card_config_default(struct card *card);

#endif
