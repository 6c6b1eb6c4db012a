"""Streams and their consumer groups."""

from generator import Group, command

GROUPS = ("group0", "group0", "group1")
CONSUMERS = ("alice", "bob", "carol")
BAD_IDS = (b"abc", b"", b"1-", b"-1", b"1-1-1", b"1-x", b"0-0", b"18446744073709551615-18446744073709551615",
           b"18446744073709551616-0", b"1.5", b"(", b"(abc", b"$", b"*", b"+", b"-", b">", b"5-*", b"0")


def stamp(g):
    """An ID that is likely to be there."""
    if g.chance(g.odd_share):
        return g.pick(BAD_IDS)
    return b"%d-%d" % (g.recent_stamp(), g.between(0, 2))


def bound(g):
    roll = g.random()
    if roll < 0.4:
        return g.pick(("-", "+"))
    if roll < 0.5:
        return b"%d" % g.recent_stamp()
    return (b"(" if roll < 0.65 else b"") + stamp(g)


def group(g):
    return g.pick(GROUPS) if g.chance(0.97) else g.pick(("nogroup", ""))


def consumer(g):
    return g.pick(CONSUMERS) if g.chance(0.97) else g.element()


def idle(g):
    """Long past, or never: how much time passes between two commands is nobody's to compare."""
    if g.chance(g.odd_share):
        return g.pick((b"-1", b"abc", b"", b"1.5", b"9223372036854775808"))
    return g.pick((b"0", b"0", b"0", b"1000000000"))


def trimming(g):
    strategy = g.pick((lambda: ["MAXLEN", *_how(g), g.integer(0, 12)],
                       lambda: ["MINID", *_how(g), stamp(g)]))()
    limit = g.options(lambda: ["LIMIT", g.integer(0, 10)], share=0.3 if "~" in strategy else 0.05)
    return [*strategy, *limit]


def _how(g):
    return g.options(g.pick(("=", "~")), share=0.6)


def fields(g):
    args = []
    for _ in range(1 + int(g.random() * g.random() * 4)):
        args += [g.element(), g.value()]
    return args


# What an entry holds is often named as it was before, which is stored more shortly.
def entry(g):
    return fields(g) if g.chance(0.5) else ["field", g.value()]


@command("xadd", weight=4)
def xadd(g):
    options = g.options("NOMKSTREAM", lambda: trimming(g), share=0.1)
    roll = g.random()
    if roll < 0.03:  # The time of day is an ID that must not stay.
        return Group([["xadd", "auto", *options, "*", *fields(g)], ["xlen", "auto"], ["del", "auto"]])
    if roll < 0.05:
        key = g.own_key("stream")
        return Group([["xadd", key, b"%d-%d" % (g.next_stamp(), place), *entry(g)]
                      for place in range(g.pick((30, 110)))])
    if roll < 0.1:
        name = stamp(g).replace(b"*", b"")
    elif roll < 0.2:
        name = b"%d-*" % (g.next_stamp() - g.below(2))
    else:
        name = b"%d-%d" % (g.next_stamp(), g.below(3))
        if roll < 0.3:
            name = b"%d" % g.next_stamp()
    return [g.key("stream"), *options, name, *entry(g)]


@command("xlen")
def xlen(g):
    return [g.key("stream")]


@command("xrange", "xrevrange", weight=1.5)
def xrange(g):
    return [g.key("stream"), bound(g), bound(g), *g.options(lambda: ["COUNT", g.integer(-1, 8)])]


@command("xdel", weight=1.5)
def xdel(g):
    return [g.key("stream"), *g.some(lambda: stamp(g), 3)]


@command("xtrim")
def xtrim(g):
    return [g.key("stream"), *trimming(g)]


@command("xsetid")
def xsetid(g):
    name = stamp(g) if g.chance(0.3) else b"%d-%d" % (g.next_stamp(), g.below(3))
    options = []
    if g.chance(0.5):
        options = ["ENTRIESADDED", g.integer(0, 30), "MAXDELETEDID", stamp(g)]
        if g.chance(0.2):
            options = options[:2] if g.chance(0.5) else options[2:]
    return [g.key("stream"), name, *options]


def _block(g):
    return ["BLOCK", g.pick((b"1", b"2", b"3")) if g.chance(0.9) else g.pick(
        (b"-1", b"abc", b"", b"1.5", b"9223372036854775808"))]


def _streams(g, name):
    count = 1 + int(g.random() * g.random() * 3)
    return ["STREAMS", *(g.key("stream") for _ in range(count)), *(name() for _ in range(count))]


def _read_stamp(g):
    """Without +, which reads the last entry since Redis 7.4."""
    value = stamp(g)
    return b"$" if value == b"+" else value


@command("xread", weight=1.5)
def xread(g):
    return [*g.options(lambda: ["COUNT", g.integer(-1, 5)]),
            *g.options(lambda: _block(g), share=0.15),
            *_streams(g, lambda: "$" if g.chance(0.2) else _read_stamp(g))]


@command("xreadgroup", weight=3)
def xreadgroup(g):
    return ["GROUP", group(g), consumer(g),
            *g.options(lambda: ["COUNT", g.integer(-1, 5)], share=0.5),
            *g.options("NOACK", lambda: _block(g), share=0.12),
            *_streams(g, lambda: ">" if g.chance(0.7) else g.pick((b"0", stamp(g))))]


@command("xack", weight=1.5)
def xack(g):
    return [g.key("stream"), group(g), *g.some(lambda: stamp(g), 4)]


@command("xpending", weight=1.5)
def xpending(g):
    args = [g.key("stream"), group(g)]
    if g.chance(0.7):
        args += g.options(lambda: ["IDLE", idle(g)])
        args += [bound(g), bound(g), g.integer(0, 8), *g.options(lambda: consumer(g))]
    return args


@command("xclaim", weight=1.5)
def xclaim(g):
    return [g.key("stream"), group(g), consumer(g), idle(g), *g.some(lambda: stamp(g), 4),
            *g.options(lambda: ["IDLE", g.integer(0, 3)], lambda: ["TIME", g.integer(0, 1000)],
                       lambda: ["RETRYCOUNT", g.integer(0, 5)], "FORCE", "JUSTID",
                       lambda: ["LASTID", stamp(g)], share=0.2)]


@command("xautoclaim")
def xautoclaim(g):
    return [g.key("stream"), group(g), consumer(g), idle(g),
            g.pick((b"-", b"0", b"0-0", b"(1-1", stamp(g))),
            *g.options(lambda: ["COUNT", g.integer(1, 5)], "JUSTID")]


def start(g):
    return g.pick((b"$", b"0", b"0-0", stamp(g), b"%d" % g.recent_stamp()))


@command("xgroup|create", weight=1.5)
def xgroup_create(g):
    return [g.key("stream"), group(g), start(g),
            *g.options("MKSTREAM", lambda: ["ENTRIESREAD", g.integer(-1, 10)], share=0.25)]


@command("xgroup|setid")
def xgroup_setid(g):
    return [g.key("stream"), group(g), start(g),
            *g.options(lambda: ["ENTRIESREAD", g.integer(-1, 10)])]


@command("xgroup|destroy", weight=0.3)
def xgroup_destroy(g):
    return [g.key("stream"), group(g)]


@command("xgroup|createconsumer", "xgroup|delconsumer")
def xgroup_consumer(g):
    return [g.key("stream"), group(g), consumer(g)]


@command("xinfo|stream", weight=1.5)
def xinfo_stream(g):
    if g.chance(0.5):
        return [g.key("stream")]
    return [g.key("stream"), "FULL", *g.options(lambda: ["COUNT", g.integer(-1, 10)])]


@command("xinfo|groups")
def xinfo_groups(g):
    return [g.key("stream")]


@command("xinfo|consumers")
def xinfo_consumers(g):
    return [g.key("stream"), group(g)]


@command("xgroup|help", "xinfo|help", weight=0.1)
def help_text(_):
    return []


@command("xgroup", "xinfo", weight=0.1)
def container(g):
    return g.pick(([], ["nosuch"], ["nosuch", "stream0"], [""]))
