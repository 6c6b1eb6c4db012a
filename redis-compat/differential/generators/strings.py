"""Strings."""

from generator import Group, command


@command("get", "strlen", "getdel", weight=2)
def one_key(g):
    return [g.key("string", "number")]


@command("incr", "decr")
def count(g):
    return [g.key("number")]


@command("incrby", "decrby", weight=2)
def count_by(g):
    return [g.key("number"), g.integer(-100, 100)]


@command("incrbyfloat", weight=2)
def count_by_float(g):
    return [g.key("number"), g.float()]


@command("append", "getset", "setnx", weight=1.5)
def one_value(g):
    return [g.key("string", "number"), g.value()]


@command("getrange", "substr", weight=1.5)
def ranges(g):
    return [g.key("string", "bits"), g.integer(-40, 60), g.integer(-40, 60)]


@command("setrange", weight=1.5)
def set_range(g):
    offset = g.integer(0, 80)
    if g.chance(0.03):
        offset = g.pick((b"1048575", b"1048576", b"1048577", b"536870912", b"2147483648"))
        # One byte below the limit makes a megabyte; it must not stay.
        if offset == b"1048575":
            return Group([["setrange", "big", offset, "x"], ["setrange", "big", offset, "xy"],
                          ["append", "big", "y"], ["strlen", "big"], ["del", "big"]])
    return [g.key("string"), offset, g.value()]


@command("mget")
def mget(g):
    return [g.key("string", "number", "bits") for _ in range(g.between(1, 4))]


@command("mset", "msetnx")
def mset(g):
    args = []
    for _ in range(g.between(1, 3)):
        args += [g.key("string", "number"), g.value()]
    return args


@command("setex")
def setex(g):
    return [g.key("string"), g.seconds(), g.value()]


@command("psetex")
def psetex(g):
    return [g.key("string"), g.milliseconds(), g.value()]


def expiry(g, *more):
    """One of the options that say when."""
    return g.pick((lambda: ["EX", g.seconds()], lambda: ["PX", g.milliseconds()],
                   lambda: ["EXAT", g.unix_seconds()], lambda: ["PXAT", g.unix_milliseconds()],
                   *more))()


@command("set", weight=4)
def set_value(g):
    args = [g.key("string", "number", "bits"), g.value(),
            *g.options("NX", "XX", "GET", "KEEPTTL", lambda: expiry(g), share=0.2)]
    if "EXAT" in args or "PXAT" in args:
        # In the past is no error, and the key goes when somebody looks.
        return Group([["set", *args], ["exists", args[0]]])
    return args


@command("getex")
def getex(g):
    args = [g.key("string")]
    if g.chance(0.8):
        args += expiry(g, lambda: ["PERSIST"])
    if g.chance(0.06):
        args += expiry(g, lambda: ["PERSIST"], lambda: ["KEEPTTL"])
    return args


@command("lcs")
def lcs(g):
    return [g.key("string", "bits"), g.key("string", "bits"),
            *g.options("LEN", "IDX", lambda: ["MINMATCHLEN", g.count()], "WITHMATCHLEN")]
