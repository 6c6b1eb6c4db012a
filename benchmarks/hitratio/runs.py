"""Runs replays side by side and collects what they give."""

import dataclasses
import multiprocessing
import multiprocessing.connection
import pathlib
import signal
import sys

from . import cells, client

QUICK_SHARE = 0.1  # Of the requests, in as much of the time.
_END_SECONDS = 15  # That a replay gets to end its server.


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


def _work(task, outcome):
    """Runs `task` in a process of its own and sends its Run, or the error it ended with."""
    # Ctrl-C reaches all processes; who began the workers ends them, and they their servers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        outcome.send(task.run())
    except Exception as error:  # Whatever it is, it is raised again where it can be reported.
        outcome.send(error)


def _begin(task):
    """(where its outcome can be read, process) of a task that runs from now on."""
    outcome, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_work, args=(task, sender))
    process.start()
    sender.close()  # So that its end is seen here.
    return outcome, process


def _finish(outcome, process):
    try:
        result = outcome.recv()
    except EOFError:
        result = RuntimeError("a replay was killed")
    process.join()
    if isinstance(result, Exception):
        raise result
    return result


def _end(processes):
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(_END_SECONDS)
        if process.is_alive():
            process.kill()  # Takes its server with it.
            process.join()


def in_parallel(tasks, jobs):
    """Yields a Run for each of `tasks`, `jobs` at a time, as they end. Close it: that ends them."""
    # A process for each replay, since they would wait for one another's turn within one. No pool:
    # one that is ended while it starts a worker may wait for that worker for ever.
    waiting = list(tasks)
    running = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                outcome, process = _begin(waiting.pop(0))
                running[outcome] = process
            for outcome in multiprocessing.connection.wait(list(running)):
                yield _finish(outcome, running.pop(outcome))
    finally:
        _end(running.values())
