"""What the readers do, and when: the same for all contestants."""

import dataclasses
import functools
import itertools
import random

READERS = 200
TTL_SECONDS = 2.0
ZIPF_EXPONENT = 0.99
THINK_SECONDS = 0.1  # Of a reader between two reads, on average.


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    keys: int
    processes: int  # That the readers are spread over.
    # All keys are written together, again and again; else the readers read each once, beforehand.
    written_together: bool = False
    seconds_between_kills: float | None = None


SCENARIOS = {scenario.name: scenario for scenario in (
    Scenario("zipf", "Zipf", 1000, 2),
    Scenario("hot", "One hot key", 1, 2),
    Scenario("together", "All keys expire together", 1000, 2, written_together=True),
    Scenario("killed", "Holders are killed", 1000, 20, seconds_between_kills=0.5),
)}


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Times of one run, by the monotonic clock, which all processes share."""

    start: float
    seconds: float
    written_together: bool

    # Of the rounds in which all keys are written together: the readers rest, the keys are written,
    # the readers go on until shortly before the next round, past two expiries.
    ROUND_SECONDS = 2 * TTL_SECONDS + 1
    REST_SECONDS = 0.5
    WRITE_AFTER_SECONDS = 0.25

    @property
    def measured_from(self):
        """Before, the cache is filled for the first time."""
        return self.start + (0 if self.written_together else TTL_SECONDS + 1)

    @property
    def end(self):
        return self.measured_from + self.seconds

    def rest_at(self, now):
        """Seconds that a reader should not begin to read for."""
        if not self.written_together:
            return 0
        phase = (now - self.start) % self.ROUND_SECONDS
        if phase < self.REST_SECONDS:
            return self.REST_SECONDS - phase
        if phase > self.ROUND_SECONDS - self.REST_SECONDS:
            return self.ROUND_SECONDS - phase + self.REST_SECONDS
        return 0

    def writes(self):
        """When all keys are written."""
        if not self.written_together:
            return []
        first = self.start + self.WRITE_AFTER_SECONDS
        times = (first + i * self.ROUND_SECONDS for i in itertools.count())
        return list(itertools.takewhile(lambda time: time < self.end - TTL_SECONDS, times))


def key_names(prefix, count):
    return [b"%b%d" % (prefix, i) for i in range(count)]


class ZipfKeys:
    """Draws `names`, the first most often."""

    def __init__(self, names, seed):
        self._names = names
        self._random = random.Random(seed)
        self._weights = _zipf_weights(len(names))

    def draw(self):
        return self._random.choices(self._names, cum_weights=self._weights)[0]


@functools.cache
def _zipf_weights(count):
    """Cumulative. The same for all readers of a process."""
    return list(itertools.accumulate((i + 1) ** -ZIPF_EXPONENT for i in range(count)))
