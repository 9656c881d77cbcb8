# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's tracing, for those who count by it: probes and a buffer under one
# name, which begins with the caller's word.
#
#   tracefs_start NAME PROBE...   probes defined, none enabled: p: and r: as in
#                                 kprobetrace.rst; NAME in a probe stands for
#                                 the name
#   tracefs_enable NAME EVENT [FILTER]
#   tracefs_end NAME              no more events; the trace is "$(tracefs NAME)"
#   tracefs_lost NAME             how many events the buffers lost, and calls
#                                 that kprobes missed
#   tracefs_drop NAME             all gone, whatever there was

TRACEFS=/sys/kernel/tracing

# tracefs NAME: the folder
tracefs() {
	echo "$TRACEFS/instances/$1"
}

# tracefs_probe PROBE: as this kernel does it best. A kprobe is not called while
# another is at work on that core, and an interrupt that comes in between may
# bring all packets of a moment; the function tracer's probes, since Linux 6.5,
# are called there.
tracefs_probe() {
	local what where args

	grep -q 'f\[:' $TRACEFS/README || {
		echo "$1"
		return
	}
	read -r what where args <<<"$1"
	case $what in
	p*) echo "f${what#p} $where $args" ;;
	r*) echo "f${what#r} $where%return $args" ;;
	esac
}

# The reason why this kernel can't be traced, or nothing.
tracefs_missing() {
	[ -e $TRACEFS/kprobe_events ] ||
		mount -t tracefs tracefs $TRACEFS 2>/dev/null
	[ -w $TRACEFS/kprobe_events ] || echo "no kprobe events in tracefs"
}

tracefs_start() {
	local name=$1 here probe
	here=$(tracefs "$1")
	shift

	tracefs_drop "$name"
	for probe; do
		tracefs_probe "${probe/NAME/$name}" \
			>>$TRACEFS/dynamic_events || return 1
	done
	mkdir "$here" || return 1
	# One count for all CPUs, for the order in which things happened.
	echo counter >"$here/trace_clock"
	echo 0 >"$here/options/irq-info"
	echo 0 >"$here/options/overwrite"
	echo "${TRACE_BUFFER_KB:-4096}" >"$here/buffer_size_kb"
}

tracefs_enable() {
	local event
	event=$(tracefs "$1")/events/$2

	if [ -n "${3-}" ]; then
		echo "$3" >"$event/filter" || return 1
	fi
	echo 1 >"$event/enable"
}

tracefs_end() {
	local here
	here=$(tracefs "$1")

	echo 0 >"$here/tracing_on" || return 1
	[ -z "${TRACE_KEEP-}" ] || cp "$here/trace" "$TRACE_KEEP"
}

# Events that a full buffer or too few return probes swallowed.
tracefs_lost() {
	{
		cat "$(tracefs "$1")"/per_cpu/cpu*/stats
		sed 's/^/miss /' $TRACEFS/kprobe_profile
	} | awk '/^(overrun|dropped events):|^miss/ { n += $NF }
		END { print n + 0 }'
}

tracefs_drop() {
	local event here
	here=$(tracefs "$1")

	[ -d "$here" ] && rmdir "$here"
	for event in "$TRACEFS/events/$1"/*/; do
		[ -d "$event" ] && echo "-:$1/$(basename "$event")" \
			>>$TRACEFS/dynamic_events
	done
	return 0
}
