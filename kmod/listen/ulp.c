// SPDX-License-Identifier: GPL-2.0
/*
 * How a listener joins: the TCP ULP, and the copy of the socket's operations.
 *
 * Of a joined listener only sock->ops is replaced.  Connections do not inherit
 * it; what they do inherit, the two ULP pointers, .clone() clears.  But those
 * that the kernel accepts for itself have our operations without having
 * joined, because kernel_accept() copies them.
 */
#include "listen/ulp.h"

#include <linux/compat.h>
#include <linux/in6.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/sockptr.h>
#include <linux/uaccess.h>
#include <net/mptcp.h>
#include <net/tcp.h>

#include <uapi/linux/fastsocket.h>

#include "compat.h"
#include "host.h"
#include "listen/accept.h"
#include "listen/listen.h"
#include "listen/ref.h"
#include "listen/worker.h"

/* IPv4, IPv6; filled once, from the kernel's, which are not exported */
static struct proto_ops fsk_ulp_sock_ops[2] __ro_after_init;
static const struct fsk_host *fsk_ulp_hosts[2] __ro_after_init;

static const struct fsk_host *fsk_ulp_host(const struct socket *sock)
{
	return fsk_ulp_hosts[READ_ONCE(sock->ops)->family == AF_INET6];
}

static struct tcp_ulp_ops fsk_ulp_ops;

/**
 * fsk_ulp_joined() - is this one of our app listeners?
 * @sk: a full TCP socket
 *
 * Context: Expects rcu_read_lock().
 * Return: whether it has joined.
 */
bool fsk_ulp_joined(const struct sock *sk)
{
	return READ_ONCE(inet_csk(sk)->icsk_ulp_ops) == &fsk_ulp_ops;
}

/* The listener, or NULL for one that the kernel has accepted for itself: the
 * kernel's function is all then.
 */
static struct fsk_listener *fsk_ulp_listener(const struct socket *sock)
{
	return fsk_ulp_joined(sock->sk) ? fsk_listener_of(sock->sk) : NULL;
}

/* The same, but NULL while it does not listen. */
static struct fsk_listener *fsk_ulp_listening(const struct socket *sock)
{
	if (inet_sk_state_load(sock->sk) != TCP_LISTEN)
		return NULL;
	return fsk_ulp_listener(sock);
}

static void fsk_ulp_update(struct fsk_listener *l)
{
	if (l)
		fsk_listener_update(l);
}

/* kernel_accept() gives the new socket the listener's operations when we have
 * returned, and releases one that got no connection without any.  Such a
 * socket may outlive the listener, so it holds the module for itself, until
 * fsk_ulp_sock_release().
 */
static noinline int fsk_ulp_accept_kern(const struct fsk_host *host,
					struct fsk_listener *l,
					struct socket *sock,
					struct socket *newsock,
					struct proto_accept_arg *arg)
{
	int err;

	if (l)
		err = fsk_accept(l, sock, newsock, arg);
	else
		err = fsk_compat_accept(host->ops, sock, newsock, arg);
	if (!err)
		__module_get(THIS_MODULE);
	return err;
}

static int __fsk_ulp_accept(struct socket *sock, struct socket *newsock,
			    struct proto_accept_arg *arg)
{
	const struct fsk_host *host = fsk_ulp_host(sock);
	struct fsk_listener *l = fsk_ulp_listening(sock);

	if (unlikely(arg->kern))
		return fsk_ulp_accept_kern(host, l, sock, newsock, arg);
	/* The caller gave it the listener's. */
	newsock->ops = host->ops;
	if (!l)
		return fsk_compat_accept(host->ops, sock, newsock, arg);
	if (READ_ONCE(l->fn->vfs))
		fsk_core_files->passed(l);
	return fsk_accept(l, sock, newsock, arg);
}

static __poll_t fsk_ulp_poll(struct file *file, struct socket *sock,
			     poll_table *wait)
{
	struct fsk_listener *l = fsk_ulp_listening(sock);

	if (!l)
		return fsk_ulp_host(sock)->ops->poll(file, sock, wait);
	return fsk_poll(l, file, sock, wait);
}

FSK_COMPAT_ACCEPT_OP(fsk_ulp_accept, __fsk_ulp_accept)

static int fsk_ulp_listen(struct socket *sock, int backlog)
{
	int err = fsk_ulp_host(sock)->ops->listen(sock, backlog);

	/* Without memory the socket listens as on the plain kernel. */
	if (!err)
		fsk_ulp_update(fsk_ulp_listener(sock));
	return err;
}

static int fsk_ulp_shutdown(struct socket *sock, int how)
{
	int err = fsk_ulp_host(sock)->ops->shutdown(sock, how);

	fsk_ulp_update(fsk_ulp_listener(sock));
	return err;
}

/* connect(AF_UNSPEC) ends listening, as shutdown() does, and another thread may
 * call listen() before we are back: said before it happens.
 */
static int fsk_ulp_connect(struct socket *sock, struct sockaddr_unsized *addr,
			   int len, int flags)
{
	struct fsk_listener *l = fsk_ulp_listener(sock);
	int err;

	if (l && len >= sizeof(addr->sa_family) &&
	    addr->sa_family == AF_UNSPEC)
		fsk_listener_note_stop(l);
	err = fsk_ulp_host(sock)->ops->connect(sock, addr, len, flags);
	fsk_ulp_update(l);
	return err;
}

/* A connection that the kernel has accepted for itself gets an ULP of its own:
 * kernel TLS copies the operations of the first such socket for all that come
 * later.  It gets the kernel's, then.  Others may be in ours, so the first
 * one's hold of the module stays for good, and the module with it.
 */
static void fsk_ulp_hand_back(struct socket *sock)
{
	static bool held;
	const struct proto_ops *ops;

	lock_sock(sock->sk);
	ops = READ_ONCE(sock->ops);
	/* A listener that joins meanwhile has our operations already, and what
	 * another thread's ULP has put there is none of ours.
	 */
	if (!fsk_ulp_joined(sock->sk) &&
	    (ops == &fsk_ulp_sock_ops[0] || ops == &fsk_ulp_sock_ops[1])) {
		WRITE_ONCE(sock->ops, fsk_ulp_host(sock)->ops);
		if (xchg(&held, true))
			module_put(THIS_MODULE);
	}
	release_sock(sock->sk);
}

static bool fsk_ulp_changes_ops(int level, int optname)
{
	return (level == SOL_TCP && optname == TCP_ULP) ||
	       (level == SOL_IPV6 && optname == IPV6_ADDRFORM);
}

/* IPV6_ADDRFORM makes an IPv4 socket of an IPv6 one that has connected, and
 * gives it the kernel's operations.  One that has joined is still ours, to be
 * released by us, and an ULP of its own is refused.
 */
static int fsk_ulp_setsockopt(struct socket *sock, int level, int optname,
			      sockptr_t optval, unsigned int optlen)
{
	int err;

	if (fsk_ulp_changes_ops(level, optname) &&
	    unlikely(!fsk_ulp_joined(sock->sk)))
		fsk_ulp_hand_back(sock);
	err = fsk_ulp_host(sock)->ops->setsockopt(sock, level, optname, optval,
						  optlen);
	if (!err && level == SOL_IPV6 && optname == IPV6_ADDRFORM &&
	    fsk_ulp_joined(sock->sk))
		WRITE_ONCE(sock->ops, &fsk_ulp_sock_ops[sock->sk->sk_family ==
							AF_INET6]);
	return err;
}

#ifdef FSK_HAVE_GETSOCKOPT_USER
/* What TCP_INFO says of a listener is how long its queue is (tcpi_unacked).
 * Programs that start workers by that have to see the workers' queues, too.
 */
static int fsk_ulp_add_queued(struct fsk_listener *l,
			      struct tcp_info __user *info, int __user *optlen)
{
	u32 queued;
	int len;

	if (get_user(len, optlen))
		return -EFAULT;
	if (len < (int)offsetofend(struct tcp_info, tcpi_unacked))
		return 0;
	if (get_user(queued, &info->tcpi_unacked))
		return -EFAULT;
	return put_user(queued + fsk_listener_queued(l), &info->tcpi_unacked);
}

static int fsk_ulp_getsockopt(struct socket *sock, int level, int optname,
			      char __user *optval, int __user *optlen)
{
	struct fsk_listener *l = fsk_ulp_listening(sock);
	int err = fsk_ulp_host(sock)->ops->getsockopt(sock, level, optname,
						      optval, optlen);

	if (err || !l || level != SOL_TCP || optname != TCP_INFO)
		return err;
	return fsk_ulp_add_queued(l, (struct tcp_info __user *)optval, optlen);
}
#endif

static int fsk_ulp_ioctl_pin(struct socket *sock, void __user *arg)
{
	struct fsk_listener *l = fsk_ulp_listening(sock);
	int cpu;

	if (!l)
		return -EINVAL;
	cpu = fsk_worker_reserve(l);
	if (cpu < 0)
		return cpu;
	return put_user((u32)cpu, (u32 __user *)arg);
}

/* What is queued stays with the workers, and what they wait in stays, too: as
 * with an option that asks for the kernel's own path.
 */
static int fsk_ulp_ioctl_release(struct socket *sock, void __user *arg)
{
	struct fsk_listener *l = fsk_ulp_listening(sock);
	u32 released, before;

	if (!l)
		return -EINVAL;
	if (get_user(released, (u32 __user *)arg))
		return -EFAULT;
	if (released > 1)
		return -EINVAL;
	before = READ_ONCE(l->released);
	WRITE_ONCE(l->released, released);
	return before;
}

static int fsk_ulp_ioctl_accept(struct socket *sock, void __user *arg)
{
	struct fsk_listener *l = fsk_ulp_listening(sock);

	return l ? fsk_core_files->accept(l, sock, arg) : -EOPNOTSUPP;
}

static int fsk_ulp_ioctl(struct socket *sock, unsigned int cmd,
			 unsigned long arg)
{
	if (cmd == FSK_IOC_ACCEPT)
		return fsk_ulp_ioctl_accept(sock, (void __user *)arg);
	if (cmd == FSK_IOC_PIN)
		return fsk_ulp_ioctl_pin(sock, (void __user *)arg);
	if (cmd == FSK_IOC_RELEASE)
		return fsk_ulp_ioctl_release(sock, (void __user *)arg);
	return fsk_ulp_host(sock)->ops->ioctl(sock, cmd, arg);
}

#ifdef CONFIG_COMPAT
static int fsk_ulp_compat_ioctl(struct socket *sock, unsigned int cmd,
				unsigned long arg)
{
	const struct fsk_host *host = fsk_ulp_host(sock);

	if (cmd == FSK_IOC_PIN)
		return fsk_ulp_ioctl_pin(sock, compat_ptr(arg));
	if (cmd == FSK_IOC_RELEASE)
		return fsk_ulp_ioctl_release(sock, compat_ptr(arg));
	if (!host->ops->compat_ioctl)
		return -ENOIOCTLCMD;
	return host->ops->compat_ioctl(sock, cmd, arg);
}
#endif

/* The kernel unhashes the socket after us, so packets look it up until then.  A
 * packet that reads the pointer once it is clear finds a plain listener; the
 * grace period that the last put begins waits for those that read it before.
 */
static void fsk_ulp_leave(struct sock *sk)
{
	struct fsk_listener *l = fsk_listener_of(sk);

	RCU_INIT_POINTER(inet_csk(sk)->icsk_ulp_data, NULL);
	fsk_listener_release(l);
}

/* Also called for a socket that accept() was about to fill, when a security
 * module says no: it still has the listener's operations and no sock.  And for
 * those of fsk_ulp_accept_kern(): unload waits for what is left to do here
 * when they have dropped the module.
 */
static int fsk_ulp_sock_release(struct socket *sock)
{
	const struct fsk_host *host = fsk_ulp_host(sock);
	struct sock *sk = sock->sk;
	bool kern = sk && !fsk_ulp_joined(sk);
	int err;

	if (sk && !kern) {
		/* The listener's hold ends while the kernel's may yet sleep. */
		__module_get(THIS_MODULE);
		fsk_ulp_leave(sk);
	}
	err = host->ops->release(sock);
	if (sk)
		module_put(THIS_MODULE);
	return err;
}

static void __init fsk_ulp_ops_init(struct proto_ops *ops, int family)
{
	const struct fsk_host *host = fsk_host_get(family);

	fsk_ulp_hosts[family == AF_INET6] = host;
	if (!host)
		return;
	*ops = *host->ops;
	ops->accept = fsk_ulp_accept;
	ops->poll = fsk_ulp_poll;
	ops->listen = fsk_ulp_listen;
	ops->shutdown = fsk_ulp_shutdown;
	ops->connect = fsk_ulp_connect;
	ops->setsockopt = fsk_ulp_setsockopt;
#ifdef FSK_HAVE_GETSOCKOPT_USER
	/* Where TCP's is of another kind, it stays. */
	if (ops->getsockopt) {
		ops->getsockopt = fsk_ulp_getsockopt;
		fsk_compat_clear_getsockopt_iter(ops);
	}
#endif
	ops->ioctl = fsk_ulp_ioctl;
#ifdef CONFIG_COMPAT
	ops->compat_ioctl = fsk_ulp_compat_ioctl;
#endif
	ops->release = fsk_ulp_sock_release;
}

/* The ULP */

static int fsk_ulp_check(const struct sock *sk)
{
	if (sk->sk_state != TCP_LISTEN && sk->sk_state != TCP_CLOSE)
		return -EISCONN;
	if (sk->sk_kern_sock || !sk->sk_socket || sk_is_mptcp(sk))
		return -EOPNOTSUPP;
	return fsk_host_is_plain(sk) ? 0 : -EOPNOTSUPP;
}

/* lock_sock() is held: see rank 1 in DOC: locking. */
static int fsk_ulp_sk_init(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;
	struct fsk_listener *l;
	int err;

	fsk_host_keep_zerocopy(sk);
	err = fsk_ulp_check(sk);
	if (err)
		return err;
	l = fsk_listener_create(sk);
	if (IS_ERR(l))
		return PTR_ERR(l);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, (void *)l);
	WRITE_ONCE(sock->ops, &fsk_ulp_sock_ops[sk->sk_family == AF_INET6]);
	return 0;
}

/* Atomic context.  Memory was given back by fsk_ulp_leave(). */
static void fsk_ulp_sk_release(struct sock *sk)
{
	RCU_INIT_POINTER(inet_csk(sk)->icsk_ulp_data, NULL);
}

/* The kernel takes no module reference for the child, so there is none to
 * drop.
 */
static void fsk_ulp_sk_clone(const struct request_sock *req, struct sock *newsk,
			     const gfp_t priority)
{
	struct inet_connection_sock *icsk = inet_csk(newsk);

	icsk->icsk_ulp_ops = NULL;
	RCU_INIT_POINTER(icsk->icsk_ulp_data, NULL);
}

static struct tcp_ulp_ops fsk_ulp_ops __read_mostly = {
	.name		= "fastsocket",
	.owner		= THIS_MODULE,
	.init		= fsk_ulp_sk_init,
	.release	= fsk_ulp_sk_release,
	.clone		= fsk_ulp_sk_clone,
};

/**
 * fsk_ulp_init() - let listeners join
 *
 * Context: Process, at module load, when all else is ready.
 * Return: 0 or a negative errno.
 */
int __init fsk_ulp_init(void)
{
	fsk_ulp_ops_init(&fsk_ulp_sock_ops[0], AF_INET);
	fsk_ulp_ops_init(&fsk_ulp_sock_ops[1], AF_INET6);
	return tcp_register_ulp(&fsk_ulp_ops);
}

/**
 * fsk_ulp_exit() - no more
 *
 * Context: Process, at unload.  Waits for RCU readers, and for tasks at the end
 *          of fsk_ulp_sock_release(): see "What unload waits for" in DOC:
 *          locking.
 */
void fsk_ulp_exit(void)
{
	tcp_unregister_ulp(&fsk_ulp_ops);
	synchronize_rcu_tasks();
}
