// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of the test card, as plain as drivers of real cards are today:
 * descriptor rings, a page pool for each receive queue, a poll for each queue
 * pair that its interrupt starts, sent packets freed by that poll.  The device
 * is in hw.c, what ethtool asks for in ethtool.c.
 *
 * Two devices, nic0 and nic1: what is sent on one comes in on the other.
 */
#include "card.h"

#include <linux/cpu_rmap.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <linux/vmalloc.h>
#if __has_include(<net/page_pool/helpers.h>)
#include <net/page_pool/helpers.h>
#else
#include <net/page_pool.h>
#endif

/* A page for each packet: room for what comes before and behind it. */
#define CARD_HEADROOM	(NET_SKB_PAD + NET_IP_ALIGN)
#define CARD_BUFFER	(PAGE_SIZE - CARD_HEADROOM - \
			 SKB_DATA_ALIGN(sizeof(struct skb_shared_info)))
#define CARD_TX_ROOM	(MAX_SKB_FRAGS + 1)	/* descriptors of a packet */

static unsigned int queues[2];
static int nqueues;
module_param_array(queues, uint, &nqueues, 0444);
MODULE_PARM_DESC(queues, "queue pairs of nic0 and nic1 (default: one for each CPU)");

static struct card *cards[2];

/* Receiving */

static bool card_fill_one(struct card_queue *q)
{
	u32 at = q->rx_posted % CARD_RING;
	struct page *page = page_pool_dev_alloc_pages(q->pool);

	if (!page)
		return false;
	q->page[at] = page;
	q->rx[at].addr = page_address(page) + CARD_HEADROOM;
	q->rx[at].done = 0;
	q->rx_posted++;
	return true;
}

static void card_fill(struct card_queue *q)
{
	u32 posted = q->rx_posted;

	while (q->rx_posted - q->rx_next < CARD_RING && card_fill_one(q))
		;
	if (q->rx_posted != posted)
		hw_post(q->hw, q->rx_posted);
}

static struct sk_buff *card_take(struct card_queue *q)
{
	u32 at = q->rx_next % CARD_RING;
	struct card_rx_desc *d = &q->rx[at];
	struct net_device *dev = q->card->dev;
	struct sk_buff *skb;

	net_prefetch(page_address(q->page[at]) + CARD_HEADROOM);
	skb = napi_build_skb(page_address(q->page[at]), PAGE_SIZE);
	if (!skb) {
		page_pool_recycle_direct(q->pool, q->page[at]);
		return NULL;
	}
	skb_mark_for_recycle(skb);
	skb_reserve(skb, CARD_HEADROOM);
	skb_put(skb, d->len);
	if (dev->features & NETIF_F_RXHASH && d->hash_type)
		skb_set_hash(skb, d->hash, d->hash_type);
	if (dev->features & NETIF_F_RXCSUM)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb_record_rx_queue(skb, q - q->card->queue);
	skb->protocol = eth_type_trans(skb, dev);
	return skb;
}

static int card_clean_rx(struct card_queue *q, int budget)
{
	struct sk_buff *skb;
	int work;

	for (work = 0; work < budget; work++) {
		/* Pairs with the release in hw_deliver(). */
		if (!smp_load_acquire(&q->rx[q->rx_next % CARD_RING].done))
			break;
		skb = card_take(q);
		q->rx[q->rx_next % CARD_RING].done = 0;
		q->rx_next++;
		if (!skb)
			continue;
		q->rx_packets++;
		q->rx_bytes += skb->len;
		napi_gro_receive(&q->napi, skb);
	}
	if (work)
		card_fill(q);
	return work;
}

/* Sending */

static struct netdev_queue *card_txq(const struct card_queue *q)
{
	return netdev_get_tx_queue(q->card->dev, q - q->card->queue);
}

static bool card_tx_room(const struct card_queue *q)
{
	return CARD_RING - (q->tx_next - READ_ONCE(q->tx_clean)) >=
	       CARD_TX_ROOM;
}

static void card_clean_tx(struct card_queue *q, int budget)
{
	u32 clean = q->tx_clean, at;

	while (clean != READ_ONCE(q->tx_next)) {
		at = clean % CARD_RING;
		/* Pairs with the release in hw_send(). */
		if (!smp_load_acquire(&q->tx[at].done))
			break;
		q->tx[at].done = 0;
		if (q->skb[at])
			napi_consume_skb(q->skb[at], budget);
		q->skb[at] = NULL;
		clean++;
	}
	if (clean == q->tx_clean)
		return;
	/* Whoever stops the queue sees this, or we see that it is stopped. */
	smp_store_mb(q->tx_clean, clean);
	if (netif_tx_queue_stopped(card_txq(q)) && card_tx_room(q))
		netif_tx_wake_queue(card_txq(q));
}

static void card_put(struct card_queue *q, void *addr, unsigned int len)
{
	struct card_tx_desc *d = &q->tx[q->tx_next % CARD_RING];

	*d = (struct card_tx_desc){ .addr = addr, .len = len };
	q->skb[q->tx_next % CARD_RING] = NULL;
	WRITE_ONCE(q->tx_next, q->tx_next + 1);
}

/* The descriptors of a packet. */
static bool card_map(struct card_queue *q, struct sk_buff *skb)
{
	struct card_tx_desc *first = &q->tx[q->tx_next % CARD_RING];
	int start, i;

	if (skb_put_padto(skb, ETH_ZLEN))
		return false;
	start = skb->ip_summed == CHECKSUM_PARTIAL ?
		skb_checksum_start_offset(skb) : 0;
	if (start > U8_MAX) {
		start = 0;
		if (skb_checksum_help(skb)) {
			dev_kfree_skb_any(skb);
			return false;
		}
	}
	card_put(q, skb->data, skb_headlen(skb));
	first->csum_start = start;
	first->csum_offset = start ? skb->csum_offset : 0;
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		card_put(q, skb_frag_address(frag), skb_frag_size(frag));
	}
	i = (q->tx_next - 1) % CARD_RING;
	q->tx[i].last = 1;
	q->skb[i] = skb;
	return true;
}

static netdev_tx_t card_xmit(struct sk_buff *skb, struct net_device *dev)
{
	unsigned int index = skb_get_queue_mapping(skb), len = skb->len;
	struct card *card = card_of(dev);
	struct card_queue *q = &card->queue[index];
	struct netdev_queue *txq = card_txq(q);

	if (card_map(q, skb)) {
		q->tx_packets++;
		q->tx_bytes += len;
	} else {
		q->tx_dropped++;
	}
	if (!card_tx_room(q)) {
		netif_tx_stop_queue(txq);
		/* Pairs with the barrier in card_clean_tx(). */
		smp_mb__after_atomic();
		if (card_tx_room(q))
			netif_tx_start_queue(txq);
	}
	if ((!netdev_xmit_more() || netif_xmit_stopped(txq)) &&
	    q->tx_rung != q->tx_next)
		q->tx_rung = hw_send(&card->hw, index, q->tx_rung, q->tx_next);
	return NETDEV_TX_OK;
}

/* Both */

static int card_poll(struct napi_struct *napi, int budget)
{
	struct card_queue *q = container_of(napi, struct card_queue, napi);
	int work;

	card_clean_tx(q, budget);
	work = budget ? card_clean_rx(q, budget) : 0;
	if (work < budget && napi_complete_done(napi, work))
		hw_arm(q->hw, q->rx_next, q->tx_clean);
	return work;
}

static irqreturn_t card_interrupt(int irq, void *data)
{
	struct card_queue *q = data;

	napi_schedule_irqoff(&q->napi);
	return IRQ_HANDLED;
}

/* Up and down */

static struct page_pool *card_pool(struct card_queue *q)
{
	struct page_pool_params params = {
		.pool_size = CARD_RING,
		.nid = NUMA_NO_NODE,
#ifdef CARD_HAVE_POOL_NAPI
		.napi = &q->napi,
#endif
	};

	return page_pool_create(&params);
}

static void card_free_rings(struct card_queue *q)
{
	u32 i;

	for (; q->rx_next != q->rx_posted; q->rx_next++)
		page_pool_put_full_page(q->pool,
					q->page[q->rx_next % CARD_RING], false);
	for (i = 0; q->skb && i < CARD_RING; i++)
		dev_kfree_skb_any(q->skb[i]);
	if (q->pool)
		page_pool_destroy(q->pool);
	q->pool = NULL;
	kfree(q->rx);
	kfree(q->page);
	kfree(q->tx);
	kfree(q->skb);
	q->rx = NULL;
	q->page = NULL;
	q->tx = NULL;
	q->skb = NULL;
}

static int card_make_rings(struct card_queue *q)
{
	q->rx_next = 0;
	q->rx_posted = 0;
	q->tx_next = 0;
	q->tx_rung = 0;
	q->tx_clean = 0;
	q->rx = kcalloc(CARD_RING, sizeof(*q->rx), GFP_KERNEL);
	q->page = kcalloc(CARD_RING, sizeof(*q->page), GFP_KERNEL);
	q->tx = kcalloc(CARD_RING, sizeof(*q->tx), GFP_KERNEL);
	q->skb = kcalloc(CARD_RING, sizeof(*q->skb), GFP_KERNEL);
	if (!q->rx || !q->page || !q->tx || !q->skb)
		return -ENOMEM;
	q->pool = card_pool(q);
	if (!IS_ERR(q->pool))
		return 0;
	q->pool = NULL;
	return -ENOMEM;
}

static int card_open_queue(struct card_queue *q)
{
	unsigned int index = q - q->card->queue;
	char name[IFNAMSIZ + 16], *kept;
	int err;

	err = card_make_rings(q);
	if (err)
		goto err_rings;
	q->hw->rx = q->rx;
	q->hw->tx = q->tx;
	snprintf(name, sizeof(name), "%s-rx-%u", q->card->dev->name, index);
	kept = kstrdup(name, GFP_KERNEL);
	err = kept ? request_irq(q->hw->irq, card_interrupt, 0, kept, q) :
		     -ENOMEM;
	if (err) {
		kfree(kept);
		goto err_rings;
	}
	napi_enable(&q->napi);
	hw_queue_start(q->hw);
	card_fill(q);
	hw_arm(q->hw, 0, 0);
	return 0;

err_rings:
	card_free_rings(q);
	return err;
}

static void card_close_queue(struct card_queue *q)
{
	hw_queue_stop(q->hw);
	kfree(free_irq(q->hw->irq, q));
	napi_disable(&q->napi);
	card_free_rings(q);
}

/* For accelerated RFS: which queue's interrupt goes where. */
static void card_rmap_free(struct net_device *dev)
{
#ifdef CONFIG_RFS_ACCEL
	free_irq_cpu_rmap(dev->rx_cpu_rmap);
	dev->rx_cpu_rmap = NULL;
#endif
}

static void card_rmap_make(struct net_device *dev)
{
#ifdef CONFIG_RFS_ACCEL
	struct hw_port *hw = &card_of(dev)->hw;
	unsigned int i;

	dev->rx_cpu_rmap = alloc_irq_cpu_rmap(hw->queues);
	for (i = 0; dev->rx_cpu_rmap && i < hw->queues; i++)
		if (irq_cpu_rmap_add(dev->rx_cpu_rmap, hw->queue[i].irq)) {
			card_rmap_free(dev);
			return;
		}
#endif
}

/**
 * card_open() - take the device up
 * @dev: the device
 *
 * Context: Process, RTNL held.
 * Return: 0 or an error.
 */
int card_open(struct net_device *dev)
{
	struct card *card = card_of(dev);
	unsigned int i;
	int err;

	for (i = 0; i < card->hw.queues; i++) {
		err = card_open_queue(&card->queue[i]);
		if (err)
			goto err_queues;
	}
	card_rmap_make(dev);
	netif_tx_start_all_queues(dev);
	netif_carrier_on(dev);
	return 0;

err_queues:
	while (i--)
		card_close_queue(&card->queue[i]);
	return err;
}

/**
 * card_stop() - and down
 * @dev: the device
 *
 * Context: Process, RTNL held.
 * Return: 0.
 */
int card_stop(struct net_device *dev)
{
	struct card *card = card_of(dev);
	unsigned int i;

	netif_carrier_off(dev);
	netif_tx_disable(dev);
	card_rmap_free(dev);
	for (i = 0; i < card->hw.queues; i++)
		card_close_queue(&card->queue[i]);
	return 0;
}

static void card_stats(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	struct card *card = card_of(dev);
	unsigned int i;

	for (i = 0; i < CARD_QUEUES; i++) {
		const struct card_queue *q = &card->queue[i];

		s->rx_packets += READ_ONCE(q->rx_packets);
		s->rx_bytes += READ_ONCE(q->rx_bytes);
		s->tx_packets += READ_ONCE(q->tx_packets);
		s->tx_bytes += READ_ONCE(q->tx_bytes);
		s->tx_dropped += READ_ONCE(q->tx_dropped);
		s->rx_missed_errors += READ_ONCE(card->hw.queue[i].missed);
	}
}

#ifdef CONFIG_RFS_ACCEL
static bool card_flow_expired(void *arg, u16 queue, u32 flow, u16 id)
{
	return rps_may_expire_flow(arg, queue, flow, id);
}

static int card_flow_steer(struct net_device *dev, const struct sk_buff *skb,
			   u16 queue, u32 flow)
{
	struct hw_tuple t;

	if (skb->encapsulation || !skb_mac_header_was_set(skb))
		return -EPROTONOSUPPORT;
	hw_parse(skb_mac_header(skb), skb_headlen(skb) +
		 skb->data - skb_mac_header(skb), &t);
	if (t.proto < 0)
		return -EPROTONOSUPPORT;
	return hw_filter_set(&card_of(dev)->hw, &t, queue, flow,
			     card_flow_expired, dev);
}
#endif

static const struct net_device_ops card_ops = {
	.ndo_open = card_open,
	.ndo_stop = card_stop,
	.ndo_start_xmit = card_xmit,
	.ndo_get_stats64 = card_stats,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_set_mac_address = eth_mac_addr,
#ifdef CONFIG_RFS_ACCEL
	.ndo_rx_flow_steer = card_flow_steer,
#endif
};

/* Life */

/**
 * card_config_default() - the settings of a new card
 * @card: the card
 *
 * Context: Process, before others know the card.
 * Return: 0 or -ENOMEM.
 */
int card_config_default(struct card *card)
{
	struct hw_config *c = kvzalloc(sizeof(*c), GFP_KERNEL);
	unsigned int i;

	if (!c)
		return -ENOMEM;
	netdev_rss_key_fill(c->key, sizeof(c->key));
	for (i = 0; i < CARD_TABLE; i++)
		c->table[i] = ethtool_rxfh_indir_default(i, card->hw.queues);
	c->ports[HW_TCP4] = true;
	c->ports[HW_TCP6] = true;
	hw_config_ready(c);
	rcu_assign_pointer(card->hw.config, c);
	return 0;
}

static void card_setup(struct net_device *dev)
{
	dev->netdev_ops = &card_ops;
	dev->ethtool_ops = &card_ethtool_ops;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = CARD_BUFFER - ETH_HLEN;
	dev->hw_features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_RXCSUM |
			   NETIF_F_RXHASH | NETIF_F_NTUPLE;
	dev->features = dev->hw_features;
	eth_hw_addr_random(dev);
}

/* Where they are until user space binds them. */
static void card_interrupts_spread(struct card *card)
{
	unsigned int i, cpu = cpumask_first(cpu_online_mask);

	for (i = 0; i < card->hw.queues; i++) {
		irq_set_affinity(card->hw.queue[i].irq, cpumask_of(cpu));
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
	}
}

static void card_destroy(struct card *card)
{
	if (!card)
		return;
	hw_port_exit(&card->hw);
	if (card->dev)
		free_netdev(card->dev);
	vfree(card);
}

static int card_create(unsigned int number, unsigned int wanted)
{
	struct card *card = vzalloc(sizeof(*card));
	unsigned int i;
	int err;

	if (!card)
		return -ENOMEM;
	cards[number] = card;
	card->hw.queues = wanted;
	card->dev = alloc_etherdev_mqs(sizeof(struct card *), wanted, wanted);
	if (!card->dev)
		return -ENOMEM;
	*(struct card **)netdev_priv(card->dev) = card;
	card_setup(card->dev);
	snprintf(card->dev->name, IFNAMSIZ, "nic%u", number);
	err = card_config_default(card);
	if (err)
		return err;
	for (i = 0; i < CARD_QUEUES; i++) {
		card->queue[i].card = card;
		card->queue[i].hw = &card->hw.queue[i];
	}
	for (i = 0; i < wanted; i++)
		netif_napi_add(card->dev, &card->queue[i].napi, card_poll);
	return 0;
}

static int __init card_init(void)
{
	unsigned int i, n;
	int err;

	for (i = 0; i < 2; i++) {
		n = i < nqueues && queues[i] ? queues[i] : num_online_cpus();
		err = card_create(i, min_t(unsigned int, n, CARD_QUEUES));
		if (err)
			goto err_cards;
	}
	for (i = 0; i < 2; i++) {
		err = hw_port_init(&cards[i]->hw, &cards[1 - i]->hw);
		if (err)
			goto err_cards;
		card_interrupts_spread(cards[i]);
	}
	err = register_netdev(cards[0]->dev);
	if (err)
		goto err_cards;
	err = register_netdev(cards[1]->dev);
	if (err)
		goto err_registered;
	return 0;

err_registered:
	unregister_netdev(cards[0]->dev);
err_cards:
	card_destroy(cards[0]);
	card_destroy(cards[1]);
	return err;
}

static void __exit card_exit(void)
{
	unregister_netdev(cards[0]->dev);
	unregister_netdev(cards[1]->dev);
	card_destroy(cards[0]);
	card_destroy(cards[1]);
}

module_init(card_init);
module_exit(card_exit);
MODULE_DESCRIPTION("Network card for Fastsocket's tests");
MODULE_LICENSE("GPL");
