#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The preload library. As root, on a machine of one's own:
#
#   selftests/vm/boot -- selftests/user/lib_preload.sh [TEST...]
#
# shellcheck disable=SC2317 # tests are called by their names
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

library=$FSK_ROOT/build/libfsocket.so
module=$FSK_ROOT/build/kmod/$(uname -r)/fastsocket.ko
tests=(symbols fallback fallback_native unprivileged joins joins_native others
	ports ports_bad log log_off closed_stderr other_preload environment
	pin_off pin_accept pin_poll pin_select pin_epoll pin_many pin_processes
	pin_mask pin_bound pin_descendants pin_registrar pin_told pin_attr
	pin_exec pin_not_joined
	connect connect_off connect_ports connect_log connect_strace
	bad_pointers sandbox asan accept accept_off accept_apparmor)

# under VARIABLE=VALUE... PROGRAM...: with the library, and nothing else set
under() {
	env -u FASTSOCKET_PORTS -u FASTSOCKET_LOG -u FASTSOCKET_PIN \
		-u FASTSOCKET_CONNECT -u FASTSOCKET_CONNECT_PORTS \
		-u FASTSOCKET_ACCEPT \
		LD_PRELOAD="$library" "$@"
}

# python TEST, with the same: silent and successful
python() {
	local output

	output=$(timeout 300 "${wrapper[@]}" env LD_PRELOAD="$library" "${vars[@]}" \
		/usr/bin/python3 "$here/lib_preload.py" "$1" 2>&1) &&
		[ -z "$output" ] && return
	fail "$output"
}

native() {
	need cc
	work=$(mktemp -d)
	defer rm -rf "$work"
	# Its setsockopt() is also the library's.
	cc -O2 -D_GNU_SOURCE -rdynamic -o "$work/native" "$here/lib_preload.c" \
		-lpthread || fail "does not compile"
}

# quiet COMMAND...: succeeds, and prints nothing
quiet() {
	local output

	output=$("$@" 2>&1) && [ -z "$output" ] && return
	fail "$output"
}

without_module() {
	[ -d /sys/module/fastsocket ] || return 0
	rmmod fastsocket || fail "the module stays"
	defer insmod "$module"
}

with_module() {
	[ -d /sys/module/fastsocket ] || insmod "$module" || fail "no module"
}

# Each call by which a worker waits, listens, connects, makes another or counts
# CPUs, and nothing else.
test_symbols() {
	need nm
	local found

	found=$(nm -D --defined-only "$library" | awk '{ print $3 }' | xargs)
	[ "$found" = "_Fork __poll_chk __ppoll_chk accept accept4 connect \
listen poll ppoll prctl pselect pthread_create pthread_getaffinity_np \
pthread_setaffinity_np sched_getaffinity sched_setaffinity select sendmmsg sendmsg sendto \
thrd_create" ] || fail "$found"
}

test_fallback() {
	without_module
	vars=(FASTSOCKET_PIN=1)
	python plain
}

test_fallback_native() {
	without_module
	native
	quiet under "$work/native" plain
}

# Nobody needs rights to join once the module is there.
test_unprivileged() {
	need setpriv
	wrapper=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	python joins
}

test_joins() { python joins; }

test_joins_native() {
	native
	quiet under "$work/native" joins
}

test_others() { python others; }

test_ports() {
	vars=("FASTSOCKET_PORTS=7001,7010-7019")
	python ports
}

test_ports_bad() {
	vars=("FASTSOCKET_PORTS=7001,")
	python ports_bad
}

test_log() {
	local output

	native
	output=$(under FASTSOCKET_LOG=1 FASTSOCKET_PORTS=1-65535 \
		"$work/native" joins 2>&1)
	echo "$output" | grep -q '^fastsocket\[[0-9]*/[0-9]*\]: 0.0.0.0:[0-9]*: joined$' ||
		fail "joined: $output"
	output=$(under FASTSOCKET_LOG=1 FASTSOCKET_PORTS=1 \
		"$work/native" plain 2>&1)
	echo "$output" | grep -q 'left alone: port is not in FASTSOCKET_PORTS$' ||
		fail "ports: $output"
	without_module
	output=$(under FASTSOCKET_LOG=1 "$work/native" plain 2>&1)
	echo "$output" | grep -q 'left alone: the kernel module is not loaded$' ||
		fail "no module: $output"
}

test_log_off() {
	native
	quiet under FASTSOCKET_LOG=0 "$work/native" joins
}

test_closed_stderr() {
	native
	quiet under FASTSOCKET_LOG=1 sh -c "exec $work/native joins 2>&-"
}

# Another library that has a listen() of its own: each calls the next.
test_other_preload() {
	native
	cat >"$work/other.c" <<-'END'
	#include <dlfcn.h>
	#include <unistd.h>
	int listen(int fd, int backlog)
	{
		int (*next)(int, int) = dlsym(RTLD_NEXT, "listen");
		return write(1, "x", 1) == 1 ? next(fd, backlog) : -1;
	}
	END
	cc -shared -fPIC -D_GNU_SOURCE -o "$work/other.so" "$work/other.c" || fail
	for order in "$library:$work/other.so" "$work/other.so:$library"; do
		output=$(LD_PRELOAD=$order "$work/native" joins)
		[[ $output = xxxx*x ]] || fail "$order: $output"
	done
}

# A program may overwrite or clear its environment.
test_environment() {
	vars=("FASTSOCKET_PORTS=7001,7010-7019" FASTSOCKET_PIN=)
	python ports
}

test_pin_off() { python pin_off; }

pin() {
	vars=(FASTSOCKET_PIN=1)
	python "$1"
}

test_pin_accept() { pin pin_accept; }
test_pin_poll() { pin pin_poll; }
test_pin_select() { pin pin_select; }
test_pin_epoll() { pin pin_epoll; }
test_pin_many() { pin pin_many; }
test_pin_processes() {
	# Its children sleep until the group is killed.
	need setsid
	wrapper=(setsid -w sh -c "\"\$@\"; s=\$?; trap '' TERM; kill -TERM 0
		exit \$s" sh)
	pin pin_processes
}

test_pin_mask() {
	need taskset
	wrapper=(taskset -c "1,2")
	pin pin_mask
}

test_pin_bound() { pin pin_bound; }
test_pin_descendants() { pin pin_descendants; }
test_pin_registrar() { pin pin_registrar; }
test_pin_told() { pin pin_told; }

test_pin_attr() {
	native
	quiet under FASTSOCKET_PIN=1 "$work/native" attr
}

test_pin_exec() { pin pin_exec; }

test_pin_not_joined() {
	vars=(FASTSOCKET_PIN=1 FASTSOCKET_PORTS=7001)
	python pin_not_joined
}

test_connect() {
	native
	quiet under FASTSOCKET_CONNECT=1 "$work/native" connect
}

test_connect_off() {
	native
	quiet under "$work/native" no-connect
	quiet under FASTSOCKET_CONNECT=0 "$work/native" no-connect
	quiet under FASTSOCKET_CONNECT=1 FASTSOCKET_CONNECT_PORTS=1x \
		"$work/native" no-connect
}

test_connect_ports() {
	local list expect output

	native
	while read -r list expect; do
		output=$(under FASTSOCKET_CONNECT=1 \
			FASTSOCKET_CONNECT_PORTS="${list#-}" "$work/native" \
			connect-ports)
		[ "$output" = "$expect" ] || fail "'$list': $output"
	done <<-END
	- 1 1
	7001 1 0
	80,7002-7003 0 1
	1-65535 1 1
	7001, 0 0
	END
}

# log_says WORDS TEST VARIABLE=VALUE...
log_says() {
	local words=$1 test=$2 output
	shift 2

	output=$(under FASTSOCKET_LOG=1 FASTSOCKET_CONNECT=1 "$@" \
		"$work/native" "$test" 2>&1)
	echo "$output" |
		grep -q "^fastsocket.*: fd [0-9]* to .*:[0-9]*: $words\$" ||
		fail "no '$words': $output"
}

test_connect_log() {
	native
	log_says 'source port by core' connect
	log_says 'left alone: port is not in FASTSOCKET_CONNECT_PORTS' \
		connect FASTSOCKET_CONNECT_PORTS=1
	log_says 'left alone: it uses another ULP' connect
	log_says 'left alone: not a plain TCP socket' connect
	without_module
	log_says 'left alone: the kernel module is not loaded.*' connect-ten
	log_says 'left alone: the kernel refused a moment ago' connect-ten
}

# calls VARIABLE=VALUE...: system calls of ten connections, as strace saw them
calls() {
	under "$@" strace -f -ttt -o "$work/trace" "$work/native" connect-ten ||
		fail "strace"
	# The loader's work differs by the length of the environment, not by
	# connections.
	grep -cE ' ((set|get)sockopt|connect|clock_gettime|fcntl|rt_sigprocmask)\(' \
		"$work/trace"
}

# How many seconds are between the first connect() of the trace and the last
span() {
	awk '/ connect\(/ { if (!n++) first = $2; last = $2 }
		END { print int(last - first) }' "$work/trace"
}

# Two more for each socket where the module is, to read the address and to prime,
# and two in all where it isn't, unless that takes more than a second.
test_connect_strace() {
	local off on primed most

	need strace
	native
	off=$(calls FASTSOCKET_CONNECT=0) || exit 1
	on=$(calls FASTSOCKET_CONNECT=1) || exit 1
	primed=$(grep -c 'fastsocket-rfd.*= 1$' "$work/trace")
	[ "$primed" = 10 ] || note "the module does not know fastsocket-rfd"
	[ "$primed" = 10 ] && [ $((on - off)) != 20 ] && fail "$off, then $on"
	without_module
	on=$(calls FASTSOCKET_CONNECT=1) || exit 1
	most=$((2 + 2 * $(span)))
	{ [ $((on - off)) -ge 2 ] && [ $((on - off)) -le "$most" ]; } ||
		fail "without the module: $off, then $on, at most $most more"
}

# counted NAME: a counter of this namespace
counted() {
	"$FSK_TOOL" show stats |
		awk -v name="$1" '$1 == name { print $2 }'
}

counted_above() {
	[ "$(counted "$1")" -gt "$2" ]
}

with_vfs() {
	"$FSK_TOOL" set vfs=on || fail "not switched on"
	defer "$FSK_TOOL" set vfs=off
}

# A pointer that can't be followed gets what it gets without the library.
test_bad_pointers() {
	local all=(FASTSOCKET_CONNECT=1 FASTSOCKET_PIN=1 FASTSOCKET_ACCEPT=1)

	native
	"$work/native" bad >"$work/plain" || fail "without the library"
	grep -q ' 14$' "$work/plain" || fail "no EFAULT: $(cat "$work/plain")"
	under "${all[@]}" "$work/native" bad >"$work/with" ||
		fail "ends with $?: $(tail -1 "$work/with")"
	cmp -s "$work/plain" "$work/with" ||
		fail "$(diff "$work/plain" "$work/with")"
	under "${all[@]}" FASTSOCKET_LOG=1 "$work/native" bad >"$work/with" \
		2>"$work/log" || fail "with a log: $?"
	cmp -s "$work/plain" "$work/with" ||
		fail "with a log: $(diff "$work/plain" "$work/with")"
}

# A filter that a program sets for itself ends it for any call but its own.
test_sandbox() {
	local vars

	native
	quiet "$work/native" sandbox
	for vars in "" FASTSOCKET_CONNECT=1 FASTSOCKET_ACCEPT=1 \
		FASTSOCKET_PIN=1; do
		# shellcheck disable=SC2086 # none, or one
		quiet under $vars "$work/native" sandbox
	done
}

# A program with the shared AddressSanitizer starts if that is named first.
test_asan() {
	local asan

	need cc
	work=$(mktemp -d)
	defer rm -rf "$work"
	asan=$(cc -print-file-name=libasan.so)
	[ -e "$asan" ] || skip "no shared AddressSanitizer"
	echo 'int main(void) { return 0; }' >"$work/asan.c"
	cc -fsanitize=address -o "$work/asan" "$work/asan.c" || fail "cc"
	quiet env LD_PRELOAD="$(realpath "$asan"):$library" "$work/asan"
}

test_accept() {
	local before

	native
	with_vfs
	before=$(counted vfs-accept)
	quiet under FASTSOCKET_ACCEPT=1 "$work/native" accept
	[ "$(counted vfs-accept)" -gt $((before + 100)) ] ||
		fail "accepted by the module: $before, $(counted vfs-accept)"
}

# Off by default, and programs must ask for it.
test_accept_off() {
	local before

	native
	before=$(counted vfs-accept)
	quiet under FASTSOCKET_ACCEPT=1 "$work/native" accept
	with_vfs
	quiet under "$work/native" accept
	quiet under FASTSOCKET_ACCEPT=0 "$work/native" accept
	"$FSK_TOOL" set vfs=off || fail "not switched off"
	quiet under FASTSOCKET_ACCEPT=1 "$work/native" accept
	[ "$(counted vfs-accept)" = "$before" ] || fail "it accepts all the same"
}

# confine RULES: load or replace the profile of $work/native
confine() {
	echo "profile fsk-test $work/native { file, capability, signal,
		/** mr, $1 }" |
		apparmor_parser -r -K || skip "the profile is not taken"
}

# A profile that forbids accept() is replaced under a server that accepts by
# the module: it may go on for a second.
test_accept_apparmor() {
	local server denied last before

	need apparmor_parser
	[ -d /sys/kernel/security/apparmor ] ||
		mount -t securityfs none /sys/kernel/security
	[ -w /sys/kernel/security/apparmor/.replace ] || skip "no AppArmor"
	native
	with_vfs
	defer sh -c 'printf fsk-test >/sys/kernel/security/apparmor/.remove'
	confine "network,"
	under FASTSOCKET_ACCEPT=1 "$work/native" accept-until-denied \
		>"$work/last" 2>&1 &
	server=$!
	defer stop_pid "$server"
	before=$(counted vfs-accept)
	/usr/bin/python3 - <<-'END' &
		import socket, time
		while True:
		    try:
		        socket.create_connection(("127.0.0.1", 7001)).close()
		    except OSError:
		        time.sleep(0.01)
	END
	defer stop_pid $!
	wait_for 100 counted_above vfs-accept $((before + 20)) ||
		fail "the module does not accept: $(cat "$work/last")"
	confine ""
	denied=$(awk '{ printf "%d", $1 * 1000 }' /proc/uptime)
	wait_for 60 gone "$server" || fail "it goes on accepting"
	last=$(cat "$work/last")
	[[ $last =~ ^[0-9]+$ ]] || fail "$last"
	# A second by jiffies, which lag where a virtual CPU stands still.
	[ "$last" -le $((denied + 1500)) ] || fail "$last, denied at $denied"
}

[ $# -eq 0 ] || tests=("$@")
[ -e "$library" ] || make -s -C "$FSK_ROOT" programs || exit 1
with_module
wrapper=() vars=()
run_tests "${tests[@]}"
