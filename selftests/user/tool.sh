#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tool, and the netlink family behind it. As root, on a machine of one's
# own:
#
#   selftests/vm/boot -- selftests/user/tool.sh [TEST...]
#
# shellcheck disable=SC2317,SC2016 # tests are called by name; sh expands
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../harness/lib.sh
. "$here/../harness/lib.sh"

module=$FSK_ROOT/build/kmod/$(uname -r)/fastsocket.ko
tests=(usage help help_commands manual no_module rights full_disk status set_range
	set_several set_back set_namespace set_locals_max
	netns listen_empty listen_rows listen_addresses listen_bypass
	listen_churn listen_many stats_counts stats_sum json attributes
	run_status run_options run_preload adopt adopt_refused
	established set_rfd rfd_set rfd_none rfd_ports report show_flows nic_auto nic_hash nic_vlan
	nic_netns nic_watch set_vfs show_vfs show_latency
	latency_counts latency_by_bpftrace stats_rate top_batch top_terminal
	top_away top_many metrics metrics_file metrics_http
	show_process version pending_library pending_module run_refused check_fast check_joined
	check_refused check_options check_unit all_netns ynl)

# tool STATUS WORD...: as in lib.sh, with what is in prefix before it, and with
# errors of one line
tool() {
	local expect=$1
	shift

	ran "$expect" "${prefix[@]}" "$FSK_TOOL" "$@"
	case $expect in
	0) [ -z "$err" ] || fail "fastsocket $*: $err" ;;
	# What `check` has found is no error.
	3) [ -z "$err" ] || [ "$(wc -l <"$work/err")" = 1 ] ||
		fail "fastsocket $*: '$err'" ;;
	*) [ "$(wc -l <"$work/err")" = 1 ] || fail "fastsocket $*: '$err'" ;;
	esac
}

begin() {
	work=$(mktemp -d) || fail "no temporary folder"
	defer rm -rf "$work"
	prefix=()
}

# says WORD...: the last error message contains these
says() {
	case $err in
	*"$*"*) ;;
	*) fail "no '$*' in: $err" ;;
	esac
}

# json EXPRESSION: of the last output, as d
json() {
	/usr/bin/python3 -c "import json, sys
d = json.loads(open('$work/out').read())
print($1)" || fail "JSON: $out"
}

# is EXPECT EXPRESSION
is() {
	local found

	found=$(json "$2") || exit 1
	[ "$found" = "$1" ] || fail "$2: $found, not $1: $out"
}

# listener CODE: tool_listen.py, until the end of the test; its process in "$pid"
listener() {
	/usr/bin/python3 "$here/tool_listen.py" "$work/listening" "$1" &
	pid=$!
	disown
	defer stop_pid "$pid" KILL
	wait_for 60 test -e "$work/listening" || fail "it does not listen"
	rm "$work/listening"
}

# For listener(): one with a socket filter that lets all through.
filtered='
	import ctypes, struct
	code = struct.pack("HBBI", 6, 0, 0, 65535)
	code = ctypes.create_string_buffer(code)
	code = struct.pack("HL", 1, ctypes.addressof(code)), code
	s = tcp()
	s.setsockopt(socket.SOL_SOCKET, 26, code[0])'

test_usage() {
	begin
	tool 1
	says "no command"
	tool 1 nonsense
	says "no command 'nonsense' (fastsocket --help"
	tool 1 statxs
	says "no command 'statxs', did you mean 'status'?"
	tool 1 show
	tool 1 show nonsense
	says "no 'nonsense'"
	tool 1 show lisen
	says "no 'lisen', did you mean 'listen'?"
	tool 1 rfd wacth
	says "did you mean 'watch'?"
	tool 1 show listen extra
	says "extra"
	tool 1 -x status
	says "-x"
	tool 1 status --nonsense
	says "no option '--nonsense' (fastsocket status --help"
	tool 1 status --jsn
	says "no option '--jsn', did you mean '--json'?"
	tool 1 run --conect-ports=5 -- true
	says "did you mean '--connect-ports'?"
	tool 1 --netns
	tool 1 set
	tool 1 set rescue-ms
	tool 1 set rescue-ms=
	tool 1 set rescue-ms=5x
	tool 1 set rescue-ms=-1
	tool 1 set rescue-ms=4294967296
	tool 1 set something=1
	says "no setting 'something' (fastsocket set --help"
	tool 1 set rescue-ns=1
	says "did you mean 'rescue-ms'?"
	tool 1 set established=
	tool 1 set established=maybe
	says "neither on nor off"
	tool 1 set vfs=on rescue-ms=60001
	says "60001 is out of range, 0 to 60000"
	tool 1 set vfs=on vfs=off
	says "vfs is given twice"
	tool 1 set established-after=x
	tool 1 show established nonsense
	tool 1 show established --list=x
	says "no option '--list=x'"
	tool 1 show listen --list
	says "no option '--list'"
	tool 1 rfd auto -nx lo
	says "no option '-x'"
	tool 1 set locals-max=x
	tool 1 set rfd=
	tool 1 set rfd=nonsense
	says "no mode"
	tool 1 set rfd=rss
	says "single interfaces"
	tool 1 set rfd-count=2
	tool 1 rfd
	tool 1 rfd nonsense
	tool 1 rfd set
	tool 1 rfd set lo
	tool 1 rfd set lo nonsense
	says "no mode 'nonsense'"
	tool 1 rfd set lo steeer
	says "did you mean 'steer'?"
	tool 1 rfd set lo off extra
	tool 1 rfd auto
	tool 1 rfd auto --all lo
	tool 1 rfd auto --nonsense
	tool 1 rfd del
	tool 1 rfd watch --nonsense
	tool 1 show rfd extra
	tool 1 show flows extra
	tool 1 show stats --rate 0
	says "no number of seconds"
	tool 1 show stats -n 2
	says "--rate"
	tool 1 show process
	tool 1 show process x
	says "no process number"
	tool 1 top -d x
	tool 1 top -n 0
	says "from 1 on"
	tool 1 top -d
	says "needs a value"
	tool 1 top -j
	tool 1 metrics -j
	tool 1 metrics --http --text
	tool 1 metrics -o
	tool 1 run
	tool 1 run --nonsense
	tool 1 run --ports 0 -- true
	tool 1 run --ports
	says "needs a value"
	tool 1 run --connect-ports 80, -- true
	tool 1 adopt
	tool 1 adopt 0
	tool 1 adopt 1 x
	tool 1 release
	tool 1 release 1 x
	tool 1 --netns /nonexistent status
	says "/nonexistent"
}

test_help() {
	begin
	tool 0 -h
	echo "$out" | grep -q '^Usage:' || fail "$out"
	tool 0 --help
	tool 0 status --help
	tool 0 -V
	echo "$out" | grep -q '^fastsocket [0-9][0-9a-z.~]*$' || fail "$out"
}

# Each command has a help of its own, which ends well without the module.
test_help_commands() {
	local count=0 words

	begin
	tool 0 --help
	cp "$work/out" "$work/help"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		tool 0 $words --help
		grep -q "^Usage: fastsocket $words" <<<"$out" || fail "$out"
		count=$((count + 1))
	done < <(grep -oE '^  [a-z]+( [a-z]+)?' "$work/help")
	[ "$count" -ge 14 ] || fail "only $count commands in the help"
	awk 'length($0) > 80 { exit 1 }' "$work/help" || fail "it is too wide"
}

# The manual has each command and setting that the help has, in its synopsis
# and in the text.
test_manual() {
	local count=0 page=$FSK_ROOT/tools/man/fastsocket.8.scd words

	begin
	tool 0 --help
	while read -r words; do
		sed -n '/^# SYNOPSIS/,/^# DESCRIPTION/p' "$page" |
			grep -qF "*fastsocket $words" ||
			fail "not in the synopsis: $words"
		grep -q "^\*$words\*" "$page" || fail "not in the text: $words"
		count=$((count + 1))
	done < <(grep -oE '^  [a-z]+( [a-z]+)?' <<<"$out")
	tool 0 set --help
	while read -r words; do
		grep -q "^\*set $words=\*" "$page" || fail "no setting $words"
		count=$((count + 1))
	done < <(grep -oE '^  [a-z-]+=' <<<"$out" | tr -d ' =')
	[ "$count" -ge 20 ] || fail "only $count commands and settings"
}

test_no_module() {
	local words

	begin
	rmmod fastsocket || fail "the module stays"
	defer insmod "$module"
	for words in status "show listen" "show established" "show stats" "set rescue-ms=1" \
		"-j status" "show rfd" "show flows" "set rfd=mask" \
		"rfd set lo off" "rfd auto lo" "rfd del lo" "rfd watch" \
		"show stats --rate 1" "top -b" top; do
		# shellcheck disable=SC2086 # words
		tool 2 $words
		says "the kernel module is not loaded: "
	done
	"$FSK_TOOL" run -- echo on >"$work/out" 2>"$work/err" ||
		fail "run does not fall back: $(cat "$work/err")"
	[ "$(cat "$work/out"; wc -l <"$work/err")" = $'on\n1' ] ||
		fail "not one line: $(cat "$work/out" "$work/err")"
	grep -q "'echo' runs as without Fastsocket: .* not loaded" \
		"$work/err" || fail "$(cat "$work/err")"
	tool 2 run --require -- echo on
	says "'echo' is not started: the kernel module is not loaded"
	[ -z "$out" ] || fail "it was started"
	tool 0 rfd auto -n lo
	tool 0 metrics
	[[ $out == *"fastsocket_loaded 0"*"# EOF" ]] || fail "$out"
}

test_rights() {
	need setpriv
	begin
	prefix=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	tool 2 set rescue-ms=5
	says "not permitted"
	tool 0 status
	tool 0 show listen
	tool 0 show stats
	tool 2 set rfd=off
	says "not permitted"
	tool 2 set locals-max=5
	says "not permitted"
	tool 2 rfd set lo off
	says "not permitted"
	tool 2 show rfd
	says "not permitted"
	tool 0 show flows
	tool 0 rfd set -n lo off
	tool 2 --netns 1 status
	says "namespace"
	prefix=()
	tool 0 -j status
	is 20 'd["rescue-ms"]'
}

test_full_disk() {
	begin
	"$FSK_TOOL" status >/dev/full 2>"$work/err" && fail "no complaint"
	grep -q 'cannot write' "$work/err" || fail "$(cat "$work/err")"
}

test_status() {
	begin
	tool 0 status
	echo "$out" | grep -q "^kernel  *$(uname -r)$" || fail "$out"
	tool 0 -j status
	is "$(uname -r)" 'd["kernel"]'
	is "$(modinfo -F version "$module")" 'd["version"]'
	is True 'd["refcount"] >= 0 and not d["signed-only"]'
	is "0 0" '" ".join(str(d[n]) for n in ("listeners", "locals"))'
	# Here they stay behind a listener of another test.
	prefix=(unshare --net)
	tool 0 -j status
	is False '{f["name"]: f for f in d["features"]}["hooks"]["enabled"]'
	prefix=()
	listener 'a = tcp(); b = tcp(port=7002)'
	tool 0 -j status
	is 2 'd["listeners"]'
	is True '{f["name"]: f for f in d["features"]}["hooks"]["enabled"]'
	is True 'all(f["reason"] for f in d["features"])'
}

# All parts are of one build, and have a version each.
test_version() {
	begin
	tool 0 -j version
	is True 'd["tool-version"] == d["library-version"]'
	is "$(modinfo -F version "$module")" 'd["module-version"]'
	[ "$("$FSK_TOOL" --version)" = "fastsocket $(json 'd["tool-version"]')" ] ||
		fail "$("$FSK_TOOL" --version)"
	tool 0 version
	echo "$out" | grep -q "^library  *[0-9]" || fail "$out"
}

mapped() {
	grep -q libfsocket "/proc/$1/maps"
}

# After an upgrade `status` tells who has the old library.
test_pending_library() {
	begin
	cp "$FSK_ROOT/build/libfsocket.so" "$work/libfsocket.so"
	LD_PRELOAD=$work/libfsocket.so sleep 600 &
	defer kill $!
	wait_for 60 mapped $! || fail "no library"
	tool 0 -j status
	is 0 'd["library-replaced"]'
	tool 0 status
	[[ $out != *"library pending"* ]] || fail "$out"
	cp "$FSK_ROOT/build/libfsocket.so" "$work/new"
	mv "$work/new" "$work/libfsocket.so"
	tool 0 -j status
	is 1 'd["library-replaced"]'
	tool 0 status
	grep -q "^library pending  *1 process has an older one" <<<"$out" ||
		fail "$out"
}

# And that another module is installed, compressed or not.
test_pending_module() {
	local folder version packed

	begin
	need xz depmod
	folder=$work/lib/modules/$(uname -r)
	mkdir -p "$folder/updates"
	version=$(modinfo -F version "$module")
	# Twenty times as small, for xz
	strip -g -o "$work/small.ko" "$module" || fail "no strip"
	LC_ALL=C sed "s/version=$version/version=9${version#?}/" \
		"$work/small.ko" >"$folder/updates/fastsocket.ko"
	# shellcheck disable=SC2016 # the inner shell's
	prefix=(unshare --mount sh -c 'mount --bind "$0" \
		"$(readlink -f /lib)/modules/$(uname -r)" && exec "$@"' "$folder")
	for packed in '' y; do
		[ -z "$packed" ] || xz --check=crc32 "$folder/updates/fastsocket.ko"
		depmod -b "$work" "$(uname -r)" 2>/dev/null
		tool 0 -j status
		is "9${version#?}" 'd["module-installed"]'
		tool 0 -j version
		is "9${version#?}" 'd["module-installed"]'
		tool 0 status
		grep -q "^module pending  *9${version#?}, taken at" <<<"$out" ||
			fail "$out"
	done
}

# What takes no library is told before it is started.
test_run_refused() {
	local program

	begin
	printf 'int main(void) { return 0; }' >"$work/main.c"
	gcc -static -o "$work/static" "$work/main.c" || skip "no static libc"
	printf '#!%s\n' "$work/static" >"$work/script"
	chmod +x "$work/script"
	for program in static script; do
		tool 2 run --require -- "$work/$program"
		says "it is statically linked"
		"$FSK_TOOL" run -- "$work/$program" 2>"$work/err" || fail "status $?"
		[ "$(wc -l <"$work/err")" = 1 ] || fail "$(cat "$work/err")"
	done
	cp /bin/true "$work/raised"
	chown 65534 "$work/raised"
	chmod u+s "$work/raised"
	tool 2 run --require -- "$work/raised"
	says "set-user-ID"
	chmod u-s "$work/raised"
	tool 0 run --require -- "$work/raised"
}

test_set_range() {
	begin
	defer "$FSK_TOOL" set rescue-ms=20
	tool 0 set rescue-ms=60000
	tool 0 -j status
	is 60000 'd["rescue-ms"]'
	tool 1 set rescue-ms=60001
	says "0 to 60000"
	tool 0 set rescue-ms=0
	tool 0 -j status
	is 0 'd["rescue-ms"]'
	is False '{f["name"]: f for f in d["features"]}["rescue"]["enabled"]'
}

test_set_several() {
	begin
	defer "$FSK_TOOL" set rescue-ms=20 established=off established-after=4 \
		rfd-count=off vfs=off
	tool 0 set rescue-ms=21 established=yes established-after=5 \
		rfd-count=on vfs=1
	tool 0 -j status
	is "(21, True, 5, True, True)" '(d["rescue-ms"], d["established"],
		d["established-after"], d["rfd-count"], d["vfs"])'
	# The last word is wrong: nothing is asked for.
	tool 1 set rescue-ms=22 vfs=maybe
	tool 0 -j status
	is "(21, True)" '(d["rescue-ms"], d["vfs"])'
	# What isn't this container's to set, is refused before any other.
	prefix=(unshare --user --map-root-user --net)
	"${prefix[@]}" sh -c "$FSK_TOOL set rescue-ms=22 locals-max=5
		$FSK_TOOL -j status" >"$work/out" 2>"$work/err"
	is 20 'd["rescue-ms"]'
}

# Of what is refused nothing is done.
test_set_back() {
	begin
	need nft
	nft add table ip fsk_last || skip "no nftables here"
	defer nft delete table ip fsk_last
	nft add chain ip fsk_last c \
		'{ type filter hook prerouting priority 2147483647; }' ||
		skip "no chain at the last priority"
	defer "$FSK_TOOL" set vfs=off
	tool 2 set vfs=on established=on
	says "the kernel refuses"
	tool 0 -j status
	is "(False, False)" '(d["vfs"], d["established"])'
}

# A container's root is told where to go.
test_set_locals_max() {
	local before

	need unshare
	begin
	tool 0 -j status
	before=$(echo "$out" | python3 -c \
		'import json, sys; print(json.load(sys.stdin)["locals-max"])')
	check "default" [ "$before" -ge 1024 ]
	defer "$FSK_TOOL" set locals-max="$before"
	tool 1 set locals-max=2147483648
	says "0 to 2147483647"
	tool 0 set locals-max=1
	tool 0 -j status
	is 1 'd["locals-max"]'
	prefix=(unshare --user --map-root-user --net)
	tool 0 set rescue-ms=7
	tool 0 set rfd=mask
	tool 2 set rfd=steer
	says "not for containers"
	tool 2 set locals-max=1000000
	says "outside the container"
	tool 0 -j status
	is 1 'd["locals-max"]'
	prefix=()
	# Not by whoever may have as many as he likes
	listener 'os.seteuid(65534); a = tcp(); os.seteuid(0); workers(a, (0, 1))'
	defer end_children "$pid"
	wait_for 60 limited || fail "$("$FSK_TOOL" show listen)"
	tool 0 -j show listen
	is '(True, 1, 1)' '(d[0]["limited"], d[0]["owner-locals"], len(d[0]["cores"]))'
}

limited() {
	"$FSK_TOOL" show listen | grep -q '^127.0.0.1:7001  *app .* active, limited$'
}

# A namespace whose first process is "$inner"; removed at the end.
namespace() {
	name=$(random_name)
	ip netns add "$name" || fail "no namespace"
	defer ip netns del "$name"
	ip -n "$name" link set lo up
	ip netns exec "$name" sleep 3600 &
	inner=$!
	disown
	defer stop_pid "$inner" KILL
	wait_for 60 is_elsewhere "$inner" || fail "it does not enter $name"
}

# It is in another network namespace than this script.
is_elsewhere() {
	[ "$(readlink /proc/self/ns/net)" != \
		"$(readlink "/proc/$1/ns/net")" ]
}

test_set_namespace() {
	begin
	namespace
	tool 0 --netns "$name" set rescue-ms=33
	tool 0 -j --netns "$name" status
	is 33 'd["rescue-ms"]'
	tool 0 -j status
	is 20 'd["rescue-ms"]'
}

# A client in another namespace that sends now and then on its CPU; the last of
# its output is its port. What comes over loopback is not entered.
talk() {
	local name
	name=$(random_name)

	ip netns add "$name" || fail "no namespace"
	defer ip netns del "$name"
	check link ip link add fska type veth peer name fskb netns "$name"
	check address ip address add 10.9.0.1/24 dev fska
	check address ip -n "$name" address add 10.9.0.2/24 dev fskb
	check up ip link set fska up
	check up ip -n "$name" link set fskb up
	taskset -c 0 ip netns exec "$name" /usr/bin/python3 -c "import socket, time
s = socket.create_connection(('10.9.0.1', $1))
print(s.getsockname()[1], flush=True)
while True:
    s.send(b'x')
    time.sleep(0.05)" >"$work/port" &
	defer stop_pid $! KILL
	disown
}

# On the core that the client sends from; a timer may send from another one.
entered() {
	tool 0 -j show established
	[ "$(json '[(c["cpu"], c["entries"]) for c in d["cores"]
		if c["entries"]]')" = "[(0, 1)]" ]
}

test_established() {
	begin
	tool 0 show established
	[[ $out == off:* ]] || fail "not off: $out"
	tool 0 -j show established
	is False 'd["on"]'
	tool 0 -j show established --list
	is '[]' 'd'
	defer "$FSK_TOOL" set established=off
	defer "$FSK_TOOL" set established-after=4
	tool 0 set established=on
	tool 0 set established-after=0
	tool 0 -j status
	is "(True, 0)" '(d["established"], d["established-after"])'
	listener 'a = tcp("0.0.0.0", 7003)'
	talk 7003
	wait_for 60 entered || fail "not entered: $out"
	is 4096 '[c for c in d["cores"] if c["cpu"] == 0][0]["memory"]'
	tool 0 -j show established --list
	is "('ESTAB', '10.9.0.1', 7003, $(cat "$work/port"), 0)" \
		'tuple(d[0][k] for k in ("state", "local", "local-port",
		"remote-port", "cpu"))'
	tool 0 show established
	[[ $out == CPU* ]] || fail "no table: $out"
	tool 0 show established --list
	[[ $out == *10.9.0.1:7003* ]] || fail "no connection: $out"
	tool 0 set established=off
	tool 0 -j show established
	is False 'd["on"]'
}

test_netns() {
	local where

	begin
	listener 'a = tcp()'
	namespace
	for where in "$name" "/run/netns/$name" "$inner"; do
		tool 0 -j --netns "$where" status
		is 0 'd["listeners"]'
		tool 0 -j --netns "$where" show listen
		is 0 'len(d)'
	done
	tool 0 -j --netns "$pid" status
	is 1 'd["listeners"]'
	ip netns exec "$name" "$FSK_TOOL" -j status >"$work/out"
	is 0 'd["listeners"]'
}

test_listen_empty() {
	begin
	tool 0 show listen
	[ "$(echo "$out" | wc -l)" = 1 ] || fail "$out"
	tool 0 -j show listen
	is '[]' d
}

two_claimed() {
	[ "$("$FSK_TOOL" show listen | grep -c ' claimed')" = 2 ]
}

# One row for the application's socket, one for each core with a worker.
test_listen_rows() {
	begin
	listener 'workers(tcp(backlog=77), (0, 1))'
	defer end_children "$pid"
	wait_for 60 two_claimed || fail "$("$FSK_TOOL" show listen)"
	tool 0 -j show listen
	is '(1, 2)' '(len(d), len(d[0]["cores"]))'
	is '[0, 1]' '[c["cpu"] for c in d[0]["cores"]]'
	is '[True, True]' '[c["claimed"] for c in d[0]["cores"]]'
	is '{77}' '{r["qmax"] for r in [d[0]] + d[0]["cores"]}'
	is 7001 'd[0]["port"]'
	tool 0 show listen
	[ "$(echo "$out" | grep -c '^127.0.0.1:7001 ')" = 3 ] || fail "$out"
	[ "$(echo "$out" | grep -c claimed)" = 2 ] || fail "$out"
	echo "$out" | grep -q '^127.0.0.1:7001  *app .* active$' || fail "$out"
}

test_listen_addresses() {
	begin
	listener '
		host, only = socket.SOL_SOCKET, socket.IPV6_V6ONLY
		os.seteuid(65534)
		a = tcp("", 7001, options=[(host, socket.SO_REUSEPORT, 1)])
		b = tcp("::1", 7002)
		c = tcp("::", 7003, options=[(socket.IPPROTO_IPV6, only, 1)])
		d = tcp("", 7004, options=[(host, socket.SO_BINDTODEVICE, b"lo")])
		os.seteuid(0)'
	tool 0 -j show listen
	is "{7001: '0.0.0.0', 7002: '::1', 7003: '::', 7004: '0.0.0.0'}" \
		'{l["port"]: l["addr"] for l in sorted(d, key=lambda l: l["port"])}'
	is '{7002, 7003}' '{l["port"] for l in d if l["family"] == "ipv6"}'
	# A socket with an IPv6 address of its own takes no IPv4 either.
	is '{7002, 7003}' '{l["port"] for l in d if l["v6only"]}'
	is '{7001}' '{l["port"] for l in d if l["reuseport"]}'
	is '{7004}' '{l["port"] for l in d if l.get("interface") == "lo"}'
	is '{65534}' '{l["uid"] for l in d}'
	is 4 'len({l["id"] for l in d})'
	tool 0 show listen
	echo "$out" | grep -q '^\[::1\]:7002 ' || fail "$out"
	echo "$out" | grep -q '^0.0.0.0%lo:7004 ' || fail "$out"
}

test_listen_bypass() {
	begin
	listener "$filtered"
	tool 0 -j show listen
	is bypass 'd[0]["state"]'
	is 'socket filter' 'd[0]["bypass-reason"]'
	tool 0 show listen
	echo "$out" | grep -q 'bypass: socket filter$' || fail "$out"
}

# Reading while listeners come and go: those that stay are always there, once.
test_listen_churn() {
	local round

	begin
	listener '
		keep = many(500)
		ready()
		while True:
			some = [tcp("127.0.0.2", 20000 + i) for i in range(100)]
			del some'
	# shellcheck disable=SC2034 # counts rounds
	for round in 1 2 3 4 5 6 7 8 9 10; do
		tool 0 -j show listen
		is 500 'len([l["id"] for l in d if 10000 <= l["port"] < 20000])'
		is True 'len(d) == len({l["id"] for l in d})'
	done
}

test_listen_many() {
	begin
	listener 'keep = many(5000)'
	tool 0 -j show listen
	is 5000 'len({l["port"] for l in d})'
	tool 0 -j status
	is 5000 'd["listeners"]'
}

one_claimed() {
	[ "$("$FSK_TOOL" show listen | grep -c ' claimed')" = 1 ]
}

# A busy emulated machine must not take a worker for late.
begin_patient() {
	begin
	defer "$FSK_TOOL" set rescue-ms=20 late-ms=5
	tool 0 set rescue-ms=60000 late-ms=10000
}

# accepted_local NUMBER: by their own worker, at least
accepted_local() {
	tool 0 -j show stats
	[ "$(json 'd["total"]["accept-local"]')" -ge "$1" ]
}

test_stats_counts() {
	local before after

	begin_patient
	listener 'workers(tcp(), (1,))'
	defer end_children "$pid"
	wait_for 60 one_claimed || fail "$("$FSK_TOOL" show listen)"
	tool 0 -j show stats
	before=$(json 'd["total"]["accept-local"]')
	taskset -c 1 /usr/bin/python3 -c 'import socket
for i in range(50): socket.create_connection(("127.0.0.1", 7001))'
	wait_for 60 accepted_local $((before + 50)) || fail "$before, then $out"
	after=$(json 'd["total"]["accept-local"]')
	[ $((after - before)) = 50 ] || fail "$before, then $after"
	is True 'next(c for c in d["cores"] if c["cpu"] == 1)["syn-local"] >= 50'
	tool 0 show stats
	echo "$out" | grep -q "^accept-local  *$after " || fail "$out"
}

test_stats_sum() {
	begin
	tool 0 -j show stats
	is "$(nproc)" 'len(d["cores"])'
	is True 'all(d["total"][n] == sum(c[n] for c in d["cores"])
		for n in d["total"])'
	is "$(grep -c '\[FSK_STAT_' "$FSK_ROOT/tools/names.h")" \
		'len(d["total"])'
}

test_json() {
	local words

	begin
	listener 'a = tcp(); b = tcp("::", 7002)'
	for words in "-j status" "status --json" "show listen -j" \
		"-j show stats" "-j show latency" "-j adopt $pid" "-j show rfd" \
		"show flows -j" "-j rfd auto -n lo" "rfd auto -nj lo" \
		"-j rfd auto --dry-run --all"; do
		# shellcheck disable=SC2086 # words
		tool 0 $words
		json 'type(d)' >/dev/null
	done
}

# What a later version may understand must not be ignored by this one. The
# policy is there to be read, too.
test_attributes() {
	begin
	/usr/bin/python3 - <<-'END' || fail "see above"
	import socket, struct
	s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
	s.bind((0, 0))
	s.setsockopt(270, 11, 1)
	def attr(kind, data):
	    data = struct.pack("HH", len(data) + 4, kind) + data
	    return data + bytes(-len(data) % 4)
	def ask(family, cmd, flags, data=b""):
	    body = struct.pack("BBH", cmd, 1, 0) + data
	    s.send(struct.pack("IHHII", len(body) + 16, family, flags, 1, 0) + body)
	    reply = s.recv(65536)
	    kind = struct.unpack_from("H", reply, 4)[0]
	    return (-struct.unpack_from("i", reply, 16)[0] if kind == 2 else 0), reply
	err, reply = ask(16, 3, 1, attr(2, b"fastsocket\0"))
	assert not err
	at = 20
	while at < len(reply):
	    size, kind = struct.unpack_from("HH", reply, at)
	    if kind == 1:
	        family = struct.unpack_from("H", reply, at + 4)[0]
	    at += (size + 3) // 4 * 4
	for cmd, flags in (1, 5), (2, 0x305), (3, 0x305), (4, 5):
	    err = ask(family, cmd, flags, attr(1, b"1234"))[0]
	    assert err == 22, (cmd, err)
	assert ask(family, 5, 5)[0] == 22, "nothing to set"
	assert ask(family, 5, 5, attr(1, b"12"))[0] == 22, "a short number"
	assert ask(family, 99, 5)[0] == 95, "no such command"
	END
}

test_run_status() {
	begin
	"$FSK_TOOL" run -- sh -c 'exit 7'
	[ $? = 7 ] || fail "not the program's status"
	tool 127 run -- /nonexistent
	says "/nonexistent"
	tool 126 run -- /etc/passwd
	tool 0 run echo -n x
	[ "$out" = x ] || fail "$out"
}

test_run_options() {
	begin
	tool 0 run --pin --ports 80,443 --verbose -- sh -c \
		'echo $FASTSOCKET_PIN,$FASTSOCKET_PORTS,$FASTSOCKET_LOG'
	[ "$out" = 1,80,443,1 ] || fail "$out"
	tool 0 run -- sh -c 'env | grep FASTSOCKET'
	[ "$out" = FASTSOCKET_CONNECT=1 ] || fail "$out"
	tool 0 run --no-connect -- sh -c 'env | grep FASTSOCKET'
	[ "$out" = FASTSOCKET_CONNECT=0 ] || fail "$out"
	tool 0 run --connect-ports 80 -- sh -c \
		'echo $FASTSOCKET_CONNECT,$FASTSOCKET_CONNECT_PORTS'
	[ "$out" = 1,80 ] || fail "$out"
	out=$(FASTSOCKET_CONNECT=0 "$FSK_TOOL" run -- sh -c \
		'echo $FASTSOCKET_CONNECT')
	[ "$out" = 0 ] || fail "$out"
	# Options after the program are the program's.
	tool 0 run echo --pin
	[ "$out" = --pin ] || fail "$out"
}

test_run_preload() {
	begin
	tool 0 run -- sh -c 'echo "$LD_PRELOAD"'
	[ "$out" = "$FSK_ROOT/build/libfsocket.so" ] || fail "$out"
	LD_PRELOAD=libc.so.6 tool 0 run -- sh -c 'echo "$LD_PRELOAD"'
	[ "$out" = "$FSK_ROOT/build/libfsocket.so:libc.so.6" ] || fail "$out"
	# As installed.
	mkdir "$work/bin" "$work/lib" "$work/a b"
	cp "$FSK_TOOL" "$work/bin"
	cp "$FSK_ROOT/build/libfsocket.so" "$work/lib"
	out=$("$work/bin/fastsocket" run -- sh -c 'echo "$LD_PRELOAD"')
	[ "$out" = "$work/lib/libfsocket.so" ] || fail "$out"
	cp "$FSK_TOOL" "$FSK_ROOT/build/libfsocket.so" "$work/a b"
	FSK_TOOL="$work/a b/fastsocket" tool 2 run -- true
	says "cannot be preloaded"
}

test_adopt() {
	begin
	listener '
		a, b = tcp(join=False), tcp("::", 7002, join=False)
		c, d = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)'
	tool 0 -j adopt "$pid" 7002
	is "[(7002, 'joined')]" '[(l["port"], l["result"]) for l in d]'
	tool 0 -j show listen
	is '[7002]' '[l["port"] for l in d]'
	tool 0 adopt "$pid"
	echo "$out" | grep -q 'port 7001  joined$' || fail "$out"
	echo "$out" | grep -q 'port 7002  had joined$' || fail "$out"
	tool 0 release "$pid" 7002
	echo "$out" | grep -q 'port 7002  released$' || fail "$out"
	tool 0 -j show listen
	is "['active', 'bypass']" 'sorted(l["state"] for l in d)'
	is "['released']" '[l["bypass-reason"] for l in d if l["port"] == 7002]'
	tool 0 release "$pid"
	echo "$out" | grep -q 'port 7001  released$' || fail "$out"
	echo "$out" | grep -q 'port 7002  had been released$' || fail "$out"
	tool 0 adopt "$pid" 7002
	echo "$out" | grep -q 'port 7002  joined again$' || fail "$out"
	tool 2 release "$pid" 7003
	says "no such TCP listener"
	tool 2 adopt "$pid" 7003
	says "no such TCP listener"
}

test_adopt_refused() {
	need setpriv
	begin
	tool 2 adopt 999999
	says "No such process"
	prefix=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	tool 2 adopt 1
	says "process 1:"
	prefix=()
	listener 'a = tcp(join=False)'
	rmmod fastsocket || fail "the module stays"
	defer insmod "$module"
	"$FSK_TOOL" adopt "$pid" >"$work/out"
	[ $? = 2 ] || fail "status"
	grep -q 'module is not loaded' "$work/out" || fail "$(cat "$work/out")"
}

test_set_rfd() {
	begin
	defer "$FSK_TOOL" set rfd-count=0
	defer "$FSK_TOOL" set rfd=mask
	tool 0 -j status
	is "('mask', False)" '(d["rfd"], d["rfd-count"])'
	tool 0 set rfd=steer
	tool 0 set rfd-count=1
	tool 0 -j status
	is "('steer', True)" '(d["rfd"], d["rfd-count"])'
	tool 0 set rfd=off
	tool 0 show rfd
	echo "$out" | grep -q '^others  *off ' || fail "$out"
}

test_set_vfs() {
	begin
	defer "$FSK_TOOL" set vfs=off
	tool 0 -j status
	is False 'd["vfs"]'
	tool 0 set vfs=on
	tool 0 -j status
	is True 'd["vfs"]'
	is True '{f["name"]: f for f in d["features"]}["vfs"]["enabled"]'
	tool 0 set vfs=off
	tool 0 status
	echo "$out" | grep -q '^vfs .*off .*vfs is off' || fail "$out"
	tool 0 set vfs=0
}

test_show_vfs() {
	begin
	tool 0 show vfs
	echo "$out" | head -n 1 | grep -q '^CPU  LISTENERS .* REFUSE$' ||
		fail "$out"
	tool 0 -j show vfs
	is True 'len(d) >= 1 and all(c["vfs-accept"] >= c["vfs-reuse"] for c in d)'
	is True '{"room", "out", "rest", "plain"} < set(d[0])'
}

test_show_latency() {
	begin
	tool 0 show latency
	[ "$(echo "$out" | grep -c '^CPU  *<64us .* longer$')" = 2 ] ||
		fail "$out"
	! echo "$out" | grep -qE '.{81}' || fail "wider than 80: $out"
	tool 0 -j show latency
	is True 'len(d["below-us"]) == 21 and d["below-us"][:2] == [16, 32]'
	is True 'all(len(c["wait"]) == len(c["syn"]) == 22 for c in d["cores"])'
}

# waits SECONDS...: in a namespace of its own, a server on CPU 1 that takes so
# long before each accept(), and what the tool counts then
waits() {
	cat >"$work/waits.py" <<-'END'
	import os, socket, subprocess, sys, time
	os.sched_setaffinity(0, [1])
	subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
	s = socket.socket()
	s.bind(("127.0.0.1", 7001))
	s.listen(64)
	s.setsockopt(socket.IPPROTO_TCP, 31, b"fastsocket")
	s.setblocking(False)
	try:
	    s.accept()
	except BlockingIOError:
	    pass
	tool = [os.environ["FSK_TOOL"], "-j", "show", "latency"]
	keep = []
	for wait in sys.argv[2:]:
	    begin = time.monotonic()
	    keep.append(socket.create_connection(("127.0.0.1", 7001)))
	    keep[-1].send(b"x")
	    time.sleep(float(wait))
	    keep.append(s.accept()[0])
	    with open(sys.argv[1], "a", encoding="ascii") as file:
	        print(int((time.monotonic() - begin) * 1e6), file=file)
	subprocess.run(tool, check=True)
	END
	rm -f "$work/took"
	FSK_TOOL=$FSK_TOOL unshare -n /usr/bin/python3 "$work/waits.py" \
		"$work/took" "$@" >"$work/out" || fail "the server failed"
	out=$(cat "$work/out")
}

# not_longer KIND: none counts as longer than the server saw it take
not_longer() {
	is True "(lambda w: all(sum(n for c in d['cores']
	    for n in c['$1'][:i + 1]) >= sum(x * 1.1 < b for x in w)
	    for i, b in enumerate(d['below-us'])))(
	    [int(x) for x in open('$work/took')])"
}

# Connections that waited long are all counted where they belong, and none
# elsewhere: from 300 ms to what it was on a slow machine. One that did not is the
# only one of its tick, and counts once.
test_latency_counts() {
	begin
	waits 0.3 0.3 0.3
	is 3 'sum(sum(c["wait"][15:]) for c in d["cores"])'
	is 3 'sum(sum(c["wait"]) for c in d["cores"])'
	is 3 'sum(sum(c["syn"][15:]) for c in d["cores"])'
	not_longer wait
	not_longer syn
	is 3 'sum(next(c for c in d["cores"] if c["cpu"] == 1)["wait"])'
	waits 0 0.02 0 0.02 0
	is 5 'sum(sum(c["wait"]) for c in d["cores"])'
	is True 'sum(sum(c["wait"][10:]) for c in d["cores"]) >= 2'
}

# The same waits as another program measures them.
test_latency_by_bpftrace() {
	local pid

	begin
	need bpftrace
	# shellcheck disable=SC2016 # not variables of this shell
	bpftrace -e 'BEGIN { printf("ready\n"); }
		kprobe:inet_csk_complete_hashdance { @at[arg1] = nsecs; }
		kretprobe:inet_csk_accept /@at[retval]/ {
			printf("waited %d\n", (nsecs - @at[retval]) / 1000);
			delete(@at[retval]);
		}' >"$work/trace" 2>"$work/err" &
	pid=$!
	defer stop_pid "$pid" KILL
	wait_for 180 grep -q ready "$work/trace" ||
		fail "bpftrace: $(cat "$work/trace" "$work/err")"
	waits 0.002 0.01 0.04 0.08 0.16
	interrupt "$pid" || fail "bpftrace stays"
	note "$(grep waited "$work/trace")"
	# Where a wait is near a limit, both may be on either side of it.
	sed -n 's/^waited //p' "$work/trace" >"$work/waited"
	is True "(lambda w: len(w) == 5 and all(
	    abs(sum(n for c in d['cores'] for n in c['wait'][:i + 1]) -
		sum(x < b for x in w)) <= sum(b * 0.7 < x < b * 1.5 for x in w)
	    for i, b in enumerate(d['below-us'])))(
	    [int(x) for x in open('$work/waited')])"
}

test_rfd_set() {
	local mode

	begin
	for mode in off mask steer; do
		tool 0 rfd set lo "$mode"
		tool 0 -j show rfd
		is "[('lo', '$mode')]" \
			'[(i["interface"], i["mode"]) for i in d["interfaces"]]'
	done
	tool 0 -j rfd set -n lo off
	is "[('off', True)]" '[(i["mode"], i["dry-run"]) for i in d]'
	for mode in rss ntuple; do
		tool 2 rfd set lo "$mode"
		says "lo: no $mode: "
	done
	tool 0 -j show rfd
	is "['steer']" '[i["mode"] for i in d["interfaces"]]'
	tool 0 rfd del lo
	tool 2 rfd del lo
	says "no mode of its own"
	tool 2 rfd set nonsense off
	says "no interface 'nonsense'"
	tool 2 rfd watch nonsense
}

# Where nothing comes in from outside, what was set is forgotten.
test_rfd_none() {
	begin
	tool 0 rfd set lo steer
	tool 0 -j rfd auto lo
	is "[('lo', 'none')]" '[(i["interface"], i["mode"]) for i in d]'
	tool 0 -j show rfd
	is '[]' 'd["interfaces"]'
	ip link add fsk-veth type veth peer fsk-peer || skip "no veth here"
	defer ip link del fsk-veth
	tool 0 rfd auto fsk-veth
	echo "$out" | grep -q '^fsk-veth: none: ' || fail "$out"
}

# Ten connections from each of two cores: whose ports they are, how many left.
test_rfd_ports() {
	begin
	[ "$(nproc)" -gt 1 ] || skip "one CPU"
	# A port that no other test connects to.
	listener 'keep = [tcp(port=7077, join=False)]'
	tool 0 run -- /usr/bin/python3 -c 'import os, socket, subprocess, sys
keep = []
for cpu in 0, 1:
    os.sched_setaffinity(0, {cpu})
    for i in range(10):
        keep.append(socket.create_connection(("127.0.0.1", 7077)))
sys.exit(subprocess.call([sys.argv[1], "-j", "show", "rfd"]))' "$FSK_TOOL"
	[ "$(json 'd["total"]["connect-kernel"]')" = 0 ] ||
		skip "this kernel has no port range of a socket"
	is "[(0, 10, 10), (1, 10, 10)]" \
		'[(r["cpu"], r["own"], r["used"]) for r in d["destinations"]
			if r["port"] == 7077]'
	is True 'all(r["share"] - r["used"] == r["free"]
		for r in d["destinations"])'
	is True 'all(r["probes"] >= r["own"] for r in d["destinations"])'
}

# All parts are there; what would tell of others is not.
test_report() {
	local part

	begin
	listener 'keep = [tcp(port=7077)]'
	FSK_SECRET=swordfish "$FSK_TOOL" run -- /usr/bin/python3 -c '
import os, socket, subprocess, sys
os.sched_setaffinity(0, {0})
keep = socket.create_connection(("127.0.0.1", 7077))
sys.exit(subprocess.call([sys.argv[1], "report"]))' "$FSK_TOOL" \
		>"$work/report" 2>"$work/err" || fail "$(cat "$work/err")"
	[ ! -s "$work/err" ] || fail "$(cat "$work/err")"
	for part in machine "network cards" "config show" status "show stats" \
		"show listen" "show rfd" "the kernel's log"; do
		grep -qx "== $part" "$work/report" || fail "no part '$part'"
	done
	grep -q '^module  *[0-9]' "$work/report" || fail "no version"
	grep -q 'fastsocket: version' "$work/report" || fail "no log"
	grep -q '"port": 7077' "$work/report" || fail "no destination"
	grep -q '"addr": "hidden"' "$work/report" || fail "an address"
	! sed -n '/^== show rfd/,/^== the/p' "$work/report" |
		grep -F 127.0.0.1 || fail "an address"
	! grep swordfish "$work/report" || fail "the environment"
}

# Connections of both families, in IPv6 sockets too.
test_show_flows() {
	local mask=1

	begin
	while [ "$mask" -lt "$(nproc)" ]; do mask=$((2 * mask)); done
	listener '
		keep = [tcp("::", 7001, join=False)]
		for host in "::1", "127.0.0.1":
		    keep.append(socket.create_connection((host, 7001)))
		keep.append(socket.socket(socket.AF_INET6))
		keep[-1].connect(("::ffff:127.0.0.1", 7001))
		keep.append(socket.create_connection(("::1", 7001), 9,
						     ("::1", 7070)))'
	tool 0 -j show flows
	is "['127.0.0.1', '127.0.0.1', '::1']" \
		'sorted(f["remote"] for f in d if f["remote-port"] == 7001)'
	is True "all(f['cpu'] == f['local-port'] & ($mask - 1) for f in d)"
	is "{'lo'}" '{f["interface"] for f in d if f["remote-port"] == 7001}'
	is "{('python3', $pid)}" '{(f["process"], f["pid"]) for f in d
		if f["remote-port"] == 7001}'
	tool 0 rfd set lo off
	defer "$FSK_TOOL" rfd del lo
	tool 0 -j show flows
	is False 'any("cpu" in f for f in d if f["remote-port"] == 7001)'
	tool 0 show flows
	echo "$out" | grep -q '^\[::1\]:[0-9]*  *\[::1\]:7001  *lo  *-  *0  *python3/[0-9]*$' ||
		fail "$out"
}

forget_nic() {
	"$FSK_TOOL" rfd del "$nic" 2>/dev/null
}

# A virtio interface with a queue for each CPU, the first queue's interrupt on
# the last CPU, and so on: "$nic".
begin_nic() {
	local folder irq action

	begin
	nic=
	for folder in /sys/class/net/*/queues/rx-1; do
		folder=${folder%/queues/*}
		[ -e "$folder/device" ] && nic=${folder##*/}
	done
	need ethtool
	ethtool -x "${nic:-lo}" 2>/dev/null | grep -q 'toeplitz: on' ||
		skip "no interface with RSS here: selftests/vm/boot -c 8 -q 8"
	[ "$(echo /sys/class/net/"$nic"/queues/rx-* | wc -w)" = "$(nproc)" ] ||
		skip "$nic has not as many queues as there are CPUs"
	for irq in /sys/class/net/"$nic"/device/../msi_irqs/*; do
		irq=${irq##*/}
		action=$(cat "/sys/kernel/irq/$irq/actions")
		case $action in
		*-input.*) echo $(($(nproc) - 1 - ${action##*.})) \
			>"/proc/irq/$irq/smp_affinity_list" ;;
		esac
	done
	defer ethtool -X "$nic" default
	defer forget_nic
}

# The table and the key that ethtool shows, with cores in place of queues.
test_nic_auto() {
	local table key

	begin_nic
	table=$(ethtool -x "$nic" | sed -n 's/^ *[0-9]*: //p' | xargs -n 1 |
		awk -v last="$(($(nproc) - 1))" '{ print last - $1 }' | xargs)
	key=$(ethtool -x "$nic" | sed -n '/hash key/{n;s/://g;p}')
	tool 0 -j rfd auto -n "$nic"
	is rss 'd[0]["mode"]'
	is "$table" '" ".join(str(c) for c in d[0]["table"])'
	is "$key" 'd[0]["key"]'
	is '(True, True)' '(d[0]["tcp4"], d[0]["tcp6"])'
	tool 0 rfd auto "$nic"
	tool 0 -j show rfd
	is "[('$nic', 'rss')]" \
		'[(i["interface"], i["mode"]) for i in d["interfaces"]]'
	is "$table" '" ".join(str(c) for c in d["interfaces"][0]["table"])'
	tool 2 rfd set "$nic" ntuple
	says "$nic: no ntuple: it takes no rules"
	tool 0 -j rfd auto --all
	is "['$nic']" '[i["interface"] for i in d]'
}

test_nic_hash() {
	local which

	begin_nic
	for which in tcp4 tcp6; do
		ethtool -N "$nic" rx-flow-hash "$which" sd 2>/dev/null ||
			skip "$nic always hashes ports"
		defer ethtool -N "$nic" rx-flow-hash "$which" sdfn
		tool 0 rfd auto "$nic"
		case $which in
		tcp4) echo "$out" | grep -q ': rss: .* of IPv6$' ;;
		tcp6) echo "$out" | grep -q ': steer: .*not hash the ports' ;;
		esac || fail "$which: $out"
	done
	tool 2 rfd set "$nic" rss
	says "does not hash the ports"
}

# The interface below is read, the one above is set.
test_nic_vlan() {
	begin_nic
	ip link add link "$nic" name fsk-vlan type vlan id 5 ||
		skip "no VLANs here"
	defer ip link del fsk-vlan
	defer "$FSK_TOOL" rfd del fsk-vlan
	tool 0 -j rfd auto fsk-vlan
	is "[('fsk-vlan', 'rss')]" '[(i["interface"], i["mode"]) for i in d]'
	tool 0 -j show rfd
	is True '"fsk-vlan" in [i["interface"] for i in d["interfaces"]]'
}

# In another namespace /sys does not show it.
test_nic_netns() {
	begin_nic
	namespace
	ip link set "$nic" netns "$name" || fail "it stays"
	defer ip netns exec "$name" ip link set "$nic" netns 1
	tool 0 -j --netns "$name" rfd auto "$nic"
	is rss 'd[0]["mode"]'
	tool 0 -j --netns "$name" rfd auto --all
	is "['$nic']" '[i["interface"] for i in d]'
	tool 0 -j show rfd
	is False "'$nic' in [i['interface'] for i in d['interfaces']]"
}

mode_is() {
	[ "$("$FSK_TOOL" show rfd | awk -v nic="$nic" '$1 == nic {
		print $2, $5 }')" = "$1" ]
}

# How often a process has gone to sleep
sleeps_of() {
	awk '$1 == "voluntary_ctxt_switches:" { print $2 }' "/proc/$1/status"
}

# slept PID TIMES
slept() {
	[ "$(sleeps_of "$1")" -ge "$2" ]
}

test_nic_watch() {
	local irq watch all sleeps

	begin_nic
	all=$(nproc)
	"$FSK_TOOL" rfd del "$nic" 2>/dev/null
	"$FSK_TOOL" rfd watch >"$work/watch" 2>&1 &
	watch=$!
	defer stop_pid "$watch" KILL
	wait_for 60 mode_is "rss $all" || fail "at first: $(cat "$work/watch")"
	# An interrupt that moves.
	for irq in /sys/class/net/"$nic"/device/../msi_irqs/*; do
		irq=${irq##*/}
		grep -q -- '-input.0$' "/sys/kernel/irq/$irq/actions" && break
	done
	echo 0 >"/proc/irq/$irq/smp_affinity_list"
	wait_for 60 mode_is "steer -" || fail "moved: $(cat "$work/watch")"
	echo $((all - 1)) >"/proc/irq/$irq/smp_affinity_list"
	wait_for 60 mode_is "rss $all" || fail "back: $(cat "$work/watch")"
	ethtool -X "$nic" equal 1
	wait_for 60 mode_is "steer -" || fail "table: $(cat "$work/watch")"
	ethtool -X "$nic" default
	wait_for 60 mode_is "rss $all" || fail "default: $(cat "$work/watch")"
	# What an administrator sets stays while nothing changes.
	sleeps=$(sleeps_of "$watch")
	"$FSK_TOOL" rfd set "$nic" off
	wait_for 60 slept "$watch" $((sleeps + 2)) || fail "it looks no more"
	mode_is "off -" || fail "set by hand: $(cat "$work/watch")"
	kill -TERM "$watch"
	wait_for 60 gone "$watch" || fail "it stays"
	wait "$watch" || fail "status $?: $(cat "$work/watch")"
}

# load PORT: connections to it, each from the CPU that the worker is on, until
# the end of the test
load() {
	taskset -c 0 /usr/bin/python3 -c "import socket
while True:
    with socket.create_connection(('127.0.0.1', $1)) as s:
        s.recv(1)" &
	defer stop_pid $! KILL
	disown
}

# A worker with connections.
loaded() {
	begin_patient
	listener 'workers(tcp(), (0,))'
	defer end_children "$pid"
	load 7001
	wait_for 60 accepting || fail "nothing is accepted: $out"
}

accepting() {
	tool 0 -j show stats
	[ "$(json 'd["total"]["accept-local"] > 20')" = True ]
}

test_stats_rate() {
	loaded
	tool 0 -j show stats --rate 2 -n 1
	is True '1.9 < d["seconds"] < 60'
	is True 'd["total"]["accept-local"] > 0'
	is True 'd["cores"][0]["accept-local"] == d["total"]["accept-local"]'
	tool 0 show stats --rate 1.5 -n 2
	[ "$(grep -c '^PER SECOND  *TOTAL  *CPU0' <<<"$out")" = 2 ] ||
		fail "not twice: $out"
	grep -q '^accept-local  *[0-9.]' <<<"$out" || fail "no rate: $out"
	! grep -q '^vfs-' <<<"$out" || fail "what is 0: $out"
}

test_top_batch() {
	begin
	tool 0 top -b -n 1 -d 0.2
	[[ $out == *"listeners 0, cores $(nproc)"* ]] || fail "empty: $out"
	loaded
	# Seconds in which none is accepted are no rate.
	tool 0 top -b -n 2 -d 3
	[ "$(grep -c '^fastsocket top' <<<"$out")" = 2 ] || fail "$out"
	awk '$1 == "127.0.0.1:7001" && $2 > 0 && $3 > 90 { n++ }
		END { exit n != 2 }' <<<"$out" || fail "no rate: $out"
	awk '$1 == "0" && $2 > 0 && $3 > 90 { n++ }
		END { exit n != 2 }' <<<"$out" || fail "no core: $out"
	tool 0 top -bwi -n 1 -d 3
	grep -q '^127.0.0.1:7001 cpu 0 .* claimed$' <<<"$out" ||
		fail "no queue: $out"
	! grep -q '^  *1 ' <<<"$out" || fail "an idle core: $out"
}

# terminal WxH STEP...: of tool_top.py, on `fastsocket top`
terminal() {
	/usr/bin/python3 -c 'import pyte' 2>/dev/null || skip "no pyte here"
	/usr/bin/python3 "$here/tool_top.py" "$@" -- "$FSK_TOOL" top \
		2>"$work/err" || fail "$(cat "$work/err")"
}

test_top_terminal() {
	local size

	loaded
	for size in 80x24 200x60; do
		terminal "$size" "see:127.0.0.1:7001" "see:listeners 1-1 of 1" \
			"see:active" key:h "see:any key" "key: " \
			"lack:any key" key:w "see:QUEUE OF" "see:claimed" \
			key:1 "lack:CPU  CONN" "key:1" "see:CPU  CONN" \
			key:d see:seconds "key:0.5\n" "see:every 0.5 s" \
			size:30x6 lack:TAKEN size:120x40 "see:STATE" \
			show key:q >"$work/out"
		note "$(cat "$work/out")"
	done
}

# The module goes and comes back meanwhile.
test_top_away() {
	begin
	defer sh -c "[ -d /sys/module/fastsocket ] || insmod '$module'"
	terminal 80x24 "see:no listeners" "run:rmmod fastsocket" \
		"see:not loaded" "run:insmod $module" "see:no listeners" key:q
}

test_top_many() {
	begin
	listener 'a = many(500)'
	terminal 80x24 "see:of 500" "see:127.0.0.1:10000" 'key:\x1b[4~' \
		"see:-500 of 500" "lack:127.0.0.1:10000" key:R \
		'key:\x1b[1~' "see:listeners 1-" key:q
}

test_metrics() {
	begin
	listener 'workers(tcp(), (0,)); a = tcp("::1", 7002)'
	defer end_children "$pid"
	wait_for 60 one_claimed || fail "$("$FSK_TOOL" show listen)"
	tool 0 metrics
	grep -qx 'fastsocket_loaded 1' <<<"$out" || fail "$out"
	grep -qx 'fastsocket_listeners 2' <<<"$out" || fail "$out"
	grep -qx 'fastsocket_listener_queues{listener="127.0.0.1:7001"} 1' \
		<<<"$out" || fail "$out"
	grep -qx 'fastsocket_listener_sockets{listener="\[::1\]:7002"} 1' \
		<<<"$out" || fail "$out"
	[ "$(grep -c '^fastsocket_overflow_total{cpu="' <<<"$out")" = \
		"$(nproc)" ] || fail "$out"
	[ "$(tail -n 1 <<<"$out")" = "# EOF" ] || fail "no end: $out"
}

test_metrics_file() {
	begin
	mkdir "$work/folder"
	echo old >"$work/folder/x.prom"
	tool 0 metrics -o "$work/folder/x.prom"
	grep -qx '# TYPE fastsocket_rescue_total counter' \
		"$work/folder/x.prom" || fail "$(cat "$work/folder/x.prom")"
	[ "$(stat -c %a "$work/folder/x.prom")" = 644 ] || fail "its mode"
	[ "$(ls -A "$work/folder")" = x.prom ] || fail "$(ls -A "$work/folder")"
	# What can't be written leaves nothing behind.
	mkdir "$work/folder/y"
	tool 2 metrics -o "$work/folder/y"
	says "cannot write '$work/folder/y'"
	tool 2 metrics -o "$work/nothing/x.prom"
	[ "$(ls -A "$work/folder")" = "$(printf 'x.prom\ny')" ] ||
		fail "$(ls -A "$work/folder")"
}

# http METHOD [HEADER]: one connection, as systemd makes them
http() {
	curl -sS -m 60 -i -X "$1" ${2:+-H "$2"} http://127.0.0.1:9973/metrics \
		>"$work/out" || fail "no answer"
	out=$(tr -d '\r' <"$work/out")
}

answers() {
	curl -s -m 60 -o /dev/null http://127.0.0.1:9973/
}

test_metrics_http() {
	need curl systemd-socket-activate
	begin
	systemd-socket-activate --inetd -a -l 127.0.0.1:9973 \
		"$FSK_TOOL" metrics --http 2>/dev/null &
	defer stop_pid $! KILL
	disown
	wait_for 60 answers || fail "nobody listens"
	http GET
	[[ $out == "HTTP/1.1 200 OK"*"version=0.0.4"*fastsocket_loaded* ]] ||
		fail "$out"
	http GET 'Accept: application/openmetrics-text; version=1.0.0'
	[[ $out == "HTTP/1.1 200 OK"*"openmetrics-text; version=1.0.0"*EOF ]] ||
		fail "$out"
	http POST
	[[ $out == "HTTP/1.1 405 "*"Allow: GET, HEAD"* ]] || fail "$out"
}

# In its namespace, without being told which that is.
test_show_process() {
	begin
	tool 2 show process 999999999
	says "no process 999999999"
	namespace
	FASTSOCKET_PORTS=7001-7002 ip netns exec "$name" \
		"$FSK_TOOL" run --pin -- /usr/bin/python3 "$here/tool_listen.py" \
		"$work/listening" 'a = tcp(join=False); b = tcp("::1", 7002, join=False)
c = tcp(port=7003, join=False)
d = socket.create_connection(("127.0.0.1", 7001)); e = a.accept()' &
	pid=$!
	disown
	defer stop_pid "$pid" KILL
	wait_for 60 test -e "$work/listening" || fail "it does not listen"
	tool 0 -j show process "$pid"
	is "$pid True 1" '" ".join(str(d[k]) for k in ("pid", "library", "threads"))'
	is True '{"FASTSOCKET_PIN=1", "FASTSOCKET_PORTS=7001-7002"}
		<= set(d["settings"])'
	is "[('127.0.0.1', 7001, True), ('127.0.0.1', 7003, False), ('::1', 7002, True)]" \
		'sorted((l["addr"], l["port"], l["joined"]) for l in d["listening"])'
	is "(1, 1)" '(d["accepted"], d["opened"])'
	is True 'd["resident-kib"] > 1000'
	is 1 'sum(l[k] for l in d["listening"] for k in l if k.startswith("accept-"))'
	tool 0 show process "$pid"
	grep -qE '^127.0.0.1:7003 .* not joined$' <<<"$out" || fail "$out"
	note "$out"
	if command -v setpriv >/dev/null; then
		prefix=(setpriv --reuid 65534 --regid 65534 --clear-groups)
		tool 2 show process "$pid"
	fi
}

# check_is STATUS FAST WORDS [WORDS]: what `check` says of the process in "$pid",
# of why, and of what to do
check_is() {
	tool "$1" -j check "$pid"
	is "[$2]" '[l["fast"] for l in d]'
	is True "any(\"$3\" in r['what'] for l in d for r in l['reasons'])"
	is True "any(\"${4-}\" in r['do'] for l in d for r in l['reasons'])"
}

test_check_fast() {
	begin
	listener 'workers(tcp(), (0, 1))'
	defer end_children "$pid"
	wait_for 60 two_claimed || fail "$("$FSK_TOOL" show listen)"
	tool 0 -j check "$pid"
	is "[(7001, True, 1, 1, 2, [])]" '[(l["port"], l["fast"],
		l["sockets"], l["sockets-joined"], l["queues"], l["reasons"]) for l in d]'
	is "python3" 'd[0]["process"]'
	tool 0 check
	echo "$out" | grep -q "^127.0.0.1:7001 of python3/[0-9]*: fast$" ||
		fail "$out"
	tool 0 -j check --all-netns
	is True 'len(d) == 1 and d[0]["fast"] and d[0]["netns-inode"] > 0'
}

test_check_joined() {
	begin
	tool 3 check $$
	says "no TCP listener"
	listener 'a = tcp()'
	check_is 3 False "no worker that waits" "--pin"
	tool 3 check "$pid"
	echo "$out" | grep -q '^  do:  bind each worker' || fail "$out"
	stop_pid "$pid" KILL
	listener "$filtered"
	check_is 3 False "leave it alone: socket filter" "fastsocket-options(7)"
	stop_pid "$pid" KILL
	listener 'a = tcp(join=False)'
	check_is 3 False "started without Fastsocket" "adopt $pid"
	tool 3 -j check
	is "[]" 'd'
	says "no listener has joined"
	# What it says is to be done helps.
	tool 0 adopt "$pid"
	check_is 3 False "no worker that waits"
	stop_pid "$pid" KILL
	listener '
		more = (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1),
		a, b = tcp(options=more), tcp(join=False, options=more)'
	check_is 3 False "only 1 of its 2 sockets" "adopt $pid 7001"
}

# plain PROGRAM [VARIABLE...]: starts it with the variables; in "$pid"
plain() {
	local program=$1
	shift

	rm -f "$work/listening"
	env "$@" "$program" 7003 "$work/listening" &
	pid=$!
	disown
	defer stop_pid "$pid" KILL
	wait_for 60 test -e "$work/listening" || fail "it does not listen"
}

# The loader has its own words on standard error for some of these.
test_check_refused() {
	local library=$FSK_ROOT/build/libfsocket.so

	need setpriv gcc
	begin
	gcc -o "$work/plain" "$here/plain_listen.c" || fail "no program"
	gcc -static -o "$work/static" "$here/plain_listen.c" ||
		skip "no static C library"
	plain "$work/plain" LD_PRELOAD="$library" FASTSOCKET_PORTS=80
	check_is 3 False "FASTSOCKET_PORTS=80 leaves port 7003 out"
	stop_pid "$pid" KILL
	plain "$work/static" LD_PRELOAD="$library"
	check_is 3 False "statically linked" "adopt $pid"
	stop_pid "$pid" KILL
	plain "$work/plain" LD_PRELOAD=/nowhere/libfsocket.so
	check_is 3 False "no /nowhere/libfsocket.so in the program" "adopt $pid"
	stop_pid "$pid" KILL
	mkdir "$work/noexec"
	mount -t tmpfs -o noexec none "$work/noexec" || fail "no tmpfs"
	defer umount "$work/noexec"
	cp "$library" "$work/noexec"
	plain "$work/plain" LD_PRELOAD="$work/noexec/libfsocket.so"
	check_is 3 False "mounted noexec" "another file system"
	stop_pid "$pid" KILL
	chmod 777 "$work"
	chown 65534 "$work/plain"
	chmod u+s "$work/plain"
	plain "$work/plain" LD_PRELOAD="$library"
	check_is 3 False "raised rights" "AmbientCapabilities="
	stop_pid "$pid" KILL
	chmod u-s "$work/plain"
	cp "$library" "$work/libfsocket.so"
	plain "$work/plain" LD_PRELOAD="$work/libfsocket.so"
	rm "$work/libfsocket.so"
	check_is 3 False "was replaced since" "restart the program"
}

test_check_options() {
	begin
	tool 1 check a b
	tool 2 check 4194304
	says "there is no process 4194304"
	[ -d /run/systemd/system ] || {
		tool 2 check nonsense
		says "give a process number"
	}
	rmmod fastsocket || fail "the module stays"
	defer insmod "$module"
	listener 'a = tcp(join=False)'
	check_is 3 False "the kernel module is not loaded"
	tool 3 check
	says "not loaded"
	tool 2 status --all-netns
	tool 2 -j show listen --all-netns
	[ -z "$out" ] || fail "$out"
}

test_all_netns() {
	local outside where

	need setpriv
	begin
	listener 'a = tcp()'
	outside=$pid
	namespace
	ip netns exec "$name" /usr/bin/python3 "$here/tool_listen.py" \
		"$work/inside" 'a, b = tcp(), tcp("::", 7002)' &
	pid=$!
	disown
	defer stop_pid "$pid" KILL
	wait_for 60 test -e "$work/inside" || fail "it does not listen"
	# From inside of one of them, too.
	for where in "" "ip netns exec $name"; do
		read -ra prefix <<<"$where"
		tool 0 -j show listen --all-netns
		is 3 'len(d)'
		is "[7001, 7002]" "sorted(l['port'] for l in d
			if l['netns'] == '$name')"
		tool 0 -j status --all-netns
		is "[('python3', $pid)]" "[(p['process'], p['pid']) for n in d
			if n['netns'] == '$name' for p in n['processes']]"
		is True "$outside in [p['pid'] for n in d for p in n['processes']]"
	done
	prefix=()
	tool 0 status --all-netns
	echo "$out" | grep -q '^In use: 3 joined listeners in 2 network ' ||
		fail "$out"
	tool 0 show listen --all-netns
	echo "$out" | grep -q "^$name (net:\[[0-9]*\], process " || fail "$out"
	tool 3 -j check --all-netns
	is 3 'len(d)'
	prefix=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	tool 2 status --all-netns
	says "for root"
}

# Units without systemd: what systemctl would say of one comes from a file.
test_check_unit() {
	local group=/sys/fs/cgroup/fsk-check unit PATH=$PATH

	begin
	[ -e /sys/fs/cgroup/cgroup.procs ] ||
		mount -t cgroup2 none /sys/fs/cgroup || skip "no control groups"
	mkdir "$group" || fail "no control group"
	defer wait_for 20 rmdir "$group"
	unit=$work/show
	mkdir "$work/bin"
	printf '#!/bin/sh\ncat %s\n' "$unit" >"$work/bin/systemctl"
	chmod +x "$work/bin/systemctl"
	PATH=$work/bin:$PATH
	echo LoadState=not-found >"$unit"
	tool 1 check a
	says "there is no unit 'a'"
	printf '%s\n' Id=a.service LoadState=loaded ActiveState=inactive \
		ControlGroup= >"$unit"
	tool 3 check a
	says "a.service does not run"
	printf '%s\n' Id=a.service LoadState=loaded ActiveState=active \
		ControlGroup=/fsk-check >"$unit"
	tool 3 check a
	says "no TCP listener"
	listener 'a = tcp(join=False)'
	echo "$pid" >"$group/cgroup.procs" || fail "it does not move"
	tool 3 -j check a
	is "['fastsocket enable --now a.service']" \
		'[r["do"].split(";")[0] for r in d[0]["reasons"]]'
	echo "Environment=LD_PRELOAD=/usr/lib/libfsocket.so" >>"$unit"
	echo "DropInPaths=$work/50-fastsocket.conf" >>"$unit"
	touch -d '1 minute' "$work/50-fastsocket.conf"
	tool 3 -j check a
	is "['systemctl restart a.service']" \
		'[r["do"] for r in d[0]["reasons"]]'
	touch -d '1 day ago' "$work/50-fastsocket.conf"
	tool 3 -j check a
	is True '"cleans the environment" in d[0]["reasons"][0]["what"]'
	# Who belongs to another unit is not looked at.
	sed -i s,=/fsk-check,=/fsk, "$unit"
	tool 3 check a
	says "no TCP listener"
}

# The kernel's own client reads our specification, and talks to the module by it.
test_ynl() {
	local ynl=(/usr/bin/python3 "$FSK_ROOT/build/selftests/ynl/cli.py"
		--no-schema --spec "$FSK_ROOT/include/netlink/fastsocket.yaml")

	[ -e "${ynl[1]}" ] || skip "no ynl here: make -C selftests"
	begin
	listener 'a = tcp(port=7011)'
	defer "$FSK_TOOL" set rescue-ms=20
	out=$("${ynl[@]}" --do status-get 2>&1) || fail "$out"
	grep -q "'version': '$(modinfo -F version "$module")'" <<<"$out" ||
		fail "$out"
	out=$("${ynl[@]}" --dump listen-get 2>&1) || fail "$out"
	grep -q "'port': 7011" <<<"$out" || fail "$out"
	out=$("${ynl[@]}" --do config-set --json '{"rescue-ms": 77}' 2>&1) ||
		fail "$out"
	tool 0 -j status
	is 77 'd["rescue-ms"]'
}

[ $# -eq 0 ] || tests=("$@")
[ -x "$FSK_TOOL" ] || make -s -C "$FSK_ROOT" programs || exit 1
[ -d /sys/module/fastsocket ] || insmod "$module" || exit 1
run_tests "${tests[@]}"
