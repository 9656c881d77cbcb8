# SPDX-License-Identifier: GPL-2.0
"""Figures as sim and native write them, for tests: made up, of all arrangements."""
import json

import simlib


def run(cpus, name, per):
    return {"cpus": cpus, "arrangement": name, "seed": 1, "connections": 100,
            "per_connection": per,
            "functions": [{"name": "a_function_with_a_rather_long_name.constprop.0.isra.0",
                           "insns": 1234.5, "calls": 1, "locked": 1, "remote": 2.5}] * 12,
            "sites": [], "lines": [{"line": "0x123456789", "data": "heap", "remote": 2.5,
                                    "by": {"_raw_spin_lock < inet_twsk_hashdance_schedule": 1.5,
                                           "native_queued_spin_lock_slowpath": 1}}] * 12}


def sim():
    names = simlib.STOCK + simlib.FASTSOCKET
    return {"schema": 1, "instrument": "sim", "kernel": "6.12.0", "qemu": "QEMU 10",
            "version": "abc", "module": "0123456789abcdef",
            "command": "selftests/bench/sim --cpus 1,2,4,8,16,24 --out " + "x" * 80,
            "scenario": {"name": "passive", "wait": "block", "threads": False, "ipv6": False,
                         "client_closes": False, "conns": 60, "warm": 40, "seed": 1},
            "runs": [run(c, n, {"insns": 123456.7 + i, "remote": 10.0 * c + i, "locked": 400.0,
                                "wakeups": 1.2})
                     for c in (1, 2, 24) for i, n in enumerate(names)]}


def write(path):
    with open(path, "w", encoding="ascii") as f:
        json.dump(sim(), f)
