"""The scenarios about data types: every command of redis-benchmark, collections' memory, giants."""

import time

from . import load
from .figures import Goal, Section
from .scenarios import measure

# ---- The commands that redis-benchmark knows, and the stream it does not.

# In this order: what pops comes after what pushes.
_TESTS = ("ping_inline", "ping_mbulk", "set", "get", "incr", "lpush", "rpush", "lpop", "rpop", "sadd",
          "hset", "spop", "zadd", "zpopmin", "mset")
# (name, command, requests as a part of the others')
_COMMANDS = (
    ("xadd", ("XADD", "mystream", "*", "myfield", "data"), 1),
    ("lrange_100", ("LRANGE", "longlist", "0", "99"), 5),
    ("lrange_300", ("LRANGE", "longlist", "0", "299"), 10),
    ("lrange_500", ("LRANGE", "longlist", "0", "499"), 20),
    ("lrange_600", ("LRANGE", "longlist", "0", "599"), 20),
)
_REQUESTS = 800_000
_KEYS = 100_000


def _jobs(bench):
    requests = bench.scaled(_REQUESTS)
    # A process's time is counted in ticks of 10 ms: what takes least is asked for more often.
    jobs = [load.Load(test, requests * (4 if test.startswith("ping") else 1), 32, keys=_KEYS,
                      value_size=3) for test in _TESTS]
    jobs += [load.Load(name, requests // part, 32, keys=_KEYS, command_line=command)
             for name, command, part in _COMMANDS]
    return jobs


def commands(bench):
    section = Section("Every command of redis-benchmark, pipeline of 32", "Its default set with "
                      f"{_KEYS:,} random keys, members and fields, and XADD. One server thread on a "
                      "core of its own, the load on another.", bench.ours, bench.reference)
    for job in _jobs(bench):
        section.declare(f"{job.test.upper()}: server CPU", "µs/request", 2, Goal(0.60))
        section.declare(f"{job.test.upper()}: throughput", "thousand requests/s", 1)
    for column, program in bench.turns(rounds=3):
        with bench.start(program) as server:
            server.client.rpush("longlist", *(b"%016d" % i for i in range(1000)))
            for job in _jobs(bench):
                run, user, system = measure(server, job, bench.load_cores)
                section.record(f"{job.test.upper()}: server CPU", column, user + system)
                section.record(f"{job.test.upper()}: throughput", column,
                               run.requests_per_second / 1000)
                bench.say(f"{column}: {job.test} {user + system:.2f} µs/request")
    return section


# ---- Memory of collections.

_COLLECTIONS = 1_000_000
_MEMBERS = 1_000_000


def _hash_of(i):
    fields = (part for j in range(5) for part in (b"field:%02d" % j, b"%016d" % (i + j)))
    return load.encode("HSET", load.key_name(i), *fields), b":5\r\n"


def _list_of(i):
    return (load.encode("RPUSH", load.key_name(i), *(b"element:%08d" % (i + j) for j in range(10))),
            b":10\r\n")


def _sorted_set_of(i):
    pairs = (part for j in range(10) for part in (b"%d" % j, b"member::%08d" % (i + j)))
    return load.encode("ZADD", load.key_name(i), *pairs), b":10\r\n"


def _field_of(i):
    return load.encode("HSET", "giant", b"field:%010d" % i, b"value:%010d" % i), b":1\r\n"


def _member_of(i):
    return load.encode("ZADD", "giant", b"%d" % i, b"member:%09d" % i), b":1\r\n"


def _fill_with(port, make, count):
    reply = make(0)[1]
    load.send_all(port, (make(i)[0] for i in range(count)), reply)


def collections(bench):
    section = Section("Memory of collections", "RSS that a million small ones take, by the key, and "
                      "that one of a million members takes, by the member.", bench.ours,
                      bench.reference)
    cases = [
        ("hash of 5 fields, 8+16 B", _hash_of, _COLLECTIONS, Goal(220, of_ratio=False)),
        ("list of 10 elements, 16 B", _list_of, _COLLECTIONS, Goal(250, of_ratio=False)),
        ("sorted set of 10 members, 16 B", _sorted_set_of, _COLLECTIONS,
         Goal(285, of_ratio=False)),
        ("hash of a million fields, 16+16 B", _field_of, _MEMBERS, Goal(0.70)),
        ("sorted set of a million members, 16 B", _member_of, _MEMBERS, Goal(0.70)),
    ]
    for name, _, _, goal in cases:
        section.declare(f"{name}: RSS", "bytes", 1, goal)
        section.declare(f"{name}: used_memory", "bytes", 1)
    for column, program in bench.turns(rounds=3):
        for name, make, count, _ in cases:
            with bench.start(program) as server:
                rss = server.rss_bytes()
                used = server.info()["used_memory"]
                _fill_with(server.port, make, count)
                time.sleep(1)
                each = (server.rss_bytes() - rss) / count
                section.record(f"{name}: RSS", column, each)
                section.record(f"{name}: used_memory", column,
                               (server.info()["used_memory"] - used) / count)
                bench.say(f"{column}: {name}: {each:.1f} bytes")
    return section


# ---- Giants.

_GIANT = 10_000_000
_BATCH = 20


def _giant_sorted_set(i):
    pairs = (part for j in range(i, i + _BATCH) for part in (b"%d" % (j * 7919 % _GIANT),
                                                             b"member:%09d" % j))
    return load.encode("ZADD", "giant", *pairs)


def _giant_hash(i):
    fields = (part for j in range(i, i + _BATCH) for part in (b"field:%010d" % j, b"value:%d" % j))
    return load.encode("HSET", "giant", *fields)


def giants(bench):
    count = _GIANT // 10 if bench.quick else _GIANT
    section = Section(f"Collections of {count:,} members", f"Built by commands of {_BATCH} members, "
                      "pipelined, and then deleted by DEL, while another client sends PING, 4,000 a "
                      "second. What the machine itself does to it shows while nothing else happens; "
                      "of the rounds the best one counts.", bench.ours, bench.reference)
    section.declare("nothing else happening: PING p99.9", "µs", 0)
    kinds = (("sorted set", _giant_sorted_set), ("hash", _giant_hash))
    for name, _ in kinds:
        for phase in ("built", "deleted"):
            section.declare(f"{name} being {phase}: PING p99.9", "µs", 0,
                            Goal(2000, of_ratio=False, of_best=True))
            section.declare(f"{name} being {phase}: PING max", "µs", 0)
    for column, program in bench.turns_of_ours():
        with bench.start(program) as server:
            with bench.probe(server) as probe:
                time.sleep(2.5)
                section.record("nothing else happening: PING p99.9", column,
                               probe.result()["p999"])
            for name, make in kinds:
                with bench.probe(server) as probe:
                    load.send_all(server.port, (make(i) for i in range(0, count, _BATCH)),
                                  b":%d\r\n" % _BATCH)
                    built = probe.result()
                with bench.probe(server) as probe:
                    time.sleep(0.5)
                    server.client.delete("giant")
                    time.sleep(2)
                    deleted = probe.result()
                for phase, result in (("built", built), ("deleted", deleted)):
                    section.record(f"{name} being {phase}: PING p99.9", column, result["p999"])
                    section.record(f"{name} being {phase}: PING max", column, result["max"])
                    bench.say(f"{column}: {name} {phase}: PING p99.9 {result['p999']:.0f} µs, max "
                              f"{result['max']:.0f} µs")
    return section


# ---- Algebra and sorting of large collections.

_LARGE = 300_000


def algebra(bench):
    section = Section("Operations over large collections", f"Two sets and two sorted sets of "
                      f"{_LARGE:,} members, half of them in common, and a list of as many numbers.",
                      bench.ours, bench.reference)
    operations = [
        ("SINTERSTORE", ("SINTERSTORE", "out", "s1", "s2")),
        ("SUNIONSTORE", ("SUNIONSTORE", "out", "s1", "s2")),
        ("SDIFFSTORE", ("SDIFFSTORE", "out", "s1", "s2")),
        ("SINTERCARD", ("SINTERCARD", 2, "s1", "s2")),
        ("ZINTERSTORE", ("ZINTERSTORE", "out", 2, "z1", "z2")),
        ("ZUNIONSTORE", ("ZUNIONSTORE", "out", 2, "z1", "z2")),
        ("ZDIFFSTORE", ("ZDIFFSTORE", "out", 2, "z1", "z2")),
        ("SORT of a list", ("SORT", "list", "STORE", "out")),
        ("SORT ALPHA of a set", ("SORT", "s1", "ALPHA", "LIMIT", 0, 10)),
    ]
    for name, _ in operations:
        section.declare(f"{name}: server CPU", "ms", 0, Goal(1.0))
    for column, program in bench.turns(rounds=3):
        with bench.start(program) as server:
            pipe = server.client.pipeline(transaction=False)
            for begin in range(0, _LARGE, 1000):
                numbers = range(begin, begin + 1000)
                pipe.sadd("s1", *(b"member:%d" % i for i in numbers))
                pipe.sadd("s2", *(b"member:%d" % (i + _LARGE // 2) for i in numbers))
                pipe.zadd("z1", {b"member:%d" % i: i for i in numbers})
                pipe.zadd("z2", {b"member:%d" % (i + _LARGE // 2): i for i in numbers})
                pipe.rpush("list", *(i * 7919 % _LARGE for i in numbers))
            pipe.execute()
            for name, command in operations:
                before = sum(server.cpu_seconds())
                for _ in range(5):
                    server.client.execute_command(*command)
                each = (sum(server.cpu_seconds()) - before) / 5
                section.record(f"{name}: server CPU", column, each * 1000)
                bench.say(f"{column}: {name} {each * 1000:.0f} ms")
    return section
