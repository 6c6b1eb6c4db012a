"""Lists."""

from generator import Group, command

SIDES = ("LEFT", "RIGHT", "left", "Right")


def timeout(g):
    """Short, or refused: what waits for long is tried with a second client elsewhere. (Redis takes
    what is negative by less than a millisecond for 0, which is for ever.)"""
    if g.chance(0.9):
        return g.pick((b"0.001", b"0.002", b"0.003", b".002", b"1e-3"))
    return g.pick((b"-1", b"abc", b"", b"nan", b"inf", b"-0.5", b"1e400", b"99999999999999999999",
                   b"9223372036854775807", b" 1", b"1x"))


def side(g):
    return g.pick(SIDES) if g.chance(0.97) else g.pick(("MIDDLE", "", "LEFTY"))


@command("lpush", "rpush", weight=3)
def push(g):
    most = 5 if g.chance(0.97) else 200
    return [g.key("list"), *g.some(g.element, most)]


@command("lpushx", "rpushx")
def push_if_there(g):
    return [g.key("list"), *g.some(g.element, 4)]


@command("lpop", "rpop", weight=1.5)
def pop(g):
    return [g.key("list"), *g.options(g.count)]


@command("llen")
def llen(g):
    return [g.key("list")]


@command("lindex")
def lindex(g):
    return [g.key("list"), g.index()]


@command("lset")
def lset(g):
    return [g.key("list"), g.index(), g.element()]


@command("linsert")
def linsert(g):
    where = g.pick(("BEFORE", "AFTER", "before")) if g.chance(0.97) else "BESIDE"
    return [g.key("list"), where, g.element(), g.element()]


@command("lrange", weight=1.5)
def lrange(g):
    if g.chance(0.3):
        return [g.key("list"), 0, -1]
    return [g.key("list"), g.index(), g.index()]


@command("ltrim")
def ltrim(g):
    return [g.key("list"), g.integer(-3, 3), g.integer(-10, -1) if g.chance(0.7) else g.index()]


@command("lrem")
def lrem(g):
    return [g.key("list"), g.integer(-3, 3), g.element()]


@command("lpos")
def lpos(g):
    return [g.key("list"), g.element(),
            *g.options(lambda: ["RANK", g.integer(-3, 3)], lambda: ["COUNT", g.count()],
                       lambda: ["MAXLEN", g.count()])]


@command("rpoplpush")
def rpoplpush(g):
    return [g.key("list"), g.key("list")]


@command("lmove")
def lmove(g):
    return [g.key("list"), g.key("list"), side(g), side(g)]


def counted_keys(g, kind):
    keys = g.keys(kind)
    return [len(keys) if g.chance(0.95) else g.integer(-1, 5), *keys]


@command("lmpop")
def lmpop(g):
    return [*counted_keys(g, "list"), side(g), *g.options(lambda: ["COUNT", g.integer(1, 5)])]


# ------------------------------------------------------------ Blocking


@command("blpop", "brpop", weight=0.5)
def blocking_pop(g):
    return [*g.keys("list", 3), timeout(g)]


@command("brpoplpush", weight=0.5)
def brpoplpush(g):
    return [g.key("list"), g.key("list"), timeout(g)]


@command("blmove", weight=0.5)
def blmove(g):
    if g.chance(0.3):  # With something there even a wait without an end does not wait.
        key = g.own_key("list")
        return Group([["rpush", key, g.element()],
                      ["blmove", key, g.own_key("list"), side(g), side(g), 0]])
    return [g.key("list"), g.key("list"), side(g), side(g), timeout(g)]


@command("blmpop", weight=0.5)
def blmpop(g):
    return [timeout(g), *counted_keys(g, "list"), side(g),
            *g.options(lambda: ["COUNT", g.integer(1, 5)])]
