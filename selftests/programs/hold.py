#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Opens NUMBER connections to PORT, writes FILE, holds them until killed."""
import socket
import sys
import signal


def main():
    number, port, file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    held = [socket.create_connection(("127.0.0.1", port))
            for _ in range(number)]
    with open(file, "w", encoding="ascii") as out:
        print(len(held), file=out)
    signal.pause()


if __name__ == "__main__":
    main()
