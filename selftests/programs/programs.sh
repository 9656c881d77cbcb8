#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# programs.sh [quick | all | NAME...]: real servers under Fastsocket. As root,
# with the module loaded, on a machine of one's own (a virtual one, usually):
#
#   selftests/vm/boot -k 6.12 -c 4 -- selftests/programs/programs.sh quick
#
# A name is a test or the beginning of some ("nginx", "python"). Connections
# are counted by the module and, as a witness, by the kernel's own tracing where
# it has that: the debug kernel has not.
#
# FSK_LOAD is the number of connections per CPU in each test (default 400),
# FSK_CYCLES that of starts and stops of nginx (100), FSK_RELOADS that of its
# reloads and of HAProxy's (3).

# shellcheck disable=SC2317 # tests are called by their names
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../harness/trace.sh
. "$here/../harness/trace.sh"
# shellcheck source-path=SCRIPTDIR source=servers.sh
. "$here/servers.sh"

quick=(nginx_shared nginx_reuseport nginx_reload haproxy_threads python_accept)
all=("${quick[@]}" python_epoll python_poll python_select python_pin
	python_adopt python_activated python_passed static_join static_adopt
	redis_one_core nginx_upgrade haproxy_default haproxy_shards haproxy_reload
	nginx_cycles
	plain_nginx_shared plain_nginx_reuseport plain_haproxy_threads
	plain_haproxy_default
	unload_under_load)
faults=(nginx_reload haproxy_reload)
number=${FSK_LOAD:-400}
reloads=${FSK_RELOADS:-3}
module=${FSK_TEST_MODULE:-$FSK_ROOT/build/kmod/$(uname -r)/fastsocket.ko}

# ---- what the tests are made of

# listen_get NAME: of all rows of this port
listen_get() {
	"$FSK_TOOL" -j show listen | "$PROGRAMS/listen.py" "$port" \
		>"$dir/listen" || fail "no counters from the tool"
	trace_get "$dir/listen" "$1"
}

all_claimed() {
	[ "$(listen_get claimed)" -ge "$CPUS" ]
}

claimed_by() {
	wait_for 60 all_claimed ||
		fail "workers that wait: $(listen_get claimed) of $CPUS"
}

dropped() {
	echo $(($(net_counter ListenDrops) + $(net_counter ListenOverflows)))
}

# watch: the kernel's tracing, where it can; else $blind says why it can't
watch() {
	blind=$(tracefs_missing)
	[ -z "$blind" ] || return 0
	defer trace_drop
	# shellcheck disable=SC2046 # one word for each process
	trace_start "$port" $(workers) || fail "can't trace"
}

watched() {
	if [ -n "$blind" ]; then
		note "counted by the module alone: $blind"
		return
	fi
	trace_stop "$dir/trace" || fail "no trace"
	note "$(cat "$dir/trace")"
}

# measure: load, counted by both
measure() {
	local before

	before=$(dropped)
	watch
	load "$number"
	wait_for 60 idle || note "some connections stay open"
	watched
	listen_get listeners >/dev/null
	drops=$(($(dropped) - before))
	note "module: $(cat "$dir/listen")"
	note "clients: answered $load_done failed $load_failed;" \
		"kernel: dropped $drops"
}

of_trace() {
	trace_get "$dir/trace" "$1"
}

of_module() {
	trace_get "$dir/listen" "$1"
}

nothing_lost() {
	check "connections that failed" [ "$load_failed" = 0 ]
	check "connections dropped by the kernel" [ "$drops" = 0 ]
	check "drops that the tool shows" [ "$(of_module drops)" = 0 ]
	check "connections queued" [ "$(of_module queued)" = 0 ]
	check "connections accepted" [ "$(accepted)" -ge "$load_done" ]
	[ -z "$blind" ] || return 0
	check "connections never accepted" [ "$(of_trace left)" = 0 ]
	check "events of the trace lost" [ "$(of_trace lost)" = 0 ]
	check "connections traced" [ "$(of_trace syns)" -ge "$load_done" ]
}

accepted() {
	echo $(($(of_module local) + $(of_module app) + $(of_module other)))
}

# The two counts are of the same connections.
counts_agree() {
	[ -z "$blind" ] || return 0
	check "accepts of the module, of the trace" [ "$(accepted)" = \
		$(($(of_trace local) + $(of_trace away))) ]
}

all_local() {
	check "accepted from the local listener, by the module" \
		share "$(of_module local)" "$(accepted)" 99
	[ -z "$blind" ] || return 0
	check "accepted on their core, by the trace" \
		share "$(of_trace local)" "$(of_trace syns)" 99
	check "connections answered" [ "$(of_trace answered)" -ge "$load_done" ]
	check "answered on their core, by the trace" \
		share "$(of_trace served)" "$(of_trace answered)" 99
	check "accepted from the local listener, of those traced" \
		share "$(of_module local)" "$(of_trace syns)" 99
	check "wake-ups per connection" \
		share "$(($(of_trace syns) * 105))" "$(of_trace woken)" 10000
}

# The whole of it, for a server that was started.
shows_locality() {
	claimed_by
	measure
	nothing_lost
	counts_agree
	all_local
}

# ---- nginx, HAProxy

test_nginx_shared() {
	need nginx
	begin
	no_rescue
	serve start_nginx accelerated
	shows_locality
}

test_nginx_reuseport() {
	need nginx
	begin
	no_rescue
	serve start_nginx accelerated reuseport
	shows_locality
}

test_haproxy_threads() {
	need haproxy
	begin
	no_rescue
	serve start_haproxy accelerated
	shows_locality
}

# HAProxy as it comes: whichever thread accepts a connection gives it to the one
# with fewest, so that it is answered on another core in spite of us.
# libfsocket(7) says what to set; here nothing must be lost.
test_haproxy_default() {
	need haproxy
	begin
	no_rescue
	handover=on
	serve start_haproxy accelerated
	claimed_by
	measure
	nothing_lost
	counts_agree
	check "accepted from the local listener, by the module" \
		share "$(of_module local)" "$(accepted)" 99
	compared "Fastsocket"
}

# A listener for each thread, so that there is nobody to give it to.
test_haproxy_shards() {
	need haproxy
	begin
	no_rescue
	handover=on
	serve start_haproxy accelerated "shards by-thread"
	shows_locality
}

# compared WITH: what a report of figures takes from here
compared() {
	[ -n "$blind" ] || note "$1: on the SYN's core accepted" \
		"$(of_trace local) of $(of_trace syns), answered" \
		"$(of_trace served) of $(of_trace answered)"
}

# plain_server START-FUNCTION [OPTIONS]: what the others are compared with, a
# share by chance
plain_server() {
	local before

	begin
	serve "$1" plain "${2-}"
	before=$(accepts_of_module)
	measure
	check "connections that failed" [ "$load_failed" = 0 ]
	check "the module has no part in it" \
		[ "$(accepts_of_module)" = "$before" ]
	compared "plain kernel"
}

accepts_of_module() {
	"$FSK_TOOL" -j show stats | tr -d ' \n' |
		grep -o '"accept-[a-z]*":[0-9]*' |
		awk -F: '{ n += $2 } END { print n + 0 }'
}

test_plain_nginx_shared() { need nginx; plain_server start_nginx; }
test_plain_nginx_reuseport() { need nginx; plain_server start_nginx reuseport; }
test_plain_haproxy_threads() { need haproxy; plain_server start_haproxy; }

test_plain_haproxy_default() {
	need haproxy
	handover=on
	plain_server start_haproxy
}

# flowing WHEN: the load makes connections now
flowing() {
	opened=$(net_counter ActiveOpens)
	wait_for 60 answered || fail "$1: the load stands still"
}

# Some connections have been made: the socket counters of the clients' side.
answered() {
	[ "$(net_counter ActiveOpens)" -ge $((opened + 20)) ]
}

# Their ends of connections.
clients_open() {
	local end

	while read -r _ _ end _; do
		echo "$end"
	done < <(ss -Htn state established "dport = :$port")
}

# None of those in open is still open. Each lasts for one answer.
all_went() {
	local end now left=()

	mapfile -t now < <(clients_open)
	for end in "${open[@]}"; do
		[[ " ${now[*]} " != *" $end "* ]] || left+=("$end")
	done
	open=("${left[@]}")
	[ ${#open[@]} = 0 ]
}

# What was under way when the workers changed comes to its end.
nothing_stuck() {
	local open

	mapfile -t open < <(clients_open)
	wait_for 60 all_went ||
		fail "$1: no answer on ${#open[@]} connections"
}

# A word now and then in a run of hours.
progress() {
	[ $(($1 % 50)) != 0 ] || note "reload $1 of $reloads"
}

# Children of the server that are not in old.
new_children() {
	local pid

	for pid in $(children "$server"); do
		[[ " $old " == *" $pid "* ]] || echo "$pid"
	done
}

# has_new NUMBER: so many of them
has_new() {
	local list=()

	mapfile -t list < <(new_children)
	[ ${#list[@]} = "$1" ]
}

only_new() {
	[ "$(children "$server" | wc -l)" = "$CPUS" ] && waiting "$server" "$CPUS"
}

# reload_under_load SIGNAL NUMBER: as often as it is asked for, each time for so
# many new workers
reload_under_load() {
	local round before opened old

	before=$(dropped)
	load_start endless
	for round in $(seq "$reloads"); do
		flowing "before reload $round"
		old=$(children "$server" | tr '\n' ' ')
		kill "-$1" "$server"
		wait_for 60 has_new "$2" || fail "reload $round: no new workers"
		flowing "after reload $round"
		nothing_stuck "reload $round"
		progress "$round"
	done
	load_end
	note "answered $load_done failed $load_failed"
	check "connections that failed" [ "$load_failed" = 0 ]
	check "connections dropped" [ "$(dropped)" = "$before" ]
}

# The old workers answer what they have and go, the new ones are on the same
# listener.
test_nginx_reload() {
	need nginx
	begin
	serve start_nginx accelerated
	claimed_by
	reload_under_load HUP "$CPUS"
	check "old workers go" wait_for 60 only_new
	wait_for 60 claimed_again || fail "workers that wait: \
$(listen_get claimed) of $CPUS"
}

# Under load they are seldom all asleep, so count them.
workers_of_both() {
	[ -s "$dir/pid.oldbin" ] && [ -s "$dir/pid" ] &&
		[ "$(children "$(cat "$dir/pid")" | wc -l)" = "$CPUS" ]
}

# Whoever is the main process now.
stop_new() {
	[ ! -s "$dir/pid" ] || stop_pid "$(cat "$dir/pid")"
}

# The new nginx is a child of the old one.
no_workers() {
	[ "$(children "$1")" = "$server" ]
}

# The new program inherits the listener by its descriptor and never calls
# listen(): it joined long ago.
test_nginx_upgrade() {
	local old opened

	need nginx
	begin
	serve start_nginx accelerated
	claimed_by
	old=$server
	defer stop_pid "$old"
	defer stop_new
	load_start endless
	flowing "before the upgrade"
	kill -USR2 "$old"
	wait_for 60 workers_of_both || fail "no second nginx: \
$(cat "$dir/error.log")"
	server=$(cat "$dir/pid")
	kill -WINCH "$old"
	wait_for 60 no_workers "$old" || fail "the old workers stay"
	kill -QUIT "$old"
	wait_for 60 gone "$old" || fail "the old nginx stays"
	flowing "after the upgrade"
	nothing_stuck "the upgrade"
	load_end
	note "answered $load_done failed $load_failed"
	check "connections that failed" [ "$load_failed" = 0 ]
	claimed_by
}

# A core whose worker was late comes back with the next connection there.
claimed_again() {
	load 2
	all_claimed
}

# The new worker gets the listener over a Unix socket from the old one, and its
# main process starts itself anew.
test_haproxy_reload() {
	need haproxy
	begin
	serve start_haproxy_master accelerated
	claimed_by
	reload_under_load USR2 1
	wait_for 60 claimed_again || fail "workers that wait: \
$(listen_get claimed) of $CPUS"
	check "one listener" [ "$(listen_get listeners)" = 1 ]
}

# ---- Python

python_server() {
	begin
	no_rescue
	serve start_background "$1" "$PROGRAMS/server.py" --port "$port" \
		"${@:2}"
	shows_locality
}

test_python_accept() { python_server accelerated --wait accept; }
test_python_epoll() { python_server accelerated --wait epoll; }
test_python_poll() { python_server accelerated --wait poll; }
test_python_select() { python_server accelerated --wait select; }
test_python_pin() { python_server pinned --wait accept --unbound; }

# systemd opens the listener, without the library, and starts the server when
# the first connection comes in.
test_python_activated() {
	need systemd-socket-activate
	begin
	no_rescue
	systemd-socket-activate -l "0.0.0.0:$port" -- "$FSK_TOOL" run -- \
		"$PROGRAMS/server.py" --inherit >"$dir/out" 2>&1 &
	server=$!
	defer stop_server
	wait_for 60 listening || fail "no listener: $(cat "$dir/out")"
	check "not joined before" [ "$(listen_get listeners)" = 0 ]
	check "a first connection" connects
	wait_for 60 waiting "$server" "$CPUS" || fail "no server: \
$(cat "$dir/out")"
	claimed_by
	# Not the first connection, which the trace has not seen.
	measure
	nothing_lost
	all_local
}

listening() {
	[ -n "$(ss -Hltn "sport = :$port")" ]
}

connects() {
	(exec 5<>"/dev/tcp/127.0.0.1/$port")
}

# Whoever opened it has the library, whoever serves has not.
test_python_passed() {
	begin
	no_rescue
	serve start_background accelerated "$PROGRAMS/server.py" --port "$port" \
		--exec
	shows_locality
}

# Workers that slept in the kernel's accept() before their listener joined are
# on its core the next time.
test_python_adopt() {
	local before

	begin
	no_rescue
	serve start_background plain "$PROGRAMS/server.py" --port "$port"
	check "adopting" "$FSK_TOOL" adopt "$server" "$port"
	load 20
	claimed_by
	before=$(listen_get local)
	measure
	nothing_lost
	check "accepted from the local listener, by the module" \
		share "$(($(of_module local) - before))" "$load_done" 99
	[ -n "$blind" ] || check "accepted on their core, by the trace" \
		share "$(of_trace local)" "$(of_trace syns)" 99
}

# ---- a static program, Redis

build_static() {
	need gcc
	gcc -static -O2 -pthread -o "$dir/static" "$PROGRAMS/static.c" \
		2>"$dir/gcc" || skip "no static C library: $(head -n 1 "$dir/gcc")"
}

test_static_join() {
	begin
	build_static
	no_rescue
	serve start_background plain "$dir/static" "$port" join
	shows_locality
}

# Its threads stay in the wait queue that they were in, so this is about
# nothing getting lost.
test_static_adopt() {
	begin
	build_static
	serve start_background plain "$dir/static" "$port"
	check "adopting" "$FSK_TOOL" adopt "$server" "$port"
	measure
	nothing_lost
	counts_agree
}

# Its own --server_cpulist binds it only after it began to wait, too late for
# a claim.
start_redis() {
	launch "$1" taskset -c 0 redis-server --port "$port" --dir "$dir" --save '' \
		>"$dir/out" 2>&1 &
	server=$!
	wait_for 60 redis_answers
}

redis_answers() {
	redis-cli -p "$port" ping 2>/dev/null | grep -q PONG
}

redis_stat() {
	redis-cli -p "$port" info stats | tr -d '\r' |
		awk -F: -v name="$1" '$1 == name { print $2 }'
}

# One worker on one core: the other cores have no taker, and their connections
# go the kernel's way to the same worker.
test_redis_one_core() {
	local cpu before got

	need redis-server redis-cli redis-benchmark
	begin
	serve start_redis accelerated
	before=$(redis_stat total_connections_received)
	for cpu in $(seq 0 $((CPUS - 1))); do
		check "redis-benchmark on CPU $cpu" taskset -c "$cpu" \
			redis-benchmark -q -p "$port" -k 0 -c 8 -n 200 -t set \
			>>"$dir/benchmark" 2>&1
	done
	got=$(($(redis_stat total_connections_received) - before))
	note "connections $got; module: claimed $(listen_get claimed)" \
		"local $(listen_get local) app $(listen_get app)"
	check "connections" [ "$got" -ge $((200 * CPUS)) ]
	check "rejected" [ "$(redis_stat rejected_connections)" = 0 ]
	check "cores claimed" [ "$(listen_get claimed)" -ge 1 ]
	check "local on its core" [ "$(listen_get local)" -ge 200 ]
	check "by the kernel's way elsewhere" [ "$(listen_get app)" -ge \
		$((200 * (CPUS - 1))) ]
}

# ---- start and stop, load and unload

# None of them is ever merged with another: what is in them is freed after a
# grace period, or has a constructor.
SLABS="TCP TCPv6 request_sock_TCP request_sock_TCPv6 sock_inode_cache"

# Caches keep free objects per CPU as if in use, until they are shrunk.
slab_counts() {
	local slab

	for slab in $SLABS; do
		echo 1 >"/sys/kernel/slab/$slab/shrink" ||
			fail "no cache $slab"
	done
	awk -v names="$SLABS" 'BEGIN { split(names, n); for (i in n) want[n[i]] }
		$1 in want { print $1, $2 }' /proc/slabinfo | sort
}

# grown NUMBER BEFORE AFTER: caches with at least so many objects more
grown() {
	join "$2" "$3" | awk -v n="$1" '$3 - $2 >= n {
		print $1 ": " $2 " then " $3 }'
}

# The counts would show a leak: 100 sockets of each family are in them while
# they are open.
slabs_tell() {
	local slab holder

	slab_counts >"$dir/closed"
	check "all caches" [ "$(wc -l <"$dir/closed")" = "$(wc -w <<<"$SLABS")" ]
	"$PROGRAMS/hold.py" 100 0 "$dir/held" &
	holder=$!
	wait_for 60 test -s "$dir/held" || fail "can't open 100 sockets"
	slab_counts >"$dir/opened"
	note "with 100 sockets open: $(tr '\n' ' ' <"$dir/opened")"
	for slab in TCP TCPv6 sock_inode_cache; do
		check "$slab tells of 100 sockets" \
			grep -q "^$slab: " <(grown 100 "$dir/closed" "$dir/opened")
	done
	stop_pid "$holder"
	wait "$holder" 2>/dev/null
}

tcp_allocated() {
	awk '$1 == "TCP:" { for (i = 2; i < NF; i++) if ($i == "alloc")
		print $(i + 1) }' /proc/net/sockstat
}

unused() {
	[ "$(cat /sys/module/fastsocket/refcnt)" = 0 ]
}

back_to() {
	[ "$(tcp_allocated)" -le "$1" ]
}

KMEMLEAK=/sys/kernel/debug/kmemleak

# What leaked before is none of the test's.
kmemleak_forget() {
	[ ! -e "$KMEMLEAK" ] || echo clear >"$KMEMLEAK"
}

older() {
	[ "$SECONDS" -ge "$1" ]
}

# Objects younger than five seconds are passed over: look when all are older.
# What a first scan suspects may only have been on its way from one place to
# another; the second one decides.
kmemleak_clean() {
	[ -e "$KMEMLEAK" ] || { note "no kmemleak in this kernel"; return 0; }
	wait_for 10 older $((SECONDS + 6))
	echo scan >"$KMEMLEAK" && echo scan >"$KMEMLEAK"
	! grep -q . "$KMEMLEAK" || { note "$(head -n 40 "$KMEMLEAK")"; return 1; }
}

nginx_cycle() {
	local load_cpus=$(($1 % CPUS))

	pick_port
	start_nginx accelerated || fail "cycle $1: nginx does not start"
	load_start endless 4
	flowing "cycle $1"
	stop_server || fail "cycle $1: nginx does not stop"
	load_stop
}

test_nginx_cycles() {
	local cycle opened sockets cycles=${FSK_CYCLES:-100}

	need nginx
	begin
	slabs_tell
	kmemleak_forget
	nginx_cycle 0
	wait_for 60 unused || fail "the module is in use"
	slab_counts >"$dir/before"
	sockets=$(tcp_allocated)
	for cycle in $(seq "$cycles"); do
		nginx_cycle "$cycle"
		[ $((cycle % 10)) != 0 ] || note "cycle $cycle of $cycles"
	done
	check "no use of the module" wait_for 60 unused
	check "TCP sockets: $(tcp_allocated), before $sockets" \
		wait_for 60 back_to "$sockets"
	slab_counts >"$dir/after"
	note "$(join "$dir/before" "$dir/after")"
	# One object in each cycle would be a leak.
	check "caches: $(grown "$cycles" "$dir/before" "$dir/after")" \
		[ -z "$(grown "$cycles" "$dir/before" "$dir/after")" ]
	check "kmemleak" kmemleak_clean
}

refused() {
	! rmmod fastsocket 2>"$dir/rmmod" && grep -q "in use" "$dir/rmmod"
}

test_unload_under_load() {
	local round holder

	need nginx rmmod
	[ -e "$module" ] || skip "no $module to load again"
	begin
	serve start_nginx accelerated
	claimed_by
	ulimit -n 4096
	"$PROGRAMS/hold.py" 1000 "$port" "$dir/held" &
	holder=$!
	defer stop_pid "$holder"
	wait_for 60 test -s "$dir/held" || fail "can't hold 1000 connections"
	load_start 200
	for round in $(seq 50); do
		check "rmmod $round is refused" refused
	done
	note "50 times: $(cat "$dir/rmmod")"
	load_wait
	note "answered $load_done failed $load_failed"
	check "connections that failed" [ "$load_failed" = 0 ]
	stop_server
	check "no use of the module" wait_for 60 unused
	check "rmmod of the unused module" rmmod fastsocket
	check "loading it again" insmod "$module"
}

[ "${1:-quick}" != quick ] || reloads=${FSK_RELOADS:-1}
run_selected "${@:-quick}"
