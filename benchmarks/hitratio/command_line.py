"""The options of benchmarks/hitratio.py, and what they set going."""

import argparse
import contextlib
import json
import os
import pathlib
import sys

from comparison import machine, program, report as tables, servers

from . import cells, contestants, report, runs

_BENCHMARKS = pathlib.Path(__file__).resolve().parents[1]
_DEFAULT_SECONDS = 100


def add_replay_options(parser):
    """What is replayed, how fast, and against which server of ours."""
    parser.add_argument("--cell", action="append", choices=cells.CELLS, metavar="CELL",
                        help=f"one of: {', '.join(cells.CELLS)}; may be given several times")
    parser.add_argument("--traces", type=pathlib.Path,
                        default=os.environ.get("LARDER_TRACES", _BENCHMARKS / "hitratio/traces"),
                        help="folder of the traces; default: LARDER_TRACES of the environment, "
                             "else benchmarks/hitratio/traces")
    parser.add_argument("--seconds", type=float, default=_DEFAULT_SECONDS,
                        help="that a trace is spread over; 0: flat out, which flatters whoever has "
                             f"a finer clock than Redis; default: {_DEFAULT_SECONDS}")
    parser.add_argument("--jobs", type=int, default=max(2, min(4, os.cpu_count() or 1)),
                        help="replays side by side; default: as many as cores, 2 to 4")
    parser.add_argument("--larder", default=str(_BENCHMARKS.parent / "build/release/larder-server"),
                        help="our server")


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="hitratio.py", description="Replays real traces against Larder, Redis and memcached.")
    add_replay_options(parser)
    parser.add_argument("--quick", action="store_true",
                        help="a first look: the first tenth of each trace in a tenth of the time")
    parser.add_argument("--repeats", type=int, default=1, help="default: 1; a claim takes 3")
    parser.add_argument("--policy", action="append", metavar="POLICY",
                        help="of Larder, may be given several times, the last is held against the "
                             "goals; default: those of "
                             f"{', '.join(contestants.LARDER_POLICIES)} that it has")
    parser.add_argument("--redis", default="redis-server", help="the one it is compared with")
    parser.add_argument("--memcached", default="memcached", help="another")
    parser.add_argument("--json", type=pathlib.Path, help="file for all figures")
    parser.add_argument("--output", type=pathlib.Path,
                        help="Markdown file for the report, charts beside it; default: "
                             "benchmarks/results/hit-ratio.md, and none with --cell or --quick")
    options = parser.parse_args(arguments)
    if options.repeats < 1 or options.jobs < 1 or options.seconds < 0:
        parser.error("--repeats, --jobs: at least one; --seconds: not below zero")
    if options.output is None and not options.cell and not options.quick:
        options.output = _BENCHMARKS / "results/hit-ratio.md"
    return options


def chosen_cells(options):
    return [cell for name, cell in cells.CELLS.items() if not options.cell or name in options.cell]


def all_contestants(options):
    redis = servers.Program(options.redis)
    larder = servers.Program(options.larder)
    peers = [contestants.RespContestant(redis, policy) for policy in contestants.REDIS_POLICIES]
    peers.append(contestants.MemcachedContestant(contestants.Memcached(options.memcached)))
    ours = []
    for policy in options.policy or contestants.LARDER_POLICIES:
        contestant = contestants.RespContestant(larder, policy)
        if contestant.accepted():
            ours.append(contestant)
        elif options.policy:
            raise ValueError(f"{larder.title} has no policy {policy}")
        else:
            _say(f"{larder.title} has no policy {policy} and goes without")
    return peers + ours


def tasks_of(options, chosen, competing):
    """A whole cell after the other, so that what has been done can be compared."""
    share = runs.QUICK_SHARE if options.quick else 1.0
    return [runs.Task(repeat, cell, order, contestant, options.traces, options.seconds, share)
            for repeat in range(options.repeats) for cell in chosen
            for order, contestant in enumerate(competing)]


def pace_of(options):
    spread = f"over {options.seconds:g} s" if options.seconds else "flat out"
    return f"each trace {spread}{', of which the first tenth' if options.quick else ''}"


def _say(text):
    print(text, file=sys.stderr, flush=True)


def _write(options, facts, done):
    if options.json is not None:
        content = json.dumps(report.as_json(facts, pace_of(options), done), indent=1)
        options.json.write_text(content + "\n", encoding="utf-8")
    if options.output is None:
        return
    options.output.parent.mkdir(parents=True, exist_ok=True)
    names = []
    for suffix, chart in report.charts(done):
        path = options.output.with_name(f"{options.output.stem}{suffix}.svg")
        path.write_text(chart, encoding="utf-8")
        names.append(path.name)
    options.output.write_text(report.document(facts, pace_of(options), done, names),
                              encoding="utf-8")


def run(arguments):
    options = parse_arguments(arguments)
    chosen = chosen_cells(options)
    cells.check_traces(options.traces, chosen)
    tasks = tasks_of(options, chosen, all_contestants(options))
    facts = machine.facts()
    done = []
    with contextlib.closing(runs.in_parallel(tasks, options.jobs)) as results:
        for result in results:
            done.append(result)
            _say(f"{len(done)}/{len(tasks)} {result.cell}, {result.contestant}: "
                 f"{result.miss_ratio * 100:.2f} % misses, {result.keys:,} keys, "
                 f"{result.seconds:.1f} s")
            # After each, so that an interrupted run leaves what it had.
            _write(options, facts, done)
    print(report.head_markdown(facts, pace_of(options)))
    for section in report.sections(done):
        print(tables.section_markdown(section))
    print(report.runs_markdown(done))
    return 0


def main(arguments):
    return program.run("hitratio.py", run, arguments)
