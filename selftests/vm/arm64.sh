# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A guest on arm64 can't run this machine's own files. It gets a root folder of
# Debian's packages for arm64, of this machine's release, and this tree's
# programs, built against that folder by this machine's cross compiler. Owns
# both. Sourced by boot, which defines say() and fail(); sets files, which share
# gets, and img_busybox.

# shellcheck source-path=SCRIPTDIR
. "$here/mirror.sh"
# shellcheck source-path=SCRIPTDIR
. "$here/suites.sh"

# What the guest's start and the C programs call, and what they are linked with.
arm64_packages="base-files base-passwd bash busybox-static coreutils dash ethtool
	findutils grep iproute2 kmod libc-bin mawk mount nftables procps python3 sed
	util-linux
	libc6-dev libelf-dev libmnl-dev libncurses-dev liburing-dev libyaml-dev"
# shellcheck disable=SC1091
arm64_release=$(. /etc/os-release && echo "$VERSION_CODENAME")
arm64_root=$vm_cache/roots/arm64-$arm64_release
# What the guest has in place of this tree's build/.
arm64_out=$top/build/arm64
arm64_compiler=aarch64-linux-gnu-gcc

# arm64_prepare: make the root folder if it is not there, bring the programs up
# to date, and set what the guest is to see. There is nothing else of this
# machine, so the command must be run in this tree.
arm64_prepare() {
	case $PWD/ in
	"$top"/*) ;;
	*) fail "on arm64 the guest has no $PWD: go to $top" ;;
	esac
	command -v $arm64_compiler >/dev/null ||
		fail "no $arm64_compiler: selftests/setup.sh arm64"
	vm_lock roots
	[ "$(cat "$arm64_root/ready" 2>/dev/null)" = "$arm64_packages" ] ||
		arm64_make_root
	vm_unlock
	arm64_build >&2 || fail "the programs do not build"
	mkdir -p "$top/build/kmod"
	img_busybox=$arm64_root/bin/busybox
	# A later one hides what an earlier one has in its place.
	files=("$arm64_root" "$top" "$arm64_out:$top/build" "$top/build/kmod"
		"$img_modroot")
}

arm64_make_root() {
	local log=$arm64_root.log
	say "make a root folder of $arm64_release for arm64, two minutes (70 MB)"
	rm -rf "$arm64_root"
	mkdir -p "$arm64_root.debs"
	if ! { arm64_download && arm64_unpack && arm64_configure; } \
		>"$log" 2>&1; then
		tail -n 10 "$log" >&2
		fail "no root folder; log: $log"
	fi
	rm -r "$arm64_root.debs"
	echo "$arm64_packages" >"$arm64_root/ready"
}

# Lists that are old name what the mirror may have no more.
arm64_download() {
	local options=(-o APT::Architecture=arm64 -o Debug::NoLocking=1
		-o "Dir::Cache::archives=$arm64_root.debs")
	local get=(apt-get "${options[@]}" -y --download-only
		--no-install-recommends install)

	mkdir -p "$arm64_root.debs/partial"
	# shellcheck disable=SC2086 # words
	suites_apt "$arm64_release" "${get[@]}" $arm64_packages && return
	suites_apt "$arm64_release" apt-get "${options[@]}" update
	# shellcheck disable=SC2086
	suites_apt "$arm64_release" "${get[@]}" $arm64_packages
}

# Folders that are links in a system stay that here.
arm64_unpack() {
	local dir file
	for dir in bin lib sbin; do
		mkdir -p "$arm64_root/usr/$dir"
		ln -s "usr/$dir" "$arm64_root/$dir"
	done
	for file in "$arm64_root.debs"/*.deb; do
		dpkg-deb --fsys-tarfile "$file" |
			tar -x --keep-directory-symlink -C "$arm64_root" ||
			return
	done
}

# What the packages' own scripts would do, as far as the tests notice.
arm64_configure() {
	local name
	for name in passwd group; do
		cp "$arm64_root/usr/share/base-passwd/$name.master" \
			"$arm64_root/etc/$name" || return
	done
	echo "127.0.0.1 localhost" >"$arm64_root/etc/hosts"
	ln -s mawk "$arm64_root/usr/bin/awk"
	mkdir -p "$arm64_root"/{dev,proc,run,sys}
}

# In a mount namespace where build/ is what the guest will see there.
arm64_build() {
	mkdir -p "$arm64_out/kmod"
	vm_lock "arm64-$(echo "$top" | cksum | cut -d' ' -f1)"
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -c '
		mount --bind "$2" "$1/build" || exit
		for part in lib tools selftests; do
			make -s -C "$1/$part" CC="$3" || exit
		done' sh "$top" "$arm64_out" \
		"$arm64_compiler --sysroot=$arm64_root" 9>&-
	local rc=$?
	vm_unlock
	return $rc
}
