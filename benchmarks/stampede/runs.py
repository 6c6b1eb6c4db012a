"""One contestant in one scenario: starts everything, kills whom it should, and adds up."""

import asyncio
import contextlib
import dataclasses
import multiprocessing
import pathlib
import random
import tempfile
import time

from . import contestants, origin, readers, scenarios

_START_SECONDS = 1.5  # That the readers' processes get to start.
_END_SECONDS = 20  # That readers get after the end, for what they are about.
_TICK_SECONDS = 0.005
_STALE_SLACK_SECONDS = 0.1  # Of a value's age, for the way from the origin to the cache.


@dataclasses.dataclass(frozen=True)
class Run:
    """Latencies are in milliseconds, of reads that did not load themselves but for `*_all`."""

    scenario: str
    contestant: str
    reads: int
    loads: int
    lost_loads: int
    expiries: int
    loads_per_expiry: float
    surplus_loads: int
    worst_expiry: int
    concurrent_loads: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    p99_all_ms: float
    stale_reads: int
    oldest_seconds: float
    machine_delay_ms: float  # The longest by which a timer beside all this was late.
    errors: int
    first_errors: list
    server_cpu_seconds: float


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def measure(contestant, scenario, seconds):
    with contestant.start() as server, tempfile.TemporaryDirectory() as folder:
        verdict, delay = asyncio.run(
            _drive(contestant, scenario, seconds, server, pathlib.Path(folder)))
        server.check_alive()
        return _add_up(contestant, scenario, verdict, delay, pathlib.Path(folder),
                       sum(server.cpu_seconds()))


async def _drive(contestant, scenario, seconds, server, folder):
    loads = origin.Origin()
    origin_port = await loads.start()
    keys = scenarios.key_names(contestants.KEY_PREFIX, scenario.keys)
    schedule = scenarios.Schedule(time.monotonic() + _START_SECONDS, seconds,
                                  scenario.written_together)
    crews = _Crews(lambda numbers, path: readers.Crew(
        numbers, contestant.client, server.port, origin_port, keys, schedule, path), folder)
    disturbances = [_longest_delay(schedule)]
    try:
        crews.start_all(scenario.processes)
        if scenario.written_together:
            disturbances.append(_write_together(contestant, server, loads, keys, schedule))
        if scenario.seconds_between_kills:
            disturbances.append(_kill(crews, loads, scenario.seconds_between_kills, schedule))
        delay, *_ = await asyncio.gather(*disturbances)
        await crews.join(schedule.end + _END_SECONDS)
    finally:
        crews.kill_all()
        loads.stop()
    return loads.verdict(scenarios.TTL_SECONDS * contestant.fresh_share), delay


async def _longest_delay(schedule):
    """Seconds by which a timer of this process was late: what else the machine does."""
    longest = 0.0
    await asyncio.sleep(schedule.measured_from - time.monotonic())
    while (now := time.monotonic()) < schedule.end:
        await asyncio.sleep(_TICK_SECONDS)
        longest = max(longest, time.monotonic() - now - _TICK_SECONDS)
    return longest


async def _write_together(contestant, server, loads, keys, schedule):
    client = await contestant.client.open(server.port, None, scenarios.TTL_SECONDS)
    with contextlib.closing(client):
        for due in schedule.writes():
            await asyncio.sleep(due - time.monotonic())
            await asyncio.gather(*(client.store(key, loads.write(key)) for key in keys))


async def _kill(crews, loads, interval, schedule):
    """Kills, at random, a process that loads, and puts another in its place."""
    chance = random.Random(1)
    await asyncio.sleep(schedule.measured_from - time.monotonic())
    # Nobody is killed in the end, so that what follows the last one is seen.
    while time.monotonic() < schedule.end - 1:
        await asyncio.sleep(chance.expovariate(1 / interval))
        pids = sorted(loads.loading_pids())
        if pids:
            victim = chance.choice(pids)
            loads.lose_all(victim)
            crews.replace(victim)


class _Crews:
    """The readers' processes.

    A fork of this process would take its event loop along, and a fresh interpreter would take the
    others' time; the server of forks has imported everything once.
    """

    def __init__(self, make_crew, folder):
        self._context = multiprocessing.get_context("forkserver")
        # What the program's main file imports, which is imported anew in each process.
        self._context.set_forkserver_preload(["stampede.command_line"])
        self._make_crew = make_crew
        self._folder = folder
        self._begun = 0
        self._running = []  # (numbers, process).

    def start_all(self, count):
        size = scenarios.READERS // count
        for i in range(count):
            self._start(range(i * size, (i + 1) * size))

    def replace(self, pid):
        """Kills the process and starts another for its readers."""
        entry = next(entry for entry in self._running if entry[1].pid == pid)
        self._running.remove(entry)
        numbers, process = entry
        process.kill()
        self._start(numbers)

    async def join(self, deadline):
        """Raises if readers are still about something by then, or have failed."""
        while any(process.is_alive() for _, process in self._running):
            if time.monotonic() > deadline:
                raise RuntimeError("readers do not come to an end")
            await asyncio.sleep(0.05)
        if any(process.exitcode for _, process in self._running):
            raise RuntimeError(f"readers have failed:\n{_errors(self._folder, 20)}")

    def kill_all(self):
        for _, process in self._running:
            process.kill()
            process.join()

    def _start(self, numbers):
        crew = self._make_crew(numbers, str(self._folder / f"{self._begun}.records"))
        self._begun += 1
        process = self._context.Process(target=readers.work, args=(crew,), daemon=True)
        process.start()
        self._running.append((numbers, process))


def _errors(folder, most):
    lines = []
    for path in sorted(folder.glob("*.errors")):
        lines += path.read_text(encoding="utf-8").splitlines()
    return lines[:most]


def _records(folder):
    for path in folder.glob("*.records"):
        content = path.read_bytes()
        # Who was killed may have left half a record.
        whole = len(content) - len(content) % readers.RECORD.size
        yield from readers.RECORD.iter_unpack(content[:whole])


def _add_up(contestant, scenario, verdict, delay, folder, cpu_seconds):
    served, everything, ages, failed = [], [], [], 0
    for latency, age, outcome in _records(folder):
        if outcome == readers.FAILED:
            failed += 1
            continue
        everything.append(latency * 1000)
        ages.append(age)
        if outcome == readers.SERVED:
            served.append(latency * 1000)
    served.sort()
    everything.sort()
    stale_after = scenarios.TTL_SECONDS + _STALE_SLACK_SECONDS
    return Run(
        scenario=scenario.name, contestant=contestant.name, reads=len(everything),
        loads=verdict.loads, lost_loads=verdict.lost, expiries=verdict.expiries,
        loads_per_expiry=round(verdict.loads / max(1, verdict.expiries), 4),
        surplus_loads=verdict.surplus, worst_expiry=verdict.worst,
        concurrent_loads=verdict.concurrent, p50_ms=percentile(served, 0.5),
        p99_ms=percentile(served, 0.99), p999_ms=percentile(served, 0.999),
        max_ms=served[-1] if served else 0.0, p99_all_ms=percentile(everything, 0.99),
        stale_reads=sum(age > stale_after for age in ages), oldest_seconds=max(ages, default=0.0),
        machine_delay_ms=delay * 1000, errors=failed, first_errors=_errors(folder, 5),
        server_cpu_seconds=cpu_seconds)
