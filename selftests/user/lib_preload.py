#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What a program sees of the preload library. lib_preload.sh runs this under
it, a function for each test; an exception is a failure.
"""

import os
import select
import socket
import sys
import threading
import time

TCP_ULP = 31
EVERY = os.sched_getaffinity(0)


def cpus_allowed():
    """The CPUs that the kernel lets this thread run on."""
    with open("/proc/thread-self/status", encoding="ascii") as status:
        ranges = next(line.split()[1] for line in status
                      if line.startswith("Cpus_allowed_list:"))
    found = set()
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def ulp(sock):
    """Name of the socket's ULP, or nothing."""
    return sock.getsockopt(socket.IPPROTO_TCP, TCP_ULP, 16).strip(b"\0")


def joined(sock):
    """Has it joined?"""
    return ulp(sock) == b"fastsocket"


def server(port=0, family=socket.AF_INET):
    """A listener that has just begun to listen."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", port))
    sock.listen(128)
    return sock


def connect(sock):
    """A connection to a listener of either family."""
    return socket.create_connection(("localhost", sock.getsockname()[1]))


def wait_accept(sock):
    """Accept, as a worker that waits there."""
    sock.accept()[0].close()


def wait_poll(sock):
    """Accept after poll()."""
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    poller.poll()
    wait_accept_now(sock)


def wait_select(sock):
    """Accept after select()."""
    select.select([sock], [], [])
    wait_accept_now(sock)


def wait_epoll(sock):
    """Accept after epoll_wait()."""
    poller = select.epoll()
    poller.register(sock, select.EPOLLIN)
    poller.poll()
    wait_accept_now(sock)


def wait_accept_now(sock):
    """Accept if there is something: others may have been faster."""
    sock.setblocking(False)
    try:
        sock.accept()[0].close()
    except BlockingIOError:
        pass


# accept, accept4, poll, ppoll, select, pselect6, epoll_wait, epoll_pwait
WAITS = {"43", "288", "7", "271", "23", "270", "232", "281"}


def until_waits(thread):
    """A thread waits for connections, and has its CPU."""
    end = time.monotonic() + 60
    path = f"/proc/self/task/{thread.native_id}/syscall"
    while time.monotonic() < end:
        with open(path, encoding="ascii") as file:
            if file.read().split()[0] in WAITS:
                return
        time.sleep(0.01)
    raise AssertionError("it does not wait")


def bound_workers(sock, count, wait):
    """CPUs of threads that wait; each ends with a connection of its own."""
    found = []

    def work():
        wait(sock)
        found.append(frozenset(cpus_allowed()))

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
        until_waits(thread)
    while any(thread.is_alive() for thread in threads):
        connect(sock).close()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    return found


def check_plain():
    """Nothing changes where the module is missing."""
    sock = server()
    assert ulp(sock) == b"", ulp(sock)
    client = connect(sock)
    conn = sock.accept()[0]
    client.send(b"x")
    assert conn.recv(1) == b"x"
    assert cpus_allowed() == EVERY


def check_joins():
    """TCP of both families joins, also when it listens again."""
    for family in socket.AF_INET, socket.AF_INET6:
        sock = server(family=family)
        assert joined(sock)
        sock.listen(5)
        assert joined(sock)
        connect(sock).close()
        assert ulp(sock.accept()[0]) == b""


def check_others():
    """Whatever isn't a TCP listener is as it was."""
    sock = socket.socket(socket.AF_UNIX)
    sock.bind("\0fsk-lib-preload")
    sock.listen()
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    sock.listen()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.listen()
    except OSError as error:
        assert error.errno == 95, error
    else:
        raise AssertionError("UDP listens")


def check_ports():
    """Only ports of the list join; it is 7001,7010-7019."""
    assert joined(server(7001))
    assert joined(server(7010, socket.AF_INET6))
    assert joined(server(7019))
    assert not joined(server(7002))
    assert not joined(server(7020))


def check_ports_bad():
    """With a list that can't be read none joins."""
    assert not joined(server(7001))
    assert not joined(server(80))


def check_pin_off():
    """Affinity is changed only on request."""
    found = bound_workers(server(), 2, wait_accept)
    assert found == [EVERY, EVERY], found


def check_pin_threads(wait):
    """Each thread gets a CPU of its own."""
    found = bound_workers(server(), len(EVERY), wait)
    assert {len(one) for one in found} == {1}, found
    assert len(set(found)) == len(EVERY), found


def check_pin_accept():
    """accept()"""
    check_pin_threads(wait_accept)


def check_pin_poll():
    """poll()"""
    check_pin_threads(wait_poll)


def check_pin_select():
    """select()"""
    check_pin_threads(wait_select)


def check_pin_epoll():
    """A worker that waits by epoll."""
    check_pin_threads(wait_epoll)


def check_pin_many():
    """More threads than CPUs share, and no CPU has more than another."""
    found = bound_workers(server(), 3 * len(EVERY), wait_accept)
    assert {len(one) for one in found} == {1}, found
    assert sorted(cpu for one in found for cpu in one) == \
        sorted(3 * list(EVERY)), found


def check_pin_processes():
    """Each process gets a CPU of its own."""
    sock = server()
    results, end = os.pipe()
    for _ in EVERY:
        if not os.fork():
            wait_accept(sock)
            os.write(end, bytes(cpus_allowed()))
            # While it lives its CPU is taken.
            time.sleep(3600)
        time.sleep(0.3)
    os.close(end)
    for _ in EVERY:
        connect(sock).close()
    found = []
    while len(found) < len(EVERY):
        found += os.read(results, 64)
    assert sorted(found) == sorted(EVERY), found


def check_pin_mask():
    """Only CPUs of the mask are taken; it is 1,2."""
    assert EVERY == {1, 2}, EVERY
    found = bound_workers(server(), 3, wait_accept)
    assert set(found) == {frozenset([1]), frozenset([2])}, found


def check_pin_bound():
    """A worker that has bound itself stays."""
    os.sched_setaffinity(0, [2])
    sock = server()
    client = connect(sock)
    sock.accept()
    client.close()
    assert cpus_allowed() == {2}


def check_pin_descendants():
    """What a bound thread makes gets the CPUs that it had before."""
    sock = server()
    connect(sock)
    sock.accept()
    assert len(cpus_allowed()) == 1
    found = []
    thread = threading.Thread(
        target=lambda: found.append(cpus_allowed()))
    thread.start()
    thread.join()
    assert found == [EVERY], found
    child = os.fork()
    if not child:
        os._exit(cpus_allowed() != EVERY)
    assert os.waitpid(child, 0)[1] == 0, "a child is bound"
    child = os.fork()
    if not child:
        connect(sock)
        sock.accept()
        os._exit(len(cpus_allowed()) != 1)
    assert os.waitpid(child, 0)[1] == 0, "a child that waits is not bound"


def check_pin_registrar():
    """Who only adds the listener to an epoll set is left alone."""
    sock = server()
    poller = select.epoll()
    poller.register(sock, select.EPOLLIN)
    found = []

    def work():
        poller.poll()
        wait_accept_now(sock)
        found.append(cpus_allowed())

    for _ in range(2):
        thread = threading.Thread(target=work)
        thread.start()
        connect(sock).close()
        thread.join()
    assert [len(cpus) for cpus in found] == [1, 1], found
    assert cpus_allowed() == EVERY


def check_pin_told():
    """A program counts the CPUs that it had, until it binds a thread itself."""
    sock = server()
    connect(sock)
    sock.accept()
    assert len(cpus_allowed()) == 1
    assert os.sched_getaffinity(0) == EVERY
    assert os.sched_getaffinity(threading.get_native_id()) == EVERY
    # Its own choice is told as it is: the same CPU first, then another.
    for own in (min(cpus_allowed()), max(EVERY - cpus_allowed())):
        os.sched_setaffinity(0, [own])
        assert os.sched_getaffinity(0) == {own}
        child = os.fork()
        if not child:
            os._exit(cpus_allowed() != {own})
        assert os.waitpid(child, 0)[1] == 0, "a child has other CPUs"
    # What it was told it may ask for again.
    os.sched_setaffinity(0, EVERY)
    assert os.sched_getaffinity(0) == cpus_allowed() == EVERY


def check_pin_exec():
    """A listener that came over exec() is found."""
    sock = server()
    sock.set_inheritable(True)
    os.execv(sys.executable, [sys.executable, __file__, "pin_exec_2",
                              str(sock.fileno())])


def check_pin_exec_2():
    """The program that gets it."""
    sock = socket.socket(fileno=int(sys.argv[2]))
    assert joined(sock)
    connect(sock)
    sock.accept()
    assert len(cpus_allowed()) == 1


def check_pin_not_joined():
    """Waiting for something else binds nobody; ports are 7001."""
    sock = server(7002)
    connect(sock)
    sock.accept()
    assert cpus_allowed() == EVERY
    # ... and the same descriptor, when it is a joined listener later.
    sock.close()
    sock = server(7001)
    connect(sock)
    wait_epoll(sock)
    assert len(cpus_allowed()) == 1


if __name__ == "__main__":
    globals()["check_" + sys.argv[1]]()
