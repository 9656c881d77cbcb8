#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The parts of simlib that need no machine, one case each.  Prints KTAP."""
import argparse

import ktap
import loadargs
import simlib

SYMS = """0000000000000000 A fixed_percpu_data
ffffffff81000000 T __pfx_first
ffffffff81000010 T first
ffffffff81000100 t leaf
ffffffff82000040 D shared_data
ffffffffc0001000 t fsk_hook\t[fastsocket]
ffffffffc0002000 t fsk_last\t[fastsocket]""".splitlines()
MODULES = [("fastsocket", "8192", "0xffffffffc0001000")]

REPORT = """window 1
cpu 0 1000 50
cpu 1 500 10
tb ffffffff81000010 10 20 1
tb ffffffff81000020 5 20 0
tb ffffffff81000100 4 30 0
tb ffffffffc0001000 7 10 0
op ffffffff81000108 60 30 8 1 0 1 0 3
hot 2 ffff888000000080 ffffffff81000108 ffffffff81000010 0 6
hot 3 ffffffff82000044 ffffffff81000108 ffffffff81000100 ffffffff81000010 4
lost 0
end
"""


def symbols():
    return simlib.Symbols(SYMS, MODULES)


def arrangements_have_variants():
    args = argparse.Namespace(scenario="proxy", wait="block", conns=1, warm=2, threads=False,
                              ipv6=False, client_closes=False)
    words = loadargs.words(args, "fastsocket+steer+est", "-q", 8)
    assert words == "-a fastsocket -F steer -E -s proxy -e block -c 1 -w 2 -q 8", words
    assert loadargs.words(args, "bpf+arfs").startswith("-a bpf -R arfs -s")


def names_functions():
    s = symbols()
    assert s.find(0xffffffff81000012) == ("first", 2)
    assert s.find(0xffffffff81000100) == ("leaf", 0)
    # padding in front of a function counts as the one before
    assert s.find(0xffffffff81000008)[0] != "__pfx_first"


def names_module_functions():
    s = symbols()
    assert s.find(0xffffffffc0001004) == ("fsk_hook", 4)
    assert s.find(0xffffffffc0002fff) == ("fsk_last", 0xfff)


def code_made_at_run_time_is_no_module():
    s = symbols()
    assert s.find(0xffffffffc0003000)[0] == "[jit]"
    assert s.find(0xffffffffc0000fff)[0] == "[jit]"


def heap_has_no_name():
    assert symbols().find(0xffff888000000080) == (None, 0)


def sums_per_connection():
    got = simlib.summary(simlib.windows(REPORT)[0], symbols(), 10)
    total = got["per_connection"]
    assert total["insns"] == 150 and total["user_insns"] == 6
    assert total["remote"] == 1 and total["cold"] == 0.3 and total["locked"] == 3
    f = {f["name"]: f for f in got["functions"]}
    assert f["first"]["insns"] == 30 and f["first"]["calls"] == 2
    assert f["fsk_hook"]["insns"] == 7 and f["leaf"]["remote"] == 1


def leaf_is_told_by_its_caller():
    got = simlib.summary(simlib.windows(REPORT)[0], symbols(), 10)
    # Both transfers are one site, the second by the call before the last.
    assert [s["site"] for s in got["sites"]] == ["leaf+0x8 < first"]
    assert got["sites"][0]["remote"] == 1 and got["sites"][0]["lines"] == 2
    assert [s["data"] for s in got["lines"]] == ["heap", "shared_data+0x0"]


def refuses_cut_report():
    try:
        simlib.windows(REPORT.replace("end\n", ""))
    except simlib.Error:
        return
    assert False, "no error"


CASES = (arrangements_have_variants, names_functions, names_module_functions,
         code_made_at_run_time_is_no_module, heap_has_no_name, sums_per_connection, leaf_is_told_by_its_caller, refuses_cut_report)


if __name__ == "__main__":
    ktap.main("simlib", CASES)
