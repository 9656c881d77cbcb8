#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian's packages: built twice, checked, and installed in a root folder of
# their own, upgraded from a lower version, and purged. Takes some minutes, most
# of them for DKMS, and is run by hand, as root:
#
#   selftests/setup.sh package
#   selftests/user/packages.sh [-r ROOT | -s SUITE] [TEST...]
#
# ROOT is a root folder of Debian, which changes; without it debootstrap makes
# one of SUITE, bookworm by default. What runs in it is the folder's, except the
# kernel.
#
# shellcheck disable=SC2317 # tests are called by their names
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

debs=$FSK_ROOT/build/deb
# In this order: each needs what those before it leave.
tests=(builds reproducible lint prepare installs upgrades works purges)
suite=bookworm root=

# build: fresh packages of this tree
build() {
	make -s -C "$FSK_ROOT" deb >/dev/null || fail "no packages"
}

test_builds() {
	need dpkg-buildpackage dh
	build
	[ "$(find "$debs" -name '*.deb' ! -name '*dbgsym*' | wc -l)" = 3 ] ||
		fail "not three packages"
}

test_reproducible() {
	local first

	[ -d "$debs" ] || build
	first=$(cd "$debs" && sha256sum ./*.deb)
	build
	quiet diff <(echo "$first") <(cd "$debs" && sha256sum ./*.deb)
}

quiet() {
	local output

	output=$("$@" 2>&1) && [ -z "$output" ] && return
	fail "$output"
}

test_lint() {
	need lintian
	quiet lintian --allow-root --fail-on error,warning "$debs"/*.deb
}

# inside COMMAND...: in the root folder
inside() {
	DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$root" "$@"
}

# What DKMS and the tool need is there before, and is not what the packages leave.
test_prepare() {
	local fresh=

	need debootstrap
	if [ ! -e "$root/usr/bin/apt-get" ]; then
		debootstrap --variant=minbase "$suite" "$root" >&2 ||
			fail "no root folder"
		fresh=yes
	fi
	# Daemons stay out of it.
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	[ -z "$fresh" ] || inside apt-get -q -y install \
		--no-install-recommends dkms kmod libelf1 libmnl0 \
		libncursesw6 libyaml-0-2 gcc make systemd linux-headers-cloud-amd64 >&2 || fail "no DKMS"
	inside find / -xdev ! -path '/proc/*' ! -path '/sys/*' \
		! -path '/dev/*' ! -path '/tmp/*' >"$root.before"
}

# put FOLDER: install the three packages that are there
put() {
	cp "$1"/{fastsocket,libfsocket,fastsocket-dkms}_*.deb "$root/tmp" ||
		fail "no packages in $1"
	inside sh -c 'apt-get -q -y install /tmp/*.deb' >"$root.log" 2>&1 ||
		fail "$(tail "$root.log")"
	rm -f "$root"/tmp/*.deb
}

# The tree's, with a lower version.
test_installs() {
	local old=$root.old

	rm -rf "$old"
	"$FSK_ROOT/packaging/export" "$old" >/dev/null || fail "no copy"
	echo '0.2.0~git1.000000000' >"$old/VERSION"
	make -s -C "$old" deb >/dev/null || fail "no older packages"
	put "$old/build/deb"
	rm -rf "$old"
	[ "$(inside fastsocket -V)" = 'fastsocket 0.2.0~git1.000000000' ] ||
		fail "the tool is not installed"
	[ "$(modules)" = '0.2.0~git1.000000000' ] ||
		fail "the module: $(modules)"
}

# The versions of the modules that modprobe would take.
modules() {
	local kernel

	for kernel in "$root"/lib/modules/*/build; do
		kernel=${kernel%/build}
		inside modinfo -k "${kernel##*/}" -F version fastsocket
	done | sort -u
}

test_upgrades() {
	local version

	version=$("$FSK_ROOT/include/version")
	put "$debs"
	[ "$(inside fastsocket -V)" = "fastsocket $version" ] ||
		fail "the tool: $(inside fastsocket -V)"
	[ "$(modules)" = "$version" ] || fail "the module: $(modules)"
	[ "$(inside sh -c 'ls -d /usr/src/fastsocket-*' | wc -l)" = 1 ] ||
		fail "$(inside ls /usr/src)"
}

test_works() {
	cp "$FSK_ROOT/debian/tests/tool" "$root/tmp/tool"
	inside /tmp/tool >/dev/null || fail "the package's own test fails"
	rm "$root/tmp/tool"
}

# What dpkg, apt and DKMS itself keep is not the packages'.
test_purges() {
	local left dropin=$root/etc/systemd/system/web.service.d

	# As an image has it that was made of a machine.
	mkdir -p "$dropin"
	echo "# Made by 'fastsocket enable'; 'fastsocket disable web.service' ends it" \
		>"$dropin/50-fastsocket.conf"
	inside apt-get -q -y purge fastsocket libfsocket fastsocket-dkms \
		>"$root.log" 2>&1 || fail "$(tail "$root.log")"
	left=$(comm -13 <(sort "$root.before") <(inside find / -xdev \
		! -path '/proc/*' ! -path '/sys/*' ! -path '/dev/*' \
		! -path '/tmp/*' ! -path '/var/lib/dkms/mok.*' \
		! -path '/var/log/*' ! -path '/var/cache/*' \
		! -path '/var/lib/apt/*' ! -path '/var/lib/dpkg/*' | sort))
	[ -z "$left" ] || fail "left:" "$left"
}

while getopts r:s: option; do
	case $option in
	r) root=$OPTARG ;;
	s) suite=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
if [ -z "$root" ]; then
	folder=$(mktemp -d) || exit 1
	trap 'rm -rf "$folder"' EXIT
	root=$folder/root
fi
[ $# -eq 0 ] || tests=("$@")
run_tests "${tests[@]}"
