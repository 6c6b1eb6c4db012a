#!/usr/bin/python3
"""What the differential comparison takes for the same."""

import pathlib
import sys
import unittest

DIFFERENTIAL = pathlib.Path(__file__).resolve().parents[2] / "redis-compat" / "differential"
sys.path.insert(0, str(DIFFERENTIAL))

import compare  # noqa: E402


class ConfigSetErrorTest(unittest.TestCase):
    REQUEST = [b"CONFIG", b"SET", b"maxmemory-policy", b"nosuch"]
    REDIS = (b"-ERR CONFIG SET failed (possibly related to argument 'maxmemory-policy') - "
             b"argument(s) must be one of the following: allkeys-lru, noeviction\r\n")

    def same(self, ours, request=None):
        return compare.Comparer({}).same(request or self.REQUEST, ours, self.REDIS)

    def test_more_values_than_redis_has_are_the_same(self):
        self.assertTrue(self.same(self.REDIS))
        self.assertTrue(self.same(self.REDIS.replace(b"allkeys-lru", b"allkeys-fifo, allkeys-lru")))
        self.assertTrue(self.same(self.REDIS.replace(b"noeviction", b"noeviction, allkeys-fifo")))

    def test_fewer_values_are_not(self):
        self.assertFalse(self.same(self.REDIS.replace(b"allkeys-lru, ", b"")))
        self.assertFalse(self.same(self.REDIS.replace(b"allkeys-lru", b"allkeys-lruly")))

    def test_all_else_counts_to_the_byte(self):
        self.assertFalse(self.same(self.REDIS.replace(b"failed", b"has failed")))
        self.assertFalse(self.same(self.REDIS.replace(b"'maxmemory-policy'", b"'timeout'")))
        self.assertFalse(self.same(b"+OK\r\n"))
        self.assertFalse(self.same(b"-ERR CONFIG SET failed\r\n"))

    def test_only_config_set_lists_values(self):
        longer = self.REDIS.replace(b"noeviction", b"noeviction, allkeys-fifo")
        self.assertFalse(self.same(longer, [b"CONFIG", b"RESETSTAT"]))

    def test_in_a_transaction_too(self):
        comparer = compare.Comparer({})
        queued = b"+QUEUED\r\n"
        longer = self.REDIS.replace(b"noeviction", b"noeviction, allkeys-fifo")
        self.assertTrue(comparer.same([b"MULTI"], b"+OK\r\n", b"+OK\r\n"))
        self.assertTrue(comparer.same(self.REQUEST, queued, queued))
        self.assertTrue(comparer.same([b"EXEC"], b"*1\r\n" + longer, b"*1\r\n" + self.REDIS))


if __name__ == "__main__":
    unittest.main()
