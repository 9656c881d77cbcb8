# SPDX-License-Identifier: GPL-2.0
#
# Joins the events of trace.sh: SYN to child by the request socket, child to
# accept and to the first answer by its address. Both addresses are used again
# and again, hence the deletes: an entry lives from one event to the next.

function value(name,	i)
{
	for (i = NF; i > at; i--)
		if (index($i, name "=") == 1)
			return substr($i, length(name) + 2)
	return ""
}

function find_cpu(	i)
{
	for (i = 1; i < 6; i++)
		if ($i ~ /^\[[0-9]+\]$/)
			return i
	return 0
}

/^#/ || !(at = find_cpu()) { next }

{
	cpu = substr($at, 2) + 0
	event = $(at + 2)
}

event == "syn:" { syn[value("req")] = cpu }

# A handshake ends in a function that may or may not have the one of a cookie
# built in.
(event == "done:" || event == "cookie:") && !(value("child") in from) {
	req = value("req")
	child = value("child")
	# Without a SYN's request socket (a cookie) the ACK is the arrival.
	core = req in syn ? syn[req] : cpu
	delete syn[req]
	from[child] = core
	syns[core]++
}

event == "data:" { reading[cpu] = 1 }
event == "dataend:" { reading[cpu] = 0 }

event == "sched_waking:" {
	if (reading[cpu])
		data[cpu]++
	else
		woken[cpu]++
}

event == "take:" {
	child = value("child")
	if (!(child in from)) {
		unknown++
		next
	}
	if (from[child] == cpu)
		kept[from[child]]++
	else
		away[from[child]]++
	taken[child] = from[child]
	delete from[child]
}

event == "answer:" && (value("child") in taken) {
	child = value("child")
	answered[taken[child]]++
	if (taken[child] == cpu)
		served[cpu]++
	delete taken[child]
}

END {
	for (child in from)
		left++
	for (cpu = 0; cpu < cpus; cpu++) {
		printf "core %d syns %d local %d away %d", cpu, syns[cpu],
			kept[cpu], away[cpu]
		printf " answered %d served %d woken %d\n", answered[cpu],
			served[cpu], woken[cpu]
		s += syns[cpu]
		k += kept[cpu]
		a += away[cpu]
		r += answered[cpu]
		v += served[cpu]
		w += woken[cpu]
		d += data[cpu]
	}
	printf "sum syns %d local %d away %d answered %d served %d", s, k, a, r,
		v
	printf " woken %d data %d", w, d
	printf " left %d unknown %d lost %d\n", left, unknown, lost
}
