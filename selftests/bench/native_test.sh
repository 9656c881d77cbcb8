#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# native, where it can't tell times: that it says so, counts instead, and leaves
# the machine as it was.
#
#   selftests/vm/boot -q 4 -- selftests/bench/native_test.sh [TEST...]
#
# shellcheck disable=SC2317 # tests are called by name
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

tests=(refuses counts restores__after_a_run restores__after_an_error
	restores__after_a_signal)
nic=eth0
peer=fsk-bench-peer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# native STATUS WORD...: see ran()
native() {
	local expect=$1
	shift

	ran "$expect" "$here/native" "$@"
}

test_refuses() {
	native 3 --cpus 1 --seconds 1
	[ -z "$out" ] || fail "it printed: $out"
	case $err in
	*"refused: the CPU says that it is run by TCG"*) ;;
	*) fail "it said: $err" ;;
	esac
	[ "$(wc -l <"$work/err")" = 1 ] || fail "more than a line: $err"
}

# Each arrangement, all connections, no time.
test_counts() {
	native 0 --count --cpus 2 --repeats 2 --conns 20 --warm 5 \
		--arrangements bpf,fastsocket --out "$work/json"
	[ "$(grep -c 'bpf .* 40 connections, 25 to 25 a worker' \
		"$work/out")" = 2 ] || fail "it printed: $out"
	# Others help a worker whose CPU stands still, as emulated ones do, so
	# who has how many of all 50 is not said here.
	[ "$(awk '/fastsocket .* 40 connections, / && $(NF - 4) > 0 &&
		$(NF - 4) + $(NF - 2) == 50' "$work/out" | wc -l)" = 2 ] ||
		fail "it printed: $out"
	! grep -Eq 'conn/s| us|CPU %' "$work/out" || fail "a time: $out"
	python3 -c '
import json, sys
data = json.load(open(sys.argv[1]))
assert data["instrument"] == "count", data["instrument"]
names = [r["arrangement"] for r in data["runs"]]
assert names == ["bpf", "fastsocket", "fastsocket", "bpf"], names
assert all(r["per_connection"] == {} for r in data["runs"])
' "$work/json" || fail "what it wrote"
	[ -d /sys/module/fastsocket ] || fail "it took the module out"
}

# What native may set, as an administrator had it: on CPU 3, RPS to CPU 1.
settings() {
	local irq

	for irq in /sys/class/net/"$nic"/device/{,../}msi_irqs/*; do
		[ -e "$irq" ] && cat "/proc/irq/${irq##*/}/smp_affinity_list"
	done
	cat /proc/sys/net/core/rps_sock_flow_entries
	cat /sys/class/net/"$nic"/queues/rx-*/rps_{cpus,flow_cnt}
}

set_up() {
	local irq file

	[ -e "/sys/class/net/$nic/queues/rx-3" ] || skip "no $nic with four queues"
	for irq in /sys/class/net/"$nic"/device/{,../}msi_irqs/*; do
		[ ! -e "$irq" ] || echo 3 >"/proc/irq/${irq##*/}/smp_affinity_list"
	done
	for file in /sys/class/net/"$nic"/queues/rx-*/rps_cpus; do
		echo 2 >"$file"
	done
	ip netns add "$peer" || fail "no namespace"
	defer ip netns del "$peer"
	ip link add fskb0 type veth peer name fskb1 netns "$peer" ||
		fail "no veth"
	ip addr add 10.99.0.1/24 dev fskb0
	ip link set fskb0 up
	ip -n "$peer" addr add 10.99.0.2/24 dev fskb1
	ip -n "$peer" link set fskb1 up
	settings >"$work/before"
	# What the peer's command sees, and whether it then does its work.
	cat >"$work/peer" <<-END
		#!/bin/bash
		$(declare -f settings)
		nic=$nic
		settings >"$work/during.new"
		mv "$work/during.new" "$work/during"
		\${FSK_PEER:+\$FSK_PEER}
		exec ip netns exec $peer "\$@"
	END
	chmod +x "$work/peer"
	nic_run=(--count --cpus 4 --repeats 1 --conns 5 --warm 1 --nic "$nic"
		--address 10.99.0.1 --peer "$work/peer")
}

is_restored() {
	settings >"$work/after"
	diff "$work/before" "$work/after" >"$work/diff" ||
		fail "not restored: $(cat "$work/diff")"
	! pgrep -x load >/dev/null || fail "load still runs"
}

# Queue i's interrupts to CPU i, as long as it runs.
test_restores__after_a_run() {
	local cpu

	set_up
	native 0 "${nic_run[@]}" --arrangements bpf+rfs,fastsocket
	grep -q '20 connections' "$work/out" || fail "$out"
	for cpu in 0 1 2; do
		grep -qx "$cpu" "$work/during" || fail "CPU $cpu has none"
	done
	is_restored
}

test_restores__after_an_error() {
	set_up
	native 1 "${nic_run[@]}" --arrangements bpf+rfs --peer false
	is_restored
}

test_restores__after_a_signal() {
	local pid status signal

	set_up
	for signal in TERM INT HUP; do
		rm -f "$work/during"
		# From a shell in the background, SIGINT would be ignored.
		FSK_PEER="sleep 1000" setsid env --default-signal=INT \
			"$here/native" "${nic_run[@]}" --arrangements bpf+rfs \
			>"$work/out" 2>&1 &
		pid=$!
		wait_for 60 test -e "$work/during" || fail "it did not begin"
		grep -qx 32768 "$work/during" || fail "no RFS: $(cat "$work/during")"
		kill "-$signal" "$pid"
		wait "$pid"
		status=$?
		[ "$status" -gt 128 ] || fail "$signal: status $status"
		is_restored
	done
}

[ $# -eq 0 ] || tests=("$@")
run_tests "${tests[@]}"
