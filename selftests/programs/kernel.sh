#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel.sh [quick | all | NAME...]: the kernel's own tests of which listener of
# a SO_REUSEPORT group has a connection, with the preload library: they pass as
# on plain listeners.  As root, with the module loaded:
#
#   make -C selftests kernels
#   selftests/vm/boot -k 6.12 -- selftests/programs/kernel.sh
#
# The Makefile takes them from the kernel's source package.

# shellcheck disable=SC2317 # tests are called by their names
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

quick=(reuseport_bpf_cpu so_incoming_cpu)
# shellcheck disable=SC2034 # lib.sh's selected() reads it
all=("${quick[@]}")
built=$FSK_ROOT/build/selftests
library=$FSK_ROOT/build/libfsocket.so

# own PROGRAM: passes as it does without the library
own() {
	[ -x "$built/$1" ] || fail "no $built/$1: run make -C selftests kernels"
	"$built/$1" >"$dir/plain" 2>&1 ||
		skip "this kernel fails its own test: $(tail -n 1 "$dir/plain")"
	LD_PRELOAD="$library" FASTSOCKET_LOG=1 "$built/$1" >"$dir/joined" 2>&1 ||
		fail "$(tail -n 20 "$dir/joined")"
	note "listeners that joined: $(grep -c ': joined$' "$dir/joined")"
	grep -q ': joined$' "$dir/joined" || fail "none of its listeners"
}

test_reuseport_bpf_cpu() {
	dir=$(mktemp -d)
	defer rm -rf "$dir"
	own reuseport_bpf_cpu
}

test_so_incoming_cpu() {
	dir=$(mktemp -d)
	defer rm -rf "$dir"
	own so_incoming_cpu
}

run_selected "${@:-quick}"
