# SPDX-License-Identifier: GPL-2.0
"""What native finds and sets on the machine that it runs on, and puts back."""
import glob
import os
import re
import signal
import subprocess

import simlib

# What the CPU says it is run by where it is a true CPU's speed nevertheless.
REAL = ("KVMKVMKVM", "Microsoft Hv", "VMwareVMware", "XenVMMXenVMM", "bhyve bhyve ",
        "ACRNACRNACRN", " lrpepyh  vr", "QNXQVMBSQG", "SRESRESRESRE", "EVMMEVMMEVMM")


def read(path):
    with open(path, encoding="ascii", errors="replace") as f:
        return f.read().strip()


def output(*command):
    """What a program prints, or nothing if it isn't there or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def emulated(load):
    """Why times mean nothing on this machine, or None."""
    said = re.match(r"hypervisor ?(.*)", output(load, "-H"))
    if said and said[1] not in REAL and said[1].rstrip("\0") not in REAL:
        return f"the CPU says that it is run by {said[1] or 'something without a name'}"
    model = re.search(r"^model name\s*: (.*TCG.*)", read("/proc/cpuinfo"), re.M)
    if model:
        return f"the CPU is a {model[1]}"
    found = output("systemd-detect-virt", "--vm")
    if found in ("qemu", "bochs", "uml"):
        return f"systemd-detect-virt says {found}, which is emulation"
    return None


def cpu_name():
    found = re.search(r"^model name\s*: (.*)", read("/proc/cpuinfo"), re.M)
    return f"{found[1] if found else '?'}, {os.cpu_count()} CPUs"


class Settings:
    """Files of the kernel that are written, and put back in the end.

    Signals that end the program become exceptions, so that "with" puts back;
    a second one waits until that is done.
    """

    def __init__(self):
        self.saved = []
        self.loaded = False

    def __enter__(self):
        for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(s, self.leave)
        return self

    def leave(self, number, _):
        raise SystemExit(128 + number)

    def __exit__(self, *_):
        for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(s, signal.SIG_IGN)
        for path, old in reversed(self.saved):
            try:
                with open(path, "w", encoding="ascii") as f:
                    f.write(old)
            except OSError as e:
                simlib.say(f"could not put back {old} in {path}: {e.strerror}")
        if self.loaded:
            subprocess.run(("rmmod", "fastsocket"), check=False)

    def write(self, path, value):
        old = read(path)
        if old == str(value):
            return
        # First remembered, then written: a signal may come in between.
        if path not in [p for p, _ in self.saved]:
            self.saved.append((path, old))
        try:
            with open(path, "w", encoding="ascii") as f:
                f.write(str(value))
        except OSError as e:
            raise simlib.Error(f"cannot write {value} to {path}: {e.strerror}") from None

    def insmod(self, path):
        if os.path.isdir("/sys/module/fastsocket"):
            return
        self.loaded = True
        if subprocess.run(("insmod", path), check=False).returncode:
            self.loaded = False
            raise simlib.Error(f"{path} can't be loaded")


class Nic:
    """The queues of an interface: whose interrupts, and flow steering."""

    def __init__(self, name):
        self.name = name
        self.dir = f"/sys/class/net/{name}"
        if not os.path.isdir(self.dir):
            raise simlib.Error(f"no interface {name}")
        self.queues = sorted(glob.glob(f"{self.dir}/queues/rx-*"))

    def irqs(self):
        """{interrupt: its queue}: those of its device whose name ends in a number."""
        numbers = set()
        device = os.path.realpath(f"{self.dir}/device")
        for d in device, os.path.dirname(device):
            for path in glob.glob(f"{d}/msi_irqs/*"):
                numbers.add(os.path.basename(path))
            if numbers:
                break
        found = {}
        for line in read("/proc/interrupts").splitlines():
            number, _, rest = line.strip().partition(":")
            queue = re.search(r"(\d+)$", rest.split()[-1]) if rest.split() else None
            if number in numbers and queue and not rest.split()[-1].endswith("config"):
                found[number] = int(queue[1])
        return found

    def spread(self, settings, cpus):
        """Queue i's interrupts to CPU i."""
        for irq, queue in self.irqs().items():
            settings.write(f"/proc/irq/{irq}/smp_affinity_list", queue % cpus)

    def rfs(self, settings, on):
        """Receive flow steering, over all CPUs, or none."""
        cpus = os.cpu_count()
        mask = f"{(1 << cpus) - 1:x}" if on else "0"
        groups = []
        while mask:
            mask, group = mask[:-8], mask[-8:]
            groups.insert(0, group)
        settings.write("/proc/sys/net/core/rps_sock_flow_entries", 32768 if on else 0)
        for queue in self.queues:
            settings.write(f"{queue}/rps_flow_cnt", 32768 // len(self.queues) if on else 0)
            settings.write(f"{queue}/rps_cpus", ",".join(groups))
