#!/usr/bin/python3
"""Drives the server with redis-py: RESP2, pools, threads. See README.md for the environment."""

import random
import socket
import sys
import threading
import time

import redis

import harness
from harness import (AUTH_PORT, HOST, PASSWORD, PORT, Threads, UNIX_SOCKET, connect, eq, raises, test,
                     until)


def next_message(pubsub):
    message = until(lambda: pubsub.get_message(timeout=1))
    return (message["type"], message["pattern"], message["channel"], message["data"])


# ---------------------------------------------------------------- Values


@test
def strings(r):
    eq(r.set("k", "v"), True)
    eq(r.get("k"), b"v")
    eq(r.get("none"), None)
    eq(r.set("k", "w", nx=True), None)
    eq(r.set("none", "w", xx=True), None)
    eq(r.set("k", "w", get=True), b"v")
    eq(r.append("k", "xyz"), 4)
    eq(r.strlen("k"), 4)
    eq(r.getrange("k", 1, -2), b"xy")
    eq(r.setrange("k", 6, "!"), 7)
    eq(r.get("k"), b"wxyz\0\0!")
    eq(r.getdel("k"), b"wxyz\0\0!")
    eq(r.exists("k"), 0)
    eq(r.getset("k", "1"), None)
    eq(r.setnx("k", "2"), False)
    eq(r.delete("k", "none"), 1)


@test
def counters(r):
    eq(r.incr("n"), 1)
    eq(r.incr("n", 41), 42)
    eq(r.decr("n", 2), 40)
    eq(r.incrbyfloat("n", 0.5), 40.5)
    eq(r.get("n"), b"40.5")
    r.set("top", 2**63 - 1)
    raises(redis.ResponseError, "increment or decrement would overflow", r.incr, "top")
    eq(r.get("top"), b"9223372036854775807")


@test
def several_keys(r):
    eq(r.mset({f"m{i}": i for i in range(1000)}), True)
    eq(r.mget([f"m{i}" for i in range(1001)]), [b"%d" % i for i in range(1000)] + [None])
    eq(r.msetnx({"m0": "x", "new": "x"}), False)
    eq(r.exists("new"), 0)
    eq(r.exists("m0", "m1", "m1", "none"), 3)
    eq(r.unlink(*[f"m{i}" for i in range(500)]), 500)
    eq(r.touch("m500", "m0"), 1)
    eq(r.dbsize(), 500)


@test
def binary_keys_and_values(r):
    every_byte = bytes(range(256))
    r.set(every_byte, every_byte)
    eq(r.get(every_byte), every_byte)
    eq(r.keys("*"), [every_byte])
    r.set("", "")
    eq(r.get(""), b"")
    trap = b"$5\r\nhello\r\n*1\r\n"
    r.set("trap", trap)
    eq(r.get("trap"), trap)


@test
def large_values(r):
    source = random.Random(7)
    for megabytes in (1, 4, 16):
        value = source.randbytes(megabytes << 20)
        r.set("large", value)
        eq(r.strlen("large"), len(value))
        if r.get("large") != value:
            raise AssertionError(f"{megabytes} MB came back changed")
        eq(r.getrange("large", 1000, 1009), value[1000:1010])
    eq(r.append("large", b"x"), (16 << 20) + 1)


@test
def text_is_decoded(r):
    text = connect(decode_responses=True)
    text.set("städte", "Zürich, Łódź, 東京")
    eq(text.get("städte"), "Zürich, Łódź, 東京")
    eq(text.keys(), ["städte"])
    eq(r.strlen("städte"), len("Zürich, Łódź, 東京".encode()))


# ---------------------------------------------------------------- Keys


@test
def expiry(r):
    now = int(time.time())
    r.set("k", "v", ex=100)
    assert 99 <= r.ttl("k") <= 100
    eq(r.expire("k", 50, gt=True), False)
    eq(r.expire("k", 500, gt=True), True)
    eq(r.expire("k", 50, lt=True), True)
    eq(r.expire("k", 60, nx=True), False)
    eq(r.expire("k", 60, xx=True), True)
    eq(r.expireat("k", now + 1000), True)
    eq(r.expiretime("k"), now + 1000)
    eq(r.pexpireat("k", now * 1000 + 7_000_123), True)
    eq(r.pexpiretime("k"), now * 1000 + 7_000_123)
    eq(r.persist("k"), True)
    eq(r.persist("k"), False)
    eq((r.ttl("k"), r.pttl("k")), (-1, -1))
    eq((r.ttl("none"), r.expiretime("none")), (-2, -2))
    eq(r.getex("k", ex=30), b"v")
    assert 29 <= r.ttl("k") <= 30
    eq(r.getex("k", persist=True), b"v")
    eq(r.ttl("k"), -1)
    r.set("k", "v", px=60_000)
    r.set("k", "w", keepttl=True)
    assert 0 < r.pttl("k") <= 60_000
    eq(r.expire("k", -1), True)
    eq(r.exists("k"), 0)
    raises(redis.ResponseError, "invalid expire time in 'set' command", r.set, "k", "v", ex=0)


@test
def expired_keys_go_by_themselves(r):
    with r.pipeline(transaction=False) as pipe:
        for i in range(2000):
            pipe.set(f"gone{i}", i, px=100)
        pipe.set("stays", 1)
        pipe.execute()
    until(lambda: r.dbsize() == 1)
    eq(r.get("stays"), b"1")


@test
def scan(r):
    users, others = {b"user:%d" % i for i in range(3000)}, {b"other:%d" % i for i in range(100)}
    r.mset({key: 1 for key in users | others})
    eq({*r.scan_iter()}, users | others)
    eq({*r.scan_iter(match="user:*", count=500)}, users)
    eq({*r.scan_iter(match="other:[12]")}, {b"other:1", b"other:2"})
    eq({*r.scan_iter(_type="STRING", match="other:*", count=50)}, others)
    eq({*r.scan_iter(_type="LIST")}, set())
    # What is there from the first call to the last is found, whatever else comes and goes.
    seen = set()
    for number, key in enumerate(r.scan_iter(count=20)):
        seen.add(key)
        r.set(f"new:{number}", 1)
        r.delete(f"other:{number}")
    assert users <= seen
    eq(r.exists(r.randomkey()), 1)


@test
def renaming_and_copying(r):
    r.set("a", "1", ex=100)
    eq(r.rename("a", "b"), True)
    assert r.ttl("b") > 0
    eq(r.copy("b", "c"), True)
    eq(r.copy("b", "c"), False)
    eq(r.copy("b", "c", replace=True), True)
    eq(r.renamenx("b", "c"), False)
    raises(redis.ResponseError, "no such key", r.rename, "none", "x")
    eq(r.type("c"), b"string")
    eq(r.type("none"), b"none")


@test
def databases(r):
    other = connect(db=9)
    r.set("k", "zero")
    eq(other.get("k"), None)
    eq(r.move("k", 9), True)
    eq(other.get("k"), b"zero")
    eq(r.swapdb(0, 9), True)
    eq(r.get("k"), b"zero")
    eq(other.dbsize(), 0)
    other.set("nine", 1)
    other.flushdb(asynchronous=True)
    eq((other.dbsize(), r.dbsize()), (0, 1))
    raises(redis.ResponseError, "DB index is out of range", connect(db=99).ping)


@test
def introspection_of_keys(r):
    r.mset({"int": 123, "short": "abc", "long": "x" * 100})
    eq([r.object("encoding", k) for k in ("int", "short", "long")], [b"int", b"embstr", b"raw"])
    assert r.memory_usage("long") > 100
    eq(r.object("refcount", "short"), 1)
    assert r.object("idletime", "short") < 10


# ---------------------------------------------------------------- Many at once


@test
def pipeline_without_transaction(r):
    with r.pipeline(transaction=False) as pipe:
        for i in range(10_000):
            pipe.set(f"p{i}", i)
            pipe.get(f"p{i}")
        replies = pipe.execute()
    eq(replies, [x for i in range(10_000) for x in (True, b"%d" % i)])


@test
def pipeline_reports_the_error_and_runs_the_rest(r):
    pipe = r.pipeline(transaction=False)
    pipe.set("word", "abc").incr("word").set("after", 1)
    replies = pipe.execute(raise_on_error=False)
    eq(replies[0], True)
    eq(str(replies[1]), "value is not an integer or out of range")
    eq(replies[2], True)


@test
def transactions(r):
    with r.pipeline() as pipe:
        eq(pipe.set("a", 1).incr("a").get("a").execute(), [True, 2, b"2"])
    pipe = r.pipeline()
    pipe.set("word", "abc").incr("word").set("after", 1)
    raises(redis.ResponseError, "Command # 2 (INCRBY word 1) of pipeline caused error: value is "
           "not an integer or out of range", pipe.execute)
    eq(r.get("after"), b"1")
    pipe = r.pipeline()
    pipe.set("never", 1).execute_command("NOSUCH")
    raises(redis.ResponseError, "Command # 2 (NOSUCH) of pipeline caused error: unknown command 'NOSUCH', with args "
           "beginning with: ", pipe.execute)
    eq(r.get("never"), None)


@test
def watch_notices_changes(r):
    r.set("k", 1)
    with r.pipeline() as pipe:
        pipe.watch("k")
        eq(pipe.get("k"), b"1")
        r.set("k", 2)
        pipe.multi()
        pipe.set("k", 3)
        raises(redis.WatchError, "Watched variable changed.", pipe.execute)
    eq(r.get("k"), b"2")
    with r.pipeline() as pipe:
        pipe.watch("k")
        pipe.unwatch()
        r.set("k", 5)
        pipe.multi()
        eq(pipe.set("k", 6).execute(), [True])


@test
def watch_loops_lose_no_update(r):
    r.set("n", 0)

    def add(times):
        client = connect()
        for _ in range(times):
            client.transaction(
                lambda pipe: (lambda n: (pipe.multi(), pipe.set("n", n + 1)))(int(pipe.get("n"))),
                "n")

    Threads(add, [50] * 8).join()
    eq(r.get("n"), b"400")


@test
def transfers_are_atomic(r):
    r.mset({f"account:{i}": 100 for i in range(10)})
    stop = threading.Event()

    def transfer(seed):
        chance, client = random.Random(seed), connect()
        while not stop.is_set():
            source, target = chance.sample(range(10), 2)
            with client.pipeline() as pipe:
                pipe.decr(f"account:{source}", 7).incr(f"account:{target}", 7).execute()

    threads = Threads(transfer, range(4))
    for _ in range(300):
        eq(sum(map(int, r.mget([f"account:{i}" for i in range(10)]))), 1000)
    stop.set()
    threads.join()


@test
def a_pool_shared_by_threads(r):
    pool = redis.BlockingConnectionPool(max_connections=5, timeout=20, host=HOST, port=PORT)
    shared = redis.Redis(connection_pool=pool)

    def work(number):
        for i in range(200):
            shared.set(f"t{number}", i)
            eq(shared.get(f"t{number}"), b"%d" % i)
            shared.incr("total")

    Threads(work, range(20)).join()
    eq(r.get("total"), b"4000")
    pool.disconnect()


@test
def a_lock_excludes(r):
    """redis-py's Lock takes with SET NX PX; its release is a script, so the key is deleted here."""
    lock = r.lock("lock", timeout=10, blocking=False)
    eq(lock.acquire(), True)
    eq(r.lock("lock", timeout=10, blocking=False).acquire(), False)
    assert 0 < r.pttl("lock") <= 10_000
    r.delete("lock")
    eq(r.lock("lock", timeout=10, blocking=False).acquire(), True)


# ---------------------------------------------------------------- Publish and subscribe


@test
def channels_and_patterns(r):
    pubsub = r.pubsub()
    pubsub.subscribe("news", "weather")
    eq(next_message(pubsub), ("subscribe", None, b"news", 1))
    eq(next_message(pubsub), ("subscribe", None, b"weather", 2))
    pubsub.psubscribe("n*")
    eq(next_message(pubsub), ("psubscribe", None, b"n*", 3))
    eq(r.publish("news", b"\0\xff"), 2)
    eq(next_message(pubsub), ("message", None, b"news", b"\0\xff"))
    eq(next_message(pubsub), ("pmessage", b"n*", b"news", b"\0\xff"))
    eq(sorted(r.pubsub_channels()), [b"news", b"weather"])
    eq(r.pubsub_channels("w*"), [b"weather"])
    eq(r.pubsub_numsub("news", "none"), [(b"news", 1), (b"none", 0)])
    eq(r.pubsub_numpat(), 1)
    pubsub.unsubscribe("news")
    eq(next_message(pubsub), ("unsubscribe", None, b"news", 2))
    pubsub.punsubscribe()
    eq(next_message(pubsub), ("punsubscribe", None, b"n*", 1))
    eq(r.publish("news", "x"), 0)
    pubsub.ping("still here")
    eq(next_message(pubsub), ("pong", None, None, b"still here"))
    pubsub.close()


@test
def many_subscribers_get_everything_in_order(r):
    subscribers = [connect().pubsub(ignore_subscribe_messages=True) for _ in range(20)]
    for subscriber in subscribers:
        subscriber.subscribe("feed")
    until(lambda: r.pubsub_numsub("feed") == [(b"feed", 20)])
    for i in range(500):
        eq(r.publish("feed", i), 20)
    for subscriber in subscribers:
        eq([next_message(subscriber)[3] for _ in range(500)], [b"%d" % i for i in range(500)])
        subscriber.close()


@test
def a_subscriber_thread(r):
    got = []
    pubsub = r.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe(**{"ch": lambda message: got.append(message["data"])})
    thread = pubsub.run_in_thread(sleep_time=0.01)
    until(lambda: r.publish("ch", "hello") == 1 or None)
    until(lambda: got)
    thread.stop()
    thread.join()
    eq(got[0], b"hello")


@test
def keyspace_notifications(r):
    r.config_set("notify-keyspace-events", "KEA")
    pubsub = r.pubsub(ignore_subscribe_messages=True)
    pubsub.psubscribe("__key*__:*")
    until(lambda: r.pubsub_numpat() == 1)
    pubsub.get_message(timeout=1)
    r.set("k", "v", px=50)
    events = [next_message(pubsub)[2:] for _ in range(4)]
    eq(events, [(b"__keyspace@0__:k", b"set"), (b"__keyevent@0__:set", b"k"),
                (b"__keyspace@0__:k", b"expire"), (b"__keyevent@0__:expire", b"k")])
    eq(next_message(pubsub)[2:], (b"__keyspace@0__:k", b"expired"))
    eq(next_message(pubsub)[2:], (b"__keyevent@0__:expired", b"k"))
    pubsub.close()
    r.config_set("notify-keyspace-events", "")


# ---------------------------------------------------------------- Connections


@test
def authentication(_):
    raises(redis.AuthenticationError, "Authentication required.",
           redis.Redis(HOST, AUTH_PORT).ping)
    raises(redis.ResponseError, "WRONGPASS invalid username-password pair or user is disabled.",
           redis.Redis(HOST, AUTH_PORT, password="wrong").ping)
    eq(redis.Redis(HOST, AUTH_PORT, password=PASSWORD).ping(), True)
    eq(redis.Redis(HOST, AUTH_PORT, username="default", password=PASSWORD).ping(), True)
    eq(redis.Redis.from_url(f"redis://:{PASSWORD}@{HOST}:{AUTH_PORT}/2").ping(), True)


@test
def unix_socket(r):
    local = redis.Redis(unix_socket_path=UNIX_SOCKET)
    local.set("over", "unix")
    eq(r.get("over"), b"unix")
    value = random.Random(7).randbytes(1 << 20)
    local.set("large", value)
    eq(local.get("large") == value, True)


@test
def clients(r):
    named = connect(client_name="worker", db=3)
    eq(named.client_getname(), "worker")
    row = [row for row in r.client_list() if row["name"] == "worker"][0]
    eq((int(row["id"]), row["db"], row["cmd"]), (named.client_id(), "3", "client|getname"))
    eq(r.client_kill_filter(_id=row["id"]), 1)
    until(lambda: not [left for left in r.client_list() if left["id"] == row["id"]])
    eq(named.client_getname(), "worker")  # redis-py connects anew and says its name again.
    assert named.client_id() != int(row["id"])
    eq(r.client_pause(100), True)
    started = time.monotonic()
    eq(connect().set("after", "pause"), True)
    assert time.monotonic() - started > 0.05


@test
def monitor(r):
    with connect().monitor() as watching:
        r.set("seen", "a b", ex=10)
        command = watching.next_command()
        eq((command["db"], command["client_type"]), (0, "tcp"))
        eq(command["command"], "SET seen a b EX 10")


@test
def inline_commands(_):
    with socket.create_connection((HOST, PORT), timeout=10) as raw:
        raw.sendall(b'SET inline "a b"\r\nGET inline\nPING\r\n')
        wanted = b"+OK\r\n$3\r\na b\r\n+PONG\r\n"
        got = b""
        while len(got) < len(wanted):
            got += raw.recv(100)
        eq(got, wanted)
        raw.sendall(b"*1\r\n$x\r\n")
        eq(raw.recv(100), b"-ERR Protocol error: invalid bulk length\r\n")
        eq(raw.recv(100), b"")


@test
def errors(r):
    raises(redis.ResponseError, "value is not an integer or out of range", r.incr, "k", "abc")
    raises(redis.ResponseError, "wrong number of arguments for 'get' command",
           r.execute_command, "GET")
    raises(redis.ResponseError,
           "unknown command 'NOSUCH', with args beginning with: 'a' 'b' ",
           r.execute_command, "NOSUCH", "a", "b")
    raises(redis.ResponseError, "syntax error", r.execute_command, "SET", "k", "v", "WHAT")
    raises(redis.ResponseError, "Unknown option or number of arguments for CONFIG SET - 'nosuch'",
           r.config_set, "nosuch", 1)


@test
def the_server_speaks_of_itself(r):
    info = r.info()
    for name in ("redis_version", "used_memory", "connected_clients", "total_commands_processed",
                 "keyspace_hits", "role", "uptime_in_seconds", "maxmemory_policy"):
        assert name in info, name
    r.set("k", "v", ex=100)
    keyspace = r.info("keyspace")["db0"]
    eq((keyspace["keys"], keyspace["expires"]), (1, 1))
    eq(r.config_get("maxmemory-policy"), {"maxmemory-policy": "noeviction"})
    eq(r.command_count(), len(r.command()))
    assert r.command()["get"]["arity"] == 2
    eq(r.command_getkeys("MSET", "a", 1, "b", 2), ["a", "b"])
    seconds, _ = r.time()
    assert abs(seconds - time.time()) < 5
    eq(r.echo("hello"), b"hello")
    r.config_set("slowlog-log-slower-than", 0)
    r.get("k")
    r.config_set("slowlog-log-slower-than", 10_000)
    assert any(entry["command"] == b"GET k" for entry in r.slowlog_get())
    eq(r.slowlog_reset(), True)


@test
def reconnects_after_a_restart(r):
    """The runner starts the server again when it ends."""
    r.set("k", "before")
    run_id = r.info("server")["run_id"]
    subscriber = r.pubsub(ignore_subscribe_messages=True)
    subscriber.subscribe("ch")
    until(lambda: r.pubsub_numsub("ch") == [(b"ch", 1)])
    r.shutdown(nosave=True)

    def new_run_id():
        try:
            return (found := r.info("server")["run_id"]) != run_id and found
        except redis.ConnectionError:
            return None

    until(new_run_id)
    eq(r.get("k"), None)
    eq(r.set("k", "after"), True)

    def receives():
        r.publish("ch", "back")
        try:
            return subscriber.get_message(timeout=0.1)
        except redis.ConnectionError:
            return None

    eq(until(receives)["data"], b"back")  # redis-py subscribes anew by itself.


if __name__ == "__main__":
    sys.exit(harness.main())
