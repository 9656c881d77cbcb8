#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Completion of the tool's command line, without a module:
#
#   selftests/user/completion.sh [TEST...]
#
# shellcheck disable=SC2317 # tests are called by name
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../../tools/completion.bash
. "$FSK_ROOT/tools/completion.bash"

tests=(commands second options settings values interfaces run)

# The tool of this tree, by whatever name it is asked.
fastsocket() {
	"$FSK_TOOL" "$@"
}

# offers EXPECT WORD...: what is offered for the last word, sorted
offers() {
	local expect=$1 found
	shift

	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_fastsocket
	found=$(printf '%s\n' "${COMPREPLY[@]}" | sort -u | xargs)
	[ "$found" = "$expect" ] || fail "$*: '$found', not '$expect'"
}

# All commands are offered, and nothing else.
test_commands() {
	offers "$("$FSK_TOOL" --help | sed -n 's/^  \([a-z]*\).*/\1/p' |
		grep . | sort -u | xargs)" fastsocket ""
	offers "set show status" fastsocket s
	offers "status" fastsocket -j stat
}

test_second() {
	offers "auto del set watch" fastsocket rfd ""
	offers "latency listen" fastsocket show l
	offers "apply check show" fastsocket config ""
}

test_options() {
	offers "--list" fastsocket show established --l
	offers "--pin --ports" fastsocket run --p
	offers "--json" fastsocket --j
}

test_settings() {
	offers "rescue-ms= rfd-count= rfd=" fastsocket set r
	offers "vfs=" fastsocket set rescue-ms = 5 v
}

test_values() {
	offers "off on" fastsocket set vfs = ""
	offers "off on" fastsocket set vfs =
	offers "on" fastsocket set rescue-ms = 5 vfs = on
	offers "mask" fastsocket set rfd = m
	offers "" fastsocket set rescue-ms = ""
}

test_interfaces() {
	offers "lo" fastsocket rfd auto lo
	offers "lo" fastsocket rfd set lo
	offers "mask" fastsocket rfd set lo m
	offers "lo" fastsocket rfd set -n lo
}

# After "--" it is another program's line.
test_run() {
	offers "setpriv" fastsocket run --pin -- setpri
	offers "" fastsocket run --ports 8
}

[ $# -eq 0 ] || tests=("$@")
[ -x "$FSK_TOOL" ] || make -s -C "$FSK_ROOT" programs || exit 1
run_tests "${tests[@]}"
