#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Opens NUMBER connections to PORT, writes FILE, holds them until killed.

With port 0 it opens NUMBER sockets of each family instead, and connects none.
"""
import signal
import socket
import sys


def open_all(number, port):
    if port:
        return [socket.create_connection(("127.0.0.1", port))
                for _ in range(number)]
    return [socket.socket(family)
            for family in (socket.AF_INET, socket.AF_INET6)
            for _ in range(number)]


def main():
    number, port, file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    held = open_all(number, port)
    with open(file, "w", encoding="ascii") as out:
        print(len(held), file=out)
    signal.pause()


if __name__ == "__main__":
    main()
