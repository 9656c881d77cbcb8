#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Control groups that were selected: programs that load no library join. As
# root, on a machine of one's own:
#
#   selftests/vm/boot -k 6.12 -- selftests/user/cgroup.sh [TEST...]
#
# shellcheck disable=SC2317 # tests are called by their names
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

tests=(static capabilities nginx go run run_refused words errors)
tool=$FSK_ROOT/build/fastsocket
cpus=$(nproc)
each=10

# A control group of the test's own, which is left and removed at its end.
make_group() {
	mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup ||
		skip "no control groups of version 2"
	group=/sys/fs/cgroup/fsk-test
	mkdir -p "$group/inner"
	defer rmdir "$group/inner" "$group"
	work=$(mktemp -d)
	defer rm -rf "$work"
	ip link set lo up
	# On a busy host an emulated worker takes longer than a late one may.
	"$tool" set rescue-ms=0 late-ms=10000 || fail "no settings"
}

# into COMMAND...: in the background, in a group below the one that is selected
into() {
	sh -c 'echo $$ >"$0"/inner/cgroup.procs; exec "$@"' "$group" "$@" \
		>"$work/out" 2>&1 &
	server=$!
	defer stop_group
}

stop_group() {
	local pids
	mapfile -t pids <"$group/inner/cgroup.procs"
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}"
	wait_for 60 group_is_empty || note "$(cat "$group/inner/cgroup.procs")"
}

group_is_empty() {
	[ -z "$(cat "$group/inner/cgroup.procs")" ]
}

build() {
	need cc
	cc -O2 -D_GNU_SOURCE "$@" -o "$work/server" "$here/cgroup_server.c" ||
		fail "does not compile"
}

counter() {
	"$tool" -j show stats | python3 -c '
import json, sys
print(json.load(sys.stdin)["total"][sys.argv[1]])' "$1"
}

# near PORT: from each CPU so many connections, each accepted from a queue of a
# worker
near() {
	local before after
	before=$(counter accept-local)
	python3 - "$1" "$cpus" "$each" <<'TEXT' || fail "no answer: $(cat "$work/out")"
import os, socket, sys
port, cpus, each = map(int, sys.argv[1:])
for cpu in range(cpus):
    os.sched_setaffinity(0, {cpu})
    for i in range(each):
        with socket.create_connection(("127.0.0.1", port), 20) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            if not s.recv(1):
                sys.exit("closed")
TEXT
	after=$(counter accept-local)
	note "accepted near: $((after - before)) of $((cpus * each))"
	[ $((after - before)) = $((cpus * each)) ] ||
		fail "$("$tool" show listen)"
}

listens() {
	ss -Hltn "sport = :$1" | grep -q .
}

# served PORT: from queues of its workers, in each of which one waits
served() {
	wait_for 60 workers "$1" || fail "$("$tool" show listen)"
	near "$1"
}

# joins PORT COMMAND...: it listens, and has joined without a library
joins() {
	local port=$1
	shift

	check "select" "$tool" cgroup add "$group"
	defer "$tool" cgroup remove "$group"
	into "$@"
	wait_for 60 listens "$port" || fail "$(cat "$work/out")"
	[ "$("$tool" show cgroup | awk '$1 == "/fsk-test" { print $2 }')" -ge 1 ] ||
		fail "$("$tool" show cgroup)"
	! grep -q libfsocket "/proc/$server/maps" || fail "it has the library"
}

# serves PORT COMMAND...: joins, and is served near
serves() {
	local port=$1

	joins "$@"
	served "$port"
}

# All of them have a queue.
workers() {
	[ "$("$tool" -j show listen | python3 -c '
import json, sys
print(sum(core["claimed"] for one in json.load(sys.stdin)
          if one["port"] == int(sys.argv[1]) for core in one["cores"]))' \
		"$1")" = "$cpus" ]
}

test_static() {
	make_group
	build -static
	serves 7001 "$work/server" 7001 "$cpus"
}

# The loader drops LD_PRELOAD of such a program when another user starts it.
test_capabilities() {
	make_group
	need setcap
	build
	chmod 755 "$work"
	setcap cap_net_bind_service+ep "$work/server" || skip "no file capabilities"
	serves 701 setpriv --reuid 65534 --clear-groups "$work/server" 701 "$cpus"
}

test_nginx() {
	make_group
	need nginx
	cat >"$work/nginx.conf" <<-TEXT
		daemon off;
		worker_processes $cpus;
		worker_cpu_affinity auto;
		pid $work/pid;
		error_log stderr;
		events { worker_connections 256; }
		http {
			access_log off;
			server {
				listen 7002;
				location / { return 200 "x"; }
			}
		}
	TEXT
	serves 7002 nginx -c "$work/nginx.conf"
}

test_go() {
	make_group
	need go
	cat >"$work/server.go" <<-'TEXT'
		package main

		import "net"

		func main() {
			l, err := net.Listen("tcp", ":7003")
			if err != nil {
				panic(err)
			}
			for {
				c, err := l.Accept()
				if err == nil {
					c.Write([]byte("x"))
					c.Close()
				}
			}
		}
	TEXT
	(cd "$work" && HOME=$work GO111MODULE=off CGO_ENABLED=0 go build -o server \
		server.go) || fail "does not compile"
	joins 7003 "$work/server"
	"$tool" -j show listen | grep -q '"port": *7003' ||
		fail "$("$tool" show listen)"
}

no_group() {
	[ "$("$tool" -j show cgroup | tr -d ' \n')" = "[]" ] &&
		[ "$(find "$group" -mindepth 1 -type d)" = "$group/inner" ]
}

# The program has a group of its own, and the number of the process that was
# started. When it has ended, nothing of the group is left.
test_run() {
	local pid below all
	make_group
	build -static
	into "$tool" run --cgroup --require -- "$work/server" 7004 "$cpus"
	wait_for 60 listens 7004 || fail "$(cat "$work/out")"
	pid=$server
	below=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
	[[ $below == /fsk-test/inner/fastsocket-run.?????? ]] ||
		fail "it is in $below"
	[ "$(readlink "/proc/$pid/exe")" = "$work/server" ] ||
		fail "$pid is $(readlink "/proc/$pid/exe")"
	[ "$("$tool" show cgroup | awk -v group="$below" \
		'$1 == group { print $2 }')" = 1 ] || fail "$("$tool" show cgroup)"
	served 7004
	mapfile -t all <"/sys/fs/cgroup$below/cgroup.procs"
	kill "${all[@]}"
	wait_for 60 no_group || fail "$("$tool" show cgroup; find "$group" -type d)"
	wait_for 60 group_is_empty || fail "a process is left"

	# The process that waits for the program's end holds no file of others.
	pid=$("$tool" run --cgroup -- sh -c 'sleep 600 >/dev/null 2>&1 & echo $!')
	wait_for 60 grep -q fastsocket-run "/proc/$pid/cgroup" || fail "no group"
	kill "$pid"
	wait_for 60 no_group || fail "$("$tool" show cgroup)"
}

test_run_refused() {
	local out
	make_group
	says 1 "--pin needs the library" run --cgroup --pin -- true
	says 1 "--ports needs the library" run --ports 80 --cgroup -- true
	says 127 "cannot start" run --cgroup -- /nonexistent
	says 7 "" run --cgroup -- sh -c 'exit 7'
	# Whoever starts it may ignore its children's end, or have no files open.
	(trap '' CHLD; "$tool" run --cgroup --require -- true <&- >&- 2>&-) ||
		fail "not started without files"
	out=$(unshare -C "$tool" run --cgroup --require -- echo plain 2>&1)
	[ $? = 2 ] || fail "it is started: $out"
	[[ $out == *"in a cgroup namespace"* ]] || fail "$out"
	# Only root may select, and only root's programs start in a group of theirs.
	out=$(unshare -Ur "$tool" run --cgroup -- echo plain 2>&1) ||
		fail "not started: $out"
	[[ $out == *"runs as without Fastsocket: "*plain ]] || fail "$out"
	out=$(unshare -Ur "$tool" run --cgroup --require -- echo plain 2>&1)
	[ $? = 2 ] || fail "it is started: $out"
	[[ $out == *"is not started: "* ]] || fail "$out"
	note "$out"
	wait_for 60 no_group || fail "$("$tool" show cgroup; find "$group" -type d)"
}

# What the words may be.
test_words() {
	local word pid
	make_group
	into sleep 600
	pid=$server
	wait_for 60 grep -q inner "/proc/$pid/cgroup" || fail "not in its group"
	for word in /fsk-test/inner /sys/fs/cgroup/fsk-test/inner/ "$pid"; do
		check "add $word" "$tool" cgroup add "$word"
		"$tool" show cgroup | grep -q '^/fsk-test/inner  *0  *0$' ||
			fail "$word: $("$tool" show cgroup)"
		check "remove $word" "$tool" cgroup remove "$word"
	done
	sh -c 'echo $$ >"$0"/inner/cgroup.procs; exec "$@"' "$group" \
		"$tool" cgroup add self || fail "self"
	"$tool" -j show cgroup | grep -q '"/fsk-test/inner"' ||
		fail "$("$tool" -j show cgroup)"
	check "remove" "$tool" cgroup remove /fsk-test/inner
	[ "$("$tool" -j show cgroup | tr -d ' \n')" = "[]" ] ||
		fail "$("$tool" -j show cgroup)"
}

# says STATUS TEXT WORD...: what the tool answers
says() {
	local status=$1 text=$2 out
	shift 2

	out=$("$tool" "$@" 2>&1)
	[ $? = "$status" ] || fail "$*: status is not $status: $out"
	[[ $out == *"$text"* ]] || fail "$*: $out"
}

test_errors() {
	local out
	make_group
	says 1 "" cgroup add
	says 2 "there is no process 4000000" cgroup add 4000000
	says 2 "it is not selected" cgroup remove /fsk-test
	check "add" "$tool" cgroup add /fsk-test
	says 2 "it is selected already" cgroup add /fsk-test
	# Those that are right are done nevertheless.
	says 2 "it is not selected" cgroup remove /fsk-no /fsk-test
	says 0 "" show cgroup
	"$tool" show cgroup | grep -q fsk-test && fail "it is still selected"
	# A container's root may not: it holds for the machine.
	out=$(unshare -Ur "$tool" cgroup add /a 2>&1) && fail "a container may"
	[[ $out == *"not permitted"* ]] || fail "$out"
}

run_tests "${@:-${tests[@]}}"
