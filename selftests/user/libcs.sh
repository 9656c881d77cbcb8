#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The preload library with the C libraries that programs bring: it stops none.
# Needs no module, and is quick. With the module loaded, in a machine, the
# listeners must join, too:
#
#   selftests/user/libcs.sh [TEST...]
#   selftests/vm/boot -- selftests/user/libcs.sh musl old_glibc
#
# shellcheck disable=SC2317 # tests are called by their names
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../vm/cache.sh
. "$here/../vm/cache.sh"

library=$FSK_ROOT/build/libfsocket.so
# shellcheck disable=SC2154 # cache.sh
old_root=$vm_cache/glibc-2.31
old_libs=$old_root/lib/x86_64-linux-gnu
tests=(versions musl_symbols musl old_glibc old_plugin no_libdl)
! command -v aarch64-linux-gnu-gcc >/dev/null || tests+=(versions_arm64)
joins=()
[ ! -d /sys/module/fastsocket ] || joins=(joins)

folder() {
	work=$(mktemp -d)
	defer rm -rf "$work"
}

# starts COMMAND...: with the library and all that it can do, silent and
# successful
starts() {
	local output status

	output=$(timeout 60 env LD_PRELOAD="$library" FASTSOCKET_PIN=1 \
		FASTSOCKET_CONNECT=1 FASTSOCKET_ACCEPT=1 FASTSOCKET_LOG=0 \
		"$@" 2>&1)
	status=$?
	[ "$status" = 0 ] && [ -z "$output" ] && return
	fail "status $status: $output"
}

# serves_old LIBRARY: it needs no glibc that is newer than 2.17, of 2012
serves_old() {
	local found

	found=$(readelf -W --dyn-syms "$1" | grep -oE '@GLIBC_[A-Z0-9._]+' |
		tr -d '@' | sort -uV)
	[ -n "$found" ] || fail "no versions found"
	found=$(printf '%s\nGLIBC_2.17~\n' "$found" | sort -V |
		sed '0,/GLIBC_2\.17~/d' | grep -v '^GLIBC_2\.17$')
	[ -z "$found" ] || fail "needs" "$found"
}

# A build on this system serves them.
test_versions() {
	need readelf
	serves_old "$library"
}

# On arm64, too. There the compiler must ask for nothing that musl may lack.
test_versions_arm64() {
	local folder=$FSK_ROOT/build/lib-arm64

	need readelf aarch64-linux-gnu-gcc
	make -s -C "$FSK_ROOT/lib" CC=aarch64-linux-gnu-gcc out="$folder" \
		lib="$folder/libfsocket.so" || fail "does not build"
	serves_old "$folder/libfsocket.so"
	! readelf -W --dyn-syms "$folder/libfsocket.so" | grep auxval ||
		fail "asks for getauxval()"
}

# musl's dynamic linker is its C library. It takes an absent weak symbol for 0.
test_musl_symbols() {
	need nm
	local libc found

	libc=/lib/ld-musl-$(uname -m).so.1
	[ -e "$libc" ] || skip "no musl"
	found=$(comm -23 \
		<(nm -D -u "$library" | sed -nE 's/^ *U ([^@]*).*/\1/p' | sort) \
		<(nm -D --defined-only "$libc" | awk '{ print $3 }' | sort))
	[ -z "$found" ] || fail "musl lacks" "$found"
}

test_musl() {
	need musl-gcc
	folder
	musl-gcc -o "$work/libcs" "$here/libcs.c" || fail "does not compile"
	starts "$work/libcs" "${joins[@]}"
}

# old_gcc ARGUMENT...: links with the old C library
old_gcc() {
	[ -e "$old_root/ready" ] ||
		skip "no old C library: selftests/setup.sh test"
	need gcc
	gcc --sysroot="$old_root" -B "$old_root/usr/lib/x86_64-linux-gnu" \
		-L "$old_root/usr/lib/x86_64-linux-gnu" "$@" || fail "does not compile"
}

# old COMMAND...: by the old dynamic linker
old() {
	starts "$old_libs/ld-2.31.so" --library-path "$old_libs" "$@"
}

test_old_glibc() {
	folder
	old_gcc -o "$work/libcs" "$here/libcs.c" \
		"$old_libs"/{libpthread.so.0,libdl.so.2}
	old "$work/libcs" "${joins[@]}"
}

# A program without threads loads a plugin with them, whose pthread_create() is
# then the library's.
test_old_plugin() {
	folder
	old_gcc -DTHREADLESS -o "$work/libcs" "$here/libcs.c" \
		"$old_libs/libdl.so.2"
	old_gcc -DPLUGIN -shared -fPIC -o "$work/plugin.so" "$here/libcs.c" \
		"$old_libs/libpthread.so.0"
	old "$work/libcs" "$work/plugin.so"
}

# A container may have the two files that its program needs, and no more.
test_no_libdl() {
	need gcc
	local file root

	folder
	root=$work/root
	gcc -o "$work/libcs" "$here/libcs.c" || fail "does not compile"
	for file in "$work/libcs" "$library" $(ldd "$work/libcs" |
		grep -o '/[^ ]*'); do
		mkdir -p "$root${file%/*}"
		cp -L "$file" "$root$file" || fail "no $file"
	done
	[ -z "$(find "$root" -name 'libdl*')" ] || fail "libdl is there"
	starts chroot "$root" "$work/libcs" "${joins[@]}"
}

[ $# -eq 0 ] || tests=("$@")
run_tests "${tests[@]}"
