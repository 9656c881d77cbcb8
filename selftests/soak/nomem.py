#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Out of memory at every allocation of joining, of the first claim and of
accepting: a clean errno or none, and the socket works as plain.

KTAP.  Needs a kernel with fail-nth, as the debug kernel is, and the module:
    selftests/vm/boot -k debug -- selftests/soak/nomem.py
"""
import errno
import os
import socket
import sys

TCP_ULP = 31
FAIL_NTH = "/proc/thread-self/fail-nth"
MOST = 400          # allocations of one call; far more than any makes


def failing(nth, call):
    """call() with its nth allocation failing: errno, and whether it was met."""
    fd = os.open(FAIL_NTH, os.O_RDWR)
    err = 0
    try:
        os.write(fd, str(nth).encode())
        try:
            call()
        except OSError as e:
            err = e.errno
        met = counted_down(fd)
        disarm(fd)
    finally:
        os.close(fd)
    return err, met


def disarm(fd):
    """Again if the write itself meets the fault, which is gone then."""
    try:
        os.pwrite(fd, b"0", 0)
    except OSError:
        os.pwrite(fd, b"0", 0)


def counted_down(fd):
    """Copying to user space can fail, too: a read may meet the fault itself."""
    try:
        return int(os.pread(fd, 32, 0)) == 0
    except OSError:
        return False


def fail_all_kinds():
    """By default only atomic allocations are made to fail."""
    for kind in "failslab", "fail_page_alloc":
        path = "/sys/kernel/debug/%s/ignore-gfp-wait" % kind
        if os.path.exists(path):
            with open(path, "w", encoding="ascii") as file:
                file.write("N")


def listener(family):
    sock = socket.socket(family)
    sock.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    sock.listen(8)
    sock.settimeout(20)
    return sock


def serves(sock):
    """Whether a client is served, after those that a failed accept left."""
    client = socket.create_connection(sock.getsockname()[:2], timeout=20)
    conn, peer = sock.accept()
    while peer[:2] != client.getsockname()[:2]:
        conn.close()
        conn, peer = sock.accept()
    client.sendall(b"x")
    same = conn.recv(1) == b"x"
    conn.close()
    client.close()
    return same


def join(sock):
    sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"fastsocket")


def each(family, prepare, act, allowed):
    """act() on a new listener for each allocation that it makes."""
    for nth in range(1, MOST):
        with listener(family) as sock:
            prepare(sock)
            err, met = failing(nth, lambda: act(sock))
            if err not in allowed:
                return nth, "errno %s" % errno.errorcode.get(err, err)
            if not serves(sock):
                return nth, "it does not serve"
        if not met:
            return nth, None
    return MOST, "no end of allocations"


def first_claim(sock):
    """A bound task that waits makes the core's local listener."""
    sock.settimeout(0.01)
    try:
        sock.accept()
    except TimeoutError:
        pass
    finally:
        sock.settimeout(20)


def accept_one(sock):
    client = socket.create_connection(sock.getsockname()[:2], timeout=20)
    try:
        conn, _ = sock.accept()
        conn.close()
    finally:
        client.close()


# Copying from user space is made to fail, too: EFAULT.
CASES = {
    "join": (lambda sock: None, join, (0, errno.ENOMEM, errno.EFAULT)),
    "claim": (join, first_claim, (0, errno.ENOMEM, errno.EFAULT)),
    "accept": (join, accept_one,
               (0, errno.ENOMEM, errno.EFAULT, errno.ENFILE, errno.ENOBUFS,
                errno.ETIMEDOUT, errno.EAGAIN)),
}


def main():
    print("KTAP version 1")
    print("1..%d" % (2 * len(CASES)))
    if not os.path.exists(FAIL_NTH):
        for i in range(2 * len(CASES)):
            print("ok %d # SKIP this kernel can't make allocations fail"
                  % (i + 1))
        return 4
    fail_all_kinds()
    os.sched_setaffinity(0, {1})
    number = failed = 0
    for name, case in CASES.items():
        for family in (socket.AF_INET, socket.AF_INET6):
            number += 1
            count, why = each(family, *case)
            print("# %d allocations" % (count - 1))
            print("%s %d %s.%s%s" % ("not ok" if why else "ok", number, name,
                                     family.name, " # %s" % why if why else ""),
                  flush=True)
            failed += bool(why)
    return 1 if failed else 0


sys.exit(main())
