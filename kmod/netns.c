// SPDX-License-Identifier: GPL-2.0
/*
 * Per-namespace state: made with the namespace, published by net_generic(),
 * gone with it.  What is in its tables belongs to listen.c; when the hooks are
 * registered is decided there, too.
 */
#include "netns.h"

#include <linux/bitmap.h>
#include <linux/netdevice.h>
#include <linux/slab.h>

#include "connect/reader.h"
#include "connect/rfd.h"
#include "connect/steer.h"
#include "established/est.h"

unsigned int fsk_net_id __read_mostly;
static const struct nf_hook_ops *fsk_net_hooks;

static int __net_init fsk_net_net_init(struct net *net)
{
	struct fsk_net *fn = fsk_net_of(net);
	int i;

	fn->stats = alloc_percpu_gfp(struct fsk_stats, GFP_KERNEL_ACCOUNT);
	if (!fn->stats)
		return -ENOMEM;
	fn->net = net;
	fn->rescue_ms = FSK_RESCUE_MS;
	fn->rfd_mode = FSK_RFD_MASK;
	fn->rfd_stamp = 1;
	fn->est_after = FSK_EST_AFTER;
	mutex_init(&fn->mutex);
	fsk_steer_net_init(fn);
	hash_init(fn->listeners);
	for (i = 0; i < ARRAY_SIZE(fn->hook_ops); i++) {
		fn->hook_ops[i] = fsk_net_hooks[i];
		fn->hook_ops[i].priv = fn;
	}
	return 0;
}

/* Listeners hold their namespace, so the tables are empty by now; packets that
 * saw the hooks have left, because a socket's namespace reference is dropped
 * after an RCU grace period.
 */
static void __net_exit fsk_net_net_exit(struct net *net)
{
	struct fsk_net *fn = fsk_net_of(net);

	WARN_ON_ONCE(fn->nr_listeners || fn->hooked);
	fsk_reader_net_exit(fn);
	fsk_est_net_exit(fn);
	fsk_steer_net_exit(fn);
	fsk_rfd_drain(fn);
	bitmap_free(fn->connected);
	bitmap_free(fn->ports);
	free_percpu(fn->stats);
}

static struct pernet_operations fsk_net_ops = {
	.init	= fsk_net_net_init,
	.exit	= fsk_net_net_exit,
	.id	= &fsk_net_id,
	.size	= sizeof(struct fsk_net),
};

/* Numbers of interfaces are used again.  RTNL is held. */
static int fsk_net_device_event(struct notifier_block *nb, unsigned long event,
				void *data)
{
	struct net_device *dev = netdev_notifier_info_to_dev(data);
	struct fsk_net *fn = fsk_net_of(dev_net(dev));

	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	mutex_lock(&fn->mutex);
	if (fsk_rfd_del(fn, dev->ifindex))
		fsk_steer_update(fn);	/* can only stop it */
	mutex_unlock(&fn->mutex);
	return NOTIFY_DONE;
}

static struct notifier_block fsk_net_device_nb = {
	.notifier_call	= fsk_net_device_event,
};

/**
 * fsk_net_make_ports() - have a map of the ports with an app listener
 * @fn: namespace state
 *
 * Context: Process, fsk_net.mutex held.
 * Return: 0 or -ENOMEM.
 */
int fsk_net_make_ports(struct fsk_net *fn)
{
	lockdep_assert_held(&fn->mutex);
	if (!fn->ports)
		fn->ports = bitmap_zalloc(FSK_NET_PORTS, GFP_KERNEL_ACCOUNT);
	return fn->ports ? 0 : -ENOMEM;
}

/**
 * fsk_net_make_connected() - have a map of the ports that have connected
 * @fn: namespace state
 *
 * Context: Process, fsk_net.mutex held.
 * Return: 0 or -ENOMEM.
 */
int fsk_net_make_connected(struct fsk_net *fn)
{
	unsigned long *map;

	lockdep_assert_held(&fn->mutex);
	if (fn->connected)
		return 0;
	map = bitmap_zalloc(FSK_NET_PORTS, GFP_KERNEL_ACCOUNT);
	/* Pairs with READ_ONCE() in fsk_net_note_connected(). */
	smp_store_release(&fn->connected, map);
	return map ? 0 : -ENOMEM;
}

/**
 * fsk_net_init() - give every namespace its state
 * @hooks: one for each family, to be registered where there are listeners
 *
 * Context: Process, at module load.
 * Return: 0 or a negative errno.
 */
int fsk_net_init(const struct nf_hook_ops *hooks)
{
	int err;

	fsk_net_hooks = hooks;
	err = register_pernet_subsys(&fsk_net_ops);
	if (err)
		return err;
	err = register_netdevice_notifier(&fsk_net_device_nb);
	if (err)
		unregister_pernet_subsys(&fsk_net_ops);
	return err;
}

/**
 * fsk_net_exit() - take it back
 *
 * Context: Process, at unload, when no app listener exists.
 */
void fsk_net_exit(void)
{
	unregister_netdevice_notifier(&fsk_net_device_nb);
	unregister_pernet_subsys(&fsk_net_ops);
}
