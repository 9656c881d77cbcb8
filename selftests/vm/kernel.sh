# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Build a kernel from Debian's source package into a folder of the cache:
#
#   vmlinux     what selftests/vm/boot boots
#   bzImage     the same for a boot loader; vmlinuz-RELEASE is a link to it
#   build       pass it as KDIR= to build the module for this kernel
#   release     the kernel release, a file of one line
#   lib/modules what belongs below /lib of a guest that runs it
#
# Sourced by debug-kernel and patched-kernel after cache.sh. They own the
# configuration and what the folder's name depends on; this file the recipe.
# Progress is on stderr.

ker_series='' ker_dir='' ker_log='' ker_make_pid=''

say() { echo "$ker_title: $*" >&2; }
die() {
	say "$*"
	exit 1
}

fail() {
	tail -n 40 "$ker_log" >&2
	die "the build failed; log: $ker_log"
}

# Object files would be most of the folder; the module build needs none.
ker_prune() {
	local d
	for d in block certs crypto drivers fs init io_uring ipc kernel lib \
		mm net security sound usr virt; do
		rm -rf "${ker_dir:?}/build/$d" "${ker_dir:?}/source/$d"
	done
	find "$ker_dir/build/arch" -name '*.o' -delete
	find "$ker_dir/build" -maxdepth 1 -name '*vmlinux*' -delete
}

# ker_unpack [PATCH...]
ker_unpack() {
	local file
	[ -e "$ker_dir/source/.unpacked" ] && return
	say "unpack the source"
	rm -rf "$ker_dir/source"
	mkdir -p "$ker_dir/source"
	# Code of other machines is left out; their Kconfig files are read.
	LC_ALL=C tar -C "$ker_dir/source" --strip-components=1 \
		--exclude='*/Documentation/*.rst' \
		--exclude='*/Documentation/*.yaml' \
		--exclude='*/arch/[a-wyz]*/*.[chS]' \
		--exclude='*/arch/[a-wyz]*/*.dts*' \
		--exclude='*/drivers/gpu/*.[ch]' \
		--exclude='*/drivers/media/*.[ch]' \
		--exclude='*/drivers/staging/*.[ch]' \
		--exclude='*/drivers/net/wireless/*.[ch]' \
		--exclude='*/drivers/net/ethernet/*.[ch]' \
		--exclude='*/sound/*.[ch]' \
		--exclude='*/tools/testing/*' \
		--exclude='*/tools/perf/*' \
		-xf "$ker_tarball"
	for file; do
		say "apply ${file##*/}"
		patch -d "$ker_dir/source" -p1 -s --fuzz=0 -i "$file" \
			>>"$ker_log" 2>&1 || fail
	done
	touch "$ker_dir/source/.unpacked"
}

# The folder's fragment; what it asks for and does not get is told.
ker_configure() {
	local line lacks=
	mkdir -p "$ker_dir/build"
	make -s -C "$ker_dir/source" O="$ker_dir/build" \
		KCONFIG_ALLCONFIG="$ker_dir/fragment" allnoconfig \
		>>"$ker_log" 2>&1 || fail
	while IFS= read -r line; do
		case $line in
		\#* | '' | *=n) continue ;;
		esac
		grep -qxF "$line" "$ker_dir/build/.config" ||
			lacks="$lacks ${line%%=*}"
	done <"$ker_dir/fragment"
	[ -z "$lacks" ] || say "this series lacks:$lacks"
}

# Runs make as a job of its own, so that a signal to us ends all of it.
ker_compile() {
	local begin=$SECONDS ticks=0 n
	say "build, some 20 minutes on two cores; log: $ker_log"
	set -m
	nice -n 5 make -C "$ker_dir/source" O="$ker_dir/build" -j"$(nproc)" \
		bzImage modules >>"$ker_log" 2>&1 </dev/null 9>&- &
	ker_make_pid=$!
	set +m
	while kill -0 "$ker_make_pid" 2>/dev/null; do
		sleep 1
		ticks=$((ticks + 1))
		[ $((ticks % 20)) -eq 0 ] || continue
		n=$(grep -cE '^  (CC|AS) ' "$ker_log" || true)
		say "$n objects, $((SECONDS - begin)) s"
	done
	if ! wait "$ker_make_pid"; then
		ker_make_pid=
		fail
	fi
	ker_make_pid=
}

ker_publish() {
	local release
	release=$(cat "$ker_dir/build/include/config/kernel.release")
	cp "$ker_dir/build/arch/x86/boot/bzImage" "$ker_dir/bzImage"
	ln -sf bzImage "$ker_dir/vmlinuz-$release"
	if [ "$ker_series" = 6.1 ]; then
		# Its PVH entry is instrumented by KASAN, which is not up then.
		ln -f "$ker_dir/bzImage" "$ker_dir/vmlinux"
	else
		strip -o "$ker_dir/vmlinux" "$ker_dir/build/vmlinux"
	fi
	cp "$ker_dir/build/System.map" "$ker_dir/build/.config" "$ker_dir/"
	mkdir -p "$ker_dir/lib/modules/$release"
	ln -sfn "$ker_dir/build" "$ker_dir/lib/modules/$release/build"
	cp "$ker_dir/build/modules.builtin" \
		"$ker_dir/build/modules.builtin.modinfo" \
		"$ker_dir/build/modules.order" "$ker_dir/lib/modules/$release/"
	depmod -b "$ker_dir" "$release"
	ker_prune
	echo "$release" >"$ker_dir/release"
	touch "$ker_dir/ready"
}

ker_cleanup() {
	[ -z "$ker_make_pid" ] || kill -- "-$ker_make_pid" 2>/dev/null || true
}

# ker_source SERIES GROUP: find Debian's source package, and install GROUP of
# setup.sh if it is not there; sets ker_tarball and ker_version.
ker_source() {
	ker_series=$1
	ker_tarball=/usr/src/linux-source-$1.tar.xz
	if ! [ -e "$ker_tarball" ]; then
		"$here/../setup.sh" "$2" >&2
		[ -e "$ker_tarball" ] || die "no $ker_tarball"
	fi
	ker_version=$(dpkg-query -W -f '${Version}' "linux-source-$1")
}

# ker_key: the short hash by which a folder is named, of what is on stdin
ker_key() { sha256sum | cut -c1-8; }

# ker_build KIND KEY CONFIG [PATCH...]: make the folder if it is not there, and
# print its name. KIND tells apart what lies in the cache and in the release;
# CONFIG is the text of the configuration.
ker_build() {
	local kind=$1 key=$2 config=$3
	shift 3
	ker_dir=$vm_cache/$kind-$ker_series-$key
	ker_log=$ker_dir/log
	trap ker_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	mkdir -p "$ker_dir"
	if ! [ -e "$ker_dir/ready" ]; then
		vm_lock "$kind-$ker_series-$key"
		if ! [ -e "$ker_dir/ready" ]; then
			: >"$ker_log"
			ker_unpack "$@"
			printf '%s\nCONFIG_LOCALVERSION="-fsk%s-%s"\n' \
				"$config" "$kind" "$key" >"$ker_dir/fragment"
			ker_configure
			ker_compile
			ker_publish
			say "ready"
		fi
		vm_unlock
	fi
	echo "$ker_dir"
}
