#!/usr/bin/env python3
"""The benchmark of stampedes: what its origin counts, how its clients read, what it demands."""

import asyncio
import pathlib
import shutil
import sys
import unittest

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from comparison import servers  # noqa: E402
from hitratio.contestants import Memcached, MemcachedContestant  # noqa: E402
from stampede import clients, command_line, contestants, origin  # noqa: E402
from stampede import report, runs, scenarios, wire  # noqa: E402

KEY = b"p:1"


def verdict_of(*loads, fresh_seconds=2.0):
    total = origin.Verdict()
    origin.judge_key(list(loads), fresh_seconds, total)
    return total


def load(begin, seconds=0.1, **rest):
    return origin.Load(begin, 1, begin + seconds, **rest)


class VerdictTest(unittest.TestCase):
    def test_one_load_an_expiry_is_what_should_be(self):
        total = verdict_of(load(10), load(12.2), load(14.3))
        self.assertEqual((total.loads, total.expiries, total.surplus, total.worst), (3, 3, 0, 1))

    def test_loads_at_once_are_of_one_expiry(self):
        total = verdict_of(load(10), load(10.05), load(10.09), load(12.2))
        self.assertEqual((total.expiries, total.surplus, total.worst), (2, 2, 3))

    def test_a_load_of_what_is_fresh_is_too_many(self):
        self.assertEqual(verdict_of(load(10), load(11)).surplus, 1)
        self.assertEqual(verdict_of(load(10), load(11), fresh_seconds=0.5).surplus, 0)

    def test_who_was_killed_is_replaced_by_one(self):
        total = verdict_of(load(10, 0.05, lost=True), load(10.06), load(10.07))
        self.assertEqual((total.lost, total.expiries, total.surplus), (1, 2, 1))

    def test_a_value_that_was_written_is_fresh(self):
        written = origin.Load(10, 0, 10, written=True)
        total = verdict_of(load(9), written, load(11), load(12.1))
        self.assertEqual((total.loads, total.expiries, total.surplus), (3, 2, 1))


class OriginTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.origin = origin.Origin()
        self.port = await self.origin.start()

    async def asyncTearDown(self):
        self.origin.stop()

    async def client(self, pid):
        connection = await wire.Connection.open(self.port, wire.parse_line)
        connection.send(b"%d\n" % pid)
        self.addCleanup(connection.close)
        return connection

    async def test_values_know_their_key_and_their_age(self):
        value = await (await self.client(1)).ask(KEY + b"\n")
        now = origin.time.monotonic()
        self.assertLess(origin.age_of(value, KEY, now), 0.1)
        with self.assertRaises(ValueError):
            origin.age_of(value, b"p:2", now)

    async def test_concurrent_loads_are_seen(self):
        one, other = await self.client(1), await self.client(2)
        await asyncio.gather(one.ask(b"a\n"), other.ask(b"b\n"))
        self.assertEqual(self.origin.verdict(2).concurrent, 0)
        await asyncio.gather(one.ask(b"a\n"), other.ask(b"a\n"))
        self.assertEqual(self.origin.verdict(2).concurrent, 1)

    async def test_who_is_about_to_be_killed_loads_no_more(self):
        one, other = await self.client(1), await self.client(2)
        abandoned = one.ask(b"a\n")
        while not self.origin.loading_pids():
            await asyncio.sleep(0.001)
        self.origin.lose_all(1)
        await other.ask(b"a\n")
        total = self.origin.verdict(2)
        self.assertEqual((total.concurrent, total.lost, total.surplus), (0, 1, 0))
        self.assertFalse(abandoned.done())
        abandoned.cancel()

    async def test_what_was_just_answered_may_not_have_been_stored(self):
        one, other = await self.client(1), await self.client(2)
        await one.ask(b"a\n")
        self.origin.lose_all(1)
        await other.ask(b"a\n")
        total = self.origin.verdict(2)
        self.assertEqual((total.lost, total.surplus), (1, 0))

    async def test_a_closed_connection_loads_no_more(self):
        one = await self.client(1)
        abandoned = one.ask(b"a\n")
        while not self.origin.loading_pids():
            await asyncio.sleep(0.001)
        one.close()
        with self.assertRaises(ConnectionError):
            await abandoned
        while self.origin.loading_pids():
            await asyncio.sleep(0.001)
        self.assertEqual(self.origin.verdict(2).lost, 1)


class WireTest(unittest.TestCase):
    def test_an_answer_is_taken_when_it_is_whole(self):
        for text, answer in ((b"+OK\r\n", b"OK"), (b":12\r\n", 12), (b"$-1\r\n", None),
                             (b"$3\r\na\r\n\r\n", b"a\r\n"),
                             (b"*3\r\n$1\r\na\r\n*-1\r\n:1\r\n", [b"a", None, 1])):
            for end in range(len(text)):
                self.assertIsNone(wire.parse_resp(bytearray(text[:end])), text[:end])
            self.assertEqual(wire.parse_resp(bytearray(text + b"+")), (answer, len(text)))

    def test_an_answer_of_memcached(self):
        text = b"VA 2 W\r\nab\r\n"
        for end in range(len(text)):
            self.assertIsNone(wire.parse_meta(bytearray(text[:end])))
        self.assertEqual(wire.parse_meta(bytearray(text)),
                         (([b"VA", b"2", b"W"], b"ab"), len(text)))
        self.assertEqual(wire.parse_meta(bytearray(b"HD\r\n")), (([b"HD"], None), 4))

    def test_errors_are_errors(self):
        self.assertIsInstance(wire.parse_resp(bytearray(b"-ERR no\r\n"))[0], wire.ServerError)
        self.assertIsInstance(wire.parse_meta(bytearray(b"CLIENT_ERROR no\r\n"))[0],
                              wire.ServerError)


class ScheduleTest(unittest.TestCase):
    def test_readers_rest_around_a_write(self):
        schedule = scenarios.Schedule(100.0, 10.0, written_together=True)
        self.assertEqual(schedule.writes(), [100.25, 105.25])
        self.assertEqual(schedule.rest_at(100.25), 0.25)
        self.assertEqual(schedule.rest_at(101.0), 0)
        self.assertEqual(schedule.rest_at(104.75), 0.75)

    def test_keys_differ_in_how_often_they_are_drawn(self):
        keys = scenarios.ZipfKeys([b"a", b"b", b"c"], 1)
        drawn = [keys.draw() for _ in range(1000)]
        self.assertGreater(drawn.count(b"a"), drawn.count(b"b"))
        self.assertGreater(drawn.count(b"b"), drawn.count(b"c"))


def run_of(contestant, **changed):
    figures = dict(
        scenario="hot", contestant=contestant, reads=10, loads=2, lost_loads=0, expiries=2,
        loads_per_expiry=1.0, surplus_loads=0, worst_expiry=1, concurrent_loads=0, p50_ms=1.0,
        p99_ms=2.0, p999_ms=3.0, max_ms=4.0, p99_all_ms=100.0, stale_reads=0, oldest_seconds=2.0,
        machine_delay_ms=1.0, errors=0, first_errors=[], server_cpu_seconds=0.1)
    return runs.Run(**{**figures, **changed})


class ReportTest(unittest.TestCase):
    class Larder:
        product = "Larder"

    OURS = contestants.Contestant("ours", "Ours", Larder, clients.CacheAside)
    GRACE = contestants.Contestant("grace", "Grace", Larder, clients.CacheAside, grace_seconds=30)

    def failed(self, contestant, **changed):
        found = report.conditions(contestant, run_of(contestant.name, **changed), None)
        return sum(not condition.is_met for condition in found)

    def test_each_condition_can_fail(self):
        self.assertEqual(self.failed(self.OURS), 0)
        for changed in ({"surplus_loads": 1}, {"concurrent_loads": 1}, {"errors": 1},
                        {"stale_reads": 1}, {"loads": 0}, {"reads": 0}):
            self.assertEqual(self.failed(self.OURS, **changed), 1, changed)

    def test_with_grace_old_values_are_right_and_waiting_is_not(self):
        self.assertEqual(self.failed(self.OURS, p99_ms=100.0), 0)
        self.assertEqual(self.failed(self.GRACE, p99_ms=5.1), 1)
        self.assertEqual(self.failed(self.GRACE, stale_reads=5, oldest_seconds=31.0), 0)
        self.assertEqual(self.failed(self.GRACE, oldest_seconds=32.2), 1)

    def test_a_report_shows_every_run_and_what_is_asked(self):
        text = report.document({}, 60, [scenarios.SCENARIOS["hot"]], [self.OURS], [run_of("ours")])
        self.assertIn("## One hot key", text)
        self.assertIn("| Ours ", text)
        self.assertIn("pass  hot, Ours: 0 concurrent loads of a key: 0", text)


class CommandLineTest(unittest.TestCase):
    def test_only_a_full_run_replaces_the_report(self):
        self.assertEqual(command_line.parse_arguments([]).output.name, "stampede.md")
        for arguments in (["--quick"], ["--scenario", "hot"], ["--contestant", "lock"]):
            self.assertIsNone(command_line.parse_arguments(arguments).output)


class ClientTest(unittest.IsolatedAsyncioTestCase):
    """What all ways to read have in common, against real servers."""

    async def check(self, server, client_type):
        loads = 0

        async def load_it(key):
            nonlocal loads
            loads += 1
            await asyncio.sleep(0.05)
            return origin.make_value(key, loads, 1.0)

        readers = [await client_type.open(server.port, load_it, 2.0) for _ in range(5)]
        delivered = []
        await asyncio.gather(*(reader.read(KEY, delivered.append) for reader in readers))
        await readers[0].read(KEY, delivered.append)
        for reader in readers:
            reader.close()
        self.assertEqual(len(delivered), 6)
        for value in delivered:
            origin.age_of(value, KEY, 1.0)
        return loads

    @unittest.skipUnless(shutil.which("redis-server"), "needs redis-server")
    async def test_on_redis(self):
        for client_type, loads in ((clients.CacheAside, 5), (clients.Lock, 1), (clients.XFetch, 5)):
            with servers.Server(servers.Program("redis-server")) as server:
                self.assertEqual(await self.check(server, client_type), loads)

    @unittest.skipUnless(shutil.which("memcached"), "needs memcached")
    async def test_on_memcached(self):
        with MemcachedContestant(Memcached("memcached")).start(64 << 20) as server:
            self.assertEqual(await self.check(server, clients.MetaCommands), 1)


if __name__ == "__main__":
    unittest.main()
