#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tracepoints: each is seen by its real cause, with the right fields, in
# tracefs, and some by perf and bpftrace. As root, on a machine of one's own:
#
#   selftests/vm/boot -- selftests/user/trace.sh [TEST...]
#
# shellcheck disable=SC2317 # tests are called by name
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../harness/tracefs.sh
. "$here/../harness/tracefs.sh"

tests=(given_near given_ipv6 given_far given_idle given_shared orphaned_gone
	orphaned_absent orphaned_limit steered port_refused all_are_listed
	off_is_silent unload perf bpftrace)
export FSK_TOOL

begin() {
	local reason

	work=$(mktemp -d) || fail "no temporary folder"
	defer rm -rf "$work"
	reason=$(tracefs_missing)
	[ -z "$reason" ] || skip "$reason"
	[ -d "$TRACEFS/events/fastsocket" ] || fail "no events of the module"
}

# cause NAME: in a network namespace of its own; what the events must say is
# in $work/expected
cause() {
	unshare -n /usr/bin/python3 "$here/trace_cause.py" "$1" \
		>"$work/expected" || fail "the cause $1 failed"
	[ -s "$work/expected" ] || fail "$1 expects nothing"
}

# seen FILE: it has each expected event
seen() {
	local line

	while read -r line; do
		grep -qE "${2:-}$line" "$1" || {
			note "$(grep -o 'fsk_.*' "$1" | sort | uniq -c |
				sort -rn | head -n 20)"
			fail "no $line"
		}
	done <"$work/expected"
}

# traced CAUSE
traced() {
	begin
	tracefs_start fsktrace || fail "no instance"
	defer tracefs_drop fsktrace
	tracefs_enable fsktrace fastsocket || fail "can't be enabled"
	cause "$1"
	tracefs_end fsktrace
	cp "$(tracefs fsktrace)/trace" "$work/trace"
	seen "$work/trace"
}

test_given_near() { traced given_near; }
test_given_ipv6() { traced given_ipv6; }
test_given_far() { traced given_far; }
test_given_idle() { traced given_idle; }
test_given_shared() { traced given_shared; }
test_orphaned_gone() { traced orphaned_gone; }
test_orphaned_absent() { traced orphaned_absent; }
test_orphaned_limit() { traced orphaned_limit; }
test_steered() { traced steered; }
test_port_refused() { traced port_refused; }

# Each tracepoint has its line in the manual.
test_all_are_listed() {
	local event

	begin
	for event in "$TRACEFS"/events/fastsocket/*/; do
		event=$(basename "$event")
		grep -q "^\*$event\*" "$FSK_ROOT/tools/man/fastsocket.8.scd" ||
			fail "fastsocket(8) lacks $event"
		grep -q "\"$event\"" "$here/trace_cause.py" ||
			fail "no test of $event"
	done
}

test_off_is_silent() {
	begin
	tracefs_start fsktrace || fail "no instance"
	defer tracefs_drop fsktrace
	cause given_near
	! grep -q fsk_ "$(tracefs fsktrace)/trace" || fail "events while off"
}

# The module goes and comes back while they are on.
test_unload() {
	local module

	module=$FSK_ROOT/build/kmod/$(uname -r)/fastsocket.ko
	begin
	[ -e "$module" ] || skip "no $module"
	tracefs_start fsktrace || fail "no instance"
	defer tracefs_drop fsktrace
	tracefs_enable fsktrace fastsocket || fail "can't be enabled"
	cause given_near
	wait_for 60 rmmod fastsocket 2>/dev/null || fail "it does not unload"
	insmod "$module" || fail "it does not load"
	[ "$(cat "$(tracefs fsktrace)/events/fastsocket/enable")" = 0 ] ||
		fail "still on"
}

test_perf() {
	begin
	need perf
	perf record -q -a -e 'fastsocket:*' -o "$work/perf.data" -- \
		unshare -n /usr/bin/python3 "$here/trace_cause.py" \
		orphaned_limit >"$work/expected" 2>"$work/err" ||
		fail "perf record: $(cat "$work/err")"
	perf script -i "$work/perf.data" >"$work/trace" 2>"$work/err" ||
		fail "perf script: $(cat "$work/err")"
	seen "$work/trace" 'fastsocket:'
}

test_bpftrace() {
	local port pid

	begin
	need bpftrace
	# shellcheck disable=SC2016 # not variables of this shell
	bpftrace -q -e 'BEGIN { printf("ready\n"); }
		tracepoint:fastsocket:fsk_given {
			@[args->port, args->cpu, args->queue, args->why] = count();
		}' >"$work/trace" 2>"$work/err" &
	pid=$!
	defer stop_pid "$pid" KILL
	wait_for 180 grep -q ready "$work/trace" ||
		fail "bpftrace: $(cat "$work/trace" "$work/err")"
	cause given_near
	interrupt "$pid" || fail "bpftrace stays"
	port=$(sed -n 's/.*port=\([0-9]*\) .*/\1/p' "$work/expected")
	grep -qF "@[$port, 1, 1, 0]: 1" "$work/trace" ||
		fail "no [$port, 1, 1, 0]: $(cat "$work/trace" "$work/err")"
}

[ "$(id -u)" = 0 ] || { note "run as root"; exit 1; }
[ $# -eq 0 ] || tests=("$@")
[ -x "$FSK_TOOL" ] || make -s -C "$FSK_ROOT" programs || exit 1
run_tests "${tests[@]}"
