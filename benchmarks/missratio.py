#!/usr/bin/python3
"""Does CACHE.MRC foretell what servers with half and with twice the memory miss?

Replays each trace against Larder with the memory of hitratio/cells.py and asks it what it would have
missed with other amounts; then against servers that have those amounts, all else being equal. Prints
both, and by how many points they differ; fails if that is too many anywhere. benchmarks/README.md
says which traces it wants.
"""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import sys

from comparison import program, report, servers
from hitratio import cells, client, command_line, runs

_FACTORS = (0.5, 1, 2)  # Of the cell's memory. At 1 it is asked.
_ALLOWED_POINTS = 2


@dataclasses.dataclass(frozen=True)
class Result:
    cell: str
    policy: str
    factor: float
    miss_ratio: float
    foretold: dict  # Miss ratio by factor.
    memory_bytes: int  # That the curve took.


@dataclasses.dataclass(frozen=True)
class Task:
    """One replay, as runs.in_parallel wants it."""

    cell: cells.Cell
    policy: str
    factor: float
    larder: servers.Program
    traces: pathlib.Path
    seconds: float

    def run(self):
        trace = cells.read_trace(self.traces, self.cell.trace)
        maxmemory = int(self.cell.maxmemory * self.factor)
        options = ["--maxmemory", str(maxmemory), "--maxmemory-policy", self.policy,
                   "--miss-ratio-curve", "yes"]
        with servers.Server(self.larder, len(os.sched_getaffinity(0)), options=options) as server:
            counts = client.replay(server.port, client.Resp, trace, self.cell, self.seconds)
            return self._result(counts, _curve(server), maxmemory)

    def _result(self, counts, curve, maxmemory):
        if curve["requests"] < 0.99 * counts.requests:  # Unsampled ones are told by and by.
            raise ValueError(f"the server counted {curve['requests']} of {counts.requests} reads")
        foretold = {point[0] / maxmemory: point[1] for point in curve["points"]}
        return Result(self.cell.name, self.policy, self.factor, counts.misses / counts.requests,
                      {factor: _nearest(foretold, factor) for factor in _FACTORS},
                      curve["memory-bytes"])


def _nearest(foretold, factor):
    return foretold[min(foretold, key=lambda known: abs(known - factor))]


def _pairs(flat):
    """A map out of what RESP2 gives for one."""
    return {name.decode(): value for name, value in zip(flat[::2], flat[1::2])}


def _curve(server):
    """The figures of CACHE.MRC, and as "points" the curve of the policy in force."""
    figures = _pairs(server.client.execute_command("CACHE.MRC"))
    curves = _pairs(figures["curves"])
    points = _pairs(curves[figures["policy"].decode()])["points"]
    figures["points"] = [(memory, float(ratio)) for memory, ratio in points]
    return figures


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="missratio.py", description="Holds CACHE.MRC against servers of other sizes.")
    command_line.add_replay_options(parser)
    parser.add_argument("--policy", action="append", metavar="POLICY",
                        help="may be given several times; default: allkeys-lru")
    return parser.parse_args(arguments)


def tasks_of(options):
    larder = servers.Program(options.larder)
    return [Task(cell, policy, factor, larder, options.traces, options.seconds)
            for policy in options.policy or ["allkeys-lru"]
            for cell in command_line.chosen_cells(options) for factor in _FACTORS]


def rows_of(results):
    """(head and a row a cell and policy, the largest difference in points)."""
    head = ["foretold (measured), misses in %"]
    head += [f"{factor:g} × maxmemory" for factor in _FACTORS] + ["largest difference", "curve, KiB"]
    rows = [head]
    worst = 0.0
    by_server = {(result.policy, result.cell, result.factor): result for result in results}
    for (policy, name, factor), asked in by_server.items():
        others = [by_server.get((policy, name, other)) for other in _FACTORS]
        if factor != 1 or None in others:
            continue
        points = [abs(asked.foretold[other.factor] - other.miss_ratio) * 100 for other in others]
        worst = max(worst, *points)
        rows.append([f"{cells.CELLS[name].title}, {policy}",
                     *(f"{asked.foretold[other.factor] * 100:.2f} ({other.miss_ratio * 100:.2f})"
                       for other in others),
                     f"{max(points):.2f}", f"{asked.memory_bytes / 1024:.0f}"])
    return rows, worst


def main(arguments):
    options = parse_arguments(arguments)
    tasks = tasks_of(options)
    cells.check_traces(options.traces, {task.cell for task in tasks})
    done = []
    with contextlib.closing(runs.in_parallel(tasks, options.jobs)) as results:
        for result in results:
            done.append(result)
            print(f"{len(done)}/{len(tasks)} {result.cell} {result.policy} × {result.factor:g}: "
                  f"{result.miss_ratio * 100:.2f} %", file=sys.stderr, flush=True)
    rows, worst = rows_of(done)
    print(report.aligned(rows))
    print(f"\nlargest difference: {worst:.2f} points; {_ALLOWED_POINTS} are allowed")
    return 0 if worst <= _ALLOWED_POINTS else 1


if __name__ == "__main__":
    sys.exit(program.run("missratio.py", main, sys.argv[1:]))
