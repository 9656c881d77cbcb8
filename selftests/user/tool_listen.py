#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: tool_listen.py READY CODE

A program whose listeners tool.sh looks at. Runs CODE, creates the file READY
unless CODE has done so by ready(), and stays until it is killed.
"""

import os
import resource
import socket
import sys
import textwrap
import time

JOIN = (socket.IPPROTO_TCP, 31, b"fastsocket")


def tcp(addr="127.0.0.1", port=7001, *, join=True, backlog=64, options=()):
    """A listener."""
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for option in options:
        sock.setsockopt(*option)
    sock.bind((addr, port))
    sock.listen(backlog)
    if join:
        sock.setsockopt(*JOIN)
    return sock


def workers(sock, cpus):
    """A process on each CPU that waits for connections."""
    for cpu in cpus:
        if not os.fork():
            os.sched_setaffinity(0, [cpu])
            while True:
                sock.accept()[0].close()


def many(count):
    """As many listeners, on ports from 10000 on."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 1000, count + 1000))
    return [tcp("127.0.0.1", 10000 + i) for i in range(count)]


def ready():
    """What was to be made is there."""
    with open(sys.argv[1], "w", encoding="ascii"):
        pass


if __name__ == "__main__":
    exec(textwrap.dedent(sys.argv[2]))
    ready()
    time.sleep(3600)
