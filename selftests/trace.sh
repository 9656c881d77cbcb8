# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Counts, with nothing but the kernel's own tracing, on which core connections
# arrive, on which they are accepted, and how often workers are woken. It knows
# nothing of Fastsocket, so that a plain and an accelerated server are measured
# alike, and the module's own counters have a witness.
#
#   trace_start PORT [PID...]   from here on; wake-ups of these processes
#   trace_stop FILE             end, report into FILE
#   trace_get FILE NAME         one figure of the sum line
#
# The report has a line per core and one for all:
#   core N syns S local L away A woken W
#   sum syns S local L away A woken W data D left Q unknown U lost X
#
# syns     connections whose SYN arrived on this core, by where the kernel made
#          the request socket; counted when the handshake is complete
# local    of these, accepted on the same core;  away: on another one
# woken    wake-ups of sleeping workers by this core, but for those by data on
#          an accepted connection, which are "data"
# left     complete, never accepted;  unknown: accepted, arrival not seen
# lost     events that the buffers lost: the figures are worthless unless 0

TRACE_DIR=/sys/kernel/tracing
TRACE_NAME=fsk$$

# In struct sock_common, which request sockets begin with too; the same since
# Linux 3.9: port (skc_num) at 14, state at 18.
# shellcheck disable=SC2016 # the arguments are the kernel's to expand
TRACE_PROBES=(
	'p:NAME/syn inet_csk_reqsk_queue_hash_add req=$arg2 port=+14($arg2):u16'
	'p:NAME/done inet_csk_complete_hashdance req=$arg3 child=$arg2 port=+14($arg2):u16'
	'p:NAME/cookie inet_csk_reqsk_queue_add req=$arg2 child=$arg3 port=+14($arg3):u16'
	'p:NAME/data sock_def_readable port=+14($arg1):u16 state=+18($arg1):u8'
	'r:NAME/dataend sock_def_readable'
	'r512:NAME/take inet_csk_accept child=$retval port=+14($retval):u16'
)

# The reason why this kernel can't be traced, or nothing.
trace_missing() {
	[ -e $TRACE_DIR/kprobe_events ] ||
		mount -t tracefs tracefs $TRACE_DIR 2>/dev/null
	[ -w $TRACE_DIR/kprobe_events ] || echo "no kprobe events in tracefs"
}

trace_probe_all() {
	local probe

	for probe in "${TRACE_PROBES[@]}"; do
		echo "${probe/NAME/$TRACE_NAME}" >>$TRACE_DIR/kprobe_events ||
			return 1
	done
}

# trace_enable EVENT [FILTER]
trace_enable() {
	local event=$TRACE_DIR/instances/$TRACE_NAME/events/$1

	if [ -n "${2-}" ]; then
		echo "$2" >"$event/filter" || return 1
	fi
	echo 1 >"$event/enable"
}

# Threads are woken, not processes.
trace_pid_filter() {
	local pid task filter=

	for pid; do
		for task in /proc/"$pid"/task/*; do
			filter+="${filter:+ || }pid == ${task##*/}"
		done
	done
	echo "$filter"
}

trace_start() {
	local port=$1 here=$TRACE_DIR/instances/$TRACE_NAME pids
	shift

	trace_drop
	trace_probe_all && mkdir $here || return 1
	# One count for all CPUs, for the order in which things happened.
	echo counter >$here/trace_clock
	echo 0 >$here/options/irq-info
	echo 0 >$here/options/overwrite
	echo "${TRACE_BUFFER_KB:-4096}" >$here/buffer_size_kb
	trace_enable $TRACE_NAME/syn "port == $port" &&
		trace_enable $TRACE_NAME/done "port == $port" &&
		trace_enable $TRACE_NAME/cookie "port == $port" &&
		trace_enable $TRACE_NAME/take "child != 0 && port == $port" || return 1
	pids=$(trace_pid_filter "$@")
	[ -z "$pids" ] && return
	# 10 is TCP_LISTEN: what else becomes readable is a connection.
	trace_enable $TRACE_NAME/data "port == $port && state != 10" &&
		trace_enable $TRACE_NAME/dataend &&
		trace_enable sched/sched_waking "$pids"
}

# Events that a full buffer or too few return probes swallowed.
trace_lost() {
	{
		cat $TRACE_DIR/instances/$TRACE_NAME/per_cpu/cpu*/stats
		sed 's/^/miss /' $TRACE_DIR/kprobe_profile
	} | awk '/^(overrun|dropped events):/ { n += $NF }
		/^miss/ { n += $NF } END { print n + 0 }'
}

trace_drop() {
	local event here=$TRACE_DIR/instances/$TRACE_NAME

	[ -d $here ] && rmdir $here
	for event in "$TRACE_DIR/events/$TRACE_NAME"/*/; do
		[ -d "$event" ] && echo "-:$TRACE_NAME/$(basename "$event")" \
			>>$TRACE_DIR/kprobe_events
	done
	return 0
}

trace_stop() {
	local here=$TRACE_DIR/instances/$TRACE_NAME

	echo 0 >$here/tracing_on || return 1
	[ -z "${TRACE_KEEP-}" ] || cp $here/trace "$TRACE_KEEP"
	awk -v lost="$(trace_lost)" -v cpus="$(getconf _NPROCESSORS_CONF)" \
		-f "$(dirname "${BASH_SOURCE[0]}")/trace.awk" $here/trace >"$1"
	trace_drop
}

# trace_get FILE NAME [CORE]
trace_get() {
	awk -v name="$2" -v core="${3-}" '
		(core == "" && $1 == "sum") ||
		(core != "" && $1 == "core" && $2 == core) {
			for (i = 1; i < NF; i++)
				if ($i == name)
					print $(i + 1)
		}' "$1"
}
