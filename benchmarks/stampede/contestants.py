"""Who is compared: a server and a way to read through it each."""

import dataclasses
import os

from comparison import servers
from hitratio.contestants import Memcached, MemcachedContestant

from . import clients

KEY_PREFIX = b"p:"
_MEMCACHED_BYTES = 64 << 20  # Plenty.
# A value may be loaded before its time by who refreshes early. How early is a matter of chance, but
# so much earlier that it does not happen once in a thousand runs.
_EARLY_SHARE = 0.25


@dataclasses.dataclass(frozen=True)
class Contestant:
    """`fresh_share` of a TTL must have passed before another load can be right."""

    name: str
    title: str
    program: object
    client: type
    fresh_share: float = 1.0
    options: tuple = ()
    grace_seconds: int = 0

    @property
    def is_ours(self):
        return self.program.product == "Larder"

    def start(self):
        if isinstance(self.program, Memcached):
            return MemcachedContestant(self.program).start(_MEMCACHED_BYTES)
        threads = len(os.sched_getaffinity(0))
        return servers.Server(self.program, threads, options=self.options)


def _rule(terms):
    return ("--stampede-rule", f"{KEY_PREFIX.decode()}* lease {clients.HOLD_SECONDS}s "
                               f"wait {clients.WAIT_SECONDS}s disconnect release {terms}")


def all_contestants(redis, memcached, larder):
    """Programs as comparison.servers.Program; in the order in which they are shown."""
    grace = clients.GRACE_SECONDS
    return [
        Contestant("naive", f"{redis.title}, cache-aside", redis, clients.CacheAside),
        Contestant("lock", f"{redis.title}, SET NX PX lock", redis, clients.Lock),
        Contestant("xfetch", f"{redis.title}, XFetch", redis, clients.XFetch, _EARLY_SHARE),
        Contestant("memcached", f"{memcached.title}, meta commands", memcached,
                   clients.MetaCommands, _EARLY_SHARE),
        Contestant("rule", "Larder, rule", larder, clients.CacheAside, options=_rule("beta 0")),
        Contestant("rule-grace", f"Larder, rule with grace {grace}s", larder, clients.CacheAside,
                   _EARLY_SHARE, _rule(f"grace {grace}s"), grace),
        Contestant("leases", "Larder, CACHE.GET", larder, clients.Leases),
        Contestant("leases-grace", "Larder, CACHE.GET with GRACE", larder, clients.LeasesWithGrace,
                   _EARLY_SHARE, grace_seconds=grace),
    ]
