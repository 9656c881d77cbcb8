# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Where the runner and the debug kernel keep what is dear to make. Sourced by
# both; it owns the folder's name and its locks, and nothing that lies in it.

# One folder for all checkouts of this user, so that a second clone is quick.
vm_cache=${FSK_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/fastsocket}

# vm_lock NAME: hold a lock until this shell and what inherits its descriptor
# end; waits for another holder. One lock at a time (descriptor 9).
vm_lock() {
	mkdir -p "$vm_cache" || return
	exec 9>"$vm_cache/$1.lock" || return
	flock 9
}

vm_unlock() {
	exec 9>&-
}
