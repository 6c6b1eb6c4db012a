"""What needs several clients, or a client in a state of its own: waiting, subscribing, watching.

Some conversations are written down, with what they are about; most are drawn from the seed.
"""

import random
import re
import time
import traceback

import resp
from session import Session
import state
from talk import WRITER, Difference, Talk

SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


# ------------------------------------------------------------ Waiting, as written down


def waiter(number):
    return f"waiter{number}"


@scenario
def a_push_serves_the_first_that_waits(talk):
    for number in range(3):
        talk.wait_in(waiter(number), "BLPOP", "list", 0)
    talk.ask(WRITER, "LPUSH", "list", "a")
    talk.served()
    talk.ask(WRITER, "RPUSH", "list", "b", "c", "d")
    talk.served()
    talk.ask(WRITER, "LRANGE", "list", 0, -1)


@scenario
def one_waits_for_several_keys(talk):
    talk.wait_in(waiter(0), "BLPOP", "one", "two", "three", 0)
    talk.ask(WRITER, "MULTI")
    talk.ask(WRITER, "LPUSH", "three", "3")
    talk.ask(WRITER, "LPUSH", "two", "2")
    talk.ask(WRITER, "EXEC")
    talk.served()
    talk.ask(WRITER, "KEYS", "*")


@scenario
def blmove_makes_a_chain(talk):
    talk.wait_in(waiter(0), "BLMOVE", "a", "b", "LEFT", "RIGHT", 0)
    talk.wait_in(waiter(1), "BLMOVE", "b", "c", "RIGHT", "LEFT", 0)
    talk.wait_in(waiter(2), "BRPOPLPUSH", "c", "d", 0)
    talk.wait_in(waiter(3), "BLMPOP", 0, 1, "d", "LEFT", "COUNT", 5)
    talk.ask(WRITER, "RPUSH", "a", "x", "y")
    talk.served()
    talk.ask(WRITER, "KEYS", "*")


@scenario
def blmove_to_its_own_list(talk):
    talk.wait_in(waiter(0), "BLMOVE", "a", "a", "LEFT", "RIGHT", 0)
    talk.ask(WRITER, "RPUSH", "a", "x", "y", "z")
    talk.served()
    talk.ask(WRITER, "LRANGE", "a", 0, -1)


@scenario
def blmove_to_a_key_of_another_type(talk):
    talk.ask(WRITER, "SET", "target", "text")
    talk.wait_in(waiter(0), "BLMOVE", "a", "target", "LEFT", "RIGHT", 0)
    talk.wait_in(waiter(1), "BLPOP", "a", 0)
    talk.ask(WRITER, "RPUSH", "a", "x")
    talk.served()
    talk.ask(WRITER, "LRANGE", "a", 0, -1)


@scenario
def what_is_gone_again_wakes_nobody(talk):
    talk.wait_in(waiter(0), "BLPOP", "list", 0)
    talk.ask(WRITER, "MULTI")
    talk.ask(WRITER, "LPUSH", "list", "a")
    talk.ask(WRITER, "DEL", "list")
    talk.ask(WRITER, "EXEC")
    talk.served()
    talk.ask(WRITER, "SET", "list", "not a list")
    talk.served()
    talk.ask(WRITER, "DEL", "list")
    talk.ask(WRITER, "RPUSH", "list", "b")
    talk.served()


@scenario
def a_list_comes_by_rename(talk):
    talk.wait_in(waiter(0), "BLPOP", "list", 0)
    talk.ask(WRITER, "RPUSH", "other", "a")
    talk.ask(WRITER, "RENAME", "other", "list")
    talk.served()


@scenario
def a_list_comes_by_sort_copy_and_swapdb(talk):
    talk.ask(WRITER, "RPUSH", "source", 3, 1, 2)
    talk.wait_in(waiter(0), "BLPOP", "sorted", 0)
    talk.ask(WRITER, "SORT", "source", "STORE", "sorted")
    talk.served()
    talk.wait_in(waiter(0), "BRPOP", "copied", 0)
    talk.ask(WRITER, "COPY", "source", "copied")
    talk.served()
    talk.wait_in(waiter(0), "BLPOP", "elsewhere", 0)
    talk.ask(WRITER, "SELECT", 1)
    talk.ask(WRITER, "RPUSH", "elsewhere", "x")
    talk.served()
    talk.ask(WRITER, "SWAPDB", 0, 1)
    talk.served()
    talk.ask(WRITER, "SELECT", 0)
    talk.ask(WRITER, "RPUSH", "moving", "x")
    talk.wait_in(waiter(1), "SELECT", 2)
    talk.wait_in(waiter(1), "BLPOP", "moving", 0)
    talk.ask(WRITER, "MOVE", "moving", 2)
    talk.served()


@scenario
def a_sorted_set_serves_each_by_its_end(talk):
    talk.wait_in(waiter(0), "BZPOPMIN", "zset", 0)
    talk.wait_in(waiter(1), "BZPOPMAX", "zset", 0)
    talk.wait_in(waiter(2), "BZMPOP", 0, 2, "nothing", "zset", "MAX", "COUNT", 2)
    talk.ask(WRITER, "ZADD", "zset", 1, "a", 2, "b", 3, "c", 4, "d", 5, "e")
    talk.served()
    talk.ask(WRITER, "ZRANGE", "zset", 0, -1, "WITHSCORES")
    talk.wait_in(waiter(0), "BZPOPMIN", "stored", 0)
    talk.ask(WRITER, "ZUNIONSTORE", "stored", 1, "zset")
    talk.served()
    talk.wait_in(waiter(0), "BZPOPMIN", "places", 0)
    talk.ask(WRITER, "GEOADD", "places", 1, 1, "here")
    talk.served()


@scenario
def a_stream_tells_all_that_read_it(talk):
    talk.wait_in(waiter(0), "XREAD", "BLOCK", 0, "STREAMS", "stream", "$")
    talk.wait_in(waiter(1), "XREAD", "COUNT", 1, "BLOCK", 0, "STREAMS", "other", "stream", "$", "5-1")
    talk.ask(WRITER, "XADD", "stream", "4-1", "field", "too early for one")
    talk.served()
    talk.ask(WRITER, "XADD", "stream", "6-1", "field", "value")
    talk.served()


@scenario
def a_group_shares_what_comes(talk):
    talk.ask(WRITER, "XGROUP", "CREATE", "stream", "group", "$", "MKSTREAM")
    talk.wait_in(waiter(0), "XREADGROUP", "GROUP", "group", "alice", "BLOCK", 0, "STREAMS", "stream",
                 ">")
    talk.wait_in(waiter(1), "XREADGROUP", "GROUP", "group", "bob", "BLOCK", 0, "STREAMS", "stream", ">")
    talk.ask(WRITER, "XADD", "stream", "1-1", "field", "value")
    talk.served()
    talk.ask(WRITER, "XADD", "stream", "2-1", "field", "value")
    talk.served()
    talk.ask(WRITER, "XPENDING", "stream", "group")


@scenario
def a_group_is_destroyed(talk):
    talk.ask(WRITER, "XGROUP", "CREATE", "stream", "group", "$", "MKSTREAM")
    for number in range(2):
        talk.wait_in(waiter(number), "XREADGROUP", "GROUP", "group", "alice", "BLOCK", 0, "STREAMS",
                     "stream", ">")
    talk.ask(WRITER, "XGROUP", "DESTROY", "stream", "group")
    talk.served()


@scenario
def the_stream_of_a_group_goes(talk):
    for way in (("DEL", "stream"), ("SET", "stream", "text"), ("RENAME", "stream", "gone"),
                ("FLUSHALL",), ("LPUSH", "stream", "x"), ("EXPIRE", "stream", -1)):
        talk.ask(WRITER, "DEL", "stream")
        talk.ask(WRITER, "XGROUP", "CREATE", "stream", "group", "$", "MKSTREAM")
        talk.wait_in(waiter(0), "XREADGROUP", "GROUP", "group", "alice", "BLOCK", 0, "STREAMS",
                     "stream", ">")
        talk.ask(WRITER, *way)
        talk.served()
        if talk.client(waiter(0)).waits:
            unblock(talk, waiter(0))


@scenario
def unblocking(talk):
    talk.wait_in(waiter(0), "BLPOP", "list", 0)
    talk.wait_in(waiter(1), "BZPOPMIN", "zset", 0)
    talk.wait_in(waiter(2), "XREAD", "BLOCK", 0, "STREAMS", "stream", "$")
    talk.wait_in(waiter(3), "BLMOVE", "a", "b", "LEFT", "LEFT", 0)
    talk.wait_in(waiter(4), "BLMPOP", 0, 1, "list", "LEFT")
    for number, how in enumerate(("TIMEOUT", "ERROR", None, "ERROR", "TIMEOUT")):
        unblock(talk, waiter(number), how)


@scenario
def unblocking_without_a_reason(talk):
    for name, *request in (("a", "BRPOPLPUSH", "x", "y", 0), ("b", "BZMPOP", 0, 1, "x", "MIN"),
                           ("c", "BRPOP", "x", 0), ("d", "BZPOPMAX", "x", 0)):
        talk.wait_in(name, *request)
        unblock(talk, name, None)


@scenario
def waits_end_by_themselves(talk):
    for request in (("BLPOP", "x", "0.05"), ("BRPOP", "x", "0.05"), ("BLMOVE", "x", "y", "LEFT", "LEFT",
                                                                   "0.05"),
                    ("BRPOPLPUSH", "x", "y", "0.05"), ("BLMPOP", "0.05", 1, "x", "LEFT"),
                    ("BZPOPMIN", "x", "0.05"), ("BZPOPMAX", "x", "0.05"),
                    ("BZMPOP", "0.05", 1, "x", "MIN"), ("XREAD", "BLOCK", 50, "STREAMS", "x", "$")):
        talk.ask("waiter", *request)


@scenario
def in_a_transaction_nobody_waits(talk):
    talk.ask(WRITER, "MULTI")
    for request in (("BLPOP", "x", 0), ("BLMOVE", "x", "y", "LEFT", "LEFT", 0),
                    ("BRPOPLPUSH", "x", "y", 0), ("BLMPOP", 0, 1, "x", "LEFT"), ("BZPOPMIN", "x", 0),
                    ("BZMPOP", 0, 1, "x", "MIN"), ("XREAD", "BLOCK", 0, "STREAMS", "x", "$"),
                    ("WAIT", 1, 0)):
        talk.ask(WRITER, *request)
    talk.ask(WRITER, "EXEC")


@scenario
def what_follows_a_wait_comes_after_it(talk):
    talk.wait_in(waiter(0), "BLPOP", "list", 0)
    talk.send(waiter(0), "PING")
    talk.send(waiter(0), "LLEN", "list")
    talk.ask(WRITER, "RPUSH", "list", "a", "b", "c")
    talk.served()
    talk.expect(waiter(0), 2)


@scenario
def one_hangs_up_while_it_waits(talk):
    talk.wait_in(waiter(0), "BLPOP", "list", 0)
    talk.wait_in(waiter(1), "BLPOP", "list", 0)
    talk.leave(waiter(0))
    talk.ask(WRITER, "RPUSH", "list", "a")
    talk.served()
    talk.ask(WRITER, "LLEN", "list")


def unblock(talk, name, how=None):
    client = talk.client(name)
    for side, watcher in enumerate(talk.watchers):
        watcher.call("CLIENT", "UNBLOCK", client.ids[side], *([how] if how else []))
    talk.lines.append(f"{WRITER}: client unblock (the id of {name}) {how or ''}")
    talk.served()


# ------------------------------------------------------------ Waiting, drawn from the seed

LISTS = ("list0", "list1", "list2")
ZSETS = ("zset0", "zset1")
STREAMS = ("stream0", "stream1")
ALL = LISTS + ZSETS + STREAMS


def some_keys(source, names):
    names = ALL if source.random() < 0.1 else names
    return [source.choice(names) for _ in range(source.randint(1, 3))]


def random_wait(source):
    side = source.choice(("LEFT", "RIGHT"))
    end = source.choice(("MIN", "MAX"))
    lists, zsets = some_keys(source, LISTS), some_keys(source, ZSETS)
    streams = sorted(set(some_keys(source, STREAMS)))
    return source.choice((
        ["BLPOP", *lists, 0], ["BRPOP", *lists, 0],
        ["BLMOVE", lists[0], source.choice(ALL[:4]), side, source.choice(("LEFT", "RIGHT")), 0],
        ["BRPOPLPUSH", lists[0], source.choice(ALL[:4]), 0],
        ["BLMPOP", 0, len(lists), *lists, side, "COUNT", source.randint(1, 3)],
        ["BZPOPMIN", *zsets, 0], ["BZPOPMAX", *zsets, 0],
        ["BZMPOP", 0, len(zsets), *zsets, end, "COUNT", source.randint(1, 3)],
        ["XREAD", "BLOCK", 0, "STREAMS", *streams, *("$" for _ in streams)],
        ["XREAD", "COUNT", 1, "BLOCK", 0, "STREAMS", *streams, *(
            f"{source.randint(0, 12)}-0" for _ in streams)],
        ["XREADGROUP", "GROUP", "group", source.choice(("alice", "bob")), "BLOCK", 0,
         *(["NOACK"] if source.random() < 0.2 else []), "STREAMS", *streams, *(">" for _ in streams)],
    ))


def random_write(source, stamp):
    words = [source.choice("abcdef") for _ in range(source.randint(1, 3))]
    one, other = source.choice(LISTS), source.choice(LISTS)
    zset, stream = source.choice(ZSETS), source.choice(STREAMS)
    anything = source.choice(ALL)
    members = [part for word in words for part in (source.randint(0, 9), word)]
    return source.choice((
        ["LPUSH", one, *words], ["RPUSH", one, *words], ["RPUSH", one, *words],
        ["LMOVE", one, other, "LEFT", "RIGHT"], ["ZADD", zset, *members], ["ZADD", zset, *members],
        ["XADD", stream, f"{stamp}-1", "field", words[0]], ["DEL", anything],
        ["XADD", stream, f"{stamp}-2", "field", words[0]], ["SET", anything, "text"],
        ["RENAME", one, other], ["COPY", one, other, "REPLACE"], ["XGROUP", "DESTROY", stream, "group"],
        ["XGROUP", "CREATE", stream, "group", "$", "MKSTREAM"], ["LINSERT", one, "BEFORE", "a", "b"],
        ["ZUNIONSTORE", source.choice(ZSETS), 1, zset], ["SORT", one, "ALPHA", "STORE", other],
        ["ZINCRBY", zset, 1, words[0]], ["RPOPLPUSH", one, other], ["UNLINK", anything],
        ["EXPIRE", anything, -1], ["LPUSHX", one, *words], ["SWAPDB", 0, 1], ["RPOP", one],
        ["XSETID", stream, f"{stamp}-9"], ["ZRANGESTORE", source.choice(ZSETS), zset, 0, -1]))


def random_waiting(talk, source):
    for stream in STREAMS:
        if source.random() < 0.7:
            talk.ask(WRITER, "XGROUP", "CREATE", stream, "group", "$", "MKSTREAM")
    waiters = [waiter(number) for number in range(source.randint(1, 4))]
    for step in range(source.randint(4, 16)):
        name = source.choice(waiters)
        roll = source.random()
        waits = name in talk.clients and talk.clients[name].waits
        if roll < 0.45 and not waits:
            talk.wait_in(name, *random_wait(source))
        elif roll < 0.5 and waits:
            unblock(talk, name, source.choice((None, "TIMEOUT", "ERROR")))
        elif roll < 0.53 and name in talk.clients:
            talk.leave(name)
        elif roll < 0.65:
            talk.ask(WRITER, "MULTI")
            for _ in range(source.randint(1, 4)):
                talk.ask(WRITER, *random_write(source, step + 1))
            talk.ask(WRITER, "EXEC")
            talk.served()
        else:
            talk.ask(WRITER, *random_write(source, step + 1))
            talk.served()
    for name in waiters:
        if name in talk.clients and talk.clients[name].waits:
            unblock(talk, name)


# ------------------------------------------------------------ Publish and subscribe


def without_order(replies):
    """For lists of channels that leave together: their names and their counts, each sorted."""
    parsed = [resp.parse(reply) for reply in replies]
    return sorted(map(repr, ((kind, tuple(item for item in content if item[0] != ":"))
                             if isinstance(content, tuple) else (kind, content)
                             for kind, content in parsed))), sorted(
                                 repr(item) for _, content in parsed if isinstance(content, tuple)
                                 for item in content if item[0] == ":")


CHANNELS = ("news", "sport", "weather", "")
PATTERNS = ("*", "n*", "[ns]*", "sport", "w?ather", "")


def random_subscription(talk, source):
    readers = ("reader0", "reader1")
    for _ in range(source.randint(5, 25)):
        name = source.choice(readers)
        channels = [source.choice(CHANNELS) for _ in range(source.randint(1, 3))]
        patterns = [source.choice(PATTERNS) for _ in range(source.randint(1, 2))]
        few = source.random() < 0.5
        request = source.choice((
            ["SUBSCRIBE", *channels], ["SUBSCRIBE", *channels], ["PSUBSCRIBE", *patterns],
            ["SSUBSCRIBE", *channels], ["UNSUBSCRIBE", *channels[:few]], ["SUBSCRIBE"],
            ["PUNSUBSCRIBE", *patterns[:few]], ["SUNSUBSCRIBE", *channels[:few]], ["GET", "key"],
            ["PING"], ["PING", "text"], ["RESET"], ["PUBLISH", channels[0], "from a reader"],
            ["CLIENT", "GETNAME"], ["MULTI"], ["QUIT"], ["PING", "a", "b"], ["PSUBSCRIBE"],
            ["HELLO"], ["NOSUCH"]))
        if request[0] == "QUIT":
            talk.send(name, *request)
            talk.until_closed(name)
        elif request[0] == "RESET":
            talk.send(name, *request)
            talk.drain(name, without_order)
        elif request[0] in ("MULTI", "HELLO"):
            # What a transaction subscribes to, and then both what was queued and what was told.
            if request[0] == "HELLO":
                continue
            talk.send(name, "MULTI")
            talk.send(name, "SUBSCRIBE", *channels)
            talk.send(name, "UNSUBSCRIBE", *channels[:1])
            talk.send(name, "GET", "key")
            talk.send(name, "EXEC")
            talk.sync(name, without_order)
        else:
            args = talk.send(name, *request)
            if talk.coverage is not None:
                talk.coverage.count(args, b"*-1\r\n")
            talk.sync(name, without_order)
        request = source.choice((
            ["PUBLISH", source.choice(CHANNELS), "message"], ["SPUBLISH", source.choice(CHANNELS), "m"],
            ["PUBSUB", "CHANNELS"], ["PUBSUB", "CHANNELS", "n*"], ["PUBSUB", "NUMSUB", *CHANNELS],
            ["PUBSUB", "NUMPAT"], ["PUBSUB", "SHARDCHANNELS"], ["PUBSUB", "SHARDNUMSUB", *CHANNELS]))
        talk.ask(WRITER, *request)
        for reader in readers:
            if reader in talk.clients:
                talk.sync(reader, without_order)


# ------------------------------------------------------------ Client-side caching


def invalidated(replies):
    """The keys of messages about keys, and all else in its order."""
    keys, rest = [], []
    for reply in replies:
        kind, content = resp.parse(reply)
        told = content if isinstance(content, tuple) else ()
        if told and told[0][1] in (b"invalidate", b"message") and isinstance(told[-1][1], tuple):
            keys += [item[1] for item in told[-1][1]]
        else:
            rest.append((kind, content))
    return sorted(keys), rest


def random_tracking(talk, source):
    options = [option for option in (["BCAST"], ["NOLOOP"]) if source.random() < 0.3]
    if ["BCAST"] in options:
        options += [["PREFIX", source.choice("ab")] for _ in range(source.randint(0, 2))]
    elif source.random() < 0.4:
        options.append([source.choice(("OPTIN", "OPTOUT"))])
    options = [word for option in options for word in option]
    if talk.protocol == 2:
        # Told to another connection, which listens.
        talk.ask("listener", "SUBSCRIBE", "__redis__:invalidate")
        listener = talk.client("listener")
        talk.client("reader")
        for side, connection in enumerate(talk.clients["reader"].connections):
            connection.call("CLIENT", "TRACKING", "ON", "REDIRECT", listener.ids[side], *options)
        talk.lines.append(f"reader: client tracking on redirect (the id of listener) {options}")
        if talk.coverage is not None:
            talk.coverage.count([b"client", b"tracking", b"ON", b"REDIRECT"], b"+OK\r\n")
    else:
        talk.ask("reader", "CLIENT", "TRACKING", "ON", *options)
    talk.ask("reader", "CLIENT", "TRACKINGINFO" if talk.protocol == 3 else "ID")
    for _ in range(source.randint(5, 20)):
        keys = [source.choice(("a1", "a2", "b1", "c1")) for _ in range(source.randint(1, 3))]
        if source.random() < 0.5:
            if "OPTIN" in options and source.random() < 0.6:
                talk.ask("reader", "CLIENT", "CACHING", "YES")
            if "OPTOUT" in options and source.random() < 0.4:
                talk.ask("reader", "CLIENT", "CACHING", "NO")
            talk.send("reader", *source.choice((
                ["GET", keys[0]], ["MGET", *keys], ["EXISTS", *keys], ["TTL", keys[0]],
                ["SET", keys[0], "from the reader"])))
        else:
            talk.ask(WRITER, *source.choice((
                ["SET", keys[0], "x"], ["DEL", *keys], ["MSET", *(
                    word for key in keys for word in (key, "y"))], ["EXPIRE", keys[0], 1000],
                ["RENAME", keys[0], keys[-1]], ["INCR", keys[0]], ["GET", keys[0]], ["FLUSHALL"],
                ["PERSIST", keys[0]], ["SETNX", keys[0], "z"])))
        time.sleep(0.002)  # To all at once is told when a server has nothing else to do.
        talk.sync("reader", invalidated)
        if "listener" in talk.clients:
            talk.sync("listener", invalidated)


# ------------------------------------------------------------ A client's own states


def without_stamp(replies):
    """What MONITOR shows, without when and from where."""
    return [re.sub(rb"\+\d+\.\d+ \[(\d+) [^\]]*\]", rb"+[\1]", reply) for reply in replies]


@scenario
def monitoring(talk):
    talk.ask("monitor", "MONITOR")
    for request in (("SET", "key", "value"), ("GET", "key"), ("NOSUCH", "x"), ("GET",), ("SELECT", 1),
                    ("SET", b"\x00\xff\"\\\r\n", ""), ("AUTH", "secret"), ("PING",), ("MULTI",),
                    ("INCR", "n"), ("LPUSH", "n", "x"), ("EXEC",), ("CONFIG", "GET", "port"),
                    ("DBSIZE",), ("HELLO",), ("SELECT", 0), ("RPUSH", "l", *range(20)), ("KEYS", "*")):
        talk.ask(WRITER, *request)
    talk.drain("monitor", without_stamp)


@scenario
def answers_can_be_switched_off(talk):
    for requests in ((("CLIENT", "REPLY", "SKIP"), ("PING",), ("PING", "seen")),
                     (("CLIENT", "REPLY", "OFF"), ("PING",), ("SET", "a", "b"), ("NOSUCH",),
                      ("CLIENT", "REPLY", "ON"), ("GET", "a")),
                     (("CLIENT", "REPLY", "OFF"), ("CLIENT", "REPLY", "SKIP"), ("PING",)),
                     (("CLIENT", "REPLY", "SKIP"), ("CLIENT", "REPLY", "SKIP"), ("PING",), ("PING", "x")),
                     (("CLIENT", "REPLY", "SKIP"), ("CLIENT", "REPLY", "ON"), ("PING", "y")),
                     (("CLIENT", "REPLY", "OFF"), ("SUBSCRIBE", "news"), ("PING",))):
        for request in requests:
            args = talk.send("client", *request)
            if talk.coverage is not None:
                talk.coverage.count(args, b"+OK\r\n")
        talk.drain("client")


@scenario
def quitting(talk):
    for requests in ((("QUIT",), ("PING",)), (("PING",), ("QUIT",), ("SET", "a", "b")), (("QUIT", "x"),),
                     (("MULTI",), ("PING",), ("QUIT",)), (("SUBSCRIBE", "a"), ("QUIT",))):
        for request in requests:
            args = talk.send("client", *request)
            if talk.coverage is not None:
                talk.coverage.count(args, b"+OK\r\n")
        talk.until_closed("client")
    talk.ask(WRITER, "EXISTS", "a")


def without_ids(replies):
    """What HELLO and SUBSCRIBE tell, without the number of the client."""
    return without_order([re.sub(rb"(\$2\r\nid\r\n:)\d+", rb"\1", reply) for reply in replies])


@scenario
def resetting(talk):
    for requests in ((("SELECT", 3), ("CLIENT", "SETNAME", "x"), ("RESET",), ("CLIENT", "GETNAME"),
                      ("DBSIZE",)), (("MULTI",), ("SET", "a", "b"), ("RESET",), ("GET", "a"), ("EXEC",)),
                     (("WATCH", "a"), ("SET", "a", "c"), ("RESET",), ("MULTI",), ("PING",), ("EXEC",)),
                     (("HELLO", 3), ("RESET",), ("HGETALL", "none")), (("RESET", "x"),),
                     (("SUBSCRIBE", "a"), ("RESET",), ("GET", "a")),
                     (("PSUBSCRIBE", "a*"), ("SSUBSCRIBE", "s"), ("RESET",), ("PING",))):
        for request in requests:
            args = talk.send("client", *request)
            if talk.coverage is not None:
                talk.coverage.count(args, b"+OK\r\n")
        talk.drain("client", without_ids)


@scenario
def killing(talk):
    victim = talk.client("victim")
    for side, watcher in enumerate(talk.watchers):
        watcher.call("CLIENT", "KILL", "ID", victim.ids[side])
    talk.until_closed("victim")
    talk.wait_in("victim", "BLPOP", "list", 0)
    victim = talk.client("victim")
    for side, watcher in enumerate(talk.watchers):
        watcher.call("CLIENT", "KILL", "ID", victim.ids[side], "SKIPME", "yes")
    talk.until_closed("victim")
    talk.ask(WRITER, "RPUSH", "list", "a")
    talk.ask(WRITER, "LLEN", "list")


@scenario
def watching(talk):
    for change in (("SET", "a", "1"), ("EXPIRE", "a", "1000"), ("DEL", "a"), ("FLUSHALL",), ("GET", "a"),
                   ("SWAPDB", 0, 1), ("RENAME", "a", "b"), ("SET", "b", "2"), ("APPEND", "a", ""),
                   ("SETRANGE", "a", 0, ""), ("PERSIST", "a"), ("LPUSH", "list", "x"),
                   ("LSET", "list", 0, "x"), ("LTRIM", "list", 0, -1), ("SADD", "set", "m"),
                   ("SREM", "set", "nosuch"), ("ZADD", "zset", 1, "m"), ("ZADD", "zset", "XX", 1, "m"),
                   ("HSET", "hash", "f", "v"), ("HSET", "hash", "f", "v"), ("COPY", "a", "b"),
                   ("MOVE", "a", 1), ("SORT", "list", "STORE", "list"), ("TOUCH", "a"),
                   ("XADD", "stream", "NOMKSTREAM", "*", "f", "v"), ("SETBIT", "a", 0, 0),
                   ("PFADD", "hll", "x"), ("PFADD", "hll", "x"), ("GETEX", "a", "PERSIST"),
                   ("HINCRBY", "hash", "n", 0), ("ZINCRBY", "zset", 0, "m"), ("LREM", "list", 0, "no")):
        talk.ask(WRITER, "SET", "a", "text")
        talk.ask(WRITER, "RPUSH", "list", "x")
        talk.ask(WRITER, "SADD", "set", "m")
        talk.ask(WRITER, "ZADD", "zset", 1, "m")
        talk.ask("watcher", "WATCH", "a", "list", "set", "zset", "hash", "stream", "hll")
        talk.ask(WRITER, *change)
        talk.ask("watcher", "MULTI")
        talk.ask("watcher", "PING")
        talk.ask("watcher", "EXEC")


@scenario
def bytes_that_are_no_request(talk):
    for data in (b"PING\r\n", b"ping\n", b"\r\nPING\r\n", b"SET a 'b c'\r\nGET a\r\n", b'GET "a\r\n',
                 b"SET a \"\\x41\\n\"\r\nGET a\r\n", b"GET 'a'b\r\n", b"*1\r\n$4\r\nPING\r\n",
                 b"*0\r\nPING\r\n", b"*-1\r\nPING\r\n", b"*-10\r\n*1\r\n$4\r\nPING\r\n",
                 b"*x\r\n", b"*1\r\n4\r\nPING\r\n", b"*1\r\n$x\r\nPING\r\n", b"*1\r\n$-1\r\n",
                 b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", b"*1\r\n$999999999999\r\n",
                 b"*2147483648\r\n", b"*1048577\r\n$1\r\nx\r\n", b"*1\r\n$0\r\n\r\nPING\r\n",
                 b"*1\r\n\r\n", b"*\r\nPING\r\n", b"$4\r\nPING\r\n",
                 b"  PING  \r\n", b"*1\r\n$04\r\nPING\r\n", b"*+1\r\n$4\r\nPING\r\n", b"*01\r\n$4\r\nPING\r\n",
                 b"*1 \r\n$4\r\nPING\r\n", b"GET\r\n", b"POST / HTTP/1.1\r\n", b"Host: x\r\n",
                 b"SET a b\r\nQUIT\r\nGET a\r\n", b"a" * 70000, b"*1\r\n$4\r\nPI",
                 b"*" + b"1" * 70000, b"*1\r\n$" + b"1" * 70000, b"quit\r\n", b"echo \xff\xfe\r\n"):
        talk.raw("client", data)


# ------------------------------------------------------------ All of them

RANDOM = ((random_waiting, 0.6), (random_subscription, 0.25), (random_tracking, 0.15))


def run_all(theirs, ours, protocol, seed, not_compared, coverage, count):
    """Yields the signature and the text of each conversation that differs."""
    for function in SCENARIOS:
        yield from _run(theirs, ours, protocol, not_compared, coverage, function.__name__, function)
    for number in range(count):
        source = random.Random(seed + number)
        (function,) = source.choices([function for function, _ in RANDOM],
                                     [weight for _, weight in RANDOM])
        yield from _run(theirs, ours, protocol, not_compared, coverage,
                        f"{function.__name__} (seed {seed + number})",
                        lambda talk, chosen=function, drawn=source: chosen(talk, drawn))


def _run(theirs, ours, protocol, not_compared, coverage, name, function):
    talk = Talk(theirs, ours, protocol, not_compared, coverage)
    try:
        function(talk)
        _compare_state(talk, theirs, ours, protocol, not_compared)
    except Difference as difference:
        first = str(difference).split("\n", maxsplit=1)[0]
        yield f"{name.split(' (')[0]}: {first}", f"{name}: {difference}"
    except (resp.NoReply, resp.Disconnected, OSError):
        yield f"{name.split(' (')[0]}: broke off", "\n".join(
            [name, *talk.lines, traceback.format_exc(limit=-3)])
    finally:
        talk.close()
        for server in (theirs, ours):
            if not server.is_alive():
                server.restart()


def _compare_state(talk, theirs, ours, protocol, not_compared):
    session = Session(theirs, ours, protocol, not_compared)
    for side in (session.theirs, session.ours):
        side.main = resp.Connection(side.server.port)
        side.main.call("HELLO", str(protocol))
    try:
        for group in state.requests_to_read(session.theirs.main):
            found = session.run(group)
            if found is not None:
                talk.lines.append(f"(then) {resp.command_line(found[1].request)}")
                talk.differ("different state", found[1].theirs, found[1].ours)
    finally:
        session.close()
