// SPDX-License-Identifier: GPL-2.0
/* Load order and unload order. */
#include <linux/module.h>
#include <linux/utsname.h>

#include "compat.h"
#include "connect/connect.h"
#include "connect/steer.h"
#include "established/direct.h"
#include "established/est.h"
#include "files/pool.h"
#include "files/vfs.h"
#include "host.h"
#include "listen/listen.h"
#include "listen/local.h"
#include "listen/owner.h"
#include "listen/ref.h"
#include "listen/rx.h"
#include "listen/selected.h"
#include "listen/ulp.h"
#include "netlink/netlink.h"
#include "netns.h"
#include "version.h"

static int __init fsk_main_init(void)
{
	int err;

	err = fsk_host_init();
	if (err)
		return err;
	fsk_local_init();
	fsk_owner_init();
	fsk_vfs_init();
	err = fsk_pool_init();
	if (err)
		return err;
	fsk_rx_init();
	fsk_listen_init();
	err = fsk_ref_init();
	if (err)
		goto err_pool;
	err = fsk_steer_init();
	if (err)
		goto err_ref;
	fsk_direct_init();
	err = fsk_est_init();
	if (err)
		goto err_steer;
	err = fsk_net_init();
	if (err)
		goto err_est;
	err = fsk_netlink_init();
	if (err)
		goto err_net;
	err = fsk_connect_init();
	if (err)
		goto err_netlink;
	/* Last: once a listener has joined there is no way back. */
	err = fsk_ulp_init();
	if (err)
		goto err_connect;
	fsk_selected_init();
	pr_info("version " FSK_VERSION " on %s: listen tables, %sports%s\n",
		init_utsname()->release,
		fsk_compat_has_port_range() ? "source " : "no source ",
		fsk_host_get(AF_INET6) ? "" : ", IPv4 only");
	return 0;

err_connect:
	fsk_connect_exit();
err_netlink:
	fsk_netlink_exit();
	fsk_selected_exit();
err_net:
	fsk_net_exit();
err_est:
	fsk_est_exit();
err_steer:
	fsk_steer_exit();
err_ref:
	fsk_ref_exit();
err_pool:
	fsk_pool_exit();
	return err;
}

/* The kernel lets us go when no joined listener is left.  See "What unload
 * waits for" in DOC: locking.
 */
static void __exit fsk_main_exit(void)
{
	fsk_netlink_exit();
	fsk_selected_exit();
	fsk_connect_exit();
	fsk_ulp_exit();
	fsk_ref_exit();
	fsk_net_exit();
	fsk_est_exit();
	fsk_steer_exit();
	fsk_pool_exit();
}

module_init(fsk_main_init);
module_exit(fsk_main_exit);

MODULE_AUTHOR("The Fastsocket maintainers");
MODULE_DESCRIPTION("Per-core listen tables and source ports for TCP");
MODULE_VERSION(FSK_VERSION);
MODULE_LICENSE("GPL");
