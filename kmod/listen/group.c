// SPDX-License-Identifier: GPL-2.0
/*
 * Groups: listeners that share their connections.
 *
 * A listener without SO_REUSEPORT is alone in its group. In a SO_REUSEPORT
 * group each member is a listener of its own, usually with one worker on one
 * core. The kernel chooses a member by hash; when that one has no worker on the
 * core that the map says (map.c) and another member has, the connection is
 * given to the other. So it is when a member's worker is late. Where the owner
 * has said which member is to have a connection, by a BPF program or by
 * SO_INCOMING_CPU, that one keeps it.
 */
#include "listen/group.h"

#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/sock_reuseport.h>

#include "listen/claim.h"
#include "listen/listen.h"
#include "listen/map.h"
#include "listen/options.h"

/* Members that share: what looks at all of them is to end soon, and each may
 * have a queue for each CPU.  One for each CPU, and as many that take over at a
 * reload, are to find each other.  Those beyond share among themselves.
 */
#define FSK_GROUP_MEMBERS	max(128U, 2 * num_possible_cpus())

/* The kernel's group has its number for life, and moves when it grows.
 * Return: 0 for a socket that is in none.
 */
static unsigned int fsk_group_number(const struct sock *sk)
{
	const struct sock_reuseport *reuse;
	unsigned int number = 0;

	rcu_read_lock();
	reuse = rcu_dereference(sk->sk_reuseport_cb);
	if (sk->sk_reuseport && reuse)
		number = reuse->reuseport_id + 1;
	rcu_read_unlock();
	return number;
}

static struct fsk_group *fsk_group_find(struct fsk_listener *l,
					unsigned int number)
{
	struct fsk_net *fn = l->fn;
	struct fsk_listener *other;
	struct fsk_group *group;
	struct sock *sk;

	hash_for_each_possible(fn->listeners, other, node, l->hnum) {
		sk = rcu_dereference_protected(other->sk,
					       lockdep_is_held(&fn->mutex));
		group = rcu_dereference_protected(other->group,
						  lockdep_is_held(&fn->mutex));
		if (other != l && sk && fsk_group_number(sk) == number &&
		    group && group->members < FSK_GROUP_MEMBERS)
			return group;
	}
	return NULL;
}

static void fsk_group_free_rcu(struct rcu_head *rcu)
{
	struct fsk_group *group = container_of(rcu, struct fsk_group, rcu);

	kvfree(group->map);
	kvfree(group);
}

/**
 * fsk_group_create() - make a group that has no members yet
 *
 * Context: Process, sleeps.  The caller's memory pays for it, and may take its
 *          time: fsk_net.mutex is not held, for which others wait.
 * Return: the group, or %NULL without memory.
 */
struct fsk_group *fsk_group_create(void)
{
	struct fsk_group *group;

	group = kvzalloc(struct_size(group, cores, nr_cpu_ids),
			 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!group)
		return NULL;
	group->map = kvcalloc(nr_cpu_ids, sizeof(*group->map),
			      GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!group->map) {
		kvfree(group);
		return NULL;
	}
	spin_lock_init(&group->lock);
	fsk_map_init(group);
	return group;
}

/**
 * fsk_group_destroy() - free a group that never had members
 * @group: the group, or %NULL
 */
void fsk_group_destroy(struct fsk_group *group)
{
	if (group)
		fsk_group_free_rcu(&group->rcu);
}

/**
 * fsk_group_join() - find a listener's group, or begin one
 * @l: a listener that is about to be put in its namespace's table
 * @sk: its socket
 * @made: what fsk_group_create() has made; without memory the listener has no
 *	group, which costs locality
 *
 * Context: Process.  Expects fsk_net.mutex.
 * Return: whether @made has become its group.
 */
bool fsk_group_join(struct fsk_listener *l, struct sock *sk,
		    struct fsk_group *made)
{
	unsigned int number = fsk_group_number(sk);
	struct fsk_group *group = NULL;

	lockdep_assert_held(&l->fn->mutex);
	if (number)
		group = fsk_group_find(l, number);
	if (!group) {
		group = made;
		if (!group)
			return false;
		group->ended = fsk_stats_ended(l->fn->stats, l->hnum);
	}
	WRITE_ONCE(group->members, group->members + 1);
	hlist_add_head_rcu(&l->group_node, &group->listeners);
	rcu_assign_pointer(l->group, group);
	return group == made;
}

/**
 * fsk_group_leave() - take a listener and its cores out of its group
 * @l: the listener
 *
 * Context: Process.  Expects fsk_net.mutex and fsk_listener.mutex.
 */
void fsk_group_leave(struct fsk_listener *l)
{
	struct fsk_group *group;
	struct fsk_core *core;
	int cpu;

	group = rcu_dereference_protected(l->group,
					  lockdep_is_held(&l->fn->mutex));
	if (!group)
		return;
	fsk_listener_for_each_core(l, cpu, core)
		hlist_del_init_rcu(&core->group_node);
	hlist_del_init_rcu(&l->group_node);
	RCU_INIT_POINTER(l->group, NULL);
	WRITE_ONCE(group->members, group->members - 1);
	if (!group->members)
		call_rcu(&group->rcu, fsk_group_free_rcu);
}

/* Packets may have found the core already, by its listener. */
static void fsk_group_count_anew(struct fsk_group *group, struct fsk_core *core)
{
	spin_lock_bh(&group->lock);
	core->held = fsk_core_given(core);
	core->lend = 0;
	core->promised = 0;
	spin_unlock_bh(&group->lock);
}

/**
 * fsk_group_insert() - let other members' connections come to this core
 * @core: a core of a listed listener, in no group yet
 *
 * Context: Process.  Expects fsk_listener.mutex; takes fsk_net.mutex.
 */
void fsk_group_insert(struct fsk_core *core)
{
	struct fsk_net *fn = core->listener->fn;
	struct fsk_group *group;

	mutex_lock(&fn->mutex);
	group = rcu_dereference_protected(core->listener->group,
					  lockdep_is_held(&fn->mutex));
	WRITE_ONCE(core->mapped, false);
	if (group) {
		fsk_group_count_anew(group, core);
		hlist_add_head_rcu(&core->group_node,
				   &group->cores[core->cpu]);
		/* Linked, then set: fsk_group_search() clears, then looks. */
		smp_mb();
		if (READ_ONCE(core->flags))
			WRITE_ONCE(group->orphans, true);
	}
	mutex_unlock(&fn->mutex);
}

/**
 * fsk_group_has_program() - does a BPF program choose among the members?
 * @sk: the socket of one
 *
 * Context: Expects rcu_read_lock().
 * Return: false, too, for a socket without SO_REUSEPORT.
 */
bool fsk_group_has_program(const struct sock *sk)
{
	const struct sock_reuseport *reuse;

	reuse = rcu_dereference(sk->sk_reuseport_cb);
	return reuse && rcu_access_pointer(reuse->prog);
}

/* Has its owner chosen this member for its connections? */
static bool fsk_group_chosen(const struct sock *sk)
{
	return fsk_group_has_program(sk) || READ_ONCE(sk->sk_incoming_cpu) >= 0;
}

/**
 * fsk_group_shares() - may others take this member's connections?
 * @l: a member of a group
 *
 * Context: Expects rcu_read_lock().
 * Return: whether they may, and whether it may take theirs.
 */
bool fsk_group_shares(const struct fsk_listener *l)
{
	const struct sock *sk = rcu_dereference(l->sk);

	return sk && !fsk_group_chosen(sk);
}

/**
 * fsk_group_taken() - how many siblings have a worker on this CPU?
 * @l: a listener
 * @cpu: the CPU
 *
 * Context: Expects rcu_read_lock().
 * Return: how many; see fsk_claim_reserved().
 */
unsigned int fsk_group_taken(struct fsk_listener *l, int cpu)
{
	struct fsk_group *group = rcu_dereference(l->group);
	unsigned int taken = 0;
	struct fsk_core *core;

	if (!group)
		return 0;
	hlist_for_each_entry_rcu(core, &group->cores[cpu], group_node)
		taken += core->listener != l && fsk_claim_reserved(core);
	return taken;
}

/**
 * fsk_group_may_help() - may siblings' cores hold something for all?
 * @l: a listener
 *
 * Context: Any.
 * Return: false where fsk_group_search() would find nothing.
 */
bool fsk_group_may_help(const struct fsk_listener *l)
{
	const struct fsk_group *group;
	bool may;

	rcu_read_lock();
	group = rcu_dereference(l->group);
	may = group && READ_ONCE(group->orphans);
	rcu_read_unlock();
	return may;
}

/**
 * fsk_group_note_orphan() - others may take from a core of a listener
 * @l: the listener
 *
 * Context: Any.  Expects rcu_read_lock().
 */
void fsk_group_note_orphan(struct fsk_listener *l)
{
	struct fsk_group *group = rcu_dereference(l->group);

	if (group)
		WRITE_ONCE(group->orphans, true);
}

static struct fsk_core *__fsk_group_search(struct fsk_group *group,
					   struct fsk_listener *l,
					   struct fsk_core *best,
					   fsk_group_older_t older, bool *found)
{
	struct fsk_core *core;
	int cpu;

	for_each_possible_cpu(cpu) {
		hlist_for_each_entry_rcu(core, &group->cores[cpu], group_node) {
			if (!READ_ONCE(core->flags))
				continue;
			*found = true;
			if (core->listener != l &&
			    fsk_group_shares(core->listener))
				best = older(best, core);
		}
	}
	return best;
}

/**
 * fsk_group_search() - look through the siblings' orphaned and late cores
 * @l: a listener
 * @best: what was found elsewhere, or %NULL
 * @older: says which of two has the older connection queued; the first may be
 *	%NULL, and the result is if neither has any
 *
 * What the plain kernel leaves stuck behind a stopped member of the group.
 *
 * Context: Expects rcu_read_lock().
 * Return: the best.
 */
struct fsk_core *fsk_group_search(struct fsk_listener *l, struct fsk_core *best,
				  fsk_group_older_t older)
{
	struct fsk_group *group = rcu_dereference(l->group);
	bool found = false;

	if (!group || !READ_ONCE(group->orphans) || !fsk_group_shares(l))
		return best;
	best = __fsk_group_search(group, l, best, older, &found);
	if (found)
		return best;
	WRITE_ONCE(group->orphans, false);
	/* Clear, then look again: a core that is orphaned meanwhile is either
	 * seen or sets the hint again.  Pairs with test_and_set_bit() in
	 * fsk_rescue_open(), which comes before the hint is set.
	 */
	smp_mb();
	best = __fsk_group_search(group, l, best, older, &found);
	if (found)
		WRITE_ONCE(group->orphans, true);
	return best;
}

static u32 fsk_group_qlen(const struct fsk_core *core)
{
	const struct sock *sk = rcu_dereference(core->sk);

	return sk ? READ_ONCE(sk->sk_ack_backlog) : U32_MAX;
}

/**
 * fsk_group_helps() - does this core take connections meant for others?
 * @core: a core of a member
 *
 * A member that asks for a CPU's takes no others: those of that CPU the kernel
 * would have given it.
 *
 * Context: Expects rcu_read_lock().
 * Return: whether it may have them, and takes what it gets.
 */
bool fsk_group_helps(const struct fsk_core *core)
{
	const struct sock *app = rcu_dereference(core->listener->sk);

	return app && fsk_claim_holds(core) && !fsk_group_chosen(app) &&
	       !fsk_options_bypass(app) &&
	       !READ_ONCE(core->listener->released);
}

/**
 * fsk_group_pick() - another member's core for a connection
 * @l: the member that the kernel chose
 * @sk: its socket
 * @home: the CPU whose cores are meant
 *
 * Context: Softirq.  Expects rcu_read_lock().
 * Return: the core of that CPU with a worker and the shortest queue, or %NULL.
 */
struct fsk_core *fsk_group_pick(struct fsk_listener *l, const struct sock *sk,
				unsigned int home)
{
	struct fsk_group *group = rcu_dereference(l->group);
	struct fsk_core *core, *best = NULL;

	if (!group || home >= nr_cpu_ids || fsk_group_chosen(sk))
		return NULL;
	hlist_for_each_entry_rcu(core, &group->cores[home], group_node) {
		if (!fsk_group_helps(core))
			continue;
		if (!best || fsk_group_qlen(core) < fsk_group_qlen(best))
			best = core;
	}
	return best;
}
