# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completion of fastsocket's command line. It asks the help, so that it has what
# the tool has. Those for zsh and fish ask this one.

_fastsocket_first() { # the first words of commands
	fastsocket --help 2>/dev/null |
		sed -n 's/^  \([a-z]\{2,\}\).*/\1/p' | sort -u
}

_fastsocket_second() { # WORD: what may follow it
	fastsocket --help 2>/dev/null |
		sed -n "s/^  $1 \([a-z][a-z]*\).*/\1/p"
}

_fastsocket_options() { # WORD...: options of a command, and of all
	fastsocket "$@" --help 2>/dev/null |
		sed -n 's/^ *\(-[a-zA-Z], \)\?\(--[a-z-]*\).*/\2/p'
}

_fastsocket_values() { # SETTING: its values
	local values
	values=$(fastsocket set --help 2>/dev/null |
		sed -n "s/^  $1=\([^ ]*\).*/\1/p")
	case $values in
	MODE) echo off mask steer ;;
	*'|'*) echo "${values//|/ }" ;;
	esac
}

_fastsocket_units() {
	systemctl list-unit-files --type=service --no-legend --no-pager \
		2>/dev/null | cut -d' ' -f1
}

# Those that there are now; what bash would read a backslash for is left out.
_fastsocket_running() {
	systemctl list-units --type=service --state=active --plain \
		--no-legend --no-pager 2>/dev/null |
		sed '/\\/d; s/ .*//'
}

_fastsocket_profiles() {
	fastsocket config show 2>/dev/null |
		sed -n '/^profiles:/,$s/^  \([^ ]*\):$/\1/p'
}

_fastsocket_interfaces() {
	ls /sys/class/net
}

# _fastsocket_args COUNT WORD...: what may come after a whole command and COUNT
# words more
_fastsocket_args() {
	local count=$1
	shift

	case $* in
	set) fastsocket set --help 2>/dev/null |
		sed -n 's/^  \([a-z-]*=\).*/\1/p' ;;
	enable) _fastsocket_units ;;
	adopt | check | release) [ "$count" != 0 ] || _fastsocket_running ;;
	cgroup\ *)
		echo self
		_fastsocket_running
		;;
	tune) _fastsocket_interfaces ;;
	disable) fastsocket enabled 2>/dev/null |
		sed -n '2,$s/ .*//p' ;;
	"rfd set")
		case $count in
		0) _fastsocket_interfaces ;;
		1) echo off mask rss steer ntuple ;;
		esac
		;;
	rfd\ *) _fastsocket_interfaces ;;
	esac
}

_fastsocket() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local words=() rest=0 word i list=''

	# bash takes "=" for a word of its own.
	if [ "$before" = = ] || [ "$current" = = ]; then
		i=$((COMP_CWORD - 1))
		[ "$before" != = ] || i=$((COMP_CWORD - 2))
		list=$(_fastsocket_values "${COMP_WORDS[i]}")
		mapfile -t COMPREPLY < <(compgen -W "$list" -- "${current#=}")
		return
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--)
			mapfile -t COMPREPLY < <(compgen -c -- "$current")
			return
			;;
		--netns | --profile | --ports | --connect-ports) i=$((i + 1)) ;;
		-*) ;;
		*)
			if [ ${#words[@]} = 0 ] || { [ ${#words[@]} = 1 ] &&
				[ -n "$(_fastsocket_second "${words[0]}")" ]; }; then
				words+=("$word")
			else
				rest=$((rest + 1))
			fi
			;;
		esac
	done
	case $before in
	--netns) list=$(ip netns list 2>/dev/null | cut -d' ' -f1) ;;
	--profile) list=$(_fastsocket_profiles) ;;
	--ports | --connect-ports) list= ;;
	*)
		case $current in
		-*) list=$(_fastsocket_options "${words[@]}") ;;
		*)
			case ${#words[@]} in
			0) list=$(_fastsocket_first) ;;
			1) list=$(_fastsocket_second "${words[0]}") ;;
			esac
			[ -n "$list" ] ||
				list=$(_fastsocket_args "$rest" "${words[@]}")
			;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$list" -- "$current")
	case ${words[*]} in
	config\ *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	cgroup\ *)
		case $current in
		/*) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
		esac
		;;
	esac
	case ${COMPREPLY[*]} in
	*=) compopt -o nospace 2>/dev/null ;;
	esac
}

# _fastsocket_print WORD...: what is offered for the last word, for shells that
# take no "=" for a word of its own
_fastsocket_print() {
	local last=${!#} name=''

	case $last in
	*=*)
		name=${last%%=*}=
		set -- "${@:1:$#-1}" "${name%=}" = "${last#*=}"
		;;
	esac
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_fastsocket
	[ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]/#/$name}"
}

complete -F _fastsocket fastsocket
