"""The scenarios that do something to a server and watch what it does to others."""

import contextlib
import random
import socket
import threading
import time

from . import load
from .figures import Goal, Section

_MIB = 1 << 20


def _probe_for(bench, server, seconds, command="get", keys=1, first_key=0):
    with bench.probe(server, command, keys, first_key) as probe:
        time.sleep(seconds)
        return probe.result()


# ---- Idle connections.

IDLE = 10_000


def _connect(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    # Resets on close, so that thousands of ports do not wait for stragglers.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    return connection


def idle_connections(bench):
    section = Section("10,000 idle connections", "Each has sent one PING and then nothing. PING on "
                      "one more connection, 4,000 a second, without them and with them.", bench.ours,
                      bench.reference)
    section.declare("RSS a connection", "bytes", 0, Goal(1.0))
    section.declare("PING p99 without", "µs", 0)
    section.declare("PING p99 with", "µs", 0)
    section.declare("PING p99, with over without", "×", 2, Goal(1.5, of_ratio=False))
    seconds = 1 if bench.quick else 3
    for column, program in bench.turns(rounds=3):
        options = ["--maxclients", str(IDLE + 100)]
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(bench.start(program, options=options))
            alone = _probe_for(bench, server, seconds, "ping")
            rss = server.rss_bytes()
            for _ in range(IDLE):
                connection = stack.enter_context(_connect(server.port))
                connection.sendall(load.encode("PING"))
                connection.recv(64)
            time.sleep(seconds)  # Redis gives back buffers of idle clients.
            each = (server.rss_bytes() - rss) / IDLE
            crowded = _probe_for(bench, server, seconds, "ping")
            section.record("RSS a connection", column, each)
            section.record("PING p99 without", column, alone["p99"])
            section.record("PING p99 with", column, crowded["p99"])
            section.record("PING p99, with over without", column, crowded["p99"] / alone["p99"])
            bench.say(f"{column}: {each:.0f} bytes a connection, p99 {alone['p99']:.0f} -> "
                      f"{crowded['p99']:.0f} µs")
    return section


# ---- A wave of expiring keys.

EXPIRING = 1_000_000
LASTING = 10_000
_EXPIRY_WINDOW_MS = 1000
_POLL_SECONDS = 0.02


def _fill_expiring(port, count, from_unix_ms):
    value = load.value_of(64)
    requests = (load.encode("SET", load.key_name(i), value, "PXAT",
                            from_unix_ms + i * _EXPIRY_WINDOW_MS // count)
                for i in range(count))
    load.send_all(port, requests, b"+OK\r\n")


def _await_size(server, most, until):
    """Polls until DBSIZE is at most `most`; the Unix time then, or None after `until`."""
    while time.time() < until:
        if server.client.dbsize() <= most:
            return time.time()
        time.sleep(_POLL_SECONDS)
    return None


def expiry(bench):
    section = Section("A million keys expire within one second", "16+64 B, expiring evenly over a "
                      "second. Counted from the time of the last one until DBSIZE no longer counts "
                      "them (at most 30 s are waited for); GET on other keys, 4,000 a second, "
                      "before and meanwhile.", bench.ours, bench.reference)
    section.declare("99 % gone after", "s", 2, Goal(1.0, of_ratio=False))
    section.declare("all gone after", "s", 2, Goal(1.0, of_ratio=False))
    for quantile in ("p99", "p99.9"):
        section.declare(f"GET {quantile} before", "µs", 0)
        section.declare(f"GET {quantile} meanwhile", "µs", 0)
    section.declare("GET p99, meanwhile over before", "×", 2, Goal(2.0, of_ratio=False))
    for column, program in bench.turns(rounds=3):
        with bench.start(program) as server:
            load.fill(server.port, LASTING, 64, first=EXPIRING)
            begin = time.time()
            # Time to load them all, also on a slow machine, and to listen before they expire.
            first_expiry = begin + (10 if bench.quick else 14)
            last_expiry = first_expiry + _EXPIRY_WINDOW_MS / 1000
            _fill_expiring(server.port, EXPIRING, int(first_expiry * 1000))
            if time.time() > first_expiry - 2:
                raise RuntimeError(f"{column} took {time.time() - begin:.0f} s to load")
            with bench.probe(server, "get", LASTING, EXPIRING) as probe:
                _await_size(server, 0, first_expiry - 0.2)  # Never: polls as it does later.
                before = probe.result()
            with bench.probe(server, "get", LASTING, EXPIRING) as probe:
                limit = last_expiry + 30
                mostly = _await_size(server, LASTING + EXPIRING // 100, limit) or limit
                wholly = _await_size(server, LASTING, limit) or limit
                meanwhile = probe.result()
            section.record("99 % gone after", column, max(0.0, mostly - last_expiry))
            section.record("all gone after", column, max(0.0, wholly - last_expiry))
            for quantile, name in (("p99", "p99"), ("p999", "p99.9")):
                section.record(f"GET {name} before", column, before[quantile])
                section.record(f"GET {name} meanwhile", column, meanwhile[quantile])
            section.record("GET p99, meanwhile over before", column,
                           meanwhile["p99"] / before["p99"])
            bench.say(f"{column}: gone {wholly - last_expiry:.2f} s after their time, p99 "
                      f"{before['p99']:.0f} -> {meanwhile['p99']:.0f} µs")
    return section


# ---- Clients that mean no good.

_FLOOD_BYTES = 100 * _MIB
_FLOOD_VALUE = 1024
_FLOOD_KEYS = 1000


def _flood(port, stalled_seconds=3):
    """Pipelines 100 MB of GETs and reads nothing. Ends when the server has cut it off, has taken
    everything, or takes nothing more. Returns the bytes that were taken."""
    request = b"".join(load.encode("GET", load.key_name(i)) for i in range(_FLOOD_KEYS))
    sent = 0
    with _connect(port) as connection:
        connection.settimeout(stalled_seconds)
        try:
            while sent < _FLOOD_BYTES:
                sent += connection.send(request)
            time.sleep(stalled_seconds)  # Everything was taken: let it be worked off.
        except (TimeoutError, OSError):
            pass
    return sent


class _Hostiles:
    """Half-open, slow and garbage-sending clients, all at once, on a thread of their own."""

    def __init__(self, port):
        self._port = port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        noise = random.Random(1)
        whole = load.encode("SET", load.key_name(0), load.value_of(_FLOOD_VALUE))
        with contextlib.ExitStack() as stack:
            def several(count, first_bytes):
                opened = [stack.enter_context(_connect(self._port)) for _ in range(count)]
                for connection in opened:
                    connection.sendall(first_bytes)
                return opened

            several(500, whole[:40])                                # Stop in mid request.
            several(500, b"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n$536870912\r\n")
            several(500, b"*1000000\r\n")                           # Claims that cost nothing.
            slow = several(200, b"")
            at = 0
            while not self._stop.is_set():
                for connection in slow:                             # A byte at a time.
                    with contextlib.suppress(OSError):
                        connection.send(whole[at:at + 1])
                at = (at + 1) % len(whole)
                for _ in range(20):                                 # Noise, until they are cut off.
                    with contextlib.suppress(OSError), _connect(self._port) as garbage:
                        garbage.settimeout(0.5)
                        garbage.sendall(noise.randbytes(200) + b"\r\n")
                        garbage.recv(4096)
                self._stop.wait(0.01)


def _await_memory(server, bytes_before, seconds):
    """Waits, at most `seconds`, until used_memory is about what it was; returns what is left."""
    until = time.monotonic() + seconds
    while True:
        over = server.info().get("used_memory", bytes_before) - bytes_before
        if over < _MIB or time.monotonic() > until:
            return max(0, over)
        time.sleep(0.2)


def abuse(bench):
    section = Section("Clients that do not behave", "One pipelines 100 MB of GETs of 1 KiB values "
                      "and never reads; then 500 connections stop in the middle of a request, 500 "
                      "announce a value of 512 MB, 500 a million arguments, 200 send a byte at a "
                      "time and 20 at a time send noise. Memory over what it was before; GET by a "
                      "client that behaves, 4,000 a second.", bench.ours, bench.reference)
    limit = 300  # The default output limit of 256 MiB, and what the reader's own buffers take.
    section.declare("GET p99 before", "µs", 0)
    for name in ("never reads", "hostile"):
        section.declare(f"{name}: most RSS", "MiB", 1, Goal(limit, of_ratio=False))
        section.declare(f"{name}: used_memory afterwards", "MiB", 2, Goal(2, of_ratio=False))
        section.declare(f"{name}: GET p99 meanwhile", "µs", 0)
    for column, program in bench.turns(rounds=2):
        with bench.start(program) as server:
            load.fill(server.port, _FLOOD_KEYS, _FLOOD_VALUE)
            before = _probe_for(bench, server, 1 if bench.quick else 2, "get", _FLOOD_KEYS)
            section.record("GET p99 before", column, before["p99"])

            @contextlib.contextmanager
            def watched(name):
                used = server.info().get("used_memory", 0)
                server.reset_peak_rss()
                rss = server.rss_bytes()
                with bench.probe(server, "get", _FLOOD_KEYS) as probe:
                    yield
                    result = probe.result()
                server.check_alive()
                most = (server.peak_rss_bytes() - rss) / _MIB
                section.record(f"{name}: most RSS", column, most)
                section.record(f"{name}: used_memory afterwards", column,
                               _await_memory(server, used, 5) / _MIB)
                section.record(f"{name}: GET p99 meanwhile", column, result["p99"])
                bench.say(f"{column}: {name}: {most:.0f} MiB at most, p99 {before['p99']:.0f} -> "
                          f"{result['p99']:.0f} µs")

            with watched("never reads"):
                _flood(server.port)
            with watched("hostile"):
                with _Hostiles(server.port):
                    time.sleep(2 if bench.quick else 4)
    return section


# ---- Growth and shrinking of the table.

GROWTH_KEYS = 20_000_000


def growth(bench):
    count = GROWTH_KEYS // 10 if bench.quick else GROWTH_KEYS
    section = Section(f"Growth to {count:,} keys and back", "16+8 B, set one after the other and "
                      "then deleted, pipelined; GET by another client, 4,000 a second. The longest "
                      "hold of a shard's lock is Larder's own metric (INFO larder), in processor "
                      "time and by the clock. A virtual machine is stopped for longer than most "
                      "holds last: the best round shows what the server needs.", bench.ours,
                      bench.reference)
    for phase in ("growing", "shrinking"):
        section.declare(f"{phase}: longest hold of a lock", "µs", 0,
                        Goal(200, of_ratio=False, of_best=True))
        section.declare(f"{phase}: the same by the clock", "µs", 0)
        section.declare(f"{phase}: GET p99.9", "µs", 0)
        section.declare(f"{phase}: GET max", "µs", 0)
    phases = [("growing", lambda port: load.fill(port, count, 8)),
              ("shrinking", lambda port: load.erase(port, count))]
    for column, program in bench.turns_of_ours():
        with bench.start(program) as server:
            for phase, run in phases:
                server.client.config_resetstat()
                with bench.probe(server, "get", 1000) as probe:
                    run(server.port)
                    result = probe.result()
                figures = server.client.info("larder")
                hold = figures.get("longest_shard_lock_hold_us")
                if hold is not None:
                    section.record(f"{phase}: longest hold of a lock", column, hold)
                    section.record(f"{phase}: the same by the clock", column,
                                   figures["longest_shard_lock_hold_wall_us"])
                section.record(f"{phase}: GET p99.9", column, result["p999"])
                section.record(f"{phase}: GET max", column, result["max"])
                bench.say(f"{column}: {phase}: longest hold {hold} µs, GET max {result['max']} µs")
    return section
