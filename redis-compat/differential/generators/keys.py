"""Keys of any type."""

from generator import Group, command
from generators.sets import scan_options

PATTERNS = (b"*", b"s*", b"*0", b"*1", b"?ash*", b"[sz]et*", b"[^s]*", b"[a-m]*", b"list?", b"nosuch",
            b"", b"\\set0", b"[", b"[a", b"*[0-1]", b"**", b"none", b"{tag}*", b"k\x00*", b"[z-a]*", b"*\\")


@command("del", "unlink", weight=0.7)
def delete(g):
    return g.some(g.any_key, 3)


@command("exists", "touch")
def several(g):
    return g.some(g.any_key, 4)


@command("type", "dump", "persist", "expiretime", "pexpiretime", "ttl", "pttl", weight=1.2)
def one_key(g):
    return [g.any_key()]


def condition(g):
    return g.options("NX", "XX", "GT", "LT", share=0.12)


@command("expire")
def expire(g):
    return [g.any_key(), g.seconds(), *condition(g)]


@command("pexpire")
def pexpire(g):
    if g.chance(0.02):  # One that passes. What comes after it is sent when it has.
        key = g.any_key()
        return Group([["pexpire", key, 1], ["debug", "sleep", "0.005"], ["exists", key]])
    return [g.any_key(), g.milliseconds(), *condition(g)]


@command("expireat")
def expireat(g):
    return [g.any_key(), g.unix_seconds(), *condition(g)]


@command("pexpireat")
def pexpireat(g):
    return [g.any_key(), g.unix_milliseconds(), *condition(g)]


@command("rename", "renamenx", weight=0.6)
def rename(g):
    return [g.any_key(), g.any_key()]


def same_kind(g):
    """Two keys that may have the same type, so that the names of keys keep what they promise."""
    first = g.any_key()
    return first, first[:-1] + b"%d" % g.below(3) if first[-1:].isdigit() else g.any_key()


@command("copy")
def copy(g):
    first, second = same_kind(g)
    database = g.pick((0, 1, 2, 3)) if g.chance(0.9) else g.integer(-1, 20)
    return [first, second, *g.options(["DB", database], "REPLACE")]


@command("move")
def move(g):
    return [g.any_key(), g.pick((0, 1, 2, 3)) if g.chance(0.9) else g.integer(-1, 20)]


@command("keys", weight=0.5)
def keys(g):
    return [g.pick(PATTERNS)]


@command("randomkey", weight=0.5)
def randomkey(_):
    return []


@command("scan")
def scan(g):
    kind = g.pick(("string", "list", "set", "zset", "hash", "stream", "nosuch", "ZSET"))
    args = scan_options(g, ["TYPE", kind])
    return [args[0], *args[1:]]


@command("object|encoding", "object|refcount", "object|idletime", "object|freq")
def object_of(g):
    return [g.any_key()]


@command("object|help", "object", weight=0.1)
def object_container(g):
    return g.pick(([], ["nosuch"], ["nosuch", "string0"]))


@command("restore", "restore-asking", weight=1)
def restore(g):
    payload = g.pick(g.payloads)
    if g.chance(0.1):
        payload = _corrupted(g, payload)
    ttl = 0
    options = g.options("REPLACE", share=0.6)
    if g.chance(0.3):
        absolute = g.chance(0.5)
        ttl = g.unix_milliseconds() if absolute else g.milliseconds()
        options += ["ABSTTL"] if absolute else []
    options += g.options(lambda: ["IDLETIME", g.integer(0, 100)],
                         lambda: ["FREQ", g.integer(0, 255)], share=0.05)
    return [g.any_key(), ttl, payload, *options]


def _corrupted(g, payload):
    """What a checksum or a version must refuse."""
    roll = g.below(5)
    if roll == 0:
        return payload[:g.below(len(payload))]
    if roll == 1:
        return payload + b"x"
    if roll == 2:
        return b""
    place = g.below(len(payload))
    return payload[:place] + bytes([payload[place] ^ (1 << g.below(8))]) + payload[place + 1:]


def _by(g):
    return ["BY", g.pick((b"number*", b"nosort", b"string*", b"*", b"hash*->a", b"none_*", b"hash0->*",
                          b"weight", b"number*x", b"*->", b""))]


def _get(g):
    args = []
    for _ in range(1 + g.below(2)):
        args += ["GET", g.pick((b"#", b"string*", b"hash*->a", b"hash*->", b"none*", b"*", b"number0",
                                b"hash0->b", b"number*"))]
    return args


def _sort(g, name, store):
    """Of a copy: Redis turns a sorted set that it sorts into its large form, which Larder does not."""
    by = g.options(lambda: _by(g), share=0.35)
    order = g.options(g.pick(("ASC", "DESC")), "ALPHA", share=0.45)
    # By words that may be the same the order is nobody's to say, and then nothing may keep it.
    keep = g.sort_may_store and (not by or "ALPHA" not in order and b"*" in by[1])
    rest = g.options(lambda: _get(g), lambda: ["LIMIT", g.integer(-1, 4), g.integer(-1, 8)],
                     share=0.3)
    if store and keep and g.chance(0.3):
        rest += ["STORE", g.key("list")]
    args = by + order + rest if g.chance(0.5) else order + rest + by
    if g.chance(0.2):
        return ["fixed-list", *args]
    return Group([["copy", g.key("list", "set", "zset"), "sorted", "REPLACE"],
                  [name, "sorted", *args], ["del", "sorted"]])


@command("sort", weight=2)
def sort(g):
    return _sort(g, "sort", True)


@command("sort_ro")
def sort_ro(g):
    return _sort(g, "sort_ro", g.chance(0.1))


@command("wait", weight=0.2, mutate=False)
def wait(g):
    return g.pick(([0, 0], [0, 1], [1, 1], [1, 2], [-1, 1], ["abc", 1], [1, -1], [1, "abc"], [1], [],
                   [0, 0, 0], [b"9223372036854775808", 1]))
