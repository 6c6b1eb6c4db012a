"""The scenarios that run requests through redis-benchmark, and memory a key."""

import json
import subprocess
import time

from . import load
from .figures import Goal, Section

KEYS = 1_000_000
VALUE_SIZE = 64
_ENGINE_BATCH = 32


def measure(server, job, core_list):
    """Runs the job; returns it with the server's CPU in microseconds a request (user, system)."""
    commands = server.commands_processed()
    user, system = server.cpu_seconds()
    run = load.run_redis_benchmark(server.port, job, core_list)
    user_after, system_after = server.cpu_seconds()
    served = job.requests
    if commands is not None:
        served = server.commands_processed() - commands
        if served < job.requests:
            raise RuntimeError(f"only {served} of {job.requests} requests were served")
    micros = 1e6 / served
    return run, (user_after - user) * micros, (system_after - system) * micros


def _declare_runs(section, tests, goal, **compared):
    for test in tests:
        name = test.upper()
        section.declare(f"{name}: server CPU", "µs/request", 2, goal, **compared)
        section.declare(f"{name}: of it user", "µs/request", 2)
        section.declare(f"{name}: of it system", "µs/request", 2)
        section.declare(f"{name}: throughput", "thousand requests/s", 1)
        section.declare(f"{name}: p50", "ms", 3)
        section.declare(f"{name}: p99", "ms", 3)
        section.declare(f"{name}: max", "ms", 3)


def _record_run(section, test, column, measured):
    run, user, system = measured
    name = test.upper()
    section.record(f"{name}: server CPU", column, user + system)
    section.record(f"{name}: of it user", column, user)
    section.record(f"{name}: of it system", column, system)
    section.record(f"{name}: throughput", column, run.requests_per_second / 1000)
    section.record(f"{name}: p50", column, run.p50_ms)
    section.record(f"{name}: p99", column, run.p99_ms)
    section.record(f"{name}: max", column, run.max_ms)


def _run_tests(bench, section, column, server, jobs, core_list):
    keys = server.client.dbsize()
    for job in jobs:
        warm_up = load.Load(job.test, job.requests // 10, job.pipeline, threads=job.threads)
        load.run_redis_benchmark(server.port, warm_up, core_list)
        measured = measure(server, job, core_list)
        _record_run(section, job.test, column, measured)
        bench.say(f"{column}: {job.test} {measured[1] + measured[2]:.2f} µs/request, "
                  f"{measured[0].requests_per_second:,.0f} requests/s")
    if server.client.dbsize() != keys:
        raise RuntimeError("redis-benchmark did not use the keys that are there")


def _one_thread(bench, title, pipeline, requests, goal):
    section = Section(title, "A million keys of 16 bytes, values of 64, 50 connections. One server "
                      "thread on a core of its own, the load on another.", bench.ours,
                      bench.reference)
    _declare_runs(section, ("get", "set"), goal)
    jobs = [load.Load(test, bench.scaled(requests), pipeline) for test in ("get", "set")]
    for column, program in bench.turns():
        with bench.start(program) as server:
            load.fill(server.port, KEYS, VALUE_SIZE)
            _run_tests(bench, section, column, server, jobs, bench.load_cores)
    return section


def pipelined(bench):
    return _one_thread(bench, "GET and SET, pipeline of 32", 32, 2_400_000, Goal(0.50))


def unpipelined(bench):
    return _one_thread(bench, "GET and SET, no pipeline", 1, 240_000, Goal(0.85))


def two_threads(bench):
    one = f"{bench.ours}, one thread"
    two = f"{bench.ours}, two threads"
    section = Section("Two threads, pipeline of 32", "As above, but server and load share two cores "
                      "as the scheduler likes; redis-benchmark has two threads.", two,
                      bench.reference)
    _declare_runs(section, ("get", "set"), Goal(1.15), against=one)
    for test in ("GET", "SET"):
        section.row(f"{test}: throughput").goal = Goal(2.0, at_least=True)
    jobs = [load.Load(test, bench.scaled(2_400_000), 32, threads=2) for test in ("get", "set")]
    contestants = [(peer.title, (peer, 1)) for peer in bench.peers]
    contestants += [(one, (bench.larder, 1)), (two, (bench.larder, 2))]
    for column, (program, threads) in bench.turns(contestants):
        with bench.start(program, pinned=False, threads=threads) as server:
            load.fill(server.port, KEYS, VALUE_SIZE)
            _run_tests(bench, section, column, server, jobs, None)
    return section


def engine(bench):
    """Dispatch from two threads against one, by the micro-benchmark: no peer can be driven so."""
    one, two = "one thread", "two threads"
    section = Section("The engine alone", "Larder's dispatch driven by two threads, batches of 32, "
                      "no sockets (`larder_server_bench`).", two, one)
    program = bench.tool("larder_server_bench")
    if program is None:
        bench.say("larder_server_bench is not built")
        return section
    for test in ("GET", "SET"):
        section.declare(test, "million requests/s", 2, Goal(1.85, at_least=True))
        section.declare(f"{test}: CPU", "ns/request", 0)  # Also true where others want the cores.
    done = subprocess.run(
        [str(program), f"--benchmark_filter=BM_Dispatch(Get|Set)/batch:{_ENGINE_BATCH}/",
         f"--benchmark_repetitions={bench.rounds}", "--benchmark_enable_random_interleaving=true",
         "--benchmark_min_time=0.5", "--benchmark_format=json"],
        capture_output=True, text=True, check=True, timeout=300)
    runs = [run for run in json.loads(done.stdout)["benchmarks"]
            if run["run_type"] == "iteration"]
    for run in runs:
        test = "GET" if "Get" in run["name"] else "SET"
        column = two if run["threads"] == 2 else one
        section.record(test, column, run["items_per_second"] / 1e6)
        section.record(f"{test}: CPU", column, run["cpu_time"] / _ENGINE_BATCH)
    return section


_EVICTION_LIMIT = "100mb"


def eviction(bench):
    """What a policy costs who is hit, and who has to make room."""
    def under(product, policy):
        return f"{product}, {policy}"
    adaptive, none = under(bench.ours, "allkeys-adaptive"), under(bench.ours, "noeviction")
    section = Section("Eviction", "Pipeline of 32, values of 64 bytes, one server thread on a core of "
                      "its own. GET: a million keys, and room for more. SET: 16 million random keys at "
                      f"{_EVICTION_LIMIT}, so that nearly every one evicts another.", adaptive,
                      under(bench.reference, "allkeys-lru"))
    section.declare("GET: server CPU", "µs/request", 3, Goal(1.05), against=none)
    section.declare("SET that evicts: server CPU", "µs/request", 2, Goal(0.60))
    section.declare("SET that evicts: keys evicted", "a request", 2)
    section.declare("keys held", "", 0)
    get = load.Load("get", bench.scaled(4_800_000), 32)
    fill = load.Load("set", 1_600_000, 32, keys=16_000_000)  # More than anybody can hold.
    evict = load.Load("set", bench.scaled(2_400_000), 32, keys=16_000_000)
    policies = [(bench.larder, bench.ours, ("noeviction", "allkeys-lru", "allkeys-adaptive")),
                (bench.peers[0], bench.reference, ("noeviction", "allkeys-lru"))]
    contestants = [(under(product, policy), (program, policy))
                   for program, product, names in policies for policy in names]
    for column, (program, policy) in bench.turns(contestants):
        with bench.start(program, options=["--maxmemory-policy", policy]) as server:
            server.client.config_set("maxmemory", "1gb")
            load.fill(server.port, KEYS, VALUE_SIZE)
            load.run_redis_benchmark(server.port, get, bench.load_cores)
            _, user, system = measure(server, get, bench.load_cores)
            section.record("GET: server CPU", column, user + system)
            bench.say(f"{column}: GET {user + system:.3f} µs/request")
            if policy == "noeviction":
                continue
            server.client.flushall()
            server.client.config_set("maxmemory", _EVICTION_LIMIT)
            load.run_redis_benchmark(server.port, fill, bench.load_cores)
            evicted = server.client.info("stats")["evicted_keys"]
            _, user, system = measure(server, evict, bench.load_cores)
            evicted = server.client.info("stats")["evicted_keys"] - evicted
            section.record("SET that evicts: server CPU", column, user + system)
            section.record("SET that evicts: keys evicted", column, evicted / evict.requests)
            section.record("keys held", column, server.client.dbsize())
            bench.say(f"{column}: SET that evicts {user + system:.2f} µs/request")
    return section


def memory(bench):
    section = Section("Memory a key", "A million distinct keys of 16 bytes. Over the payload, so "
                      "without the bytes of key and value; by the kernel's account (RSS) and by the "
                      "server's own (used_memory).", bench.ours, bench.reference)
    cases = [("16+8 B", 8, None, 24), ("16+64 B", 64, None, 32),
             ("16+64 B with TTL", 64, 86400, 40)]
    for name, _, _, limit in cases:
        section.declare(f"{name}: RSS", "bytes", 1, Goal(limit, of_ratio=False))
        section.declare(f"{name}: used_memory", "bytes", 1)
    # Hardly anything varies here.
    for column, program in bench.turns(rounds=3):
        for name, value_size, ttl_seconds, _ in cases:
            with bench.start(program) as server:
                rss = server.rss_bytes()
                used = server.info().get("used_memory")
                load.fill(server.port, KEYS, value_size, ttl_seconds)
                time.sleep(1)
                if server.client.dbsize() != KEYS:
                    raise RuntimeError(f"{column} does not hold {KEYS} keys")
                payload = 16 + value_size
                over = (server.rss_bytes() - rss) / KEYS - payload
                section.record(f"{name}: RSS", column, over)
                if used is not None:
                    section.record(f"{name}: used_memory", column,
                                   (server.info()["used_memory"] - used) / KEYS - payload)
                bench.say(f"{column}: {name} {over:.1f} bytes over the payload")
    return section
