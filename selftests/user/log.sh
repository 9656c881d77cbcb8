#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the module writes to the kernel's log: the right lines, and however often
# there is a cause, few. As root, on a machine of one's own:
#
#   selftests/vm/boot -- selftests/user/log.sh [TEST...]
#
# shellcheck disable=SC2317 # tests are called by name
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

tests=(asleep gone_with_netns gone_with_module away limit gone)
module=$FSK_ROOT/build/kmod/$(uname -r)/fastsocket.ko
export FSK_TOOL

# log CAUSE: in a network namespace of its own; the module's lines are in
# $work/lines, and those that say what they must in $work/right
log() {
	local mark

	work=$(mktemp -d) || fail "no temporary folder"
	defer rm -rf "$work"
	mark="log.sh: $1 $$"
	echo "$mark" >/dev/kmsg
	unshare -n /usr/bin/python3 "$here/log_cause.py" "$1" \
		>"$work/expected" || fail "the cause $1 failed"
	# A namespace ends later.
	[ "$1" != gone_with_netns ] || wait_for 60 namespaces_are_gone
	dmesg | sed -n "/$mark/,\$p" | grep 'fastsocket: ' >"$work/lines"
	grep -E "fastsocket: $(cat "$work/expected")" "$work/lines" \
		>"$work/right"
}

namespaces_are_gone() {
	[ "$(lsns -n -t net | wc -l)" = 1 ] && sleep 1
}

# Twenty causes, three lines: the limit.
few() {
	log "$1"
	[ "$(wc -l <"$work/right")" = 3 ] ||
		fail "not 3 lines: $(cat "$work/lines" "$work/expected")"
	[ "$(wc -l <"$work/lines")" = 3 ] || fail "more: $(cat "$work/lines")"
}

none() {
	log "$1"
	[ ! -s "$work/lines" ] || fail "$(cat "$work/lines")"
}

test_asleep() { none asleep; }
test_gone_with_netns() { none gone_with_netns; }
test_gone_with_module() {
	defer insmod "$module"
	none gone_with_module
}
test_away() { few away; }
test_limit() { few limit; }
test_gone() { few gone; }

[ "$(id -u)" = 0 ] || { note "run as root"; exit 1; }
[ $# -eq 0 ] || tests=("$@")
[ -x "$FSK_TOOL" ] || make -s -C "$FSK_ROOT" programs || exit 1
run_tests "${tests[@]}"
