"""Sets."""

from generator import Group, command


@command("sadd", weight=3)
def sadd(g):
    if g.chance(0.02):  # Past what an intset may hold.
        first = g.below(1000)
        return [g.key("set"), *range(first, first + g.pick((100, 500, 520)))]
    return [g.key("set"), *g.some(g.element, 6)]


@command("srem", weight=1.5)
def srem(g):
    return [g.key("set"), *g.some(g.element, 4)]


@command("scard", "smembers")
def whole(g):
    return [g.key("set")]


@command("sismember")
def sismember(g):
    return [g.key("set"), g.element()]


@command("smismember")
def smismember(g):
    return [g.key("set"), *g.some(g.element, 5)]


@command("smove")
def smove(g):
    return [g.key("set"), g.key("set"), g.element()]


@command("spop")
def spop(g):
    """What goes is chosen by chance, so the rest must go, too."""
    if g.chance(0.2):
        return Group([["spop", g.any_key(), g.pick((100000, b"9223372036854775807"))]])
    key = g.own_key("set") if g.chance(0.8) else g.any_key()
    counts = g.options(lambda: g.between(0, 8) if g.chance(0.6) else g.pick(
        (-1, b"abc", b"", b"9223372036854775808", b"1.5")), share=0.6)
    return Group([["spop", key, *counts, *g.options(2, share=0.03)], ["scard", key], ["del", key]])


def how_many(g):
    """Below zero: as many, and the same member may come again."""
    return g.pick((1, 2, 5, 1000, -1, -3, -20)) if g.chance(0.85) else g.count()


def random_members(g, kind, option):
    if g.chance(0.3):
        return [g.key(kind)]
    count = how_many(g)
    return [g.key(kind), count, *g.options(option)]


@command("srandmember")
def srandmember(g):
    count = how_many(g)
    return [g.key("set"), *g.options(count, share=0.8)]


@command("sinter", "sunion", "sdiff", weight=1.5)
def combine(g):
    return g.keys("set")


@command("sinterstore", "sunionstore", "sdiffstore", weight=1.5)
def combine_and_store(g):
    return [g.key("set"), *g.keys("set")]


@command("sintercard")
def sintercard(g):
    keys = g.keys("set")
    return [len(keys) if g.chance(0.95) else g.integer(-1, 5), *keys,
            *g.options(lambda: ["LIMIT", g.integer(-1, 6)])]


@command("sscan")
def sscan(g):
    return [g.key("set"), *scan_options(g)]


def cursor(g):
    if g.chance(0.9):
        return 0
    return g.pick((b"1", b"5", b"abc", b"", b"-1", b"18446744073709551615", b"1.5",
                   b"18446744073709551616", b"00", b" 0"))


def scan_options(g, *more):
    return [cursor(g), *g.options(
        lambda: ["MATCH", g.pick(("*", "a*", "[a-e]", "?", "*1*", "nosuch", "", "\\a", "1*"))],
        lambda: ["COUNT", g.pick((1, 5, 10, 1000, 100000)) if g.chance(0.9) else g.integer()],
        *more)]
