#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A machine of a fleet, with a systemd of its own: the packages are installed
# while nginx and HAProxy serve, both are enabled, the machine reboots, the
# packages are upgraded under load, and purged. Each test takes two minutes of a
# processor or more, and ten times that where others use it; what it needs is
# made at first, in a quarter of an hour. It runs here, as root, and boots
# virtual machines:
#
#   selftests/setup.sh vm package
#   selftests/user/fleet.sh [-s SUITE] [-d FOLDER] [TEST...]
#
# SUITE is bookworm (default) or trixie. A folder of it, with the kernel that
# Debian has for it, nginx, HAProxy and DKMS, is made by debootstrap and kept in
# the cache. A disk is made of it, and each test boots a virtual machine on that
# disk: its systemd is process 1, and it powers off in the end. So a reboot is
# one, of kernel and all, but for firmware, boot loader and initramfs, which
# are selftests/vm's. The tests need each other in this order; with FOLDER the
# disk stays there, for single ones.
#
# What DKMS calls "make" is not: in an emulated machine the compiler takes ten
# minutes. The module is built before, in the folder, with its compiler, from
# the sources in the package, and a stand-in for make copies it. All else that
# dpkg and DKMS do, they do in the running machine.
#
# shellcheck disable=SC2317 # tests are called by their names
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

tests=(installs reboots upgrades purges)
suite=bookworm
# With what all of them need, made by the first.
one_limit=7200
# In the machine: what comes with it, and what stays on its disk.
brought=/run/fleet kept=/var/log/fleet

# Here: the folder, the packages, the disk.

# in_root ROOT COMMAND...
in_root() {
	local root=$1
	shift

	# shellcheck disable=SC2016 # the inner shell's
	DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
		unshare --mount --propagation private sh -c '
		mount -t proc proc "$1/proc" && cd / || exit
		root=$1
		shift
		exec chroot "$root" "$@"' sh "$root" "$@"
}

# make_root FOLDER: all but our packages. What is not for a machine that boots
# and is done is left out.
make_root() {
	local uri new=$1.new

	need debootstrap
	uri=$(mirror_uri) || skip "no server for Debian is known"
	rm -rf "$new"
	note "making a folder with Debian $suite, ten minutes"
	{
		debootstrap --variant=minbase \
			--include=systemd,systemd-sysv,udev,dbus,kmod \
			"$suite" "$new" "$uri" || fail "no folder"
		printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d"
		chmod 755 "$new/usr/sbin/policy-rc.d"
		echo force-unsafe-io >"$new/etc/dpkg/dpkg.cfg.d/unsafe"
		in_root "$new" apt-get -q -y install --no-install-recommends \
			nginx haproxy curl ethtool iproute2 procps dkms \
			libmnl0 libncursesw6 libyaml-0-2 libelf1 \
			linux-image-cloud-amd64 linux-headers-cloud-amd64 ||
			fail "no packages"
		rm "$new/usr/sbin/policy-rc.d"
		in_root "$new" systemd-machine-id-setup
	} >"$1.log" 2>&1 || fail "$(tail -n 5 "$1.log")"
	mv "$new" "$1"
}

# make_packages FOLDER VERSION: of this tree, with that version; and the module
# that they build. Its sources differ in a line, as those of versions do.
make_packages() {
	local tree=$1/tree

	rm -rf "$1"
	mkdir -p "$1"
	"$FSK_ROOT/packaging/export" "$tree" >/dev/null || fail "no copy"
	echo "$2" >"$tree/VERSION"
	printf '\n/* %s */\n' "$2" >>"$tree/kmod/main.c"
	make -s -C "$tree" deb >&2 || fail "no packages of $2"
	mv "$tree"/build/deb/*.deb "$1" && rm -rf "$tree" "$1"/*dbgsym*
	make_module "$1"
}

# By what dkms.conf says, in the folder. Of the second version only what differs
# is compiled.
make_module() {
	local new=$root/tmp/new build=$root/tmp/module release file

	release=$(basename "$root"/boot/vmlinuz-* | sed 's/^vmlinuz-//')
	mkdir -p "$build"
	dpkg-deb -x "$1"/fastsocket-dkms_*.deb "$new" || fail "no sources"
	(cd "$new"/usr/src/fastsocket-* && find . -type f | while read -r file; do
		cmp -s "$file" "$build/$file" || cp --parents "$file" "$build"
	done) || fail "no sources"
	rm -rf "$new"
	in_root "$root" make -s -j2 -C "/lib/modules/$release/build" \
		M=/tmp/module modules >&2 || fail "no module"
	strip -g -o "$1/fastsocket.ko" "$build/kmod/fastsocket.ko" ||
		fail "no module"
}

# What DKMS calls instead: `make -C HEADERS M=FOLDER modules`, or clean.
make_stand_in() {
	cat >"$1" <<'TEXT'
#!/bin/sh
# Stands in for make while DKMS builds: see selftests/user/fleet.sh.
for word; do
	case $word in
	M=*) folder=${word#M=} ;;
	modules) target=modules ;;
	esac
done
[ "${target-}" = modules ] || exit 0
version=$(cat "$folder/VERSION")
for file in /run/fleet/*/VERSION; do
	[ "$(cat "$file")" = "$version" ] || continue
	cp "${file%/*}/fastsocket.ko" "$folder/kmod/fastsocket.ko"
	exit
done
exit 1
TEXT
	chmod 755 "$1"
}

# furnish FOLDER: what the tests need. Units that only cost time are left out.
furnish() {
	local tree=$1

	mkdir -p "$tree$kept" "$tree/usr/lib/systemd/system-shutdown"
	in_root "$tree" systemctl -q mask apt-daily.timer \
		apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap \
		systemd-logind getty@tty1 serial-getty@ttyS0
	echo fleet >"$tree/etc/hostname"
	make_stand_in "$tree/usr/local/sbin/make"
	# Without this apt leaves that folder out.
	echo 'DPkg::Path "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin";' \
		>"$tree/etc/apt/apt.conf.d/fleet"
	cat >>"$tree/etc/haproxy/haproxy.cfg" <<'TEXT'

frontend web
	bind :8080
	default_backend nginx

backend nginx
	server one 127.0.0.1:80
TEXT
	sed -i 's/^global$/&\n\ttune.listener.multi-queue off/' \
		"$tree/etc/haproxy/haproxy.cfg"
	# shellcheck disable=SC2016 # the file's
	# It tells boot the status, when all else has ended.
	printf '#!/bin/sh\necho exit "$(cat %s || echo 1)" >/dev/ttyS1\n' \
		"$kept/status" >"$tree/usr/lib/systemd/system-shutdown/fleet"
	chmod 755 "$tree/usr/lib/systemd/system-shutdown/fleet"
}

make_disk() {
	local tree=$folder/tree

	cp -a --reflink=auto "$root/." "$tree" || fail "no copy of $root"
	furnish "$tree"
	mke2fs -q -t ext4 -E lazy_itable_init=1,nodiscard -d "$tree" \
		"$folder/disk" 4G || fail "no disk"
	rm -rf "$tree"
}

prepare() {
	local version

	need debootstrap dpkg-buildpackage dh_dkms mke2fs qemu-system-x86_64
	mkdir -p "$vm_cache"
	[ -d "$root" ] || make_root "$root"
	version=$("$FSK_ROOT/include/version")
	rm -rf "$root/tmp/module" "$root/tmp/new"
	make_packages "$folder/old" '0.2.0~git1.000000000'
	make_packages "$folder/new" "$version"
	rm -rf "$root/tmp/module"
	echo '0.2.0~git1.000000000' >"$folder/old/VERSION"
	echo "$version" >"$folder/new/VERSION"
	make_disk
}

# An emulated machine may take minutes to start a service. And it measures a
# wrong rate of its TSC when others use the host's cores: by that its clock would
# run several times too fast, and its watchdog see lockups.
patient="clocksource=hpet nosoftlockup systemd.show_status=0 systemd.service_watchdogs=0"
patient+=" systemd.default_timeout_start_sec=900"
# What udev would load for the processor, and nobody here needs.
patient+=" module_blacklist=kvm,kvm_amd,kvm_intel,aesni_intel,sha512_ssse3"
patient+=",sha256_ssse3,sha1_ssse3,ghash_clmulni_intel,cryptd"

# machine NAME: that test, in a machine that boots on the disk
machine() {
	local disk="file=$folder/disk,format=raw,if=virtio,cache=unsafe"

	FSK_FLEET=$folder FSK_VM_QEMU_ARGS="-drive $disk" \
		FSK_VM_ARGS="$patient ${FSK_VM_ARGS-}" \
		"$here/../vm/boot" -n -k "$(echo "$root"/boot/vmlinuz-*)" \
		-c 2 -q 2 -m 2G -t "${FSK_TEST_LIMIT:-1500}" -- "$here/fleet.sh" enter "$1"
}

test_installs() { machine installs; }
test_reboots() { machine reboots; }
test_upgrades() { machine upgrades; }
test_purges() { machine purges; }

# In the machine, before its disk is the root folder.

# enter NAME: what stage2 needs to hand over, and a service that tests
enter() {
	local units=/run/systemd/system script=$brought/selftests/user/fleet.sh

	modprobe virtio_blk
	modprobe ext4
	mount -t ext4 /dev/vda /mnt || fail "no disk"
	rm -f "/mnt$kept/status"
	mkdir -p "$brought"/selftests/{user,harness} \
		"$units/multi-user.target.wants"
	cp "$here/fleet.sh" "$brought/selftests/user"
	cp "$here/../harness/lib.sh" "$brought/selftests/harness"
	cp -r "$FSK_FLEET/old" "$FSK_FLEET/new" "$brought" || fail "no packages"
	cat >"$units/fleet.service" <<TEXT
[Unit]
After=multi-user.target

[Service]
ExecStart=/bin/bash $script inside $1
TEXT
	ln -s ../fleet.service "$units/multi-user.target.wants/"
	echo /mnt >/run/fsk-vm/root
}

# In the machine, by its systemd.

# The port that the command's output goes to.
port() {
	local name

	for name in /sys/class/virtio-ports/*/name; do
		[ "$(cat "$name")" != "$1" ] || basename "$(dirname "$name")"
	done
}

inside() {
	exec >"/dev/$(port stdout)" 2>&1 </dev/null
	export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive HOME=/root
	export SYSTEMD_BUS_TIMEOUT=900
	(
		deferred=()
		trap undo EXIT
		wait_for 900 booted || fail "no boot: $(systemctl list-jobs)"
		"inside_$1"
	)
	echo $? >"$kept/status"
	systemctl --no-block start poweroff.target
}

booted() {
	local unit

	# One of several would do for systemctl.
	for unit in multi-user.target nginx haproxy; do
		systemctl is-active -q "$unit" || return 1
	done
}

answers() {
	curl -s -o /dev/null --max-time 60 "http://127.0.0.1:$1/"
}

# What must be as it was in the end, in parts.
parts="files etc unit-files units failed sysctl card"

# snapshot NAME PART...
snapshot() {
	local name=$1 part
	shift

	for part; do
		"part_$part" >"$kept/$name.$part"
	done
}

# But what dpkg, apt, DKMS and systemd keep for themselves, and logs.
part_files() {
	find / -xdev \( -path /var/log -o -path /var/cache -o -path /tmp \
		-o -path /var/tmp -o -path /var/lib/apt -o -path /var/lib/dpkg \
		-o -path '/var/lib/dkms/mok.*' -o -path /var/lib/systemd/timers \
		-o -path /var/lib/systemd/timesync \
		-o -path /var/lib/systemd/catalog \
		-o -path /var/lib/systemd/random-seed \) -prune -o \
		-printf '%y %m %u:%g %p %l\n' | sort
}

part_etc() {
	find /etc -xdev -type f ! -name ld.so.cache -exec sha256sum {} + |
		sort -k2
}

part_unit-files() {
	systemctl list-unit-files --no-legend --no-pager |
		awk '{ print $1, $2 }' | sort
}

part_units() {
	systemctl list-units --plain --no-legend --no-pager |
		awk '$1 !~ /\.(device|scope|mount)$/ { print $1, $3, $4 }' |
		grep -v '^fleet\|^systemd-tmpfiles-clean' | sort
}

part_failed() {
	systemctl list-units --all --failed --plain --no-legend --no-pager
}

# But those that count, and those of chance.
part_sysctl() {
	sysctl -a 2>/dev/null | grep -vE '^(kernel\.random|fs\.(dentry-state|file-nr|inode|quota)|kernel\.(ns_last_pid|pty\.nr)|.*(nf_conntrack_count|tcp_fastopen_key))'
}

part_card() {
	local what

	for what in -l -x -k -c -g -n; do
		ethtool "$what" eth0
	done 2>&1
	grep . /sys/class/net/eth0/queues/*/{rps_cpus,rps_flow_cnt,xps_cpus}
	grep . /proc/irq/*/smp_affinity
}

# as_before NAME WHAT...: these parts are now as in that snapshot
as_before() {
	local before=$1 part
	shift

	for part; do
		snapshot now "$part"
		diff "$kept/$before.$part" "$kept/now.$part" ||
			fail "not as before: $part"
	done
}

# load PORT FILE: one connection after the other, five at least, until there is
# FILE.stop. The machine has other things to do, too, so the pause is no process.
load() {
	local asked=0 refused=0 failed=0 line

	trap '' PIPE
	mkfifo "$2.pause"
	exec 4<>"$2.pause"
	until [ -e "$2.stop" ] && [ "$asked" -ge 5 ]; do
		asked=$((asked + 1))
		if ! { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null; then
			refused=$((refused + 1))
			read -r -t 1 <&4
			continue
		fi
		line=
		printf 'GET / HTTP/1.0\r\n\r\n' >&3
		read -r -t 60 line <&3
		[[ $line == HTTP/1.?" 200 "* ]] || failed=$((failed + 1))
		exec 3>&-
		read -r -t 1 <&4
	done
	echo "$asked $refused $failed" >"$2"
}

start_load() {
	rm -f /run/load.*
	load 80 /run/load.nginx &
	load 8080 /run/load.haproxy &
}

# end_load: none refused, none failed
end_load() {
	local name asked refused failed bad=

	touch /run/load.{nginx,haproxy}.stop
	wait_for 120 test -e /run/load.nginx -a -e /run/load.haproxy ||
		fail "the load does not end"
	for name in nginx haproxy; do
		read -r asked refused failed <"/run/load.$name"
		note "$name, while $1: $asked connections, $refused refused, $failed failed"
		[ "$refused" = 0 ] && [ "$failed" = 0 ] || bad=y
	done
	[ -z "$bad" ] || fail "connections were lost"
}

# Which processes serve, and since when.
processes() {
	systemctl show -P MainPID -P ExecMainStartTimestampMonotonic \
		-P NRestarts nginx haproxy
}

with_library() {
	grep -l libfsocket /proc/[0-9]*/maps 2>/dev/null | wc -l
}

# on_port PORT COLUMN: the sum of a counter of this listener's queues
on_port() {
	fastsocket show listen | awk -v port=":$1" -v name="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
		index($1, port) && substr($1, length($1) - length(port) + 1) == port {
			sum += $at }
		END { print sum + 0 }'
}

# joined PORT: what comes there is accepted from a core's queue. An emulated
# worker is late now and then, and another one takes its connection.
joined() {
	local before after i

	before=$(on_port "$1" LOCAL)
	for ((i = 0; i < 20; i++)); do
		answers "$1" || fail "port $1: no answer"
	done
	after=$(on_port "$1" LOCAL)
	note "port $1: $((after - before)) of 20 connections accepted from local queues"
	[ $((after - before)) -ge 10 ] ||
		fail "port $1: $(fastsocket show listen; fastsocket check)"
}

both_joined() {
	joined 80
	joined 8080
}

# put FOLDER: the packages from there
put() {
	apt-get -q -y -o Dpkg::Use-Pty=0 install "$brought/$1"/*.deb \
		>/run/apt.log 2>&1 || fail "$(tail -n 30 /run/apt.log)"
	sed 's/^/# apt: /' /run/apt.log
}

# told TEXT PATTERN...: each is in a line of it, and all of it is shown
told() {
	local text=$1 pattern
	shift

	note "$text"
	for pattern; do
		grep -q -- "$pattern" <<<"$text" || fail "not told: $pattern"
	done
}

# Nothing changes for what runs; the next boot is left to inside_reboots.
inside_installs() {
	local before

	# shellcheck disable=SC2086 # words
	snapshot first $parts
	before=$(processes)
	start_load
	put old
	[ ! -e /sys/module/fastsocket ] || fail "the module is loaded"
	told "$(fastsocket enable nginx haproxy 2>&1)" \
		"nginx.service: enabled from its next start on" \
		"haproxy.service: enabled from its next start on" \
		"systemctl enable --now fastsocket"
	told "$(fastsocket enabled)" "nginx.service *- *restart pending" \
		"haproxy.service *- *restart pending"
	end_load "installing"
	[ "$(processes)" = "$before" ] || fail "services were restarted"
	[ "$(with_library)" = 0 ] || fail "somebody has the library"
	as_before first sysctl card failed units
	# What an administrator may want for the card, too.
	systemctl -q enable fastsocket-rfd fastsocket-tune@eth0 ||
		fail "units for the card"
}

inside_reboots() {
	local unit

	for unit in fastsocket fastsocket-rfd fastsocket-tune@eth0; do
		systemctl is-active -q "$unit" ||
			fail "$(systemctl status "$unit")"
	done
	both_joined
	snapshot booted failed card
	diff "$kept/first.failed" "$kept/booted.failed" || fail "failed units"
	# The card is tuned, or there is nothing to put back in the end.
	! cmp -s "$kept/first.card" "$kept/booted.card" || fail "the card is as it was"
	told "$(fastsocket enable nginx haproxy 2>&1)" "is enabled"
	fastsocket disable nginx haproxy --now || fail "disable"
	[ "$(with_library)" = 0 ] || fail "somebody has the library"
	[ "$(fastsocket -j show listen | grep -c '"port"')" = 0 ] ||
		fail "$(fastsocket show listen)"
	by_group
	fastsocket enable nginx haproxy --now || fail "enable"
	both_joined
}

# By its control group, without the library; and when the service is disabled it
# is plain, though it runs when that is said.
by_group() {
	fastsocket enable haproxy --cgroup --now || fail "enable --cgroup"
	joined 8080
	[ "$(with_library)" = 0 ] || fail "somebody has the library"
	told "$(fastsocket enabled)" "haproxy.service .*not needed"
	told "$(fastsocket show cgroup)" "/haproxy.service "
	fastsocket disable haproxy || fail "disable"
	[[ $(fastsocket show cgroup) != *haproxy* ]] ||
		fail "still selected: $(fastsocket show cgroup)"
	systemctl restart haproxy || fail "no restart"
	[ "$(fastsocket -j show listen | grep -c '"port"')" = 0 ] ||
		fail "$(fastsocket show listen)"
}

# is_loaded VERSION: that of the module
is_loaded() {
	[ "$(</sys/module/fastsocket/version)" = "$(<"$brought/$1/VERSION")" ] ||
		fail "the module: $(cat /sys/module/fastsocket/version)"
}

inside_upgrades() {
	local before

	both_joined
	is_loaded old
	before=$(processes)
	start_load
	put new
	end_load "upgrading"
	[ "$(processes)" = "$before" ] || fail "services were restarted"
	is_loaded old
	told "$(cat /run/apt.log)" "of the module stays loaded until"
	told "$(fastsocket status)" \
		"module pending *$(<"$brought/new/VERSION"), .*systemctl restart fastsocket" \
		"library pending .*fastsocket enabled"
	told "$(fastsocket enabled)" "nginx.service *- *restart pending" \
		"haproxy.service *- *restart pending"

	# What is joined stays so, and the module with it.
	start_load
	systemctl restart fastsocket || fail "$(systemctl status fastsocket)"
	end_load "restarting fastsocket"
	is_loaded old
	journalctl -q -b -o cat -u fastsocket | sed 's/^/# journal: /'
	systemctl is-active -q fastsocket || fail "$(systemctl status fastsocket)"
	both_joined

	systemctl restart nginx haproxy || fail "no restart"
	told "$(fastsocket enabled)" "nginx.service *- *loaded" \
		"haproxy.service *- *loaded"
	[[ $(fastsocket status) != *"library pending"* ]] ||
		fail "$(fastsocket status)"

	systemctl stop nginx haproxy
	systemctl restart fastsocket || fail "$(systemctl status fastsocket)"
	systemctl start nginx haproxy
	is_loaded new
	[[ $(fastsocket status) != *pending* ]] || fail "$(fastsocket status)"
	both_joined
}

# Services go on, and lose the library at their next start; then the module goes.
inside_purges() {
	local before

	is_loaded new
	both_joined
	before=$(processes)
	start_load
	apt-get -q -y -o Dpkg::Use-Pty=0 purge fastsocket libfsocket fastsocket-dkms \
		>/run/apt.log 2>&1 || fail "$(tail -n 30 /run/apt.log)"
	sed 's/^/# apt: /' /run/apt.log
	end_load "purging"
	[ "$(processes)" = "$before" ] || fail "services were restarted"
	told "$(cat /run/apt.log)" "programs use the module, so it stays loaded"
	systemctl restart nginx haproxy || fail "no restart"
	[ "$(with_library)" = 0 ] || fail "somebody has the library"
	rmmod fastsocket || fail "the module stays"
	answers 80 || fail "nginx does not answer"
	answers 8080 || fail "HAProxy does not answer"
	# shellcheck disable=SC2086 # words
	as_before first $parts
}

case ${1-} in
enter | inside)
	"$@"
	exit
	;;
esac
root='' folder=''
while getopts d:s: option; do
	case $option in
	d) folder=$(realpath "$OPTARG") ;;
	s) suite=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ "$(id -u)" = 0 ] || { note "run as root"; exit 1; }
[ $# -eq 0 ] || tests=("$@")
if [ -z "$folder" ]; then
	folder=$(mktemp -d) || exit 1
	trap 'rm -rf "$folder"' EXIT
fi
# shellcheck source-path=SCRIPTDIR source=../vm/cache.sh
. "$here/../vm/cache.sh"
# shellcheck source-path=SCRIPTDIR source=../vm/mirror.sh
. "$here/../vm/mirror.sh"
root=$vm_cache/fleet-$suite
[ -e "$folder/disk" ] || (prepare) || exit
run_tests "${tests[@]}"
