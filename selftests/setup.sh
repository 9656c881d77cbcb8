#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# setup.sh GROUP...: install what a part of the project needs, from Debian's
# packages. Quick when all of it is there.
#
#   build      compiler, kernel headers 6.1 and 6.12, libelf, libmnl, libyaml,
#              ncurses
#   vm         QEMU and the stock kernels 6.1 and 6.12 for virtual machines
#   arm64      emulator and compiler for arm64
#   test       programs that the tests use, the kselftest headers' source, what
#              makes and boots a container, and the C libraries that other
#              systems have
#   lint       static checks; of the usual ones, Debian has no smatch
#   package    what `make deb` and `make rpm` need, and what tests the packages
#   debug      source of the 6.12 debug kernel and what builds it
#   debug-6.1  the same for 6.1
#   patched    source of the 6.12 patched kernel and what builds it
#   configs    sources of both, their compilers and what prepares them
#
# Kernels for virtual machines are unpacked into the cache, not installed, so
# this machine's next boot is not changed. Daemons that come with packages are
# not started.

set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=vm/cache.sh
. "$here/vm/cache.sh"
# shellcheck source-path=SCRIPTDIR source=vm/mirror.sh
. "$here/vm/mirror.sh"

kernel_build="flex bison libelf-dev libssl-dev bc xz-utils cpio"

packages_of() {
	case $1 in
	build)
		echo gcc make libc6-dev libelf-dev libmnl-dev \
			libncurses-dev libyaml-dev \
			pkg-config kmod python3 \
			python3-yaml scdoc xz-utils linux-headers-cloud-amd64 \
			linux-headers-6.12-cloud-amd64
		;;
	vm)
		echo qemu-system-x86 busybox-static cpio iproute2 ethtool \
			kmod zstd lz4 xz-utils binutils util-linux procps \
			linux-headers-cloud-amd64 \
			linux-headers-6.12-cloud-amd64
		;;
	arm64) echo qemu-system-arm gcc-aarch64-linux-gnu ;;
	test)
		echo nginx-light haproxy wrk redis-server curl python3 \
			python3-pyte python3-prometheus-client prometheus \
			prometheus-node-exporter \
			liburing-dev nftables iproute2 procps lsof apparmor \
			strace irqbalance linux-perf bpftrace musl-tools \
			zsh fish debootstrap systemd-container \
			linux-source-6.12
		;;
	lint)
		echo sparse shellcheck codespell yamllint perl mandoc \
			coccinelle clang prometheus systemd linux-source-6.12
		;;
	package)
		echo gcc make libc6-dev libelf-dev libmnl-dev \
			libncurses-dev libyaml-dev \
			pkg-config scdoc dpkg-dev \
			debhelper dh-dkms lintian rpm debootstrap binutils
		;;
	debug) echo gcc make kmod "$kernel_build" linux-source-6.12 ;;
	debug-6.1) echo gcc make kmod "$kernel_build" linux-source-6.1 ;;
	patched) echo gcc make kmod patch "$kernel_build" linux-source-6.12 ;;
	configs)
		echo gcc-12 gcc-12-plugin-dev clang-16 lld-16 llvm-16 make \
			"$kernel_build" linux-source-6.1 linux-source-6.12
		;;
	*) return 1 ;;
	esac
}

say() { echo "setup: $*"; }
die() {
	say "$*" >&2
	exit 1
}

# missing PACKAGE...: those that are not installed
missing() {
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
		awk -v want="$*" '
			$1 == "installed" { have[$2] = 1 }
			END {
				n = split(want, p, " ")
				for (i = 1; i <= n; i++)
					if (!(p[i] in have) && !seen[p[i]]++)
						print p[i]
			}'
}

# step TEXT COMMAND...: run it into the log, with a sign of life now and then;
# on failure show the log's end.
step() {
	local text=$1 begin=$SECONDS ticks=0
	shift
	say "$text"
	"$@" >>"$log" 2>&1 </dev/null &
	step_pid=$!
	while kill -0 "$step_pid" 2>/dev/null; do
		sleep 0.2
		ticks=$((ticks + 1))
		[ $((ticks % 50)) -ne 0 ] ||
			say "$text: $((SECONDS - begin)) s"
	done
	wait "$step_pid"
	local rc=$?
	step_pid=
	[ $rc -eq 0 ] || tail -n 30 "$log" >&2
	return $rc
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@"
}

# Packages' daemons must not start here: what they serve is up to the tests.
hold_daemons() {
	policy=/usr/sbin/policy-rc.d
	if [ -e $policy ] && ! grep -qs 'by selftests/setup.sh' $policy; then
		policy=
		return
	fi
	printf '#!/bin/sh\n# put here by selftests/setup.sh\nexit 101\n' \
		>$policy
	chmod 755 $policy
}

has_candidate() {
	apt-cache policy "$1" | grep -q 'Candidate: [0-9]'
}

# enable_suite SUITE: add a suite that the machine's sources do not name
enable_suite() {
	local list=/etc/apt/sources.list.d/fastsocket-$1.sources entry

	[ ! -e "$list" ] || return 0
	entry=$(mirror_entry "$1") || return 1
	echo "$entry" >"$list"
	say "added the suite $1"
}

# Asks for more suites only when a package has no source without them.
find_sources() {
	local suite package
	step "read the package lists" apt update ||
		say "some lists could not be read; going on"
	for suite in bookworm-security bookworm-backports; do
		for package in "$@"; do
			has_candidate "$package" && continue
			enable_suite $suite &&
				step "read the lists of $suite" apt update
			break
		done
	done
	return 0
}

install_packages() {
	local list=("$@") text
	text="install $# packages"
	[ $# -gt 6 ] || text="install $*"
	hold_daemons
	find_sources "${list[@]}"
	step "$text" apt install --no-install-recommends "${list[@]}" ||
		die "the installation failed; log: $log"
	calm_daemons "${list[@]}"
}

# On a machine run by systemd they would start at its next boot, too.
calm_daemons() {
	local name
	[ -d /run/systemd/system ] || return 0
	for name in "$@"; do
		case $name in
		nginx-light) systemctl disable -q nginx ;;
		haproxy | redis-server | prometheus*) systemctl disable -q "$name" ;;
		esac
	done >>"$log" 2>&1
}

# newest_release SERIES: the cloud kernel whose headers are installed
newest_release() {
	local dir
	for dir in /usr/src/linux-headers-"$1"[.-]*-cloud-amd64; do
		[ -d "$dir" ] && echo "${dir#/usr/src/linux-headers-}"
	done | sort -V | tail -n 1
}

# The kernel that the installed headers belong to, unless it is installed.
fetch_kernel() {
	local release dir
	release=$(newest_release "$1")
	[ -n "$release" ] || die "no headers of a $1 cloud kernel"
	dir=$vm_cache/images/$release
	[ ! -e "/boot/vmlinuz-$release" ] || return 0
	[ ! -e "$dir/ready" ] || return 0
	rm -rf "$dir"
	mkdir -p "$dir" || exit 1
	step "fetch kernel $release" unpack_kernel "$release" "$dir" ||
		die "no kernel $release; log: $log"
}

# A kernel newer than the package lists know may have replaced this one.
unpack_kernel() {
	cd "$2" &&
		{ apt download "linux-image-$1" ||
			{ apt update && apt download "linux-image-$1"; }; } &&
		dpkg-deb -x ./*.deb . &&
		rm -f ./*.deb &&
		depmod -b . "$1" &&
		ln -sfn "/usr/src/linux-headers-$1" "lib/modules/$1/build" &&
		touch ready
}

# A C library of Debian 11, to be run by its own dynamic linker. It is looked up
# apart from what this machine installs. Without it a test is skipped.
fetch_old_libc() {
	local dir=$vm_cache/glibc-2.31

	[ ! -e "$dir/ready" ] || return 0
	rm -rf "$dir"
	mkdir -p "$dir" || exit 1
	step "fetch glibc 2.31" unpack_old_libc "$dir" ||
		say "no glibc 2.31, going on; log: $log"
}

unpack_old_libc() {
	local options=(-o "Dir::State=$1/apt" -o "Dir::Cache=$1/apt"
		-o "Dir::Etc::SourceList=$1/apt/old.sources"
		-o "Dir::Etc::SourceParts=-" -o Dir::State::status=/dev/null)

	mkdir -p "$1"/apt/{lists,archives}/partial &&
		mirror_entry bullseye >"$1/apt/old.sources" &&
		cd "$1" &&
		apt "${options[@]}" update &&
		apt "${options[@]}" download libc6 libc6-dev linux-libc-dev &&
		for package in *.deb; do dpkg-deb -x "$package" . || return; done &&
		ln -sf ../lib/x86_64-linux-gnu/ld-2.31.so \
			lib64/ld-linux-x86-64.so.2 &&
		rm -rf apt ./*.deb &&
		touch ready
}

cleanup() {
	[ -z "$step_pid" ] || kill "$step_pid" 2>/dev/null
	[ -z "$policy" ] || rm -f "$policy"
}

need_root() {
	[ "$(id -u)" -eq 0 ] || die "$1: run as root"
	command -v apt-get >/dev/null || die "$1: this is not a Debian system"
}

main() {
	local group wanted=() absent=()
	[ $# -gt 0 ] || die "usage: setup.sh build|vm|arm64|test|lint|package|debug|debug-6.1|patched|configs..."
	for group in "$@"; do
		packages_of "$group" >/dev/null || die "no group $group"
		read -r -a absent <<<"$(packages_of "$group")"
		wanted+=("${absent[@]}")
	done
	mapfile -t absent < <(missing "${wanted[@]}")
	mkdir -p "$vm_cache"
	log=$vm_cache/setup.log
	if [ ${#absent[@]} -gt 0 ]; then
		need_root "to install ${absent[*]}"
		vm_lock setup
		: >"$log"
		install_packages "${absent[@]}"
		vm_unlock
	fi
	case " $* " in
	*" vm "*)
		vm_lock setup
		fetch_kernel 6.1
		fetch_kernel 6.12
		vm_unlock
		;;
	esac
	case " $* " in
	*" test "*)
		vm_lock setup
		fetch_old_libc
		vm_unlock
		;;
	esac
	say "$*: ready"
}

step_pid='' policy='' log=''
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
main "$@"
