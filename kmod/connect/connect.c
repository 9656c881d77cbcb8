// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets that are about to connect.
 *
 * A socket is primed right before connect(): some functions of its protocol are
 * replaced.  The first thing that each of them does is to make it the kernel's
 * own again, so that a socket that waits for its handshake is plain.  Our
 * connect() calls the kernel's once for each port that port.c proposes,
 * with the socket's port range narrowed to that port, until the kernel takes
 * one.  So all of the kernel's rules hold.
 *
 * A program primes a socket by a ULP, "fastsocket-rfd", which is never
 * attached: its init function returns 1, which the kernel takes for a refusal
 * and hands to the caller of setsockopt(), where it is no error.  connect()
 * would have to detach an attached ULP while another thread, in
 * getsockopt(TCP_ULP), is between testing the pointer and reading the name
 * through it, without a lock.
 */
#include "connect/connect.h"

#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include <asm/syscall.h>
#include <net/mptcp.h>
#include <net/tcp.h>

#include <uapi/linux/fastsocket.h>

#include "compat.h"
#include "connect/port.h"
#include "connect/primed.h"
#include "connect/steer.h"
#include "host.h"
#include "netns.h"
#include "trace.h"

/* The kernel refuses a port that looks free when somebody has bound it or
 * another core was quicker.  After this many refusals in a row it is no chance,
 * and the kernel chooses.
 */
#define FSK_CONNECT_CLASHES	8

/* IPv4, IPv6; filled once, from the kernel's */
static struct proto fsk_connect_prot[2] __ro_after_init;

/* A task holds it in each of our functions, but for its first and its last few
 * instructions: see "What unload waits for" in DOC: locking.
 */
DEFINE_STATIC_SRCU(fsk_connect_srcu);

/* What a primed socket has for sk_user_data.  A ULP that replaces sk_prot of a
 * socket that is not connected (espintcp) refuses one whose sk_user_data is
 * taken: it would copy our functions, or put its own in the place of those by
 * which we hear of the socket's end.
 */
static void *fsk_connect_mark(void)
{
	return fsk_connect_prot;
}

/* The socket is as it was before it was primed.  What another module has put in
 * the place of our mark, without asking, stays.
 */
static void fsk_connect_make_plain(struct sock *sk)
{
	fsk_primed_del(sk);
	WRITE_ONCE(sk->sk_prot, fsk_host_get(sk->sk_family)->prot);
	cmpxchg(&sk->sk_user_data, fsk_connect_mark(), NULL);
}

static bool fsk_connect_primed(const struct sock *sk)
{
	return sk->sk_prot == &fsk_connect_prot[sk->sk_family == AF_INET6];
}

/* A socket with a port is bound to it; one under repair is told everything. */
static bool fsk_connect_may_choose(const struct sock *sk)
{
	return !inet_sk(sk)->inet_num && !tcp_sk(sk)->repair &&
	       !(sk->sk_userlocks & SOCK_BINDPORT_LOCK);
}

static int fsk_connect_from(struct sock *sk, struct sockaddr_unsized *uaddr,
			    int len, u16 hnum)
{
	const struct fsk_host *host = fsk_host_get(sk->sk_family);
	u32 one = (u32)hnum << 16 | hnum;
	u32 range;
	int err;

	range = fsk_compat_swap_port_range(sk, one);
	err = host->prot->connect(sk, uaddr, len);
	/* Unless another thread has set a range in between. */
	fsk_compat_put_back_port_range(sk, one, range);
	return err;
}

/* Returns 0, -EADDRNOTAVAIL when the kernel should choose, or another errno of
 * the kernel's connect().
 */
static int fsk_connect_try(struct fsk_port_pick *pick, struct sock *sk,
			   struct sockaddr_unsized *uaddr, int len)
{
	int hnum, err;

	while (pick->clashes < FSK_CONNECT_CLASHES) {
		hnum = fsk_port_next(pick);
		if (!hnum)
			break;
		fsk_steer_offer(pick, hnum);
		err = fsk_connect_from(sk, uaddr, len, hnum);
		if (err)
			fsk_steer_withdraw(pick, hnum);
		else
			fsk_steer_note(pick, hnum);
		if (err != -EADDRNOTAVAIL)
			return err;
		/* The kernel refused the port and left the socket as it was. */
		pick->clashes++;
		trace_fsk_port_refused(pick, hnum);
	}
	return -EADDRNOTAVAIL;
}

static void fsk_connect_chosen(struct fsk_port_pick *pick)
{
	fsk_port_end(pick);
	if (pick->own)
		fsk_stats_inc(pick->fn, CONNECT_OWN);
	else
		fsk_stats_inc(pick->fn, CONNECT_ANY);
}

/* The first replies may have come in already, on whichever core they did. */
static void fsk_connect_by_kernel(struct fsk_port_pick *pick)
{
	fsk_stats_inc(pick->fn, CONNECT_KERNEL);
	/* The last one that we found may have been, and was refused. */
	pick->own = false;
	if (pick->table)
		fsk_steer_note(pick, inet_sk(pick->sk)->inet_num);
}

static int __fsk_connect(struct sock *sk, struct sockaddr_unsized *uaddr,
			 int len)
{
	const struct fsk_host *host = fsk_host_get(sk->sk_family);
	struct fsk_port_pick pick;
	int err = -EADDRNOTAVAIL;

	if (!fsk_connect_may_choose(sk))
		return host->prot->connect(sk, uaddr, len);
	if (fsk_port_begin(&pick, sk, uaddr, len))
		err = fsk_connect_try(&pick, sk, uaddr, len);
	fsk_stats_add(pick.fn, CONNECT_PROBE, pick.probes);
	if (pick.clashes)
		fsk_stats_add(pick.fn, CONNECT_CLASH, pick.clashes);
	if (!err)
		fsk_connect_chosen(&pick);
	if (err != -EADDRNOTAVAIL)
		return err;
	err = host->prot->connect(sk, uaddr, len);
	if (!err)
		fsk_connect_by_kernel(&pick);
	return err;
}

/* What a primed socket can do first.  connect(), sendmsg() with MSG_FASTOPEN
 * and listen() hold lock_sock(); a socket that is destroyed has no other user.
 */

static int fsk_connect(struct sock *sk, struct sockaddr_unsized *uaddr, int len)
{
	int err, idx = srcu_read_lock(&fsk_connect_srcu);

	fsk_connect_make_plain(sk);
	err = __fsk_connect(sk, uaddr, len);
	if (!err)
		fsk_net_note_connected(fsk_net_of(sock_net(sk)), sk->sk_num);
	srcu_read_unlock(&fsk_connect_srcu, idx);
	return err;
}

static int fsk_connect_hash(struct sock *sk)
{
	int err, idx = srcu_read_lock(&fsk_connect_srcu);

	fsk_connect_make_plain(sk);
	err = sk->sk_prot->hash(sk);
	srcu_read_unlock(&fsk_connect_srcu, idx);
	return err;
}

static void fsk_connect_destroy(struct sock *sk)
{
	int idx = srcu_read_lock(&fsk_connect_srcu);

	fsk_connect_make_plain(sk);
	sk->sk_prot->destroy(sk);
	srcu_read_unlock(&fsk_connect_srcu, idx);
}

/* Expects no lock on the socket. */
static void fsk_connect_end_priming(struct sock *sk)
{
	lock_sock(sk);
	if (fsk_connect_primed(sk))
		fsk_connect_make_plain(sk);
	release_sock(sk);
}

/* TLS copies sk_prot before it looks whether the socket is connected, over the
 * functions that all its sockets use.  So another ULP finds a plain socket;
 * ours says -EALREADY.  The kernel gets the name that we have read: the
 * caller's memory may change.
 */
static int fsk_connect_set_ulp(struct sock *sk, sockptr_t optval,
			       unsigned int optlen)
{
	char name[TCP_ULP_NAME_MAX] = "";
	long len;

	if (!optlen)
		return -EINVAL;
	optlen = min_t(unsigned int, optlen, sizeof(name) - 1);
	len = strncpy_from_sockptr(name, optval, optlen);
	if (len < 0)
		return -EFAULT;
	name[len] = '\0';
	if (strcmp(name, FSK_ULP_RFD_NAME))
		fsk_connect_end_priming(sk);
	return fsk_host_get(sk->sk_family)->prot->setsockopt(sk, SOL_TCP,
			TCP_ULP, KERNEL_SOCKPTR(name), optlen);
}

/* Called without lock_sock().  A thread that read sk_prot before the socket was
 * primed does not come here: see fsk_connect_is_alone().
 */
static int fsk_connect_setsockopt(struct sock *sk, int level, int optname,
				  sockptr_t optval, unsigned int optlen)
{
	int err, idx = srcu_read_lock(&fsk_connect_srcu);
	const struct proto *prot = fsk_host_get(sk->sk_family)->prot;

	/* IPV6_ADDRFORM looks at sk_prot first, and says EBUSY. */
	if (level == SOL_IPV6 && optname == IPV6_ADDRFORM)
		fsk_connect_end_priming(sk);
	if (level == SOL_TCP && optname == TCP_ULP)
		err = fsk_connect_set_ulp(sk, optval, optlen);
	else
		err = prot->setsockopt(sk, level, optname, optval, optlen);
	srcu_read_unlock(&fsk_connect_srcu, idx);
	return err;
}

static void __init fsk_connect_prot_init(struct proto *prot, int family)
{
	const struct fsk_host *host = fsk_host_get(family);

	if (!host)
		return;
	*prot = *host->prot;
	prot->connect = fsk_connect;
	prot->hash = fsk_connect_hash;
	prot->destroy = fsk_connect_destroy;
	prot->setsockopt = fsk_connect_setsockopt;
}

/* The ULP */

/* Not fsk_host_is_plain(): an earlier connection may have turned an IPv6 socket
 * to IPv4 for good.
 */
static int fsk_connect_check(const struct sock *sk)
{
	const struct fsk_host *host = fsk_host_get(sk->sk_family);

	if (sk->sk_state != TCP_CLOSE)
		return -EISCONN;
	if (fsk_connect_primed(sk))
		return -EALREADY;
	if (sk->sk_kern_sock || !sk->sk_socket || sk_is_mptcp(sk) || !host ||
	    sk->sk_prot != host->prot)
		return -EOPNOTSUPP;
	return 0;
}

/* Has the descriptor that the calling task gave setsockopt() still this file?
 * Another thread may have closed it.
 */
static bool fsk_connect_has_descriptor(const struct file *file)
{
	struct pt_regs *regs = task_pt_regs(current);
	unsigned long args[6];
	struct file *now;

	if (in_compat_syscall() ||
	    syscall_get_nr(current, regs) != __NR_setsockopt)
		return false;
	syscall_get_arguments(current, regs, args);
	now = fget(args[0]);
	if (now)
		fput(now);
	return now == file;
}

/* Is nobody else in a call on this socket?  Each thread in one holds the file
 * where they share their descriptors, and so does the caller; another process
 * holds it by a descriptor.  Counted first: a file without a descriptor does
 * not get one again.
 */
static bool fsk_connect_is_alone(const struct sock *sk)
{
	struct file *file = sk->sk_socket->file;
	bool shares = atomic_read(&current->files->count) > 1;

	return file && file_count(file) <= 1 + shares &&
	       (!shares || fsk_connect_has_descriptor(file));
}

/* A ring holds a file once, however many of its calls are under way. */
static bool fsk_connect_has_ring(void)
{
#ifdef CONFIG_IO_URING
	return current->io_uring || current->flags & PF_IO_WORKER;
#else
	return false;
#endif
}

static int __fsk_connect_sk_init(struct sock *sk)
{
	int err;

	fsk_host_keep_zerocopy(sk);
	err = fsk_connect_check(sk);
	if (err)
		return err;
	if (fsk_connect_has_ring() || !fsk_connect_is_alone(sk))
		return -EBUSY;
	if (cmpxchg(&sk->sk_user_data, NULL, fsk_connect_mark()))
		return -EOPNOTSUPP;
	err = fsk_primed_add(sk);	/* until fsk_connect_make_plain() */
	if (err) {
		cmpxchg(&sk->sk_user_data, fsk_connect_mark(), NULL);
		return err;
	}
	WRITE_ONCE(sk->sk_prot, &fsk_connect_prot[sk->sk_family == AF_INET6]);
	/* Whoever has held the file since before reads our functions, or is
	 * seen here: it may wait to give the socket another ULP by the
	 * kernel's.
	 */
	smp_mb();
	if (fsk_connect_is_alone(sk))
		return FSK_RFD_PRIMED;
	fsk_connect_make_plain(sk);
	return -EBUSY;
}

/* lock_sock() is held until we return. */
static int fsk_connect_sk_init(struct sock *sk)
{
	int err, idx = srcu_read_lock(&fsk_connect_srcu);

	err = __fsk_connect_sk_init(sk);
	srcu_read_unlock(&fsk_connect_srcu, idx);
	return err;
}

/* Without an owner: the kernel would take and drop a reference on the module
 * for each socket, and all cores would meet at its counter.
 */
static struct tcp_ulp_ops fsk_connect_ulp_ops __read_mostly = {
	.name		= FSK_ULP_RFD_NAME,
	.init		= fsk_connect_sk_init,
};

/**
 * fsk_connect_init() - let programs prime sockets
 *
 * Context: Process, at module load, when all else is ready.
 * Return: 0 or a negative errno.  A kernel whose sockets have no port range is
 *         no error: priming is refused.
 */
int __init fsk_connect_init(void)
{
	int err;

	if (!fsk_compat_has_port_range())
		return 0;
	err = fsk_primed_init();
	if (err)
		return err;
	fsk_dest_init();
	fsk_connect_prot_init(&fsk_connect_prot[0], AF_INET);
	fsk_connect_prot_init(&fsk_connect_prot[1], AF_INET6);
	err = tcp_register_ulp(&fsk_connect_ulp_ops);
	if (err)
		fsk_primed_exit();
	return err;
}

/* Nobody can prime a socket any more. */
static void fsk_connect_make_all_plain(void)
{
	struct sock *sk;

	while ((sk = fsk_primed_get_any())) {
		fsk_connect_end_priming(sk);
		sock_put(sk);
	}
}

/* Waits for each task that is on its way into one of our functions or out of
 * it: none sleeps on that way.
 */
static void fsk_connect_wait(void)
{
	synchronize_rcu_tasks();
	synchronize_srcu(&fsk_connect_srcu);
}

/**
 * fsk_connect_exit() - no more
 *
 * Sockets that are still primed become the kernel's own again.  See
 * "What unload waits for" in DOC: locking.
 *
 * Context: Process, at unload.
 */
void fsk_connect_exit(void)
{
	if (!fsk_compat_has_port_range())
		return;
	tcp_unregister_ulp(&fsk_connect_ulp_ops);
	fsk_connect_wait();
	fsk_connect_make_all_plain();
	fsk_connect_wait();
	synchronize_rcu_tasks();
	fsk_primed_exit();
	fsk_dest_exit();
}
