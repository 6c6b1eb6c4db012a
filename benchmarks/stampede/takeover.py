"""How soon the next in line is elected when the process of a lease's holder is killed."""

import dataclasses
import multiprocessing
import signal
import socket
import statistics
import time

from . import clients, contestants, wire

ROUNDS = 50
_SECONDS = 10  # For any one step.


@dataclasses.dataclass(frozen=True)
class Takeover:
    """From the kill signal to the reply of the one who waited: in between the kernel ends the process
    and closes its connection."""

    contestant: str
    rounds: int
    median_ms: float
    worst_ms: float


class _Peer:
    """A connection that blocks."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), _SECONDS)

    def send(self, *words):
        self._socket.sendall(wire.resp(*words))

    def receive(self):
        buffer = bytearray()
        while (parsed := wire.parse_resp(buffer)) is None:
            received = self._socket.recv(65536)
            if not received:
                raise ConnectionError("the server closed the connection")
            buffer += received
        return parsed[0]

    def ask(self, *words):
        self.send(*words)
        return self.receive()

    def close(self):
        self._socket.close()


def _read_of(contestant, key):
    if issubclass(contestant.client, clients.Leases):
        return ("CACHE.GET", key, "LEASE", clients.HOLD_SECONDS * 1000,
                "WAIT", clients.WAIT_SECONDS * 1000)
    return "GET", key


def _hold(port, read, told):
    peer = _Peer(port)
    peer.ask(*read)
    told.send(None)
    signal.pause()


def _wait_until_queued(control, key):
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        answer = control.ask("CACHE.INFO", key)
        if dict(zip(answer[::2], answer[1::2]))[b"waiters"] == 1:
            return
        time.sleep(0.001)
    raise RuntimeError("nobody waits")


def _measure_one(context, port, contestant, key):
    read = _read_of(contestant, key)
    told, tell = context.Pipe(duplex=False)
    holder = context.Process(target=_hold, args=(port, read, tell), daemon=True)
    holder.start()
    waiter, control = _Peer(port), _Peer(port)
    try:
        if not told.poll(_SECONDS):
            raise RuntimeError("the holder does not start")
        told.recv()
        waiter.send(*read)
        _wait_until_queued(control, key)
        began = time.perf_counter()
        holder.kill()
        waiter.receive()
        return (time.perf_counter() - began) * 1000
    finally:
        holder.kill()
        holder.join()
        waiter.close()
        control.close()


def measure(contestant, rounds=ROUNDS):
    """`contestant` is a Larder whose leases end with their connection."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["stampede.command_line"])
    with contestant.start() as server:
        times = [_measure_one(context, server.port, contestant,
                              contestants.KEY_PREFIX + b"takeover:%d" % i) for i in range(rounds)]
        server.check_alive()
    return Takeover(contestant.name, rounds, statistics.median(times), max(times))
