#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Under a security module that labels sockets nothing is accepted by the module.
# As root, on a machine of one's own that booted with it:
#
#   FSK_VM_ARGS=security=selinux selftests/vm/boot -- selftests/files/selinux.sh
#
# shellcheck disable=SC2317 # tests are called by their names
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

tests=(active status refused left)

lsm() {
	[ -e /sys/kernel/security/lsm ] ||
		mount -t securityfs none /sys/kernel/security
	cat /sys/kernel/security/lsm
}

test_active() {
	case ,$(lsm), in
	*,selinux,*) ;;
	*) fail "booted with $(lsm)" ;;
	esac
}

test_status() {
	"$FSK_TOOL" status | grep -q '^vfs .*off .*SELinux labels sockets' ||
		fail "$("$FSK_TOOL" status)"
}

test_refused() {
	local said

	said=$("$FSK_TOOL" set vfs=on 2>&1) && fail "it is switched on"
	case $said in
	*'security module labels sockets'*) ;;
	*) fail "$said" ;;
	esac
	"$FSK_TOOL" set vfs=off || fail "it is not switched off"
}

# Programs are served by accept4().
test_left() {
	local work

	need cc
	work=$(mktemp -d)
	defer rm -rf "$work"
	cc -O2 -D_GNU_SOURCE -rdynamic -o "$work/native" \
		"$here/../user/lib_preload.c" -lpthread || fail "does not compile"
	env FASTSOCKET_ACCEPT=1 LD_PRELOAD="$FSK_ROOT/build/libfsocket.so" \
		"$work/native" accept || fail "accept() is not what it was"
	"$FSK_TOOL" show stats | grep -q '^vfs-accept  *0 ' ||
		fail "$("$FSK_TOOL" show stats | grep vfs)"
	"$FSK_TOOL" show stats | grep -q '^accept-[a-z]*  *[1-9]' ||
		fail "nothing was accepted from a joined listener"
}

[ $# -eq 0 ] || tests=("$@")
run_tests "${tests[@]}"
