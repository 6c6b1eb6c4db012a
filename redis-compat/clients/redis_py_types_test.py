#!/usr/bin/python3
"""Drives the server's data types with redis-py, blocking and asyncio. See README.md for the environment."""

import asyncio
import random
import sys
import threading
import time

import redis
import redis.asyncio

import harness
from harness import HOST, IS_LARDER, PORT, connect, eq, raises, test, until

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


def in_thread(function, *args):
    """Runs a call that blocks; the result is there when the returned function is called."""
    results = []

    def run():
        try:
            results.append(function(*args))
        except redis.RedisError as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result():
        thread.join(10)
        if not results:
            raise AssertionError("still waits")
        return results[0]

    return result


def waiting(r, clients=1):
    until(lambda: r.info("clients")["blocked_clients"] == clients)


# ---------------------------------------------------------------- Lists


@test
def lists(r):
    eq(r.rpush("l", "a", "b", "c"), 3)
    eq(r.lpush("l", "z"), 4)
    eq(r.lpushx("none", "x"), 0)
    eq(r.lrange("l", 0, -1), [b"z", b"a", b"b", b"c"])
    eq(r.lindex("l", -1), b"c")
    eq(r.linsert("l", "before", "b", "between"), 5)
    eq(r.lpos("l", "b"), 3)
    eq(r.lset("l", 0, "first"), True)
    eq(r.lrem("l", 0, "between"), 1)
    eq(r.ltrim("l", 0, 2), True)
    eq(r.lpop("l", 2), [b"first", b"a"])
    eq(r.rpop("l"), b"b")
    eq(r.exists("l"), 0)
    r.rpush("from", *range(5))
    eq(r.lmove("from", "to", "LEFT", "RIGHT"), b"0")
    eq(r.rpoplpush("from", "to"), b"4")
    eq(r.lmpop(2, "none", "to", direction="RIGHT", count=5), [b"to", [b"0", b"4"]])
    raises(redis.ResponseError, "no such key", r.lset, "none", 0, "x")
    raises(redis.ResponseError, "index out of range", r.lset, "from", 99, "x")


@test
def a_long_list(r):
    values = [b"%d" % i for i in range(10_000)]
    for i in range(0, len(values), 1000):
        r.rpush("l", *values[i:i + 1000])
    eq(r.lrange("l", 0, -1), values)
    eq(r.lindex("l", 5000), b"5000")
    eq(r.object("encoding", "l"), b"quicklist")
    r.ltrim("l", 100, 199)
    eq(r.lrange("l", 0, -1), values[100:200])


@test
def a_queue_loses_and_repeats_nothing(r):
    """Several producers, several consumers that block, every job once."""
    jobs = {b"%d" % i for i in range(600)}
    done = []

    def consume():
        client = connect()
        while (taken := client.blpop(["jobs", "more"], timeout=5)) and taken[1] != b"stop":
            done.append(taken[1])

    def produce(mine):
        client = connect()
        for job in mine:
            client.rpush(random.choice(["jobs", "more"]), job)

    consumers = [threading.Thread(target=consume) for _ in range(8)]
    producers = [threading.Thread(target=produce, args=(list(jobs)[i::3],)) for i in range(3)]
    for thread in consumers + producers:
        thread.start()
    for thread in producers:
        thread.join()
    until(lambda: len(done) == len(jobs))
    r.rpush("jobs", *["stop"] * len(consumers))
    for thread in consumers:
        thread.join(10)
    eq(sorted(done), sorted(jobs))
    eq(r.exists("jobs", "more"), 0)


@test
def blocking_pops(r):
    pop = in_thread(connect().blpop, ["first", "second"], 10)
    waiting(r)
    r.rpush("second", "x")
    eq(pop(), (b"second", b"x"))
    move = in_thread(connect().blmove, "from", "to", 10, "LEFT", "RIGHT")
    waiting(r)
    r.rpush("from", "y")
    eq(move(), b"y")
    eq(r.lrange("to", 0, -1), [b"y"])
    push = in_thread(connect().brpoplpush, "from", "to", 10)
    waiting(r)
    r.rpush("from", "z")
    eq((push(), r.lrange("to", 0, -1)), (b"z", [b"z", b"y"]))
    mpop = in_thread(lambda: connect().blmpop(10, 2, "a", "b", direction="LEFT", count=3))
    waiting(r)
    r.rpush("b", 1, 2, 3, 4)
    eq(mpop(), [b"b", [b"1", b"2", b"3"]])


@test
def blocking_pops_time_out(r):
    started = time.monotonic()
    eq(r.blpop("none", 0.2), None)
    eq(r.brpop(["none", "neither"], 0.1), None)
    eq(r.bzpopmin("none", 0.1), None)
    if not 0.35 < time.monotonic() - started < 5:
        raise AssertionError(f"after {time.monotonic() - started} s")
    raises(redis.ResponseError, "timeout is negative", r.blpop, "none", -1)


@test
def who_waits_longest_is_served_first(r):
    pops = []
    for number in range(5):
        pops.append(in_thread(connect().blpop, "l", 10))
        waiting(r, number + 1)
    r.rpush("l", *range(5))
    eq([pop() for pop in pops], [(b"l", b"%d" % i) for i in range(5)])


@test
def a_blocked_client_can_be_woken(r):
    client = connect()
    number = client.client_id()
    pop = in_thread(client.blpop, "none", 10)
    waiting(r)
    eq(r.client_unblock(number), 1)
    eq(pop(), None)
    pop = in_thread(client.blpop, "none", 10)
    waiting(r)
    eq(r.client_unblock(number, error=True), 1)
    eq(str(pop()), "UNBLOCKED client unblocked via CLIENT UNBLOCK")


@test
def a_transaction_does_not_block(r):
    eq(r.pipeline().blpop("none", 0).bzpopmax("none").rpush("l", "x").blpop("l").execute(),
       [None, None, 1, (b"l", b"x")])


# ---------------------------------------------------------------- Hashes


@test
def hashes(r):
    eq(r.hset("h", mapping={"a": 1, "b": "two", "c": b"\0\xff"}), 3)
    eq(r.hget("h", "b"), b"two")
    eq(r.hgetall("h"), {b"a": b"1", b"b": b"two", b"c": b"\0\xff"})
    eq(r.hmget("h", "a", "none", "c"), [b"1", None, b"\0\xff"])
    eq(r.hsetnx("h", "a", 9), 0)
    eq(r.hincrby("h", "a", 41), 42)
    eq(r.hincrbyfloat("h", "a", 0.5), 42.5)
    eq(r.hexists("h", "none"), False)
    eq(r.hlen("h"), 3)
    eq(r.hstrlen("h", "b"), 3)
    eq(sorted(r.hkeys("h")), [b"a", b"b", b"c"])
    eq(sorted(r.hvals("h")), [b"\0\xff", b"42.5", b"two"])
    eq(r.hdel("h", "a", "none"), 1)
    eq(set(r.hrandfield("h", 5)), {b"b", b"c"})
    raises(redis.ResponseError, "hash value is not an integer", r.hincrby, "h", "b")
    raises(redis.ResponseError, WRONG_TYPE, r.lpush, "h", "x")


@test
def a_large_hash(r):
    fields = {b"field:%d" % i: b"value:%d" % i for i in range(5000)}
    r.hset("h", mapping=fields)
    eq(r.object("encoding", "h"), b"hashtable")
    eq(r.hgetall("h"), fields)
    eq(dict(r.hscan_iter("h", count=100)), fields)
    eq(dict(r.hscan_iter("h", match="field:7?")), {
        b"field:%d" % i: b"value:%d" % i for i in range(70, 80)})
    r.hdel("h", *list(fields)[:4990])
    eq(r.hlen("h"), 10)


# ---------------------------------------------------------------- Sets


@test
def sets(r):
    eq(r.sadd("s", 1, 2, 3), 3)
    eq(r.object("encoding", "s"), b"intset")
    eq(r.sadd("s", "four"), 1)
    eq(r.smembers("s"), {b"1", b"2", b"3", b"four"})
    eq(r.sismember("s", "four"), True)
    eq(r.smismember("s", [1, 9]), [1, 0])
    eq(r.srem("s", "four", "none"), 1)
    eq(r.smove("s", "t", 3), True)
    r.sadd("t", 2, 7)
    eq(r.sinter("s", "t"), {b"2"})
    eq(r.sintercard(2, ["s", "t"]), 1)
    eq(r.sunion("s", "t"), {b"1", b"2", b"3", b"7"})
    eq(r.sdiff("t", "s"), {b"3", b"7"})
    eq(r.sunionstore("u", "s", "t"), 4)
    eq(r.sinterstore("u", "s", "none"), 0)
    eq(r.exists("u"), 0)
    eq(len(r.srandmember("t", -10)), 10)
    eq(r.spop("t") in {b"2", b"3", b"7"}, True)
    eq(r.scard("t"), 2)


@test
def a_large_set(r):
    members = {b"member:%d" % i for i in range(5000)}
    r.sadd("s", *members)
    eq(r.smembers("s"), members)
    eq(set(r.sscan_iter("s", count=50)), members)
    eq(len(set(r.srandmember("s", 100))), 100)
    taken = set(r.spop("s", 1000))
    eq(len(taken), 1000)
    eq(r.smembers("s"), members - taken)


# ---------------------------------------------------------------- Sorted sets


@test
def sorted_sets(r):
    eq(r.zadd("z", {"a": 1, "b": 2.5, "c": "-inf"}), 3)
    eq(r.zrange("z", 0, -1, withscores=True), [(b"c", float("-inf")), (b"a", 1.0), (b"b", 2.5)])
    eq(r.zadd("z", {"a": 0}, gt=True, ch=True), 0)
    eq(r.zadd("z", {"a": 5}, incr=True), 6.0)
    eq(r.zincrby("z", 0.25, "b"), 2.75)
    eq(r.zscore("z", "none"), None)
    eq(r.zmscore("z", ["a", "none"]), [6.0, None])
    eq(r.zrank("z", "b"), 1)
    eq(r.zrevrank("z", "b"), 1)
    eq(r.zcount("z", "(-inf", 6), 2)
    eq(r.zrangebyscore("z", "-inf", "+inf", start=1, num=1), [b"b"])
    eq(r.zrange("z", 10, 0, desc=True, byscore=True), [b"a", b"b"])
    eq(r.zrangestore("copy", "z", 0, 1), 2)
    eq(r.zpopmin("z"), [(b"c", float("-inf"))])
    eq(r.zpopmax("z", 5), [(b"a", 6.0), (b"b", 2.75)])
    eq(r.zrem("copy", "b", "c", "none"), 2)
    raises(redis.ResponseError, "resulting score is not a number (NaN)",
           lambda: r.zadd("n", {"x": "inf"}) and r.zincrby("n", "-inf", "x"))


@test
def sorted_sets_by_name(r):
    r.zadd("names", dict.fromkeys(["ann", "bob", "cid", "dan"], 0))
    eq(r.zrangebylex("names", "[b", "(d"), [b"bob", b"cid"])
    eq(r.zrevrangebylex("names", "+", "(bob"), [b"dan", b"cid"])
    eq(r.zlexcount("names", "-", "+"), 4)
    eq(r.zremrangebylex("names", "[c", "+"), 2)


@test
def sorted_sets_together(r):
    r.zadd("a", {"x": 1, "y": 2})
    r.zadd("b", {"y": 3, "z": 4})
    eq(r.zunion(["a", "b"], withscores=True), [(b"x", 1.0), (b"z", 4.0), (b"y", 5.0)])
    eq(r.zinter({"a": 2, "b": 10}, aggregate="MAX", withscores=True), [(b"y", 30.0)])
    eq(r.zdiff(["a", "b"]), [b"x"])
    eq(r.zunionstore("out", {"a": 1, "b": 0.5}), 3)
    eq(r.zinterstore("out", ["a", "b"], aggregate="MIN"), 1)
    eq(r.zscore("out", "y"), 2.0)


@test
def a_leaderboard(r):
    source = random.Random(3)
    scores = {b"player:%d" % i: source.randrange(10**6) for i in range(3000)}
    for _ in range(3):
        for player in source.sample(sorted(scores), 500):
            scores[player] += 100
    pipeline = r.pipeline(transaction=False)
    for player, score in scores.items():
        pipeline.zadd("board", {player: score})
    pipeline.execute()
    eq(r.object("encoding", "board"), b"skiplist")
    ranking = sorted(scores, key=lambda player: (scores[player], player), reverse=True)
    eq(r.zrevrange("board", 0, -1), ranking)
    eq(r.zrevrange("board", 100, 109), ranking[100:110])
    eq(r.zrevrank("board", ranking[1234]), 1234)
    eq(dict(r.zscan_iter("board", count=100)), {k: float(v) for k, v in scores.items()})
    eq(r.zremrangebyrank("board", 0, 2499), 2500)
    eq(r.zrevrange("board", 0, -1), ranking[:500])


@test
def blocking_pops_of_sorted_sets(r):
    pop = in_thread(connect().bzpopmin, ["z1", "z2"], 10)
    waiting(r)
    r.zadd("z2", {"b": 2, "a": 1})
    eq(pop(), (b"z2", b"a", 1.0))
    pop = in_thread(lambda: connect().bzmpop(10, 2, ["z3", "z4"], max=True, count=2))
    waiting(r)
    r.zadd("z4", {"b": 2, "a": 1, "c": 3})
    eq(pop(), [b"z4", [[b"c", b"3"], [b"b", b"2"]]])


# ---------------------------------------------------------------- Streams


@test
def streams(r):
    first = r.xadd("s", {"temperature": "21", "unit": "C"})
    second = r.xadd("s", {"temperature": "22"})
    eq(r.xlen("s"), 2)
    eq(r.xrange("s"), [(first, {b"temperature": b"21", b"unit": b"C"}),
                       (second, {b"temperature": b"22"})])
    eq(r.xrevrange("s", count=1), [(second, {b"temperature": b"22"})])
    eq(r.xread({"s": first}), [[b"s", [(second, {b"temperature": b"22"})]]])
    eq(r.xdel("s", first), 1)
    eq(r.xadd("s", {"a": 1}, id="9999999999999-1"), b"9999999999999-1")
    raises(redis.ResponseError, "The ID specified in XADD is equal or smaller than the target stream "
           "top item", r.xadd, "s", {"a": 1}, "5-5")
    eq(r.xtrim("s", maxlen=1, approximate=False), 1)
    info = r.xinfo_stream("s")
    eq((info["length"], info["last-generated-id"]), (1, b"9999999999999-1"))
    eq(r.xadd("none", {"a": 1}, nomkstream=True), None)


@test
def consumer_groups(r):
    ids = [r.xadd("s", {"n": i}) for i in range(6)]
    eq(r.xgroup_create("s", "g", id="0"), True)
    raises(redis.ResponseError, "BUSYGROUP Consumer Group name already exists",
           r.xgroup_create, "s", "g")
    taken = r.xreadgroup("g", "ann", {"s": ">"}, count=4)
    eq([entry[0] for entry in taken[0][1]], ids[:4])
    eq([e[0] for e in r.xreadgroup("g", "bob", {"s": ">"})[0][1]], ids[4:])
    eq(r.xreadgroup("g", "bob", {"s": ">"}), [])
    eq(r.xack("s", "g", *ids[:2]), 2)
    eq(r.xpending("s", "g"), {
        "pending": 4, "min": ids[2], "max": ids[5],
        "consumers": [{"name": b"ann", "pending": 2}, {"name": b"bob", "pending": 2}]})
    pending = r.xpending_range("s", "g", "-", "+", 10, "ann")
    eq([(p["message_id"], p["times_delivered"]) for p in pending], [(ids[2], 1), (ids[3], 1)])
    eq([e[0] for e in r.xclaim("s", "g", "bob", 0, [ids[2]])], [ids[2]])
    eq(r.xautoclaim("s", "g", "cid", 0, "0-0", count=1, justid=True), [ids[2]])
    groups = r.xinfo_groups("s")
    eq((groups[0]["name"], groups[0]["consumers"], groups[0]["pending"]), (b"g", 3, 4))
    eq({c["name"]: c["pending"] for c in r.xinfo_consumers("s", "g")},
       {b"ann": 1, b"bob": 2, b"cid": 1})
    eq(r.xgroup_delconsumer("s", "g", "bob"), 2)
    eq(r.xgroup_setid("s", "g", "$"), True)
    eq(r.xgroup_destroy("s", "g"), 1)
    raises(redis.ResponseError, "NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with "
           "GROUP option", r.xreadgroup, "g", "ann", {"s": ">"})


@test
def blocking_reads_of_streams(r):
    read = in_thread(lambda: connect().xread({"a": "$", "b": "$"}, block=10_000))
    waiting(r)
    number = r.xadd("b", {"k": "v"})
    eq(read(), [[b"b", [(number, {b"k": b"v"})]]])
    r.xgroup_create("jobs", "g", mkstream=True)
    readers = [in_thread(lambda name: connect().xreadgroup("g", name, {"jobs": ">"}, count=1, block=10_000),
                         f"worker {i}") for i in range(3)]
    waiting(r, 3)
    ids = [r.xadd("jobs", {"n": i}) for i in range(3)]
    eq(sorted(reader()[0][1][0][0] for reader in readers), ids)
    eq(r.xread({"a": "$"}, block=50), [])


# ---------------------------------------------------------------- Bits, sketches, places


@test
def bits(r):
    eq(r.setbit("b", 7, 1), 0)
    eq(r.getbit("b", 7), 1)
    eq(r.get("b"), b"\x01")
    r.set("x", b"\xff\x0f")
    eq(r.bitcount("x"), 12)
    eq(r.bitcount("x", 5, 11, "BIT"), 3)
    eq(r.bitpos("x", 0), 8)
    eq(r.bitop("XOR", "out", "b", "x"), 2)
    eq(r.get("out"), b"\xfe\x0f")
    eq(r.bitfield("f").set("u8", "#1", 200).incrby("u8", "#1", 100, "SAT").get("i4", 8).execute(),
       [0, 255, -1])


@test
def sketches(r):
    eq(r.pfadd("a", *range(1000)), 1)
    eq(r.pfadd("b", *range(500, 2000)), 1)
    for key, exact in (("a", 1000), ("b", 1500)):
        if abs(r.pfcount(key) - exact) > exact * 0.03:
            raise AssertionError(f"{r.pfcount(key)} of {exact}")
    eq(r.pfmerge("both", "a", "b"), True)
    eq(r.pfcount("both"), r.pfcount("a", "b"))
    r.set("text", "no sketch")
    raises(redis.ResponseError, "WRONGTYPE Key is not a valid HyperLogLog string value.",
           r.pfcount, "text")


@test
def places(r):
    eq(r.geoadd("sicily", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")), 2)
    eq(r.geodist("sicily", "Palermo", "Catania", unit="km"), 166.2742)
    eq(r.geohash("sicily", "Palermo", "none"), ["sqc8b49rny0", None])
    eq([round(x, 4) for x in r.geopos("sicily", "Catania")[0]], [15.0873, 37.5027])
    eq(r.geosearch("sicily", longitude=15, latitude=37, radius=200, unit="km", sort="ASC"),
       [b"Catania", b"Palermo"])
    eq(r.geosearch("sicily", member="Palermo", width=400, height=400, unit="km", withdist=True),
       [[b"Palermo", 0.0], [b"Catania", 166.2742]])
    eq(r.geosearchstore("near", "sicily", longitude=15, latitude=37, radius=100, unit="km"), 1)
    eq(r.zrange("near", 0, -1), [b"Catania"])


# ---------------------------------------------------------------- All types


def one_of_each(r):
    r.set("string", "x")
    r.rpush("list", *"abc")
    r.hset("hash", mapping={"f": "v"})
    r.sadd("set", 1, 2)
    r.zadd("zset", {"m": 1.5})
    r.xadd("stream", {"f": "v"}, id="1-1")


@test
def types(r):
    one_of_each(r)
    for name in ("string", "list", "hash", "set", "zset", "stream"):
        eq(r.type(name), name.encode())
        eq(list(r.scan_iter(_type=name)), [name.encode()])
    eq({name: r.object("encoding", name) for name in ("list", "hash", "set", "zset", "stream")},
       {"list": b"quicklist", "hash": b"listpack", "set": b"intset", "zset": b"listpack",
        "stream": b"stream"})


@test
def dump_and_restore(r):
    one_of_each(r)
    for name in ("string", "list", "hash", "set", "zset", "stream"):
        payload = r.dump(name)
        eq(r.restore("copy", 0, payload, replace=True), b"OK")
        eq(r.dump("copy"), payload)
        eq(r.type("copy"), name.encode())
        raises(redis.ResponseError, "DUMP payload version or checksum are wrong",
               r.restore, "bad", 0, payload[:-1] + bytes([payload[-1] ^ 1]))
    raises(redis.ResponseError, "BUSYKEY Target key name already exists.",
           r.restore, "copy", 0, r.dump("string"))
    eq(r.restore("soon", 50, r.dump("list")), b"OK")
    until(lambda: not r.exists("soon"))


@test
def copying_and_sorting(r):
    one_of_each(r)
    for name in ("list", "hash", "set", "zset", "stream"):
        eq(r.copy(name, "copy", replace=True), True)
        eq(r.dump("copy"), r.dump(name))
    r.rpush("ids", 3, 1, 2)
    r.mset({"weight_1": 30, "weight_2": 10, "weight_3": 20, "name_1": "a", "name_2": "b", "name_3": "c"})
    eq(r.sort("ids"), [b"1", b"2", b"3"])
    eq(r.sort("ids", by="weight_*", get=["#", "name_*"], desc=True, start=0, num=2),
       [b"1", b"a", b"3", b"c"])
    eq(r.sort("ids", store="sorted"), 3)
    eq(r.sort("ids", alpha=True, by="nosort"), [b"3", b"1", b"2"])


@test
def wrong_types(r):
    one_of_each(r)
    for call in (lambda: r.get("list"), lambda: r.lpush("set", 1), lambda: r.hget("zset", "f"),
                 lambda: r.sadd("hash", 1), lambda: r.zadd("stream", {"a": 1}),
                 lambda: r.xadd("string", {"a": 1}), lambda: r.incr("list"),
                 lambda: r.pfadd("zset", 1), lambda: r.setbit("hash", 1, 1)):
        raises(redis.ResponseError, WRONG_TYPE, call)


@test
def keyspace_notifications_of_types(r):
    r.config_set("notify-keyspace-events", "KEA")
    subscriber = r.pubsub(ignore_subscribe_messages=True)
    subscriber.psubscribe("__keyevent@0__:*")
    until(lambda: r.pubsub_numpat() == 1)
    one_of_each(r)
    r.lpop("list", 3)
    got = []
    until(lambda: (m := subscriber.get_message(timeout=1)) and got.append(
        m["channel"].decode().split(":")[1]) or len(got) == 8)
    eq(got, ["set", "rpush", "hset", "sadd", "zadd", "xadd", "lpop", "del"])
    r.config_set("notify-keyspace-events", "")


if IS_LARDER:
    # What came after Redis 7.0.
    @test
    def newer_commands(r):
        r.hset("h", mapping={"a": 1, "b": 2})
        eq(r.execute_command("HEXPIRE", "h", 100, "FIELDS", 2, "a", "none"), [1, -2])
        eq(r.execute_command("HTTL", "h", "FIELDS", 2, "a", "b"), [100, -1])
        eq(r.execute_command("HPEXPIRE", "h", 30, "FIELDS", 1, "a"), [1])
        until(lambda: r.hlen("h") == 1)
        eq(r.execute_command("HGETDEL", "h", "FIELDS", 1, "b"), [b"2"])
        eq(r.exists("h"), 0)
        number = r.xadd("s", {"a": 1})
        r.xgroup_create("s", "g", id="0")
        r.xreadgroup("g", "c", {"s": ">"})
        eq(r.execute_command("XACKDEL", "s", "g", "IDS", 1, number), [1])
        eq(r.xlen("s"), 0)


# ---------------------------------------------------------------- asyncio


def test_async(function):
    def run(_):
        async def body():
            r = redis.asyncio.Redis(host=HOST, port=PORT)
            try:
                await function(r)
            finally:
                await r.close(close_connection_pool=True)

        asyncio.run(body())

    run.__name__ = function.__name__
    return test(run)


@test_async
async def asyncio_pipelines(r):
    async with r.pipeline(transaction=True) as pipeline:
        eq(await pipeline.hset("h", "f", 1).hincrby("h", "f", 2).hgetall("h").execute(),
           [1, 3, {b"f": b"3"}])
    eq(await asyncio.gather(*(r.incr("n") for _ in range(500))) != [], True)
    eq(await r.get("n"), b"500")


@test_async
async def asyncio_blocking(r):
    pops = [asyncio.create_task(r.blpop("l", timeout=10)) for _ in range(20)]
    while (await r.info("clients"))["blocked_clients"] < 20:
        await asyncio.sleep(0.01)
    await r.rpush("l", *range(20))
    eq(sorted(int(value) for _, value in await asyncio.gather(*pops)), list(range(20)))
    pop = asyncio.create_task(r.blpop("l"))
    await asyncio.sleep(0.05)
    pop.cancel()  # The connection is given up, and with it the place in the queue.
    try:
        await pop
    except asyncio.CancelledError:
        pass
    while (await r.info("clients"))["blocked_clients"]:
        await asyncio.sleep(0.01)
    await r.rpush("l", "kept")
    eq(await r.lrange("l", 0, -1), [b"kept"])


@test_async
async def asyncio_channels(r):
    subscriber = r.pubsub(ignore_subscribe_messages=True)
    await subscriber.subscribe("ch")
    await subscriber.psubscribe("p*")
    while (await r.pubsub_numsub("ch"))[0][1] == 0 or await r.pubsub_numpat() == 0:
        await asyncio.sleep(0.01)
    for i in range(100):
        await r.publish("ch" if i % 2 else "place", i)
    got = []
    while len(got) < 100:
        if message := await subscriber.get_message(timeout=5):
            got.append(int(message["data"]))
    eq(got, list(range(100)))
    await subscriber.close()


@test_async
async def asyncio_reconnects(r):
    await r.set("k", "v")
    other = redis.asyncio.Redis(host=HOST, port=PORT)
    await other.client_kill_filter(_type="normal", skipme=True)
    eq(await r.get("k"), b"v")
    await other.close()


@test_async
async def asyncio_streams(r):
    await r.xgroup_create("s", "g", mkstream=True)
    got = []

    async def work(name):
        while entries := await r.xreadgroup("g", name, {"s": ">"}, count=5, block=1000):
            for number, fields in entries[0][1]:
                got.append(int(fields[b"n"]))
                await r.xack("s", "g", number)
            if len(got) == 200:
                return

    workers = [asyncio.create_task(work(f"worker {i}")) for i in range(4)]
    for n in range(200):
        await r.xadd("s", {"n": n})
    await asyncio.gather(*workers)
    eq(sorted(got), list(range(200)))
    eq((await r.xpending("s", "g"))["pending"], 0)


if __name__ == "__main__":
    sys.exit(harness.main())
