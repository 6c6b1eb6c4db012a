#!/usr/bin/env python3
"""The replay of traces: what it sends, what it takes for an answer, what the counts add up to."""

import contextlib
import io
import multiprocessing
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import xml.etree.ElementTree
import zlib

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from comparison import report as tables, servers  # noqa: E402
from hitratio import cells, client, command_line, contestants, report, runs  # noqa: E402

CELL = cells.Cell("test", 5, 2_000_000, 1000)


class TraceTest(unittest.TestCase):
    def test_lines_are_keys_with_or_without_a_size(self):
        trace = cells.parse_trace(b"7\n18446744073709551615\n7\n")
        self.assertEqual(trace, cells.Trace([b"7", b"18446744073709551615", b"7"], {}))
        trace = cells.parse_trace(b"7 512\n8 4096\n")
        self.assertEqual(trace, cells.Trace([b"7", b"8"], {b"7": 512, b"8": 4096}))

    def test_a_trace_is_not_empty(self):
        with self.assertRaises(ValueError):
            cells.parse_trace(b"")

    def test_a_prefix_is_at_least_one_request(self):
        trace = cells.Trace([b"1", b"2", b"3", b"4"], {})
        self.assertEqual(trace.prefix(0.5).keys, [b"1", b"2"])
        self.assertEqual(trace.prefix(0.01).keys, [b"1"])

    def test_what_is_missing_is_said_with_where_it_was_looked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            wanted = [cells.CELLS["web12-5"], cells.CELLS["web12-25"], cells.CELLS["arc-p6-5"]]
            (path / "arc-p6.txt.zst").touch()
            with self.assertRaisesRegex(cells.NoTraces, f"no web12.txt.zst in {folder}"):
                cells.check_traces(path, wanted)
            (path / "web12.txt.zst").touch()
            cells.check_traces(path, wanted)


class WindowTest(unittest.TestCase):
    def test_windows_end_when_full_and_before_a_key_comes_again(self):
        for keys, limit, expected in (
                ("", 3, []),
                ("a", 3, ["a"]),
                ("abc", 3, ["abc"]),
                ("abcd", 3, ["abc", "d"]),
                ("aaa", 3, ["a", "a", "a"]),
                ("abab", 3, ["ab", "ab"]),
                ("abcabc", 3, ["abc", "abc"]),
                ("abcbde", 32, ["abc", "bde"])):
            with self.subTest(keys=keys, limit=limit):
                found = [keys[begin:end] for begin, end in cells.windows(keys, limit)]
                self.assertEqual(found, expected)


class ValuesTest(unittest.TestCase):
    def test_values_have_their_length_and_are_the_same_each_time(self):
        for length in (1, 24393, cells.MAX_VALUE_BYTES):
            value = cells.Values().of(b"18446744073709551615", length)
            self.assertEqual(len(value), length)
            self.assertEqual(value, cells.Values().of(b"18446744073709551615", length))

    def test_values_depend_on_the_key(self):
        values = cells.Values()
        self.assertEqual(len({values.of(b"%d" % key, 16) for key in range(1000)}), 1000)

    def test_values_cannot_be_compressed(self):
        value = cells.Values().of(b"42", 100_000)
        self.assertGreater(len(zlib.compress(value, 9)), 100_000)

    def test_lengths_are_fixed_or_a_part_of_the_size(self):
        sized = cells.Cell("sized", 5, 1, size_divisor=4)
        self.assertEqual(CELL.length(None), 1000)
        self.assertEqual([sized.length(size) for size in (0, 3, 4, 69632, 1 << 30)],
                         [1, 1, 1, 17408, cells.MAX_VALUE_BYTES])
        with self.assertRaises(ValueError):
            sized.length(None)


class AnswersTest(unittest.TestCase):
    def answers(self, data, chunk):
        """Answers that read `data`, `chunk` bytes at a time, and then the connection's end."""
        left = memoryview(data)

        class Connection:
            @staticmethod
            def recv_into(buffer):
                nonlocal left
                count = min(chunk, len(left), len(buffer))
                buffer[:count] = left[:count]
                left = left[count:]
                return count

        return client.Answers(Connection, 1000)

    def test_answers_are_found_however_they_arrive(self):
        data = b"$-1\r\n$3\r\nabc\r\n+OK\r\n-OOM no\r\n+OK\r\n"
        for chunk in range(1, len(data) + 1):
            answers = self.answers(data, chunk)
            self.assertFalse(answers.next_is(b"$3\r\nabc\r\n"))
            self.assertTrue(answers.next_is(b"$-1\r\n"))
            self.assertFalse(answers.next_is(b"$-1\r\n"))
            self.assertTrue(answers.next_is(b"$3\r\nabc\r\n"))
            self.assertTrue(answers.next_is(b"+OK\r\n"))
            self.assertFalse(answers.next_is(b"+OK\r\n"))
            self.assertEqual(answers.line(), b"-OOM no\r\n")
            self.assertTrue(answers.next_is(b"+OK\r\n"))
            answers.expect_end()

    def test_another_value_than_the_one_stored_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "wrong answer"):
            self.answers(b"$3\r\nabd\r\n", 100).next_is(b"$3\r\nabc\r\n")

    def test_an_answer_to_nothing_is_an_error(self):
        answers = self.answers(b"+OK\r\n+OK\r\n", 100)
        answers.next_is(b"+OK\r\n")
        with self.assertRaisesRegex(ValueError, "more answers"):
            answers.expect_end()

    def test_the_end_of_the_connection_is_an_error(self):
        with self.assertRaises(ConnectionError):
            self.answers(b"$3\r\na", 100).next_is(b"$3\r\nabc\r\n")


class ScriptedServer:
    """Answers whatever it is sent with the next of its answers, and notes what it was sent."""

    def __init__(self, answers):
        self.received = []
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        with self._listener, self._listener.accept()[0] as connection:
            for answer in self._answers:
                self.received.append(connection.recv(1 << 16))
                connection.sendall(answer)

    def join(self):
        self._thread.join()


class ReplayTest(unittest.TestCase):
    def replay(self, answers, keys, protocol=client.Resp):
        server = ScriptedServer(answers)
        cell = cells.Cell("test", 5, 1, value_bytes=3)
        try:
            counts = client.replay(server.port, protocol, cells.Trace(keys, {}), cell, 0)
        finally:
            server.join()
        return counts, server.received

    def test_a_window_is_asked_for_at_once_and_its_misses_are_stored_in_order(self):
        value = cells.Values().of
        counts, received = self.replay(
            [b"$-1\r\n$3\r\n%b\r\n$-1\r\n" % value(b"2", 3), b"+OK\r\n-OOM full\r\n",
             b"$3\r\n%b\r\n" % value(b"1", 3)],
            [b"1", b"2", b"30", b"1"])
        get = b"*2\r\n$3\r\nGET\r\n"
        put = b"*3\r\n$3\r\nSET\r\n"
        self.assertEqual(received, [
            get + b"$1\r\n1\r\n" + get + b"$1\r\n2\r\n" + get + b"$2\r\n30\r\n",
            put + b"$1\r\n1\r\n$3\r\n" + value(b"1", 3) + b"\r\n" +
            put + b"$2\r\n30\r\n$3\r\n" + value(b"30", 3) + b"\r\n",
            get + b"$1\r\n1\r\n"])
        self.assertEqual((counts.requests, counts.hits, counts.misses, counts.refused_sets),
                         (4, 2, 2, 1))
        self.assertEqual((counts.bytes_wanted, counts.bytes_missed), (12, 6))

    def test_memcached_is_asked_in_its_own_words(self):
        value = cells.Values().of
        counts, received = self.replay(
            [b"END\r\nVALUE 2 0 3\r\n%b\r\nEND\r\n" % value(b"2", 3), b"STORED\r\n"],
            [b"1", b"2"], client.MemcachedText)
        self.assertEqual(received,
                         [b"get 1\r\nget 2\r\n", b"set 1 0 0 3\r\n%b\r\n" % value(b"1", 3)])
        self.assertEqual((counts.hits, counts.misses), (1, 1))

    def test_errors_other_than_a_lack_of_memory_end_the_replay(self):
        with self.assertRaisesRegex(ValueError, "neither hit nor miss"):
            self.replay([b"-ERR what?\r\n"], [b"1"])
        with self.assertRaisesRegex(ValueError, "SET was answered"):
            self.replay([b"$-1\r\n", b"-ERR what?\r\n"], [b"1"])


def run_of(contestant, misses, cell="web12-5", repeat=0, keys=100, rss=1.0):
    """A Run of 100 requests."""
    order, product, policy = {
        "Redis lru": (0, "Redis", "lru"), "Redis lfu": (1, "Redis", "lfu"),
        "memcached": (2, "memcached", ""), "Larder lru": (3, "Larder", "lru"),
        "Larder adaptive": (4, "Larder", "adaptive")}[contestant]
    maxmemory = cells.CELLS[cell].maxmemory
    return runs.Run(cell=cell, order=order, contestant=contestant, product=product, policy=policy,
                    repeat=repeat, maxmemory=maxmemory, requests=100, hits=100 - misses,
                    misses=misses, miss_ratio=misses / 100, byte_miss_ratio=misses / 100,
                    refused_sets=0, seconds=1, keys=keys, used_bytes=maxmemory,
                    peak_rss_bytes=int(rss * maxmemory), evictions=0, server_cpu_seconds=0)


def two_cells():
    return [run_of("Redis lru", 40), run_of("Redis lfu", 50), run_of("memcached", 45),
            run_of("Larder lru", 42), run_of("Larder adaptive", 20),
            run_of("Redis lru", 90, "cloudphysics-io-5"),
            run_of("Redis lfu", 50, "cloudphysics-io-5"),
            run_of("memcached", 45, "cloudphysics-io-5"),
            run_of("Larder lru", 90, "cloudphysics-io-5"),
            run_of("Larder adaptive", 100, "cloudphysics-io-5")]


class ReportTest(unittest.TestCase):
    def row(self, runs_, title, what):
        section = next(s for s in report.sections(runs_) if s.title == title)
        return section.row(what)

    def test_misses_are_held_against_the_better_policy_of_each_cell(self):
        for title, against, ratio in (("web12 5 %", "Redis lru", 0.5),
                                      ("cloudphysics-io 5 %", "Redis lfu", 2.0)):
            row = self.row(two_cells(), "Misses", title)
            self.assertEqual((row.ours, row.against), ("Larder adaptive", against))
            self.assertAlmostEqual(row.ratio().median, ratio)

    def test_cells_count_alike_in_the_mean_and_the_worst_is_named(self):
        mean = self.row(two_cells(), "All cells", "geometric mean")
        worst = self.row(two_cells(), "All cells", "worst cell")
        self.assertAlmostEqual(mean.spread("Larder adaptive").median, 1.0)
        self.assertAlmostEqual(mean.spread("memcached").median, (45 / 40 * 45 / 50) ** 0.5)
        self.assertAlmostEqual(worst.spread("Larder adaptive").median, 2.0)
        self.assertFalse(mean.goal_met())

    def test_our_versions_stand_beside_those_of_the_same_name(self):
        row = self.row(two_cells(), "Larder's lru beside Redis's", "web12 5 %")
        self.assertAlmostEqual(row.ratio().median, 42 / 40)
        self.assertFalse(row.goal_met())
        titles = [section.title for section in report.sections(two_cells())]
        self.assertNotIn("Larder's lfu beside Redis's", titles)

    def test_memcached_is_the_measure_where_sizes_differ(self):
        row = self.row(two_cells(), "Values of many sizes", "cloudphysics-io 5 %")
        self.assertAlmostEqual(row.ratio().median, 100 / 45)

    def test_repeats_are_paired_in_whatever_order_they_ended(self):
        repeats = [run_of("Larder adaptive", 30, repeat=1), run_of("Redis lru", 40, repeat=0),
                   run_of("Larder adaptive", 20, repeat=0), run_of("Redis lru", 30, repeat=1)]
        ratio = self.row(repeats, "Misses", "web12 5 %").ratio()
        self.assertEqual((ratio.least, ratio.most), (0.5, 1.0))

    def test_nobody_may_take_much_more_than_maxmemory_unless_redis_does(self):
        within = [run_of("Redis lru", 40), run_of("Larder adaptive", 20, rss=1.25)]
        above = [run_of("Redis lru", 40), run_of("Larder adaptive", 20, rss=1.3)]
        as_redis = [run_of("Redis lru", 40, rss=1.5), run_of("Larder adaptive", 20, rss=1.5)]
        self.assertEqual(report.void_runs(within), [])
        self.assertEqual(report.void_runs(above), above[1:])
        self.assertEqual(report.void_runs(as_redis), [])
        self.assertIsNone(report.Board(above).judged)
        self.assertIn("**void**", report.runs_markdown(above))
        document = report.document({}, "", [*above, run_of("Larder lru", 20)], [])
        self.assertIn("void and left out: 1.", document)

    def test_the_document_has_all_sections_also_of_what_is_not_complete(self):
        text = report.document({"Processor": "x"}, "flat out", two_cells(), ["a.svg"])
        for part in ("# Hit ratio", "Pace: flat out", "## Misses", "## Keys held", "](a.svg)",
                     "## Every run"):
            self.assertIn(part, text)
        for count in range(1, len(two_cells())):
            report.document({}, "", two_cells()[:count], [])

    def test_charts_are_well_formed(self):
        charts = dict(report.charts(two_cells()))
        self.assertEqual(list(charts), ["", "-policies"])
        for chart in charts.values():
            xml.etree.ElementTree.fromstring(chart)

    def test_json_says_what_is_void(self):
        content = report.as_json({}, "", [run_of("Redis lru", 40), run_of("Larder lru", 20, rss=2)])
        self.assertEqual([run["void"] for run in content["runs"]], [False, True])


class CommandLineTest(unittest.TestCase):
    def test_the_report_is_written_by_full_runs_only(self):
        self.assertEqual(command_line.parse_arguments([]).output.name, "hit-ratio.md")
        self.assertIsNone(command_line.parse_arguments(["--quick"]).output)
        self.assertIsNone(command_line.parse_arguments(["--cell", "web12-5"]).output)

    def test_cells_are_replayed_in_their_own_order(self):
        options = command_line.parse_arguments(["--cell", "arc-p6-5", "--cell", "web12-25"])
        self.assertEqual([cell.name for cell in command_line.chosen_cells(options)],
                         ["web12-25", "arc-p6-5"])
        self.assertEqual(len(command_line.chosen_cells(command_line.parse_arguments([]))), 14)

    def test_without_traces_it_says_where_they_were_looked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            said = io.StringIO()
            with contextlib.redirect_stderr(said):
                self.assertEqual(command_line.main(["--traces", folder]), 1)
            self.assertIn(folder, said.getvalue())
            self.assertIn("LARDER_TRACES", said.getvalue())


class Work:
    """A task that does as it is told."""

    def __init__(self, what):
        self.what = what

    def run(self):
        if self.what == "fail":
            raise ValueError("told to")
        if self.what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.what == "last for ever":
            signal.pause()
        return self.what


class InParallelTest(unittest.TestCase):
    def test_every_task_gives_its_result(self):
        tasks = [Work(number) for number in range(7)]
        for jobs in (1, 3, 9):
            self.assertEqual(sorted(runs.in_parallel(tasks, jobs)), list(range(7)))

    def test_a_failure_ends_all(self):
        for what, error in (("fail", ValueError), ("die", RuntimeError)):
            with self.assertRaises(error):
                list(runs.in_parallel([Work("last for ever"), Work(what)], 2))
            self.assertEqual(multiprocessing.active_children(), [])


@unittest.skipUnless(shutil.which("zstd"), "needs zstd")
class RealServerTest(unittest.TestCase):
    """A loop over 1000 keys of 1000 bytes in a memory for half of them, twice through."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        text = "".join(f"{key}\n" for key in [*range(1000), *range(999, -1, -1)])
        subprocess.run(["zstd", "-q", "-o", str(cells.trace_path(self.folder, "test"))],
                       input=text.encode(), check=True)

    def run_against(self, contestant):
        task = runs.Task(0, CELL, 0, contestant, self.folder, seconds=0)
        run = next(runs.in_parallel([task], jobs=1))
        self.assertEqual((run.requests, run.refused_sets, run.hits + run.misses), (2000, 0, 2000))
        self.assertGreaterEqual(run.misses, 1000)
        self.assertGreater(run.keys, 0)
        self.assertGreater(run.peak_rss_bytes, 0)
        return run

    @unittest.skipUnless(shutil.which("redis-server"), "needs redis-server")
    def test_redis(self):
        contestant = contestants.RespContestant(servers.Program("redis-server"), "allkeys-lru")
        self.assertTrue(contestant.accepted())
        run = self.run_against(contestant)
        self.assertGreater(run.hits, 0)
        self.assertEqual(run.evictions, run.misses - run.keys)
        self.assertLessEqual(run.used_bytes, 1.05 * CELL.maxmemory)
        self.assertIn("| Redis ", tables.section_markdown(report.sections([run_like(run)])[0]))

    @unittest.skipUnless(shutil.which("redis-server"), "needs redis-server")
    def test_a_policy_that_a_server_lacks_is_noticed(self):
        program = servers.Program("redis-server")
        self.assertFalse(contestants.RespContestant(program, "allkeys-adaptive").accepted())

    @unittest.skipUnless(shutil.which("memcached"), "needs memcached")
    def test_memcached(self):
        program = contestants.Memcached("memcached")
        self.assertRegex(contestants.MemcachedContestant(program).name, r"^memcached \d")
        self.run_against(contestants.MemcachedContestant(program))


def run_like(run):
    """The same run as if it had been of a cell that the report knows."""
    return runs.dataclasses.replace(run, cell="web12-5")


if __name__ == "__main__":
    unittest.main()
