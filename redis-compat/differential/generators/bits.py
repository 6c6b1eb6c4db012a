"""Bitmaps, bit fields and HyperLogLogs."""

from generator import Group, command


def offset(g):
    if g.chance(g.odd_share):
        return g.pick((b"-1", b"8388607", b"8388608", b"8388609", b"4294967295", b"4294967296",
                       b"9223372036854775807", b"abc", b"", b"1.5"))
    return b"%d" % (g.below(200) if g.chance(0.95) else g.below(5000))


def small_offset(g):
    """One that grows a string by little: a megabyte is tried, and deleted, elsewhere."""
    value = offset(g)
    return b"100" if value == b"8388607" else value


@command("setbit", weight=1.5)
def setbit(g):
    if g.chance(0.01):
        return Group([["setbit", "big", 8388607, 1], ["strlen", "big"], ["bitcount", "big"],
                      ["bitpos", "big", 1], ["del", "big"]])
    return [g.key("bits"), small_offset(g), g.pick((0, 1)) if g.chance(0.97) else g.integer(-1, 3)]


@command("getbit")
def getbit(g):
    return [g.key("bits", "string", "number"), offset(g)]


def bit_range(g):
    if g.chance(0.3):
        return []
    return [g.integer(-20, 40), g.integer(-20, 40), *g.options(lambda: g.pick(("BYTE", "BIT")))]


@command("bitcount")
def bitcount(g):
    return [g.key("bits", "string"), *bit_range(g)]


@command("bitpos")
def bitpos(g):
    args = [g.key("bits", "string"), g.pick((0, 1)) if g.chance(0.97) else g.integer(-1, 3)]
    return [*args, g.integer(-20, 20)] if g.chance(0.3) else [*args, *bit_range(g)]


@command("bitop")
def bitop(g):
    operation = g.pick(("AND", "OR", "XOR", "NOT", "and", "not")) if g.chance(0.97) else "NAND"
    most = 1 if operation.lower() == "not" and g.chance(0.9) else 4
    return [operation, g.key("bits"), *(g.key("bits", "string") for _ in range(1 + g.below(most)))]


def field_type(g):
    if g.chance(g.odd_share):
        return g.pick(("u64", "i65", "u0", "i0", "x8", "", "u", "8", "u-1", "I8"))
    return g.pick(("u1", "u4", "u8", "i8", "i5", "u16", "i16", "u32", "i32", "i64", "u63"))


def field_offset(g):
    return b"#%d" % g.below(30) if g.chance(0.3) else small_offset(g)


def field_value(g):
    if g.chance(0.3):
        return g.pick((b"127", b"128", b"-128", b"-129", b"255", b"256", b"65535", b"4294967295",
                       b"9223372036854775807", b"-9223372036854775808"))
    return g.integer(-100, 300)


@command("bitfield", weight=1.5)
def bitfield(g):
    args = []
    for _ in range(g.below(4)):
        roll = g.random()
        if roll < 0.25:
            overflow = g.pick(("WRAP", "SAT", "FAIL", "sat")) if g.chance(0.95) else "NONE"
            args += ["OVERFLOW", overflow]
        if roll < 0.35:
            args += ["GET", field_type(g), field_offset(g)]
        else:
            args += [g.pick(("SET", "INCRBY")), field_type(g), field_offset(g), field_value(g)]
    return [g.key("bits"), *args]


@command("bitfield_ro")
def bitfield_ro(g):
    args = []
    for _ in range(g.below(4)):
        args += ["GET", field_type(g), field_offset(g)]
    if g.chance(0.05):
        args += ["SET", "u8", 0, 1]
    return [g.key("bits"), *args]


@command("pfadd", weight=1.5)
def pfadd(g):
    most = 6 if g.chance(0.97) else 300
    return [g.key("hll"), *g.some(lambda: b"%d" % g.below(1000) if g.chance(0.5) else g.element(),
                                  most, 0)]


@command("pfcount")
def pfcount(g):
    return [g.key("hll", "hll", "hll", "string") for _ in range(1 + g.below(3))]


@command("pfmerge")
def pfmerge(g):
    return [g.key("hll") for _ in range(1 + g.below(4))]


@command("pfdebug", weight=0.5)
def pfdebug(g):
    subcommand = g.pick(("GETREG", "DECODE", "ENCODING", "TODENSE", "encoding", "nosuch"))
    if subcommand == "GETREG" and g.chance(0.8):
        subcommand = "ENCODING"  # 16384 registers are much to read.
    return [subcommand, g.key("hll")]


@command("pfselftest", weight=0.002)
def pfselftest(g):
    """It takes Redis a second, so mostly it is refused."""
    return [] if g.chance(0.002) else ["x"]
