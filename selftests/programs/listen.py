#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sums up `fastsocket -j show listen` of one port, in the words of trace.sh.

   listen.py PORT <JSON
   sum listeners N claimed C syns S local L app A other O drops D queued Q
"""
import json
import sys


def main():
    port = int(sys.argv[1])
    total = dict.fromkeys(["listeners", "claimed", "syns", "local", "app",
                           "other", "drops", "queued"], 0)
    for listener in json.load(sys.stdin):
        if listener["port"] != port:
            continue
        total["listeners"] += 1
        for row in [listener] + listener["cores"]:
            total["claimed"] += row.get("claimed", False)
            total["syns"] += row.get("syns", 0)
            total["local"] += row.get("accept-local", 0)
            total["app"] += row.get("accept-app", 0)
            total["other"] += row.get("accept-other", 0)
            total["drops"] += row["drops"]
            total["queued"] += row["qlen"]
    print("sum", *(f"{name} {count}" for name, count in total.items()))


if __name__ == "__main__":
    main()
