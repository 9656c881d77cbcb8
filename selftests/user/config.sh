#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The configuration. As root, on a machine of one's own, as it writes into /etc:
#
#   selftests/vm/boot -- selftests/user/config.sh [TEST...]
#
# shellcheck disable=SC2317 # tests are called by name
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

module=$FSK_ROOT/build/kmod/$(uname -r)/fastsocket.ko
conf=/etc/fastsocket
tests=(check show apply refused interfaces cgroups)

# A configuration of no file, and the settings as they were.
begin() {
	work=$(mktemp -d) || fail "no temporary folder"
	defer rm -rf "$work"
	[ ! -e "$conf" ] || { mv "$conf" "$work/conf" &&
		defer mv "$work/conf" "$conf"; }
	mkdir -p "$conf/conf.d" || fail "no folder $conf"
	defer rm -rf "$conf"
	defer "$FSK_TOOL" set rescue-ms=20 vfs=off rfd=mask
}

# setting NAME: its value
setting() {
	"$FSK_TOOL" -j status | python3 -c \
		"import json, sys; print(json.load(sys.stdin)['$1'])"
}

# expect EXPECT NAME
expect() {
	local found
	found=$(setting "$2")
	[ "$found" = "$1" ] || fail "$2 is $found, not $1"
}

test_check() {
	begin
	tool 0 config check
	[ -z "$out$err" ] || fail "$out$err"
	echo 'set: {vfs: on' >"$conf/fastsocket.conf"
	echo 'sett: {vfs: on}' >"$conf/conf.d/b.conf"
	echo 'set: {vfs: nonsense}' >"$conf/conf.d/a.conf"
	echo 'set: {vfs: nonsense}' >"$conf/conf.d/c.conf.orig"
	tool 1 config check
	[ "$(cut -d: -f1-3 "$work/err" | xargs)" = \
		"$conf/fastsocket.conf:2:1 $conf/conf.d/a.conf:1:12 $conf/conf.d/b.conf:1:1" ] ||
		fail "$err"
	tool 2 config check /nonexistent
}

test_show() {
	begin
	printf 'profile: long-lived\nset: {rescue-ms: 5}\n' \
		>"$conf/fastsocket.conf"
	echo 'set: {rescue-ms: 6}' >"$conf/conf.d/a.conf"
	tool 0 config show
	grep -q "^  rescue-ms: 6  *# $conf/conf.d/a.conf:1$" <<<"$out" ||
		fail "$out"
	grep -q '^  established: on  *# built in:' <<<"$out" || fail "$out"
	cp "$work/out" "$work/again"
	tool 0 config check "$work/again"
	tool 0 -j config show
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
assert d["profile"] == "long-lived"
assert d["set"] == {"rescue-ms": 6, "established": True}, d["set"]
assert d["interfaces"] == [{"interface": "all", "mode": "auto"}]
assert [p["name"] for p in d["profiles"]] == ["web", "proxy", "long-lived"]
assert d["services"] == []' "$work/out" || fail "$out"
}

test_apply() {
	begin
	echo 'set: {rescue-ms: 33, vfs: yes}' >"$conf/fastsocket.conf"
	echo 'set: {rfd: off}' >"$conf/conf.d/a.conf"
	tool 0 config apply
	expect 33 rescue-ms
	expect True vfs
	expect off rfd
	# The module forgets, the files don't.
	rmmod fastsocket || fail "the module stays"
	insmod "$module" || fail "the module does not come back"
	expect 20 rescue-ms
	tool 0 config apply
	expect 33 rescue-ms
}

# With a mistake, or without the module, nothing changes.
test_refused() {
	begin
	echo 'set: {rescue-ms: 44}' >"$conf/fastsocket.conf"
	echo 'set: {vfs: nonsense}' >"$conf/conf.d/a.conf"
	tool 1 config apply
	expect 20 rescue-ms
	rm "$conf/conf.d/a.conf"
	rmmod fastsocket || fail "the module stays"
	defer insmod "$module"
	tool 2 config apply
	grep -q 'not loaded' <<<"$err" || fail "$err"
}

mode_of() {
	"$FSK_TOOL" show rfd | awk -v name="$1" '$1 == name { print $2 }'
}

is_mode() {
	[ "$(mode_of "$1")" = "$2" ]
}

# Those that are named, those that aren't there, and what `rfd watch` keeps.
test_interfaces() {
	local nic watch

	begin
	echo 'interfaces: {lo: steer, fsk-none: off}' >"$conf/fastsocket.conf"
	tool 0 config apply
	grep -q '^fsk-none: there is no such interface yet$' <<<"$out" ||
		fail "$out"
	defer "$FSK_TOOL" rfd del lo
	is_mode lo steer || fail "$("$FSK_TOOL" show rfd)"
	echo 'interfaces: {lo: rss}' >"$conf/fastsocket.conf"
	tool 2 config apply
	grep -q 'lo: no rss' <<<"$err" || fail "$err"
	nic=$(cd /sys/class/net && for n in *; do
		[ ! -e "$n/device" ] || echo "$n"; done | head -n 1)
	[ -n "$nic" ] || skip "no device here: selftests/vm/boot -q 4"
	echo "interfaces: {all: off, lo: mask}" >"$conf/fastsocket.conf"
	tool 0 config apply
	defer "$FSK_TOOL" rfd del "$nic"
	is_mode "$nic" off || fail "$("$FSK_TOOL" show rfd)"
	is_mode lo mask || fail "$("$FSK_TOOL" show rfd)"
	echo "interfaces: {$nic: mask}" >"$conf/fastsocket.conf"
	"$FSK_TOOL" rfd watch >"$work/watch" 2>&1 &
	watch=$!
	disown
	defer stop_pid "$watch" KILL
	wait_for 20 is_mode "$nic" mask || fail "$(cat "$work/watch")"
}

# A control group may be selected already, or not.
test_cgroups() {
	begin
	"$FSK_TOOL" cgroup add /fsk-a 2>"$work/err" || skip "$(cat "$work/err")"
	defer "$FSK_TOOL" cgroup remove /fsk-a /fsk-b
	echo 'cgroups: {/fsk-a: on, /fsk-b: on}' >"$conf/fastsocket.conf"
	tool 0 config apply
	tool 0 show cgroup
	grep -q '^/fsk-b ' <<<"$out" || fail "$out"
	echo 'cgroups: {/fsk-a: off, /fsk-b: off, /fsk-c: off}' \
		>"$conf/fastsocket.conf"
	tool 0 config apply
	tool 0 show cgroup
	! grep -q '^/fsk-' <<<"$out" || fail "$out"
}

[ $# -eq 0 ] || tests=("$@")
[ -x "$FSK_TOOL" ] || make -s -C "$FSK_ROOT" programs || exit 1
[ -d /sys/module/fastsocket ] || insmod "$module" || exit 1
run_tests "${tests[@]}"
