// SPDX-License-Identifier: GPL-2.0
/*
 * SO_REUSEPORT groups.
 *
 * Each member is a listener of its own, usually with one worker on one core.
 * The kernel chooses a member by hash; when that one has no taker on this
 * core and another member has, the connection is given to the other.  So it is
 * when a member's worker is late.  Where the owner has said which member is to
 * have a connection, by a BPF program or by SO_INCOMING_CPU, that one keeps it.
 */
#include "listen/group.h"

#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/sock_reuseport.h>

#include "listen/claim.h"
#include "listen/listen.h"
#include "listen/options.h"

/* The kernel's group is the same object for all its members. */
static struct fsk_group *fsk_group_find(struct fsk_listener *l,
					const void *reuse)
{
	struct fsk_net *fn = l->fn;
	struct fsk_listener *other;
	struct sock *sk;

	hash_for_each_possible(fn->listeners, other, node, l->hnum) {
		sk = rcu_dereference_protected(other->sk,
					       lockdep_is_held(&fn->mutex));
		if (other != l && sk && sk->sk_reuseport &&
		    rcu_access_pointer(sk->sk_reuseport_cb) == reuse)
			return rcu_dereference_protected(other->group,
						lockdep_is_held(&fn->mutex));
	}
	return NULL;
}

/**
 * fsk_group_join() - find or make the group of a listener
 * @l: a listener that has just been put in its namespace's table
 * @sk: its socket
 *
 * Context: Process.  Expects fsk_net.mutex.
 * Return: the group, or %NULL for a listener without SO_REUSEPORT and without
 *         memory, which costs locality.
 */
struct fsk_group *fsk_group_join(struct fsk_listener *l, struct sock *sk)
{
	const void *reuse = rcu_access_pointer(sk->sk_reuseport_cb);
	struct fsk_group *group;

	lockdep_assert_held(&l->fn->mutex);
	if (!sk->sk_reuseport || !reuse)
		return NULL;
	group = fsk_group_find(l, reuse);
	if (!group)
		group = kzalloc(struct_size(group, cores, nr_cpu_ids),
				GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!group)
		return NULL;
	group->members++;
	hlist_add_head_rcu(&l->group_node, &group->listeners);
	rcu_assign_pointer(l->group, group);
	return group;
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
	if (!--group->members)
		kfree_rcu(group, rcu);
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
	if (group)
		hlist_add_head_rcu(&core->group_node,
				   &group->cores[core->cpu]);
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
 * fsk_group_taken() - has a sibling a worker on this CPU?
 * @l: a listener
 * @cpu: the CPU
 *
 * Context: Expects rcu_read_lock().
 * Return: see fsk_claim_reserved(); false for a listener in no group.
 */
bool fsk_group_taken(struct fsk_listener *l, int cpu)
{
	struct fsk_group *group = rcu_dereference(l->group);
	struct fsk_core *core;

	if (!group)
		return false;
	hlist_for_each_entry_rcu(core, &group->cores[cpu], group_node)
		if (fsk_claim_reserved(core))
			return true;
	return false;
}

/**
 * fsk_group_note_orphan() - a core of a listener has been orphaned
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

/**
 * fsk_group_search() - look through the siblings' orphaned cores
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
	struct fsk_core *core;
	bool orphans = false;
	int cpu;

	if (!group || !READ_ONCE(group->orphans) || !fsk_group_shares(l))
		return best;
	WRITE_ONCE(group->orphans, false);
	/* Clear, then look: a core that is orphaned meanwhile is either seen
	 * or sets the hint again.  Pairs with test_and_set_bit() in
	 * fsk_rescue_orphan(), which comes before the hint is set.
	 */
	smp_mb();
	for_each_possible_cpu(cpu) {
		hlist_for_each_entry_rcu(core, &group->cores[cpu], group_node) {
			if (!test_bit(FSK_CORE_ORPHANED, &core->flags))
				continue;
			orphans = true;
			if (core->listener != l &&
			    fsk_group_shares(core->listener))
				best = older(best, core);
		}
	}
	if (orphans)
		WRITE_ONCE(group->orphans, true);
	return best;
}

static u32 fsk_group_qlen(const struct fsk_core *core)
{
	const struct sock *sk = rcu_dereference(core->sk);

	return sk ? READ_ONCE(sk->sk_ack_backlog) : U32_MAX;
}

/* Whether this core takes another member's connections.  A member that asks for
 * a CPU's takes no others: those of this CPU the kernel would have given it.
 */
static bool fsk_group_helps(struct fsk_core *core)
{
	const struct sock *app = rcu_dereference(core->listener->sk);

	return app && fsk_claim_holds(core) && !fsk_group_chosen(app) &&
	       !fsk_options_bypass(app);
}

/**
 * fsk_group_pick() - another member's core for a connection
 * @l: the member that the kernel chose
 * @sk: its socket
 *
 * Context: Softirq.  Expects rcu_read_lock().
 * Return: the core of this CPU with a taker and the shortest queue, or %NULL.
 */
struct fsk_core *fsk_group_pick(struct fsk_listener *l, const struct sock *sk)
{
	struct fsk_group *group = rcu_dereference(l->group);
	struct fsk_core *core, *best = NULL;

	if (!group || fsk_group_chosen(sk))
		return NULL;
	hlist_for_each_entry_rcu(core, &group->cores[smp_processor_id()],
				 group_node) {
		if (!fsk_group_helps(core))
			continue;
		if (!best || fsk_group_qlen(core) < fsk_group_qlen(best))
			best = core;
	}
	return best;
}
