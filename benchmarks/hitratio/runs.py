"""Runs replays side by side and collects what they give."""

import dataclasses
import multiprocessing
import pathlib
import signal
import sys

from . import cells, client

QUICK_SHARE = 0.1  # Of the requests, in as much of the time.


@dataclasses.dataclass(frozen=True)
class Task:
    """One replay that is to be run."""

    repeat: int
    cell: cells.Cell
    order: int  # Of the contestant among all.
    contestant: object
    traces: pathlib.Path
    seconds: float
    share: float = 1.0  # Of the trace, from its beginning.

    def run(self):
        trace = cells.read_trace(self.traces, self.cell.trace).prefix(self.share)
        with self.contestant.start(self.cell.maxmemory) as server:
            counts = client.replay(server.port, self.contestant.protocol, trace, self.cell,
                                   self.seconds * self.share)
            return Run.of(self, counts, self.contestant.remains(server), server)


@dataclasses.dataclass(frozen=True)
class Run:
    """What one replay gave."""

    cell: str
    order: int
    contestant: str
    product: str
    policy: str
    repeat: int
    maxmemory: int
    requests: int
    hits: int
    misses: int
    miss_ratio: float
    byte_miss_ratio: float
    refused_sets: int
    seconds: float
    keys: int
    used_bytes: int
    peak_rss_bytes: int
    evictions: int
    server_cpu_seconds: float

    @staticmethod
    def of(task, counts, remains, server):
        return Run(
            cell=task.cell.name, order=task.order, contestant=task.contestant.name,
            product=task.contestant.product, policy=task.contestant.policy, repeat=task.repeat,
            maxmemory=task.cell.maxmemory, requests=counts.requests, hits=counts.hits,
            misses=counts.misses, miss_ratio=counts.misses / counts.requests,
            byte_miss_ratio=counts.bytes_missed / counts.bytes_wanted,
            refused_sets=counts.refused_sets, seconds=round(counts.seconds, 1), keys=remains.keys,
            used_bytes=remains.used_bytes, peak_rss_bytes=server.peak_rss_bytes(),
            evictions=remains.evictions,
            server_cpu_seconds=round(sum(server.cpu_seconds()), 2))


def _prepare_worker():
    # Ctrl-C reaches all processes; who began the workers ends them, and they their servers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def in_parallel(tasks, jobs):
    """Yields a Run for each of `tasks`, `jobs` at a time, as they end."""
    # A process for each replay, since they would wait for one another's turn within one.
    with multiprocessing.Pool(jobs, _prepare_worker, maxtasksperchild=1) as pool:
        yield from pool.imap_unordered(Task.run, tasks)
