/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FSK_LOG_H
#define FSK_LOG_H

#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>

/* In a minute an administrator reads a few lines; counters have the rest. */
#define FSK_LOG_INTERVAL	(60 * HZ)
#define FSK_LOG_BURST		3

/**
 * fsk_log_warn() - tell the administrator what only an administrator can mend
 * @fmt: as printf's, with a newline
 *
 * Each place that calls it has a limit of its own, so that none silences
 * another; all namespaces share it.  The kernel says how many lines were left
 * out when the next one is printed.
 *
 * Context: Any.
 */
#define fsk_log_warn(fmt, ...) do {					\
	static DEFINE_RATELIMIT_STATE(fsk_log_limit, FSK_LOG_INTERVAL,	\
				      FSK_LOG_BURST);			\
									\
	if (__ratelimit(&fsk_log_limit))				\
		pr_warn(fmt, ##__VA_ARGS__);				\
} while (0)

#endif
