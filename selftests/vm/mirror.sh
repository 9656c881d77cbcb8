# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Where this machine gets Debian from, and entries for apt's sources that name
# other suites on the same servers. Sourced; owns nothing.

# mirror_uri [security]: where this machine's own sources get Debian from. The
# security archive lies beside the main one where no source names it.
mirror_uri() {
	local label=Debian uri
	[ $# -eq 0 ] || label=Debian-Security
	uri=$(apt-get indextargets 'Created-By: Packages' "Label: $label" |
		sed -n 's/^Site: //p' | head -n 1)
	[ -n "$uri" ] || [ $# -eq 0 ] || uri=$(mirror_uri)
	[ -n "$uri" ] || return 1
	uri=${uri%/}
	[ $# -eq 0 ] || uri=${uri%-security}-security
	echo "$uri"
}

# What mirror_uri has answered: apt takes a moment, and entries are made by the
# dozen.
declare -A mirror_uris=()

# mirror_entry SUITE: an entry for apt's sources
mirror_entry() {
	local part=main key=/usr/share/keyrings/debian-archive-keyring.gpg
	case $1 in *-security) part=security ;; esac
	[ -n "${mirror_uris[$part]-}" ] ||
		mirror_uris[$part]=$(mirror_uri ${part#main}) || return
	printf '%s\n' "Types: deb" "URIs: ${mirror_uris[$part]}" "Suites: $1" \
		"Components: main"
	[ ! -e $key ] || echo "Signed-By: $key"
}
