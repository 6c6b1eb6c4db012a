"""Replays a trace against one server over one connection: a cache-aside application at its work."""

import dataclasses
import socket
import time

from . import cells

WINDOW = 32
_TIMEOUT_SECONDS = 60


class Resp:
    """What Redis and Larder speak, version 2."""

    MISS = b"$-1\r\n"
    STORED = b"+OK\r\n"
    REFUSED = (b"-OOM ",)

    @staticmethod
    def get(key):
        return b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(key), key)

    @staticmethod
    def set(key, value):
        return b"*3\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(key), key, len(value), value)

    @staticmethod
    def hit(_, value):
        return b"$%d\r\n%b\r\n" % (len(value), value)


class MemcachedText:
    """The text protocol of memcached."""

    MISS = b"END\r\n"
    STORED = b"STORED\r\n"
    REFUSED = (b"SERVER_ERROR out of memory", b"SERVER_ERROR object too large")

    @staticmethod
    def get(key):
        return b"get %b\r\n" % key

    @staticmethod
    def set(key, value):
        return b"set %b 0 0 %d\r\n%b\r\n" % (key, len(value), value)

    @staticmethod
    def hit(key, value):
        return b"VALUE %b 0 %d\r\n%b\r\nEND\r\n" % (key, len(value), value)


class Answers:
    """Takes a stream of answers apart. Every one must be what it can only be, to the byte."""

    def __init__(self, connection, capacity):
        self._connection = connection
        self._buffer = bytearray(capacity)
        self._free = memoryview(self._buffer)
        self._filled = 0
        self._at = 0

    def next_is(self, answer):
        """Takes the next answer if it begins as `answer` does, which must then be all of it.

        Raises ValueError if it begins alike and goes on otherwise.
        """
        beginning = answer[:5]  # No answer is shorter, and no two alternatives are alike so far.
        self._await(len(beginning))
        if not self._buffer.startswith(beginning, self._at):
            return False
        self._await(len(answer))
        if not self._buffer.startswith(answer, self._at):
            raise ValueError(f"wrong answer: {self._seen()!r} instead of {answer[:80]!r}")
        self._at += len(answer)
        return True

    def line(self):
        while (end := self._buffer.find(b"\n", self._at, self._filled)) < 0:
            self._receive()
        line = bytes(self._buffer[self._at:end + 1])
        self._at = end + 1
        return line

    def expect_end(self):
        """All has been asked for and answered: the buffer is free for what is asked for next."""
        if self._at != self._filled:
            raise ValueError(f"more answers than requests: {self._seen()!r}")
        self._at = self._filled = 0

    def _seen(self):
        return bytes(self._buffer[self._at:min(self._at + 80, self._filled)])

    def _await(self, count):
        while self._filled - self._at < count:
            self._receive()

    def _receive(self):
        received = self._connection.recv_into(self._free[self._filled:])
        if received == 0:
            raise ConnectionError("the server closed the connection")
        self._filled += received


@dataclasses.dataclass
class Counts:
    requests: int = 0
    hits: int = 0
    refused_sets: int = 0
    bytes_wanted: int = 0
    bytes_missed: int = 0
    seconds: float = 0.0

    @property
    def misses(self):
        return self.requests - self.hits


class Replay:
    """One connection that works through a trace."""

    def __init__(self, connection, protocol, trace, cell):
        self._connection = connection
        self._protocol = protocol
        self._trace = trace
        self._lengths = {key: cell.length(trace.sizes.get(key)) for key in set(trace.keys)}
        self._values = cells.Values()
        room = WINDOW * (max(self._lengths.values()) + 100)
        self._answers = Answers(connection, room)
        self._counts = Counts()

    def run(self, seconds):
        """Counts of the whole trace, spread evenly over `seconds`; 0 for as fast as it can be."""
        pace = seconds / len(self._trace.keys)
        start = time.monotonic()
        for begin, end in cells.windows(self._trace.keys, WINDOW):
            early = start + begin * pace - time.monotonic()
            if early > 0:
                time.sleep(early)
            self._store(self._ask(self._trace.keys[begin:end]))
        self._counts.seconds = time.monotonic() - start
        return self._counts

    def _ask(self, keys):
        """Asks for all `keys` at once; returns (key, value) of those that were not there."""
        protocol, counts = self._protocol, self._counts
        self._connection.sendall(b"".join(map(protocol.get, keys)))
        missed = []
        for key in keys:
            length = self._lengths[key]
            counts.bytes_wanted += length
            if self._answers.next_is(protocol.MISS):
                counts.bytes_missed += length
                missed.append((key, self._value(key)))
            elif not self._answers.next_is(protocol.hit(key, self._value(key))):
                raise ValueError(f"neither hit nor miss: {self._answers.line()[:100]!r}")
        self._answers.expect_end()
        counts.requests += len(keys)
        counts.hits += len(keys) - len(missed)
        return missed

    def _store(self, missed):
        if not missed:
            return
        self._connection.sendall(b"".join(self._protocol.set(*pair) for pair in missed))
        for _ in missed:
            if not self._answers.next_is(self._protocol.STORED):
                answer = self._answers.line()
                if not answer.startswith(self._protocol.REFUSED):
                    raise ValueError(f"SET was answered {answer[:100]!r}")
                self._counts.refused_sets += 1
        self._answers.expect_end()

    def _value(self, key):
        return self._values.of(key, self._lengths[key])


def replay(port, protocol, trace, cell, seconds):
    """Replays `trace` against the server at `port`; returns its Counts."""
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Replay(connection, protocol, trace, cell).run(seconds)
