"""Sorted sets."""

from generator import Group, command
from generators.lists import timeout
from generators.sets import random_members, scan_options


def score_bound(g):
    roll = g.random()
    if roll < 0.25:
        return g.pick(("-inf", "+inf", "(-inf", "(+inf", "inf"))
    return (b"(" if roll < 0.4 else b"") + g.float()


def lex_bound(g):
    roll = g.random()
    if roll < 0.4:
        return g.pick(("-", "+"))
    if roll < 0.4 + g.odd_share:
        return g.pick((b"a", b"", b"(", b"[", b"--", b"+a", b"{a", b"inf"))
    return g.pick((b"[", b"(")) + g.element()


def limit(g):
    return ["LIMIT", g.integer(-1, 5), g.integer(-1, 8)]


@command("zadd", weight=4)
def zadd(g):
    args = [g.key("zset"), *g.options("NX", "XX", "GT", "LT", "CH", share=0.12)]
    if g.chance(0.05):
        return [*args, "INCR", g.float(), g.element()]
    same = g.float() if g.chance(0.2) else None  # Equal scores order by member.
    for _ in range(1 + g.below(4) if g.chance(0.97) else 150):
        args += [same or g.float(), g.element()]
    return args


@command("zincrby", weight=1.5)
def zincrby(g):
    return [g.key("zset"), g.float(), g.element()]


@command("zcard")
def zcard(g):
    return [g.key("zset")]


@command("zscore")
def zscore(g):
    return [g.key("zset"), g.element()]


@command("zrank", "zrevrank", mutate=False)
def zrank(g):
    """One argument more is an error before Redis 7.2 and an option since."""
    return [g.key("zset"), g.element()] if g.chance(0.97) else [g.key("zset")]


@command("zmscore")
def zmscore(g):
    return [g.key("zset"), *g.some(g.element, 5)]


@command("zrem", weight=1.5)
def zrem(g):
    return [g.key("zset"), *g.some(g.element, 4)]


@command("zcount", "zremrangebyscore")
def by_score(g):
    if g.chance(0.7):
        return [g.key("zset"), *_ordered(g)]
    return [g.key("zset"), score_bound(g), score_bound(g)]


def _ordered(g):
    first = g.between(-5, 20)
    return [g.pick((b"", b"(")) + b"%d" % first, g.pick((b"", b"(")) + b"%d" % (first + g.below(8))]


def lex_key(g):
    """By name is only told of members with one score. With several, what a search finds depends on
    levels of a skip list that were drawn by chance; so these keys are touched by nothing else."""
    return b"lex%d" % g.below(2) if g.chance(0.97) else g.pick((b"fixed", b"nothing"))


@command("zlexcount", "zremrangebylex")
def by_lex(g):
    if g.chance(0.4):
        return Group([[b"zadd", lex_key(g), *(arg for _ in range(1 + g.below(8))
                                              for arg in (0, g.element()))],
                      [b"zlexcount", lex_key(g), lex_bound(g), lex_bound(g)]])
    return [lex_key(g), lex_bound(g), lex_bound(g)]


@command("zremrangebyrank")
def by_rank(g):
    first = g.index()
    return [g.key("zset"), first, first if g.chance(0.4) else g.index()]


@command("zrange", weight=2)
def zrange(g):
    if g.chance(0.3):
        return [lex_key(g), *_lex_arguments(g), *g.options("WITHSCORES", share=0.05)]
    return [g.key("zset"), *_range_arguments(g), *g.options("WITHSCORES")]


@command("zrangestore", weight=1.5)
def zrangestore(g):
    if g.chance(0.3):
        return [g.key("zset"), lex_key(g), *_lex_arguments(g)]
    return [g.key("zset"), g.key("zset"), *_range_arguments(g),
            *g.options("WITHSCORES", share=0.02)]


def _range_arguments(g):
    if g.chance(0.5):
        return [g.index(), g.index(), *g.options("REV", share=0.3),
                *g.options(lambda: limit(g), share=0.05)]
    return [score_bound(g), score_bound(g), *g.options("BYSCORE", share=0.97),
            *g.options("REV", lambda: limit(g))]


def _lex_arguments(g):
    return [lex_bound(g), lex_bound(g), "BYLEX", *g.options("REV", lambda: limit(g)),
            *g.options("BYSCORE", share=0.02)]


@command("zrevrange")
def zrevrange(g):
    return [g.key("zset"), g.index(), g.index(), *g.options("WITHSCORES")]


@command("zrangebyscore", "zrevrangebyscore")
def zrangebyscore(g):
    return [g.key("zset"), score_bound(g), score_bound(g),
            *g.options("WITHSCORES", lambda: limit(g))]


@command("zrangebylex", "zrevrangebylex")
def zrangebylex(g):
    return [lex_key(g), lex_bound(g), lex_bound(g), *g.options(lambda: limit(g))]


@command("zpopmin", "zpopmax", weight=1.5)
def zpop(g):
    return [g.key("zset"), *g.options(lambda: g.integer(0, 4))]


def counted_keys(g, *kinds):
    keys = [g.key(*kinds) for _ in range(1 + int(g.random() * g.random() * 4))]
    return keys, [len(keys) if g.chance(0.95) else g.integer(-1, 5), *keys]


def _weights(g, keys):
    count = len(keys) if g.chance(0.95) else g.below(4)
    return ["WEIGHTS", *(g.float() for _ in range(count))]


def _aggregate(g):
    return ["AGGREGATE", g.pick(("SUM", "MIN", "MAX", "sum")) if g.chance(0.97) else "AVG"]


@command("zunionstore", "zinterstore", weight=1.5)
def combine_and_store(g):
    keys, args = counted_keys(g, "zset", "zset", "zset", "set", "geo")
    return [g.key("zset"), *args, *g.options(lambda: _weights(g, keys), lambda: _aggregate(g)),
            *g.options("WITHSCORES", share=0.02)]


@command("zunion", "zinter", weight=1.5)
def combine(g):
    keys, args = counted_keys(g, "zset", "zset", "zset", "set", "geo")
    return [*args, *g.options(lambda: _weights(g, keys), lambda: _aggregate(g), "WITHSCORES")]


@command("zdiff")
def zdiff(g):
    return [*counted_keys(g, "zset", "zset", "set")[1], *g.options("WITHSCORES")]


@command("zdiffstore")
def zdiffstore(g):
    return [g.key("zset"), *counted_keys(g, "zset", "zset", "set")[1]]


@command("zintercard")
def zintercard(g):
    return [*counted_keys(g, "zset", "zset", "set")[1],
            *g.options(lambda: ["LIMIT", g.integer(-1, 6)])]


@command("zrandmember")
def zrandmember(g):
    return random_members(g, "zset", "WITHSCORES")


@command("zscan")
def zscan(g):
    return [g.key("zset"), *scan_options(g)]


@command("zmpop")
def zmpop(g):
    return [*counted_keys(g, "zset")[1], _end(g), *g.options(lambda: ["COUNT", g.integer(1, 5)])]


def _end(g):
    return g.pick(("MIN", "MAX", "min")) if g.chance(0.97) else "MIDDLE"


# ------------------------------------------------------------ Blocking


@command("bzpopmin", "bzpopmax", weight=0.5)
def blocking_pop(g):
    return [*g.keys("zset", 3), timeout(g)]


@command("bzmpop", weight=0.5)
def bzmpop(g):
    if g.chance(0.3):
        key = g.own_key("zset")
        return Group([["zadd", key, g.below(9), "member"], ["bzmpop", 0, 1, key, g.pick(
            ("MIN", "MAX"))]])
    return [timeout(g), *counted_keys(g, "zset")[1], _end(g),
            *g.options(lambda: ["COUNT", g.integer(1, 5)])]
