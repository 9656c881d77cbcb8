#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nic_test.sh [-k KERNEL] [quick | all | NAME...]: the network card of the
# simulator beside QEMU's virtio card. Boots a virtual machine with one and runs
# the tests in it.
#
# shellcheck disable=SC2317 # tests are called by name
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

all=(same_queue interrupts rules channels coalescing traffic removal)
# shellcheck disable=SC2034 # run_selected() takes it
quick=("${all[@]}")
cpus=4
queues=$FSK_ROOT/build/bench-programs/queues
other=fsk-card-other

# ---- outside

boot() {
	local kernel=6.12 opt

	while getopts k: opt; do
		case $opt in
		k) kernel=$OPTARG ;;
		*) exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	make -s -C "$here" "$queues" >&2 && build_card "$kernel" || exit 1
	exec "$here/../vm/boot" -k "$kernel" -c $cpus -q $cpus \
		-t "${FSK_LIMIT:-900}" --peer "$queues send tap0" -- \
		"$here/nic_test.sh" --inside "$@"
}

# build_card KERNEL: for the newest of that series whose headers are here
build_card() {
	local found=(/lib/modules/"$1"[.+-]*/build)

	[ -e "${found[-1]}" ] || { echo "no headers of $1" >&2; return 1; }
	make -s -C "$here" card KDIR="${found[-1]}" \
		RELEASE="$(basename "$(dirname "${found[-1]}")")" >&2
}

# The card for the kernel that runs; it is built outside.
card_file() {
	echo "$FSK_ROOT/build/card/$(uname -r)/fskcard.ko"
}

# ---- inside

# begin_card: nic0 here, nic1 in another namespace
begin_card() {
	need ethtool ip
	[ -e "$(card_file)" ] || skip "the card is not built for $(uname -r)"
	work=$(mktemp -d)
	defer rm -rf "$work"
	insmod "$(card_file)" queues=$cpus,$cpus || fail "insmod"
	defer rmmod fskcard
	ip netns add $other
	defer ip netns del $other
	ip link set nic1 netns $other
	ip link set nic0 up
	there ip link set nic1 up
	ip address add 10.99.0.1/24 dev nic0
	ip address add fd99::1/64 dev nic0 nodad
	there ip address add 10.99.0.2/24 dev nic1
	there ip address add fd99::2/64 dev nic1 nodad
}

there() {
	ip netns exec $other "$@"
}

# come_in WHAT FILE: where the packets of nic0 come in on nic1
come_in() {
	there "$queues" receive nic1 "$1" >"$2" &
	local receiver=$!
	"$queues" send nic0 || fail "queues send"
	wait $receiver || fail "queues receive"
}

# The interrupt of nic1's queue
irq_of() {
	local found

	for found in /proc/irq/[0-9]*/nic1-rx-"$1"; do
		[ ! -e "$found" ] || basename "$(dirname "$found")"
	done
}

key_of() {
	"${@:2}" ethtool -x "$1" | grep -A1 'hash key' | tail -n 1
}

virtio_queues() {
	[ -e /sys/class/net/eth0 ] || skip "no virtio card here"
	ethtool -L eth0 combined $cpus || fail "ethtool -L eth0"
	"$queues" receive eth0 queue >"$work/virtio" || fail "queues of virtio"
}

# As the issue asks: 10,000 tuples of each family, no difference; and none
# because all came in on one queue.
test_same_queue() {
	begin_card
	virtio_queues
	there ethtool -X nic1 hkey "$(key_of eth0)" equal $cpus ||
		fail "ethtool -X"
	check "the key" [ "$(key_of nic1 there)" = "$(key_of eth0)" ]
	come_in queue "$work/card"
	check "packets" [ "$(wc -l <"$work/card")" = 20000 ]
	note "packets on each queue: $(cut -d' ' -f2 "$work/card" | sort -n |
		uniq -c | tr -s ' \n' ' ')"
	check "queues" [ "$(cut -d' ' -f2 "$work/card" | sort -u |
		wc -l)" = $cpus ]
	note "differences: $(diff "$work/virtio" "$work/card" | grep -c '^<')"
	check "the same queues" cmp "$work/virtio" "$work/card"
	# And that this test sees another key.
	there ethtool -X nic1 hkey "$(key_of eth0 | tr 0123 4567)" ||
		fail "ethtool -X"
	come_in queue "$work/card"
	! cmp -s "$work/virtio" "$work/card" || fail "any key will do"
}

# What is bound in /proc/irq is where packets come in.
test_interrupts() {
	local i

	begin_card
	come_in queue "$work/queue"
	for i in $(seq 0 $((cpus - 1))); do
		echo $(((i + 1) % cpus)) \
			>"/proc/irq/$(irq_of "$i")/smp_affinity_list" ||
			fail "smp_affinity_list of queue $i"
	done
	come_in cpu "$work/cpu"
	awk -v n=$cpus '{ print $1, ($2 + 1) % n }' "$work/queue" >"$work/want"
	check "packets on the CPUs of their queues" \
		cmp "$work/want" "$work/cpu"
}

# A rule as "fastsocket rfd" makes them, which compares some bits of a port.
test_rules() {
	local name=dst-port

	begin_card
	there ethtool -N nic1 flow-type tcp4 $name 1 m 0xfffc action 3 loc 7 ||
		fail "ethtool -N"
	there ethtool -n nic1 | grep -q 'Dest port: 1 mask: 0xfffc' ||
		fail "it shows: $(there ethtool -n nic1)"
	come_in queue "$work/rule"
	there ethtool -N nic1 delete 7 || fail "ethtool -N delete"
	! there ethtool -n nic1 | grep -q 'Filter: 7' || fail "it is still there"
	come_in queue "$work/none"
	# As they come: half of all ports have the last bit.
	note "packets to queue 3: $(grep -c ' 3$' "$work/rule")" \
		"with the rule, $(grep -c ' 3$' "$work/none") without"
	check "of IPv4 alone" cmp <(tail -n 10000 "$work/rule") \
		<(tail -n 10000 "$work/none")
	check "packets moved to queue 3 by the rule" [ \
		"$(head -n 10000 "$work/rule" | grep -c ' 3$')" -gt \
		"$(($(head -n 10000 "$work/none" | grep -c ' 3$') * 12 / 10))" ]
	diff "$work/none" "$work/rule" | grep '^>' | grep -vq ' 3$' &&
		fail "packets moved elsewhere"
	return 0
}

test_channels() {
	begin_card
	there ethtool -L nic1 combined 3 || fail "ethtool -L"
	come_in queue "$work/three"
	check "queues" [ "$(cut -d' ' -f2 "$work/three" | sort -u |
		tr -d '\n')" = 012 ]
	there ethtool -L nic1 combined 1 || fail "ethtool -L"
	come_in queue "$work/one"
	check "one queue" [ "$(cut -d' ' -f2 "$work/one" | sort -u)" = 0 ]
	! there ethtool -L nic1 combined $((cpus + 1)) 2>/dev/null ||
		fail "it has more queues than it was made with"
}

interrupts() {
	awk '/nic1-rx-/ { for (i = 2; i <= NF; i++)
		if ($i ~ /^[0-9]+$/) n += $i } END { print n }' /proc/interrupts
}

# Fewer interrupts for the same packets.
test_coalescing() {
	local before each some

	begin_card
	before=$(interrupts)
	come_in queue "$work/each"
	each=$(($(interrupts) - before))
	there ethtool -C nic1 rx-frames 16 rx-usecs 2000 || fail "ethtool -C"
	before=$(interrupts)
	come_in queue "$work/some"
	some=$(($(interrupts) - before))
	note "interrupts: $each, and $some with rx-frames 16"
	check "packets where they were" cmp "$work/each" "$work/some"
	check "interrupts" [ $((some * 3)) -lt $((each * 2)) ]
}

# A connection each, both ways, more than the ring holds and than a buffer.
test_traffic() {
	local address

	begin_card
	need python3
	cat >"$work/serve" <<-'END'
	import socket, sys
	s = socket.create_server((sys.argv[1], 5000), family=socket.AF_INET6
	                         if ":" in sys.argv[1] else socket.AF_INET)
	print("ready", flush=True)
	c, _ = s.accept()
	while data := c.recv(1 << 16):
	    c.sendall(data)
	END
	cat >"$work/ask" <<-'END'
	import os, socket, sys, threading
	s = socket.create_connection((sys.argv[1], 5000))
	sent = os.urandom(4 << 20)
	def send():
	    s.sendall(sent)
	    s.shutdown(socket.SHUT_WR)
	threading.Thread(target=send).start()
	got = b""
	while data := s.recv(1 << 16):
	    got += data
	sys.exit(got != sent)
	END
	for address in 10.99.0.2 fd99::2; do
		there python3 "$work/serve" $address >"$work/ready" &
		wait_for 20 grep -q ready "$work/ready" || fail "the server"
		python3 "$work/ask" $address || fail "what came back from $address"
		wait $!
	done
	check "packets lost" [ "$(ip -s -s -j link show nic0 | python3 -c '
import json, sys
s = json.load(sys.stdin)[0]["stats64"]
print(s["rx"]["missed_errors"] + s["tx"]["dropped"])')" = 0 ]
}

# While packets are on their way, and with a device in another namespace.
test_removal() {
	begin_card
	need python3
	cat >"$work/flood" <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	while True:
	    try:
	        s.sendto(bytes(1000), (sys.argv[1], 9))
	    except OSError:
	        pass
	END
	python3 "$work/flood" 10.99.0.2 &
	defer stop_pid $!
	there python3 "$work/flood" 10.99.0.1 &
	defer stop_pid $!
	wait_for 60 packets 100 || fail "no packets"
	rmmod fskcard || fail "rmmod"
	[ ! -e /sys/class/net/nic0 ] || fail "nic0 is still there"
	insmod "$(card_file)" || fail "insmod once more"
}

packets() {
	[ "$(cat /sys/class/net/nic0/statistics/rx_packets)" -ge "$1" ]
}

case ${1-} in
--inside)
	shift
	run_selected "${@:-quick}"
	;;
*) boot "$@" ;;
esac
