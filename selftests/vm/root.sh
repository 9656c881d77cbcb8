# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A root folder for each Debian release, with the compilers of its kernels: the
# module must be built by the one that its kernel was, and the headers' programs
# need that release's C library. Sourced by module; needs suites.sh.

# root_of SUITE: the release that a suite adds to
root_of() {
	case $1 in
	experimental) echo sid ;;
	*) echo "${1%%-*}" ;;
	esac
}

# debootstrap itself comes from the newest suite, which knows all others.
root_debootstrap() {
	local dir=$suites_dir/debootstrap
	[ -e "$dir/usr/sbin/debootstrap" ] || {
		rm -rf "$dir" && mkdir -p "$dir" &&
			(cd "$dir" && suites_apt sid apt-get download debootstrap &&
				dpkg-deb -x debootstrap_*.deb .) || return
	}
	DEBOOTSTRAP_DIR=$dir/usr/share/debootstrap \
		unshare --mount --propagation private --pid --fork --kill-child \
		--mount-proc "$dir/usr/sbin/debootstrap" "$@"
}

# root_prepare RELEASE PACKAGE...: make the folder, and add what it lacks
root_prepare() {
	local root=$vm_cache/roots/$1 log=$vm_cache/roots/$1.log name lacks=()
	shift
	mkdir -p "$vm_cache/roots"
	if [ ! -e "$root/ready" ]; then
		say "make a root folder of ${root##*/}, five minutes (300 MB)"
		rm -rf "$root"
		root_debootstrap --variant=minbase "${root##*/}" "$root" \
			"$(mirror_uri)" >"$log" 2>&1 || root_fail "$log"
		echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe"
		touch "$root/ready"
	fi
	for name; do
		[ -e "$root/ready-$name" ] || lacks+=("$name")
	done
	[ ${#lacks[@]} -gt 0 ] || return 0
	say "install ${lacks[*]} there"
	root_run "${root##*/}" / sh -c 'apt-get -q update &&
		DEBIAN_FRONTEND=noninteractive apt-get -q -y install \
			--no-install-recommends "$@"' sh "${lacks[@]}" \
		>"$log" 2>&1 || root_fail "$log"
	touch "${lacks[@]/#/$root/ready-}"
}

root_fail() {
	tail -n 10 "$1" >&2
	die "the root folder failed; log: $1"
}

# root_run RELEASE FOLDER COMMAND...: run a command in it, where this machine's
# FOLDER has the same name. Nothing of it outlives the command.
root_run() {
	local root=$vm_cache/roots/$1
	shift
	# shellcheck disable=SC2016
	unshare --mount --propagation private --pid --fork --kill-child sh -c '
		root=$1 folder=$2
		shift 2
		mount -t proc proc "$root/proc" &&
			mount --bind /dev "$root/dev" || exit
		if [ "$folder" != / ]; then
			mkdir -p "$root$folder" &&
				mount --bind "$folder" "$root$folder" || exit
		fi
		for bound in $BOUND; do
			mkdir -p "$root/${bound#*:}" &&
				mount --bind "${bound%%:*}" "$root/${bound#*:}" || exit
		done
		exec chroot "$root" env -i HOME=/root LC_ALL=C.UTF-8 \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
		' sh "$root" "$@"
}
