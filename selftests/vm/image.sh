# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which kernel a run boots, and the two cached files that boot it: the kernel
# as an ELF image (booted by PVH, so the emulator need not run the kernel's own
# decompressor) and an initramfs with busybox and the few modules that reach
# the root file system. Sourced by boot; sets img_release, img_kernel,
# img_initrd, img_modroot (what lies below /lib there), img_kdir, and
# img_fetched, if it is a kernel that vm/kernel fetched, whose folder that is.
# arm64.sh sets another img_busybox, for the guest.

# Modules the initramfs loads, if the kernel does not have them built in.
img_need="virtio_pci virtio_console virtiofs overlay"

# img_find VERSION: a kernel of this machine or of the cache, the newest one
# that the module can be built for if there is one.
img_find() {
	local file release best=() rest=()
	for file in {,"$vm_cache"/images/*}/boot/vmlinuz-"$1"{,[.-]*}; do
		[ -e "$file" ] || continue
		release=${file##*/vmlinuz-}
		if [ -e "/usr/src/linux-headers-$release" ]; then
			best+=("$file")
		else
			rest+=("$file")
		fi
	done
	[ ${#best[@]} -gt 0 ] || best=("${rest[@]}")
	[ ${#best[@]} -eq 0 ] ||
		printf '%s\n' "${best[@]}" | awk -F/vmlinuz- '{ print $2, $0 }' |
		sort -V | tail -n 1 | cut -d' ' -f2-
}

# The release is in the boot header: a string at 0x200 plus the number at 0x20e.
img_release_of() {
	local at
	at=$(od -An -tu2 -j 526 -N 2 "$1")
	od -An -c -w1 -v -j $((at + 512)) -N 128 "$1" | tr -d ' ' |
		sed '/^\\0$/Q' | tr -d '\n' | sed 's/(.*//'
}

# img_select WORD: turn the -k argument into a kernel; prints why on failure
img_select() {
	local file=
	img_modroot="" img_kdir="" img_fetched="" img_arch=amd64
	img_busybox=$(command -v busybox)
	case $1 in
	debug | debug-6.12) img_select_dir "$("$here/debug-kernel" 6.12)" ;;
	debug-6.1) img_select_dir "$("$here/debug-kernel" 6.1)" ;;
	patched) img_select_dir "$("$here/patched-kernel")" ;;
	patched-stock) img_select_dir "$("$here/patched-kernel" --stock)" ;;
	newest | [0-9]*.[0-9]*)
		[ "$1" = newest ] || file=$(img_find "$1")
		if [ -z "$file" ]; then
			img_fetched=$("$here/kernel" "$1") || return
			file=$(echo "$img_fetched"/boot/vmlinuz-*)
			img_arch=$(cat "$img_fetched/arch")
		fi
		;;
	*)
		if [ -d "$1" ]; then
			img_select_dir "$(cd "$1" && pwd)"
		else
			file=$1
		fi
		;;
	esac
	[ -z "$file" ] || img_select_file "$file"
}

# A folder that debug-kernel or patched-kernel made, or one laid out like it.
img_select_dir() {
	if ! [ -e "$1/release" ] || ! [ -e "$1/vmlinux" ]; then
		say "no kernel in ${1:-the cache}"
		return 1
	fi
	img_release=$(cat "$1/release")
	img_modroot=$1
	img_kdir=$1/build
	img_kernel=$1/vmlinux
	img_initrd=$1/initramfs
}

img_select_file() {
	local dir root
	if ! [ -r "$1" ]; then
		say "no kernel at $1"
		return 1
	fi
	if [ -n "$img_fetched" ]; then
		img_release=$(cat "$img_fetched/release")
	else
		img_release=$(img_release_of "$1")
	fi
	img_source=$1
	# Unpacked, not installed: its modules lie beside it.
	root=$(cd "$(dirname "$1")/.." && pwd)
	if [ "$root" != / ] && [ -d "$root/lib/modules/$img_release" ]; then
		img_modroot=$root
	elif ! [ -e "/lib/modules/$img_release/modules.dep" ]; then
		say "no modules of $1 in /lib/modules/$img_release"
		return 1
	fi
	# The size tells rebuilds of one release apart.
	dir=$vm_cache/$img_release-$(stat -c %s-%Y "$1")
	img_kernel=$dir/vmlinux
	img_initrd=$dir/initramfs
}

# img_prepare: make the two files if they are not there
img_prepare() {
	local stamp
	stamp=$img_initrd.$(cat "$here/init" "$here/stage2" "$here/image.sh" |
		sha256sum | cut -c1-8)
	[ -e "$img_kernel" ] && [ -e "$stamp" ] && img_initrd=$stamp && return
	vm_lock image || return
	mkdir -p "${img_kernel%/*}" &&
		{ [ -e "$img_kernel" ] || "img_extract_$img_arch"; } &&
		{ [ -e "$stamp" ] || img_pack "$stamp"; }
	local rc=$?
	vm_unlock
	img_initrd=$stamp
	return $rc
}

# The boot header says where the compressed image lies (0x248, 0x24c, counted
# from the end of the set-up sectors, 0x1f1); its last word is not part of it.
img_extract_amd64() {
	local setup at size tmp=$img_kernel.$$
	setup=$(od -An -tu1 -j 497 -N 1 "$img_source")
	read -r at size <<<"$(od -An -tu4 -j 584 -N 8 "$img_source")"
	at=$(((setup + 1) * 512 + at))
	img_unpack "$(od -An -tx1 -j "$at" -N 4 "$img_source" | tr -d ' ')" \
		< <(tail -c +$((at + 1)) "$img_source" | head -c $((size - 4))) \
		>"$tmp" && strip -g "$tmp" && mv "$tmp" "$img_kernel" && return
	rm -f "$tmp"
	say "cannot unpack $img_source; boot it as it is"
	ln -sf "$img_source" "$img_kernel"
}

# It boots as it is.
img_extract_arm64() { ln -sf "$img_source" "$img_kernel"; }

img_unpack() {
	case $1 in
	28b52ffd) zstd -dcq ;;
	02214c18) lz4 -dcq ;;
	fd377a58) xz -dcq ;;
	1f8b*) gzip -dcq ;;
	*) return 1 ;;
	esac
}

# img_module_files: the files behind img_need, dependencies first
img_module_files() {
	local name
	for name in $img_need; do
		modprobe -q -d "${img_modroot:-/}" -S "$img_release" \
			--show-depends "$name"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# The boot command line and the modules' parameters stay out: this file is
# shared by all runs of the kernel. Each run appends its own small archive.
img_pack() {
	local dir=$1.dir.$$ file name app
	mkdir -p "$dir"/{bin,modules,dev,proc,sys,run,root,lower,rw}
	cp "$img_busybox" "$dir/bin/busybox" || return
	cp "$here/init" "$here/stage2" "$dir/" && chmod 755 "$dir/init" || return
	for app in sh mount umount mkdir insmod switch_root cp cat ln; do
		ln -s busybox "$dir/bin/$app"
	done
	img_module_files | while read -r file; do
		name=${file##*/}
		name=${name%%.ko*}.ko
		case $file in
		*.xz) xz -dc "$file" ;;
		*.zst) zstd -dcq "$file" ;;
		*.gz) gzip -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$dir/modules/$name"
		echo "$name" >>"$dir/modules/order"
	done
	(cd "$dir" && find . | cpio -o -H newc --quiet) >"$1.$$" &&
		mv "$1.$$" "$1"
	local rc=$?
	rm -rf "$dir"
	return $rc
}
