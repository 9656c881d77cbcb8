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
#   core N syns S local L away A answered R served V woken W
#   sum syns S local L away A answered R served V woken W data D left Q unknown U
#       lost X
#
# syns     connections whose SYN arrived on this core, by where the kernel made
#          the request socket; counted when the handshake is complete
# local    of these, accepted on the same core;  away: on another one
# answered of these, sent something by the server;  served: for the first time on
#          the same core, whoever accepted: a server may give a connection to
#          another thread
# woken    wake-ups of sleeping workers by this core, but for those by data on
#          an accepted connection, which are "data"
# left     complete, never accepted;  unknown: accepted, arrival not seen
# lost     events that the buffers lost: the figures are worthless unless 0

# shellcheck source-path=SCRIPTDIR source=tracefs.sh
. "$(dirname "${BASH_SOURCE[0]}")/tracefs.sh"

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
	'p:NAME/answer tcp_sendmsg child=$arg1 port=+14($arg1):u16'
	'r512:NAME/take inet_csk_accept child=$retval port=+14($retval):u16'
)

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
	local port=$1 pids
	shift

	tracefs_start $TRACE_NAME "${TRACE_PROBES[@]}" &&
		tracefs_enable $TRACE_NAME $TRACE_NAME/syn "port == $port" &&
		tracefs_enable $TRACE_NAME $TRACE_NAME/done "port == $port" &&
		tracefs_enable $TRACE_NAME $TRACE_NAME/cookie "port == $port" &&
		tracefs_enable $TRACE_NAME $TRACE_NAME/answer "port == $port" &&
		tracefs_enable $TRACE_NAME $TRACE_NAME/take \
			"child != 0 && port == $port" || return 1
	pids=$(trace_pid_filter "$@")
	[ -z "$pids" ] && return
	# 10 is TCP_LISTEN: what else becomes readable is a connection.
	tracefs_enable $TRACE_NAME $TRACE_NAME/data \
		"port == $port && state != 10" &&
		tracefs_enable $TRACE_NAME $TRACE_NAME/dataend &&
		tracefs_enable $TRACE_NAME sched/sched_waking "$pids"
}

trace_drop() {
	tracefs_drop $TRACE_NAME
}

trace_stop() {
	tracefs_end $TRACE_NAME || return 1
	awk -v lost="$(tracefs_lost $TRACE_NAME)" \
		-v cpus="$(getconf _NPROCESSORS_CONF)" \
		-f "$(dirname "${BASH_SOURCE[0]}")/trace.awk" \
		"$(tracefs $TRACE_NAME)/trace" >"$1"
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
