#!/usr/bin/env python3
"""The arithmetic and the report of `make bench`, and that it leaves no server behind."""

import os
import pathlib
import shutil
import socket
import sys
import tempfile
import threading
import unittest
import xml.etree.ElementTree

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import compare  # noqa: E402
from comparison import load, plots, report, servers  # noqa: E402
from comparison.figures import Goal, Section, Spread  # noqa: E402


def section_of(ours, theirs, goal=None):
    section = Section("Title", "Note.", "Larder 1", "Redis 2")
    section.declare("GET: CPU", "µs", 2, goal)
    for value in theirs:
        section.record("GET: CPU", "Redis 2", value)
    for value in ours:
        section.record("GET: CPU", "Larder 1", value)
    return section


class FiguresTest(unittest.TestCase):
    def test_ratios_are_taken_round_by_round(self):
        row = section_of(ours=[1, 4, 2], theirs=[2, 4, 8]).row("GET: CPU")
        self.assertEqual(row.ratio(), Spread(median=0.5, least=0.25, most=1.0))

    def test_a_ratio_needs_something_to_divide_by(self):
        self.assertIsNone(section_of(ours=[1], theirs=[]).row("GET: CPU").ratio())
        self.assertIsNone(section_of(ours=[1], theirs=[0]).row("GET: CPU").ratio())

    def test_goals_of_ratios(self):
        self.assertTrue(section_of([1], [2], Goal(0.5)).row("GET: CPU").goal_met())
        self.assertFalse(section_of([1.1], [2], Goal(0.5)).row("GET: CPU").goal_met())
        at_least = Goal(2, at_least=True)
        self.assertTrue(section_of([4], [2], at_least).row("GET: CPU").goal_met())
        self.assertFalse(section_of([3], [2], at_least).row("GET: CPU").goal_met())

    def test_goals_of_values_need_no_peer(self):
        self.assertTrue(section_of([24], [], Goal(24, of_ratio=False)).row("GET: CPU").goal_met())
        self.assertFalse(section_of([25], [], Goal(24, of_ratio=False)).row("GET: CPU").goal_met())

    def test_the_best_round_is_enough_where_the_machine_only_adds(self):
        once = Goal(24, of_ratio=False, of_best=True)
        self.assertTrue(section_of([30, 24, 90], [], once).row("GET: CPU").goal_met())
        self.assertFalse(section_of([30, 25, 90], [], once).row("GET: CPU").goal_met())
        self.assertEqual(str(once), "≤ 24 once")

    def test_without_a_goal_or_figures_there_is_no_verdict(self):
        self.assertIsNone(section_of([1], [2]).row("GET: CPU").goal_met())
        self.assertIsNone(section_of([], [2], Goal(1)).row("GET: CPU").goal_met())


class ReportTest(unittest.TestCase):
    def test_a_table_shows_medians_spreads_ratio_and_verdict(self):
        text = report.section_markdown(section_of([1, 2, 3], [4, 4, 4], Goal(0.4)))
        self.assertIn("## Title", text)
        self.assertIn("4.00 (4.00–4.00)", text)
        self.assertIn("2.00 (1.00–3.00)", text)
        self.assertIn("0.50 (0.25–0.75)", text)
        self.assertIn("≤ 0.4 × **missed**", text)

    def test_a_single_round_has_no_spread(self):
        self.assertNotIn("(", report.section_markdown(section_of([1], [4])))

    def test_what_was_not_measured_is_a_dash(self):
        self.assertIn("–", report.section_markdown(section_of([1], [])))

    def test_columns_stand_in_one_order_whoever_was_measured_first(self):
        section = section_of(ours=[1], theirs=[])
        section.declare("GET: max", "ms")
        for column in ("Larder 1", "Valkey 3", "Redis 2"):
            section.record("GET: max", column, 1)
        self.assertEqual(section.columns, ["Redis 2", "Valkey 3", "Larder 1"])

    def test_rows_are_of_equal_width(self):
        lines = report.aligned([["", "a"], ["long name", "1"], ["µ", "100,000"]]).splitlines()
        self.assertEqual(len({len(line) for line in lines}), 1)


class PlotsTest(unittest.TestCase):
    def test_a_chart_is_well_formed_and_has_a_bar_for_each_value(self):
        chart = plots.chart_of("A < B & C", section_of([1, 2], [3, 4]).rows, ": CPU")
        root = xml.etree.ElementTree.fromstring(chart)
        namespace = {"svg": "http://www.w3.org/2000/svg"}
        # Background, two in the legend, two bars.
        self.assertEqual(len(root.findall("svg:rect", namespace)), 5)
        self.assertIn("A &lt; B &amp; C", chart)

    def test_grid_lines_stand_at_round_numbers(self):
        for largest, step in ((0.43, 0.1), (1.9, 0.5), (11, 5), (930, 200), (133, 50)):
            self.assertAlmostEqual(plots.grid_step(largest), step)

    def test_nothing_but_zeros_can_be_drawn(self):
        xml.etree.ElementTree.fromstring(plots.chart_of("None", section_of([0], [0]).rows))


class LoadTest(unittest.TestCase):
    def test_requests_are_encoded_with_lengths_in_bytes(self):
        self.assertEqual(load.encode("SET", b"k", "ä"),
                         b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\xc3\xa4\r\n")
        self.assertEqual(load.encode("GET", 12), b"*2\r\n$3\r\nGET\r\n$2\r\n12\r\n")

    def test_keys_are_named_as_redis_benchmark_names_them(self):
        self.assertEqual(load.key_name(42), b"key:000000000042")

    def test_the_row_of_redis_benchmark_is_found_among_warnings(self):
        run = load.parse_redis_benchmark(
            "WARNING: Could not fetch server CONFIG\n"
            '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms",'
            '"p99_latency_ms","max_latency_ms"\n'
            '"GET","1000.50","0.5","0.1","0.4","0.8","0.9","1.5"\n')
        self.assertEqual(run, load.Run(1000.5, 0.4, 0.9, 1.5))

    def test_no_row_is_an_error(self):
        with self.assertRaises(ValueError):
            load.parse_redis_benchmark("Could not connect to server")

    def answer(self, reply):
        """A server that answers all it is sent with `reply` and hangs up; returns its port."""
        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            connection, _ = listener.accept()
            connection.recv(1 << 16)
            connection.sendall(reply)
            connection.close()
            listener.close()

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)
        return listener.getsockname()[1]

    def test_filling_notices_a_refusal(self):
        with self.assertRaisesRegex(RuntimeError, "ERR full"):
            load.send_all(self.answer(b"+OK\r\n-ERR full\r\n"), [b"a", b"b", b"c"], b"+OK\r\n")

    def test_filling_notices_the_end_of_the_connection(self):
        with self.assertRaises(ConnectionError):
            load.send_all(self.answer(b"+OK\r\n"), [b"a", b"b"], b"+OK\r\n")


class ServersTest(unittest.TestCase):
    def test_cpu_time_is_found_behind_any_name(self):
        stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 31 0 0 20 0 5 0 9 9 9"
        self.assertEqual(servers.parse_cpu_ticks(stat), (250, 31))

    def test_products_say_who_they_are(self):
        self.assertEqual(servers.parse_version("Redis server v=7.0.15 sha=0:0 malloc=x bits=64"),
                         ("Redis", "7.0.15"))
        with self.assertRaises(ValueError):
            servers.parse_version("memcached 1.6.18")

    @unittest.skipUnless(shutil.which("redis-server"), "needs redis-server")
    def test_a_server_is_ended_with_its_block_also_by_an_error(self):
        program = servers.Program("redis-server")
        with self.assertRaises(KeyboardInterrupt), servers.Server(program) as server:
            pid = server.pid
            self.assertGreater(server.rss_bytes(), 0)
            raise KeyboardInterrupt
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)

    @unittest.skipUnless(shutil.which("redis-server"), "needs redis-server")
    def test_a_server_that_does_not_start_is_reported_with_its_log(self):
        with self.assertRaisesRegex(RuntimeError, "no-such-directive"):
            servers.Server(servers.Program("redis-server"), options=["--no-such-directive", "1"])


class CompareTest(unittest.TestCase):
    def test_the_report_is_written_by_full_runs_only(self):
        self.assertEqual(compare.parse_arguments([]).output.name, "results")
        self.assertIsNone(compare.parse_arguments(["--quick"]).output)
        self.assertIsNone(compare.parse_arguments(["--only", "memory"]).output)

    def test_growth_runs_when_asked_for(self):
        self.assertNotIn("growth", compare.chosen_scenarios(compare.parse_arguments([])))
        self.assertIn("growth", compare.chosen_scenarios(compare.parse_arguments(["--growth"])))
        only = compare.parse_arguments(["--only", "memory", "--only", "pipeline"])
        self.assertEqual(compare.chosen_scenarios(only), ["pipeline", "memory"])

    def test_every_plot_is_of_a_scenario(self):
        self.assertLessEqual(set(compare.PLOTS), set(compare.SCENARIOS))

    def test_plots_are_written_where_there_is_something_to_draw(self):
        with tempfile.TemporaryDirectory() as folder:
            section = section_of([1], [2])
            self.assertEqual(compare.write_plots(pathlib.Path(folder), "memory", section), [])
            section.declare("16+8 B: RSS", "bytes", 1)
            section.record("16+8 B: RSS", "Larder 1", 20)
            self.assertEqual(compare.write_plots(pathlib.Path(folder), "memory", section),
                             ["memory.svg"])
            self.assertTrue(pathlib.Path(folder, "memory.svg").exists())


if __name__ == "__main__":
    unittest.main()
