# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Counts, with nothing but the kernel's own tracing, on which core the packets
# of connections that this host opens are handled: the core that opened them, or
# another one. It knows nothing of Fastsocket.
#
#   flows_start PORT      from here on; connections to this remote port
#   flows_stop FILE       end, report into FILE
#   flows_get FILE NAME   one figure
#
# The report is one line:
#   opened O packets P own N unknown U lost X
#
# own      packets handled on the core that called connect()
# unknown  packets of connections opened before
# lost     events that the buffers lost and calls that the probes missed: the
#          figures are as good as this is small
#
# A packet is handled where its socket is looked up in softirq, which is after
# any steering.

# shellcheck source-path=SCRIPTDIR source=tracefs.sh
. "$(dirname "${BASH_SOURCE[0]}")/tracefs.sh"

FLOWS_NAME=flows$$

# In struct sock_common: remote port at 12, network byte order; local port at
# 14. The lookups' fourth argument is the remote port, their sixth the local
# one, the same from 6.1 on. 16 is the flag for softirqs.
# shellcheck disable=SC2016 # the arguments are the kernel's to expand
FLOWS_PROBES=(
	'p:NAME/open tcp_connect num=+14($arg1):u16 port=+12($arg1):u16'
	'p:NAME/come __inet_lookup_established port=$arg4:u16 num=$arg6:u16'
	'p:NAME/come6 __inet6_lookup_established port=$arg4:u16 num=$arg6:u16'
)

# As a number in network byte order looks to who reads it in the host's.
flows_swap() {
	echo $((($1 & 255) << 8 | $1 >> 8))
}

flows_start() {
	local port event
	port=$(flows_swap "$1")

	tracefs_start $FLOWS_NAME "${FLOWS_PROBES[@]}" || return 1
	for event in come come6; do
		tracefs_enable $FLOWS_NAME $FLOWS_NAME/$event \
			"port == $port && common_flags & 16" || return 1
	done
	tracefs_enable $FLOWS_NAME $FLOWS_NAME/open "port == $port"
}

flows_drop() {
	tracefs_drop $FLOWS_NAME
}

flows_stop() {
	tracefs_end $FLOWS_NAME || return 1
	# shellcheck disable=SC2016 # awk's own
	awk -v lost="$(tracefs_lost $FLOWS_NAME)" '
		function value(name,	i) {
			for (i = NF; i > 0; i--)
				if (index($i, name "=") == 1)
					return substr($i, length(name) + 2)
		}
		function cpu(	i) {
			for (i = 1; i < 6; i++)
				if ($i ~ /^\[[0-9]+\]$/)
					return substr($i, 2) + 0
		}
		/^#/ { next }
		/ open: / { owner[value("num")] = cpu(); opened++ }
		/ come6?: / {
			packets++
			if (!(value("num") in owner))
				unknown++
			else if (owner[value("num")] == cpu())
				own++
		}
		END {
			print "opened", opened + 0, "packets", packets + 0,
				"own", own + 0, "unknown", unknown + 0,
				"lost", lost
		}' "$(tracefs $FLOWS_NAME)/trace" >"$1"
	flows_drop
}

# flows_get FILE NAME
flows_get() {
	awk -v name="$2" '{
		for (i = 1; i < NF; i += 2)
			if ($i == name)
				print $(i + 1)
	}' "$1"
}
