# SPDX-License-Identifier: GPL-2.0
"""What a run of "load" is to do, as options of sim and native."""
SCENARIOS = ("passive", "keepalive", "proxy", "connect", "idle", "accept", "long")


def add(p, bystander=False):
    """Options of a scenario."""
    p.add_argument("--scenario", default="passive",
                   choices=SCENARIOS + (("bystander",) if bystander else ()))
    p.add_argument("--wait", default="block", choices=("block", "epoll", "exclusive"),
                   help="the server blocks in accept (default), or has an event loop, without"
                   " or with EPOLLEXCLUSIVE")
    p.add_argument("--threads", action="store_true", help="server workers are threads")
    p.add_argument("-6", "--ipv6", action="store_true")
    p.add_argument("--client-closes", action="store_true", help="clients close first")
    p.add_argument("--requests", type=int, default=16, help="per keep-alive connection")
    p.add_argument("--keep-conns", type=int, default=50, help="long: connections of each client")
    p.add_argument("--pipeline", type=int, default=1, help="long: requests sent at once on one,"
                   " up to 16")
    p.add_argument("--idle", type=int, default=500, help="idle connections per CPU")
    p.add_argument("--conns", type=int, default=100, help="measured connections per CPU; long:"
                   " requests")
    p.add_argument("--warm", type=int, default=30, help="connections per CPU before")


def facts(args):
    """The same for the JSON."""
    return {k: getattr(args, k) for k in ("wait", "threads", "ipv6", "client_closes", "requests",
                                          "keep_conns", "pipeline", "idle", "conns", "warm")}


def kind(name):
    """What is before the first +, an arrangement of load's."""
    return name.split("+")[0]


# What an arrangement of sim --nic has behind a +: how the kernel brings packets
# to who reads them, the mode of the card for the module, established tables.
VARIANTS = {"rfs": "-R rfs", "arfs": "-R arfs", "rss": "-F rss", "ntuple": "-F ntuple",
            "steer": "-F steer", "est": "-E"}


def variants(name):
    return [word for v in name.split("+")[1:] for word in VARIANTS[v].split()]


def words(args, arrangement, *more):
    """load's command line, as one string."""
    found = ["-a", kind(arrangement), *variants(arrangement), "-s", args.scenario, "-e", args.wait, "-c", args.conns,
             "-w", args.warm, *more]
    if args.scenario == "keepalive":
        found += ["-r", args.requests]
    if args.scenario == "long":
        found += ["-r", args.keep_conns, "-P", args.pipeline]
    if args.scenario == "idle":
        found += ["-i", args.idle]
    for flag, on in ("-t", args.threads), ("-6", args.ipv6), ("-C", args.client_closes):
        found += [flag] if on else []
    return " ".join(map(str, found))
