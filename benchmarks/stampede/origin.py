"""What lies behind the cache: slow, and with an eye on who asks it for what and when.

A client names itself with a line `pid`, then asks with a line `key`, and gets a line with a value.
Values say of themselves which key they belong to, their version, and when they were loaded.
"""

import asyncio
import collections
import dataclasses
import time

LOAD_SECONDS = 0.1
# Servers count in milliseconds of clocks that they read now and then.
_CLOCK_SLACK_SECONDS = 0.02
# That it may take from the origin's answer until the value is in the cache.
_STORE_SECONDS = 0.1


@dataclasses.dataclass
class Load:
    """One load of a key, or (`written`) a value that was stored without anybody having asked."""

    begin: float
    pid: int
    end: float | None = None
    lost: bool = False  # Whoever asked was gone before it was answered, or could store it.
    written: bool = False


def make_value(key, version, loaded_at):
    return b"%b %d %.6f" % (key, version, loaded_at)


def age_of(value, key, now):
    """Seconds since it was loaded. Raises ValueError if it is no value of this key."""
    words = value.split()
    if len(words) != 3 or words[0] != key:
        raise ValueError(f"not a value of {key!r}: {value[:80]!r}")
    return now - float(words[2])


@dataclasses.dataclass
class Verdict:
    """What the loads of a run add up to."""

    loads: int = 0
    lost: int = 0
    expiries: int = 0  # Occasions on which a load was due, the first of a key included.
    surplus: int = 0  # Loads of a value that was fresh or under way already.
    worst: int = 0  # Loads on one occasion.
    concurrent: int = 0  # Loads that began while another of the same key was under way.


class Origin:
    """Concurrency: confined to one event loop."""

    def __init__(self):
        self._loads = collections.defaultdict(list)  # By key, by their beginning.
        self._running = collections.defaultdict(list)  # By key.
        self._answered = collections.deque()  # Loads that may not have reached the cache yet.
        self._version = 0
        self._concurrent = 0
        self._server = None

    async def start(self):
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    def stop(self):
        self._server.close()

    def begin(self, key, pid):
        load = Load(time.monotonic(), pid)
        self._concurrent += bool(self._running[key])
        self._running[key].append(load)
        self._loads[key].append(load)
        return load

    def finish(self, key, load):
        """The value, or None if nobody waits for it any more."""
        if load.end is not None:
            return None
        self._end(key, load)
        self._forget_stored(load.end)
        self._answered.append(load)
        return self._next_value(key, load.end)

    def lose(self, key, load):
        if load.end is None:
            load.lost = True
            self._end(key, load)

    def lose_all(self, pid):
        """Forgets what a process waits for, or has yet to store. To be called before it is killed.

        Afterwards would be too late: the cache may hear of it first and have the next one load.
        """
        self._forget_stored(time.monotonic())
        for load in self._answered:
            load.lost |= load.pid == pid
        for key, loads in self._running.items():
            for load in [load for load in loads if load.pid == pid]:
                self.lose(key, load)

    def write(self, key):
        """A value that is to be stored without having been asked for."""
        now = time.monotonic()
        self._loads[key].append(Load(now, 0, now, written=True))
        return self._next_value(key, now)

    def loading_pids(self):
        return {load.pid for loads in self._running.values() for load in loads}

    def verdict(self, fresh_seconds):
        """`fresh_seconds`: for how long after it was loaded no value may be loaded anew."""
        total = Verdict(concurrent=self._concurrent)
        for loads in self._loads.values():
            judge_key(loads, fresh_seconds, total)
        return total

    def _forget_stored(self, now):
        while self._answered and self._answered[0].end < now - _STORE_SECONDS:
            self._answered.popleft()

    def _end(self, key, load):
        load.end = time.monotonic()
        self._running[key].remove(load)

    def _next_value(self, key, loaded_at):
        self._version += 1
        return make_value(key, self._version, loaded_at)


def judge_key(loads, fresh_seconds, total):
    """Adds what the loads of one key, by their beginning, mean to `total`."""
    not_before = 0.0
    on_occasion = 0
    for load in loads:
        if load.written:
            not_before, on_occasion = load.end + fresh_seconds - _CLOCK_SLACK_SECONDS, 0
            continue
        total.loads += 1
        total.lost += load.lost
        if load.begin < not_before:
            total.surplus += 1
            on_occasion += 1
        else:
            on_occasion = 1
            total.expiries += 1
            if load.lost:  # Then another one is due at once.
                not_before = load.end
            elif load.end is not None:
                not_before = load.end + fresh_seconds - _CLOCK_SLACK_SECONDS
            else:
                not_before = float("inf")
        total.worst = max(total.worst, on_occasion)


class _Client(asyncio.Protocol):
    def __init__(self, origin):
        self._origin = origin
        self._buffer = bytearray()
        self._pid = None
        self._transport = None
        self._waiting = []

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._buffer += data
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            if self._pid is None:
                self._pid = int(line)
            else:
                self._load(bytes(line))

    def connection_lost(self, _):
        for key, load in self._waiting:
            self._origin.lose(key, load)

    def _load(self, key):
        entry = (key, self._origin.begin(key, self._pid))
        self._waiting.append(entry)
        asyncio.get_running_loop().call_later(LOAD_SECONDS, self._answer, entry)

    def _answer(self, entry):
        self._waiting.remove(entry)
        value = self._origin.finish(*entry)
        if value is not None and not self._transport.is_closing():
            self._transport.write(value + b"\n")
