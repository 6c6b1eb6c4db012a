"""What is replayed: traces, and the memory and the values with which each is."""

import dataclasses
import random
import subprocess

MAX_VALUE_BYTES = 1_000_000


class NoTraces(RuntimeError):
    """The traces are not where they were looked for."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """A trace, and a limit of memory to replay it with."""

    trace: str
    percent: int  # Of the trace's keys that redis-server can hold, about.
    maxmemory: int  # Bytes.
    value_bytes: int | None = None  # Of every value; None where the trace has sizes.
    size_divisor: int = 1  # By which those sizes are divided, to keep a replay small.

    @property
    def name(self):
        return f"{self.trace}-{self.percent}"

    @property
    def title(self):
        return f"{self.trace} {self.percent} %"

    def length(self, size):
        """Of a value in bytes; `size` is what the trace says, None if nothing."""
        if self.value_bytes is not None:
            return self.value_bytes
        if size is None:
            raise ValueError(f"trace {self.trace} should have sizes")
        return min(max(1, size // self.size_divisor), MAX_VALUE_BYTES)


# Found once by filling redis-server 7.0 with the wanted share of a trace's keys. The values are
# long enough that what a server takes for itself does not decide.
CELLS = {cell.name: cell for cell in (
    Cell("web12", 5, 17894344, 24393),
    Cell("web12", 25, 85681680, 24393),
    Cell("orm-busy", 5, 19825760, 5525),
    Cell("orm-busy", 25, 95332768, 5525),
    Cell("lirs-sprite", 5, 18363064, 47427),
    Cell("lirs-sprite", 25, 88004800, 47427),
    Cell("lirs-multi2", 5, 19571688, 59034),
    Cell("lirs-multi2", 25, 94162080, 59034),
    Cell("arc-p6", 5, 22958376, 1030),
    Cell("arc-p6", 25, 111432104, 1030),
    Cell("cloudphysics-io", 5, 32109224, size_divisor=4),
    Cell("cloudphysics-io", 25, 157285048, size_divisor=4),
    Cell("phases-web-loop", 5, 20651712, 8775),
    Cell("phases-web-loop", 25, 99559552, 8775),
)}


@dataclasses.dataclass(frozen=True)
class Trace:
    """Requests in their order. Keys are decimal numbers as text; `sizes` has those that it says."""

    keys: list
    sizes: dict

    def prefix(self, share):
        return Trace(self.keys[:max(1, int(len(self.keys) * share))], self.sizes)


def parse_trace(text):
    """A Trace out of lines `KEY` or `KEY SIZE`."""
    keys = []
    sizes = {}
    for line in text.splitlines():
        key, _, size = line.partition(b" ")
        keys.append(key)
        if size:
            sizes[key] = int(size)
    if not keys:
        raise ValueError("a trace without requests")
    return Trace(keys, sizes)


def trace_path(folder, name):
    return folder / f"{name}.txt.zst"


def check_traces(folder, cells):
    """Raises NoTraces unless the traces of all `cells` are in `folder`."""
    paths = dict.fromkeys(trace_path(folder, cell.trace) for cell in cells)
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        raise NoTraces(
            f"no {', '.join(missing)} in {folder}.\nThe traces are no part of this repository: say "
            "where they are with --traces or in LARDER_TRACES; benchmarks/README.md says what they "
            "are.")


def read_trace(folder, name):
    done = subprocess.run(["zstd", "-dcq", str(trace_path(folder, name))], capture_output=True,
                          check=True)
    return parse_trace(done.stdout)


def windows(keys, limit):
    """(begin, end) of successive stretches of at most `limit` requests, no key twice in one.

    A client that asks for several keys at once does not ask twice for one of them, and what a
    window's misses store must not come too late for the window itself.
    """
    begin = 0
    seen = set()
    for position, key in enumerate(keys):
        if len(seen) == limit or key in seen:
            yield begin, position
            begin = position
            seen.clear()
        seen.add(key)
    if seen:
        yield begin, len(keys)


class Values:
    """Values that depend on their key and that nobody can compress.

    They are stretches of one pool of random bytes, which is cheaper than random bytes for each key.
    """

    _POOL_BYTES = 1_048_573  # A prime, so that the stretches of many keys all begin elsewhere.
    _STEP = 648_019  # About the golden section: keys that follow one another begin far apart.

    def __init__(self):
        pool = random.Random(1).randbytes(self._POOL_BYTES)
        self._pool = pool + pool[:MAX_VALUE_BYTES]

    def of(self, key, length):
        begin = int(key) * self._STEP % self._POOL_BYTES
        return self._pool[begin:begin + length]
