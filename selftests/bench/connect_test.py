#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The parts of connect and chart that need no machine, one case each.  KTAP."""
import xml.etree.ElementTree

import chart
import ktap
import simlib

connect = ktap.load("connect")

SYMS = """ffffffff81000000 t __inet_check_established
ffffffff81000100 t __inet_hash_connect.isra.0
ffffffff81000200 T other""".splitlines()

RECORDS = [r.split() for r in """cpu 0 70 0
cpu 1 5000 30
tb ffffffff81000000 10 40 0
tb ffffffff81000000 3 2 0
tb ffffffff81000010 5 99 0
tb ffffffff81000100 5 10 0""".splitlines()]

CONSOLE = """RUN primed
LEVEL fill=90 used=8 connects=10 cpu=1
BEFORE probes=8 own=8 any=0 kernel=0 clashes=0
AFTER probes=30 own=10 any=6 kernel=2 clashes=1
TOTAL range=20 used=20 probes=60
RUN plain
LEVEL fill=90 used=8 connects=10 cpu=1
BEFORE probes=0 own=0 any=0 kernel=0 clashes=0
AFTER probes=0 own=0 any=0 kernel=0 clashes=0
TOTAL range=20 used=20 probes=0
GUEST-DONE
"""


def level(kind):
    return {**connect.runs(CONSOLE)[kind][0][0], "kind": kind}


def reads_the_guest():
    found = connect.runs(CONSOLE)
    levels, total = found["primed"]
    assert list(found) == ["primed", "plain"] and len(levels) == 1
    assert levels[0]["fill"] == 90 and levels[0]["after"]["any"] == 6
    assert total == {"range": 20, "used": 20, "probes": 60}


def refuses_a_run_without_end():
    try:
        connect.runs(CONSOLE.replace("TOTAL", "DIED"))
    except simlib.Error:
        return
    assert False, "no error"


def counts_calls():
    symbols = simlib.Symbols(SYMS)
    assert connect.calls(RECORDS, symbols, "__inet_check_established") == 42
    assert connect.calls(RECORDS, symbols, "__inet_hash_connect") == 10
    assert connect.calls(RECORDS, symbols, "other") == 0


def counts_the_plain_kernels_ports():
    got = connect.figures(level("plain"), RECORDS, simlib.Symbols(SYMS))
    assert got["probes"] == 5.2 and got["insns"] == 500, got


def counts_ours_and_the_kernels_fallback():
    got = connect.figures(level("primed"), RECORDS, simlib.Symbols(SYMS))
    assert got["probes"] == (22 + 42 + 2) / 10 and got["counters"]["own"] == 2, got


def averages_all_connections():
    assert connect.average(connect.runs(CONSOLE)["primed"][0], 90) == 32 / 18


def result(**changes):
    rows = {5: (1, 1000), 90: (1.6, 1300), 99: (12, 5000)}
    primed = [{"fill": f, "probes": p, "insns": n} for f, (p, n) in rows.items()]
    return {"primed": primed, "plain": primed, "average_to_90": 2, "range": 20,
            "used": {"primed": 20, "plain": 20}, **changes}


def judges():
    assert [ok for ok, _ in connect.verdict(result())] == [True] * 4
    bad = result(average_to_90=2.01, used={"primed": 19})
    bad["primed"][1]["insns"] = 1301
    bad["primed"][2]["probes"] = 12.01
    assert [ok for ok, _ in connect.verdict(bad)] == [False] * 4


def draws():
    tree = xml.etree.ElementTree.fromstring(connect.plots(result()))
    kind = "{http://www.w3.org/2000/svg}"
    assert len(tree.findall(f"{kind}svg")) == 2
    assert len(list(tree.iter(f"{kind}circle"))) == 12


def logarithmic_axis_holds_all_values():
    assert chart.decades(1, 14150) == [1, 10, 100, 1000, 10000]
    assert chart.decades(32799, 4e6) == [10000, 100000, 1000000]


CASES = (reads_the_guest, refuses_a_run_without_end, counts_calls, counts_the_plain_kernels_ports,
         counts_ours_and_the_kernels_fallback, averages_all_connections, judges, draws,
         logarithmic_axis_holds_all_values)


if __name__ == "__main__":
    ktap.main("connect", CASES)
