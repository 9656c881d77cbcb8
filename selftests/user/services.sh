#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `enable`, `disable` and `enabled` with a real systemd, and each kind of
# sandbox. A folder with Debian 12 is booted as a container on this machine, as
# root; it is made at first, by debootstrap, and kept in the cache. No module is
# needed: what is looked at is whether the service loads the library and lives.
#
#   selftests/user/services.sh [TEST... | boots]
#
# Two minutes, and at first some more for the folder. "boots" makes the folder,
# and tells whether a container boots here at all.
#
# shellcheck disable=SC2317 # tests are called by name
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../vm/cache.sh
. "$here/../vm/cache.sh"
# shellcheck source-path=SCRIPTDIR source=../vm/mirror.sh
. "$here/../vm/mirror.sh"

tests=(plain now profiles config_profile refresh harmless calls folders
	environment rights static cgroup ambient template socket refused user_manager
	boot_unit adopt ended again late_filter boot_apply
	overridden program switch)

# make_root FOLDER: Debian 12 with systemd, from the servers of this machine
make_root() {
	local uri

	need debootstrap
	uri=$(mirror_uri) || skip "no server for Debian 12 is known"
	rm -rf "$1.new"
	note "making a folder with Debian 12, some minutes"
	debootstrap --variant=minbase \
		--include=systemd,systemd-sysv,dbus,libpam-systemd,kmod,libmnl0,libyaml-0-2,libncursesw6,libelf1,libcap2-bin \
		bookworm "$1.new" "$uri" >"$1.log" 2>&1 ||
		fail "debootstrap: $(tail -n 5 "$1.log")"
	mv "$1.new" "$1"
}

# The container's files are a copy, by hard links where nothing writes.
start() {
	local kept=$vm_cache/services

	need systemd-nspawn gcc
	mkdir -p "$vm_cache"
	vm_lock services
	[ -d "$kept" ] || make_root "$kept"
	vm_unlock
	work=$(mktemp -d) || fail "no temporary folder"
	root=$(mktemp -d) || fail "no temporary folder"
	cp -a "$kept/." "$root" || fail "no copy of $kept"
	install -D "$FSK_ROOT/build/fastsocket" "$root/usr/local/bin/fastsocket"
	install -D -m 644 "$FSK_ROOT/build/libfsocket.so" \
		"$root/usr/local/lib/libfsocket.so"
	sed 's,@BINDIR@,/usr/local/bin,' "$FSK_ROOT/tools/fastsocket.service" \
		>"$root/etc/systemd/system/fastsocket.service"
	mkdir -p "$root/etc/fastsocket/conf.d"
	build_server
	systemd-nspawn -q -D "$root" --boot --register=no --keep-unit \
		--private-network >"$root.log" 2>&1 &
	nspawn=$!
	wait_for 120 booted || fail "no boot: $(tail -n 20 "$root.log")"
}

booted() {
	leader=$(children "$nspawn" | head -n 1)
	[ -n "$leader" ] && inside systemctl is-active -q multi-user.target
}

stop() {
	[ -z "${leader-}" ] || inside systemctl poweroff 2>/dev/null
	[ -z "${nspawn-}" ] || stop_pid "$nspawn"
	[ -z "${root-}" ] || rm -rf "$root" "$root.log" "$work"
}

inside() {
	nsenter -t "$leader" -a -- env PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "$@"
}

# A server that listens, or takes what systemd passes, and waits.
build_server() {
	local code='
#include <stdlib.h>
#include <unistd.h>
#include <sys/socket.h>
int main(void)
{
	int fd = getenv("LISTEN_FDS") ? 3 : socket(AF_INET, SOCK_STREAM, 0);

	if (listen(fd, 5))
		return 1;
	for (;;)
		pause();
}'
	mkdir -p "$root/opt"
	gcc -x c -o "$root/opt/server" - <<<"$code" || fail "no server"
	gcc -static -x c -o "$root/opt/static" - <<<"$code" ||
		fail "no static server"
}

# unit NAME LINE...: a service of that name, with these lines
unit() {
	local name=$1
	shift

	{
		printf '[Service]\nExecStart=/opt/server\n'
		printf '%s\n' "$@"
	} >"$root/etc/systemd/system/$name.service"
	inside systemctl daemon-reload
}

# tool STATUS WORD...: the container's; see ran()
tool() {
	local expect=$1
	shift

	ran "$expect" inside fastsocket "$@"
}

state() {
	inside fastsocket enabled | awk -v unit="$1.service" '$1 == unit {
		$1 = $2 = ""; sub(/^ */, ""); print }'
}

is_state() {
	[ "$(state "$1")" = "$2" ]
}

# works NAME LINE...: it is enabled, starts, loads the library, and lives
works() {
	local name=$1
	shift

	unit "$name" "$@"
	tool 0 enable "$name"
	inside systemctl start "$name" || fail "$name: no start"
	wait_for 10 is_state "$name" loaded ||
		fail "$name: $(inside systemctl status "$name")"
	sleep 0.2
	inside systemctl is-active -q "$name" ||
		fail "$name: $(inside journalctl -n 5 -u "$name")"
	gone_again "$name"
}

# And back: nothing of ours is left.
gone_again() {
	inside systemctl stop "$1"
	tool 0 disable "$1"
	[ ! -e "$root/etc/systemd/system/$1.service.d" ] ||
		fail "$1: $(ls "$root/etc/systemd/system/$1.service.d")"
	rm -f "$root/etc/systemd/system/$1.service"
}

# no NAME TEXT LINE...: refused with this reason, and nothing was written
no() {
	local name=$1 text=$2
	shift 2

	unit "$name" "$@"
	tool 2 enable "$name"
	[[ $err == "fastsocket: $name.service: refused: "*"$text"* ]] ||
		fail "$name: $err"
	[ ! -e "$root/etc/systemd/system/$name.service.d" ] ||
		fail "$name: there is a drop-in"
	rm -f "$root/etc/systemd/system/$name.service"
}

dropin() {
	cat "$root/etc/systemd/system/$1.service.d/50-fastsocket.conf"
}

# What all others need, for selftests/check.
test_boots() {
	booted || fail "$(tail -n 20 "$root.log")"
}

# Nothing is started, and nothing restarted.
test_plain() {
	unit one
	inside systemctl start one
	tool 0 enable one
	[[ $out == "one.service: enabled from its next start on"* ]] ||
		fail "$out"
	is_state one "restart pending" || fail "$(state one)"
	inside systemctl restart one
	is_state one loaded || fail "$(state one)"
	# As an upgrade does it.
	cp "$root/usr/local/lib/libfsocket.so" "$root/usr/local/lib/new"
	mv "$root/usr/local/lib/new" "$root/usr/local/lib/libfsocket.so"
	is_state one "restart pending" || fail "$(state one)"
	tool 0 disable one
	[ "$out" = "one.service: disabled from its next start on" ] ||
		fail "$out"
	is_state one "" || fail "$(state one)"
	inside systemctl stop one
	tool 0 enable one.service
	inside systemctl is-active -q one && fail "it was started"
	is_state one "not running" || fail "$(state one)"
	tool 0 enable one
	[[ $out == "one.service: is enabled"* ]] || fail "$out"
	inside systemd-analyze verify --man=no one.service || fail "the drop-in is wrong"
	gone_again one
	tool 2 disable one
}

test_now() {
	unit one
	unit two
	inside systemctl start one
	tool 0 enable one two --now
	is_state one loaded || fail "$(state one)"
	is_state two "not running" || fail "$(state two)"
	tool 0 disable --now one
	inside grep -q libfsocket \
		"/proc/$(inside systemctl show -P MainPID one)/maps" &&
		fail "it still has the library"
	inside systemctl stop one
	gone_again two
}

test_profiles() {
	unit one
	tool 1 enable one --profile wbe
	[[ $err == *"did you mean 'web'?"* ]] || fail "$err"
	tool 0 enable one --profile web
	dropin one | grep -q '^Environment=FASTSOCKET_CONNECT=0$' ||
		fail "$(dropin one)"
	tool 0 -j enabled
	grep -q '"profile": "web"' <<<"$out" || fail "$out"
	gone_again one
}

# The configuration's words for a service, and for its template.
test_config_profile() {
	printf '%s\n' 'services:' '  one.service: {profile: web, pin: on}' \
		'  many@.service: {ports: "80,443"}' \
		>"$root/etc/fastsocket/fastsocket.conf"
	unit one
	tool 0 enable one
	dropin one | grep -q '^Environment=FASTSOCKET_PIN=1$' ||
		fail "$(dropin one)"
	dropin one | grep -q '^Environment=FASTSOCKET_CONNECT=0$' ||
		fail "$(dropin one)"
	unit many@
	tool 0 enable many@7
	dropin many@7 | grep -q '^Environment=FASTSOCKET_PORTS=80,443$' ||
		fail "$(dropin many@7)"
	tool 0 disable many@7
	gone_again one
	echo 'services: 5' >"$root/etc/fastsocket/fastsocket.conf"
	unit one
	tool 1 enable one
	[[ $err == */fastsocket.conf:1:11:* ]] || fail "$err"
	rm "$root/etc/fastsocket/fastsocket.conf"
}

# `config apply` makes the drop-in again, once the module is asked.
test_refresh() {
	local file=$root/etc/fastsocket/conf.d/gone.conf

	unit one
	tool 0 enable one
	echo 'services: {one.service: {verbose: on}}' \
		>"$root/etc/fastsocket/fastsocket.conf"
	inside fastsocket config apply >/dev/null 2>&1
	dropin one | grep -q '^Environment=FASTSOCKET_LOG=1$' ||
		fail "$(dropin one)"
	rm "$root/etc/fastsocket/fastsocket.conf"
	# A profile whose file is absent for a while is not forgotten.
	echo 'profiles: {gone: {pin: on}}' >"$file"
	tool 0 enable one --profile gone
	mv "$file" "$file.away"
	inside fastsocket config apply >/dev/null 2>&1
	dropin one | grep -q FASTSOCKET_PIN && fail "$(dropin one)"
	mv "$file.away" "$file"
	inside fastsocket config apply >/dev/null 2>&1
	dropin one | grep -q '^Environment=FASTSOCKET_PIN=1$' ||
		fail "$(dropin one)"
	rm "$file"
	gone_again one
}

test_harmless() {
	works wx MemoryDenyWriteExecute=yes
	works family "RestrictAddressFamilies=AF_INET AF_INET6"
	works nnp NoNewPrivileges=yes User=nobody
	works dynamic DynamicUser=yes
	works strict ProtectSystem=strict ProtectHome=yes PrivateTmp=yes
	works service SystemCallFilter=@system-service
}

# Without the line the first system call would end the service.
test_calls() {
	local calls='@default @file-system @basic-io @process @signal listen socket'

	works allow "SystemCallFilter=$calls"
	unit allow "SystemCallFilter=$calls"
	tool 0 enable allow
	[[ $out == *"with SystemCallFilter=getsockname getsockopt setsockopt"* ]] ||
		fail "$out"
	gone_again allow
	works deny "SystemCallFilter=~setsockopt"
	unit pinned "SystemCallFilter=~@resources" "Environment=X=1"
	echo 'services: {pinned.service: {pin: on}}' \
		>"$root/etc/fastsocket/fastsocket.conf"
	tool 0 enable pinned
	[[ $out == *"with SystemCallFilter=getsockname "*" sched_setaffinity"* ]] ||
		fail "$out"
	rm "$root/etc/fastsocket/fastsocket.conf"
	gone_again pinned
}

test_folders() {
	mkdir -p "$root/srv/jail/opt"
	cp -a "$root/opt/server" "$root/srv/jail/opt"
	for folder in lib lib64 usr/lib; do
		mkdir -p "$root/srv/jail/$folder"
	done
	cp -aL "$root/lib64/." "$root/srv/jail/lib64"
	mkdir -p "$root/srv/jail/lib/x86_64-linux-gnu"
	cp -aL "$root"/lib/x86_64-linux-gnu/{libc,libdl,libpthread}.so* \
		"$root/srv/jail/lib/x86_64-linux-gnu"
	works jail RootDirectory=/srv/jail
	works noexec NoExecPaths=/ "ExecPaths=/opt /usr/lib /usr/lib64"
	works tmpfs TemporaryFileSystem=/usr/local
	no hidden "InaccessiblePaths= hides" InaccessiblePaths=/usr/local/lib
	no image "its files are an image" RootImage=/srv/image
}

test_environment() {
	works other 'Environment="A=b c" LD_PRELOAD=libc.so.6'
	unit other 'Environment="A=b c" "LD_PRELOAD=libc.so.6 libm.so.6"'
	tool 0 enable other
	tool 0 enable other
	dropin other | grep -q '^Environment=LD_PRELOAD=/usr/local/lib/libfsocket.so:libc.so.6:libm.so.6$' ||
		fail "$(dropin other)"
	gone_again other
	no unset "UnsetEnvironment=" UnsetEnvironment=LD_PRELOAD
	echo 'LD_PRELOAD=libc.so.6' >"$root/etc/default/preload"
	no file "/etc/default/preload sets LD_PRELOAD" \
		EnvironmentFile=/etc/default/preload
	works absent EnvironmentFile=-/etc/default/nothing
}

test_rights() {
	cp "$root/opt/server" "$root/opt/caps"
	setcap cap_net_bind_service+ep "$root/opt/caps" ||
		skip "no file capabilities here"
	no caps "AmbientCapabilities=" User=nobody ExecStart= \
		ExecStart=/opt/caps
	works rootcaps ExecStart= ExecStart=/opt/caps
	cp "$root/opt/server" "$root/opt/suid"
	chown nobody "$root/opt/suid"
	chmod u+s "$root/opt/suid"
	no suid "set-user-ID" ExecStart= ExecStart=/opt/suid
	chmod o-r "$root/usr/local/lib/libfsocket.so"
	no unread "may not read" User=nobody
	chmod o+r "$root/usr/local/lib/libfsocket.so"
}

test_static() {
	no static "/opt/static: it is statically linked" ExecStart= \
		ExecStart=/opt/static
}

# Without the library: the control group is selected while the service runs.
test_cgroup() {
	local text=/etc/systemd/system/alone.service.d/50-fastsocket.conf
	unit alone ExecStart= ExecStart=/opt/static
	tool 2 enable alone
	[[ $err == *"'enable --cgroup' does without the library"* ]] || fail "$err"
	tool 1 enable alone --cgroup --profile web
	tool 0 enable alone --cgroup
	grep -qx 'ExecStartPre=-+/usr/local/bin/fastsocket cgroup add self' \
		"$root$text" || fail "$(cat "$root$text")"
	grep -qx 'ExecStopPost=-+/usr/local/bin/fastsocket cgroup remove self' \
		"$root$text" || fail "$(cat "$root$text")"
	grep -q LD_PRELOAD "$root$text" && fail "$(cat "$root$text")"
	is_state alone "not needed" || fail "$(state alone)"
	# Without the module it starts all the same.
	inside systemctl start alone || fail "$(inside systemctl status alone)"
	said alone "module" || fail "$(inside journalctl -u alone)"
	# The drop-in is made again all the same, see test_refresh().
	tool 2 config apply
	grep -q ExecStartPre "$root$text" || fail "config apply has taken it away"
	gone_again alone
}

test_ambient() {
	works ambient User=nobody AmbientCapabilities=CAP_NET_BIND_SERVICE \
		CapabilityBoundingSet=CAP_NET_BIND_SERVICE
}

test_template() {
	unit many@
	tool 0 enable many@ --profile web
	inside systemctl start many@1 many@2
	inside grep -q libfsocket \
		"/proc/$(inside systemctl show -P MainPID many@2)/maps" ||
		fail "it has no library"
	is_state many@ template || fail "$(state many@)"
	tool 0 disable many@ --now
	inside grep -q libfsocket \
		"/proc/$(inside systemctl show -P MainPID many@2)/maps" &&
		fail "it still has the library"
	inside systemctl stop many@1 many@2
}

# The library lets the descriptor join that systemd has passed.
test_socket() {
	unit act Environment=FASTSOCKET_LOG=1
	printf '[Socket]\nListenStream=127.0.0.1:7001\n' \
		>"$root/etc/systemd/system/act.socket"
	inside systemctl daemon-reload
	tool 1 enable act.socket
	[[ $err == *"name the service itself"* ]] || fail "$err"
	tool 0 enable act
	inside systemctl start act.socket act
	is_state act loaded || fail "$(state act)"
	wait_for 10 said act 127.0.0.1:7001 ||
		fail "$(inside journalctl -u act)"
	inside systemctl stop act.socket
	gone_again act
}

# said UNIT TEXT: in the journal
said() {
	inside journalctl -q -o cat -u "$1" | grep -qF "$2"
}

test_refused() {
	local word

	tool 2 enable nosuch
	[[ $err == *"refused: there is no such service"* ]] || fail "$err"
	unit masked
	rm "$root/etc/systemd/system/masked.service"
	inside systemctl mask -q masked
	tool 2 enable masked
	[[ $err == *"refused: it is masked"* ]] || fail "$err"
	inside systemd-run -q --unit transient /opt/server
	tool 2 enable transient
	[[ $err == *"refused: it is transient"* ]] || fail "$err"
	inside systemctl stop transient
	# systemctl would answer with all services that match.
	unit one
	for word in 'on*' 'one?' '[o]ne'; do
		tool 1 enable "$word"
		[[ $err == *"'$word' is a pattern: name each unit"* ]] ||
			fail "$err"
		[ ! -e "$root/etc/systemd/system/$word.service.d" ] ||
			fail "a drop-in of $word"
		tool 2 adopt "$word"
		tool 1 check "$word"
		[[ $err == *"'$word' is a pattern"* ]] || fail "$err"
	done
	# The others are done nevertheless.
	tool 2 enable nosuch one
	[ -e "$root/etc/systemd/system/one.service.d" ] || fail "$out"
	gone_again one
}

# as COMMAND...: as a user with a manager of his own
as() {
	inside setpriv --reuid 1000 --regid 1000 --clear-groups \
		env HOME=/home/user XDG_RUNTIME_DIR=/run/user/1000 "$@"
}

user_manager() {
	as systemctl --user is-active -q default.target
}

test_user_manager() {
	local folder=$root/home/user/.config/systemd/user

	inside useradd -m -u 1000 user 2>/dev/null
	inside systemctl start user@1000 || skip "no manager of a user here"
	wait_for 30 user_manager || fail "the user's manager does not start"
	mkdir -p "$folder"
	printf '[Service]\nExecStart=/opt/server\n' >"$folder/mine.service"
	chown -R 1000:1000 "$root/home/user/.config"
	as systemctl --user daemon-reload
	# What an earlier one has left, or somebody has laid there, is no file
	# to write to.
	echo victim >"$root/home/user/victim"
	mkdir "$folder/mine.service.d"
	ln -s /home/user/victim "$folder/mine.service.d/50-fastsocket.conf.new"
	chown -hR 1000:1000 "$root/home/user"
	as fastsocket enable mine --user || fail "no"
	[ "$(cat "$root/home/user/victim")" = victim ] || fail "overwritten"
	as systemctl --user start mine
	ran 0 as fastsocket enabled --user
	grep -q '^mine.service .*loaded$' <<<"$out" || fail "$out"
	as fastsocket disable mine --user --now || fail "no way back"
	[ ! -e "$folder/mine.service.d" ] || fail "something is left"
	inside systemctl stop user@1000
}

# Without the module the unit fails, and says why; nothing loads it again.
test_boot_unit() {
	inside systemd-analyze verify --man=no fastsocket.service ||
		fail "the unit is wrong"
	inside systemctl start fastsocket && fail "it starts without the module"
	inside systemctl is-failed -q fastsocket || fail "it did not fail"
	said fastsocket "Module fastsocket not found" ||
		fail "$(inside journalctl -u fastsocket)"
}

# by_unit STATUS WORD...: the tool, with version 2's control groups where it
# looks for them; this machine may have them beside those of version 1
by_unit() {
	local expect=$1
	shift

	# shellcheck disable=SC2016 # for the inner shell
	ran "$expect" inside unshare -m sh -c '
		cd /sys/fs/cgroup
		[ ! -d unified ] || mount --bind unified /sys/fs/cgroup
		exec fastsocket "$@"' sh "$@"
}

# All listeners of a service, by its name; only the module is missing.
test_adopt() {
	unit running
	by_unit 2 adopt running
	[[ $err == *"running does not run"* ]] || fail "$err"
	inside systemctl start running
	by_unit 2 adopt running
	[[ $out == *"refused: the kernel module is not loaded"* ]] ||
		fail "$out $err"
	by_unit 0 release running
	[[ $out == *"had not joined"* ]] || fail "$out $err"
	inside systemctl stop running
	# Groups of its own, below the one that it was delegated.
	printf '%s\n' '#!/bin/sh' 'cd /sys/fs/cgroup' \
		'[ ! -d unified ] || cd unified' \
		'cd system.slice/below.service && mkdir -p inner/most' \
		'echo $$ >inner/most/cgroup.procs' 'exec /opt/server' \
		>"$root/opt/below"
	chmod +x "$root/opt/below"
	unit below Delegate=yes ExecStart= ExecStart=/opt/below
	inside systemctl start below
	wait_for 10 below_listens || fail "$out $err"
	inside systemctl stop below
}

below_listens() {
	inside grep -q "/below.service/inner/most" \
		"/proc/$(inside systemctl show -P MainPID below)/cgroup" &&
		by_unit 2 adopt below &&
		[[ $out == *"refused: the kernel module is not loaded"* ]]
}

# Its processes come and go while the tool looks at them.
test_ended() {
	printf '%s\n' '#!/bin/sh' '(while :; do /bin/true & /bin/true; done) &' \
		'exec /opt/server' >"$root/opt/busy"
	chmod +x "$root/opt/busy"
	unit busy ExecStart= ExecStart=/opt/busy
	inside systemctl start busy
	wait_for 10 busy_listens || fail "$out $err"
	for _ in $(seq 40); do
		by_unit 0 release busy
		[[ $out == *"had not joined"* && -z $err ]] || fail "$out $err"
	done
	inside systemctl stop busy
}

busy_listens() {
	inside grep -q " 0A " /proc/net/tcp
}

# What our own drop-in has brought is not taken for the service's.
test_again() {
	local calls='@default @file-system @basic-io @process @signal listen socket'
	local line="SystemCallFilter=getsockname getsockopt setsockopt" kind

	unit allow "SystemCallFilter=$calls" NoExecPaths=/ \
		"ExecPaths=/opt /usr/lib /usr/lib64"
	unit deny "SystemCallFilter=~setsockopt"
	for kind in allow deny; do
		tool 0 enable "$kind"
		tool 0 enable "$kind"
		[[ $out == "$kind.service: is enabled, with "* ]] || fail "$out"
		inside fastsocket config apply >/dev/null 2>&1
		dropin "$kind" | grep -q "^$line" || fail "$(dropin "$kind")"
		inside systemctl start "$kind"
		is_state "$kind" loaded ||
			fail "$(inside systemctl status "$kind")"
	done
	dropin allow | grep -qx ExecPaths=-/usr/local/lib/libfsocket.so ||
		fail "$(dropin allow)"
	# A filter that is gone takes our line with it: alone it would be one.
	unit deny
	tool 0 enable deny
	dropin deny | grep -q SystemCallFilter && fail "$(dropin deny)"
	unit deny "Environment='LD_PRELOAD=libc.so.6  libm.so.6' \\" "A=1"
	tool 0 enable deny
	unit deny 'Environment="LD_PRELOAD=libdl.so.2"'
	tool 0 enable deny
	dropin deny | grep -q '^Environment=LD_PRELOAD=/usr/local/lib/libfsocket.so:libdl.so.2$' ||
		fail "$(dropin deny)"
	gone_again allow
	gone_again deny
}

# Before a filter of another drop-in ours would be the only one.
test_late_filter() {
	local folder=$root/etc/systemd/system/late.service.d

	unit late
	mkdir -p "$folder"
	printf '[Service]\nSystemCallFilter=~@mount\n' >"$folder/override.conf"
	inside systemctl daemon-reload
	tool 0 enable late
	inside systemctl start late
	is_state late loaded || fail "$(inside systemctl status late)"
	rm "$folder/override.conf"
	gone_again late
}

# The unit's sandbox lets its own `config apply` make drop-ins again.
test_boot_apply() {
	local folder=$root/etc/systemd/system/fastsocket.service.d

	unit one
	tool 0 enable one
	mkdir -p "$folder"
	defer rm -rf "$folder"
	printf '%s\n' '[Service]' ExecStart= ExecStart=/bin/true \
		'ExecStart=-/usr/local/bin/fastsocket config apply' \
		>"$folder/no-module.conf"
	echo 'services: {one.service: {verbose: on}}' \
		>"$root/etc/fastsocket/fastsocket.conf"
	inside systemctl daemon-reload
	inside systemctl restart fastsocket ||
		fail "$(inside systemctl status fastsocket)"
	dropin one | grep -q '^Environment=FASTSOCKET_LOG=1$' ||
		fail "$(inside journalctl -u fastsocket)"
	[ "$(stat -c %a "$root/etc/systemd/system/one.service.d/"*)" = 644 ] ||
		fail "not for all to read"
	[ "$(inside systemctl show -P NeedDaemonReload one)" = no ] ||
		fail "the manager has not read it"
	rm "$root/etc/fastsocket/fastsocket.conf"
	inside systemctl stop fastsocket
	gone_again one
}

# A drop-in after ours that undoes it is not passed over in silence.
test_overridden() {
	local folder=$root/etc/systemd/system/over.service.d

	unit over
	mkdir -p "$folder"
	printf '[Service]\nEnvironment=LD_PRELOAD=libc.so.6\n' \
		>"$folder/override.conf"
	inside systemctl daemon-reload
	tool 2 enable over
	[[ $err == *"over.service: a drop-in after ours sets LD_PRELOAD without /usr/local/lib/libfsocket.so"* ]] ||
		fail "$err"
	printf '[Service]\nSystemCallFilter=~setsockopt\n' \
		>"$folder/override.conf"
	inside systemctl daemon-reload
	tool 2 enable over
	[[ $err == *"a drop-in after ours has SystemCallFilter= without setsockopt"* ]] ||
		fail "$err"
	rm "$folder/override.conf"
	inside systemctl daemon-reload
	tool 0 enable over
	gone_again over
}

# A name without a slash is systemd's to find, and a path may have blanks.
test_program() {
	cp "$root/opt/server" "$root/usr/local/bin/barename"
	works bare ExecStart= ExecStart=barename
	cp "$root/opt/server" "$root/opt/my server"
	works blank ExecStart= 'ExecStart="/opt/my server" word'
	cp "$root/opt/static" "$root/usr/local/sbin/barestatic"
	no barestatic "/usr/local/sbin/barestatic: it is statically linked" \
		ExecStart= ExecStart=barestatic
	rm "$root/usr/local/bin/barename" "$root/usr/local/sbin/barestatic"
}

# switched MODE WORD...: our line in AppArmor's local file is gone
switched() {
	local mode=$1 text=$root/etc/systemd/system/one.service.d
	shift

	# As if the program had an enforced profile when it was enabled.
	sed -i '1a # apparmor=opt.server' "$text/50-fastsocket.conf"
	printf '/a r,\n/l mr, # made by %s\n' "'fastsocket enable'" \
		>"$root/etc/apparmor.d/local/opt.server"
	tool 0 "$@"
	[ "$(cat "$root/etc/apparmor.d/local/opt.server")" = "/a r," ] ||
		fail "$mode: $(cat "$root/etc/apparmor.d/local/opt.server")"
	grep -qs "^# apparmor" "$text/50-fastsocket.conf" &&
		fail "$mode: $(dropin one)"
	return 0
}

# What the drop-in of before had needed goes with it.
test_switch() {
	mkdir -p "$root/etc/apparmor.d/local"
	ln -sf /bin/true "$root/usr/local/bin/apparmor_parser"
	unit one
	tool 0 enable one
	switched cgroup enable --cgroup one
	dropin one | grep -qx "# cgroup=on" || fail "$(dropin one)"
	switched library enable one
	switched none disable one
	rm "$root/usr/local/bin/apparmor_parser" "$root/etc/systemd/system/one.service"
}

[ "$(id -u)" = 0 ] || { note "run as root"; exit 1; }
[ $# -eq 0 ] || tests=("$@")
[ -x "$FSK_TOOL" ] || make -s -C "$FSK_ROOT" programs || exit 1
root='' nspawn='' leader=''
trap stop EXIT
start
run_tests "${tests[@]}"
