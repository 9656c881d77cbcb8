// SPDX-License-Identifier: GPL-2.0
/*
 * Per-namespace state: made with the namespace, published by net_generic(),
 * gone with it.  What is in it belongs to the features, which register here
 * what they do when a namespace comes or goes.
 */
#include "netns.h"

#include <linux/bitmap.h>
#include <linux/netdevice.h>
#include <linux/slab.h>

unsigned int fsk_net_id __read_mostly;

/* What comes after LOCAL_IN in IPv4 and in IPv6: known as soon as a hook there
 * has seen a SYN.
 */
fsk_net_finish_t fsk_net_finish[2] __read_mostly;

/* In the order in which they were registered. */
static const struct fsk_net_part *fsk_net_parts[FSK_NET_PARTS] __ro_after_init;
static int fsk_net_nr_parts __ro_after_init;

static int __net_init fsk_net_net_init(struct net *net)
{
	struct fsk_net *fn = fsk_net_of(net);
	int i;

	fn->stats = alloc_percpu_gfp(struct fsk_stats, GFP_KERNEL_ACCOUNT);
	if (!fn->stats)
		return -ENOMEM;
	fn->net = net;
	mutex_init(&fn->settings_mutex);
	mutex_init(&fn->mutex);
	mutex_init(&fn->worker_mutex);
	for (i = 0; i < fsk_net_nr_parts; i++)
		fsk_net_parts[i]->init(fn);
	return 0;
}

static void __net_exit fsk_net_net_pre_exit(struct net *net)
{
	struct fsk_net *fn = fsk_net_of(net);
	int i;

	for (i = fsk_net_nr_parts - 1; i >= 0; i--)
		if (fsk_net_parts[i]->pre_exit)
			fsk_net_parts[i]->pre_exit(fn);
}

static void __net_exit fsk_net_net_exit(struct net *net)
{
	struct fsk_net *fn = fsk_net_of(net);
	int i;

	for (i = fsk_net_nr_parts - 1; i >= 0; i--)
		if (fsk_net_parts[i]->exit)
			fsk_net_parts[i]->exit(fn);
	bitmap_free(fn->connected);
	bitmap_free(fn->ports);
	free_percpu(fn->stats);
}

static struct pernet_operations fsk_net_ops = {
	.init	= fsk_net_net_init,
	.pre_exit = fsk_net_net_pre_exit,
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
	int i;

	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	mutex_lock(&fn->mutex);
	for (i = 0; i < fsk_net_nr_parts; i++)
		if (fsk_net_parts[i]->device_gone)
			fsk_net_parts[i]->device_gone(fn, dev);
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
 * fsk_net_register() - take part when namespaces come and go
 * @part: the feature's
 *
 * A feature that needs another one's state in a namespace registers after it.
 *
 * Context: Process, at module load, before fsk_net_init().
 */
void __init fsk_net_register(const struct fsk_net_part *part)
{
	if (!WARN_ON_ONCE(fsk_net_nr_parts == FSK_NET_PARTS))
		fsk_net_parts[fsk_net_nr_parts++] = part;
}

/**
 * fsk_net_init() - give every namespace its state
 *
 * Context: Process, at module load, when all parts are registered.
 * Return: 0 or a negative errno.
 */
int __init fsk_net_init(void)
{
	int err;

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
