#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A multi-process server: one listener, a worker per CPU, an answer and out.

Workers wait in accept() or in a selector, bound to a CPU each unless told
otherwise. It knows nothing of Fastsocket.
"""
import argparse
import ctypes
import os
import selectors
import signal
import socket

PR_SET_PDEATHSIG = 1

ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
          b"Connection: close\r\n\r\nok\n")


def answer(conn):
    with conn:
        conn.settimeout(60)
        try:
            request = b""
            while b"\r\n\r\n" not in request:
                part = conn.recv(4096)
                if not part:
                    return
                request += part
            conn.sendall(ANSWER)
        except OSError:
            pass    # the client went away


def serve_accept(listener):
    while True:
        answer(listener.accept()[0])


def serve_selector(listener, kind):
    listener.setblocking(False)
    selector = kind()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        selector.select()
        try:
            conn = listener.accept()[0]
        except BlockingIOError:
            continue
        answer(conn)


def serve(listener, wait):
    kinds = {"epoll": selectors.EpollSelector,
             "poll": selectors.PollSelector,
             "select": selectors.SelectSelector}
    if wait == "accept":
        serve_accept(listener)
    serve_selector(listener, kinds[wait])


def worker(args, listener, cpu):
    # A worker that outlives its parent would hold the listener for ever.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if not args.unbound:
        os.sched_setaffinity(0, {cpu})
    serve(listener, args.wait)


def become_heir(listener, wait):
    env = {name: value for name, value in os.environ.items()
           if name != "LD_PRELOAD"}
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    os.execve(__file__, [__file__, "--inherit", "--wait", wait], env)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int)
    parser.add_argument("--exec", action="store_true",
                        help="serve by another program, with no library")
    parser.add_argument("--inherit", action="store_true",
                        help="the listener is descriptor 3")
    parser.add_argument("--wait", default="accept",
                        choices=["accept", "epoll", "poll", "select"])
    parser.add_argument("--unbound", action="store_true")
    args = parser.parse_args()

    cpus = sorted(os.sched_getaffinity(0))
    if args.inherit:
        listener = socket.socket(fileno=3)
        listener.setblocking(True)
    else:
        listener = socket.create_server(("", args.port), backlog=511)
    if args.exec:
        become_heir(listener, args.wait)
    for cpu in cpus:
        if os.fork() == 0:
            worker(args, listener, cpu)
    for _ in cpus:
        os.wait()


if __name__ == "__main__":
    main()
