#!/usr/bin/python3
"""Whether a limit of memory holds while values of all sizes come and go, Larder beside redis-server.

Each server is run twice under the same load (tools/churn_load.cpp): with a maxmemory that holds
about half of what is stored, and with room for all of it. Prints how far memory strayed from the
limit and from what was said of it, and what evicting did to latency.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

from comparison import load, machine, program, report, servers
from comparison.figures import Goal, Section

BUILD = pathlib.Path(__file__).resolve().parents[1] / "build" / "release"
MIB = 1 << 20
LOOK_SECONDS = 0.2
# How much of a run passes before anything counts: three phases, after which memory is full.
WARM_UP_PART = 1 / 4


@dataclasses.dataclass
class Observed:
    """What a run under load showed, after its warm-up."""

    most_rss: float = 0.0  # Over maxmemory.
    furthest_used: float = 0.0  # used_memory from what the allocator says, as a share of that.
    evictions_per_second: float = 0.0
    longest_hold_us: int | None = None
    latencies: dict = dataclasses.field(default_factory=dict)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600, help="of each run; default: 600")
    parser.add_argument("--maxmemory", type=int, default=1024, help="in MiB; default: 1024")
    parser.add_argument("--policy", default="allkeys-lru", help="default: allkeys-lru")
    parser.add_argument("--larder", default=str(BUILD / "larder-server"), help="our server")
    parser.add_argument("--redis", default="redis-server",
                        help="the one it is compared with; none with ''")
    parser.add_argument("--without-room", action="store_true",
                        help="only the runs with a limit: no comparison of latencies")
    return parser.parse_args(arguments)


def _look(server, maxmemory, observed):
    observed.most_rss = max(observed.most_rss, server.rss_bytes() / maxmemory)
    info = server.client.info("memory")
    strays = abs(info["used_memory"] / info["allocator_allocated"] - 1)
    observed.furthest_used = max(observed.furthest_used, strays)


def observe(server, options, maxmemory, cores):
    """Puts `server` under load and watches it."""
    observed = Observed()
    warm_up = options.seconds * WARM_UP_PART
    command = [BUILD / "benchmarks" / "larder_churn_load", server.port, options.seconds, warm_up,
               maxmemory]
    with subprocess.Popen(load.pinned([str(part) for part in command], cores),
                          stdout=subprocess.PIPE, text=True) as churn:
        try:
            try:
                churn.wait(warm_up)
            except subprocess.TimeoutExpired:
                pass
            evicted = server.client.info("stats")["evicted_keys"]
            while churn.poll() is None:
                _look(server, maxmemory, observed)
                try:
                    churn.wait(LOOK_SECONDS)
                except subprocess.TimeoutExpired:
                    pass
            output = churn.stdout.read()
        finally:
            churn.kill()
    server.check_alive()
    if churn.returncode != 0:
        raise RuntimeError("the load failed: the server closed its connections?")
    stats = server.client.info()
    observed.evictions_per_second = (
        (stats["evicted_keys"] - evicted) / (options.seconds - warm_up))
    observed.longest_hold_us = stats.get("longest_shard_lock_hold_us")
    observed.latencies = json.loads(output)
    return observed


def declare(section):
    section.declare("RSS over maxmemory, the most", "", 3, Goal(1.1, of_ratio=False))
    section.declare("used_memory from allocator_allocated, the furthest", "%", 2,
                    Goal(2, of_ratio=False))
    section.declare("evictions", "/s", 0)
    section.declare("refused", "", 0, Goal(0, of_ratio=False))
    for name in ("p50", "p99", "p99.9", "longest"):
        section.declare(f"{name} with eviction", "µs", 0)
        section.declare(f"{name} with room", "µs", 0)
    section.declare("p99, with eviction over with room", "×", 2, Goal(2, of_ratio=False))
    section.declare("p99.9, with eviction over with room", "×", 2)
    section.declare("longest hold of a lock", "µs", 0)


def record(section, column, limited, roomy):
    section.record("RSS over maxmemory, the most", column, limited.most_rss)
    section.record("used_memory from allocator_allocated, the furthest", column,
                   limited.furthest_used * 100)
    section.record("evictions", column, limited.evictions_per_second)
    section.record("refused", column, limited.latencies["refused"])
    if limited.longest_hold_us is not None:
        section.record("longest hold of a lock", column, limited.longest_hold_us)
    figures = {"p50": "p50", "p99": "p99", "p99.9": "p999", "longest": "max"}
    for name, key in figures.items():
        section.record(f"{name} with eviction", column, limited.latencies[key])
        if roomy is not None:
            section.record(f"{name} with room", column, roomy.latencies[key])
    if roomy is not None:
        for name in ("p99", "p99.9"):
            section.record(f"{name}, with eviction over with room", column,
                           limited.latencies[figures[name]] / roomy.latencies[figures[name]])


def measure(contestant, options):
    """(with a limit, with room or None)"""
    maxmemory = options.maxmemory * MIB
    server_cores, load_cores = machine.cores()
    limit = ["--maxmemory", str(maxmemory), "--maxmemory-policy", options.policy]
    outcomes = []
    for arguments in (limit,) if options.without_room else (limit, []):
        with servers.Server(contestant, core_list=server_cores, options=arguments) as server:
            outcomes.append(observe(server, options, maxmemory, load_cores))
    return outcomes[0], outcomes[1] if len(outcomes) > 1 else None


def main(arguments):
    options = parse_arguments(arguments)
    programs = [servers.Program(path) for path in (options.redis, options.larder) if path]
    os.sched_setaffinity(0, machine.cores()[1])
    section = Section(
        "Churn", f"{options.seconds:g} s of values from 16 bytes to 1 MB at {options.maxmemory} "
        f"MiB, {options.policy}; the first quarter does not count.", programs[-1].title,
        programs[0].title)
    declare(section)
    for contestant in programs:
        limited, roomy = measure(contestant, options)
        record(section, contestant.title, limited, roomy)
        print(f"  {contestant.title}: RSS {limited.most_rss:.3f} of maxmemory, p99 "
              f"{limited.latencies['p99']:.0f} µs", file=sys.stderr, flush=True)
    print(report.section_markdown(section))
    return 0


if __name__ == "__main__":
    sys.exit(program.run("churn.py", main, sys.argv[1:]))
