#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: log_cause.py CAUSE

A storm of something that the module tells of in the kernel's log, in the
caller's network namespace, which should be a new one. Prints what each line must
say, a regular expression. log.sh counts the lines.
"""

import os
import select
import signal
import subprocess
import sys
import time

from trace_cause import (dial, listen, main, pin, poll, port, stop, tool, until,
                         waits, worker)

MANY = 20


def away():
    """Stopped workers of many listeners, whose connections others get."""
    socks = [listen() for _ in range(MANY)]
    stopped = [worker(sock, 1, how=poll) for sock in socks]
    for sock in socks:
        worker(sock, 0)
    for pid in stopped:
        stop(pid)
    last = time.monotonic() + 25
    while time.monotonic() < last:
        for sock in socks:
            dial(1, sock).close()
        time.sleep(0.5)
    print(f"port ({'|'.join(str(port(sock)) for sock in socks)}): process"
          f" ({'|'.join(str(pid) for pid in stopped)}) has taken nothing from"
          " its queue on CPU 1 for 1[0-9] s")


def asleep():
    """Workers that have been away, and sleep since then because nobody connects,
    are no reason to complain.
    """
    tool("set", "rescue-ms=20")
    sock = listen()
    pid = worker(sock, 1)
    # A machine that stands still for a second begins anew.
    if not any(stays_away(sock, pid) for _ in range(10)):
        sys.exit(f"it is back too soon: {states()}")
    time.sleep(12)
    until(is_back, sock)
    print(f"port {port(sock)}:")


def stays_away(sock, pid):
    """Each time it has to for twice as long before it comes back, if the last
    time was less than a second ago.
    """
    for i in range(8):
        stop(pid)
        dial(1, sock).close()
        time.sleep(0.2)
        os.kill(pid, signal.SIGCONT)
        until(waits, pid)
        if i < 7:
            time.sleep(0.02 * 2 ** i)
            dial(1, sock).close()
            time.sleep(0.05)
    return "orphaned" in states()


def is_back(sock):
    """It is woken for a connection that it could have had."""
    dial(1, sock).close()
    time.sleep(0.2)
    return "orphaned" not in states()


def states():
    return subprocess.run([os.environ["FSK_TOOL"], "show", "listen"],
                          check=True, capture_output=True, text=True).stdout


def limit():
    """Listeners of a user who may have no more queues."""
    tool("set", "locals-max=1")
    socks = []
    pin(1)
    os.setresuid(1000, 1000, 0)
    try:
        for _ in range(MANY):
            socks.append(listen())
            poll_once(socks[-1])
    finally:
        os.setresuid(0, 0, 0)
        tool("set", "locals-max=65536")
    print(f"port ({'|'.join(str(port(sock)) for sock in socks)}) has no queue on"
          " CPU 1: user 1000 has as many as locals-max allows, 1$")


def poll_once(sock):
    looks = select.poll()
    looks.register(sock, select.POLLIN)
    looks.poll(0.01)


def gone():
    """Interfaces in steer mode are deleted."""
    names = [f"fsk{i}" for i in range(MANY)]
    for name in names:
        subprocess.run(["ip", "link", "add", name, "type", "dummy"], check=True)
        tool("rfd", "set", name, "steer")
    for name in names:
        subprocess.run(["ip", "link", "del", name], check=True)
    print(f"({'|'.join(names)}) has gone, and with it its mode")


def gone_with_netns():
    """The caller's namespace ends with this."""
    subprocess.run(["ip", "link", "add", "fsk0", "type", "dummy"], check=True)
    tool("rfd", "set", "fsk0", "steer")
    print("fsk0 has gone")


def gone_with_module():
    """The module is unloaded while an interface is in steer mode."""
    subprocess.run(["ip", "link", "add", "fsk0", "type", "dummy"], check=True)
    tool("rfd", "set", "fsk0", "steer")
    subprocess.run(["rmmod", "fastsocket"], check=True)
    print("fsk0 has gone")


if __name__ == "__main__":
    main(globals())
