"""What the Python suites need: where the server is, and tests that run one after the other, each in its
own time."""

import os
import signal
import sys
import threading
import time
import traceback

import redis

HOST = "127.0.0.1"
PORT = int(os.environ["SERVER_PORT"])
UNIX_SOCKET = os.environ["SERVER_SOCKET"]
AUTH_PORT = int(os.environ["AUTH_PORT"])
PASSWORD = os.environ["AUTH_PASSWORD"]
IS_LARDER = os.environ["TARGET"] == "larder"
TEST_SECONDS = 30

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def connect(**options):
    return redis.Redis(HOST, PORT, socket_timeout=10, **options)


def eq(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r:.300} is not {expected!r:.300}")


def raises(kind, text, function, *args, **options):
    """The call fails as `kind` exactly, with exactly this text."""
    try:
        result = function(*args, **options)
    except redis.RedisError as error:
        eq((type(error).__name__, str(error)), (kind.__name__, text))
        return
    raise AssertionError(f"{result!r:.300} instead of {kind.__name__}")


def until(condition, seconds=10):
    """What another connection or the clock does is seen soon, not at once."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError("does not happen")
        time.sleep(0.01)
    return result


class Threads:
    """Runs `function(argument)` on a thread for each argument; `join` says what went wrong there."""

    def __init__(self, function, arguments):
        self.failures = []
        self.threads = [threading.Thread(target=self._run, args=(function, argument))
                        for argument in arguments]
        for thread in self.threads:
            thread.start()

    def _run(self, function, argument):
        try:
            function(argument)
        except Exception as error:  # pylint: disable=broad-except
            self.failures.append(error)

    def join(self):
        for thread in self.threads:
            thread.join()
        eq(self.failures, [])


def too_long(*_):
    raise TimeoutError(f"not done within {TEST_SECONDS} s")


def main():
    """Runs every test with an empty server; returns the exit code."""
    signal.signal(signal.SIGALRM, too_long)
    passed = failed = 0
    client = connect()
    for function in TESTS:
        signal.alarm(TEST_SECONDS)
        try:
            client.flushall()
            function(client)
            passed += 1
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"FAILED {function.__name__}")
            traceback.print_exc(limit=-3, file=sys.stdout)
        finally:
            signal.alarm(0)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
