# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian's suites as this machine's mirror has them, read by an apt whose state
# lies in the cache: what the machine itself installs from is not touched. Owns
# that state, and the table of all kernels. Sourced by kernel and root.sh, which
# define say() and die() and have sourced cache.sh and mirror.sh.

suites="bullseye bookworm bookworm-backports trixie trixie-backports forky sid
	experimental bullseye-security bookworm-security trixie-security"
suites_dir=$vm_cache/suites

# suites_apt SUITE PROGRAM ARGUMENT...: apt-get or apt-cache on one suite, or on
# `all`. One is quick: apt reads all lists that its sources name, each time.
suites_apt() {
	local suite=$1 program=$2
	shift 2
	"$program" -q -o "Dir::State=$suites_dir" -o "Dir::Cache=$suites_dir" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o "Dir::Etc::SourceList=$suites_dir/$suite.sources" \
		-o "Dir::Etc::SourceParts=-" -o Dir::State::status=/dev/null \
		-o Acquire::Languages=none -o Acquire::GzipIndexes=true \
		-o APT::Sandbox::User=root -o APT::Architecture=amd64 \
		-o APT::Architectures::=amd64 -o APT::Architectures::=arm64 "$@"
}

suites_sources() {
	local suite
	for suite in $suites; do
		mirror_entry "$suite" >"$suites_dir/$suite.sources" ||
			die "no source of this machine has Debian:" \
				"run apt-get update"
	done
	for suite in $suites; do
		cat "$suites_dir/$suite.sources"
		echo
	done >"$suites_dir/all.sources"
}

# A suite that the mirror has no more is left out.
suites_update() {
	say "read the lists of Debian's suites, two minutes (100 MB)"
	mkdir -p "$suites_dir"/{lists,archives}/partial
	suites_sources
	suites_apt all apt-get update >"$suites_dir/log" 2>&1 ||
		say "some lists could not be read; going on"
	suites_tabulate | sort -V -u >"$suites_dir/kernels.new"
	[ -s "$suites_dir/kernels.new" ] || {
		tail -n 5 "$suites_dir/log" >&2
		die "the suites have no kernel; log: $suites_dir/log"
	}
	mv "$suites_dir/kernels.new" "$suites_dir/kernels"
}

# A line for each kernel: version of its package, release, architecture, suite,
# the packages of its compiler, common headers and build programs. Packages that
# only name another one (linux-headers-6.12-cloud-amd64) depend on none of them.
suites_tabulate() {
	local suite arch file
	suites_apt all apt-get indextargets 'Created-By: Packages' --format \
		'$(CODENAME) $(ARCHITECTURE) $(FILENAME)' |
		while read -r suite arch file; do
			[ "$suite" != rc-buggy ] || suite=experimental
			set -- "$file"*
			/usr/lib/apt/apt-helper cat-file "$1" |
				grep -A 30 '^Package: linux-headers-' |
				suites_kernels "$suite" "$arch"
		done
}

suites_kernels() {
	awk -v suite="$1" -v arch="$2" '
	function depends(pattern) {
		if (!match(list, pattern))
			return ""
		return substr(list, RSTART + 1, RLENGTH - 1)
	}
	/^Package: / { name = $2 }
	/^Version: / { version = $2 }
	/^Depends: / {
		list = " " substr($0, 10)
		kbuild = depends(" linux-kbuild-[^ ,]+")
		common = depends(" linux-headers-[^ ,]+-common(-rt)?")
		cc = depends(" (linux-compiler-)?gcc-[0-9]+")
		sub(/linux-compiler-/, "", cc)
		if (name ~ /^linux-headers-[0-9].*(amd64|arm64(-16k)?)$/ &&
		    kbuild != "" && common != "" && cc != "")
			print version, substr(name, 15), arch, suite, cc,
				common, kbuild
	}'
}
