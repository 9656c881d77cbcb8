# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Starting and stopping real servers, and loading them. A server's folder is
# $dir, its port $port, its main process $server; its workers are bound to one
# CPU each. start_* take a word for launch first.

CPUS=$(nproc)
dir='' port='' server='' load_cpus='' handover=''
load_done=0 load_failed=0 load_number=0 load_pids=()
PROGRAMS=$FSK_ROOT/selftests/programs

# fill TEMPLATE OPTIONS: a program's configuration
fill() {
	sed -e "s|@DIR@|$dir|g" -e "s|@PORT@|$port|g" -e "s|@CPUS@|$CPUS|g" \
		-e "s|@LAST@|$((CPUS - 1))|g" -e "s|@OPTIONS@|$2|g" \
		-e "s|@HANDOVER@|${handover:-off}|g" \
		"$PROGRAMS/$1" >"$dir/$1"
}

# sleeps_in_wait TASK: it has nothing to do but wait for connections
sleeps_in_wait() {
	local where=

	[ ! -e "$1/wchan" ] || read -r where 2>/dev/null <"$1/wchan"
	[[ $where =~ poll|accept|select ]]
}

# waiting PID NUMBER: it and its children have so many tasks that all wait
waiting() {
	local task pid count=0

	for pid in "$1" $(children "$1"); do
		[ "$pid" = "$1" ] && [ -n "$(children "$1")" ] && continue
		for task in /proc/"$pid"/task/*; do
			sleeps_in_wait "$task" || return 1
			count=$((count + 1))
		done
	done
	[ $count = "$2" ]
}

# Who is woken for connections: the children, else the process itself.
workers() {
	local list

	list=$(children "$server")
	echo "${list:-$server}"
}

# begin: a folder and a port for this test's server
begin() {
	need wrk taskset ss pgrep python3
	dir=/tmp/$(random_name)
	mkdir -p "$dir"
	defer rm -rf "$dir"
	pick_port
}

# serve START-FUNCTION WORD...
serve() {
	"$@" || fail "the server does not start: $(cat "$dir"/out \
		"$dir"/error.log 2>/dev/null)"
	defer stop_server
}

# A virtual CPU stands still at times, for longer than a real worker ever: what
# is counted by core must not be rescued, nor idle workers help.
no_rescue() {
	"$FSK_TOOL" set rescue-ms=0 late-ms=10000 ||
		fail "fastsocket set rescue-ms late-ms"
	defer "$FSK_TOOL" set rescue-ms=20 late-ms=5
}

# start_nginx HOW [LISTEN-OPTIONS]
start_nginx() {
	mkdir -p "$dir"
	fill nginx.conf "${2-}"
	(launch "$1" "$(command -v nginx)" -p "$dir" -c "$dir/nginx.conf") || return 1
	wait_for 60 test -s "$dir/pid" || return 1
	server=$(cat "$dir/pid")
	wait_for 60 waiting "$server" "$CPUS"
}

# start_haproxy HOW [BIND-OPTIONS]; handover=on leaves HAProxy's default, by which
# the thread that accepts a connection gives it to another
start_haproxy() {
	launch_haproxy "$1" "${2-}" -D
}

# The main process starts a worker, and a new one when it is told to.
start_haproxy_master() {
	launch_haproxy "$1" "${2-}" -W -D
}

# launch_haproxy HOW BIND-OPTIONS OPTION...
launch_haproxy() {
	mkdir -p "$dir"
	fill haproxy.cfg "$2"
	(launch "$1" haproxy "${@:3}" -f "$dir/haproxy.cfg") || return 1
	wait_for 60 test -s "$dir/pid" || return 1
	server=$(cat "$dir/pid")
	wait_for 60 waiting "$server" "$CPUS"
}

# start_background HOW COMMAND...: a server that stays in the foreground
start_background() {
	mkdir -p "$dir"
	launch "$@" >"$dir/out" 2>&1 &
	server=$!
	wait_for 60 waiting "$server" "$CPUS"
}

stop_server() {
	stop_pid "$server"
}

# No connection is open or queued any more, whoever would have to close it.
idle() {
	[ -z "$(ss -Htn state connected exclude time-wait "sport = :$port")" ]
}

# pick_port: a free one, and for each run another one, in each test from the
# hundreds of its own: what runs here already is not disturbed, and no client's
# port is in TIME_WAIT from the run before, where the kernel chooses the listener.
pick_port() {
	# shellcheck disable=SC2154 # lib.sh
	port=$((${port:-$((8079 + 200 * ktap_count))} + 1))
	while [ -n "$(ss -Hltn "sport = :$port")" ]; do
		port=$((port + 1))
	done
}

# load NUMBER [CONCURRENCY]: that many connections from each CPU, by a client
# bound to it, since a packet on the loopback interface arrives where it was
# sent. Each has an address to itself: the kernel goes round all client ports
# within some 3,500 connections to one address, and then meets TIME_WAIT again.
# Sets load_done and load_failed.
load() {
	load_start "$@"
	load_wait
}

# NUMBER may be "endless": until load_end or load_stop. Load that is only there
# to be there may come from some CPUs, load_cpus, and leaves the better part of
# them to the test, which is slow otherwise.
load_start() {
	local cpu niceness=0

	[ "$1" != endless ] || niceness=10
	load_number=${1/endless/0} load_pids=()
	rm -f "$dir"/load.*
	for cpu in ${load_cpus:-$(seq 0 $((CPUS - 1)))}; do
		nice -n "$niceness" taskset -c "$cpu" wrk -t 1 -c "${2:-8}" -d 24h --timeout 60s \
			-s "$PROGRAMS/short.lua" \
			"http://127.0.0.$((cpu + 1)):$port/" -- \
			"${1/endless/0}" \
			>"$dir/load.$cpu" 2>&1 &
		load_pids+=($!)
	done
}

load_over() {
	local pid

	for pid in "${load_pids[@]}"; do
		gone "$pid" || return 1
	done
}

load_stop() {
	kill -INT "${load_pids[@]}" 2>/dev/null
	wait "${load_pids[@]}"
}

# The end of endless load, which must not have ended by itself.
load_end() {
	local pid

	for pid in "${load_pids[@]}"; do
		! gone "$pid" || fail "the load has ended: $(cat "$dir"/load.*)"
	done
	load_stop
	load_number=1
	load_sum
}

# A client that is late is interrupted, and then says what it did.
load_wait() {
	wait_for "${LOAD_LIMIT:-600}" load_over ||
		kill -INT "${load_pids[@]}" 2>/dev/null
	wait "${load_pids[@]}"
	load_sum
}

# A client that said nothing counts as one whose connections all failed.
load_sum() {
	local sum

	sum=$(cat "$dir"/load.* | awk '
		/ requests in / { done += $1 }
		/Socket errors:/ {
			gsub(/,/, "")
			failed += $4 + $6 + $8 + $10
		}
		/Non-2xx/ { failed += $NF }
		END { print done + 0, failed + 0 }')
	load_done=${sum% *} load_failed=${sum#* }
	if [ "$load_done" -lt $((load_number * CPUS)) ]; then
		load_failed=$((load_failed + load_number * CPUS - load_done))
	fi
}
