// SPDX-License-Identifier: GPL-2.0
/*
 * When the listeners' packet hooks of a namespace are registered: from its
 * first listener on, until the namespace or the module goes.
 *
 * They stay behind the last listener, since any user may join and close one as
 * often as it likes, and unregistering a hook harms others: the kernel then
 * drops all packets that NFQUEUE holds of the namespace, and patches its text,
 * which interrupts every CPU.  Without a listener a hook looks at the flags of
 * a packet, and for a SYN at one bit of fsk_net.ports.
 */
#include "listen/hooks.h"

#include "netns.h"

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
	mutex_lock(&fn->mutex);
	if (fn->hooked)
		nf_unregister_net_hooks(fn->net, fn->hook_ops,
					ARRAY_SIZE(fn->hook_ops));
	WRITE_ONCE(fn->hooked, false);
	mutex_unlock(&fn->mutex);
}
