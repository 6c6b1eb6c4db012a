"""What all scenarios share: the servers to compare, where they run, how long and how often."""

import contextlib
import dataclasses
import pathlib
import sys

from . import load, machine, servers


@dataclasses.dataclass
class Bench:
    larder: servers.Program
    peers: list
    rounds: int
    quick: bool
    server_cores: list
    load_cores: list
    tools: pathlib.Path  # Where our own programs are.
    port: int | None = None

    @property
    def ours(self):
        # Two builds of Larder may be compared, and a Redis with a Redis, to test this program.
        same = any(peer.title == self.larder.title for peer in self.peers)
        return f"{self.larder.title}{' (ours)' if same else ''}"

    @property
    def reference(self):
        return self.peers[0].title

    def contestants(self):
        """(column, program) of all servers."""
        return [(peer.title, peer) for peer in self.peers] + [(self.ours, self.larder)]

    def turns(self, contestants=None, rounds=None):
        """Each contestant once a round. Who begins changes, so that nobody always runs warm."""
        contestants = contestants or self.contestants()
        for number in range(min(rounds or self.rounds, self.rounds)):
            yield from contestants if number % 2 == 0 else reversed(contestants)

    def turns_of_ours(self):
        """The others once, ours each round: for what is held against a limit, not against them."""
        ours = [contestant for contestant in self.contestants() if contestant[0] == self.ours]
        return [*self.turns(rounds=1), *ours * (self.rounds - 1)]

    def scaled(self, count):
        """Fewer requests where a quick look is wanted."""
        return count // 4 if self.quick else count

    def start(self, program, pinned=True, threads=1, options=()):
        cores = self.server_cores if pinned else machine.ALL_CORES
        return servers.Server(program, threads, cores, options, self.port)

    def tool(self, name):
        """One of our programs, or None where it has not been built."""
        path = self.tools / name
        return path if path.exists() else None

    @contextlib.contextmanager
    def probe(self, server, command="ping", keys=1, first_key=0):
        program = self.tool("larder_latency_probe")
        if program is None:
            raise FileNotFoundError("larder_latency_probe is not built: `make bench` builds it")
        with load.Probe(program, server.port, command, keys, first_key,
                        core_list=self.load_cores) as probe:
            yield probe

    def say(self, text):
        print(f"  {text}", file=sys.stderr, flush=True)
