#!/usr/bin/env python3
"""The README check finds what is wrong, and lets pass what is right. Redis stands in for the server."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check_readme.py"
SESSION = """$ redis-cli
127.0.0.1:6379> SET k "a b"
OK
127.0.0.1:6379> MULTI
OK
127.0.0.1:6379(TX)> GET k
QUEUED
127.0.0.1:6379(TX)> EXEC
1) "a b"
127.0.0.1:6379> CONFIG GET port
1) "port"
2) "6379"
"""


def block(kind, text):
    return f"Some words.\n\n```{kind}\n{text}```\n\nMore words.\n"


class CheckReadmeTest(unittest.TestCase):
    def check(self, text, server="/usr/bin/redis-server", options=()):
        with tempfile.NamedTemporaryFile("w", suffix=".md") as readme:
            readme.write(text)
            readme.flush()
            done = subprocess.run([sys.executable, str(SCRIPT), *options, readme.name],
                                  capture_output=True, text=True, check=False,
                                  env={**os.environ, "LARDER_SERVER": server})
            return done.returncode, done.stdout.splitlines()[-1], done.stdout

    def assert_accepted(self, text, count, **options):
        code, last, output = self.check(text, **options)
        self.assertEqual((code, last), (0, f"{count} passed, 0 failed"), output)

    def assert_refused(self, text, reason, **options):
        code, last, output = self.check(text, **options)
        self.assertEqual(code, 1, output)
        self.assertRegex(last, r"^\d+ passed, 1 failed$")
        self.assertIn(reason, output)

    def test_what_is_right_passes(self):
        self.assert_accepted(block("console", SESSION + "$ redis-cli strlen k\n3\n"), 2)
        self.assert_accepted(block("sh", "# Words.\nmake help\nredis-cli ping  # PONG\n"), 2)
        self.assert_accepted(block("python", "print(6 * 7)  # 42\n"), 1)

    def test_an_answer_that_is_not_the_one_shown(self):
        self.assert_refused(block("console", SESSION.replace('"6379"', '"6380"')), '-2) "6380"')
        self.assert_refused(block("console", SESSION.replace("QUEUED", "OK")), "+QUEUED")
        self.assert_refused(block("console", "$ redis-cli ping\nPANG\n"), "+PONG")

    def test_a_prompt_that_is_not_the_one_shown(self):
        self.assert_refused(block("console", SESSION.replace("(TX)", "")), "(TX)")

    def test_a_token_stands_for_the_one_that_is_given_out(self):
        session = """$ redis-cli
127.0.0.1:6379> EVAL "redis.call('SET', 'k', '00000000000000f'..'f-2') return redis.call('GET', 'k')" 0
"00000000000000aa-1"
127.0.0.1:6379> EVAL "return redis.call('GET', 'k') == ARGV[1] and 1 or 0" 0 {0}
(integer) 1
"""
        self.assert_accepted(block("console", session.format("00000000000000aa-1")), 1)
        self.assert_refused(block("console", session.format("00000000000000aa-2")), "+(integer) 0")

    def test_times_may_be_a_second_off(self):
        session = """$ redis-cli
127.0.0.1:6379> SET k v PX 60000
OK
127.0.0.1:6379> PTTL k
(integer) {0}
127.0.0.1:6379> STRLEN k
(integer) {1}
"""
        self.assert_accepted(block("console", session.format(59500, 1)), 1)
        self.assert_refused(block("console", session.format(58000, 1)), "-(integer) 58000")
        self.assert_refused(block("console", session.format(59500, 2)), "-(integer) 2")

    def test_a_kind_that_is_left_out(self):
        self.assert_accepted(block("sh", "true\n") + block("js", "throw Error()\n"), 1,
                             options=("--without", "js"))

    def test_commands_that_fail(self):
        self.assert_refused(block("sh", "no-such-command\n"), "not found")
        self.assert_refused(block("sh", "make no-such-target\n"), "no-such-target")

    def test_programs_that_fail_or_print_something_else(self):
        self.assert_refused(block("python", "print(6 * 7)  # 41\n"), "+42")
        self.assert_refused(block("python", "raise ValueError\n"), "ValueError")

    def test_a_server_that_does_not_start(self):
        self.assert_refused(block("sh", "true\n"), "does not answer", server="/bin/false")
        self.assert_refused(block("sh", "larder-server --no-such-option x\n"), "does not answer")

    def test_nothing_to_try(self):
        self.assert_refused("Only words.\n", "nothing to try")


if __name__ == "__main__":
    unittest.main()
