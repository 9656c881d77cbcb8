// SPDX-License-Identifier: GPL-2.0
/*
 * Established tables: for each core the connections whose packets come in
 * there.  A packet enters its connection, on the packet's core, when direct.c
 * has found it in the kernel's table.  A connection leaves
 *
 *   - with its peer's FIN or RST, whose packet takes the reference over;
 *   - when a packet finds that the socket is another connection's, or closed;
 *   - when a sweep finds that, or that its packets have gone to another core;
 *   - when all is switched off.
 *
 * A slot has a reference on its socket and the socket knows nothing of it: no
 * pointer in a socket leads here.  So nothing that a program does to a socket
 * (kTLS, sockmap, another ULP, connect() to somewhere else, listen()) can
 * matter, and the module goes without waiting for sockets.  An sk_destruct of
 * ours would be inherited by the children of a socket that disconnects and
 * listens.  The price: when a connection ends without a packet from its peer,
 * the closed socket stays in memory until the sweep.
 *
 * All of this is only about speed: the kernel's table has every connection.
 */
#include "established/est.h"

#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "compat.h"

#define FSK_EST_SWEEP		4096	/* buckets a second, per core: 12,000
					 * sockets to look at, 1 ms
					 */
#define FSK_EST_ROUND		8	/* seconds for all, at most */

static struct workqueue_struct *fsk_est_wq;

/* Whether packets of this socket can still come to its entry. */
static bool fsk_est_alive(const struct fsk_est_core *core,
			  const struct sock *sk)
{
	return fsk_est_takes(sk) &&
	       READ_ONCE(sk->sk_incoming_cpu) == core->cpu &&
	       cpu_online(core->cpu);
}

/* Slots */

static void fsk_est_store(struct fsk_est_bucket *b, int i, struct sock *sk,
			  u8 tag)
{
	WRITE_ONCE(b->sk[i], sk);
	/* Pairs with the address dependency of readers, from tag to socket.
	 * One on another CPU may still see one without the other, hence the
	 * NULL checks.
	 */
	smp_wmb();
	WRITE_ONCE(b->tags, (b->tags & ~(0xffull << 8 * i)) |
			    (u64)tag << 8 * i);
}

/* -1 when all are taken. */
static int fsk_est_find_empty(const struct fsk_est_bucket *b)
{
	int i;

	for (i = 0; i < FSK_EST_WAYS; i++)
		if (!b->sk[i])
			return i;
	return -1;
}

static int fsk_est_find(const struct fsk_est_bucket *b, const struct sock *sk)
{
	int i;

	for (i = 0; i < FSK_EST_WAYS; i++)
		if (b->sk[i] == sk)
			return i;
	return -1;
}

/* BH is off, so the CPU does not go in between; timers of one that is gone
 * would wait until it is back.
 */
static void fsk_est_kick(struct fsk_est_core *core, unsigned long delay)
{
	int cpu = cpu_online(core->cpu) ? core->cpu : WORK_CPU_UNBOUND;

	mod_delayed_work_on(cpu, fsk_est_wq, &core->work, delay);
}

static bool fsk_est_wants_more(const struct fsk_est_core *core)
{
	u32 order = fsk_est_order(core->table);

	return !core->table || (order < FSK_EST_ORDER_MAX &&
				core->entries > FSK_EST_FILL << order);
}

/* The sweep has found next to nothing for as long as it takes to go round. */
static bool fsk_est_wants_less(const struct fsk_est_core *core)
{
	u32 order = fsk_est_order(core->table);

	return order > FSK_EST_ORDER_MIN &&
	       core->entries < (FSK_EST_FILL << order) / 8;
}

/**
 * fsk_est_insert() - enter a connection
 * @core: this core's state
 * @sk: its socket; a reference is taken
 * @hash: of its addresses and ports
 *
 * Context: Softirq on @core's CPU.  Expects rcu_read_lock().
 */
void fsk_est_insert(struct fsk_est_core *core, struct sock *sk, u32 hash)
{
	struct fsk_est_bucket *b;
	int i;

	lockdep_assert_in_softirq();	/* rank 8 is taken with BH off */
	spin_lock(&core->lock);
	if (!core->kicked && fsk_est_wants_more(core)) {
		core->kicked = true;
		fsk_est_kick(core, 0);
	}
	b = fsk_est_bucket(core, hash);
	if (!b || fsk_est_find(b, sk) >= 0)
		goto out;
	i = fsk_est_find_empty(b);
	if (i < 0) {
		core->n.full++;
		goto out;
	}
	sock_hold(sk);	/* the slot's */
	fsk_est_store(b, i, sk, fsk_est_tag(hash));
	if (!core->entries++ && !core->kicked)
		fsk_est_kick(core, HZ);
out:
	spin_unlock(&core->lock);
}

/**
 * fsk_est_remove() - forget a connection
 * @core: this core's state
 * @sk: its socket
 * @hash: of where it was found
 *
 * Context: Softirq on @core's CPU.  Expects rcu_read_lock().
 * Return: whether it was there; the slot's reference is the caller's then.
 */
bool fsk_est_remove(struct fsk_est_core *core, struct sock *sk, u32 hash)
{
	struct fsk_est_bucket *b;
	int i = -1;

	lockdep_assert_in_softirq();
	spin_lock(&core->lock);
	b = fsk_est_bucket(core, hash);
	if (b)
		i = fsk_est_find(b, sk);
	if (i >= 0) {
		fsk_est_store(b, i, NULL, 0);
		core->entries--;
	}
	spin_unlock(&core->lock);
	return i >= 0;
}

/* Sweeping and moving */

struct fsk_est_dead {
	struct sock *sk[FSK_EST_WAYS];
	int nr;
};

/* Expects the lock; their references go when it has been dropped. */
static void fsk_est_bury(struct fsk_est_core *core, struct fsk_est_bucket *b,
			 int i, struct fsk_est_dead *dead)
{
	dead->sk[dead->nr++] = b->sk[i];
	fsk_est_store(b, i, NULL, 0);
	core->entries--;
}

static void fsk_est_put_dead(struct fsk_est_dead *dead)
{
	while (dead->nr)
		sock_put(dead->sk[--dead->nr]);
}

static void fsk_est_sweep_bucket(struct fsk_est_core *core,
				 struct fsk_est_bucket *b)
{
	struct fsk_est_dead dead = {};
	struct sock *sk;
	u32 hash;
	int i;

	if (!READ_ONCE(b->tags))
		return;
	spin_lock_bh(&core->lock);
	for (i = 0; i < FSK_EST_WAYS; i++) {
		sk = b->sk[i];
		if (!sk)
			continue;
		hash = fsk_flow_hash(core->seed, sk);
		if (!fsk_est_alive(core, sk) || fsk_est_bucket(core, hash) != b)
			fsk_est_bury(core, b, i, &dead);
	}
	spin_unlock_bh(&core->lock);
	fsk_est_put_dead(&dead);
}

/* True when it has been all round. */
static bool fsk_est_sweep(struct fsk_est_core *core)
{
	u32 size = 1u << fsk_est_order(core->table);
	u32 step = min(size, max_t(u32, FSK_EST_SWEEP, size / FSK_EST_ROUND));
	u32 left = step;

	while (left--) {
		core->hand = (core->hand + 1) & (size - 1);
		fsk_est_sweep_bucket(core, &fsk_est_buckets(core->table)
						[core->hand]);
		cond_resched();
	}
	return size <= step || core->hand < step;
}

/* The bucket that the old table's next one goes to is where readers look from
 * the moment @moved says so.
 */
static void fsk_est_move_bucket(struct fsk_est_core *core)
{
	struct fsk_est_bucket *from, *to;
	struct fsk_est_dead dead = {};
	struct sock *sk;
	int i, j;
	u32 hash;

	spin_lock_bh(&core->lock);
	write_seqcount_begin(&core->moving);
	from = &fsk_est_buckets(core->old)[core->moved];
	for (i = 0; i < FSK_EST_WAYS; i++) {
		sk = from->sk[i];
		if (!sk)
			continue;
		hash = fsk_flow_hash(core->seed, sk);
		to = &fsk_est_buckets(core->table)
			[fsk_est_index(core->table, hash)];
		j = fsk_est_find_empty(to);
		if (!fsk_est_alive(core, sk) || j < 0) {
			fsk_est_bury(core, from, i, &dead);
			continue;
		}
		fsk_est_store(to, j, sk, fsk_est_tag(hash));
		fsk_est_store(from, i, NULL, 0);
	}
	WRITE_ONCE(core->moved, core->moved + 1);
	write_seqcount_end(&core->moving);
	spin_unlock_bh(&core->lock);
	fsk_est_put_dead(&dead);
}

static unsigned long fsk_est_alloc(const struct fsk_est_core *core, u32 order)
{
	struct fsk_est_bucket *buckets;

	BUILD_BUG_ON(sizeof(*buckets) != FSK_EST_ORDER_MASK + 1);
	BUILD_BUG_ON(FSK_EST_ORDER_MAX > FSK_EST_ORDER_MASK);
	buckets = kvzalloc_node(sizeof(*buckets) << order,
				GFP_KERNEL_ACCOUNT | __GFP_NOWARN,
				cpu_to_node(core->cpu));
	/* A slab is aligned to its size, but slab debugging may shift it. */
	if ((unsigned long)buckets & FSK_EST_ORDER_MASK) {
		kvfree(buckets);
		buckets = NULL;
	}
	return buckets ? (unsigned long)buckets | order : 0;
}

static void fsk_est_free(unsigned long table)
{
	kvfree(fsk_est_buckets(table));
}

/* Without memory all stays as it is.
 * Return: whether there was some.
 */
static bool fsk_est_resize(struct fsk_est_core *core, u32 order)
{
	unsigned long old = core->table, table = fsk_est_alloc(core, order);

	if (!table)
		return false;
	spin_lock_bh(&core->lock);
	write_seqcount_begin(&core->moving);
	core->moved = 0;
	WRITE_ONCE(core->old, old);
	/* Empty buckets, then their address: pairs with the address dependency
	 * of readers on other CPUs, who list them.  A packet that sees the new
	 * table without the old one misses.
	 */
	smp_store_release(&core->table, table);
	write_seqcount_end(&core->moving);
	core->hand = 0;
	spin_unlock_bh(&core->lock);
	if (!old)
		return true;
	while (core->moved < 1u << fsk_est_order(old)) {
		fsk_est_move_bucket(core);
		cond_resched();
	}
	spin_lock_bh(&core->lock);
	write_seqcount_begin(&core->moving);
	WRITE_ONCE(core->old, 0);
	write_seqcount_end(&core->moving);
	spin_unlock_bh(&core->lock);
	synchronize_rcu();
	fsk_est_free(old);
	return true;
}

static bool fsk_est_grow(struct fsk_est_core *core)
{
	u32 order = core->table ? fsk_est_order(core->table) + 1 :
				  FSK_EST_ORDER_MIN;

	return fsk_est_resize(core, order);
}

/* Once a second while there is something to sweep; at once when a table is
 * to grow.  One that can't is swept: what has closed is not to stay in memory
 * just because that is short.
 */
static void fsk_est_work(struct work_struct *work)
{
	struct fsk_est_core *core;
	bool grown, failed, round = false;

	core = container_of(to_delayed_work(work), struct fsk_est_core, work);
	grown = fsk_est_wants_more(core) && fsk_est_grow(core);
	if (!grown && core->table)
		round = fsk_est_sweep(core);
	if (round && fsk_est_wants_less(core))
		fsk_est_resize(core, fsk_est_order(core->table) - 1);
	spin_lock_bh(&core->lock);
	/* Who would grow it waits for this work where it has just failed. */
	failed = !grown && fsk_est_wants_more(core);
	core->kicked = failed;
	if (READ_ONCE(core->est->fn->est_on) &&
	    (failed || core->entries || fsk_est_wants_less(core)))
		fsk_est_kick(core, grown && fsk_est_wants_more(core) ? 1 : HZ);
	spin_unlock_bh(&core->lock);
}

/* Listing */

static bool fsk_est_conn(const struct fsk_est_core *core,
			 struct fsk_est_bucket *b, int i, u32 first, u32 last,
			 struct fsk_est_conn *conn)
{
	struct sock *sk = READ_ONCE(b->sk[i]);
	u32 hash;

	if (!sk || !fsk_est_get(&b->sk[i], sk))
		return false;
	hash = fsk_flow_hash(core->seed, sk);
	conn->state = READ_ONCE(sk->sk_state);
	conn->ipv6 = sk->sk_family == AF_INET6;
#if IS_ENABLED(CONFIG_IPV6)
	if (conn->ipv6) {
		conn->saddr = sk->sk_v6_rcv_saddr;
		conn->daddr = sk->sk_v6_daddr;
	}
#endif
	if (!conn->ipv6) {
		conn->saddr.s6_addr32[3] = sk->sk_rcv_saddr;
		conn->daddr.s6_addr32[3] = sk->sk_daddr;
	}
	conn->sport = sk->sk_num;
	conn->dport = ntohs(sk->sk_dport);
	sock_gen_put(sk);
	return hash >= first && hash <= last && fsk_est_takes(sk);
}

static int __fsk_est_list(struct fsk_est_core *core, u32 first, u32 *last,
			  struct fsk_est_conn conn[FSK_EST_WAYS])
{
	struct fsk_est_bucket *b = fsk_est_bucket(core, first);
	int i, nr = 0;
	u32 order;

	order = max(fsk_est_order(READ_ONCE(core->table)),
		    fsk_est_order(READ_ONCE(core->old)));
	*last = order ? first | (U32_MAX >> order) : U32_MAX;
	for (i = 0; b && i < FSK_EST_WAYS; i++)
		if (fsk_est_conn(core, b, i, first, *last, &conn[nr]))
			nr++;
	return nr;
}

/**
 * fsk_est_list() - read the connections of a bucket
 * @core: the state of any core
 * @pos: hash to begin at; the next one afterwards, 2^32 at the end
 * @conn: filled with what is there
 *
 * Goes by hash, so that no connection is told twice or skipped when the table
 * grows or shrinks between two calls, and reads again what is moved meanwhile.
 *
 * Context: Process.
 * Return: how many there are; 0 does not mean the end.
 */
int fsk_est_list(struct fsk_est_core *core, u64 *pos,
		 struct fsk_est_conn conn[FSK_EST_WAYS])
{
	unsigned int seq;
	u32 last;
	int nr;

	rcu_read_lock();
	do {
		seq = read_seqcount_begin(&core->moving);
		nr = __fsk_est_list(core, *pos, &last, conn);
	} while (read_seqcount_retry(&core->moving, seq));
	rcu_read_unlock();
	*pos = (u64)last + 1;
	return nr;
}

/* Making and emptying */

static void fsk_est_core_init(struct fsk_est *est, int cpu, u64 seed)
{
	struct fsk_est_core *core = per_cpu_ptr(est->core, cpu);

	spin_lock_init(&core->lock);
	seqcount_spinlock_init(&core->moving, &core->lock);
	INIT_DELAYED_WORK(&core->work, fsk_est_work);
	core->cpu = cpu;
	core->seed = seed;
	core->est = est;
	core->fn = est->fn;
}

/**
 * fsk_est_create() - make a namespace's tables, with nothing in them
 * @fn: namespace state
 *
 * Context: Process.
 * Return: the tables, to be given to fsk_est_destroy(), or %NULL without
 *         memory.
 */
struct fsk_est *fsk_est_create(struct fsk_net *fn)
{
	struct fsk_est *est = kvzalloc(sizeof(*est), GFP_KERNEL_ACCOUNT);
	u64 seed;
	int cpu;

	if (!est)
		return NULL;
	est->core = alloc_percpu_gfp(struct fsk_est_core, GFP_KERNEL_ACCOUNT);
	if (!est->core) {
		kvfree(est);
		return NULL;
	}
	est->fn = fn;
	seed = get_random_u64();
	for_each_possible_cpu(cpu)
		fsk_est_core_init(est, cpu, seed);
	return est;
}

/* Nobody can come upon these buckets any more. */
static void fsk_est_flush(unsigned long table)
{
	struct fsk_est_bucket *b;
	u32 i;
	int j;

	for (i = 0; i < 1u << fsk_est_order(table); i++) {
		b = &fsk_est_buckets(table)[i];
		for (j = 0; j < FSK_EST_WAYS; j++)
			if (b->sk[j])
				sock_put(b->sk[j]);
		cond_resched();
	}
	fsk_est_free(table);
}

/* No packet and no work comes any more; readers of a dump may: they are waited
 * for once, with the tables kept where no reader looks.
 */
static void fsk_est_empty(struct fsk_est *est)
{
	struct fsk_est_core *core;
	int cpu;

	for_each_possible_cpu(cpu) {
		core = per_cpu_ptr(est->core, cpu);
		core->doomed = core->table;
		WRITE_ONCE(core->table, 0);
		core->entries = 0;
		core->kicked = false;
	}
	synchronize_rcu();
	for_each_possible_cpu(cpu) {
		core = per_cpu_ptr(est->core, cpu);
		if (core->doomed)
			fsk_est_flush(core->doomed);
		core->doomed = 0;
	}
}

static void fsk_est_cancel(struct fsk_est *est)
{
	int cpu;

	for_each_possible_cpu(cpu)
		cancel_delayed_work_sync(&per_cpu_ptr(est->core, cpu)->work);
}

/**
 * fsk_est_drain() - forget all connections
 * @est: tables that no hook can reach any more
 *
 * Context: Process, sleeps.
 */
void fsk_est_drain(struct fsk_est *est)
{
	fsk_est_cancel(est);
	fsk_est_empty(est);
}

/**
 * fsk_est_destroy() - free a namespace's tables
 * @est: tables that no hook can reach any more, and that nobody shows
 *
 * Context: Process, sleeps.
 */
void fsk_est_destroy(struct fsk_est *est)
{
	struct fsk_est_core *core;
	int cpu;

	fsk_est_cancel(est);
	for_each_possible_cpu(cpu) {
		core = per_cpu_ptr(est->core, cpu);
		if (core->table)
			fsk_est_flush(core->table);
	}
	free_percpu(est->core);
	kvfree(est);
}

/* Module */

/**
 * fsk_est_init() - be ready to have tables
 *
 * Context: Process, at module load.
 * Return: 0 or -ENOMEM.
 */
int __init fsk_est_init(void)
{
	fsk_est_wq = alloc_workqueue("fsk-est", WQ_PERCPU, 0);
	return fsk_est_wq ? 0 : -ENOMEM;
}

/**
 * fsk_est_exit() - no more
 *
 * Context: Process, at unload, when no namespace has a table.
 */
void fsk_est_exit(void)
{
	destroy_workqueue(fsk_est_wq);
}
