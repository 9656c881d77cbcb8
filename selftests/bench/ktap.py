# SPDX-License-Identifier: GPL-2.0
"""Test cases that are functions, and their results as KTAP."""
import importlib.machinery
import importlib.util
import os
import sys
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))


def load(name):
    """A program of this folder, whose name has no .py, as a module."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(HERE, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def main(suite, cases):
    """Runs all; exit status 1 if one failed."""
    failed = False
    print(f"KTAP version 1\n1..{len(cases)}")
    for i, case in enumerate(cases, 1):
        try:
            case()
            print(f"ok {i} {suite}__{case.__name__}", flush=True)
        except Exception:   # pylint: disable=broad-except
            failed = True
            print("# " + traceback.format_exc().strip().replace("\n", "\n# "))
            print(f"not ok {i} {suite}__{case.__name__}", flush=True)
    sys.exit(failed)
