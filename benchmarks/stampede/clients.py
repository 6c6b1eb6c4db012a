"""How a program reads through its cache: each class is one way in use.

`read` hands the value to `deliver` as soon as the program could go on with it. Work that it leaves
for later, as a refresh while the old value serves, comes after that. `store` writes a value without
having been asked, as a program that fills its cache beforehand does.
"""

import asyncio
import math
import random
import time
import uuid

from . import wire

POLL_SECONDS = 0.02
# For how long the right to load is given: to a lock, a stub, a lease.
HOLD_SECONDS = 5
# That a caller would wait for another's load: longer than a dead holder can be in the way.
WAIT_SECONDS = HOLD_SECONDS + 1
GRACE_SECONDS = 30


class _RespClient:
    def __init__(self, connection, load, ttl):
        """`load(key)` asks the origin; `ttl` is in seconds."""
        self._connection = connection
        self._load = load
        self._ttl_ms = round(ttl * 1000)

    @classmethod
    async def open(cls, port, load, ttl):
        return cls(await wire.Connection.open(port, wire.parse_resp), load, ttl)

    def close(self):
        self._connection.close()

    async def store(self, key, value):
        await self._ask("SET", key, value, "PX", self._ttl_ms)

    def _ask(self, *words):
        return self._connection.ask(wire.resp(*words))


class CacheAside(_RespClient):
    """What everybody writes first. Larder's rules are for programs that are left like this."""

    async def read(self, key, deliver):
        value = await self._ask("GET", key)
        if value is None:
            value = await self._load(key)
            await self.store(key, value)
        deliver(value)


class Lock(_RespClient):
    """SET NX PX beside the key; who does not get it polls. Released only by who holds it."""

    _RELEASE = ("if redis.call('get', KEYS[1]) == ARGV[1] then "
                "return redis.call('del', KEYS[1]) else return 0 end")

    async def read(self, key, deliver):
        while (value := await self._ask("GET", key)) is None:
            token = uuid.uuid4().hex
            lock = b"lock:" + key
            if await self._ask("SET", lock, token, "NX", "PX", HOLD_SECONDS * 1000):
                value = await self._fill(key)
                await self._ask("EVAL", self._RELEASE, 1, lock, token)
                break
            await asyncio.sleep(POLL_SECONDS)
        deliver(value)

    async def _fill(self, key):
        # It may have been filled between the miss and the lock.
        value = await self._ask("GET", key)
        if value is None:
            value = await self._load(key)
            await self.store(key, value)
        return value


class XFetch(_RespClient):
    """Early at random: Vattani, Chierichetti, Lowenstein, VLDB 2015, with a beta of 1.

    The value in the cache is preceded by how long it took and when it expires.
    """

    async def read(self, key, deliver):
        found = await self._ask("GET", key)
        if found is None:
            deliver(await self._fill(key))
            return
        delta, expiry, value = found.split(b" ", 2)
        deliver(value)
        early = -float(delta) * math.log(1 - random.random())
        if time.monotonic() + early >= float(expiry):
            await self._fill(key)

    async def store(self, key, value, delta=0.0):
        expiry = time.monotonic() + self._ttl_ms / 1000
        await super().store(key, b"%.6f %.6f %b" % (delta, expiry, value))

    async def _fill(self, key):
        begin = time.monotonic()
        value = await self._load(key)
        await self.store(key, value, time.monotonic() - begin)
        return value


class MetaCommands(_RespClient):
    """memcached: a miss leaves a stub and one winner; a value that soon expires has a winner too.

    It counts whole seconds. With one second more to live, and a winner from two before the end, a
    value is loaded anew after one to two seconds where the others' TTL is two.
    """

    _REFRESH_SECONDS = 2

    @classmethod
    async def open(cls, port, load, ttl):
        return cls(await wire.Connection.open(port, wire.parse_meta), load, ttl)

    async def read(self, key, deliver):
        request = b"mg %b v N%d R%d\r\n" % (key, HOLD_SECONDS, self._REFRESH_SECONDS)
        while True:
            words, value = await self._connection.ask(request)
            if value:
                deliver(value)
            if b"W" in words:
                loaded = await self._load(key)
                await self.store(key, loaded)
                if not value:
                    deliver(loaded)
                return
            if value:
                return
            await asyncio.sleep(POLL_SECONDS)

    async def store(self, key, value):
        life = math.ceil(self._ttl_ms / 1000) + 1
        request = b"ms %b %d T%d\r\n%b\r\n" % (key, len(value), life, value)
        words, _ = await self._connection.ask(request)
        if words[0] != b"HD":
            raise wire.ServerError(f"ms was answered {words!r}")


class Leases(_RespClient):
    """Larder's CACHE.GET and CACHE.SET: one loads, the others wait on the server."""

    _GET_OPTIONS = ("BETA", 0)
    _SET_OPTIONS = ()

    async def read(self, key, deliver):
        while True:
            answer = await self._ask("CACHE.GET", key, "LEASE", HOLD_SECONDS * 1000,
                                     "WAIT", WAIT_SECONDS * 1000, *self._GET_OPTIONS)
            found = dict(zip(answer[::2], answer[1::2]))
            value, token = found[b"value"], found[b"token"]
            if value is not None:
                deliver(value)
            if token is not None:
                loaded = await self._load(key)
                await self.store(key, loaded, "TOKEN", token)
                if value is None:
                    deliver(loaded)
                return
            if value is not None:
                return
            await asyncio.sleep(max(POLL_SECONDS, found[b"retry"] / 1000))

    async def store(self, key, value, *token):
        await self._ask("CACHE.SET", key, value, *token, "SOFT", self._ttl_ms, *self._SET_OPTIONS)


class LeasesWithGrace(Leases):
    """The same with the old value while one loads, and early refresh."""

    _GET_OPTIONS = ()
    _SET_OPTIONS = ("GRACE", GRACE_SECONDS * 1000)
