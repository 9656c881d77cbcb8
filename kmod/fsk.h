/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file of the module shares: the one text that says how locks,
 * references and departures fit together.
 */
#ifndef FSK_H
#define FSK_H

/**
 * DOC: overview
 *
 * An application's listening socket (the *app listener*) joins by the TCP_ULP
 * socket option. From then on each worker that waits for its connections has a
 * core: the one that it is bound to, or one of its mask; and that has a *local
 * listener*: an ordinary listening TCP socket that is in no kernel table. A
 * hook in front of TCP makes the lookup that TCP would make, and where the
 * answer is an app listener with workers, the packet is given the local
 * listener of the worker that is nearest. Where that is on the CPU the packet
 * came in on, the handshake, the accept queue and the wake-up stay there.
 *
 * Nothing of an app listener is replaced but its &struct proto_ops, which
 * connections do not inherit: an accepted socket is the kernel's own in every
 * pointer.
 *
 * Another ULP *primes* a socket that is about to connect, until connect()
 * begins.  It is given a source port whose replies come in on the core that
 * connects: because the network card's hash says so, or because the module
 * moves them there.
 *
 * Where it is switched on, connections that live long are entered in a table of
 * the core that their packets come in on.  A hook at the end of PRE_ROUTING
 * finds them there and hands the packet on with its socket and the route that
 * the socket has cached.  The sockets themselves know nothing of it.
 */

/**
 * DOC: locking
 *
 * Locks, outermost first.  A lock may be taken while holding any of those
 * above it and none of those below it.
 *
 *   1. lock_sock() of an app listener or of a socket that connects.  Held by
 *      the kernel around our ULPs' .init() and our connect(); of our functions
 *      only fsk_migrate_close() takes it, fsk_ulp_hand_back(), and unload, of
 *      primed sockets.
 *   2. fsk_listener.mutex: creation and state of the listener's cores, and its
 *      entry in the namespace.  Sleeps.  Or fsk_net.settings_mutex, taken by
 *      whoever changes a namespace's settings, around 3: that waits for grace
 *      periods then, and any user may have a thousand threads that toggle
 *      settings of his own; the one that RTNL waits for must not be behind
 *      all of them.
 *   3. fsk_net.mutex: membership of the namespace's tables and groups, and
 *      registration of the hooks.  Sleeps.  Taken under the kernel's RTNL when
 *      a device goes; RTNL is never taken under it.
 *   4. lock_sock() of a local listener, taken where it starts to listen and
 *      by kernel functions that we call.  It has a lock class of its own, so
 *      lockdep sees the order against 1.  Or fsk_pool_mutex, the list of pools
 *      of socket files, which sleeps; nobody has both.  Reclaim only tries to
 *      take that one, so it may come under any lock; no memory is allocated
 *      under it.
 *      Or fsk_net.worker_mutex, choices of workers' cores, taken under 2;
 *      nothing is allocated or taken under it.
 *   5. wait queue locks: the app listener's before a core's
 *      (fsk_wake_from_app() runs under the first and takes the second).  Or
 *      fsk_group.lock, what place.c has counted, only tried for by the hook
 *      with BH off; nothing is taken under it.
 *
 *   6. fsk_dest_table.lock, of a core's destinations, and
 *      fsk_primed_chain.lock, of primed sockets: taken under lock_sock() of a
 *      socket that connects; nothing is taken under them.
 *   7. fsk_steer_queue.lock, of packets on their way to a core, taken with BH
 *      off by the hook and by the poll; nothing is taken under it.
 *   8. fsk_est_core.lock, of a core's established table, taken with BH off by
 *      the hook that enters or forgets a connection, and by the work item that
 *      sweeps; delayed work's timer base is taken under it.
 *   9. fsk_owner_lock, of the table of owners, taken in processes under 1 or
 *      none; nothing is taken under it.
 *  10. fsk_pool.lock, of a core's socket files, and fsk_vfs_pass.lock, taken by
 *      tasks only; nothing of ours is taken under them.
 *  11. fsk_selected_mutex, of selected control groups, taken under none; of the
 *      kernel's, its tracepoints' is taken under it.  Sleeps.
 *
 * Netfilter calls hooks with BH off, but for those behind NFQUEUE, which run in
 * the task that gives the verdict and with BH on.  A hook of ours therefore
 * switches BH off before it touches what is a core's (rx.c, steer.c), or leaves
 * such packets alone (direct.c), or touches nothing of the kind (reader.c, at
 * LOCAL_OUT, where all packets of tasks have BH on).  BH off means as well that
 * no other hook runs on the core: preemptible kernels hold a lock for that, and
 * where one was built without it (CONFIG_PREEMPT_RT_NEEDS_BH_LOCK) counters may
 * miss events and a batch its order, and no more.
 *
 * The packet side, the accept side's fast path and the timers take none of
 * 1-4: they run under RCU.  A softirq may hold a child's socket spinlock when
 * it calls our sk_data_ready, which takes only 5 and timer bases.
 *
 * References.
 *
 *   - &struct fsk_listener is counted.  The app listener's socket owns one
 *     reference from ULP .init() until its release(); each work item owns one
 *     while it is queued, and a task while it takes from a sibling's queue.
 *     The last put frees after an RCU grace period and from a work item,
 *     because timers have to be waited for.
 *   - &struct fsk_owner is counted by the listeners that it has; each holds it
 *     until it is freed.
 *   - &struct fsk_core belongs to its listener and lives as long.
 *   - &struct fsk_worker belongs to its listener's table until its task has
 *     ended and another one enters, or the listener is freed.  It refers to the
 *     task by a &struct pid, so a task that has ended is not kept.
 *   - A local listener is owned by its core: the sock until the app listener
 *     is released, the &struct socket until the core is freed.  The wait queue
 *     in the latter is where workers wait.  No waiter is left at release, since
 *     each (epoll item, poll, accept, io_uring) pins the app listener's file;
 *     but whoever found the core earlier may still look whether one is.
 *   - A local listener holds its network namespace, as user sockets do:
 *     request sockets refer to it and may outlive the app listener.
 *   - Packets carry local listeners without a reference: they are
 *     SOCK_RCU_FREE, like every listener.
 *   - The module is pinned by the kernel's ULP reference of each app listener,
 *     and by each connection that kernel_accept() has taken from one: it has
 *     our operations and no state of ours, and may outlive the app listener.
 *     A primed socket does not pin it: it is in a table (primed.c) until it
 *     connects, listens or is destroyed, and unload takes out of it and makes
 *     plain what is there.
 *   - A task work item of a task of a selected control group holds the module
 *     and the listener's file until the task has done it, before listen()
 *     returns.
 *   - A packet in a core's queue holds its device, and that its namespace: a
 *     namespace goes when its devices have.  Unload waits, in each namespace,
 *     for what is in the queues then.
 *   - A slot in an established table holds its socket, and through it perhaps
 *     the namespace: sweeps drop what has closed.  A packet that is handed on
 *     has a reference of its own, as after the kernel's early demultiplexing.
 *   - A pool of socket files holds a reference on each one's dentry, and they
 *     hold nothing of ours: see pool.c.  The credentials that passed accept4()
 *     are referenced by the core until others pass there or it is freed.
 *
 * How a listener goes.  release() on the last descriptor, in process context:
 * clear the socket's pointer to it, because packets find the socket until the
 * kernel closes it, after all of this; take it out of the tables, close the
 * local listeners (queued connections are reset, as for any listener that is
 * closed, or go to another member of a SO_REUSEPORT group, see migrate.c),
 * clear the RCU pointers to both sockets, drop the reference, then let the
 * kernel close the app listener.  SYNs that come meanwhile get a plain
 * listener.  Packets in flight still see the memory until the grace period
 * ends; they find no app listener and drop, as they would have on a closed
 * listener.
 *
 * How a namespace goes.  Its last socket has gone first, so its tables of
 * listeners are empty.  All hooks are unregistered in .pre_exit, before a grace
 * period that the kernel waits for once, for all namespaces that go together.
 * Then queues of steer.c and tables of established connections are emptied and
 * freed, and only &struct fsk_net is left.  Devices may go between the two; for
 * one that does nothing is started again.
 *
 * An established table that is switched off is emptied, too: hooks are
 * unregistered, an RCU grace period passes, the work item is cancelled, then
 * nobody but a reader of a dump is left, for whom another grace period passes
 * before the table is freed.
 *
 * What unload waits for.  The kernel refuses while app listeners exist.  The
 * task that closed the last one, or the last connection that kernel_accept()
 * took, has some instructions left when it has dropped the module, in
 * fsk_ulp_sock_release(), and does not sleep among them: it has left after
 * synchronize_rcu_tasks().  So has the task that did the last task work item of
 * selected.c.  Who can be in a function of connect.c:
 *
 *   1. A task that found our ULP before it was unregistered, and calls .init().
 *      From finding it to the first line of .init(), which enters the SRCU
 *      section, it does not sleep, though it may be preempted: after
 *      synchronize_rcu_tasks() it has entered.  After synchronize_srcu() it
 *      has left, and the table of primed sockets does not grow any more.
 *   2. A task that calls connect, hash or destroy of a primed socket.
 *      All three are called with the socket owned, and take it out of the
 *      table first; unload owns it to do the same.  When the table is empty no
 *      socket points to us.  Who read the pointer before enters without
 *      sleeping: again synchronize_rcu_tasks(), then synchronize_srcu().
 *      setsockopt() is called without the lock, takes it to make the socket
 *      plain for another ULP, and looks first whether it is still primed.  It
 *      may wait for the caller's memory, and unload with it.
 *   3. Either, behind the end of its SRCU section: it has some instructions
 *      left and does not sleep among them; synchronize_rcu_tasks() once more.
 *
 * After that: rcu_barrier() for our RCU callbacks, and destroying the work
 * queue for the frees that they started, which empty the pools of socket files.
 */

#endif
