"""Processes full of readers, each with a connection of its own to the cache and to the origin."""

import asyncio
import dataclasses
import gc
import os
import random
import struct
import sys
import time

from . import origin, scenarios, wire

# Latency and the value's age in seconds, and what became of the read.
RECORD = struct.Struct("<ddB")
SERVED, LOADED, FAILED = range(3)
# No load is so slow that a reader could rightly wait for it so long.
_STUCK_SECONDS = 15


@dataclasses.dataclass(frozen=True)
class Crew:
    """The readers of one process: `numbers` among all readers."""

    numbers: range
    client: type
    cache_port: int
    origin_port: int
    keys: list
    schedule: scenarios.Schedule
    records_path: str


def work(crew):
    """Runs the readers of a crew to the end of its schedule."""
    sys.stderr = open(f"{crew.records_path}.errors", "w", encoding="utf-8", buffering=1)
    gc.disable()  # Its pauses would count as the server's.
    with open(crew.records_path, "wb") as records:
        asyncio.run(_run(crew, records))


async def _run(crew, records):
    readers = [_Reader(crew, number, records) for number in crew.numbers]
    await asyncio.gather(*(reader.run() for reader in readers))


class _Reader:
    def __init__(self, crew, number, records):
        self._crew = crew
        self._number = number
        self._records = records
        # The pid makes a difference for who takes the place of one who was killed.
        self._random = random.Random(f"{number} {os.getpid()}")
        self._keys = scenarios.ZipfKeys(crew.keys, f"{number} {os.getpid()}")
        self._origin = None
        self._client = None
        self._has_loaded = False

    async def run(self):
        crew, schedule = self._crew, self._crew.schedule
        self._origin = await wire.Connection.open(crew.origin_port, wire.parse_line)
        self._origin.send(b"%d\n" % os.getpid())
        await self._connect()
        await self._fill()
        while (now := time.monotonic()) < schedule.end:
            think = self._random.expovariate(1 / scenarios.THINK_SECONDS)
            await asyncio.sleep(schedule.rest_at(now) + think)
            now = time.monotonic()
            if not schedule.rest_at(now) and now < schedule.end:
                await self._read(self._keys.draw())

    async def _connect(self):
        crew = self._crew
        self._client = await crew.client.open(crew.cache_port, self._load, scenarios.TTL_SECONDS)

    async def _fill(self):
        """Reads its share of the keys, spread over a TTL, so that they do not expire together."""
        schedule = self._crew.schedule
        if schedule.written_together or time.monotonic() > schedule.start + scenarios.TTL_SECONDS:
            return
        own = self._crew.keys[self._number::scenarios.READERS]
        due = sorted(self._random.uniform(0, scenarios.TTL_SECONDS) for _ in own)
        for key, after in zip(own, due):
            await asyncio.sleep(schedule.start + after - time.monotonic())
            await self._read(key)
        await asyncio.sleep(schedule.measured_from - time.monotonic())

    async def _read(self, key):
        begin = time.monotonic()
        self._has_loaded = False
        delivered = False

        def deliver(value):
            nonlocal delivered
            delivered = True
            now = time.monotonic()
            age = origin.age_of(value, key, begin)
            self._record(begin, now - begin, age, LOADED if self._has_loaded else SERVED)

        try:
            async with asyncio.timeout(_STUCK_SECONDS):
                await self._client.read(key, deliver)
        except (OSError, ValueError, wire.ServerError, TimeoutError) as error:
            print(f"{key!r} {'after' if delivered else 'before'} it was delivered: {error!r}",
                  file=sys.stderr)
            self._record(self._crew.schedule.end, 0, 0, FAILED)
            self._client.close()
            await self._connect()

    async def _load(self, key):
        self._has_loaded = True
        return await self._origin.ask(key + b"\n")

    def _record(self, begin, latency, age, outcome):
        if begin >= self._crew.schedule.measured_from:
            self._records.write(RECORD.pack(latency, age, outcome))
