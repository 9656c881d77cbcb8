#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A real Prometheus and a real node_exporter scrape the tool, and each alert is
# raised by its own cause, as far as a machine can have it. Takes some minutes.
# As root, on a machine of one's own:
#
#   selftests/vm/boot -m 3G -t 1200 -- selftests/user/monitoring.sh [TEST...]
#
# shellcheck disable=SC2317 # tests are called by name
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

module=$FSK_ROOT/build/kmod/$(uname -r)/fastsocket.ko
rules=$FSK_ROOT/docs/monitoring/fastsocket.rules.yml
tests=(lint names alerts dropped no_memory)
causes=(ScrapeFails MetricsOld NotLoaded ConnectionsLost QueueFilling
	WorkerLate WorkersOftenLate NotNear Bypassed Limited PortsUsedUp
	PacketsElsewhere)
seconds=${FSK_MONITOR:-300}

begin() {
	work=$(mktemp -d) || fail "no temporary folder"
	defer rm -rf "$work"
}

background() {
	"$@" >>"$work/log" 2>&1 &
	pid=$!
	disown
	defer stop_pid "$pid" KILL
}

# A program with a listener on PORT, and CODE: tool_listen.py
listener() {
	background /usr/bin/python3 "$here/tool_listen.py" "$work/listening" \
		"$1"
	wait_for 60 test -e "$work/listening" || fail "$(cat "$work/log")"
	rm "$work/listening"
}

# clients CPU PORT: connections from that CPU, one after the other
clients() {
	background taskset -c "$1" /usr/bin/python3 -c "import socket
while True:
    try:
        with socket.create_connection(('127.0.0.1', $2), 0.2) as s:
            s.recv(1)
    except OSError:
        pass"
}

# By the older format: that is what promtool reads.
test_lint() {
	need promtool
	begin
	listener 'a = tcp(); b = tcp("::", 7002); workers(a, (0, 1))'
	# shellcheck disable=SC2046 # one word for each process
	defer kill -KILL $(children "$pid")
	"$FSK_TOOL" set established=on
	defer "$FSK_TOOL" set established=off
	"$FSK_TOOL" metrics --text >"$work/out" || fail "no metrics"
	promtool check metrics <"$work/out" >"$work/err" 2>&1 ||
		fail "$(cat "$work/err")"
	"$FSK_TOOL" metrics >"$work/out" || fail "no metrics"
	/usr/bin/python3 - "$work/out" <<'PYTHON' || fail "not OpenMetrics"
import sys
try:
    from prometheus_client.openmetrics.parser import \
        text_string_to_metric_families
except ImportError:
    sys.exit(0)
families = list(text_string_to_metric_families(open(sys.argv[1]).read()))
assert len(families) > 50, len(families)
PYTHON
}

claimed() {
	"$FSK_TOOL" show listen | grep -q ' claimed'
}

# What the rules and the dashboard ask for, the tool has.
test_names() {
	local name count=0

	begin
	listener 'workers(tcp(), (0,))'
	# shellcheck disable=SC2046 # one word for each process
	defer kill -KILL $(children "$pid")
	wait_for 30 claimed || fail "no worker"
	"$FSK_TOOL" set established=on
	defer "$FSK_TOOL" set established=off
	"$FSK_TOOL" metrics --text >"$work/out" || fail "no metrics"
	while read -r name; do
		grep -q "^${name}[ {]" "$work/out" || fail "nothing has $name"
		count=$((count + 1))
	done < <(grep -ohE '\bfastsocket_[a-z_]+\b' \
		<(grep -E 'expr|fastsocket_' "$rules") \
		"$FSK_ROOT"/docs/monitoring/dashboard.json | sort -u)
	[ "$count" -gt 15 ] || fail "only $count names"
}

# The rules with times that fit a test, and a Prometheus that uses them.
prometheus_start() {
	need prometheus prometheus-node-exporter systemd-socket-activate curl
	sed -e 's/for: [0-9]*[ms]$/for: 5s/; s/\[5m\]/[30s]/g' -e 's/ > 600$/ > 60/' \
		-e 's/) > 10) </) > 1) </; s/) > 100) >/) > 5) >/' \
		-e 's/(fastsocket_rescue_total\[30s\])) > 1$/(fastsocket_rescue_total[30s])) > 0.1/' \
		"$rules" >"$work/rules.yml"
	cat >"$work/prometheus.yml" <<-YAML
		global: {scrape_interval: 5s, scrape_timeout: 5s, evaluation_interval: 5s}
		rule_files: [$work/rules.yml]
		scrape_configs:
		  - job_name: fastsocket
		    static_configs: [{targets: ['127.0.0.1:9973']}]
		  - job_name: node
		    static_configs: [{targets: ['127.0.0.1:9100']}]
	YAML
	background systemd-socket-activate --inetd -a -l 127.0.0.1:9973 \
		"$FSK_TOOL" metrics --http
	activate=$pid
	mkdir "$work/textfile"
	"$FSK_TOOL" metrics -o "$work/textfile/fastsocket.prom" ||
		fail "no file"
	touch -d '-1 hour' "$work/textfile/fastsocket.prom"
	background prometheus-node-exporter --collector.disable-defaults \
		--collector.textfile --web.listen-address=127.0.0.1:9100 \
		--collector.textfile.directory="$work/textfile"
	background prometheus --config.file="$work/prometheus.yml" \
		--storage.tsdb.path="$work/data" \
		--web.listen-address=127.0.0.1:9090
	wait_for 120 curl -sf -o "$work/ready" http://127.0.0.1:9090/-/ready ||
		fail "$(tail -n 20 "$work/log")"
}

# ask QUERY: of Prometheus; "LABELS VALUE" in lines
ask() {
	curl -sfG http://127.0.0.1:9090/api/v1/query \
		--data-urlencode "query=$1" | /usr/bin/python3 -c "import json, sys
for r in json.load(sys.stdin)['data']['result']:
    print(r['metric'].get('alertname', r['metric'].get('__name__', '-')),
          r['value'][1])"
}

# fires ALERT: it does, or did in this run
fires() {
	ask "count_over_time(ALERTS{alertname=\"Fastsocket$1\",alertstate=\"firing\"}[1h])" |
		grep -q "^Fastsocket$1 "
}

# Workers that stand still, by PID, until the end.
stop_workers() {
	local worker

	for worker in $(children "$1"); do
		kill -STOP "$worker"
	done
}

causes_start() {
	# A worker on CPU 0, connections from CPU 1: not near.
	listener 'workers(tcp(port=7001), (0,))'
	clients 1 7001
	# A queue of 4, and a worker that stands still: full, late, lost.
	listener 'workers(tcp(port=7002, backlog=4), (2,))'
	clients 2 7002
	sleep 5
	stop_workers "$pid"
	for _ in 1 2 3 4 5 6 7 8; do
		clients 2 7002
	done
	# A socket filter: bypassed.
	listener '
		import ctypes, struct
		code = struct.pack("HBBI", 6, 0, 0, 65535)
		code = ctypes.create_string_buffer(code)
		code = struct.pack("HL", 1, ctypes.addressof(code)), code
		s = tcp(port=7003)
		s.setsockopt(socket.SOL_SOCKET, 26, code[0])'
	# Replies from CPU 3 to CPU 1; few source ports.
	listener 'workers(tcp(port=7004, backlog=512), (3,))'
	"$FSK_TOOL" set rfd-count=1
	defer "$FSK_TOOL" set rfd-count=0
	echo 40000 40063 >/proc/sys/net/ipv4/ip_local_port_range
	background taskset -c 1 "$FSK_TOOL" run -- /usr/bin/python3 -c "
import socket, time
while True:
    keep = []
    for i in range(40):
        try:
            keep.append(socket.create_connection(('127.0.0.1', 7004)))
        except OSError:
            break
    time.sleep(0.5)
    for s in keep:
        s.close()"
	# One queue for whom two CPUs have workers.
	"$FSK_TOOL" set locals-max=1
	listener 'os.seteuid(65534); a = tcp(port=7005); os.seteuid(0); workers(a, (0, 1))'
}

test_alerts() {
	local cause ports missing=() end

	[ "$(nproc)" -ge 4 ] || skip "fewer than 4 CPUs"
	begin
	ports=$(cat /proc/sys/net/ipv4/ip_local_port_range)
	defer eval "echo $ports >/proc/sys/net/ipv4/ip_local_port_range"
	defer "$FSK_TOOL" set locals-max=1024
	prometheus_start
	end=$((SECONDS + seconds))
	causes_start
	note "scraped for $seconds s under load"
	wait_for $((end - SECONDS)) false
	note "$(ask 'fastsocket_loaded or sum(rate(fastsocket_accept_local_total[1m]))')"
	note "scrapes: $(ask 'count_over_time(up{job="fastsocket"}[1h])')," \
		"of these good: $(ask 'sum_over_time(up{job="fastsocket"}[1h])')"
	# The way out: no program, no module, no metrics.
	undo_programs
	wait_for 60 rmmod fastsocket 2>/dev/null || note "the module stays"
	defer insmod "$module"
	wait_for 90 fires NotLoaded
	kill -KILL "$activate"
	wait_for 90 fires ScrapeFails
	for cause in "${causes[@]}"; do
		if fires "$cause"; then
			note "raised: Fastsocket$cause"
		else
			missing+=("$cause")
		fi
	done
	[ ${#missing[@]} = 0 ] || fail "not raised: ${missing[*]}"
}

# Packets for CPU 1 that come in on CPU 3, with room for one on their way.
test_dropped() {
	local room=/proc/sys/net/core/netdev_max_backlog

	[ "$(nproc)" -ge 4 ] || skip "fewer than 4 CPUs"
	begin
	prometheus_start
	defer "$FSK_TOOL" set rfd=mask
	"$FSK_TOOL" set rfd=steer
	listener 'workers(tcp(port=7004, backlog=512), (3,))'
	background taskset -c 1 "$FSK_TOOL" run -- /usr/bin/python3 -c "
import socket
while True:
    for s in [socket.create_connection(('127.0.0.1', 7004)) for i in range(40)]:
        s.close()"
	defer eval "echo $(cat "$room") >$room"
	echo 0 >"$room"
	wait_for 120 fires PacketsDropped ||
		fail "not raised: $("$FSK_TOOL" show stats | grep rfd)"
	note "raised: FastsocketPacketsDropped"
}

# Stock kernels can't be told to have none.
test_no_memory() {
	[ -e /proc/self/fail-nth ] ||
		skip "no fault injection in this kernel: vm/boot -k debug"
	begin
	prometheus_start
	background sh -c \
		"while :; do /usr/bin/python3 '$here/../soak/nomem.py'; done"
	wait_for 300 fires NoMemory ||
		fail "not raised: $("$FSK_TOOL" show stats | grep nomem)"
	note "raised: FastsocketNoMemory"
}

# Those that listen or connect; not Prometheus and its like.
undo_programs() {
	local word

	for word in $(pgrep -f "$here/tool_listen.py") \
		$(pgrep -f 'import socket'); do
		kill -KILL "$word"
	done
}

[ $# -eq 0 ] || tests=("$@")
[ -x "$FSK_TOOL" ] || make -s -C "$FSK_ROOT" programs || exit 1
[ -d /sys/module/fastsocket ] || insmod "$module" || exit 1
run_tests "${tests[@]}"
