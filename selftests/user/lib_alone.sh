#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The preload library by itself, with glibc and musl: a program answers for the
# module. Needs no module and no rights, and is quick.
#
#   selftests/user/lib_alone.sh [TEST...]
#
# shellcheck disable=SC2317 # tests are called by their names
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

library=$FSK_ROOT/build/libfsocket.so
tests=(threads default_attr forks vfork told sandbox
	log_pipe log_size log_terminal log_cancel imports
	documented)

# build COMPILER ARGUMENT...: the program, whose getsockopt() and so on are the
# library's, too
build() {
	"$@" -O2 -D_GNU_SOURCE -rdynamic -o "$work/${1##*/}" \
		"$here/lib_alone.c" -lpthread || fail "$1: does not compile"
}

# alone TEST VARIABLE=VALUE...: silent and successful, with each C library
alone() {
	local test=$1 compiler output status
	shift

	need cc
	work=$(mktemp -d) || fail "no temporary folder"
	defer rm -rf "$work"
	build cc
	# musl has no headers of the kernel.
	! command -v musl-gcc >/dev/null || build musl-gcc \
		-idirafter /usr/include -idirafter "/usr/include/$(uname -m)-linux-gnu"
	for compiler in "$work"/*; do
		output=$(timeout 60 env LD_PRELOAD="$library" "$@" \
			"$compiler" "$test" 2>&1)
		status=$?
		[ "$status" = 0 ] && [ -z "$output" ] && continue
		fail "${compiler##*/}: status $status: $output"
	done
}

# pin TEST: a thread is bound, so it must have had more than one CPU before.
pin() {
	[ "$(nproc)" -gt 1 ] || skip "one CPU"
	alone "$1" FASTSOCKET_PIN=1
}

test_threads() { pin threads; }
test_default_attr() { pin default-attr; }
test_forks() { pin forks; }
test_vfork() { pin vfork; }
test_told() { pin told; }
test_sandbox() { pin sandbox; }

# The log goes where the test leads it.
log() {
	alone "$1" FASTSOCKET_LOG=1
}

test_log_pipe() { log log-pipe; }
test_log_size() { log log-size; }
test_log_terminal() { log log-terminal; }
test_log_cancel() { log log-cancel; }

# What it calls of the C library may be called in a signal handler and after
# fork(). snprintf() and inet_ntop() may by what both C libraries do for these
# formats, the others of glibc's manual and POSIX; dl*() are called at start.
imports=(__environ __errno_location __sched_cpucount clock_gettime dlerror
	dlopen dlsym environ getpid getsockname getsockopt inet_ntop ioctl
	memcpy memset pthread_equal pthread_self pthread_setcanceltype
	secure_getenv setsockopt snprintf strcmp strlen strncmp syscall
	vsnprintf __stack_chk_fail)

test_imports() {
	need nm
	local found

	found=$(nm -D -u "$library" | sed -nE 's/^ *U ([^@]*).*/\1/p' |
		grep -vxFf <(printf '%s\n' "${imports[@]}"))
	[ -z "$found" ] || fail "$found"
}

# Each function that it stands before, and each variable that it reads.
test_documented() {
	local name manual

	# Without the manual's way to write an underscore.
	manual=$(sed 's/\\_/_/g' "$FSK_ROOT/tools/man/libfsocket.7.scd")
	while read -r name; do
		grep -qwF "*$name*()" <<<"$manual" ||
			fail "$name() is not in the manual"
	done < <(sed -nE 's/^\t(\w+);$/\1/p' "$FSK_ROOT/lib/preload.map")
	while read -r name; do
		grep -qxF "*$name*" <<<"$manual" ||
			fail "$name is not in the manual"
	done < <(grep -ohE '"FASTSOCKET_\w+"' "$FSK_ROOT"/lib/*.c | tr -d '"')
}

[ $# -eq 0 ] || tests=("$@")
[ -e "$library" ] || make -s -C "$FSK_ROOT" programs || exit 1
run_tests "${tests[@]}"
