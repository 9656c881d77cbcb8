# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What all shell tests share: KTAP, waiting, cleaning up. Tests are functions
# that run in a subshell each, so that what one leaves behind is undone before
# the next begins.
#
#   run_tests shared_listener reload   runs test_shared_listener, test_reload;
#                                      exits 0, 1 or 4
#
# Within a test: note, need, check, skip, defer.

FSK_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
KTAP_SKIP=4
ktap_count=0 ktap_failed=0 ktap_skipped=0

plan() {
	echo "KTAP version 1"
	echo "1..$#"
}

note() {
	# shellcheck disable=SC2001 # of each line
	echo "$*" | sed 's/^/# /'
}

# Ends a test, with a reason.
skip() {
	note "skipped: $*"
	exit $KTAP_SKIP
}

fail() {
	note "failed: $*"
	exit 1
}

# check WHAT COMMAND...: the test goes on only if COMMAND succeeds.
check() {
	local what=$1
	shift

	"$@" || fail "$what ($*)"
}

# Programs that a test can't do without.
need() {
	local program

	for program; do
		command -v "$program" >/dev/null || skip "no $program here"
	done
}

# defer COMMAND...: at the end of this test, last first.
defer() {
	deferred=("$(printf '%q ' "$@")" "${deferred[@]}")
}

undo() {
	local action

	for action in "${deferred[@]}"; do
		eval "$action"
	done
	deferred=()
}

# A test of one's own is in a subshell, where exit ends only the test.
run_test() {
	local name=$1 status begin=$SECONDS test_pid

	ktap_count=$((ktap_count + 1))
	(
		deferred=()
		trap undo EXIT
		trap 'exit 1' TERM
		test_pid=$BASHPID
		watch_over $test_pid &
		defer quietly kill $!
		disown
		"test_$name"
	)
	status=$?
	note "$name: $((SECONDS - begin)) s"
	if [ $status = $KTAP_SKIP ] && [ -z "${FSK_EXPECT_ALL-}" ]; then
		ktap_skipped=$((ktap_skipped + 1))
		echo "ok $ktap_count $name # SKIP"
	elif [ $status = 0 ]; then
		echo "ok $ktap_count $name"
	else
		ktap_failed=$((ktap_failed + 1))
		echo "not ok $ktap_count $name"
	fi
}

quietly() {
	"$@" 2>/dev/null
}

# watch_over PID: ends a test that takes too long, once it has said what it waits
# for. A test that ends in time kills this; one that is killed leaves it, and the
# number may be another's by then.
watch_over() {
	local limit=${one_limit:-${FSK_ONE_LIMIT:-1800}} watcher=$BASHPID sleeping=
	local pid pids=()

	trap 'quietly kill $sleeping; exit' TERM
	sleep "$limit" >/dev/null 2>&1 &
	sleeping=$!
	wait $sleeping || exit
	is_parent "$1" || exit
	trap '' TERM
	mapfile -t pids < <(descendants "$1")
	note "no end in $limit s; what runs in it:"
	for pid in "${pids[@]}"; do
		show_process "$pid"
	done
	kill -TERM "$1"
	# Bash heeds that only when the program in front has ended, and then
	# another one may be there, or what undoes the test.
	for _ in 1 2 3 4; do
		quietly kill -KILL "${pids[@]}"
		! wait_for 20 has_left "$1" || exit
		mapfile -t pids < <(descendants "$1")
	done
	quietly kill -KILL "$1" "${pids[@]}"
}

has_left() {
	! is_parent "$1"
}

# is_parent PID: of the one who asks
is_parent() {
	local name value

	while read -r name value; do
		[ "$name" != PPid: ] || [ "$value" != "$1" ] || return 0
	done <"/proc/$BASHPID/status"
	return 1
}

# descendants PID: the asker's own branch is not among them
descendants() {
	local pid

	for pid in $(children "$1"); do
		[ "$pid" != "$watcher" ] || continue
		echo "$pid"
		descendants "$pid"
	done
}

# show_process PID: where it waits is in its kernel stack
show_process() {
	note "$1: $(tr '\0' ' ' <"/proc/$1/cmdline")"
	note "$(grep '^State' "/proc/$1/status")"
	note "$(cat "/proc/$1"/task/*/stack)"
}

finish() {
	local passed=$((ktap_count - ktap_failed - ktap_skipped))

	echo "# Totals: pass:$passed fail:$ktap_failed skip:$ktap_skipped"
	[ $ktap_failed = 0 ] || exit 1
	[ $passed -gt 0 ] || exit $KTAP_SKIP
	exit 0
}

# run_tests NAME...: all of a script, from the plan line to the exit status
run_tests() {
	local name

	plan "$@"
	for name; do
		run_test "$name"
	done
	finish
}

# selected WORD...: the tests that words stand for. "quick", "all" and "faults"
# are the caller's arrays; else a word is a test or the beginning of some.
selected() {
	local word name

	# shellcheck disable=SC2154 # the caller's
	for word; do
		case $word in
		quick) printf '%s\n' "${quick[@]}" ;;
		all) printf '%s\n' "${all[@]}" ;;
		faults) printf '%s\n' "${faults[@]}" ;;
		*)
			for name in "${all[@]}"; do
				[[ $name != "$word"* ]] || echo "$name"
			done
			;;
		esac
	done
}

# run_selected WORD...: runs them, and finishes
run_selected() {
	local names

	mapfile -t names < <(selected "$@")
	[ ${#names[@]} -gt 0 ] || {
		echo "${0##*/}: no test $*; there are: ${all[*]}" >&2
		exit 2
	}
	[ "$(id -u)" = 0 ] || { note "run as root"; exit 1; }
	[ -d /sys/module/fastsocket ] || { note "the module is not loaded"; exit 1; }
	run_tests "${names[@]}"
}

# share PART WHOLE PERCENT: at least
share() {
	[ $(($1 * 100)) -ge $(($2 * $3)) ]
}

# wait_for SECONDS COMMAND...: until it succeeds. By the clock: on an emulated
# machine a round may take long.
wait_for() {
	local end=$((SECONDS + $1))
	shift

	until "$@"; do
		[ $SECONDS -lt $end ] || {
			# The machine may have stood still since that look.
			"$@"
			return
		}
		sleep 0.1
	done
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# stop_pid PID [SIGNAL]: and wait for it, by force in the end.
stop_pid() {
	kill "-${2:-TERM}" "$1" 2>/dev/null || return 0
	wait_for 20 gone "$1" && return
	kill -KILL "$1" 2>/dev/null
	wait_for 5 gone "$1"
}

# interrupt PID: and wait for it. bpftrace 0.17 forgets a SIGINT that comes while
# it does not wait, so it gets another; much later, since one that comes while it
# prints its maps ends it before it has.
interrupt() {
	local _

	for _ in 1 2 3; do
		kill -INT "$1" 2>/dev/null || return 0
		wait_for 30 gone "$1" && return
	done
	return 1
}

# It runs no more, and all its files are closed; its parent may not know yet.
ended() {
	local line=

	[ ! -e "/proc/$1/stat" ] || read -r line 2>/dev/null <"/proc/$1/stat"
	[[ -z $line || $line == *") Z "* ]]
}

# end_children PID: those that it has, and what they listen on is free
end_children() {
	local pid list

	list=$(children "$1")
	for pid in $list; do
		kill -KILL "$pid" 2>/dev/null
	done
	for pid in $list; do
		wait_for 60 ended "$pid"
	done
}

# A program takes some tenths of a second to start on an emulated debug kernel,
# so what is asked again and again is read by the shell.
children() {
	local list=() file=/proc/$1/task/$1/children

	[ -e "$file" ] || { pgrep -P "$1"; return 0; }
	read -ra list 2>/dev/null <"$file"
	[ ${#list[@]} = 0 ] || printf '%s\n' "${list[@]}"
}

# A name that no other run uses, for namespaces, files and folders.
random_name() {
	echo "fsk-$(tr -dc a-z0-9 </dev/urandom | head -c 8)"
}

# The one counter of this network namespace, from /proc/net/netstat and snmp.
net_counter() {
	local file names values i

	for file in /proc/net/netstat /proc/net/snmp; do
		while read -ra names && read -ra values; do
			for i in "${!names[@]}"; do
				[ "${names[i]}" != "$1" ] || echo "${values[i]}"
			done
		done <"$file"
	done
}

# The tool and the library of this tree; FSK_PRELOAD tries another library.
FSK_TOOL=${FSK_TOOL:-$FSK_ROOT/build/fastsocket}

# ran STATUS COMMAND...: expects that exit status; output in $out, errors in
# $err, and both in files of these names in $work
ran() {
	local expect=$1 status
	shift

	# shellcheck disable=SC2154 # the caller's
	"$@" >"$work/out" 2>"$work/err"
	status=$?
	out=$(cat "$work/out") err=$(cat "$work/err")
	[ "$status" = "$expect" ] || fail "$*: status $status: $out $err"
}

# tool STATUS WORD...: the tool; where it succeeds it writes no error
tool() {
	local expect=$1
	shift

	ran "$expect" "$FSK_TOOL" "$@"
	[ "$expect" != 0 ] || [ -z "$err" ] || fail "fastsocket $*: $err"
}

# launch HOW COMMAND...: become COMMAND, "plain", "accelerated" or "pinned"
launch() {
	local how=$1
	shift

	case $how in
	plain) ;;
	pinned) set -- "$FSK_TOOL" run --pin -- "$@" ;;
	accelerated)
		if [ -n "${FSK_PRELOAD-}" ]; then
			export LD_PRELOAD=$FSK_PRELOAD
		else
			set -- "$FSK_TOOL" run -- "$@"
		fi
		;;
	*) return 2 ;;
	esac
	exec "$@"
}
