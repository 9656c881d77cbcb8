#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# fastsocket tune and its undo, on a virtio card with several queues or with
# one. As root, on a machine of one's own:
#
#   selftests/vm/boot -q 8 -- selftests/user/tune.sh [TEST...]
#
# FSK_KILLS=all kills the tool at each system call, one after the other.
#
# shellcheck disable=SC2317 # tests are called by name
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

tests=(undo undo_odd again dry_run first_kept json killed killed_undo killed_any
	reboot renamed moved rebound unknown queues_changed refused not_kept
	virtual bond bridge vlan nodes workers irqbalance irqbalance_restarted
	irqbalance_gone locked unit)
nic=eth0
kept=/run/fastsocket/tune
declare -A irqs

# says WORD...: the last output or error message contains these
says() {
	case "$out $err" in
	*"$*"*) ;;
	*) fail "no '$*' in: $out $err" ;;
	esac
}

begin() {
	work=$(mktemp -d) || fail "no temporary folder"
	defer rm -rf "$work"
	need ethtool
	[ -e "/sys/class/net/$nic/device" ] ||
		skip "no $nic here: selftests/vm/boot -q 8"
	tool 0 tune --undo "$nic"
	defer "$FSK_TOOL" tune --undo --all
	queues=$(ethtool -l "$nic" | awk '/^Combined/ { print $2; exit }')
	cpus=$(nproc)
	used=$((queues < cpus ? queues : cpus))
	read_irqs
}

# All of what an administrator sees, into a file of that name.
picture() {
	{
		ethtool -l "$nic"
		ethtool -x "$nic"
		ethtool -n "$nic"
		grep -H . /proc/irq/*/smp_affinity{,_list}
		cd "/sys/class/net/$nic/queues" &&
			grep -sH . ./*/{rps_cpus,rps_flow_cnt,xps_cpus,xps_rxqs}
	} >"$work/$1" 2>&1
}

same_picture() {
	diff -u "$work/$1" "$work/$2" >"$work/diff" ||
		fail "$1, $2: $(head -n 30 "$work/diff")"
}

# Interrupts of the card's queues by their names: "input.0", "output.0"
read_irqs() {
	local file action
	for file in /sys/kernel/irq/*/actions; do
		read -r action <"$file" || continue
		file=${file%/actions}
		case $action in
		*-input.* | *-output.*) irqs[${action##*-}]=${file##*/} ;;
		esac
	done
	[ ${#irqs[@]} -gt 0 ] || skip "$nic has no interrupt for each queue"
}

# What nobody would want: fewer queues, an uneven table, all on the wrong CPUs.
odd() {
	local name
	ethtool -X "$nic" default >"$work/odd" 2>&1
	if [ "$queues" -gt 1 ]; then
		ethtool -L "$nic" combined 2 || fail "it keeps its queues"
		ethtool -X "$nic" weight 3 1
		echo 6 >"/sys/class/net/$nic/queues/tx-0/xps_cpus"
		echo 1 >"/sys/class/net/$nic/queues/tx-1/xps_rxqs"
	fi
	for name in input.0 output.0; do
		echo c >"/proc/irq/${irqs[$name]}/smp_affinity"
	done
	echo a >"/sys/class/net/$nic/queues/rx-0/rps_cpus"
	echo 64 >"/sys/class/net/$nic/queues/rx-0/rps_flow_cnt"
	defer even
}

# As the machine was booted.
even() {
	ethtool -X "$nic" default >/dev/null 2>&1
	ethtool -L "$nic" combined "$queues" >/dev/null 2>&1
	ethtool -X "$nic" equal "$queues" >/dev/null 2>&1
	[ "$queues" = 1 ] ||
		echo 0 >"/sys/class/net/$nic/queues/tx-1/xps_rxqs"
	echo 0 >"/sys/class/net/$nic/queues/rx-0/rps_cpus"
	echo 0 >"/sys/class/net/$nic/queues/rx-0/rps_flow_cnt"
}

file_is() {
	local mask
	read -r mask <"$1" || fail "no $1"
	[ $((16#$mask)) = $((16#$2)) ] || fail "$1: $mask, not $2"
}

# tuned: as the plan for this machine says
tuned() {
	local i mask want=0

	[ "$used" = "$cpus" ] || want=$(printf %x $(((1 << cpus) - 1)))

	[ "$(ethtool -l "$nic" | grep -c "^Combined:.$used\$")" -ge 1 ] ||
		[ "$queues" -gt "$cpus" ] || fail "$(ethtool -l "$nic")"
	for ((i = 0; i < used; i++)); do
		printf -v mask %x $((1 << i))
		file_is "/proc/irq/${irqs[input.$i]}/smp_affinity" "$mask"
		file_is "/proc/irq/${irqs[output.$i]}/smp_affinity" "$mask"
		file_is "/sys/class/net/$nic/queues/rx-$i/rps_cpus" "$want"
		[ "$queues" = 1 ] || file_is \
			"/sys/class/net/$nic/queues/tx-$i/xps_cpus" "$mask"
	done
	[ "$queues" = 1 ] || [ "$(table)" = "$(seq -s' ' 0 $((used - 1)))" ] ||
		fail "table: $(ethtool -x "$nic")"
}

# The queues in the table, each once.
table() {
	ethtool -x "$nic" | sed -n 's/^ *[0-9]*: //p' | xargs -n 1 | sort -nu |
		xargs
}

test_undo() {
	begin
	picture before
	tool 0 tune "$nic"
	tuned
	tool 0 tune --undo "$nic"
	picture after
	same_picture before after
	[ -z "$(ls -A "$kept")" ] || fail "left: $(ls -A "$kept")"
}

test_undo_odd() {
	begin
	odd
	picture before
	tool 0 tune "$nic"
	tuned
	picture tuned
	! cmp -s "$work/before" "$work/tuned" || fail "nothing has changed"
	tool 0 tune --undo "$nic"
	says "all is as it was"
	picture after
	same_picture before after
	[ -z "$(ls -A "$kept")" ] || fail "left: $(ls -A "$kept")"
	tool 0 tune --undo "$nic"
	says "nothing to undo"
	picture again
	same_picture before again
}

test_again() {
	begin
	odd
	tool 0 tune "$nic"
	picture once
	cp "$kept"/* "$work/kept"
	tool 0 tune "$nic"
	says "nothing to change"
	picture twice
	same_picture once twice
	cmp "$work/kept" "$kept"/* || fail "the kept file has changed"
}

# It changes nothing. As the queues change, drivers set some of the rest as it
# will be, so that it may say more than is done then.
test_dry_run() {
	begin
	odd
	picture before
	tool 0 tune -n "$nic"
	says "$nic: rx-0/rps_cpus: 1,3 -> "
	[ "$queues" = 1 ] || says "$nic: queues: 2 -> $used"
	says "to change, not done"
	picture after
	same_picture before after
	[ ! -e "$kept" ] || [ -z "$(ls -A "$kept")" ] || fail "a file is left"
	tool 0 tune "$nic"
	picture tuned
	tool 0 tune -n "$nic"
	says "nothing to change"
	tool 0 tune --undo -n "$nic"
	says "$nic: rx-0/rps_cpus: "
	says "to change, not done"
	picture after
	same_picture tuned after
	tool 0 tune --undo "$nic"
	picture after
	same_picture before after
}

# A second run, after somebody changed something, keeps what the first found.
test_first_kept() {
	begin
	odd
	picture before
	tool 0 tune "$nic"
	echo 3 >"/sys/class/net/$nic/queues/rx-0/rps_cpus"
	echo 1 >"/proc/irq/${irqs[output.0]}/smp_affinity"
	tool 0 tune "$nic"
	tuned
	tool 0 tune --undo "$nic"
	picture after
	same_picture before after
}

test_json() {
	begin
	odd
	tool 0 -j tune -n "$nic"
	/usr/bin/python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
assert [i["interface"] for i in d] == [sys.argv[2]], d
assert d[0]["dry-run"] and d[0]["changes"] and d[0]["notes"], d
assert {"setting", "from", "to"} == set(d[0]["changes"][0]), d
' "$work/out" "$nic" || fail "$out"
	tool 0 -j tune --undo --all
	[ "$(echo "$out" | xargs)" = "[]" ] || fail "$out"
}

# killed_at CALL N WORD...: the tool, killed when it makes that system call for
# the Nth time; 1 if it ended before
killed_at() {
	local call=$1 nth=$2
	shift 2

	{ strace -qq -o /dev/null -e "trace=$call" \
		-e "inject=$call:signal=SIGKILL:when=$nth" \
		"$FSK_TOOL" "$@"; } >"$work/killed" 2>&1
	[ $? = 137 ]
}

# kills WORD...: the tool is killed at many points; each time undo puts all
# back. Those system calls that change anything are all in it.
kills() {
	local -A steps=([fsync]=1 [rename]=1 [openat]=60 [ioctl]=12 [write]=6)
	local call nth file count=0 half=0

	# With one queue there is little to write.
	[ "$queues" -gt 1 ] || steps[write]=1
	for call in "${!steps[@]}"; do
		[ "${FSK_KILLS-}" != all ] || steps[$call]=1
		for ((nth = 1; ; nth += steps[$call])); do
			ready
			killed_at "$call" "$nth" "$@" || break
			count=$((count + 1))
			picture killed
			cmp -s "$work/before" "$work/killed" ||
				half=$((half + 1))
			tool 0 tune --undo "$nic"
			picture after
			same_picture before after
			for file in "$kept"/*; do
				[ ! -e "$file" ] || [[ $file = *.new ]] ||
					fail "left: $file"
			done
		done
	done
	note "killed $count times, $half times between changes"
	[ "$half" -gt 2 ] || fail "never killed between changes"
}

test_killed() {
	begin
	need strace
	odd
	picture before
	ready() { :; }
	kills tune "$nic"
}

test_killed_undo() {
	begin
	need strace
	odd
	picture before
	ready() { tool 0 tune "$nic"; }
	kills tune --undo "$nic"
}

# By the clock: wherever it is then.
test_killed_any() {
	local i

	begin
	odd
	picture before
	for ((i = 1; i <= 10; i++)); do
		{ timeout -s KILL "0.$(printf %02d $((i * 5)))" \
			"$FSK_TOOL" tune "$nic"; } >"$work/killed" 2>&1
		tool 0 tune --undo "$nic"
		picture after
		same_picture before after
	done
}

# Its settings are fresh then: nothing may be put back.
test_reboot() {
	begin
	odd
	tool 0 tune "$nic"
	mv "$kept"/* "$work/kept"
	sed "s/^boot\t.*/boot\t$(cat /proc/sys/kernel/random/uuid)/" \
		"$work/kept" >"$kept/$(kept_name)"
	picture before
	tool 0 tune --undo "$nic"
	says "nothing to undo: the machine was booted since"
	picture after
	same_picture before after
	[ -z "$(ls -A "$kept")" ] || fail "left: $(ls -A "$kept")"
	# As well when it is tuned anew.
	sed "s/^boot\t.*/boot\tanother/" "$work/kept" >"$kept/$(kept_name)"
	even
	odd
	picture before
	tool 0 tune "$nic"
	says "what an earlier tune had set is lost: the machine was booted"
	tool 0 tune --undo "$nic"
	picture after
	same_picture before after
}

kept_name() {
	local folder=/sys/class/net/$nic

	echo "$(basename "$(readlink -f "$folder/device")").$(cat \
		"$folder/dev_port")$(sed 's/^/-/' "$folder/phys_port_name" 2>/dev/null)"
}

rename() {
	ip link set "$1" down
	ip link set "$1" name "$2" || return
	ip link set "$2" up
}

test_renamed() {
	begin
	odd
	picture before
	tool 0 tune "$nic"
	rename "$nic" fsk-new || fail "it keeps its name"
	defer rename fsk-new "$nic"
	tool 2 tune --undo "$nic"
	says "what was tuned as $nic is called fsk-new now"
	tool 0 tune --undo fsk-new
	rename fsk-new "$nic"
	picture after
	same_picture before after
	tool 0 tune "$nic"
	rename "$nic" fsk-new
	tool 0 tune fsk-new
	says "nothing to change"
	tool 0 tune --undo --all
	says "all is as it was"
	rename fsk-new "$nic"
	picture after
	same_picture before after
}

# Settings of a queue are lost as an interface moves; that is the kernel's way.
test_moved() {
	local name

	begin
	name=$(random_name)
	ip netns add "$name" || fail "no namespace"
	defer ip netns del "$name"
	tool 0 tune "$nic"
	cp "$kept"/* "$work/kept"
	ip link set "$nic" netns "$name" || fail "it stays"
	defer sleep 0.1
	defer ip netns exec "$name" ip link set "$nic" netns 1
	tool 2 tune --undo "$nic"
	says "$nic is not here"
	cmp "$work/kept" "$kept"/* || fail "the kept file has changed"
	tool 0 --netns "$name" tune "$nic"
	tool 0 --netns "$name" tune --undo "$nic"
	says "all is as it was"
}

test_rebound() {
	local driver device

	begin
	device=$(basename "$(readlink -f "/sys/class/net/$nic/device")")
	driver=$(readlink -f "/sys/class/net/$nic/device/driver")
	tool 0 tune "$nic"
	odd
	tool 0 tune "$nic"
	echo "$device" >"$driver/unbind"
	tool 2 tune --undo "$nic"
	says "$nic is not here: its device has no driver"
	echo "$device" >"$driver/bind"
	wait_for 20 test -e "/sys/class/net/$nic" || fail "it does not come back"
	even
	ip link set "$nic" up
	picture before
	tool 0 tune --undo "$nic"
	says "nothing to undo: its device got a driver anew since"
	picture after
	same_picture before after
	[ -z "$(ls -A "$kept")" ] || fail "left: $(ls -A "$kept")"
}

# Files that are not ours, or of a later version
test_unknown() {
	begin
	mkdir -p "$kept"
	echo "something else" >"$kept/$(kept_name)"
	picture before
	tool 2 tune "$nic"
	says "is not as this version writes it"
	tool 2 tune --undo "$nic"
	says "is not as this version writes it"
	picture after
	same_picture before after
	rm "$kept/$(kept_name)"
	tool 2 tune nonsense
	says "there is no interface 'nonsense'"
	tool 2 tune --undo nonsense
	says "there is no interface 'nonsense'"
	tool 1 tune
	tool 1 tune --undo
	tool 1 tune --all "$nic"
	tool 1 tune -x "$nic"
}

test_queues_changed() {
	begin
	[ "$queues" -gt 2 ] || skip "$nic has $queues queues"
	odd
	picture before
	tool 0 tune "$nic"
	ethtool -X "$nic" default
	ethtool -L "$nic" combined 3
	tool 0 tune --undo "$nic"
	says "$nic: queues: 3 -> 2"
	picture after
	same_picture before after
}

# A setting that the kernel refuses is told; the rest is set, and is undone. Not
# an interrupt: with a queue for each CPU virtio's driver sets those by itself.
test_refused() {
	local file=/sys/class/net/$nic/queues/rx-0/rps_cpus

	begin
	odd
	picture before
	{ mount --bind "$file" "$file" && mount -o remount,bind,ro "$file"; } ||
		skip "no file of /sys can be made read-only"
	defer umount -q "$file"
	tool 2 tune "$nic"
	umount "$file"
	says "fastsocket: $nic: rx-0/rps_cpus: "
	tool 0 tune --undo "$nic"
	picture after
	same_picture before after
}

# Nothing changes where it can't be kept.
test_not_kept() {
	begin
	odd
	picture before
	mkdir -p "$kept"
	mount -t tmpfs -o ro tmpfs "$kept" || skip "no tmpfs"
	defer umount "$kept"
	tool 2 tune "$nic"
	says "cannot keep settings in $kept"
	picture after
	same_picture before after
}

test_virtual() {
	begin
	tool 2 tune lo
	says "lo: nothing to tune: neither it nor"
	tool 0 tune --undo lo
	says "nothing to undo"
	tool 0 tune --all
	says "$nic:"
	! echo "$out" | grep -q '^lo:' || fail "$out"
	tool 0 tune --undo --all
}

test_bond() {
	begin
	modprobe -q bonding max_bonds=0 || skip "no bonding here"
	ip link add fsk-bond type bond || skip "no bonds here"
	defer ip link del fsk-bond
	tool 2 tune fsk-bond
	says "nothing to tune"
	ip link set "$nic" down
	ip link set "$nic" master fsk-bond || fail "not in the bond"
	defer ip link set "$nic" up
	odd
	picture before
	tool 0 tune fsk-bond
	tuned
	tool 0 tune --undo fsk-bond
	picture after
	same_picture before after
}

test_bridge() {
	begin
	ip link add fsk-bridge type bridge || skip "no bridges here"
	defer ip link del fsk-bridge
	ip link add fsk-veth type veth peer fsk-peer || skip "no veth here"
	defer ip link del fsk-veth
	ip link set fsk-veth master fsk-bridge
	tool 2 tune fsk-bridge
	says "nothing to tune"
	ip link set "$nic" master fsk-bridge || fail "not in the bridge"
	odd
	tool 0 tune fsk-bridge
	tuned
}

test_vlan() {
	begin
	ip link add link "$nic" name fsk-vlan type vlan id 5 ||
		skip "no VLANs here"
	defer ip link del fsk-vlan
	odd
	tool 0 tune fsk-vlan
	says "$nic: "
	tuned
	tool 0 tune --undo fsk-vlan
	says "all is as it was"
}

# two_nodes NODE: CPUs 0 and 1 on node 0, the others on node 1; the card's node
two_nodes() {
	local nodes=$work/nodes file

	[ "$cpus" -ge 4 ] || skip "$cpus CPUs"
	mkdir -p "$nodes/node0" "$nodes/node1"
	echo 0-1 | tee "$nodes/online" >"$nodes/node0/cpulist"
	echo "2-$((cpus - 1))" >"$nodes/node1/cpulist"
	mount --bind "$nodes" /sys/devices/system/node || skip "no nodes here"
	defer umount /sys/devices/system/node
	file=$(readlink -f "/sys/class/net/$nic/device/..")/numa_node
	echo "$1" >"$work/node"
	mount --bind "$work/node" "$file" || skip "no node of a card here"
	defer umount "$file"
}

test_nodes() {
	begin
	two_nodes 1
	tool 0 tune -n "$nic"
	says "the card is on node 1: bind workers to CPUs 2-$((cpus - 1))"
	# One queue for all: its interrupt goes to the card's node.
	[ "$queues" -gt 1 ] || echo "$out" | grep -q 'input.0): .* -> 2$' ||
		fail "$out"
}

test_workers() {
	local pid

	begin
	[ -d /sys/module/fastsocket ] || skip "the module is not loaded"
	two_nodes 1
	/usr/bin/python3 "$here/tool_listen.py" "$work/listening" \
		'workers(tcp(), [0])' &
	pid=$!
	disown
	defer stop_pid "$pid" KILL
	defer pkill -KILL -P "$pid"
	wait_for 60 test -e "$work/listening" || fail "it does not listen"
	wait_for 20 worker_waits || fail "no worker: $("$FSK_TOOL" show listen)"
	tool 0 tune -n "$nic"
	says "workers on CPUs 0 are far from the card, which is on node 1"
}

worker_waits() {
	"$FSK_TOOL" show listen | grep -q ' claimed'
}

# banned: what irqbalance says that it leaves alone
banned() {
	/usr/bin/python3 - <<-'END'
	import array, glob, os, re, socket, struct
	s = socket.socket(socket.AF_UNIX)
	s.connect(glob.glob("/run/irqbalance/*.sock")[0])
	cred = struct.pack("3i", os.getpid(), 0, 0)
	s.sendmsg([b"setup"], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, cred)])
	text = s.recv(65536).decode()
	print(*sorted(map(int, re.findall(r"IRQ (\d+)", text))))
	END
}

balance() {
	mkdir -p /run/irqbalance
	irqbalance --foreground "$@" >"$work/irqbalance" 2>&1 &
	balance=$!
	disown
	defer stop_pid "$balance" KILL
	wait_for 60 test -S "/run/irqbalance/irqbalance$balance.sock" ||
		skip "irqbalance does not run: $(cat "$work/irqbalance")"
}

card_irqs() {
	grep -lE -- "-(input|output)\\.[0-9]+\$" /sys/kernel/irq/*/actions |
		grep -oE '[0-9]+' | sort -n | xargs
}

test_irqbalance() {
	local one

	begin
	need irqbalance
	one=${irqs[output.0]}
	balance "--banirq=$one"
	[ "$(banned)" = "$one" ] || fail "at first: $(banned)"
	tool 0 tune -n "$nic"
	says "irqbalance $balance: balances -> leaves alone"
	[ "$(banned)" = "$one" ] || fail "dry run: $(banned)"
	tool 0 tune "$nic"
	says "irqbalance leaves interrupts"
	[ "$(banned)" = "$(card_irqs)" ] || fail "tuned: $(banned)"
	tuned
	tool 0 tune "$nic"
	says "nothing to change"
	tool 0 tune --undo "$nic"
	[ "$(banned)" = "$one" ] || fail "undone: $(banned)"
}

test_irqbalance_restarted() {
	begin
	need irqbalance
	balance
	tool 0 tune "$nic"
	stop_pid "$balance"
	balance
	[ -z "$(banned)" ] || fail "it remembers: $(banned)"
	tool 0 tune "$nic"
	[ "$(banned)" = "$(card_irqs)" ] || fail "tuned: $(banned)"
	tool 0 tune --undo "$nic"
	[ -z "$(banned)" ] || fail "undone: $(banned)"
}

test_irqbalance_gone() {
	begin
	need irqbalance
	balance
	rm /run/irqbalance/*.sock
	tool 0 tune "$nic"
	says "irqbalance can't be told: "
	says "--banirq="
	tool 0 tune --undo "$nic"
}

# One at a time
test_locked() {
	begin
	need flock
	odd
	tool 0 tune "$nic"
	flock "$kept.lock" sleep 600 &
	defer stop_pid $! KILL
	wait_for 20 eval "! flock -n '$kept.lock' true" || fail "no lock"
	ran 124 timeout 3 "$FSK_TOOL" tune --undo "$nic"
	says "waiting for another 'fastsocket tune' to end"
	tool 0 tune -n "$nic"
	says "nothing to change"
	pkill -P $! 2>/dev/null
	stop_pid $! KILL
}

user_systemctl() {
	XDG_RUNTIME_DIR=/run systemctl --user "$@"
}

# A manager as a user has one, but root's, for units in /run: it sandboxes them as
# the system's does. Here is no udev that tells it of devices.
manager() {
	local group=/sys/fs/cgroup/units

	need systemctl
	mkdir -p "$group" /run/systemd/system /run/systemd/user
	sed "/^BindsTo=\|^After=/d; s,@BINDIR@/fastsocket,$FSK_TOOL," \
		"$FSK_ROOT/tools/fastsocket-tune@.service" \
		>/run/systemd/user/fastsocket-tune@.service
	(
		echo "$BASHPID" >"$group/cgroup.procs"
		XDG_RUNTIME_DIR=/run exec /lib/systemd/systemd --user
	) >"$work/manager" 2>&1 &
	defer stop_pid $!
	wait_for 120 user_systemctl -q is-active basic.target 2>/dev/null ||
		fail "no manager: $(cat "$work/manager")"
}

# The unit does all of it with the rights that it has left itself.
test_unit() {
	local unit=fastsocket-tune@$nic probe

	begin
	need irqbalance
	manager
	probe='grep -q "^CapBnd:.*0000000000001000" /proc/self/status && '
	probe+='grep -q "^Seccomp:.*2" /proc/self/status && ! touch /etc/fsk'
	mkdir -p "/run/systemd/user/$unit.service.d"
	printf "[Service]\nExecStartPre=/bin/sh -c '%s'\n" "$probe" \
		>"/run/systemd/user/$unit.service.d/probe.conf"
	odd
	picture before
	user_systemctl start "$unit" ||
		fail "$(user_systemctl status "$unit"; cat "$work/manager")"
	tuned
	user_systemctl stop "$unit"
	picture after
	same_picture before after
	[ -z "$(ls -A "$kept")" ] || fail "left: $(ls -A "$kept")"

	balance
	user_systemctl start "$unit" || fail "$(user_systemctl status "$unit")"
	[ "$(banned)" = "$(card_irqs)" ] || fail "irqbalance: $(banned)"
	user_systemctl stop "$unit"
	[ -z "$(banned)" ] || fail "irqbalance still leaves: $(banned)"
	! user_systemctl -q is-failed "$unit" || fail "$(cat "$work/manager")"
}

[ $# -eq 0 ] || tests=("$@")
[ -x "$FSK_TOOL" ] || make -s -C "$FSK_ROOT" programs || exit 1
run_tests "${tests[@]}"
