#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# proxy.sh [-k KERNEL] [-c CPUS] [quick | all | NAME...]: real proxies whose
# back-end is on the other side of a NIC with a queue per core. Boots a virtual
# machine and runs the tests in it. A name is a test or the beginning of some.
#
# Clients are on the machine itself, one bound to each core, so that the front
# end is as in programs.sh. Where the back-end's packets are handled is counted
# by the kernel's own tracing; the module's counters have to agree.
#
# FSK_LOAD is the number of connections per CPU in each test (default 40).

# shellcheck disable=SC2317 # tests are called by their names
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../harness/trace.sh
. "$here/../harness/trace.sh"
# shellcheck source-path=SCRIPTDIR source=../harness/trace_flows.sh
. "$here/../harness/trace_flows.sh"
# shellcheck source-path=SCRIPTDIR source=../programs/servers.sh
. "$here/../programs/servers.sh"

quick=(plain haproxy_threads_rss haproxy_threads_steer nginx_rss)
all=(plain plain_rfs haproxy_threads_rss haproxy_threads_rss6
	haproxy_processes_rss nginx_rss haproxy_threads_steer
	haproxy_processes_steer)
number=${FSK_LOAD:-40}
nic=eth0
backend=10.77.0.1:8000

# ---- outside: the back-end, and the machine

# The other end of the NIC. Ends with the machine.
serve_backend() {
	dir=/tmp/$(random_name)
	mkdir -p "$dir" || exit 1
	# nginx leaves root's rights behind.
	chmod 755 "$dir"
	fill backend.conf ''
	trap 'rm -rf "$dir"' EXIT
	nginx -p "$dir" -c "$dir/backend.conf"
}

boot() {
	local kernel=6.12 cpus=8 opt

	while getopts k:c: opt; do
		case $opt in
		k) kernel=$OPTARG ;;
		c) cpus=$OPTARG ;;
		*) exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	exec "$here/../vm/boot" -k "$kernel" -c "$cpus" -q "$cpus" -m 3G \
		-t "${FSK_LIMIT:-900}" --peer "$here/proxy.sh --backend" -- \
		"$here/proxy.sh" --inside "$@"
}

# ---- inside

answers() {
	curl -s -o /dev/null --max-time 5 "http://$backend/"
}

begin_proxy() {
	need curl nginx
	[ -e /sys/class/net/$nic ] || skip "no $nic here"
	wait_for 60 answers || fail "the back-end does not answer"
	begin
	no_rescue
	"$FSK_TOOL" set rfd-count=1 || fail "fastsocket set rfd-count"
	defer "$FSK_TOOL" set rfd-count=0
}

# As an administrator would: the interrupts of queue and core in pairs, bound
# before the mode is chosen.
spread() {
	local irq queue

	for irq in /proc/irq/[0-9]*; do
		for queue in "$irq"/*-input.*; do
			[ ! -d "$queue" ] ||
				echo "${queue##*.}" >"$irq/smp_affinity_list"
		done
	done
	wait_for 60 moved_over || fail "interrupts stay where they are"
}

# An interrupt moves when the next one comes, so some have to.
moved_over() {
	local queue irq

	answers
	for queue in /proc/irq/[0-9]*/*-input.*; do
		irq=${queue%/*}
		cmp -s "$irq/smp_affinity_list" \
			"$irq/effective_affinity_list" || return 1
	done
}

# use_mode auto|steer
use_mode() {
	spread
	if [ "$1" = auto ]; then
		"$FSK_TOOL" rfd auto $nic >"$dir/auto" 2>&1 ||
			fail "rfd auto: $(cat "$dir/auto")"
		note "$(cat "$dir/auto")"
	else
		"$FSK_TOOL" rfd set $nic "$1" || fail "rfd set $nic $1"
	fi
	defer "$FSK_TOOL" rfd del $nic
}

# proxy_fill TEMPLATE THREADS FIRST-CPU LAST-CPU
proxy_fill() {
	fill "$1" ''
	sed -i -e "s|@BACKEND@|$backend|g" -e "s|@THREADS@|$2|g" \
		-e "s|@MAP@|$3${4:+-$4}|g" "$dir/$1"
}

# start_threads HOW
start_threads() {
	mkdir -p "$dir"
	proxy_fill proxy.cfg "$CPUS" 0 $((CPUS - 1))
	(launch "$1" haproxy -D -f "$dir/proxy.cfg") || return 1
	wait_for 60 test -s "$dir/pid.0-$((CPUS - 1))" || return 1
	server=$(cat "$dir/pid.0-$((CPUS - 1))")
	wait_for 60 waiting "$server" "$CPUS"
}

# One process for each CPU, which share the port by SO_REUSEPORT.
start_processes() {
	local cpu

	mkdir -p "$dir"
	for cpu in $(seq 0 $((CPUS - 1))); do
		proxy_fill proxy.cfg 1 "$cpu" ''
		(launch "$1" taskset -c "$cpu" haproxy -D -f "$dir/proxy.cfg") ||
			return 1
		wait_for 60 test -s "$dir/pid.$cpu" || return 1
		server=$(cat "$dir/pid.$cpu")
		defer stop_pid "$server"
		wait_for 60 waiting "$server" 1 || return 1
	done
}

start_nginx_proxy() {
	mkdir -p "$dir"
	proxy_fill proxy.conf "$CPUS" 0 ''
	(launch "$1" "$(command -v nginx)" -p "$dir" -c "$dir/proxy.conf") ||
		return 1
	wait_for 60 test -s "$dir/pid" || return 1
	server=$(cat "$dir/pid")
	wait_for 60 waiting "$server" "$CPUS"
}

stat_of() {
	"$FSK_TOOL" -j show stats | python3 -c '
import json, sys
print(json.load(sys.stdin)["total"][sys.argv[1]])' "$1"
}

# Packets that the kernel itself moved to another core.
moved() {
	local sum=0 word

	while read -r _ _ _ _ _ _ _ _ _ word _; do
		sum=$((sum + 16#$word))
	done </proc/net/softnet_stat
	echo $sum
}

# module NAME: how much it has grown during the load
module() {
	echo $(($(stat_of "$1") - $(cat "$dir/stat.$1")))
}

measure() {
	local missing name before

	missing=$(tracefs_missing)
	[ -z "$missing" ] || skip "$missing"
	defer flows_drop
	defer trace_drop
	for name in rfd-hit rfd-miss rfd-steered rfd-drop connect-own \
		connect-any connect-kernel connect-probe; do
		stat_of $name >"$dir/stat.$name"
	done
	before=$(moved)
	flows_start 8000 || fail "can't trace the back-end"
	trace_start "$port" || fail "can't trace the front end"
	load "$number"
	wait_for 60 idle || note "some connections stay open"
	flows_stop "$dir/flows" || fail "no trace of the back-end"
	trace_stop "$dir/trace" || fail "no trace of the front end"
	rps=$(($(moved) - before))
	note "back-end: $(cat "$dir/flows")"
	note "front end: $(trace_sum)"
	note "module: hit $(module rfd-hit) miss $(module rfd-miss)" \
		"steered $(module rfd-steered) own $(module connect-own)" \
		"any $(module connect-any) probes $(module connect-probe)"
	note "moved by RPS: $rps; clients: answered $load_done" \
		"failed $load_failed"
}

trace_sum() {
	grep '^sum' "$dir/trace"
}

percent() {
	echo $(($(flows_get "$dir/flows" own) * 1000 / \
		$(flows_get "$dir/flows" packets) / 10))
}

nothing_lost() {
	check "connections that failed" [ "$load_failed" = 0 ]
	# A probe is not called while another is at work on that core, in an
	# interrupt that comes in between: some packets in a thousand.
	check "events of the trace lost" share "$(flows_get "$dir/flows" packets)" \
		$(($(flows_get "$dir/flows" packets) + \
		$(flows_get "$dir/flows" lost))) 99
	check "connections opened" \
		[ "$(flows_get "$dir/flows" opened)" -ge "$load_done" ]
	check "packets dropped by steering" [ "$(module rfd-drop)" = 0 ]
}

all_on_core() {
	nothing_lost
	check "back-end packets on the core that connected" share \
		"$(flows_get "$dir/flows" own)" \
		"$(flows_get "$dir/flows" packets)" 99
	check "front end: accepted on their core" share \
		"$(trace_get "$dir/trace" local)" \
		"$(trace_get "$dir/trace" syns)" 99
	check "ports of the core" share "$(module connect-own)" "$load_done" 99
}

rss() {
	begin_proxy
	use_mode auto
	serve "$1" accelerated
	measure
	all_on_core
	check "the mode chosen" grep -q rss "$dir/auto"
	check "packets on their core, by the module" share \
		"$(module rfd-hit)" \
		$(($(module rfd-hit) + $(module rfd-miss))) 99
	check "packets moved by the module" [ "$(module rfd-steered)" = 0 ]
	check "packets moved by the kernel" [ "$rps" = 0 ]
}

steer() {
	begin_proxy
	use_mode steer
	serve "$1" accelerated
	measure
	all_on_core
	# Without steering most come in elsewhere.
	check "packets to move" \
		[ "$(module rfd-miss)" -gt "$(module rfd-hit)" ]
	wait_for 60 all_moved || fail "packets moved: $(module rfd-steered)" \
		"of $(module rfd-miss)"
}

# Both at one moment: connections may still be closing.
all_moved() {
	"$FSK_TOOL" -j show stats | python3 -c '
import json, sys
total = json.load(sys.stdin)["total"]
moved, missed = (total[n] - int(before)
              for n, before in zip(("rfd-steered", "rfd-miss"), sys.argv[1:]))
sys.exit(moved != missed)' "$(cat "$dir/stat.rfd-steered")" \
		"$(cat "$dir/stat.rfd-miss")"
}

test_haproxy_threads_rss() { rss start_threads; }
test_haproxy_processes_rss() { rss start_processes; }
test_nginx_rss() { rss start_nginx_proxy; }
test_haproxy_threads_steer() { steer start_threads; }
test_haproxy_processes_steer() { steer start_processes; }

test_haproxy_threads_rss6() {
	backend="[fd77::1]:8000"
	rss start_threads
}

# What the others are compared with: a share by chance.
plain() {
	begin_proxy
	serve start_threads plain
	measure
	nothing_lost
	note "plain kernel: $(percent) % of back-end packets on the core that" \
		"connected; by chance: $((100 / CPUS)) %"
	check "the module has no part in it" [ "$(module connect-own)" = 0 ]
}

test_plain() { plain; }

# RFS, as Documentation/networking/scaling.rst has it set up.
test_plain_rfs() {
	local queue

	echo 32768 >/proc/sys/net/core/rps_sock_flow_entries
	for queue in /sys/class/net/"$nic"/queues/rx-*; do
		echo 4096 >"$queue/rps_flow_cnt"
		printf '%x' $(((1 << CPUS) - 1)) >"$queue/rps_cpus"
	done
	defer rfs_off
	plain
}

rfs_off() {
	local queue

	for queue in /sys/class/net/"$nic"/queues/rx-*; do
		echo 0 >"$queue/rps_cpus"
		echo 0 >"$queue/rps_flow_cnt"
	done
	echo 0 >/proc/sys/net/core/rps_sock_flow_entries
}

case ${1-} in
--backend) serve_backend ;;
--inside)
	shift
	run_selected "${@:-quick}"
	;;
*) boot "$@" ;;
esac
