"""Who is compared: servers with a policy each, how they start and what they say in the end."""

import dataclasses
import getpass
import os
import shutil
import socket
import subprocess

import redis

from comparison import servers

from . import client

REDIS_POLICIES = ("allkeys-lru", "allkeys-lfu")
# The last one is held against the goals.
LARDER_POLICIES = ("allkeys-lru", "allkeys-lfu", "allkeys-adaptive")
_MIB = 1 << 20


class Memcached:
    """memcached's executable, as a servers.Program."""

    product = "memcached"

    def __init__(self, path):
        resolved = shutil.which(path)
        if resolved is None:
            raise FileNotFoundError(f"no such server: {path}")
        self.path = os.path.abspath(resolved)
        shown = subprocess.run([resolved, "--version"], capture_output=True, text=True, timeout=10,
                               check=True).stdout
        self.version = shown.split()[-1]

    @property
    def title(self):
        return f"{self.product} {self.version}"

    def command(self, port, threads, options):
        del threads  # One connection keeps one of its threads busy, however many there are.
        return [self.path, "-p", str(port), "-l", "127.0.0.1", "-U", "0",
                "-u", getpass.getuser(), *options]


class _MemcachedClient:
    """As much of redis.Redis as servers.Server asks for, and the statistics."""

    def __init__(self, port):
        self._port = port

    def ping(self):
        try:
            self.stats()
        except OSError as error:
            raise redis.ConnectionError(str(error)) from error

    def close(self):
        """Nothing is open between calls."""

    def stats(self, *group):
        """Numbers by name; what is no number is left out."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=10) as connection:
            connection.sendall(" ".join(("stats", *group)).encode() + b"\r\n")
            answer = b""
            while not answer.endswith(b"END\r\n"):
                received = connection.recv(1 << 16)
                if not received:
                    raise ConnectionError("the server closed the connection")
                answer += received
        rows = (line.split() for line in answer.decode().splitlines())
        return {row[1]: int(row[2]) for row in rows if len(row) == 3 and row[2].isdigit()}


class _MemcachedServer(servers.Server):
    def _await_start(self):
        self.client = _MemcachedClient(self.port)
        super()._await_start()


@dataclasses.dataclass(frozen=True)
class Remains:
    """What a server holds after a replay."""

    keys: int
    used_bytes: int
    evictions: int


class RespContestant:
    """Larder or Redis with one of its policies."""

    protocol = client.Resp

    def __init__(self, program, policy):
        self._program = program
        self._directive = policy
        self.policy = policy.removeprefix("allkeys-")

    @property
    def product(self):
        return self._program.product

    @property
    def name(self):
        return f"{self._program.title} {self.policy}"

    def start(self, maxmemory):
        threads = len(os.sched_getaffinity(0))
        return servers.Server(self._program, threads, options=[
            "--maxmemory", str(maxmemory), "--maxmemory-policy", self._directive])

    def accepted(self):
        """Whether the server has the policy at all."""
        with servers.Server(self._program) as server:
            try:
                server.client.config_set("maxmemory-policy", self._directive)
                return True
            except redis.ResponseError:
                return False

    @staticmethod
    def remains(server):
        info = server.info()
        return Remains(server.client.dbsize(), info["used_memory"], info["evicted_keys"])


class MemcachedContestant:
    """memcached, which has one policy."""

    protocol = client.MemcachedText
    product = "memcached"
    policy = ""

    def __init__(self, program):
        self._program = program

    @property
    def name(self):
        return self._program.title

    def start(self, maxmemory):
        # Its limit is in whole MiB and on items alone: what it takes beside them is to its favour.
        return _MemcachedServer(self._program,
                                options=["-m", str(max(1, round(maxmemory / _MIB)))])

    @staticmethod
    def remains(server):
        stats = server.client.stats()
        return Remains(stats["curr_items"], server.client.stats("slabs")["total_malloced"],
                       stats["evictions"])
