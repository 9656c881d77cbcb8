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

tests=(commands second options settings values interfaces units run fish zsh)

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
	offers "lo" fastsocket tune lo
	offers "lo" fastsocket tune --undo lo
	offers "--undo" fastsocket tune --u
}

# A systemd with two services, one of which runs.
systemctl() {
	case $* in
	list-unit-files*) printf '%s\n' 'mine.service enabled -' \
		'other.service disabled -' ;;
	list-units*--state=active*) printf '%s\n' \
		'mine.service loaded active running Mine' \
		'a\x2db.service loaded active running Other' ;;
	esac
}

test_units() {
	local command

	offers "mine.service other.service" fastsocket enable ""
	for command in adopt check release; do
		offers "mine.service" fastsocket "$command" ""
		offers "" fastsocket "$command" mine ""
	done
	offers "--all-netns" fastsocket check --a
	offers "mine.service self" fastsocket cgroup add ""
	offers "self" fastsocket cgroup remove mine.service s
	offers "/proc/self" fastsocket cgroup add /proc/sel
}

# After "--" it is another program's line.
test_run() {
	offers "setpriv" fastsocket run --pin -- setpri
	offers "" fastsocket run --ports 8
}

# What other shells offer for the end of a line: LINE|WORDS, sorted.
lines() {
	cat <<-END
		fastsocket s|set show status
		fastsocket -j stat|status
		fastsocket show l|latency listen
		fastsocket set r|rescue-ms= rfd-count= rfd=
		fastsocket set rescue-ms=5 vfs=|vfs=off vfs=on
		fastsocket set vfs=on rfd=m|rfd=mask
		fastsocket rfd set lo m|mask
		fastsocket tune lo|lo
		fastsocket run --pin -- setpri|setpriv
		fastsocket set rescue-ms=|
	END
}

# A tree with what `make install` gives to the shells, and a tool by its name.
begin() {
	work=$(mktemp -d) || fail "no temporary folder"
	defer rm -rf "$work"
	make -s -C "$FSK_ROOT" install-completion PREFIX="$work" || fail "not installed"
	mkdir "$work/bin"
	ln -s "$FSK_TOOL" "$work/bin/fastsocket"
	PATH=$work/bin:$PATH
	export HOME=$work TERM=dumb
}

# same SHELL: it has offered, in lines on standard input, what was expected
same() {
	local line expect found

	while IFS='|' read -r line expect; do
		IFS= read -r found <&3 || fail "$1: nothing for '$line'"
		[ "$found" = "$expect" ] ||
			fail "$1: $line: '$found', not '$expect'"
	done 3<&0 < <(lines)
}

test_fish() {
	local line

	need fish
	begin
	while IFS='|' read -r line _; do
		fish -c "source '$work'/share/fish/*/fastsocket.fish
			complete -C '$line'" | LC_ALL=C sort -u | xargs
	done < <(lines) >"$work/offered"
	same fish <"$work/offered"
}

# zsh completes only what is typed at a terminal. There a function stands before
# the builtin that gets the words.
test_zsh() {
	need zsh
	begin
	cat >"$work/rc" <<-'END'
		PS1= fpath=($HOME/share/zsh/*(/) $fpath)
		autoload -U compinit && compinit -D -u
		compadd() {
			local -a hits
			builtin compadd -O hits "$@"
			print -rl -- $hits >>$HOME/hits
		}
		# The shell forgets it each time.
		ended() { comppostfuncs=(ended); : >$HOME/ended }
		zle -N zle-line-init ended
	END
	lines | cut -d'|' -f1 | zsh -f -c '
		zmodload zsh/zpty
		ended() {
			local end=$((SECONDS + 60))
			until [[ -e $HOME/ended ]]; do
				(( SECONDS < end )) || exit 1
				sleep 0.05
			done
			rm $HOME/ended
		}
		zpty shell zsh -f -i
		zpty -w shell "source $HOME/rc"
		ended
		while read -r line; do
			: >$HOME/hits
			zpty -w -n shell "$line"$'"'\\t'"'
			ended
			print -r -- $(LC_ALL=C sort -u $HOME/hits)
			zpty -w -n shell $'"'\\C-u'"'
		done' >"$work/offered" || fail "$(cat "$work/offered")"
	same zsh <"$work/offered"
}

[ $# -eq 0 ] || tests=("$@")
[ -x "$FSK_TOOL" ] || make -s -C "$FSK_ROOT" programs || exit 1
run_tests "${tests[@]}"
