"""Hashes."""

from generator import command
from generators.sets import random_members, scan_options


def pairs(g, most=4):
    args = []
    for _ in range(1 + int(g.random() * g.random() * most)):
        args += [g.element(), g.value() if g.chance(0.5) else g.integer(-5, 50)]
    return args


@command("hset", weight=3)
def hset(g):
    return [g.key("hash"), *pairs(g, 4 if g.chance(0.97) else 200)]


@command("hmset")
def hmset(g):
    return [g.key("hash"), *pairs(g)]


@command("hsetnx")
def hsetnx(g):
    return [g.key("hash"), g.element(), g.value()]


@command("hget", "hexists", "hstrlen", weight=1.5)
def one_field(g):
    return [g.key("hash"), g.element()]


@command("hmget")
def hmget(g):
    return [g.key("hash"), *g.some(g.element, 6)]


@command("hdel", weight=1.5)
def hdel(g):
    return [g.key("hash"), *g.some(g.element, 4)]


@command("hlen", "hkeys", "hvals", "hgetall")
def whole(g):
    return [g.key("hash")]


@command("hincrby", weight=1.5)
def hincrby(g):
    return [g.key("hash"), g.element(), g.integer(-50, 50)]


@command("hincrbyfloat", weight=1.5)
def hincrbyfloat(g):
    return [g.key("hash"), g.element(), g.float()]


@command("hrandfield")
def hrandfield(g):
    return random_members(g, "hash", "WITHVALUES")


@command("hscan")
def hscan(g):
    return [g.key("hash"), *scan_options(g)]
