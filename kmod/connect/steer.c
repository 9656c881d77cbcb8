// SPDX-License-Identifier: GPL-2.0
/*
 * Steering: packets of active connections that come in on another core than the
 * one that connected.  The hook counts them, and in steer mode hands them to
 * their core.  With established tables on, it hands the packets of all
 * our connections, accepted or opened, to the core that serves them (reader.c).
 *
 * Steering works as the kernel's own does: each core has a queue, bounded by
 * net.core.netdev_max_backlog.  Any core fills it, an interrupt starts a poll,
 * and the poll empties it with the network's budget.  Packets keep the order in
 * which they came in.  A packet that comes in on its own core waits for others
 * on their way there; when another core begins to serve a connection, packets
 * go there once the former core has passed on what it has.
 *
 * The hook is the last of PRE_ROUTING but direct.c's: all that looks at packets
 * before routing has seen this one, once, and only the function that the hook
 * is told of comes behind it.
 */
#include "connect/steer.h"

#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/random.h>
#include <linux/tcp.h>
#include <net/ip.h>

#include "compat.h"
#include "connect/reader.h"
#include "connect/rfd.h"
#include "log.h"
#include "trace.h"

/**
 * struct fsk_steer_queue - packets on their way to one core
 * @lock: protects @input and @active; taken with BH off, rank 7
 * @input: packets, by all cores
 * @active: the core has been told, and has not found @input empty since
 * @queued: how many packets have been put in, under @lock
 * @done: how many of them have been through TCP, or what came instead
 * @ready: packets that the poll has taken, local to it
 * @napi: polls
 * @csd: interrupts the core
 */
struct fsk_steer_queue {
	spinlock_t lock;	/* rank 7 of DOC: locking */
	struct sk_buff_head input;
	bool active;
	u32 queued;
	/* written by the core alone from here on */
	struct sk_buff_head ready ____cacheline_aligned_in_smp;
	u32 done;
	struct napi_struct napi;
	call_single_data_t csd;
};

/**
 * struct fsk_steer_cb - what a packet in a queue carries
 * @ip: what IP keeps there
 * @moved: from another core
 * @net: the namespace that it came in to.  Only compared: the packet's device
 *	keeps a namespace from going, but the device may go to another one.
 * @okfn: where it goes on, behind it
 */
struct fsk_steer_cb {
	u8 ip[sizeof_field(struct sk_buff, cb) - 3 * sizeof(void *)];
	bool moved;
	const struct net *net;
	int (*okfn)(struct net *net, struct sock *sk, struct sk_buff *skb);
};

static DEFINE_PER_CPU(struct fsk_steer_queue, fsk_steer_queues);
static struct net_device *fsk_steer_dev;

static struct fsk_steer_cb *fsk_steer_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct fsk_steer_cb) > sizeof(skb->cb));
	BUILD_BUG_ON(sizeof(struct inet_skb_parm) >
		     offsetof(struct fsk_steer_cb, moved));
	BUILD_BUG_ON(sizeof(struct inet6_skb_parm) >
		     offsetof(struct fsk_steer_cb, moved));
	return (struct fsk_steer_cb *)skb->cb;
}

/* The receiving core */

/* A device that has gone down or to another namespace since: its packets are
 * dropped, as the kernel drops those in its own queues.
 */
static bool fsk_steer_is_stray(struct sk_buff *skb)
{
	return !netif_running(skb->dev) ||
	       !net_eq(dev_net(skb->dev), fsk_steer_cb(skb)->net);
}

/* The namespace that a packet came in to may have gone with the counters. */
static void fsk_steer_drop_stray(struct sk_buff *skb)
{
	const struct net *net = dev_net(skb->dev);

	if (net_eq(net, fsk_steer_cb(skb)->net))
		fsk_stats_inc(fsk_net_of(net), RFD_DROP);
	kfree_skb(skb);
}

/* The device's reference keeps the namespace, and with it its counters: its
 * exit waits for its devices, and unload waits for @q in fsk_steer_net_exit().
 */
static void fsk_steer_deliver(struct fsk_steer_queue *q, struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	struct net *net = dev_net(dev);

	rcu_read_lock();
	if (unlikely(fsk_steer_is_stray(skb))) {
		fsk_steer_drop_stray(skb);
	} else {
		if (fsk_steer_cb(skb)->moved)
			fsk_stats_inc(fsk_net_of(net), RFD_STEERED);
		fsk_steer_cb(skb)->okfn(net, NULL, skb);
	}
	rcu_read_unlock();
	dev_put(dev);	/* fsk_steer_enqueue() took it */
	/* Pairs with the acquire in fsk_steer_has_passed(). */
	smp_store_release(&q->done, q->done + 1);
}

/* Takes what has come.  Returns false if nothing has: then the next packet
 * interrupts again.
 */
static bool fsk_steer_refill(struct fsk_steer_queue *q)
{
	bool any;

	spin_lock(&q->lock);
	any = !skb_queue_empty(&q->input);
	skb_queue_splice_tail_init(&q->input, &q->ready);
	if (!any)
		WRITE_ONCE(q->active, false);
	spin_unlock(&q->lock);
	return any;
}

static int fsk_steer_poll(struct napi_struct *napi, int budget)
{
	struct fsk_steer_queue *q;
	struct sk_buff *skb;
	int done;

	q = container_of(napi, struct fsk_steer_queue, napi);
	for (done = 0; done < budget; done++) {
		skb = __skb_dequeue(&q->ready);
		if (!skb) {
			if (!fsk_steer_refill(q)) {
				/* A packet that came since then has the poll
				 * scheduled again.
				 */
				napi_complete_done(napi, done);
				break;
			}
			skb = __skb_dequeue(&q->ready);
		}
		fsk_steer_deliver(q, skb);
	}
	return done;
}

static void fsk_steer_kick(void *data)
{
	struct fsk_steer_queue *q = data;

	napi_schedule_irqoff(&q->napi);
}

/* The core that a packet came in on */

/* Whether all chains have seen a packet that goes on behind our hook.  Both
 * hooks of ours are known by what they are registered with.
 */
static bool fsk_steer_is_last(const struct fsk_steer *steer,
			      const struct nf_hook_state *state)
{
	const void *est = READ_ONCE(steer->fn->est_priv);
	const struct nf_hook_entries *e;
	int i;

	if (state->pf == NFPROTO_IPV6)
		e = rcu_dereference(state->net->nf.hooks_ipv6[state->hook]);
	else
		e = rcu_dereference(state->net->nf.hooks_ipv4[state->hook]);
	i = e ? e->num_hook_entries - 1 : 0;
	if (i && est && e->hooks[i].priv == est)
		i--;
	return e && e->hooks[i].priv == steer;
}

/* A core that goes offline first ceases to be active and then waits for all who
 * saw it active, serving interrupts and polls meanwhile and after.  So a packet
 * may follow what the core has been told of: the poll takes both, wherever it
 * runs.  @tail gets the core's count when the packet is through.
 */
static unsigned int fsk_steer_enqueue(struct sk_buff *skb, int cpu,
				      const struct nf_hook_state *state,
				      u32 *tail)
{
	struct fsk_steer_queue *q = per_cpu_ptr(&fsk_steer_queues, cpu);
	unsigned int verdict = NF_DROP;
	bool kick;

	/* The sender over loopback gave the packet a route and may have lost it
	 * since; without one it would be routed as if it came from outside.
	 */
	if (skb_dst(skb) && !skb_dst_force(skb))
		return NF_DROP;
	fsk_steer_cb(skb)->okfn = state->okfn;
	fsk_steer_cb(skb)->net = state->net;
	fsk_steer_cb(skb)->moved = cpu != smp_processor_id();
	dev_hold(skb->dev);	/* fsk_steer_deliver() drops it */
	spin_lock(&q->lock);
	if (!q->active && !cpu_active(cpu)) {
		verdict = NF_ACCEPT;
		goto refused;
	}
	if (skb_queue_len(&q->input) > fsk_compat_max_backlog())
		goto refused;
	/* Queued, it is the poll's, which may be through with it at once. */
	trace_fsk_steered(skb, state->pf, cpu);
	__skb_queue_tail(&q->input, skb);
	WRITE_ONCE(q->queued, q->queued + 1);
	WRITE_ONCE(*tail, q->queued);
	kick = !q->active;
	WRITE_ONCE(q->active, true);
	spin_unlock(&q->lock);
	/* If it fails the last interrupt is still on its way. */
	if (kick)
		smp_call_function_single_async(cpu, &q->csd);
	return NF_STOLEN;

refused:
	spin_unlock(&q->lock);
	dev_put(skb->dev);
	return verdict;
}

static u32 fsk_steer_bit(const struct fsk_steer *steer, u32 addr, __be16 port)
{
	u32 hash = jhash_2words(addr, (__force u16)port, steer->seed);

	return hash >> (32 - FSK_STEER_FILTER_BITS);
}

static bool fsk_steer_moves(const struct fsk_net *fn, int ifindex)
{
	u8 mode = fsk_rfd_mode(fn, fsk_rfd_get(fn, ifindex));

	if (fsk_steer_forbidden())
		return false;
	return mode == FSK_RFD_STEER ||
	       (fsk_rfd_by_nic(mode) && READ_ONCE(fn->rfd_overflow));
}

static unsigned int fsk_steer_to(struct fsk_steer *steer, struct sk_buff *skb,
				 const struct nf_hook_state *state, int cpu,
				 u32 *tail)
{
	struct fsk_net *fn = steer->fn;
	unsigned int verdict;

	if (cpu == smp_processor_id()) {
		fsk_stats_inc(fn, RFD_HIT);
		/* The packet must not overtake others on their way here. */
		if (likely(!READ_ONCE(this_cpu_ptr(&fsk_steer_queues)->active)))
			return NF_ACCEPT;
	} else {
		fsk_stats_inc(fn, RFD_MISS);
	}
	if (!fsk_steer_moves(fn, state->in->ifindex) ||
	    !fsk_steer_is_last(steer, state))
		return NF_ACCEPT;
	verdict = fsk_steer_enqueue(skb, cpu, state, tail);
	if (verdict == NF_DROP)
		fsk_stats_inc(fn, RFD_DROP);
	return verdict;
}

/* By the core that serves the connection */

/* Whether the packet that was put there as @tail has passed.  It has, too,
 * where the counters have wrapped since.
 */
static bool fsk_steer_has_passed(const struct fsk_steer_queue *q, u32 tail)
{
	/* Pairs with the release in fsk_steer_deliver(). */
	u32 done = smp_load_acquire(&q->done);

	return tail - done - 1 >= READ_ONCE(q->queued) - done;
}

/* Whether no packet that went this way is still before TCP.  One that was left
 * to this core may be, until its batch is over.
 */
static bool fsk_steer_is_clear(const struct fsk_reader_way *way, int last)
{
	if (last == smp_processor_id() && way->batch == fsk_compat_batch())
		return false;
	return fsk_steer_has_passed(per_cpu_ptr(&fsk_steer_queues, last),
				    way->tail);
}

static int fsk_steer_last(const struct fsk_reader_way *way, int here)
{
	u32 cpu = READ_ONCE(way->cpu);

	return cpu ? cpu - 1 : here;
}

/* The connection's packets came in on core @from until now: a card's poll has
 * moved.  What went on from there must not be overtaken, so its way is this
 * core's, too, until that has passed.  Returns false, to be asked again, while
 * other connections that share the way here have packets elsewhere.
 */
static noinline bool fsk_steer_take_over(const struct fsk_reader_way *old,
					 struct fsk_reader_way *way, int from)
{
	int last = fsk_steer_last(old, from);
	u32 tail = READ_ONCE(old->tail);

	if (fsk_steer_has_passed(per_cpu_ptr(&fsk_steer_queues, last), tail))
		return true;
	if (!fsk_steer_is_clear(way, fsk_steer_last(way, smp_processor_id())))
		return false;
	WRITE_ONCE(way->cpu, last + 1);
	WRITE_ONCE(way->tail, tail);
	return true;
}

/* Packets that come in on two cores at once have no order in any case. */
static void fsk_steer_comes_in(struct fsk_reader *reader, u32 hash,
			       union fsk_reader_flow flow,
			       struct fsk_reader_way *way)
{
	int here = smp_processor_id();

	if (likely(!flow.word || flow.in == fsk_reader_in(here)))
		return;
	if (!flow.in ||
	    fsk_steer_take_over(fsk_reader_way(reader, hash, flow.in - 1), way,
				flow.in - 1))
		fsk_reader_comes_in(reader, hash, flow, here);
}

/* A packet must not overtake what the last core was given. */
static int fsk_steer_turn(struct fsk_net *fn, struct fsk_reader_way *way,
			  int cpu)
{
	int last = fsk_steer_last(way, smp_processor_id());

	if (cpu == last)
		return cpu;
	if (!fsk_steer_is_clear(way, last))
		return last;
	WRITE_ONCE(way->cpu, cpu + 1);
	WRITE_ONCE(way->tail, READ_ONCE(per_cpu(fsk_steer_queues, cpu).done));
	fsk_stats_inc(fn, RFD_TURN);
	return cpu;
}

/* The kernel has it on this core, whose queue has nothing of this way. */
static void fsk_steer_left_here(struct fsk_reader_way *way)
{
	int cpu = smp_processor_id();

	WRITE_ONCE(way->cpu, cpu + 1);
	WRITE_ONCE(way->tail, READ_ONCE(per_cpu(fsk_steer_queues, cpu).done));
	way->batch = fsk_compat_batch();
}

/* The core that connected stands in for one that is not known yet. */
static unsigned int fsk_steer_read(struct fsk_steer *steer, struct sk_buff *skb,
				   const struct nf_hook_state *state, u16 owner)
{
	struct fsk_reader *reader = steer->fn->reader;
	struct fsk_reader_way *way;
	union fsk_reader_flow flow;
	unsigned int verdict;
	int cpu;
	u32 hash;

	hash = fsk_reader_hash(reader, skb, state->pf == NFPROTO_IPV6);
	flow = fsk_reader_find(reader, hash);
	cpu = (flow.cpu ?: owner) - 1;
	if (cpu < 0 || !cpu_active(cpu))
		cpu = smp_processor_id();
	way = fsk_reader_way(reader, hash, smp_processor_id());
	fsk_steer_comes_in(reader, hash, flow, way);
	cpu = fsk_steer_turn(steer->fn, way, cpu);
	verdict = fsk_steer_to(steer, skb, state, cpu, &way->tail);
	if (verdict == NF_ACCEPT)
		fsk_steer_left_here(way);
	return verdict;
}

/* Nobody serves a connection yet that is about to be made. */
static bool fsk_steer_reads(const struct fsk_steer *steer,
			    const struct tcphdr *th,
			    const struct nf_hook_state *state)
{
	const struct fsk_net *fn = steer->fn;
	int ifindex = state->in->ifindex;

	/* Pairs with the release in fsk_reader_start(). */
	return smp_load_acquire(&fn->reading) && !th->syn &&
	       fsk_net_is_ours(fn, ntohs(th->dest)) &&
	       fsk_rfd_mode(fn, fsk_rfd_get(fn, ifindex)) == FSK_RFD_STEER;
}

/* Packets */

/* The core that connected, plus 1, or 0; @addr is the last word of the remote
 * address.
 */
static u16 fsk_steer_owner(const struct fsk_steer *steer,
			   const struct tcphdr *th, u32 addr)
{
	u16 owner = READ_ONCE(steer->owner[ntohs(th->dest)]);

	if (!owner ||
	    !test_bit(fsk_steer_bit(steer, addr, th->source), steer->filter))
		return 0;
	return owner;
}

/* A packet of a VRF passes twice: as its member's, when it may be moved, and
 * then as the VRF's, where nothing comes behind the hooks: the function that
 * they are told of frees the packet, and whoever called them goes on with it.
 * Behind one that IPsec has decrypted comes a work item, and so nobody would
 * know when TCP has had it.
 */
static unsigned int fsk_steer(struct fsk_steer *steer, struct sk_buff *skb,
			      const struct nf_hook_state *state, u32 addr)
{
	const struct tcphdr *th;
	unsigned int verdict;
	u16 owner;
	bool reads;
	u32 tail;

	/* Some cards leave it out of the linear part.  Where the kernel demuxes
	 * early, it does the same next.
	 */
	if (!pskb_may_pull(skb, skb_transport_offset(skb) + sizeof(*th)))
		return NF_ACCEPT;
	th = tcp_hdr(skb);
	owner = fsk_steer_owner(steer, th, addr);
	reads = fsk_steer_reads(steer, th, state);
	if (!owner && !reads)
		return NF_ACCEPT;
	if (skb->sk || skb->pkt_type != PACKET_HOST || skb_sec_path(skb) ||
	    nf_bridge_in_prerouting(skb) || netif_is_l3_master(state->in))
		return NF_ACCEPT;
	/* NFQUEUE lets packets pass in a task: the poll takes the same lock. */
	local_bh_disable();
	if (reads)
		verdict = fsk_steer_read(steer, skb, state, owner);
	else
		verdict = fsk_steer_to(steer, skb, state, owner - 1, &tail);
	local_bh_enable();
	return verdict;
}

static unsigned int fsk_steer_ipv4(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (iph->protocol != IPPROTO_TCP || ip_is_fragment(iph))
		return NF_ACCEPT;
	return fsk_steer(priv, skb, state, (__force u32)iph->saddr);
}

/* A packet with extension headers goes the kernel's way. */
static unsigned int fsk_steer_ipv6(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	if (ip6h->nexthdr != IPPROTO_TCP)
		return NF_ACCEPT;
	return fsk_steer(priv, skb, state,
			 (__force u32)ip6h->saddr.s6_addr32[3]);
}

/* Before direct.c's. */
static const struct nf_hook_ops fsk_steer_hook_ops[2] = {
	{
		.hook		= fsk_steer_ipv4,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= NF_IP_PRI_LAST - 1,
	}, {
		.hook		= fsk_steer_ipv6,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= NF_IP6_PRI_LAST - 1,
	},
};

/* Connecting */

/* Many cores read these lines, so they are written only where they change. */

static void fsk_steer_note_remote(struct fsk_steer *steer,
				  const struct fsk_port_pick *pick)
{
	const struct in6_addr *addr = &pick->route.daddr;
	u32 bit = fsk_steer_bit(steer, (__force u32)addr->s6_addr32[3],
				pick->key.dport);

	if (!test_bit(bit, steer->filter))
		set_bit(bit, steer->filter);
}

static u16 fsk_steer_me(const struct fsk_port_pick *pick)
{
	return pick->table->cpu + 1;
}

bool __fsk_steer_offer(struct fsk_steer *steer,
		       const struct fsk_port_pick *pick, u16 hnum)
{
	u16 *owner = &steer->owner[hnum];

	fsk_steer_note_remote(steer, pick);
	return !READ_ONCE(*owner) && !cmpxchg(owner, 0, fsk_steer_me(pick));
}

/* Another core that has noted the port since then keeps it.  A task of this
 * core that has loses its note, which costs locality.
 */
void __fsk_steer_withdraw(struct fsk_steer *steer,
			  const struct fsk_port_pick *pick, u16 hnum)
{
	cmpxchg(&steer->owner[hnum], fsk_steer_me(pick), 0);
}

void __fsk_steer_note(struct fsk_steer *steer,
		      const struct fsk_port_pick *pick, u16 hnum)
{
	u16 owner = fsk_steer_me(pick);

	fsk_steer_note_remote(steer, pick);
	if (READ_ONCE(steer->owner[hnum]) != owner)
		WRITE_ONCE(steer->owner[hnum], owner);
	if (fsk_steer_is_foreign(pick) && !READ_ONCE(pick->fn->rfd_overflow))
		schedule_work(&pick->fn->steer_work);
}

/* Namespaces */

static struct fsk_steer *fsk_steer_create(struct fsk_net *fn)
{
	struct fsk_steer *steer;
	int i;

	steer = kvzalloc(sizeof(*steer), GFP_KERNEL_ACCOUNT);
	if (!steer)
		return NULL;
	steer->fn = fn;
	steer->seed = get_random_u32();
	for (i = 0; i < ARRAY_SIZE(steer->hook_ops); i++) {
		steer->hook_ops[i] = fsk_steer_hook_ops[i];
		steer->hook_ops[i].priv = steer;
	}
	return steer;
}

/* The modes that interfaces have, a bit each. */
static u32 fsk_steer_modes(const struct fsk_net *fn)
{
	const struct fsk_rfd *rfd;
	u32 modes = 0;
	int chain;

	for (chain = 0; chain < FSK_NET_RFD; chain++)
		hlist_for_each_entry(rfd, &fn->rfd[chain], node)
			modes |= BIT(rfd->mode);
	return modes | BIT(fn->rfd_mode);
}

static int fsk_steer_start(struct fsk_net *fn)
{
	int err = nf_register_net_hooks(fn->net, fn->steer->hook_ops,
					ARRAY_SIZE(fn->steer->hook_ops));

	if (!err)
		WRITE_ONCE(fn->steering, true);
	return err;
}

static void fsk_steer_stop(struct fsk_net *fn)
{
	WRITE_ONCE(fn->steering, false);
	nf_unregister_net_hooks(fn->net, fn->steer->hook_ops,
				ARRAY_SIZE(fn->steer->hook_ops));
	/* Not written where a core's own port comes next; then it is wrong. */
	memset(fn->steer->owner, 0, sizeof(fn->steer->owner));
}

/**
 * fsk_steer_update() - have hooks where the settings ask for them
 * @fn: namespace state
 *
 * Context: Process, fsk_net.mutex held.
 * Return: 0 or a negative errno.
 */
int fsk_steer_update(struct fsk_net *fn)
{
	u32 modes = fsk_steer_modes(fn);
	bool by_nic = modes & (BIT(FSK_RFD_RSS) | BIT(FSK_RFD_NTUPLE));
	struct fsk_steer *steer;
	bool wanted, starts;
	int err = 0;

	lockdep_assert_held(&fn->mutex);
	if (!by_nic)
		WRITE_ONCE(fn->rfd_overflow, false);
	/* A namespace that goes has had its hooks taken away. */
	wanted = check_net(fn->net) &&
		 (fn->rfd_count || fn->rfd_overflow ||
		  modes & BIT(FSK_RFD_STEER));
	if (!fn->steer && (wanted || by_nic)) {
		steer = fsk_steer_create(fn);
		if (!steer)
			return -ENOMEM;
		/* Pairs with READ_ONCE() in fsk_steer_note(). */
		smp_store_release(&fn->steer, steer);
	}
	starts = wanted && !fn->steering;
	if (starts)
		err = fsk_steer_start(fn);
	if (!wanted && fn->steering)
		fsk_steer_stop(fn);
	if (err)
		return err;
	err = fsk_reader_update(fn, modes & BIT(FSK_RFD_STEER));
	if (err && starts)
		fsk_steer_stop(fn);
	return err;
}

/* A hook costs each packet of the namespace.  So modes that trust a network
 * card register none until a core has used its ports up, and keep it from then
 * on.
 */
static void fsk_steer_overflow(struct work_struct *work)
{
	struct fsk_net *fn = container_of(work, struct fsk_net, steer_work);
	int err;

	mutex_lock(&fn->mutex);
	WRITE_ONCE(fn->rfd_overflow, true);
	err = fsk_steer_update(fn);
	if (err)
		WRITE_ONCE(fn->rfd_overflow, false);
	mutex_unlock(&fn->mutex);
	if (err)
		fsk_log_warn("packets can't be steered: error %d\n", err);
}

static void fsk_steer_net_init(struct fsk_net *fn)
{
	fn->rfd_mode = FSK_RFD_MASK;
	fn->rfd_stamp = 1;
	INIT_WORK(&fn->steer_work, fsk_steer_overflow);
}

/* Waits until TCP has had what is in the queues now.  Queues always empty, also
 * that of a core which has gone: the kernel polls it elsewhere.
 */
static void fsk_steer_flush(void)
{
	struct fsk_steer_queue *q;
	int cpu;
	u32 tail;

	for_each_possible_cpu(cpu) {
		q = per_cpu_ptr(&fsk_steer_queues, cpu);
		tail = READ_ONCE(q->queued);
		while (!fsk_steer_has_passed(q, tail))
			usleep_range(100, 1000);
	}
}

/* A grace period passes between this and .exit, one for all namespaces that go
 * together: any user may have many.
 */
static void fsk_steer_net_pre_exit(struct fsk_net *fn)
{
	/* The work starts and stops reader.c's hooks as well as ours, so it
	 * ends first.  Nobody connects any more who would queue it.
	 */
	cancel_work_sync(&fn->steer_work);
	mutex_lock(&fn->mutex);
	fsk_reader_update(fn, false);
	if (fn->steering)
		fsk_steer_stop(fn);
	mutex_unlock(&fn->mutex);
}

/* Afterwards nothing of ours looks at @fn for a packet's sake.  When a
 * namespace goes its devices have gone before, and no packet of theirs is in a
 * queue: to wait for those of others would keep all namespaces that go.  When
 * the module goes they stay, and what is on its way counts in @fn.
 */
static void fsk_steer_net_exit(struct fsk_net *fn)
{
	fsk_reader_net_exit(fn);
	if (fn->steer && !list_empty(&fn->net->dev_base_head))
		fsk_steer_flush();
	kvfree(fn->steer);
	fsk_rfd_drain(fn);
}

static void fsk_steer_device_gone(struct fsk_net *fn,
				  const struct net_device *dev)
{
	bool moves;

	rcu_read_lock();
	moves = fsk_steer_moves(fn, dev->ifindex);
	rcu_read_unlock();
	if (!fsk_rfd_del(fn, dev->ifindex))
		return;
	fsk_steer_update(fn);	/* can only stop it */
	/* Where the namespace goes, nobody misses it; where the module does,
	 * the kernel tells it that all devices go.
	 */
	if (moves && check_net(fn->net) && module_is_live(THIS_MODULE))
		fsk_log_warn("%s has gone, and with it its mode: no packets are steered there until 'fastsocket rfd auto %s'\n",
			     dev->name, dev->name);
}

/* With it go rfd.c's modes of interfaces, and reader.c's connections. */
static const struct fsk_net_part fsk_steer_net_part = {
	.init		= fsk_steer_net_init,
	.pre_exit	= fsk_steer_net_pre_exit,
	.exit		= fsk_steer_net_exit,
	.device_gone	= fsk_steer_device_gone,
};

/* Module */

static void fsk_steer_queue_init(struct fsk_steer_queue *q)
{
	spin_lock_init(&q->lock);
	__skb_queue_head_init(&q->input);
	__skb_queue_head_init(&q->ready);
	INIT_CSD(&q->csd, fsk_steer_kick, q);
	set_bit(NAPI_STATE_NO_BUSY_POLL, &q->napi.state);
	netif_napi_add(fsk_steer_dev, &q->napi, fsk_steer_poll);
	napi_enable(&q->napi);
}

/**
 * fsk_steer_init() - make the queues
 *
 * Context: Process, at module load, before fsk_net_init().
 * Return: 0 or -ENOMEM.
 */
int __init fsk_steer_init(void)
{
	int cpu;

	fsk_net_register(&fsk_steer_net_part);
	fsk_steer_dev = fsk_compat_netdev_dummy();
	if (!fsk_steer_dev)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		fsk_steer_queue_init(per_cpu_ptr(&fsk_steer_queues, cpu));
	return 0;
}

static void fsk_steer_nop(void *data)
{
}

static void fsk_steer_queue_exit(struct fsk_steer_queue *q)
{
	struct net_device *dev;
	struct sk_buff *skb;

	napi_disable(&q->napi);
	netif_napi_del(&q->napi);
	skb_queue_splice_tail_init(&q->input, &q->ready);
	while ((skb = __skb_dequeue(&q->ready))) {
		dev = skb->dev;
		kfree_skb(skb);
		dev_put(dev);	/* fsk_steer_enqueue() took it */
	}
}

/**
 * fsk_steer_exit() - drain the queues
 *
 * Context: Process, at unload, when no hook is registered.
 */
void fsk_steer_exit(void)
{
	int cpu;

	synchronize_rcu();	/* hooks that still run */
	/* Of their interrupts none is on its way: fsk_steer_flush() has seen
	 * each packet through, and a queue that sleeps is served only after the
	 * interrupt that its first packet sent.  This lets a core leave the
	 * last lines of fsk_steer_kick(), and waits for no interrupt: a call
	 * that is waited for overtakes the others.
	 */
	on_each_cpu(fsk_steer_nop, NULL, 1);
	for_each_possible_cpu(cpu)
		fsk_steer_queue_exit(per_cpu_ptr(&fsk_steer_queues, cpu));
	fsk_compat_netdev_dummy_free(fsk_steer_dev);
}
