"""The server: configuration, introspection, whole databases."""

from generator import Group, command

COMMANDS = (b"get", b"set", b"mset", b"nosuch", b"config|get", b"xadd", b"zunionstore", b"sort",
            b"client|kill", b"lpush", b"georadius", b"object|encoding", b"expire", b"bitfield", b"",
            b"config|nosuch", b"get|x", b"blpop", b"xreadgroup", b"restore", b"hset", b"GETEX")

# Thresholds of encodings, low enough to be crossed all the time, and back.
THRESHOLDS = (
    ("hash-max-listpack-entries", (512, 4, 8, 0)), ("hash-max-listpack-value", (64, 8, 20)),
    ("set-max-intset-entries", (512, 4, 8, 0)),
    ("zset-max-listpack-entries", (128, 4, 8, 0)), ("zset-max-listpack-value", (64, 8, 20)),
    ("stream-node-max-entries", (100, 4, 10)), ("stream-node-max-bytes", (4096, 100)),
    ("hll-sparse-max-bytes", (3000, 100, 0)))

# Every other thing that may be set without harm to what follows.
_SETTABLE = (
    ("maxmemory-samples", ("5", "10", "0", "abc")), ("slowlog-max-len", ("128", "0", "-1", "5")),
    ("hash-max-ziplist-entries", ("512",)), ("lazyfree-lazy-user-del", ("yes", "no", "maybe")),
    ("timeout", ("0", "1000", "-1")), ("tcp-keepalive", ("300", "0", "abc")),
    ("notify-keyspace-events", ("", "KEA", "Kx$", "badflags")),
    ("appendonly", ("no",)), ("maxmemory-policy", ("noeviction", "nosuch")),
    ("lfu-log-factor", ("10", "-1")), ("latency-monitor-threshold", ("0", "-1", "1000000")),
    ("proto-max-bulk-len", ("1048576", "1000", "1mb")), ("maxmemory", ("0", "abc", "-1")),
    ("client-output-buffer-limit", ("normal 0 0 0", "nosuch 0 0 0", "normal 0 0")),
    ("databases", ("4",)), ("port", ("abc",)), ("nosuch", ("x",)), ("hz", ("abc",)))

_GETTABLE = (
    "maxmemory", "maxmemory-policy", "hash-max-*", "*-max-listpack-*", "list-*", "stream-*", "databases",
    "timeout", "nosuch", "slowlog-*", "lfu-*", "lazyfree-*", "notify-keyspace-events", "proto-*",
    "hz", "appendonly", "client-output-buffer-limit", "MaxMemory", "activ?-expire-effort", "[t]imeout")


@command("config|set", weight=1.5, mutate=False)
def config_set(g):
    if g.chance(0.7):
        name, values = g.pick(THRESHOLDS)
        return [name, g.pick(values)]
    name, values = g.pick(_SETTABLE)
    value = g.pick(values)
    if g.chance(0.1):
        return [name, value, name, value]
    if g.chance(0.1):
        return [name, value, "lfu-decay-time", g.pick(("1", "abc"))]
    if g.chance(0.05):
        return g.pick(([name], [name, value, name], []))
    if name == "notify-keyspace-events":
        return Group([["config", "set", name, value], ["config", "get", name],
                      ["config", "set", name, ""]])
    return [name, value]


@command("config|get", weight=0.5)
def config_get(g):
    return g.some(lambda: g.pick(_GETTABLE), 3)


@command("config|resetstat", "config|help", "config|rewrite", weight=0.05)
def config_other(_):
    return []


@command("config", weight=0.1)
def config(g):
    return g.pick(([], ["nosuch"], ["nosuch", "x"]))


@command("dbsize", weight=0.5)
def dbsize(_):
    return []


@command("flushall", "flushdb", weight=0.03)
def flush(g):
    return g.options(lambda: g.pick(("ASYNC", "SYNC", "async", "NOW")), share=0.6)


@command("swapdb", weight=0.15, mutate=False)
def swapdb(g):
    first = g.between(0, 3)
    if g.chance(0.3):
        return [g.pick((first, "abc", -1, 99)), g.pick((0, 1, "x", 16))]
    second = g.between(0, 3)
    return Group([["swapdb", first, second], ["dbsize"], ["swapdb", second, first]])


@command("info", weight=0.1)
def info(g):
    return g.some(lambda: g.pick(("keyspace", "server", "memory", "stats", "clients", "all", "default",
                                  "everything", "replication", "cpu", "nosuch", "KEYSPACE")), 2, 0)


@command("time", "lastsave", "role", weight=0.1)
def nothing(_):
    return []


@command("lolwut", weight=0.02, mutate=False)
def lolwut(g):
    return g.pick(([], ["VERSION", 5], ["VERSION", 6, 10, 10], ["VERSION", 5, 20, 2, 2],
                   ["VERSION", 1], ["VERSION", "abc"], ["VERSION"]))


@command("memory|usage", weight=0.4)
def memory_usage(g):
    return [g.any_key(), *g.options(lambda: ["SAMPLES", g.integer(0, 10)])]


@command("memory|doctor", "memory|help", "memory|malloc-stats", "memory|purge", "memory|stats",
         "memory", weight=0.03)
def memory_other(g):
    return g.options("nosuch", share=0.2)


@command("latency|doctor", "latency|help", "latency|latest", "latency", weight=0.05)
def latency(_):
    return []


@command("latency|graph", "latency|history", "latency|reset", weight=0.05)
def latency_event(g):
    return [g.pick(("command", "fast-command", "nosuch"))]


@command("latency|histogram", weight=0.05)
def latency_histogram(g):
    return g.some(lambda: g.pick(("get", "nosuch", "set", "config|get")), 2, 0)


@command("slowlog|get", weight=0.1)
def slowlog_get(g):
    return g.options(lambda: g.pick((-1, 0, 1, 10, -2, "abc")), share=0.8)


@command("slowlog|len", "slowlog|reset", "slowlog|help", "slowlog", weight=0.1)
def slowlog(_):
    return []


@command("command", "command|count", "command|help", weight=0.02)
def command_all(_):
    return []


@command("command|info", weight=0.4)
def command_info(g):
    return g.some(lambda: g.pick(COMMANDS), 3, 1)


@command("command|docs", weight=0.2)
def command_docs(g):
    return g.some(lambda: g.pick(COMMANDS), 2, 1)


@command("command|list", weight=0.1)
def command_list(g):
    return g.pick(([], ["FILTERBY", "PATTERN", "x*"], ["FILTERBY", "ACLCAT", "hash"],
                   ["FILTERBY", "ACLCAT", "nosuch"], ["FILTERBY", "MODULE", "nosuch"], ["FILTERBY"],
                   ["FILTERBY", "NOSUCH", "x"], ["FILTERBY", "PATTERN", "config|*"], ["x"]))


@command("command|getkeys", "command|getkeysandflags", weight=0.5, mutate=False)
def command_getkeys(g):
    """The keys of any other request, damaged or not."""
    while True:
        made = g.next_of(g.pick(g.entries))
        request = made[g.below(len(made))]
        if not request[0].lower().startswith(b"command"):
            return request if g.chance(0.98) else request[:1]


@command("shutdown", weight=0.05, mutate=False)
def shutdown(g):
    """Only what is refused."""
    return g.pick((["ABORT"], ["abort"], ["NOSUCH"], ["SAVE", "NOSAVE", "x"], ["NOSAVE", "ABORT"],
                   ["ABORT", "NOW"]))


@command("monitor", weight=0.05, mutate=False)
def monitor(_):
    """Only what is refused; what it shows is in conversations.py."""
    return ["x"]


# ------------------------------------------------------------ DEBUG


@command("debug", weight=1.5, mutate=False)
def debug(g):
    return g.pick((
        lambda: ["digest"], lambda: ["digest-value", *g.some(g.any_key, 3)],
        lambda: ["digest-value", g.any_key()], lambda: ["object", g.any_key()],
        lambda: ["error", g.pick(("ERR text", "WRONGTYPE x", "", "plain"))],
        lambda: ["protocol", g.pick(("string", "integer", "double", "null", "array", "set", "map",
                                     "bignum", "verbatim", "true", "false", "nosuch"))],
        lambda: ["set-active-expire", 1], lambda: ["nosuch"], lambda: [], lambda: ["sleep", "0"],
        lambda: ["quicklist-packed-threshold", g.pick((0, "1b", "100b", "100mb", "abc"))],
        lambda: ["sleep"], lambda: ["digest-value"], lambda: ["object"], lambda: ["help"],
        lambda: ["stringmatch-len", 10, "a*"],
        lambda: ["replybuffer", "resizing", 1], lambda: ["pause-cron", 0]))()
