# SPDX-License-Identifier: GPL-2.0
"""Boot the simulated machine, run loads in it, and give the counts names.

Used by sim, budget and report.  Python's standard library only.
"""
import base64
import bisect
import collections
import fcntl
import glob
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get("FSK_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "fastsocket")
OUT = os.path.join(TOP, "build", "bench-programs")
SYMS = os.path.join(CACHE, "bench")
QEMU = os.path.join(CACHE, "qemu")

# Kernels that patched-kernel builds, and what it is told.
BUILT = {"patched": (), "patched-stock": ("--stock",)}

EVENTS = ("ld_dirty", "ld_clean", "st_dirty", "st_clean", "upgrade", "cold")
REMOTE = 5              # the first five events are remote transfers
MAX_CPUS = 48           # of the plugin's cache model
MIB = 1024              # guest memory, also the size of the plugin's line table

STOCK = ("shared", "reuseport", "bpf", "incoming-cpu")
FASTSOCKET = ("fastsocket", "fastsocket-reuseport")
# "ports" needs clients that know the server's CPUs: a lower bound, no rival.
# "fastsocket-vfs" is "fastsocket" with accept() by the ioctl, "fastsocket-ports"
# is "ports", joined.
ARRANGEMENTS = STOCK + FASTSOCKET + ("ports", "fastsocket-vfs", "fastsocket-ports")

MODULES = 0xffffffffc0000000    # x86-64: modules, and code made at run time
TEXT_END = 0xffffffffff000000

# Calls of these functions, counted per connection.
CALLS = {"packets": "__netif_receive_skb_core", "wakeups": "ttwu_do_activate",
         "switches": "finish_task_switch"}

# The scheduler, timers, RCU and the page allocator work by the clock rather
# than by the connection, and vary by some percent from seed to seed; what is
# left when they are taken out ("remote_net") varies by 0.3 %.
CLOCKWORK = re.compile(
    "^(?!_*(inet|tcp|fsk)_).*(sched|rq_|_rq|task_|rcu|tick|timer|idle|ktime|timekeep|jiffies|migrat|psi_|cpuacct|"
    "_entity|_load|update_(sd|curr|group|cfs)|select_task|try_to_wake|ttwu|available_|"
    "clear_page|memset|kmem_cache|slab|rmqueue|list_del|rb_|free_bulk|_freelist)")


class Error(Exception):
    """What the user has to know; no traceback."""


def say(*words):
    print("bench:", *words, file=sys.stderr, flush=True)


def prepare():
    """QEMU and our own two programs, in the cache; one caller at a time."""
    os.makedirs(SYMS, exist_ok=True)
    with open(os.path.join(CACHE, "bench.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (os.path.join(HERE, "getqemu"),), ("make", "-s", "-C", HERE):
            if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
                raise Error(f"{command[0]} failed")


def built_kernel(folder):
    """The boot loader's file in a folder of debug-kernel or patched-kernel."""
    return glob.glob(os.path.join(folder, "vmlinuz-*"))[0]


def kernel(which):
    """A kernel's path, from a path, a release, its beginning (6.12), or patched."""
    if which in BUILT:
        done = subprocess.run([os.path.join(TOP, "selftests", "vm", "patched-kernel"),
                               *BUILT[which]], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise Error(f"no kernel {which}")
        return built_kernel(done.stdout.strip())
    if os.path.isdir(which):
        return built_kernel(which)
    if os.path.exists(which):
        return os.path.realpath(which)
    found = []
    for boot_folder in "/boot", os.path.join(CACHE, "images", "*", "boot"):
        found += (glob.glob(f"{boot_folder}/vmlinuz-{which}[.-]*amd64") +
                  glob.glob(f"{boot_folder}/vmlinuz-{which}"))
    # One that the module is built for here, if there is one.
    found.sort(key=lambda path: (bool(module_path(path)), os.path.getmtime(path)))
    if not found:
        raise Error(f"no kernel {which}: selftests/setup.sh vm fetches Debian's")
    return found[-1]


def release(path):
    """uname -r of a kernel image."""
    return os.path.basename(path).removeprefix("vmlinuz-")


def module_path(path):
    """This tree's module for that kernel, or None."""
    ko = os.path.join(TOP, "build", "kmod", release(path), "fastsocket.ko")
    return ko if os.path.exists(ko) else None


def card_path(image):
    """The network card for that kernel, built if need be."""
    name = release(image)
    headers = os.path.join(os.path.dirname(image), "build")     # of a built kernel
    if not os.path.isdir(headers):
        headers = f"/lib/modules/{name}/build"
    ko = os.path.join(TOP, "build", "card", name, "fskcard.ko")
    if subprocess.run(("make", "-s", "-C", HERE, "card", f"KDIR={headers}", f"RELEASE={name}"),
                      stdout=sys.stderr, check=False).returncode or not os.path.exists(ko):
        raise Error(f"the network card can't be built with {headers}")
    return ko


def tool_files():
    """The tool, and the libraries that it needs, as files of the guest."""
    tool = os.path.join(TOP, "build", "fastsocket")
    if not os.path.exists(tool):
        raise Error("needs the tool: make programs")
    done = subprocess.run(("ldd", tool), capture_output=True, text=True, check=True)
    libraries = re.findall(r"(/\S+) \(0x", done.stdout)
    return {"bin/fastsocket": tool, **{path[1:]: path for path in libraries}}


def file_hash(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def provenance(image, module):
    """What a result was measured with and on."""
    with open(os.path.join(QEMU, "ok"), encoding="utf-8") as f:
        qemu = f.read().strip()
    done = subprocess.run(("git", "-C", TOP, "describe", "--always", "--dirty"),
                          capture_output=True, text=True, check=False)
    return {"kernel": release(image), "qemu": qemu, "version": done.stdout.strip() or None,
            "module": file_hash(module)[:16] if module else None}


def initramfs(work, files):
    """{name: path or bytes}; returns the archive's path."""
    root = os.path.join(work, "root")
    for d in ("bin", "proc", "sys", "dev", "tmp"):
        os.makedirs(os.path.join(root, d))
    shutil.copy(os.path.join(HERE, "init"), root)
    shutil.copy(os.path.join(OUT, "load"), os.path.join(root, "bin"))
    busybox = shutil.which("busybox")
    if not busybox:
        raise Error("needs the package busybox-static")
    shutil.copy(busybox, os.path.join(root, "bin"))
    for name, what in files.items():
        os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
        if isinstance(what, str):
            shutil.copy(what, os.path.join(root, name))
        else:
            with open(os.path.join(root, name), "wb") as f:
                f.write(what)
    archive = os.path.join(work, "initrd")
    subprocess.run("find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet >" + archive,
                   shell=True, cwd=root, check=True)
    return archive


def boot(image, cpus, files, *, seed=1, interval=10, cache=0, arguments="", timeout=3600,
         plugin=True, accesses=True, path=None, only=(), mib=MIB, keep=None):
    """Boot with @files in the initramfs.  Returns (console, plugin's report).

    Without @accesses the plugin counts instructions only, several times as fast.
    With @path, two addresses, it counts between them only, and lines touched;
    @only, pairs of addresses, is the code to look at."""
    # 62.5 million instructions per second of guest time for each CPU up to 16:
    # the timer's share of a connection depends on it.  2^shift ns each.
    shift = 4 if cpus == 1 else 3 if cpus == 2 else 2 if cpus <= 4 else 1 if cpus <= 8 else 0
    with tempfile.TemporaryDirectory(prefix="fsk-sim-") as work:
        archive = initramfs(work, files)
        report = os.path.join(work, "report")
        share = os.path.join(QEMU, "usr/share")
        command = [
            os.path.join(QEMU, "usr/bin/qemu-system-x86_64"),
            "-L", f"{share}/qemu", "-L", f"{share}/seabios",
            "-L", "/usr/share/seabios", "-L", "/usr/share/qemu",
            "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-machine", "q35", "-cpu", "qemu64,+rdrand", "-m", str(mib), "-smp", str(cpus),
            "-accel", "tcg,thread=single,tb-size=512", "-icount", f"shift={shift},sleep=off",
            "-rtc", "base=2024-01-01,clock=vm", "-seed", str(seed),
            "-kernel", image, "-initrd", archive, "-append",
            "console=ttyS0 quiet nokaslr mitigations=off tsc=reliable hpet=disable "
            "iomem=relaxed cpu_init_udelay=0 random.trust_cpu=on cryptomgr.notests=1 "
            f"panic=-1 us={interval} {arguments}"]
        if plugin:
            more = ",from={:x},to={:x}".format(*path) if path else ""
            if only:
                with open(os.path.join(work, "only"), "w", encoding="ascii") as f:
                    f.writelines(f"{a:x} {b:x}\n" for a, b in only)
                more += f",only={f.name}"
            command += ["-plugin", f"{OUT}/cohsim.so,out={report},"
                                   f"mem={mib if accesses else 0},cache={cache}{more}"]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=timeout, check=False)
            console = done.stdout.decode(errors="replace").replace("\r", "")
        except subprocess.TimeoutExpired as e:
            raise Error(f"the guest did not end within {timeout} s; its console ends:\n" +
                        (e.stdout or b"").decode(errors="replace")[-2000:]) from None
        if keep:
            os.makedirs(keep, exist_ok=True)
            shutil.copy(report, keep)
            with open(os.path.join(keep, "console"), "w", encoding="utf-8") as f:
                f.write(console)
        if done.returncode or not re.search(r"^(GUEST-DONE|SYMS-END)$", console, re.M):
            raise Error(f"the guest failed ({done.returncode}):\n" + console[-3000:])
        if re.search(r"\b(WARNING|BUG|Oops|Call Trace)\b", console):
            raise Error("the guest's log has a warning:\n" + console[-6000:])
        text = ""
        if os.path.exists(report):
            with open(report, encoding="ascii") as f:
                text = f.read()
        return console, text


class Symbols:
    """Names for the addresses of one boot."""

    def __init__(self, lines, modules=()):
        self.ranges = [(int(a, 16), int(a, 16) + int(size), name) for name, size, a in modules]
        table = {}
        for line in lines:
            addr, kind, name = line.split()[:3]
            addr = int(addr, 16)
            # Kernels pad functions, and name the padding.
            if addr >= 1 << 63 and kind not in "aA" and not name.startswith("__pfx_"):
                table.setdefault(addr, name)
        self.addrs = sorted(table)
        self.names = [table[a] for a in self.addrs]
        self.memo = {}

    def find(self, addr):
        """(name, offset); name None for data that is no symbol's."""
        if addr not in self.memo:
            self.memo[addr] = self._find(addr)
        return self.memo[addr]

    def _find(self, addr):
        if MODULES <= addr < TEXT_END and not any(a <= addr < b for a, b, _ in self.ranges):
            return "[jit]", 0
        i = bisect.bisect_right(self.addrs, addr) - 1
        # Between the direct map and the kernel's image there are no symbols.
        if i < 0 or addr < 0xffffffff80000000:
            return None, 0
        return self.names[i], addr - self.addrs[i]

    def function(self, addr):
        return self.find(addr)[0] or "?"


def kernel_symbols(image):
    """The kernel's own symbols: constant without KASLR, so kept in the cache."""
    st = os.stat(image)
    path = os.path.join(SYMS, f"syms-{release(image)}-{st.st_size}-{int(st.st_mtime)}")
    if not os.path.exists(path):
        say("reading the symbols of", release(image))
        console, _ = boot(image, 2, {"syms": b""}, plugin=False)
        text = console.split("SYMS-BEGIN\n", 1)[1].split("SYMS-END", 1)[0]
        with open(f"{path}.{os.getpid()}", "wb") as f:
            f.write(gzip.decompress(base64.b64decode(text)))
        os.rename(f.name, path)
    with open(path, encoding="ascii") as f:
        return f.read().splitlines()


def boot_symbols(image, console):
    lines, modules = list(kernel_symbols(image)), []
    if "MODULES-BEGIN\n" in console:
        for line in console.split("MODULES-BEGIN\n", 1)[1].split("MODULES-END", 1)[0].splitlines():
            words = line.split()
            if words and words[-1].startswith("0x") or len(words) > 5 and words[5].startswith("0x"):
                modules.append((words[0], words[1], words[5]))
            elif words and words[-1].startswith("["):
                lines.append(line)
    return Symbols(lines, modules)


def windows(report):
    """The plugin's records, a list of word lists per window."""
    found = []
    for line in report.splitlines():
        words = line.split()
        if words[0] == "window":
            found.append([])
        found[-1].append(words)
    if any(w[-1] != ["end"] for w in found):
        raise Error("the plugin's report is cut short")
    return found


def summary(records, symbols, connections):
    """Counts of one window, per connection."""
    fn = collections.defaultdict(lambda: collections.defaultdict(int))
    total = collections.Counter()
    makes_calls = collections.Counter()
    hot = []
    for r in records:
        if r[0] == "cpu":
            total["insns"] += int(r[2])
            total["user_insns"] += int(r[3])
        elif r[0] == "tb":
            pc, n = int(r[1], 16), int(r[3])
            name, offset = symbols.find(pc)
            f = fn[name]
            f["insns"] += int(r[2]) * n
            f["calls"] += n if not offset else 0
            makes_calls[name] += n * int(r[4])
        elif r[0] == "op":
            f = fn[symbols.function(int(r[1], 16))]
            f["locked"] += int(r[3])
            for e, n in zip(EVENTS, r[4:]):
                total[e] += int(n)
            f["remote"] += sum(map(int, r[4:4 + REMOTE]))
            total["locked"] += int(r[3])
        elif r[0] == "hot":
            hot.append([int(x, 16) for x in r[1:6]] + [int(r[6])])
        elif r[0] == "lost" and int(r[1]) > connections / 10:
            raise Error(f"the plugin's table overflowed: {r[1]} transfers have no site")
    total["remote"] = sum(total[e] for e in EVENTS[:REMOTE])
    total["remote_net"] = sum(f["remote"] for n, f in fn.items()
                              if not CLOCKWORK.search(n or "?"))
    for what, name in CALLS.items():
        total[what] = sum(f["calls"] for n, f in fn.items() if n and n.split(".")[0] == name)

    def per(n):
        return round(n / connections, 3)

    functions = [{"name": n or "?", **{k: per(f[k]) for k in
                                       ("insns", "calls", "locked", "remote")}}
                 for n, f in fn.items()]
    functions.sort(key=lambda f: (-f["remote"], -f["insns"], f["name"]))
    leaves = {n for n, f in fn.items() if n and
              (makes_calls[n] < f["calls"] / 20 or n.startswith("_raw_"))}
    sites, lines = transfers(hot, symbols, leaves)
    return {
        "per_connection": {k: per(total[k]) for k in
                           ("insns", "user_insns", "remote", "remote_net", "locked",
                            *EVENTS, *CALLS)},
        "functions": [f for f in functions if f["remote"] >= 0.005 or f["insns"] >= 1],
        "sites": [{**s, "remote": per(s["remote"])} for s in sites[:150]],
        "lines": [{**s, "remote": per(s["remote"]), "by": {k: per(v) for k, v in s["by"]}}
                  for s in lines[:60]],
    }


def transfers(hot, symbols, leaves):
    """Transfers by instruction and by data line; @leaves are told by their callers."""
    sites = collections.defaultdict(lambda: [0, set(), collections.Counter()])
    lines = collections.defaultdict(lambda: [0, collections.Counter(), 0])
    for line, va, pc, call, before, n in hot:
        name, offset = symbols.find(pc)
        who = name or "?"
        if name in leaves:
            for c in call, before:
                if symbols.function(c) != who:
                    who = f"{who} < {symbols.function(c)}"
                    break
        data, at = symbols.find(va & ~63)
        data = f"{data}+{at:#x}" if data else "heap"
        s = sites[who, offset]
        s[0] += n
        s[1].add(line)
        s[2][data] += n
        t = lines[line]
        t[0] += n
        t[1][who] += n
        t[2] = data
    site_list = [{"site": re.sub(r"^[^ ]+", lambda m, o=o: f"{m[0]}+{o:#x}", who), "remote": n,
                  "lines": len(where), "data": what.most_common(1)[0][0]}
                 for (who, o), (n, where, what) in sites.items()]
    line_list = [{"line": f"{line << 6:#x}", "data": data, "remote": n, "by": by.most_common(5)}
                 for line, (n, by, data) in lines.items()]
    site_list.sort(key=lambda s: (-s["remote"], s["site"]))
    line_list.sort(key=lambda s: (-s["remote"], s["line"]))
    return site_list, line_list


def run(image, cpus, runs, *, module=None, nic=None, **options):
    """Boot once and do @runs, [(label, arguments of load)], in that order.

    With @nic, (queues, far), servers are behind a network card with so many
    queues, and @far more CPUs are the machines of the others.
    Returns {label: counts}; for an arrangement that the kernel refuses, the
    counts are {"refused": reason}.
    """
    text = ""
    for i, (label, arguments) in enumerate(runs):
        # Ports of its own for each run: no TIME_WAIT from the one before.
        text += f"{label} -n {cpus} -p {4000 + 100 * i} {arguments}\n"
    files = {"runs": text.encode()}
    if module:
        files["fastsocket.ko"] = module
    far = 0
    if nic:
        queues, far = nic
        files["fskcard.ko"] = card_path(image)
        files.update(tool_files() if module else {})
        options["arguments"] = f"card={queues},{far} {options.get('arguments', '')}"
    console, report = boot(image, cpus + far, files, **options)
    if "INSMOD-FAILED" in console:
        raise Error("a module does not load:\n" + console[-2000:])
    first, *parts = re.split(r"^RUN ", console, flags=re.M)
    symbols = boot_symbols(image, first)
    found, result = iter(windows(report)), {}
    for part in parts:
        label = part.split(None, 1)[0]
        if "MODULES-BEGIN\n" in part:
            symbols = boot_symbols(image, part)
        refused = re.search(r"^REFUSED (.*)", part, re.M)
        done = re.search(r"^WINDOW ok (.*)", part, re.M)
        if refused:
            result[label] = {"refused": refused[1]}
            continue
        if not done:
            raise Error(f"the run {label} failed:\n{part}")
        facts = {k: int(v) for k, v in (w.split("=") for w in done[1].split())}
        result[label] = {**facts, **summary(next(found), symbols, facts["connections"])}
    if len(result) != len(runs) or next(found, None):
        raise Error("runs and windows don't match:\n" + console[-2000:])
    return result
