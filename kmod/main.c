// SPDX-License-Identifier: GPL-2.0
/* Load order and unload order. */
#include <linux/module.h>
#include <linux/utsname.h>

#include "fsk.h"
#include "host.h"
#include "listen.h"
#include "local.h"
#include "netlink.h"
#include "netns.h"
#include "rx.h"
#include "ulp.h"

static int __init fsk_main_init(void)
{
	int err;

	err = fsk_host_init();
	if (err)
		return err;
	fsk_local_init();
	err = fsk_listen_init();
	if (err)
		return err;
	err = fsk_net_init(fsk_rx_hook_ops);
	if (err)
		goto err_listen;
	err = fsk_netlink_init();
	if (err)
		goto err_net;
	err = fsk_ulp_init();
	if (err)
		goto err_netlink;
	pr_info("version " FSK_VERSION " on %s: listen tables%s\n",
		init_utsname()->release,
		fsk_host_get(AF_INET6) ? "" : ", IPv4 only");
	return 0;

err_netlink:
	fsk_netlink_exit();
err_net:
	fsk_net_exit();
err_listen:
	fsk_listen_exit();
	return err;
}

/* The kernel lets us go when no app listener is left.  See "What unload waits
 * for" in DOC: locking.
 */
static void __exit fsk_main_exit(void)
{
	fsk_ulp_exit();
	fsk_netlink_exit();
	fsk_listen_exit();
	fsk_net_exit();
}

module_init(fsk_main_init);
module_exit(fsk_main_exit);

MODULE_DESCRIPTION("Per-core listen tables for TCP servers");
MODULE_VERSION(FSK_VERSION);
MODULE_LICENSE("GPL");
