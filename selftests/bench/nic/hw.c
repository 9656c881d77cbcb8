// SPDX-License-Identifier: GPL-2.0
/*
 * The device of the test card: copies packets from one port's memory to the
 * other's, chooses the queue, and raises interrupts.  It owns no socket buffer
 * and calls no network function; how a packet gets into and out of its rings
 * is the driver's matter (card.c).
 *
 * An interrupt is an inter-processor interrupt to the CPU that the queue's
 * interrupt is bound to, and is handled there as any other of the kernel's.
 */
#include "hw.h"

#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/checksum.h>
#include <net/ip.h>

#define HW_PROBES	8	/* places that a filter may be at */

/* The plugin's marks: instructions that do nothing and that no compiler emits.
 * With interrupts off no other work of this CPU is taken for the device's.
 */
static unsigned long hw_begin(void)
{
	unsigned long flags;

	local_irq_save(flags);
	asm volatile("xchg %%r13, %%r13" : : : "memory");
	return flags;
}

static void hw_end(unsigned long flags)
{
	asm volatile("xchg %%r12, %%r12" : : : "memory");
	local_irq_restore(flags);
}

/* Interrupts */

static void hw_interrupt(void *data)
{
	struct hw_queue *q = data;

	generic_handle_irq(q->irq);
}

static void hw_interrupt_self(struct irq_work *work)
{
	struct hw_queue *q = container_of(work, struct hw_queue, self);

	generic_handle_irq(q->irq);
}

/* An interrupt that is still on its way will do for this one, too. */
static void hw_raise(struct hw_queue *q)
{
	int cpu = READ_ONCE(q->cpu);

	lockdep_assert_held(&q->lock);
	q->armed = false;
	if (!cpu_online(cpu))
		cpu = smp_processor_id();
	if (cpu == smp_processor_id())
		irq_work_queue(&q->self);
	else
		smp_call_function_single_async(cpu, &q->csd);
}

/* Something has happened, or the driver has armed the interrupt. */
static void hw_consider(struct hw_queue *q)
{
	const struct hw_port *port = q->port;
	u32 rx = q->rx_filled - q->rx_seen, tx = q->tx_sent - q->tx_seen;
	u32 usecs;

	if (!q->armed || (!rx && !tx))
		return;
	if ((rx && (rx >= port->rx_frames || !port->rx_usecs)) ||
	    (tx && (tx >= port->tx_frames || !port->tx_usecs))) {
		hw_raise(q);
		return;
	}
	usecs = rx ? port->rx_usecs : port->tx_usecs;
	if (rx && tx)
		usecs = min(port->rx_usecs, port->tx_usecs);
	if (!hrtimer_active(&q->timer) ||
	    ktime_after(hrtimer_get_expires(&q->timer),
			ktime_add_us(ktime_get(), usecs)))
		hrtimer_start(&q->timer,
			      ns_to_ktime((u64)usecs * NSEC_PER_USEC),
			      HRTIMER_MODE_REL_HARD);
}

static enum hrtimer_restart hw_timer(struct hrtimer *timer)
{
	struct hw_queue *q = container_of(timer, struct hw_queue, timer);
	unsigned long flags = hw_begin();

	spin_lock(&q->lock);
	if (q->up && q->armed &&
	    (q->rx_filled != q->rx_seen || q->tx_sent != q->tx_seen))
		hw_raise(q);
	spin_unlock(&q->lock);
	hw_end(flags);
	return HRTIMER_NORESTART;
}

/* Which queue */

/**
 * hw_parse() - what the device can tell of a packet
 * @frame: begins with the Ethernet header
 * @len: of it, at least
 * @t: filled in
 *
 * Context: Any.
 */
void hw_parse(const u8 *frame, unsigned int len, struct hw_tuple *t)
{
	const struct ethhdr *eth = (const void *)frame;
	const struct ipv6hdr *ip6 = (const void *)(frame + ETH_HLEN);
	const struct iphdr *ip = (const void *)(frame + ETH_HLEN);
	const u8 *ports = NULL;
	u8 proto;

	memset(t, 0, sizeof(*t));
	t->proto = -1;
	if (eth->h_proto == htons(ETH_P_IP) && len >= ETH_HLEN + sizeof(*ip)) {
		t->size = 8;
		memcpy(t->data, &ip->saddr, 8);
		proto = ip->protocol;
		if (!ip_is_fragment(ip))
			ports = frame + ETH_HLEN + 4 * ip->ihl;
	} else if (eth->h_proto == htons(ETH_P_IPV6) &&
		   len >= ETH_HLEN + sizeof(*ip6)) {
		t->size = 32;
		memcpy(t->data, &ip6->saddr, 32);
		proto = ip6->nexthdr;
		ports = (const u8 *)(ip6 + 1);
	}
	if (!ports || ports + 4 > frame + len ||
	    (proto != IPPROTO_TCP && proto != IPPROTO_UDP))
		return;
	t->proto = proto == IPPROTO_TCP ? HW_TCP4 : HW_UDP4;
	if (t->size == 32)
		t->proto += HW_TCP6;
	memcpy((u8 *)t->data + t->size, ports, 4);
}

/**
 * hw_config_ready() - what follows from the key
 * @c: the settings
 *
 * Each bit of the input adds the 32 bits of the key that begin at its place.
 *
 * Context: Any.
 */
void hw_config_ready(struct hw_config *c)
{
	unsigned int i, byte, bit;

	for (i = 0; i < CARD_TUPLE; i++) {
		u64 window = (u64)c->key[i] << 32 | c->key[i + 1] << 24 |
			     c->key[i + 2] << 16 | c->key[i + 3] << 8 |
			     c->key[i + 4];

		for (byte = 0; byte < 256; byte++) {
			c->lut[i][byte] = 0;
			for (bit = 0; bit < 8; bit++)
				if (byte << bit & 0x80)
					c->lut[i][byte] ^= window >> (8 - bit);
		}
	}
}

/**
 * hw_hash() - the hash of a packet
 * @c: the settings
 * @t: the packet
 * @type: gets what the card says of it, enum pkt_hash_types
 *
 * Context: Any.
 * Return: the hash, 0 for what is not IP.
 */
u32 hw_hash(const struct hw_config *c, const struct hw_tuple *t, u8 *type)
{
	bool ports = t->proto >= 0 && c->ports[t->proto];
	unsigned int i, len = t->size + (ports ? 4 : 0);
	const u8 *data = (const u8 *)t->data;
	u32 hash = 0;

	*type = ports ? PKT_HASH_TYPE_L4 :
		t->size ? PKT_HASH_TYPE_L3 : PKT_HASH_TYPE_NONE;
	for (i = 0; i < len; i++)
		hash ^= c->lut[i][data[i]];
	return hash;
}

static const struct hw_rule *hw_match(const struct hw_config *c,
				      const struct hw_tuple *t)
{
	bool tcp = t->proto == HW_TCP4 || t->proto == HW_TCP6;
	bool v6 = t->proto >= HW_TCP6;
	unsigned int n, words = t->size / 4 + 1;
	int i;

	if (t->proto < 0)
		return NULL;
	for (n = 0; n < c->rules; n++) {
		const struct hw_rule *r = &c->rule[n];

		if (r->tcp != tcp || r->v6 != v6)
			continue;
		/* Ports, which are last, first: most rules have only them. */
		for (i = words - 1; i >= 0; i--)
			if ((r->value[i] ^ t->data[i]) & r->mask[i])
				break;
		if (i < 0)
			return r;
	}
	return NULL;
}

static u32 hw_filter_place(const struct hw_tuple *t)
{
	u32 n = t->proto;
	int i;

	for (i = 0; i < CARD_TUPLE / 4; i++)
		n = (n ^ t->data[i]) * 0x9e3779b1;
	return n >> 16;
}

static bool hw_filter_is(const struct hw_filter *f, const struct hw_tuple *t)
{
	return f->proto == t->proto + 1 &&
	       !memcmp(f->tuple, t->data, sizeof(f->tuple));
}

/* The queue by accelerated RFS, or -1. */
static int hw_filter_queue(struct hw_port *port, const struct hw_tuple *t)
{
	struct hw_filter *f;
	u32 place, i;
	int queue = -1;

	if (t->proto < 0 || !READ_ONCE(port->nfilters))
		return -1;
	place = hw_filter_place(t);
	spin_lock(&port->filter_lock);
	for (i = 0; i < HW_PROBES && queue < 0; i++) {
		f = &port->filter[(place + i) % CARD_FILTERS];
		if (hw_filter_is(f, t))
			queue = f->queue;
	}
	spin_unlock(&port->filter_lock);
	return queue;
}

/**
 * hw_filter_set() - send a connection's packets to a queue
 * @port: the device
 * @t: what the packets look like
 * @queue: the queue
 * @flow: the kernel's number for it
 * @expired: asks the kernel whether a filter is of no use any more
 * @arg: its argument
 *
 * Context: Softirq.
 * Return: the filter's number, or -EBUSY without a place for it.
 */
int hw_filter_set(struct hw_port *port, const struct hw_tuple *t, u16 queue,
		  u32 flow, bool (*expired)(void *arg, u16 queue, u32 flow,
					    u16 id), void *arg)
{
	u32 place = hw_filter_place(t), i, id, found = CARD_FILTERS;
	unsigned long flags = hw_begin();
	struct hw_filter *f;

	spin_lock(&port->filter_lock);
	for (i = 0; i < HW_PROBES; i++) {
		id = (place + i) % CARD_FILTERS;
		f = &port->filter[id];
		if (hw_filter_is(f, t)) {
			found = id;
			break;
		}
		if (found == CARD_FILTERS &&
		    (!f->proto || expired(arg, f->queue, f->flow, id)))
			found = id;
	}
	if (found < CARD_FILTERS) {
		f = &port->filter[found];
		if (!f->proto)
			WRITE_ONCE(port->nfilters, port->nfilters + 1);
		memcpy(f->tuple, t->data, sizeof(f->tuple));
		f->proto = t->proto + 1;
		f->queue = queue;
		f->flow = flow;
	}
	spin_unlock(&port->filter_lock);
	hw_end(flags);
	return found < CARD_FILTERS ? found : -EBUSY;
}

/* The queue and hash of a packet; -1 when a rule drops it. */
static int hw_choose(struct hw_port *port, const struct hw_tuple *t, u32 *hash,
		     u8 *type)
{
	const struct hw_rule *rule;
	struct hw_config *c;
	int queue;

	rcu_read_lock();
	c = rcu_dereference(port->config);
	*hash = hw_hash(c, t, type);
	rule = hw_match(c, t);
	queue = hw_filter_queue(port, t);
	if (rule)
		queue = rule->fs.ring_cookie == RX_CLS_FLOW_DISC ? -1 :
			(int)rule->fs.ring_cookie;
	else if (queue < 0)
		queue = *type == PKT_HASH_TYPE_NONE ? 0 :
			c->table[*hash % CARD_TABLE];
	rcu_read_unlock();
	return queue < (int)port->queues ? queue : 0;
}

/* Packets */

/* Write a packet of @n descriptors into a buffer. */
static unsigned int hw_copy(const struct card_tx_desc *tx, u32 from, u32 to,
			    u8 *buffer)
{
	const struct card_tx_desc *first = &tx[from % CARD_RING];
	unsigned int len = 0;
	__sum16 sum;
	u32 i;

	for (i = from; i != to; i++) {
		memcpy(buffer + len, tx[i % CARD_RING].addr,
		       tx[i % CARD_RING].len);
		len += tx[i % CARD_RING].len;
	}
	if (first->csum_start) {
		/* The pseudo header's sum is there already. */
		sum = csum_fold(csum_partial(buffer + first->csum_start,
					     len - first->csum_start, 0));
		memcpy(buffer + first->csum_start + first->csum_offset, &sum,
		       sizeof(sum));
	}
	return len;
}

static void hw_deliver(struct hw_port *peer, const struct card_tx_desc *tx,
		       u32 from, u32 to)
{
	struct card_rx_desc *d;
	struct hw_tuple tuple;
	struct hw_queue *q;
	int queue;
	u8 type;
	u32 hash;

	hw_parse(tx[from % CARD_RING].addr, tx[from % CARD_RING].len, &tuple);
	queue = hw_choose(peer, &tuple, &hash, &type);
	if (queue < 0)
		return;
	q = &peer->queue[queue];
	spin_lock(&q->lock);
	if (!q->up || q->rx_filled == q->rx_posted) {
		q->missed++;
		spin_unlock(&q->lock);
		return;
	}
	d = &q->rx[q->rx_filled % CARD_RING];
	d->len = hw_copy(tx, from, to, d->addr);
	d->hash = hash;
	d->hash_type = type;
	/* Pairs with the acquire in card_clean_rx(). */
	smp_store_release(&d->done, 1);
	q->rx_filled++;
	hw_consider(q);
	spin_unlock(&q->lock);
}

/**
 * hw_send() - the bell of a transmit queue
 * @port: the device
 * @queue: the queue
 * @from: the first descriptor that is new
 * @to: the one behind the last; whole packets
 *
 * Context: The queue's transmit lock held, BH off.
 * Return: @to.
 */
u32 hw_send(struct hw_port *port, unsigned int queue, u32 from, u32 to)
{
	struct hw_queue *q = &port->queue[queue];
	unsigned long flags = hw_begin();
	u32 i, first = from;

	for (i = from; i != to; i++) {
		if (!q->tx[i % CARD_RING].last)
			continue;
		hw_deliver(port->peer, q->tx, first, i + 1);
		for (; first != i + 1; first++)
			/* Pairs with the acquire in card_clean_tx(). */
			smp_store_release(&q->tx[first % CARD_RING].done, 1);
	}
	spin_lock(&q->lock);
	q->tx_sent += to - from;
	if (q->up)
		hw_consider(q);
	spin_unlock(&q->lock);
	hw_end(flags);
	return to;
}

/**
 * hw_post() - the bell of a receive queue: there are more buffers
 * @q: the queue
 * @posted: how many there have been in all
 *
 * Context: The queue's NAPI, or process before the queue is up.
 */
void hw_post(struct hw_queue *q, u32 posted)
{
	unsigned long flags = hw_begin();

	spin_lock(&q->lock);
	q->rx_posted = posted;
	spin_unlock(&q->lock);
	hw_end(flags);
}

/**
 * hw_arm() - the driver has looked at all, and may be interrupted again
 * @q: the queue
 * @rx_seen: packets that it has taken, in all
 * @tx_seen: descriptors that it has found to be sent, in all
 *
 * Context: The queue's NAPI, or process as the queue comes up.
 */
void hw_arm(struct hw_queue *q, u32 rx_seen, u32 tx_seen)
{
	unsigned long flags = hw_begin();

	spin_lock(&q->lock);
	q->rx_seen = rx_seen;
	q->tx_seen = tx_seen;
	q->armed = true;
	if (q->up)
		hw_consider(q);
	spin_unlock(&q->lock);
	hw_end(flags);
}

/* Life */

/**
 * hw_queue_start() - the rings are there
 * @q: the queue, whose @rx and @tx are set
 *
 * Context: Process.
 */
void hw_queue_start(struct hw_queue *q)
{
	spin_lock_irq(&q->lock);
	q->rx_posted = 0;
	q->rx_filled = 0;
	q->rx_seen = 0;
	q->tx_sent = 0;
	q->tx_seen = 0;
	q->armed = false;
	q->up = true;
	spin_unlock_irq(&q->lock);
}

/**
 * hw_queue_stop() - the rings will go
 * @q: the queue
 *
 * Context: Process.
 */
void hw_queue_stop(struct hw_queue *q)
{
	spin_lock_irq(&q->lock);
	q->up = false;
	q->armed = false;
	spin_unlock_irq(&q->lock);
	hrtimer_cancel(&q->timer);
	irq_work_sync(&q->self);
}

/* Interrupts are bound as any card's, in /proc/irq. */
static int hw_set_affinity(struct irq_data *data, const struct cpumask *mask,
			   bool force)
{
	struct hw_queue *q = irq_data_get_irq_chip_data(data);
	unsigned int cpu = cpumask_first_and(mask, cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	WRITE_ONCE(q->cpu, cpu);
	irq_data_update_effective_affinity(data, cpumask_of(cpu));
	return IRQ_SET_MASK_OK;
}

static void hw_nothing(struct irq_data *data)
{
}

static struct irq_chip hw_chip = {
	.name = "fskcard",
	.irq_ack = hw_nothing,
	.irq_mask = hw_nothing,
	.irq_unmask = hw_nothing,
	.irq_set_affinity = hw_set_affinity,
	.flags = IRQCHIP_SKIP_SET_WAKE,
};

static int hw_irq_init(struct hw_queue *q)
{
	/* Without an owner: it would pin the module while the device is up. */
	q->irq = __irq_alloc_descs(-1, 1, 1, numa_node_id(), NULL, NULL);
	if (q->irq < 0)
		return q->irq;
	irq_set_chip_data(q->irq, q);
	irq_set_chip_and_handler_name(q->irq, &hw_chip, handle_edge_irq,
				      "edge");
	irq_clear_status_flags(q->irq, IRQ_NOREQUEST);
#ifdef CARD_HAVE_MOVE_PCNTXT
	irq_set_status_flags(q->irq, IRQ_MOVE_PCNTXT);
#endif
	return 0;
}

static void hw_queue_init(struct hw_queue *q, struct hw_port *port)
{
	q->port = port;
	spin_lock_init(&q->lock);
	INIT_CSD(&q->csd, hw_interrupt, q);
	init_irq_work(&q->self, hw_interrupt_self);
#ifdef CARD_HAVE_HRTIMER_SETUP
	hrtimer_setup(&q->timer, hw_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_HARD);
#else
	hrtimer_init(&q->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	q->timer.function = hw_timer;
#endif
}

/**
 * hw_port_init() - make a device
 * @port: zeroed, @queues set
 * @peer: the other end
 *
 * Context: Process.
 * Return: 0 or an error; hw_port_exit() cleans up in any case.
 */
int hw_port_init(struct hw_port *port, struct hw_port *peer)
{
	unsigned int i;
	int err;

	port->peer = peer;
	port->rx_frames = 1;
	port->tx_frames = 16;
	port->tx_usecs = 10000;
	spin_lock_init(&port->filter_lock);
	port->filter = kvcalloc(CARD_FILTERS, sizeof(*port->filter),
				GFP_KERNEL);
	if (!port->filter)
		return -ENOMEM;
	for (i = 0; i < CARD_QUEUES; i++)
		hw_queue_init(&port->queue[i], port);
	for (i = 0; i < port->queues; i++) {
		err = hw_irq_init(&port->queue[i]);
		if (err)
			return err;
	}
	return 0;
}

static void hw_flush(void *unused)
{
}

/**
 * hw_port_exit() - and forget it; its queues are stopped
 * @port: the device; its memory is the caller's
 *
 * Context: Process.
 */
void hw_port_exit(struct hw_port *port)
{
	unsigned int i;

	/* Interrupts that are on their way come before this one. */
	on_each_cpu(hw_flush, NULL, 1);
	for (i = 0; i < CARD_QUEUES; i++)
		if (port->queue[i].irq > 0)
			irq_free_desc(port->queue[i].irq);
	kvfree(port->filter);
	kvfree(rcu_dereference_protected(port->config, true));
}
