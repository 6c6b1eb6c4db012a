"""Drives a server: fills it, runs redis-benchmark against it, probes its latency."""

import csv
import dataclasses
import io
import json
import signal
import socket
import subprocess

_BATCH = 1000  # Commands in one write of the filler.


def key_name(number):
    """Sixteen bytes; redis-benchmark names its random keys in the same way."""
    return b"key:%012d" % number


def value_of(size):
    """Not an integer, which servers would store in another way."""
    return b"v" * size


def encode(*arguments):
    """One request in RESP."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        data = argument if isinstance(argument, bytes) else str(argument).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


def _read_exactly(connection, count):
    chunks = []
    while count > 0:
        chunk = connection.recv(min(count, 1 << 20))
        if not chunk:
            raise ConnectionError("the server closed the connection")
        chunks.append(chunk)
        count -= len(chunk)
    return b"".join(chunks)


def send_all(port, requests, reply):
    """Pipelines `requests`, an iterator of encoded ones, each of which must be answered `reply`.

    One batch is always under way while the next one is made.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        in_flight = []

        def await_oldest():
            expected = reply * in_flight.pop(0)
            answer = _read_exactly(connection, len(expected))
            if answer != expected:
                wrong = next(line for line in answer.split(b"\r\n") if line + b"\r\n" != reply)
                raise RuntimeError(f"the server answered {wrong[:100]!r}")

        batch = []
        for request in requests:
            batch.append(request)
            if len(batch) == _BATCH:
                connection.sendall(b"".join(batch))
                in_flight.append(len(batch))
                batch = []
                if len(in_flight) > 1:
                    await_oldest()
        if batch:
            connection.sendall(b"".join(batch))
            in_flight.append(len(batch))
        while in_flight:
            await_oldest()


def fill(port, count, value_size, ttl_seconds=None, first=0):
    """Sets the keys `first` and up to `count` of them, each once."""
    value = value_of(value_size)
    if ttl_seconds is None:
        template = encode("SET", b"0" * 16, value)
    else:
        template = encode("SET", b"0" * 16, value, "EX", ttl_seconds)
    head, _, tail = template.partition(b"0" * 16)
    requests = (b"%skey:%012d%s" % (head, i, tail) for i in range(first, first + count))
    send_all(port, requests, b"+OK\r\n")


def erase(port, count):
    requests = (encode("DEL", key_name(i)) for i in range(count))
    send_all(port, requests, b":1\r\n")


@dataclasses.dataclass(frozen=True)
class Run:
    """What one run of redis-benchmark gave, latencies in milliseconds."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float


def parse_redis_benchmark(output):
    """The (only) test's row of redis-benchmark --csv."""
    # It also prints warnings, which are no rows.
    lines = [line for line in output.splitlines() if line.startswith('"')]
    rows = list(csv.DictReader(io.StringIO("\n".join(lines))))
    if len(rows) != 1:
        raise ValueError(f"redis-benchmark said: {output[:200]!r}")
    row = rows[0]
    return Run(float(row["rps"]), float(row["p50_latency_ms"]), float(row["p99_latency_ms"]),
               float(row["max_latency_ms"]))


@dataclasses.dataclass(frozen=True)
class Load:
    """How redis-benchmark is to be run."""

    test: str  # One that redis-benchmark knows, or a name for `command_line`.
    requests: int
    pipeline: int = 1
    clients: int = 50
    threads: int = 1
    keys: int = 1_000_000
    value_size: int = 64
    command_line: tuple = ()

    def command(self, port):
        command = ["redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "--csv",
                   "-n", str(self.requests), "-P", str(self.pipeline), "-c", str(self.clients),
                   "-r", str(self.keys), "-d", str(self.value_size)]
        if self.threads > 1:
            command += ["--threads", str(self.threads)]
        return command + (list(self.command_line) or ["-t", self.test])


def pinned(command, core_list):
    return ["taskset", "-c", ",".join(map(str, core_list)), *command] if core_list else command


def run_redis_benchmark(port, load, core_list=None):
    # It waits for ever for a server that is not there; nothing here takes this long.
    done = subprocess.run(pinned(load.command(port), core_list), capture_output=True, text=True,
                          timeout=300, check=True)
    return parse_redis_benchmark(done.stdout)


class Probe:
    """The latency probe (tools/latency_probe.cpp), running beside whatever else happens.

    Use as a context manager; result() ends the probe and returns its percentiles in microseconds.
    """

    def __init__(self, program, port, command, keys=1, first_key=0, rate=4000, core_list=None):
        self._process = subprocess.Popen(
            pinned([str(program), str(port), command, str(rate), str(first_key), str(keys)],
                   core_list),
            stdout=subprocess.PIPE, text=True, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def result(self):
        self._process.send_signal(signal.SIGINT)
        output, _ = self._process.communicate(timeout=30)
        if self._process.returncode != 0:
            raise RuntimeError("the latency probe failed: the server closed its connection?")
        return json.loads(output)
