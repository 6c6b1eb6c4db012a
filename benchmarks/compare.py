#!/usr/bin/python3
"""Larder beside redis-server: speed, CPU, latency and memory, measured in turn on this machine.

Prints a table and, for a full run, writes it with plots to benchmarks/results. `make bench` builds
what is needed and runs this; benchmarks/README.md says what the scenarios are for.
"""

import argparse
import os
import pathlib
import resource
import shutil
import sys

from comparison import (machine, plots, program, report, scenarios, servers, stress_scenarios,
                        type_scenarios)
from comparison.bench import Bench

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "release"

# Name: what runs it. In order of their run.
SCENARIOS = {
    "pipeline": scenarios.pipelined,
    "nopipeline": scenarios.unpipelined,
    "threads": scenarios.two_threads,
    "engine": scenarios.engine,
    "memory": scenarios.memory,
    "eviction": scenarios.eviction,
    "idle": stress_scenarios.idle_connections,
    "commands": type_scenarios.commands,
    "collections": type_scenarios.collections,
    "algebra": type_scenarios.algebra,
    "giants": type_scenarios.giants,
    "expiry": stress_scenarios.expiry,
    "abuse": stress_scenarios.abuse,
    "growth": stress_scenarios.growth,
}
ONLY_WHEN_ASKED = {"growth"}  # Takes minutes.

# What is drawn of a scenario: (file name, title, rows whose names end so).
PLOTS = {
    "pipeline": [("pipeline-cpu.svg", "Server CPU, µs/request, pipeline of 32", "server CPU"),
                 ("pipeline-throughput.svg", "Thousand requests/s, pipeline of 32", "throughput"),
                 ("pipeline-p99.svg", "p99 latency, ms, pipeline of 32", "p99")],
    "nopipeline": [("nopipeline-cpu.svg", "Server CPU, µs/request, no pipeline", "server CPU"),
                   ("nopipeline-p99.svg", "p99 latency, ms, no pipeline", "p99")],
    "threads": [("threads-throughput.svg", "Thousand requests/s, two threads", "throughput")],
    "memory": [("memory.svg", "RSS over the payload, bytes a key", "RSS")],
}


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=SCENARIOS, metavar="SCENARIO",
                        help=f"one of: {', '.join(SCENARIOS)}; may be given several times")
    parser.add_argument("--growth", action="store_true",
                        help="also grow to 20 million keys and back (minutes)")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--quick", action="store_true", help="a first look: one short round")
    parser.add_argument("--larder", default=str(BUILD / "larder-server"), help="our server")
    parser.add_argument("--redis", default="redis-server", help="the one it is compared with")
    parser.add_argument("--peer", action="append", default=[],
                        help="a further server; valkey-server is taken where there is one")
    parser.add_argument("--port", type=int, help="of all servers; default: free ones")
    parser.add_argument("--output", type=pathlib.Path,
                        help="folder for the report; default: benchmarks/results, and none with "
                             "--only or --quick")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds: at least one")
    if options.quick:
        options.rounds = 1
    if options.output is None and not options.only and not options.quick:
        options.output = HERE / "results"
    return options


def chosen_scenarios(options):
    if options.only:
        return [name for name in SCENARIOS if name in options.only]
    return [name for name in SCENARIOS if name not in ONLY_WHEN_ASKED or options.growth]


def make_bench(options):
    server_cores, load_cores = machine.cores()
    peers = [options.redis, *options.peer]
    if not options.peer and shutil.which("valkey-server"):
        peers.append("valkey-server")
    return Bench(larder=servers.Program(options.larder), peers=[servers.Program(p) for p in peers],
                 rounds=options.rounds, quick=options.quick, server_cores=server_cores,
                 load_cores=load_cores, tools=BUILD / "benchmarks", port=options.port)


def write_plots(folder, name, section):
    files = []
    for file_name, title, suffix in PLOTS.get(name, []):
        rows = [row for row in section.rows if row.what.endswith(suffix) and row.values]
        if rows:
            chart = plots.chart_of(title, rows, strip=f": {suffix}")
            (folder / file_name).write_text(chart, encoding="utf-8")
            files.append(file_name)
    return files


def raise_file_limit():
    # Ten thousand connections need as many descriptors here, and again in the server, our child.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(arguments):
    options = parse_arguments(arguments)
    raise_file_limit()
    bench = make_bench(options)
    # What is sent from here is load too and must not take the server's processor.
    os.sched_setaffinity(0, bench.load_cores)
    facts = machine.facts()
    print(report.head_markdown(facts, bench.rounds), flush=True)
    sections = []
    plotted = {}
    for name in chosen_scenarios(options):
        print(f"{name} ...", file=sys.stderr, flush=True)
        section = SCENARIOS[name](bench)
        if not section.columns:
            continue
        sections.append(section)
        print(report.section_markdown(section), flush=True)
        if options.output is not None:
            # After each scenario, so that an interrupted run leaves what it had.
            options.output.mkdir(parents=True, exist_ok=True)
            plotted[section.title] = write_plots(options.output, name, section)
            document = report.document(facts, bench.rounds, sections, plotted)
            (options.output / "comparison.md").write_text(document, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(program.run("compare.py", main, sys.argv[1:]))
