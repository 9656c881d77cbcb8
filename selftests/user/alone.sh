#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tool does by itself, without a module and without rights, and what
# is left when it is uninstalled:
#
#   selftests/user/alone.sh [TEST...]
#
# shellcheck disable=SC2317 # tests are called by name
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

tests=(config_again config_list help pid pattern kept
	metrics_file netns_sysfs no_list top_message package
	rpm_scripts uninstall uninstall_units uninstall_running boot_order)

begin() {
	work=$(mktemp -d) || fail "no temporary folder"
	defer rm -rf "$work"
}

# What `config show` prints is a configuration that says the same.
test_config_again() {
	local ports

	begin
	ports=$(seq -s, 10000 2 10800)
	cat >"$work/first" <<-END
		profile: "a: b"
		interfaces: {eth0.5: rss, "br#0": off, "it's": mask}
		cgroups: {/machine.slice: on, "/a #b": off}
		services:
		  'foo\\x2dbar@.service': {ports: '$ports', profile: " c\\t"}
		  "\\u4e2d.service": {pin: on}
		profiles:
		  "a: b": {set: {rescue-ms: 7}}
		  " c\\t": {connect-ports: '$ports'}
		  "\\"\\\\\\n - #\\xe9\\u2028\\U0001f600": {connect: off}
		  "": {accept: on}
		  "-": {accept: on}
		  "null": {accept: on}
	END
	tool 0 config show "$work/first"
	grep -q '^  *connect-ports: 10000,.*,10800 # ' <<<"$out" || fail "$out"
	grep -q '^profile: "a: b"  *# ' <<<"$out" || fail "$out"
	grep -q '^  /machine.slice: on  *# ' <<<"$out" || fail "$out"
	cp "$work/out" "$work/second"
	tool 0 config check "$work/second"
	tool 0 -j config show "$work/first"
	cp "$work/out" "$work/one"
	tool 0 -j config show "$work/second"
	diff "$work/one" "$work/out" || fail "it says something else"
}

# One list, whatever fails.
test_config_list() {
	[ ! -d /sys/module/fastsocket ] || skip "the module is loaded"
	begin
	echo 'interfaces: {lo: auto}' >"$work/conf"
	tool 2 -j config apply "$work/conf"
	[ "$out" = "[]" ] || fail "$out"
}

# The first word of several commands has a help, which lists them.
test_help() {
	local first second

	begin
	for first in show cgroup config rfd; do
		tool 0 "$first" --help
		[ "$(head -n 1 "$work/out")" = \
			"Usage: fastsocket $first COMMAND" ] || fail "$out"
		cp "$work/out" "$work/long"
		tool 0 "$first" -h
		cmp -s "$work/out" "$work/long" || fail "-h: $out"
		for second in $("$FSK_TOOL" --help |
			sed -n "s/^  $first \([a-z]*\).*/\1/p"); do
			grep -q "^  $first $second" "$work/long" ||
				fail "no $second: $(cat "$work/long")"
		done
		! grep -q '^  status' "$work/long" || fail "$out"
		tool 1 "$first" nonsense
		tool 1 "$first"
		grep -q "(fastsocket $first --help shows how)" <<<"$err" ||
			fail "$err"
	done
	tool 1 shw --help
}

# A number that is too large is not another process' one.
test_pid() {
	local words

	begin
	for words in "check 4294967297" "check 0" "check 99999999999999999999" \
		"adopt 4294967297" "release 0" "show process 4294967297"; do
		# shellcheck disable=SC2086 # words
		tool 1 $words
		grep -q "'${words##* }' is no process number" <<<"$err" ||
			fail "$words: $err"
	done
	tool 2 check 2147483647
	grep -q 'there is no process 2147483647' <<<"$err" || fail "$err"
}

# Where one unit is wanted, a pattern is none, in the same words.
test_pattern() {
	local command word

	begin
	for command in check disable; do
		for word in 'a*' 'a?' '[a]'; do
			tool 1 "$command" "$word"
			grep -qF "'$word' is a pattern: name each unit (" \
				<<<"$err" || fail "$command: $err"
		done
	done
}

# unread STATUS WORD...: `tune --undo -n WORD...`, where the file of a tuned
# card is of another version
unread() {
	local expect=$1
	shift

	ran "$expect" unshare -rm bash -c '
		mount -t tmpfs none /run && mkdir -p /run/fastsocket/tune &&
		echo "fastsocket tune 2" >/run/fastsocket/tune/virtio0.0 &&
		exec "$@"' - "$FSK_TOOL" tune -n --undo "$@"
	grep -q 'virtio0.0 is not as this version writes it' <<<"$err" ||
		fail "$err"
}

# Who undoes all, and can't read what to undo, has not done it.
test_kept() {
	begin
	unshare -rm mount -t tmpfs none /run 2>/dev/null ||
		skip "no mount namespace here"
	unread 2 --all
	unread 2 lo
}

# A file takes the place of another one, and of nothing else.
test_metrics_file() {
	local name

	begin
	mkdir "$work/folder"
	mkfifo "$work/fifo"
	ln -s /dev/null "$work/link"
	for name in fifo link folder; do
		tool 2 metrics --output "$work/$name"
		grep -qF "cannot write '$work/$name': it is no regular file" \
			<<<"$err" || fail "$name: $err"
	done
	[ -p "$work/fifo" ] || fail "the pipe is replaced"
	[ -L "$work/link" ] || fail "the link is replaced"
	tool 0 metrics --output "$work/new"
	tool 0 metrics --output "$work/new"
	grep -q '^fastsocket_' "$work/new" || fail "$(cat "$work/new")"
	[ "$(cd "$work" && echo *)" = "err fifo folder link new out" ] ||
		fail "left: $(ls -A "$work")"
}

# Interfaces of another namespace are not looked for in this one's /sys.
test_netns_sysfs() {
	local no='echo 0 >/proc/sys/user/max_mnt_namespaces' words said

	begin
	unshare -rn bash -c "$no" 2>/dev/null || skip "no namespaces here"
	for words in "rfd auto -n lo" "rfd auto -n --all" "tune -n --all"; do
		# shellcheck disable=SC2016,SC2086 # inner shell's; words
		ran 2 unshare -rn bash -c "$no"' && exec "$@" --netns $$' - \
			"$FSK_TOOL" $words
		said=$(grep -c 'cannot see /sys of the namespace' <<<"$err")
		[ "$said" = 1 ] || fail "$words: $err"
		[ -z "$out" ] || fail "$words: $out"
	done
}

# preload CODE: into the programs that `ran 0 env "$lib"` runs
preload() {
	need gcc
	gcc -x c -shared -fPIC -o "$work/preload.so" - <<<"$1" ||
		fail "no library"
	lib=LD_PRELOAD=$work/preload.so
}

# A machine without memory has no list of its interfaces.
test_no_list() {
	local words

	begin
	preload '
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
struct if_nameindex *if_nameindex(void)
{
	errno = ENOBUFS;
	return NULL;
}'
	for words in "tune -n --all" "rfd auto -n --all"; do
		# shellcheck disable=SC2086 # words
		ran 2 env "$lib" "$FSK_TOOL" $words
		grep -q 'no list of interfaces: No buffer' <<<"$err" ||
			fail "$words: $err"
	done
	ran 0 env "$lib" "$FSK_TOOL" report
	grep -q 'no list of interfaces: No buffer' <<<"$out" || fail "$out"
	grep -q "^== the kernel's log" <<<"$out" || fail "$out"
}

# The message of `top` is as long as everybody's.
test_top_message() {
	local message

	[ ! -d /sys/module/fastsocket ] || skip "the module is loaded"
	begin
	preload '
#include <string.h>
#include <sys/utsname.h>
int uname(struct utsname *host)
{
	memset(host, 0, sizeof(*host));
	memset(host->release, 54, sizeof(host->release) - 1);
	return 0;
}'
	ran 2 env "$lib" "$FSK_TOOL" status
	message=$err
	[ ${#message} -gt 160 ] || fail "$message"
	ran 2 env "$lib" "$FSK_TOOL" top -b -n 1
	[ "$err" = "$message" ] || fail "$err"
}

# The test that Debian's package has of its own, with this tree's files.
test_package() {
	[ ! -d /sys/module/fastsocket ] || skip "the module is loaded"
	begin
	cp "$FSK_TOOL" "$FSK_ROOT/build/libfsocket.so" "$work"
	sed "s,/usr/lib/fastsocket/,$work/," "$FSK_ROOT/debian/tests/tool" \
		>"$work/tool"
	ran 0 env PATH="$work:$PATH" sh "$work/tool"
	[ -z "$err" ] || grep -A 2 '^Tests: tool$' \
		"$FSK_ROOT/debian/tests/control" |
		grep -q '^Restrictions:.*allow-stderr' ||
		fail "it may write no error: $err"
}

# private PROGRAM...: a folder, $bin, with these alone, and a systemctl that
# says what it is asked. A script with this PATH asks nothing of the machine:
# a folder before others would not do where $TMPDIR is mounted noexec.
private() {
	local program

	bin=$work/bin
	mkdir "$bin"
	for program; do
		ln -s "$(type -P "$program")" "$bin/$program" ||
			fail "no $program"
	done
	printf '#!/bin/sh\necho "$@"\n' >"$bin/systemctl"
	chmod +x "$bin/systemctl"
	[ "$(PATH=$bin command -v systemctl)" = "$bin/systemctl" ] ||
		fail "another systemctl comes first"
	[ "$(PATH=$bin systemctl works)" = works ] ||
		fail "$bin/systemctl does not run"
}

# scriptlet NAME COUNT: what that script of the RPM package asks of systemctl,
# when so many versions of the package will be there
scriptlet() {
	awk -v name="%$1" '$0 == name { found = 1; next }
		/^%/ { found = 0 } found' "$FSK_ROOT/packaging/fastsocket.spec" |
		sed "s,/run/systemd/system,$work,; s,%%,%,
			s,/etc/systemd/system,$work/etc," >"$work/$1"
	ran 0 env PATH="$bin" sh "$work/$1" "$2"
}

# An upgrade switches nothing; a removal stops and disables all there is.
test_rpm_scripts() {
	begin
	private sh awk grep rm rmdir xargs
	mkdir -p "$work/etc/"{one,two}.service.d
	echo "# Made by 'fastsocket enable'; " |
		tee "$work/etc/"{one,two}.service.d/50-fastsocket.conf >/dev/null
	touch "$work/etc/two.service.d/mine.conf"
	printf '#!/bin/sh\necho head\necho one.service\n' >"$bin/fastsocket"
	chmod +x "$bin/fastsocket"
	scriptlet post 1
	grep -qx daemon-reload <<<"$out" || fail "$out"
	grep -q 'enable fastsocket.service$' <<<"$out" || fail "$out"
	scriptlet post 2
	[ "$out" = daemon-reload ] || fail "upgraded: $out"
	scriptlet preun 1
	[ -z "$out" ] || fail "upgraded: $out"
	[ -e "$work/etc/one.service.d/50-fastsocket.conf" ] ||
		fail "upgraded: no drop-in"
	scriptlet preun 0
	[ "$(cd "$work/etc" && find . ! -type d -o -empty)" = \
		./two.service.d/mine.conf ] || fail "$(ls -R "$work/etc")"
	grep -qx 'stop fastsocket-tune@\*.service' <<<"$out" || fail "$out"
	grep -q 'disable fastsocket-tune@.service$' <<<"$out" || fail "$out"
	grep -q 'disable --now .*fastsocket.service$' <<<"$out" || fail "$out"
	scriptlet postun 1
	! grep -q -e 'fastsocket.service' -e tune <<<"$out" || fail "$out"
}

# installed FOLDER: this tree's, as if for a package, and a module
installed() {
	make -s -C "$FSK_ROOT" install-programs dkms-install DESTDIR="$1" \
		>"$work/log" 2>&1 || fail "$(tail "$work/log")"
	mkdir -p "$1/lib/modules/6.1/updates"
	touch "$1/lib/modules/6.1/updates/fastsocket.ko"
}

# uninstalled FOLDER: the files that are left
uninstalled() {
	make -s -C "$FSK_ROOT" uninstall DESTDIR="$1" >"$work/log" 2>&1 ||
		fail "$(tail "$work/log")"
	find "$1" ! -type d
}

test_uninstall() {
	local left

	begin
	installed "$work/root"
	left=$(uninstalled "$work/root")
	[ -z "$left" ] || fail "left: $left"
	[ ! -e "$work/root/etc/fastsocket" ] || fail "its folder is left"
	installed "$work/root"
	echo "# mine" >>"$work/root/etc/fastsocket/fastsocket.conf"
	left=$(uninstalled "$work/root")
	[ "$left" = "$work/root/etc/fastsocket/fastsocket.conf" ] ||
		fail "left: $left"
}

# Where no systemd runs, and with a folder for what this machine's has.
test_uninstall_units() {
	local etc=/etc/systemd/system hidden

	begin
	hidden="mount -t tmpfs none $etc && mount -t tmpfs none /lib/modules &&
		mount -t tmpfs none /run"
	unshare -rm bash -c "$hidden" 2>/dev/null ||
		skip "no mount namespace here"
	private bash cat cmp dirname find git grep id ls make mktemp mv \
		readlink rm rmdir sed sh sort tr uname
	ln -s /bin/true "$bin/ldconfig"
	cat >"$work/switched" <<-END
		set -e
		cd $etc
		mkdir many.wants one.service.d two.service.d three.service.d
		ln -s $work/units/fastsocket-tune@.service \
			many.wants/fastsocket-tune@eth0.service
		ln -s $work/units/fastsocket-metrics.socket many.wants
		ln -s /lib/systemd/system/fastsocket.service many.wants
		echo "# Made by 'fastsocket enable'; " |
			tee {one,two,three}.service.d/50-fastsocket.conf \
			>/dev/null
		echo Environment=LD_PRELOAD=$work/usr/lib/libfsocket.so:a.so \
			>>one.service.d/50-fastsocket.conf
		echo "ExecStartPre=-+$work/usr/bin/fastsocket cgroup add self" \
			>>two.service.d/50-fastsocket.conf
		touch two.service.d/mine.conf
		echo Environment=LD_PRELOAD=/usr/lib/fastsocket/libfsocket.so \
			>>three.service.d/50-fastsocket.conf
	END
	# Nothing of this machine is named.
	ran 0 unshare -rm bash -c "$hidden && . $work/switched &&
		PATH=$bin make -s -C $FSK_ROOT uninstall \
		PREFIX=$work/usr UNITDIR=$work/units SYSCONFDIR=$work/etc \
		DKMS_ROOT=$work/src >&2 &&
		find $etc ! -type d -printf '%P\n' -o -empty -print"
	[ "$(sort "$work/out" | xargs)" = "many.wants/$(
		)fastsocket.service three.service.d/50-fastsocket.conf $(
		)two.service.d/mine.conf" ] || fail "left: $out"
}

# units WORD: packaging/units where systemd runs; what it asks of systemctl
units() {
	# shellcheck disable=SC2016 # the inner shell's
	ran 0 unshare -rm bash -c 'mount -t tmpfs none /etc/systemd/system &&
		mount --bind "$0/run" /run && cd "$0" &&
		exec env PATH="$0/bin" PREFIX="$0/usr" LIBDIR="$0/usr/lib" \
			UNITDIR="$0/units" bash "$@"' \
		"$work" "$FSK_ROOT/packaging/units" "$1"
	asked=$(grep -v -e ^show -e list-units -e is-active "$work/asked")
	rm "$work/asked"
}

# Units of ours stop, a package's go on, or begin again when ours had hidden
# them; who is not root changes nothing.
test_uninstall_running() {
	local asked

	begin
	unshare -rm mount -t tmpfs none /etc/systemd/system 2>/dev/null ||
		skip "no mount namespace here"
	private bash env grep id readlink rm rmdir sed tac touch
	mkdir -p "$work/run/systemd/system" "$work/units" "$work/package"
	touch "$work"/{units,package}/fastsocket{,-rfd,-tune@}.service
	touch "$work/package/fastsocket-metrics.socket"
	# The last word is a unit, which is active until it is stopped.
	cat >"$bin/systemctl" <<-END
		#!$bin/bash
		echo "\$*" >>$work/asked
		file=\${!#} file=\${file/@*./@.}
		case "\$*" in
		list-units*) echo "fastsocket-tune@eth0.service loaded" ;;
		*is-active*rfd*) exit 3 ;;
		show*FragmentPath*)
			for folder in units package; do
				[ ! -e $work/\$folder/\$file ] || break
			done
			echo $work/package/../\$folder/\$file
			;;
		show*LoadState*)
			[ ! -e $work/package/\$file ] || echo loaded
			;;
		esac
	END
	units disable
	[ "$asked" = "stop fastsocket-tune@eth0.service
stop fastsocket-rfd.service
stop fastsocket.service" ] || fail "stopped: $asked"
	rm "$work"/units/* "$work/package/fastsocket-tune@.service"
	units forget
	[ "$asked" = "daemon-reload
reset-failed fastsocket*
start fastsocket.service" ] || fail "started: $asked"
	[ "$(ls "$work/run")" = systemd ] || fail "left: $(ls "$work/run")"
	rm "$bin/id"
	printf '#!/bin/sh\necho 1000\n' >"$bin/id"
	chmod +x "$bin/id"
	touch "$work/asked" "$work/units/fastsocket.service"
	units disable
	[ -z "$asked" ] || fail "not root: $asked"
	touch "$work/asked"
	units forget
	[ -z "$asked" ] || fail "not root: $asked"
}

# Who looks which profiles are enforced comes after who loads them.
test_boot_order() {
	grep -q '^After=.*\bapparmor\.service\b' \
		"$FSK_ROOT/tools/fastsocket.service" ||
		fail "config apply may run before profiles are loaded"
}

[ $# -eq 0 ] || tests=("$@")
[ -x "$FSK_TOOL" ] || make -s -C "$FSK_ROOT" programs || exit 1
run_tests "${tests[@]}"
