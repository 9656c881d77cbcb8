// SPDX-License-Identifier: GPL-2.0
/*
 * When the listeners' packet hooks of a namespace are registered.
 *
 * They are while a listener is listed, and some seconds longer.  Registering
 * the first hook of its kind and unregistering the last one patches the
 * kernel's text, which interrupts every CPU; any user may join and close a
 * listener as often as it likes.
 */
#include "listen/hooks.h"

#include <linux/workqueue.h>

#include "netns.h"

/* How long they stay behind the last listener.  So often, at most, a namespace
 * makes the kernel patch itself; a service that is restarted finds them.
 */
#define FSK_HOOKS_STAY	(3 * HZ)

static void __fsk_hooks_unregister(struct fsk_net *fn)
{
	lockdep_assert_held(&fn->mutex);
	if (!fn->hooked || fn->nr_listeners)
		return;
	nf_unregister_net_hooks(fn->net, fn->hook_ops,
				ARRAY_SIZE(fn->hook_ops));
	WRITE_ONCE(fn->hooked, false);
}

static void fsk_hooks_work(struct work_struct *work)
{
	struct fsk_net *fn = container_of(to_delayed_work(work),
					  struct fsk_net, hooks_work);

	mutex_lock(&fn->mutex);
	__fsk_hooks_unregister(fn);
	mutex_unlock(&fn->mutex);
}

/**
 * fsk_hooks_register() - a listener is about to be listed
 * @fn: namespace state
 *
 * Context: Process, fsk_net.mutex held.
 * Return: 0 or a negative errno.
 */
int fsk_hooks_register(struct fsk_net *fn)
{
	int err = fsk_net_make_ports(fn);

	if (err || fn->hooked)
		return err;
	err = nf_register_net_hooks(fn->net, fn->hook_ops,
				    ARRAY_SIZE(fn->hook_ops));
	WRITE_ONCE(fn->hooked, !err);
	return err;
}

/**
 * fsk_hooks_leave() - a listener was unlisted
 * @fn: namespace state
 *
 * Context: Process, fsk_net.mutex held.
 */
void fsk_hooks_leave(struct fsk_net *fn)
{
	lockdep_assert_held(&fn->mutex);
	/* fsk_hooks_net_pre_exit() waits for it. */
	if (!fn->nr_listeners)
		mod_delayed_work(system_long_wq, &fn->hooks_work,
				 FSK_HOOKS_STAY);
}

/**
 * fsk_hooks_net_init() - a namespace comes, without hooks
 * @fn: namespace state; rx.c has described the hooks, or will
 *
 * Context: Process.
 */
void fsk_hooks_net_init(struct fsk_net *fn)
{
	INIT_DELAYED_WORK(&fn->hooks_work, fsk_hooks_work);
}

/**
 * fsk_hooks_net_pre_exit() - a namespace goes, or the module
 * @fn: namespace state; nobody joins any more
 *
 * Between this and the parts' .exit() an RCU grace period passes, one for all
 * namespaces that go together: packets have left the hooks by then.
 *
 * Context: Process, sleeps.
 */
void fsk_hooks_net_pre_exit(struct fsk_net *fn)
{
	cancel_delayed_work_sync(&fn->hooks_work);
	mutex_lock(&fn->mutex);
	__fsk_hooks_unregister(fn);
	mutex_unlock(&fn->mutex);
}
