# SPDX-License-Identifier: GPL-2.0
#
# Prints the lines of a kernel log that report a fault; exit status 1 if any.
# A stack dump that the fault injector prints of its own doing is no fault, nor
# is the complaint about an allocation that it made fail.

/FAULT_INJECTION: forcing a failure/ || /page allocation failure: order/ {
	pardon = 40
}

pardon > 0 {
	pardon--
	if (/Call Trace:/)
		next
}

# Boot messages about the processor, not about code.
/(Spectre|MDS|SRSO|ITS|VMSCAPE).*(WARNING|BUG)/ { next }

/WARNING:/ || /BUG[: ]/ || /Oops/ || /Call Trace:/ || /Kernel panic/ ||
/KASAN:/ || /UBSAN:/ || /ODEBUG:/ || /general protection fault/ ||
/kmemleak: [1-9][0-9]* new suspected/ || /suspicious RCU/ ||
/possible (recursive locking|circular locking|irq lock inversion)/ ||
/INFO: task .* blocked for more than/ || /soft lockup/ || /hard LOCKUP/ ||
/rcu.*(self-detected|detected (expedited )?stall)/ ||
/INFO: trying to register non-static key/ || /refcount_t:/ ||
/unregister_netdevice: waiting for/ || /ref_tracker: .*(leak|has )/ ||
/unable to handle (kernel|page)/ || /scheduling while atomic/ {
	print
	found = 1
}

END { exit found }
