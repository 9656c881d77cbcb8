#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: trace_cause.py CAUSE

Does what a tracepoint tells of, in the caller's network namespace, which should
be a new one, and prints what the events must say: "EVENT: REGEX", a line each.
trace.sh looks for it in the trace.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time

NETNS = os.stat("/proc/self/ns/net").st_ino
ULP = 31
ACCEPTS = ("43", "288", "232", "281")	# accept, accept4, epoll_wait, _pwait
children = []


def pin(cpu):
    os.sched_setaffinity(0, [cpu])


def tool(*words):
    subprocess.run([os.environ["FSK_TOOL"], *words], check=True)


def ask(*words):
    """What the tool says."""
    return json.loads(subprocess.run([os.environ["FSK_TOOL"], "-j", *words],
                                     check=True, capture_output=True).stdout)


def counted(name):
    """Whether a counter of this namespace has moved."""
    return ask("show", "stats")["total"][name] > 0


def away():
    """Whether a core is left to others."""
    return any(core["orphaned"] for one in ask("show", "listen")
               for core in one["cores"])


def back():
    return not away()


def listen(addr="127.0.0.1", joins=True):
    sock = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET)
    sock.bind((addr, 0))
    sock.listen(256)
    if joins:
        sock.setsockopt(socket.IPPROTO_TCP, ULP, b"fastsocket")
    return sock


def waits(pid):
    """Whether a process waits for connections, asleep."""
    with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
        return file.read().split()[0] in ACCEPTS


def until(condition, *args):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if condition(*args):
            return
        time.sleep(0.01)
    if condition(*args):
        return
    sys.exit(f"{condition.__name__}{args}: never")


def spawn(work, *args):
    pid = os.fork()
    if not pid:
        try:
            work(*args)
        finally:
            os._exit(0)
    children.append(pid)
    return pid


def serve(sock, cpu, holds):
    pin(cpu)
    held = []
    while True:
        child = sock.accept()[0]
        if holds:
            held.append(child)
        else:
            child.close()


def poll(sock, cpu):
    pin(cpu)
    epoll = select.epoll()
    epoll.register(sock, select.EPOLLIN)
    while True:
        epoll.poll()
        sock.accept()[0].close()


def worker(sock, cpu, holds=False, how=serve):
    pid = spawn(how, sock, cpu, holds) if how is serve else spawn(how, sock, cpu)
    until(waits, pid)
    return pid


def dial(cpu, to):
    pin(cpu)
    sock = socket.socket(to.family)
    sock.connect(to.getsockname()[:2])
    return sock


def stop(pid):
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)


def port(sock):
    return sock.getsockname()[1]


def expect(event, text):
    print(f"{event}: {text} netns={NETNS}$", flush=True)


def given(sock, cpu, queue, why):
    family = "ipv6" if sock.family == socket.AF_INET6 else "ipv4"
    expect("fsk_given", f"port={port(sock)} family={family} cpu={cpu}"
                        f" queue={queue} why={why}")


def given_near(addr="127.0.0.1"):
    sock = listen(addr)
    worker(sock, 1)
    dial(1, sock)
    given(sock, 1, 1, "near")


def given_ipv6():
    given_near("::1")


def given_far():
    """CPU 0 has no worker.  The map follows when a packet asks for it."""
    sock = listen()
    worker(sock, 1)
    worker(sock, 2)
    until(far, sock)
    given(sock, 0, "[12]", "far")


def far(sock):
    dial(0, sock)
    return counted("syn-far")


def given_idle():
    """It is late for as long as connections wait, until the idle one has had
    them.
    """
    tool("set", "rescue-ms=0", "late-ms=5")
    sock = listen()
    stop(worker(sock, 1))
    worker(sock, 0)
    until(flood, sock)
    given(sock, 1, 0, "idle")


def flood(sock):
    for _ in range(200):
        dial(1, sock)
    return counted("syn-idle")


def given_shared():
    """Nobody is late, or it would be for that."""
    tool("set", "rescue-ms=0", "late-ms=10000")
    sock = listen()
    worker(sock, 1, True)
    worker(sock, 0, True)
    held = [dial(1, sock) for _ in range(64)]
    given(sock, 1, 0, "shared")
    del held


def orphaned(sock, why):
    expect("fsk_orphaned", f"port={port(sock)} family=ipv4 queue=1"
                           f" queued=1 why={why}")


def returned(sock, why, least):
    expect("fsk_returned", f"port={port(sock)} family=ipv4 queue=1"
                           f" away_ms={least} why={why}")


def orphaned_gone():
    """Another worker takes what is left."""
    tool("set", "rescue-ms=0", "late-ms=1000")
    sock = listen()
    pid = worker(sock, 1)
    stop(pid)
    dial(1, sock)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    worker(sock, 0)
    until(counted, "rescue")
    until(back)
    orphaned(sock, "gone")
    returned(sock, "empty", "[0-9]+")


def orphaned_absent():
    tool("set", "rescue-ms=0", "late-ms=5")
    sock = listen()
    stop(worker(sock, 1, how=poll))
    dial(1, sock)
    until(counted, "rescue")
    orphaned(sock, "absent")


def orphaned_limit():
    """The worker was away for a while, and comes back."""
    tool("set", "rescue-ms=50")
    sock = listen()
    pid = worker(sock, 1)
    stop(pid)
    dial(1, sock)
    until(counted, "rescue")
    time.sleep(0.2)
    os.kill(pid, signal.SIGCONT)
    until(waits, pid)
    until(asked_back, sock)
    orphaned(sock, "limit")
    returned(sock, "worker", "[0-9]{3,4}")


def asked_back(sock):
    """It is woken for a connection that it could have had."""
    dial(1, sock)
    return back()


def primed(cpu, to):
    pin(cpu)
    sock = socket.socket()
    sock.setsockopt(socket.IPPROTO_TCP, ULP, b"fastsocket-rfd")
    sock.connect(to.getsockname())
    return sock


def answer(sock):
    pin(0)
    child = sock.accept()[0]
    child.recv(1)
    child.send(b"x")
    child.recv(1)


def steered():
    """The answer comes in on the core of the server, which sends it."""
    tool("set", "rfd=steer")
    sock = listen(joins=False)
    spawn(answer, sock)
    client = primed(1, sock)
    client.send(b"x")
    client.recv(1)
    expect("fsk_steered", f"port={port(client)} remote_port={port(sock)}"
                          " family=ipv4 ifindex=1 cpu=0 to=1")


def port_refused():
    """Bound, which only the kernel sees: the first half of all ports, so that
    the core has not enough others.
    """
    sock = listen(joins=False)
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w",
              encoding="ascii") as file:
        file.write("30000 30099")
    bound = []
    for number in range(30000, 30050):
        one = socket.socket(socket.AF_INET6)
        one.bind(("::", number))
        bound.append(one)
    held = [primed(1, sock) for _ in range(20)]
    expect("fsk_port_refused", "port=300[0-4][0-9] remote=::ffff:127.0.0.1"
                               f" remote_port={port(sock)} family=ipv4 cpu=1"
                               " refusals=1")
    del held


def end():
    for child in children:
        os.kill(child, signal.SIGKILL)


def main(causes):
    """Brings about the cause that the command line names."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    try:
        causes[sys.argv[1]]()
    finally:
        end()


if __name__ == "__main__":
    main(globals())
